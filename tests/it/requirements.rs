//! `docs/requirements.md` lists every promise once, and names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many promises each product has.
const PROMISES: [(&str, usize); 5] = [("NAV", 42), ("HEAP", 35), ("GPT", 31), ("SMV", 55), ("DEM", 25)];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names of all test functions.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).expect("readable");
        // The flavour of a runtime is no part of the name.
        let plain = |line| if str::starts_with(line, "#[tokio::test(") { "#[tokio::test]\n" } else { line };
        let text: String = text.split_inclusive('\n').map(plain).collect();
        for after in text.split("test]\n").skip(1) {
            let name = after.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_threat_names_tests_that_exist() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let text = fs::read_to_string(path).expect("readable");
    let tests = tests();
    let mut threats = 0;
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, proof] = cells[..] else { panic!("three cells: {line}") };
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert!(proof == "Test" || !named.is_empty(), "a test for each threat: {line}");
        for name in named {
            assert!(tests.contains(name), "{name} is no test");
            threats += 1;
        }
    }
    assert!(threats > 10);
}

#[test]
fn every_promise_stands_once_with_a_state_and_tests_that_exist() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/requirements.md");
    let text = fs::read_to_string(path).expect("readable");
    let tests = tests();
    let mut ids = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && line.contains('-') && !line.starts_with("| ---")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, state, proof] = cells[..] else { panic!("three cells: {line}") };
        assert!(["done", "partly", "open"].contains(&state), "{line}");
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert_eq!(state == "open", named.is_empty(), "a proof where there is something to prove: {line}");
        for name in named {
            assert!(tests.contains(name), "{id} names {name}, which is no test");
        }
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = PROMISES
        .iter()
        .flat_map(|(product, count)| (1..=*count).map(move |number| format!("{product}-{number}")))
        .collect();
    assert_eq!(ids, expected);
}
