//! Built SOQL against the mock org, whose parser and rules know nothing of the builder.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sforce::Client;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::soql::{
    Condition, DatePart, Fields, Scope, Select, avg, count, count_distinct, count_rows, date_part, field, max, min, sum,
};
use sforce::types::{Date, DateLiteral, DateUnit, Decimal, LikePattern, Literal, Record, Soql, SoqlBudget};

use crate::support::client;

/// What a row holds; texts that mean something to SOQL are among them.
#[derive(Clone, Debug)]
struct Row {
    key: usize,
    text: Option<&'static str>,
    number: Option<i64>,
    flag: bool,
    day: Option<&'static str>,
    chosen: Vec<&'static str>,
}

const TEXTS: [&str; 11] = [
    "acme",
    "ACME ltd",
    "O'Neill",
    "50% off",
    "a_b",
    "aXb",
    r"c:\new",
    r"' OR Id != null OR T__c = '",
    "\"x\"",
    "zürich 🙂",
    ":t /* */",
];
const DAYS: [&str; 3] = ["2026-01-31", "2026-02-01", "2027-06-15"];
const CHOICES: [&str; 3] = ["A", "B b", "C"];

fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |key: usize| Row {
            key,
            text: TEXTS.get(key % (TEXTS.len() + 1)).copied(),
            number: (!key.is_multiple_of(5)).then(|| i64::try_from(key % 7).expect("small") - 3),
            flag: key.is_multiple_of(2),
            day: DAYS.get(key % 4).copied(),
            chosen: CHOICES
                .iter()
                .enumerate()
                .filter(|(bit, _)| key >> bit & 1 == 1)
                .map(|(_, value)| *value)
                .collect(),
        };
        (0..48).map(row).collect()
    })
}

fn org() -> MockOrg {
    let thing = ObjectSpec::new("Thing__c")
        .field(FieldSpec::text("T__c", 80))
        .field(FieldSpec::number("N__c", 10, 0))
        .field(FieldSpec::checkbox("F__c"))
        .field(FieldSpec::date("D__c"))
        .field(FieldSpec::multi_picklist("M__c", &CHOICES));
    let org = MockOrg::builder().object(thing).start();
    for row in rows() {
        let chosen = (!row.chosen.is_empty()).then(|| row.chosen.join(";"));
        org.insert(
            "Thing__c",
            serde_json::json!({"Name": row.key.to_string(), "T__c": row.text, "N__c": row.number, "F__c": row.flag,
                "D__c": row.day, "M__c": chosen}),
        );
    }
    org
}

