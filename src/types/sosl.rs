//! SOSL: text searches over several objects.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::soql::Select;
use super::soql::{check, write};
use crate::error::{Error, ErrorKind, Result};

/// Beyond this Salesforce drops the operators of a search, and finds more than was asked for. Source: SOSL reference, "SOSL Syntax".
const MAX_TERM_CHARS: usize = 4_000;
/// Longest statement. Source: SOQL reference, "SOQL and SOSL Limits".
const MAX_SOSL_CHARS: usize = 100_000;
/// Rows of an answer, in all and of one object, from API 28.0. Source: SOSL reference, "LIMIT n".
const MAX_ROWS: u32 = 2_000;
/// What stands for itself only behind a backslash. Source: SOSL reference, "FIND {`SearchQuery`}", reserved characters.
const RESERVED: &str = "?&|!{}[]()^~*:\\\"'+-";

const TOO_SHORT: &str = "a term has less than two characters";

/// A SOSL statement.
///
/// ```
/// use sforce::types::{SearchGroup, SearchTerm, Soql, Sosl, soql::field};
///
/// let sosl = Sosl::find(SearchTerm::words("O'Neill & Sons"))
///     .within(SearchGroup::NameFields)
///     .returning(Soql::select(["Id", "Name"]).from("Account").filter(field("Industry").eq("Energy")).limit(10))
///     .returning(Soql::select(["Id"]).from("Contact"))
///     .build()?;
/// assert_eq!(
///     sosl.as_str(),
///     r"FIND {O\'Neill AND Sons} IN NAME FIELDS RETURNING Account(Id,Name WHERE Industry = 'Energy' LIMIT 10),Contact(Id)"
/// );
/// # Ok::<(), sforce::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sosl {
    text: Cow<'static, str>,
    nothing: bool,
}

impl Sosl {
    /// A statement as it is.
    pub fn new(statement: impl Into<Cow<'static, str>>) -> Self {
        Self { text: statement.into(), nothing: false }
    }

    /// Begins a statement with what it looks for; a text is [words](SearchTerm::words).
    pub fn find(term: impl Into<SearchTerm>) -> Search {
        Search { term: term.into(), group: None, returning: Vec::new(), limit: None }
    }

    /// The statement. Also one that [finds nothing](Self::matches_nothing) can be sent, and finds nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the answer is known to be empty without asking: the conditions of all returned objects cannot hold.
    #[must_use]
    pub fn matches_nothing(&self) -> bool {
        self.nothing
    }
}

/// The fields that are searched. Without one Salesforce searches all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchGroup {
    /// All fields that can be searched.
    AllFields,
    /// Email addresses.
    EmailFields,
    /// Names.
    NameFields,
    /// Phone numbers.
    PhoneFields,
    /// The fields of the drop-down list of the side bar.
    SidebarFields,
}

impl SearchGroup {
    /// The word of it in a statement.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AllFields => "ALL",
            Self::EmailFields => "EMAIL",
            Self::NameFields => "NAME",
            Self::PhoneFields => "PHONE",
            Self::SidebarFields => "SIDEBAR",
        }
    }
}

/// What a search looks for. Text stands for itself in it: reserved characters and operators are escaped or quoted.
///
/// White space and control characters only separate words; among words, what has no letter or digit is none and is left out. The case does not count. Salesforce wants two characters at least.
///
/// Source: SOSL reference, "FIND {`SearchQuery`}".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    text: String,
    /// Whether it has to be in parentheses within another one.
    compound: bool,
    problem: Option<&'static str>,
}

impl SearchTerm {
    /// Records with all of these words, in any order.
    #[must_use]
    pub fn words(text: &str) -> Self {
        Self::of_words(text, "")
    }

    /// Records with all of these words, of which the last may go on: `grace hop` finds Grace Hopper.
    #[must_use]
    pub fn starting_with(text: &str) -> Self {
        Self::of_words(text, "*")
    }

    /// Records with these words one behind the other.
    #[must_use]
    pub fn phrase(text: &str) -> Self {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        for (index, word) in words(text).enumerate() {
            if index > 0 {
                quoted.push(' ');
            }
            escape(word, &mut quoted);
        }
        quoted.push('"');
        Self { text: quoted, compound: false, problem: too_short(text) }
    }

    /// Records that all of these find.
    #[must_use]
    pub fn all(terms: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::joined(terms, " AND ")
    }

    /// Records that one of these finds.
    #[must_use]
    pub fn any(terms: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::joined(terms, " OR ")
    }

    /// Records that this finds and the other one does not.
    #[must_use]
    pub fn and_not(self, other: impl Into<Self>) -> Self {
        Self::joined([self, other.into()], " AND NOT ")
    }

