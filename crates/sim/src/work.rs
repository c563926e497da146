//! Draws the work: cases, their events, their lateness. Owns the making of cases and the conditions
//! that keep a plant the only thing wrong; it must never write a file or reckon a report.

use std::collections::BTreeMap;

use jiff::{Span, ToSpan, civil::Date, tz::TimeZone};

use crate::{
    almanac::{Almanac, at_civil, civil_at, weekend},
    dice::Dice,
    error::SimError,
    operation::{Operation, Post, Recipe},
    world::{Case, Event, LevelRow, Minute, Stated},
};

/// Tries before a case is given up.
const TRIES: u32 = 200;

/// Cases counted and missed so far, per arrangement, level and month.
type Tally = BTreeMap<(String, String, Date), (i64, i64)>;

/// The month into which a case falls and whether it is met; nothing while it falls into none.
type Entry = Option<(Date, bool)>;

/// Draws every case of an operation; scripted cases are taken as they are.
///
/// # Errors
/// When a kind of case cannot be drawn under the conditions, or the world does not hold together.
pub fn draw_cases(
    operation: &Operation,
    almanac: &Almanac,
    seed: u64,
    size: i64,
    scripted: Vec<Case>,
) -> Result<Vec<Case>, SimError> {
    let mut cases = Vec::new();
    for row in &operation.world.arrangements {
        let mut drawn = Vec::new();
        let mut tally = Tally::new();
        for (index, recipe) in operation.recipes.iter().enumerate() {
            if recipe.arrangement == row.id {
                let dice = Dice::new(seed, &format!("cases {} {index}", row.id));
                let mut maker = Maker::new(operation, almanac, recipe, dice)?;
                drawn.extend(maker.draw_all(size, &mut tally)?);
            }
        }
        let here = scripted.iter().filter(|case| case.arrangement == row.id).cloned();
        drawn.extend(here);
        cases.extend(number(operation, drawn));
    }
    Ok(cases)
}

/// Gives the cases of one arrangement their ids, in the order in which they were opened.
fn number(operation: &Operation, mut cases: Vec<Case>) -> Vec<Case> {
    let key = |case: &Case| {
        case.events.first().map(|first| {
            (first.opened, first.case_type.clone(), first.priority.clone(), case.events.len())
        })
    };
    cases.sort_by_key(key);
    for (index, case) in cases.iter_mut().enumerate() {
        let prefix = operation
            .prefixes
            .iter()
            .find(|(arrangement, _)| *arrangement == case.arrangement)
            .map_or("CASE", |(_, prefix)| prefix);
        case.id = format!("{prefix}{:05}", 10_000 + 3 * index);
        for event in &mut case.events {
            event.case.clone_from(&case.id);
        }
    }
    cases
}

/// Draws the cases of one recipe.
struct Maker<'a> {
    operation: &'a Operation,
    almanac: &'a Almanac,
    recipe: &'a Recipe,
    zone: TimeZone,
    client: TimeZone,
    dice: Dice,
    cut: Minute,
    ends: Vec<Minute>,
    blind: Option<(Minute, Minute)>,
    levels: Vec<String>,
}

/// The making of one case: where it stands and what has happened.
struct Draft<'a> {
    at: Minute,
    post: &'a Post,
    events: Vec<Event>,
    opened: Minute,
    priority: Option<String>,
    calendar: Option<String>,
}

