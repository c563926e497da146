//! Quality of one arrangement, stream by stream: lots and their switching with the curve of the plan in
//! force, weekly series, agreement of reviewers, feedback, strain; and its complaints. Owns the
//! gathering; it must never show more of people than the groups that the derived tables let out.

use std::collections::BTreeMap;

use backstay_sampling::{Aql, Level, Severity, code_letter, curve, plan};
use jiff::civil::Date;

use super::line::lines;
use crate::{
    derive::quality::{
        agreement, complaint_trend, drift_point, drift_signal, feedback_item, lot_state,
        record::{self, PlanRow},
        strain_group,
    },
    error::EngineError,
    function::decimal_text,
    session::{Session, derived::AllTables},
};

/// Shares at which a curve is shown, per cent of the limit.
const STEPS: [u64; 15] = [0, 25, 50, 75, 100, 125, 150, 200, 250, 300, 350, 400, 500, 600, 800];

/// Quality.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QualityPanel {
    /// Streams of alike work, in order.
    pub streams: Vec<Stream>,
    /// What is said of feedback and of no stream.
    pub feedback_said: Vec<String>,
    /// Complaints; none when nothing is known of the arrangement's cases.
    pub complaints: Option<Complaints>,
}

/// A stream of alike work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    /// Its name.
    pub stream: String,
    /// Inspection by class of defect.
    pub inspections: Vec<Inspection>,
    /// Series watched for drift.
    pub drift: Vec<DriftSeries>,
    /// Agreement of reviewers in the period.
    pub agreement: Option<Agreement>,
    /// Causes and actions looked at in the period.
    pub feedback: Vec<Feedback>,
    /// Groups of items compared, where work is monotonous.
    pub strain: Vec<StrainGroup>,
}

/// Lots under the plan of one class of defect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// Class; empty where no plan is agreed.
    pub class: String,
    /// Lots in order, those before the period too.
    pub lots: Vec<Lot>,
    /// What the plan of the last lot lets through.
    pub curve: Option<PlanCurve>,
}

/// One lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Id.
    pub lot: String,
    /// Number in the stream.
    pub number: Option<i64>,
    /// Civil day on which it counts.
    pub on: Option<Date>,
    /// Whether that is in the period.
    pub in_period: bool,
    /// Items in it.
    pub items: Option<i64>,
    /// `normal`, `tightened` or `reduced`.
    pub severity: Option<String>,
    /// Items to inspect, accept up to, refuse from.
    pub plan: Option<(i64, i64, i64)>,
    /// Items inspected.
    pub inspected: Option<i64>,
    /// Nonconforming items found.
    pub nonconforming: Option<i64>,
    /// `accepted` or `refused`; nothing where it cannot be said.
    pub verdict: Option<String>,
    /// What was done with it.
    pub disposition: Option<String>,
    /// Switching score after it.
    pub score: Option<i64>,
    /// Severity for the next lot.
    pub severity_after: Option<String>,
    /// Whether acceptance is discontinued after it.
    pub discontinued: bool,
    /// What was wrong with its inspection.
    pub faults: Option<String>,
    /// What cannot be known.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// What a plan lets through: exact, on the binomial law of a long series of lots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCurve {
    /// Severity.
    pub severity: String,
    /// Items inspected, accepted up to, refused from.
    pub plan: (u64, u64, u64),
    /// Acceptance quality limit, thousandths of a per cent.
    pub aql_thousandths: u64,
    /// How often a lot exactly at the limit is refused, millionths.
    pub producers_risk: u64,
    /// Share that passes 95 times in a hundred, thousandths of a per cent.
    pub good_thousandths: u64,
    /// Share that still passes ten times in a hundred, thousandths of a per cent.
    pub consumer_thousandths: u64,
    /// Points in order of share.
    pub points: Vec<CurvePoint>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// Share of nonconforming items, thousandths of a per cent.
    pub share_thousandths: u64,
    /// Probability that the lot is accepted, millionths.
    pub accepted: u64,
}

