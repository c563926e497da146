//! What stands around every page: head, bar, the period and the instant it is of; and the page of a
//! problem.

use std::sync::OnceLock;

use backstay_access::{Action, Authority, Resource};
use backstay_desk::period::written;
use backstay_engine::Period;
use backstay_report::html::piece;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest as _, Sha256};

use crate::{asked::Asked, problem::ProblemError};

/// The style sheet, and the digest under which it is served.
pub fn style() -> &'static (String, String) {
    static STYLE: OnceLock<(String, String)> = OnceLock::new();
    STYLE.get_or_init(|| {
        let text = format!("{}{}", piece::style(), include_str!("server.css"));
        let digest = hex::encode(Sha256::digest(text.as_bytes())).chars().take(16).collect();
        (text, digest)
    })
}

fn whole(title: &str, bar: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Backstay" }
                link rel="stylesheet" href={ "/style/" (style().1) ".css" };
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                (piece::shapes())
                (bar)
                main.sheetpage #main tabindex="-1" { h1 { (title) } (body) }
            }
        }
    };
    page.into_string()
}

/// A whole page.
pub fn page(asked: Option<&Asked<'_>>, title: &str, body: &Markup) -> String {
    whole(title, &bar(asked), body)
}

/// The page of a problem.
pub fn problem(asked: Option<&Asked<'_>>, error: &ProblemError) -> String {
    let body = html! {
        p.lead { (error.detail) }
        @if let Some(help) = &error.help { p { (help) } }
        p { a href="/" { "To the portfolio" } }
    };
    whole(error.title, &bar(asked), &body)
}

/// The field that ties a form to the page it stands on.
pub fn token(asked: &Asked<'_>) -> Markup {
    html! { input type="hidden" name="token" value=(asked.token()); }
}

fn bar(asked: Option<&Asked<'_>>) -> Markup {
    let signed_in = asked.and_then(|asked| asked.visitor.as_ref().map(|visitor| (asked, visitor)));
    html! {
        header.bar {
            nav aria-label="Backstay" {
                a.brand href="/" { "Backstay" }
                @if let Some((asked, visitor)) = signed_in {
                    (entry(asked, "/", "Portfolio"))
                    (entry(asked, "/assessments", "Assessments"))
                    @if rows(asked) { (entry(asked, "/registers", "Registers")) }
                    @if super::import::right::anywhere(asked) { (entry(asked, "/import", "Import")) }
                    @if reads_ledger(asked) { (entry(asked, "/ledger", "Ledger")) }
                    @else if asked.may(Action::CheckpointRead, &Resource::Workspace) { (entry(asked, "/ledger/checkpoints", "Ledger")) }
                    @if asked.may(Action::CatalogueRead, &Resource::Workspace) { (entry(asked, "/catalogue", "Catalogue")) }
                    @if queries(asked) { (entry(asked, "/sql", "SQL")) }
                    @if asked.may(Action::NameReveal, &Resource::PersonName { arrangement: None }) { (entry(asked, "/names", "Names")) }
                    @if asked.may(Action::AccountRead, &Resource::Workspace) { (entry(asked, "/people", "People")) }
                    form.find method="get" action="/search" role="search" { input name="q" type="search" aria-label="Search" placeholder="Search" maxlength="200"; }
                    span.last {
                        a href="/account" { (piece::name(&visitor.account.name)) }
                        form method="post" action="/sign-out" { (token(asked)) button.plain { "Sign out" } }
                    }
                }
            }
        }
    }
}

fn reads_ledger(asked: &Asked<'_>) -> bool {
    let some = |authority: &Authority<'_>| !authority.visible_for(Action::LedgerRead).is_empty();
    asked.may(Action::LedgerRead, &Resource::Workspace)
        || asked.authority.as_ref().is_some_and(some)
}

fn queries(asked: &Asked<'_>) -> bool {
    let some = |authority: &Authority<'_>| !authority.visible_for(Action::SqlQuery).is_empty();
    asked.authority.as_ref().is_some_and(some)
}

/// Whether somebody sees rows of anything.
fn rows(asked: &Asked<'_>) -> bool {
    let some = |authority: &Authority<'_>| {
        authority.ceiling(Action::EvidenceRead, None).is_some()
            || !authority.visible_for(Action::EvidenceRead).is_empty()
    };
    asked.authority.as_ref().is_some_and(some)
}

fn entry(asked: &Asked<'_>, path: &str, word: &str) -> Markup {
    let here = asked.call.path == path;
    html! { a href=(path) aria-current=[here.then_some("page")] { (word) } }
}

/// Where a page stands: links up, the nearest last.
pub fn crumbs(links: &[(String, Markup)]) -> Markup {
    html! {
        nav.crumbs aria-label="Where this is" {
            @for (n, (to, word)) in links.iter().enumerate() {
                @if n > 0 { " / " }
                a href=(to) { (word) }
            }
        }
    }
}

/// The period and the instant of a page, to be changed.
pub fn when(asked: &Asked<'_>, period: Option<Period>) -> Markup {
    let shown = asked.query("period").map(str::to_owned);
    let shown = shown
        .or_else(|| period.map(|period| written((period.first, period.after))))
        .unwrap_or_default();
    html! {
        form.when method="get" {
            div {
                label for="period" { "Period" }
                input #period name="period" value=(shown) placeholder="2026-10";
            }
            div {
                label for="as_of" { "As known at (entry, day or instant)" }
                input #as_of name="as_of" value=(asked.query("as_of").unwrap_or_default()) placeholder="now";
            }
            div {
                label for="zone" { "Times also in" }
                input #zone name="zone" value=(asked.query("zone").unwrap_or_default()) placeholder="UTC";
            }
            button { "Show" }
        }
    }
}

/// Links to the same as files: `path` is a list of the interface for machines.
pub fn saves(asked: &Asked<'_>, path: &str) -> Markup {
    let link = |format: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, text) in asked.call.query.iter().filter(|(_, text)| !text.is_empty()) {
            query.append_pair(name, text);
        }
        query.append_pair("format", format);
        format!("{path}?{}", query.finish())
    };
    html! {
        p.saves { "Save all as "
            a href=(link("csv")) { "CSV" } " · " a href=(link("xlsx")) { "XLSX" } " · " a href=(link("ndjson")) { "JSON Lines" }
        }
    }
}

/// References to rows, as links for those who may open them.
pub fn references(refs: &[String], total: u64, shown: usize, opens: bool) -> Markup {
    html! {
        @if total == 0 { "none" }
        @for (n, reference) in refs.iter().take(shown).enumerate() {
            @if n > 0 { " " }
            @if opens { a.ref href={ "/rows/" (crate::asked::segment(reference)) } { (reference) } }
            @else { span.ref { (reference) } }
        }
        @let told = u64::try_from(refs.len().min(shown)).unwrap_or(u64::MAX);
        @if told < total { " … " span.quiet { (total) " in all" } }
    }
}

/// What to do when nothing is there yet.
pub fn nothing_yet() -> Markup {
    html! {
        p.lead { "Nothing is here yet that is open to you." }
        p { "Import the register " code { "arrangement" } " first, then service levels, and the work events of one month: "
            code { "backstay import FILE" } ". Whoever should see an arrangement needs a grant on it." }
    }
}
