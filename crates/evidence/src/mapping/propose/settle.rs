//! From pairs of columns to a whole proposal: dates, values, people, what is left out, and what stays
//! a question, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answers, Marked, Origin, Proposal, ProposedColumn, Question, Sample,
    assign::{Assignment, SourceColumn},
    word::{self, SAME},
};
use crate::{
    typing::moment::DateFormat,
    vocabulary::{Column, ColumnType, Table},
};

/// Rows in which a counter must be different, in thousandths.
const NEARLY_ALL: u32 = 980;
/// Columns whose names say that they count up.
const COUNTERS: [&str; 9] =
    ["count", "number", "version", "revision", "sequence", "seq", "line", "index", "position"];
/// Heads of months across.
const MONTHS: [&str; 4] = ["%b %Y", "%B %Y", "%Y-%m", "%m/%Y"];

/// Puts a proposal together; table reasons, missing marks and the text come later.
pub(super) fn settle(
    sample: &Sample,
    table: &Table,
    answers: &Answers,
    sources: &[SourceColumn<'_>],
    assignment: &Assignment,
) -> Proposal {
    let mut work = Work {
        sample,
        table,
        answers,
        sources,
        assignment,
        proposal: Proposal {
            name: answers.name.clone().unwrap_or_else(|| mapping_name(&sample.file_name)),
            file: sample.file_name.clone(),
            records: sample.records,
            table: table.name.clone(),
            table_why: String::new(),
            other_tables: Vec::new(),
            columns: Vec::new(),
            dates: Vec::new(),
            zone: None,
            missing: Vec::new(),
            decimal_mark: None,
            group_mark: None,
            people: Vec::new(),
            dropped: Vec::new(),
            attributes: Vec::new(),
            unused: Vec::new(),
            questions: Vec::new(),
            remarks: Vec::new(),
            text: String::new(),
        },
    };
    work.columns();
    work.event_id();
    work.dates();
    work.numbers();
    work.values();
    work.people();
    work.rest();
    work.months_across();
    work.proposal
}

/// Asks for the table where others fit as well.
pub(super) fn ask_table(proposal: &mut Proposal, answers: &Answers) {
    if answers.table.is_some() || proposal.other_tables.is_empty() {
        return;
    }
    let question = Question {
        about: "table".to_owned(),
        text: format!(
            "which table does the file feed? `{}` fits best, `{}` nearly as well",
            proposal.table,
            proposal.other_tables.join("`, `")
        ),
        option: format!("--table {}", proposal.table),
        blocks: false,
    };
    proposal.questions.insert(0, question);
}

/// A name for the mapping from that of the file: small letters, digits and hyphens, without endings
/// and without what looks like a date.
fn mapping_name(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default().to_lowercase();
    let parts: Vec<&str> = stem
        .split(|symbol: char| !symbol.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let name = parts.join("-");
    if name.is_empty() { "source".to_owned() } else { name }
}

/// A proposal in the making.
pub(super) struct Work<'w> {
    sample: &'w Sample,
    pub(super) table: &'w Table,
    pub(super) answers: &'w Answers,
    pub(super) sources: &'w [SourceColumn<'w>],
    assignment: &'w Assignment,
    pub(super) proposal: Proposal,
}

