use proptest::prelude::*;

use super::*;
use crate::types::{Date, Decimal, RecordId, SObjectName, Timestamp};

/// Reads the literal that opens at the start, by the rules of the reference; gives its text and what follows it. In a LIKE a wildcard
/// is a private character.
fn read_literal(text: &str, like: bool) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').expect("a literal opens").chars();
    loop {
        let character = rest.next().expect("the literal closes");
        let read = match character {
            '\'' => return (value, rest.as_str()),
            '\\' => match rest.next().expect("an escape") {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).expect("hex")).expect("a character")
                }
                same @ ('\'' | '"' | '\\') => same,
                same @ ('%' | '_') if like => same,
                other => panic!("\\{other} is no escape"),
            },
            '%' if like => '\u{E000}',
            '_' if like => '\u{E001}',
            control if control.is_control() => panic!("a control character stands unescaped"),
            other => other,
        };
        value.push(read);
    }
}

/// Texts that try to get out, and any other.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        r#"['\\"%_:;(),/*\n\r\t \u{0}\u{7f}\u{2028}a-c]{0,24}"#,
        any::<String>(),
        Just("' OR Name LIKE '%".to_owned()),
        Just("\\' OR Id != null OR Name = \\'".to_owned()),
        Just("\\".to_owned()),
        Just(":b /* ' */ // '".to_owned()),
    ]
}

fn select() -> Select {
    Soql::select(["Id"]).from("A")
}

fn text(select: Select) -> String {
    select.build().expect("builds").as_str().to_owned()
}

/// What stands behind WHERE.
fn filter(condition: Condition) -> String {
    text(select().filter(condition)).strip_prefix("SELECT Id FROM A WHERE ").expect("has a WHERE").to_owned()
}

