//! Reader of iCalendar files (RFC 5545): one record an event, its properties as columns, and the
//! days it falls on as members of the array `days`. What the calendar says of itself comes along as
//! `calendar:<name>`. Holds one event at a time.

mod event;
mod line;
mod recurrence;

use std::io::{self, BufRead as _};

use self::{
    event::{Event, Setting},
    line::ContentLine,
    recurrence::Window,
};
use super::{
    bytes::size,
    error::ReadError,
    path,
    record::{ColumnSet, RawRecord},
    text::SourceText,
};
use crate::{mapping::Definition, options::ImportOptions, quarantine::code};

/// Most different properties of a file.
const NAMES_MAX: usize = 4_096;
/// Deepest nesting of components.
const DEPTH_MAX: usize = 32;
/// Name of the array that holds an event's days.
const DAYS: &str = "days";

/// Reader of one calendar.
pub(crate) struct CalendarReader<'a> {
    source: SourceText<'a>,
    columns: ColumnSet,
    setting: Setting,
    /// What the calendar says of itself.
    own: Vec<(usize, String)>,
    /// Components that are open, the innermost last.
    open: Vec<String>,
    ahead: Option<Vec<u8>>,
    line: Vec<u8>,
    /// Number of the last line read, and of the logical line's first.
    line_number: u64,
    first_line: u64,
    too_long: bool,
    records: u64,
    locating: bool,
    record_max: usize,
}

