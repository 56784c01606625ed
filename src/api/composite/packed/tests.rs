use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::types::Record;

const OBJECT: SObjectName = SObjectName::from_static("Thing__c");

fn planned(records: &[Record], most: usize) -> Plan {
    plan("test", &OBJECT, records.iter().map(|record| (None, record)), None, most).expect("plans")
}

fn body(piece: &Piece) -> &[u8] {
    match &piece.what {
        What::Body(body) => body,
        What::Ids(ids) => panic!("records, not ids: {ids}"),
    }
}

fn rows(piece: &Piece) -> Vec<Json> {
    let body: Json = serde_json::from_slice(body(piece)).expect("JSON");
    assert_eq!(body["allOrNone"], false);
    body["records"].as_array().expect("records").clone()
}

#[test]
fn a_thousand_records_are_five_pieces_of_one_pack() {
    let records: Vec<Record> = (0..1000).map(|number| Record::new().with("Key__c", number.to_string())).collect();
    let plan = planned(&records, MAX_BYTES);
    assert_eq!((plan.packs.len(), plan.alone.len()), (1, 0));
    let sizes: Vec<usize> = plan.packs[0].iter().map(|piece| piece.places.len()).collect();
    assert_eq!(sizes, [200; 5]);
}

#[test]
fn gpt_22_a_batch_of_500_is_one_pack() {
    let records: Vec<Record> = (0..500).map(|number| Record::new().with("Key__c", number.to_string())).collect();
    let plan = planned(&records, MAX_BYTES);
    assert_eq!((plan.packs.len(), plan.packs[0].len(), plan.alone.len()), (1, 3, 0));
}

#[test]
fn keys_are_unique_over_all_pieces() {
    let key = FieldName::from_static("Key__c");
    let records: Vec<Record> =
        (0..300).map(|number| Record::new().with("Key__c", (number % 250).to_string())).collect();
    let rows = records.iter().map(|record| (None, record));
    let error = plan("test", &OBJECT, rows, Some(Keys::new(&key, 300)), MAX_BYTES).expect_err("a key occurs twice");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

proptest! {
    /// Any mix of records, long ones and such with texts that read like references among them: each is in one piece, at its place,
    /// and no piece or pack is larger than it may be.
    #[test]
    fn every_record_is_in_one_piece_and_no_pack_is_too_large(
        kinds in prop::collection::vec(0_u8..20, 1..=1000),
        most in 2_000_usize..40_000,
    ) {
        let records: Vec<Record> = kinds.iter().enumerate().map(|(number, kind)| {
            let text = match kind {
                0 => "x@{a.id}".to_owned(),
                1 => "y".repeat(3000),
                _ => "z".repeat(usize::from(*kind)),
            };
            Record::new().with("Number__c", i64::try_from(number).expect("small")).with("Text__c", text)
        }).collect();
        let plan = planned(&records, most);
        let mut seen = vec![0; records.len()];
        for piece in plan.packs.iter().flatten().chain(&plan.alone) {
            prop_assert!((1..=MAX_RECORDS).contains(&piece.places.len()));
            let rows = rows(piece);
            prop_assert_eq!(rows.len(), piece.places.len());
            for (place, row) in piece.places.iter().zip(rows) {
                seen[*place] += 1;
                prop_assert_eq!(row["Number__c"].as_u64(), Some(*place as u64));
                prop_assert_eq!(row["Text__c"].as_str(), records[*place].text("Text__c"));
            }
        }
        prop_assert!(seen.iter().all(|times| *times == 1));
        for pack in &plan.packs {
            prop_assert!((1..=MAX_COLLECTIONS_AND_QUERIES).contains(&pack.len()));
            let bytes: usize = pack.iter().map(|piece| piece.what.len()).sum();
            let single = pack.len() == 1 && pack[0].places.len() == 1;
            // The ends of up to five lists stand outside of the measure.
            prop_assert!(single || bytes <= most + 2 * pack.len(), "{bytes} of {most}");
            for piece in pack {
                prop_assert!(!reads_like_reference(body(piece)));
            }
        }
        let refer = records.iter().filter(|record| record.text("Text__c") == Some("x@{a.id}")).count();
        prop_assert_eq!(plan.alone.iter().map(|piece| piece.places.len()).sum::<usize>(), refer);
    }

    /// Any mix of row outcomes, of parts that were refused and of calls that failed reaches its own record.
    #[test]
    fn any_mix_of_outcomes_reaches_its_own_record(
        pieces in prop::collection::vec((1_usize..20, 0_u8..3), 1..=5),
        shuffled in any::<u64>(),
    ) {
        let total: usize = pieces.iter().map(|(rows, _)| rows).sum();
        // Places are dealt to the pieces in any order.
        let mut places: Vec<usize> = (0..total).collect();
        let mut random = fastrand::Rng::with_seed(shuffled);
        random.shuffle(&mut places);
        let mut outcomes = Outcomes::new(total);
        let mut expected = vec![0_u8; total];
        let mut places = places.into_iter();
        for (rows, fate) in &pieces {
            let piece = Piece { places: places.by_ref().take(*rows).collect(), what: What::Body(Bytes::new()) };
            for place in &piece.places {
                expected[*place] = *fate;
            }
            match fate {
                0 => {
                    // Each row tells its place by the code of its error.
                    let row = |place: &usize| {
                        let errors = vec![crate::error::ApiError::new(place.to_string(), "", vec![])];
                        let error = Error::new(ErrorKind::Invalid, "test", "").with_salesforce(errors);
                        SaveResult { id: None, created: None, error: Some(error) }
                    };
                    outcomes.put(&piece, piece.places.iter().map(row).collect());
                }
                1 => outcomes.put_error(&piece, &Error::new(ErrorKind::NotFound, "test", "").with_effect(Effect::None)),
                _ => outcomes.put_error(&piece, &Error::new(ErrorKind::Transport, "test", "").with_effect(Effect::Unknown)),
            }
        }
        match outcomes.finish("test") {
            Ok(results) => {
                prop_assert_eq!(results.len(), total);
                for (place, (result, fate)) in results.iter().zip(&expected).enumerate() {
                    let error = result.error.as_ref().expect("each has one here");
                    match fate {
                        0 => prop_assert!(error.has_code(&place.to_string())),
                        1 => prop_assert_eq!(error.kind(), ErrorKind::NotFound),
                        _ => prop_assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown)),
                    }
                }
            }
            Err(error) => {
                prop_assert!(pieces.iter().all(|(_, fate)| *fate > 0), "some were answered");
                let unknown = pieces.iter().any(|(_, fate)| *fate == 2);
                prop_assert_eq!(error.effect() == Effect::Unknown, unknown);
            }
        }
    }
}
