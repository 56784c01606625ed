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

    /// Whether the side that kept the record changed it in a way that may reach the other one.
    fn edits(&self, kept: &State) -> bool {
        let mut base = self.base.map(FieldIndex::new);
        kept.values.iter().any(|(name, value)| {
            let base = base.as_mut().and_then(|base| base.get(name));
            let counts = self.may_go(name) && (self.remote.deleted || !self.is_own(name));
            counts && base.is_none_or(|base| !same(value, base))
        })
    }

    /// Whether a field of the side that kept the record may be written to the other one.
    fn may_go(&self, name: &str) -> bool {
        let direction = self.policy.direction(name);
        let goes = if self.remote.deleted { direction.writes_salesforce() } else { direction.writes_source() };
        goes && !matches!(self.policy.of(name), Policy::Never)
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
        for (name, value) in kept.values.entries().iter().filter(|(name, _)| self.may_go(name)) {
            let target = if remote_deleted { &mut resolution.to_salesforce } else { &mut resolution.to_source };
            target.push(Arc::clone(name), value.clone());
        }
        resolution
    }
}

fn whole(fate: Fate, winner: Winner, rule: &'static str, reason: Reason) -> Resolution {
    let field = WHOLE_RECORD.into();
    let decision = Decision { field, winner, rule, reason, lost_source: None, lost_salesforce: None };
    Resolution { fate, decisions: vec![decision], ..Resolution::default() }
}
