//! Takes the place of `tools.rs` in a build without the Model Context Protocol: a configuration that asks for the tools
//! is refused.

use axum::Router;

use super::StartError;
use crate::config::Config;

/// Tools that don't exist.
pub(super) struct Tools;

impl Tools {
    /// Refuses a configuration that asks for the tools.
    pub(super) fn new(config: &Config, _: std::net::SocketAddr) -> Result<Self, StartError> {
        if config.mcp {
            Err(StartError::Tools("this build leaves it out; build with the feature mcp".to_owned()))
        } else {
            Ok(Self)
        }
    }

    #[expect(clippy::unused_self, reason = "the signature of the real one")]
    pub(super) fn router(&self) -> Router {
        Router::new()
    }

    #[expect(clippy::unused_async, clippy::unused_self, reason = "the signature of the real one")]
    pub(super) async fn stop(&self) {}
}
