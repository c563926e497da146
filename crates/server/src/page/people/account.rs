//! One account: what it was granted and sees, where it is signed in, and what an administrator may do
//! about it. Nothing is changed here.

use backstay_access::{Action, Grant, Resource, Role, Scope, Visit};
use backstay_report::html::piece::{self, Set};
use backstay_store::{Account, SessionView, StoreError, TokenView};
use maud::{Markup, html};

use super::{administers, factor_first};
use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

/// The account that the path names.
///
/// # Errors
/// When there is none.
pub fn named(asked: &Asked<'_>) -> Result<Account, ProblemError> {
    match asked.server.workspace.accounts().find(asked.part("account")) {
        // By its id alone: a mail address is no address of a page.
        Ok(account) if account.id == asked.part("account") => Ok(account),
        Ok(_) | Err(StoreError::NoAccount(_)) => Err(ProblemError::nothing("account")),
        Err(error) => Err(error.into()),
    }
}

/// The account.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let account = named(asked)?;
    page(asked, &account, None)
}

/// Whether the asker may do this to the account.
fn may(asked: &Asked<'_>, action: Action, account: &Account) -> bool {
    asked.may(action, &Resource::Account { id: &account.id, provider: account.provider.as_deref() })
}

/// The page; `wrong`: what kept a change from being made.
pub fn page(
    asked: &Asked<'_>,
    account: &Account,
    wrong: Option<&str>,
) -> Result<Answer, ProblemError> {
    let accounts = asked.server.workspace.accounts();
    let own = asked.visitor()?.account.id == account.id;
    let sessions = accounts.sessions(&account.id, asked.now_us)?;
    let tokens = accounts.tokens(&account.id)?;
    let state = match (account.disabled, account.has_password) {
        (true, _) => "disabled: it lets nobody in",
        (false, true) => "open",
        (false, false) => "open, and nobody has come in yet",
    };
    let changes = [
        Action::AccountGrant,
        Action::AccountDisable,
        Action::AccountLink,
        Action::SessionRevoke,
        Action::TokenRevoke,
    ];
    let some = changes.into_iter().any(|action| may(asked, action, account));
    let body = html! {
        (frame::crumbs(&[("/people".to_owned(), html! { "People" })]))
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (piece::sentence(wrong)) } }
        @if let Some(done) = asked.query("done") { p.note role="status" { (done_words(done)) } }
        dl.facts {
            div { dt { "Mail address" } dd { (piece::name(&account.email)) } }
            div { dt { "Account" } dd { code { (account.id) } } }
            @if let Some(provider) = &account.provider { div { dt { "Of the provider" } dd { (piece::name(provider)) } } }
            div { dt { "State" } dd { (state) } }
            div { dt { "Second factor" } dd { @if account.has_factor { "on" } @else { "none" } } }
            div { dt { "Made" } dd { (piece::instant(account.created_us)) } }
        }
        @if own { p.note { "This is your own account. Nobody changes the rights of the own account: another administrator does. " a href="/account" { "Password, second factor, sessions and tokens" } "." } }
        @else if !may(asked, Action::AccountGrant, account) && administers(asked)? { (factor_first()) }
        (granted(asked, account)?)
        (sees(asked, account)?)
        @if some && !own {
            h2 { "Coming in" }
            (links(asked, account))
            (session_list(asked, account, &sessions))
            (token_list(asked, account, &tokens))
            (state_form(asked, account))
        }
        p { a href={ "/ledger?kind=access" } { "Who was given which right, by whom and when" } " stands in the ledger under " code { (account.id) } "." }
    };
    Ok(Answer::page(account.name.clone(), body))
}

/// What was done, by the word that the address carries.
fn done_words(done: &str) -> &'static str {
    match done {
        "granted" => "The role was given.",
        "same" => "Nothing was written: it was so already.",
        "taken" => "The role was taken away.",
        "disabled" => "The account is disabled; its sessions and links ended.",
        "enabled" => "The account is open again.",
        "factor" => "The second factor was taken away; its sessions ended.",
        "sessions" => "The sessions ended.",
        "tokens" => "The API token ended.",
        "described" => "Name and mail address were changed.",
        _ => "Done.",
    }
}

fn to(account: &Account, what: &str) -> String {
    format!("/people/{}/{what}", account.id)
}

/// The field for why.
pub fn reason() -> Markup {
    html! {
        div.field { label { "Reason" input name="reason" maxlength="500"; } p.hint { "Stands in the ledger for good, so name no person." } }
    }
}

