//! Our tables, step by step.

use super::failure::Failure;
use super::{PostgresStore, config};
use crate::error::Result;

/// Each step brings the tables to the next format: the first to 1. Steps are never changed, only added. `{schema}` stands for
/// the quoted name.
///
/// Keys are bytes, so that they sort as the contract says in any database, whatever its encoding and collation. To read them:
/// `select convert_from(key, 'UTF8'), version, length(value) from sforce.entries`.
const STEPS: &[&str] = &["\
create sequence if not exists {schema}.versions;
create table if not exists {schema}.entries (key bytea primary key, version bigint not null, value bytea not null);
"];

/// One lock for all migrations of a database. Any number will do that others do not use: `sforce` in ASCII.
const LOCK: i64 = 0x7366_6f72_6365;

pub(super) fn check_schema_name(name: &str) -> Result<()> {
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|first| first.is_ascii_lowercase());
    let rest = letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    // PostgreSQL cuts longer names off, and keeps pg_ for itself.
    if first && rest && name.len() <= 63 && !name.starts_with("pg_") {
        return Ok(());
    }
    Err(config("not a schema name of ours").with_advice(
        "use 1 to 63 lower-case letters, digits and underscores, a letter first, and not pg_, such as crm_sync",
    ))
}

fn quoted(schema: &str) -> String {
    format!("\"{schema}\"")
}

fn prelude(schema: &str) -> String {
    // The row of `format` is the lock's witness and the number of steps done.
    format!(
        "create table if not exists {0}.format (singleton boolean primary key default true check (singleton), \
         number integer not null);\ninsert into {0}.format (number) values (0) on conflict do nothing;\n",
        quoted(schema)
    )
}

fn step(schema: &str, index: usize) -> String {
    format!(
        "{}update {1}.format set number = {2};\n",
        STEPS[index].replace("{schema}", &quoted(schema)),
        quoted(schema),
        index + 1
    )
}

/// All steps from nothing, as one transaction.
pub(super) fn all(schema: &str) -> String {
    let steps: String = (0..STEPS.len()).map(|index| step(schema, index)).collect();
    format!("begin;\ncreate schema if not exists {};\n{}{steps}commit;\n", quoted(schema), prelude(schema))
}

pub(super) async fn migrate(store: &PostgresStore) -> Result<(), Failure> {
    let schema = &store.schema;
    let mut connection = store.connection().await?;
    let client = connection.client()?;
    if format(client, schema).await? < STEPS.len() {
        let transaction = client.transaction().await?;
        transaction.query_typed(&format!("select pg_advisory_xact_lock({LOCK})"), &[]).await?;
        // `create schema if not exists` would need a right that a role with a schema of its own may not have.
        if !exists(&transaction, "to_regnamespace", &quoted(schema)).await? {
            transaction.batch_execute(&format!("create schema {}", quoted(schema))).await?;
        }
        // Another process may have been here while we waited for the lock.
        let done = format(&transaction, schema).await?;
        transaction.batch_execute(&prelude(schema)).await?;
        for index in done..STEPS.len() {
            transaction.batch_execute(&step(schema, index)).await?;
        }
        transaction.commit().await?;
    }
    connection.release();
    Ok(())
}

async fn exists(client: &tokio_postgres::Transaction<'_>, function: &str, name: &str) -> Result<bool, Failure> {
    let rows = client.query_typed(&format!("select {function}('{name}') is not null"), &[]).await?;
    Ok(rows.first().ok_or(Failure::Unexpected("no answer"))?.try_get(0)?)
}

/// How many steps were done. More than we know is an error.
async fn format(client: &(impl tokio_postgres::GenericClient + Sync), schema: &str) -> Result<usize, Failure> {
    let table = format!("{}.format", quoted(schema));
    let rows = client.query_typed(&format!("select to_regclass('{table}') is not null"), &[]).await?;
    if !rows.first().ok_or(Failure::Unexpected("no answer"))?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let rows = client.query_typed(&format!("select number from {table}"), &[]).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let number: i32 = row.try_get(0)?;
    match usize::try_from(number) {
        Ok(number) if number <= STEPS.len() => Ok(number),
        _ => Err(Failure::Newer { found: number, known: STEPS.len() }),
    }
}
