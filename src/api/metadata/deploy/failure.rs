//! Why a deploy has not ended well, as an error.

use std::fmt;

use super::result::{DeployMessage, DeployResult, DeployStatus, TestFailure};
use crate::client::record_error;
use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry};

/// Components that an error names in its own line; its [source](std::error::Error::source) names all.
const NAMED: usize = 20;

/// The components and tests that failed: the [source](std::error::Error::source) of the error of
/// [`DeployResult::into_result`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeployFailures {
    /// The components that were refused.
    pub components: Vec<DeployMessage>,
    /// The test methods that failed.
    pub tests: Vec<TestFailure>,
}

impl fmt::Display for DeployFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for component in &self.components {
            write!(f, "{separator}{component}")?;
            match (component.line, component.column) {
                (Some(line), Some(column)) => write!(f, " ({}:{line}:{column})", component.file_name)?,
                (Some(line), None) => write!(f, " ({}:{line})", component.file_name)?,
                _ => {}
            }
            write!(f, ": {}", component.problem.as_deref().unwrap_or("refused"))?;
            separator = "; ";
        }
        for test in &self.tests {
            write!(f, "{separator}test {}", test.name)?;
            if let Some(method) = &test.method_name {
                write!(f, ".{method}")?;
            }
            write!(f, ": {}", test.message)?;
            separator = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for DeployFailures {}

/// What to do about a problem, by words that stand in it, lower case. Hints: Salesforce's words change, and then there is none.
///
/// Sources: wire facts 4.2 (reports of users); Metadata API Developer Guide, "Maintaining User References".
const ADVICE: &[(&str, &str)] = &[
    (
        "cannot deploy to a required field",
        "leave required and master-detail fields out of the permission set: whoever sees the object sees them",
    ),
    ("depends on permission", "grant the permissions that it depends on as well"),
    (
        "not found in zipped directory",
        "put every component that package.xml names into the zip, or take its name out of package.xml",
    ),
    ("not available in this organization", "the org's edition or licences do not have it: leave it out"),
    ("unknown user permission", "the org's edition or licences do not have the permission: leave it out"),
    ("cannot be found", "deploy what it refers to before, or in the same package"),
    ("does not exist", "deploy what it refers to before, or in the same package"),
    ("found in zip", "put the file where its type has its folder, or name it in package.xml"),
];

fn advice(problem: &str) -> Option<&'static str> {
    let problem = problem.to_ascii_lowercase();
    ADVICE.iter().find(|(words, _)| problem.contains(words)).map(|(_, advice)| *advice)
}

impl DeployResult {
    /// The result, or an error that names every component that was refused and every test that failed.
    ///
    /// The error's line names up to 20 components; its source, a [`DeployFailures`], has all of them with Salesforce's words.
    /// [`Error::effect`] is [`Effect::None`] where nothing was changed: a check, or a deploy that was rolled back.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] for components that were refused, tests that failed or code that they do not cover.
    /// - [`ErrorKind::Conflict`] for a deploy that was cancelled.
    /// - The kind of Salesforce's code where the deploy failed as a whole.
    /// - [`ErrorKind::Unavailable`] for one that has not ended.
    pub fn into_result(self) -> Result<Self> {
        match self.error() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Why it has not ended well; `None` where it has.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        const OPERATION: &str = "deploy";
        let new = |kind, message: &'static str| Error::new(kind, OPERATION, message);
        if !self.is_done() {
            let error = new(ErrorKind::Unavailable, "the deploy has not ended").with_retry(Retry::After(None));
            return Some(self.about(error.with_effect(Effect::Unknown)));
        }
        let error = match &self.status {
            DeployStatus::Succeeded => return None,
            DeployStatus::Other(_) if self.success => return None,
            DeployStatus::Canceled | DeployStatus::Canceling => new(ErrorKind::Conflict, "the deploy was cancelled")
                .with_advice("deploy again, once whoever cancelled it agrees"),
            _ => match &self.error_status_code {
                Some(code) => {
                    let words = self.error_message.as_deref().unwrap_or_default();
                    // It has ended: whether to begin another one is not for a loop to decide.
                    record_error(OPERATION, vec![ApiError::new(code, words, Vec::new())]).with_retry(Retry::Never)
                }
                None if self.number_component_errors > 0 || !self.failures().is_empty() => {
                    new(ErrorKind::Invalid, "components were refused")
                }
                None if self.number_test_errors > 0 || !self.test_failures().is_empty() => {
                    new(ErrorKind::Invalid, "tests failed")
                }
                None => new(ErrorKind::Invalid, "the deploy failed"),
            },
        };
        Some(self.about(error.with_effect(self.effect())))
    }

    /// Whether a deploy that has not ended well may have changed the org.
    fn effect(&self) -> Effect {
        let undone = self.rollback_on_error && matches!(self.status, DeployStatus::Failed | DeployStatus::Canceled);
        if self.check_only || undone { Effect::None } else { Effect::Unknown }
    }

    /// Names what failed.
    fn about(&self, error: Error) -> Error {
        let mut error = self.id.into_iter().fold(error, |error, id| error.with_context("deploy", id));
        error = error.with_context("status", &self.status);
        let (components, tests) = (self.failures(), self.test_failures());
        let refused = self.number_component_errors.max(components.len() as u64);
        if refused > 0 {
            error = error.with_context("components_refused", refused);
        }
        error = components.iter().take(NAMED).fold(error, |error, one| error.with_context("component", one));
        let failed = self.number_test_errors.max(tests.len() as u64);
        if failed > 0 {
            error = error.with_context("tests_failed", failed);
        }
        if error.advice().is_none() {
            let known = components.iter().filter_map(|one| advice(one.problem.as_deref()?));
            let mut hints: Vec<&str> = Vec::new();
            for advice in known {
                if !hints.contains(&advice) {
                    hints.push(advice);
                }
            }
            if !hints.is_empty() {
                error = error.with_advice(hints.join("; "));
            } else if !components.is_empty() {
                error = error.with_advice("mend the components that are named, and deploy again");
            } else if failed > 0 {
                error = error.with_advice("mend the tests, or the code that they test, and deploy again");
            }
        }
        if components.is_empty() && tests.is_empty() {
            return error;
        }
        error.with_source(DeployFailures { components: components.to_vec(), tests: tests.to_vec() })
    }
}