proptest! {
    #[test]
    fn any_text_comes_back_as_exactly_itself(one in texts(), two in texts()) {
        let built = text(select().filter(field("A").eq(&one).and(field("B").is_in([two.as_str(), ""]))));
        let bound = Soql::bind(
            "SELECT Id FROM A WHERE A = :one AND B IN :two",
            [("one", one.as_str().into()), ("two", [two.as_str(), ""].as_slice().into())],
        );
        let bound = bound.expect("binds");
        prop_assert_eq!(&built, bound.as_str());
        let rest = built.strip_prefix("SELECT Id FROM A WHERE A = ").expect("begins so");
        let (value, rest) = read_literal(rest, false);
        prop_assert_eq!(value, one);
        let rest = rest.strip_prefix(" AND B IN (").expect("goes on so: nothing got out");
        let (value, rest) = read_literal(rest, false);
        prop_assert_eq!(value, two);
        prop_assert_eq!(rest, ",'')");
    }

    #[test]
    fn any_text_in_a_pattern_stands_for_itself(one in texts()) {
        prop_assume!(!one.contains(['\u{E000}', '\u{E001}']));
        for (pattern, before, behind) in [
            (LikePattern::starts_with(&one), "", "\u{E000}"),
            (LikePattern::contains(&one), "\u{E000}", "\u{E000}"),
            (LikePattern::ends_with(&one), "\u{E000}", ""),
            (LikePattern::exactly("").one().literal(&one), "\u{E001}", ""),
        ] {
            let bound = Soql::bind("LIKE :p", [("p", pattern.clone().into())]).expect("binds");
            let (value, rest) = read_literal(bound.as_str().strip_prefix("LIKE ").expect("begins so"), true);
            prop_assert_eq!((value, rest), (format!("{before}{one}{behind}"), ""));
            prop_assert_eq!(format!("A {}", bound.as_str()), filter(field("A").like(pattern)));
        }
        let raw = filter(field("A").like(LikePattern::raw(&one)));
        let (_, rest) = read_literal(raw.strip_prefix("A LIKE ").expect("begins so"), true);
        prop_assert_eq!(rest, "", "whatever a raw pattern says, it stays in its quotes");
    }

    #[test]
    fn chosen_values_come_back_one_by_one(chosen in prop::collection::vec(texts(), 1..4)) {
        let soql = select().filter(field("A").includes([chosen.clone()])).build();
        if chosen.iter().any(|value| value.contains(';')) || chosen.iter().all(String::is_empty) {
            prop_assert_eq!(soql.expect_err("no such value").kind(), ErrorKind::Invalid);
        } else {
            let soql = soql.expect("builds");
            let list = soql.as_str().strip_prefix("SELECT Id FROM A WHERE A INCLUDES (").expect("begins so");
            prop_assert_eq!(read_literal(list, false), (chosen.join(";"), ")"));
        }
    }

    #[test]
    fn no_name_gets_into_a_statement_that_is_none(name in texts()) {
        let is_name = name.split('.').all(|part| SObjectName::new(part).is_ok());
        prop_assert_eq!(Soql::select([name.as_str()]).from("A").build().is_ok(), is_name);
        prop_assert_eq!(select().filter(field(&name).eq(1)).build().is_ok(), is_name);
        prop_assert_eq!(select().order_by([name.as_str()]).build().is_ok(), is_name);
        prop_assert_eq!(Soql::select(["Id"]).from(&name).build().is_ok(), is_name && !name.contains('.'));
        let alias = Soql::select([count("Id").alias(&name)]).from("A").build();
        prop_assert!(alias.is_err() || SObjectName::new(&name).is_ok());
    }

    #[test]
    fn a_list_that_is_cut_keeps_every_value_once_and_equal_ones_together(
        values in prop::collection::vec(prop_oneof!["[a-cA-C]{1,2}", "[ö'%]{1,200}"], 0..100),
        body in any::<bool>(),
    ) {
        let budget = if body { SoqlBudget::Body } else { SoqlBudget::Address };
        let build = select().filter(field("N").gt(1).and(field("K").is_in(values.clone())));
        let built = build.build_split(budget).expect("cuts");
        let list = ("list", values.clone().into());
        let bound = Soql::bind_split("SELECT Id FROM A WHERE N > 1 AND K IN :list", [list], "list", budget).expect("cuts");
        prop_assert!(built.len() <= 1 || built == bound);
        let mut seen: Vec<Vec<String>> = Vec::new();
        for query in &bound {
            prop_assert!(encode(query.as_str()).len() <= 13_312 || body);
            let mut rest = query.as_str().strip_prefix("SELECT Id FROM A WHERE N > 1 AND K IN (").expect("begins so");
            let mut list = Vec::new();
            while rest != ")" {
                let (value, behind) = read_literal(rest.strip_prefix(',').unwrap_or(rest), false);
                list.push(value);
                rest = behind;
            }
            seen.push(list);
        }
        let mut all: Vec<&String> = seen.iter().flatten().collect();
        all.sort();
        let mut expected: Vec<&String> = values.iter().collect();
        expected.sort();
        expected.dedup();
        prop_assert_eq!(all, expected);
        for (index, list) in seen.iter().enumerate() {
            let alike = |value: &String| seen[index + 1..].iter().flatten().any(|other| other.to_lowercase() == value.to_lowercase());
            prop_assert!(!list.iter().any(alike), "a record would be in two answers");
        }
    }
}

