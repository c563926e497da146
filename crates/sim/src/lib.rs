//! A seeded outsourced operation that works its own truth out; depends on nothing of ours.
//!
//! Owns made-up evidence and what is true of it: the worked example, and small arrangements whose
//! provider's report differs for chosen causes. Everything is reckoned minute by minute on the civil
//! clock, without sums over days, so that quick arithmetic elsewhere has something slow to agree
//! with. It must never use a crate of ours, read the machine's clock, or draw from anything but the
//! seed.

mod almanac;
mod clock;
mod credit;
mod dice;
mod error;
mod example;
mod feeds;
mod hours;
mod ladder;
mod logs;
mod meridian;
mod meridian_levels;
mod meridian_work;
mod operation;
mod provider;
mod quality;
mod registers;
mod table;
mod trial;
mod truth;
mod verdict;
mod work;
mod world;

use std::{fs, path::Path};

pub use error::SimError;
pub use ladder::ladder_case;
pub use operation::Cause;
pub use trial::{Ask, differences};
pub use truth::{
    AgreementTruth, ControlTruth, CreditTruth, ExcludedTruth, FindingTruth, ImportTruth,
    LadderTruth, LotTruth, MeasureTruth, MissTruth, OverlapTruth, PartTruth, PlantTruth,
    QualityTruth, StepTruth, Truth,
};

/// The seed of the worked example in the repository.
pub const MERIDIAN_SEED: u64 = 1;

/// What can be planted in the worked example. Without any, everything in it is clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plant {
    /// A function that no service level covers.
    FunctionWithoutLevel,
    /// A service level missed in one month.
    LevelMissed,
    /// Reports that differ, each for its cause.
    ReportCauses,
    /// A day from which no evidence came.
    BlindDay,
    /// A control total that does not add up.
    ControlTotal,
    /// Records that cannot be taken.
    SpoiltRows,
    /// A record put right in a later file.
    CorrectedRow,
    /// Each promise about hours broken once.
    HoursApart,
    /// A lot that the sampling plan refuses is accepted.
    LotAccepted,
    /// Two reviewers judge unlike.
    ReviewersApart,
    /// The share of defective items rises.
    DefectsRise,
    /// A cause of defects comes back after its corrective action.
    CauseBack,
    /// Defects of monotonous work lie on sixth days without a break.
    SixthDay,
    /// Complaints become more.
    ComplaintsRise,
    /// A service credit that is owed and on no invoice.
    CreditNotTaken,
}

impl Plant {
    /// Every plant.
    pub const ALL: [Self; 15] = [
        Self::FunctionWithoutLevel,
        Self::LevelMissed,
        Self::ReportCauses,
        Self::BlindDay,
        Self::ControlTotal,
        Self::SpoiltRows,
        Self::CorrectedRow,
        Self::HoursApart,
        Self::LotAccepted,
        Self::ReviewersApart,
        Self::DefectsRise,
        Self::CauseBack,
        Self::SixthDay,
        Self::ComplaintsRise,
        Self::CreditNotTaken,
    ];
}

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Seed of every draw.
    pub seed: u64,
    /// Cases in per cent of the worked example's.
    pub size: i64,
    /// What is planted.
    pub plants: Vec<Plant>,
}

impl Scenario {
    /// The worked example with everything planted.
    #[must_use]
    pub fn meridian(seed: u64) -> Self {
        Self { seed, size: 100, plants: Plant::ALL.to_vec() }
    }

    /// The scenario of one seed of a trial: every fourth has everything planted, every fourth
    /// nothing, the others what the seed draws.
    #[must_use]
    pub fn trial(seed: u64, size: i64) -> Self {
        let drawn = seed.wrapping_mul(example::SALT) >> 32;
        let is_drawn = |n: usize| drawn >> n & 1 == 1;
        let plants = Plant::ALL.iter().enumerate().filter(|(n, _)| match seed % 4 {
            0 => false,
            1 => true,
            _ => is_drawn(*n),
        });
        Self { seed, size, plants: plants.map(|(_, plant)| *plant).collect() }
    }
}

/// What a simulation gives: files as they would be handed in, and the truth.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Paths in the folder and bytes, `imports.toml` and `truth.json` among them.
    pub files: Vec<(String, Vec<u8>)>,
    /// What is so.
    pub truth: Truth,
}

impl Outcome {
    /// Adds the order of imports and the truth to the files handed in.
    fn gather(
        handed: &[table::Handed],
        others: &[(&str, &str)],
        truth: Truth,
    ) -> Result<Self, SimError> {
        let mut files: Vec<(String, Vec<u8>)> =
            handed.iter().map(|file| (file.path.clone(), file.bytes.clone())).collect();
        files.extend(
            others.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())),
        );
        files.push(("imports.toml".into(), table::imports_toml(handed).into_bytes()));
        let mut text = serde_json::to_string_pretty(&truth)
            .map_err(|cause| SimError::Write("truth.json".into(), cause.into()))?;
        text.push('\n');
        files.push(("truth.json".into(), text.into_bytes()));
        files.sort();
        Ok(Self { files, truth })
    }

    /// Writes every file below a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), SimError> {
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            let failed = |cause| SimError::Write(path.display().to_string(), cause);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            fs::write(&path, bytes).map_err(failed)?;
        }
        Ok(())
    }
}

/// Simulates the worked example's operation.
///
/// # Errors
/// When a plant finds no room: the message says which.
pub fn simulate(scenario: &Scenario) -> Result<Outcome, SimError> {
    example::simulate(scenario)
}

/// Writes the worked example of the repository's seed into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_meridian(folder: &Path) -> Result<(), SimError> {
    simulate(&Scenario::meridian(MERIDIAN_SEED))?.write(folder)
}
