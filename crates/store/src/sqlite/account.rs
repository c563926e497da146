//! The tables of accounts in SQLite. SQL only; what a row means is in `crate::account`.

use std::path::Path;

use backstay_access::{Attempts, LimitKind, SecretDigest};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{change, failed};
use crate::{
    account::{AccountRow, AccountTables, LinkRow, SessionRow, Sessions, Standing, TokenRow},
    error::{Result, StoreError},
};

const READING: &str = "reading accounts";
const WRITING: &str = "writing accounts";

/// The tables over a connection or a transaction.
pub(super) struct Tables<'c>(pub(super) &'c Connection, pub(super) &'c Path);

const ACCOUNT: &str =
    "id, email, name, password, factor, factor_on, factor_step, created_us FROM account";
const SESSION: &str = "digest, account_id, created_us, seen_us, until_us, second_factor,
    awaits_code, by_link FROM session";
const TOKEN: &str = "id, digest, account_id, title, created_us, until_us, used_us, read_only,
    arrangements FROM api_token";

fn account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        password: row.get(3)?,
        factor: row.get(4)?,
        factor_on: row.get(5)?,
        factor_step: row.get(6)?,
        created_us: row.get(7)?,
    })
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        digest: SecretDigest(row.get(0)?),
        account: row.get(1)?,
        created_us: row.get(2)?,
        seen_us: row.get(3)?,
        until_us: row.get(4)?,
        second_factor: row.get(5)?,
        awaits_code: row.get(6)?,
        by_link: row.get(7)?,
    })
}

/// A text that we wrote as JSON.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, error.into())
    })
}

fn text_of(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Database { doing: WRITING, message: error.to_string() })
}

fn token(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let limited = row.get_ref(8)? != rusqlite::types::ValueRef::Null;
    Ok(TokenRow {
        id: row.get(0)?,
        digest: SecretDigest(row.get(1)?),
        account: row.get(2)?,
        title: row.get(3)?,
        created_us: row.get(4)?,
        until_us: row.get(5)?,
        used_us: row.get(6)?,
        read_only: row.get(7)?,
        arrangements: if limited { Some(json(row, 8)?) } else { None },
    })
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        account: row.get(0)?,
        seq: row.get::<_, i64>(1)?.unsigned_abs(),
        provider: row.get(2)?,
        disabled: row.get(3)?,
        grants: json(row, 4)?,
    })
}

const STANDING: &str = "account_id, seq, provider_id, disabled, grants FROM standing";

impl Tables<'_> {
    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql).map_err(failed(READING))?;
        let rows = statement.query_map(params, read).map_err(failed(READING))?;
        rows.collect::<rusqlite::Result<Vec<_>>>().map_err(failed(READING))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.0
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, read).optional())
            .map_err(failed(READING))
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        change(self.0, self.1, WRITING, sql, params)
    }

    /// Replaces what an account may do.
    pub(super) fn put_standing(&self, standing: &Standing) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO standing (account_id, seq, provider_id, disabled, grants)
             VALUES (?, ?, ?, ?, ?)",
            params![
                standing.account,
                standing.seq.cast_signed(),
                standing.provider,
                standing.disabled,
                text_of(&standing.grants)?
            ],
        )?;
        Ok(())
    }
}

