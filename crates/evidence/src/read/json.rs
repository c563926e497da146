//! Reader of JSON Lines: one object a line, one record an object. Nested fields become columns
//! named by their path; an array that the mapping takes apart becomes items, any other one cell.
//! Numbers stay as they are written. Never holds more than one line, beside those looked at first.

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    io::{self, BufRead as _},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    bytes::size,
    error::ReadError,
    path,
    record::{Cells, ColumnSet, Item, RawRecord},
    text::SourceText,
};
use crate::quarantine::code;

/// Most different fields of a file.
const FIELDS_MAX: usize = 4_096;
/// Deepest nesting of objects.
const DEPTH_MAX: usize = 32;
/// Most members of an array that is taken apart: a row knows its place among them as 16 bits.
const MEMBERS_MAX: usize = 32_767;
/// Lines looked at to learn the fields of a file without mapping, and their bytes.
const AHEAD: (usize, usize) = (1_000, 8 << 20);
const NOT_AN_OBJECT: &str = "the line is not one whole JSON object";

/// Reader of one source.
pub(crate) struct JsonReader<'a> {
    source: SourceText<'a>,
    columns: ColumnSet,
    /// Fields that stay JSON text, whatever they hold.
    whole: Vec<String>,
    line: Vec<u8>,
    line_number: u64,
    records: u64,
    ahead: VecDeque<RawRecord>,
    locating: bool,
    record_max: usize,
}

impl<'a> JsonReader<'a> {
    pub(crate) fn open(
        source: SourceText<'a>,
        record_max: usize,
        locating: bool,
    ) -> Result<Self, ReadError> {
        let cells = Cells { paths: true, ..Cells::default() };
        let mut reader = Self {
            source,
            columns: ColumnSet::of(cells),
            whole: Vec::new(),
            line: Vec::new(),
            line_number: 0,
            records: 0,
            ahead: VecDeque::new(),
            locating,
            record_max,
        };
        let head = reader.source.peek(256).map_err(|error| ReadError::from_io(error, 0))?;
        if head.trim_ascii_start().starts_with(b"[") {
            return Err(ReadError::Format {
                message: "this is one JSON array: write each of its objects on a line of its own, \
                          without the brackets and the commas between them"
                    .to_owned(),
            });
        }
        Ok(reader)
    }

    /// Learns the fields that the first records have; `whole` names those that stay JSON text.
    pub(crate) fn look_ahead(&mut self, whole: Vec<String>) -> Result<(), ReadError> {
        self.whole = whole;
        let mut bytes = 0;
        while self.ahead.len() < AHEAD.0 && bytes < AHEAD.1 {
            let mut record = RawRecord::default();
            if !self.read(&mut record)? {
                break;
            }
            bytes += record.text.len();
            self.ahead.push_back(record);
        }
        Ok(())
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut ColumnSet {
        &mut self.columns
    }

    pub(crate) fn source(&self) -> &SourceText<'a> {
        &self.source
    }

    /// Reads the next record; false at the end.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        match self.ahead.pop_front() {
            Some(held) => {
                *record = held;
                Ok(true)
            }
            None => self.read(record),
        }
    }

    fn read(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        let failed = |error, done| ReadError::from_io(error, done);
        let too_large = loop {
            match self.take_line().map_err(|error| failed(error, self.records))? {
                None => return Ok(false),
                Some(false) if self.line.trim_ascii().is_empty() => {}
                Some(too_large) => break too_large,
            }
        };
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        if self.locating {
            record.place.first_line = self.line_number;
            record.place.last_line = self.line_number;
            record.place.text = self.line.trim_ascii_end().to_vec();
        }
        if too_large {
            let reason = format!("the line is larger than {}", size(self.record_max as u64));
            record.broken = Some((code::TOO_LARGE, reason));
            return Ok(true);
        }
        let line = std::mem::take(&mut self.line);
        let split = self.split(&line, record);
        self.line = line;
        split?;
        if self.columns.len() > FIELDS_MAX {
            return Err(ReadError::Format {
                message: format!(
                    "line {}: the file has more than 4,096 different fields: is an object used \
                     as a list?",
                    self.line_number
                ),
            });
        }
        Ok(true)
    }

    /// Takes the next line; whether it was too large, and `None` at the end.
    fn take_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let (mut any, mut too_large) = (false, false);
        loop {
            let input = self.source.fill_buf()?;
            if input.is_empty() {
                break;
            }
            any = true;
            let end = input.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(input.len(), |end| end + 1);
            let room = self.record_max.saturating_sub(self.line.len());
            too_large |= end.unwrap_or(used) > room;
            self.line.extend_from_slice(input.get(..used.min(room)).unwrap_or_default());
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line_number += u64::from(any);
        Ok(any.then_some(too_large))
    }

    fn split(&mut self, line: &[u8], record: &mut RawRecord) -> Result<(), ReadError> {
        // The source decodes into UTF-8, so this cannot fail.
        let line = std::str::from_utf8(line).unwrap_or_default();
        match serde_json::from_str::<Fields<'_>>(line) {
            Ok(fields) => {
                let mut walk = Walk { columns: &mut self.columns, whole: &self.whole, record };
                walk.fields(&fields, &mut Vec::new(), None);
            }
            Err(error) if error.is_eof() && self.records == 1 => {
                return Err(ReadError::Format {
                    message:
                        "the first line holds only the beginning of a JSON object: JSON Lines \
                              has one whole object on each line"
                            .to_owned(),
                });
            }
            Err(_) => record.broken = Some((code::BAD_JSON, NOT_AN_OBJECT.to_owned())),
        }
        Ok(())
    }
}

