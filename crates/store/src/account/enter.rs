//! Coming in: by password and code, by a one-time link, by an API token; and the sessions that follow.
//! Every attempt is counted before it is looked at. A refusal never says what was wrong, and takes as
//! long for an account that is not there. It must never hold a transaction while it hashes.

use std::collections::BTreeSet;

use backstay_access::{
    Attempts, LimitKind, PasswordHash, Principal, RecoveryCode, Secret, SecretDigest, SecretKind,
    TokenLimits, TotpSecret, TotpVerdict, Verdict, Visit, verify_password,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    Account, AccountRow, AccountTables, Accounts, SECOND_US, SessionRow, Sessions, Standing,
};
use crate::{
    error::{Result, StoreError},
    workspace::Ctx,
};

const MINUTE_US: i64 = 60 * SECOND_US;
/// A session ends after this long at the latest: twelve hours, a working day.
pub const SESSION_US: i64 = 12 * 60 * MINUTE_US;
/// A session ends after this long without use: two hours.
pub const SESSION_IDLE_US: i64 = 120 * MINUTE_US;
/// How long a code may be waited for.
const CODE_US: i64 = 10 * MINUTE_US;
/// Use is noted when the last note is older than this, so that reading pages writes little.
const TOUCH_US: i64 = 5 * MINUTE_US;
/// What a sealed password is for.
pub(super) const PASSWORD_PURPOSE: &str = "account password";
/// What a sealed second factor is for.
pub(super) const FACTOR_PURPOSE: &str = "account factor";

/// What became of signing in.
#[derive(Debug)]
pub enum SignIn {
    /// In. The secret is the cookie's value.
    In {
        /// The session.
        session: Secret,
        /// When it ends at the latest, microseconds UTC.
        until_us: i64,
    },
    /// The password was right; the session opens nothing until [`Accounts::give_code`].
    AwaitsCode {
        /// The session.
        session: Secret,
        /// Until when a code is taken, microseconds UTC.
        until_us: i64,
    },
    /// Wrong address, password or account; it is not said which.
    Refused,
    /// Too many attempts; this one was not looked at.
    Wait {
        /// When the next one counts, microseconds UTC.
        until_us: i64,
    },
}

/// What became of a code of the second factor.
#[derive(Debug)]
pub enum CodeVerdict {
    /// In, under a new secret; the old one opens nothing.
    In {
        /// The session.
        session: Secret,
        /// When it ends at the latest, microseconds UTC.
        until_us: i64,
        /// It was a recovery code: how many are left.
        codes_left: Option<usize>,
    },
    /// Wrong, used, or the session ended.
    Refused,
    /// Too many attempts; this one was not looked at.
    Wait {
        /// When the next one counts, microseconds UTC.
        until_us: i64,
    },
}

/// Somebody who is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The account.
    pub account: Account,
    /// Who asks: what `Policies::authority` takes.
    pub principal: Principal,
    /// The session; `None`: an API token.
    pub session: Option<SecretDigest>,
    /// When the session or token ends at the latest, microseconds UTC.
    pub until_us: i64,
    /// A password must be set before anything else: it came by a link and has none.
    pub must_set_password: bool,
    /// A new password asks for no old one: it came by a link.
    pub by_link: bool,
}

/// A session, for a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its name for [`Accounts::end_session`]: says nothing about its secret.
    pub id: String,
    /// When it began, microseconds UTC.
    pub created_us: i64,
    /// When it was last used, to a few minutes.
    pub seen_us: i64,
    /// When it ends at the latest.
    pub until_us: i64,
    /// A code of the second factor was given.
    pub second_factor: bool,
}

/// The three counts that stand against an attempt.
struct Counts {
    names: [(LimitKind, SecretDigest); 3],
}

