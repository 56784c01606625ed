//! What a package may look like, and what is said of one that looks otherwise.

use super::*;
use base64::Engine as _;

#[test]
fn a_package_takes_effect_whatever_the_order_of_its_files() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let files = visit();
    let id = request(&client, &options(), &borrowed(&files));
    let first = look(&client, &id);
    assert_eq!((&first["status"], &first["done"]), (&json!("InProgress"), &json!(false)));
    assert_eq!(first["numberComponentsTotal"], 4, "an object, two fields and a permission set");
    assert!(org.components("PermissionSet").is_empty(), "nothing is in the org before the end");
    let result = look(&client, &id);
    assert_eq!((&result["status"], &result["success"]), (&json!("Succeeded"), &json!(true)), "{result}");
    assert_eq!((&result["numberComponentsDeployed"], &result["numberComponentErrors"]), (&json!(4), &json!(0)));
    let key = row(&result, "Visit__c.Key__c");
    assert_eq!(
        (&key["componentType"], &key["fileName"], &key["created"], &key["changed"], &key["success"]),
        (&json!("CustomField"), &json!("objects/Visit__c.object"), &json!(true), &json!(true), &json!(true))
    );
    let own = row(&result, "package.xml");
    assert_eq!(
        (&own["componentType"], &own["fileName"], &own["changed"], &own["created"]),
        (&json!(""), &json!("package.xml"), &json!(true), &json!(false)),
        "as recorded by others, a manifest is a row of its own"
    );
    // The set works like any other.
    let set = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Visits'").json()["records"][0]["Id"].clone();
    let assignment = json!({"AssigneeId": org.user_id(), "PermissionSetId": set});
    assert_eq!(client.post(&data("/sobjects/PermissionSetAssignment"), &assignment).status, 201);
    assert_eq!(client.post(&data("/sobjects/Visit__c"), &json!({"Name": "A", "Key__c": "k"})).status, 201);
    // The same once more changes nothing.
    let again = succeed(&client, &borrowed(&files));
    for name in ["Visit__c", "Visit__c.Key__c", "Visit__c.Contact__c", "Visits"] {
        let row = row(&again, name);
        assert_eq!((&row["created"], &row["changed"]), (&json!(false), &json!(false)), "{name}");
    }
}

#[test]
fn a_permission_set_is_replaced_as_a_whole() {
    // Metadata guide, "PermissionSet": from 40.0 on a deployment overwrites all of the set.
    let org = MockOrg::start();
    let client = Client::of(&org);
    succeed(&client, &borrowed(&visit()));
    let bare = document("PermissionSet", "<label>Visits</label>");
    let package = manifest(&[("PermissionSet", &["Visits"])]);
    succeed(&client, &[("permissionsets/Visits.permissionset", &bare), ("package.xml", &package)]);
    assert_eq!(org.count("FieldPermissions"), 0, "what it leaves out is switched off");
    let older = package.replace("63.0", "39.0");
    let files = visit();
    succeed(&client, &borrowed(&files));
    succeed(&client, &[("permissionsets/Visits.permissionset", &bare), ("package.xml", &older)]);
    assert_eq!(org.count("FieldPermissions"), 1, "a package of an older version adds to it");
}

#[test]
fn a_permission_set_keeps_what_the_org_gives_no_effect_to() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let class = |name: &str, on: bool| {
        format!("<classAccesses><apexClass>{name}</apexClass><enabled>{on}</enabled></classAccesses>")
    };
    let tab = |tab: &str, visibility: &str| {
        format!("<tabSettings><tab>standard-{tab}</tab><visibility>{visibility}</visibility></tabSettings>")
    };
    let put = |version: &str, body: &str| {
        let set = document("PermissionSet", &format!("{body}<label>Ours</label>"));
        let package = manifest(&[("PermissionSet", &["Ours"]), ("ApexClass", &["Hook"])]).replace("63.0", version);
        let meta = document("ApexClass", "<apiVersion>63.0</apiVersion><status>Active</status>");
        deploy(
            &client,
            &[
                ("classes/Hook.cls", "class Hook {}"),
                ("classes/Hook.cls-meta.xml", &meta),
                ("permissionsets/Ours.permissionset", &set),
                ("package.xml", &package),
            ],
        )
    };
    let kept = || org.component_xml("PermissionSet", "Ours").unwrap();
    let first = put("63.0", &(class("Hook", true) + &tab("Account", "Visible")));
    assert_eq!((&first["status"], &row(&first, "Ours")["created"]), (&json!("Succeeded"), &json!(true)));
    assert!(kept().contains("<apexClass>Hook</apexClass>") && kept().contains("<tab>standard-Account</tab>"));
    // The same once more changes nothing; an older package adds; a new one replaces all.
    let again = put("63.0", &(class("Hook", true) + &tab("Account", "Visible")));
    assert_eq!(row(&again, "Ours")["changed"], false);
    let older = put("39.0", &tab("Account", "Available"));
    assert_eq!(row(&older, "Ours")["changed"], true);
    assert!(kept().contains("Hook") && kept().contains("Available") && !kept().contains("Visible"), "{}", kept());
    put("63.0", &class("Hook", false));
    assert!(!kept().contains("classAccesses") && !kept().contains("tabSettings"), "{}", kept());
    assert_eq!(problem(&put("63.0", &class("Nope", true))), "In field: apexClass - no ApexClass named Nope found");
}

