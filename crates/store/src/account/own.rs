//! What somebody does to the own account: password, second factor, recovery codes, API tokens. Each
//! takes the session, so that nobody can do it to another's.

use backstay_access::{
    PasswordHash, RECOVERY_CODES, RecoveryCode, Secret, SecretKind, TotpSecret, TotpVerdict,
    check_password, hash_password, verify_password,
};
use serde::Serialize;

use super::{
    AccountRow, AccountTables, Accounts, DAY_US, SECOND_US, SessionRow, Sessions, TokenRow,
    enter::{FACTOR_PURPOSE, PASSWORD_PURPOSE, Visitor, factor_of, lives, try_again, was_right},
};
use crate::{
    error::{Result, StoreError},
    workspace::Ctx,
};

/// The longest an API token may last, days.
pub const TOKEN_MOST_DAYS: i64 = 366;

/// A second factor that is offered: it is asked for once a code proves that it was taken over.
#[derive(Debug)]
pub struct FactorOffer {
    /// The secret, for who types it.
    pub secret: TotpSecret,
    /// The `otpauth` address, for a QR code.
    pub uri: String,
}

/// An API token to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for.
    pub title: String,
    /// How long it lasts, microseconds; [`TOKEN_MOST_DAYS`] at most.
    pub lasts_us: i64,
    /// It may only read.
    pub read_only: bool,
    /// The arrangements it is limited to; `None`: all that its owner sees.
    pub arrangements: Option<Vec<String>>,
}

/// An API token, for a list. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenView {
    /// Id, to name it by.
    pub id: String,
    /// What it is for.
    pub title: String,
    /// When it was made, microseconds UTC.
    pub created_us: i64,
    /// When it ends.
    pub until_us: i64,
    /// When it was last used, to a few minutes.
    pub used_us: Option<i64>,
    /// It may only read.
    pub read_only: bool,
    /// The arrangements it is limited to.
    pub arrangements: Option<Vec<String>>,
}

impl TokenView {
    fn of(row: TokenRow) -> Self {
        let TokenRow { id, title, created_us, until_us, used_us, read_only, arrangements, .. } =
            row;
        Self { id, title, created_us, until_us, used_us, read_only, arrangements }
    }
}

/// The session of somebody who is in, with the account, as it is now.
fn present(
    tables: &dyn AccountTables,
    visitor: &Visitor,
    now_us: i64,
) -> Result<(SessionRow, AccountRow)> {
    let digest = visitor.session.ok_or(StoreError::NoSession)?;
    let session = tables.session(&digest)?.filter(|held| lives(held, now_us) && !held.awaits_code);
    let session = session.ok_or(StoreError::NoSession)?;
    let standing = tables.standing(&session.account)?.filter(|standing| !standing.disabled);
    let row = tables.account(&session.account)?;
    match (standing, row) {
        (Some(_), Some(row)) => Ok((session, row)),
        _ => Err(StoreError::NoSession),
    }
}

