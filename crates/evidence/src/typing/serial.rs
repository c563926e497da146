//! Days counted by a spreadsheet: serial numbers of the 1900 and the 1904 system as civil dates and
//! times. Owns the two epochs and the day that never was; never knows a cell.

use jiff::{ToSpan as _, civil};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Last serial number of the 1900 system, 9999-12-31; the 1904 system ends 1,462 earlier.
const LAST: i64 = 2_958_465;
const BETWEEN_SYSTEMS: i64 = 1_462;

/// Days and milliseconds of the day, rounded to the milliseconds that a spreadsheet keeps.
fn parts(serial: f64) -> Option<(i64, i64)> {
    if !serial.is_finite() || !(0.0..=3_000_000.0).contains(&serial) {
        return None;
    }
    // Within bounds far below 2^53.
    let millis = (serial * 86_400_000.0).round() as i64;
    Some((millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS)))
}

/// The civil date and time that a serial number stands for; none when it stands for no day, as does
/// 60 of the 1900 system (its 29 February 1900 never was).
pub(crate) fn date_time(serial: f64, from_1904: bool) -> Option<civil::DateTime> {
    let (days, millis) = parts(serial)?;
    let first = match (from_1904, days) {
        (true, _) if days <= LAST - BETWEEN_SYSTEMS => civil::date(1904, 1, 1),
        (false, 60) => return None,
        (false, 1..=59) => civil::date(1899, 12, 31),
        (false, 61..=LAST) => civil::date(1899, 12, 30),
        _ => return None,
    };
    let date = first.checked_add(days.days()).ok()?;
    Some(date.to_datetime(time(millis)?))
}

/// The time of day of a serial number below 1.
pub(crate) fn time_of_day(serial: f64) -> Option<civil::Time> {
    let (days, millis) = parts(serial)?;
    if days == 0 { time(millis) } else { None }
}

/// Length of time: whole hours and what is left of them, in milliseconds.
pub(crate) fn elapsed(serial: f64) -> Option<(i64, i64)> {
    let (days, millis) = parts(serial)?;
    let all = days * DAY_MS + millis;
    Some((all / 3_600_000, all % 3_600_000))
}

fn time(millis: i64) -> Option<civil::Time> {
    civil::Time::midnight().checked_add(millis.milliseconds()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn serial_numbers_are_days_of_either_system() {
        let day = |serial, from_1904| {
            date_time(serial, from_1904).map(|at| at.to_string().replace("T00:00:00", ""))
        };
        for (serial, from_1904, expected) in [
            (1.0, false, Some("1900-01-01")),
            (59.0, false, Some("1900-02-28")),
            (60.0, false, None),
            (61.0, false, Some("1900-03-01")),
            (46_083.0, false, Some("2026-03-02")),
            (46_083.0 - 1_462.0, true, Some("2026-03-02")),
            (0.0, true, Some("1904-01-01")),
            (2_958_465.0, false, Some("9999-12-31")),
            (2_958_466.0, false, None),
            (-1.0, false, None),
            (f64::NAN, false, None),
            (1e300, true, None),
        ] {
            assert_eq!(day(serial, from_1904).as_deref(), expected, "{serial} {from_1904}");
        }
        let nine = date_time(46_083.0 + 9.25 / 24.0, false).unwrap();
        assert_eq!(nine.to_string(), "2026-03-02T09:15:00");
        // A float just below the next second is that second.
        assert_eq!(time_of_day(0.385_416_666_666_6).unwrap().to_string(), "09:15:00");
        assert_eq!(elapsed(1.5), Some((36, 0)));
    }
}
