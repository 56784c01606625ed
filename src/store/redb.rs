//! The embedded store: one redb file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::redb::{
    CommitError, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
    TableHandle, TransactionError,
};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::{Batch, Commit, Entry, Key, Store, Version, failed, scan_start};
use crate::error::{Effect, Error, Result, Retry};

/// `format` and `last version`.
const META: TableDefinition<&str, u64> = TableDefinition::new("sforce_meta");
/// Version and value by the bytes of the key. Bytes, since redb would panic on text that damage has made none.
const ENTRIES: TableDefinition<&[u8], (u64, &[u8])> = TableDefinition::new("sforce_entries");
const FORMAT: &str = "format";
const LAST_VERSION: &str = "last version";

/// The number of our tables' layout. `tests/fixtures/store` has a file of each.
const CURRENT_FORMAT: u64 = 1;

/// redb would keep up to a gigabyte of pages; what we store is small, and the system caches files as well.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Keeps entries in one file, for one process at a time. Clones share it.
///
/// A commit is on the disk when it returns. Files are made readable and writable for their owner only. Work is done on the
/// runtime's blocking threads: one commit at a time, any number of reads beside it.
///
/// Needs a tokio runtime.
#[derive(Clone)]
pub struct RedbStore(Arc<Inner>);

struct Inner {
    database: Database,
    path: PathBuf,
    /// So that commits wait here, not on one blocking thread each.
    writer: Arc<Mutex<()>>,
}

impl RedbStore {
    /// Opens a file, or makes it; its folder has to be there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`](crate::ErrorKind::Store):
    /// - worth repeating: another process (or another store of this one) has the file open;
    /// - not worth it: a file that is empty, cut off, damaged, of another program or of a newer format, or one that this user
    ///   may not write.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let shown = path.display().to_string();
        let open = move || -> Result<Self, Failure> {
            let database = open(&path)?;
            Ok(Self(Arc::new(Inner { database, path, writer: Arc::default() })))
        };
        blocking("store.open", open).await.map_err(|error| error.with_context("file", shown))
    }

    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Database) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking(operation, move || work(&inner.database))
            .await
            .map_err(|error| error.with_context("file", self.0.path.display()))
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let keys = keys.to_vec();
        let read = move |database: &Database| {
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            let entry = |key: Key| {
                let found = entries.get(key.as_str().as_bytes())?;
                Ok(found.map(|found| {
                    let (version, value) = found.value();
                    Entry { key, version: Version::new(version), value: Bytes::copy_from_slice(value) }
                }))
            };
            keys.into_iter().map(entry).collect()
        };
        self.run("store.get", read).await
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        let (prefix, after) = (prefix.to_owned(), after.map(ToOwned::to_owned));
        let read = move |database: &Database| {
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            let start = scan_start(&prefix, after.as_deref()).map(str::as_bytes);
            let mut page = Vec::new();
            for found in entries.range::<&[u8]>((start, Bound::Unbounded))?.take(limit) {
                let (key, found) = found?;
                if !key.value().starts_with(prefix.as_bytes()) {
                    break;
                }
                let key = std::str::from_utf8(key.value()).ok().and_then(|key| Key::new(key).ok());
                let (version, value) = found.value();
                page.push(Entry {
                    key: key.ok_or(Failure::Damaged("a key that is no text"))?,
                    version: Version::new(version),
                    value: Bytes::copy_from_slice(value),
                });
            }
            Ok(page)
        };
        self.run("store.scan", read).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        batch.check()?;
        let turn = Arc::clone(&self.0.writer).lock_owned().await;
        let write = move |database: &Database| {
            // Held to the end of the work, which goes on when the caller's future is dropped.
            let _turn = turn;
            write(database, &batch)
        };
        self.run("store.commit", write).await
    }
}

fn write(database: &Database, batch: &Batch) -> Result<Commit, Failure> {
    let transaction = database.begin_write()?;
    let applied = {
        let mut entries = transaction.open_table(ENTRIES)?;
        let mut current = Vec::with_capacity(batch.operations().len());
        for operation in batch.operations() {
            let found = entries.get(operation.key.as_str().as_bytes())?;
            current.push(found.map(|found| Version::new(found.value().0)));
        }
        if let Some(operation) = batch.first_conflict(&current) {
            drop(entries);
            transaction.abort()?;
            return Ok(Commit::Conflict { operation });
        }
        let mut meta = transaction.open_table(META)?;
        // One number per commit: a key is in it once at most. The counter outlives every entry.
        let last = meta.get(LAST_VERSION)?.ok_or(Failure::Damaged("no version counter"))?.value() + 1;
        meta.insert(LAST_VERSION, last)?;
        let mut applied = Vec::with_capacity(current.len());
        for operation in batch.operations() {
            let key = operation.key.as_str().as_bytes();
            if let Some(value) = &operation.value {
                entries.insert(key, (last, &value[..]))?;
                applied.push(Some(Version::new(last)));
            } else {
                entries.remove(key)?;
                applied.push(None);
            }
        }
        applied
    };
    transaction.commit().map_err(Failure::Commit)?;
    Ok(Commit::Applied(applied))
}

fn open(path: &Path) -> Result<Database, Failure> {
    if !path.try_exists()? {
        make(path)?;
    }
    let database = Database::builder().set_cache_size(CACHE_BYTES).create_file(open_file(path)?)?;
    tables(database)
}

