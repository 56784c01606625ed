//! What a plan found, and why.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::plan::MatchPlan;
use crate::types::{Record, RecordId, SObjectName, Value};

/// Which record of the org a source record means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// This one.
    One(Candidate),
    /// None of those the user can see.
    None,
    /// One of these; which of them cannot be told, so nothing may be written. In the order of their ids.
    Ambiguous(Vec<Candidate>),
}

impl Match {
    /// The record, if there is exactly one.
    #[must_use]
    pub fn one(&self) -> Option<&Candidate> {
        if let Self::One(candidate) = self { Some(candidate) } else { None }
    }

    /// Whether there are several.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous(_))
    }
}

/// A record of the org.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Its object: another one than the step's after a conversion, and `Account` for a person account.
    pub object: SObjectName,
    /// Its id.
    pub id: RecordId,
    /// The row it was found by, or was read as last: the key, and what it refers to. Empty where nothing was read.
    pub record: Record,
    /// How the key led to it, in order; empty where the row itself is the record.
    pub hops: Vec<Hop>,
}

impl Candidate {
    fn id_in_record(&self, name: &str) -> Option<RecordId> {
        self.record.get(name).and_then(Value::to_id)
    }

    /// The contact: the record itself, or the one behind a person account.
    #[must_use]
    pub fn contact(&self) -> Option<RecordId> {
        let person = self.hops.iter().rev().find_map(|hop| match hop {
            Hop::PersonContact { contact } => Some(*contact),
            _ => None,
        });
        match self.object.as_str() {
            "Contact" => Some(self.id),
            "Account" => person.or_else(|| self.id_in_record("PersonContactId")),
            _ => None,
        }
    }

    /// The account: the record itself, the contact's own one, or what its lead was converted to.
    #[must_use]
    pub fn account(&self) -> Option<RecordId> {
        if self.object.as_str() == "Account" {
            return Some(self.id);
        }
        let converted = self.hops.iter().rev().find_map(|hop| match hop {
            Hop::Converted { account, .. } => *account,
            _ => None,
        });
        self.id_in_record("AccountId").or(converted)
    }

    /// The lead, if it is one that is not converted.
    #[must_use]
    pub fn lead(&self) -> Option<RecordId> {
        (self.object.as_str() == "Lead").then_some(self.id)
    }

    /// The opportunity: the record itself, or what its lead was converted to.
    #[must_use]
    pub fn opportunity(&self) -> Option<RecordId> {
        if self.object.as_str() == "Opportunity" {
            return Some(self.id);
        }
        self.hops.iter().rev().find_map(|hop| match hop {
            Hop::Converted { opportunity, .. } => *opportunity,
            _ => None,
        })
    }

    /// The candidate as source values for the next plan: `object`, `id`, and `contact_id`, `account_id`, `lead_id`,
    /// `opportunity_id` where there is one. Put under `person`, it is what [`MatchPlan::accounts`] reads.
    #[must_use]
    pub fn to_source(&self) -> Record {
        let mut record = Record::new().with("object", self.object.as_str()).with("id", self.id);
        let ids = [
            ("contact_id", self.contact()),
            ("account_id", self.account()),
            ("lead_id", self.lead()),
            ("opportunity_id", self.opportunity()),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                record.set(name, id);
            }
        }
        record
    }
}

/// A step from the row that has the key to the record that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hop {
    /// This record was merged into the next one.
    Merged {
        /// The record that is gone.
        from: RecordId,
    },
    /// This lead was converted.
    Converted {
        /// The lead.
        lead: RecordId,
        /// What it became.
        contact: Option<RecordId>,
        /// What it became.
        account: Option<RecordId>,
        /// What it became; often none.
        opportunity: Option<RecordId>,
    },
    /// This contact is the one behind a person account.
    PersonContact {
        /// The contact.
        contact: RecordId,
    },
}

/// What a plan found for one source record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Matched {
    /// The record.
    pub result: Match,
    /// The step that decided, from 0; `None` where none had a hit.
    pub step: Option<usize>,
    /// What each step did, in order, up to the one that decided. Holds no key's value.
    pub steps: Vec<StepReport>,
}

impl Matched {
    /// Before the first step.
    pub(crate) fn undecided() -> Self {
        Self { result: Match::None, step: None, steps: Vec::new() }
    }

    /// Notes what a step did; whether it decided.
    pub(crate) fn note(&mut self, report: StepReport, decision: Option<Match>) -> bool {
        let decided = decision.is_some();
        if let Some(result) = decision {
            (self.result, self.step) = (result, Some(report.step));
        }
        self.steps.push(report);
        decided
    }

