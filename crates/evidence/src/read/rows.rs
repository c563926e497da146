//! Collects typed rows into batches by table and arrangement and hands them out. Owns when a batch
//! is full and that a rejected record leaves no row behind.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use backstay_privacy::PseudonymKey;

use super::{
    LoadScope, ReadError,
    choice::OrderWatch,
    feed::{AttributeOrder, Look, Reason, Typist},
    keep::Groups,
    people::People,
    record::{ColumnSet, RawRecord},
    stage::{Handed, Outlet},
};
use crate::{
    mapping::plan::{KeepPlan, Plan, TablePlan},
    quarantine::code,
    sink::{BATCH_ROWS, Rejection},
    typing::{
        number,
        row::{GrowingTable, Row},
    },
};

/// Rows and text of all batches together, at most.
const ROWS_MAX: usize = 16 * BATCH_ROWS;
const TEXT_MAX: usize = 128 << 20;
/// Text of one batch, at most, give or take a row.
const BATCH_TEXT: usize = 16 << 20;

/// What the rows handed out were about.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) scopes: BTreeSet<LoadScope>,
    pub(crate) records_with_rows: u64,
    /// What is to be said of the values of columns.
    pub(crate) hints: Vec<String>,
}

/// A row that waits until its whole record has been typed.
struct Pending {
    table: usize,
    row: Row,
    /// Group and order, for a table that keeps one row of each group.
    group: Option<([u8; 16], i64)>,
}

/// Types records and collects their rows.
pub(crate) struct RowWriter<'p> {
    pub(super) plan: &'p Plan,
    pub(super) people: People<'p>,
    pub(super) orders: Vec<AttributeOrder>,
    /// By table, then by column.
    watches: Vec<Vec<OrderWatch>>,
    growing: Vec<BTreeMap<String, GrowingTable>>,
    groups: Vec<Groups>,
    pending: Vec<Pending>,
    spare: Vec<Row>,
    rows: usize,
    text: usize,
    scopes: BTreeSet<LoadScope>,
    /// One bit per record: whether it gave a row.
    gave: Vec<u64>,
}

impl<'p> RowWriter<'p> {
    pub(crate) fn new(plan: &'p Plan, key: &'p PseudonymKey) -> Result<Self, ReadError> {
        let tables = plan.tables.len();
        Ok(Self {
            plan,
            people: People::new(key),
            orders: (0..tables).map(|_| AttributeOrder::default()).collect(),
            watches: vec![Vec::new(); tables],
            growing: (0..tables).map(|_| BTreeMap::new()).collect(),
            groups: (0..tables).map(|_| Groups::default()).collect(),
            pending: Vec::new(),
            spare: Vec::new(),
            rows: 0,
            text: 0,
            scopes: BTreeSet::new(),
            gave: Vec::new(),
        })
    }

    /// Takes one record: its rows, or the reasons why it has none.
    pub(crate) fn take(
        &mut self,
        record: &RawRecord,
        columns: &ColumnSet,
        out: &mut Outlet,
        reasons: &mut Vec<Reason>,
    ) -> Result<(), ReadError> {
        self.type_record(record, columns, reasons);
        if !reasons.is_empty() {
            self.people.forget_pending();
            self.spare.extend(self.pending.drain(..).map(|pending| pending.row));
            return Ok(());
        }
        for entry in self.people.take_pending() {
            out.say(Handed::Person(entry))?;
        }
        let mut taken = std::mem::take(&mut self.pending);
        for pending in taken.drain(..) {
            match pending.group {
                None => self.push(pending.table, &pending.row, out)?,
                Some((group, order)) => {
                    if let Some(groups) = self.groups.get_mut(pending.table) {
                        let offered = groups.offer(group, order, &pending.row);
                        offered.map_err(|error| ReadError::from_io(error, record.number.into()))?;
                    }
                }
            }
            self.spare.push(pending.row);
        }
        self.pending = taken;
        Ok(())
    }

    fn type_record(&mut self, record: &RawRecord, columns: &ColumnSet, reasons: &mut Vec<Reason>) {
        let plan = self.plan;
        let look = Look::of(record, &plan.missing);
        if let Some((code, reason)) = &record.broken {
            let rejection = self.rejection(record, None, code, reason, None);
            reasons.push(Reason { rejection, from: Vec::new() });
            return;
        }
        for fault in record.faults.iter().filter(|fault| plan.takes(fault.column)) {
            let name = Some(columns.name(fault.column).to_owned());
            let about = Some((look, columns));
            let rejection = self.rejection(record, about, fault.code, &fault.reason, name);
            reasons.push(Reason { rejection, from: vec![fault.column] });
        }
        let mut fed = false;
        for filter in &plan.filters {
            if look.rejected_by(filter) {
                let about = Some((look, columns));
                let name = Some(filter.name.clone());
                let rejection = self.rejection(record, about, &filter.code, &filter.reason, name);
                reasons.push(Reason { rejection, from: vec![filter.column] });
            }
        }
        if !reasons.is_empty() {
            return;
        }
        for (at, table) in plan.tables.iter().enumerate() {
            if table.when.iter().all(|condition| look.holds(condition)) {
                fed = true;
                self.type_table(at, table, look, columns, reasons);
            }
        }
        if !fed {
            let reason = "no table of the mapping takes this record";
            let rejection =
                self.rejection(record, Some((look, columns)), code::NO_TABLE, reason, None);
            reasons.push(Reason { rejection, from: Vec::new() });
        } else if reasons.is_empty() && self.pending.is_empty() {
            let reason = "every cell that could become a row is missing";
            let rejection =
                self.rejection(record, Some((look, columns)), code::NO_TABLE, reason, None);
            reasons.push(Reason { rejection, from: Vec::new() });
        }
    }

