//! Sends the app the same notification twice at the same moment, over two connections. The emulator, like the service,
//! sends the notifications of a fax one after the other, so this module makes and signs the notification itself.

use std::collections::BTreeMap;

use futures_util::future;
use serde_json::json;

use super::direct::Raw;
use super::exchange::Exchange;
use super::{Run, Stop};
use crate::dialect::form;

/// The headers of a request that depend on its connection.
const OF_CONNECTION: [&str; 4] = ["host", "content-length", "connection", "transfer-encoding"];
/// The end of the name of the header with the idempotency token.
const TOKEN_HEADER: &str = "idempotency-token";

impl Run {
    /// Notifies the app of a received fax twice at the same moment, with one idempotency token. The notification has
    /// the form of `good`, which was about another fax. Returns both exchanges.
    ///
    /// # Errors
    /// Fails if the emulator does not respond, or at the limit of requests.
    pub async fn notify_twice(&self, good: &Exchange, fax: &str) -> Result<[Exchange; 2], Stop> {
        let shown = self.place.api.get(&format!("/faxes/{fax}"), &[]).await?;
        let caller_of_good = good.params.iter().find(|(name, _)| name == "From").map(|(_, value)| value);
        let param = |(name, value): &(String, String)| {
            let own = match name.as_str() {
                "FaxSid" => Some(fax),
                "MediaUrl" => shown["media_url"].as_str(),
                "From" => shown["from"].as_str(),
                // A machine without a station id of its own sends its number.
                "RemoteStationId" if Some(value) == caller_of_good => shown["from"].as_str(),
                _ => None,
            };
            (name.clone(), own.map_or_else(|| value.clone(), ToOwned::to_owned))
        };
        let params: Vec<(String, String)> = good.params.iter().map(param).collect();
        let is_get = good.method == "GET";
        let configured = good.url_as_configured();
        // A GET carries the parameters in its URL, which is then all that the signature covers.
        let url = if is_get { form::with_query(&configured, &params) } else { configured };
        let in_body = if is_get { &[][..] } else { &params };
        let by_name: BTreeMap<&str, &str> =
            in_body.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let order = json!({ "url": url, "app_url": url, "params": by_name });
        let signed = self.place.api.post("/explain-signature", &order).await?;
        let (header, signature) = (signed["header"].as_str(), signed["expected"].as_str().unwrap_or_default());
        let token = format!("check-{fax}");
        let replaced = |(name, value): &'_ (String, String)| {
            let lower = name.to_ascii_lowercase();
            let value = match header {
                Some(header) if name.eq_ignore_ascii_case(header) => signature,
                _ if lower.ends_with(TOKEN_HEADER) => &token,
                _ => value.as_str(),
            };
            (!OF_CONNECTION.contains(&lower.as_str())).then(|| (lower, value.to_owned()))
        };
        let headers: Vec<(String, String)> = good.headers.iter().filter_map(replaced).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = form::encode(in_body);
        let raw = Raw { method: &good.method, url: &url, headers: &headers, body: &body };
        let (one, other) = future::try_join(self.ask(&raw), self.ask(&raw)).await?;
        Ok([one, other])
    }
}
