//! Windows: the hours of one civil day, as people write them.
//!
//! Owns their text and their check; it knows minutes of a day only and must never touch an instant.

use std::fmt;

use crate::error::CalendarError;

/// Minutes of a civil day.
pub(crate) const DAY_MINUTES: u16 = 1440;

/// Hours worked on one civil day, half-open, in minutes of that day's wall clock.
///
/// A window that closes at or before its opening crosses midnight and closes on the next civil day:
/// `22:00-06:00` is eight hours, `09:00-09:00` twenty-four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    opens: u16,
    closes: u16,
}

impl Window {
    /// The whole civil day, `00:00-24:00`.
    pub const WHOLE_DAY: Window = Window { opens: 0, closes: DAY_MINUTES };

    /// A window from minute `opens` (0 to 1439) to minute `closes` (0 to 1440) of a civil day.
    ///
    /// # Errors
    /// [`CalendarError::WindowSyntax`] when a minute is out of range.
    pub fn new(opens: u16, closes: u16) -> Result<Window, CalendarError> {
        let window = Window { opens, closes };
        if opens >= DAY_MINUTES {
            let reason = "it opens at 24:00 or later, which is 00:00 of the next day";
            return Err(CalendarError::WindowSyntax { text: window.to_string(), reason });
        }
        if closes > DAY_MINUTES {
            let reason = "a day has no time after 24:00";
            return Err(CalendarError::WindowSyntax { text: window.to_string(), reason });
        }
        Ok(window)
    }

    /// Minute of the day at which it opens, 0 to 1439.
    #[must_use]
    pub fn opens(self) -> u16 {
        self.opens
    }

    /// Minute of the day at which it closes, 0 to 1440; of the next day when it crosses midnight.
    #[must_use]
    pub fn closes(self) -> u16 {
        self.closes
    }

    /// Whether it closes on the civil day after the one it opens on.
    #[must_use]
    pub fn crosses_midnight(self) -> bool {
        self.closes <= self.opens
    }

    /// Its length on a day of 24 hours, in minutes, 1 to 1440.
    #[must_use]
    pub fn length_minutes(self) -> u16 {
        self.closes_counted() - self.opens
    }

    /// What its author probably did not mean, if anything. A hint changes no figure.
    #[must_use]
    pub fn hint(self) -> Option<WindowHint> {
        if self.closes == DAY_MINUTES - 1 {
            Some(WindowHint::LosesLastMinute)
        } else if self.closes == self.opens {
            Some(WindowHint::FullTurn)
        } else {
            None
        }
    }

    /// Closing minute counted from the midnight before it opens, up to 2879.
    pub(crate) fn closes_counted(self) -> u16 {
        if self.crosses_midnight() { self.closes + DAY_MINUTES } else { self.closes }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Window { opens, closes } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", opens / 60, opens % 60, closes / 60, closes % 60)
    }
}

/// A window that is accepted as it stands but looks like a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WindowHint {
    /// It closes at 23:59.
    LosesLastMinute,
    /// It closes at the minute it opens.
    FullTurn,
}

impl fmt::Display for WindowHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WindowHint::LosesLastMinute => {
                "closing at 23:59 loses the last minute of the day; write 24:00 if the day is worked to its end"
            }
            WindowHint::FullTurn => {
                "closing at the minute of opening means twenty-four hours; write `closed` if nothing is worked"
            }
        })
    }
}

/// Reads the windows of one day: `09:00-13:00 14:00-18:00`, separated by spaces or `|`.
///
/// `00:00-24:00` is the whole day, `22:00-06:00` closes on the next civil day; an empty text,
/// `closed` or `-` is a day without work. A dash may be typeset (`–`) and have spaces around it.
/// The windows come back in order of opening.
///
/// # Errors
/// [`CalendarError::WindowSyntax`] for a piece that is no window, [`CalendarError::WindowsOverlap`]
/// for two windows that share time.
pub fn parse_windows(text: &str) -> Result<Vec<Window>, CalendarError> {
    let text = text.trim();
    if text.is_empty() || text == "-" || text.eq_ignore_ascii_case("closed") {
        return Ok(Vec::new());
    }
    let mut windows =
        pieces(text).iter().map(|piece| parse_window(piece)).collect::<Result<Vec<_>, _>>()?;
    windows.sort_unstable();
    refuse_overlap(&windows, || "one day".to_owned())?;
    Ok(windows)
}

/// Writes windows so that [`parse_windows`] reads them back; `closed` when there are none.
#[must_use]
pub fn format_windows(windows: &[Window]) -> String {
    if windows.is_empty() {
        return "closed".to_owned();
    }
    windows.iter().map(Window::to_string).collect::<Vec<_>>().join(" ")
}

/// Refuses two windows of one day that share time, in whatever order they stand.
pub(crate) fn refuse_overlap(
    windows: &[Window],
    day: impl Fn() -> String,
) -> Result<(), CalendarError> {
    let mut sorted = windows.to_vec();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        if let [first, second] = *pair
            && second.opens() < first.closes_counted()
        {
            return Err(CalendarError::WindowsOverlap { day: day(), first, second });
        }
    }
    Ok(())
}

