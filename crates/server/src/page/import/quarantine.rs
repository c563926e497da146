//! What an import set aside: every record with its place and reason, so that whoever sent it can correct it
//! in the source. Values were never kept here; those who may open sources get there by the record's link.

use backstay_access::{Action, Privacy, Resource};
use backstay_report::html::piece::{self, Set};
use backstay_store::{EntrySummary, Quarantined, QuarantinedRecord};
use bytes::Bytes;
use maud::{Markup, html};

use super::{right, trial::number};
use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

/// Reasons of a page.
const PAGE: usize = 200;
/// Reasons of a file.
const MOST_LINES: usize = 100_000;

fn entry(asked: &Asked<'_>) -> Result<EntrySummary, ProblemError> {
    let nothing = || ProblemError::nothing("import");
    let wanted: u64 = asked.part("entry").parse().map_err(|_| nothing())?;
    let found = asked.server.workspace.entries(wanted, 1)?.pop().ok_or_else(nothing)?;
    let import = found.entry == wanted && matches!(found.kind.as_str(), "import" | "reread");
    let seen = found.arrangements.iter().any(|id| right::may_see_rejected(asked, id, &found.actor))
        || right::may_know(asked, &found.arrangements, &found.actor);
    if import && seen { Ok(found) } else { Err(nothing()) }
}

fn read(
    asked: &Asked<'_>,
    of: &EntrySummary,
    after: u32,
    limit: usize,
) -> Result<Quarantined, ProblemError> {
    let allowed = |arrangement: &str| right::may_see_rejected(asked, arrangement, &of.actor);
    Ok(asked.server.workspace.quarantined(of.entry, after, limit, &allowed)?)
}

/// The page; `?after=`: records after this one.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let of = entry(asked)?;
    let after = asked.query("after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let found = read(asked, &of, after, PAGE + 1)?;
    let text = |name: &str| {
        let payload = of.payload.as_ref();
        payload.and_then(|p| p.pointer(name)).and_then(|v| v.as_str()).unwrap_or_default()
    };
    let whole = right::may_know(asked, &of.arrangements, &of.actor);
    let opens = opens(asked, &of);
    let shown: Vec<&QuarantinedRecord> = found.records.iter().take(PAGE).collect();
    let last = shown.last().map_or(after, |told| told.record);
    let body = html! {
        (frame::crumbs(&[("/import".to_owned(), html! { "Bring evidence in" })]))
        dl.facts {
            @if whole { div { dt { "File" } dd { (piece::name(text("/file"))) } } }
            div { dt { "Entry" } dd { (of.entry) } }
            div { dt { "Recorded" } dd { (piece::instant(of.recorded_at_us)) } }
            div { dt { "Reasons" } dd { (number(found.reasons)) } }
        }
        @if found.reasons == 0 {
            p.lead { @if found.withheld { "What it set aside is not open to you." } @else { "This import set nothing aside." } }
        } @else {
            p { "Correct these records in the source and hand the file in again: what is known already is not taken twice. "
                a href={ "/quarantine/" (of.entry) "/csv" } { "The list as CSV" } }
            @if found.withheld { p.quiet { "Records of arrangements that you do not see are not among these." } }
            (kinds(&found))
            (records(&of, &shown, opens))
            p.pager {
                @if after > 0 { a href={ "/quarantine/" (of.entry) } { "First records" } }
                @if found.records.len() > PAGE { a href={ "/quarantine/" (of.entry) "?after=" (last) } { "Next records" } }
            }
        }
    };
    Ok(Answer::page(format!("Quarantine of entry {}", of.entry), body))
}

/// Whether the asker may open records of the entry's source.
fn opens(asked: &Asked<'_>, of: &EntrySummary) -> bool {
    asked.may_open(&of.arrangements)
}

fn kinds(found: &Quarantined) -> Markup {
    let mut kinds: Vec<_> = found.kinds.iter().collect();
    kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), (*kind).clone()));
    let rows = kinds.into_iter().map(|((table, column, code), count)| {
        vec![
            html! { (code) },
            piece::name(table),
            html! { @if let Some(column) = column { (piece::name(column)) } @else { span.quiet { "the record" } } },
            html! { (number(*count)) },
        ]
    });
    let heads = [
        ("Kind", Set::Text),
        ("Table", Set::Text),
        ("Column", Set::Text),
        ("Reasons", Set::Figure),
    ];
    piece::table(html! { "By kind" }, &heads, rows.collect())
}

fn records(of: &EntrySummary, shown: &[&QuarantinedRecord], opens: bool) -> Markup {
    let heads = [
        ("Record", Set::Figure),
        ("About", Set::Text),
        ("Column", Set::Text),
        ("Kind", Set::Text),
        ("What is wrong, and what to do", Set::Wide),
    ];
    let rows = shown.iter().map(|told| {
        vec![
            html! { @if opens { a.ref href={ "/rows/" (of.entry) ":" (told.record) } { (number(u64::from(told.record))) } }
                @else { (number(u64::from(told.record))) } },
            html! { @if let Some(subject) = &told.subject { (piece::name(subject)) } },
            html! { (piece::name(&told.table)) @if let Some(column) = &told.column { "." (piece::name(column)) } },
            html! { (told.code) },
            piece::sentence(&crate::job::in_words_of_the_page(&told.reason)),
        ]
    });
    piece::table(
        html! { "Records as they are counted in the file, from 1, without its head" },
        &heads,
        rows.collect(),
    )
}

/// The list as a file.
pub fn csv(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let of = entry(asked)?;
    let own = asked.visitor()?.account.id == of.actor;
    let exports = |id: &String| {
        let rows = Resource::Rows { arrangement: Some(id), privacy: Privacy::Internal };
        asked.may(Action::EvidenceExport, &rows)
    };
    if !own && !of.arrangements.iter().all(exports) {
        return Err(ProblemError::refused(Some(
            "no role of yours saves rows as a file".to_owned(),
        )));
    }
    let found = read(asked, &of, 0, MOST_LINES)?;
    let mut text = String::from("record,table,column,about,kind,what is wrong\r\n");
    for told in &found.records {
        let cells = [
            told.record.to_string(),
            told.table.clone(),
            told.column.clone().unwrap_or_default(),
            told.subject.clone().unwrap_or_default(),
            told.code.clone(),
            told.reason.clone(),
        ];
        text.push_str(&cells.map(|cell| safe_cell(&cell)).join(","));
        text.push_str("\r\n");
    }
    Ok(Answer::File {
        kind: "text/csv; charset=utf-8",
        name: format!("quarantine-{}.csv", of.entry),
        body: Bytes::from(text),
    })
}

/// A cell that no spreadsheet takes for a formula.
fn safe_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(safe_cell("=1+1"), "'=1+1");
        assert_eq!(safe_cell("@x,\"y\""), "\"'@x,\"\"y\"\"\"");
        assert_eq!(safe_cell("plain"), "plain");
    }
}
