//! The provider's figures beside ours, and the difference taken apart cause by cause.

use maud::{Markup, html};

use super::{
    Dossier, Links,
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::{difference::Ladder, figure};

/// A cause in words.
fn cause(cause: &str) -> String {
    text::plain(&cause.replace('-', " "))
}

/// All comparisons, then those that differ.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let differing: Vec<&Ladder> = dossier.ladders.iter().filter(|ladder| !ladder.agrees).collect();
    html! {
        p { "The difference is the provider’s figure less ours. Each cause has its exact part; what the provider did not state, "
            "its clock or its calendar for instance, cannot be tested and stays unexplained." }
        (overview(&dossier.ladders, links))
        @if !differing.is_empty() {
            h3 { "From the provider’s figure to ours" }
            div.figures { @for ladder in differing { (one(ladder, links)) } }
        }
    }
}

fn overview(ladders: &[Ladder], links: &Links<'_>) -> Markup {
    let heads = [
        ("Service level", Set::Wide),
        ("Arrangement", Set::Text),
        ("Window", Set::Text),
        ("Provider reports", Set::Figure),
        ("We find", Set::Figure),
        ("Difference, points or cases", Set::Figure),
        ("Because of", Set::Text),
        ("Verdict", Set::Text),
    ];
    let mut sheet = Sheet::new(
        html! { "The provider’s figures against those that the evidence gives" },
        &heads,
    );
    for ladder in ladders {
        let causes: Vec<String> = ladder
            .steps
            .iter()
            .filter(|step| step.says_something() && !ladder.agrees)
            .map(|step| cause(&step.cause))
            .collect();
        sheet.row(Row::of(vec![
            links.ladder(&ladder.arrangement_id, &ladder.service_level),
            text::name(&ladder.arrangement_id),
            html! { (text::plain(&ladder.window)) },
            html! { (text::plain(&ladder.theirs.figure)) },
            html! { (text::plain(&ladder.ours.figure)) },
            html! { (text::plain(&ladder.difference)) },
            html! { (causes.join(", ")) },
            status::agreement(ladder.agrees),
        ]));
    }
    sheet.render()
}

pub(super) fn one(ladder: &Ladder, links: &Links<'_>) -> Markup {
    let heads = [
        ("Step", Set::Wide),
        ("Figure", Set::Figure),
        ("Part", Set::Figure),
        ("Cases", Set::Figure),
    ];
    let (arrangement, level) = (ladder.arrangement_id.as_str(), ladder.service_level.as_str());
    let name = html! {
        (links.level(arrangement, level))
        ", " (text::name(arrangement)) ", " (text::plain(&ladder.window))
    };
    let caption = html! { (name) span.sub { "parts in " (text::plain(&ladder.unit)) } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    let side = |name: &str, side: &crate::difference::Side| Row {
        id: None,
        group: true,
        cells: vec![
            html! { (name) },
            html! { (text::plain(&side.figure)) },
            html! {},
            html! { (text::plain(&side.cases)) },
        ],
    };
    sheet.row(side("The provider reports", &ladder.theirs));
    for step in ladder.steps.iter().filter(|step| step.says_something()) {
        let cases = if step.cases == 0 { String::new() } else { figure::count(step.cases) };
        sheet.row(Row::of(vec![
            html! { span.of { (cause(&step.cause)) } },
            html! {},
            html! { (text::plain(step.part.as_deref().unwrap_or_default())) },
            html! { (cases) },
        ]));
    }
    sheet.row(Row::of(vec![
        html! { span.of { "difference in all" } },
        html! {},
        html! { strong { (text::plain(&ladder.difference)) } },
        html! {},
    ]));
    sheet.foot(side("We find", &ladder.ours));
    let untested: Vec<String> =
        ladder.steps.iter().filter(|step| !step.tested).map(|step| cause(&step.cause)).collect();
    html! {
        figure.level id=(text::anchor("ladder", &[arrangement, level])) tabindex="-1" {
            (sheet.render())
            @if !untested.is_empty() {
                p.basis { "Not stated by the provider, so not tested: " (untested.join(", ")) "." }
            }
        }
    }
}
