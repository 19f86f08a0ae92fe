//! Serves the tools of the Model Context Protocol, which call the emulator's own APIs over its port.

use axum::Router;

use super::{StartError, own_origin};
use crate::client::Endpoint;
use crate::config::Config;
use crate::io::client::ClientOptions;
use crate::mcp::{Handler, Home, Http};

/// The tools, if they are served.
pub(super) struct Tools(Option<Http>);

impl Tools {
    /// Creates the tools of an emulator that listens at `address`, if the configuration asks for them.
    pub(super) fn new(config: &Config, address: std::net::SocketAddr) -> Result<Self, StartError> {
        if !config.mcp {
            return Ok(Self(None));
        }
        let url = own_origin(address).parse().map_err(|error| StartError::Tools(format!("{error}")))?;
        let control_token = config.control_token.as_deref().map(ToOwned::to_owned);
        let client = ClientOptions {
            connect_to: config.connect_to.clone(),
            trust_ca: config.trust_ca.iter().map(|trusted| trusted.pem.clone()).collect(),
            insecure: config.insecure_webhooks,
            ..ClientOptions::default()
        };
        let handler = Handler::new(Home::served(Endpoint { url, address: None, control_token }, client));
        Ok(Self(Some(Http::new(handler.with_public_url(config.public_url.clone())))))
    }

    /// Returns the routes.
    pub(super) fn router(&self) -> Router {
        self.0.as_ref().map(Http::router).unwrap_or_default()
    }

    /// Ends all calls, and waits until the checks among them have put back what they changed.
    pub(super) async fn stop(&self) {
        if let Some(http) = &self.0 {
            http.stop().await;
        }
    }
}
