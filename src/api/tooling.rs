//! The Tooling API: what the org is made of, as records.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::composite::Composite;
use super::query::{QueryPages, QueryStream};
use super::sobjects::SObjectApi;
use crate::client::Client;
use crate::error::Result;
use crate::types::{FieldName, RecordId, SObjectName, Soql};

/// Where its resources are, below the version.
pub(super) const BASE: &str = "/tooling";

/// The Tooling API: queries of `EntityDefinition`, `FieldDefinition` and the like, and records that stand for metadata.
///
/// It works with every kind of token. What can be written differs by type: `CustomField`, `WorkflowRule`, `Flow` can, `CustomObject`,
/// `Layout` and `PermissionSet` can not.
///
/// ```no_run
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// use sforce::types::Record;
///
/// let soql = "SELECT QualifiedApiName, DataType FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Lead'";
/// let mut fields = client.tooling().query::<Record>(soql);
/// while let Some(field) = fields.try_next().await? {
///     println!("{:?}", field.text("QualifiedApiName"));
/// }
/// # Ok(())
/// # }
/// ```
///
/// Source: Tooling API Developer Guide, "REST Resources".
#[derive(Clone)]
pub struct Tooling {
    client: Client,
}

impl Client {
    /// The Tooling API.
    #[must_use]
    pub fn tooling(&self) -> Tooling {
        Tooling { client: self.clone() }
    }
}

impl Tooling {
    /// Runs a query of Tooling objects, as [`Client::query`] does of others. Costs one API call a page.
    ///
    /// A query that selects `Metadata` or `FullName` has to find one row at most.
    pub fn query<T: DeserializeOwned + Send + 'static>(&self, soql: impl Into<Soql>) -> QueryStream<T> {
        QueryStream::new(QueryPages::tooling(self.client.clone(), soql.into()))
    }

    /// Up to 25 requests of Tooling resources in one call, up to 5 of them queries. Costs one API call.
    ///
    /// Subrequests are those of [`Client::composite`]; their paths are below `/tooling`.
    ///
    /// ```no_run
    /// # async fn run(client: sforce::Client) -> sforce::Result<()> {
    /// use sforce::api::Subrequest;
    /// use sforce::types::Record;
    ///
    /// let soql = "SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Lead'";
    /// let answer = client.tooling().composite().add("objects", Subrequest::query(soql)).send().await?;
    /// println!("{}", answer.result_of("objects")?.page::<Record>()?.total_size);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: Tooling API Developer Guide, "Improve Performance with the Composite Resource".
    pub fn composite(&self) -> Composite {
        Composite::below(BASE, self.client.clone())
    }

    /// Creates a record. Costs one API call; never repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn create<T: Serialize + Sync>(&self, object: &SObjectName, record: &T) -> Result<RecordId> {
        self.records::<T>(object).create(record).await
    }

    /// Reads a record, all fields if `fields` is empty. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for one that is not there; any error of [`Client::send`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        object: &SObjectName,
        id: RecordId,
        fields: &[FieldName],
    ) -> Result<T> {
        self.records::<T>(object).get(id, fields).await
    }

    /// Changes a record; `Metadata` is replaced as a whole. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn update<T: Serialize + Sync>(&self, object: &SObjectName, id: RecordId, record: &T) -> Result<()> {
        self.records::<T>(object).update(id, record).await
    }

    /// Deletes a record. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for one that is not there; any error of [`Client::send`].
    pub async fn delete(&self, object: &SObjectName, id: RecordId) -> Result<()> {
        self.records::<()>(object).delete(id).await
    }

    fn records<T>(&self, object: &SObjectName) -> SObjectApi<T> {
        SObjectApi::below(BASE, self.client.clone(), object.clone())
    }
}

impl fmt::Debug for Tooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tooling")
    }
}