#[test]
fn a_check_says_everything_and_leaves_no_trace() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let sets = org.count("PermissionSet");
    let files = visit();
    let check = json!({"checkOnly": true, "rollbackOnError": true, "singlePackage": true});
    let result = deploy_with(&client, &check, &borrowed(&files));
    assert_eq!((&result["status"], &result["checkOnly"]), (&json!("Succeeded"), &json!(true)));
    assert_eq!(row(&result, "Visits")["created"], true);
    assert_eq!(org.count("PermissionSet"), sets);
    assert!(org.component_xml("CustomObject", "Visit__c").is_none());
    assert!(!org.components("Layout").iter().any(|name| name.starts_with("Visit__c")));
    assert_eq!(client.get(&data("/sobjects/Visit__c/describe")).status, 404);
    // A second one can still be made in earnest.
    succeed(&client, &borrowed(&files));
}

#[test]
fn one_failure_undoes_all_or_only_itself() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let broken = object("Visit", &format!("{}\n    {}", text_field("Key"), text_field("Key2").replace("80", "256")));
    let set = document("PermissionSet", "<label>Visits</label>");
    let package = manifest(&[("PermissionSet", &["Visits"]), ("CustomObject", &["Visit__c"])]);
    let files = [
        ("package.xml", package.as_str()),
        ("objects/Visit__c.object", &broken),
        ("permissionsets/Visits.permissionset", &set),
    ];
    let result = deploy(&client, &files);
    assert_eq!((&result["status"], &result["success"]), (&json!("Failed"), &json!(false)));
    assert_eq!(problem(&result), "Invalid length, maximum is: 255");
    let row = row(&result, "Visit__c.Key2__c");
    assert_eq!(
        (&row["lineNumber"], &row["columnNumber"], &row["problemType"]),
        (&json!(5), &json!(13), &json!("Error")),
        "the place behind the start tag of the field"
    );
    assert!(org.component_xml("CustomObject", "Visit__c").is_none(), "nothing stays");
    let result = deploy_with(&client, &json!({"singlePackage": true}), &files);
    assert_eq!(result["status"], "SucceededPartial");
    assert_eq!((&result["numberComponentsDeployed"], &result["numberComponentErrors"]), (&json!(3), &json!(1)));
    assert_eq!(org.components("PermissionSet"), ["Visits"]);
    let object = org.component_xml("CustomObject", "Visit__c").unwrap();
    assert!(object.contains("<fullName>Key__c</fullName>") && !object.contains("Key2__c"), "{object}");
}

#[test]
fn parts_of_an_object_that_fails_fail_with_it() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let broken = object("Visit", &text_field("Key")).replace("ReadWrite", "Whatever");
    let package = manifest(&[("CustomObject", &["Visit__c"])]);
    let result = deploy(&client, &[("package.xml", &package), ("objects/Visit__c.object", &broken)]);
    let failures = failures(&result);
    assert_eq!(failures[0].2, "'Whatever' is not a valid value for the enum 'sharingModel'");
    assert_eq!(failures[1].2, "Parent entity failed to deploy", "{failures:?}");
}

