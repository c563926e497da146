//! The credits of a book as rows: one for each service level and month, one for each month. Owns the
//! words beside the figures, so that a person can work them out again with a pencil, and the question
//! whether a credit reached a document in time. It must never reckon a credit.

use backstay_credits::{
    Attained, Credits, EarnState, Exact, Formula, Level, LevelCredit, MonthCredit, Reckoned,
    credits,
};
use backstay_evidence::minor_places;
use jiff::civil::Date;

use super::{
    DeriveInput,
    credit_book::{BookMonth, CreditBook},
    credit_read::plain,
    exact::{round_half_even, to_nanos},
    feed_day,
};
use crate::{
    error::EngineError,
    function::decimal_text,
    period::{day_of_us, day_start_us},
};

/// A service level in a month.
#[derive(Debug, Clone)]
pub struct LevelRow {
    /// First day of the month.
    pub month: Date,
    /// First day after it.
    pub after: Date,
    /// Service level.
    pub service_level: String,
    /// In words.
    pub title: String,
    /// Metric, when it is measured.
    pub metric: Option<String>,
    /// First day of the window measured.
    pub window_first: Option<Date>,
    /// Cases met and counted.
    pub cases: Option<(i64, i64)>,
    /// Level attained, in units of 10⁻⁹.
    pub attained: Option<i128>,
    /// Level from which a miss is counted.
    pub expected: Option<i128>,
    /// Minimum.
    pub minimum: Option<i128>,
    /// Whether it was missed.
    pub missed: Option<bool>,
    /// Which miss in a row.
    pub run: Option<i64>,
    /// Band that holds the level attained.
    pub band: Option<String>,
    /// Share of the allocation, in units of 10⁻⁹.
    pub share: Option<i128>,
    /// All multipliers together, in units of 10⁻⁹.
    pub multiplier: Option<i128>,
    /// Points, in units of 10⁻⁹.
    pub points: Option<i128>,
    /// Before the caps of month and year, minor units.
    pub raw_minor: Option<i64>,
    /// What the caps leave, minor units.
    pub credit_minor: Option<i64>,
    /// `none`, `open`, `returned`, `kept` or `unknown`.
    pub earn_back: &'static str,
    /// Month that decided, as `2026-12`; or why nobody can say.
    pub earn_back_note: Option<String>,
    /// Why there is no figure.
    pub gap: Option<String>,
    /// How it was reckoned.
    pub explanation: String,
    /// Rows that state the terms, and the measured service level's.
    pub evidence: Vec<i64>,
}

/// A month.
#[derive(Debug, Clone)]
pub struct MonthRow {
    /// First day.
    pub month: Date,
    /// First day after.
    pub after: Date,
    /// `share`, `points` or `none`.
    pub model: String,
    /// Currency of all amounts.
    pub currency: Option<String>,
    /// Charge on which credits are shares, minor units.
    pub charge_minor: Option<i64>,
    /// The steps.
    pub steps: Option<MonthCredit>,
    /// The credit, minor units; none where it cannot be said.
    pub credit_minor: Option<i64>,
    /// What came back of it.
    pub earned_back_minor: Option<i64>,
    /// What is left.
    pub owed_minor: Option<i64>,
    /// What stands on documents.
    pub taken_minor: Option<i64>,
    /// Documents.
    pub documents: Vec<String>,
    /// First day after the last on which the credit should have reached a document.
    pub due_after: Date,
    /// Whether that day has come.
    pub is_due: bool,
    /// Why documents may be missing here.
    pub documents_gap: Option<String>,
    /// Why there is no figure.
    pub gap: Option<String>,
    /// How it was reckoned.
    pub explanation: String,
    /// Rows of scheme, charge and documents.
    pub evidence: Vec<i64>,
    /// Row of the scheme.
    pub scheme_ref: i64,
}

/// The credits of a book.
#[derive(Debug, Clone)]
pub struct CreditRows {
    /// By month and service level.
    pub levels: Vec<LevelRow>,
    /// By month.
    pub months: Vec<MonthRow>,
}

