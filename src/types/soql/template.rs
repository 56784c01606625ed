//! A raw statement with `:name` in the place of values.

use super::{Literal, MAX_SOQL_CHARS, invalid};
use crate::error::Result;

/// A statement cut at its parameters.
#[derive(Debug)]
pub(super) struct Template<'a> {
    /// One text before each parameter, and one behind the last.
    texts: Vec<&'a str>,
    parameters: Vec<Parameter<'a>>,
}

#[derive(Debug)]
struct Parameter<'a> {
    name: &'a str,
    place: Place,
}

/// What stands before a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Value,
    Pattern,
    List { negated: bool },
}

impl<'a> Template<'a> {
    /// Finds the parameters: a colon and a name, outside string literals and comments.
    pub(super) fn parse(statement: &'a str) -> Result<Self> {
        let mut template = Self { texts: Vec::new(), parameters: Vec::new() };
        let bytes = statement.as_bytes();
        let (mut at, mut start) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            let next = bytes.get(at + 1);
            match (byte, next) {
                (b'\'', _) => at = end_of_literal(bytes, at)?,
                (b'/', Some(b'*')) => {
                    let end = statement[at + 2..].find("*/");
                    at += end.ok_or_else(|| invalid("a comment is not closed").with_context("at byte", at))? + 4;
                }
                (b'/', Some(b'/')) => at += statement[at..].find('\n').unwrap_or(statement.len() - at),
                (b':', Some(letter)) if letter.is_ascii_alphabetic() => {
                    let behind = &statement[at + 1..];
                    let length = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
                    let name = &behind[..length];
                    // `LAST_N_DAYS:n` is one word; a value in the place of its `:n` would be another one.
                    if at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') {
                        return Err(invalid("a parameter stands right behind a word")
                            .with_context("name", name)
                            .with_advice("bind the whole value, a DateLiteral for LAST_N_DAYS:n and the like"));
                    }
                    template.texts.push(&statement[start..at]);
                    template.parameters.push(Parameter { name, place: Place::behind(&statement[..at]) });
                    at += 1 + length;
                    start = at;
                }
                _ => at += 1,
            }
        }
        template.texts.push(&statement[start..]);
        Ok(template)
    }

    /// Refuses values that do not fit the parameters, and names that have none or several.
    pub(super) fn check(&self, values: &[(&str, Literal)]) -> Result<()> {
        for (index, (name, value)) in values.iter().enumerate() {
            if values[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid("two values are bound to one name").with_context("name", name));
            }
            if !self.parameters.iter().any(|parameter| parameter.name == *name) {
                return Err(invalid("a bound value is not used").with_context("name", name).with_advice(
                    "names stand as :name in the statement, outside string literals and comments; their case counts",
                ));
            }
            for parameter in self.parameters.iter().filter(|parameter| parameter.name == *name) {
                parameter.place.check(value).map_err(|error| error.with_context("name", name))?;
            }
        }
        match self.parameters.iter().find(|parameter| !values.iter().any(|(name, _)| *name == parameter.name)) {
            Some(missing) => Err(invalid("no value is bound to a name").with_context("name", missing.name)),
            None => Ok(()),
        }
    }

    /// The statement with its values, which have been [checked](Self::check).
    pub(super) fn write(&self, values: &[(&str, Literal)]) -> Result<String> {
        let mut out = String::with_capacity(self.texts.iter().map(|text| text.len() + 32).sum());
        for (index, text) in self.texts.iter().enumerate() {
            out.push_str(text);
            if let Some(parameter) = self.parameters.get(index)
                && let Some((_, value)) = values.iter().find(|(name, _)| *name == parameter.name)
            {
                value.write(&mut out).map_err(|error| error.with_context("name", parameter.name))?;
            }
        }
        if out.len() > MAX_SOQL_CHARS && out.chars().count() > MAX_SOQL_CHARS {
            return Err(super::too_long());
        }
        Ok(out)
    }

    /// How often a parameter stands in the statement.
    pub(super) fn count(&self, name: &str) -> usize {
        self.parameters.iter().filter(|parameter| parameter.name == name).count()
    }

    /// Whether a parameter is the list of a NOT IN or an EXCLUDES anywhere.
    pub(super) fn is_negated(&self, name: &str) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.name == name && parameter.place == Place::List { negated: true })
    }
}

/// Behind the closing quote of the literal that opens at `start`.
fn end_of_literal(bytes: &[u8], start: usize) -> Result<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None => return Err(invalid("a string literal is not closed").with_context("at byte", start)),
            Some(b'\\') => at += 2,
            Some(b'\'') => return Ok(at + 1),
            Some(_) => at += 1,
        }
    }
}

impl Place {
    /// By the words before.
    fn behind(text: &str) -> Self {
        let mut words = text.split_ascii_whitespace().rev();
        let last = words.next().filter(|_| text.ends_with(|c: char| c.is_ascii_whitespace())).unwrap_or_default();
        let is = |word: &str| last.eq_ignore_ascii_case(word);
        if is("LIKE") {
            Self::Pattern
        } else if is("IN") {
            Self::List { negated: words.next().is_some_and(|word| word.eq_ignore_ascii_case("NOT")) }
        } else if is("INCLUDES") {
            Self::List { negated: false }
        } else if is("EXCLUDES") {
            Self::List { negated: true }
        } else {
            Self::Value
        }
    }

    fn check(self, value: &Literal) -> Result<()> {
        match (self, value) {
            (Self::Pattern, Literal::Pattern(_)) | (Self::List { .. }, Literal::List(_)) => Ok(()),
            (Self::Pattern, _) => Err(invalid("LIKE takes a pattern").with_advice(
                "bind a LikePattern, such as LikePattern::starts_with: in it % and _ are what they are meant to be",
            )),
            (Self::List { .. }, _) => Err(invalid("a single value is bound where a list stands")
                .with_advice("IN, INCLUDES and EXCLUDES take a list: bind a Vec or a slice")),
            (Self::Value, Literal::Pattern(_)) => {
                Err(invalid("a pattern is bound where a value stands").with_advice("patterns belong behind LIKE"))
            }
            (Self::Value, Literal::List(_)) => Err(invalid("a list is bound where a value stands")
                .with_advice("lists belong behind IN, INCLUDES or EXCLUDES, without parentheses of your own")),
            (Self::Value, _) => Ok(()),
        }
    }
}
