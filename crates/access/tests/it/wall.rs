//! Each wall, from both sides, and what a decision says of itself.

use std::collections::BTreeSet;

use backstay_access::{
    Action, Authority, Grant, Policies, Portfolio, Principal, Privacy, Resource, Role, Scope,
    TokenLimits, Visit,
};

use crate::table::portfolio;

fn authority<'p>(principal: &Principal, portfolio: &'p Portfolio) -> Authority<'p> {
    Policies::built_in().unwrap().authority(principal, portfolio).unwrap()
}

fn grant(role: Role, scope: &str) -> Grant {
    Grant::new(role, scope.parse().unwrap())
}

const FACTOR: Visit = Visit { second_factor: true, token: None };

fn rows(arrangement: Option<&str>, privacy: Privacy) -> Resource<'_> {
    Resource::Rows { arrangement, privacy }
}

#[test]
fn a_yes_names_the_grant_and_a_no_says_what_can_be_done() {
    let portfolio = portfolio();
    let grants = [grant(Role::Executive, "all"), grant(Role::ServiceOwner, "arrangement:desk")];
    let owner = authority(&Principal::new("a-1", grants.clone()), &portfolio);
    let yes = owner.decide(Action::ArrangementRead, &Resource::Arrangement("desk"));
    assert!(yes.allowed && yes.refusal.is_none());
    let policies: Vec<&str> = yes.reasons.iter().map(|reason| reason.policy.as_str()).collect();
    assert_eq!(policies, ["executive", "service-owner"]);
    let named: Vec<&Grant> = yes.reasons.iter().filter_map(|r| r.grant.as_ref()).collect();
    assert_eq!(named, [&grants[0], &grants[1]]);
    let no = owner.decide(Action::MonthIssue, &Resource::Arrangement("desk"));
    assert!(!no.allowed && no.reasons.is_empty());
    let refusal = no.refusal.unwrap();
    assert!(refusal.contains("`month:issue` on arrangement `desk`"), "{refusal}");
    let odd = owner.decide(Action::LedgerVerify, &Resource::Arrangement("desk"));
    assert_eq!(odd.refusal.unwrap(), "`ledger:verify` cannot be done to arrangement `desk`");
}

#[test]
fn a_providers_person_stays_inside_whatever_was_granted() {
    let portfolio = portfolio();
    let everything: Vec<Grant> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::InternalAuditor)
        .map(|role| Grant::new(role, Scope::All))
        .collect();
    let person = Principal::new("a-1", everything).of_provider("north").with_visit(FACTOR);
    let person = authority(&person, &portfolio);
    assert_eq!(person.visible(), BTreeSet::from(["claims".to_owned(), "desk".to_owned()]));
    let no = person.decide(Action::ArrangementRead, &Resource::Arrangement("payroll"));
    assert_eq!(no.reasons[0].policy, "provider-wall");
    assert!(no.refusal.unwrap().contains("that provider alone"));
    // What two providers ever held is seen by the people of neither.
    assert!(!person.may(Action::ArrangementRead, &Resource::Arrangement("moved")));
    assert!(!person.may(Action::EvidenceRead, &rows(None, Privacy::Open)), "shared tables");
    assert_eq!(person.ceiling(Action::EvidenceRead, Some("desk")), Some(Privacy::Personal));
    for action in [Action::MonthIssue, Action::AssessmentRun, Action::LedgerRead, Action::SqlQuery]
    {
        assert!(!person.may(action, &Resource::Arrangement("desk")), "{action}");
    }
    assert!(!person.may(Action::SourceRead, &rows(Some("desk"), Privacy::Secret)));
    assert!(!person.may(Action::NameReveal, &Resource::PersonName { arrangement: Some("desk") }));
    assert!(person.may(Action::ImportCreate, &rows(Some("desk"), Privacy::Secret)));
    assert!(!person.may(Action::ImportCreate, &rows(None, Privacy::Open)));
    assert!(person.may(Action::CheckpointRead, &Resource::Workspace));
    let own = Resource::Account { id: "a-1", provider: Some("north") };
    assert!(person.may(Action::PasswordChange, &own));
    assert!(!person.may(Action::AccountRead, &own));
}

#[test]
fn names_are_for_the_officer_with_a_second_factor() {
    let portfolio = portfolio();
    let name = Resource::PersonName { arrangement: Some("desk") };
    let officer = Principal::new("a-1", [grant(Role::SecurityPrivacyOfficer, "arrangement:desk")]);
    let without = authority(&officer, &portfolio);
    let no = without.decide(Action::NameReveal, &name);
    assert_eq!(no.reasons[0].policy, "second-factor");
    let with = officer.with_visit(FACTOR);
    let with = authority(&with, &portfolio);
    assert!(with.may(Action::NameReveal, &name));
    assert!(!with.may(Action::NameReveal, &Resource::PersonName { arrangement: Some("claims") }));
    assert!(!with.may(Action::NameReveal, &Resource::PersonName { arrangement: None }));
    assert_eq!(with.ceiling(Action::EvidenceRead, Some("desk")), Some(Privacy::Secret));
    assert_eq!(with.ceiling(Action::EvidenceRead, None), Some(Privacy::Internal));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::SecurityPrivacyOfficer) {
        let other = Principal::new("a-1", [Grant::new(role, Scope::All)]).with_visit(FACTOR);
        assert!(!authority(&other, &portfolio).may(Action::NameReveal, &name), "{role}");
    }
}