/// A weekly series against its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriftSeries {
    /// `defects`, or `slow cases of` a service level.
    pub series: String,
    /// Days of the baseline, half-open.
    pub baseline: Option<(Date, Date)>,
    /// What each rule says.
    pub signals: Vec<DriftSignal>,
    /// Weeks, those of the baseline first.
    pub weeks: Vec<DriftWeek>,
    /// Why nothing is said.
    pub gap: Option<String>,
    /// Row of the terms.
    pub record: Option<String>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftSignal {
    /// `cusum` or `ewma`.
    pub rule: String,
    /// `up` or `down`; nothing without a signal.
    pub signal: Option<String>,
    /// In a sentence, with the rate of false alarms.
    pub sentence: String,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// A week of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftWeek {
    /// Its Monday.
    pub week: Date,
    /// Whether it is of the baseline.
    pub baseline: bool,
    /// Whether a signal of it counts in the period.
    pub in_period: bool,
    /// Found.
    pub found: i64,
    /// Out of.
    pub of: i64,
    /// The baseline's share, units of 10⁻⁹.
    pub centre: Option<i128>,
    /// Limits of three standard deviations, units of 10⁻⁹.
    pub limits: Option<(i128, i128)>,
    /// CUSUM, units of 10⁻⁹ of a standard deviation, and whether it is beyond its limit.
    pub cusum: Option<(i128, bool)>,
    /// EWMA in the same way.
    pub ewma: Option<(i128, bool)>,
}

/// Agreement of reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// `cohen` or `fleiss`.
    pub method: Option<String>,
    /// Items inspected.
    pub inspected: Option<i64>,
    /// Of these, judged twice by different people.
    pub twice: Option<i64>,
    /// Items that had to be.
    pub agreed_twice: Option<i64>,
    /// Share of equal judgements, as a decimal.
    pub observed: Option<String>,
    /// Kappa, as a decimal.
    pub kappa: Option<String>,
    /// Its interval of 95 %.
    pub interval: Option<(String, String)>,
    /// Least kappa agreed.
    pub minimum: Option<String>,
    /// What was wrong.
    pub faults: Option<String>,
    /// What cannot be said.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// A cause of defects, or an action against one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// `raised`, `done` or `not-back`.
    pub kind: String,
    /// What is looked at.
    pub subject: String,
    /// Cause.
    pub cause: Option<String>,
    /// Action.
    pub action: Option<String>,
    /// By when.
    pub due_on: Option<Date>,
    /// When it happened; for `not-back` the day on which the cause was back.
    pub happened_on: Option<Date>,
    /// Defects behind it.
    pub times: i64,
    /// In a sentence.
    pub sentence: Option<String>,
    /// What cannot be known.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Items compared with all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrainGroup {
    /// What the group has in common: tenure, hour of the shift, days without a break, price.
    pub factor: String,
    /// Which of it.
    pub members: String,
    /// Items of the group and, of these, defective.
    pub items: Option<(i64, i64)>,
    /// All other items and, of these, defective.
    pub others: Option<(i64, i64)>,
    /// How often chance alone would give as many, as a decimal.
    pub chance: Option<String>,
    /// Why nothing is said.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Complaints that the service caused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaints {
    /// First day of the two months compared with.
    pub before_from: Option<Date>,
    /// In the period, and cases opened in it.
    pub now: (i64, i64),
    /// In the two months before.
    pub before: (i64, i64),
    /// How often chance alone would give as many, as a decimal.
    pub chance: Option<String>,
    /// What cannot be known.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

type Streams = BTreeMap<String, Stream>;

fn of<'a>(streams: &'a mut Streams, name: &str) -> &'a mut Stream {
    streams
        .entry(name.to_owned())
        .or_insert_with(|| Stream { stream: name.to_owned(), ..Stream::default() })
}

/// Quality in a session's arrangement and period.
///
/// # Errors
/// Unreadable rows.
pub fn quality(session: &Session) -> Result<QualityPanel, EngineError> {
    let mut streams = Streams::new();
    inspections(session, &mut streams)?;
    drift(session, &mut streams)?;
    agreements(session, &mut streams)?;
    let feedback_said = feedback(session, &mut streams)?;
    strain(session, &mut streams)?;
    Ok(QualityPanel {
        streams: streams.into_values().collect(),
        feedback_said,
        complaints: complaints(session)?,
    })
}