impl<'a> Maker<'a> {
    fn new(
        operation: &'a Operation,
        almanac: &'a Almanac,
        recipe: &'a Recipe,
        dice: Dice,
    ) -> Result<Self, SimError> {
        let zone = operation.zone(recipe.arrangement)?;
        let cut = at_civil(operation.cut, 0, &zone)?;
        let mut ends = Vec::new();
        for month in &operation.months {
            ends.push(Operation::month_end(*month, &zone)?);
        }
        ends.push(cut);
        let blind = match operation.blind {
            Some((arrangement, day)) if arrangement == recipe.arrangement => {
                Some((at_civil(day, 0, &zone)?, at_civil(day.checked_add(1.day())?, 0, &zone)?))
            }
            _ => None,
        };
        let client = match operation.world.clients.first() {
            Some(client) => TimeZone::get(&client.zone)?,
            None => TimeZone::UTC,
        };
        // What is open at a month's end changes by the day; it is counted, not steered.
        let mut levels = operation.world.level_ids(recipe.arrangement);
        levels.retain(|id| !operation.is_backlog(recipe.arrangement, id));
        Ok(Self { operation, almanac, recipe, zone, client, dice, cut, ends, blind, levels })
    }

    fn draw_all(&mut self, size: i64, tally: &mut Tally) -> Result<Vec<Case>, SimError> {
        let mut cases = Vec::new();
        let mut week = self.operation.first;
        let per_week = (self.recipe.per_month * size * 7).max(0);
        let mut owed = 0;
        while week < self.operation.cut {
            owed += per_week;
            let now = owed / 3_050;
            owed -= now * 3_050;
            for _ in 0..now {
                cases.push(self.draw_case(week, tally)?);
            }
            week = week.checked_add(7.days())?;
        }
        Ok(cases)
    }

    fn draw_case(&mut self, week: Date, tally: &mut Tally) -> Result<Case, SimError> {
        for attempt in 0..TRIES {
            let Some(opened) = self.opening(week)? else { continue };
            let Some(case) = self.draft(opened, attempt < 6)? else { continue };
            if self.accept(&case, tally)? {
                return Ok(case);
            }
        }
        Err(SimError::Plant(format!("a case of `{}` in the week of {week}", self.recipe.level)))
    }

    /// When a case comes in: mostly in the client's hours of a weekday.
    fn opening(&mut self, week: Date) -> Result<Option<Minute>, SimError> {
        let day = week.checked_add(Span::new().days(self.dice.between(0, 6)))?;
        if weekend(day) && !self.dice.per_mille(self.recipe.weekends) {
            return Ok(None);
        }
        let (from, to) = self.recipe.hours;
        let usual = self.dice.per_mille(880);
        let minute =
            if usual { self.dice.between(from * 60, to * 60) } else { self.dice.between(0, 1439) };
        let at = at_civil(day, minute.min(1439), &self.client)?;
        let first = at_civil(self.operation.first, 0, &self.zone)?;
        Ok((at >= first && at < self.cut).then_some(at))
    }

    /// One case from its opening on; nothing when it runs out of the almanac.
    fn draft(&mut self, opened: Minute, may_be_slow: bool) -> Result<Option<Case>, SimError> {
        let recipe = self.recipe;
        let day = civil_at(opened, &self.zone)?.date();
        let Some(level) = self.operation.world.level_on(recipe.arrangement, recipe.level, day)
        else {
            return Err(SimError::Missing(format!("service level `{}`", recipe.level)));
        };
        let Some(post) = self.first_post(opened) else { return Ok(None) };
        let slow = may_be_slow && self.dice.per_mille(self.slow_share(level, opened)?);
        let raised = recipe.raised_from.filter(|_| self.dice.per_mille(250));
        let mut draft = Draft {
            at: opened,
            post,
            events: Vec::new(),
            opened,
            priority: raised.or(recipe.priority).map(str::to_owned),
            calendar: level.calendar.clone(),
        };
        self.emit(&mut draft, recipe.words.new, true);
        if self.walk(&mut draft, level, slow).is_none() {
            return Ok(None);
        }
        let mut events = draft.events;
        events.retain(|event| event.at < self.cut);
        Ok(Some(Case { arrangement: recipe.arrangement.into(), id: String::new(), events }))
    }

