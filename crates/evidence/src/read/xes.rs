//! Reader of IEEE 1849 XES event logs, streamed: one record per event, in bounded memory.
//!
//! An event's own attributes keep their keys; those of its trace come along as `case:<key>`.
//! Nested attributes, and the members of lists and containers, are flattened to `<key>/<inner key>`
//! (a repeated one gets `#2`, `#3`, …). Extensions, classifiers, global defaults and the log's own
//! attributes are ignored: a default is not evidence. Document types and entities other than
//! XML's own five are refused; nothing outside the file is ever opened.

use std::{
    collections::HashMap,
    io::{self, BufRead, Read},
    sync::Arc,
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::{
    delimited::{RECORD_MAX, lines},
    error::ReadError,
    record::{ColumnSet, RawRecord, Trail},
    text::SourceText,
};
use crate::quarantine::code;

/// Most different keys of a log.
const KEYS_MAX: usize = 4_096;
const CUT_OFF: &str = "the file ends before `</log>`: it is cut off";
const TEXT_BEFORE: &str = "there is text before `<log>`: it is no event log, or it is damaged";
const TEXT_AFTER: &str =
    "there is text after `</log>`: part of it was lost, or something was added";
/// Deepest nesting of elements.
const DEPTH_MAX: usize = 32;

/// Passes the text on, bounds what one piece of markup may take, and keeps the bytes of an event
/// when asked to.
struct Watched<'a> {
    source: SourceText<'a>,
    taken: usize,
    locating: bool,
    line: u64,
    last: u8,
    kept: Vec<u8>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > RECORD_MAX {
            let message = "an element is larger than 16 MiB".to_owned();
            return Err(ReadError::Xes { records: 0, message }.into_io());
        }
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        if self.locating
            && let Ok(bytes) = self.source.fill_buf()
        {
            let bytes = bytes.get(..amount).unwrap_or_default();
            self.line += lines(bytes, &mut self.last);
            if self.kept.len() < RECORD_MAX {
                self.kept.extend_from_slice(bytes);
            }
        }
        self.source.consume(amount);
    }
}

/// Where in the log the next piece of markup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Outside,
    Log,
    Trace,
    Event,
}

/// Reader of one event log.
pub(crate) struct XesReader<'a> {
    reader: Reader<Watched<'a>>,
    buffer: Vec<u8>,
    /// Key and value of the attribute element read last.
    key: Option<String>,
    value: Option<String>,
    spare: Vec<String>,
    columns: ColumnSet,
    trail: Trail,
    /// Columns that the event or trace has more than once, with the number of the last.
    repeats: HashMap<usize, usize>,
    scope: Scope,
    in_trace: bool,
    /// Cells of the trace, as every event of it gets them.
    trace: RawRecord,
    trace_events: u64,
    records: u64,
    empty_traces: u64,
    finished: bool,
}

/// What one piece of markup was, without its borrow.
enum Piece {
    Open { name: Name, empty: bool },
    Close,
    Ignored,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Log,
    Trace,
    Event,
    Attribute,
    Values,
    Other,
}

impl<'a> XesReader<'a> {
    pub(crate) fn open(source: SourceText<'a>, locating: bool) -> Self {
        let watched = Watched { source, taken: 0, locating, line: 1, last: 0, kept: Vec::new() };
        let mut reader = Reader::from_reader(watched);
        reader.config_mut().check_comments = false;
        Self {
            reader,
            buffer: Vec::new(),
            key: None,
            value: None,
            spare: Vec::new(),
            columns: ColumnSet::default(),
            trail: Trail::default(),
            repeats: HashMap::new(),
            scope: Scope::Outside,
            in_trace: false,
            trace: RawRecord::default(),
            trace_events: 0,
            records: 0,
            empty_traces: 0,
            finished: false,
        }
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut ColumnSet {
        &mut self.columns
    }

    pub(crate) fn source(&self) -> &SourceText<'a> {
        &self.reader.get_ref().source
    }

    pub(crate) fn empty_traces(&self) -> u64 {
        self.empty_traces
    }

