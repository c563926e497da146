//! Meetings as an iCalendar file (RFC 5545) that any calendar reads: times in a named zone, with the
//! zone's own rules written out for as long as the meetings last.
//!
//! Owns the text of the file. It must never write a time without its zone, nor a zone that the file
//! does not explain.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// One meeting, microseconds since the epoch UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointment {
    /// Start.
    pub start_us: i64,
    /// End.
    pub end_us: i64,
}

/// Longest line in octets (RFC 5545 3.1).
const LINE_MAX: usize = 75;
const DAY_US: i64 = 86_400_000_000;

/// The meetings as a calendar in the zone. `stamp_us` is the instant at which the file is made; the
/// same arguments give the same bytes. None when the zone is not an IANA zone or a time is out of range.
#[must_use]
pub fn icalendar(
    title: &str,
    note: &str,
    zone: &str,
    meetings: &[Appointment],
    stamp_us: i64,
) -> Option<String> {
    let tz = TimeZone::get(zone).ok()?;
    let mut file = Lines::default();
    file.add("BEGIN:VCALENDAR");
    file.add("VERSION:2.0");
    file.add("PRODID:-//Backstay//meet//EN");
    zone_rules(&mut file, zone, &tz, meetings)?;
    for (number, meeting) in meetings.iter().enumerate() {
        let local = |at_us: i64| {
            let at = Timestamp::from_microsecond(at_us).ok()?;
            Some(tz.to_datetime(at).strftime("%Y%m%dT%H%M%S").to_string())
        };
        file.add("BEGIN:VEVENT");
        file.add(&format!("UID:{}-{}-{number}@backstay", meeting.start_us, meeting.end_us));
        let stamp = Timestamp::from_microsecond(stamp_us).ok()?;
        file.add(&format!("DTSTAMP:{}", stamp.strftime("%Y%m%dT%H%M%SZ")));
        file.add(&format!("DTSTART;TZID={zone}:{}", local(meeting.start_us)?));
        file.add(&format!("DTEND;TZID={zone}:{}", local(meeting.end_us)?));
        file.add(&format!("SUMMARY:{}", escaped(title)));
        if !note.is_empty() {
            file.add(&format!("DESCRIPTION:{}", escaped(note)));
        }
        file.add("END:VEVENT");
    }
    file.add("END:VCALENDAR");
    Some(file.text)
}

/// The offset that holds at the first meeting and every change of it until after the last.
fn zone_rules(file: &mut Lines, zone: &str, tz: &TimeZone, meetings: &[Appointment]) -> Option<()> {
    let first = meetings.iter().map(|meeting| meeting.start_us).min()?;
    let last = meetings.iter().map(|meeting| meeting.end_us).max()?;
    let begin = Timestamp::from_microsecond(first.checked_sub(DAY_US)?).ok()?;
    let end = Timestamp::from_microsecond(last.checked_add(DAY_US)?).ok()?;
    let mut offset = tz.to_offset(begin).seconds();
    file.add("BEGIN:VTIMEZONE");
    file.add(&format!("TZID:{zone}"));
    let base = tz.to_datetime(begin).checked_sub(1.day()).ok()?;
    rule(file, "STANDARD", &base.strftime("%Y%m%dT%H%M%S").to_string(), (offset, offset));
    for change in tz.following(begin).take_while(|change| change.timestamp() < end) {
        let to = change.offset().seconds();
        if to == offset {
            continue;
        }
        // The local time at which it happens is told by the clock before the change.
        let before = jiff::tz::Offset::from_seconds(offset).ok()?;
        let at = before.to_datetime(change.timestamp()).strftime("%Y%m%dT%H%M%S").to_string();
        rule(file, if to > offset { "DAYLIGHT" } else { "STANDARD" }, &at, (offset, to));
        offset = to;
    }
    file.add("END:VTIMEZONE");
    Some(())
}

fn rule(file: &mut Lines, kind: &str, at: &str, (from, to): (i32, i32)) {
    file.add(&format!("BEGIN:{kind}"));
    file.add(&format!("DTSTART:{at}"));
    file.add(&format!("TZOFFSETFROM:{}", offset_text(from)));
    file.add(&format!("TZOFFSETTO:{}", offset_text(to)));
    file.add(&format!("END:{kind}"));
}

fn offset_text(seconds: i32) -> String {
    let (sign, length) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    format!("{sign}{:02}{:02}", length / 3600, length % 3600 / 60)
}

/// Text with what RFC 5545 3.3.11 gives a meaning to made harmless.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[derive(Debug, Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Adds a line, folded where it is too long, never within a character.
    fn add(&mut self, line: &str) {
        let mut used = 0;
        for letter in line.chars() {
            if used + letter.len_utf8() > LINE_MAX {
                self.text.push_str("\r\n ");
                used = 1;
            }
            self.text.push(letter);
            used += letter.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn meeting(start: &str) -> Appointment {
        Appointment { start_us: at(start), end_us: at(start) + 3_600_000_000 }
    }

    #[test]
    fn times_stand_in_their_zone_and_the_switch_between_them_is_explained() {
        let meetings = [meeting("2026-10-20T08:30:00Z"), meeting("2026-10-27T09:30:00Z")];
        let stamp = at("2026-10-01T00:00:00Z");
        let text = icalendar("Review", "", "Europe/Dublin", &meetings, stamp).unwrap();
        assert_eq!(text.matches("DTSTART;TZID=Europe/Dublin:").count(), 2);
        assert!(text.contains("DTSTART;TZID=Europe/Dublin:20261020T093000\r\n"), "{text}");
        assert!(text.contains("DTSTART;TZID=Europe/Dublin:20261027T093000\r\n"), "{text}");
        let switch = "BEGIN:STANDARD\r\nDTSTART:20261025T020000\r\nTZOFFSETFROM:+0100\r\n\
                      TZOFFSETTO:+0000\r\nEND:STANDARD\r\n";
        assert!(text.contains(switch), "{text}");
        assert!(text.contains("DTSTAMP:20261001T000000Z\r\n"), "{text}");
        assert_eq!(icalendar("Review", "", "Dublin", &meetings, stamp), None);
    }

    #[test]
    fn long_and_odd_titles_are_folded_and_escaped() {
        let title = format!("A, B; C\\D\n{}", "é".repeat(60));
        let meetings = [meeting("2026-10-20T08:30:00Z")];
        let text = icalendar(&title, "", "Asia/Kolkata", &meetings, 0).unwrap();
        assert!(text.contains("SUMMARY:A\\, B\\; C\\\\D\\n"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= LINE_MAX), "{text}");
        assert_eq!(text.matches("BEGIN:STANDARD").count(), 1);
        assert!(text.contains("TZOFFSETTO:+0530"));
    }
}
