//! `backstay restate`: a closed month beside what today's evidence makes of it.

use std::path::Path;

use backstay_desk::{
    replay,
    restate::{self as desk, Answered, Restated},
};
use backstay_engine::{Assessment, restate::figures_digest};
use backstay_report::close::{Frame, Step, restatement};
use backstay_store::{CloseNote, CloseStep};
use serde_json::json;

use crate::{
    args::{Format, RestateArgs},
    command::{assess::work_out, close},
    door,
    error::{CliError, FOUND},
};

pub fn run(args: &RestateArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let scope = std::slice::from_ref(&args.arrangement);
    let today = door::see(&workspace, None, scope)?;
    let (period, _) = today.period(Some(&args.period))?;
    let days = period.to_string();
    let taken = workspace.closes(&args.arrangement, &days)?;
    let closed = desk::standing(&taken).cloned().ok_or_else(|| {
        CliError::usage(
            format!("{} of `{}` was never closed", args.period, args.arrangement),
            format!("issue it: `backstay close {} {}`", args.arrangement, args.period),
        )
    })?;
    let kept = workspace.assessment(closed.entry)?;
    let before = Assessment::from_bytes(&kept.result)?;
    let then = replay::basis(&workspace, &kept, &before, door::now_us())?;
    let as_of_us = replay::as_of_us(closed.entry, &before)?;
    let after = work_out(&workspace, &today, period)?;
    let (was, is) = (
        Answered { seen: &then, assessment: &before },
        Answered { seen: &today, assessment: &after },
    );
    let Restated { found, notes, owed } =
        desk::restated(&workspace, &args.arrangement, as_of_us, &was, &is, door::now_us())?;
    let note = CloseNote {
        step: CloseStep::Restate,
        arrangement: args.arrangement.clone(),
        period: days.clone(),
        figures: figures_digest(&after, &owed),
        by: String::new(),
        note: String::new(),
        restates: Some(closed.entry),
    };
    let entry =
        if args.dry_run { None } else { Some(close::keep(&workspace, &today, &after, &note)?) };
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": "backstay.restatement/1",
            "entry": entry,
            "closed": closed,
            "known_at": today.known_at,
            "restatement": found,
            "notes": notes,
        }))?,
        Format::Text => {
            let taken = workspace.closes(&args.arrangement, &days)?;
            let steps: Vec<Step> = taken.iter().map(close::told).collect();
            let frame =
                Frame { steps, closed: closed.entry, kept: entry, known_at: today.known_at, notes };
            door::print(&restatement(&found, &frame, door::look()))?;
        }
    }
    Ok(if args.strict && !found.is_empty() { FOUND } else { 0 })
}
