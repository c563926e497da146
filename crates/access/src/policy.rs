//! Decisions. Reads the policies once, turns a principal's grants into links of their templates, and
//! asks the authoriser of the `cedar-policy` crate. What a role may do never stands here.
//!
//! A decision is `yes` only when some policy permits, none forbids, and none failed to evaluate: a
//! wall that cannot be evaluated stands.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    str::FromStr,
    sync::OnceLock,
};

use cedar_policy::{
    Authorizer, Context, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema, SlotId,
};

use crate::{Action, Grant, Portfolio, Principal, Privacy, Resource, Role, Scope};

const SCHEMA: &str = include_str!("../policies/backstay.cedarschema");
const ROLES: &str = include_str!("../policies/roles.cedar");
const WALLS: &str = include_str!("../policies/walls.cedar");
/// The only workspace there is to the policies.
const WORKSPACE: &str = "workspace";

/// Why policies cannot be used. None of these happens with the policies that are built in; a test
/// holds them all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the access policies cannot be used: {0}")]
pub struct PolicyError(String);

impl PolicyError {
    fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// One policy that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Id of the policy, as in `policies/`.
    pub policy: String,
    /// The grant that it stands for; `None` for a policy that holds without one.
    pub grant: Option<Grant>,
}

/// The answer, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Yes or no.
    pub allowed: bool,
    /// The policies that permitted, or those that forbade; none when simply nothing permits.
    pub reasons: Vec<Reason>,
    /// For a no: why, in the user's words, and what can be done.
    pub refusal: Option<String>,
}

/// The policies, read and ready.
#[derive(Debug)]
pub struct Policies {
    schema: Schema,
    set: PolicySet,
    actions: HashMap<Action, Known>,
    types: Types,
}

/// An action as the schema has it.
#[derive(Debug)]
struct Known {
    entity: Entity,
    /// Kinds of resources that it applies to.
    applies_to: HashSet<EntityTypeName>,
}

/// Names of the kinds of entities.
#[derive(Debug)]
struct Types {
    workspace: EntityTypeName,
    provider: EntityTypeName,
    party: EntityTypeName,
    arrangement: EntityTypeName,
    role: EntityTypeName,
    account: EntityTypeName,
    rows: EntityTypeName,
    person_name: EntityTypeName,
}

impl Types {
    fn new() -> Result<Self, PolicyError> {
        let named = |name: &str| EntityTypeName::from_str(name).map_err(PolicyError::of);
        Ok(Self {
            workspace: named("Workspace")?,
            provider: named("Provider")?,
            party: named("Party")?,
            arrangement: named("Arrangement")?,
            role: named("Role")?,
            account: named("Account")?,
            rows: named("Rows")?,
            person_name: named("PersonName")?,
        })
    }

    fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
    }

    fn of(&self, resource: &Resource<'_>) -> &EntityTypeName {
        match resource {
            Resource::Workspace => &self.workspace,
            Resource::Arrangement(_) => &self.arrangement,
            Resource::Rows { .. } => &self.rows,
            Resource::PersonName { .. } => &self.person_name,
            Resource::Account { .. } => &self.account,
        }
    }

    fn whole(&self) -> EntityUid {
        Self::uid(&self.workspace, WORKSPACE)
    }

    fn scope(&self, scope: &Scope) -> EntityUid {
        match scope {
            Scope::All => self.whole(),
            Scope::Arrangement(id) => Self::uid(&self.arrangement, id),
            Scope::Provider(id) => Self::uid(&self.provider, id),
        }
    }
}

