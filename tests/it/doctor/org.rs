//! Everything but single rights: API, app, token, address, limits, records, users, setup.

use sforce::adapters::presets::SurveyFields;
use sforce::adapters::setup::{check_key, test_fields};
use sforce::schema::preflight::UserKind;
use sforce::testing::org::{Edition, FieldSpec, Operation};
use sforce::{Error, ErrorKind};

use super::*;
use crate::support::{field, object};

async fn look(org: &MockOrg, preset: Preset) -> Report {
    preflight(&client(org), &preset.requirements()).await.expect("looked at")
}

#[tokio::test]
async fn nav_29_smv_45_an_api_that_is_off_is_the_finding_and_not_an_error() {
    for (off, code, path) in [
        (MockOrg::disable_api as fn(&MockOrg), "api_disabled", "Setup > Company Information"),
        (MockOrg::disable_api_for_user, "permission", "System Permissions > API Enabled"),
    ] {
        let org = MockOrg::start();
        off(&org);
        let report = look(&org, Preset::Usage).await;
        assert!(!report.ready && report.findings.len() == 1, "{report}");
        assert_eq!(report.findings[0].code, code);
        assert!(report.findings[0].remedy.contains(path), "{report}");
        assert!(report.unchecked.iter().any(|what| what.contains("CustomizeApplication")), "{report}");
        assert_eq!(report.into_result().expect_err("not ready").kind(), ErrorKind::Forbidden);
    }
}

#[tokio::test]
async fn gpt_31_a_blocked_address_app_or_token_is_the_finding() {
    for (error, text, code) in [
        ("invalid_grant", "ip restricted", "ip_restricted"),
        ("invalid_grant", "invalid login hours", "login_hours"),
        ("OAUTH_APP_BLOCKED", "this app is blocked by admin", "app_not_allowed"),
        ("invalid_grant", "user hasn't approved this consumer", "app_not_allowed"),
        ("invalid_client", "invalid client credentials", "login_refused"),
    ] {
        let org = MockOrg::start();
        org.faults().on(Operation::Token).oauth_error(error, text).always();
        let report = look(&org, Preset::Scores).await;
        assert_eq!(codes(&report, Severity::Required), [code], "{error} {text}: {report}");
        assert!(report.findings[0].remedy.contains("Setup > "), "{report}");
        assert_eq!(report.calls, 0, "nothing was asked of the API");
    }
}

#[tokio::test]
async fn gpt_31_checks_are_told_in_the_order_in_which_they_are_to_be_mended() {
    let report = look(&MockOrg::start(), Preset::Scores).await;
    let place = |what: &str| {
        report.fine.iter().position(|fine| fine.contains(what)).unwrap_or_else(|| panic!("{what}: {report}"))
    };
    let order = ["the API answers", "connected app", "Customize Application", "address is not blocked"].map(place);
    assert!(order.is_sorted(), "{report}");
}

#[tokio::test]
async fn gpt_31_the_setup_audit_trail_is_read_where_the_user_may() {
    let org = MockOrg::start();
    for (day, what) in [("01", "Changed the app"), ("02", "Removed API Enabled from a profile")] {
        let at = format!("2026-05-{day}T10:00:00.000Z");
        org.insert(
            "SetupAuditTrail",
            json!({ "Action": "x", "Section": "Manage Users", "Display": what, "CreatedDate": at }),
        );
    }
    let report = look(&org, Preset::Scores).await;
    let changes: Vec<&str> = report.audit_trail.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(changes, ["Removed API Enabled from a profile", "Changed the app"], "the newest first");
    assert!(look(&org, Preset::Survey).await.audit_trail.is_empty(), "nobody asked");

    let clinic = Clinic::new(Preset::Scores).await;
    clinic.org.revoke_system(&clinic.user.user_id, "ViewSetup");
    let report = clinic.report().await;
    let unseen: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.subject.contains("audit trail")).collect();
    assert!(unseen.len() == 1 && unseen[0].remedy.contains("Setup > View Setup Audit Trail"), "{report}");
}

