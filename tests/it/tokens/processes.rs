//! Several processes on one PostgreSQL, some of them killed.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use sforce::auth::{Grant, LoginHost, TokenManager};
use sforce::client::RetryPolicy;
use sforce::http::{HttpService, Request, Reqwest, Response};
use sforce::store::{PostgresStore, Store};
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, ErrorKind, ReauthReason, Result};

use super::{call, key, rotating};
use crate::stores::postgres::{config, drop_schema, open};
use crate::stores::unique;

const CHILD: &str = "SFORCE_TEST_TOKENS_CHILD";
const ROUNDS: &str = "SFORCE_TEST_TOKEN_ROUNDS";
const SEED: &str = "SFORCE_TEST_SEED";

#[expect(clippy::disallowed_methods, reason = "how a test command and a parent process tell a test what to do")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(clippy::disallowed_methods, reason = "other processes run by real time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What a child is told.
#[derive(Clone, Serialize, Deserialize)]
struct Orders {
    schema: String,
    login: String,
    client_id: String,
    client_secret: String,
    request_millis: u64,
    lease_millis: u64,
    /// Pause before a token request is sent, when the lease is taken already.
    before_millis: u64,
    /// Whether to work on and on, or as the lines of the input say.
    forever: bool,
}

impl Orders {
    fn new(org: &MockOrg, schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            login: org.base_url(),
            client_id: org.client_id(),
            client_secret: org.client_secret(),
            request_millis: 5_000,
            lease_millis: 15_000,
            before_millis: 0,
            forever: false,
        }
    }

    fn manager(&self, store: PostgresStore) -> TokenManager {
        TokenManager::builder(LoginHost::allowing_loopback(&self.login).expect("loopback"), self.client_id.clone())
            .client_secret(self.client_secret.clone())
            .store(store, key())
            .request_timeout(Duration::from_millis(self.request_millis))
            .lease_time(Duration::from_millis(self.lease_millis))
            // Tokens end here as fast as they come.
            .min_renewal_interval(Duration::ZERO)
            .build()
            .expect("a manager")
    }
}

/// Tells the parent how far a token request has come.
#[derive(Debug)]
struct Telling {
    http: Reqwest,
    before: Duration,
}

/// Tells of a request that gets no answer.
struct Asked(bool);

impl Drop for Asked {
    fn drop(&mut self) {
        println!("{}", if self.0 { "answered" } else { "lost" });
    }
}

#[async_trait::async_trait]
impl HttpService for Telling {
    async fn send(&self, request: Request) -> Result<Response> {
        if !request.url.path().ends_with("/token") {
            return self.http.send(request).await;
        }
        println!("leased");
        pause(self.before).await;
        println!("asked");
        let mut asked = Asked(false);
        let response = self.http.send(request).await;
        asked.0 = response.is_ok();
        response
    }
}

/// Not a test of its own: the other processes of the next ones.
#[tokio::test]
async fn child_that_works_until_it_is_killed() {
    let Some(orders) = variable(CHILD) else { return };
    let orders: Orders = serde_json::from_str(&orders).expect("JSON");
    let config = config("a child").expect("the parent has one");
    let manager = orders.manager(open(&config, &orders.schema).await);
    let http = Telling { http: Reqwest::new(), before: Duration::from_millis(orders.before_millis) };
    let policy = RetryPolicy::default().first_delay(Duration::from_millis(20)).max_delay(Duration::from_secs(2));
    let client = Client::builder(manager).http(http).retry(policy).build().expect("a client");
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(std::io::Result::ok) {
            // The child is at its end.
            let _ = sender.send(line);
        }
        // So is the parent.
        std::process::exit(0);
    });
    if orders.forever {
        loop {
            match call(&client).await {
                Ok(()) => println!("ok"),
                Err(error) if error.kind() == ErrorKind::ReauthRequired => {
                    println!("ended {:?}", error.reauth_reason());
                }
                Err(error) => println!("failed {error}"),
            }
            pause(Duration::from_millis(10)).await;
        }
    }
    call(&client).await.expect("connected");
    println!("ready");
    while let Some(line) = lines.recv().await {
        let count: usize = line.parse().expect("a number");
        let calls = (0..count).map(|_| call(&client));
        let failed: Vec<String> =
            join_all(calls).await.into_iter().filter_map(|done| Some(done.err()?.to_string())).collect();
        println!("done {} {}", count - failed.len(), failed.first().cloned().unwrap_or_default());
    }
}