fn inspections(session: &Session, streams: &mut Streams) -> Result<(), EngineError> {
    let period = session.view().period;
    lines(session, lot_state::NAME, |line| {
        let class = line.word("defect_class")?;
        let on = line.date("counts_on")?;
        let sizes = line.integer("sample_size")?.zip(line.integer("accept")?);
        let lot = Lot {
            lot: line.word("lot_id")?,
            number: line.integer("lot_number")?,
            on,
            in_period: on.is_some_and(|on| period.first <= on && on < period.after),
            items: line.integer("item_count")?,
            severity: line.text("severity")?,
            plan: sizes
                .zip(line.integer("refuse")?)
                .map(|((size, accept), refuse)| (size, accept, refuse)),
            inspected: line.integer("inspected")?,
            nonconforming: line.integer("nonconforming")?,
            verdict: line.text("verdict")?,
            disposition: line.text("disposition")?,
            score: line.integer("score")?,
            severity_after: line.text("severity_after")?,
            discontinued: line.flag("discontinued_after")?.unwrap_or_default(),
            faults: line.text("faults")?,
            gap: line.text("gap_reason")?,
            evidence: line.evidence()?,
        };
        if let Some(own) = inspection(of(streams, &line.word("stream")?), class) {
            own.lots.push(lot);
        }
        Ok(None::<()>)
    })?;
    if streams.values().all(|stream| stream.inspections.is_empty()) {
        return Ok(());
    }
    let tables = AllTables(session);
    let plans = record::plans(&session.derive_input(&tables)?)?;
    for stream in streams.values_mut() {
        for own in &mut stream.inspections {
            let Some(last) = own.lots.iter().rev().find(|lot| lot.plan.is_some()) else { continue };
            let agreed = plans.iter().find(|plan| {
                plan.stream == stream.stream
                    && plan.class == own.class
                    && last.on.is_some_and(|on| plan.days.0 <= on && on < plan.days.1)
            });
            own.curve = agreed.and_then(|agreed| plan_curve(last, agreed));
        }
    }
    Ok(())
}

/// The curve of the plan by which a lot was judged; none for limits that count nonconformities.
fn plan_curve(lot: &Lot, agreed: &PlanRow) -> Option<PlanCurve> {
    let severity = lot.severity.clone()?;
    let aql = Aql::parse(&decimal_text(i128::from(agreed.aql), 3)).ok()?;
    let items = u64::try_from(lot.items?).ok()?;
    let letter = code_letter(items, Level::parse(&agreed.level).ok()?).ok()?;
    let plan = plan(letter, aql, Severity::parse(&severity).ok()?);
    let mut points = Vec::new();
    for step in STEPS {
        let Ok(share) = curve::Share::from_thousandths(agreed.aql * step / 100) else { break };
        let accepted = curve::accepted(&plan, share).ok()?;
        points.push(CurvePoint { share_thousandths: share.thousandths(), accepted });
        if accepted < curve::ONE / 100 {
            break;
        }
    }
    Some(PlanCurve {
        severity,
        plan: (plan.sample_size, plan.accept, plan.refuse),
        aql_thousandths: agreed.aql,
        producers_risk: curve::producers_risk(&plan).ok()?,
        good_thousandths: curve::share_at(&plan, 950_000).ok()?.thousandths(),
        consumer_thousandths: curve::share_at(&plan, 100_000).ok()?.thousandths(),
        points,
    })
}

fn drift(session: &Session, streams: &mut Streams) -> Result<(), EngineError> {
    lines(session, drift_signal::NAME, |line| {
        let name = line.word("series")?;
        let Some(own) = series(of(streams, &line.word("stream")?), &name) else {
            return Ok(None::<()>);
        };
        own.baseline = line.date("baseline_from")?.zip(line.date("baseline_until")?);
        own.record = line.record()?;
        own.gap = line.text("gap_reason")?.or(own.gap.take());
        if let Some((rule, sentence)) = line.text("rule")?.zip(line.text("sentence")?) {
            let (signal, evidence) = (line.text("signal")?, line.evidence()?);
            own.signals.push(DriftSignal { rule, signal, sentence, evidence });
        }
        Ok(None::<()>)
    })?;
    lines(session, drift_point::NAME, |line| {
        let name = line.word("series")?;
        let Some(week) = line.date("week")? else { return Ok(None::<()>) };
        let at = |rule: &str| -> Result<Option<(i128, bool)>, EngineError> {
            let signal = line.text(&format!("{rule}_signal"))?.is_some();
            Ok(line.nanos(rule)?.map(|value| (value, signal)))
        };
        let point = DriftWeek {
            week,
            baseline: line.word("part")? == "baseline",
            in_period: line.flag("in_period")?.unwrap_or_default(),
            found: line.integer("found")?.unwrap_or_default(),
            of: line.integer("of")?.unwrap_or_default(),
            centre: line.nanos("centre")?,
            limits: line.nanos("lower")?.zip(line.nanos("upper")?),
            cusum: at("cusum")?,
            ewma: at("ewma")?,
        };
        if let Some(own) = series(of(streams, &line.word("stream")?), &name) {
            own.weeks.push(point);
        }
        Ok(None)
    })?;
    Ok(())
}

