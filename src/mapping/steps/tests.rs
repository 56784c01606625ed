use super::*;
use crate::mapping::ValueTable;
use crate::mapping::transform::Transform;
use crate::mapping::value_table::Otherwise;
use crate::types::{Date, Timestamp};

/// Takes one step, as a compiled map does.
fn take(transform: &Transform, value: Value) -> Result<Value, String> {
    let step = Step::new(transform, None).expect("sound");
    step.apply(Item::from_value(value)).map(Item::into_value).map_err(Reason::into_owned)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().copied().map(Value::from).collect())
}

#[test]
fn tabs_and_line_ends_become_one_space_and_other_controls_are_refused() {
    let text = take(&Transform::Text, Value::from("\u{a0} a\t\tb\r\nc 🙂 مرحبا \n")).expect("clean");
    assert_eq!(text, Value::from("a b c 🙂 مرحبا"));
    for bad in ["\u{b}a", "a\u{c}", "\u{85}", "a\0b", "a\u{1b}[31m", "a\u{7f}", "a\u{85}b"] {
        assert_eq!(take(&Transform::Text, Value::from(bad)), Err("a control character".into()));
    }
    assert_eq!(take(&Transform::Text, json("5")), Err("not text".into()));
}

#[test]
fn length_counts_utf16_units() {
    let max = Transform::MaxLength { max: 4 };
    assert!(take(&max, Value::from("🙂🙂")).is_ok());
    assert_eq!(take(&max, Value::from("🙂🙂a")), Err("longer than 4 characters (5)".into()));
}

#[test]
fn email_addresses_have_a_domain_with_a_dot() {
    for good in ["ada@example.com", "o'neil+tag@mail.example.co.uk", "grüße@exämple.de"] {
        assert!(take(&Transform::Email, Value::from(good)).is_ok(), "{good}");
    }
    for bad in [
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "a b@example.com",
        "Ada <ada@example.com>",
        "ada@@example.com",
        "ada@[127.0.0.1]",
        "ada@example..com",
    ] {
        assert_eq!(take(&Transform::Email, Value::from(bad)), Err("not an email address".into()), "{bad}");
    }
}

#[test]
fn nav_4_instants_are_whole_seconds_in_utc_from_any_offset() {
    let moment = take(&Transform::DateTime, Value::from("2026-05-01T09:25:37.9+02:00")).expect("valid");
    assert_eq!(moment, Value::DateTime(Timestamp::parse("2026-05-01T07:25:37Z").expect("valid")));
    for bad in ["2026-02-30T00:00:00Z", "1699-12-31T23:59:59Z", "4001-01-01T00:00:00Z", "2026-05-01"] {
        assert!(take(&Transform::DateTime, Value::from(bad)).is_err(), "{bad}");
    }
    assert_eq!(take(&Transform::DateTime, json("1714548337")), Err("not a date and time in quotes".into()));
}

#[test]
fn nav_6_seconds_become_minutes_of_three_decimals_half_to_even() {
    let steps = [Transform::Minimum { min: Decimal::ZERO }, Transform::SecondsToMinutes, Transform::number(18, 3)];
    let minutes = |text: &str| steps.iter().try_fold(json(text), |value, step| take(step, value));
    for (seconds, expected) in
        [("90", "1.5"), ("1", "0.017"), ("0", "0"), ("0.03", "0"), ("0.09", "0.002"), ("100.0", "1.667")]
    {
        assert_eq!(minutes(seconds), Ok(Value::Number(Decimal::parse(expected).expect("valid"))), "{seconds}");
    }
    assert_eq!(minutes("-1"), Err("less than 0".into()));
    assert!(minutes("99999999999999999").is_err(), "15 digits before the point at most");
    assert_eq!(minutes("\"90\""), Err("not a number".into()));
}

#[test]
fn nav_7_fractional_steps_are_rejected() {
    let whole = Transform::WholeNumber { precision: 18 };
    assert_eq!(take(&whole, json("3.5")), Err("not a whole number".into()));
    assert_eq!(take(&whole, json("3.0")), take(&whole, json("3")));
    assert!(take(&whole, json("1e18")).is_err());
}

