//! From the bytes of a source to UTF-8 text: finds the encoding out and converts. It never looks
//! for records.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    rc::Rc,
};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{
    bytes::{CHUNK, SourceBytes, read_some},
    error::ReadError,
};
use crate::options::TextEncoding;

/// What is said of bytes that are not in the encoding that was declared.
const DECLARED: &str = "convert it to the encoding that it is said to be in, or correct the mapping's \
                        `encoding` or the XML declaration";
/// What is said of bytes that are in no single encoding.
const UNDECLARED: &str = "save it as UTF-8, or give the mapping `encoding = \"latin-1\"` if it is that \
                          throughout";

/// How the bytes become text.
enum Mode {
    /// UTF-8; falls back to Latin-1 at the first byte that is not, as long as all before was ASCII.
    Utf8 {
        declared: bool,
    },
    Latin1 {
        declared: bool,
    },
    Utf16 {
        decoder: Box<Decoder>,
        encoding: TextEncoding,
    },
}

/// The text of a source, as UTF-8 bytes.
pub(crate) struct SourceText<'a> {
    bytes: Box<dyn Read + 'a>,
    stored: Rc<Cell<u64>>,
    gzip: bool,
    mode: Mode,
    raw: Vec<u8>,
    raw_start: u64,
    ended: bool,
    beyond_ascii: bool,
    text: Vec<u8>,
    position: usize,
}

impl<'a> SourceText<'a> {
    /// Looks at the first bytes: byte-order mark, XML declaration, formats that are no text.
    pub(crate) fn of(
        bytes: SourceBytes<'a>,
        declared: Option<TextEncoding>,
    ) -> Result<Self, ReadError> {
        let (stored, gzip) = (Rc::clone(&bytes.stored), bytes.gzip);
        let (raw, bytes, ended) = bytes.into_parts();
        let mut text = Self {
            bytes,
            stored,
            gzip,
            mode: Mode::Utf8 { declared: false },
            raw,
            raw_start: 0,
            ended,
            beyond_ascii: false,
            text: Vec::new(),
            position: 0,
        };
        refuse_binary(&text.raw)?;
        text.choose(declared)?;
        Ok(text)
    }

    fn choose(&mut self, declared: Option<TextEncoding>) -> Result<(), ReadError> {
        let (mark, length) = match self.raw.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (Some(TextEncoding::Utf8), 3),
            [0xff, 0xfe, ..] => (Some(TextEncoding::Utf16Le), 2),
            [0xfe, 0xff, ..] => (Some(TextEncoding::Utf16Be), 2),
            _ => (None, 0),
        };
        self.raw.drain(..length);
        self.raw_start += length as u64;
        let said = match mark.or(declared) {
            None => declared_by_xml(&self.raw)?,
            said => said,
        };
        self.mode = match said {
            None => Mode::Utf8 { declared: false },
            Some(TextEncoding::Utf8) => Mode::Utf8 { declared: true },
            Some(TextEncoding::Latin1) => Mode::Latin1 { declared: true },
            Some(encoding @ TextEncoding::Utf16Le) => Mode::Utf16 {
                decoder: Box::new(UTF_16LE.new_decoder_without_bom_handling()),
                encoding,
            },
            Some(encoding @ TextEncoding::Utf16Be) => Mode::Utf16 {
                decoder: Box::new(UTF_16BE.new_decoder_without_bom_handling()),
                encoding,
            },
        };
        Ok(())
    }

    /// Encoding in use. Before the end of the text it may still turn from UTF-8 to Latin-1.
    pub(crate) fn encoding(&self) -> TextEncoding {
        match &self.mode {
            Mode::Utf8 { .. } => TextEncoding::Utf8,
            Mode::Latin1 { .. } => TextEncoding::Latin1,
            Mode::Utf16 { encoding, .. } => *encoding,
        }
    }

    /// Whether the stored bytes are compressed.
    pub(crate) fn is_gzip(&self) -> bool {
        self.gzip
    }

    /// Stored bytes taken so far.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored.get()
    }

    /// At least `wanted` bytes of text that stay unread, fewer at the end of the source.
    pub(crate) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.text.len() - self.position < wanted && !(self.ended && self.raw.is_empty()) {
            self.take_raw()?;
            self.decode()?;
        }
        Ok(self.text.get(self.position..).unwrap_or_default())
    }

    fn take_raw(&mut self) -> io::Result<()> {
        if !self.ended {
            self.ended = read_some(&mut self.bytes, &mut self.raw, CHUNK)? == Some(0);
        }
        Ok(())
    }

    /// Moves as much of `raw` into `text` as can be decoded.
    fn decode(&mut self) -> io::Result<()> {
        if self.position == self.text.len() {
            self.text.clear();
            self.position = 0;
        } else if self.position > 4 * CHUNK {
            self.text.drain(..self.position);
            self.position = 0;
        }
        let used = match &mut self.mode {
            Mode::Utf8 { declared } => {
                let declared = *declared;
                let (good, bad) = valid_utf8(&self.raw, self.ended);
                let text = self.raw.get(..good).unwrap_or_default();
                self.beyond_ascii |= !text.is_ascii();
                self.text.extend_from_slice(text);
                if bad && (declared || self.beyond_ascii) {
                    let hint = if declared { DECLARED } else { UNDECLARED };
                    let offset = self.raw_start + good as u64;
                    return Err(ReadError::Encoding { offset, encoding: "UTF-8", hint }.into_io());
                }
                if bad {
                    self.mode = Mode::Latin1 { declared: false };
                }
                good
            }
            Mode::Latin1 { declared } => {
                if let Some(at) = letter_in_utf8(&self.raw).filter(|_| !*declared) {
                    let offset = self.raw_start + at as u64;
                    let (encoding, hint) = ("latin-1, as the bytes before it are", UNDECLARED);
                    return Err(ReadError::Encoding { offset, encoding, hint }.into_io());
                }
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(&self.raw);
                self.text.extend_from_slice(text.as_bytes());
                self.raw.len()
            }
            Mode::Utf16 { decoder, encoding } => {
                let room = decoder
                    .max_utf8_buffer_length_without_replacement(self.raw.len())
                    .unwrap_or(4 * CHUNK);
                let mut text = String::with_capacity(room);
                let (result, used) =
                    decoder.decode_to_string_without_replacement(&self.raw, &mut text, self.ended);
                self.text.extend_from_slice(text.as_bytes());
                if let DecoderResult::Malformed(..) = result {
                    let offset = self.raw_start + used as u64;
                    let encoding = encoding.name();
                    return Err(ReadError::Encoding { offset, encoding, hint: DECLARED }.into_io());
                }
                used
            }
        };
        self.raw.drain(..used);
        self.raw_start += used as u64;
        Ok(())
    }
}

