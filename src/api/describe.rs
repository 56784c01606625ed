//! What the org has, as the user sees it.

use serde::Deserialize;

use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::{DescribeGlobal, Record, RecordTypeMappings, SObjectDescribe, SObjectName, SObjectSummary};

/// What an object is in short, and what the user has looked at last.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BasicInfo {
    /// The object, as describe global has it.
    pub object_describe: SObjectSummary,
    /// Records of it that the user has used lately: their ids and names.
    #[serde(default)]
    pub recent_items: Vec<Record>,
}

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

    /// What each record type of an object opens of its picklists, and which layout the user sees: record types hide values, and a
    /// describe lists those of all of them together. Costs one API call. A write with a value that its record type hides is refused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an object that does not exist, is hidden or has no layouts; any error of
    /// [`Client::send`].
    ///
    /// Sources: REST API Developer Guide, "sObject Layouts"; SOAP API Developer Guide, `describeLayout()`, `RecordTypeMapping`. The
    /// resource of one record type (`/describe/layouts/<id>`) has the layout and not the values.
    pub async fn record_type_mappings(&self, object: &SObjectName) -> Result<RecordTypeMappings> {
        let path = format!("/sobjects/{object}/describe/layouts");
        self.send(ApiRequest::get("describe.layouts", path).context("object", object)).await?.json()
    }

    /// One object in short, without its fields. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`describe`](Self::describe).
    ///
    /// Source: REST API Developer Guide, "sObject Basic Information".
    pub async fn basic_info(&self, object: &SObjectName) -> Result<BasicInfo> {
        let path = format!("/sobjects/{object}/");
        self.send(ApiRequest::get("describe.basic", path).context("object", object)).await?.json()
    }
}
