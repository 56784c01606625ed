//! How far a deploy is, and what became of its components.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::lenient::{count, flag, many, maybe_count, maybe_flag, maybe_text, maybe_time, text};
use crate::types::{RecordId, Timestamp};

/// How far a deploy is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeployStatus {
    /// Waits for its turn: an org carries out one deploy at a time.
    Pending,
    /// Is at work.
    InProgress,
    /// Has its components and makes them count. Cannot be cancelled any more from API 65.0 on.
    FinalizingDeploy,
    /// Has failed in that.
    FinalizingDeployFailed,
    /// Has ended well.
    Succeeded,
    /// Has ended, and some components were refused; those that were not are there. Only where failures undo nothing.
    SucceededPartial,
    /// Has ended badly.
    Failed,
    /// Is being cancelled.
    Canceling,
    /// Was cancelled.
    Canceled,
    /// A status that this version does not know.
    Other(String),
}

impl DeployStatus {
    const KNOWN: [Self; 9] = [
        Self::Pending,
        Self::InProgress,
        Self::FinalizingDeploy,
        Self::FinalizingDeployFailed,
        Self::Succeeded,
        Self::SucceededPartial,
        Self::Failed,
        Self::Canceling,
        Self::Canceled,
    ];

    /// Salesforce's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::FinalizingDeploy => "FinalizingDeploy",
            Self::FinalizingDeployFailed => "FinalizingDeployFailed",
            Self::Succeeded => "Succeeded",
            Self::SucceededPartial => "SucceededPartial",
            Self::Failed => "Failed",
            Self::Canceling => "Canceling",
            Self::Canceled => "Canceled",
            Self::Other(word) => word,
        }
    }

    /// Whether nothing follows it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::FinalizingDeployFailed | Self::Succeeded | Self::SucceededPartial | Self::Failed | Self::Canceled
        )
    }
}

impl fmt::Display for DeployStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DeployStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = Self::KNOWN.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(&word));
        Ok(known.unwrap_or(Self::Other(word)))
    }
}

/// How bad a problem is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemType {
    /// A failure, unless warnings are ignored.
    Warning,
    /// A failure.
    Error,
    /// Good to know.
    Info,
    /// A word that this version does not know.
    Other(String),
}

impl ProblemType {
    /// Salesforce's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::Info => "Info",
            Self::Other(word) => word,
        }
    }

    fn read(word: String) -> Self {
        let known = [Self::Warning, Self::Error, Self::Info];
        known.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&word)).unwrap_or(Self::Other(word))
    }
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn maybe_problem_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProblemType>, D::Error> {
    Ok(maybe_text(deserializer)?.map(ProblemType::read))
}

/// What became of one component, or of one file.
///
/// Source: Metadata API Developer Guide, `DeployMessage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the wire")]
#[non_exhaustive]
pub struct DeployMessage {
    /// Its type, such as `CustomField`; `None` for `package.xml`.
    #[serde(deserialize_with = "maybe_text")]
    pub component_type: Option<String>,
    /// Its full name, such as `Account.Score__c`.
    #[serde(deserialize_with = "text")]
    pub full_name: String,
    /// Its file in the zip.
    #[serde(deserialize_with = "text")]
    pub file_name: String,
    /// Its id in the org, where it has one.
    #[serde(deserialize_with = "maybe_text")]
    pub id: Option<String>,
    /// What is wrong with it, in Salesforce's words.
    #[serde(deserialize_with = "maybe_text")]
    pub problem: Option<String>,
    /// How bad that is.
    #[serde(deserialize_with = "maybe_problem_type")]
    pub problem_type: Option<ProblemType>,
    /// The line of the file, from 1.
    #[serde(rename = "lineNumber", deserialize_with = "maybe_count")]
    pub line: Option<u64>,
    /// The column of that line, from 1.
    #[serde(rename = "columnNumber", deserialize_with = "maybe_count")]
    pub column: Option<u64>,
    /// Whether the deploy created it.
    #[serde(deserialize_with = "flag")]
    pub created: bool,
    /// Whether the deploy changed it: `false` for one that was like this before.
    #[serde(deserialize_with = "flag")]
    pub changed: bool,
    /// Whether the deploy deleted it.
    #[serde(deserialize_with = "flag")]
    pub deleted: bool,
    /// Whether it was deployed.
    #[serde(deserialize_with = "flag")]
    pub success: bool,
}

impl fmt::Display for DeployMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.full_name.is_empty() { &self.file_name } else { &self.full_name };
        match &self.component_type {
            Some(kind) => write!(f, "{kind} {name}"),
            None => f.write_str(name),
        }
    }
}

/// A test method that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TestFailure {
    /// The test class.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Its method; `None` where the class does not compile.
    #[serde(deserialize_with = "maybe_text")]
    pub method_name: Option<String>,
    /// The namespace of its package.
    #[serde(deserialize_with = "maybe_text")]
    pub namespace: Option<String>,
    /// What is wrong.
    #[serde(deserialize_with = "text")]
    pub message: String,
    /// Where.
    #[serde(deserialize_with = "maybe_text")]
    pub stack_trace: Option<String>,
}

/// A test method that passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TestSuccess {
    /// The test class.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Its method.
    #[serde(deserialize_with = "maybe_text")]
    pub method_name: Option<String>,
    /// The namespace of its package.
    #[serde(deserialize_with = "maybe_text")]
    pub namespace: Option<String>,
}

/// Too little of the code was run by tests: a failure in production.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct CoverageWarning {
    /// The class or trigger; `None` for the code as a whole.
    #[serde(deserialize_with = "maybe_text")]
    pub name: Option<String>,
    /// What is missing.
    #[serde(deserialize_with = "text")]
    pub message: String,
}

