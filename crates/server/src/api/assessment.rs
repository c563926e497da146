//! Assessments that are kept.

use backstay_access::{Action, Resource};
use backstay_desk::assess;
use backstay_store::StoreError;
use serde_json::{Value, json};

use super::list::instant;
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{Figures, up_to},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// The kept assessments whose every arrangement the asker may read, the newest first.
pub fn list(asked: &Asked<'_>) -> Done {
    let mut all = asked.server.workspace.assessments()?;
    all.retain(|kept| asked.may_entry(Action::ArrangementRead, &kept.arrangements));
    let up_to = up_to(asked)?;
    all.retain(|kept| kept.entry <= up_to);
    all.reverse();
    let items = all.iter().map(|kept| {
        json!({
            "entry": kept.entry,
            "recorded_at": instant(kept.recorded_at_us),
            "actor": kept.actor,
            "arrangements": kept.arrangements,
            "result_digest": kept.result.to_string(),
        })
    });
    Ok(Answer::json(json!({ "items": items.collect::<Vec<_>>(), "next": null, "basis": null })))
}

/// One kept assessment, byte for byte what its digest is of.
pub fn show(asked: &Asked<'_>) -> Done {
    let nothing = || ProblemError::nothing("assessment");
    let entry: u64 = asked.part("entry").parse().map_err(|_| nothing())?;
    let workspace = &asked.server.workspace;
    let of = workspace.entries(entry, 1)?;
    let of = of.first().filter(|found| found.entry == entry && found.kind == "assessment");
    let of = of.filter(|of| asked.may_entry(Action::ArrangementRead, &of.arrangements));
    let of = of.ok_or_else(nothing)?;
    let kept = workspace.assessment(of.entry).map_err(|error| match error {
        StoreError::NoEntry { .. } | StoreError::Kind { .. } => nothing(),
        other => other.into(),
    })?;
    Ok(Answer::File {
        kind: "application/json",
        name: format!("assessment-{entry}.json"),
        body: kept.result.into(),
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
