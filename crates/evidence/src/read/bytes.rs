//! The stored bytes of a source: counts them, inflates gzip within limits, and puts them into a
//! temporary file for formats that are read from their end. Never looks at what they say.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _},
    rc::Rc,
};

use flate2::bufread::MultiGzDecoder;

use super::error::ReadError;

/// Bytes taken at a time.
pub(crate) const CHUNK: usize = 128 << 10;
/// Bytes looked at to tell formats apart.
const HEAD: usize = 1_024;

/// How much a source may unfold to. The default is what the product promises; tests take less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest inflated size, in bytes.
    pub inflated_max: u64,
    /// Inflated size from which on the ratio counts, in bytes.
    pub ratio_from: u64,
    /// Largest ratio of inflated to stored bytes.
    pub ratio_max: u64,
    /// Largest record, in bytes of its text.
    pub record_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inflated_max: 64 << 30,
            ratio_from: 64 << 20,
            ratio_max: 1_000,
            record_max: 16 << 20,
        }
    }
}

impl Limits {
    /// Refuses what has inflated too far.
    pub(crate) fn check(&self, inflated: u64, stored: u64) -> Result<(), ReadError> {
        let limit = if inflated > self.inflated_max {
            size(self.inflated_max)
        } else if inflated > self.ratio_from && inflated / self.ratio_max.max(1) > stored {
            format!("{} times its size", grouped(self.ratio_max))
        } else {
            return Ok(());
        };
        Err(ReadError::Inflated { limit })
    }
}

/// A size in the largest unit that divides it.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

/// Thousands set apart.
fn grouped(number: u64) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1_000), number % 1_000)
}

/// Counts the bytes that pass.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    count: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count.set(self.count.get() + n as u64);
        Ok(n)
    }
}

/// The stored bytes, the first two of which were looked at.
type Stored<'a> = BufReader<io::Chain<io::Cursor<Vec<u8>>, Counted<'a>>>;

/// Inflates, refusing bombs and naming where damaged bytes begin.
struct Inflated<'a> {
    inner: MultiGzDecoder<Stored<'a>>,
    stored: Rc<Cell<u64>>,
    inflated: u64,
    limits: Limits,
}

impl Read for Inflated<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match self.inner.read(buf) {
            Ok(n) => n,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::InvalidData
                ) =>
            {
                let damaged = ReadError::Gzip { inflated: self.inflated, records: 0 };
                return Err(damaged.into_io());
            }
            Err(error) => return Err(error),
        };
        self.inflated += n as u64;
        self.limits.check(self.inflated, self.stored.get()).map_err(ReadError::into_io)?;
        Ok(n)
    }
}

/// The bytes of a source after decompression, the first of which can be looked at.
pub(crate) struct SourceBytes<'a> {
    bytes: Box<dyn Read + 'a>,
    head: Vec<u8>,
    ended: bool,
    pub(crate) stored: Rc<Cell<u64>>,
    pub(crate) gzip: bool,
    pub(crate) limits: Limits,
}

impl<'a> SourceBytes<'a> {
    pub(crate) fn open(source: &'a mut dyn Read, limits: Limits) -> Result<Self, ReadError> {
        let stored = Rc::new(Cell::new(0));
        let mut counted = Counted { inner: source, count: Rc::clone(&stored) };
        let head = read_head(&mut counted).map_err(|error| ReadError::from_io(error, 0))?;
        let gzip = head == [0x1f, 0x8b];
        let plain = BufReader::with_capacity(CHUNK, io::Cursor::new(head).chain(counted));
        let mut bytes: Box<dyn Read + 'a> = if gzip {
            let inner = MultiGzDecoder::new(plain);
            Box::new(Inflated { inner, stored: Rc::clone(&stored), inflated: 0, limits })
        } else {
            Box::new(plain)
        };
        let mut head = Vec::new();
        let mut ended = false;
        while head.len() < HEAD && !ended {
            let read = read_some(&mut bytes, &mut head, CHUNK);
            ended = read.map_err(|error| ReadError::from_io(error, 0))? == Some(0);
        }
        Ok(Self { bytes, head, ended, stored, gzip, limits })
    }

    /// The first bytes, at least a kilobyte of them if there are so many.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The first bytes, the others, and whether there are none.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Box<dyn Read + 'a>, bool) {
        (self.head, self.bytes, self.ended)
    }

    /// Puts all bytes into a temporary file that nobody else sees; gives it with its size.
    pub(crate) fn spool(&mut self) -> Result<(File, u64), ReadError> {
        let mut spool = || -> io::Result<(File, u64)> {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.head)?;
            let rest = if self.ended { 0 } else { io::copy(&mut self.bytes, &mut file)? };
            self.ended = true;
            file.seek(SeekFrom::Start(0))?;
            Ok((file, rest + self.head.len() as u64))
        };
        spool().map_err(|error| ReadError::from_io(error, 0))
    }
}

/// Appends up to `most` bytes; `None` when interrupted.
pub(crate) fn read_some(
    from: &mut dyn Read,
    into: &mut Vec<u8>,
    most: usize,
) -> io::Result<Option<usize>> {
    let filled = into.len();
    into.resize(filled + most, 0);
    let result = match into.get_mut(filled..) {
        Some(room) => from.read(room),
        None => Ok(0),
    };
    match result {
        Ok(n) => {
            into.truncate(filled + n);
            Ok(Some(n))
        }
        Err(error) => {
            into.truncate(filled);
            if error.kind() == io::ErrorKind::Interrupted { Ok(None) } else { Err(error) }
        }
    }
}

/// The first two bytes, fewer when there are no more. A reader may hand them out one by one.
fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(2).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn limits_are_told_in_words() {
        let limits = Limits::default();
        let told = |inflated, stored| limits.check(inflated, stored).unwrap_err().to_string();
        assert!(limits.check(64 << 30, 64 << 30).is_ok());
        assert!(told((64 << 30) + 1, 64 << 30).contains("more than 64 GiB"));
        assert!(told(65 << 20, 1).contains("more than 1,000 times its size"));
        assert_eq!((size(1_536), size(3 << 20)), ("1536 bytes".to_owned(), "3 MiB".to_owned()));
    }

    #[test]
    fn spooled_bytes_are_the_inflated_ones() {
        let text: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        let mut plain = text.as_slice();
        let mut bytes = SourceBytes::open(&mut plain, Limits::default()).unwrap();
        let (mut file, size) = bytes.spool().unwrap();
        let mut back = Vec::new();
        file.read_to_end(&mut back).unwrap();
        assert_eq!((back.len() as u64, &back), (size, &text));
    }
}
