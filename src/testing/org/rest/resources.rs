//! Versions, the list of resources, limits and record counts.

use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::router::VERSIONS;
use crate::testing::org::schema::Object;
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Value, is_set};
use crate::testing::org::wire::Answer;

/// `GET /services/data`, ascending (recorded: rest/collections-delete-and-versions.json).
pub(crate) fn versions() -> Answer {
    let entry = |version: u32| {
        // Three releases a year, 31.0 was Summer '14.
        let (season, first) = match version % 3 {
            0 => ("Spring", 33),
            1 => ("Summer", 31),
            _ => ("Winter", 32),
        };
        let year = if season == "Summer" { 14 } else { 15 } + (version - first) / 3;
        Json::object([
            ("label", Json::string(format!("{season} '{year}"))),
            ("url", Json::string(format!("/services/data/v{version}.0"))),
            ("version", Json::string(format!("{version}.0"))),
        ])
    };
    Answer::json(200, &Json::Array(VERSIONS.map(entry).collect()))
}

/// `GET /services/data/vXX.0` (keys from oauth/password-flow-token-resources-identity.yml, and those this org serves).
pub(super) fn resources(state: &State, call: &Call<'_>) -> Answer {
    let names = [
        "tooling",
        "metadata",
        "eclair",
        "folders",
        "jsonxform",
        "chatter",
        "payments",
        "tabs",
        "appMenu",
        "quickActions",
        "queryAll",
        "commerce",
        "wave",
        "analytics",
        "search",
        "recent",
        "process",
        "compactLayouts",
        "limits",
        "sobjects",
        "actions",
        "composite",
        "theme",
        "nouns",
        "support",
        "parameterizedSearch",
        "connect",
        "query",
        "jobs",
        "licensing",
    ];
    let url = |name: &str| (name.to_owned(), Json::string(format!("{}/{name}", call.base)));
    let mut members: Vec<(String, Json)> = names.into_iter().map(url).collect();
    let identity = state.auth.identity_url(&call.writer.user);
    members.push(("identity".to_owned(), Json::string(identity)));
    Answer::json(200, &Json::Object(members))
}

/// `GET /limits`: keys and maxima of a Developer Edition org (recorded: rest/limits-v60.json). What this org counts is counted,
/// the rest is untouched.
pub(super) fn limits(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    check_setup(call)?;
    let now = state.data.now();
    let (limit, remaining) = (state.usage.daily_limit, state.usage.remaining(now));
    let store = &state.data.store;
    let live = |object: &str| store.live_count(object) as u64;
    // Profiles have permission sets of their own, which do not count. [K]
    let sets = store.rows("PermissionSet", false).filter(|row| !is_set(row, "IsOwnedByProfile")).count() as u64;
    let records: u64 = state.schema.objects().map(|object| live(&object.name)).sum();
    let file_bytes = store.rows("ContentVersion", false).filter_map(|row| match row.get("ContentSize") {
        Some(Value::Number(size)) => u64::try_from(*size).ok(),
        _ => None,
    });
    let file_bytes: u64 = file_bytes.sum();
    let (batches, query_jobs) = (state.bulk.batches.remaining(now), state.bulk.query_jobs.remaining(now));
    let pair = |max: u64, used: u64| {
        let remaining = max.saturating_sub(used);
        vec![("Max".to_owned(), Json::number(max)), ("Remaining".to_owned(), Json::number(remaining))]
    };
    let entry = |&(name, max): &(&str, u64)| {
        let mut members = match name {
            "DailyApiRequests" => pair(limit, limit - remaining),
            "DailyBulkApiBatches" => pair(max, max.saturating_sub(batches)),
            "DailyBulkV2QueryJobs" => pair(max, max.saturating_sub(query_jobs)),
            // Help, "Data and File Storage Allocations": most records count as 2 KB.
            "DataStorageMB" => pair(max, records / 512),
            "FileStorageMB" => pair(max, file_bytes >> 20),
            "MaxContentDocumentsLimit" => pair(max, live("ContentDocument")),
            "PermissionSets" => pair(max, sets),
            _ => pair(max, 0),
        };
        if name == "PermissionSets" {
            members
                .push(("CreateCustom".to_owned(), Json::Object(pair(state.data.limits.permission_sets as u64, sets))));
        }
        (name.to_owned(), Json::Object(members))
    };
    Ok(Answer::json(200, &Json::Object(LIMITS.iter().map(entry).collect())))
}

/// `GET /limits/recordCount?sObjects=Account,Contact`: objects without rows are missing (wire facts 2.8); archived rows do not
/// count (REST guide, "Record Count").
pub(super) fn record_count(state: &State, call: &Call<'_>) -> Result<Answer, ApiError> {
    check_setup(call)?;
    let wanted: Option<Vec<String>> =
        call.request.param("sObjects").map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let counts = call.view.schema.objects().filter_map(|object| {
        let asked =
            wanted.as_ref().is_none_or(|names| names.iter().any(|name| name.eq_ignore_ascii_case(&object.name)));
        let count = match &state.knobs.counts {
            Some(frozen) => frozen.get(&object.name.to_ascii_lowercase()).copied().unwrap_or(0),
            None => live_rows(state, object),
        };
        (asked && count > 0)
            .then(|| Json::object([("count", Json::number(count)), ("name", Json::string(&object.name))]))
    });
    Ok(Answer::json(200, &Json::object([("sObjects", Json::Array(counts.collect()))])))
}

