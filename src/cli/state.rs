//! `fauxfax state`: prints an account's world as JSON, or loads one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client::{Body, Client, EXIT_CODES, Target, block_on};
use super::table;

/// The field that every exported world has. The emulator checks all others.
#[derive(Deserialize)]
struct Head {
    fauxfax_state: IgnoredAny,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct StateFlags {
    #[command(flatten)]
    target: Target,
    /// Load the world from this file instead of printing it; - is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    load: Option<PathBuf>,
}

pub(super) fn run(flags: &StateFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let answer = match &flags.load {
            None => client.control("GET", "/state", &[], None).await?,
            Some(path) => {
                let (name, text) = read(path)?;
                let loaded = client.control("PUT", "/state", &[], Some(Body::json(checked(&name, text)?))).await;
                // The emulator doesn't know the file's name.
                loaded.with_context(|| name)?
            }
        };
        if !answer.is_null() {
            table::json(&answer)?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn read(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    if path.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), std::io::read_to_string(std::io::stdin())?.into_bytes()));
    }
    let name = path.display().to_string();
    if path.is_dir() {
        bail!("{name} is a folder; give a file that fauxfax state has written");
    }
    let bytes = std::fs::read(path).with_context(|| format!("can't read {name}"))?;
    Ok((name, bytes))
}

/// Refuses a file that is obviously not a state, since the emulator's error would only say where it stopped reading.
fn checked(name: &str, text: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    match serde_json::from_slice::<Head>(&text) {
        Ok(Head { fauxfax_state: IgnoredAny }) => Ok(text),
        Err(why) => bail!("{name} is not a fauxfax state ({why}); fauxfax state > FILE writes one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_a_state_is_named() {
        for text in ["notes", "", "[]", "{\"a\":1}"] {
            let why = checked("notes.txt", text.into()).expect_err(text).to_string();
            assert!(why.starts_with("notes.txt is not a fauxfax state"), "{why}");
        }
        assert!(checked("world.json", b"{\"fauxfax_state\":1}".to_vec()).is_ok());
    }
}
