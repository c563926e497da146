//! Recurrence rules of RFC 5545 on civil days: which days a rule gives within a window. Times of
//! day, weeks of the year and days of the year are refused, not guessed. Our own and not a crate:
//! those there are bring a second library and a second database of time zones.

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};

/// How often a rule repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    frequency: Frequency,
    interval: i64,
    count: Option<usize>,
    /// As it is written; what it means depends on the event's zone.
    pub(crate) until: Option<String>,
    months: Vec<i8>,
    month_days: Vec<i8>,
    days: Vec<(i8, Weekday)>,
    positions: Vec<i64>,
    week_start: Weekday,
}

/// A half-open span of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Date,
    pub(crate) until: Date,
}

impl Rule {
    /// Reads a rule, or says what in it is not read.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut frequency = None;
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let unreadable = || "its rule (`RRULE`) cannot be understood".to_owned();
            let (key, value) = part.split_once('=').ok_or_else(unreadable)?;
            let (key, value) = (key.trim().to_ascii_uppercase(), value.trim());
            match key.as_str() {
                "FREQ" => {
                    frequency = Some(match value.to_ascii_uppercase().as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return Err("its rule repeats within a day, which is not read".into()),
                    });
                }
                "INTERVAL" => {
                    let interval: i64 = value.parse().map_err(|_| unreadable())?;
                    rule.interval = Some(interval)
                        .filter(|n| (1..=10_000).contains(n))
                        .ok_or_else(unreadable)?;
                }
                "COUNT" => rule.count = Some(value.parse().map_err(|_| unreadable())?),
                "UNTIL" => rule.until = Some(value.to_owned()),
                "BYMONTH" => rule.months = numbers(value, 1, 12).ok_or_else(unreadable)?,
                "BYMONTHDAY" => rule.month_days = numbers(value, -31, 31).ok_or_else(unreadable)?,
                "BYDAY" => {
                    rule.days =
                        value.split(',').map(day).collect::<Option<_>>().ok_or_else(unreadable)?
                }
                "BYSETPOS" => {
                    let positions = value.split(',').map(|n| n.trim().parse().ok());
                    rule.positions = positions.collect::<Option<_>>().ok_or_else(unreadable)?;
                }
                "WKST" => rule.week_start = day(value).ok_or_else(unreadable)?.1,
                other => {
                    let known = [
                        "BYWEEKNO",
                        "BYYEARDAY",
                        "BYHOUR",
                        "BYMINUTE",
                        "BYSECOND",
                        "RSCALE",
                        "SKIP",
                    ];
                    let part = known.into_iter().find(|known| *known == other);
                    return Err(part.map_or_else(unreadable, |part| {
                        format!("its rule uses `{part}`, which is not read")
                    }));
                }
            }
        }
        rule.frequency = frequency.ok_or("its rule has no `FREQ`")?;
        Ok(rule)
    }

    /// The days within the window that the rule gives from `start` on; `allowed` says whether a day
    /// still lies before the rule's own end.
    pub(crate) fn days(
        &self,
        start: Date,
        window: Window,
        allowed: impl Fn(Date) -> bool,
    ) -> Vec<Date> {
        let mut given = Vec::new();
        let mut count = 0_usize;
        for turn in 0_i64.. {
            let Some((first, candidates)) = self.period(start, turn) else { break };
            if first >= window.until {
                break;
            }
            for day in self.positioned(candidates).into_iter().filter(|day| *day >= start) {
                if self.count.is_some_and(|most| count >= most) || !allowed(day) {
                    return given;
                }
                count += 1;
                if window.from <= day && day < window.until {
                    given.push(day);
                }
            }
        }
        given
    }

    /// First day and candidates of the n-th period from that of `start`; none beyond the calendar.
    fn period(&self, start: Date, turn: i64) -> Option<(Date, Vec<Date>)> {
        let step = turn.checked_mul(self.interval)?;
        match self.frequency {
            Frequency::Daily => {
                let day = start.checked_add(step.days()).ok()?;
                let keep = self.in_months(day) && self.on_month_days(day) && self.on_weekdays(day);
                Some((day, if keep { vec![day] } else { Vec::new() }))
            }
            Frequency::Weekly => {
                let back = i64::from(start.weekday().since(self.week_start));
                let first = start.checked_add((step.checked_mul(7)? - back).days()).ok()?;
                let week = (0..7).filter_map(|n| first.checked_add(i64::from(n).days()).ok());
                let on = |day: &Date| {
                    if self.days.is_empty() {
                        day.weekday() == start.weekday()
                    } else {
                        self.on_weekdays(*day)
                    }
                };
                Some((first, week.filter(on).filter(|day| self.in_months(*day)).collect()))
            }
            Frequency::Monthly => {
                let first = start.first_of_month().checked_add(step.months()).ok()?;
                let days =
                    if self.in_months(first) { self.in_month(first, start) } else { Vec::new() };
                Some((first, days))
            }
            Frequency::Yearly => {
                let first = start.first_of_year().checked_add(step.years()).ok()?;
                Some((first, self.in_year(first, start)))
            }
        }
    }

    fn in_year(&self, first: Date, start: Date) -> Vec<Date> {
        if self.months.is_empty() && self.month_days.is_empty() && !self.days.is_empty() {
            return self.weekdays_of(first, first.last_of_year());
        }
        let months: Vec<i8> = match (self.months.as_slice(), self.month_days.is_empty()) {
            ([], true) => vec![start.month()],
            ([], false) => (1..=12).collect(),
            (months, _) => months.to_vec(),
        };
        let firsts = months.iter().filter_map(|month| Date::new(first.year(), *month, 1).ok());
        firsts.flat_map(|month| self.in_month(month, start)).collect()
    }

    fn in_month(&self, first: Date, start: Date) -> Vec<Date> {
        let days = i64::from(first.days_in_month());
        let all = (0..days).filter_map(|n| first.checked_add(n.days()).ok());
        if !self.month_days.is_empty() {
            return all.filter(|day| self.on_month_days(*day) && self.on_weekdays(*day)).collect();
        }
        if !self.days.is_empty() {
            return self.weekdays_of(first, first.last_of_month());
        }
        all.filter(|day| day.day() == start.day()).collect()
    }

    /// The weekdays of the rule within a month or a year, by their place if the rule gives one.
    fn weekdays_of(&self, first: Date, last: Date) -> Vec<Date> {
        let mut days = Vec::new();
        for (place, weekday) in &self.days {
            let ahead = i64::from(weekday.since(first.weekday()));
            let begins = first.checked_add(ahead.days()).ok();
            let steps = (0_i64..54).filter_map(|n| begins?.checked_add((7 * n).days()).ok());
            let all: Vec<Date> = steps.take_while(|day| *day <= last).collect();
            match usize::from(place.unsigned_abs()) {
                0 => days.extend(all),
                nth if *place > 0 => days.extend(all.get(nth - 1)),
                nth => days.extend(all.iter().rev().nth(nth - 1)),
            }
        }
        days
    }

    /// The candidates in order, cut to the places among them that the rule names.
    fn positioned(&self, mut days: Vec<Date>) -> Vec<Date> {
        days.sort_unstable();
        days.dedup();
        if self.positions.is_empty() {
            return days;
        }
        let length = i64::try_from(days.len()).unwrap_or(i64::MAX);
        let at = |place: &i64| {
            let index =
                if *place > 0 { place.checked_sub(1)? } else { length.checked_add(*place)? };
            days.get(usize::try_from(index).ok()?).copied()
        };
        let mut chosen: Vec<Date> = self.positions.iter().filter_map(at).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn in_months(&self, day: Date) -> bool {
        self.months.is_empty() || self.months.contains(&day.month())
    }

    fn on_month_days(&self, day: Date) -> bool {
        let from_end = day.day() - day.days_in_month() - 1;
        self.month_days.is_empty()
            || self.month_days.iter().any(|place| *place == day.day() || *place == from_end)
    }

    fn on_weekdays(&self, day: Date) -> bool {
        self.days.is_empty() || self.days.iter().any(|(_, weekday)| *weekday == day.weekday())
    }
}

