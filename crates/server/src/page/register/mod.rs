//! Registers as pages: which there are, their rows, one row with its past, and the form to change one.
//! What somebody may see of rows is asked of the policies here, once a page; it never reads a row.

pub mod conflict;
pub mod field;
pub mod form;
pub mod list;
pub mod row;

use std::collections::BTreeMap;

use backstay_access::{Action, Privacy as Class};
use backstay_desk::register::{self, Sight};
use backstay_evidence::vocabulary::{Column, ColumnType, Privacy, Scope, Table};
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::frame;
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    problem::ProblemError,
};

/// What may be seen of rows, or changed: by the action.
///
/// # Errors
/// When nobody is signed in.
pub fn sight(asked: &Asked<'_>, action: Action) -> Result<Sight, ProblemError> {
    let authority = asked.authority()?;
    let mut arrangements = BTreeMap::new();
    for id in authority.visible() {
        if let Some(most) = authority.ceiling(action, Some(&id)) {
            arrangements.insert(id, class(most));
        }
    }
    Ok(Sight { shared: authority.ceiling(action, None).map(class), arrangements })
}

/// A privacy class of the policies as the vocabulary has it.
pub fn class(of: Class) -> Privacy {
    match of {
        Class::Open => Privacy::Open,
        Class::Internal => Privacy::Internal,
        Class::Personal => Privacy::Personal,
        Class::Secret => Privacy::Secret,
    }
}

/// The register that the path names, and what is seen of it; one of which nothing is seen is not there.
///
/// # Errors
/// When it is none.
pub fn named<'a>(asked: &Asked<'a>, sight: &Sight) -> Result<&'a Table, ProblemError> {
    let table = register::table(&asked.server.workspace, asked.part("table"));
    table
        .filter(|table| sight.most(table).is_some())
        .ok_or_else(|| ProblemError::nothing("register"))
}

