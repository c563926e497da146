//! Which source column goes to which column of a table: by name and by what its values look like.
//! Pairs only; says nothing of dates, people or values.

use super::{
    shape::Profile,
    word::{self, SAME, share},
};
use crate::{
    mapping::SourceFormat,
    vocabulary::{Column, ColumnType, Table},
};

/// Least likeness of names, in thousandths, for a column that every row needs, and for others.
const LEAST: (u32, u32) = (500, 600);
/// Values that must look right, in thousandths.
const LEAST_FIT: u32 = 500;
/// Keys of the XES standard come before columns that only bear a fitting name.
const STANDARD: u32 = 60;
const STANDARD_KEYS: [&str; 6] = [
    "concept:name",
    "case:concept:name",
    "time:timestamp",
    "org:resource",
    "org:group",
    "lifecycle:transition",
];

/// A source column with what its values look like.
#[derive(Debug)]
pub(super) struct SourceColumn<'s> {
    pub(super) name: &'s str,
    pub(super) profile: Profile,
}

/// A source column for a column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// Position of the table's column.
    pub(super) column: usize,
    /// Position of the source column.
    pub(super) source: usize,
    /// Likeness of the names, in thousandths.
    pub(super) name: u32,
    /// Values that look right, in thousandths.
    pub(super) fit: u32,
    score: u32,
}

/// The pairs of a table, best first, and how well the table fits the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Assignment {
    pub(super) pairs: Vec<Pair>,
    /// Other source columns that would do, by position of the table's column.
    pub(super) others: Vec<(usize, usize)>,
    /// Pairs whose names fit and whose values do not.
    pub(super) unfit: Vec<(usize, usize)>,
    /// In thousandths.
    pub(super) score: u32,
}

impl Assignment {
    pub(super) fn source_of(&self, column: usize) -> Option<usize> {
        self.pairs.iter().find(|pair| pair.column == column).map(|pair| pair.source)
    }
}

/// Pairs the columns of a table with those of the source. `taken` are source columns spoken for, and
/// `settled` columns of the table that need none.
pub(super) fn assign(
    table: &Table,
    sources: &[SourceColumn<'_>],
    format: SourceFormat,
    taken: &[usize],
    settled: &[usize],
) -> Assignment {
    let mut candidates = Vec::new();
    let mut assignment = Assignment::default();
    for (at, column) in table.columns.iter().enumerate() {
        if column.retired || column.kind == ColumnType::Attributes || settled.contains(&at) {
            continue;
        }
        let least = if column.required { LEAST.0 } else { LEAST.1 };
        for (from, source) in sources.iter().enumerate() {
            let name = word::likeness(&table.name, &column.name, &column.renamed_from, source.name);
            if name < least || taken.contains(&from) {
                continue;
            }
            let fit = fit(&source.profile, column, name);
            if fit < LEAST_FIT {
                assignment.unfit.push((at, from));
                continue;
            }
            let standard = format == SourceFormat::Xes && STANDARD_KEYS.contains(&source.name);
            let score = name * 7 / 10 + fit * 3 / 10 + if standard { STANDARD } else { 0 };
            candidates.push(Pair { column: at, source: from, name, fit, score });
        }
    }
    candidates.sort_by_key(|pair| (std::cmp::Reverse(pair.score), pair.column, pair.source));
    for pair in candidates {
        let column_free = assignment.source_of(pair.column).is_none();
        let source_free = assignment.pairs.iter().all(|other| other.source != pair.source);
        match (column_free, source_free) {
            (true, true) => assignment.pairs.push(pair),
            (false, true) => assignment.others.push((pair.column, pair.source)),
            _ => {}
        }
    }
    let named = &assignment.pairs;
    assignment.others.retain(|(_, source)| named.iter().all(|pair| pair.source != *source));
    assignment.unfit.retain(|(column, _)| named.iter().all(|pair| pair.column != *column));
    assignment.score = score(table, sources.len(), named, settled);
    assignment
}

/// How well a table fits: the columns that it needs, and how much of the file it explains.
fn score(table: &Table, sources: usize, pairs: &[Pair], settled: &[usize]) -> u32 {
    let likeness = |at: usize| pairs.iter().find(|pair| pair.column == at).map_or(0, |p| p.name);
    let stands_in = |at: usize| {
        let column = table.columns.get(at)?;
        let other = word::stand_in(&table.name, &column.name)?;
        let other = table.columns.iter().position(|column| column.name == other)?;
        Some(likeness(other) * 8 / 10)
    };
    let (mut needed, mut found) = (0_u32, 0_u32);
    for (at, column) in table.columns.iter().enumerate() {
        // Whose rows they are is seldom said in a file: it is said at the import.
        if !column.required || column.name == "arrangement_id" || settled.contains(&at) {
            continue;
        }
        needed += 1;
        found += likeness(at).max(stands_in(at).unwrap_or(0));
    }
    let coverage = found.checked_div(needed).unwrap_or(SAME / 2);
    let explained: u32 = pairs.iter().map(|pair| pair.name).sum();
    let explained = explained / u32::try_from(sources.max(1)).unwrap_or(u32::MAX);
    coverage * 5 / 10 + explained * 5 / 10
}

/// How many values look like the column's type, in thousandths. Without values the name decides.
fn fit(profile: &Profile, column: &Column, name: u32) -> u32 {
    if profile.present == 0 {
        return LEAST_FIT;
    }
    let dates = |time: bool| match &profile.dates {
        Some(dates) if dates.time == time => share(dates.fits, profile.present),
        _ => 0,
    };
    match column.kind {
        ColumnType::Instant => dates(true),
        ColumnType::Date => dates(false),
        ColumnType::Integer => profile.share(profile.integers),
        ColumnType::Decimal | ColumnType::Money => {
            profile.share(profile.decimals.max(profile.comma_decimals))
        }
        ColumnType::Boolean => profile.share(profile.booleans),
        ColumnType::Duration => profile.share(profile.durations),
        ColumnType::Country => profile.share(profile.countries),
        ColumnType::Currency => profile.share(profile.currencies),
        ColumnType::LanguageLevel => profile.share(profile.levels),
        ColumnType::Enumeration => enumerated(profile, column, name),
        // A time or a yes is nobody's name and no id.
        ColumnType::Person => match (&profile.dates, profile.share(profile.booleans)) {
            (None, 0..=900) => SAME,
            _ => 0,
        },
        ColumnType::Text | ColumnType::Reference => match &profile.dates {
            Some(_) => 0,
            None => SAME,
        },
        ColumnType::Attributes => 0,
    }
}

fn enumerated(profile: &Profile, column: &Column, name: u32) -> u32 {
    let Some(distinct) = &profile.distinct else { return 0 };
    let known: usize = distinct
        .iter()
        .filter(|(value, _)| word::value(&column.name, &column.values, value).is_some())
        .map(|(_, count)| count)
        .sum();
    let known = profile.share(known);
    // A name that says it outright is worth asking what its values mean.
    if name >= 950 && distinct.len() <= 12 { known.max(LEAST_FIT) } else { known }
}