/// What the tests of a deploy gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "RunTestsAnswer")]
#[non_exhaustive]
pub struct RunTestsResult {
    /// Methods that were run.
    pub num_tests: u64,
    /// Methods that failed.
    pub num_failures: u64,
    /// The methods that failed.
    pub failures: Vec<TestFailure>,
    /// The methods that passed.
    pub successes: Vec<TestSuccess>,
    /// Where tests run too little of the code.
    pub code_coverage_warnings: Vec<CoverageWarning>,
}

/// The same as it comes: the guide prints `numRun`, the WSDL has `numTestsRun`, and an answer may have both.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RunTestsAnswer {
    #[serde(deserialize_with = "count")]
    num_run: u64,
    #[serde(deserialize_with = "count")]
    num_tests_run: u64,
    #[serde(deserialize_with = "count")]
    num_failures: u64,
    #[serde(deserialize_with = "many")]
    failures: Vec<TestFailure>,
    #[serde(deserialize_with = "many")]
    successes: Vec<TestSuccess>,
    #[serde(deserialize_with = "many")]
    code_coverage_warnings: Vec<CoverageWarning>,
}

impl From<RunTestsAnswer> for RunTestsResult {
    fn from(answer: RunTestsAnswer) -> Self {
        let RunTestsAnswer { num_run, num_tests_run, num_failures, failures, successes, code_coverage_warnings } =
            answer;
        Self { num_tests: num_run.max(num_tests_run), num_failures, failures, successes, code_coverage_warnings }
    }
}

/// What became of each component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "DetailsAnswer")]
#[non_exhaustive]
pub struct DeployDetails {
    /// Components that were refused. With a rollback the others are not there either.
    pub component_failures: Vec<DeployMessage>,
    /// Components that were not.
    pub component_successes: Vec<DeployMessage>,
    /// What the tests gave.
    pub run_test_result: Option<RunTestsResult>,
}

/// The same as it comes: the guide prints the tests as `runTestResult` on one page and as `runTestResults` on another.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DetailsAnswer {
    #[serde(deserialize_with = "many")]
    component_failures: Vec<DeployMessage>,
    #[serde(deserialize_with = "many")]
    component_successes: Vec<DeployMessage>,
    run_test_result: Option<RunTestsResult>,
    run_test_results: Option<RunTestsResult>,
}

impl From<DetailsAnswer> for DeployDetails {
    fn from(answer: DetailsAnswer) -> Self {
        let DetailsAnswer { component_failures, component_successes, run_test_result, run_test_results } = answer;
        Self { component_failures, component_successes, run_test_result: run_test_result.or(run_test_results) }
    }
}

/// How far a deploy is, or how it has ended.
///
/// Source: Metadata API Developer Guide, `DeployResult`; "Check the Status of Your Deployment Using REST Resources".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the wire")]
#[non_exhaustive]
pub struct DeployResult {
    /// The deploy's id, `0Af…`.
    #[serde(default)]
    pub id: Option<RecordId>,
    /// How far it is.
    pub status: DeployStatus,
    /// Whether Salesforce says that it has ended. Not every answer has it: ask [`is_done`](Self::is_done).
    #[serde(default, deserialize_with = "maybe_flag")]
    pub done: Option<bool>,
    /// Whether it has ended well.
    #[serde(default, deserialize_with = "flag")]
    pub success: bool,
    /// Whether it changes nothing.
    #[serde(default, deserialize_with = "flag")]
    pub check_only: bool,
    /// Whether one failure undoes all.
    #[serde(default, deserialize_with = "flag")]
    pub rollback_on_error: bool,
    /// Whether warnings are no failures.
    #[serde(default, deserialize_with = "flag")]
    pub ignore_warnings: bool,
    /// Components in all. Counted when their turn comes: `0` before.
    #[serde(default, deserialize_with = "count")]
    pub number_components_total: u64,
    /// Components that are through.
    #[serde(default, deserialize_with = "count")]
    pub number_components_deployed: u64,
    /// Components that were refused.
    #[serde(default, deserialize_with = "count")]
    pub number_component_errors: u64,
    /// Test methods in all.
    #[serde(default, deserialize_with = "count")]
    pub number_tests_total: u64,
    /// Test methods that are through.
    #[serde(default, deserialize_with = "count")]
    pub number_tests_completed: u64,
    /// Test methods that failed.
    #[serde(default, deserialize_with = "count")]
    pub number_test_errors: u64,
    /// What it is at.
    #[serde(default, deserialize_with = "maybe_text")]
    pub state_detail: Option<String>,
    /// Why it failed as a whole.
    #[serde(default, deserialize_with = "maybe_text")]
    pub error_message: Option<String>,
    /// The code of that.
    #[serde(default, deserialize_with = "maybe_text")]
    pub error_status_code: Option<String>,
    /// When it was asked for.
    #[serde(default, deserialize_with = "maybe_time")]
    pub created_date: Option<Timestamp>,
    /// When its turn came.
    #[serde(default, deserialize_with = "maybe_time")]
    pub start_date: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "maybe_time")]
    pub completed_date: Option<Timestamp>,
    /// What became of each component; `None` where that was not asked for.
    #[serde(default)]
    pub details: Option<DeployDetails>,
}

impl DeployResult {
    /// Whether it has ended, one way or another.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done.unwrap_or_else(|| self.status.is_final())
    }

    /// The components that were refused.
    #[must_use]
    pub fn failures(&self) -> &[DeployMessage] {
        self.details.as_ref().map_or(&[], |details| &details.component_failures)
    }

    /// The test methods that failed.
    #[must_use]
    pub fn test_failures(&self) -> &[TestFailure] {
        let tests = self.details.as_ref().and_then(|details| details.run_test_result.as_ref());
        tests.map_or(&[], |tests| &tests.failures)
    }
}
