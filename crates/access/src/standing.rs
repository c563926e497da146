//! Which grants an account may hold at all. A first wall; the policies are the second and hold even
//! against grants that came in past this one.

use crate::{Grant, Portfolio, Role, Scope};

/// Why a set of grants is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// A provider's person gets another role.
    #[error(
        "a person of provider `{provider}` can only be `provider-account-manager`, not `{role}`"
    )]
    ProviderRole {
        /// The provider.
        provider: String,
        /// The role.
        role: Role,
    },
    /// The client's person gets the provider's role.
    #[error(
        "`provider-account-manager` is for a provider's people: make the account with its provider"
    )]
    NotProvider,
    /// Beyond the provider's arrangements.
    #[error(
        "`{scope}` reaches beyond provider `{provider}`: grant `provider:{provider}` or an arrangement that no other provider ever held"
    )]
    BeyondProvider {
        /// The provider.
        provider: String,
        /// The scope.
        scope: Scope,
    },
    /// Auditor and something else.
    #[error(
        "`internal-auditor` stands alone, beside `{0}` it would check its own work: use two accounts"
    )]
    AuditorAlone(Role),
    /// Administration of a part.
    #[error("`administrator` is granted on `all`: accounts belong to no arrangement")]
    AdministratorScope,
    /// No such arrangement.
    #[error("there is no arrangement `{0}`: bring its register in first, or look at its spelling")]
    NoArrangement(String),
    /// No such provider.
    #[error(
        "no arrangement names provider `{0}`: bring the register in first, or look at its spelling"
    )]
    NoProvider(String),
}

/// Whether an account of this provider (`None`: of the client's side) may hold these grants together.
///
/// # Errors
/// The first that stands against it.
pub fn check_grants(
    provider: Option<&str>,
    grants: &[Grant],
    portfolio: &Portfolio,
) -> Result<(), GrantError> {
    for grant in grants {
        match (provider, grant.role) {
            (Some(provider), Role::ProviderAccountManager) => {
                let inside = match &grant.scope {
                    Scope::All => false,
                    Scope::Provider(id) => id == provider,
                    Scope::Arrangement(id) => {
                        !portfolio.has(id) || portfolio.sole_provider(id) == Some(provider)
                    }
                };
                if !inside {
                    let (provider, scope) = (provider.to_owned(), grant.scope.clone());
                    return Err(GrantError::BeyondProvider { provider, scope });
                }
            }
            (Some(provider), role) => {
                return Err(GrantError::ProviderRole { provider: provider.to_owned(), role });
            }
            (None, Role::ProviderAccountManager) => return Err(GrantError::NotProvider),
            (None, Role::Administrator) if grant.scope != Scope::All => {
                return Err(GrantError::AdministratorScope);
            }
            _ => {}
        }
    }
    let audits = grants.iter().any(|grant| grant.role == Role::InternalAuditor);
    let other = grants.iter().find(|grant| grant.role != Role::InternalAuditor);
    if let Some(other) = other.filter(|_| audits) {
        return Err(GrantError::AuditorAlone(other.role));
    }
    // Last, so that a caller who lets old scopes pass has seen all else.
    let providers = portfolio.providers();
    for grant in grants {
        match &grant.scope {
            Scope::Arrangement(id) if !portfolio.has(id) => {
                return Err(GrantError::NoArrangement(id.clone()));
            }
            Scope::Provider(id)
                if Some(id.as_str()) != provider && !providers.contains(id.as_str()) =>
            {
                return Err(GrantError::NoProvider(id.clone()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn portfolio() -> Portfolio {
        Portfolio::new([
            ("desk", "north"),
            ("claims", "south"),
            ("moved", "north"),
            ("moved", "south"),
        ])
    }

    fn check(provider: Option<&str>, grants: &[(Role, &str)]) -> Result<(), GrantError> {
        let grants: Vec<Grant> =
            grants.iter().map(|(role, scope)| Grant::new(*role, scope.parse().unwrap())).collect();
        check_grants(provider, &grants, &portfolio())
    }

    #[test]
    fn a_providers_person_gets_its_own_role_on_its_own_arrangements_and_nothing_else() {
        let own = Role::ProviderAccountManager;
        assert_eq!(
            check(Some("north"), &[(own, "provider:north"), (own, "arrangement:desk")]),
            Ok(())
        );
        for scope in ["all", "provider:south", "arrangement:claims", "arrangement:moved"] {
            let error = check(Some("north"), &[(own, scope)]).unwrap_err();
            assert!(matches!(error, GrantError::BeyondProvider { .. }), "{scope}: {error}");
        }
        for role in Role::ALL.into_iter().filter(|role| *role != own) {
            let error = check(Some("north"), &[(role, "arrangement:desk")]).unwrap_err();
            assert!(matches!(error, GrantError::ProviderRole { .. }), "{role}: {error}");
        }
        assert_eq!(check(None, &[(own, "provider:north")]), Err(GrantError::NotProvider));
        assert_eq!(
            check(Some("new"), &[(own, "provider:new")]),
            Ok(()),
            "before its first arrangement"
        );
    }

    #[test]
    fn an_auditor_stands_alone_and_an_administrator_administers_all() {
        assert_eq!(check(None, &[(Role::InternalAuditor, "all")]), Ok(()));
        let both = [(Role::InternalAuditor, "arrangement:desk"), (Role::Analyst, "all")];
        assert_eq!(check(None, &both), Err(GrantError::AuditorAlone(Role::Analyst)));
        assert_eq!(check(None, &[(Role::Administrator, "all"), (Role::Analyst, "all")]), Ok(()));
        let gone = [(Role::InternalAuditor, "arrangement:gone"), (Role::Analyst, "all")];
        assert_eq!(check(None, &gone), Err(GrantError::AuditorAlone(Role::Analyst)));
        let part = check(None, &[(Role::Administrator, "arrangement:desk")]);
        assert_eq!(part, Err(GrantError::AdministratorScope));
    }

    #[test]
    fn a_scope_must_be_there() {
        let owner = |scope| check(None, &[(Role::ServiceOwner, scope)]);
        assert_eq!(owner("arrangement:dest"), Err(GrantError::NoArrangement("dest".into())));
        assert_eq!(owner("provider:nort"), Err(GrantError::NoProvider("nort".into())));
        assert_eq!(owner("provider:north"), Ok(()));
    }
}