    /// Per thousand: how many cases are to be late.
    fn slow_share(&self, level: &LevelRow, opened: Minute) -> Result<i64, SimError> {
        let month = civil_at(opened, &self.zone)?.date().first_of_month();
        let planted = self.operation.missed.iter().any(|(arrangement, id, planted)| {
            *arrangement == level.arrangement && *id == level.id && *planted == month
        });
        // Where the report is to differ, there must be late cases for it to differ in.
        let differs =
            self.plans(&level.id).any(|plan| plan.month == month && !plan.causes.is_empty());
        Ok(match (planted, differs) {
            (true, _) => 240,
            (_, true) => 1000 - level.target,
            _ => (1000 - level.target) * 7 / 10,
        })
    }

    /// The steps of a case after it came in. Nothing when time runs out of the almanac.
    fn walk(&mut self, draft: &mut Draft<'a>, level: &LevelRow, slow: bool) -> Option<()> {
        let words = &self.recipe.words;
        let waits = slow && self.dice.per_mille(self.recipe.slow_by_waiting);
        let total = match (slow, self.dice.per_mille(450)) {
            (true, true) => level.threshold * self.dice.between(1015, 1110) / 1000,
            (true, false) => level.threshold * self.dice.between(1110, 2100) / 1000,
            _ => level.threshold * self.dice.between(60, 930) / 1000,
        };
        let first = self.first_step(total, waits);
        self.work(draft, first)?;
        if self.recipe.raised_from.is_some() {
            draft.priority = self.recipe.priority.map(str::to_owned);
        }
        self.emit(draft, words.start, false);
        if !slow && self.dice.per_mille(6) {
            return Some(()); // forgotten: it stays open
        }
        let before = level.starts == crate::world::Start::Assigned;
        let mut left = (total - if before { 0 } else { first }).max(4);
        if waits && !words.wait.is_empty() {
            let worked = (left / 6).max(1);
            self.work(draft, worked)?;
            self.emit(draft, words.wait, false);
            let waited = (left / 2).max(1);
            self.work(draft, waited)?;
            self.emit(draft, words.resume, false);
            left -= worked + waited;
        }
        if !words.pause.is_empty() && self.dice.per_mille(self.recipe.pauses) {
            let worked = (left * self.dice.between(150, 500) / 1000).max(1);
            self.work(draft, worked)?;
            self.emit(draft, words.pause, false);
            draft.at += self.dice.between(90, 3 * 1440);
            draft.at = self.in_client_hours(draft.at)?;
            self.emit(draft, words.resume, false);
            left -= worked;
        }
        if self.dice.per_mille(self.recipe.passes) {
            let worked = (left * self.dice.between(150, 600) / 1000).max(1);
            self.work(draft, worked)?;
            draft.post = self.next_post(draft.at, draft.post)?;
            self.emit(draft, words.pass, false);
            left -= worked;
        }
        self.work(draft, left.max(1))?;
        let done = self.dice.weighted(&[850, 150]).min(words.done.len().saturating_sub(1));
        self.emit(draft, words.done.get(done)?, false);
        if self.dice.per_mille(self.recipe.reopens) {
            draft.at += self.dice.between(40, 500);
            self.emit(draft, words.start, false);
            self.work(draft, (level.threshold / 20).max(2))?;
            self.emit(draft, words.done.first()?, false);
        }
        if !words.close.is_empty() {
            draft.at += self.dice.between(2 * 1440, 5 * 1440);
            self.emit(draft, words.close, false);
        }
        Some(())
    }

    /// An instant, or the next in which somebody at the client can have answered.
    fn in_client_hours(&mut self, at: Minute) -> Option<Minute> {
        let hour = i64::from(civil_at(at, &self.client).ok()?.hour());
        let shift = match hour {
            0..8 => (8 - hour) * 60,
            18.. => (32 - hour) * 60,
            _ => return Some(at),
        };
        Some(at + shift + self.dice.between(0, 300))
    }

