//! The month-end pack of a kept assessment: the report to read and print, and the workbook. Both are made
//! from the evidence as it was known then; neither says anything of an arrangement that the asker does not
//! see.

use std::sync::Arc;

use backstay_access::{Action, Resource};
use backstay_desk::{period::written, report};
use backstay_engine::Assessment;
use backstay_report::listing::workbook as book;

use super::assessment::named;
use crate::{answer::Answer, asked::Asked, past::Past, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// The assessment as far as the asker sees it, when every arrangement in it may be handed on.
fn exported(asked: &Asked<'_>, kept: &Past) -> Result<Arc<Assessment>, ProblemError> {
    let found = kept.result(asked)?;
    let ids = found.controls.iter().map(|control| control.arrangement_id.as_str());
    let all = ids.map(Resource::Arrangement);
    let decision = asked.authority()?.decide_all(Action::ReportExport, all);
    match decision.allowed {
        true => Ok(found),
        false => Err(ProblemError::refused(decision.refusal)),
    }
}

/// The report.
pub fn report(asked: &Asked<'_>) -> Done {
    let kept = named(asked)?;
    let found = exported(asked, &kept)?;
    if !Arc::ptr_eq(&found, &kept.whole(asked)?) {
        return Err(ProblemError::refused(Some(
            "this assessment is also about arrangements that are not open to you: assess your own and take its report"
                .to_owned(),
        )));
    }
    let visible = asked.authority()?.visible();
    let of_provider = asked.visitor()?.account.provider.is_some();
    // The names of files that others handed in may say who they are.
    let lists = |ids: &[String]| {
        !of_provider || !ids.is_empty() && ids.iter().all(|id| visible.contains(id))
    };
    let workspace = &asked.server.workspace;
    Ok(Answer::Document(report::html(workspace, kept.entry, asked.now_us, &lists)?))
}

/// The workbook.
pub fn workbook(asked: &Asked<'_>) -> Done {
    let kept = named(asked)?;
    let found = exported(asked, &kept)?;
    let sheets = report::sheets(&asked.server.workspace, kept.entry, &found, asked.now_us)?;
    let body = book(&sheets, kept.recorded_at_us);
    let body = body.map_err(|error| ProblemError::unclear(error.to_string()))?;
    Ok(Answer::File {
        kind: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        name: format!("month-end-{}.xlsx", written((kept.period.first, kept.period.after))),
        body: body.into(),
    })
}
