//! Packages out and in again, and zips that mean no good.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::api::metadata::{
    ApexClass, CustomField, CustomObject, FieldKind, Flow, Layout, LayoutSection, NamedCredential, PermissionSet,
    QuickAction, RecordTriggerType, RemoteSiteSetting, Workflow, WorkflowOutboundMessage, WorkflowRule,
    WorkflowTriggerType,
};

fn package() -> Package {
    let layout = Layout {
        full_name: "Contact-Contact (Sales) Layout".into(),
        sections: vec![LayoutSection::new("A & B", ["A__c"])],
        ..Layout::default()
    };
    let set = PermissionSet { full_name: "P".into(), label: "P \u{1f600}".into(), ..PermissionSet::default() };
    let rule = WorkflowRule::new("Account.Tell us", "ISCHANGED(Name)", WorkflowTriggerType::OnAllChanges);
    Package::new()
        .with(CustomObject::new("S__c", "S", "Ss"))
        .with(CustomField::new("S__c.Key__c", "Key", FieldKind::text(80)).unique())
        .with(CustomField::new("Account.N__c", "N", FieldKind::number(18, 0)))
        .with(set)
        .with(layout)
        .with(rule.sends("Msg"))
        .with(WorkflowOutboundMessage::new("Account.Msg", "https://example.com/a?b=c&d=e", "u@example.com", ["Id"]))
        .with(Flow::record_triggered("F", "F", "Account", RecordTriggerType::Update).sends("Account.Msg"))
        .with(NamedCredential::bearer("N", "N", "https://example.com", "s3cret"))
        .with(QuickAction::flow("Contact.Go", "Go", "F"))
        .with(ApexClass::new("C", "public class C {}\n"))
        .with(RemoteSiteSetting::new("R", "https://example.com"))
}

fn text(package: &Package, path: &str) -> String {
    let files = package.files().expect("sound");
    let file = files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path}"));
    String::from_utf8(file.bytes).expect("text")
}

#[test]
fn each_component_stands_where_a_deploy_looks_for_it() {
    let files = package().files().expect("sound");
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "package.xml",
            "classes/C.cls",
            "classes/C.cls-meta.xml",
            "flows/F.flow",
            "layouts/Contact-Contact %28Sales%29 Layout.layout",
            "namedCredentials/N.namedCredential",
            "objects/Account.object",
            "objects/S__c.object",
            "permissionsets/P.permissionset",
            "quickActions/Contact.Go.quickAction",
            "remoteSiteSettings/R.remoteSite",
            "workflows/Account.workflow",
        ]
    );
    assert_eq!(text(&package(), "classes/C.cls"), "public class C {}\n");
    assert!(!text(&package(), "classes/C.cls-meta.xml").contains("content"));
    let account = text(&package(), "objects/Account.object");
    assert!(account.contains("<fullName>N__c</fullName>") && !account.contains("Account"), "{account}");
    let workflow = text(&package(), "workflows/Account.workflow");
    let place = |part: &str| workflow.find(part).unwrap_or_else(|| panic!("{part} in {workflow}"));
    assert!(place("<fullName>Msg</fullName>") < place("<fullName>Tell us</fullName>"), "the order of the WSDL");
    let manifest = text(&package(), "package.xml");
    for member in ["S__c.Key__c", "Account.N__c", "Account.Tell us", "Contact-Contact %28Sales%29 Layout"] {
        assert!(manifest.contains(&format!("<members>{member}</members>")), "{member} in {manifest}");
    }
    assert!(!manifest.contains("<members>Account</members>"), "only its field is deployed");
    assert!(!format!("{:?} {files:?}", package()).contains("s3cret"));
}

#[test]
fn a_package_survives_the_zip_with_every_component_typed() {
    let zip = package().to_zip().expect("sound");
    assert_eq!(zip, package().to_zip().expect("sound"), "the same bytes, whenever it is");
    let read = Package::from_zip(&zip).expect("reads");
    assert_eq!(read.components().len(), package().components().len());
    assert_eq!(read.to_zip().expect("sound"), zip);
    assert_eq!(read.all::<CustomField>().expect("reads").len(), 2);
    assert_eq!(read.all::<CustomObject>().expect("reads"), package().all().expect("reads"));
    assert_eq!(read.all::<ApexClass>().expect("reads"), package().all().expect("reads"));
    assert_eq!(read.all::<WorkflowRule>().expect("reads"), package().all().expect("reads"));
    assert_eq!(read.all::<NamedCredential>().expect("reads"), package().all().expect("reads"));
    assert_eq!(read.all::<Layout>().expect("reads")[0].full_name, "Contact-Contact %28Sales%29 Layout");
}

