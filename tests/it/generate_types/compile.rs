//! Whether generated text compiles, found out by the compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::support::not_run;

const PROBE: &str =
    "#[derive(serde::Serialize, serde::Deserialize)] pub struct Probe { pub id: sforce::types::RecordId }";

/// The crates that generated text wants, as built for this test.
struct Crates {
    sforce: PathBuf,
    serde: PathBuf,
    folder: PathBuf,
}

/// What belongs to one test, gone with the value.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sforce-{}-types-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("writable");
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody needs it any more.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rustc(crates: &Crates, file: &Path, into: &Path) -> Option<Output> {
    let external = |name: &str, path: &Path| format!("{name}={}", path.display());
    let mut command = Command::new("rustc");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"]);
    command.args(["-D", "warnings", "-D", "missing_docs", "-D", "unsafe_code", "--out-dir"]).arg(into);
    command.arg("--extern").arg(external("sforce", &crates.sforce));
    command.arg("--extern").arg(external("serde", &crates.serde));
    command.arg("-L").arg(format!("dependency={}", crates.folder.display())).arg(file);
    command.output().ok()
}

/// The newest pair that fits together: a target folder may hold older builds of both. `None` where there is no compiler.
fn crates() -> Option<&'static Crates> {
    static FOUND: OnceLock<Option<Crates>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let test = std::env::current_exe().expect("a path");
        let folder = test.parent().expect("target/<profile>/deps").to_owned();
        let builds = |name: &str| {
            let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
                .expect("readable")
                .map(|entry| entry.expect("readable").path())
                .filter(|path| {
                    let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
                    file.starts_with(&format!("lib{name}-")) && path.extension().is_some_and(|kind| kind == "rlib")
                })
                .collect();
            found.sort_by_key(|path| std::cmp::Reverse(path.metadata().and_then(|data| data.modified()).ok()));
            found
        };
        let scratch = Folder::new("probe");
        let probe = scratch.write("probe.rs", &format!("#![allow(missing_docs)]\n{PROBE}\n"));
        for sforce in builds("sforce").into_iter().take(4) {
            for serde in builds("serde").into_iter().take(8) {
                let crates = Crates { sforce: sforce.clone(), serde, folder: folder.clone() };
                if rustc(&crates, &probe, scratch.path())?.status.success() {
                    return Some(crates);
                }
            }
        }
        None
    });
    found.as_ref()
}

/// What the compiler says of a file, warnings as errors; `None`, and said so, where there is no compiler to ask.
pub(super) fn compile(what: &str, file: &Path, into: &Folder) -> Option<Result<(), String>> {
    let Some(crates) = crates() else {
        not_run(what, "no rustc that fits this build");
        return None;
    };
    let output = rustc(crates, file, into.path()).expect("it ran before");
    Some(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) })
}

/// What `rustfmt` with its own defaults would change; `None`, and said so, where there is none.
pub(super) fn unformatted(what: &str, file: &Path, into: &Folder) -> Option<String> {
    let config = into.write("rustfmt.toml", "");
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "--color", "never", "--config-path"])
        .arg(config)
        .arg(file)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::new()),
        Ok(output) if !output.stdout.is_empty() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => {
            not_run(what, "no rustfmt");
            None
        }
    }
}