    /// Reads the next event; false at the end of the log.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        if self.finished {
            return Ok(false);
        }
        loop {
            if self.scope != Scope::Event {
                let watched = self.reader.get_mut();
                watched.kept.clear();
                record.place.first_line = watched.line;
            }
            match self.piece()? {
                Piece::Ignored => {}
                Piece::End => return self.finish(),
                Piece::Close => {
                    if self.close(record)? {
                        return Ok(true);
                    }
                }
                Piece::Open { name, empty } => {
                    if self.enter(name, empty, record)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn finish(&mut self) -> Result<bool, ReadError> {
        match self.scope {
            Scope::Outside if self.finished => Ok(false),
            Scope::Outside => Err(self.wrong("there is no `<log>` in it")),
            _ => Err(self.wrong(CUT_OFF)),
        }
    }

    /// Handles an opening tag; true when it was a whole event.
    fn enter(
        &mut self,
        name: Name,
        empty: bool,
        record: &mut RawRecord,
    ) -> Result<bool, ReadError> {
        match (self.scope, name) {
            (Scope::Outside, Name::Log) if !self.finished => self.scope = Scope::Log,
            (Scope::Outside, _) => {
                return Err(self.wrong("the outermost element is not one `<log>`"));
            }
            (Scope::Log, Name::Trace) => {
                self.scope = Scope::Trace;
                self.in_trace = true;
                self.trace.clear();
                self.repeats.clear();
                self.trace_events = 0;
            }
            (Scope::Log | Scope::Trace, Name::Event) => {
                self.begin_event(record)?;
            }
            (Scope::Trace, Name::Attribute) => {
                if self.trace_events > 0 {
                    return Err(self.wrong("a trace has attributes after its first event"));
                }
                let mut trace = std::mem::take(&mut self.trace);
                self.attribute("case:", empty, &mut trace)?;
                if let Some((_, reason)) = trace.broken.take() {
                    return Err(self.wrong(&format!("attributes of a trace: {reason}")));
                }
                self.trace = trace;
                return Ok(false);
            }
            (Scope::Event, Name::Attribute) => {
                self.attribute("", empty, record)?;
                return Ok(false);
            }
            (_, Name::Trace | Name::Event | Name::Log) => {
                return Err(self.wrong("`<log>`, `<trace>` and `<event>` stand in the wrong order"));
            }
            (_, Name::Attribute | Name::Values | Name::Other) => {
                if !empty {
                    self.skip()?;
                }
                return Ok(false);
            }
        }
        if empty { self.close(record) } else { Ok(false) }
    }

    fn begin_event(&mut self, record: &mut RawRecord) -> Result<(), ReadError> {
        self.scope = Scope::Event;
        self.repeats.clear();
        self.trace_events += 1;
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        if self.in_trace {
            record.text.push_str(&self.trace.text);
            record.spans.extend_from_slice(&self.trace.spans);
        }
        Ok(())
    }

    /// Handles a closing tag; true when an event is complete.
    fn close(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        match self.scope {
            Scope::Event => {
                self.scope = if self.in_trace { Scope::Trace } else { Scope::Log };
                let watched = self.reader.get_mut();
                record.place.last_line = watched.line;
                if watched.locating {
                    record.place.text.clone_from(&watched.kept);
                }
                return Ok(true);
            }
            Scope::Trace => {
                self.empty_traces += u64::from(self.trace_events == 0);
                self.in_trace = false;
                self.scope = Scope::Log;
            }
            Scope::Log => {
                self.scope = Scope::Outside;
                self.finished = true;
            }
            Scope::Outside => return Err(self.wrong("a closing tag without an opening one")),
        }
        Ok(false)
    }

    /// Takes one attribute with everything nested in it.
    fn attribute(
        &mut self,
        prefix: &str,
        empty: bool,
        into: &mut RawRecord,
    ) -> Result<(), ReadError> {
        let mut top = self.spare.pop().unwrap_or_default();
        top.clear();
        top.push_str(prefix);
        top.push_str(self.key.as_deref().unwrap_or_default());
        self.set(&top, true, into)?;
        if empty {
            self.spare.push(top);
            return Ok(());
        }
        let mut path = vec![top];
        while !path.is_empty() {
            if path.len() > DEPTH_MAX {
                return Err(self.wrong("attributes are nested more than 32 deep"));
            }
            match self.piece()? {
                Piece::Ignored => {}
                Piece::Close => {
                    path.pop();
                }
                Piece::End => return Err(self.wrong(CUT_OFF)),
                Piece::Open { name: Name::Attribute, empty } => {
                    path.push(self.key.clone().unwrap_or_default());
                    let steps = path.iter().filter(|step| !step.is_empty());
                    let joined = steps.map(String::as_str).collect::<Vec<_>>().join("/");
                    self.set(&joined, false, into)?;
                    if empty {
                        path.pop();
                    }
                }
                Piece::Open { name: Name::Values, empty: false } => path.push(String::new()),
                Piece::Open { empty: false, .. } => self.skip()?,
                Piece::Open { .. } => {}
            }
        }
        Ok(())
    }

    /// Sets the cell of the attribute read last.
    fn set(&mut self, path: &str, top: bool, into: &mut RawRecord) -> Result<(), ReadError> {
        if self.key.is_none() {
            let reason = "an attribute of the event has no key".to_owned();
            into.broken.get_or_insert((code::BAD_ATTRIBUTE, reason));
            return Ok(());
        }
        let Some(value) = &self.value else { return Ok(()) };
        if into.text.len() + value.len() > RECORD_MAX {
            let reason = "the event is larger than 16 MiB".to_owned();
            into.broken.get_or_insert((code::TOO_LARGE, reason));
            return Ok(());
        }
        let mut column = self.trail.intern(path, &mut self.columns);
        if !top && into.cell(column).is_some() {
            let last = self.repeats.entry(column).or_insert(1);
            while into.cell(column).is_some() && self.columns.len() <= KEYS_MAX {
                *last += 1;
                column = self.columns.intern(&format!("{path}#{last}"));
            }
        }
        match into.cell(column) {
            Some(before) if before != value => {
                let reason = format!("the key `{}` stands twice", self.columns.name(column));
                into.broken.get_or_insert((code::DUPLICATE_KEY, reason));
            }
            Some(_) => {}
            None => into.set(column, value),
        }
        if self.columns.len() > KEYS_MAX {
            return Err(self.wrong("it has more than 4,096 different attribute keys"));
        }
        Ok(())
    }

    /// Skips to the end of the element just opened.
    fn skip(&mut self) -> Result<(), ReadError> {
        let mut depth = 1_usize;
        while depth > 0 {
            if depth > DEPTH_MAX {
                return Err(self.wrong("elements are nested more than 32 deep"));
            }
            match self.piece()? {
                Piece::Open { empty: false, .. } => depth += 1,
                Piece::Close => depth -= 1,
                Piece::End => return Err(self.wrong(CUT_OFF)),
                Piece::Open { .. } | Piece::Ignored => {}
            }
        }
        Ok(())
    }

    /// Reads one piece of markup.
    fn piece(&mut self) -> Result<Piece, ReadError> {
        self.buffer.clear();
        self.reader.get_mut().taken = 0;
        let done = self.records.saturating_sub(u64::from(self.scope == Scope::Event));
        let wrong = |message: String| ReadError::Xes { records: done, message };
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                let error = Arc::try_unwrap(error).unwrap_or_else(io::Error::other);
                return Err(ReadError::from_io(error, done));
            }
            Err(error) => return Err(wrong(format!("not well-formed: {error}"))),
        };
        let (key, value) = (&mut self.key, &mut self.value);
        let outside = self.scope == Scope::Outside;
        let piece = match event {
            Event::Start(tag) => open(&tag, false, key, value).map_err(wrong)?,
            Event::Empty(tag) => open(&tag, true, key, value).map_err(wrong)?,
            Event::End(_) => Piece::Close,
            Event::Eof => Piece::End,
            Event::DocType(_) => {
                let message = "a document type (DTD) is refused: remove the `<!DOCTYPE …>`";
                return Err(wrong(message.to_owned()));
            }
            Event::Text(text) if outside && !text.trim().is_empty() => {
                let message = if self.finished { TEXT_AFTER } else { TEXT_BEFORE };
                return Err(wrong(message.to_owned()));
            }
            Event::GeneralRef(_) => {
                return Err(wrong("an entity reference outside an attribute".to_owned()));
            }
            _ => Piece::Ignored,
        };
        Ok(piece)
    }

    fn wrong(&self, message: &str) -> ReadError {
        let done = self.records.saturating_sub(u64::from(self.scope == Scope::Event));
        ReadError::Xes { records: done, message: message.to_owned() }
    }
}

/// Name, key and value of an opening tag. The strings given are used again.
fn open(
    tag: &BytesStart<'_>,
    empty: bool,
    key: &mut Option<String>,
    value: &mut Option<String>,
) -> Result<Piece, String> {
    let name = match tag.local_name().into_inner() {
        "log" => Name::Log,
        "trace" => Name::Trace,
        "event" => Name::Event,
        "string" | "date" | "int" | "float" | "boolean" | "id" | "list" | "container" => {
            Name::Attribute
        }
        "values" => Name::Values,
        _ => Name::Other,
    };
    if name != Name::Attribute {
        return Ok(Piece::Open { name, empty });
    }
    let mut spare = [key.take().unwrap_or_default(), value.take().unwrap_or_default()].into_iter();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| format!("not well-formed: {error}"))?;
        let slot = match attribute.key.into_inner() {
            "key" => &mut *key,
            "value" => &mut *value,
            _ => continue,
        };
        let text = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| format!("an attribute value is refused: {error}"))?;
        let mut owned = spare.next().unwrap_or_default();
        owned.clear();
        owned.push_str(&text);
        *slot = Some(owned);
    }
    Ok(Piece::Open { name, empty })
}
