//! The form of policies in files.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::names::ByName;
use super::object::object;
use super::policy::{ConflictPolicy, DeleteRule, Policy, Recency, Side};
use crate::types::{Decimal, Direction, plain};

/// The parameters that stand beside a policy's name.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parts {
    name: Option<String>,
    stamp_field: Option<String>,
    skew_seconds: Option<Seconds>,
    tie: Option<Side>,
    ranking: Option<Vec<String>>,
    then: Option<Box<Policy>>,
}

/// Milliseconds, in a file as seconds with up to three decimals.
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;

        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds from 0, with up to three decimals")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                let millis = seconds.checked_mul(1000).map(Seconds);
                millis.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(seconds), &self))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                let from_0 =
                    u64::try_from(seconds).map_err(|_| E::invalid_value(Unexpected::Signed(seconds), &self))?;
                self.visit_u64(from_0)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                // The shortest decimal that reads as this float is what was written.
                let written = Decimal::parse(&seconds.to_string()).ok();
                let millis = written.and_then(|seconds| seconds.checked_mul(Decimal::from(1000_u32)));
                let millis = millis.and_then(|millis| millis.to_string().parse().ok()).map(Seconds);
                millis.ok_or_else(|| E::invalid_value(Unexpected::Float(seconds), &self))
            }
        }

        deserializer.deserialize_any(SecondsVisitor)
    }
}

impl Parts {
    fn named(self) -> Result<Policy, String> {
        let recency = Recency {
            stamp_field: self.stamp_field,
            skew_millis: self.skew_seconds.map_or(0, |Seconds(millis)| millis),
            tie: self.tie.unwrap_or_default(),
        };
        let name = self.name.ok_or_else(|| "a policy needs a \"name\"".to_owned())?;
        Ok(match name.as_str() {
            "salesforce_wins" => Policy::SalesforceWins,
            "source_wins" => Policy::SourceWins,
            "most_recent" => Policy::MostRecent(recency),
            "salesforce_unless_blank" => Policy::SalesforceUnlessBlank,
            "source_unless_blank" => Policy::SourceUnlessBlank,
            "source_ranking" => Policy::SourceRanking { ranking: ranking(self.ranking)?, recency },
            "ask" => Policy::Ask,
            "custom" => Policy::Custom,
            "never" => Policy::Never,
            "fill_blanks" => Policy::FillBlanks,
            "value_beats_blank" => {
                Policy::ValueBeatsBlank { then: self.then.unwrap_or_else(|| Box::new(Policy::SalesforceWins)) }
            }
            "max" => Policy::Max,
            "min" => Policy::Min,
            "sum" => Policy::Sum,
            "append_unique" => Policy::AppendUnique,
            "first_touch" => Policy::FirstTouch(recency),
            other => return Err(format!("no policy is named {other:?}; the names are {}", Policy::NAMES.join(", "))),
        })
    }
}

fn ranking(ranking: Option<Vec<String>>) -> Result<Vec<String>, String> {
    let ranking = ranking.unwrap_or_default();
    if ranking.is_empty() {
        return Err("source_ranking needs a \"ranking\", such as [\"salesforce\", \"source\"]".into());
    }
    match ranking.iter().enumerate().find(|(place, origin)| ranking[..*place].contains(origin)) {
        Some((_, origin)) => Err(format!("{origin:?} stands twice in the ranking")),
        None => Ok(ranking),
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PolicyVisitor;

        impl<'de> Visitor<'de> for PolicyVisitor {
            type Value = Policy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy's name, or an object of \"name\" and parameters")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Policy, E> {
                Parts { name: Some(name.to_owned()), ..Parts::default() }.named().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Policy, A::Error> {
                Parts::deserialize(MapAccessDeserializer::new(map))?.named().map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(PolicyVisitor)
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recency = match self {
            Self::MostRecent(recency) | Self::FirstTouch(recency) | Self::SourceRanking { recency, .. } => {
                Some(recency)
            }
            _ => None,
        };
        let plain = recency.is_none_or(|recency| *recency == Recency::default());
        if plain && !matches!(self, Self::SourceRanking { .. } | Self::ValueBeatsBlank { .. }) {
            return serializer.serialize_str(self.name());
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name())?;
        if let Self::SourceRanking { ranking, .. } = self {
            map.serialize_entry("ranking", ranking)?;
        }
        if let Self::ValueBeatsBlank { then } = self {
            map.serialize_entry("then", then)?;
        }
        if let Some(Recency { stamp_field, skew_millis, tie }) = recency {
            if let Some(field) = stamp_field {
                map.serialize_entry("stamp_field", field)?;
            }
            if *skew_millis > 0 {
                map.serialize_entry("skew_seconds", &Skew(*skew_millis))?;
            }
            if *tie != Side::default() {
                map.serialize_entry("tie", tie)?;
            }
        }
        map.end()
    }
}

struct Skew(u64);

impl Serialize for Skew {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = Decimal::parse(&self.0.to_string()).ok();
        let seconds = millis.and_then(|millis| millis.checked_div(Decimal::from(1000_u32)));
        plain::decimal::serialize(&seconds.unwrap_or_default(), serializer)
    }
}

/// The form of a record's policy in a file. Null is as good as left out.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    default: Option<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<ByName<Policy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directions: Option<ByName<Direction>>,
    delete: Option<DeleteRule>,
}

