//! `backstay edit`: one row of a register, entered by hand.

use std::{collections::BTreeMap, path::Path};

use backstay_desk::register::change::{Draft, apply, pairs};
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use backstay_store::{Edited, RowChange, RowVerdict};

use crate::{
    args::{EditArgs, Format},
    door,
    error::CliError,
};

pub fn run(args: &EditArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let draft = Draft {
        table: args.table.clone(),
        values: pairs(&args.values)?,
        delete: args.delete,
        expect: args.expect,
        reason: args.reason.clone(),
        zone: args.zone.clone(),
        party: args.party.clone(),
    };
    let workspace = door::open(named)?;
    let done = door::with_context(|ctx| apply(&workspace, &draft, !args.dry_run, ctx))?;
    match args.format {
        Format::Json => door::print_json(&done)?,
        Format::Text => door::print(&text(&done, args.dry_run))?,
    }
    Ok(0)
}

/// What became of the row, column by column.
fn text(done: &Edited, dry_run: bool) -> String {
    let mut page = Page::new(door::look());
    for row in &done.rows {
        page.paragraph(0, &headline(done, row, dry_run), Tone::Strong);
        if !row.stands {
            let lower = "It does not stand: the row has a later version of its source.";
            page.paragraph(0, lower, Tone::Unsure);
        }
        page.grid(&values(row));
    }
    page.finish()
}

fn headline(done: &Edited, row: &RowChange, dry_run: bool) -> String {
    let what = match row.verdict {
        RowVerdict::New => "new row",
        RowVerdict::Changed => "changed row",
        RowVerdict::Deleted => "row taken away",
        RowVerdict::Unchanged => "row as it stands",
    };
    let since = row.before.as_ref().map_or_else(String::new, |before| {
        format!(", whose version is of ledger entry {}", before.entry)
    });
    let of = format!("{what} of {} {}{since}", row.table, row.key);
    match (done.entry, dry_run, row.verdict) {
        (Some(entry), ..) => format!("Ledger entry {entry}: {of}."),
        (None, _, RowVerdict::Unchanged) => format!("Nothing to write: {of}."),
        (None, true, _) => format!("Nothing was written. It would be a {of}."),
        (None, false, _) => format!("{of}."),
    }
}

/// Every column that has or had a value; those that change show both.
fn values(row: &RowChange) -> Grid {
    let none = BTreeMap::new();
    let before = row.before.as_ref().map_or(&none, |version| &version.values);
    let after = row.after.as_ref().map_or(before, |version| &version.values);
    let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        let shown = |value: Option<&String>| value.map_or("(none)", String::as_str).to_owned();
        let text = match (was == is, row.before.is_some()) {
            (false, true) => format!("{}, before: {}", shown(is), shown(was)),
            _ => shown(is),
        };
        let tone = if was == is { Tone::Quiet } else { Tone::Plain };
        grid.row(vec![Cell::toned(name, Tone::Quiet), Cell::toned(&text, tone)]);
    }
    grid
}
