//! `backstay assess`: every control, every service level, every finding of a period; kept in the
//! ledger so that it can be replayed.

use std::{fs, path::Path};

use backstay_desk::{assess as desk, evidence::Seen};
use backstay_engine::{Period, Status, assessment::Assessment};
use backstay_report::{
    assessment::{self as view, Frame},
    layout::Look,
};
use backstay_store::Workspace;

use crate::{
    args::{AssessArgs, Format},
    command::{advice, report},
    door,
    error::{CliError, FOUND},
    progress::Progress,
};

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Period as written; the last complete month with events when none.
    pub period: Option<&'a str>,
    /// `--as-of` as written.
    pub as_of: Option<&'a str>,
    /// Arrangements; empty: all.
    pub arrangements: &'a [String],
}

/// An assessment with what stands around it.
pub struct Answer {
    /// The assessment.
    pub assessment: Assessment,
    /// Its canonical bytes, as kept.
    pub bytes: Vec<u8>,
    /// Where it is kept, and why this period.
    pub frame: Frame,
    seen: Seen,
}

pub fn run(args: &AssessArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let question = Question {
        period: args.period.as_deref(),
        as_of: args.as_of.as_deref(),
        arrangements: &args.arrangement,
    };
    let mut answer = assess(&workspace, &question)?;
    let bytes = match args.format {
        Format::Json => answer.bytes.clone(),
        Format::Text => {
            answer.complete(&door::command(named))?;
            let look = if args.output.is_some() { door::plain_look() } else { door::look() };
            answer.text(look).into_bytes()
        }
    };
    match &args.output {
        Some(path) => fs::write(path, bytes).map_err(|error| {
            CliError::failed(format!(
                "`{}` cannot be written: {}",
                path.display(),
                door::because(&error)
            ))
        })?,
        None => door::print_bytes(&bytes)?,
    }
    if let (Some(path), Some(entry)) = (&args.html, answer.frame.entry) {
        door::remark(&report::write(&workspace, entry, path)?);
    }
    if let (Format::Json, Some(entry)) = (args.format, answer.frame.entry) {
        door::remark(&format!("kept as ledger entry {entry}"));
    }
    let all_well = answer
        .assessment
        .controls
        .iter()
        .all(|control| matches!(control.status, Status::Effective | Status::NotApplicable))
        && !answer.assessment.controls.is_empty();
    Ok(if args.strict && !all_well { FOUND } else { 0 })
}

/// Assesses and keeps the assessment.
///
/// # Errors
/// Unreadable evidence, or a workspace that cannot be written.
pub fn assess(workspace: &Workspace, question: &Question<'_>) -> Result<Answer, CliError> {
    let seen = door::see(workspace, question.as_of, question.arrangements)?;
    let (period, chosen) = seen.period(question.period)?;
    let assessment = work_out(workspace, &seen, period)?;
    let bytes = assessment.bytes();
    let entry = keep(workspace, &seen, &assessment, &bytes)?;
    let frame = Frame { known_at: seen.known_at, entry, chosen, ..Frame::default() };
    Ok(Answer { assessment, bytes, frame, seen })
}

/// Assesses a period on the evidence seen, and keeps nothing.
///
/// # Errors
/// Unreadable evidence.
pub fn work_out(
    workspace: &Workspace,
    seen: &Seen,
    period: Period,
) -> Result<Assessment, CliError> {
    let bar = Progress::start("assessing");
    bar.saying(&period.to_string());
    Ok(desk::work_out(workspace, seen, period)?)
}

fn keep(
    workspace: &Workspace,
    seen: &Seen,
    assessment: &Assessment,
    bytes: &[u8],
) -> Result<Option<u64>, CliError> {
    if workspace.is_read_only()? {
        door::remark(
            "not kept: the workspace lies on a read-only disk, so this has no entry to replay",
        );
        return Ok(None);
    }
    Ok(Some(door::with_context(|ctx| desk::keep(workspace, seen, assessment, bytes, ctx))?))
}

impl Answer {
    /// Adds what only a reader needs: the differences to the provider's report, and what to do next,
    /// as commands that begin with `backstay`.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn complete(&mut self, backstay: &str) -> Result<(), CliError> {
        self.frame.incomplete = advice::incomplete(&self.seen, &self.assessment)?;
        self.frame.ladders = advice::ladders(&self.seen, &self.assessment)?;
        self.frame.next = advice::next(&self.seen, &self.assessment, self.frame.entry, backstay)?;
        Ok(())
    }

    /// As text.
    pub fn text(&self, look: Look) -> String {
        view::text(&self.assessment, &self.frame, look)
    }
}
