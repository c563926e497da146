//! The SQL workbench: one SELECT over the arrangements and columns that the asker may query, its rows, and
//! the tables there are. It owns the page; what a query may do is the engine's.

use backstay_access::Action;
use backstay_desk::query::ask;
use backstay_engine::session::GuestLimits;
use backstay_report::{
    html::piece::{self, Set},
    listing::{Kind, Listing},
    rows::listing,
};
use maud::{Markup, html};
use serde_json::Value;

use super::frame;
use crate::{
    answer::Answer,
    api::rows::queried,
    asked::{Asked, segment},
    figures::period,
    problem::ProblemError,
};

/// Rows shown on the page; the files hold all.
const SHOWN: usize = 200;

/// The workbench.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    if asked.authority()?.visible_for(Action::SqlQuery).is_empty() {
        return Err(ProblemError::refused(Some("this asks for the right `sql:query`".to_owned())));
    }
    let Some(seen) = queried(asked)? else {
        return Ok(Answer::page("SQL", frame::nothing_yet()));
    };
    let of = period(asked, &seen)?;
    let sql = asked.query("q");
    let told = sql.map(|sql| ask(&seen, of, sql, GuestLimits::default()));
    let vocabulary = &seen.evidence.vocabulary;
    let body = html! {
        form.workbench method="get" {
            label for="q" { "One SELECT; it reads, and changes nothing" }
            textarea #q name="q" rows="7" spellcheck="false" required placeholder="SELECT * FROM measurement ORDER BY _ref" { (sql.unwrap_or_default()) }
            div.when {
                div { label for="period" { "Period" } input #period name="period" value=(asked.query("period").unwrap_or_default()) placeholder=(piece::period_words(of)); }
                div { label for="as_of" { "As known at (entry, day or instant)" } input #as_of name="as_of" value=(asked.query("as_of").unwrap_or_default()) placeholder="now"; }
                button { "Run" }
            }
        }
        @match told {
            None => { p.quiet { "The period is there as " code { "$period_first" } ", " code { "$period_start" } " and " code { "$period_end" } ". At most 30 seconds, a gibibyte and a million rows." } }
            Some(Err(error)) => {
                p.note.bad role="alert" { (piece::sentence(&error.to_string())) @if let Some(help) = error.help() { br; (piece::sentence(help)) } }
            }
            Some(Ok(found)) => { (rows(asked, &listing("query", &found.schema, &found.batches))) }
        }
        h2 { "Tables of evidence" }
        @for table in vocabulary.tables() {
            details { summary { code { (table.name) } " " (piece::title(&table.title)) }
                p { (piece::sentence(&table.about)) }
                p.quiet { @for (n, column) in table.columns.iter().enumerate() { @if n > 0 { ", " } code { (column.name) } } }
            }
        }
    };
    Ok(Answer::page("SQL", body))
}

fn rows(asked: &Asked<'_>, found: &Listing) -> Markup {
    let heads: Vec<(&str, Set)> = found
        .columns
        .iter()
        .map(|column| {
            let figure = matches!(column.kind, Kind::Whole | Kind::Decimal);
            (column.name.as_str(), if figure { Set::Figure } else { Set::Text })
        })
        .collect();
    let lines = found.rows.iter().take(SHOWN);
    let lines = lines.map(|row| row.iter().map(cell).collect());
    let caption = match found.rows.len() > SHOWN {
        true => format!("The first {SHOWN} of {} rows", found.rows.len()),
        false => backstay_report::figure::counted(
            i64::try_from(found.rows.len()).unwrap_or(i64::MAX),
            "row",
        ),
    };
    html! {
        (frame::saves(asked, "/api/v1/sql"))
        (piece::table(html! { (caption) }, &heads, lines.collect()))
    }
}

fn cell(value: &Value) -> Markup {
    let linked = |text: &str| -> Option<Markup> {
        let (entry, record) = text.split_once(':')?;
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        (number(entry) && number(record))
            .then(|| html! { a.ref href={ "/rows/" (segment(text)) } { (text) } })
    };
    match value {
        Value::Null => html! { span.quiet { "null" } },
        Value::String(text) => linked(text).unwrap_or_else(|| piece::name(text)),
        Value::Array(items) => {
            html! { @for (n, item) in items.iter().enumerate() { @if n > 0 { " " } (cell(item)) } }
        }
        other => html! { (other.to_string()) },
    }
}
