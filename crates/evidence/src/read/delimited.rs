//! Reader of delimited text: finds the delimiter out, splits records with quotes and embedded line
//! breaks, bounds their size, and knows their physical lines when asked. Every record that cannot
//! be split comes out marked as broken; none is skipped.

use std::io::{self, BufRead as _};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr_iter, memchr3};

use super::{
    error::ReadError,
    record::{ColumnSet, Place, RawRecord},
    text::SourceText,
};
use crate::quarantine::code;

/// Largest record in bytes, without its quotes.
pub(crate) const RECORD_MAX: usize = 16 << 20;
/// Most columns of a header.
const COLUMNS_MAX: usize = 16_384;
/// Text looked at to find the delimiter.
const SNIFFED: usize = 64 << 10;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reader of one delimited source.
pub(crate) struct DelimitedReader<'a> {
    source: SourceText<'a>,
    core: Box<Reader>,
    delimiter: u8,
    columns: ColumnSet,
    width: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    records: u64,
    /// Lines before the next byte, and the bytes of the record, kept when asked for.
    locating: bool,
    first_line: u64,
    line: u64,
    last: u8,
    kept: Vec<u8>,
}

/// How splitting one record ended.
enum Split {
    Cells(usize),
    TooLarge,
    Unclosed,
    End,
}

impl<'a> DelimitedReader<'a> {
    /// Reads the header.
    pub(crate) fn open(
        mut source: SourceText<'a>,
        delimiter: Option<char>,
        locating: bool,
    ) -> Result<Self, ReadError> {
        let head = source.peek(SNIFFED).map_err(|error| ReadError::from_io(error, 0))?;
        let delimiter = match delimiter {
            Some(given) => u8::try_from(given)
                .ok()
                .filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n'))
                .ok_or_else(|| {
                    ReadError::plan(format!("`{}` cannot be a delimiter", given.escape_default()))
                })?,
            None => sniff_delimiter(head),
        };
        let mut reader = Self {
            source,
            core: Box::new(ReaderBuilder::new().delimiter(delimiter).build()),
            delimiter,
            columns: ColumnSet::default(),
            width: 0,
            output: vec![0; 4 << 10],
            ends: vec![0; 64],
            records: 0,
            locating,
            first_line: 1,
            line: 1,
            last: 0,
            kept: Vec::new(),
        };
        reader.read_header()?;
        Ok(reader)
    }