impl Counts {
    /// What is tried is kept as a digest: a mistyped address field may hold a password.
    fn of(account: &str, address: &str) -> Self {
        let name = |kind: LimitKind, parts: &[&str]| {
            let mut hash = Sha256::new();
            hash.update(b"backstay attempt v1\n");
            for part in [&[kind.as_str()], parts].concat() {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
            (kind, SecretDigest(hash.finalize().into()))
        };
        Self {
            names: [
                name(LimitKind::Pair, &[account, address]),
                name(LimitKind::Address, &[address]),
                name(LimitKind::Account, &[account]),
            ],
        }
    }

    /// Counts an attempt, when one may be made.
    fn try_now(&self, tables: &mut dyn AccountTables, now_us: i64) -> Result<Verdict> {
        let [pair, address, account] = &self.names;
        let kept = |(kind, name): &(LimitKind, SecretDigest)| tables.attempts(*kind, name);
        let (p, a, c) = (kept(pair)?, kept(address)?, kept(account)?);
        let verdict = Attempts::verdict(now_us, &p, &a, &c);
        if verdict == Verdict::Go {
            for ((kind, name), before) in self.names.iter().zip([p, a, c]) {
                tables.put_attempts(*kind, name, &before.tried(*kind, now_us))?;
            }
        }
        Ok(verdict)
    }

    /// Takes the attempt back; `wholly`: nothing more is asked for, so the pair begins anew.
    fn succeeded(&self, tables: &mut dyn AccountTables, now_us: i64, wholly: bool) -> Result<()> {
        let done = |kind: &LimitKind| wholly || *kind != LimitKind::Pair;
        for (kind, name) in self.names.iter().filter(|(kind, _)| done(kind)) {
            let before = tables.attempts(*kind, name)?;
            tables.put_attempts(*kind, name, &before.succeeded(*kind, now_us))?;
        }
        Ok(())
    }
}

/// An account that may come in.
fn open(
    tables: &dyn AccountTables,
    row: Option<AccountRow>,
) -> Result<Option<(AccountRow, Standing)>> {
    let Some(row) = row else { return Ok(None) };
    let standing = tables.standing(&row.id)?.filter(|standing| !standing.disabled);
    Ok(standing.map(|standing| (row, standing)))
}

impl Accounts<'_> {
    /// Signs in with a password. `address`: where from, as far as the door can tell.
    ///
    /// # Errors
    /// Those of the database; a wrong password is [`SignIn::Refused`].
    pub fn sign_in(
        &self,
        email: &str,
        password: &str,
        address: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<SignIn> {
        let email = email.trim().to_lowercase();
        let counts = Counts::of(&email, address);
        let now_us = ctx.now_us;
        let (verdict, found) = self.change(|tables| {
            let verdict = counts.try_now(tables, now_us)?;
            let row = tables.account_by_email(&email)?;
            Ok((verdict, open(tables, row)?))
        })?;
        if let Verdict::Wait { until_us } = verdict {
            return Ok(SignIn::Wait { until_us });
        }
        let kept = match &found {
            Some((row, _)) => self.kept_password(row)?,
            None => None,
        };
        // Outside any transaction: this takes a while, for an account that is not there as well.
        let right = verify_password(password, kept.as_ref());
        let Some((seen, _)) = found.filter(|_| right) else { return Ok(SignIn::Refused) };
        let secret = Secret::new(SecretKind::Session, ctx.bytes());
        let session = self.change(|tables| {
            // What was verified must still be so.
            let row = tables.account(&seen.id)?.filter(|row| row.password == seen.password);
            let Some((row, _)) = open(tables, row)? else { return Ok(None) };
            let awaits_code = row.factor_on;
            // Where a code is to follow the pair's count stays: a known password buys no guesses.
            counts.succeeded(tables, now_us, !awaits_code)?;
            let session = begin(&secret, &row.id, now_us, awaits_code, false);
            tables.put_session(&session)?;
            Ok(Some(session))
        })?;
        Ok(match session {
            None => SignIn::Refused,
            Some(session) if session.awaits_code => {
                SignIn::AwaitsCode { session: secret, until_us: session.until_us }
            }
            Some(session) => SignIn::In { session: secret, until_us: session.until_us },
        })
    }

    /// Takes the code of a session that awaits one: of the authenticator, or a recovery code, which
    /// is spent by it.
    ///
    /// # Errors
    /// Those of the database and the keys; a wrong code is [`CodeVerdict::Refused`].
    pub fn give_code(
        &self,
        session: &str,
        code: &str,
        address: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<CodeVerdict> {
        let Ok(digest) = Secret::parse(SecretKind::Session, session).map(|s| s.digest()) else {
            return Ok(CodeVerdict::Refused);
        };
        let now_us = ctx.now_us;
        let secret = Secret::new(SecretKind::Session, ctx.bytes());
        let wrap = self.workspace.keys.wrap()?;
        self.change(|tables| {
            let waiting = tables.session(&digest)?.filter(|held| held.until_us > now_us);
            let Some(waiting) = waiting.filter(|held| held.awaits_code) else {
                return Ok(CodeVerdict::Refused);
            };
            let row = tables.account(&waiting.account)?;
            let Some((row, _)) = open(tables, row)? else { return Ok(CodeVerdict::Refused) };
            let counts = Counts::of(&row.email, address);
            if let Verdict::Wait { until_us } = counts.try_now(tables, now_us)? {
                return Ok(CodeVerdict::Wait { until_us });
            }
            let mut codes_left = None;
            let factor = factor_of(&wrap, &row)?;
            let verdict = factor.map(|factor| factor.check(code, now_us, row.factor_step));
            if let Some(TotpVerdict::Right { step }) = verdict {
                tables.put_account(&AccountRow { factor_step: Some(step), ..row.clone() })?;
            } else {
                let spent = match RecoveryCode::parse(code) {
                    Some(code) => tables.take_recovery_code(&row.id, &code.digest(&row.id))?,
                    None => false,
                };
                if !spent {
                    return Ok(CodeVerdict::Refused);
                }
                codes_left = Some(tables.recovery_codes(&row.id)?);
            }
            counts.succeeded(tables, now_us, true)?;
            tables.delete_sessions(Sessions::One(digest))?;
            let mut session = begin(&secret, &row.id, now_us, false, waiting.by_link);
            session.second_factor = true;
            tables.put_session(&session)?;
            let (until_us, text) = (session.until_us, secret.text());
            // The closure may not give the secret away: it is read again from its text.
            let session =
                Secret::parse(SecretKind::Session, text).map_err(|_| StoreError::NoSession)?;
            Ok(CodeVerdict::In { session, until_us, codes_left })
        })
    }

    /// Whom a link would let in, without using it: for the page that asks to go on. `None`: it was
    /// used, ended, or never was.
    ///
    /// # Errors
    /// Those of the database.
    pub fn link_owner(&self, secret: &str, now_us: i64) -> Result<Option<Account>> {
        let Ok(secret) = Secret::parse(SecretKind::Link, secret) else { return Ok(None) };
        self.read(|tables| {
            let link = tables.link(&secret.digest())?.filter(|link| link.until_us > now_us);
            let Some(link) = link else { return Ok(None) };
            let row = tables.account(&link.account)?;
            let found = open(tables, row)?;
            Ok(found.map(|(row, standing)| Account::of(row, Some(standing))))
        })
    }

    /// Comes in by a one-time link, which is used up. Call it only when the person said so: whoever
    /// looks ahead at addresses must not use it up. It stands for the password, never for the second
    /// factor.
    ///
    /// # Errors
    /// Those of the database; a link that is used, ended or never was is [`SignIn::Refused`].
    pub fn enter(&self, secret: &str, ctx: &mut Ctx<'_>) -> Result<SignIn> {
        let Ok(link) = Secret::parse(SecretKind::Link, secret) else {
            return Ok(SignIn::Refused);
        };
        let now_us = ctx.now_us;
        let secret = Secret::new(SecretKind::Session, ctx.bytes());
        let session = self.change(|tables| {
            let found = tables.link(&link.digest())?.filter(|link| link.until_us > now_us);
            let Some(found) = found else { return Ok(None) };
            let row = tables.account(&found.account)?;
            let Some((row, _)) = open(tables, row)? else { return Ok(None) };
            tables.delete_links(Some(&row.id))?;
            let session = begin(&secret, &row.id, now_us, row.factor_on, true);
            tables.put_session(&session)?;
            Ok(Some(session))
        })?;
        Ok(match session {
            None => SignIn::Refused,
            Some(session) if session.awaits_code => {
                SignIn::AwaitsCode { session: secret, until_us: session.until_us }
            }
            Some(session) => SignIn::In { session: secret, until_us: session.until_us },
        })
    }

    /// Who is behind a session's secret. `None`: nobody, or a code is still awaited. Reads only; call
    /// [`Accounts::touch`] beside it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn visitor(&self, session: &str, now_us: i64) -> Result<Option<Visitor>> {
        let Ok(secret) = Secret::parse(SecretKind::Session, session) else { return Ok(None) };
        self.read(|tables| {
            let held = tables.session(&secret.digest())?.filter(|held| lives(held, now_us));
            let Some(held) = held.filter(|held| !held.awaits_code) else { return Ok(None) };
            let row = tables.account(&held.account)?;
            let Some((row, standing)) = open(tables, row)? else { return Ok(None) };
            let account = Account::of(row, Some(standing));
            let visit = Visit { second_factor: held.second_factor, token: None };
            Ok(Some(Visitor {
                principal: account.principal(visit),
                session: Some(held.digest),
                until_us: held.until_us,
                must_set_password: !account.has_password,
                by_link: held.by_link,
                account,
            }))
        })
    }

    /// Notes that a session is used, at most every few minutes. True: it was noted.
    ///
    /// # Errors
    /// Those of the database; a door may let [`StoreError::Busy`] and [`StoreError::ReadOnly`] pass.
    pub fn touch(&self, session: &SecretDigest, now_us: i64) -> Result<bool> {
        let due = |held: &SessionRow| lives(held, now_us) && now_us - held.seen_us >= TOUCH_US;
        if !self.read(|tables| Ok(tables.session(session)?.is_some_and(|held| due(&held))))? {
            return Ok(false);
        }
        self.change(|tables| {
            // It may have been ended meanwhile.
            let Some(held) = tables.session(session)?.filter(due) else { return Ok(false) };
            tables.put_session(&SessionRow { seen_us: now_us, ..held })?;
            Ok(true)
        })
    }

    /// Who is behind an API token. `None`: nobody.
    ///
    /// # Errors
    /// Those of the database.
    pub fn visitor_by_token(&self, token: &str, now_us: i64) -> Result<Option<Visitor>> {
        let Ok(secret) = Secret::parse(SecretKind::Token, token) else { return Ok(None) };
        let found = self.read(|tables| {
            let held = tables.token(&secret.digest())?.filter(|held| held.until_us > now_us);
            let Some(held) = held else { return Ok(None) };
            let row = tables.account(&held.account)?;
            let Some((row, standing)) = open(tables, row)? else { return Ok(None) };
            Ok(Some((held, Account::of(row, Some(standing)))))
        })?;
        let Some((held, account)) = found else { return Ok(None) };
        if held.used_us.is_none_or(|used_us| now_us - used_us >= TOUCH_US)
            && !self.workspace.is_read_only()?
        {
            self.change(|tables| match tables.token(&secret.digest())? {
                Some(held) => tables.put_token(&super::TokenRow { used_us: Some(now_us), ..held }),
                None => Ok(()),
            })?;
        }
        let limits = TokenLimits {
            read_only: held.read_only,
            arrangements: held.arrangements.map(|ids| ids.into_iter().collect::<BTreeSet<_>>()),
        };
        Ok(Some(Visitor {
            principal: account.principal(Visit { second_factor: false, token: Some(limits) }),
            session: None,
            until_us: held.until_us,
            must_set_password: false,
            by_link: false,
            account,
        }))
    }

    /// The sessions of an account that live, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sessions(&self, account: &str, now_us: i64) -> Result<Vec<SessionView>> {
        let rows = self.read(|tables| tables.sessions(account))?;
        let living = rows.into_iter().filter(|held| lives(held, now_us) && !held.awaits_code);
        Ok(living
            .map(|held| SessionView {
                id: session_id(&held.digest),
                created_us: held.created_us,
                seen_us: held.seen_us,
                until_us: held.until_us,
                second_factor: held.second_factor,
            })
            .collect())
    }

