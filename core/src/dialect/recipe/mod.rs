//! How an app in each language reaches an emulator and sends a fax through it: code to paste, with the emulator's
//! address and the account's id and number filled in. The code reads the account's token from the environment.

mod signalwire;
mod twilio;

use crate::model::account::Dialect;

/// The number that the recipes send to: a machine that receives every fax.
pub const FAR_NUMBER: &str = "+15558675310";

/// The values that the recipes fill in.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The emulator's origin, such as `http://127.0.0.1:8329`, without a slash at the end.
    pub origin: &'a str,
    /// The account's SID, or the id of the project.
    pub account: &'a str,
    /// A number of the account, in E.164 form.
    pub number: &'a str,
    /// The URL of a document to send.
    pub document: &'a str,
}

/// The way in which one language or tool reaches the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The word by which the recipe is asked for, such as `csharp`.
    pub language: &'static str,
    /// The name of the language or tool, such as `C#`.
    pub name: &'static str,
    /// The code, which ends with a line break.
    pub code: String,
    /// What to know about it, such as the library's newest version that can send faxes.
    pub remark: &'static str,
}

/// The address of an emulator in its parts, for libraries that take them separately.
struct Address<'a> {
    host: &'a str,
    port: &'a str,
}

/// Returns the recipes for accounts of this dialect.
#[must_use]
pub fn recipes(dialect: Dialect, place: &Place<'_>) -> Vec<Recipe> {
    match dialect {
        Dialect::Twilio => twilio::recipes(place),
        Dialect::SignalWire => signalwire::recipes(place),
    }
}

/// Returns the environment variables that the recipes, the services' libraries and fauxfax's own programs read, each
/// with its value if that is known.
#[must_use]
pub fn environment<'a>(
    dialect: Dialect,
    place: &Place<'a>,
    (token, signing_key): (Option<&'a str>, Option<&'a str>),
) -> Vec<(&'static str, Option<&'a str>)> {
    let of_service = match dialect {
        Dialect::Twilio => vec![("TWILIO_ACCOUNT_SID", Some(place.account)), ("TWILIO_AUTH_TOKEN", token)],
        Dialect::SignalWire => vec![
            ("SIGNALWIRE_SPACE_URL", Some(signalwire::SPACE)),
            ("SIGNALWIRE_PROJECT_ID", Some(place.account)),
            ("SIGNALWIRE_API_TOKEN", token),
            ("SIGNALWIRE_SIGNING_KEY", signing_key),
        ],
    };
    of_service.into_iter().chain([("FAUXFAX_URL", Some(place.origin))]).collect()
}

/// Returns the environment variable with the account's token.
#[must_use]
pub const fn token_variable(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Twilio => "TWILIO_AUTH_TOKEN",
        Dialect::SignalWire => "SIGNALWIRE_API_TOKEN",
    }
}

impl<'a> Place<'a> {
    fn address(&self) -> Address<'a> {
        let (scheme, rest) = self.origin.split_once("://").unwrap_or(("http", self.origin));
        let authority = rest.split('/').next().unwrap_or(rest);
        let usual = if scheme == "https" { "443" } else { "80" };
        // The colons within an IPv6 address are in brackets.
        match authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())) {
            Some((host, port)) => Address { host, port },
            None => Address { host: authority, port: usual },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(origin: &str) -> Place<'_> {
        Place { origin, account: "AC1", number: "+15005550006", document: "http://h/one.pdf" }
    }

    #[test]
    fn each_recipe_names_the_emulator_the_account_and_the_number() {
        for dialect in [Dialect::Twilio, Dialect::SignalWire] {
            let recipes = recipes(dialect, &place("http://127.0.0.1:9999"));
            let mut languages: Vec<&str> = recipes.iter().map(|recipe| recipe.language).collect();
            for Recipe { language, name, code, remark } in &recipes {
                assert!(code.ends_with('\n') && remark.ends_with('.'), "{name}");
                let says = |text: &str| code.contains(text);
                // twilio-cli has no option for the host.
                assert!(*language == "twilio-cli" || says("9999"), "{name}: {code}");
                assert!(*language == "twilio-cli" || says("AC1"), "{name}: {code}");
                assert!(says("+15005550006") && says(FAR_NUMBER) && says("one.pdf"), "{name}: {code}");
                assert!(*language == "twilio-cli" || says(token_variable(dialect)), "{name}: {code}");
            }
            languages.sort_unstable();
            languages.dedup();
            assert_eq!(languages.len(), recipes.len(), "a language occurs once");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for (origin, host, port) in [
            ("http://127.0.0.1:8329", "127.0.0.1", "8329"),
            ("http://[::1]:8329", "[::1]", "8329"),
            ("http://[::1]", "[::1]", "80"),
            ("https://fax.test", "fax.test", "443"),
            ("https://fax.test/base", "fax.test", "443"),
        ] {
            let place = place(origin);
            let address = place.address();
            assert_eq!((address.host, address.port), (host, port), "{origin}");
        }
    }
}
