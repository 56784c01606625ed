use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::super::ApiUsage;
use super::*;
use crate::error::{ErrorKind, Retry};
use crate::store::MemoryStore;

/// A clock that is set by hand; the one of `testing` has a feature of its own.
#[derive(Debug, Default)]
struct Hand(Mutex<Duration>);

impl Hand {
    fn set(&self, since: Duration) {
        *self.0.lock().expect("whole") = since;
    }
}

#[async_trait::async_trait]
impl Clock for Hand {
    fn now(&self) -> SystemTime {
        // 1 May 2026, seven in the morning in UTC: midnight in Los Angeles.
        SystemTime::UNIX_EPOCH + Duration::from_hours(493_783) + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("whole")
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().expect("whole") += duration;
        tokio::task::yield_now().await;
    }
}

fn budget(calls: u64) -> (ApiBudget, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    (ApiBudget::per_day(calls).clock(Arc::clone(&clock)), clock)
}

async fn take(budget: &ApiBudget, calls: u64) -> Result<()> {
    budget.take(calls, false, None).await
}

fn said(used: u64) -> OrgLimits {
    OrgLimits { api: ApiUsage { used, allowed: 15_000 }, per_app: None }
}

#[tokio::test]
async fn calls_come_back_when_their_time_is_over() {
    let (budget, clock) = budget(3);
    for left in [3, 2, 1] {
        assert_eq!(budget.left(), left);
        take(&budget, 1).await.expect("allowed");
    }
    let error = take(&budget, 1).await.expect_err("used up");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    clock.set(Duration::from_hours(23));
    assert_eq!(budget.left(), 0);
    clock.set(Duration::from_hours(25));
    assert_eq!(budget.left(), 3);
}

#[tokio::test]
async fn a_refusal_tells_why_and_when_calls_come_back() {
    let clock = Arc::new(Hand::default());
    let budget = ApiBudget::per_pacific_day(2).clock(Arc::clone(&clock));
    clock.set(Duration::from_hours(20));
    take(&budget, 2).await.expect("allowed");
    let error = take(&budget, 1).await.expect_err("used up");
    let stop = error.budget_stop().expect("ours");
    assert_eq!(stop.reason, StopReason::UsedUp { window: BudgetWindow::PacificDay, allowed: 2 });
    assert_eq!(stop.until.expect("midnight").to_string(), "2026-05-02T07:00:00.000Z");
    assert_eq!(error.retry(), Retry::After(Some(Duration::from_hours(4))));
    assert!(error.to_string().contains("comes_back 2026-05-02T07:00:00.000Z"), "{error}");
    clock.set(Duration::from_hours(24));
    take(&budget, 2).await.expect("a new day");
}

#[tokio::test]
async fn what_is_reserved_is_nobody_elses_and_comes_back_unused() {
    let (budget, _clock) = budget(10);
    let permit = budget.reserve(8).await.expect("there");
    assert_eq!(budget.reserve(3).await.expect_err("only 2 are left").kind(), ErrorKind::LimitExceeded);
    let shared = permit.clone();
    shared.take(1, false, None).await.expect("reserved");
    assert_eq!((permit.left(), budget.left()), (7, 2));
    drop((permit, shared));
    assert_eq!(budget.left(), 9, "one was made");
    let permit = budget.reserve(1).await.expect("there");
    for _ in 0..9 {
        permit.take(1, false, None).await.expect("first reserved, then of the budget");
    }
    assert_eq!(permit.take(1, false, None).await.expect_err("all used").kind(), ErrorKind::LimitExceeded);
}

#[tokio::test]
async fn several_calls_are_taken_together_or_not_at_all() {
    let (budget, _clock) = budget(10);
    let permit = budget.reserve(3).await.expect("there");
    take(&budget, 6).await.expect("7 are left");
    let refused = permit.take(5, false, None).await.expect_err("3 and 1 are left");
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    assert_eq!((permit.left(), budget.left()), (3, 1));
    permit.take(4, false, None).await.expect("3 reserved ones and the last of the budget");
    assert_eq!((permit.left(), budget.left()), (0, 0));
}

#[tokio::test]
async fn calls_are_kept_free_for_others() {
    let budget = ApiBudget::per_day(100).keep_free(1000);
    budget.take(1, false, Some(&said(13_999))).await.expect("1,001 are left");
    let error = budget.take(1, false, Some(&said(14_000))).await.expect_err("1,000 are left");
    assert_eq!(error.budget_stop().expect("ours").reason, StopReason::KeptFree);
    assert_eq!(budget.left(), 99, "the refused call was not counted");
}

#[tokio::test]
async fn a_share_is_of_what_others_leave_and_shrinks_as_they_use_more() {
    let budget = ApiBudget::unlimited().share_of_org(50);
    // Others have used 14,900: of the 100 that are left, 50 are ours.
    for ours in 0..50 {
        budget.take(1, false, Some(&said(14_900 + ours))).await.expect("our half");
    }
    let error = budget.take(1, false, Some(&said(14_950))).await.expect_err("their half");
    assert_eq!(error.budget_stop().expect("ours").reason, StopReason::ShareUsedUp);
    budget.take(1, false, Some(&said(14_940))).await.expect("others' calls have come back");
    budget.take(1, false, None).await.expect("an org that says nothing has no share");
}

