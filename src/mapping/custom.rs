//! Functions of the program as transforms.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::steps::Reason;
use crate::types::Value;

type Call = dyn Fn(Value) -> Result<Value, String> + Send + Sync;

/// The functions that maps may name as `custom = "name"`.
///
/// ```
/// use sforce::mapping::Transforms;
/// use sforce::types::Value;
///
/// let transforms = Transforms::new().with("shout", |value| match value {
///     Value::Text(text) => Ok(Value::Text(text + "!")),
///     _ => Err("not text".into()),
/// });
/// # let _ = transforms;
/// ```
///
/// # Contract
///
/// A function is pure: it gives the same for the same value, with no effect beside. It sees no blank value. Its error says in a few
/// words why the value is refused, and does not quote it: it ends in logs. It does not panic; one that does refuses the value.
#[derive(Clone, Default)]
pub struct Transforms(BTreeMap<String, Arc<Call>>);

impl Transforms {
    /// No functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a function, in the place of another one of this name.
    #[must_use]
    pub fn with<F>(mut self, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(Value) -> Result<Value, String> + Send + Sync + 'static,
    {
        self.0.insert(name.into(), Arc::new(function));
        self
    }

    pub(super) fn get(&self, name: &str) -> Result<Function, String> {
        let function = self.0.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none is".to_owned() } else { format!("known: {}", known.join(", ")) };
            format!("no function {name:?} is registered ({known})")
        })?;
        Ok(Function { name: name.into(), call: Some(Arc::clone(function)) })
    }
}

impl fmt::Debug for Transforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A function by its name; without the function itself only while a map is looked through.
#[derive(Clone)]
pub(super) struct Function {
    name: Arc<str>,
    call: Option<Arc<Call>>,
}

impl Function {
    pub(super) fn unknown(name: &str) -> Self {
        Self { name: name.into(), call: None }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

pub(super) fn call(function: &Function, value: Value) -> Result<Value, Reason> {
    let Some(call) = &function.call else { return Err("a function that is not registered".into()) };
    // A function that breaks its contract spoils this record, not the run.
    match catch_unwind(AssertUnwindSafe(|| call(value))) {
        Ok(result) => result.map_err(Reason::from),
        Err(_) => Err(format!("the function {} panicked", function.name).into()),
    }
}
