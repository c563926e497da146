//! `backstay restate`: a closed month beside what today's evidence makes of it.

use std::{collections::BTreeMap, path::Path};

use backstay_desk::{
    evidence::{self, Seen},
    period::Known,
    replay,
};
use backstay_engine::{
    Assessment, Period, arrangement,
    credit_note::{Owed, owed},
    restate::{self, Answers, Counted, Side, answers, causes, compare, figures_digest},
    session::Session,
};
use backstay_report::close::{Frame, Step, restatement};
use backstay_store::{CloseNote, CloseStep, Closed, EntrySummary, Workspace};
use serde_json::{Value, json};

use crate::{
    args::{Format, RestateArgs},
    command::{assess::work_out, close},
    door,
    error::{CliError, FOUND},
};

/// Entries read at once.
const CHUNK: usize = 1_000;

pub fn run(args: &RestateArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let scope = std::slice::from_ref(&args.arrangement);
    let today = door::see(&workspace, None, scope)?;
    let (period, _) = today.period(Some(&args.period))?;
    let days = period.to_string();
    let closed = standing(&workspace.closes(&args.arrangement, &days)?, args)?;
    let kept = workspace.assessment(closed.entry)?;
    let before = Assessment::from_bytes(&kept.result)?;
    let then = replay::basis(&workspace, &kept, &before, door::now_us())?;
    let as_of_us = replay::as_of_us(closed.entry, &before)?;
    let after = work_out(&workspace, &today, period)?;
    let mut month = Month { workspace: &workspace, args, period, as_of_us, notes: Vec::new() };
    let (old, old_owed) = month.worked(&then)?;
    let (new, new_owed) = month.worked(&today)?;
    let because = month.because(&then, &old, &today, &new)?;
    let (was, is) = (Side::of(&before, &old, &old_owed), Side::of(&after, &new, &new_owed));
    let found = compare(&args.arrangement, before.basis.period, &was, &is, &because);
    month.note_engine(&before, &found);
    let note = CloseNote {
        step: CloseStep::Restate,
        arrangement: args.arrangement.clone(),
        period: days.clone(),
        figures: figures_digest(&after, &new_owed),
        by: String::new(),
        note: String::new(),
        restates: Some(closed.entry),
    };
    let notes = month.notes;
    let entry =
        if args.dry_run { None } else { Some(close::keep(&workspace, &today, &after, &note)?) };
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": "backstay.restatement/1",
            "entry": entry,
            "closed": closed,
            "known_at": today.known_at,
            "restatement": found,
            "notes": notes,
        }))?,
        Format::Text => {
            let taken = workspace.closes(&args.arrangement, &days)?;
            let steps: Vec<Step> = taken.iter().map(close::told).collect();
            let frame =
                Frame { steps, closed: closed.entry, kept: entry, known_at: today.known_at, notes };
            door::print(&restatement(&found, &frame, door::look()))?;
        }
    }
    Ok(if args.strict && !found.is_empty() { FOUND } else { 0 })
}

/// The step that stands: the freezing, else the last agreement or issue.
fn standing(taken: &[Closed], args: &RestateArgs) -> Result<Closed, CliError> {
    let of = |step: CloseStep| taken.iter().rfind(|closed| closed.note.step == step);
    let last = taken.iter().rfind(|closed| closed.note.step != CloseStep::Restate);
    of(CloseStep::Freeze).or(last).cloned().ok_or_else(|| {
        CliError::usage(
            format!("{} of `{}` was never closed", args.period, args.arrangement),
            format!("issue it: `backstay close {} {}`", args.arrangement, args.period),
        )
    })
}

/// The month that is looked at twice.
struct Month<'a> {
    workspace: &'a Workspace,
    args: &'a RestateArgs,
    period: Period,
    as_of_us: i64,
    notes: Vec<String>,
}

