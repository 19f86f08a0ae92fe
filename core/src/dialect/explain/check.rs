//! One-liners that compute a signature in a tester's shell or in an app's own code. They read the key from the
//! environment, so they can be shared safely.

use serde_json::Value;

use super::KeyKind;
use crate::dialect::address::normal_or_as_is;

/// The same computation in three languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A shell command that needs only Python's standard library.
    pub python: String,
    /// A shell command that needs only node's standard library.
    pub node: String,
    /// A Rust expression that needs the crates hmac 0.12, sha1 0.10 and base64 0.22.
    pub rust: String,
}

/// Returns one-liners that compute the valid signature. The shell commands print it.
#[must_use]
pub fn check(url: &str, params: &[(String, String)], key_kind: KeyKind) -> Check {
    let variable = key_kind.variable();
    let url = &*normal_or_as_is(url);
    // JSON strings are valid literals in Python and JavaScript too.
    let url_text = Value::from(url).to_string();
    let object: serde_json::Map<String, Value> =
        params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let object = Value::from(object).to_string();
    let python = format!(
        "import base64,hashlib,hmac,os; p={object}; s={url_text}+\"\".join(k+p[k] for k in sorted(p)); \
         print(base64.b64encode(hmac.new(os.environ[\"{variable}\"].encode(),s.encode(),hashlib.sha1).digest()).decode())"
    );
    let node = format!(
        "const p={object}; const s={url_text}+Object.keys(p).sort().map(k=>k+p[k]).join(\"\"); \
         console.log(require(\"crypto\").createHmac(\"sha1\",process.env.{variable}).update(s,\"utf8\").digest(\"base64\"))"
    );
    // The other two sort at run time; the Rust expression contains the sorted text.
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    let signed: String =
        std::iter::once(url).chain(sorted.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()])).collect();
    let rust = format!(
        "base64::Engine::encode(&base64::prelude::BASE64_STANDARD, {{ use hmac::Mac; \
         hmac::Hmac::<sha1::Sha1>::new_from_slice(std::env::var(\"{variable}\").unwrap().as_bytes()).unwrap()\
         .chain_update({signed:?}).finalize().into_bytes() }})"
    );
    Check { python: format!("python3 -c {}", quoted(&python)), node: format!("node -e {}", quoted(&node)), rust }
}

/// Quotes a string for any POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
