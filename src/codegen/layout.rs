//! Text as `rustfmt` lays it out by default, so that a formatted project does not touch generated files.

/// Columns of a line.
const WIDTH: usize = 100;
/// Columns of arguments, elements and attributes in one line: `rustfmt`'s `fn_call_width`, `array_width`, `attr_fn_like_width`.
const ARGUMENTS: usize = 60;
const ATTRIBUTE: usize = 70;
/// Columns of a struct literal's fields in one line: `struct_lit_width`.
const LITERAL: usize = 18;

/// Code in the making.
#[derive(Debug, Default)]
pub(super) struct Code(String);

fn columns(text: &str) -> usize {
    text.chars().count()
}

impl Code {
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// A line, or an empty one.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.0.extend(std::iter::repeat_n(' ', indent * 4));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    /// Several lines, each with its own indent before it.
    pub(super) fn lines(&mut self, text: &str) {
        for line in text.lines() {
            self.line(0, line);
        }
    }

    /// A documentation comment.
    pub(super) fn doc(&mut self, indent: usize, text: &str) {
        let text = text.trim_end();
        self.line(indent, &if text.is_empty() { "///".to_owned() } else { format!("/// {text}") });
    }

    /// `#[name(arguments)]`.
    pub(super) fn attribute(&mut self, indent: usize, name: &str, arguments: &[String]) {
        // A single argument stays where it is, however long.
        let width = if arguments.len() == 1 { WIDTH } else { ATTRIBUTE };
        self.list(indent, &format!("{name}("), arguments, ")]", width, false);
    }

    /// `head(arguments)tail`.
    pub(super) fn call(&mut self, indent: usize, head: &str, arguments: &[String], tail: &str) {
        self.list(indent, &format!("{head}("), arguments, &format!("){tail}"), ARGUMENTS, true);
    }

    /// `head(arguments)` as an element of a list.
    pub(super) fn of_call(head: &str, arguments: &[String]) -> String {
        let mut code = Self::default();
        code.call(0, head, arguments, "");
        code.0.trim_end().to_owned()
    }

    /// The head of a function, whose parameters take a line each where one does not hold them.
    pub(super) fn function(&mut self, indent: usize, head: &str, parameters: &[String], tail: &str) {
        self.list(indent, &format!("{head}("), parameters, &format!("){tail}"), usize::MAX, true);
    }

    /// `head[elements]tail`.
    pub(super) fn array(&mut self, indent: usize, head: &str, elements: &[String], tail: &str) {
        self.list(indent, &format!("{head}["), elements, &format!("]{tail}"), ARGUMENTS, true);
    }

    /// An arm of a `match`; its body goes below where the line does not hold it.
    pub(super) fn arm(&mut self, indent: usize, pattern: &str, body: &str) {
        let line = format!("{pattern} => {body},");
        if indent * 4 + columns(&line) <= WIDTH {
            return self.line(indent, &line);
        }
        self.line(indent, &format!("{pattern} => {{"));
        self.line(indent + 1, body);
        self.line(indent, "}");
    }

    /// `head { fields }`; rustfmt keeps a line for 18 columns of fields.
    pub(super) fn literal(&mut self, indent: usize, head: &str, fields: &[String]) {
        let joined = fields.join(", ");
        if columns(&joined) <= LITERAL {
            return self.line(indent, &format!("{head} {{ {joined} }}"));
        }
        self.line(indent, &format!("{head} {{"));
        for field in fields {
            self.line(indent + 1, &format!("{field},"));
        }
        self.line(indent, "}");
    }

    /// `head = value;`, the value below where the line does not hold it.
    pub(super) fn constant(&mut self, indent: usize, head: &str, value: &str) {
        let line = format!("{head} = {value};");
        if indent * 4 + columns(&line) <= WIDTH {
            return self.line(indent, &line);
        }
        self.line(indent, &format!("{head} ="));
        self.line(indent + 1, &format!("{value};"));
    }

    fn list(&mut self, indent: usize, head: &str, items: &[String], tail: &str, width: usize, trailing: bool) {
        let joined = items.join(", ");
        if !joined.contains('\n') && fits(indent, head, &joined, tail, width) {
            return self.line(indent, &format!("{head}{joined}{tail}"));
        }
        self.line(indent, head);
        for (index, item) in items.iter().enumerate() {
            let comma = if trailing || index + 1 < items.len() { "," } else { "" };
            for (line, more) in item.lines().zip((0..item.lines().count()).rev()) {
                self.line(indent + 1, &format!("{line}{}", if more == 0 { comma } else { "" }));
            }
        }
        self.line(indent, tail);
    }
}

fn fits(indent: usize, head: &str, joined: &str, tail: &str, width: usize) -> bool {
    columns(joined) <= width && indent * 4 + columns(head) + columns(joined) + columns(tail) <= WIDTH
}

/// A text of the org in a documentation comment: one line, without what Markdown or the compiler would act on.
pub(super) fn doc_text(text: &str) -> String {
    let mut out = String::new();
    for letter in text.trim().chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' => {
                out.push('\\');
                out.push(letter);
            }
            // The compiler refuses comments whose direction is turned, and carriage returns.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' => {}
            letter if letter.is_control() || letter.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            letter => out.push(letter),
        }
    }
    out
}

/// A text as a literal of Rust.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_an_org_ends_a_comment_or_turns_it() {
        assert_eq!(doc_text(" a\r\nb\u{2028}c \u{202e}d*/ "), "a b c d\\*/");
        assert_eq!(doc_text("[x](y) <b>_`"), "\\[x\\](y) \\<b\\>\\_\\`");
        assert_eq!(literal("a\"b\\\u{202e}\n"), r#""a\"b\\\u{202e}\n""#);
    }

    #[test]
    fn what_a_line_does_not_hold_goes_below() {
        let long = vec!["a".repeat(40), "b".repeat(40)];
        let mut code = Code::default();
        code.call(0, "f", &long[..1], ";");
        code.call(0, "f", &long, ";");
        code.attribute(1, "#[serde", &long);
        code.arm(2, "x", &"c".repeat(100));
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(100));
        let expected = format!(
            "f({a});\nf(\n    {a},\n    {b},\n);\n    #[serde(\n        {a},\n        {b}\n    )]\n        x => {{\n            {c}\n        }}\n"
        );
        assert_eq!(code.into_text(), expected);
    }
}