#[test]
fn values_are_written_for_their_type() {
    let moment = Timestamp::parse("2026-05-01T09:25:37+02:00").expect("valid");
    let id = RecordId::new("001dM00003kRs59").expect("valid");
    for (value, written) in [
        (Literal::from("a'b\\c\nd\u{1}\u{2028}"), r"'a\'b\\c\nd\u0001\u2028'"),
        (Decimal::parse("-1.50").expect("valid").into(), "-1.5"),
        (Decimal::parse("123456789012345678").expect("valid").into(), "123456789012345678"),
        (5.into(), "5"),
        (true.into(), "TRUE"),
        (Some(false).into(), "FALSE"),
        (None::<bool>.into(), "null"),
        (moment.into(), "2026-05-01T07:25:37.000Z"),
        (Date::parse("2026-05-01").expect("valid").into(), "2026-05-01"),
        (DateLiteral::Ago(2, DateUnit::FiscalQuarter).into(), "N_FISCAL_QUARTERS_AGO:2"),
        (id.into(), "'001dM00003kRs59QAC'"),
        (Literal::MultiSelect(vec!["a".into(), "it's".into()]), r"'a;it\'s'"),
    ] {
        assert_eq!(filter(field("F").eq(value.clone())), format!("F = {written}"));
        assert_eq!(Soql::bind("F != :f", [("f", value)]).expect("binds").as_str(), format!("F != {written}"));
    }
}

#[test]
fn parameters_are_names_outside_literals_and_comments() {
    let text = r"SELECT Id FROM A WHERE D = LAST_N_DAYS:7 AND T > 2026-05-01T00:00:00Z AND N = 'it\'s :x' /* :x ' */ // :x '
        AND M = ''";
    assert_eq!(Soql::bind(text, []).expect("no names in it").as_str(), text);
    let soql = Soql::bind("WHERE A = :a AND B = :b", [("a", ":b'".into()), ("b", 1_i64.into())]).expect("binds");
    assert_eq!(soql.as_str(), r"WHERE A = ':b\'' AND B = 1");
    let twice = Soql::bind("A = :a OR (B=:a)", [("a", 1.into())]).expect("binds");
    assert_eq!(twice.as_str(), "A = 1 OR (B=1)");
}

#[test]
fn a_raw_statement_takes_each_value_where_it_belongs_and_once() {
    let none: Vec<String> = Vec::new();
    let list = || Literal::from(vec![1, 2]);
    for (statement, values) in [
        ("A = :a", vec![]),
        ("A = 1", vec![("a", 1.into())]),
        ("A = ':a'", vec![("a", 1.into())]),
        ("A = 1 // :a", vec![("a", 1.into())]),
        ("A = :a", vec![("a", 1.into()), ("a", 2.into())]),
        ("A = :a", vec![("A", 1.into())]),
        ("A IN :a", vec![("a", none.into())]),
        ("A IN :a", vec![("a", "x".into())]),
        ("A not in :a", vec![("a", "x".into())]),
        ("A = :a", vec![("a", list())]),
        ("A IN (:a)", vec![("a", list())]),
        ("A IN :a", vec![("a", vec![list()].into())]),
        ("A LIKE :a", vec![("a", "50%".into())]),
        ("A = :a", vec![("a", LikePattern::contains("x").into())]),
        ("A = LAST_N_DAYS:a", vec![("a", 7.into())]),
        ("A = ':a", vec![]),
        ("A = 1 /* :a", vec![]),
        ("A = :a", vec![("a", "x".repeat(4_001).into())]),
        ("A = :a", vec![("a", "'".repeat(2_001).into())]),
        (&"x".repeat(100_001), vec![]),
    ] {
        let error = Soql::bind(statement, values).expect_err(statement);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!error.to_string().contains("50%"), "no value is in an error");
    }
    assert!(Soql::bind("A IN :a AND A IN (:b, :c)", [("a", list()), ("b", 1.into()), ("c", 2.into())]).is_ok());
    assert!(Soql::bind("A = :a", [("a", "ö".repeat(4_000).into())]).is_ok());
}

