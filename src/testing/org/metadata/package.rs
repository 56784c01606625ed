//! A package as it lies in an archive: its manifests, and the components its files hold.
// Metadata guide, "Deploying and Retrieving Metadata with the Zip File", "Deleting Components from an Organization".

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::super::xml::{self, Element};
use super::archive::Files;
use super::deploy::{Options, Row};
use super::kind::{is_type, type_name};
use super::{Kind, METADATA, elements};

/// A component of a package.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The path its message names.
    pub(super) file: String,
    pub(super) body: Element,
    /// What lies beside the metadata, as the body of a class.
    pub(super) content: Option<Bytes>,
}

/// A component to delete, and the manifest that says so.
#[derive(Debug)]
pub(super) struct Deletion {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) file: String,
}

#[derive(Debug, Default)]
pub(super) struct Package {
    /// From `version` of package.xml.
    pub(super) version: Option<u32>,
    pub(super) items: Vec<Item>,
    pub(super) before: Vec<Deletion>,
    pub(super) after: Vec<Deletion>,
    /// What is to be said of files before anything is carried out, those of the manifests among them.
    pub(super) rows: Vec<Row>,
}

/// Types and members of a manifest, in its order.
#[derive(Debug, Default)]
struct Manifest {
    types: Vec<(String, Vec<String>)>,
    version: Option<u32>,
}

impl Manifest {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let root = xml::parse(bytes).map_err(|reason| format!("Error parsing file: {reason}"))?;
        if root.name != "Package" || root.namespace != METADATA {
            // [K] The text.
            return Err("Error parsing file: the root element is no Package of the Metadata API".to_owned());
        }
        let types = root.all("types").map(|entry| {
            let members = entry.all("members").map(|member| decoded(member.text.trim()));
            (entry.text_of("name").unwrap_or_default().to_owned(), members.collect())
        });
        let version = root.text_of("version").and_then(|text| text.split('.').next()?.parse().ok());
        Ok(Self { types: types.collect(), version })
    }

    /// Whether it names a component, or all of its type. Standard objects are none of "all".
    fn lists(&self, kind: Kind, name: &str) -> bool {
        let all = kind != Kind::Object || name.ends_with("__c");
        self.types
            .iter()
            .filter(|(known, _)| known == kind.name())
            .any(|(_, members)| members.iter().any(|member| member == name || (member == "*" && all)))
    }
}

/// Names in files and manifests may be percent-encoded, as those of layouts are.
pub(super) fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

