//! The example `engagement_sessions`, run as a user runs it.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sforce::testing::org::{MockOrg, Operation};

use crate::outside::Served;
use crate::support::field;

const OBJECT: &str = "Navattic_Session__c";

/// An example's program, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a path");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let program = folder.join("examples").join(name);
    assert!(program.is_file(), "{} is not built: run plain `cargo test`", program.display());
    let mut command = Command::new(program);
    for variable in ["LOGIN_URL", "CLIENT_ID", "CLIENT_SECRET"] {
        command.env_remove(format!("SALESFORCE_{variable}")).env_remove(format!("SALESFORCE_RUNTIME_{variable}"));
    }
    command.stdin(Stdio::null());
    command
}

fn in_org(org: &MockOrg) -> Command {
    let mut command = example("engagement_sessions");
    command
        .env("SALESFORCE_LOGIN_URL", org.base_url())
        .env("SALESFORCE_CLIENT_ID", org.client_id())
        .env("SALESFORCE_CLIENT_SECRET", org.client_secret());
    command
}

/// An org with nothing of ours: the program makes what it needs.
fn org() -> MockOrg {
    MockOrg::start()
}

/// A file that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("sforce-{}-{name}", std::process::id())))
    }

    fn with(name: &str, bytes: &[u8]) -> Self {
        let scratch = Self::new(name);
        std::fs::write(&scratch.0, bytes).expect("writable");
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

/// The JSON object in the last line of output, whose counts must add up.
fn summary(output: &Output) -> HashMap<String, u64> {
    let stdout = text(&output.stdout);
    let last = stdout.lines().last().unwrap_or_else(|| panic!("no output: {}", text(&output.stderr)));
    let summary: HashMap<String, u64> = serde_json::from_str(last).expect(last);
    let sum: u64 = ["invalid", "folded", "created", "updated", "unchanged", "failed", "deferred"]
        .iter()
        .map(|name| summary[*name])
        .sum();
    assert_eq!(summary["read"], sum, "{summary:?}");
    assert!(
        summary.contains_key("api_calls")
            && summary.contains_key("elapsed_ms")
            && summary.len() == 16
            && summary.contains_key("linked_opportunity"),
        "{summary:?}"
    );
    summary
}

/// Runs with `--json` on this input and gives exit status and counts.
fn run(org: &MockOrg, input: &Scratch) -> (i32, HashMap<String, u64>) {
    let output = in_org(org).args(["--json", "--input"]).arg(&input.0).output().expect("runs");
    (output.status.code().expect("an exit status"), summary(&output))
}

/// The session of that id as it stands in the org.
fn session(org: &MockOrg, id: &str) -> Value {
    let mut found: Vec<Value> = org.records(OBJECT).into_iter().filter(|record| record["Name"] == id).collect();
    assert_eq!(found.len(), 1, "{id} is there once");
    found.remove(0)
}

#[test]
fn nav_25_the_sample_lands_and_a_second_run_changes_nothing() {
    let org = org();
    let run = |rejects: &Scratch| {
        let output = in_org(&org).args(["--json", "--rejects"]).arg(&rejects.0).output().expect("runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
        summary(&output)
    };
    let rejects = Scratch::new("sample-rejects");
    let first = run(&rejects);
    assert!(first["read"] >= 300 && first["invalid"] > 0 && first["folded"] > 0, "{first:?}");
    assert_eq!(first["created"], first["read"] - first["invalid"] - first["folded"]);
    assert_eq!(org.count(OBJECT) as u64, first["created"]);
    let rejected: Vec<Value> = std::fs::read_to_string(&rejects.0)
        .expect("written")
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(rejected.len() as u64, first["invalid"]);
    for reject in &rejected {
        let members: Vec<&String> = reject.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["field", "input", "line", "reason"]);
    }

    let writes = org.calls(Operation::CollectionsUpsert);
    let second = run(&rejects);
    assert_eq!((second["unchanged"], second["created"], second["updated"]), (first["created"], 0, 0));
    assert_eq!(org.calls(Operation::CollectionsUpsert), writes, "nothing was written");
}

#[test]
fn without_arguments_it_works_in_a_mock_org_and_shows_records() {
    let output = example("engagement_sessions").output().expect("runs");
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let parts = [
        "Set-up: 37 components created",
        "permission set assigned",
        "created",
        "Linked:",
        "Invalid:",
        "line 38: started_at:",
        "Stored, but not linked:",
        "several contacts have this email address",
        "Opportunity: ",
        "Contact: ",
        "Session Count",
        "Somewhat Interested",
    ];
    for part in parts {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[test]
fn every_field_arrives_in_the_form_salesforce_stores() {
    let org = org();
    let line = json!({
        "session_id": " s-1 ", "started_at": "2026-05-01T09:25:37.9+02:00", "full_name": "\u{5d0}\u{5d1} \"O'Neil\"; 🙂,\tB",
        "email": " Ada@Example.com ", "duration_seconds": 100, "steps_viewed": 7.0, "demos": ["A; B", " C "], "flows": [],
        "very_interested": ["x%_\\"], "somewhat_interested": ["✓"], "not_interested": [""], "opportunity_id": "whatever"
    });
    let input = Scratch::with("stored", format!("\u{feff}{line}\r\n\r\n").as_bytes());
    assert_eq!(run(&org, &input).1["created"], 1);
    let stored = session(&org, "s-1");
    let expected = json!({
        "Navattic_Session_Key__c": "s-1", "Navattic_Started_At__c": "2026-05-01T07:25:37.000+0000",
        "Navattic_Full_Name__c": "\u{5d0}\u{5d1} \"O'Neil\"; 🙂, B", "Navattic_Email__c": "Ada@Example.com",
        "Navattic_Duration_Minutes__c": 1.667, "Navattic_Steps_Viewed__c": 7, "Navattic_Demos__c": "A; B; C",
        "Navattic_Flows__c": null, "Navattic_Very_Interested_Areas__c": "x%_\\", "Navattic_Somewhat_Interested_Areas__c": "✓",
        "Navattic_Not_Interested_Areas__c": null
    });
    for (name, value) in expected.as_object().expect("an object") {
        let same = match (value.as_f64(), stored[name].as_f64()) {
            (Some(expected), Some(stored)) => (expected - stored).abs() < 1e-9,
            _ => stored[name] == *value,
        };
        assert!(same, "{name}: {} instead of {value}", stored[name]);
    }
    assert_eq!(run(&org, &input).1["unchanged"], 1);
}

#[test]
fn each_kind_of_bad_line_is_reported_with_line_field_and_reason_and_the_others_land() {
    let org = org();
    let bad = [
        ("not JSON at all", ""),
        ("[1,2]", ""),
        (r#"{"full_name":"no id"}"#, "session_id"),
        (r#"{"session_id":"   "}"#, "session_id"),
        (r#"{"session_id":null}"#, "session_id"),
        (r#"{"session_id":7}"#, "session_id"),
        (r#"{"session_id":"LONG81"}"#, "session_id"),
        (r#"{"session_id":"b1","started_at":"2026-02-30T00:00:00Z"}"#, "started_at"),
        (r#"{"session_id":"b2","started_at":"2026-05-01 10:00"}"#, "started_at"),
        (r#"{"session_id":"b3","duration_seconds":-0.001}"#, "duration_seconds"),
        (r#"{"session_id":"b4","duration_seconds":1e400}"#, "duration_seconds"),
        (r#"{"session_id":"b5","duration_seconds":"12"}"#, "duration_seconds"),
        (r#"{"session_id":"b6","steps_viewed":1.5}"#, "steps_viewed"),
        (r#"{"session_id":"b7","steps_viewed":-1}"#, "steps_viewed"),
        (r#"{"session_id":"b8","full_name":"LONG256"}"#, "full_name"),
        (r#"{"session_id":"b9","email":"LONG256"}"#, "email"),
        (r#"{"session_id":"b10","email":"nobody"}"#, "email"),
        (r#"{"session_id":"b11","full_name":"bell \u0007"}"#, "full_name"),
        (r#"{"session_id":"b15","full_name":"\u000b"}"#, "full_name"),
        (r#"{"session_id":"b12","demos":"Tour"}"#, "demos"),
        (r#"{"session_id":"b13","flows":["ok",{"a":1}]}"#, "flows"),
        (r#"{"session_id":"b14","full_name":"\ud800"}"#, ""),
    ];
    let mut lines = vec![r#"{"session_id":"good-1"}"#.to_owned()];
    lines.extend(
        bad.iter().map(|(line, _)| line.replace("LONG81", &"x".repeat(81)).replace("LONG256", &"🙂".repeat(128))),
    );
    lines.push(r#"{"session_id":"good-3","nobody maps this":1e400}"#.into());
    lines.push(r#"{"session_id":"good-2","full_name":"tab\tand\r\nbreak"}"#.into());
    let mut bytes = lines.join("\n").into_bytes();
    bytes.extend(b"\n{\"session_id\":\"\xff\"}\n");
    let (input, rejects) = (Scratch::with("bad-lines", &bytes), Scratch::new("bad-lines-rejects"));
    let output =
        in_org(&org).args(["--json", "--input"]).arg(&input.0).arg("--rejects").arg(&rejects.0).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "invalid lines alone are no failure");
    let counts = summary(&output);
    assert_eq!((counts["created"], counts["invalid"]), (3, bad.len() as u64 + 1));
    assert_eq!(session(&org, "good-2")["Navattic_Full_Name__c"], "tab and break");
    let rejected: Vec<Value> = std::fs::read_to_string(&rejects.0)
        .expect("written")
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert_eq!(rejected.len(), bad.len() + 1);
    for (index, ((_, field), reject)) in bad.iter().zip(&rejected).enumerate() {
        assert_eq!((&reject["line"], &reject["field"]), (&json!(index + 2), &json!(field)), "{reject}");
        assert_eq!(reject["input"], json!(lines[index + 1]));
        assert!(reject["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    }
}

#[test]
fn an_older_line_of_another_run_does_not_overwrite_and_a_newer_one_does() {
    let org = org();
    let line = |day: u32, name: &str| {
        format!(r#"{{"session_id":"s","started_at":"2026-05-{day:02}T00:00:00Z","full_name":"{name}"}}"#)
    };
    let file = |lines: &[String]| Scratch::with("older", lines.join("\n").as_bytes());
    assert_eq!(run(&org, &file(&[line(10, "ten")])).1["created"], 1);
    assert_eq!(run(&org, &file(&[line(9, "nine")])).1["unchanged"], 1);
    assert_eq!(session(&org, "s")["Navattic_Full_Name__c"], "ten");
    let (code, counts) = run(&org, &file(&[line(12, "twelve"), line(11, "eleven")]));
    assert_eq!((code, counts["updated"], counts["folded"]), (0, 1, 1));
    assert_eq!(session(&org, "s")["Navattic_Full_Name__c"], "twelve");
}

#[test]
fn doubled_ids_in_different_windows_end_as_the_newest() {
    let org = org();
    let line = |id: &str, day: u32| {
        format!(r#"{{"session_id":"{id}","started_at":"2026-05-{day:02}T00:00:00Z","steps_viewed":{day}}}"#)
    };
    let mut lines = vec![line("twice", 10), line("later", 10)];
    lines.extend((0..1500).map(|number| line(&format!("filler-{number}"), 1)));
    lines.extend([line("twice", 9), line("later", 11)]);
    let (_, counts) = run(&org, &Scratch::with("windows", lines.join("\n").as_bytes()));
    assert_eq!((counts["created"], counts["updated"], counts["unchanged"]), (1502, 1, 1));
    assert_eq!(session(&org, "twice")["Navattic_Steps_Viewed__c"].as_f64(), Some(10.0));
    assert_eq!(session(&org, "later")["Navattic_Steps_Viewed__c"].as_f64(), Some(11.0));
}

#[test]
fn ids_that_differ_by_case_are_two_sessions() {
    let org = org();
    let input = Scratch::with("case", b"{\"session_id\":\"abc\"}\n{\"session_id\":\"ABC\"}\n");
    let (_, counts) = run(&org, &input);
    assert_eq!((counts["created"], counts["folded"]), (2, 0));
    assert_eq!(run(&org, &input).1["unchanged"], 2);
}

/// Runs to an error and gives what it said.
fn failure(command: &mut Command, code: i32) -> String {
    let output = command.output().expect("runs");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.matches("error:").count(), 1, "one error: {stderr}");
    stderr
}

#[test]
fn each_obstacle_is_one_clear_error_with_what_to_do() {
    let org = org();
    let stderr = failure(in_org(&org).args(["--input", "/no/such/file"]), 1);
    assert!(stderr.contains("cannot read /no/such/file"), "{stderr}");

    let stderr = failure(in_org(&org).env("SALESFORCE_CLIENT_SECRET", "wrong"), 1);
    assert!(stderr.contains("invalid_client") && stderr.contains("client secret"), "{stderr}");

    // A port that was free a moment ago refuses connections.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let stderr = failure(in_org(&org).env("SALESFORCE_LOGIN_URL", format!("http://127.0.0.1:{port}")), 1);
    assert!(stderr.contains("cannot connect") && stderr.contains("check the login address"), "{stderr}");

    let stderr = failure(in_org(&org).env("SALESFORCE_LOGIN_URL", "https://login.salesforce.com"), 1);
    assert!(stderr.contains("My Domain"), "{stderr}");

    let stderr = failure(in_org(&org).env_remove("SALESFORCE_CLIENT_ID"), 2);
    assert!(stderr.contains("SALESFORCE_CLIENT_ID not set"), "{stderr}");

    let stderr = failure(in_org(&org).args(["--prefix", "1_"]), 2);
    assert!(stderr.contains("prefix"), "{stderr}");

    org.disable_api();
    let stderr = failure(&mut in_org(&org), 1);
    assert!(stderr.contains("API Enabled"), "{stderr}");
    org.enable_api();
    org.revoke_object(&org.user_id(), "Lead", "Edit");
    let stderr = failure(&mut in_org(&org), 1);
    assert!(stderr.contains("Lead gives the user no Edit") && stderr.contains("permission set"), "{stderr}");
    assert_eq!(org.count(OBJECT), 0, "no session was written on the way");
}

#[test]
fn rejects_are_never_written_over_the_input_nor_before_the_login_works() {
    let org = org();
    let input = Scratch::with("same", b"{\"session_id\":\"a\",\"steps_viewed\":1.5}\n");
    let stderr = failure(in_org(&org).arg("--input").arg(&input.0).arg("--rejects").arg(&input.0), 2);
    assert!(stderr.contains("same file"), "{stderr}");
    assert!(!std::fs::read(&input.0).expect("readable").is_empty(), "the input is as it was");
    let old = Scratch::with("old-rejects", b"old");
    let wrong =
        || in_org(&org).env("SALESFORCE_CLIENT_SECRET", "wrong").arg("--rejects").arg(&old.0).output().expect("runs");
    assert_eq!(wrong().status.code(), Some(1));
    assert_eq!(std::fs::read(&old.0).expect("readable"), b"old");
}

#[test]
fn a_pipe_is_read_once_and_whole() {
    let org = org();
    let mut command = in_org(&org);
    let mut child = command
        .args(["--json", "--input", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"{\"session_id\":\"a\"}\n{\"session_id\":\"b\"}\n").expect("read");
    drop(stdin);
    let counts = summary(&child.wait_with_output().expect("ends"));
    assert_eq!((counts["read"], counts["created"]), (2, 2));
}

#[test]
fn two_states_of_one_session_with_one_stamp_end_as_the_last_and_stay_so() {
    let org = org();
    let line = |id: &str, steps: u32| {
        format!(r#"{{"session_id":"{id}","started_at":"2026-05-01T00:00:00Z","steps_viewed":{steps}}}"#)
    };
    let mut lines = vec![line("twice", 1)];
    lines.extend((0..1200).map(|number| line(&format!("filler-{number}"), 1)));
    lines.push(line("twice", 2));
    let input = Scratch::with("one-stamp", lines.join("\n").as_bytes());
    let first = run(&org, &input).1;
    assert_eq!((first["created"], first["updated"]), (1201, 1));
    let second = run(&org, &input).1;
    assert_eq!((second["unchanged"], second["updated"]), (1202, 0));
    assert_eq!(session(&org, "twice")["Navattic_Steps_Viewed__c"].as_f64(), Some(2.0));
}

#[test]
fn a_corrected_line_and_a_contact_that_came_later_reach_the_record() {
    let org = org();
    let line = |name: &str| {
        format!(
            r#"{{"session_id":"s","started_at":"2026-05-01T00:00:00Z","full_name":"{name}","email":"ada@x.example"}}"#
        )
    };
    let file = |name: &str| Scratch::with("corrected", line(name).as_bytes());
    assert_eq!(run(&org, &file("Ada")).1["created"], 1);
    let contact = org.insert("Contact", json!({"LastName": "Ada", "Email": "ada@x.example"}));
    let counts = run(&org, &file("Ada")).1;
    assert_eq!((counts["updated"], counts["matched_contact"]), (1, 1));
    assert_eq!(session(&org, "s")["Navattic_Contact__c"], contact.as_str());
    assert_eq!(run(&org, &file("Ada L.")).1["updated"], 1);
    assert_eq!(session(&org, "s")["Navattic_Full_Name__c"], "Ada L.");
    assert_eq!(run(&org, &file("Ada L.")).1["unchanged"], 1);
}

#[test]
fn a_rejects_file_that_cannot_be_written_does_not_hide_the_counts() {
    let org = org();
    let input = Scratch::with("full", b"{\"session_id\":\"a\"}\n{\"x\":1}\n");
    let output =
        in_org(&org).args(["--json", "--rejects", "/dev/full", "--input"]).arg(&input.0).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(summary(&output)["created"], 1);
    assert!(text(&output.stderr).contains("cannot write the rejects"));
}

#[test]
fn help_names_the_options_and_the_environment() {
    let output = example("engagement_sessions").arg("--help").output().expect("runs");
    let help = text(&output.stdout);
    for part in ["--input", "--rejects", "--json", "SALESFORCE_LOGIN_URL", "Exit status"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert_eq!(example("engagement_sessions").arg("--nonsense").output().expect("runs").status.code(), Some(2));
}

#[test]
fn mock_org_serves_another_process_and_tells_its_credentials_in_one_line() {
    let served = Served::start();
    let told: HashMap<String, String> = serde_json::from_str(&served.line).expect(&served.line);
    let mut names: Vec<&str> = told.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "access_token",
        "api_version",
        "authorize_url",
        "base_url",
        "client_id",
        "client_secret",
        "org_id",
        "password",
        "token_url",
        "user_id",
        "username",
    ];
    assert_eq!(names, expected);
    let run = || {
        let output = example("engagement_sessions")
            .arg("--json")
            .env("SALESFORCE_LOGIN_URL", &told["base_url"])
            .env("SALESFORCE_CLIENT_ID", &told["client_id"])
            .env("SALESFORCE_CLIENT_SECRET", &told["client_secret"])
            .output()
            .expect("runs");
        summary(&output)
    };
    let (first, second) = (run(), run());
    assert_eq!((second["unchanged"], second["created"] + second["updated"]), (first["created"], 0));

    // The token is live from the start.
    let client = {
        let token = sforce::auth::AccessToken::allowing_loopback(told["access_token"].as_str(), &told["base_url"])
            .expect("loopback");
        sforce::Client::builder(sforce::auth::StaticToken::new(token)).build().expect("a client")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let user = runtime.block_on(
        client
            .records(sforce::types::SObjectName::from_static("User"))
            .get(told["user_id"].parse().expect("an id"), &[field("Username")]),
    );
    assert_eq!(user.expect("there").text("Username"), Some(told["username"].as_str()));
}

#[test]
fn mock_org_asks_on_a_page_only_with_consent() {
    use std::io::{Read as _, Write as _};

    for (arguments, expected) in [(&["--consent"][..], "/login?source="), (&[], "http://127.0.0.1:9/callback?code=")] {
        let served = Served::start_with(arguments);
        let told: HashMap<String, String> = serde_json::from_str(&served.line).expect(&served.line);
        let (host, path) =
            told["authorize_url"].strip_prefix("http://").and_then(|url| url.split_once('/')).expect("a URL");
        let mut stream = std::net::TcpStream::connect(host).expect("listens");
        let query =
            format!("response_type=code&client_id={}&redirect_uri=http://127.0.0.1:9/callback", told["client_id"]);
        write!(stream, "GET /{path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 302") && answer.contains(&format!("ocation: {expected}")), "{answer}");
    }
}

#[test]
fn a_reader_that_stops_early_gets_no_panic() {
    // `head -1` closes the pipe; the program must not claim success with a half-written summary, nor panic.
    let mut child = example("engagement_sessions").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
}

#[test]
fn the_rejects_file_can_be_mended_and_fed_again() {
    let org = org();
    let (input, rejects) =
        (Scratch::with("again", b"{\"session_id\":\"a\",\"steps_viewed\":1.5}\n"), Scratch::new("again-rejects"));
    in_org(&org).args(["--json", "--input"]).arg(&input.0).arg("--rejects").arg(&rejects.0).output().expect("runs");
    let reject: Value =
        serde_json::from_str(std::fs::read_to_string(&rejects.0).expect("written").trim()).expect("one line");
    let mended = Scratch::new("again-mended");
    let mut file = std::fs::File::create(&mended.0).expect("writable");
    writeln!(file, "{}", reject["input"].as_str().expect("the line").replace("1.5", "2")).expect("writable");
    assert_eq!(run(&org, &mended).1["created"], 1);
}