#[test]
fn manifest_and_files_have_to_agree() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let set = document("PermissionSet", "<label>S</label>");
    let file = ("permissionsets/S.permissionset", set.as_str());
    assert_eq!(problem(&deploy(&client, &[file])), "No package.xml found");
    let unknown = manifest(&[("PermissionSet", &["S"]), ("Spell", &["Abracadabra"])]);
    let result = deploy(&client, &[file, ("package.xml", &unknown)]);
    assert_eq!(problem(&result), "Unknown type name 'Spell' specified in package.xml");
    let more = manifest(&[("PermissionSet", &["S", "T"])]);
    let result = deploy(&client, &[file, ("package.xml", &more)]);
    assert_eq!(
        problem(&result),
        "An object 'T' of type PermissionSet was named in package.xml, but was not found in zipped directory"
    );
    assert_eq!(row(&result, "T")["fileName"], "package.xml");
    let lenient = json!({"rollbackOnError": true, "singlePackage": true, "allowMissingFiles": true});
    assert_eq!(deploy_with(&client, &lenient, &[file, ("package.xml", &more)])["status"], "Succeeded");
    let less = manifest(&[]);
    let result = deploy(&client, &[file, ("package.xml", &less)]);
    assert_eq!(failures(&result), [("PermissionSet".to_owned(), "S".to_owned(), "Not in package.xml".to_owned())]);
    let update = json!({"rollbackOnError": true, "singlePackage": true, "autoUpdatePackage": true});
    assert_eq!(deploy_with(&client, &update, &[file, ("package.xml", &less)])["status"], "Succeeded");
    let all = manifest(&[("PermissionSet", &["*"])]);
    assert_eq!(deploy(&client, &[file, ("package.xml", &all)])["status"], "Succeeded");
    for bad in ["<Package>", "", "no xml", "<Package/>"] {
        let result = deploy(&client, &[file, ("package.xml", bad)]);
        assert!(problem(&result).starts_with("Error parsing file: "), "{bad}");
    }
}

#[test]
fn types_that_the_org_has_nothing_of_are_known_all_the_same() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let set = document("PermissionSet", "<label>S</label>");
    let file = ("permissionsets/S.permissionset", set.as_str());
    let all = manifest(&[("PermissionSet", &["*"]), ("ApexTrigger", &["*"]), ("Settings", &["*"])]);
    succeed(&client, &[file, ("package.xml", &all)]);
    let named = manifest(&[("PermissionSet", &["S"]), ("ApexTrigger", &["Hook"])]);
    let result = deploy(&client, &[file, ("package.xml", &named)]);
    let missing =
        "An object 'Hook' of type ApexTrigger was named in package.xml, but was not found in zipped directory";
    assert_eq!(problem(&result), missing);
    let gone = manifest(&[("ApexTrigger", &["Hook"])]);
    let files = [("package.xml", manifest(&[])), ("destructiveChanges.xml", gone)];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let result = deploy(&client, &files);
    assert_eq!((problem(&result).as_str(), &result["status"]), ("No ApexTrigger named: Hook found", &json!("Failed")));
    let lenient = json!({"rollbackOnError": true, "singlePackage": true, "ignoreWarnings": true});
    assert_eq!(deploy_with(&client, &lenient, &files)["status"], "Succeeded");
}

#[test]
fn an_element_that_no_type_has_breaks_its_file() {
    // [S] forcedotcom/cli#3320
    let org = MockOrg::start();
    let client = Client::of(&org);
    let wrong = object("Visit", &text_field("Key").replace("<length>", "<size>1</size>\n<length>"));
    let package = manifest(&[("CustomObject", &["Visit__c"])]);
    let result = deploy(&client, &[("objects/Visit__c.object", &wrong), ("package.xml", &package)]);
    assert_eq!(
        problem(&result),
        "Error parsing file: Element {http://soap.sforce.com/2006/04/metadata}size invalid at this location in type CustomField"
    );
    assert_eq!(row(&result, "Visit__c")["lineNumber"], 4);
}

#[test]
fn a_field_can_be_deployed_without_its_object() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let account = document("CustomObject", &format!("{}{}", text_field("Score"), text_field("Other")));
    let package = manifest(&[("CustomField", &["Account.Score__c"])]);
    let result = deploy(&client, &[("objects/Account.object", &account), ("package.xml", &package)]);
    assert_eq!(
        failures(&result),
        [("CustomField".to_owned(), "Account.Other__c".to_owned(), "Not in package.xml".to_owned())]
    );
    let account = document("CustomObject", &text_field("Score"));
    let result = succeed(&client, &[("objects/Account.object", &account), ("package.xml", &package)]);
    assert_eq!(result["numberComponentsTotal"], 1, "the object itself is no component of it");
    assert_eq!(org.components("CustomField"), ["Account.Score__c"]);
}

