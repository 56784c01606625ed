//! The builder of a statement.

use super::column::Entry;
use super::split::{self, SoqlBudget};
use super::{Column, Condition, Expr, Order, Soql, check, write};
use crate::error::Result;

/// A SELECT as a value; made by [`Soql::select`], ended by [`build`](Self::build).
///
/// ```
/// use sforce::types::soql::{count, field, sum};
/// use sforce::types::{DateLiteral, DateUnit, LikePattern, Soql};
///
/// let soql = Soql::select(["Id", "Name", "Owner.Name"])
///     .children(Soql::select(["Id", "Email"]).from("Contacts").limit(5))
///     .from("Account")
///     .filter(field("Name").like(LikePattern::starts_with("Acme")))
///     .filter(field("CreatedDate").ge(DateLiteral::LastN(30, DateUnit::Day)))
///     .order_by([field("Name").asc(), field("Id").asc()])
///     .build()?;
/// assert_eq!(
///     soql.as_str(),
///     "SELECT Id,Name,Owner.Name,(SELECT Id,Email FROM Contacts LIMIT 5) FROM Account \
///      WHERE Name LIKE 'Acme%' AND CreatedDate >= LAST_N_DAYS:30 \
///      ORDER BY Name ASC NULLS FIRST,Id ASC NULLS FIRST"
/// );
///
/// let soql = Soql::select(["StageName"])
///     .column(count("Id").alias("deals"))
///     .column(sum("Amount").alias("amount"))
///     .from("Opportunity")
///     .group_by(["StageName"])
///     .having(count("Id").gt(1))
///     .build()?;
/// assert_eq!(
///     soql.as_str(),
///     "SELECT StageName,COUNT(Id) deals,SUM(Amount) amount FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 1"
/// );
/// # Ok::<(), sforce::Error>(())
/// ```
///
/// Nothing is checked before `build`. `ALL ROWS` is not for this API: use [`Client::query_all`](crate::Client::query_all).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Select {
    pub(super) columns: Vec<Column>,
    pub(super) object: String,
    pub(super) scope: Option<Scope>,
    pub(super) filter: Option<Condition>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<u32>,
    pub(super) offset: Option<u32>,
    pub(super) purpose: Option<Purpose>,
}

/// The records that USING SCOPE leaves. Source: SOQL reference, "USING SCOPE"; an object's describe tells which it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Delegated to another user for action.
    Delegated,
    /// All.
    Everything,
    /// Owned by the user who asks.
    Mine,
    /// Of the user who asks and their queues; for `ProcessInstanceWorkItem`.
    MineAndMyGroups,
    /// In the territory of the user who asks.
    MyTerritory,
    /// In the territory of the team of the user who asks.
    MyTeamTerritory,
    /// By the scoping rules of the org.
    ScopingRule,
    /// Of a team, such as an account team.
    Team,
}

impl Scope {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Delegated => "delegated",
            Self::Everything => "everything",
            Self::Mine => "mine",
            Self::MineAndMyGroups => "mine_and_my_groups",
            Self::MyTerritory => "my_territory",
            Self::MyTeamTerritory => "my_team_territory",
            Self::ScopingRule => "scopingRule",
            Self::Team => "team",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    View,
    Reference,
    Update,
}

