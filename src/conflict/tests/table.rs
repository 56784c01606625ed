//! Every policy over every combination of base, source, remote and stamps. The grids are written from the definition of the
//! policies, not from what the engine does.

use super::*;
use crate::types::RecordId;

/// What is expected of a field: `-` nothing, `>` the source's value goes to Salesforce, `<` Salesforce's to the source, `?` a
/// question, `x` the base's value goes back to both, `+` something of both goes to both. `t` goes to the younger side's loser,
/// `o` to the older one's.
///
/// First grid, without base: rows are the source absent, null, `A`; columns the remote absent, null, `B`.
/// Second grid, with base `X`: rows are the source absent, null, `X`, `A`; columns the remote absent, null, `X`, `B`.
///
/// `rules` has the same two grids for what decides: `=` equal values, `1` an edit on one side only, `n` a field that is not known,
/// `p` the policy, `t` the one it falls to.
struct Row {
    policy: &'static str,
    values: [&'static str; 3],
    no_base: [&'static str; 3],
    base: [&'static str; 4],
    rules: Rules,
}

type Rules = ([&'static str; 3], [&'static str; 4]);

/// Of the policies that decide conflicts.
const IN_CONFLICT: Rules = (["-11", "1=p", "1pp"], ["n1n1", "1=1p", "n1=1", "1p1p"]);
/// Of those that always apply.
const ALWAYS: Rules = (["-11", "1=p", "1pp"], ["n1n1", "1=pp", "np=p", "1ppp"]);
const NEVER: Rules = (["-pp", "ppp", "ppp"], ["pppp", "pppp", "pppp", "pppp"]);
const FILL_BLANKS: Rules = (["-pp", "p=p", "ppp"], ["nppp", "p=pp", "pp=p", "pppp"]);
/// Two values fall to the other policy, where both sides changed.
const BEATS_BLANK: Rules = (["-11", "1=p", "1pt"], ["n1n1", "1=pp", "np=1", "1p1t"]);

const TEXTS: [&str; 3] = ["\"x\"", "\"a\"", "\"b\""];
/// X < A < B.
const NUMBERS: [&str; 3] = ["5", "7", "9"];

const fn row(policy: &'static str, no_base: [&'static str; 3], base: [&'static str; 4]) -> Row {
    Row { policy, values: TEXTS, no_base, base, rules: IN_CONFLICT }
}

const fn always(policy: &'static str, no_base: [&'static str; 3], base: [&'static str; 4], rules: Rules) -> Row {
    Row { policy, values: TEXTS, no_base, base, rules }
}

const fn numbers(policy: &'static str, no_base: [&'static str; 3], base: [&'static str; 4]) -> Row {
    Row { policy, values: NUMBERS, no_base, base, rules: ALWAYS }
}

const TABLE: &[Row] = &[
    row("\"salesforce_wins\"", ["-<<", ">-<", "><<"], ["-<-<", ">-><", "-<-<", "><><"]),
    row("\"source_wins\"", ["-<<", ">->", ">>>"], ["-<-<", ">->>", "-<-<", ">>>>"]),
    row("\"most_recent\"", ["-<<", ">-t", ">tt"], ["-<-<", ">->t", "-<-<", ">t>t"]),
    row("\"salesforce_unless_blank\"", ["-<<", ">-<", ">><"], ["-<-<", ">-><", "-<-<", ">>><"]),
    row("\"source_unless_blank\"", ["-<<", ">-<", ">>>"], ["-<-<", ">-><", "-<-<", ">>>>"]),
    row(
        r#"{"name":"source_ranking","ranking":["source","salesforce"]}"#,
        ["-<<", ">->", ">>>"],
        ["-<-<", ">->>", "-<-<", ">>>>"],
    ),
    row(r#"{"name":"source_ranking","ranking":["billing"]}"#, ["-<<", ">-t", ">tt"], ["-<-<", ">->t", "-<-<", ">t>t"]),
    row("\"ask\"", ["-<<", ">-?", ">??"], ["-<-<", ">->?", "-<-<", ">?>?"]),
    // Without a function, custom asks.
    row("\"custom\"", ["-<<", ">-?", ">??"], ["-<-<", ">->?", "-<-<", ">?>?"]),
    always("\"never\"", ["---", "---", "---"], ["----", "----", "----", "----"], NEVER),
    always("\"fill_blanks\"", ["---", "---", "->-"], ["----", "----", "->--", "->--"], FILL_BLANKS),
    always("\"value_beats_blank\"", ["-<<", ">-<", ">><"], ["-<-<", ">-<<", "->-<", ">>><"], BEATS_BLANK),
    always(
        r#"{"name":"value_beats_blank","then":"source_wins"}"#,
        ["-<<", ">-<", ">>>"],
        ["-<-<", ">-<<", "->-<", ">>>>"],
        BEATS_BLANK,
    ),
    numbers("\"max\"", ["-<<", ">-<", ">><"], ["-<-<", ">-<<", "->-<", ">>><"]),
    numbers("\"min\"", ["-<<", ">-<", ">>>"], ["-<-<", ">-<<", "->->", ">><>"]),
    numbers("\"sum\"", ["-<<", ">-?", ">??"], ["-<-<", ">->?", "-<-<", ">?>+"]),
    always("\"append_unique\"", ["-<<", ">-<", ">>+"], ["-<-<", ">-<<", "->-+", ">>++"], ALWAYS),
    always("\"first_touch\"", ["-<<", ">-<", ">>o"], ["-<-<", ">-<x", "->->", ">x<x"], ALWAYS),
];

/// Policy, source, remote, and what `+` stands for.
const MERGED: &[(&str, &str, &str, &str)] = &[
    ("sum", "7", "9", "11"),
    ("append_unique", "\"a\"", "\"b\"", "\"b;a\""),
    ("append_unique", "\"a\"", "\"x\"", "\"x;a\""),
    ("append_unique", "\"x\"", "\"b\"", "\"b;x\""),
];

/// Whose the value is in the end.
fn winner(cell: char) -> Winner {
    match cell {
        '>' => Winner::Source,
        '<' => Winner::Salesforce,
        '+' => Winner::Both,
        _ => Winner::None,
    }
}

fn rule(letter: char, policy: &Policy) -> &'static str {
    match (letter, policy) {
        ('=', _) => "equal",
        ('1', _) => "one_side_edited",
        ('n', _) => "not_known",
        ('p', policy) => policy.name(),
        ('t', Policy::ValueBeatsBlank { then }) => then.name(),
        other => panic!("{other:?}"),
    }
}

const EARLY: &str = "2026-05-01T07:25:37Z";
const LATE: &str = "2026-05-01T07:25:38Z";

/// Values of a row or column: absent, null, and those of the policy.
fn side(value: Option<&str>, stamp: &str) -> State {
    state(&value.map_or("{}".to_owned(), |value| format!(r#"{{"F__c":{value}}}"#)), stamp)
}

fn written(resolution: &Resolution, source: Option<&str>, remote: Option<&str>, base: Option<&str>) -> char {
    let of = |record: &Record| record.get("F__c").map(|value| serde_json::to_string(value).expect("serialises"));
    let (to_salesforce, to_source) = (of(&resolution.to_salesforce), of(&resolution.to_source));
    let asked = !resolution.questions.is_empty();
    match (to_salesforce.as_deref(), to_source.as_deref(), asked) {
        (None, None, false) => '-',
        (None, None, true) => '?',
        (Some(sent), None, false) if Some(sent) == source => '>',
        (None, Some(sent), false) if Some(sent) == remote => '<',
        (Some(sent), Some(also), false) if sent == also && Some(sent) == base => 'x',
        (Some(sent), Some(also), false) if sent == also => '+',
        // What both have together may be what one of them has already.
        (Some(_), None, false) | (None, Some(_), false) => '+',
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_policy_decides_every_combination_as_defined() {
    let mut cells = 0;
    for row in TABLE {
        let [x, a, b] = row.values;
        let policy = policy(row.policy);
        let with_base = record(&format!(r#"{{"F__c":{x}}}"#));
        let grid = (&row.no_base[..], &row.rules.0[..]);
        let no_base = (None, vec![None, Some("null"), Some(a)], vec![None, Some("null"), Some(b)], grid);
        let base = (
            Some(&with_base),
            vec![None, Some("null"), Some(x), Some(a)],
            vec![None, Some("null"), Some(x), Some(b)],
            (&row.base[..], &row.rules.1[..]),
        );
        for (base, sources, remotes, (grid, rules)) in [no_base, base] {
            for (source, (line, rules)) in sources.iter().zip(grid.iter().zip(rules)) {
                for (remote, (expected, letter)) in remotes.iter().zip(line.chars().zip(rules.chars())) {
                    for (source_at, remote_at, younger) in [(EARLY, EARLY, '<'), (LATE, EARLY, '>'), (EARLY, LATE, '<')]
                    {
                        let expected = match expected {
                            't' => younger,
                            // Of two equal stamps Salesforce's counts, for the younger as for the older.
                            'o' if source_at == remote_at => '<',
                            'o' if younger == '<' => '>',
                            'o' => '<',
                            other => other,
                        };
                        let resolution = resolve(base, &side(*source, source_at), &side(*remote, remote_at), &policy);
                        let context = format!(
                            "{} base {base:?} source {source:?} at {source_at} remote {remote:?} at {remote_at}",
                            row.policy
                        );
                        let found = written(&resolution, *source, *remote, base.map(|_| x));
                        assert_eq!(found, expected, "{context}: {:?}", resolution.decisions);
                        let known = usize::from(base.is_some() || source.is_some() || remote.is_some());
                        assert_eq!(resolution.decisions.len(), known, "{context}");
                        if let [decision] = &resolution.decisions[..] {
                            let expected = (winner(expected), rule(letter, policy.of("F__c")));
                            assert_eq!((decision.winner, decision.rule), expected, "{context}");
                        }
                        if expected == '+' {
                            let name = policy.of("F__c").name();
                            let value = MERGED
                                .iter()
                                .find(|row| (row.0, Some(row.1), Some(row.2)) == (name, *source, *remote))
                                .map(|row| record(&format!(r#"{{"F__c":{}}}"#, row.3)))
                                .expect(&context);
                            assert_eq!(
                                (&resolution.to_salesforce, &resolution.to_source),
                                (&value, &value),
                                "{context}"
                            );
                        }
                        cells += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cells, TABLE.len() * (9 + 16) * 3);
    for name in Policy::NAMES {
        assert!(TABLE.iter().any(|row| policy(row.policy).of("F__c").name() == name), "{name} is in no row");
    }
}

/// What is expected where the org's difference from the base is our own write: as if the org still had the base's value, with the
/// result going to the org too. Letters as above; base `X`; rows are the source null, `X`, `A`; columns the remote null, `B`.
const OWN: &[(&str, [&str; 3], [&str; 3])] = &[
    ("\"salesforce_wins\"", TEXTS, ["->", "--", ">>"]),
    ("\"source_wins\"", TEXTS, ["->", "--", ">>"]),
    ("\"most_recent\"", TEXTS, ["->", "--", ">>"]),
    ("\"salesforce_unless_blank\"", TEXTS, ["->", "--", ">>"]),
    ("\"source_unless_blank\"", TEXTS, ["->", "--", ">>"]),
    (r#"{"name":"source_ranking","ranking":["salesforce","source"]}"#, TEXTS, ["->", "--", ">>"]),
    ("\"ask\"", TEXTS, ["->", "--", ">>"]),
    ("\"custom\"", TEXTS, ["->", "--", ">>"]),
    ("\"never\"", TEXTS, ["--", "--", "--"]),
    ("\"fill_blanks\"", TEXTS, ["--", "--", "--"]),
    ("\"value_beats_blank\"", TEXTS, ["-x", "--", ">>"]),
    ("\"max\"", NUMBERS, ["-x", "--", ">>"]),
    ("\"min\"", NUMBERS, ["-x", "--", "xx"]),
    ("\"sum\"", NUMBERS, ["->", "--", ">>"]),
    ("\"append_unique\"", TEXTS, ["-x", "--", "++"]),
    ("\"first_touch\"", TEXTS, ["-x", "--", "xx"]),
];

#[test]
fn our_own_write_counts_as_unedited_under_every_policy() {
    let us = RecordId::new("005dM00000aYf0q").expect("an id");
    let own = |remote: &str| side(Some(remote), EARLY).changed_by(us);
    for (text, [x, a, b], grid) in OWN {
        let policy = policy(text).with_integration_user(us);
        let base = record(&format!(r#"{{"F__c":{x}}}"#));
        for (source, line) in ["null", x, a].into_iter().zip(grid) {
            for (remote, expected) in ["null", b].into_iter().zip(line.chars()) {
                let resolution = resolve(Some(&base), &side(Some(source), LATE), &own(remote), &policy);
                let found = written(&resolution, Some(source), Some(remote), Some(x));
                assert_eq!(found, expected, "{text} source {source} remote {remote}: {resolution:?}");
                assert_eq!(resolution.decisions[0].lost_salesforce, None, "nobody's edit is lost");
            }
        }
        // What we wrote where there was nothing does not come back, and a later value of ours replaces it.
        let (blank, never) = (record(r#"{"F__c":null}"#), *text == "\"never\"");
        let echo = resolve(Some(&blank), &side(Some("null"), EARLY), &own(b), &policy);
        assert!(echo.is_settled() && (never || echo.decisions[0].reason == Reason::OwnWrite), "{text}: {echo:?}");
        let later = resolve(Some(&blank), &side(Some(a), LATE), &own(b), &policy);
        assert_eq!(written(&later, Some(a), Some(b), None), if never { '-' } else { '>' }, "{text}: {later:?}");
    }
    for name in Policy::NAMES {
        assert!(OWN.iter().any(|(text, ..)| policy(text).of("F__c").name() == name), "{name} is in no row");
    }
}

#[test]
fn sums_unions_and_extremes_give_the_right_value() {
    let base = record(r#"{"Visits__c":10,"Tags__c":"a","Level__c":2,"Day__c":"2026-05-01","Done__c":false}"#);
    let source = state(r#"{"Visits__c":13,"Tags__c":"c;a","Level__c":3,"Day__c":"2026-05-03","Done__c":true}"#, EARLY);
    let remote =
        state(r#"{"Visits__c":12.5,"Tags__c":"a;b","Level__c":1,"Day__c":"2026-05-02","Done__c":false}"#, LATE);
    let policy: ConflictPolicy = serde_json::from_str(
        r#"{"default":"max","fields":{"visits__c":"sum","Tags__c":"append_unique","Level__c":"min"}}"#,
    )
    .expect("reads");
    let resolution = resolve(Some(&base), &source, &remote, &policy);
    assert_eq!(
        resolution.to_salesforce,
        record(r#"{"Visits__c":15.5,"Tags__c":"a;b;c","Day__c":"2026-05-03","Done__c":true}"#)
    );
    assert_eq!(resolution.to_source, record(r#"{"Visits__c":15.5,"Tags__c":"a;b;c","Level__c":1}"#));
    let winners: Vec<Winner> = resolution.decisions.iter().map(|decision| decision.winner).collect();
    assert_eq!(winners, [Winner::Both, Winner::Both, Winner::Salesforce, Winner::Source, Winner::Source]);
}

#[test]
fn sides_that_are_equal_need_nothing_under_a_sum_too_so_that_it_can_be_repeated() {
    let sum = policy("\"sum\"");
    let resolve = |base: &str, source: &str, remote: &str| {
        let values = |value: &str| record(&format!(r#"{{"N":{value}}}"#));
        resolve(Some(&values(base)), &State::new(values(source)), &State::new(values(remote)), &sum)
    };
    for (base, source, remote, result) in [("2.5", "2.5", "1", "1"), ("10", "13", "12", "15"), ("10", "10", "7", "7")] {
        let first = resolve(base, source, remote);
        let written = first.to_source.get("N").or(first.to_salesforce.get("N")).expect("written");
        assert_eq!(serde_json::to_string(written).expect("serialises"), result);
        let again = resolve(base, result, result);
        assert!(again.is_settled(), "the base was not stored in time: {again:?}");
        assert_eq!((again.decisions[0].rule, again.decisions[0].winner), ("equal", Winner::None));
    }
}

#[test]
fn what_has_no_order_or_is_no_number_or_list_is_asked_not_guessed() {
    for (policy, source, remote) in [
        ("\"max\"", "\"high\"", "\"low\""),
        ("\"min\"", "5", "\"2026-05-01\""),
        ("\"sum\"", "\"13\"", "12"),
        ("\"append_unique\"", "5", "\"a\""),
        ("\"append_unique\"", "[1,2]", "[2,3]"),
    ] {
        let values = |value: &str| format!(r#"{{"F__c":{value}}}"#);
        let base = record(r#"{"F__c":1}"#);
        let resolution =
            resolve(Some(&base), &state(&values(source), EARLY), &state(&values(remote), LATE), &self::policy(policy));
        assert_eq!((resolution.questions.len(), resolution.to_salesforce.len(), resolution.to_source.len()), (1, 0, 0));
        let reason = resolution.decisions[0].reason.words();
        let word = if policy.contains("append") { "list of texts" } else { "a person has to decide" };
        assert!(reason.contains(word), "{policy}: {reason}");
    }
}

#[test]
fn a_decision_tells_what_was_lost() {
    let base = record(r#"{"A":1,"B":1,"C":1}"#);
    let (source, remote) = (state(r#"{"A":2,"B":1,"C":2}"#, EARLY), state(r#"{"A":3,"B":3,"C":3}"#, LATE));
    let policy: ConflictPolicy =
        serde_json::from_str(r#"{"default":"salesforce_wins","fields":{"C":"source_wins"}}"#).expect("reads");
    let resolution = resolve(Some(&base), &source, &remote, &policy);
    let lost: Vec<_> =
        resolution.decisions.iter().map(|d| (d.lost_source.clone(), d.lost_salesforce.clone())).collect();
    let two = Some(crate::types::Value::from(2_u32));
    assert_eq!(lost, [(two, None), (None, None), (None, Some(3_u32.into()))]);
}

#[test]
fn a_union_reaches_each_side_in_its_own_form() {
    let base = record(r#"{"Tags__c":"a"}"#);
    let (source, remote) = (state(r#"{"Tags__c":["a","c"]}"#, EARLY), state(r#"{"Tags__c":"b;a"}"#, LATE));
    let resolution = resolve(Some(&base), &source, &remote, &policy("\"append_unique\""));
    assert_eq!(resolution.to_source, record(r#"{"Tags__c":["b","a","c"]}"#));
    assert_eq!(resolution.to_salesforce, record(r#"{"Tags__c":"b;a;c"}"#));
}
