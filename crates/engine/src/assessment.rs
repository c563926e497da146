//! An assessment as it is written down: fixed names, stable order, no floats. Owns the shape and its
//! bytes; it must never compute a figure.

use std::collections::BTreeMap;

use backstay_evidence::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Severity, coverage::TableCoverage, outcome::Outcome, period::Period, status::Status,
};

/// Name and version of the shape.
pub const SCHEMA: &str = "backstay.assessment/1";

/// Everything that an assessment is a function of. The same basis gives the same bytes on the same
/// engine version, on any machine and number of cores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Running hash over the evidence.
    pub evidence_digest: Digest,
    /// The earlier of now and the period's end, RFC 3339 in UTC.
    pub as_of: String,
    /// Period assessed, in civil days of each arrangement's zone.
    pub period: Period,
    /// Digest of the catalogue.
    pub catalogue: Digest,
    /// Digest of the vocabulary.
    pub vocabulary: Digest,
    /// Digest of the settings.
    pub settings: Digest,
    /// Version of the tz database.
    pub time_zones: String,
    /// Version of the engine.
    pub engine: String,
    /// Seed of everything drawn; nothing is drawn yet.
    pub seed: u64,
    /// Arrangements asked for; empty for all.
    pub scope: Vec<String>,
}

/// One control in one arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlResult {
    /// Arrangement.
    pub arrangement_id: String,
    /// Risk.
    pub risk: String,
    /// Control.
    pub control: String,
    /// What holds when it is effective.
    pub title: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Status.
    pub status: Status,
    /// Why.
    pub reason: String,
    /// Things tested.
    pub population: u64,
    /// Of these, missed.
    pub missed: u64,
    /// Of these, not testable.
    pub gaps: u64,
    /// Age of its evidence in whole days; none when nothing it needs has a time.
    pub evidence_age_days: Option<i64>,
    /// What evidence is lacking, in words: the first twenty reasons.
    pub lacking: Vec<String>,
    /// Tables of evidence that it rests on.
    pub tables: Vec<String>,
}

/// One service level in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureResult {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level: String,
    /// Metric.
    pub metric: String,
    /// In words, as the contract says it.
    pub title: String,
    /// Window measured.
    pub period: Period,
    /// Cases met, or counted.
    pub numerator: i64,
    /// Cases met and missed.
    pub denominator: i64,
    /// Exact ratio as a decimal string, six places, half to even; a count as a whole number; null
    /// without cases.
    pub value: Option<String>,
    /// Target, as valid on the last day of the window.
    pub target: Option<String>,
    /// Minimum.
    pub minimum: Option<String>,
    /// `critical` or `key-measurement`; empty in assessments older than that word.
    #[serde(default)]
    pub kind: String,
    /// `met`, `below-target` or `below-minimum`; null without a value.
    #[serde(default)]
    pub judgement: Option<String>,
    /// The worst of the shorter spans inside the window, where such were agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<WorstResult>,
    /// Why it cannot be measured, whatever the cases.
    #[serde(default)]
    pub lacking: Option<String>,
    /// `contract`, `amendment` or `assumed`.
    pub target_basis: String,
    /// Row that states the target, `entry:record`.
    pub target_ref: String,
    /// Cases left out, by reason.
    pub excluded: BTreeMap<String, i64>,
    /// Cases that could not be measured, by reason.
    pub gaps: BTreeMap<String, i64>,
    /// First rows of the cases counted, `entry:record`.
    pub evidence: Vec<String>,
    /// How many rows there are.
    pub evidence_total: u64,
}

/// The worst of the shorter spans inside a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorstResult {
    /// `month`, `week` or `day`.
    pub sub_window: String,
    /// The span.
    pub period: Period,
    /// Cases met, or counted.
    pub numerator: i64,
    /// Cases met and missed.
    pub denominator: i64,
    /// As the value of the whole window is written.
    pub value: String,
}