/// Reckons a book and puts it into rows.
///
/// # Errors
/// Unreadable feeds.
pub fn rows(book: &CreditBook, input: &DeriveInput<'_>) -> Result<CreditRows, EngineError> {
    let found = credits(&book.inputs());
    let arrived = arrived(book, input)?;
    let today = day_of_us(input.zone, input.as_of_us)?;
    let has_ended = |day: Date| -> Result<bool, EngineError> {
        Ok(day <= today && day_start_us(input.zone, day)? <= input.as_of_us)
    };
    let mut rows = CreditRows { levels: Vec::new(), months: Vec::new() };
    for month in &book.months {
        let is_due = has_ended(month.due_after)?;
        let credit = month
            .input
            .as_ref()
            .and_then(|input| found.months.iter().find(|credit| credit.month == input.month));
        if let (Some(input), Some(credit)) = (&month.input, credit) {
            for (place, (level, own)) in input.levels.iter().zip(&credit.levels).enumerate() {
                rows.levels.push(level_row(book, month, place, (level, own), input.scheme.at_risk));
            }
        }
        let documents_gap = documents_gap(month, &arrived);
        let row = month_row(book, month, credit, &found);
        rows.months.push(MonthRow { is_due, documents_gap, ..row });
    }
    Ok(rows)
}

/// Days of which the documents that may carry credits have arrived.
fn arrived(book: &CreditBook, input: &DeriveInput<'_>) -> Result<Vec<(Date, Date)>, EngineError> {
    let Some(first) = book.months.first().map(|month| month.window.first) else {
        return Ok(Vec::new());
    };
    let mut wide = *input;
    wide.period_first = first.min(input.period_first);
    wide.period_start_us = day_start_us(input.zone, wide.period_first)?;
    let days = feed_day::read(&wide)?;
    let there = days.iter().filter(|day| day.table == "credit_taken" && day.arrival.is_there());
    let mut spans: Vec<(Date, Date)> = there.map(|day| (day.first, day.after)).collect();
    // That a table said to be complete holds as many rows as were said is asked for every answer.
    let feeds = feed_day::read_feeds(input)?;
    let complete = feeds
        .iter()
        .filter(|feed| feed.table == "credit_taken" && feed.entry == feed_day::Entry::Complete);
    spans.extend(complete.map(|feed| (feed.from, feed.to.unwrap_or(Date::MAX))));
    spans.sort_unstable();
    Ok(spans)
}

/// The first day between the month's end and the deadline of which no document has arrived.
fn documents_gap(month: &BookMonth, arrived: &[(Date, Date)]) -> Option<String> {
    let mut reached = month.window.after;
    for (from, to) in arrived {
        if *from <= reached {
            reached = reached.max(*to);
        }
    }
    (reached < month.due_after)
        .then(|| format!("the documents of {reached} and later that may carry it have not arrived"))
}

fn level_row(
    book: &CreditBook,
    month: &BookMonth,
    place: usize,
    (level, credit): (&Level, &LevelCredit),
    at_risk: Exact,
) -> LevelRow {
    let measured = month.measured.get(place).and_then(Option::as_ref);
    let terms = month.terms.get(place);
    let known = credit.reckoned.as_ref().ok();
    let cases = match level.attained {
        Attained::Known { met, counted } => Some((met, counted)),
        _ => None,
    };
    let value = cases.map(|(met, counted)| backstay_credits::exact(met, counted));
    let band = match (&level.term.formula, value, terms) {
        (Formula::Bands(by, _), Some(value), Some(terms)) => {
            let value = by.measure(&value, &level.attained);
            terms
                .bands
                .iter()
                .find(|named| named.band.holds(&value))
                .map(|named| named.name.clone())
        }
        _ => None,
    };
    let (earn_back, note) = match &credit.earn_back {
        EarnState::None => ("none", None),
        EarnState::Open => ("open", None),
        EarnState::Returned(month) => ("returned", Some(month.to_string())),
        EarnState::Kept(month) => ("kept", Some(month.to_string())),
        EarnState::Unknown(why) => ("unknown", Some(why.clone())),
    };
    let mut evidence: Vec<i64> = measured.map(|row| row.row_ref).into_iter().collect();
    evidence.extend(terms.map(|terms| terms.row_ref));
    evidence.extend(terms.iter().flat_map(|terms| terms.bands.iter().map(|named| named.row_ref)));
    evidence.sort_unstable();
    let gap = credit.reckoned.as_ref().err().cloned();
    let explanation = match (known, &gap) {
        (Some(known), _) => {
            let is_volume = measured.is_some_and(|row| row.metric == "volume");
            let attained = attained_text(&level.attained, is_volume);
            let what = (level, known, credit.credit);
            reckoning(book, month, what, (&attained, band.as_deref()), at_risk)
        }
        (None, why) => why.clone().unwrap_or_default(),
    };
    LevelRow {
        month: month.window.first,
        after: month.window.after,
        service_level: level.service_level.clone(),
        title: measured.map(|row| row.title.clone()).unwrap_or_default(),
        metric: measured.map(|row| row.metric.clone()),
        window_first: measured.map(|row| row.first),
        cases,
        attained: value.map(to_nanos),
        expected: level.term.expected.or(level.target).map(to_nanos),
        minimum: level.minimum.map(to_nanos),
        missed: known.map(|known| known.missed),
        run: known.and_then(|known| i64::try_from(known.run).ok()),
        band,
        share: known.map(|known| to_nanos(known.share)),
        multiplier: known.map(|known| to_nanos(known.multiplier)),
        points: known.map(|known| to_nanos(known.points)),
        raw_minor: known.and_then(|known| known.raw),
        credit_minor: credit.credit,
        earn_back,
        earn_back_note: note,
        gap,
        explanation,
        evidence,
    }
}

