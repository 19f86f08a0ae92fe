//! The help of `fauxfax` itself: the subcommands in groups, and the flags of `serve` only in the long form. clap can't
//! group subcommands, so they are hidden from its own list and are part of the template.

use std::fmt::Write;

use clap::{Command, CommandFactory};

use super::Cli;

pub(super) const EXAMPLES: &str = "\
Examples:
  fauxfax demo                                       receive a fax and send one
  fauxfax serve --fax-url http://localhost:3000/fax  for your own app
  fauxfax receive letter.pdf --wait                  call your app's number
  fauxfax send --from +15005550006 --to +15558675310 letter.pdf --wait";

/// The groups of subcommands, in the order in which people come to need them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Run", &["serve", "demo", "exec", "check", "run", "init", "mcp", "env", "healthcheck"]),
    ("Fax", &["receive", "send", "faxes", "convert"]),
    ("Look", &["events", "tail", "webhooks", "alerts", "open"]),
    ("Control", &["wait", "clock", "rules", "numbers", "accounts", "snapshots", "reset", "state"]),
    ("Tools", &["explain-signature", "sign", "ca", "config-schema", "completions", "man"]),
];
/// The width of the column of names: the longest name, and the spaces around it.
const NAME_CHARS: usize = 21;

/// Returns the command line with grouped help, for parsing. Completions and manual pages are made from [`Cli`] itself.
pub(super) fn command() -> Command {
    let command = Cli::command();
    let text = grouped(&command);
    let hidden = command.mut_subcommands(|each| each.hide(true));
    // The flags of a bare `fauxfax` are those of `serve`, too many for the short form.
    hidden
        .mut_args(|flag| if is_own(&flag) { flag } else { flag.hide_short_help(true) })
        .override_usage("fauxfax [COMMAND] [FLAGS]")
        .help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}\n{{all-args}}{{after-help}}"
        ))
}

fn is_own(flag: &clap::Arg) -> bool {
    ["help", "version"].contains(&flag.get_id().as_str())
}

/// Formats the groups, each with its subcommands and what they do.
fn grouped(command: &Command) -> String {
    let (header, literal) = (*command.get_styles().get_header(), *command.get_styles().get_literal());
    let mut text = String::new();
    for (group, names) in GROUPS {
        // Writing to a string never fails.
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            let gap = NAME_CHARS - 2 - name.len();
            let _ = writeln!(text, "  {literal}{name}{literal:#}{:gap$}{}", "", about.unwrap_or_default());
        }
        text.push('\n');
    }
    let _ = writeln!(text, "fauxfax COMMAND -h shows the flags of a command; fauxfax --help, those of serve.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_subcommand_is_in_exactly_one_group() {
        let command = Cli::command();
        let visible = command.get_subcommands().filter(|each| !each.is_hide_set()).map(Command::get_name);
        let mut visible: Vec<&str> = visible.collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        visible.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, visible);
    }

    #[test]
    fn the_short_help_fits_a_terminal_and_leaves_out_the_flags_of_serve() {
        let short = command().render_help().to_string();
        assert!(!short.contains("--listen") && short.contains("Usage: fauxfax [COMMAND]"), "{short}");
        // The description is wrapped by clap.
        for line in short.lines().skip_while(|line| !line.starts_with("Usage")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let long = command().render_long_help().to_string();
        assert!(long.contains("--listen") && long.contains("explain-signature"), "{long}");
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        command().debug_assert();
        Cli::command().debug_assert();
    }
}
