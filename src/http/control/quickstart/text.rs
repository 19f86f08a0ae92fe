//! The quickstart as plain text, and its commands for a shell.

use std::fmt::Write;

use super::{CommandView, Quickstart};
use crate::dialect::recipe::token_variable;
use crate::model::account::Dialect;

/// The URL of the user's app in the commands.
const APP_URL: &str = "http://localhost:3000/fax";
/// The placeholder for a token that isn't known.
const ANY_TOKEN: &str = "any-token";

/// Writes environment variables as lines that a shell and most readers of `.env` files understand.
pub(super) fn env_file(variables: &[(&'static str, Option<&str>)]) -> String {
    let line = |(name, value): &(&str, Option<&str>)| match value {
        Some(value) => format!("{name}={}\n", quoted(value)),
        None => format!("# Any token: the first one that is used becomes this account's.\n{name}={ANY_TOKEN}\n"),
    };
    variables.iter().map(line).collect()
}

/// Quotes a value for a shell, unless it needs no quotation marks.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+@[]".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Returns the commands that point the number at the user's app, receive a fax, wait, and verify.
pub(super) fn commands(shown: &Quickstart, dialect: Dialect) -> Vec<CommandView> {
    let Quickstart { url, control_url, account_sid: sid, number, .. } = shown;
    let token = if shown.needs_control_token { r#" -H "Authorization: Bearer $FAUXFAX_CONTROL_TOKEN""# } else { "" };
    let control = |path: &str, rest: &str| format!("curl -sS '{control_url}{path}account={sid}{rest}'{token}");
    let mut commands = Vec::new();
    if let Some(number) = number {
        let root = match dialect {
            Dialect::Twilio => "/2010-04-01",
            Dialect::SignalWire => "/api/laml/2010-04-01",
        };
        let (own, variable) = (&number.sid, token_variable(dialect));
        let command = format!(
            "curl -sS {url}{root}/Accounts/{sid}/IncomingPhoneNumbers/{own}.json -u \"{sid}:${variable}\" \\\n  \
             -d VoiceReceiveMode=fax --data-urlencode VoiceUrl={APP_URL}"
        );
        commands.push(CommandView { what: "Send the number's calls to your app", command });
    }
    let receive = format!("{} -d '{{\"pages\":2}}'", control("/incoming-faxes?", "&wait=true"));
    let verify = format!(
        "{} \\\n  -d '{{\"match\":{{\"kind\":\"webhook.attempt\",\"data\":{{\"params\":{{\"FaxStatus\":\"received\"}}}}}},\"times\":1}}'",
        control("/verify?", "")
    );
    commands.extend([
        CommandView { what: "Receive a fax of two test pages, and wait for the whole conversation", command: receive },
        CommandView { what: "Wait until nothing is pending", command: control("/wait?for=idle&", "") },
        CommandView { what: "Verify that your app was notified once that a fax was received", command: verify },
        CommandView { what: "See what happened, each request with its response", command: control("/events?", "") },
        CommandView {
            what: "Begin again, without faxes and with the configured numbers",
            command: format!("{} -X POST", control("/reset?", "")),
        },
    ]);
    commands
}

/// Writes the whole quickstart.
pub(super) fn of(shown: &Quickstart) -> String {
    let mut text = String::new();
    let service = if shown.dialect == Dialect::Twilio.as_str() { "Twilio" } else { "SignalWire" };
    // Writing to a string never fails.
    let _ = write!(
        text,
        "fauxfax quickstart\n\n\
         This emulator takes the place of {service}'s Fax API at {url}. It makes no telephone calls and costs nothing.\n\
         Your app calls this URL instead of {service}'s, with the credential below; the emulator calls your app's webhooks,\n\
         with valid signatures, as {service} does.\n\n\
         ENVIRONMENT (.env)\n\n{env}\n",
        url = shown.url,
        env = indented(&shown.env),
    );
    if let Some(number) = &shown.number {
        let app = if number.app_url.is_empty() { "no app yet" } else { &number.app_url };
        let _ = write!(text, "The account's first number is {}; its calls go to {app}.\n\n", number.phone_number);
    } else {
        let _ = write!(
            text,
            "The account has no number yet; buy one through the REST API, as you would from {service}.\n\n"
        );
    }
    text.push_str("SEND A FAX\n\n");
    for recipe in &shown.recipes {
        let _ = write!(text, "{}: {}\n\n{}\n", recipe.name, recipe.remark, indented(&recipe.code));
    }
    let _ = write!(
        text,
        "An unchanged app needs no such code: `fauxfax exec -- your-command` sets all of this in its environment and redirects\n\
         {service}'s hosts to an emulator of its own.\n\nRECEIVE, WAIT, VERIFY\n\n"
    );
    for CommandView { what, command } in &shown.commands {
        let _ = write!(text, "{what}:\n\n{}\n", indented(&format!("{command}\n")));
    }
    let _ = write!(
        text,
        "The command line does the same: `fauxfax receive --wait`, `fauxfax send FILE --from … --to … --wait`, `fauxfax events`.\n\n\
         READ ON\n\n\
         \u{20}   {control}/openapi.json   every call of the control API\n\
         \u{20}   {console}   this page in the console, with every request as it happens\n\
         \u{20}   fauxfax --help   every command; `fauxfax check URL` checks an app, `fauxfax serve --pedantic` tests it harder\n",
        control = shown.control_url,
        console = shown.console_url,
    );
    text
}

fn indented(block: &str) -> String {
    block.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_value_as_it_is() {
        assert_eq!(quoted("AC0123"), "AC0123");
        assert_eq!(quoted("http://[::1]:8329"), "http://[::1]:8329");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn an_unclaimed_account_takes_any_token() {
        let env = env_file(&[("TWILIO_ACCOUNT_SID", Some("AC1")), ("TWILIO_AUTH_TOKEN", None)]);
        assert!(
            env.starts_with("TWILIO_ACCOUNT_SID=AC1\n# Any token") && env.ends_with("\nTWILIO_AUTH_TOKEN=any-token\n")
        );
    }
}
