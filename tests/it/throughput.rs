//! The example `throughput`, run as a user runs it: every job does what it says, on the mock org.

use serde_json::Value;

use crate::engagement::example;

#[test]
fn every_job_moves_all_records_and_says_so_in_one_line() {
    for job in ["J1", "J1o", "J2", "J2m", "J2b", "J3", "J3o", "J4", "J4o", "J5"] {
        let output = example("throughput").args(["--job", job, "--records", "450", "--json"]).output().expect("runs");
        let shown = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{job}: {}", String::from_utf8_lossy(&output.stderr));
        let line: Value = serde_json::from_str(shown.lines().last().expect("a line")).expect("JSON");
        assert_eq!((&line["peer"], &line["job"]), (&"sforce".into(), &job.into()));
        assert_eq!(line["records"], 450, "{line}");
        assert!(line["wall_s"].as_f64().is_some_and(|seconds| seconds > 0.0), "{line}");
        // Scores are 0 to 6, one after the other.
        let sum: i32 = (0..450).map(|number| number % 7).sum();
        let reads = job.starts_with("J1") || job.starts_with("J3");
        assert_eq!(line.get("sum").and_then(Value::as_f64), reads.then_some(f64::from(sum)), "{line}");
    }
}

#[test]
fn nothing_but_the_answer_is_told_where_standard_error_is_no_terminal() {
    for args in [&["--job", "J2", "--records", "300"][..], &["--job", "J2", "--records", "300", "--json"]] {
        let output = example("throughput").args(args).output().expect("runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("J2: 300 records in "));
    }
}

#[test]
fn the_help_says_which_server_can_be_given() {
    let output = example("throughput").arg("--help").output().expect("runs");
    let help = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("on this machine (http://127.0.0.1:PORT), taking any credentials"), "{help}");
}

#[test]
fn a_job_that_there_is_not_and_a_server_that_there_is_not_are_told() {
    let unknown = example("throughput").args(["--job", "J9"]).output().expect("runs");
    assert_eq!(unknown.status.code(), Some(2));
    let nobody =
        example("throughput").args(["--job", "J1", "--base-url", "http://127.0.0.1:9"]).output().expect("runs");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nobody.stderr).starts_with("error: "));
}

#[test]
fn a_machine_without_root_certificates_is_told_where_they_are_needed_and_no_earlier() {
    let bare = |args: &[&str]| {
        let mut run = example("throughput");
        run.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null/none");
        run.args(["--job", "J1", "--records", "3"]).args(args).output().expect("runs")
    };
    let plain = bare(&[]);
    assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    let secure = bare(&["--base-url", "https://127.0.0.1:9"]);
    assert_eq!(secure.status.code(), Some(1));
    let told = String::from_utf8_lossy(&secure.stderr).into_owned();
    assert!(told.contains("the HTTP client does not start") && told.contains("ca-certificates"), "{told}");
}
