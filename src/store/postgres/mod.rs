//! The shared store: tables of a PostgreSQL, over a pool that the caller brings (feature `postgres`).
//!
//! ```no_run
//! use sforce::store::PostgresStore;
//! use sforce::store::postgres::deadpool_postgres::{Manager, Pool, Runtime};
//! use sforce::store::postgres::tokio_postgres::{Config, NoTls};
//!
//! # async fn open() -> Result<PostgresStore, Box<dyn std::error::Error>> {
//! let config: Config = "host=localhost user=sync dbname=sync connect_timeout=5".parse()?;
//! // Beyond this machine, with TLS in place of `NoTls`.
//! let pool = Pool::builder(Manager::new(config, NoTls)).max_size(8).runtime(Runtime::Tokio1).build()?;
//! let store = PostgresStore::builder(pool).schema("crm_sync").open().await?;
//! # Ok(store)
//! # }
//! ```

mod failure;
mod migrations;

use std::collections::HashMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
pub use deadpool_postgres;
use deadpool_postgres::{Object, Pool};
use futures_util::future::try_join;
pub use tokio_postgres;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{IsolationLevel, Row};

use self::failure::{Failure, MAX_ATTEMPTS};
use super::{Batch, Commit, Entry, Key, Store, Version, scan_start};
use crate::error::{Effect, Error, ErrorKind, Result};

/// How long one call may take, unless the builder says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Keeps entries in a schema of a PostgreSQL (14 or later), for any number of processes. Clones share the pool.
///
/// Each commit is one transaction: it locks the rows of its keys, checks what it expects, and writes. Two commits with a key in
/// common follow each other; commits without one run side by side. Deadlocks and lost races are tried again a few times, since
/// nothing was done by then; a lost connection is not, and is an error worth repeating.
///
/// A call takes one connection of the pool for its duration. A connection whose call was given up is closed, not reused. No
/// prepared statements are kept, so a transaction-pooling proxy may stand between. Whether a commit waits for the disk is
/// up to the server's `synchronous_commit`, which is on by default.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    schema: String,
    timeout: Duration,
    sql: Arc<Sql>,
}

/// Statements with the schema's name in them.
struct Sql {
    get: String,
    scan: [String; 2],
    lock: String,
    insert: String,
    update: String,
    delete: String,
}

impl Sql {
    fn new(schema: &str) -> Self {
        let entries = format!("\"{schema}\".entries");
        let next = format!("nextval('\"{schema}\".versions')");
        let scan = |than: &str| {
            format!(
                "select key, version, value from {entries} where key {than} $1 and ($2::bytea is null or key < $2) \
                 order by key limit $3"
            )
        };
        Self {
            get: format!("select key, version, value from {entries} where key = any($1)"),
            scan: [scan(">="), scan(">")],
            // Always in the order of keys, so that two commits seldom wait for each other crosswise.
            lock: format!("select key, version from {entries} where key = any($1) order by key for update"),
            insert: format!(
                "insert into {entries} (key, version, value) \
                 select k, {next}, v from (select * from unnest($1::bytea[], $2::bytea[]) as u(k, v) order by k) as s \
                 on conflict (key) do nothing returning key, version"
            ),
            update: format!(
                "update {entries} as e set version = {next}, value = u.v \
                 from unnest($1::bytea[], $2::bytea[]) as u(k, v) where e.key = u.k returning e.key, e.version"
            ),
            delete: format!("delete from {entries} where key = any($1)"),
        }
    }
}

/// Settings of a [`PostgresStore`].
#[must_use = "nothing is opened before `open`"]
pub struct PostgresStoreBuilder {
    pool: Pool,
    schema: String,
    timeout: Duration,
}

