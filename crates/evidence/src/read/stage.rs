//! The seam between the thread that reads and types and the one that hashes rows and hands them to
//! the sink. Owns the queue between them: bounded, and in the order of the records. Never looks
//! into a row.

use std::sync::mpsc::{Receiver, SyncSender};

use super::ReadError;
use crate::{
    sink::{Progress, Rejection, Sink, TypedCell, VaultEntry, WantsCells},
    typing::row::GrownRows,
};

/// Batches that may wait. With the one being grown and the one being hashed, so many are in memory.
pub(crate) const WAITING: usize = 3;
/// Small pieces that go together.
const TOGETHER: usize = 1_024;

/// What a sink is told, in order.
pub(crate) enum Handed {
    Rows(GrownRows),
    Reject(Rejection),
    Person(VaultEntry),
    Cells(Vec<TypedCell>),
    Progress(Progress),
}

/// The reading end.
pub(crate) struct Outlet {
    sender: SyncSender<Vec<Handed>>,
    held: Vec<Handed>,
    wants: Option<WantsCells>,
}

impl Outlet {
    pub(crate) fn new(sender: SyncSender<Vec<Handed>>, wants: Option<WantsCells>) -> Self {
        Self { sender, held: Vec::new(), wants }
    }

    /// Whether any record may have to be told cell by cell.
    pub(crate) fn asks_for_cells(&self) -> bool {
        self.wants.is_some()
    }

    /// Whether this one has to.
    pub(crate) fn wants_cells(&mut self, record: u32, rejections: &[Rejection]) -> bool {
        self.wants.as_mut().is_some_and(|wants| wants(record, rejections))
    }

    /// Hands rows on, with all that was said before them.
    pub(crate) fn rows(&mut self, rows: GrownRows) -> Result<(), ReadError> {
        self.held.push(Handed::Rows(rows));
        self.flush()
    }

    /// Hands on what is small.
    pub(crate) fn say(&mut self, what: Handed) -> Result<(), ReadError> {
        self.held.push(what);
        if self.held.len() < TOGETHER { Ok(()) } else { self.flush() }
    }

    /// Hands on what waits; an error means that nobody takes it any more, and who took it knows why.
    pub(crate) fn flush(&mut self) -> Result<(), ReadError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        self.sender.send(held).map_err(|_| ReadError::Sink("the sink has ended the pass".into()))
    }
}

/// The taking end: hashes rows and tells the sink everything, until the reader is done.
pub(crate) fn take_all(
    receiver: Receiver<Vec<Handed>>,
    sink: &mut dyn Sink,
) -> Result<(), ReadError> {
    for handed in receiver.into_iter().flatten() {
        match handed {
            Handed::Rows(rows) => sink.rows(rows.hashed()?).map_err(ReadError::Sink)?,
            Handed::Reject(rejection) => sink.reject(rejection).map_err(ReadError::Sink)?,
            Handed::Person(entry) => sink.person(entry).map_err(ReadError::Sink)?,
            Handed::Cells(cells) => sink.cells(cells).map_err(ReadError::Sink)?,
            Handed::Progress(progress) => sink.progress(progress).map_err(ReadError::Sink)?,
        }
    }
    Ok(())
}
