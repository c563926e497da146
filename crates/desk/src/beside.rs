//! What stands beside an assessment of one arrangement in the same evidence: its parties, the months
//! before, panels, the provider's figures, feeds. Owns the asking; what is asked for by itself is a
//! function by itself. It must never work out a figure.

use backstay_engine::{
    Past, Period, history,
    panel::{Panels, panels},
    session::{GuestLimits, View, query},
};
use backstay_report::{
    difference::Ladder,
    html::{Feed, Interval, Lacking, Party},
    rows::objects,
};
use backstay_store::Workspace;
use serde_json::{Map, Value};

use crate::{
    assess::request,
    error::DeskError,
    evidence::{self, Cache, Seen},
    ladder,
};

/// Months before the period that are looked back over: with a period of one month, a year.
const MONTHS: u8 = 11;

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

/// Cases counted although rows of theirs are in quarantine.
const INCOMPLETE: &str = "
    SELECT service_level_id, case_id
    FROM case_clock
    WHERE is_last AND incomplete AND counted_at >= $period_start AND counted_at < $period_end
    ORDER BY service_level_id, case_id";

/// A row of a query.
pub type Line = Map<String, Value>;

/// Everything that stands beside an assessment of one arrangement.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Who is party to it.
    pub party: Party,
    /// Service levels in the windows before the period.
    pub history: Vec<Past>,
    /// Open cases, credits, hours, quality; none when the register does not know the arrangement.
    pub panels: Option<Panels>,
    /// What the provider reported beside ours, in the period.
    pub ladders: Vec<Ladder>,
    /// Feeds of evidence.
    pub feeds: Vec<Feed>,
    /// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
    pub incomplete: Vec<[String; 3]>,
}

/// All of it; `measured`: something was measured in the period.
///
/// # Errors
/// Unreadable evidence.
pub fn beside(
    workspace: &Workspace,
    seen: &Seen,
    arrangement: &str,
    period: Period,
    measured: bool,
) -> Result<Beside, DeskError> {
    let Some(view) = seen.view(arrangement, period)? else {
        let party = Party { arrangement_id: arrangement.to_owned(), ..Party::default() };
        return Ok(Beside { party, ..Beside::default() });
    };
    Ok(Beside {
        party: party(seen, &view)?,
        history: past(workspace, seen, arrangement, period)?,
        ladders: if measured { ladder::ladders(seen, &view)? } else { Vec::new() },
        feeds: feeds(seen, &view)?,
        incomplete: if measured { incomplete(seen, &view)? } else { Vec::new() },
        panels: Some(panels(&seen.session(view)?)?),
    })
}

/// The rows of a query about one arrangement.
///
/// # Errors
/// Unreadable evidence, or SQL that is wrong.
pub fn ask(seen: &Seen, view: &View, sql: &str) -> Result<Vec<Line>, DeskError> {
    let views = std::slice::from_ref(view);
    let limits = GuestLimits::default();
    let result = query(&seen.evidence, views, sql, evidence::layout(), limits)?;
    Ok(objects(&result.schema, &result.batches))
}

/// A text of a row.
#[must_use]
pub fn text(row: &Line, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

/// The service levels of an arrangement in the months before a period, a year back.
///
/// # Errors
/// Unreadable evidence.
pub fn past(
    workspace: &Workspace,
    seen: &Seen,
    arrangement: &str,
    period: Period,
) -> Result<Vec<Past>, DeskError> {
    let cache = Cache(workspace.cache());
    let request = request(seen, period, &cache);
    Ok(history(&request, arrangement, period, MONTHS)?)
}

/// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
///
/// # Errors
/// Unreadable evidence.
pub fn incomplete(seen: &Seen, view: &View) -> Result<Vec<[String; 3]>, DeskError> {
    let told = |row: &Line, name: &str| text(row, name).unwrap_or_default();
    let row = |row: &Line| {
        [view.arrangement_id.clone(), told(row, "service_level_id"), told(row, "case_id")]
    };
    Ok(ask(seen, view, INCOMPLETE)?.iter().map(row).collect())
}

/// Who is party to an arrangement on the last day of the period.
///
/// # Errors
/// Unreadable evidence.
pub fn party(seen: &Seen, view: &View) -> Result<Party, DeskError> {
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

/// The feeds of an arrangement in the period.
///
/// # Errors
/// Unreadable evidence.
pub fn feeds(seen: &Seen, view: &View) -> Result<Vec<Feed>, DeskError> {
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
            intervals: Vec::new(),
        };
        let same = |last: &Feed| {
            (&last.feed, &last.table, &last.cadence) == (&feed.feed, &feed.table, &feed.cadence)
        };
        if !found.last().is_some_and(same) {
            found.push(feed);
        }
        let Some(feed) = found.last_mut() else { continue };
        feed.expected += 1;
        feed.intervals.push(interval(&row));
        if row.get("arrived").and_then(Value::as_bool).unwrap_or_default() {
            feed.arrived += 1;
        } else {
            feed.lacking.push(lacking(&row));
        }
    }
    Ok(found)
}

fn interval(row: &Line) -> Interval {
    let day = |name: &str| text(row, name)?.parse().ok();
    let arrived = row.get("arrived").and_then(Value::as_bool).unwrap_or_default();
    Interval {
        days: day("day").zip(day("interval_end")),
        outcome: match arrived {
            true => "arrived".to_owned(),
            false => text(row, "outcome").unwrap_or_default(),
        },
    }
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
