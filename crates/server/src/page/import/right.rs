//! Who may bring what in, and who may look at a file that waits. Asks the policies about every table and
//! arrangement that a file would touch; what it says names no arrangement that the asker does not see.

use std::collections::BTreeSet;

use backstay_access::{Action, Privacy, Resource};
use backstay_evidence::vocabulary::{Scope, Table};

use crate::{
    asked::Asked,
    job::{self, Job, Open, Tried},
    problem::ProblemError,
};

/// Arrangements that the asker may bring rows for.
pub fn importable(asked: &Asked<'_>) -> BTreeSet<String> {
    asked.authority.as_ref().map(|may| may.visible_for(Action::ImportCreate)).unwrap_or_default()
}

/// Whether the asker may bring rows of shared tables.
pub fn may_share(asked: &Asked<'_>) -> bool {
    let shared = Resource::Rows { arrangement: None, privacy: Privacy::Open };
    asked.may(Action::ImportCreate, &shared)
}

/// Whether the asker may bring anything at all.
pub fn anywhere(asked: &Asked<'_>) -> bool {
    asked.may_somewhere(Action::ImportCreate)
}

/// Tables that the asker may choose for a file.
pub fn tables<'a>(asked: &'a Asked<'_>) -> Vec<&'a Table> {
    let shared = may_share(asked);
    let all = asked.server.workspace.vocabulary().tables();
    all.filter(|table| shared || table.scope == Scope::Arrangement).collect()
}

/// Why the asker may not bring in what a file holds; nothing when they may.
pub fn refusal(asked: &Asked<'_>, tried: &Tried) -> Option<String> {
    let nobody = || Some("Sign in first.".to_owned());
    let (Some(authority), Some(visitor)) = (&asked.authority, &asked.visitor) else {
        return nobody();
    };
    let vocabulary = asked.server.workspace.vocabulary();
    job::refusal(authority, &visitor.principal, vocabulary, tried)
}

/// Whether the asker may look at a file that waits: who handed it in, and whoever of the same side may bring
/// in all that it holds.
pub fn may_look(asked: &Asked<'_>, job: &Job) -> bool {
    let Some(visitor) = &asked.visitor else { return false };
    if visitor.account.id == job.owner {
        return true;
    }
    let same_side = visitor.account.provider.is_none() || visitor.account.provider == job.provider;
    let tried = job.tried.as_ref().filter(|tried| !tried.trial.touched.rows.is_empty());
    same_side
        && tried.is_some_and(|tried| {
            !tried.open.contains(&Open::Arrangement) && refusal(asked, tried).is_none()
        })
}

/// The job that the path names, for somebody who may look at it.
///
/// # Errors
/// When there is none, or it is not open to the asker.
pub fn job(asked: &Asked<'_>) -> Result<Job, ProblemError> {
    let found = asked.server.jobs.get(asked.part("import"), asked.now_us);
    found.filter(|job| may_look(asked, job)).ok_or_else(|| ProblemError::nothing("file"))
}

/// The job that the path names, for whoever handed it in.
///
/// # Errors
/// As [`job`]; when somebody else handed it in.
pub fn own_job(asked: &Asked<'_>) -> Result<Job, ProblemError> {
    let job = job(asked)?;
    if asked.visitor()?.account.id == job.owner {
        return Ok(job);
    }
    Err(ProblemError::refused(Some("this file was handed in by somebody else".to_owned())))
}

/// Whether the asker may see what an entry has in quarantine of an arrangement; the empty one is that of
/// records in which none could be read, which their own sender sees too.
pub fn may_see_rejected(asked: &Asked<'_>, arrangement: &str, actor: &str) -> bool {
    let of = (!arrangement.is_empty()).then_some(arrangement);
    let rows = Resource::Rows { arrangement: of, privacy: Privacy::Internal };
    let sent = of.is_none() && asked.visitor.as_ref().is_some_and(|v| v.account.id == actor);
    sent || asked.may(Action::EvidenceRead, &rows)
}

/// Whether the asker may know of an import: it brought something for arrangements whose rows they read, and
/// for no other, or they brought it themselves.
pub fn may_know(asked: &Asked<'_>, arrangements: &[String], actor: &str) -> bool {
    let own = asked.visitor.as_ref().is_some_and(|visitor| visitor.account.id == actor);
    let reads = |arrangement: Option<&str>| {
        let rows = Resource::Rows { arrangement, privacy: Privacy::Internal };
        asked.may(Action::EvidenceRead, &rows)
    };
    let all = match arrangements {
        [] => reads(None),
        some => some.iter().all(|id| reads(Some(id.as_str()))),
    };
    own || all
}
