//! The flags that say which emulator a subcommand calls, and for which account.

use clap::Args;
use url::Url;

use crate::config;

/// The port on which an emulator listens by default.
const PORT: u16 = 8329;

/// The emulator to call, and the account.
// clap doesn't read the variables: its usage lines would show the flags as required when their variables are set.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Target {
    /// URL, HOST:PORT or port of the running emulator [default: http://127.0.0.1:8329] [env: FAUXFAX_URL]
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url, value_parser = emulator_url, help_heading = "Emulator")]
    url: Option<Url>,
    /// AccountSid or SignalWire project id of the account to use; the emulator's default account if left out [env:
    /// FAUXFAX_ACCOUNT]
    #[arg(long, value_name = "AC…|UUID", help_heading = "Emulator")]
    account: Option<String>,
    /// Token of the control API, if the emulator was started with --control-token [env: FAUXFAX_CONTROL_TOKEN]
    #[arg(long, value_name = "TOKEN", help_heading = "Emulator")]
    control_token: Option<String>,
}

/// An emulator, and one of its accounts.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The emulator's URL, without a path.
    pub(super) url: Url,
    /// The account; the emulator's default account if left out.
    pub(super) account: Option<String>,
    pub(super) control_token: Option<String>,
    /// The flags with which another command reaches the same account, with a leading space; empty if none are needed.
    pub(super) flags: String,
}

impl Target {
    /// Returns whether the user has named an emulator, with the flag or its variable.
    pub(super) fn is_given(&self) -> bool {
        self.url.is_some() || config::variable("FAUXFAX_URL").is_some_and(|url| !url.trim().is_empty())
    }

    /// Returns the names of the flags that the user has given, without those that only their variables set.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            (self.url.is_some(), "--url"),
            (self.account.is_some(), "--account"),
            (self.control_token.is_some(), "--control-token"),
        ];
        given.into_iter().filter_map(|(is_given, name)| is_given.then_some(name))
    }

    /// Fills in the flags that were left out with the values of their environment variables. An empty variable counts
    /// as not set.
    pub(super) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let given = |flag: &Option<String>, name: &str| {
            flag.clone().or_else(|| config::variable(name)).filter(|value| !value.trim().is_empty())
        };
        let from_variable = || {
            let text = config::variable("FAUXFAX_URL").filter(|text| !text.trim().is_empty());
            let url = text.map(|text| emulator_url(&text).map_err(|why| anyhow::anyhow!("FAUXFAX_URL: {why}")));
            url.transpose()
        };
        let url = match &self.url {
            Some(url) => url.clone(),
            None => from_variable()?.map_or_else(|| local(PORT), Ok).map_err(anyhow::Error::msg)?,
        };
        let mut flags = String::new();
        if let Some(url) = &self.url {
            flags = format!(" --url {}", url.as_str().trim_end_matches('/'));
        }
        if let Some(account) = self.account.as_ref().filter(|account| !account.is_empty()) {
            flags = format!("{flags} --account {account}");
        }
        let control_token = given(&self.control_token, "FAUXFAX_CONTROL_TOKEN");
        Ok(Endpoint { url, account: given(&self.account, "FAUXFAX_ACCOUNT"), control_token, flags })
    }
}

/// Returns whether this is the URL of an emulator that was started without options.
pub(super) fn is_default(url: &str) -> bool {
    local(PORT).is_ok_and(|default| default.as_str().trim_end_matches('/') == url)
}

impl Endpoint {
    /// Returns the endpoint for the default account of the emulator at this URL.
    pub(super) const fn of(url: Url, control_token: Option<String>) -> Self {
        Self { url, account: None, control_token, flags: String::new() }
    }
}

/// Parses an emulator's URL, or `HOST:PORT`, `HOST`, `:PORT` or `PORT`. An empty text means the default. A path, such
/// as that of a console page, is dropped.
fn emulator_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let digits = text.strip_prefix(':').unwrap_or(text);
    if text.is_empty() {
        return local(PORT);
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let port = digits.parse().ok().filter(|port| *port > 0);
        return local(port.ok_or("a port is a number from 1 to 65535")?);
    }
    let has_scheme = text.contains("://");
    let whole = if has_scheme { text.to_owned() } else { format!("http://{text}") };
    let example = "write it like http://127.0.0.1:8329, 127.0.0.1:8329 or 8329";
    let mut url = Url::parse(&whole).map_err(|why| format!("{text:?} is not a URL ({why}); {example}"))?;
    match url.scheme() {
        "http" if url.has_host() => {}
        "https" => {
            return Err(
                "https is not needed, because the emulator accepts plain HTTP on the same port; begin the URL \
                        with http://"
                    .to_owned(),
            );
        }
        _ => return Err(format!("{text:?} is not the URL of an emulator; {example}")),
    }
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    // A host name alone means the emulator's default port on that host, not port 80.
    if !has_scheme && url.port().is_none() {
        url.set_port(Some(PORT)).map_err(|()| format!("{text:?} can't have a port; {example}"))?;
    }
    Ok(url)
}

fn local(port: u16) -> Result<Url, String> {
    Url::parse(&format!("http://127.0.0.1:{port}")).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_is_named_by_url_host_or_port() {
        for (text, expected) in [
            ("", "http://127.0.0.1:8329/"),
            ("8329", "http://127.0.0.1:8329/"),
            (":9000", "http://127.0.0.1:9000/"),
            ("127.0.0.1:8329", "http://127.0.0.1:8329/"),
            ("localhost:8329", "http://localhost:8329/"),
            ("localhost", "http://localhost:8329/"),
            ("[::1]:8329", "http://[::1]:8329/"),
            ("http://fax.test", "http://fax.test/"),
            ("http://localhost:8329/console/faxes?status=busy#top", "http://localhost:8329/"),
        ] {
            assert_eq!(emulator_url(text).map(String::from), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example_or_a_reason() {
        for (text, told) in [
            ("https://localhost:8329", "https is not needed"),
            ("ftp://localhost", "is not the URL of an emulator"),
            ("0", "from 1 to 65535"),
            (":70000", "from 1 to 65535"),
            ("http://", "8329"),
            ("a b", "is not a URL"),
        ] {
            let why = emulator_url(text).expect_err(text);
            assert!(why.contains(told), "{text}: {why}");
        }
    }
}
