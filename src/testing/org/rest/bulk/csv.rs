//! The CSV that Bulk API 2.0 takes and gives (wire facts 3.1, "CSV rules").

use std::borrow::Cow;

/// Limits of a record (wire facts 3.1): characters of its header, its cells and of all of it, and the number of its cells.
const MAX_HEADER: usize = 32_000;
const MAX_CELL: usize = 131_072;
const MAX_RECORD: usize = 400_000;
const MAX_CELLS: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    Comma,
    Tab,
    Pipe,
    Semicolon,
    Caret,
    Backquote,
}

impl Delimiter {
    const ALL: [Self; 6] = [Self::Comma, Self::Tab, Self::Pipe, Self::Semicolon, Self::Caret, Self::Backquote];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delimiter| delimiter.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Comma => "COMMA",
            Self::Tab => "TAB",
            Self::Pipe => "PIPE",
            Self::Semicolon => "SEMICOLON",
            Self::Caret => "CARET",
            Self::Backquote => "BACKQUOTE",
        }
    }

    fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Tab => '\t',
            Self::Pipe => '|',
            Self::Semicolon => ';',
            Self::Caret => '^',
            Self::Backquote => '`',
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnding {
    Lf,
    CrLf,
}

impl LineEnding {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "LF" => Some(Self::Lf),
            "CRLF" => Some(Self::CrLf),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::CrLf => "CRLF",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// How a job's CSV is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: Delimiter,
    pub(super) ending: LineEnding,
}

/// Why an upload is no CSV of its job. The message is that of the job, which fails as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// Reads records one after the other.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) at: usize,
    dialect: Dialect,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, at: usize, dialect: Dialect) -> Self {
        Self { text, at, dialect }
    }

    /// The next record's cells; `false` at the end. [K] Lines without a character are passed over.
    pub(super) fn next(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Result<bool, Malformed> {
        cells.clear();
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return Ok(false);
            }
            let Some(length) = self.line_end(rest)? else { break };
            self.at += length;
        }
        let start = self.at;
        loop {
            cells.push(self.cell()?);
            let rest = &self.text[self.at..];
            if rest.starts_with(self.dialect.delimiter.char()) {
                self.at += 1;
                continue;
            }
            let end = self.at;
            self.at += self.line_end(rest)?.unwrap_or(0);
            check_size(cells, &self.text[start..end])?;
            return Ok(true);
        }
    }

    /// Bytes of the line ending a text begins with, which has to be the job's.
    fn line_end(&self, rest: &str) -> Result<Option<usize>, Malformed> {
        match (self.dialect.ending, rest.as_bytes()) {
            (LineEnding::CrLf, [b'\r', b'\n', ..]) => Ok(Some(2)),
            (LineEnding::Lf, [b'\n', ..]) => Ok(Some(1)),
            (ending, [b'\r' | b'\n', ..]) => Err(Malformed(format!(
                // [S] Many reports of the text.
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {}",
                ending.name()
            ))),
            _ => Ok(None),
        }
    }

    fn cell(&mut self) -> Result<Cow<'t, str>, Malformed> {
        let rest = &self.text[self.at..];
        let delimiter = self.dialect.delimiter.char();
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find([delimiter, '\r', '\n', '"']).unwrap_or(rest.len());
            if rest[end..].starts_with('"') {
                return Err(unescaped());
            }
            self.at += end;
            return Ok(Cow::Borrowed(&rest[..end]));
        };
        let mut owned = String::new();
        let mut from = 0;
        loop {
            let Some(quote) = quoted[from..].find('"').map(|place| from + place) else {
                // [K] The text.
                return Err(Malformed("InvalidBatch : Failed to parse CSV. Found no end of a quoted value".to_owned()));
            };
            let part = &quoted[from..quote];
            let after = &quoted[quote + 1..];
            if after.starts_with('"') {
                owned.push_str(part);
                owned.push('"');
                from = quote + 2;
                continue;
            }
            self.at += quote + 2;
            // A space outside the quotes is an error, as anything else is.
            if !after.is_empty() && !after.starts_with([delimiter, '\r', '\n']) {
                return Err(unescaped());
            }
            return Ok(if owned.is_empty() { Cow::Borrowed(part) } else { Cow::Owned(owned + part) });
        }
    }
}

