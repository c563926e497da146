//! Search over everything that the asker may see: arrangements, controls and metrics, service levels,
//! findings, cases, rows of registers, tables, entries of the ledger, references and people. Each kind is
//! bounded, and says so when it was cut off.

use std::collections::BTreeSet;

use backstay_access::{Action, Resource};
use backstay_desk::{
    catalogue::derived,
    evidence::layout,
    ledger::{Wanted, find},
    register::{
        self, Sight,
        list::{Choice, list},
    },
};
use backstay_engine::session::{GuestLimits, query};
use backstay_evidence::RowRef;
use backstay_report::{html::piece, rows::objects};
use backstay_store::EntrySummary;
use maud::{Markup, html};

use super::{
    catalogue::{control_path, table_path},
    ledger::what,
    register::{path, row_name, row_path, sight, with},
};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, seen},
    problem::ProblemError,
};

/// Hits of a kind that are shown.
const SHOWN: usize = 10;
/// Letters of a question at least and at most.
const LEAST: usize = 2;
const MOST: usize = 200;
/// Rows of one register that are shown, and of all.
const OF_REGISTER: usize = 3;
const OF_ALL: usize = 24;
/// Seconds that the search for cases may take.
const SECONDS: u64 = 3;

/// One thing found.
struct Hit {
    to: String,
    title: Markup,
    about: Markup,
}

/// Things of one kind.
struct Group {
    title: &'static str,
    hits: Vec<Hit>,
    /// There are more, and where.
    more: Option<Markup>,
}

impl Group {
    fn new(title: &'static str) -> Self {
        Self { title, hits: Vec::new(), more: None }
    }

    fn put(&mut self, to: String, title: Markup, about: Markup) {
        if self.hits.len() < SHOWN {
            self.hits.push(Hit { to, title, about });
        } else {
            self.more.get_or_insert_with(
                || html! { "There are more: write more of what you look for." },
            );
        }
    }
}

/// The page.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let text = asked.query("q").unwrap_or_default();
    let length = text.chars().count();
    let groups = match length {
        LEAST..=MOST => groups(asked, text)?,
        _ => Vec::new(),
    };
    let found: usize = groups.iter().map(|group| group.hits.len()).sum();
    let body = html! {
        form.when method="get" {
            div { label for="q" { "Look for" } input #q name="q" type="search" value=(text) maxlength=(MOST); }
            button { "Search" }
        }
        @if length == 0 { p { "An id, a word of a title, a case, a ledger entry or a reference such as " code { "12:345" } ": whatever of it is open to you is found." } }
        @else if length < LEAST { p { "Write at least " (LEAST) " letters." } }
        @else if length > MOST { p { "Write at most " (MOST) " letters." } }
        @else if found == 0 { p.lead { "Nothing that is open to you holds this." } }
        @for group in groups.iter().filter(|group| !group.hits.is_empty() || group.more.is_some()) { (set(group)) }
    };
    Ok(Answer::page("Search", body))
}

fn set(group: &Group) -> Markup {
    html! {
        section {
            h2 { (group.title) }
            ul.plain.hits { @for hit in &group.hits { li { a href=(hit.to) { (hit.title) } ", " span.quiet { (hit.about) } } } }
            @if let Some(more) = &group.more { p.quiet { (more) } }
        }
    }
}

fn groups(asked: &Asked<'_>, text: &str) -> Result<Vec<Group>, ProblemError> {
    let words = text.to_lowercase();
    let seen = sight(asked, Action::EvidenceRead)?;
    Ok(vec![
        direct(asked, text),
        arrangements(asked, &words)?,
        levels_and_findings(asked, &words)?,
        catalogue(asked, &words),
        cases(asked, text, &seen)?,
        people(asked, &words)?,
        tables(asked, &words),
        entries(asked, &words)?,
        // The most common hits come last.
        registers(asked, text, &seen)?,
    ])
}

/// A reference or the number of an entry.
fn direct(asked: &Asked<'_>, text: &str) -> Group {
    let mut group = Group::new("By its number");
    let workspace = &asked.server.workspace;
    let entry = |number: u64| -> Option<EntrySummary> {
        let found = workspace.entries(number.max(1), 1).ok()?;
        found.into_iter().find(|entry| entry.entry == number)
    };
    if let Ok(number) = text.parse::<u64>()
        && let Some(found) = entry(number)
        && asked.may_entry(Action::LedgerRead, &found.arrangements)
    {
        group.put(
            format!("/ledger/{number}"),
            html! { "Ledger entry " (number) },
            piece::sentence(&what(&found)),
        );
    }
    if let Ok(reference) = text.parse::<RowRef>()
        && let Some(found) = entry(u64::from(reference.entry))
        && asked.may_open(&found.arrangements)
        && workspace.trace(reference).is_ok()
    {
        let to = format!("/rows/{}", segment(&reference.to_string()));
        group.put(to, html! { "Row " (reference) }, html! { "down to the line of its file" });
    }
    group
}