    /// Working minutes until a case is taken up.
    fn first_step(&mut self, total: i64, late: bool) -> i64 {
        let pace = self.recipe.first_level.and_then(|id| {
            let mut rows = self.operation.world.levels.iter();
            rows.find(|row| row.arrangement == self.recipe.arrangement && row.id == id)
        });
        let step = match pace {
            Some(level) if self.dice.per_mille((1000 - level.target) / 2) => {
                level.threshold * self.dice.between(1020, 1700) / 1000
            }
            Some(level) => self.dice.between(2, level.threshold * 8 / 10),
            None if late => total / 3,
            None => self.dice.between(2, (total / 6).max(3)),
        };
        step.min(total / 2).max(1)
    }

    /// Works on at the draft's post, by the service level's calendar or the site's.
    fn work(&self, draft: &mut Draft<'a>, minutes: i64) -> Option<()> {
        let site = || self.operation.world.calendar_of_site(draft.post.site);
        let calendar = draft.calendar.as_deref().or_else(site)?;
        draft.at = self.almanac.after(calendar, draft.at, minutes)?;
        Some(())
    }

    fn emit(&mut self, draft: &mut Draft<'a>, word: &str, new: bool) {
        let named = !new || self.recipe.assigned_when_new;
        let person =
            (!new).then(|| format!("{}-{:03}", draft.post.people, self.dice.between(1, 24)));
        draft.events.push(Event {
            case: String::new(),
            at: draft.at,
            step: i64::try_from(draft.events.len()).unwrap_or(0),
            id: None,
            opened: draft.opened,
            activity: word.to_owned(),
            state: word.to_owned(),
            person,
            team: draft.post.team.filter(|_| named).map(str::to_owned),
            site: draft.post.names_site.then(|| draft.post.site.to_owned()),
            priority: draft.priority.clone(),
            case_type: self.recipe.case_type.map(str::to_owned),
        });
    }