fn check_size(cells: &[Cow<'_, str>], record: &str) -> Result<(), Malformed> {
    let longer = |text: &str, max: usize| text.len() > max && text.chars().count() > max;
    // [K] The texts, and that they concern the whole job; the limits are documented.
    if cells.len() > MAX_CELLS {
        return Err(Malformed(format!("InvalidBatch : A record has more than {MAX_CELLS} fields")));
    }
    if longer(record, MAX_RECORD) {
        return Err(Malformed(format!("InvalidBatch : A record is longer than {MAX_RECORD} characters")));
    }
    if cells.iter().any(|cell| longer(cell, MAX_CELL)) {
        return Err(Malformed(format!("InvalidBatch : A field is longer than {MAX_CELL} characters")));
    }
    Ok(())
}

/// The limit of the first record.
pub(super) fn check_header(text: &str) -> Result<(), Malformed> {
    if text.len() > MAX_HEADER && text.chars().count() > MAX_HEADER {
        return Err(Malformed(format!("InvalidBatch : The header row is longer than {MAX_HEADER} characters")));
    }
    Ok(())
}

/// [S] The text, which a byte-order mark before a quoted header gives as well.
fn unescaped() -> Malformed {
    let text = "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote";
    Malformed(text.to_owned())
}

/// A cell in quotes.
fn push_quoted(out: &mut String, cell: &str) {
    out.push('"');
    let mut rest = cell;
    while let Some(place) = rest.find('"') {
        out.push_str(&rest[..=place]);
        out.push('"');
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

impl Dialect {
    /// A record of quoted cells.
    pub(super) fn push_record<C: AsRef<str>>(self, out: &mut String, cells: impl IntoIterator<Item = C>) {
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                out.push(self.delimiter.char());
            }
            push_quoted(out, cell.as_ref());
        }
        out.push_str(self.ending.text());
    }

    /// The header of a result of an ingest job: only its first columns, Salesforce's own, are quoted.
    // recorded: bulk2/info-partial-failure.csv
    pub(super) fn header(self, own: &[&str], names: &[String]) -> String {
        let own = own.iter().map(|name| format!("\"{name}\""));
        let cells: Vec<String> = own.chain(names.iter().cloned()).collect();
        cells.join(self.delimiter.char().encode_utf8(&mut [0; 4])) + self.ending.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LF: Dialect = Dialect { delimiter: Delimiter::Comma, ending: LineEnding::Lf };

    fn read(text: &str, dialect: Dialect) -> Result<Vec<Vec<String>>, String> {
        let mut reader = Reader::new(text, 0, dialect);
        let (mut cells, mut records) = (Vec::new(), Vec::new());
        while reader.next(&mut cells).map_err(|Malformed(text)| text)? {
            records.push(cells.iter().map(|cell| cell.clone().into_owned()).collect());
        }
        Ok(records)
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_doubled_quotes() {
        let text = "a,\"b,\nc\",\"say \"\"hi\"\"\",\"\",\n\n\"\"\"\"";
        let expected = vec![vec!["a", "b,\nc", "say \"hi\"", "", ""], vec!["\""]];
        assert_eq!(read(text, LF).unwrap(), expected);
    }

    #[test]
    fn every_delimiter_and_line_ending_is_read_as_it_is_written() {
        for delimiter in Delimiter::ALL {
            for ending in [LineEnding::Lf, LineEnding::CrLf] {
                let dialect = Dialect { delimiter, ending };
                let cells = ["a", "x,y\tz|;^`", "\"", "\r", "\r\n", "\n", " ", "", "é😀"];
                let mut text = String::new();
                dialect.push_record(&mut text, cells);
                dialect.push_record(&mut text, cells);
                assert_eq!(read(&text, dialect).unwrap(), [cells, cells], "{dialect:?}");
                assert_eq!(Delimiter::parse(delimiter.name()), Some(delimiter));
            }
        }
    }

    #[test]
    fn another_line_ending_than_the_jobs_is_refused_outside_of_quotes() {
        let crlf = Dialect { ending: LineEnding::CrLf, ..LF };
        let text = |name: &str| {
            format!("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {name}")
        };
        for (bad, dialect, name) in
            [("a\r\nb\r\n", LF, "LF"), ("\"a\"\r\n", LF, "LF"), ("a\nb\n", crlf, "CRLF"), ("a\r", crlf, "CRLF")]
        {
            assert_eq!(read(bad, dialect).unwrap_err(), text(name), "{bad:?}");
        }
    }

    #[test]
    fn what_stands_beside_quotes_is_refused() {
        for bad in ["\"a\" ,b\n", " \"a\",b\n", "a\"b\n", "\u{feff}\"Id\"\n", "\"a\n"] {
            assert!(read(bad, LF).unwrap_err().starts_with("InvalidBatch : Failed to parse CSV"), "{bad:?}");
        }
        assert_eq!(read(" a , b \n", LF).unwrap(), [[" a ", " b "]], "and blanks are kept");
    }

    #[test]
    fn records_have_limits() {
        assert!(read(&"é".repeat(131_072), LF).is_ok());
        assert!(read(&"é".repeat(131_073), LF).is_err());
        assert!(read(&vec!["x".repeat(100_001); 4].join(","), LF).is_err());
        assert!(read(&vec!["x"; 5_001].join(","), LF).is_err());
        assert!(check_header(&"é".repeat(32_000)).is_ok() && check_header(&"é".repeat(32_001)).is_err());
    }
}