impl PostgresStoreBuilder {
    /// The schema of our tables; `sforce` unless set. It is made if it is not there.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How long one call may take, waiting for a connection included; 30 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Opens the store, and brings its tables up to date first. Any number of processes may do so at once.
    ///
    /// Where the tables are up to date already, the role needs no right to make any: `select`, `insert`, `update`, `delete` on
    /// them and `usage` of the schema and its sequence do.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Config`]: a schema name that is not 1 to 63 lower-case letters, digits and underscores after a letter.
    /// - [`ErrorKind::Store`]: no connection, no right to make the tables, or tables of a newer version of this crate.
    pub async fn open(self) -> Result<PostgresStore> {
        let Self { pool, schema, timeout } = self;
        migrations::check_schema_name(&schema)?;
        let store = PostgresStore { pool, sql: Arc::new(Sql::new(&schema)), schema, timeout };
        let done = AtomicBool::new(false);
        store.within("store.open", &done, migrations::migrate(&store)).await?;
        Ok(store)
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool's configuration holds the password.
        f.debug_struct("PostgresStore").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A connection that goes back to the pool only when its work came to an end. One that was given up may be stuck, in the middle
/// of a statement, or dead without knowing it; the next caller shall not inherit that.
struct Connection(Option<Object>);

impl Connection {
    fn client(&mut self) -> Result<&mut tokio_postgres::Client, Failure> {
        let wrapper = self.0.as_mut().ok_or(Failure::Unexpected("a connection was used after its end"))?;
        Ok(&mut **wrapper)
    }

    fn release(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// What a commit's locks and reads said.
enum Attempt {
    Done(Commit),
    /// Another made an entry between our look and our write. Nothing was done.
    Raced,
}

impl PostgresStore {
    /// A store on this pool. The pool decides on TLS, its size and how long connecting may take.
    pub fn builder(pool: Pool) -> PostgresStoreBuilder {
        PostgresStoreBuilder { pool, schema: "sforce".to_owned(), timeout: TIMEOUT }
    }

    async fn connection(&self) -> Result<Connection, Failure> {
        Ok(Connection(Some(self.pool.get().await?)))
    }

    /// Words the failure, and ends work that takes too long.
    async fn within<T>(
        &self,
        operation: &'static str,
        committing: &AtomicBool,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T> {
        let done = tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(Failure::TimedOut(self.timeout)));
        done.map_err(|failure| {
            // Once COMMIT is on its way, only an answer tells what became of it.
            let unknown = committing.load(Ordering::Relaxed) && !failure.is_an_answer();
            let error = failure.into_error(operation).with_context("schema", &self.schema);
            if unknown { error.with_effect(Effect::Unknown) } else { error }
        })
    }

    async fn read(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Entry>> {
        let work = async {
            let mut connection = self.connection().await?;
            let rows = connection.client()?.query_typed(sql, parameters).await?;
            connection.release();
            rows.iter().map(entry).collect()
        };
        self.within(operation, &AtomicBool::new(false), work).await
    }

    async fn attempt(&self, batch: &Batch, committing: &AtomicBool) -> Result<Attempt, Failure> {
        let operations = batch.operations();
        let keys: Vec<&[u8]> = operations.iter().map(|write| write.key.as_str().as_bytes()).collect();
        let mut connection = self.connection().await?;
        let client = connection.client()?;
        let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;

        // The server gives up as well: a statement whose client has gone would else wait for its locks.
        let limit = format!("set local statement_timeout = {}", self.timeout.as_millis().clamp(1, 2_000_000_000));
        let lock_parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&keys, Type::BYTEA_ARRAY)];
        let lock = transaction.query_typed(&self.sql.lock, &lock_parameters);
        let ((), locked) = try_join(transaction.batch_execute(&limit), lock).await?;
        let locked = versions(&locked)?;
        let current: Vec<_> = keys.iter().map(|key| locked.get(*key).copied()).collect();
        if let Some(operation) = batch.first_conflict(&current) {
            transaction.rollback().await?;
            connection.release();
            return Ok(Attempt::Done(Commit::Conflict { operation }));
        }

        // A key that is not there has no row to lock. Its row is made, also for a deletion, which takes it away again: whoever
        // else makes it meanwhile waits for us. So all keys of a batch are held until its end.
        let (mut made, mut made_values) = (Vec::new(), Vec::new());
        let (mut changed, mut changed_values) = (Vec::new(), Vec::new());
        let mut deleted = Vec::new();
        for ((operation, key), current) in operations.iter().zip(&keys).zip(&current) {
            let value = operation.value.as_deref();
            if current.is_none() {
                made.push(*key);
                made_values.push(value.unwrap_or_default());
            } else if let Some(value) = value {
                changed.push(*key);
                changed_values.push(value);
            }
            if value.is_none() {
                deleted.push(*key);
            }
        }
        let mut new = HashMap::new();
        for (sql, keys, values) in
            [(&self.sql.insert, &made, &made_values), (&self.sql.update, &changed, &changed_values)]
        {
            if keys.is_empty() {
                continue;
            }
            let rows = transaction.query_typed(sql, &[(keys, Type::BYTEA_ARRAY), (values, Type::BYTEA_ARRAY)]).await?;
            if rows.len() < keys.len() {
                transaction.rollback().await?;
                connection.release();
                return Ok(Attempt::Raced);
            }
            new.extend(versions(&rows)?);
        }
        if !deleted.is_empty() {
            transaction.query_typed(&self.sql.delete, &[(&deleted, Type::BYTEA_ARRAY)]).await?;
        }
        let version = |operation: &super::Operation| {
            operation.value.as_ref().and_then(|_| new.get(operation.key.as_str().as_bytes()).copied())
        };
        let applied = Commit::Applied(operations.iter().map(version).collect());
        committing.store(true, Ordering::Relaxed);
        transaction.commit().await?;
        connection.release();
        Ok(Attempt::Done(applied))
    }
}

/// Version by the bytes of the key.
fn versions(rows: &[Row]) -> Result<HashMap<Vec<u8>, Version>, Failure> {
    rows.iter().map(|row| Ok((row.try_get(0)?, version(row)?))).collect()
}

fn version(row: &Row) -> Result<Version, Failure> {
    let number: i64 = row.try_get(1)?;
    u64::try_from(number).map(Version::new).map_err(|_| Failure::Unexpected("a version below zero"))
}

fn entry(row: &Row) -> Result<Entry, Failure> {
    let key = std::str::from_utf8(row.try_get(0)?).ok().and_then(|key| Key::new(key).ok());
    Ok(Entry {
        key: key.ok_or(Failure::Unexpected("a key that is no text of ours"))?,
        version: version(row)?,
        value: Bytes::copy_from_slice(row.try_get(2)?),
    })
}

/// The first text in byte order that no longer starts with the prefix; `None` if there is none.
fn prefix_end(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // No byte of UTF-8 is 255.
    *end.last_mut()? += 1;
    Some(end)
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&[u8]> = keys.iter().map(|key| key.as_str().as_bytes()).collect();
        let found = self.read("store.get", &self.sql.get, &[(&names, Type::BYTEA_ARRAY)]).await?;
        let found: HashMap<_, _> = found.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        let (start, sql) = match scan_start(prefix, after) {
            Bound::Excluded(start) => (start, &self.sql.scan[1]),
            Bound::Included(start) => (start, &self.sql.scan[0]),
            Bound::Unbounded => ("", &self.sql.scan[0]),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (start, end) = (start.as_bytes(), prefix_end(prefix));
        self.read("store.scan", sql, &[(&start, Type::BYTEA), (&end, Type::BYTEA), (&limit, Type::INT8)]).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        batch.check()?;
        if batch.operations().is_empty() {
            return Ok(Commit::Applied(Vec::new()));
        }
        let committing = AtomicBool::new(false);
        let work = async {
            for _ in 0..MAX_ATTEMPTS {
                match self.attempt(&batch, &committing).await {
                    Ok(Attempt::Done(commit)) => return Ok(commit),
                    Ok(Attempt::Raced) => {}
                    // An answer: the server has undone the transaction.
                    Err(failure) if failure.is_lost_race() => committing.store(false, Ordering::Relaxed),
                    Err(failure) => return Err(failure),
                }
            }
            Err(Failure::Contended)
        };
        self.within("store.commit", &committing, work).await
    }
}

/// The statement that makes or updates the tables, for those who want to run it themselves.
///
/// # Errors
///
/// [`ErrorKind::Config`] for a schema name that [`PostgresStoreBuilder::open`] would refuse.
pub fn migrations_sql(schema: &str) -> Result<String> {
    migrations::check_schema_name(schema)?;
    Ok(migrations::all(schema))
}

fn config(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, "store.open", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        assert_eq!(prefix_end(""), None);
        assert_eq!(prefix_end("a"), Some(b"b".to_vec()));
        for prefix in ["a", "a/", "é", "\u{10FFFF}", "\0"] {
            let end = prefix_end(prefix).expect("not empty");
            for rest in ["", "\0", "z", "\u{10FFFF}\u{10FFFF}"] {
                assert!(format!("{prefix}{rest}").as_bytes() < &end[..], "{prefix}{rest}");
            }
        }
    }

    #[test]
    fn the_migrations_can_be_had_as_text() {
        assert!(
            migrations_sql("crm_sync").expect("a name").contains(r#"create table if not exists "crm_sync".entries"#)
        );
        for name in ["", "a\"b", "Sync", "1a", "a-b", "é", &"a".repeat(64), "pg_sync"] {
            let error = migrations_sql(name).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }
}
