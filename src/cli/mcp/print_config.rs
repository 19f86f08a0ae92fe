//! The configuration that makes the usual clients of the Model Context Protocol start `fauxfax mcp`.

use std::io::Write;

use serde_json::{Value, json};

use super::super::out::{self, stdout};
use super::super::shell::quoted;
use crate::model::words::words;

words!(
    /// A client of the Model Context Protocol.
    Client {
        /// Claude Code, which has a command that adds a server to its configuration.
        ClaudeCode = "claude-code",
        /// The desktop app of Claude.
        ClaudeDesktop = "claude-desktop",
        /// The editor Cursor.
        Cursor = "cursor",
        /// Visual Studio Code.
        VsCode = "vscode",
        /// OpenAI's Codex.
        Codex = "codex",
        /// Any other client: most read this form.
        Json = "json",
    }
);

impl Client {
    /// Returns where the configuration belongs or, for Claude Code, where to run the command.
    const fn place(self) -> &'static str {
        match self {
            Self::ClaudeCode => "run this in the project's folder",
            Self::ClaudeDesktop => "claude_desktop_config.json (Settings, Developer, Edit Config)",
            Self::Cursor => ".cursor/mcp.json in the project, or ~/.cursor/mcp.json",
            Self::VsCode => ".vscode/mcp.json in the project",
            Self::Codex => "~/.codex/config.toml",
            Self::Json => "the client's list of MCP servers",
        }
    }

    /// Returns the configuration that starts `program` with these arguments.
    fn config(self, program: &str, arguments: &[String]) -> String {
        let server = json!({ "command": program, "args": arguments });
        match self {
            Self::ClaudeCode => {
                let words = [program].into_iter().chain(arguments.iter().map(String::as_str)).map(quoted);
                format!("claude mcp add fauxfax -- {}", words.collect::<Vec<_>>().join(" "))
            }
            Self::ClaudeDesktop | Self::Cursor | Self::Json => pretty(&json!({ "mcpServers": { "fauxfax": server } })),
            Self::VsCode => {
                let server = json!({ "type": "stdio", "command": program, "args": arguments });
                pretty(&json!({ "servers": { "fauxfax": server } }))
            }
            // A JSON string or list of strings is TOML, too.
            Self::Codex => format!("[mcp_servers.fauxfax]\ncommand = {}\nargs = {}", json!(program), json!(arguments)),
        }
    }
}

/// Prints the configuration of a client, or of all clients, each below its name.
pub(super) fn print(client: Option<Client>, arguments: &[String]) -> anyhow::Result<()> {
    // Clients are often started without the user's PATH, so they need the whole path.
    let program = std::env::current_exe().map_or_else(|_| "fauxfax".to_owned(), |path| path.display().to_string());
    match client {
        Some(client) => {
            out::note(&format!("For {client}: {}", client.place()));
            writeln!(stdout(), "{}", client.config(&program, arguments))?;
        }
        None => {
            for client in Client::ALL {
                writeln!(stdout(), "# {client}: {}\n{}\n", client.place(), client.config(&program, arguments))?;
            }
        }
    }
    Ok(())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_gets_a_configuration_in_its_own_form() {
        let arguments = ["mcp", "--url", "http://localhost:9000"].map(ToOwned::to_owned);
        for client in Client::ALL {
            let config = client.config("/opt/a b/fauxfax", &arguments);
            match client {
                Client::ClaudeCode => {
                    assert_eq!(config, "claude mcp add fauxfax -- '/opt/a b/fauxfax' mcp --url http://localhost:9000");
                }
                Client::Codex => {
                    let lines: Vec<&str> = config.lines().collect();
                    let server = "args = [\"mcp\",\"--url\",\"http://localhost:9000\"]";
                    assert_eq!(lines, ["[mcp_servers.fauxfax]", "command = \"/opt/a b/fauxfax\"", server]);
                }
                Client::ClaudeDesktop | Client::Cursor | Client::VsCode | Client::Json => {
                    let json: Value = serde_json::from_str(&config).expect("JSON");
                    let list = if *client == Client::VsCode { "servers" } else { "mcpServers" };
                    assert_eq!(json[list]["fauxfax"]["args"], json!(arguments), "{client}");
                }
            }
        }
    }
}
