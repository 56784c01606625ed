//! XML as a small tree, for SOAP. Parsing is quick-xml's.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use crate::error::{Error, ErrorKind, Result};

/// No answer of an org nests deeper.
const MAX_DEPTH: usize = 64;

/// Most tags and attributes of a document: each takes some hundred bytes of memory, and four in the text. The components of a large org, listed
/// by type, have some two million.
const MAX_TAGS: usize = 4_000_000;

/// An element: local names only, since each answer speaks one vocabulary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub(crate) name: String,
    /// With their prefixes as written; in what was read, by local name.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// An element with text only.
    pub(crate) fn leaf(name: &str, text: impl std::fmt::Display) -> Self {
        Self { text: text.to_string(), ..Self::new(name) }
    }

    pub(crate) fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn push(&mut self, child: Self) -> &mut Self {
        self.children.push(child);
        self
    }

    /// Adds a leaf if there is a value.
    pub(crate) fn push_some(&mut self, name: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        if let Some(value) = value {
            self.push(Self::leaf(name, value));
        }
        self
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of a child; `None` without child or text.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether a child says `true`; `None` without one.
    pub(crate) fn flag_of(&self, name: &str) -> Option<bool> {
        // XML Schema writes a boolean as `true` or `1`.
        self.text_of(name).map(|text| matches!(text, "true" | "1"))
    }

    /// Whether `xsi:nil` says that there is nothing.
    pub(crate) fn is_nil(&self) -> bool {
        self.attributes.iter().any(|(name, value)| name == "nil" && matches!(value.as_str(), "true" | "1"))
    }

    /// The first element of that name, at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// The name of an element within this one that holds a character XML has no form for, such as most control characters.
    pub(crate) fn unwritable(&self) -> Option<&str> {
        let fits = |character: char| match character {
            '\t' | '\n' | '\r' => true,
            other => other >= ' ' && !matches!(other, '\u{FFFE}' | '\u{FFFF}'),
        };
        let whole = |text: &str| text.chars().all(fits);
        if !whole(&self.text) || !self.attributes.iter().all(|(_, value)| whole(value)) {
            return Some(&self.name);
        }
        self.children.iter().find_map(Self::unwritable)
    }

    /// Writes the element, everything escaped, and each element on a line of its own.
    pub(crate) fn write_indented(&self, depth: usize, out: &mut String) {
        let indent = "    ".repeat(depth);
        out.push_str(&indent);
        if self.children.is_empty() || !self.text.trim().is_empty() {
            self.write(out);
        } else {
            self.open(out);
            out.push('\n');
            for child in &self.children {
                child.write_indented(depth + 1, out);
            }
            out.extend([&indent, "</", &self.name, ">"]);
        }
        out.push('\n');
    }

    fn open(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", &escape(value.as_str()), "\""]);
        }
        out.push('>');
    }

    /// Writes the element, everything escaped.
    pub(crate) fn write(&self, out: &mut String) {
        self.open(out);
        // A reader takes a bare carriage return for a line feed (XML 1.0, 2.11).
        out.push_str(&escape(self.text.as_str()).replace('\r', "&#13;"));
        for child in &self.children {
            child.write(out);
        }
        out.extend(["</", &self.name, ">"]);
    }

    /// Reads a document. Entities other than XML's own five, and document types, are refused. What follows the root is not looked at.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable().with_source(error))?;
        Self::parse_root(&mut Reader::from_str(text))
    }

    /// The same, and nothing but comments and blanks may follow the root or stand before it.
    pub(crate) fn parse_document(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable().with_source(error))?;
        if !text.trim_start().starts_with('<') {
            return Err(unreadable());
        }
        let mut reader = Reader::from_str(text);
        let root = Self::parse_root(&mut reader)?;
        loop {
            match reader.read_event().map_err(|error| unreadable().with_source(error))? {
                Event::Eof => return Ok(root),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.xml10_content().trim().is_empty() => {}
                _ => return Err(unreadable()),
            }
        }
    }

    fn parse_root(reader: &mut Reader<&[u8]>) -> Result<Self> {
        if memchr::memchr2_iter(b'<', b'=', reader.get_ref()).count() > MAX_TAGS {
            return Err(Error::new(ErrorKind::Decode, "", "the XML has more elements than are read at once"));
        }
        let mut open: Vec<Self> = Vec::new();
        loop {
            let event = reader.read_event().map_err(|error| unreadable().with_source(error))?;
            match event {
                Event::Start(start) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(Error::new(ErrorKind::Decode, "", "the XML is nested too deeply"));
                    }
                    open.push(started(&start)?);
                }
                Event::Empty(start) => {
                    if let Some(root) = close(&mut open, started(&start)?) {
                        return Ok(root);
                    }
                }
                Event::End(_) => {
                    let element = open.pop().ok_or_else(unreadable)?;
                    if let Some(root) = close(&mut open, element) {
                        return Ok(root);
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = match reference
                        .resolve_char_ref()
                        .map_err(|error| unreadable().with_source(error))?
                    {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_xml_entity(&reference).ok_or_else(unreadable)?.to_owned(),
                    };
                    append(&mut open, &resolved);
                }
                Event::DocType(_) => return Err(unreadable()),
                Event::Eof => return Err(Error::cut_off()),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Puts a finished element into its parent; gives it back if it has none.
fn close(open: &mut [Element], element: Element) -> Option<Element> {
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(element);
            None
        }
        None => Some(element),
    }
}

