//! A bundle: everything a stranger needs to check the ledger without this program. The layout and
//! the checking belong to the `ledger` crate; this file only hands over what is kept.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use backstay_evidence::manifest::ObjectBody;
use backstay_ledger::{BundleWriter, Digest as LedgerDigest, PayloadFile, checkpoint::origin_of};
use serde::{Deserialize, Serialize};

use crate::{
    backend::Backend as _,
    disk,
    error::{Result, StoreError},
    index::for_each_entry,
    payload::ObjectNote,
    workspace::Workspace,
};

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// Where it is.
    pub folder: PathBuf,
    /// Whose ledger: `backstay/<workspace id>`.
    pub origin: String,
    /// Entries.
    pub entries: u64,
    /// Objects.
    pub objects: u64,
    /// Root of the tree, hexadecimal.
    pub root: String,
    /// The newest signed checkpoint: keep it to prove later that nothing was rewritten.
    pub checkpoint: String,
}

/// The objects that a payload names.
#[derive(Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    pub(crate) objects: Vec<ObjectNote>,
}

/// Reads an object from its first byte.
pub(crate) fn reader(body: ObjectBody) -> Box<dyn Read> {
    match body {
        ObjectBody::File(file) => Box::new(io::BufReader::with_capacity(1 << 16, file)),
        ObjectBody::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
    }
}

impl Workspace {
    /// Writes a bundle into a new or empty folder.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::NoKey`]; [`StoreError::Bundle`] when an object has
    /// changed; those of the disk.
    pub fn bundle(&self, dest: &Path) -> Result<BundleReport> {
        if dest.exists() && fs::read_dir(dest).map_err(StoreError::io(dest))?.next().is_some() {
            return Err(StoreError::NotEmpty(dest.to_owned()));
        }
        disk::create_folders(dest).map_err(StoreError::io(dest))?;
        let key = self.verifier_key()?;
        let mut checkpoints = self.backend.checkpoints()?;
        let Some((size, note)) = checkpoints.pop() else {
            return Err(StoreError::NoEntry { entry: 1, size: 0 });
        };
        let mut folders = BTreeSet::new();
        let mut sink = |path: &str, content: &mut dyn Read| -> io::Result<()> {
            let path = dest.join(path);
            if let Some(folder) = path.parent() {
                disk::create_folders(folder)?;
                folders.insert(folder.to_owned());
            }
            let mut file = disk::Output::create_new(&path)?;
            io::copy(content, &mut file)?;
            file.sync()
        };
        let mut writer = BundleWriter::new(&mut sink);
        let mut written = BTreeSet::new();
        for_each_entry(self.backend(), &mut |stored| {
            // What other processes append meanwhile is for the next bundle.
            if stored.entry.sequence > size {
                return Ok(());
            }
            writer.entry(&stored.entry)?;
            let Some((salt, payload)) = stored.payload else { return Ok(()) };
            let named: Named = serde_json::from_slice(&payload).map_err(|error| {
                StoreError::Payload { entry: stored.entry.sequence, reason: error.to_string() }
            })?;
            writer.payload(&PayloadFile { salt, payload })?;
            for object in named.objects {
                if written.insert(object.digest) {
                    let body = self.backend.open_object(object.digest).map_err(|error| {
                        StoreError::Object {
                            digest: object.digest,
                            reason: format!("cannot be read ({error})"),
                        }
                    })?;
                    writer.object(&LedgerDigest(object.digest.0), &mut reader(body))?;
                }
            }
            Ok(())
        })?;
        for (_, earlier) in thin(checkpoints) {
            writer.earlier_checkpoint(&earlier, &key)?;
        }
        let checkpoint = writer.finish(&note, &key)?;
        for folder in &folders {
            disk::sync_folder(folder).map_err(StoreError::io(folder))?;
        }
        Ok(BundleReport {
            folder: dest.to_owned(),
            origin: origin_of(&self.id),
            entries: size,
            objects: written.len() as u64,
            root: checkpoint.root.to_hex(),
            checkpoint: note,
        })
    }
}

/// The last sixteen checkpoints, and older ones at powers of two: enough to see a rewriting, and
/// few enough for any ledger.
fn thin(checkpoints: Vec<(u64, String)>) -> Vec<(u64, String)> {
    let recent = checkpoints.len().saturating_sub(16);
    let numbered = checkpoints.into_iter().enumerate();
    numbered
        .filter(|(n, (size, _))| *n >= recent || size.is_power_of_two())
        .map(|(_, checkpoint)| checkpoint)
        .collect()
}
