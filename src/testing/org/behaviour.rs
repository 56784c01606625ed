//! What standard objects do by themselves when they are saved.

use chrono::Datelike as _;
use rust_decimal::{Decimal, RoundingStrategy};

use super::clock::OrgClock;
use super::data::{Data, Rights, Writer, row_id, set};
use super::error::ApiError;
use super::json::Json;
use super::schema::{Object, Schema};
use super::store::Store;
use super::value::{Row, Value};

/// Objects whose `Name` is put together from first and last name.
pub(crate) fn is_person(object: &Object) -> bool {
    matches!(object.name.as_str(), "Contact" | "Lead" | "User")
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    match row.get(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn number(row: &Row, name: &str) -> Option<Decimal> {
    match row.get(name) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// Fills in what follows from the values of a row about to be saved. `old` is the row as it was.
pub(crate) fn before_save(
    store: &Store,
    clock: &OrgClock,
    object: &Object,
    row: &mut Row,
    old: Option<&Row>,
) -> Result<(), ApiError> {
    match object.name.as_str() {
        "Opportunity" => opportunity(store, clock, row, old),
        "Task" => task(store, row),
        "Event" => event(store, row),
        "Lead" if matches!(old.and_then(|old| old.get("IsConverted")), Some(Value::Bool(true))) => {
            // [K] The text.
            return Err(ApiError::row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", []));
        }
        "User" if !row.contains_key("UserType") => set(row, "UserType", Value::Text("Standard".to_owned())),
        _ => {}
    }
    if old.is_none() && object.field("PhotoUrl").is_some() {
        // recorded: rest/get-record-account.json
        let photo = row_id(row).map(|id| format!("/services/images/photo/{id}"));
        set(row, "PhotoUrl", photo.map_or(Value::Null, Value::Text));
    }
    Ok(())
}

/// `IsClosed`, `IsWon`, `Probability` and the forecast category follow from the stage, `ExpectedRevenue` from amount and
/// probability (wire facts 10).
fn opportunity(store: &Store, clock: &OrgClock, row: &mut Row, old: Option<&Row>) {
    let changed = |row: &Row, name: &str| old.and_then(|old| old.get(name)) != row.get(name);
    if changed(row, "StageName") {
        let name = text(row, "StageName").unwrap_or_default();
        let stage = store.rows("OpportunityStage", false).find(|stage| text(stage, "ApiName") == Some(name));
        let of_stage = |name: &str| stage.and_then(|stage| stage.get(name)).cloned();
        set(row, "IsClosed", of_stage("IsClosed").unwrap_or(Value::Bool(false)));
        set(row, "IsWon", of_stage("IsWon").unwrap_or(Value::Bool(false)));
        // [K] A stage the setup does not know counts as pipeline.
        let pipeline = Value::Text("Pipeline".to_owned());
        set(row, "ForecastCategory", of_stage("ForecastCategory").unwrap_or(pipeline.clone()));
        if !changed(row, "ForecastCategoryName") || !row.contains_key("ForecastCategoryName") {
            set(row, "ForecastCategoryName", of_stage("ForecastCategoryName").unwrap_or(pipeline));
        }
        if !changed(row, "Probability") || !row.contains_key("Probability") {
            set(row, "Probability", of_stage("DefaultProbability").unwrap_or(Value::Null));
        }
        if old.is_some() {
            set(row, "LastStageChangeDate", Value::DateTime(clock.now()));
        }
    }
    let expected = number(row, "Amount").zip(number(row, "Probability")).map(|(amount, percent)| {
        let product = amount * percent / Decimal::ONE_HUNDRED;
        Value::Number(product.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero).normalize())
    });
    set(row, "ExpectedRevenue", expected.unwrap_or(Value::Null));
    if let Some(Value::Date(close)) = row.get("CloseDate") {
        // The fiscal year of this org is the calendar year.
        let (year, quarter) = (close.year(), close.month0() / 3 + 1);
        set(row, "FiscalYear", Value::Number(year.into()));
        set(row, "FiscalQuarter", Value::Number(quarter.into()));
        set(row, "Fiscal", Value::Text(format!("{year} {quarter}")));
    }
}

fn task(store: &Store, row: &mut Row) {
    let closed = text(row, "Status") == Some("Completed");
    let high = text(row, "Priority") == Some("High");
    set(row, "IsClosed", Value::Bool(closed));
    set(row, "IsHighPriority", Value::Bool(high));
    activity_account(store, row);
}

fn event(store: &Store, row: &mut Row) {
    // Object Reference, Event: StartDateTime and ActivityDateTime are one value; the end follows from the duration.
    let start = row.get("StartDateTime").or_else(|| row.get("ActivityDateTime")).cloned();
    if let Some(Value::DateTime(start)) = start {
        set(row, "StartDateTime", Value::DateTime(start));
        set(row, "ActivityDateTime", Value::DateTime(start));
        set(row, "ActivityDate", Value::Date(start.date_naive()));
        let minutes = number(row, "DurationInMinutes").and_then(|minutes| i64::try_from(minutes).ok());
        if let Some(Value::DateTime(end)) = row.get("EndDateTime").cloned().filter(|_| minutes.is_none()) {
            set(row, "DurationInMinutes", Value::Number((end - start).num_minutes().into()));
        } else if let Some(length) = minutes.and_then(chrono::TimeDelta::try_minutes) {
            set(row, "EndDateTime", start.checked_add_signed(length).map_or(Value::Null, Value::DateTime));
        }
        if let Some(Value::DateTime(end)) = row.get("EndDateTime") {
            let end = end.date_naive();
            set(row, "EndDate", Value::Date(end));
        }
    }
    activity_account(store, row);
}

/// The account an activity belongs to: of its `WhatId`, else of its contact.
fn activity_account(store: &Store, row: &mut Row) {
    let account_of = |id: &str| {
        if id.starts_with("001") {
            return Some(id.to_owned());
        }
        let (row, _) = store.find(id)?;
        text(row, "AccountId").map(str::to_owned)
    };
    let account = text(row, "WhatId").and_then(account_of).or_else(|| text(row, "WhoId").and_then(account_of));
    set(row, "AccountId", account.map_or(Value::Null, Value::Text));
}

/// Combinations that may occur once, although no single field is unique.
pub(crate) fn check_unique(store: &Store, object: &Object, row: &Row, id: Option<&str>) -> Result<(), ApiError> {
    let others = || store.rows(&object.name, false).filter(|other| row_id(other).as_deref() != id);
    let same = |other: &Row, name: &str| other.get(name) == row.get(name);
    match object.name.as_str() {
        "PermissionSetAssignment"
            if others().any(|other| same(other, "AssigneeId") && same(other, "PermissionSetId")) =>
        {
            // Recorded text (wire facts 2.5), two blanks included.
            let (user, set) =
                (text(row, "AssigneeId").unwrap_or_default(), text(row, "PermissionSetId").unwrap_or_default());
            let message = format!("Duplicate PermissionSetAssignment.  Assignee: {user}; Permission Set: {set}");
            return Err(ApiError::row("DUPLICATE_VALUE", message, ["AssigneeId", "PermissionSetId"]));
        }
        "User" => {
            let name = text(row, "Username").unwrap_or_default();
            if others().any(|other| text(other, "Username").is_some_and(|other| other.eq_ignore_ascii_case(name))) {
                // [K] The text.
                return Err(ApiError::row("DUPLICATE_USERNAME", "Duplicate Username", ["Username"]));
            }
        }
        "PermissionSet" if others().any(|other| same(other, "Name")) => {
            // [K] The text.
            let message = "The developer name you entered is already in use. It must be unique";
            return Err(ApiError::row("DUPLICATE_DEVELOPER_NAME", message, ["Name"]));
        }
        _ => {}
    }
    Ok(())
}

/// An opportunity gets a history row at its creation and whenever one of these changes (Object Reference).
const WATCHED: [&str; 4] = ["Amount", "Probability", "StageName", "CloseDate"];

/// Records that a save writes beside the record itself.
pub(crate) fn after_save(
    data: &mut Data,
    schema: &Schema,
    writer: &Writer,
    object: &Object,
    id: &str,
    old: Option<&Row>,
) -> Result<(), ApiError> {
    if object.name != "Opportunity" {
        return Ok(());
    }
    let (Some((row, _)), Some(history)) = (data.store.find(id), schema.object("OpportunityHistory")) else {
        return Ok(());
    };
    if old.is_some_and(|old| WATCHED.iter().all(|name| old.get(*name) == row.get(*name))) {
        return Ok(());
    }
    let copied = ["Amount", "CloseDate", "ExpectedRevenue", "ForecastCategory", "Probability", "StageName"];
    let mut values = Row::new();
    for name in copied {
        set(&mut values, name, row.get(name).cloned().unwrap_or(Value::Null));
    }
    for (name, previous) in [("PrevAmount", "Amount"), ("PrevCloseDate", "CloseDate")] {
        set(&mut values, name, old.and_then(|old| old.get(previous)).cloned().unwrap_or(Value::Null));
    }
    values.insert("OpportunityId".to_owned(), Value::Text(id.to_owned()));
    let system = Writer { rights: Rights::System, ..writer.clone() };
    let entry = data.create(schema, &system, history, &[("IsDeleted".to_owned(), Json::Bool(false))], None)?;
    if let Some((row, _)) = data.store.find(&entry) {
        let mut row = row.clone();
        row.extend(values);
        data.store.update(&entry, row);
    }
    Ok(())
}
