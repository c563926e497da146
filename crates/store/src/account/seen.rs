//! From a workspace to what somebody sees of it: the portfolio that scopes are resolved against, and
//! the manifest cut to the arrangements that are visible. It must never decide who sees what.

use std::collections::BTreeSet;

use backstay_access::Portfolio;
use backstay_evidence::Manifest;

use super::{Accounts, Standing};
use crate::{
    backend::Backend as _,
    error::{Result, StoreError},
    workspace::{AsOf, Workspace},
};

impl Workspace {
    /// Its accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { workspace: self }
    }

    /// The arrangements there are and every provider that each ever had: what scopes are resolved
    /// against. Read from the register as it stands, before any query.
    ///
    /// # Errors
    /// Those of the database.
    pub fn portfolio(&self) -> Result<Portfolio> {
        let mut pairs = Vec::new();
        for row in self.registers("arrangement")? {
            let values: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(row.row.as_deref().unwrap_or("{}")).map_err(|error| {
                    StoreError::BadDatabase {
                        doing: "reading the register of arrangements",
                        message: error.to_string(),
                    }
                })?;
            let text = |name: &str| {
                values.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
            };
            pairs.push((row.arrangement_id, text("provider_id")));
        }
        Ok(Portfolio::new(pairs))
    }

    /// The manifest cut to the arrangements that somebody sees, as `Authority::visible` says. `None`
    /// when that is none: [`Workspace::manifest`] takes an empty scope for everything.
    ///
    /// # Errors
    /// As [`Workspace::manifest`].
    pub fn manifest_seen(
        &self,
        as_of: AsOf,
        visible: &BTreeSet<String>,
    ) -> Result<Option<Manifest>> {
        if visible.is_empty() {
            return Ok(None);
        }
        let scope: Vec<String> = visible.iter().cloned().collect();
        self.manifest(as_of, &scope).map(Some)
    }

    /// What every account may do, by id.
    pub(crate) fn standings(&self) -> Result<Vec<Standing>> {
        let mut all = Vec::new();
        self.backend.read_accounts(&mut |tables| {
            all = tables.standings()?;
            Ok(())
        })?;
        Ok(all)
    }
}
