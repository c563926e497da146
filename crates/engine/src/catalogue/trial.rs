//! Running the cases of catalogue files. Owns the comparison of what comes out with what is expected,
//! and the refusal of files whose cases leave something out; it must never be kinder to a case than
//! to real evidence.

use std::{collections::BTreeSet, sync::Arc};

use backstay_evidence::{RowRef, Vocabulary};

use super::{Body, Case, Catalogue, Control, Expectation, Metric, mutate};
use crate::{
    arrangement,
    assess::{ControlFacts, Work, decide},
    error::EngineError,
    fixture::Fixture,
    markdown::MarkdownTable,
    measure::{self, Measure, plain_decimal, value},
    outcome::{self, Outcome, OutcomeRow},
    session::{Evidence, Rules, Session, View, runtime},
    status::Status,
    tables::Layout,
};

/// What to test.
#[derive(Debug, Clone, Default)]
pub struct TrialOptions {
    /// Only the control or metric of this id.
    pub only: Option<String>,
    /// Also look for slips in the SQL that no case notices.
    pub mutate: bool,
}

/// What came of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Control or metric.
    pub id: String,
    /// Path below the catalogue's folder.
    pub file: String,
    /// Its cases.
    pub cases: Vec<CaseReport>,
    /// Why the file is refused although its cases pass.
    pub refusals: Vec<String>,
    /// How many changed versions of the SQL were tried.
    pub mutants: usize,
    /// Those that no case noticed.
    pub survivors: Vec<String>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Line of its heading.
    pub line: usize,
    /// What is wrong, with lines; empty when it passed.
    pub failures: Vec<String>,
}

impl FileReport {
    /// Whether all cases pass and nothing is left out. Survivors do not fail a file.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.refusals.is_empty() && self.cases.iter().all(|case| case.failures.is_empty())
    }
}

/// Runs the cases of the catalogue.
///
/// # Errors
/// An unknown id; everything else is reported per file.
pub fn catalogue_test(
    vocabulary: &Arc<Vocabulary>,
    catalogue: &Arc<Catalogue>,
    options: &TrialOptions,
    layout: Layout,
) -> Result<Vec<FileReport>, EngineError> {
    if let Some(id) = &options.only {
        catalogue.show(id)?;
    }
    let wanted = |id: &str| options.only.as_deref().is_none_or(|only| only == id);
    let bench = Bench { vocabulary, catalogue, layout, runtime: runtime(layout)? };
    let mut reports = Vec::new();
    for metric in catalogue.metrics().filter(|metric| wanted(&metric.id)) {
        reports.push(bench.test(&Tested::Metric(metric), options.mutate)?);
    }
    for control in catalogue.controls().into_iter().filter(|control| wanted(&control.id)) {
        reports.push(bench.test(&Tested::Control(control), options.mutate)?);
    }
    Ok(reports)
}

struct Bench<'a> {
    vocabulary: &'a Arc<Vocabulary>,
    catalogue: &'a Arc<Catalogue>,
    layout: Layout,
    runtime: Arc<tokio::runtime::Runtime>,
}

/// A control or a metric.
#[derive(Clone, Copy)]
enum Tested<'a> {
    Control(&'a Control),
    Metric(&'a Metric),
}

impl Tested<'_> {
    fn body(&self) -> &Body {
        match self {
            Self::Control(control) => &control.body,
            Self::Metric(metric) => &metric.body,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Control(control) => &control.id,
            Self::Metric(metric) => &metric.id,
        }
    }

    fn file(&self) -> &str {
        match self {
            Self::Control(control) => &control.file,
            Self::Metric(metric) => &metric.file,
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Control(control) => format!("control `{}`", control.id),
            Self::Metric(metric) => format!("metric `{}`", metric.id),
        }
    }
}

/// What came out of one case.
#[derive(Default)]
struct Actual {
    rows: Vec<OutcomeRow>,
    statuses: Vec<(Status, String)>,
    measures: Vec<Measure>,
}

/// The tables of one arrangement of a case, kept for every version of the SQL.
struct Stage {
    session: Session,
    /// None when the arrangement has no row in its register.
    registered: bool,
    /// What the control found with its own SQL.
    base: Option<ControlFacts>,
}

