//! The clauses of a SOSL statement.

use super::super::soql::SoqlError;
use super::{Group, Search, Target, expression, malformed};

pub(crate) fn parse(source: &str) -> Result<Search, SoqlError> {
    let mut reader = Reader { source, at: 0 };
    if !reader.keyword("FIND") {
        return Err(reader.unexpected());
    }
    reader.expect('{')?;
    let (expression, at) = expression::strict(source, reader.at)?;
    reader.at = at;
    reader.expect('}')?;
    let mut group = Group::All;
    if reader.keyword("IN") {
        reader.blanks();
        let at = reader.at;
        let word = reader.word();
        group = Group::named(word).ok_or_else(|| malformed(source, at, &format!("Malformed search token: {word}")))?;
        let at = reader.at;
        if !reader.keyword("FIELDS") {
            reader.at = at;
            reader.blanks();
            let at = reader.at;
            let word = reader.word();
            return Err(malformed(source, at, &format!("Malformed search token: {word}")));
        }
    }
    let mut returning = Vec::new();
    if reader.keyword("RETURNING") {
        loop {
            returning.push(reader.target()?);
            if !reader.take(',') {
                break;
            }
        }
    }
    let mut limit = None;
    if reader.keyword("LIMIT") {
        limit = Some(reader.number()?);
    }
    if reader.keyword("UPDATE") {
        loop {
            if !(reader.keyword("TRACKING") || reader.keyword("VIEWSTAT")) {
                return Err(reader.unexpected());
            }
            if !reader.take(',') {
                break;
            }
        }
    }
    reader.blanks();
    if reader.at < source.len() { Err(reader.unexpected()) } else { Ok(Search { expression, group, returning, limit }) }
}

/// Splits `Id, Name WHERE … LIMIT 3` in front of the first clause.
fn split_clauses(inside: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    let mut word = 0;
    for (at, next) in inside.char_indices().chain([(inside.len(), ' ')]) {
        if quoted {
            (quoted, escaped) = (escaped || next != '\'', !escaped && next == '\\');
            word = at + next.len_utf8();
            continue;
        }
        if next.is_ascii_alphanumeric() || next == '_' || next == '.' {
            continue;
        }
        let name = inside.get(word..at).unwrap_or_default();
        if ["WHERE", "ORDER", "LIMIT", "OFFSET", "USING"].iter().any(|clause| name.eq_ignore_ascii_case(clause)) {
            return (&inside[..word], &inside[word..]);
        }
        quoted = next == '\'';
        word = (at + next.len_utf8()).min(inside.len());
    }
    (inside, "")
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.source.len() - self.rest().trim_start().len();
    }

    fn word(&mut self) -> &'s str {
        self.blanks();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let before = self.at;
        let is = self.word().eq_ignore_ascii_case(wanted);
        if !is {
            self.at = before;
        }
        is
    }

    fn take(&mut self, wanted: char) -> bool {
        self.blanks();
        let is = self.rest().starts_with(wanted);
        if is {
            self.at += wanted.len_utf8();
        }
        is
    }

    fn expect(&mut self, wanted: char) -> Result<(), SoqlError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn number(&mut self) -> Result<usize, SoqlError> {
        self.blanks();
        let at = self.at;
        self.word().parse().map_err(|_| malformed(self.source, at, "LIMIT needs a number"))
    }

    fn target(&mut self) -> Result<Target, SoqlError> {
        self.blanks();
        let at = self.at;
        let object = self.word().to_owned();
        if object.is_empty() {
            return Err(self.unexpected());
        }
        if !self.take('(') {
            return Ok(Target { object, fields: "Id".to_owned(), rest: String::new(), at });
        }
        let start = self.at;
        let (mut depth, mut quoted, mut escaped) = (1, false, false);
        for (offset, next) in self.rest().char_indices() {
            match next {
                _ if quoted => (quoted, escaped) = (escaped || next != '\'', !escaped && next == '\\'),
                '\'' => quoted = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = start + offset + 1;
                let (fields, rest) = split_clauses(&self.source[start..start + offset]);
                if fields.trim().is_empty() {
                    // "RETURNING": a clause needs a field in front of it.
                    return Err(malformed(self.source, start, "no fields are returned"));
                }
                return Ok(Target { object, fields: fields.to_owned(), rest: rest.to_owned(), at });
            }
        }
        self.at = self.source.len();
        Err(self.unexpected())
    }

    fn unexpected(&mut self) -> SoqlError {
        self.blanks();
        let at = self.at;
        let word = self.word();
        let found = if word.is_empty() { self.rest().chars().next().map(String::from) } else { Some(word.to_owned()) };
        let found = found.unwrap_or_else(|| "<EOF>".to_owned());
        malformed(self.source, at, &format!("unexpected token: '{found}'"))
    }
}