fn arrangements(asked: &Asked<'_>, words: &str) -> Result<Group, ProblemError> {
    let mut group = Group::new("Arrangements");
    let visible = asked.authority()?.visible();
    let mut titles: Vec<(String, String)> = Vec::new();
    for row in asked.server.workspace.registers("arrangement")? {
        let values: register::Values =
            serde_json::from_str(row.row.as_deref().unwrap_or("{}")).unwrap_or_default();
        let title = values.get("title").cloned().unwrap_or_default();
        titles.push((row.arrangement_id, title));
    }
    titles.dedup_by(|left, right| left.0 == right.0);
    for (id, title) in titles.iter().filter(|(id, _)| visible.contains(id)) {
        if id.to_lowercase().contains(words) || title.to_lowercase().contains(words) {
            group.put(
                format!("/arrangements/{}", segment(id)),
                piece::name(id),
                piece::title(title),
            );
        }
    }
    Ok(group)
}

/// Service levels and findings of the period that pages show by themselves.
fn levels_and_findings(asked: &Asked<'_>, words: &str) -> Result<Group, ProblemError> {
    let mut group = Group::new("Service levels and findings");
    let Some(figures) = Figures::visible(asked)? else { return Ok(group) };
    let period = piece::period_words(figures.period);
    let holds = |texts: &[&str]| texts.iter().any(|text| text.to_lowercase().contains(words));
    for (id, found) in &figures.parts {
        let mut told = BTreeSet::new();
        for measure in &found.measures {
            let own = &measure.service_level;
            if holds(&[own, &measure.title]) && told.insert(own) {
                let to = format!("/arrangements/{}/service-levels/{}", segment(id), segment(own));
                group.put(
                    to,
                    piece::title(&measure.title),
                    html! { "service level " (piece::name(own)) " of " (piece::name(id)) },
                );
            }
        }
    }
    for (id, found) in &figures.parts {
        for finding in &found.findings {
            if holds(&[&finding.subject, &finding.explanation, &finding.id]) {
                let to = format!("/arrangements/{}/findings/{}", segment(id), segment(&finding.id));
                group.put(to, piece::name(&finding.subject), html! { "finding of " (piece::name(&finding.control)) " in " (piece::name(id)) ", " (period) });
            }
        }
    }
    Ok(group)
}

fn catalogue(asked: &Asked<'_>, words: &str) -> Group {
    let mut group = Group::new("Catalogue");
    if !asked.may(Action::CatalogueRead, &Resource::Workspace) {
        return group;
    }
    let catalogue = &asked.server.catalogue;
    let holds = |texts: [&str; 2]| texts.iter().any(|text| text.to_lowercase().contains(words));
    for risk in catalogue.risks().into_iter().filter(|risk| holds([&risk.id, &risk.title])) {
        let to = format!("/catalogue/risks/{}", segment(&risk.id));
        group.put(to, piece::title(&risk.title), html! { "risk" });
    }
    for control in catalogue.controls().into_iter().filter(|one| holds([&one.id, &one.title])) {
        group.put(
            control_path(&control.id),
            piece::title(&control.title),
            html! { "control " (piece::name(&control.id)) },
        );
    }
    for metric in catalogue.metrics().filter(|metric| holds([&metric.id, &metric.title])) {
        let to = format!("/catalogue/metrics/{}", segment(&metric.id));
        group.put(to, piece::title(&metric.title), html! { "metric " (piece::name(&metric.id)) });
    }
    group
}

/// Cases by their id, of arrangements whose events the asker may read.
fn cases(asked: &Asked<'_>, text: &str, sight: &Sight) -> Result<Group, ProblemError> {
    let mut group = Group::new("Cases");
    let table = asked.server.workspace.vocabulary().table("case_event");
    let class = table.and_then(|table| table.column("case_id")).map(|column| column.privacy);
    let Some(class) = class else { return Ok(group) };
    let readable: BTreeSet<String> = sight
        .arrangements
        .iter()
        .filter(|(_, most)| **most >= class)
        .map(|(id, _)| id.clone())
        .collect();
    let Some(evidence) = seen(asked, &readable)? else { return Ok(group) };
    let period = backstay_engine::Period {
        first: jiff::civil::date(2000, 1, 1),
        after: jiff::civil::date(2000, 2, 1),
    };
    let views: Vec<_> = evidence
        .arrangements()
        .into_iter()
        .map(|arrangement_id| backstay_engine::View {
            arrangement_id,
            zone: "UTC".to_owned(),
            period,
            as_of_us: evidence.now_us,
        })
        .collect();
    // A quotation mark is the only character that means something within a text of SQL.
    let quoted = text.to_lowercase().replace('\'', "''");
    let sql = format!(
        "SELECT arrangement_id, case_id, count(*) AS events FROM case_event \
         WHERE strpos(lower(case_id), '{quoted}') > 0 \
         GROUP BY arrangement_id, case_id ORDER BY length(case_id), case_id, arrangement_id LIMIT {}",
        SHOWN + 1
    );
    let limits = GuestLimits { seconds: SECONDS, bytes: 256 << 20, rows: SHOWN + 1 };
    let found = match query(&evidence.evidence, &views, &sql, layout(), limits) {
        Ok(found) => found,
        Err(backstay_engine::EngineError::Limit { .. }) => {
            group.more =
                Some(html! { "Looking through the cases took too long. Write more of the id." });
            return Ok(group);
        }
        Err(error) => return Err(backstay_desk::error::explained(&error.to_string()).into()),
    };
    for row in objects(&found.schema, &found.batches) {
        let of = |name: &str| row.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let events = row.get("events").and_then(serde_json::Value::as_i64).unwrap_or_default();
        let (id, case) = (of("arrangement_id"), of("case_id"));
        let to = format!("/arrangements/{}/cases/{}", segment(id), segment(case));
        group.put(to, piece::name(case), html! { (events) " events in " (piece::name(id)) });
    }
    Ok(group)
}