impl Bench<'_> {
    fn test(&self, tested: &Tested<'_>, mutants: bool) -> Result<FileReport, EngineError> {
        let body = tested.body();
        let mut report = FileReport {
            id: tested.id().to_owned(),
            file: tested.file().to_owned(),
            cases: Vec::new(),
            refusals: self.refuse_plan(tested)?,
            mutants: 0,
            survivors: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        let mut staged = Vec::new();
        for case in &body.cases {
            let failures = match self.stage(tested, case).and_then(|mut stages| {
                let actual = self.play(tested, &mut stages, &body.sql)?;
                staged.push((case, stages));
                Ok(actual)
            }) {
                Ok(actual) => {
                    seen.extend(actual.rows.iter().map(|row| row.outcome));
                    compare(case, tested, &actual)
                }
                Err(error) => vec![error.to_string()],
            };
            report.cases.push(CaseReport { name: case.name.clone(), line: case.line, failures });
        }
        report.refusals.extend(incomplete(tested, &seen));
        if mutants && report.passed() {
            let changed = mutate::mutants(&body.sql)?;
            report.mutants = changed.len();
            for mutant in changed {
                if !self.is_noticed(tested, &mut staged, &mutant.sql) {
                    let line = body.sql_line + mutant.line.saturating_sub(1);
                    report.survivors.push(format!("line {line}: {}", mutant.change));
                }
            }
        }
        Ok(report)
    }

    /// Reasons in the SQL itself, found without any row.
    fn refuse_plan(&self, tested: &Tested<'_>) -> Result<Vec<String>, EngineError> {
        let Some(case) = tested.body().cases.first() else {
            return Ok(vec!["it has no case".to_owned()]);
        };
        let (manifest, objects) = Fixture::new(self.vocabulary).manifest_and_objects()?;
        let evidence = self.evidence(manifest, objects);
        let view = view_of(&evidence, "nobody", case)?.0;
        let session = Session::new(&evidence, view, self.layout, self.runtime.clone())?;
        let subject = tested.subject();
        let planned = session.plan(&subject, &tested.body().sql, case.period, Rules::Check);
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(vec![error.to_string()]),
        };
        let consults = match tested {
            Tested::Control(control) => &control.consults,
            Tested::Metric(metric) => &metric.consults,
        };
        let mut refusals = Vec::new();
        for table in consults.iter().filter(|table| !planned.reads.contains(*table)) {
            refusals.push(format!("it consults `{table}`, which its SQL does not read"));
        }
        if let Tested::Control(Control { applies_when: Some(sql), .. }) = tested
            && let Err(error) = session.plan(&subject, sql, case.period, Rules::Check)
        {
            refusals.push(error.to_string());
        }
        Ok(refusals)
    }

    fn evidence(
        &self,
        manifest: backstay_evidence::Manifest,
        objects: backstay_evidence::manifest::MemoryObjects,
    ) -> Evidence {
        Evidence {
            vocabulary: self.vocabulary.clone(),
            catalogue: self.catalogue.clone(),
            manifest: Arc::new(manifest),
            objects: Arc::new(objects),
        }
    }

    /// Opens the tables of a case, once per arrangement.
    fn stage(&self, tested: &Tested<'_>, case: &Case) -> Result<Vec<Stage>, EngineError> {
        let mut fixture = Fixture::new(self.vocabulary);
        for given in &case.given {
            fixture = fixture.given(&given.table, given.rows.clone(), tested.file());
        }
        let (manifest, objects) = fixture.manifest_and_objects()?;
        let evidence = self.evidence(manifest, objects);
        let mut ids = arrangement::ids(&evidence.manifest);
        if ids.is_empty() {
            ids.push("nobody".to_owned());
        }
        let mut stages = Vec::new();
        for id in ids {
            let (view, registered) = view_of(&evidence, &id, case)?;
            let session = Session::new(&evidence, view, self.layout, self.runtime.clone())?;
            stages.push(Stage { session, registered, base: None });
        }
        Ok(stages)
    }

    /// Runs one version of the SQL on a case.
    fn play(
        &self,
        tested: &Tested<'_>,
        stages: &mut [Stage],
        sql: &str,
    ) -> Result<Actual, EngineError> {
        let mut actual = Actual::default();
        for stage in stages {
            match tested {
                Tested::Control(control) => play_control(control, stage, sql, &mut actual)?,
                Tested::Metric(metric) => {
                    let mut changed = (*metric).clone();
                    sql.clone_into(&mut changed.body.sql);
                    let (session, period) = (&stage.session, stage.session.view().period);
                    actual.rows.extend(measure::rows_of(session, &changed, period)?);
                    actual.measures.extend(measure::measures_of(session, &changed)?);
                }
            }
        }
        Ok(actual)
    }

    /// Whether some case fails with this SQL. SQL that does not run is noticed too.
    fn is_noticed(
        &self,
        tested: &Tested<'_>,
        staged: &mut [(&Case, Vec<Stage>)],
        sql: &str,
    ) -> bool {
        staged.iter_mut().any(|(case, stages)| match self.play(tested, stages, sql) {
            Ok(actual) => !compare(case, tested, &actual).is_empty(),
            Err(_) => true,
        })
    }
}

