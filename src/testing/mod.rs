//! What tests need: a Salesforce org on a loopback socket, and faults on demand.

pub mod org;
