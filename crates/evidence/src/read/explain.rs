//! What became of one record, cell by cell, for whoever wants to see how a source is read. Types the
//! record once more; hands out pseudonyms and never a person's id.

use std::collections::BTreeSet;

use super::{
    feed::{Look, Typist},
    record::{ColumnSet, RawRecord},
    rows::RowWriter,
};
use crate::{
    mapping::plan::{ColumnPlan, Expr, Fixed, Piece, Plan, Source},
    sink::{Rejection, SourceCell, TypedCell},
    typing::row::{Cell, Row},
    vocabulary::ColumnType,
};

/// Name of a workbook's cell, for a column of the record.
pub(crate) type CellName<'n> = &'n dyn Fn(usize) -> Option<String>;

/// Looks at one record.
struct Eye<'e> {
    record: &'e RawRecord,
    columns: &'e ColumnSet,
    name: CellName<'e>,
    personal: BTreeSet<usize>,
}

impl Eye<'_> {
    fn cell(&self, look: Look<'_>, column: usize) -> SourceCell {
        let personal = self.personal.contains(&column);
        let written = look.raw(column).filter(|_| !personal).map(str::to_owned);
        SourceCell {
            column: self.columns.name(column).to_owned(),
            cell: (self.name)(column),
            written,
            personal,
        }
    }

    /// A refusal that concerns the record before it reaches a table.
    fn refusal(&self, look: Look<'_>, rejection: &Rejection) -> TypedCell {
        let column = rejection.column.as_deref().and_then(|name| self.columns.number(name));
        TypedCell {
            record: self.record.number,
            item: 0,
            from: column.map(|column| self.cell(look, column)).into_iter().collect(),
            table: String::new(),
            column: String::new(),
            value: None,
            refused: Some((rejection.code.clone(), rejection.reason.clone())),
        }
    }
}

impl Look<'_> {
    /// The columns of the source that a column's text is made from.
    pub(crate) fn origin(&self, plan: &ColumnPlan) -> Vec<usize> {
        let column = |source: &Source| match source {
            Source::Cell(column) => Some(*column),
            Source::PivotName | Source::PivotValue => self.pivot_column,
        };
        let money = plan.currency.as_ref().and_then(|currency| match currency {
            Fixed::From(source) => column(source),
            _ => None,
        });
        let made: Vec<usize> = match &plan.expr {
            None | Some(Expr::Constant(_)) => return Vec::new(),
            Some(Expr::From(source)) => column(source).into_iter().collect(),
            Some(Expr::FirstOf(sources)) => {
                let there = sources.iter().find(|source| self.source(**source).is_some());
                let looked_at = there.map_or(sources.as_slice(), std::slice::from_ref);
                looked_at.iter().filter_map(column).collect()
            }
            Some(Expr::Join(sources, _)) => sources.iter().filter_map(column).collect(),
            Some(Expr::Template(pieces)) => {
                let values = pieces.iter().filter_map(|piece| match piece {
                    Piece::Value(source) => column(source),
                    Piece::Text(_) => None,
                });
                values.collect()
            }
        };
        made.into_iter().chain(money).collect()
    }
}

impl RowWriter<'_> {
    /// What becomes of a record whose `rejections` are known.
    pub(crate) fn explain(
        &mut self,
        record: &RawRecord,
        columns: &ColumnSet,
        rejections: &[Rejection],
        name: CellName<'_>,
    ) -> Vec<TypedCell> {
        let plan = self.plan;
        let look = Look::of(record, &plan.missing);
        let eye = Eye { record, columns, name, personal: personal(plan, look) };
        let mut cells = Vec::new();
        for (at, table) in plan.tables.iter().enumerate() {
            let fed = table.when.iter().all(|condition| look.holds(condition));
            if record.broken.is_some() || !fed {
                continue;
            }
            let Some(order) = self.orders.get_mut(at) else { continue };
            let (people, marks) = (&mut self.people, plan.marks);
            // Seen for the second time, values are not counted again.
            let watch = &mut Vec::new();
            let mut typist = Typist { plan: table, marks, people, order, watch, columns };
            for (item, look) in look.rows(table.unpivot.as_ref(), columns).into_iter().enumerate() {
                explain_row(&mut typist, &eye, look, i16::try_from(item).unwrap_or(0), &mut cells);
            }
        }
        self.people.forget_pending();
        // What no column of a table shows was refused before, and then nothing else is of interest.
        let shown = |rejection: &&Rejection| {
            cells.iter().any(|cell| {
                cell.table == rejection.table && rejection.column.as_deref() == Some(&cell.column)
            })
        };
        let early: Vec<TypedCell> = rejections
            .iter()
            .filter(|rejection| !shown(rejection))
            .map(|rejection| eye.refusal(look, rejection))
            .collect();
        if early.is_empty() { cells } else { early }
    }
}