/// The view of a case; an arrangement without a row in its register is looked at in UTC, and is
/// untested whatever comes out.
fn view_of(evidence: &Evidence, id: &str, case: &Case) -> Result<(View, bool), EngineError> {
    let last_day = case.period.after.yesterday().unwrap_or(case.period.first);
    let zone = arrangement::zone(evidence, id, last_day)?;
    let registered = zone.is_some();
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let (_, end_us) = case.period.bounds_us(&zone)?;
    let as_of_us = case.as_of_us.map_or(end_us, |us| us.min(end_us));
    Ok((View { arrangement_id: id.to_owned(), zone, period: case.period, as_of_us }, registered))
}

fn play_control(
    control: &Control,
    stage: &mut Stage,
    sql: &str,
    actual: &mut Actual,
) -> Result<(), EngineError> {
    let subject = format!("control `{}`", control.id);
    let facts = match &stage.base {
        Some(base) => {
            let period = stage.session.view().period;
            let planned = stage.session.plan(&subject, sql, period, Rules::Check)?;
            let rows = stage.session.run(&subject, &planned)?;
            let rows = outcome::read(outcome::Kind::Control, &subject, &rows)?;
            ControlFacts { rows: if base.applies { rows } else { Vec::new() }, ..base.clone() }
        }
        None => {
            let work = Work::new(&stage.session);
            let (planned, inputs) = work.plan(control)?;
            work.facts(control, &planned, &inputs)?
        }
    };
    let (status, reason, _) = decide(control, &facts);
    if stage.registered {
        actual.statuses.push((status, reason));
    } else {
        let reason = format!("no row in `{}`", arrangement::ARRANGEMENT);
        actual.statuses.push((Status::Untested, reason));
    }
    actual.rows.extend(facts.rows.iter().cloned());
    if stage.base.is_none() {
        stage.base = Some(facts);
    }
    Ok(())
}

/// What of a case did not come out.
fn compare(case: &Case, tested: &Tested<'_>, actual: &Actual) -> Vec<String> {
    let mut failures = Vec::new();
    for expectation in &case.expect {
        match expectation {
            Expectation::Rows(table) => {
                failures.extend(compare_rows(table, &actual.rows, &outcome_cell));
            }
            Expectation::Nothing(line) if !actual.rows.is_empty() => {
                let first = actual.rows.first().map(|row| row.subject.clone()).unwrap_or_default();
                let count = actual.rows.len();
                failures
                    .push(format!("line {line}: {count} rows came out, the first about `{first}`"));
            }
            Expectation::Nothing(_) => {}
            Expectation::Status(expected, line) => {
                if matches!(tested, Tested::Metric(_)) {
                    failures.push(format!("line {line}: a metric has no status"));
                }
                for (status, reason) in
                    actual.statuses.iter().filter(|(status, _)| status != expected)
                {
                    failures.push(format!("line {line}: the status is {status}: {reason}"));
                }
            }
            Expectation::Reason(expected, line) => {
                for (_, reason) in
                    actual.statuses.iter().filter(|(_, reason)| !reason.contains(expected))
                {
                    failures.push(format!("line {line}: the reason is `{reason}`"));
                }
            }
            Expectation::Measurement(table) => {
                failures.extend(compare_rows(table, &actual.measures, &measure_cell));
            }
        }
    }
    failures
}

/// Compares rows as sets, by the columns that are expected.
fn compare_rows<T>(
    expected: &MarkdownTable,
    actual: &[T],
    cell: &dyn Fn(&T, &str) -> Option<String>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut left: Vec<Vec<String>> = Vec::new();
    for row in actual {
        let mut cells = Vec::new();
        for name in &expected.header {
            match cell(row, name) {
                Some(text) => cells.push(text),
                None => {
                    return vec![format!("line {}: there is no column `{name}`", expected.line)];
                }
            }
        }
        left.push(cells);
    }
    for (line, cells) in &expected.rows {
        let wanted: Vec<String> = cells.iter().map(|cell| normal(cell)).collect();
        match left
            .iter()
            .position(|row| row.iter().map(|cell| normal(cell)).eq(wanted.iter().cloned()))
        {
            Some(place) => {
                left.swap_remove(place);
            }
            None => failures.push(format!("line {line}: no row is | {} |", cells.join(" | "))),
        }
    }
    left.sort();
    failures.extend(left.iter().map(|row| format!("not expected: | {} |", row.join(" | "))));
    failures
}

/// Numbers are compared as numbers: `0.5` is `0.500`.
fn normal(cell: &str) -> String {
    match crate::cell::decimal_nanos(cell) {
        Ok(nanos) => plain_decimal(nanos),
        Err(_) => cell.to_owned(),
    }
}

