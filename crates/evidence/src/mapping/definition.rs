//! The mapping file as it is written: one struct per part, and the checks that need neither the
//! vocabulary nor a source. Never evaluates anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::options::{Fold, Load, TextEncoding};

/// Layout of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    /// Lines of cells: CSV, TSV and their kin.
    Delimited,
    /// IEEE 1849 XES event log.
    Xes,
    /// JSON Lines: one object a line.
    JsonLines,
    /// Excel workbook.
    Xlsx,
    /// Apache Parquet.
    Parquet,
    /// iCalendar.
    Icalendar,
}

impl SourceFormat {
    /// Name as in mappings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delimited => "delimited",
            Self::Xes => "xes",
            Self::JsonLines => "json-lines",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Icalendar => "icalendar",
        }
    }

    /// What a file of it is, in words.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Delimited => "delimited text",
            Self::Xes => "XES event logs",
            Self::JsonLines => "JSON Lines",
            Self::Xlsx => "Excel workbooks",
            Self::Parquet => "Parquet",
            Self::Icalendar => "iCalendar files",
        }
    }

    /// Whether `unpivot` takes an array apart instead of turning columns.
    pub(crate) fn has_arrays(self) -> bool {
        matches!(self, Self::JsonLines | Self::Icalendar)
    }

    /// Whether its numbers are always written with a point and nothing else.
    fn has_plain_numbers(self) -> bool {
        !matches!(self, Self::Delimited | Self::Xes)
    }

    /// Whether it is text in some encoding.
    fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Parquet)
    }
}

/// One value or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Name, the same as the file's.
    pub mapping: String,
    /// Heading for people.
    pub title: String,
    /// What source it is for, and the choices it makes.
    pub about: String,
    /// Layout.
    pub format: SourceFormat,
    /// Which sheets of a workbook, and where their head is.
    pub workbook: Option<WorkbookRule>,
    /// Days that recurring events of a calendar are laid out for.
    pub recurrence: Option<Recurrence>,
    /// Delimiter of a delimited source; found out when not said.
    pub delimiter: Option<char>,
    /// Encoding; found out when not said.
    pub encoding: Option<TextEncoding>,
    /// IANA zone of times without offset.
    pub zone: Option<String>,
    /// What ambiguous local times mean.
    #[serde(default)]
    pub fold: Fold,
    /// Formats of dates and times; ISO 8601 when empty.
    #[serde(default)]
    pub date_formats: Vec<String>,
    /// Cells that mean that there is no value. The empty cell always does.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Mark before the decimals: `.` or `,`.
    pub decimal_mark: Option<char>,
    /// Mark between groups of digits, taken out before reading.
    pub group_mark: Option<char>,
    /// Party of person ids; the row's arrangement when not said.
    pub party: Option<String>,
    /// Source columns that hold a person's id → kind of id. Wherever they go, also into
    /// attributes, they go as pseudonyms.
    #[serde(default)]
    pub people: BTreeMap<String, String>,
    /// Source columns that are never taken.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Changes or the whole, for all tables that do not say otherwise.
    pub load: Option<Load>,
    /// Records that are rejected, with the reason.
    #[serde(default)]
    pub quarantine: Vec<Filter>,
    /// Tables fed.
    #[serde(rename = "table")]
    pub tables: Vec<TableRule>,
}

/// How a workbook is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkbookRule {
    /// Sheets by name or pattern, with `*` for any text and `?` for any one character; the only
    /// visible one that holds something when not said.
    pub sheets: Option<OneOrMany>,
    /// Row of the head, from 1; found by the names that the mapping speaks of when not said.
    pub head_row: Option<u32>,
    /// Name under which the rules find the sheet's name.
    pub sheet_to: Option<String>,
}

/// The days that recurring events are laid out for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurrence {
    /// First day, as in `2020-01-01`.
    pub from: String,
    /// First day that is no longer among them.
    pub until: String,
}