    fn of_words(text: &str, end: &str) -> Self {
        let mut written = String::with_capacity(text.len() + 8);
        let mut words = words(text).filter(|word| word.chars().any(char::is_alphanumeric)).peekable();
        let mut count = 0;
        while let Some(word) = words.next() {
            if count > 0 {
                written.push_str(" AND ");
            }
            count += 1;
            let end = if words.peek().is_none() { end } else { "" };
            if end.is_empty() && ["and", "or", "not"].iter().any(|operator| word.eq_ignore_ascii_case(operator)) {
                written.extend(["\"", word, "\""]);
            } else {
                escape(word, &mut written);
                written.push_str(end);
            }
        }
        let problem = if count == 0 { Some(TOO_SHORT) } else { too_short(text) };
        Self { text: written, compound: count > 1, problem }
    }

    fn joined(terms: impl IntoIterator<Item = impl Into<Self>>, operator: &str) -> Self {
        let mut joined = Self { text: String::new(), compound: false, problem: None };
        let mut count = 0;
        for term in terms {
            let Self { text, compound, problem } = term.into();
            if count > 0 {
                joined.text.push_str(operator);
            }
            count += 1;
            if compound {
                joined.text.extend(["(", &text, ")"]);
            } else {
                joined.text.push_str(&text);
            }
            joined.problem = joined.problem.or(problem);
        }
        joined.compound = count > 1;
        if count == 0 {
            joined.problem = Some("there is nothing to look for");
        }
        joined
    }
}

impl From<&str> for SearchTerm {
    fn from(text: &str) -> Self {
        Self::words(text)
    }
}

impl From<String> for SearchTerm {
    fn from(text: String) -> Self {
        Self::words(&text)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
}

fn escape(word: &str, out: &mut String) {
    for character in word.chars() {
        if RESERVED.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
}

fn too_short(text: &str) -> Option<&'static str> {
    let is_short = words(text).flat_map(str::chars).take(2).count() < 2;
    is_short.then_some(TOO_SHORT)
}

/// A search as a value; made by [`Sosl::find`], ended by [`build`](Self::build).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Search {
    term: SearchTerm,
    group: Option<SearchGroup>,
    returning: Vec<Select>,
    limit: Option<u32>,
}

impl Search {
    /// `IN`: the fields that are searched.
    pub fn within(mut self, group: SearchGroup) -> Self {
        self.group = Some(group);
        self
    }

    /// `RETURNING` one object more, each once: its fields, and maybe WHERE, ORDER BY, LIMIT and OFFSET. Without any, Salesforce returns the
    /// ids of all objects that are searched by default.
    pub fn returning(mut self, object: Select) -> Self {
        self.returning.push(object);
        self
    }

    /// `LIMIT` of all objects together, at most 2,000.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// The statement.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with the `part` it is about: a term of less than two characters or more than 4,000, an object returned twice
    /// or with other clauses than a search knows, a limit over 2,000, and what [`Select::build`] refuses.
    pub fn build(self) -> Result<Sosl> {
        if let Some(problem) = self.term.problem {
            return Err(wrong("FIND", problem));
        }
        if self.term.text.chars().count() > MAX_TERM_CHARS {
            return Err(wrong("FIND", "the search is longer than 4,000 characters")
                .with_advice("Salesforce drops the operators of such a search; make several"));
        }
        let mut text = format!("FIND {{{}}}", self.term.text);
        if let Some(group) = self.group {
            display(&mut text, format_args!(" IN {} FIELDS", group.word()));
        }
        let mut objects = HashSet::new();
        let mut nothing = !self.returning.is_empty();
        for (index, object) in self.returning.into_iter().enumerate() {
            check::returned(&object)?;
            if !objects.insert(object.object().to_ascii_lowercase()) {
                return Err(wrong("RETURNING", "an object is returned twice").with_context("object", object.object()));
            }
            limit_of(object.rows(), "RETURNING")?;
            let object = object.fold();
            nothing &= object.is_never();
            text.push_str(if index == 0 { " RETURNING " } else { "," });
            display(&mut text, format_args!("{}(", object.object()));
            write::columns(&object, &mut text)?;
            write::clauses(&object, &mut text)?;
            text.push(')');
        }
        limit_of(self.limit, "LIMIT")?;
        if let Some(rows) = self.limit {
            display(&mut text, format_args!(" LIMIT {rows}"));
        }
        if text.chars().count() > MAX_SOSL_CHARS {
            return Err(wrong("statement", "it is longer than 100,000 characters"));
        }
        Ok(Sosl { text: text.into(), nothing })
    }
}

fn limit_of(rows: Option<u32>, part: &'static str) -> Result<()> {
    if rows.is_some_and(|rows| rows > MAX_ROWS) {
        return Err(wrong(part, "a search returns at most 2,000 rows"));
    }
    Ok(())
}