fn started(start: &BytesStart<'_>) -> Result<Element> {
    let mut element = Element::new(start.local_name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| unreadable().with_source(error))?;
        let value =
            attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| unreadable().with_source(error))?;
        let name = attribute.key.local_name();
        element.attributes.push((name.as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Decode, "", "the answer is no readable XML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_entities_and_cdata_are_read() {
        let text = r#"<?xml version="1.0"?><s:E xmlns:s="u"><!-- c --><a xsi:type="X" b="&lt;&#x41;">1 &amp; <![CDATA[<2>]]></a><n xsi:nil="true"/></s:E>"#;
        let root = Element::parse(text.as_bytes()).expect("well-formed");
        let child = root.child("a").expect("there");
        assert_eq!((root.name.as_str(), child.text.as_str()), ("E", "1 & <2>"));
        assert!(child.attributes.contains(&("b".into(), "<A".into())));
        assert!(root.child("n").is_some_and(Element::is_nil));
    }

    #[test]
    fn what_is_cut_or_dangerous_is_an_error() {
        let text = "<a><b>x</b><c/></a>";
        for end in 0..text.len() {
            assert!(Element::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b \"b\">]><a>&b;</a>";
        for text in
            [bomb.to_owned(), "<a>&b;</a>".into(), "<a></b>".into(), "<a>".repeat(1000), "text".into(), "\u{0}".into()]
        {
            assert!(Element::parse(text.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_text_that_would_take_many_times_its_size_in_memory_is_an_error() {
        let few = "a".repeat(100_000);
        assert!(Element::parse(format!("<a b=\"=\">{few}{}</a>", "<c/>".repeat(1_000)).as_bytes()).is_ok());
        let most = super::MAX_TAGS;
        for text in [format!("<a>{}</a>", "<c/>".repeat(most)), format!("<a {}/>", "b=\"\" ".repeat(most))] {
            for read in [Element::parse, Element::parse_document] {
                let error = read(text.as_bytes()).expect_err("too many");
                assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("more elements"), "{error}");
            }
        }
    }

    #[test]
    fn everything_is_escaped_on_the_way_out() {
        let element = Element::leaf("a", "<&>\"'").attribute("b", "\"<");
        let mut text = String::new();
        element.write(&mut text);
        assert_eq!(Element::parse(text.as_bytes()).expect("well-formed"), element);
    }
}
