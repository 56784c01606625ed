//! What Salesforce's redirect brings back: a code or a refusal, and the state. Pure.

use zeroize::Zeroizing;

use super::ConnectError;
use crate::auth::refusal::Refusal;
use crate::types::Secret;

/// Codes have about 100 characters, errors a line of text; a web server may let far more through.
const MAX_QUERY: usize = 16 * 1024;
const MAX_CODE: usize = 2048;

/// Salesforce's parameters. Others are ignored.
const NAMES: [&str; 4] = ["code", "state", "error", "error_description"];

/// What is wrong with the address that a browser came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackProblem {
    /// More than 16 KiB, or a code that is longer than any.
    #[error("it is too long")]
    TooLong,
    /// A parameter that stands there twice.
    #[error("the parameter {0} stands there twice")]
    Doubled(&'static str),
    /// Neither a code nor an error.
    #[error("it has neither a code nor an error")]
    Empty,
    /// A code and an error.
    #[error("it has both a code and an error")]
    Both,
    /// A code with characters that no code has.
    #[error("the code has characters that no code has")]
    Garbled,
}

#[derive(Debug)]
pub(super) struct Callback {
    pub(super) state: Secret,
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Code(Secret),
    Refused(Refusal),
}

/// Reads the part of the address after the question mark; the mark itself may be there.
pub(super) fn parse(query: &str) -> Result<Callback, ConnectError> {
    let malformed = |problem| Err(ConnectError::Malformed(problem));
    if query.len() > MAX_QUERY {
        return malformed(CallbackProblem::TooLong);
    }
    // Wiped whichever way this ends.
    let mut values: [Option<Zeroizing<String>>; 4] = Default::default();
    // Decodes once: a code ends with `==`, which arrives as `%3D%3D`.
    for (name, value) in url::form_urlencoded::parse(query.strip_prefix('?').unwrap_or(query).as_bytes()) {
        let value = Zeroizing::new(value.into_owned());
        let Some(place) = NAMES.iter().position(|known| *known == name) else { continue };
        if values[place].is_some() {
            return malformed(CallbackProblem::Doubled(NAMES[place]));
        }
        values[place] = Some(value);
    }
    // RFC 6749, 3.1: a parameter without a value is as good as absent.
    let [code, state, error, description] = values.map(|value| value.filter(|value| !value.is_empty()));
    let secret = |text: Zeroizing<String>| Secret::from(text);
    let (code, state) = (code.map(secret), state.map(secret));
    let outcome = match (code, error) {
        (Some(_), Some(_)) => return malformed(CallbackProblem::Both),
        (None, None) => return malformed(CallbackProblem::Empty),
        (Some(code), None) if code.expose().len() > MAX_CODE => return malformed(CallbackProblem::TooLong),
        (Some(code), None) if !code.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
            return malformed(CallbackProblem::Garbled);
        }
        (Some(code), None) => Outcome::Code(code),
        (None, Some(error)) => {
            Outcome::Refused(Refusal::new(error.as_str(), description.map(|text| text.as_str().to_owned())))
        }
    };
    let state = state.ok_or(ConnectError::StateMissing)?;
    Ok(Callback { state, outcome })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(query: &str) -> String {
        match parse(query).expect(query) {
            Callback { outcome: Outcome::Code(code), .. } => code.expose().to_owned(),
            other => panic!("{query}: {other:?}"),
        }
    }

    fn problem(query: &str) -> CallbackProblem {
        match parse(query).expect_err("malformed") {
            ConnectError::Malformed(problem) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_code_is_decoded_once() {
        assert_eq!(code("?code=aPrx%2Fy%3D%3D&state=s"), "aPrx/y==");
        assert_eq!(code("state=s&x=1&x=2&code=a%2541"), "a%41", "and not twice");
    }

    #[test]
    fn a_refusal_is_read_with_its_words() {
        let query = "error=access_denied&error_description=end-user+denied+authorization&state=s";
        let Outcome::Refused(refusal) = parse(query).expect("reads").outcome else { panic!("a refusal") };
        assert_eq!(refusal, Refusal::new("access_denied", Some("end-user denied authorization".into())));
    }

    #[test]
    fn missing_doubled_and_huge_parameters_are_each_their_own_error() {
        let huge = "x".repeat(1024 * 1024);
        for (query, expected) in [
            (String::new(), CallbackProblem::Empty),
            ("state=s".to_owned(), CallbackProblem::Empty),
            ("code=&state=s".to_owned(), CallbackProblem::Empty),
            ("code=a&code=a&state=s".to_owned(), CallbackProblem::Doubled("code")),
            ("code=a&state=s&state=t".to_owned(), CallbackProblem::Doubled("state")),
            ("code=a&state=s&%73tate=t".to_owned(), CallbackProblem::Doubled("state")),
            ("error=a&error=b&state=s".to_owned(), CallbackProblem::Doubled("error")),
            ("code=a&error=b&state=s".to_owned(), CallbackProblem::Both),
            ("code=a%20b&state=s".to_owned(), CallbackProblem::Garbled),
            ("code=a%00&state=s".to_owned(), CallbackProblem::Garbled),
            ("code=%FF&state=s".to_owned(), CallbackProblem::Garbled),
            (format!("code={huge}&state=s"), CallbackProblem::TooLong),
            (format!("code=a&state={huge}"), CallbackProblem::TooLong),
            (format!("code=a&state=s&x={huge}"), CallbackProblem::TooLong),
            (format!("code={}&state=s", &huge[..3000]), CallbackProblem::TooLong),
        ] {
            assert_eq!(problem(&query), expected, "{query:.60}");
        }
        for query in ["code=a", "code=a&state=", "error=access_denied"] {
            assert!(matches!(parse(query), Err(ConnectError::StateMissing)), "{query}");
        }
    }

    fn queries() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "code",
            "state",
            "error",
            "error_description",
            "=",
            "&",
            "&&",
            "?",
            "%",
            "%2",
            "%3D",
            "%26",
            "%FF",
            "+",
            "a",
            "é",
            "\0",
            "#",
            ";",
        ]);
        prop::collection::vec(piece, 0..20).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn no_query_panics_and_what_is_read_was_sent_once(query in prop_oneof![queries(), any::<String>()]) {
            if let Ok(callback) = parse(&query) {
                prop_assert!(!callback.state.expose().is_empty());
                let pairs = url::form_urlencoded::parse(query.strip_prefix('?').unwrap_or(&query).as_bytes());
                prop_assert_eq!(pairs.filter(|(name, _)| name == "state").count(), 1);
                if let Outcome::Code(code) = callback.outcome {
                    prop_assert!((1..=MAX_CODE).contains(&code.expose().len()));
                    prop_assert!(code.expose().bytes().all(|byte| byte.is_ascii_graphic()));
                }
            }
        }
    }
}
