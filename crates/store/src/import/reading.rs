//! The one pass over a source's bytes: hashed, encrypted and read at the same time.

use std::{
    io::{self, Read, Write as _},
    path::Path,
};

use backstay_evidence::{Digest, ReadError, ReadSummary, SourceInfo, read_source, sink::Progress};
use backstay_privacy::{SourceKey, SourceWriter};
use sha2::{Digest as _, Sha256};

use super::{ImportRequest, collect::Collector};
use crate::{
    backend::{Backend as _, Staged},
    error::{Result, StoreError},
    workspace::Workspace,
};

/// A source to read.
pub(super) struct Input<'a> {
    pub(super) source: Box<dyn Read>,
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

/// Passes bytes on to the reader, and on the way hashes and encrypts them.
struct Tee {
    source: Box<dyn Read>,
    hasher: Sha256,
    bytes: u64,
    writer: Option<SourceWriter<Staged>>,
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Some(read) = buffer.get(..count) {
            self.hasher.update(read);
            self.bytes += count as u64;
            if let Some(writer) = &mut self.writer {
                writer.write_all(read)?;
            }
        }
        Ok(count)
    }
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
        let mut tee = Tee { source: input.source, hasher: Sha256::new(), bytes: 0, writer };
        let mut collector =
            Collector::new(&self.vocabulary, scratch, self.limits.row_bytes, progress);
        let info = SourceInfo { file_name: input.file.to_owned(), bytes_total: Some(input.bytes) };
        let summary = read_source(
            &mut tee,
            &info,
            &self.vocabulary,
            &request.options,
            &self.keys.pseudonym()?,
            &mut collector,
        )
        .map_err(unwrap_sink)?;
        if summary.records > u64::from(u32::MAX) {
            return Err(StoreError::TooManyRecords { file: input.file.to_owned() });
        }
        // Bytes that the reader had no need of belong to the file all the same.
        io::copy(&mut tee, &mut io::sink()).map_err(StoreError::io(input.file))?;
        let kept = match tee.writer {
            Some(writer) => Some((writer.finish()?, key)),
            None => None,
        };
        Ok(Reading {
            collector,
            summary,
            plain_digest: Digest(tee.hasher.finalize().into()),
            plain_bytes: tee.bytes,
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