/// A process that runs the test above, and what it has told so far.
struct Worker {
    child: Child,
    input: ChildStdin,
    told: Arc<Mutex<Vec<String>>>,
}

impl Worker {
    fn start(orders: &Orders) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("known"))
            .args(["--exact", "--nocapture", "tokens::processes::child_that_works_until_it_is_killed"])
            .env(CHILD, serde_json::to_string(orders).expect("JSON"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("runs");
        let told = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let writer = Arc::clone(&told);
        std::thread::spawn(move || {
            for line in lines.map_while(std::io::Result::ok) {
                writer.lock().expect("unpoisoned").push(line);
            }
        });
        let input = child.stdin.take().expect("piped");
        Self { child, input, told }
    }

    fn count(&self, word: &str) -> usize {
        self.told.lock().expect("unpoisoned").iter().filter(|line| line.starts_with(word)).count()
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("unpoisoned").clone()
    }

    async fn wait_for(&self, word: &str, times: usize) {
        for _ in 0..15_000 {
            if self.count(word) >= times {
                return;
            }
            pause(Duration::from_millis(2)).await;
        }
        panic!("no {times} times {word}: {:?}", self.told());
    }

    fn kill(&mut self) {
        // SIGKILL on Unix. It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_with_a_thousand_requests_redeem_one_refresh_token() {
    let Some(config) = config("four_processes_with_a_thousand_requests_redeem_one_refresh_token") else { return };
    let (org, schema) = (rotating(), unique());
    let orders = Orders::new(&org, &schema);
    let manager = orders.manager(open(&config, &schema).await);
    manager.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let mut workers: Vec<Worker> = (0..4).map(|_| Worker::start(&orders)).collect();
    for worker in &workers {
        worker.wait_for("ready", 1).await;
    }
    assert_eq!(org.grant_requests("refresh_token"), 1, "the first token, for all of them");
    for round in 1..=3 {
        org.expire_access_tokens();
        for worker in &mut workers {
            writeln!(worker.input, "250").expect("it listens");
        }
        for worker in &workers {
            worker.wait_for("done", round).await;
        }
        assert_eq!(org.grant_requests("refresh_token"), 1 + round);
    }
    for worker in &workers {
        assert_eq!(worker.count("done 250"), 3, "no request fails: {:?}", worker.told());
    }
    assert_eq!(org.refresh_token_replays(), 0);
    drop(workers);
    drop_schema(&config, &schema).await;
}

/// What of the entry the test looks at; it is JSON.
async fn stored(store: &PostgresStore) -> (u64, bool) {
    let entry = store.get(&[key()]).await.expect("read").remove(0).expect("there");
    let json: serde_json::Value = serde_json::from_slice(&entry.value).expect("JSON");
    (json["body"]["generation"].as_u64().expect("a number"), json["body"]["ended"].is_object())
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// Any process, at any time.
    Any { after_millis: u64 },
    /// The one that has taken the lease, from then on.
    Leased { after_millis: u64 },
    /// The one that has sent the refresh token, from then on.
    Asked { after_millis: u64 },
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_killed_at_random_lose_a_connection_only_between_rotation_and_store() {
    let Some(config) = config("processes_killed_at_random_lose_a_connection_only_between_rotation_and_store") else {
        return;
    };
    let rounds: usize = variable(ROUNDS).map_or(200, |text| text.parse().expect("a number"));
    let seed: u64 = variable(SEED).map_or(20_260_127, |text| text.parse().expect("a number"));
    println!("{rounds} rounds, seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (org, schema) = (rotating(), unique());
    // Salesforce rotates at once and answers later, so that there is a window to be killed in.
    org.faults().on(Operation::Token).delay(Duration::from_millis(20)).always();
    let orders = Orders {
        request_millis: 600,
        lease_millis: 1_200,
        before_millis: 10,
        forever: true,
        ..Orders::new(&org, &schema)
    };
    let store = open(&config, &schema).await;
    let manager = orders.manager(store.clone());
    manager.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let mut workers: Vec<Worker> = (0..8).map(|_| Worker::start(&orders)).collect();
    for worker in &workers {
        worker.wait_for("ok", 1).await;
    }
    let (mut kills, mut holders, mut spared, mut cut_off) = (0, 0, 0, 0);
    for round in 1..=rounds {
        let kill = match random.u32(0..100) {
            0..8 => Some(Kill::Any { after_millis: random.u64(0..80) }),
            8..10 => Some(Kill::Leased { after_millis: random.u64(0..8) }),
            10..13 => Some(Kill::Asked { after_millis: random.u64(0..30) }),
            _ => None,
        };
        let told = |workers: &[Worker], word: &str| workers.iter().map(|one| one.count(word)).collect::<Vec<_>>();
        let (generation, _) = stored(&store).await;
        let (leased, asked, lost) = (told(&workers, "leased"), told(&workers, "asked"), told(&workers, "lost"));
        let (requests, replays) = (org.grant_requests("refresh_token"), org.refresh_token_replays());
        org.expire_access_tokens();
        let (mut victim_asked, mut arrived) = (false, 0);
        if let Some(kill) = kill {
            let victim = strike(&mut workers, kill, &leased, &asked, &mut random).await;
            // What the pipe still held is told too.
            pause(Duration::from_millis(10)).await;
            victim_asked = workers[victim].count("asked") > asked[victim];
            // Nobody else asks while the lease of the dead one lasts.
            arrived = org.grant_requests("refresh_token") - requests;
            kills += 1;
            spared += usize::from(arrived == 0);
            holders += usize::from(workers[victim].count("leased") > leased[victim]);
        }
        let mut now = stored(&store).await;
        for _ in 0..2_000 {
            if now.0 > generation {
                break;
            }
            pause(Duration::from_millis(3)).await;
            now = stored(&store).await;
        }
        assert!(now.0 > generation, "round {round}, {kill:?}: nothing came of it");
        let requests = org.grant_requests("refresh_token") - requests;
        let replays = org.refresh_token_replays() - replays;
        // A machine under load may take longer than the time limit, which is an answer lost as well.
        let timed_out = told(&workers, "lost").iter().zip(&lost).map(|(now, before)| now - before).sum::<usize>();
        let case = format!("round {round}, {kill:?}, {requests} requests, {replays} replays, {timed_out} timed out");
        assert!(requests <= 1 + usize::from(kill.is_some()) + timed_out, "{case}");
        if now.1 {
            assert!(victim_asked || timed_out > 0, "{case}: ended though nothing was cut off");
            assert!(
                arrived > 0 || timed_out > 0,
                "{case}: ended though the org had not seen the token when the process died"
            );
            assert_eq!(replays, 1, "{case}: the one more try");
            let ended = manager.state().await.expect("read");
            assert_eq!(ended, sforce::auth::TokenState::Ended(ReauthReason::Interrupted), "{case}");
            cut_off += 1;
            let consent = org.approve(&org.client_id(), &org.user_id(), "api refresh_token");
            manager.connect(&Grant::new(consent)).await.expect("stored");
        } else {
            assert_eq!(replays, 0, "{case}");
        }
        for worker in &mut workers {
            if worker.child.try_wait().expect("known").is_some() {
                *worker = Worker::start(&orders);
            }
        }
        for (worker, before) in workers.iter().zip(told(&workers, "ok")) {
            worker.wait_for("ok", before + 1).await;
        }
    }
    println!(
        "{kills} kills, {holders} of them renewing, {spared} before the org saw the token, {cut_off} between rotation and store"
    );
    assert!(spared > 0 && holders > rounds / 50 && cut_off > 0 && cut_off < holders, "all kinds were met");
    org.expire_access_tokens();
    for worker in &workers {
        let ok = worker.count("ok");
        worker.wait_for("ok", ok + 3).await;
        assert_eq!(worker.count("failed"), 0, "{:?}", worker.told());
    }
    drop(workers);
    drop_schema(&config, &schema).await;
}

/// Kills one, and says which.
async fn strike(
    workers: &mut [Worker],
    kill: Kill,
    leased: &[usize],
    asked: &[usize],
    random: &mut fastrand::Rng,
) -> usize {
    let (word, before, after) = match kill {
        Kill::Any { after_millis } => {
            pause(Duration::from_millis(after_millis)).await;
            let victim = random.usize(0..workers.len());
            workers[victim].kill();
            return victim;
        }
        Kill::Leased { after_millis } => ("leased", leased, after_millis),
        Kill::Asked { after_millis } => ("asked", asked, after_millis),
    };
    for _ in 0..5_000 {
        let victim = workers.iter().zip(before).position(|(worker, before)| worker.count(word) > *before);
        if let Some(victim) = victim {
            pause(Duration::from_millis(after)).await;
            workers[victim].kill();
            return victim;
        }
        pause(Duration::from_millis(1)).await;
    }
    panic!("nobody has {word}");
}
