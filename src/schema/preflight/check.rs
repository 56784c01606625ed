//! What a job needs against what an org shows. Pure.

use super::object::object_path;
use super::permission::{BROAD, label, path};
use super::{Looked, ObjectRequirement, ObjectRight, OrgView, Report, RequirementSet, UserKind, check_object, refusal};
use crate::error::ErrorKind;
use crate::schema::{Finding, Severity};

/// Calls left, in percent of those allowed, below which it is told.
const FEW_CALLS: u64 = 10;

/// Findings and what is fine, in the order of the checks.
#[derive(Default)]
struct Notes {
    findings: Vec<Finding>,
    fine: Vec<String>,
}

impl Notes {
    fn add(&mut self, findings: Vec<Finding>, fine: impl Into<String>) {
        if findings.is_empty() {
            self.fine.push(fine.into());
        }
        self.findings.extend(findings);
    }

    /// What may be there or not. Nobody can say that it is missing, so it stops nothing.
    fn unseen(&mut self, severity: Severity, subject: &str, why: &str, remedy: impl Into<String>) {
        let problem = format!("could not be checked ({why})");
        let finding = Finding::new("unchecked", ErrorKind::Forbidden, subject, problem, remedy);
        self.findings.push(finding.with_severity(severity.max(Severity::Recommended)));
    }
}

/// Compares what a job needs with what an org shows, in the order in which things have to be mended: API access, app, rights to
/// make fields, network address, setup changes; then objects and fields, sharing, records, notifier, user and calls.
///
/// What could not be looked at is a finding of its own, [`Severity::Recommended`] at most: `unchecked`.
#[must_use]
pub fn check(required: &RequirementSet, seen: &OrgView) -> Report {
    let mut notes = Notes::default();
    let mut unchecked = Vec::new();
    if let Some(error) = &seen.refused {
        notes.findings.extend(refusal(error));
        unchecked = all_that(required);
    } else {
        access(required, seen, &mut notes);
        objects(required, seen, &mut notes);
        records(required, seen, &mut notes);
        notifier(required, seen, &mut notes);
        user(required, seen, &mut notes);
        org(required, seen, &mut notes);
    }
    let Notes { mut findings, fine } = notes;
    for finding in &mut findings {
        finding.fixable = required.fixable.contains(&format!("{} {}", finding.code, finding.subject));
    }
    let report = Report {
        job: required.name.clone(),
        ready: true,
        findings,
        fine,
        unchecked,
        calls: seen.calls,
        org_id: seen.org_id,
        org: seen.org.seen().cloned(),
        user_id: seen.user_id,
        user: seen.user.seen().cloned(),
        user_kind: seen.user_kind(),
        calls_left: seen.calls_left,
        audit_trail: seen.audit_trail.seen().cloned().unwrap_or_default(),
    };
    report.settled()
}

/// What a set looks at, in words.
fn all_that(required: &RequirementSet) -> Vec<String> {
    let permissions =
        required.permissions.iter().map(|permission| format!("permission {}", permission.any_of.join(" or ")));
    let objects = required.objects.iter().map(|object| format!("{} and {} fields", object.object, object.fields.len()));
    let records = required.records.iter().map(|records| format!("records of {}", records.object));
    let notifier = required.notifier.iter().map(|notifier| format!("outbound message {}", notifier.message));
    permissions.chain(objects).chain(records).chain(notifier).collect()
}

