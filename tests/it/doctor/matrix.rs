//! Each right that a preset needs, taken away by itself.

use super::*;

/// What the doctor says beyond what it said before: the worst first.
fn news(before: &Report, after: &Report) -> Vec<Finding> {
    let known = named(&before.findings);
    let new = |finding: &&Finding| !known.contains(&(finding.code.to_owned(), finding.subject.clone()));
    after.findings.iter().filter(new).cloned().collect()
}

/// The one finding there is, and where its remedy leads.
fn only(preset: Preset, what: &str, mut news: Vec<Finding>) -> Finding {
    assert_eq!(news.len(), 1, "{preset} without {what}: {news:#?}");
    news.remove(0)
}

fn in_setup(finding: &Finding, path: &str) {
    let end = format!("Setup > Permission Sets > {path}");
    assert!(finding.remedy.ends_with(&end), "{} {}: {}", finding.code, finding.subject, finding.remedy);
}

async fn every_right_is_named(preset: Preset) {
    let clinic = Clinic::new(preset).await;
    let (org, user) = (&clinic.org, clinic.user.user_id.as_str());
    let healthy = clinic.report().await;
    assert!(healthy.ready, "{preset}: {healthy}");
    let quiet = ["user_person", "edition", "notifier_missing", "object_missing"];
    for finding in &healthy.findings {
        assert!(quiet.contains(&finding.code) && finding.severity > Severity::Required, "{preset}: {finding:?}");
    }
    system_permissions(preset, &clinic, &healthy).await;
    for object in &clinic.required.objects {
        let name = object.object.as_str();
        if healthy.findings.iter().any(|finding| finding.subject == name && finding.code == "object_missing") {
            // Teams are off in this org.
            continue;
        }
        let rights = object.rights.keys().filter(|right| **right < ObjectRight::ViewAll);
        for right in std::iter::once(&ObjectRight::Read).chain(rights).filter(|_| has_rights(name)) {
            org.revoke_object(user, name, &right.to_string());
            let finding = only(preset, &format!("{right} on {name}"), news(&healthy, &clinic.report().await));
            org.restore_rights();
            assert_eq!(finding.subject, name, "{preset} {right}");
            let code = if *right == ObjectRight::Read {
                "object_missing".to_owned()
            } else {
                format!("object_{right}").to_lowercase()
            };
            assert_eq!(finding.code, code, "{preset} {name}");
            let severity = object.rights.get(right).copied().unwrap_or_default().max(object.severity);
            assert_eq!(finding.severity, severity, "{preset} {right} on {name}");
            in_setup(&finding, &format!("Object Settings > {name} > Object Permissions > {right}"));
        }
        let fields = clinic.permissionable(name).await;
        for wanted in object.fields.iter().filter(|wanted| fields.contains(&wanted.field.to_string())) {
            let field = wanted.field.as_str();
            let accesses = [("Read", Some(wanted.severity), "field_missing"), ("Edit", wanted.write, "field_write")];
            for (access, severity, code) in accesses {
                let Some(severity) = severity else { continue };
                org.revoke_field(user, name, field, access);
                let finding =
                    only(preset, &format!("{access} on {name}.{field}"), news(&healthy, &clinic.report().await));
                org.restore_rights();
                assert_eq!((finding.code, finding.subject.as_str()), (code, &*format!("{name}.{field}")), "{preset}");
                assert_eq!(finding.severity, severity.max(object.severity), "{preset} {access} on {name}.{field}");
                let way = format!("Object Settings > {name} > Field Permissions > {field} > ");
                match code {
                    "field_write" => in_setup(&finding, &format!("{way}Edit Access")),
                    _ => assert!(finding.remedy.contains(&format!("{way}Read Access")), "{}", finding.remedy),
                }
            }
        }
    }
    assert_eq!(named(&clinic.report().await.findings), named(&healthy.findings), "{preset}: all given back");
}

