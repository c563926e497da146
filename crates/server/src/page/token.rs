//! The own API tokens: made, shown once, ended; and the other sessions, ended.

use std::collections::BTreeSet;

use backstay_report::html::piece;
use backstay_store::{NewToken, StoreError, account::TOKEN_MOST_DAYS};
use maud::html;

use super::{
    frame,
    people::{account::token_table, change::in_words},
};
use crate::{answer::Answer, asked::Asked, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

const DAY_US: i64 = 86_400_000_000;
/// What the form calls the box of an arrangement.
const ONLY: &str = "only.";

/// The tokens.
pub fn show(asked: &Asked<'_>) -> Done {
    page(asked, None)
}

fn page(asked: &Asked<'_>, wrong: Option<&str>) -> Done {
    let account = &asked.visitor()?.account;
    let tokens = asked.server.workspace.accounts().tokens(&account.id)?;
    let visible: BTreeSet<String> = asked.authority()?.visible();
    let days = asked.field("days");
    let days = if days.is_empty() { "90" } else { days };
    let body = html! {
        (frame::crumbs(&[("/account".to_owned(), html! { "Your account" })]))
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (piece::sentence(wrong)) } }
        p.lead { "A token lets a program read and write evidence in your name, by " code { "/api/v1" } ". It never may more than you may at that moment." }
        @if tokens.is_empty() { p { "You have none." } }
        @else {
            (token_table(&tokens, asked.now_us, |id| html! {
                form method="post" action="/account/tokens/end" { (frame::token(asked)) input type="hidden" name="id" value=(id); button.second { "End" span.only-read { " token " (id) } } }
            }))
        }
        h2 { "A new one" }
        form.narrow method="post" action="/account/tokens" {
            (frame::token(asked))
            div.field { label for="title" { "What it is for" } input #title name="title" required maxlength="200" value=(asked.field("title")) autocomplete="off"; }
            div.field { label for="days" { "Days it lasts" } input #days name="days" inputmode="numeric" required value=(days) aria-describedby="about.days"; p.hint id="about.days" { "1 to " (TOKEN_MOST_DAYS) } }
            p { label.check { input type="checkbox" name="read_only" value="yes" checked[asked.field("title").is_empty() || asked.field("read_only") == "yes"]; " It may only read" } }
            @if !visible.is_empty() {
                fieldset {
                    legend { "Only these arrangements; none ticked: all that you see" }
                    @for id in &visible { p { label.check { input type="checkbox" name={ (ONLY) (id) } value="yes" checked[asked.field(&format!("{ONLY}{id}")) == "yes"]; " " (piece::name(id)) } } }
                }
            }
            button { "Make the token" }
        }
    };
    Ok(Answer::page("API tokens", body))
}

/// Makes one, shown this once.
pub fn make(asked: &Asked<'_>) -> Done {
    let account = &asked.visitor()?.account;
    let Ok(days) = asked.field("days").trim().parse::<i64>() else {
        return page(asked, Some("The days are a whole number."));
    };
    let visible = asked.authority()?.visible();
    let named = asked.call.form.iter().filter(|(_, value)| *value == "yes");
    let named: Vec<String> =
        named.filter_map(|(name, _)| name.strip_prefix(ONLY)).map(str::to_owned).collect();
    if named.iter().any(|id| !visible.contains(id)) {
        return page(asked, Some("One of the arrangements is not open to you."));
    }
    let new = NewToken {
        title: asked.field("title").to_owned(),
        lasts_us: days.saturating_mul(DAY_US),
        read_only: asked.field("read_only") == "yes",
        arrangements: (!named.is_empty()).then_some(named),
    };
    let accounts = asked.server.workspace.accounts();
    let made = asked
        .with_context(|ctx| Ok::<_, StoreError>(accounts.make_token(&account.id, &new, ctx)))?;
    let (secret, view) = match made {
        Ok(made) => made,
        Err(error) => return page(asked, Some(&in_words(error)?)),
    };
    let body = html! {
        (frame::crumbs(&[("/account".to_owned(), html! { "Your account" }), ("/account/tokens".to_owned(), html! { "API tokens" })]))
        p.lead { "This is the token " code { (view.id) } " for " (piece::title(&view.title)) ". It is not shown again." }
        p { code.long { (secret.text()) } }
        p { "A program sends it with every request: " code { "Authorization: Bearer …" } ". It ends " (piece::instant(view.until_us)) "." }
    };
    Ok(Answer::page("A new API token", body))
}

/// Ends one.
pub fn end(asked: &Asked<'_>) -> Done {
    let account = &asked.visitor()?.account;
    match asked.server.workspace.accounts().end_token(&account.id, asked.field("id")) {
        Ok(()) => Ok(Answer::see("/account/tokens")),
        Err(error) => page(asked, Some(&in_words(error)?)),
    }
}

/// Ends all sessions but this one.
pub fn end_others(asked: &Asked<'_>) -> Done {
    let visitor = asked.visitor()?;
    // Without a session of one's own there is nothing to keep, and nobody comes here.
    let Some(own) = visitor.session else { return Err(ProblemError::sign_in()) };
    asked.server.workspace.accounts().end_sessions(&visitor.account.id, Some(own))?;
    Ok(Answer::see("/account"))
}
