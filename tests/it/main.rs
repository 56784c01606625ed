//! Integration tests: one binary, a module per subject.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::panic, reason = "a test fails by panicking")]

mod allowed;
mod answers;
mod architecture;
mod browser;
mod budget;
mod bulk;
mod catalog;
mod client;
mod composite;
mod conflicts;
mod connect;
mod connections;
mod deploy;
mod doctor;
mod drift;
mod engagement;
mod faults;
mod files;
mod flow;
mod generate_types;
mod map_preview;
mod mapping;
mod matching;
mod metadata_calls;
mod org_setup;
mod outside;
mod query;
mod recordings;
mod requirements;
mod resources;
mod setup;
mod soql;
mod stores;
mod support;
mod throughput;
mod tokens;
mod truncation;
mod wire;
mod write_many;
mod write_routes;
mod wsdl;
