//! The shared store, on the PostgreSQL of `SFORCE_TEST_POSTGRES_URL`; `./tests/run` starts one and sets it.

use std::time::Duration;

use sforce::store::postgres::deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use sforce::store::postgres::tokio_postgres::{Config, NoTls, config::Host};
use sforce::store::{Batch, Commit, EncryptedStore, Entry, Expect, PostgresStore, Store};
use sforce::testing::conformance::{self, Subject};
use sforce::{Effect, Error, ErrorKind, Retry};

use super::encrypted::keyring;
use super::proxy::{Proxy, Way};
use super::{key, put, read, shown, unique};
use crate::support::not_run;

/// Long enough for any one call.
const PATIENT: Duration = Duration::from_secs(10);

/// How to reach the server; `None`, and said so, where there is none.
pub(crate) fn config(test: &str) -> Option<Config> {
    #[expect(clippy::disallowed_methods, reason = "the test command says what it has prepared")]
    let url = std::env::var("SFORCE_TEST_POSTGRES_URL");
    if let Ok(url) = url {
        return Some(url.parse().expect("SFORCE_TEST_POSTGRES_URL is a PostgreSQL address"));
    }
    not_run(test, "SFORCE_TEST_POSTGRES_URL is not set; ./tests/run starts a PostgreSQL and sets it");
    None
}

fn pool(config: &Config, size: usize) -> Pool {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config.clone(), NoTls, recycling);
    Pool::builder(manager).max_size(size).runtime(Runtime::Tokio1).build().expect("a pool")
}

pub(crate) async fn open(config: &Config, schema: &str) -> PostgresStore {
    PostgresStore::builder(pool(config, 6)).schema(schema).open().await.expect("opens")
}

/// The same server through a proxy.
async fn through(proxy: &Proxy, config: &Config, schema: &str, timeout: Duration) -> PostgresStore {
    // Makes the tables, so that the time limit is for one call each.
    open(config, schema).await;
    let mut config = config.clone();
    let password = config.get_password().map(<[u8]>::to_vec);
    let (user, name) = (config.get_user().map(str::to_owned), config.get_dbname().map(str::to_owned));
    config = Config::new();
    config.host(proxy.address.ip().to_string()).port(proxy.address.port());
    user.map(|user| config.user(user));
    name.map(|name| config.dbname(name));
    password.map(|password| config.password(password));
    let store = PostgresStore::builder(pool(&config, 2)).schema(schema).timeout(timeout);
    store.open().await.expect("opens")
}

fn address(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        _ => "127.0.0.1".to_owned(),
    };
    format!("{host}:{}", config.get_ports().first().unwrap_or(&5432))
}

async fn execute(config: &Config, sql: &str) {
    let client = pool(config, 1).get().await.expect("connects");
    client.batch_execute(sql).await.expect(sql);
}

pub(crate) async fn drop_schema(config: &Config, schema: &str) {
    execute(config, &format!("drop schema if exists {schema} cascade")).await;
}

/// Reads for as long as errors say that it is worth it: the pool may not know yet which connections were cut.
async fn read_again(store: &PostgresStore, name: &str) -> Entry {
    loop {
        match store.get(&[key(name)]).await {
            Ok(mut found) => return found.remove(0).expect("there"),
            Err(error) => checked(error, Retry::After(None)),
        };
    }
}

