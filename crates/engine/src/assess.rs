//! From a manifest, a catalogue and a period to an assessment. Owns the order of the work; it must
//! never read a clock, and no answer may depend on the number of cores, on the cache or on how objects
//! are laid out.

use std::{collections::BTreeMap, sync::Arc};

use backstay_evidence::Digest;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    arrangement,
    assessment::{
        Assessment, Basis, ControlResult, CoverageResult, Finding, MeasureResult, RiskResult,
        SCHEMA, finding_id,
    },
    cache::ResultCache,
    catalogue::Control,
    coverage::{Coverage, Lack},
    derive::{MEASUREMENT, MEASUREMENT_HISTORY},
    error::EngineError,
    lineage, measure, measured,
    outcome::{self, Outcome, OutcomeRow},
    period::{Period, Window, day_of_us, instant_text},
    session::{Evidence, Rules, Session, View, runtime},
    status::{self, DAY_US, Findings, Status},
    tables::Layout,
};

/// Version of this engine: part of every basis.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is to be assessed.
#[derive(Clone)]
pub struct AssessRequest<'a> {
    /// Evidence and catalogue, cut to the scope.
    pub evidence: Evidence,
    /// Digest of the settings that the caller applied.
    pub settings: Digest,
    /// Period; the last complete month with events when none.
    pub period: Option<Period>,
    /// Now, microseconds UTC.
    pub now_us: i64,
    /// Seed, for what is drawn.
    pub seed: u64,
    /// How the work is cut up; changes no byte.
    pub layout: Layout,
    /// Where results are kept; changes no byte.
    pub cache: Option<&'a dyn ResultCache>,
}

/// What one control found in one arrangement, before a status is decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ControlFacts {
    pub applies: bool,
    pub rows: Vec<OutcomeRow>,
    pub lacking: Vec<String>,
    pub known_empty: bool,
    pub age_us: Option<i64>,
    pub tables: Vec<String>,
}

/// Assesses.
///
/// # Errors
/// Unreadable evidence, SQL that fails, or a result that is not as agreed. Missing evidence is no
/// error: it makes controls untested.
pub fn assess(request: &AssessRequest<'_>) -> Result<Assessment, EngineError> {
    let evidence = &request.evidence;
    let mut notes = Vec::new();
    let period = choose_period(request, &mut notes)?;
    let ids = arrangement::ids(&evidence.manifest);
    if ids.is_empty() {
        notes.push("there is no evidence yet; import some first".to_owned());
    }
    let threads = runtime(request.layout)?;
    let mut latest_us = None;
    let mut parts = Vec::new();
    for id in &ids {
        let Some(view) = arrangement::view(evidence, id, period, request.now_us)? else {
            parts.push(unregistered(evidence, id, &mut notes));
            continue;
        };
        latest_us = latest_us.max(Some(view.as_of_us));
        let session = Session::new(evidence, view, request.layout, threads.clone())?;
        parts.push(assess_one(request, &session, &mut notes)?);
    }
    let as_of_us = match latest_us {
        Some(us) => us,
        None => request.now_us.min(period.bounds_us("UTC")?.1),
    };
    let mut assessment = Assessment {
        schema: SCHEMA.to_owned(),
        basis: Basis {
            evidence_digest: evidence.manifest.evidence_digest,
            as_of: instant_text(as_of_us),
            period,
            catalogue: evidence.catalogue.digest(),
            vocabulary: evidence.vocabulary.digest(),
            settings: request.settings,
            time_zones: backstay_calendar::tzdb_version().to_owned(),
            engine: ENGINE_VERSION.to_owned(),
            seed: request.seed,
            scope: evidence.manifest.scope.clone(),
        },
        risks: Vec::new(),
        controls: Vec::new(),
        measures: Vec::new(),
        findings: Vec::new(),
        coverage: Vec::new(),
        notes,
    };
    for part in parts {
        assessment.controls.extend(part.controls);
        assessment.measures.extend(part.measures);
        assessment.findings.extend(part.findings);
        assessment.coverage.extend(part.coverage);
    }
    assessment.risks = risks(evidence, &assessment.controls);
    Ok(assessment)
}

#[derive(Default)]
struct Part {
    controls: Vec<ControlResult>,
    measures: Vec<MeasureResult>,
    findings: Vec<Finding>,
    coverage: Vec<CoverageResult>,
}

