//! Cases: the events of one case in the order in which they happened.
//!
//! Owns that order; it must never drop an event, and never decide what a state means.
//!
//! Events of one instant are ordered by the source's own event id, numbers in it read as numbers
//! (`INC7/9` before `INC7/10`), then by record of the source. A work log often has no finer clock
//! than a minute, and its own counter is the only witness of what came first; records of an export
//! may be sorted by anything, so their order comes last. Without event ids it alone decides.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use arrow::array::RecordBatch;

use crate::{error::EngineError, rows};

use super::register::some_text;

/// One event of a case.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// When it happened.
    pub at_us: i64,
    /// When the source says that the case was opened.
    pub opened_us: Option<i64>,
    /// What was done.
    pub activity: Option<Arc<str>>,
    /// State from here on, when the event says one.
    pub state: Option<Arc<str>>,
    /// Team from here on, when the event says one.
    pub team: Option<Arc<str>>,
    /// Site from here on, when the event says one.
    pub site: Option<Arc<str>>,
    /// Priority from here on, when the event says one.
    pub priority: Option<Arc<str>>,
    /// Type of case, when the event says one.
    pub case_type: Option<Arc<str>>,
    /// Whether the event names a person.
    pub has_person: bool,
    /// The source's own id of the event.
    pub event_id: Option<Box<str>>,
    /// Its record.
    pub row_ref: i64,
}

/// One case with its events in order.
#[derive(Debug, Clone)]
pub struct Case {
    /// Id as the source writes it.
    pub id: Arc<str>,
    /// Events in order.
    pub events: Vec<Event>,
}

impl Case {
    /// The events before an instant.
    #[must_use]
    pub fn events_before(&self, at_us: i64) -> &[Event] {
        let count = self.events.partition_point(|event| event.at_us < at_us);
        self.events.get(..count).unwrap_or_default()
    }
}

/// Equal texts shared, for a log repeats few of them very often.
#[derive(Debug, Default)]
struct Shared(HashMap<Box<str>, Arc<str>>);

impl Shared {
    fn get(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        let text = text?;
        if let Some(known) = self.0.get(text) {
            return Some(known.clone());
        }
        let shared: Arc<str> = text.into();
        self.0.insert(text.into(), shared.clone());
        Some(shared)
    }
}

/// The cases of `case_event` batches, by id.
///
/// # Errors
/// A table that lacks a column.
pub fn read(batches: &[RecordBatch]) -> Result<Vec<Case>, EngineError> {
    const TABLE: &str = "case_event";
    let mut shared = Shared::default();
    let mut index: HashMap<Arc<str>, usize> = HashMap::new();
    let mut cases: Vec<Case> = Vec::new();
    for batch in batches {
        let text = |name| rows::texts(batch, TABLE, name);
        let (ids, event_ids, activities, states) =
            (text("case_id")?, text("event_id")?, text("activity")?, text("state")?);
        let (teams, sites, priorities, types) =
            (text("team_id")?, text("site_id")?, text("priority")?, text("case_type")?);
        let people = text("person_id")?;
        let (at, opened) = (
            rows::instants(batch, TABLE, "occurred_at")?,
            rows::instants(batch, TABLE, "opened_at")?,
        );
        let refs = rows::integers(batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(id) = shared.get(some_text(&ids, row)) else { continue };
            let Some(at_us) = rows::instant(&at, row) else { continue };
            let place = *index.entry(id.clone()).or_insert_with(|| {
                cases.push(Case { id, events: Vec::new() });
                cases.len() - 1
            });
            let event = Event {
                at_us,
                opened_us: rows::instant(&opened, row),
                activity: shared.get(some_text(&activities, row)),
                state: shared.get(some_text(&states, row)),
                team: shared.get(some_text(&teams, row)),
                site: shared.get(some_text(&sites, row)),
                priority: shared.get(some_text(&priorities, row)),
                case_type: shared.get(some_text(&types, row)),
                has_person: some_text(&people, row).is_some(),
                event_id: some_text(&event_ids, row).map(Box::from),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            if let Some(case) = cases.get_mut(place) {
                case.events.push(event);
            }
        }
    }
    for case in &mut cases {
        case.events.sort_by(order);
    }
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cases)
}

/// The order of two events of one case.
fn order(a: &Event, b: &Event) -> Ordering {
    let ids = || {
        let (a, b) =
            (a.event_id.as_deref().unwrap_or_default(), b.event_id.as_deref().unwrap_or_default());
        natural_order(a, b)
    };
    let content = |event: &Event| {
        (event.activity.clone(), event.state.clone(), event.team.clone(), event.site.clone())
    };
    a.at_us
        .cmp(&b.at_us)
        .then_with(ids)
        .then_with(|| a.row_ref.cmp(&b.row_ref))
        .then_with(|| content(a).cmp(&content(b)))
}

/// Compares texts with the digits in them read as numbers.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (x, y) = (piece(&mut left), piece(&mut right));
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let compared = if number(x) && number(y) {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if compared != Ordering::Equal {
            return compared;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes the leading run of digits, or of anything else.
fn piece<'a>(text: &mut &'a str) -> &'a str {
    let digit = |letter: char| letter.is_ascii_digit();
    let first = text.starts_with(digit);
    let end = text.find(|letter: char| digit(letter) != first).unwrap_or(text.len());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    taken
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn event(at_us: i64, event_id: &str, row_ref: i64) -> Event {
        Event {
            at_us,
            event_id: (!event_id.is_empty()).then(|| event_id.into()),
            row_ref,
            ..Event::default()
        }
    }

    #[test]
    fn the_counter_of_the_source_orders_events_of_one_minute() {
        let (ninth, tenth) = (event(5, "INC7/9", 30), event(5, "INC7/10", 20));
        assert_eq!(order(&ninth, &tenth), Ordering::Less);
        assert_eq!(order(&tenth, &event(4, "INC7/11", 40)), Ordering::Greater);
        assert_eq!(order(&event(5, "", 2), &event(5, "", 1)), Ordering::Greater);
    }

    #[test]
    fn digits_compare_as_numbers_and_the_order_is_total() {
        let mut ids = ["b", "a10", "a9", "a09", "a", "10", "9", "", "a9b", "00"];
        ids.sort_by(|a, b| natural_order(a, b));
        assert_eq!(ids, ["", "00", "9", "10", "a", "a09", "a9", "a9b", "a10", "b"]);
        for a in ids {
            for b in ids {
                assert_eq!(natural_order(a, b), natural_order(b, a).reverse(), "`{a}` `{b}`");
                assert_eq!(natural_order(a, b) == Ordering::Equal, a == b, "`{a}` `{b}`");
            }
        }
    }
}
