//! Where each control stands in each arrangement, under its risk with the worst word.

use std::collections::BTreeSet;

use backstay_engine::{
    Status,
    assessment::{ControlResult, RiskResult},
};
use maud::{Markup, html};

use super::{
    Dossier,
    sheet::{Row, Set, Sheet},
    status, text,
};

/// Arrangements side by side in one table.
const ACROSS: usize = 6;

/// Anchor of a control in an arrangement.
pub(super) fn result_anchor(control: &ControlResult) -> String {
    text::anchor("result", &[&control.control, &control.arrangement_id])
}

/// Tables of risks and controls by arrangement.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let controls = &dossier.assessment.controls;
    if controls.is_empty() {
        return html! {
            p { "No control could be tested. Import evidence first: the register "
                code { "arrangement" } " and the work events of one arrangement are a beginning." }
        };
    }
    let ids: BTreeSet<&str> =
        controls.iter().map(|control| control.arrangement_id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let tested: BTreeSet<&str> = controls.iter().map(|control| control.risk.as_str()).collect();
    let untold: Vec<&RiskResult> = dossier
        .assessment
        .risks
        .iter()
        .filter(|risk| !tested.contains(risk.risk.as_str()))
        .collect();
    let chunks = ids.chunks(ACROSS).count();
    html! {
        @for (n, chunk) in ids.chunks(ACROSS).enumerate() {
            (table(dossier, chunk, (n + 1, chunks)))
        }
        @if !untold.is_empty() {
            p { "No control of this catalogue tests: "
                @for (n, risk) in untold.iter().enumerate() { @if n > 0 { ", " } (text::title(&risk.title)) }
                "." }
        }
    }
}

fn table(dossier: &Dossier<'_>, ids: &[&str], (part, parts): (usize, usize)) -> Markup {
    let mut heads = vec![("Risk and control", Set::Wide)];
    let names: Vec<String> = ids.iter().map(|id| text::plain(id)).collect();
    heads.extend(names.iter().map(|name| (name.as_str(), Set::Text)));
    let caption = html! {
        "Status of each control by arrangement; a risk shows its worst word and how many controls are effective"
        @if parts > 1 { " (part " (part) " of " (parts) ")" }
    };
    let mut sheet = Sheet::new(caption, &heads);
    let controls = &dossier.assessment.controls;
    for risk in &dossier.assessment.risks {
        let own: Vec<&ControlResult> =
            controls.iter().filter(|control| control.risk == risk.risk).collect();
        if own.is_empty() {
            continue;
        }
        let mut cells = vec![html! { (text::title(&risk.title)) }];
        cells.extend(ids.iter().map(|id| worst(&own, id)));
        sheet.row(Row { id: Some(text::anchor("risk", &[&risk.risk])), group: true, cells });
        for control in in_order(&own) {
            let title = html! {
                a href={ "#" (text::anchor("control", &[&control.control])) } { (text::title(&control.title)) }
            };
            let mut cells = vec![title];
            for id in ids {
                let found =
                    own.iter().find(|c| c.control == control.control && c.arrangement_id == **id);
                cells.push(match found {
                    Some(found) => html! { a.quietlink href={ "#" (result_anchor(found)) } { (status::status(found.status)) } },
                    None => html! { span.quiet { "not tested" } },
                });
            }
            sheet.row(Row::of(cells));
        }
    }
    sheet.render()
}

/// The worst status of a risk in one arrangement, and how many of its controls are effective.
fn worst(controls: &[&ControlResult], arrangement: &str) -> Markup {
    let own: Vec<&&ControlResult> =
        controls.iter().filter(|control| control.arrangement_id == arrangement).collect();
    let effective = own.iter().filter(|control| control.status == Status::Effective).count();
    let Some(worst) = own.iter().map(|control| control.status).min() else {
        return html! { span.quiet { "not tested" } };
    };
    html! { (status::status(worst)) span.sub { (effective) " of " (own.len()) " effective" } }
}

/// One result of each control, in the order in which they come.
pub(super) fn in_order<'a>(controls: &[&'a ControlResult]) -> Vec<&'a ControlResult> {
    let mut found: Vec<&ControlResult> = Vec::new();
    for control in controls {
        if !found.iter().any(|known| known.control == control.control) {
            found.push(control);
        }
    }
    found
}
