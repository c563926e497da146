//! Coming in and going: password, second factor, one-time link, signing out; and the style sheet, which
//! is open to everybody. It never says which part of what was given is wrong.

use backstay_access::Secret;
use backstay_report::html::piece;
use backstay_store::{CodeVerdict, SignIn};
use maud::{Markup, html};

use super::frame;
use crate::{answer::Answer, asked::Asked, guard, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// The style sheet.
pub fn style(asked: &Asked<'_>) -> Done {
    let (text, digest) = frame::style();
    match asked.part("digest").strip_suffix(".css") {
        Some(named) if named == digest => Ok(Answer::Style(text)),
        _ => Err(ProblemError::nothing("style sheet")),
    }
}

/// The page on which one signs in.
pub fn show(asked: &Asked<'_>) -> Done {
    if asked.visitor.is_some() {
        return Ok(Answer::see("/"));
    }
    Ok(form(asked, None))
}

fn form(asked: &Asked<'_>, wrong: Option<&str>) -> Answer {
    let body = html! {
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        form.narrow method="post" action="/sign-in" {
            (frame::token(asked))
            (field("email", "Mail address", "email", "username"))
            (field("password", "Password", "password", "current-password"))
            button { "Sign in" }
        }
        p.quiet { "No password yet, or lost it? An administrator makes you a one-time link." }
    };
    Answer::page("Sign in", body)
}

/// A labelled field of a form.
pub fn field(name: &str, label: &str, kind: &str, complete: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) autocomplete=(complete) required;
        }
    }
}

fn come_in(asked: &Asked<'_>, session: &Secret, until_us: i64, to: &str) -> Answer {
    let seconds = (until_us - asked.now_us).max(0) / 1_000_000;
    let cookie =
        guard::set_cookie(guard::SESSION, session.text(), seconds, asked.server.ports.secure);
    Answer::See { to: to.to_owned(), cookies: vec![cookie] }
}

const WAIT: &str = "Too many attempts: wait a while, then try again.";

/// A password was given.
pub fn sign_in(asked: &Asked<'_>) -> Done {
    let accounts = asked.server.workspace.accounts();
    let (email, password) = (asked.field("email"), asked.field("password"));
    let peer = asked.call.peer.as_str();
    Ok(match asked.with_context(|ctx| accounts.sign_in(email, password, peer, ctx))? {
        SignIn::In { session, until_us } => come_in(asked, &session, until_us, "/"),
        SignIn::AwaitsCode { session, until_us } => {
            come_in(asked, &session, until_us, "/sign-in/code")
        }
        SignIn::Refused => form(asked, Some("Mail address or password is wrong.")),
        SignIn::Wait { .. } => form(asked, Some(WAIT)),
    })
}

/// The page that asks for a code.
pub fn show_code(asked: &Asked<'_>) -> Done {
    Ok(code_form(asked, None))
}

fn code_form(asked: &Asked<'_>, wrong: Option<&str>) -> Answer {
    let body = html! {
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        p { "Give the code that your authenticator shows, or one of your recovery codes." }
        form.narrow method="post" action="/sign-in/code" {
            (frame::token(asked))
            (field("code", "Code", "text", "one-time-code"))
            button { "Go on" }
        }
    };
    Answer::page("Second factor", body)
}

/// A code was given.
pub fn give_code(asked: &Asked<'_>) -> Done {
    let accounts = asked.server.workspace.accounts();
    let waiting = guard::cookie(&asked.call.headers, guard::SESSION).unwrap_or_default();
    let (code, peer) = (asked.field("code"), asked.call.peer.as_str());
    Ok(match asked.with_context(|ctx| accounts.give_code(&waiting, code, peer, ctx))? {
        CodeVerdict::In { session, until_us, .. } => come_in(asked, &session, until_us, "/"),
        CodeVerdict::Refused => {
            code_form(asked, Some("That code is wrong or was used; or begin again by signing in."))
        }
        CodeVerdict::Wait { .. } => code_form(asked, Some(WAIT)),
    })
}

/// The page behind a one-time link: looking at it does not use it up.
pub fn show_link(asked: &Asked<'_>) -> Done {
    let secret = asked.part("secret");
    let owner = asked.server.workspace.accounts().link_owner(secret, asked.now_us)?;
    let Some(owner) = owner else {
        return Ok(Answer::page(
            "This link lets nobody in",
            html! {
                p.lead { "It was used, it ended, or it never was one." }
                p { "Ask an administrator for another; whoever runs the server gets one for the first administrator by "
                    code { "backstay serve" } "." }
            },
        ));
    };
    let body = html! {
        p.lead { "This link lets " strong { (piece::name(&owner.name)) } " in, once." }
        form method="post" action={ "/enter/" (crate::asked::segment(secret)) } {
            (frame::token(asked))
            button { "Come in" }
        }
    };
    Ok(Answer::page("Welcome", body))
}

/// A one-time link is used.
pub fn by_link(asked: &Asked<'_>) -> Done {
    let accounts = asked.server.workspace.accounts();
    let secret = asked.part("secret");
    Ok(match asked.with_context(|ctx| accounts.enter(secret, ctx))? {
        SignIn::In { session, until_us } => come_in(asked, &session, until_us, "/account/password"),
        SignIn::AwaitsCode { session, until_us } => {
            come_in(asked, &session, until_us, "/sign-in/code")
        }
        SignIn::Refused | SignIn::Wait { .. } => return show_link(asked),
    })
}

/// The session ends.
pub fn sign_out(asked: &Asked<'_>) -> Done {
    if let Some(session) = guard::cookie(&asked.call.headers, guard::SESSION) {
        asked.server.workspace.accounts().sign_out(&session)?;
    }
    let ended = guard::set_cookie(guard::SESSION, "", 0, asked.server.ports.secure);
    Ok(Answer::See { to: "/sign-in".to_owned(), cookies: vec![ended] })
}
