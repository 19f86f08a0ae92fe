//! `fauxfax open`: opens the console in the browser, and prints its address.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use super::client::{Client, EXIT_CODES, Target, block_on};
use super::out::{note, stdout};
use super::sids::whole_sid;

/// The programs that open a URL in the user's browser, with the arguments before the URL. The first that starts is
/// used.
#[cfg(target_os = "macos")]
const OPENERS: &[(&str, &[&str])] = &[("open", &[])];
/// The programs that open a URL in the user's browser, with the arguments before the URL. The first that starts is
/// used.
#[cfg(windows)]
const OPENERS: &[(&str, &[&str])] = &[("rundll32", &["url.dll,FileProtocolHandler"])];
/// The programs that open a URL in the user's browser, with the arguments before the URL. The first that starts is
/// used.
#[cfg(not(any(target_os = "macos", windows)))]
const OPENERS: &[(&str, &[&str])] = &[("xdg-open", &[]), ("wslview", &[])];

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct OpenFlags {
    #[command(flatten)]
    target: Target,
    /// Fax or call whose page to open, or the first characters of its SID; the list of faxes if left out
    #[arg(value_name = "FX…")]
    fax: Option<String>,
    /// Only print the address
    #[arg(long)]
    print: bool,
}

pub(super) fn run(flags: &OpenFlags) -> anyhow::Result<ExitCode> {
    block_on(async {
        let client = Client::new(&flags.target)?;
        let page = match &flags.fax {
            Some(fax) => format!("/faxes/{}", whole_sid(&client, fax).await?),
            None => {
                client.is_ready().await?;
                String::new()
            }
        };
        let address = client.console(&page);
        writeln!(stdout(), "{address}")?;
        if !flags.print && !opened(&address) {
            note("no browser could be started; open the address yourself");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Starts the browser without waiting for it, since some openers run for as long as it does.
fn opened(address: &str) -> bool {
    OPENERS.iter().any(|(program, arguments)| {
        let mut command = Command::new(program);
        command.args(*arguments).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    })
}
