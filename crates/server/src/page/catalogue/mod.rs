//! The catalogue to read: risks with their controls, metrics, and the tables that they are computed from.
//! It holds no evidence; where a control stands is asked of the figures that the asker may see.

pub mod control;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use backstay_desk::catalogue::{derived, reads};
use backstay_engine::catalogue::Severity;
use backstay_evidence::vocabulary::TableKind;
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use crate::{
    answer::Answer,
    asked::{Asked, segment},
    problem::ProblemError,
};

/// Which table each control and metric reads.
///
/// # Errors
/// A machine that gives no threads.
pub fn all_reads<'a>(
    asked: &Asked<'a>,
) -> Result<&'a BTreeMap<String, BTreeSet<String>>, ProblemError> {
    let server = asked.server;
    if let Some(known) = server.kept.reads.get() {
        return Ok(known);
    }
    let found = reads(server.workspace.vocabulary(), &server.catalogue)?;
    Ok(server.kept.reads.get_or_init(|| found))
}

/// A severity in a word.
pub fn severity_word(of: Severity) -> &'static str {
    match of {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// Where a control is explained.
pub fn control_path(id: &str) -> String {
    format!("/catalogue/controls/{}", segment(id))
}

/// Where a table is explained.
pub fn table_path(name: &str) -> String {
    format!("/catalogue/tables/{}", segment(name))
}

/// Tables, as links; those that the store keeps for itself have no page.
pub fn tables<'t>(asked: &Asked<'_>, names: impl IntoIterator<Item = &'t String>) -> Markup {
    let vocabulary = asked.server.workspace.vocabulary();
    let known = |name: &str| {
        vocabulary.table(name).is_some()
            || name == backstay_engine::derive::MEASUREMENT
            || derived().iter().any(|table| table.name == name)
    };
    html! {
        @for (n, name) in names.into_iter().enumerate() {
            @if n > 0 { ", " }
            @if known(name) { a href=(table_path(name)) { code { (name) } } } @else { code { (name) } }
        }
    }
}

/// What there is.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let catalogue = &asked.server.catalogue;
    let body = html! {
        p.lead { "How every number comes about: the controls under their risks, the metrics of service levels, and the tables that both are computed from." }
        p { a href="#metrics" { "Metrics" } " · " a href="#tables" { "Tables of evidence" } " · " a href="#derived" { "Tables worked out from them" } }
        @for risk in catalogue.risks() { (controls(asked, &risk.id, &risk.title)) }
        h2 #metrics { "Metrics" }
        (metrics(asked))
        h2 #tables { "Tables of evidence" }
        (evidence_tables(asked))
        h2 #derived { "Tables worked out from them" }
        (derived_tables(asked))
    };
    Ok(Answer::page("Catalogue", body))
}

fn controls(asked: &Asked<'_>, risk: &str, title: &str) -> Markup {
    let heads = [("Control", Set::Wide), ("Severity", Set::Text), ("File", Set::Text)];
    let all = asked.server.catalogue.controls();
    let rows = all.iter().filter(|control| control.risk == risk).map(|control| {
        vec![
            html! { a href=(control_path(&control.id)) { (piece::title(&control.title)) } span.sub { (piece::name(&control.id)) } },
            html! { (severity_word(control.severity)) },
            html! { code { (piece::name(&control.file)) } },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let risk = html! { a href={ "/catalogue/risks/" (segment(risk)) } { (piece::title(title)) } };
    html! { @if rows.is_empty() { p { (risk) ": no control yet" } } @else { (piece::table(risk, &heads, rows)) } }
}

fn metrics(asked: &Asked<'_>) -> Markup {
    let heads = [("Metric", Set::Wide), ("Value", Set::Text), ("File", Set::Text)];
    let rows = asked.server.catalogue.metrics().map(|metric| {
        vec![
            html! { a href={ "/catalogue/metrics/" (segment(&metric.id)) } { (piece::title(&metric.title)) } span.sub { (piece::name(&metric.id)) } },
            html! { (metric.value.as_str()) },
            html! { code { (piece::name(&metric.file)) } },
        ]
    });
    piece::table(html! { "What a service level may be measured by" }, &heads, rows.collect())
}

fn evidence_tables(asked: &Asked<'_>) -> Markup {
    let heads = [
        ("Table", Set::Text),
        ("Kind", Set::Text),
        ("Columns", Set::Figure),
        ("What a row says", Set::Wide),
    ];
    let rows = asked.server.workspace.vocabulary().tables().map(|table| {
        vec![
            html! { a href=(table_path(&table.name)) { (piece::title(&table.title)) } span.sub { (table.name) } },
            html! { @match table.kind { TableKind::Event => { "events" } TableKind::Register => { "register" } } },
            html! { (table.columns.iter().filter(|column| !column.retired).count()) },
            piece::title(&table.about),
        ]
    });
    piece::table(html! { "Filled by imports, and registers also by hand" }, &heads, rows.collect())
}

fn derived_tables(asked: &Asked<'_>) -> Markup {
    let heads = [("Table", Set::Text), ("What a row says", Set::Wide), ("From", Set::Wide)];
    let rows = derived().into_iter().map(|table| {
        let from: Vec<String> = table.reads.iter().map(|name| (*name).to_owned()).collect();
        vec![
            html! { a href=(table_path(table.name)) { code { (table.name) } } },
            piece::title(table.about),
            tables(asked, &from),
        ]
    });
    piece::table(html! { "Once for all who read them; never kept" }, &heads, rows.collect())
}