#[test]
fn and_or_and_not_never_meet_without_parentheses() {
    let [a, b, c] = ["A", "B", "C"].map(|name| field(name).eq(1));
    for (condition, expected) in [
        (a.clone().and(b.clone()).and(c.clone()), "A = 1 AND B = 1 AND C = 1"),
        (a.clone().and(b.clone().or(c.clone())), "A = 1 AND (B = 1 OR C = 1)"),
        (a.clone().and(b.clone()).or(c.clone()), "(A = 1 AND B = 1) OR C = 1"),
        (!a.clone(), "NOT (A = 1)"),
        (!!a.clone(), "A = 1"),
        (a.clone().and(!b.clone()), "A = 1 AND (NOT (B = 1))"),
        (!(a.clone().or(b.clone())), "NOT (A = 1 OR B = 1)"),
        (Condition::any([Condition::all([a.clone()])]), "A = 1"),
    ] {
        assert_eq!(filter(condition), expected);
    }
    assert_eq!(
        text(select().filter(a.clone()).filter(b.clone().or(c))),
        "SELECT Id FROM A WHERE A = 1 AND (B = 1 OR C = 1)"
    );
    // A chain of any length is one group.
    let long = (0..20_000).fold(a.clone(), |all, _| all.or(b.clone()));
    assert!(select().filter(long).build().expect_err("over 100,000 characters").to_string().contains("longer"));
    let deep = (0..20_000).fold(a, |all, _| all.or(b.clone()).and(b.clone()));
    assert!(select().filter(deep).build().expect_err("too deep").to_string().contains("24 levels"));
}

#[test]
fn what_an_empty_list_decides_is_folded() {
    let none = || field("K").is_in([""; 0]);
    let all = || field("K").not_in([""; 0]);
    let a = || field("A").eq(1);
    let built = |condition| select().filter(condition).build().expect("builds");
    for condition in [
        none(),
        none().and(a()),
        none().or(!all()),
        !(none().or(all())),
        a().and(none().or(none())),
        field("K").includes([[""; 0]; 0]),
        Condition::any([]),
        field("AId").is_in_select(Soql::select(["BId"]).from("B").filter(none())),
    ] {
        let soql = built(condition);
        assert!(soql.matches_nothing());
        assert_eq!(soql.as_str(), "SELECT Id FROM A WHERE Id = null", "and finds nothing if it is sent");
    }
    for condition in [
        all(),
        !none(),
        a().or(all()),
        Condition::all([]),
        field("K").excludes([[""; 0]; 0]),
        field("AId").not_in_select(Soql::select(["BId"]).from("B").filter(none())),
    ] {
        let soql = built(condition);
        assert!(!soql.matches_nothing());
        assert_eq!(soql.as_str(), "SELECT Id FROM A");
    }
    assert_eq!(filter(a().or(none())), "A = 1");
    assert_eq!(filter(a().and(!none()).and(all())), "A = 1");
    assert!(
        select().filter(field("no name").is_in([""; 0])).build().is_err(),
        "what is folded is checked all the same"
    );

    // One row comes whatever is found; no row comes if no group passes.
    let counted = Soql::select([count("Id")]).from("A").filter(none()).build().expect("builds");
    assert_eq!((counted.matches_nothing(), counted.as_str()), (false, "SELECT COUNT(Id) FROM A WHERE Id = null"));
    assert!(Soql::select([count_rows()]).from("A").filter(none()).build().expect("builds").matches_nothing());
    let grouped = || Soql::select(["B"]).from("A").group_by(["B"]);
    assert!(grouped().filter(none()).build().expect("builds").matches_nothing());
    let having = grouped().having(field("B").is_in([""; 0])).build().expect("builds");
    assert!(having.matches_nothing());
    assert_eq!(having.as_str(), "SELECT B FROM A WHERE Id = null GROUP BY B");
    let children = select().children(Soql::select(["Id"]).from("Bs").filter(none())).build().expect("builds");
    assert_eq!(
        (children.matches_nothing(), children.as_str()),
        (false, "SELECT Id,(SELECT Id FROM Bs WHERE Id = null) FROM A")
    );
}

