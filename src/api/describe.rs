//! What the org has, as the user sees it.

use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::{DescribeGlobal, SObjectDescribe, SObjectName};

impl Client {
    /// Every object the user can see. Costs one API call; over a thousand objects in a real org.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Describe Global".
    pub async fn describe_global(&self) -> Result<DescribeGlobal> {
        self.send(ApiRequest::get("describe.global", "/sobjects")).await?.json()
    }

    /// One object with the fields the user can see. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an object that does not exist or is hidden; any error of
    /// [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "sObject Describe".
    pub async fn describe(&self, object: &SObjectName) -> Result<SObjectDescribe> {
        let path = format!("/sobjects/{object}/describe");
        self.send(ApiRequest::get("describe", path).context("object", object)).await?.json()
    }
}