fn numbers(text: &str, least: i8, most: i8) -> Option<Vec<i8>> {
    let number =
        |part: &str| part.trim().parse().ok().filter(|n| (least..=most).contains(n) && *n != 0);
    text.split(',').map(number).collect()
}

/// `MO`, `1SU`, `-1FR`.
fn day(text: &str) -> Option<(i8, Weekday)> {
    let text = text.trim();
    let (place, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let place = if place.is_empty() {
        0
    } else {
        place.parse().ok().filter(|n: &i8| (-53..=53).contains(n))?
    };
    Some((place, weekday))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn days(rule: &str, start: &str, from: &str, until: &str) -> Vec<String> {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let window = Window { from: day(from), until: day(until) };
        let given = Rule::from_text(rule).unwrap().days(day(start), window, |_| true);
        given.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn yearly_rules_give_fixed_and_moving_days() {
        assert_eq!(
            days("FREQ=YEARLY", "2000-12-25", "2025-01-01", "2027-01-01"),
            ["2025-12-25", "2026-12-25"]
        );
        // Thanksgiving in the United States, and the last Monday of May.
        assert_eq!(
            days("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "1997-11-27", "2025-01-01", "2027-01-01"),
            ["2025-11-27", "2026-11-26"]
        );
        assert_eq!(
            days("FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "1997-05-26", "2026-01-01", "2027-01-01"),
            ["2026-05-25"]
        );
        assert_eq!(
            days("FREQ=YEARLY", "2000-02-29", "2023-01-01", "2029-01-01"),
            ["2024-02-29", "2028-02-29"]
        );
        assert_eq!(
            days("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1997-01-01", "2000-01-01"),
            ["1997-05-19", "1998-05-18", "1999-05-17"]
        );
        assert_eq!(
            days(
                "FREQ=YEARLY;BYMONTH=5;BYDAY=MO;BYSETPOS=-1",
                "1997-05-26",
                "2026-01-01",
                "2027-01-01"
            ),
            ["2026-05-25"]
        );
        // A Friday that is the 13th.
        assert_eq!(
            days("FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "1998-02-13", "2026-01-01", "2027-01-01"),
            ["2026-02-13", "2026-03-13", "2026-11-13"]
        );
    }

    #[test]
    fn other_rules_count_step_and_end() {
        assert_eq!(
            days(
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
                "1997-08-05",
                "1997-01-01",
                "1998-01-01"
            ),
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]
        );
        assert_eq!(
            days(
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
                "1997-08-05",
                "1997-01-01",
                "1998-01-01"
            ),
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]
        );
        assert_eq!(
            days(
                "FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                "1997-09-30",
                "1997-01-01",
                "1998-01-01"
            ),
            ["1997-09-30", "1997-10-31", "1997-11-28"]
        );
        assert_eq!(
            days("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", "2026-01-31", "2026-01-01", "2027-01-01"),
            ["2026-01-31", "2026-02-28"]
        );
        // What lies before the window counts all the same.
        assert_eq!(
            days("FREQ=DAILY;COUNT=3", "2026-01-01", "2026-01-03", "2027-01-01"),
            ["2026-01-03"]
        );
    }

    #[test]
    fn rules_that_are_not_read_say_so_and_none_runs_for_ever() {
        for (rule, reason) in [
            ("FREQ=HOURLY", "its rule repeats within a day, which is not read"),
            ("FREQ=YEARLY;BYWEEKNO=20", "its rule uses `BYWEEKNO`, which is not read"),
            ("BYMONTH=1", "its rule has no `FREQ`"),
            ("FREQ=YEARLY;BYMONTH=13", "its rule (`RRULE`) cannot be understood"),
            ("FREQ=YEARLY;INTERVAL=0", "its rule (`RRULE`) cannot be understood"),
            ("nonsense", "its rule (`RRULE`) cannot be understood"),
        ] {
            assert_eq!(Rule::from_text(rule).unwrap_err(), reason, "{rule}");
        }
        // 30 February never comes.
        let never =
            days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2000-01-01", "0001-01-01", "9999-12-31");
        assert_eq!(never, Vec::<String>::new());
    }
}