/// The box that says that somebody means it.
fn sure(words: &str) -> Markup {
    html! { p { label.check { input type="checkbox" name="sure" value="yes" required; " " (words) } } }
}

fn granted(asked: &Asked<'_>, account: &Account) -> Result<Markup, ProblemError> {
    let gives = may(asked, Action::AccountGrant, account);
    let heads =
        [("Role", Set::Text), ("On", Set::Text), ("For", Set::Wide), ("Take away", Set::Text)];
    let rows = account.grants.iter().map(|grant| {
        vec![
            html! { (grant.role.title()) },
            piece::name(&grant.scope.to_string()),
            html! { (grant.role.about()) },
            html! { @if gives { details { summary { "Take away" span.only-read { " " (grant.role.title()) } } (take(asked, account, grant)) } } },
        ]
    });
    let rows: Vec<_> = rows.collect();
    Ok(html! {
        h2 { "Roles" }
        @if rows.is_empty() { p { "Nothing is granted, so it sees nothing." } }
        @else { (piece::table(html! { "What it was granted" }, &heads, rows)) }
        @if gives && !account.disabled {
            details {
                summary { "Give a role" }
                form.narrow method="post" action=(to(account, "grants")) {
                    (frame::token(asked))
                    (grant_fields(asked, account.provider.as_deref())?)
                    (reason())
                    button name="step" value="give" { "Give the role" }
                }
            }
        }
    })
}

fn take(asked: &Asked<'_>, account: &Account, grant: &Grant) -> Markup {
    html! {
        form method="post" action=(to(account, "grants")) {
            (frame::token(asked))
            input type="hidden" name="role" value=(grant.role.as_str());
            input type="hidden" name="scope" value=(grant.scope);
            (reason())
            button.danger name="step" value="take" { "Take " (grant.role.title()) " away" }
        }
    }
}

/// The fields for a role and where it holds.
///
/// # Errors
/// Those of the database.
pub fn grant_fields(asked: &Asked<'_>, provider: Option<&str>) -> Result<Markup, ProblemError> {
    let portfolio = asked.server.workspace.portfolio()?;
    let roles = Role::ALL
        .into_iter()
        .filter(|role| (*role == Role::ProviderAccountManager) == provider.is_some());
    let mut scopes: Vec<Scope> = Vec::new();
    match provider {
        Some(provider) => {
            scopes.push(Scope::Provider(provider.to_owned()));
            let own = portfolio.arrangements();
            let own = own.filter(|id| portfolio.sole_provider(id) == Some(provider));
            scopes.extend(own.map(|id| Scope::Arrangement(id.to_owned())));
        }
        None => {
            scopes.push(Scope::All);
            scopes.extend(portfolio.arrangements().map(|id| Scope::Arrangement(id.to_owned())));
            scopes
                .extend(portfolio.providers().into_iter().map(|id| Scope::Provider(id.to_owned())));
        }
    }
    Ok(html! {
        div.field { label for="role" { "Role" }
            select #role name="role" required { option value="" { "(choose)" } @for role in roles { option value=(role.as_str()) selected[asked.field("role") == role.as_str()] { (role.title()) ": " (role.about()) } } }
        }
        div.field { label for="scope" { "On" }
            select #scope name="scope" required { option value="" { "(choose)" } @for scope in &scopes { option value=(scope) selected[asked.field("scope") == scope.to_string()] { (scope) } } }
        }
    })
}

/// The arrangements that the grants make visible, as a session with a second factor sees them.
fn sees(asked: &Asked<'_>, account: &Account) -> Result<Markup, ProblemError> {
    let portfolio = asked.server.workspace.portfolio()?;
    let visit = Visit { second_factor: true, token: None };
    let authority = asked.server.policies.authority(&account.principal(visit), &portfolio);
    let authority = authority.map_err(|error| ProblemError::broken(error.to_string()))?;
    let visible = if account.disabled { Default::default() } else { authority.visible() };
    if visible.is_empty() {
        return Ok(html! { p { "It sees no arrangement." } });
    }
    let rows = visible.iter().map(|id| {
        let most = authority.ceiling(Action::EvidenceRead, Some(id));
        let rows = most.map_or_else(
            || "figures alone".to_owned(),
            |most| format!("columns up to {}", most.as_str()),
        );
        vec![piece::name(id), html! { (rows) }]
    });
    let heads = [("Arrangement", Set::Text), ("Rows", Set::Wide)];
    Ok(piece::table(html! { "What these make visible" }, &heads, rows.collect()))
}

