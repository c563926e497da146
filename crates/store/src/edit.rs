//! Rows entered by hand: typed by the vocabulary as an import's, laid over the version that stands,
//! held against what their author saw, and appended as one entry. Nothing here decides what a row
//! means, and no value of a person enters a payload but as a pseudonym.
//!
//! Longer than most because the view of rows that are not appended yet must answer like the store.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use backstay_evidence::{
    ImportOptions, RowRef, Segment,
    entered::{EnteredError, EnteredRow, type_values},
    identity::identity_columns,
    manifest::{ImportNote, Retraction},
    schema,
    vocabulary::{Scope, Table, TableKind},
};
use backstay_ledger::{EntryKind, Precondition, Salt};
use serde::Serialize;

use crate::{
    account::{AccountTables, Standing},
    backend::{
        Append, Backend as _, Basis, Expectation, IndexWriter, MergedNote, RegisterRow, SecretKind,
        TailNote, VersionNote,
    },
    error::{Result, StoreError},
    import::validity::{Proposal, Span, overlaps},
    index::{self, MemoryIndex},
    payload::{self, EditPayload, EditedRow},
    register::fold_batch,
    row_text::{Texts, rows_to_texts, text_columns, texts_to_rows},
    tail::edited_rows,
    workspace::{Ctx, Workspace},
};

/// Times that edits are prepared again because another process took their place in the ledger.
const TRIES: usize = 20;
/// Looks at the length of the tails while one grows to its full length.
const LOOKS: u64 = 16;

/// What is to become of one row of a register.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowEdit {
    /// Table.
    pub table: String,
    /// Columns and their values as a file would write them. Those of the key say which row; an empty
    /// text empties a column; columns that are not named stay as they are.
    pub values: BTreeMap<String, String>,
    /// The fact no longer stands.
    pub delete: bool,
    /// Entry of the version that the author saw; 0: there was no row. When another version stands,
    /// the edit is refused.
    pub expect: Option<u64>,
}

/// Rows that are entered together: one entry, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// The rows; each key once.
    pub rows: Vec<RowEdit>,
    /// Why; may be empty.
    pub reason: String,
    /// How texts are read: zone, ambiguous times, party and kind of person ids. Nothing else counts.
    pub options: ImportOptions,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowVerdict {
    /// A fact that was not here.
    New,
    /// A later version of one that was.
    Changed,
    /// It no longer stands.
    Deleted,
    /// Just this stands already.
    Unchanged,
}

/// A version of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowVersion {
    /// Entry that made it known: what a later edit expects.
    pub entry: u64,
    /// Reference, `entry:record`.
    pub reference: String,
    /// Values by physical column.
    pub values: BTreeMap<String, String>,
}

/// What an edit does to one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowChange {
    /// Table.
    pub table: String,
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// Its key, as preconditions name it.
    pub key: String,
    /// What becomes of it.
    pub verdict: RowVerdict,
    /// The version that stood.
    pub before: Option<RowVersion>,
    /// The version that was entered; none when nothing was written.
    pub after: Option<RowVersion>,
    /// Whether the version entered is the one that stands. A lower `version` of the source loses.
    pub stands: bool,
}

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// Its entry; none when every row stood already just so, and with a dry run.
    pub entry: Option<u64>,
    /// Its rows.
    pub rows: Vec<RowChange>,
}

/// What is wrong with a row that was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The column that it is about; none when it is about the row as a whole.
    pub column: Option<String>,
    /// Why, and what to write instead.
    pub reason: String,
}

impl Refusal {
    fn of(column: &str, reason: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), reason: reason.into() }
    }
}

/// Each refused column with its reason.
pub(crate) fn in_words(refusals: &[Refusal]) -> String {
    let word = |refusal: &Refusal| match &refusal.column {
        Some(column) => format!("column `{column}`: {}", refusal.reason),
        None => refusal.reason.clone(),
    };
    refusals.iter().map(word).collect::<Vec<_>>().join("; ")
}

/// A person named by an edit: pseudonym and sealed id.
type Sealed = (String, Vec<u8>);

/// An edit made ready for its place in the ledger.
struct Prepared {
    append: Append,
    payload: EditPayload,
    people: Vec<Sealed>,
    /// Rows by table and arrangement, as a merged object has them.
    batches: Vec<(Table, Segment, RecordBatch)>,
}