/// Keys and values of an object as they are written, repeated keys included.
struct Fields<'j>(Vec<(Cow<'j, str>, &'j str)>);

#[derive(Deserialize)]
struct Key<'j>(#[serde(borrow)] Cow<'j, str>);

impl<'j> Deserialize<'j> for Fields<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'j> Visitor<'j> for Collect {
            type Value = Fields<'j>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Fields<'j>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    let value: &'j RawValue = map.next_value()?;
                    fields.push((key, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Puts the fields of one object into a record.
struct Walk<'w> {
    columns: &'w mut ColumnSet,
    whole: &'w [String],
    record: &'w mut RawRecord,
}

impl Walk<'_> {
    /// `array` is the name of the array whose member these fields belong to.
    fn fields<'j>(&mut self, fields: &Fields<'j>, keys: &mut Vec<String>, array: Option<&str>) {
        let mut seen = HashSet::new();
        for (key, value) in &fields.0 {
            if !seen.insert(key.as_ref()) {
                let reason = "an object has one key twice".to_owned();
                self.record.broken.get_or_insert((code::DUPLICATE_KEY, reason));
                return;
            }
            keys.push(key.as_ref().to_owned());
            self.value(value, keys, array);
            keys.pop();
        }
    }

    fn value(&mut self, raw: &str, keys: &mut Vec<String>, array: Option<&str>) {
        let path = path::joined(keys.iter().map(String::as_str));
        match raw.bytes().next() {
            Some(b'{') if !self.whole.contains(&path) => {
                if keys.len() >= DEPTH_MAX {
                    let reason = "objects are nested more than 32 deep".to_owned();
                    self.record.broken.get_or_insert((code::BAD_JSON, reason));
                } else if let Ok(fields) = serde_json::from_str::<Fields<'_>>(raw) {
                    self.fields(&fields, keys, array);
                }
            }
            Some(b'[') if !self.whole.contains(&path) => {
                let members = path::member(&path, "");
                match self.columns.number(&members).filter(|_| array.is_none()) {
                    Some(column) => self.members(raw, &path, column),
                    None => self.set(&path, &listed(raw), array),
                }
            }
            _ => {
                if let Some(text) = scalar(raw) {
                    self.set(&path, &text, array);
                }
            }
        }
    }

    fn set(&mut self, path: &str, text: &str, array: Option<&str>) {
        match array {
            None => {
                let column = self.columns.intern(path);
                self.record.set(column, text);
            }
            Some(array) => {
                let column = self.columns.intern(&path::member(array, path));
                self.record.set_in_item(column, text);
            }
        }
    }

    /// Takes an array apart.
    fn members(&mut self, raw: &str, path: &str, column: usize) {
        let members: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
        if members.len() > MEMBERS_MAX {
            let reason = "an array that is taken apart has more than 32,767 members".to_owned();
            self.record.broken.get_or_insert((code::TOO_LARGE, reason));
            return;
        }
        for (at, member) in members.iter().enumerate() {
            let position = (at + 1).to_string();
            self.record.items.push(Item { array: column, position, cells: Vec::new() });
            match serde_json::from_str::<Fields<'_>>(member.get()) {
                Ok(fields) => self.fields(&fields, &mut Vec::new(), Some(path)),
                Err(_) => {
                    let text = match member.get() {
                        list if list.starts_with('[') => Some(Cow::Owned(listed(list))),
                        other => scalar(other),
                    };
                    if let Some(text) = text {
                        self.record.set_in_item(column, &text);
                    }
                }
            }
        }
    }
}

/// The text of a value that is neither object nor array; none for `null`.
fn scalar(raw: &str) -> Option<Cow<'_, str>> {
    match raw.bytes().next() {
        Some(b'n') | None => None,
        Some(b'"') => serde_json::from_str::<Key<'_>>(raw).ok().map(|Key(text)| text),
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// An array in one cell: plain values joined with `|`, as lists are written; else its JSON text.
fn listed(raw: &str) -> String {
    let members: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    let plain = |member: &&RawValue| {
        let text = member.get();
        !text.starts_with(['{', '[']) && !text.contains('|')
    };
    if !members.iter().all(plain) {
        return raw.to_owned();
    }
    let texts: Vec<Cow<'_, str>> =
        members.iter().filter_map(|member| scalar(member.get())).collect();
    texts.join("|")
}
