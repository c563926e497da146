//! Dates and instants. An instant needs an offset, in the text or through a named zone; a local
//! time that occurs twice or never is refused unless the file says what it means. Never guesses.

use jiff::{
    civil,
    fmt::strtime::{self, BrokenDownTime},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::Fault;
use crate::{options::Fold, quarantine::code};

/// Largest offset from UTC; those in use reach 14 hours, those of history somewhat more.
const OFFSET_MAX_SECONDS: u32 = 18 * 3_600;

/// How a date or time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DateFormat {
    /// ISO 8601: `2026-03-02`, `2026-03-02T09:15:00+08:00`, a blank for the `T` allowed.
    Iso,
    /// As the directives say (`%d/%m/%Y %H:%M`).
    Directives(String),
    /// Days counted by a spreadsheet, from 1900 or from 1904.
    Serial {
        /// Which of the two.
        from_1904: bool,
    },
}

impl DateFormat {
    /// Takes a format of a mapping, or says why not.
    pub(crate) fn from_text(format: &str) -> Result<Self, String> {
        if format == "iso" {
            return Ok(Self::Iso);
        }
        let sample = civil::date(2026, 11, 23).at(13, 45, 56, 0).to_zoned(TimeZone::UTC);
        let written = sample
            .map_err(|error| error.to_string())
            .and_then(|sample| strtime::format(format, &sample).map_err(|error| error.to_string()));
        let read = written.and_then(|text| {
            Self::Directives(format.to_owned()).parse(&text).ok_or_else(|| "unreadable".to_owned())
        });
        match read {
            Ok(read) if read.date_known() => Ok(Self::Directives(format.to_owned())),
            _ => Err(format!(
                "the date format `{format}` is not understood: write it as in `%d/%m/%Y %H:%M`, or \
                 `iso`, or `excel`"
            )),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Iso => "iso",
            Self::Directives(format) => format,
            Self::Serial { .. } => "excel",
        }
    }

    /// The same form with day and month the other way round, when both are numbers in it.
    pub(crate) fn turned(&self) -> Option<Self> {
        let Self::Directives(format) = self else { return None };
        let both = format.contains("%d") && format.contains("%m");
        both.then(|| {
            let turned = format.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m");
            Self::Directives(turned)
        })
    }

    /// Reads a text, if it has this form.
    pub(crate) fn parse(&self, text: &str) -> Option<Written> {
        match self {
            Self::Iso => parse_iso(text.as_bytes()),
            Self::Serial { from_1904 } => {
                let at = super::serial::date_time(text.parse().ok()?, *from_1904)?;
                Some(Written { date: at.date(), time: Some(at.time()), offset: None })
            }
            Self::Directives(format) => {
                let mut parts = BrokenDownTime::parse(format, text).ok()?;
                if parts.day().is_none() {
                    parts.set_day(Some(1)).ok()?;
                }
                let date = parts.to_date().ok()?;
                // A two-digit year under a four-digit directive is a wrong format, not antiquity.
                if date.year() < 1_000 {
                    return None;
                }
                let time = match parts.hour() {
                    Some(_) => Some(parts.to_time().ok()?),
                    None => None,
                };
                Some(Written { date, time, offset: parts.offset() })
            }
        }
    }
}

/// A date or time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) date: civil::Date,
    pub(crate) time: Option<civil::Time>,
    pub(crate) offset: Option<Offset>,
}

impl Written {
    fn date_known(&self) -> bool {
        self.date.year() == 2026
    }
}

/// Zone of times without offset.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    zone: TimeZone,
    fold: Fold,
}

impl Zone {
    /// The zone of that IANA name, from the data compiled in.
    pub(crate) fn named(name: &str, fold: Fold) -> Result<Self, String> {
        let unknown =
            || format!("`{name}` is not a time zone: write an IANA name, as in Europe/Dublin");
        // A fixed abbreviation or the machine's own zone is no evidence.
        if !name.contains('/') && name != "UTC" {
            return Err(unknown());
        }
        TimeZone::get(name).map(|zone| Self { zone, fold }).map_err(|_| unknown())
    }
}