/// Registers as they will be when the edits before this one are in.
struct Pending<'w> {
    workspace: &'w Workspace,
    changed: MemoryIndex,
}

impl Pending<'_> {
    fn row(&self, table: &str, arrangement: &str, key: &str) -> Result<Option<RegisterRow>> {
        let of = (table.to_owned(), arrangement.to_owned(), key.to_owned());
        match self.changed.registers.get(&of) {
            Some(row) => Ok(Some(row.clone())),
            None => self.workspace.backend.register_row(table, arrangement, key),
        }
    }

    /// Rows of the same key but for `valid_from`.
    fn siblings(
        &self,
        table: &Table,
        arrangement: &str,
        key: &[Option<String>],
    ) -> Result<Vec<RegisterRow>> {
        let columns = identity_columns(table);
        let place = columns.iter().position(|name| *name == "valid_from").unwrap_or(columns.len());
        let leading = serde_json::json!(key.get(..place).unwrap_or_default()).to_string();
        let prefix = match place {
            0 => "[".to_owned(),
            _ => format!("{},", leading.trim_end_matches(']')),
        };
        let mut rows: BTreeMap<String, RegisterRow> = BTreeMap::new();
        for row in self.workspace.backend.register_rows(&table.name, arrangement, &prefix)? {
            rows.insert(row.key.clone(), row);
        }
        for ((name, of, key), row) in &self.changed.registers {
            if name == &table.name && of == arrangement && key.starts_with(&prefix) {
                rows.insert(key.clone(), row.clone());
            }
        }
        let same = |other: &RegisterRow| {
            let other: Vec<Option<String>> = serde_json::from_str(&other.key).unwrap_or_default();
            let pairs = other.iter().zip(key).enumerate();
            other.len() == key.len() && pairs.into_iter().all(|(n, (a, b))| n == place || a == b)
        };
        Ok(rows.into_values().filter(|row| row.row.is_some() && same(row)).collect())
    }
}

/// The writer of [`Pending`]: what is not changed yet is read from the store.
struct Overlay<'p, 'w>(&'p mut Pending<'w>);

impl IndexWriter for Overlay<'_, '_> {
    fn register(&mut self, table: &str, of: &str, key: &str) -> Result<Option<RegisterRow>> {
        self.0.row(table, of, key)
    }

    fn put_register(&mut self, row: &RegisterRow) -> Result<()> {
        self.0.changed.put_register(row)
    }

    fn put_version(&mut self, version: &VersionNote) -> Result<()> {
        self.0.changed.put_version(version)
    }

    fn put_tail(&mut self, tail: &TailNote) -> Result<()> {
        self.0.changed.put_tail(tail)
    }

    // An edit writes nothing else; what it were to write would be seen by nobody.
    fn put_segment(&mut self, _: &Segment) -> Result<()> {
        Ok(())
    }

    fn put_retraction(&mut self, _: &Retraction) -> Result<()> {
        Ok(())
    }

    fn put_import(&mut self, _: &ImportNote, _: u64, _: Option<u64>) -> Result<()> {
        Ok(())
    }

    fn put_merged(&mut self, _: &MergedNote) -> Result<()> {
        Ok(())
    }

    fn delete_merged(&mut self, _: &MergedNote) -> Result<()> {
        Ok(())
    }

