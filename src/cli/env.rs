//! `fauxfax env`: prints the environment variables that let unchanged programs reach a running emulator.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::exec::environment::{AccountSecrets, Destination, prepare};
use super::out::bytes;
use crate::config;
use crate::model::hex;

/// The error if there is no folder to write the certificates to.
const NO_FOLDER: &str = if cfg!(windows) {
    "there is no folder to write certificates to; set LOCALAPPDATA"
} else {
    "there is no home directory to write certificates to; set HOME"
};

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct EnvFlags {
    #[command(flatten)]
    target: Target,
    /// Format to print, such as sh for eval "$(fauxfax env)"
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    /// For bash, zsh and similar shells: eval "$(fauxfax env)"
    Sh,
    /// For fish: fauxfax env --shell fish | source
    Fish,
    /// For PowerShell: fauxfax env --shell powershell | Invoke-Expression
    Powershell,
    /// NAME=value lines, for $GITHUB_ENV and docker's --env-file
    Plain,
}

pub(super) fn run(flags: &EnvFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let credential = client.credential().await?;
        let ca = CertificateDer::from_pem_slice(client.text("/ca.pem").await?.as_bytes())?;
        let folder = config::data_dir().context(NO_FOLDER)?;
        let (token, signing_key) = (Some(credential.token.as_str()), Some(credential.signing_key.as_str()));
        let account = AccountSecrets { sid: &credential.sid, token, signing_key };
        // One folder per CA: other shells may still use files that were written for a different emulator.
        let folder = place(&folder, &ca);
        let variables = prepare(
            &folder,
            &Destination { url: client.base(), ca: &ca, account, control_token: client.control_token() },
            &config::variable,
        )?;
        let mut out = bytes();
        for (name, value) in variables {
            writeln!(out, "{}", flags.shell.export(&name, &value))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns the folder for a CA's files, named after the SHA-256 fingerprint of its certificate.
fn place(data: &Path, ca: &[u8]) -> PathBuf {
    data.join("env").join(hex::encode(Sha256::digest(ca)))
}

impl Shell {
    fn export(self, name: &str, value: &str) -> String {
        match self {
            Self::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Self::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
            Self::Powershell => format!("$env:{name} = '{}'", value.replace('\'', "''")),
            Self::Plain => format!("{name}={value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> AccountSecrets<'static> {
        AccountSecrets { sid: "AC1", token: None, signing_key: None }
    }

    #[test]
    fn two_emulators_with_different_cas_use_different_folders() {
        let destination = |ca| Destination { url: "http://127.0.0.1:8329", ca, account: nobody(), control_token: None };
        let cas = [1_i64, 2].map(|second| {
            let made = crate::server::ca::Authority::create(crate::model::time::Timestamp::from_seconds(second));
            made.expect("a CA").0.certificate().clone()
        });
        let data = tempfile::tempdir().expect("a folder");
        let files = cas.each_ref().map(|ca| {
            let variables = prepare(&place(data.path(), ca), &destination(ca), &|_| None).expect("prepared");
            variables.into_iter().find(|(name, _)| name == "NODE_EXTRA_CA_CERTS").expect("a file").1
        });
        // Read only after both are written, to check that the second doesn't overwrite the first.
        for (file, ca) in files.iter().zip(&cas) {
            assert_eq!(crate::server::ca::Roots::of_file(Path::new(file)).certificates(), std::slice::from_ref(ca));
        }
        assert_eq!(place(data.path(), &cas[0]), place(data.path(), &cas[0]));
        assert_ne!(place(data.path(), &cas[0]), place(data.path(), &cas[1]));
    }

    #[test]
    fn values_survive_quoting_in_each_shell() {
        let value = r"it's $HOME\n";
        assert_eq!(Shell::Sh.export("A", value), r"export A='it'\''s $HOME\n'");
        assert_eq!(Shell::Fish.export("A", value), r"set -gx A 'it\'s $HOME\\n'");
        assert_eq!(Shell::Powershell.export("A", value), r"$env:A = 'it''s $HOME\n'");
        assert_eq!(Shell::Plain.export("A", value), r"A=it's $HOME\n");
    }
}
