//! The integration tests, one binary: the house rules, the engine by scripts and timelines, the wire,
//! the control API.

mod accounts;
mod alerts;
mod apps;
mod arriving;
mod as_configured;
mod control;
mod described;
mod determinism;
mod dice;
mod documents;
mod downloads;
mod driving;
mod engine;
mod exec;
mod flood;
mod founding;
mod gateway;
mod going_back;
mod host;
mod keeping;
mod library;
mod once;
mod past;
mod promises;
mod rules;
mod schema;
mod script;
mod simulation;
mod state;
mod tester;
mod tidy;
mod timelines;
mod webhooks;
mod wire;
