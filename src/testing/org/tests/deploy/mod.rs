//! Deploy and retrieve, by requests written by hand.

mod cancel;
mod packages;
mod recorded;
mod soap;
mod types;

use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::http::Answer;
use super::{Client, MockOrg, code, data, refused};

const NS: &str = "http://soap.sforce.com/2006/04/metadata";

/// An archive of files, by their paths.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (place, (path, text)) in files.iter().enumerate() {
        let method = if place % 2 == 0 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        zip.start_file(*path, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unzip(bytes: &[u8]) -> Vec<(String, String)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for number in 0..zip.len() {
        let mut file = zip.by_index(number).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.push((file.name().unwrap().into_owned(), text));
    }
    files
}

/// A document of that root element.
fn document(root: &str, body: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NS}\">{body}</{root}>")
}

/// package.xml or one of the manifests of deletions.
fn manifest(types: &[(&str, &[&str])]) -> String {
    let mut body = String::new();
    for (name, members) in types {
        body.push_str("<types>");
        for member in *members {
            write!(body, "<members>{member}</members>").unwrap();
        }
        write!(body, "<name>{name}</name></types>").unwrap();
    }
    document("Package", &format!("{body}<version>63.0</version>"))
}

/// A custom object's file.
fn object(label: &str, fields: &str) -> String {
    document(
        "CustomObject",
        &format!(
            "\n    <deploymentStatus>Deployed</deploymentStatus>\n    {fields}\n    <label>{label}</label>\n    \
             <nameField><label>Name</label><type>Text</type></nameField><pluralLabel>{label}s</pluralLabel>\
             <sharingModel>ReadWrite</sharingModel>"
        ),
    )
}

fn text_field(name: &str) -> String {
    format!("<fields><fullName>{name}__c</fullName><label>{name}</label><length>80</length><type>Text</type></fields>")
}

fn options() -> Value {
    json!({"rollbackOnError": true, "singlePackage": true})
}

/// A REST request: the part of the options under a name, and the file.
fn multipart(options: &Value, archive: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"deploy.zip\"\r\nContent-Type: application/zip\r\n\r\n",
        json!({"deployOptions": options})
    );
    [head.as_bytes(), archive, b"\r\n--b--\r\n"].concat()
}

fn post(client: &Client, version: u32, body: &[u8]) -> Answer {
    let path = format!("/services/data/v{version}.0/metadata/deployRequest");
    client.send_bytes("POST", &path, &[("Content-Type", "multipart/form-data; boundary=b")], body).unwrap()
}

fn request(client: &Client, options: &Value, files: &[(&str, &str)]) -> String {
    let answer = post(client, 63, &multipart(options, &zip(files)));
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn path(id: &str) -> String {
    data(&format!("/metadata/deployRequest/{id}"))
}

/// A look at a deployment: `deployResult`.
fn look(client: &Client, id: &str) -> Value {
    let answer = client.get(&format!("{}?includeDetails=true", path(id)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["deployResult"].clone()
}

/// Deploys and waits: `deployResult` at the end.
fn deploy_with(client: &Client, options: &Value, files: &[(&str, &str)]) -> Value {
    let id = request(client, options, files);
    for _ in 0..10 {
        let result = look(client, &id);
        if result["done"] == true {
            return result;
        }
    }
    panic!("the deployment {id} does not end");
}

fn deploy(client: &Client, files: &[(&str, &str)]) -> Value {
    deploy_with(client, &options(), files)
}

fn succeed(client: &Client, files: &[(&str, &str)]) -> Value {
    let result = deploy(client, files);
    assert_eq!(result["status"], "Succeeded", "{}", result["details"]["componentFailures"]);
    result
}

/// Type, name and problem of each failed component.
fn failures(result: &Value) -> Vec<(String, String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = result["details"]["componentFailures"].as_array().unwrap();
    rows.iter().map(|row| (text(row, "componentType"), text(row, "fullName"), text(row, "problem"))).collect()
}

/// The one problem of a deployment that fails.
fn problem(result: &Value) -> String {
    let failures = failures(result);
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures[0].2.clone()
}

/// The row of a component.
fn row(result: &Value, name: &str) -> Value {
    let rows = result["details"]["allComponentMessages"].as_array().unwrap();
    rows.iter().find(|row| row["fullName"] == name).unwrap_or_else(|| panic!("no row of {name} in {rows:?}")).clone()
}

/// A package with a visit: an object with two fields and a set that grants them.
fn visit() -> Vec<(&'static str, String)> {
    let lookup = "<fields><fullName>Contact__c</fullName><label>Contact</label><referenceTo>Contact</referenceTo>\
                  <relationshipName>Visits</relationshipName><type>Lookup</type></fields>";
    let set = "<fieldPermissions><editable>true</editable><field>Visit__c.Key__c</field><readable>true</readable>\
               </fieldPermissions><label>Visits</label><objectPermissions><allowCreate>true</allowCreate>\
               <allowDelete>false</allowDelete><allowEdit>true</allowEdit><allowRead>true</allowRead>\
               <modifyAllRecords>false</modifyAllRecords><object>Visit__c</object><viewAllRecords>false</viewAllRecords>\
               </objectPermissions>";
    vec![
        ("permissionsets/Visits.permissionset", document("PermissionSet", set)),
        ("objects/Visit__c.object", object("Visit", &format!("{}\n    {lookup}", text_field("Key")))),
        ("package.xml", manifest(&[("PermissionSet", &["Visits"]), ("CustomObject", &["Visit__c"])])),
    ]
}

fn borrowed<'f>(files: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}
