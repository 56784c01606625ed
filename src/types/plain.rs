//! Values in configuration files: plain text, numbers and flags, in any self-describing format.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};

use super::{Decimal, Value};

/// A value as a person writes it in a configuration file, JSON or TOML: a text, a number, a flag, or a list of them.
///
/// A parser that keeps the text of its numbers hands it over, and the number is exact. Another one (`serde_json`, `toml`) hands
/// a fraction over as a float. Up to 15 digits that is the number that was written; a float whose shortest form has more digits
/// is refused, and has to be put in quotes where a number is asked for. What such a parser has rounded to fewer digits cannot be
/// told from a number that was written so: `1.00000000000000000001` is 1 to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plain(pub(crate) Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PLAIN, PlainVisitor).map(Self)
    }
}

/// The name by which a parser knows that the text of a number is asked for; it hands it over as bytes.
pub(crate) const PLAIN: &str = "sforce::Plain";

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, or a list of these")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bytes<E: de::Error>(self, number: &[u8]) -> Result<Value, E> {
        parse(std::str::from_utf8(number).unwrap_or_default()).map(Value::Number)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        parse(&number.to_string()).map(Value::Number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        from_float(number).map(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }
}

fn parse<E: de::Error>(text: &str) -> Result<Decimal, E> {
    Decimal::parse(text).map_err(|error| E::custom(error.message().to_owned()))
}

/// The shortest decimal that reads as this float is what was written, if that had at most 15 digits.
fn from_float<E: de::Error>(number: f64) -> Result<Decimal, E> {
    let text = format!("{number}");
    let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if digits > 15 {
        return Err(E::custom("a number of more than 15 digits: put it in quotes"));
    }
    parse(&text)
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => decimal::serialize(number, serializer),
            Value::List(items) => serializer.collect_seq(items.iter().map(|item| Self(item.clone()))),
            Value::Text(text) => serializer.serialize_str(text),
            Value::DateTime(moment) => moment.serialize(serializer),
            Value::Date(day) => day.serialize(serializer),
            Value::Id(id) => id.serialize(serializer),
            _ => Err(ser::Error::custom("a configuration file holds texts, numbers, flags and lists of them")),
        }
    }
}

/// For `#[serde(with = …)]`: an exact number in a configuration file, as a number or in quotes.
pub(crate) mod decimal {
    use super::{Decimal, Deserialize, Deserializer, Plain, Serializer, Value, de, parse};

    pub(crate) fn serialize<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        let text = number.to_string();
        if let Ok(whole) = text.parse::<i64>() {
            return serializer.serialize_i64(whole);
        }
        match text.parse::<f64>() {
            Ok(float) if super::from_float::<de::value::Error>(float).is_ok_and(|read| read == *number) => {
                serializer.serialize_f64(float)
            }
            _ => serializer.serialize_str(&text),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        match Plain::deserialize(deserializer)?.0 {
            Value::Number(number) => Ok(number),
            Value::Text(text) => parse(&text),
            _ => Err(de::Error::custom("not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Exact(#[serde(with = "decimal")] Decimal);

    #[test]
    fn a_number_is_read_as_it_was_written_or_refused() {
        let exact = |text: &str| serde_json::from_str::<Exact>(text);
        for text in ["0.1", "-12.345", "1000000", "123456789012.345", "\"0.12345678901234567890\""] {
            let number = exact(text).expect(text);
            assert_eq!(number.0, Decimal::parse(text.trim_matches('"')).expect(text));
            let written = serde_json::to_string(&number).expect("serialises");
            assert_eq!(exact(&written).expect("reads its own"), number);
        }
        for text in ["0.12345678901234567", "\"ten\"", "true", "[1]"] {
            assert!(exact(text).is_err(), "{text}");
        }
    }
}