impl Policies {
    /// The built-in policies, read at the first call.
    ///
    /// # Errors
    /// When they cannot be read, which a test rules out.
    pub fn built_in() -> Result<&'static Self, PolicyError> {
        static READ: OnceLock<Result<Policies, PolicyError>> = OnceLock::new();
        READ.get_or_init(|| Self::read(SCHEMA, &[ROLES, WALLS])).as_ref().map_err(Clone::clone)
    }

    fn read(schema: &str, texts: &[&str]) -> Result<Self, PolicyError> {
        let schema = Schema::from_str(schema).map_err(PolicyError::of)?;
        let mut set = PolicySet::new();
        for text in texts {
            let read = PolicySet::from_str(text).map_err(PolicyError::of)?;
            // Policies are named by their own `@id`, not by their place in the file.
            let id = |named: Option<&str>| match named {
                Some(id) => Ok(PolicyId::new(id)),
                None => Err(PolicyError("a policy has no `@id`".to_owned())),
            };
            for policy in read.policies() {
                set.add(policy.new_id(id(policy.annotation("id"))?)).map_err(PolicyError::of)?;
            }
            for template in read.templates() {
                let named = template.new_id(id(template.annotation("id"))?);
                set.add_template(named).map_err(PolicyError::of)?;
            }
        }
        let kept = schema.action_entities().map_err(PolicyError::of)?;
        let mut actions = HashMap::new();
        let kind = EntityTypeName::from_str("Action").map_err(PolicyError::of)?;
        for action in Action::ALL {
            let uid = Types::uid(&kind, action.as_str());
            let entity = kept.get(&uid).ok_or_else(|| {
                PolicyError(format!("the schema has no action `{}`", action.as_str()))
            })?;
            let applies = schema.resources_for_action(&uid).into_iter().flatten().cloned();
            let known = Known { entity: entity.clone(), applies_to: applies.collect() };
            actions.insert(*action, known);
        }
        Ok(Self { schema, set, actions, types: Types::new()? })
    }

    /// What a principal may do in a portfolio. Cheap enough for every request; the policies are not
    /// read again.
    ///
    /// # Errors
    /// When a grant's role has no policy, which a test rules out.
    pub fn authority<'p>(
        &'p self,
        principal: &Principal,
        portfolio: &'p Portfolio,
    ) -> Result<Authority<'p>, PolicyError> {
        let account = Types::uid(&self.types.account, &principal.account);
        let mut set = self.set.clone();
        let mut links = HashMap::new();
        for (n, grant) in principal.grants.iter().enumerate() {
            let mut linked = false;
            for template in self.set.templates().filter(|t| is_of(t.id(), grant.role)) {
                let id = PolicyId::new(format!("{}#{n}", template.id()));
                let slots = HashMap::from([
                    (SlotId::principal(), account.clone()),
                    (SlotId::resource(), self.types.scope(&grant.scope)),
                ]);
                set.link(template.id().clone(), id.clone(), slots).map_err(PolicyError::of)?;
                links.insert(id, (template.id().to_string(), grant.clone()));
                linked = true;
            }
            if !linked {
                return Err(PolicyError(format!("role `{}` has no policy", grant.role)));
            }
        }
        let context = self.context(principal)?;
        let entity = self.account(&principal.account, principal.provider.as_deref(), {
            principal.grants.iter().map(|grant| grant.role).collect()
        })?;
        Ok(Authority { policies: self, portfolio, account, entity, context, set, links })
    }

    fn context(&self, principal: &Principal) -> Result<Context, PolicyError> {
        let visit = &principal.visit;
        let factor = RestrictedExpression::new_bool(visit.second_factor);
        let mut pairs = vec![("second_factor".to_owned(), factor)];
        if let Some(token) = &visit.token {
            let read_only = RestrictedExpression::new_bool(token.read_only);
            let mut limits = vec![("read_only".to_owned(), read_only)];
            if let Some(arrangements) = &token.arrangements {
                let uids = arrangements.iter().map(|id| {
                    let uid = Types::uid(&self.types.arrangement, id);
                    RestrictedExpression::new_entity_uid(uid)
                });
                let set = RestrictedExpression::new_set(uids);
                limits.push(("arrangements".to_owned(), set));
            }
            let limits = RestrictedExpression::new_record(limits).map_err(PolicyError::of)?;
            pairs.push(("token".to_owned(), limits));
        }
        Context::from_pairs(pairs).map_err(PolicyError::of)
    }

    fn account(
        &self,
        id: &str,
        provider: Option<&str>,
        roles: BTreeSet<Role>,
    ) -> Result<Entity, PolicyError> {
        let mut parents = HashSet::from([self.types.whole()]);
        parents.extend(roles.iter().map(|role| Types::uid(&self.types.role, role.as_str())));
        let mut attributes = HashMap::new();
        if let Some(provider) = provider {
            let party = Types::uid(&self.types.party, provider);
            let value = RestrictedExpression::new_entity_uid(party.clone());
            attributes.insert("party".to_owned(), value);
            parents.insert(party);
        }
        Entity::new(Types::uid(&self.types.account, id), attributes, parents)
            .map_err(PolicyError::of)
    }
}

