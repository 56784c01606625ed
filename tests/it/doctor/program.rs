//! The example `org_doctor`, run as a user runs it.

use std::process::{Command, Output};

use super::*;
use crate::engagement::example;

fn doctor(clinic: &Clinic, arguments: &[&str]) -> Output {
    let mut command: Command = example("org_doctor");
    command
        .env("SALESFORCE_LOGIN_URL", clinic.org.base_url())
        .env("SALESFORCE_CLIENT_ID", &clinic.user.client_id)
        .env("SALESFORCE_CLIENT_SECRET", &clinic.user.client_secret)
        .args(arguments);
    command.output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn nav_19_the_doctor_exits_with_1_when_something_required_is_missing_and_with_0_when_not() {
    let clinic = Clinic::new(Preset::Scores).await;
    let healthy = doctor(&clinic, &["--preset", "scores"]);
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stdout));
    assert!(text(&healthy.stdout).contains("scores: nothing that is required is missing"));

    clinic.org.revoke_field(&clinic.user.user_id, "Lead", "GPTWeb_Visit_Count__c", "Edit");
    let ill = doctor(&clinic, &["--preset", "scores"]);
    let shown = text(&ill.stdout);
    assert_eq!(ill.status.code(), Some(1), "{shown}");
    for line in [
        "scores: 1 thing that is required is missing",
        "Lead.GPTWeb_Visit_Count__c cannot be written by the user",
        "-> set-up mends it, or by hand: give the user the right with a permission set: Setup > Permission Sets > Object Settings > \
         Lead > Field Permissions > GPTWeb_Visit_Count__c > Edit Access",
        "API calls used: 1",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let json = doctor(&clinic, &["--preset", "scores", "--json"]);
    let report: Value = serde_json::from_str(text(&json.stdout).lines().last().expect("a line")).expect("JSON");
    assert_eq!((json.status.code(), &report["ready"]), (Some(1), &json!(false)));
    assert_eq!(report["findings"][0]["code"], "field_write");
    assert_eq!(report["findings"][0]["fixable"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_a_key_and_writes_for_support() {
    let clinic = Clinic::new(Preset::UsageRead).await;
    for _ in 0..2 {
        clinic.org.insert("Contact", json!({ "LastName": "L", "Email": "ada@example.com" }));
    }
    let doubled = doctor(&clinic, &["--preset", "usage_read", "--key", "Contact.Email"]);
    assert_eq!(doubled.status.code(), Some(1));
    assert!(
        text(&doubled.stdout).contains("Contact.Email has 1 value that several records share"),
        "{}",
        text(&doubled.stdout)
    );
    let missing = doctor(&clinic, &["--preset", "usage_read", "--key", "Contact.Nothing__c", "--json"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("the key could not be looked at"), "{}", text(&missing.stderr));
    let bundle = doctor(&clinic, &["--preset", "usage_read", "--support", "sync"]);
    let bundle: Value = serde_json::from_str(&text(&bundle.stdout)).expect("JSON");
    assert_eq!((&bundle["action"], &bundle["org_id"]), (&json!("sync"), &json!(clinic.org.org_id())));
}

#[test]
fn the_doctor_says_what_presets_there_are_and_refuses_others() {
    let help = example("org_doctor").arg("--help").output().expect("runs");
    for preset in Preset::ALL {
        assert!(text(&help.stdout).contains(preset.name()), "{preset}");
    }
    for wrong in [&["--preset", "scroes"][..], &["--key", "Email"], &["--what"]] {
        let output = example("org_doctor").args(wrong).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let sample = example("org_doctor").output().expect("runs");
    assert_eq!(sample.status.code(), Some(1), "nothing is set up in the mock org");
    assert!(text(&sample.stdout).contains("Navattic_Session__c is not there"), "{}", text(&sample.stdout));
}
