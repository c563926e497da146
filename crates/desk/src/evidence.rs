//! What the engine looks at: the workspace's evidence as of an instant with its catalogue, and how
//! it is cut up for the machine at hand.

use std::{collections::BTreeSet, sync::Arc, thread};

use backstay_engine::{
    Catalogue, EngineError, Period, arrangement,
    cache::ResultCache as EngineCache,
    period::{Window, day_of_us},
    session::{Evidence, Session, View, runtime},
    tables::Layout,
};
use backstay_evidence::{Digest, ObjectSource, Vocabulary, vocabulary::Privacy};
use backstay_store::{AsOf, ResultCache, Workspace};

use crate::{
    error::DeskError,
    import::listed,
    period::{Known, parse_known, parse_period},
};

/// Rows handed from operator to operator at once.
const BATCH_ROWS: usize = 8_192;
/// Threads beyond which a workspace of this size gains nothing.
const MOST_THREADS: usize = 8;

/// Evidence as of an instant.
pub struct Seen {
    /// Tables and catalogue.
    pub evidence: Evidence,
    /// Ledger entry up to which evidence is known.
    pub known_at: u64,
    /// The instant that counts as now, microseconds UTC.
    pub now_us: i64,
}

/// The store's cache of results, as the engine uses one. What cannot be kept is worked out again.
pub struct Cache(pub ResultCache);

impl EngineCache for Cache {
    fn get(&self, key: Digest) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn put(&self, key: Digest, bytes: &[u8]) {
        // A full or read-only disk costs time later, never an answer.
        let _ = self.0.put(key, bytes);
    }
}

/// How work is cut up: as many streams as there are cores.
pub fn layout() -> Layout {
    let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    Layout { partitions: cores.clamp(1, MOST_THREADS), batch_rows: BATCH_ROWS }
}

/// The catalogue of this release with the workspace's own files.
///
/// # Errors
/// A file of the workspace that is wrong.
pub fn catalogue(workspace: &Workspace) -> Result<Catalogue, DeskError> {
    let built_in = Catalogue::built_in().map_err(EngineError::from)?;
    let whole = built_in.with_workspace_files(&workspace.dir().join("catalogue"));
    Ok(whole.map_err(EngineError::from)?)
}

/// The evidence of some arrangements (none named: of all) as of a ledger entry or an instant as written;
/// `clock_us` is the machine's clock, microseconds UTC.
///
/// # Errors
/// An entry that is not there, an arrangement without evidence, a catalogue file that is wrong.
pub fn see(
    workspace: &Workspace,
    as_of: Option<&str>,
    scope: &[String],
    clock_us: i64,
) -> Result<Seen, DeskError> {
    let known = as_of.map(parse_known).transpose()?;
    see_with(workspace, known, scope, catalogue(workspace)?, clock_us)
}

/// As [`see`], with a catalogue of the caller's.
///
/// # Errors
/// As [`see`].
pub fn see_with(
    workspace: &Workspace,
    known: Option<Known>,
    scope: &[String],
    catalogue: Catalogue,
    clock_us: i64,
) -> Result<Seen, DeskError> {
    let as_of = as_of_known(known);
    let manifest = workspace.manifest(as_of, scope)?;
    let held = arrangement::ids(&manifest);
    if let Some(missing) = scope.iter().find(|id| !held.contains(id)) {
        return Err(no_arrangement(missing, &held_everywhere(workspace, as_of)?));
    }
    let now_us = match known {
        None => clock_us,
        Some(Known::Entry(_)) => manifest.as_of_us.min(clock_us),
        Some(Known::InstantUs(instant)) => instant.min(clock_us),
    };
    let objects: Arc<dyn ObjectSource> = workspace.objects();
    Ok(Seen {
        known_at: manifest.as_of_seq,
        now_us,
        evidence: Evidence {
            vocabulary: Arc::new(workspace.vocabulary().clone()),
            catalogue: Arc::new(catalogue),
            manifest: Arc::new(manifest),
            objects,
        },
    })
}

/// As [`see_with`], of those among `visible` that have evidence; nothing when none has. An empty set is
/// nothing here, never everything.
///
/// # Errors
/// As [`see`].
pub fn see_visible(
    workspace: &Workspace,
    as_of: Option<&str>,
    visible: &BTreeSet<String>,
    catalogue: Catalogue,
    clock_us: i64,
) -> Result<Option<Seen>, DeskError> {
    let known = as_of.map(parse_known).transpose()?;
    let Some(manifest) = workspace.manifest_seen(as_of_known(known), visible)? else {
        return Ok(None);
    };
    let held = arrangement::ids(&manifest);
    if held.is_empty() {
        return Ok(None);
    }
    see_with(workspace, known, &held, catalogue, clock_us).map(Some)
}

