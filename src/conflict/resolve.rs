//! A record's fields, one after the other.

use std::sync::Arc;

use super::decision::{Decision, Reason, Resolution};
use super::fields::{Row, side_by_side};
use super::policy::ConflictPolicy;
use super::question::{Answered, Question};
use super::rules::{Field, Verdict, Write};
use super::stamps::Sides;
use super::state::State;
use super::values::in_form_of;
use crate::types::{Record, Value};

/// Decides what to write where after both sides may have changed a record. Pure: the same arguments give the same result.
///
/// `base` is the last state both sides agreed on, `None` where none is known. With a base, an edit on one side only is no
/// conflict and goes to the other side. The policy decides where both sides changed to different values, or where there is no
/// base and they differ. Blank is null or an empty text, and the two are equal. A field that is absent on a side is not known
/// there: it counts as unedited and overwrites nothing. A field that is absent in the base has none. Names of fields compare
/// without regard to case; a record should have each name once ([`check_names`](super::check_names)), of two only one counts.
///
/// The same call with both sides as they are once everything is written gives nothing more to write, whether the base is the new
/// one already or still the old one. Under [`Policy::Sum`](super::Policy::Sum) that takes both writes: keep the result before the
/// first of them, since what is written on one side only looks like an edit of that side, and would be added again.
///
/// The result has one decision per field that any side knows, with the reason and what was lost. Takes time in proportion to
/// the number of fields, and allocates for values only.
///
/// ```
/// use sforce::conflict::{ConflictPolicy, Policy, State, resolve};
/// use sforce::types::Record;
///
/// let base = Record::from_json(r#"{"Phone": "1", "Score__c": 10}"#)?;
/// let source = State::new(Record::from_json(r#"{"Phone": "1", "Score__c": 20}"#)?);
/// let remote = State::new(Record::from_json(r#"{"Phone": "2", "Score__c": 15}"#)?);
/// let policy = ConflictPolicy::new(Policy::SalesforceWins).with_field("Score__c", Policy::Sum);
///
/// let resolution = resolve(Some(&base), &source, &remote, &policy);
/// assert_eq!(resolution.to_source, Record::from_json(r#"{"Phone": "2", "Score__c": 25}"#)?);
/// assert_eq!(resolution.to_salesforce, Record::from_json(r#"{"Score__c": 25}"#)?);
/// assert_eq!(
///     resolution.explain("Phone").map(ToString::to_string).as_deref(),
///     Some("Phone: Salesforce wins by one_side_edited: only Salesforce changed since the base"),
/// );
/// # Ok::<(), sforce::Error>(())
/// ```
#[must_use]
pub fn resolve(base: Option<&Record>, source: &State, remote: &State, policy: &ConflictPolicy) -> Resolution {
    resolve_answered(base, source, remote, policy, &[])
}

/// As [`resolve`], with what people have answered to earlier questions. An answer counts as long as both sides still have the
/// values that were asked about; else the question is asked anew. Taking an answer out of the list takes it back.
///
/// Give only the answers to questions about this record: an answer names a field and two values, and no record.
#[must_use]
pub fn resolve_answered(
    base: Option<&Record>,
    source: &State,
    remote: &State,
    policy: &ConflictPolicy,
    answers: &[Answered],
) -> Resolution {
    let call = Call { base, source, remote, policy, answers };
    let mut resolution = if source.deleted || remote.deleted { call.deletion() } else { call.fields() };
    resolution.remote_changed_at = remote.changed_at;
    resolution
}

/// The arguments of one call.
pub(super) struct Call<'a> {
    pub(super) base: Option<&'a Record>,
    pub(super) source: &'a State,
    pub(super) remote: &'a State,
    pub(super) policy: &'a ConflictPolicy,
    pub(super) answers: &'a [Answered],
}

impl Call<'_> {
    fn fields(&self) -> Resolution {
        let rows = side_by_side([Some(&self.source.values), Some(&self.remote.values), self.base]);
        let sides = Sides::new(self.source, self.remote);
        let mut resolution = Resolution { decisions: Vec::with_capacity(rows.len()), ..Resolution::default() };
        for row in &rows {
            self.field(row, &sides, &mut resolution);
        }
        resolution
    }

    fn field<'a>(&'a self, Row { name, sides: named }: &Row<'_>, sides: &Sides<'a>, out: &mut Resolution) {
        let name = *name;
        let (direction, own) = (self.policy.direction(name), self.is_own(name));
        let [source, remote, base] = named.map(|side| side.map(|(_, value)| value));
        let field = Field::new(name, [base, source, remote], direction, own);
        let mut verdict = field.decide(self.policy.of(name), self.policy, sides);
        if let Write::Ask = verdict.write {
            let question = Question {
                field: Arc::clone(name),
                rule: verdict.rule.into(),
                base: base.cloned(),
                source: source.cloned(),
                remote: remote.cloned(),
                source_changed_at: self.source.changed_at,
                remote_changed_at: self.remote.changed_at,
            };
            match self.answers.iter().find(|answered| answered.question.is_about(&question)) {
                Some(answered) => verdict = field.one_way(answered.answer.verdict(&field)),
                None => out.questions.push(question),
            }
        }
        // Each side is written in its own spelling.
        let [in_source, in_remote, _] = named.map(|side| side.map_or(name, |(name, _)| name));
        carry_out(&field, [name, in_source, in_remote], verdict, out);
    }

    /// Whether the remote's difference from the base is our own write.
    pub(super) fn is_own(&self, field: &str) -> bool {
        self.policy.integration_user.is_some_and(|user| self.remote.author(field) == Some(user))
    }
}

fn carry_out(field: &Field<'_>, names: [&Arc<str>; 3], verdict: Verdict, out: &mut Resolution) {
    let [name, in_source, in_remote] = names;
    let Verdict { write, winner, rule, reason } = verdict;
    let (to_salesforce, to_source) = match write {
        Write::Nothing | Write::Ask => (None, None),
        Write::ToSalesforce => (field.source.cloned(), None),
        Write::ToSource => (None, field.remote.cloned()),
        Write::Each { value, to_salesforce, to_source } => match (to_salesforce, to_source) {
            (true, true) => (Some(value.clone()), Some(value)),
            (true, false) => (Some(value), None),
            (false, true) => (None, Some(value)),
            (false, false) => (None, None),
        },
    };
    if to_salesforce.is_none() && to_source.is_none() {
        let (lost_source, lost_salesforce) = (None, None);
        out.decisions.push(Decision { field: Arc::clone(name), winner, rule, reason, lost_source, lost_salesforce });
        return;
    }
    // What went into a sum or a list is still there.
    let kept = matches!(reason, Reason::Added | Reason::Joined);
    let lost_source = field.source_edit().filter(|_| to_source.is_some() && !kept).cloned();
    let lost_salesforce = field.remote_edit().filter(|_| to_salesforce.is_some() && !kept).cloned();
    let formed = |form: Option<&Value>, value: Value| match form {
        Some(form) if reason == Reason::Joined => in_form_of(form, value),
        _ => value,
    };
    if let Some(value) = to_salesforce.map(|value| formed(field.remote, value)) {
        out.to_salesforce.push(Arc::clone(in_remote), value);
    }
    if let Some(value) = to_source.map(|value| formed(field.source, value)) {
        out.to_source.push(Arc::clone(in_source), value);
    }
    out.decisions.push(Decision { field: Arc::clone(name), winner, rule, reason, lost_source, lost_salesforce });
}
