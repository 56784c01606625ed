//! Writes Rust types of an org's objects: structs to read, create and update, and enums of the picklists.
//!
//! `cargo run --example generate_types -- --object Account Contact` prints those of the mock org; see `--help`.

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::Serialize;
use sforce::codegen::{GeneratedTypes, ObjectTypes, TypeGenerator};
use sforce::types::{SObjectDescribe, SObjectName};
use support::{ENVIRONMENT, Failure, connect, explain, read_describe, say};

const HELP: &str = "With --describe the program needs no org: the file is the JSON that
GET /services/data/vXX.X/sobjects/OBJECT/describe answers.

The types want the crates sforce and serde (with derive). Put them in a module of your program:

  cargo run --example generate_types -- --object Account Contact --output src/salesforce.rs
";

#[derive(Parser)]
#[command(about = "Write Rust types of an org's objects", after_help = format!("{HELP}\n{ENVIRONMENT}"))]
struct Arguments {
    /// API names of objects to describe in the org [default: Contact, unless --describe is given]
    #[arg(long, value_name = "NAME", num_args = 1..)]
    object: Vec<String>,
    /// Describes in JSON, instead of an org's
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "object")]
    describe: Vec<PathBuf>,
    /// Write these fields and Id only: Email, or Contact.Email [default: all fields]
    #[arg(long, value_name = "NAME", num_args = 1..)]
    field: Vec<String>,
    /// Make every field but Id optional to read, for queries that select some of them
    #[arg(long)]
    optional: bool,
    /// A .rs file for all types, or a folder that gets a file per object [default: standard output]
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Print one JSON object as the last line instead of text
    #[arg(long)]
    json: bool,
}

/// The JSON object.
#[derive(Serialize)]
struct Report<'a> {
    objects: &'a [ObjectTypes],
    fields: usize,
    enums: usize,
    skipped: usize,
    /// What was written where; none without `--output`.
    files: Vec<String>,
    /// The types themselves, without `--output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.object.is_empty() && arguments.describe.is_empty() {
        arguments.object.push("Contact".to_owned());
    }
    let command = command(&arguments);
    let describes = if arguments.describe.is_empty() {
        of_org(&arguments.object).await?
    } else {
        let files = arguments.describe.iter().map(|path| read_describe(path).map_err(Failure::Failed));
        files.collect::<Result<_, _>>()?
    };
    let mut generator = TypeGenerator::new().made_by(command).only(arguments.field);
    if arguments.optional {
        generator = generator.all_optional();
    }
    let types = generator.generate(&describes)?;
    let files = arguments.output.as_deref().map(|path| write(&types, path)).transpose()?.unwrap_or_default();
    let objects = types.objects();
    let source = arguments.output.is_none().then(|| types.source());
    if arguments.json {
        let report = Report {
            objects,
            fields: objects.iter().map(|object| object.fields).sum(),
            enums: objects.iter().map(|object| object.enums.len()).sum(),
            skipped: objects.iter().map(|object| object.skipped.len()).sum(),
            files,
            source,
        };
        let text = serde_json::to_string(&report).map_err(|error| Failure::Failed(error.to_string()))?;
        return say(&text);
    }
    for object in objects {
        for skipped in &object.skipped {
            eprintln!("{}.{:?} is left out: {}", object.object, skipped.field, skipped.reason);
        }
    }
    match source {
        Some(source) => say(source.trim_end()),
        None => say(&summary(objects, &files)),
    }
}

/// What makes the same types again.
fn command(arguments: &Arguments) -> String {
    let mut words = vec!["cargo run --example generate_types --".to_owned()];
    let mut option = |name: &str, values: &[String]| {
        if !values.is_empty() {
            words.push(format!("{name} {}", values.join(" ")));
        }
    };
    option("--object", &arguments.object);
    let files: Vec<String> = arguments.describe.iter().map(|path| path.display().to_string()).collect();
    option("--describe", &files);
    option("--field", &arguments.field);
    if arguments.optional {
        words.push("--optional".to_owned());
    }
    words.join(" ")
}

async fn of_org(names: &[String]) -> Result<Vec<SObjectDescribe>, Failure> {
    let names = names.iter().map(|name| {
        SObjectName::new(name.as_str()).map_err(|error| Failure::Usage(format!("{name:?}: {}", explain(&error))))
    });
    let names: Vec<SObjectName> = names.collect::<Result<_, _>>()?;
    let org = connect()?;
    let mut describes = Vec::with_capacity(names.len());
    // Hidden where standard error is no terminal; gone before anything else is told, an error too.
    let bar = ProgressBar::new(names.len() as u64).with_finish(ProgressFinish::AndClear);
    bar.set_style(
        ProgressStyle::with_template("describing {msg} {pos}/{len}")
            .map_err(|error| Failure::Failed(error.to_string()))?,
    );
    for name in &names {
        bar.set_message(name.to_string());
        describes.push(org.client.describe(name).await?);
        bar.inc(1);
    }
    Ok(describes)
}

/// Writes a file, or a folder, and tells which files.
fn write(types: &GeneratedTypes, path: &Path) -> Result<Vec<String>, Failure> {
    let failed =
        |path: &Path, error: std::io::Error| Failure::Failed(format!("cannot write {}: {error}", path.display()));
    let save = |path: &Path, text: &str| {
        std::fs::write(path, text).map(|()| path.display().to_string()).map_err(|error| failed(path, error))
    };
    if !path.is_dir() && path.extension().is_some() {
        return Ok(vec![save(path, &types.source())?]);
    }
    std::fs::create_dir_all(path).map_err(|error| failed(path, error))?;
    types.files().iter().map(|file| save(&path.join(&file.name), &file.text)).collect()
}

fn summary(objects: &[ObjectTypes], files: &[String]) -> String {
    let mut lines = Vec::new();
    for object in objects {
        let others = [&object.new, &object.changes];
        let structs: Vec<&str> =
            std::iter::once(&object.read).chain(others.into_iter().flatten()).map(String::as_str).collect();
        let (fields, enums) = (object.fields, object.enums.len());
        lines.push(format!("{}: {} of {fields} fields, {enums} enums", object.object, structs.join(", ")));
    }
    lines.push(format!("written to {}", files.join(", ")));
    lines.join("\n")
}
