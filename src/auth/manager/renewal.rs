//! Carries out what the step table says: the one place that takes leases, redeems refresh tokens and stores what comes.

use std::sync::Arc;
use std::time::Duration;

use super::entry::{Lease, StoredAccess, TOKENS, TokenEntry, wipe};
use super::step::{Settle, Step, View, next_step, settle};
use super::watch::{Unchanged, Watch};
use super::{Inner, age, reauth};
use crate::auth::refresh_token::Redeemed;
use crate::auth::{AccessToken, revoke};
use crate::error::{Effect, Error, ErrorKind, ReauthReason, Result, Retry};
use crate::http::HttpService;
use crate::store::{Batch, Entry, Expect, Version};
use crate::types::Secret;

/// How long a refusal that a person has to deal with holds further tries of this process up.
const BLOCKED: Duration = Duration::from_mins(1);
/// The same for an outage, after the first failure and at most.
const FIRST_HOLD: Duration = Duration::from_millis(500);
const LONGEST_HOLD: Duration = Duration::from_secs(30);
/// How soon to ask again where another process is already renewing ahead.
const SOON: Duration = Duration::from_secs(5);

/// That many renewals in a row may each come for a token that was young.
const QUICK: u32 = 5;

/// What one renewal leaves for the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: Watch<Version>,
    /// The generation last seen, and since when.
    known: Option<(u64, Duration)>,
    /// What is still to be stored.
    pending: Option<Pending>,
    /// A task is at storing it.
    keeping: bool,
    /// Tokens that nobody will use: to be revoked.
    dropped: Vec<Secret>,
    hold: Option<Hold>,
    /// Failures in a row.
    failures: u32,
    /// Renewals in a row that came for a token that was young.
    quick: u32,
}

/// An entry that has to be stored. After a rotation it has the only refresh token that works.
#[derive(Debug)]
struct Pending {
    /// The entry with our lease.
    base: TokenEntry,
    version: Version,
    next: TokenEntry,
}

/// No tries before that time, but for a new grant.
#[derive(Clone, Debug)]
struct Hold {
    generation: u64,
    until: Duration,
    error: Error,
}

/// What became of a renewal.
enum Renewal {
    Done(Box<AccessToken>),
    /// Something has changed: look again.
    Changed,
    Failed(Error),
}

