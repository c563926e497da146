//! Measured service levels: the rows of a metric counted per service level and window, and the derived
//! table `measurement` that controls read. Owns the counting; it must never average averages, give a
//! value to a window without cases, or leave out a service level because nothing happened.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, Date32Builder, Decimal128Builder, Int64Builder, ListBuilder, RecordBatch,
        StringBuilder,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use backstay_evidence::schema::DECIMAL;
use jiff::civil::Date;

use crate::{
    catalogue::{Metric, ValueKind},
    error::EngineError,
    function::{decimal_text, scaled_ratio},
    outcome::{self, OutcomeRow},
    parallel,
    period::{Period, Window},
    rows::{self, days_from_date},
    session::{Rules, Session},
    tally::{Tally, plan, tally},
};

/// Table that states what is promised.
pub const SERVICE_LEVEL: &str = "service_level";

/// Decimal places of a decimal column.
const PLACES: u32 = 9;

/// One version of a service level, as far as counting needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    service_level_id: String,
    metric: String,
    title: String,
    window: Window,
    target: Option<i128>,
    minimum: Option<i128>,
    basis: String,
    from: Option<Date>,
    to: Option<Date>,
    row_ref: i64,
}

impl Terms {
    fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }

    fn touches(&self, window: Period) -> bool {
        self.from.is_none_or(|from| from < window.after)
            && self.to.is_none_or(|to| window.first < to)
    }
}

/// A service level measured in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Service level.
    pub service_level_id: String,
    /// Metric it is measured by.
    pub metric: String,
    /// In words, as the contract says it.
    pub title: String,
    /// The window.
    pub window: Period,
    /// Cases met, or counted.
    pub numerator: i64,
    /// Cases counted: met and missed.
    pub denominator: i64,
    /// Cases left out, by reason.
    pub excluded: BTreeMap<String, i64>,
    /// Cases that could not be measured, by reason.
    pub gaps: BTreeMap<String, i64>,
    /// The value in units of 10⁻⁹; none without cases.
    pub value: Option<i128>,
    /// Target and minimum in units of 10⁻⁹.
    pub target: Option<i128>,
    /// See `target`.
    pub minimum: Option<i128>,
    /// `contract`, `amendment` or `assumed`.
    pub basis: String,
    /// Row of `service_level` that states the target.
    pub terms_ref: i64,
    /// Rows of the cases counted, in order.
    pub evidence: Vec<i64>,
}

impl Measure {
    /// The value as a decimal string with six places, half to even; a count as a whole number.
    #[must_use]
    pub fn value_text(&self, kind: ValueKind) -> Option<String> {
        self.value?;
        match kind {
            ValueKind::Share => crate::function::ratio_text(self.numerator, self.denominator),
            ValueKind::Count => Some(self.numerator.to_string()),
        }
    }
}

/// A decimal in units of 10⁻⁹ without needless zeros.
#[must_use]
pub fn plain_decimal(nanos: i128) -> String {
    let text = decimal_text(nanos, PLACES);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The columns of `measurement`; `docs/catalogue.md` says what they hold.
#[must_use]
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let decimal = |name: &str| Field::new(name, DataType::Decimal128(DECIMAL.0, DECIMAL.1), true);
    Arc::new(Schema::new(vec![
        text("arrangement_id"),
        text("service_level_id"),
        text("metric"),
        text("title"),
        Field::new("period_start", DataType::Date32, true),
        Field::new("period_end", DataType::Date32, true),
        number("numerator"),
        number("denominator"),
        number("excluded"),
        number("gaps"),
        decimal("value"),
        decimal("target"),
        decimal("minimum"),
        text("basis"),
        Field::new("evidence", DataType::new_list(DataType::Int64, true), true),
        number("_ref"),
    ]))
}

/// Every service level of the arrangement in every window that ends in the period.
///
/// # Errors
/// A metric whose SQL fails.
pub fn measures(session: &Session) -> Result<&[Measure], EngineError> {
    if let Some(done) = session.measured.get() {
        return Ok(done);
    }
    let terms = read_terms(session)?;
    announce(session, &terms)?;
    let mut all = Vec::new();
    for metric in session.evidence.catalogue.metrics() {
        all.extend(measures_by(session, metric, &terms)?);
    }
    sort(&mut all);
    Ok(session.measured.get_or_init(|| all))
}

/// The service levels of one metric, which need not be the catalogue's.
///
/// # Errors
/// SQL that fails.
pub fn measures_of(session: &Session, metric: &Metric) -> Result<Vec<Measure>, EngineError> {
    let mut all = measures_by(session, metric, &read_terms(session)?)?;
    sort(&mut all);
    Ok(all)
}

fn sort(measures: &mut [Measure]) {
    measures.sort_by(|a, b| {
        (&a.service_level_id, &a.metric, a.window).cmp(&(&b.service_level_id, &b.metric, b.window))
    });
}

