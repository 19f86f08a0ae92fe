//! `fauxfax env`: the environment in which unchanged programs reach a running emulator, for a shell to take over. It
//! starts nothing.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::api::{Api, Target, block_on};
use super::exec::environment::{Way, prepare};
use crate::config;

/// The flags of `env`.
#[derive(Debug, Args)]
pub(super) struct EnvFlags {
    #[command(flatten)]
    target: Target,
    /// For whom it is written
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    /// bash, zsh and the like: eval "$(fauxfax env)"
    Sh,
    /// fauxfax env --shell fish | source
    Fish,
    /// fauxfax env --shell powershell | Invoke-Expression
    Powershell,
    /// NAME=value lines, as $GITHUB_ENV and docker's --env-file take them
    Plain,
}

pub(super) fn run(flags: &EnvFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let api = Api::new(&flags.target)?;
        let credential = api.credential().await?;
        let ca = CertificateDer::from_pem_slice(api.text("/ca.pem").await?.as_bytes())?;
        let folder = config::data_dir().context("there is no home directory to keep certificates in; set HOME")?;
        let account = (credential.sid.as_str(), Some(credential.token.as_str()));
        let variables = prepare(&folder.join("env"), &Way { url: api.base(), ca: &ca, account }, &config::variable)?;
        let mut out = stdout().lock();
        for (name, value) in variables {
            writeln!(out, "{}", flags.shell.export(&name, &value))?;
        }
        Ok(ExitCode::SUCCESS)
    })
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

    #[test]
    fn a_value_arrives_in_each_shell_as_it_is() {
        let value = r"it's $HOME\n";
        assert_eq!(Shell::Sh.export("A", value), r"export A='it'\''s $HOME\n'");
        assert_eq!(Shell::Fish.export("A", value), r"set -gx A 'it\'s $HOME\\n'");
        assert_eq!(Shell::Powershell.export("A", value), r"$env:A = 'it''s $HOME\n'");
        assert_eq!(Shell::Plain.export("A", value), r"A=it's $HOME\n");
    }
}
