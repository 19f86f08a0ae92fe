//! Answers the protocol's requests: what the server is, which tools it has, and calls of a tool.

use std::sync::Arc;

use axum::http::request::Parts;
use futures_util::FutureExt;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode, ErrorData,
    Implementation, JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool as Listed,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};

use super::error::ToolError;
use super::home::Home;
use super::tool::{Call, Tool};
use super::tools;
use crate::dialect::form::Form;
use crate::http::origin;

/// What an assistant should know before it calls a tool.
const INSTRUCTIONS: &str = "\
fauxfax is a local emulator of Twilio Programmable Fax and of SignalWire's compatibility API for faxes. Use it to test an app that \
sends or receives faxes: no fax leaves this machine.
1. show_account says how to point the app at the emulator (base URL, AccountSid, AuthToken).
2. set_number sets the URL that the app serves for incoming faxes; receive_fax makes a fax machine call it; send_fax sends one as the \
app would.
3. show_fax says what happened to a fax, with each webhook and what to change; page_image and page_text show its pages.
4. add_rule makes things go wrong on purpose, clock moves time, check judges the app's webhooks, verify asserts what happened.
5. list_requests shows what the app called, including calls that were refused. search_docs answers other questions.";

/// A server of the tools for one client.
#[derive(Debug, Clone)]
pub struct Handler {
    home: Home,
    /// The base of links, if it isn't the base of each request.
    public_url: Option<Arc<str>>,
}

impl Handler {
    /// Creates a server whose tools drive this emulator.
    #[must_use]
    pub const fn new(home: Home) -> Self {
        Self { home, public_url: None }
    }

    /// Sets the base of links, as `--public-url` does.
    #[must_use]
    pub fn with_public_url(self, public_url: Option<Arc<str>>) -> Self {
        Self { public_url, ..self }
    }

    /// Returns the emulator that the tools drive.
    pub(super) const fn home(&self) -> &Home {
        &self.home
    }

    /// Calls a tool. Over HTTP, the client's request may name the account, and its host is the base of links unless
    /// there is a public URL.
    async fn call(
        &self,
        tool: &Tool,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ToolError> {
        let parts = context.extensions.get::<Parts>();
        let links = parts.map(|parts| origin(parts, self.public_url.as_ref()));
        let account = parts.and_then(account_of).or_else(|| self.home.account.clone());
        let canceled = context.ct.clone().cancelled_owned().boxed().shared();
        let progress = context.meta.get_progress_token().map(|token| (context.peer.clone(), token));
        if !self.home.is_local && arguments.contains_key(super::tool::FILE) {
            return Err(ToolError::new(
                "file: files can be named only to `fauxfax mcp`, which runs on the machine of the client; give media_url instead",
            ));
        }
        let call = Call::new(tool, &self.home, (links.as_deref(), account), arguments, canceled.clone(), progress)?;
        let answer = if tool.ends_itself {
            (tool.run)(&call).await?
        } else {
            tokio::select! {
                answer = (tool.run)(&call) => answer?,
                () = canceled => return Err(ToolError::canceled()),
            }
        };
        Ok(answer.into_result())
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let own = Implementation::new("fauxfax", env!("CARGO_PKG_VERSION"))
            .with_title("fauxfax, a fax service emulator")
            .with_website_url(env!("CARGO_PKG_HOMEPAGE"));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(own)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all().map(|tool| tool.listed(self.home.is_local)).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Listed> {
        tools::find(name).map(|tool| tool.listed(self.home.is_local))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = tools::find(&request.name) else {
            let message =
                format!("there is no tool {:?}; did you mean {}?", request.name, tools::nearest(&request.name));
            return Err(ErrorData::invalid_params(message, None));
        };
        match self.call(tool, request.arguments.unwrap_or_default(), context).await {
            Ok(result) => Ok(result.into()),
            Err(error) => Ok(self.home.replaced().await.unwrap_or(error).into_result().into()),
        }
    }

    /// Refuses a request that the library doesn't understand.
    async fn on_custom_request(
        &self,
        CustomRequest { method, .. }: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(if WITH_PARAMS.contains(&method.as_str()) {
            let why = format!("{method}: params must be as the protocol says; those of tools/call have a name");
            ErrorData::invalid_params(why, None)
        } else {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("there is no method {method:?}"), None)
        })
    }
}

/// The methods that are understood only with the right parameters.
const WITH_PARAMS: [&str; 2] = ["initialize", "tools/call"];

/// Returns the account that the address of a request over HTTP names, as in `/mcp?account=AC…`.
fn account_of(parts: &Parts) -> Option<String> {
    Form::parse(parts.uri.query()?.as_bytes()).ok()?.get("account").map(ToOwned::to_owned)
}
