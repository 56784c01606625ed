//! What a preflight has found.

use std::fmt;

use serde::Serialize;

use super::{ActingUser, OrgProfile, SetupChange, UserKind};
use crate::error::{Error, Result};
use crate::schema::{Finding, Severity};
use crate::types::RecordId;

/// What stands in the way of a job, what is fine, and where that was found.
///
/// `Display` is for the admin, serde for programs. Neither holds a token or a field value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The job.
    pub job: String,
    /// Whether nothing that is required was found missing.
    pub ready: bool,
    /// The findings, the worst first; those of one severity in the order in which things have to be mended.
    pub findings: Vec<Finding>,
    /// What was looked at and is as it has to be.
    pub fine: Vec<String>,
    /// What was not looked at, because the org let the user do nothing.
    pub unchecked: Vec<String>,
    /// API calls that looking has cost.
    pub calls: u64,
    /// The org's id.
    pub org_id: Option<RecordId>,
    /// What kind of org it is.
    pub org: Option<OrgProfile>,
    /// The user's id.
    pub user_id: Option<RecordId>,
    /// Who the user is.
    pub user: Option<ActingUser>,
    /// What kind of user it is.
    pub user_kind: Option<UserKind>,
    /// API calls left of those allowed in 24 hours.
    pub calls_left: Option<(u64, u64)>,
    /// The latest changes to the org's setup, the newest first, where they were asked for and may be read.
    pub audit_trail: Vec<SetupChange>,
}

impl Report {
    /// One error of all that is required and missing, or the report.
    ///
    /// # Errors
    ///
    /// As [`Finding::into_result`].
    pub fn into_result(self) -> Result<Self> {
        Finding::into_result("preflight", &self.findings)?;
        Ok(self)
    }

    /// The findings of a severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }

    /// More findings, put in their places.
    #[must_use]
    pub fn with(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self.settled()
    }

    pub(super) fn settled(mut self) -> Self {
        // Stable: the order of the checks stays within a severity.
        self.findings.sort_by_key(|finding| finding.severity);
        self.ready = self.findings.iter().all(|finding| finding.severity != Severity::Required);
        self
    }

    /// What support needs to know about a failure: where it happened, what was done, and what the org lacks; nothing secret in it.
    #[must_use]
    pub fn support_bundle(&self, action: impl Into<String>, error: Option<&Error>) -> SupportBundle {
        SupportBundle {
            action: action.into(),
            library: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
            org_id: self.org_id,
            environment: self.org.as_ref().map(|org| org.environment.clone()),
            edition: self.org.as_ref().and_then(|org| org.edition.clone()),
            instance: self.org.as_ref().and_then(|org| org.instance.clone()),
            user_id: self.user_id,
            // Salesforce's words may quote field values; its codes do not.
            error: error.map(ToString::to_string),
            codes: error
                .map(|error| error.salesforce().iter().map(|detail| detail.code.clone()).collect())
                .unwrap_or_default(),
            findings: self.findings.clone(),
        }
    }
}

/// What a user sends to support. Holds no token, no field value and no person's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SupportBundle {
    /// What was being done.
    pub action: String,
    /// This library and its version.
    pub library: &'static str,
    /// The org.
    pub org_id: Option<RecordId>,
    /// `production`, `sandbox` or `scratch org`.
    pub environment: Option<String>,
    /// The org's edition.
    pub edition: Option<String>,
    /// The org's instance.
    pub instance: Option<String>,
    /// The user, by id.
    pub user_id: Option<RecordId>,
    /// What failed, in one line.
    pub error: Option<String>,
    /// Salesforce's codes of it.
    pub codes: Vec<String>,
    /// What the org or its user lacks.
    pub findings: Vec<Finding>,
}

fn lines(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

/// Findings of one problem and remedy as one: what is mended in one place, for each field.
fn paragraphs<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let field = finding.subject.split_once('.').map_or("", |(_, field)| field);
        let remedy = match field {
            "" => finding.remedy.clone(),
            field => finding.remedy.replace(&format!("> {field}"), "> (each)"),
        };
        let same = |(key, known): &&mut (String, Vec<&Finding>)| {
            *key == remedy && known.first().is_some_and(|known| known.problem == finding.problem)
        };
        match groups.iter_mut().find(same) {
            Some((_, known)) => known.push(finding),
            None => groups.push((remedy, vec![finding])),
        }
    }
    let paragraph = |(remedy, findings): &(String, Vec<&Finding>)| {
        let by = |finding: &Finding| if finding.fixable { "set-up mends it, or by hand: " } else { "" };
        match findings[..] {
            [] => String::new(),
            [finding] => {
                format!("{} {}\n    -> {}{}", finding.subject, finding.problem, by(finding), finding.remedy)
            }
            [first, ..] => {
                let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
                format!("{}: each {}\n    -> {}{remedy}", subjects.join(", "), first.problem, by(first))
            }
        }
    };
    groups.iter().map(paragraph).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.of(Severity::Required).count();
        let verdict = match missing {
            0 => "nothing that is required is missing".to_owned(),
            1 => "1 thing that is required is missing".to_owned(),
            _ => format!("{missing} things that are required are missing"),
        };
        writeln!(f, "{}: {verdict}", self.job)?;
        let known = |parts: &[Option<&str>]| parts.iter().flatten().copied().collect::<Vec<_>>().join(", ");
        if let Some(id) = self.org_id {
            let org = self.org.as_ref();
            let trial = org.and_then(|org| org.trial_ends.as_deref()).map(|end| format!("trial until {end}"));
            let org = [
                org.map(|org| org.environment.as_str()),
                org.and_then(|org| org.edition.as_deref()),
                org.and_then(|org| org.instance.as_deref()),
                trial.as_deref(),
            ];
            writeln!(f, "Org {}", known(&[&[Some(id.as_str())][..], &org].concat()))?;
        }
        if let Some(user) = &self.user {
            let license = user.license.as_ref().map(|license| format!("licence {license}"));
            let parts = [user.username.as_deref(), user.profile.as_deref(), license.as_deref()];
            writeln!(f, "User {}", known(&parts))?;
        }
        for severity in [Severity::Required, Severity::Recommended, Severity::Optional] {
            lines(f, &severity.to_string(), &paragraphs(self.of(severity)))?;
        }
        lines(f, "Fine", &self.fine)?;
        lines(f, "Not looked at", &self.unchecked)?;
        let change = |change: &SetupChange| {
            let section = change.section.as_deref().map(|section| format!("{section}: ")).unwrap_or_default();
            format!("{} {section}{}", change.at, change.what)
        };
        lines(f, "Latest changes to Setup", &self.audit_trail.iter().map(change).collect::<Vec<_>>())?;
        write!(f, "\nAPI calls used: {}", self.calls)?;
        if let Some((left, allowed)) = self.calls_left {
            write!(f, "; left in the org: {left} of {allowed}")?;
        }
        Ok(())
    }
}