    /// Types the rows that one table takes from a record.
    fn type_table(
        &mut self,
        at: usize,
        table: &'p TablePlan,
        look: Look<'_>,
        columns: &ColumnSet,
        reasons: &mut Vec<Reason>,
    ) {
        let (Some(order), Some(watch)) = (self.orders.get_mut(at), self.watches.get_mut(at)) else {
            return;
        };
        let (marks, people) = (self.plan.marks, &mut self.people);
        let mut typist = Typist { plan: table, marks, people, order, watch, columns };
        // Two rules may feed one table from the same record.
        let same = |p: &&Pending| {
            self.plan.tables.get(p.table).is_some_and(|other| other.table.name == table.table.name)
        };
        let before = self.pending.iter().filter(same).count();
        let looks = match &table.unpivot {
            None => Looks::One(std::iter::once(look)),
            some => Looks::Several(look.rows(some.as_ref(), columns).into_iter()),
        };
        for (item, look) in looks.enumerate() {
            let mut row = self.spare.pop().unwrap_or_default();
            let told = reasons.len();
            typist.row(look, &mut row, reasons);
            if reasons.len() > told {
                told_once(reasons, told);
            }
            row.record = look.record.number;
            row.item = i16::try_from(before + item).unwrap_or(i16::MAX);
            let group = match &table.keep {
                None => None,
                Some(keep) => match group_of(keep, look, columns, &row) {
                    Ok(group) => Some(group),
                    Err((code, column, reason)) => {
                        let rejection = Rejection {
                            record: row.record,
                            table: table.table.name.clone(),
                            arrangement_id: row.arrangement.clone(),
                            subject: typist.subject(look),
                            cell: None,
                            code: code.to_owned(),
                            reason,
                            column: Some(column),
                        };
                        let from = rejection.column.as_deref().and_then(|c| columns.number(c));
                        reasons.push(Reason { rejection, from: from.into_iter().collect() });
                        None
                    }
                },
            };
            self.pending.push(Pending { table: at, row, group });
        }
    }