/// Makes the file whole before it has its name: a process that is killed meanwhile leaves no half of one, which nobody could open again.
fn make(path: &Path) -> Result<(), Failure> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.new", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
    let draft = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(&draft).map_err(Failure::from).and_then(|file| {
        drop(tables(Database::builder().set_cache_size(CACHE_BYTES).create_file(file)?)?);
        // A link never replaces what another process has made in the meantime. Not every file system has links.
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(_) if !path.try_exists()? => Ok(fs::rename(&draft, path)?),
            _ => Ok(()),
        }
    });
    // After a rename it is gone.
    fs::remove_file(&draft).ok();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // The file's name has to survive a power cut as well. Not every system can open a folder.
        File::open(folder).and_then(|folder| folder.sync_all()).ok();
    }
    made
}

/// The database with its tables, made where there are none.
fn tables(database: Database) -> Result<Database, Failure> {
    let transaction = database.begin_read()?;
    let tables: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    if tables.is_empty() {
        // New, or its making was cut off before this commit by an earlier release.
        drop(transaction);
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            meta.insert(FORMAT, CURRENT_FORMAT)?;
            meta.insert(LAST_VERSION, 0)?;
            transaction.open_table(ENTRIES)?;
        }
        transaction.commit().map_err(Failure::Commit)?;
        return Ok(database);
    }
    if !tables.iter().any(|table| table == META.name()) {
        return Err(Failure::Foreign);
    }
    let format = transaction.open_table(META)?.get(FORMAT)?.ok_or(Failure::Damaged("no format number"))?.value();
    // There is no older format yet; one that comes is migrated here.
    match format {
        CURRENT_FORMAT => Ok(database),
        0 => Err(Failure::Damaged("an impossible format number")),
        newer => Err(Failure::Newer(newer)),
    }
}

/// Opens a file that is there. redb takes an empty file for a new one; since we never leave an empty file behind, we do not: it has lost
/// its content.
fn open_file(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Err(Failure::Empty);
    }
    Ok(file)
}

/// Runs on a blocking thread. A panic there (redb's answer to some damage) is an error here.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|failure| failure.into_error(operation)),
        Err(join) if join.is_panic() => Err(Failure::Damaged("redb could not go on").into_error(operation)),
        // The runtime is shutting down; the work may have been done or not.
        Err(_) => {
            Err(failed(operation, "the runtime is shutting down").with_effect(Effect::Unknown).with_retry(Retry::Never))
        }
    }
}

/// What can go wrong below, before it is worded.
enum Failure {
    Redb(::redb::Error),
    /// In the last step, when the new state may be on the disk already.
    Commit(CommitError),
    Damaged(&'static str),
    Empty,
    Foreign,
    Newer(u64),
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}
from_redb!(DatabaseError, TransactionError, TableError, StorageError, io::Error);

impl Failure {
    fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Redb(error) => from_redb(operation, error),
            Self::Commit(error) => from_redb(operation, error.into()).with_effect(Effect::Unknown),
            Self::Damaged(what) => damaged(operation).with_context("found", what),
            Self::Empty => failed(operation, "the file is empty")
                .with_advice("restore it from a backup; if nothing was ever stored in it, delete it"),
            Self::Foreign => failed(operation, "the file is a redb database of another program")
                .with_advice("choose another path; it was not changed"),
            Self::Newer(format) => failed(operation, "the file has a newer format than this version knows")
                .with_context("format", format)
                .with_context("known", CURRENT_FORMAT)
                .with_advice("upgrade this process"),
        }
    }
}

fn damaged(operation: &'static str) -> Error {
    failed(operation, "the file is damaged, cut off, or not a redb database").with_advice("restore it from a backup")
}

fn from_redb(operation: &'static str, error: ::redb::Error) -> Error {
    use ::redb::Error as Redb;
    match error {
        Redb::DatabaseAlreadyOpen => failed(operation, "the file is open elsewhere")
            .with_retry(Retry::After(None))
            .with_advice("one process at a time may open it; stop the other, or use PostgreSQL to share a store"),
        Redb::UpgradeRequired(version) => {
            failed(operation, "the file has an older format of redb that is no longer read")
                .with_context("redb format", version)
        }
        Redb::Io(error) => from_io(operation, error),
        Redb::PreviousIo | Redb::DatabaseClosed | Redb::LockPoisoned(_) => {
            failed(operation, "the file failed before").with_advice("open the store again").with_source(error)
        }
        Redb::Corrupted(_)
        | Redb::RepairAborted
        | Redb::TableTypeMismatch { .. }
        | Redb::TableIsMultimap(_)
        | Redb::TypeDefinitionChanged { .. }
        | Redb::TableDoesNotExist(_) => damaged(operation).with_source(error),
        other => failed(operation, "the file cannot be used").with_source(other),
    }
}

fn from_io(operation: &'static str, error: io::Error) -> Error {
    use io::ErrorKind as Io;
    let made = match error.kind() {
        // redb says so of a file that has no header of its own, and reads past the end of one that is cut off.
        Io::InvalidData | Io::UnexpectedEof => damaged(operation),
        Io::NotFound => failed(operation, "the folder of the file is missing").with_advice("make the folder"),
        Io::PermissionDenied | Io::ReadOnlyFilesystem => failed(operation, "this user may not write the file"),
        Io::IsADirectory | Io::NotADirectory | Io::InvalidFilename => {
            failed(operation, "the path is not that of a file")
        }
        Io::StorageFull | Io::QuotaExceeded => {
            failed(operation, "the disk is full").with_retry(Retry::After(None)).with_advice("make room")
        }
        _ => failed(operation, "the file cannot be read or written").with_retry(Retry::After(None)),
    };
    made.with_source(error)
}
