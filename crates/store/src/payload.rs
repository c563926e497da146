//! What entries say: one JSON object per kind, the wire format of the store. Later releases add
//! fields; they never change what one means. The offline verifier reads `objects` and `erased`.

use std::collections::BTreeMap;

use backstay_evidence::{Digest, ImportOptions, manifest::RetractTarget, options::Load};
use backstay_ledger::Digest as LedgerDigest;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    backend::StoredEntry,
    error::{Result, StoreError},
};

/// What an object is to the entry that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Typed rows of one table and arrangement.
    Rows,
    /// Rejected records.
    Quarantine,
    /// Case fingerprints.
    Fingerprint,
    /// The source's bytes, encrypted under their own key.
    Source,
    /// Text of the mapping.
    Mapping,
    /// The vocabulary as JSON: a list of tables.
    Vocabulary,
    /// A result, or a file that a basis names.
    File,
}

/// An object that an entry stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectNote {
    /// Its content address.
    pub digest: Digest,
    /// What it is.
    pub role: Role,
    /// Table, for rows of any kind; name, for a file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Arrangement; empty for shared tables.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arrangement_id: String,
    /// Rows in it.
    #[serde(default)]
    pub rows: u64,
    /// Rows that are a later version of another.
    #[serde(default)]
    pub later_versions: u64,
    /// Earliest and latest `occurred`, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_us: Option<(i64, i64)>,
}

impl ObjectNote {
    /// An object that holds no rows.
    pub(crate) fn plain(digest: Digest, role: Role, name: &str) -> Self {
        Self {
            digest,
            role,
            table: name.to_owned(),
            arrangement_id: String::new(),
            rows: 0,
            later_versions: 0,
            occurred_us: None,
        }
    }
}

/// Records by what became of them: `read = accepted + corrected + already_known + quarantined`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records read.
    pub read: u64,
    /// Records that brought at least one new row (or gave none, being valid; see `without_rows`).
    pub accepted: u64,
    /// Records that changed a row, and brought no new one.
    pub corrected: u64,
    /// Records whose rows were all here.
    pub already_known: u64,
    /// Records not taken.
    pub quarantined: u64,
    /// Of the accepted: valid records that the mapping takes no row from, because a later record
    /// of the same group stands for them.
    #[serde(default)]
    pub without_rows: u64,
}

/// Rows of one table by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableCounts {
    /// New facts.
    pub new: u64,
    /// Later versions of known facts.
    pub corrected: u64,
    /// Rows that were here.
    pub already_known: u64,
    /// Facts that a full load no longer had.
    #[serde(default)]
    pub withdrawn: u64,
}

/// Payload of `import` and `reread`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPayload {
    /// File name as handed in, without its folder.
    pub file: String,
    /// SHA-256 of its bytes as handed in.
    pub plain_digest: Digest,
    /// How many bytes that is.
    pub plain_bytes: u64,
    /// How it was read; the mapping stands apart, as the object of that role.
    pub options: ImportOptions,
    /// Digest of all that decides how bytes become rows.
    pub options_digest: Digest,
    /// Digest of the vocabulary.
    pub vocabulary_digest: Digest,
    /// Record counts.
    pub counts: Counts,
    /// Row counts by table.
    pub tables: BTreeMap<String, TableCounts>,
    /// Loads of the whole, with the table and arrangement that they were the whole of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub full_loads: Vec<(String, String)>,
    /// The objects that the entry stands on.
    pub objects: Vec<ObjectNote>,
    /// Whether a log that is here with another clock was to be kept all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_duplicate_log: bool,
    /// Import whose log this one repeats with another clock, when kept all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreeing_clock_with: Option<u64>,
    /// For a reread: the import whose source was read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rereads: Option<u64>,
    /// For a reread: the readings whose rows it takes away, as entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<u64>,
}

/// What an import says, apart from where and when it was said.
pub(crate) fn import_content(
    plain: Digest,
    options: Digest,
    allow_duplicate_log: bool,
) -> LedgerDigest {
    let allow = if allow_duplicate_log { "duplicate log allowed" } else { "" };
    LedgerDigest::of_content(format!("import\n{plain}\n{options}\n{allow}\n").as_bytes())
}

/// What a reread says of an import that said `said`.
pub(crate) fn reread_content(
    said: LedgerDigest,
    options: Digest,
    allow_duplicate_log: bool,
) -> LedgerDigest {
    let allow = if allow_duplicate_log { "duplicate log allowed" } else { "" };
    LedgerDigest::of_content(format!("reread\n{said}\n{options}\n{allow}\n").as_bytes())
}