fn choose_period(
    request: &AssessRequest<'_>,
    notes: &mut Vec<String>,
) -> Result<Period, EngineError> {
    if let Some(period) = request.period {
        return Ok(period);
    }
    let found =
        arrangement::last_month_with_events(&request.evidence, request.now_us, request.layout)?;
    if let Some(month) = found {
        notes.push(format!("the period is {month}: the last complete month with events"));
        return Ok(month);
    }
    let this_month = Window::Month.around(day_of_us("UTC", request.now_us)?)?;
    let last_day = this_month.first.yesterday().unwrap_or(this_month.first);
    let month = Window::Month.around(last_day)?;
    notes.push(format!(
        "the period is {month}: no complete month has events, so the last one is taken"
    ));
    Ok(month)
}

/// An arrangement with evidence of which the register says nothing.
fn unregistered(evidence: &Evidence, id: &str, notes: &mut Vec<String>) -> Part {
    let reason = measured::unregistered(id);
    notes.push(reason.clone());
    let untested = |control: &Control| ControlResult {
        arrangement_id: id.to_owned(),
        risk: control.risk.clone(),
        control: control.id.clone(),
        title: control.title.clone(),
        severity: control.severity,
        status: Status::Untested,
        reason: reason.clone(),
        population: 0,
        missed: 0,
        gaps: 0,
        evidence_age_days: None,
        lacking: vec![reason.clone()],
        tables: vec![arrangement::ARRANGEMENT.to_owned()],
    };
    let controls = evidence.catalogue.controls().into_iter().map(untested).collect();
    Part { controls, ..Part::default() }
}

fn assess_one(
    request: &AssessRequest<'_>,
    session: &Session,
    notes: &mut Vec<String>,
) -> Result<Part, EngineError> {
    let keys = Keys::new(request, session);
    let mut part = Part::default();
    let work = Work::new(session);
    let mut needed = std::collections::BTreeSet::new();
    for control in request.evidence.catalogue.controls() {
        let (planned, inputs) = work.plan(control)?;
        needed.extend(inputs.needed.iter().cloned());
        let tables: Vec<String> = inputs.all().into_iter().collect();
        let key = keys.control(control, &tables);
        let facts = kept(request.cache, key, || work.facts(control, &planned, &inputs))?;
        part.push(session.view(), control, &facts);
    }
    part.measures = measures_of(request, session, &keys)?;
    let unmeasured = kept(request.cache, keys.arrangement("unmeasured"), || {
        measured::unmeasured_notes(session)
    })?;
    notes.extend(unmeasured);
    part.coverage = kept(request.cache, keys.arrangement("coverage"), || {
        let coverage = work.coverage(session.view().period)?;
        let row = |table: &String| {
            let table = coverage.table(table, true)?;
            Ok(CoverageResult { arrangement_id: session.view().arrangement_id.clone(), table })
        };
        needed.iter().map(row).collect()
    })?;
    Ok(part)
}

fn measures_of(
    request: &AssessRequest<'_>,
    session: &Session,
    keys: &Keys<'_>,
) -> Result<Vec<MeasureResult>, EngineError> {
    kept(request.cache, keys.arrangement("measures"), || measured::of_session(session))
}

/// The service levels of a session, and whether every row expected of `table` in its period is there.
pub(crate) fn measured_and_covered(
    request: &AssessRequest<'_>,
    session: &Session,
    table: &str,
) -> Result<(Vec<MeasureResult>, bool), EngineError> {
    let keys = Keys::new(request, session);
    let measures = measures_of(request, session, &keys)?;
    let covered = kept(request.cache, keys.arrangement(&format!("covered {table}")), || {
        Ok(Work::new(session).coverage(session.view().period)?.table(table, true)?.covered)
    })?;
    Ok((measures, covered))
}