    /// The reason in words: each step with its object, key and hits. Quotes no value of the record.
    #[must_use]
    pub fn explain(&self, plan: &MatchPlan) -> String {
        let mut parts: Vec<String> = self.steps.iter().map(|report| report.explain(plan)).collect();
        if self.step.is_none() {
            parts.push("no step had a hit".to_owned());
        }
        parts.join("; ")
    }
}

/// The records of the org that several source records mean, each with the places of those in the list: their join key is not
/// unique on our side, and writing them one after the other would mix them up.
#[must_use]
pub fn meant_by_several(matched: &[Matched]) -> BTreeMap<RecordId, Vec<usize>> {
    let mut places: BTreeMap<RecordId, Vec<usize>> = BTreeMap::new();
    for (place, matched) in matched.iter().enumerate() {
        if let Some(candidate) = matched.result.one() {
            places.entry(candidate.id).or_default().push(place);
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

/// What one step did for one source record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The step, from 0.
    pub step: usize,
    /// Why the record has no key for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_key: Option<NoKey>,
    /// Different records that count.
    pub hits: usize,
    /// Records that have the key and do not count, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Excluded>,
}

impl StepReport {
    pub(super) fn without_key(step: usize, no_key: NoKey) -> Self {
        Self { step, no_key: Some(no_key), hits: 0, excluded: Vec::new() }
    }

    fn explain(&self, plan: &MatchPlan) -> String {
        let what = plan.steps().get(self.step).map(ToString::to_string).unwrap_or_default();
        let hits = match (self.no_key, self.hits) {
            (Some(no_key), _) => no_key.words().to_owned(),
            (None, 0) => "no hit".to_owned(),
            (None, 1) => "1 hit".to_owned(),
            (None, hits) => format!("{hits} hits"),
        };
        let excluded = self.excluded.iter().map(ToString::to_string);
        let parts: Vec<String> = [hits].into_iter().chain(excluded).collect();
        format!("step {}, {what}: {}", self.step + 1, parts.join(", "))
    }
}

/// A record that has the key and does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Excluded {
    /// The record.
    pub id: RecordId,
    /// Why.
    pub why: WhyExcluded,
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.why.words())
    }
}

/// Why a record that has the key does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyExcluded {
    /// A converted lead, and the step does not follow it, or what it became is gone or hidden.
    Converted,
    /// Deleted, and not by a merge that leads to a record that is there.
    Deleted,
    /// Not let through by the step's filter.
    Filtered,
    /// The step looks for person accounts, and this is none.
    NoPersonAccount,
    /// Another account of the contact was updated later.
    OtherAccount,
    /// The contact no longer belongs to it.
    Inactive,
    /// A record that the key leads to directly counts before one that was merged or converted.
    Superseded,
}

impl WhyExcluded {
    /// The reason in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Converted => "is a converted lead",
            Self::Deleted => "is deleted",
            Self::Filtered => "does not pass the filter",
            Self::NoPersonAccount => "is no person account",
            Self::OtherAccount => "was updated earlier than another account of the contact",
            Self::Inactive => "is a former account of the contact",
            Self::Superseded => "was merged or converted, while another record has the key itself",
        }
    }
}

/// Why a source record has no key for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoKey {
    /// The value is absent, null or blank.
    Blank,
    /// The value is no text, number or id.
    NotAText,
    /// The field holds numbers, and the value is none.
    NotANumber,
    /// The value is no record id.
    NotAnId,
    /// The id is of another object.
    ForeignId,
    /// The value is no email address.
    NotAnEmail,
    /// The value names no domain.
    NotADomain,
    /// The domain is one of public mail.
    PublicMail,
    /// Everybody may register names below the domain.
    PublicSuffix,
    /// The step leaves the domain out.
    ExcludedDomain,
    /// The value is longer than the 4,000 characters a query may compare.
    TooLong,
    /// The org has no person accounts.
    NoPersonAccounts,
}

impl NoKey {
    /// The reason in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Blank => "the record has no value for it",
            Self::NotAText => "the value is no text, number or id",
            Self::NotANumber => "the value is no number",
            Self::NotAnId => "the value is no record id",
            Self::ForeignId => "the id is of another object",
            Self::NotAnEmail => "the value is no email address",
            Self::NotADomain => "the value names no domain",
            Self::PublicMail => "the domain is one of public mail",
            Self::PublicSuffix => "the domain is a public suffix",
            Self::ExcludedDomain => "the domain is left out",
            Self::TooLong => "the value is longer than 4,000 characters",
            Self::NoPersonAccounts => "the org has no person accounts",
        }
    }
}
