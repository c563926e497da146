//! One record against the plan: conditions, texts, types, pseudonyms, attributes. Owns the way from
//! a raw record to typed rows or to the reasons why not; never knows where they go.

use std::borrow::Cow;

use super::{
    choice::OrderWatch,
    people::People,
    record::{ColumnSet, Item, RawRecord},
};
use crate::{
    mapping::{
        Transform,
        plan::{
            AttributesPlan, ColumnPlan, ConditionPlan, Expr, FilterPlan, Fixed, Piece, Pivots,
            Source, TablePlan,
        },
    },
    quarantine::code,
    sink::Rejection,
    typing::{
        self, Fault,
        moment::{self, DateFormat},
        number::{self, Marks},
        row::{Cell, Row},
    },
    vocabulary::ColumnType,
};

/// Most reasons that are told of one record.
const REASONS_MAX: usize = 16;
/// Most attributes of a row, and most bytes of them.
const ATTRIBUTES_MAX: (usize, usize) = (256, 64 << 10);

/// A record as the rules look at it.
#[derive(Clone, Copy)]
pub(crate) struct Look<'r> {
    pub(crate) record: &'r RawRecord,
    pub(crate) missing: &'r [String],
    pub(crate) pivot: Option<(&'r str, &'r str)>,
    /// Column that was turned into this row.
    pub(crate) pivot_column: Option<usize>,
    /// Member of an array, when the row is made from one.
    pub(crate) item: Option<&'r Item>,
}

/// Why a record is not taken, and the columns of the source that say so.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub(crate) rejection: Rejection,
    pub(crate) from: Vec<usize>,
}

impl<'r> Look<'r> {
    pub(crate) fn of(record: &'r RawRecord, missing: &'r [String]) -> Self {
        Self { record, missing, pivot: None, pivot_column: None, item: None }
    }

    /// The same record, looked at from a member of an array.
    pub(crate) fn at_item(self, item: &'r Item) -> Self {
        Self { pivot: Some((&item.position, "")), item: Some(item), ..self }
    }

    /// The rows that a record gives to a table: itself, or one for each column or member.
    pub(crate) fn rows(self, unpivot: Option<&Pivots>, columns: &'r ColumnSet) -> Vec<Self> {
        match unpivot {
            None => vec![self],
            Some(Pivots::Columns(numbers)) => {
                let there = numbers.iter().filter(|number| self.cell(**number).is_some());
                let at = |number: &usize| {
                    let cell = self.record.cell(*number).unwrap_or_default();
                    let pivot = Some((columns.name(*number), cell));
                    Self { pivot, pivot_column: Some(*number), ..self }
                };
                there.map(at).collect()
            }
            Some(Pivots::Items(array)) => {
                let members = self.record.items.iter().filter(|item| item.array == *array);
                members.map(|item| self.at_item(item)).collect()
            }
        }
    }

