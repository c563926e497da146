//! A second reckoning of the worked example, from its files alone: it reads what was handed in as a
//! stranger would and adds up whole windows instead of minutes. Shares no code with the simulation.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, date},
    tz::TimeZone,
};

/// A row by column name.
pub type Row = BTreeMap<String, String>;

/// An event as far as a clock needs it; seconds since 1970.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: i64,
    pub opened: i64,
    pub state: String,
    pub person: bool,
    pub team: String,
    pub site: String,
    pub priority: String,
    pub case_type: String,
}

/// What a case comes to under a level in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub met: bool,
    pub worked_minutes: i64,
    pub due: i64,
}

/// Rows of delimited text, quotes resolved; rows of another width are left out.
pub fn rows(text: &str, delimiter: char) -> Vec<Row> {
    let mut table: Vec<Vec<String>> = vec![vec![String::new()]];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let row = table.last_mut().unwrap();
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            '\n' if !quoted => table.push(vec![String::new()]),
            _ if letter == delimiter && !quoted => row.push(String::new()),
            _ => row.last_mut().unwrap().push(letter),
        }
    }
    let header = table.remove(0);
    let full = table.into_iter().filter(|row| row.len() == header.len());
    full.map(|row| header.iter().cloned().zip(row).collect()).collect()
}

/// Open spans of every calendar, in seconds, from whole windows.
pub struct Hours {
    spans: BTreeMap<String, Vec<(i64, i64)>>,
}

impl Hours {
    pub fn read(calendars: &[Row], holidays: &[Row]) -> Self {
        let mut spans = BTreeMap::new();
        for calendar in calendars {
            let zone = TimeZone::get(&calendar["time_zone"]).unwrap();
            let places: Vec<&str> = calendar["holiday_places"].split('|').collect();
            let kinds: Vec<&str> = calendar["holiday_kinds"].split('|').collect();
            let mut own = Vec::new();
            let mut day = date(2026, 7, 20);
            while day < date(2026, 12, 28) {
                let off = holidays.iter().filter(|row| {
                    row["on_date"] == day.to_string() && places.contains(&row["place"].as_str())
                });
                let stops: Vec<&Row> = off
                    .filter(|row| {
                        row["kind"] == "override" || kinds.contains(&row["kind"].as_str())
                    })
                    .collect();
                let weekday = day.strftime("%A").to_string().to_lowercase();
                let windows = stops.first().map_or(&calendar[&weekday], |row| &row["windows"]);
                own.extend(
                    windows.split_whitespace().filter_map(|window| span(day, window, &zone)),
                );
                day = day.tomorrow().unwrap();
            }
            spans.insert(calendar["calendar_id"].clone(), own);
        }
        Self { spans }
    }

    /// Seconds worked in `[from, to)`.
    fn worked(&self, calendar: &str, from: i64, to: i64) -> i64 {
        self.spans[calendar]
            .iter()
            .map(|(opens, closes)| (to.min(*closes) - from.max(*opens)).max(0))
            .sum()
    }

    /// When so many seconds after `from` are worked.
    fn after(&self, calendar: &str, from: i64, mut seconds: i64) -> i64 {
        for (opens, closes) in &self.spans[calendar] {
            let start = from.max(*opens);
            if start < *closes {
                if closes - start >= seconds {
                    return start + seconds;
                }
                seconds -= closes - start;
            }
        }
        panic!("the calendar `{calendar}` ends too early")
    }
}

fn span(day: Date, window: &str, zone: &TimeZone) -> Option<(i64, i64)> {
    let (opens, closes) = window.split_once('-')?;
    let at = |day: Date, text: &str| {
        let (day, text) =
            if text == "24:00" { (day.tomorrow().ok()?, "00:00") } else { (day, text) };
        let time = format!("{day}T{text}:00").parse::<DateTime>().ok()?;
        Some(time.to_zoned(zone.clone()).ok()?.timestamp().as_second())
    };
    let last = if closes <= opens { day.tomorrow().ok()? } else { day };
    Some((at(day, opens)?, at(last, closes)?))
}

