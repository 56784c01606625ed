//! From the JSON of a record body to what the org stores, and the refusals on that way.

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound as _, Timelike, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

use super::error::ApiError;
use super::ids;
use super::json::Json;
use super::schema::{Field, FieldType};
use super::value::Value;

/// The value a field takes from a body.
pub(crate) fn read_value(field: &Field, json: &Json) -> Result<Value, ApiError> {
    match (field.kind, json) {
        // A checkbox is never null. [K] that null counts as unchecked.
        (FieldType::Boolean, Json::Null) => Ok(Value::Bool(false)),
        (_, Json::Null) => Ok(Value::Null),
        (FieldType::Boolean, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent, Json::Number(digits)) => {
            read_number(field, digits)
        }
        (FieldType::DateTime, Json::String(text)) if text.trim().is_empty() => Ok(Value::Null),
        (FieldType::DateTime, Json::String(text)) => {
            read_date_time(text).map(Value::DateTime).ok_or_else(|| mismatch(field, json))
        }
        (FieldType::Date, Json::String(text)) if text.trim().is_empty() => Ok(Value::Null),
        (FieldType::Date, Json::String(text)) => {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Value::Date).map_err(|_| mismatch(field, json))
        }
        (FieldType::Time, Json::String(text)) => {
            let plain = text.trim_end_matches('Z');
            NaiveTime::parse_from_str(plain, "%H:%M:%S%.f").map(Value::Time).map_err(|_| mismatch(field, json))
        }
        (FieldType::Id | FieldType::Reference, Json::String(text)) => read_reference(field, text),
        (_, Json::String(text)) if field.is_text() => read_text(field, text),
        _ => Err(mismatch(field, json)),
    }
}

/// A value of the wrong JSON type, in the words of the parser Salesforce uses. [K] The text; the code is documented.
fn mismatch(field: &Field, json: &Json) -> ApiError {
    let (token, text) = match json {
        Json::Null => ("VALUE_NULL", "null".to_owned()),
        Json::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Json::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Json::Number(digits) if digits.contains(['.', 'e', 'E']) => ("VALUE_NUMBER_FLOAT", digits.clone()),
        Json::Number(digits) => ("VALUE_NUMBER_INT", digits.clone()),
        Json::String(text) => ("VALUE_STRING", text.clone()),
        Json::Array(_) => ("START_ARRAY", "[".to_owned()),
        Json::Object(_) => ("START_OBJECT", "{".to_owned()),
    };
    let kind = field.kind.name();
    ApiError::json(format!(
        "Cannot deserialize instance of {kind} from {token} value {text} or request may be missing a required field at \
         [line:1, column:1]"
    ))
}

fn read_text(field: &Field, text: &str) -> Result<Value, ApiError> {
    // [K] Blanks around a text go on save, and nothing but blanks is null.
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let units = text.encode_utf16().count();
    if field.length > 0 && units > usize::try_from(field.length).unwrap_or(usize::MAX) {
        let message = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
        return Err(ApiError::row("STRING_TOO_LONG", message, [&field.name]));
    }
    if field.kind == FieldType::Email && !is_email(text) {
        let message = format!("{}: invalid email address: {text}", field.label);
        return Err(ApiError::row("INVALID_EMAIL_ADDRESS", message, [&field.name]));
    }
    if field.restricted_picklist && !field.picklist_values.is_empty() {
        let allowed = |value: &str| field.picklist_values.iter().any(|entry| entry.active && entry.value == value);
        let several = field.kind == FieldType::MultiPicklist;
        let refused = if several {
            text.split(';').find(|value| !allowed(value))
        } else {
            Some(text).filter(|value| !allowed(value))
        };
        if let Some(value) = refused {
            let message = format!("{}: bad value for restricted picklist field: {value}", field.label);
            return Err(ApiError::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [&field.name]));
        }
    }
    Ok(Value::Text(text.to_owned()))
}

/// [K] The exact rule is not documented: one `@`, a domain with a dot, no blanks or control characters.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "@,;<>()".contains(c))
    };
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    plain(local) && plain(domain) && dots(local) && dots(domain) && domain.contains('.')
}

fn read_number(field: &Field, digits: &str) -> Result<Value, ApiError> {
    let out_of_range = || {
        let message = format!("{}: value outside of valid range on numeric field: {digits}", field.label);
        ApiError::row("NUMBER_OUTSIDE_VALID_RANGE", message, [&field.name])
    };
    let number = if digits.contains(['e', 'E']) {
        Decimal::from_scientific(digits).ok()
    } else {
        digits.parse::<Decimal>().ok()
    };
    let number = number.ok_or_else(out_of_range)?;
    // [K] More decimals than the field has are rounded on save, half up.
    let scale = if field.kind == FieldType::Int { 0 } else { field.scale };
    if field.kind == FieldType::Int && !number.fract().is_zero() {
        return Err(mismatch(field, &Json::Number(digits.to_owned())));
    }
    let number = number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero).normalize();
    let limit = 10_i128.checked_pow(field.precision.saturating_sub(scale)).unwrap_or(i128::MAX);
    if field.precision > 0 && i128::try_from(number.trunc().abs()).is_ok_and(|whole| whole >= limit) {
        return Err(out_of_range());
    }
    Ok(Value::Number(number))
}

