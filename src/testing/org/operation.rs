//! What a request asks for, as fault scripts and counters name it.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// `/services/oauth2/authorize`.
    Authorize,
    /// The log-in and consent pages, and their forms.
    Consent,
    /// `POST /services/oauth2/token`.
    Token,
    /// `POST /services/oauth2/introspect`.
    Introspect,
    /// `POST /services/oauth2/revoke`.
    Revoke,
    /// `GET /services/oauth2/userinfo`.
    UserInfo,
    /// `GET /id/<org>/<user>`.
    Identity,
    /// `GET /services/data`.
    Versions,
    /// `GET /services/data/vXX.0`, and `GET /composite`.
    Resources,
    /// `GET /limits`.
    Limits,
    /// `GET /limits/recordCount`.
    RecordCount,
    /// `GET /sobjects/<object>/updated`.
    GetUpdated,
    /// `GET /sobjects/<object>/deleted`.
    GetDeleted,
    /// `GET /sobjects/<object>/<id>/<field>` of a file's content.
    BlobGet,
    /// `GET /search`.
    Search,
    /// `GET` and `POST /parameterizedSearch`.
    ParameterizedSearch,
    /// Any method below `/services/apexrest`.
    ApexRest,
    /// `GET /sobjects`.
    DescribeGlobal,
    /// `GET /sobjects/<object>/describe`, and `GET /sobjects/<object>`.
    Describe,
    /// `GET /sobjects/<object>/describe/layouts`, also of one record type.
    DescribeLayouts,
    /// `GET /query` and `GET /queryAll`.
    Query,
    /// `GET /query/<locator>`.
    QueryMore,
    /// `POST /sobjects/<object>`.
    SObjectCreate,
    /// `GET /sobjects/<object>/<id>`, also by an external id.
    SObjectGet,
    /// `PATCH /sobjects/<object>/<id>`.
    SObjectUpdate,
    /// `DELETE /sobjects/<object>/<id>`.
    SObjectDelete,
    /// `PATCH /sobjects/<object>/<field>/<value>`.
    SObjectUpsert,
    /// `POST /composite`.
    Composite,
    /// `POST /composite/batch`.
    CompositeBatch,
    /// `POST /composite/graph`.
    CompositeGraph,
    /// `POST /composite/tree/<object>`.
    CompositeTree,
    /// `POST /composite/sobjects`.
    CollectionsCreate,
    /// `GET` and `POST /composite/sobjects/<object>`.
    CollectionsGet,
    /// `PATCH /composite/sobjects`.
    CollectionsUpdate,
    /// `PATCH /composite/sobjects/<object>/<field>`.
    CollectionsUpsert,
    /// `DELETE /composite/sobjects`.
    CollectionsDelete,
    /// `POST /jobs/ingest`.
    IngestCreate,
    /// `GET /jobs/ingest`.
    IngestList,
    /// `GET /jobs/ingest/<id>`.
    IngestGet,
    /// `PUT /jobs/ingest/<id>/batches`.
    IngestUpload,
    /// `PATCH /jobs/ingest/<id>`: the upload is complete, or the job is aborted.
    IngestPatch,
    /// `DELETE /jobs/ingest/<id>`.
    IngestDelete,
    /// `GET /jobs/ingest/<id>/successfulResults`.
    IngestSuccessful,
    /// `GET /jobs/ingest/<id>/failedResults`.
    IngestFailed,
    /// `GET /jobs/ingest/<id>/unprocessedrecords`.
    IngestUnprocessed,
    /// `POST /jobs/query`.
    QueryJobCreate,
    /// `GET /jobs/query`.
    QueryJobList,
    /// `GET /jobs/query/<id>`.
    QueryJobGet,
    /// `PATCH /jobs/query/<id>`: the job is aborted.
    QueryJobPatch,
    /// `DELETE /jobs/query/<id>`.
    QueryJobDelete,
    /// `GET /jobs/query/<id>/results`.
    QueryJobResults,
    /// `GET /jobs/query/<id>/resultPages`.
    QueryJobPages,
    /// `GET /tooling/query`.
    ToolingQuery,
    /// `GET /tooling/query/<locator>`.
    ToolingQueryMore,
    /// `POST /tooling/composite`.
    ToolingComposite,
    /// `GET /tooling/sobjects` and `/tooling/sobjects/<object>/describe`.
    ToolingDescribe,
    /// `GET /tooling/sobjects/<object>/<id>`.
    ToolingGet,
    /// `POST /tooling/sobjects/<object>`.
    ToolingCreate,
    /// `PATCH /tooling/sobjects/<object>/<id>`.
    ToolingUpdate,
    /// `DELETE /tooling/sobjects/<object>/<id>`.
    ToolingDelete,
    /// `describeMetadata()` and `describeValueType()` of the Metadata API.
    MetadataDescribe,
    /// `listMetadata()` of the Metadata API.
    MetadataList,
    /// `createMetadata()` of the Metadata API.
    MetadataCreate,
    /// `readMetadata()` of the Metadata API.
    MetadataRead,
    /// `updateMetadata()` of the Metadata API.
    MetadataUpdate,
    /// `upsertMetadata()` of the Metadata API.
    MetadataUpsert,
    /// `deleteMetadata()` of the Metadata API.
    MetadataDelete,
    /// `renameMetadata()` of the Metadata API.
    MetadataRename,
    /// `deploy()` and `deployRecentValidation()` of the Metadata API.
    MetadataDeploy,
    /// `checkDeployStatus()` of the Metadata API.
    MetadataCheckDeploy,
    /// `cancelDeploy()` of the Metadata API.
    MetadataCancelDeploy,
    /// `retrieve()` of the Metadata API.
    MetadataRetrieve,
    /// `checkRetrieveStatus()` of the Metadata API.
    MetadataCheckRetrieve,
    /// `POST /metadata/deployRequest`, also of a validation.
    DeployCreate,
    /// `GET /metadata/deployRequest/<id>`.
    DeployGet,
    /// `PATCH /metadata/deployRequest/<id>`: the deployment is to be canceled.
    DeployPatch,
}

