//! Service credits: what is owed for the period and how it was reckoned, and the months before. Owns the
//! order in which that is told; it must never reckon an amount.

use backstay_engine::{
    assessment::Amount,
    credit_note::NoteMonth,
    panel::{CreditMonth, CreditPanel, Panels, amount},
};
use maud::{Markup, html};

use super::{
    Dossier, Links, level, part,
    sheet::{Row, Set, Sheet},
    text,
};
use crate::{credit, figure};

/// The control that they are about.
pub(super) const CONTROL: &str = "credits-taken";
/// References shown of one line.
const REFS_SHOWN: usize = 4;

/// All arrangements with a scheme; the others in a line each.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let (some, none): (Vec<&Panels>, Vec<&Panels>) =
        dossier.panels.iter().partition(|panels| !panels.credits.months.is_empty());
    html! {
        @for panels in some {
            h3 { (text::name(&panels.arrangement_id)) (level::what(dossier, &panels.arrangement_id)) " "
                (part::status_of(dossier, links, &panels.arrangement_id, CONTROL)) }
            (one(dossier, links, &panels.arrangement_id, &panels.credits))
        }
        @for panels in none {
            h3 { (text::name(&panels.arrangement_id)) (level::what(dossier, &panels.arrangement_id)) }
            (no_scheme(dossier, links, panels))
        }
    }
}

/// The credits of one arrangement.
pub(super) fn of_arrangement(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    let credits = &panels.credits;
    if credits.months.is_empty() {
        return no_scheme(dossier, links, panels);
    }
    html! {
        (part::head(dossier, links, &panels.arrangement_id, CONTROL, "What is owed"))
        (one(dossier, links, &panels.arrangement_id, credits))
    }
}

/// Why nothing is reckoned, and what to bring.
fn no_scheme(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    html! {
        p { "No scheme of service credits is registered, so nothing is reckoned. A contract with credits becomes rows of "
            code { "credit_scheme" } ", " code { "credit_term" } " and " code { "charge" }
            "; that a contract has none is a row with the model " code { "none" } ". "
            @if part::result(dossier, &panels.arrangement_id, CONTROL).is_some() {
                "Control: " (part::status_of(dossier, links, &panels.arrangement_id, CONTROL)) "."
            } }
    }
}

fn one(dossier: &Dossier<'_>, links: &Links<'_>, arrangement: &str, panel: &CreditPanel) -> Markup {
    let noted = panel.note.iter().flat_map(|note| &note.months);
    let missed = panel.note.as_ref().map_or(0, |note| note.cases.len());
    html! {
        @for month in noted {
            (sentence(links, month))
            (levels(links, arrangement, month))
        }
        @if missed > 0 && !links.0.stands_alone() {
            p.basis { (text::counted(missed as u64, "missed case")) " behind it, each with its deadline and record: "
                code { "backstay credits " (text::plain(arrangement)) " --period " (crate::words::period(dossier.assessment.basis.period)) " --html note.html" } }
        }
        @if panel.months.iter().any(|month| month.model != "none") { (months(links, arrangement, &panel.months)) }
    }
}

/// The month in one sentence.
pub(super) fn sentence(links: &Links<'_>, month: &NoteMonth) -> Markup {
    html! {
        p { strong { (text::plain(&month.month)) } ": " (text::told(&credit::total(month))) ". "
            span.quiet { "Rows: " (links.some(&month.evidence, REFS_SHOWN)) } }
    }
}

