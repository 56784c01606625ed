//! Source records from JSON Lines, one problem at a time: a bad line does not stop the others.

use std::io::{self, BufRead, Read};

use crate::mapping::MappingIssue;
use crate::types::Record;

/// Longest line that is read unless something else is said; a longer one is a bad line and is skipped without being held in
/// memory.
const MAX_LINE: u64 = MIB;

const MIB: u64 = 1024 * 1024;

/// One line that is not blank.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// Its number, from 1; blank lines count.
    pub number: u64,
    /// Its text without line end, for a report; of a line that is too long the beginning, and � for what is not UTF-8.
    pub text: String,
    /// The record, or why it is none.
    pub record: Result<Record, MappingIssue>,
}

/// Reads JSON Lines: one JSON object a line. Blank lines, CRLF and a byte-order mark are skipped.
#[derive(Debug)]
pub struct JsonLines<R> {
    input: R,
    number: u64,
    longest: u64,
}

impl<R: BufRead> JsonLines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, longest: MAX_LINE }
    }

    /// The same with another limit for a line, in MiB; it is 1 unless it is set. One line is held in memory at a time.
    #[must_use]
    pub fn longest_line(self, mib: u32) -> Self {
        Self { longest: u64::from(mib) * MIB, ..self }
    }

    /// Lines read so far, blank ones too.
    #[must_use]
    pub fn lines_read(&self) -> u64 {
        self.number
    }

    /// The next line's bytes without its end, and whether it was too long; `None` at the end of input.
    fn next_bytes(&mut self) -> io::Result<Option<(Vec<u8>, bool)>> {
        let mut bytes = Vec::new();
        // One byte more than allowed tells a long line from one that just fits, its line end included.
        let read = self.input.by_ref().take(self.longest + 2).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
        }
        let too_long = bytes.len() as u64 > self.longest;
        if !ended && too_long {
            self.skip_line()?;
        }
        Ok(Some((bytes, too_long)))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let (count, done) = (end.map_or(buffer.len(), |end| end + 1), end.is_some() || buffer.is_empty());
            self.input.consume(count);
            if done {
                return Ok(());
            }
        }
    }
}

impl<R: BufRead> Iterator for JsonLines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        loop {
            let (bytes, too_long) = match self.next_bytes() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            self.number += 1;
            let mut bytes = bytes.as_slice();
            if self.number == 1 {
                bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            }
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            return Some(Ok(read_line(self.number, bytes, too_long.then_some(self.longest / MIB))));
        }
    }
}

fn read_line(number: u64, bytes: &[u8], too_long: Option<u64>) -> Line {
    let issue = |reason: &str| MappingIssue::new("", reason);
    if let Some(mib) = too_long {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).into_owned();
        return Line { number, text, record: Err(issue(&format!("longer than {mib} MiB"))) };
    }
    let record = match std::str::from_utf8(bytes) {
        Err(_) => Err(issue("not UTF-8")),
        Ok(text) => serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            // What is no object could be quoted by the message; what is wrong inside of one is told without its value.
            let reason = match () {
                () if !error.is_data() => "not JSON",
                () if message.starts_with("invalid type") => "not a JSON object",
                () => message.split(" at line ").next().unwrap_or("not usable"),
            };
            let place = match error.column() {
                column if column > 0 && !error.is_data() => format!(" (column {column})"),
                _ => String::new(),
            };
            issue(&format!("{reason}{place}"))
        }),
    };
    Line { number, text: String::from_utf8_lossy(bytes).into_owned(), record }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Line> {
        JsonLines::new(bytes).map(|line| line.expect("readable")).collect()
    }

    #[test]
    fn blank_lines_crlf_and_a_byte_order_mark_are_skipped() {
        let lines = read(b"\xef\xbb\xbf{\"a\":1}\r\n\r\n  \n{\"a\":2}");
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 4]);
        assert!(lines.iter().all(|line| line.record.is_ok()));
        assert_eq!(lines[0].text, "{\"a\":1}");
    }

    #[test]
    fn a_bad_line_tells_why_and_the_next_one_is_read() {
        let mut input = b"{\"a\":1\n[1]\n5\n\xff\n{\"a\":\"\\ud800\"}\n{\"n\":}\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', 3 << 20));
        input.extend(b"\n{\"a\":2}\n");
        let lines = read(&input);
        let reasons: Vec<String> =
            lines.iter().filter_map(|line| line.record.as_ref().err()).map(|issue| issue.reason.clone()).collect();
        assert_eq!(lines.len(), 8);
        assert_eq!(reasons.len(), 7, "{reasons:?}");
        assert!(reasons[0].starts_with("not JSON ("), "{reasons:?}");
        assert_eq!((reasons[3].as_str(), reasons[6].as_str()), ("not UTF-8", "longer than 1 MiB"));
        assert!(lines[7].record.is_ok() && lines[6].text.len() <= 256);
    }

    #[test]
    fn the_longest_line_allowed_is_read() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat((1 << 20) - 8));
        assert_eq!(text.len(), 1 << 20);
        assert!(read(text.as_bytes())[0].record.is_ok());
        assert!(read(format!("{text}\n{text}").as_bytes()).iter().all(|line| line.record.is_ok()));
        assert!(read(format!("{text} ").as_bytes())[0].record.is_err());
        let longer = format!("{text} \n{text}");
        let lines: Vec<_> =
            JsonLines::new(longer.as_bytes()).longest_line(2).map(|line| line.expect("readable")).collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.record.is_ok()));
        let over = format!("{{}}{}", " ".repeat((2 << 20) - 1));
        let line = JsonLines::new(over.as_bytes()).longest_line(2).next().expect("a line").expect("readable");
        assert_eq!(line.record.err().map(|issue| issue.reason), Some("longer than 2 MiB".into()));
    }
}