/// An amount as people write it.
#[must_use]
pub fn money(minor: i64, currency: Option<&str>) -> String {
    let currency = currency.unwrap_or_default();
    let text = decimal_text(minor.into(), minor_places(currency));
    format!("{text} {currency}").trim_end().to_owned()
}

fn number(value: Exact) -> String {
    plain(Some(to_nanos(value))).unwrap_or_default()
}

fn per_cent(value: Exact) -> String {
    format!("{} %", number(value * Exact::from_integer(100)))
}

/// What was attained, as people write it.
fn attained_text(attained: &Attained, is_volume: bool) -> String {
    match *attained {
        Attained::Known { met, .. } if is_volume => format!("{met} cases"),
        Attained::Known { met, counted: 1_000_000_000 } => {
            format!("{} supposed", per_cent(backstay_credits::exact(met, 1_000_000_000)))
        }
        Attained::Known { met, counted } => {
            let share = backstay_credits::exact(met, counted) * Exact::from_integer(1_000_000);
            format!("{} % ({met} of {counted})", decimal_text(round_half_even(share), 4))
        }
        _ => "no case, which counts as met".to_owned(),
    }
}

fn reckoning(
    book: &CreditBook,
    month: &BookMonth,
    (level, known, credit): (&Level, &Reckoned, Option<i64>),
    (attained, band): (&str, Option<&str>),
    at_risk: Exact,
) -> String {
    let expected = level.term.expected.or(level.target);
    let by_band = matches!(level.term.formula, Formula::Bands(..));
    let against = match (by_band, expected) {
        (false, Some(expected)) => format!(", expected {}", number(expected)),
        _ => String::new(),
    };
    if !known.missed {
        return format!("{attained}{against}: no credit");
    }
    let charge = month.input.as_ref().and_then(|input| input.charge.clone().ok());
    let mut text = format!("{attained}{against}");
    if let Some(band) = band {
        text.push_str(&format!(", band {band}"));
    }
    let of = match (&month.model[..] == "points", charge) {
        (true, _) => format!(": {} points", number(known.points)),
        (false, Some(charge)) => {
            let minor = round_half_even(at_risk * Exact::from_integer(charge.into()));
            let at_risk = money(i64::try_from(minor).unwrap_or(i64::MAX), book.currency.as_deref());
            format!(
                ": {at_risk} at risk × allocation {} × {}",
                per_cent(level.term.allocation),
                per_cent(known.share)
            )
        }
        (false, None) => ": the charge is not known".to_owned(),
    };
    text.push_str(&of);
    if known.multiplier != Exact::from_integer(1) {
        text.push_str(&format!(" × {}", number(known.multiplier)));
    }
    if known.run > 1 {
        text.push_str(&format!(" (at least miss {} in a row)", known.run));
    }
    if let Some(raw) = known.raw {
        text.push_str(&format!(" = {}", money(raw, book.currency.as_deref())));
        if let Some(credit) = credit.filter(|credit| *credit < raw) {
            text.push_str(&format!(", capped to {}", money(credit, book.currency.as_deref())));
        }
    }
    text
}