/// One thing that was missed, or could not be tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Hash of control, arrangement and subject: the same from month to month.
    pub id: String,
    /// Arrangement.
    pub arrangement_id: String,
    /// Risk.
    pub risk: String,
    /// Control.
    pub control: String,
    /// Severity.
    pub severity: Severity,
    /// What was tested.
    pub subject: String,
    /// `missed` or `gap`.
    pub outcome: Outcome,
    /// What was found.
    pub measured: Option<String>,
    /// What was promised.
    pub required: Option<String>,
    /// Unit of both.
    pub unit: Option<String>,
    /// Money at stake in minor units.
    pub amount_minor: Option<i64>,
    /// Its currency.
    pub currency: Option<String>,
    /// In words.
    pub explanation: String,
    /// First rows that it rests on, `entry:record`.
    pub evidence: Vec<String>,
    /// How many rows there are.
    pub evidence_total: u64,
}

/// A risk: how many controls have which status, and the worst word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskResult {
    /// Risk.
    pub risk: String,
    /// In words.
    pub title: String,
    /// The worst status of its controls; none without any.
    pub status: Option<Status>,
    /// Controls by status, over all arrangements.
    pub counts: BTreeMap<Status, u64>,
}

/// What is known of one table of one arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageResult {
    /// Arrangement.
    pub arrangement_id: String,
    /// The table and what is known of it.
    #[serde(flatten)]
    pub table: TableCoverage,
}

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// [`SCHEMA`].
    pub schema: String,
    /// What it is a function of.
    pub basis: Basis,
    /// Risks by number.
    pub risks: Vec<RiskResult>,
    /// Controls by arrangement, risk and id.
    pub controls: Vec<ControlResult>,
    /// Service levels by arrangement, id and window.
    pub measures: Vec<MeasureResult>,
    /// Misses and gaps, by arrangement, control and subject.
    pub findings: Vec<Finding>,
    /// Tables that some control needs, by arrangement.
    pub coverage: Vec<CoverageResult>,
    /// What a reader should know: how the period was chosen, what is not measured and why.
    pub notes: Vec<String>,
}

/// Money in minor units of one currency, exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Minor units.
    pub minor: i128,
    /// ISO 4217 code.
    pub currency: String,
    /// Decimal places of the minor unit.
    pub places: u32,
}

impl Finding {
    /// The money at stake; none when the control names none.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        let (minor, currency) = self.amount_minor.zip(self.currency.clone())?;
        let places = backstay_evidence::minor_places(&currency);
        Some(Amount { minor: minor.into(), currency, places })
    }
}

impl Assessment {
    /// The money at stake in what one control found in one arrangement, summed by currency; nothing
    /// is converted.
    #[must_use]
    pub fn at_stake(&self, control: &str, arrangement_id: &str) -> Vec<Amount> {
        let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
        let own = |finding: &&Finding| {
            finding.control == control && finding.arrangement_id == arrangement_id
        };
        for amount in self.findings.iter().filter(own).filter_map(Finding::amount) {
            sums.entry(amount.currency.clone())
                .and_modify(|sum| sum.minor += amount.minor)
                .or_insert(amount);
        }
        sums.into_values().collect()
    }

    /// The canonical bytes: one line of JSON, fields in the order of this file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Every part is a plain struct with text keys, which cannot fail to be written.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Digest of the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes())
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// When they are no assessment of a known shape.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::EngineError> {
        let wrong = |message: String| crate::EngineError::Shape {
            subject: "stored assessment".to_owned(),
            message,
        };
        let found: Self =
            serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if found.schema != SCHEMA {
            let message = format!("its schema is `{}`, this engine reads `{SCHEMA}`", found.schema);
            return Err(wrong(message));
        }
        Ok(found)
    }
}

/// The id of a finding: 16 hexadecimal digits of a hash of control, arrangement and subject.
#[must_use]
pub fn finding_id(control: &str, arrangement_id: &str, subject: &str) -> String {
    let parts = [control.as_bytes(), arrangement_id.as_bytes(), subject.as_bytes()];
    Digest::of_parts(&parts).to_string().chars().take(16).collect()
}
