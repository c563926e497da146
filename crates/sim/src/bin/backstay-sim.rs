//! Writes simulated operations into folders. Owns the reading of its few arguments; it must never
//! simulate anything itself.

use std::{path::Path, process::ExitCode};

use backstay_sim::{Cause, MERIDIAN_SEED, Scenario, SimError, ladder_case, simulate};

const USAGE: &str = "\
usage: backstay-sim meridian [--seed N] DIR
       backstay-sim trial [--seed N] DIR
       backstay-sim ladder [--causes a,b] [--seed N] DIR

causes: duplicates, rows-missing-here, rows-missing-there, exclusions, clock, calendar, unexplained";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(Failure::Work(cause)) => {
            eprintln!("error: {cause}");
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Usage,
    Work(SimError),
}

impl From<SimError> for Failure {
    fn from(cause: SimError) -> Self {
        Self::Work(cause)
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut words = arguments.iter();
    let kind = words.next().ok_or(Failure::Usage)?;
    let (mut seed, mut causes, mut folder) = (MERIDIAN_SEED, Vec::new(), None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => {
                let value = words.next().and_then(|value| value.parse().ok());
                seed = value.ok_or(Failure::Usage)?;
            }
            "--causes" => {
                let list = words.next().ok_or(Failure::Usage)?;
                for name in list.split(',') {
                    causes.push(Cause::parse(name).ok_or(Failure::Usage)?);
                }
            }
            path if folder.is_none() && !path.starts_with('-') => folder = Some(path.to_owned()),
            _ => return Err(Failure::Usage),
        }
    }
    let folder = folder.ok_or(Failure::Usage)?;
    let outcome = match kind.as_str() {
        "meridian" => simulate(&Scenario::meridian(seed))?,
        "trial" => simulate(&Scenario::trial(seed, 100))?,
        "ladder" => ladder_case(seed, &causes)?,
        _ => return Err(Failure::Usage),
    };
    outcome.write(Path::new(&folder))?;
    println!("{} files written to {folder}", outcome.files.len());
    Ok(())
}
