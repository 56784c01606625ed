//! The engine against tables written by hand, against its own laws, and against what is known to go wrong.

mod hazards;
mod laws;
mod names;
mod table;

use super::*;
use crate::types::{Record, Timestamp};

fn record(text: &str) -> Record {
    Record::from_json(text).expect(text)
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

fn state(values: &str, changed_at: &str) -> State {
    State::new(record(values)).changed_at(at(changed_at))
}

fn policy(text: &str) -> ConflictPolicy {
    serde_json::from_str(&format!(r#"{{"default":{text}}}"#)).expect(text)
}

/// Both sides as they are once a resolution is carried out.
fn apply(values: &Record, writes: &Record) -> Record {
    let mut values = values.clone();
    for (name, value) in writes.iter() {
        values.set(name, value.clone());
    }
    values
}
