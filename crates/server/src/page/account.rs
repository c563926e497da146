//! The own account: what it was granted, its password, its second factor.

use backstay_access::TotpSecret;
use backstay_report::html::piece::{self, Set};
use maud::html;

use super::{enter::field, frame};
use crate::{answer::Answer, asked::Asked, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// What the account is.
pub fn show(asked: &Asked<'_>) -> Done {
    let visitor = asked.visitor()?;
    let account = &visitor.account;
    let sessions = asked.server.workspace.accounts().sessions(&account.id, asked.now_us)?;
    let sessions: Vec<_> = sessions
        .iter()
        .map(|held| {
            let factor = if held.second_factor { "given" } else { "not given" };
            vec![
                html! { (piece::instant(held.created_us)) },
                html! { (piece::instant(held.seen_us)) },
                html! { (piece::instant(held.until_us)) },
                html! { (factor) },
            ]
        })
        .collect();
    let others = sessions.len() > 1;
    let heads = [
        ("Signed in", Set::Text),
        ("Last used", Set::Text),
        ("Ends", Set::Text),
        ("Second factor", Set::Text),
    ];
    let body = html! {
        dl.facts {
            div { dt { "Name" } dd { (piece::name(&account.name)) } }
            div { dt { "Mail address" } dd { (piece::name(&account.email)) } }
            div { dt { "Account" } dd { code { (account.id) } } }
            @if let Some(provider) = &account.provider { div { dt { "Of the provider" } dd { (piece::name(provider)) } } }
            div { dt { "Password" } dd { a href="/account/password" { @if account.has_password { "Change it" } @else { "Set one" } } } }
            div { dt { "API tokens" } dd { a href="/account/tokens" { "Yours, and a new one" } } }
            div { dt { "Second factor" } dd { a href="/account/factor" { @if account.has_factor { "On; set up another" } @else { "Set one up" } } } }
        }
        (super::people::grants(&account.grants))
        (piece::table(html! { "Where you are signed in" }, &heads, sessions))
        @if others { form method="post" action="/account/sessions" { (frame::token(asked)) button.second { "End all but this one" } } }
    };
    Ok(Answer::page("Your account", body))
}

/// The page on which a password is set.
pub fn show_password(asked: &Asked<'_>) -> Done {
    password_form(asked, None)
}

fn password_form(asked: &Asked<'_>, wrong: Option<&str>) -> Done {
    let visitor = asked.visitor()?;
    let body = html! {
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        @if visitor.must_set_password { p.note { "Set a password, so that you can come in without a link." } }
        p { "At least " (backstay_access::MIN_PASSWORD_CHARS) " characters; several words you will remember are a good one." }
        form.narrow method="post" action="/account/password" {
            (frame::token(asked))
            // So that a password store knows whose password it is.
            input type="text" name="username" autocomplete="username" value=(visitor.account.email) hidden;
            @if !visitor.by_link { (field("old", "Present password", "password", "current-password")) }
            (field("new", "New password", "password", "new-password"))
            (field("again", "New password, again", "password", "new-password"))
            button { "Set password" }
        }
    };
    Ok(Answer::page("Password", body))
}

/// A new password was given.
pub fn set_password(asked: &Asked<'_>) -> Done {
    let visitor = asked.visitor()?;
    let (old, new) = (asked.field("old"), asked.field("new"));
    if new != asked.field("again") {
        return password_form(asked, Some("The two new passwords differ."));
    }
    let accounts = asked.server.workspace.accounts();
    let peer = asked.call.peer.as_str();
    let done = asked.with_context(|ctx| accounts.set_password(visitor, Some(old), new, peer, ctx));
    match done {
        Ok(()) => Ok(Answer::see("/")),
        Err(error) if error.status.is_client_error() => password_form(asked, Some(&error.detail)),
        Err(error) => Err(error),
    }
}

/// A second factor is offered.
pub fn offer_factor(asked: &Asked<'_>) -> Done {
    let visitor = asked.visitor()?;
    let accounts = asked.server.workspace.accounts();
    let offer = asked.with_context(|ctx| accounts.offer_factor(visitor, ctx))?;
    factor_form(asked, &offer.secret.base32(), Some(&offer.uri), None)
}

fn factor_form(asked: &Asked<'_>, secret: &str, uri: Option<&str>, wrong: Option<&str>) -> Done {
    let body = html! {
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        ol {
            li { "Enter this key in your authenticator (time-based, six digits): " code { (secret) }
                @if let Some(uri) = uri { ". On a telephone, this opens it: " a href=(uri) { "add to the authenticator" } } "." }
            li { "Give the code that it shows now." }
        }
        form.narrow method="post" action="/account/factor" {
            (frame::token(asked))
            input type="hidden" name="secret" value=(secret);
            (field("code", "Code", "text", "one-time-code"))
            button { "Turn it on" }
        }
    };
    Ok(Answer::page("Second factor", body))
}

/// The offered second factor is proved.
pub fn confirm_factor(asked: &Asked<'_>) -> Done {
    let visitor = asked.visitor()?;
    let given = asked.field("secret");
    let Some(secret) = TotpSecret::parse(given) else {
        return Err(ProblemError::unclear("The key of the second factor is not one."));
    };
    let accounts = asked.server.workspace.accounts();
    let (code, peer) = (asked.field("code"), asked.call.peer.as_str());
    let done = asked.with_context(|ctx| accounts.confirm_factor(visitor, &secret, code, peer, ctx));
    match done {
        Ok(codes) => {
            let body = html! {
                p.lead { "The second factor is on. Keep these recovery codes where you can find them without your telephone; each works once, and they are not shown again." }
                ul { @for code in &codes { li { code { (code.text()) } } } }
                p { a href="/" { "To the portfolio" } }
            };
            Ok(Answer::page("Recovery codes", body))
        }
        Err(error) if error.status.is_client_error() => factor_form(
            asked,
            given,
            None,
            Some("That code does not fit the key; codes change every 30 seconds."),
        ),
        Err(error) => Err(error),
    }
}
