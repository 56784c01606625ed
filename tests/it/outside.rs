//! Clients that this project did not write, against the mock org.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::engagement::example;
use crate::support::not_run;

/// The example `mock_org`, stopped at the end of the test, and the line it prints.
pub(crate) struct Served {
    process: Child,
    pub(crate) line: String,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these arguments beside the port.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut command = example("mock_org");
        let mut process = command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn().expect("runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        Self { process, line }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; then the test has failed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `tests/run` has prepared under a name; the test is named as not run where it has not.
fn prepared(test: &str, variable: &str, what: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the test command says what it has prepared")]
    let found = std::env::var(variable).ok();
    if found.is_none() {
        not_run(test, &format!("{variable} is not set; ./tests/run installs {what} and sets it"));
    }
    found
}

fn passes(command: &mut Command, closing: &str) {
    let output = command.output().expect("runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains(closing), "{stdout}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside").join(name)
}

#[test]
fn simple_salesforce_logs_in_reads_writes_and_makes_an_object() {
    let test = "simple_salesforce_logs_in_reads_writes_and_makes_an_object";
    let Some(python) = prepared(test, "SFORCE_TEST_PYTHON", "simple-salesforce") else { return };
    let served = Served::start();
    let mut command = Command::new(python);
    passes(command.arg(script("simple_salesforce_check.py")).arg(served.line.trim()), "12 passed, 0 failed");
}

#[test]
fn jsforce_reads_writes_deploys_and_retrieves() {
    let test = "jsforce_reads_writes_deploys_and_retrieves";
    let Some(folder) = prepared(test, "SFORCE_TEST_JSFORCE", "jsforce") else { return };
    let served = Served::start();
    let mut command = Command::new(Path::new(&folder).join("node"));
    passes(command.arg(script("jsforce_check.mjs")).arg(served.line.trim()).arg(folder), "11 passed, 0 failed");
}
