//! The credit note of an arrangement and period: months, service levels, and the missed cases behind
//! them. Owns the shape that JSON, CSV and pages are set from; it must never reckon a credit.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use crate::{
    derive::{
        credit_book::CreditBook,
        credit_row::{LevelRow, MonthRow, money},
    },
    error::EngineError,
    measure::plain_decimal,
    measured::refs,
    period::{Period, instant_text},
    rows,
    session::{Rules, Session},
};

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditNote {
    /// Name and version of this shape.
    pub schema: &'static str,
    /// Arrangement.
    pub arrangement_id: String,
    /// Period.
    pub period: Period,
    /// Service levels whose level was supposed, not measured, with that level.
    pub supposed: Vec<(String, String)>,
    /// Months under a scheme that end in the period.
    pub months: Vec<NoteMonth>,
    /// Missed cases behind the credits.
    pub cases: Vec<NoteCase>,
}

/// A month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteMonth {
    /// Month, as `2026-10`.
    pub month: String,
    /// `share`, `points` or `none`.
    pub model: String,
    /// Currency of every amount.
    pub currency: Option<String>,
    /// Charge, minor units.
    pub charge_minor: Option<i64>,
    /// By the formula, minor units.
    pub raw_minor: Option<i64>,
    /// Cap of the month, minor units.
    pub month_cap_minor: Option<i64>,
    /// Cap of the year's span, minor units.
    pub year_cap_minor: Option<i64>,
    /// Given before in the span, minor units.
    pub span_credit_minor: Option<i64>,
    /// The credit, minor units; nothing where it cannot be said.
    pub credit_minor: Option<i64>,
    /// What came back of it by earn-back, minor units.
    pub earned_back_minor: Option<i64>,
    /// What is left, minor units.
    pub owed_minor: Option<i64>,
    /// What stands on documents, minor units.
    pub taken_minor: Option<i64>,
    /// Documents.
    pub documents: Vec<String>,
    /// First day after the last on which it should stand on one.
    pub due_before: Date,
    /// Why there is no credit to state.
    pub gap: Option<String>,
    /// In one sentence, with amounts as people write them.
    pub explanation: String,
    /// Rows behind it.
    pub evidence: Vec<String>,
    /// Service levels.
    pub levels: Vec<NoteLevel>,
}

/// A service level in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteLevel {
    /// Service level.
    pub service_level: String,
    /// In words.
    pub title: String,
    /// Level attained, as a decimal.
    pub attained: Option<String>,
    /// Level below which it is a miss, as a decimal.
    pub expected: Option<String>,
    /// Band.
    pub band: Option<String>,
    /// Multipliers together, as a decimal.
    pub multiplier: Option<String>,
    /// Points, as a decimal.
    pub points: Option<String>,
    /// By the formula, minor units.
    pub raw_minor: Option<i64>,
    /// After the caps, minor units.
    pub credit_minor: Option<i64>,
    /// `none`, `open`, `returned`, `kept` or `unknown`.
    pub earn_back: &'static str,
    /// How it was reckoned, or why it could not be.
    pub explanation: String,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// A missed case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteCase {
    /// Service level.
    pub service_level: String,
    /// Case.
    pub case_id: String,
    /// Working time that it took, or has taken so far.
    pub working_time: Option<String>,
    /// Working time allowed.
    pub allowed: Option<String>,
    /// Deadline, UTC.
    pub due_at: Option<String>,
    /// End, UTC; nothing while it is open.
    pub closed_at: Option<String>,
    /// Its record.
    pub reference: Option<String>,
}

/// Cases of levels that limit the age of the backlog have no deadline of their own.
const CASES: &str = "
    SELECT service_level_id, case_id, duration_text(total_us) AS working_time,
      duration_text(threshold_us) AS allowed, due_at, closed_at, _ref
    FROM case_clock
    WHERE is_last AND outcome IN ('missed', 'overdue') AND excluded_reason IS NULL
      AND metric <> 'backlog-age'
      AND counted_at >= $period_start AND counted_at < $period_end
    UNION ALL
    SELECT service_level_id, case_id, duration_text(age_us), duration_text(threshold_us),
      CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), _ref
    FROM backlog_case
    WHERE outcome = 'missed' AND excluded_reason IS NULL
      AND period_start >= $period_first AND period_end <= $period_after";

/// What is owed for a month, as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// Month, as `2026-10`.
    pub month: String,
    /// Currency.
    pub currency: Option<String>,
    /// Decimal places of its minor unit.
    pub places: u32,
    /// Credit after earn-back, minor units; nothing where it cannot be said.
    pub owed_minor: Option<i64>,
    /// Why it cannot be said.
    pub gap: Option<String>,
}

/// What is owed for each month under a scheme with credits, from its first to the end of the session's
/// period: a month may change what earlier ones cost, by earn-back.
///
/// # Errors
/// Unreadable rows.
pub fn owed(session: &Session) -> Result<Vec<Owed>, EngineError> {
    let rows = session.credit_rows(&session.credit_book()?)?;
    let priced = rows.months.into_iter().filter(|row| row.model != "none");
    Ok(priced
        .map(|row| Owed {
            month: month_text(row.month),
            places: backstay_evidence::minor_places(row.currency.as_deref().unwrap_or_default()),
            currency: row.currency,
            owed_minor: row.owed_minor,
            gap: row.gap,
        })
        .collect())
}