/// The example's files, read.
pub struct Example {
    registers: BTreeMap<String, Vec<Row>>,
    pub cases: BTreeMap<(String, String), Vec<Event>>,
    hours: Hours,
}

impl Example {
    pub fn read(files: &BTreeMap<&str, &[u8]>) -> Self {
        let mut registers = BTreeMap::new();
        for (path, bytes) in files {
            if let Some(name) = path.strip_prefix("registers/") {
                registers.insert(
                    name.trim_end_matches(".csv").to_owned(),
                    rows(std::str::from_utf8(bytes).unwrap(), ','),
                );
            }
        }
        let hours = Hours::read(&registers["calendar"], &registers["holiday"]);
        let mut cases: BTreeMap<(String, String), Vec<Event>> = BTreeMap::new();
        for ((arrangement, case, _), event) in events(files) {
            cases.entry((arrangement, case)).or_default().push(event);
        }
        for events in cases.values_mut() {
            events.sort_by_key(|event| event.at);
        }
        Self { registers, cases, hours }
    }

    /// Every case that counts in a month of a level, with what it comes to; excluded ones apart.
    pub fn month(
        &self,
        arrangement: &str,
        level: &str,
        month: Date,
    ) -> (BTreeMap<String, Found>, BTreeSet<String>) {
        let row = self.registers["arrangement"]
            .iter()
            .find(|row| row["arrangement_id"] == arrangement)
            .unwrap();
        let zone = TimeZone::get(&row["time_zone"]).unwrap();
        let midnight = |day: Date| day.to_zoned(zone.clone()).unwrap().timestamp().as_second();
        let (from, to) = (midnight(month), midnight(month.checked_add(1.month()).unwrap()));
        let last = self.registers["service_level"]
            .iter()
            .filter(|row| row["arrangement_id"] == arrangement && row["service_level_id"] == level)
            .find_map(|row| row["exclusion_deadline_days"].parse::<i64>().ok())
            .map(|days| {
                let after = month.checked_add(1.month()).unwrap();
                midnight(after.checked_add(days.days()).unwrap())
            });
        let in_time = |row: &Row| {
            let asked = row["requested_at"].parse::<jiff::Timestamp>().unwrap().as_second();
            last.is_none_or(|last| asked < last)
        };
        let out: BTreeSet<&str> = self
            .registers
            .get("exclusion")
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter(|row| {
                row["arrangement_id"] == arrangement
                    && row["service_level_id"] == level
                    && row["decision"] == "accepted"
                    && !row["source"].is_empty()
                    && in_time(row)
            })
            .map(|row| row["case_id"].as_str())
            .collect();
        let (mut counted, mut excluded) = (BTreeMap::new(), BTreeSet::new());
        for ((_, case), events) in self.cases.iter().filter(|((id, _), _)| id == arrangement) {
            let Some((found, at)) = self.clock(row, level, events, to, &zone) else { continue };
            if at.is_some_and(|at| from <= at && at < to) {
                if out.contains(case.as_str()) {
                    excluded.insert(case.clone());
                } else {
                    counted.insert(case.clone(), found);
                }
            }
        }
        (counted, excluded)
    }

    fn calendar(&self, arrangement: &Row, level: &Row, event: &Event) -> String {
        if !level["calendar_id"].is_empty() {
            return level["calendar_id"].clone();
        }
        let of_team = self.registers["team"].iter().find(|row| {
            row["arrangement_id"] == arrangement["arrangement_id"] && row["team_id"] == event.team
        });
        let site = match (event.site.is_empty(), of_team) {
            (false, _) => &event.site,
            (true, Some(team)) => &team["site_id"],
            (true, None) => &arrangement["default_site_id"],
        };
        let row = self.registers["site"].iter().find(|row| row["site_id"] == *site).unwrap();
        row["calendar_id"].clone()
    }

