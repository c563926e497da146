//! One row of a register: its values with what they mean, where they came from, and its past: who made
//! it what, entry by entry, and how it holds over time.

use backstay_access::Action;
use backstay_desk::register::{self, Row, Sight, Values, text::shown};
use backstay_evidence::vocabulary::{Column, Scope, Table};
use backstay_report::html::piece::{self, Set};
use backstay_store::{PastVersion, StoreError};
use maud::{Markup, html};

use super::{named, path, row_name, row_path, sight, value, with, words};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    page::frame,
    problem::ProblemError,
};

/// Versions shown.
const VERSIONS: usize = 50;

fn nothing() -> ProblemError {
    ProblemError::nothing("row")
}

/// The key that the path names, when the asker sees all its columns.
///
/// # Errors
/// A row that is not open to the asker, or not there.
pub fn key(asked: &Asked<'_>, table: &Table, seen: &Sight) -> Result<String, ProblemError> {
    let key = register::key_of(asked.part("key"));
    let parts: Vec<Option<String>> = serde_json::from_str(&key).unwrap_or_default();
    let columns = register::key_columns(table);
    let most = seen.of(&register::arrangement_of(table, &key));
    let named = columns.iter().all(|column| Some(column.privacy) <= most);
    if most.is_none() || !named || parts.len() != columns.len() { Err(nothing()) } else { Ok(key) }
}

/// Where a row is among the pages.
pub fn crumbs(table: &Table, arrangement: &str) -> Markup {
    let of = match table.scope {
        Scope::Arrangement => with(&path(&table.name), &[("arrangement", arrangement)]),
        Scope::Shared => path(&table.name),
    };
    let mut links = vec![("/registers".to_owned(), html! { "Registers" })];
    links.push((of, piece::title(&table.title)));
    frame::crumbs(&links)
}

/// The row.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let seen = sight(asked, Action::EvidenceRead)?;
    let table = named(asked, &seen)?;
    let key = key(asked, table, &seen)?;
    let workspace = &asked.server.workspace;
    let as_of = asked.query("as_of");
    let row = register::row(workspace, table, &key, as_of, &seen)?;
    let arrangement = register::arrangement_of(table, &key);
    let past = match workspace.history(&table.name, &arrangement, &key, 1) {
        Err(StoreError::NoRow { .. }) => return Err(nothing()),
        Err(error) => return Err(error.into()),
        Ok(_) => register::history(workspace, table, &key, VERSIONS + 1, &seen)?,
    };
    let edits = sight(asked, Action::RegisterEdit)?;
    let may_edit = as_of.is_none() && edits.of(&arrangement).is_some();
    let title = format!("{}: {}", table.title, row_name(table, &key));
    let body = html! {
        (crumbs(table, &arrangement))
        @if let Some(as_of) = as_of { p.note { "As known at " code { (as_of) } ". " a href=(row_path(&table.name, &key)) { "As it stands now" } } }
        @if let Some(entry) = asked.query("done") { p.note role="status" { "Written as ledger entry " (piece::name(entry)) "." } }
        @if asked.query("same").is_some() { p.note role="status" { "Nothing was written: the row stands already just so." } }
        @match &row {
            Some(row) => {
                (values(asked, table, row, &seen))
                (came_from(asked, row))
                @if may_edit { (actions(table, &key, &arrangement)) }
            }
            None => p.note { "No such row stands" @if as_of.is_some() { " as of that entry" } @else { " any more: it was taken away or retracted" } "." }
        }
        (validities(asked, table, &key, &seen)?)
        (history(asked, table, &past))
    };
    Ok(Answer::page(title, body))
}

fn values(asked: &Asked<'_>, table: &Table, row: &Row, seen: &Sight) -> Markup {
    let most = seen.of(&row.arrangement_id);
    let open: Vec<&Column> =
        register::columns(table).filter(|column| Some(column.privacy) <= most).collect();
    let hidden = register::columns(table).count() - open.len();
    let (filled, empty): (Vec<&Column>, Vec<&Column>) =
        open.into_iter().partition(|column| shown(column, &row.values).is_some());
    let heads = [("Column", Set::Text), ("Value", Set::Wide), ("What it says", Set::Wide)];
    let lines = filled.iter().map(|column| {
        vec![
            html! { (words(column)) @if let Some(unit) = &column.unit { span.sub { (unit) } } },
            value(asked, column, row, seen),
            html! { span.quiet { (piece::sentence(&column.about)) } },
        ]
    });
    let words: Vec<String> = empty.iter().map(|column| words(column).to_lowercase()).collect();
    html! {
        (piece::table(html! { "As it stands" @if asked.query("as_of").is_some() { " at that entry" } }, &heads, lines.collect()))
        @if !words.is_empty() { p.quiet { "Without a value: " (words.join(", ")) "." } }
        @if hidden > 0 { p.quiet { (hidden) @if hidden == 1 { " column is" } @else { " columns are" } " of a privacy class that your rights do not include." } }
    }
}

fn came_from(asked: &Asked<'_>, row: &Row) -> Markup {
    let entry = row.reference.split(':').next().and_then(|text| text.parse().ok());
    let arrangements = entry.and_then(|entry| arrangements_of(asked, entry));
    let opens = arrangements.as_ref().is_some_and(|of| asked.may_open(of));
    html! {
        p { "It came from "
            @if opens { a.ref href={ "/rows/" (segment(&row.reference)) } { "record " (row.reference) } ", down to the line of its file." }
            @else { "record " (row.reference) "." }
        }
    }
}