fn wrong(part: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "sosl", message).with_context("part", part)
}

fn display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

impl From<&'static str> for Sosl {
    fn from(statement: &'static str) -> Self {
        Self::new(statement)
    }
}

impl From<String> for Sosl {
    fn from(statement: String) -> Self {
        Self::new(statement)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::Soql;
    use crate::types::soql::{count, field};

    /// Reads what stands in the braces, by the rules of the reference: a backslash takes the next character as it is, quotes hold a
    /// phrase, AND joins. Gives words and what follows the braces.
    fn read(statement: &str) -> (Vec<String>, String) {
        let mut rest = statement.strip_prefix("FIND {").expect("begins so").chars();
        let mut words = vec![String::new()];
        let mut quoted = false;
        loop {
            match rest.next().expect("the braces are closed") {
                '\\' => words.last_mut().expect("one").push(rest.next().expect("escaped")),
                '"' => quoted = !quoted,
                '}' => break,
                ' ' => words.push(String::new()),
                other => {
                    assert!(!RESERVED.contains(other), "{other} is not escaped in {statement}");
                    words.last_mut().expect("one").push(other);
                }
            }
        }
        assert!(!quoted);
        (words, rest.collect())
    }

    proptest! {
        #[test]
        fn any_text_is_searched_as_its_own_words(text in "\\PC{2,40}", more in r#"[?&|!{}\[\]()^~*:\\"'+\- aZ]{0,12}"#) {
            let text = format!("{text}{more}");
            let expected: Vec<&str> = words(&text).filter(|word| word.chars().any(char::is_alphanumeric)).collect();
            prop_assume!(SearchTerm::words(&text).problem.is_none());
            let sosl = Sosl::find(text.as_str()).returning(Soql::select(["Id"]).from("Account")).build().expect("builds");
            let (read_words, behind) = read(sosl.as_str());
            let read_words: Vec<&str> = read_words.iter().step_by(2).map(String::as_str).collect();
            prop_assert_eq!(read_words, expected);
            prop_assert_eq!(behind, " RETURNING Account(Id)");
            let phrase = Sosl::find(SearchTerm::phrase(&text)).build().expect("builds");
            prop_assert_eq!(read(phrase.as_str()), (words(&text).map(str::to_owned).collect(), String::new()));
        }
    }

    #[test]
    fn terms_are_joined_with_parentheses_and_operators_are_words_in_quotes() {
        let term = SearchTerm::any(["this or that", "x-y"]).and_not(SearchTerm::phrase("a \"b\"")).text;
        assert_eq!(term, r#"((this AND "or" AND that) OR x\-y) AND NOT "a \"b\"""#);
        let term = SearchTerm::all([SearchTerm::starting_with("grace hop*"), SearchTerm::words("GmbH")]).text;
        assert_eq!(term, r"(grace AND hop\**) AND GmbH");
    }

    #[test]
    fn conditions_that_cannot_hold_are_known_and_safe_to_send() {
        let none = || Soql::select(["Id"]).from("Account").filter(field("Id").is_in([""; 0]));
        let search = Sosl::find("acme").returning(none());
        let sosl = search.clone().build().expect("builds");
        assert!(sosl.matches_nothing());
        assert_eq!(sosl.as_str(), "FIND {acme} RETURNING Account(Id WHERE Id = null)");
        let sosl = search.returning(Soql::select(["Id"]).from("Lead")).build().expect("builds");
        assert!(!sosl.matches_nothing(), "leads may be found");
    }

    #[test]
    fn what_a_search_does_not_take_is_refused() {
        let select = || Soql::select(["Id"]).from("Account");
        for (search, part) in [
            (Sosl::find(" a\n"), "FIND"),
            (Sosl::find("?* &&"), "FIND"),
            (Sosl::find(SearchTerm::all([""; 0])), "FIND"),
            (Sosl::find(SearchTerm::any([SearchTerm::words("ok"), SearchTerm::phrase("")])), "FIND"),
            (Sosl::find("x".repeat(4_001)), "FIND"),
            (Sosl::find("acme").returning(select()).returning(select()), "RETURNING"),
            (Sosl::find("acme").returning(select().limit(2_001)), "RETURNING"),
            (Sosl::find("acme").returning(select().children(Soql::select(["Id"]).from("Contacts"))), "RETURNING"),
            (Sosl::find("acme").returning(Soql::select([count("Id")]).from("Account")), "RETURNING"),
            (Sosl::find("acme").returning(Soql::select(["Id) RETURNING User(Name"]).from("Account")), "SELECT"),
            (Sosl::find("acme").limit(2_001), "LIMIT"),
        ] {
            let error = search.build().expect_err(part);
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(&format!("part {part}")), "{error}");
        }
    }
}
