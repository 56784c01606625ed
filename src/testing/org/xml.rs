//! XML as SOAP clients send it and as the org answers.
//!
//! Namespaces are resolved, whatever the prefixes. A document type is refused, so no entity but the five of XML itself
//! and character references means anything, and elements may not be nested deeper than [`MAX_DEPTH`].

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::json::Json;

const MAX_DEPTH: usize = 64;
/// Elements of the metadata WSDL that are numbers, and those that may repeat.
const NUMBERS: [&str; 7] =
    ["length", "precision", "relationshipOrder", "scale", "startingNumber", "visibleLines", "apiVersion"];
const LISTS: [&str; 9] = [
    "actions",
    "criteriaItems",
    "fields",
    "filterItems",
    "layoutColumns",
    "layoutItems",
    "layoutSections",
    "relatedLists",
    "value",
];
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An element that was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The local part of `xsi:type`.
    pub(crate) kind: Option<String>,
    /// `xsi:nil="true"`
    pub(crate) nil: bool,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    /// The place right behind the start tag, from 1; 0 for an element that was not read.
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Element {
    /// A document of the Tooling API as the element it stands for; what is null is as if it were not there.
    pub(crate) fn of_json(name: &str, json: &Json) -> Self {
        let mut element = Self { name: name.to_owned(), ..Self::default() };
        match json {
            Json::Null => element.nil = true,
            Json::Bool(flag) => element.text = flag.to_string(),
            Json::Number(text) | Json::String(text) => element.text.clone_from(text),
            // A list stands for its elements, one after the other; the caller has made them children.
            Json::Array(_) => {}
            Json::Object(members) => {
                for (name, value) in members {
                    match value {
                        Json::Array(items) => {
                            element.children.extend(items.iter().map(|item| Self::of_json(name, item)));
                        }
                        Json::Null => {}
                        value => element.children.push(Self::of_json(name, value)),
                    }
                }
            }
        }
        element
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name && !child.nil)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name && !child.nil)
    }

    /// The trimmed text of a child; a blank one counts as missing.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// A boolean child.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.text_of(name).map(is_true)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.text_of(name).and_then(|text| text.parse().ok())
    }
}

/// `true` or `1` (XML Schema, `xsd:boolean`), and `True`, which simple-salesforce sends [S].
pub(crate) fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

/// The root element of a document.
pub(crate) fn parse(document: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(document).map_err(|_| "the document is not UTF-8".to_owned())?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut place = Place::default();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        place.move_to(text, usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        match event {
            Event::Start(start) => {
                let element = begin(&reader, &start, &place)?;
                if open.len() >= MAX_DEPTH {
                    return Err(format!("elements are nested deeper than {MAX_DEPTH}"));
                }
                open.push(element);
            }
            Event::Empty(start) => {
                let element = begin(&reader, &start, &place)?;
                close(&mut open, &mut root, element)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an end tag without a start tag")?;
                close(&mut open, &mut root, element)?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let text = escape::unescape(&format!("&{name};")).map_err(|error| error.to_string())?.into_owned();
                append(&mut open, &text)?;
            }
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err("the document ends inside an element".to_owned());
    }
    root.ok_or_else(|| "the document has no element".to_owned())
}

/// Where a reader is in its text.
#[derive(Debug, Default)]
struct Place {
    at: usize,
    line: u32,
    /// The byte the line starts with.
    start: usize,
}

impl Place {
    fn move_to(&mut self, text: &str, at: usize) {
        let at = at.min(text.len());
        let passed = text.as_bytes().get(self.at..at).unwrap_or_default();
        for (offset, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.line += 1;
            self.start = self.at + offset + 1;
        }
        self.at = at;
    }

    fn line(&self) -> u32 {
        self.line + 1
    }

    fn column(&self) -> u32 {
        u32::try_from(self.at - self.start).unwrap_or(u32::MAX).saturating_add(1)
    }
}

fn begin(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, place: &Place) -> Result<Element, String> {
    let namespace_of = |found: &ResolveResult<'_>| match found {
        ResolveResult::Bound(Namespace(uri)) => Ok((*uri).to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(prefix) => Err(format!("the prefix {prefix} is not declared")),
    };
    let (found, local) = reader.resolver().resolve_element(start.name());
    let mut element = Element {
        namespace: namespace_of(&found)?,
        name: local.into_inner().to_owned(),
        line: place.line(),
        column: place.column(),
        ..Element::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let (found, local) = reader.resolver().resolve_attribute(attribute.key);
        if attribute.key.as_namespace_binding().is_some() || namespace_of(&found)? != XSI {
            continue;
        }
        let value: Cow<'_, str> =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        match local.into_inner() {
            "type" => element.kind = Some(value.rsplit(':').next().unwrap_or_default().trim().to_owned()),
            "nil" => element.nil = matches!(value.trim(), "true" | "1"),
            _ => {}
        }
    }
    Ok(element)
}

