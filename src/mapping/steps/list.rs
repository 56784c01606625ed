//! Steps between lists and texts.

use std::borrow::Cow;

use super::text::{has_control, one_line, utf16_len};
use super::{Item, Overflow, Reason};
use crate::types::Value;

/// The texts of a list, each one line, blank ones left out.
fn texts<'a>(item: &'a Item<'_>) -> Result<Vec<Cow<'a, str>>, Reason> {
    let line = |text: &'a str| one_line(text.into()).map_err(|reason| format!("an item has {reason}").into());
    let mut texts = match item.as_value() {
        Some(Value::List(items)) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    Value::Null => {}
                    Value::Text(text) => texts.push(line(text)?),
                    _ => return Err("an item is not text".into()),
                }
            }
            texts
        }
        Some(Value::MultiSelect(chosen)) => chosen.iter().map(|text| line(text)).collect::<Result<Vec<_>, Reason>>()?,
        _ => return Err("not a list".into()),
    };
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

/// The whole of a list of texts, if it is one: without a list of its parts in between.
fn whole(item: &Item<'_>, separator: &str) -> Result<Option<String>, Reason> {
    let Some(Value::List(items)) = item.as_value() else { return Ok(None) };
    let length = items.iter().map(|item| item.as_text().map_or(0, |text| text.len() + separator.len())).sum();
    let mut whole = String::with_capacity(length);
    for item in items.iter().filter(|item| **item != Value::Null) {
        let text = item.as_text().ok_or("an item is not text")?;
        let text = one_line(text.into()).map_err(|reason| format!("an item has {reason}"))?;
        if !text.is_empty() {
            if !whole.is_empty() {
                whole.push_str(separator);
            }
            whole.push_str(&text);
        }
    }
    Ok(Some(whole))
}

pub(super) fn join(item: &Item<'_>, max: usize, separator: &str, overflow: Overflow) -> Result<String, Reason> {
    if let Some(whole) = whole(item, separator)?.filter(|whole| utf16_len(whole) <= max) {
        return Ok(whole);
    }
    let mut texts = texts(item)?;
    let whole = texts.join(separator);
    let mut length = utf16_len(&whole);
    if length <= max {
        return Ok(whole);
    }
    if overflow == Overflow::Refuse {
        return Err(format!("longer than {max} characters ({length}) as one text").into());
    }
    // Not all fit, so the number left out has to fit too. The longest cut that does is the first from the end.
    let between = utf16_len(separator);
    for kept in (0..texts.len()).rev() {
        let separated = if kept == 0 { 0 } else { between };
        length -= utf16_len(&texts[kept]) + separated;
        if overflow == Overflow::Cut {
            if length <= max && kept > 0 {
                texts.truncate(kept);
                return Ok(texts.join(separator));
            }
            continue;
        }
        let more = format!("+{} more", texts.len() - kept);
        if length + separated + more.len() <= max {
            texts.truncate(kept);
            texts.push(more.into());
            return Ok(texts.join(separator));
        }
    }
    Err(match overflow {
        Overflow::Cut => format!("not even the first item fits {max} characters").into(),
        _ => format!("not even the number of items fits {max} characters").into(),
    })
}

pub(super) fn split(item: &Item<'_>, separator: &str) -> Result<Value, Reason> {
    if let Item::Text(text) = item {
        if has_control(text) {
            return Err("a control character".into());
        }
        let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
        return Ok(Value::List(parts.map(Value::from).collect()));
    }
    let texts = texts(item).map_err(|_| "not text")?;
    Ok(Value::List(texts.into_iter().map(|text| Value::Text(text.into_owned())).collect()))
}

pub(super) fn multi_select(item: &Item<'_>) -> Result<Value, Reason> {
    let one;
    let texts = if let Item::Text(text) = item {
        one = [one_line(Cow::Borrowed(text))?];
        &one[..]
    } else {
        &texts(item)?
    };
    let mut chosen: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts.iter().filter(|text| !text.is_empty()) {
        if text.contains(';') {
            return Err("an item has a semicolon".into());
        }
        if !chosen.iter().any(|known| known == text) {
            chosen.push(text.to_string());
        }
    }
    Ok(Value::MultiSelect(chosen))
}
