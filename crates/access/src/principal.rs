//! Who asks: an account with its grants, and how it came in.

use std::collections::BTreeSet;

use crate::Grant;

/// How the account came in this time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// A code of the second factor was given in this session.
    pub second_factor: bool,
    /// It came by an API token; `None`: by signing in.
    pub token: Option<TokenLimits>,
}

/// What an API token was limited to when it was made. It can never do more than its owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenLimits {
    /// Reading only.
    pub read_only: bool,
    /// These arrangements and nothing shared; `None`: all that the owner sees.
    pub arrangements: Option<BTreeSet<String>>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Id of the account.
    pub account: String,
    /// The provider whose person it is; `None`: of the client's side.
    pub provider: Option<String>,
    /// Roles with their scopes.
    pub grants: Vec<Grant>,
    /// How it came in.
    pub visit: Visit,
}

impl Principal {
    /// An account of the client's side that signed in without a second factor.
    pub fn new(account: impl Into<String>, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self {
            account: account.into(),
            provider: None,
            grants: grants.into_iter().collect(),
            visit: Visit::default(),
        }
    }

    /// The same as a person of this provider.
    #[must_use]
    pub fn of_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The same, come in that way.
    #[must_use]
    pub fn with_visit(mut self, visit: Visit) -> Self {
        self.visit = visit;
        self
    }
}
