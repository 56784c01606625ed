//! The join key of a source record, and the same key of a row.

use super::domain;
use super::facts::{KeyKind, StepFacts};
use super::normalise::Normaliser;
use super::outcome::NoKey;
use super::plan::{JoinKey, MatchStep};
use crate::types::{Decimal, LikePattern, Literal, Record, RecordId, SObjectName, Value};

/// Characters of a text in a WHERE. Source: SOQL reference, "SOQL and SOSL Limits".
const MAX_TEXT_CHARS: usize = 4_000;

/// What a source record is looked up by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceKey {
    /// In comparable form; the first with a hit decides.
    pub(super) chain: Vec<String>,
    /// What to ask the org for, each with the form in which equal ones are equal.
    pub(super) search: Vec<(String, Literal)>,
}

impl SourceKey {
    pub(super) fn of(step: &MatchStep, facts: &StepFacts, record: &Record) -> Result<Self, NoKey> {
        let value = record.path(step.key.source()).filter(|value| !value.is_blank()).ok_or(NoKey::Blank)?;
        match &step.key {
            JoinKey::Id { .. } | JoinKey::Parent { .. } => Self::of_id(value, &step.object),
            JoinKey::Contact { .. } => Self::of_id(value, &SObjectName::from_static("Contact")),
            key => match facts.kind {
                KeyKind::Id => Self::of_id(value, &SObjectName::from_static("Name")),
                KeyKind::Number => Self::of_number(value),
                KeyKind::Text | KeyKind::CaseSensitive => {
                    let text = text_of(value).ok_or(NoKey::NotAText)?;
                    if written_chars(&text) > MAX_TEXT_CHARS {
                        return Err(NoKey::TooLong);
                    }
                    Self::of_text(key, facts, &text)
                }
            },
        }
    }

    fn of_id(value: &Value, object: &SObjectName) -> Result<Self, NoKey> {
        let text = text_of(value).ok_or(NoKey::NotAnId)?;
        let id = RecordId::new(text.trim()).map_err(|_| NoKey::NotAnId)?;
        if key_prefix(object).is_some_and(|prefix| prefix != id.key_prefix()) {
            return Err(NoKey::ForeignId);
        }
        Ok(Self { chain: vec![id.to_string()], search: vec![(id.to_string(), Literal::Id(id))] })
    }

    fn of_number(value: &Value) -> Result<Self, NoKey> {
        let number = number_of(value).ok_or(NoKey::NotANumber)?;
        Ok(Self { chain: vec![number.to_string()], search: vec![(number.to_string(), Literal::Number(number))] })
    }

    fn of_text(key: &JoinKey, facts: &StepFacts, text: &str) -> Result<Self, NoKey> {
        let kind = facts.kind;
        if let JoinKey::Domain { exclude, .. } = key {
            let host = host_of(text).ok_or(NoKey::NotADomain)?;
            let chain = domain::chain(&host, exclude)?;
            // What contains the longer ones contains the registered one.
            let registered = chain.last().cloned().unwrap_or(host);
            return Ok(Self { chain, search: vec![(registered.clone(), LikePattern::contains(&registered).into())] });
        }
        let normal = normal_text(key, kind, text).ok_or(NoKey::NotAnEmail)?;
        if normal.is_empty() {
            return Err(NoKey::Blank);
        }
        let Some(normaliser) = normaliser(key, kind) else {
            let mut search = vec![text.trim().to_lowercase()];
            // An address in the org may lack the tag, the dots, or both.
            for form in key.email_rules().forms(text) {
                if !search.contains(&form) {
                    search.push(form);
                }
            }
            let search = search.into_iter().map(|text| (text.clone(), Literal::Text(text))).collect();
            return Ok(Self { chain: vec![normal], search });
        };
        let literal = normaliser.search(text, facts.likes);
        let equal = match &literal {
            Literal::Text(text) if kind == KeyKind::CaseSensitive => text.clone(),
            Literal::Text(text) => text.to_lowercase(),
            // A pattern takes no notice of case or blanks, as the normal form.
            _ => normal.clone(),
        };
        let search = vec![(equal, literal)];
        Ok(Self { chain: vec![normal], search })
    }
}

/// Characters that a text takes in a query, at most: an escape counts as it is written, and a blank may bring a wildcard.
fn written_chars(text: &str) -> usize {
    let written = |character: char| match character {
        '\'' | '\\' | '%' | '_' | ' ' => 2,
        '\u{2028}' | '\u{2029}' => 6,
        character if character.is_control() => 6,
        _ => 1,
    };
    text.chars().map(written).sum()
}

/// How a text key compares; `None` for an email address.
fn normaliser(key: &JoinKey, kind: KeyKind) -> Option<Normaliser> {
    Some(match key {
        JoinKey::Custom { normaliser, .. } => *normaliser,
        JoinKey::Name { .. } => Normaliser::Words,
        JoinKey::Email { .. } | JoinKey::PersonEmail { .. } => return None,
        _ if kind == KeyKind::CaseSensitive => Normaliser::Trim,
        _ => Normaliser::Lower,
    })
}

fn normal_text(key: &JoinKey, kind: KeyKind, text: &str) -> Option<String> {
    match normaliser(key, kind) {
        Some(normaliser) => Some(normaliser.normal(text)),
        None => key.email_rules().normal(text),
    }
}

/// The comparable form of a row's value.
pub(super) fn normal_of_row(key: &JoinKey, kind: KeyKind, value: &Value) -> Option<String> {
    match (key, kind) {
        (JoinKey::Id { .. } | JoinKey::Contact { .. }, _) | (_, KeyKind::Id) => value.to_id().map(|id| id.to_string()),
        (_, KeyKind::Number) => number_of(value).map(|number| number.to_string()),
        (JoinKey::Domain { .. }, _) => domain::website_host(value.as_text()?),
        _ => normal_text(key, kind, value.as_text()?),
    }
}

fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Id(id) => id.to_string(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    })
}

fn number_of(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => Decimal::parse(text.trim()).ok(),
        _ => None,
    }
}

/// The host in an email address or a website.
fn host_of(text: &str) -> Option<String> {
    let text = text.trim();
    let is_address = text.contains('@') && !text.contains('/');
    let host = if is_address { text.rsplit_once('@')?.1.trim_end_matches('.') } else { text };
    domain::website_host(host)
}

/// The first characters of an object's ids, where every org has the same. Wire facts 9, recorded: describe global.
fn key_prefix(object: &SObjectName) -> Option<&'static str> {
    Some(match object.as_str() {
        "Account" => "001",
        "Contact" => "003",
        "Lead" => "00Q",
        "Opportunity" => "006",
        _ => return None,
    })
}
