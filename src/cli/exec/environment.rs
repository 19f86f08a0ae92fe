//! The environment that lets an unchanged program reach the emulator: the proxy, the certificates to trust and the
//! account. This module also writes the files that the variables name.

use std::path::Path;

use rustls_pki_types::CertificateDer;

use crate::cli::trust_files::{TrustFiles, write};
use crate::model::account::Dialect;
use crate::server::ca::Roots;
use crate::server::policy;

/// The truststore's password. Java requires one, although the file contains no secrets.
const TRUSTSTORE_PASSWORD: &str = "changeit";
/// The host name of a SignalWire space. Any space would do, because the emulator answers for every subdomain of
/// SignalWire's domain.
const SPACE: &str = "example.signalwire.com";
/// The names and addresses of this machine, which are reached without the proxy.
const DIRECT: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// A function that looks up a variable in the environment that the program would otherwise inherit.
pub(crate) type Inherited<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The emulator and account that a program is directed to.
pub(crate) struct Destination<'a> {
    /// The URL of the emulator, which is also the proxy, such as `http://127.0.0.1:8329`.
    pub(crate) url: &'a str,
    /// The local CA's certificate, which the program must trust.
    pub(crate) ca: &'a CertificateDer<'static>,
    /// The account whose credential the program gets.
    pub(crate) account: AccountSecrets<'a>,
    /// The control API's token, if one is required.
    pub(crate) control_token: Option<&'a str>,
}

/// The account that the program uses, with its secrets.
#[derive(Clone, Copy)]
pub(crate) struct AccountSecrets<'a> {
    /// The account's SID, or SignalWire's project id.
    pub(crate) sid: &'a str,
    /// The account's token, if it has one.
    pub(crate) token: Option<&'a str>,
    /// The key that signs the account's webhooks, if known.
    pub(crate) signing_key: Option<&'a str>,
}

/// Writes the certificates and startup code to a folder, and returns all variables that the program needs.
pub(crate) fn prepare(
    folder: &Path,
    destination: &Destination<'_>,
    inherited: Inherited<'_>,
) -> anyhow::Result<Vec<(String, String)>> {
    let of = |names: &[&str]| names.iter().filter_map(|name| inherited(name)).find(|value| !value.is_empty());
    // The program must still trust the certificates that it was configured to trust before.
    let own_file = |names: &[&str]| of(names).map(|path| Roots::of_file(Path::new(&path))).unwrap_or_default();
    let own = own_file(&["REQUESTS_CA_BUNDLE"]).and(own_file(&["CURL_CA_BUNDLE"])).and(own_file(&["SSL_CERT_FILE"]));
    let extra = own_file(&["NODE_EXTRA_CA_CERTS"]).with(destination.ca);
    let bundle = Roots::of_system().and(own).with(destination.ca);

    let ca = write(folder, "ca.pem", extra.pem().as_bytes())?;
    let TrustFiles { bundle, truststore: store, php, python: hook, node } = TrustFiles::write(folder, &bundle)?;

    let mut variables = Variables::default();
    // Set in both upper and lower case: curl ignores HTTP_PROXY, for example, and other clients ignore http_proxy.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        variables.set(name, destination.url);
    }
    let direct = no_proxy(of(&["NO_PROXY", "no_proxy"]).as_deref());
    variables.set("NO_PROXY", &direct);
    variables.set("no_proxy", &direct);
    let node = format!("--require {}", quoted_for_node(&node));
    variables.set("NODE_OPTIONS", &of(&["NODE_OPTIONS"]).map(|own| format!("{own} {node}")).unwrap_or(node));
    variables.set_path("NODE_EXTRA_CA_CERTS", &ca);
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "FAX_CA_BUNDLE"] {
        variables.set_path(name, &bundle);
    }
    let folder_of = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    variables.set("PYTHONPATH", &joined(&folder_of(&hook), of(&["PYTHONPATH"]).as_deref()));
    // An empty element means PHP's own configuration folder.
    let php = joined(Path::new(""), Some(&folder_of(&php).display().to_string()));
    variables.set("PHP_INI_SCAN_DIR", &of(&["PHP_INI_SCAN_DIR"]).map(|own| own + &php).unwrap_or(php));
    let java = java_options(destination.url, &store);
    variables.set("JAVA_TOOL_OPTIONS", &of(&["JAVA_TOOL_OPTIONS"]).map(|own| format!("{own} {java}")).unwrap_or(java));
    variables.set_account(destination.account);
    variables.set("FAUXFAX_URL", destination.url);
    if let Some(token) = destination.control_token {
        variables.set("FAUXFAX_CONTROL_TOKEN", token);
    }
    Ok(variables.0)
}

