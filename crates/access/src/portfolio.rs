//! The arrangements there are and who provides them: what a scope is resolved against.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Privacy class of a column, as the vocabulary states it; the greater hides the lesser.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Anyone who sees the arrangement.
    #[default]
    Open,
    /// The two parties' business.
    Internal,
    /// About a person, under a pseudonym.
    Personal,
    /// May hold a name or a secret.
    Secret,
}

impl Privacy {
    /// All of them, from open to secret.
    pub const ALL: [Self; 4] = [Self::Open, Self::Internal, Self::Personal, Self::Secret];

    /// The word of the vocabulary.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Internal => "internal",
            Self::Personal => "personal",
            Self::Secret => "secret",
        }
    }
}

/// Arrangements with every provider that holds or ever held each: all that is needed to say who sees
/// what. Made from the register of arrangements, all its validities together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Portfolio {
    arrangements: BTreeMap<String, BTreeSet<String>>,
}

impl Portfolio {
    /// From pairs of arrangement and provider; an arrangement may come several times. An empty
    /// provider names the arrangement alone.
    pub fn new<A: Into<String>, P: Into<String>>(pairs: impl IntoIterator<Item = (A, P)>) -> Self {
        let mut portfolio = Self::default();
        for (arrangement, provider) in pairs {
            let providers = portfolio.arrangements.entry(arrangement.into()).or_default();
            let provider = provider.into();
            if !provider.is_empty() {
                providers.insert(provider);
            }
        }
        portfolio
    }

    /// Ids of all arrangements, sorted.
    pub fn arrangements(&self) -> impl Iterator<Item = &str> {
        self.arrangements.keys().map(String::as_str)
    }

    /// Whether there is such an arrangement.
    #[must_use]
    pub fn has(&self, arrangement: &str) -> bool {
        self.arrangements.contains_key(arrangement)
    }

    /// Every provider that holds or held it, sorted; none for an unknown arrangement.
    pub fn providers_of(&self, arrangement: &str) -> impl Iterator<Item = &str> {
        self.arrangements.get(arrangement).into_iter().flatten().map(String::as_str)
    }

    /// The provider, when no other ever held the arrangement.
    #[must_use]
    pub fn sole_provider(&self, arrangement: &str) -> Option<&str> {
        let mut providers = self.providers_of(arrangement);
        let first = providers.next()?;
        providers.next().is_none().then_some(first)
    }

    /// Ids of all providers, sorted.
    #[must_use]
    pub fn providers(&self) -> BTreeSet<&str> {
        self.arrangements.values().flatten().map(String::as_str).collect()
    }
}
