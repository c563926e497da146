//! What an action is about.

use std::fmt;

use crate::Privacy;

/// What an action is about. What is finer than these is asked about as one of them: a finding, a
/// month or a service level as its arrangement; an import as the rows it brings, table by table; an
/// entry of the ledger as each arrangement it names, or as the workspace when it names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The workspace as a whole.
    Workspace,
    /// One arrangement.
    Arrangement(&'a str),
    /// Rows of one table.
    Rows {
        /// Their arrangement; `None`: a shared table.
        arrangement: Option<&'a str>,
        /// The highest class among the columns asked for.
        privacy: Privacy,
    },
    /// The name behind a pseudonym. `arrangement`: where the asker found the pseudonym, once that
    /// is checked; `None`: anywhere.
    PersonName {
        /// The arrangement.
        arrangement: Option<&'a str>,
    },
    /// An account.
    Account {
        /// Its id.
        id: &'a str,
        /// The provider whose person it is.
        provider: Option<&'a str>,
    },
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("the workspace"),
            Self::Arrangement(id) => write!(f, "arrangement `{id}`"),
            Self::Rows { arrangement: Some(id), privacy } => {
                write!(f, "{} rows of arrangement `{id}`", privacy.as_str())
            }
            Self::Rows { arrangement: None, privacy } => {
                write!(f, "{} rows of a shared table", privacy.as_str())
            }
            Self::PersonName { arrangement: Some(id) } => {
                write!(f, "a person's name in arrangement `{id}`")
            }
            Self::PersonName { arrangement: None } => f.write_str("a person's name"),
            Self::Account { id, .. } => write!(f, "account `{id}`"),
        }
    }
}