/// Cuts a list into windows; spaces around a dash do not separate.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.replace(['–', '—'], "-").split(|c: char| c == '|' || c.is_whitespace()) {
        if word.is_empty() {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if word.starts_with('-') || last.ends_with('-') => last.push_str(word),
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

fn parse_window(text: &str) -> Result<Window, CalendarError> {
    let refuse = |reason| CalendarError::WindowSyntax { text: text.to_owned(), reason };
    let (opens, closes) =
        text.split_once('-').ok_or_else(|| refuse("it has no dash between opening and closing"))?;
    let opens = parse_minute(opens).map_err(refuse)?;
    let closes = parse_minute(closes).map_err(refuse)?;
    Window::new(opens, closes).map_err(|error| match error {
        CalendarError::WindowSyntax { reason, .. } => refuse(reason),
        other => other,
    })
}

fn parse_minute(text: &str) -> Result<u16, &'static str> {
    let digits = |part: &str, least: usize| {
        let fits =
            (least..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if fits { part.parse::<u16>().ok() } else { None }
    };
    let (hour, minute) =
        text.split_once(':').ok_or("a time is an hour and a minute, as `09:00`")?;
    let hour = digits(hour, 1).ok_or("an hour is one or two digits, and a time has no seconds")?;
    let minute = digits(minute, 2).ok_or("a minute is two digits, and a time has no seconds")?;
    if minute > 59 {
        return Err("an hour has no minute after 59");
    }
    if hour > 24 || (hour == 24 && minute > 0) {
        return Err("a day has no time after 24:00");
    }
    Ok(hour * 60 + minute)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Vec<(u16, u16)> {
        parse_windows(text)
            .unwrap()
            .iter()
            .map(|window| (window.opens(), window.closes()))
            .collect()
    }

    #[test]
    fn windows_read_with_either_separator_and_come_back_in_order() {
        assert_eq!(minutes("14:00-18:00|09:00-13:00"), [(540, 780), (840, 1080)]);
        assert_eq!(minutes("  9:00 – 13:00   14:00 -18:00 "), [(540, 780), (840, 1080)]);
    }

    #[test]
    fn a_day_without_work_is_written_three_ways() {
        for text in ["", "  ", "closed", "Closed", "-"] {
            assert_eq!(minutes(text), []);
        }
        assert_eq!(format_windows(&[]), "closed");
    }

    #[test]
    fn windows_across_midnight_count_into_the_next_day() {
        let night = parse_windows("22:00-06:00").unwrap()[0];
        assert!(night.crosses_midnight());
        assert_eq!(night.length_minutes(), 480);
        assert_eq!(parse_windows("22:00-00:00").unwrap()[0].length_minutes(), 120);
        assert_eq!(parse_windows("22:00-24:00").unwrap()[0].length_minutes(), 120);
        assert_eq!(parse_windows("09:00-09:00").unwrap()[0].length_minutes(), 1440);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for text in ["00:00-24:00", "22:00-06:00", "00:00-06:30 09:05-13:00 22:00-06:00", "closed"]
        {
            assert_eq!(format_windows(&parse_windows(text).unwrap()), text);
        }
    }

    #[test]
    fn a_window_that_is_none_is_refused_with_its_text_and_reason() {
        for (text, piece, reason) in [
            ("09:00", "`09:00`", "no dash"),
            ("09:00-13:00 x", "`x`", "no dash"),
            ("9-17", "`9-17`", "an hour and a minute"),
            ("09:00-17:60", "`09:00-17:60`", "no minute after 59"),
            ("09:00-24:01", "`09:00-24:01`", "no time after 24:00"),
            ("25:00-26:00", "`25:00-26:00`", "no time after 24:00"),
            ("24:00-06:00", "`24:00-06:00`", "00:00 of the next day"),
            ("09:00:00-17:00", "`09:00:00-17:00`", "no seconds"),
            ("+9:00-17:00", "`+9:00-17:00`", "one or two digits"),
            ("09:00-13:00,14:00-18:00", "`09:00-13:00,14:00-18:00`", ""),
        ] {
            let error = parse_windows(text).unwrap_err().to_string();
            assert!(error.contains(piece) && error.contains(reason), "{text}: {error}");
        }
        assert!(Window::new(1440, 60).is_err());
        assert!(Window::new(0, 1441).is_err());
    }

    #[test]
    fn overlapping_windows_are_refused_with_both_named() {
        for text in
            ["09:00-13:00 12:00-18:00", "12:00-18:00 09:00-13:00", "22:00-06:00 23:00-24:00"]
        {
            let error = parse_windows(text).unwrap_err();
            let CalendarError::WindowsOverlap { first, second, .. } = &error else {
                panic!("{error}")
            };
            assert!(error.to_string().contains(&format!("`{first}` and `{second}`")), "{error}");
        }
        assert_eq!(minutes("09:00-13:00 13:00-18:00").len(), 2, "touching is not overlapping");
        assert_eq!(minutes("00:00-06:00 22:00-06:00").len(), 2, "the tail lies on the next day");
    }

    #[test]
    fn a_slip_gets_a_hint_and_a_good_window_none() {
        let hint = |text: &str| parse_windows(text).unwrap()[0].hint();
        assert_eq!(hint("00:00-23:59"), Some(WindowHint::LosesLastMinute));
        assert_eq!(hint("14:00-23:59"), Some(WindowHint::LosesLastMinute));
        assert!(hint("14:00-23:59").unwrap().to_string().contains("write 24:00"));
        assert_eq!(hint("09:00-09:00"), Some(WindowHint::FullTurn));
        for text in ["00:00-24:00", "09:00-17:00", "22:00-06:00", "22:00-00:00"] {
            assert_eq!(hint(text), None);
        }
    }
}