/// Returns the hosts to be reached directly: this machine and the entries of the user's own list, except entries that
/// would let calls bypass the emulator.
fn no_proxy(own: Option<&str>) -> String {
    let own = own.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let leads_past = |entry: &&str| {
        let name = entry.trim_start_matches(['*', '.']);
        name.is_empty() || policy::SERVICE_DOMAINS.iter().any(|domain| name.ends_with(domain) || domain.ends_with(name))
    };
    let (past, own): (Vec<&str>, Vec<&str>) = own.partition(leads_past);
    if !past.is_empty() {
        tracing::warn!(
            entries = past.join(","),
            "left entries out of NO_PROXY, because they would let calls reach Twilio or SignalWire itself"
        );
    }
    let own = own.into_iter().filter(|entry| !DIRECT.contains(entry));
    DIRECT.into_iter().chain(own).collect::<Vec<_>>().join(",")
}

/// Puts a folder in front of a list of folders, with the system's separator for such lists.
fn joined(folder: &Path, rest: Option<&str>) -> String {
    let separator = if cfg!(windows) { ';' } else { ':' };
    rest.map_or_else(|| folder.display().to_string(), |rest| format!("{}{separator}{rest}", folder.display()))
}

fn java_options(url: &str, store: &Path) -> String {
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let store = quoted(store);
    [
        format!("-Dhttp.proxyHost={host} -Dhttp.proxyPort={port} -Dhttps.proxyHost={host} -Dhttps.proxyPort={port}"),
        "-Dhttp.nonProxyHosts=localhost|127.*|[::1]".to_owned(),
        format!("-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStoreType=PKCS12"),
        format!("-Djavax.net.ssl.trustStorePassword={TRUSTSTORE_PASSWORD}"),
    ]
    .join(" ")
}

/// Returns a path for use in a list of options, which Java splits at unquoted spaces.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(' ') { format!("\"{path}\"") } else { path }
}

/// Returns a path for use in `NODE_OPTIONS`. Unlike Java, Node removes backslashes within quotes, which would break the
/// paths of Windows.
fn quoted_for_node(path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(' ') { format!("\"{}\"", path.replace('\\', r"\\")) } else { path }
}

