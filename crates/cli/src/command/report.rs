//! `backstay report`: a kept assessment as one HTML file, with the tables beside it from the same
//! evidence. The page depends on the assessment and its basis alone.

use std::{fs, path::Path};

use backstay_desk::{
    assess::settings,
    evidence::{self, Cache, Seen},
    replay,
};
use backstay_engine::{
    AssessRequest, Assessment, history,
    panel::panels,
    session::{GuestLimits, View, query},
};
use backstay_evidence::Digest;
use backstay_report::{
    html::{Dossier, Feed, Keeping, Lacking, Party, Source, page},
    rows::objects,
};
use backstay_store::{EntrySummary, Workspace};
use serde_json::{Map, Value};

use crate::{
    args::ReportArgs,
    command::{
        advice,
        assess::{Question, assess},
    },
    door,
    error::CliError,
};

/// Months before the period that the page looks back over: with a period of one month, a year.
const MONTHS: u8 = 11;
/// Files listed; the page must stay one that can be read.
const SOURCES_SHOWN: usize = 2_000;
/// Entries read at once.
const CHUNK: usize = 1_000;

/// Who is party to an arrangement on a day; the last row of a register wins.
const PARTIES: &str = "
    SELECT a.title, a.time_zone, c.name AS client, p.name AS provider
    FROM arrangement a
    LEFT JOIN client c ON c.client_id = a.client_id
      AND (c.valid_from IS NULL OR c.valid_from <= CAST('{day}' AS DATE))
      AND (c.valid_to IS NULL OR c.valid_to > CAST('{day}' AS DATE))
    LEFT JOIN provider p ON p.provider_id = a.provider_id
      AND (p.valid_from IS NULL OR p.valid_from <= CAST('{day}' AS DATE))
      AND (p.valid_to IS NULL OR p.valid_to > CAST('{day}' AS DATE))
    WHERE (a.valid_from IS NULL OR a.valid_from <= CAST('{day}' AS DATE))
      AND (a.valid_to IS NULL OR a.valid_to > CAST('{day}' AS DATE))
    ORDER BY a.valid_from NULLS FIRST, a._ref, c.valid_from NULLS FIRST, c._ref,
             p.valid_from NULLS FIRST, p._ref";

/// Intervals in which evidence was expected.
const FEEDS: &str = "
    SELECT feed_id, table_name, cadence, day, interval_end, arrived, outcome, reason, delivered, _ref
    FROM feed_day
    ORDER BY feed_id, table_name, cadence, day, interval_end, _ref";

type Line = Map<String, Value>;

pub fn run(args: &ReportArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let asked = args.period.is_some() || args.as_of.is_some() || !args.arrangement.is_empty();
    let entry = match args.entry {
        Some(entry) => entry,
        None if asked => {
            let question = Question {
                period: args.period.as_deref(),
                as_of: args.as_of.as_deref(),
                arrangements: &args.arrangement,
            };
            let kept = assess(&workspace, &question)?.frame.entry;
            kept.ok_or_else(|| CliError::failed("the assessment was not kept"))?
        }
        None => last(&workspace)?,
    };
    let said = write(&workspace, entry, &args.html)?;
    door::tell(&said)?;
    Ok(0)
}

/// The entry of the assessment that was kept last.
fn last(workspace: &Workspace) -> Result<u64, CliError> {
    let all = workspace.assessments()?;
    all.last().map(|kept| kept.entry).ok_or_else(|| {
        CliError::failed_with(
            "no assessment is kept yet, so there is none to report",
            "run `backstay assess`, or name a period: `backstay report --period 2026-03 --html FILE`",
        )
    })
}

/// Writes the page of a kept assessment; gives a sentence that says where.
///
/// # Errors
/// No assessment in that entry, unreadable evidence, a path that cannot be written.
pub fn write(workspace: &Workspace, entry: u64, path: &Path) -> Result<String, CliError> {
    let text = html(workspace, entry)?;
    fs::write(path, text).map_err(|error| {
        let message = format!("`{}` cannot be written: {}", path.display(), door::because(&error));
        CliError::failed(message)
    })?;
    Ok(format!("the report of assessment {entry} is in `{}`", path.display()))
}

/// The page of a kept assessment.
fn html(workspace: &Workspace, entry: u64) -> Result<String, CliError> {
    let kept = workspace.assessment(entry)?;
    let assessment = Assessment::from_bytes(&kept.result)?;
    let mut seen = replay::basis(workspace, &kept, &assessment, door::now_us())?;
    // Everything beside the assessment is seen from the instant that it was seen from.
    seen.now_us = replay::as_of_us(entry, &assessment)?;
    let entries = entries(workspace, entry)?;
    let actor = entries.iter().find(|found| found.entry == entry).map(|found| found.actor.clone());
    let mut dossier = Dossier {
        assessment: &assessment,
        catalogue: &seen.evidence.catalogue,
        known_at: seen.known_at,
        kept: Some(Keeping {
            entry,
            recorded_at_us: kept.recorded_at_us,
            actor: actor.unwrap_or_default(),
            digest: Digest::of(&kept.result).to_string(),
        }),
        parties: Vec::new(),
        history: Vec::new(),
        panels: Vec::new(),
        ladders: advice::ladders(&seen, &assessment)?,
        feeds: Vec::new(),
        incomplete: advice::incomplete(&seen, &assessment)?,
        sources: sources(&entries, seen.known_at, &assessment.basis.scope),
    };
    let cache = Cache(workspace.cache());
    let request = AssessRequest {
        evidence: seen.evidence.clone(),
        settings: settings(),
        period: Some(assessment.basis.period),
        now_us: seen.now_us,
        seed: assessment.basis.seed,
        layout: evidence::layout(),
        cache: Some(&cache),
    };
    for id in seen.arrangements() {
        let Some(view) = seen.view(&id, assessment.basis.period)? else {
            dossier.parties.push(Party { arrangement_id: id, ..Party::default() });
            continue;
        };
        dossier.parties.push(party(&seen, &view)?);
        dossier.feeds.extend(feeds(&seen, &view)?);
        dossier.history.extend(history(&request, &id, assessment.basis.period, MONTHS)?);
        dossier.panels.push(panels(&seen.session(view)?)?);
    }
    Ok(page(&dossier))
}