#[test]
fn a_whole_object_or_workflow_and_its_parts_share_a_file() {
    let message = WorkflowOutboundMessage::new("One", "https://example.com", "u@example.com", ["Id"]);
    let workflow = Workflow { full_name: "Account".into(), outbound_messages: vec![message], ..Workflow::default() };
    let other = WorkflowOutboundMessage::new("Account.Two", "https://example.com", "u@example.com", ["Id"]);
    let package = Package::new().with(other.clone()).with(workflow.clone());
    assert_eq!(text(&package, "workflows/Account.workflow").matches("<outboundMessages>").count(), 2);
    let twice = WorkflowOutboundMessage { full_name: "Account.ONE".into(), ..other };
    for package in
        [Package::new().with(workflow.clone()).with(twice.clone()), Package::new().with(twice).with(workflow)]
    {
        assert_eq!(package.files().expect_err("twice").kind(), ErrorKind::Invalid);
    }
    let read = Package::from_zip(&package.to_zip().expect("sound")).expect("reads");
    assert_eq!(read.all::<Workflow>().expect("reads").len(), 1);
    assert_eq!(read.all::<WorkflowOutboundMessage>().expect("reads").len(), 1, "the one that is listed by itself");
}

#[test]
fn deletions_stand_beside_an_empty_package_before_or_after() {
    let package = Package::new().delete("CustomField", "Account.N__c").delete_after("Flow", "F");
    let paths: Vec<String> = package.files().expect("sound").into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["package.xml", "destructiveChanges.xml", "destructiveChangesPost.xml"]);
    assert!(!text(&package, "package.xml").contains("<types>"));
    assert!(text(&package, "destructiveChanges.xml").contains("<members>Account.N__c</members>"));
    assert_eq!(Package::from_zip(&package.to_zip().expect("sound")).expect("reads"), package);
    assert!(Package::new().delete("CustomField", "*").files().is_err(), "a wildcard deletes more than was meant");
}

#[test]
fn what_cannot_stand_in_a_package_is_refused_by_name() {
    let set = |name: &str, label: &str| PermissionSet {
        full_name: name.into(),
        label: label.into(),
        ..PermissionSet::default()
    };
    let raw = |kind: &str| AnyComponent::raw(kind, "X", &format!("<{kind}/>")).expect("well-formed");
    for (package, named) in [
        (Package::new().with(set("P", "P")).with(set("p", "P")), "component p"),
        (Package::new().with(set("P", "\u{1}")), "element label"),
        (Package::new().with(set("../P", "P")), "no file name"),
        (Package::new().with(set("", "P")), "no file name"),
        (Package::new().with(raw("Nonsense")), "type Nonsense"),
        (Package::new().with(raw("ApexTrigger")), "triggers/X.trigger"),
        (Package::new().with(CustomField::new("N__c", "N", FieldKind::Date)), "starts with its object's"),
    ] {
        let error = package.files().expect_err(named);
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(named), "{error}");
    }
    let many = (0..=MAX_FILES).map(|number| set(&format!("P{number}"), "P"));
    assert_eq!(Package::new().with_all(many).to_zip().expect_err("too many").kind(), ErrorKind::Invalid);
}

