//! The file that a map was read from, as far as it is told after reading.

use std::collections::HashMap;
use std::sync::Arc;

use super::validate::{Mistake, Place};

/// Where the custom transforms of a map stand in its file: only when the map is compiled it turns out whether the program
/// has their functions. Two maps from different files are equal if they say the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    file: Option<String>,
    lines: HashMap<String, usize>,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Origin {
    pub(super) fn new(lines: impl Iterator<Item = (usize, Mistake)>, file: Option<&str>) -> Self {
        let lines = lines.map(|(line, mistake)| (name(&mistake), line)).collect();
        Self(Arc::new(Inner { file: file.map(str::to_owned), lines }))
    }

    /// The file and the line of a mistake, as far as the line is known.
    pub(super) fn of(&self, mistake: &Mistake) -> (Option<&str>, Option<usize>) {
        match self.0.lines.get(&name(mistake)) {
            Some(line) => (self.0.file.as_deref(), Some(*line)),
            None => (None, None),
        }
    }
}

fn name(mistake: &Mistake) -> String {
    let place = match &mistake.place {
        Place::Map => String::new(),
        Place::Value(name) => format!("${name}"),
        Place::Rule(index) => index.to_string(),
    };
    format!("{place} {} {:?}", mistake.key, mistake.item)
}