#[test]
fn nav_8_lists_are_cut_at_an_items_edge_with_the_number_left_out() {
    let join = |max: usize, items: &[&str]| take(&Transform::join_list(max), list(items));
    assert_eq!(join(255, &["a", " ", "b; c"]), Ok(Value::from("a; b; c")));
    assert_eq!(join(18, &["alpha", "beta", "gamma"]), Ok(Value::from("alpha; beta; gamma")));
    assert_eq!(join(17, &["alpha", "beta", "gamma"]), Ok(Value::from("alpha; +2 more")));
    assert_eq!(join(16, &["alpha", "beta", "gamma", "delta"]), Ok(Value::from("alpha; +3 more")));
    assert_eq!(join(10, &["a very long item"]), Ok(Value::from("+1 more")));
    assert_eq!(join(255, &[]), Ok(Value::from("")));
    assert_eq!(take(&Transform::join_list(255), json("[1]")), Err("an item is not text".into()));
    assert_eq!(take(&Transform::join_list(255), json("\"a\"")), Err("not a list".into()));
    let many: Vec<String> = (0..100).map(|number| format!("Demo {number} 🙂")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let Ok(Value::Text(text)) = join(255, &many) else { panic!("joins") };
    let kept = text.matches("Demo").count();
    assert!(utf16_len(&text) <= 255 && text.ends_with(&format!("; +{} more", 100 - kept)), "{text}");
}

fn number(text: &str) -> Value {
    Value::Number(Decimal::parse(text).expect(text))
}

fn instant_of(text: &str) -> Value {
    Value::DateTime(Timestamp::parse(text).expect(text))
}

#[test]
fn a_cut_text_ends_between_two_characters_as_a_reader_sees_them() {
    for (text, max, expected) in [
        ("hello world", 20, "hello world"),
        ("hello world", 6, "hello"),
        ("🙂🙂", 3, "🙂"),
        ("e\u{301}e\u{301}", 3, "e\u{301}"),
        ("ab👩\u{200d}👩\u{200d}👧", 8, "ab"),
        ("🇩🇪🇫🇷", 6, "🇩🇪"),
        ("a👍🏽", 3, "a"),
        ("e\u{301}\u{301}\u{301}", 2, "e\u{301}"),
    ] {
        let cut = take(&Transform::Truncate { max }, Value::from(text)).expect("text");
        assert_eq!(cut, Value::from(expected), "{text:?} to {max}");
        assert!(utf16_len(cut.as_text().expect("text")) <= max);
    }
}

#[test]
fn case_and_space_and_length() {
    assert_eq!(take(&Transform::Trim, Value::from(" a b\n")), Ok(Value::from("a b")));
    assert_eq!(take(&Transform::Upper, Value::from("straße")), Ok(Value::from("STRASSE")));
    assert_eq!(take(&Transform::Lower, Value::from("ÀB")), Ok(Value::from("àb")));
}

#[test]
fn patterns_are_found_replaced_and_taken_out() {
    let pattern = |text: &str| text.to_owned();
    let matches = Transform::Matches { pattern: pattern("^\\d{3}$") };
    assert_eq!(take(&matches, Value::from("123")), Ok(Value::from("123")));
    assert_eq!(take(&matches, Value::from("1234")), Err("does not match the pattern".into()));
    let replace = Transform::Replace { pattern: pattern("(\\w+)@(\\w+)"), with: "$2 at $1".into() };
    assert_eq!(take(&replace, Value::from("a@b, c@d")), Ok(Value::from("b at a, d at c")));
    assert_eq!(take(&replace, Value::from("none")), Ok(Value::from("none")));
    assert_eq!(
        take(&Transform::Replace { pattern: pattern("x*"), with: "-".into() }, Value::from("ab")),
        Ok(Value::from("-a-b-"))
    );
    let extract = |text: &str| take(&Transform::Extract { pattern: pattern("id=(\\d+)") }, Value::from(text));
    assert_eq!(extract("?id=42&x"), Ok(Value::from("42")));
    assert_eq!(extract("?x"), Ok(Value::from("")));
    let long = Transform::Replace { pattern: pattern("a"), with: "b".repeat(100_000) };
    assert!(take(&long, Value::from("a".repeat(100))).is_err());
}

#[test]
fn a_hundred_thousand_characters_meet_a_pattern_in_linear_time() {
    let text = "a".repeat(100_000) + "!";
    // Engines that go back and try again take longer than the universe is old.
    assert!(take(&Transform::Matches { pattern: "^(a+)+$".into() }, Value::from(text)).is_err());
}

#[test]
fn numbers_are_scaled_clamped_and_rounded_as_declared() {
    let by = |text: &str| Decimal::parse(text).expect(text);
    for (transform, from, to) in [
        (Transform::Multiply { by: by("0.01") }, "12.5", "0.125"),
        (Transform::Divide { by: by("3") }, "1", "0.3333333333333333333333333333"),
        (Transform::MinutesToSeconds, "1.5", "90"),
        (Transform::Clamp { min: by("0"), max: by("100") }, "120", "100"),
        (Transform::Clamp { min: by("0"), max: by("100") }, "-0.1", "0"),
        (Transform::Maximum { max: by("10") }, "10", "10"),
        (Transform::Number { precision: 5, scale: 2, rounding: Rounding::HalfUp }, "1.005", "1.01"),
        (Transform::Number { precision: 3, scale: 2, rounding: Rounding::Up }, "9.991", "refused"),
        (Transform::Number { precision: 5, scale: 2, rounding: Rounding::Refuse }, "1.005", "refused"),
        (Transform::Maximum { max: by("10") }, "10.0001", "refused"),
        (Transform::Multiply { by: by("1e27") }, "1e27", "refused"),
        (Transform::Multiply { by: by("1e-20") }, "1e-20", "refused"),
        (Transform::Divide { by: by("1e20") }, "1e-20", "refused"),
        (Transform::Multiply { by: by("1e-20") }, "0", "0"),
    ] {
        let result = take(&transform, number(from));
        match to {
            "refused" => assert!(result.is_err(), "{transform:?} {from}"),
            to => assert_eq!(result, Ok(number(to)), "{transform:?} {from}"),
        }
    }
    assert_eq!(take(&Transform::ParseNumber, Value::from(" 1234.50 ")), Ok(number("1234.5")));
    for bad in ["1,5", "1_000", "NaN", "inf", "0x1", "1e400", "ten"] {
        assert!(take(&Transform::ParseNumber, Value::from(bad)).is_err(), "{bad}");
    }
    assert_eq!(take(&Transform::SecondsToMinutes, json("1e400")), Err("a number of more than 28 digits".into()));
}

#[test]
fn lists_are_split_chosen_cut_or_refused() {
    let cut = Transform::JoinList { max: 10, separator: ", ".into(), overflow: Overflow::Cut };
    assert_eq!(take(&cut, list(&["alpha", "be", "gamma"])), Ok(Value::from("alpha, be")));
    assert!(take(&cut, list(&["a very long item"])).is_err());
    let refuse = Transform::JoinList { max: 10, separator: ",".into(), overflow: Overflow::Refuse };
    assert_eq!(take(&refuse, list(&["alpha", "beta"])), Ok(Value::from("alpha,beta")));
    assert!(take(&refuse, list(&["alpha", "betas"])).is_err());
    let split = Transform::SplitList { separator: ";".into() };
    assert_eq!(take(&split, Value::from("a; b;;c")), Ok(list(&["a", "b", "c"])));
    assert_eq!(take(&split, Value::MultiSelect(vec!["a".into(), "b".into()])), Ok(list(&["a", "b"])));
    assert_eq!(
        take(&Transform::MultiSelect, list(&["a", "b", "a", " "])),
        Ok(Value::MultiSelect(vec!["a".into(), "b".into()]))
    );
    assert_eq!(take(&Transform::MultiSelect, Value::from("a")), Ok(Value::MultiSelect(vec!["a".into()])));
    assert_eq!(take(&Transform::MultiSelect, list(&["a;b"])), Err("an item has a semicolon".into()));
    assert_eq!(take(&Transform::MultiSelect, Value::from("a;b")), Err("an item has a semicolon".into()));
}

#[test]
fn a_table_says_what_becomes_of_what_it_does_not_have() {
    let table = || ValueTable::new([("gold", "A"), ("1", "one"), ("true", "yes")]);
    let find = |table: ValueTable, value: Value| take(&Transform::Table(table), value);
    assert_eq!(find(table(), Value::from(" gold ")), Ok(Value::from("A")));
    assert_eq!(find(table(), number("1.0")), Ok(Value::from("one")));
    assert_eq!(find(table(), Value::from(true)), Ok(Value::from("yes")));
    assert_eq!(find(table(), Value::from("GOLD")), Err("not in the table of values".into()));
    assert_eq!(find(table().ignoring_case(), Value::from("GOLD")), Ok(Value::from("A")));
    assert_eq!(find(table().otherwise(Otherwise::Keep), Value::from("x")), Ok(Value::from("x")));
    assert_eq!(find(table().otherwise(Otherwise::Blank), Value::from("x")), Ok(Value::Null));
    assert_eq!(find(table().otherwise(Otherwise::Value("?".into())), Value::from("x")), Ok(Value::from("?")));
    assert!(find(table(), list(&["gold"])).is_err());
}

#[test]
fn a_checkbox_is_read_from_what_is_told_to_mean_true_and_false() {
    for (value, expected) in [("true", true), ("Yes", true), ("1", true), ("OFF", false), ("n", false)] {
        assert_eq!(take(&Transform::boolean(), Value::from(value)), Ok(Value::Bool(expected)), "{value}");
    }
    assert_eq!(take(&Transform::boolean(), number("0.0")), Ok(Value::Bool(false)));
    assert_eq!(take(&Transform::boolean(), Value::from(true)), Ok(Value::Bool(true)));
    assert!(take(&Transform::boolean(), Value::from("maybe")).is_err());
    assert!(take(&Transform::boolean(), number("2")).is_err());
}

#[test]
fn local_times_follow_the_clocks_of_their_zone_over_a_change() {
    let local = |text: &str, ambiguous, skipped| {
        take(&Transform::LocalDateTime { zone: "Europe/Berlin".into(), ambiguous, skipped }, Value::from(text))
    };
    let plain = |text: &str| local(text, Ambiguous::Refuse, Skipped::Refuse);
    assert_eq!(plain("2026-01-15T12:00:00"), Ok(instant_of("2026-01-15T11:00:00Z")));
    assert_eq!(plain("2026-07-15 12:00"), Ok(instant_of("2026-07-15T10:00:00Z")));
    // Clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
    assert_eq!(plain("2026-03-29T01:59:59"), Ok(instant_of("2026-03-29T00:59:59Z")));
    assert_eq!(plain("2026-03-29T02:30:00"), Err("clocks of the zone never show this time".into()));
    assert_eq!(
        local("2026-03-29T02:30:00", Ambiguous::Refuse, Skipped::Forward),
        Ok(instant_of("2026-03-29T01:30:00Z"))
    );
    assert_eq!(plain("2026-03-29T03:00:00"), Ok(instant_of("2026-03-29T01:00:00Z")));
    assert_eq!(plain("2026-10-25T02:30:00"), Err("clocks of the zone show this time twice".into()));
    assert_eq!(
        local("2026-10-25T02:30:00", Ambiguous::Earlier, Skipped::Refuse),
        Ok(instant_of("2026-10-25T00:30:00Z"))
    );
    assert_eq!(local("2026-10-25T02:30:00", Ambiguous::Later, Skipped::Refuse), Ok(instant_of("2026-10-25T01:30:00Z")));
    for bad in
        ["2026-02-30T00:00:00", "2026-05-01T09:00:00Z", "2026-05-01", "0000-01-01T00:00:00", "2016-12-31T23:59:60"]
    {
        assert!(plain(bad).is_err(), "{bad}");
    }
    let samoa = Transform::LocalDateTime {
        zone: "Pacific/Apia".into(),
        ambiguous: Ambiguous::Refuse,
        skipped: Skipped::Forward,
    };
    assert_eq!(take(&samoa, Value::from("2011-12-30T12:00:00")), Ok(instant_of("2011-12-30T22:00:00Z")), "a whole day");
}

#[test]
fn a_day_is_that_of_a_zone_and_days_pass() {
    let day = |zone: &str, text: &str| take(&Transform::Date { zone: zone.into() }, Value::from(text));
    let expected = |text: &str| Ok(Value::Date(Date::parse(text).expect(text)));
    assert_eq!(day("UTC", "2026-05-01T23:30:00Z"), expected("2026-05-01"));
    assert_eq!(day("Europe/Berlin", "2026-05-01T23:30:00Z"), expected("2026-05-02"));
    assert_eq!(day("America/New_York", "2026-05-01T01:00:00.000+0000"), expected("2026-04-30"));
    assert_eq!(day("Europe/Berlin", "2026-05-01"), expected("2026-05-01"));
    for bad in ["2026-02-29", "0000-01-01", "1699-12-31", "10000-01-01", "May 1"] {
        assert!(day("UTC", bad).is_err(), "{bad}");
    }
}

#[test]
fn seconds_and_milliseconds_since_1970_are_instants_and_back() {
    let at = instant_of("2026-05-01T07:25:37Z");
    assert_eq!(take(&Transform::EpochSeconds, number("1777620337")), Ok(at.clone()));
    assert_eq!(take(&Transform::EpochMilliseconds, number("1777620337999")), Ok(at.clone()));
    assert_eq!(take(&Transform::EpochSeconds, number("-0.5")), Ok(instant_of("1969-12-31T23:59:59Z")));
    assert_eq!(take(&Transform::ToEpochSeconds, at.clone()), Ok(number("1777620337")));
    assert_eq!(take(&Transform::ToEpochMilliseconds, at), Ok(number("1777620337000")));
    for bad in ["1e18", "-1e18", "-9000000000"] {
        assert!(take(&Transform::EpochSeconds, number(bad)).is_err(), "{bad}");
    }
}

#[test]
fn record_ids_get_their_18_characters_and_may_be_of_one_object() {
    let any = Transform::RecordId { prefix: None };
    let contact = Transform::RecordId { prefix: Some("003".into()) };
    let id = Value::Id(RecordId::new("003dM00001wBXYDQA4").expect("recorded"));
    assert_eq!(take(&any, Value::from("003dM00001wBXYD")), Ok(id.clone()));
    assert_eq!(take(&contact, id.clone()), Ok(id));
    assert!(take(&contact, Value::from("001dM00003kRs59QAC")).is_err());
    assert!(take(&any, Value::from("003dM00001wBXYDQA5")).is_err(), "a wrong checksum");
}
