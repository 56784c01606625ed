use std::fs;

use super::*;
use crate::error::ErrorKind;
use crate::mapping::{Input, Transform};
use crate::types::Value;

/// Errors of a file in TOML, one each.
fn toml_errors(text: &str) -> Vec<String> {
    let error = FieldMap::from_toml(text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Config);
    error.message().split("; ").map(str::to_owned).collect()
}

/// A map in TOML whose rules begin on line 5.
fn with(lines: &str) -> String {
    format!(
        "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\nrules = [{{ source = \"id\", target = \"K__c\" }},\n{lines}\n]\n"
    )
}

fn one_error(lines: &str) -> String {
    let errors = toml_errors(&with(lines));
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().expect("one")
}

#[test]
fn each_mistake_of_a_rule_is_told_with_line_and_rule() {
    for (rule, says) in [
        (
            r#"{ source = "x", target = "X__c", transforms = ["explode"] }"#,
            "line 5: rule 2 (X__c): unknown transform `explode`",
        ),
        (r#"{ source = "x", target = "X__c", colour = 1 }"#, "line 5: rule 2 (X__c): unknown field `colour`"),
        (
            r#"{ source = "x", target = "k__C" }"#,
            "line 5: rule 2 (k__C): two rules have one target, k__C: this one and rule 1",
        ),
        (r#"{ target = "X__c" }"#, "exactly one of \"source\""),
        (r#"{ source = "x", constant = 1, target = "X__c" }"#, "exactly one of \"source\""),
        (r#"{ source = "a..b", target = "X__c" }"#, "is no path"),
        (r#"{ source = "$gone", target = "X__c" }"#, "$gone is no value of the map"),
        (r#"{ template = "{first", target = "X__c" }"#, "line 5: rule 2 (X__c): the template has a { without its }"),
        (r#"{ template = "{}", target = "X__c" }"#, "an empty hole"),
        (r#"{ template = "{$gone}", target = "X__c" }"#, "$gone is no value of the map"),
        (r#"{ first_of = [], target = "X__c" }"#, "names no path"),
        (r#"{ source = "x", target = "A.B.C" }"#, "is not a target"),
        (r#"{ source = "x", target = "X__c", default = "" }"#, "not blank"),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ matches = { pattern = "(a" } }] }"#,
            "matches (1): the pattern is no regular expression",
        ),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ matches = { pattern = "((a{1000}){1000}){1000}" } }] }"#,
            "the pattern explodes",
        ),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ date = { zone = "Mars/Base" } }] }"#,
            "no zone of the tz database",
        ),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ table = { entries = { A = 1, a = 2 }, ignore_case = true } }] }"#,
            "the key \"a\" stands twice",
        ),
        (r#"{ source = "x", target = "X__c", transforms = [{ divide = { by = 0 } }] }"#, "\"by\" is 0"),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ multiply = { by = inf } }] }"#,
            "a number that cannot be held",
        ),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ number = { precision = 2, scale = 3 } }] }"#,
            "\"precision\" is at least 1",
        ),
        (
            r#"{ source = "x", target = "X__c", transforms = [{ whole_number = { precision = 0 } }] }"#,
            "\"precision\" is 0",
        ),
        (r#"{ source = "x", target = "X__c", transforms = ["max_length"] }"#, "needs its settings"),
        (r#"{ source = "x", target = "X__c", transforms = [{ trim = {} }] }"#, "has no settings"),
        (r#"{ source = "x", target = "X__c", reverse = [] }"#, "is of use where"),
        (r#"{ constant = 1, target = "X__c", direction = "both" }"#, "needs a path to go to"),
        (
            r#"{ source = "x", target = "X__c", direction = "both", transforms = ["upper"] }"#,
            "upper cannot be taken back",
        ),
    ] {
        let error = one_error(rule);
        assert!(error.contains(says), "{rule}: {error}");
        assert!(error.starts_with("line 5: rule 2"), "{rule}: {error}");
    }
}

#[test]
fn a_path_has_as_many_names_as_a_record_nests() {
    let rule = |names: usize| format!("{{ source = \"{}\", target = \"X__c\" }}", vec!["a"; names].join("."));
    FieldMap::from_toml(&with(&rule(64))).expect("a deep one");
    assert_eq!(one_error(&rule(65)), "line 5: rule 2 (X__c): a path has at most 64 names");
}

#[test]
fn a_number_is_the_one_that_is_written_to_its_last_digit() {
    for number in
        ["1.00000000000000000001", "0.1", "1234567890.12345678901234567", "-0.000000000000000000000001", "1e3"]
    {
        let expected = crate::types::Decimal::parse(number).expect(number);
        let rule = format!(
            r#"{{ source = "x", target = "X__c", default = {number}, transforms = [{{ multiply = {{ by = {number} }} }}] }}"#
        );
        let json = rule
            .replace(" = ", ": ")
            .replace("source", "\"source\"")
            .replace("target", "\"target\"")
            .replace("default", "\"default\"")
            .replace("transforms", "\"transforms\"")
            .replace("multiply", "\"multiply\"")
            .replace("by:", "\"by\":");
        let json = format!(
            r#"{{"version":1,"object":"T__c","key":"K__c","rules":[{{"source":"id","target":"K__c"}},{json}]}}"#
        );
        for map in [FieldMap::from_toml(&with(&rule)), FieldMap::from_json(&json)] {
            let map = map.expect(number);
            let rule = &map.rules()[1];
            assert_eq!(rule.default, Some(Value::Number(expected)), "{number}");
            assert!(matches!(rule.transforms[0], Transform::Multiply { by } if by == expected), "{number}: {rule:?}");
        }
    }
    let long = "1.0000000000000000000000000000001";
    for by in [long, "1e400", "nan"] {
        let rule = format!(r#"{{ source = "x", target = "X__c", transforms = [{{ multiply = {{ by = {by} }} }}] }}"#);
        assert!(one_error(&rule).starts_with("line 5: rule 2 (X__c): "), "{by}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn long_tables_and_long_chains_load_in_time_with_their_length() {
    let start = std::time::Instant::now();
    let entries: Vec<String> = (0..60_000).map(|n| format!("\"key {n}\":{n}")).collect();
    let json = format!(
        r#"{{"version":1,"object":"T__c","key":"K__c","rules":[{{"source":"id","target":"K__c","transforms":[{{"table":{{"entries":{{{}}}}}}}]}}]}}"#,
        entries.join(",")
    );
    FieldMap::from_json(&json).expect("a long table");
    let values: Vec<String> = (1..5_000).map(|n| format!("[values.v{n}]\nsource = \"$v{}\"\n", n - 1)).collect();
    let toml = with("") + "[values.v0]\nsource = \"x\"\n" + &values.concat();
    FieldMap::from_toml(&toml).expect("a long chain");
    // A tenth of it in a build that is optimised; each comparing with all before it takes minutes.
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
}

#[test]
fn an_audience_is_looked_through_like_a_rule() {
    for (audience, says) in [
        (r#"{ field = "$x", is = 1 }"#, "$x is no path"),
        (r#"{ field = "", is = 1 }"#, "is no path"),
        (r#"{ any = [{ not = { field = "a..b", blank = true } }] }"#, "\"a..b\" is no path"),
        (r#"{ all = [{ field = "a", at_least = "ten" }] }"#, "\"at_least\" of a is no number, date or time"),
        (r#"{ field = "a", at_most = [1] }"#, "\"at_most\" of a is no number"),
    ] {
        let errors = toml_errors(&with("").replace("rules =", &format!("audience = {audience}\nrules =")));
        assert_eq!(errors.len(), 1, "{audience}: {errors:?}");
        assert!(errors[0].starts_with("line 4: audience: ") && errors[0].contains(says), "{audience}: {errors:?}");
    }
    let fine = r#"{ all = [{ field = "a", at_least = 1.5 }, { field = "a.b", at_most = 2026-05-01T00:00:00Z }] }"#;
    FieldMap::from_toml(&with("").replace("rules =", &format!("audience = {fine}\nrules ="))).expect(fine);
}

#[test]
fn all_mistakes_of_a_file_come_at_once_in_the_order_of_its_lines() {
    let text = "version = 1\nobject = \"T__c\"\nkey = \"Gone__c\"\ncolour = 3\n\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n\
                transforms = [\n  \"trim\",\n  \"explode\",\n]\n\n[[rules]]\ntemplate = \"{a\"\ntarget = \"X__c\"\n\n[[rules]]\n\
                source = \"b\"\ntarget = \"x__c\"\n";
    let errors = toml_errors(text);
    let starts: Vec<&str> = errors.iter().map(|error| &error[..error.find(": ").unwrap_or(0)]).collect();
    assert_eq!(starts, ["line 4", "line 11", "line 15", "line 20"], "{errors:?}");
    assert!(errors[3].contains("rule 3 (x__c)") && errors[3].contains("this one and rule 2"), "{errors:?}");
}

#[test]
fn what_a_map_needs_is_missed_by_name() {
    let errors = toml_errors("version = 2\nrules = []\n");
    assert!(errors.iter().any(|error| error.contains("\"object\" is missing")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("\"key\" is missing")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("version 2, this library reads version 1")), "{errors:?}");
    let errors = toml_errors("version = 1\nobject = \"T__c\"\nkey = \"K__c\"\nchanged_at = \"At__c\"\nrules = []\n");
    assert_eq!(
        errors,
        ["line 3: no rule has the key K__c as its target", "line 4: no rule has the changed_at At__c as its target"]
    );
    assert!(
        FieldMap::from_toml("[").is_err() && FieldMap::from_json("[]").is_err() && FieldMap::from_json("").is_err()
    );
}

#[test]
fn values_that_go_in_a_circle_are_told_by_their_way() {
    let text = "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\nrules = [{ source = \"id\", target = \"K__c\" }]\n\
                [values.a]\nsource = \"$b\"\n[values.b]\ntemplate = \"{x} {$c}\"\n[values.c]\nfirst_of = [\"y\", \"$a\"]\n\
                [values.self]\nsource = \"$self\"\n[values.fine]\nsource = \"$d\"\n[values.d]\nsource = \"z\"\n";
    let errors = toml_errors(text);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("line 5: value a: the values go in a circle: a → b → c → a"), "{errors:?}");
    assert!(errors[1].contains("self → self"), "{errors:?}");
}

#[test]
fn a_key_that_stands_twice_is_refused_with_its_line() {
    let json = "{\"version\":1,\"object\":\"T__c\",\"key\":\"K__c\",\n\"rules\":[{\"source\":\"id\",\"target\":\"K__c\",\n\
                \"transforms\":[{\"table\":{\"entries\":{\n\"a\":1,\n\"a\":2}}}]}]}";
    let error = FieldMap::from_json(json).expect_err("twice");
    assert_eq!(error.message(), "line 5: rule 1 (K__c): the key \"a\" stands twice");
    let plain = serde_json::from_str::<FieldMap>(json).expect_err("twice");
    assert!(plain.to_string().contains("stands twice"), "{plain}");
    let toml = with("{ source = \"x\", target = \"X__c\", transforms = [{ table = { entries = { a = 1, a = 2 } } }] }");
    assert_eq!(toml_errors(&toml), ["line 5: rule 2 (X__c): no TOML: duplicate key"]);
    let toml = "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n\
                [[rules]]\nsource = \"x\"\ntarget = \"X__c\"\n[[rules.transforms]]\n[rules.transforms.table.entries]\na = 1\n\
                a = 2\n[values.v]\nsource = \"y\"\nsource = \"z\"\n";
    let errors = toml_errors(toml);
    assert_eq!(errors, ["line 13: rule 2 (X__c): no TOML: duplicate key", "line 16: value v: no TOML: duplicate key"]);
    let one_line = r#"{"version":1,"object":"T__c","key":"K__c","rules":[{"source":"id","target":"K__c"},{"source":"x","source":"y","target":"X__c"}],"key":"L__c"}"#;
    let error = FieldMap::from_json(one_line).expect_err("twice");
    assert_eq!(
        error.message(),
        "line 1: rule 2 (X__c): the key \"source\" stands twice; line 1: the key \"key\" stands twice"
    );
}

#[test]
fn a_key_that_stands_twice_hides_no_other_mistake() {
    let table = "{ source = \"x\", target = \"X__c\", transforms = [{ table = { entries = { a = 1, a = 2 } } }] },\n";
    let toml = with(&format!(
        "{table}{{ source = \"y\", target = \"Y__c\", transforms = [\"tirm\"] }},\n{{ template = \"{{\", target = \"x__c\" }}"
    ));
    let json = toml
        .replace("rules =", ",\n\"rules\":")
        .replace("version = 1\n", "{\"version\":1,")
        .replace("object =", "\"object\":")
        .replace("\nkey =", ",\"key\":")
        .replace("source =", "\"source\":")
        .replace("target =", "\"target\":")
        .replace("transforms =", "\"transforms\":")
        .replace("table =", "\"table\":")
        .replace("entries =", "\"entries\":")
        .replace("template =", "\"template\":")
        .replace("a =", "\"a\":")
        + "}";
    for (result, doubled) in [
        (FieldMap::from_toml(&toml), "no TOML: duplicate key"),
        (FieldMap::from_json(&json), "the key \"a\" stands twice"),
    ] {
        let error = result.expect_err("three rules are wrong");
        let told: Vec<(Option<usize>, &str)> =
            MapMistake::all_of(&error).iter().map(|mistake| (mistake.rule, mistake.reason.as_str())).collect();
        assert_eq!(told.len(), 4, "{error}");
        assert_eq!(told[0], (Some(2), doubled), "{error}");
        assert!(told[1].0 == Some(3) && told[1].1.starts_with("unknown transform `tirm`"), "{error}");
        assert!(told[2].0 == Some(4) && told[2].1.starts_with("the template has a {"), "{error}");
        assert!(told[3].0 == Some(4) && told[3].1.ends_with("this one and rule 2"), "{error}");
    }
}

#[test]
fn mistakes_are_told_to_programs_with_file_line_and_rule() {
    let path = std::env::temp_dir().join(format!("sforce-mistakes-{}.toml", std::process::id()));
    let text = with("{ source = \"a..b\", target = \"X__c\" }") + "[values.v]\nsource = \"$gone\"\n";
    fs::write(&path, text).expect("written");
    let error = FieldMap::from_file(&path).expect_err("two mistakes");
    fs::remove_file(&path).expect("removed");
    let told = MapMistake::all_of(&error);
    assert!(told.iter().all(|mistake| mistake.file.as_deref() == Some(&*path.display().to_string())), "{told:?}");
    let places: Vec<(Option<usize>, Option<usize>)> = told.iter().map(|mistake| (mistake.line, mistake.rule)).collect();
    assert_eq!(places, [(Some(5), Some(2)), (Some(8), None)]);
    assert!(told[1].reason.starts_with("value v: $gone is no value"), "{told:?}");
    let words: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(error.message(), words.join("; "));
    let gone = FieldMap::from_file(path.with_extension("json")).expect_err("not there");
    assert_eq!(MapMistake::all_of(&gone), []);
}

#[test]
fn a_function_that_the_program_lacks_is_told_with_file_line_and_rule() {
    let text = "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n\
                transforms = [\n \"trim\",\n { custom = \"shout\" },\n]\n[values.v]\nsource = \"x\"\ntransforms = [{ custom = \"f\" }]\n";
    let map = FieldMap::from_toml(text).expect("its name is all a file tells");
    let error = map.compile(&crate::mapping::Transforms::new()).expect_err("not registered");
    let errors: Vec<&str> = error.message().split("; ").collect();
    assert!(errors[0].starts_with("line 13: value v: custom (1): no function \"f\""), "{errors:?}");
    assert!(errors[1].starts_with("line 9: rule 1 (K__c): custom (2): no function \"shout\""), "{errors:?}");
    let path = std::env::temp_dir().join(format!("sforce-custom-{}.toml", std::process::id()));
    fs::write(&path, text).expect("written");
    let error = FieldMap::from_file(&path).and_then(|map| map.compile(&crate::mapping::Transforms::new()));
    let error = error.expect_err("not registered").to_string();
    fs::remove_file(&path).expect("removed");
    assert!(error.contains(&format!("{}:9: rule 1 (K__c): custom", path.display())), "{error}");
}

#[test]
fn json_lines_are_counted_whatever_stands_before() {
    let json = "{\n \"version\": 1, \"object\": \"T__c\",\n \"key\": \"K__c\",\n \"rules\": [\n  {\"source\": \"é\\n\", \"target\": \"K__c\"},\n\
                \n  {\"source\": \"x\",\n   \"target\": \"X__c\",\n   \"write\": \"sometimes\"}\n ]\n}";
    let error = FieldMap::from_json(json).expect_err("two mistakes");
    let errors: Vec<&str> = error.message().split("; ").collect();
    assert!(errors[0].starts_with("line 5: rule 1 (K__c): ") && errors[0].contains("is no path"), "{errors:?}");
    assert!(errors[1].starts_with("line 9: rule 2 (X__c): unknown variant `sometimes`"), "{errors:?}");
}

#[test]
fn a_file_is_read_by_its_extension_and_named_in_its_errors() {
    let folder = std::env::temp_dir().join(format!("sforce-maps-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("map.TOML");
    fs::write(&path, format!("\u{feff}{}", with(""))).expect("written");
    assert_eq!(FieldMap::from_file(&path).expect("reads").rules().len(), 1);
    fs::write(&path, with("{}")).expect("written");
    let error = FieldMap::from_file(&path).expect_err("an empty rule");
    assert!(error.message().starts_with(&format!("{}:5: rule 2: ", path.display())), "{error}");
    for wrong in ["map.yaml", "gone.json"] {
        assert_eq!(FieldMap::from_file(folder.join(wrong)).expect_err(wrong).kind(), ErrorKind::Config);
    }
    fs::remove_dir_all(&folder).expect("removed");
}

/// A map that is wrong, in TOML and in JSON, with the line, the part and the words that tell it in either.
const BAD: [(&str, &str, &str, &str, &str); 6] = [
    (
        "[values.a]\nsource = \"$b\"\n[values.b]\nsource = \"$a\"\n[[rules]]\nsource = \"$a\"\ntarget = \"X__c\"\n",
        r#"{"source":"$a","target":"X__c"}], "values":{"a":{"source":"$b"},"b":{"source":"$a"}}, "create":true, "x":["#,
        "",
        "value a: ",
        "the values go in a circle: a → b → a",
    ),
    (
        "[[rules]]\nsource = \"x\"\ntarget = \"X__c\"\ntransforms = [\"tirm\"]\n",
        r#"{"source":"x","target":"X__c","transforms":["tirm"]}"#,
        "10",
        "rule 2 (X__c): ",
        "unknown transform `tirm`",
    ),
    (
        "[[rules]]\nsource = \"x\"\ntarget = \"K__c\"\n",
        r#"{"source":"x","target":"K__c"}"#,
        "9",
        "rule 2 (K__c): ",
        "two rules have one target, K__c: this one and rule 1",
    ),
    (
        "[[rules]]\ntemplate = \"{x\"\ntarget = \"X__c\"\n",
        r#"{"template":"{x","target":"X__c"}"#,
        "8",
        "rule 2 (X__c): ",
        "the template has a { without its }",
    ),
    (
        "[[rules]]\nsource = \"x\"\ntarget = \"X__c\"\ntransforms = [{ table = { entries = { a = 1, a = 2 } } }]\n",
        r#"{"source":"x","target":"X__c","transforms":[{"table":{"entries":{"a":1,"a":2}}}]}"#,
        "10",
        "rule 2 (X__c): ",
        "",
    ),
    (
        "[[rules]]\nsource = \"x\"\ntarget = \"X__c\"\ntransforms = [{ matches = { pattern = \"((a{1000}){1000}){1000}\" } }]\n",
        r#"{"source":"x","target":"X__c","transforms":[{"matches":{"pattern":"((a{1000}){1000}){1000}"}}]}"#,
        "10",
        "rule 2 (X__c): ",
        "the pattern explodes",
    ),
];

#[test]
fn what_is_wrong_with_a_file_is_told_with_file_line_and_rule_in_json_and_in_toml() {
    let folder = std::env::temp_dir().join(format!("sforce-bad-maps-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for (toml, json, toml_line, part, says) in BAD {
        let head = "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n";
        let first = "[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n";
        let toml = format!("{head}{first}{toml}");
        // Every rule is written on one line of its own, the second one on line 3.
        let json = format!(
            "{{\"version\":1,\"object\":\"T__c\",\"key\":\"K__c\",\"rules\":[\n{{\"source\":\"id\",\"target\":\"K__c\"}},\n{json}]}}"
        )
        .replace(", \"create\":true, \"x\":[]}", "}");
        let toml_line = if toml_line.is_empty() { "7" } else { toml_line };
        for (name, text, line) in [("map.toml", toml, toml_line), ("map.json", json, "3")] {
            let path = folder.join(name);
            fs::write(&path, &text).expect("written");
            let error = FieldMap::from_file(&path).expect_err(&text);
            let start = format!("{}:{line}: {part}", path.display());
            assert!(error.message().starts_with(&start), "{text}\n{start}\n{error}");
            let twice = says.is_empty() && (error.message().contains("twice") || error.message().contains("duplicate"));
            assert!(twice || !says.is_empty() && error.message().contains(says), "{text}\n{error}");
            assert_eq!(error.message().split("; ").count(), 1, "{error}");
        }
    }
    fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn what_a_file_says_is_what_the_map_is_and_a_map_survives_its_own_file() {
    let text = with(
        "{ source = \"n\", target = \"N__c\", direction = \"both\", blank = \"ignore\", write = \"when_blank\", default = 1.5,\n\
         transforms = [{ number = { precision = 5, scale = 2, rounding = \"refuse\" } }, { multiply = { by = \"0.1\" } }] },\n\
         { constant = 2026-05-01T00:00:00Z, target = \"At__c\", transforms = [\"date_time\"] },\n\
         { source = \"t\", target = \"T__c\", transforms = [{ table = { entries = { a = 1, b = true }, otherwise = { value = \"x\" } } },\n\
         { boolean = { true = [\"ja\"], false = [\"nein\", 0] } }, { custom = \"f\" }, { join_list = { max = 9 } }] }",
    );
    let map = FieldMap::from_toml(&text).expect("sound");
    let rule = &map.rules()[1];
    assert_eq!(rule.default, Some(Value::Number(crate::types::Decimal::parse("1.5").expect("a number"))));
    assert!(matches!(&rule.transforms[1], Transform::Multiply { by } if by.to_string() == "0.1"));
    assert_eq!(map.rules()[2].input, Input::Constant(Value::from("2026-05-01T00:00:00Z")));
    let json = serde_json::to_string(&map).expect("serialises");
    assert_eq!(serde_json::from_str::<FieldMap>(&json).expect("reads"), map);
    assert_eq!(FieldMap::from_json(&json).expect("reads"), map);
}

#[test]
fn all_unknown_keys_of_a_rule_come_at_once() {
    let errors = toml_errors(&with("{ source = \"x\", target = \"X__c\", colour = 1,\nsize = 2 }"));
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("line 5: rule 2 (X__c): unknown field `colour`, expected"), "{errors:?}");
    assert!(errors[1].starts_with("line 6: rule 2 (X__c): unknown field `size`, expected"), "{errors:?}");
}