/// A condition as data, which both sides evaluate.
#[derive(Clone, Debug)]
enum Spec {
    All(Vec<Spec>),
    Any(Vec<Spec>),
    Not(Box<Spec>),
    TextIs(Option<&'static str>, bool),
    TextIn(Vec<Option<&'static str>>, bool),
    Like(usize, &'static str),
    Number(usize, i64),
    NumberIn(Vec<i64>, bool),
    Flag(bool),
    Day(usize, &'static str),
    Includes(Vec<Vec<&'static str>>, bool),
}

fn like(kind: usize, part: &str) -> LikePattern {
    match kind {
        0 => LikePattern::starts_with(part),
        1 => LikePattern::contains(part),
        2 => LikePattern::ends_with(part),
        _ => LikePattern::exactly(part),
    }
}

fn compare(name: &str, operator: usize, value: impl Into<Literal>) -> Condition {
    let left = field(name);
    match operator {
        0 => left.lt(value),
        1 => left.le(value),
        2 => left.gt(value),
        3 => left.ge(value),
        4 => left.eq(value),
        _ => left.ne(value),
    }
}

fn compares<T: PartialOrd>(operator: usize, one: Option<&T>, other: &T) -> bool {
    match (operator, one) {
        (0, Some(one)) => one < other,
        (1, Some(one)) => one <= other,
        (2, Some(one)) => one > other,
        (3, Some(one)) => one >= other,
        (4, one) => one == Some(other),
        (5, one) => one != Some(other),
        (_, _) => false,
    }
}

impl Spec {
    fn condition(&self) -> Condition {
        match self {
            Self::All(parts) => Condition::all(parts.iter().map(Self::condition)),
            Self::Any(parts) => Condition::any(parts.iter().map(Self::condition)),
            Self::Not(part) => !part.condition(),
            Self::TextIs(text, true) => field("T__c").eq(*text),
            Self::TextIs(text, false) => field("T__c").ne(*text),
            Self::TextIn(texts, true) => field("T__c").is_in(texts.clone()),
            Self::TextIn(texts, false) => field("T__c").not_in(texts.clone()),
            Self::Like(kind, part) => field("T__c").like(like(*kind, part)),
            Self::Number(operator, number) => compare("N__c", *operator, Decimal::from(*number)),
            Self::NumberIn(numbers, true) => field("N__c").is_in(numbers.clone()),
            Self::NumberIn(numbers, false) => field("N__c").not_in(numbers.clone()),
            Self::Flag(flag) => field("F__c").eq(*flag),
            Self::Day(operator, day) => compare("D__c", *operator, Date::parse(day).expect("a day")),
            Self::Includes(sets, true) => field("M__c").includes(sets.clone()),
            Self::Includes(sets, false) => field("M__c").excludes(sets.clone()),
        }
    }

    fn holds(&self, row: &Row) -> bool {
        let folded = row.text.map(str::to_lowercase);
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Not(part) => !part.holds(row),
            Self::TextIs(text, is) => (text.map(str::to_lowercase) == folded) == *is,
            Self::TextIn(texts, is) => texts.iter().any(|text| text.map(str::to_lowercase) == folded) == *is,
            Self::Like(kind, part) => folded.is_some_and(|text| {
                let part = part.to_lowercase();
                match kind {
                    0 => text.starts_with(&part),
                    1 => text.contains(&part),
                    2 => text.ends_with(&part),
                    _ => text == part,
                }
            }),
            Self::Number(operator, number) => compares(*operator, row.number.as_ref(), number),
            Self::NumberIn(numbers, is) => row.number.is_some_and(|number| numbers.contains(&number)) == *is,
            Self::Flag(flag) => row.flag == *flag,
            Self::Day(operator, day) => compares(*operator, row.day.as_ref(), day),
            Self::Includes(sets, is) => {
                sets.iter().any(|set| set.iter().all(|value| row.chosen.contains(value))) == *is
            }
        }
    }
}

fn specs() -> impl Strategy<Value = Spec> {
    let text = || prop::sample::select(&TEXTS[..]);
    let part = prop::sample::select(&["a", "50%", "_", "'", "\\", "ACME", "X", "🙂", "", "% o", "\"", ":t"][..]);
    let set = || prop::collection::vec(prop::sample::select(&CHOICES[..]), 1..3);
    let leaf = prop_oneof![
        (prop::option::of(text()), any::<bool>()).prop_map(|(text, is)| Spec::TextIs(text, is)),
        (prop::collection::vec(prop::option::of(text()), 0..4), any::<bool>())
            .prop_map(|(texts, is)| Spec::TextIn(texts, is)),
        (0..4_usize, part).prop_map(|(kind, part)| Spec::Like(kind, part)),
        (0..6_usize, -4..5_i64).prop_map(|(operator, number)| Spec::Number(operator, number)),
        (prop::collection::vec(-4..5_i64, 0..4), any::<bool>()).prop_map(|(numbers, is)| Spec::NumberIn(numbers, is)),
        any::<bool>().prop_map(Spec::Flag),
        (0..6_usize, prop::sample::select(&DAYS[..])).prop_map(|(operator, day)| Spec::Day(operator, day)),
        (prop::collection::vec(set(), 0..3), any::<bool>()).prop_map(|(sets, is)| Spec::Includes(sets, is)),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Spec::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Spec::Any),
            inner.prop_map(|part| Spec::Not(Box::new(part))),
        ]
    })
}

fn keys(rows: &[Record]) -> Vec<usize> {
    let mut keys: Vec<usize> =
        rows.iter().map(|row| row.text("Name").expect("a key").parse().expect("a number")).collect();
    keys.sort_unstable();
    keys
}

async fn run(client: &Client, soql: Soql) -> Result<Vec<Record>, TestCaseError> {
    let text = soql.as_str().to_owned();
    client.query::<Record>(soql).collect().await.map_err(|error| TestCaseError::fail(format!("{error:?}: {text}")))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn any_condition_selects_in_the_org_what_it_selects_in_memory() {
    let runtime = runtime();
    let (org, _guard) = (org(), runtime.enter());
    let client = client(&org);
    let check = |spec: Spec| {
        let soql = Soql::select(["Name"]).from("Thing__c").filter(spec.condition()).build().expect("builds");
        let expected: Vec<usize> = rows().iter().filter(|row| spec.holds(row)).map(|row| row.key).collect();
        prop_assert!(!soql.matches_nothing() || expected.is_empty(), "{:?}", spec);
        let text = soql.as_str().to_owned();
        prop_assert_eq!(keys(&runtime.block_on(run(&client, soql))?), expected, "{}", text);
        Ok(())
    };
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(400) })
        .run(&specs(), check)
        .expect("agrees");
}