impl Inner {
    pub(super) async fn token(
        &self,
        memory: &mut Memory,
        http: &dyn HttpService,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken> {
        let started = self.clock.monotonic();
        let mut polls = Polls::default();
        loop {
            let settled = self.settle(memory, Duration::ZERO).await;
            self.revoke_dropped(memory, http).await;
            settled?;
            let (seen, unchanged) = self.look(memory).await?;
            let entry = seen.as_ref().map(|(_, entry)| entry);
            let left = entry.and_then(|entry| self.left(entry, memory));
            let due = left == Some(Duration::ZERO);
            let step = next_step(&View { entry, rejected, unchanged, holder: &self.holder, due });
            match (step, seen) {
                (Step::Stop(ReauthReason::NotConnected), None) if self.seed.is_some() => self.plant().await?,
                (Step::Stop(reason), seen) => return Err(reauth(reason, seen.as_ref().map(|(_, entry)| entry))),
                // All other steps are about an entry.
                (_, None) => return Err(reauth(ReauthReason::NotConnected, None)),
                (Step::Use, Some((_, entry))) => return self.adopt(&entry, left),
                (Step::Renew, Some((version, entry))) => {
                    let refused = rejected.is_some_and(|rejected| entry.holds(rejected));
                    let usable = due && !refused;
                    let quick = if refused { self.quick(&entry, memory) } else { Ok(memory.quick) };
                    let held = memory.held(&entry, self.clock.monotonic());
                    let renewal = match (held, &quick) {
                        (Some(error), _) => Renewal::Failed(error),
                        (None, Err(left)) => Renewal::Failed(refused_young(*left)),
                        (None, Ok(_)) => self.renew(memory, http, version, &entry, rejected).await,
                    };
                    match renewal {
                        Renewal::Done(token) => {
                            memory.quick = quick.unwrap_or_default();
                            return Ok(*token);
                        }
                        Renewal::Changed => {}
                        // The old token is not given up for a failure that passes.
                        Renewal::Failed(error) if usable && error.kind() != ErrorKind::ReauthRequired => {
                            return Ok(self.adopt(&entry, None)?.ask_again_after(LONGEST_HOLD));
                        }
                        Renewal::Failed(error) => return Err(error),
                    }
                }
                (Step::Wait, Some((_, entry))) => {
                    if self.clock.monotonic().saturating_sub(started) > self.timing.lease.saturating_mul(3) {
                        return Err(busy());
                    }
                    // Not long past the end of the lease, should its holder have gone.
                    let watched = unchanged.watched;
                    let left = entry.lease.map_or(Duration::ZERO, |lease| lease.time().saturating_sub(watched));
                    let poll = polls.next().min(self.timing.lease / 8);
                    self.clock.sleep(poll.min(left + Polls::short())).await;
                }
                (Step::Doubt, Some((version, entry))) => {
                    // Whoever is first writes it down; the others read it. While nothing can be written the holder cannot
                    // either.
                    let noted = self.write(Some(version), &entry.doubted()).await;
                    noted.inspect_err(|_| memory.seen.interrupted())?;
                }
                (Step::Pause(left), Some(_)) => return Err(paused(left)),
            }
        }
    }

    /// The entry as it is now, and how long it has been so.
    async fn look(&self, memory: &mut Memory) -> Result<(Option<(Version, TokenEntry)>, Unchanged)> {
        let asked = self.clock.monotonic();
        let seen = self.read().await.inspect_err(|_| memory.seen.interrupted())?;
        let answered = self.clock.monotonic();
        let Some((version, entry)) = &seen else {
            memory.seen.nothing();
            memory.known = None;
            return Ok((None, Unchanged::default()));
        };
        if memory.known.is_none_or(|(generation, _)| generation != entry.generation) {
            memory.known = Some((entry.generation, answered));
        }
        let unchanged = memory.seen.look(*version, asked, answered, self.timing.lease / 3);
        Ok((seen, unchanged))
    }

    /// How old the access token is, if there is one.
    fn age(&self, entry: &TokenEntry, memory: &Memory) -> Option<Duration> {
        let now = self.clock.monotonic();
        let known_for = memory.known.map_or(Duration::ZERO, |(_, since)| now.saturating_sub(since));
        Some(age(entry.access.as_ref()?.obtained_at(), self.clock.now(), known_for))
    }

    /// How long until the access token should be renewed ahead; `None` if it should not.
    fn left(&self, entry: &TokenEntry, memory: &Memory) -> Option<Duration> {
        Some(self.timing.ahead?.saturating_sub(self.age(entry, memory)?))
    }

    /// The number of renewals in a row that come for a token that was young, this one included; the time until there may be one
    /// if they are too many.
    fn quick(&self, entry: &TokenEntry, memory: &Memory) -> Result<u32, Duration> {
        let (age, interval) = (self.age(entry, memory).unwrap_or(Duration::MAX), self.timing.interval);
        match interval.checked_sub(age).filter(|left| !left.is_zero()) {
            Some(left) if memory.quick >= QUICK => Err(left),
            Some(_) => Ok(memory.quick + 1),
            // Each interval that a token has lived through makes up for one that has not.
            None => {
                let lived = age.as_nanos().checked_div(interval.as_nanos()).unwrap_or(u128::MAX);
                let rest = memory.quick.saturating_sub(u32::try_from(lived).unwrap_or(u32::MAX));
                Ok(if rest == 0 { 0 } else { rest + 1 })
            }
        }
    }

    /// The stored token, which another process or an earlier start has got.
    fn adopt(&self, entry: &TokenEntry, left: Option<Duration>) -> Result<AccessToken> {
        let access = entry.access.as_ref().ok_or_else(|| reauth(ReauthReason::NotConnected, None))?;
        let token = access.token(&self.app.host)?.adopted();
        if !entry.fits(&token) {
            return Err(another_org());
        }
        Ok(match left.filter(|_| entry.doubt.is_none()) {
            Some(left) => token.ask_again_after(left.max(SOON)),
            None => token,
        })
    }

    /// Starts the entry from the refresh token of the settings.
    async fn plant(&self) -> Result<()> {
        if let Some(seed) = &self.seed {
            // Another process may be first; then its entry is read next.
            self.write(None, &TokenEntry::granted(None, seed.clone(), None, None)).await?;
        }
        Ok(())
    }

    async fn renew(
        &self,
        memory: &mut Memory,
        http: &dyn HttpService,
        version: Version,
        entry: &TokenEntry,
        rejected: Option<&AccessToken>,
    ) -> Renewal {
        let Some(refresh_token) = entry.refresh_token.clone() else {
            return Renewal::Failed(reauth(ReauthReason::NotConnected, None));
        };
        // Before the write: the others start to count when they see it.
        let started = self.clock.monotonic();
        let base = entry.leased(Lease::new(&self.holder, self.timing.lease));
        let version = match self.take(version, &base).await {
            Ok(Some(version)) => version,
            Ok(None) => return Renewal::Changed,
            Err(error) => return Renewal::Failed(error),
        };
        let spent = self.clock.monotonic().saturating_sub(started);
        if spent >= self.timing.store() {
            // The answer may come when others have given us up, and redeem the same token.
            let error = Error::new(ErrorKind::Store, "token", "the store is too slow to renew tokens safely")
                .with_retry(Retry::After(None))
                .with_context("seconds", spent.as_secs_f32());
            memory.pending = Some(Pending { next: base.released(), base, version });
            return self.settled(memory, http, Renewal::Failed(error)).await;
        }
        let redeemed = self.app.redeem(http, &refresh_token, self.timing.request).await;
        // No await between the answer and this: whoever drops this future from here on loses nothing.
        let (next, renewal) = self.outcome(memory, &base, redeemed, rejected);
        memory.pending = Some(Pending { base, version, next });
        self.settled(memory, http, renewal).await
    }

    /// What the answer makes of the entry, and of the renewal once that is stored.
    fn outcome(
        &self,
        memory: &mut Memory,
        base: &TokenEntry,
        redeemed: Redeemed,
        rejected: Option<&AccessToken>,
    ) -> (TokenEntry, Renewal) {
        let now = self.clock.monotonic();
        let mut hold = |error: &Error, time: Duration, generation: u64| {
            memory.hold = Some(Hold { generation, until: now.saturating_add(time), error: error.clone() });
        };
        match redeemed {
            Redeemed::Granted { access, refresh, .. } if !base.fits(&access) => {
                let error = another_org();
                let next = base.renewed(refresh, base.access.clone(), None);
                hold(&error, BLOCKED, next.generation);
                memory.dropped.push(access.secret().clone());
                (next, Renewal::Failed(error))
            }
            Redeemed::Granted { access, refresh, scopes, unsure } => {
                let stored = StoredAccess::new(&access, self.clock.now());
                let next = base.renewed(refresh, Some(stored), scopes.as_ref()).of_org(access.org_id());
                let next = if unsure { next.in_doubt() } else { next };
                if rejected == Some(&*access) {
                    let error = same_token();
                    hold(&error, self.timing.interval, next.generation);
                    return (next, Renewal::Failed(error));
                }
                memory.hold = None;
                memory.failures = 0;
                let access = match self.timing.ahead {
                    // In doubt it is used to its end.
                    Some(ahead) if !unsure => Box::new(access.ask_again_after(ahead)),
                    _ => access,
                };
                (next, Renewal::Done(access))
            }
            Redeemed::Half { refresh, error } => {
                let next = base.renewed(Some(refresh), base.access.clone(), None);
                hold(&error, BLOCKED, next.generation);
                (next, Renewal::Failed(error))
            }
            Redeemed::Refused(error) => {
                let refusal = error.salesforce().first();
                let code = refusal.map(|refusal| refusal.code.clone());
                let text = refusal.map(|refusal| refusal.message.chars().take(200).collect());
                let next = base.refused(code, text);
                let reason = next.ended.as_ref().map_or(ReauthReason::Refused, super::entry::Ended::reason);
                let error = reauth(reason, Some(&next)).with_source(error);
                (next, Renewal::Failed(error))
            }
            Redeemed::Blocked(error) => {
                hold(&error, BLOCKED, base.generation);
                (base.released(), Renewal::Failed(error))
            }
            Redeemed::Later(error) => {
                let time = FIRST_HOLD.saturating_mul(1 << memory.failures.min(16)).min(LONGEST_HOLD);
                hold(&error, time, base.generation);
                memory.failures = memory.failures.saturating_add(1);
                (base.released(), Renewal::Failed(error))
            }
            Redeemed::Lost(error) => (base.doubted(), Renewal::Failed(error.with_retry(Retry::After(None)))),
        }
    }

    /// Stores what is pending; only then the renewal counts.
    async fn settled(&self, memory: &mut Memory, http: &dyn HttpService, renewal: Renewal) -> Renewal {
        let settled = self.settle_soon(memory).await;
        self.revoke_dropped(memory, http).await;
        match (settled, renewal) {
            (Ok(true), renewal) | (Ok(false), renewal @ Renewal::Failed(_)) => renewal,
            // Tokens that were overtaken are not used.
            (Ok(false), _) => Renewal::Changed,
            // Without its note a failure is no worse for the caller. What is pending is tried again next time.
            (Err(_), failed @ Renewal::Failed(_)) => failed,
            (Err(error), _) => Renewal::Failed(error),
        }
    }

    /// Stores what is pending in the background, until that is done: callers may not come again.
    pub(super) fn keep(self: &Arc<Self>, memory: &mut Memory) {
        if memory.pending.is_none() || memory.keeping {
            return;
        }
        // Without one the next caller tries.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        memory.keeping = true;
        let inner = Arc::clone(self);
        runtime.spawn(async move {
            // Often enough that whoever waits for our lease to end finds the tokens first, once the store is back.
            let often = inner.timing.lease / 8;
            for tries in 0.. {
                inner.clock.sleep(Backoff::delay(tries).min(often)).await;
                let mut memory = inner.turn.lock().await;
                memory.keeping = false;
                if inner.settle(&mut memory, Duration::ZERO).await.is_ok() {
                    return;
                }
                memory.keeping = true;
            }
        });
    }

    /// Writes what is pending, at most for as long as the rest of a lease allows.
    pub(super) async fn settle_soon(&self, memory: &mut Memory) -> Result<bool> {
        self.settle(memory, self.timing.store()).await
    }

    /// Writes what is pending for as long as it takes, at most the budget; `false` if it is of no use any more.
    async fn settle(&self, memory: &mut Memory, budget: Duration) -> Result<bool> {
        let mut backoff = Backoff::new(self.clock.monotonic(), budget);
        loop {
            let Some(pending) = &mut memory.pending else { return Ok(true) };
            let error = match self.write(Some(pending.version), &pending.next).await {
                Ok(Some(_)) => {
                    memory.pending = None;
                    return Ok(true);
                }
                Ok(None) => match self.read().await {
                    Ok(now) => {
                        let verdict = settle(now.as_ref().map(|(_, entry)| entry), &pending.base, &pending.next);
                        match (verdict, now) {
                            (Settle::Write, Some((version, _))) => {
                                pending.version = version;
                                continue;
                            }
                            (verdict, now) => {
                                if verdict == Settle::Drop {
                                    let now = now.as_ref().map(|(_, entry)| entry);
                                    memory.dropped.extend(unused(now, &pending.base, &pending.next));
                                }
                                memory.pending = None;
                                return Ok(verdict == Settle::Done);
                            }
                        }
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            match backoff.next(self.clock.monotonic()) {
                Some(delay) => self.clock.sleep(delay).await,
                None => return Err(not_kept(error, &pending.next)),
            }
        }
    }

    /// Revokes tokens that came too late: the connection was ended or made anew meanwhile, by somebody who could not know them.
    async fn revoke_dropped(&self, memory: &mut Memory, http: &dyn HttpService) {
        while let Some(token) = memory.dropped.pop() {
            // What cannot be revoked now ends with the app's policy; nobody has it any more.
            let _ = revoke(http, &self.app.host, &token).await;
        }
    }

    /// Writes the lease; its version if it is ours.
    async fn take(&self, version: Version, leased: &TokenEntry) -> Result<Option<Version>> {
        match self.write(Some(version), leased).await {
            Err(error) if error.effect() == Effect::Unknown => {
                // Written or not? Whoever reads knows.
                let now = self.read().await?;
                Ok(now.filter(|(now, entry)| *now != version && entry == leased).map(|(version, _)| version))
            }
            other => other,
        }
    }

    /// The entry as it is now.
    pub(super) async fn read(&self) -> Result<Option<(Version, TokenEntry)>> {
        let Some(entry) = self.get().await? else { return Ok(None) };
        let tokens = TOKENS.decode(&entry.value);
        wipe(entry.value);
        Ok(Some((entry.version, tokens?)))
    }

    /// What to write over, and the entry as it is now. What cannot be read, such as for a key that is lost, counts as an entry of
    /// a generation by chance, so that renewals of what it was lose against its successor.
    pub(super) async fn read_or_damaged(&self) -> Result<(Expect, Option<TokenEntry>)> {
        let damaged = || TokenEntry { generation: fastrand::u64(1 << 32..1 << 48), ..TokenEntry::default() };
        match self.get().await {
            Ok(None) => Ok((Expect::Absent, None)),
            Ok(Some(entry)) => {
                let tokens = TOKENS.decode(&entry.value).unwrap_or_else(|_| damaged());
                wipe(entry.value);
                Ok((Expect::Version(entry.version), Some(tokens)))
            }
            Err(error) if error.retry() == Retry::Never => Ok((Expect::Any, Some(damaged()))),
            Err(error) => Err(error),
        }
    }

    async fn get(&self) -> Result<Option<Entry>> {
        let mut found = self.in_time(Effect::None, self.store.get(std::slice::from_ref(&self.key))).await?;
        Ok(found.pop().flatten())
    }

    /// A store that takes that long for one call is as good as down: another try still fits into the lease.
    async fn in_time<T>(&self, effect: Effect, call: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let limit = self.timing.store();
        tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Store, "token", "the store does not answer in time")
                .with_retry(Retry::After(None))
                .with_effect(effect)
                .with_context("seconds", limit.as_secs_f32()))
        })
    }

