//! Data flows one way: a module imports only modules below it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the top down; those of one line do not import each other.
const LAYERS: &[&[&str]] = &[
    &["adapters"],
    &["sync"],
    &["schema", "mapping", "matching", "conflict", "codegen", "connections"],
    &["api"],
    &["client"],
    &["auth"],
    &["audit"],
    &["http", "store"],
    &["types", "clock"],
    &["error"],
];

/// Of the layers below, these take only the vocabulary.
const PURE: &[&str] = &["mapping", "matching", "conflict", "codegen"];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that a file names by `crate::…`, its own tests left out.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
        let first = |text: &str| {
            text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()
        };
        if rest.starts_with('{') {
            modules.extend(names.split(',').map(first));
        } else {
            modules.push(first(names));
        }
    }
    modules
}

/// What breaks the rule, given the files by their path below `src`.
fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        let module = path.split(['/', '.']).next().unwrap_or_default();
        for import in imports(text) {
            // `Error`, `Result`, `Client` at the root stand for the module they come from.
            let import = match import.as_str() {
                "Client" => "client",
                "Error" | "ErrorKind" | "Result" | "Retry" | "Effect" | "ReauthReason" | "ApiError" => "error",
                other => other,
            };
            let allowed = if path.starts_with("testing/org") {
                import == "testing" && text.contains("crate::testing::org")
            } else if module == "testing" || module == "lib" || import == module {
                true
            } else if import == "testing" {
                false
            } else if PURE.contains(&module) {
                matches!(import, "types" | "error")
            } else {
                match (rank(module), rank(import)) {
                    (Some(above), Some(below)) => above < below,
                    _ => false,
                }
            };
            if !allowed {
                found.push(format!("{path} imports {import}"));
            }
        }
    }
    found
}

#[test]
fn modules_import_only_modules_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let files: BTreeMap<String, String> = paths
        .iter()
        .filter(|path| !path.ends_with("tests.rs") && !path.iter().any(|part| part == "tests"))
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("readable"))
        })
        .collect();
    assert!(files.len() > 20, "the sources were found");
    assert_eq!(violations(&files), Vec::<String>::new());
}

#[test]
fn the_import_check_can_fail() {
    let cases = [
        ("types/id.rs", "use crate::client::Client;"),
        ("types/id.rs", "use crate::clock::Clock;"),
        ("http/mod.rs", "use crate::{auth::TokenProvider, error::Error};"),
        ("mapping/mod.rs", "use crate::api::Page;"),
        ("client/mod.rs", "fn f() { crate::testing::org::MockOrg::start(); }"),
        ("testing/org/state.rs", "use crate::types::RecordId;"),
        ("error.rs", "use crate::Client;"),
    ];
    for (path, text) in cases {
        let files = BTreeMap::from([(path.to_owned(), text.to_owned())]);
        assert_eq!(violations(&files).len(), 1, "{path}: {text}");
    }
}
