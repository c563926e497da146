//! The head of the page: who, what, when, in one sentence and a few facts; the style and the policy
//! that forbids every request. The style is known to the policy by its digest.

use std::collections::BTreeMap;

use backstay_engine::Status;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{
    Dossier,
    sheet::{Row, Set, Sheet},
    text,
};

/// The style of the page.
pub(super) const STYLE: &str = include_str!("style.css");

/// The content security policy: nothing is loaded, sent or run; only our own style counts.
fn policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

/// A whole document around its body.
pub(super) fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// Distinct names, in order of first appearance.
fn distinct<'a>(names: impl Iterator<Item = Option<&'a String>>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names.flatten() {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all
}

/// Names with commas and a last "and"; a long list is cut.
fn listed(names: &[&str], shown: usize) -> String {
    let kept: Vec<String> = names.iter().take(shown).map(|name| text::plain(name)).collect();
    match (kept.as_slice(), names.len().saturating_sub(shown)) {
        ([], _) => "not registered".to_owned(),
        ([one], 0) => one.clone(),
        ([head @ .., last], 0) => format!("{} and {last}", head.join(", ")),
        (kept, more) => format!("{} and {}", kept.join(", "), text::counted(more as u64, "other")),
    }
}

/// The title of the page.
pub(super) fn title(dossier: &Dossier<'_>) -> String {
    let clients = distinct(dossier.parties.iter().map(|party| party.client.as_ref()));
    let whose =
        if clients.is_empty() { String::new() } else { format!("{}, ", listed(&clients, 1)) };
    format!("Control assessment: {whose}{}", text::period(dossier.assessment.basis.period))
}

/// Title, facts, summary, arrangements.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let basis = &dossier.assessment.basis;
    let clients = distinct(dossier.parties.iter().map(|party| party.client.as_ref()));
    let providers = distinct(dossier.parties.iter().map(|party| party.provider.as_ref()));
    html! {
        header.front {
            p.kicker { "Control assessment of outsourced work" }
            h1 {
                @if !clients.is_empty() { bdi { (listed(&clients, 2)) } ": " }
                (text::period(basis.period))
            }
            p.lead { (summary(dossier)) }
            dl.facts {
                div { dt { "Client" } dd { bdi { (listed(&clients, 4)) } } }
                div { dt { @if providers.len() == 1 { "Provider" } @else { "Providers" } } dd { bdi { (listed(&providers, 8)) } } }
                div { dt { "Period" } dd { (text::period(basis.period)) ", in each arrangement’s own zone" } }
                div { dt { "Looked at as of" } dd { (text::instant_of(&basis.as_of)) } }
                div { dt { "Evidence" } dd { "as known at " a href="#basis" { "ledger entry " (dossier.known_at) } } }
                @if let Some(kept) = &dossier.kept {
                    div { dt { "Prepared" } dd { (text::instant(kept.recorded_at_us)) " by " (text::name(&kept.actor)) ", kept as " a href="#basis" { "ledger entry " (kept.entry) } } }
                }
            }
        }
        (arrangements(dossier))
    }
}

/// Controls by status in one sentence.
fn summary(dossier: &Dossier<'_>) -> Markup {
    let controls = &dossier.assessment.controls;
    let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
    for control in controls {
        *counts.entry(control.status).or_default() += 1;
    }
    if controls.is_empty() {
        return html! { "No control could be tested: there is no evidence, or no control." };
    }
    let arrangements = text::counted(dossier.parties.len() as u64, "arrangement");
    let told: Vec<String> = Status::ALL
        .iter()
        .filter_map(|status| {
            counts.get(status).map(|n| format!("{} {}", text::number(*n), status.word()))
        })
        .collect();
    html! {
        (text::counted(controls.len() as u64, "test")) " of controls in " (arrangements) ": "
        @for (n, told) in told.iter().enumerate() {
            @if n > 0 { @if n + 1 == counts.len() { " and " } @else { ", " } }
            strong { (told) }
        }
        ". " a href="#words" { "What the words mean" } "."
    }
}

fn arrangements(dossier: &Dossier<'_>) -> Markup {
    let heads = [
        ("Arrangement", Set::Text),
        ("What is outsourced", Set::Wide),
        ("Provider", Set::Text),
        ("Days counted in", Set::Text),
    ];
    let mut sheet = Sheet::new(html! { "Arrangements in this report" }, &heads);
    let or_unknown = |value: &Option<String>| match value {
        Some(value) => text::name(value),
        None => html! { span.quiet { "not registered" } },
    };
    for party in dossier.parties.iter() {
        sheet.row(Row::at(
            text::anchor("arrangement", &[&party.arrangement_id]),
            vec![
                text::name(&party.arrangement_id),
                or_unknown(&party.title),
                or_unknown(&party.provider),
                or_unknown(&party.zone),
            ],
        ));
    }
    html! { @if !sheet.is_empty() { (sheet.render()) } }
}
