//! Zips, out and in. Nothing in a zip that came from elsewhere is believed.

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::write::is_path;
use super::{MAX_FILES, MAX_UNPACKED, MAX_ZIP, PackageFile, invalid, wrong};
use crate::error::{Error, Result};

/// Packs files. The same files give the same bytes, whenever it is.
pub(super) fn pack(files: &[PackageFile]) -> Result<Vec<u8>> {
    let unpacked: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
    if files.len() > MAX_FILES || unpacked > MAX_UNPACKED {
        return Err(invalid("the package is larger than Salesforce takes; deploy it in parts")
            .with_context("files", files.len())
            .with_context("bytes", unpacked));
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |error: &dyn std::fmt::Display| invalid("the package cannot be packed").with_context("reason", error);
    for file in files {
        zip.start_file(file.path.as_str(), options).map_err(|error| failed(&error))?;
        zip.write_all(&file.bytes).map_err(|error| failed(&error))?;
    }
    let bytes = zip.finish().map_err(|error| failed(&error))?.into_inner();
    if bytes.len() > MAX_ZIP {
        return Err(invalid("the zip is larger than Salesforce takes; deploy it in parts")
            .with_context("bytes", bytes.len())
            .with_context("allowed", MAX_ZIP));
    }
    Ok(bytes)
}

/// Unpacks a zip: at most `most` bytes, each file by its path.
pub(super) fn unpack(bytes: &[u8], most: u64) -> Result<BTreeMap<String, Vec<u8>>> {
    let unreadable = |error: zip::result::ZipError| wrong("the zip is unreadable").with_source(error);
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if zip.has_duplicate_names() {
        return Err(wrong("the zip has two files of one name"));
    }
    if zip.len() > MAX_FILES {
        return Err(wrong("the zip has more files than a package may have").with_context("files", zip.len()));
    }
    let mut left = most;
    let mut files = BTreeMap::new();
    let mut seen = HashSet::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(unreadable)?;
        let name = entry.name().map_err(unreadable)?.into_owned();
        if entry.is_dir() {
            continue;
        }
        if !is_path(&name) || entry.is_symlink() {
            return Err(wrong("the zip has a file whose name leads elsewhere"));
        }
        // What the zip says of a size is no more than a hint.
        if entry.size() > left {
            return Err(too_large(most));
        }
        let mut content = Vec::new();
        let read = entry.by_ref().take(left + 1).read_to_end(&mut content);
        let read = read.map_err(|error| wrong("the zip is damaged").with_source(error))? as u64;
        left = left.checked_sub(read).ok_or_else(|| too_large(most))?;
        // Windows and macOS take these for one file.
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(wrong("the zip has two files of one name"));
        }
        files.insert(name, content);
    }
    Ok(files)
}

fn too_large(most: u64) -> Error {
    wrong("the zip unpacks to more than a package may have").with_context("allowed", most)
}
