use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Delimiter, LineEnding};
use super::*;
use crate::types::wire::csv::{Block, Parser};

const COLUMNS: [&str; 3] = ["Key__c", "Name", "Amount"];

/// The table of these rows.
fn joined(rows: &[[&str; 3]], keys: &[usize]) -> Joined {
    let mut file = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    let mut marks = Marks::new(keys.to_vec(), 3);
    let write = |file: &mut CsvWriter, row: &[&str; 3]| {
        file.push(&COLUMNS.iter().zip(row).collect::<BTreeMap<_, _>>()).expect("fits");
    };
    for (number, row) in (0..).zip(rows) {
        write(&mut file, row);
        marks.add(&file, number);
    }
    // Maps are in the order of their names.
    assert_eq!(file.header().collect::<Vec<_>>(), ["Amount", "Key__c", "Name"]);
    let mut joined = marks.into_joined();
    for (number, row) in (0..).zip(rows) {
        write(&mut file, row);
        joined.describe(&file, number);
    }
    joined
}

fn results(rows: &[[&str; 3]], columns: &[usize]) -> Vec<Block> {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let mut text =
        format!("\"sf__Id\",{}\n", columns.iter().map(|column| COLUMNS[*column]).collect::<Vec<_>>().join(","));
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| quoted(row[*column])).collect();
        text.extend(["\"x\",", &cells.join(","), "\n"]);
    }
    let mut blocks = Vec::new();
    let mut parser = Parser::new(Delimiter::Comma);
    parser.feed(text.as_bytes(), &mut blocks).expect("CSV");
    parser.finish(false, &mut blocks).expect("whole");
    blocks
}

fn take_all(joined: &mut Joined, blocks: &[Block]) -> Vec<Option<u32>> {
    let columns: Vec<String> = ["Amount", "Key__c", "Name"].map(str::to_owned).to_vec();
    let places = Places::of(blocks[0].header(), &columns, joined.keys()).expect("the key is there");
    blocks.iter().flat_map(Block::rows).map(|row| joined.take(row, &places)).collect()
}

/// The key is the second of the written columns.
const KEY: &[usize] = &[1];

#[test]
fn results_are_known_by_value_in_whatever_form_the_org_writes_them() {
    let sent = [
        ["912260031", "a", "1"],
        ["001dM00003kRs59", "b", "2"],
        ["2026-05-01T07:25:37Z", "c", "3"],
        ["true", "d", "4"],
        ["two\r\nlines, \"quoted\"", "e", "5"],
        ["Case", "f", "6"],
        ["case", "g", "7"],
        ["-0", "h", "8"],
    ];
    let echoed = [
        ["0.0", "h", "8.0"],
        ["case", "g", "7.0"],
        ["Case", "f", "6.0"],
        ["two\nlines, \"quoted\"", "e", "5.0"],
        ["TRUE", "d", "4.0"],
        ["2026-05-01T07:25:37.000+0000", "c", "3.0"],
        ["001dM00003kRs59QAC", "b", "2.0"],
        ["9.12260031E8", "a", "1.0"],
        ["unknown", "a", "1.0"],
    ];
    let mut joined = joined(&sent, KEY);
    let found = take_all(&mut joined, &results(&echoed, &[0, 1, 2]));
    assert_eq!(found, [Some(7), Some(6), Some(5), Some(4), Some(3), Some(2), Some(1), Some(0), None]);
    assert_eq!(joined.rest().count(), 0);
}

#[test]
fn rows_of_one_key_are_told_apart_by_the_rest_of_the_row() {
    let sent = [["k", "a", "1"], ["k", "b", "2"], ["k", "c", "3"], ["k", "b", "2"]];
    let echoed = [["k", "b", "2.0"], ["k", "c", "3.0"], ["k", "a", "1.0"], ["k", "b", "2.0"], ["k", "b", "2.0"]];
    let mut joined = joined(&sent, KEY);
    let found = take_all(&mut joined, &results(&echoed, &[2, 1, 0]));
    assert_eq!((found[1], found[2], found[4]), (Some(2), Some(0), None), "{found:?}");
    let twins = [found[0], found[3]];
    assert!(twins == [Some(1), Some(3)] || twins == [Some(3), Some(1)]);
}

#[test]
fn texts_that_look_like_one_number_are_told_apart() {
    for (first, second) in [("7", "007"), ("007", "7")] {
        let sent = [[first, "a", "1"], [second, "b", "2"]];
        let mut joined_ = joined(&sent, KEY);
        // Only the key is echoed.
        assert_eq!(take_all(&mut joined_, &results(&[[second, "", ""], [first, "", ""]], &[0])), [Some(1), Some(0)]);
        let mut joined_ = joined(&sent, KEY);
        assert_eq!(take_all(&mut joined_, &results(&[[first, "", ""], [second, "", ""]], &[0])), [Some(0), Some(1)]);
    }
}

#[test]
fn a_file_without_the_key_joins_nothing() {
    let header = Header::new(vec!["sf__Id".to_owned(), "Name".to_owned()]);
    let columns = ["Amount", "Key__c", "Name"].map(str::to_owned);
    assert!(Places::of(&header, &columns, KEY).is_none());
    assert!(Places::of(&Arc::new(Header::new(vec!["KEY__C".to_owned()])), &columns, KEY).is_some(), "case is ignored");
}

proptest! {
    #[test]
    fn every_result_reaches_a_row_that_is_like_it_and_each_row_gets_one(
        rows in prop::collection::vec(("[ab1]{0,2}", "[xy]{1,2}", 0_u8..3), 1..40),
        whole in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let texts: Vec<[String; 3]> = rows.iter().map(|(key, name, amount)| [key.clone(), name.clone(), amount.to_string()]).collect();
        let sent: Vec<[&str; 3]> = texts.iter().map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()]).collect();
        let keys: &[usize] = if whole { &[0, 1, 2] } else { KEY };
        let mut order: Vec<usize> = (0..sent.len()).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        let echoed: Vec<[&str; 3]> = order.iter().map(|place| sent[*place]).collect();
        let mut joined = joined(&sent, keys);
        let found = take_all(&mut joined, &results(&echoed, &[0, 1, 2]));
        let mut taken: Vec<usize> = Vec::new();
        for (result, found) in echoed.iter().zip(&found) {
            let row = usize::try_from(found.expect("a row is like it")).expect("a place");
            prop_assert_eq!(&sent[row], result);
            taken.push(row);
        }
        taken.sort_unstable();
        prop_assert_eq!(taken, (0..sent.len()).collect::<Vec<_>>());
        prop_assert_eq!(joined.rest().count(), 0);
    }
}
