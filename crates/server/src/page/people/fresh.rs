//! A new account, with its first role and the link that lets its owner in.

use backstay_report::html::piece;
use backstay_store::{NewAccount, StoreError, account::LINK_US};
use maud::html;

use super::{
    account::{grant_fields, reason},
    change::{grant_of, in_words, shown},
};
use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

/// The form.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    form(asked, asked.query("provider"), None)
}

fn form(
    asked: &Asked<'_>,
    provider: Option<&str>,
    wrong: Option<&str>,
) -> Result<Answer, ProblemError> {
    let portfolio = asked.server.workspace.portfolio()?;
    let body = html! {
        (frame::crumbs(&[("/people".to_owned(), html! { "People" })]))
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (piece::sentence(wrong)) } }
        form.when method="get" {
            div { label for="provider" { "Whose person" }
                select #provider name="provider" {
                    option value="" { "the client's side" }
                    @for id in portfolio.providers() { option value=(id) selected[provider == Some(id)] { "provider " (id) } }
                }
            }
            button.second { "Choose" }
        }
        form.narrow method="post" action="/people/new" {
            (frame::token(asked))
            input type="hidden" name="provider" value=(provider.unwrap_or_default());
            div.field { label for="name" { "Name" } input #name name="name" required value=(asked.field("name")) autocomplete="off"; }
            div.field { label for="email" { "Mail address" } input #email name="email" type="email" required value=(asked.field("email")) autocomplete="off"; }
            (grant_fields(asked, provider)?)
            (reason())
            button { "Make the account and its link" }
        }
        p.quiet { "More roles are given on the account's own page. Its owner comes in by the link and sets a password." }
    };
    Ok(Answer::page("New account", body))
}

/// Makes it.
pub fn make(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let provider = Some(asked.field("provider").trim()).filter(|id| !id.is_empty());
    let grant = match grant_of(asked) {
        Ok(grant) => grant,
        Err(wrong) => return form(asked, provider, Some(&wrong)),
    };
    let new = NewAccount {
        email: asked.field("email").to_owned(),
        name: asked.field("name").to_owned(),
        provider: provider.map(str::to_owned),
        grants: vec![grant],
        reason: asked.field("reason").to_owned(),
    };
    let accounts = asked.server.workspace.accounts();
    let made = asked.with_context(|ctx| {
        let account = match accounts.add(&new, ctx) {
            Ok(account) => account,
            Err(error) => return Ok(Err(error)),
        };
        accounts.link(&account.id, LINK_US, &new.reason, ctx).map(Ok::<_, StoreError>)
    })?;
    match made {
        Ok(link) => Ok(shown(&link)),
        Err(error) => form(asked, provider, Some(&in_words(error)?)),
    }
}
