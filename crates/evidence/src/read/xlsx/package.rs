//! The ZIP package around a workbook: which parts there are, and their bytes, inflated as they are
//! read, within limits, with their checksum. Parts are read one at a time. Never parses a part.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom},
};

use flate2::{Crc, read::DeflateDecoder};
use quick_xml::Reader;
use zip::{CompressionMethod, ZipArchive};

use super::super::{
    bytes::{CHUNK, Limits},
    error::ReadError,
};

/// Largest piece of markup, in bytes.
const PIECE_MAX: usize = 16 << 20;

/// A workbook's package.
pub(crate) struct Package {
    file: File,
    archive: ZipArchive<BufReader<File>>,
    limits: Limits,
}

/// Says that the package is damaged.
pub(crate) fn damaged(what: &str) -> ReadError {
    ReadError::Format {
        message: format!("the workbook is damaged or cut off ({what}): fetch it again"),
    }
}

impl Package {
    pub(crate) fn open(file: File, limits: Limits) -> Result<Self, ReadError> {
        let own = file.try_clone().map_err(|error| ReadError::from_io(error, 0))?;
        let archive = ZipArchive::new(BufReader::new(own))
            .map_err(|_| damaged("its table of contents is not there"))?;
        Ok(Self { file, archive, limits })
    }

    /// Whether there is a part of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// A part, ready to be read as markup.
    pub(crate) fn markup(&mut self, name: &str) -> Result<Markup, ReadError> {
        let missing = || damaged(&format!("the part `{name}` is missing"));
        let index = self.archive.index_for_name(name).ok_or_else(missing)?;
        let entry = self.archive.by_index_raw(index).map_err(|_| missing())?;
        if entry.encrypted() {
            let message = "the workbook is protected by a password: save it without one".to_owned();
            return Err(ReadError::Format { message });
        }
        let (start, stored) = (entry.data_start().ok_or_else(missing)?, entry.compressed_size());
        let (method, crc) = (entry.compression(), entry.crc32());
        drop(entry);
        let mut file = self.file.try_clone().map_err(|error| ReadError::from_io(error, 0))?;
        file.seek(SeekFrom::Start(start)).map_err(|error| ReadError::from_io(error, 0))?;
        let bytes = BufReader::with_capacity(CHUNK, file).take(stored);
        let inner = match method {
            CompressionMethod::Stored => Coded::Plain(bytes),
            // Deflate goes by its number: the archive crate is taken without its decoders.
            other if other == CompressionMethod::DEFLATE => {
                Coded::Deflated(DeflateDecoder::new(bytes))
            }
            _ => return Err(damaged(&format!("the part `{name}` is compressed in another way"))),
        };
        let part = Part {
            inner,
            sum: Crc::new(),
            expected: crc,
            inflated: 0,
            stored,
            limits: self.limits,
            name: name.to_owned(),
        };
        let watched = Watched { inner: BufReader::with_capacity(CHUNK, part), taken: 0 };
        let mut reader = Reader::from_reader(watched);
        reader.config_mut().check_comments = false;
        Ok(Markup { reader, name: name.to_owned() })
    }
}

enum Coded {
    Plain(io::Take<BufReader<File>>),
    Deflated(DeflateDecoder<io::Take<BufReader<File>>>),
}

/// Inflates one part, refusing bombs and wrong checksums.
struct Part {
    inner: Coded,
    sum: Crc,
    expected: u32,
    inflated: u64,
    stored: u64,
    limits: Limits,
    name: String,
}

impl Read for Part {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Coded::Plain(bytes) => bytes.read(buf),
            Coded::Deflated(bytes) => bytes.read(buf),
        };
        let broken = || damaged(&format!("the part `{}` does not inflate", self.name)).into_io();
        let n = match read {
            Ok(n) => n,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::InvalidData
                ) =>
            {
                return Err(broken());
            }
            Err(error) => return Err(error),
        };
        self.sum.update(buf.get(..n).unwrap_or_default());
        self.inflated += n as u64;
        self.limits.check(self.inflated, self.stored).map_err(ReadError::into_io)?;
        if n == 0 && !buf.is_empty() && self.sum.sum() != self.expected {
            return Err(broken());
        }
        Ok(n)
    }
}

/// Bounds what one piece of markup may take.
pub(crate) struct Watched {
    inner: BufReader<Part>,
    taken: usize,
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Watched {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > PIECE_MAX {
            return Err(damaged("a piece of markup is larger than 16 MiB").into_io());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        self.inner.consume(amount);
    }
}

/// One part, read as markup.
pub(crate) struct Markup {
    reader: Reader<Watched>,
    name: String,
}

/// One piece of markup that matters.
pub(crate) enum Piece<'b> {
    /// An opening tag, and whether it closes at once.
    Open(quick_xml::events::BytesStart<'b>, bool),
    /// A closing tag, by its local name.
    Close(String),
    /// Text, with its entities resolved.
    Text(String),
    /// Anything that says nothing.
    Other,
    /// The end of the part.
    End,
}

impl Markup {
    /// Reads one piece.
    pub(crate) fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Piece<'b>, ReadError> {
        use quick_xml::events::Event;
        buffer.clear();
        self.reader.get_mut().taken = 0;
        let wrong = || damaged(&format!("the part `{}` is not well-formed", self.name));
        let event = match self.reader.read_event_into(buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                let error = std::sync::Arc::try_unwrap(error).unwrap_or_else(io::Error::other);
                return Err(ReadError::from_io(error, 0));
            }
            Err(_) => return Err(wrong()),
        };
        Ok(match event {
            Event::Start(tag) => Piece::Open(tag, false),
            Event::Empty(tag) => Piece::Open(tag, true),
            Event::End(tag) => Piece::Close(tag.local_name().into_inner().to_owned()),
            Event::Text(text) => Piece::Text(text.xml10_content().into_owned()),
            Event::CData(text) => Piece::Text(text.into_inner().into_owned()),
            Event::GeneralRef(entity) => {
                let character = match entity.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => named_entity(&entity),
                    Err(_) => None,
                };
                Piece::Text(character.ok_or_else(wrong)?.to_string())
            }
            Event::DocType(_) => {
                return Err(damaged(&format!("the part `{}` has a document type", self.name)));
            }
            Event::Eof => Piece::End,
            _ => Piece::Other,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn named_entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// An attribute by its local name, with its entities resolved.
pub(crate) fn attribute(tag: &quick_xml::events::BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes().with_checks(false).flatten().find_map(|attribute| {
        let local = attribute.key.local_name();
        if local.into_inner() != name {
            return None;
        }
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    })
}