impl Recurrence {
    /// Both days, or what is wrong with them.
    pub(crate) fn days(&self) -> Result<(jiff::civil::Date, jiff::civil::Date), String> {
        let day = |text: &str| {
            text.parse::<jiff::civil::Date>().map_err(|_| {
                format!("`{text}` in `[recurrence]` is no day: write it as in 2020-01-01")
            })
        };
        let (from, until) = (day(&self.from)?, day(&self.until)?);
        if from >= until {
            return Err("`[recurrence]` ends before it begins".to_owned());
        }
        Ok((from, until))
    }
}

/// Rejects records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Source column looked at.
    pub column: String,
    /// Rejected when the cell is this.
    pub equals: Option<String>,
    /// Rejected when the cell is one of these.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Rejected when the cell is missing (`true`).
    #[serde(default)]
    pub missing: bool,
    /// Code in the quarantine.
    pub code: String,
    /// Reason in words.
    pub reason: String,
}

/// Holds or not for a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Source column.
    pub column: String,
    /// Holds when the cell is this.
    pub equals: Option<String>,
    /// Holds when the cell is one of these.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// Holds when the cell is there and none of these.
    #[serde(default)]
    pub none_of: Vec<String>,
    /// Holds when the cell is there (`true`) or missing (`false`).
    pub present: Option<bool>,
}

/// One table fed by the source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRule {
    /// Table of the vocabulary.
    pub name: String,
    /// Conditions, all of which must hold for a record to feed the table.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Only the last record of each group feeds the table.
    pub keep: Option<Keep>,
    /// One row per column of a group of columns (months across).
    pub unpivot: Option<Unpivot>,
    /// Changes or the whole.
    pub load: Option<Load>,
    /// Column of the vocabulary → where it comes from.
    pub columns: BTreeMap<String, ColumnSource>,
    /// Source columns that go into the table's attributes.
    pub attributes: Option<AttributesRule>,
}

/// Keeps one record of each group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Source column or columns that make a group (within an arrangement).
    pub last_by: OneOrMany,
    /// Source column with a whole number: the greatest is the last; equal ones go by record.
    pub order: Option<String>,
}

/// Turns columns into rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpivot {
    /// Names, or patterns with `*` for any text and `?` for any one character.
    pub columns: OneOrMany,
    /// Name under which the rules of the table find the column's name.
    pub name_to: String,
    /// Name under which they find its cell. Rows whose cell is missing are left out.
    pub value_to: String,
}

/// Which source columns become attributes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum AttributesRule {
    /// `"rest"`: all that no rule of the table uses.
    Word(String),
    /// These.
    Columns(Vec<String>),
}

/// Where a column comes from: a source column by name, or a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnSource {
    /// Source column.
    Column(String),
    /// Rule.
    Rule(Box<ColumnRule>),
}

