//! What the simulation knows to be so: figures, late cases, planted causes, counts of every import,
//! the status that each control must show. Owns the shape of `truth.json`; it must never count or time anything.

use serde::{Deserialize, Serialize};

/// The whole truth of a simulated operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Name and version of this shape.
    pub schema: String,
    /// What this is, for a reader.
    pub about: String,
    /// The seed it was made from.
    pub seed: u64,
    /// The month for which the controls' statuses are stated, as `2026-10`.
    pub period: String,
    /// Counts of every import, in order.
    pub imports: Vec<ImportTruth>,
    /// Every service level and month.
    pub measures: Vec<MeasureTruth>,
    /// The status of every control and arrangement in the period.
    pub controls: Vec<ControlTruth>,
    /// Our figure against the provider's, for every level and month reported.
    pub ladders: Vec<LadderTruth>,
    /// Minutes that two teams were at work together in the period, day by day.
    pub overlaps: Vec<OverlapTruth>,
    /// Service credits owed and taken, of every month with a charge.
    pub credits: Vec<CreditTruth>,
    /// What was planted, where.
    pub plants: Vec<PlantTruth>,
    /// Figures and findings of quality in the period.
    #[serde(default)]
    pub quality: QualityTruth,
}

/// What is true of the quality of work in the period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityTruth {
    /// What the controls of quality must find missed, and nothing else.
    pub findings: Vec<FindingTruth>,
    /// Lots handed in.
    pub lots: Vec<LotTruth>,
    /// Agreement of reviewers, where it can be told.
    pub agreements: Vec<AgreementTruth>,
}

/// Something that a control must find.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FindingTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Control.
    pub control: String,
    /// Subject.
    pub subject: String,
}

/// A lot under its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Lot.
    pub lot_id: String,
    /// Severity in force.
    pub severity: String,
    /// Items drawn.
    pub sample_size: i64,
    /// Defective items among them.
    pub nonconforming: i64,
    /// What the plan says.
    pub verdict: String,
}

/// Agreement of two reviewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Stream.
    pub stream: String,
    /// Items judged twice.
    pub judged_twice: i64,
    /// Cohen's kappa in thousandths.
    pub kappa_thousandths: i64,
}

/// Counts of one import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTruth {
    /// Path of the file.
    pub file: String,
    /// Records read.
    pub read: i64,
    /// Records that brought something new.
    pub accepted: i64,
    /// Records that corrected something known.
    pub corrected: i64,
    /// Records that were known already.
    pub already_known: i64,
    /// Records that could not be taken.
    pub quarantined: i64,
    /// Record numbers of those, from 1.
    pub quarantined_records: Vec<i64>,
}

/// One service level in one month, as of the month's end in the arrangement's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level_id: String,
    /// Metric.
    pub metric: String,
    /// Month, as `2026-10`.
    pub month: String,
    /// The instant as of which it is stated.
    pub as_of: String,
    /// Cases met.
    pub numerator: i64,
    /// Cases counted.
    pub denominator: i64,
    /// Exact share to six places, half to even; nothing without a case.
    pub value: Option<String>,
    /// Target, as a share.
    pub target: String,
    /// Minimum, as a share.
    pub minimum: String,
    /// `critical` or `key-measurement`.
    pub kind: String,
    /// The worst week of the month, where weeks are to be shown.
    pub worst: Option<WeekTruth>,
    /// Cases left out by agreement.
    pub excluded: Vec<ExcludedTruth>,
    /// Cases missed.
    pub missed: Vec<MissTruth>,
}

/// The week, cut to its month, with the lowest share of cases met; of equal ones the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekTruth {
    /// Days, as `2026-10-05..2026-10-12`.
    pub period: String,
    /// Cases met.
    pub numerator: i64,
    /// Cases counted.
    pub denominator: i64,
}

/// A case left out by agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedTruth {
    /// Case.
    pub case_id: String,
    /// Reason.
    pub reason: String,
}

/// A case that was missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissTruth {
    /// Case.
    pub case_id: String,
    /// Working minutes as of the month's end.
    pub working_minutes: i64,
    /// Working minutes as of the end of the last complete month; differs only for a case that was
    /// still open at its own month's end.
    pub working_minutes_later: i64,
    /// Working minutes allowed.
    pub threshold_minutes: i64,
    /// Start of the clock, UTC.
    pub clock_started_at: String,
    /// Deadline, UTC.
    pub due_at: String,
    /// Deadline in the arrangement's zone.
    pub due_local: String,
    /// End, UTC; nothing while it was open at the month's end.
    pub closed_at: Option<String>,
}

/// The status that a control must show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Control.
    pub control: String,
    /// Status.
    pub status: String,
    /// Why, in short.
    pub reason: String,
}

/// The service credit of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Month, as `2026-10`.
    pub month: String,
    /// Currency of the amounts.
    pub currency: String,
    /// What was charged, minor units.
    pub charge_minor: i64,
    /// What is owed, minor units; nothing where a window has no case.
    pub owed_minor: Option<i64>,
    /// What reached a document, minor units.
    pub taken_minor: i64,
}

/// From our figure to the provider's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level_id: String,
    /// Month.
    pub month: String,
    /// Whether the provider listed its cases.
    pub listed: bool,
    /// Causes planted.
    pub planted: Vec<String>,
    /// Our cases met.
    pub ours_numerator: i64,
    /// Our cases counted.
    pub ours_denominator: i64,
    /// The provider's cases met, when it lists or counts them.
    pub provider_numerator: Option<i64>,
    /// The provider's cases counted, likewise.
    pub provider_denominator: Option<i64>,
    /// The share that it printed, when it prints no counts.
    pub provider_share: Option<String>,
    /// Whether the two agree, to the places printed.
    pub agrees: bool,
    /// Figure after each step and the step's exact part.
    pub steps: Vec<StepTruth>,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTruth {
    /// Step.
    pub step: String,
    /// Cases met after it.
    pub numerator: i64,
    /// Cases counted after it.
    pub denominator: i64,
    /// Change of the share that it makes.
    pub part: PartTruth,
}

/// A reduced fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTruth {
    /// Numerator, with the sign.
    pub numer: i64,
    /// Denominator, positive.
    pub denom: i64,
}

/// A day on which two teams were to be at work together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapTruth {
    /// Arrangement.
    pub arrangement_id: String,
    /// Team whose civil day it is.
    pub team_id: String,
    /// The other team.
    pub other_team_id: String,
    /// The day.
    pub day: String,
    /// Minutes both were at work.
    pub minutes: i64,
}

/// Something planted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantTruth {
    /// What kind.
    pub kind: String,
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level, function, case or day concerned.
    pub subject: String,
    /// In words.
    pub about: String,
}

impl MeasureTruth {
    /// Whether the share of the month is known and below its target.
    #[must_use]
    pub fn is_below_target(&self) -> bool {
        // Shares below one, the value with six places, so that texts compare as numbers do.
        self.value.as_ref().is_some_and(|value| *value < format!("{:0<8}", self.target))
    }
}
