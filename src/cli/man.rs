//! `fauxfax man`: prints the manual page, or writes one page per subcommand, all from the subcommands' own help.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Command, CommandFactory, ValueHint};
use clap_mangen::Man;

use super::{Cli, files, out};

#[derive(Debug, Args)]
pub(super) struct ManFlags {
    /// Instead of printing fauxfax.1, write it to this folder, with a page per subcommand, such as fauxfax-receive.1
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(super) fn run(flags: &ManFlags) -> anyhow::Result<ExitCode> {
    let command = command();
    match &flags.dir {
        None => out::bytes().write_all(&page(&command)?)?,
        Some(folder) => pages(&command, folder)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the command line with the names of its subcommands' pages, such as `fauxfax-receive`.
fn command() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// Writes the page of a command, and those of its subcommands. The folder is created if it doesn't exist.
fn pages(command: &Command, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
    let visible = command.get_subcommands().filter(|each| !each.is_hide_set());
    for each in std::iter::once(command).chain(visible) {
        let name = each.get_display_name().unwrap_or_else(|| each.get_name());
        files::write(&folder.join(format!("{name}.1")), &page(each)?)?;
    }
    Ok(())
}

fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_subcommand_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let new = folder.path().join("man/man1");
        pages(&command(), &new).expect("written");
        let read = |name: &str| std::fs::read_to_string(new.join(name)).expect(name);
        assert!(read("fauxfax-receive.1").contains("fax machine"));
        assert!(read("fauxfax.1").contains(r"fauxfax\-webhooks"));
        let visible = Cli::command().get_subcommands().filter(|each| !each.is_hide_set()).count();
        assert_eq!(std::fs::read_dir(new).expect("a folder").count(), visible + 1);
    }
}