#[test]
fn each_component_is_a_file_of_its_own_whose_root_is_its_type() {
    let files = package().component_files().expect("sound");
    assert_eq!(files.len(), package().components().len());
    for file in files {
        let kind = file.path.split('/').next().expect("a folder").to_owned();
        let root = Element::parse_document(&file.bytes).expect("well-formed");
        assert_eq!(root.name, kind);
        let part = matches!(kind.as_str(), "CustomField" | "WorkflowRule" | "WorkflowOutboundMessage");
        assert_eq!(root.text_of("fullName").is_some(), part, "{}", file.path);
    }
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("a name");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

const MANIFEST: &[u8] = b"<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><version>63.0</version></Package>";

#[test]
fn a_retrieved_zip_may_have_its_package_in_a_folder() {
    let lwc: &[u8] = b"export default 1;";
    let manifest = b"<Package><types><members>a</members><name>LightningComponentBundle</name></types>\
                     <types><members>Account.N__c</members><name>CustomField</name></types><version>46.0</version></Package>";
    let object =
        b"<CustomObject><fields><fullName>N__c</fullName><label>N</label><type>Date</type></fields></CustomObject>";
    let zip = zip_of(&[
        ("unpackaged/lwc/a/a.js", lwc),
        ("unpackaged/package.xml", manifest),
        ("unpackaged/objects/Account.object", object),
    ]);
    let read = Package::from_zip(&zip).expect("reads");
    assert_eq!(read.all::<CustomField>().expect("reads")[0].full_name, "Account.N__c");
    assert!(read.all::<CustomObject>().expect("reads").is_empty(), "nothing of the object itself");
    let files = read.files().expect("sound");
    assert!(files.iter().any(|file| file.path == "lwc/a/a.js" && file.bytes == lwc), "kept as it was");
    assert!(text(&read, "package.xml").contains("<members>a</members>"));
    assert!(text(&read, "package.xml").contains("46.0"));
    let manifest = b"<Package><types><members>Account</members><name>Settings</name></types>\
                     <types><members>Sales</members><members>Sales/Won</members><name>Report</name></types></Package>";
    let settings: &[u8] = b"<AccountSettings><showViewHierarchyLink>true</showViewHierarchyLink></AccountSettings>";
    let zip = zip_of(&[
        ("package.xml", manifest),
        ("settings/Account.settings", settings),
        ("reports/Sales-meta.xml", b"<ReportFolder/>"),
        ("reports/Sales/Won.report", b"<Report><name>Won</name></Report>"),
    ]);
    let read = Package::from_zip(&zip).expect("reads");
    assert_eq!(read.components().len(), 1, "the report");
    let files = read.files().expect("sound");
    assert!(files.iter().any(|file| file.path == "settings/Account.settings" && file.bytes == settings));
    let listed = text(&read, "package.xml");
    for member in ["Account", "Sales", "Sales/Won"] {
        assert!(listed.contains(&format!("<members>{member}</members>")), "{member} in {listed}");
    }
}

#[test]
fn hostile_zips_are_errors() {
    let good = zip_of(&[("package.xml", MANIFEST)]);
    assert!(Package::from_zip(&good).expect("reads").is_empty());
    for end in 0..good.len() {
        assert!(Package::from_zip(&good[..end]).is_err(), "{end}");
    }
    for names in [
        vec!["../package.xml"],
        vec!["package.xml", "../../etc/passwd"],
        vec!["package.xml", "/etc/passwd"],
        vec!["package.xml", "objects\\..\\..\\x"],
        vec!["package.xml", "C:/x"],
        vec!["package.xml", "objects//x"],
        vec!["package.xml", "classes/A.CLS", "classes/a.cls"],
        vec!["a/package.xml", "b/package.xml"],
        vec!["a/package.xml", "objects/x.object"],
        vec!["package.xml", "classes/A.cls"],
        vec!["package.xml", "classes/A.cls-meta.xml"],
        vec!["package.xml", "objects/X.object"],
        vec!["classes/A.cls"],
        vec![],
    ] {
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, MANIFEST)).collect();
        let error = Package::from_zip(&zip_of(&files)).expect_err("hostile");
        assert_eq!(error.kind(), ErrorKind::Decode, "{names:?}: {error}");
    }
    let mut two = zip_of(&[("package.xml", MANIFEST), ("package.xmm", MANIFEST)]);
    // The same name twice, in both headers: what one reader checks another one would take.
    while let Some(at) = two.windows(11).position(|window| window == b"package.xmm") {
        two[at + 10] = b'l';
    }
    assert!(Package::from_zip(&two).is_err());
}

#[test]
fn a_small_zip_that_unpacks_without_end_is_stopped_at_the_bound() {
    let zeros = vec![b' '; 1_000_000];
    let bomb = zip_of(&[("package.xml", &zeros)]);
    assert!(bomb.len() < 10_000);
    assert!(archive::unpack(&bomb, 1_000_000).is_ok());
    assert_eq!(archive::unpack(&bomb, 999_999).expect_err("too large").kind(), ErrorKind::Decode);
    // Two that are too large together.
    let bomb = zip_of(&[("package.xml", &zeros), ("x", &zeros)]);
    assert!(archive::unpack(&bomb, 1_500_000).is_err());
    // A size that is understated: in the central directory, where readers look.
    let mut liar = zip_of(&[("package.xml", &zeros)]);
    let size = 1_000_000_u32.to_le_bytes();
    while let Some(at) = liar.windows(4).position(|window| window == size) {
        liar[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    assert!(archive::unpack(&liar, 1_000).is_err());
    let (tags, attributes) = ("<a/>".repeat(4_000_001), "a=\"\" ".repeat(4_000_001));
    for object in [format!("<CustomObject>{tags}</CustomObject>"), format!("<CustomObject {attributes}/>")] {
        let manifest = ("package.xml".to_owned(), MANIFEST.to_vec());
        let files = [manifest, ("objects/X.object".to_owned(), object.into_bytes())];
        let error = Package::from_files(files.into()).expect_err("too many");
        assert!(error.to_string().contains("more elements"), "{error}");
    }
}

#[test]
fn a_zip_with_any_byte_changed_never_panics() {
    let zip = package().to_zip().expect("sound");
    for at in (0..zip.len()).step_by(7) {
        let mut changed = zip.clone();
        changed[at] ^= 0x55;
        let _ = Package::from_zip(&changed);
    }
}