    /// A cell as written.
    pub(crate) fn raw(&self, column: usize) -> Option<&'r str> {
        self.record.cell(column).or_else(|| {
            let (_, span) = self.item?.cells.iter().find(|(number, _)| *number == column)?;
            self.record.item_text(*span)
        })
    }

    /// A cell without outer blanks; `None` when it is missing.
    pub(crate) fn cell(&self, column: usize) -> Option<&'r str> {
        self.present(self.raw(column)?)
    }

    fn present(&self, text: &'r str) -> Option<&'r str> {
        let text = typing::trim(text);
        (!text.is_empty() && !self.missing.iter().any(|marker| marker == text)).then_some(text)
    }

    pub(crate) fn source(&self, source: Source) -> Option<&'r str> {
        match source {
            Source::Cell(column) => self.cell(column),
            Source::PivotName => self.pivot.map(|(name, _)| name),
            Source::PivotValue => self.present(self.pivot?.1),
        }
    }

    pub(crate) fn holds(&self, condition: &ConditionPlan) -> bool {
        let cell = self.cell(condition.column);
        let among = |list: &[String]| cell.is_some_and(|cell| list.iter().any(|one| one == cell));
        (condition.one_of.is_empty() || among(&condition.one_of))
            && (condition.none_of.is_empty() || (cell.is_some() && !among(&condition.none_of)))
            && condition.present.is_none_or(|present| present == cell.is_some())
    }

    pub(crate) fn rejected_by(&self, filter: &FilterPlan) -> bool {
        // A filter names values of the source, also one that elsewhere means missing.
        let raw = self.record.cell(filter.column).map(str::trim);
        let listed = raw.is_some_and(|raw| filter.one_of.iter().any(|one| one == raw));
        listed || (filter.missing && self.cell(filter.column).is_none())
    }

    fn expr(&self, expr: &'r Expr) -> Option<Cow<'r, str>> {
        match expr {
            Expr::From(source) => self.source(*source).map(Cow::Borrowed),
            Expr::FirstOf(sources) => {
                sources.iter().find_map(|source| self.source(*source)).map(Cow::Borrowed)
            }
            Expr::Constant(text) => Some(Cow::Borrowed(text)),
            Expr::Join(sources, with) => {
                let parts: Vec<&str> =
                    sources.iter().filter_map(|source| self.source(*source)).collect();
                (!parts.is_empty()).then(|| Cow::Owned(parts.join(with)))
            }
            Expr::Template(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(fixed) => text.push_str(fixed),
                        Piece::Value(source) => text.push_str(self.source(*source)?),
                    }
                }
                Some(Cow::Owned(text))
            }
        }
    }

    /// The text of a column, before typing.
    pub(crate) fn text(&self, plan: &'r ColumnPlan) -> Result<Option<Cow<'r, str>>, Fault> {
        let text = plan.expr.as_ref().and_then(|expr| self.expr(expr));
        let Some(text) = text else { return Ok(plan.default.as_deref().map(Cow::Borrowed)) };
        let text = match &plan.values {
            None => text,
            Some(values) => match values.get(text.as_ref()).or(plan.otherwise.as_ref()) {
                // A value may be mapped to nothing.
                Some(mapped) if mapped.is_empty() => return Ok(None),
                Some(mapped) => Cow::Borrowed(mapped.as_str()),
                None => {
                    return Err(Fault::new(
                        code::UNMAPPED_VALUE,
                        "the mapping's `values` do not list this value: add it, or `otherwise`",
                    ));
                }
            },
        };
        match plan.transform {
            None => Ok(Some(text)),
            Some(transform) => transformed(&text, transform).map(|text| Some(Cow::Owned(text))),
        }
    }

    fn fixed(&self, fixed: &'r Fixed, arrangement: &'r str) -> Option<&'r str> {
        match fixed {
            Fixed::Text(text) => Some(text),
            Fixed::From(source) => self.source(*source),
            Fixed::Arrangement => Some(arrangement),
        }
    }
}

fn transformed(text: &str, transform: Transform) -> Result<String, Fault> {
    let places = |text: &str| {
        text.split_once(['.', ',']).map_or(0, |(_, decimals)| decimals.trim_end().len())
    };
    let bare = text.trim_end_matches('%').trim_end();
    let check = |text: &str| number::decimal(&text.replace(',', "."), Marks::default());
    Ok(match transform {
        Transform::Lower => text.to_lowercase(),
        Transform::Upper => text.to_uppercase(),
        Transform::Places => {
            check(text)?;
            places(text).to_string()
        }
        Transform::PercentPlaces => {
            check(bare)?;
            (places(bare) + 2).to_string()
        }
        Transform::Percent => {
            let value = number::scaled(&bare.replace(',', "."), 7, Marks::default())?;
            let sign = if value < 0 { "-" } else { "" };
            let value = value.unsigned_abs();
            format!("{sign}{}.{:09}", value / 1_000_000_000, value % 1_000_000_000)
        }
    })
}

/// Attribute columns of a table in order of their names, brought up to date as a log brings new
/// ones.
#[derive(Default)]
pub(crate) struct AttributeOrder {
    seen: usize,
    sorted: Vec<(String, usize)>,
}

impl AttributeOrder {
    fn update(&mut self, plan: &AttributesPlan, columns: &ColumnSet) {
        if self.seen == columns.len() {
            return;
        }
        for number in self.seen..columns.len() {
            let listed = if plan.rest { true } else { plan.listed.contains(&number) };
            if listed && !plan.excluded.contains(&number) {
                self.sorted.push((columns.name(number).to_owned(), number));
            }
        }
        self.seen = columns.len();
        self.sorted.sort();
    }
}

/// Types rows of one table.
pub(crate) struct Typist<'p, 'k> {
    pub(crate) plan: &'p TablePlan,
    pub(crate) marks: Marks,
    pub(crate) people: &'p mut People<'k>,
    pub(crate) order: &'p mut AttributeOrder,
    /// One for each column.
    pub(crate) watch: &'p mut Vec<OrderWatch>,
    pub(crate) columns: &'p ColumnSet,
}