    /// What a case comes to, and the instant that puts it into a month. None while it is undecided
    /// or when the level is not for it.
    fn clock(
        &self,
        arrangement: &Row,
        level: &str,
        all: &[Event],
        as_of: i64,
        zone: &TimeZone,
    ) -> Option<(Found, Option<i64>)> {
        let events: Vec<&Event> = all.iter().filter(|event| event.at < as_of).collect();
        let first = events.first()?;
        let start_of = |row: &Row| match row["clock_starts"].as_str() {
            "assigned" => events
                .iter()
                .find(|event| event.person || !event.team.is_empty())
                .map(|event| event.at),
            "first-event" => Some(first.at),
            _ => Some(first.opened),
        };
        let versions = self.registers["service_level"].iter().filter(|row| {
            row["arrangement_id"] == arrangement["arrangement_id"]
                && row["service_level_id"] == level
        });
        let holds = |row: &&Row| {
            let day = start_of(row)
                .map(|at| zone.to_datetime(Timestamp::from_second(at).unwrap()).date());
            day.is_some_and(|day| row["valid_from"] <= day.to_string())
        };
        let row = versions.filter(holds).max_by_key(|row| row["valid_from"].clone())?;
        let within = |list: &str, value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.split('|').any(|item| item == value))
        };
        let last = |of: fn(&Event) -> &String| {
            events.iter().rev().map(|event| of(event).as_str()).find(|value| !value.is_empty())
        };
        if !within(&row["priorities"], last(|event| &event.priority))
            || !within(&row["case_types"], last(|event| &event.case_type))
        {
            return None;
        }
        let start = start_of(row)?;
        let threshold = row["threshold"].trim_end_matches('h').parse::<i64>().unwrap() * 3600;
        let state_in = |list: &str, state: &str| list.split('|').any(|item| item == state);
        let (mut worked, mut due, mut done) = (0, None, None);
        let mut calendar = String::new();
        for (place, event) in events.iter().enumerate() {
            calendar = self.calendar(arrangement, row, event);
            if state_in(&row["stop_states"], &event.state) {
                done = done.or(Some(event.at.max(start)));
                if row["metric"] == "first-response" {
                    break;
                }
                continue;
            }
            done = None;
            let (from, to) =
                (event.at.max(start), events.get(place + 1).map_or(as_of, |next| next.at));
            if state_in(&row["paused_states"], &event.state) || from >= to {
                continue;
            }
            let span = self.hours.worked(&calendar, from, to);
            if due.is_none() && worked + span >= threshold {
                due = Some(self.hours.after(&calendar, from, threshold - worked));
            }
            worked += span;
        }
        let due = due.unwrap_or_else(|| {
            self.hours.after(&calendar, done.unwrap_or(as_of).max(start), threshold - worked)
        });
        if row["metric"] == "backlog-age" {
            let found = Found { met: due >= as_of, worked_minutes: worked / 60, due };
            return done.is_none().then_some((found, Some(as_of - 1)));
        }
        let met = match done {
            Some(_) => worked <= threshold,
            None if due < as_of => false,
            None => return None,
        };
        let at = if row["counts_in"] == "closed" { done } else { Some(due) };
        Some((Found { met, worked_minutes: worked / 60, due }, at))
    }
}

type Key = (String, String, String);

/// Every event that can be read, once; the last file's word stands.
fn events(files: &BTreeMap<&str, &[u8]>) -> BTreeMap<Key, Event> {
    let mut found = BTreeMap::new();
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("work/")) {
        match path {
            path if path.starts_with("work/payroll") || path.starts_with("work/log") => {
                vocabulary(bytes, &mut found)
            }
            path if path.starts_with("work/claims") => claims(bytes, &mut found),
            path if path.starts_with("work/accounts") => accounts(bytes, &mut found),
            _ => desk(bytes, &mut found),
        }
    }
    found
}