// By hand, so that a wrong key within a rule is named and not only the rule as a whole.
impl<'de> Deserialize<'de> for ColumnSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ColumnSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a source column, or a rule as in { from = \"A\" }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ColumnSource, E> {
                Ok(ColumnSource::Column(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnSource, A::Error> {
                let rule = ColumnRule::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ColumnSource::Rule(Box::new(rule)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// How text is changed before it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// `95.8 %` or `95.8` becomes `0.958`.
    Percent,
    /// Decimal places of the share behind a percentage: `95.8 %` becomes `3`.
    PercentPlaces,
    /// Decimal places as written: `0.958` becomes `3`.
    Places,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
}

/// A rule for one column. Exactly one of `from`, `first_of`, `join`, `template`, `constant`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnRule {
    /// Source column.
    pub from: Option<String>,
    /// First of these source columns that is there.
    #[serde(default)]
    pub first_of: Vec<String>,
    /// Source columns joined, without the missing ones.
    #[serde(default)]
    pub join: Vec<String>,
    /// Text between joined values.
    pub with: Option<String>,
    /// Text with `{column}` for cells; missing when any of them is.
    pub template: Option<String>,
    /// Always this.
    pub constant: Option<String>,
    /// Value in the source → value in the vocabulary.
    pub values: Option<BTreeMap<String, String>>,
    /// Value for what `values` does not list; else the record is quarantined.
    pub otherwise: Option<String>,
    /// Value when there is none in the source.
    pub default: Option<String>,
    /// Whether the source may lack the column altogether.
    #[serde(default)]
    pub optional: bool,
    /// Change of the text.
    #[serde(rename = "as")]
    pub transform: Option<Transform>,
    /// Formats of this date instead of the file's.
    #[serde(default)]
    pub formats: Vec<String>,
    /// IANA zone of this time instead of the file's.
    pub zone: Option<String>,
    /// Kind of a person's id.
    pub kind: Option<String>,
    /// Source column with the kind of the person's id.
    pub kind_from: Option<String>,
    /// Party of a person's id.
    pub party: Option<String>,
    /// Source column with the party.
    pub party_from: Option<String>,
    /// Currency of an amount.
    pub currency: Option<String>,
    /// Source column with the currency.
    pub currency_from: Option<String>,
}

impl Definition {
    /// The mapping that a file of the vocabulary needs: every column as it is named. It has no
    /// name of its own.
    pub(crate) fn for_vocabulary(
        table: &crate::vocabulary::Table,
        columns: BTreeMap<String, ColumnSource>,
    ) -> Self {
        let rule = TableRule {
            name: table.name.clone(),
            when: Vec::new(),
            keep: None,
            unpivot: None,
            load: None,
            columns,
            attributes: None,
        };
        Self {
            mapping: String::new(),
            title: table.title.clone(),
            about: table.about.clone(),
            format: SourceFormat::Delimited,
            workbook: None,
            recurrence: None,
            delimiter: None,
            encoding: None,
            zone: None,
            fold: Fold::default(),
            date_formats: Vec::new(),
            missing: Vec::new(),
            decimal_mark: None,
            group_mark: None,
            party: None,
            people: BTreeMap::new(),
            drop: Vec::new(),
            load: None,
            quarantine: Vec::new(),
            tables: vec![rule],
        }
    }

    /// Every source column, or pattern of such, that the mapping names.
    pub(crate) fn source_names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.people.keys().chain(&self.drop).cloned().collect();
        names.extend(self.quarantine.iter().map(|filter| filter.column.clone()));
        for table in &self.tables {
            names.extend(table.when.iter().map(|condition| condition.column.clone()));
            names.extend(table.keep.iter().flat_map(|keep| keep.last_by.as_slice()).cloned());
            names.extend(table.unpivot.iter().flat_map(|turn| turn.columns.as_slice()).cloned());
            if let Some(AttributesRule::Columns(listed)) = &table.attributes {
                names.extend(listed.iter().cloned());
            }
            for source in table.columns.values() {
                match source {
                    ColumnSource::Column(name) => drop(names.insert(name.clone())),
                    ColumnSource::Rule(rule) => names.extend(rule.source_names()),
                }
            }
        }
        names
    }

    /// What is wrong in the file by itself, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.tables.is_empty() {
            return Err("it feeds no table: add a `[[table]]` part".to_owned());
        }
        if self.format != SourceFormat::Delimited && self.delimiter.is_some() {
            return Err(format!("`delimiter` does not belong to {}", self.format.in_words()));
        }
        if self.format != SourceFormat::Xlsx && self.workbook.is_some() {
            return Err("`[workbook]` belongs to `format = \"xlsx\"`".to_owned());
        }
        if self.format != SourceFormat::Icalendar && self.recurrence.is_some() {
            return Err("`[recurrence]` belongs to `format = \"icalendar\"`".to_owned());
        }
        if let Some(recurrence) = &self.recurrence {
            recurrence.days()?;
        }
        if self.workbook.as_ref().is_some_and(|workbook| workbook.head_row == Some(0)) {
            return Err("`head_row` counts from 1".to_owned());
        }
        if self.encoding.is_some() && !self.format.is_text() {
            return Err(format!("`encoding` does not belong to {}", self.format.in_words()));
        }
        if self.format.has_plain_numbers()
            && (self.decimal_mark.is_some() || self.group_mark.is_some())
        {
            return Err(format!(
                "`decimal_mark` and `group_mark` do not belong to {}, whose numbers have a point",
                self.format.in_words()
            ));
        }
        if let Some(mark) = self.decimal_mark.filter(|mark| !matches!(mark, '.' | ',')) {
            return Err(format!("`decimal_mark` is `.` or `,`, not `{mark}`"));
        }
        if self.group_mark.is_some() && self.group_mark == Some(self.decimal_mark.unwrap_or('.')) {
            return Err("`group_mark` and `decimal_mark` are the same".to_owned());
        }
        for filter in &self.quarantine {
            if filter.equals.is_none() && filter.one_of.is_empty() && !filter.missing {
                return Err(format!(
                    "the quarantine filter `{}` needs `equals`, `one_of` or `missing = true`",
                    filter.code
                ));
            }
        }
        for table in &self.tables {
            table.check().map_err(|message| format!("table `{}`: {message}", table.name))?;
        }
        Ok(())
    }
}