fn close(open: &mut [Element], root: &mut Option<Element>, element: Element) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_some() => return Err("more than one root element".to_owned()),
        None => *root = Some(element),
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("text outside of the root element".to_owned()),
    }
    Ok(())
}

pub(crate) fn escape(text: &str) -> String {
    // What XML 1.0 has no way to write is left out.
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r') || *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(allowed).collect();
    escape::escape(text).into_owned()
}

/// An element to write.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    name: Cow<'static, str>,
    /// As it goes into the start tag.
    attributes: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: String::new(), text: String::new(), children: Vec::new() }
    }

    pub(crate) fn leaf(name: impl Into<Cow<'static, str>>, text: &str) -> Self {
        Self { text: escape(text), ..Self::new(name) }
    }

    /// An element as it was read.
    pub(crate) fn of(element: &Element) -> Self {
        let children: Vec<Self> = element.children.iter().map(Self::of).collect();
        let node = Self::new(element.name.clone());
        if children.is_empty() { Self { text: escape(&element.text), ..node } } else { node.children(children) }
    }

    /// `xsi:type`
    pub(crate) fn typed(name: &'static str, kind: &str) -> Self {
        Self { attributes: format!(" xsi:type=\"{kind}\""), ..Self::new(name) }
    }

    pub(crate) fn nil(name: &'static str) -> Self {
        Self { attributes: " xsi:nil=\"true\"".to_owned(), ..Self::new(name) }
    }

    pub(crate) fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    pub(crate) fn with(mut self, name: &'static str, text: impl AsRef<str>) -> Self {
        self.push(Self::leaf(name, text.as_ref()));
        self
    }

    /// As [`Node::with`], unless there is nothing to say.
    pub(crate) fn maybe(self, name: &'static str, text: Option<impl AsRef<str>>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    pub(crate) fn flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, if flag { "true" } else { "false" })
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The children in the order of the metadata WSDL, which for its component types is `fullName` and then the alphabet.
    pub(crate) fn in_wsdl_order(mut self) -> Self {
        let key = |child: &Self| (child.name != "fullName", child.name.clone());
        self.children.sort_by_key(key);
        self
    }

    /// The same as a document of the Tooling API: flags and numbers as such, repeated elements as lists.
    pub(crate) fn to_json(&self) -> Json {
        if self.children.is_empty() {
            let text = escape::unescape(&self.text).unwrap_or_default().into_owned();
            return match text.as_str() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                digits if NUMBERS.contains(&&*self.name) => Json::number(digits),
                _ => Json::String(text),
            };
        }
        let mut members: Vec<(String, Json)> = Vec::new();
        for child in &self.children {
            let json = child.to_json();
            let known = members.iter_mut().find(|(name, _)| *name == child.name).map(|(_, value)| value);
            match known {
                Some(Json::Array(items)) => items.push(json),
                Some(one) => *one = Json::Array(vec![std::mem::replace(one, Json::Null), json]),
                None if LISTS.contains(&&*child.name) => {
                    members.push((child.name.to_string(), Json::Array(vec![json])));
                }
                None => members.push((child.name.to_string(), json)),
            }
        }
        Json::Object(members)
    }

    /// With that `fullName`.
    pub(crate) fn renamed(self, name: &str) -> Self {
        self.without("fullName").with("fullName", name).in_wsdl_order()
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.children.retain(|child| child.name != name);
        self
    }

    /// The document of a component's file, its root element of that name (recorded: metadata-files/*).
    pub(crate) fn document(&self, root: &str, namespace: &str) -> String {
        let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{namespace}\">\n");
        for child in &self.children {
            child.write_lines(&mut out, 1);
        }
        out.push_str("</");
        out.push_str(root);
        out.push_str(">\n");
        out
    }

    fn write_lines(&self, out: &mut String, depth: usize) {
        out.push_str(&"    ".repeat(depth));
        if self.children.is_empty() {
            self.write(out);
        } else {
            out.push('<');
            out.push_str(&self.name);
            out.push_str(&self.attributes);
            out.push_str(">\n");
            for child in &self.children {
                child.write_lines(out, depth + 1);
            }
            out.push_str(&"    ".repeat(depth));
            out.push_str("</");
            out.push_str(&self.name);
            out.push('>');
        }
        out.push('\n');
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        out.push_str(&self.attributes);
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&self.text);
        for child in &self.children {
            child.write(out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str) -> Vec<String> {
        let root = parse(document.as_bytes()).unwrap();
        root.children.iter().map(|child| format!("{}|{}|{}", child.namespace, child.name, child.text)).collect()
    }

    #[test]
    fn prefixes_and_default_namespaces_come_to_the_same() {
        let prefixed = texts("<x:a xmlns:x='urn:m'><x:b>1</x:b></x:a>");
        assert_eq!(prefixed, ["urn:m|b|1"]);
        assert_eq!(texts("<a><b xmlns='urn:m'>1</b></a>"), prefixed);
    }

    #[test]
    fn entities_and_cdata_are_text() {
        let root = parse(b"<a><b>R&amp;D &#60;&#x41;&gt;</b><c><![CDATA[<&>]]>!</c></a>").unwrap();
        assert_eq!((root.children[0].text.as_str(), root.children[1].text.as_str()), ("R&D <A>", "<&>!"));
    }

    #[test]
    fn types_and_nils_are_seen_under_any_prefix() {
        let root = parse(
            b"<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:m='urn:m'><b i:type='m:T'/><b i:nil='1'/></a>",
        )
        .unwrap();
        assert_eq!(root.children[0].kind.as_deref(), Some("T"));
        assert_eq!(root.all("b").count(), 1, "a nil element is as if it were not there");
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(5_000);
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>";
        for bad in ["", "text", "<a>", "<a></b>", "<a>&b;</a>", "<x:a/>", "<a/><b/>", bomb, &deep] {
            assert!(parse(bad.as_bytes()).is_err(), "{}", bad.get(..20).unwrap_or(bad));
        }
    }

    #[test]
    fn an_element_knows_the_place_behind_its_start_tag() {
        let root = parse(b"<a>\n    <b>1</b>\n  <c/></a>").unwrap();
        let places: Vec<(u32, u32)> = root.children.iter().map(|child| (child.line, child.column)).collect();
        assert_eq!(places, [(2, 8), (3, 7)]);
    }

    #[test]
    fn a_document_reads_back_as_it_was() {
        let root = parse(b"<r><b>1 &lt; 2</b><c><d/><d>x</d></c></r>").unwrap();
        let text = Node::of(&root).document("R", "urn:m");
        assert!(text.contains("\n    <c>\n        <d/>\n"), "{text}");
        let again = parse(text.as_bytes()).unwrap();
        assert_eq!((again.name.as_str(), again.namespace.as_str()), ("R", "urn:m"));
        assert_eq!((again.text_of("b"), again.child("c").unwrap().all("d").count()), (Some("1 < 2"), 2));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut out = String::new();
        Node::new("a").with("b", "1 < 2 & \"3\"\u{0}").flag("c", true).write(&mut out);
        let root = parse(out.as_bytes()).unwrap();
        assert_eq!((root.text_of("b"), root.flag("c")), (Some("1 < 2 & \"3\""), Some(true)));
    }
}