#[test]
fn every_clause_stands_in_its_place() {
    let soql = Soql::select(["Id", "Name", "id"])
        .column(Fields::Standard)
        .from(SObjectName::from_static("Account"))
        .scope(Scope::MineAndMyGroups)
        .filter(field("Parent.Owner.Name").eq("x"))
        .filter(
            field("Id")
                .not_in_select(Soql::select(["AccountId"]).from("Contact").filter(field("Email").ne(None::<&str>))),
        )
        .order_by([field("Name").desc(), field("Type").asc().nulls_last()])
        .order_by(["Id"])
        .limit(10)
        .offset(2_000)
        .for_update()
        .for_view();
    assert_eq!(
        text(soql),
        "SELECT Id,Name,FIELDS(STANDARD) FROM Account USING SCOPE mine_and_my_groups WHERE Parent.Owner.Name = 'x' AND \
         Id NOT IN (SELECT AccountId FROM Contact WHERE Email != null) ORDER BY Name DESC NULLS LAST,Type ASC NULLS LAST,\
         Id ASC NULLS FIRST LIMIT 10 OFFSET 2000 FOR VIEW"
    );
    let grouped = Soql::select([date_part(DatePart::CalendarYear, "CloseDate").alias("y")])
        .columns([
            count_distinct("OwnerId").alias("owners"),
            max("Amount").into(),
            min("Amount").into(),
            avg("Amount").into(),
        ])
        .from("Opportunity")
        .group_by([date_part(DatePart::CalendarYear, "CloseDate")])
        .having(sum("Amount").ge(10).or(count("Id").lt(3)))
        .order_by([count("Id").desc()])
        .limit(5);
    assert_eq!(
        text(grouped),
        "SELECT CALENDAR_YEAR(CloseDate) y,COUNT_DISTINCT(OwnerId) owners,MAX(Amount),MIN(Amount),AVG(Amount) FROM Opportunity \
         GROUP BY CALENDAR_YEAR(CloseDate) HAVING SUM(Amount) >= 10 OR COUNT(Id) < 3 ORDER BY COUNT(Id) DESC NULLS LAST LIMIT 5"
    );
}

fn nested(levels: usize) -> Select {
    (1..levels).fold(Soql::select(["Id"]).from("Bs"), |inner, _| Soql::select(["Id"]).from("Bs").children(inner))
}