impl ImportPayload {
    /// What the entry says; `said` is what the import that it rereads says.
    pub(crate) fn content(&self, said: Option<&LedgerDigest>) -> LedgerDigest {
        let (options, allow) = (self.options_digest, self.allow_duplicate_log);
        match (self.rereads, said) {
            (Some(_), Some(said)) => reread_content(*said, options, allow),
            _ => import_content(self.plain_digest, options, allow),
        }
    }

    /// The first object of a role.
    #[must_use]
    pub fn object(&self, role: Role) -> Option<Digest> {
        self.objects.iter().find(|object| object.role == role).map(|object| object.digest)
    }

    /// Whether a table and arrangement were loaded as a whole.
    #[must_use]
    pub fn is_full(&self, table: &str, arrangement_id: &str) -> bool {
        self.full_loads.iter().any(|(t, a)| t == table && a == arrangement_id)
    }
}

/// One row that was entered by hand. Persons stand in it as pseudonyms, as in every stored row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditedRow {
    /// Table.
    pub table: String,
    /// Arrangement; empty for a shared table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arrangement_id: String,
    /// The whole row as texts by physical column, in the words of the vocabulary that the payload
    /// names; a column that is not there is empty.
    pub values: BTreeMap<String, String>,
    /// First version of the fact, `entry:record`; none when this is it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Item of that record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub root_item: i16,
    /// Entry of the version that its author changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The fact no longer stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(number: &i16) -> bool {
    *number == 0
}

/// Payload of `edit`. A row's reference is the entry and its place in `rows`, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditPayload {
    /// The rows.
    pub rows: Vec<EditedRow>,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Digest of the vocabulary that the rows were typed with.
    pub vocabulary_digest: Digest,
}

impl EditPayload {
    /// What the entry says, apart from where in the ledger the rows' first versions stand.
    pub(crate) fn content(&self) -> LedgerDigest {
        let said: Vec<_> = self
            .rows
            .iter()
            .map(|row| (&row.table, &row.arrangement_id, &row.values, row.deleted))
            .collect();
        let text = serde_json::json!([said, self.reason]).to_string();
        LedgerDigest::of_content(format!("edit\n{text}\n").as_bytes())
    }
}

/// Payload of `retract`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractPayload {
    /// What was asked for.
    pub target: RetractTarget,
    /// What is taken away: for an entry also the later readings of its source.
    pub takes: Vec<RetractTarget>,
    /// Why.
    pub reason: String,
}

/// Payload of `erase`, in the form that the offline verifier reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasePayload {
    /// Imports whose source's key was destroyed.
    pub sources: Vec<u64>,
    /// Pseudonym whose vault row was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Why.
    pub reason: String,
    /// Payloads and objects removed as such: none, for keys are enough.
    pub erased: Erased,
}

/// Payloads and objects that an erasure removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Erased {
    /// Entries whose payload is gone.
    pub entries: Vec<u64>,
    /// Objects that are gone.
    pub objects: Vec<Digest>,
}

/// Payload of `disclosure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosurePayload {
    /// Whose real id was asked for.
    pub pseudonym: String,
    /// Why.
    pub reason: String,
}

/// Payload of `assessment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessmentPayload {
    /// The basis, as the engine wrote it.
    pub basis: serde_json::Value,
    /// Digest of the basis bytes.
    pub basis_digest: Digest,
    /// The result.
    pub result: Digest,
    /// The files that the basis names, by name.
    pub files: BTreeMap<String, Digest>,
    /// All of them, as the verifier reads them.
    pub objects: Vec<ObjectNote>,
    /// The step of a month-end that this assessment is, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<crate::close::CloseNote>,
}

/// Payload of `init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitPayload {
    /// Workspace id.
    pub workspace: String,
    /// Format of the workspace.
    pub format: u32,
    /// Release that made it.
    pub release: String,
}

/// The payload of an entry, read as `T`.
pub(crate) fn read<T: DeserializeOwned>(stored: &StoredEntry) -> Result<T> {
    let entry = stored.entry.sequence;
    let Some((_, payload)) = &stored.payload else {
        return Err(StoreError::Payload { entry, reason: "it was erased".to_owned() });
    };
    serde_json::from_slice(payload)
        .map_err(|error| StoreError::Payload { entry, reason: error.to_string() })
}

/// The bytes of a payload.
pub(crate) fn write<T: Serialize>(payload: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(payload)
        .map_err(|error| StoreError::Payload { entry: 0, reason: error.to_string() })
}

/// Whether this is a load of the whole.
pub(crate) fn is_full(load: Load) -> bool {
    load == Load::Full
}
