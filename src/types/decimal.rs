//! Exact decimal numbers.

use std::fmt;
use std::str::FromStr;

use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};

/// An exact decimal of up to 28 digits; a Salesforce number has at most 18.
///
/// Reads JSON numbers in every form an answer may have them (`15000`, `15000.0`, `1.39E8`), without a float in between.
/// It serialises to and from JSON numbers through `serde_json` only, because only that hands over all digits; another
/// format, `serde(flatten)` and untagged enums give an error rather than a rounded number. Equal numbers are equal
/// whatever their trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);

    /// Reads `-12.5`, `12`, `1.25E3`. Infinities, NaN and what does not fit 28 digits are refused, not rounded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::Invalid, "", "not a number of at most 28 digits");
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            return Err(invalid());
        }
        let exponent = text.bytes().any(|byte| matches!(byte, b'e' | b'E'));
        let number = if exponent { from_scientific(text) } else { rust_decimal::Decimal::from_str_exact(text).ok() };
        number.map(|number| Self(number.normalize())).ok_or_else(invalid)
    }

    /// Rounds to `scale` digits after the point; `None` where [`Rounding::Refuse`] finds something to round.
    #[must_use]
    pub fn round(self, scale: u32, rounding: Rounding) -> Option<Self> {
        if self.0.scale() <= scale {
            return Some(self);
        }
        let strategy = match rounding {
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfDown => RoundingStrategy::MidpointTowardZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
            Rounding::Down => RoundingStrategy::ToZero,
            Rounding::Floor => RoundingStrategy::ToNegativeInfinity,
            Rounding::Ceiling => RoundingStrategy::ToPositiveInfinity,
            // What is here is normal, so a longer fraction is no row of zeros.
            Rounding::Refuse => return None,
        };
        Some(Self(self.0.round_dp_with_strategy(scale, strategy).normalize()))
    }

    /// The same with at most so many digits in all, as far as they stand after the point; half to even.
    #[must_use]
    pub(crate) fn with_digits(self, digits: u32) -> Self {
        let all = self.0.mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        match all.checked_sub(digits).and_then(|excess| self.0.scale().checked_sub(excess)) {
            Some(scale) => self.round(scale, Rounding::HalfEven).unwrap_or(self),
            None => self,
        }
    }

    /// Digits after the point.
    #[must_use]
    pub fn fraction_digits(self) -> u32 {
        self.0.scale()
    }

    /// The whole number, if it is one that fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        if self.is_whole() { rust_decimal::prelude::ToPrimitive::to_i64(&self.0) } else { None }
    }

    /// Whether there is nothing after the point.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.0.fract().is_zero()
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Digits before the point; 0 for a number between -1 and 1.
    #[must_use]
    pub fn integer_digits(self) -> u32 {
        let whole = self.0.trunc().mantissa().unsigned_abs();
        whole.checked_ilog10().map_or(0, |digits| digits + 1)
    }

    /// Divides; `None` for a division by zero or a quotient out of range. A quotient without end keeps 28 digits.
    #[must_use]
    pub fn checked_div(self, divisor: Self) -> Option<Self> {
        self.0.checked_div(divisor.0).map(|quotient| Self(quotient.normalize()))
    }

    /// Adds; `None` where the sum would not be exact in 28 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        // The underlying sum drops digits that do not fit.
        (sum.checked_sub(other.0)? == self.0 && sum.checked_sub(self.0)? == other.0).then(|| Self(sum.normalize()))
    }

    /// Subtracts; `None` where the difference would not be exact in 28 digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self(-other.0))
    }

    /// Multiplies; `None` for a product out of range. One of more than 28 digits is rounded, halves to the even neighbour.
    #[must_use]
    pub fn checked_mul(self, factor: Self) -> Option<Self> {
        self.0.checked_mul(factor.0).map(|product| Self(product.normalize()))
    }

    /// The nearest float, for display and statistics.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // The library's own way is off by one in the last place for some.
        self.0.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// What becomes of digits that a number has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; halves to the even neighbour: 2.5 is 2, 3.5 is 4.
    #[default]
    HalfEven,
    /// To the nearest; halves away from zero: 2.5 is 3, -2.5 is -3.
    HalfUp,
    /// To the nearest; halves towards zero: 2.5 is 2, -2.5 is -2.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero: digits are cut.
    Down,
    /// To the lower neighbour: -2.1 is -3.
    Floor,
    /// To the higher neighbour: -2.9 is -2.
    Ceiling,
    /// A number that would have to be rounded is refused.
    Refuse,
}

