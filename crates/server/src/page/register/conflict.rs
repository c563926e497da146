//! Somebody else was faster: what was seen, what stands now and what was entered, side by side, and the
//! choice between them column by column. Nothing is written here.

use backstay_desk::register::{
    self, Values,
    change::meanwhile,
    text::{fields, shown},
};
use backstay_evidence::vocabulary::Column;
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{
    field::VALUE,
    form::{Form, texts_of},
    row, row_name, row_path, words,
};
use crate::{
    answer::Answer,
    asked::{Asked, Texts},
    page::frame,
    problem::ProblemError,
};

/// One column on which the version that stands and the one entered differ.
struct Choice<'t> {
    column: &'t Column,
    now: Texts,
    mine: Texts,
    /// Somebody else changed it since.
    theirs: bool,
    /// The asker changed it.
    own: bool,
}

/// The choice; `key`: of the row that stands.
pub fn show(asked: &Asked<'_>, form: &Form<'_>, key: &str) -> Result<Answer, ProblemError> {
    let workspace = &asked.server.workspace;
    let found = meanwhile(workspace, form.table, key, form.expect, &form.seen)?;
    let none = Values::new();
    let seen = found.seen.as_ref().unwrap_or(&none);
    let stands = found.stands.as_ref().unwrap_or(&none);
    let choices = choices(form, seen, stands);
    let own = row_path(&form.table.name, key);
    let last = found.last.as_ref();
    let body = html! {
        (row::crumbs(form.table, &form.arrangement))
        p.note.bad role="alert" {
            "Nothing was written yet. "
            @match (form.expect, found.now) {
                (0, _) => "A row with this key stands already.",
                (_, 0) => "Somebody took this row away meanwhile.",
                _ => "Somebody changed this row while you had it open.",
            }
            @if let Some(last) = last { " That was ledger entry " (last.entry) ", " (piece::instant(last.recorded_at_us)) ", by " (piece::name(&last.actor)) @if let Some(reason) = last.reason.as_deref().filter(|reason| !reason.is_empty()) { ": " (piece::sentence(reason)) } "." }
        }
        (beside(form, seen, stands, found.now))
        @if found.now == 0 { (again(asked, form)) }
        @else if choices.iter().any(|choice| choice.own) {
            form method="post" action={ (own) "/edit" } {
                (frame::token(asked))
                input type="hidden" name="expect" value=(found.now);
                input type="hidden" name="reason" value=(form.reason);
                input type="hidden" name="zone" value=(form.zone);
                h2 { "Which is to stand?" }
                @for choice in choices.iter().filter(|choice| choice.own) { (one(choice)) }
                @if choices.iter().any(|choice| choice.theirs && !choice.own) { p { "What only the other changed stays as it stands now." } }
                p.actions { button name="step" value="preview" { "Show what will change" } a href=(own) { "Leave it as it stands now" } }
            }
        } @else {
            p { "What you entered stands already. " a href=(own) { "To the row" } }
        }
    };
    Ok(Answer::page(format!("Two versions of {}", row_name(form.table, key)), body))
}

fn choices<'t>(form: &Form<'t>, seen: &Values, stands: &Values) -> Vec<Choice<'t>> {
    let (before, now) = (texts_of(form.table, seen), texts_of(form.table, stands));
    let key: Vec<&str> =
        register::key_columns(form.table).iter().map(|column| column.name.as_str()).collect();
    let mut all = Vec::new();
    for column in form.columns() {
        if key.contains(&column.name.as_str()) {
            continue;
        }
        let of = |texts: &Texts| -> Texts {
            let own = fields(column).into_iter();
            own.map(|field| {
                let text = texts.get(&field).cloned().unwrap_or_default();
                (field, text)
            })
            .collect()
        };
        let (was, is, mine) = (of(&before), of(&now), of(&form.texts));
        // For a new row nothing was seen: what was left empty is no wish to empty it.
        let wished = mine != was && (form.expect > 0 || mine.values().any(|text| !text.is_empty()));
        let own = wished && mine != is;
        all.push(Choice { column, theirs: is != was, own, now: is, mine });
    }
    all
}

