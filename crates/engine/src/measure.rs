//! Measured service levels: the rows of a metric counted per service level and window, and the derived
//! table `measurement` that controls read. Owns the counting; it must never average averages, give a
//! value to a window without cases, or leave out a service level because nothing happened.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    catalogue::{Metric, ValueKind},
    derive::register::YOUNGER,
    error::EngineError,
    function::{decimal_text, scaled_ratio},
    outcome::{self, OutcomeRow},
    parallel,
    period::{Period, SubWindow, Window},
    rows,
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
    kind: Kind,
    window: Window,
    sub_window: Option<SubWindow>,
    target: Option<i128>,
    minimum: Option<i128>,
    basis: String,
    /// Why it cannot be measured, whatever the cases.
    lacking: Option<String>,
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

/// What follows from missing a service level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Consequences, by the contract.
    Critical,
    /// It is reported only.
    KeyMeasurement,
}

impl Kind {
    /// The vocabulary's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::KeyMeasurement => "key-measurement",
        }
    }
}

/// Where a value stands beside target and minimum, compared in whole numbers without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// The target is reached.
    Met,
    /// Between minimum and target, or below the target where there is no minimum.
    BelowTarget,
    /// Below the minimum.
    BelowMinimum,
}

impl Judgement {
    /// As in `measurement.judgement`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::BelowTarget => "below-target",
            Self::BelowMinimum => "below-minimum",
        }
    }
}

/// A shorter span inside a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubMeasure {
    /// The span.
    pub span: Period,
    /// Cases met, or counted.
    pub numerator: i64,
    /// Cases counted.
    pub denominator: i64,
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
    /// What follows from missing it.
    pub kind: Kind,
    /// Whether it is a share or a count.
    pub value_kind: ValueKind,
    /// The shorter spans of which the worst is looked for; none when none were agreed.
    pub sub_window: Option<SubWindow>,
    /// The worst of them: the lowest value, of equal ones the first. Spans without cases have none.
    pub worst: Option<SubMeasure>,
    /// Why it cannot be measured at all, whatever the cases.
    pub lacking: Option<String>,
    /// `contract`, `amendment` or `assumed`.
    pub basis: String,
    /// Row of `service_level` that states the target.
    pub terms_ref: i64,
    /// Rows of the cases counted, in order.
    pub evidence: Vec<i64>,
}

impl Measure {
    /// Where the value stands; none without a value or a target.
    #[must_use]
    pub fn judgement(&self) -> Option<Judgement> {
        self.value?;
        let counted = i128::from(match self.value_kind {
            ValueKind::Share => self.denominator,
            ValueKind::Count => 1,
        });
        let reached = i128::from(self.numerator) * 10_i128.pow(PLACES);
        let below = |limit: i128| limit.checked_mul(counted).is_none_or(|limit| reached < limit);
        let target = self.target?;
        Some(match self.minimum {
            Some(minimum) if below(minimum) => Judgement::BelowMinimum,
            _ if below(target) => Judgement::BelowTarget,
            _ => Judgement::Met,
        })
    }