impl Work<'_> {
    pub(super) fn source(&self, name: &str) -> Option<&SourceColumn<'_>> {
        self.sources.iter().find(|source| source.name == name)
    }

    pub(super) fn ask(&mut self, about: String, text: String, option: String, blocks: bool) {
        self.proposal.questions.push(Question { about, text, option, blocks });
    }

    /// The source column of a proposed column.
    fn origin(&self, column: &str) -> Option<String> {
        let found = self.proposal.columns.iter().find(|proposed| proposed.column == column)?;
        match &found.from {
            Origin::Column(source) => Some(source.clone()),
            _ => None,
        }
    }

    fn columns(&mut self) {
        let table = self.table;
        for (at, column) in table.columns.iter().enumerate() {
            if column.retired || column.kind == ColumnType::Attributes {
                continue;
            }
            match self.column(at, column) {
                Some((from, why)) => {
                    let others = self.assignment.others.iter();
                    let others = others.filter(|(of, _)| *of == at);
                    let others = others.filter_map(|(_, source)| self.sources.get(*source));
                    let others = others.map(|source| source.name.to_owned()).take(3).collect();
                    self.proposal.columns.push(ProposedColumn {
                        column: column.name.clone(),
                        required: column.required,
                        from,
                        why,
                        format: None,
                        values: BTreeMap::new(),
                        unknown: Vec::new(),
                        percent: false,
                        others,
                    });
                }
                None => self.lacking(at, column),
            }
        }
    }

    /// Where a column comes from, and why.
    fn column(&self, at: usize, column: &Column) -> Option<(Origin, String)> {
        if let Some(value) = self.answers.set.get(&column.name) {
            return Some((Origin::Constant(value.clone()), "as you said".to_owned()));
        }
        if let Some(said) = self.answers.columns.get(&column.name) {
            let source = said.clone()?;
            return Some((Origin::Column(source), "as you said".to_owned()));
        }
        if let Some(pair) = self.assignment.pairs.iter().find(|pair| pair.column == at) {
            let source = self.sources.get(pair.source)?;
            return Some((
                Origin::Column(source.name.to_owned()),
                self.why(column, source, pair.name),
            ));
        }
        if let Some(other) = word::stand_in(&self.table.name, &column.name) {
            let place = self.table.columns.iter().position(|column| column.name == other)?;
            let said = self.answers.columns.get(other).cloned().flatten();
            let paired =
                self.assignment.source_of(place).and_then(|source| self.sources.get(source));
            if let Some(source) = said.or_else(|| paired.map(|source| source.name.to_owned())) {
                let why = format!("no column of its own: that of `{other}` stands in");
                return Some((Origin::Column(source), why));
            }
        }
        let system = column.name == "source" && self.table.source_id.is_some();
        system.then(|| {
            let name = mapping_name(&self.sample.file_name);
            let why = "names the system: keep it the same in every export, for it is part of what \
                       makes an event the same";
            (Origin::Constant(self.answers.name.clone().unwrap_or(name)), why.to_owned())
        })
    }

    fn why(&self, column: &Column, source: &SourceColumn<'_>, name: u32) -> String {
        let named = match name {
            SAME => "bears its name".to_owned(),
            900.. => "is a usual name for it".to_owned(),
            _ => "has a name like it".to_owned(),
        };
        let values = source.profile.present;
        if values == 0 {
            return format!("{named}; it holds no value in what was looked at");
        }
        match (&source.profile.dates, column.kind) {
            (Some(dates), ColumnType::Instant | ColumnType::Date) => format!(
                "{named}, and {} of its {values} values are {}",
                dates.fits,
                if dates.time { "times" } else { "dates" }
            ),
            _ => named,
        }
    }

    /// A column without a source: a question when rows need it.
    fn lacking(&mut self, at: usize, column: &Column) {
        let unfit = self.assignment.unfit.iter().find(|(of, _)| *of == at);
        let unfit =
            unfit.and_then(|(_, source)| self.sources.get(*source)).map(|source| source.name);
        if let Some(source) = unfit.filter(|_| !self.answers.columns.contains_key(&column.name)) {
            let kind = kind_name(column.kind);
            self.proposal.remarks.push(format!(
                "`{source}` is named like `{}`, but its values are not {kind}, so it is not proposed",
                column.name
            ));
        }
        if !column.required {
            return;
        }
        if column.name == "arrangement_id" {
            let text = "whose rows are they? No column names the arrangement".to_owned();
            let option = "--set arrangement_id=ID here, or at each import".to_owned();
            self.ask("column:arrangement_id".to_owned(), text, option, false);
            return;
        }
        let text = format!("where does `{}` come from? {}", column.name, column.about);
        let option = format!("--map {0}=SOURCE, or --set {0}=VALUE", column.name);
        self.ask(format!("column:{}", column.name), text, option, true);
    }

    /// An id of the event from the case and a column that counts up within it.
    fn event_id(&mut self) {
        let Some(id) = self.table.source_id.as_deref() else { return };
        if self.answers.columns.contains_key(id) || self.answers.set.contains_key(id) {
            return;
        }
        if self.proposal.columns.iter().any(|column| column.column == id) {
            return;
        }
        let Some(case) = self.origin("case_id") else { return };
        let Some((counter, different)) = self.counter(&case) else { return };
        let column = ProposedColumn {
            column: id.to_owned(),
            required: false,
            from: Origin::Template(format!("{{{case}}}/{{{counter}}}")),
            why: format!(
                "`{counter}` counts the rows of one `{case}` ({different} different pairs in the first {} \
                 rows): with it an event keeps its identity when anything else is corrected",
                self.sample.consecutive
            ),
            format: None,
            values: BTreeMap::new(),
            unknown: Vec::new(),
            percent: false,
            others: Vec::new(),
        };
        let order = |name: &str| self.table.columns.iter().position(|column| column.name == name);
        let place = self.proposal.columns.iter().position(|other| order(&other.column) > order(id));
        let place = place.unwrap_or(self.proposal.columns.len());
        self.proposal.columns.insert(place, column);
    }

    /// A column of whole numbers that is different in each row of a case, where the case is not; and how
    /// many different pairs of the two there are.
    fn counter(&self, case: &str) -> Option<(String, usize)> {
        let at = |name: &str| self.sample.columns.iter().position(|column| column == name);
        let case_at = at(case)?;
        let rows = self.sample.rows.get(..self.sample.consecutive)?;
        let cell = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten();
        let cases: BTreeSet<_> = rows.iter().filter_map(|row| cell(row, case_at)).collect();
        if cases.len() == rows.len() {
            return None;
        }
        let counts = |source: &&SourceColumn<'_>| {
            let words = word::words(source.name);
            let named = words.split(' ').any(|word| COUNTERS.contains(&word));
            named
                && source.profile.present > 0
                && source.profile.integers == source.profile.present
                && source.name != case
        };
        self.sources.iter().filter(counts).find_map(|source| {
            let counter_at = at(source.name)?;
            let pairs = rows.iter().map(|row| (cell(row, case_at), cell(row, counter_at)));
            let different = pairs.collect::<BTreeSet<_>>().len();
            // A few may stand twice: an export can hold one change in two versions.
            let counts = word::share(different, rows.len()) >= NEARLY_ALL;
            counts.then(|| (source.name.to_owned(), different))
        })
    }

    /// Source columns that hold ids of people.
    fn people(&mut self) {
        for source in self.sources {
            if self.answers.drop.contains(source.name) {
                continue;
            }
            let feeds = |person: bool| {
                self.proposal.columns.iter().any(|proposed| {
                    let kind = self.table.column(&proposed.column).map(|column| column.kind);
                    let from = match &proposed.from {
                        Origin::Column(name) => name == source.name,
                        Origin::Template(text) => text.contains(&format!("{{{}}}", source.name)),
                        Origin::Constant(_) => false,
                    };
                    from && (kind == Some(ColumnType::Person)) == person
                })
            };
            let (to_person, to_other) = (feeds(true), feeds(false));
            let said = self.answers.people.get(source.name);
            let mails = source.profile.share(source.profile.mails) >= 500;
            let named = word::person_kind(source.name)
                .filter(|_| source.profile.dates.is_none())
                .filter(|_| source.profile.share(source.profile.booleans) < 900);
            let (kind, why) = match (said, named) {
                (Some(None), _) => continue,
                (Some(Some(kind)), _) => (kind.clone(), "as you said"),
                (None, _) if mails => ("e-mail".to_owned(), "its values are mail addresses"),
                (None, Some(kind)) => (kind.to_owned(), "its name speaks of a person"),
                (None, None) if to_person => ("person".to_owned(), "it goes to a person's column"),
                (None, None) => continue,
            };
            if to_other && said.is_none() {
                self.proposal.remarks.push(format!(
                    "`{}` may name people, and the column that it goes to shows it in clear",
                    source.name
                ));
                continue;
            }
            self.proposal.people.push(Marked {
                source: source.name.to_owned(),
                kind: Some(kind),
                why: why.to_owned(),
            });
        }
    }

    /// What no rule uses: attributes, left out on purpose, or without a place.
    fn rest(&mut self) {
        let keeps = self.table.columns.iter().any(|column| column.kind == ColumnType::Attributes);
        for source in self.sources {
            let used = self.proposal.columns.iter().any(|proposed| match &proposed.from {
                Origin::Column(name) => name == source.name,
                Origin::Template(text) => text.contains(&format!("{{{}}}", source.name)),
                Origin::Constant(_) => false,
            });
            let name = source.name.to_owned();
            let drop = |why: &str| Marked { source: name.clone(), kind: None, why: why.to_owned() };
            if self.answers.drop.contains(source.name) {
                self.proposal.dropped.push(drop("as you said"));
            } else if used {
                continue;
            } else if !keeps {
                self.proposal.unused.push(name);
            } else if word::is_free_text(source.name) || source.profile.is_prose() {
                self.proposal
                    .dropped
                    .push(drop("free text may name people, and nothing is computed from it"));
            } else {
                self.proposal.attributes.push(name);
            }
        }
    }

    /// Says when months stand across, which a proposal of columns cannot read.
    fn months_across(&mut self) {
        let formats: Vec<DateFormat> =
            MONTHS.iter().filter_map(|format| DateFormat::from_text(format).ok()).collect();
        let month = |name: &&SourceColumn<'_>| {
            formats.iter().any(|format| format.parse(name.name.trim()).is_some())
        };
        let months: Vec<&str> =
            self.sources.iter().filter(month).map(|source| source.name).collect();
        if months.len() >= 2 {
            self.proposal.remarks.push(format!(
                "months stand across (`{}`): the mapping needs an `unpivot`, which is written by hand \
                 (docs/mappings.md, months across)",
                months.join("`, `")
            ));
        }
    }
}

/// What values of a type are called.
fn kind_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Instant => "times of day with a date",
        ColumnType::Date => "dates without a time",
        ColumnType::Integer => "whole numbers",
        ColumnType::Decimal => "numbers",
        ColumnType::Money => "amounts",
        ColumnType::Duration => "lengths of time, as in 4h",
        ColumnType::Boolean => "yes or no",
        ColumnType::Country => "country codes",
        ColumnType::Currency => "currency codes",
        ColumnType::LanguageLevel => "language levels",
        ColumnType::Enumeration => "values of its list",
        ColumnType::Text | ColumnType::Reference | ColumnType::Person | ColumnType::Attributes => {
            "plain words"
        }
    }
}
