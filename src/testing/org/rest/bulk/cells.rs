//! From a cell to what a record body would say, and back as the result files echo it.

use std::borrow::Cow;

use crate::testing::org::error::ApiError;
use crate::testing::org::input;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType};

/// The cell that means null; an empty one leaves the field alone (wire facts 3.1).
pub(super) const NULL: &str = "#N/A";

/// The value of a cell that is neither empty nor null, in column `column` from 0.
pub(super) fn read(field: &Field, column: usize, cell: &str) -> Result<Json, ApiError> {
    use FieldType as T;
    let refused = |kind: &str| {
        // recorded: bulk2/info-partial-failure.csv
        let message = format!(
            "Failed to deserialize field at col {column}. Due to, '{cell}' is not a valid value for the type xsd:{kind}"
        );
        ApiError::row("INVALID_FIELD", message, [&field.name])
    };
    match field.kind {
        T::Int => match cell.parse::<i64>() {
            Ok(number) => Ok(Json::number(number)),
            Err(_) => Err(refused("int")),
        },
        T::Double | T::Currency | T::Percent => match double(cell) {
            Some(_) => Ok(Json::Number(cell.trim_start_matches('+').to_owned())),
            None => Err(refused("double")),
        },
        T::Boolean => boolean(cell).map(Json::Bool).ok_or_else(|| refused("boolean")),
        T::Date | T::DateTime | T::Time => {
            let json = Json::string(cell);
            match input::read_value(field, &json) {
                Ok(_) => Ok(json),
                Err(_) => Err(refused(match field.kind {
                    T::Date => "date",
                    T::Time => "time",
                    _ => "dateTime",
                })),
            }
        }
        _ => Ok(Json::string(cell)),
    }
}

fn double(cell: &str) -> Option<f64> {
    let plain = cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    cell.parse::<f64>().ok().filter(|number| plain && number.is_finite())
}

/// [K] Case makes no difference.
fn boolean(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A cell as the result files have it: as parsed, not as sent. What cannot be parsed stands as it came.
// Wire facts 3.1: the guide's example sends `2676,912260031` and gets `"2676","9.12260031E8"`. [K] Of booleans.
pub(super) fn echo<'c>(field: &Field, cell: &'c str) -> Cow<'c, str> {
    use FieldType as T;
    match field.kind {
        T::Int => cell.parse::<i64>().map_or(Cow::Borrowed(cell), |number| Cow::Owned(number.to_string())),
        T::Double | T::Currency | T::Percent => {
            double(cell).map_or(Cow::Borrowed(cell), |number| Cow::Owned(java_double(number)))
        }
        T::Boolean => {
            boolean(cell).map_or(Cow::Borrowed(cell), |flag| Cow::Borrowed(if flag { "true" } else { "false" }))
        }
        _ => Cow::Borrowed(cell),
    }
}

/// A double as Java writes it: plain between a thousandth and ten million, else in scientific notation.
fn java_double(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> Field {
        Field::new("Thing__c", "Thing", kind)
    }

    #[test]
    fn numbers_come_back_as_java_writes_them() {
        for (sent, back) in [
            ("912260031", "9.12260031E8"),
            ("2676", "2676.0"),
            ("12.50", "12.5"),
            ("-0.00001", "-1.0E-5"),
            ("10000000", "1.0E7"),
            ("9999999.5", "9999999.5"),
            ("0", "0.0"),
            ("1e3", "1000.0"),
            ("many", "many"),
            ("", ""),
        ] {
            assert_eq!(echo(&field(FieldType::Currency), sent), back, "{sent}");
        }
        assert_eq!(echo(&field(FieldType::Int), "+002676"), "2676");
        assert_eq!(echo(&field(FieldType::Boolean), "TRUE"), "true");
        assert_eq!(echo(&field(FieldType::String), "0012"), "0012");
    }

    #[test]
    fn a_value_of_another_type_is_refused_as_recorded() {
        let date = Field::new("CloseDate", "Close Date", FieldType::Date);
        let error = read(&date, 3, "2003-04-987654321987654321").unwrap_err();
        assert_eq!(error.code, "INVALID_FIELD");
        let text = "Failed to deserialize field at col 3. Due to, '2003-04-987654321987654321' is not a valid value for \
                    the type xsd:date";
        assert_eq!((error.message.as_str(), error.fields.unwrap()), (text, vec!["CloseDate".to_owned()]));
        for (kind, bad) in [
            (FieldType::Int, "5.0"),
            (FieldType::Double, "NaN"),
            (FieldType::Double, "1,5"),
            (FieldType::Boolean, "maybe"),
            (FieldType::DateTime, "2026-05-01"),
        ] {
            assert!(read(&field(kind), 0, bad).is_err(), "{bad}");
        }
        assert_eq!(read(&field(FieldType::Double), 0, "+1.50").unwrap(), Json::Number("1.50".to_owned()));
    }
}
