//! Descriptions of rows, parted by key so that one part at a time fits in memory: in a list when
//! they are few, in temporary files when they are many.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read as _, Write as _},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use super::resolve::{NewRow, OldRow};
use crate::{
    disk,
    error::{Result, StoreError},
};

/// Most buckets, each with an open file.
const MAX_BUCKETS: u64 = 128;

/// How many buckets so many rows take, with about `at_once` in each.
pub(super) fn count_for(rows: u64, at_once: u64) -> usize {
    let count = rows.div_ceil(at_once.max(1)).clamp(1, MAX_BUCKETS);
    usize::try_from(count).unwrap_or(1)
}

/// A description as bytes of one length.
pub(super) trait Packed: Copy {
    /// That length.
    const BYTES: usize;
    /// What decides its bucket.
    fn group(&self) -> [u8; 16];
    fn pack(&self, out: &mut Vec<u8>);
    fn unpack(fields: &mut Fields<'_>) -> Self;
}

/// Takes numbers off the front of packed bytes; what is missing reads as zero, and lengths are
/// checked before.
pub(super) struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.0 = rest;
                *head
            }
            None => [0; N],
        }
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn i16(&mut self) -> i16 {
        i16::from_le_bytes(self.take())
    }
}

impl Packed for NewRow {
    const BYTES: usize = 66;

    fn group(&self) -> [u8; 16] {
        self.group
    }

    fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group);
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.content.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.from.to_le_bytes());
        out.extend_from_slice(&self.to.to_le_bytes());
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&self.item.to_le_bytes());
        out.extend_from_slice(&self.ordinal.to_le_bytes());
    }

    fn unpack(fields: &mut Fields<'_>) -> Self {
        Self {
            group: fields.take(),
            key: fields.take(),
            content: fields.i64(),
            version: fields.i64(),
            from: fields.i32(),
            to: fields.i32(),
            record: fields.u32(),
            item: fields.i16(),
            ordinal: fields.u32(),
        }
    }
}

impl Packed for OldRow {
    const BYTES: usize = 98;

    fn group(&self) -> [u8; 16] {
        self.group
    }

    fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group);
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.content.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.from.to_le_bytes());
        out.extend_from_slice(&self.to.to_le_bytes());
        out.extend_from_slice(&self.source.to_le_bytes());
        out.extend_from_slice(&self.root_ref.to_le_bytes());
        out.extend_from_slice(&self.root_item.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.entry.to_le_bytes());
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&self.item.to_le_bytes());
        out.push(u8::from(self.deleted));
        out.push(u8::from(self.edited));
        out.extend_from_slice(&self.segment.to_le_bytes());
    }

    fn unpack(fields: &mut Fields<'_>) -> Self {
        Self {
            group: fields.take(),
            key: fields.take(),
            content: fields.i64(),
            version: fields.i64(),
            from: fields.i32(),
            to: fields.i32(),
            source: fields.u64(),
            root_ref: fields.i64(),
            root_item: fields.i16(),
            seq: fields.u64(),
            entry: fields.u32(),
            record: fields.u32(),
            item: fields.i16(),
            deleted: fields.take::<1>() == [1],
            edited: fields.take::<1>() == [1],
            segment: fields.u32(),
        }
    }
}

/// Descriptions parted by key.
pub(super) struct Buckets<T> {
    memory: Vec<T>,
    files: Vec<(PathBuf, BufWriter<disk::Output>)>,
    buffer: Vec<u8>,
    kind: PhantomData<T>,
}

impl<T: Packed> Buckets<T> {
    /// So many buckets; files when there is more than one.
    pub(super) fn new(count: usize, scratch: &Path, name: &str) -> Result<Self> {
        let mut files = Vec::new();
        for n in 0..(if count > 1 { count } else { 0 }) {
            let path = scratch.join(format!("{name}-{n}"));
            let file = disk::Output::create_new(&path).map_err(StoreError::io(&path))?;
            files.push((path, BufWriter::with_capacity(1 << 16, file)));
        }
        Ok(Self { memory: Vec::new(), files, buffer: Vec::new(), kind: PhantomData })
    }

    pub(super) fn push(&mut self, row: T) -> Result<()> {
        if self.files.is_empty() {
            self.memory.push(row);
            return Ok(());
        }
        let head = row.group().first_chunk::<2>().map_or(0, |head| u16::from_be_bytes(*head));
        let bucket = usize::from(head) * self.files.len() / 65_536;
        let Some((path, file)) = self.files.get_mut(bucket) else { return Ok(()) };
        self.buffer.clear();
        row.pack(&mut self.buffer);
        file.write_all(&self.buffer).map_err(StoreError::io(path.as_path()))
    }

    /// Takes one bucket; its file goes.
    pub(super) fn take(&mut self, bucket: usize) -> Result<Vec<T>> {
        if self.files.is_empty() {
            return Ok(std::mem::take(&mut self.memory));
        }
        let Some((path, file)) = self.files.get_mut(bucket) else { return Ok(Vec::new()) };
        file.flush().map_err(StoreError::io(path.as_path()))?;
        let mut reader = BufReader::new(File::open(&path).map_err(StoreError::io(path.as_path()))?);
        let mut rows = Vec::new();
        let mut bytes = vec![0; T::BYTES];
        loop {
            match reader.read_exact(&mut bytes) {
                Ok(()) => rows.push(T::unpack(&mut Fields(&bytes))),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(source) => return Err(StoreError::Io { path: path.clone(), source }),
            }
        }
        disk::remove_file(path).map_err(StoreError::io(path.as_path()))?;
        Ok(rows)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn new_row(n: u32) -> NewRow {
        NewRow {
            group: [u8::try_from(n % 251).unwrap(); 16],
            key: [7; 16],
            content: -i64::from(n),
            version: 3,
            from: i32::MIN,
            to: i32::MAX,
            record: n,
            item: -1,
            ordinal: n + 9,
        }
    }

    #[test]
    fn descriptions_come_back_from_files_as_they_went_in_each_from_one_bucket() {
        let scratch = tempfile::tempdir().unwrap();
        let mut buckets = Buckets::new(5, scratch.path(), "new").unwrap();
        let rows: Vec<NewRow> = (0..1_000).map(new_row).collect();
        for row in &rows {
            buckets.push(*row).unwrap();
        }
        let mut back = Vec::new();
        let mut groups: Vec<[u8; 16]> = Vec::new();
        for n in 0..5 {
            let bucket = buckets.take(n).unwrap();
            let mut here: Vec<[u8; 16]> = bucket.iter().map(|row| row.group).collect();
            here.sort_unstable();
            here.dedup();
            groups.extend(here);
            back.extend(bucket);
        }
        back.sort_unstable_by_key(|row| row.ordinal);
        assert_eq!(back, rows);
        let count = groups.len();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), count, "a group must lie in one bucket");
    }

    #[test]
    fn packed_lengths_are_as_declared() {
        let mut bytes = Vec::new();
        new_row(1).pack(&mut bytes);
        assert_eq!(bytes.len(), NewRow::BYTES);
        let old = OldRow {
            group: [1; 16],
            key: [2; 16],
            content: 1,
            version: 2,
            from: 3,
            to: 4,
            source: 5,
            root_ref: 6,
            root_item: 7,
            seq: 8,
            entry: 9,
            record: 10,
            item: 11,
            deleted: true,
            edited: false,
            segment: 12,
        };
        bytes.clear();
        old.pack(&mut bytes);
        assert_eq!(bytes.len(), OldRow::BYTES);
        assert_eq!(OldRow::unpack(&mut Fields(&bytes)), old);
    }
}