/// The name of a column in words.
pub fn words(column: &Column) -> String {
    let text = column.name.replace('_', " ");
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// How values of a column are set in a table.
pub fn set(column: &Column) -> Set {
    match column.kind {
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Money | ColumnType::Duration => {
            Set::Figure
        }
        ColumnType::Text if !column.list => Set::Wide,
        _ => Set::Text,
    }
}

/// Where a register is.
pub fn path(table: &str) -> String {
    format!("/registers/{}", segment(table))
}

/// Where a row is.
pub fn row_path(table: &str, key: &str) -> String {
    let parts: Vec<String> = register::key_text(key).split(',').map(segment).collect();
    format!("{}/rows/{}", path(table), parts.join(","))
}

/// What a row is called: its key, apart from its arrangement and its validity.
pub fn row_name(table: &Table, key: &str) -> String {
    let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
    let columns = register::key_columns(table);
    let named = columns.iter().zip(&parts);
    let whole = named.clone().filter(|(column, _)| {
        !matches!(column.name.as_str(), "valid_from")
            && (column.name != "arrangement_id"
                || columns.len() <= 1
                || table.name == "arrangement")
    });
    let mut texts: Vec<&str> = whole.filter_map(|(_, part)| part.as_deref()).collect();
    if texts.is_empty() {
        texts = named.filter_map(|(_, part)| part.as_deref()).collect();
    }
    texts.join(" · ")
}

/// The value of a column, set as evidence is; a reference leads to its row.
pub fn value(asked: &Asked<'_>, column: &Column, row: &register::Row, sight: &Sight) -> Markup {
    let Some(text) = register::text::shown(column, &row.values) else { return html! {} };
    let target = column.to.as_deref().filter(|_| column.kind == ColumnType::Reference);
    let to = target.and_then(|to| {
        let workspace = &asked.server.workspace;
        let key = register::referred(workspace, to, &row.arrangement_id, &text, sight).ok()??;
        Some(asked.link(&row_path(to, &key)))
    });
    match (to, column.kind) {
        (Some(to), _) => html! { a href=(to) { (piece::name(&text)) } },
        (_, ColumnType::Date | ColumnType::Duration | ColumnType::Instant | ColumnType::Money) => {
            html! { span.nowrap { (text) } }
        }
        (_, ColumnType::Person) => html! { code.long { (piece::name(&text)) } },
        _ => piece::title(&text),
    }
}

/// Which registers there are.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let all = sight(asked, Action::EvidenceRead)?;
    let only = asked.query("arrangement");
    let seen = match only {
        Some(id) if !all.arrangements.contains_key(id) => {
            return Err(ProblemError::nothing("arrangement"));
        }
        Some(id) => all.only(id),
        None => all,
    };
    let edits = sight(asked, Action::RegisterEdit)?;
    let workspace = &asked.server.workspace;
    let counts = register::counts(workspace, &seen)?;
    let tables: Vec<&Table> = workspace
        .vocabulary()
        .tables()
        .filter(|table| register::table(workspace, &table.name).is_some())
        .filter(|table| seen.most(table).is_some())
        .collect();
    let (filled, open): (Vec<&Table>, Vec<&Table>) =
        tables.into_iter().partition(|table| counts.get(&table.name).is_some_and(|rows| *rows > 0));
    let body = html! {
        @if let Some(id) = only {
            (frame::crumbs(&[("/".to_owned(), html! { "Portfolio" }), (format!("/arrangements/{}", segment(id)), piece::name(id)), ("/registers".to_owned(), html! { "Registers of all" })]))
        }
        p.lead { "Facts that hold until another takes their place, as they stand now. A row opens with its past and down to the line of its file." }
        @if filled.is_empty() { (frame::nothing_yet()) }
        @else { (index(asked, html! { "Registers" }, &filled, &counts, &edits, only)) }
        @if !open.is_empty() {
            details {
                summary { (open.len()) " registers that hold nothing yet" }
                p { "Fill one by importing a file with its columns: " code { "backstay vocabulary template TABLE" } " writes the head line. Those with the right may also enter rows by hand." }
                (index(asked, html! { "Nothing yet" }, &open, &counts, &edits, only))
            }
        }
    };
    let title = only.map_or_else(|| "Registers".to_owned(), |id| format!("Registers of {id}"));
    Ok(Answer::page(title, body))
}

fn index(
    asked: &Asked<'_>,
    caption: Markup,
    tables: &[&Table],
    counts: &BTreeMap<String, u64>,
    edits: &Sight,
    only: Option<&str>,
) -> Markup {
    let heads = [
        ("Register", Set::Text),
        ("Rows", Set::Figure),
        ("What a row says", Set::Wide),
        ("Belongs to", Set::Text),
        ("Enter", Set::Text),
    ];
    let to = |table: &Table, rest: &str| {
        let path = format!("{}{rest}", path(&table.name));
        match only {
            Some(id) if table.scope == Scope::Arrangement => with(&path, &[("arrangement", id)]),
            _ => asked.link(&path),
        }
    };
    let rows = tables.iter().map(|table| {
        let rows = counts.get(&table.name).copied().unwrap_or_default();
        let editable = match (only, table.scope) {
            (Some(id), Scope::Arrangement) => edits.of(id).is_some(),
            _ => edits.most(table).is_some(),
        };
        vec![
            html! { a href=(to(table, "")) { (piece::title(&table.title)) } span.sub { (table.name) } },
            html! { (rows) },
            piece::sentence(&table.about),
            html! { span.nowrap { @match table.scope { Scope::Shared => { "all arrangements" } Scope::Arrangement => { "one arrangement" } } } },
            html! { @if editable { a.nowrap href=(to(table, "/new")) { "New row" span.only-read { " of " (table.title) } } } },
        ]
    });
    piece::table(caption, &heads, rows.collect())
}

/// A path with a query.
pub fn with(path: &str, query: &[(&str, &str)]) -> String {
    let mut made = form_urlencoded::Serializer::new(String::new());
    made.extend_pairs(query);
    let query = made.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