impl<'de> Deserialize<'de> for ConflictPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let File { default, fields, directions, delete } =
            object(deserializer, "policies: an object with \"default\" and \"fields\"")?;
        Ok(Self {
            default: default.unwrap_or_default(),
            fields: fields.unwrap_or_default(),
            directions: directions.unwrap_or_default(),
            delete: delete.unwrap_or_default(),
            ..Self::default()
        })
    }
}

impl Serialize for ConflictPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { default, fields, directions, delete, .. } = self.clone();
        let (fields, directions) = (some(fields), some(directions));
        File { default: Some(default), fields, directions, delete: Some(delete) }.serialize(serializer)
    }
}

fn some<T>(names: ByName<T>) -> Option<ByName<T>> {
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_and_written() {
        for name in Policy::NAMES {
            let text = match name {
                "source_ranking" => format!(r#"{{"name":"{name}","ranking":["source","salesforce"]}}"#),
                "value_beats_blank" => format!(r#"{{"name":"{name}","then":"ask"}}"#),
                "most_recent" | "first_touch" => {
                    format!(r#"{{"name":"{name}","stamp_field":"At__c","skew_seconds":1.5,"tie":"source"}}"#)
                }
                _ => format!("\"{name}\""),
            };
            let policy: Policy = serde_json::from_str(&text).expect(&text);
            assert_eq!(policy.name(), name);
            assert_eq!(serde_json::to_string(&policy).expect("serialises"), text);
        }
        let policy: Policy = serde_json::from_str("\"most_recent\"").expect("a name alone");
        assert_eq!(policy, Policy::most_recent());
    }

    #[test]
    fn a_skew_is_what_was_written_to_the_millisecond() {
        let millis = |text: &str| {
            let policy =
                serde_json::from_str(&format!(r#"{{"name":"most_recent","skew_seconds":{text}}}"#)).expect(text);
            let Policy::MostRecent(recency) = policy else { panic!("{policy:?}") };
            recency.skew_millis
        };
        for (text, found) in [
            ("0", 0),
            ("-0", 0),
            ("0.001", 1),
            ("2.675", 2675),
            ("2.50", 2500),
            ("60", 60_000),
            ("1e3", 1_000_000),
            ("1e15", 1_000_000_000_000_000_000),
            ("1234567890123.456", 1_234_567_890_123_456),
        ] {
            assert_eq!(millis(text), found, "{text}");
        }
        let policy: ConflictPolicy =
            toml::from_str("default = { name = 'most_recent', skew_seconds = 0.25 }").expect("reads");
        assert_eq!(policy.default, Policy::MostRecent(Recency { skew_millis: 250, ..Recency::default() }));
        assert!(toml::from_str::<ConflictPolicy>("default = { name = 'most_recent', skew_seconds = nan }").is_err());
    }

    #[test]
    fn a_policy_file_survives_and_mistakes_are_told() {
        let text = r#"{"default":"most_recent","fields":{"A__c":"max"},"directions":{"B__c":"from_salesforce"},"delete":"edit_wins"}"#;
        let policy: ConflictPolicy = serde_json::from_str(text).expect("reads");
        assert_eq!(serde_json::to_string(&policy).expect("serialises"), text);
        for (bad, says) in [
            (r#"{"default":"newest"}"#, "the names are salesforce_wins, source_wins"),
            (r#"{"default":{"name":"most_recent","skew":1}}"#, "unknown field `skew`"),
            (r#"{"default":{"name":"most_recent","skew_seconds":-1}}"#, "from 0"),
            (r#"{"default":{"name":"most_recent","skew_seconds":-0.5}}"#, "from 0"),
            (r#"{"default":{"name":"most_recent","skew_seconds":0.0004}}"#, "up to three decimals"),
            (r#"{"default":{"name":"most_recent","skew_seconds":"2"}}"#, "a number of seconds"),
            (r#"{"default":{"name":"most_recent","skew_seconds":[2]}}"#, "a number of seconds"),
            (r#"{"default":{"name":"most_recent","skew_seconds":1e300}}"#, "a number of seconds"),
            (r#"{"default":{"name":"most_recent","skew_seconds":18446744073709551615}}"#, "a number of seconds"),
            (r#"{"default":{"name":"most_recent","tie":"both"}}"#, "unknown variant `both`"),
            (r#"{"default":{"tie":"source"}}"#, "needs a \"name\""),
            (r#"{"default":"source_ranking"}"#, "needs a \"ranking\""),
            (r#"{"default":{"name":"source_ranking","ranking":["a","a"]}}"#, "twice"),
            (r#"{"default":"ask","fields":{"A":"max","a":"min"}}"#, "occurs twice"),
            (r#"{"default":5}"#, "a policy's name"),
            (r#"{"default":["most_recent",null,2]}"#, "a policy's name"),
            (r#"["ask",null,null,null]"#, "an object with \"default\""),
            (r#"{"default":{"name":"value_beats_blank","then":["ask"]}}"#, "a policy's name"),
            (r#"{"defaults":"ask"}"#, "unknown field `defaults`"),
        ] {
            let error = serde_json::from_str::<ConflictPolicy>(bad).expect_err(bad).to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }
}
