//! What one reading pass hands out: typed batches, rejected records, real ids for the vault and
//! progress. It owns these shapes and never keeps or counts anything itself.

use arrow::record_batch::RecordBatch;
use serde::{Deserialize, Serialize};

/// Rows of one table and one arrangement, typed and hashed, in the order of their records.
#[derive(Debug, Clone)]
pub struct TypedBatch {
    /// Table of the vocabulary.
    pub table: String,
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// Columns of [`crate::schema::object_schema`]; `_root_ref` and `_root_item` are null,
    /// `_deleted` is false, `_content` is filled. At most [`BATCH_ROWS`] rows.
    pub rows: RecordBatch,
    /// Identity key of each row, see [`crate::identity::identity_keys`].
    pub keys: Vec<[u8; 16]>,
}

/// Rows after which a batch is handed out.
pub const BATCH_ROWS: usize = 16_384;

/// Why one record was not taken. A record may be rejected for several reasons (one for each
/// column that is wrong); none of its rows is kept then, and it counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// 1-based record of the source.
    pub record: u32,
    /// Table that the record was meant for; empty when it could not even be split into cells.
    pub table: String,
    /// Arrangement; empty when it could not be read.
    pub arrangement_id: String,
    /// Case, or other id of what the record is about, when it could be read.
    pub subject: Option<String>,
    /// Column of the table, or of the source for a filter of the mapping.
    pub column: Option<String>,
    /// Cell of a workbook (`Sheet!B7`), when it is one that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Kind of problem, from the list in [`crate::quarantine`], or the mapping's own code.
    pub code: String,
    /// In words, with what to do. Never holds the value itself.
    pub reason: String,
}

/// A cell of the source that a value was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCell {
    /// Column of the source.
    pub column: String,
    /// Cell of a workbook, as `Sheet!B7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// As it is written; none when there is nothing, or when it holds a person's id.
    pub written: Option<String>,
    /// Whether it holds a person's id, which is never shown.
    pub personal: bool,
}

/// What became of one column of one row: of use to show how a source is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedCell {
    /// 1-based record of the source.
    pub record: u32,
    /// Which of several rows that the record gives to the table, from 0.
    pub item: i16,
    /// Cells that it was made from; none for a constant.
    pub from: Vec<SourceCell>,
    /// Table of the vocabulary; empty when the record was refused before it reached one.
    pub table: String,
    /// Column of the table; empty when the record was refused as a whole.
    pub column: String,
    /// The value as it was typed: a pseudonym for a person. None when there is none.
    pub value: Option<String>,
    /// Why the cell is not taken: code and reason.
    pub refused: Option<(String, String)>,
}

/// The real id behind a pseudonym, for the vault. May be handed out more than once in a pass.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultEntry {
    /// Pseudonym that stands in the rows.
    pub pseudonym: String,
    /// Party whose id it is (an arrangement, or as the mapping says).
    pub party: String,
    /// Kind of id: `person`, `sys_user`, …
    pub id_kind: String,
    /// The id as the source writes it.
    pub id: String,
    /// Arrangement of the row; empty for a shared table.
    pub arrangement_id: String,
}

impl std::fmt::Debug for VaultEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultEntry")
            .field("pseudonym", &self.pseudonym)
            .field("party", &self.party)
            .field("id_kind", &self.id_kind)
            .finish_non_exhaustive()
    }
}

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes taken from the source as it is stored (compressed, when it is).
    pub bytes_read: u64,
    /// Its whole size, when known.
    pub bytes_total: Option<u64>,
    /// Records seen.
    pub records: u64,
}

/// Error of whoever takes the rows; it ends the pass and comes back in
/// [`crate::read::ReadError::Sink`].
pub type SinkError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Whether to hand out a record (1-based) cell by cell; its rejections are empty when it is taken.
/// It is asked of every record in turn, in the thread that reads, so it keeps its own count.
pub type WantsCells = Box<dyn FnMut(u32, &[Rejection]) -> bool + Send>;

/// Takes what a pass hands out. Nothing handed out is final before
/// [`crate::read::read_source`] returns `Ok`.
pub trait Sink {
    /// Takes rows.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn rows(&mut self, batch: TypedBatch) -> Result<(), SinkError>;

    /// Takes a rejected record.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn reject(&mut self, rejection: Rejection) -> Result<(), SinkError>;

    /// Takes a real id.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn person(&mut self, entry: VaultEntry) -> Result<(), SinkError>;

    /// Asked once, before the first record: what chooses the records of which to hand out cell by
    /// cell what becomes of them; none by default, for it costs time, and no sink that keeps rows
    /// needs it.
    fn wants_cells(&self) -> Option<WantsCells> {
        None
    }

    /// Takes what became of a record, before its rows or rejections.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn cells(&mut self, cells: Vec<TypedCell>) -> Result<(), SinkError> {
        let _ = cells;
        Ok(())
    }

    /// Is told how far the pass has come, every few thousand records. An error ends the pass,
    /// which is how a user cancels.
    ///
    /// # Errors
    /// Any error ends the pass.
    fn progress(&mut self, progress: Progress) -> Result<(), SinkError>;
}
