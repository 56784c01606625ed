//! Every order of events: processes, a store that fails or is away for longer than a lease, kills, lost answers, dropped calls, a
//! disconnect, a new consent, and a Salesforce that rotates and revokes as documented. Only the pure parts run here, as fast as a model checker needs it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::entry::{Lease, StoredAccess, TOKENS, TokenEntry};
use super::step::{Settle, Step, View, next_step, settle};
use super::watch::Watch;
use crate::auth::AccessToken;
use crate::types::Secret;

/// In seconds, as the defaults are.
const REQUEST: u64 = 30;
const LEASE: u64 = 90;
const TICK: u64 = 20;
const GAP: u64 = LEASE / 3;

/// Tokens are numbers here.
fn access(number: u32) -> AccessToken {
    AccessToken::new(format!("access-{number}"), "https://acme.my.salesforce.com").expect("a token")
}

fn refresh(number: u32) -> Secret {
    Secret::new(format!("refresh-{number}"))
}

fn number(secret: &str) -> u32 {
    secret.rsplit('-').next().and_then(|digits| digits.parse().ok()).expect("a token of the simulation")
}

fn number_of(entry: &TokenEntry) -> Option<u32> {
    let host = crate::auth::LoginHost::production();
    entry.access.as_ref().map(|stored| number(stored.token(&host).expect("ours").secret().expose()))
}

/// Salesforce: wire facts 1.3.
#[derive(Clone, Debug)]
struct Org {
    rotates: bool,
    alive: bool,
    refresh: u32,
    /// The first refresh token of the newest consent. Older ones were revoked with it.
    first: u32,
    live: BTreeSet<u32>,
    next: u32,
    /// How often each refresh token came.
    redeems: BTreeMap<u32, u32>,
    replays: u32,
}

/// The numbers of the new access token and of the refresh token that works now; `None` for `invalid_grant`.
type Answer = Option<(u32, u32)>;

impl Org {
    fn redeem(&mut self, token: u32) -> Answer {
        *self.redeems.entry(token).or_default() += 1;
        if !self.alive || token < self.first {
            return None;
        }
        if token != self.refresh {
            self.replays += 1;
            self.alive = false;
            self.live.clear();
            return None;
        }
        self.next += 1;
        if self.rotates {
            self.refresh = self.next;
        }
        self.live.insert(self.next);
        Some((self.next, self.refresh))
    }

    /// A person's new consent ends the one before.
    fn consent(&mut self) -> (u32, u32) {
        self.next += 1;
        (self.alive, self.refresh, self.first, self.replays) = (true, self.next, self.next, 0);
        self.live = BTreeSet::from([self.next]);
        (self.next, self.refresh)
    }

    fn revoke(&mut self) {
        self.alive = false;
        self.live.clear();
    }
}

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a handful of them")]
enum At {
    Idle,
    /// Has read, and writes next.
    Decided {
        version: u64,
        entry: TokenEntry,
        step: Step,
    },
    Leased {
        base: TokenEntry,
        version: u64,
        since: u64,
    },
    /// Salesforce has answered; the answer is on its way.
    Answered {
        base: TokenEntry,
        version: u64,
        since: u64,
        sent: u64,
        answer: Answer,
    },
    Pending {
        base: TokenEntry,
        version: u64,
        since: u64,
        next: TokenEntry,
        token: Option<u32>,
    },
    Stopped,
}

#[derive(Clone)]
struct Process {
    holder: String,
    at: At,
    token: Option<u32>,
    seen: Watch<u64>,
    /// Has had an answer for about as long as its lease, though the store was there.
    late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The process does its next thing.
    Go(usize),
    /// It finds its access token old, though that works.
    Ahead(usize),
    /// It dies, and starts anew.
    Kill(usize),
    /// Whoever called it drops the call in the middle.
    Drop(usize),
    /// Its request or the answer to it is lost.
    Lose(usize),
    /// The store does what it was asked, and its answer is lost.
    Unsure(usize),
    /// Seconds pass.
    Tick(u64),
    /// All access tokens end.
    Expire,
    /// The store is away, or back.
    Outage,
    Disconnect,
    Consent,
}

