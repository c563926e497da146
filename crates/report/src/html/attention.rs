//! What is not effective, the worst first: why, what is at stake when money is known, what to do.

use std::cmp::Reverse;

use backstay_engine::{
    Status,
    assessment::{Amount, ControlResult},
};
use maud::{Markup, html};

use super::{
    Dossier,
    posture::result_anchor,
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::figure;

/// Rows shown; the rest stands in the posture.
const SHOWN: usize = 60;

/// The table of what needs attention.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let wanting = [Status::Deficient, Status::Untested, Status::Stale];
    let mut rows: Vec<&ControlResult> = dossier
        .assessment
        .controls
        .iter()
        .filter(|control| wanting.contains(&control.status))
        .collect();
    if rows.is_empty() {
        return html! { p { "Nothing: every control that applies is effective." } };
    }
    rows.sort_by_key(|control| {
        (
            control.status,
            Reverse(control.severity),
            control.control.clone(),
            control.arrangement_id.clone(),
        )
    });
    let with_money = rows.iter().any(|control| !at_stake(dossier, control).is_empty());
    let mut heads = vec![
        ("What should hold", Set::Text),
        ("Arrangement", Set::Text),
        ("Status", Set::Text),
        ("Severity", Set::Text),
        ("Why it does not", Set::Wide),
    ];
    if with_money {
        heads.push(("At stake", Set::Figure));
    }
    let caption = html! { "Controls that are deficient, untested or stale: the worst status first, then the highest severity" };
    let mut sheet = Sheet::new(caption, &heads);
    for control in rows.iter().take(SHOWN) {
        sheet.row(Row::of(line(dossier, control, with_money)));
    }
    html! {
        (sheet.render())
        @if rows.len() > SHOWN {
            p { "And " (text::counted((rows.len() - SHOWN) as u64, "more")) ": see " a href="#posture" { "Posture" } "." }
        }
        @if !with_money {
            p.quiet { "No control of this assessment puts an amount of money at stake." }
        }
    }
}

fn at_stake(dossier: &Dossier<'_>, control: &ControlResult) -> Vec<Amount> {
    dossier.assessment.at_stake(&control.control, &control.arrangement_id)
}

fn line(dossier: &Dossier<'_>, control: &ControlResult, with_money: bool) -> Vec<Markup> {
    let findings: Vec<_> = dossier
        .assessment
        .findings
        .iter()
        .filter(|f| f.control == control.control && f.arrangement_id == control.arrangement_id)
        .collect();
    let anchor = text::anchor("findings", &[&control.control, &control.arrangement_id]);
    let mut subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
    subjects.dedup();
    let mut cells = vec![
        html! { a href={ "#" (result_anchor(control)) } { (text::title(&control.title)) } },
        text::name(&control.arrangement_id),
        status::status(control.status),
        html! { (severity(control)) },
        html! {
            (text::told(&control.reason))
            @if !findings.is_empty() {
                ": " a href={ "#" (anchor) } {
                    @for (n, subject) in subjects.iter().take(3).enumerate() { @if n > 0 { ", " } (text::name(subject)) }
                    @if subjects.len() > 3 { " and " (text::number((subjects.len() - 3) as u64)) " more" }
                }
            }
            ". " a.nowrap href={ "#" (text::anchor("remedy", &[&control.control])) } { "What to do" }
        },
    ];
    if with_money {
        cells.push(amounts(&at_stake(dossier, control)));
    }
    cells
}

/// Amounts, one a line.
pub(super) fn amounts(amounts: &[Amount]) -> Markup {
    html! { @for amount in amounts { span.nowrap { (figure::money(amount.minor, amount.places)) " " (text::plain(&amount.currency)) } " " } }
}

/// The severity as a word.
pub(super) fn severity(control: &ControlResult) -> &'static str {
    use backstay_engine::catalogue::Severity;
    match control.severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}
