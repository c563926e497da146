//! One row entered, changed or taken away by hand: the form, what it will change, and the writing. A form
//! carries the entry of the version that it was made from; when another stands by then, both are shown.

use backstay_access::{Action, Resource};
use backstay_desk::register::{
    self, Sight, Values,
    change::{Draft, apply, version},
    text::written,
};
use backstay_evidence::vocabulary::{Column, ColumnType, Scope, Table};
use backstay_report::html::piece::{self, Set};
use backstay_store::{Edited, Refusal, RowVerdict, StoreError};
use maud::{Markup, html};

use super::{
    conflict,
    field::{self, Ground, VALUE},
    named, path, row, row_name, row_path, sight, with, words,
};
use crate::{
    answer::Answer,
    asked::{Asked, Texts},
    page::frame,
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// A form as it stands: what it is of, and what was written into it.
pub struct Form<'t> {
    /// The table.
    pub table: &'t Table,
    /// The key of the row that it changes; none for a new row.
    pub key: Option<String>,
    /// The arrangement; empty for a shared table.
    pub arrangement: String,
    /// What may be seen of rows.
    pub seen: Sight,
    /// What may be changed.
    pub edits: Sight,
    /// Values of the version that it was made from.
    pub base: Values,
    /// Entry of that version; 0: there was no row.
    pub expect: u64,
    /// What stands in the fields.
    pub texts: Texts,
    /// Why, as it was written.
    pub reason: String,
    /// Zone of times without offset.
    pub zone: String,
}

/// The values of a version, field by field.
pub fn texts_of(table: &Table, values: &Values) -> Texts {
    register::columns(table).flat_map(|column| written(column, values)).collect()
}

impl<'t> Form<'t> {
    /// The form for a row that is there, as of the version that was seen, or of the one that stands.
    fn of_row(asked: &Asked<'t>, expect: Option<u64>) -> Result<Self, ProblemError> {
        let seen = sight(asked, Action::EvidenceRead)?;
        let table = named(asked, &seen)?;
        let key = row::key(asked, table, &seen)?;
        let arrangement = register::arrangement_of(table, &key);
        let edits = editing(asked, table, &arrangement)?;
        let workspace = &asked.server.workspace;
        let (base, expect) = match expect {
            Some(entry) => {
                let base = version(workspace, table, &key, entry, &seen)?;
                (base.unwrap_or_default(), entry)
            }
            None => {
                let row = register::row(workspace, table, &key, None, &seen)?;
                let row = row.ok_or_else(|| ProblemError::nothing("row"))?;
                (row.values, row.entry)
            }
        };
        let texts = texts_of(table, &base);
        let (reason, zone) = (String::new(), String::new());
        Ok(Self {
            table,
            key: Some(key),
            arrangement,
            seen,
            edits,
            base,
            expect,
            texts,
            reason,
            zone,
        })
    }

    /// The form for a new row.
    fn of_new(asked: &Asked<'t>, arrangement: &str) -> Result<Self, ProblemError> {
        let seen = sight(asked, Action::EvidenceRead)?;
        let table = named(asked, &seen)?;
        let edits = editing(asked, table, arrangement)?;
        Ok(Self {
            table,
            key: None,
            arrangement: arrangement.to_owned(),
            seen,
            edits,
            base: Values::new(),
            expect: 0,
            texts: Texts::new(),
            reason: String::new(),
            zone: String::new(),
        })
    }

    /// What was sent, laid over the form.
    fn filled(mut self, asked: &Asked<'_>) -> Self {
        self.texts.extend(field::given(asked));
        self.reason = asked.field("reason").trim().to_owned();
        self.zone = asked.field("zone").trim().to_owned();
        self
    }

    /// Where it is sent.
    pub fn action(&self) -> String {
        match &self.key {
            Some(key) => format!("{}/edit", row_path(&self.table.name, key)),
            None => format!("{}/new", path(&self.table.name)),
        }
    }