    /// Writes over that very version, or where there is nothing; `None` if it was not that version any more.
    async fn write(&self, over: Option<Version>, entry: &TokenEntry) -> Result<Option<Version>> {
        self.put(over.map_or(Expect::Absent, Expect::Version), entry).await
    }

    pub(super) async fn put(&self, expect: Expect, entry: &TokenEntry) -> Result<Option<Version>> {
        let batch = Batch::new().put(self.key.clone(), TOKENS.encode(entry)?, expect);
        Ok(self.in_time(Effect::Unknown, self.store.commit(batch)).await?.version(0))
    }
}

impl Memory {
    /// The failure that holds up further tries.
    fn held(&mut self, entry: &TokenEntry, now: Duration) -> Option<Error> {
        let hold = self.hold.take_if(|hold| hold.generation == entry.generation && now < hold.until)?;
        let error = match hold.error.retry() {
            Retry::After(_) => hold.error.clone().with_retry(Retry::After(Some(hold.until.saturating_sub(now)))),
            _ => hold.error.clone(),
        };
        self.hold = Some(hold);
        Some(error)
    }
}

/// Delays that double, until a budget is used up.
#[derive(Debug)]
pub(super) struct Backoff {
    started: Duration,
    budget: Duration,
    tries: u32,
}

impl Backoff {
    pub(super) fn new(started: Duration, budget: Duration) -> Self {
        Self { started, budget, tries: 0 }
    }