#[derive(Clone)]
struct World {
    now: u64,
    /// Since when the store is away.
    down: Option<u64>,
    /// Since when it is back.
    up: u64,
    version: u64,
    entry: TokenEntry,
    org: Org,
    processes: Vec<Process>,
    ever_stored: BTreeSet<u32>,
    starts: u32,
    /// A rotated refresh token was lost between Salesforce and the store, or kept from it for longer than the lease.
    cut_off: bool,
    disconnected: bool,
    /// Renewals that ended without an answer that was stored: each allows one more try.
    interruptions: u32,
}

impl World {
    fn new(processes: usize, rotates: bool) -> Self {
        let first = StoredAccess::new(&access(1), SystemTime::UNIX_EPOCH);
        let mut world = Self {
            now: 0,
            down: None,
            up: 0,
            version: 1,
            entry: TokenEntry::granted(None, refresh(0), Some(first), None),
            org: Org {
                rotates,
                alive: true,
                refresh: 0,
                first: 0,
                live: BTreeSet::new(),
                next: 1,
                redeems: BTreeMap::new(),
                replays: 0,
            },
            processes: Vec::new(),
            ever_stored: BTreeSet::from([1]),
            starts: 0,
            cut_off: false,
            disconnected: false,
            interruptions: 0,
        };
        for _ in 0..processes {
            let process = world.start();
            world.processes.push(process);
        }
        world
    }

    fn start(&mut self) -> Process {
        self.starts += 1;
        Process { holder: format!("p{}", self.starts), at: At::Idle, token: None, seen: Watch::default(), late: false }
    }

    /// What can happen now.
    fn enabled(&self) -> Vec<Event> {
        let mut events = vec![Event::Tick(TICK), Event::Tick(LEASE), Event::Outage, Event::Disconnect, Event::Consent];
        if !self.org.live.is_empty() {
            events.push(Event::Expire);
        }
        for (index, process) in self.processes.iter().enumerate() {
            match &process.at {
                At::Stopped => continue,
                At::Idle if self.works(process) => {
                    events.push(Event::Ahead(index));
                    continue;
                }
                At::Idle => {}
                At::Decided { .. } | At::Pending { .. } => events.extend([Event::Kill(index), Event::Unsure(index)]),
                At::Leased { .. } | At::Answered { .. } => {
                    events.extend([Event::Kill(index), Event::Lose(index), Event::Drop(index)]);
                }
            }
            events.push(Event::Go(index));
        }
        events
    }