/// The first five: API, app, rights to make fields, address, setup changes.
fn access(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    // That the data API has answered is the proof of the first two and of the fourth, whatever is written where.
    notes.fine.push("the API answers this user".to_owned());
    notes.fine.push("the connected app is allowed".to_owned());
    for permission in &required.permissions {
        let subject = permission.any_of.join(" or ");
        let proven = permission.any_of.iter().any(|name| name == "ApiEnabled");
        let held: Vec<Option<bool>> = permission.any_of.iter().map(|name| seen.has_permission(name)).collect();
        if proven || held.contains(&Some(true)) {
            notes.fine.push(format!("permission {}", labels(&permission.any_of)));
        } else if held.contains(&None) {
            notes.unseen(permission.severity, &subject, why(&seen.permissions), path(&permission.any_of));
        } else {
            let purpose = Some(&permission.purpose).filter(|purpose| !purpose.is_empty());
            let problem = purpose.map_or("is missing".to_owned(), |purpose| format!("is missing ({purpose})"));
            let finding = Finding::right("permission", subject, problem, path(&permission.any_of));
            notes.findings.push(finding.with_severity(permission.severity));
        }
    }
    notes.fine.push("this machine's address is not blocked".to_owned());
    if let Looked::Unseen(why) = &seen.audit_trail {
        let remedy = "let an admin look for what was changed or refused: Setup > View Setup Audit Trail, and Setup > Login History";
        notes.unseen(Severity::Optional, "the setup audit trail", why, remedy);
    }
}

fn labels(names: &[String]) -> String {
    names.iter().map(|name| label(name)).collect::<Vec<_>>().join(" or ")
}

fn why<T>(looked: &Looked<T>) -> &str {
    match looked {
        Looked::Unseen(why) => why,
        Looked::NotAsked | Looked::Seen(_) => "nobody asked",
    }
}

fn objects(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    for object in &required.objects {
        let name = object.object.as_str();
        let found = match seen.objects.get(name) {
            Some(Looked::Seen(found)) => found.as_ref(),
            Some(Looked::Unseen(why)) => {
                notes.unseen(object.severity, name, why, object_path(name, ObjectRight::Read));
                continue;
            }
            Some(Looked::NotAsked) | None => {
                notes.unseen(object.severity, name, "nobody asked", object_path(name, ObjectRight::Read));
                continue;
            }
        };
        if found.is_none() && follows(name).is_some_and(|leader| hidden(seen, leader)) {
            // It comes and goes with the other, which is told.
            continue;
        }
        let mut findings = check_object(object, found);
        // Of an object that is hidden there is nothing more to say.
        if found.is_some() {
            wide_rights(object, seen, notes, &mut findings);
            sharing(object, seen, notes, &mut findings);
        }
        let rights = object.rights.keys().map(ToString::to_string);
        let rights: Vec<String> = std::iter::once("Read".to_owned()).chain(rights).collect();
        let fields = match object.fields.len() {
            0 => String::new(),
            1 => " and a field".to_owned(),
            count => format!(" and {count} fields"),
        };
        notes.add(findings, format!("{name}: {}{fields}", rights.join(", ")));
    }
}

/// The object whose rights count for another as well.
fn follows(object: &str) -> Option<&'static str> {
    match object {
        "OpportunityContactRole" | "OpportunityHistory" | "OpportunityFieldHistory" | "OpportunityTeamMember" => {
            Some("Opportunity")
        }
        "AccountTeamMember" => Some("Account"),
        "LeadHistory" => Some("Lead"),
        _ => None,
    }
}

/// Whether an object was looked for and not seen.
fn hidden(seen: &OrgView, object: &str) -> bool {
    matches!(seen.objects.get(object), Some(Looked::Seen(None)))
}

/// View All and Modify All.
fn wide_rights(object: &ObjectRequirement, seen: &OrgView, notes: &mut Notes, findings: &mut Vec<Finding>) {
    let name = object.object.as_str();
    for (right, severity) in &object.rights {
        if !matches!(right, ObjectRight::ViewAll | ObjectRight::ModifyAll) {
            continue;
        }
        let severity = object.severity.max(*severity);
        match seen.has_wide_right(name, *right) {
            Some(true) => {}
            Some(false) => {
                let problem = format!("gives the user no {right}");
                let finding = Finding::right(right.code(), name, problem, object_path(name, *right));
                findings.push(finding.with_severity(severity));
            }
            None => {
                let subject = format!("{right} on {name}");
                notes.unseen(severity, &subject, why(&seen.object_rights), look_at(&object_path(name, *right)));
            }
        }
    }
}

