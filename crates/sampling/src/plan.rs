//! Code letters and single sampling plans: ISO 2859-1 tables 1 and 2-A to 2-C, in the values of
//! MIL-STD-105E tables I and II-A to II-C.
//!
//! Owns the tables, arrows resolved. The tables are regular along their diagonals, where letter and
//! limit together say how many nonconforming items are let pass; what is irregular is written out. A
//! test walks every cell. It must never judge a lot.

use std::fmt;

use crate::error::SamplingError;

/// How much is inspected in proportion to the lot (ISO 2859-1, 10.1). II unless agreed otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Special level S-1.
    S1,
    /// Special level S-2.
    S2,
    /// Special level S-3.
    S3,
    /// Special level S-4.
    S4,
    /// General level I.
    I,
    /// General level II.
    II,
    /// General level III.
    III,
}

impl Level {
    /// All, in the order of the table's columns.
    pub const ALL: [Self; 7] =
        [Self::S1, Self::S2, Self::S3, Self::S4, Self::I, Self::II, Self::III];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::S1 => "S-1",
            Self::S2 => "S-2",
            Self::S3 => "S-3",
            Self::S4 => "S-4",
            Self::I => "I",
            Self::II => "II",
            Self::III => "III",
        }
    }

    /// From the word.
    ///
    /// # Errors
    /// [`SamplingError::Level`].
    pub fn parse(word: &str) -> Result<Self, SamplingError> {
        let found = Self::ALL.into_iter().find(|level| level.word() == word);
        found.ok_or_else(|| SamplingError::Level(word.to_owned()))
    }
}

/// How strictly lots are inspected for the time being (ISO 2859-1, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Where inspection begins.
    Normal,
    /// After lots were refused.
    Tightened,
    /// After a long run of good lots.
    Reduced,
}

impl Severity {
    /// All.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Tightened, Self::Reduced];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Tightened => "tightened",
            Self::Reduced => "reduced",
        }
    }

    /// From the word.
    ///
    /// # Errors
    /// [`SamplingError::Severity`].
    pub fn parse(word: &str) -> Result<Self, SamplingError> {
        let found = Self::ALL.into_iter().find(|severity| severity.word() == word);
        found.ok_or_else(|| SamplingError::Severity(word.to_owned()))
    }
}

/// The preferred limits, per cent nonconforming items; above 10 only nonconformities per hundred.
pub const AQLS: [&str; 26] = [
    "0.010", "0.015", "0.025", "0.040", "0.065", "0.10", "0.15", "0.25", "0.40", "0.65", "1.0",
    "1.5", "2.5", "4.0", "6.5", "10", "15", "25", "40", "65", "100", "150", "250", "400", "650",
    "1000",
];

/// An acceptance quality limit: the worst average that is still satisfactory. One of [`AQLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aql(usize);

impl Aql {
    /// All, strictest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..AQLS.len()).map(Self)
    }

    /// From a decimal text; trailing zeros do not matter.
    ///
    /// # Errors
    /// [`SamplingError::Aql`].
    pub fn parse(text: &str) -> Result<Self, SamplingError> {
        let wanted = thousandths(text);
        let found = AQLS.iter().position(|known| wanted.is_some() && thousandths(known) == wanted);
        found.map(Self).ok_or_else(|| SamplingError::Aql(text.to_owned()))
    }

    /// As the standard writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        AQLS.get(self.0).copied().unwrap_or_default()
    }

    /// Thousandths of a per cent.
    #[must_use]
    pub fn thousandths(self) -> u64 {
        thousandths(self.text()).unwrap_or_default()
    }

    /// The next stricter limit; none below the strictest.
    #[must_use]
    pub fn tighter(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// Thousandths of a decimal text with up to three places that count.
pub(crate) fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let kept = fraction.trim_end_matches('0');
    if whole.is_empty() || !digits(whole) || !digits(fraction) || kept.len() > 3 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{kept:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

/// A sample size code letter: A to R without I and O; S stands only in one corner of the tightened
/// table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter(usize);

const LETTERS: [char; 17] =
    ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S'];
const LAST: usize = 15;

impl Letter {
    /// The letter as a character.
    #[must_use]
    pub fn char(self) -> char {
        LETTERS.get(self.0).copied().unwrap_or('A')
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.char())
    }
}

/// Greatest lot size of each line of table 1; the last line has no end.
const LOTS: [u64; 14] =
    [8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000];

/// Letters of each line, in the order of [`Level::ALL`].
const LINES: [&str; 15] = [
    "AAAAAAB", "AAAAABC", "AABBBCD", "ABBCCDE", "BBCCCEF", "BBCDDFG", "BCDEEGH", "BCDEFHJ",
    "CCEFGJK", "CDEGHKL", "CDFGJLM", "CDFHKMN", "DEGJLNP", "DEGJMPQ", "DEHKNQR",
];

/// The code letter of a lot (table 1).
///
/// # Errors
/// A lot of fewer than two items.
pub fn code_letter(lot_size: u64, level: Level) -> Result<Letter, SamplingError> {
    if lot_size < 2 {
        return Err(SamplingError::LotSize(lot_size));
    }
    let line = LOTS.iter().position(|last| lot_size <= *last).unwrap_or(LOTS.len());
    let column = Level::ALL.iter().position(|other| *other == level).unwrap_or_default();
    let letter = LINES.get(line).and_then(|letters| letters.chars().nth(column));
    let place = LETTERS.iter().position(|other| Some(*other) == letter).unwrap_or_default();
    Ok(Letter(place))
}

/// A single sampling plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Letter of the lot.
    pub letter: Letter,
    /// Letter whose line the plan stands in; another one where an arrow leads away.
    pub plan_letter: Letter,
    /// Limit.
    pub aql: Aql,
    /// Severity.
    pub severity: Severity,
    /// Items to draw. Where it is not below the lot's size, the whole lot is inspected.
    pub sample_size: u64,
    /// The lot is accepted with up to this many nonconforming items.
    pub accept: u64,
    /// The lot is refused from this many on. In reduced plans of MIL-STD-105E there may be a gap
    /// between the two: then the lot is accepted, and normal inspection is back.
    pub refuse: u64,
}

