//! Derived table `handover_due`: each shift end at which a handover was due, and what became of it.
//!
//! Owns the matching of notes to shift ends, and their deadlines. It must never excuse a missing note
//! because nobody rostered anything: without a complete roster it is not known what was due.
//!
//! Rules
//! - Due at each end of a shift of the team that hands over: of its team shifts where it has any, else
//!   of its people's.
//! - A note belongs to the shift end that it names, to the microsecond.
//! - It is made in time within the agreed time after the shift end. It is picked up in time within the
//!   agreed time from the note, or from the start of the next shift of the team that takes over when
//!   nobody of it is on shift.
//! - It counts in the period in which the last instant lies at which it can still be in time.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::Zone;

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    register::{read_keyed, read_named, some_text},
    side::{Keyed, Shift, Sides},
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct HandoverDueTable;

/// Its name.
pub const NAME: &str = "handover_due";

/// How far before the period shift ends are looked for whose deadlines lie in it.
const LOOK_BACK_US: i64 = 15 * 86_400_000_000;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("from_team_id", Kind::Text),
    ("to_team_id", Kind::Text),
    ("shift_ended_at", Kind::Instant),
    ("make_by", Kind::Instant),
    ("made_at", Kind::Instant),
    ("pick_up_by", Kind::Instant),
    ("picked_up_at", Kind::Instant),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone)]
struct Term {
    make_us: i64,
    pick_up_us: i64,
    row_ref: i64,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    made_us: i64,
    picked_up_us: Option<i64>,
    row_ref: i64,
}

type Notes = BTreeMap<(String, String, i64), Note>;

#[derive(Debug, Clone, Default)]
struct Row {
    from: Option<String>,
    to: Option<String>,
    ended_us: Option<i64>,
    make_by_us: Option<i64>,
    made_us: Option<i64>,
    pick_up_by_us: Option<i64>,
    picked_up_us: Option<i64>,
    state: &'static str,
    reason: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for HandoverDueTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each shift end at which a handover was due: whether the note was made and picked up in time."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["handover"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["handover_term", "team", "site", "calendar", "holiday", "shift", "evidence_feed"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let sides = Sides::read(input)?;
        let terms = read_terms(input, &sides.zone)?;
        let notes = read_notes(input)?;
        let seen_us = input.period_end_us.min(input.as_of_us);
        let mut found = Vec::new();
        for ((from, to), versions) in &terms {
            if !sides.roster_known((input.period_start_us, seen_us)) {
                found.push(Row {
                    from: Some(from.clone()),
                    to: Some(to.clone()),
                    state: "gap",
                    reason: Some(Sides::roster_unknown()),
                    ..Row::default()
                });
                continue;
            }
            let pair = Pair { sides: &sides, notes: &notes, from, to, seen_us };
            for ended_us in pair.shift_ends(input.period_start_us) {
                let Some(term) = versions.at(ended_us) else { continue };
                let last_us = pair.last_us(term, ended_us);
                if (input.period_start_us..input.period_end_us).contains(&last_us)
                    && last_us <= seen_us
                {
                    found.push(pair.judge(term, ended_us));
                }
            }
        }
        if terms.is_empty() {
            found.push(nothing_agreed(input, &sides)?);
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

struct Pair<'a> {
    sides: &'a Sides,
    notes: &'a Notes,
    from: &'a str,
    to: &'a str,
    /// Instant after which nothing is looked at.
    seen_us: i64,
}

impl Pair<'_> {
    /// The shift ends that may matter, each once.
    fn shift_ends(&self, start_us: i64) -> Vec<i64> {
        let span = (start_us.saturating_sub(LOOK_BACK_US), self.seen_us);
        let shifts: Vec<&Shift> = self.sides.shifts(self.from, span).collect();
        let of_team = shifts.iter().any(|shift| !shift.of_person);
        let mut ends: Vec<i64> = shifts
            .iter()
            .filter(|shift| !of_team || !shift.of_person)
            .map(|shift| shift.end_us)
            .filter(|end| (span.0..=span.1).contains(end))
            .collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// From when on the team that takes over can pick up what lies there at an instant; none when the
    /// roster holds no later shift.
    fn on_shift_from(&self, at_us: i64) -> Option<i64> {
        let later = self.sides.shifts(self.to, (at_us, i64::MAX));
        later.map(|shift| shift.start_us.max(at_us)).min()
    }

    /// The last instant at which all can still be in time.
    fn last_us(&self, term: &Term, ended_us: i64) -> i64 {
        let made_us = ended_us.saturating_add(term.make_us);
        self.on_shift_from(made_us).unwrap_or(made_us).saturating_add(term.pick_up_us)
    }

    fn judge(&self, term: &Term, ended_us: i64) -> Row {
        let make_by_us = ended_us.saturating_add(term.make_us);
        let shift = self.sides.shifts(self.from, (ended_us - 1, ended_us));
        let mut row = Row {
            from: Some(self.from.to_owned()),
            to: Some(self.to.to_owned()),
            ended_us: Some(ended_us),
            make_by_us: Some(make_by_us),
            evidence: shift.filter(|s| s.end_us == ended_us).map(|s| s.row_ref).collect(),
            row_ref: Some(term.row_ref),
            ..Row::default()
        };
        let key = (self.from.to_owned(), self.to.to_owned(), ended_us);
        let Some(note) = self.notes.get(&key).filter(|note| note.made_us <= self.seen_us) else {
            row.state = "not-made";
            return row;
        };
        row.made_us = Some(note.made_us);
        row.picked_up_us = note.picked_up_us.filter(|at| *at <= self.seen_us);
        row.evidence.push(note.row_ref);
        let Some(from_us) = self.on_shift_from(note.made_us) else {
            row.state = "gap";
            row.reason = Some(format!("the roster holds no later shift of `{}`", self.to));
            return row;
        };
        let pick_up_by_us = from_us.saturating_add(term.pick_up_us);
        row.pick_up_by_us = Some(pick_up_by_us);
        row.state = match row.picked_up_us {
            _ if note.made_us > make_by_us => "made-late",
            None => "not-picked-up",
            Some(at) if at > pick_up_by_us => "picked-up-late",
            Some(_) => "in-time",
        };
        row
    }
}

/// The one row of an arrangement without any agreed handover.
fn nothing_agreed(input: &DeriveInput<'_>, sides: &Sides) -> Result<Row, EngineError> {
    let at_us = input.period_end_us.saturating_sub(1);
    let provider_of = read_named(input, &sides.zone, "site", "site_id", "provider_id")?;
    let works = |team: &&str| {
        let site = sides.site(team, at_us).ok();
        let provider = site.and_then(|site| provider_of.get(&*site)?.at(at_us).cloned());
        provider.flatten().is_some()
    };
    let (state, reason) = if sides.teams().filter(works).count() == 1 {
        ("none-needed", "one team of the provider does all the work")
    } else {
        ("gap", "no handovers are agreed (`handover_term`)")
    };
    Ok(Row { state, reason: Some(reason.to_owned()), ..Row::default() })
}

fn read_terms(
    input: &DeriveInput<'_>,
    zone: &Zone,
) -> Result<Keyed<(String, String), Term>, EngineError> {
    const TABLE: &str = "handover_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let number = |name| rows::integers(batch, TABLE, name);
        let (from_teams, to_teams) = (text("from_team_id")?, text("to_team_id")?);
        let (make, pick_up) = (number("make_within")?, number("pick_up_within")?);
        let refs = number("_ref")?;
        Ok(move |row, _| {
            let (from, to) = some_text(&from_teams, row).zip(some_text(&to_teams, row))?;
            let term = Term {
                make_us: rows::integer(&make, row).unwrap_or_default(),
                pick_up_us: rows::integer(&pick_up, row).unwrap_or_default(),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            Some(((from.to_owned(), to.to_owned()), term))
        })
    })
}