#[test]
fn what_salesforce_would_refuse_is_refused_with_its_part() {
    let grouped = || Soql::select(["B"]).from("A").group_by(["B"]);
    let inner = || Soql::select(["AId"]).from("B");
    let join = || field("Id").is_in_select(inner());
    let many = |count: usize| (0..count).map(|number| format!("P{number}__r.Name"));
    let cases: Vec<(&str, Select)> = vec![
        ("FROM", Soql::select(["Id"])),
        ("FROM", Soql::select(["Id"]).from("A, B")),
        ("SELECT", Soql::select([""; 0]).from("A")),
        ("SELECT", Soql::select(["Id FROM User --"]).from("A")),
        ("SELECT", Soql::select(["B.C.D.E.F.G.Name"]).from("A")),
        ("SELECT", Soql::select(many(56)).from("A")),
        ("SELECT", select().children(nested(5))),
        ("SELECT", select().columns((0..21).map(|_| nested(1)))),
        ("SELECT", select().children(grouped())),
        ("OFFSET", select().children(nested(1).offset(1))),
        ("SELECT", select().children(nested(1).for_view())),
        ("SELECT", Soql::select([count_rows().into(), Column::from("Id")]).from("A")),
        ("SELECT", Soql::select([count_rows().alias("n")]).from("A")),
        ("SELECT", Soql::select([count_rows()]).from("A").order_by(["Id"])),
        ("SELECT", select().column(count("Id"))),
        ("SELECT", grouped().column("C")),
        ("SELECT", grouped().column(Fields::Standard)),
        ("SELECT", select().column(field("B").alias("b"))),
        ("SELECT", select().column(date_part(DatePart::DayOnly, "CreatedDate"))),
        ("SELECT", grouped().column(count("Id").alias("limit"))),
        ("SELECT", grouped().column(count("Id").alias("n")).column(sum("C").alias("N"))),
        ("SELECT", Soql::select([Fields::All]).from("A")),
        ("SELECT", Soql::select([Fields::Custom]).from("A").limit(201)),
        ("TYPEOF", select().column(TypeOf::new("What"))),
        ("TYPEOF", select().column(TypeOf::new("What").when("A'", ["Id"]))),
        ("TYPEOF", select().column(TypeOf::new("W").when("A", ["Id"])).column(TypeOf::new("w").when("B", ["Id"]))),
        ("WHERE", select().filter(count("Id").gt(1))),
        ("WHERE", select().filter(field("A = 1 OR B").eq(1))),
        ("WHERE", select().filter(field("A").eq(vec!["x"]))),
        ("WHERE", select().filter(field("A").eq(LikePattern::contains("x")))),
        ("WHERE", select().filter(field("A").gt(None::<i64>))),
        ("WHERE", select().filter(field("A").le(true))),
        ("WHERE", select().filter(field("A").is_in([vec!["x"]]))),
        ("WHERE", select().filter(join().or(field("A").eq(1)))),
        ("WHERE", select().filter(!join())),
        ("WHERE", select().filter(Condition::all([join(), join(), join()]))),
        ("WHERE", select().filter(field("P.Id").is_in_select(inner()))),
        ("sub-select", select().filter(field("Id").is_in_select(Soql::select(["AId"]).from("a")))),
        ("sub-select", select().filter(field("Id").is_in_select(Soql::select(["WhoId"]).from("task")))),
        ("sub-select", select().filter(field("Id").is_in_select(Soql::select(["AId", "Id"]).from("B")))),
        ("sub-select", select().filter(field("Id").is_in_select(Soql::select(["P.AId"]).from("B")))),
        ("sub-select", select().filter(field("Id").is_in_select(inner().limit(1)))),
        ("sub-select", select().filter(field("Id").is_in_select(inner().filter(field("Id").is_in_select(inner()))))),
        ("HAVING", select().having(count("Id").gt(1))),
        ("HAVING", grouped().having(field("C").eq(1))),
        ("HAVING", grouped().having(count_rows().gt(1))),
        ("HAVING", grouped().having(field("B").is_in_select(inner()))),
        ("GROUP BY", grouped().group_by([count("Id")])),
        ("ORDER BY", select().order_by(["Name; DROP"])),
        ("ORDER BY", select().order_by([date_part(DatePart::DayOnly, "C")])),
        ("ORDER BY", grouped().order_by(["C"])),
        ("ORDER BY", Soql::select([count("Id")]).from("A").order_by(["Id"])),
        ("LIMIT", Soql::select([count("Id")]).from("A").limit(1)),
        ("OFFSET", select().offset(2_001)),
        ("FOR UPDATE", select().order_by(["Id"]).for_update()),
    ];
    for (part, select) in cases {
        let shown = format!("{select:?}");
        let error = select.clone().build().expect_err(&shown);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(&format!("part {part}")), "{part}: {error}");
        assert!(select.build_split(SoqlBudget::Body).is_err());
    }
    for select in [
        Soql::select(many(55)).from("A"),
        Soql::select(["B.C.D.E.F.Name"]).from("A"),
        select().children(nested(4)),
        select().columns((0..20).map(|_| nested(1))),
        select().filter(join().and(field("A").eq(1).and(join()))),
        Soql::select([count_rows()]).from("A").limit(1),
        Soql::select([Fields::All]).from("A").limit(200),
    ] {
        select.clone().build().unwrap_or_else(|error| panic!("{error}: {select:?}"));
    }
}