const SIZES: [u64; 17] =
    [2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000, 3150];
const REDUCED_SIZES: [u64; 16] = [2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800];

/// The plan for a code letter (tables 2-A, 2-B, 2-C), arrows followed: up or down to the first line
/// of the column that has a plan, the nearer one in the arrow's direction.
#[must_use]
pub fn plan(letter: Letter, aql: Aql, severity: Severity) -> Plan {
    let diagonal = letter.0 + aql.0;
    // Above the zero plans and just before the first plan that lets one pass, arrows point down;
    // otherwise up.
    let down = match severity {
        Severity::Normal | Severity::Reduced => diagonal < 14 || diagonal == 16,
        Severity::Tightened => diagonal < 15 || diagonal == 16 || diagonal == 17,
    };
    let at = |line: usize| cell(line, aql.0, severity).map(|numbers| (line, numbers));
    let upwards = || (0..=letter.0).rev().find_map(at);
    let downwards = || (letter.0..LETTERS.len()).find_map(at);
    let found = if down { downwards().or_else(upwards) } else { upwards().or_else(downwards) };
    let (line, (accept, refuse)) = found.unwrap_or((letter.0, (0, 1)));
    let sizes = if severity == Severity::Reduced { &REDUCED_SIZES[..] } else { &SIZES[..] };
    Plan {
        letter,
        plan_letter: Letter(line),
        aql,
        severity,
        sample_size: sizes.get(line).copied().unwrap_or_default(),
        accept,
        refuse,
    }
}

/// Acceptance and rejection numbers where the table has a plan of its own.
fn cell(line: usize, column: usize, severity: Severity) -> Option<(u64, u64)> {
    match severity {
        Severity::Normal => normal(line, column),
        Severity::Tightened => tightened(line, column),
        Severity::Reduced => reduced(line, column),
    }
}

/// Only lines A to E go on to the two largest numbers.
fn is_within(line: usize, diagonal: usize) -> bool {
    line <= LAST && (diagonal <= 24 || (line <= 4 && diagonal <= 26))
}

fn normal(line: usize, column: usize) -> Option<(u64, u64)> {
    let diagonal = line + column;
    if !is_within(line, diagonal) {
        return None;
    }
    if diagonal == 14 {
        return Some((0, 1));
    }
    const ACCEPT: [u64; 10] = [1, 2, 3, 5, 7, 10, 14, 21, 30, 44];
    let accept = *ACCEPT.get(diagonal.checked_sub(17)?)?;
    Some((accept, accept + 1))
}

fn tightened(line: usize, column: usize) -> Option<(u64, u64)> {
    let diagonal = line + column;
    // The corner: letter S, at 0.025 alone.
    if line == LAST + 1 {
        return (diagonal == 18).then_some((1, 2));
    }
    if !is_within(line, diagonal) {
        return None;
    }
    if diagonal == 15 && line > 0 {
        return Some((0, 1));
    }
    const ACCEPT: [u64; 9] = [1, 2, 3, 5, 8, 12, 18, 27, 41];
    let accept = *ACCEPT.get(diagonal.checked_sub(18)?)?;
    Some((accept, accept + 1))
}