#[test]
fn an_auditor_changes_nothing_whatever_else_was_granted() {
    let portfolio = portfolio();
    let grants = Role::ALL.into_iter().map(|role| Grant::new(role, Scope::All));
    let auditor = Principal::new("a-1", grants).with_visit(FACTOR);
    let auditor = authority(&auditor, &portfolio);
    for action in Action::ALL.iter().filter(|a| !matches!(a.group(), backstay_access::Group::Own)) {
        let may = auditor.may(*action, &Resource::Workspace)
            || auditor.may(*action, &Resource::Arrangement("desk"))
            || auditor.may(*action, &rows(Some("desk"), Privacy::Open))
            || auditor.may(*action, &Resource::PersonName { arrangement: None })
            || auditor.may(*action, &Resource::Account { id: "a-2", provider: None });
        assert_eq!(may, action.group() == backstay_access::Group::Reads, "{action}");
    }
}

#[test]
fn nobody_changes_the_own_rights_and_administration_asks_for_a_second_factor() {
    let portfolio = portfolio();
    let administrator = Principal::new("a-1", [grant(Role::Administrator, "all")]);
    let other = Resource::Account { id: "a-2", provider: None };
    let own = Resource::Account { id: "a-1", provider: None };
    let plain = authority(&administrator, &portfolio);
    assert!(!plain.may(Action::AccountGrant, &other));
    assert!(plain.may(Action::AccountRead, &other));
    assert!(plain.may(Action::SessionRevoke, &other));
    let with = administrator.with_visit(FACTOR);
    let with = authority(&with, &portfolio);
    assert!(with.may(Action::AccountGrant, &other));
    assert!(!with.may(Action::AccountGrant, &own));
    assert!(!with.may(Action::AccountDisable, &own));
    assert!(with.visible().is_empty(), "administration shows no evidence");
    assert!(!with.may(Action::PasswordChange, &other));
}

#[test]
fn a_token_does_no_more_than_its_owner_and_than_it_was_made_for() {
    let portfolio = portfolio();
    let manager = Principal::new(
        "a-1",
        [grant(Role::VendorManager, "provider:north"), grant(Role::Administrator, "all")],
    );
    let token = |read_only: bool, arrangements: Option<&[&str]>| {
        let arrangements = arrangements.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        let limits = TokenLimits { read_only, arrangements };
        // Even if a session's second factor were carried over.
        manager.clone().with_visit(Visit { second_factor: true, token: Some(limits) })
    };
    let (desk, claims) = (Resource::Arrangement("desk"), Resource::Arrangement("claims"));
    let whole = token(false, None);
    let whole = authority(&whole, &portfolio);
    assert!(whole.may(Action::MonthIssue, &desk));
    assert!(!whole.may(Action::ArrangementRead, &Resource::Arrangement("payroll")));
    let own = Resource::Account { id: "a-1", provider: None };
    for action in [Action::TokenCreate, Action::PasswordChange, Action::AccountGrant] {
        let no = whole.decide(action, &own);
        assert!(no.reasons.iter().any(|reason| reason.policy == "token-actions"), "{action}");
    }
    let reading = token(true, None);
    let reading = authority(&reading, &portfolio);
    assert!(reading.may(Action::ArrangementRead, &desk));
    assert_eq!(
        reading.decide(Action::MonthIssue, &desk).refusal.unwrap(),
        "this API token may only read"
    );
    let narrow = token(false, Some(&["desk", "payroll"]));
    let narrow = authority(&narrow, &portfolio);
    assert_eq!(narrow.visible(), BTreeSet::from(["desk".to_owned()]));
    assert!(narrow.may(Action::ImportCreate, &rows(Some("desk"), Privacy::Open)));
    assert!(!narrow.may(Action::ArrangementRead, &claims));
    assert!(!narrow.may(Action::EvidenceRead, &rows(None, Privacy::Open)));
    assert!(narrow.may(Action::CatalogueRead, &Resource::Workspace));
}

#[test]
fn several_resources_are_allowed_together_or_not_at_all() {
    let portfolio = portfolio();
    let manager = Principal::new("a-1", [grant(Role::VendorManager, "arrangement:desk")]);
    let manager = authority(&manager, &portfolio);
    let import = |parts: &[Option<&'static str>]| {
        manager
            .decide_all(Action::ImportCreate, parts.iter().map(|a| rows(*a, Privacy::Internal)))
            .allowed
    };
    assert!(import(&[Some("desk"), Some("desk")]));
    assert!(!import(&[Some("desk"), Some("claims")]));
    assert!(!import(&[Some("desk"), None]));
    assert!(!import(&[]), "nothing is no permission");
}

#[test]
fn ids_with_odd_characters_are_names_and_never_policy() {
    let odd = r#"x"] || true //"#;
    let portfolio = Portfolio::new([(odd, odd), ("desk", "north")]);
    let grants = [Grant::new(Role::Executive, Scope::Arrangement(odd.into()))];
    let executive = authority(&Principal::new(odd, grants), &portfolio);
    assert_eq!(executive.visible(), BTreeSet::from([odd.to_owned()]));
    let person = Principal::new(
        odd,
        [Grant::new(Role::ProviderAccountManager, Scope::Provider(odd.into()))],
    );
    let person = authority(&person.of_provider(odd), &portfolio);
    assert_eq!(person.visible(), BTreeSet::from([odd.to_owned()]));
}
