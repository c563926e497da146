//! Settles the names, formats, zones and people of a mapping against one vocabulary and one source.
//! Owns the messages for everything in a mapping that fits neither; never evaluates a record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    TableRule,
    definition::{AttributesRule, ColumnRule, ColumnSource, Condition, Definition, Filter},
    plan::{
        AttributesPlan, ColumnPlan, ConditionPlan, Expr, FilterPlan, Fixed, KeepPlan, Piece,
        Pivots, Source, TablePlan, known_column, table_names, with_nearest,
    },
    wildcard,
};
use crate::{
    options::ImportOptions,
    read::{ReadError, path, record::ColumnSet},
    typing::moment::{DateFormat, Zone},
    vocabulary::{Column, ColumnType, Privacy, Table, Vocabulary},
};

/// Columns of a file that a message names, at most.
const NAMES_SHOWN: usize = 12;

/// The names that an `unpivot` gives to its parts.
pub(crate) struct Pivot {
    name_to: String,
    value_to: String,
    /// The array, when members become rows and not columns.
    array: Option<String>,
}

/// Settles names while a plan is made.
pub(crate) struct Settling<'p> {
    pub(crate) vocabulary: &'p Vocabulary,
    pub(crate) options: &'p ImportOptions,
    pub(crate) columns: &'p mut ColumnSet,
    /// Whether the source's columns are all known now.
    pub(crate) fixed: bool,
    pub(crate) used: BTreeSet<usize>,
    pub(crate) absent: BTreeSet<String>,
    pivot: Option<Pivot>,
    /// Source columns that hold a person's id, with the kind of id.
    people: BTreeMap<String, String>,
}

impl<'p> Settling<'p> {
    pub(crate) fn new(
        definition: &Definition,
        vocabulary: &'p Vocabulary,
        options: &'p ImportOptions,
        columns: &'p mut ColumnSet,
        fixed: bool,
    ) -> Result<Self, ReadError> {
        if fixed {
            refuse_absent(definition, columns)?;
        }
        let people = definition.people.iter();
        let people =
            people.map(|(name, kind)| (columns.canonical(name).into_owned(), kind.clone()));
        Ok(Self {
            people: people.collect(),
            vocabulary,
            options,
            columns,
            fixed,
            used: BTreeSet::new(),
            absent: BTreeSet::new(),
            pivot: None,
        })
    }

    /// The source columns that `[people]` names.
    pub(crate) fn people_columns(&mut self) -> BTreeSet<usize> {
        self.people.keys().map(|name| self.columns.reserve(name)).collect()
    }

    /// The number of a source column; remembers one that the source lacks.
    fn number(&mut self, name: &str, optional: bool) -> usize {
        if self.fixed && !optional && self.columns.number(name).is_none() {
            self.absent.insert(name.to_owned());
        }
        let known = self.columns.number(name).is_some();
        let number = self.columns.reserve(name);
        if known || !self.fixed {
            self.used.insert(number);
        }
        number
    }

    fn source(&mut self, name: &str, optional: bool) -> Source {
        match &self.pivot {
            Some(pivot) if pivot.name_to == name => Source::PivotName,
            Some(pivot) if pivot.value_to == name && pivot.array.is_none() => Source::PivotValue,
            _ => {
                let name = self.column_name(name);
                Source::Cell(self.number(&name, optional))
            }
        }
    }

    /// The source column that a rule's name means: members of an array have names of their own.
    fn column_name(&self, name: &str) -> String {
        if let Some(Pivot { value_to, array: Some(array), .. }) = &self.pivot
            && let Some(field) = name.strip_prefix(value_to.as_str())
            && (field.is_empty() || field.starts_with(['.', '/']))
        {
            return path::member(array, field.strip_prefix('.').unwrap_or(field));
        }
        self.columns.canonical(name).into_owned()
    }