#[tokio::test]
async fn pausing_stops_background_work_and_lets_people_through() {
    for shared in [false, true] {
        let (mut budget, _clock) = budget(100);
        if shared {
            budget = budget.shared(MemoryStore::default(), "c1").expect("a name");
        }
        take(&budget, 1).await.expect("before");
        budget.pause().await.expect("paused");
        let error = take(&budget, 1).await.expect_err("paused");
        assert_eq!(error.budget_stop(), Some(&BudgetStop { reason: StopReason::Paused, until: None }));
        budget.take(1, true, None).await.expect("a person waits");
        assert!(budget.report().await.expect("told").paused);
        budget.resume().await.expect("resumed");
        take(&budget, 1).await.expect("after");
    }
}

#[tokio::test]
async fn a_report_tells_each_cap_and_phase() {
    let (budget, clock) = budget(100);
    let budget = budget.and(10, BudgetWindow::PacificDay).keep_for_interactive(2).clock(Arc::clone(&clock));
    take(&budget, 3).await.expect("there");
    budget.count(Some(&"initial sync".into()), "query", 2);
    budget.count(None, "limits", 1);
    let _permit = budget.reserve(4).await.expect("there");
    let report = budget.report().await.expect("told");
    assert_eq!((report.left, report.reserved), (Some(1), 4));
    let text = report.to_string();
    assert!(text.contains("3 of 10 API calls used in the day in Pacific time, 3 left"), "{text}");
    assert!(text.contains("initial sync: 2 (query 2)"), "{text}");
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["caps"][0]["window"], "any 24 hours");
    assert_eq!(json["phases"][0]["operations"]["query"], 2);
}

#[tokio::test]
async fn a_shared_budget_fetches_calls_in_blocks_and_puts_the_rest_back() {
    let clock = Arc::new(Hand::default());
    let store = Arc::new(MemoryStore::default());
    // Whatever is set in whatever order, it stays in the store.
    let worker = || {
        let budget = ApiBudget::per_day(6_400).shared(Arc::clone(&store), "c1").expect("a name");
        budget.and(6_400, Duration::from_hours(24)).clock(Arc::clone(&clock))
    };
    let (first, second) = (worker(), worker());
    take(&first, 1).await.expect("there");
    assert_eq!(second.report().await.expect("told").caps[0].used, 100, "a block");
    for _ in 0..99 {
        take(&first, 1).await.expect("fetched");
    }
    assert_eq!(second.report().await.expect("told").caps[0].used, 100);
    take(&second, 1).await.expect("there");
    second.put_back().await.expect("put back");
    assert_eq!(first.report().await.expect("told").caps[0].used, 101);

    // What was not spent within its minute is put back by the next fetch.
    take(&first, 1).await.expect("there");
    clock.set(Duration::from_mins(2));
    take(&first, 1).await.expect("there");
    first.put_back().await.expect("put back");
    assert_eq!(second.report().await.expect("told").caps[0].used, 103);
}

