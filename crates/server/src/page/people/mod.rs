//! Accounts and what they were granted, for those who may read them.

pub mod account;
pub mod change;
pub mod fresh;

use backstay_access::{Action, Grant, Resource};
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use crate::{answer::Answer, asked::Asked, problem::ProblemError};

/// The list.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let accounts = asked.server.workspace.accounts().list()?;
    let administers = administers(asked)?;
    let heads = [
        ("Name", Set::Wide),
        ("Mail address", Set::Text),
        ("Of the provider", Set::Text),
        ("Grants", Set::Wide),
        ("Signs in by", Set::Text),
        ("State", Set::Text),
        ("Made", Set::Text),
    ];
    let rows = accounts.iter().map(|account| {
        let by = match (account.has_password, account.has_factor) {
            (true, true) => "password and second factor",
            (true, false) => "password",
            (false, _) => "link only",
        };
        vec![
            html! { a href={ "/people/" (account.id) } { (piece::name(&account.name)) } span.sub { (account.id) } },
            piece::name(&account.email),
            html! { @if let Some(provider) = &account.provider { (piece::name(provider)) } },
            html! {
                @for (n, grant) in account.grants.iter().enumerate() { @if n > 0 { "; " } (grant.role.title()) " on " (piece::name(&grant.scope.to_string())) }
                @if account.grants.is_empty() { span.quiet { "none" } }
            },
            html! { (by) },
            html! { @if account.disabled { "disabled" } @else { "open" } },
            html! { span.nowrap { (piece::instant(account.created_us)) } },
        ]
    });
    let body = html! {
        @if asked.may(Action::AccountAdd, &Resource::Workspace) { p { a.press href="/people/new" { "New account" } } }
        @else if administers { (factor_first()) }
        (piece::table(html! { "Accounts, by mail address" }, &heads, rows.collect()))
        p.quiet { "Who was given which right, by whom and when, stands in the ledger." }
    };
    Ok(Answer::page("People", body))
}

/// Whether the asker is an administrator, with or without a second factor.
fn administers(asked: &Asked<'_>) -> Result<bool, ProblemError> {
    let grants = &asked.visitor()?.account.grants;
    Ok(grants.iter().any(|grant| grant.role == backstay_access::Role::Administrator))
}

/// What an administrator without a second factor is told.
pub fn factor_first() -> Markup {
    html! { p.note { "Changing accounts asks for a sign-in with a second factor. " a href="/account/factor" { "Set one up" } ", and you can go on at once." } }
}

/// What an account was granted.
pub fn grants(grants: &[Grant]) -> Markup {
    let heads = [("Role", Set::Text), ("On", Set::Text), ("For", Set::Wide)];
    let rows = grants.iter().map(|grant| {
        vec![
            html! { (grant.role.title()) },
            piece::name(&grant.scope.to_string()),
            html! { (grant.role.about()) },
        ]
    });
    piece::table(html! { "What you were granted" }, &heads, rows.collect())
}
