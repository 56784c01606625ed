//! Going on after the last id, when the rows of a query are no longer kept.

use super::fetch::Next;
use crate::error::{Error, ErrorKind, Result};
use crate::types::RecordId;
use crate::types::soql::{Select, field};

/// A query in the order of ids, which can go on after any of them.
#[derive(Clone, Debug)]
pub(super) struct Keyset(Select);

impl Keyset {
    /// Takes a selection without an order and a limit of its own.
    pub(super) fn new(select: Select) -> Result<Self> {
        if select.is_plain() {
            return Ok(Self(select.column(field("Id"))));
        }
        Err(Error::new(ErrorKind::Invalid, "query", "a query by keyset has an order and a limit of its own")
            .with_advice(
                "leave out ORDER BY, LIMIT, OFFSET, GROUP BY and FOR UPDATE; rows come in the order of their ids",
            ))
    }

    /// The whole query, or what follows after this id. Deleted rows are left out.
    pub(super) fn after(&self, id: Option<RecordId>) -> Result<Next> {
        let mut select = self.0.clone();
        if let Some(id) = id {
            select = select.filter(field("Id").gt(id));
        }
        Ok(Next::query(select.order_by([field("Id").asc()]).build()?))
    }
}

/// Whether Salesforce no longer keeps the rows that a locator is for.
pub(super) fn is_gone(error: &Error) -> bool {
    error.has_code("INVALID_QUERY_LOCATOR")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Soql;

    fn text(next: &Next) -> &str {
        match next {
            Next::First { soql, .. } => soql.as_str(),
            Next::More(url) => url,
        }
    }

    #[test]
    fn it_goes_on_after_an_id() {
        let select = Soql::select(["Name"]).from("Account").filter(field("Name").ne("x").or(field("Name").eq("y")));
        let keyset = Keyset::new(select).expect("plain");
        let first = keyset.after(None).expect("builds");
        assert!(text(&first).starts_with("SELECT Name,Id FROM Account WHERE (") || text(&first).contains("WHERE Name"));
        assert!(text(&first).ends_with("ORDER BY Id ASC NULLS FIRST"), "{}", text(&first));
        let id = RecordId::new("001000000000001").expect("an id");
        let rest = keyset.after(Some(id)).expect("builds");
        assert!(text(&rest).contains("AND Id > '001000000000001AAA'"), "{}", text(&rest));
        assert!(text(&rest).contains("(Name != 'x' OR Name = 'y')"), "{}", text(&rest));
    }

    #[test]
    fn an_order_or_a_limit_of_its_own_is_refused() {
        let select = || Soql::select(["Name"]).from("Account");
        for select in [
            select().order_by([field("Name").asc()]),
            select().limit(10),
            select().offset(10),
            select().group_by([field("Name")]),
            select().for_update(),
        ] {
            assert_eq!(Keyset::new(select).expect_err("refused").kind(), ErrorKind::Invalid);
        }
    }
}
