//! `deploy()` and its like of the SOAP API, in the order of the metadata WSDL of 63.0.

use chrono::{DateTime, Utc};

use super::super::super::ids;
use super::super::super::soql::output::datetime;
use super::super::super::state::State;
use super::super::super::xml::{Element, Node};
use super::super::{Caller, Fault, parameter};
use super::rest::{check_production, decode};
use super::{Deploy, NotCanceled, Options, Status, by_poll, cancel, name_of, submit, submit_validated};

/// XML Schema dates have a colon in their offset, or a Z.
pub(in crate::testing::org::metadata) fn date(at: DateTime<Utc>) -> String {
    datetime(at).replace("+0000", "Z")
}

/// `AsyncResult`
pub(in crate::testing::org::metadata) fn queued(response: &'static str, id: &str) -> Node {
    let result = Node::new("result").flag("done", false).with("id", id).with("state", "Queued");
    Node::new(response).children([result])
}

fn unknown(id: &str) -> Fault {
    // [K] The code and the text.
    Fault::new("INVALID_CROSS_REFERENCE_KEY", format!("invalid async process id: {id}"))
}

pub(in crate::testing::org::metadata) fn deploy(
    state: &mut State,
    caller: &Caller,
    call: &Element,
) -> Result<Node, Fault> {
    // [K] Codes and texts.
    let archive = call.child("ZipFile").map(|file| decode(file.text.as_bytes())).transpose();
    let Some(archive) = archive.map_err(|error| Fault::new("INVALID_OPERATION", error.message))? else {
        return Err(Fault::new("MISSING_ARGUMENT", "ZipFile is missing"));
    };
    if archive.len() > state.deploys.settings.bounds.packed {
        // [S] The text.
        let most = state.deploys.settings.bounds.packed;
        let message = format!("Maximum size of request reached. Maximum size of request is {most} bytes.");
        return Err(Fault::new("LIMIT_EXCEEDED", message));
    }
    let options = call.child("DeployOptions").map(Options::of_xml).transpose();
    let options = options.map_err(|text| Fault::new("INVALID_OPERATION", text))?.unwrap_or_default();
    check_production(state, &options).map_err(|text| Fault::new("INVALID_OPERATION", text))?;
    let place = submit(state, &caller.user, caller.version, options, archive);
    Ok(queued("deployResponse", &state.deploys.jobs[place].id))
}

pub(in crate::testing::org::metadata) fn recent_validation(
    state: &mut State,
    caller: &Caller,
    call: &Element,
) -> Result<Node, Fault> {
    let id = call.text_of("validationId").unwrap_or_default();
    let place = submit_validated(state, &caller.user, caller.version, id).ok_or_else(|| unknown(id))?;
    Ok(Node::new("deployRecentValidationResponse").with("result", &state.deploys.jobs[place].id))
}

pub(in crate::testing::org::metadata) fn cancel_deploy(
    state: &mut State,
    caller: &Caller,
    call: &Element,
) -> Result<Node, Fault> {
    let id = parameter(call, "String").map(|id| id.text.trim()).unwrap_or_default();
    let place = state.deploys.place(id).ok_or_else(|| unknown(id))?;
    // [K] Code and texts; that finalizing ones cannot be cancelled from 65.0 on is documented.
    cancel(state, place, &caller.user, caller.version).map_err(|reason| {
        let text = match reason {
            NotCanceled::Done => "The deployment is already completed",
            NotCanceled::Finalizing => "A deployment with the status Finalizing Deploy cannot be canceled",
        };
        Fault::new("INVALID_OPERATION", text)
    })?;
    let job = &state.deploys.jobs[place];
    let result = Node::new("result").flag("done", job.status.done()).with("id", &job.id);
    Ok(Node::new("cancelDeployResponse").children([result]))
}

pub(in crate::testing::org::metadata) fn check(state: &mut State, call: &Element) -> Result<Node, Fault> {
    let id = call.text_of("asyncProcessId").unwrap_or_default();
    let place = state.deploys.place(id).ok_or_else(|| unknown(id))?;
    by_poll(state);
    let details = call.flag("includeDetails").unwrap_or(false);
    let result = result(state, &state.deploys.jobs[place], details);
    Ok(Node::new("checkDeployStatusResponse").children([result]))
}

fn result(state: &State, job: &Deploy, details: bool) -> Node {
    let (code, text) = job.error.clone().unzip();
    let status = match job.status {
        // The enumeration of 63.0 has neither.
        Status::FinalizingDeploy => Status::InProgress,
        Status::FinalizingDeployFailed => Status::Failed,
        status => status,
    };
    let number = |number: usize| number.to_string();
    let canceled = job.canceled_by.as_deref();
    let mut node = Node::new("result")
        .maybe("canceledBy", canceled.map(ids::short))
        .maybe("canceledByName", canceled.map(|user| name_of(state, user)))
        .flag("checkOnly", job.options.check_only)
        .maybe("completedDate", job.completed.map(date))
        .with("createdBy", ids::short(&job.user))
        .with("createdByName", name_of(state, &job.user))
        .with("createdDate", date(job.created));
    if details {
        let at = job.completed.unwrap_or(job.modified);
        let failures = job.rows.iter().filter(|row| !row.success).map(|row| row.to_node("componentFailures", at));
        let successes = job.rows.iter().filter(|row| row.success).map(|row| row.to_node("componentSuccesses", at));
        let tests =
            Node::new("runTestResult").with("numFailures", "0").with("numTestsRun", "0").with("totalTime", "0.0");
        node.push(Node::new("details").children(failures.chain(successes)).children([tests]));
    }
    node.flag("done", job.status.done())
        .maybe("errorMessage", text)
        .maybe("errorStatusCode", code)
        .with("id", &job.id)
        .flag("ignoreWarnings", job.options.ignore_warnings)
        .with("lastModifiedDate", date(job.modified))
        .with("numberComponentErrors", number(job.errors()))
        .with("numberComponentsDeployed", number(job.deployed))
        .with("numberComponentsTotal", number(job.total))
        .with("numberTestErrors", "0")
        .with("numberTestsCompleted", "0")
        .with("numberTestsTotal", "0")
        .flag("rollbackOnError", job.options.rollback_on_error)
        .flag("runTestsEnabled", job.options.runs_tests())
        .maybe("startDate", job.started.map(date))
        .with("status", status.name())
        .flag("success", job.status == Status::Succeeded)
}
