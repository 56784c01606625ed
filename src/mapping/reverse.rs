//! Records of the org to source records.

use super::apply::{check_shape, take_steps};
use super::compile::CompiledMap;
use super::issue::MappingIssue;
use super::route::{Building, Reading, Seen};
use super::rule::Blank;
use super::steps::Item;
use crate::types::{Record, Value};

impl CompiledMap {
    /// Maps a record of the org to the source, by the rules whose direction says so. Pure.
    ///
    /// A field that is absent is absent in the source record too; a blank one is null, or left out where the rule's `blank` is
    /// `ignore`. A parent that is null has null fields. The audience says nothing about records of the org.
    ///
    /// # Errors
    ///
    /// All issues of the record at once, named by their targets.
    pub fn apply_reverse(&self, remote: &Record) -> Result<Record, Vec<MappingIssue>> {
        const NULL: &Value = &Value::Null;
        let mut reading = Reading::new(remote, &self.0.remote_branches);
        let mut source = Building::new(&self.0.source_branches, self.0.back.len());
        let mut issues = Vec::new();
        for rule in &self.0.back {
            let seen = match reading.find(&rule.from) {
                Ok(Seen::Absent) => continue,
                // A query's row has null for a parent that is not there.
                Ok(Seen::BlankParent) => Ok(NULL),
                Ok(Seen::Value(value)) => Ok(value),
                Err(reason) => Err(reason),
            };
            let value = seen.and_then(|value| take_steps(&rule.steps, Item::of(value))).and_then(|item| {
                if item.is_blank() {
                    return match rule.blank {
                        Blank::Clear => Ok(Some(Value::Null)),
                        Blank::Ignore => Ok(None),
                        Blank::Refuse => Err("blank".into()),
                    };
                }
                // A list is a value of the source, so only its kin is looked at.
                if !matches!(item.as_value(), Some(Value::List(_))) {
                    check_shape(&item)?;
                }
                Ok(Some(item.into_value()))
            });
            match value {
                Ok(Some(value)) => source.put(&rule.to, value),
                Ok(None) => {}
                Err(reason) => issues.push(MappingIssue::new(&*rule.label, reason)),
            }
        }
        if issues.is_empty() { Ok(source.into_record()) } else { Err(issues) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{FieldMap, Transforms};

    fn map(rules: &str) -> CompiledMap {
        let text = format!(
            "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n{rules}"
        );
        FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect("sound")
    }

    fn back(map: &CompiledMap, remote: &str) -> String {
        let source = map.apply_reverse(&Record::from_json(remote).expect(remote)).expect(remote);
        serde_json::to_string(&source).expect("serialises")
    }

    #[test]
    fn gpt_26_each_field_goes_the_way_its_rule_says() {
        let map = map("[[rules]]\nsource = \"score.total\"\ntarget = \"Score__c\"\ndirection = \"both\"\n\
             [[rules]]\nsource = \"score.level\"\ntarget = \"Level__c\"\ndirection = \"from_salesforce\"\n\
             [[rules]]\nsource = \"web\"\ntarget = \"Web__c\"\n\
             [[rules]]\nsource = \"company\"\ntarget = \"Account.Ext__c\"\ndirection = \"both\"");
        let remote = r#"{"K__c":"k","Score__c":5,"Level__c":"High","Web__c":"x","Account":{"Ext__c":"c"}}"#;
        assert_eq!(back(&map, remote), r#"{"score":{"total":5,"level":"High"},"company":"c"}"#);
        assert_eq!(back(&map, r#"{"Score__c":null,"Account":null}"#), r#"{"score":{"total":null},"company":null}"#);
        assert_eq!(back(&map, "{}"), "{}");
        let source = Record::from_json(r#"{"id":"k","score":{"total":1,"level":"Low"}}"#).expect("reads");
        let sent = map.apply(&source).expect("maps").into_record().expect("all");
        assert!(sent.fields.get("Level__c").is_none() && sent.fields.get("Score__c").is_some());
    }

    #[test]
    fn transforms_are_taken_back_last_one_first() {
        let map = map("[[rules]]\nsource = \"seconds\"\ntarget = \"Minutes__c\"\ndirection = \"both\"\n\
             transforms = [{ minimum = { min = 0 } }, \"seconds_to_minutes\", { multiply = { by = 10 } }]\n\
             [[rules]]\nsource = \"tier\"\ntarget = \"Tier__c\"\ndirection = \"both\"\n\
             transforms = [\"trim\", { table = { entries = { gold = \"A\", silver = \"B\" } } }]\n\
             [[rules]]\nsource = \"tags\"\ntarget = \"Tags__c\"\ndirection = \"both\"\ntransforms = [\"multi_select\"]\n\
             [[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\ndirection = \"both\"\n\
             transforms = [{ truncate = { max = 5 } }]\nreverse = [\"upper\"]");
        let remote = r#"{"Minutes__c":15,"Tier__c":"B","Tags__c":"a;b","Note__c":"hello"}"#;
        assert_eq!(back(&map, remote), r#"{"seconds":90,"tier":"silver","tags":["a","b"],"note":"HELLO"}"#);
        let issues = map.apply_reverse(&Record::new().with("Tier__c", "Z")).expect_err("no such tier");
        assert_eq!(issues[0].to_string(), "Tier__c: not in the table of values");
    }
    #[test]
    fn a_parent_that_is_no_record_is_an_issue() {
        let map = map("[[rules]]\nsource = \"a\"\ntarget = \"Account.Name\"\ndirection = \"from_salesforce\"\n\
             [[rules]]\nsource = \"b\"\ntarget = \"Account.Site\"\ndirection = \"from_salesforce\"");
        let issues = map.apply_reverse(&Record::new().with("Account", "Acme")).expect_err("no record");
        let told: Vec<String> = issues.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["Account.Name: Account is no object", "Account.Site: Account is no object"]);
    }
}
