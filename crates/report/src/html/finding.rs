//! Findings by control and arrangement, each with what was found, why, and its rows.

use backstay_engine::{assessment::Finding, outcome::Outcome};
use maud::{Markup, html};

use super::{
    Dossier, Links, attention, level,
    sheet::{Row, Set, Sheet},
    status, text,
};

/// Findings shown of one control in one arrangement.
const SHOWN: usize = 25;
/// References shown of one finding.
const REFS_SHOWN: usize = 8;

/// Groups of findings, as they stand in the assessment.
fn groups(findings: &[Finding]) -> Vec<((&str, &str), Vec<&Finding>)> {
    let mut groups: Vec<((&str, &str), Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let key = (finding.control.as_str(), finding.arrangement_id.as_str());
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(finding),
            None => groups.push((key, vec![finding])),
        }
    }
    groups
}

/// All findings.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let findings = &dossier.assessment.findings;
    if findings.is_empty() {
        return html! { p { "None: nothing that was tested was missed, and everything could be tested." } };
    }
    let example = findings.iter().find_map(|finding| finding.evidence.first());
    html! {
        p { (text::counted(findings.len() as u64, "finding")) ". "
            @if let Some(reference) = example {
                "A row such as " (links.reference(reference)) " is ledger entry and record: "
                code { "backstay trace " (text::plain(reference)) } " opens it down to the line of the file. "
            }
            "The id of a finding stays the same from month to month." }
        @for ((control, arrangement), mut group) in groups(findings) {
            @let () = group.sort_by_key(|finding| finding.outcome != Outcome::Missed);
            (one(dossier, links, (control, arrangement), &group))
        }
    }
}

fn one(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    (control, arrangement): (&str, &str),
    group: &[&Finding],
) -> Markup {
    let title = dossier
        .assessment
        .controls
        .iter()
        .find(|result| result.control == control && result.arrangement_id == arrangement)
        .map_or(control, |result| result.title.as_str());
    let measured =
        group.iter().any(|finding| finding.measured.is_some() || finding.required.is_some());
    let money = group.iter().any(|finding| finding.amount_minor.is_some());
    let mut heads = vec![("Subject", Set::Text), ("Outcome", Set::Text)];
    if measured {
        heads.extend([("Found", Set::Figure), ("Promised", Set::Figure), ("Unit", Set::Text)]);
    }
    if money {
        heads.push(("At stake", Set::Figure));
    }
    heads.extend([("Explanation", Set::Wide), ("Rows", Set::Text), ("Finding", Set::Text)]);
    let caption = html! {
        (links.control(control, title))
        ": " (text::name(arrangement)) (level::what(dossier, arrangement))
    };
    let mut sheet = Sheet::new(caption, &heads);
    for finding in group.iter().take(SHOWN) {
        sheet.row(Row::at(
            text::anchor("finding", &[&finding.id]),
            line(links, finding, measured, money),
        ));
    }
    html! {
        div.sheet id=(text::anchor("findings", &[control, arrangement])) tabindex="-1" {
            (sheet.render())
            @if group.len() > SHOWN { (more(dossier, (group.len() - SHOWN) as u64)) }
        }
    }
}

/// How to see the findings that are not shown.
fn more(dossier: &Dossier<'_>, hidden: u64) -> Markup {
    html! {
        p { "And " (text::counted(hidden, "more finding")) ": "
            @match &dossier.kept {
                Some(kept) => { code { "backstay replay " (kept.entry) " --output bytes" } }
                None => { code { "backstay assess --format json" } }
            }
            " has all." }
    }
}

fn line(links: &Links<'_>, finding: &Finding, measured: bool, money: bool) -> Vec<Markup> {
    let target = links.subject(&finding.control, &finding.arrangement_id, &finding.subject);
    let value = |value: &Option<String>| match value {
        Some(value) => html! { (text::plain(value)) },
        None => html! {},
    };
    let mut cells = vec![
        html! {
            @match target {
                Some(target) => { a href=(target) { (text::name(&finding.subject)) } }
                None => { (text::name(&finding.subject)) }
            }
        },
        status::outcome(finding.outcome),
    ];
    if measured {
        cells.extend([value(&finding.measured), value(&finding.required), value(&finding.unit)]);
    }
    if money {
        cells
            .push(finding.amount().map(|amount| attention::amounts(&[amount])).unwrap_or_default());
    }
    cells.extend([
        text::told(&finding.explanation),
        links.references(&finding.evidence, finding.evidence_total, REFS_SHOWN),
        html! { span.ref { (text::plain(&finding.id)) } },
    ]);
    cells
}
