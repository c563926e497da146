//! The one pass over a source's bytes: hashed, encrypted and read at the same time.

use std::{
    io::{self, Read},
    path::Path,
    sync::mpsc::sync_channel,
    thread,
};

use backstay_evidence::{Digest, ReadError, ReadSummary, SourceInfo, read_source, sink::Progress};
use backstay_privacy::{SourceKey, SourceWriter};

use super::{
    ImportRequest,
    ahead::{Ahead, WAITING, read_ahead},
    collect::Collector,
};
use crate::{
    backend::{Backend as _, Staged},
    error::{Result, StoreError},
    workspace::Workspace,
};

/// A source to read.
pub(super) struct Input<'a> {
    pub(super) source: Box<dyn Read + Send>,
    pub(super) file: &'a str,
    pub(super) bytes: u64,
    /// Whether its bytes are to be kept; those of a reread are.
    pub(super) keep: bool,
}

/// What a pass brought.
pub(super) struct Reading<'a> {
    pub(super) collector: Collector<'a>,
    pub(super) summary: ReadSummary,
    pub(super) plain_digest: Digest,
    pub(super) plain_bytes: u64,
    /// The encrypted bytes and their key.
    pub(super) kept: Option<(Staged, SourceKey)>,
}

impl Workspace {
    /// Reads a source once.
    pub(super) fn read_source<'a>(
        &'a self,
        input: Input<'_>,
        request: &ImportRequest,
        scratch: &'a Path,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Reading<'a>> {
        let key = SourceKey::generate();
        let writer = match input.keep {
            true => Some(SourceWriter::new(&key.recipient(), self.backend.stage()?)?),
            false => None,
        };
        let mut collector =
            Collector::new(&self.vocabulary, scratch, self.limits.row_bytes, progress);
        let info = SourceInfo { file_name: input.file.to_owned(), bytes_total: Some(input.bytes) };
        let pseudonym = self.keys.pseudonym()?;
        let (read, whole) = thread::scope(|scope| {
            let (sender, receiver) = sync_channel(WAITING);
            let source = input.source;
            let reading = scope.spawn(move || read_ahead(source, writer, sender));
            let mut ahead = Ahead::new(receiver);
            let (vocabulary, options) = (&self.vocabulary, &request.options);
            let read =
                read_source(&mut ahead, &info, vocabulary, options, &pseudonym, &mut collector)
                    .map_err(unwrap_sink)
                    // Bytes that the reader had no need of belong to the file all the same.
                    .and_then(|summary| {
                        io::copy(&mut ahead, &mut io::sink())
                            .map(|_| summary)
                            .map_err(StoreError::io(input.file))
                    });
            drop(ahead);
            match reading.join() {
                Ok(whole) => (read, whole),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let summary = read?;
        if summary.records > u64::from(u32::MAX) {
            return Err(StoreError::TooManyRecords { file: input.file.to_owned() });
        }
        let kept = match whole.writer {
            Some(writer) => Some((writer.finish()?, key)),
            None => None,
        };
        Ok(Reading {
            collector,
            summary,
            plain_digest: Digest(whole.digest),
            plain_bytes: whole.bytes,
            kept,
        })
    }
}

/// Our own errors come back out of the reader as they went in.
fn unwrap_sink(error: ReadError) -> StoreError {
    match error {
        ReadError::Sink(inner) => match inner.downcast::<StoreError>() {
            Ok(ours) => *ours,
            Err(other) => StoreError::Read(ReadError::Sink(other)),
        },
        other => StoreError::Read(other),
    }
}