    pub(crate) fn absence(&self, mapping: &str) -> ReadError {
        let known: Vec<&str> = self.columns.names().iter().map(String::as_str).collect();
        let real = known.iter().copied().filter(|name| !self.absent.contains(*name));
        let absent = self.absent.iter().map(|name| with_nearest(name, real.clone()));
        let absent = absent.collect::<Vec<_>>().join(", ");
        let found: Vec<String> = real.map(|name| format!("`{name}`")).collect();
        let remedy = match found.as_slice() {
            [_] => {
                "see whether the mapping's `delimiter` is that of the file, which has one column"
                    .to_owned()
            }
            _ => {
                let shown = found.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
                let more = if found.len() > NAMES_SHOWN { ", …" } else { "" };
                format!(
                    "correct the mapping, or see whether it is the one; the file has {shown}{more}"
                )
            }
        };
        ReadError::plan(format!(
            "the mapping `{mapping}` needs a column that the file does not have: {absent}; {remedy}"
        ))
    }

    pub(crate) fn filter(&mut self, filter: &Filter) -> FilterPlan {
        let one_of = filter.equals.iter().chain(&filter.one_of).cloned().collect();
        FilterPlan {
            column: self.number(&filter.column, false),
            name: filter.column.clone(),
            one_of,
            missing: filter.missing,
            code: filter.code.clone(),
            reason: filter.reason.clone(),
        }
    }

    fn condition(&mut self, condition: &Condition) -> ConditionPlan {
        ConditionPlan {
            column: self.number(&condition.column, false),
            one_of: condition.equals.iter().chain(&condition.one_of).cloned().collect(),
            none_of: condition.none_of.clone(),
            present: condition.present,
        }
    }

    pub(crate) fn table(
        &mut self,
        rule: &TableRule,
        definition: &Definition,
    ) -> Result<TablePlan, ReadError> {
        let mapping = &definition.mapping;
        let Some(table) = self.vocabulary.table(&rule.name) else {
            let known = self.vocabulary.tables().map(|table| table.name.as_str());
            let name = with_nearest(&rule.name, known);
            return Err(ReadError::plan(format!("mapping `{mapping}`: there is no table {name}")));
        };
        for name in rule.columns.keys() {
            if known_column(table, name) != Some(name) {
                return Err(ReadError::plan(format!(
                    "mapping `{mapping}`: table `{}` does not have the column {}",
                    table.name,
                    with_nearest(name, table_names(table))
                )));
            }
        }
        let unpivot = self.unpivot(rule, definition)?;
        let used_before = std::mem::take(&mut self.used);
        let when = rule.when.iter().map(|condition| self.condition(condition)).collect();
        let keep = rule.keep.as_ref().map(|keep| KeepPlan {
            by: keep.last_by.as_slice().iter().map(|name| self.number(name, false)).collect(),
            order: keep.order.as_ref().map(|name| self.number(name, false)),
        });
        // What only decides about the record is still stored among the rest.
        let deciding = std::mem::take(&mut self.used);
        let mut columns = Vec::new();
        for column in &table.columns {
            columns.push(self.column(column, rule, table, definition)?);
        }
        let attributes = self.attributes(rule, table, definition, unpivot.as_ref())?;
        self.used.extend(used_before);
        self.used.extend(deciding);
        self.used.extend(unpivot.iter().flat_map(Pivots::columns));
        self.pivot = None;
        let position = |name: &str| table.columns.iter().position(|column| column.name == name);
        Ok(TablePlan {
            load: self.options.load.or(rule.load).or(definition.load).unwrap_or_default(),
            when,
            keep,
            unpivot,
            columns,
            attributes,
            arrangement: position("arrangement_id"),
            subject: subject(table),
            validity: position("valid_from").zip(position("valid_to")),
            table: table.clone(),
        })
    }