    fn clear_register(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    fn clear_readings(&mut self) -> Result<()> {
        Ok(())
    }

    fn put_checkpoint(&mut self, _: u64, _: &str) -> Result<()> {
        Ok(())
    }

    fn put_secret(&mut self, _: SecretKind, _: &str, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn delete_secret(&mut self, _: SecretKind, _: &str) -> Result<bool> {
        Ok(false)
    }

    fn standing(&mut self, _: &str) -> Result<Option<Standing>> {
        Ok(None)
    }

    fn put_standing(&mut self, _: &Standing) -> Result<()> {
        Ok(())
    }

    fn accounts(&mut self) -> Option<Box<dyn AccountTables + '_>> {
        None
    }

    fn link_person(&mut self, _: &str, _: u64) -> Result<()> {
        Ok(())
    }
}

fn refused(table: &Table, refusal: Refusal) -> StoreError {
    StoreError::Refused { table: table.name.clone(), refusals: vec![refusal] }
}

fn row_of(text: &str) -> Texts {
    serde_json::from_str(text).unwrap_or_default()
}

/// The version that stands, as its readers see it.
fn version_of(row: &RegisterRow) -> Option<RowVersion> {
    let values = row_of(row.row.as_deref()?);
    let reference = format!("{}:{}", row.entry, row.record);
    Some(RowVersion { entry: row.seq, reference, values })
}

/// Days since 1970-01-01 of a civil date.
fn day(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let since = date.since(jiff::civil::date(1970, 1, 1)).ok()?;
    Some(since.get_days())
}

fn span(values: &Texts) -> Span {
    let of = |name: &str, open: i32| values.get(name).and_then(|text| day(text)).unwrap_or(open);
    Span { from: of("valid_from", i32::MIN), to: of("valid_to", i32::MAX) }
}

/// A row made ready: what will be stored, and what is told of it.
struct Row {
    stored: Option<EditedRow>,
    change: RowChange,
    expectation: Expectation,
}

impl Workspace {
    /// Enters rows of registers: one entry for each edit, all in one transaction. Edits see those
    /// before them. Values are typed as an import's; of a row that stands only the columns named
    /// change. What stands already just so is not written again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another version stands than an edit expects, with both versions;
    /// [`StoreError::Refused`], [`StoreError::NoRow`], [`StoreError::NotEditable`]; those of disk and
    /// database. After an error nothing has changed.
    pub fn edit(&self, edits: &[Edit], ctx: &mut Ctx<'_>) -> Result<Vec<Edited>> {
        let _lock = self.write_lock()?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.edit_once(edits, ctx) {
                // Entries that bring no evidence need no lock, and move the end of the ledger.
                Err(StoreError::Stale { .. }) if tries < TRIES => {}
                other => return other,
            }
        }
    }

    /// What [`Workspace::edit`] would do, without doing it.
    ///
    /// # Errors
    /// As [`Workspace::edit`].
    pub fn edit_dry_run(&self, edits: &[Edit], ctx: &mut Ctx<'_>) -> Result<Vec<Edited>> {
        let (_, mut edited) = self.prepare(edits, ctx)?;
        edited.iter_mut().for_each(|edit| edit.entry = None);
        Ok(edited)
    }

    fn edit_once(&self, edits: &[Edit], ctx: &mut Ctx<'_>) -> Result<Vec<Edited>> {
        let (prepared, edited) = self.prepare(edits, ctx)?;
        if prepared.is_empty() {
            return Ok(edited);
        }
        let appends: Vec<Append> = prepared.iter().map(|edit| edit.append.clone()).collect();
        let sealed = self.append_many(&appends, &mut |place, sealed, index| {
            let Some(edit) = prepared.get(place) else { return Ok(()) };
            index::put_edit(sealed.seq, &edit.payload, index)?;
            for (pseudonym, id) in &edit.people {
                index.put_secret(SecretKind::Person, pseudonym, id)?;
            }
            for (table, segment, batch) in &edit.batches {
                // New rows on top of those that stand: no earlier retraction can take them.
                fold_batch(table, segment, &[], batch, index)?;
            }
            Ok(())
        })?;
        let span = sealed.first().zip(sealed.last()).map(|(first, last)| (first.seq, last.seq));
        // How long the tails are is looked at now and then.
        let every = (self.limits.tail_rows / LOOKS).max(1);
        if span.is_some_and(|(first, last)| (first - 1) / every != last / every) {
            self.cut_long_tails()?;
        }
        Ok(edited)
    }

