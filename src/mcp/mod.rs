//! A Model Context Protocol server, so that a coding assistant can see whether the app that it is writing works: tools
//! that receive and send faxes, show them, wait, verify, and search the documentation. The tools use only the
//! emulator's public control and REST APIs, so the emulator may be in another process.
//!
//! | file | what it does |
//! |---|---|
//! | `stdio.rs`, `http.rs` | the two transports: `fauxfax mcp`, and `/mcp` of `serve --mcp` |
//! | `lines.rs`, `message.rs` | reading the client's messages, and refusing those that can't be read |
//! | `handler.rs` | lists the tools, and calls one with cancellation |
//! | `tools/` | the tools themselves, one file per subject |
//! | `tool.rs` | what a tool is, and the schema of its arguments |
//! | `answer.rs`, `error.rs` | what a tool returns, within limits, and why it fails |
//! | `home.rs` | the emulator, and what the calls of a server have in common |
//! | `client.rs` | the client of the emulator's APIs |

mod answer;
mod client;
mod error;
mod handler;
mod home;
mod http;
mod lines;
mod message;
mod stdio;
mod tool;
mod tools;

pub use self::client::answers;
pub use self::handler::Handler;
pub use self::home::{Home, Order};
pub use self::http::Http;
pub use self::stdio::{serve, serve_stdio};
