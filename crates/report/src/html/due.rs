//! Cases that were open at the instant looked at: how many stand where, and those whose time runs out.
//! Owns which of them are named; it must never work out a deadline.

use std::collections::BTreeMap;

use backstay_engine::{DueCase, panel::Panels};
use maud::{Markup, html};

use super::{
    Dossier, Links, level, part,
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::due::signed_span;

/// Cases named of one arrangement.
const SHOWN: usize = 12;

/// All arrangements with open cases.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let (some, none): (Vec<&Panels>, Vec<&Panels>) =
        dossier.panels.iter().partition(|panels| !panels.due.is_empty());
    html! {
        @if let Some(first) = dossier.panels.first() {
            p { "Open as of " (text::instant(first.as_of_us))
                @if dossier.panels.iter().any(|panels| panels.as_of_us != first.as_of_us) { ", or the same day’s end in the arrangement’s zone" }
                ". A case counts once under each service level that measures it; a deadline holds as if the clock ran on from then. "
                code { "backstay warn" } " gives the same as of now, and can be run every hour." }
        }
        @for panels in some { (one(dossier, links, panels)) }
        @if !none.is_empty() {
            p { "Nothing was open under a service level with a time limit: "
                @for (n, panels) in none.iter().enumerate() { @if n > 0 { ", " } (text::name(&panels.arrangement_id)) }
                "." }
        }
    }
}

fn one(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    let arrangement = panels.arrangement_id.as_str();
    html! {
        h3 { (text::name(arrangement)) (level::what(dossier, arrangement)) }
        (cases(dossier, links, panels, None))
    }
}

/// The open cases of an arrangement; `level`: under this service level only.
pub(super) fn cases(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    panels: &Panels,
    level: Option<&str>,
) -> Markup {
    let arrangement = panels.arrangement_id.as_str();
    let own = panels.due.iter().filter(|case| level.is_none_or(|id| case.service_level == id));
    let own: Vec<&DueCase> = own.collect();
    let mut pressing: Vec<&DueCase> =
        own.iter().copied().filter(|case| case.standing != "open").collect();
    // What can still be saved comes first, then what ran out last.
    pressing.sort_by_key(|case| {
        let rank = match case.standing.as_str() {
            "warn" => 0,
            "overdue" => 1,
            _ => 2,
        };
        let left = case.left_us.unwrap_or(i64::MAX);
        (rank, if rank == 1 { left.saturating_neg() } else { left }, case.case_id.clone())
    });
    let sql = "SELECT * FROM due_soon WHERE standing <> 'open' ORDER BY due_at, case_id";
    html! {
        (summary(links, arrangement, &own))
        @if !links.0.names_cases() {}
        @else if pressing.is_empty() { p.basis { "No warning was due." } }
        @else {
            (table(dossier, links, arrangement, &pressing))
            (part::rest(links, pressing.len().saturating_sub(links.shown(SHOWN)), "case", &part::query(dossier, arrangement, sql)))
        }
    }
}

/// Open cases by service level and standing.
fn summary(links: &Links<'_>, arrangement: &str, due: &[&DueCase]) -> Markup {
    let mut levels: BTreeMap<&str, Vec<&DueCase>> = BTreeMap::new();
    for case in due {
        levels.entry(&case.service_level).or_default().push(case);
    }
    let heads = [
        ("Service level", Set::Text),
        ("Open", Set::Figure),
        ("Warn", Set::Figure),
        ("Overdue", Set::Figure),
        ("Unclear", Set::Figure),
    ];
    let caption = html! { span.only-read { "Open cases of " (text::name(arrangement)) } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    for (id, cases) in levels {
        let count = |word: &str| {
            let number = cases.iter().filter(|case| case.standing == word).count();
            html! { (text::number(number as u64)) }
        };
        sheet.row(Row::of(vec![
            links.level(arrangement, id),
            html! { (text::number(cases.len() as u64)) },
            count("warn"),
            count("overdue"),
            count("gap"),
        ]));
    }
    sheet.render()
}

fn table(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    cases: &[&DueCase],
) -> Markup {
    let with_priority = cases.iter().take(links.shown(SHOWN)).any(|case| case.priority.is_some());
    let mut heads = vec![("Case", Set::Text), ("Service level", Set::Text)];
    if with_priority {
        heads.push(("Priority", Set::Text));
    }
    heads.extend([
        ("With", Set::Text),
        ("Left", Set::Figure),
        ("Of", Set::Figure),
        ("Due", Set::Text),
        ("Standing", Set::Wide),
        ("Row", Set::Text),
    ]);
    let caption =
        html! { "Cases whose time runs out, then those whose time ran out, the latest first" };
    let mut sheet = Sheet::new(caption, &heads);
    let zone = dossier.zone(arrangement);
    for case in cases.iter().take(links.shown(SHOWN)) {
        let span = |us: Option<i64>| us.map(signed_span).unwrap_or_default();
        let with = case.team_id.as_deref().or(case.site_id.as_deref()).unwrap_or_default();
        let mut cells = vec![
            links.case(arrangement, &case.service_level, &case.case_id),
            text::name(&case.service_level),
        ];
        if with_priority {
            cells.push(html! { (text::plain(case.priority.as_deref().unwrap_or_default())) });
        }
        cells.extend([
            html! { (text::plain(with)) },
            html! { (span(case.left_us)) },
            html! { (span(case.threshold_us.filter(|us| *us < i64::MAX))) },
            html! { @if let Some(due) = &case.due_at { @let set = text::local_of(due, zone); span.nowrap { (set) (links.beneath_of(due, &set)) } } },
            html! {
                (status::standing(&case.standing))
                @if let Some(gap) = &case.gap { span.sub { (text::told(gap)) } }
                @if case.incomplete { span.sub { "rows of the case are in quarantine" } }
            },
            html! { @if let Some(row) = &case.evidence { (links.reference(row)) } },
        ]);
        sheet.row(Row::of(cells));
    }
    html! { (sheet.render()) }
}