impl AccountTables for Tables<'_> {
    fn accounts(&self) -> Result<Vec<AccountRow>> {
        self.all(&format!("SELECT {ACCOUNT} ORDER BY email, id"), [], account)
    }

    fn account(&self, id: &str) -> Result<Option<AccountRow>> {
        self.one(&format!("SELECT {ACCOUNT} WHERE id = ?"), [id], account)
    }

    fn account_by_email(&self, email: &str) -> Result<Option<AccountRow>> {
        self.one(&format!("SELECT {ACCOUNT} WHERE email = ?"), [email], account)
    }

    fn put_account(&mut self, row: &AccountRow) -> Result<()> {
        let owner = self.account_by_email(&row.email)?;
        if owner.is_some_and(|owner| owner.id != row.id) {
            return Err(StoreError::EmailTaken(row.email.clone()));
        }
        self.run(
            "INSERT INTO account (id, email, name, password, factor, factor_on, factor_step,
                                  created_us)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name,
               password = excluded.password, factor = excluded.factor,
               factor_on = excluded.factor_on, factor_step = excluded.factor_step",
            params![
                row.id,
                row.email,
                row.name,
                row.password,
                row.factor,
                row.factor_on,
                row.factor_step,
                row.created_us
            ],
        )?;
        Ok(())
    }

    fn delete_account(&mut self, id: &str) -> Result<()> {
        for sql in [
            "DELETE FROM recovery_code WHERE account_id = ?",
            "DELETE FROM session WHERE account_id = ?",
            "DELETE FROM api_token WHERE account_id = ?",
            "DELETE FROM one_time_link WHERE account_id = ?",
            "DELETE FROM account WHERE id = ?",
        ] {
            self.run(sql, [id])?;
        }
        Ok(())
    }

    fn standing(&self, account: &str) -> Result<Option<Standing>> {
        self.one(&format!("SELECT {STANDING} WHERE account_id = ?"), [account], standing)
    }

    fn standings(&self) -> Result<Vec<Standing>> {
        self.all(&format!("SELECT {STANDING} ORDER BY account_id"), [], standing)
    }

    fn session(&self, digest: &SecretDigest) -> Result<Option<SessionRow>> {
        self.one(&format!("SELECT {SESSION} WHERE digest = ?"), [digest.0], session)
    }

    fn sessions(&self, account: &str) -> Result<Vec<SessionRow>> {
        let sql = format!("SELECT {SESSION} WHERE account_id = ? ORDER BY created_us DESC, digest");
        self.all(&sql, [account], session)
    }

    fn put_session(&mut self, row: &SessionRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO session (digest, account_id, created_us, seen_us, until_us,
                                             second_factor, awaits_code, by_link)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.digest.0,
                row.account,
                row.created_us,
                row.seen_us,
                row.until_us,
                row.second_factor,
                row.awaits_code,
                row.by_link
            ],
        )?;
        Ok(())
    }

    fn delete_sessions(&mut self, which: Sessions<'_>) -> Result<usize> {
        match which {
            Sessions::One(digest) => self.run("DELETE FROM session WHERE digest = ?", [digest.0]),
            Sessions::Of { account, but } => self.run(
                "DELETE FROM session WHERE account_id = ?1 AND (?2 IS NULL OR digest <> ?2)",
                params![account, but.map(|digest| digest.0)],
            ),
            Sessions::All => self.run("DELETE FROM session", []),
        }
    }

    fn token(&self, digest: &SecretDigest) -> Result<Option<TokenRow>> {
        self.one(&format!("SELECT {TOKEN} WHERE digest = ?"), [digest.0], token)
    }

    fn tokens(&self, account: &str) -> Result<Vec<TokenRow>> {
        let sql = format!("SELECT {TOKEN} WHERE account_id = ? ORDER BY created_us DESC, id");
        self.all(&sql, [account], token)
    }

    fn put_token(&mut self, row: &TokenRow) -> Result<()> {
        let arrangements = row.arrangements.as_ref().map(text_of).transpose()?;
        self.run(
            "INSERT OR REPLACE INTO api_token (id, digest, account_id, title, created_us, until_us,
                                               used_us, read_only, arrangements)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                row.id,
                row.digest.0,
                row.account,
                row.title,
                row.created_us,
                row.until_us,
                row.used_us,
                row.read_only,
                arrangements
            ],
        )?;
        Ok(())
    }

    fn delete_tokens(&mut self, account: &str, id: Option<&str>) -> Result<usize> {
        self.run(
            "DELETE FROM api_token WHERE account_id = ?1 AND (?2 IS NULL OR id = ?2)",
            params![account, id],
        )
    }

    fn link(&self, digest: &SecretDigest) -> Result<Option<LinkRow>> {
        self.one(
            "SELECT digest, account_id, until_us FROM one_time_link WHERE digest = ?",
            [digest.0],
            |row| {
                let digest = SecretDigest(row.get(0)?);
                Ok(LinkRow { digest, account: row.get(1)?, until_us: row.get(2)? })
            },
        )
    }

    fn put_link(&mut self, link: &LinkRow) -> Result<()> {
        self.run(
            "INSERT INTO one_time_link (digest, account_id, until_us) VALUES (?, ?, ?)",
            params![link.digest.0, link.account, link.until_us],
        )?;
        Ok(())
    }

    fn delete_links(&mut self, account: Option<&str>) -> Result<usize> {
        self.run("DELETE FROM one_time_link WHERE ?1 IS NULL OR account_id = ?1", [account])
    }

    fn recovery_codes(&self, account: &str) -> Result<usize> {
        let sql = "SELECT count(*) FROM recovery_code WHERE account_id = ?";
        let count = self.one(sql, [account], |row| row.get::<_, i64>(0))?;
        Ok(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
    }

    fn put_recovery_codes(&mut self, account: &str, codes: &[SecretDigest]) -> Result<()> {
        self.run("DELETE FROM recovery_code WHERE account_id = ?", [account])?;
        for code in codes {
            let sql = "INSERT INTO recovery_code (account_id, digest) VALUES (?, ?)";
            self.run(sql, params![account, code.0])?;
        }
        Ok(())
    }

    fn take_recovery_code(&mut self, account: &str, code: &SecretDigest) -> Result<bool> {
        let sql = "DELETE FROM recovery_code WHERE account_id = ? AND digest = ?";
        Ok(self.run(sql, params![account, code.0])? > 0)
    }

    fn attempts(&self, kind: LimitKind, name: &SecretDigest) -> Result<Attempts> {
        let found = self.one(
            "SELECT failures, last_us, until_us, known_until_us FROM attempt
             WHERE kind = ? AND name = ?",
            params![kind.as_str(), name.0],
            |row| {
                Ok(Attempts {
                    failures: row.get(0)?,
                    last_us: row.get(1)?,
                    until_us: row.get(2)?,
                    known_until_us: row.get(3)?,
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    fn put_attempts(
        &mut self,
        kind: LimitKind,
        name: &SecretDigest,
        attempts: &Attempts,
    ) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO attempt (kind, name, failures, last_us, until_us,
                                             known_until_us)
             VALUES (?, ?, ?, ?, ?, ?)",
            params![
                kind.as_str(),
                name.0,
                attempts.failures,
                attempts.last_us,
                attempts.until_us,
                attempts.known_until_us
            ],
        )?;
        Ok(())
    }

    fn sweep(&mut self, now_us: i64) -> Result<()> {
        for kind in LimitKind::ALL {
            let sql = "SELECT name, failures, last_us, until_us, known_until_us FROM attempt
                       WHERE kind = ?";
            let kept = self.all(sql, [kind.as_str()], |row| {
                let attempts = Attempts {
                    failures: row.get(1)?,
                    last_us: row.get(2)?,
                    until_us: row.get(3)?,
                    known_until_us: row.get(4)?,
                };
                Ok((row.get::<_, [u8; 32]>(0)?, attempts))
            })?;
            for (name, attempts) in kept {
                if attempts.is_spent(kind, now_us) {
                    let sql = "DELETE FROM attempt WHERE kind = ? AND name = ?";
                    self.run(sql, params![kind.as_str(), name])?;
                }
            }
        }
        for sql in [
            "DELETE FROM session WHERE until_us <= ?",
            "DELETE FROM api_token WHERE until_us <= ?",
            "DELETE FROM one_time_link WHERE until_us <= ?",
        ] {
            self.run(sql, [now_us])?;
        }
        Ok(())
    }

    fn clear_visits(&mut self) -> Result<()> {
        for sql in ["DELETE FROM session", "DELETE FROM one_time_link", "DELETE FROM attempt"] {
            self.run(sql, [])?;
        }
        Ok(())
    }
}