impl Operation {
    /// Every operation, so that a test can run through all of them.
    pub const ALL: &'static [Self] = &[
        Self::Authorize,
        Self::Consent,
        Self::Token,
        Self::Introspect,
        Self::Revoke,
        Self::UserInfo,
        Self::Identity,
        Self::Versions,
        Self::Resources,
        Self::Limits,
        Self::RecordCount,
        Self::GetUpdated,
        Self::GetDeleted,
        Self::BlobGet,
        Self::Search,
        Self::ParameterizedSearch,
        Self::ApexRest,
        Self::DescribeGlobal,
        Self::Describe,
        Self::DescribeLayouts,
        Self::Query,
        Self::QueryMore,
        Self::SObjectCreate,
        Self::SObjectGet,
        Self::SObjectUpdate,
        Self::SObjectDelete,
        Self::SObjectUpsert,
        Self::Composite,
        Self::CompositeBatch,
        Self::CompositeGraph,
        Self::CompositeTree,
        Self::CollectionsCreate,
        Self::CollectionsGet,
        Self::CollectionsUpdate,
        Self::CollectionsUpsert,
        Self::CollectionsDelete,
        Self::IngestCreate,
        Self::IngestList,
        Self::IngestGet,
        Self::IngestUpload,
        Self::IngestPatch,
        Self::IngestDelete,
        Self::IngestSuccessful,
        Self::IngestFailed,
        Self::IngestUnprocessed,
        Self::QueryJobCreate,
        Self::QueryJobList,
        Self::QueryJobGet,
        Self::QueryJobPatch,
        Self::QueryJobDelete,
        Self::QueryJobResults,
        Self::QueryJobPages,
        Self::ToolingQuery,
        Self::ToolingQueryMore,
        Self::ToolingComposite,
        Self::ToolingDescribe,
        Self::ToolingGet,
        Self::ToolingCreate,
        Self::ToolingUpdate,
        Self::ToolingDelete,
        Self::MetadataDescribe,
        Self::MetadataList,
        Self::MetadataCreate,
        Self::MetadataRead,
        Self::MetadataUpdate,
        Self::MetadataUpsert,
        Self::MetadataDelete,
        Self::MetadataRename,
        Self::MetadataDeploy,
        Self::MetadataCheckDeploy,
        Self::MetadataCancelDeploy,
        Self::MetadataRetrieve,
        Self::MetadataCheckRetrieve,
        Self::DeployCreate,
        Self::DeployGet,
        Self::DeployPatch,
    ];
}