fn month_row(
    book: &CreditBook,
    month: &BookMonth,
    credit: Option<&MonthCredit>,
    all: &Credits,
) -> MonthRow {
    let amount = credit.map(|credit| credit.credit.clone());
    let gap = amount.as_ref().and_then(|amount| amount.as_ref().err().cloned());
    let credit_minor = match (&amount, month.model.as_str()) {
        (Some(amount), _) => amount.as_ref().ok().copied(),
        (None, "none") => Some(0),
        (None, _) => None,
    };
    let back = credit.map_or(0, |credit| {
        let own = all.earned_back.iter().filter(|back| back.of == credit.month);
        own.map(|back| back.minor).sum::<i64>()
    });
    let mut evidence = vec![month.scheme_ref];
    evidence.extend(&month.charge_refs);
    evidence.extend(month.documents.iter().map(|document| document.1));
    evidence.sort_unstable();
    evidence.dedup();
    let mut documents: Vec<String> = month.documents.iter().map(|d| d.0.clone()).collect();
    documents.sort();
    documents.dedup();
    MonthRow {
        month: month.window.first,
        after: month.window.after,
        model: month.model.clone(),
        currency: book.currency.clone(),
        charge_minor: month.input.as_ref().and_then(|input| input.charge.clone().ok()),
        steps: credit.cloned(),
        credit_minor,
        earned_back_minor: credit_minor.map(|_| back),
        owed_minor: credit_minor.map(|credit| credit - back),
        taken_minor: month.taken.clone().ok(),
        documents,
        due_after: month.due_after,
        is_due: false,
        documents_gap: None,
        explanation: gap
            .clone()
            .or_else(|| month.taken.clone().err())
            .unwrap_or_else(|| total(book, month, credit, back)),
        gap: gap.or_else(|| month.taken.clone().err()),
        evidence,
        scheme_ref: month.scheme_ref,
    }
}

/// From the sum to the credit in one sentence.
fn total(book: &CreditBook, month: &BookMonth, credit: Option<&MonthCredit>, back: i64) -> String {
    let money = |minor: i64| money(minor, book.currency.as_deref());
    let Some(credit) = credit else {
        return match &month.source {
            Some(source) => format!("no credits are agreed: {source}"),
            None => "no credits are agreed".to_owned(),
        };
    };
    let mut parts = Vec::new();
    if let Some(points) = credit.points {
        let free = month.input.as_ref().and_then(|input| input.scheme.points);
        let free = free.map(|points| points.free).filter(|free| *free > Exact::from_integer(0));
        let free = free.map(|free| format!(", {} of them free", number(free.min(points))));
        parts.push(format!("{} points{}", number(points), free.unwrap_or_default()));
    }
    let raw = credit.raw.unwrap_or_default();
    parts.push(format!("{} by the formula", money(raw)));
    if let Some(cap) = credit.month_cap.filter(|cap| *cap < raw) {
        parts.push(format!("cap of the month {}", money(cap)));
    }
    if let (Some(cap), Some(given), Some(charges)) =
        (credit.year_cap, credit.span_credit, credit.span_charge)
    {
        parts.push(format!(
            "cap of the year {} on charges of {}, of which {} given before",
            money(cap),
            money(charges),
            money(given)
        ));
    }
    parts.push(format!("credit {}", money(credit.credit.clone().unwrap_or_default())));
    if back > 0 {
        parts.push(format!("{} came back to the provider", money(back)));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_one_case_is_a_share_and_a_volume_is_a_number() {
        let known = |met, counted| Attained::Known { met, counted };
        assert_eq!(attained_text(&known(0, 1), false), "0.0000 % (0 of 1)");
        assert_eq!(attained_text(&known(330, 341), false), "96.7742 % (330 of 341)");
        assert_eq!(attained_text(&known(412, 1), true), "412 cases");
        assert_eq!(attained_text(&known(970_000_000, 1_000_000_000), false), "97 % supposed");
    }
}