/// Kind, retry, and that a person is told no value.
fn checked(error: Error, retry: Retry) -> Error {
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, retry), "{error}");
    assert!(!shown(&error).contains("hunter2"), "{error:?}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_postgres_store_keeps_the_contract() {
    let Some(config) = config("the_postgres_store_keeps_the_contract") else { return };
    let schemas = std::sync::Mutex::new(Vec::new());
    let make = || async {
        let schema = unique();
        schemas.lock().expect("unpoisoned").push(schema.clone());
        // Two pools, as two processes would have them.
        let (store, other) = (open(&config, &schema).await, open(&config, &schema).await);
        let config = config.clone();
        Subject::new(store).shared_with(other).reopened_by(async move || open(&config, &schema).await)
    };
    conformance::store(make).await.expect("keeps the contract");
    for schema in schemas.into_inner().expect("unpoisoned") {
        drop_schema(&config, &schema).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_encrypted_store_over_postgres_keeps_the_contract() {
    let Some(config) = config("the_encrypted_store_over_postgres_keeps_the_contract") else { return };
    let schemas = std::sync::Mutex::new(Vec::new());
    let make = || async {
        let schema = unique();
        schemas.lock().expect("unpoisoned").push(schema.clone());
        let store = EncryptedStore::new(open(&config, &schema).await, keyring());
        let config = config.clone();
        Subject::new(store).reopened_by(async move || EncryptedStore::new(open(&config, &schema).await, keyring()))
    };
    conformance::store(make).await.expect("keeps the contract");
    for schema in schemas.into_inner().expect("unpoisoned") {
        drop_schema(&config, &schema).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_processes_may_open_an_empty_database_at_once() {
    let Some(config) = config("any_number_of_processes_may_open_an_empty_database_at_once") else { return };
    let schema = unique();
    let openers: Vec<_> = (0..12)
        .map(|_| {
            let (config, schema) = (config.clone(), schema.clone());
            tokio::spawn(async move { PostgresStore::builder(pool(&config, 1)).schema(schema).open().await })
        })
        .collect();
    for (number, opener) in openers.into_iter().enumerate() {
        let store = opener.await.expect("no panic").expect("opens");
        put(&store, "last", &number.to_string()).await;
    }
    assert_eq!(read(&open(&config, &schema).await, "last").await.expect("there").value, "11");
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn two_schemas_are_two_stores() {
    let Some(config) = config("two_schemas_are_two_stores") else { return };
    let schemas = [unique(), unique()];
    let (one, two) = (open(&config, &schemas[0]).await, open(&config, &schemas[1]).await);
    put(&one, "a", "1").await;
    assert_eq!(read(&two, "a").await, None);
    for schema in schemas {
        drop_schema(&config, &schema).await;
    }
}

#[tokio::test]
async fn tables_of_a_newer_format_say_so() {
    let Some(config) = config("tables_of_a_newer_format_say_so") else { return };
    let schema = unique();
    open(&config, &schema).await;
    execute(&config, &format!("update {schema}.format set number = 99")).await;
    let error = PostgresStore::builder(pool(&config, 1)).schema(&schema).open().await.expect_err("newer");
    let error = checked(error, Retry::Never);
    assert!(error.to_string().contains("newer format than this version knows (format 99, known 1"), "{error}");
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn the_printed_statement_makes_the_same_tables_and_a_role_without_rights_can_use_them() {
    let Some(config) = config("the_printed_statement_makes_the_same_tables_and_a_role_without_rights_can_use_them")
    else {
        return;
    };
    let (schema, role) = (unique(), format!("role_{}", unique()));
    let sql = sforce::store::postgres::migrations_sql(&schema).expect("a name");
    execute(&config, &format!("create role {role} login password 'hunter2'")).await;
    let mut limited = config.clone();
    limited.user(&role).password("hunter2");

    let error = PostgresStore::builder(pool(&limited, 1)).schema(&schema).open().await.expect_err("no right");
    let error = checked(error, Retry::Never);
    assert!(error.to_string().contains("the role may not do this"), "{error}");

    // Twice, since it may be run again.
    execute(&config, &format!("{sql}{sql}")).await;
    execute(
        &config,
        &format!(
            "grant usage on schema {schema} to {role}; grant usage on sequence {schema}.versions to {role}; \
             grant select on {schema}.format to {role}; \
             grant select, insert, update, delete on {schema}.entries to {role}"
        ),
    )
    .await;
    let store = open(&limited, &schema).await;
    put(&store, "a", "1").await;
    assert_eq!(read(&open(&config, &schema).await, "a").await.expect("there").value, "1");
    drop(store);
    drop_schema(&config, &schema).await;
    execute(&config, &format!("drop role {role}")).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_worth_repeating() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).user("hunter2").password("hunter2");
    let error = PostgresStore::builder(pool(&config, 1)).open().await.expect_err("nobody there");
    let error = checked(error, Retry::After(None));
    assert!(error.to_string().contains("PostgreSQL cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let Some(mut config) = config("a_database_that_is_not_there_is_told") else { return };
    config.dbname("no_such_database");
    let error = PostgresStore::builder(pool(&config, 1)).open().await.expect_err("no such database");
    let error = checked(error, Retry::Never);
    assert!(error.to_string().contains("does not let us in (code 3D000"), "{error}");
}

#[tokio::test]
async fn a_store_that_goes_down_says_so_and_works_when_it_is_back() {
    let Some(config) = config("a_store_that_goes_down_says_so_and_works_when_it_is_back") else { return };
    let (schema, proxy) = (unique(), Proxy::start(address(&config)).await);
    let store = through(&proxy, &config, &schema, PATIENT).await;
    put(&store, "a", "1").await;
    for _ in 0..3 {
        proxy.set(Way::Cut);
        for _ in 0..3 {
            let error = checked(store.get(&[key("a")]).await.expect_err("down"), Retry::After(None));
            assert_eq!(error.effect(), Effect::None);
            let batch = Batch::new().put(key("a"), "hunter2", Expect::Any);
            let error = checked(store.commit(batch).await.expect_err("down"), Retry::After(None));
            assert_eq!(error.effect(), Effect::None, "{error}");
            checked(store.scan("", None, 1).await.expect_err("down"), Retry::After(None));
        }
        proxy.set(Way::Open);
        assert_eq!(read_again(&store, "a").await.value, "1");
    }
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_in_time_and_its_connections_with_it() {
    let Some(config) = config("a_store_that_does_not_answer_is_given_up_in_time_and_its_connections_with_it") else {
        return;
    };
    let (schema, proxy) = (unique(), Proxy::start(address(&config)).await);
    let store = through(&proxy, &config, &schema, Duration::from_millis(500)).await;
    put(&store, "a", "1").await;
    proxy.set(Way::Stalled);
    for _ in 0..3 {
        let error = checked(store.get(&[key("a")]).await.expect_err("no answer"), Retry::After(None));
        assert!(error.to_string().contains("did not answer in time (seconds 0.5"), "{error}");
    }
    proxy.set(Way::Open);
    assert_eq!(read(&store, "a").await.expect("there").value, "1");
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn a_lock_that_another_holds_is_waited_for_and_then_given_up() {
    let Some(config) = config("a_lock_that_another_holds_is_waited_for_and_then_given_up") else { return };
    let schema = unique();
    let store = open(&config, &schema).await;
    put(&store, "a", "1").await;
    let impatient = PostgresStore::builder(pool(&config, 2)).schema(&schema).timeout(Duration::from_millis(700));
    let impatient = impatient.open().await.expect("opens");

    let mut client = pool(&config, 1).get().await.expect("connects");
    let holder = client.transaction().await.expect("begun");
    holder.batch_execute(&format!("select from {schema}.entries for update")).await.expect("locked");
    let batch = || Batch::new().put(key("a"), "hunter2", Expect::Any);
    let error = checked(impatient.commit(batch()).await.expect_err("locked"), Retry::After(None));
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    assert_eq!(error.effect(), Effect::None);

    let patient = tokio::spawn(async move { store.commit(batch()).await });
    holder.rollback().await.expect("unlocked");
    assert!(patient.await.expect("no panic").expect("stored").is_applied());
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_says_that_it_may_have_happened() {
    let Some(config) = config("a_commit_whose_answer_is_lost_says_that_it_may_have_happened") else { return };
    let (schema, proxy) = (unique(), Proxy::start(address(&config)).await);
    let store = through(&proxy, &config, &schema, PATIENT).await;
    for (way, happens) in [(Way::CommitAnswerLost, true), (Way::CommitLost, false)] {
        let before = put(&store, "a", "before").await;
        proxy.set(way);
        let batch = Batch::new().put(key("a"), "hunter2", Expect::Version(before));
        let error = checked(store.commit(batch).await.expect_err("no answer"), Retry::After(None));
        assert_eq!(error.effect(), Effect::Unknown, "{way:?}: {error}");
        proxy.set(Way::Open);
        // So the caller reads again, and sees which it was.
        let now = read_again(&store, "a").await;
        assert_eq!(now.version != before, happens, "{way:?}");
    }
    drop_schema(&config, &schema).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_cut_at_any_moment_is_whole_or_not_at_all() {
    let Some(config) = config("a_commit_cut_at_any_moment_is_whole_or_not_at_all") else { return };
    let (schema, proxy) = (unique(), Proxy::start(address(&config)).await);
    let store = through(&proxy, &config, &schema, PATIENT).await;
    put(&store, "left", "0").await;
    put(&store, "right", "0").await;
    for round in 1..40_u64 {
        let value = round.to_string();
        let batch =
            Batch::new().put(key("left"), value.clone(), Expect::Any).put(key("right"), value.clone(), Expect::Any);
        let before = read_again(&store, "left").await;
        let (done, ()) = tokio::join!(store.commit(batch), async {
            // Steps of a connection are about as long.
            let _ = tokio::time::timeout(Duration::from_micros(round * 100), std::future::pending::<()>()).await;
            proxy.set(Way::Cut);
        });
        proxy.set(Way::Open);
        let (left, right) = (read_again(&store, "left").await, read_again(&store, "right").await);
        assert_eq!(left.value, right.value);
        match done {
            Ok(Commit::Applied(_)) => assert_eq!(left.value, value),
            Ok(Commit::Conflict { .. }) => panic!("nothing was expected"),
            Err(error) if error.effect() == Effect::None => assert_eq!(left, before, "{error}"),
            Err(_) => {}
        }
    }
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn tables_that_are_gone_or_of_others_are_told() {
    let Some(config) = config("tables_that_are_gone_or_of_others_are_told") else { return };
    let schema = unique();
    let store = open(&config, &schema).await;
    put(&store, "a", "1").await;
    execute(&config, &format!("alter table {schema}.entries rename column value to hunter")).await;
    let error = checked(store.get(&[key("a")]).await.expect_err("another table"), Retry::Never);
    assert!(error.to_string().contains("missing or not ours (code 42703"), "{error}");
    drop_schema(&config, &schema).await;
    let error = checked(store.get(&[key("a")]).await.expect_err("gone"), Retry::Never);
    assert!(error.to_string().contains("missing or not ours (code 42P01"), "{error}");
    open(&config, &schema).await;
    assert_eq!(read(&store, "a").await, None, "made again, it works again");
    drop_schema(&config, &schema).await;
}

#[tokio::test]
async fn a_refused_row_is_not_quoted() {
    let Some(config) = config("a_refused_row_is_not_quoted") else { return };
    let schema = unique();
    let store = open(&config, &schema).await;
    execute(&config, &format!("alter table {schema}.entries add check (length(value) < 3)")).await;
    let batch = Batch::new().put(key("a"), "hunter2", Expect::Any);
    let error = checked(store.commit(batch).await.expect_err("refused"), Retry::Never);
    // The server's detail has the row, as hexadecimal text.
    assert!(error.to_string().contains("code 23514") && !shown(&error).contains("68756e746572"), "{error:?}");
    drop_schema(&config, &schema).await;
}