#[test]
fn a_list_is_cut_where_that_finds_the_same() {
    let values = || (0..3_000).map(|number| format!("value {number}"));
    let long = || field("K").is_in(values());
    let queries = |select: Select| select.build_split(SoqlBudget::Address);
    let cut = queries(select().filter(field("A").eq(1)).filter(long())).expect("cuts");
    let lengths: Vec<usize> = cut.iter().map(|query| encode(query.as_str()).len()).collect();
    let (_, full) = lengths.split_last().expect("several");
    assert!(full.iter().all(|bytes| (13_200..=13_312).contains(bytes)), "each but the last is full: {lengths:?}");
    assert_eq!(select().filter(long()).build_split(SoqlBudget::Body).expect("fits").len(), 1);
    assert_eq!(queries(select().filter(field("K").is_in([""; 0]))).expect("nothing to ask"), []);
    assert_eq!(queries(Soql::select([count("Id")]).from("A").filter(Condition::any([]))).expect("a row of 0").len(), 1);
    assert!(queries(Soql::select([count_rows()]).from("A").filter(long())).expect("to be added up").len() > 1);
    assert!(queries(Soql::select(["K"]).column(count("Id")).from("A").group_by(["k"]).filter(long())).is_ok());

    for (wrong, says) in [
        (select().filter(field("K").not_in(values())), "NOT IN"),
        (select().filter(long().or(field("A").eq(1))), "no IN list"),
        (select().filter(long()).order_by(["Id"]), "ORDER BY"),
        (select().filter(long()).limit(5), "LIMIT"),
        (Soql::select([sum("A")]).from("A").filter(long()), "SELECT"),
        (Soql::select(["B"]).from("A").group_by(["B"]).filter(long()), "GROUP BY"),
        (select().filter(long()).filter(field("J").is_in(values())), "do not fit"),
    ] {
        let error = queries(wrong).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
    let list = || [("k", Literal::from(values().collect::<Vec<_>>())), ("t", "x".into())];
    let statement = "SELECT Id FROM A WHERE T = :t AND K IN :k";
    assert!(Soql::bind_split(statement, list(), "k", SoqlBudget::Address).expect("cuts").len() > 1);
    for (statement, name) in
        [("SELECT Id FROM A WHERE T = :t AND K NOT IN :k", "k"), (statement, "t"), (statement, "other")]
    {
        assert!(Soql::bind_split(statement, list(), name, SoqlBudget::Address).is_err(), "{statement} {name}");
    }
}

#[test]
fn values_keep_their_type_in_a_list_that_is_cut() {
    let numbers = [Literal::from(1), Literal::from(25), Literal::from(1)];
    let queries = split_in_list("SELECT Id FROM A WHERE N IN :n", "n", &numbers).expect("splits");
    assert_eq!(queries, [Soql::new("SELECT Id FROM A WHERE N IN (1,25)")]);
    let values: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    let queries = split_in_list("SELECT Id FROM A WHERE B IN :v OR C IN :v", "v", &values).expect("splits");
    assert!(queries.iter().all(|query| encode(query.as_str()).len() <= 13_312));
    assert!(split_in_list::<String>("SELECT Id FROM A WHERE K IN :k", "k", &[]).expect("none").is_empty());
    let conditions: Vec<Soql> = (0..1000).map(|number| Soql::new(format!("A LIKE '%{number}%'"))).collect();
    let queries = split_alternatives("SELECT Id FROM A WHERE ", &conditions);
    assert!(queries.iter().all(|query| encode(query.as_str()).len() <= 13_312));
    assert_eq!(queries.iter().map(|query| query.as_str().matches("LIKE").count()).sum::<usize>(), 1000);
}

#[test]
fn a_record_named_by_both_forms_of_its_id_is_asked_for_in_one_query() {
    let mut values: Vec<String> = vec!["001dM00003kRs59QAC".into()];
    values.extend((0..2_000).map(|number| format!("value {number}")));
    values.push("001dM00003kRs59".into());
    let queries = split_in_list("SELECT Id FROM A WHERE K IN :k", "k", &values).expect("splits");
    assert_eq!(queries.iter().filter(|query| query.as_str().contains("001dM00003kRs59")).count(), 1);
}
