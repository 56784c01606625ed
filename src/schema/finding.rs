//! What stands in the way, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The job fails, or leaves something out, until it is mended.
    #[default]
    Required,
    /// The job works, but worse or at a risk.
    Recommended,
    /// Only a part that can be done without needs it.
    Optional,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "Required",
            Self::Recommended => "Recommended",
            Self::Optional => "Optional",
        })
    }
}

/// Something an org or its user lacks, or has in another shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Which check found it, for programs: a word that stays, such as `object_right`.
    pub code: &'static str,
    /// [`ErrorKind::Schema`] for what is not there, hidden or of another shape, [`ErrorKind::Forbidden`] for a missing right,
    /// [`ErrorKind::Config`] for advice on user and org.
    pub kind: ErrorKind,
    /// Object, field, permission or permission set, by API name, such as `Contact.Email`.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it, for an admin: the click path.
    pub remedy: String,
    /// Whether applying the schema that it was found for mends it.
    pub fixable: bool,
}

impl Finding {
    /// Makes a finding that is [`Severity::Required`] and has to be mended by hand.
    pub fn new(
        code: &'static str,
        kind: ErrorKind,
        subject: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Required,
            code,
            kind,
            subject: subject.into(),
            problem: problem.into(),
            remedy: remedy.into(),
            fixable: false,
        }
    }

    /// The finding with another severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The finding, mended by applying the schema that it was found for, or not.
    #[must_use]
    pub fn with_fixable(mut self, fixable: bool) -> Self {
        self.fixable = fixable;
        self
    }

    pub(super) fn shape(
        code: &'static str,
        subject: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, ErrorKind::Schema, subject, problem, remedy)
    }

    pub(super) fn right(
        code: &'static str,
        subject: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, ErrorKind::Forbidden, subject, problem, remedy)
    }

    /// One error of all findings that are [`Severity::Required`], or nothing to say against going on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] if a finding has that kind, else that of the first one.
    pub fn into_result(operation: &'static str, findings: &[Self]) -> Result<()> {
        let findings: Vec<&Self> = findings.iter().filter(|finding| finding.severity == Severity::Required).collect();
        let Some(first) = findings.first() else { return Ok(()) };
        let missing = findings.iter().any(|finding| finding.kind == ErrorKind::Schema);
        let kind = if missing { ErrorKind::Schema } else { first.kind };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nav_15_only_what_is_required_stands_in_the_way() {
        let finding =
            |severity, subject| Finding::right("x", subject, "is missing", "grant it").with_severity(severity);
        let advice = [finding(Severity::Recommended, "ViewAllData"), finding(Severity::Optional, "Event")];
        assert!(Finding::into_result("preflight", &advice).is_ok());
        let all = [&advice[..], &[finding(Severity::Required, "ApiEnabled")]].concat();
        let error = Finding::into_result("preflight", &all).expect_err("one is required");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Forbidden, "ApiEnabled is missing"));
        assert!(Severity::Required < Severity::Recommended, "the worst sort first");
    }

    #[test]
    fn a_finding_is_told_to_programs_by_words_that_stay() {
        let finding =
            Finding::shape("field_missing", "Contact.Score__c", "is not there", "create it").with_fixable(true);
        assert_eq!(
            serde_json::to_string(&finding).expect("serialises"),
            r#"{"severity":"required","code":"field_missing","kind":"schema","subject":"Contact.Score__c","problem":"is not there","remedy":"create it","fixable":true}"#
        );
    }
}
