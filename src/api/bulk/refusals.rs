//! Rows that are refused before they are sent.

use std::sync::Mutex;

use tokio::sync::mpsc;

use super::write::{RowOutcome, lock};
use crate::error::{Error, ErrorKind, Result};

/// Hands over the rows that our own checks refuse while the others are told, so that they are not all in memory.
pub(super) struct Refusals {
    /// A telling that was given up does not keep the outcomes from ending.
    sender: mpsc::WeakSender<Vec<(u64, RowOutcome)>>,
    passed: Mutex<Passed>,
}

#[derive(Default)]
struct Passed {
    /// The number after the last row that was handed over: rows are told once more for another attempt.
    next: u64,
    rows: u64,
}

impl Refusals {
    pub(super) fn new(sender: mpsc::WeakSender<Vec<(u64, RowOutcome)>>) -> Self {
        Self { sender, passed: Mutex::default() }
    }

    /// Rows handed over.
    pub(super) fn rows(&self) -> u64 {
        lock(&self.passed).rows
    }

    /// Runs where it may block; an error where nobody listens any more.
    pub(super) fn pass(&self, refused: &mut Vec<(u64, Error)>) -> Result<()> {
        let batch: Vec<_> = {
            let mut passed = lock(&self.passed);
            let from = passed.next;
            let batch: Vec<_> = refused.drain(..).filter(|(row, _)| *row >= from).collect();
            passed.rows += batch.len() as u64;
            passed.next = batch.last().map_or(from, |(row, _)| row + 1);
            batch.into_iter().map(|(row, error)| (row, RowOutcome::Failed(error))).collect()
        };
        let sent = batch.is_empty() || self.sender.upgrade().is_some_and(|sender| sender.blocking_send(batch).is_ok());
        if sent { Ok(()) } else { Err(Error::new(ErrorKind::Unexpected, "bulk.write", "the outcomes were given up")) }
    }
}
