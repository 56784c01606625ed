//! The embedded store, and files that are locked, cut off, damaged or not ours.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sforce::store::{MemoryStore, RedbStore, Store};
use sforce::testing::conformance::{self, Subject};
use sforce::{Error, ErrorKind, Retry};

use super::{Folder, put, read, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_keeps_the_contract() {
    let make = || async {
        let store = MemoryStore::default();
        Subject::new(store.clone()).shared_with(store)
    };
    conformance::store(make).await.expect("keeps the contract");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redb_store_keeps_the_contract() {
    let folder = Folder::new();
    let make = || async {
        let path = folder.file(&super::unique());
        let store = RedbStore::open(&path).await.expect("opens");
        Subject::new(store.clone())
            .shared_with(store)
            .reopened_by(async move || RedbStore::open(path).await.expect("opens again"))
    };
    conformance::store(make).await.expect("keeps the contract");
}

async fn refused(path: &Path) -> Error {
    let error = RedbStore::open(path).await.expect_err("cannot be opened");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.file("store.redb");
    RedbStore::open(&path).await.expect("opens");
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
}

const CHILD: &str = "SFORCE_TEST_REDB_CHILD";

/// Not a test of its own: the other process of the next one. Stores one number after the other, telling each that is stored.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the test tells its child the file")]
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = RedbStore::open(path).await.expect("opens");
    for number in 0_u64.. {
        put(&store, &format!("{number:08}"), "stored").await;
        println!("stored {number}");
    }
}

#[tokio::test]
async fn a_file_of_another_process_is_locked_and_what_it_stored_survives_its_kill() {
    let folder = Folder::new();
    for round in 1..=3 {
        let path = folder.file(&format!("{round}.redb"));
        let mut child = Command::new(std::env::current_exe().expect("known"))
            .args(["--exact", "--nocapture", "stores::redb::child_that_writes_until_it_is_killed"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("runs");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut told = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok());
        let mut last = told.nth(round * 20).expect("stores");
        let error = refused(&path).await;
        assert_eq!(error.retry(), Retry::After(None));
        assert!(error.to_string().contains("open elsewhere"), "{error}");
        child.kill().expect("still runs");
        child.wait().expect("ended");
        last = told.last().unwrap_or(last);

        let store = RedbStore::open(&path).await.expect("opens after a kill");
        let stored = store.scan("", None, usize::MAX).await.expect("read").len() as u64;
        assert!(stored > last && stored <= last + 2, "{last} was told last, {stored} are there");
        for entry in store.scan("", None, usize::MAX).await.expect("read") {
            assert_eq!(entry.value, "stored");
        }
    }
}

#[tokio::test]
async fn a_second_store_of_one_process_is_told_the_same() {
    let folder = Folder::new();
    let path = folder.file("store.redb");
    let first = RedbStore::open(&path).await.expect("opens");
    assert_eq!(refused(&path).await.retry(), Retry::After(None));
    drop(first);
    RedbStore::open(&path).await.expect("opens once it is free");
}

#[tokio::test]
async fn a_file_cut_off_anywhere_is_an_error_and_never_another_content() {
    let folder = Folder::new();
    let (path, cut) = (folder.file("store.redb"), folder.file("cut.redb"));
    let store = RedbStore::open(&path).await.expect("opens");
    for number in 0..50 {
        put(&store, &format!("token/{number}"), &"hunter2 ".repeat(500)).await;
    }
    drop(store);
    let bytes = std::fs::read(&path).expect("a file");
    let lengths = (0..64).chain((64..bytes.len()).step_by(bytes.len() / 60)).chain([bytes.len() - 1]);
    let mut readable = 0;
    for length in lengths {
        std::fs::write(&cut, &bytes[..length]).expect("written");
        // A cut that takes only free pages may be mended by redb; then all is there.
        let error = match RedbStore::open(&cut).await {
            Ok(store) => match store.scan("", None, 99).await {
                Ok(entries) => {
                    assert_eq!(entries.len(), 50, "cut to {length} of {} bytes", bytes.len());
                    readable += 1;
                    continue;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never), "{error}");
        let expected = if length == 0 { "the file is empty" } else { "damaged, cut off, or not a redb database" };
        assert!(error.to_string().contains(expected), "cut to {length}: {error}");
        assert!(!shown(&error).contains("hunter2"), "{error:?}");
    }
    assert!(readable < 30, "{readable} cuts were harmless");
}

#[tokio::test]
async fn what_is_not_our_file_is_said_to_be_that() {
    let folder = Folder::new();
    let path = folder.file("file");
    std::fs::write(&path, "not a database: hunter2".repeat(1000)).expect("written");
    let error = refused(&path).await;
    assert_eq!(error.retry(), Retry::Never);
    assert!(error.to_string().contains("not a redb database") && !shown(&error).contains("hunter2"), "{error}");

    let path = folder.file("folder");
    std::fs::create_dir(&path).expect("made");
    assert!(refused(&path).await.to_string().contains("not that of a file"));

    assert!(refused(&folder.file("missing/file")).await.to_string().contains("the folder of the file is missing"));
}

const OTHER: ::redb::TableDefinition<&str, u64> = ::redb::TableDefinition::new("other");
const META: ::redb::TableDefinition<&str, u64> = ::redb::TableDefinition::new("sforce_meta");

fn write(path: &Path, table: ::redb::TableDefinition<'_, &'static str, u64>, name: &str, value: u64) {
    let database = ::redb::Database::create(path).expect("made");
    let transaction = database.begin_write().expect("begun");
    transaction.open_table(table).expect("opened").insert(name, value).expect("put");
    transaction.commit().expect("done");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let folder = Folder::new();
    let path = folder.file("other.redb");
    write(&path, OTHER, "a", 1);
    let error = refused(&path).await;
    assert!(error.to_string().contains("of another program") && error.retry() == Retry::Never, "{error}");
    let database = ::redb::Database::create(&path).expect("still a database");
    let tables = database.begin_write().expect("begun").list_tables().expect("listed").count();
    assert_eq!(tables, 1, "nothing was added");
}

#[tokio::test]
async fn a_file_of_a_newer_format_says_so() {
    let folder = Folder::new();
    let path = folder.file("newer.redb");
    drop(RedbStore::open(&path).await.expect("opens"));
    write(&path, META, "format", 2);
    let error = refused(&path).await;
    assert!(error.to_string().contains("newer format than this version knows (format 2, known 1"), "{error}");
    assert!(error.advice().expect("some").contains("upgrade"));
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_store_usable() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.file("store.redb")).await.expect("opens");
    for number in 0..50 {
        let write = put(&store, "key", "value");
        // Polled once or not at all, then dropped.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(number), write).await;
    }
    put(&store, "key", "last").await;
    assert_eq!(read(&store, "key").await.expect("there").value, "last");
}