impl<'a> CalendarReader<'a> {
    pub(crate) fn open(
        source: SourceText<'a>,
        options: &ImportOptions,
        definition: Option<&Definition>,
        record_max: usize,
        locating: bool,
    ) -> Result<Self, ReadError> {
        let zone = options.zone.as_ref().or(definition.and_then(|d| d.zone.as_ref()));
        let window = definition.and_then(|definition| definition.recurrence.as_ref());
        let window = window.and_then(|window| {
            let (from, until) = window.days().ok()?;
            Some(Window { from, until })
        });
        Ok(Self {
            source,
            columns: ColumnSet::default(),
            setting: Setting { zone: zone.cloned(), calendar_zone: None, window },
            own: Vec::new(),
            open: Vec::new(),
            ahead: None,
            line: Vec::new(),
            line_number: 0,
            first_line: 0,
            too_long: false,
            records: 0,
            locating,
            record_max,
        })
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

    /// Reads the next event; false at the end.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        while self.take_line()? {
            let Some(parsed) = ContentLine::parse(&self.line) else {
                // Outside an event a line that says nothing does no harm.
                continue;
            };
            match (parsed.name.as_str(), parsed.value.to_ascii_uppercase()) {
                ("BEGIN", component) if component == "VEVENT" => {
                    self.event(record)?;
                    return Ok(true);
                }
                ("BEGIN", component) => self.begin(component)?,
                ("END", component) => self.end(&component)?,
                _ if self.open == ["VCALENDAR"] => self.describe(&parsed),
                _ => {}
            }
        }
        if let Some(component) = self.open.last() {
            return Err(
                self.wrong(&format!("the file ends before `END:{component}`: it is cut off"))
            );
        }
        if self.records == 0 {
            return Err(
                self.wrong("the calendar holds no event (`VEVENT`), so there is nothing to take")
            );
        }
        Ok(false)
    }

    fn wrong(&self, message: &str) -> ReadError {
        ReadError::Format { message: format!("calendar, line {}: {message}", self.line_number) }
    }

    fn begin(&mut self, component: String) -> Result<(), ReadError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.wrong("components are nested more than 32 deep"));
        }
        self.open.push(component);
        Ok(())
    }

    fn end(&mut self, component: &str) -> Result<(), ReadError> {
        if self.open.last().is_none_or(|open| open != component) {
            return Err(self.wrong("an `END` without its `BEGIN`: the file is damaged"));
        }
        self.open.pop();
        if self.open.is_empty() {
            self.own.clear();
            self.setting.calendar_zone = None;
        }
        Ok(())
    }

    fn describe(&mut self, line: &ContentLine) {
        if line.name == "X-WR-TIMEZONE" {
            self.setting.calendar_zone = Some(line.value.trim().to_owned());
        }
        if self.own.len() < 64 {
            let column = self.columns.intern(&format!("calendar:{}", line.name));
            self.own.push((column, line.text()));
        }
    }

    /// Reads one event to its end.
    fn event(&mut self, record: &mut RawRecord) -> Result<(), ReadError> {
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        record.place.first_line = self.first_line;
        record.place.text.clear();
        let (mut event, mut inner) = (Event::default(), 0_usize);
        for (column, text) in &self.own {
            record.set(*column, text);
        }
        loop {
            self.keep(record);
            if !self.take_line()? {
                let reason = "the file ends before the event does (`END:VEVENT`)".to_owned();
                record.broken.get_or_insert((code::BAD_LINE, reason));
                self.open.clear();
                break;
            }
            if self.too_long || record.text.len() + self.line.len() > self.record_max {
                let reason = format!("the event is larger than {}", size(self.record_max as u64));
                record.broken.get_or_insert((code::TOO_LARGE, reason));
                continue;
            }
            let Some(line) = ContentLine::parse(&self.line) else {
                let reason = "a line of the event is no property (`NAME:value`)".to_owned();
                record.broken.get_or_insert((code::BAD_LINE, reason));
                continue;
            };
            match line.name.as_str() {
                "BEGIN" => inner += 1,
                "END" if inner > 0 => inner -= 1,
                "END" if line.value.eq_ignore_ascii_case("VEVENT") => {
                    self.keep(record);
                    break;
                }
                "END" => {
                    return Err(self.wrong("an `END` without its `BEGIN`: the file is damaged"));
                }
                _ if inner > 0 => {}
                _ => {
                    event.take(&line);
                    self.property(&line, record);
                }
            }
        }
        record.place.last_line = self.line_number - u64::from(self.ahead.is_some());
        if self.columns.len() > NAMES_MAX {
            return Err(self.wrong("the file has more than 4,096 different properties"));
        }
        let days = self.columns.reserve(&path::member(DAYS, ""));
        event.finish(&self.setting, &mut self.columns, days, record);
        Ok(())
    }

    fn keep(&self, record: &mut RawRecord) {
        if self.locating && record.place.text.len() < self.record_max {
            record.place.text.extend_from_slice(&self.line);
            record.place.text.push(b'\n');
        }
    }

    /// Puts a property under its name; a repeated one under `NAME#2` and so on.
    fn property(&mut self, line: &ContentLine, record: &mut RawRecord) {
        if event::is_moment(&line.name) {
            return;
        }
        let mut column = self.columns.intern(&line.name);
        let mut number = 1;
        while record.cell(column).is_some() && self.columns.len() <= NAMES_MAX {
            number += 1;
            column = self.columns.intern(&format!("{}#{number}", line.name));
        }
        record.set(column, &line.text());
    }

    /// Takes the next logical line: a physical one and those that go on with a blank; false at the
    /// end.
    fn take_line(&mut self) -> Result<bool, ReadError> {
        loop {
            let taken =
                self.take_unfolded().map_err(|error| ReadError::from_io(error, self.records))?;
            if !taken || !self.line.trim_ascii().is_empty() {
                return Ok(taken);
            }
        }
    }

    fn take_unfolded(&mut self) -> io::Result<bool> {
        self.too_long = false;
        self.line.clear();
        match self.ahead.take() {
            Some(ahead) => self.line = ahead,
            None => match self.take_physical()? {
                Some(first) => self.line = first,
                None => return Ok(false),
            },
        }
        self.first_line = self.line_number;
        while let Some(next) = self.take_physical()? {
            let Some((b' ' | b'\t', rest)) = next.split_first() else {
                self.ahead = Some(next);
                break;
            };
            if self.line.len() + rest.len() > self.record_max {
                self.too_long = true;
            } else {
                self.line.extend_from_slice(rest);
            }
        }
        Ok(true)
    }

    /// One line without its break; cut at the limit.
    fn take_physical(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut line, mut any) = (Vec::new(), false);
        loop {
            let input = self.source.fill_buf()?;
            if input.is_empty() {
                break;
            }
            any = true;
            let end = input.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(input.len(), |end| end + 1);
            let room = self.record_max.saturating_sub(line.len());
            self.too_long |= end.unwrap_or(used) > room;
            line.extend_from_slice(input.get(..end.unwrap_or(used).min(room)).unwrap_or_default());
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line_number += u64::from(any);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(any.then_some(line))
    }
}