fn text(texts: &Texts) -> String {
    let parts: Vec<&str> = texts.values().map(String::as_str).filter(|t| !t.is_empty()).collect();
    parts.join(" ")
}

/// The two sides of one column, as a choice.
fn one(choice: &Choice<'_>) -> Markup {
    let both = choice.theirs;
    // An amount is chosen with its currency: the field of the amount names both.
    let name = format!("{VALUE}{}", choice.column.name);
    let line = |texts: &Texts, who: &str, checked: bool, id: &str| {
        let said = text(texts);
        html! {
            label.choice for=(id) {
                input type="radio" id=(id) name=(name) value=(said) checked[checked];
                " " (who) ": " @if said.is_empty() { span.quiet { "no value" } } @else { strong { (piece::title(&said)) } }
            }
        }
    };
    let id = |side: &str| format!("{side}.{}", choice.column.name);
    html! {
        fieldset {
            legend { (words(choice.column)) @if both { " " span.required { "changed by both" } } }
            (line(&choice.now, "as it stands now", false, &id("now")))
            (line(&choice.mine, "as you entered it", true, &id("mine")))
            @if choice.mine.len() > 1 { input type="hidden" name={ (name) "_currency" } value=""; }
        }
    }
}

/// What was seen, what stands, what was entered.
fn beside(form: &Form<'_>, seen: &Values, stands: &Values, now: u64) -> Markup {
    let before = texts_of(form.table, seen);
    let heads = [
        ("Column", Set::Text),
        ("You saw", Set::Wide),
        ("Stands now", Set::Wide),
        ("You entered", Set::Wide),
    ];
    let none = || html! { span.quiet { "no value" } };
    let lines = form.columns().into_iter().filter_map(|column| {
        let (was, is) = (shown(column, seen), shown(column, stands));
        let given: Texts = fields(column)
            .into_iter()
            .filter_map(|field| Some((field.clone(), form.texts.get(&field)?.clone())))
            .collect();
        let unchanged = given
            .iter()
            .all(|(field, text)| before.get(field).map(String::as_str).unwrap_or_default() == text);
        let mine = if unchanged { was.clone() } else { Some(text(&given)) };
        if was == is && mine == was {
            return None;
        }
        let cell = |text: &Option<String>| match text {
            Some(text) if !text.is_empty() => piece::title(text),
            _ => none(),
        };
        Some(vec![html! { (words(column)) }, cell(&was), cell(&is), cell(&mine)])
    });
    let caption = html! {
        @if form.expect > 0 { "The version of entry " (form.expect) " and " }
        @if now > 0 { "that of entry " (now) }
        @else { "no row now" }
    };
    piece::table(caption, &heads, lines.collect())
}

/// The row is gone: what was entered may be written as a new one.
fn again(asked: &Asked<'_>, form: &Form<'_>) -> Markup {
    let mut texts = form.texts.clone();
    if let Some(key) = &form.key {
        let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
        for (column, part) in register::key_columns(form.table).iter().zip(parts) {
            if let Some(part) = part {
                texts.entry(column.name.clone()).or_insert(part);
            }
        }
    }
    html! {
        form method="post" action={ (super::path(&form.table.name)) "/new" } {
            (frame::token(asked))
            input type="hidden" name="expect" value="0";
            input type="hidden" name="arrangement" value=(form.arrangement);
            input type="hidden" name="reason" value=(form.reason);
            input type="hidden" name="zone" value=(form.zone);
            (super::field::carried(&texts))
            p.actions { button name="step" value="preview" { "Write it as a new row all the same" } a href=(super::path(&form.table.name)) { "Leave it" } }
        }
    }
}
