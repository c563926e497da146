//! Service credits of one arrangement: the months since its scheme began, and the note of the period.
//! Owns which months are looked back over; it must never reckon a credit.

use jiff::{ToSpan as _, civil::Date};

use super::line::lines;
use crate::{
    assessment::Amount,
    credit_note::{CreditNote, credit_note},
    error::EngineError,
    session::Session,
};

/// Months shown, the last of the period among them.
const MONTHS: i64 = 12;

/// Service credits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreditPanel {
    /// Up to twelve months that end with the period's, those of a scheme alone.
    pub months: Vec<CreditMonth>,
    /// The note of the period; none when no scheme is known.
    pub note: Option<CreditNote>,
}

/// A month under a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditMonth {
    /// First day.
    pub month: Date,
    /// `share`, `points` or `none`.
    pub model: String,
    /// What was charged.
    pub charge: Option<Amount>,
    /// By the formula.
    pub raw: Option<Amount>,
    /// Cap of the month.
    pub month_cap: Option<Amount>,
    /// What the cap of the year's span leaves in the month.
    pub year_cap: Option<Amount>,
    /// Credit after the caps.
    pub credit: Option<Amount>,
    /// What came back of it by earn-back.
    pub earned_back: Option<Amount>,
    /// What is left of it.
    pub owed: Option<Amount>,
    /// What stands on documents.
    pub taken: Option<Amount>,
    /// First day after the last on which it should stand on one.
    pub due_before: Option<Date>,
    /// Whether that day has come.
    pub is_due: bool,
    /// Why it cannot be said.
    pub gap: Option<String>,
    /// Row of the scheme, `entry:record`.
    pub record: Option<String>,
}

/// The service credits of a session's arrangement.
///
/// # Errors
/// Unreadable rows.
pub fn credits(session: &Session) -> Result<CreditPanel, EngineError> {
    let after = session.view().period.after;
    let from = after.saturating_sub(MONTHS.months());
    let mut months = lines(session, "credit_month", |line| {
        let (Some(month), Some(end)) = (line.date("month")?, line.date("month_end")?) else {
            return Ok(None);
        };
        if month < from || end > after {
            return Ok(None);
        }
        let currency = line.text("currency")?;
        let amount = |name: &str| -> Result<Option<Amount>, EngineError> {
            Ok(amount(line.integer(name)?, currency.as_deref()))
        };
        Ok(Some(CreditMonth {
            month,
            model: line.word("model")?,
            charge: amount("charge_minor")?,
            raw: amount("raw_minor")?,
            month_cap: amount("month_cap_minor")?,
            year_cap: amount("year_cap_minor")?,
            credit: amount("credit_minor")?,
            earned_back: amount("earned_back_minor")?,
            owed: amount("owed_minor")?,
            taken: amount("taken_minor")?,
            due_before: line.date("due_before")?,
            is_due: line.flag("is_due")?.unwrap_or_default(),
            gap: line.text("gap_reason")?,
            record: line.record()?,
        }))
    })?;
    months.sort_by_key(|month| month.month);
    let note = if months.is_empty() { None } else { credit_note(session, &[])?.ok() };
    Ok(CreditPanel { months, note })
}

/// Minor units of a currency as an amount; none without either.
#[must_use]
pub fn amount(minor: Option<i64>, currency: Option<&str>) -> Option<Amount> {
    minor.zip(currency).map(|(minor, currency)| Amount {
        minor: minor.into(),
        currency: currency.to_owned(),
        places: backstay_evidence::minor_places(currency),
    })
}