fn measures_by(
    session: &Session,
    metric: &Metric,
    terms: &[Terms],
) -> Result<Vec<Measure>, EngineError> {
    let own: Vec<&Terms> = terms.iter().filter(|terms| terms.metric == metric.id).collect();
    let mut all = Vec::new();
    let asked = |(window, kinds): (Period, Vec<Window>)| {
        let due = due(&own, window, &kinds);
        (!due.is_empty()).then_some((window, due))
    };
    let windows = windows(session.view.period, &own)?;
    let asked: Vec<(Period, Vec<&Terms>)> = windows.into_iter().filter_map(asked).collect();
    // Planning a window's SQL takes one core, and longer than counting a small one.
    let found = |(window, _): &(Period, Vec<&Terms>)| tally(session, metric, *window);
    let tallies = parallel::map(&asked, parallel::cores(), found);
    for ((window, due), found) in asked.into_iter().zip(tallies) {
        let mut found = found?;
        let mut own = |terms: &Terms| found.remove(&terms.service_level_id).unwrap_or_default();
        let counted = due.into_iter().map(|terms| measure(metric, terms, window, own(terms)));
        all.extend(counted);
    }
    Ok(all)
}

/// Service levels of which no window ends in the period, with the span they are measured over.
///
/// # Errors
/// Unreadable rows of the register.
pub fn unmeasured(session: &Session) -> Result<Vec<(String, &'static str)>, EngineError> {
    let measured = measures(session)?;
    let mut found = BTreeMap::new();
    for terms in read_terms(session)? {
        let known = session.evidence.catalogue.metric(&terms.metric).is_some();
        let id = &terms.service_level_id;
        if known
            && terms.touches(session.view.period)
            && !measured.iter().any(|m| &m.service_level_id == id)
        {
            let span = match terms.window {
                Window::Month => "month",
                Window::Quarter => "quarter",
                Window::Year => "year",
            };
            found.insert(id.clone(), span);
        }
    }
    Ok(found.into_iter().collect())
}

/// The rows that a metric gives in one window, read and ordered.
///
/// # Errors
/// SQL that fails, or rows that are not as agreed.
pub fn rows_of(
    session: &Session,
    metric: &Metric,
    window: Period,
) -> Result<Vec<OutcomeRow>, EngineError> {
    let subject = format!("metric `{}`", metric.id);
    let planned = session.plan(&subject, &metric.body.sql, window, Rules::Check)?;
    let batches = session.run(&subject, &planned)?;
    outcome::read(outcome::Kind::Metric, &subject, &batches)
}

/// The windows to look at, each with the spans that they are windows of.
fn windows(period: Period, terms: &[&Terms]) -> Result<BTreeMap<Period, Vec<Window>>, EngineError> {
    let mut found: BTreeMap<Period, Vec<Window>> = BTreeMap::new();
    for kind in [Window::Month, Window::Quarter, Window::Year] {
        if terms.iter().any(|terms| terms.window == kind) {
            for window in kind.ending_in(period)? {
                found.entry(window).or_default().push(kind);
            }
        }
    }
    Ok(found)
}

/// The terms of each service level that is measured over this window: those valid on its last day,
/// else the last that touch it.
fn due<'a>(terms: &[&'a Terms], window: Period, kinds: &[Window]) -> Vec<&'a Terms> {
    let last_day = window.after.yesterday().unwrap_or(window.first);
    let mut chosen: BTreeMap<&str, &'a Terms> = BTreeMap::new();
    for terms in terms.iter().copied().filter(|terms| terms.touches(window)) {
        let rank = |terms: &Terms| (terms.holds_on(last_day), terms.from, terms.row_ref);
        let held = chosen.entry(&terms.service_level_id).or_insert(terms);
        if rank(terms) > rank(held) {
            *held = terms;
        }
    }
    chosen.into_values().filter(|terms| kinds.contains(&terms.window)).collect()
}

/// Says which columns of `case_clock` are asked for again and again, when the metrics together look
/// into more than one window: the clocks are then worked out once for all of them.
fn announce(session: &Session, terms: &[Terms]) -> Result<(), EngineError> {
    let (mut questions, mut columns) = (0, Vec::new());
    for metric in session.evidence.catalogue.metrics() {
        let own: Vec<&Terms> = terms.iter().filter(|terms| terms.metric == metric.id).collect();
        let windows = windows(session.view.period, &own)?;
        let mut asked =
            windows.iter().filter(|(window, kinds)| !due(&own, **window, kinds).is_empty());
        if let Some((window, _)) = asked.next() {
            let planned = plan(session, metric, *window)?;
            let read = session.clock_columns(&planned)?;
            if !read.is_empty() {
                questions += 1 + asked.count();
                columns.extend(read);
            }
        }
    }
    if questions > 1 {
        session.share_clock(columns);
    }
    Ok(())
}

