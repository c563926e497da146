//! What the ledger says about accounts: who was given which right, by whom and when. An entry names an
//! account by its id, never by a mail address or a name, because entries cannot be erased. Reading
//! them in order gives every account's standing; nothing else does.

use backstay_access::Grant;
use serde::{Deserialize, Serialize};

use super::record::Standing;

/// What became of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessEvent {
    /// It was made, with these grants.
    Added,
    /// It was given these grants.
    Granted,
    /// These grants were taken from it.
    Revoked,
    /// It may not come in any more.
    Disabled,
    /// It may come in again.
    Enabled,
    /// A one-time link into it was made.
    Linked,
    /// Its second factor was taken away by somebody else.
    FactorRemoved,
    /// Its mail address, name, password and tokens were erased; it may not come in any more.
    Forgotten,
}

impl AccessEvent {
    /// The word of the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Linked => "linked",
            Self::FactorRemoved => "factor-removed",
            Self::Forgotten => "forgotten",
        }
    }
}

/// Payload of `access`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPayload {
    /// What became of it.
    pub event: AccessEvent,
    /// The account.
    pub account: String,
    /// The provider whose person it is; said once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Grants given or taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl AccessPayload {
    /// What the account may do after entry `seq` said this.
    pub(crate) fn apply(&self, before: Option<Standing>, seq: u64) -> Standing {
        let mut standing = before.unwrap_or_else(|| Standing {
            account: self.account.clone(),
            seq,
            provider: None,
            // An account that was never added may nothing.
            disabled: true,
            grants: Vec::new(),
        });
        standing.seq = seq;
        match self.event {
            AccessEvent::Added => {
                standing.provider.clone_from(&self.provider);
                standing.disabled = false;
                standing.grants.clone_from(&self.grants);
            }
            AccessEvent::Granted => standing.grants.extend(self.grants.iter().cloned()),
            AccessEvent::Revoked => standing.grants.retain(|grant| !self.grants.contains(grant)),
            AccessEvent::Disabled => standing.disabled = true,
            AccessEvent::Enabled => standing.disabled = false,
            AccessEvent::Forgotten => {
                standing.disabled = true;
                standing.grants.clear();
            }
            AccessEvent::Linked | AccessEvent::FactorRemoved => {}
        }
        standing.grants.sort();
        standing.grants.dedup();
        standing
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use backstay_access::{Role, Scope};

    use super::*;

    fn said(event: AccessEvent, grants: &[Grant]) -> AccessPayload {
        AccessPayload {
            event,
            account: "a-1".into(),
            provider: None,
            grants: grants.to_vec(),
            reason: String::new(),
        }
    }

    #[test]
    fn a_standing_is_what_the_entries_say_one_after_the_other() {
        let owner = Grant::new(Role::ServiceOwner, Scope::All);
        let analyst = Grant::new(Role::Analyst, Scope::Arrangement("desk".into()));
        let steps = [
            (AccessEvent::Added, vec![owner.clone()], false, vec![&owner]),
            (AccessEvent::Granted, vec![analyst.clone()], false, vec![&owner, &analyst]),
            (AccessEvent::Granted, vec![analyst.clone()], false, vec![&owner, &analyst]),
            (AccessEvent::Linked, vec![], false, vec![&owner, &analyst]),
            (AccessEvent::Revoked, vec![owner.clone()], false, vec![&analyst]),
            (AccessEvent::Disabled, vec![], true, vec![&analyst]),
            (AccessEvent::Enabled, vec![], false, vec![&analyst]),
            (AccessEvent::Forgotten, vec![], true, vec![]),
        ];
        let mut standing = None;
        for ((event, grants, disabled, held), seq) in steps.into_iter().zip(1..) {
            let now = said(event, &grants).apply(standing, seq);
            assert_eq!((now.seq, now.disabled), (seq, disabled), "{event:?}");
            assert_eq!(now.grants.iter().collect::<Vec<_>>(), held, "{event:?}");
            standing = Some(now);
        }
    }

    #[test]
    fn an_account_that_was_never_added_may_nothing() {
        let grant = Grant::new(Role::Administrator, Scope::All);
        assert!(said(AccessEvent::Granted, &[grant]).apply(None, 1).disabled);
    }

    #[test]
    fn an_entry_keeps_its_form() {
        let grant = Grant::new(Role::Analyst, Scope::Provider("north".into()));
        let text = serde_json::to_string(&said(AccessEvent::Granted, &[grant])).unwrap();
        let golden = r#"{"event":"granted","account":"a-1","grants":[{"role":"analyst","scope":"provider:north"}]}"#;
        assert_eq!(text, golden);
    }
}