/// An instant: microseconds UTC, and the offset it was recorded in, in minutes.
pub(crate) fn instant(written: Written, zone: Option<&Zone>) -> Result<(i64, i16), Fault> {
    let bad = |reason: &str| Fault::new(code::BAD_DATE, reason);
    let Some(time) = written.time else {
        return Err(bad("a date without time: an instant is expected"));
    };
    let local = written.date.to_datetime(time);
    let offset = match (written.offset, zone) {
        (Some(offset), _) => offset,
        (None, Some(zone)) => resolve(local, zone)?,
        (None, None) => {
            return Err(Fault::new(
                code::NO_OFFSET,
                "the time has no offset: write one, as in 2026-03-02T09:15:00+08:00, or name the \
                 zone with --zone",
            ));
        }
    };
    if offset.seconds().unsigned_abs() > OFFSET_MAX_SECONDS {
        return Err(bad("no place has an offset from UTC of more than 18 hours"));
    }
    let instant = offset.to_timestamp(local).map_err(|_| {
        bad("the instant is later than 9999-12-30T22:00Z: if it stands for no end, leave it empty")
    })?;
    let minutes = i16::try_from(offset.seconds().div_euclid(60)).unwrap_or(0);
    Ok((instant.as_microsecond(), minutes))
}

fn resolve(local: civil::DateTime, zone: &Zone) -> Result<Offset, Fault> {
    match zone.zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Ok(offset),
        AmbiguousOffset::Gap { .. } => Err(Fault::new(
            code::SKIPPED_TIME,
            "the local time does not exist: clocks went forward over it",
        )),
        AmbiguousOffset::Fold { before, after } => match zone.fold {
            Fold::Earlier => Ok(before),
            Fold::Later => Ok(after),
            Fold::Refuse => Err(Fault::new(
                code::AMBIGUOUS_TIME,
                "the local time occurs twice, because clocks went back: write an offset, or say \
                 which is meant with `fold`",
            )),
        },
    }
}