fn links(asked: &Asked<'_>, account: &Account) -> Markup {
    if !may(asked, Action::AccountLink, account) {
        return html! {};
    }
    html! {
        @if !account.disabled {
            details {
                summary { "Make a one-time link" }
                p { "It lets its owner in once, within three days, to set a password; links made before end. Hand it over by a way that only its owner reads." }
                form.narrow method="post" action=(to(account, "link")) { (frame::token(asked)) (reason()) button { "Make the link" } }
            }
        }
        @if account.has_factor {
            details {
                summary { "Take the second factor away" }
                p { "For a lost device and lost recovery codes. Its sessions end, and its owner sets up another." }
                form.narrow method="post" action=(to(account, "factor")) { (frame::token(asked)) (reason()) (sure("I know that it is really its owner who asks")) button.danger { "Take it away" } }
            }
        }
    }
}

fn session_list(asked: &Asked<'_>, account: &Account, sessions: &[SessionView]) -> Markup {
    let ends = may(asked, Action::SessionRevoke, account);
    let heads = [
        ("Signed in", Set::Text),
        ("Last used", Set::Text),
        ("Ends", Set::Text),
        ("Second factor", Set::Text),
    ];
    let rows = sessions.iter().map(|held| {
        vec![
            html! { (piece::instant(held.created_us)) },
            html! { (piece::instant(held.seen_us)) },
            html! { (piece::instant(held.until_us)) },
            html! { @if held.second_factor { "given" } @else { "not given" } },
        ]
    });
    html! {
        @if sessions.is_empty() { p { "It is signed in nowhere." } }
        @else {
            (piece::table(html! { "Where it is signed in" }, &heads, rows.collect()))
            @if ends {
                form method="post" action=(to(account, "sessions")) { (frame::token(asked)) button.second { "End all of them" } }
            }
        }
    }
}

fn token_list(asked: &Asked<'_>, account: &Account, tokens: &[TokenView]) -> Markup {
    let ends = may(asked, Action::TokenRevoke, account);
    html! {
        @if tokens.is_empty() { p { "It has no API token." } }
        @else {
            (token_table(tokens, asked.now_us, |id| html! {
                @if ends {
                    form method="post" action=(to(account, "tokens")) { (frame::token(asked)) input type="hidden" name="id" value=(id); button.second { "End" span.only-read { " token " (id) } } }
                }
            }))
        }
    }
}

/// API tokens as a table; `end`: what stands beside one.
pub fn token_table(tokens: &[TokenView], now_us: i64, end: impl Fn(&str) -> Markup) -> Markup {
    let heads = [
        ("Token", Set::Text),
        ("For", Set::Wide),
        ("May", Set::Wide),
        ("Last used", Set::Text),
        ("Ends", Set::Text),
        ("End it", Set::Text),
    ];
    let rows = tokens.iter().map(|token| {
        let what = if token.read_only { "read" } else { "read and write" };
        let of = token.arrangements.as_ref().map(|ids| ids.join(", "));
        vec![
            html! { code { (token.id) } },
            piece::title(&token.title),
            html! { (what) ", " @match &of { Some(ids) => { (piece::title(ids)) } None => { "all that its owner sees" } } },
            html! { @match token.used_us { Some(us) => { (piece::instant(us)) } None => span.quiet { "never" } } },
            html! { @if token.until_us > now_us { (piece::instant(token.until_us)) } @else { "ended" } },
            end(&token.id),
        ]
    });
    piece::table(html! { "API tokens" }, &heads, rows.collect())
}

fn state_form(asked: &Asked<'_>, account: &Account) -> Markup {
    if !may(asked, Action::AccountDisable, account) {
        return html! {};
    }
    html! {
        @if account.disabled {
            form.narrow method="post" action=(to(account, "state")) { (frame::token(asked)) (reason()) button name="step" value="enable" { "Open the account again" } }
        } @else {
            details {
                summary { "Disable the account" }
                p { "Its sessions and links end now, and its tokens let nobody in. What it did stays." }
                form.narrow method="post" action=(to(account, "state")) {
                    (frame::token(asked)) (reason()) (sure(&format!("Yes, {} is no longer to come in", account.name)))
                    button.danger name="step" value="disable" { "Disable it" }
                }
            }
        }
    }
}