    /// The team that takes a new case.
    fn first_post(&mut self, at: Minute) -> Option<&'a Post> {
        if self.recipe.sun {
            return self.opens_next(at, None);
        }
        self.recipe.posts.first()
    }

    /// The team that takes a case over: mostly the one that opens next.
    fn next_post(&mut self, at: Minute, from: &Post) -> Option<&'a Post> {
        if self.recipe.posts.len() < 2 {
            return self.recipe.posts.first();
        }
        if self.recipe.sun && self.dice.per_mille(850) {
            return self.opens_next(at, Some(from.site));
        }
        let recipe = self.recipe;
        let others: Vec<&Post> =
            recipe.posts.iter().filter(|post| post.site != from.site).collect();
        self.dice.pick(&others).copied()
    }

    fn opens_next(&self, at: Minute, besides: Option<&str>) -> Option<&'a Post> {
        let opens = |post: &Post| {
            let calendar = self.operation.world.calendar_of_site(post.site)?;
            self.almanac.after(calendar, at, 1)
        };
        let recipe = self.recipe;
        let others = recipe.posts.iter().filter(|post| Some(post.site) != besides);
        others
            .filter_map(|post| Some((opens(post)?, post)))
            .min_by_key(|(at, _)| *at)
            .map(|(_, post)| post)
    }

    /// Whether a case keeps the plants the only thing wrong; if so it is tallied.
    fn accept(&self, case: &Case, tally: &mut Tally) -> Result<bool, SimError> {
        if !self.well_timed(case)? {
            return Ok(false);
        }
        let mut entries = Vec::new();
        for id in &self.levels {
            let agreed = Stated::default();
            let Some(entry) = self.steady(case, id, &agreed)? else { return Ok(false) };
            let Some((month, met)) = entry else { continue };
            for plan in self.plans(id) {
                let stated = plan.stated(true, true);
                if stated == agreed {
                    continue;
                }
                for stated in [plan.stated(true, false), stated] {
                    let Some(theirs) = self.steady(case, id, &stated)? else { return Ok(false) };
                    let theirs = theirs.map(|(month, _)| month);
                    if theirs != Some(month) && (theirs == Some(plan.month) || month == plan.month)
                    {
                        return Ok(false);
                    }
                }
            }
            entries.push((id.clone(), month, met));
        }
        for (id, month, met) in &entries {
            if !met && !self.may_miss(case, id, *month, tally) {
                return Ok(false);
            }
        }
        for (id, month, met) in entries {
            let cell = tally.entry((case.arrangement.clone(), id, month)).or_default();
            cell.0 += 1;
            cell.1 += i64::from(!met);
        }
        Ok(true)
    }

    fn plans(&self, level: &str) -> impl Iterator<Item = &'a crate::operation::Plan> {
        let arrangement = self.recipe.arrangement;
        let plans = self.operation.plans.iter();
        let level = level.to_owned();
        plans.filter(move |plan| plan.arrangement == arrangement && plan.level == level)
    }

    /// Whether the times of a case can be written and read back without doubt: in strict order,
    /// none on a blind day, none in the hour that comes twice.
    fn well_timed(&self, case: &Case) -> Result<bool, SimError> {
        let mut before = Minute::MIN;
        for event in &case.events {
            if event.at <= before {
                return Ok(false);
            }
            before = event.at;
            if self.blind.is_some_and(|(from, to)| (from..to).contains(&event.at)) {
                return Ok(false);
            }
            let civil = civil_at(event.at, &self.zone)?;
            if self.zone.to_ambiguous_timestamp(civil).is_ambiguous() {
                return Ok(false);
            }
        }
        Ok(!case.events.is_empty())
    }

    /// The month and outcome of a case under a level, when these stay what they are at the end of
    /// every later month; outer nothing when they do not, or when the case is done on the dot.
    fn steady(&self, case: &Case, id: &str, stated: &Stated) -> Result<Option<Entry>, SimError> {
        let mut known: Entry = None;
        let mut newest = None;
        let last = case.events.last().map_or(0, |event| event.at);
        for end in &self.ends {
            let reading = self.operation.reading(self.almanac, case, id, stated, *end)?;
            let mut past = None;
            newest = None;
            if let Some((reading, month)) = &reading {
                if reading.worked == reading.threshold && reading.closed.is_some() {
                    return Ok(None);
                }
                newest = month.and_then(|month| Some((month, reading.verdict.met()?)));
                if let Some((month, _)) = newest
                    && Operation::month_end(month, &self.zone)? <= *end
                {
                    past = newest;
                }
            }
            let late = known.is_none() && !self.first_time(past, *end)?;
            if late || (known.is_some() && known != past) {
                return Ok(None);
            }
            known = past;
            let closed = reading.is_some_and(|(reading, _)| reading.closed.is_some());
            if past.is_some() && closed && last < *end {
                break;
            }
        }
        Ok(Some(newest))
    }

    /// Whether a month that shows up at `end` could not have shown up earlier.
    fn first_time(&self, past: Entry, end: Minute) -> Result<bool, SimError> {
        let Some((month, _)) = past else { return Ok(true) };
        let month_end = Operation::month_end(month, &self.zone)?;
        let earlier = self.ends.iter().filter(|other| **other < end);
        Ok(!earlier.into_iter().any(|other| *other >= month_end))
    }

    /// Whether one more miss leaves the level above its target.
    fn may_miss(&self, case: &Case, id: &str, month: Date, tally: &Tally) -> bool {
        if !self.operation.months.contains(&month) {
            return true;
        }
        let planted = self.operation.missed.iter().any(|(arrangement, level, planted)| {
            *arrangement == case.arrangement && *level == id && *planted == month
        });
        let key = (case.arrangement.clone(), id.to_owned(), month);
        let (counted, missed) = tally.get(&key).copied().unwrap_or_default();
        let mut rows = self.operation.world.levels.iter();
        let row = rows.find(|row| row.id == id && row.arrangement == case.arrangement);
        let target = row.map_or(1000, |row| row.target);
        planted || (missed + 1) * 1000 <= (counted + 1) * (1000 - target) * 8 / 10
    }
}
