//! A proposed mapping as a page: what the file is, what goes where and why, what stays open, and how it
//! read the file.

use std::path::Path;

use backstay_evidence::mapping::propose::{Origin, Proposal, Sample};
use backstay_report::{
    figure::counted,
    import::{self as view, FileImport, Imports},
    layout::{Cell, Grid, Look, Page, Set, Tone},
};

/// Names that are listed in one sentence.
const NAMES_SHOWN: usize = 12;

/// What became of the proposal.
pub struct Outcome<'o> {
    /// The file read with it, when it could be.
    pub tried: Option<&'o FileImport>,
    /// Where it was saved.
    pub saved: Option<&'o Path>,
    /// The import that it is for.
    pub command: String,
}

pub fn text(sample: &Sample, proposal: &Proposal, outcome: &Outcome<'_>, look: Look) -> String {
    let mut page = Page::new(look);
    page.heading(&format!("A mapping for {}", proposal.file));
    page.paragraph(0, &facts(sample), Tone::Plain);
    page.paragraph(0, &format!("Feeds {}: {}.", proposal.table, proposal.table_why), Tone::Plain);
    page.gap();
    page.grid(&columns(proposal));
    for (title, lines) in [("dates", &proposal.dates), ("notes", &proposal.remarks)] {
        if !lines.is_empty() {
            page.gap();
            page.paragraph(0, title, Tone::Strong);
            for line in lines {
                page.hanging(2, 4, line, Tone::Plain);
            }
        }
    }
    rest(proposal, &mut page);
    if !proposal.questions.is_empty() {
        page.gap();
        page.paragraph(0, "open", Tone::Strong);
        for question in &proposal.questions {
            page.hanging(2, 4, &format!("? {}", question.text), Tone::Unsure);
            page.hanging(4, 4, &question.option, Tone::Quiet);
        }
    }
    let mut text = page.finish();
    if let Some(tried) = outcome.tried {
        let mut page = Page::new(look);
        page.gap();
        page.paragraph(0, "read with it, nothing written", Tone::Strong);
        text.push_str(&page.finish());
        text.push_str(&view::text(&Imports::of(vec![tried.clone()]), look));
    }
    let mut page = Page::new(look);
    page.gap();
    match outcome.saved {
        Some(path) => {
            page.paragraph(0, &format!("Saved as {}. To import:", path.display()), Tone::Good);
            page.verbatim(2, &outcome.command, Tone::Plain);
        }
        None => page.paragraph(
            0,
            "Nothing is saved. Add --save to save it in the workspace, --as NAME for another name.",
            Tone::Plain,
        ),
    }
    text.push_str(&page.finish());
    text
}

/// What kind of file it is.
pub fn facts(sample: &Sample) -> String {
    let records = counted(i64::try_from(sample.records).unwrap_or(i64::MAX), "record");
    let columns = counted(i64::try_from(sample.columns.len()).unwrap_or(i64::MAX), "column");
    let delimiter = match sample.delimiter {
        Some('\t') => " by tabs".to_owned(),
        Some(delimiter) => format!(" by `{delimiter}`"),
        None => String::new(),
    };
    let gzip = if sample.gzip { ", compressed" } else { "" };
    let whole = if sample.whole { "" } else { " (there are more)" };
    format!(
        "{}{delimiter}, {}{gzip}: {records}{whole}, {columns}; {} of the records were looked at closely.",
        sample.format.name(),
        sample.encoding.name(),
        sample.rows.len()
    )
}

fn columns(proposal: &Proposal) -> Grid {
    let mut grid = Grid::new(&[("column", Set::Left), ("from", Set::Left), ("why", Set::Flex)]);
    for column in &proposal.columns {
        let mark = if column.required { "*" } else { "" };
        let from = origin(&column.from);
        let others = match column.others.as_slice() {
            [] => String::new(),
            some => format!("; also `{}`", some.join("`, `")),
        };
        grid.row(vec![
            Cell::toned(format!("{}{mark}", column.column), Tone::Strong),
            from.into(),
            format!("{}{others}", column.why).into(),
        ]);
        if !column.values.is_empty() {
            let values: Vec<String> =
                column.values.iter().map(|(from, to)| format!("{from} → {to}")).collect();
            grid.note(2, values.join(", "), Tone::Quiet);
        }
    }
    grid
}

/// Where a column comes from, in a word.
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Column(source) => source.clone(),
        Origin::Template(template) => template.clone(),
        Origin::Constant(value) => format!("always `{value}`"),
    }
}

fn rest(proposal: &Proposal, page: &mut Page) {
    let marked = |marked: &[backstay_evidence::mapping::propose::Marked]| -> Vec<String> {
        let word = |one: &backstay_evidence::mapping::propose::Marked| match &one.kind {
            Some(kind) => format!("{} ({kind}: {})", one.source, one.why),
            None => format!("{} ({})", one.source, one.why),
        };
        marked.iter().map(word).collect()
    };
    for (title, names) in [
        ("people, kept as pseudonyms", marked(&proposal.people)),
        ("left out", marked(&proposal.dropped)),
        ("kept beside the row as attributes", proposal.attributes.clone()),
        ("not taken, because the table has no place for them", proposal.unused.clone()),
    ] {
        if names.is_empty() {
            continue;
        }
        page.gap();
        page.paragraph(0, title, Tone::Strong);
        let more = names.len().saturating_sub(NAMES_SHOWN);
        let mut shown = names.into_iter().take(NAMES_SHOWN).collect::<Vec<_>>().join(", ");
        if more > 0 {
            shown.push_str(&format!(", and {more} more"));
        }
        page.hanging(2, 2, &shown, Tone::Plain);
    }
}
