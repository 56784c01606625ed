//! The name that was meant.

/// The name that is closest to a wrong one, if one is close: the same but for `__c`, case and underscores, or with few letters
/// changed.
pub(super) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let bare = |name: &str| name.to_ascii_lowercase().trim_end_matches("__c").replace('_', "");
    let wanted = bare(wrong);
    let allowed = (wanted.chars().count() / 4).max(1);
    names
        .map(|name| (distance(&wanted, &bare(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters have to be put in, taken out or changed, or swapped with the next one.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let changed = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_a_stranger_does_not() {
        let names = ["Email", "LastName", "GPTWeb_AI_Score__c", "Phone"];
        for (wrong, expected) in [
            ("Phnoe", Some("Phone")),
            ("Email1", Some("Email")),
            ("Last_Name", Some("LastName")),
            ("GPTWeb_AI_Score", Some("GPTWeb_AI_Score__c")),
            ("GPTWeb_AI_Score1__c", Some("GPTWeb_AI_Score__c")),
            ("Website", None),
        ] {
            assert_eq!(nearest(wrong, names.into_iter()), expected, "{wrong}");
        }
    }
}
