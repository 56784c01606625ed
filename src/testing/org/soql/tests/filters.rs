//! WHERE.

use super::*;

fn accounts(condition: &str) -> String {
    org().names(&format!("SELECT Name FROM Account WHERE {condition} ORDER BY Name"))
}

#[test]
fn text_compares_without_regard_to_case() {
    assert_eq!(accounts("Name = 'ACME'"), "Acme");
    assert_eq!(accounts("Name != 'ACME'"), "beta,Ceta");
    assert_eq!(accounts("Name <> 'BETA'"), "Acme,Ceta");
    assert_eq!(accounts("Name IN ('acme', 'BETA', 'nobody')"), "Acme,beta");
    assert_eq!(accounts("Name NOT IN ('acme')"), "beta,Ceta");
    assert_eq!(accounts("Name > 'ACME' AND Name <= 'BETA'"), "beta");
    assert_eq!(accounts("Name >= 'beta'"), "beta,Ceta");
    assert_eq!(accounts("Name < 'beta'"), "Acme");
}

#[test]
fn case_sensitive_fields_compare_exactly() {
    assert_eq!(accounts("Code__c = 'ABC'"), "beta");
    assert_eq!(accounts("Code__c IN ('abc')"), "Acme");
}

#[test]
fn like_takes_wildcards_and_their_escapes() {
    assert_eq!(accounts("Name LIKE '%E%A'"), "beta,Ceta");
    assert_eq!(accounts("Name LIKE '_eta'"), "beta,Ceta");
    assert_eq!(accounts(r"Name LIKE 'A\_me'"), "");
    assert_eq!(accounts("Industry LIKE 'en%'"), "beta");
}