impl Month<'_> {
    /// The month on some evidence; nothing when the arrangement has no row there.
    fn session(&self, seen: &Seen) -> Result<Option<Session>, CliError> {
        let id = &self.args.arrangement;
        let view = arrangement::view(&seen.evidence, id, self.period, self.as_of_us)?;
        Ok(view.map(|view| seen.session(view)).transpose()?)
    }

    fn answers(&self, seen: &Seen) -> Result<Answers, CliError> {
        let session = self.session(seen)?;
        Ok(session.as_ref().map(answers).transpose()?.unwrap_or_default())
    }

    /// The cases of the month, and what is owed up to its end.
    fn worked(&self, seen: &Seen) -> Result<(Answers, Vec<Owed>), CliError> {
        let Some(session) = self.session(seen)? else { return Ok(Default::default()) };
        Ok((answers(&session)?, owed(&session)?))
    }

    /// What brought each difference: the catalogue and the vocabulary first, then entry by entry.
    fn because(
        &mut self,
        then: &Seen,
        old: &Answers,
        today: &Seen,
        new: &Answers,
    ) -> Result<BTreeMap<Counted, Vec<String>>, CliError> {
        let mut found: BTreeMap<Counted, Vec<String>> = BTreeMap::new();
        if old == new {
            return Ok(found);
        }
        let (was, is) = (&then.evidence, &today.evidence);
        let rules_changed = was.catalogue.digest() != is.catalogue.digest()
            || was.vocabulary.digest() != is.vocabulary.digest();
        let first = match rules_changed {
            true => self.answers(&self.at(then.known_at)?)?,
            false => old.clone(),
        };
        for counted in causes(1, old, &first, &mut |_| Ok::<_, CliError>(old.clone()))?.into_keys()
        {
            let rules = "another catalogue or vocabulary".to_owned();
            found.entry(counted).or_default().push(rules);
        }
        let entries = self.entries(then.known_at, today.known_at)?;
        let mut at = |n: usize| {
            let entry = n.checked_sub(1).and_then(|n| entries.get(n)).map(|entry| entry.entry);
            self.answers(&self.at(entry.unwrap_or(then.known_at))?)
        };
        for (counted, places) in causes(entries.len(), &first, new, &mut at)? {
            let told = places.iter().filter_map(|n| entries.get(*n)).map(told);
            found.entry(counted).or_default().extend(told);
        }
        Ok(found)
    }

    /// The evidence as of an entry, with today's rules.
    fn at(&self, entry: u64) -> Result<Seen, CliError> {
        let scope = std::slice::from_ref(&self.args.arrangement);
        let catalogue = evidence::catalogue(self.workspace)?;
        let known = Some(Known::Entry(entry));
        Ok(evidence::see_with(self.workspace, known, scope, catalogue, door::now_us())?)
    }

    /// The entries between two that may have brought evidence on this arrangement, in order.
    fn entries(&self, after: u64, until: u64) -> Result<Vec<EntrySummary>, CliError> {
        let mut found = Vec::new();
        let mut from = after + 1;
        while from <= until {
            let chunk = self.workspace.entries(from, CHUNK)?;
            let Some(last) = chunk.last() else { break };
            from = last.entry + 1;
            let kinds = ["import", "reread", "edit", "correction", "retract"];
            let concerns = |entry: &EntrySummary| {
                let own = &entry.arrangements;
                entry.entry <= until
                    && kinds.contains(&entry.kind.as_str())
                    && (own.is_empty() || own.contains(&self.args.arrangement))
            };
            found.extend(chunk.into_iter().filter(concerns));
        }
        Ok(found)
    }

    /// Says when figures differ that no case explains: the release counts otherwise.
    fn note_engine(&mut self, before: &Assessment, found: &restate::Restatement) {
        let engine = backstay_engine::ENGINE_VERSION;
        if before.basis.engine != engine {
            self.notes.push(format!(
                "it was closed with release {}; this is {engine}: `backstay replay` says what that alone changes",
                before.basis.engine
            ));
        }
        let nameless = found.cases.iter().filter(|case| case.because.is_empty()).count();
        if nameless > 0 {
            self.notes.push(format!("for {nameless} cases no entry alone explains the difference"));
        }
        let targets = found.figures.iter().filter(|change| {
            let target = |figure: &Option<restate::Figure>| {
                figure.as_ref().map(|f| (f.target.clone(), f.minimum.clone()))
            };
            target(&change.before) != target(&change.after)
        });
        for change in targets {
            self.notes.push(format!(
                "the terms of `{}` are not those of the closing: its target or minimum changed",
                change.service_level
            ));
        }
    }
}

/// An entry in a few words.
fn told(entry: &EntrySummary) -> String {
    let text = |pointer: &str| {
        let payload = entry.payload.as_ref();
        payload.and_then(|payload| payload.pointer(pointer)).and_then(Value::as_str)
    };
    match text("/file").or_else(|| text("/reason")).filter(|text| !text.is_empty()) {
        Some(what) => format!("entry {} ({} {what})", entry.entry, entry.kind),
        None => format!("entry {} ({})", entry.entry, entry.kind),
    }
}
