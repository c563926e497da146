//! `backstay vocabulary …`: the tables of evidence, their columns, a template to fill in.

use backstay_evidence::{
    Vocabulary,
    vocabulary::{Column, ColumnType, Privacy, Scope, Table, TableKind},
};
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use serde_json::json;

use crate::{
    args::{Format, VocabularyCommand},
    command::nearest,
    door,
    error::CliError,
};

pub fn run(command: &VocabularyCommand) -> Result<u8, CliError> {
    let vocabulary = built_in()?;
    match command {
        VocabularyCommand::List { format } => list(&vocabulary, *format)?,
        VocabularyCommand::Show { table, format } => show(find(&vocabulary, table)?, *format)?,
        VocabularyCommand::Template { table } => door::print(&template(find(&vocabulary, table)?))?,
    }
    Ok(0)
}

/// The vocabulary of this release.
///
/// # Errors
/// Never in a release that passed its tests.
pub fn built_in() -> Result<Vocabulary, CliError> {
    Vocabulary::built_in().map_err(|error| CliError::failed(error.to_string()))
}

fn find<'a>(vocabulary: &'a Vocabulary, name: &str) -> Result<&'a Table, CliError> {
    vocabulary.table(name).ok_or_else(|| {
        let names: Vec<&str> = vocabulary.tables().map(|table| table.name.as_str()).collect();
        CliError::usage(
            format!("`{name}` is not a table of the vocabulary"),
            nearest(name, &names, "`backstay vocabulary list` names all"),
        )
    })
}

fn kind_word(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Event => "event",
        TableKind::Register => "register",
    }
}

fn list(vocabulary: &Vocabulary, format: Format) -> Result<(), CliError> {
    if format == Format::Json {
        let tables: Vec<_> = vocabulary.tables().collect();
        return door::print_json(&json!({ "digest": vocabulary.digest(), "tables": tables }));
    }
    let mut grid = Grid::new(&[
        ("table", Set::Left),
        ("kind", Set::Left),
        ("columns", Set::Right),
        ("what it records", Set::Flex),
    ]);
    for table in vocabulary.tables() {
        grid.row(vec![
            Cell::toned(&table.name, Tone::Strong),
            kind_word(table.kind).into(),
            table.columns.len().to_string().into(),
            (&table.about).into(),
        ]);
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())
}

fn show(table: &Table, format: Format) -> Result<(), CliError> {
    if format == Format::Json {
        return door::print_json(table);
    }
    let mut page = Page::new(door::look());
    page.heading(&format!("{} ({})", table.title, table.name));
    page.paragraph(0, &table.about, Tone::Plain);
    page.gap();
    let mut facts = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
    let scope = match table.scope {
        Scope::Arrangement => "each row belongs to one arrangement",
        Scope::Shared => "shared by all arrangements",
    };
    facts.row(vec!["kind".into(), format!("{}; {scope}", kind_word(table.kind)).into()]);
    facts.row(vec!["a row is known by".into(), identity(table).into()]);
    page.grid(&facts);
    page.gap();
    let mut grid = Grid::new(&[
        ("column", Set::Left),
        ("type", Set::Left),
        ("", Set::Left),
        ("what it holds", Set::Flex),
    ]);
    for column in table.columns.iter().filter(|column| !column.retired) {
        grid.row(vec![
            Cell::toned(&column.name, Tone::Strong),
            type_word(column).into(),
            if column.required { "required" } else { "" }.into(),
            about(column).into(),
        ]);
    }
    page.grid(&grid);
    page.gap();
    page.paragraph(
        0,
        &format!("A file to fill in: backstay vocabulary template {}", table.name),
        Tone::Quiet,
    );
    door::print(&page.finish())
}

fn identity(table: &Table) -> String {
    let mut names = table.identity.clone();
    if table.has_validity() && !names.iter().any(|name| name == "valid_from") {
        names.push("valid_from".to_owned());
    }
    let columns = names.join(", ");
    match (&table.source_id, table.kind) {
        (Some(id), _) => format!("{id}; without one {columns}, and its n-th occurrence"),
        (None, TableKind::Event) => format!("{columns}, and its n-th occurrence"),
        (None, TableKind::Register) => columns,
    }
}

fn type_word(column: &Column) -> String {
    let word = match column.kind {
        ColumnType::Text if column.list => "text list",
        ColumnType::Text => "text",
        ColumnType::Integer => "integer",
        ColumnType::Decimal => "decimal",
        ColumnType::Money => "money",
        ColumnType::Instant => "instant",
        ColumnType::Date => "date",
        ColumnType::Duration => "duration",
        ColumnType::Boolean => "boolean",
        ColumnType::Country => "country",
        ColumnType::Currency => "currency",
        ColumnType::LanguageLevel => "language level",
        ColumnType::Enumeration => "one of",
        ColumnType::Reference => "reference",
        ColumnType::Person => "person",
        ColumnType::Attributes => "attributes",
    };
    word.to_owned()
}

fn about(column: &Column) -> String {
    let mut text = column.about.clone();
    if !column.values.is_empty() {
        text = format!("{} — {text}", column.values.join(", "));
    }
    if let Some(to) = &column.to {
        text.push_str(&format!(" Refers to {to}."));
    }
    if let Some(unit) = &column.unit {
        text.push_str(&format!(" In {unit}."));
    }
    if let Some(example) = &column.example {
        text.push_str(&format!(" Example: {example}"));
    }
    let class = match column.privacy {
        Privacy::Open | Privacy::Internal => "",
        Privacy::Personal => " Personal.",
        Privacy::Secret => " Secret.",
    };
    text + class
}

/// The head line of a CSV file with every column that is still filled.
fn template(table: &Table) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .filter(|column| !column.retired)
        .flat_map(|column| match column.kind {
            ColumnType::Money => {
                vec![format!("{}_minor", column.name), format!("{}_currency", column.name)]
            }
            _ => vec![column.name.clone()],
        })
        .collect();
    format!("{}\n", names.join(","))
}
