//! The rows of one register: searched, filtered, sorted, paged, as of any entry.

use std::collections::BTreeMap;

use backstay_access::Action;
use backstay_desk::register::{
    self, Sight,
    list::{Choice, Listed, is_exact, is_ordered, list},
};
use backstay_evidence::vocabulary::{Column, ColumnType, Scope, Table};
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{named, path, row_name, row_path, set, sight, value, with, words};
use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

/// Rows of a page.
const ROWS: usize = 50;
/// Columns beside the row's name, unless all are asked for.
const COLUMNS: usize = 8;
/// What the query calls the filter of a column.
const FILTER: &str = "f.";

/// A page of rows.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let seen = sight(asked, Action::EvidenceRead)?;
    let table = named(asked, &seen)?;
    let only = asked.query("arrangement").filter(|_| table.scope == Scope::Arrangement);
    let narrowed = match only {
        Some(id) if !seen.arrangements.contains_key(id) => {
            return Err(ProblemError::nothing("arrangement"));
        }
        Some(id) => seen.only(id),
        None => seen.clone(),
    };
    let page: usize = asked.query("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
    let sort = asked.query("sort").map(|name| (name, asked.query("down").is_some()));
    let filters = asked
        .call
        .query
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix(FILTER)?, text.as_str())));
    let choice = Choice {
        as_of: asked.query("as_of"),
        search: asked.query("q"),
        filters: filters.collect(),
        sort,
        skip: page.saturating_sub(1).saturating_mul(ROWS),
        most: ROWS,
    };
    let listed = list(&asked.server.workspace, table, &choice, &narrowed)?;
    let edits = sight(asked, Action::RegisterEdit)?;
    let enters = match only {
        Some(id) => edits.of(id).is_some(),
        None => edits.most(table).is_some(),
    };
    let fresh = only.map(|id| ("arrangement", id));
    let fresh = with(&format!("{}/new", path(&table.name)), fresh.as_slice());
    let body = html! {
        (frame::crumbs(&[("/registers".to_owned(), html! { "Registers" })]))
        p { (piece::title(&table.about)) " " a href={ "/catalogue/tables/" (table.name) } { "Its columns" } "." }
        (question(asked, table, &seen, &choice))
        p {
            (said(&listed, &choice, asked.query("as_of").is_some()))
            @if enters { " · " a href=(fresh) { "New row" } }
        }
        @if listed.rows.is_empty() { (empty(table, &listed)) }
        @else {
            (rows(asked, table, &listed, &seen, only.is_none()))
            (pager(asked, page, listed.found))
        }
    };
    Ok(Answer::page(table.title.clone(), body))
}

fn said(listed: &Listed, choice: &Choice<'_>, past: bool) -> Markup {
    html! {
        @if listed.found == listed.all { (listed.all) @if listed.all == 1 { " row" } @else { " rows" } }
        @else { (listed.found) " of " (listed.all) " rows" }
        @if listed.found > listed.rows.len() && !listed.rows.is_empty() {
            ", shown: " (choice.skip + 1) " to " (choice.skip + listed.rows.len())
        }
        @if past { ", as known at entry " (listed.known_at) }
    }
}

fn empty(table: &Table, listed: &Listed) -> Markup {
    html! {
        @if listed.all == 0 {
            p.lead { "Nothing is here that is open to you." }
            p { "A file with the columns of " code { "backstay vocabulary template " (table.name) } " fills this register." }
        } @else if listed.found == 0 { p.lead { "No row fits what you asked for." } }
        @else { p.lead { "There is no such page." } }
    }
}

fn question(asked: &Asked<'_>, table: &Table, seen: &Sight, choice: &Choice<'_>) -> Markup {
    let most = seen.most(table);
    let columns: Vec<&Column> =
        register::columns(table).filter(|column| Some(column.privacy) <= most).collect();
    let filtered = choice.filters.values().filter(|text| !text.trim().is_empty()).count();
    html! {
        form.when method="get" {
            div { label for="q" { "Search in every column" } input #q name="q" type="search" value=(choice.search.unwrap_or_default()); }
            @if table.scope == Scope::Arrangement && seen.arrangements.len() > 1 {
                div { label for="arrangement" { "Arrangement" }
                    select #arrangement name="arrangement" {
                        option value="" { "all" }
                        @for id in seen.arrangements.keys() { option value=(id) selected[asked.query("arrangement") == Some(id)] { (id) } }
                    }
                }
            }
            div { label for="sort" { "Sort by" }
                select #sort name="sort" {
                    option value="" { "key" }
                    @for column in &columns { option value=(column.name) selected[choice.sort.is_some_and(|(name, _)| name == column.name)] { (words(column)) } }
                }
            }
            div { label for="down" { "Order" }
                select #down name="down" {
                    option value="" { "least first" }
                    option value="1" selected[choice.sort.is_some_and(|(_, down)| down)] { "greatest first" }
                }
            }
            div { label for="as_of" { "As known at (entry or instant)" } input #as_of name="as_of" value=(choice.as_of.unwrap_or_default()) placeholder="now"; }
            button { "Show" }
            details.whole open[filtered > 0] {
                summary { "Filter by column" @if filtered > 0 { " (" (filtered) ")" } }
                p.quiet { "Numbers, amounts, dates and lengths of time may be compared: " code { "> 10" } ", " code { ">= 2026-01-01" } ". " code { "=" } " alone finds rows without a value." }
                div.fields { @for column in &columns { (filter(column, choice)) } }
            }
        }
    }
}

