use super::super::row::{Intake, Target};
use super::*;
use crate::types::{FieldName, SObjectName};

fn intake() -> Intake {
    let key = Target::Upsert(FieldName::from_static("Key__c"));
    Intake::new(key, SObjectName::from_static("Thing__c"), Vec::new())
}

/// A row of this key and these parents.
fn row(intake: &Intake, place: u64, key: &str, parents: &[usize]) -> Row {
    let parents = parents.iter().map(|parent| intake.lock(parent)).collect();
    intake.row(place, None, &serde_json::json!({"Key__c": key, "Place": place}), parents).expect("sound")
}

fn places(batch: &Batch) -> Vec<u64> {
    batch.rows.iter().map(|row| row.place).collect()
}

#[test]
fn rows_without_parents_fill_the_fewest_calls() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..1001 {
        assert_eq!(schedule.add(row(&intake, place, &place.to_string(), &[])), None);
    }
    let full: Vec<usize> = std::iter::from_fn(|| schedule.next(false)).map(|batch| batch.rows.len()).collect();
    assert_eq!(full, [200; 5], "the last one waits for more rows");
    assert_eq!(schedule.next(true).map(|batch| batch.rows.len()), Some(1));
    assert!(schedule.next(true).is_none());
}

#[test]
fn nav_32_rows_of_one_parent_wait_for_each_other() {
    let intake = intake();
    let mut schedule = Schedule::new(2);
    for (place, parents) in [&[1][..], &[], &[1, 2], &[2], &[3]].into_iter().enumerate() {
        schedule.add(row(&intake, place as u64, &place.to_string(), parents));
    }
    let first = schedule.next(true).expect("there are rows");
    assert_eq!(places(&first), [0, 1]);
    let second = schedule.next(true).expect("rows of other parents");
    assert_eq!(places(&second), [3, 4]);
    assert!(schedule.next(true).is_none(), "row 2 has a parent in either call");
    schedule.done(&first.into_parts().1);
    assert!(schedule.next(true).is_none());
    schedule.done(&second.into_parts().1);
    assert_eq!(places(&schedule.next(true).expect("free")), [2]);
}

#[test]
fn a_call_that_is_not_full_waits_for_rows_that_will_be_free() {
    let intake = intake();
    let mut schedule = Schedule::new(2);
    for (place, parents) in [&[1][..], &[1], &[1], &[]].into_iter().enumerate() {
        schedule.add(row(&intake, place as u64, &place.to_string(), parents));
    }
    let first = schedule.next(true).expect("full");
    assert_eq!(places(&first), [0, 1]);
    assert!(schedule.next(true).is_none(), "rows 2 and 3 make one call together");
    schedule.done(&first.into_parts().1);
    assert_eq!(places(&schedule.next(true).expect("free")), [2, 3]);
}

#[test]
fn records_of_one_key_are_folded_and_two_spellings_fly_one_after_the_other() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    assert_eq!(schedule.add(row(&intake, 0, "k", &[])), None);
    assert_eq!(schedule.add(row(&intake, 1, "k", &[])), Some(0));
    assert_eq!(schedule.add(row(&intake, 2, "K", &[])), None, "the org may tell them apart");
    let first = schedule.next(true).expect("rows");
    assert_eq!(places(&first), [1]);
    assert_eq!(schedule.add(row(&intake, 3, "k", &[])), None, "one of the key is on its way");
    assert!(schedule.next(true).is_none());
    schedule.done(&first.into_parts().1);
    let second = schedule.next(true).expect("free");
    assert_eq!(places(&second), [2]);
    schedule.done(&second.into_parts().1);
    assert_eq!(places(&schedule.next(true).expect("free")), [3]);
}

