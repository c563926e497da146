//! `backstay close`: a month is issued, agreed and frozen, each step an assessment in the ledger.

use std::path::Path;

use backstay_desk::{
    assess as desk,
    evidence::{self, Seen},
};
use backstay_engine::{
    Assessment, Period, credit_note::owed, restate::figures_digest, session::View,
};
use backstay_report::{
    close::{Step, owed_lines, steps},
    figure,
    measures::{self, Frame},
};
use backstay_store::{CloseNote, CloseStep, Closed, Workspace};
use serde_json::json;

use crate::{
    args::{CloseArgs, Format, StepArg},
    command::assess::work_out,
    door,
    error::CliError,
};

pub fn run(args: &CloseArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let scope = std::slice::from_ref(&args.arrangement);
    let seen = door::see(&workspace, None, scope)?;
    let (period, _) = seen.period(Some(&args.period))?;
    let view = ended(&seen, &args.arrangement, period)?;
    let taken = workspace.closes(&args.arrangement, &period.to_string())?;
    let step = match args.step {
        Some(StepArg::Issue) => CloseStep::Issue,
        Some(StepArg::Agree) => CloseStep::Agree,
        Some(StepArg::Freeze) => CloseStep::Freeze,
        None => next(&taken),
    };
    let assessment = work_out(&workspace, &seen, period)?;
    let owed = owed(&seen.session(view)?)?;
    let note = CloseNote {
        step,
        arrangement: args.arrangement.clone(),
        period: period.to_string(),
        figures: figures_digest(&assessment, &owed),
        by: args.by.clone().unwrap_or_default().trim().to_owned(),
        note: args.note.clone().unwrap_or_default().trim().to_owned(),
        restates: None,
    };
    workspace.check_close(&note)?;
    let entry =
        if args.dry_run { None } else { Some(keep(&workspace, &seen, &assessment, &note)?) };
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": "backstay.close/1",
            "entry": entry,
            "close": note,
            "known_at": seen.known_at,
            "measures": assessment.measures,
            "credits": owed,
            "steps": workspace.closes(&args.arrangement, &period.to_string())?,
        }))?,
        Format::Text => {
            let frame = Frame {
                period,
                known_at: seen.known_at,
                chosen: None,
                notes: assessment.notes.clone(),
            };
            door::print(&measures::text(&assessment.measures, &frame, door::look()))?;
            let first = period.first.strftime("%Y-%m").to_string();
            let own: Vec<_> = owed.iter().filter(|owed| owed.month >= first).cloned().collect();
            if !own.is_empty() {
                door::print(&owed_lines(&own, door::look()))?;
            }
            let taken = workspace.closes(&args.arrangement, &period.to_string())?;
            let told: Vec<Step> = taken.iter().map(told).collect();
            door::print(&steps(&told, &outcome(args, &note, entry, named), door::look()))?;
        }
    }
    Ok(0)
}

/// The month as it is looked at; one that is still running is refused.
fn ended(seen: &Seen, arrangement: &str, period: Period) -> Result<View, CliError> {
    let view = seen.view(arrangement, period)?;
    let view = view.ok_or_else(|| evidence::unregistered(arrangement))?;
    let (_, end_us) = period.bounds_us(&view.zone)?;
    if seen.now_us < end_us {
        return Err(CliError::usage(
            format!("{period} of `{arrangement}` has not ended, so it cannot be closed"),
            "see how it stands: `backstay measure`, `backstay warn`",
        ));
    }
    Ok(view)
}

/// The step that follows those taken.
fn next(taken: &[Closed]) -> CloseStep {
    let last = taken.iter().rfind(|closed| closed.note.step != CloseStep::Restate);
    match last.map(|closed| closed.note.step) {
        None => CloseStep::Issue,
        Some(CloseStep::Issue) => CloseStep::Agree,
        Some(_) => CloseStep::Freeze,
    }
}

/// Keeps an assessment as a step; gives its entry.
///
/// # Errors
/// A step that may not follow, or a workspace that cannot be written.
pub(super) fn keep(
    workspace: &Workspace,
    seen: &Seen,
    assessment: &Assessment,
    note: &CloseNote,
) -> Result<u64, CliError> {
    door::with_context(|ctx| desk::close(workspace, seen, assessment, note, ctx))
}

/// A step as it is shown.
pub(super) fn told(closed: &Closed) -> Step {
    let who = if closed.note.by.is_empty() { &closed.actor } else { &closed.note.by };
    Step {
        entry: closed.entry,
        recorded_at_us: closed.recorded_at_us,
        done: closed.note.step.done().to_owned(),
        by: who.clone(),
        note: closed.note.note.clone(),
        figures: closed.note.figures.to_string().chars().take(12).collect(),
    }
}

/// What was done, and what comes next.
fn outcome(args: &CloseArgs, note: &CloseNote, entry: Option<u64>, named: Option<&Path>) -> String {
    let backstay = door::command(named);
    let month = format!("{} {}", args.arrangement, args.period);
    let done = note.step.done();
    let Some(entry) = entry else {
        return format!("Not kept: without --dry-run {month} would now be {done}.");
    };
    let entry_text = figure::count(i64::try_from(entry).unwrap_or(i64::MAX));
    let next = match note.step {
        CloseStep::Issue => format!("next: `{backstay} close {month} --step agree --by WHO`"),
        CloseStep::Agree => format!("next: `{backstay} close {month} --step freeze`"),
        _ => format!("later evidence: `{backstay} restate {month}`"),
    };
    format!("{month} is {done} with ledger entry {entry_text}; {next}")
}
