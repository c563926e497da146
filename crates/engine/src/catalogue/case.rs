//! The cases of a catalogue file: given tables, a period, and what is expected. Owns their syntax; it
//! must never run one, and it knows no table by name.

use super::{CatalogueError, file::wrong};
use crate::{markdown::MarkdownTable, period::Period, status::Status};

/// One case, with the common rows already merged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// 1-based line of its heading in the file.
    pub line: usize,
    /// Period assessed.
    pub period: Period,
    /// Now, microseconds UTC; the end of the period when none.
    pub as_of_us: Option<i64>,
    /// Tables given, in order.
    pub given: Vec<Given>,
    /// What must come out.
    pub expect: Vec<Expectation>,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Table of the vocabulary.
    pub table: String,
    /// Its rows.
    pub rows: MarkdownTable,
}

/// Something that must come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// All rows of the SQL, by these columns.
    Rows(MarkdownTable),
    /// No row; 1-based line.
    Nothing(usize),
    /// The status; 1-based line.
    Status(Status, usize),
    /// Part of the reason of the status; 1-based line.
    Reason(String, usize),
    /// All rows of `measurement`, by these columns.
    Measurement(MarkdownTable),
}

/// Numbered lines.
type Lines<'a> = Vec<(usize, &'a str)>;

#[derive(Default, Clone)]
struct Block {
    period: Option<Period>,
    as_of_us: Option<i64>,
    given: Vec<Given>,
    withheld: Vec<(usize, String)>,
    expect: Vec<Expectation>,
}

