//! What is kept of accounts, and what a backend must do for it. Rights are readings of the ledger
//! ([`Standing`]); everything else here is no fact and stays outside it: mail addresses, passwords,
//! second factors, sessions, tokens, links and attempts. Nothing here is kept in a form that opens a
//! door by itself: passwords and second factors are sealed under the workspace's key, and of every
//! other secret only the digest is kept.

use backstay_access::{Attempts, Grant, LimitKind, SecretDigest};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// An account, apart from its rights.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Id, permanent: what the ledger names.
    pub id: String,
    /// Mail address in lower case; what the person signs in with.
    pub email: String,
    /// Name for others to read.
    pub name: String,
    /// Kept password, sealed.
    pub password: Option<Vec<u8>>,
    /// Secret of the second factor, sealed.
    pub factor: Option<Vec<u8>>,
    /// The second factor was proved once and is asked for.
    pub factor_on: bool,
    /// The last step of the second factor that was accepted.
    pub factor_step: Option<i64>,
    /// When it was made, microseconds UTC.
    pub created_us: i64,
}

impl std::fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What an account may do, as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standing {
    /// The account.
    pub account: String,
    /// The last entry about it.
    pub seq: u64,
    /// The provider whose person it is.
    pub provider: Option<String>,
    /// It may not come in.
    pub disabled: bool,
    /// What it was granted, sorted.
    pub grants: Vec<Grant>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Digest of its secret.
    pub digest: SecretDigest,
    /// The account.
    pub account: String,
    /// When it began, microseconds UTC.
    pub created_us: i64,
    /// When it was last used, to a few minutes.
    pub seen_us: i64,
    /// When it ends at the latest.
    pub until_us: i64,
    /// A code of the second factor was given.
    pub second_factor: bool,
    /// The password was right, and a code is still to be given: it opens nothing yet.
    pub awaits_code: bool,
    /// It came by a link, so a new password needs no old one.
    pub by_link: bool,
}

/// A personal API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Id, to name it by.
    pub id: String,
    /// Digest of its secret.
    pub digest: SecretDigest,
    /// Whose it is.
    pub account: String,
    /// What it is for, in the owner's words.
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

/// A one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Digest of its secret.
    pub digest: SecretDigest,
    /// Whom it lets in.
    pub account: String,
    /// When it ends, microseconds UTC.
    pub until_us: i64,
}

/// Which sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions<'a> {
    /// This one.
    One(SecretDigest),
    /// All of an account, but for one.
    Of {
        /// The account.
        account: &'a str,
        /// The one that stays.
        but: Option<SecretDigest>,
    },
    /// All.
    All,
}

/// The tables of accounts, as seen inside one transaction or outside any.
///
/// Duties of every backend: what one transaction changes becomes visible together or not at all; what
/// it reads is what it will change (no other transaction comes between); a mail address belongs to one
/// account at most, and a second is refused with [`crate::StoreError::EmailTaken`]; deleting an
/// account deletes all that hangs from it, so that its bytes do not stay in the file.
pub trait AccountTables {
    /// All accounts, by mail address.
    ///
    /// # Errors
    /// Those of the backend; so with every method here.
    fn accounts(&self) -> Result<Vec<AccountRow>>;
    /// The account with this id.
    fn account(&self, id: &str) -> Result<Option<AccountRow>>;
    /// The account with this mail address, in lower case.
    fn account_by_email(&self, email: &str) -> Result<Option<AccountRow>>;
    /// Adds an account, or replaces the one with its id.
    fn put_account(&mut self, account: &AccountRow) -> Result<()>;
    /// Deletes an account with its recovery codes, sessions, tokens and links.
    fn delete_account(&mut self, id: &str) -> Result<()>;

    /// What an account may do; `None`: the ledger says nothing of it.
    fn standing(&self, account: &str) -> Result<Option<Standing>>;
    /// What every account may do, by id.
    fn standings(&self) -> Result<Vec<Standing>>;

    /// A session.
    fn session(&self, digest: &SecretDigest) -> Result<Option<SessionRow>>;
    /// The sessions of an account, the newest first.
    fn sessions(&self, account: &str) -> Result<Vec<SessionRow>>;
    /// Adds a session, or replaces it.
    fn put_session(&mut self, session: &SessionRow) -> Result<()>;
    /// Deletes sessions; how many.
    fn delete_sessions(&mut self, which: Sessions<'_>) -> Result<usize>;

    /// A token by its secret.
    fn token(&self, digest: &SecretDigest) -> Result<Option<TokenRow>>;
    /// The tokens of an account, the newest first.
    fn tokens(&self, account: &str) -> Result<Vec<TokenRow>>;
    /// Adds a token, or replaces it.
    fn put_token(&mut self, token: &TokenRow) -> Result<()>;
    /// Deletes a token of an account, or all; how many.
    fn delete_tokens(&mut self, account: &str, id: Option<&str>) -> Result<usize>;

    /// A link.
    fn link(&self, digest: &SecretDigest) -> Result<Option<LinkRow>>;
    /// Adds a link.
    fn put_link(&mut self, link: &LinkRow) -> Result<()>;
    /// Deletes the links of an account, or all; how many.
    fn delete_links(&mut self, account: Option<&str>) -> Result<usize>;

    /// How many recovery codes of an account are left.
    fn recovery_codes(&self, account: &str) -> Result<usize>;
    /// Replaces the recovery codes of an account.
    fn put_recovery_codes(&mut self, account: &str, codes: &[SecretDigest]) -> Result<()>;
    /// Takes a recovery code away; false: there was none.
    fn take_recovery_code(&mut self, account: &str, code: &SecretDigest) -> Result<bool>;

    /// What was tried; its default when nothing was. `name` is the digest of whatever is counted.
    fn attempts(&self, kind: LimitKind, name: &SecretDigest) -> Result<Attempts>;
    /// Replaces it.
    fn put_attempts(
        &mut self,
        kind: LimitKind,
        name: &SecretDigest,
        attempts: &Attempts,
    ) -> Result<()>;
    /// Deletes attempts that say nothing any more, and sessions, tokens and links that ended before
    /// this instant.
    fn sweep(&mut self, now_us: i64) -> Result<()>;
    /// Deletes all sessions, links and attempts: a copy of a workspace starts without them.
    fn clear_visits(&mut self) -> Result<()>;
}
