//! A program's own types through a map, both ways.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::compile::CompiledMap;
use super::issue::{Mapped, MappingIssue};
use crate::types::Record;
use crate::types::typed::{Misfit, from_record, to_record};

fn issue(misfit: Misfit) -> Vec<MappingIssue> {
    vec![MappingIssue::new(misfit.path, misfit.reason)]
}

impl CompiledMap {
    /// Maps a struct of the program to Salesforce. Its fields are the source paths, by the names serde gives them; see
    /// [`Record::from_typed`].
    ///
    /// # Errors
    ///
    /// One issue if the struct holds what no record can, such as NaN; else those of [`apply`](Self::apply).
    pub fn apply_typed<T: Serialize + ?Sized>(&self, source: &T) -> Result<Mapped, Vec<MappingIssue>> {
        self.apply(&to_record(source).map_err(issue)?)
    }

    /// Maps a record of the org to a struct of the program. Fields that no rule brings need a default; see
    /// [`Record::to_typed`].
    ///
    /// # Errors
    ///
    /// Those of [`apply_reverse`](Self::apply_reverse); else one issue, named by its source path, if the struct takes no such value.
    pub fn read_typed<T: DeserializeOwned>(&self, remote: &Record) -> Result<T, Vec<MappingIssue>> {
        from_record(&self.apply_reverse(remote)?).map_err(issue)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::mapping::{FieldMap, Transforms};
    use crate::types::Decimal;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Score {
        id: String,
        total: f64,
        exact: Decimal,
        note: Option<String>,
    }

    fn map() -> CompiledMap {
        let rule = |source: &str, target: &str| {
            format!("[[rules]]\nsource = \"{source}\"\ntarget = \"{target}\"\ndirection = \"both\"\n")
        };
        let rules = [("id", "K__c"), ("total", "Total__c"), ("exact", "Exact__c"), ("note", "Note__c")];
        let rules: String = rules.iter().map(|(source, target)| rule(source, target)).collect();
        let text = format!("version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n{rules}");
        FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect("sound")
    }

    #[test]
    fn a_struct_goes_out_and_comes_back() {
        let exact = Decimal::parse("1234567890123456.78").expect("a number");
        let score = Score { id: "k".into(), total: 0.1, exact, note: None };
        let sent = map().apply_typed(&score).expect("maps").into_record().expect("all");
        let body = serde_json::to_string(&sent.fields).expect("serialises");
        assert_eq!(body, r#"{"K__c":"k","Total__c":0.1,"Exact__c":1234567890123456.78,"Note__c":null}"#);
        assert_eq!(map().read_typed::<Score>(&sent.fields), Ok(score));
    }

    #[test]
    fn what_does_not_fit_is_an_issue() {
        let score = Score { id: "k".into(), total: f64::NAN, exact: Decimal::ZERO, note: None };
        let issues = map().apply_typed(&score).expect_err("NaN");
        assert_eq!(issues[0].to_string(), "total: no number: NaN or an infinity");
        let remote = Record::new().with("K__c", "k").with("Total__c", "much").with("Exact__c", Decimal::ZERO);
        let issues = map().read_typed::<Score>(&remote).expect_err("a text");
        assert_eq!(issues[0].to_string(), "total: a text, expected f64");
    }
}