/// Where the user may not look, somebody else does.
fn look_at(path: &str) -> String {
    format!("let an admin look at it, or give the user View Setup and Configuration; if it is missing, {path}")
}

/// Records of other owners, where the job wants them.
fn sharing(object: &ObjectRequirement, seen: &OrgView, notes: &mut Notes, findings: &mut Vec<Finding>) {
    let name = object.object.as_str();
    let Some(severity) = object.every_record.map(|severity| object.severity.max(severity)) else { return };
    let Some(org) = seen.org.seen() else { return };
    let setting = |name: &str| {
        org.sharing.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    let own = match setting(name) {
        // Contacts are shared as their accounts are.
        Some("ControlledByParent") => setting("Account"),
        other => other,
    };
    if own != Some("None") {
        return;
    }
    let path = object_path(name, ObjectRight::ViewAll);
    match seen.has_wide_right(name, ObjectRight::ViewAll) {
        Some(true) => {}
        Some(false) => {
            let problem =
                "is private in this org, and the user sees the records of other owners only where they are shared";
            let remedy =
                format!("{path}; or share them: Setup > Sharing Settings > Organization-Wide Defaults > {name}");
            findings.push(Finding::right("sharing", name, problem, remedy).with_severity(severity));
        }
        None => notes.unseen(severity, &format!("sharing of {name}"), why(&seen.object_rights), look_at(&path)),
    }
}

fn records(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    for wanted in &required.records {
        let name = wanted.object.as_str();
        match seen.records.get(name) {
            Some(Looked::Seen(true)) => notes.fine.push(format!("there are records of {name}")),
            Some(Looked::Seen(false)) => {
                let remedy = format!(
                    "create records (App Launcher > {name}), or share those of other owners with the user: Setup > Sharing Settings > \
                     Organization-Wide Defaults > {name}"
                );
                let finding =
                    Finding::new("no_records", ErrorKind::NotFound, name, "has no record that the user sees", remedy);
                notes.findings.push(finding.with_severity(wanted.severity));
            }
            // The object itself is told.
            _ if hidden(seen, name) => {}
            other => {
                let reason = other.map_or("nobody asked", why);
                notes.unseen(
                    wanted.severity,
                    &format!("records of {name}"),
                    reason,
                    object_path(name, ObjectRight::Read),
                );
            }
        }
    }
}

fn notifier(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    let Some(wanted) = &required.notifier else { return };
    let subject = format!("outbound message {}", wanted.message);
    let path = "run the set-up as an admin, or see Setup > Workflow Actions > Outbound Messages";
    match &seen.notifier {
        Looked::Seen(true) => notes.fine.push(subject),
        Looked::Seen(false) => {
            let problem = "is not in the org, so changes arrive with the next scheduled sync only";
            let finding = Finding::shape("notifier_missing", subject, problem, path);
            notes.findings.push(finding.with_severity(wanted.severity));
        }
        other => notes.unseen(wanted.severity, &subject, why(other), path),
    }
}

fn user(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    const DEDICATED: &str = "make a user for the integration alone: Setup > Users > New User, with the licence Salesforce Integration, the profile \
         Minimum Access - API Only Integrations and the permission set licence Salesforce API Integration; then assign it the \
         permission set and connect with it";
    let advice = |code, problem: &str, severity| {
        Finding::new(code, ErrorKind::Config, "the user", problem, DEDICATED).with_severity(severity)
    };
    match seen.user_kind() {
        Some(UserKind::Administrator) => notes.findings.push(advice(
            "user_administrator",
            "manages the org: what the integration does cannot be told from what this admin does, and it stops when the admin leaves",
            Severity::Recommended,
        )),
        Some(UserKind::Person) => notes.findings.push(advice(
            "user_person",
            "can log in as a person: what the integration does cannot be told from what this person does",
            Severity::Optional,
        )),
        Some(UserKind::Integration | UserKind::ApiOnly) => {
            notes.fine.push("the user is for integrations alone".to_owned());
        }
        None => notes.unseen(Severity::Optional, "the kind of user", why(&seen.user), DEDICATED),
    }
    if !required.least_privilege {
        return;
    }
    // What would only do instead of a narrower permission is more than is needed. View All Data comes with Modify All Data.
    let covers = |first: &str, name: &str| first == name || (first == "ModifyAllData" && name == "ViewAllData");
    let named = |name: &str| {
        required.permissions.iter().any(|permission| permission.any_of.first().is_some_and(|first| covers(first, name)))
    };
    let broad = BROAD.into_iter().filter(|name| !named(name) && seen.has_permission(name) == Some(true));
    for name in broad {
        let remedy = "use a user without it, or take it away: Setup > Profiles or Permission Sets > (the user's) > System Permissions";
        let finding = Finding::new("over_privileged", ErrorKind::Config, name, "is held and not needed", remedy);
        notes.findings.push(finding.with_severity(Severity::Recommended));
    }
}

fn org(required: &RequirementSet, seen: &OrgView, notes: &mut Notes) {
    if let Looked::Unseen(why) = &seen.org {
        notes.unseen(
            Severity::Optional,
            "the org's edition and sharing",
            why,
            "let an admin look at Setup > Company Information",
        );
    }
    let org = seen.org.seen();
    if let Some(edition) = org.and_then(|org| org.edition.as_deref()).filter(|_| !required.editions.is_empty()) {
        if required.editions.iter().any(|known| known.eq_ignore_ascii_case(edition)) {
            notes.fine.push(format!("edition {edition}"));
        } else {
            let problem = format!(
                "is none of those that the product names ({}), though its API answers",
                required.editions.join(", ")
            );
            let remedy = "nothing to do while the API answers; see Setup > Company Information > Organization Edition";
            let finding = Finding::new("edition", ErrorKind::Config, edition, problem, remedy);
            notes.findings.push(finding.with_severity(Severity::Optional));
        }
    }
    let trial = org.filter(|org| org.environment == "production").and_then(|org| org.trial_ends.as_deref());
    if let Some(end) = trial {
        let problem = format!("is a trial and ends on {end}");
        let finding =
            Finding::new("trial", ErrorKind::Config, "the org", problem, "Setup > Company Information shows the end");
        notes.findings.push(finding.with_severity(Severity::Optional));
    }
    let Some((left, allowed)) = seen.calls_left else { return };
    if left.saturating_mul(100) < allowed.saturating_mul(FEW_CALLS) {
        let problem = format!("are few: {left} of {allowed} left of the last 24 hours");
        let remedy = "start big jobs later, or find who makes the calls: Setup > Company Information > API Requests, Last 24 Hours";
        let finding = Finding::new("calls_few", ErrorKind::LimitExceeded, "the org's API calls", problem, remedy);
        notes.findings.push(finding.with_severity(Severity::Recommended));
    } else {
        notes.fine.push(format!("{left} of {allowed} API calls are left"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::error::{ApiError, Error};
    use crate::schema::preflight::{ActingUser, ObjectRights, OrgProfile};
    use crate::types::{SObjectDescribe, SObjectName};

    fn account() -> ObjectRequirement {
        ObjectRequirement::new(SObjectName::from_static("Account")).with_every_record(Severity::Required)
    }

    fn required() -> RequirementSet {
        RequirementSet::new("job").permission(["ApiEnabled"], Severity::Required, "").object(account())
    }

    /// An org that shows all of it, with these permissions of the user and this sharing of accounts.
    fn view(held: &[&str], sharing: &str) -> OrgView {
        let account = SObjectDescribe { name: "Account".into(), queryable: true, ..SObjectDescribe::default() };
        OrgView {
            objects: BTreeMap::from([("Account".to_owned(), Looked::Seen(Some(account)))]),
            permissions: Looked::Seen(held.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>()),
            object_rights: Looked::Seen(BTreeMap::new()),
            org: Looked::Seen(OrgProfile {
                environment: "production".into(),
                sharing: BTreeMap::from([("Account".to_owned(), sharing.to_owned())]),
                ..OrgProfile::default()
            }),
            user: Looked::Seen(ActingUser { license: Some("Salesforce Integration".into()), ..ActingUser::default() }),
            ..OrgView::default()
        }
    }

    fn codes(report: &Report) -> Vec<&str> {
        report.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn records_of_others_are_hidden_by_private_sharing_alone_and_shown_by_view_all_of_any_kind() {
        assert_eq!(codes(&check(&required(), &view(&[], "Read"))), [""; 0]);
        let hidden = check(&required(), &view(&[], "None"));
        assert_eq!((codes(&hidden), hidden.ready), (vec!["sharing"], false));
        for wide in ["ViewAllData", "ModifyAllData"] {
            let named = required().permission([wide], Severity::Optional, "");
            assert_eq!(codes(&check(&named, &view(&[wide], "None"))), [""; 0], "{wide}");
        }
        for rights in [ObjectRights::new(true, false), ObjectRights::new(false, true)] {
            let mut seen = view(&[], "None");
            seen.object_rights = Looked::Seen(BTreeMap::from([("account".to_owned(), rights)]));
            assert_eq!(codes(&check(&required(), &seen)), [""; 0], "{rights:?}");
        }
    }

    #[test]
    fn what_could_not_be_looked_at_is_told_and_stops_nothing() {
        let mut seen = view(&[], "None");
        seen.object_rights = Looked::Unseen("INVALID_TYPE".into());
        let report = check(&required(), &seen);
        assert_eq!((codes(&report), report.ready), (vec!["unchecked"], true));
        assert_eq!(report.findings[0].severity, Severity::Recommended, "although the job requires it");
        let report = check(&required(), &OrgView::default());
        assert!(report.ready && report.findings.iter().all(|finding| finding.code == "unchecked"), "{report}");
    }

    #[test]
    fn a_refused_connection_is_one_finding_and_all_else_was_not_looked_at() {
        let error = Error::new(ErrorKind::Forbidden, "composite", "");
        let error = error.with_salesforce(vec![ApiError::new("API_CURRENTLY_DISABLED", "", Vec::new())]);
        let report = check(&required(), &OrgView { refused: Some(error), ..view(&[], "Read") });
        assert_eq!((codes(&report), report.fine.len()), (vec!["permission"], 0));
        assert_eq!(report.unchecked, ["permission ApiEnabled", "Account and 0 fields"]);
    }

    #[test]
    fn gpt_7_a_permission_that_only_stands_in_for_a_narrower_one_is_too_broad() {
        let required = required().permission(["ModifyMetadata", "ModifyAllData"], Severity::Required, "");
        let report = check(&required, &view(&["ModifyAllData"], "Read"));
        assert!(report.ready, "{report}");
        assert_eq!(
            (codes(&report), report.findings[0].subject.as_str()),
            (vec!["over_privileged"; 2], "ModifyAllData")
        );
        assert_eq!(codes(&check(&required, &view(&["ModifyMetadata"], "Read"))), [""; 0]);
        assert_eq!(codes(&check(&required, &view(&[], "Read"))), ["permission"]);
    }

    #[test]
    fn the_worst_comes_first_and_those_that_the_set_up_mends_say_so() {
        let mut required = required().permission(["ViewAllData"], Severity::Recommended, "");
        required.fixable.insert("sharing Account".into());
        let report = check(&required, &view(&[], "None"));
        assert_eq!(codes(&report), ["sharing", "permission"]);
        assert_eq!(report.findings.iter().map(|finding| finding.fixable).collect::<Vec<_>>(), [true, false]);
        let shown = report.to_string();
        assert!(
            shown.starts_with("job: 1 thing that is required is missing") && shown.contains("set-up mends it"),
            "{shown}"
        );
    }
}