    /// Ends a session by its secret: signing out. True: there was one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sign_out(&self, session: &str) -> Result<bool> {
        let Ok(secret) = Secret::parse(SecretKind::Session, session) else { return Ok(false) };
        let which = Sessions::One(secret.digest());
        Ok(self.change(|tables| tables.delete_sessions(which))? > 0)
    }

    /// Ends one session of an account by the name that [`Accounts::sessions`] gives it. True: there
    /// was one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_session(&self, account: &str, id: &str) -> Result<bool> {
        self.change(|tables| {
            let rows = tables.sessions(account)?;
            match rows.into_iter().find(|held| session_id(&held.digest) == id) {
                Some(held) => Ok(tables.delete_sessions(Sessions::One(held.digest))? > 0),
                None => Ok(false),
            }
        })
    }

    /// Ends all sessions of an account, but for one; how many.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_sessions(&self, account: &str, but: Option<SecretDigest>) -> Result<usize> {
        self.change(|tables| tables.delete_sessions(Sessions::Of { account, but }))
    }

    /// Ends the sessions of everybody; how many.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_all_sessions(&self) -> Result<usize> {
        self.change(|tables| tables.delete_sessions(Sessions::All))
    }

    /// Throws away what ended: sessions, tokens, links, and attempts that say nothing any more. For a
    /// server to call now and then.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sweep(&self, now_us: i64) -> Result<()> {
        self.change(|tables| tables.sweep(now_us))
    }

    pub(super) fn kept_password(&self, row: &AccountRow) -> Result<Option<PasswordHash>> {
        let Some(sealed) = &row.password else { return Ok(None) };
        let opened = self.workspace.keys.wrap()?.open(PASSWORD_PURPOSE, &row.id, sealed)?;
        Ok(std::str::from_utf8(&opened).ok().map(PasswordHash::from_kept))
    }
}

