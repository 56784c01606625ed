use super::*;

fn finds(expression: &str, texts: &[&str]) -> bool {
    let search = parse(&format!("FIND {{{expression}}}")).unwrap_or_else(|error| panic!("{expression}: {error:?}"));
    search.expression.finds(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
}

#[test]
fn words_match_whole_words_in_any_case_and_wildcards_what_they_stand_for() {
    for (expression, text, found) in [
        ("acme", "Acme Corp", true),
        ("acm", "Acme Corp", false),
        ("acm*", "Acme Corp", true),
        ("a*e", "Acme Corp", true),
        ("ac?e", "Acme Corp", true),
        ("ac?", "Acme Corp", false),
        ("*cme", "Acme Corp", false),
        ("corp acme", "Acme Corp", true),
        ("corp other", "Acme Corp", false),
        ("corp OR other", "Acme Corp", true),
        ("acme AND NOT corp", "Acme Corp", false),
        ("acme and not other", "Acme Corp", true),
        ("\"corp acme\"", "Acme Corp", false),
        ("\"acme corp\"", "The ACME, Corp.", true),
        ("(acme OR beta) AND corp", "Beta Corp", true),
        ("beta OR acme corp", "Acme Inc", false),
        ("\"and\"", "this and that", true),
        ("ann@example.com", "ann@example.com", true),
        ("ann@example.org", "ann@example.com", false),
        (r"Marie\-Pier", "Marie-Pier Martin", true),
        (r"Marie\-Pier", "Pier Marie", false),
        (r"what\?", "what is", true),
        (r"what\*", "whatever", false),
        ("müller", "MÜLLER GmbH", true),
    ] {
        assert_eq!(finds(expression, &[text]), found, "{expression} in {text}");
    }
    assert!(finds("ann acme", &["Ann", "Acme"]), "words may stand in different fields");
    assert!(!finds("\"ann acme\"", &["Ann", "Acme"]), "a phrase stands in one");
}

#[test]
fn reserved_characters_have_to_be_escaped() {
    for reserved in "&|!{[]^~:'+-".chars() {
        let error = parse(&format!("FIND {{ab{reserved}cd}}")).expect_err("reserved");
        assert_eq!(error.code, "MALFORMED_SEARCH", "{reserved}");
        assert!(finds(&format!("ab\\{reserved}cd"), &[&format!("ab{reserved}cd")]), "{reserved}");
    }
    // [S] Restforce issue 688 and force-rest-api pull request 92.
    let error = parse("FIND {John|jane_gray@uoa.edu} RETURNING Contact").expect_err("reserved");
    assert_eq!(
        error.message,
        "\nFIND {John|jane_gray@uoa.edu} RETURNING Contact\n         ^\nERROR at Row:1:Column:10\nline 1:10 mismatched \
         character '|' expecting '}'"
    );
    let error = parse("FIND {name} IN ALL TYPE RETURNING Account(name)").expect_err("no FIELDS");
    assert!(error.message.ends_with("ERROR at Row:1:Column:19\nMalformed search token: TYPE"), "{}", error.message);
}

#[test]
fn what_is_no_search_is_refused_and_never_panics() {
    for statement in [
        "",
        "FIND",
        "FIND {",
        "FIND {}",
        "FIND {a}",
        "FIND {a*}",
        "FIND {\"a\"}",
        "FIND {ab",
        "FIND {\"ab}",
        "FIND {(ab}",
        "FIND {ab)}",
        "FIND {ab OR}",
        "FIND {AND}",
        "FIND {ab\\",
        "FIND {ab} IN",
        "FIND {ab} IN SOME FIELDS",
        "FIND {ab} RETURNING",
        "FIND {ab} RETURNING Account(",
        "FIND {ab} RETURNING Account()",
        "FIND {ab} RETURNING Account(LIMIT 3)",
        "FIND {ab} RETURNING Account, ",
        "FIND {ab} LIMIT",
        "FIND {ab} LIMIT x",
        "FIND {ab} WITH SNIPPET",
        "FIND {ab} }",
        "SELECT Id FROM Account",
    ] {
        assert_eq!(parse(statement).expect_err(statement).code, "MALFORMED_SEARCH", "{statement}");
    }
    let deep = format!("FIND {{{}ab{}}}", "(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(parse(&deep).expect_err("too deep").code, "MALFORMED_SEARCH");
    let statement = r#"FIND {"jö*" AND NOT (b\}c OR d?)} IN NAME FIELDS RETURNING Account(Id WHERE Name = 'x\')' LIMIT 1), Lead LIMIT 5"#;
    for cut in statement.char_indices().map(|(at, _)| at) {
        let _ = parse(&statement[..cut]);
        let _ = lenient(&statement[..cut]);
    }
    assert!(parse(statement).is_ok());
}

#[test]
fn the_clauses_of_an_object_are_split_from_its_fields() {
    let search = parse(
        "find {acme} in name fields returning Account ( Id, Name where Name = 'a, LIMIT \\'(' ORDER BY Name LIMIT 2), Lead(Id) \
         limit 7 update tracking, viewstat",
    )
    .expect("sound");
    assert_eq!((search.group, search.limit), (Group::Name, Some(7)));
    let targets: Vec<(&str, &str, &str)> =
        search.returning.iter().map(|t| (t.object.as_str(), t.fields.trim(), t.rest.as_str())).collect();
    assert_eq!(
        targets,
        [("Account", "Id, Name", "where Name = 'a, LIMIT \\'(' ORDER BY Name LIMIT 2"), ("Lead", "Id", "")]
    );
}

#[test]
fn long_searches_lose_their_operators_and_then_everything() {
    let long = format!("acme AND other {}", "AND more ".repeat(500));
    assert!(!finds("acme AND other", &["acme"]));
    assert!(finds(long.trim_end(), &["acme"]), "OR beyond 4,000 characters");
    assert!(finds(&"acme ".repeat(1_999), &["acme"]));
    assert!(!finds(&"acme ".repeat(2_001), &["acme"]));
}
