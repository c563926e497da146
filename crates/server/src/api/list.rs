//! Lists of the interface for machines: a page of objects with a cursor, or the whole as a file. A cursor
//! holds the instant that its first page was of, so that the pages of one list belong together whatever
//! arrives meanwhile. Owns formats and paging; it must never know what the rows are about.

use axum::http::header;
use backstay_desk::{evidence::Seen, period::written};
use backstay_engine::Period;
use backstay_report::listing::{Listing, workbook};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{answer::Answer, asked::Asked, problem::ProblemError};

/// Objects of a page unless told otherwise, and at most.
pub const LIMIT: usize = 100;
/// At most.
pub const MOST: usize = 1_000;

/// What a list is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A page of objects with a cursor.
    Json,
    /// Everything, one object a line.
    JsonLines,
    /// Everything, as comma-separated values.
    Csv,
    /// Everything, as a workbook.
    Workbook,
}

const FORMATS: [(&str, &str, Format); 4] = [
    ("json", "application/json", Format::Json),
    ("ndjson", "application/x-ndjson", Format::JsonLines),
    ("csv", "text/csv", Format::Csv),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format::Workbook),
];

impl Format {
    /// The one that was asked for, by `format=` or else by `Accept`.
    ///
    /// # Errors
    /// A format that there is none of; a limit or a cursor that is none.
    pub fn of(asked: &Asked<'_>) -> Result<Self, ProblemError> {
        // What is wrong is told, whether this format needs it or not.
        limit(asked)?;
        Cursor::of(asked)?;
        if let Some(named) = asked.call.query.get("format") {
            let found = FORMATS.iter().find(|(name, ..)| *name == named);
            return found.map(|(.., format)| *format).ok_or_else(|| {
                ProblemError::unclear(format!(
                    "There is no format `{named}`: write json, ndjson, csv or xlsx."
                ))
            });
        }
        let wanted = asked.call.headers.get(header::ACCEPT).and_then(|text| text.to_str().ok());
        let kinds = wanted.into_iter().flat_map(|text| text.split(','));
        let kinds = kinds.filter_map(|kind| kind.split(';').next()).map(str::trim);
        let found = kinds.filter_map(|kind| FORMATS.iter().find(|(_, media, _)| *media == kind));
        Ok(found.map(|(.., format)| *format).next().unwrap_or(Self::Json))
    }
}

/// Where a list goes on: the instant of its first page, and how many objects came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
    /// The instant that counted as now, microseconds UTC.
    pub now_us: i64,
    /// Objects before.
    pub before: usize,
}

impl Cursor {
    /// The one that was sent along.
    ///
    /// # Errors
    /// A text that is none.
    pub fn of(asked: &Asked<'_>) -> Result<Option<Self>, ProblemError> {
        let Some(text) = asked.query("cursor") else { return Ok(None) };
        let wrong = || ProblemError::unclear("The cursor is not one that was given out.");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let mut parts = text.split(' ');
        let mut part = || parts.next().ok_or_else(wrong);
        let (known_at, now_us, before) = (part()?, part()?, part()?);
        Ok(Some(Self {
            known_at: known_at.parse().map_err(|_| wrong())?,
            now_us: now_us.parse().map_err(|_| wrong())?,
            before: before.parse().map_err(|_| wrong())?,
        }))
    }

    /// As it is given out.
    pub fn text(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {} {}", self.known_at, self.now_us, self.before))
    }
}

/// How many objects a page was asked to have.
///
/// # Errors
/// A number that is none, or too great.
pub fn limit(asked: &Asked<'_>) -> Result<usize, ProblemError> {
    let Some(text) = asked.call.query.get("limit") else { return Ok(LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| ProblemError::unclear(format!("`limit` is a number from 1 to {MOST}.")))
}

/// What a list was made from.
pub fn basis(seen: &Seen, period: Option<Period>) -> Value {
    json!({
        "known_at": seen.known_at,
        "as_of": instant(seen.now_us),
        "evidence_digest": seen.evidence.manifest.evidence_digest.to_string(),
        "period": period.map(|period| written((period.first, period.after))),
    })
}

/// An instant, ISO 8601 in UTC.
pub fn instant(us: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(us).ok().map(|at| at.to_string())
}

/// A whole list, as it was asked for.
///
/// # Errors
/// A cursor or limit that is none; a table that no workbook holds.
pub fn whole(
    asked: &Asked<'_>,
    listing: Listing,
    seen: &Seen,
    period: Option<Period>,
) -> Result<Answer, ProblemError> {
    let origin =
        Origin { known_at: seen.known_at, now_us: seen.now_us, basis: basis(seen, period) };
    cut(asked, listing, origin, seen.now_us)
}

/// A whole list that depends on no evidence, as it was asked for.
///
/// # Errors
/// As [`whole`].
pub fn constant(asked: &Asked<'_>, listing: Listing) -> Result<Answer, ProblemError> {
    let origin = Origin { known_at: 0, now_us: 0, basis: Value::Null };
    cut(asked, listing, origin, asked.now_us)
}

/// What a list was made from, as its pages and their cursors say it.
struct Origin {
    known_at: u64,
    now_us: i64,
    basis: Value,
}

fn cut(
    asked: &Asked<'_>,
    mut listing: Listing,
    origin: Origin,
    made_us: i64,
) -> Result<Answer, ProblemError> {
    let format = Format::of(asked)?;
    if format != Format::Json {
        return file(format, &listing, made_us);
    }
    let before = Cursor::of(asked)?.map_or(0, |cursor| cursor.before);
    let limit = limit(asked)?;
    let more = listing.rows.len() > before.saturating_add(limit);
    listing.rows = listing.rows.into_iter().skip(before).take(limit).collect();
    Ok(told(&listing, origin, before, more))
}

/// A page of a list; `more`: others follow.
pub fn page(
    listing: &Listing,
    seen: &Seen,
    period: Option<Period>,
    before: usize,
    more: bool,
) -> Answer {
    let origin =
        Origin { known_at: seen.known_at, now_us: seen.now_us, basis: basis(seen, period) };
    told(listing, origin, before, more)
}

fn told(listing: &Listing, origin: Origin, before: usize, more: bool) -> Answer {
    let Origin { known_at, now_us, basis } = origin;
    let next = Cursor { known_at, now_us, before: before.saturating_add(listing.rows.len()) };
    let items = listing.rows.iter().map(|row| Value::Object(listing.object(row)));
    Answer::json(json!({
        "items": items.collect::<Vec<_>>(),
        "next": more.then(|| next.text()),
        "basis": basis,
    }))
}

/// A list as a file.
///
/// # Errors
/// A table that no workbook holds.
pub fn file(format: Format, listing: &Listing, made_us: i64) -> Result<Answer, ProblemError> {
    let named = FORMATS.iter().find(|(.., known)| *known == format);
    let (ending, kind) = named.map_or(("json", "application/json"), |(end, kind, _)| (end, kind));
    let body = match format {
        Format::Csv => listing.csv().into(),
        Format::JsonLines | Format::Json => listing.json_lines().into(),
        Format::Workbook => {
            let made = workbook(std::slice::from_ref(listing), made_us);
            made.map_err(|error| ProblemError::unclear(error.to_string()))?.into()
        }
    };
    Ok(Answer::File { kind, name: format!("{}.{ending}", listing.name), body })
}
