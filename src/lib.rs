//! Salesforce integrations as a typed library.

#[cfg(feature = "testing")]
pub mod testing;
