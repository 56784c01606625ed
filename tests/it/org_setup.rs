//! The example `org_setup`, run as a user runs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sforce::adapters::setup::Preset;
use sforce::testing::org::{FieldSpec, LoggedRequest, MockOrg, Operation, TestUser, UserSpec};

use crate::engagement::example;
use crate::setup::state;
use crate::support::{recorded, wsdl};
use crate::wsdl::schema::Node;

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sforce-setup-{}-{name}", std::process::id()));
        // What an earlier process of that id has left.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("writable");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody needs it any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An org, and where the ledger of its set-up is.
struct Site {
    org: MockOrg,
    folder: Folder,
    runtime: Option<TestUser>,
}

impl Site {
    fn new(name: &str) -> Self {
        Self { org: MockOrg::start(), folder: Folder::new(name), runtime: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = example("org_setup");
        command
            .env("SALESFORCE_LOGIN_URL", self.org.base_url())
            .env("SALESFORCE_CLIENT_ID", self.org.client_id())
            .env("SALESFORCE_CLIENT_SECRET", self.org.client_secret())
            .arg("--ledger")
            .arg(self.folder.file("ledger.redb"))
            .args(arguments);
        if let Some(user) = &self.runtime {
            command
                .env("SALESFORCE_RUNTIME_LOGIN_URL", self.org.base_url())
                .env("SALESFORCE_RUNTIME_CLIENT_ID", &user.client_id)
                .env("SALESFORCE_RUNTIME_CLIENT_SECRET", &user.client_secret);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("runs")
    }

    /// Exit status and the object that `--json` prints.
    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        (output.status.code().expect("an exit status"), last_line(&output))
    }

    /// What changed the org, of all requests since the first `seen`.
    fn writes(&self, seen: usize) -> Vec<String> {
        let requests = self.org.requests();
        let all = requests.iter().skip(seen).flat_map(|request| std::iter::once(request).chain(&request.subrequests));
        all.filter(|request| is_write(request)).map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

fn is_write(request: &LoggedRequest) -> bool {
    let carries = [Operation::Token, Operation::Composite, Operation::ToolingComposite, Operation::MetadataRead];
    request.method != "GET" && !request.operation.is_some_and(|operation| carries.contains(&operation))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn last_line(output: &Output) -> Value {
    let stdout = text(&output.stdout);
    let line = stdout.lines().last().unwrap_or_else(|| panic!("no output: {}", text(&output.stderr)));
    serde_json::from_str(line).expect(line)
}

/// The state of an org without ids, which differ from org to org.
fn unnamed(org: &MockOrg) -> Vec<String> {
    state(org).into_iter().map(|row| row.replace(&org.user_id(), "the user")).collect()
}

fn count(value: &Value) -> usize {
    value.as_array().expect("a list").len()
}

#[test]
fn gpt_8_every_preset_is_planned_applied_verified_and_removed() {
    for preset in Preset::ALL {
        let site = Site::new(preset.name());
        let org = &site.org;
        let before = state(org);
        let run = |arguments: &[&str]| site.json(&[&["--preset", preset.name()], arguments].concat());

        let (status, planned) = run(&["--plan"]);
        assert_eq!((status, site.writes(0)), (0, Vec::new()), "{preset}: a plan changes nothing");
        assert!(!site.folder.file("ledger.redb").exists(), "{preset}: and writes nothing here either");
        assert_eq!((&planned["plan"]["empty"], &planned["schema"]), (&json!(false), &json!(preset.name())));
        assert_eq!(state(org), before);

        let (calls, polls) = (org.api_calls(), org.calls(Operation::DeployGet));
        let (status, applied) = run(&["--apply"]);
        assert_eq!(status, 0, "{preset}: {applied}");
        let spent = org.api_calls() - calls - (org.calls(Operation::DeployGet) - polls) as u64;
        let planning = planned["api_calls"].as_u64().expect("a number");
        assert_eq!(planned["plan"]["api_calls"], spent - planning, "{preset}: what the plan says, beside planning");
        assert!(spent <= 6, "{preset}: {spent} calls");
        assert_eq!(applied["api_calls"], org.api_calls() - calls, "{preset}");
        assert_eq!(applied["applied"]["assignment"], "assigned", "{preset}");
        let planned_components = planned["plan"]["items"].as_array().expect("a list").iter();
        let components = planned_components.filter(|item| item["kind"] != "Assignment" && item["step"] == "create");
        assert_eq!(count(&applied["applied"]["created"]), components.count(), "{preset}");

        let (made, seen) = (state(org), org.requests().len());
        let (status, again) = run(&["--apply"]);
        assert_eq!((status, &again["plan"]["empty"], &again["plan"]["api_calls"]), (0, &json!(true), &json!(0)));
        assert_eq!(again["api_calls"], planning, "{preset}: a second run looks");
        assert_eq!((site.writes(seen), state(org)), (Vec::new(), made), "{preset}: and writes nothing");

        let (status, verified) = run(&["--verify"]);
        assert_eq!((status, &verified["verified"]["holds"]), (0, &json!(true)), "{preset}: {verified}");
        assert!((1..=4).contains(&verified["api_calls"].as_u64().expect("a number")), "{preset}: it has looked");
        assert!(count(&verified["verified"]["objects"]) > 0, "{preset}");

        let (status, removed) = run(&["--remove"]);
        assert_eq!((status, &removed["leftovers"]), (0, &json!([])), "{preset}: {removed}");
        assert!(count(&removed["removed"]) > count(&applied["applied"]["created"]), "{preset}: and the assignment");
        assert_eq!(state(org), before, "{preset}");
        let (status, planned_again) = run(&[]);
        assert_eq!((status, &planned_again["plan"]["items"]), (0, &planned["plan"]["items"]), "{preset}");
    }
}

#[test]
fn nav_24_what_is_printed_for_people_says_what_is_done_and_what_holds() {
    let site = Site::new("people");
    let planned = site.run(&[]);
    let shown = text(&planned.stdout);
    for line in [
        "engagement in http://127.0.0.1",
        "ledger.redb, not there yet",
        "To create: 1 object, 35 fields, 1 permission set, 1 assignment",
        "  Fields of Navattic_Session__c\n    Navattic_Session_Key__c                Text(80), unique, external id\n",
        "    Navattic_Integration                   rights on 5 objects and 39 fields\n",
        "Applying it costs 2 API calls, and one for each look at the deploy.",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let missing = site.run(&["--verify"]);
    let shown = text(&missing.stdout);
    assert_eq!(missing.status.code(), Some(1), "{shown}");
    assert!(shown.contains("Navattic_Session__c   15 fields  not there\n"), "{shown}");
    assert!(shown.contains("To mend: 21\n") && shown.contains("-> run the set-up"), "{shown}");

    let applied = site.run(&["--apply", "--verify"]);
    let (shown, told) = (text(&applied.stdout), text(&applied.stderr));
    assert_eq!(applied.status.code(), Some(0), "{shown}{told}");
    assert!(told.contains("37 of 37 components") && told.contains("assigning the permission set"), "{told}");
    for line in [
        "Created: 1 object, 35 fields, 1 permission set\n",
        "The permission set is assigned to integration@mock.example.com.",
        "Verified as integration@mock.example.com, 1 API call\n",
        "  Contact                7 fields  holds\n",
        "All in place, visible, of the right type, and writable where it is to be.",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let again = text(&site.run(&[]).stdout);
    assert!(again.contains("In place: 1 object, 35 fields, 1 permission set, 5 rights on objects"), "{again}");
    assert!(again.ends_with("Nothing to do.\n"), "{again}");

    let debug = [shown, again, text(&planned.stdout), text(&missing.stdout)].concat();
    assert!(!debug.contains("Some(") && !debug.contains("::") && !debug.contains(" { "), "{debug}");
}

#[test]
fn nav_30_an_admin_sets_up_and_another_user_is_given_the_rights_and_verifies() {
    let mut site = Site::new("two-users");
    let robot = site.org.add_user(UserSpec::new("robot@example.com").permission("ApiEnabled"));
    let id = robot.user_id.clone();
    site.runtime = Some(robot);
    let preset = |arguments: &[&'static str]| [&["--preset", "scores"], arguments].concat();
    let (status, done) = site.json(&preset(&["--apply", "--verify"]));
    assert_eq!((status, &done["verified"]["holds"]), (0, &json!(true)), "{done}");
    let assigned: Vec<Value> = site.org.records("PermissionSetAssignment");
    assert!(assigned.iter().any(|row| row["AssigneeId"] == id.as_str()), "{assigned:?}");
    let shown = text(&site.run(&preset(&["--verify"])).stdout);
    assert!(shown.contains("Verified as robot@example.com"), "{shown}");

    site.org.revoke_field(&id, "Lead", "GPTWeb_Is_DQL__c", "Edit");
    let (status, found) = site.json(&preset(&["--verify"]));
    assert_eq!((status, &found["verified"]["holds"]), (1, &json!(false)), "{found}");
    assert_eq!(found["verified"]["findings"][0]["subject"], "Lead.GPTWeb_Is_DQL__c");
    let shown = text(&site.run(&preset(&["--verify"])).stdout);
    assert!(
        shown.contains("-> Setup > Permission Sets > GPTWeb Integration > Object Settings > Lead > Edit"),
        "{shown}"
    );

    // As the run-time user alone nothing can be made, and what is missing is named.
    let mut alone = site.command(&preset(&["--apply"]));
    let robot = site.runtime.as_ref().expect("given");
    alone.env("SALESFORCE_CLIENT_ID", &robot.client_id).env("SALESFORCE_CLIENT_SECRET", &robot.client_secret);
    let refused = alone.output().expect("runs");
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("the set-up user lacks \"") && told.contains("System Administrator"), "{told}");
}

#[test]
fn two_logins_of_two_orgs_are_wrong_use() {
    let (site, other) = (Site::new("two-orgs"), MockOrg::builder().number(2).start());
    let mut command = site.command(&["--apply"]);
    command
        .env("SALESFORCE_RUNTIME_LOGIN_URL", other.base_url())
        .env("SALESFORCE_RUNTIME_CLIENT_ID", other.client_id())
        .env("SALESFORCE_RUNTIME_CLIENT_SECRET", other.client_secret());
    let output = command.output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the two logins are for two orgs"), "{}", text(&output.stderr));
    assert_eq!(site.writes(0), Vec::<String>::new());
}

#[test]
fn what_is_in_the_way_is_told_and_nothing_is_changed() {
    let site = Site::new("conflict");
    site.org.add_field("Contact", FieldSpec::text("NPS_Score__c", 10));
    let (status, planned) = site.json(&["--preset", "survey"]);
    assert_eq!(status, 1);
    assert_eq!(planned["plan"]["items"][0]["step"], json!({ "conflict": "type_differs" }), "{planned}");
    let applied = site.run(&["--preset", "survey", "--apply", "--verify"]);
    let (shown, told) = (text(&applied.stdout), text(&applied.stderr));
    assert_eq!(applied.status.code(), Some(1), "{shown}");
    assert!(shown.contains("In the way: 1 field\n  Fields of Contact\n    NPS_Score__c"), "{shown}");
    assert!(shown.contains("\n      -> Setup > Object Manager"), "{shown}");
    assert!(told.contains("1 thing is in the way; nothing was changed"), "{told}");
    assert!(!shown.contains("Verified"), "the first that fails is the last: {shown}");
    let (status, failed) = site.json(&["--preset", "survey", "--apply"]);
    assert_eq!((status, failed["error"].as_str()), (1, Some("1 thing is in the way; nothing was changed")));
    assert!(failed.get("applied").is_none(), "{failed}");
    assert_eq!(site.writes(0), Vec::<String>::new());
}

#[test]
fn what_holds_records_stays_with_its_click_path_unless_its_data_is_to_go() {
    let site = Site::new("data");
    let (status, _) = site.json(&["--apply"]);
    assert_eq!(status, 0);
    site.org.insert("Navattic_Session__c", json!({ "Name": "s-1", "Navattic_Session_Key__c": "s-1" }));
    let kept = site.run(&["--remove"]);
    let shown = text(&kept.stdout);
    assert_eq!(kept.status.code(), Some(1), "{shown}");
    assert!(shown.contains("object Navattic_Session__c: 1 records hold data in it"), "{shown}");
    assert!(shown.contains("-> Setup > Object Manager > Navattic_Session__c > Delete"), "{shown}");
    assert!(shown.contains("--with-data"), "{shown}");
    let (status, removed) = site.json(&["--remove", "--with-data"]);
    assert_eq!((status, &removed["leftovers"]), (0, &json!([])), "{removed}");
    let (status, removed) = site.json(&["--remove"]);
    assert_eq!((status, &removed["removed"], &removed["leftovers"]), (0, &json!([]), &json!([])), "nothing to do");
}

#[test]
fn smv_12_smv_13_the_notifier_of_crm_is_made_and_taken_away_again() {
    let site = Site::new("notifier");
    let address = "https://app.acme.example/hook/3f9a-s3cret";
    let applied = site.run(&["--preset", "crm", "--notifier-url", address, "--apply"]);
    let (shown, told) = (text(&applied.stdout), text(&applied.stderr));
    assert_eq!(applied.status.code(), Some(0), "{shown}{told}");
    assert!(shown.contains("Created: 1 workflow outbound message, 1 flow, 1 permission set\n"), "{shown}");
    assert!(!shown.contains("s3cret") && !told.contains("s3cret"), "the address is a secret: {shown}{told}");
    // Without the notifier nobody knows what to put in the place of the flow that is at work: it is left, and told.
    let (status, removed) = site.json(&["--preset", "crm", "--remove"]);
    let left = removed["leftovers"].as_array().expect("a list");
    assert_eq!((status, left.len()), (1, 2), "{removed}");
    assert!(left.iter().all(|left| left["click_path"].as_str().is_some_and(|path| path.starts_with("Setup > "))));
    let (status, removed) = site.json(&["--preset", "crm", "--notifier-url", address, "--remove"]);
    assert_eq!((status, &removed["leftovers"]), (0, &json!([])), "{removed}");
    let gone = removed["removed"].to_string();
    assert!(gone.contains("WorkflowOutboundMessage Opportunity.") && gone.contains("Flow "), "{gone}");
}

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path.strip_prefix(folder).expect("below it").to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_component_of_every_preset_is_a_valid_file_without_any_org() {
    let Some(recorded) = recorded("every_component_of_every_preset_is_a_valid_file_without_any_org") else { return };
    let schema = wsdl(&recorded);
    let folder = Folder::new("emitted");
    let notifier = ["--notifier-url", "https://app.acme.example/hook", "--notifier-user", "ada@acme.example"];
    let mut types = BTreeSet::new();
    let calls = Preset::ALL.into_iter().map(|preset| (preset, &[][..])).chain([(Preset::Crm, &notifier[..])]);
    for (index, (preset, more)) in calls.enumerate() {
        let target = folder.file(&format!("{index}/deep/{preset}"));
        let emit = |arguments: &[&str]| {
            let mut command = example("org_setup");
            // No org answers there; none is asked.
            command.env("SALESFORCE_LOGIN_URL", "https://nobody.invalid").args(["--preset", preset.name()]);
            let output = command.arg("--emit-metadata").arg(&target).args(more).args(arguments).output().expect("runs");
            assert_eq!(output.status.code(), Some(0), "{preset}: {}", text(&output.stderr));
            output
        };
        let shown = text(&emit(&[]).stdout);
        let written = files(&target);
        let desired = preset.desired_schema();
        let expected = desired.objects.len() + desired.all_fields().len() + 1 + if more.is_empty() { 0 } else { 2 };
        assert_eq!(written.len(), expected, "{preset}");
        assert!(
            shown.starts_with(&format!(
                "{} of metadata in ",
                if expected == 1 { "1 file".into() } else { format!("{expected} files") }
            )),
            "{shown}"
        );
        for (path, xml) in &written {
            let root = Node::parse(xml);
            assert_eq!(schema.check(&root, &root.name), Vec::<String>::new(), "{}", path.display());
            let folder = path.iter().next().and_then(|name| name.to_str());
            assert_eq!(folder, Some(root.name.as_str()), "the root element is the type: {}", path.display());
            types.insert(root.name);
        }
        // Again, beside somebody else's file.
        fs::write(target.join("CustomField.txt"), "theirs").expect("writable");
        let again = last_line(&emit(&["--json"]));
        assert_eq!(count(&again["emitted"]), expected, "{preset}: {again}");
        let beside = files(&target);
        assert_eq!(beside.len(), expected + 1, "{preset}");
        assert!(written.iter().all(|file| beside.contains(file)), "{preset}: the same files");
    }
    let made = ["CustomField", "CustomObject", "Flow", "PermissionSet", "WorkflowOutboundMessage"];
    assert_eq!(types, made.map(str::to_owned).into());
}

#[test]
fn a_schema_file_does_what_its_preset_does() {
    let site = Site::new("file");
    let file = site.folder.file("scores.json");
    fs::write(&file, serde_json::to_vec_pretty(&Preset::Scores.desired_schema()).expect("serialises"))
        .expect("written");
    let path = file.to_str().expect("UTF-8");
    let (status, by_file) = site.json(&["--schema", path, "--plan"]);
    let (_, by_name) = site.json(&["--preset", "scores", "--plan"]);
    assert_eq!((status, &by_file["plan"]), (0, &by_name["plan"]));
    let (status, applied) = site.json(&["--schema", path, "--apply"]);
    assert_eq!(status, 0, "{applied}");
    let (_, again) = site.json(&["--preset", "scores"]);
    assert_eq!(again["plan"]["empty"], true, "{again}");
}

#[test]
fn everything_that_is_wrong_with_a_schema_file_is_told_at_once_before_the_first_call() {
    let site = Site::new("faults");
    let file = site.folder.file("wrong.toml");
    let long = "L".repeat(300);
    let schema = format!(
        "version = 1\nname = \"wrong\"\nnonsense = 1\n\n[[fields]]\nfullName = \"Contact.A__c\"\nlabel = \"{long}\"\ntype = \"Text\"\n\
         length = 256\n\n[[fields]]\nfullName = \"Contact.B__c\"\nlabel = \"B <&> \u{1f600}\"\ntype = \"Number\"\nprecision = 19\nscale = 0\n\
         colour = \"red\"\n\n[[fields]]\nfullName = \"Contact.C__c\"\nlabel = \"C\"\ntype = \"Text\"\nlength = 0\n"
    );
    fs::write(&file, schema).expect("written");
    let path = file.to_str().expect("UTF-8");
    let output = site.run(&["--schema", path, "--apply"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in ["line 3: unknown key \"nonsense\"", "`colour`", "256", "Contact.C__c"] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    let (status, found) = site.json(&["--schema", path]);
    let faults = found["faults"].as_array().expect("a list");
    assert_eq!(status, 1);
    assert!(faults.len() >= 5, "{faults:#?}");
    assert!(faults.iter().all(|fault| fault["line"].is_u64() && !fault["problem"].as_str().unwrap_or("").is_empty()));
    assert!(told.starts_with(&format!("error: {} faults in {path}\n", faults.len())), "{told}");
    assert!(site.org.requests().is_empty(), "nobody was asked");

    let gone = site.run(&["--schema", "/nowhere/schema.toml"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("/nowhere/schema.toml"), "{}", text(&gone.stderr));
}

#[test]
fn without_an_org_all_of_it_works_in_one_that_ends_with_the_program() {
    let home = Folder::new("home");
    let run = |arguments: &[&str]| {
        let mut command = example("org_setup");
        let output = command.env("XDG_STATE_HOME", &home.0).args(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        output
    };
    let shown = text(&run(&[]).stdout);
    assert!(shown.starts_with("engagement in the mock org\nLedger: in memory"), "{shown}");
    let done = last_line(&run(&["--apply", "--verify", "--remove", "--json"]));
    assert_eq!((&done["verified"]["holds"], &done["leftovers"]), (&json!(true), &json!([])), "{done}");
    assert_eq!((&done["ledger"], &done["org"]), (&Value::Null, &json!("the mock org")));
    assert!(files(&home.0).is_empty(), "nothing is left here");
}

#[test]
fn the_ledger_has_a_place_of_its_own_that_the_next_run_finds() {
    let site = Site::new("place");
    let run = |action: &str| {
        let mut command = example("org_setup");
        command
            .env("SALESFORCE_LOGIN_URL", site.org.base_url())
            .env("SALESFORCE_CLIENT_ID", site.org.client_id())
            .env("SALESFORCE_CLIENT_SECRET", site.org.client_secret())
            .env("XDG_STATE_HOME", &site.folder.0);
        last_line(&command.args(["--preset", "survey", "--json", action]).output().expect("runs"))
    };
    let place = site.folder.file("sforce/org_setup.redb");
    assert_eq!(run("--apply")["ledger"], json!(place));
    assert!(place.is_file());
    assert_eq!(count(&run("--remove")["removed"]), 5);
}

#[test]
fn wrong_use_is_told_and_ends_with_2() {
    let site = Site::new("usage");
    for (wrong, words) in [
        (&["--preset", "scroes"][..], "presets are engagement, usage"),
        (&["--plan", "--apply"], "cannot be used with"),
        (&["--plan", "--remove"], "cannot be used with"),
        (&["--with-data"], "--remove"),
        (&["--preset", "usage", "--schema", "x.toml"], "cannot be used with"),
        (&["--preset", "scores", "--prefix", "Acme_"], "--prefix is for engagement and usage"),
        (&["--prefix", "9 lives"], "--prefix is not a prefix"),
        (&["--notifier-url", "https://a.example/x"], "--notifier-url is for crm"),
        (&["--preset", "crm", "--notifier-url", "http://a.example/x"], "not https"),
        (&["--what"], "unexpected argument"),
    ] {
        let output = site.run(wrong);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {told}");
        assert!(told.contains(words), "{wrong:?}: {told}");
    }
    let mut some = site.command(&[]);
    let output = some.env_remove("SALESFORCE_CLIENT_SECRET").output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("SALESFORCE_CLIENT_SECRET not set"), "{}", text(&output.stderr));
    assert!(site.writes(0).is_empty());
    let help = text(&site.run(&["--help"]).stdout);
    for preset in Preset::ALL {
        assert!(help.contains(&format!("  {preset}  ")) || help.contains(&format!("  {preset} ")), "{preset}");
    }
    assert!(help.contains("org_setup.redb") && help.contains("Exit status: 0 done"), "{help}");
}

#[test]
fn another_prefix_makes_other_names() {
    let site = Site::new("prefix");
    let (status, done) = site.json(&["--preset", "usage", "--prefix", "Acme_", "--apply", "--verify"]);
    assert_eq!(status, 0, "{done}");
    assert!(done["applied"]["created"].to_string().contains("Acme_Account_Usage__c"), "{done}");
}

/// Waits until the org has seen so many requests, or the process has ended.
fn wait_for(org: &MockOrg, child: &mut Child, requests: usize) {
    while org.requests().len() < requests && child.try_wait().expect("a child").is_none() {
        thread::yield_now();
    }
}

#[test]
fn nav_2_a_process_killed_at_any_moment_of_apply_is_finished_by_the_next_one() {
    const SEED: u64 = 20_261_127;
    let whole = Site::new("kill-none");
    assert_eq!(whole.json(&["--preset", "usage", "--apply"]).0, 0);
    let (expected, requests) = (unnamed(&whole.org), whole.org.requests().len());
    let mut random = fastrand::Rng::with_seed(SEED);
    // Each request once, and some moments after it: the answer comes late, so that there is a time to be killed in.
    let cases: Vec<(usize, u32)> = (0..=requests).flat_map(|stop| [(stop, 0), (stop, random.u32(0..20_000))]).collect();
    let one = |(stop, spins): (usize, u32)| {
        let case = format!("killed at request {stop} and {spins} later, seed {SEED}");
        let folder = Folder::new(&format!("kill-{stop}-{spins}"));
        let org = MockOrg::builder().latency(Duration::from_millis(3)).start();
        let site = Site { org, folder, runtime: None };
        let mut command = site.command(&["--preset", "usage", "--apply"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
        wait_for(&site.org, &mut child, stop);
        for _ in 0..spins {
            thread::yield_now();
        }
        // On Unix this is SIGKILL. One that has ended already cannot be killed.
        let _ = child.kill();
        let died = !child.wait().expect("a child").success();

        let (status, finished) = site.json(&["--preset", "usage", "--apply", "--verify"]);
        assert_eq!((status, &finished["verified"]["holds"]), (0, &json!(true)), "{case}: {finished}");
        assert_eq!(unnamed(&site.org), expected, "{case}");
        let (status, again) = site.json(&["--preset", "usage"]);
        assert_eq!((status, &again["plan"]["empty"]), (0, &json!(true)), "{case}: {again}");
        let (status, removed) = site.json(&["--preset", "usage", "--remove"]);
        assert_eq!((status, &removed["leftovers"]), (0, &json!([])), "{case}: {removed}");
        assert_eq!(count(&removed["removed"]), 8, "{case}: the ledger knew all of it: {removed}");
        usize::from(died)
    };
    let one = &one;
    let killed: usize = thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(3));
        let workers: Vec<_> =
            parts.map(|some| scope.spawn(move || some.iter().copied().map(one).sum::<usize>())).collect();
        workers.into_iter().map(|worker| worker.join().expect("all hold")).sum()
    });
    assert!(killed > requests, "{killed} of {} died on the way", cases.len());
}
