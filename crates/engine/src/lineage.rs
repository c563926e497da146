//! What an answer rests on: the tables of evidence behind a plan, with derived tables taken apart. Owns
//! the split into tables that are needed and tables that are only consulted; it must never be told by
//! a file what the plan itself says.

use std::collections::BTreeSet;

use crate::{
    derive::{MEASUREMENT, MEASUREMENT_HISTORY},
    error::EngineError,
    measure::SERVICE_LEVEL,
    session::{Rules, Session},
};

/// The tables of evidence behind an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    /// Without them there is no answer: events need their feed, registers a row.
    pub needed: BTreeSet<String>,
    /// They may be empty; whoever consults them turns their absence into gaps.
    pub consulted: BTreeSet<String>,
}

impl Inputs {
    /// Every table, needed or consulted.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.needed.union(&self.consulted).cloned().collect()
    }

    fn merge(&mut self, other: Self) {
        self.needed.extend(other.needed);
        self.consulted.extend(other.consulted);
    }
}

/// The inputs of a plan that reads these tables, of which its author says that some may be empty.
///
/// # Errors
/// A metric whose SQL cannot be planned.
pub fn inputs(
    session: &Session,
    reads: &BTreeSet<String>,
    consults: &[String],
) -> Result<Inputs, EngineError> {
    let mut found = Inputs::default();
    for table in reads {
        if session.tables.get(table).is_some() {
            if consults.contains(table) {
                found.consulted.insert(table.clone());
            } else {
                found.needed.insert(table.clone());
            }
        } else {
            found.merge(expand(session, table)?);
        }
    }
    let needed = found.needed.clone();
    found.consulted.retain(|table| !needed.contains(table));
    Ok(found)
}

/// The inputs of a derived table.
fn expand(session: &Session, table: &str) -> Result<Inputs, EngineError> {
    if table == MEASUREMENT || table == MEASUREMENT_HISTORY {
        return measurement(session);
    }
    let mut found = Inputs::default();
    let Some(derivation) = session.derivations.iter().find(|d| d.name() == table) else {
        return Ok(found);
    };
    for name in derivation.reads() {
        if session.tables.get(name).is_some() {
            found.needed.insert((*name).to_owned());
        } else {
            found.merge(expand(session, name)?);
        }
    }
    for name in derivation.consults() {
        if session.tables.get(name).is_some() {
            found.consulted.insert((*name).to_owned());
        } else {
            found.consulted.extend(expand(session, name)?.all());
        }
    }
    Ok(found)
}

/// The inputs of every metric that a service level of the arrangement uses.
fn measurement(session: &Session) -> Result<Inputs, EngineError> {
    if let Some(known) = session.measured_from.get() {
        return Ok(known.clone());
    }
    let mut found = Inputs::default();
    found.needed.insert(SERVICE_LEVEL.to_owned());
    let mut used = BTreeSet::new();
    for batch in session.batches(SERVICE_LEVEL)? {
        let metrics = crate::rows::texts(&batch, SERVICE_LEVEL, "metric")?;
        used.extend(metrics.iter().flatten().map(str::to_owned));
    }
    for metric in session.evidence.catalogue.metrics().filter(|metric| used.contains(&metric.id)) {
        let subject = format!("metric `{}`", metric.id);
        let planned =
            session.plan(&subject, &metric.body.sql, session.view.period, Rules::Check)?;
        found.merge(inputs(session, &planned.reads, &metric.consults)?);
    }
    Ok(session.measured_from.get_or_init(|| found).clone())
}
