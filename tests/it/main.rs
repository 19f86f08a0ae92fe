//! The integration tests, one binary: the house rules, the engine by scripts and timelines, the wire,
//! the control API.

mod control;
mod described;
mod engine;
mod exec;
mod gateway;
mod going_back;
mod schema;
mod script;
mod tidy;
mod timelines;
mod wire;
