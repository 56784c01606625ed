//! Where it is kept what was made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sforce::store::{MemoryStore, RedbStore, Store};

use crate::cannot;
use crate::support::{Failure, setting};

/// The store of the ledger.
pub(crate) struct Ledger {
    pub(crate) store: Arc<dyn Store>,
    /// `None` in memory.
    pub(crate) path: Option<PathBuf>,
    pub(crate) words: String,
}

impl Ledger {
    /// Opens the file. One that is not there is made only where something is about to be written.
    pub(crate) async fn open(given: Option<&Path>, is_mock: bool, writes: bool) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path.to_owned(),
            None if is_mock => {
                let words = "in memory, since this mock org ends with the program".to_owned();
                return Ok(Self { store: Arc::new(MemoryStore::default()), path: None, words });
            }
            None => default_path()?,
        };
        let words = path.display().to_string();
        if !path.exists() {
            if !writes {
                let words = format!("{words}, not there yet");
                return Ok(Self { store: Arc::new(MemoryStore::default()), path: Some(path), words });
            }
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))?;
            }
        }
        let store = RedbStore::open(&path).await?;
        Ok(Self { store: Arc::new(store), path: Some(path), words })
    }
}

/// A place that is the same wherever the program is started from.
fn default_path() -> Result<PathBuf, Failure> {
    let state = setting("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")));
    let state =
        state.ok_or_else(|| Failure::Usage("there is no home folder for the ledger: give --ledger FILE".into()))?;
    Ok(state.join("sforce").join("org_setup.redb"))
}
