//! No text makes the engine panic or run away.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        let _ = org().query(&text);
    }

    #[test]
    fn any_sequence_of_tokens_is_answered(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..40)) {
        let _ = org().query(&format!("SELECT {}", words.join(" ")));
    }

    #[test]
    fn any_condition_is_answered(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..12)) {
        let _ = org().query(&format!("SELECT Id, (SELECT Id FROM Contacts) FROM Account a WHERE {}", words.join(" ")));
        let _ = org().query(&format!("SELECT Name, COUNT(Id) FROM Account GROUP BY Name HAVING {}", words.join(" ")));
    }

    #[test]
    fn any_text_in_a_literal_is_answered(text in ".{0,40}") {
        let _ = org().query(&format!("SELECT Id FROM Account WHERE Name = '{text}'"));
        let _ = org().query(&format!("SELECT Id FROM Account WHERE Name LIKE '{text}'"));
        let _ = org().query(&format!("SELECT Id FROM Account WHERE AnnualRevenue > {text}"));
        let _ = org().query(&format!("SELECT Id FROM Account WHERE CreatedDate > {text}"));
    }

    #[test]
    fn an_escaped_text_finds_itself(name in "[ -~äß€😀\n\t]{1,30}") {
        let name = name.trim().to_owned();
        prop_assume!(!name.is_empty());
        let mut org = org();
        org.add("Account", &[("Name", text(&name))]);
        let escaped = name.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\t', "\\t");
        let soql = format!("SELECT COUNT() FROM Account WHERE Name = '{escaped}'");
        prop_assert!(org.query(&soql).expect("a valid statement").total_size >= 1);
        let pattern = escaped.replace('%', "\\%").replace('_', "\\_");
        let soql = format!("SELECT COUNT() FROM Account WHERE Name LIKE '{pattern}'");
        prop_assert!(org.query(&soql).expect("a valid statement").total_size >= 1);
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    ",",
    "=",
    "!=",
    "<",
    ">=",
    "LIKE",
    "IN",
    "INCLUDES",
    "EXCLUDES",
    "null",
    "TRUE",
    "'x'",
    "'001dM0000000001'",
    "5",
    "-1.5e3",
    "2026-05-01",
    "2026-05-01T00:00:00Z",
    "TODAY",
    "LAST_N_DAYS",
    ":",
    "GROUP",
    "BY",
    "HAVING",
    "ORDER",
    "ASC",
    "DESC",
    "NULLS",
    "FIRST",
    "LIMIT",
    "OFFSET",
    "COUNT",
    "COUNT()",
    "SUM",
    "Id",
    "Name",
    "Account",
    "Account.Name",
    "Contact",
    "Contacts",
    "AnnualRevenue",
    "CreatedDate",
    "Tags__c",
    "OwnerId",
    "FIELDS(ALL)",
    "TYPEOF",
    "What",
    "WHEN",
    "THEN",
    "END",
    "a",
    "USING",
    "SCOPE",
    "FOR",
    "UPDATE",
    "VIEW",
    "CALENDAR_YEAR",
];

#[test]
fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
    let org = org();
    let parentheses = format!("SELECT Id FROM Account WHERE {}", "(".repeat(90_000));
    assert_eq!(org.refusal(&parentheses).code, "MALFORMED_QUERY");
    let selects = format!("SELECT {} FROM Account", "(SELECT ".repeat(10_000));
    assert_eq!(org.refusal(&selects).code, "MALFORMED_QUERY");
    let calls = format!("SELECT {}Id FROM Account", "FORMAT(".repeat(10_000));
    assert_eq!(org.refusal(&calls).code, "MALFORMED_QUERY");
    let joins = format!("SELECT Id FROM Account WHERE {}", "Id IN (SELECT Id FROM Contact WHERE ".repeat(2_000));
    assert_eq!(org.refusal(&joins).code, "MALFORMED_QUERY");
    let moderate = format!("SELECT Id FROM Account WHERE {}Name = 'x'{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(org.query(&moderate).expect("accepted").total_size, 0);
}

#[test]
fn a_key_query_over_many_rows_stays_off_the_rows_and_a_scan_is_bearable() {
    let mut org = org();
    for n in 0..20_000 {
        org.add("Account", &[("Name", text(&format!("Account {n}"))), ("Code__c", text(&format!("C{n}")))]);
    }
    let mut keys = String::new();
    for n in 0..1_000 {
        let _ = write!(keys, "{}'c{n}'", if n == 0 { "" } else { "," });
    }
    let (started, limit) = (now(), Duration::from_secs(5));
    let soql = format!("SELECT Id, Code__c FROM Account WHERE Name IN ({keys}) ORDER BY Name");
    assert_eq!(org.query(&soql).expect("accepted").total_size, 0);
    let counted =
        org.query("SELECT COUNT() FROM Account WHERE Name LIKE '%9' AND CreatedDate = null").expect("accepted");
    assert_eq!(counted.total_size, 2_000);
    assert!(now().duration_since(started) < limit);
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