/// Accepts `Z`, `+00:00` and `+0000` (wire facts 9). Whole seconds are kept.
pub(crate) fn read_date_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let zoned = text.strip_suffix('Z').map_or_else(|| text.to_owned(), |local| format!("{local}+0000"));
    let parsed = DateTime::parse_from_str(&zoned, "%Y-%m-%dT%H:%M:%S%.f%z")
        .or_else(|_| DateTime::parse_from_str(&zoned, "%Y-%m-%dT%H:%M%z"))
        .ok()?;
    // xsd:dateTime has no second 60 (XML Schema part 2), and a stored one could not be written.
    (parsed.nanosecond() < 1_000_000_000).then(|| parsed.with_timezone(&Utc).trunc_subsecs(0))
}

fn read_reference(field: &Field, text: &str) -> Result<Value, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    ids::to_18(text).map(Value::Text).ok_or_else(|| {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        ApiError::row("MALFORMED_ID", message, [&field.name])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> Field {
        Field { precision: 18, scale: 2, ..Field::new("Thing__c", "Thing", kind).with_length(5) }
    }

    fn code(field: &Field, json: &Json) -> String {
        read_value(field, json).unwrap_err().code
    }

    fn number(digits: &str) -> Result<Value, String> {
        read_value(&field(FieldType::Currency), &Json::Number(digits.to_owned())).map_err(|error| error.code)
    }

    #[test]
    fn text_is_trimmed_and_blank_is_null() {
        let text = field(FieldType::String);
        assert_eq!(read_value(&text, &Json::string("  ab \n")).unwrap(), Value::Text("ab".to_owned()));
        assert_eq!(read_value(&text, &Json::string(" \t ")).unwrap(), Value::Null);
    }

    #[test]
    fn length_counts_utf_16_units() {
        let text = field(FieldType::String);
        assert!(read_value(&text, &Json::string("😀😀a")).is_ok());
        let error = read_value(&text, &Json::string("😀😀ab")).unwrap_err();
        assert_eq!(error.code, "STRING_TOO_LONG");
        assert_eq!(error.message, "Thing: data value too large: 😀😀ab (max length=5)");
        assert_eq!(error.fields.unwrap(), ["Thing__c"]);
    }

    #[test]
    fn numbers_round_half_up_and_have_a_range() {
        let value = |digits: &str| Value::Number(digits.parse().unwrap());
        assert_eq!(number("1.005"), Ok(value("1.01")));
        assert_eq!(number("-1.005"), Ok(value("-1.01")));
        assert_eq!(number("1e3"), Ok(value("1000")));
        assert_eq!(number("9999999999999999.99"), Ok(value("9999999999999999.99")));
        assert_eq!(number("10000000000000000").unwrap_err(), "NUMBER_OUTSIDE_VALID_RANGE");
        assert_eq!(number("1e400").unwrap_err(), "NUMBER_OUTSIDE_VALID_RANGE");
        assert_eq!(number(&"9".repeat(60)).unwrap_err(), "NUMBER_OUTSIDE_VALID_RANGE");
    }

    #[test]
    fn instants_keep_whole_seconds_in_any_of_the_accepted_forms() {
        let expected = DateTime::parse_from_rfc3339("2026-05-01T07:25:37Z").unwrap().with_timezone(&Utc);
        for text in ["2026-05-01T07:25:37.999Z", "2026-05-01T09:25:37+02:00", "2026-05-01T07:25:37.000+0000"] {
            let read = read_value(&field(FieldType::DateTime), &Json::string(text));
            assert_eq!(read.unwrap(), Value::DateTime(expected), "{text}");
        }
        assert_eq!(code(&field(FieldType::DateTime), &Json::string("yesterday")), "JSON_PARSER_ERROR");
        assert_eq!(code(&field(FieldType::DateTime), &Json::string("2026-05-01T07:25:60Z")), "JSON_PARSER_ERROR");
        assert_eq!(code(&field(FieldType::Date), &Json::string("2026-02-30")), "JSON_PARSER_ERROR");
    }

    #[test]
    fn a_wrong_json_type_is_a_parser_error() {
        for (kind, json) in [
            (FieldType::String, Json::number(5)),
            (FieldType::Boolean, Json::string("true")),
            (FieldType::Double, Json::string("5")),
            (FieldType::Reference, Json::Bool(true)),
            (FieldType::Date, Json::Array(Vec::new())),
        ] {
            assert_eq!(code(&field(kind), &json), "JSON_PARSER_ERROR", "{kind:?}");
        }
    }

    #[test]
    fn an_email_needs_a_mailbox_and_a_domain() {
        for good in ["ann@example.com", "a.b+c@sub.example.co"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["ann", "ann@", "@example.com", "a b@example.com", "ann@localhost", "a@b@c.d", ".a@b.c", "a@b..c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