    fn unpivot(
        &mut self,
        rule: &TableRule,
        Definition { mapping, format, .. }: &Definition,
    ) -> Result<Option<Pivots>, ReadError> {
        let Some(unpivot) = &rule.unpivot else { return Ok(None) };
        let wrong = |message: String| {
            Err(ReadError::plan(format!("mapping `{mapping}`: `unpivot` {message}")))
        };
        let (name_to, value_to) = (unpivot.name_to.clone(), unpivot.value_to.clone());
        let patterns = unpivot.columns.as_slice();
        if format.has_arrays() {
            let [array] = patterns else { return wrong("takes one array apart: name one".into()) };
            let array = self.columns.canonical(array).into_owned();
            let members = self.columns.reserve(&path::member(&array, ""));
            self.pivot = Some(Pivot { name_to, value_to, array: Some(array) });
            return Ok(Some(Pivots::Items(members)));
        }
        if !self.fixed {
            return wrong("does not fit an event log, which has no columns to turn".to_owned());
        }
        let names = self.columns.names().iter().enumerate();
        let matching: Vec<usize> = names
            .filter(|(_, name)| patterns.iter().any(|pattern| wildcard::matches(pattern, name)))
            .map(|(number, _)| number)
            .collect();
        let named = |number: &&usize| self.people.contains_key(self.columns.name(**number));
        if let Some(number) = matching.iter().find(named) {
            return wrong(format!(
                "takes `{}`, which holds ids of people, and they would stand in clear: leave it out",
                self.columns.name(*number)
            ));
        }
        if matching.is_empty() {
            return wrong(format!("finds no column that fits `{}`", patterns.join("`, `")));
        }
        self.pivot = Some(Pivot { name_to, value_to, array: None });
        Ok(Some(Pivots::Columns(matching)))
    }

    fn column(
        &mut self,
        column: &Column,
        table_rule: &TableRule,
        table: &Table,
        definition: &Definition,
    ) -> Result<ColumnPlan, ReadError> {
        let set = self.options.set.get(&column.name);
        let rule = match (set, table_rule.columns.get(&column.name)) {
            (Some(value), _) => {
                Some(ColumnRule { constant: Some(value.clone()), ..ColumnRule::default() })
            }
            (None, Some(ColumnSource::Column(name))) => {
                Some(ColumnRule { from: Some(name.clone()), ..ColumnRule::default() })
            }
            (None, Some(ColumnSource::Rule(rule))) => Some((**rule).clone()),
            (None, None) => None,
        };
        if rule.is_none() && column.required {
            return Err(ReadError::plan(format!(
                "table `{}` needs the column `{}`: add it to the {}, or give it with `--set {}=…`",
                table.name,
                column.name,
                if definition.mapping.is_empty() { "file" } else { "mapping" },
                column.name
            )));
        }
        let mapped = rule.is_some();
        let rule = rule.unwrap_or_default();
        let place = format!("table `{}`, column `{}`", table.name, column.name);
        if column.kind != ColumnType::Person {
            self.refuse_people(&rule).map_err(|message| wrong(&place, &message))?;
        }
        let expr = if mapped { self.expr(&rule).map_err(|m| wrong(&place, &m))? } else { None };
        let (kind, party) = self.person(&rule, definition);
        let currency = match (&rule.currency, &rule.currency_from) {
            (Some(text), _) => Some(Fixed::Text(text.clone())),
            (None, Some(from)) => Some(Fixed::From(self.source(from, false))),
            (None, None) => None,
        };
        let formats = self.formats(&rule, set.is_some(), definition);
        let formats = formats.map_err(|message| wrong(&place, &message))?;
        let zone = self.zone(column, &rule, &formats, mapped, definition);
        let zone = zone.map_err(|message| wrong(&place, &message))?;
        let named_id = column.name.ends_with("_id") && column.kind == ColumnType::Text;
        Ok(ColumnPlan {
            is_id: named_id || column.kind == ColumnType::Reference,
            native: self.columns.cells.native,
            column: column.clone(),
            expr,
            values: rule.values,
            otherwise: rule.otherwise,
            default: rule.default,
            transform: rule.transform,
            formats,
            zone,
            kind,
            party,
            currency,
        })
    }

