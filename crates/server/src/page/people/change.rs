//! What an administrator does to another's account: roles, links, second factor, sessions, tokens, state.
//! Each asks the policies about this very account first; what the store refuses is told on its page.

use backstay_access::{Action, Grant, Resource};
use backstay_report::html::piece;
use backstay_store::{Account, Ctx, NewLink, StoreError, account::LINK_US};
use maud::html;

use super::account::{named, page};
use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// The account, when the asker may do this to it. Whether there is such an account is not told before.
fn allowed(asked: &Asked<'_>, action: Action) -> Result<Account, ProblemError> {
    let decide = |id: &str, provider: Option<&str>| -> Result<(), ProblemError> {
        let decision = asked.authority()?.decide(action, &Resource::Account { id, provider });
        if decision.allowed { Ok(()) } else { Err(ProblemError::refused(decision.refusal)) }
    };
    decide(asked.part("account"), None)?;
    let account = named(asked)?;
    decide(&account.id, account.provider.as_deref())?;
    Ok(account)
}

/// What the store refuses that somebody can do something about, in words.
///
/// # Errors
/// Everything else.
pub fn in_words(error: StoreError) -> Result<String, ProblemError> {
    match &error {
        StoreError::Grant(_)
        | StoreError::LastAdministrator(_)
        | StoreError::AccountDisabled(_)
        | StoreError::NotGranted { .. }
        | StoreError::EmailTaken(_)
        | StoreError::BadEmail(_)
        | StoreError::BadName
        | StoreError::NoReason
        | StoreError::NoToken(_)
        | StoreError::Lifetime { .. } => {
            let text = error.to_string();
            let mut letters = text.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            Ok(format!("{first}{}.", letters.as_str()))
        }
        _ => Err(error.into()),
    }
}

/// Does something to the account, then shows it with a word on what was done.
fn done(
    asked: &Asked<'_>,
    account: &Account,
    work: impl FnOnce(&mut Ctx<'_>) -> Result<&'static str, StoreError>,
) -> Done {
    match asked.with_context(|ctx| Ok::<_, StoreError>(work(ctx)))? {
        Ok(word) => Ok(Answer::see(format!("/people/{}?done={word}", account.id))),
        Err(error) => page(asked, account, Some(&in_words(error)?)),
    }
}

/// Whether the box was ticked that says that somebody means it.
fn sure(asked: &Asked<'_>) -> bool {
    asked.field("sure") == "yes"
}

const UNSURE: &str = "Nothing was changed: tick the box that says that you mean it.";

/// The grant that a form names.
///
/// # Errors
/// Words that are no role or no scope, as they are told to people.
pub fn grant_of(asked: &Asked<'_>) -> Result<Grant, String> {
    if asked.field("role").is_empty() || asked.field("scope").is_empty() {
        return Err("Choose a role and what it is on.".to_owned());
    }
    let role = asked.field("role").parse().map_err(|error| format!("{error}"));
    let scope = asked.field("scope").parse().map_err(|error| format!("{error}"));
    Ok(Grant::new(role?, scope?))
}

/// Gives a role, or takes it away.
pub fn grants(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::AccountGrant)?;
    let grant = match grant_of(asked) {
        Ok(grant) => grant,
        Err(wrong) => return page(asked, &account, Some(&wrong)),
    };
    let (accounts, why) = (asked.server.workspace.accounts(), asked.field("reason"));
    done(asked, &account, |ctx| match asked.field("step") {
        "take" => accounts.revoke(&account.id, &grant, why, ctx).map(|_| "taken"),
        _ => {
            let entry = accounts.grant(&account.id, &grant, why, ctx)?;
            Ok(if entry.is_some() { "granted" } else { "same" })
        }
    })
}

/// Disables or enables.
pub fn state(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::AccountDisable)?;
    let (accounts, why) = (asked.server.workspace.accounts(), asked.field("reason"));
    match asked.field("step") {
        "enable" => done(asked, &account, |ctx| {
            let entry = accounts.enable(&account.id, why, ctx)?;
            Ok(if entry.is_some() { "enabled" } else { "same" })
        }),
        _ if !sure(asked) => page(asked, &account, Some(UNSURE)),
        _ => done(asked, &account, |ctx| {
            let entry = accounts.disable(&account.id, why, ctx)?;
            Ok(if entry.is_some() { "disabled" } else { "same" })
        }),
    }
}

/// Makes a one-time link, shown this once.
pub fn link(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::AccountLink)?;
    let (accounts, why) = (asked.server.workspace.accounts(), asked.field("reason"));
    let made = asked
        .with_context(|ctx| Ok::<_, StoreError>(accounts.link(&account.id, LINK_US, why, ctx)))?;
    match made {
        Ok(link) => Ok(shown(&link)),
        Err(error) => page(asked, &account, Some(&in_words(error)?)),
    }
}

/// The page on which a link is shown, once.
pub fn shown(link: &NewLink) -> Answer {
    let body = html! {
        (frame::crumbs(&[("/people".to_owned(), html! { "People" }), (format!("/people/{}", link.account.id), piece::name(&link.account.name))]))
        p.lead { "This lets " (piece::name(&link.account.name)) " in once, until " (piece::instant(link.until_us)) ". It is not shown again." }
        p { code.long { (link.path()) } }
        p { "Put the address of this server before it, and hand it over by a way that only its owner reads. Looking at it does not use it up." }
        p { "That it was made is entry " (link.entry) " of the ledger." }
    };
    Answer::page("One-time link", body)
}

/// Takes a lost second factor away.
pub fn factor(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::AccountLink)?;
    if !sure(asked) {
        return page(asked, &account, Some(UNSURE));
    }
    let (accounts, why) = (asked.server.workspace.accounts(), asked.field("reason"));
    done(asked, &account, |ctx| accounts.remove_factor(&account.id, why, ctx).map(|_| "factor"))
}

/// Ends all sessions.
pub fn sessions(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::SessionRevoke)?;
    let accounts = asked.server.workspace.accounts();
    done(asked, &account, |_| accounts.end_sessions(&account.id, None).map(|_| "sessions"))
}

/// Ends an API token.
pub fn tokens(asked: &Asked<'_>) -> Done {
    let account = allowed(asked, Action::TokenRevoke)?;
    let accounts = asked.server.workspace.accounts();
    done(asked, &account, |_| accounts.end_token(&account.id, asked.field("id")).map(|()| "tokens"))
}
