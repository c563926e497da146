//! The quality side of the worked example: lots, inspections, defects, complaints, and what is true of
//! them. Owns the order of its parts; each part has its own file. It must never ask the product.

mod chance;
mod compare;
mod complaint;
mod lot;
mod recheck;
mod rows;
mod scheme;
mod strain;

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

pub(crate) use compare::differences;

use crate::{
    Plant,
    error::SimError,
    operation::Operation,
    table::Handed,
    truth::{ControlTruth, FindingTruth, PlantTruth, QualityTruth},
    verdict::Fault,
    world::{Case, FeedRow},
};

/// What the part adds to the example.
#[derive(Debug, Default)]
pub struct Quality {
    /// Files, in the order of import.
    pub handed: Vec<Handed>,
    /// Statements that the lists of events are complete.
    pub feeds: Vec<FeedRow>,
    /// Status of every control.
    pub controls: Vec<ControlTruth>,
    /// Figures and findings.
    pub truth: QualityTruth,
    /// What was planted.
    pub plants: Vec<PlantTruth>,
}

/// The Friday of the first week of lots.
const FIRST_FRIDAY: Date = date(2026, 8, 7);
/// Lots of each stream; from the ninth on they lie in October.
const WEEKS: i64 = 13;
/// The first week of October, counted from 0.
const OCTOBER: i64 = 8;

const CONTROLS: [&str; 6] = [
    "lots-sampled",
    "reviewers-agree",
    "drift-detected",
    "feedback-closed",
    "strain-watched",
    "complaints-falling",
];

/// Simulates the quality side.
///
/// # Errors
/// When a plant finds no room, or a civil time does not exist.
pub fn simulate(
    operation: &Operation,
    cases: &[Case],
    faults: &[Fault],
    plants: &[Plant],
    seed: u64,
) -> Result<Quality, SimError> {
    let mut made = rows::Rows::default();
    let mut quality = Quality::default();
    for stream in scheme::sampled(plants) {
        lot::stream(&stream, operation, seed, &mut made, &mut quality)?;
    }
    strain::stream(operation, seed, plants, &mut made, &mut quality)?;
    recheck::feedback(plants, &mut made, &mut quality);
    complaint::complaints(operation, cases, faults, plants, &mut made, &mut quality)?;
    scheme::registers(&mut made);
    quality.feeds = made.feeds(operation);
    quality.handed = made.files(operation)?;
    without_terms(&mut quality);
    quality.truth.findings.sort();
    let found: BTreeSet<&str> =
        quality.truth.findings.iter().map(|found| found.control.as_str()).collect();
    for (plant, control) in PLANTED {
        if plants.contains(&plant) && !found.contains(control) {
            return Err(SimError::Plant(format!("a finding of `{control}`")));
        }
    }
    Ok(quality)
}

/// Which control must find which plant.
const PLANTED: [(Plant, &str); 6] = [
    (Plant::LotAccepted, "lots-sampled"),
    (Plant::ReviewersApart, "reviewers-agree"),
    (Plant::DefectsRise, "drift-detected"),
    (Plant::CauseBack, "feedback-closed"),
    (Plant::SixthDay, "strain-watched"),
    (Plant::ComplaintsRise, "complaints-falling"),
];

/// The service desk agreed nothing about quality: all but complaints is untested there.
fn without_terms(quality: &mut Quality) {
    for control in CONTROLS.iter().filter(|control| **control != "complaints-falling") {
        quality.status("service-desk", control, "untested", "nothing is agreed about inspection");
    }
}

impl Quality {
    fn status(&mut self, arrangement: &str, control: &str, status: &str, reason: &str) {
        self.controls.push(ControlTruth {
            arrangement_id: arrangement.into(),
            control: control.into(),
            status: status.into(),
            reason: reason.into(),
        });
    }

    /// Something that the control must find, and only this.
    fn find(&mut self, arrangement: &str, control: &str, subject: &str) {
        self.truth.findings.push(FindingTruth {
            arrangement_id: arrangement.into(),
            control: control.into(),
            subject: subject.into(),
        });
    }

    fn plant(&mut self, kind: &str, arrangement: &str, subject: &str, about: &str) {
        self.plants.push(PlantTruth {
            kind: kind.into(),
            arrangement_id: arrangement.into(),
            subject: subject.into(),
            about: about.into(),
        });
    }

    /// The status of a control without gaps, by what was found.
    fn judge(&mut self, arrangement: &str, control: &str, well: &str) {
        let found = self
            .truth
            .findings
            .iter()
            .filter(|found| found.arrangement_id == arrangement && found.control == control)
            .map(|found| found.subject.clone())
            .collect::<Vec<_>>();
        if found.is_empty() {
            self.status(arrangement, control, "effective", well);
        } else {
            self.status(arrangement, control, "deficient", &found.join("; "));
        }
    }
}
