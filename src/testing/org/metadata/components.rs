//! The calls that change components: one by one, or all or none.

use super::super::operation::Operation;
use super::super::state::State;
use super::super::xml::{Element, Node};
use super::{Caller, Fault, Kind, Refusal, check_count, names, permission_sets};

/// What became of a component.
struct Outcome {
    name: String,
    /// Whether it was created.
    result: Result<bool, Refusal>,
}

/// `createMetadata`, `updateMetadata` and `upsertMetadata`
pub(super) fn save(
    state: &mut State,
    caller: &Caller,
    call: &Element,
    operation: Operation,
    all_or_none: bool,
) -> Result<Node, Fault> {
    let components: Vec<&Element> = call.all("metadata").collect();
    check_count(components.len())?;
    let mut kinds = components.iter().map(|component| Kind::of_call(component.kind.as_deref().unwrap_or_default()));
    let Some(kind) = kinds.next().transpose()? else { return Ok(Node::new(response_of(operation))) };
    for other in kinds {
        if other? != kind {
            // [K] The code and the text; the rule is documented.
            return Err(Fault::new("INVALID_TYPE", "All components of a call must be of the same type"));
        }
    }
    let outcomes = carry_out(state, caller, kind, &components, all_or_none, |state, component| {
        let name = component.text_of("fullName").unwrap_or_default();
        let result = save_one(state, caller, kind, name, component, operation);
        Outcome { name: name.to_owned(), result }
    });
    let upsert = operation == Operation::MetadataUpsert;
    let results = outcomes.into_iter().map(|outcome| result(outcome, upsert));
    Ok(Node::new(response_of(operation)).children(results))
}

fn save_one(
    state: &mut State,
    caller: &Caller,
    kind: Kind,
    name: &str,
    component: &Element,
    operation: Operation,
) -> Result<bool, Refusal> {
    if name.is_empty() {
        // [K] The text.
        return Err(Refusal::new("REQUIRED_FIELD_MISSING", "Required fields are missing: [fullName]"));
    }
    let exists = super::exists(state, kind, name);
    let create = match operation {
        Operation::MetadataCreate => true,
        Operation::MetadataUpdate if !exists => return Err(super::unknown(kind, name)),
        Operation::MetadataUpdate => false,
        _ => !exists,
    };
    super::save(state, caller, kind, name, (component, None), create)?;
    Ok(create)
}

/// `deleteMetadata`
pub(super) fn delete(state: &mut State, caller: &Caller, call: &Element, all_or_none: bool) -> Result<Node, Fault> {
    let kind = Kind::of_call(call.text_of("type").unwrap_or_default())?;
    let names = names(call)?;
    let outcomes = carry_out(state, caller, kind, &names, all_or_none, |state, name| {
        let result = super::delete(state, caller, kind, name);
        Outcome { name: (*name).to_owned(), result: result.map(|()| false) }
    });
    let results = outcomes.into_iter().map(|outcome| result(outcome, false));
    Ok(Node::new("deleteMetadataResponse").children(results))
}

/// `renameMetadata`; of permission sets only.
pub(super) fn rename(state: &mut State, caller: &Caller, call: &Element) -> Result<Node, Fault> {
    let kind = Kind::parse(call.text_of("type").unwrap_or_default())?;
    let old = call.text_of("oldFullName").unwrap_or_default();
    let new = call.text_of("newFullName").unwrap_or_default();
    let outcomes = carry_out(state, caller, kind, &[old], false, |state, old| {
        let result = match kind {
            Kind::PermissionSet => permission_sets::rename(state, caller, old, new),
            // [K] The code and the text; a real org does rename objects and fields.
            _ => Err(Refusal::integrity(format!("This org does not rename a {}", kind.name()))),
        };
        Outcome { name: (*old).to_owned(), result: result.map(|()| false) }
    });
    let results = outcomes.into_iter().map(|outcome| result(outcome, false));
    Ok(Node::new("renameMetadataResponse").children(results))
}

/// Runs over the components. Each that fails leaves no trace; with `all_or_none` one failure undoes all.
fn carry_out<C>(
    state: &mut State,
    caller: &Caller,
    kind: Kind,
    components: &[C],
    all_or_none: bool,
    mut one: impl FnMut(&mut State, &C) -> Outcome,
) -> Vec<Outcome> {
    let allowed = state.view(&caller.user).has(kind.permission());
    let before = (state.schema.clone(), state.components.clone());
    state.data.store.begin();
    let outcomes: Vec<Outcome> = components
        .iter()
        .map(|component| {
            let mut outcome = one(state, component);
            if !allowed {
                // [S] The text, of a whole call; [K] of a component.
                let message = format!("insufficient access rights on entity: {}", kind.name());
                outcome.result = Err(Refusal::new("INSUFFICIENT_ACCESS", message));
            }
            outcome
        })
        .collect();
    let failed = outcomes.iter().any(|outcome| outcome.result.is_err());
    if !allowed || (all_or_none && failed) {
        state.data.store.roll_back();
        (state.schema, state.components) = before;
        let objects: Vec<_> = state.schema.objects().cloned().collect();
        for object in objects {
            state.data.store.sync_table(&object);
        }
    } else {
        state.data.store.commit();
    }
    state.changed();
    if !(all_or_none && failed) {
        return outcomes;
    }
    let undo = |outcome: Outcome| match outcome.result {
        Ok(_) => {
            // recorded: metadata-soap/upsertMetadata-all-or-none-error.xml
            let message =
                "Record rolled back because not all records were valid and the request was using AllOrNone header";
            Outcome { result: Err(Refusal::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message)), ..outcome }
        }
        Err(_) => outcome,
    };
    outcomes.into_iter().map(undo).collect()
}

fn response_of(operation: Operation) -> &'static str {
    match operation {
        Operation::MetadataCreate => "createMetadataResponse",
        Operation::MetadataUpdate => "updateMetadataResponse",
        _ => "upsertMetadataResponse",
    }
}

/// `SaveResult`, `DeleteResult` or, with `created`, `UpsertResult`. A success has no `errors`
/// (recorded: metadata-soap/upsertMetadata-fields-response.xml).
fn result(outcome: Outcome, upsert: bool) -> Node {
    let mut node = Node::new("result");
    if upsert {
        node = node.flag("created", matches!(outcome.result, Ok(true)));
    }
    let success = outcome.result.is_ok();
    if let Err(refusal) = outcome.result {
        let mut error = Node::new("errors");
        for field in &refusal.fields {
            error = error.with("fields", field);
        }
        node.push(error.with("message", &refusal.message).with("statusCode", &refusal.code));
    }
    node.with("fullName", &outcome.name).flag("success", success)
}
