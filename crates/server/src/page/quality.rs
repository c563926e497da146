//! Quality of the work of one arrangement: lots and their inspection, drift, agreement of reviewers,
//! feedback, strain, complaints.

use backstay_report::html::{Links, section};
use maud::html;

use super::{
    frame,
    way::{Pages, dossier},
};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::Figures,
    panels::{Beside, Subject},
    problem::ProblemError,
};

/// The quality.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let id = asked.part("arrangement").to_owned();
    let title = format!("Quality of the work: {id}");
    let Some(figures) = Figures::named(asked)? else {
        return Ok(Answer::page(title, frame::nothing_yet()));
    };
    let pages = Pages::new(asked, &id)?;
    let beside = Beside::new(asked.server, &figures, &id);
    let (party, panels) = (beside.party()?, beside.panels(Subject::Quality)?);
    let dossier = dossier(&figures, &party, &[], &[]);
    let dossier = dossier.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let body = html! {
        (pages.crumbs(&id, &[]))
        (frame::when(asked, Some(figures.period)))
        (section::quality_of_work(&dossier, &Links(&pages), &panels))
    };
    Ok(Answer::page(title, body))
}
