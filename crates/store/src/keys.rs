//! The three secrets of a workspace, each a file of 64 hexadecimal digits that only its owner may
//! read: `pseudonym.key`, `wrap.key`, `signing.key`. They are never logged and never leave the
//! folder except by a backup that asks for them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use backstay_ledger::SigningKey;
use backstay_privacy::{PseudonymKey, VaultBox, WrapKey};

use crate::{
    disk,
    error::{Result, StoreError},
};

const PSEUDONYM: &str = "pseudonym.key";
const WRAP: &str = "wrap.key";
const SIGNING: &str = "signing.key";

/// The folder of keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    folder: PathBuf,
}

impl Keys {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes the three keys into a new folder.
    pub(crate) fn create(&self, pseudonym: &[u8], wrap: &[u8], signing: &[u8]) -> Result<()> {
        disk::create_folder(&self.folder).map_err(StoreError::io(&self.folder))?;
        disk::restrict(&self.folder, 0o700).map_err(StoreError::io(&self.folder))?;
        for (name, key) in [(PSEUDONYM, pseudonym), (WRAP, wrap), (SIGNING, signing)] {
            let path = self.folder.join(name);
            write_private(&path, format!("{}\n", hex::encode(key)).as_bytes())?;
        }
        disk::sync_folder(&self.folder).map_err(StoreError::io(&self.folder))
    }

    /// The names of the key files.
    pub(crate) fn names() -> [&'static str; 3] {
        [PSEUDONYM, WRAP, SIGNING]
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn pseudonym(&self) -> Result<PseudonymKey> {
        self.read(PSEUDONYM).map(PseudonymKey::new)
    }

    pub(crate) fn wrap(&self) -> Result<WrapKey> {
        self.read(WRAP).map(WrapKey::new)
    }

    pub(crate) fn vault(&self) -> Result<VaultBox> {
        self.wrap().map(VaultBox::new)
    }

    pub(crate) fn signing(&self, origin: &str) -> Result<SigningKey> {
        Ok(SigningKey::from_seed(origin, &self.read(SIGNING)?)?)
    }

    fn read(&self, name: &str) -> Result<[u8; 32]> {
        let path = self.folder.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoKey(path));
            }
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        let mut key = [0; 32];
        match hex::decode_to_slice(text.trim(), &mut key) {
            Ok(()) => Ok(key),
            Err(_) => Err(StoreError::Damaged {
                path,
                reason: "it is not 64 hexadecimal digits: put the file back from a backup".into(),
            }),
        }
    }
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = disk::Output::create_private(path)?;
        file.write_all(bytes)?;
        file.sync()
    };
    write().map_err(StoreError::io(path))
}