#[tokio::test]
async fn an_outage_is_an_error_and_no_finding() {
    let org = MockOrg::start();
    org.faults().on(Operation::Composite).status(503).always();
    let error = preflight(&client(&org), &Preset::Crm.requirements()).await.expect_err("out of service");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn heap_22_a_live_connection_is_looked_at_again_without_a_login() {
    let clinic = Clinic::new(Preset::UsageRead).await;
    let client = clinic.client();
    let (user, required) = (clinic.user.user_id.as_str(), &clinic.required);
    clinic.org.revoke_field(user, "Contact", "Email", "Read");
    let report = preflight(&client, required).await.expect("looked at");
    assert_eq!(codes(&report, Severity::Required), ["field_missing"]);
    let logins = clinic.org.token_requests();
    clinic.org.restore_rights();
    assert!(preflight(&client, required).await.expect("looked at").ready, "the right alone was changed");
    assert_eq!(clinic.org.token_requests(), logins);
}

#[tokio::test]
async fn a_report_costs_one_call_and_two_with_records() {
    for (preset, calls) in [
        (Preset::Engagement, 1),
        (Preset::Usage, 1),
        (Preset::UsageRead, 1),
        (Preset::Scores, 1),
        (Preset::Survey, 1),
        (Preset::Crm, 3),
    ] {
        let clinic = Clinic::new(preset).await;
        let before = clinic.org.api_calls();
        let report = clinic.report().await;
        assert_eq!((report.calls, clinic.org.api_calls() - before), (calls, calls), "{preset}");
    }
}

#[tokio::test]
async fn what_the_user_may_not_look_at_is_told_as_such_and_stops_nothing() {
    let clinic = Clinic::new(Preset::Usage).await;
    for permission in ["CustomizeApplication", "ViewSetup"] {
        clinic.org.revoke_system(&clinic.user.user_id, permission);
    }
    let report = clinic.report().await;
    assert_eq!(named(&report.of(Severity::Required).cloned().collect::<Vec<_>>()).len(), 1, "{report}");
    let unseen: Vec<&Finding> =
        report.of(Severity::Recommended).filter(|finding| finding.code == "unchecked").collect();
    assert_eq!(unseen.len(), 2 + 2 * 2, "View All on four objects, Modify All on two: {report}");
    for finding in unseen {
        assert!(finding.problem.contains("INVALID_TYPE") && finding.remedy.contains("let an admin look"), "{finding}");
    }
}

#[tokio::test]
async fn a_permission_that_the_org_does_not_know_is_missing_and_the_others_are_looked_at() {
    let org = MockOrg::start();
    let required = RequirementSet::new("x").permission(["ManageQuantumFlux"], Severity::Required, "").permission(
        ["CustomizeApplication"],
        Severity::Required,
        "",
    );
    let report = preflight(&client(&org), &required).await.expect("looked at");
    assert_eq!(
        named(&report.of(Severity::Required).cloned().collect::<Vec<_>>()),
        BTreeSet::from([("permission".into(), "ManageQuantumFlux".into())])
    );
    assert_eq!(report.calls, 3, "and it was asked which there are");
}

#[tokio::test]
async fn smv_2_an_object_without_records_is_told() {
    let org = MockOrg::start();
    org.insert("Account", json!({ "Name": "A" }));
    let report = look(&org, Preset::Crm).await;
    let empty: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.code == "no_records")
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(empty, ["Contact", "Opportunity"], "{report}");
    assert!(report.fine.iter().any(|fine| fine == "there are records of Account"), "{report}");
    let hidden = MockOrg::start();
    hidden.revoke_object(&hidden.user_id(), "Contact", "Read");
    let report = look(&hidden, Preset::Crm).await;
    let contact: Vec<&str> =
        report.findings.iter().filter(|finding| finding.subject == "Contact").map(|finding| finding.code).collect();
    assert_eq!(contact, ["object_missing"], "told once: {report}");
}

#[tokio::test]
async fn smv_9_a_crm_reader_without_activities_is_ready_and_told_why_they_are_left_out() {
    let clinic = Clinic::new(Preset::Crm).await;
    clinic.org.revoke_object(&clinic.user.user_id, "Event", "Read");
    let report = clinic.report().await;
    assert!(report.ready, "{report}");
    let event: Vec<&Finding> = report.findings.iter().filter(|finding| finding.subject == "Event").collect();
    assert!(event.len() == 1 && event[0].severity == Severity::Optional && !event[0].problem.is_empty(), "{report}");
}

#[tokio::test]
async fn few_calls_that_are_left_are_told() {
    let org = MockOrg::builder().daily_limit(1000).start();
    assert!(!codes(&look(&org, Preset::Survey).await, Severity::Recommended).contains(&"calls_few"));
    org.set_daily_limit(org.api_calls() + 1);
    let report = look(&org, Preset::Survey).await;
    assert!(codes(&report, Severity::Recommended).contains(&"calls_few"), "{report}");
    assert_eq!(report.calls_left.map(|(left, _)| left), Some(0));
    let report = look(&org, Preset::Survey).await;
    assert_eq!(codes(&report, Severity::Required), ["calls_used_up"], "{report}");
}