fn measure(metric: &Metric, terms: &Terms, window: Period, tally: Tally) -> Measure {
    let Tally { met, missed, excluded, gaps, evidence } = tally;
    let denominator: i64 = met + missed;
    let (numerator, value) = match metric.value {
        ValueKind::Share => (met, scaled_ratio(met, denominator, PLACES)),
        ValueKind::Count => {
            let whole = i128::from(denominator) * 10_i128.pow(PLACES);
            (denominator, (denominator > 0).then_some(whole))
        }
    };
    Measure {
        service_level_id: terms.service_level_id.clone(),
        metric: metric.id.clone(),
        title: terms.title.clone(),
        window,
        numerator,
        denominator,
        excluded,
        gaps,
        value,
        target: terms.target,
        minimum: terms.minimum,
        basis: terms.basis.clone(),
        terms_ref: terms.row_ref,
        evidence,
    }
}

fn read_terms(session: &Session) -> Result<Vec<Terms>, EngineError> {
    let mut all = Vec::new();
    for batch in session.batches(SERVICE_LEVEL)? {
        let text = |name: &str| rows::texts(&batch, SERVICE_LEVEL, name);
        let (ids, metrics, titles) = (text("service_level_id")?, text("metric")?, text("title")?);
        let (windows, bases) = (text("window")?, text("basis")?);
        let targets = rows::decimals(&batch, SERVICE_LEVEL, "target")?;
        let minima = rows::decimals(&batch, SERVICE_LEVEL, "minimum")?;
        let from = rows::dates(&batch, SERVICE_LEVEL, "valid_from")?;
        let to = rows::dates(&batch, SERVICE_LEVEL, "valid_to")?;
        let refs = rows::integers(&batch, SERVICE_LEVEL, "_ref")?;
        let word = |array, row| rows::text(array, row).unwrap_or_default().to_owned();
        for row in 0..batch.num_rows() {
            let Some(window) = rows::text(&windows, row).and_then(Window::parse) else {
                let message =
                    format!("service level `{}` has no window of measuring", word(&ids, row));
                return Err(EngineError::Evidence { table: SERVICE_LEVEL.to_owned(), message });
            };
            all.push(Terms {
                service_level_id: word(&ids, row),
                metric: word(&metrics, row),
                title: word(&titles, row),
                window,
                target: rows::decimal(&targets, row),
                minimum: rows::decimal(&minima, row),
                basis: word(&bases, row),
                from: rows::date(&from, row),
                to: rows::date(&to, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    Ok(all)
}

/// The rows of `measurement`.
pub(crate) fn batches(session: &Session) -> Result<Vec<RecordBatch>, EngineError> {
    let measures = measures(session)?;
    let arrangement = &session.view.arrangement_id;
    let text = |value: &dyn Fn(&Measure) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        measures.iter().for_each(|measure| builder.append_option(value(measure)));
        Arc::new(builder.finish())
    };
    let number = |value: &dyn Fn(&Measure) -> i64| -> ArrayRef {
        let mut builder = Int64Builder::new();
        measures.iter().for_each(|measure| builder.append_value(value(measure)));
        Arc::new(builder.finish())
    };
    let day = |value: &dyn Fn(&Measure) -> Date| -> ArrayRef {
        let mut builder = Date32Builder::new();
        measures.iter().for_each(|measure| builder.append_value(days_from_date(value(measure))));
        Arc::new(builder.finish())
    };
    let decimal = |value: &dyn Fn(&Measure) -> Option<i128>| -> ArrayRef {
        let kind = DataType::Decimal128(DECIMAL.0, DECIMAL.1);
        let mut builder = Decimal128Builder::new().with_data_type(kind);
        measures.iter().for_each(|measure| builder.append_option(value(measure)));
        Arc::new(builder.finish())
    };
    let mut evidence = ListBuilder::new(Int64Builder::new());
    for measure in measures {
        evidence.values().append_slice(&measure.evidence);
        evidence.append(true);
    }
    let columns = vec![
        text(&|_| Some(arrangement.clone())),
        text(&|measure| Some(measure.service_level_id.clone())),
        text(&|measure| Some(measure.metric.clone())),
        text(&|measure| Some(measure.title.clone())),
        day(&|measure| measure.window.first),
        day(&|measure| measure.window.after),
        number(&|measure| measure.numerator),
        number(&|measure| measure.denominator),
        number(&|measure| measure.excluded.values().sum()),
        number(&|measure| measure.gaps.values().sum()),
        decimal(&|measure| measure.value),
        decimal(&|measure| measure.target),
        decimal(&|measure| measure.minimum),
        text(&|measure| Some(measure.basis.clone())),
        Arc::new(evidence.finish()) as ArrayRef,
        number(&|measure| measure.terms_ref),
    ];
    let batch = RecordBatch::try_new(schema(), columns)
        .map_err(|error| EngineError::derivation(crate::derive::MEASUREMENT, error.to_string()))?;
    Ok(vec![batch])
}
