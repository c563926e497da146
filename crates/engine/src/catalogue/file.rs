//! Reading one catalogue file: front matter and sections, errors with file and line. It must never
//! look at what the SQL does.

use backstay_evidence::Digest;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Body, CatalogueError, Control, Metric, Risk, Severity, ValueKind, case};
use crate::status::Limits;

const SECTIONS: [&str; 5] =
    ["What it tests", "Why it matters", "How it is computed", "What to do", "Cases"];
const RISK_SECTIONS: [&str; 2] = ["What can happen", "Loss scenario"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFront {
    id: String,
    title: String,
    risk: String,
    severity: Severity,
    max_evidence_age_days: u64,
    #[serde(default)]
    tolerance: u64,
    #[serde(default)]
    max_gap: u64,
    #[serde(default)]
    may_be_empty: bool,
    #[serde(default)]
    consults: Vec<String>,
    #[serde(default)]
    applies_when: Option<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricFront {
    id: String,
    title: String,
    value: ValueKind,
    #[serde(default)]
    consults: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskFront {
    id: String,
    title: String,
    order: u32,
}

/// One `##` section: heading, its line, and numbered lines.
struct Section<'a> {
    heading: &'a str,
    line: usize,
    lines: Vec<(usize, &'a str)>,
}

impl Section<'_> {
    fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|(_, line)| *line).collect();
        lines.join("\n").trim().to_owned()
    }
}

pub(super) fn wrong(file: &str, line: usize, message: impl Into<String>) -> CatalogueError {
    CatalogueError::Syntax { file: file.to_owned(), line, message: message.into() }
}

pub(super) fn control(file: &str, text: &str) -> Result<Control, CatalogueError> {
    let (front, rest): (ControlFront, _) = front_matter(file, text)?;
    check_id(file, &front.id)?;
    if file.split('/').next() != Some(front.risk.as_str()) {
        let message = format!("risk `{}` must be the name of the folder", front.risk);
        return Err(wrong(file, 1, message));
    }
    let limits = Limits {
        tolerance: front.tolerance,
        max_gap: front.max_gap,
        may_be_empty: front.may_be_empty,
        max_evidence_age_days: front.max_evidence_age_days,
    };
    Ok(Control {
        id: front.id,
        title: front.title,
        risk: front.risk,
        severity: front.severity,
        limits,
        consults: front.consults,
        applies_when: front.applies_when,
        references: front.references,
        body: body(file, &rest)?,
        file: file.to_owned(),
        digest: Digest::of(text.as_bytes()),
    })
}

pub(super) fn metric(file: &str, text: &str) -> Result<Metric, CatalogueError> {
    let (front, rest): (MetricFront, _) = front_matter(file, text)?;
    check_id(file, &front.id)?;
    Ok(Metric {
        id: front.id,
        title: front.title,
        value: front.value,
        consults: front.consults,
        references: front.references,
        body: body(file, &rest)?,
        file: file.to_owned(),
        digest: Digest::of(text.as_bytes()),
    })
}

pub(super) fn risk(file: &str, text: &str) -> Result<Risk, CatalogueError> {
    let (front, rest): (RiskFront, _) = front_matter(file, text)?;
    if file.split('/').next() != Some(front.id.as_str()) {
        return Err(wrong(file, 1, format!("id `{}` must be the name of the folder", front.id)));
    }
    let sections = sections(file, &rest, &RISK_SECTIONS)?;
    let text = |n: usize| sections.get(n).map(Section::text).unwrap_or_default();
    Ok(Risk {
        id: front.id,
        title: front.title,
        order: front.order,
        what: text(0),
        loss_scenario: text(1),
        file: file.to_owned(),
    })
}

fn check_id(file: &str, id: &str) -> Result<(), CatalogueError> {
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".md"));
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if stem != Some(id) {
        return Err(wrong(file, 1, format!("id `{id}` must be the name of the file")));
    }
    if id.is_empty() || !id.chars().all(plain) {
        let message = format!("id `{id}` must consist of lower-case letters, digits and hyphens");
        return Err(wrong(file, 1, message));
    }
    Ok(())
}

type Lines<'a> = Vec<(usize, &'a str)>;

fn front_matter<'a, T: DeserializeOwned>(
    file: &str,
    text: &'a str,
) -> Result<(T, Lines<'a>), CatalogueError> {
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    if lines.next().is_none_or(|(_, line)| line.trim_end() != "+++") {
        return Err(wrong(file, 1, "the file must start with a line `+++` and its front matter"));
    }
    let mut front = String::new();
    let mut closed = false;
    for (_, line) in lines.by_ref() {
        if line.trim_end() == "+++" {
            closed = true;
            break;
        }
        front.push_str(line);
        front.push('\n');
    }
    if !closed {
        return Err(wrong(file, 1, "the front matter needs a line `+++` at its end"));
    }
    let parsed = toml::from_str(&front).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = front.get(..start).unwrap_or_default();
        let line = 2 + before.matches('\n').count();
        wrong(file, line, error.message().trim().replace('\n', " "))
    })?;
    Ok((parsed, lines.collect()))
}

