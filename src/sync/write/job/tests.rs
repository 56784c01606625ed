use super::*;
use crate::types::wire::csv::{CsvWriter, Delimiter, LineEnding};
use crate::types::{FieldName, RecordId, SObjectName};

fn rows(target: Target, records: &[&str]) -> Arc<Vec<Row>> {
    let by_id = matches!(target, Target::Update | Target::Delete);
    let id = by_id.then(|| RecordId::new("001000000000001AAA").expect("an id"));
    let intake = Intake::new(target, SObjectName::from_static("Thing__c"), Vec::new());
    let row = |record: &&str| {
        let json: Box<RawValue> = serde_json::from_str(record).expect(record);
        intake.row(0, id, &json, Vec::new()).expect("sound")
    };
    Arc::new(records.iter().map(row).collect())
}

/// The file of rows, and how many of them it could not say.
fn file(rows: &Arc<Vec<Row>>, by_id: bool) -> (String, usize) {
    let columns = columns(rows, by_id);
    let mut file = CsvWriter::with_columns(Delimiter::Comma, LineEnding::Lf, &columns).expect("columns");
    let told = Told { rows: Arc::clone(rows), next: 0, by_id };
    let refused = told.filter(|line| file.push(line).is_err()).count();
    (String::from_utf8(file.take()).expect("a text"), refused)
}

#[test]
fn absent_null_and_set_stay_apart_in_rows_of_different_members() {
    let rows = rows(
        Target::Insert,
        &[
            r#"{"Name":"a, \"b\"","Amount":12345678901234567890.10,"Fax":null}"#,
            r#"{"attributes":{"type":"Thing__c"},"Closed":true,"Name":"é\n"}"#,
            r#"{"Fax":"1","Name":null}"#,
            "{}",
        ],
    );
    let (text, refused) = file(&rows, false);
    assert_eq!(refused, 0);
    let expected = concat!(
        "Name,Amount,Closed,Fax\n",
        "\"a, \"\"b\"\"\",12345678901234567890.10,,#N/A\n",
        "\"é\n\",,true,\n",
        "#N/A,,,1\n",
        ",,,\n",
    );
    assert_eq!(text, expected, "no field is cleared that a row does not name");
}

#[test]
fn parents_are_columns_whatever_stands_where() {
    let rows = rows(
        Target::Insert,
        &[
            r#"{"Parent__r":null,"Owner":null,"Name":"none"}"#,
            r#"{"Parent__r":{"Key__c":"p"},"Name":"one"}"#,
            r#"{"Owner":{"Email":"x@example.com","attributes":{"type":"User"}}}"#,
            r#"{"Parent__r":{"Key__c":7},"Owner":null}"#,
        ],
    );
    let (text, refused) = file(&rows, false);
    assert_eq!(refused, 0);
    let expected = concat!(
        "Name,Parent__r.Key__c,User:Owner.Email\n",
        "none,#N/A,#N/A\n",
        "one,p,\n",
        ",,x@example.com\n",
        ",7,#N/A\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn updates_and_deletions_name_their_record_once() {
    let update = rows(Target::Update, &[r#"{"id":"x","Name":"a"}"#, r#"{"ID":null}"#]);
    let expected = "Id,Name\n001000000000001AAA,a\n001000000000001AAA,\n";
    assert_eq!(file(&update, true), (expected.to_owned(), 0));
    let delete = rows(Target::Delete, &["{}"]);
    assert_eq!(file(&delete, true), ("Id\n001000000000001AAA\n".to_owned(), 0));
    let upsert = rows(Target::Upsert(FieldName::from_static("Id")), &[r#"{"Id":"001000000000001","Name":"a"}"#]);
    assert_eq!(file(&upsert, false).0, "Id,Name\n001000000000001,a\n");
}

#[test]
fn what_a_file_cannot_say_is_left_for_calls() {
    let rows = rows(
        Target::Insert,
        &[
            r#"{"Name":"sound"}"#,
            r##"{"Name":"#N/A"}"##,
            r#"{"Name":"a list","Tags":["a"]}"#,
            r#"{"name":"another spelling"}"#,
            r#"{"Name":"no field","Not a field":"x"}"#,
            r#"{"Name":"two levels","Parent__r":{"Account":{"Key__c":"x"}}}"#,
            r#"{"Name":"no field of the parent","Lost__r":null}"#,
            r#"{"Name":"a parent without a key","Other__r":{}}"#,
            r#"{"Name":"twice","Name":"twice"}"#,
        ],
    );
    let (text, refused) = file(&rows, false);
    assert_eq!(text.lines().filter(|line| line.starts_with("sound")).count(), 1, "{text}");
    assert_eq!((text.lines().count(), refused), (2, 8), "{text}");
}