impl Package {
    /// The packages of an archive: the one at its root, or one in each folder.
    pub(super) fn all(files: &Files, options: &Options) -> Vec<Self> {
        if options.single_package {
            return vec![Self::read(files, "", options)];
        }
        let mut folders: Vec<&str> =
            files.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder).collect();
        folders.dedup();
        if folders.is_empty() {
            return vec![Self::read(files, "unpackaged/", options)];
        }
        folders.into_iter().map(|folder| Self::read(files, &format!("{folder}/"), options)).collect()
    }

    fn read(files: &Files, prefix: &str, options: &Options) -> Self {
        let mut package = Self::default();
        let path = format!("{prefix}package.xml");
        let manifest = match files.get(&path).map(|bytes| Manifest::parse(bytes)) {
            // [S] CustomMetadataLoader#34, jsforce/gulp-jsforce-deploy#7: name, file and text.
            None => Err("No package.xml found".to_owned()),
            Some(parsed) => parsed,
        };
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(problem) => {
                package.rows.push(Row::failure("", "package.xml", &path, problem));
                return package;
            }
        };
        package.version = manifest.version;
        let unknown = manifest.types.iter().find(|(name, _)| !is_type(name));
        package.rows.push(match unknown {
            // [S] forcedotcom/cli#866, ForceCLI/force#506.
            Some((name, _)) => {
                let problem = format!("Unknown type name '{name}' specified in package.xml");
                Row::failure("", "package.xml", &path, problem)
            }
            // recorded by others: the manifest is a row of its own, changed and without a type.
            None => Row { changed: true, ..Row::success("", "package.xml", &path) },
        });
        package.read_deletions(files, prefix, options);
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(prefix)) {
            let inner = &path[prefix.len()..];
            if !matches!(
                inner,
                "package.xml" | "destructiveChanges.xml" | "destructiveChangesPre.xml" | "destructiveChangesPost.xml"
            ) {
                package.read_file(files, &manifest, options, (path, inner), bytes);
            }
        }
        if !options.allow_missing_files {
            package.check_complete(&manifest, &path);
        }
        package.items.sort_by_key(|item| item.kind);
        package
    }

    fn read_deletions(&mut self, files: &Files, prefix: &str, options: &Options) {
        for name in ["destructiveChangesPre.xml", "destructiveChanges.xml", "destructiveChangesPost.xml"] {
            let path = format!("{prefix}{name}");
            let Some(bytes) = files.get(&path) else { continue };
            let manifest = match Manifest::parse(bytes) {
                Ok(manifest) => manifest,
                Err(problem) => {
                    self.rows.push(Row::failure("", name, &path, problem));
                    continue;
                }
            };
            let list = if name == "destructiveChangesPost.xml" { &mut self.after } else { &mut self.before };
            for (kind, members) in manifest.types {
                let Some(kind) = Kind::find(&kind) else {
                    self.rows.extend(not_deleted(&kind, &members, (name, &path), options));
                    continue;
                };
                list.extend(members.into_iter().map(|name| Deletion { kind, name, file: path.clone() }));
            }
            // What needs others goes before them.
            list.sort_by_key(|deletion| std::cmp::Reverse(deletion.kind));
        }
    }

    /// The components of a file.
    fn read_file(
        &mut self,
        files: &Files,
        manifest: &Manifest,
        options: &Options,
        (path, inner): (&str, &str),
        bytes: &Bytes,
    ) {
        let known = inner.split_once('/').and_then(|(directory, file)| {
            let kind = Kind::of_directory(directory)?;
            let (stem, meta) = match file.strip_suffix("-meta.xml") {
                Some(file) => (file, true),
                None => (file, false),
            };
            let stem = stem.strip_suffix(kind.suffix())?.strip_suffix('.')?;
            Some((kind, decoded(stem), meta))
        });
        let Some((kind, name, meta)) = known else {
            // [S] forcedotcom/cli#3012 for the text. [K] That files no type knows get it.
            self.rows.push(Row::failure("", inner, path, "Not in package.xml".to_owned()));
            return;
        };
        let listed = options.auto_update_package || manifest.lists(kind, &name);
        if kind == Kind::ApexClass {
            return self.read_class(files, (path, &name, meta), listed, bytes);
        }
        let root = match xml::parse(bytes) {
            Ok(root) if root.name == kind.name() && root.namespace == METADATA => root,
            // [K] The text, by the pattern of others.
            Ok(root) => {
                let problem =
                    format!("Error parsing file: Element {{{}}}{} is no {}", root.namespace, root.name, kind.name());
                self.rows.push(Row::failure(kind.name(), &name, path, problem));
                return;
            }
            Err(reason) => {
                self.rows.push(Row::failure(kind.name(), &name, path, format!("Error parsing file: {reason}")));
                return;
            }
        };
        if let Some((element, kind)) = elements::stranger(&root, kind) {
            // [S] forcedotcom/cli#3320 for the text; that a file which does not parse is one failure.
            let problem = format!(
                "Error parsing file: Element {{{}}}{} invalid at this location in type {kind}",
                element.namespace, element.name
            );
            let row = Row::failure(root_name(&root), &name, path, problem);
            self.rows.push(Row { line: element.line, column: element.column, ..row });
            return;
        }
        let mut any = listed;
        let (children, own): (Vec<Element>, Vec<Element>) = root
            .children
            .into_iter()
            .partition(|child| kind.children().iter().any(|(element, _)| *element == child.name));
        let mut unlisted = Vec::new();
        for child in children {
            let Some((_, child_kind)) = kind.children().iter().find(|(element, _)| *element == child.name) else {
                continue;
            };
            let full_name = format!("{name}.{}", child.text_of("fullName").unwrap_or_default());
            if listed || options.auto_update_package || manifest.lists(*child_kind, &full_name) {
                any = true;
                let file = path.to_owned();
                self.items.push(Item { kind: *child_kind, name: full_name, file, body: child, content: None });
            } else {
                unlisted.push(Row::failure(child_kind.name(), &full_name, path, "Not in package.xml".to_owned()));
            }
        }
        if !any {
            self.rows.push(Row::failure(kind.name(), &name, path, "Not in package.xml".to_owned()));
            return;
        }
        self.rows.extend(unlisted);
        if listed {
            let body = Element { children: own, ..root_of(kind) };
            self.items.push(Item { kind, name, file: path.to_owned(), body, content: None });
        }
    }

    /// A class is two files: its body, and its metadata beside that.
    fn read_class(&mut self, files: &Files, (path, name, meta): (&str, &str, bool), listed: bool, bytes: &Bytes) {
        if meta {
            let body = path.strip_suffix("-meta.xml").unwrap_or(path);
            if !files.contains_key(body) {
                // [K] The text.
                self.rows.push(Row::failure("ApexClass", name, path, format!("The file {body} is missing")));
            }
            return;
        }
        if !listed {
            self.rows.push(Row::failure("ApexClass", name, path, "Not in package.xml".to_owned()));
            return;
        }
        let beside = format!("{path}-meta.xml");
        let parsed = files.get(&beside).map(|bytes| xml::parse(bytes));
        let body = match parsed {
            Some(Ok(root)) if root.name == "ApexClass" => root,
            // [K] The text.
            None => {
                return self.rows.push(Row::failure("ApexClass", name, path, format!("The file {beside} is missing")));
            }
            _ => return self.rows.push(Row::failure("ApexClass", name, &beside, "Error parsing file".to_owned())),
        };
        let content = Some(bytes.clone());
        self.items.push(Item { kind: Kind::ApexClass, name: name.to_owned(), file: path.to_owned(), body, content });
    }

    fn check_complete(&mut self, manifest: &Manifest, path: &str) {
        for (kind, members) in manifest.types.iter().filter(|(kind, _)| is_type(kind)) {
            for member in members.iter().filter(|member| *member != "*") {
                let there = self.items.iter().any(|item| item.kind.name() == kind && item.name == *member)
                    || self.rows.iter().any(|row| row.kind == kind && row.full_name == *member);
                if !there {
                    // [S] forcedotcom/cli#2182 and many more: text, file, and that the row has no type.
                    let problem = format!(
                        "An object '{member}' of type {kind} was named in package.xml, but was not found in zipped directory"
                    );
                    self.rows.push(Row::failure("", member, path, problem));
                }
            }
        }
    }

    /// Components that are to be made or deleted, without the manifests.
    pub(super) fn count(&self) -> usize {
        self.items.len() + self.before.len() + self.after.len()
    }
}

/// What is said of deletions of a type the org has nothing of.
fn not_deleted(kind: &str, members: &[String], (name, path): (&str, &str), options: &Options) -> Vec<Row> {
    let Some(kind) = type_name(kind) else {
        return vec![Row::failure("", name, path, format!("Unknown type name '{kind}' specified in {name}"))];
    };
    let missing = members.iter().map(|member| {
        let row = Row::failure(kind, name, path, format!("No {kind} named: {member} found"));
        Row { warning: true, success: options.ignore_warnings, ..row }
    });
    missing.collect()
}

fn root_name(root: &Element) -> &'static str {
    Kind::find(&root.name).map_or("", Kind::name)
}

fn root_of(kind: Kind) -> Element {
    Element { namespace: METADATA.to_owned(), name: kind.name().to_owned(), ..Element::default() }
}
