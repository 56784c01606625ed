//! Many values or conditions as the fewest statements that fit.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::condition::{Condition, Node, Operator};
use super::template::Template;
use super::{Expr, Literal, MAX_SOQL_CHARS, Select, Soql, invalid, write};
use crate::error::{Error, Result};
use crate::types::RecordId;

/// Bytes of a request line that are safe: 16,384 in all for address and headers, less what a long token and the other
/// headers take. A statement of this size is far below the 100,000 characters of SOQL. Source: REST guide, status 414 and 431.
const MAX_QUERY_BYTES: usize = 13_312;

/// Everything but RFC 3986's unreserved characters is escaped, in paths and queries alike.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in a path or a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// How long such a text is.
fn encoded_len(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}

/// How long a statement may be, by the way it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SoqlBudget {
    /// In the address of a GET, as [`Client::query`](crate::Client::query) does: 13,312 bytes with percent-encoding, which leaves 3,072
    /// of the 16,384 bytes of address and headers to the headers. A quote or comma takes 3 bytes, a letter beyond ASCII 6 or more.
    Address,
    /// In a body, such as a Bulk query's: the 100,000 characters of SOQL.
    Body,
}

impl SoqlBudget {
    fn limit(self) -> usize {
        match self {
            Self::Address => MAX_QUERY_BYTES,
            Self::Body => MAX_SOQL_CHARS,
        }
    }

    fn len(self, text: &str) -> usize {
        match self {
            Self::Address => encoded_len(text),
            Self::Body => text.chars().count(),
        }
    }
}

/// Cuts an `IN :name` list so that the fewest queries hold all values, each short enough for its address.
///
/// Short for [`Soql::bind_split`] with one list and [`SoqlBudget::Address`].
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) as for [`Soql::bind_split`].
pub fn split_in_list<V: Clone + Into<Literal>>(statement: &str, name: &str, values: &[V]) -> Result<Vec<Soql>> {
    Soql::bind_split(statement, [(name, Literal::from(values))], name, SoqlBudget::Address)
}

/// A raw statement, cut at one of its lists.
pub(super) fn template(
    statement: &str,
    mut values: Vec<(&str, Literal)>,
    list: &str,
    budget: SoqlBudget,
) -> Result<Vec<Soql>> {
    let template = Template::parse(statement)?;
    template.check(&values)?;
    let Some(position) = values.iter().position(|(name, _)| *name == list) else {
        return Err(invalid("no value is bound to the list that is to be cut").with_context("name", list));
    };
    let Literal::List(items) = std::mem::replace(&mut values[position].1, Literal::Null) else {
        return Err(invalid("what is to be cut is not a list").with_context("name", list));
    };
    if items.is_empty() {
        return Ok(Vec::new());
    }
    // With null in the place of the list.
    let times = template.count(list);
    let base = budget.len(&template.write(&values)?) + times * budget.len("()") - times * budget.len("null");
    let mut queries = Vec::new();
    for items in chunks(items, base, times, budget)? {
        values[position].1 = Literal::List(items);
        queries.push(Soql::new(template.write(&values)?));
    }
    if queries.len() > 1 && template.is_negated(list) {
        return Err(negated().with_context("name", list));
    }
    Ok(queries)
}

/// A checked and folded SELECT, cut at the longest IN list that every record has to pass.
pub(super) fn select(mut select: Select, budget: SoqlBudget) -> Result<Vec<Soql>> {
    let whole = write::statement(&select)?;
    if budget.len(&whole) <= budget.limit() {
        let query = select.finish()?;
        return Ok(if query.matches_nothing() { Vec::new() } else { vec![query] });
    }
    let longest = top(&select).enumerate().filter_map(|(place, part)| Some((place, list(part)?)));
    let Some((place, (expr, values))) = longest.max_by_key(|(_, (_, values))| values.len()) else {
        return Err(uncuttable(&select));
    };
    refuse_parts(&select, expr).map_err(|error| error.with_context("field", write::name(expr)))?;
    let values = values.to_vec();
    let mut with = |items: Vec<Literal>| {
        if let Some(values) = list_at(&mut select, place) {
            *values = items;
        }
        write::statement(&select)
    };
    let base = budget.len(&with(vec![Literal::Null])?) - budget.len("null");
    let chunks = chunks(values, base, 1, budget)?;
    chunks.into_iter().map(|items| Soql::checked(with(items)?, false)).collect()
}

/// The conditions that every record has to pass.
fn top(select: &Select) -> impl Iterator<Item = &Condition> {
    select.filter.iter().flat_map(|filter| match &filter.node {
        Node::All(parts) => parts.as_slice(),
        _ => std::slice::from_ref(filter),
    })
}

/// The values of an IN.
fn list(condition: &Condition) -> Option<(&Expr, &[Literal])> {
    match &condition.node {
        Node::List { expr, operator: Operator::In, values } => Some((expr, values)),
        _ => None,
    }
}

