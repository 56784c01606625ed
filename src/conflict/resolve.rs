//! A record's fields, one after the other.

use std::sync::Arc;

use super::decision::{Decision, Reason, Resolution};
use super::fields::Fields;
use super::policy::ConflictPolicy;
use super::question::{Answered, Question};
use super::rules::{Field, Verdict, Write};
use super::state::State;
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

/// A field's name as a record spells it, and its value there.
type Named<'a> = &'a (Arc<str>, Value);

impl Call<'_> {
    fn fields(&self) -> Resolution {
        let (source, remote) = (self.source.values.entries(), self.remote.values.entries());
        let base = self.base.map(Record::entries).unwrap_or_default();
        let (mut in_source, mut in_remote) = (Fields::new(&self.source.values), Fields::new(&self.remote.values));
        let mut in_base = self.base.map(Fields::new);
        let mut of_base = |name: &str| in_base.as_mut().and_then(|base| base.get(name));
        let mut resolution =
            Resolution { decisions: Vec::with_capacity(source.len().max(remote.len())), ..Resolution::default() };
        let mut shared = 0;
        for (place, field) in source.iter().enumerate() {
            if !in_source.is_first(place) {
                continue;
            }
            let (base, remote) = (of_base(&field.0), in_remote.get(&field.0));
            shared += usize::from(remote.is_some());
            self.field(field, [base, Some(field), remote], &mut resolution);
        }
        let known = resolution.decisions.len();
        if shared == remote.len() && base.len() <= known && base.iter().all(|(name, _)| in_remote.has(name)) {
            return resolution;
        }
        for (place, field) in remote.iter().enumerate() {
            if in_remote.is_first(place) && !in_source.has(&field.0) {
                self.field(field, [of_base(&field.0), None, Some(field)], &mut resolution);
            }
        }
        let mut base_names = self.base.map(Fields::new);
        for (place, field) in base.iter().enumerate() {
            let first = base_names.as_mut().is_some_and(|names| names.is_first(place));
            if first && !in_source.has(&field.0) && !in_remote.has(&field.0) {
                self.field(field, [Some(field), None, None], &mut resolution);
            }
        }
        resolution
    }

    fn field(&self, (name, _): Named<'_>, sides: [Option<Named<'_>>; 3], out: &mut Resolution) {
        let (direction, own) = (self.policy.direction(name), self.is_own(name));
        let [base, source, remote] = sides.map(|side| side.map(|(_, value)| value));
        let field = Field::new(name, [base, source, remote], direction, own);
        let mut verdict = field.decide(self.policy.of(name), self.policy, self.source, self.remote);
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
        let [_, in_source, in_remote] = sides.map(|side| side.map_or(name, |(name, _)| name));
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
        Write::Each { to_salesforce, to_source } => (to_salesforce, to_source),
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
    if let Some(value) = to_salesforce {
        out.to_salesforce.push(Arc::clone(in_remote), value);
    }
    if let Some(value) = to_source {
        out.to_source.push(Arc::clone(in_source), value);
    }
    out.decisions.push(Decision { field: Arc::clone(name), winner, rule, reason, lost_source, lost_salesforce });
}