fn filter(column: &Column, choice: &Choice<'_>) -> Markup {
    let name = format!("{FILTER}{}", column.name);
    let now = choice.filters.get(column.name.as_str()).copied().unwrap_or_default();
    let values: Vec<(&str, &str)> = match column.kind {
        ColumnType::Boolean => vec![("true", "yes"), ("false", "no")],
        ColumnType::Enumeration => column.values.iter().map(|v| (v.as_str(), v.as_str())).collect(),
        _ => Vec::new(),
    };
    let hint = match column.kind {
        _ if is_ordered(column) => Some("or > …"),
        _ if is_exact(column) => Some("exactly"),
        _ => None,
    };
    html! {
        div.field {
            label for=(name) { (words(column)) }
            @if values.is_empty() { input id=(name) name=(name) value=(now) placeholder=[hint]; }
            @else {
                select id=(name) name=(name) {
                    option value="" { "any" }
                    @for (value, word) in &values { option value=(value) selected[now.eq_ignore_ascii_case(value)] { (word) } }
                    option value="=" selected[now == "="] { "(none)" }
                }
            }
        }
    }
}

fn rows(
    asked: &Asked<'_>,
    table: &Table,
    listed: &Listed,
    seen: &Sight,
    with_arrangement: bool,
) -> Markup {
    let key: Vec<&str> =
        register::key_columns(table).iter().map(|column| column.name.as_str()).collect();
    let in_name =
        |column: &Column| key.contains(&column.name.as_str()) || column.name == "valid_from";
    let filled: Vec<&Column> = register::columns(table)
        .filter(|column| listed.filled.contains(&column.name) && !in_name(column))
        .collect();
    let whole = asked.query("columns") == Some("all");
    let shown = if whole { filled.len() } else { filled.len().min(COLUMNS) };
    let with_arrangement =
        with_arrangement && table.scope == Scope::Arrangement && table.name != "arrangement";
    let columns: Vec<&Column> = filled.iter().take(shown).copied().collect();
    let names: Vec<String> = columns
        .iter()
        .map(|column| match &column.unit {
            Some(unit) if !column.name.contains(unit.as_str()) => {
                format!("{}, {unit}", words(column))
            }
            _ => words(column),
        })
        .collect();
    let mut heads = vec![("Row", Set::Text)];
    if with_arrangement {
        heads.push(("Arrangement", Set::Text));
    }
    heads.extend(names.iter().zip(&columns).map(|(name, column)| (name.as_str(), set(column))));
    let lines = listed.rows.iter().map(|row| {
        let mut cells = vec![html! {
            @if row.named { a href=(asked.link(&row_path(&table.name, &row.key))) { (piece::name(&row_name(table, &row.key))) @if let Some(from) = row.values.get("valid_from") { span.sub { "from " (from) } } } }
            @else { span.quiet { "row " (row.reference) } }
        }];
        if with_arrangement {
            let to = format!("/arrangements/{}", crate::asked::segment(&row.arrangement_id));
            cells.push(html! { a href=(to) { (piece::name(&row.arrangement_id)) } });
        }
        cells.extend(columns.iter().map(|column| value(asked, column, row, seen)));
        cells
    });
    let lines = lines.collect();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.title) { (piece::table(html! { (piece::title(&table.title)) }, &heads, lines)) }
        @if filled.len() > COLUMNS {
            p.quiet {
                @if whole { a href=(again(asked, &[("columns", None)])) { "Fewer columns" } }
                @else { (columns.len()) " of " (filled.len()) " columns that hold something. " a href=(again(asked, &[("columns", Some("all"))])) { "Show all" } }
            }
        }
        @if listed.rows.iter().any(|row| !row.named) {
            p.quiet { "Rows without a name are named by a person; your rights do not include that column." }
        }
    }
}

/// This page with another query.
pub fn again(asked: &Asked<'_>, changes: &[(&str, Option<&str>)]) -> String {
    let mut query: BTreeMap<&str, &str> =
        asked.call.query.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for (name, text) in changes {
        match text {
            Some(text) => query.insert(name, text),
            None => query.remove(name),
        };
    }
    let pairs: Vec<(&str, &str)> =
        query.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect();
    with(&asked.call.path, &pairs)
}

fn pager(asked: &Asked<'_>, page: usize, found: usize) -> Markup {
    let last = found.div_ceil(ROWS);
    let to = |page: usize| again(asked, &[("page", Some(&page.to_string()))]);
    html! {
        @if last > 1 {
            nav.pager aria-label="Pages" {
                @if page > 1 { a href=(to(page - 1)) { "Previous" } }
                span { "Page " (page) " of " (last) }
                @if page < last { a href=(to(page + 1)) { "Next" } }
            }
        }
    }
}