#[tokio::test]
async fn nav_18_gpt_7_an_admin_is_advised_against_with_each_right_that_is_too_broad() {
    let org = MockOrg::start();
    let report = look(&org, Preset::Scores).await;
    let broad: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.code == "over_privileged")
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(broad, ["ModifyAllData", "ViewAllData", "ManageUsers", "ManageProfilesPermissionsets", "AuthorApex"]);
    assert!(codes(&report, Severity::Recommended).contains(&"user_administrator"), "{report}");
    assert!(report.of(Severity::Required).all(|finding| finding.code != "over_privileged"), "advice, and no more");
    let clinic = Clinic::new(Preset::Scores).await;
    let report = clinic.report().await;
    assert!(report.findings.iter().all(|finding| finding.code != "over_privileged"), "{report}");
}

#[tokio::test]
async fn nav_15_view_all_data_and_modify_all_data_are_recommended_and_no_more() {
    let clinic = Clinic::new(Preset::Engagement).await;
    for permission in ["ViewAllData", "ModifyAllData"] {
        clinic.org.revoke_system(&clinic.user.user_id, permission);
    }
    let report = clinic.report().await;
    let advised: Vec<&str> = report.of(Severity::Recommended).map(|finding| finding.subject.as_str()).collect();
    assert!(report.ready, "{report}");
    assert_eq!(advised, ["ViewAllData", "ModifyAllData"], "{report}");
}

#[tokio::test]
async fn nav_19_gpt_31_a_new_user_is_told_exactly_what_to_be_given() {
    let clinic = Clinic::new(Preset::Engagement).await;
    let bare = clinic.org.add_user(UserSpec::new("bare@example.com").permission("ApiEnabled"));
    let report = preflight(&client_of(&clinic.org, &bare), &clinic.required).await.expect("looked at");
    let missing: BTreeSet<&str> = report.of(Severity::Required).map(|finding| finding.subject.as_str()).collect();
    assert_eq!(
        missing,
        BTreeSet::from(["Account", "Contact", "Lead", "Navattic_Session__c", "Opportunity"]),
        "{report}"
    );
    assert!(report.of(Severity::Required).all(|finding| finding.fixable), "the set-up grants all of it: {report}");
}

#[tokio::test]
async fn smv_54_a_support_bundle_names_org_environment_action_and_error_and_no_secret() {
    let org = MockOrg::builder().sandbox().start();
    let report = look(&org, Preset::Crm).await;
    let error = Error::new(ErrorKind::Forbidden, "query", "refused").with_context("object", "Opportunity");
    let bundle = serde_json::to_value(report.support_bundle("initial sync", Some(&error))).expect("serialises");
    assert_eq!(bundle["org_id"], org.org_id().as_str());
    assert_eq!((&bundle["environment"], &bundle["action"]), (&json!("sandbox"), &json!("initial sync")));
    assert!(
        bundle["error"].as_str().is_some_and(|error| error.contains("forbidden") && error.contains("Opportunity")),
        "{bundle}"
    );
    let text = bundle.to_string();
    for secret in [org.access_token(), org.client_secret(), org.username()] {
        assert!(!text.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn nav_17_a_report_says_who_the_connection_works_as() {
    let org = MockOrg::start();
    let report = look(&org, Preset::Survey).await;
    let user = report.user.as_ref().expect("seen");
    assert_eq!(user.username, Some(org.username()));
    assert_eq!(
        (user.profile.as_deref(), user.license.as_deref(), user.user_type.as_deref()),
        (Some("System Administrator"), Some("Salesforce"), Some("Standard"))
    );
    assert_eq!(report.user_id.map(|id| id.to_string()), Some(org.user_id()));
    assert_eq!(report.org.as_ref().map(|org| org.environment.as_str()), Some("production"));
}

#[tokio::test]
async fn dem_16_survey_fields_are_tested_before_they_are_saved() {
    let org = MockOrg::start();
    let fields = SurveyFields::default();
    let client = client(&org);
    let report = test_fields(&client, &fields).await.expect("looked at");
    let missing: Vec<&str> = report.of(Severity::Required).map(|finding| finding.subject.as_str()).collect();
    assert_eq!(missing, ["Contact.NPS_Score__c", "Contact.CSAT_Score__c", "Contact.Last_Survey_Date__c"]);
    assert!(report.of(Severity::Required).all(|finding| finding.fixable), "where the admin wants it");
    org.add_field("Contact", FieldSpec::number("NPS_Score__c", 3, 0));
    org.add_field("Contact", FieldSpec::text("CSAT_Score__c", 10));
    org.add_field("Contact", FieldSpec::date("Last_Survey_Date__c"));
    org.lock_field("Contact", "Last_Survey_Date__c");
    let report = test_fields(&client, &fields).await.expect("looked at");
    assert_eq!(codes(&report, Severity::Required), ["field_shape", "field_write"], "{report}");
    assert_eq!(report.calls, 1);
}

#[tokio::test]
async fn heap_6_a_key_that_several_records_share_is_told_without_its_values() {
    let org = MockOrg::start();
    for email in ["ada@example.com", "ada@example.com", "bob@example.com"] {
        org.insert("Contact", json!({ "LastName": "L", "Email": email }));
    }
    let findings = check_key(&client(&org), object("Contact"), field("Email")).await.expect("looked at");
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].code, findings[0].subject.as_str()), ("key_doubled", "Contact.Email"));
    assert!(findings[0].problem.contains("1 value") && !findings[0].to_string().contains("ada"), "{}", findings[0]);
}