/// Statements over the standard objects, from all words of the builder.
fn statements() -> impl Strategy<Value = Select> {
    let columns = prop::sample::subsequence(
        vec!["Id", "Name", "Industry", "AnnualRevenue", "CreatedDate", "Owner.Name", "Parent.Owner.Name", "Owner.Id"],
        1..6,
    );
    let children =
        prop::option::of((prop::sample::subsequence(vec!["Id", "LastName", "Account.Name"], 1..3), 1..5_u32));
    let condition = prop::collection::vec(0..9_usize, 0..6).prop_map(|picks| {
        let leaf = |pick: usize| match pick {
            0 => field("Name").like(LikePattern::raw("A_%' x \\%")),
            1 => field("CreatedDate").ge(DateLiteral::LastN(30, DateUnit::Week)),
            2 => field("CreatedDate").lt(DateLiteral::Next(DateUnit::FiscalQuarter)),
            3 => field("AnnualRevenue").is_in([None, Some(Decimal::ZERO)]),
            4 => date_part(DatePart::CalendarYear, "CreatedDate").eq(2026),
            5 => field("Parent.Name").ne(None::<&str>),
            6 => field("Name").is_in(["a'", ""]) & field("Industry").is_in([""; 0]),
            7 => field("CreatedDate").eq(DateLiteral::Ago(2, DateUnit::Month)) | field("Name").not_in(["\\"]),
            _ => !(field("Name").eq("x") | !field("Name").eq("y")),
        };
        let mut parts = picks.into_iter().map(leaf);
        let first = parts.next();
        first.map(|first| {
            parts.enumerate().fold(first, |all, (at, part)| if at % 2 == 0 { all & part } else { all | part })
        })
    });
    let join = prop::option::of((any::<bool>(), any::<bool>()));
    let order = prop::sample::subsequence(vec!["Name", "Owner.Name", "CreatedDate", "Id"], 0..4);
    let rest = (
        order,
        prop::option::of(0..300_u32),
        prop::option::of(0..2_001_u32),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (columns, children, condition, join, rest).prop_map(|(columns, children, condition, join, rest)| {
        let (order, limit, offset, descending, scoped, viewed) = rest;
        let mut select = Soql::select(columns).from("Account");
        if let Some((columns, limit)) = children {
            select = select
                .children(Soql::select(columns).from("Contacts").filter(field("Email").ne(None::<&str>)).limit(limit));
        }
        if let Some(condition) = condition {
            select = select.filter(condition);
        }
        if let Some((negated, empty)) = join {
            let emails = field("Email").is_in(if empty { vec![] } else { vec!["ada@example.com"] });
            let inner = Soql::select(["AccountId"]).from("Contact").filter(emails);
            select =
                select.filter(if negated { field("Id").not_in_select(inner) } else { field("Id").is_in_select(inner) });
        }
        let order =
            order.into_iter().map(field).map(|expr| if descending { expr.desc() } else { expr.asc().nulls_last() });
        select = select.order_by(order);
        if let Some(rows) = limit {
            select = select.limit(rows);
        }
        if let Some(rows) = offset {
            select = select.offset(rows);
        }
        if scoped {
            select = select.scope(Scope::Everything);
        }
        if viewed { select.for_view() } else { select }
    })
}

/// Grouped statements.
fn groups() -> impl Strategy<Value = Select> {
    let aggregates = prop::sample::subsequence((0..6_usize).collect::<Vec<_>>(), 1..6);
    (aggregates, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(picks, by_year, having, ordered)| {
        let aggregate = |pick: usize| match pick {
            0 => count("Id").alias("n"),
            1 => count_distinct("AccountId").alias("accounts"),
            2 => sum("Amount").into(),
            3 => avg("Amount").alias("mean"),
            4 => min("CloseDate").into(),
            _ => max("Amount").alias("largest"),
        };
        let key = || if by_year { date_part(DatePart::CalendarYear, "CloseDate") } else { field("StageName") };
        let mut select = Soql::select([key().alias("k")]).columns(picks.into_iter().map(aggregate)).from("Opportunity");
        select = select.filter(field("IsDeleted").eq(false)).group_by([key()]);
        if having {
            select = select.having(count("Id").ge(1) & (sum("Amount").gt(0) | !max("Amount").eq(None::<i64>)));
        }
        if ordered { select.order_by([count("Id").desc(), key().asc()]).limit(10) } else { select }
    })
}

#[test]
fn whatever_is_built_is_a_statement_to_the_org() {
    let runtime = runtime();
    let (org, _guard) = (MockOrg::start(), runtime.enter());
    let account = org.insert("Account", serde_json::json!({"Name": "Acme", "AnnualRevenue": 1}));
    org.insert("Contact", serde_json::json!({"LastName": "A", "Email": "ada@example.com", "AccountId": account}));
    org.insert(
        "Opportunity",
        serde_json::json!({"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-05-01", "Amount": 5}),
    );
    let client = client(&org);
    let check = |select: Select| {
        let soql = select.build().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let nothing = soql.matches_nothing();
        let rows = runtime.block_on(run(&client, soql))?;
        prop_assert!(!nothing || rows.is_empty());
        Ok(())
    };
    let runner = || TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(250) });
    runner().run(&statements(), check).expect("answered");
    runner().run(&groups(), check).expect("answered");
}

