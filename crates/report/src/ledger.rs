//! What the ledger says of itself: the list of its entries, and the report of a verification.

use serde::Serialize;

use crate::{
    figure::{self, count},
    layout::{Cell, Grid, Look, Page, Set, Tone},
};

/// One entry, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Its sequence.
    pub entry: u64,
    /// When it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who.
    pub actor: String,
    /// Kind of entry.
    pub kind: String,
    /// Arrangements that it concerns.
    pub arrangements: Vec<String>,
    /// What it did, in a few words.
    pub summary: String,
}

/// The entries as aligned columns.
#[must_use]
pub fn log_text(lines: &[LogLine], look: Look) -> String {
    let mut grid = Grid::new(&[
        ("entry", Set::Right),
        ("recorded", Set::Left),
        ("by", Set::Left),
        ("kind", Set::Left),
        ("what", Set::Flex),
    ]);
    for line in lines {
        let minute = figure::instant(line.recorded_at_us).chars().take(16).collect::<String>();
        let what = match line.arrangements.as_slice() {
            [] => line.summary.clone(),
            some => format!("{} ({})", line.summary, some.join(", ")),
        };
        grid.row(vec![
            line.entry.to_string().into(),
            format!("{minute}Z").into(),
            (&line.actor).into(),
            Cell::toned(&line.kind, Tone::Strong),
            what.into(),
        ]);
    }
    let mut page = Page::new(look);
    page.grid(&grid);
    page.finish()
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether everything holds.
    pub verified: bool,
    /// Entries re-derived.
    pub entries: u64,
    /// Objects read and hashed.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Root of the tree, hexadecimal.
    pub root: String,
    /// What was checked, one line each.
    pub checked: Vec<String>,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What and where.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// The verification, problems first.
#[must_use]
pub fn verification_text(report: &Verification, look: Look) -> String {
    let mut page = Page::new(look);
    if report.verified {
        page.paragraph(0, "✓ verified", Tone::Good);
    } else {
        let problems = i64::try_from(report.problems.len()).unwrap_or(i64::MAX);
        page.paragraph(
            0,
            &format!("✗ not verified: {}", figure::counted(problems, "problem")),
            Tone::Bad,
        );
        page.gap();
        for problem in &report.problems {
            page.hanging(2, 4, &problem.what, Tone::Plain);
            page.hanging(4, 4, &format!("help: {}", problem.remedy), Tone::Quiet);
        }
    }
    page.gap();
    let mut facts = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
    let number = |figure: u64| count(i64::try_from(figure).unwrap_or(i64::MAX));
    for (name, value) in [
        ("entries", number(report.entries)),
        ("objects", format!("{}, {}", number(report.objects), figure::bytes(report.bytes))),
        ("tree root", report.root.clone()),
    ] {
        facts.row(vec![Cell::toned(name, Tone::Quiet), value.into()]);
    }
    page.grid(&facts);
    if !report.checked.is_empty() {
        page.gap();
        for line in &report.checked {
            page.hanging(2, 4, line, Tone::Quiet);
        }
    }
    page.finish()
}