pub(crate) fn as_of_known(known: Option<Known>) -> AsOf {
    match known {
        None => AsOf::Latest,
        Some(Known::Entry(entry)) => AsOf::Seq(entry),
        Some(Known::InstantUs(instant)) => AsOf::InstantUs(instant),
    }
}

fn held_everywhere(workspace: &Workspace, as_of: AsOf) -> Result<Vec<String>, DeskError> {
    Ok(arrangement::ids(&workspace.manifest(as_of, &[])?))
}

fn no_arrangement(missing: &str, held: &[String]) -> DeskError {
    let names: Vec<&str> = held.iter().map(String::as_str).collect();
    let help = if names.is_empty() {
        "nothing is imported yet: see `backstay help import`".to_owned()
    } else {
        format!("evidence is held of {}", listed(&names))
    };
    DeskError::usage(format!("no evidence is held of the arrangement `{missing}`"), help)
}

impl Seen {
    /// The arrangements that have evidence, in order.
    pub fn arrangements(&self) -> Vec<String> {
        arrangement::ids(&self.evidence.manifest)
    }

    /// The period that was asked for, else the last complete month with events, and then why.
    ///
    /// # Errors
    /// A period that is none; unreadable evidence.
    pub fn period(&self, asked: Option<&str>) -> Result<(Period, Option<String>), DeskError> {
        if let Some(text) = asked {
            let (first, after) = parse_period(text)?;
            return Ok((Period::new(first, after)?, None));
        }
        let found = arrangement::last_month_with_events(&self.evidence, self.now_us, layout())?;
        if let Some(month) = found {
            return Ok((month, Some("the last complete month with events".to_owned())));
        }
        let this_month = self.this_month()?;
        let last_day = this_month.first.yesterday().unwrap_or(this_month.first);
        let month = Window::Month.around(last_day)?;
        Ok((month, Some("no complete month has events, so the last month is taken".to_owned())))
    }

    /// The month that is running, counted in UTC.
    ///
    /// # Errors
    /// An instant beyond what a calendar can say.
    pub fn this_month(&self) -> Result<Period, DeskError> {
        Ok(Window::Month.around(day_of_us("UTC", self.now_us)?)?)
    }

    /// The same evidence without the columns above a privacy class: queries then know nothing of them. A
    /// table whose rows cannot be told apart without such a column is left out whole.
    ///
    /// # Errors
    /// A vocabulary that does not hold together.
    pub fn without_above(&self, highest: Privacy) -> Result<Self, DeskError> {
        let known = &self.evidence.vocabulary;
        let mut tables = Vec::new();
        for mut table in known.tables().cloned() {
            table.columns.retain(|column| column.privacy <= highest);
            let needed = table.identity.iter().chain(&table.source_id).chain(&table.occurred);
            if needed.clone().all(|name| table.columns.iter().any(|column| column.name == *name)) {
                table.sort.retain(|name| table.columns.iter().any(|column| column.name == *name));
                tables.push(table);
            }
        }
        let cut = Vocabulary::kept(tables, known.digest())
            .map_err(|error| DeskError::failed(error.to_string()))?;
        let evidence = Evidence { vocabulary: Arc::new(cut), ..self.evidence.clone() };
        Ok(Self { evidence, known_at: self.known_at, now_us: self.now_us })
    }

    /// What a session of one arrangement looks at; nothing when the register `arrangement` has no
    /// row for it.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn view(&self, id: &str, period: Period) -> Result<Option<View>, DeskError> {
        Ok(arrangement::view(&self.evidence, id, period, self.now_us)?)
    }

    /// A session of one view.
    ///
    /// # Errors
    /// When the machine gives no threads.
    pub fn session(&self, view: View) -> Result<Session, EngineError> {
        Session::new(&self.evidence, view, layout(), runtime(layout())?)
    }
}

/// An arrangement whose zone is not known.
pub fn unregistered(arrangement: &str) -> DeskError {
    DeskError::failed_with(
        format!(
            "`{arrangement}` has no row in the register `arrangement`, so its zone is not known"
        ),
        "import one: `backstay vocabulary template arrangement` writes the head line",
    )
}
