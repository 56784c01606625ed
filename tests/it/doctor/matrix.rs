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
    let quiet = ["user_person", "edition", "unchecked", "object_missing"];
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
        let held: Vec<&String> = permission.any_of.iter().filter(held).collect();
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
        found.retain(|finding| finding.subject == subject || !held.contains(&&finding.subject));
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