#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Sets the variables that the helper libraries of the account's dialect read.
    fn set_account(&mut self, account: AccountSecrets<'_>) {
        let is_signalwire = account.sid.parse().map(Dialect::of) == Ok(Dialect::SignalWire);
        let signing_key = account.signing_key.or(account.token);
        // SignalWire's older libraries are derived from Twilio's and read Twilio's variables too.
        let mut names = vec![("TWILIO_ACCOUNT_SID", Some(account.sid)), ("TWILIO_AUTH_TOKEN", account.token)];
        if is_signalwire {
            names.extend([
                ("SIGNALWIRE_SPACE_URL", Some(SPACE)),
                ("SIGNALWIRE_API_HOSTNAME", Some(SPACE)),
                ("SIGNALWIRE_PROJECT_ID", Some(account.sid)),
                ("SIGNALWIRE_API_TOKEN", account.token),
                ("SIGNALWIRE_SIGNING_KEY", signing_key),
            ]);
        }
        for (name, value) in names {
            if let Some(value) = value {
                self.set(name, value);
            }
        }
    }

    fn set_path(&mut self, name: &str, path: &Path) {
        self.set(name, &path.display().to_string());
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject;

    use std::fs;

    use super::*;

    const CA: &[u8] = include_bytes!("../../../fixtures/config/ca.pem");
    /// The variables that clients need; each was found by trying a client without it.
    const NEEDED: [&str; 19] = [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "NO_PROXY",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "NODE_OPTIONS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "FAX_CA_BUNDLE",
        "PYTHONPATH",
        "JAVA_TOOL_OPTIONS",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "FAUXFAX_URL",
        "FAUXFAX_CONTROL_TOKEN",
        "PHP_INI_SCAN_DIR",
    ];

    fn prepared(folder: &Path, own: &[(&str, &str)]) -> Vec<(String, String)> {
        let ca = CertificateDer::from_pem_slice(CA).expect("a certificate");
        let destination = Destination {
            url: "http://127.0.0.1:8329",
            ca: &ca,
            account: AccountSecrets { sid: "AC1", token: Some("secret"), signing_key: None },
            control_token: Some("s3cret"),
        };
        let inherited = |name: &str| own.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        prepare(folder, &destination, &inherited).expect("prepared")
    }

    fn value<'a>(variables: &'a [(String, String)], name: &str) -> &'a str {
        variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str()).expect(name)
    }

    #[test]
    fn every_client_gets_the_variables_it_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        let variables = prepared(folder.path(), &[]);
        for name in NEEDED {
            assert!(!value(&variables, name).is_empty(), "{name}");
        }
        assert_eq!(value(&variables, "HTTP_PROXY"), "http://127.0.0.1:8329");
        assert_eq!(value(&variables, "NO_PROXY"), "127.0.0.1,localhost,::1");
        let certificates = |name: &str| Roots::of_file(Path::new(value(&variables, name))).certificates().len();
        assert_eq!(certificates("NODE_EXTRA_CA_CERTS"), 1);
        assert!(certificates("SSL_CERT_FILE") > 50, "public roots too");
        let java = value(&variables, "JAVA_TOOL_OPTIONS");
        assert!(java.contains("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8329"), "{java}");
    }

    #[test]
    fn a_signalwire_account_sets_the_variables_of_both_services() {
        let of = |sid: &str| {
            let mut variables = Variables::default();
            variables.set_account(AccountSecrets { sid, token: Some("PT1"), signing_key: None });
            variables.0
        };
        let variables = of("831455c6-574e-4d8b-b6ee-2418140bf4cd");
        for (name, expected) in [
            ("SIGNALWIRE_SPACE_URL", SPACE),
            ("SIGNALWIRE_API_HOSTNAME", SPACE),
            ("SIGNALWIRE_PROJECT_ID", "831455c6-574e-4d8b-b6ee-2418140bf4cd"),
            ("SIGNALWIRE_API_TOKEN", "PT1"),
            ("SIGNALWIRE_SIGNING_KEY", "PT1"),
            ("TWILIO_ACCOUNT_SID", "831455c6-574e-4d8b-b6ee-2418140bf4cd"),
        ] {
            assert_eq!(value(&variables, name), expected, "{name}");
        }
        assert!(of(&format!("AC{}", "0".repeat(32))).iter().all(|(name, _)| name.starts_with("TWILIO_")));
    }

    #[test]
    fn variables_that_the_user_has_set_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("own.pem");
        fs::write(&own, CA).expect("written");
        let own = own.display().to_string();
        let variables = prepared(
            folder.path(),
            &[
                ("PYTHONPATH", "/mine:/yours"),
                ("JAVA_TOOL_OPTIONS", "-Xmx1g"),
                ("no_proxy", "db.internal, localhost,.example.com"),
                ("SSL_CERT_FILE", &own),
            ],
        );
        assert!(value(&variables, "PYTHONPATH").ends_with("/python:/mine:/yours"));
        assert!(value(&variables, "JAVA_TOOL_OPTIONS").starts_with("-Xmx1g -Dhttp.proxyHost="));
        assert_eq!(value(&variables, "NO_PROXY"), "127.0.0.1,localhost,::1,db.internal,.example.com");
    }

    #[test]
    fn node_reads_a_windows_path_with_a_space_as_it_is() {
        assert_eq!(quoted_for_node(Path::new(r"C:\Users\Ann Lee\n.cjs")), r#""C:\\Users\\Ann Lee\\n.cjs""#);
        assert_eq!(quoted_for_node(Path::new(r"C:\Users\ann\n.cjs")), r"C:\Users\ann\n.cjs");
    }

    #[test]
    fn entries_of_no_proxy_cannot_bypass_the_emulator() {
        for past in [
            "*",
            "twilio.com",
            ".twilio.com",
            "*.twilio.com",
            "fax.twilio.com",
            "com",
            "signalwire.com",
            "example.signalwire.com",
        ] {
            assert_eq!(no_proxy(Some(past)), "127.0.0.1,localhost,::1", "{past}");
        }
        assert_eq!(no_proxy(Some("10.0.0.0/8,mytwilio.org")), "127.0.0.1,localhost,::1,10.0.0.0/8,mytwilio.org");
    }
}
