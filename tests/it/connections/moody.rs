//! A store whose calls go wrong on command, and that lets others in between.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sforce::store::{Batch, Commit, Entry, Key, MemoryStore, Store};
use sforce::{Effect, Error, ErrorKind, Result, Retry};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing is done.
    Down,
    /// Nothing is done, and nobody knows.
    LostBefore,
    /// It is done, and nobody knows.
    LostAfter,
}

type Visit = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Faults by the number of the call, and a visit before a commit.
#[derive(Clone, Default)]
pub(super) struct Moody(Arc<Inner>);

#[derive(Default)]
struct Inner {
    store: Arc<MemoryStore>,
    calls: AtomicUsize,
    faults: Mutex<BTreeMap<usize, Fault>>,
    from: Mutex<Option<(usize, Fault)>>,
    visit: Mutex<Option<(usize, Visit)>>,
}

impl Moody {
    pub(super) fn over(store: &Arc<MemoryStore>) -> Self {
        Self(Arc::new(Inner { store: Arc::clone(store), ..Inner::default() }))
    }

    /// The call after `pass` others goes wrong.
    pub(super) fn once(&self, pass: usize, fault: Fault) {
        let call = self.0.calls.load(Ordering::SeqCst) + pass;
        self.0.faults.lock().expect("not poisoned").insert(call, fault);
    }

    /// All calls after `pass` others go wrong.
    pub(super) fn from(&self, pass: usize, fault: Fault) {
        *self.0.from.lock().expect("not poisoned") = Some((self.0.calls.load(Ordering::SeqCst) + pass, fault));
    }

    pub(super) fn mend(&self) {
        *self.0.from.lock().expect("not poisoned") = None;
        self.0.faults.lock().expect("not poisoned").clear();
    }

    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// This happens before the commit after `pass` others.
    pub(super) fn before_commit(&self, pass: usize, visit: impl Future<Output = ()> + Send + 'static) {
        *self.0.visit.lock().expect("not poisoned") = Some((pass, Box::pin(visit)));
    }

    fn fault(&self) -> Option<Fault> {
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst);
        let from = self.0.from.lock().expect("not poisoned").filter(|(first, _)| call >= *first);
        self.0.faults.lock().expect("not poisoned").remove(&call).or(from.map(|(_, fault)| fault))
    }

    fn visitor(&self) -> Option<Visit> {
        let mut visit = self.0.visit.lock().expect("not poisoned");
        let (pass, visitor) = visit.take()?;
        if pass == 0 {
            return Some(visitor);
        }
        *visit = Some((pass - 1, visitor));
        None
    }
}

impl fmt::Debug for Moody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Moody")
    }
}

fn down(effect: Effect) -> Error {
    Error::new(ErrorKind::Store, "store", "down").with_retry(Retry::After(None)).with_effect(effect)
}

#[async_trait]
impl Store for Moody {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        if self.fault().is_some() { Err(down(Effect::None)) } else { self.0.store.get(keys).await }
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        if self.fault().is_some() { Err(down(Effect::None)) } else { self.0.store.scan(prefix, after, limit).await }
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        if let Some(visit) = self.visitor() {
            visit.await;
        }
        match self.fault() {
            None => self.0.store.commit(batch).await,
            Some(Fault::Down) => Err(down(Effect::None)),
            Some(Fault::LostBefore) => Err(down(Effect::Unknown)),
            Some(Fault::LostAfter) => {
                let _ = self.0.store.commit(batch).await?;
                Err(down(Effect::Unknown))
            }
        }
    }
}
