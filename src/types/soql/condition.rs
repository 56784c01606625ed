//! Conditions of WHERE and HAVING.

use super::{Expr, Literal, Select};

/// Groups within each other. Salesforce names no number; this one is far above what anybody writes, and keeps the stack small.
const MAX_DEPTH: u8 = 24;

/// A condition of WHERE or HAVING. Comparisons come from [`Expr`], groups from here.
///
/// ```
/// use sforce::types::Soql;
/// use sforce::types::soql::{Condition, field};
///
/// let open = field("IsClosed").eq(false);
/// let large = Condition::any([field("Amount").gt(10_000), field("Type").is_in(["New", "Renewal"])]);
/// let soql = Soql::select(["Id"]).from("Opportunity").filter(open.and(!large)).build()?;
/// assert_eq!(
///     soql.as_str(),
///     "SELECT Id FROM Opportunity WHERE IsClosed = FALSE AND (NOT (Amount > 10000 OR Type IN ('New','Renewal')))"
/// );
/// # Ok::<(), sforce::Error>(())
/// ```
///
/// Parentheses stand wherever AND, OR and NOT meet, since SOQL refuses them mixed. A list without values decides its comparison, and
/// a condition that cannot hold makes a statement that [finds nothing](crate::types::Soql::matches_nothing).
///
/// This is what the org evaluates, by its rules: text without its case, null like a value. A [`Filter`](crate::types::Filter) is
/// evaluated here, on records of any source; none becomes the other.
///
/// Source: SOQL reference, "Condition Expression Syntax (WHERE Clause)", "Logical Operators".
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub(super) node: Node,
    depth: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Every record passes.
    Always,
    /// No record passes.
    Never,
    /// Two or more, none of which is `All`.
    All(Vec<Condition>),
    /// Two or more, none of which is `Any`.
    Any(Vec<Condition>),
    /// Of anything but `Not`.
    Not(Box<Condition>),
    Compare {
        expr: Expr,
        operator: Operator,
        value: Literal,
    },
    List {
        expr: Expr,
        operator: Operator,
        values: Vec<Literal>,
    },
    /// A semi-join or anti-join.
    Join {
        expr: Expr,
        negated: bool,
        select: Box<Select>,
    },
    /// What was nested more than [`MAX_DEPTH`] deep: an error of `build`.
    TooDeep,
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

impl Operator {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "LIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::Includes => "INCLUDES",
            Self::Excludes => "EXCLUDES",
        }
    }

    /// Whether the comparison passes what its list does not hold.
    fn is_negative(self) -> bool {
        matches!(self, Self::NotIn | Self::Excludes)
    }
}

impl Condition {
    /// All of these hold; with none of them, always.
    #[must_use]
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition.node {
                Node::All(inner) => parts.extend(inner),
                _ => parts.push(condition),
            }
        }
        Self::group(parts, Node::Always, Node::All)
    }

    /// One of these holds; with none of them, never.
    #[must_use]
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition.node {
                Node::Any(inner) => parts.extend(inner),
                _ => parts.push(condition),
            }
        }
        Self::group(parts, Node::Never, Node::Any)
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::all([self, other])
    }

    /// One or both hold.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::any([self, other])
    }

    pub(super) fn leaf(node: Node) -> Self {
        Self { node, depth: 0 }
    }

    fn group(mut parts: Vec<Self>, empty: Node, group: fn(Vec<Self>) -> Node) -> Self {
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::leaf(empty),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                let depth = parts.iter().map(|part| part.depth).max().unwrap_or_default();
                Self::above(depth, group(parts))
            }
        }
    }

    fn above(depth: u8, node: Node) -> Self {
        if depth < MAX_DEPTH { Self { node, depth: depth + 1 } } else { Self::leaf(Node::TooDeep) }
    }

    /// The same with what is decided already, such as an empty IN, taken out.
    pub(super) fn fold(self) -> Self {
        let Self { node, depth } = self;
        match node {
            Node::List { operator, values, .. } if values.is_empty() => Self::constant(operator.is_negative()),
            Node::Join { expr, negated, select } => {
                let select = select.fold();
                if select.is_never() {
                    return Self::constant(negated);
                }
                Self::leaf(Node::Join { expr, negated, select: Box::new(select) })
            }
            Node::All(parts) => {
                let parts: Vec<Self> = parts.into_iter().map(Self::fold).filter(|part| !part.is_always()).collect();
                if parts.iter().any(Self::is_never) { Self::constant(false) } else { Self::all(parts) }
            }
            Node::Any(parts) => {
                let parts: Vec<Self> = parts.into_iter().map(Self::fold).filter(|part| !part.is_never()).collect();
                if parts.iter().any(Self::is_always) { Self::constant(true) } else { Self::any(parts) }
            }
            Node::Not(part) => !part.fold(),
            node => Self { node, depth },
        }
    }

    fn constant(holds: bool) -> Self {
        Self::leaf(if holds { Node::Always } else { Node::Never })
    }

    pub(super) fn is_always(&self) -> bool {
        self.node == Node::Always
    }

    pub(super) fn is_never(&self) -> bool {
        self.node == Node::Never
    }
}

impl std::ops::Not for Condition {
    type Output = Self;

    /// This does not hold.
    fn not(self) -> Self {
        match self.node {
            Node::Not(inner) => *inner,
            Node::Always => Self::leaf(Node::Never),
            Node::Never => Self::leaf(Node::Always),
            node => Self::above(self.depth, Node::Not(Box::new(Self { node, depth: self.depth }))),
        }
    }
}

impl std::ops::BitAnd for Condition {
    type Output = Self;

    /// Both hold.
    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl std::ops::BitOr for Condition {
    type Output = Self;

    /// One or both hold.
    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}