    /// Writes over that version; the new one.
    fn write(&mut self, over: u64, entry: &TokenEntry) -> Option<u64> {
        if over != self.version || self.down.is_some() {
            return None;
        }
        // Through the stored form, as in life.
        self.entry = TOKENS.decode(&TOKENS.encode(entry).expect("JSON")).expect("ours");
        self.version += 1;
        self.ever_stored.extend(number_of(entry));
        Some(self.version)
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Tick(seconds) => self.pass(seconds),
            Event::Outage => match self.down.take() {
                Some(since) if since < self.now => self.up = self.now,
                Some(_) => {}
                None => self.down = Some(self.now),
            },
            Event::Drop(index) => self.drop(index),
            Event::Disconnect => {
                if self.write(self.version, &TokenEntry::disconnected(Some(&self.entry))).is_some() {
                    self.org.revoke();
                    self.disconnected = true;
                }
            }
            Event::Consent => self.consent(),
            Event::Expire => self.org.live.clear(),
            Event::Kill(index) => self.kill(index),
            Event::Lose(index) => self.lose(index),
            Event::Go(index) => self.go(index, true),
            Event::Ahead(index) => self.processes[index].at = self.look(index, true),
            Event::Unsure(index) => self.go(index, false),
        }
    }

    /// Whoever waits looks all the time.
    fn pass(&mut self, seconds: u64) {
        let (before, version, down) = (self.now, self.version, self.down.is_some());
        self.now += seconds;
        let (before, now) = (Duration::from_secs(before), Duration::from_secs(self.now));
        let waits: Vec<bool> =
            self.processes.iter().map(|process| matches!(process.at, At::Idle) && !self.works(process)).collect();
        for process in &mut self.processes {
            if let At::Pending { token: Some(_), since, .. } | At::Answered { answer: Some(_), since, .. } = process.at
            {
                process.late |= !down && self.now.saturating_sub(since.max(self.up)) + GAP >= LEASE;
            }
        }
        for (process, _) in self.processes.iter_mut().zip(waits).filter(|(_, waits)| *waits) {
            if down {
                process.seen.interrupted();
            } else {
                process.seen.look(version, before, before, Duration::from_secs(GAP));
                process.seen.look(version, now, now, Duration::MAX);
            }
        }
    }

    fn consent(&mut self) {
        if self.down.is_some() {
            return;
        }
        let (token, refresh_token) = self.org.consent();
        let stored = StoredAccess::new(&access(token), SystemTime::UNIX_EPOCH);
        let entry = TokenEntry::granted(Some(&self.entry), refresh(refresh_token), Some(stored), None);
        self.write(self.version, &entry).expect("the store is there");
        (self.disconnected, self.cut_off) = (false, false);
        for process in &mut self.processes {
            if matches!(process.at, At::Stopped) {
                process.at = At::Idle;
            }
        }
    }

    fn drop(&mut self, index: usize) {
        let at = std::mem::replace(&mut self.processes[index].at, At::Idle);
        self.interruptions += 1;
        self.cut_off |= matches!(at, At::Answered { answer: Some(_), .. }) && self.org.rotates;
    }

    fn kill(&mut self, index: usize) {
        let process = self.start();
        match std::mem::replace(&mut self.processes[index], process).at {
            At::Leased { .. } => self.interruptions += 1,
            At::Answered { answer, .. } => {
                self.interruptions += 1;
                self.cut_off |= answer.is_some() && self.org.rotates;
            }
            At::Pending { next, token, .. } => {
                self.interruptions += 1;
                self.cut_off |= token.is_some() && self.org.rotates && self.entry != next;
            }
            _ => {}
        }
    }

    fn lose(&mut self, index: usize) {
        let at = std::mem::replace(&mut self.processes[index].at, At::Idle);
        self.interruptions += 1;
        let (base, version, since) = match at {
            At::Leased { base, version, since } => (base, version, since),
            At::Answered { base, version, since, answer, .. } => {
                self.cut_off |= answer.is_some() && self.org.rotates;
                (base, version, since)
            }
            other => {
                self.processes[index].at = other;
                return;
            }
        };
        self.processes[index].at = At::Pending { next: base.doubted(), base, version, since, token: None };
    }

    /// `sure`: the store's answer arrives.
    fn go(&mut self, index: usize, sure: bool) {
        let at = std::mem::replace(&mut self.processes[index].at, At::Idle);
        let next = match at {
            At::Idle => self.look(index, false),
            At::Decided { version, entry, step } => self.act(index, version, &entry, step, sure),
            At::Leased { base, version, since } => self.send(base, version, since),
            At::Answered { sent, .. } if self.now - sent > REQUEST => {
                // It has timed out.
                self.processes[index].at = at;
                return self.lose(index);
            }
            At::Answered { base, version, since, answer, .. } => {
                let (next, token) = match answer {
                    Some((token, refresh_token)) => {
                        let stored = StoredAccess::new(&access(token), SystemTime::UNIX_EPOCH);
                        (base.renewed(Some(refresh(refresh_token)), Some(stored), None), Some(token))
                    }
                    None => (base.refused(Some("invalid_grant".into()), None), None),
                };
                At::Pending { base, version, since, next, token }
            }
            At::Pending { base, version, since, next, token } => {
                self.store(index, base, version, since, next, token, sure)
            }
            At::Stopped => At::Stopped,
        };
        self.processes[index].at = next;
    }

    fn works(&self, process: &Process) -> bool {
        process.token.is_some_and(|token| self.org.live.contains(&token))
    }

    fn look(&mut self, index: usize, due: bool) -> At {
        let now = Duration::from_secs(self.now);
        let process = &mut self.processes[index];
        if self.down.is_some() {
            process.seen.interrupted();
            return At::Idle;
        }
        let unchanged = process.seen.look(self.version, now, now, Duration::from_secs(GAP));
        let rejected = process.token.filter(|_| !due).map(access);
        let step = next_step(&View {
            entry: Some(&self.entry),
            rejected: rejected.as_ref(),
            unchanged,
            holder: &process.holder,
            due,
        });
        match step {
            Step::Use => {
                let token = number_of(&self.entry).expect("it has one");
                assert!(self.ever_stored.contains(&token), "used before it was stored");
                process.token = Some(token);
                At::Idle
            }
            Step::Wait | Step::Pause(_) => At::Idle,
            Step::Stop(reason) => {
                assert!(!self.org.alive, "a live connection was ended: {reason:?}");
                At::Stopped
            }
            Step::Renew | Step::Doubt => At::Decided { version: self.version, entry: self.entry.clone(), step },
        }
    }

    fn act(&mut self, index: usize, version: u64, entry: &TokenEntry, step: Step, sure: bool) -> At {
        if step == Step::Doubt {
            let written = self.write(version, &entry.doubted()).is_some();
            if self.down.is_some() {
                self.processes[index].seen.interrupted();
            }
            // A holder that still lives was only slow. To the others that is the same.
            let holder = entry.lease.as_ref().map(|lease| lease.holder.clone());
            let lives = self.processes.iter().any(|process| Some(&process.holder) == holder.as_ref());
            self.interruptions += u32::from(written && lives);
            return At::Idle;
        }
        let base = entry.leased(Lease::new(&self.processes[index].holder, Duration::from_secs(LEASE)));
        match self.write(version, &base) {
            // Where the answer was lost a look shows whose lease it is; here nobody can have come between.
            Some(version) if sure || self.entry == base => {
                self.processes[index].late = false;
                At::Leased { base, version, since: self.now }
            }
            _ => At::Idle,
        }
    }

    fn send(&mut self, base: TokenEntry, version: u64, since: u64) -> At {
        if self.now - since + REQUEST >= LEASE {
            return At::Pending { next: base.released(), base, version, since, token: None };
        }
        let token = number(base.refresh_token.as_ref().expect("alive").expose());
        let before = self.org.redeems.get(&token).copied().unwrap_or(0);
        if self.org.rotates && before > 0 {
            assert!(base.doubt.is_some(), "redeemed twice without a doubt");
            let used_up = number_of(&base).is_none_or(|token| !self.org.live.contains(&token));
            assert!(used_up, "in doubt, the access token is used to its end");
            assert!(before <= self.interruptions, "one more try for each interruption, and no other");
        }
        // Others who hold an answer for longer than their lease have lost their claim.
        let late = self.processes.iter().any(|other| match &other.at {
            At::Pending { token: Some(_), base: held, .. } | At::Answered { answer: Some(_), base: held, .. } => {
                held.generation == base.generation && other.late
            }
            _ => false,
        });
        self.cut_off |= late && self.org.rotates;
        let answer = self.org.redeem(token);
        assert!(self.org.replays == 0 || self.cut_off, "a replay though nothing was cut off");
        At::Answered { base, version, since, sent: self.now, answer }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one state")]
    fn store(
        &mut self,
        index: usize,
        base: TokenEntry,
        version: u64,
        since: u64,
        next: TokenEntry,
        token: Option<u32>,
        sure: bool,
    ) -> At {
        let stored = self.write(version, &next).is_some();
        // Whoever took over from one that was late may be about to send the old token.
        self.cut_off |= stored && token.is_some() && self.processes[index].late && self.org.rotates;
        if stored && sure {
            return self.stored(index, token, &next);
        }
        if stored {
            return At::Pending { base, version, since, next, token };
        }
        if self.down.is_some() {
            return At::Pending { base, version, since, next, token };
        }
        match settle(Some(&self.entry), &base, &next) {
            Settle::Write => At::Pending { base, version: self.version, since, next, token },
            Settle::Done => self.stored(index, token, &next),
            Settle::Drop => {
                let only = self.org.alive && self.org.rotates && next.refresh_token == Some(refresh(self.org.refresh));
                let kept = self.entry.refresh_token == next.refresh_token;
                assert!(token.is_none() || !only || kept, "the only token that works was dropped");
                At::Idle
            }
        }
    }

    fn stored(&mut self, index: usize, token: Option<u32>, next: &TokenEntry) -> At {
        if let Some(token) = token {
            assert!(self.ever_stored.contains(&token), "used before it was stored");
            self.processes[index].token = Some(token);
        }
        if next.ended.is_some() {
            assert!(!self.org.alive, "a live connection was ended");
            return At::Stopped;
        }
        At::Idle
    }

    /// No more faults: everyone gets a token that works, or is told.
    fn come_to_rest(&mut self) {
        if self.down.is_some() {
            self.apply(Event::Outage);
        }
        for _ in 0..300 {
            let settled = |process: &Process| match process.at {
                At::Stopped => true,
                At::Idle => self.works(process),
                _ => false,
            };
            if self.processes.iter().all(settled) {
                break;
            }
            self.apply(Event::Tick(TICK));
            for index in 0..self.processes.len() {
                if self.enabled().contains(&Event::Go(index)) {
                    self.apply(Event::Go(index));
                }
            }
        }
        if (self.cut_off || self.disconnected) && !self.org.alive {
            assert!(self.processes.iter().all(|process| matches!(process.at, At::Stopped)), "told, and no loop");
        } else {
            assert!(self.org.alive, "nothing was cut off, so nothing is lost");
            assert!(self.processes.iter().all(|process| self.works(process)), "everyone works");
        }
        if !self.org.rotates && !self.disconnected {
            assert!(self.org.alive, "without rotation no kill costs a connection");
        }
    }

    /// All that decides what can follow.
    fn key(&self) -> String {
        let text = |entry: &TokenEntry| String::from_utf8_lossy(&TOKENS.encode(entry).expect("JSON")).into_owned();
        let World { now, down, up, version, org, cut_off, disconnected, .. } = self;
        let mut key = format!("{now} {down:?} {up} {version} {} {org:?} {cut_off} {disconnected}", text(&self.entry));
        for Process { holder, at, token, seen, late } in &self.processes {
            let at = match at {
                At::Idle => "idle".to_owned(),
                At::Stopped => "stopped".to_owned(),
                At::Decided { version, entry, step } => format!("{version} {step:?} {}", text(entry)),
                At::Leased { base, version, since } => format!("leased {version} {since} {}", text(base)),
                At::Answered { base, version, since, sent, answer } => {
                    format!("answered {version} {since} {sent} {answer:?} {}", text(base))
                }
                At::Pending { base, version, since, next, .. } => {
                    format!("pending {version} {since} {} {}", text(base), text(next))
                }
            };
            // Writing to a text cannot fail.
            let _ = write!(key, " | {holder} {at} {token:?} {seen:?} {late}");
        }
        key
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_redeems_twice_uses_unstored_or_loses_tokens(
        rotates: bool,
        processes in 1..5usize,
        choices in proptest::collection::vec(any::<prop::sample::Index>(), 0..150),
    ) {
        let mut world = World::new(processes, rotates);
        for choice in choices {
            let enabled = world.enabled();
            world.apply(enabled[choice.index(enabled.len())]);
        }
        world.come_to_rest();
    }
}

/// Goes through every order of these events, that many deep; the number of states met.
fn search(depth: u32, edge: World, also: impl Fn(&Event) -> bool) -> usize {
    let (mut seen, mut edge) = (HashSet::new(), vec![edge]);
    for _ in 0..depth {
        let mut next = Vec::new();
        for world in &edge {
            for event in world.enabled().into_iter().filter(&also) {
                let mut after = world.clone();
                after.apply(event);
                if seen.insert(after.key()) {
                    after.clone().come_to_rest();
                    next.push(after);
                }
            }
        }
        edge = next;
    }
    seen.len()
}

/// Two processes that both have to renew from the start.
fn two_with_an_expired_token() -> World {
    let mut world = World::new(2, true);
    world.org.live.clear();
    for process in &mut world.processes {
        process.token = Some(1);
    }
    world
}

#[test]
fn every_order_of_events_of_two_processes_keeps_the_tokens() {
    // Time passes in steps that take leases away.
    let rare = [Event::Tick(TICK), Event::Outage, Event::Disconnect, Event::Consent];
    let drops = |event: &Event| matches!(event, Event::Drop(_));
    let states = search(9, two_with_an_expired_token(), |event| !rare.contains(event) && !drops(event));
    assert!(states > 5_000, "the search has gone somewhere: {states}");
}

#[test]
fn every_order_of_outages_dropped_calls_disconnects_and_consents_keeps_the_tokens() {
    let states = search(6, two_with_an_expired_token(), |event| *event != Event::Tick(TICK));
    assert!(states > 5_000, "the search has gone somewhere: {states}");
}

#[test]
fn a_store_that_is_away_for_longer_than_the_lease_costs_no_connection() {
    // The first has new tokens that are not stored; the second has seen its lease.
    let mut start = two_with_an_expired_token();
    for index in [0, 0, 0, 0, 1] {
        start.apply(Event::Go(index));
    }
    assert!(matches!(start.processes[0].at, At::Pending { token: Some(_), .. }));
    let among = [Event::Outage, Event::Tick(LEASE), Event::Tick(TICK), Event::Go(0), Event::Go(1)];
    let states = search(10, start, |event| among.contains(event));
    assert!(states > 1_000, "the search has gone somewhere: {states}");
}