#[test]
fn rows_that_come_back_go_out_later_and_in_smaller_calls() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..120 {
        schedule.add(row(&intake, place, &place.to_string(), &[]));
    }
    let second = Duration::from_secs(1);
    for (time, (sizes, calls)) in (1_u32..).zip([(120, 1), (50, 3), (10, 12), (1, 120)]) {
        let mut back = Vec::new();
        let mut sent = 0;
        while let Some(batch) = schedule.next(true) {
            assert!(batch.rows.len() <= sizes);
            sent += 1;
            let (rows, locks) = batch.into_parts();
            schedule.done(&locks);
            back.extend(rows);
        }
        assert_eq!((sent, back.len()), (calls, 120));
        let due = second * time;
        let given_up: Vec<Row> = back.into_iter().filter_map(|row| schedule.again(row, due).err()).collect();
        assert_eq!(given_up.len(), if sizes == 1 { 120 } else { 0 }, "tried in every size");
        assert!(schedule.next(true).is_none(), "not yet");
        assert_eq!(schedule.next_due(), (sizes > 1).then_some(due));
        schedule.wake(due);
    }
}

#[test]
fn a_row_that_comes_back_does_not_undo_a_newer_one() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    schedule.add(row(&intake, 0, "k", &[]));
    let (rows, locks) = schedule.next(true).expect("rows").into_parts();
    schedule.add(row(&intake, 1, "k", &[]));
    schedule.done(&locks);
    for old in rows {
        assert_eq!(schedule.again(old, Duration::ZERO).expect("kept"), Some(1), "the newer one stands for it");
    }
    let batch = schedule.next(true).expect("rows");
    assert_eq!(places(&batch), [1]);
    assert!(batch.rows[0].json.contains(r#""Place":1"#), "{:?}", batch.rows);
}

#[test]
fn calls_that_are_too_large_halve_and_grow_again() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    schedule.too_large(200);
    schedule.too_large(200);
    let mut sizes = Vec::new();
    for round in 0..30 {
        for place in 0..200 {
            let place = round * 1000 + place;
            schedule.add(row(&intake, place, &place.to_string(), &[]));
        }
        let batch = schedule.next(true).expect("rows");
        sizes.push(batch.rows.len());
        schedule.went_well();
        schedule.drain();
    }
    assert_eq!((sizes[0], sizes[19], sizes[20]), (100, 100, 200));
}

#[test]
fn a_job_takes_many_fresh_rows_and_what_it_leaves_goes_by_calls() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..1500 {
        schedule.add(row(&intake, place, &place.to_string(), &[]));
    }
    let (mut rows, locks) = schedule.next_job(false, 1000, usize::MAX).expect("as many as a job takes").into_parts();
    assert_eq!(rows.len(), 1000);
    assert!(schedule.next_job(false, 1000, usize::MAX).is_none(), "more may come");
    // A newer one of a row that is on its way waits for it, and then stands for it.
    assert_eq!(schedule.add(row(&intake, 1500, "7", &[])), None);
    assert!(schedule.next_job(true, 1000, usize::MAX).is_none(), "not full, and one is locked");
    schedule.done(&locks);
    assert_eq!(schedule.left(rows.remove(7)), Some(1500));
    for row in rows.drain(..450) {
        assert_eq!(schedule.left(row), None);
    }
    let sizes: Vec<usize> = std::iter::from_fn(|| schedule.next_back()).map(|batch| batch.rows.len()).collect();
    assert_eq!(sizes, [200, 200, 50], "at once, and not by a job");
    assert_eq!(schedule.next_job(true, 1000, usize::MAX).map(|batch| batch.rows.len()), Some(501));
    assert_eq!(schedule.len(), 0);
}

#[test]
fn a_job_has_so_many_bytes_at_most() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..10 {
        let json = serde_json::json!({"Key__c": place.to_string(), "Text": "x".repeat(1000)});
        schedule.add(intake.row(place, None, &json, Vec::new()).expect("sound"));
    }
    let mut jobs = std::iter::from_fn(|| schedule.next_job(true, 1000, 4500));
    assert_eq!(jobs.by_ref().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [4, 4, 2]);
}

#[test]
fn long_records_make_calls_of_fewer_rows() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..10 {
        let json = serde_json::json!({"Key__c": place.to_string(), "Text": "x".repeat(1 << 20)});
        schedule.add(intake.row(place, None, &json, Vec::new()).expect("sound"));
    }
    let sizes: Vec<usize> = std::iter::from_fn(|| schedule.next(true)).map(|batch| batch.rows.len()).collect();
    assert_eq!(sizes, [3, 3, 3, 1]);
}