/// Rows neither deleted nor archived.
pub(crate) fn live_rows(state: &State, object: &Object) -> usize {
    let archived = object
        .field("IsArchived")
        .map_or(0, |_| state.data.store.rows(&object.name, false).filter(|row| is_set(row, "IsArchived")).count());
    state.data.store.live_count(&object.name) - archived
}

/// REST guide, "Limits" and "Record Count": both are for users with "View Setup and Configuration".
fn check_setup(call: &Call<'_>) -> Result<(), ApiError> {
    if call.view.has("ViewSetup") {
        return Ok(());
    }
    // [K] Status and text.
    Err(ApiError::new(403, "INSUFFICIENT_ACCESS", "insufficient access rights on object id"))
}

const LIMITS: &[(&str, u64)] = &[
    ("AnalyticsExternalDataSizeMB", 40_960),
    ("CdpAiInferenceApiMonthlyLimit", 500_000_000),
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentEinsteinDataInsightsStoryCreation", 5),
    ("ConcurrentEinsteinDiscoveryStoryCreation", 2),
    ("ConcurrentSyncReportRuns", 20),
    ("ContentDistBandwidthLimitMB", 51_200),
    ("ContentDistViewLimit", 50_000),
    ("ContentPublicationLimit", 2_500),
    ("DailyAnalyticsDataflowJobExecutions", 60),
    ("DailyAnalyticsUploadedFilesSizeMB", 51_200),
    ("DailyApexCursorLimit", 10_000),
    ("DailyApexCursorRowsLimit", 100_000_000),
    ("DailyApexPCursorLimit", 200_000),
    ("DailyApiRequests", 15_000),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyAsyncApexTests", 500),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryFileStorageMB", 976_562),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyDeliveredPlatformEvents", 10_000),
    ("DailyDurableGenericStreamingApiEvents", 10_000),
    ("DailyDurableStreamingApiEvents", 10_000),
    ("DailyEinsteinDataInsightsStoryCreation", 1_000),
    ("DailyEinsteinDiscoveryOptimizationJobRuns", 25),
    ("DailyEinsteinDiscoveryPredictAPICalls", 50_000),
    ("DailyEinsteinDiscoveryPredictionsByCDC", 500_000),
    ("DailyEinsteinDiscoveryStoryCreation", 100),
    ("DailyFunctionsApiCallLimit", 50_000),
    ("DailyGenericStreamingApiEvents", 10_000),
    ("DailyMetadataRetrievesWithDependencies", 25),
    ("DailyServiceEmailAgentforceCalls", 5_000),
    ("DailyStandardVolumePlatformEvents", 10_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DailyWorkflowEmails", 8_040),
    ("DataStorageMB", 5),
    ("DurableStreamingApiConcurrentClients", 20),
    ("ExternalServicesActiveObjects", 3_000),
    ("ExternalServicesActiveOperations", 3_000),
    ("ExternalServicesObjectProperties", 400_000),
    ("ExternalServicesObjects", 10_000),
    ("ExternalServicesOperations", 10_000),
    ("ExternalServicesRegistrations", 700),
    ("FileStorageMB", 20),
    ("HourlyAsyncReportRuns", 1_200),
    ("HourlyDashboardRefreshes", 200),
    ("HourlyDashboardResults", 5_000),
    ("HourlyDashboardStatuses", 999_999_999),
    ("HourlyElevateAsyncReportRuns", 1_200),
    ("HourlyElevateSyncReportRuns", 500),
    ("HourlyLongTermIdMapping", 100_000),
    ("HourlyManagedContentPublicRequests", 50_000),
    ("HourlyODataCallout", 1_000),
    ("HourlyPublishedPlatformEvents", 50_000),
    ("HourlyPublishedStandardVolumePlatformEvents", 1_000),
    ("HourlyShortTermIdMapping", 100_000),
    ("HourlySyncReportRuns", 500),
    ("HourlyTimeBasedWorkflow", 1_000),
    ("MassEmail", 10),
    ("MaxContentDocumentsLimit", 30_000_000),
    ("MonthlyEinsteinDiscoveryStoryCreation", 500),
    ("Package2VersionCreates", 6),
    ("Package2VersionCreatesWithoutValidation", 500),
    ("PermissionSets", 1_500),
    ("PlatformEventTriggersWithParallelProcessing", 5),
    ("PrivateConnectOutboundCalloutHourlyLimitMB", 0),
    ("PublishCallbackUsageInApex", 5_242_880),
    ("ScheduledFlowRunLimit", 250_000),
    ("ScheduledPathRunLimit", 250_000),
    ("SingleEmail", 15),
    ("StreamingApiConcurrentClients", 20),
];