impl Select {
    pub(super) fn new(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            object: String::new(),
            scope: None,
            filter: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
            offset: None,
            purpose: None,
        }
    }

    /// The object; in the place of children, the name of the relationship, such as `Contacts` or `Sessions__r`.
    pub fn from(mut self, object: impl AsRef<str>) -> Self {
        object.as_ref().clone_into(&mut self.object);
        self
    }

    /// Selects one thing more. A field that is selected twice stands in the statement once, as Salesforce wants it.
    pub fn column(mut self, column: impl Into<Column>) -> Self {
        self.columns.push(column.into());
        self
    }

    /// Selects several things more.
    pub fn columns(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.columns.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Selects the children of each record, from the name of their relationship. Up to 20 in a statement; four levels of them below
    /// the records from API 58.0, one before.
    pub fn children(self, children: Self) -> Self {
        self.column(children)
    }

    /// `USING SCOPE`.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// `WHERE`. Called again, both conditions have to hold.
    pub fn filter(mut self, condition: Condition) -> Self {
        self.filter = Some(both(self.filter, condition));
        self
    }

    /// `GROUP BY`. The answer has to fit one page of 2,000 rows.
    pub fn group_by(mut self, fields: impl IntoIterator<Item = impl Into<Expr>>) -> Self {
        self.group.extend(fields.into_iter().map(Into::into));
        self
    }

    /// `HAVING`. Called again, both conditions have to hold.
    pub fn having(mut self, condition: Condition) -> Self {
        self.having = Some(both(self.having, condition));
        self
    }

    /// `ORDER BY`, with `NULLS FIRST` or `NULLS LAST` always said. Records that are equal in all of it have no order: add `Id`.
    pub fn order_by(mut self, order: impl IntoIterator<Item = impl Into<Order>>) -> Self {
        self.order.extend(order.into_iter().map(Into::into));
        self
    }

    /// `LIMIT`.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// `OFFSET`, at most 2,000; the answer has to fit one page. To go on further, filter by the last row that was read.
    pub fn offset(mut self, rows: u32) -> Self {
        self.offset = Some(rows);
        self
    }

    /// `FOR VIEW`: the records count as viewed by the user, for "recently viewed". The last `for_…` counts.
    pub fn for_view(mut self) -> Self {
        self.purpose = Some(Purpose::View);
        self
    }

    /// `FOR REFERENCE`: the records count as referenced by the user, for "recently used". The last `for_…` counts.
    pub fn for_reference(mut self) -> Self {
        self.purpose = Some(Purpose::Reference);
        self
    }

    /// `FOR UPDATE`: locks the records for a transaction, and excludes ORDER BY. The last `for_…` counts.
    pub fn for_update(mut self) -> Self {
        self.purpose = Some(Purpose::Update);
        self
    }

    /// The statement.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the `part` it is about, and what to do:
    ///
    /// - a name that is none, a path of more than five relationships, more than 55 of them, no object, nothing selected;
    /// - children: more than 20 in all or four levels of them, grouped or aggregated ones, or with an OFFSET;
    /// - aggregates: beside fields that are not grouped, in WHERE or GROUP BY, with LIMIT or ORDER BY and no GROUP BY; `COUNT()` beside
    ///   anything; HAVING without GROUP BY; an alias that is no name, reserved, used twice, or without grouping;
    /// - semi-joins and anti-joins: more than two, under OR or NOT, in HAVING, within each other, on a path, over the object itself or one
    ///   that cannot be joined, a sub-select of more than one plain field or with other clauses than WHERE;
    /// - comparisons: a list or pattern with `=` and the like, an order by null, a text of more than 4,000 characters, groups more than
    ///   24 deep;
    /// - `FIELDS(ALL)` and `FIELDS(CUSTOM)` without a LIMIT of at most 200, an OFFSET over 2,000, FOR UPDATE with ORDER BY, and
    ///   a statement over 100,000 characters.
    pub fn build(self) -> Result<Soql> {
        check::statement(&self)?;
        self.fold().finish()
    }

    /// As [`build`](Self::build), as several statements where one would be too long: an IN list is cut, so that the fewest statements
    /// hold all its values. No statement, if it would find nothing.
    ///
    /// Each record is in the answer of one of them: values that Salesforce may take for equal, in whatever case, stay together, and a
    /// value that occurs twice is asked for once. The answers of `COUNT()` have to be added up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) as for [`build`](Self::build); and where the statement is too long and cannot be
    /// cut: no IN that every record has to pass, a long NOT IN, ORDER BY, LIMIT, OFFSET, aggregates whose groups would come in parts, or
    /// all the rest too long already.
    pub fn build_split(self, budget: SoqlBudget) -> Result<Vec<Soql>> {
        check::statement(&self)?;
        split::select(self.fold(), budget)
    }

    /// Whether it gives records as they are, all that pass the filter, in no order.
    pub(crate) fn is_plain(&self) -> bool {
        let ordered = !self.order.is_empty() || self.limit.is_some() || self.offset.is_some();
        !ordered && self.group.is_empty() && !self.is_aggregated() && !matches!(self.purpose, Some(Purpose::Update))
    }

    /// The statement of what is checked and folded.
    pub(super) fn finish(&self) -> Result<Soql> {
        let text = write::statement(self)?;
        // Aggregates without groups give a row whatever they find; COUNT() gives none.
        let nothing = self.is_never() && (!self.is_aggregated() || !self.group.is_empty() || self.counts_rows());
        Soql::checked(text, nothing)
    }

    /// Takes out what is decided already.
    pub(in crate::types) fn fold(mut self) -> Self {
        self.filter = self.filter.map(Condition::fold).filter(|condition| !condition.is_always());
        self.having = self.having.map(Condition::fold).filter(|condition| !condition.is_always());
        // No group passes, so no record has to be looked at.
        if self.having.as_ref().is_some_and(Condition::is_never) {
            self.filter = self.having.take();
        }
        for Column(entry) in &mut self.columns {
            if let Entry::Children(children) = entry {
                let folded = std::mem::replace(children.as_mut(), Self::new([""; 0])).fold();
                **children = folded;
            }
        }
        self
    }

    /// The object's name.
    pub(in crate::types) fn object(&self) -> &str {
        &self.object
    }

    /// The LIMIT.
    pub(in crate::types) fn rows(&self) -> Option<u32> {
        self.limit
    }

    pub(in crate::types) fn is_never(&self) -> bool {
        self.filter.as_ref().is_some_and(Condition::is_never)
    }

    /// Whether rows of the answer are groups, or one for all.
    pub(super) fn is_aggregated(&self) -> bool {
        !self.group.is_empty() || self.exprs().any(Expr::is_aggregate)
    }

    /// `SELECT COUNT()`.
    pub(super) fn counts_rows(&self) -> bool {
        self.exprs().any(Expr::is_count_rows)
    }

    /// The fields and functions that are selected.
    pub(super) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.columns.iter().filter_map(|Column(entry)| match entry {
            Entry::Expr { expr, .. } => Some(expr),
            _ => None,
        })
    }
}

fn both(one: Option<Condition>, other: Condition) -> Condition {
    match one {
        Some(one) => one.and(other),
        None => other,
    }
}
