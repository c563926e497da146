//! The seam between the thread that splits a source into records and the one that types them. Owns
//! the queue between them: bounded in records and in text, in the order of the source, its buffers
//! used again. Never looks into a record.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::{ReadError, record::RawRecord, source::SourceReader};

/// Batches that may wait. With the one being split and the one being typed, so many are in memory.
const WAITING: usize = 3;
/// Records of a batch, at most.
const RECORDS: usize = 512;
/// Text of a batch, at most, give or take a record.
const TEXT: usize = 256 << 10;
/// Text and cells of a record whose buffers are kept for the next one, at most.
const KEPT_TEXT: usize = 16 << 10;
const KEPT_CELLS: usize = 1 << 10;

/// Records that go together, with what else was found while they were split.
pub(crate) struct Split {
    pub(crate) records: Records,
    /// Columns that the source has named since the batch before.
    pub(crate) columns: Vec<String>,
    /// Bytes of the source, as stored, read so far.
    pub(crate) stored: u64,
}

/// Some records, and behind them buffers of earlier ones.
#[derive(Default)]
pub(crate) struct Records {
    buffers: Vec<RawRecord>,
    filled: usize,
}

impl Records {
    pub(crate) fn as_slice(&self) -> &[RawRecord] {
        self.buffers.get(..self.filled).unwrap_or_default()
    }

    /// The next record to be filled.
    fn next(&mut self) -> Option<&mut RawRecord> {
        if self.filled == self.buffers.len() {
            self.buffers.push(RawRecord::default());
        }
        self.buffers.get_mut(self.filled)
    }

    /// Forgets the records, and the buffers of those that were large.
    fn empty(&mut self) {
        self.filled = 0;
        for record in &mut self.buffers {
            if record.text.capacity() > KEPT_TEXT || record.spans.capacity() > KEPT_CELLS {
                *record = RawRecord::default();
            }
        }
    }
}

/// The splitting end.
pub(crate) struct Splitter {
    sender: SyncSender<Split>,
    spare: Receiver<Records>,
    /// Columns that the other end knows.
    known: usize,
}

/// The typing end.
pub(crate) struct Splits {
    receiver: Receiver<Split>,
    spare: Sender<Records>,
}

impl Splitter {
    /// Both ends of a queue; the typing end knows so many columns.
    pub(crate) fn new(known: usize) -> (Self, Splits) {
        let (sender, receiver) = sync_channel(WAITING);
        let (back, spare) = channel();
        (Self { sender, spare, known }, Splits { receiver, spare: back })
    }

    /// Hands on records that were split before, and then splits the rest of the source, until it
    /// ends or nobody takes records any more; who took them then knows why.
    ///
    /// # Errors
    /// Those of the reader.
    pub(crate) fn split(
        &mut self,
        before: Vec<RawRecord>,
        reader: &mut SourceReader<'_>,
    ) -> Result<(), ReadError> {
        let filled = before.len();
        self.send(Records { buffers: before, filled }, reader);
        loop {
            let mut records = self.spare.try_recv().unwrap_or_default();
            let (mut text, mut more) = (0, true);
            while more && records.filled < RECORDS && text < TEXT {
                let Some(record) = records.next() else { break };
                more = reader.next(record)?;
                text += record.text.len();
                records.filled += usize::from(more);
            }
            if !self.send(records, reader) || !more {
                return Ok(());
            }
        }
    }

    /// False: nobody takes records any more.
    fn send(&mut self, records: Records, reader: &SourceReader<'_>) -> bool {
        let all = reader.columns();
        let columns = all.names().get(self.known..).unwrap_or_default().to_vec();
        self.known = all.len();
        self.sender.send(Split { records, columns, stored: reader.stored_bytes() }).is_ok()
    }
}

impl Splits {
    /// Batches in the order of the source, until it ends.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Split> + '_ {
        self.receiver.iter()
    }

    /// Gives buffers back for later records.
    pub(crate) fn give_back(&self, mut records: Records) {
        records.empty();
        // Who splits may have come to the end.
        let _ = self.spare.send(records);
    }
}
