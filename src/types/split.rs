//! Many values or conditions as the fewest statements that fit an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Literal, Soql};
use crate::error::Result;

/// Bytes of a request line that are safe: 16,384 in all for address and headers, less what a long token and the other
/// headers take. A statement of this size is far below the 100,000 characters of SOQL. Source: REST guide, status 414 and 431.
const MAX_QUERY_BYTES: usize = 13_312;

/// Everything but RFC 3986's unreserved characters is escaped, in paths and queries alike.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in a path or a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Cuts an `IN :name` list so that the fewest queries hold all values, each short enough for its address.
///
/// `statement` has `:name` once or several times, for the list. No values give no queries. A value that does not fit alone stands in a query
/// of its own, which the org will refuse.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) as for [`Soql::bind`].
pub fn split_in_list<V: Clone + Into<Literal>>(statement: &str, name: &str, values: &[V]) -> Result<Vec<Soql>> {
    let bind = |values: &[V]| Soql::bind(statement, [(name, Literal::from(values))]);
    let empty = encode(statement).len();
    let times = statement.matches(&format!(":{name}")).count();
    let mut queries = Vec::new();
    let (mut start, mut bytes) = (0, empty);
    for (index, value) in values.iter().enumerate() {
        // The value as it is written, and its comma: %2C.
        let more = (encode(Soql::bind(":v", [("v", value.clone().into())])?.as_str()).len() + 3) * times;
        if bytes + more > MAX_QUERY_BYTES && index > start {
            queries.push(bind(&values[start..index])?);
            (start, bytes) = (index, empty);
        }
        bytes += more;
    }
    if start < values.len() {
        queries.push(bind(&values[start..])?);
    }
    Ok(queries)
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
        let more = encode(condition.as_str()).len() + encode(OR).len();
        if !text.is_empty() && bytes + more > MAX_QUERY_BYTES {
            queries.push(Soql::new(std::mem::take(&mut text)));
        }
        if text.is_empty() {
            text.push_str(statement);
            bytes = encode(statement).len();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_to_the_address_limit_and_lose_no_value() {
        let values: Vec<String> = (0..5000).map(|number| format!("it's {number} ö")).collect();
        let queries = split_in_list("SELECT Id FROM A WHERE K IN :k", "k", &values).expect("splits");
        for query in &queries {
            assert!(encode(query.as_str()).len() <= MAX_QUERY_BYTES);
        }
        let whole: usize = queries.iter().map(|query| query.as_str().matches(r"it\'s").count()).sum();
        assert_eq!(whole, 5000);
        let lengths: Vec<usize> = queries.iter().map(|query| encode(query.as_str()).len()).collect();
        let (last, full) = lengths.split_last().expect("several");
        assert!(full.iter().all(|bytes| MAX_QUERY_BYTES - bytes < 64), "each but the last is full: {lengths:?} {last}");
        let conditions: Vec<Soql> = (0..1000).map(|number| Soql::new(format!("A LIKE '%{number}%'"))).collect();
        let queries = split_alternatives("SELECT Id FROM A WHERE ", &conditions);
        assert!(queries.iter().all(|query| encode(query.as_str()).len() <= MAX_QUERY_BYTES));
        assert_eq!(queries.iter().map(|query| query.as_str().matches("LIKE").count()).sum::<usize>(), 1000);
        assert!(split_in_list::<String>("SELECT Id FROM A WHERE K IN :k", "k", &[]).expect("none").is_empty());
    }

    #[test]
    fn values_keep_their_type_in_a_list() {
        let numbers = [Literal::from(1_i64), Literal::from(25_i64)];
        let queries = split_in_list("SELECT Id FROM A WHERE N IN :n", "n", &numbers).expect("splits");
        assert_eq!(queries[0].as_str(), "SELECT Id FROM A WHERE N IN (1,25)");
        let values: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
        let queries = split_in_list("SELECT Id FROM A WHERE B IN :v OR C IN :v", "v", &values).expect("splits");
        assert!(queries.iter().all(|query| encode(query.as_str()).len() <= MAX_QUERY_BYTES));
    }
}