pub(super) fn factor_of(
    wrap: &backstay_privacy::WrapKey,
    row: &AccountRow,
) -> Result<Option<TotpSecret>> {
    let Some(sealed) = &row.factor else { return Ok(None) };
    let opened = wrap.open(FACTOR_PURPOSE, &row.id, sealed)?;
    Ok(TotpSecret::from_bytes(&opened))
}

/// Counts an attempt to prove oneself again within a session.
pub(super) fn try_again(
    tables: &mut dyn AccountTables,
    email: &str,
    address: &str,
    now_us: i64,
) -> Result<()> {
    match Counts::of(email, address).try_now(tables, now_us)? {
        Verdict::Go => Ok(()),
        Verdict::Wait { until_us } => Err(StoreError::Wait { until_us }),
    }
}

/// Takes back what [`try_again`] counted.
pub(super) fn was_right(
    tables: &mut dyn AccountTables,
    email: &str,
    address: &str,
    now_us: i64,
) -> Result<()> {
    Counts::of(email, address).succeeded(tables, now_us, true)
}

fn begin(
    secret: &Secret,
    account: &str,
    now_us: i64,
    awaits_code: bool,
    by_link: bool,
) -> SessionRow {
    SessionRow {
        digest: secret.digest(),
        account: account.to_owned(),
        created_us: now_us,
        seen_us: now_us,
        until_us: now_us.saturating_add(if awaits_code { CODE_US } else { SESSION_US }),
        second_factor: false,
        awaits_code,
        by_link,
    }
}

/// Whether a session has not ended.
pub(super) fn lives(held: &SessionRow, now_us: i64) -> bool {
    held.until_us > now_us && held.seen_us.saturating_add(SESSION_IDLE_US) > now_us
}

fn session_id(digest: &SecretDigest) -> String {
    hex::encode(digest.0.get(..8).unwrap_or_default())
}
