//! Files handed in by program: tried, and brought in, by the same hands as on the pages. Whoever sent a file
//! asks how it stands until it is in.

use std::sync::PoisonError;

use axum::http::StatusCode;
use backstay_report::import::FileImport;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    asked::Asked,
    job::{Failure, Job, Open, Reader, Stage, Tried, Work},
    page::import::{self as page, options::wish, right},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// What may be said in the query beside the file.
pub const FIELDS: &[(&str, &str)] = &[
    ("name", "Name of the file; the table may be found from it."),
    ("dry_run", "`true`: it is tried, and waits until it is brought in or given up."),
    ("arrangement", "Arrangement of all rows; else as the file says."),
    ("mapping", "Name of a mapping; else found by itself."),
    ("table", "Table that the file’s own columns are those of; else found by itself."),
    ("zone", "IANA zone of times without offset."),
    (
        "fold",
        "What a time that occurs twice is: `earlier` or `later`; else its record is set aside.",
    ),
    ("encoding", "`utf-8`, `latin-1`, `utf-16le` or `utf-16be`; else found by itself."),
    ("party", "Party that ids of people belong to; else the row’s arrangement."),
    ("set", "Columns that hold the same in every row: `column=value`, one a line."),
    ("keep_both", "`yes`: a log that repeats another one with another clock is kept beside it."),
];

/// Takes a file.
pub fn create(asked: &Asked<'_>) -> Done {
    let query = &asked.call.query;
    if let Some(strange) = query.keys().find(|name| FIELDS.iter().all(|(known, _)| known != name)) {
        return Err(ProblemError::unclear(format!("There is no parameter `{strange}` here.")));
    }
    let dry_run = match asked.query("dry_run") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(ProblemError::unclear("`dry_run` is `true` or `false`.")),
    };
    let handed = asked.call.file.lock().unwrap_or_else(PoisonError::into_inner).take();
    let handed = handed
        .ok_or_else(|| ProblemError::unclear("The body is empty: send the file as the body."))?;
    let id = page::take(asked, handed, wish(asked, query)?, !dry_run)?;
    let job = asked.server.jobs.get(&id, asked.now_us);
    let job = job.ok_or_else(|| ProblemError::broken("a file was lost"))?;
    Ok(accepted(asked, &job))
}

/// Where a file stands.
pub fn show(asked: &Asked<'_>) -> Done {
    Ok(Answer::json(told(asked, &right::job(asked)?)))
}

/// Brings a file in that was tried.
pub fn bring(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    page::queue(asked, &job)?;
    let job = asked.server.jobs.get(&job.id, asked.now_us).unwrap_or(job);
    Ok(accepted(asked, &job))
}

/// Gives a file up.
pub fn discard(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    if !asked.server.jobs.discard(&job.id) {
        return Err(ProblemError::busy("This file is at work.".to_owned()));
    }
    Ok(Answer::Json(StatusCode::ACCEPTED, json!({ "id": job.id, "state": "discarded" })))
}

fn accepted(asked: &Asked<'_>, job: &Job) -> Answer {
    Answer::Json(StatusCode::ACCEPTED, told(asked, job))
}

/// A job as a program sees it.
fn told(asked: &Asked<'_>, job: &Job) -> Value {
    let refusal = job.tried.as_ref().and_then(|tried| right::refusal(asked, tried));
    let (state, rest) = match &job.stage {
        Stage::Waiting(work, before) => {
            ("waiting", json!({ "for": doing(*work), "behind": before }))
        }
        Stage::Running(work, at) => (
            "running",
            json!({ "for": doing(*work), "bytes": at.bytes, "records": at.records, "step": at.doing }),
        ),
        Stage::Failed(failure) if failure.refused => ("refused", problem(failure)),
        Stage::Failed(failure) => ("failed", problem(failure)),
        Stage::Brought(brought) => {
            ("brought", json!({ "entry": brought.entry, "repeated": brought.repeated }))
        }
        Stage::Tried if refusal.is_some() => ("refused", json!({ "detail": refusal })),
        Stage::Tried => ("tried", Value::Null),
    };
    let tried = job.tried.as_ref().filter(|_| refusal.is_none());
    let read = match &job.stage {
        Stage::Brought(brought) => Some(read(brought)),
        _ => tried.map(|tried| read(&tried.trial.read)),
    };
    json!({
        "id": job.id,
        "file": job.name,
        "bytes": job.bytes,
        "sha256": job.digest,
        "state": state,
        "about": rest,
        "read_by": tried.map(|tried| reader(tried)),
        "open": tried.map(|tried| open(tried)),
        "result": read,
    })
}

fn doing(work: Work) -> &'static str {
    match work {
        Work::Try => "try",
        Work::Bring => "bring",
    }
}

fn problem(failure: &Failure) -> Value {
    json!({ "detail": failure.what, "help": failure.help, "asks": failure.asks, "field": failure.field })
}

fn reader(tried: &Tried) -> Value {
    let (kind, name) = match &tried.reader {
        Reader::Table(name) => ("table", name),
        Reader::OfRelease(name) => ("mapping-of-release", name),
        Reader::OfWorkspace(name) => ("mapping-of-workspace", name),
        Reader::Proposed(name) => ("proposed-mapping", name),
        Reader::Written(name) => ("written-mapping", name),
    };
    json!({ "kind": kind, "name": name, "found": tried.found })
}

fn open(tried: &Tried) -> Vec<&'static str> {
    let word = |open: &Open| match open {
        Open::Arrangement => "arrangement",
        Open::Zone => "zone",
    };
    tried.open.iter().map(word).collect()
}

fn read(of: &FileImport) -> Value {
    let tables = of.tables.iter().map(|table| (table.table.clone(), json!(table.rows)));
    json!({
        "read": of.read,
        "accepted": of.accepted,
        "corrected": of.corrected,
        "already_known": of.already_known,
        "quarantined": of.quarantined,
        "tables": tables.collect::<serde_json::Map<_, _>>(),
        "rejections": of.rejections,
        "hints": of.hints,
        "disagreeing_clock_with": of.disagreeing_clock_with.is_some(),
    })
}