fn reduced(line: usize, column: usize) -> Option<(u64, u64)> {
    let diagonal = line + column;
    // Lines A and B have too few items for the numbers of the others.
    const LINE_A: [(u64, u64); 9] =
        [(1, 2), (2, 3), (3, 4), (5, 6), (7, 8), (10, 11), (14, 15), (21, 22), (30, 31)];
    const LINE_B: [(u64, u64); 10] =
        [(0, 2), (1, 3), (2, 4), (3, 5), (5, 6), (7, 8), (10, 11), (14, 15), (21, 22), (30, 31)];
    const OTHERS: [(u64, u64); 10] =
        [(0, 2), (1, 3), (1, 4), (2, 5), (3, 6), (5, 8), (7, 10), (10, 13), (14, 17), (21, 24)];
    if diagonal == 14 && line <= LAST {
        return Some((0, 1));
    }
    let place = diagonal.checked_sub(17)?;
    match line {
        0 => LINE_A.get(place).copied(),
        1 => LINE_B.get(place).copied(),
        _ if is_within(line, diagonal) => OTHERS.get(place).copied(),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn published() -> Value {
        let root = std::env::var_os("BACKSTAY_TEST_DATA")
            .map_or_else(|| std::path::PathBuf::from("../../../shared/data"), Into::into);
        let path = root.join("quality/mil_std_105e_single_sampling.json");
        let text = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; set BACKSTAY_TEST_DATA", path.display()));
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn every_plan_of_every_severity_letter_and_limit_is_the_published_one() {
        let tables = published();
        let mut cells = 0;
        for severity in Severity::ALL {
            for (place, letter) in LETTERS.iter().enumerate().take(LAST + 1) {
                for aql in Aql::all() {
                    let wanted = &tables[severity.word()][letter.to_string()][aql.text()];
                    let found = plan(Letter(place), aql, severity);
                    assert_eq!(
                        (found.sample_size, found.accept, found.refuse),
                        (
                            wanted["n"].as_u64().unwrap(),
                            wanted["ac"].as_u64().unwrap(),
                            wanted["re"].as_u64().unwrap()
                        ),
                        "{} {letter} {}",
                        severity.word(),
                        aql.text()
                    );
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 3 * 16 * 26);
    }

    #[test]
    fn every_lot_size_and_level_has_the_published_letter() {
        let tables = published();
        let lines = tables["code_letters"].as_object().unwrap();
        assert_eq!(lines.len(), LINES.len());
        for (range, letters) in lines {
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
                None => (range.trim_end_matches('+').parse().unwrap(), 2_000_000_u64),
            };
            for level in Level::ALL {
                let wanted = letters[level.word()].as_str().unwrap();
                // Every size of the small lines, both ends of the large ones.
                let middle = first + (last - first) / 2;
                let sizes: Vec<u64> =
                    if last < 3000 { (first..=last).collect() } else { vec![first, middle, last] };
                for size in sizes {
                    let found = code_letter(size, level).unwrap();
                    assert_eq!(found.to_string(), wanted, "{size} {}", level.word());
                }
            }
        }
    }

    #[test]
    fn a_lot_of_two_thousand_at_level_two_is_letter_k() {
        let letter = code_letter(2000, Level::II).unwrap();
        let numbers = |severity| {
            let plan = plan(letter, Aql::parse("2.5").unwrap(), severity);
            (plan.sample_size, plan.accept, plan.refuse)
        };
        assert_eq!(letter.char(), 'K');
        assert_eq!(numbers(Severity::Normal), (125, 7, 8));
        assert_eq!(numbers(Severity::Tightened), (125, 5, 6));
        assert_eq!(numbers(Severity::Reduced), (50, 3, 6));
    }

    #[test]
    fn words_are_read_as_the_standard_writes_them_and_others_are_refused() {
        assert_eq!(Aql::parse("2.50").unwrap().text(), "2.5");
        assert_eq!(Aql::parse("10.000000000").unwrap().thousandths(), 10_000);
        assert_eq!(Aql::parse("0.010").unwrap().tighter(), None);
        assert_eq!(Aql::parse("2.5").unwrap().tighter().unwrap().text(), "1.5");
        for wrong in ["3", "", ".", "2,5", "-1", "2.5001", "2.5 "] {
            assert!(Aql::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Level::parse("2").is_err());
        assert!(Severity::parse("strict").is_err());
        assert_eq!(code_letter(1, Level::II), Err(SamplingError::LotSize(1)));
    }
}
