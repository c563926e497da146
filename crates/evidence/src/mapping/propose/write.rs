//! A proposal as a mapping file: TOML that a person reads, with the reasons as comments and with what
//! stays open where it is to be written.

use std::fmt::Write as _;

use super::{Origin, Proposal, ProposedColumn, Sample};
use crate::{mapping::SourceFormat, options::TextEncoding};

/// Width of comments.
const WIDTH: usize = 100;

/// The file.
pub(super) fn text(proposal: &Proposal, sample: &Sample) -> String {
    let mut out = Lines::default();
    out.comment(&format!(
        "Proposed by `backstay mapping new` from `{}`, of which {} records were looked at. The reasons \
         are its own; correct what is wrong.",
        proposal.file, proposal.records
    ));
    out.line(&format!("mapping = {}", quoted(&proposal.name)));
    out.line(&format!("title = {}", quoted(&format!("Layout of {}", proposal.file))));
    out.line(&format!(
        "about = {}",
        quoted(&format!(
            "Feeds {}. Say here what the source is and who exports it.",
            proposal.table
        ))
    ));
    out.line(&format!("format = {}", quoted(sample.format.name())));
    if sample.format == SourceFormat::Delimited
        && let Some(delimiter) = sample.delimiter
    {
        out.line(&format!("delimiter = {}", quoted(&delimiter.to_string())));
    }
    if sample.format == SourceFormat::Delimited && sample.encoding != TextEncoding::Utf8 {
        out.line(&format!("encoding = {}", quoted(sample.encoding.name())));
    }
    dates(proposal, &mut out);
    if !proposal.missing.is_empty() {
        out.comment("Written where there is no value.");
        out.line(&format!("missing = [{}]", listed(&proposal.missing)));
    }
    for (key, mark) in
        [("decimal_mark", proposal.decimal_mark), ("group_mark", proposal.group_mark)]
    {
        if let Some(mark) = mark {
            out.line(&format!("{key} = {}", quoted(&mark.to_string())));
        }
    }
    if !proposal.dropped.is_empty() {
        out.gap();
        for dropped in &proposal.dropped {
            out.comment(&format!("`{}`: {}.", dropped.source, dropped.why));
        }
        let names: Vec<String> = proposal.dropped.iter().map(|drop| drop.source.clone()).collect();
        out.line(&format!("drop = [{}]", listed(&names)));
    }
    if !proposal.people.is_empty() {
        out.gap();
        out.comment("Ids of people: wherever they go, they go as pseudonyms.");
        out.line("[people]");
        for person in &proposal.people {
            let kind = person.kind.as_deref().unwrap_or("person");
            out.line(&format!("{} = {}", quoted(&person.source), quoted(kind)));
        }
    }
    table(proposal, &mut out);
    out.text
}

fn dates(proposal: &Proposal, out: &mut Lines) {
    for found in &proposal.dates {
        out.comment(&format!("{found}."));
    }
    if let Some(format) = common_format(proposal) {
        out.line(&format!("date_formats = [{}]", quoted(format)));
    }
    if let Some(zone) = &proposal.zone {
        out.line(&format!("zone = {}", quoted(zone)));
    }
    for question in proposal.questions.iter().filter(|question| question.about == "zone") {
        out.comment(&format!("Open: {}.", question.text));
        out.line("# zone = \"Area/City\"");
    }
}

/// The one format of all date columns, when they have one other than ISO 8601.
fn common_format(proposal: &Proposal) -> Option<&str> {
    let mut formats = proposal.columns.iter().filter_map(|column| column.format.as_deref());
    let first = formats.next()?;
    formats.all(|format| format == first).then_some(first)
}

fn table(proposal: &Proposal, out: &mut Lines) {
    out.gap();
    out.comment(&format!("{}.", capital(&proposal.table_why)));
    out.line("[[table]]");
    out.line(&format!("name = {}", quoted(&proposal.table)));
    if !proposal.attributes.is_empty() {
        out.comment("What no column takes is kept beside the row, under its own name.");
        out.line("attributes = \"rest\"");
    }
    out.gap();
    out.line("[table.columns]");
    let common = common_format(proposal);
    for column in &proposal.columns {
        out.comment(&format!("{}.", capital(&column.why)));
        if !column.others.is_empty() {
            out.comment(&format!("Would do as well: `{}`.", column.others.join("`, `")));
        }
        let format = column.format.as_deref().filter(|_| common.is_none());
        out.line(&format!("{} = {}", column.column, rule(column, format)));
    }
    for question in &proposal.questions {
        if question.about.starts_with("column:") || question.about.starts_with("values:") {
            out.comment(&format!("Open: {}.", question.text.trim_end_matches('.')));
        }
    }
}

/// The rule of a column, as short as it can be said.
fn rule(column: &ProposedColumn, format: Option<&str>) -> String {
    let (key, value) = match &column.from {
        Origin::Column(source) => ("from", source),
        Origin::Template(template) => ("template", template),
        Origin::Constant(value) => ("constant", value),
    };
    let mut parts = vec![format!("{key} = {}", quoted(value))];
    if column.percent {
        parts.push("as = \"percent\"".to_owned());
    }
    if let Some(format) = format {
        parts.push(format!("formats = [{}]", quoted(format)));
    }
    if !column.values.is_empty() {
        let values = column.values.iter();
        let values: Vec<String> =
            values.map(|(from, to)| format!("{} = {}", quoted(from), quoted(to))).collect();
        parts.push(format!("values = {{ {} }}", values.join(", ")));
    }
    match (&column.from, parts.as_slice()) {
        (Origin::Column(source), [_]) => quoted(source),
        _ => format!("{{ {} }}", parts.join(", ")),
    }
}

/// A text in TOML, also as a key.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn listed(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

fn capital(text: &str) -> String {
    let mut symbols = text.chars();
    match symbols.next() {
        Some(first) => first.to_uppercase().chain(symbols).collect(),
        None => String::new(),
    }
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A comment, wrapped; control characters of the source cannot end it.
    fn comment(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in text.split_whitespace() {
            let word: String = word
                .chars()
                .map(|symbol| if symbol.is_control() { '\u{fffd}' } else { symbol })
                .collect();
            if line.chars().count() + 1 + word.chars().count() > WIDTH && line.len() > 1 {
                self.line(&line);
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(&word);
        }
        self.line(&line);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn any_text_can_be_quoted() {
        for text in ["plain", "a \"b\" \\c", "tab\tline\nend\r", "\u{1}\u{7f}", "ä—日本"] {
            let value: toml::Table = toml::from_str(&format!("x = {}\n", quoted(text))).unwrap();
            assert_eq!(value["x"].as_str().unwrap(), text);
        }
    }
}
