//! Names of Salesforce as names of Rust.

use std::collections::HashSet;

/// Characters of an identifier that is made from a picklist value; a value has up to 255.
const LONGEST: usize = 64;

/// What no field may be called. Some could be raw identifiers, others not; one way for all is easier to know.
const KEYWORDS: &[&str] = &[
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// What the generated code itself calls by a bare name.
const TAKEN_TYPES: &[&str] =
    &["AsRef", "Default", "Err", "From", "Into", "None", "Ok", "Option", "Result", "Self", "Some", "String", "Vec"];

/// What is meant by a character that no identifier may have, where leaving it out would make different values alike.
const SPOKEN: &[(char, &str)] = &[
    ('+', "Plus"),
    ('%', "Percent"),
    ('&', "And"),
    ('<', "LessThan"),
    ('>', "MoreThan"),
    ('=', "Equals"),
    ('$', "Dollar"),
    ('€', "Euro"),
    ('£', "Pound"),
    ('#', "Number"),
    ('@', "At"),
    ('*', "Star"),
];

/// Hands out names, each once.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Names of types, without those that the generated code uses.
    pub(super) fn of_types() -> Self {
        Self(TAKEN_TYPES.iter().map(|&name| name.to_owned()).collect())
    }

    /// The first of the candidates that is free, else the first one with a number.
    pub(super) fn first_free(&mut self, candidates: &[String], numbered: impl Fn(&str, usize) -> String) -> String {
        self.free(candidates, numbered, |name| vec![name.to_owned()])
    }

    /// As [`first_free`](Self::first_free), where a name brings others with it.
    pub(super) fn free(
        &mut self,
        candidates: &[String],
        numbered: impl Fn(&str, usize) -> String,
        all: impl Fn(&str) -> Vec<String>,
    ) -> String {
        let last = candidates.first().map_or("", String::as_str);
        let mut names = candidates.iter().cloned().chain((2..).map(|number| numbered(last, number)));
        // There are more numbers than names.
        let name = names.find(|name| all(name).iter().all(|name| !self.0.contains(name))).unwrap_or_default();
        self.0.extend(all(&name));
        name
    }
}

/// The words of an API name: `NumberOfEmployees`, `SLA_Expires__c` without its suffix.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if letter == '_' || starts {
            words.push(std::mem::take(&mut word));
        }
        if letter != '_' {
            word.push(letter);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The name without the suffix that marks it as custom, and the suffix.
pub(super) fn split_suffix(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once("__") {
        Some((stem, suffix)) if !stem.is_empty() && !suffix.is_empty() => (stem, Some(suffix)),
        _ => (name, None),
    }
}

/// A field's or module's name: `annual_revenue`.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_").to_lowercase()
}

/// The same, spared from what the language has taken.
pub(super) fn spared(name: String) -> String {
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// A type's name of an API name: `EngagementSession`.
pub(super) fn pascal(name: &str) -> String {
    name.split('_').filter(|part| !part.is_empty()).map(capitalised).collect()
}

/// `SBQQ` becomes `Sbqq`; what has small letters keeps its capitals.
fn capitalised(word: &str) -> String {
    let shout = word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase);
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.map(|letter| if shout { letter.to_ascii_lowercase() } else { letter });
    first.into_iter().chain(rest).collect()
}

/// A variant's name of a picklist value: ASCII letters and digits. What is left out makes it unlike the value, which the
/// generated code has beside it.
pub(super) fn variant(value: &str) -> String {
    let mut plain = String::new();
    for (index, letter) in value.char_indices() {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter);
        } else if let Some(folded) = fold(letter) {
            plain.push_str(folded);
        } else if let Some((_, spoken)) = SPOKEN.iter().find(|(sign, _)| *sign == letter) {
            plain.extend([" ", *spoken, " "]);
        } else if letter.is_alphanumeric() {
            plain.extend([" ", &code_point(letter), " "]);
        } else if letter == '-' && index == 0 && value[1..].starts_with(|next: char| next.is_ascii_digit()) {
            plain.push_str("Minus ");
        } else if letter != '\'' {
            plain.push(' ');
        }
    }
    let mut name = String::new();
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        // Two numbers side by side would be another one.
        if name.ends_with(|letter: char| letter.is_ascii_digit())
            && word.starts_with(|letter: char| letter.is_ascii_digit())
        {
            name.push_str("To");
        }
        name.push_str(&capitalised(word));
    }
    if name.is_empty() {
        name = value.chars().map(code_point).collect();
    }
    if name.is_empty() {
        "Empty".clone_into(&mut name);
    }
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    name.truncate(LONGEST);
    if name == "Self" { "SelfValue".to_owned() } else { name }
}

