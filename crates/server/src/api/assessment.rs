//! Assessments that are kept.

use backstay_access::{Action, Resource};
use backstay_desk::{assess, period::written};
use serde_json::{Value, json};

use super::list::instant;
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{Figures, up_to},
    past,
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// The kept assessments of which the asker sees something, the newest first.
pub fn list(asked: &Asked<'_>) -> Done {
    let all = past::all(asked, Some(up_to(asked)?))?;
    let items = all.iter().rev().map(|kept| {
        json!({
            "entry": kept.entry,
            "recorded_at": instant(kept.recorded_at_us),
            "period": written((kept.period.first, kept.period.after)),
            "arrangements": kept.scope,
            "step": kept.close.as_ref().map(|note| note.step),
        })
    });
    Ok(Answer::json(json!({ "items": items.collect::<Vec<_>>(), "next": null, "basis": null })))
}

/// One kept assessment: to whoever sees all that it is about byte for byte what its digest is of, to
/// others what they see of it.
pub fn show(asked: &Asked<'_>) -> Done {
    let entry = asked.part("entry").parse().map_err(|_| ProblemError::nothing("assessment"))?;
    let found = past::one(asked, entry)?.result(asked)?;
    Ok(Answer::File {
        kind: "application/json",
        name: format!("assessment-{entry}.json"),
        body: found.bytes().into(),
    })
}

/// Assesses an arrangement now and keeps the answer.
pub fn keep(asked: &Asked<'_>) -> Done {
    let figures = Figures::named(asked)?;
    let figures = figures.ok_or_else(|| ProblemError::nothing("evidence"))?;
    let (id, found) = figures.only().ok_or_else(|| ProblemError::nothing("evidence"))?;
    if !asked.may(Action::AssessmentRun, &Resource::Arrangement(id)) {
        return Err(ProblemError::refused(None));
    }
    let workspace = &asked.server.workspace;
    let before = workspace.backend().head()?.size;
    let entry = asked
        .with_context(|ctx| assess::keep(workspace, &figures.seen, found, &found.bytes(), ctx))?;
    let told: Value = json!({
        "entry": entry,
        "new": entry > before,
        "result_digest": found.digest().to_string(),
    });
    Ok(Answer::Json(axum::http::StatusCode::CREATED, told))
}
