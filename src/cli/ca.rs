//! `fauxfax ca`: prints the local CA's certificate or its path, prints or writes files with which clients trust the CA,
//! or explains how to make them trust it. Nothing is installed.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum, ValueHint};

use super::out::bytes;
use super::trust_files::TrustFiles;
use crate::config::{Config, Setting, Settings};
use crate::server::ca::{CERTIFICATE_FILE, LocalCa, Roots};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    /// The certificate in PEM
    Print,
    /// The path of the certificate's file
    Path,
    /// The public roots and the certificate in one PEM file, for clients that accept only one
    Bundle,
    /// Files for clients that need more than a bundle, which are written to the CA's folder, and whose paths are
    /// printed: bundle.pem, truststore.p12 (password: changeit), php/fauxfax.ini, python/sitecustomize.py and
    /// node/fauxfax.cjs
    Files,
    /// How to make common clients and systems trust the CA
    TrustHint,
}

#[derive(Debug, Args)]
pub(super) struct CaFlags {
    /// What to print
    #[arg(value_enum, default_value_t = Wanted::Print)]
    what: Wanted,
    /// Folder of the local CA, which is created on first use [default: fauxfax/ca in the user's data directory] [env:
    /// FAUXFAX_CA_DIR]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    ca_dir: Option<String>,
}

pub(super) fn run(flags: CaFlags) -> anyhow::Result<ExitCode> {
    let config = Config::of_process(Settings::default().with_flag(Setting::CaDir, flags.ca_dir))?;
    let folder = config.ca_dir.context("there is no home directory to keep a CA in; choose a folder with --ca-dir")?;
    let ca = LocalCa::new(Some(folder.clone()));
    let authority = ca.authority()?;
    let path = folder.join(CERTIFICATE_FILE);
    let path = if path.is_absolute() { path } else { std::env::current_dir()?.join(path) };
    let text = match flags.what {
        Wanted::Print => authority.pem().to_owned(),
        // A CA that couldn't be written exists only in memory and has no file.
        Wanted::Path if path.exists() => format!("{}\n", path.display()),
        Wanted::Path => anyhow::bail!(
            "can't write to {}, so there is no certificate file; choose another folder with --ca-dir",
            folder.display()
        ),
        Wanted::Bundle => Roots::of_system().with(authority.certificate()).pem(),
        Wanted::Files => {
            let folder = path.parent().context("the CA's folder has no path")?;
            let files = TrustFiles::write(folder, &Roots::of_system().with(authority.certificate()))?;
            let paths = std::iter::once(path.as_path()).chain(files.paths());
            paths.map(|path| format!("{}\n", path.display())).collect()
        }
        Wanted::TrustHint => trust_hint(&path.display().to_string()),
    };
    bytes().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn trust_hint(path: &str) -> String {
    format!(
        "\
The local CA is {path}
It signs only for Twilio's and SignalWire's hosts, local names such as localhost, and private addresses.

Nothing to do:      fauxfax exec -- COMMAND       eval \"$(fauxfax env)\"
Node                NODE_EXTRA_CA_CERTS={path}
curl                curl --cacert {path} …
one bundle          fauxfax ca bundle > bundle.pem   (the public roots and the local CA, for the next three)
Python requests     REQUESTS_CA_BUNDLE=bundle.pem   (twilio-python up to 7.8 ignores it: see exec)
OpenSSL, Ruby, Go   SSL_CERT_FILE=bundle.pem
PHP                 fauxfax ca files, then PHP_INI_SCAN_DIR=:FOLDER/php, FOLDER being that of the CA
Java                fauxfax ca files, then java -Djavax.net.ssl.trustStore=FOLDER/truststore.p12 …
Debian, Ubuntu      sudo cp {path} /usr/local/share/ca-certificates/fauxfax.crt && sudo update-ca-certificates
Fedora              sudo trust anchor {path}
macOS               sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {path}
Windows             certutil -user -addstore Root {path}
"
    )
}
