//! What can be selected, compared, grouped and ordered: fields, and functions of one field.

use std::fmt;

use super::condition::{Condition, Node, Operator};
use super::{LikePattern, Literal, Select};
use crate::types::FieldName;

/// A field, or a function of one.
///
/// Made by [`field`], [`count`], [`count_distinct`], [`sum`], [`avg`], [`min`], [`max`], [`count_rows`] and [`date_part`]; a text is a
/// field. Names are checked when the statement is built: letters, digits and underscores, dots between the relationships of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    pub(super) function: Option<Function>,
    /// Empty only for `COUNT()`.
    pub(super) path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Aggregate(&'static str),
    Date(DatePart),
}

/// A field by its name, or by a path of up to five relationships: `Account.Owner.Name`.
#[must_use]
pub fn field(path: impl AsRef<str>) -> Expr {
    Expr { function: None, path: path.as_ref().to_owned() }
}

/// `COUNT()`: the number of rows, as the `total_size` of an answer without records. Nothing else may be selected beside it.
#[must_use]
pub fn count_rows() -> Expr {
    aggregate("COUNT", "")
}

/// `COUNT(field)`: rows where the field is not null.
#[must_use]
pub fn count(path: impl AsRef<str>) -> Expr {
    aggregate("COUNT", path.as_ref())
}

/// `COUNT_DISTINCT(field)`: different values of the field, null aside.
#[must_use]
pub fn count_distinct(path: impl AsRef<str>) -> Expr {
    aggregate("COUNT_DISTINCT", path.as_ref())
}

/// `SUM(field)`, null aside.
#[must_use]
pub fn sum(path: impl AsRef<str>) -> Expr {
    aggregate("SUM", path.as_ref())
}

/// `AVG(field)`, null aside.
#[must_use]
pub fn avg(path: impl AsRef<str>) -> Expr {
    aggregate("AVG", path.as_ref())
}

/// `MIN(field)`, null aside; of a picklist by the order of its values in Setup.
#[must_use]
pub fn min(path: impl AsRef<str>) -> Expr {
    aggregate("MIN", path.as_ref())
}

/// `MAX(field)`, null aside; of a picklist by the order of its values in Setup.
#[must_use]
pub fn max(path: impl AsRef<str>) -> Expr {
    aggregate("MAX", path.as_ref())
}

/// A part of a date or of a date and time, which counts in UTC: `CALENDAR_YEAR(CloseDate)`.
#[must_use]
pub fn date_part(part: DatePart, path: impl AsRef<str>) -> Expr {
    Expr { function: Some(Function::Date(part)), path: path.as_ref().to_owned() }
}

fn aggregate(name: &'static str, path: &str) -> Expr {
    Expr { function: Some(Function::Aggregate(name)), path: path.to_owned() }
}

/// A part of a date. Source: SOQL reference, "Date Functions".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatePart {
    /// `CALENDAR_YEAR`.
    CalendarYear,
    /// `CALENDAR_QUARTER`, 1 to 4.
    CalendarQuarter,
    /// `CALENDAR_MONTH`, 1 to 12.
    CalendarMonth,
    /// `FISCAL_YEAR`.
    FiscalYear,
    /// `FISCAL_QUARTER`.
    FiscalQuarter,
    /// `FISCAL_MONTH`.
    FiscalMonth,
    /// `WEEK_IN_YEAR`.
    WeekInYear,
    /// `WEEK_IN_MONTH`.
    WeekInMonth,
    /// `DAY_IN_YEAR`.
    DayInYear,
    /// `DAY_IN_MONTH`.
    DayInMonth,
    /// `DAY_IN_WEEK`, 1 for Sunday.
    DayInWeek,
    /// `DAY_ONLY`: the date of a date and time.
    DayOnly,
    /// `HOUR_IN_DAY`, of a date and time.
    HourInDay,
}

impl DatePart {
    fn word(self) -> &'static str {
        match self {
            Self::CalendarYear => "CALENDAR_YEAR",
            Self::CalendarQuarter => "CALENDAR_QUARTER",
            Self::CalendarMonth => "CALENDAR_MONTH",
            Self::FiscalYear => "FISCAL_YEAR",
            Self::FiscalQuarter => "FISCAL_QUARTER",
            Self::FiscalMonth => "FISCAL_MONTH",
            Self::WeekInYear => "WEEK_IN_YEAR",
            Self::WeekInMonth => "WEEK_IN_MONTH",
            Self::DayInYear => "DAY_IN_YEAR",
            Self::DayInMonth => "DAY_IN_MONTH",
            Self::DayInWeek => "DAY_IN_WEEK",
            Self::DayOnly => "DAY_ONLY",
            Self::HourInDay => "HOUR_IN_DAY",
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.function {
            None => f.write_str(path),
            Some(Function::Aggregate(name)) => write!(f, "{name}({path})"),
            Some(Function::Date(part)) => write!(f, "{}({path})", part.word()),
        }
    }
}

impl From<&str> for Expr {
    fn from(path: &str) -> Self {
        field(path)
    }
}

