//! Accounts of a workspace: who they are, what they were granted, how they come in.
//!
//! This file owns making, granting, disabling and forgetting. Every change of a right is an entry of
//! the ledger in the same transaction; nothing here changes a right in another way. What a right
//! allows is decided by `backstay-access`, never here. The clock and randomness come in by [`Ctx`].

mod enter;
mod fact;
mod own;
mod record;
mod seen;

use backstay_access::{
    Grant, GrantError, Portfolio, Principal, Role, Scope, Secret, SecretKind, Visit, account_id,
    check_grants,
};
use backstay_ledger::{Digest as LedgerDigest, EntryKind, Salt};
use serde::Serialize;

pub use self::{
    enter::{CodeVerdict, SESSION_IDLE_US, SESSION_US, SessionView, SignIn, Visitor},
    fact::{AccessEvent, AccessPayload},
    own::{FactorOffer, NewToken, TOKEN_MOST_DAYS, TokenView},
    record::{AccountRow, AccountTables, LinkRow, SessionRow, Sessions, Standing, TokenRow},
};
use crate::{
    backend::{Append, Backend as _, Basis},
    error::{Result, StoreError},
    index, payload,
    workspace::{Ctx, Workspace},
};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// How long a one-time link lasts unless said otherwise: three days.
pub const LINK_US: i64 = 3 * DAY_US;
/// The longest a one-time link may last, days.
pub const LINK_MOST_DAYS: i64 = 30;
/// The mail address of a first administrator who has not said one yet.
pub const FIRST_EMAIL: &str = "administrator@workspace.invalid";
/// What the first administrator is granted: whoever sets a workspace up runs it until the work is
/// handed to others.
pub const FIRST_ROLES: [Role; 3] = [Role::Administrator, Role::VendorManager, Role::Analyst];

/// An account, as pages and lists show it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Id, permanent: what the ledger names.
    pub id: String,
    /// Mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// The provider whose person it is; `None`: of the client's side.
    pub provider: Option<String>,
    /// What it was granted, sorted.
    pub grants: Vec<Grant>,
    /// It may not come in.
    pub disabled: bool,
    /// It has a password; without one only a link lets it in.
    pub has_password: bool,
    /// It has a second factor.
    pub has_factor: bool,
    /// When it was made, microseconds UTC.
    pub created_us: i64,
}

impl Account {
    fn of(row: AccountRow, standing: Option<Standing>) -> Self {
        // An account that no entry speaks of may nothing.
        let (provider, grants, disabled) = match standing {
            Some(held) => (held.provider, held.grants, held.disabled),
            None => (None, Vec::new(), true),
        };
        Self {
            has_password: row.password.is_some(),
            has_factor: row.factor_on,
            id: row.id,
            email: row.email,
            name: row.name,
            provider,
            grants,
            disabled,
            created_us: row.created_us,
        }
    }

    /// Who asks, when this account came in that way.
    #[must_use]
    pub fn principal(&self, visit: Visit) -> Principal {
        Principal {
            account: self.id.clone(),
            provider: self.provider.clone(),
            grants: self.grants.clone(),
            visit,
        }
    }
}

/// An account to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// The provider whose person it is.
    pub provider: Option<String>,
    /// What it is granted.
    pub grants: Vec<Grant>,
    /// Why; may be empty.
    pub reason: String,
}

/// A one-time link, to hand to its owner.
#[derive(Debug)]
pub struct NewLink {
    /// The account it lets in.
    pub account: Account,
    /// The secret; the path is [`backstay_access::LINK_PREFIX`] and its text.
    pub secret: Secret,
    /// When it ends, microseconds UTC.
    pub until_us: i64,
    /// The entry that records that it was made.
    pub entry: u64,
}

impl NewLink {
    /// The path under which it is entered.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}{}", backstay_access::LINK_PREFIX, self.secret.text())
    }
}

/// The accounts of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'w> {
    pub(crate) workspace: &'w Workspace,
}

/// A mail address as it is kept: without blanks around it, in lower case.
fn normal_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let bad = |c: char| c.is_whitespace() || c.is_control();
    match email.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && email.len() <= 254
                && !email.chars().any(bad) =>
        {
            Ok(email)
        }
        _ => Err(StoreError::BadEmail(text.trim().to_owned())),
    }
}

fn normal_name(text: &str) -> Result<String> {
    let name = text.trim();
    let length = name.chars().count();
    if (1..=200).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(StoreError::BadName)
}