async fn system_permissions(preset: Preset, clinic: &Clinic, healthy: &Report) {
    let (org, user) = (&clinic.org, clinic.user.user_id.as_str());
    for permission in &clinic.required.permissions {
        let (first, subject) = (&permission.any_of[0], permission.any_of.join(" or "));
        // Another requirement may have brought an alternative along.
        let held = |name: &&String| clinic.required.permissions.iter().any(|other| other.any_of[0] == **name);
        let mut held: Vec<&str> = permission.any_of.iter().filter(held).map(String::as_str).collect();
        // Modify All Data cannot be without View All Data.
        held.extend((first == "ViewAllData").then_some("ModifyAllData"));
        for name in &held {
            org.revoke_system(user, name);
        }
        let report = clinic.report().await;
        for name in &held {
            org.grant_system(user, name);
        }
        if first == "ApiEnabled" {
            // Who may not use the API sees nothing else.
            assert!(!report.unchecked.is_empty() && report.findings.len() == 1, "{preset}: {report}");
            let finding = report.findings[0].clone();
            assert_eq!((finding.subject.as_str(), finding.severity), ("ApiEnabled", Severity::Required));
            in_setup(&finding, "System Permissions > API Enabled");
            continue;
        }
        let mut found = news(healthy, &report);
        found.retain(|finding| finding.subject == subject || !held.iter().any(|name| finding.subject.contains(name)));
        let finding = only(preset, first, found);
        assert_eq!((finding.code, &finding.subject, finding.severity), ("permission", &subject, permission.severity));
        let label = match first.as_str() {
            "CustomizeApplication" => "Customize Application",
            "ModifyMetadata" => "Modify Metadata Through Metadata API Functions (or Modify All Data)",
            "ViewAllData" => "View All Data",
            "ModifyAllData" => "Modify All Data",
            "AssignPermissionSets" => "Assign Permission Sets (or Manage Internal Users)",
            other => panic!("{other}"),
        };
        in_setup(&finding, &format!("System Permissions > {label}"));
    }
}

#[tokio::test]
async fn nav_12_13_14_19_each_right_of_engagement_taken_away_is_named_alone() {
    every_right_is_named(Preset::Engagement).await;
}

#[tokio::test]
async fn heap_17_18_21_34_each_right_of_usage_taken_away_is_named_alone() {
    every_right_is_named(Preset::Usage).await;
}

#[tokio::test]
async fn heap_20_33_each_right_of_reading_usage_taken_away_is_named_alone() {
    every_right_is_named(Preset::UsageRead).await;
}

#[tokio::test]
async fn gpt_1_2_3_4_5_each_right_of_scores_taken_away_is_named_alone() {
    every_right_is_named(Preset::Scores).await;
}

#[tokio::test]
async fn dem_16_each_right_of_surveys_taken_away_is_named_alone() {
    every_right_is_named(Preset::Survey).await;
}

#[tokio::test]
async fn smv_1_45_each_right_of_a_crm_reader_taken_away_is_named_alone() {
    every_right_is_named(Preset::Crm).await;
}

/// Rows of the permission set that the set-up has made.
fn granted(clinic: &Clinic, set: &str, object: &str) -> Vec<Value> {
    clinic.org.records(object).into_iter().filter(|row| row["ParentId"] == set).collect()
}

/// An admin unticks rights of the permission set one after the other; the doctor says that the set-up mends it, and it does.
async fn the_set_up_mends_what_it_is_said_to(preset: Preset) {
    let clinic = Clinic::new(preset).await;
    let (org, schema) = (&clinic.org, preset.desired_schema());
    let admin = client(org);
    // With these, rights on objects would go without saying.
    for wide in ["ModifyAllData", "ViewAllData"] {
        org.revoke_system(&clinic.user.user_id, wide);
    }
    let healthy = named(&clinic.report().await.findings);
    let sets = org.records("PermissionSet");
    let set = sets
        .iter()
        .find(|set| set["Name"] == schema.permission_set.as_ref().expect("one").full_name.as_str())
        .expect("made");
    let set = set["Id"].as_str().expect("an id");
    let mut mended = 0;
    for object in ["FieldPermissions", "ObjectPermissions"] {
        let column = if object == "FieldPermissions" { "Field" } else { "SobjectType" };
        let code = if object == "FieldPermissions" { "field_missing" } else { "object_missing" };
        let mut rows = granted(&clinic, set, object);
        // Taken from this set, the user has it from the other one still.
        let rest = sets.iter().find(|set| set["Name"] == "Rest").and_then(|rest| rest["Id"].as_str()).expect("made");
        let twice = granted(&clinic, rest, object);
        rows.retain(|row| twice.iter().all(|other| other[column] != row[column]));
        rows.sort_by_key(|row| row["SobjectType"].to_string());
        // One after the other, and mended object by object: a set-up takes its time.
        for rows in rows.chunk_by(|one, other| one["SobjectType"] == other["SobjectType"]) {
            for row in rows {
                let subject = row[column].as_str().expect("a name");
                let id = RecordId::new(row["Id"].as_str().expect("an id")).expect("an id");
                admin.records(SObjectName::new(object).expect("a name")).delete(id).await.expect("taken away");
                let report = clinic.report().await;
                let mut required = report.of(Severity::Required);
                assert!(required.all(|finding| finding.fixable), "{preset} {subject}: {report}");
                let named = named(&report.findings);
                assert!(named.contains(&(code.to_owned(), subject.to_owned())), "{preset} {subject}: {report}");
                mended += 1;
            }
            clinic.set_up().await;
            assert_eq!(named(&clinic.report().await.findings), healthy, "{preset} {}", rows[0]["SobjectType"]);
        }
    }
    assert!(mended > 4, "{preset}");
    if let Some(made) = schema.fields.last() {
        let (object, field) = made.full_name.split_once('.').expect("a full name");
        org.remove_field(object, field);
        let report = clinic.report().await;
        let subjects: Vec<&str> = report.of(Severity::Required).map(|finding| finding.subject.as_str()).collect();
        assert!(
            subjects == [made.full_name.as_str()] && report.findings.iter().any(|finding| finding.fixable),
            "{report}"
        );
        clinic.set_up().await;
        assert_eq!(named(&clinic.report().await.findings), healthy, "{preset}");
    }
}

