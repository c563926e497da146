//! What holds for every portfolio and every set of grants.

use std::collections::BTreeSet;

use backstay_access::{
    Action, Grant, Group, Policies, Portfolio, Principal, Privacy, Resource, Role, Scope,
    TokenLimits, Visit, check_grants,
};
use proptest::prelude::*;

const PROVIDERS: [&str; 3] = ["north", "south", "east"];
const ARRANGEMENTS: [&str; 5] = ["a", "b", "c", "d", "e"];

fn portfolios() -> impl Strategy<Value = Portfolio> {
    prop::collection::vec((0..5_usize, 0..3_usize), 0..9).prop_map(|pairs| {
        Portfolio::new(pairs.into_iter().map(|(a, p)| (ARRANGEMENTS[a], PROVIDERS[p])))
    })
}

fn grants(most: usize) -> impl Strategy<Value = Vec<Grant>> {
    let scope = prop_oneof![
        Just(Scope::All),
        (0..5_usize).prop_map(|n| Scope::Arrangement(ARRANGEMENTS[n].into())),
        (0..3_usize).prop_map(|n| Scope::Provider(PROVIDERS[n].into())),
    ];
    let grant = (0..10_usize, scope).prop_map(|(role, scope)| Grant::new(Role::ALL[role], scope));
    prop::collection::vec(grant, 0..most)
}

fn visits() -> impl Strategy<Value = Visit> {
    let some = prop::collection::btree_set(0..5_usize, 0..3)
        .prop_map(|ids| ids.into_iter().map(|n| ARRANGEMENTS[n].to_owned()).collect());
    let limits = (any::<bool>(), prop::option::of(some))
        .prop_map(|(read_only, arrangements)| TokenLimits { read_only, arrangements });
    (any::<bool>(), prop::option::of(limits))
        .prop_map(|(second_factor, token)| Visit { second_factor, token })
}

/// Everything that can be asked about.
fn resources() -> Vec<Resource<'static>> {
    let mut all = vec![Resource::Workspace, Resource::PersonName { arrangement: None }];
    for arrangement in ARRANGEMENTS {
        all.push(Resource::Arrangement(arrangement));
        all.push(Resource::PersonName { arrangement: Some(arrangement) });
    }
    for arrangement in ARRANGEMENTS.into_iter().map(Some).chain([None]) {
        for privacy in [Privacy::Open, Privacy::Secret] {
            all.push(Resource::Rows { arrangement, privacy });
        }
    }
    for (id, provider) in [("a-1", None), ("a-2", None), ("a-3", Some("north"))] {
        all.push(Resource::Account { id, provider });
    }
    all
}

fn allowed(portfolio: &Portfolio, principal: &Principal) -> BTreeSet<(Action, String)> {
    let authority = Policies::built_in().unwrap().authority(principal, portfolio).unwrap();
    let mut all = BTreeSet::new();
    for resource in resources() {
        for action in Action::ALL {
            if authority.may(*action, &resource) {
                all.insert((*action, format!("{resource:?}")));
            }
        }
    }
    all
}

/// The arrangement that a resource stands in, if it stands in one.
fn arrangement_of(resource: &Resource<'_>) -> Option<&'static str> {
    let id = match resource {
        Resource::Arrangement(id) => Some(*id),
        Resource::Rows { arrangement, .. } | Resource::PersonName { arrangement } => *arrangement,
        _ => None,
    };
    ARRANGEMENTS.into_iter().find(|known| Some(*known) == id)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_providers_person_does_nothing_to_what_is_not_its_providers_alone(
        portfolio in portfolios(), grants in grants(5), visit in visits(),
    ) {
        let person = Principal::new("a-1", grants).of_provider("north").with_visit(visit);
        let authority = Policies::built_in().unwrap().authority(&person, &portfolio).unwrap();
        for seen in authority.visible() {
            prop_assert_eq!(portfolio.sole_provider(&seen), Some("north"));
        }
        for resource in resources() {
            let outside = match &resource {
                Resource::Account { id, .. } => *id != "a-1",
                Resource::Workspace => true,
                _ => arrangement_of(&resource)
                    .is_none_or(|id| portfolio.sole_provider(id) != Some("north")),
            };
            if !outside {
                continue;
            }
            for action in Action::ALL {
                let no_evidence = matches!(action, Action::CatalogueRead | Action::CheckpointRead);
                prop_assert!(
                    no_evidence || !authority.may(*action, &resource),
                    "{} {:?}", action, resource
                );
            }
        }
    }

    #[test]
    fn another_grant_never_takes_a_right_away_unless_it_makes_an_auditor(
        portfolio in portfolios(), mut grants in grants(4), more in grants(2), visit in visits(),
    ) {
        let principal = |grants: &[Grant]| {
            Principal::new("a-1", grants.to_vec()).with_visit(visit.clone())
        };
        let before = allowed(&portfolio, &principal(&grants));
        let audits = more.iter().any(|grant| grant.role == Role::InternalAuditor);
        grants.extend(more);
        let after = allowed(&portfolio, &principal(&grants));
        for (action, resource) in before.difference(&after) {
            prop_assert!(
                audits && !matches!(action.group(), Group::Reads | Group::Own),
                "{} {}", action, resource
            );
        }
    }

    #[test]
    fn a_token_or_a_missing_factor_never_adds_a_right(
        portfolio in portfolios(), grants in grants(4), visit in visits(),
    ) {
        let session = Visit { second_factor: true, token: None };
        let principal = Principal::new("a-1", grants);
        let whole = allowed(&portfolio, &principal.clone().with_visit(session));
        let part = allowed(&portfolio, &principal.with_visit(visit));
        prop_assert!(part.is_subset(&whole), "{:?}", part.difference(&whole).next());
    }

    #[test]
    fn no_grant_means_nothing_but_the_catalogue_checkpoints_and_the_own_account(
        portfolio in portfolios(), visit in visits(),
    ) {
        let nobody = Principal::new("a-1", []).with_visit(visit);
        for (action, resource) in allowed(&portfolio, &nobody) {
            let no_evidence = matches!(action, Action::CatalogueRead | Action::CheckpointRead);
            prop_assert!(no_evidence || action.group() == Group::Own, "{} {}", action, resource);
            prop_assert!(no_evidence || resource.contains("a-1"), "{} {}", action, resource);
        }
    }

    #[test]
    fn a_scope_never_reaches_beyond_itself(
        portfolio in portfolios(), role in 0..10_usize, at in 0..5_usize, visit in visits(),
    ) {
        let own = ARRANGEMENTS[at];
        let grant = Grant::new(Role::ALL[role], Scope::Arrangement(own.into()));
        let principal = Principal::new("a-1", [grant]).with_visit(visit);
        let authority = Policies::built_in().unwrap().authority(&principal, &portfolio).unwrap();
        for resource in resources() {
            if arrangement_of(&resource).is_some_and(|id| id != own) {
                for action in Action::ALL {
                    prop_assert!(!authority.may(*action, &resource), "{} {:?}", action, resource);
                }
            }
        }
    }

    #[test]
    fn grants_that_are_let_through_for_a_provider_stay_inside_it(
        portfolio in portfolios(), grants in grants(3),
    ) {
        if check_grants(Some("north"), &grants, &portfolio).is_ok() {
            // Without the wall: the same grants of somebody who is nobody's person.
            let principal = Principal::new("a-1", grants);
            let authority =
                Policies::built_in().unwrap().authority(&principal, &portfolio).unwrap();
            for seen in authority.visible() {
                prop_assert!(portfolio.providers_of(&seen).any(|provider| provider == "north"));
            }
        }
    }
}
