//! One table: of evidence with its columns as the vocabulary defines them, or worked out from others; and
//! who reads it.

use backstay_desk::{catalogue::derived, register};
use backstay_evidence::vocabulary::{Column, ColumnType, Scope, Table, TableKind};
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{all_reads, control_path, table_path, tables};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    page::frame,
    problem::ProblemError,
};

/// The table.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let name = asked.part("table");
    let crumbs = frame::crumbs(&[("/catalogue#tables".to_owned(), html! { "Catalogue" })]);
    if let Some(table) = asked.server.workspace.vocabulary().table(name) {
        let body = html! { (crumbs) (of_vocabulary(asked, table)) (readers(asked, name)?) };
        return Ok(Answer::page(table.title.clone(), body));
    }
    let all = derived();
    if let Some(table) = all.iter().find(|table| table.name == name) {
        let from: Vec<String> = table.reads.iter().map(|name| (*name).to_owned()).collect();
        let rows = table
            .columns
            .iter()
            .map(|(name, kind)| vec![html! { code { (name) } }, html! { (kind) }]);
        let heads = [("Column", Set::Text), ("Type", Set::Wide)];
        let body = html! {
            (crumbs)
            p.lead { (piece::sentence(table.about)) }
            dl.facts { div { dt { "Worked out from" } dd { (tables(asked, &from)) } } div { dt { "Kept" } dd { "never: it is worked out again when somebody reads it" } } }
            (piece::table(html! { "Columns" }, &heads, rows.collect()))
            (readers(asked, name)?)
        };
        return Ok(Answer::page(table.name, body));
    }
    if name == backstay_engine::derive::MEASUREMENT {
        let body = html! {
            (crumbs)
            p.lead { "Service levels as measured: numerator, denominator, what was left out and what could not be judged, for each window, summed from the rows of the " a href="/catalogue#metrics" { "metrics" } "." }
            (readers(asked, name)?)
        };
        return Ok(Answer::page("measurement", body));
    }
    Err(ProblemError::nothing("table"))
}

fn of_vocabulary(asked: &Asked<'_>, table: &Table) -> Markup {
    let heads = [
        ("Column", Set::Text),
        ("Type", Set::Text),
        ("Required", Set::Text),
        ("Privacy", Set::Text),
        ("What it holds", Set::Wide),
    ];
    let rows = register::columns(table).map(|column| {
        vec![
            html! { code { (column.name) } @if let Some(unit) = &column.unit { span.sub { (unit) } } },
            kind(column),
            html! { @if column.required { "required" } },
            html! { (format!("{:?}", column.privacy).to_lowercase()) },
            html! {
                (piece::sentence(&column.about))
                @if !column.values.is_empty() { span.sub { "One of: " (column.values.join(", ")) } }
                @if let Some(example) = &column.example { span.sub { "Example: " (example) } }
            },
        ]
    });
    let is_register = register::table(&asked.server.workspace, &table.name).is_some();
    html! {
        p.lead { (piece::sentence(&table.about)) }
        dl.facts {
            div { dt { "Table" } dd { code { (table.name) } } }
            div { dt { "Kind" } dd { @match table.kind {
                TableKind::Event => { "events: something that happened once" }
                TableKind::Register => { "register: a fact that holds until another takes its place" }
            } } }
            div { dt { "Belongs to" } dd { @match table.scope { Scope::Shared => { "all arrangements" } Scope::Arrangement => { "one arrangement" } } } }
            div { dt { "A row is known by" } dd { (table.identity.join(", ")) @if table.has_validity() && !table.identity.iter().any(|name| name == "valid_from") { ", valid_from" } } }
            div { dt { "A file to fill in" } dd { code { "backstay vocabulary template " (table.name) } } }
            @if is_register { div { dt { "Its rows" } dd { a href={ "/registers/" (segment(&table.name)) } { "Register" } } } }
        }
        (piece::table(html! { "Columns" }, &heads, rows.collect()))
    }
}

/// The type of a column; a reference leads to its table.
fn kind(column: &Column) -> Markup {
    let word = match column.kind {
        ColumnType::Text if column.list => "texts, separated by |",
        ColumnType::Text => "text",
        ColumnType::Integer => "whole number",
        ColumnType::Decimal => "decimal",
        ColumnType::Money => "amount with currency",
        ColumnType::Instant => "instant with offset",
        ColumnType::Date => "date",
        ColumnType::Duration => "length of time",
        ColumnType::Boolean => "yes or no",
        ColumnType::Country => "country",
        ColumnType::Currency => "currency",
        ColumnType::LanguageLevel => "language level",
        ColumnType::Enumeration => "one of several",
        ColumnType::Reference => "reference to ",
        ColumnType::Person => "person, as a pseudonym",
        ColumnType::Attributes => "whatever else the source holds",
    };
    html! { (word) @if let Some(to) = &column.to { a href=(table_path(to)) { (to) } } }
}

/// The controls, metrics and derived tables that read a table.
fn readers(asked: &Asked<'_>, name: &str) -> Result<Markup, ProblemError> {
    let catalogue = &asked.server.catalogue;
    let all = all_reads(asked)?;
    let reading = |id: &str| all.get(id).is_some_and(|names| names.contains(name));
    let controls: Vec<_> =
        catalogue.controls().into_iter().filter(|control| reading(&control.id)).collect();
    let metrics: Vec<_> = catalogue.metrics().filter(|metric| reading(&metric.id)).collect();
    let derived: Vec<_> = derived().into_iter().filter(|one| one.reads.contains(&name)).collect();
    Ok(html! {
        @if !(controls.is_empty() && metrics.is_empty() && derived.is_empty()) {
            h2 { "Who reads it" }
            ul {
                @for control in &controls { li { "control " a href=(control_path(&control.id)) { (piece::title(&control.title)) } } }
                @for metric in &metrics { li { "metric " a href={ "/catalogue/metrics/" (segment(&metric.id)) } { (piece::title(&metric.title)) } } }
                @for table in &derived { li { "table " a href=(table_path(table.name)) { code { (table.name) } } } }
            }
        }
    })
}