impl TableRule {
    fn check(&self) -> Result<(), String> {
        for condition in &self.when {
            if condition.equals.is_none()
                && condition.one_of.is_empty()
                && condition.none_of.is_empty()
                && condition.present.is_none()
            {
                return Err(format!(
                    "the condition on `{}` needs `equals`, `one_of`, `none_of` or `present`",
                    condition.column
                ));
            }
        }
        if self.keep.is_some() && self.unpivot.is_some() {
            return Err("`keep` and `unpivot` cannot stand together".to_owned());
        }
        if let Some(AttributesRule::Word(word)) = &self.attributes
            && word != "rest"
        {
            return Err(format!("`attributes` is \"rest\" or a list of columns, not \"{word}\""));
        }
        for (name, source) in &self.columns {
            if let ColumnSource::Rule(rule) = source {
                rule.check().map_err(|message| format!("column `{name}`: {message}"))?;
            }
        }
        Ok(())
    }
}

impl ColumnRule {
    /// Source columns whose cells make the value.
    pub(crate) fn source_names(&self) -> Vec<String> {
        let template = self.template.iter().flat_map(|text| text.split('{').skip(1));
        let templated = template.filter_map(|part| part.split_once('}')).map(|(name, _)| name);
        let listed = self.from.iter().chain(&self.first_of).chain(&self.join).map(String::as_str);
        listed.chain(templated).map(str::to_owned).collect()
    }

    fn check(&self) -> Result<(), String> {
        let ways = [
            self.from.is_some(),
            !self.first_of.is_empty(),
            !self.join.is_empty(),
            self.template.is_some(),
            self.constant.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            return Err("write exactly one of `from`, `first_of`, `join`, `template`, `constant`"
                .to_owned());
        }
        if self.otherwise.is_some() && self.values.is_none() {
            return Err("`otherwise` belongs to `values`".to_owned());
        }
        if self.with.is_some() && self.join.is_empty() {
            return Err("`with` belongs to `join`".to_owned());
        }
        if self.kind.is_some() && self.kind_from.is_some() {
            return Err("write `kind` or `kind_from`, not both".to_owned());
        }
        if self.party.is_some() && self.party_from.is_some() {
            return Err("write `party` or `party_from`, not both".to_owned());
        }
        if self.currency.is_some() && self.currency_from.is_some() {
            return Err("write `currency` or `currency_from`, not both".to_owned());
        }
        Ok(())
    }
}