/// Notes by teams and shift end; of several about one shift end, the one made first.
fn read_notes(input: &DeriveInput<'_>) -> Result<Notes, EngineError> {
    const TABLE: &str = "handover";
    let mut found = Notes::new();
    for batch in input.tables.batches(TABLE)? {
        let (from_teams, to_teams) = (
            rows::texts(&batch, TABLE, "from_team_id")?,
            rows::texts(&batch, TABLE, "to_team_id")?,
        );
        let instants = |name| rows::instants(&batch, TABLE, name);
        let (ended, made, picked) =
            (instants("shift_ended_at")?, instants("made_at")?, instants("picked_up_at")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let (Some(from), Some(to), Some(ended_us), Some(made_us)) = (
                some_text(&from_teams, row),
                some_text(&to_teams, row),
                rows::instant(&ended, row),
                rows::instant(&made, row),
            ) else {
                continue;
            };
            let note = Note {
                made_us,
                picked_up_us: rows::instant(&picked, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            let known = found.entry((from.to_owned(), to.to_owned(), ended_us)).or_insert(note);
            if (note.made_us, note.row_ref) < (known.made_us, known.row_ref) {
                *known = note;
            }
        }
    }
    Ok(found)
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| row.from.as_deref())),
        array::texts(found.iter().map(|row| row.to.as_deref())),
        array::instants(found.iter().map(|row| row.ended_us)),
        array::instants(found.iter().map(|row| row.make_by_us)),
        array::instants(found.iter().map(|row| row.made_us)),
        array::instants(found.iter().map(|row| row.pick_up_by_us)),
        array::instants(found.iter().map(|row| row.picked_up_us)),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