    /// Makes edits ready for the places after the end of the ledger; those that change nothing get
    /// none.
    fn prepare(&self, edits: &[Edit], ctx: &mut Ctx<'_>) -> Result<(Vec<Prepared>, Vec<Edited>)> {
        let size = self.backend.head()?.size;
        let mut pending = Pending { workspace: self, changed: MemoryIndex::default() };
        let (mut prepared, mut all) = (Vec::new(), Vec::new());
        for edit in edits {
            let seq = size + prepared.len() as u64 + 1;
            let mut rows = Vec::new();
            let mut people: BTreeMap<String, Sealed> = BTreeMap::new();
            for row in &edit.rows {
                rows.push(self.prepare_row(row, edit, &pending, &mut people, ctx)?);
            }
            let mut keys: Vec<_> = rows.iter().map(|r| (&r.change.table, &r.change.key)).collect();
            keys.sort_unstable();
            let all_keys = keys.len();
            keys.dedup();
            if let (true, Some((table, _))) = (keys.len() < all_keys, keys.first()) {
                let reason = "one key is entered twice: keep one of the rows".to_owned();
                let refusals = vec![Refusal { column: None, reason }];
                return Err(StoreError::Refused { table: (*table).clone(), refusals });
            }
            let expectations = rows.iter().map(|row| row.expectation.clone()).collect();
            let (stored, mut changes): (Vec<_>, Vec<_>) =
                rows.into_iter().map(|row| (row.stored, row.change)).unzip();
            let stored: Vec<EditedRow> = stored.into_iter().flatten().collect();
            if stored.is_empty() {
                all.push(Edited { entry: None, rows: changes });
                continue;
            }
            let payload = EditPayload {
                rows: stored,
                reason: edit.reason.trim().to_owned(),
                vocabulary_digest: self.vocabulary.digest(),
            };
            let batches = self.batches(seq, &payload)?;
            for (table, segment, batch) in &batches {
                fold_batch(table, segment, &[], batch, &mut Overlay(&mut pending))?;
            }
            place_rows(seq, &payload, &pending, &mut changes)?;
            let mut arrangements: Vec<String> =
                payload.rows.iter().map(|row| row.arrangement_id.clone()).collect();
            arrangements.retain(|arrangement| !arrangement.is_empty());
            let append = Append {
                actor: ctx.actor.to_owned(),
                kind: EntryKind::Edit,
                arrangements,
                expectations,
                basis: Basis::SizeIs(size),
                content: payload.content(),
                payload: payload::write(&payload)?,
                salt: Salt(ctx.bytes()),
                now_us: ctx.now_us,
            };
            let people = people.into_values().collect();
            prepared.push(Prepared { append, payload, people, batches });
            all.push(Edited { entry: Some(seq), rows: changes });
        }
        Ok((prepared, all))
    }

    /// The rows of an edit as batches, one for each table and arrangement.
    fn batches(
        &self,
        seq: u64,
        payload: &EditPayload,
    ) -> Result<Vec<(Table, Segment, RecordBatch)>> {
        let mut index = MemoryIndex::default();
        index::put_edit(seq, payload, &mut index)?;
        let mut batches = Vec::new();
        for tail in index.tails {
            let table = self.known_table(&tail.table)?;
            let rows = edited_rows(seq, payload, &tail.table, &tail.arrangement_id)?;
            let batch = texts_to_rows(&table, &rows)?;
            let segment = Segment {
                table: tail.table,
                arrangement_id: tail.arrangement_id,
                seq,
                first_seq: seq,
                entry: seq,
                digest: backstay_evidence::Digest([0; 32]),
                rows: tail.rows,
                later_versions: 0,
                occurred_us: None,
            };
            batches.push((table, segment, batch));
        }
        Ok(batches)
    }

