//! Steps that look a value up.

use std::collections::HashMap;

use super::{Item, Reason};
use crate::mapping::value_table::{Otherwise, ValueTable, key_of};
use crate::types::Value;

/// A value table made ready.
#[derive(Debug)]
pub(in crate::mapping) struct Lookup {
    values: HashMap<String, Value>,
    otherwise: Otherwise,
    ignore_case: bool,
}

impl Lookup {
    pub(super) fn new(table: &ValueTable) -> Result<Self, String> {
        if let Some(key) = table.doubled_key() {
            return Err(format!("the key {key:?} stands twice"));
        }
        if let Some((key, _)) = table.entries.iter().find(|(_, value)| key_of(value).is_none() && *value != Value::Null)
        {
            return Err(format!("the value of {key:?} is no text, number or flag"));
        }
        Ok(Self {
            values: table.entries.iter().map(|(key, value)| (table.normal(key), value.clone())).collect(),
            otherwise: table.otherwise.clone(),
            ignore_case: table.ignore_case,
        })
    }

    pub(super) fn find<'a>(&self, item: Item<'a>) -> Result<Item<'a>, Reason> {
        let found = match &item {
            Item::Text(text) if !self.ignore_case => self.values.get(text.trim()),
            Item::Text(text) => self.values.get(&text.trim().to_lowercase()),
            item => {
                let key = item.as_value().and_then(key_of).ok_or("not a text, number or flag")?;
                self.values.get(&if self.ignore_case { key.to_lowercase() } else { key })
            }
        };
        match (found, &self.otherwise) {
            (Some(value), _) | (None, Otherwise::Value(value)) => Ok(Item::from_value(value.clone())),
            (None, Otherwise::Refuse) => Err("not in the table of values".into()),
            (None, Otherwise::Keep) => Ok(item),
            (None, Otherwise::Blank) => Ok(Item::Own(Value::Null)),
        }
    }
}

/// What means true and what means false.
#[derive(Debug)]
pub(in crate::mapping) struct Flags(HashMap<String, bool>);

impl Flags {
    pub(super) fn new(truths: &[Value], falsehoods: &[Value]) -> Result<Self, String> {
        let mut flags = HashMap::new();
        let pairs = truths.iter().map(|value| (value, true)).chain(falsehoods.iter().map(|value| (value, false)));
        for (value, flag) in pairs {
            let key = key_of(value).ok_or("a value of \"boolean\" is no text, number or flag")?.to_lowercase();
            if flags.insert(key, flag).is_some_and(|known| known != flag) {
                return Err(format!("{:?} means both true and false", key_of(value).unwrap_or_default()));
            }
        }
        Ok(Self(flags))
    }

    pub(super) fn read(&self, item: &Item<'_>) -> Result<bool, Reason> {
        let key = match item {
            Item::Text(text) => text.trim().to_lowercase(),
            item => match item.as_value() {
                Some(Value::Bool(flag)) => return Ok(*flag),
                value => value.and_then(key_of).ok_or("not a flag")?,
            },
        };
        self.0.get(&key).copied().ok_or_else(|| "neither a true nor a false value".into())
    }
}
