//! Which of several date formats a column has. Every value looked at must speak for one of them;
//! day and month are never guessed.

use super::{
    error::ReadError,
    feed::Look,
    record::{ColumnSet, RawRecord},
};
use crate::{
    mapping::plan::{ColumnPlan, Pivots, Plan},
    typing::moment::{DateFormat, Written},
    vocabulary::ColumnType,
};

/// Records looked at before the first one is typed, at most.
pub(crate) const LOOKED_AT: usize = 10_000;

/// How the values of one column fare with day and month as the mapping has them, and the other way
/// round. A value that fits with a day after the 12th cannot be meant the other way round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OrderWatch {
    fitted: u64,
    failed: u64,
    failed_and_fit_turned: u64,
    day_after_12: bool,
}

impl OrderWatch {
    pub(crate) fn fitted(&mut self, written: Written) {
        self.fitted += 1;
        self.day_after_12 |= written.date.day() > 12;
    }

    pub(crate) fn failed(&mut self, format: &DateFormat, text: &str) {
        self.failed += 1;
        let turned = format.turned().and_then(|turned| turned.parse(text));
        self.failed_and_fit_turned += u64::from(turned.is_some());
    }

    /// What to say when all values fit only the other way round.
    pub(crate) fn hint(&self, table: &str, column: &ColumnPlan) -> Option<String> {
        let format = column.formats.first()?;
        let turned = format.turned()?;
        if self.failed == 0 || self.failed_and_fit_turned < self.failed || self.day_after_12 {
            return None;
        }
        Some(format!(
            "column `{}` of `{table}`: {} of {} values do not fit `{}`, and all of them fit `{}`: are \
             day and month the other way round? Then the values that did fit are wrong as well",
            column.column.name,
            self.failed,
            self.failed + self.fitted,
            format.name(),
            turned.name()
        ))
    }
}

/// Whether any column has more than one format to choose from.
pub(crate) fn is_open(plan: &Plan) -> bool {
    plan.tables.iter().flat_map(|table| &table.columns).any(needs_choice)
}

fn needs_choice(column: &ColumnPlan) -> bool {
    let moment = matches!(column.column.kind, ColumnType::Date | ColumnType::Instant);
    moment && column.formats.len() > 1 && column.expr.is_some()
}

/// Leaves one format per column; gives the choices made, as (column, format).
pub(crate) fn settle(
    plan: &mut Plan,
    looked_at: &[RawRecord],
    columns: &ColumnSet,
) -> Result<Vec<(String, String)>, ReadError> {
    let missing = plan.missing.clone();
    let mut made = Vec::new();
    for table in &mut plan.tables {
        let looks = looks(looked_at, &missing, table.unpivot.as_ref(), columns);
        for column in table.columns.iter_mut().filter(|column| needs_choice(column)) {
            let chosen = choose(column, &looks, looked_at.len())?;
            made.push((column.column.name.clone(), chosen.name().to_owned()));
            column.formats = vec![chosen];
        }
    }
    Ok(made)
}

/// How two formats fare on the same values.
#[derive(Default, Clone, Copy)]
struct Pair {
    first_only: usize,
    second_only: usize,
    both_differ: usize,
}

/// Every row that the records will give to a table, as its rules will look at it.
fn looks<'r>(
    looked_at: &'r [RawRecord],
    missing: &'r [String],
    unpivot: Option<&Pivots>,
    columns: &'r ColumnSet,
) -> Vec<Look<'r>> {
    let mut looks = Vec::new();
    for record in looked_at {
        looks.extend(Look::of(record, missing).rows(unpivot, columns));
    }
    looks
}

fn choose(
    column: &ColumnPlan,
    looks: &[Look<'_>],
    records: usize,
) -> Result<DateFormat, ReadError> {
    let readings: Vec<Vec<Option<Written>>> = looks
        .iter()
        .filter_map(|look| {
            let text = look.text(column).ok()??;
            if column.native && DateFormat::Iso.parse(text.trim()).is_some() {
                return None;
            }
            let read = column.formats.iter().map(|format| format.parse(text.trim()));
            Some(read.collect())
        })
        .collect();
    let fits =
        |at: usize| readings.iter().filter(|read| matches!(read.get(at), Some(Some(_)))).count();
    let counts: Vec<usize> = (0..column.formats.len()).map(fits).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let best = counts.iter().position(|count| *count == most).unwrap_or(0);
    let chosen = column.formats.get(best).cloned().unwrap_or(DateFormat::Iso);
    for (other, rival) in column.formats.iter().enumerate().filter(|(at, _)| *at != best) {
        let pair = compare(&readings, best, other);
        let (ours, theirs) = (chosen.name(), rival.name());
        let fail =
            |message: String| Err(ReadError::Dates { column: column.column.name.clone(), message });
        if pair.both_differ > 0 && pair.first_only == 0 && pair.second_only == 0 {
            return fail(format!(
                "the {} records looked at fit both `{ours}` and `{theirs}`, and they are different \
                 dates: name the one that is meant",
                records
            ));
        }
        if pair.first_only > 0 && pair.second_only > 0 && contradict(&chosen, rival) {
            return fail(format!(
                "some values only fit `{ours}` and some only `{theirs}`: day and month are mixed, \
                 so no value can be trusted; ask for the file with one format"
            ));
        }
    }
    Ok(chosen)
}

fn compare(readings: &[Vec<Option<Written>>], first: usize, second: usize) -> Pair {
    let mut pair = Pair::default();
    for read in readings {
        match (read.get(first).copied().flatten(), read.get(second).copied().flatten()) {
            (Some(_), None) => pair.first_only += 1,
            (None, Some(_)) => pair.second_only += 1,
            (Some(a), Some(b)) if a != b => pair.both_differ += 1,
            _ => {}
        }
    }
    pair
}

/// Whether there are texts that the two read as different dates.
fn contradict(first: &DateFormat, second: &DateFormat) -> bool {
    let DateFormat::Directives(format) = first else { return false };
    let probe = jiff::civil::date(2026, 2, 3).at(4, 5, 6, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let text = probe.ok().and_then(|probe| jiff::fmt::strtime::format(format, &probe).ok());
    text.is_some_and(|text| {
        let read = (first.parse(&text), second.parse(&text));
        matches!(read, (Some(a), Some(b)) if a != b)
    })
}
