//! Tokens to a syntax tree: the conditions of WHERE and HAVING.

use super::SoqlError;
use super::ast::{Comparison, Condition, Constant, Literal, Operator, Right};
use super::dates;
use super::lexer::Kind;
use super::parser::Parser;

impl Parser<'_> {
    /// SOQL reference, "conditionExpression": operands joined by AND or by OR, or one operand behind NOT. Whatever else
    /// needs parentheses, so `a AND b OR c`, `NOT a AND b` and `a AND NOT b` all end in an unexpected token.
    pub(super) fn condition(&mut self) -> Result<Condition, SoqlError> {
        if self.accept_word("NOT") {
            return Ok(Condition::Not(Box::new(self.operand()?)));
        }
        let first = self.operand()?;
        let joiner = ["AND", "OR"].into_iter().find(|word| self.peek().is_word(word));
        let Some(joiner) = joiner else { return Ok(first) };
        let mut operands = vec![first];
        while self.accept_word(joiner) {
            operands.push(self.operand()?);
        }
        if self.peek().is_word("AND") || self.peek().is_word("OR") {
            return Err(self.unexpected());
        }
        Ok(if joiner == "AND" { Condition::And(operands) } else { Condition::Or(operands) })
    }

    fn operand(&mut self) -> Result<Condition, SoqlError> {
        if self.accept_symbol("(") {
            let inner = self.nested(Self::condition)?;
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        if self.peek().is_word("NOT") {
            return Err(self.unexpected());
        }
        self.comparison().map(Condition::Compare)
    }

    fn comparison(&mut self) -> Result<Comparison, SoqlError> {
        let left = self.expr()?;
        let operator = self.operator()?;
        let takes_list = matches!(operator, Operator::In | Operator::NotIn | Operator::Includes | Operator::Excludes);
        let right = if takes_list { self.values(operator)? } else { Right::Values(vec![self.literal()?]) };
        Ok(Comparison { left, operator, right })
    }

    fn operator(&mut self) -> Result<Operator, SoqlError> {
        let token = self.peek();
        let operator = match (token.kind, token.text.to_ascii_uppercase().as_str()) {
            (Kind::Symbol, "=") => Operator::Equal,
            (Kind::Symbol, "!=" | "<>") => Operator::NotEqual,
            (Kind::Symbol, "<") => Operator::Less,
            (Kind::Symbol, "<=") => Operator::LessOrEqual,
            (Kind::Symbol, ">") => Operator::Greater,
            (Kind::Symbol, ">=") => Operator::GreaterOrEqual,
            (Kind::Word, "LIKE") => Operator::Like,
            (Kind::Word, "IN") => Operator::In,
            (Kind::Word, "INCLUDES") => Operator::Includes,
            (Kind::Word, "EXCLUDES") => Operator::Excludes,
            (Kind::Word, "NOT") => {
                self.next();
                self.expect_word("IN")?;
                return Ok(Operator::NotIn);
            }
            _ => return Err(self.unexpected()),
        };
        self.next();
        Ok(operator)
    }

    fn values(&mut self, operator: Operator) -> Result<Right, SoqlError> {
        if self.peek().is_symbol(":") {
            self.literal()?;
        }
        self.expect_symbol("(")?;
        if self.peek().is_word("SELECT") && matches!(operator, Operator::In | Operator::NotIn) {
            let query = self.nested(Self::query)?;
            self.expect_symbol(")")?;
            return Ok(Right::Select(Box::new(query)));
        }
        // An empty list ends here in "unexpected token: ')'".
        let literals = self.list(Self::literal)?;
        self.expect_symbol(")")?;
        Ok(Right::Values(literals))
    }

    fn literal(&mut self) -> Result<Literal, SoqlError> {
        let token = self.peek();
        let text = token.text.to_owned();
        let value = match token.kind {
            Kind::Text => Constant::Text(text),
            Kind::Number => Constant::Number(text),
            Kind::Date => Constant::Date(text),
            Kind::DateTime => Constant::DateTime(text),
            Kind::Time => Constant::Time(text),
            Kind::Word if token.is_word("null") => Constant::Null,
            Kind::Word if token.is_word("true") => Constant::Bool(true),
            Kind::Word if token.is_word("false") => Constant::Bool(false),
            Kind::Word if dates::is_literal(&text) => return self.relative(text, token.at),
            Kind::Word if is_currency(&text) => {
                self.next();
                return Ok(Literal { value: Constant::Number(self.amount(&text[3..], token.at)), at: token.at });
            }
            Kind::Symbol if text == ":" => {
                return Err(self.refuse(token.at, "Bind variables only allowed in Apex code"));
            }
            _ => return Err(self.unexpected()),
        };
        self.next();
        Ok(Literal { value, at: token.at })
    }

    fn relative(&mut self, word: String, at: usize) -> Result<Literal, SoqlError> {
        self.next();
        let mut count = None;
        if dates::takes_count(&word) {
            self.expect_symbol(":")?;
            let number = self.peek();
            let Some(value) = number.text.parse().ok().filter(|_| number.kind == Kind::Number) else {
                return Err(self.unexpected());
            };
            self.next();
            count = Some(value);
        }
        Ok(Literal { value: Constant::Relative { word, count }, at })
    }

    /// The number of `USD100.50`; its fraction is a token of its own.
    fn amount(&mut self, whole: &str, at: usize) -> String {
        let next = self.peek();
        if next.kind == Kind::Number && next.text.starts_with('.') && next.at == at + 3 + whole.len() {
            self.next();
            return format!("{whole}{}", next.text);
        }
        whole.to_owned()
    }
}

/// SOQL reference, "Querying Currency Fields in Multicurrency Orgs": an ISO code with the amount right behind it.
fn is_currency(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() > 3 && bytes[..3].iter().all(u8::is_ascii_alphabetic) && bytes[3..].iter().all(u8::is_ascii_digit)
}