impl Accounts<'_> {
    /// Sets the own password; the account's other sessions end. `old`: the present one, needed unless
    /// the visitor came by a link.
    ///
    /// # Errors
    /// [`StoreError::Password`] when the new one is not good enough, [`StoreError::WrongPassword`],
    /// [`StoreError::Wait`], [`StoreError::NoSession`].
    pub fn set_password(
        &self,
        visitor: &Visitor,
        old: Option<&str>,
        new: &str,
        address: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<()> {
        let account = &visitor.account;
        check_password(new, &[&account.name, &account.email])?;
        let now_us = ctx.now_us;
        let (session, row) = self.change(|tables| {
            let (session, row) = present(tables, visitor, now_us)?;
            if !session.by_link {
                try_again(tables, &row.email, address, now_us)?;
            }
            Ok((session, row))
        })?;
        if !session.by_link {
            let kept = self.kept_password(&row)?;
            if !verify_password(old.unwrap_or_default(), kept.as_ref()) {
                return Err(StoreError::WrongPassword);
            }
        }
        let sealed = self.seal_password(&row.id, &hash_password(new, ctx.bytes())?, ctx)?;
        self.change(|tables| {
            let (session, now) = present(tables, visitor, now_us)?;
            if now.password != row.password {
                return Err(StoreError::WrongPassword);
            }
            if !session.by_link {
                was_right(tables, &now.email, address, now_us)?;
            }
            tables.put_account(&AccountRow { password: Some(sealed.clone()), ..now })?;
            let but = Some(session.digest);
            tables.delete_sessions(Sessions::Of { account: &session.account, but })?;
            // The link has done its work: the next change asks for this password.
            tables.put_session(&SessionRow { by_link: false, ..session })
        })
    }

    /// Offers a new second factor. Until [`Accounts::confirm_factor`] the one there was stays.
    ///
    /// # Errors
    /// [`StoreError::NoSession`].
    pub fn offer_factor(&self, visitor: &Visitor, ctx: &mut Ctx<'_>) -> Result<FactorOffer> {
        self.read(|tables| present(tables, visitor, ctx.now_us))?;
        let secret = TotpSecret::new(ctx.bytes());
        let issuer = "Backstay";
        let uri = secret.uri(issuer, &visitor.account.email);
        Ok(FactorOffer { secret, uri })
    }

    /// Takes over an offered second factor, proved by its code: `secret` as [`FactorOffer`] gave it.
    /// Recovery codes come with it, shown once; the session then counts as signed in with it.
    ///
    /// When a second factor is on already, the session must have been signed in with it.
    ///
    /// # Errors
    /// [`StoreError::WrongPassword`] for a wrong code, [`StoreError::Wait`],
    /// [`StoreError::NoSession`].
    pub fn confirm_factor(
        &self,
        visitor: &Visitor,
        secret: &TotpSecret,
        code: &str,
        address: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<Vec<RecoveryCode>> {
        let now_us = ctx.now_us;
        let codes = RecoveryCode::make(&ctx.bytes());
        let nonce = ctx.bytes();
        let wrap = self.workspace.keys.wrap()?;
        let sealed = wrap.seal(FACTOR_PURPOSE, &visitor.account.id, secret.bytes(), nonce)?;
        let right = self.change(|tables| {
            let (session, row) = present(tables, visitor, now_us)?;
            if row.factor_on && !session.second_factor {
                return Err(StoreError::NoSession);
            }
            try_again(tables, &row.email, address, now_us)?;
            let TotpVerdict::Right { step } = secret.check(code, now_us, None) else {
                // Counted, so not taken back.
                return Ok(false);
            };
            was_right(tables, &row.email, address, now_us)?;
            put_codes(tables, &row.id, &codes)?;
            tables.put_account(&AccountRow {
                factor: Some(sealed.clone()),
                factor_on: true,
                factor_step: Some(step),
                ..row
            })?;
            let but = Some(session.digest);
            tables.delete_sessions(Sessions::Of { account: &session.account, but })?;
            tables.put_session(&SessionRow { second_factor: true, ..session })?;
            Ok(true)
        })?;
        if right { Ok(codes) } else { Err(StoreError::WrongPassword) }
    }

    /// New recovery codes in place of the old ones, shown once. Asks for a code of the second factor.
    ///
    /// # Errors
    /// [`StoreError::WrongPassword`] for a wrong code, [`StoreError::Wait`],
    /// [`StoreError::NoSession`].
    pub fn new_recovery_codes(
        &self,
        visitor: &Visitor,
        code: &str,
        address: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<Vec<RecoveryCode>> {
        let now_us = ctx.now_us;
        let codes = RecoveryCode::make(&ctx.bytes());
        let wrap = self.workspace.keys.wrap()?;
        let right = self.change(|tables| {
            let (_, row) = present(tables, visitor, now_us)?;
            try_again(tables, &row.email, address, now_us)?;
            let factor = factor_of(&wrap, &row)?.filter(|_| row.factor_on);
            let verdict = factor.map(|factor| factor.check(code, now_us, row.factor_step));
            let Some(TotpVerdict::Right { step }) = verdict else { return Ok(false) };
            was_right(tables, &row.email, address, now_us)?;
            put_codes(tables, &row.id, &codes)?;
            tables.put_account(&AccountRow { factor_step: Some(step), ..row })?;
            Ok(true)
        })?;
        if right { Ok(codes) } else { Err(StoreError::WrongPassword) }
    }

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// Those of the database.
    pub fn recovery_codes(&self, account: &str) -> Result<usize> {
        self.read(|tables| tables.recovery_codes(account))
    }

    /// Makes an API token for an account. The secret is shown once. What the token may do is never
    /// more than its owner may at the moment of asking.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`], [`StoreError::AccountDisabled`], [`StoreError::Lifetime`],
    /// [`StoreError::BadName`].
    pub fn make_token(
        &self,
        account: &str,
        new: &NewToken,
        ctx: &mut Ctx<'_>,
    ) -> Result<(Secret, TokenView)> {
        let title = super::normal_name(&new.title)?;
        if !(60 * SECOND_US..=TOKEN_MOST_DAYS * DAY_US).contains(&new.lasts_us) {
            return Err(StoreError::Lifetime { what: "an API token", most_days: TOKEN_MOST_DAYS });
        }
        let owner = self.find(account)?;
        if owner.disabled {
            return Err(StoreError::AccountDisabled(owner.id));
        }
        let secret = Secret::new(SecretKind::Token, ctx.bytes());
        let id: [u8; 4] = ctx.bytes();
        let row = TokenRow {
            id: format!("t-{}", hex::encode(id)),
            digest: secret.digest(),
            account: owner.id,
            title,
            created_us: ctx.now_us,
            until_us: ctx.now_us.saturating_add(new.lasts_us),
            used_us: None,
            read_only: new.read_only,
            arrangements: new.arrangements.clone(),
        };
        self.change(|tables| tables.put_token(&row))?;
        Ok((secret, TokenView::of(row)))
    }

    /// The API tokens of an account, the newest first; those that ended until they are swept.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tokens(&self, account: &str) -> Result<Vec<TokenView>> {
        let rows = self.read(|tables| tables.tokens(account))?;
        Ok(rows.into_iter().map(TokenView::of).collect())
    }

    /// Ends an API token of an account.
    ///
    /// # Errors
    /// [`StoreError::NoToken`].
    pub fn end_token(&self, account: &str, id: &str) -> Result<()> {
        match self.change(|tables| tables.delete_tokens(account, Some(id)))? {
            0 => Err(StoreError::NoToken(id.to_owned())),
            _ => Ok(()),
        }
    }

    fn seal_password(
        &self,
        account: &str,
        hash: &PasswordHash,
        ctx: &mut Ctx<'_>,
    ) -> Result<Vec<u8>> {
        let wrap = self.workspace.keys.wrap()?;
        Ok(wrap.seal(PASSWORD_PURPOSE, account, hash.as_str().as_bytes(), ctx.bytes())?)
    }
}

fn put_codes(tables: &mut dyn AccountTables, account: &str, codes: &[RecoveryCode]) -> Result<()> {
    let digests: Vec<_> = codes.iter().map(|code| code.digest(account)).collect();
    debug_assert_eq!(digests.len(), RECOVERY_CODES);
    tables.put_recovery_codes(account, &digests)
}