/// The series of that name, made when it is not there yet.
fn series<'a>(stream: &'a mut Stream, name: &str) -> Option<&'a mut DriftSeries> {
    if !stream.drift.iter().any(|known| known.series == name) {
        stream.drift.push(DriftSeries { series: name.to_owned(), ..DriftSeries::default() });
    }
    stream.drift.iter_mut().find(|known| known.series == name)
}

/// The inspection under plans of that class, made when it is not there yet.
fn inspection(stream: &mut Stream, class: String) -> Option<&mut Inspection> {
    if !stream.inspections.iter().any(|known| known.class == class) {
        stream.inspections.push(Inspection { class: class.clone(), ..Inspection::default() });
    }
    stream.inspections.iter_mut().find(|known| known.class == class)
}

fn agreements(session: &Session, streams: &mut Streams) -> Result<(), EngineError> {
    lines(session, agreement::NAME, |line| {
        of(streams, &line.word("stream")?).agreement = Some(Agreement {
            method: line.text("method")?,
            inspected: line.integer("inspected")?,
            twice: line.integer("judged_twice")?,
            agreed_twice: line.integer("agreed_twice")?,
            observed: line.decimal("observed")?,
            kappa: line.decimal("kappa")?,
            interval: line.decimal("lower")?.zip(line.decimal("upper")?),
            minimum: line.decimal("minimum")?,
            faults: line.text("faults")?,
            gap: line.text("gap_reason")?,
            evidence: line.evidence()?,
        });
        Ok(None::<()>)
    })?;
    Ok(())
}

fn feedback(session: &Session, streams: &mut Streams) -> Result<Vec<String>, EngineError> {
    lines(session, feedback_item::NAME, |line| {
        let stream = line.text("stream")?.filter(|stream| !stream.is_empty());
        let gap = line.text("gap_reason")?;
        let Some(stream) = stream else {
            return Ok(
                gap.map(|gap| format!("{}: {gap}", line.word("subject").unwrap_or_default()))
            );
        };
        let kind = line.word("kind")?;
        let happened_on = match kind.as_str() {
            "raised" => line.date("raised_on")?,
            "done" => line.date("done_on")?,
            _ => line.date("back_on")?,
        };
        of(streams, &stream).feedback.push(Feedback {
            kind,
            subject: line.word("subject")?,
            cause: line.text("cause")?,
            action: line.text("action_id")?,
            due_on: line.date("due_on")?,
            happened_on,
            times: line.integer("times")?.unwrap_or_default(),
            sentence: line.text("sentence")?,
            gap,
            evidence: line.evidence()?,
        });
        Ok(None)
    })
}

fn strain(session: &Session, streams: &mut Streams) -> Result<(), EngineError> {
    lines(session, strain_group::NAME, |line| {
        let gap = line.text("gap_reason")?;
        let pair = |items: &str, bad: &str| -> Result<Option<(i64, i64)>, EngineError> {
            Ok(line.integer(items)?.zip(line.integer(bad)?))
        };
        of(streams, &line.word("stream")?).strain.push(StrainGroup {
            factor: line.word("factor")?,
            members: line.word("members")?,
            // Where nothing is said of a group, its counts are not told either.
            items: pair("items", "defective")?.filter(|_| gap.is_none()),
            others: pair("other_items", "other_defective")?.filter(|_| gap.is_none()),
            chance: line.decimal("chance")?,
            gap,
            evidence: line.evidence()?,
        });
        Ok(None::<()>)
    })?;
    Ok(())
}

fn complaints(session: &Session) -> Result<Option<Complaints>, EngineError> {
    let found = lines(session, complaint_trend::NAME, |line| {
        let number = |name: &str| line.integer(name).map(Option::unwrap_or_default);
        Ok(Some(Complaints {
            before_from: line.date("before_from")?,
            now: (number("complaints")?, number("cases")?),
            before: (number("complaints_before")?, number("cases_before")?),
            chance: line.decimal("chance")?,
            gap: line.text("gap_reason")?,
            evidence: line.evidence()?,
        }))
    })?;
    Ok(found.into_iter().next())
}