impl Read for SourceText<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for SourceText<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, amount: usize) {
        self.position = (self.position + amount).min(self.text.len());
    }
}

/// Length of the valid beginning, and whether a wrong byte follows it (not a mere cut).
fn valid_utf8(raw: &[u8], ended: bool) -> (usize, bool) {
    match std::str::from_utf8(raw) {
        Ok(_) => (raw.len(), false),
        Err(error) => (error.valid_up_to(), error.error_len().is_some() || ended),
    }
}

/// Where an accented letter is written in UTF-8, in bytes that are not. As Latin-1 it would be `Ã`,
/// `Ä` or `Å` before a sign; the signs that do follow a letter (quotes, dashes, the fixed blank) are
/// left out, and what is cut off at the end of the bytes is not seen.
fn letter_in_utf8(raw: &[u8]) -> Option<usize> {
    const AFTER_A_LETTER: [u8; 10] = [0x85, 0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0xa0, 0xab, 0xbb];
    raw.windows(2).position(|pair| match pair {
        [0xc3..=0xc5, second @ 0x80..=0xbf] => !AFTER_A_LETTER.contains(second),
        _ => false,
    })
}

fn refuse_binary(head: &[u8]) -> Result<(), ReadError> {
    let (what, remedy) = match head {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            ("an old Office file", "save it as an Excel workbook (.xlsx) or as CSV")
        }
        [b'%', b'P', b'D', b'F', ..] => ("a PDF", "ask for the figures as CSV"),
        [b'B', b'Z', b'h', ..]
        | [0xfd, b'7', b'z', b'X', b'Z', ..]
        | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            ("compressed otherwise than with gzip", "unpack it first")
        }
        _ => return Ok(()),
    };
    Err(ReadError::NotText { what, remedy })
}

/// The encoding named in an XML declaration.
fn declared_by_xml(head: &[u8]) -> Result<Option<TextEncoding>, ReadError> {
    let head = head.trim_ascii_start();
    let Some(end) = head.starts_with(b"<?xml").then(|| head.windows(2).position(|w| w == b"?>"))
    else {
        return Ok(None);
    };
    let declaration = String::from_utf8_lossy(head.get(..end.unwrap_or(0)).unwrap_or_default());
    let Some((_, rest)) = declaration.split_once("encoding") else { return Ok(None) };
    let name = rest.trim_start().trim_start_matches('=').trim_start();
    let name = name.trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(Some(TextEncoding::Utf8)),
        "iso-8859-1" | "latin-1" | "latin1" | "windows-1252" | "cp1252" => {
            Ok(Some(TextEncoding::Latin1))
        }
        _ => Err(ReadError::Format {
            message: format!(
                "the XML declaration names the encoding `{name}`: convert the file to UTF-8"
            ),
        }),
    }
}