/// The values of the IN at a place of [`top`].
fn list_at(select: &mut Select, place: usize) -> Option<&mut Vec<Literal>> {
    let node = match &mut select.filter.as_mut()?.node {
        Node::All(parts) => &mut parts.get_mut(place)?.node,
        node => node,
    };
    match node {
        Node::List { values, .. } => Some(values),
        _ => None,
    }
}

/// Clauses of which each part would have its own.
fn refuse_parts(select: &Select, expr: &Expr) -> Result<()> {
    let refuse = |part: &'static str, advice: &'static str| {
        let error = invalid("the statement has to be cut, and this clause does not go with that");
        Err(error.with_context("part", part).with_advice(advice))
    };
    if !select.order.is_empty() {
        return refuse("ORDER BY", "order the records when all have arrived");
    }
    if select.limit.is_some() || select.offset.is_some() {
        return refuse("LIMIT", "read all records of fewer values");
    }
    if select.group.is_empty() {
        if select.is_aggregated() && !select.counts_rows() {
            return refuse("SELECT", "group by the field of the list, and put the groups together");
        }
    } else if !select.group.iter().any(|group| group.is_same(expr)) {
        return refuse("GROUP BY", "group by the field of the list too, and put the groups together");
    }
    Ok(())
}

fn uncuttable(select: &Select) -> Error {
    let is_negated = |condition: &Condition| matches!(&condition.node, Node::List { operator: Operator::NotIn, .. });
    if top(select).any(is_negated) {
        return negated();
    }
    invalid("the statement is too long, and has no IN list that every record has to pass")
        .with_advice("put the list at the top of WHERE, joined by AND, or send the statement in a body")
}

fn negated() -> Error {
    invalid("a NOT IN or EXCLUDES is too long for one statement, and its parts would find what the whole leaves out")
        .with_advice("send the statement in a body, or leave the records out when they have arrived")
}

/// Cuts values into lists that fit, given the length of the statement with an empty list that stands in it so many times.
fn chunks(values: Vec<Literal>, base: usize, times: usize, budget: SoqlBudget) -> Result<Vec<Vec<Literal>>> {
    let comma = budget.len(",");
    let mut lists: Vec<Vec<Literal>> = Vec::new();
    let mut length = 0;
    let mut written = String::new();
    for group in together(values) {
        let mut more = 0;
        for value in &group {
            written.clear();
            value.write(&mut written)?;
            more += (budget.len(&written) + comma) * times;
        }
        // Behind the last value there is no comma.
        let limit = budget.limit() + comma * times;
        if base + more > limit {
            return Err(invalid("a value of a list and the rest of the statement do not fit")
                .with_advice("name fewer fields and conditions, or send the statement in a body"));
        }
        if let Some(last) = lists.last_mut().filter(|_| base + length + more <= limit) {
            last.extend(group);
            length += more;
        } else {
            lists.push(group);
            length = more;
        }
    }
    Ok(lists)
}

/// Each value once, those together that Salesforce may take for equal: one record must not be in two answers.
fn together(values: Vec<Literal>) -> Vec<Vec<Literal>> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(values.len());
    let mut groups: Vec<Vec<Literal>> = Vec::with_capacity(values.len());
    for value in values {
        let place = *places.entry(likeness(&value)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) if group.contains(&value) => {}
            Some(group) => group.push(value),
            None => groups.push(vec![value]),
        }
    }
    groups
}

/// Equal for values that may be equal to Salesforce: texts in whatever case, ids of 15 and of 18 characters.
fn likeness(value: &Literal) -> String {
    match value {
        Literal::Text(text) => match RecordId::new(text) {
            Ok(id) => id.as_str().to_lowercase(),
            Err(_) => text.trim_end().to_lowercase(),
        },
        Literal::Id(id) => id.as_str().to_lowercase(),
        Literal::MultiSelect(chosen) => chosen.join(";").to_lowercase(),
        Literal::Null => String::new(),
        other => format!("{other:?}"),
    }
}

/// Joins conditions by OR so that the fewest queries hold all, each short enough for its address. No conditions give no
/// queries.
#[must_use]
pub fn split_alternatives(statement: &str, conditions: &[Soql]) -> Vec<Soql> {
    const OR: &str = " OR ";
    let mut queries = Vec::new();
    let mut text = String::new();
    let mut bytes = 0;
    for condition in conditions {
        let more = encoded_len(condition.as_str()) + encoded_len(OR);
        if !text.is_empty() && bytes + more > MAX_QUERY_BYTES {
            queries.push(Soql::new(std::mem::take(&mut text)));
        }
        if text.is_empty() {
            text.push_str(statement);
            bytes = encoded_len(statement);
        } else {
            text.push_str(OR);
        }
        text.push_str(condition.as_str());
        bytes += more;
    }
    if !text.is_empty() {
        queries.push(Soql::new(text));
    }
    queries
}
