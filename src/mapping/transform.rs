//! What can be done to a value on its way. Each step is pure and says in a few words why it refuses.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::types::{Decimal, Value};

/// One step on a value's way to its field. Steps see no blank values: those become null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Transform {
    /// One line of text: trimmed, each run of tabs and line ends one space, other control characters refused.
    Text,
    /// Refuses text longer than `max`, counted as Salesforce does, in UTF-16 units.
    MaxLength {
        /// UTF-16 units.
        max: usize,
    },
    /// Refuses what is no email address with a domain that has a dot.
    Email,
    /// An instant in whole seconds, which is what Salesforce stores; years 1700 to 4000.
    DateTime,
    /// A number from `min`.
    Minimum {
        /// The smallest number allowed.
        min: Decimal,
    },
    /// Seconds to minutes.
    SecondsToMinutes,
    /// A number with `scale` digits after the point, rounded half to even; too many before the point are refused.
    Number {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A whole number of at most `precision` digits; a fraction is refused, not rounded.
    WholeNumber {
        /// Digits in all.
        precision: u32,
    },
    /// A list of texts joined by `; `. What does not fit `max` UTF-16 units is cut at an item's edge and counted:
    /// `first; second; +3 more`.
    JoinList {
        /// UTF-16 units.
        max: usize,
    },
}

impl Transform {
    /// Takes the step. The reason of a refusal never quotes the value.
    pub(super) fn apply(&self, value: Value) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::Text(one_line(text(&value)?)?.into_owned())),
            Self::MaxLength { max } => {
                let length = utf16_len(text(&value)?);
                if length > *max { Err(format!("longer than {max} characters ({length})")) } else { Ok(value) }
            }
            Self::Email => {
                let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
                match EmailAddress::parse_with_options(text(&value)?, options) {
                    Ok(_) => Ok(value),
                    Err(_) => Err("not an email address".into()),
                }
            }
            Self::DateTime => {
                if !matches!(value, Value::Text(_) | Value::DateTime(_)) {
                    return Err("not a date and time in quotes".into());
                }
                let moment =
                    value.to_timestamp().ok_or("not a date and time with offset, such as 2026-05-01T07:25:37Z")?;
                // Source: SOAP API Developer Guide, "Primitive Data Types", dateTime.
                if !(1700..=4000).contains(&moment.year()) {
                    return Err("the year is outside 1700 to 4000".into());
                }
                Ok(Value::DateTime(moment.whole_seconds()))
            }
            Self::Minimum { min } if number(&value)? < *min => Err(format!("less than {min}")),
            Self::Minimum { .. } => Ok(value),
            Self::SecondsToMinutes => {
                let minutes = number(&value)?.checked_div(Decimal::from(60_u32)).ok_or("out of range")?;
                Ok(Value::Number(minutes))
            }
            Self::Number { precision, scale } => {
                let number = number(&value)?.round_half_even(*scale);
                fits(number, precision.saturating_sub(*scale))
            }
            Self::WholeNumber { precision } => {
                let number = number(&value)?;
                if number.is_whole() { fits(number, *precision) } else { Err("not a whole number".into()) }
            }
            Self::JoinList { max } => join(value, *max),
        }
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_text().ok_or_else(|| "not text".into())
}

fn number(value: &Value) -> Result<Decimal, String> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::OutOfRange(_) => Err("a number of more than 28 digits".into()),
        _ => Err("not a number".into()),
    }
}

fn fits(number: Decimal, integer_digits: u32) -> Result<Value, String> {
    if number.integer_digits() > integer_digits {
        Err(format!("more than {integer_digits} digits before the point"))
    } else {
        Ok(Value::Number(number))
    }
}

/// Characters as Salesforce counts them.
fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Whether a text has a control character other than tab and line ends. Some of them count as white space, so this comes
/// before any trimming.
fn has_control(text: &str) -> bool {
    text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Whether a value is blank, and no control character hides in it.
pub(super) fn is_plainly_blank(value: &Value) -> bool {
    value.is_blank() && !value.as_text().is_some_and(has_control)
}

fn one_line(text: &str) -> Result<Cow<'_, str>, String> {
    let breaks = |c: char| matches!(c, '\t' | '\n' | '\r');
    if has_control(text) {
        return Err("a control character".into());
    }
    let text = text.trim();
    if !text.contains(breaks) {
        return Ok(text.into());
    }
    let parts: Vec<&str> = text.split(breaks).filter(|part| !part.is_empty()).collect();
    Ok(parts.join(" ").into())
}