    /// The columns that may be written here.
    pub fn columns(&self) -> Vec<&'t Column> {
        let most = self.edits.of(&self.arrangement).min(self.most_seen());
        let keyed: Vec<&str> =
            register::key_columns(self.table).iter().map(|column| column.name.as_str()).collect();
        register::columns(self.table)
            .filter(|column| Some(column.privacy) <= most)
            .filter(|column| self.key.is_none() || !keyed.contains(&column.name.as_str()))
            .collect()
    }

    fn most_seen(&self) -> Option<backstay_evidence::vocabulary::Privacy> {
        // Somebody who makes an arrangement does not see it yet.
        self.seen.of(&self.arrangement).or_else(|| self.edits.of(&self.arrangement))
    }

    /// The change that it asks for: the key, and what differs from the version it was made from.
    pub fn draft(&self) -> Draft {
        let shown = texts_of(self.table, &self.base);
        let mut values = Texts::new();
        for column in self.columns() {
            values.extend(field::changed(column, &self.texts, &shown));
        }
        if let Some(key) = &self.key {
            let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
            for (column, part) in register::key_columns(self.table).iter().zip(parts) {
                let own = written(column, &self.base);
                match part {
                    Some(_) if !own.is_empty() => values.extend(own),
                    Some(part) => {
                        values.insert(column.name.clone(), part);
                    }
                    None => {}
                }
            }
        } else if self.table.scope == Scope::Arrangement && !self.arrangement.is_empty() {
            values.insert("arrangement_id".to_owned(), self.arrangement.clone());
        }
        values.retain(|_, text| self.key.is_some() || !text.is_empty());
        Draft {
            table: self.table.name.clone(),
            values,
            expect: Some(self.expect),
            reason: self.reason.clone(),
            zone: (!self.zone.is_empty()).then(|| self.zone.clone()),
            ..Draft::default()
        }
    }
}

/// What may be changed of a table, when the asker may change rows of this arrangement at all.
///
/// # Errors
/// When the asker may not.
pub fn editing(asked: &Asked<'_>, table: &Table, arrangement: &str) -> Result<Sight, ProblemError> {
    let mut edits = sight(asked, Action::RegisterEdit)?;
    let authority = asked.authority()?;
    let of = match table.scope {
        Scope::Shared => None,
        Scope::Arrangement => Some(arrangement),
    };
    let most = authority.ceiling(Action::RegisterEdit, of);
    if let (Some(id), Some(most), "arrangement") = (of, most, table.name.as_str()) {
        // One that is being made is not among those that are seen.
        edits.arrangements.insert(id.to_owned(), super::class(most));
    }
    let known = of.is_none_or(|id| edits.arrangements.contains_key(id));
    if most.is_some() && known {
        return Ok(edits);
    }
    if of.is_some_and(|id| !authority.visible().contains(id)) && table.name != "arrangement" {
        return Err(ProblemError::nothing("row"));
    }
    let privacy = backstay_access::Privacy::Open;
    let resource = Resource::Rows { arrangement: of, privacy };
    Err(ProblemError::refused(authority.decide(Action::RegisterEdit, &resource).refusal))
}

/// The form for a row that is there.
pub fn edit(asked: &Asked<'_>) -> Done {
    let form = Form::of_row(asked, None)?;
    page(asked, &form, &[])
}

/// The form for a new row; `?like=`: with the values of another.
pub fn fresh(asked: &Asked<'_>) -> Done {
    let seen = sight(asked, Action::EvidenceRead)?;
    let table = named(asked, &seen)?;
    let edits = sight(asked, Action::RegisterEdit)?;
    let chosen = asked.query("arrangement").map(str::to_owned);
    let needs = table.scope == Scope::Arrangement && table.name != "arrangement";
    let arrangement = match (needs, chosen) {
        (false, _) => String::new(),
        (true, Some(id)) => id,
        (true, None) => match edits.arrangements.len() {
            0 => {
                return Err(editing(asked, table, "")
                    .err()
                    .unwrap_or_else(|| ProblemError::nothing("row")));
            }
            1 => edits.arrangements.keys().next().cloned().unwrap_or_default(),
            _ => return Ok(choose(table, &edits)),
        },
    };
    let mut form = Form::of_new(asked, &arrangement)?;
    if let Some(like) = asked.query("like").map(register::key_of)
        && register::arrangement_of(table, &like) == arrangement
        && let Some(row) = register::row(&asked.server.workspace, table, &like, None, &form.seen)?
    {
        form.texts = texts_of(table, &row.values);
    }
    page(asked, &form, &[])
}

