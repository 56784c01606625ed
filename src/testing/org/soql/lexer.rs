//! Text to tokens.

/// What a token is. Keywords are words; the parser knows them by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword, dots included: `Account.Owner.Name`.
    Word,
    Number,
    /// A quoted literal; the text is what stands between the quotes, escapes not resolved.
    Text,
    Date,
    DateTime,
    /// `11:29:24.000Z`
    Time,
    Symbol,
    /// A character no statement may contain, or a quote that is never closed.
    Unknown,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Byte offset in the statement.
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// All tokens of a statement, `End` last. Never fails: what cannot be read becomes an `Unknown` token, so that an
/// earlier mistake is reported first.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &source[at..];
        let (kind, length) = scan(rest, first);
        // The quotes are not part of a literal's text, but of its place.
        let text = if kind == Kind::Text { &rest[1..length - 1] } else { &rest[..length] };
        found.push(Token { kind, text, at });
        at += length;
    }
    found.push(Token { kind: Kind::End, text: "<EOF>", at: source.len() });
    found
}

fn scan(rest: &str, first: char) -> (Kind, usize) {
    let second = rest[first.len_utf8()..].chars().next();
    match first {
        '\'' => quoted(rest),
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, word(rest)),
        '0'..='9' => number_or_date(rest),
        '+' | '-' if second.is_some_and(|digit| digit.is_ascii_digit()) => (Kind::Number, number(rest)),
        '.' if second.is_some_and(|digit| digit.is_ascii_digit()) => (Kind::Number, number(rest)),
        '!' | '<' | '>' if second == Some('=') => (Kind::Symbol, 2),
        '<' if second == Some('>') => (Kind::Symbol, 2),
        '(' | ')' | ',' | '=' | '<' | '>' | ':' => (Kind::Symbol, 1),
        other => (Kind::Unknown, other.len_utf8()),
    }
}

fn quoted(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return (Kind::Text, index + 1),
            _ => {}
        }
    }
    (Kind::Unknown, 1)
}

fn word(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut end = 0;
    loop {
        end += bytes[end..].iter().take_while(|byte| is_name(byte)).count();
        let goes_on = bytes.get(end) == Some(&b'.')
            && bytes.get(end + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        if !goes_on {
            return end;
        }
        end += 1;
    }
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    end += digits(end);
    if bytes.get(end) == Some(&b'.') {
        end += 1;
        end += digits(end);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// `2026-05-06`, `2026-05-06T11:29:24Z`, `2026-05-06T11:29:24.000+01:00` `11:29:24.000Z` or a number.
fn number_or_date(rest: &str) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let is_date = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let is_time = bytes.len() >= 8
        && bytes[..8].iter().enumerate().all(|(index, byte)| match index {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'+' | b'-');
    if is_time {
        return (Kind::Time, bytes.iter().take_while(|byte| is_part(byte)).count());
    }
    if !is_date {
        return (Kind::Number, number(rest));
    }
    if !matches!(bytes.get(10), Some(b'T' | b't')) {
        return (Kind::Date, 10);
    }
    (Kind::DateTime, 10 + bytes[10..].iter().take_while(|byte| is_part(byte)).count())
}
