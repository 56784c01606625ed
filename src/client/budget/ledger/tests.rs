use std::time::Duration;

use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;
/// 1 March 2026, midnight in UTC.
const START: i64 = 1_772_323_200_000;

const ANYBODY: Who = Who { interactive: false, reservation: None };
const PERSON: Who = Who { interactive: true, reservation: None };

fn rules(caps: &[(BudgetWindow, u64)]) -> Rules {
    Rules { caps: caps.to_vec(), ..Rules::default() }
}

fn day(calls: u64) -> Rules {
    rules(&[(BudgetWindow::ROLLING_DAY, calls)])
}

/// Takes calls at a time, as a keeper does.
fn take(ledger: &mut Ledger, rules: &Rules, now: i64, calls: u64) -> Result<(), Refusal> {
    ledger.settle(rules, now);
    ledger.take(rules, now, calls, ANYBODY)
}

#[test]
fn of_several_caps_all_hold_and_the_one_that_keeps_calls_away_longest_is_named() {
    let rules = rules(&[(BudgetWindow::PacificDay, 10), (Duration::from_mins(1).into(), 4)]);
    let mut ledger = Ledger::default();
    take(&mut ledger, &rules, START, 4).expect("there");
    let refusal = take(&mut ledger, &rules, START, 1).expect_err("four a minute");
    assert_eq!(refusal.until, Some(START + 61_250));
    take(&mut ledger, &rules, START + 2 * 60_000, 4).expect("there");
    let refusal = take(&mut ledger, &rules, START + 2 * 60_000, 3).expect_err("both caps");
    // 28 February there: the day ends at 8:00 UTC.
    assert_eq!((refusal.left, refusal.until), (0, Some(START + 8 * HOUR)));
    assert!(matches!(refusal.reason, StopReason::UsedUp { window: BudgetWindow::PacificDay, allowed: 10 }));
    take(&mut ledger, &rules, START + 8 * HOUR, 4).expect("a new day");
}

#[test]
fn what_never_fits_names_no_time() {
    let mut ledger = Ledger::default();
    take(&mut ledger, &day(5), START, 3).expect("there");
    let refusal = take(&mut ledger, &day(5), START, 6).expect_err("more than the cap");
    assert_eq!((refusal.left, refusal.until), (2, None));
}

#[test]
fn the_last_calls_are_kept_for_those_who_wait_for_them() {
    let rules = Rules { interactive: 3, ..day(10) };
    let mut ledger = Ledger::default();
    take(&mut ledger, &rules, START, 7).expect("there");
    let refusal = take(&mut ledger, &rules, START, 1).expect_err("three are kept");
    assert_eq!(refusal.reason, StopReason::KeptForInteractive);
    ledger.take(&rules, START, 3, PERSON).expect("for them");
    assert!(ledger.take(&rules, START, 1, PERSON).is_err());
    ledger.paused = true;
    ledger.settle(&rules, START + 25 * HOUR);
    assert_eq!(ledger.check(&rules, 1, ANYBODY).expect_err("paused").reason, StopReason::Paused);
    ledger.take(&rules, START + 25 * HOUR, 1, PERSON).expect("people go on");
}

#[test]
fn a_reservation_is_used_first_and_ends_with_its_time() {
    let rules = day(10);
    let mut ledger = Ledger::default();
    ledger.reserve(&rules, 6, ANYBODY, 1, START + HOUR).expect("there");
    let job = Who { reservation: Some(1), ..ANYBODY };
    assert!(take(&mut ledger, &rules, START, 5).is_err(), "four are left to others");
    ledger.take(&rules, START, 8, job).expect("six and two of all");
    assert_eq!((ledger.reservation(job), ledger.left(&rules, ANYBODY)), (0, 2));
    ledger.reserve(&rules, 2, ANYBODY, 2, START + HOUR).expect("there");
    ledger.settle(&rules, START + HOUR);
    assert_eq!((ledger.reserved(), ledger.left(&rules, ANYBODY)), (0, 2), "whoever held it has died");
}

#[test]
fn a_clock_set_back_keeps_calls_away_for_one_window_at_most_and_frees_none_at_once() {
    for window in [BudgetWindow::ROLLING_DAY, BudgetWindow::PacificDay, Duration::from_mins(10).into()] {
        let rules = rules(&[(window, 10)]);
        let mut ledger = Ledger::default();
        take(&mut ledger, &rules, START + 9_000 * HOUR, 10).expect("by a clock that was wrong");
        assert!(take(&mut ledger, &rules, START, 1).is_err(), "{window}: made all the same");
        take(&mut ledger, &rules, START + 26 * HOUR, 10).expect("a window later");
    }
}

#[test]
fn a_ledger_is_kept_as_text_and_reads_what_other_versions_leave_out() {
    let rules = rules(&[(BudgetWindow::PacificDay, 10), (BudgetWindow::ROLLING_DAY, 10)]);
    let mut ledger = Ledger::default();
    take(&mut ledger, &rules, START, 4).expect("there");
    ledger.reserve(&rules, 2, ANYBODY, u64::MAX, START + HOUR).expect("there");
    let text = serde_json::to_string(&ledger).expect("text");
    assert_eq!(serde_json::from_str::<Ledger>(&text).expect("a ledger"), ledger);
    assert_eq!(serde_json::from_str::<Ledger>("{}").expect("a ledger"), Ledger::default());
}

proptest! {
    /// At no moment more calls lie in a window than its cap, whatever is taken when, and what a refusal says is true.
    #[test]
    fn no_order_of_calls_exceeds_a_cap_and_a_refusal_tells_when_they_fit(
        steps in prop::collection::vec((0_i64..7_200_000, 1_u64..9), 1..120),
        caps in prop::collection::vec((0_usize..3, 5_u64..40), 1..4),
        interactive in 0_u64..4,
    ) {
        let windows = [BudgetWindow::ROLLING_DAY, BudgetWindow::PacificDay, BudgetWindow::Rolling(Duration::from_hours(2))];
        let caps: Vec<_> = caps.into_iter().map(|(window, calls)| (windows[window], calls)).collect();
        let rules = Rules { caps: caps.clone(), interactive, ..Rules::default() };
        let (mut ledger, mut made, mut now) = (Ledger::default(), Vec::new(), START);
        for (later, calls) in steps {
            now += later;
            match take(&mut ledger, &rules, now, calls) {
                Ok(()) => made.push((now, calls)),
                Err(Refusal { until: Some(until), .. }) => {
                    prop_assert!(until > now);
                    let mut then = ledger.clone();
                    prop_assert!(take(&mut then, &rules, until, calls).is_ok());
                    let mut before = ledger.clone();
                    prop_assert!(take(&mut before, &rules, until - 1, calls).is_err());
                }
                Err(_) => {}
            }
            for (window, allowed) in &caps {
                let inside = |then: i64| match window {
                    BudgetWindow::Rolling(length) => now - then < i64::try_from(length.as_millis()).unwrap(),
                    BudgetWindow::PacificDay => window.back(then) == window.back(now),
                };
                let used: u64 = made.iter().filter(|(then, _)| inside(*then)).map(|(_, calls)| calls).sum();
                prop_assert!(used + interactive <= (*allowed).max(interactive), "{used} of {allowed} in {window}");
            }
        }
    }
}
