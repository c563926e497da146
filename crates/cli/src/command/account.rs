//! `backstay account`: people, their rights, and how they come in. Whoever runs this has the
//! workspace's disk, and so may do all of it; what he does to a right is in the ledger under his name.

use std::path::Path;

use backstay_access::{Action, Grant, Policies, Privacy, Role, Visit, check_grants};
use backstay_report::{
    figure,
    layout::{Cell, Grid, Page, Set, Tone},
};
use backstay_store::{Account, NewAccount, NewLink, NewToken, StoreError, TokenView, Workspace};
use serde_json::{Value, json};

use crate::{
    args::{
        AccountAddArgs, AccountCommand, AccountForgetArgs, AccountGrantArgs, AccountLinkArgs,
        AccountReasonArgs, AccountSessionsArgs, AccountTokenArgs, Format,
    },
    door,
    error::CliError,
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.account/1";
const HOUR_US: i64 = 3_600_000_000;

pub fn run(command: &AccountCommand, named: Option<&Path>) -> Result<u8, CliError> {
    if let AccountCommand::Roles { format } = command {
        return roles(*format);
    }
    let workspace = door::open(named)?;
    match command {
        AccountCommand::Add(args) => add(&workspace, args),
        AccountCommand::List { format } => list(&workspace, *format),
        AccountCommand::Show { account, format } => show(&workspace, &account.account, *format),
        AccountCommand::Roles { format } => roles(*format),
        AccountCommand::Grant(args) => grant(&workspace, args, true),
        AccountCommand::Revoke(args) => grant(&workspace, args, false),
        AccountCommand::Disable(args) => enable(&workspace, args, false),
        AccountCommand::Enable(args) => enable(&workspace, args, true),
        AccountCommand::Forget(args) => forget(&workspace, args),
        AccountCommand::Link(args) => link(&workspace, args, named),
        AccountCommand::Token(args) => token(&workspace, args),
        AccountCommand::Sessions(args) => sessions(&workspace, args),
    }
}

/// Writes what was done, for people or for scripts.
fn told(format: Format, mut value: Value, text: &str) -> Result<u8, CliError> {
    match format {
        Format::Json => {
            if let Some(object) = value.as_object_mut() {
                object.insert("schema".to_owned(), json!(SCHEMA));
            }
            door::print_json(&value)?;
        }
        Format::Text => door::tell(text)?,
    }
    Ok(0)
}

fn minute(instant_us: i64) -> String {
    figure::instant(instant_us).chars().take(16).collect::<String>() + " UTC"
}

fn granted(grants: &[Grant]) -> String {
    match grants {
        [] => "nothing".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn add(workspace: &Workspace, args: &AccountAddArgs) -> Result<u8, CliError> {
    let grants = args.grants.iter().map(|(role, scope)| Grant::new(*role, scope.clone())).collect();
    let new = NewAccount {
        email: args.email.clone(),
        name: args.name.clone(),
        provider: args.provider.clone(),
        grants,
        reason: args.reason.clone(),
    };
    if args.dry_run {
        let portfolio = workspace.portfolio()?;
        check_grants(new.provider.as_deref(), &new.grants, &portfolio).map_err(StoreError::from)?;
        if workspace.accounts().find(&new.email).is_ok() {
            return Err(StoreError::EmailTaken(new.email).into());
        }
        let text = format!(
            "Nothing was written. It would be an account for {}, granted {}.",
            new.email,
            granted(&new.grants)
        );
        return told(args.format, json!({ "dry_run": true, "grants": new.grants }), &text);
    }
    let (account, link) = door::with_context(|ctx| {
        let account = workspace.accounts().add(&new, ctx)?;
        let link = match args.link {
            true => {
                let lasts = backstay_store::account::LINK_US;
                Some(workspace.accounts().link(&account.id, lasts, &args.reason, ctx)?)
            }
            false => None,
        };
        Ok::<_, StoreError>((account, link))
    })?;
    let mut text = format!(
        "Account {} for {}, granted {}.",
        account.id,
        account.email,
        granted(&account.grants)
    );
    let mut value = json!({ "account": account });
    match &link {
        Some(link) => {
            text += &format!("\n{}", link_text(link));
            value = merged(value, link_json(link));
        }
        None => {
            text += &format!(
                "\nIt has no password yet: `backstay account link {}` lets its owner in.",
                account.email
            );
        }
    }
    told(args.format, value, &text)
}

fn merged(mut value: Value, other: Value) -> Value {
    if let (Some(into), Value::Object(from)) = (value.as_object_mut(), other) {
        into.extend(from);
    }
    value
}

fn link_json(link: &NewLink) -> Value {
    json!({ "path": link.path(), "until_us": link.until_us, "entry": link.entry })
}

fn link_text(link: &NewLink) -> String {
    format!(
        "Once, until {}, this lets {} in (ledger entry {}):\n{}",
        minute(link.until_us),
        link.account.email,
        link.entry,
        link.path()
    )
}

fn state(account: &Account) -> &'static str {
    match (account.disabled, account.has_password, account.has_factor) {
        (true, ..) => "disabled",
        (false, false, _) => "no password yet",
        (false, true, false) => "password",
        (false, true, true) => "password and second factor",
    }
}

fn list(workspace: &Workspace, format: Format) -> Result<u8, CliError> {
    let accounts = workspace.accounts().list()?;
    if format == Format::Json {
        return told(format, json!({ "accounts": accounts }), "");
    }
    if accounts.is_empty() {
        let text = "There is no account. The first administrator comes in by a link: \
                    backstay account link --administrator";
        return told(format, Value::Null, text);
    }
    let mut grid = Grid::new(&[
        ("address", Set::Left),
        ("account", Set::Left),
        ("name", Set::Left),
        ("signs in with", Set::Flex),
    ]);
    for account in &accounts {
        let tone = if account.disabled { Tone::Quiet } else { Tone::Plain };
        let cells = [account.email.as_str(), &account.id, &account.name, state(account)];
        grid.row(cells.iter().map(|text| Cell::toned(text, tone)).collect());
        let of = account.provider.as_ref().map_or_else(String::new, |id| format!("of {id}; "));
        grid.note(2, format!("{of}granted {}", granted(&account.grants)), Tone::Quiet);
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())?;
    Ok(0)
}

/// What an account sees, as a session with a second factor would.
fn show(workspace: &Workspace, named: &str, format: Format) -> Result<u8, CliError> {
    let account = workspace.accounts().find(named)?;
    let portfolio = workspace.portfolio()?;
    let unusable = |error: backstay_access::PolicyError| CliError::failed(error.to_string());
    let policies = Policies::built_in().map_err(unusable)?;
    let visit = Visit { second_factor: true, token: None };
    let authority = policies.authority(&account.principal(visit), &portfolio).map_err(unusable)?;
    let mut sees = Vec::new();
    // A disabled account sees nothing, whatever it was granted.
    let visible = if account.disabled { Default::default() } else { authority.visible() };
    for id in visible {
        let rows = authority.ceiling(Action::EvidenceRead, Some(&id));
        sees.push((id, rows.map(Privacy::as_str)));
    }
    if format == Format::Json {
        let sees: Vec<Value> = sees
            .iter()
            .map(|(id, rows)| json!({ "arrangement_id": id, "rows_up_to": rows }))
            .collect();
        return told(format, json!({ "account": account, "sees": sees }), "");
    }
    let mut page = Page::new(door::look());
    page.paragraph(0, &format!("{} ({})", account.name, account.email), Tone::Strong);
    let of = account.provider.as_ref().map_or_else(String::new, |id| format!(" of provider {id}"));
    page.paragraph(
        0,
        &format!(
            "Account {}{of}, made {}; {}.",
            account.id,
            minute(account.created_us),
            state(&account)
        ),
        Tone::Plain,
    );
    page.paragraph(0, &format!("Granted: {}.", granted(&account.grants)), Tone::Plain);
    if sees.is_empty() {
        page.paragraph(0, "Sees no arrangement.", Tone::Unsure);
    } else {
        let mut grid = Grid::new(&[("sees arrangement", Set::Left), ("rows", Set::Flex)]);
        for (id, rows) in &sees {
            let rows = match rows {
                Some("secret") => "with all columns".to_owned(),
                Some(class) => format!("with columns up to `{class}`"),
                None => "figures alone".to_owned(),
            };
            grid.row(vec![Cell::toned(id, Tone::Plain), Cell::toned(&rows, Tone::Plain)]);
        }
        page.grid(&grid);
    }
    door::print(&page.finish())?;
    Ok(0)
}

fn roles(format: Format) -> Result<u8, CliError> {
    if format == Format::Json {
        let roles: Vec<Value> = Role::ALL
            .iter()
            .map(|role| json!({ "role": role, "title": role.title(), "about": role.about() }))
            .collect();
        return told(format, json!({ "roles": roles }), "");
    }
    let mut grid = Grid::new(&[("role", Set::Left), ("what it is for", Set::Flex)]);
    for role in Role::ALL {
        grid.row(vec![
            Cell::toned(role.as_str(), Tone::Plain),
            Cell::toned(role.about(), Tone::Plain),
        ]);
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())?;
    Ok(0)
}

fn grant(workspace: &Workspace, args: &AccountGrantArgs, give: bool) -> Result<u8, CliError> {
    let grant = Grant::new(args.role, args.on.clone());
    let named = &args.account.account;
    let entry = door::with_context(|ctx| match give {
        true => workspace.accounts().grant(named, &grant, &args.reason, ctx),
        false => workspace.accounts().revoke(named, &grant, &args.reason, ctx).map(Some),
    })?;
    let account = workspace.accounts().find(named)?;
    let text = match (entry, give) {
        (None, _) => format!("Nothing to write: {} holds {grant} already.", account.email),
        (Some(entry), true) => {
            format!("Ledger entry {entry}: {} was given {grant}.", account.email)
        }
        (Some(entry), false) => format!("Ledger entry {entry}: {} lost {grant}.", account.email),
    };
    told(args.format, json!({ "entry": entry, "account": account }), &text)
}

fn enable(workspace: &Workspace, args: &AccountReasonArgs, enable: bool) -> Result<u8, CliError> {
    let named = &args.account.account;
    let entry = door::with_context(|ctx| match enable {
        true => workspace.accounts().enable(named, &args.reason, ctx),
        false => workspace.accounts().disable(named, &args.reason, ctx),
    })?;
    let account = workspace.accounts().find(named)?;
    let is = if enable { "enabled" } else { "disabled" };
    let text = match entry {
        None => format!("Nothing to write: {} is {is} already.", account.email),
        Some(entry) => format!("Ledger entry {entry}: {} is {is}.", account.email),
    };
    told(args.format, json!({ "entry": entry, "account": account }), &text)
}

fn forget(workspace: &Workspace, args: &AccountForgetArgs) -> Result<u8, CliError> {
    let account = workspace.accounts().find(&args.account.account)?;
    if !args.yes {
        let tokens = workspace.accounts().tokens(&account.id)?.len();
        let text = format!(
            "Of {} would be erased: address, name, password, second factor, sessions, links and \
             {tokens} API tokens. The ledger keeps what account {} was granted and did.\n\
             Nothing is erased yet: add --reason and --yes.",
            account.email, account.id
        );
        let value = json!({ "dry_run": true, "account": account, "tokens": tokens });
        return told(args.format, value, &text);
    }
    let reason = args.reason.as_deref().unwrap_or_default();
    let entry = door::with_context(|ctx| workspace.accounts().forget(&account.id, reason, ctx))?;
    let text = format!("Ledger entry {entry}: account {} is forgotten.", account.id);
    told(args.format, json!({ "dry_run": false, "entry": entry, "account_id": account.id }), &text)
}

fn link(
    workspace: &Workspace,
    args: &AccountLinkArgs,
    named: Option<&Path>,
) -> Result<u8, CliError> {
    let Some(account) = &args.account else {
        let made = door::with_context(|ctx| workspace.accounts().first_link(ctx))?;
        let Some(link) = made else {
            return Err(CliError::failed_with(
                "there is an administrator who has set a password",
                format!(
                    "name the account that the link is for: `{} account link ADDRESS`",
                    door::command(named)
                ),
            ));
        };
        return told(
            args.format,
            merged(json!({ "account": link.account }), link_json(&link)),
            &link_text(&link),
        );
    };
    let lasts_us = i64::from(args.hours) * HOUR_US;
    let link = door::with_context(|ctx| {
        let found = workspace.accounts().find(account)?;
        if args.without_factor && found.has_factor {
            workspace.accounts().remove_factor(&found.id, &args.reason, ctx)?;
        }
        workspace.accounts().link(&found.id, lasts_us, &args.reason, ctx)
    })?;
    told(
        args.format,
        merged(json!({ "account": link.account }), link_json(&link)),
        &link_text(&link),
    )
}

fn token(workspace: &Workspace, args: &AccountTokenArgs) -> Result<u8, CliError> {
    let account = workspace.accounts().find(&args.account.account)?;
    if let Some(id) = &args.end {
        workspace.accounts().end_token(&account.id, id)?;
        return told(args.format, json!({ "ended": id }), &format!("API token {id} has ended."));
    }
    let Some(title) = &args.title else { return tokens(workspace, &account, args.format) };
    let portfolio = workspace.portfolio()?;
    if let Some(unknown) = args.arrangement.iter().find(|id| !portfolio.has(id)) {
        let known: Vec<&str> = portfolio.arrangements().collect();
        return Err(CliError::usage(
            format!("there is no arrangement `{unknown}`"),
            super::nearest(unknown, &known, "`backstay account show` lists those that are seen"),
        ));
    }
    let new = NewToken {
        title: title.clone(),
        lasts_us: i64::from(args.days) * 24 * HOUR_US,
        read_only: args.read_only,
        arrangements: (!args.arrangement.is_empty()).then(|| args.arrangement.clone()),
    };
    let (secret, view) =
        door::with_context(|ctx| workspace.accounts().make_token(&account.id, &new, ctx))?;
    let text = format!(
        "API token {} of {} until {}, shown this once:\n{}",
        view.id,
        account.email,
        minute(view.until_us),
        secret.text()
    );
    told(args.format, json!({ "token": view, "secret": secret.text() }), &text)
}

fn tokens(workspace: &Workspace, account: &Account, format: Format) -> Result<u8, CliError> {
    let tokens = workspace.accounts().tokens(&account.id)?;
    if format == Format::Json || tokens.is_empty() {
        let text = format!("{} has no API token.", account.email);
        return told(format, json!({ "tokens": tokens }), &text);
    }
    let now_us = door::now_us();
    let mut grid = Grid::new(&[
        ("token", Set::Left),
        ("for", Set::Left),
        ("until", Set::Left),
        ("last used", Set::Left),
        ("may", Set::Flex),
    ]);
    let until = |token: &TokenView| match token.until_us > now_us {
        true => minute(token.until_us),
        false => "ended".to_owned(),
    };
    for token in &tokens {
        let used = token.used_us.map_or_else(|| "never".to_owned(), minute);
        let what = if token.read_only { "read" } else { "read and write" };
        let may = match &token.arrangements {
            Some(ids) => format!("{what} {}", ids.join(", ")),
            None => what.to_owned(),
        };
        let cells = [token.id.clone(), token.title.clone(), until(token), used, may];
        grid.row(cells.iter().map(|text| Cell::toned(text, Tone::Plain)).collect());
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())?;
    Ok(0)
}

fn sessions(workspace: &Workspace, args: &AccountSessionsArgs) -> Result<u8, CliError> {
    let account = workspace.accounts().find(&args.account.account)?;
    if args.end_all {
        let ended = workspace.accounts().end_sessions(&account.id, None)?;
        let text = format!("{ended} sessions of {} have ended.", account.email);
        return told(args.format, json!({ "ended": ended }), &text);
    }
    if let Some(id) = &args.end {
        if !workspace.accounts().end_session(&account.id, id)? {
            return Err(CliError::failed_with(
                format!("{} has no session `{id}`", account.email),
                "`backstay account sessions` lists those that live",
            ));
        }
        return told(args.format, json!({ "ended": id }), &format!("Session {id} has ended."));
    }
    let sessions = workspace.accounts().sessions(&account.id, door::now_us())?;
    if args.format == Format::Json || sessions.is_empty() {
        let text = format!("{} has no session.", account.email);
        return told(args.format, json!({ "sessions": sessions }), &text);
    }
    let mut grid = Grid::new(&[
        ("session", Set::Left),
        ("since", Set::Left),
        ("last used", Set::Left),
        ("until", Set::Left),
        ("second factor", Set::Flex),
    ]);
    for session in &sessions {
        let factor = if session.second_factor { "given" } else { "not given" };
        let cells = [
            session.id.clone(),
            minute(session.created_us),
            minute(session.seen_us),
            minute(session.until_us),
            factor.to_owned(),
        ];
        grid.row(cells.iter().map(|text| Cell::toned(text, Tone::Plain)).collect());
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())?;
    Ok(0)
}