fn code_point(letter: char) -> String {
    format!("U{:04x}", u32::from(letter))
}

/// Latin letters with marks, without them.
fn fold(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À' | 'Á' | 'Â' | 'Ã' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'Ä' | 'Æ' => "Ae",
        'Ç' | 'Ć' | 'Č' => "C",
        'Ď' | 'Đ' | 'Ð' => "D",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'Ğ' => "G",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ī' | 'İ' => "I",
        'Ł' => "L",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ø' | 'Ő' => "O",
        'Ö' | 'Œ' => "Oe",
        'Ř' => "R",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'Ť' | 'Ț' => "T",
        'Ù' | 'Ú' | 'Û' | 'Ū' | 'Ů' | 'Ű' => "U",
        'Ü' => "Ue",
        'Ý' => "Y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ő' => "o",
        'ö' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_by_the_words_of_their_api_names() {
        for (name, field) in [
            ("Id", "id"),
            ("NumberOfEmployees", "number_of_employees"),
            ("SLASerialNumber", "sla_serial_number"),
            ("Visitor_Key", "visitor_key"),
            ("NumberofLocations", "numberof_locations"),
            ("ns__Deal_Size", "ns_deal_size"),
            ("A1B2", "a1_b2"),
            ("X", "x"),
        ] {
            assert_eq!(snake(name), field);
        }
        assert_eq!(spared(snake("Type")), "type_");
        assert_eq!(spared(snake("Self")), "self_");
        assert_eq!(split_suffix("Engagement_Session__c"), ("Engagement_Session", Some("c")));
        assert_eq!(split_suffix("ns__Deal__mdt"), ("ns__Deal", Some("mdt")));
        assert_eq!(split_suffix("Account"), ("Account", None));
    }

    #[test]
    fn types_are_named_without_underscores() {
        for (name, named) in
            [("Account", "Account"), ("SBQQ__Quote", "SbqqQuote"), ("Engagement_Session", "EngagementSession")]
        {
            assert_eq!(pascal(name), named);
        }
    }

    #[test]
    fn any_picklist_value_makes_an_ascii_identifier() {
        for (value, name) in [
            ("Hot", "Hot"),
            ("Prospecting/New", "ProspectingNew"),
            ("USA", "Usa"),
            ("Customer's Choice", "CustomersChoice"),
            ("1 - High", "N1High"),
            ("1-10", "N1To10"),
            ("<10", "LessThan10"),
            ("-5", "Minus5"),
            ("C++", "CPlusPlus"),
            ("R&D", "RAndD"),
            ("Größe", "Groesse"),
            ("東京", "U6771U4eac"),
            ("🙂", "U1f642"),
            ("--", "U002dU002d"),
            ("self", "SelfValue"),
            ("", "Empty"),
        ] {
            assert_eq!(variant(value), name, "{value}");
        }
        assert_eq!(variant(&"long ".repeat(50)).len(), LONGEST);
    }

    #[test]
    fn names_that_are_taken_fall_back_in_a_fixed_order() {
        let mut names = Names::of_types();
        let numbered = |name: &str, number: usize| format!("{name}{number}");
        let mut ask = |candidates: &[&str]| {
            names.first_free(&candidates.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), numbered)
        };
        assert_eq!(ask(&["Option", "OptionC"]), "OptionC");
        assert_eq!(ask(&["Option", "OptionC"]), "Option2");
        assert_eq!(ask(&["Account"]), "Account");
        assert_eq!(ask(&["Account"]), "Account2");
    }
}
