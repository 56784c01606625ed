//! What the org refuses, and how.

use super::*;

fn refused(soql: &str, code: &str, message: &str) {
    let error = org().refusal(soql);
    assert_eq!(error.code, code, "{soql}: {}", error.message);
    assert!(error.message.ends_with(message), "{soql}: {}", error.message);
}

fn malformed(soql: &str, message: &str) {
    refused(soql, "MALFORMED_QUERY", message);
}

/// A refusal by name only has to carry the whole recorded text.
fn unknown_object(name: &str) -> String {
    format!(
        "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the \
         '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )
}

fn unknown_column(name: &str, object: &str) -> String {
    format!(
        "No such column '{name}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
         the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate \
         names."
    )
}

#[test]
fn an_unknown_object_is_shown_as_recorded() {
    // recorded: rest/composite-query-count-and-invalid-type.json
    let error = org().refusal("select count() from XYZZY");
    let window = "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n";
    assert_eq!(error.message, format!("{window}{}", unknown_object("XYZZY")));
    assert_eq!(error.code, "INVALID_TYPE");
    // recorded: rest/error-invalid-type-query.json
    let error = org().refusal("SELECT Id,Name,BillingCity,IsDeleted FROM Accout");
    let window = concat!(
        "\nName,BillingCity,IsDeleted FROM Accout\n",
        "                                ^\nERROR at Row:1:Column:43\n"
    );
    assert_eq!(error.message, format!("{window}{}", unknown_object("Accout")));
}

#[test]
fn an_unknown_field_is_shown_in_a_window_of_the_statement() {
    // Windows as captured from orgs by public issue reports; names are ours where the schema needs them.
    let windows = [
        ("SELECT Id, DepProbeField__c FROM Account LIMIT 1", "SELECT Id, DepProbeField__c FROM Account LIMIT", 11),
        ("select Id, Name,Name1,LastName,SF_date__c, ConvertedContactId from Account", "", 16),
    ];
    for (soql, window, caret) in windows {
        let message = org().refusal(soql).message;
        let lines: Vec<&str> = message.split('\n').collect();
        if !window.is_empty() {
            assert_eq!(lines[1], window);
        }
        assert_eq!(lines[2], format!("{}^", " ".repeat(caret)));
        assert_eq!(lines[3], format!("ERROR at Row:1:Column:{}", caret + 1));
    }
    refused("SELECT Foo__c FROM Account", "INVALID_FIELD", &unknown_column("Foo__c", "Account"));
    refused("SELECT Id FROM Contact WHERE Account.Foo__c = 1", "INVALID_FIELD", &unknown_column("Foo__c", "Account"));
    refused("SELECT Account FROM Contact", "INVALID_FIELD", &unknown_column("Account", "Contact"));
    refused("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD", &unknown_column("Nope", "Account"));
}

#[test]
fn windows_end_at_whole_words_on_both_sides() {
    use super::super::position::refuse_at;
    let window = |source: &str, at: &str| {
        let message = refuse_at(source, source.find(at).expect("in the source"), "X", "text").message;
        let lines: Vec<String> = message.split('\n').map(str::to_owned).collect();
        (lines[1].clone(), lines[2].len() - 1)
    };
    // Each line is a public capture; what a window leaves out in front is filled in by its column.
    let soql = "SELECT Id, Name, AccountNumber FROM AccountOpps WHERE Name like 'okToDelete%'";
    assert_eq!(window(soql, "AccountOpps"), (soql.to_owned(), 36));
    let soql = "select Id, Company,Email,LastName,SF_date__c, ConvertedContactId from Lead l where x";
    let shown = "select Id, Company,Email,LastName,SF_date__c, ConvertedContactId from";
    assert_eq!(window(soql, "SF_date__c"), (shown.to_owned(), 34));
    let soql = "SELECT Id, Name FROM Account WHERE Id IN (SELECT Account__c FROM Scheduling__c WHERE CreatedDate = x";
    let shown = "FROM Account WHERE Id IN (SELECT Account__c FROM Scheduling__c WHERE";
    assert_eq!(window(soql, "Account__c"), (shown.to_owned(), 33));
    let soql = "select Id, ProductCode from Product2 where ProductCode = 3999";
    assert_eq!(window(soql, "ProductCode ="), (soql[11..].to_owned(), 32));
    let soql =
        "SELECT x FROM y, LastReferencedDate, Jigsaw, JigsawCompanyId, CleanStatus, AccountSource, DunsNumber, Z";
    let shown = "LastReferencedDate, Jigsaw, JigsawCompanyId, CleanStatus, AccountSource, DunsNumber";
    assert_eq!(window(soql, "CleanStatus"), (shown.to_owned(), 45));
    let soql = "SELECT Name, Access_Key__c, Image_Vendor__c FROM Opportunity WHERE Image_Vendor__c LIKE 'Getty%'";
    assert_eq!(window(soql, "Image_Vendor__c LIKE"), (soql[28..].to_owned(), 39));
    // The window is cut from the row of the mistake.
    let message = refuse_at("SELECT Id\nFROM Account\nWHERE Foo = 1", 29, "X", "text").message;
    assert_eq!(message, "\nWHERE Foo = 1\n      ^\nERROR at Row:3:Column:7\ntext");
    let message = refuse_at("äöü Foo", "äöü ".len(), "X", "text").message;
    assert_eq!(message, "\näöü Foo\n    ^\nERROR at Row:1:Column:5\ntext");
}

#[test]
fn an_unknown_relationship_is_refused() {
    let hint = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom \
                relationship name. Please reference your WSDL or the describe call for the appropriate names.";
    let path = format!("Didn't understand relationship 'Foo' in field path. {hint}");
    refused("SELECT Foo.Name FROM Account", "INVALID_FIELD", &path);
    let from = format!("Didn't understand relationship 'Foos' in FROM part of query call. {hint}");
    refused("SELECT Id, (SELECT Id FROM Foos) FROM Account", "INVALID_TYPE", &from);
}

#[test]
fn syntax_errors_name_the_token() {
    malformed("SELECT Id FORM Account", "unexpected token: 'Account'");
    malformed("SELECT , FROM Account", "\nERROR at Row:1:Column:8\nunexpected token: ','");
    malformed("SELECT FROM Account", "unexpected token: 'FROM'");
    malformed("SELECT Id FROM", "unexpected token: '<EOF>'");
    malformed("SELECT * FROM Account", "unexpected token: '*'");
    malformed("UPDATE Account", "unexpected token: 'UPDATE'");
    malformed("SELECT Id FROM Account WHERE Name == 'x'", "unexpected token: '='");
    malformed("SELECT Id FROM Account WHERE Name = foo", "unexpected token: 'foo'");
    malformed("SELECT Id FROM Account WHERE Name IS NULL", "unexpected token: 'IS'");
    malformed("SELECT Id FROM Account WHERE Name = 'x", "unexpected token: '''");
    malformed("SELECT Id FROM Account WHERE Name = \"x\"", "unexpected token: '\"'");
    malformed("SELECT Id FROM Account LIMIT -1", "unexpected token: '-1'");
    malformed("SELECT Id FROM Account LIMIT 1 WHERE Name = 'x'", "unexpected token: 'WHERE'");
    malformed("SELECT Id FROM Account; DROP", "unexpected token: ';'");
    malformed("SELECT NOSUCH(Id) FROM Account", "unexpected token: '('");
    malformed("SELECT COUNT(), Id FROM Account", "COUNT() has to be the only element in the SELECT list");
    malformed("SELECT Id FROM Account WHERE Id IN ()", "unexpected token: ')'");
    malformed("SELECT Id FROM Account WHERE Id IN '001'", "unexpected token: ''001''");
    malformed("SELECT Id FROM Account WHERE Name = :name", "Bind variables only allowed in Apex code");
    malformed("SELECT Id FROM Account ALL ROWS", "ALL ROWS not allowed in this context");
    malformed("  ", "A query string has to be specified");
}

#[test]
fn and_or_and_not_need_parentheses_between_them() {
    malformed("SELECT Id FROM Account WHERE Name='a' AND Name='b' OR Name='c'", "unexpected token: 'OR'");
    malformed("SELECT Id FROM Account WHERE Name='a' OR Name='b' AND Name='c'", "unexpected token: 'AND'");
    malformed("SELECT Id FROM Account WHERE Name != null AND NOT (Name = 'a')", "unexpected token: 'NOT'");
    malformed("SELECT Id FROM Account WHERE NOT Name = 'a' AND Name = 'b'", "unexpected token: 'AND'");
}

#[test]
fn values_have_to_be_of_the_fields_type() {
    let wrong = |condition: &str, field: &str, kind: &str, quotes: &str| {
        let message = format!(
            "value of filter criterion for field '{field}' must be of type {kind} and {quotes} enclosed in quotes"
        );
        refused(&format!("SELECT Id FROM Account WHERE {condition}"), "INVALID_FIELD", &message);
    };
    wrong("Name = 5", "Name", "string", "should be");
    wrong("Name = TODAY", "Name", "string", "should be");
    wrong("Name LIKE null", "Name", "string", "should be");
    wrong("Id = 5", "Id", "string", "should be");
    wrong("AnnualRevenue = '5'", "AnnualRevenue", "double", "should not be");
    wrong("NumberOfEmployees IN (1, '5')", "NumberOfEmployees", "int", "should not be");
    wrong("Active__c = 'true'", "Active__c", "boolean", "should not be");
    wrong("CreatedDate = 2026-05-01", "CreatedDate", "dateTime", "should not be");
    wrong("CreatedDate > '2026-05-01T00:00:00Z'", "CreatedDate", "dateTime", "should not be");
    let date = "SELECT Id FROM Contact WHERE Birthdate = 2026-05-01T00:00:00Z";
    refused(date, "INVALID_FIELD", "must be of type date and should not be enclosed in quotes");
}

#[test]
fn operators_have_to_suit_the_fields_type() {
    let wrong = |condition: &str, message: &str| {
        refused(&format!("SELECT Id FROM Account WHERE {condition}"), "INVALID_QUERY_FILTER_OPERATOR", message);
    };
    wrong("Tags__c LIKE 'a%'", "invalid operator on multipicklist field");
    wrong("Tags__c < 'a'", "invalid operator on multipicklist field");
    wrong("Id LIKE '001%'", "invalid operator on id field");
    wrong("AnnualRevenue LIKE '1%'", "invalid operator on currency field");
    wrong("Active__c > true", "invalid operator on boolean field");
    wrong("Name INCLUDES ('a')", "includes or excludes operator only valid on multipicklist field");
    wrong("Id = 'abc'", "invalid ID field: abc");
    wrong("ParentId IN ('001dM00003jU9GyQAA')", "invalid ID field: 001dM00003jU9GyQAA");
}

#[test]
fn fields_that_cannot_be_filtered_sorted_grouped_or_aggregated_are_refused() {
    let filter = "field 'Description' can not be filtered in a query call";
    refused("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", filter);
    let address = "Address fields can only be filtered using Distance expressions";
    refused("SELECT Id FROM Account WHERE BillingAddress = null", "INVALID_FIELD", address);
    malformed("SELECT Id FROM Account ORDER BY Description", "field 'Description' can not be sorted in a query call");
    malformed(
        "SELECT COUNT(Id) FROM Account GROUP BY CreatedDate",
        "field 'CreatedDate' can not be grouped in a query call",
    );
    malformed("SELECT COUNT(Active__c) FROM Account", "field Active__c does not support aggregate operator COUNT");
    malformed("SELECT SUM(CreatedDate) FROM Account", "field CreatedDate does not support aggregate operator SUM");
}

#[test]
fn aggregates_have_rules_of_their_own() {
    malformed("SELECT Name, COUNT(Id) FROM Account", "Field must be grouped or aggregated: Name");
    malformed("SELECT Name FROM Account GROUP BY Industry", "Field must be grouped or aggregated: Name");
    malformed(
        "SELECT Industry FROM Account GROUP BY Industry ORDER BY Name",
        "Ordered field must be grouped or aggregated: Name",
    );
    malformed("SELECT COUNT(Id) FROM Account GROUP BY Id", "Grouped field should not be aggregated: Id");
    let limit = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT";
    malformed("SELECT MAX(AnnualRevenue) FROM Account LIMIT 1", limit);
    malformed("SELECT Name x, Industry X FROM Account GROUP BY Name, Industry", "duplicate alias: X");
    malformed("SELECT Name n FROM Account", "only aggregate expressions use field aliasing");
    assert_eq!(org().refusal("SELECT COUNT() FROM Account ORDER BY Name").code, "MALFORMED_QUERY");
    assert_eq!(org().refusal("SELECT COUNT() FROM Account GROUP BY Name").code, "MALFORMED_QUERY");
    assert_eq!(org().refusal("SELECT Id FROM Account HAVING Name = 'x'").code, "MALFORMED_QUERY");
    assert_eq!(org().refusal("SELECT Id FROM Account WHERE COUNT(Id) > 1").code, "MALFORMED_QUERY");
    assert_eq!(org().refusal("SELECT Name FROM Account GROUP BY ROLLUP(Name)").code, "MALFORMED_QUERY");
    let children = "SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account";
    assert_eq!(org().refusal(children).code, "MALFORMED_QUERY");
}

#[test]
fn a_field_is_selected_once() {
    refused("SELECT Id, Name, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id");
    refused("SELECT Owner.Name, OWNER.name FROM Account", "INVALID_FIELD", "duplicate field selected: Name");
    refused("SELECT Id, FIELDS(ALL) FROM Account LIMIT 1", "INVALID_FIELD", "duplicate field selected: Id");
}

#[test]
fn fields_needs_a_limit() {
    let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
    malformed("SELECT FIELDS(ALL) FROM Account", message);
    malformed("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", message);
    let mut org = org();
    org.base_path = "/services/data/v50.0";
    assert_eq!(org.refusal("SELECT FIELDS(ALL) FROM Account LIMIT 1").code, "UNSUPPORTED_API_VERSION");
}

#[test]
fn semi_joins_keep_to_their_rules() {
    let wrong =
        |condition: &str, message: &str| malformed(&format!("SELECT Id FROM Account WHERE {condition}"), message);
    let join = "Id IN (SELECT AccountId FROM Contact)";
    wrong(&format!("Name = 'x' OR {join}"), "Semi join sub-selects are not allowed with the 'OR' operator");
    wrong(&format!("NOT {join}"), "Semi join sub-selects are only allowed at the top level WHERE expressions.");
    wrong(&format!("{join} AND {join} AND {join}"), "Maximum 2 semi join sub-selects are allowed");
    let nested = "Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT WhatId FROM Task))";
    wrong(nested, "Nesting of semi join sub-selects is not supported");
    wrong("Id IN (SELECT Id FROM Account)", "should not be on the same object type");
    wrong("Id IN (SELECT WhatId FROM Task)", "Entity 'Task' is not supported for semi join inner selects");
    wrong("Name IN (SELECT AccountId FROM Contact)", "should be an id field, cannot use: 'Name'");
    wrong("Owner.Id IN (SELECT AccountId FROM Contact)", "should be an id field, cannot use: 'Owner.Id'");
    wrong("Id IN (SELECT LastName FROM Contact)", "should be an id field, cannot use: 'LastName'");
    wrong("Id IN (SELECT Account.Id FROM Contact)", "should be an id field, cannot use: 'Account.Id'");
    wrong("Id IN (SELECT Id, AccountId FROM Contact)", "select exactly one id field");
    wrong("Id IN (SELECT COUNT(Id) FROM Contact)", "select exactly one id field");
    wrong("Id IN (SELECT Id FROM Contact)", "'Id' should point to the same object type");
    wrong("Id IN (SELECT AccountId FROM Contact LIMIT 1)", "take neither ORDER BY, LIMIT, OFFSET nor GROUP BY");
    wrong("Id IN (SELECT AccountId FROM Contact ORDER BY Id)", "take neither ORDER BY, LIMIT, OFFSET nor GROUP BY");
    refused("SELECT Id FROM Account WHERE Id IN (SELECT X FROM Nope)", "INVALID_TYPE", &unknown_object("Nope"));
}

#[test]
fn limits_of_the_guide_hold() {
    let offset = "Maximum SOQL offset allowed is 2000";
    refused("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", offset);
    let long = format!("SELECT Id FROM Account WHERE Name = '{}'", "x".repeat(100_000));
    malformed(&long, "SOQL statements cannot be longer than 100000 characters.");
    let string = format!("SELECT Id FROM Account WHERE Name = '{}'", "x".repeat(4_001));
    assert_eq!(org().refusal(&string).code, "MALFORMED_QUERY");
    let five = "SELECT Parent.Parent.Parent.Parent.Parent.Name FROM Account";
    assert_eq!(org().query(five).expect("five levels").total_size, 3);
    assert_eq!(org().refusal(&five.replace("Name", "Parent.Name")).code, "MALFORMED_QUERY");
    assert_eq!(org().refusal("SELECT Id, (SELECT Id FROM Contacts OFFSET 1) FROM Account").code, "MALFORMED_QUERY");
    refused("SELECT Id FROM Unqueryable", "INVALID_TYPE_FOR_OPERATION", "does not support query");
    assert_eq!(org().refusal("SELECT Id FROM Account ORDER BY Name FOR UPDATE").code, "MALFORMED_QUERY");
}

#[test]
fn literals_have_to_be_real() {
    let wrong =
        |condition: &str, message: &str| malformed(&format!("SELECT Id FROM Account WHERE {condition}"), message);
    wrong("CreatedDate = 2026-13-01T00:00:00Z", "Invalid datetime: 2026-13-01T00:00:00Z");
    wrong("CreatedDate = 2026-01-01T00:00:00", "Invalid datetime: 2026-01-01T00:00:00");
    wrong("CreatedDate = LAST_N_DAYS:99999999999999", "Invalid datetime: LAST_N_DAYS:99999999999999");
    wrong("CreatedDate = LAST_N_DAYS", "unexpected token: '<EOF>'");
    wrong("AnnualRevenue = 99999999999999999999999999999999", "Invalid number: 99999999999999999999999999999999");
    wrong(r"Name = 'a\d'", r"Illegal character sequence '\d' in string literal.");
    wrong(r"Name = 'a\%'", r"Illegal character sequence '\%' in string literal.");
    assert_eq!(org().query(r"SELECT Id FROM Account WHERE Name LIKE 'a\%'").expect("in LIKE it is one").total_size, 0);
}
