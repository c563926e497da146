//! One service level of one arrangement: attainment against target and minimum, the provider's figure
//! beside ours, what the running window will end with, open cases, what was left out.

use std::collections::BTreeMap;

use backstay_engine::{assessment::MeasureResult, forecast::ForecastResult, restate::Answers};
use backstay_report::{
    figure,
    html::{
        Links,
        piece::{self, Set},
        section,
    },
    level,
};
use maud::{Markup, html};

use super::{
    case, frame,
    way::{Pages, dossier},
};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::Figures,
    panels::{Beside, Subject},
    problem::ProblemError,
};

/// References shown of one window.
const REFS_SHOWN: usize = 40;

/// The service level.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("service level");
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let level_id = asked.part("level");
    let own: Vec<_> = found.measures.iter().filter(|m| m.service_level == level_id).collect();
    let last = own.last().ok_or_else(nothing)?;
    let pages = Pages::new(asked, id)?;
    let links = Links(&pages);
    let beside = Beside::new(asked.server, &figures, id);
    let (party, history) = (beside.party()?, beside.history()?);
    let dossier = dossier(&figures, &party, &history, &[]).ok_or_else(nothing)?;
    let ladders = beside.ladders()?;
    let ladders: Vec<_> = ladders.iter().filter(|l| l.service_level == level_id).collect();
    let due = beside.panels(Subject::Due)?;
    let is_open = due.due.iter().any(|case| case.service_level == level_id);
    let metric = figures.seen.evidence.catalogue.metric(&last.metric);
    let body = html! {
        (pages.crumbs(id, &[(format!("{}#levels", pages.to("")), html! { "Service levels" })]))
        (frame::when(asked, Some(figures.period)))
        @for measure in &own { (standing(measure, own.len() > 1)) }
        div.figures { (section::service_level(&dossier, &links, id, level_id).unwrap_or_default()) }
        @for measure in &own { (window(measure, own.len() > 1, pages.opens)) }
        @if pages.reads_rows { (case::few(&pages, level_id, beside.cases()?.as_ref())) }
        @else { p.quiet { "Your rights do not include the cases behind this figure." } }
        h2 #ladder { "The provider’s figure and ours" }
        @if ladders.is_empty() {
            p { "The provider reported no figure for this service level in this period that could be compared. Its report is imported as "
                code { "provider_report" } "." }
        }
        @else {
            p { "The difference is the provider’s figure less ours. Each cause has its exact part; what the provider did not state cannot be tested and stays unexplained." }
            div.figures { @for ladder in ladders { (section::provider_figure(&links, ladder)) } }
        }
        h2 #forecast { "What the running window will end with" }
        (outlook(beside.forecast()?.as_ref(), level_id))
        h2 #open { "Open cases" }
        @if is_open {
            p { "As of " (piece::instant(due.as_of_us)) ". A deadline holds as if the clock ran on from then." }
            (section::open_cases(&dossier, &links, &due, Some(level_id)))
        }
        @else { p { "Nothing was open under this service level as of " (piece::instant(due.as_of_us)) "." } }
        @if let Some(metric) = metric {
            h2 #computed { "How it is computed" }
            div.prose { (piece::prose(&metric.body.tests)) (piece::computed(&metric.body)) }
        }
    };
    Ok(Answer::page(last.title.clone(), body))
}

/// What a window came to, in one line.
fn standing(measure: &MeasureResult, named: bool) -> Markup {
    let target = measure.target.as_deref().map(|text| level::wanted(measure, text));
    html! {
        p.lead {
            @if named { (piece::period_words(measure.period)) ": " }
            (piece::verdict_word(measure)) ": " strong { (level::value(measure)) }
            @if level::is_share(measure) { ", " (figure::count(measure.numerator)) " of " (figure::count(measure.denominator)) " cases" }
            @if let Some(target) = target { "; target " (target) }
        }
    }
}

fn reasons(caption: &str, counts: &BTreeMap<String, i64>) -> Markup {
    if counts.is_empty() {
        return html! {};
    }
    let rows = counts.iter().map(|(why, cases)| vec![piece::sentence(why), html! { (cases) }]);
    piece::table(
        html! { (caption) },
        &[("Reason", Set::Wide), ("Cases", Set::Figure)],
        rows.collect(),
    )
}

fn window(measure: &MeasureResult, named: bool, opens: bool) -> Markup {
    html! {
        @if let Some(lacking) = &measure.lacking { p.note.bad { (piece::sentence(lacking)) } }
        @if named { h2 { (piece::period_words(measure.period)) } }
        details {
            summary { "What was left out, and the rows behind the figure" @if named { " of " (piece::period_words(measure.period)) } }
            (reasons("Left out", &measure.excluded))
            (reasons("Could not be judged", &measure.gaps))
            p { (frame::references(&measure.evidence, measure.evidence_total, REFS_SHOWN, opens)) }
        }
    }
}

/// A share of four places, or a chance of two, as per cent.
fn percent(share: Option<&str>, places: u32) -> String {
    share.and_then(|share| figure::percent_of_share(share, places)).unwrap_or_default()
}

fn outlook(all: &[ForecastResult], level: &str) -> Markup {
    let own: Vec<_> = all.iter().filter(|found| found.service_level == level).collect();
    if own.is_empty() {
        return html! { p { "There is no forecast for it: it is made for service levels that count cases met by a deadline." } };
    }
    html! {
        @for found in own {
            p {
                strong { (piece::period_words(found.window)) } ", looked at from " (found.looked_at.replace('T', " ").replace('Z', " UTC")) ": "
                @match (found.standing.as_str(), &found.expected) {
                    ("decided", _) => { "decided. " },
                    (_, Some(expected)) => {
                        "probably " strong { (percent(Some(expected), 1)) }
                        " (nine times in ten between " (percent(found.low.as_deref(), 1)) " and " (percent(found.high.as_deref(), 1)) "). "
                    },
                    _ => { "none. " },
                }
                (figure::count(i64::try_from(found.met).unwrap_or(i64::MAX))) " met and "
                (figure::count(i64::try_from(found.missed).unwrap_or(i64::MAX))) " missed so far. "
                @if let Some(chance) = &found.target_chance { "Chance to reach the target: " (percent(Some(chance), 0)) ". " }
                @if let Some(chance) = &found.minimum_chance { "Chance not to fall below the minimum: " (percent(Some(chance), 0)) ". " }
                @if let Some(reason) = &found.reason { (piece::sentence(reason)) ". " }
                @if let Some(note) = &found.note { (piece::sentence(note)) ". " }
                @if found.history_cases > 0 { span.quiet { "From " (found.history_weeks) " weeks with " (found.history_cases) " cases." } }
            }
        }
    }
}

/// How many cases of a service level ended how.
pub fn counts(cases: &Answers, level: &str) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for (_, answer) in cases.iter().filter(|(counted, _)| counted.service_level == level) {
        *found.entry(case::word(answer.outcome)).or_insert(0) += 1;
    }
    found
}
