//! The API versions an org has.

use std::collections::BTreeMap;

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

    /// The resources of the client's API version by name, such as `sobjects`, with their paths; `identity` is a whole address. Costs
    /// one API call. Which there are tells what the org and its edition have.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a version that the org has no more; any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Resources by Version".
    pub async fn resources(&self) -> Result<BTreeMap<String, String>> {
        let version = self.api_version();
        self.send(ApiRequest::get("resources", format!("/services/data/v{version}"))).await?.json()
    }
}
