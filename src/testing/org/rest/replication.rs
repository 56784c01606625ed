//! Get-updated and get-deleted (wire facts 2.8).

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::object_of;
use crate::testing::org::error::ApiError;
use crate::testing::org::input;
use crate::testing::org::json::Json;
use crate::testing::org::schema::Object;
use crate::testing::org::soql::output::datetime;
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Row, Value, text};
use crate::testing::org::wire::Answer;

/// REST guide, "sObject Get Updated" and "sObject Get Deleted".
const DAYS_OF_UPDATES: i64 = 30;
const DAYS_OF_DELETES: i64 = 15;

/// What a request asks about, in whole minutes. The start belongs to it, the end does not, so that the next one may start there.
struct Window {
    start: DateTime<Utc>,
    /// `latestDateCovered`
    covered: DateTime<Utc>,
}

impl Window {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.covered
    }
}

/// `GET /sobjects/<object>/updated/?start=…&end=…`
pub(super) fn updated(state: &State, call: &Call<'_>, object: &str) -> Result<Answer, ApiError> {
    let object = replicateable(call, object)?;
    let window = window(state, call, DAYS_OF_UPDATES, TimeDelta::zero())?;
    let rows = state.data.store.rows(&object.name, false);
    let ids = rows.filter(|row| changed(object, row).is_some_and(|at| window.holds(at)));
    let ids: Vec<Json> = ids.map(|row| Json::string(text(row, "Id"))).collect();
    check_count(state, ids.len())?;
    let members = [("ids", Json::Array(ids)), ("latestDateCovered", Json::String(datetime(window.covered)))];
    Ok(Answer::json(200, &Json::object(members)))
}

/// `GET /sobjects/<object>/deleted/?start=…&end=…` (keys and their order: recorded:
/// restforce-fixtures/get_deleted_success_response.json)
pub(super) fn deleted(state: &State, call: &Call<'_>, object: &str) -> Result<Answer, ApiError> {
    let object = replicateable(call, object)?;
    let window = window(state, call, DAYS_OF_DELETES, TimeDelta::minutes(1))?;
    let now = state.data.now();
    let gone = [state.knobs.purged.get(&object.name.to_ascii_lowercase()).copied(), trimmed(state, call, now)];
    let gone = gone.into_iter().flatten().max();
    if let Some(gone) = gone.filter(|gone| window.start <= *gone) {
        // SOAP guide, getDeleted(): what is gone from the log makes the call fail. [K] The text.
        return Err(bad_date(format!("start date is before the earliest date available, {}", datetime(gone))));
    }
    let rows = state.data.store.deleted_rows(&object.name);
    let rows = rows.filter_map(|row| changed(object, row).map(|at| (row, at))).filter(|(_, at)| window.holds(*at));
    let records: Vec<Json> = rows
        .map(|(row, at)| {
            let at = Json::String(datetime(at));
            Json::object([("id", Json::string(text(row, "Id"))), ("deletedDate", at)])
        })
        .collect();
    check_count(state, records.len())?;
    // "The timestamp of the last physically deleted object". [K] Where there is none: the oldest that may be asked for.
    let earliest = gone.unwrap_or_else(|| minute(now - TimeDelta::days(DAYS_OF_DELETES)));
    Ok(Answer::json(
        200,
        &Json::object([
            ("deletedRecords", Json::Array(records)),
            ("earliestDateAvailable", Json::String(datetime(earliest))),
            ("latestDateCovered", Json::String(datetime(window.covered))),
        ]),
    ))
}

fn replicateable<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a Object, ApiError> {
    let object = object_of(&call.view.schema, name)?;
    if object.replicateable {
        return Ok(object);
    }
    // [K] Code and text; that only replicateable objects have these resources is documented.
    let message = format!("entity type {} does not support replication", object.name);
    Err(ApiError::new(400, "INVALID_TYPE_FOR_OPERATION", message))
}

fn window(state: &State, call: &Call<'_>, days: i64, more_than: TimeDelta) -> Result<Window, ApiError> {
    let date = |name: &str| {
        let given = call.request.param(name).unwrap_or_default();
        input::read_date_time(given).map(minute).ok_or_else(|| {
            // [K] Code and text.
            let message = format!("{name} date is required and must be in ISO8601 format: {given}");
            ApiError::new(400, "INVALID_REPLICATION_DATE", message)
        })
    };
    let (start, end) = (date("start")?, date("end")?);
    // SOAP guide: getUpdated() wants the start before the end, getDeleted() by more than a minute. [S] The text, as it is: restforce
    // issue 667.
    if end <= start || end - start <= more_than {
        return Err(bad_date("startDate must be at least one minute greater than endDate"));
    }
    let now = state.data.now();
    if start < minute(now - TimeDelta::days(days)) {
        // [S] The text: jsforce issue 406. [K] That it is this one.
        return Err(bad_date("startDate before org replication enabled date"));
    }
    let reached = now.checked_sub_signed(state.knobs.replication_lag).unwrap_or(DateTime::UNIX_EPOCH);
    // Never past the end; nor before the start, when replication is not that far yet.
    let covered = end.min(minute(reached)).max(start);
    Ok(Window { start, covered })
}

fn bad_date(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "INVALID_REPLICATION_DATE", message)
}

fn check_count(state: &State, ids: usize) -> Result<(), ApiError> {
    if ids <= state.knobs.replicated_ids {
        return Ok(());
    }
    // [K] The text.
    let message = format!("more than {} ids; choose dates that are closer together", state.knobs.replicated_ids);
    Err(ApiError::new(400, "EXCEEDED_ID_LIMIT", message))
}

/// "The call uses the `SystemModstamp` field. If `SystemModstamp` isn't available, the call uses `LastModifiedDate`."
fn changed(object: &Object, row: &Row) -> Option<DateTime<Utc>> {
    let name = ["SystemModstamp", "LastModifiedDate"].into_iter().find(|name| object.field(name).is_some())?;
    match row.get(name) {
        Some(Value::DateTime(at)) => Some(*at),
        _ => None,
    }
}

/// The newest entry that the delete log lost because it was full. Entries stay for two hours at least.
// SOAP guide, "Data Replication": one log for all objects, trimmed every two hours, oldest first.
fn trimmed(state: &State, call: &Call<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let kept = state.knobs.delete_log?;
    let objects = call.view.schema.objects().filter(|object| object.replicateable);
    let entries = objects
        .flat_map(|object| state.data.store.deleted_rows(&object.name).filter_map(move |row| changed(object, row)));
    let mut entries: Vec<DateTime<Utc>> = entries.collect();
    entries.sort_unstable_by(|left, right| right.cmp(left));
    entries.into_iter().skip(kept).find(|at| now - *at > TimeDelta::hours(2))
}

/// Seconds are ignored.
fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}