#[tokio::test]
async fn nav_31_what_the_set_up_of_engagement_mends_is_said_and_mended() {
    the_set_up_mends_what_it_is_said_to(Preset::Engagement).await;
}

#[tokio::test]
async fn heap_19_26_what_the_set_up_of_usage_mends_is_said_and_mended() {
    the_set_up_mends_what_it_is_said_to(Preset::Usage).await;
    the_set_up_mends_what_it_is_said_to(Preset::UsageRead).await;
}

#[tokio::test]
async fn gpt_3_what_the_set_up_of_scores_mends_is_said_and_mended() {
    the_set_up_mends_what_it_is_said_to(Preset::Scores).await;
}

#[tokio::test]
async fn dem_15_what_the_set_up_of_surveys_and_crm_readers_mends_is_said_and_mended() {
    the_set_up_mends_what_it_is_said_to(Preset::Survey).await;
    the_set_up_mends_what_it_is_said_to(Preset::Crm).await;
}

/// View All and Modify All stand in rows alone: an admin unticks them.
#[tokio::test]
async fn heap_19_20_21_view_all_and_modify_all_taken_away_are_named_and_mended() {
    for preset in [Preset::Usage, Preset::UsageRead] {
        let clinic = Clinic::new(preset).await;
        let healthy = clinic.report().await;
        let admin = client(&clinic.org);
        for row in
            clinic.org.records("ObjectPermissions").into_iter().filter(|row| row["PermissionsViewAllRecords"] == true)
        {
            let subject = row["SobjectType"].as_str().expect("a name");
            let id = RecordId::new(row["Id"].as_str().expect("an id")).expect("an id");
            let rights = [
                ("PermissionsModifyAllRecords", ObjectRight::ModifyAll),
                ("PermissionsViewAllRecords", ObjectRight::ViewAll),
            ];
            let mut gone = BTreeSet::new();
            for (column, right) in rights {
                if row[column] != true {
                    continue;
                }
                let off = sforce::types::Record::new().with(column, false);
                admin.records(SObjectName::from_static("ObjectPermissions")).update(id, &off).await.expect("unticked");
                gone.insert((
                    if right == ObjectRight::ViewAll { "object_view_all" } else { "object_modify_all" }.to_owned(),
                    subject.to_owned(),
                ));
                let report = clinic.report().await;
                let found = news(&healthy, &report);
                assert_eq!(named(&found), gone, "{preset}: {report}");
                for finding in &found {
                    let label =
                        if finding.code == "object_view_all" { "View All Records" } else { "Modify All Records" };
                    assert!(finding.fixable && finding.severity == Severity::Required);
                    in_setup(finding, &format!("Object Settings > {subject} > Object Permissions > {label}"));
                }
            }
            clinic.set_up().await;
            assert_eq!(named(&clinic.report().await.findings), named(&healthy.findings), "{preset} {subject}");
        }
    }
}
