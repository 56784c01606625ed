//! The API versions an org has.

use serde::Deserialize;

use crate::client::{ApiRequest, Client};
use crate::error::Result;

/// One API version of the org.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct VersionInfo {
    /// The release's name, such as `Spring '25`.
    pub label: String,
    /// The path of its resources.
    pub url: String,
    /// Such as `63.0`.
    pub version: String,
}

impl Client {
    /// The API versions of the org, oldest first. Costs no API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Versions".
    pub async fn versions(&self) -> Result<Vec<VersionInfo>> {
        self.send(ApiRequest::get("versions", "/services/data")).await?.json()
    }
}
