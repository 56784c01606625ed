//! The syntax tree. Names are as the statement spells them; `at` is a byte offset into it.

/// A dotted name: `Account.Owner.Name`.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) parts: Vec<String>,
    pub(super) at: usize,
}

impl Path {
    pub(super) fn text(&self) -> String {
        self.parts.join(".")
    }
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) select: Vec<Item>,
    pub(super) from: Path,
    pub(super) alias: Option<String>,
    /// `FROM Contact c, c.Account a`: further names for parents.
    pub(super) joins: Vec<(Path, String)>,
    pub(super) filter: Option<Condition>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<Count>,
    pub(super) offset: Option<Count>,
    /// FOR UPDATE, which excludes ORDER BY.
    pub(super) for_update: bool,
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) value: usize,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum Item {
    Expr {
        expr: Expr,
        alias: Option<String>,
    },
    /// `(SELECT … FROM Contacts)`
    Children(Box<Query>),
    /// `FIELDS(ALL)`
    Fields {
        which: Fields,
        at: usize,
    },
    TypeOf(TypeOf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    All,
    Standard,
    Custom,
}

/// `TYPEOF What WHEN Account THEN Phone ELSE Name END`
#[derive(Debug)]
pub(super) struct TypeOf {
    pub(super) reference: Path,
    pub(super) arms: Vec<(Path, Vec<Path>)>,
    pub(super) otherwise: Vec<Path>,
}

#[derive(Debug)]
pub(super) enum Expr {
    Field(Path),
    Call {
        function: Function,
        /// `None` only for `COUNT()`.
        argument: Option<Box<Expr>>,
        at: usize,
    },
}

impl Expr {
    pub(super) fn at(&self) -> usize {
        match self {
            Self::Field(path) => path.at,
            Self::Call { at, .. } => *at,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Aggregate(Aggregate),
    Date(DatePart),
    ToLabel,
    Format,
    /// The org has one currency.
    ConvertCurrency,
    /// The org's users live in UTC.
    ConvertTimezone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
}

/// SOQL reference, "Date Functions".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePart {
    Month,
    Quarter,
    Year,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    HourInDay,
    WeekInMonth,
    WeekInYear,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "COUNT" => Self::Aggregate(Aggregate::Count),
            "COUNT_DISTINCT" => Self::Aggregate(Aggregate::CountDistinct),
            "SUM" => Self::Aggregate(Aggregate::Sum),
            "AVG" => Self::Aggregate(Aggregate::Avg),
            "MIN" => Self::Aggregate(Aggregate::Min),
            "MAX" => Self::Aggregate(Aggregate::Max),
            // The fiscal year begins in January.
            "CALENDAR_MONTH" | "FISCAL_MONTH" => Self::Date(DatePart::Month),
            "CALENDAR_QUARTER" | "FISCAL_QUARTER" => Self::Date(DatePart::Quarter),
            "CALENDAR_YEAR" | "FISCAL_YEAR" => Self::Date(DatePart::Year),
            "DAY_IN_MONTH" => Self::Date(DatePart::DayInMonth),
            "DAY_IN_WEEK" => Self::Date(DatePart::DayInWeek),
            "DAY_IN_YEAR" => Self::Date(DatePart::DayInYear),
            "DAY_ONLY" => Self::Date(DatePart::DayOnly),
            "HOUR_IN_DAY" => Self::Date(DatePart::HourInDay),
            "WEEK_IN_MONTH" => Self::Date(DatePart::WeekInMonth),
            "WEEK_IN_YEAR" => Self::Date(DatePart::WeekInYear),
            "TOLABEL" => Self::ToLabel,
            "FORMAT" => Self::Format,
            "CONVERTCURRENCY" => Self::ConvertCurrency,
            "CONVERTTIMEZONE" => Self::ConvertTimezone,
            _ => return None,
        })
    }
}

impl Aggregate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::CountDistinct => "COUNT_DISTINCT",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
        }
    }
}

#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Comparison),
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) left: Expr,
    pub(super) operator: Operator,
    pub(super) right: Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    In,
    NotIn,
    Includes,
    Excludes,
}

#[derive(Debug)]
pub(super) enum Right {
    /// One value, or those in parentheses.
    Values(Vec<Literal>),
    /// A semi-join or anti-join.
    Select(Box<Query>),
}

#[derive(Debug)]
pub(super) struct Literal {
    pub(super) value: Constant,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum Constant {
    Null,
    Bool(bool),
    Number(String),
    /// Between the quotes, escapes not resolved: `\%` is an escape in LIKE only.
    Text(String),
    Date(String),
    DateTime(String),
    Time(String),
    /// `TODAY`, `LAST_N_DAYS:7`
    Relative {
        word: String,
        count: Option<i64>,
    },
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) expr: Expr,
    pub(super) descending: bool,
    /// `None`: not said.
    pub(super) nulls_first: Option<bool>,
}