proptest::proptest! {
    /// Rows come, calls and jobs end and fail in any order: each row goes out, and no two of those on their way share a parent or a key.
    #[test]
    fn every_row_is_in_one_call_and_no_parent_or_key_in_two(
        rows in proptest::collection::vec((0_usize..40, proptest::collection::vec(0_usize..12, 0..3)), 0..120),
        size in 1_usize..20,
        choices in proptest::collection::vec(0_usize..6, 0..400),
    ) {
        let intake = intake();
        let mut schedule = Schedule::new(size);
        let mut input = rows.iter().enumerate();
        let mut flying: Vec<(Vec<Row>, Vec<u64>)> = Vec::new();
        let mut settled = vec![0; rows.len()];
        let mut choices = choices.into_iter().chain(std::iter::repeat(0));
        let (mut more, mut steps) = (true, 0);
        while more || schedule.len() > 0 || !flying.is_empty() {
            steps += 1;
            proptest::prop_assert!(steps < 20_000, "it ends");
            let choice = choices.next().unwrap_or_default();
            if more && choice != 1 {
                match input.next() {
                    Some((place, (key, parents))) => {
                        let folded = schedule.add(row(&intake, place as u64, &key.to_string(), parents));
                        if let Some(place) = folded {
                            settled[usize::try_from(place).expect("small")] += 1;
                        }
                    }
                    None => more = false,
                }
            }
            loop {
                let (batch, most) = match choice {
                    5 => (schedule.next_job(!more, size * 5, usize::MAX), size * 5),
                    4 => (schedule.next_back(), size),
                    _ => (schedule.next(!more), size),
                };
                let Some(batch) = batch else { break };
                proptest::prop_assert!(!batch.rows.is_empty() && batch.rows.len() <= most);
                let (rows, locks) = batch.into_parts();
                for (_, others) in &flying {
                    proptest::prop_assert!(locks.iter().all(|lock| !others.contains(lock)));
                }
                flying.push((rows, locks));
            }
            if !flying.is_empty() && (choice < 4 || !more) {
                let (rows, locks) = flying.swap_remove(choice % flying.len());
                schedule.done(&locks);
                for row in rows {
                    let place = usize::try_from(row.place).expect("small");
                    let stays = match choice {
                        3 => matches!(schedule.again(row, Duration::ZERO), Ok(None)),
                        2 => schedule.left(row).is_none(),
                        _ => false,
                    };
                    settled[place] += usize::from(!stays);
                }
            }
            schedule.wake(Duration::ZERO);
        }
        proptest::prop_assert!(settled.iter().all(|count| *count == 1), "{settled:?}");
    }
}

#[test]
fn what_may_be_one_record_stays_in_order_when_the_first_comes_back() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    schedule.add(row(&intake, 0, "K", &[]));
    let first = schedule.next(true).expect("a row");
    schedule.add(row(&intake, 1, "k", &[]));
    let (rows, locks) = first.into_parts();
    schedule.done(&locks);
    let due = Duration::from_secs(1);
    for row in rows {
        assert!(matches!(schedule.again(row, due), Ok(None)));
    }
    assert!(schedule.next(true).is_none(), "the later spelling waits behind it");
    assert!(!schedule.is_any_queued(), "nothing may go before its time");
    schedule.wake(due);
    let again = schedule.next(true).expect("its time has come");
    assert_eq!(places(&again), [0]);
    assert!(schedule.next(true).is_none());
    schedule.done(&again.into_parts().1);
    assert_eq!(places(&schedule.next(true).expect("free")), [1]);
}

#[test]
fn a_later_record_takes_the_place_of_one_that_came_back() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    schedule.add(row(&intake, 0, "k", &[]));
    let (rows, locks) = schedule.next(true).expect("a row").into_parts();
    schedule.done(&locks);
    let due = Duration::from_secs(1);
    for row in rows {
        assert!(matches!(schedule.again(row, due), Ok(None)));
    }
    assert_eq!(schedule.add(row(&intake, 1, "k", &[])), Some(0));
    assert_eq!((schedule.next_due(), schedule.is_any_queued()), (Some(due), false));
    assert!(schedule.next(true).is_none());
    schedule.wake(due);
    assert_eq!(schedule.next_due(), None, "no trace of the earlier one");
    assert_eq!(places(&schedule.next(true).expect("both in one")), [1]);
}

