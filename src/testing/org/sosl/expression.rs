//! What stands between the braces of FIND.

use super::super::soql::SoqlError;
use super::malformed;
use super::words::{Part, Word, follow, words};

/// "If the `SearchQuery` string is longer than 10,000 characters, no result rows are returned."
const MAX_CHARACTERS: usize = 10_000;
/// "If `SearchQuery` is longer than 4,000 characters, any logical operators are removed", and OR is what is left.
const MAX_OPERATORS: usize = 4_000;
/// Parentheses in each other; [K] the org has no documented bound, this one keeps the stack.
const MAX_DEPTH: usize = 50;
/// SOSL reference, "Reserved Characters"; wildcards, quotes, parentheses and the backslash have a meaning.
const RESERVED: &str = "&|!{}[]^~:'+-";

#[derive(Debug, PartialEq)]
pub(crate) enum Expression {
    /// Words that follow each other; one word is a phrase too.
    Phrase(Vec<Word>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// Too long to find anything.
    Nothing,
}

impl Expression {
    /// Whether a record with these texts is found: each word in any of them, phrases in one.
    pub(crate) fn finds(&self, texts: &[String]) -> bool {
        let texts: Vec<Vec<Vec<char>>> = texts.iter().map(|text| words(text)).collect();
        self.holds(&texts)
    }

    fn holds(&self, texts: &[Vec<Vec<char>>]) -> bool {
        match self {
            Self::Phrase(phrase) => texts.iter().any(|text| follow(phrase, text)),
            Self::And(parts) => parts.iter().all(|part| part.holds(texts)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(texts)),
            Self::Not(part) => !part.holds(texts),
            Self::Nothing => false,
        }
    }

    fn phrases(self, found: &mut Vec<Self>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.phrases(found);
                }
            }
            Self::Not(part) => part.phrases(found),
            phrase => found.push(phrase),
        }
    }

    fn longest(&self) -> usize {
        match self {
            Self::Phrase(phrase) => phrase.iter().map(Word::letters).sum(),
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::longest).max().unwrap_or(0),
            Self::Not(part) => part.longest(),
            Self::Nothing => usize::MAX,
        }
    }
}

/// Reads up to the brace that closes, which stays; `at` is behind the one that opens. Gives where it stands.
pub(super) fn strict(source: &str, at: usize) -> Result<(Expression, usize), SoqlError> {
    let mut reader = Reader { source, at, lenient: false };
    let expression = reader.whole()?;
    if reader.peek() != Some('}') {
        return Err(reader.unexpected());
    }
    Ok((expression, reader.at))
}

/// Reads a whole text in which reserved characters stand for themselves, as parameterized search takes it.
// [K] That they need no escape there; "SOSL clauses aren't supported" is all the guide says.
pub(crate) fn lenient(source: &str) -> Result<Expression, SoqlError> {
    let mut reader = Reader { source, at: 0, lenient: true };
    let expression = reader.whole()?;
    if reader.peek().is_some() { Err(reader.unexpected()) } else { Ok(expression) }
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    lenient: bool,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<Expression, SoqlError> {
        let start = self.at;
        let expression = self.any(0)?;
        let length = self.source[start..self.at].chars().count();
        if length > MAX_CHARACTERS {
            return Ok(Expression::Nothing);
        }
        if expression.longest() < 2 {
            // [K] The text; that a search of single characters is refused has many witnesses [S].
            let term = self.source[start..self.at].trim();
            return Err(malformed(
                self.source,
                start,
                &format!("search term must be longer than one character: {term}"),
            ));
        }
        if length > MAX_OPERATORS {
            let mut phrases = Vec::new();
            expression.phrases(&mut phrases);
            return Ok(Expression::Or(phrases));
        }
        Ok(expression)
    }

    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn unexpected(&self) -> SoqlError {
        let column = self.source[..self.at].chars().count();
        let found = self.peek().map_or("<EOF>".to_owned(), |found| format!("'{found}'"));
        let message = format!("line 1:{column} mismatched character {found} expecting '}}'");
        malformed(self.source, self.at, &message)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// An operator, if it comes next: a bare word in any case.
    fn operator(&mut self, wanted: &str) -> bool {
        self.blanks();
        let rest = &self.source[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let is = rest[..end].eq_ignore_ascii_case(wanted);
        let ends = rest[end..].chars().next().is_none_or(|next| next.is_whitespace() || "\"()}".contains(next));
        if is && ends {
            self.at += end;
        }
        is && ends
    }

    /// "OR" binds less than "AND" and "AND NOT"; words without an operator are joined by AND.
    fn any(&mut self, depth: usize) -> Result<Expression, SoqlError> {
        let mut parts = vec![self.all(depth)?];
        while self.operator("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Expression, SoqlError> {
        let mut parts = vec![self.term(depth)?];
        loop {
            self.blanks();
            let joined = self.operator("AND");
            if joined && self.operator("NOT") {
                parts.push(Expression::Not(Box::new(self.term(depth)?)));
                continue;
            }
            let before = self.at;
            let over = self.operator("OR");
            self.at = before;
            if !joined && (over || !self.starts_term()) {
                break;
            }
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn starts_term(&self) -> bool {
        self.peek().is_some_and(|next| next != ')' && (self.lenient || !RESERVED.contains(next)))
    }

    fn term(&mut self, depth: usize) -> Result<Expression, SoqlError> {
        self.blanks();
        let before = self.at;
        let operator = self.operator("AND") || self.operator("OR");
        self.at = before;
        match self.peek() {
            // Operators are words only in quotes.
            _ if operator => Err(self.unexpected()),
            Some('(') if depth >= MAX_DEPTH => Err(self.unexpected()),
            Some('(') => {
                self.next();
                let inner = self.any(depth + 1)?;
                self.blanks();
                if self.peek() != Some(')') {
                    return Err(self.unexpected());
                }
                self.next();
                Ok(inner)
            }
            Some('"') => {
                self.next();
                let phrase = self.phrase(|next| next == '"')?;
                if self.next() != Some('"') {
                    return Err(self.unexpected());
                }
                Ok(phrase)
            }
            Some(_) if self.starts_term() => self.phrase(|next| next.is_whitespace() || "\"()".contains(next)),
            _ => Err(self.unexpected()),
        }
    }

    /// Words up to a character that ends them. Punctuation separates words.
    fn phrase(&mut self, ends: impl Fn(char) -> bool) -> Result<Expression, SoqlError> {
        let mut found = vec![Vec::new()];
        while let Some(next) = self.peek().filter(|next| !ends(*next)) {
            if RESERVED.contains(next) && !self.lenient {
                // A word ends before the brace; anything else has to be escaped.
                if next == '}' {
                    break;
                }
                return Err(self.unexpected());
            }
            self.next();
            let literal = if next == '\\' { self.next().ok_or_else(|| self.unexpected())? } else { next };
            if !literal.is_alphanumeric() && (next == '\\' || !matches!(literal, '*' | '?')) {
                found.push(Vec::new());
            } else if let Some(word) = found.last_mut() {
                match literal {
                    '*' => word.push(Part::Many),
                    '?' => word.push(Part::One),
                    letter => word.extend(letter.to_lowercase().map(Part::Letter)),
                }
            }
        }
        // [K] A wildcard at the beginning of a word, which the guide forbids, is passed over.
        let trimmed = found
            .into_iter()
            .map(|word| word.into_iter().skip_while(|part| !matches!(part, Part::Letter(_))).collect::<Vec<_>>());
        Ok(Expression::Phrase(trimmed.filter(|word| !word.is_empty()).map(Word).collect()))
    }
}
