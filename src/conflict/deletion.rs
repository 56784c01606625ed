//! A record that one side deleted.

use std::sync::Arc;

use super::decision::{Decision, Fate, Reason, Resolution, Winner};
use super::fields::Fields;
use super::policy::{DeleteRule, Policy};
use super::question::{Answer, Question};
use super::resolve::Call;
use super::state::State;
use super::values::{is_blank, same};
use crate::types::Value;

/// The field that stands for the record as a whole in a decision or a question about a deletion.
pub const WHOLE_RECORD: &str = "*";

impl Call<'_> {
    /// One side or both deleted the record.
    pub(super) fn deletion(&self) -> Resolution {
        let mut resolution = self.whole_record();
        self.explain_fields(&mut resolution);
        resolution
    }

    fn whole_record(&self) -> Resolution {
        if self.source.deleted && self.remote.deleted {
            return whole(Fate::Gone, Winner::None, "deleted", Reason::DeletedBoth);
        }
        let remote_deleted = self.remote.deleted;
        let (kept, winner_of_edit) =
            if remote_deleted { (self.source, Winner::Source) } else { (self.remote, Winner::Salesforce) };
        let winner_of_deletion = if remote_deleted { Winner::Salesforce } else { Winner::Source };
        if self.base.is_none() && kept.values.is_empty() {
            // Made and deleted before the first push: there is nothing to delete.
            return whole(Fate::Gone, Winner::None, "deleted", Reason::NeverThere);
        }
        let edited = self.is_edited(kept);
        if remote_deleted && self.is_own(WHOLE_RECORD) {
            // Our own deletion is no edit of the org's.
            return if edited {
                self.restore("one_side_edited", Reason::OwnDelete)
            } else {
                whole(Fate::Apart, Winner::None, "one_side_edited", Reason::OwnDelete)
            };
        }
        let delete = if remote_deleted { Fate::DeleteInSource } else { Fate::DeleteInSalesforce };
        match (self.policy.delete, edited) {
            (DeleteRule::Never, _) => whole(Fate::Apart, Winner::None, "never", Reason::Protected),
            (_, false) => whole(delete, winner_of_deletion, "one_side_edited", Reason::DeletedUnedited),
            (DeleteRule::DeleteWins, true) => whole(delete, winner_of_deletion, "delete_wins", Reason::DeletedEdited),
            (DeleteRule::EditWins, true) => self.restore("edit_wins", Reason::DeletedEdited),
            (DeleteRule::Ask, true) => self.ask_about_deletion(kept, delete, winner_of_deletion, winner_of_edit),
        }
    }

    fn ask_about_deletion(&self, kept: &State, delete: Fate, deletes: Winner, edits: Winner) -> Resolution {
        let values = Value::Record(kept.values.clone());
        let question = Question {
            field: WHOLE_RECORD.into(),
            rule: "ask".into(),
            base: self.base.cloned().map(Value::Record),
            source: (!self.source.deleted).then(|| values.clone()),
            remote: (!self.remote.deleted).then_some(values),
            source_changed_at: self.source.changed_at,
            remote_changed_at: self.remote.changed_at,
        };
        let answered = self.answers.iter().find(|answered| answered.question.is_about(&question));
        let winner = answered.and_then(|answered| match answered.answer {
            Answer::Salesforce => Some(Winner::Salesforce),
            Answer::Source => Some(Winner::Source),
            Answer::KeepApart | Answer::Value(_) => None,
        });
        match (answered, winner) {
            (None, _) => {
                let mut resolution = whole(Fate::Keep, Winner::None, "ask", Reason::Asked);
                resolution.questions.push(question);
                resolution
            }
            (Some(_), Some(winner)) if winner == deletes => whole(delete, deletes, "answer", Reason::Answered),
            (Some(_), Some(winner)) if winner == edits => self.restore("answer", Reason::Answered),
            (Some(_), _) => whole(Fate::Apart, Winner::None, "answer", Reason::KeptApart),
        }
    }

    /// A decision of the deletion against this value of the side that kept the record.
    fn losing(&self, decision: Decision, value: Value) -> Decision {
        if self.remote.deleted {
            Decision { lost_source: Some(value), ..decision }
        } else {
            Decision { lost_salesforce: Some(value), ..decision }
        }
    }

    /// Whether the side that kept the record changed it, be it in a field that never goes to the other one.
    fn is_edited(&self, kept: &State) -> bool {
        let mut base = self.base.map(Fields::new);
        kept.values.iter().any(|(name, value)| self.is_edit(name, value, base.as_mut()))
    }

    /// Whether the side that kept the record changed this field. A blank without a base is nobody's edit.
    fn is_edit(&self, name: &str, value: &Value, base: Option<&mut Fields<'_>>) -> bool {
        let base = base.and_then(|base| base.get(name)).map(|(_, base)| base);
        let differs = base.map_or_else(|| !is_blank(value), |base| !same(value, base));
        differs && (self.remote.deleted || !self.is_own(name))
    }

    /// Says of each field that the side which kept the record knows, or else the base, what was said of the record, and what is
    /// lost with it. A restored record has said so of the fields that come back.
    fn explain_fields(&self, resolution: &mut Resolution) {
        let [Decision { winner, rule, reason, .. }] = resolution.decisions[..] else {
            return self.explain_base_fields(resolution, Winner::None, "not_known", Reason::NotKnown);
        };
        let mut edited = false;
        if let Some(kept) = self.kept() {
            let deleted = matches!(resolution.fate, Fate::DeleteInSalesforce | Fate::DeleteInSource);
            let (mut names, mut base) = (Fields::new(&kept.values), self.base.map(Fields::new));
            for (place, (name, value)) in kept.values.entries().iter().enumerate() {
                if !names.is_first(place) {
                    continue;
                }
                let decision = Decision { winner, reason, ..decision(Arc::clone(name), rule) };
                let lost = deleted && self.is_edit(name, value, base.as_mut());
                edited |= lost;
                resolution.decisions.push(if lost { self.losing(decision, value.clone()) } else { decision });
            }
            if edited && let Some(whole) = resolution.decisions.first_mut() {
                let lost = Value::Record(kept.values.clone());
                *whole = self.losing(whole.clone(), lost);
            }
        }
        self.explain_base_fields(resolution, winner, rule, reason);
    }

    fn explain_base_fields(&self, resolution: &mut Resolution, winner: Winner, rule: &'static str, reason: Reason) {
        let Some(base) = self.base else { return };
        let (mut names, mut known) = (Fields::new(base), self.kept().map(|kept| Fields::new(&kept.values)));
        for (place, (name, _)) in base.entries().iter().enumerate() {
            if names.is_first(place) && !known.as_mut().is_some_and(|known| known.has(name)) {
                resolution.decisions.push(Decision { winner, reason, ..decision(Arc::clone(name), rule) });
            }
        }
    }

    /// The side that did not delete the record.
    fn kept(&self) -> Option<&State> {
        [self.source, self.remote].into_iter().find(|side| !side.deleted)
    }

    /// Whether values of a field go from the side that kept the record to the other one.
    fn goes(&self, name: &str) -> bool {
        let direction = self.policy.direction(name);
        if self.remote.deleted { direction.writes_salesforce() } else { direction.writes_source() }
    }

    /// The record comes back with all that the other side has of it.
    fn restore(&self, rule: &'static str, reason: Reason) -> Resolution {
        let remote_deleted = self.remote.deleted;
        let (kept, fate, winner) = if remote_deleted {
            (self.source, Fate::RestoreInSalesforce, Winner::Source)
        } else {
            (self.remote, Fate::RestoreInSource, Winner::Salesforce)
        };
        let mut resolution = whole(fate, winner, rule, reason);
        let mut names = Fields::new(&kept.values);
        for (place, (name, value)) in kept.values.entries().iter().enumerate() {
            if !names.is_first(place) {
                continue;
            }
            let never = matches!(self.policy.of(name), Policy::Never);
            let (winner, why) = match (never, self.goes(name)) {
                (true, _) => (Winner::None, Reason::NeverWritten),
                (_, false) => (Winner::None, Reason::OneWay),
                _ => (winner, reason),
            };
            resolution.decisions.push(Decision { winner, reason: why, ..decision(Arc::clone(name), rule) });
            if winner != Winner::None {
                let target = if remote_deleted { &mut resolution.to_salesforce } else { &mut resolution.to_source };
                target.push(Arc::clone(name), value.clone());
            }
        }
        resolution
    }
}

fn whole(fate: Fate, winner: Winner, rule: &'static str, reason: Reason) -> Resolution {
    let decision = Decision { winner, reason, ..decision(WHOLE_RECORD.into(), rule) };
    Resolution { fate, decisions: vec![decision], ..Resolution::default() }
}

/// A decision yet without a winner.
fn decision(field: Arc<str>, rule: &'static str) -> Decision {
    let reason = Reason::DeletedEdited;
    Decision { field, winner: Winner::None, rule, reason, lost_source: None, lost_salesforce: None }
}
