//! Salesforce integrations as a typed library.

mod error;

pub mod adapters;
pub mod api;
pub mod auth;
pub mod client;
pub mod clock;
pub mod http;
pub mod mapping;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod types;

pub use client::Client;
pub use error::{ApiError, Effect, Error, ErrorKind, Result, Retry};