/// Whose row a new one is to be.
fn choose(table: &Table, edits: &Sight) -> Answer {
    let to = |id: &str| with(&format!("{}/new", path(&table.name)), &[("arrangement", id)]);
    let body = html! {
        (row::crumbs(table, ""))
        p.lead { "Of which arrangement?" }
        ul { @for id in edits.arrangements.keys() { li { a href=(to(id)) { (piece::name(id)) } } } }
    };
    Answer::page(format!("{}: new row", table.title), body)
}

fn page(asked: &Asked<'_>, form: &Form<'_>, refusals: &[Refusal]) -> Done {
    let table = form.table;
    let columns = form.columns();
    let ground = Ground { asked, sight: &form.seen, arrangement: &form.arrangement };
    // A new row has its arrangement from the address.
    let fixed = |column: &Column| {
        form.key.is_none()
            && column.name == "arrangement_id"
            && !form.arrangement.is_empty()
            && table.name != "arrangement"
    };
    let open = columns.iter().filter(|column| !fixed(column));
    let inputs = open
        .map(|column| field::field(&ground, column, &form.texts, refusals))
        .collect::<Result<Vec<_>, _>>()?;
    let shown: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let timed = columns.iter().any(|column| column.kind == ColumnType::Instant);
    let title = match &form.key {
        Some(key) => format!("Change {}: {}", table.title.to_lowercase(), row_name(table, key)),
        None => format!("{}: new row", table.title),
    };
    let body = html! {
        (row::crumbs(table, &form.arrangement))
        p { (piece::title(&table.about)) @if !form.arrangement.is_empty() { " Arrangement: " strong { (piece::name(&form.arrangement)) } "." } }
        @if !refusals.is_empty() {
            div.note.bad role="alert" {
                p { "Nothing was written: " (refusals.len()) @if refusals.len() == 1 { " thing is" } @else { " things are" } " not right." }
                ul { @for refusal in refusals { li {
                    @match refusal.column.as_deref().filter(|name| shown.contains(name)) {
                        Some(name) => a href={ "#" (VALUE) (name) } { (name) },
                        None => { @if let Some(name) = &refusal.column { code { (name) } } }
                    }
                    @if refusal.column.is_some() { ": " } (piece::sentence(&refusal.reason))
                } } }
            }
        }
        @if let Some(key) = &form.key { (facts(table, key)) }
        form.entry method="post" action=(form.action()) novalidate {
            (frame::token(asked))
            input type="hidden" name="expect" value=(form.expect);
            @if form.key.is_none() { input type="hidden" name="arrangement" value=(form.arrangement); }
            div.fields { @for input in &inputs { (input) } }
            @if timed {
                div.field { label for="zone" { "Zone of times without offset" } input #zone name="zone" value=(form.zone) placeholder="Europe/Dublin"; }
            }
            (reason(&form.reason, false))
            p.actions {
                button name="step" value="preview" { "Show what will change" }
                a href=(back(form)) { "Leave it" }
            }
        }
    };
    Ok(Answer::page(title, body))
}

fn back(form: &Form<'_>) -> String {
    match &form.key {
        Some(key) => row_path(&form.table.name, key),
        None => path(&form.table.name),
    }
}

fn facts(table: &Table, key: &str) -> Markup {
    let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
    html! {
        dl.facts { @for (column, part) in register::key_columns(table).iter().zip(&parts) {
            div { dt { (words(column)) } dd { @match part { Some(part) => { (piece::name(part)) } None => span.quiet { "none" } } } }
        } }
        p.quiet { "These name the row and stay as they are. For another key, enter a new row." }
    }
}

fn reason(now: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for="reason" { "Reason" @if required { " " span.required { "required" } } }
            input #reason name="reason" value=(now) maxlength="500" aria-describedby="about.reason" required[required];
            p.hint id="about.reason" { "Stands in the ledger for good, so name no person." }
        }
    }
}

