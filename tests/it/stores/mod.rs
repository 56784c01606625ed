//! Every store keeps the contract, and says what is wrong when it cannot.

mod defects;
pub(crate) mod encrypted;
mod formats;
pub(crate) mod postgres;
mod proxy;
mod redb;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sforce::store::{Batch, Entry, Expect, Key, Store, Version};

pub(crate) fn key(name: &str) -> Key {
    Key::new(name).expect("short")
}

pub(crate) async fn put(store: &impl Store, name: &str, value: &str) -> Version {
    let batch = Batch::new().put(key(name), value.to_owned(), Expect::Any);
    store.commit(batch).await.expect("stored").version(0).expect("applied")
}

pub(crate) async fn read(store: &impl Store, name: &str) -> Option<Entry> {
    store.get(&[key(name)]).await.expect("read").remove(0)
}

/// A name that no other test of this run has.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A folder that goes at the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique());
        std::fs::create_dir_all(&folder).expect("made");
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies in the target folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a person and a log see of an error, with all causes.
pub(crate) fn shown(error: &sforce::Error) -> String {
    let mut all = vec![format!("{error}\n{error:?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        all.push(format!("{error}\n{error:?}"));
        cause = error.source();
    }
    all.join("\n")
}
