//! Tokens to a syntax tree: the clauses of a SELECT.

use super::SoqlError;
use super::ast::{Count, Expr, Fields, Function, Item, Order, Path, Query, TypeOf};
use super::lexer::{self, Kind, Token};
use super::position::{malformed, refuse_at};

/// Parentheses and sub-selects within each other. Salesforce names no number; this one keeps the stack small.
const MAX_DEPTH: usize = 64;

/// Words that cannot be aliases: those of the SOQL reference ("Alias Notation") and those that begin a clause.
const RESERVED: [&str; 24] = [
    "ALL", "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FOR", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST",
    "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OFFSET", "OR", "ORDER", "SELECT", "UPDATE", "USING",
];

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    tokens: Vec<Token<'a>>,
    position: usize,
    depth: usize,
}

/// The tree of a whole statement.
pub(super) fn parse(source: &str) -> Result<Query, SoqlError> {
    let mut parser = Parser { source, tokens: lexer::tokens(source), position: 0, depth: 0 };
    let query = parser.query()?;
    match parser.peek().kind {
        Kind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Token<'a> {
        self.ahead(0)
    }

    /// The token `distance` further on; the last one is `End` and repeats.
    pub(super) fn ahead(&self, distance: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.position + distance).min(last)]
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.position += 1;
        token
    }

    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_word(word);
        self.position += usize::from(found);
        found
    }

    pub(super) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_symbol(symbol);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), SoqlError> {
        if self.accept_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), SoqlError> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn unexpected(&self) -> SoqlError {
        let token = self.peek();
        let text = match token.kind {
            Kind::Text => format!("'{}'", token.text),
            _ => token.text.to_owned(),
        };
        self.refuse(token.at, &format!("unexpected token: '{text}'"))
    }

    pub(super) fn refuse(&self, at: usize, message: &str) -> SoqlError {
        refuse_at(self.source, at, "MALFORMED_QUERY", message)
    }

    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, SoqlError>) -> Result<T, SoqlError> {
        if self.depth == MAX_DEPTH {
            return Err(malformed(format!("the statement is nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, SoqlError>,
    ) -> Result<Vec<T>, SoqlError> {
        let mut items = vec![one(self)?];
        while self.accept_symbol(",") {
            items.push(one(self)?);
        }
        Ok(items)
    }

    pub(super) fn query(&mut self) -> Result<Query, SoqlError> {
        let at = self.peek().at;
        self.expect_word("SELECT")?;
        let select = self.list(Self::item)?;
        self.expect_word("FROM")?;
        let (from, alias, joins) = self.sources()?;
        let mut query = Query {
            select,
            from,
            alias,
            joins,
            filter: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
            offset: None,
            for_update: false,
            at,
        };
        // Accepted without effect: the engine does not know who asks, so `mine` is not narrower than `everything`.
        if self.accept_word("USING") {
            self.expect_word("SCOPE")?;
            self.path()?;
        }
        if self.accept_word("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.accept_word("GROUP") {
            self.expect_word("BY")?;
            if self.ahead(1).is_symbol("(") && (self.peek().is_word("ROLLUP") || self.peek().is_word("CUBE")) {
                return Err(self.refuse(self.peek().at, "GROUP BY ROLLUP and CUBE are not supported by the mock org"));
            }
            query.group = self.list(Self::expr)?;
        }
        if self.accept_word("HAVING") {
            query.having = Some(self.condition()?);
        }
        if self.accept_word("ORDER") {
            self.expect_word("BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.accept_word("LIMIT") {
            query.limit = Some(self.count()?);
        }
        if self.accept_word("OFFSET") {
            query.offset = Some(self.count()?);
        }
        self.closing(&mut query)?;
        Ok(query)
    }

    /// `FOR VIEW`, `FOR REFERENCE`, `FOR UPDATE`, `UPDATE TRACKING`, `UPDATE VIEWSTAT`, `ALL ROWS`.
    fn closing(&mut self, query: &mut Query) -> Result<(), SoqlError> {
        while self.accept_word("FOR") {
            if self.accept_word("UPDATE") {
                query.for_update = true;
            } else if !(self.accept_word("VIEW") || self.accept_word("REFERENCE")) {
                return Err(self.unexpected());
            }
        }
        if self.accept_word("UPDATE") {
            self.list(|parser| {
                let known = parser.accept_word("TRACKING") || parser.accept_word("VIEWSTAT");
                if known { Ok(()) } else { Err(parser.unexpected()) }
            })?;
        }
        if self.peek().is_word("ALL") && self.ahead(1).is_word("ROWS") {
            // [K] not verified: ALL ROWS belongs to Apex; REST has /queryAll for it.
            return Err(self.refuse(self.peek().at, "ALL ROWS not allowed in this context"));
        }
        Ok(())
    }

    #[expect(clippy::type_complexity, reason = "the three parts of one clause, taken apart by its only caller")]
    fn sources(&mut self) -> Result<(Path, Option<String>, Vec<(Path, String)>), SoqlError> {
        let from = self.path()?;
        let alias = self.alias();
        let mut joins = Vec::new();
        while self.accept_symbol(",") {
            let path = self.path()?;
            let Some(name) = self.alias() else { return Err(self.unexpected()) };
            joins.push((path, name));
        }
        Ok((from, alias, joins))
    }

    fn item(&mut self) -> Result<Item, SoqlError> {
        let token = self.peek();
        if token.is_symbol("(") {
            self.next();
            let query = self.nested(Self::query)?;
            self.expect_symbol(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if token.is_word("TYPEOF") && self.ahead(1).kind == Kind::Word && self.ahead(2).is_word("WHEN") {
            return self.type_of();
        }
        if token.is_word("FIELDS") && self.ahead(1).is_symbol("(") {
            self.next();
            self.next();
            let which = if self.accept_word("ALL") {
                Fields::All
            } else if self.accept_word("STANDARD") {
                Fields::Standard
            } else if self.accept_word("CUSTOM") {
                Fields::Custom
            } else {
                return Err(self.unexpected());
            };
            self.expect_symbol(")")?;
            return Ok(Item::Fields { which, at: token.at });
        }
        let expr = self.expr()?;
        Ok(Item::Expr { expr, alias: self.alias() })
    }

    fn type_of(&mut self) -> Result<Item, SoqlError> {
        self.expect_word("TYPEOF")?;
        let reference = self.path()?;
        let mut arms = Vec::new();
        while self.accept_word("WHEN") {
            let object = self.path()?;
            self.expect_word("THEN")?;
            arms.push((object, self.list(Self::path)?));
        }
        let otherwise = if self.accept_word("ELSE") { self.list(Self::path)? } else { Vec::new() };
        self.expect_word("END")?;
        Ok(Item::TypeOf(TypeOf { reference, arms, otherwise }))
    }

    fn alias(&mut self) -> Option<String> {
        let token = self.peek();
        let reserved = ["WHERE", "WITH"].iter().chain(&RESERVED).any(|word| token.is_word(word));
        if token.kind != Kind::Word || token.text.contains('.') || reserved {
            return None;
        }
        self.next();
        Some(token.text.to_owned())
    }

    pub(super) fn path(&mut self) -> Result<Path, SoqlError> {
        let token = self.peek();
        // A field may carry a clause's name (`Order`, `Group` are objects), but these two never do.
        if token.kind != Kind::Word || token.is_word("FROM") || token.is_word("SELECT") {
            return Err(self.unexpected());
        }
        self.next();
        Ok(Path { parts: token.text.split('.').map(str::to_owned).collect(), at: token.at })
    }

    pub(super) fn expr(&mut self) -> Result<Expr, SoqlError> {
        let name = self.peek();
        if name.kind != Kind::Word || !self.ahead(1).is_symbol("(") {
            return self.path().map(Expr::Field);
        }
        let Some(function) = Function::named(name.text) else {
            self.next();
            return Err(self.unexpected());
        };
        self.next();
        self.next();
        let argument = if self.peek().is_symbol(")") && name.is_word("COUNT") {
            None
        } else {
            Some(Box::new(self.nested(Self::expr)?))
        };
        self.expect_symbol(")")?;
        Ok(Expr::Call { function, argument, at: name.at })
    }

    fn order(&mut self) -> Result<Order, SoqlError> {
        let expr = self.expr()?;
        let descending = self.accept_word("DESC");
        if !descending {
            self.accept_word("ASC");
        }
        let nulls_first = if self.accept_word("NULLS") {
            let first = self.accept_word("FIRST");
            if !first {
                self.expect_word("LAST")?;
            }
            Some(first)
        } else {
            None
        };
        Ok(Order { expr, descending, nulls_first })
    }

    fn count(&mut self) -> Result<Count, SoqlError> {
        let token = self.peek();
        if token.kind != Kind::Number || !token.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected());
        }
        self.next();
        Ok(Count { value: token.text.parse().unwrap_or(usize::MAX), at: token.at })
    }
}