    /// Types one row, lays it over the version that stands and checks it as a whole.
    fn prepare_row(
        &self,
        edit: &RowEdit,
        of: &Edit,
        pending: &Pending<'_>,
        people: &mut BTreeMap<String, Sealed>,
        ctx: &mut Ctx<'_>,
    ) -> Result<Row> {
        let table = self.vocabulary.table(&edit.table).ok_or_else(|| {
            let reason =
                "the vocabulary has no such table: `backstay vocabulary list` names them all";
            let refusals = vec![Refusal { column: None, reason: reason.to_owned() }];
            StoreError::Refused { table: edit.table.clone(), refusals }
        })?;
        if table.kind != TableKind::Register {
            let reason = "records what happened, so its rows come by import: import a file that corrects them, or retract them";
            return Err(StoreError::NotEditable { table: table.name.clone(), reason });
        }
        let entered = self.type_row(table, edit, &of.options)?;
        let (values, key) = keyed(table, &entered)?;
        let arrangement_id = match table.scope {
            Scope::Arrangement => values.get("arrangement_id").cloned().unwrap_or_default(),
            Scope::Shared => String::new(),
        };
        let key_text = serde_json::json!(key).to_string();
        let current = pending.row(&table.name, &arrangement_id, &key_text)?;
        let standing = current.as_ref().filter(|row| row.row.is_some());
        let before = standing.and_then(version_of);
        let expected_seq = edit.expect.unwrap_or_else(|| standing.map_or(0, |row| row.seq));
        let seen = match (&before, edit.expect) {
            (Some(before), None) => Some(serde_json::json!(before.values).to_string()),
            (_, Some(expected)) => self.seen(current.as_ref(), expected)?,
            (None, None) => None,
        };
        let precondition =
            Precondition { table: table.name.clone(), key: key_text.clone(), expected_seq };
        let found = standing.map_or(0, |row| row.seq);
        if found != expected_seq {
            let words = |row: Option<&str>| row.unwrap_or("no row").to_owned();
            return Err(StoreError::Conflict {
                table: table.name.clone(),
                key: key_text,
                expected_seq,
                seen: words(seen.as_deref()),
                found_seq: found,
                found: words(standing.and_then(|row| row.row.as_deref())),
            });
        }
        if edit.delete && standing.is_none() {
            return Err(StoreError::NoRow { table: table.name.clone(), key: key_text });
        }
        let mut whole = before.as_ref().map(|before| before.values.clone()).unwrap_or_default();
        if !edit.delete {
            for name in &entered.given {
                match values.get(name) {
                    Some(text) => whole.insert(name.clone(), text.clone()),
                    None => whole.remove(name),
                };
            }
            check_whole(table, &whole)?;
            self.check_validity(table, &arrangement_id, &key, &whole, pending)?;
        }
        let unchanged = !edit.delete && before.as_ref().is_some_and(|b| b.values == whole);
        let verdict = match (edit.delete, unchanged, before.is_some()) {
            (true, ..) => RowVerdict::Deleted,
            (_, true, _) => RowVerdict::Unchanged,
            (_, _, true) => RowVerdict::Changed,
            _ => RowVerdict::New,
        };
        for person in &entered.people {
            let id = serde_json::json!([person.party, person.id_kind, person.id]).to_string();
            let sealed = self.keys.vault()?.seal(&person.pseudonym, &id, ctx.bytes())?;
            people.insert(person.pseudonym.clone(), (person.pseudonym.clone(), sealed));
        }
        let stored = (verdict != RowVerdict::Unchanged).then(|| EditedRow {
            table: table.name.clone(),
            arrangement_id: arrangement_id.clone(),
            values: whole,
            root: current
                .as_ref()
                .and_then(|row| RowRef::unpack(row.root.0))
                .map(|r| r.to_string()),
            root_item: current.as_ref().map_or(0, |row| row.root.1),
            before: before.as_ref().map(|before| before.entry),
            deleted: edit.delete,
        });
        let change = RowChange {
            table: table.name.clone(),
            arrangement_id,
            key: key_text,
            verdict,
            before,
            after: None,
            stands: true,
        };
        Ok(Row { stored, change, expectation: Expectation { precondition, seen } })
    }

    /// Types what was entered.
    fn type_row(
        &self,
        table: &Table,
        edit: &RowEdit,
        options: &ImportOptions,
    ) -> Result<EnteredRow> {
        let options = ImportOptions {
            zone: options.zone.clone(),
            fold: options.fold,
            date_formats: options.date_formats.clone(),
            party: options.party.clone(),
            id_kind: options.id_kind.clone(),
            ..ImportOptions::default()
        };
        let key = self.keys.pseudonym()?;
        type_values(&self.vocabulary, table, &options, &edit.values, &key).map_err(|error| {
            match error {
                EnteredError::Plan(error) => StoreError::Read(error),
                EnteredError::Refused(rejections) => {
                    let refusals = rejections.into_iter().map(|rejection| Refusal {
                        column: rejection.column,
                        reason: rejection.reason,
                    });
                    StoreError::Refused { table: table.name.clone(), refusals: refusals.collect() }
                }
            }
        })
    }