impl From<String> for Expr {
    fn from(path: String) -> Self {
        Self { function: None, path }
    }
}

impl From<&FieldName> for Expr {
    fn from(name: &FieldName) -> Self {
        field(name)
    }
}

impl From<FieldName> for Expr {
    fn from(name: FieldName) -> Self {
        field(name)
    }
}

/// Comparisons. What does not fit, such as a list, a pattern or an order by null, is an error of `build`.
impl Expr {
    /// `=`. Text is compared without its case, unless the field is unique and case-sensitive. `None` finds records without a value.
    #[must_use]
    pub fn eq(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::Equal, value)
    }

    /// `!=`. A record without a value passes it.
    #[must_use]
    pub fn ne(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::NotEqual, value)
    }

    /// `<`.
    #[must_use]
    pub fn lt(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::Less, value)
    }

    /// `<=`.
    #[must_use]
    pub fn le(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::LessOrEqual, value)
    }

    /// `>`.
    #[must_use]
    pub fn gt(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::Greater, value)
    }

    /// `>=`.
    #[must_use]
    pub fn ge(self, value: impl Into<Literal>) -> Condition {
        self.compare(Operator::GreaterOrEqual, value)
    }

    /// `LIKE`, on text fields, whatever the case.
    #[must_use]
    pub fn like(self, pattern: LikePattern) -> Condition {
        self.compare(Operator::Like, pattern)
    }

    /// `IN`. No values: no record passes.
    #[must_use]
    pub fn is_in(self, values: impl IntoIterator<Item = impl Into<Literal>>) -> Condition {
        self.list(Operator::In, values)
    }

    /// `NOT IN`. No values: every record passes.
    #[must_use]
    pub fn not_in(self, values: impl IntoIterator<Item = impl Into<Literal>>) -> Condition {
        self.list(Operator::NotIn, values)
    }

    /// `INCLUDES`, on multi-select picklists: one of these sets of values is chosen as a whole. No sets: no record passes.
    #[must_use]
    pub fn includes<S: Into<String>>(self, any_of: impl IntoIterator<Item = impl IntoIterator<Item = S>>) -> Condition {
        self.list(Operator::Includes, sets(any_of))
    }

    /// `EXCLUDES`, on multi-select picklists: none of these sets of values is chosen as a whole. No sets: every record passes.
    #[must_use]
    pub fn excludes<S: Into<String>>(self, any_of: impl IntoIterator<Item = impl IntoIterator<Item = S>>) -> Condition {
        self.list(Operator::Excludes, sets(any_of))
    }

    /// A semi-join: the id or reference is among those of the sub-select, which selects one such field.
    #[must_use]
    pub fn is_in_select(self, select: Select) -> Condition {
        Condition::leaf(Node::Join { expr: self, negated: false, select: Box::new(select) })
    }

    /// An anti-join: the id or reference is not among those of the sub-select, which selects one such field.
    #[must_use]
    pub fn not_in_select(self, select: Select) -> Condition {
        Condition::leaf(Node::Join { expr: self, negated: true, select: Box::new(select) })
    }

    fn compare(self, operator: Operator, value: impl Into<Literal>) -> Condition {
        Condition::leaf(Node::Compare { expr: self, operator, value: value.into() })
    }

    fn list(self, operator: Operator, values: impl IntoIterator<Item = impl Into<Literal>>) -> Condition {
        let values = values.into_iter().map(Into::into).collect();
        Condition::leaf(Node::List { expr: self, operator, values })
    }

    pub(super) fn is_aggregate(&self) -> bool {
        matches!(self.function, Some(Function::Aggregate(_)))
    }

    /// `COUNT()`.
    pub(super) fn is_count_rows(&self) -> bool {
        self.is_aggregate() && self.path.is_empty()
    }

    /// The same to Salesforce, which takes names in any case.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.function == other.function && self.path.eq_ignore_ascii_case(&other.path)
    }
}

fn sets<S: Into<String>>(
    any_of: impl IntoIterator<Item = impl IntoIterator<Item = S>>,
) -> impl Iterator<Item = Literal> {
    any_of.into_iter().map(|all_of| Literal::MultiSelect(all_of.into_iter().map(Into::into).collect()))
}

/// The order of rows by a field or function; made by [`Expr::asc`] and [`Expr::desc`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(super) expr: Expr,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

impl Expr {
    /// Ascending, null first.
    #[must_use]
    pub fn asc(self) -> Order {
        Order { expr: self, descending: false, nulls_first: true }
    }

    /// Descending, null last.
    #[must_use]
    pub fn desc(self) -> Order {
        Order { expr: self, descending: true, nulls_first: false }
    }
}

impl Order {
    /// Rows without a value come first.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.nulls_first = true;
        self
    }

    /// Rows without a value come last.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.nulls_first = false;
        self
    }
}

impl<T: Into<Expr>> From<T> for Order {
    /// Ascending, null first.
    fn from(expr: T) -> Self {
        expr.into().asc()
    }
}