#[test]
fn a_standard_object_changes_only_where_the_file_says_so() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let account = document(
        "CustomObject",
        "<enableHistory>true</enableHistory><fields><fullName>Industry</fullName><trackHistory>true</trackHistory></fields>",
    );
    let package = manifest(&[("CustomObject", &["Account"])]);
    let result = succeed(&client, &[("objects/Account.object", &account), ("package.xml", &package)]);
    assert_eq!(
        (&row(&result, "Account")["created"], &row(&result, "Account")["changed"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(row(&result, "Account.Industry")["changed"], true);
    let read = org.component_xml("CustomObject", "Account").unwrap();
    assert!(read.contains("<enableHistory>true</enableHistory>"), "{read}");
    let all = manifest(&[("CustomObject", &["*"])]);
    let result = deploy(&client, &[("objects/Account.object", &account), ("package.xml", &all)]);
    assert_eq!(problem(&result), "Not in package.xml", "a standard object is named, or not meant");
}

#[test]
fn deletions_go_before_or_after_what_is_made() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    succeed(&client, &borrowed(&visit()));
    let gone = manifest(&[("CustomField", &["Visit__c.Key__c"])]);
    let result = succeed(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)]);
    let deleted = row(&result, "Visit__c.Key__c");
    assert_eq!(
        (&deleted["deleted"], &deleted["success"], &deleted["fileName"]),
        (&json!(true), &json!(true), &json!("destructiveChanges.xml"))
    );
    assert_eq!(org.components("CustomField"), ["Visit__c.Contact__c"]);
    // Before: the set goes and comes again. After: the object goes with what the same package gave it.
    let files = visit();
    let mut files = borrowed(&files);
    let before = manifest(&[("PermissionSet", &["Visits"])]);
    let after = manifest(&[("CustomObject", &["Visit__c"]), ("PermissionSet", &["Visits"])]);
    files.extend([("destructiveChangesPre.xml", before.as_str()), ("destructiveChangesPost.xml", after.as_str())]);
    succeed(&client, &files);
    assert!(org.components("CustomField").is_empty() && org.components("PermissionSet").is_empty());
    assert!(!org.components("Layout").iter().any(|name| name.starts_with("Visit__c")), "its layout goes with it");
}

#[test]
fn deleting_what_is_not_there_is_a_warning() {
    // Metadata guide, "DeployOptions": a warning is treated like an error unless warnings are ignored.
    let org = MockOrg::start();
    let client = Client::of(&org);
    let gone = manifest(&[("CustomField", &["Account.Gone__c"]), ("PermissionSet", &["*"])]);
    let files = [("package.xml", manifest(&[])), ("destructiveChanges.xml", gone)];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let result = deploy(&client, &files);
    assert_eq!(result["status"], "Failed");
    assert_eq!(failures(&result)[1].2, "No CustomField named: Account.Gone__c found");
    assert_eq!(failures(&result)[0].2, "No PermissionSet named: * found", "wildcards are not supported there");
    let ignoring = json!({"rollbackOnError": true, "singlePackage": true, "ignoreWarnings": true});
    let result = deploy_with(&client, &ignoring, &files);
    assert_eq!((&result["status"], &result["numberComponentErrors"]), (&json!("Succeeded"), &json!(0)));
    let row = row(&result, "destructiveChanges.xml");
    assert_eq!(
        (&row["problemType"], &row["success"], &row["deleted"]),
        (&json!("Warning"), &json!(true), &json!(false))
    );
}

#[test]
fn a_package_may_lie_in_a_folder() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let set = document("PermissionSet", "<label>S</label>");
    let package = manifest(&[("PermissionSet", &["S"])]);
    let files = [("shape/permissionsets/S.permissionset", set.as_str()), ("shape/package.xml", &package)];
    let folders = json!({"rollbackOnError": true});
    let result = deploy_with(&client, &folders, &files);
    assert_eq!(result["status"], "Succeeded");
    assert_eq!(row(&result, "package.xml")["fileName"], "shape/package.xml", "as recorded by others");
    assert_eq!(problem(&deploy(&client, &files)), "No package.xml found", "at the root there is none");
    let root = [("permissionsets/S.permissionset", set.as_str()), ("package.xml", &package)];
    let result = deploy_with(&client, &folders, &root);
    assert_eq!(row(&result, "package.xml")["fileName"], "permissionsets/package.xml");
}