fn refs(packed: &[i64]) -> String {
    let texts =
        packed.iter().filter_map(|packed| RowRef::unpack(*packed)).map(|row| row.to_string());
    texts.collect::<Vec<_>>().join(", ")
}

fn outcome_cell(row: &OutcomeRow, name: &str) -> Option<String> {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    Some(match name {
        "arrangement_id" => row.arrangement_id.clone(),
        "service_level_id" => row.service_level_id.clone(),
        "subject" => row.subject.clone(),
        "outcome" => row.outcome.word().to_owned(),
        "measured" => or_empty(&row.measured),
        "required" => or_empty(&row.required),
        "unit" => or_empty(&row.unit),
        "amount_minor" => row.amount_minor.map(|minor| minor.to_string()).unwrap_or_default(),
        "currency" => or_empty(&row.currency),
        "explanation" => row.explanation.clone(),
        "evidence" => refs(&row.evidence),
        _ => return None,
    })
}

fn measure_cell(measure: &Measure, name: &str) -> Option<String> {
    let decimal = |value: Option<i128>| value.map(plain_decimal).unwrap_or_default();
    Some(match name {
        "service_level_id" => measure.service_level_id.clone(),
        "metric" => measure.metric.clone(),
        "title" => measure.title.clone(),
        "period_start" => measure.window.first.to_string(),
        "period_end" => measure.window.after.to_string(),
        "numerator" => measure.numerator.to_string(),
        "denominator" => measure.denominator.to_string(),
        "excluded" => measure.excluded.values().sum::<i64>().to_string(),
        "gaps" => measure.gaps.values().sum::<i64>().to_string(),
        "value" => decimal(measure.value),
        "target" => decimal(measure.target),
        "minimum" => decimal(measure.minimum),
        "kind" => measure.kind.as_str().to_owned(),
        "value_kind" => measure.value_kind.as_str().to_owned(),
        "basis" => measure.basis.clone(),
        "evidence" => refs(&measure.evidence),
        other => return judged_cell(measure, other),
    })
}

/// What stands beside the value.
fn judged_cell(measure: &Measure, name: &str) -> Option<String> {
    let worst = measure.worst;
    let of = |text: Option<String>| text.unwrap_or_default();
    Some(match name {
        "judgement" => of(measure.judgement().map(|word| word.as_str().to_owned())),
        "lacking" => of(measure.lacking.clone()),
        "sub_window" => of(measure.sub_window.map(|sub| sub.as_str().to_owned())),
        "worst_start" => of(worst.map(|worst| worst.span.first.to_string())),
        "worst_end" => of(worst.map(|worst| worst.span.after.to_string())),
        "worst_numerator" => of(worst.map(|worst| worst.numerator.to_string())),
        "worst_denominator" => of(worst.map(|worst| worst.denominator.to_string())),
        "worst_value" => of(worst.and_then(|worst| {
            let value = value(measure.value_kind, worst.numerator, worst.denominator)?;
            Some(plain_decimal(value))
        })),
        _ => return None,
    })
}

/// What the cases leave out.
fn incomplete(tested: &Tested<'_>, seen: &BTreeSet<Outcome>) -> Vec<String> {
    let mut refusals = Vec::new();
    let body = tested.body();
    let words: &[Outcome] = match tested {
        Tested::Control(_) => &[Outcome::Met, Outcome::Missed, Outcome::Gap],
        Tested::Metric(_) => &[Outcome::Met, Outcome::Missed, Outcome::Excluded, Outcome::Gap],
    };
    for outcome in words {
        let literal = format!("'{}'", outcome.word());
        let side = matches!(tested, Tested::Control(_)) && *outcome != Outcome::Gap;
        if (side || body.sql.contains(&literal)) && !seen.contains(outcome) {
            refusals.push(format!("no case shows the outcome `{}`", outcome.word()));
        }
    }
    let expects = || body.cases.iter().flat_map(|case| &case.expect);
    match tested {
        Tested::Control(_) => {
            let untested = |e: &Expectation| matches!(e, Expectation::Status(Status::Untested, _));
            if !expects().any(untested) {
                refusals.push(
                    "no case withholds evidence: add one with `expect status untested`".to_owned(),
                );
            }
        }
        Tested::Metric(_) => {
            let no_value = |e: &Expectation| match e {
                Expectation::Measurement(table) => {
                    let column = table.header.iter().position(|name| name == "value");
                    column.is_some_and(|column| {
                        table
                            .rows
                            .iter()
                            .any(|(_, cells)| cells.get(column).is_some_and(String::is_empty))
                    })
                }
                _ => false,
            };
            if !expects().any(no_value) {
                refusals.push(
                    "no case shows a window without cases: add `expect measurement` with an empty `value`".to_owned(),
                );
            }
        }
    }
    refusals
}
