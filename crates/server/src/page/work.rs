//! One case: its events as they happened, each down to the record that it came from.

use std::collections::BTreeSet;

use backstay_access::{Action, Resource};
use backstay_desk::{evidence::layout, register};
use backstay_engine::{
    Period, View,
    session::{GuestLimits, query},
};
use backstay_evidence::vocabulary::Column;
use backstay_report::{
    html::piece::{self, Set},
    rows::objects,
};
use maud::html;
use serde_json::Value;

use super::{frame, register::words};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::seen,
    problem::ProblemError,
};

/// Events shown.
const EVENTS: usize = 500;

/// The case.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("case");
    let (id, case) = (asked.part("arrangement"), asked.part("case"));
    let ceiling = asked.authority()?.ceiling(Action::EvidenceRead, Some(id));
    let most = ceiling.map(super::register::class);
    let table = asked.server.workspace.vocabulary().table("case_event").ok_or_else(nothing)?;
    let columns: Vec<&Column> = register::columns(table)
        .filter(|column| Some(column.privacy) <= most)
        .filter(|column| !matches!(column.name.as_str(), "arrangement_id" | "attributes"))
        .collect();
    if !columns.iter().any(|column| column.name == "case_id") {
        return Err(ProblemError::refused(Some(
            "your rights do not include rows of cases".to_owned(),
        )));
    }
    let evidence = seen(asked, &BTreeSet::from([id.to_owned()]))?.ok_or_else(nothing)?;
    let period =
        Period { first: jiff::civil::date(2000, 1, 1), after: jiff::civil::date(2000, 2, 1) };
    let view = View {
        arrangement_id: id.to_owned(),
        zone: "UTC".to_owned(),
        period,
        as_of_us: evidence.now_us,
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    // A quotation mark is the only character that means something within a text of SQL.
    let sql = format!(
        "SELECT {}, _ref FROM case_event WHERE case_id = '{}' ORDER BY occurred_at, _ref LIMIT {}",
        names.join(", "),
        case.replace('\'', "''"),
        EVENTS + 1
    );
    let limits = GuestLimits { seconds: 10, bytes: 256 << 20, rows: EVENTS + 1 };
    let found = query(&evidence.evidence, &[view], &sql, layout(), limits);
    let found = found.map_err(|error| backstay_desk::error::explained(&error.to_string()))?;
    let rows = objects(&found.schema, &found.batches);
    if rows.is_empty() {
        return Err(nothing());
    }
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    let filled: Vec<&Column> = columns
        .into_iter()
        .filter(|column| column.name != "case_id")
        .filter(|column| rows.iter().any(|row| text(row.get(&column.name)).is_some()))
        .collect();
    let opens = asked.may(
        Action::SourceRead,
        &Resource::Rows { arrangement: Some(id), privacy: backstay_access::Privacy::Secret },
    );
    let heads: Vec<String> = filled.iter().map(|column| words(column)).collect();
    let mut heads: Vec<(&str, Set)> = heads.iter().map(|head| (head.as_str(), Set::Text)).collect();
    heads.push(("Record", Set::Text));
    let lines = rows.iter().take(EVENTS).map(|row| {
        let mut cells: Vec<_> = filled
            .iter()
            .map(|column| match text(row.get(&column.name)) {
                Some(text) => piece::title(&text),
                None => html! {},
            })
            .collect();
        let reference = text(row.get("_ref")).unwrap_or_default();
        cells.push(frame::references(&[reference], 1, 1, opens));
        cells
    });
    let up = asked.link(&format!("/arrangements/{}", segment(id)));
    let body = html! {
        (frame::crumbs(&[(asked.link("/"), html! { "Portfolio" }), (up, piece::name(id))]))
        div.scroll tabindex="0" role="region" aria-label="Events" { (piece::table(html! { "Events, in the order in which they happened; times in UTC" }, &heads, lines.collect())) }
        @if rows.len() > EVENTS { p.quiet { "Only the first " (EVENTS) " are shown." } }
    };
    Ok(Answer::page(format!("Case {case}"), body))
}