#[test]
fn parts_are_known_by_their_type_and_may_be_in_base64() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let files = visit();
    let archive = base64::engine::general_purpose::STANDARD.encode(zip(&borrowed(&files)));
    // Lines of 76 characters, as MIME has them.
    let lines: Vec<&str> = archive.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.zip\"\r\nContent-Type: application/zip\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"entity_content\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--",
        lines.join("\r\n"),
        json!({"deployOptions": options()})
    );
    let answer = post(&client, 63, body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.body);
    let created = answer.json();
    assert_eq!(
        (
            &created["deployResult"]["status"],
            &created["deployResult"]["done"],
            &created["deployOptions"]["singlePackage"]
        ),
        (&json!("Pending"), &json!(false), &json!(true))
    );
    let id = created["id"].as_str().unwrap();
    look(&client, id);
    assert_eq!(look(&client, id)["status"], "Succeeded");
}

#[test]
fn requests_that_are_none_are_refused() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let archive = zip(&[("package.xml", &manifest(&[]))]);
    let good = multipart(&options(), &archive);
    assert_eq!(code(&post(&client, 63, b"--b--")).0, 400);
    assert_eq!(code(&post(&client, 63, &good[..good.len() - 8])), refused(400, "INVALID_MULTIPART_REQUEST"));
    let one = multipart(&options(), b"");
    let end = one.windows(7).position(|bytes| bytes == b"; filen").unwrap();
    assert_eq!(code(&post(&client, 63, &one[..end])).0, 400);
    for bad in [json!({"wat": true}), json!({"checkOnly": 1}), json!({"testLevel": "Some"}), json!([])] {
        let answer = post(&client, 63, &multipart(&bad, &archive));
        assert_eq!(code(&answer), refused(400, "JSON_PARSER_ERROR"), "{bad}");
    }
    assert_eq!(client.get(&path("0AfMk0000000001AAA")).status, 404);
    assert_eq!(client.get(&path("x")).status, 404);
    assert_eq!(client.patch(&path("x"), &json!({"deployResult": {"status": "Canceling"}})).status, 404);
    assert_eq!(client.delete(&path("x")).status, 405);
    assert_eq!(client.get(&data("/metadata/deployRequest")).header("allow"), Some("POST"));
}

#[test]
fn archives_that_are_none_fail_and_those_too_large_are_refused() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let archive = zip(&[("package.xml", &manifest(&[])), ("a/b.c", &"x".repeat(2_000))]);
    for bad in [&b""[..], b"no zip", &archive[..archive.len() - 30]] {
        let id = post(&client, 63, &multipart(&options(), bad)).json()["id"].as_str().unwrap().to_owned();
        let result = look(&client, &id);
        assert_eq!((&result["status"], &result["errorStatusCode"]), (&json!("Failed"), &json!("UNKNOWN_EXCEPTION")));
    }
    org.deploys().set_bounds(archive.len() - 1, 1_000, 10);
    assert_eq!(code(&post(&client, 63, &multipart(&options(), &archive))), refused(413, "REQUEST_ENTITY_TOO_LARGE"));
    for (unpacked, files) in [(1_000, 10), (10_000, 1)] {
        org.deploys().set_bounds(10_000, unpacked, files);
        let id = post(&client, 63, &multipart(&options(), &archive)).json()["id"].as_str().unwrap().to_owned();
        assert_eq!(look(&client, &id)["errorStatusCode"], "LIMIT_EXCEEDED");
    }
}

#[test]
fn a_production_org_wants_all_or_nothing() {
    // Metadata guide, "DeployOptions", rollbackOnError.
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().production(true);
    let archive = zip(&[("package.xml", &manifest(&[]))]);
    let partial = multipart(&json!({"singlePackage": true}), &archive);
    assert_eq!(code(&post(&client, 63, &partial)), refused(400, "INVALID_OPERATION"));
    assert_eq!(post(&client, 63, &multipart(&options(), &archive)).status, 201);
}
