//! A mapping for one file, said column by column in a form or as text, and kept for everybody under a name
//! by those with the right. What nobody says is proposed from the file, with its reason.

use std::{collections::BTreeSet, sync::Arc};

use backstay_access::{Action, Resource};
use backstay_desk::{
    import::known_zone,
    mapping::{self as desk, MOST_TEXT, SaveError},
};
use backstay_evidence::{
    Mapping,
    mapping::propose::{Answers, DateOrder, Origin, Proposal, Sample},
    vocabulary::{Column, ColumnType, Table},
};
use backstay_report::html::piece;
use maud::{Markup, html};

use super::{
    Done,
    options::{choice, line},
    right,
};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    job::{By, Job, Reader, Tried, in_words_of_the_page, sampled},
    page::frame,
    problem::ProblemError,
};

/// Values of a source column that are shown.
const VALUES_SHOWN: usize = 2;
/// Characters of such a value.
const VALUE_SHOWN: usize = 40;
/// Columns of a source that have fields of their own.
const SOURCES_SHOWN: usize = 120;

/// What is wrong with a field: its name, and what to do.
type Told<'t> = Option<(&'t str, &'t str)>;

/// A file, what was seen of it, and what is proposed for it.
struct Work {
    job: Job,
    sample: Arc<Sample>,
    answers: Answers,
    proposal: Result<Proposal, String>,
}

impl Work {
    fn of(asked: &Asked<'_>) -> Result<Self, ProblemError> {
        let job = right::own_job(asked)?;
        let answers = match &job.wish.by {
            By::Proposed(answers) => answers.as_ref().clone(),
            _ => Answers::default(),
        };
        let file = job.file.clone().ok_or_else(|| ProblemError::nothing("file"))?;
        let sample = sampled(&asked.server.jobs, &job, &file)
            .map_err(|failure| ProblemError::unclear(failure.what))?;
        let proposal = desk::proposed(&sample, &asked.server.workspace, &answers);
        let proposal = proposal.map_err(|error| in_words_of_the_page(&error.to_string()));
        Ok(Self { job, sample, answers, proposal })
    }

    fn back(&self) -> String {
        format!("/imports/{}", segment(&self.job.id))
    }
}

/// The form.
pub fn show(asked: &Asked<'_>) -> Done {
    page(asked, &Work::of(asked)?, None, None)
}

fn page(asked: &Asked<'_>, work: &Work, told: Told<'_>, written: Option<&str>) -> Done {
    let crumbs = [
        ("/import".to_owned(), html! { "Bring evidence in" }),
        (work.back(), piece::name(&work.job.name)),
    ];
    let body = html! {
        (frame::crumbs(&crumbs))
        @if let Some((_, what)) = told { p.note.bad role="alert" { (piece::sentence(what)) } }
        @match &work.proposal {
            Ok(proposal) => { (form(asked, work, proposal, told)) }
            Err(why) => {
                p.note.bad { (piece::sentence(why)) }
                form.bring method="post" action={ (work.back()) "/mapping" } {
                    (frame::token(asked))
                    input type="hidden" name="only_table" value="yes";
                    div.grid { (table_choice(asked, "")) }
                    button { "Propose for this table" }
                }
            }
        }
        (as_text(asked, work, written))
    };
    Ok(Answer::page(format!("Mapping for {}", piece::plain(&work.job.name)), body))
}

fn table_choice(asked: &Asked<'_>, chosen: &str) -> Markup {
    let tables = right::tables(asked);
    let tables = tables.iter().map(|t| (t.name.clone(), format!("{} ({})", t.name, t.title)));
    choice("table", "Table that the file feeds", tables, chosen)
}