impl Typist<'_, '_> {
    /// Types one row. Reasons are added when it cannot be; the row is void then.
    pub(crate) fn row(&mut self, look: Look<'_>, row: &mut Row, reasons: &mut Vec<Reason>) {
        row.clear();
        let before = reasons.len();
        let plan = self.plan;
        let mut faults: Vec<(&ColumnPlan, Fault)> = Vec::new();
        let arrangement = plan.arrangement.and_then(|at| plan.columns.get(at));
        if let Some(Ok(Some(text))) = arrangement.map(|column| look.text(column))
            && typing::check_id(&text).is_ok()
        {
            row.arrangement.push_str(&text);
        }
        for (at, column) in plan.columns.iter().enumerate() {
            let cell = match self.cell(column, at, look, row) {
                Ok(Cell::Null) if column.column.required => {
                    Err(Fault::new(code::MISSING_REQUIRED, "a value is required and there is none"))
                }
                other => other,
            };
            match cell {
                Ok(cell) => row.cells.push(cell),
                Err(fault) => {
                    row.cells.push(Cell::Null);
                    faults.push((column, fault));
                }
            }
        }
        if let Some((from, to)) = plan.validity
            && let (Some(Cell::Date(from)), Some(Cell::Date(to))) =
                (row.cells.get(from), row.cells.get(to))
            && to <= from
        {
            let reason = "`valid_to` is the first day after, so it must lie after `valid_from`";
            let column = plan.validity.and_then(|(_, to)| plan.columns.get(to));
            faults.extend(column.map(|c| (c, Fault::new(code::EMPTY_VALIDITY, reason))));
        }
        if faults.is_empty() {
            return;
        }
        let subject = self.subject(look);
        for (column, fault) in faults.into_iter().take(REASONS_MAX.saturating_sub(before)) {
            let rejection = Rejection {
                record: look.record.number,
                table: plan.table.name.clone(),
                arrangement_id: row.arrangement.clone(),
                subject: subject.clone(),
                column: Some(column.column.name.clone()),
                cell: None,
                code: fault.code,
                reason: fault.reason,
            };
            reasons.push(Reason { rejection, from: look.origin(column) });
        }
    }

    /// What the row is about, when that can be read.
    pub(crate) fn subject(&self, look: Look<'_>) -> Option<String> {
        let column = self.plan.columns.get(self.plan.subject?)?;
        let text = look.text(column).ok()??;
        typing::check_id(&text).is_ok().then(|| text.into_owned())
    }

    fn cell(
        &mut self,
        plan: &ColumnPlan,
        at: usize,
        look: Look<'_>,
        row: &mut Row,
    ) -> Result<Cell, Fault> {
        if plan.column.kind == ColumnType::Attributes && self.plan.attributes.is_some() {
            return self.attributes(look, row);
        }
        let Some(text) = look.text(plan)? else { return Ok(Cell::Null) };
        let text = typing::trim(&text);
        if text.is_empty() {
            return Ok(Cell::Null);
        }
        let store = |row: &mut Row, text: &str| {
            let (start, end) = row.store(text);
            Cell::Text(start, end)
        };
        Ok(match plan.column.kind {
            ColumnType::Text | ColumnType::Reference => {
                if plan.is_id {
                    typing::check_id(text)?;
                }
                match plan.column.list {
                    true => store(row, &typing::list(text)),
                    false => store(row, text),
                }
            }
            ColumnType::Integer => Cell::Integer(number::integer(text, self.marks)?),
            ColumnType::Duration => Cell::Integer(number::duration(text)?),
            ColumnType::Decimal if plan.native && text.ends_with('%') => {
                let share = transformed(text, Transform::Percent)?;
                Cell::Decimal(number::decimal(&share, Marks::default())?)
            }
            ColumnType::Decimal => Cell::Decimal(number::decimal(text, self.marks)?),
            ColumnType::Boolean => Cell::Boolean(typing::boolean(text)?),
            ColumnType::Country => store(row, &typing::country(text)?),
            ColumnType::Currency => store(row, &typing::currency(text)?),
            ColumnType::LanguageLevel => store(row, &typing::language_level(text)?),
            ColumnType::Enumeration => store(row, typing::enumeration(text, &plan.column.values)?),
            ColumnType::Money => {
                let known = plan.currency.as_ref().and_then(|fixed| look.fixed(fixed, ""));
                let (minor, currency) = number::money(text, known, self.marks)?;
                Cell::Money { minor, currency: row.store(&currency) }
            }
            ColumnType::Date | ColumnType::Instant => {
                if self.watch.len() <= at {
                    self.watch.resize(at + 1, OrderWatch::default());
                }
                moment_cell(plan, text, self.watch.get_mut(at))?
            }
            ColumnType::Person => {
                let arrangement = std::mem::take(&mut row.arrangement);
                let part = |fixed| {
                    look.fixed(fixed, &arrangement).ok_or_else(|| {
                        let reason = "the kind or the party of the person's id is missing";
                        Fault::new(code::MISSING_REQUIRED, reason)
                    })
                };
                let cell = match (part(&plan.party), part(&plan.kind)) {
                    (Ok(party), Ok(kind)) => {
                        match self.people.pseudonym(party, kind, text, &arrangement) {
                            Some(pseudonym) => Ok(store(row, pseudonym)),
                            None => Ok(Cell::Null),
                        }
                    }
                    (Err(fault), _) | (_, Err(fault)) => Err(fault),
                };
                row.arrangement = arrangement;
                cell?
            }
            ColumnType::Attributes => store(row, &attributes_text(text)?),
        })
    }