fn instant(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// A wall-clock time, when it is one and comes only once.
fn wall(text: &str, layout: &str, zone: &str) -> Option<i64> {
    let civil = DateTime::strptime(layout, text).ok()?;
    let found = TimeZone::get(zone).unwrap().to_ambiguous_timestamp(civil);
    if found.is_ambiguous() { None } else { Some(found.unambiguous().ok()?.as_second()) }
}

fn vocabulary(bytes: &[u8], found: &mut BTreeMap<Key, Event>) {
    for row in rows(std::str::from_utf8(bytes).unwrap(), ',') {
        let get = |name: &str| row.get(name).cloned().unwrap_or_default();
        let at = instant(&row["occurred_at"]);
        let key = (get("arrangement_id"), get("case_id"), format!("{at} {}", get("activity")));
        let opened = row.get("opened_at").map_or(at, |text| instant(text));
        let event = Event {
            at,
            opened,
            state: get("state"),
            person: !get("person_id").is_empty(),
            team: get("team_id"),
            site: get("site_id"),
            priority: String::new(),
            case_type: get("case_type"),
        };
        found.insert(key, event);
    }
}

fn accounts(bytes: &[u8], found: &mut BTreeMap<Key, Event>) {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    for row in rows(&text, ';') {
        let at = |name: &str| wall(&row[name], "%d.%m.%Y %H:%M", "Europe/Warsaw").unwrap();
        let key = ("accounts-payable".to_owned(), row["Document"].clone(), row["Log no"].clone());
        let event = Event {
            at: at("Changed"),
            opened: at("Entered"),
            state: row["Step"].clone(),
            person: !row["Clerk"].is_empty(),
            team: String::new(),
            site: String::new(),
            priority: String::new(),
            case_type: row["Kind"].to_lowercase(),
        };
        found.insert(key, event);
    }
}

fn desk(bytes: &[u8], found: &mut BTreeMap<Key, Event>) {
    let known = |text: &str| if text == "?" { String::new() } else { text.to_owned() };
    for row in rows(std::str::from_utf8(bytes).unwrap(), ',') {
        let at = |name: &str| wall(&row[name], "%d/%m/%Y %H:%M", "Europe/Dublin");
        let (Some(updated), Some(opened)) = (at("sys_updated_at"), at("opened_at")) else {
            continue;
        };
        if row["number"] == "?" {
            continue;
        }
        let key = ("service-desk".to_owned(), row["number"].clone(), row["sys_mod_count"].clone());
        let event = Event {
            at: updated,
            opened,
            state: row["incident_state"].clone(),
            person: row["sys_updated_by"] != "?",
            team: known(&row["assignment_group"]),
            site: String::new(),
            priority: known(&row["priority"]),
            case_type: String::new(),
        };
        found.insert(key, event);
    }
}

fn claims(bytes: &[u8], found: &mut BTreeMap<Key, Event>) {
    let mut xml = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut xml).unwrap();
    for trace in xml.split("<trace>").skip(1) {
        let (head, events) = trace.split_once("<event>").unwrap();
        let case = attribute(head, "concept:name").unwrap();
        for event in events.split("<event>") {
            let time = attribute(event, "time:timestamp");
            let Some(at) = time.and_then(|time| time.parse::<Timestamp>().ok()) else { continue };
            let activity = attribute(event, "concept:name").unwrap();
            let at = at.as_second();
            let read = Event {
                at,
                opened: i64::MAX,
                state: activity.clone(),
                person: attribute(event, "org:resource").is_some(),
                team: attribute(event, "org:group").unwrap_or_default(),
                site: String::new(),
                priority: String::new(),
                case_type: String::new(),
            };
            found.insert(("claims".to_owned(), case.clone(), format!("{at} {activity}")), read);
        }
    }
    // The log does not say when a claim was opened: at its first event, then.
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for ((arrangement, case, _), event) in found.iter() {
        if arrangement == "claims" {
            let known = first.entry(case.clone()).or_insert(event.at);
            *known = event.at.min(*known);
        }
    }
    for ((arrangement, case, _), event) in found.iter_mut() {
        if arrangement == "claims" {
            event.opened = first[case];
        }
    }
}

fn attribute(xml: &str, key: &str) -> Option<String> {
    let rest = xml.split_once(&format!("key=\"{key}\" value=\""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}