#[test]
fn escapes_in_literals_are_resolved() {
    let mut org = org();
    org.add("Account", &[("Name", text("O'Neil \\ \"Co\""))]);
    assert_eq!(org.names(r#"SELECT Name FROM Account WHERE Name = 'O\'Neil \\ \"Co\"'"#), "O'Neil \\ \"Co\"");
    assert_eq!(org.names(r"SELECT Name FROM Account WHERE Name = '\u0041cme'"), "Acme");
}

#[test]
fn null_is_a_value_of_its_own() {
    assert_eq!(accounts("Industry = null"), "Ceta");
    assert_eq!(accounts("Industry != NULL"), "Acme,beta");
    assert_eq!(accounts("Industry = ''"), "Ceta");
    assert_eq!(accounts("Industry != 'Energy'"), "Acme,Ceta");
    assert_eq!(accounts("Industry IN ('Energy', null)"), "beta,Ceta");
    assert_eq!(accounts("AnnualRevenue < 5000"), "Acme,beta", "null is not less than anything");
    assert_eq!(accounts("AnnualRevenue > null"), "");
    assert_eq!(accounts("Parent.Name = null"), "Acme,Ceta", "no parent, no name");
}

#[test]
fn numbers_and_checkboxes_compare_by_value() {
    assert_eq!(accounts("AnnualRevenue = 1000.00"), "Acme");
    assert_eq!(accounts("AnnualRevenue IN (2500.5, 1)"), "beta");
    assert_eq!(accounts("AnnualRevenue >= 1e3"), "Acme,beta");
    assert_eq!(accounts("AnnualRevenue > USD1000.25"), "beta");
    assert_eq!(accounts("AnnualRevenue > -1"), "Acme,beta");
    assert_eq!(accounts("Active__c = TRUE"), "Acme");
    assert_eq!(accounts("Active__c != true"), "beta,Ceta");
    assert_eq!(accounts("Opens__c > 08:00:00.000Z"), "Acme");
}

#[test]
fn ids_compare_in_both_lengths() {
    let id = record_id("001", 2);
    assert_eq!(accounts(&format!("Id = '{id}'")), "beta");
    assert_eq!(accounts(&format!("Id IN ('{}')", &id[..15])), "beta");
    assert_eq!(accounts(&format!("ParentId = '{}'", &record_id("001", 1)[..15])), "beta");
    assert_eq!(accounts(&format!("Id > '{}'", record_id("001", 1))), "beta,Ceta");
    assert_eq!(accounts(&format!("Id = '{}'", record_id("003", 1))), "", "an id of another object is no error");
}

#[test]
fn instants_and_days_compare_as_ranges() {
    assert_eq!(accounts("CreatedDate = 2026-05-01T07:25:37Z"), "Acme");
    assert_eq!(accounts("CreatedDate = 2026-05-01T09:25:37+02:00"), "Acme");
    assert_eq!(accounts("CreatedDate > 2026-05-01T07:25:37.000Z"), "beta");
    assert_eq!(accounts("CreatedDate >= 2026-05-01T07:25:37Z"), "Acme,beta");
    assert_eq!(accounts("CreatedDate = TODAY"), "beta");
    assert_eq!(accounts("CreatedDate < TODAY"), "Acme,Ceta");
    assert_eq!(accounts("CreatedDate = LAST_N_DAYS:5"), "Acme,beta");
    assert_eq!(accounts("CreatedDate > LAST_YEAR"), "Acme,beta");
    assert_eq!(accounts("CreatedDate <= LAST_YEAR"), "Ceta");
    assert_eq!(accounts("CreatedDate IN (TODAY, LAST_YEAR)"), "beta,Ceta");
    assert_eq!(org().names("SELECT Name FROM Contact WHERE Birthdate = TODAY"), "Bo Zed");
    assert_eq!(org().names("SELECT Name FROM Contact WHERE Birthdate < 2026-01-01"), "Abel");
}

#[test]
fn date_functions_take_fields_apart() {
    assert_eq!(accounts("CALENDAR_YEAR(CreatedDate) = 2025"), "Ceta");
    assert_eq!(accounts("DAY_ONLY(convertTimezone(CreatedDate)) = 2026-05-01"), "Acme");
    assert_eq!(accounts("FISCAL_QUARTER(CreatedDate) = 2 AND HOUR_IN_DAY(CreatedDate) > 8"), "beta");
}

#[test]
fn a_label_filters_where_it_is_asked_for() {
    assert_eq!(accounts("toLabel(Industry) = 'energy (label)'"), "beta");
    assert_eq!(accounts("toLabel(Industry) = 'Energy'"), "");
}

#[test]
fn multi_select_picklists_have_their_own_operators() {
    assert_eq!(accounts("Tags__c INCLUDES ('a')"), "Acme");
    assert_eq!(accounts("Tags__c INCLUDES ('B')"), "Acme,beta");
    assert_eq!(accounts("Tags__c INCLUDES ('a;b', 'c')"), "Acme,beta");
    assert_eq!(accounts("Tags__c INCLUDES ('a;c')"), "");
    assert_eq!(accounts("Tags__c EXCLUDES ('c')"), "Acme,Ceta");
    assert_eq!(accounts("Tags__c = 'b;a'"), "Acme");
}

#[test]
fn conditions_combine_with_parentheses() {
    assert_eq!(accounts("Name = 'Acme' OR Name = 'beta'"), "Acme,beta");
    assert_eq!(accounts("Industry != null AND (Name = 'Acme' OR Name = 'Ceta')"), "Acme");
    assert_eq!(accounts("NOT Name = 'Acme'"), "beta,Ceta");
    assert_eq!(accounts("NOT(Name = 'Acme' OR Name = 'beta')"), "Ceta");
    assert_eq!(accounts("Name != null AND (NOT Name LIKE 'a%')"), "beta,Ceta");
    assert_eq!(accounts("(((Name = 'Acme')))"), "Acme");
}

#[test]
fn parents_filter_their_children() {
    let org = org();
    assert_eq!(org.names("SELECT Name FROM Contact WHERE Account.Owner.LastName = 'byron'"), "Bo Zed,Abel");
    assert_eq!(org.names("SELECT Name FROM Contact WHERE Account.Name != 'beta'"), "Bo Zed,Abel,Cy Cole");
}

#[test]
fn a_composed_name_filters_and_sorts() {
    let org = org();
    assert_eq!(org.names("SELECT Name FROM Contact WHERE Name LIKE 'bo z%'"), "Bo Zed");
    assert_eq!(org.names("SELECT Name FROM Contact ORDER BY Name DESC"), "Cy Cole,Bo Zed,Abel");
}

#[test]
fn semi_and_anti_joins_follow_references() {
    assert_eq!(accounts("Id IN (SELECT AccountId FROM Contact)"), "Acme");
    assert_eq!(accounts("Id NOT IN (SELECT AccountId FROM Contact WHERE LastName = 'Abel')"), "beta,Ceta");
    let both = "Id IN (SELECT AccountId FROM Opportunity) AND Id NOT IN (SELECT AccountId FROM Contact)";
    assert_eq!(accounts(both), "beta");
    let soql = "SELECT Name FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account WHERE Industry = 'Energy')";
    assert_eq!(org().names(soql), "Idea");
}

#[test]
fn an_index_saves_the_scan_where_a_top_level_condition_allows() {
    let org = org();
    let scans = |soql: &str| {
        org.scans.set(0);
        let names = org.names(soql);
        (names, org.scans.get())
    };
    let (names, count) = scans("SELECT Name FROM Account WHERE Key__c IN ('k1', 'K2', 'K1', 'none')");
    assert_eq!((names.as_str(), count), ("Acme,beta", 0));
    let (names, count) = scans("SELECT Name FROM Account WHERE Name LIKE 'a%' AND Key__c = 'K1'");
    assert_eq!((names.as_str(), count), ("Acme", 0));
    let (names, count) = scans("SELECT Name FROM Account WHERE Key__c = 'K1' OR Name = 'beta'");
    assert_eq!((names.as_str(), count), ("Acme,beta", 1));
    let (names, count) = scans("SELECT Name FROM Account WHERE Key__c != 'K1'");
    assert_eq!((names.as_str(), count), ("beta,Ceta", 1));
    let (names, count) = scans("SELECT Name FROM Account WHERE Key__c IN ('K1', null)");
    assert_eq!((names.as_str(), count), ("Acme,Ceta", 1));
}