/// What the controls of one arrangement share: coverage is worked out once.
pub(crate) struct Work<'a> {
    session: &'a Session,
    coverage: std::cell::RefCell<BTreeMap<Period, std::rc::Rc<Coverage<'a>>>>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        Self { session, coverage: std::cell::RefCell::default() }
    }

    fn coverage(&self, span: Period) -> Result<std::rc::Rc<Coverage<'a>>, EngineError> {
        if let Some(known) = self.coverage.borrow().get(&span) {
            return Ok(known.clone());
        }
        let coverage = std::rc::Rc::new(Coverage::new(self.session, span)?);
        self.coverage.borrow_mut().insert(span, coverage.clone());
        Ok(coverage)
    }

    /// Plans a control and takes its inputs apart; what decides whether it applies counts as needed.
    pub(crate) fn plan(
        &self,
        control: &Control,
    ) -> Result<(crate::session::Planned, lineage::Inputs), EngineError> {
        let (session, period) = (self.session, self.session.view().period);
        let subject = format!("control `{}`", control.id);
        let planned = session.plan(&subject, &control.body.sql, period, Rules::Check)?;
        let mut reads = planned.reads.clone();
        if let Some(sql) = &control.applies_when {
            reads.extend(session.plan(&subject, sql, period, Rules::Check)?.reads);
        }
        let inputs = lineage::inputs(session, &reads, &control.consults)?;
        Ok((planned, inputs))
    }

    pub(crate) fn facts(
        &self,
        control: &Control,
        planned: &crate::session::Planned,
        inputs: &lineage::Inputs,
    ) -> Result<ControlFacts, EngineError> {
        let (session, subject) = (self.session, format!("control `{}`", control.id));
        let applies = applies(session, control)?;
        let rows = if applies {
            let batches = session.run(&subject, planned)?;
            outcome::read(outcome::Kind::Control, &subject, &batches)?
        } else {
            Vec::new()
        };
        let own = &session.view().arrangement_id;
        if let Some(other) = rows.iter().find(|row| &row.arrangement_id != own) {
            let message =
                format!("a row is of arrangement `{}`, not `{own}`", other.arrangement_id);
            return Err(EngineError::Shape { subject, message });
        }
        let mut span = match reads(session, &planned.reads, MEASUREMENT) {
            true => measured_span(session)?,
            false => session.view().period,
        };
        if reads(session, &planned.reads, MEASUREMENT_HISTORY) {
            span = session.credit_span()?.map_or(span, |credit| span.hull(credit));
        }
        let lack: Lack = self.coverage(span)?.lack(inputs)?;
        Ok(ControlFacts {
            applies,
            rows,
            lacking: lack.reasons,
            known_empty: lack.known_empty,
            age_us: lack.age_us,
            tables: inputs.all().into_iter().collect(),
        })
    }
}

/// The words of a status for what was found.
pub(crate) fn decide(control: &Control, facts: &ControlFacts) -> (Status, String, [u64; 3]) {
    let count = |outcome| facts.rows.iter().filter(|row| row.outcome == outcome).count() as u64;
    let (met, missed, gaps) = (count(Outcome::Met), count(Outcome::Missed), count(Outcome::Gap));
    let found = Findings {
        applies: facts.applies,
        met,
        missed,
        gaps,
        lacking: facts.lacking.clone(),
        known_empty: facts.known_empty,
        age_us: facts.age_us,
    };
    let (status, reason) = status::decide(&control.limits, &found);
    (status, reason, [met, missed, gaps])
}

fn applies(session: &Session, control: &Control) -> Result<bool, EngineError> {
    let Some(sql) = &control.applies_when else { return Ok(true) };
    let subject = format!("control `{}`, applies_when", control.id);
    let planned = session.plan(&subject, sql, session.view().period, Rules::Check)?;
    let mut answers = Vec::new();
    for batch in session.run(&subject, &planned)? {
        let name = batch.schema().fields().first().map(|field| field.name().clone());
        let column = crate::rows::booleans(&batch, &subject, &name.unwrap_or_default())?;
        answers.extend((0..batch.num_rows()).map(|row| crate::rows::boolean(&column, row)));
    }
    match answers.as_slice() {
        [Some(answer)] => Ok(*answer),
        _ => Err(EngineError::Shape {
            subject,
            message: "it must give one row, true or false".to_owned(),
        }),
    }
}

/// Whether a plan rests on measured windows, which may begin before the period.
fn reads(session: &Session, names: &std::collections::BTreeSet<String>, measured: &str) -> bool {
    names.iter().any(|name| {
        name == measured
            || session.derivations.iter().any(|derivation| {
                derivation.name() == name && {
                    let below = derivation.reads().iter().chain(derivation.consults());
                    let below = below.map(|name| (*name).to_owned()).collect();
                    reads(session, &below, measured)
                }
            })
    })
}

fn measured_span(session: &Session) -> Result<Period, EngineError> {
    let windows = measure::measures(session)?.iter().map(|measure| measure.window);
    Ok(windows.fold(session.view().period, Period::hull))
}

impl Part {
    fn push(&mut self, view: &View, control: &Control, facts: &ControlFacts) {
        let (status, reason, [met, missed, gaps]) = decide(control, facts);
        self.controls.push(ControlResult {
            arrangement_id: view.arrangement_id.clone(),
            risk: control.risk.clone(),
            control: control.id.clone(),
            title: control.title.clone(),
            severity: control.severity,
            status,
            reason,
            population: met + missed + gaps,
            missed,
            gaps,
            evidence_age_days: facts.age_us.map(|us| us / DAY_US),
            lacking: facts.lacking.iter().take(20).cloned().collect(),
            tables: facts.tables.clone(),
        });
        for row in facts.rows.iter().filter(|row| row.outcome != Outcome::Met) {
            self.findings.push(finding(view, control, row));
        }
    }
}

