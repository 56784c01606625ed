//! API names of what is made: what may stand in one, and how one is made of a label.

/// Characters of an object's or field's API name before its `__c`. General knowledge, not verified.
pub(super) const MAX_NAME: usize = 40;

/// Characters of a permission set's API name. Source: Object Reference, "`PermissionSet`".
pub(super) const MAX_PERMISSION_SET: usize = 80;

/// Names that are refused, since they mean something else: words of SOQL that cannot stand for a name (SOQL guide, "Reserved
/// Keywords"), and the fields that every object has. That an org refuses all of them is not verified; a name with a prefix is none.
const RESERVED: [&str; 36] = [
    "AND",
    "ASC",
    "DESC",
    "EXCLUDES",
    "FIRST",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INCLUDES",
    "LAST",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OR",
    "SELECT",
    "USING",
    "UPDATE",
    "WHERE",
    "WITH",
    "ID",
    "NAME",
    "OWNERID",
    "OWNER",
    "CREATEDBYID",
    "CREATEDBY",
    "CREATEDDATE",
    "LASTMODIFIEDBYID",
    "LASTMODIFIEDBY",
    "LASTMODIFIEDDATE",
    "SYSTEMMODSTAMP",
    "ISDELETED",
    "RECORDTYPEID",
    "CURRENCYISOCODE",
];

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// What is wrong with a developer name, without a suffix; each reason once.
///
/// Source: Metadata API Developer Guide, "Metadata" (`fullName`).
pub(super) fn faults(name: &str, most: usize) -> Vec<String> {
    let mut faults = Vec::new();
    let length = name.chars().count();
    if name.is_empty() {
        return vec!["has no name".into()];
    }
    if length > most {
        faults.push(format!("has a name of {length} characters, {most} are allowed"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        faults.push("has a name that does not begin with a letter".into());
    }
    if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
        faults.push(format!("has a name with {bad:?}; letters, digits and _ are allowed"));
    }
    if name.contains("__") {
        faults.push("has a name with two underscores in a row".into());
    }
    if name.ends_with('_') {
        faults.push("has a name that ends with an underscore".into());
    }
    if is_reserved(name) {
        faults.push("has a reserved name".into());
    }
    faults
}

/// Makes an API name, without `__c`, of a label, whatever the label is.
///
/// What is no ASCII letter or digit becomes an underscore, accents of Latin letters are dropped, and the name is cut at 40 characters.
/// A name that is reserved or that `taken` says is in use gets the next number: `Score`, `Score_2`, `Score_3`. Salesforce takes
/// `score` and `Score` for the same name, so `taken` must too. The same label and the same answers of `taken` give the same name.
///
/// ```
/// use sforce::schema::api_name;
///
/// assert_eq!(api_name("Visits (last 30 days)", |_| false), "Visits_last_30_days");
/// assert_eq!(api_name("Café visits %", |name| name == "Cafe_visits"), "Cafe_visits_2");
/// assert_eq!(api_name("30 days", |_| false), "X30_days");
/// ```
#[must_use]
pub fn api_name(label: &str, taken: impl Fn(&str) -> bool) -> String {
    let base = sanitised(label);
    let mut number = 1_u64;
    loop {
        let name = numbered(&base, number);
        if !is_reserved(&name) && !taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// The n-th candidate for a name.
pub(super) fn numbered(base: &str, number: u64) -> String {
    if number <= 1 {
        return base.to_owned();
    }
    let suffix = format!("_{number}");
    let room = MAX_NAME.saturating_sub(suffix.len());
    let stem: String = base.chars().take(room).collect();
    format!("{}{suffix}", stem.trim_end_matches('_'))
}

/// The first candidate for a label: well-formed, though it may be reserved.
pub(super) fn sanitised(label: &str) -> String {
    let mut name = String::with_capacity(label.len().min(MAX_NAME));
    for character in label.chars().flat_map(|character| plain(character).chars()) {
        if name.len() >= MAX_NAME {
            break;
        }
        if character.is_ascii_alphanumeric() {
            if name.is_empty() && character.is_ascii_digit() {
                name.push('X');
            }
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() { "X".to_owned() } else { name.to_owned() }
}

/// A Latin letter without its accent; an underscore for what is none.
fn plain(character: char) -> &'static str {
    const ASCII: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ACCENTED: [(&str, &str); 52] = [
        ("ÀÁÂÃÅĀĂĄ", "A"),
        ("àáâãåāăą", "a"),
        ("Ä", "Ae"),
        ("ä", "ae"),
        ("Æ", "Ae"),
        ("æ", "ae"),
        ("ÇĆĈĊČ", "C"),
        ("çćĉċč", "c"),
        ("ÐĎĐ", "D"),
        ("ðďđ", "d"),
        ("ÈÉÊËĒĔĖĘĚ", "E"),
        ("èéêëēĕėęě", "e"),
        ("ĜĞĠĢ", "G"),
        ("ĝğġģ", "g"),
        ("ĤĦ", "H"),
        ("ĥħ", "h"),
        ("ÌÍÎÏĨĪĬĮİ", "I"),
        ("ìíîïĩīĭįı", "i"),
        ("Ĵ", "J"),
        ("ĵ", "j"),
        ("Ķ", "K"),
        ("ķ", "k"),
        ("ĹĻĽĿŁ", "L"),
        ("ĺļľŀł", "l"),
        ("ÑŃŅŇ", "N"),
        ("ñńņň", "n"),
        ("ÒÓÔÕØŌŎŐ", "O"),
        ("òóôõøōŏő", "o"),
        ("Ö", "Oe"),
        ("ö", "oe"),
        ("Œ", "Oe"),
        ("œ", "oe"),
        ("ŔŖŘ", "R"),
        ("ŕŗř", "r"),
        ("ŚŜŞŠȘ", "S"),
        ("śŝşšș", "s"),
        ("ß", "ss"),
        ("ẞ", "Ss"),
        ("ŢŤŦȚ", "T"),
        ("ţťŧț", "t"),
        ("Þ", "Th"),
        ("þ", "th"),
        ("ÙÚÛŨŪŬŮŰŲ", "U"),
        ("ùúûũūŭůűų", "u"),
        ("Ü", "Ue"),
        ("ü", "ue"),
        ("Ŵ", "W"),
        ("ŵ", "w"),
        ("ÝŶŸ", "Y"),
        ("ýŷÿ", "y"),
        ("ŹŻŽ", "Z"),
        ("źżž", "z"),
    ];
    if let Some(at) = ASCII.find(character) {
        return &ASCII[at..=at];
    }
    ACCENTED.iter().find(|(letters, _)| letters.contains(character)).map_or("_", |(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn heap_16_a_label_of_any_kind_becomes_a_name() {
        for (label, name) in [
            ("Visits", "Visits"),
            ("Visits (last 30 days)", "Visits_last_30_days"),
            ("  --visits__per  day-- ", "visits_per_day"),
            ("7-day active", "X7_day_active"),
            ("Größe über alles", "Groesse_ueber_alles"),
            ("売上", "X"),
            ("", "X"),
            ("🎉 Party 🎉", "Party"),
            ("<b>&\"'", "b"),
            ("Select", "Select_2"),
            ("Name", "Name_2"),
        ] {
            assert_eq!(api_name(label, |_| false), name, "{label}");
        }
        assert_eq!(api_name(&"long name ".repeat(9), |_| false), "long_name_long_name_long_name_long_name");
    }

    #[test]
    fn heap_16_labels_that_collide_get_numbers_within_40_characters() {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let label = format!("{} %", "a".repeat(50));
        for number in 1..=12 {
            let name = api_name(&label, |name| taken.contains(&name.to_ascii_lowercase()));
            assert!(name.len() <= MAX_NAME && faults(&name, MAX_NAME).is_empty(), "{name}");
            assert_eq!(number > 1, name.ends_with(&format!("_{number}")), "{name}");
            assert!(taken.insert(name.to_ascii_lowercase()));
        }
    }

    #[test]
    fn each_fault_of_a_name_is_told() {
        let long = "a".repeat(41);
        for (name, says) in [
            ("", "no name"),
            (long.as_str(), "41 characters, 40 are allowed"),
            ("1st", "does not begin with a letter"),
            ("a b", "' '"),
            ("ü", "'ü'"),
            ("a__b", "two underscores"),
            ("a_", "ends with an underscore"),
            ("where", "reserved"),
            ("lastModifiedDate", "reserved"),
        ] {
            let faults = faults(name, MAX_NAME);
            assert!(faults.iter().any(|fault| fault.contains(says)), "{name}: {faults:?}");
        }
        assert_eq!(faults("_1__é_", MAX_NAME).len(), 4, "all at once");
        assert_eq!(faults("Score_30_days", MAX_NAME), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_label_gives_a_sound_name(label in ".{0,60}") {
            let name = api_name(&label, |_| false);
            prop_assert_eq!(faults(&name, MAX_NAME), Vec::<String>::new());
            prop_assert_eq!(api_name(&name, |_| false), name, "a name is its own");
        }
    }
}
