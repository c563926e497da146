//! One arrangement: its controls under their risks, its service levels, its findings.

use backstay_desk::change;
use backstay_engine::assessment::Assessment;
use backstay_report::{
    html::piece::{self, Set},
    level,
};
use maud::{Markup, html};

use super::{assessment, frame};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, money},
    past,
    problem::ProblemError,
};

/// Findings listed on this page; a control lists its own.
const FINDINGS: usize = 200;

/// The arrangement.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let id = asked.part("arrangement").to_owned();
    let figures = Figures::named(asked)?;
    let Some((figures, found)) = figures.as_ref().and_then(|f| Some((f, f.only()?.1))) else {
        let body = html! { (frame::when(asked, None)) (frame::nothing_yet()) };
        return Ok(Answer::page(id, body));
    };
    let listed = |what: &str| format!("/api/v1/arrangements/{}/{what}", segment(&id));
    let below = |path: &str| asked.link(&format!("/arrangements/{}{path}", segment(&id)));
    let taken = asked.server.workspace.closes(&id, &figures.period.to_string())?;
    let body = html! {
        (frame::when(asked, Some(figures.period)))
        p { a href="#levels" { "Service levels" } " · " a href="#findings" { "Findings" } " · " a href="#changes" { "What changed" }
            " · " a href=(below("/credits")) { "Service credits" } " · " a href=(below("/time")) { "Distance in hours" }
            " · " a href=(below("/quality")) { "Quality of the work" } " · " a href=(below("/evidence")) { "Evidence: what arrived" }
            @if asked.authority()?.ceiling(backstay_access::Action::EvidenceRead, Some(&id)).is_some() { " · " a href={ "/registers?arrangement=" (segment(&id)) } { "Registers" } } }
        (controls(asked, &id, figures, found))
        (frame::saves(asked, &listed("controls")))
        h2 #levels { "Service levels" }
        (levels(asked, &id, found))
        (frame::saves(asked, &listed("service-levels")))
        h2 #findings { "Findings" }
        (findings(asked, &id, found, None))
        (frame::saves(asked, &listed("findings")))
        h2 #changes { "What changed" }
        (changes(asked, &id, figures, found)?)
        h2 #month { "Month-end" }
        @if taken.is_empty() { p { "No step of the month-end was taken for " (piece::period_words(figures.period)) "." } }
        @else { (assessment::steps(&taken)) }
        (assessment::form(asked, &id))
    };
    Ok(Answer::page(format!("{id}, {}", piece::period_words(figures.period)), body))
}

/// Against what was closed, or kept, last.
fn changes(
    asked: &Asked<'_>,
    id: &str,
    figures: &Figures,
    found: &Assessment,
) -> Result<Markup, ProblemError> {
    let all = past::all(asked, Some(figures.seen.known_at))?;
    let Some(kept) = past::before(&all, id, figures.period) else {
        return Ok(html! {
            p { "No assessment of it is kept yet, so there is nothing to hold these figures against." }
        });
    };
    let before = kept.result(asked)?;
    let found = change::changes(&before, found, id);
    Ok(html! {
        p { (assessment::since(kept)) }
        (super::change::whole(asked, id, &found, true))
    })
}

fn controls(asked: &Asked<'_>, id: &str, figures: &Figures, found: &Assessment) -> Markup {
    let heads = [
        ("Control", Set::Wide),
        ("Status", Set::Text),
        ("Why", Set::Wide),
        ("Tested", Set::Figure),
        ("Missed", Set::Figure),
        ("Not testable", Set::Figure),
        ("Age, days", Set::Figure),
    ];
    html! {
        @for risk in figures.seen.evidence.catalogue.risks() {
            @let own: Vec<_> = found.controls.iter().filter(|control| control.risk == risk.id).collect();
            @if !own.is_empty() {
                @let rows = own.iter().map(|control| {
                    let to = format!("/arrangements/{}/controls/{}", segment(&control.arrangement_id), segment(&control.control));
                    vec![
                        html! { a href=(asked.link(&to)) { (piece::title(&control.title)) } span.sub { (piece::name(&control.control)) } },
                        piece::status_word(control.status),
                        piece::sentence(&control.reason),
                        html! { (control.population) },
                        html! { (control.missed) },
                        html! { (control.gaps) },
                        html! { @if let Some(days) = control.evidence_age_days { (days) } },
                    ]
                });
                div id={ "risk." (risk.id) } tabindex="-1" {
                    (piece::table(html! { a href=(asked.link(&format!("/arrangements/{}/risks/{}", segment(id), segment(&risk.id)))) { (piece::title(&risk.title)) } }, &heads, rows.collect()))
                }
            }
        }
    }
}

fn levels(asked: &Asked<'_>, id: &str, found: &Assessment) -> Markup {
    if found.measures.is_empty() {
        return html! { p { "No service level is measured. Import the register " code { "service_level" } "." } };
    }
    let heads = [
        ("Service level", Set::Wide),
        ("Window", Set::Text),
        ("Came to", Set::Text),
        ("Value", Set::Figure),
        ("Target", Set::Figure),
        ("Minimum", Set::Figure),
        ("Met", Set::Figure),
        ("Of", Set::Figure),
    ];
    let rows = found.measures.iter().map(|measure| {
        let to = format!("/arrangements/{}/service-levels/{}", segment(id), segment(&measure.service_level));
        let wanted = |text: &Option<String>| {
            text.as_deref().map(|text| level::wanted(measure, text)).unwrap_or_default()
        };
        vec![
            html! { a href=(asked.link(&to)) { (piece::title(&measure.title)) } span.sub { (piece::name(&measure.service_level)) } },
            html! { (piece::period_words(measure.period)) },
            piece::verdict_word(measure),
            html! { (level::value(measure)) },
            html! { (wanted(&measure.target)) },
            html! { (wanted(&measure.minimum)) },
            html! { (measure.numerator) },
            html! { (measure.denominator) },
        ]
    });
    piece::table(html! { "Recomputed from work events, in working time" }, &heads, rows.collect())
}

/// Findings; `control`: of this one only.
pub fn findings(asked: &Asked<'_>, id: &str, found: &Assessment, control: Option<&str>) -> Markup {
    let own: Vec<_> =
        found.findings.iter().filter(|f| control.is_none_or(|only| f.control == only)).collect();
    if own.is_empty() {
        return html! { p { "Nothing was missed, and nothing was left untestable, in what could be tested." } };
    }
    let heads = [
        ("What was tested", Set::Wide),
        ("Outcome", Set::Text),
        ("Control", Set::Text),
        ("What was found", Set::Wide),
        ("Money", Set::Figure),
    ];
    let rows = own.iter().take(FINDINGS).map(|finding| {
        let to = format!("/arrangements/{}/findings/{}", segment(id), segment(&finding.id));
        let amount: Vec<_> = finding.amount().into_iter().collect();
        vec![
            html! { a href=(asked.link(&to)) { (piece::name(&finding.subject)) } },
            piece::outcome_word(finding.outcome),
            piece::name(&finding.control),
            piece::sentence(&finding.explanation),
            html! { (money(&amount)) },
        ]
    });
    html! {
        (piece::table(html! { "Missed, or not testable" }, &heads, rows.collect()))
        @if own.len() > FINDINGS { p { "And " (own.len() - FINDINGS) " more; each control lists its own." } }
    }
}
