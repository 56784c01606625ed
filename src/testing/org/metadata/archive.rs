//! Zip files in and out.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use bytes::Bytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Files by their path in the archive.
pub(super) type Files = BTreeMap<String, Bytes>;

/// What an archive may hold. Metadata guide, "deploy()": "10,000 files", 39 MB packed, 600 MB unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) packed: usize,
    pub(crate) unpacked: u64,
    pub(crate) files: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { packed: 39 << 20, unpacked: 600 << 20, files: 10_000 }
    }
}

/// Why an archive is refused: code and text.
pub(super) type Refused = (&'static str, String);

/// The files of an archive; folders of their own are left out.
pub(super) fn read(archive: &Bytes, bounds: Bounds) -> Result<Files, Refused> {
    // [K] Codes and texts; the limits are documented.
    let broken = |reason: String| ("UNKNOWN_EXCEPTION", format!("The zip file cannot be read: {reason}"));
    let limit = |text: String| ("LIMIT_EXCEEDED", text);
    if archive.len() > bounds.packed {
        return Err(limit(format!(
            "Maximum size of request reached. Maximum size of request is {} bytes.",
            bounds.packed
        )));
    }
    let mut zip = ZipArchive::new(Cursor::new(archive.as_ref())).map_err(|error| broken(error.to_string()))?;
    if zip.len() > bounds.files {
        return Err(limit(format!("The zip file has {} files; the most is {}", zip.len(), bounds.files)));
    }
    let mut left = bounds.unpacked;
    let mut files = Files::new();
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number).map_err(|error| broken(error.to_string()))?;
        let name = entry.name().map_err(|error| broken(error.to_string()))?.replace('\\', "/");
        if entry.is_dir() || name.ends_with('/') {
            continue;
        }
        let mut content = Vec::new();
        let read = (&mut entry).take(left + 1).read_to_end(&mut content).map_err(|error| broken(error.to_string()))?;
        left = left
            .checked_sub(read as u64)
            .ok_or_else(|| limit(format!("The files unpack to more than {} bytes", bounds.unpacked)))?;
        files.insert(name, content.into());
    }
    Ok(files)
}

pub(super) fn write(files: &Files) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // The same files make the same bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, content) in files {
        // Writing to memory does not fail, and names of components are short.
        let _ = zip.start_file(name.as_str(), options).map(|()| zip.write_all(content));
    }
    zip.finish().map(|cursor| cursor.into_inner().into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), Bytes::from(name.repeat(100)))).collect()
    }

    #[test]
    fn what_is_packed_unpacks() {
        let packed = files(&["package.xml", "objects/A__c.object", "layouts/Überblick.layout"]);
        assert_eq!(read(&write(&packed), Bounds::default()).unwrap(), packed);
    }

    #[test]
    fn archives_that_are_none_or_too_large_are_refused() {
        let packed = write(&files(&["a", "b"]));
        let code = |archive: &Bytes, bounds: Bounds| read(archive, bounds).unwrap_err().0;
        assert_eq!(code(&Bytes::from_static(b"PK\x03\x04 no zip"), Bounds::default()), "UNKNOWN_EXCEPTION");
        assert_eq!(code(&packed.slice(..packed.len() / 2), Bounds::default()), "UNKNOWN_EXCEPTION");
        for bounds in [
            Bounds { packed: 10, ..Bounds::default() },
            Bounds { unpacked: 199, ..Bounds::default() },
            Bounds { files: 1, ..Bounds::default() },
        ] {
            assert_eq!(code(&packed, bounds), "LIMIT_EXCEEDED");
        }
    }
}