    /// A column that `[people]` names holds real ids, and only a column of person ids hides them.
    fn refuse_people(&self, rule: &ColumnRule) -> Result<(), String> {
        let turned = |name: &str| {
            self.pivot.as_ref().is_some_and(|pivot| pivot.array.is_none() && pivot.value_to == name)
        };
        for name in rule.source_names().iter().filter(|name| !turned(name)) {
            if self.people.contains_key(&self.column_name(name)) {
                return Err(format!(
                    "`{name}` holds ids of people, which would stand here in clear: leave it out, or \
                     take `{name}` out of `[people]` if it holds none"
                ));
            }
        }
        Ok(())
    }

    fn person(&mut self, rule: &ColumnRule, definition: &Definition) -> (Fixed, Fixed) {
        let from = rule.from.as_ref().map(|from| self.column_name(from));
        let known = from.and_then(|from| self.people.get(&from));
        let kind = match (&rule.kind, &rule.kind_from) {
            (Some(kind), _) => Fixed::Text(kind.clone()),
            (None, Some(from)) => Fixed::From(self.source(from, false)),
            (None, None) => {
                let kind = known.or(self.options.id_kind.as_ref());
                Fixed::Text(kind.map_or_else(|| "person".to_owned(), Clone::clone))
            }
        };
        let party = match (&rule.party, &rule.party_from) {
            (Some(party), _) => Fixed::Text(party.clone()),
            (None, Some(from)) => Fixed::From(self.source(from, false)),
            (None, None) => default_party(self.options, definition),
        };
        (kind, party)
    }

    fn expr(&mut self, rule: &ColumnRule) -> Result<Option<Expr>, String> {
        let optional = rule.optional;
        if let Some(from) = &rule.from {
            return Ok(Some(Expr::From(self.source(from, optional))));
        }
        let mut several = |names: &[String]| -> Vec<Source> {
            names.iter().map(|name| self.source(name, optional)).collect()
        };
        if !rule.first_of.is_empty() {
            return Ok(Some(Expr::FirstOf(several(&rule.first_of))));
        }
        if !rule.join.is_empty() {
            let with = rule.with.clone().unwrap_or_default();
            return Ok(Some(Expr::Join(several(&rule.join), with)));
        }
        if let Some(constant) = &rule.constant {
            return Ok(Some(Expr::Constant(constant.clone())));
        }
        let Some(template) = &rule.template else { return Ok(None) };
        let mut pieces = Vec::new();
        let mut rest = template.as_str();
        while let Some((text, tail)) = rest.split_once('{') {
            let (name, tail) = tail
                .split_once('}')
                .ok_or_else(|| format!("the template `{template}` has a `{{` without `}}`"))?;
            if !text.is_empty() {
                pieces.push(Piece::Text(text.to_owned()));
            }
            pieces.push(Piece::Value(self.source(name, optional)));
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Some(Expr::Template(pieces)))
    }

    fn formats(
        &self,
        rule: &ColumnRule,
        set: bool,
        definition: &Definition,
    ) -> Result<Vec<DateFormat>, String> {
        let texts = if set {
            &[]
        } else if !rule.formats.is_empty() {
            rule.formats.as_slice()
        } else if !self.options.date_formats.is_empty() {
            self.options.date_formats.as_slice()
        } else {
            definition.date_formats.as_slice()
        };
        if texts.is_empty() {
            return Ok(vec![DateFormat::Iso]);
        }
        let from_1904 = self.columns.cells.from_1904;
        let format = |text: &String| match text.as_str() {
            "excel" => Ok(DateFormat::Serial { from_1904 }),
            text => DateFormat::from_text(text),
        };
        texts.iter().map(format).collect()
    }