#[tokio::test]
async fn what_finds_nothing_finds_nothing_when_it_is_sent_all_the_same() {
    let org = org();
    let client = client(&org);
    let none = || field("T__c").is_in([""; 0]);
    let soql = Soql::select(["Id"]).from("Thing__c").filter(none()).build().expect("builds");
    assert!(soql.matches_nothing());
    assert!(client.query::<Record>(soql).collect().await.expect("answered").is_empty());
    let counted = Soql::select([count_rows()]).from("Thing__c").filter(none()).build().expect("builds");
    assert_eq!(client.count(counted).await.expect("answered"), 0);
    let all = Soql::select([count_rows()]).from("Thing__c").filter(!none()).build().expect("builds");
    assert_eq!(client.count(all).await.expect("answered"), 48);
    let one_row = Soql::select([count("Id").alias("n")]).from("Thing__c").filter(none()).build().expect("builds");
    assert!(!one_row.matches_nothing(), "its answer is a row");
    assert_eq!(client.query::<Record>(one_row).collect().await.expect("answered").len(), 1);
}

#[tokio::test]
async fn a_long_list_finds_each_record_once_in_the_fewest_calls() {
    let org = MockOrg::start();
    let names: Vec<String> = (0..1_500).map(|number| format!("it's {number} ö")).collect();
    for name in &names {
        org.insert("Account", serde_json::json!({"Name": name}));
    }
    // The same once more in capitals, which Salesforce takes for equal.
    let asked: Vec<String> = names.iter().cloned().chain(names.iter().map(|name| name.to_uppercase())).collect();
    let select = Soql::select(["Name"]).from("Account").filter(field("Name").is_in(asked));
    let queries = select.build_split(SoqlBudget::Address).expect("cuts");
    let bytes = |query: &Soql| {
        query.as_str().bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum::<usize>()
    };
    assert!(queries[..queries.len() - 1].iter().all(|query| bytes(query) > 13_000), "each but the last is full");
    let client = client(&org);
    let mut found = Vec::new();
    let calls = queries.len();
    for query in queries {
        let rows: Vec<Record> = client.query(query).collect().await.expect("fits an address");
        found.extend(rows.iter().map(|row| row.text("Name").expect("a name").to_owned()));
    }
    found.sort();
    let mut expected = names;
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(org.calls(Operation::Query), calls);
}

#[tokio::test]
async fn fields_by_kind_and_by_type_are_answered() {
    let org = MockOrg::start();
    let account = org.insert("Account", serde_json::json!({"Name": "Acme", "Phone": "1"}));
    org.insert(
        "Event",
        serde_json::json!({"Subject": "S", "WhatId": account, "DurationInMinutes": 5,
        "ActivityDateTime": "2026-05-01T07:00:00Z"}),
    );
    let client = client(&org);
    let all = Soql::select([Fields::All]).from("Account").limit(200).build().expect("builds");
    assert_eq!(client.query::<Record>(all).collect().await.expect("answered")[0].text("Phone"), Some("1"));
    let what = sforce::types::soql::TypeOf::new("What").when("Account", ["Phone"]).otherwise(["Name"]);
    let soql = Soql::select(["Id"]).column(what).from("Event").build().expect("builds");
    let rows: Vec<Record> = client.query(soql).collect().await.expect("answered");
    assert_eq!(rows[0].path("What.Phone").and_then(|phone| phone.as_text()), Some("1"));
}