    /// The version that an author says to have seen, in words.
    fn seen(&self, current: Option<&RegisterRow>, expected: u64) -> Result<Option<String>> {
        let Some(current) = current else { return Ok(None) };
        if current.seq == expected {
            return Ok(current.row.clone());
        }
        let stored = self.backend.entry(expected)?;
        if stored.is_none_or(|stored| stored.entry.kind != EntryKind::Edit) {
            return Ok((expected > 0).then(|| format!("that of entry {expected}")));
        }
        let payload = self.edit_payload(expected)?;
        let root = RowRef::unpack(current.root.0).map(|root| root.to_string());
        let own = RowRef::unpack(current.root.0).filter(|root| u64::from(root.entry) == expected);
        let mut rows =
            payload.rows.iter().zip(1_u32..).filter(|(row, _)| row.table == current.table);
        let row = rows.find(|(row, record)| {
            row.root.as_ref().map_or(own.is_some_and(|own| own.record == *record), |text| {
                Some(text) == root.as_ref()
            })
        });
        Ok(row.map(|(row, _)| serde_json::json!(row.values).to_string()))
    }

    /// Refuses a row that would hold at the same time as another of its key.
    fn check_validity(
        &self,
        table: &Table,
        arrangement_id: &str,
        key: &[Option<String>],
        values: &Texts,
        pending: &Pending<'_>,
    ) -> Result<()> {
        if !table.has_validity() {
            return Ok(());
        }
        let own = span(values);
        if own.to <= own.from {
            let reason = "`valid_to` is the first day after, so it must lie after `valid_from`";
            return Err(refused(table, Refusal::of("valid_to", reason)));
        }
        let own_key = serde_json::json!(key).to_string();
        let siblings = pending.siblings(table, arrangement_id, key)?;
        let standing = siblings.iter().filter(|row| row.key != own_key).map(|row| {
            let values = row.row.as_deref().map(row_of).unwrap_or_default();
            let entry = u32::try_from(row.entry).unwrap_or(u32::MAX);
            (span(&values), RowRef { entry, record: row.record })
        });
        let proposal = Proposal { span: own, record: 1, ordinal: 0 };
        match overlaps(standing, &[proposal]).first() {
            None => Ok(()),
            Some((_, other)) => Err(refused(
                table,
                Refusal::of(
                    "valid_from",
                    format!(
                        "valid at the same time as {other} of the same key: end that row first, or correct it by the same valid_from"
                    ),
                ),
            )),
        }
    }
}

/// The values that were entered as texts, and the key that they name.
fn keyed(table: &Table, entered: &EnteredRow) -> Result<(Texts, Vec<Option<String>>)> {
    let mut values = rows_to_texts(table, &entered.row)?.pop().unwrap_or_default();
    values.extend(entered.pseudonyms.iter().cloned());
    let columns = identity_columns(table);
    let texts = text_columns(table, &entered.row, &columns)?;
    let key: Vec<Option<String>> = columns
        .iter()
        .zip(&texts)
        .map(|(name, column)| values.get(*name).cloned().or_else(|| column.text(0)))
        .collect();
    for (name, value) in columns.iter().zip(&key) {
        let required = table.column(name).is_some_and(|column| column.required);
        if value.is_none() && required {
            let reason = "it is part of the key: name the row by it";
            return Err(refused(table, Refusal::of(name, reason)));
        }
    }
    Ok((values, key))
}

/// Every required column has a value.
fn check_whole(table: &Table, values: &Texts) -> Result<()> {
    let missing: Vec<Refusal> = table
        .columns
        .iter()
        .filter(|column| column.required && !column.retired)
        .filter(|column| {
            let first = schema::fields(column).into_iter().next();
            first.is_none_or(|field| !values.contains_key(field.name()))
        })
        .map(|column| Refusal::of(&column.name, "a value is required and there is none"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreError::Refused { table: table.name.clone(), refusals: missing })
}

/// Says of each row which version it became, and whether that is the one that stands.
fn place_rows(
    seq: u64,
    payload: &EditPayload,
    pending: &Pending<'_>,
    changes: &mut [RowChange],
) -> Result<()> {
    let written = changes.iter_mut().filter(|change| change.verdict != RowVerdict::Unchanged);
    for ((change, row), record) in written.zip(&payload.rows).zip(1..) {
        let now = pending.row(&change.table, &change.arrangement_id, &change.key)?;
        change.stands = now.is_some_and(|row| row.seq == seq && row.record == record);
        let reference = format!("{seq}:{record}");
        change.after = Some(RowVersion { entry: seq, reference, values: row.values.clone() });
    }
    Ok(())
}
