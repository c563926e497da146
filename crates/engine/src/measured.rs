//! The figures of service levels as results: of one session, or of every arrangement at once without
//! judging a control. Owns how a measured figure is written down; it must never count anything itself.

use backstay_evidence::RowRef;

use crate::{
    arrangement,
    assessment::{MeasureResult, WorstResult},
    catalogue::ValueKind,
    error::EngineError,
    measure::{self, Measure, SubMeasure, plain_decimal},
    period::{Period, SubWindow},
    session::{Evidence, Session, View, runtime},
    tables::Layout,
};

/// How many references are written out; their number is written in full.
const EVIDENCE_KEPT: usize = 100;

/// Figures without judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// By arrangement, service level and window.
    pub measures: Vec<MeasureResult>,
    /// What is not measured, and why.
    pub notes: Vec<String>,
}

/// Measures every service level of every arrangement in the evidence in the windows that end in a
/// period, as [`assess`](crate::assess::assess) does, and nothing else.
///
/// # Errors
/// Unreadable evidence, or a metric whose SQL fails.
pub fn measured(
    evidence: &Evidence,
    period: Period,
    now_us: i64,
    layout: Layout,
) -> Result<Measured, EngineError> {
    let threads = runtime(layout)?;
    let mut found = Measured { measures: Vec::new(), notes: Vec::new() };
    for id in arrangement::ids(&evidence.manifest) {
        let Some(view) = arrangement::view(evidence, &id, period, now_us)? else {
            found.notes.push(unregistered(&id));
            continue;
        };
        let session = Session::new(evidence, view, layout, threads.clone())?;
        found.measures.extend(of_session(&session)?);
        found.notes.extend(unmeasured_notes(&session)?);
    }
    Ok(found)
}

/// Why nothing is said of an arrangement that the register does not know.
pub(crate) fn unregistered(id: &str) -> String {
    format!(
        "`{id}` has no row in `{}`, so its zone and its months are unknown; import one",
        arrangement::ARRANGEMENT
    )
}

/// The figures of one arrangement.
pub(crate) fn of_session(session: &Session) -> Result<Vec<MeasureResult>, EngineError> {
    let all = measure::measures(session)?;
    Ok(all.iter().map(|measure| result(session.view(), measure)).collect())
}

/// A sentence for each service level of which no window ends in the period.
pub(crate) fn unmeasured_notes(session: &Session) -> Result<Vec<String>, EngineError> {
    let say = |(level, span): (String, String)| {
        format!(
            "`{level}` of `{}` is measured over {span}, and none ends in the period",
            session.view().arrangement_id
        )
    };
    Ok(measure::unmeasured(session)?.into_iter().map(say).collect())
}

fn result(view: &View, measure: &Measure) -> MeasureResult {
    MeasureResult {
        arrangement_id: view.arrangement_id.clone(),
        service_level: measure.service_level_id.clone(),
        metric: measure.metric.clone(),
        title: measure.title.clone(),
        period: measure.window,
        numerator: measure.numerator,
        denominator: measure.denominator,
        value: measure.value_text(),
        target: measure.target.map(plain_decimal),
        minimum: measure.minimum.map(plain_decimal),
        kind: measure.kind.as_str().to_owned(),
        judgement: measure.judgement().map(|word| word.as_str().to_owned()),
        worst: measure.worst.map(|worst| worst_result(measure, worst)),
        lacking: measure.lacking.clone(),
        target_basis: measure.basis.clone(),
        target_ref: refs(&[measure.terms_ref]).concat(),
        excluded: measure.excluded.clone(),
        gaps: measure.gaps.clone(),
        evidence: refs(&measure.evidence),
        evidence_total: measure.evidence.len() as u64,
    }
}

fn worst_result(measure: &Measure, worst: SubMeasure) -> WorstResult {
    let SubMeasure { span, numerator, denominator } = worst;
    WorstResult {
        sub_window: measure.sub_window.map_or("", SubWindow::as_str).to_owned(),
        period: span,
        numerator,
        denominator,
        value: match measure.value_kind {
            ValueKind::Share => crate::function::ratio_text(numerator, denominator),
            ValueKind::Count => Some(numerator.to_string()),
        }
        .unwrap_or_default(),
    }
}

/// The first references of a list, as people write them.
pub(crate) fn refs(packed: &[i64]) -> Vec<String> {
    let shown = packed.iter().filter_map(|packed| RowRef::unpack(*packed));
    shown.take(EVIDENCE_KEPT).map(|row| row.to_string()).collect()
}
