//! How rows are cut into calls, and what a call's outcome means for its rows. Pure.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::api::MAX_RECORDS;
use crate::error::{Error, ErrorKind, Retry};

/// Rows per call in the first round and in each further one for rows that met a lock: fewer rows, fewer neighbours to
/// lock each other.
const ROUNDS: [usize; 4] = [MAX_RECORDS, 50, 10, 1];

/// Rows per call in a round; `None` when there is no further one.
pub(crate) fn batch_size(round: usize) -> Option<usize> {
    ROUNDS.get(round).copied()
}

/// Cuts rows into calls of at most `size`, as few as can be, so that rows of one parent are never in flight together: calls
/// of a lane are sent one after the other, lanes at the same time, and no parent is in two lanes.
pub(super) fn lanes<T, P: Hash + Eq>(rows: Vec<T>, size: usize, parents: impl Fn(&T) -> &[P]) -> Vec<Vec<Vec<T>>> {
    let size = size.max(1);
    let mut families = families(rows, parents);
    // The largest first, each into the first call with room: close to the fewest calls.
    families.sort_by_key(|family| std::cmp::Reverse(family.len()));
    let mut lanes: Vec<Vec<Vec<T>>> = Vec::new();
    for family in families {
        let mut open = lanes.iter_mut().filter_map(|lane| lane.last_mut());
        if let Some(call) = open.find(|call| call.len() + family.len() <= size) {
            call.extend(family);
            continue;
        }
        let mut lane: Vec<Vec<T>> = Vec::with_capacity(family.len().div_ceil(size));
        for row in family {
            match lane.last_mut() {
                Some(call) if call.len() < size => call.push(row),
                _ => lane.push(vec![row]),
            }
        }
        lanes.push(lane);
    }
    lanes
}

/// Groups rows that share a parent, directly or through others. Rows without parents stand alone.
fn families<T, P: Hash + Eq>(rows: Vec<T>, parents: impl Fn(&T) -> &[P]) -> Vec<Vec<T>> {
    let mut leader: Vec<usize> = (0..rows.len()).collect();
    let mut first_of: HashMap<&P, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        for parent in parents(row) {
            let other = *first_of.entry(parent).or_insert(index);
            let (one, other) = (find(&mut leader, index), find(&mut leader, other));
            leader[one.max(other)] = one.min(other);
        }
    }
    let mut families: Vec<Vec<T>> = Vec::new();
    let mut place_of: HashMap<usize, usize> = HashMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        let place = *place_of.entry(find(&mut leader, index)).or_insert(families.len());
        if place == families.len() {
            families.push(Vec::new());
        }
        families[place].push(row);
    }
    families
}

/// The leader of a row's family, with the way to it made shorter.
fn find(leader: &mut [usize], mut index: usize) -> usize {
    while leader[index] != index {
        leader[index] = leader[leader[index]];
        index = leader[index];
    }
    index
}

/// How long to wait before a round, given a number from 0 to 1 by chance.
pub(crate) fn pause_before(round: usize, chance: f64) -> Duration {
    let full = Duration::from_secs(1 << round.min(4));
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// Whether a refused row may succeed later as it is.
pub(super) fn may_pass(error: &Error) -> bool {
    // Another writer created the record between our read and our write: now it is there to be updated.
    matches!(error.retry(), Retry::After(_)) || error.has_code("DUPLICATE_VALUE")
}

/// Whether the failure of a whole call tells that further calls would fail as well, whatever their rows.
pub(super) fn ends_the_run(error: &Error) -> bool {
    use ErrorKind::{Auth, Config, Forbidden, LimitExceeded, NotFound, Schema};
    matches!(error.kind(), Auth | Config | Forbidden | LimitExceeded | NotFound | Schema)
}

/// Whether the failure of a whole call is for a reason that passes.
pub(super) fn is_outage(error: &Error) -> bool {
    use ErrorKind::{Decode, RateLimited, RowLocked, Transport, Unavailable};
    matches!(error.kind(), Decode | RateLimited | RowLocked | Transport | Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::RecordId;

    fn id(number: usize) -> RecordId {
        RecordId::new(&format!("003{number:012}")).expect("an id")
    }

    /// The rows' numbers, cut into lanes of calls.
    fn cut(rows: &[&[usize]], size: usize) -> Vec<Vec<Vec<usize>>> {
        let parents = |row: &&[usize]| row.iter().map(|parent| id(*parent)).collect();
        let rows: Vec<(usize, Vec<RecordId>)> = rows.iter().map(parents).enumerate().collect();
        let number = |call: Vec<(usize, Vec<RecordId>)>| call.into_iter().map(|(row, _)| row).collect();
        lanes(rows, size, |(_, parents)| parents)
            .into_iter()
            .map(|lane| lane.into_iter().map(number).collect())
            .collect()
    }

    #[test]
    fn nav_32_rows_of_one_parent_are_never_in_two_lanes() {
        // Row 0 and 2 share parent 1, row 2 and 3 share parent 2: one family, too large for one call.
        assert_eq!(cut(&[&[1], &[], &[1, 2], &[2]], 2), [vec![vec![0, 2], vec![3, 1]]]);
        assert_eq!(cut(&[&[1], &[2], &[3]], 2), [vec![vec![0, 1]], vec![vec![2]]]);
    }

    #[test]
    fn rows_without_parents_fill_the_fewest_calls() {
        let rows: Vec<&[usize]> = vec![&[]; 1000];
        let lanes = cut(&rows, 200);
        assert_eq!(lanes.len(), 5);
        assert!(lanes.iter().all(|lane| lane.len() == 1 && lane[0].len() == 200));
    }

    proptest::proptest! {
        #[test]
        fn every_row_is_in_one_call_and_no_parent_in_two_lanes(
            rows in proptest::collection::vec(proptest::collection::vec(0_usize..30, 0..4), 0..120),
            size in 1_usize..20,
        ) {
            let slices: Vec<&[usize]> = rows.iter().map(Vec::as_slice).collect();
            let lanes = cut(&slices, size);
            let mut seen = vec![0; rows.len()];
            let mut lane_of: HashMap<usize, usize> = HashMap::new();
            for (lane, calls) in lanes.iter().enumerate() {
                for call in calls {
                    proptest::prop_assert!(!call.is_empty() && call.len() <= size);
                    for row in call {
                        seen[*row] += 1;
                        for parent in &rows[*row] {
                            proptest::prop_assert_eq!(*lane_of.entry(*parent).or_insert(lane), lane);
                        }
                    }
                }
            }
            proptest::prop_assert!(seen.iter().all(|count| *count == 1));
        }
    }

    #[test]
    fn rounds_get_smaller_and_end() {
        let sizes: Vec<usize> = (0..).map_while(batch_size).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] > pair[1]) && sizes.last() == Some(&1), "{sizes:?}");
        assert!(pause_before(1, 0.0) < pause_before(2, 0.0));
    }
}