fn registers(asked: &Asked<'_>, text: &str, sight: &Sight) -> Result<Group, ProblemError> {
    let mut group = Group::new("Rows of registers");
    let workspace = &asked.server.workspace;
    let counts = register::counts(workspace, sight)?;
    let mut more = Vec::new();
    for name in counts.keys() {
        let Some(table) = register::table(workspace, name) else { continue };
        let choice = Choice { search: Some(text), most: OF_REGISTER, ..Choice::default() };
        let found = list(workspace, table, &choice, sight)?;
        let room = OF_ALL.saturating_sub(group.hits.len());
        for row in found.rows.iter().filter(|row| row.named).take(room) {
            let name = row_name(table, &row.key);
            group.hits.push(Hit {
                to: row_path(&table.name, &row.key),
                title: piece::name(&name),
                about: html! { (piece::title(&table.title)) @if !row.arrangement_id.is_empty() { ", " (piece::name(&row.arrangement_id)) } },
            });
        }
        if found.found > OF_REGISTER.min(room) {
            more.push((table, found.found));
        }
    }
    if !more.is_empty() {
        group.more = Some(
            html! { "All of them: " @for (n, (table, found)) in more.iter().enumerate() { @if n > 0 { ", " } a href=(with(&path(&table.name), &[("q", text)])) { (piece::title(&table.title)) " (" (found) ")" } } },
        );
    }
    Ok(group)
}

fn tables(asked: &Asked<'_>, words: &str) -> Group {
    let mut group = Group::new("Tables and columns");
    for table in asked.server.workspace.vocabulary().tables() {
        let holds = |text: &str| text.to_lowercase().contains(words);
        if holds(&table.name) || holds(&table.title) {
            group.put(
                table_path(&table.name),
                piece::title(&table.title),
                html! { "table " code { (table.name) } },
            );
        }
        for column in register::columns(table).filter(|column| holds(&column.name)) {
            group.put(
                table_path(&table.name),
                html! { code { (column.name) } },
                html! { "column of " (piece::title(&table.title)) },
            );
        }
    }
    for table in derived().iter().filter(|table| table.name.contains(words)) {
        group.put(
            table_path(table.name),
            html! { code { (table.name) } },
            html! { "table worked out from others" },
        );
    }
    group
}

fn entries(asked: &Asked<'_>, words: &str) -> Result<Group, ProblemError> {
    let mut group = Group::new("Ledger");
    let wanted = Wanted { words: Some(words), most: SHOWN, ..Wanted::default() };
    let reads = |entry: &EntrySummary| asked.may_entry(Action::LedgerRead, &entry.arrangements);
    let some = asked.may(Action::LedgerRead, &Resource::Workspace)
        || !asked.authority()?.visible_for(Action::LedgerRead).is_empty();
    if !some {
        return Ok(group);
    }
    let found = find(&asked.server.workspace, &wanted, &reads)?;
    for entry in &found.entries {
        group.put(
            format!("/ledger/{}", entry.entry),
            html! { "Entry " (entry.entry) },
            html! { (piece::name(&entry.kind)) ": " (piece::sentence(&what(entry))) },
        );
    }
    if let Some(next) = found.next {
        group.more = Some(html! { "Entries before " (next) " were not looked through." });
    }
    Ok(group)
}

fn people(asked: &Asked<'_>, words: &str) -> Result<Group, ProblemError> {
    let mut group = Group::new("People");
    if !asked.may(Action::AccountRead, &Resource::Workspace) {
        return Ok(group);
    }
    for account in asked.server.workspace.accounts().list()? {
        let texts = [&account.id, &account.email, &account.name];
        if texts.iter().any(|text| text.to_lowercase().contains(words)) {
            group.put(
                format!("/people/{}", account.id),
                piece::name(&account.name),
                piece::name(&account.email),
            );
        }
    }
    Ok(group)
}
