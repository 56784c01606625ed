//! What users may do, as rows.

use super::rows::{Filler, durable_field_id, durable_id, sharing_model};
use crate::testing::org::ids;
use crate::testing::org::permissions::{self, UserView};
use crate::testing::org::schema::Object;
use crate::testing::org::soql::SoqlError;
use crate::testing::org::soql::catalog::Statement;
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Row, text};

/// Records one statement may ask for (Object Reference, `UserRecordAccess`).
const MAX_RECORDS: usize = 200;

fn view_of(state: &State, user: &str) -> UserView {
    permissions::view_of(&state.schema, &state.data, &state.open_profiles, &state.denials, user)
}

/// The users a statement names, of those there are.
fn users(state: &State, statement: &Statement) -> Vec<String> {
    let named = statement.keys("UserId").into_iter().chain(statement.keys("User.Id"));
    let named = named.filter_map(|id| ids::to_18(&id));
    let mut users: Vec<String> = named.filter(|id| state.data.store.object_of(id) == Some("User")).collect();
    users.dedup();
    users
}

/// Objects the statement names, all if it names none.
fn objects<'s>(state: &'s State, statement: &Statement) -> Vec<&'s Object> {
    let mut names = statement.keys("EntityDefinition.QualifiedApiName");
    names.extend(statement.keys("EntityDefinitionId"));
    let asked = |object: &&Object| {
        let is = |name: &String| name.eq_ignore_ascii_case(&object.name) || *name == durable_id(object);
        names.is_empty() || names.iter().any(is)
    };
    state.schema.objects().filter(asked).collect()
}

/// Tooling API guide, `UserEntityAccess`.
pub(super) fn entities(state: &State, statement: &Statement) -> Result<Vec<Row>, SoqlError> {
    // [S] The list of the columns.
    statement.check_reified("UserEntityAccess", &["UserId", "User.Id", "DurableId"], "UserId,DurableId")?;
    let mut rows = Vec::new();
    for user in users(state, statement) {
        let view = view_of(state, &user);
        for object in objects(state, statement) {
            let seen = view.schema.object(&object.name);
            let may = |flag: fn(&Object) -> bool| seen.is_some_and(flag);
            // [K] The form of the durable id.
            let mut row = Filler::durable(format!("{}.{}", durable_id(object), ids::short(&user)));
            row.text("EntityDefinitionId", durable_id(object)).text("UserId", &user);
            for (name, flag) in [
                ("IsActivateable", false),
                ("IsCreatable", may(|object| object.createable)),
                ("IsDeletable", may(|object| object.deletable)),
                ("IsEditable", may(|object| object.updateable)),
                ("IsFlsUpdatable", seen.is_some() && view.has("ManageProfilesPermissionsets")),
                ("IsMergeable", may(|object| object.mergeable)),
                ("IsReadable", seen.is_some()),
                ("IsUndeletable", may(|object| object.undeletable)),
                ("IsUpdatable", may(|object| object.updateable)),
            ] {
                row.flag(name, flag);
            }
            rows.push(row.row());
        }
    }
    Ok(rows)
}

/// Tooling API guide, `UserFieldAccess`.
pub(super) fn fields(state: &State, statement: &Statement) -> Result<Vec<Row>, SoqlError> {
    statement.check_reified("UserFieldAccess", &["UserId", "User.Id", "DurableId"], "UserId,DurableId")?;
    let mut rows = Vec::new();
    for user in users(state, statement) {
        let view = view_of(state, &user);
        for object in objects(state, statement) {
            let seen = view.schema.object(&object.name);
            for field in &object.fields {
                let own = seen.and_then(|seen| seen.field(&field.name));
                let id = durable_field_id(object, field);
                let mut row = Filler::durable(format!("{id}.{}", ids::short(&user)));
                row.text("EntityDefinitionId", durable_id(object))
                    .text("FieldDefinitionId", id)
                    .text("UserId", &user)
                    .flag("IsAccessible", own.is_some())
                    .flag("IsCreatable", own.is_some_and(|own| own.createable))
                    .flag("IsUpdatable", own.is_some_and(|own| own.updateable));
                rows.push(row.row());
            }
        }
    }
    Ok(rows)
}

/// Object Reference, `UserRecordAccess`: one user, and up to 200 records.
pub(super) fn records(state: &State, call: &Call<'_>, statement: &Statement) -> Result<Vec<Row>, SoqlError> {
    let refuse = |message: &str| SoqlError { code: "MALFORMED_QUERY", message: message.to_owned() };
    let users = users(state, statement);
    let wanted = statement.keys("RecordId");
    // [K] The texts.
    if statement.keys("UserId").is_empty() || wanted.is_empty() {
        return Err(refuse("UserRecordAccess: the query must filter by UserId and RecordId"));
    }
    if wanted.len() > MAX_RECORDS {
        return Err(refuse("UserRecordAccess: a query may name up to 200 record ids"));
    }
    let mut rows = Vec::new();
    for user in users {
        let view = if user == call.writer.user { None } else { Some(view_of(state, &user)) };
        let view = view.as_ref().unwrap_or(&call.view);
        for id in wanted.iter().filter_map(|id| ids::to_18(id)) {
            rows.push(record(state, view, &user, &id));
        }
    }
    Ok(rows)
}

fn record(state: &State, view: &UserView, user: &str, id: &str) -> Row {
    let found = state.data.store.find(id).filter(|(_, deleted)| !deleted).map(|(row, _)| row);
    let object = state.data.store.object_of(id).and_then(|name| view.schema.object(name)).filter(|_| found.is_some());
    let owner = found.map(|row| text(row, "OwnerId")).unwrap_or_default() == user;
    let (sees, changes) = object.map_or((false, false), |object| view.all_records(&object.name));
    // [K] Roles and sharing rules, which the org does not have, would widen what the org-wide default gives.
    let (reads, writes, all_of) = object.map_or((false, false, false), |object| {
        let model = sharing_model(object);
        let writes = !matches!(model, "Private" | "Read");
        (model != "Private", writes, matches!(model, "FullAccess"))
    });
    let may = |flag: fn(&Object) -> bool| object.is_some_and(flag);
    let read = object.is_some() && (owner || sees || changes || reads);
    let edit = read && may(|object| object.updateable) && (owner || changes || writes);
    let delete = read && may(|object| object.deletable) && (owner || changes || all_of);
    let level = match (read, edit, delete) {
        (_, _, true) => "All",
        (_, true, _) => "Edit",
        (true, _, _) => "Read",
        _ => "None",
    };
    let mut row = Filler::default();
    row.text("Id", id)
        .text("RecordId", id)
        .text("UserId", user)
        .flag("HasReadAccess", read)
        .flag("HasEditAccess", edit)
        .flag("HasDeleteAccess", delete)
        .flag("HasTransferAccess", delete)
        .flag("HasAllAccess", delete)
        .text("MaxAccessLevel", level);
    row.row()
}