/// A form was sent: tried, written, or shown again.
pub fn enter(asked: &Asked<'_>) -> Done {
    let expect = asked.field("expect").parse().unwrap_or(0);
    let form = match asked.call.parts.contains_key("key") {
        true => Form::of_row(asked, Some(expect))?,
        false => {
            let seen = sight(asked, Action::EvidenceRead)?;
            let own = named(asked, &seen)?.name == "arrangement";
            let id = match own {
                true => asked.field(&format!("{VALUE}arrangement_id")),
                false => asked.field("arrangement"),
            };
            Form::of_new(asked, id.trim())?
        }
    };
    let form = form.filled(asked);
    match asked.field("step") {
        "write" => write(asked, &form),
        "preview" => preview(asked, &form),
        _ => page(asked, &form, &[]),
    }
}

/// Tries or writes, behind the right to each column that is named.
fn run(
    asked: &Asked<'_>,
    form: &Form<'_>,
    draft: &Draft,
    write: bool,
) -> Result<Result<Edited, StoreError>, ProblemError> {
    let most = form.edits.of(&form.arrangement);
    let above = register::columns(form.table)
        .filter(|column| draft.values.contains_key(&column.name))
        .any(|column| Some(column.privacy) > most);
    if above {
        return Err(ProblemError::refused(Some(
            "your rights do not include a column of this row".to_owned(),
        )));
    }
    let workspace = &asked.server.workspace;
    let done =
        asked.with_context(|ctx| Ok::<_, StoreError>(apply(workspace, draft, write, ctx)))?;
    if let Ok(edited) = &done
        && edited.rows.iter().any(|row| {
            form.table.scope == Scope::Arrangement && row.arrangement_id != form.arrangement
        })
    {
        return Err(ProblemError::unclear("The row names another arrangement than its form."));
    }
    Ok(done)
}

/// What keeps a change from being written, as a page.
fn refused(asked: &Asked<'_>, form: &Form<'_>, error: StoreError) -> Done {
    match error {
        StoreError::Refused { refusals, .. } => page(asked, form, &refusals),
        StoreError::Conflict { key, .. } => conflict::show(asked, form, &key),
        StoreError::NoRow { .. } => Err(ProblemError::nothing("row")),
        // An option that does not fit: a zone that is none.
        StoreError::Read(error) => {
            let refusal = Refusal { column: None, reason: error.to_string() };
            page(asked, form, &[refusal])
        }
        other => Err(other.into()),
    }
}

fn preview(asked: &Asked<'_>, form: &Form<'_>) -> Done {
    let draft = form.draft();
    let edited = match run(asked, form, &draft, false)? {
        Ok(edited) => edited,
        Err(error) => return refused(asked, form, error),
    };
    let Some(change) = edited.rows.first() else { return page(asked, form, &[]) };
    if change.verdict == RowVerdict::Unchanged {
        return Ok(Answer::see(with(&row_path(&form.table.name, &change.key), &[("same", "1")])));
    }
    let none = Values::new();
    let before = change.before.as_ref().map(|version| &version.values);
    let after = change.after.as_ref().map_or(&none, |version| &version.values);
    let most = form.edits.of(&form.arrangement);
    let differ = row::diff(form.table, before, after);
    let differ: Vec<_> = differ.iter().filter(|one| Some(one.column.privacy) <= most).collect();
    let heads = [("Column", Set::Text), ("Stands", Set::Wide), ("Will be", Set::Wide)];
    let lines = differ.iter().map(|one| {
        // Which pseudonym an id has is not told to whoever only tries.
        let will = match (one.column.kind, form.texts.get(&one.column.name)) {
            (ColumnType::Person, Some(text)) if Some(text) != one.after.as_ref() => {
                html! { (piece::title(text)) span.sub { "kept as a pseudonym" } }
            }
            _ => html! { @match &one.after { Some(after) => strong { (piece::title(after)) }, None => span.quiet { "no value" } } },
        };
        vec![
            html! { (words(one.column)) },
            html! { @match &one.before { Some(before) => { (piece::title(before)) } None => span.quiet { "no value" } } },
            html! { (will) (dangling(asked, form, one.column, one.after.as_deref())) },
        ]
    });
    let what = match change.verdict {
        RowVerdict::New => "A new row will be written.",
        _ => "The row will be changed; its earlier version stays in its past.",
    };
    let body = html! {
        (row::crumbs(form.table, &form.arrangement))
        p.lead { (what) }
        (piece::table(html! { (piece::title(&row_name(form.table, &change.key))) }, &heads, lines.collect()))
        @if !change.stands { p.note { "It will not stand: the row has a later " code { "version" } " of its source." } }
        p { "Reason: " @if form.reason.is_empty() { span.quiet { "none given" } } @else { (piece::sentence(&form.reason)) } }
        form method="post" action=(form.action()) {
            (frame::token(asked))
            (carried(form))
            p.actions {
                button name="step" value="write" { "Write it" }
                button.plain name="step" value="form" { "Back to the form" }
            }
        }
    };
    Ok(Answer::page("What will change", body))
}