/// The sections of a file, which must be these and in this order.
fn sections<'a>(
    file: &str,
    lines: &[(usize, &'a str)],
    names: &[&str],
) -> Result<Vec<Section<'a>>, CatalogueError> {
    let mut found: Vec<Section<'a>> = Vec::new();
    let mut fenced = false;
    for (line, text) in lines {
        if text.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        match text.strip_prefix("## ").filter(|_| !fenced) {
            Some(heading) => {
                found.push(Section { heading: heading.trim(), line: *line, lines: Vec::new() });
            }
            None => {
                if let Some(section) = found.last_mut() {
                    section.lines.push((*line, text));
                }
            }
        }
    }
    let last = lines.last().map_or(1, |(line, _)| *line);
    for (n, name) in names.iter().enumerate() {
        match found.get(n) {
            Some(section) if section.heading == *name => {
                if section.text().is_empty() {
                    return Err(wrong(file, section.line, format!("section `{name}` is empty")));
                }
            }
            Some(section) => {
                let message = format!("expected section `{name}`, found `{}`", section.heading);
                return Err(wrong(file, section.line, message));
            }
            None => return Err(wrong(file, last, format!("section `{name}` is missing"))),
        }
    }
    if let Some(extra) = found.get(names.len()) {
        let message = format!("section `{}` is not one of `{}`", extra.heading, names.join("`, `"));
        return Err(wrong(file, extra.line, message));
    }
    Ok(found)
}

fn body(file: &str, lines: &[(usize, &str)]) -> Result<Body, CatalogueError> {
    let sections = sections(file, lines, &SECTIONS)?;
    let text = |n: usize| sections.get(n).map(Section::text).unwrap_or_default();
    let (sql_line, sql) = match sections.get(2) {
        Some(section) => sql_block(file, section)?,
        None => (1, String::new()),
    };
    let cases = match sections.get(4) {
        Some(section) => case::parse(file, &section.lines)?,
        None => Vec::new(),
    };
    Ok(Body {
        tests: text(0),
        why: text(1),
        computed: text(2),
        sql,
        sql_line,
        remedy: text(3),
        cases_text: text(4),
        cases,
    })
}

fn sql_block(file: &str, section: &Section<'_>) -> Result<(usize, String), CatalogueError> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (line, text) in &section.lines {
        match text.trim() {
            "```sql" if !inside => {
                inside = true;
                blocks.push((*line + 1, String::new()));
            }
            "```" if inside => inside = false,
            _ if inside => {
                if let Some((_, sql)) = blocks.last_mut() {
                    sql.push_str(text);
                    sql.push('\n');
                }
            }
            _ => {}
        }
    }
    if inside {
        return Err(wrong(
            file,
            section.line,
            "the SQL block is not closed by a line of three backticks",
        ));
    }
    let mut blocks = blocks.into_iter();
    match (blocks.next(), blocks.next()) {
        (Some(block), None) => Ok(block),
        (None, _) => {
            Err(wrong(file, section.line, "section `How it is computed` needs one SQL block"))
        }
        (Some(_), Some((line, _))) => Err(wrong(file, line, "only one SQL block is allowed")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::catalogue::skeleton;

    fn skeleton_with(from: &str, to: &str) -> String {
        let text = skeleton("control", "quality/my-check").unwrap().1;
        assert!(text.contains(from), "{from} is not in the skeleton");
        text.replacen(from, to, 1)
    }

    #[track_caller]
    fn refused(from: &str, to: &str, line_text: &str, message: &str) {
        let text = skeleton_with(from, to);
        let error = control("quality/my-check.md", &text).unwrap_err();
        let CatalogueError::Syntax { line, message: said, .. } = &error else { panic!("{error}") };
        assert!(said.contains(message), "{error}");
        let found = text.lines().nth(line - 1).unwrap_or_default();
        assert!(found.contains(line_text), "line {line} is `{found}`: {error}");
    }

    #[test]
    fn a_file_is_refused_with_the_line_that_is_wrong() {
        refused("+++\n", "", "id =", "must start with a line `+++`");
        refused("severity = \"medium\"", "severity = \"grave\"", "severity", "grave");
        refused("severity =", "gravity =", "gravity", "gravity");
        refused("id = \"my-check\"", "id = \"other\"", "+++", "must be the name of the file");
        refused("risk = \"quality\"", "risk = \"other\"", "+++", "must be the name of the folder");
        refused("## Why it matters", "## Why", "## Why", "expected section `Why it matters`");
        refused("## What to do", "### What to do", "## Cases", "expected section `What to do`");
        refused("```sql", "```", "## How it is computed", "needs one SQL block");
    }

    #[test]
    fn a_heading_in_a_code_block_is_no_section() {
        let text = skeleton_with(
            "## Why it matters\n",
            "## Why it matters\n\n```\n## not a section\n```\n",
        );
        let control = control("quality/my-check.md", &text).unwrap();
        assert!(control.body.why.contains("## not a section"));
    }

    #[test]
    fn the_line_of_the_sql_is_known() {
        let text = skeleton("control", "quality/my-check").unwrap().1;
        let control = control("quality/my-check.md", &text).unwrap();
        let first = control.body.sql.lines().next().unwrap();
        assert_eq!(text.lines().nth(control.body.sql_line - 1), Some(first));
    }
}