    /// All attribute columns that are there, as one JSON object with sorted keys.
    fn attributes(&mut self, look: Look<'_>, row: &mut Row) -> Result<Cell, Fault> {
        let Some(plan) = &self.plan.attributes else { return Ok(Cell::Null) };
        self.order.update(plan, self.columns);
        let start = row.arena.len();
        row.arena.push('{');
        let mut count = 0;
        for (name, number) in &self.order.sorted {
            let Some(present) = look.cell(*number) else { continue };
            if count > 0 {
                row.arena.push(',');
            }
            count += 1;
            push_json(&mut row.arena, name);
            row.arena.push(':');
            match plan.people.get(number) {
                None => push_json(&mut row.arena, look.raw(*number).unwrap_or(present)),
                Some(kind) => {
                    let arrangement = row.arrangement.as_str();
                    let party = look.fixed(&plan.party, arrangement).unwrap_or_default();
                    let given = self.people.pseudonym(party, kind, present, arrangement);
                    push_json(&mut row.arena, given.unwrap_or_default());
                }
            }
        }
        row.arena.push('}');
        let end = row.arena.len();
        if count == 0 {
            row.arena.truncate(start);
            return Ok(Cell::Null);
        }
        check_attributes(count, end - start)?;
        Ok(Cell::Text(start, end))
    }
}

fn moment_cell(
    plan: &ColumnPlan,
    text: &str,
    watch: Option<&mut OrderWatch>,
) -> Result<Cell, Fault> {
    let format = plan.formats.first().unwrap_or(&DateFormat::Iso);
    let wanted = |what: &str| {
        let form = match format {
            DateFormat::Iso => "ISO 8601".to_owned(),
            DateFormat::Directives(format) => format!("`{format}`"),
            DateFormat::Serial { .. } => "of a spreadsheet's number of days".to_owned(),
        };
        Fault::new(code::BAD_DATE, format!("not {what} in the form {form}"))
    };
    let instant = plan.column.kind == ColumnType::Instant;
    if instant
        && *format == DateFormat::Iso
        && let Some((us, offset)) = moment::plain_instant(text)
    {
        return Ok(Cell::Instant { us, offset });
    }
    let what = if instant { "an instant" } else { "a date" };
    let marked = if plan.native { DateFormat::Iso.parse(text) } else { None };
    let read = marked.or_else(|| format.parse(text));
    if let Some(watch) = watch {
        match read {
            Some(written) => watch.fitted(written),
            None => watch.failed(format, text),
        }
    }
    let written = read.ok_or_else(|| wanted(what))?;
    if instant {
        let (us, offset) = moment::instant(written, plan.zone.as_ref())?;
        return Ok(Cell::Instant { us, offset });
    }
    let midnight = plan.native && written.time == Some(jiff::civil::Time::midnight());
    if written.time.is_some() && !midnight && (*format == DateFormat::Iso || marked.is_some()) {
        return Err(Fault::new(code::BAD_DATE, "an instant, where a civil date is expected"));
    }
    Ok(Cell::Date(moment::day_number(written.date)))
}

/// `attributes` of a file that speaks the vocabulary: a JSON object of texts.
fn attributes_text(text: &str) -> Result<String, Fault> {
    let parsed: Result<std::collections::BTreeMap<String, String>, _> = serde_json::from_str(text);
    let parsed = parsed.map_err(|_| {
        Fault::new(code::BAD_ATTRIBUTE, "not a JSON object of texts: write {\"name\": \"text\"}")
    })?;
    let canonical = serde_json::to_string(&parsed).unwrap_or_default();
    check_attributes(parsed.len(), canonical.len())?;
    Ok(canonical)
}

fn check_attributes(count: usize, bytes: usize) -> Result<(), Fault> {
    if count > ATTRIBUTES_MAX.0 {
        let reason = format!("{count} attributes, more than {}", ATTRIBUTES_MAX.0);
        return Err(Fault::new(code::TOO_LARGE_ATTRIBUTES, reason));
    }
    if bytes > ATTRIBUTES_MAX.1 {
        return Err(Fault::new(code::TOO_LARGE_ATTRIBUTES, "more than 64 KiB of attributes"));
    }
    Ok(())
}

fn push_json(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        // A text always has a JSON form.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}
