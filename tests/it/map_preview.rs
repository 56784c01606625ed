//! The example `map_preview`, run as a user runs it.

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::engagement::example;
use crate::support::recorded;

/// A file that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn with(name: &str, text: &str) -> Self {
        let scratch = Self(std::env::temp_dir().join(format!("sforce-{}-preview-{name}", std::process::id())));
        std::fs::write(&scratch.0, text).expect("writable");
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody needs it any more.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The JSON object in the last line of output.
fn summary(output: &Output) -> Value {
    let stdout = text(&output.stdout);
    serde_json::from_str(stdout.lines().last().unwrap_or_default()).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

#[test]
fn the_sample_shows_what_is_sent_and_every_issue_with_its_line() {
    let output = example("map_preview").output().expect("runs");
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in [
        r#"line 1: {"Visitor_Key__c":"v-1","LastName":"Lovelace","#,
        r#""AccountId":null"#,
        "line 5: refused: not JSON",
        "line 6: refused: plan: not in the table of values",
        "line 6: refused: seen: clocks of the zone never show this time",
        "line 8: outside the audience",
        "8 records: 4 mapped, 3 refused, 1 outside the audience",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let output = example("map_preview").arg("--json").output().expect("runs");
    let summary = summary(&output);
    assert_eq!(summary["records"].as_array().map(Vec::len), Some(8));
    assert_eq!(summary["records"][0]["fields"]["Score__c"], 87.35);
    assert_eq!(summary["records"][4]["line"], 5);
    assert_eq!(summary["totals"]["invalid"], 3);
    assert_eq!(summary["fields"].as_array().map(Vec::len), Some(14));
    assert!(summary["fields"].as_array().expect("a list").iter().all(|field| field["verdict"] != "impossible"));
}

#[test]
fn a_field_that_is_impossible_and_a_map_that_cannot_be_loaded_end_with_1() {
    let bad = Scratch::with(
        "bad.toml",
        "version = 1\nobject = \"Contact\"\nkey = \"K__c\"\n[[rules]]\nsource = \"a\"\ntarget = \"K__c\"\ntransforms = [\"x\"]\n",
    );
    let output = example("map_preview").arg("--map").arg(&bad.0).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains(&format!("{}:7: rule 1 (K__c): ", bad.0.display())), "{told}");
    assert_eq!(example("map_preview").arg("--nonsense").output().expect("runs").status.code(), Some(2));
    assert!(text(&example("map_preview").arg("--help").output().expect("runs").stdout).contains("Exit status"));
    let Some(folder) = recorded("map_preview with a recorded describe") else { return };
    for name in ["Contact.describe.json", "Account.describe.2026-v58.json"] {
        let output =
            example("map_preview").arg("--json").arg("--describe").arg(folder.join("describe").join(name)).output();
        let output = output.expect("runs");
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output.stderr));
        assert!(
            summary(&output)["totals"]["impossible"].as_u64() >= Some(7),
            "{name}: the custom fields are not there"
        );
    }
}

#[test]
fn with_json_a_map_that_is_refused_is_an_object_with_each_mistake() {
    let bad = Scratch::with(
        "bad-json.toml",
        "version = 1\nobject = \"Contact\"\nkey = \"K__c\"\n[[rules]]\nsource = \"a\"\ntarget = \"K__c\"\ntransforms = [\"x\"]\n\
         [[rules]]\ntemplate = \"{a\"\ntarget = \"X__c\"\n",
    );
    let output = example("map_preview").arg("--json").arg("--map").arg(&bad.0).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let told = summary(&output);
    assert!(told["error"].as_str().is_some_and(|error| error.contains("unknown transform `x`")), "{told}");
    let mistakes = told["mistakes"].as_array().expect("a list");
    let file = bad.0.display().to_string();
    let places: Vec<_> = mistakes.iter().map(|one| (one["line"].as_u64(), one["rule"].as_u64())).collect();
    assert_eq!(places, [(Some(7), Some(1)), (Some(9), Some(2))], "{told}");
    assert!(mistakes.iter().all(|one| one["file"] == file.as_str() && one["reason"].is_string()), "{told}");
    let output = example("map_preview").args(["--json", "--input", "/nowhere"]).output().expect("runs");
    assert_eq!((output.status.code(), &summary(&output)["mistakes"]), (Some(1), &serde_json::json!([])));
}

#[test]
fn a_map_with_custom_transforms_is_shown_with_an_issue_where_a_value_meets_one() {
    let map = Scratch::with(
        "custom.toml",
        "version = 1\nobject = \"Contact\"\nkey = \"Visitor_Key__c\"\n[values.v]\nsource = \"email\"\ntransforms = [{ custom = \"mask\" }]\n\
         [[rules]]\nsource = \"id\"\ntarget = \"Visitor_Key__c\"\n\
         [[rules]]\nsource = \"$v\"\ntarget = \"Email\"\n\
         [[rules]]\nsource = \"name\"\ntarget = \"LastName\"\ntransforms = [\"trim\", { custom = \"initials\" }]\n",
    );
    let input =
        Scratch::with("custom.jsonl", "{\"id\":\"a\",\"name\":\"Ada L\",\"email\":\"a@b.cc\"}\n{\"id\":\"b\"}\n");
    let output = example("map_preview").arg("--json").arg("--map").arg(&map.0).arg("--input").arg(&input.0).output();
    let output = output.expect("runs");
    let told = summary(&output);
    assert_eq!(
        told["records"][0]["issues"],
        serde_json::json!([
            {"field": "$v", "reason": "custom transform mask: only the program has it"},
            {"field": "name", "reason": "custom transform initials: only the program has it"},
        ]),
        "{told}"
    );
    assert_eq!(told["records"][1]["fields"], serde_json::json!({"Visitor_Key__c": "b"}));
}

#[test]
fn a_map_that_only_reads_shows_what_the_source_would_get() {
    let map = Scratch::with(
        "read.json",
        r#"{"version":1,"object":"Contact","key":"Id","create":false,"rules":[
        {"source":"id","target":"Id","direction":"from_salesforce"},{"source":"who.email","target":"Email","direction":"from_salesforce"}]}"#,
    );
    let input = Scratch::with("read.jsonl", "{\"Id\":\"003dM00001wBXYDQA4\",\"Email\":\"ada@example.com\"}\n");
    let output = example("map_preview").arg("--json").arg("--map").arg(&map.0).arg("--input").arg(&input.0).output();
    let summary = summary(&output.expect("runs"));
    assert_eq!(summary["records"][0]["source"]["who"]["email"], "ada@example.com");
}