fn explain_row(
    typist: &mut Typist<'_, '_>,
    eye: &Eye<'_>,
    look: Look<'_>,
    item: i16,
    cells: &mut Vec<TypedCell>,
) {
    let (mut row, mut reasons) = (Row::default(), Vec::new());
    typist.row(look, &mut row, &mut reasons);
    for (column, cell) in typist.plan.columns.iter().zip(&row.cells) {
        let name = &column.column.name;
        let mut told = reasons.iter().map(|reason| &reason.rejection);
        let refused = told.find(|rejection| rejection.column.as_ref() == Some(name));
        let value = shown(*cell, &row, column);
        let mapped = column.expr.is_some() || column.default.is_some();
        if refused.is_none() && value.is_none() && !mapped {
            continue;
        }
        cells.push(TypedCell {
            record: eye.record.number,
            item,
            from: look.origin(column).into_iter().map(|from| eye.cell(look, from)).collect(),
            table: typist.plan.table.name.clone(),
            column: name.clone(),
            value: value.filter(|_| refused.is_none()),
            refused: refused.map(|rejection| (rejection.code.clone(), rejection.reason.clone())),
        });
    }
}

/// Source columns that hold ids of people.
pub(crate) fn personal(plan: &Plan, look: Look<'_>) -> BTreeSet<usize> {
    let mut personal = plan.people.clone();
    for table in &plan.tables {
        for column in table.columns.iter().filter(|c| c.column.kind == ColumnType::Person) {
            personal.extend(look.origin(column));
        }
    }
    personal
}

/// A typed cell as text.
fn shown(cell: Cell, row: &Row, plan: &ColumnPlan) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Text(start, end) => row.text((start, end)).to_owned(),
        Cell::Integer(value) if plan.column.kind == ColumnType::Duration => duration(value),
        Cell::Integer(value) => value.to_string(),
        Cell::Decimal(value) => decimal(value, 9),
        Cell::Money { minor, currency } => {
            let code = row.text(currency);
            let places = crate::typing::number::minor_places(code);
            format!("{} {code}", fixed(minor.into(), places))
        }
        Cell::Instant { us, offset } => {
            let offset = jiff::tz::Offset::from_seconds(i32::from(offset) * 60).ok()?;
            let instant = jiff::Timestamp::from_microsecond(us).ok()?;
            instant.display_with_offset(offset).to_string()
        }
        Cell::Date(days) => {
            use jiff::ToSpan as _;
            jiff::civil::date(1970, 1, 1).checked_add(days.days()).ok()?.to_string()
        }
        Cell::Boolean(value) => value.to_string(),
    })
}

/// Hours, minutes and seconds of some microseconds.
fn duration(us: i64) -> String {
    let seconds = us.unsigned_abs() / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let sign = if us < 0 { "-" } else { "" };
    let mut text = format!("{sign}{hours}h{minutes:02}m");
    if rest > 0 {
        text.push_str(&format!("{rest:02}s"));
    }
    text
}

/// A number of so many places, without the zeros at its end.
fn decimal(value: i128, places: u32) -> String {
    let text = fixed(value, places);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn fixed(value: i128, places: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (unit, value) = (10_u128.pow(places), value.unsigned_abs());
    match places {
        0 => format!("{sign}{value}"),
        _ => format!("{sign}{}.{:0width$}", value / unit, value % unit, width = places as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_values_are_shown_as_people_write_them() {
        assert_eq!(duration(5_400_000_000), "1h30m");
        assert_eq!(duration(61_000_000), "0h01m01s");
        assert_eq!(decimal(958_000_000, 9), "0.958");
        assert_eq!(decimal(-1_000_000_000, 9), "-1");
        assert_eq!(
            (fixed(1_250, 2), fixed(-5, 3), fixed(7, 0)),
            ("12.50".into(), "-0.005".into(), "7".into())
        );
    }
}