/// Everything that the form was given, hidden.
pub fn carried(form: &Form<'_>) -> Markup {
    html! {
        input type="hidden" name="expect" value=(form.expect);
        input type="hidden" name="arrangement" value=(form.arrangement);
        input type="hidden" name="reason" value=(form.reason);
        input type="hidden" name="zone" value=(form.zone);
        (field::carried(&form.texts))
    }
}

/// Says when a reference names nothing that is known yet.
fn dangling(asked: &Asked<'_>, form: &Form<'_>, column: &Column, after: Option<&str>) -> Markup {
    let (Some(to), Some(value)) = (column.to.as_deref(), after) else { return html! {} };
    let workspace = &asked.server.workspace;
    let own = to == form.table.name
        && register::key_columns(form.table).iter().any(|key| key.name == column.name);
    if own || register::table(workspace, to).is_none() {
        return html! {};
    }
    let found = register::referred(workspace, to, &form.arrangement, value, &form.seen);
    html! { @if matches!(found, Ok(None)) { span.sub { "not in the register " code { (to) } " yet" } } }
}

fn write(asked: &Asked<'_>, form: &Form<'_>) -> Done {
    let draft = form.draft();
    // Tried first, so that nothing is written of an arrangement that the form does not name.
    if let Err(error) = run(asked, form, &draft, false)? {
        return refused(asked, form, error);
    }
    let edited = match run(asked, form, &draft, true)? {
        Ok(edited) => edited,
        Err(error) => return refused(asked, form, error),
    };
    Ok(written_to(form, &edited))
}

fn written_to(form: &Form<'_>, edited: &Edited) -> Answer {
    let key = edited.rows.first().map(|row| row.key.as_str()).unwrap_or_default();
    let to = row_path(&form.table.name, key);
    match edited.entry {
        Some(entry) => Answer::see(with(&to, &[("done", &entry.to_string())])),
        None => Answer::see(with(&to, &[("same", "1")])),
    }
}

/// Asks whether a row is to be taken away.
pub fn ask_away(asked: &Asked<'_>) -> Done {
    let form = Form::of_row(asked, None)?;
    Ok(away_page(asked, &form, None))
}

fn away_page(asked: &Asked<'_>, form: &Form<'_>, wrong: Option<&str>) -> Answer {
    let key = form.key.as_deref().unwrap_or_default();
    let own = row_path(&form.table.name, key);
    let body = html! {
        (row::crumbs(form.table, &form.arrangement))
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        p.lead { "The row " strong { (piece::name(&row_name(form.table, key))) } " will no longer stand from now on." }
        p { "Its past stays, and earlier answers still see it. A fact that was true until some day is better ended by its last column of validity." }
        form.narrow method="post" action={ (own) "/take-away" } {
            (frame::token(asked))
            input type="hidden" name="expect" value=(form.expect);
            (reason(&form.reason, true))
            p.actions { button.danger { "Take it away" } a href=(own) { "Leave it" } }
        }
    };
    Answer::page("Take a row away", body)
}

/// Takes a row away.
pub fn take_away(asked: &Asked<'_>) -> Done {
    let expect = asked.field("expect").parse().unwrap_or(0);
    let mut form = Form::of_row(asked, Some(expect))?;
    form.reason = asked.field("reason").trim().to_owned();
    if form.reason.is_empty() {
        return Ok(away_page(asked, &form, Some("Say in a few words why.")));
    }
    form.texts.clear();
    let draft = Draft { delete: true, ..form.draft() };
    match run(asked, &form, &draft, true)? {
        Ok(edited) => Ok(written_to(&form, &edited)),
        Err(error) => refused(asked, &form, error),
    }
}
