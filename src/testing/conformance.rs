//! The contracts of the plug-in traits as tests, for implementations of ours and of others.
//!
//! ```
//! use sforce::store::MemoryStore;
//! use sforce::testing::conformance::{self, Subject};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! conformance::store(|| async { Subject::new(MemoryStore::default()) }).await.expect("keeps the contract");
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::error::ErrorKind;
use crate::store::{
    Batch, Commit, Entry, Expect, Key, MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_OPERATIONS, MAX_ROOM, MAX_VALUE_BYTES,
    Operation, Store, Version,
};

/// A fresh, empty store to be examined.
pub struct Subject {
    store: Arc<dyn Store>,
    other: Option<Arc<dyn Store>>,
    reopen: Option<Reopen>,
}

type Reopen = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send>> + Send>;

impl Subject {
    /// An empty store.
    pub fn new(store: impl Store) -> Self {
        Self { store: Arc::new(store), other: None, reopen: None }
    }

    /// Another handle to the same entries, as another process would have it. Without it a clone of the first is used.
    #[must_use]
    pub fn shared_with(mut self, other: impl Store) -> Self {
        self.other = Some(Arc::new(other));
        self
    }

    /// How to open the same entries again, after all handles were dropped. Without it durability is not examined.
    #[must_use]
    pub fn reopened_by<S: Store, F: Future<Output = S> + Send + 'static>(
        mut self,
        reopen: impl FnOnce() -> F + Send + 'static,
    ) -> Self {
        self.reopen = Some(Box::new(move || Box::pin(async move { Arc::new(reopen().await) as Arc<dyn Store> })));
        self
    }

    fn other(&self) -> Arc<dyn Store> {
        Arc::clone(self.other.as_ref().unwrap_or(&self.store))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Which lines of a contract were broken, and how.
#[derive(Debug)]
pub struct Broken(Vec<(&'static str, String)>);

impl Broken {
    /// The broken lines: the name of the function here, and what it saw.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(line, what)| (*line, what.as_str()))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the contract of Store is broken:")?;
        self.0.iter().try_for_each(|(line, what)| write!(f, "\n  {line}: {what}"))
    }
}

impl std::error::Error for Broken {}

/// What one line of the contract found: nothing, or what is wrong.
pub type Finding = Result<(), String>;

/// Runs every line of the contract of [`Store`], each on a fresh store that `make` makes.
///
/// Writes some 20 MiB in all. Needs a tokio runtime, better one of several threads.
///
/// # Errors
///
/// All lines that were broken.
pub async fn store<F: Future<Output = Subject> + Send>(make: impl Fn() -> F + Send + Sync) -> Result<(), Broken> {
    let mut broken = Vec::new();
    macro_rules! run {
        ($($line:ident),* $(,)?) => {$(
            if let Err(what) = $line(make().await).await {
                broken.push((stringify!($line), what));
            }
        )*};
    }
    run!(
        a_version_never_repeats_for_a_key,
        a_read_sees_every_write_that_returned,
        get_answers_in_the_order_of_its_keys,
        a_read_sees_one_moment,
        scan_is_in_byte_order,
        scan_goes_on_after_a_key,
        a_prefix_is_plain_text,
        values_are_opaque_bytes,
        keys_and_values_have_their_limits,
        a_batch_has_its_limits,
        wrappers_have_room,
        every_expectation_holds_for_what_it_says,
        a_commit_is_all_or_nothing,
        a_check_of_absence_holds_against_others,
        one_of_many_racers_wins_each_version,
        commits_of_many_keys_do_not_block_each_other,
        what_was_applied_survives_reopening,
    );
    if broken.is_empty() { Ok(()) } else { Err(Broken(broken)) }
}

macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

fn key(name: &str) -> Result<Key, String> {
    Key::new(name).map_err(|error| error.to_string())
}

async fn commit(store: &dyn Store, batch: Batch) -> Result<Commit, String> {
    store.commit(batch).await.map_err(|error| format!("commit failed: {error}"))
}

/// A commit that has to be applied.
async fn apply(store: &dyn Store, batch: Batch) -> Result<Vec<Option<Version>>, String> {
    let operations = batch.operations().len();
    match commit(store, batch).await? {
        Commit::Applied(versions) if versions.len() == operations => Ok(versions),
        Commit::Applied(versions) => Err(format!("{operations} operations were answered by {}", versions.len())),
        Commit::Conflict { operation } => Err(format!("operation {operation} is said not to hold, but it does")),
    }
}

async fn put(store: &dyn Store, name: &str, value: &[u8], expect: Expect) -> Result<Version, String> {
    let versions = apply(store, Batch::new().put(key(name)?, value.to_vec(), expect)).await?;
    versions[0].ok_or_else(|| format!("a put of {name:?} gave no version"))
}

async fn delete(store: &dyn Store, name: &str, expect: Expect) -> Result<(), String> {
    let versions = apply(store, Batch::new().delete(key(name)?, expect)).await?;
    ensure!(versions[0].is_none(), "a delete of {name:?} gave a version");
    Ok(())
}

async fn read(store: &dyn Store, name: &str) -> Result<Option<Entry>, String> {
    let mut found = store.get(&[key(name)?]).await.map_err(|error| format!("get failed: {error}"))?;
    ensure!(found.len() == 1, "one key was answered by {} entries", found.len());
    Ok(found.remove(0))
}

async fn scan(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>, String> {
    store.scan(prefix, after, limit).await.map_err(|error| format!("scan failed: {error}"))
}

async fn names(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, String> {
    let page = scan(store, prefix, after, limit).await?;
    Ok(page.into_iter().map(|entry| entry.key.to_string()).collect())
}

async fn refused(store: &dyn Store, batch: Batch, what: &str) -> Finding {
    match store.commit(batch).await {
        Err(error) if error.kind() == ErrorKind::Invalid => {}
        Err(error) => return Err(format!("{what}: not an error of kind Invalid: {error}")),
        Ok(commit) => return Err(format!("{what}: not refused, but {}", outcome(&commit))),
    }
    ensure!(scan(store, "", None, 1).await?.is_empty(), "{what}: refused, but something was stored");
    Ok(())
}

fn outcome(commit: &Commit) -> String {
    match commit {
        Commit::Applied(_) => "applied".into(),
        Commit::Conflict { operation } => format!("a conflict of operation {operation}"),
    }
}

async fn a_version_never_repeats_for_a_key(subject: Subject) -> Finding {
    let store = &*subject.store;
    let mut seen = Vec::new();
    for round in 0..4 {
        for expect in [Expect::Absent, Expect::Any] {
            let version = put(store, "key", b"the same value", expect).await?;
            ensure!(!seen.contains(&version), "version {version} came again in round {round}");
            let found = read(store, "key").await?.map(|entry| entry.version);
            ensure!(found == Some(version), "put gave version {version}, get {found:?}");
            seen.push(version);
        }
        let last = seen[seen.len() - 1];
        delete(store, "key", Expect::Version(last)).await?;
        for old in &seen {
            let late = commit(store, Batch::new().put(key("key")?, "late", Expect::Version(*old))).await?;
            ensure!(!late.is_applied(), "version {old} of a deleted key still holds");
        }
    }
    Ok(())
}

async fn a_read_sees_every_write_that_returned(subject: Subject) -> Finding {
    let (store, other) = (&*subject.store, subject.other());
    for round in 0..50_u32 {
        let (writer, reader) = if round % 2 == 0 { (store, &*other) } else { (&*other, store) };
        let version = put(writer, "key", &round.to_be_bytes(), Expect::Any).await?;
        let found = read(reader, "key").await?.ok_or("a put entry is not found")?;
        ensure!(found.version == version && found.value == round.to_be_bytes()[..], "get gave an older state");
        ensure!(scan(reader, "key", None, 9).await? == [found], "scan and get differ");
        delete(writer, "key", Expect::Version(version)).await?;
        ensure!(read(reader, "key").await?.is_none(), "a deleted entry is found");
        ensure!(scan(reader, "key", None, 9).await?.is_empty(), "a deleted entry is scanned");
    }
    Ok(())
}

async fn get_answers_in_the_order_of_its_keys(subject: Subject) -> Finding {
    let store = &*subject.store;
    put(store, "a", b"1", Expect::Any).await?;
    put(store, "b", b"2", Expect::Any).await?;
    let keys = [key("b")?, key("missing")?, key("a")?, key("b")?];
    let found = store.get(&keys).await.map_err(|error| error.to_string())?;
    let values: Vec<_> =
        found.iter().map(|entry| entry.as_ref().map(|entry| (entry.key.as_str(), &entry.value[..]))).collect();
    let expected = [Some(("b", &b"2"[..])), None, Some(("a", &b"1"[..])), Some(("b", &b"2"[..]))];
    ensure!(values == expected, "b, missing, a, b were answered by {values:?}");
    let none = store.get(&[]).await.map_err(|error| format!("get of no keys failed: {error}"))?;
    ensure!(none.is_empty(), "get of no keys gave entries");
    Ok(())
}

async fn a_read_sees_one_moment(subject: Subject) -> Finding {
    let (store, reader) = (Arc::clone(&subject.store), subject.other());
    let (left, right) = (key("pair/1")?, key("pair/2")?);
    let batch = |round: u32, left: &Key, right: &Key| {
        let value = round.to_be_bytes().to_vec();
        Batch::new().put(left.clone(), value.clone(), Expect::Any).put(right.clone(), value, Expect::Any)
    };
    apply(&*store, batch(0, &left, &right)).await?;
    let keys = [left.clone(), right.clone()];
    let writer = tokio::spawn(async move {
        for round in 1..=40 {
            apply(&*store, batch(round, &left, &right)).await?;
        }
        Ok::<_, String>(())
    });
    while !writer.is_finished() {
        let got = reader.get(&keys).await.map_err(|error| error.to_string())?;
        let got: Vec<_> = got.into_iter().flatten().map(|entry| entry.value).collect();
        ensure!(got.len() == 2 && got[0] == got[1], "get saw half a commit");
        let scanned = scan(&*reader, "pair/", None, 9).await?;
        ensure!(scanned.len() == 2 && scanned[0].value == scanned[1].value, "scan saw half a commit");
        tokio::task::yield_now().await;
    }
    writer.await.map_err(|error| error.to_string())?
}

/// Names whose order differs between bytes, UTF-16 units, and the collations of databases and people.
const ODD_NAMES: [&str; 16] =
    ["", "\0", "\t", " ", "%", "A", "B", "Z", "_", "a", "a\0", "a/b", "b", "é", "\u{FFFD}", "𐀀"];

async fn scan_is_in_byte_order(subject: Subject) -> Finding {
    let store = &*subject.store;
    let mut batch = Batch::new();
    for name in ODD_NAMES.iter().rev() {
        batch = batch.put(key(name)?, name.as_bytes().to_vec(), Expect::Absent);
    }
    apply(store, batch).await?;
    let found = scan(store, "", None, 100).await?;
    let order: Vec<_> = found.iter().map(|entry| entry.key.as_str()).collect();
    ensure!(order == ODD_NAMES, "the order is {order:?}");
    ensure!(found.iter().all(|entry| entry.value == entry.key.as_str().as_bytes()), "values stand by other keys");
    Ok(())
}

async fn scan_goes_on_after_a_key(subject: Subject) -> Finding {
    let store = &*subject.store;
    let all: Vec<String> = (0..25).map(|number| format!("page/{number:02}")).collect();
    let mut batch = Batch::new().put(key("page")?, "before", Expect::Any).put(key("page0")?, "behind", Expect::Any);
    for name in &all {
        batch = batch.put(key(name)?, "", Expect::Any);
    }
    apply(store, batch).await?;
    for size in [1, 7, 25, 26, usize::MAX] {
        let (mut walked, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = names(store, "page/", after.as_deref(), size).await?;
            ensure!(page.len() <= size, "a page of {size} has {} entries", page.len());
            let is_last = page.len() < size;
            after = page.last().cloned().or(after);
            walked.extend(page);
            if is_last || walked.len() > all.len() {
                break;
            }
        }
        ensure!(walked == all, "pages of {size} gave {walked:?}");
    }
    let cases = [
        (Some("page/03"), 2, &all[4..6]),
        (Some("page/03x"), 2, &all[4..6]),
        (Some("a"), 2, &all[..2]),
        (Some(""), 1, &all[..1]),
        (Some("page/24"), 2, &[][..]),
        (Some("z"), 2, &[]),
        (None, 0, &[]),
    ];
    for (after, limit, expected) in cases {
        let page = names(store, "page/", after, limit).await?;
        ensure!(page == expected, "{limit} after {after:?}: {page:?} in place of {expected:?}");
    }
    Ok(())
}

async fn a_prefix_is_plain_text(subject: Subject) -> Finding {
    let store = &*subject.store;
    let all = ["a%", "a%c", "a_b", "aXb", "a\\", "a\\%", "a*", "a?", "a.", "a[b", "é", "éa", "e"];
    let mut batch = Batch::new();
    for name in all {
        batch = batch.put(key(name)?, "", Expect::Any);
    }
    apply(store, batch).await?;
    for prefix in ["", "a", "a%", "a_", "a\\", "a*", "a?", "a.", "a[", "é", "e", "A", "a%c", "a%cc"] {
        let mut expected: Vec<_> = all.iter().filter(|name| name.starts_with(prefix)).collect();
        expected.sort_unstable();
        let found = names(store, prefix, None, 100).await?;
        ensure!(found.iter().eq(expected.iter().copied()), "prefix {prefix:?} gave {found:?} in place of {expected:?}");
    }
    let long = "a".repeat(MAX_KEY_BYTES * 4);
    ensure!(names(store, &long, None, 9).await?.is_empty(), "a prefix longer than any key finds keys");
    ensure!(names(store, "", Some(&long), 9).await?[0] == "e", "a place longer than any key is not taken as text");
    Ok(())
}

async fn values_are_opaque_bytes(subject: Subject) -> Finding {
    let store = &*subject.store;
    let every_byte: Vec<u8> = (0..=255).collect();
    for (name, value) in [("empty", &b""[..]), ("zero", b"\0"), ("every", &every_byte), ("json", br#"{"a":1.0}"#)] {
        put(store, name, value, Expect::Absent).await?;
        let found = read(store, name).await?.map(|entry| entry.value);
        ensure!(found.as_deref() == Some(value), "the value {name:?} came back changed");
    }
    Ok(())
}

async fn keys_and_values_have_their_limits(subject: Subject) -> Finding {
    let store = &*subject.store;
    let longest = "k".repeat(MAX_KEY_BYTES);
    let too_long = Key::new(format!("{longest}k"));
    ensure!(too_long.is_err_and(|error| error.kind() == ErrorKind::Invalid), "a key of 513 bytes was taken");
    let too_large = Batch::new().put(key("large")?, vec![7; MAX_VALUE_BYTES + 1], Expect::Any);
    refused(store, too_large, "a value of one byte over the limit").await?;

    let largest: Vec<u8> = (0_u8..=250).cycle().take(MAX_VALUE_BYTES).collect();
    put(store, &longest, &largest, Expect::Absent).await?;
    let found = read(store, &longest).await?.map(|entry| entry.value);
    ensure!(found.as_deref() == Some(&largest[..]), "a key of 512 bytes with a value of 256 KiB came back changed");
    ensure!(
        names(store, &longest, None, 9).await? == [longest.as_str()],
        "a prefix of 512 bytes does not find its key"
    );
    // Values that a compression would make small or large make no difference to a limit.
    put(store, "zeros", &vec![0; MAX_VALUE_BYTES], Expect::Absent).await?;
    Ok(())
}

async fn a_batch_has_its_limits(subject: Subject) -> Finding {
    let store = &*subject.store;
    let many = |count: usize| {
        (0..count).try_fold(Batch::new(), |batch, n| {
            Ok::<_, String>(batch.put(key(&format!("many/{n:04}"))?, "", Expect::Absent))
        })
    };
    // 32 keys and values of 256 KiB together.
    let large = |extra: usize| {
        (0..32).try_fold(Batch::new(), |batch, n| {
            let name = format!("large/{n:02}");
            let bytes = MAX_BATCH_BYTES / 32 - name.len() + if n == 0 { extra } else { 0 };
            Ok::<_, String>(batch.put(key(&name)?, vec![b'x'; bytes], Expect::Absent))
        })
    };
    refused(store, many(MAX_OPERATIONS + 1)?, "a batch of 1,001 operations").await?;
    refused(store, large(1)?, "a batch of one byte over 8 MiB").await?;
    let twice = Batch::new().put(key("a")?, "1", Expect::Any).delete(key("a")?, Expect::Any);
    refused(store, twice, "a batch with a key twice").await?;

    apply(store, Batch::new()).await.map_err(|what| format!("an empty batch: {what}"))?;
    apply(store, many(MAX_OPERATIONS)?).await.map_err(|what| format!("a batch of 1,000 operations: {what}"))?;
    apply(store, large(0)?).await.map_err(|what| format!("a batch of 8 MiB: {what}"))?;
    let stored = scan(store, "many/", None, MAX_OPERATIONS + 1).await?.len();
    ensure!(stored == MAX_OPERATIONS, "{stored} entries of 1,000 were stored");
    for name in ["large/00", "large/31"] {
        let bytes = read(store, name).await?.map_or(0, |entry| entry.value.len());
        ensure!(bytes == MAX_BATCH_BYTES / 32 - name.len(), "{name} came back with {bytes} bytes");
    }
    Ok(())
}

async fn wrappers_have_room(subject: Subject) -> Finding {
    let store = &*subject.store;
    let value = vec![b'x'; MAX_VALUE_BYTES + 100];
    let batch = Batch::new().put(key("wrapped")?, value.clone(), Expect::Absent);
    refused(store, batch.clone().with_room(99), "a value of one byte over the limit and its room").await?;
    refused(store, batch.clone().with_room(MAX_ROOM + 1), "more room than there may be").await?;
    match store.commit(batch.with_room(100)).await {
        Ok(commit) => {
            ensure!(commit.is_applied(), "a value with room ended in {}", outcome(&commit));
            let found = read(store, "wrapped").await?.map(|entry| entry.value);
            ensure!(found.as_deref() == Some(&value[..]), "a value with room came back changed");
        }
        Err(error) => return Err(format!("a value with room was refused: {error}")),
    }
    Ok(())
}

async fn every_expectation_holds_for_what_it_says(subject: Subject) -> Finding {
    let store = &*subject.store;
    for is_there in [false, true] {
        for (which, expected) in [("any", true), ("absent", !is_there), ("current", is_there), ("old", false)] {
            for is_put in [true, false] {
                let name = format!("{is_there}/{which}/{is_put}");
                // Each key has a past, so that there is an old version to expect.
                let old = put(store, &name, b"old", Expect::Absent).await?;
                let mut before = None;
                let mut current = old;
                if is_there {
                    current = put(store, &name, b"current", Expect::Version(old)).await?;
                    before = read(store, &name).await?;
                } else {
                    delete(store, &name, Expect::Version(old)).await?;
                }
                let expect = match which {
                    "any" => Expect::Any,
                    "absent" => Expect::Absent,
                    "current" => Expect::Version(current),
                    _ => Expect::Version(old),
                };
                let batch = Batch::new();
                let batch =
                    if is_put { batch.put(key(&name)?, "new", expect) } else { batch.delete(key(&name)?, expect) };
                let done = commit(store, batch).await?;
                let verb = if is_put { "put" } else { "delete" };
                let state = if is_there { "an entry that is there" } else { "an entry that was deleted" };
                ensure!(done.is_applied() == expected, "{verb} of {state}, expected {which}: {}", outcome(&done));
                let after = read(store, &name).await?;
                if !expected {
                    ensure!(done == Commit::Conflict { operation: 0 }, "the conflict names {}", outcome(&done));
                    ensure!(
                        after == before,
                        "{verb} of {state} expecting {which} was a conflict and done all the same"
                    );
                } else if is_put {
                    let after = after.ok_or("an applied put left no entry")?;
                    ensure!(
                        after.value == "new" && Some(after.version) == done.version(0),
                        "an applied put left another value"
                    );
                } else {
                    ensure!(after.is_none(), "an applied delete left the entry");
                }
            }
        }
    }
    Ok(())
}

async fn a_commit_is_all_or_nothing(subject: Subject) -> Finding {
    let store = &*subject.store;
    let there = put(store, "there", b"1", Expect::Absent).await?;
    put(store, "doomed", b"1", Expect::Absent).await?;
    let before = scan(store, "", None, 99).await?;
    let write = |name, value: Option<&'static str>, expect| {
        Ok::<_, String>(Operation { key: key(name)?, expect, value: value.map(Bytes::from) })
    };
    let good = [
        write("new", Some("x"), Expect::Absent)?,
        write("doomed", None, Expect::Any)?,
        write("there", Some("2"), Expect::Version(there))?,
    ];
    let bad =
        [write("zz missing", Some("x"), Expect::Version(there))?, write("0 missing", None, Expect::Version(there))?];
    for place in 0..=3 {
        for count in [1, 2] {
            let mut writes = good.to_vec();
            for write in &bad[..count] {
                writes.insert(place, write.clone());
            }
            let done = commit(store, writes.into_iter().fold(Batch::new(), Batch::with)).await?;
            ensure!(
                done == Commit::Conflict { operation: place },
                "{count} bad operations from {place} on: {}",
                outcome(&done)
            );
            ensure!(scan(store, "", None, 99).await? == before, "a conflict at operation {place} changed something");
        }
    }
    let versions = apply(store, good.into_iter().fold(Batch::new(), Batch::with)).await?;
    let kinds: Vec<_> = versions.iter().map(Option::is_some).collect();
    ensure!(kinds == [true, false, true], "put, delete, put were answered by {versions:?}");
    let after = scan(store, "", None, 99).await?;
    let after: Vec<_> = after.iter().map(|entry| (entry.key.as_str(), &entry.value[..], Some(entry.version))).collect();
    let expected = [("new", &b"x"[..], versions[0]), ("there", b"2", versions[2])];
    ensure!(after == expected, "after the batch: {} entries", after.len());
    Ok(())
}

/// Two that each write their own key if the other's is absent: one of them at most may succeed.
async fn a_check_of_absence_holds_against_others(subject: Subject) -> Finding {
    let stores = [Arc::clone(&subject.store), subject.other()];
    for round in 0..20 {
        let racers = [0, 1].map(|mine| {
            let store = Arc::clone(&stores[mine]);
            let (own, others) = (format!("guard/{round}/{mine}"), format!("guard/{round}/{}", 1 - mine));
            tokio::spawn(async move {
                let batch = Batch::new().put(key(&own)?, "", Expect::Absent).delete(key(&others)?, Expect::Absent);
                commit(&*store, batch).await
            })
        });
        let mut applied = 0;
        for racer in racers {
            applied += usize::from(racer.await.map_err(|error| error.to_string())??.is_applied());
        }
        let left = scan(&*stores[0], &format!("guard/{round}/"), None, 9).await?.len();
        ensure!(left == applied, "{applied} were applied, {left} are stored");
        ensure!(applied == 1, "{applied} of two that exclude each other were applied");
    }
    Ok(())
}

async fn one_of_many_racers_wins_each_version(subject: Subject) -> Finding {
    const RACERS: u32 = 16;
    const ROUNDS: usize = 8;
    let stores = [Arc::clone(&subject.store), subject.other()];
    let racers = (0..RACERS).map(|racer| {
        let store = Arc::clone(&stores[racer as usize % 2]);
        tokio::spawn(async move {
            // What this racer has replaced, by version; `None` for the one that began.
            let mut won = Vec::new();
            while won.len() < ROUNDS {
                let found = read(&*store, "race").await?;
                let (expect, count) = match &found {
                    None => (Expect::Absent, 0),
                    Some(entry) => (Expect::Version(entry.version), count(&entry.value)?),
                };
                let batch = Batch::new().put(key("race")?, (count + 1).to_be_bytes().to_vec(), expect);
                match commit(&*store, batch).await? {
                    Commit::Applied(versions) => won.push((found.map(|entry| entry.version), versions[0])),
                    Commit::Conflict { .. } => tokio::task::yield_now().await,
                }
            }
            Ok::<_, String>(won)
        })
    });
    let mut replaced = BTreeMap::new();
    for won in join_all(racers).await {
        for (old, new) in won.map_err(|error| error.to_string())?? {
            ensure!(new.is_some(), "a put gave no version");
            ensure!(replaced.insert(old, new).is_none(), "two racers replaced {old:?}");
        }
    }
    let entry = read(&*stores[0], "race").await?.ok_or("nothing was stored")?;
    let total = RACERS as usize * ROUNDS;
    ensure!(u64::try_from(total) == Ok(count(&entry.value)?), "{total} increments gave {}", count(&entry.value)?);
    let (mut at, mut steps) = (None, 0);
    while let Some(next) = replaced.get(&at) {
        (at, steps) = (*next, steps + 1);
    }
    ensure!(steps == total && at == Some(entry.version), "the versions are no chain: {steps} steps of {total}");
    Ok(())
}

fn count(value: &[u8]) -> Result<u64, String> {
    value.try_into().map(u64::from_be_bytes).map_err(|_| "a counter came back changed".to_owned())
}

/// Batches of the same keys in different orders, half of them unconditional: each ends, and the last state is that of one.
async fn commits_of_many_keys_do_not_block_each_other(subject: Subject) -> Finding {
    let stores = [Arc::clone(&subject.store), subject.other()];
    let tasks = (0..8_usize).map(|task| {
        let store = Arc::clone(&stores[task % 2]);
        tokio::spawn(async move {
            for round in 0..6_usize {
                let mut names: Vec<_> = (0..20).map(|n| format!("many/{n:02}")).collect();
                if task % 2 == 0 {
                    names.reverse();
                }
                names.rotate_left(task);
                let mut batch = Batch::new();
                for name in names {
                    batch = if (task + round) % 3 == 0 {
                        batch.delete(key(&name)?, Expect::Any)
                    } else {
                        batch.put(key(&name)?, format!("{task} {round}"), Expect::Any)
                    };
                }
                apply(&*store, batch).await?;
            }
            Ok::<_, String>(())
        })
    });
    for done in join_all(tasks).await {
        done.map_err(|error| error.to_string())??;
    }
    let left = scan(&*stores[0], "many/", None, 99).await?;
    ensure!(left.is_empty() || left.len() == 20, "{} of 20 keys are left: batches were mixed", left.len());
    ensure!(left.windows(2).all(|pair| pair[0].value == pair[1].value), "values of several batches are left");
    Ok(())
}

async fn what_was_applied_survives_reopening(subject: Subject) -> Finding {
    let Subject { store, other, reopen } = subject;
    let Some(reopen) = reopen else { return Ok(()) };
    put(&*store, "kept", b"1", Expect::Absent).await?;
    let kept = put(&*store, "kept", b"2", Expect::Any).await?;
    let gone = put(&*store, "gone", b"1", Expect::Absent).await?;
    delete(&*store, "gone", Expect::Any).await?;
    let refused = commit(&*store, Batch::new().put(key("never")?, "", Expect::Version(kept))).await?;
    ensure!(!refused.is_applied(), "an operation that does not hold was applied");
    let before = scan(&*store, "", None, 9).await?;
    drop((store, other));

    let store = reopen().await;
    ensure!(scan(&*store, "", None, 9).await? == before, "reopened, the store has other entries");
    let again = put(&*store, "gone", b"1", Expect::Absent).await?;
    ensure!(again != gone, "reopened, version {gone} of a deleted key came again");
    put(&*store, "kept", b"3", Expect::Version(kept)).await.map_err(|what| format!("reopened: {what}"))?;
    Ok(())
}
