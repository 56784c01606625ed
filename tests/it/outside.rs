//! Clients that this project did not write, against the mock org.

use std::io::{BufRead, BufReader};
use std::path::Path;
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

#[test]
fn simple_salesforce_logs_in_reads_writes_and_makes_an_object() {
    // A Python with the package; `./tests/run` makes one and says where it is.
    #[expect(clippy::disallowed_methods, reason = "the test command says what it has prepared")]
    let Ok(python) = std::env::var("SFORCE_TEST_PYTHON") else {
        not_run(
            "simple_salesforce_logs_in_reads_writes_and_makes_an_object",
            "SFORCE_TEST_PYTHON is not set; ./tests/run installs simple-salesforce and sets it",
        );
        return;
    };
    let served = Served::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside/simple_salesforce_check.py");
    let output = Command::new(python).arg(script).arg(served.line.trim()).output().expect("runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("12 passed, 0 failed"), "{stdout}");
}