#[test]
fn bytes_are_those_of_the_rows_that_wait_however_many_were_folded() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    for place in 0..1000 {
        schedule.add(row(&intake, place, "k", &[]));
    }
    let one = row(&intake, 999, "k", &[]).weight();
    assert_eq!((schedule.len(), schedule.bytes()), (1, one));
    schedule.next(true).expect("a row");
    assert_eq!(schedule.bytes(), 0);
    schedule.add(row(&intake, 1000, "l", &[]));
    schedule.drain();
    assert_eq!(schedule.bytes(), 0);
}

#[test]
fn where_rows_are_queued_some_may_go() {
    let intake = intake();
    let mut schedule = Schedule::new(200);
    schedule.add(row(&intake, 0, "K", &[]));
    schedule.add(row(&intake, 1, "x", &[]));
    let (rows, locks) = schedule.next(true).expect("both").into_parts();
    schedule.add(row(&intake, 2, "k", &[]));
    schedule.add(row(&intake, 3, "x", &[]));
    schedule.done(&locks);
    let folded: Vec<_> = rows.into_iter().map(|row| schedule.again(row, Duration::from_secs(1))).collect();
    assert!(matches!(folded[..], [Ok(None), Ok(Some(3))]), "{folded:?}");
    assert!(schedule.is_any_queued());
    assert_eq!(places(&schedule.next(true).expect("one that is behind none")), [3]);
    assert!(!schedule.is_any_queued());
}

#[test]
fn records_of_one_key_are_folded_only_where_no_other_spelling_came_between() {
    let intake = intake();
    let row = |place, json: serde_json::Value| intake.row(place, None, &json, Vec::new()).expect("sound");
    let rows = || {
        [
            row(0, serde_json::json!({"Key__c": "K", "A": 0})),
            row(1, serde_json::json!({"Key__c": "k", "A": 1})),
            row(2, serde_json::json!({"Key__c": "K", "B": 2})),
            row(3, serde_json::json!({"Key__c": "K", "B": 3})),
        ]
    };
    // What each of them leaves, one after the other.
    let send_all = |schedule: &mut Schedule| {
        let mut sent = Vec::new();
        while let Some(batch) = schedule.next(true) {
            sent.extend(batch.rows.iter().map(|row| (row.place, row.json.clone())));
            schedule.done(&batch.into_parts().1);
        }
        sent
    };
    let mut schedule = Schedule::new(200);
    let folded: Vec<_> = rows().into_iter().map(|row| schedule.add(row)).collect();
    assert_eq!(folded, [None, None, None, Some(2)], "the first A must not come after the second one");
    let all = [(0, r#"{"A":0,"Key__c":"K"}"#), (1, r#"{"A":1,"Key__c":"k"}"#), (3, r#"{"B":3,"Key__c":"K"}"#)];
    let all = all.map(|(place, json)| (place, json.to_owned()));
    assert_eq!(send_all(&mut schedule), all);

    // The same where the first one flies while the others come, and comes back.
    let mut rows = rows().into_iter();
    schedule.add(rows.next().expect("a row"));
    let (flying, locks) = schedule.next(true).expect("a call").into_parts();
    for row in rows {
        schedule.add(row);
    }
    assert!(schedule.next(true).is_none(), "none may pass the one on its way");
    schedule.done(&locks);
    for row in flying {
        assert!(matches!(schedule.again(row, Duration::ZERO), Ok(None)), "the next one has another spelling");
    }
    assert!(schedule.next(true).is_none(), "nor the one that came back");
    schedule.wake(Duration::ZERO);
    assert_eq!(send_all(&mut schedule), all);
    assert_eq!((schedule.len(), schedule.bytes(), schedule.mates.len()), (0, 0, 0));
}