fn join(value: Value, max: usize) -> Result<Value, String> {
    const SEPARATOR: &str = "; ";
    let Value::List(items) = value else { return Err("not a list".into()) };
    let mut texts = Vec::with_capacity(items.len());
    for item in &items {
        if is_plainly_blank(item) {
            continue;
        }
        let item = item.as_text().ok_or("an item is not text")?;
        texts.push(one_line(item).map_err(|reason| format!("an item has {reason}"))?);
    }
    let whole = texts.join(SEPARATOR);
    if utf16_len(&whole) <= max {
        return Ok(Value::Text(whole));
    }
    // Not all fit, so the number left out has to fit too. The longest cut that does is the first from the end.
    let mut length = utf16_len(&whole);
    for kept in (0..texts.len()).rev() {
        length -= utf16_len(&texts[kept]) + if kept == 0 { 0 } else { SEPARATOR.len() };
        let more = format!("+{} more", texts.len() - kept);
        if length + if kept == 0 { 0 } else { SEPARATOR.len() } + more.len() <= max {
            texts.truncate(kept);
            texts.push(more.into());
            return Ok(Value::Text(texts.join(SEPARATOR)));
        }
    }
    Err(format!("not even the number of items fits {max} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Timestamp;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).expect(text)
    }

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().copied().map(Value::from).collect())
    }

    #[test]
    fn tabs_and_line_ends_become_one_space_and_other_controls_are_refused() {
        let text = Transform::Text.apply(Value::from("\u{a0} a\t\tb\r\nc 🙂 مرحبا \n")).expect("clean");
        assert_eq!(text, Value::from("a b c 🙂 مرحبا"));
        for bad in ["\u{b}a", "a\u{c}", "\u{85}", "a\0b", "a\u{1b}[31m", "a\u{7f}", "a\u{85}b"] {
            assert_eq!(Transform::Text.apply(Value::from(bad)), Err("a control character".into()));
        }
        assert_eq!(Transform::Text.apply(json("5")), Err("not text".into()));
    }

    #[test]
    fn length_counts_utf16_units() {
        let max = Transform::MaxLength { max: 4 };
        assert!(max.apply(Value::from("🙂🙂")).is_ok());
        assert_eq!(max.apply(Value::from("🙂🙂a")), Err("longer than 4 characters (5)".into()));
    }

    #[test]
    fn email_addresses_have_a_domain_with_a_dot() {
        for good in ["ada@example.com", "o'neil+tag@mail.example.co.uk", "grüße@exämple.de"] {
            assert!(Transform::Email.apply(Value::from(good)).is_ok(), "{good}");
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
            assert_eq!(Transform::Email.apply(Value::from(bad)), Err("not an email address".into()), "{bad}");
        }
    }

    #[test]
    fn nav_4_instants_are_whole_seconds_in_utc_from_any_offset() {
        let moment = Transform::DateTime.apply(Value::from("2026-05-01T09:25:37.9+02:00")).expect("valid");
        assert_eq!(moment, Value::DateTime(Timestamp::parse("2026-05-01T07:25:37Z").expect("valid")));
        for bad in ["2026-02-30T00:00:00Z", "1699-12-31T23:59:59Z", "4001-01-01T00:00:00Z", "2026-05-01"] {
            assert!(Transform::DateTime.apply(Value::from(bad)).is_err(), "{bad}");
        }
        assert_eq!(Transform::DateTime.apply(json("1714548337")), Err("not a date and time in quotes".into()));
    }

    #[test]
    fn nav_6_seconds_become_minutes_of_three_decimals_half_to_even() {
        let steps = [
            Transform::Minimum { min: Decimal::ZERO },
            Transform::SecondsToMinutes,
            Transform::Number { precision: 18, scale: 3 },
        ];
        let minutes = |text: &str| steps.iter().try_fold(json(text), |value, step| step.apply(value));
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
        assert_eq!(whole.apply(json("3.5")), Err("not a whole number".into()));
        assert_eq!(whole.apply(json("3.0")), whole.apply(json("3")));
        assert!(whole.apply(json("1e18")).is_err());
    }

    #[test]
    fn nav_8_lists_are_cut_at_an_items_edge_with_the_number_left_out() {
        let join = |max: usize, items: &[&str]| Transform::JoinList { max }.apply(list(items));
        assert_eq!(join(255, &["a", " ", "b; c"]), Ok(Value::from("a; b; c")));
        assert_eq!(join(18, &["alpha", "beta", "gamma"]), Ok(Value::from("alpha; beta; gamma")));
        assert_eq!(join(17, &["alpha", "beta", "gamma"]), Ok(Value::from("alpha; +2 more")));
        assert_eq!(join(16, &["alpha", "beta", "gamma", "delta"]), Ok(Value::from("alpha; +3 more")));
        assert_eq!(join(10, &["a very long item"]), Ok(Value::from("+1 more")));
        assert_eq!(join(255, &[]), Ok(Value::from("")));
        assert_eq!(Transform::JoinList { max: 255 }.apply(json("[1]")), Err("an item is not text".into()));
        assert_eq!(Transform::JoinList { max: 255 }.apply(json("\"a\"")), Err("not a list".into()));
        let many: Vec<String> = (0..100).map(|number| format!("Demo {number} 🙂")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let Ok(Value::Text(text)) = join(255, &many) else { panic!("joins") };
        let kept = text.matches("Demo").count();
        assert!(utf16_len(&text) <= 255 && text.ends_with(&format!("; +{} more", 100 - kept)), "{text}");
    }
}
