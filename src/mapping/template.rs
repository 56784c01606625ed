//! Text with holes.

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands.
    Literal(String),
    /// A path or a named value.
    Hole(String),
}

/// Takes a template apart: `{name}` is a hole, `{{` and `}}` are braces.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix(brace) {
            literal.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err("the template has a } without its { (the sign itself is }})".into());
        }
        let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')) else {
            return Err("the template has a { without its } (the sign itself is {{)".into());
        };
        let name = after[..end].trim();
        if name.is_empty() {
            return Err("the template has an empty hole {}".into());
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Hole(name.to_owned()));
        rest = &after[end + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    if parts.iter().any(|part| matches!(part, Part::Hole(_))) {
        Ok(parts)
    } else {
        Err("the template has no hole: give a \"constant\"".into())
    }
}

/// The names in the holes.
pub(super) fn holes(text: &str) -> Vec<String> {
    let parts = parse(text).unwrap_or_default();
    parts.into_iter().filter_map(|part| if let Part::Hole(name) = part { Some(name) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_braces_are_told_apart() {
        let hole = |name: &str| Part::Hole(name.to_owned());
        let literal = |text: &str| Part::Literal(text.to_owned());
        assert_eq!(parse("{a} {b.c}"), Ok(vec![hole("a"), literal(" "), hole("b.c")]));
        assert_eq!(parse("{{{ $x }}}"), Ok(vec![literal("{"), hole("$x"), literal("}")]));
        for bad in ["{a", "a}", "{}", "{ }", "{a{b}}", "plain", "{{a}}", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