impl Accounts<'_> {
    /// Reads something from the tables.
    pub(crate) fn read<T>(
        &self,
        mut work: impl FnMut(&dyn AccountTables) -> Result<T>,
    ) -> Result<T> {
        let mut found = None;
        self.workspace.backend.read_accounts(&mut |tables| {
            found = Some(work(tables)?);
            Ok(())
        })?;
        found.ok_or(StoreError::NoSession)
    }

    /// Changes the tables in one transaction.
    pub(crate) fn change<T>(
        &self,
        mut work: impl FnMut(&mut dyn AccountTables) -> Result<T>,
    ) -> Result<T> {
        let mut done = None;
        self.workspace.backend.change_accounts(&mut |tables| {
            done = Some(work(tables)?);
            Ok(())
        })?;
        done.ok_or(StoreError::NoSession)
    }

    /// All accounts, by mail address.
    ///
    /// # Errors
    /// Those of the database.
    pub fn list(&self) -> Result<Vec<Account>> {
        self.read(|tables| {
            let rows = tables.accounts()?;
            rows.into_iter()
                .map(|row| {
                    let standing = tables.standing(&row.id)?;
                    Ok(Account::of(row, standing))
                })
                .collect()
        })
    }

    /// The account with this id or mail address.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`].
    pub fn find(&self, id_or_email: &str) -> Result<Account> {
        let text = id_or_email.trim();
        self.read(|tables| {
            let row = match tables.account(text)? {
                Some(row) => Some(row),
                None => tables.account_by_email(&text.to_lowercase())?,
            };
            let row = row.ok_or_else(|| StoreError::NoAccount(text.to_owned()))?;
            let standing = tables.standing(&row.id)?;
            Ok(Account::of(row, standing))
        })
    }

    /// Whether anybody may give rights: an account that is not disabled and is administrator.
    ///
    /// # Errors
    /// Those of the database.
    pub fn has_administrator(&self) -> Result<bool> {
        Ok(self.workspace.standings()?.iter().any(administers))
    }

    /// Makes an account. It has no password yet: [`Accounts::link`] lets its owner in.
    ///
    /// # Errors
    /// [`StoreError::BadEmail`], [`StoreError::BadName`], [`StoreError::EmailTaken`],
    /// [`StoreError::Grant`].
    pub fn add(&self, new: &NewAccount, ctx: &mut Ctx<'_>) -> Result<Account> {
        let row = AccountRow {
            id: account_id(ctx.bytes()),
            email: normal_email(&new.email)?,
            name: normal_name(&new.name)?,
            password: None,
            factor: None,
            factor_on: false,
            factor_step: None,
            created_us: ctx.now_us,
        };
        let payload = AccessPayload {
            event: AccessEvent::Added,
            account: row.id.clone(),
            provider: new.provider.clone(),
            grants: new.grants.clone(),
            reason: new.reason.trim().to_owned(),
        };
        let (_, standing) =
            self.record(&payload, ctx, &mut |tables, _| tables.put_account(&row))?;
        Ok(Account::of(row, Some(standing)))
    }

    /// Gives an account a right. `None`: it held it already, and nothing was written.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::AccountDisabled`], [`StoreError::Grant`].
    pub fn grant(
        &self,
        id: &str,
        grant: &Grant,
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<Option<u64>> {
        let account = self.find(id)?;
        if account.disabled {
            return Err(StoreError::AccountDisabled(account.id));
        }
        if account.grants.contains(grant) {
            return Ok(None);
        }
        self.say(AccessEvent::Granted, &account, std::slice::from_ref(grant), reason, ctx).map(Some)
    }

    /// Takes a right from an account.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::NotGranted`], [`StoreError::LastAdministrator`].
    pub fn revoke(&self, id: &str, grant: &Grant, reason: &str, ctx: &mut Ctx<'_>) -> Result<u64> {
        let account = self.find(id)?;
        if !account.grants.contains(grant) {
            return Err(StoreError::NotGranted { account: account.id, grant: grant.to_string() });
        }
        self.say(AccessEvent::Revoked, &account, std::slice::from_ref(grant), reason, ctx)
    }

    /// Disables an account: its sessions and links end now, its tokens let nobody in. `None`: it was
    /// disabled already.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::LastAdministrator`].
    pub fn disable(&self, id: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<Option<u64>> {
        let account = self.find(id)?;
        if account.disabled {
            return Ok(None);
        }
        self.say(AccessEvent::Disabled, &account, &[], reason, ctx).map(Some)
    }

    /// Enables an account again. `None`: it was not disabled.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`].
    pub fn enable(&self, id: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<Option<u64>> {
        let account = self.find(id)?;
        if !account.disabled {
            return Ok(None);
        }
        self.say(AccessEvent::Enabled, &account, &[], reason, ctx).map(Some)
    }

    /// Erases an account: mail address, name, password, second factor, sessions, tokens and links.
    /// The ledger keeps what the id was granted and did.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::NoReason`], [`StoreError::LastAdministrator`].
    pub fn forget(&self, id: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<u64> {
        if reason.trim().is_empty() {
            return Err(StoreError::NoReason);
        }
        let account = self.find(id)?;
        let entry = self.say(AccessEvent::Forgotten, &account, &[], reason, ctx)?;
        self.workspace.backend.scrub()?;
        Ok(entry)
    }

    /// Takes a lost second factor away, with its recovery codes; the account's sessions end.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`].
    pub fn remove_factor(&self, id: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<u64> {
        let account = self.find(id)?;
        self.say(AccessEvent::FactorRemoved, &account, &[], reason, ctx)
    }

    /// Makes a one-time link that lets the account's owner in without a password, and set a new one.
    /// Links made for it before end. `lasts_us`: [`LINK_US`] unless there is a reason.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::AccountDisabled`], [`StoreError::Lifetime`].
    pub fn link(
        &self,
        id: &str,
        lasts_us: i64,
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<NewLink> {
        if !(60 * SECOND_US..=LINK_MOST_DAYS * DAY_US).contains(&lasts_us) {
            return Err(StoreError::Lifetime { what: "a link", most_days: LINK_MOST_DAYS });
        }
        let account = self.find(id)?;
        if account.disabled {
            return Err(StoreError::AccountDisabled(account.id));
        }
        let secret = Secret::new(SecretKind::Link, ctx.bytes());
        let until_us = ctx.now_us.saturating_add(lasts_us);
        let row = LinkRow { digest: secret.digest(), account: account.id.clone(), until_us };
        let payload = said(AccessEvent::Linked, &account, &[], reason);
        let (entry, _) = self.record(&payload, ctx, &mut |tables, _| {
            tables.delete_links(Some(&row.account))?;
            tables.put_link(&row)
        })?;
        Ok(NewLink { account, secret, until_us, entry })
    }

    /// The link by which a workspace without an administrator gets one: the command line and the
    /// first start of a server use this. Makes the account [`FIRST_EMAIL`] with [`FIRST_ROLES`] on
    /// everything, unless it is there; its owner says the real address with [`Accounts::describe`].
    /// `None`: there is an administrator who has come in once, and can make links for others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn first_link(&self, ctx: &mut Ctx<'_>) -> Result<Option<NewLink>> {
        let administrators: Vec<Account> = self
            .list()?
            .into_iter()
            .filter(|account| !account.disabled && holds(&account.grants, Role::Administrator))
            .collect();
        let id = match administrators.iter().find(|account| !account.has_password) {
            _ if administrators.iter().any(|account| account.has_password) => return Ok(None),
            Some(waiting) => waiting.id.clone(),
            None => {
                let grants = FIRST_ROLES.map(|role| Grant::new(role, Scope::All)).to_vec();
                let new = NewAccount {
                    email: FIRST_EMAIL.to_owned(),
                    name: "Administrator".to_owned(),
                    provider: None,
                    grants,
                    reason: "the first administrator".to_owned(),
                };
                self.add(&new, ctx)?.id
            }
        };
        self.link(&id, LINK_US, "the first administrator", ctx).map(Some)
    }

    /// Changes mail address and name. No fact, so no entry.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::BadEmail`], [`StoreError::BadName`],
    /// [`StoreError::EmailTaken`].
    pub fn describe(&self, id: &str, email: &str, name: &str) -> Result<Account> {
        let (email, name) = (normal_email(email)?, normal_name(name)?);
        self.change(|tables| {
            let mut row =
                tables.account(id)?.ok_or_else(|| StoreError::NoAccount(id.to_owned()))?;
            row.email.clone_from(&email);
            row.name.clone_from(&name);
            tables.put_account(&row)?;
            let standing = tables.standing(id)?;
            Ok(Account::of(row, standing))
        })
    }

    fn say(
        &self,
        event: AccessEvent,
        account: &Account,
        grants: &[Grant],
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<u64> {
        let payload = said(event, account, grants, reason);
        let id = account.id.clone();
        let work = &mut |tables: &mut dyn AccountTables, event| match event {
            AccessEvent::Disabled => {
                tables.delete_sessions(Sessions::Of { account: &id, but: None })?;
                tables.delete_links(Some(&id)).map(|_| ())
            }
            AccessEvent::Forgotten => tables.delete_account(&id),
            AccessEvent::FactorRemoved => {
                let row = tables.account(&id)?.ok_or_else(|| StoreError::NoAccount(id.clone()))?;
                tables.put_account(&AccountRow {
                    factor: None,
                    factor_on: false,
                    factor_step: None,
                    ..row
                })?;
                tables.put_recovery_codes(&id, &[])?;
                tables.delete_sessions(Sessions::Of { account: &id, but: None }).map(|_| ())
            }
            _ => Ok(()),
        };
        Ok(self.record(&payload, ctx, work)?.0)
    }

    /// Appends an entry about an account and does `work` in the same transaction, where the standing
    /// it leads to is checked.
    fn record(
        &self,
        payload: &AccessPayload,
        ctx: &mut Ctx<'_>,
        work: &mut dyn FnMut(&mut dyn AccountTables, AccessEvent) -> Result<()>,
    ) -> Result<(u64, Standing)> {
        let portfolio = self.workspace.portfolio()?;
        let bytes = payload::write(payload)?;
        let mut arrangements: Vec<String> = Vec::new();
        for grant in &payload.grants {
            if let Scope::Arrangement(id) = &grant.scope {
                arrangements.push(id.clone());
            }
        }
        let append = Append {
            actor: ctx.actor.to_owned(),
            kind: EntryKind::Access,
            arrangements,
            expectations: Vec::new(),
            basis: Basis::Any,
            content: LedgerDigest::of_content(&bytes),
            payload: bytes,
            salt: Salt(ctx.bytes()),
            now_us: ctx.now_us,
        };
        let mut after = None;
        let sealed = self.workspace.append(&append, &mut |sealed, readings| {
            let before = readings.standing(&payload.account)?;
            let standing = index::put_access(sealed.seq, payload, readings)?;
            let Some(mut tables) = readings.accounts() else { return Ok(()) };
            check(payload, &standing, before.as_ref(), &portfolio, tables.as_ref())?;
            after = Some(standing);
            work(tables.as_mut(), payload.event)
        })?;
        let standing = after.ok_or_else(|| StoreError::NoAccount(payload.account.clone()))?;
        Ok((sealed.seq, standing))
    }
}

fn said(event: AccessEvent, account: &Account, grants: &[Grant], reason: &str) -> AccessPayload {
    AccessPayload {
        event,
        account: account.id.clone(),
        provider: None,
        grants: grants.to_vec(),
        reason: reason.trim().to_owned(),
    }
}

fn holds(grants: &[Grant], role: Role) -> bool {
    grants.iter().any(|grant| grant.role == role)
}

fn administers(standing: &Standing) -> bool {
    !standing.disabled && holds(&standing.grants, Role::Administrator)
}

/// Whether an account may come to stand so; `tables` show all others as they stand.
fn check(
    payload: &AccessPayload,
    after: &Standing,
    before: Option<&Standing>,
    portfolio: &Portfolio,
    tables: &dyn AccountTables,
) -> Result<()> {
    match payload.event {
        // An id is given once, whatever was drawn for it.
        AccessEvent::Added if before.is_some() => {
            let taken = tables.account(&payload.account)?;
            return Err(StoreError::EmailTaken(taken.map(|row| row.email).unwrap_or_default()));
        }
        AccessEvent::Added => {}
        // Somebody else forgot it meanwhile.
        _ if tables.account(&payload.account)?.is_none() => {
            return Err(StoreError::NoAccount(payload.account.clone()));
        }
        _ => {}
    }
    match payload.event {
        AccessEvent::Added | AccessEvent::Granted => {
            let known = |grant: &&Grant| before.is_some_and(|held| held.grants.contains(grant));
            let fresh: Vec<Grant> =
                after.grants.iter().filter(|grant| !known(grant)).cloned().collect();
            check_grants(after.provider.as_deref(), &fresh, portfolio)?;
            // Grants together; a scope that is gone meanwhile stands against no new grant.
            match check_grants(after.provider.as_deref(), &after.grants, portfolio) {
                Ok(()) | Err(GrantError::NoArrangement(_) | GrantError::NoProvider(_)) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        _ if before.is_some_and(administers)
            && !administers(after)
            && !tables.standings()?.iter().any(administers) =>
        {
            Err(StoreError::LastAdministrator(payload.account.clone()))
        }
        _ => Ok(()),
    }
}