fn month_text(month: Date) -> String {
    format!("{:04}-{:02}", month.year(), month.month())
}

/// The note of a session's arrangement and period. `suppose` names levels that are taken to have
/// attained a share (units of 10⁻⁹); gives them back that earn no credit in the period.
///
/// # Errors
/// Unreadable rows.
pub fn credit_note(
    session: &Session,
    suppose: &[(String, i64)],
) -> Result<Result<CreditNote, Vec<String>>, EngineError> {
    let view = session.view();
    let mut book: CreditBook = session.credit_book()?;
    let mut unknown = Vec::new();
    for (level, share) in suppose {
        if !book.suppose(level, *share, view.period) {
            unknown.push(level.clone());
        }
    }
    if !unknown.is_empty() {
        return Ok(Err(unknown));
    }
    let found = session.credit_rows(&book)?;
    let inside = |after: Date| view.period.first < after && after <= view.period.after;
    let months: Vec<NoteMonth> = found
        .months
        .iter()
        .filter(|row| inside(row.after))
        .map(|row| {
            let own = found.levels.iter().filter(|level| level.month == row.month);
            note_month(row, own.map(note_level).collect())
        })
        .collect();
    let priced: BTreeSet<&str> = found
        .levels
        .iter()
        .filter(|level| inside(level.after) && level.missed == Some(true))
        .map(|level| level.service_level.as_str())
        .filter(|level| suppose.iter().all(|(supposed, _)| supposed != level))
        .collect();
    Ok(Ok(CreditNote {
        schema: "backstay.credit-note/1",
        arrangement_id: view.arrangement_id.clone(),
        period: view.period,
        supposed: suppose
            .iter()
            .map(|(level, share)| (level.clone(), plain_decimal((*share).into())))
            .collect(),
        months,
        cases: cases(session, &priced)?,
    }))
}

fn note_month(row: &MonthRow, levels: Vec<NoteLevel>) -> NoteMonth {
    let steps = row.steps.as_ref();
    NoteMonth {
        month: month_text(row.month),
        model: row.model.clone(),
        currency: row.currency.clone(),
        charge_minor: row.charge_minor,
        raw_minor: steps.and_then(|steps| steps.raw),
        month_cap_minor: steps.and_then(|steps| steps.month_cap),
        year_cap_minor: steps.and_then(|steps| steps.year_cap),
        span_credit_minor: steps.and_then(|steps| steps.span_credit),
        credit_minor: row.credit_minor,
        earned_back_minor: row.earned_back_minor,
        owed_minor: row.owed_minor,
        taken_minor: row.taken_minor,
        documents: row.documents.clone(),
        due_before: row.due_after,
        gap: row.gap.clone(),
        explanation: row.explanation.clone(),
        evidence: refs(&row.evidence),
        levels,
    }
}

fn note_level(row: &LevelRow) -> NoteLevel {
    NoteLevel {
        service_level: row.service_level.clone(),
        title: row.title.clone(),
        attained: row.attained.map(plain_decimal),
        expected: row.expected.map(plain_decimal),
        band: row.band.clone(),
        multiplier: row.multiplier.map(plain_decimal),
        points: row.points.map(plain_decimal),
        raw_minor: row.raw_minor,
        credit_minor: row.credit_minor,
        earn_back: row.earn_back,
        explanation: row.explanation.clone(),
        evidence: refs(&row.evidence),
    }
}

fn cases(session: &Session, priced: &BTreeSet<&str>) -> Result<Vec<NoteCase>, EngineError> {
    const TABLE: &str = "case_clock";
    let planned = session.plan("credit note", CASES, session.view().period, Rules::Check)?;
    let mut found = Vec::new();
    for batch in session.run("credit note", &planned)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (levels, ids) = (text("service_level_id")?, text("case_id")?);
        let (taken, allowed) = (text("working_time")?, text("allowed")?);
        let instant = |name| rows::instants(&batch, TABLE, name);
        let (due, closed) = (instant("due_at")?, instant("closed_at")?);
        let records = rows::integers(&batch, TABLE, "_ref")?;
        let own = |array, row| rows::text(array, row).map(str::to_owned);
        for row in 0..batch.num_rows() {
            let level = own(&levels, row).unwrap_or_default();
            if !priced.contains(level.as_str()) {
                continue;
            }
            let record = rows::integer(&records, row);
            found.push(NoteCase {
                service_level: level,
                case_id: own(&ids, row).unwrap_or_default(),
                working_time: own(&taken, row),
                allowed: own(&allowed, row),
                due_at: rows::instant(&due, row).map(instant_text),
                closed_at: rows::instant(&closed, row).map(instant_text),
                reference: record.and_then(|record| refs(&[record]).pop()),
            });
        }
    }
    found.sort_by(|a, b| {
        (&a.service_level, &a.case_id, &a.due_at).cmp(&(&b.service_level, &b.case_id, &b.due_at))
    });
    Ok(found)
}

impl NoteMonth {
    /// An amount of the month as people write it; a dash where there is none.
    #[must_use]
    pub fn money(&self, minor: Option<i64>) -> String {
        minor.map_or_else(|| "–".to_owned(), |minor| money(minor, self.currency.as_deref()))
    }
}
