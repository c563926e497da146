//! Roles, scopes and grants: the words in which rights are given. What a role may do stands in
//! `policies/roles.cedar`, never here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// What somebody comes for. A role means nothing without a scope; see [`Grant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Accounts and the machine; sees no evidence.
    Administrator,
    /// Is my function under control, what slips, whom do I call.
    ServiceOwner,
    /// Month-end: service levels, credits, disputes, registers, imports.
    VendorManager,
    /// Invoices against rates and verified volumes.
    FinanceAnalyst,
    /// Who touched what; the only role that may ask for a name.
    SecurityPrivacyOfficer,
    /// Clauses, obligations, registers for regulators.
    LegalCompliance,
    /// One page.
    Executive,
    /// Reads and verifies; stands alone.
    InternalAuditor,
    /// The provider's own person; stands alone.
    ProviderAccountManager,
    /// Own checks and service levels in SQL.
    Analyst,
}

/// Why a role or a scope is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// No such role.
    #[error("there is no role `{0}`: choose one of {list}", list = Role::list())]
    Role(String),
    /// No such scope.
    #[error(
        "`{0}` is no scope: write `all`, `arrangement:ID` or `provider:ID`, with an id of 1 to 200 characters"
    )]
    Scope(String),
}

impl Role {
    /// All of them, in the order of documents.
    pub const ALL: [Self; 10] = [
        Self::Administrator,
        Self::ServiceOwner,
        Self::VendorManager,
        Self::FinanceAnalyst,
        Self::SecurityPrivacyOfficer,
        Self::LegalCompliance,
        Self::Executive,
        Self::InternalAuditor,
        Self::ProviderAccountManager,
        Self::Analyst,
    ];

    /// The permanent id: in the ledger, in policies, on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::ServiceOwner => "service-owner",
            Self::VendorManager => "vendor-manager",
            Self::FinanceAnalyst => "finance-analyst",
            Self::SecurityPrivacyOfficer => "security-privacy-officer",
            Self::LegalCompliance => "legal-compliance",
            Self::Executive => "executive",
            Self::InternalAuditor => "internal-auditor",
            Self::ProviderAccountManager => "provider-account-manager",
            Self::Analyst => "analyst",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::ServiceOwner => "Service owner",
            Self::VendorManager => "Vendor manager",
            Self::FinanceAnalyst => "Finance analyst",
            Self::SecurityPrivacyOfficer => "Security and privacy officer",
            Self::LegalCompliance => "Legal and compliance",
            Self::Executive => "Executive",
            Self::InternalAuditor => "Internal auditor",
            Self::ProviderAccountManager => "Provider's account manager",
            Self::Analyst => "Analyst",
        }
    }

    /// What the role is for, in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Administrator => "accounts, rights and the machine; no evidence",
            Self::ServiceOwner => "figures and findings of the own functions, without people",
            Self::VendorManager => "imports, registers, assessments, month-end",
            Self::FinanceAnalyst => "figures and the rows behind them, without people",
            Self::SecurityPrivacyOfficer => "everything about people, names and secret columns too",
            Self::LegalCompliance => "figures, terms and registers, without people",
            Self::Executive => "figures and packs, no rows",
            Self::InternalAuditor => "reads and verifies everything, changes nothing",
            Self::ProviderAccountManager => "the provider's own arrangements: figures, evidence",
            Self::Analyst => "SQL, own checks, mappings, imports",
        }
    }

    fn list() -> String {
        Self::ALL.map(|role| format!("`{}`", role.as_str())).join(", ")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| RoleError::Role(text.to_owned()))
    }
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The whole workspace, what is shared included.
    All,
    /// One arrangement, by its id.
    Arrangement(String),
    /// Every arrangement that one provider holds or held, by the provider's id.
    Provider(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Arrangement(id) => write!(f, "arrangement:{id}"),
            Self::Provider(id) => write!(f, "provider:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = |id: &str| match id.trim() {
            id if id.is_empty() || id.chars().count() > 200 => {
                Err(RoleError::Scope(text.to_owned()))
            }
            id => Ok(id.to_owned()),
        };
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("arrangement", id)) => whole(id).map(Self::Arrangement),
            Some(("provider", id)) => whole(id).map(Self::Provider),
            _ => Err(RoleError::Scope(text.to_owned())),
        }
    }
}

/// A role in a scope: what an account is given, and what can be taken from it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

impl Grant {
    /// A grant.
    #[must_use]
    pub fn new(role: Role, scope: Scope) -> Self {
        Self { role, scope }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.role, self.scope)
    }
}

macro_rules! as_text {
    ($($kind:ty),*) => {$(
        impl Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_text!(Role, Scope);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn roles_and_scopes_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse::<Role>(), Ok(role));
        }
        for scope in [Scope::All, Scope::Arrangement("a:b".into()), Scope::Provider("p".into())] {
            assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope));
        }
        for wrong in ["", "everything", "arrangement:", "provider: ", "site:x", "All"] {
            assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
        }
        let error = "boss".parse::<Role>().unwrap_err().to_string();
        assert!(error.contains("`boss`") && error.contains("`vendor-manager`"), "{error}");
    }

    #[test]
    fn a_grant_keeps_its_form_in_the_ledger() {
        let grant = Grant::new(Role::VendorManager, Scope::Provider("northwind".into()));
        let text = serde_json::to_string(&grant).unwrap();
        assert_eq!(text, r#"{"role":"vendor-manager","scope":"provider:northwind"}"#);
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
    }
}