/// Whether a template belongs to a role: its id is the role's, or begins with it and a dot.
fn is_of(template: &PolicyId, role: Role) -> bool {
    let id: &str = template.as_ref();
    match id.strip_prefix(role.as_str()) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

/// What one principal may do: ask it as often as one request needs.
#[derive(Debug)]
pub struct Authority<'p> {
    policies: &'p Policies,
    portfolio: &'p Portfolio,
    account: EntityUid,
    entity: Entity,
    context: Context,
    set: PolicySet,
    links: HashMap<PolicyId, (String, Grant)>,
}

impl Authority<'_> {
    /// Whether the principal may do this to that, and why.
    #[must_use]
    pub fn decide(&self, action: Action, resource: &Resource<'_>) -> Decision {
        match self.ask(action, resource) {
            Ok(decision) => decision,
            // Nothing that cannot be asked is allowed: an action on what it does not apply to.
            Err(_) => Decision {
                allowed: false,
                reasons: Vec::new(),
                refusal: Some(format!("`{action}` cannot be done to {resource}")),
            },
        }
    }

    /// Whether the principal may do this to all of these; the first no, if there is one. Nothing to
    /// do it to is a no.
    #[must_use]
    pub fn decide_all<'r>(
        &self,
        action: Action,
        resources: impl IntoIterator<Item = Resource<'r>>,
    ) -> Decision {
        let mut last = None;
        for resource in resources {
            let decision = self.decide(action, &resource);
            if !decision.allowed {
                return decision;
            }
            last = Some(decision);
        }
        last.unwrap_or_else(|| Decision {
            allowed: false,
            reasons: Vec::new(),
            refusal: Some(format!("there is nothing to do `{action}` to")),
        })
    }

    /// Whether the principal may do this to that.
    #[must_use]
    pub fn may(&self, action: Action, resource: &Resource<'_>) -> bool {
        self.decide(action, resource).allowed
    }

    /// The arrangements that the principal sees at all. Cut the manifest to them before anything is
    /// computed; an empty set is nothing, never everything.
    #[must_use]
    pub fn visible(&self) -> BTreeSet<String> {
        self.visible_for(Action::ArrangementRead)
    }

    /// The arrangements on which the principal may do this, for an action on arrangements; for one on
    /// rows, those whose open rows it may do it to.
    #[must_use]
    pub fn visible_for(&self, action: Action) -> BTreeSet<String> {
        let may = |id: &&str| {
            self.may(action, &Resource::Arrangement(id))
                || self
                    .may(action, &Resource::Rows { arrangement: Some(id), privacy: Privacy::Open })
        };
        self.portfolio.arrangements().filter(may).map(str::to_owned).collect()
    }

    /// The highest privacy class of columns on which the principal may do this to rows of an
    /// arrangement, or of shared tables (`None`). Columns above it are left out; `None`: no rows.
    #[must_use]
    pub fn ceiling(&self, action: Action, arrangement: Option<&str>) -> Option<Privacy> {
        let may = |privacy: &Privacy| {
            self.may(action, &Resource::Rows { arrangement, privacy: *privacy })
        };
        Privacy::ALL.into_iter().take_while(may).last()
    }

    fn ask(&self, action: Action, resource: &Resource<'_>) -> Result<Decision, PolicyError> {
        let known = self.policies.actions.get(&action);
        let kind = self.policies.types.of(resource);
        let Some(known) = known.filter(|known| known.applies_to.contains(kind)) else {
            return Err(PolicyError(format!("`{action}` does not apply to {resource}")));
        };
        let (place, entities) = self.entities(known, resource)?;
        let request = Request::new(
            self.account.clone(),
            known.entity.uid(),
            place,
            self.context.clone(),
            Some(&self.policies.schema),
        )
        .map_err(PolicyError::of)?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(PolicyError::of(error));
        }
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        let ids: BTreeSet<&PolicyId> = response.diagnostics().reason().collect();
        let mut reasons: Vec<Reason> = ids.iter().map(|id| self.reason(id)).collect();
        reasons.sort();
        let refusal = (!allowed).then(|| self.refusal(action, resource, &ids));
        Ok(Decision { allowed, reasons, refusal })
    }

    fn reason(&self, id: &PolicyId) -> Reason {
        match self.links.get(id) {
            Some((policy, grant)) => Reason { policy: policy.clone(), grant: Some(grant.clone()) },
            None => Reason { policy: id.to_string(), grant: None },
        }
    }

    /// Why not, in the user's words: what the wall says, else that no grant covers it.
    fn refusal(
        &self,
        action: Action,
        resource: &Resource<'_>,
        ids: &BTreeSet<&PolicyId>,
    ) -> String {
        let says = ids.iter().find_map(|id| {
            let policy = self.set.policy(id)?;
            (policy.effect() == Effect::Forbid).then(|| policy.annotation("says"))?
        });
        match says {
            Some(says) => says.to_owned(),
            None => format!(
                "no role of this account covers `{action}` on {resource}: an administrator can grant one"
            ),
        }
    }

    /// The resource's name, and all that the policies may look at: account, resource, action, and
    /// the arrangement with what it hangs from.
    fn entities(
        &self,
        action: &Known,
        resource: &Resource<'_>,
    ) -> Result<(EntityUid, Entities), PolicyError> {
        let types = &self.policies.types;
        let mut all = vec![self.entity.clone(), action.entity.clone()];
        let mut under = |arrangement: Option<&str>| match arrangement {
            Some(id) => {
                let entity = self.arrangement(id);
                let uid = entity.uid();
                all.push(entity);
                uid
            }
            None => types.whole(),
        };
        let place = match resource {
            Resource::Workspace => types.whole(),
            Resource::Arrangement(id) => under(Some(id)),
            Resource::Rows { arrangement, privacy } => {
                let parent = under(*arrangement);
                let uid = Types::uid(&types.rows, "rows");
                let attributes = HashMap::from([
                    ("shared".to_owned(), RestrictedExpression::new_bool(arrangement.is_none())),
                    (
                        "privacy".to_owned(),
                        RestrictedExpression::new_string(privacy.as_str().to_owned()),
                    ),
                ]);
                let entity = Entity::new(uid.clone(), attributes, HashSet::from([parent]));
                all.push(entity.map_err(PolicyError::of)?);
                uid
            }
            Resource::PersonName { arrangement } => {
                let parent = under(*arrangement);
                let uid = Types::uid(&types.person_name, "name");
                all.push(Entity::new_no_attrs(uid.clone(), HashSet::from([parent])));
                uid
            }
            Resource::Account { id, provider } => {
                let uid = Types::uid(&types.account, id);
                if uid != self.account {
                    all.push(self.policies.account(id, *provider, BTreeSet::new())?);
                }
                uid
            }
        };
        // Providers hang from the workspace.
        let arrangement = match resource {
            Resource::Arrangement(id) => Some(*id),
            Resource::Rows { arrangement, .. } | Resource::PersonName { arrangement } => {
                *arrangement
            }
            _ => None,
        };
        let providers = arrangement.into_iter().flat_map(|id| self.portfolio.providers_of(id));
        for provider in providers {
            let uid = Types::uid(&types.provider, provider);
            all.push(Entity::new_no_attrs(uid, HashSet::from([types.whole()])));
        }
        let entities = Entities::from_entities(all, None).map_err(PolicyError::of)?;
        Ok((place, entities))
    }

    /// An arrangement hangs from every provider it ever had, and stands inside a provider's wall
    /// when it had no other. One that no register names belongs to the workspace alone.
    fn arrangement(&self, id: &str) -> Entity {
        let types = &self.policies.types;
        let mut parents = HashSet::from([types.whole()]);
        let providers = self.portfolio.providers_of(id);
        parents.extend(providers.map(|provider| Types::uid(&types.provider, provider)));
        if let Some(provider) = self.portfolio.sole_provider(id) {
            parents.insert(Types::uid(&types.party, provider));
        }
        Entity::new_no_attrs(Types::uid(&types.arrangement, id), parents)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use cedar_policy::{ValidationMode, Validator};

    use super::*;
    use crate::Group;

    #[test]
    fn every_policy_is_valid_against_the_schema_without_a_warning() {
        let policies = Policies::built_in().unwrap();
        let validator = Validator::new(policies.schema.clone());
        let result = validator.validate(&policies.set, ValidationMode::Strict);
        let problems: Vec<String> = result
            .validation_errors()
            .map(ToString::to_string)
            .chain(result.validation_warnings().map(ToString::to_string))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }

    #[test]
    fn a_policy_that_does_not_fit_the_schema_is_noticed() {
        let wrong = r#"@id("x") permit(principal, action, resource is Rows)
            when { resource.colour == "red" };"#;
        let policies = Policies::read(SCHEMA, &[wrong]).unwrap();
        let validator = Validator::new(policies.schema.clone());
        assert!(!validator.validate(&policies.set, ValidationMode::Strict).validation_passed());
        assert!(Policies::read(SCHEMA, &["permit(principal, action, resource);"]).is_err());
    }

    #[test]
    fn the_actions_of_the_schema_are_the_actions_of_the_code_in_the_same_groups() {
        let policies = Policies::built_in().unwrap();
        let groups: Vec<String> =
            policies.schema.action_groups().map(|uid| uid.id().unescaped().to_owned()).collect();
        let mut schema: Vec<String> = policies
            .schema
            .actions()
            .map(|uid| uid.id().unescaped().to_owned())
            .filter(|id| !groups.contains(id))
            .collect();
        schema.sort();
        let mut code: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        code.sort_unstable();
        assert_eq!(schema, code);
        let all = [Group::Reads, Group::Writes, Group::Sensitive, Group::Administers, Group::Own];
        let entities = policies.schema.action_entities().unwrap();
        let kind = EntityTypeName::from_str("Action").unwrap();
        for action in Action::ALL {
            let uid = Types::uid(&kind, action.as_str());
            for group in all {
                let inside = entities.is_ancestor_of(&Types::uid(&kind, group.as_str()), &uid);
                assert_eq!(inside, group == action.group(), "{action} in {group:?}");
            }
            assert!(action.about().ends_with('.'), "{action}");
        }
    }

    #[test]
    fn every_role_has_a_template_and_every_template_a_role() {
        let policies = Policies::built_in().unwrap();
        for role in Role::ALL {
            assert!(policies.set.templates().any(|t| is_of(t.id(), role)), "{role}");
        }
        for template in policies.set.templates() {
            let of = Role::ALL.into_iter().filter(|role| is_of(template.id(), *role)).count();
            assert_eq!(of, 1, "{}", template.id());
        }
    }

    #[test]
    fn every_wall_says_why() {
        let policies = Policies::built_in().unwrap();
        for policy in policies.set.policies().filter(|p| p.effect() == Effect::Forbid) {
            assert!(policy.annotation("says").is_some(), "{}", policy.id());
        }
    }
}
