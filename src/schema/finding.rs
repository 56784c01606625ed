//! What stands in the way, and what to do about it.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Something an org or its user lacks, or has in another shape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// [`ErrorKind::Schema`] for what is not there, hidden or of another shape, [`ErrorKind::Forbidden`] for a missing right.
    pub kind: ErrorKind,
    /// Object, field or permission set, by API name, such as `Contact.Email`.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it, for an admin.
    pub remedy: String,
}

impl Finding {
    pub(super) fn shape(subject: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Schema, subject: subject.into(), problem: problem.into(), remedy: remedy.into() }
    }

    pub(super) fn right(subject: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Forbidden, subject: subject.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// One error of all findings, or nothing to say against going on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] if a finding has that kind, else [`ErrorKind::Forbidden`].
    pub fn into_result(operation: &'static str, findings: &[Self]) -> Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        let missing = findings.iter().any(|finding| finding.kind == ErrorKind::Schema);
        let kind = if missing { ErrorKind::Schema } else { ErrorKind::Forbidden };
        let problems = grouped(findings.iter().map(|finding| (finding.problem.as_str(), finding.subject.as_str())));
        let problems: Vec<String> =
            problems.iter().map(|(problem, subjects)| format!("{} {problem}", subjects.join(", "))).collect();
        let remedies = grouped(findings.iter().map(|finding| (finding.remedy.as_str(), "")));
        let remedies: Vec<&str> = remedies.iter().map(|(remedy, _)| *remedy).collect();
        Err(Error::new(kind, operation, problems.join("; ")).with_advice(remedies.join("; ")))
    }
}

/// What belongs to each key, keys in the order of their first coming.
fn grouped<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.subject, self.problem, self.remedy)
    }
}