fn form(asked: &Asked<'_>, work: &Work, proposal: &Proposal, told: Told<'_>) -> Markup {
    let Some(table) = asked.server.workspace.vocabulary().table(&proposal.table) else {
        return html! {};
    };
    let order = match work.answers.date_order {
        Some(DateOrder::DayFirst) => "day",
        Some(DateOrder::MonthFirst) => "month",
        None => "",
    };
    let orders =
        [("", "as the values say"), ("day", "day first: 31/12"), ("month", "month first: 12/31")];
    let marks = [("", "as the values say"), (".", "a point"), (",", "a comma")];
    let words =
        |all: [(&str, &str); 3]| all.map(|(value, word)| (value.to_owned(), word.to_owned()));
    let mark = work.answers.decimal_mark.map(String::from).unwrap_or_default();
    let zone = work.answers.zone.as_deref().unwrap_or_default();
    html! {
        p.lead { "Proposed from " (super::counted(proposal.records, "record")) ". Change what is not right; what you leave stays as proposed." }
        @if !proposal.questions.is_empty() {
            div.note {
                p { "What the file does not say:" }
                ul { @for question in &proposal.questions { li { (piece::sentence(&in_words_of_the_page(&question.text))) } } }
            }
        }
        form.bring method="post" action={ (work.back()) "/mapping" } {
            (frame::token(asked))
            div.grid {
                (line("name", "Name of the mapping", &proposal.name, "desk-incidents", told))
                (table_choice(asked, &proposal.table))
                (line("zone", "Time zone of times without offset", zone, "Europe/Lisbon", told))
                (choice("date_order", "Day or month first", words(orders), order))
                (choice("decimal_mark", "Mark before decimals", words(marks), &mark))
            }
            p.quiet { (piece::sentence(&piece::capital(&proposal.table_why))) @if !proposal.other_tables.is_empty() { "; near to it: " (proposal.other_tables.join(", ")) }
                ". For another table the columns are proposed anew." }
            (columns(work, proposal, table))
            (values(proposal, table))
            (sources(work, proposal))
            button { "Try it with this mapping" }
        }
    }
}

/// Columns of the table, each with where it comes from.
fn columns(work: &Work, proposal: &Proposal, table: &Table) -> Markup {
    let open = |column: &&Column| !column.retired && column.kind != ColumnType::Attributes;
    html! {
        table.compact.stack.ask {
            caption { "Columns of " code { (table.name) } ", and where they come from" }
            thead { tr { th.w scope="col" { "Column" } th scope="col" { "From" } th scope="col" { "or the same in every row" } th scope="col" { "First values" } th.w scope="col" { "Why" } } }
            tbody { @for column in table.columns.iter().filter(open) { (column_row(work, proposal, column)) } }
        }
    }
}

fn column_row(work: &Work, proposal: &Proposal, column: &Column) -> Markup {
    let found = proposal.columns.iter().find(|proposed| proposed.column == column.name);
    let (chosen, constant, template) = match found.map(|found| &found.from) {
        Some(Origin::Column(source)) => (source.as_str(), "", None),
        Some(Origin::Constant(text)) => ("=", text.as_str(), None),
        Some(Origin::Template(text)) => ("keep", "", Some(text)),
        None => ("", "", None),
    };
    let kind = kind_word(column);
    let from = format!("c.{}", column.name);
    let same = format!("k.{}", column.name);
    html! {
        tr {
            th.w scope="row" { code { (column.name) } @if column.required { strong { " needed" } }
                span.sub { (kind) ": " (column.about) } }
            td data-head="From" {
                select name=(from) aria-label={ "Where " (column.name) " comes from" } {
                    option value="" selected[chosen.is_empty()] { "nowhere" }
                    option value="=" selected[chosen == "="] { "what stands beside it" }
                    @if let Some(template) = template { option value="keep" selected { "made of " (template) } }
                    @for source in &work.sample.columns { option value=(source) selected[chosen == source] { (piece::plain(source)) } }
                }
            }
            td data-head="or the same" { input name=(same) value=(constant) maxlength="200" aria-label={ (column.name) ", the same in every row" }; }
            td data-head="First values" { @if let Some(Origin::Column(source)) = found.map(|found| &found.from) { (first_values(work, proposal, source)) } }
            td.w data-head="Why" { @if let Some(found) = found { (piece::sentence(&found.why)) @if let Some(format) = &found.format { ", as " code { (format) } } } }
        }
    }
}

fn kind_word(column: &Column) -> String {
    let word = match column.kind {
        ColumnType::Text => "text",
        ColumnType::Integer => "whole number",
        ColumnType::Decimal => "number",
        ColumnType::Money => "amount",
        ColumnType::Instant => "time with a date",
        ColumnType::Date => "date",
        ColumnType::Duration => "length of time",
        ColumnType::Boolean => "yes or no",
        ColumnType::Country => "country",
        ColumnType::Currency => "currency",
        ColumnType::LanguageLevel => "language level",
        ColumnType::Enumeration => "one of",
        ColumnType::Reference => "id",
        ColumnType::Person => "id of a person",
        ColumnType::Attributes => "attributes",
    };
    match column.kind {
        ColumnType::Enumeration => format!("{word} {}", column.values.join(", ")),
        _ => word.to_owned(),
    }
}

