//! Pieces of the page for doors that set pages of their own: style, status words with their shapes,
//! tables, and texts of evidence made harmless. Owns nothing but the way to them; it must never hold a
//! figure.

use backstay_engine::{
    Period, Status, assessment::MeasureResult, catalogue::Body, outcome::Outcome,
};
use maud::Markup;

pub use super::sheet::Set;
use super::{
    control, head,
    sheet::{Row, Sheet},
    status, text,
};
use crate::level::Verdict;

/// The style sheet.
#[must_use]
pub fn style() -> &'static str {
    head::STYLE
}

/// The shapes of statuses; once on a page, before any of them.
#[must_use]
pub fn shapes() -> Markup {
    status::sprite()
}

/// A status as word and shape.
#[must_use]
pub fn status_word(of: Status) -> Markup {
    status::status(of)
}

/// An outcome as word and shape.
#[must_use]
pub fn outcome_word(of: Outcome) -> Markup {
    status::outcome(of)
}

/// What a service level came to, as word and shape.
#[must_use]
pub fn verdict_word(of: &MeasureResult) -> Markup {
    status::verdict(Verdict::of(of))
}

/// Whether evidence is all there, as word and shape.
#[must_use]
pub fn arrival_word(complete: bool) -> Markup {
    status::arrival(if complete { "arrived" } else { "incomplete" })
}

/// A table: the first cell of a row is its head, units stand in the heads.
#[must_use]
pub fn table(caption: Markup, heads: &[(&str, Set)], rows: Vec<Vec<Markup>>) -> Markup {
    let mut sheet = Sheet::new(caption, heads);
    for cells in rows {
        sheet.row(Row::of(cells));
    }
    sheet.render()
}

/// An id or a name from evidence.
#[must_use]
pub fn name(of: &str) -> Markup {
    text::name(of)
}

/// An id or a name from evidence as plain text: for titles and attributes.
#[must_use]
pub fn plain(of: &str) -> String {
    text::plain(of)
}

/// A message as a sentence begins.
#[must_use]
pub fn capital(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// A title from evidence or the catalogue.
#[must_use]
pub fn title(of: &str) -> Markup {
    text::title(of)
}

/// A sentence in which words between backticks are code.
#[must_use]
pub fn sentence(of: &str) -> Markup {
    text::told(of)
}

/// Markdown of the catalogue, without raw markup.
#[must_use]
pub fn prose(markdown: &str) -> Markup {
    text::prose(markdown)
}

/// How a control or metric is computed: in words, and its SQL.
#[must_use]
pub fn computed(body: &Body) -> Markup {
    control::computed(body)
}

/// A period in words.
#[must_use]
pub fn period_words(of: Period) -> String {
    text::period(of)
}

/// An instant written as RFC 3339, in a zone (UTC when none), to the minute with its offset.
#[must_use]
pub fn instant_in(of: &str, zone: Option<&str>) -> String {
    text::local_of(of, zone)
}

/// An instant in microseconds since 1970, in a zone (UTC when none), to the minute with its offset.
#[must_use]
pub fn instant_at(micros: i64, zone: Option<&str>) -> String {
    text::local(micros, zone)
}

/// An instant in UTC, to the second.
#[must_use]
pub fn instant(micros: i64) -> String {
    text::instant(micros)
}
