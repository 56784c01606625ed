//! A record that one side deleted.

use std::sync::Arc;

use super::decision::{Decision, Fate, Reason, Resolution, Winner};
use super::policy::{DeleteRule, Policy};
use super::question::{Answer, Question};
use super::resolve::Call;
use super::state::State;
use super::values::same;
use crate::types::{FieldIndex, Value};

/// The field that stands for the record as a whole in a decision or a question about a deletion.
pub const WHOLE_RECORD: &str = "*";

impl Call<'_> {
    /// One side or both deleted the record.
    pub(super) fn deletion(&self) -> Resolution {
        if self.source.deleted && self.remote.deleted {
            return whole(Fate::Gone, Winner::None, "deleted", Reason::DeletedBoth);
        }
        let remote_deleted = self.remote.deleted;
        let (kept, winner_of_edit) =
            if remote_deleted { (self.source, Winner::Source) } else { (self.remote, Winner::Salesforce) };
        let winner_of_deletion = if remote_deleted { Winner::Salesforce } else { Winner::Source };
        let edited = self.edits(kept);
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
            (DeleteRule::DeleteWins, true) => {
                let mut resolution = whole(delete, winner_of_deletion, "delete_wins", Reason::DeletedEdited);
                let lost = Some(Value::Record(kept.values.clone()));
                let decision = &mut resolution.decisions[0];
                let place = if remote_deleted { &mut decision.lost_source } else { &mut decision.lost_salesforce };
                *place = lost;
                resolution
            }
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

    /// Whether the side that kept the record changed it, be it in a field that never goes to the other one.
    fn edits(&self, kept: &State) -> bool {
        let mut base = self.base.map(FieldIndex::new);
        kept.values.iter().any(|(name, value)| {
            let base = base.as_mut().and_then(|base| base.get(name));
            (self.remote.deleted || !self.is_own(name)) && base.is_none_or(|base| !same(value, base))
        })
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
        for (name, value) in kept.values.entries() {
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
