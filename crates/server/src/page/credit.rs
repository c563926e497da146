//! Service credits of one arrangement: the month, how it was reckoned, the months before, and every missed
//! case behind it.

use backstay_access::{Action, Privacy, Resource};
use backstay_engine::credit_note::CreditNote;
use backstay_report::{
    figure,
    html::{
        Links, Way,
        piece::{self, Set},
        section,
    },
};
use maud::{Markup, html};

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

/// Registers that say how credits are reckoned.
const TERMS: [&str; 4] = ["credit_scheme", "credit_term", "credit_band", "charge"];
/// Missed cases shown.
const CASES: usize = 400;

/// The credits.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let id = asked.part("arrangement").to_owned();
    let title = format!("Service credits of {id}");
    let Some(figures) = Figures::named(asked)? else {
        return Ok(Answer::page(title, frame::nothing_yet()));
    };
    let pages = Pages::new(asked, &id)?;
    let beside = Beside::new(asked.server, &figures, &id);
    let (party, panels) = (beside.party()?, beside.panels(Subject::Credits)?);
    let dossier = dossier(&figures, &party, &[], &[]);
    let dossier = dossier.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let links = Links(&pages);
    let note = panels.credits.note.as_ref();
    let open = Resource::Rows { arrangement: Some(&id), privacy: Privacy::Open };
    let terms = asked.may(Action::EvidenceRead, &open) && !panels.credits.months.is_empty();
    let body = html! {
        (pages.crumbs(&id, &[]))
        (frame::when(asked, Some(figures.period)))
        (section::credits(&dossier, &links, &panels))
        @if terms { p { "The terms stand in the registers "
            @for (n, table) in TERMS.iter().enumerate() { @if n > 0 { ", " } a href={ "/registers/" (table) } { (table) } } "." } }
        @if let Some(note) = note.filter(|note| !note.cases.is_empty()) {
            h2 #cases { "Missed cases behind the credits" }
            @if pages.reads_rows { (cases(&pages, &id, note)) }
            @else { p { (figure::counted(i64::try_from(note.cases.len()).unwrap_or(i64::MAX), "missed case")) ". Your rights do not include them one by one." } }
        }
    };
    Ok(Answer::page(title, body))
}

fn cases(pages: &Pages<'_>, id: &str, note: &CreditNote) -> Markup {
    let heads = [
        ("Case", Set::Text),
        ("Service level", Set::Text),
        ("Took", Set::Figure),
        ("Allowed", Set::Figure),
        ("Due", Set::Text),
        ("Done", Set::Text),
        ("Row", Set::Text),
    ];
    let zone = pages.zone.as_deref();
    let at = |at: &Option<String>| html! { @if let Some(at) = at { span.nowrap { (piece::instant_in(at, zone)) } } };
    let text = |text: &Option<String>| text.as_deref().map(piece::name).unwrap_or_default();
    let rows = note.cases.iter().take(CASES).map(|case| {
        let to = pages.case(id, &case.service_level, &case.case_id);
        let level = pages.level(id, &case.service_level);
        let refs: Vec<String> = case.reference.iter().cloned().collect();
        let all = u64::try_from(refs.len()).unwrap_or_default();
        vec![
            html! { @if let Some(to) = to { a href=(to) { (piece::name(&case.case_id)) } } @else { (piece::name(&case.case_id)) } },
            html! { @if let Some(level) = level { a href=(level) { (piece::name(&case.service_level)) } } },
            text(&case.working_time),
            text(&case.allowed),
            at(&case.due_at),
            at(&case.closed_at),
            html! { @if all > 0 { (frame::references(&refs, all, 1, pages.opens)) } },
        ]
    });
    html! {
        (piece::table(html! { "In working time" }, &heads, rows.collect()))
        @if note.cases.len() > CASES { p { "And " (note.cases.len() - CASES) " more; each service level lists its own." } }
    }
}
