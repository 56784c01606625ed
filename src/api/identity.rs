//! Who the token acts for.

use serde::Deserialize;

use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::RecordId;

/// The user behind the token. Which members are there depends on the token's scopes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// The user.
    pub user_id: RecordId,
    /// The org.
    pub organization_id: RecordId,
    /// The user name, which looks like an email address.
    #[serde(default)]
    pub preferred_username: Option<String>,
    /// The full name.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
    /// The language, such as `en_US`.
    #[serde(default)]
    pub language: Option<String>,
    /// The time zone, such as `America/Los_Angeles`.
    #[serde(default)]
    pub zoneinfo: Option<String>,
    /// `STANDARD` and others.
    #[serde(default)]
    pub user_type: Option<String>,
    /// Whether Salesforce made the user for an integration.
    #[serde(default)]
    pub is_salesforce_integration_user: Option<bool>,
}

impl Client {
    /// Who the token acts for. Does not need the permission "API Enabled" and costs no API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: Help, "The User Info Endpoint"; recorded in full.
    pub async fn user_info(&self) -> Result<UserInfo> {
        self.send(ApiRequest::get("userinfo", "/services/oauth2/userinfo")).await?.json()
    }

    /// Proves that the user may use the API at all, before any work is started. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) with the click path when the permission "API Enabled" or the
    /// org's API access is missing; any error of [`Client::send`].
    pub async fn check_api_access(&self) -> Result<()> {
        let version = self.api_version();
        self.send(ApiRequest::get("resources", format!("/services/data/v{version}"))).await.map(drop)
    }
}