/// The first different values of a source column; none of a person.
fn first_values(work: &Work, proposal: &Proposal, source: &str) -> Markup {
    if proposal.people.iter().any(|person| person.source == source) {
        return html! { span.quiet { "ids of people" } };
    }
    let Some(at) = work.sample.columns.iter().position(|column| column == source) else {
        return html! {};
    };
    let mut seen = BTreeSet::new();
    let values = work.sample.rows.iter().filter_map(|row| row.get(at)?.as_deref());
    let values = values.filter(|value| !value.trim().is_empty());
    let first: Vec<String> = values
        .filter(|value| seen.insert(*value))
        .take(VALUES_SHOWN)
        .map(|value| value.chars().take(VALUE_SHOWN).collect())
        .collect();
    html! { @for (n, value) in first.iter().enumerate() { @if n > 0 { ", " } (piece::name(value)) }
    @if first.is_empty() { span.quiet { "none" } } }
}

/// Values whose meaning is not known.
fn values(proposal: &Proposal, table: &Table) -> Markup {
    let unknown = proposal.columns.iter().filter(|column| !column.unknown.is_empty());
    html! {
        @for proposed in unknown {
            @let meanings = table.column(&proposed.column).map(|column| column.values.clone()).unwrap_or_default();
            fieldset {
                legend { "What values mean for " code { (proposed.column) } }
                div.grid {
                    @for (n, value) in proposed.unknown.iter().enumerate() {
                        @let id = format!("v.{}.{n}", proposed.column);
                        div {
                            label for=(id) { (piece::name(value)) }
                            select id=(id) name=(id) {
                                option value="" { "not known: set its records aside" }
                                @for meaning in &meanings { option value=(meaning) { (meaning) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Columns of the file: what they hold, whose ids, and which are left out.
fn sources(work: &Work, proposal: &Proposal) -> Markup {
    let used = |source: &str| {
        let from = proposal.columns.iter().filter(|column| match &column.from {
            Origin::Column(name) => name == source,
            Origin::Template(text) => text.contains(&format!("{{{source}}}")),
            Origin::Constant(_) => false,
        });
        from.map(|column| column.column.as_str()).collect::<Vec<_>>().join(", ")
    };
    html! {
        details {
            summary { "Columns of the file: ids of people, and what is left out" }
            table.compact.stack.ask {
                caption { "Whatever else names a person stands in clear; ids join only within one kind" }
                thead { tr { th scope="col" { "Column of the file" } th scope="col" { "Goes to" } th.w scope="col" { "First values" } th scope="col" { "Kind of a person’s id" } th scope="col" { "Left out" } } }
                tbody {
                    @for (at, source) in work.sample.columns.iter().enumerate().take(SOURCES_SHOWN) {
                        @let person = proposal.people.iter().find(|person| &person.source == source);
                        @let dropped = proposal.dropped.iter().find(|dropped| &dropped.source == source);
                        @let to = used(source);
                        tr {
                            th scope="row" { (piece::name(source)) }
                            td data-head="Goes to" { @if !to.is_empty() { (to) } @else if proposal.attributes.contains(source) { span.quiet { "attributes" } } @else { span.quiet { "nowhere" } } }
                            td.w data-head="First values" { (first_values(work, proposal, source)) }
                            td data-head="Kind of id" { input name={ "p." (at) } value=(person.and_then(|p| p.kind.as_deref()).unwrap_or_default()) maxlength="100" placeholder="none" aria-label={ "Kind of a person’s id in " (piece::plain(source)) }; }
                            td data-head="Left out" {
                                @if work.answers.drop.contains(source) || dropped.is_none() {
                                    input.tick type="checkbox" name={ "d." (at) } value="yes" checked[dropped.is_some()] aria-label={ "Leave " (piece::plain(source)) " out" };
                                } @else if let Some(dropped) = dropped { span.quiet { (dropped.why) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The mapping as text, for those who want it.
fn as_text(asked: &Asked<'_>, work: &Work, written: Option<&str>) -> Markup {
    let told = written.map(str::to_owned).or_else(|| text_of(asked, &work.job));
    let told = told.or_else(|| work.proposal.as_ref().ok().map(|proposal| proposal.text.clone()));
    html! {
        section #text {
            h2 { "As text" }
            details open[written.is_some()] {
                summary { "The mapping file itself" }
                p.quiet { "All that a mapping can say: conditions, several tables, months across. It is taken for this file as it stands here." }
                form.bring method="post" action={ (work.back()) "/mapping/text" } {
                    (frame::token(asked))
                    label for="mapping-text" { "Mapping (TOML)" }
                    textarea.code #mapping-text name="text" rows="28" spellcheck="false" { (told.unwrap_or_default()) }
                    button { "Try it with this text" }
                }
            }
        }
    }
}

/// The text of the mapping that a file is read with, where its owner may see it: what a workspace's mapping
/// says may speak of any arrangement.
fn text_of(asked: &Asked<'_>, job: &Job) -> Option<String> {
    if let By::Written(text) = &job.wish.by {
        return Some(text.clone());
    }
    let tried = job.tried.as_ref()?;
    let outside = asked.visitor.as_ref().is_none_or(|v| v.account.provider.is_some());
    match &tried.reader {
        Reader::OfWorkspace(_) if outside => None,
        _ => tried.options.mapping.as_ref().map(|mapping| mapping.text().to_owned()),
    }
}

/// Takes what the form says, and tries the file with it.
pub fn change(asked: &Asked<'_>) -> Done {
    let work = Work::of(asked)?;
    let wrong = |field: &str, what: &str| page(asked, &work, Some((field, what)), None);
    let mut answers = work.answers.clone();
    let text =
        |name: &str| Some(asked.field(name).trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(name) = text("name") {
        if let Err(error) = desk::check_name(&name) {
            return wrong("name", &format!("{error}: {}", error.help().unwrap_or_default()));
        }
        let proposed = work.proposal.as_ref().is_ok_and(|proposal| proposal.name == name);
        if !proposed {
            answers.name = Some(name);
        }
    }
    answers.zone = text("zone");
    if let Some(zone) = &answers.zone
        && let Err(error) = known_zone(zone)
    {
        return wrong("zone", &format!("{error}: {}", error.help().unwrap_or_default()));
    }
    answers.date_order = match asked.field("date_order") {
        "day" => Some(DateOrder::DayFirst),
        "month" => Some(DateOrder::MonthFirst),
        _ => None,
    };
    answers.decimal_mark = text("decimal_mark").and_then(|mark| mark.chars().next());
    let table = text("table");
    let other =
        work.proposal.as_ref().map_or(true, |proposal| Some(&proposal.table) != table.as_ref());
    let only_table = asked.field("only_table") == "yes" || other;
    if only_table {
        answers.table = table;
        answers.columns.clear();
        answers.set.clear();
        answers.values.clear();
    } else if let Ok(proposal) = &work.proposal {
        hear_columns(asked, &work, proposal, &mut answers);
        hear_sources(asked, &work, proposal, &mut answers);
        hear_values(asked, proposal, &mut answers);
    }
    // What cannot be proposed is said here, and not after a trial.
    if let Err(error) = desk::proposed(&work.sample, &asked.server.workspace, &answers) {
        return wrong("table", &in_words_of_the_page(&error.to_string()));
    }
    let mut wish = work.job.wish.clone();
    wish.by = By::Proposed(Box::new(answers));
    let tried = super::retry(asked, &work.job, wish)?;
    if only_table {
        return Ok(Answer::see(format!("{}/mapping", work.back())));
    }
    Ok(tried)
}

fn hear_columns(asked: &Asked<'_>, work: &Work, proposal: &Proposal, answers: &mut Answers) {
    let Some(table) = asked.server.workspace.vocabulary().table(&proposal.table) else { return };
    for column in &table.columns {
        let name = &column.name;
        let Some(chosen) = asked.call.form.get(&format!("c.{name}")) else { continue };
        let constant = asked.field(&format!("k.{name}")).trim();
        let found = proposal.columns.iter().find(|proposed| &proposed.column == name);
        // Who writes a text beside a column that comes from nowhere means that text.
        let chosen = match chosen.as_str() {
            "" if !constant.is_empty() => "=",
            chosen => chosen,
        };
        let same = match found.map(|found| &found.from) {
            Some(Origin::Column(source)) => source == chosen,
            Some(Origin::Constant(text)) => chosen == "=" && text == constant,
            Some(Origin::Template(_)) => chosen == "keep",
            None => chosen.is_empty(),
        };
        if same {
            continue;
        }
        answers.columns.remove(name);
        answers.set.remove(name);
        match chosen {
            "=" if !constant.is_empty() => {
                answers.set.insert(name.clone(), constant.to_owned());
            }
            source if work.sample.columns.iter().any(|column| column == source) => {
                answers.columns.insert(name.clone(), Some(source.to_owned()));
            }
            _ => {
                answers.columns.insert(name.clone(), None);
            }
        }
    }
}

fn hear_sources(asked: &Asked<'_>, work: &Work, proposal: &Proposal, answers: &mut Answers) {
    for (at, source) in work.sample.columns.iter().enumerate().take(SOURCES_SHOWN) {
        let Some(kind) = asked.call.form.get(&format!("p.{at}")) else { continue };
        let kind = Some(kind.trim().to_owned()).filter(|kind| !kind.is_empty());
        let found = proposal.people.iter().find(|person| &person.source == source);
        if found.and_then(|person| person.kind.clone()) != kind {
            answers.people.insert(source.clone(), kind);
        }
        let was = proposal.dropped.iter().any(|dropped| &dropped.source == source);
        match (was, asked.field(&format!("d.{at}")) == "yes") {
            (false, true) => drop(answers.drop.insert(source.clone())),
            (true, false) => drop(answers.drop.remove(source)),
            _ => {}
        }
    }
}

fn hear_values(asked: &Asked<'_>, proposal: &Proposal, answers: &mut Answers) {
    for proposed in &proposal.columns {
        for (n, value) in proposed.unknown.iter().enumerate() {
            let meaning = asked.field(&format!("v.{}.{n}", proposed.column));
            if !meaning.is_empty() {
                let of_column = answers.values.entry(proposed.column.clone()).or_default();
                of_column.insert(value.clone(), meaning.to_owned());
            }
        }
    }
}

/// Takes a mapping as it is written, and tries the file with it.
pub fn change_text(asked: &Asked<'_>) -> Done {
    let work = Work::of(asked)?;
    let text = asked.field("text").replace("\r\n", "\n");
    let wrong = |what: &str| page(asked, &work, Some(("text", what)), Some(&text));
    if text.len() > MOST_TEXT {
        return wrong(&format!("The text has more than {MOST_TEXT} bytes."));
    }
    if let Err(error) = Mapping::from_text(&text) {
        return wrong(&error.to_string());
    }
    let mut wish = work.job.wish.clone();
    wish.by = By::Written(text);
    super::retry(asked, &work.job, wish)
}

/// Where a mapping is kept for everybody, for those who may.
pub fn keep_form(asked: &Asked<'_>, job: &Job, tried: &Tried) -> Markup {
    let own = matches!(tried.reader, Reader::Proposed(_) | Reader::Written(_));
    let owner = asked.visitor.as_ref().is_some_and(|visitor| visitor.account.id == job.owner);
    if !own || !owner {
        return html! {};
    }
    let (Reader::Proposed(name) | Reader::Written(name)) = &tried.reader else { return html! {} };
    let path = format!("/imports/{}/mapping/save", segment(&job.id));
    html! {
        section #keep {
            h2 { "Keep the mapping" }
            @if let Some(saved) = asked.query("saved") {
                p.note role="status" { "It is kept as " (piece::name(saved)) ". Files like this one are now known by themselves." }
            } @else if asked.may(Action::MappingSave, &Resource::Workspace) {
                p { "Kept for everybody, the next file like this one is known by itself." }
                form.bring method="post" action=(path) {
                    (frame::token(asked))
                    div.grid { (line("name", "Name", name, "desk-incidents", None)) }
                    p { label.check { input type="checkbox" name="replace" value="yes"; " Replace the one of this name, if there is one; imports made with it keep its text" } }
                    button.second { "Keep it" }
                }
            } @else {
                p.quiet { "It holds for this file. Whoever may keep mappings can keep it for everybody." }
            }
        }
    }
}

/// Keeps a mapping for everybody.
pub fn keep(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    let tried = job.tried.as_ref().ok_or_else(|| ProblemError::nothing("mapping"))?;
    let own = matches!(tried.reader, Reader::Proposed(_) | Reader::Written(_));
    let mapping = tried.options.mapping.as_ref().filter(|_| own);
    let text = mapping.ok_or_else(|| ProblemError::nothing("mapping"))?.text().to_owned();
    let name = asked.field("name").trim();
    let named = desk::check_name(name).and_then(|()| desk::named(&text, name))?;
    let dir = asked.server.workspace.dir();
    match desk::save(dir, name, named.text(), asked.field("replace") == "yes") {
        Ok(_) => {
            Ok(Answer::see(format!("/imports/{}?saved={}#keep", segment(&job.id), segment(name))))
        }
        Err(SaveError::Taken(name)) => Err(ProblemError::taken(format!(
            "This workspace has a mapping `{name}` already. Go back and give another name, or say that it \
             is to be replaced."
        ))),
        Err(SaveError::Desk(error)) => Err(error.into()),
    }
}
