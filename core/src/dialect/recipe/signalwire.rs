//! The recipes for SignalWire's API.

use super::{FAR_NUMBER, Place, Recipe};

/// The name of a space, which the libraries require but the emulator doesn't compare.
pub(super) const SPACE: &str = "example.signalwire.com";

/// Returns the recipes for SignalWire's libraries for Node and Python, and for plain HTTP.
pub(super) fn recipes(place: &Place<'_>) -> Vec<Recipe> {
    vec![node(place), python(place), curl(place)]
}

fn node(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"const {{ RestClient }} = require("@signalwire/compatibility-api");

const client = RestClient("{account}", process.env.SIGNALWIRE_API_TOKEN, {{ signalwireSpaceUrl: "{SPACE}" }});
client.fax.baseUrl = client.api.baseUrl = "{origin}";

client.fax.faxes
  .create({{
    from: "{number}", to: "{FAR_NUMBER}",
    mediaUrl: "{document}",
  }})
  .then((fax) => console.log(fax.sid, fax.status));
"#
    );
    let remark = "The library puts https:// before the space's name, so the two base URLs are set for plain HTTP.";
    Recipe { language: "node", name: "Node", code, remark }
}

fn python(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"import os

from signalwire.rest import Client

client = Client("{account}", os.environ["SIGNALWIRE_API_TOKEN"], signalwire_space_url="{SPACE}")
client.fax.base_url = client.api.base_url = "{origin}"

fax = client.fax.faxes.create(
    from_="{number}", to="{FAR_NUMBER}",
    media_url="{document}",
)
print(fax.sid, fax.status)
"#
    );
    let remark = "signalwire 2.1.1 from PyPI. Newer releases named signalwire-sdk have no compatibility API.";
    Recipe { language: "python", name: "Python", code, remark }
}

fn curl(Place { origin, account, number, document }: &Place<'_>) -> Recipe {
    let code = format!(
        r#"curl {origin}/api/laml/2010-04-01/Accounts/{account}/Faxes -u "{account}:$SIGNALWIRE_API_TOKEN" \
  --data-urlencode From={number} \
  --data-urlencode To={FAR_NUMBER} \
  --data-urlencode MediaUrl={document}
"#
    );
    let remark = "Any HTTP client works, with or without /api/laml and .json.";
    Recipe { language: "curl", name: "curl", code, remark }
}