fn from_scientific(text: &str) -> Option<rust_decimal::Decimal> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let mantissa = rust_decimal::Decimal::from_str_exact(mantissa).ok()?.normalize();
    if mantissa.is_zero() {
        return Some(mantissa);
    }
    let scale = i32::try_from(mantissa.scale()).ok()?.checked_sub(exponent)?;
    if scale >= 0 {
        return rust_decimal::Decimal::try_from_i128_with_scale(mantissa.mantissa(), u32::try_from(scale).ok()?).ok();
    }
    let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
    rust_decimal::Decimal::try_from_i128_with_scale(mantissa.mantissa().checked_mul(factor)?, 0).ok()
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(rust_decimal::Decimal::from(number))
    }
}

impl From<u32> for Decimal {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(|error| de::Error::custom(error.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn no_digit_passes_through_a_float() {
        for text in ["1234567890123456.78", "999999999999999999", "0.1", "-0.003", "123456789012345.678"] {
            let number: Decimal = serde_json::from_str(text).expect(text);
            assert_eq!(serde_json::to_string(&number).expect("serialises"), text);
        }
    }

    #[test]
    fn every_shape_of_one_number_is_equal() {
        assert_eq!(decimal("15000"), decimal("15000.0"));
        assert_eq!(decimal("9.12260031E8"), decimal("912260031"));
        assert_eq!(decimal("1.5e-3"), decimal("0.0015"));
        assert_eq!(decimal("0E10"), decimal("-0"));
        assert_eq!(decimal("1.39E+8").to_string(), "139000000");
    }

    #[test]
    fn what_cannot_be_held_exactly_is_refused() {
        for text in [
            "NaN",
            "Infinity",
            "1e400",
            "1e-400",
            "10e2147483648",
            "",
            "-",
            "1_000",
            "0x10",
            "99999999999999999999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn halves_round_to_the_even_neighbour() {
        let round = |text: &str, scale| decimal(text).round(scale, Rounding::HalfEven).map(|number| number.to_string());
        assert_eq!(round("0.0125", 3).as_deref(), Some("0.012"));
        assert_eq!(round("0.0135", 3).as_deref(), Some("0.014"));
        assert_eq!(round("-2.5", 0).as_deref(), Some("-2"));
    }

    #[test]
    fn every_rounding_is_the_one_it_says() {
        use Rounding::{Ceiling, Down, Floor, HalfDown, HalfEven, HalfUp, Refuse, Up};
        for (rounding, expected) in [
            (HalfEven, ["2", "4", "-2", "2", "-3"]),
            (HalfUp, ["3", "4", "-3", "2", "-3"]),
            (HalfDown, ["2", "3", "-2", "2", "-3"]),
            (Up, ["3", "4", "-3", "3", "-3"]),
            (Down, ["2", "3", "-2", "2", "-2"]),
            (Floor, ["2", "3", "-3", "2", "-3"]),
            (Ceiling, ["3", "4", "-2", "3", "-2"]),
        ] {
            for (text, expected) in ["2.5", "3.5", "-2.5", "2.1", "-2.9"].into_iter().zip(expected) {
                assert_eq!(decimal(text).round(0, rounding), Some(decimal(expected)), "{text} {rounding:?}");
            }
        }
        assert_eq!(decimal("2.5").round(0, Refuse), None);
        assert_eq!(decimal("2.0").round(0, Refuse), Some(decimal("2")));
    }

    #[test]
    fn sums_are_exact_or_none() {
        assert_eq!(decimal("0.1").checked_add(decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(decimal("5").checked_sub(decimal("7.5")), Some(decimal("-2.5")));
        assert_eq!(decimal("1E27").checked_add(decimal("0.001")), None);
        assert_eq!(decimal("1.5").checked_mul(decimal("60")), Some(decimal("90")));
    }

    #[test]
    fn integer_digits_are_those_before_the_point() {
        assert_eq!(decimal("0.5").integer_digits(), 0);
        assert_eq!(decimal("-123.45").integer_digits(), 3);
        assert_eq!(decimal("1000").integer_digits(), 4);
    }
}