fn ask(seen: &Seen, view: &View, sql: &str) -> Result<Vec<Line>, CliError> {
    let views = std::slice::from_ref(view);
    let limits = GuestLimits::default();
    let result = query(&seen.evidence, views, sql, evidence::layout(), limits)?;
    Ok(objects(&result.schema, &result.batches))
}

fn text(row: &Line, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

fn party(seen: &Seen, view: &View) -> Result<Party, CliError> {
    let last_day = view.period.after.yesterday().unwrap_or(view.period.first);
    let rows = ask(seen, view, &PARTIES.replace("{day}", &last_day.to_string()))?;
    let row = rows.last();
    let told = |name: &str| row.and_then(|row| text(row, name));
    Ok(Party {
        arrangement_id: view.arrangement_id.clone(),
        title: told("title"),
        client: told("client"),
        provider: told("provider"),
        zone: Some(view.zone.clone()),
    })
}

fn feeds(seen: &Seen, view: &View) -> Result<Vec<Feed>, CliError> {
    let mut found: Vec<Feed> = Vec::new();
    for row in ask(seen, view, FEEDS)? {
        let feed = Feed {
            arrangement_id: view.arrangement_id.clone(),
            feed: text(&row, "feed_id").filter(|id| !id.is_empty()),
            table: text(&row, "table_name").unwrap_or_default(),
            cadence: text(&row, "cadence").unwrap_or_default(),
            expected: 0,
            arrived: 0,
            declared_by: text(&row, "_ref"),
            lacking: Vec::new(),
        };
        let same = |last: &Feed| {
            (&last.feed, &last.table, &last.cadence) == (&feed.feed, &feed.table, &feed.cadence)
        };
        if !found.last().is_some_and(same) {
            found.push(feed);
        }
        let Some(feed) = found.last_mut() else { continue };
        feed.expected += 1;
        if row.get("arrived").and_then(Value::as_bool).unwrap_or_default() {
            feed.arrived += 1;
        } else {
            feed.lacking.push(lacking(&row));
        }
    }
    Ok(found)
}

fn lacking(row: &Line) -> Lacking {
    let (first, after) = (text(row, "day"), text(row, "interval_end"));
    let days = match first.zip(after) {
        Some((first, after)) => {
            let one: Option<jiff::civil::Date> = first.parse().ok();
            let next = one.and_then(|day| day.tomorrow().ok()).map(|day| day.to_string());
            if next.as_ref() == Some(&after) { first } else { format!("{first}..{after}") }
        }
        None => "the whole period".to_owned(),
    };
    let delivered = row.get("delivered").and_then(Value::as_array);
    let mut evidence: Vec<String> =
        delivered.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    evidence.extend(text(row, "_ref"));
    evidence.dedup();
    Lacking {
        days,
        outcome: text(row, "outcome").unwrap_or_default(),
        reason: text(row, "reason").unwrap_or_default(),
        evidence,
    }
}

/// The ledger up to an entry.
fn entries(workspace: &Workspace, up_to: u64) -> Result<Vec<EntrySummary>, CliError> {
    let mut all = Vec::new();
    let mut from = 1;
    while from <= up_to {
        let chunk = workspace.entries(from, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        from = last.entry + 1;
        all.extend(chunk.into_iter().filter(|found| found.entry <= up_to));
    }
    Ok(all)
}

/// The imports that evidence up to `known_at` came from, of the arrangements in scope.
fn sources(entries: &[EntrySummary], known_at: u64, scope: &[String]) -> Vec<Source> {
    let in_scope = |entry: &&EntrySummary| {
        scope.is_empty()
            || entry.arrangements.is_empty()
            || entry.arrangements.iter().any(|id| scope.contains(id))
    };
    entries
        .iter()
        .filter(|entry| {
            entry.entry <= known_at && matches!(entry.kind.as_str(), "import" | "reread")
        })
        .filter(in_scope)
        .take(SOURCES_SHOWN)
        .map(source)
        .collect()
}

fn source(entry: &EntrySummary) -> Source {
    let at = |pointer: &str| entry.payload.as_ref().and_then(|payload| payload.pointer(pointer));
    let word = |pointer: &str| at(pointer).and_then(Value::as_str).unwrap_or("erased").to_owned();
    let number = |pointer: &str| at(pointer).and_then(Value::as_u64).unwrap_or_default();
    Source {
        entry: entry.entry,
        recorded_at_us: entry.recorded_at_us,
        actor: entry.actor.clone(),
        file: word("/file"),
        digest: word("/plain_digest"),
        counts: [
            number("/counts/read"),
            number("/counts/accepted"),
            number("/counts/corrected"),
            number("/counts/already_known"),
            number("/counts/quarantined"),
        ],
    }
}