    /// A reason that concerns the record as a whole.
    fn rejection(
        &mut self,
        record: &RawRecord,
        about: Option<(Look<'_>, &ColumnSet)>,
        code: &str,
        reason: &str,
        column: Option<String>,
    ) -> Rejection {
        let mut rejection = Rejection {
            record: record.number,
            table: String::new(),
            arrangement_id: String::new(),
            subject: None,
            column,
            cell: None,
            code: code.to_owned(),
            reason: reason.to_owned(),
        };
        let first = self.plan.tables.first();
        if let Some(table) = first {
            rejection.table.clone_from(&table.table.name);
            // A record that could not be split still belongs to an arrangement that was named.
            let look = about.map_or_else(|| Look::of(record, &[]), |(look, _)| look);
            let arrangement = table.arrangement.and_then(|at| table.columns.get(at));
            if about.is_some() || arrangement.is_some_and(is_constant) {
                let text = arrangement.and_then(|column| look.text(column).ok().flatten());
                rejection.arrangement_id = text.map(|text| text.into_owned()).unwrap_or_default();
            }
            if let Some((look, columns)) = about {
                let (mut order, mut watch) = (AttributeOrder::default(), Vec::new());
                let (people, marks) = (&mut self.people, self.plan.marks);
                let (order, watch) = (&mut order, &mut watch);
                let typist = Typist { plan: table, marks, people, order, watch, columns };
                rejection.subject = typist.subject(look);
            }
        }
        rejection
    }

    fn push(&mut self, at: usize, row: &Row, out: &mut Outlet) -> Result<(), ReadError> {
        let (Some(table), Some(growing)) = (self.plan.tables.get(at), self.growing.get_mut(at))
        else {
            return Ok(());
        };
        let failed = |source| ReadError::Rows { table: table.table.name.clone(), source };
        if !growing.contains_key(&row.arrangement) {
            let fresh = GrowingTable::new(&table.table).map_err(failed)?;
            growing.insert(row.arrangement.clone(), fresh);
            self.scopes.insert(LoadScope {
                table: table.table.name.clone(),
                arrangement_id: row.arrangement.clone(),
                load: table.load,
            });
        }
        let Some(to) = growing.get_mut(&row.arrangement) else { return Ok(()) };
        to.push(row);
        self.rows += 1;
        self.text += row.arena.len();
        mark(&mut self.gave, row.record);
        if to.rows() >= BATCH_ROWS || to.text_bytes() >= BATCH_TEXT {
            self.rows -= to.rows();
            self.text = self.text.saturating_sub(to.text_bytes());
            out.rows(to.finish(&row.arrangement))?;
        }
        if self.rows >= ROWS_MAX || self.text >= TEXT_MAX {
            self.flush(out)?;
        }
        Ok(())
    }

    /// Hands out everything collected so far.
    fn flush(&mut self, out: &mut Outlet) -> Result<(), ReadError> {
        for growing in &mut self.growing {
            for (arrangement, rows) in std::mem::take(growing) {
                let mut rows = rows;
                if rows.rows() > 0 {
                    out.rows(rows.finish(&arrangement))?;
                }
            }
        }
        self.rows = 0;
        self.text = 0;
        Ok(())
    }

    /// Hands out the rows kept of each group and all that is left.
    pub(crate) fn finish(&mut self, out: &mut Outlet) -> Result<Seen, ReadError> {
        for (at, groups) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            groups
                .finish::<Spilled>(|row| self.push(at, &row, out).map_err(Spilled))
                .map_err(|Spilled(error)| error)?;
        }
        self.flush(out)?;
        let records_with_rows = self.gave.iter().map(|word| u64::from(word.count_ones())).sum();
        let hints = self.plan.tables.iter().zip(&self.watches).flat_map(|(table, watches)| {
            let columns = table.columns.iter().zip(watches);
            columns.filter_map(|(column, watch)| watch.hint(&table.table.name, column))
        });
        let hints = hints.collect();
        Ok(Seen { scopes: std::mem::take(&mut self.scopes), records_with_rows, hints })
    }
}

/// A read error that an I/O error can become.
struct Spilled(ReadError);

impl From<std::io::Error> for Spilled {
    fn from(error: std::io::Error) -> Self {
        Self(ReadError::from_io(error, 0))
    }
}

/// Takes out of the reasons from `before` on those that an earlier one says already: members of an
/// array mostly have the same fault.
fn told_once(reasons: &mut Vec<Reason>, before: usize) {
    let fresh = reasons.split_off(before);
    for reason in fresh {
        let same = |told: &Reason| told.rejection == reason.rejection && told.from == reason.from;
        if !reasons.iter().any(same) {
            reasons.push(reason);
        }
    }
}

/// The rows of a record, without a list when there is but one.
enum Looks<'r> {
    One(std::iter::Once<Look<'r>>),
    Several(std::vec::IntoIter<Look<'r>>),
}

impl<'r> Iterator for Looks<'r> {
    type Item = Look<'r>;

    fn next(&mut self) -> Option<Look<'r>> {
        match self {
            Self::One(one) => one.next(),
            Self::Several(several) => several.next(),
        }
    }
}

fn is_constant(column: &crate::mapping::plan::ColumnPlan) -> bool {
    matches!(column.expr, Some(crate::mapping::plan::Expr::Constant(_)))
}

fn mark(bits: &mut Vec<u64>, record: u32) {
    let (word, bit) = (record as usize / 64, record % 64);
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    if let Some(word) = bits.get_mut(word) {
        *word |= 1 << bit;
    }
}

/// The group of a row and its order within.
fn group_of(
    keep: &KeepPlan,
    look: Look<'_>,
    columns: &ColumnSet,
    row: &Row,
) -> Result<([u8; 16], i64), (&'static str, String, String)> {
    let mut hasher = Sha256::new();
    for text in std::iter::once(Some(row.arrangement.as_str()))
        .chain(keep.by.iter().map(|column| look.cell(*column)))
        .enumerate()
        .map(|(at, text)| text.ok_or(at))
    {
        let text = text.map_err(|at| {
            let column = keep.by.get(at - 1).map_or("", |column| columns.name(*column));
            let reason = "without it the record belongs to no group";
            (code::MISSING_REQUIRED, column.to_owned(), reason.to_owned())
        })?;
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let mut group = [0; 16];
    group.copy_from_slice(hasher.finalize().split_at(16).0);
    let order = match keep.order {
        None => 0,
        Some(column) => {
            let text = look.cell(column).unwrap_or_default();
            number::integer(text, number::Marks::default()).map_err(|fault| {
                let reason = format!("the order within the group: {}", fault.reason);
                (code::BAD_NUMBER, columns.name(column).to_owned(), reason)
            })?
        }
    };
    Ok((group, order))
}
