//! Components as files.

use std::path::{Path, PathBuf};

use sforce::api::metadata::{CustomObject, Package};
use sforce::schema::DesiredSchema;

use crate::cannot;
use crate::support::Failure;

/// What was written.
pub(crate) struct Written {
    /// Paths below the folder.
    pub(crate) files: Vec<PathBuf>,
    /// Sections that are parts of layouts of an org, and so are no files.
    pub(crate) sections: usize,
}

/// Writes every component as one file, and leaves all other files of the folder alone.
pub(crate) fn write(desired: &DesiredSchema, folder: &Path) -> Result<Written, Failure> {
    // Fields are components of their own.
    let objects = desired.objects.iter().map(|object| CustomObject { fields: Vec::new(), ..object.clone() });
    let package = Package::new()
        .with_all(objects)
        .with_all(desired.all_fields())
        .with_all(desired.permission_set.clone())
        .with_all(desired.components.iter().cloned());
    let mut files = Vec::new();
    for file in package.component_files()? {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| cannot("make", parent, &error))?;
        std::fs::write(&path, &file.bytes).map_err(|error| cannot("write", &path, &error))?;
        files.push(PathBuf::from(file.path));
    }
    Ok(Written { files, sections: desired.layout_sections.len() })
}
