//! The integration tests, one binary: the house rules, the engine by scripts and timelines, the wire,
//! the control API.

mod accounts;
mod alerts;
mod apps;
mod control;
mod described;
mod determinism;
mod documents;
mod engine;
mod exec;
mod flood;
mod founding;
mod gateway;
mod going_back;
mod host;
mod keeping;
mod library;
mod losses;
mod pdf_black;
mod pdf_damage;
mod pdf_marks;
mod pdf_pages;
mod pdf_text;
mod pdfs;
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
