//! Integration tests: one binary, a module per subject.

mod architecture;
mod client;
mod engagement;
mod faults;
mod recordings;
mod support;
mod truncation;