/// How the credit of each service level was reckoned.
pub(super) fn levels(links: &Links<'_>, arrangement: &str, month: &NoteMonth) -> Markup {
    if month.levels.is_empty() {
        return Markup::default();
    }
    let unit = month.currency.as_deref().map(|code| format!(", {}", text::plain(code)));
    let unit = unit.unwrap_or_default();
    let (raw, given) = (format!("By the formula{unit}"), format!("After caps{unit}"));
    let heads = [
        ("Service level", Set::Text),
        ("Attained", Set::Figure),
        ("Expected", Set::Figure),
        (raw.as_str(), Set::Figure),
        (given.as_str(), Set::Figure),
        ("Earn-back", Set::Text),
        ("How", Set::Wide),
        ("Rows", Set::Text),
    ];
    let caption = html! { "Credits of " (text::plain(&month.month)) " by service level" };
    let mut sheet = Sheet::new(caption, &heads);
    let share = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        figure::percent_of_share(text, 2).unwrap_or_default()
    };
    let bare = |minor| money(amount(minor, month.currency.as_deref()).as_ref());
    for level in &month.levels {
        sheet.row(Row::of(vec![
            html! {
                (links.level(arrangement, &level.service_level))
                @if !level.title.is_empty() { span.sub { (text::title(&level.title)) } }
            },
            html! { (share(&level.attained)) },
            html! { (share(&level.expected)) },
            bare(level.raw_minor),
            bare(level.credit_minor),
            html! { (earn_back(level.earn_back)) },
            text::told(&level.explanation),
            links.some(&level.evidence, REFS_SHOWN),
        ]));
    }
    sheet.render()
}

fn earn_back(word: &str) -> &str {
    match word {
        "open" => "still possible",
        "returned" => "returned",
        "kept" => "not earned back",
        "unknown" => "not known",
        _ => "none",
    }
}

/// An amount, or a dash.
fn money(amount: Option<&Amount>) -> Markup {
    match amount {
        Some(amount) => html! { span.nowrap { (figure::money(amount.minor, amount.places)) } },
        None => html! { "–" },
    }
}

/// The months since the scheme began, at most a year.
fn months(links: &Links<'_>, arrangement: &str, months: &[CreditMonth]) -> Markup {
    let currencies: Vec<&str> = months
        .iter()
        .flat_map(|month| [&month.charge, &month.owed].into_iter().flatten())
        .map(|amount| amount.currency.as_str())
        .collect();
    let one = currencies.first().filter(|first| currencies.iter().all(|code| code == *first));
    let heads = [
        ("Month", Set::Text),
        ("Charged", Set::Figure),
        ("By the formula", Set::Figure),
        ("Cap of the month", Set::Figure),
        ("Cap of the year", Set::Figure),
        ("Credit", Set::Figure),
        ("Earned back", Set::Figure),
        ("Owed", Set::Figure),
        ("On documents", Set::Figure),
        ("Standing", Set::Wide),
    ];
    let caption = html! { "Service credits of " (text::name(arrangement)) " by month"
    @if let Some(code) = one { ", " (text::plain(code)) } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    for month in months {
        sheet.row(Row::of(vec![
            html! { span.nowrap { (month.month.strftime("%Y-%m").to_string()) } @if one.is_none() { span.sub { (currency(month)) } } },
            money(month.charge.as_ref()),
            money(month.raw.as_ref()),
            money(month.month_cap.as_ref()),
            money(month.year_cap.as_ref()),
            money(month.credit.as_ref()),
            money(month.earned_back.as_ref()),
            html! { strong { (money(month.owed.as_ref())) } },
            money(month.taken.as_ref()),
            html! { (standing(month)) @if let Some(row) = &month.record { " " (links.reference(row)) } },
        ]));
    }
    sheet.render()
}

fn currency(month: &CreditMonth) -> String {
    month.charge.as_ref().map(|amount| text::plain(&amount.currency)).unwrap_or_default()
}

fn standing(month: &CreditMonth) -> Markup {
    let short = |amount: &Option<Amount>| amount.as_ref().map_or(0, |amount| amount.minor);
    let due = month.due_before.map(|day| format!("due before {day}")).unwrap_or_default();
    html! {
        @if month.model == "none" { "the contract has no credits" }
        @else if let Some(gap) = &month.gap { (text::told(gap)) }
        @else if short(&month.owed) == 0 { "nothing owed" }
        @else if short(&month.taken) >= short(&month.owed) { "taken" }
        @else if month.is_due { strong { "not taken in full" } ", " (due) }
        @else { "not taken yet, " (due) }
    }
}
