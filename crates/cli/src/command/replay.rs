//! `backstay replay`: a kept assessment worked out again from its basis.

use std::path::Path;

use backstay_desk::evidence;
use backstay_desk::{
    assess::settings,
    replay::{as_of_us, basis},
};
use backstay_engine::{AssessRequest, Assessment, ENGINE_VERSION, assess, replay::replay};
use backstay_report::replay::text;

use crate::{
    args::{ReplayArgs, ReplayOutput},
    door,
    error::{CliError, FOUND},
};

pub fn run(args: &ReplayArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let kept = workspace.assessment(args.entry)?;
    let stored = Assessment::from_bytes(&kept.result)?;
    let seen = basis(&workspace, &kept, &stored, door::now_us())?;
    let request = AssessRequest {
        evidence: seen.evidence,
        settings: settings(),
        period: Some(stored.basis.period),
        now_us: as_of_us(args.entry, &stored)?,
        seed: stored.basis.seed,
        layout: evidence::layout(),
        // Worked out anew: a cache would only repeat what it once kept.
        cache: None,
    };
    if args.output == ReplayOutput::Bytes {
        let bytes = assess(&request)?.bytes();
        door::print_bytes(&bytes)?;
        return Ok(if bytes == kept.result { 0 } else { FOUND });
    }
    let found = replay(&request, &kept.result)?;
    match args.output {
        ReplayOutput::Json => door::print_json(&found)?,
        _ => door::print(&text(args.entry, &found, door::look()))?,
    }
    let same =
        found.identical || (found.stored_engine != ENGINE_VERSION && found.changes.is_empty());
    Ok(if same { 0 } else { FOUND })
}