#[tokio::test]
async fn a_reservation_in_a_store_holds_for_all_workers_and_comes_back() {
    let clock = Arc::new(Hand::default());
    let store = Arc::new(MemoryStore::default());
    let worker = || {
        let budget = ApiBudget::per_day(500).clock(Arc::clone(&clock));
        budget.shared(Arc::clone(&store), "c1").expect("a name")
    };
    let (first, second) = (worker(), worker());
    let permit = first.reserve(450).await.expect("there");
    assert_eq!(second.reserve(51).await.expect_err("50 are left").kind(), ErrorKind::LimitExceeded);
    for _ in 0..120 {
        permit.take(1, false, None).await.expect("reserved");
    }
    assert_eq!(permit.left(), 330);
    take(&second, 1).await.expect("one of the 50");
    second.put_back().await.expect("put back");
    permit.release().await.expect("released");
    assert_eq!((permit.left(), second.report().await.expect("told").left), (0, Some(500 - 121)));

    // A worker that dies with a reservation gives it back an hour later.
    let lost = first.reserve(300).await.expect("there");
    std::mem::forget(lost);
    assert_eq!(second.report().await.expect("told").left, Some(79));
    clock.set(Duration::from_mins(61));
    assert_eq!(second.report().await.expect("told").left, Some(379));

    // One that is only dropped is given back behind the scenes.
    drop(first.reserve(300).await.expect("there"));
    while second.report().await.expect("told").left != Some(379) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_workers_never_take_more_than_a_shared_budget_allows() {
    for allowed in [1_u64, 7, 350, 2_000] {
        let store = Arc::new(MemoryStore::default());
        let mut workers = Vec::new();
        for number in 0..8_u64 {
            let budget = ApiBudget::per_day(allowed).and(allowed + 1, Duration::from_hours(2));
            let budget = budget.clock(Hand::default()).shared(Arc::clone(&store), "c1").expect("a name");
            // Some with several tasks, some with a reservation.
            let permit = match number % 3 {
                0 => budget.reserve(allowed / 8).await.ok(),
                _ => None,
            };
            for _ in 0..3 {
                let (budget, permit) = (budget.clone(), permit.clone());
                workers.push(tokio::spawn(async move {
                    let mut made = 0;
                    loop {
                        let calls = 1 + made % 2;
                        let taken = match &permit {
                            Some(permit) => permit.take(calls, false, None).await,
                            None => budget.take(calls, false, None).await,
                        };
                        match taken {
                            Ok(()) => made += calls,
                            Err(error) if error.kind() == ErrorKind::LimitExceeded => return made,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }));
            }
        }
        let mut made = 0;
        for worker in workers {
            made += worker.await.expect("ends");
        }
        assert!(made <= allowed, "{made} of {allowed}");
        assert!(made * 10 >= allowed * 5, "and most of them are made: {made} of {allowed}");
    }
}

/// A worker of a test: its budget, and maybe calls that it has set aside.
struct Worker {
    budget: ApiBudget,
    permit: Option<Permit>,
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u32),
    Call { worker: usize, calls: u64, interactive: bool },
    Reserve { worker: usize, calls: u64 },
    Release { worker: usize },
    PutBack { worker: usize },
    Die { worker: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0..3_usize;
    prop_oneof![
        2 => (1_u32..50_000).prop_map(Step::Wait),
        8 => (worker.clone(), 1_u64..4, any::<bool>()).prop_map(|(worker, calls, interactive)| Step::Call { worker, calls, interactive }),
        1 => (worker.clone(), 1_u64..20).prop_map(|(worker, calls)| Step::Reserve { worker, calls }),
        1 => worker.clone().prop_map(|worker| Step::Release { worker }),
        1 => worker.clone().prop_map(|worker| Step::PutBack { worker }),
        1 => worker.prop_map(|worker| Step::Die { worker }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever workers do, when midnight comes and who dies: in no window are more calls made than its cap.
    #[test]
    fn no_death_and_no_midnight_lets_workers_of_a_shared_budget_make_more_calls_than_allowed(
        steps in prop::collection::vec(step(), 1..200),
        caps in (100_u64..4_000, 60_u64..3_000),
        interactive in 0_u64..30,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let made = runtime.block_on(async {
            let clock = Arc::new(Hand::default());
            let store = Arc::new(MemoryStore::default());
            let born = || {
                let budget = ApiBudget::new(caps.0, Duration::from_hours(6)).and(caps.1, BudgetWindow::PacificDay);
                let budget = budget.keep_for_interactive(interactive).clock(Arc::clone(&clock));
                Worker { budget: budget.shared(Arc::clone(&store), "c1").expect("a name"), permit: None }
            };
            let mut workers = [born(), born(), born()];
            let mut made = Vec::new();
            for step in steps {
                match step {
                    Step::Wait(seconds) => clock.set(clock.monotonic() + Duration::from_secs(seconds.into()) / 10),
                    Step::Call { worker, calls, interactive } => {
                        // In bunches, so that blocks are used up.
                        for _ in 0..40 {
                            let Worker { budget, permit } = &workers[worker];
                            let taken = match permit {
                                Some(permit) => permit.take(calls, interactive, None).await,
                                None => budget.take(calls, interactive, None).await,
                            };
                            if taken.is_ok() {
                                made.push((millis(&clock), calls));
                            }
                        }
                    }
                    Step::Reserve { worker, calls } => workers[worker].permit = workers[worker].budget.reserve(calls).await.ok(),
                    Step::Release { worker } => {
                        if let Some(permit) = workers[worker].permit.take() {
                            permit.release().await.expect("released");
                        }
                    }
                    Step::PutBack { worker } => workers[worker].budget.put_back().await.expect("put back"),
                    Step::Die { worker } => {
                        // A process that ends drops nothing.
                        std::mem::forget(workers[worker].permit.take());
                        workers[worker] = born();
                    }
                }
            }
            made
        });
        let (mut from, mut rolling, mut days) = (0, 0, HashMap::new());
        for (now, calls) in &made {
            rolling += calls;
            while made[from].0 + 6 * 3_600_000 <= *now {
                rolling -= made[from].1;
                from += 1;
            }
            prop_assert!(rolling <= caps.0, "{rolling} of {} in six hours", caps.0);
            let pacific: &mut u64 = days.entry(BudgetWindow::PacificDay.back(*now)).or_default();
            *pacific += calls;
            prop_assert!(*pacific <= caps.1, "{pacific} of {} in a Pacific day", caps.1);
        }
    }
}

#[test]
fn a_ledger_of_format_1_is_read() {
    let stored = include_bytes!("../../../tests/fixtures/store/budget-v1.json").trim_ascii_end();
    let ledger = purse::LEDGER.decode(stored).expect("read");
    assert_eq!((ledger.used(BudgetWindow::ROLLING_DAY), ledger.used(BudgetWindow::PacificDay)), (7, 4));
    assert!(ledger.reserved() == 25 && ledger.paused);
    assert_eq!(purse::LEDGER.encode(&ledger).expect("written"), stored);
}
