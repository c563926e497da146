//! The fields of a form, made from the vocabulary: for each type of column the input that fits it, what
//! it means beside it, and what is wrong with it. It never decides whether a value is one.

use backstay_desk::register::{
    self, Sight,
    text::{CURRENCY, fields},
};
use backstay_evidence::vocabulary::{Column, ColumnType};
use backstay_report::html::piece;
use backstay_store::Refusal;
use maud::{Markup, html};

use super::words;
use crate::{
    asked::{Asked, Texts},
    problem::ProblemError,
};

/// What the form calls the value of a field.
pub const VALUE: &str = "v.";
/// Ids up to which a reference is offered with their titles.
const OFFERED: usize = 500;

/// Where values of references are looked up.
pub struct Ground<'a, 'b> {
    /// The request.
    pub asked: &'b Asked<'a>,
    /// What is seen of rows.
    pub sight: &'b Sight,
    /// The arrangement of the row; empty for a shared table.
    pub arrangement: &'b str,
}

/// The values of a form, by field.
pub fn given(asked: &Asked<'_>) -> Texts {
    let fields = asked.call.form.iter();
    let values = fields.filter_map(|(name, text)| {
        Some((name.strip_prefix(VALUE)?.to_owned(), text.trim().to_owned()))
    });
    values.collect()
}

/// One column with its input.
///
/// # Errors
/// Those of the database.
pub fn field(
    ground: &Ground<'_, '_>,
    column: &Column,
    texts: &Texts,
    refusals: &[Refusal],
) -> Result<Markup, ProblemError> {
    let wrong: Vec<&str> = refusals
        .iter()
        .filter(|refusal| refusal.column.as_ref() == Some(&column.name))
        .map(|refusal| refusal.reason.as_str())
        .collect();
    let id = format!("{VALUE}{}", column.name);
    let (about, error) = (format!("about.{}", column.name), format!("wrong.{}", column.name));
    let described = if wrong.is_empty() { about.clone() } else { format!("{error} {about}") };
    let look = Look { id: &id, described: &described, wrong: !wrong.is_empty() };
    Ok(html! {
        div.field {
            label for=(id) {
                (words(column))
                @if let Some(unit) = column.unit.as_ref().filter(|unit| !column.name.contains(unit.as_str())) { ", " (unit) }
                @if column.required { " " span.required { "required" } }
            }
            @for reason in &wrong { p.wrong id=(error) { (piece::sentence(&capital(reason))) } }
            (input(ground, column, texts, &look)?)
            p.hint id=(about) {
                (piece::sentence(&column.about)) (how(column))
                @if let Some(example) = &column.example { " Example: " code { (example) } }
            }
        }
    })
}

struct Look<'l> {
    id: &'l str,
    described: &'l str,
    wrong: bool,
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// How a value of this type is written.
fn how(column: &Column) -> &'static str {
    match column.kind {
        ColumnType::Text if column.list => " Several are separated by |.",
        ColumnType::Duration => " Written as 4h, 90m or 1h30m.",
        ColumnType::Instant => " Date, time and offset; without offset the zone below counts.",
        ColumnType::Person => " An id of the person, kept as a pseudonym; or a pseudonym.",
        ColumnType::Country => " Two letters (ISO 3166-1).",
        ColumnType::Attributes => " One JSON object of texts.",
        _ => "",
    }
}

fn input(
    ground: &Ground<'_, '_>,
    column: &Column,
    texts: &Texts,
    look: &Look<'_>,
) -> Result<Markup, ProblemError> {
    let text = |field: &str| texts.get(field).map(String::as_str).unwrap_or_default();
    let now = text(&column.name);
    let Look { id, described, wrong } = *look;
    let invalid = wrong.then_some("true");
    let plain = |kind: &str, mode: Option<&str>| {
        html! { input id=(id) name=(id) type=(kind) inputmode=[mode] value=(now) required[column.required] aria-describedby=(described) aria-invalid=[invalid]; }
    };
    let choice = |values: &[(&str, &str)]| {
        html! {
            select id=(id) name=(id) required[column.required] aria-describedby=(described) aria-invalid=[invalid] {
                option value="" { "(none)" }
                @if !now.is_empty() && !values.iter().any(|(value, _)| value.eq_ignore_ascii_case(now)) { option value=(now) selected { (now) } }
                @for (value, word) in values { option value=(value) selected[value.eq_ignore_ascii_case(now)] { (word) } }
            }
        }
    };
    Ok(match column.kind {
        ColumnType::Boolean => choice(&[("true", "yes"), ("false", "no")]),
        ColumnType::Enumeration => {
            let values: Vec<_> = column.values.iter().map(|v| (v.as_str(), v.as_str())).collect();
            choice(&values)
        }
        ColumnType::LanguageLevel => {
            choice(&["A1", "A2", "B1", "B2", "C1", "C2"].map(|level| (level, level)))
        }
        // A browser shows no text in a field for dates that is none: then it stays a text.
        ColumnType::Date if now.is_empty() || is_date(now) => plain("date", None),
        ColumnType::Integer => plain("text", Some("numeric")),
        ColumnType::Decimal => plain("text", Some("decimal")),
        ColumnType::Money => {
            let currency = format!("{}{CURRENCY}", column.name);
            let of = format!("{VALUE}{currency}");
            html! {
                span.pair {
                    (plain("text", Some("decimal")))
                    input id=(of) name=(of) value=(text(&currency)) maxlength="3" placeholder="EUR" aria-label={ "Currency of " (words(column)) };
                }
            }
        }
        ColumnType::Reference => reference(ground, column, now, look)?,
        ColumnType::Attributes => html! {
            textarea id=(id) name=(id) rows="3" aria-describedby=(described) aria-invalid=[invalid] { (now) }
        },
        _ => plain("text", None),
    })
}

fn is_date(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [year, month, day] if year.len() == 4 && month.len() == 2 && day.len() == 2 && digits(year) && digits(month) && digits(day))
}

/// A reference: the ids that are known are offered, and another may be written.
fn reference(
    ground: &Ground<'_, '_>,
    column: &Column,
    now: &str,
    look: &Look<'_>,
) -> Result<Markup, ProblemError> {
    let to = column.to.as_deref().unwrap_or_default();
    let workspace = &ground.asked.server.workspace;
    let ids = register::known_ids(workspace, to, ground.arrangement, ground.sight)?;
    let list = format!("ids.{}", column.name);
    let Look { id, described, wrong } = *look;
    Ok(html! {
        input id=(id) name=(id) value=(now) list=(list) autocomplete="off" required[column.required] aria-describedby=(described) aria-invalid=[wrong.then_some("true")];
        datalist id=(list) { @for (value, title) in ids.iter().take(OFFERED) { option value=(value) { (title) } } }
    })
}

/// Every field of these columns, hidden, as it is.
pub fn carried(texts: &Texts) -> Markup {
    html! { @for (name, text) in texts { input type="hidden" name={ (VALUE) (name) } value=(text); } }
}

/// The fields of a column that were given and differ from what was shown.
pub fn changed(column: &Column, texts: &Texts, shown: &Texts) -> Vec<(String, String)> {
    let fields = fields(column);
    let of = |field: &String| {
        let before = shown.get(field).map(String::as_str).unwrap_or_default();
        texts.get(field).is_some_and(|text| text != before)
    };
    if !fields.iter().any(of) {
        return Vec::new();
    }
    // An amount goes with its currency, whichever of the two was changed.
    let now = |field: String| {
        let text = texts.get(&field).or_else(|| shown.get(&field)).cloned().unwrap_or_default();
        (field, text)
    };
    fields.into_iter().map(now).collect()
}