    pub(super) fn next(&mut self, now: Duration) -> Option<Duration> {
        let delay = Self::delay(self.tries);
        self.tries += 1;
        let spent = now.saturating_sub(self.started).saturating_add(delay);
        (spent <= self.budget).then_some(delay)
    }

    fn delay(tries: u32) -> Duration {
        let full = Duration::from_millis(20).saturating_mul(1 << tries.min(16)).min(Duration::from_secs(2));
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Delays between looks at another's renewal, by chance, so that waiters do not come in step.
#[derive(Debug, Default)]
struct Polls(u32);

impl Polls {
    fn next(&mut self) -> Duration {
        let full = Duration::from_millis(20).saturating_mul(1 << self.0.min(4));
        self.0 += 1;
        full.mul_f64(0.5 + fastrand::f64())
    }

    fn short() -> Duration {
        Duration::from_millis(20).mul_f64(fastrand::f64())
    }
}

/// The refresh token of a renewal that is dropped, unless it is in use all the same.
fn unused(now: Option<&TokenEntry>, base: &TokenEntry, next: &TokenEntry) -> Option<Secret> {
    let fresh = next.refresh_token.as_ref().filter(|_| next.generation > base.generation)?;
    let used = |entry: &TokenEntry| entry.refresh_token.as_ref() == Some(fresh);
    // An old one is for whoever took it out of the entry to revoke.
    (!used(base) && !now.is_some_and(used)).then(|| fresh.clone())
}

fn another_org() -> Error {
    Error::new(ErrorKind::Auth, "token", "the tokens are those of another org than the connection's")
        .with_advice("connect the org again")
}

/// A new token that is refused like the one before, again and again.
fn refused_young(left: Duration) -> Error {
    Error::new(ErrorKind::Auth, "token", "the org refuses the access tokens that it has just given")
        .with_context("seconds_to_next", left.as_secs())
        .with_advice("see what the refused call says: a new token does not mend it")
}

fn same_token() -> Error {
    Error::new(ErrorKind::Unavailable, "token", "Salesforce has answered with the access token that it refuses")
        .with_retry(Retry::After(None))
}

fn busy() -> Error {
    Error::new(ErrorKind::Unavailable, "token", "other processes try to renew the tokens, and none succeeds")
        .with_retry(Retry::After(None))
}

fn paused(left: Duration) -> Error {
    Error::new(ErrorKind::Unavailable, "token", "a renewal was cut off, and so was the try that followed it")
        .with_retry(Retry::After(Some(left)))
        .with_context("seconds_to_wait", left.as_secs())
}

/// The store has failed for the whole budget.
fn not_kept(error: Error, next: &TokenEntry) -> Error {
    if next.refresh_token.is_none() || next.doubt.is_some() || next.lease.is_some() {
        return error;
    }
    Error::new(
        ErrorKind::Store,
        "token",
        "Salesforce has renewed the tokens and the store does not take them; they are in memory and tried again",
    )
    .with_retry(Retry::After(None))
    .with_advice("bring the store back before this process ends: the old refresh token may no longer work")
    .with_source(error)
}