/// An instant in the form that most exports write, `YYYY-MM-DDTHH:MM:SS` with a fraction or
/// without, then `Z` or `±HH:MM`; `None` leaves the text to the full rules, which also say what is
/// wrong with it. What this reads, [`DateFormat::Iso`] and [`instant`] read the same.
pub(crate) fn plain_instant(text: &str) -> Option<(i64, i16)> {
    let (head, mut rest) = text.as_bytes().split_first_chunk::<19>()?;
    let pair = |at: usize| {
        let (tens, ones) = (head.get(at)?.wrapping_sub(b'0'), head.get(at + 1)?.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
    };
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(at, mark)| head.get(*at) == Some(mark))
        || !matches!(head.get(10), Some(b'T' | b' '))
    {
        return None;
    }
    let year = pair(0)? * 100 + pair(2)?;
    let (month, day) = (pair(5)?, pair(8)?);
    let (hour, minute, second) = (pair(11)?, pair(14)?, pair(17)?);
    // Years near the ends of what an instant can be are left to the full rules.
    if !(1_000..=9_998).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = civil_days(year, month, day)?;
    let mut micros = 0;
    if let Some((b'.', digits)) = rest.split_first() {
        let places = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=6).contains(&places) {
            return None;
        }
        let (fraction, tail) = digits.split_at(places);
        micros = fraction.iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
        micros *= 10_i64.pow(u32::try_from(6 - places).ok()?);
        rest = tail;
    }
    let offset = match rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h @ .., b':', _, _] if h.len() == 2 => {
            let digit = |at: usize| {
                let value = rest.get(at)?.wrapping_sub(b'0');
                (value < 10).then_some(i64::from(value))
            };
            let minutes = digit(4)? * 10 + digit(5)?;
            let total = (digit(1)? * 10 + digit(2)?) * 60 + minutes;
            if minutes > 59 || total * 60 > i64::from(OFFSET_MAX_SECONDS) {
                return None;
            }
            if *sign == b'-' { -total } else { total }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + (hour * 60 + minute - offset) * 60 + second;
    Some((seconds * 1_000_000 + micros, i16::try_from(offset).ok()?))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, if there is one: counted in years that
/// begin in March, so that the leap day comes last.
fn civil_days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if day < 1 || day > *length || (month == 2 && day == 29 && !leap) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// A civil date as days since 1970-01-01.
pub(crate) fn day_number(date: civil::Date) -> i32 {
    let epoch = civil::date(1970, 1, 1);
    // A difference of two dates in days always fits.
    (date - epoch).get_days()
}

/// `YYYY-MM-DD`, then optionally `T` or a blank, `HH:MM[:SS[.f…]]`, then optionally `Z`, `±HH`,
/// `±HHMM` or `±HH:MM`. At most nine places of a second, of which six are kept.
fn parse_iso(text: &[u8]) -> Option<Written> {
    let mut rest = text;
    let year = i16::try_from(digits(&mut rest, 4)?).ok()?;
    take(&mut rest, b"-")?;
    let month = digits(&mut rest, 2)?;
    take(&mut rest, b"-")?;
    let day = digits(&mut rest, 2)?;
    let date = civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    if rest.is_empty() {
        return Some(Written { date, time: None, offset: None });
    }
    take(&mut rest, b"Tt ")?;
    let hour = digits(&mut rest, 2)?;
    take(&mut rest, b":")?;
    let minute = digits(&mut rest, 2)?;
    let second = if take(&mut rest, b":").is_some() { digits(&mut rest, 2)? } else { 0 };
    let mut nanos = 0;
    if take(&mut rest, b".,").is_some() {
        let places = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&places) {
            return None;
        }
        nanos = digits(&mut rest, places)? * 10_u32.pow(u32::try_from(9 - places).ok()?);
    }
    let small = |value: u32| i8::try_from(value).ok();
    let nanos = i32::try_from(nanos / 1_000 * 1_000).ok()?;
    let time = civil::Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok()?;
    let offset = match rest.split_first() {
        None => None,
        Some((b'Z' | b'z', tail)) => {
            rest = tail;
            Some(Offset::UTC)
        }
        Some((sign @ (b'+' | b'-'), tail)) => {
            rest = tail;
            let hours = digits(&mut rest, 2)?;
            let _ = take(&mut rest, b":");
            let minutes = if rest.is_empty() { 0 } else { digits(&mut rest, 2)? };
            if minutes > 59 {
                return None;
            }
            let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
            Some(Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?)
        }
        Some(_) => return None,
    };
    rest.is_empty().then_some(Written { date, time: Some(time), offset })
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(count)?;
    let mut value = 0;
    for byte in head {
        value = value * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    *rest = tail;
    Some(value)
}

fn take(rest: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    allowed.contains(first).then(|| {
        *rest = tail;
        *first
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn iso(text: &str) -> Option<(i64, i16)> {
        DateFormat::Iso.parse(text).and_then(|written| instant(written, None).ok())
    }

    #[test]
    fn iso_instants_keep_their_offset() {
        let base = 1_772_414_100_000_000; // 2026-03-02T01:15:00Z
        assert_eq!(iso("2026-03-02T09:15:00+08:00"), Some((base, 480)));
        assert_eq!(iso("2026-03-02 01:15Z"), Some((base, 0)));
        assert_eq!(iso("2026-03-02t01:15:00.123456789z"), Some((base + 123_456, 0)));
        assert_eq!(iso("2026-03-01T19:45:00-0530"), Some((base, -330)));
        assert_eq!(iso("2026-03-02T03:15:00,5+02"), Some((base + 500_000, 120)));
        for text in [
            "2026-02-30T00:00Z",
            "2026-3-2T00:00Z",
            "2026-03-02T24:00Z",
            "2026-03-02T23:60Z",
            "2026-03-02T00:00:60Z",
            "2026-03-02T00:00+5",
            "2026-03-02T00:00Z ",
            "20260302T0000Z",
            "2026-03-02T00:00:00.Z",
            "02/03/2026",
            "",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn the_short_way_reads_an_instant_as_the_full_rules_do() {
        let mut texts: Vec<String> = Vec::new();
        let days =
            ["01-01", "02-28", "02-29", "02-30", "03-01", "04-31", "12-31", "13-01", "00-10"];
        for year in ["0999", "1000", "1582", "1899", "1900", "1970", "2000", "2024", "2100", "9999"]
        {
            for day in days {
                for time in
                    ["00:00:00", "23:59:59.5", "24:00:00", "12:60:00", "07:08:60", "1:00:00"]
                {
                    for zone in ["Z", "+08:00", "-05:30", "+18:00", "+18:01", "+0800", "", "+05:60"]
                    {
                        texts.push(format!("{year}-{day}T{time}{zone}"));
                    }
                }
            }
        }
        texts.push("2026-03-02 09:15:00.123456Z".to_owned());
        texts.push("2026-03-02T09:15:00.1234567Z".to_owned());
        texts.push("2026-03-02T09:15:00Z\u{e9}".to_owned());
        let mut read = 0;
        for text in texts {
            let short = plain_instant(&text);
            if short.is_some() {
                read += 1;
                assert_eq!(short, iso(&text), "{text}");
            }
        }
        assert!(read > 250, "only {read} of the texts took the short way");
        assert_eq!(plain_instant("2026-03-02T09:15:00+08:00"), iso("2026-03-02T09:15:00+08:00"));
    }

    #[test]
    fn a_time_without_offset_needs_a_zone() {
        let written = DateFormat::Iso.parse("2026-03-02T09:15:00").unwrap();
        assert_eq!(instant(written, None).unwrap_err().code, code::NO_OFFSET);
        let manila = Zone::named("Asia/Manila", Fold::Refuse).unwrap();
        assert_eq!(instant(written, Some(&manila)), Ok((1_772_414_100_000_000, 480)));
        let day = DateFormat::Iso.parse("2026-03-02").unwrap();
        assert_eq!(instant(day, Some(&manila)).unwrap_err().code, code::BAD_DATE);
    }

    #[test]
    fn twofold_and_skipped_local_times_are_refused_or_resolved_by_rule() {
        let at = |text: &str, fold| {
            let zone = Zone::named("Europe/Dublin", fold).unwrap();
            instant(DateFormat::Iso.parse(text).unwrap(), Some(&zone))
        };
        let twice = "2026-10-25T01:30:00";
        assert_eq!(at(twice, Fold::Refuse).unwrap_err().code, code::AMBIGUOUS_TIME);
        let (earlier, first) = at(twice, Fold::Earlier).unwrap();
        let (later, second) = at(twice, Fold::Later).unwrap();
        assert_eq!((later - earlier, first, second), (3_600_000_000, 60, 0));
        for fold in [Fold::Refuse, Fold::Earlier, Fold::Later] {
            assert_eq!(at("2026-03-29T01:30:00", fold).unwrap_err().code, code::SKIPPED_TIME);
        }
    }

    #[test]
    fn directive_formats_are_strict_about_years_and_complete() {
        let format = DateFormat::from_text("%d/%m/%Y %H:%M").unwrap();
        let written = format.parse("29/2/2016 01:16").unwrap();
        assert_eq!(written.date, civil::date(2016, 2, 29));
        assert_eq!(written.time, Some(civil::time(1, 16, 0, 0)));
        assert_eq!(format.parse("29/2/16 01:16"), None);
        assert_eq!(format.parse("29/2/2016 01:16 x"), None);
        assert_eq!(format.parse("30/2/2016 01:16"), None);
        let fraction = DateFormat::from_text("%Y/%m/%d %H:%M:%S%.f").unwrap();
        assert_eq!(
            fraction.parse("2012/01/30 06:24:00.000").unwrap().time,
            Some(civil::time(6, 24, 0, 0))
        );
        let month = DateFormat::from_text("%b %Y").unwrap();
        assert_eq!(month.parse("Mar 2026").unwrap().date, civil::date(2026, 3, 1));
        assert!(DateFormat::from_text("%H:%M").is_err());
        assert!(DateFormat::from_text("dd/mm/yyyy").is_err());
    }

    #[test]
    fn zones_are_iana_names() {
        assert!(Zone::named("UTC", Fold::Refuse).is_ok());
        for name in ["CET", "local", "Dublin", "Europe/Atlantis", ""] {
            assert!(Zone::named(name, Fold::Refuse).is_err(), "{name}");
        }
    }
}