fn finding(view: &View, control: &Control, row: &OutcomeRow) -> Finding {
    Finding {
        id: finding_id(&control.id, &view.arrangement_id, &row.subject),
        arrangement_id: view.arrangement_id.clone(),
        risk: control.risk.clone(),
        control: control.id.clone(),
        severity: control.severity,
        subject: row.subject.clone(),
        outcome: row.outcome,
        measured: row.measured.clone(),
        required: row.required.clone(),
        unit: row.unit.clone(),
        amount_minor: row.amount_minor,
        currency: row.currency.clone(),
        explanation: row.explanation.clone(),
        evidence: measured::refs(&row.evidence),
        evidence_total: row.evidence.len() as u64,
    }
}

fn risks(evidence: &Evidence, controls: &[ControlResult]) -> Vec<RiskResult> {
    let result = |risk: &crate::catalogue::Risk| {
        let mut counts = BTreeMap::new();
        for control in controls.iter().filter(|control| control.risk == risk.id) {
            *counts.entry(control.status).or_insert(0) += 1;
        }
        let status = counts.keys().next().copied();
        RiskResult { risk: risk.id.clone(), title: risk.title.clone(), status, counts }
    };
    evidence.catalogue.risks().into_iter().map(result).collect()
}

/// What keys of kept results are made of.
struct Keys<'a> {
    session: &'a Session,
    common: Digest,
}

impl<'a> Keys<'a> {
    fn new(request: &AssessRequest<'_>, session: &'a Session) -> Self {
        let view = session.view();
        let catalogue = &request.evidence.catalogue;
        let metrics: Vec<_> = catalogue.metrics().map(|metric| metric.digest.to_string()).collect();
        let manifest = session.manifest();
        let unseen = manifest.segments.iter().any(|segment| segment.seq > manifest.as_of_seq)
            || manifest.retractions.iter().any(|retraction| retraction.seq > manifest.as_of_seq);
        let text = format!(
            "{ENGINE_VERSION}\n{}\n{}\n{}\n{}\n{}\n{}\n{:?}\n{}",
            backstay_calendar::tzdb_version(),
            request.evidence.vocabulary.digest(),
            view.arrangement_id,
            view.zone,
            view.period,
            view.as_of_us,
            unseen.then_some(manifest.as_of_seq),
            metrics.join(",")
        );
        Self { session, common: Digest::of(text.as_bytes()) }
    }

    fn key(&self, what: &str, own: &Digest, tables: &[String]) -> Digest {
        let inputs = self.session.manifest().inputs_digest(tables);
        Digest::of_parts(&[what.as_bytes(), &self.common.0, &own.0, &inputs.0])
    }

    /// Of one control: its own tables, and those that say whether they are covered.
    fn control(&self, control: &Control, tables: &[String]) -> Digest {
        let mut tables = tables.to_vec();
        tables.extend(
            ["evidence_feed", "calendar", "holiday", "case_event", "provider_report"]
                .map(str::to_owned),
        );
        self.key("control", &control.digest, &tables)
    }

    /// Of an arrangement as a whole: every table.
    fn arrangement(&self, what: &str) -> Digest {
        let tables: Vec<String> =
            self.session.tables.iter().map(|table| table.definition().name.clone()).collect();
        self.key(what, &self.session.evidence.catalogue.digest(), &tables)
    }
}

/// A kept result, or a new one that is then kept.
fn kept<T: Serialize + DeserializeOwned>(
    cache: Option<&dyn ResultCache>,
    key: Digest,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let Some(cache) = cache else { return work() };
    let known = cache.get(key).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(known) = known {
        return Ok(known);
    }
    let result = work()?;
    if let Ok(bytes) = serde_json::to_vec(&result) {
        cache.put(key, &bytes);
    }
    Ok(result)
}

/// The evidence of a request, for callers that put it together piece by piece.
#[must_use]
pub fn evidence(
    vocabulary: Arc<backstay_evidence::Vocabulary>,
    catalogue: Arc<crate::Catalogue>,
    manifest: Arc<backstay_evidence::Manifest>,
    objects: Arc<dyn backstay_evidence::ObjectSource>,
) -> Evidence {
    Evidence { vocabulary, catalogue, manifest, objects }
}