/// The arrangements that an entry of the ledger names.
fn arrangements_of(asked: &Asked<'_>, entry: u64) -> Option<Vec<String>> {
    let found = asked.server.workspace.entries(entry, 1).ok()?;
    found.into_iter().find(|found| found.entry == entry).map(|found| found.arrangements)
}

fn actions(table: &Table, key: &str, arrangement: &str) -> Markup {
    let own = row_path(&table.name, key);
    let like = register::key_text(key);
    let copy = with(
        &format!("{}/new", path(&table.name)),
        &[("arrangement", arrangement), ("like", like.as_str())],
    );
    html! {
        p.actions {
            a.press href={ (own) "/edit" } { "Change" }
            a href=(copy) { "New row like this" }
            a href={ (own) "/take-away" } { "Take away" }
        }
    }
}

/// The same fact at other times.
fn validities(
    asked: &Asked<'_>,
    table: &Table,
    key: &str,
    seen: &Sight,
) -> Result<Markup, ProblemError> {
    let rows = register::validities(&asked.server.workspace, table, key, seen)?;
    if rows.len() < 2 {
        return Ok(html! {});
    }
    let heads =
        [("Holds from", Set::Text), ("Until, not counted", Set::Text), ("Differs by", Set::Wide)];
    let mut before: Option<&Row> = None;
    let mut lines = Vec::new();
    for row in &rows {
        let of = |name: &str| row.values.get(name).map(String::as_str);
        let changes = diff(table, before.map(|row| &row.values), &row.values);
        let from = of("valid_from").unwrap_or("the beginning");
        lines.push(vec![
            html! { @if row.key == key { strong { (from) } } @else { a href=(asked.link(&row_path(&table.name, &row.key))) { (from) } } },
            html! { (of("valid_to").unwrap_or("the next row, or further notice")) },
            html! { @if before.is_some() { (changed(&changes, &["valid_from", "valid_to"])) } },
        ]);
        before = Some(row);
    }
    Ok(html! {
        h2 { "How it holds over time" }
        (piece::table(html! { "Rows of the same key, each for its own days" }, &heads, lines))
    })
}

/// One column that differs: before and after, in words.
pub struct Difference<'t> {
    /// The column.
    pub column: &'t Column,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// What differs between two versions.
pub fn diff<'t>(table: &'t Table, before: Option<&Values>, after: &Values) -> Vec<Difference<'t>> {
    let none = Values::new();
    let before = before.unwrap_or(&none);
    register::columns(table)
        .filter_map(|column| {
            let (was, is) = (shown(column, before), shown(column, after));
            (was != is).then_some(Difference { column, before: was, after: is })
        })
        .collect()
}

fn changed(changes: &[Difference<'_>], but: &[&str]) -> Markup {
    let said = changes.iter().filter(|change| !but.contains(&change.column.name.as_str()));
    html! {
        ul.plain { @for change in said {
            li { (words(change.column)) ": "
                @if let Some(before) = &change.before { del { (piece::title(before)) } " " }
                @match &change.after { Some(after) => ins { (piece::title(after)) }, None => span.quiet { "no value" } }
            }
        } }
    }
}

fn history(asked: &Asked<'_>, table: &Table, past: &[PastVersion]) -> Markup {
    let heads = [
        ("Recorded", Set::Text),
        ("Entry", Set::Figure),
        ("What changed", Set::Wide),
        ("Brought by", Set::Wide),
    ];
    let lines = past.iter().take(VERSIONS).enumerate().map(|(n, version)| {
        let none = Values::new();
        let older = past.get(n + 1);
        let before = older.filter(|older| !older.deleted).and_then(|older| older.values.as_ref());
        let after = version.values.as_ref().unwrap_or(&none);
        let changes = diff(table, before, after);
        let of = arrangements_of(asked, version.entry).unwrap_or_default();
        let reads = asked.may_entry(Action::LedgerRead, &of);
        vec![
            html! { span.nowrap { (piece::instant(version.recorded_at_us)) } },
            html! { @if reads { a href={ "/ledger/" (version.entry) } { (version.entry) } } @else { (version.entry) } },
            html! {
                @if version.deleted { "It no longer stands." }
                @else if older.is_none() {
                    details { summary { "First version, " (changes.len()) " values" }
                        ul.plain { @for change in &changes { li { (words(change.column)) ": " @if let Some(after) = &change.after { (piece::title(after)) } } } }
                    }
                }
                @else if changes.is_empty() { "The same values again." }
                @else { (changed(&changes, &[])) }
                @if version.retracted { span.sub { "retracted since" } }
            },
            html! {
                @if reads {
                    @match &version.file {
                        Some(file) => { "file " (piece::name(file)) }
                        None => { "by hand" @if let Some(reason) = version.reason.as_deref().filter(|reason| !reason.is_empty()) { ": " (piece::sentence(reason)) } }
                    }
                    span.sub { "by " (piece::name(&version.actor)) }
                }
            },
        ]
    });
    html! {
        h2 #history { "Its past" }
        (piece::table(html! { "Versions, the newest first" }, &heads, lines.collect()))
        @if past.len() > VERSIONS { p.quiet { "Older versions are not shown here; " code { "backstay query" } " reads them with " code { "--as-of" } "." } }
    }
}
