//! Aggregates.

use super::*;

fn rows(soql: &str) -> String {
    org().records(soql).replace(r#"{"attributes":{"type":"AggregateResult"},"#, "{")
}

#[test]
fn aggregates_have_attributes_without_a_url() {
    let expected = r#"[{"attributes":{"type":"AggregateResult"},"expr0":3}]"#;
    assert_eq!(org().records("SELECT COUNT(Id) FROM Account"), expected);
}

#[test]
fn unnamed_columns_are_numbered_and_named_ones_are_not_counted() {
    let soql = "SELECT AccountId, SUM(Amount), MAX(CloseDate) latest, MIN(Amount) FROM Opportunity GROUP BY AccountId";
    let (acme, beta) = (record_id("001", 1), record_id("001", 2));
    let expected = format!(
        r#"[{{"AccountId":"{acme}","expr0":150.0,"latest":"2026-05-07","expr1":50.0}},{{"AccountId":"{beta}","expr0":null,"latest":null,"expr1":null}}]"#
    );
    assert_eq!(rows(soql), expected);
}

#[test]
fn every_function_skips_null() {
    let soql = "SELECT COUNT(Amount) a, COUNT_DISTINCT(StageName) b, AVG(Amount) c, SUM(Amount) d FROM Opportunity";
    assert_eq!(rows(soql), r#"[{"a":2,"b":2,"c":75.0,"d":150.0}]"#);
    let nothing = "SELECT COUNT(Id) a, SUM(Amount) b, MAX(Name) c FROM Opportunity WHERE Name = 'none'";
    assert_eq!(rows(nothing), r#"[{"a":0,"b":null,"c":null}]"#);
}

#[test]
fn a_group_key_may_be_null_and_a_parents_field_goes_by_its_own_name() {
    let soql = "SELECT Account.Name, COUNT(Id) FROM Contact GROUP BY Account.Name";
    assert_eq!(rows(soql), r#"[{"Name":"Acme","expr0":2},{"Name":null,"expr0":1}]"#);
}

#[test]
fn having_and_order_by_see_keys_and_functions() {
    let soql = "SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 1";
    assert_eq!(rows(soql), r#"[{"StageName":"Prospecting","n":2}]"#);
    let soql = "SELECT StageName FROM Opportunity GROUP BY StageName HAVING StageName LIKE 'c%' OR SUM(Amount) > 1000";
    assert_eq!(rows(soql), r#"[{"StageName":"Closed Won"}]"#);
    let soql = "SELECT StageName s FROM Opportunity GROUP BY StageName ORDER BY COUNT(Id) DESC, StageName LIMIT 1";
    assert_eq!(rows(soql), r#"[{"s":"Prospecting"}]"#);
    let soql = "SELECT StageName s FROM Opportunity GROUP BY StageName ORDER BY MAX(StageName)";
    assert_eq!(org().refusal(soql).code, "MALFORMED_QUERY", "a grouped field is not aggregated");
}

#[test]
fn dates_group_by_their_parts() {
    let soql = "SELECT CALENDAR_YEAR(CreatedDate) y, COUNT(Id) n FROM Account GROUP BY CALENDAR_YEAR(CreatedDate) \
                ORDER BY CALENDAR_YEAR(CreatedDate)";
    assert_eq!(rows(soql), r#"[{"y":2025,"n":1},{"y":2026,"n":2}]"#);
    let soql =
        "SELECT DAY_ONLY(CreatedDate), COUNT(Id) FROM Account WHERE Name = 'Acme' GROUP BY DAY_ONLY(CreatedDate)";
    assert_eq!(rows(soql), r#"[{"expr0":"2026-05-01","expr1":1}]"#);
}

#[test]
fn minimum_and_maximum_of_a_picklist_follow_setup_order() {
    assert_eq!(rows("SELECT MIN(Industry), MAX(Industry) FROM Account"), r#"[{"expr0":"Energy","expr1":"Banking"}]"#);
}

#[test]
fn group_by_without_functions_and_with_format_works() {
    assert_eq!(
        rows("SELECT Industry FROM Account WHERE Industry != null GROUP BY Industry LIMIT 1"),
        r#"[{"Industry":"Banking"}]"#
    );
    assert_eq!(rows("SELECT FORMAT(SUM(AnnualRevenue)) f FROM Account"), r#"[{"f":"3,500.5"}]"#);
}

#[test]
fn aggregates_have_no_locator() {
    assert!(org().query("SELECT Name FROM Account GROUP BY Name").expect("accepted").one_page);
}

#[test]
fn more_groups_than_a_page_holds_are_refused_unless_limited() {
    let mut org = org();
    for n in 0..2_001 {
        org.add("Account", &[("Name", text(&format!("Name {n}")))]);
    }
    assert_eq!(org.refusal("SELECT Name FROM Account GROUP BY Name").code, "EXCEEDED_ID_LIMIT");
    assert_eq!(org.query("SELECT Name FROM Account GROUP BY Name LIMIT 2000").expect("accepted").total_size, 2_000);
}