    /// The value as a decimal string with six places, half to even; a count as a whole number.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        self.value?;
        match self.value_kind {
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
    all.extend(unknown(session, &terms)?);
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
    let asked = asked(session, &own)?;
    // Planning a window's SQL takes one core, and longer than counting a small one.
    let spans: Vec<Period> = spans(&asked).into_iter().collect();
    let found = |span: &Period| tally(session, metric, *span);
    let mut tallies = BTreeMap::new();
    for (span, found) in spans.iter().zip(parallel::map(&spans, parallel::cores(), found)) {
        tallies.insert(*span, found?);
    }
    for (window, due) in asked {
        for terms in due {
            let of = |span: &Period| tallies.get(span).and_then(|t| t.get(&terms.service_level_id));
            let subs = terms.sub_window.map(|sub| sub.of(window)).unwrap_or_default();
            let parts = subs.iter().filter_map(|span| Some((*span, of(span)?)));
            let worst = worst(metric.value, parts).filter(|_| terms.lacking.is_none());
            let whole = of(&window).cloned().unwrap_or_default();
            all.push(Measure { worst, ..measure(metric.value, terms, window, whole) });
        }
    }
    Ok(all)
}

/// The windows in which some of these terms are measured, with those that are.
fn asked<'a>(
    session: &Session,
    own: &[&'a Terms],
) -> Result<Vec<(Period, Vec<&'a Terms>)>, EngineError> {
    let windows = windows(session.view.period, own)?.into_iter();
    let due = windows.map(|(window, kinds)| (window, due(own, window, &kinds)));
    Ok(due.filter(|(_, due)| !due.is_empty()).collect())
}

/// The rows behind every figure, with the window that they fall into.
pub(crate) fn answers(session: &Session) -> Result<Vec<(Period, OutcomeRow)>, EngineError> {
    let terms = read_terms(session)?;
    let mut all = Vec::new();
    for metric in session.evidence.catalogue.metrics() {
        let own: Vec<&Terms> = terms.iter().filter(|terms| terms.metric == metric.id).collect();
        for (window, due) in asked(session, &own)? {
            let counts = |row: &OutcomeRow| {
                let own = due.iter().find(|terms| terms.service_level_id == row.service_level_id);
                own.is_some_and(|terms| terms.lacking.is_none())
            };
            let rows = rows_of(session, metric, window)?.into_iter().filter(counts);
            all.extend(rows.map(|row| (window, row)));
        }
    }
    Ok(all)
}

/// The windows, and the shorter spans inside them that somebody asks for.
fn spans(asked: &[(Period, Vec<&Terms>)]) -> BTreeSet<Period> {
    let mut found = BTreeSet::new();
    for (window, due) in asked {
        found.insert(*window);
        let subs = due.iter().filter_map(|terms| terms.sub_window);
        found.extend(subs.flat_map(|sub| sub.of(*window)));
    }
    found
}

/// The span with the lowest value; of equal ones the first.
fn worst<'a>(
    kind: ValueKind,
    parts: impl Iterator<Item = (Period, &'a Tally)>,
) -> Option<SubMeasure> {
    let mut worst: Option<SubMeasure> = None;
    for (span, tally) in parts {
        let denominator = tally.met + tally.missed;
        let numerator = match kind {
            ValueKind::Share => tally.met,
            ValueKind::Count => denominator,
        };
        if denominator == 0 {
            continue;
        }
        let lower = worst.is_none_or(|held| match kind {
            ValueKind::Share => {
                i128::from(numerator) * i128::from(held.denominator)
                    < i128::from(held.numerator) * i128::from(denominator)
            }
            ValueKind::Count => numerator < held.numerator,
        });
        if lower {
            worst = Some(SubMeasure { span, numerator, denominator });
        }
    }
    worst
}

/// Service levels that name no metric of the catalogue, in their windows: each says so.
fn unknown(session: &Session, terms: &[Terms]) -> Result<Vec<Measure>, EngineError> {
    let known = |terms: &&Terms| session.evidence.catalogue.metric(&terms.metric).is_some();
    let own: Vec<&Terms> = terms.iter().filter(|terms| !known(terms)).collect();
    let mut all = Vec::new();
    for (window, due) in asked(session, &own)? {
        let none = |terms| measure(ValueKind::Share, terms, window, Tally::default());
        all.extend(due.into_iter().map(none));
    }
    Ok(all)
}

/// Service levels of which no window ends in the period, with the span they are measured over.
///
/// # Errors
/// Unreadable rows of the register.
pub fn unmeasured(session: &Session) -> Result<Vec<(String, String)>, EngineError> {
    let measured = measures(session)?;
    let mut found = BTreeMap::new();
    for terms in read_terms(session)? {
        let id = &terms.service_level_id;
        if terms.touches(session.view.period) && !measured.iter().any(|m| &m.service_level_id == id)
        {
            found.insert(id.clone(), terms.window.in_words());
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
    let kinds: BTreeSet<Window> = terms.iter().map(|terms| terms.window).collect();
    for kind in kinds {
        for window in kind.ending_in(period)? {
            found.entry(window).or_default().push(kind);
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
        let spans = spans(&asked(session, &own)?);
        if let Some(span) = spans.first() {
            let planned = plan(session, metric, *span)?;
            let read = session.clock_columns(&planned)?;
            if !read.is_empty() {
                questions += spans.len();
                columns.extend(read);
            }
        }
    }
    if questions > 1 {
        session.share_clock(columns);
    }
    Ok(())
}

fn measure(value_kind: ValueKind, terms: &Terms, window: Period, tally: Tally) -> Measure {
    let tally = if terms.lacking.is_some() { Tally::default() } else { tally };
    let Tally { met, missed, excluded, gaps, evidence } = tally;
    let denominator: i64 = met + missed;
    let numerator = match value_kind {
        ValueKind::Share => met,
        ValueKind::Count => denominator,
    };
    Measure {
        service_level_id: terms.service_level_id.clone(),
        metric: terms.metric.clone(),
        title: terms.title.clone(),
        window,
        numerator,
        denominator,
        excluded,
        gaps,
        value: value(value_kind, numerator, denominator),
        target: terms.target,
        minimum: terms.minimum,
        kind: terms.kind,
        value_kind,
        sub_window: terms.sub_window,
        worst: None,
        lacking: terms.lacking.clone(),
        basis: terms.basis.clone(),
        terms_ref: terms.row_ref,
        evidence,
    }
}

/// A value in units of 10⁻⁹; none without cases.
pub(crate) fn value(kind: ValueKind, numerator: i64, denominator: i64) -> Option<i128> {
    match kind {
        ValueKind::Share => scaled_ratio(numerator, denominator, PLACES),
        ValueKind::Count => {
            (denominator > 0).then_some(i128::from(numerator) * 10_i128.pow(PLACES))
        }
    }
}

fn read_terms(session: &Session) -> Result<Vec<Terms>, EngineError> {
    let mut all = Vec::new();
    for batch in session.batches(SERVICE_LEVEL)? {
        let batch = rows::with_younger(&batch, SERVICE_LEVEL, YOUNGER)?;
        let text = |name: &str| rows::texts(&batch, SERVICE_LEVEL, name);
        let (ids, metrics, titles) = (text("service_level_id")?, text("metric")?, text("title")?);
        let (windows, bases, own) = (text("window")?, text("basis")?, text("own_metric")?);
        let (kinds, subs) = (text("kind")?, text("sub_window")?);
        let months = rows::integers(&batch, SERVICE_LEVEL, "rolling_months")?;
        let targets = rows::decimals(&batch, SERVICE_LEVEL, "target")?;
        let minima = rows::decimals(&batch, SERVICE_LEVEL, "minimum")?;
        let from = rows::dates(&batch, SERVICE_LEVEL, "valid_from")?;
        let to = rows::dates(&batch, SERVICE_LEVEL, "valid_to")?;
        let refs = rows::integers(&batch, SERVICE_LEVEL, "_ref")?;
        let word = |array, row| rows::text(array, row).unwrap_or_default().to_owned();
        for row in 0..batch.num_rows() {
            let (listed, own) = (word(&metrics, row), word(&own, row));
            let span = word(&windows, row);
            let window = Window::parse(&span, rows::integer(&months, row));
            all.push(Terms {
                service_level_id: word(&ids, row),
                lacking: lacking(session, (&listed, &own), (&span, window)),
                metric: if listed.is_empty() { own } else { listed },
                title: word(&titles, row),
                kind: match rows::text(&kinds, row) {
                    Some("key-measurement") => Kind::KeyMeasurement,
                    _ => Kind::Critical,
                },
                window: window.unwrap_or(Window::Month),
                sub_window: rows::text(&subs, row).and_then(SubWindow::parse),
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

/// What keeps a row of `service_level` from being measured, whatever the cases.
fn lacking(
    session: &Session,
    (listed, own): (&str, &str),
    (span, window): (&str, Option<Window>),
) -> Option<String> {
    let known = |id: &str| session.evidence.catalogue.metric(id).is_some();
    match (listed, own) {
        ("", "") => Some("it names no metric: fill `metric` or `own_metric`".to_owned()),
        ("", id) if !known(id) => Some(format!(
            "its metric `{id}` is not in the catalogue: write catalogue/metrics/{id}.md into the workspace"
        )),
        (id, "") if !known(id) => Some(format!("its metric `{id}` is not in the catalogue")),
        (id, other) if !id.is_empty() && !other.is_empty() => Some(format!(
            "it names two metrics, `{id}` and `{other}`: empty one of `metric` and `own_metric`"
        )),
        _ if window.is_none() && span == "rolling" => {
            Some("its window is rolling, and `rolling_months` is not 1 to 60".to_owned())
        }
        _ if window.is_none() => Some("it has no window of measuring".to_owned()),
        _ => None,
    }
}