    fn zone(
        &self,
        column: &Column,
        rule: &ColumnRule,
        formats: &[DateFormat],
        mapped: bool,
        definition: &Definition,
    ) -> Result<Option<Zone>, String> {
        if column.kind != ColumnType::Instant {
            return Ok(None);
        }
        let named = rule.zone.as_ref().or(self.options.zone.as_ref()).or(definition.zone.as_ref());
        let fold = self.options.fold.unwrap_or(definition.fold);
        let zone = named.map(|name| Zone::named(name, fold)).transpose()?;
        let local = !formats.iter().any(|format| match format {
            DateFormat::Iso => true,
            DateFormat::Directives(text) => text.contains("%z") || text.contains("%:z"),
            DateFormat::Serial { .. } => false,
        });
        if zone.is_none() && local && mapped {
            return Err("the times of this file have no offset: name their zone, as in `--zone \
                        Europe/Dublin`"
                .to_owned());
        }
        Ok(zone)
    }

    fn attributes(
        &mut self,
        rule: &TableRule,
        table: &Table,
        definition: &Definition,
        unpivoted: Option<&Pivots>,
    ) -> Result<Option<AttributesPlan>, ReadError> {
        let Some(attributes) = &rule.attributes else { return Ok(None) };
        if !table.columns.iter().any(|column| column.kind == ColumnType::Attributes) {
            let message = "it has no attributes".to_owned();
            return Err(wrong(&format!("table `{}`", table.name), &message));
        }
        let mut plan = AttributesPlan {
            rest: false,
            listed: Vec::new(),
            excluded: BTreeSet::new(),
            people: HashMap::new(),
            party: default_party(self.options, definition),
        };
        match attributes {
            AttributesRule::Columns(names) => {
                plan.listed = names.iter().map(|name| self.number(name, false)).collect();
            }
            AttributesRule::Word(_) => {
                plan.rest = true;
                plan.excluded.clone_from(&self.used);
                plan.excluded.extend(unpivoted.iter().flat_map(|pivots| pivots.columns()));
                let numbers = 0..self.columns.len();
                let taken = numbers.filter(|number| !plan.excluded.contains(number));
                let taken: Vec<usize> = taken.collect();
                self.used.extend(taken);
            }
        }
        for name in &definition.drop {
            let number = self.number(name, true);
            plan.excluded.insert(number);
        }
        for (name, kind) in self.people.clone() {
            let number = self.number(&name, true);
            plan.people.insert(number, kind);
        }
        Ok(Some(plan))
    }
}

/// Under a misspelt name in `[people]` real ids would be stored in clear, and under one in `drop`
/// what must not be taken.
fn refuse_absent(definition: &Definition, columns: &ColumnSet) -> Result<(), ReadError> {
    let people = definition.people.keys().map(|name| ("[people]", name));
    let dropped = definition.drop.iter().map(|name| ("drop", name));
    let mut absent = people.chain(dropped).filter(|(_, name)| columns.number(name).is_none());
    let Some((place, name)) = absent.next() else { return Ok(()) };
    let known = columns.names().iter().map(String::as_str);
    Err(ReadError::plan(format!(
        "the mapping `{}` names a column in `{place}` that the file does not have: {}; correct the \
         name, or take it out: what stands under another name would be kept in clear",
        definition.mapping,
        with_nearest(name, known)
    )))
}

/// Whose ids they are when no rule says so.
fn default_party(options: &ImportOptions, definition: &Definition) -> Fixed {
    let said = options.party.as_ref().or(definition.party.as_ref());
    said.map_or(Fixed::Arrangement, |party| Fixed::Text(party.clone()))
}

/// The column that says what a row is about: the case, else the first other part of the identity
/// that is a text and no personal one.
fn subject(table: &Table) -> Option<usize> {
    let position = |name: &str| table.columns.iter().position(|column| column.name == name);
    position("case_id").or_else(|| {
        table.identity.iter().find_map(|name| {
            let at = position(name)?;
            let column = table.columns.get(at)?;
            let text = matches!(column.kind, ColumnType::Text | ColumnType::Reference);
            (text && name != "arrangement_id" && column.privacy < Privacy::Personal).then_some(at)
        })
    })
}

fn wrong(place: &str, message: &str) -> ReadError {
    ReadError::plan(format!("{place}: {message}"))
}
