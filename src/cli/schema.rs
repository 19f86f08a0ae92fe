//! The subcommands `config-schema`, which prints a JSON Schema of `fauxfax.toml` (with descriptions from the flags'
//! help) or of scenario files, and `completions`, which prints a shell's completion script.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, ValueEnum};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::flags::ServeFlags;
use super::out::bytes;
use super::{Cli, table};
use crate::config::Setting;
use crate::dialect::attribute::{Kind, OF_NUMBER};
use crate::dialect::rule::RuleDocument;
use crate::model::account::{CallbackPolicy, Dialect, Service};
use crate::model::number::{NumberChange, ReceiveMode};
use crate::model::sid::{self, AccountSid};
use crate::scenario;

#[derive(Debug, Args)]
pub(super) struct CompletionsFlags {
    /// Shell to print the script for
    shell: Shell,
}

/// The shells that completion scripts exist for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(super) fn completions(flags: &CompletionsFlags) -> anyhow::Result<ExitCode> {
    let shell = match flags.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    // The script is generated in memory, since `generate` panics if it can't write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fauxfax", &mut script);
    bytes().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
pub(super) struct SchemaFlags {
    /// The schema of scenario files, which fauxfax run runs
    #[arg(long)]
    scenario: bool,
}

pub(super) fn config_schema(flags: &SchemaFlags) -> anyhow::Result<ExitCode> {
    table::json(&if flags.scenario { scenario_schema() } else { schema() })?;
    Ok(ExitCode::SUCCESS)
}

fn schema() -> Value {
    let command = ServeFlags::augment_args(Command::new("serve"));
    let in_file = Setting::ALL.iter().filter(|setting| **setting != Setting::Config);
    let mut properties: Map<String, Value> = in_file
        .map(|setting| {
            let argument = command.get_arguments().find(|argument| argument.get_long() == Some(&setting.flag()));
            (setting.as_str().to_owned(), argument.map(|argument| property(*setting, argument)).unwrap_or_default())
        })
        .collect();
    let mut generator = SchemaGenerator::default();
    properties.insert("accounts".to_owned(), json!({ "type": "array", "items": account(&mut generator) }));
    properties.insert("twiml_bins".to_owned(), json!({ "type": "array", "items": twiml_bin() }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fauxfax.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": generator.take_definitions(true),
    })
}

/// Returns the schema of scenario files, whose settings are those of `fauxfax.toml` without those of the process.
fn scenario_schema() -> Value {
    let Value::Object(mut of_file) = schema() else { return Value::Null };
    let settings = of_file.get_mut("properties").and_then(Value::as_object_mut);
    let settings: Map<String, Value> =
        settings.into_iter().flatten().map(|(key, value)| (key.clone(), value.take())).collect();
    let is_here = |key: &String| Setting::from_word(key).is_none_or(|setting| !scenario::is_of_process(setting));
    let settings: Map<String, Value> = settings.into_iter().filter(|(key, _)| is_here(key)).collect();
    let settings = json!({ "type": "object", "additionalProperties": false, "properties": settings });
    let mut schema = scenario::schema(settings);
    // The definitions that the settings refer to, such as those of rules, are the same in both schemas.
    let own = of_file.remove("$defs").unwrap_or_default();
    if let (Some(all), Value::Object(own)) = (schema["$defs"].as_object_mut(), own) {
        for (name, definition) in own {
            all.entry(name).or_insert(definition);
        }
    }
    schema
}

fn property(setting: Setting, argument: &clap::Arg) -> Value {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    // Defaults and variables in brackets concern the flags, not the file.
    let description = help.split(" [").next().unwrap_or_default();
    let words: Vec<String> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    // In `fauxfax.toml`, numbers and booleans may be quoted or not.
    let one = if words.is_empty() || argument.get_action().takes_values() && words == ["true", "false"] {
        json!({ "type": ["string", "integer", "number", "boolean"] })
    } else {
        json!({ "enum": words })
    };
    let mut property = if setting.is_list() { json!({ "type": "array", "items": { "type": "string" } }) } else { one };
    property["description"] = json!(description);
    property
}

fn account(generator: &mut SchemaGenerator) -> Value {
    let words = |all: Vec<&str>| json!({ "enum": all });
    let text = json!({ "type": "string" });
    let attributes = OF_NUMBER.iter().map(|attribute| (attribute.name.to_owned(), of_attribute(&attribute.kind)));
    let mut number: Map<String, Value> = attributes.collect();
    number.insert("phone_number".to_owned(), text.clone());
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "sid": { "type": "string", "pattern": format!("^{}$", sid::pattern(AccountSid::PREFIX)) },
            "auth_token": text,
            "signing_key": text,
            "dialect": words(Dialect::ALL.iter().map(|word| word.as_str()).collect()),
            "callbacks": words(CallbackPolicy::ALL.iter().map(|word| word.as_str()).collect()),
            "pedantic": { "enum": [true, false, "true", "false"] },
            "service": words(Service::ALL.iter().map(|word| word.as_str()).collect()),
            "debugger_url": text,
            "numbers": { "type": "array", "items": {
                "type": "object", "properties": number, "required": ["phone_number"], "additionalProperties": false,
            } },
            "caller_ids": { "type": "array", "items": {
                "type": "object", "properties": { "phone_number": text }, "required": ["phone_number"],
            } },
            "rules": { "type": "array", "items": generator.subschema_for::<RuleDocument>() },
        },
    })
}

fn twiml_bin() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": { "name": text, "twiml": text, "numbers": { "type": "array", "items": text } },
        "required": ["name", "twiml"],
    })
}

fn of_attribute(kind: &Kind<NumberChange>) -> Value {
    match kind {
        Kind::FriendlyName(_) | Kind::Url(_) => json!({ "type": "string" }),
        Kind::Sid(prefix, _) => {
            json!({ "type": "string", "pattern": format!("^{}?$", sid::pattern(prefix)) })
        }
        Kind::Word(words, _) => json!({ "enum": words }),
        Kind::Method(_) => json!({ "enum": ["GET", "POST"] }),
        Kind::Boolean(_) => json!({ "enum": [true, false, "true", "false"] }),
        Kind::ReceiveMode(_) => json!({ "enum": ReceiveMode::ALL }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_in_the_full_example_is_in_the_schema() {
        let text = include_str!("../../fixtures/config/full.toml");
        let file = toml::de::DeTable::parse(text).expect("the fixture is TOML");
        let schema = schema();
        for (key, value) in file.get_ref() {
            let property = &schema["properties"][&**key.get_ref()];
            assert!(property.is_object(), "{key:?}");
            for account in value.get_ref().as_array().filter(|_| key.get_ref() == "accounts").into_iter().flatten() {
                for (key, _) in account.get_ref().as_table().into_iter().flatten() {
                    assert!(property["items"]["properties"][&**key.get_ref()].is_object(), "accounts.{key:?}");
                }
            }
        }
        let account = &schema["properties"]["accounts"]["items"]["properties"];
        assert_eq!(account["rules"]["items"]["$ref"], "#/$defs/Rule");
        assert_eq!(schema["$defs"]["RuleApi"]["properties"]["status"]["minimum"], 400);
        let trunk = &account["numbers"]["items"]["properties"]["trunk_sid"];
        assert_eq!(trunk["pattern"], format!("^{}?$", sid::pattern("TK")));
        assert_eq!(schema["properties"]["callbacks"]["enum"], json!(["all", "queued-and-final", "final"]));
    }
}
