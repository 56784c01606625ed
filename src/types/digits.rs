//! Numbers of any size, as text.

use std::cmp::Ordering;

/// A number as its digits without zeros at either end, and the place of the point before the first of them. Zero has none.
struct Digits {
    negative: bool,
    all: Vec<u8>,
    point: i64,
}

/// The order of two numbers in JSON's form; `None` for what is none, or has an exponent beyond 64 bits.
pub(super) fn order(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (read(left)?, read(right)?);
    let sign = |number: &Digits| match (number.all.is_empty(), number.negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let signs = sign(&left).cmp(&sign(&right));
    if signs != Ordering::Equal {
        return Some(signs);
    }
    let sizes = left.point.cmp(&right.point).then_with(|| left.all.cmp(&right.all));
    Some(if left.negative { sizes.reverse() } else { sizes })
}

fn read(text: &str) -> Option<Digits> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if all.is_empty() || !all.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let Some(first) = all.iter().position(|digit| *digit != b'0') else {
        return Some(Digits { negative: false, all: Vec::new(), point: 0 });
    };
    let last = all.iter().rposition(|digit| *digit != b'0').unwrap_or(first);
    let before = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(first).ok()?)?;
    Some(Digits { negative, all: all[first..=last].to_vec(), point: before.checked_add(exponent)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_have_their_order() {
        let rising = ["-1e400", "-9e399", "-10.5", "-1e-400", "0", "1e-400", "0.5", "10.49", "10.5", "9e399", "1e400"];
        for (place, left) in rising.iter().enumerate() {
            for (other, right) in rising.iter().enumerate() {
                assert_eq!(order(left, right), Some(place.cmp(&other)), "{left} {right}");
            }
        }
        for (left, right) in [("1e400", "10e399"), ("0", "-0.0"), ("1.50", "15E-1"), ("1e+3", "1000.000")] {
            assert_eq!(order(left, right), Some(Ordering::Equal), "{left} {right}");
        }
        assert_eq!(order("1e99999999999999999999", "1"), None);
        assert_eq!(order("ten", "1"), None);
    }
}