#[tokio::test]
async fn a_refresh_token_that_was_revoked_is_the_finding() {
    let org = crate::tokens::rotating();
    let (manager, _) = crate::tokens::connected(&org).await;
    org.revoke_refresh_token();
    let client = crate::tokens::client(&manager);
    let report = preflight(&client, &Preset::Survey.requirements()).await.expect("looked at");
    assert_eq!(codes(&report, Severity::Required), ["token_revoked"], "{report}");
    assert!(!report.unchecked.is_empty());
}

#[tokio::test]
async fn heap_1_smv_1_an_edition_that_the_product_does_not_name_is_advice() {
    for (edition, usage, crm) in
        [(Edition::Developer, false, true), (Edition::Enterprise, false, false), (Edition::Professional, true, false)]
    {
        let org = MockOrg::start();
        org.set_edition(edition);
        // Professional Edition has bought it.
        org.enable_api();
        for (preset, told) in [(Preset::UsageRead, usage), (Preset::Crm, crm)] {
            let report = look(&org, preset).await;
            let finding = report.findings.iter().find(|finding| finding.code == "edition");
            assert_eq!(finding.is_some(), told, "{edition:?} {preset}: {report}");
            assert!(finding.is_none_or(|finding| finding.severity == Severity::Optional), "the API counts: {report}");
        }
    }
    let org = MockOrg::start();
    org.set_edition(Edition::Professional);
    assert_eq!(
        codes(&look(&org, Preset::UsageRead).await, Severity::Required),
        ["api_disabled"],
        "and it was not bought"
    );
}

#[tokio::test]
async fn nav_41_smv_45_private_records_are_told_where_the_user_has_no_view_all() {
    let clinic = Clinic::new(Preset::Survey).await;
    for (object, model) in [("Account", "Private"), ("Contact", "ControlledByParent")] {
        clinic.org.set_sharing_model(object, model);
    }
    let report = clinic.report().await;
    let finding =
        report.findings.iter().find(|finding| finding.code == "sharing").unwrap_or_else(|| panic!("{report}"));
    assert_eq!((finding.subject.as_str(), finding.severity), ("Contact", Severity::Recommended), "as its accounts are");
    assert!(finding.remedy.ends_with("Setup > Sharing Settings > Organization-Wide Defaults > Contact"), "{finding}");
    let set = clinic.org.insert("PermissionSet", json!({ "Name": "Wide", "Label": "Wide" }));
    clinic.org.insert("PermissionSetAssignment", json!({ "AssigneeId": clinic.user.user_id, "PermissionSetId": set }));
    clinic.org.insert(
        "ObjectPermissions",
        json!({ "ParentId": set, "SobjectType": "Contact", "PermissionsRead": true, "PermissionsViewAllRecords": true }),
    );
    assert!(clinic.report().await.findings.iter().all(|finding| finding.code != "sharing"), "View All sees all");
}

#[tokio::test]
async fn nav_17_18_users_are_told_apart_by_licence_and_rights() {
    let org = MockOrg::start();
    let kinds = [
        (UserSpec::new("machine@example.com").integration(), UserKind::Integration, None),
        (UserSpec::new("api@example.com").permission("ApiEnabled").permission("ApiUserOnly"), UserKind::ApiOnly, None),
        (UserSpec::new("boss@example.com").administrator(), UserKind::Administrator, Some("user_administrator")),
        (UserSpec::new("sally@example.com").standard(), UserKind::Person, Some("user_person")),
    ];
    for (spec, kind, code) in kinds {
        let user = org.add_user(spec);
        let report = preflight(&client_of(&org, &user), &Preset::UsageRead.requirements()).await.expect("looked at");
        assert_eq!(report.user_kind, Some(kind), "{report}");
        let told: Vec<&str> =
            report.findings.iter().map(|finding| finding.code).filter(|code| code.starts_with("user_")).collect();
        assert_eq!(told, code.into_iter().collect::<Vec<_>>(), "{report}");
    }
}