    fn read_header(&mut self) -> Result<(), ReadError> {
        let wrong = |message: String| ReadError::Header { message };
        let cells = match self.split().map_err(|error| ReadError::from_io(error, 0))? {
            Split::Cells(cells) => cells,
            Split::End => return Err(ReadError::Empty),
            Split::TooLarge => {
                return Err(wrong(
                    "it is larger than 16 MiB or has more than 16,384 columns".to_owned(),
                ));
            }
            Split::Unclosed => return Err(wrong("a quote is opened and never closed".to_owned())),
        };
        let mut start = 0;
        for (number, end) in self.ends.iter().take(cells).enumerate() {
            let name = self.output.get(start..*end).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            if name.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n')) {
                let what = "a binary file, or text in UTF-16 without its byte-order mark";
                let remedy = "save it as CSV in UTF-8, or give the mapping its `encoding`";
                return Err(ReadError::NotText { what, remedy });
            }
            let name = match name.trim() {
                "" => format!("column {}", number + 1),
                name => name.to_owned(),
            };
            if let Some(first) = self.columns.number(&name) {
                return Err(wrong(format!(
                    "it names `{name}` twice, as columns {} and {}: rename one",
                    first + 1,
                    number + 1
                )));
            }
            self.columns.intern(&name);
            start = *end;
        }
        self.width = cells;
        Ok(())
    }

    pub(crate) fn columns_mut(&mut self) -> &mut ColumnSet {
        &mut self.columns
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        &self.columns
    }

    pub(crate) fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    pub(crate) fn source(&self) -> &SourceText<'a> {
        &self.source
    }

    /// Reads the next record; false at the end.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        if !self.locating && self.take_plain(record)? {
            return Ok(true);
        }
        let split = self.split().map_err(|error| ReadError::from_io(error, self.records))?;
        if matches!(split, Split::End) {
            return Ok(false);
        }
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        if self.locating {
            self.place(&mut record.place, matches!(split, Split::Unclosed));
        }
        match split {
            Split::Cells(cells) => self.take_cells(record, cells),
            Split::TooLarge => {
                let reason = "the record is larger than 16 MiB or has more than 16,384 cells; is a \
                              quote never closed?";
                record.broken = Some((code::TOO_LARGE, reason.to_owned()));
            }
            Split::Unclosed | Split::End => {
                let reason = "a quote is opened and never closed before the end of the file";
                record.broken = Some((code::UNCLOSED_QUOTE, reason.to_owned()));
            }
        }
        Ok(true)
    }

    fn take_cells(&mut self, record: &mut RawRecord, cells: usize) {
        let length = self.ends.iter().take(cells).next_back().copied().unwrap_or(0);
        // The text was UTF-8 and only quotes were taken out, so this cannot fail.
        let text = std::str::from_utf8(self.output.get(..length).unwrap_or_default());
        record.text.push_str(text.unwrap_or_default());
        let mut start = 0;
        for end in self.ends.iter().take(cells) {
            let span = (u32::try_from(start).unwrap_or(0), u32::try_from(*end).unwrap_or(0));
            record.spans.push(Some(span));
            start = *end;
        }
        self.check_width(record, cells);
    }

    fn check_width(&self, record: &mut RawRecord, cells: usize) {
        let expected = self.width;
        if cells != expected {
            let reason =
                format!("the record has {cells} cells, but the header has {expected} columns");
            record.broken = Some((code::RAGGED, reason));
        }
    }

    /// Takes a record that is one line without a quote and is here to its end, which is what most
    /// are; false leaves everything as it was, for [`Self::split`]. Both split such a line alike.
    fn take_plain(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        let more = self.skip_line_breaks();
        if !more.map_err(|error| ReadError::from_io(error, self.records))? {
            return Ok(false);
        }
        let input = self.source.fill_buf();
        let input = input.map_err(|error| ReadError::from_io(error, self.records))?;
        let Some(end) = memchr3(b'\n', b'\r', b'"', input).filter(|end| *end < RECORD_MAX) else {
            return Ok(false);
        };
        let (line, rest) = input.split_at(end);
        // The text was UTF-8, so this cannot fail.
        let (false, Ok(text)) = (rest.first() == Some(&b'"'), std::str::from_utf8(line)) else {
            return Ok(false);
        };
        let mut start = 0;
        let places = |place: usize| u32::try_from(place).unwrap_or(0);
        for at in memchr_iter(self.delimiter, line) {
            record.spans.push(Some((places(start), places(at))));
            start = at + 1;
        }
        record.spans.push(Some((places(start), places(end))));
        if record.spans.len() > COLUMNS_MAX {
            record.spans.clear();
            return Ok(false);
        }
        record.text.push_str(text);
        self.source.consume(end + 1);
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        let cells = record.spans.len();
        self.check_width(record, cells);
        Ok(true)
    }

    /// Splits one record into `output` and `ends`.
    fn split(&mut self) -> io::Result<Split> {
        if !self.skip_line_breaks()? {
            return Ok(Split::End);
        }
        self.kept.clear();
        self.first_line = self.line;
        let (mut written, mut ended, mut too_large) = (0, 0, false);
        loop {
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            // At the end a line break closes the last record, unless a quote swallows it.
            let input = if at_end { b"\n".as_slice() } else { input };
            let room = self.output.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(ended..).unwrap_or_default();
            let (result, used, wrote, new_ends) = self.core.read_record(input, room, ends);
            written += wrote;
            ended += new_ends;
            if !at_end {
                if self.locating {
                    let bytes = input.get(..used).unwrap_or_default();
                    self.line += lines(bytes, &mut self.last);
                    if self.kept.len() < RECORD_MAX {
                        self.kept.extend_from_slice(bytes);
                    }
                }
                self.source.consume(used);
            }
            match result {
                ReadRecordResult::InputEmpty if at_end => return Ok(Split::Unclosed),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() >= RECORD_MAX => {
                    too_large = true;
                    written = 0;
                }
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= COLUMNS_MAX => {
                    too_large = true;
                    ended = 0;
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record if too_large => return Ok(Split::TooLarge),
                ReadRecordResult::Record => return Ok(Split::Cells(ended)),
                ReadRecordResult::End => return Ok(Split::End),
            }
        }
    }

    /// Skips what stands between records; false at the end of the source.
    fn skip_line_breaks(&mut self) -> io::Result<bool> {
        loop {
            let input = self.source.fill_buf()?;
            let Some(first) = input.first() else { return Ok(false) };
            if !matches!(first, b'\n' | b'\r') {
                return Ok(true);
            }
            if self.locating {
                self.line += lines(&[*first], &mut self.last);
            }
            self.source.consume(1);
        }
    }

    /// The record just split: its bytes without the closing line break, and its lines.
    fn place(&self, place: &mut Place, unclosed: bool) {
        let closed = !unclosed && matches!(self.last, b'\n' | b'\r');
        place.first_line = self.first_line;
        place.last_line = self.line - u64::from(closed);
        place.text.clone_from(&self.kept);
        if closed && place.text.last() == Some(&self.last) {
            place.text.pop();
        }
    }
}

/// Line breaks in some bytes: `\n`, `\r\n` as one, and a lone `\r`. `last` is the byte before.
pub(crate) fn lines(bytes: &[u8], last: &mut u8) -> u64 {
    let mut count = 0;
    for byte in bytes {
        if *byte == b'\r' || (*byte == b'\n' && *last != b'\r') {
            count += 1;
        }
        *last = *byte;
    }
    count
}

/// The delimiter that splits the first lines into the most columns, equally many in each.
fn sniff_delimiter(head: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        let mut output = vec![0; SNIFFED * 2];
        let mut ends = vec![0; COLUMNS_MAX];
        let (mut rest, mut width, mut equal, mut records) = (head, 0_usize, 0_usize, 0_usize);
        while records < 50 {
            let (result, used, _, cells) = core.read_record(rest, &mut output, &mut ends);
            rest = rest.get(used..).unwrap_or_default();
            // The last record may be cut off; it only counts when it is all there is.
            let whole = result == ReadRecordResult::Record;
            if !whole && records > 0 {
                break;
            }
            let cells = if whole { cells } else { cells + 1 };
            if records == 0 {
                width = cells;
            }
            equal += usize::from(cells == width);
            records += 1;
            if !whole {
                break;
            }
        }
        // Share of equal records first, in tenths, then the number of columns.
        if width < 2 { (0, 0) } else { (equal * 10 / records.max(1), width) }
    };
    let mut best = (b',', (0, 0));
    for delimiter in DELIMITERS {
        let found = score(delimiter);
        if found > best.1 {
            best = (delimiter, found);
        }
    }
    best.0
}