/// Reads the lines of the section *Cases*.
pub(super) fn parse(file: &str, lines: &[(usize, &str)]) -> Result<Vec<Case>, CatalogueError> {
    let mut parts: Vec<(usize, &str, Lines<'_>)> = vec![(1, "", Vec::new())];
    for (line, text) in lines {
        match text.strip_prefix("### ") {
            Some(name) => parts.push((*line, name.trim(), Vec::new())),
            None => {
                if let Some((_, _, own)) = parts.last_mut() {
                    own.push((*line, text));
                }
            }
        }
    }
    let mut parts = parts.into_iter();
    let common = match parts.next() {
        Some((_, _, lines)) => block(file, &lines)?,
        None => Block::default(),
    };
    if !common.expect.is_empty() || !common.withheld.is_empty() {
        let line = lines.first().map_or(1, |(line, _)| *line);
        return Err(wrong(
            file,
            line,
            "only a case, under `### name`, can expect or withhold something",
        ));
    }
    let mut cases: Vec<Case> = Vec::new();
    for (line, name, lines) in parts {
        if cases.iter().any(|case| case.name == name) {
            return Err(wrong(file, line, format!("case `{name}` exists already")));
        }
        let own = block(file, &lines)?;
        cases.push(merge(file, line, name, &common, own)?);
    }
    Ok(cases)
}

fn merge(
    file: &str,
    line: usize,
    name: &str,
    common: &Block,
    own: Block,
) -> Result<Case, CatalogueError> {
    let Some(period) = own.period.or(common.period) else {
        return Err(wrong(file, line, "the case needs a period: `period 2026-03-01..2026-04-01`"));
    };
    if own.expect.is_empty() {
        return Err(wrong(
            file,
            line,
            "the case expects nothing: add `expect` and a table, or `expect nothing`",
        ));
    }
    let mut given: Vec<Given> = common.given.clone();
    for (line, table) in &own.withheld {
        if !given.iter().any(|common| &common.table == table) {
            let message =
                format!("`{table}` is not among the common tables, so it cannot be withheld");
            return Err(wrong(file, *line, message));
        }
        given.retain(|common| &common.table != table);
    }
    let mut added: Vec<Given> = Vec::new();
    for table in own.given {
        match given.iter_mut().find(|common| common.table == table.table) {
            Some(common) if !added.iter().any(|other| other.table == table.table) => {
                added.push(table.clone());
                *common = table;
            }
            _ => {
                added.push(table.clone());
                given.push(table);
            }
        }
    }
    Ok(Case {
        name: name.to_owned(),
        line,
        period,
        as_of_us: own.as_of_us.or(common.as_of_us),
        given,
        expect: own.expect,
    })
}

fn block(file: &str, lines: &[(usize, &str)]) -> Result<Block, CatalogueError> {
    let mut block = Block::default();
    let mut at = 0;
    while let Some((line, text)) = lines.get(at) {
        at += 1;
        let text = text.trim();
        if text.starts_with('|') {
            return Err(wrong(
                file,
                *line,
                "a table needs a line `given TABLE` or `expect` above it",
            ));
        }
        let mut table = |what: &str| table_below(file, lines, &mut at, *line, what);
        if let Some(rest) = text.strip_prefix("given no ") {
            block.withheld.push((*line, rest.trim().to_owned()));
        } else if let Some(name) = command(text, "given") {
            block.given.push(Given { table: name.to_owned(), rows: table(text)? });
        } else if let Some(period) = text.strip_prefix("period ") {
            let period = period.parse::<Period>();
            block.period = Some(period.map_err(|error| wrong(file, *line, error.to_string()))?);
        } else if let Some(instant) = text.strip_prefix("as of ") {
            let instant = crate::cell::instant_us(instant.trim());
            block.as_of_us = Some(instant.map_err(|message| wrong(file, *line, message))?.0);
        } else if text == "expect" {
            block.expect.push(Expectation::Rows(table(text)?));
        } else if text == "expect nothing" {
            block.expect.push(Expectation::Nothing(*line));
        } else if text == "expect measurement" {
            block.expect.push(Expectation::Measurement(table(text)?));
        } else if let Some(word) = text.strip_prefix("expect status ") {
            let status = Status::parse(word.trim());
            let known = Status::ALL.map(Status::word).join("`, `");
            let status = status.ok_or_else(|| {
                wrong(file, *line, format!("`{word}` is no status: write one of `{known}`"))
            })?;
            block.expect.push(Expectation::Status(status, *line));
        } else if let Some(reason) = text.strip_prefix("expect reason ") {
            block.expect.push(Expectation::Reason(reason.trim().to_owned(), *line));
        } else if text.starts_with("expect ") {
            let message = "write `expect`, `expect nothing`, `expect status WORD`, `expect reason TEXT` \
                           or `expect measurement`";
            return Err(wrong(file, *line, message));
        }
    }
    Ok(block)
}

/// `given case_event` is a command; `given that the sun shines` is prose.
fn command<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let name = text.strip_prefix(word)?.strip_prefix(' ')?.trim();
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

fn table_below(
    file: &str,
    lines: &[(usize, &str)],
    at: &mut usize,
    command_line: usize,
    what: &str,
) -> Result<MarkdownTable, CatalogueError> {
    while lines.get(*at).is_some_and(|(_, text)| text.trim().is_empty()) {
        *at += 1;
    }
    let start = *at;
    while lines.get(*at).is_some_and(|(_, text)| text.trim_start().starts_with('|')) {
        *at += 1;
    }
    let rows = lines.get(start..*at).unwrap_or_default();
    if rows.is_empty() {
        return Err(wrong(file, command_line, format!("`{what}` needs a table below it")));
    }
    MarkdownTable::from_lines(rows).map_err(|error| wrong(file, error.line, error.message))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Case>, CatalogueError> {
        let lines: Vec<_> = text.lines().enumerate().map(|(n, line)| (n + 1, line)).collect();
        parse("x.md", &lines)
    }

    const COMMON: &str = "Common rows.\n\nperiod 2026-03\n\ngiven site\n\n| site_id |\n|---|\n| a |\n\n\
                          given team\n\n| team_id |\n|---|\n| t |\n\n";

    #[test]
    fn common_rows_hold_until_a_case_gives_its_own() {
        let text = format!(
            "{COMMON}### one\n\nexpect nothing\n\n### two\ngiven site\n| site_id |\n|---|\n| b |\n\n\
             given holiday\n| place |\n|---|\n| PH |\n\nas of 2026-03-05T00:00:00Z\n\nexpect status stale\n\n\
             ### three\ngiven no team\nexpect reason no row\n"
        );
        let cases = read(&text).unwrap();
        assert_eq!(cases.len(), 3);
        let tables = |n: usize| cases[n].given.iter().map(|g| g.table.as_str()).collect::<Vec<_>>();
        assert_eq!(tables(0), ["site", "team"]);
        assert_eq!(tables(1), ["site", "team", "holiday"]);
        assert_eq!(cases[1].given[0].rows.rows[0].1, ["b"]);
        assert_eq!(cases[1].as_of_us, Some(1_772_668_800_000_000));
        assert!(matches!(cases[1].expect[0], Expectation::Status(Status::Stale, _)));
        assert_eq!(tables(2), ["site"]);
    }

    #[track_caller]
    fn refused(text: &str, line: usize, message: &str) {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}:")) && error.contains(message), "{error}");
    }

    #[test]
    fn a_case_that_cannot_be_read_is_refused_with_its_line() {
        refused("### a\nexpect nothing\n", 1, "needs a period");
        refused("period 2026-03\n### a\nprose\n", 2, "expects nothing");
        refused("period 2026-03\n### a\nexpect status green\n", 3, "is no status");
        refused("period 2026-03\n### a\nexpect miracles\n", 3, "write `expect`");
        refused("period 2026-03\n### a\ngiven site\nexpect nothing\n", 3, "needs a table below it");
        refused("period 2026-03\n### a\n| x |\n|---|\n", 3, "needs a line `given TABLE`");
        refused("period 2026-03\n### a\ngiven no site\nexpect nothing\n", 3, "cannot be withheld");
        refused(
            "period 2026-03\n### a\nexpect nothing\n### a\nexpect nothing\n",
            4,
            "exists already",
        );
        refused("period soon\n", 1, "is not a period");
        refused(
            "period 2026-03\n### a\nexpect\n| x |\n|---|\n| 1 | 2 |\n",
            6,
            "2 cells under 1 headings",
        );
    }

    #[test]
    fn a_sentence_that_begins_with_given_is_prose() {
        let text = "period 2026-03\n### a\ngiven that nothing happens\nexpect nothing\n";
        assert!(read(text).unwrap()[0].given.is_empty());
    }
}
