//! Each control: what it tests, why, how it is computed with its SQL, where it stands and why.

use backstay_engine::{
    assessment::ControlResult,
    catalogue::{Body, Control},
};
use maud::{Markup, html};

use super::{
    Dossier, attention,
    posture::{in_order, result_anchor},
    sheet::{Row, Set, Sheet},
    status, text,
};

/// What is lacking, named of one result.
const LACKING_SHOWN: usize = 3;

/// All controls, in the order of the posture.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let all: Vec<&ControlResult> = dossier.assessment.controls.iter().collect();
    let known = dossier.catalogue.controls();
    html! {
        @for first in in_order(&all) {
            @let control = known.iter().find(|control| control.id == first.control).copied();
            (one(dossier, first, control))
        }
    }
}

fn one(dossier: &Dossier<'_>, first: &ControlResult, control: Option<&Control>) -> Markup {
    html! {
        article.control {
            h3 id=(text::anchor("control", &[&first.control])) tabindex="-1" {
                (text::title(&first.title)) span.sub { (text::name(&first.control)) ", severity " (attention::severity(first)) }
            }
            (results(dossier, first))
            @if let Some(control) = control {
                (told(&control.body, Some(text::anchor("remedy", &[&first.control]))))
                p.basis {
                    (limits(control)) " "
                    @if !control.references.is_empty() { "References: " (control.references.join("; ")) ". " }
                    "File " code { (text::plain(&control.file)) } ", SHA-256 " code.digest { (control.digest) } "."
                }
            } @else {
                p #(text::anchor("remedy", &[&first.control])) { "The catalogue of this assessment does not hold this control." }
            }
        }
    }
}

/// The limits of a control as sentences.
fn limits(control: &Control) -> String {
    let limits = control.limits;
    let missed = match limits.tolerance {
        0 => "No miss is tolerated".to_owned(),
        tolerated => {
            format!("{} tolerated", text::counted(tolerated, "miss").replace("misss", "misses"))
        }
    };
    let gaps = match limits.max_gap {
        0 => "nothing may stay untestable".to_owned(),
        gaps => format!("{} may stay untestable", text::number(gaps)),
    };
    format!(
        "{missed}, {gaps}, evidence may be {} old.",
        text::counted(limits.max_evidence_age_days, "day")
    )
}

/// How a control or metric is computed: in words, and its SQL.
pub(super) fn computed(body: &Body) -> Markup {
    html! {
        (text::prose(before_sql(&body.computed)))
        details {
            summary { "SQL, " (text::counted(body.sql.lines().count() as u64, "line")) }
            pre tabindex="0" { code { (crate::layout::clean_lines(&body.sql)) } }
        }
    }
}

/// The prose and the SQL of a control or metric.
pub(super) fn told(body: &Body, remedy: Option<String>) -> Markup {
    html! {
        div.prose {
            h4 { "What it tests" } (text::prose(&body.tests))
            h4 { "Why it matters" } (text::prose(&body.why))
            h4 { "How it is computed" } (computed(body))
            @if let Some(anchor) = remedy {
                h4 id=(anchor) tabindex="-1" { "What to do" } (text::prose(&body.remedy))
            }
        }
    }
}

/// The prose of a section without the SQL block, which is shown apart.
fn before_sql(text: &str) -> &str {
    text.split_once("```").map_or(text, |(before, _)| before)
}

fn results(dossier: &Dossier<'_>, first: &ControlResult) -> Markup {
    let heads = [
        ("Arrangement", Set::Text),
        ("Status", Set::Text),
        ("Tested", Set::Figure),
        ("Missed", Set::Figure),
        ("Not testable", Set::Figure),
        ("Age, days", Set::Figure),
        ("Why", Set::Wide),
    ];
    let mut sheet = Sheet::new(html! { "Where " (text::name(&first.control)) " stands" }, &heads);
    let own = dossier.assessment.controls.iter().filter(|result| result.control == first.control);
    for result in own {
        sheet.row(Row::at(result_anchor(result), line(dossier, result)));
    }
    sheet.render()
}

fn line(dossier: &Dossier<'_>, result: &ControlResult) -> Vec<Markup> {
    let found = dossier
        .assessment
        .findings
        .iter()
        .any(|f| f.control == result.control && f.arrangement_id == result.arrangement_id);
    let anchor = text::anchor("findings", &[&result.control, &result.arrangement_id]);
    let linked = |number: u64| {
        html! {
            @if number > 0 && found { a href={ "#" (anchor) } { (text::number(number)) } }
            @else { (text::number(number)) }
        }
    };
    let rest: Vec<&String> =
        result.lacking.iter().filter(|reason| !result.reason.contains(reason.as_str())).collect();
    vec![
        text::name(&result.arrangement_id),
        status::status(result.status),
        html! { (text::number(result.population)) },
        linked(result.missed),
        linked(result.gaps),
        html! { @match result.evidence_age_days { Some(days) => { (days) } None => { span.quiet { "none" } } } },
        html! {
            (text::told(&result.reason))
            @for reason in rest.iter().take(LACKING_SHOWN) { "; " (text::told(reason)) }
        },
    ]
}
