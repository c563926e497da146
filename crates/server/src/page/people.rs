//! Accounts and what they were granted, for those who may read them.

use backstay_access::Grant;
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use crate::{answer::Answer, asked::Asked, problem::ProblemError};

/// The list.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let accounts = asked.server.workspace.accounts().list()?;
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
            html! { (piece::name(&account.name)) span.sub { (account.id) } },
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
        (piece::table(html! { "Accounts, by mail address" }, &heads, rows.collect()))
        p.quiet { "Who was given which right, by whom and when, stands in the ledger." }
    };
    Ok(Answer::page("People", body))
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
