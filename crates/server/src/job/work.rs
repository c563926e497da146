//! One file tried, or brought in. Runs on the worker's thread; says what went wrong in the owner's words,
//! and keeps the whole cause for the operator where it may name paths of this machine.

use std::{collections::BTreeMap, sync::Arc};

use backstay_access::Portfolio;
use backstay_desk::{
    DeskError,
    import::{Source, bring_in, known_zone},
    mapping::{self, LOOK_ARRANGEMENT, LOOK_ZONE},
    trial,
};
use backstay_evidence::{
    ImportOptions, Mapping, ReadError,
    mapping::propose::{Answers, Proposal, Sample},
    recognise::Fit,
    sink::SinkError,
};
use backstay_report::import::FileImport;
use backstay_store::{HandedIn, StoreError};

use super::{
    By, Failure, Job, Jobs, Open, Progress, Reader, Tried, Work, in_words_of_the_page, refusal,
};
use crate::{asked::Asked, server::Server};

/// Said of a file that nothing known reads, and of which its own words do not say enough.
const UNKNOWN: &str = "Nothing known reads this file by itself. Say what its columns are; what can be told \
                       from the file is proposed.";

/// How a file is to be read, as far as it is settled.
struct Settled {
    options: ImportOptions,
    reader: Reader,
    found: bool,
    proposal: Option<Proposal>,
}

/// Reads a file as its owner wished, and writes nothing.
pub(super) fn attempt(server: &Server, jobs: &Jobs, job: &Job) -> Result<Tried, Failure> {
    let file = job.file.as_ref().ok_or_else(gone)?;
    let Settled { mut options, reader, found, proposal } = settle(server, jobs, job, file)?;
    let asks = proposal.iter().flat_map(|proposal| &proposal.questions);
    let asks = asks.filter(|question| question.blocks);
    let asks: Vec<String> = asks.map(|question| in_words_of_the_page(&question.text)).collect();
    if !asks.is_empty() {
        // A mapping that lacks what every row needs reads nothing.
        return Err(Failure { what: UNKNOWN.to_owned(), asks, ..Failure::default() });
    }
    let mut open = Vec::new();
    let mut only_arrangement = None;
    let lacking = lacking(server, job, file, &options, &reader)?;
    if lacking.arrangement {
        let only = job.wish.only_arrangement.clone();
        if only.is_none() {
            open.push(Open::Arrangement);
        }
        let taken = only.clone().unwrap_or_else(|| LOOK_ARRANGEMENT.to_owned());
        options.set.insert("arrangement_id".to_owned(), taken);
        only_arrangement = only;
    }
    if lacking.zone {
        open.push(Open::Zone);
        options.zone = Some(LOOK_ZONE.to_owned());
    }
    let mut key = [0; 32];
    if !(server.ports.random)(&mut key) {
        return Err(broken("the system gives no randomness"));
    }
    let source = source(job, file, options);
    let mut watch = |at: backstay_evidence::sink::Progress| -> Result<(), SinkError> {
        let progress = Progress { bytes: at.bytes_read, records: at.records, doing: "reading" };
        jobs.at(&job.id, Work::Try, progress);
        if jobs.is_ending() { Err("the server ends".into()) } else { Ok(()) }
    };
    let trial = trial::try_whole(&server.workspace, &source, key, &mut watch).map_err(unread)?;
    let allow_duplicate_log = job.wish.allow_duplicate_log;
    let options = source.options;
    let known = server.workspace.imported_before(&source.path, &job.name, &options);
    let known = known.map_err(|error| broken(&error.to_string()))?;
    Ok(Tried {
        known,
        trial,
        options,
        allow_duplicate_log,
        reader,
        found,
        only_arrangement,
        proposal,
        open,
    })
}

/// Brings a file in as it was tried.
pub(super) fn bring(server: &Server, jobs: &Jobs, job: &Job) -> Result<FileImport, Failure> {
    let file = job.file.as_ref().ok_or_else(gone)?;
    let tried = job.tried.as_ref().ok_or_else(gone)?;
    allowed(server, job, tried)?;
    let mut source = source(job, file, tried.options.clone());
    source.allow_duplicate_log = tried.allow_duplicate_log;
    let mut watch = |at: backstay_store::ImportProgress| {
        let (bytes, records) = (at.bytes_read, at.records);
        jobs.at(&job.id, Work::Bring, Progress { bytes, records, doing: at.phase.name() });
    };
    let now_us = (server.ports.now_us)();
    let mut given = true;
    let mut random = |bytes: &mut [u8]| given &= (server.ports.random)(bytes);
    let mut ctx = backstay_store::Ctx { now_us, actor: &job.owner, random: &mut random };
    let brought = bring_in(&server.workspace, &source, &mut ctx, &mut watch);
    if !given {
        return Err(broken("the system gave no randomness during an import"));
    }
    brought.map_err(unbrought)
}

/// Asks for the rights once more: registers and grants may have changed while the file waited.
fn allowed(server: &Server, job: &Job, tried: &Tried) -> Result<(), Failure> {
    let unasked = |error: &dyn std::fmt::Display| broken(&error.to_string());
    let portfolio = server.workspace.portfolio().map_err(|error| unasked(&error))?;
    let authority = server.policies.authority(&job.principal, &portfolio);
    let authority = authority.map_err(|error| unasked(&error))?;
    match refusal(&authority, &job.principal, server.workspace.vocabulary(), tried) {
        None => Ok(()),
        Some(what) => Err(Failure { what, refused: true, ..Failure::default() }),
    }
}

/// What the head of a file and its reading lack.
struct Lacking {
    arrangement: bool,
    zone: bool,
}

/// Finds out by supposing it: what is then no longer lacking, was.
fn lacking(
    server: &Server,
    job: &Job,
    file: &Arc<HandedIn>,
    options: &ImportOptions,
    reader: &Reader,
) -> Result<Lacking, Failure> {
    let mut last = None;
    let has_arrangements = feeds_arrangements(server, options, reader);
    for (arrangement, zone) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut supposed = options.clone();
        if arrangement {
            if !has_arrangements || supposed.set.contains_key("arrangement_id") {
                continue;
            }
            supposed.set.insert("arrangement_id".to_owned(), LOOK_ARRANGEMENT.to_owned());
        }
        if zone {
            if supposed.zone.is_some() {
                continue;
            }
            supposed.zone = Some(LOOK_ZONE.to_owned());
        }
        match trial::check(&server.workspace, &source(job, file, supposed)) {
            Ok(()) => return Ok(Lacking { arrangement, zone }),
            // With the most supposed, what is still lacking is something else.
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(gone, unread))
}

/// Whether any table that a file feeds is kept by arrangement.
fn feeds_arrangements(server: &Server, options: &ImportOptions, reader: &Reader) -> bool {
    let own = match reader {
        Reader::Table(table) => Some(table),
        _ => None,
    };
    let rules = options.mapping.iter().flat_map(|mapping| &mapping.definition().tables);
    let named = rules.map(|rule| &rule.name).chain(own);
    let mut tables = named.filter_map(|name| server.workspace.vocabulary().table(name));
    tables.any(|table| table.column("arrangement_id").is_some())
}

fn source(job: &Job, file: &Arc<HandedIn>, options: ImportOptions) -> Source {
    Source {
        path: file.path().to_owned(),
        name: job.name.clone(),
        file: Some(job.name.clone()),
        options,
        allow_duplicate_log: false,
    }
}

/// What reads the file.
fn settle(
    server: &Server,
    jobs: &Jobs,
    job: &Job,
    file: &Arc<HandedIn>,
) -> Result<Settled, Failure> {
    let wish = &job.wish;
    let at = |field| move |error: DeskError| Failure { field: Some(field), ..desk(&error) };
    let mut options = ImportOptions {
        set: same_in_every_row(&wish.set)?,
        zone: wish.zone.as_deref().map(known_zone).transpose().map_err(at("zone"))?,
        fold: wish.fold,
        encoding: wish.encoding,
        party: wish.party.clone(),
        ..ImportOptions::default()
    };
    if let Some(arrangement) = &wish.arrangement {
        options.set.insert("arrangement_id".to_owned(), arrangement.clone());
    }
    let plain = |options, reader, found| Settled { options, reader, found, proposal: None };
    match &wish.by {
        By::Table(table) => {
            options.as_table = Some(table.clone());
            Ok(plain(options, Reader::Table(table.clone()), false))
        }
        By::Mapping(name) => {
            let offered = offered(server, job.provider.as_deref())?;
            let found = offered.into_iter().find(|(mapping, _)| mapping.name() == name);
            let (mapping, reader) = found.ok_or_else(|| Failure {
                what: format!("There is no mapping `{name}`, or it is not open to you."),
                help: Some("Choose one of the list, or have one found.".to_owned()),
                ..Failure::default()
            })?;
            options.mapping = Some(mapping);
            Ok(plain(options, reader, false))
        }
        By::Written(text) => {
            let mapping = Mapping::from_text(text).map_err(|error| Failure {
                what: error.to_string(),
                help: Some("Correct the text of the mapping.".to_owned()),
                ..Failure::default()
            })?;
            let reader = Reader::Written(mapping.name().to_owned());
            options.mapping = Some(mapping);
            Ok(plain(options, reader, false))
        }
        By::Proposed(answers) => proposed(server, jobs, job, file, options, answers),
        By::Found => {
            let mut offered = offered(server, job.provider.as_deref())?;
            let mappings: Vec<&Mapping> = offered.iter().map(|(mapping, _)| mapping).collect();
            let looked = source(job, file, options.clone());
            match trial::found(&server.workspace, &looked, &mappings).map_err(unread)? {
                // Not said in the options: read so, it is the same file as on the command line.
                Some(Fit::Table(table)) => Ok(plain(options, Reader::Table(table), true)),
                Some(Fit::Mapping { place, .. }) if place < offered.len() => {
                    let (mapping, reader) = offered.swap_remove(place);
                    options.mapping = Some(mapping);
                    Ok(plain(options, reader, true))
                }
                _ => {
                    let mut settled =
                        proposed(server, jobs, job, file, options, &Answers::default())?;
                    settled.found = true;
                    Ok(settled)
                }
            }
        }
    }
}

fn proposed(
    server: &Server,
    jobs: &Jobs,
    job: &Job,
    file: &Arc<HandedIn>,
    mut options: ImportOptions,
    answers: &Answers,
) -> Result<Settled, Failure> {
    let sample = sampled(jobs, job, file)?;
    let proposal = mapping::proposed(&sample, &server.workspace, answers);
    let proposal = proposal.map_err(|error| desk(&error))?;
    let mapping = Mapping::from_text(&proposal.text)
        .map_err(|error| broken(&format!("a proposal is no mapping: {error}")))?;
    options.mapping = Some(mapping);
    let reader = Reader::Proposed(proposal.name.clone());
    Ok(Settled { options, reader, found: false, proposal: Some(proposal) })
}

/// What a mapping is made from: looked at once, for it goes through the file.
pub fn sampled(jobs: &Jobs, job: &Job, file: &Arc<HandedIn>) -> Result<Arc<Sample>, Failure> {
    if let Some(sample) = &job.sample {
        return Ok(Arc::clone(sample));
    }
    let looked = mapping::look(file.path(), &job.name, job.wish.encoding);
    let sample = Arc::new(looked.map_err(|error| desk(&error))?);
    jobs.keep_sample(&job.id, &sample);
    Ok(sample)
}

/// The mappings that the owner of a file may choose, and that are tried on it: those of the workspace
/// first. What a workspace's mapping is called, and what it sets, may speak of any arrangement: a provider's
/// people have those alone that read evidence of an arrangement of theirs before.
fn offered(server: &Server, provider: Option<&str>) -> Result<Vec<(Mapping, Reader)>, Failure> {
    let all = |error: DeskError| broken(&error.to_string());
    let mut own = mapping::own(server.workspace.dir()).map_err(all)?;
    if let Some(provider) = provider {
        let used = used_by(server, provider).map_err(|error| broken(&error.to_string()))?;
        own.retain(|mapping| used.iter().any(|text| text == mapping.text()));
    }
    let named = |mapping: Mapping, reader: fn(String) -> Reader| {
        let name = mapping.name().to_owned();
        (mapping, reader(name))
    };
    let own = own.into_iter().map(|mapping| named(mapping, Reader::OfWorkspace));
    let release = mapping::of_release().into_iter();
    Ok(own.chain(release.map(|mapping| named(mapping, Reader::OfRelease))).collect())
}

/// Names of the mappings that somebody may choose.
pub fn offered_names(asked: &Asked<'_>) -> Option<Vec<(String, Reader)>> {
    let provider = asked.visitor.as_ref()?.account.provider.as_deref();
    let all = offered(asked.server, provider).ok()?.into_iter();
    Some(all.map(|(mapping, reader)| (mapping.name().to_owned(), reader)).collect())
}

/// What holds the same in every row, as it was written.
fn same_in_every_row(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |what: String, help: &str| Failure {
        what,
        help: Some(help.to_owned()),
        field: Some("set"),
        ..Failure::default()
    };
    let mut set = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let pair = line.split_once('=').map(|(column, value)| (column.trim(), value.trim()));
        let (column, value) = pair.filter(|(column, _)| !column.is_empty()).ok_or_else(|| {
            wrong(format!("`{line}` names no column"), "Write `column=value`, one a line.")
        })?;
        if set.insert(column.to_owned(), value.to_owned()).is_some() {
            return Err(wrong(format!("`{column}` stands there twice"), "Give each column once."));
        }
    }
    Ok(set)
}

/// Texts of the mappings that read the newest imports about arrangements of one provider and no other.
fn used_by(server: &Server, provider: &str) -> Result<Vec<String>, StoreError> {
    /// Imports looked at.
    const LOOKED_AT: usize = 200;
    let workspace = &server.workspace;
    let portfolio: Portfolio = workspace.portfolio()?;
    let own = |id: &String| portfolio.sole_provider(id) == Some(provider);
    let size = workspace.backend().head()?.size;
    let mut texts: Vec<String> = Vec::new();
    let notes = workspace.backend().imports(size)?;
    let own = notes
        .iter()
        .rev()
        .filter(|note| !note.arrangements.is_empty() && note.arrangements.iter().all(own));
    for note in own.take(LOOKED_AT) {
        let Ok(payload) = workspace.import_payload(note.seq) else { continue };
        let options = workspace.options_of(&payload)?;
        let text = options.mapping.map(|mapping| mapping.text().to_owned());
        texts.extend(text.filter(|text| !texts.contains(text)));
    }
    Ok(texts)
}

fn gone() -> Failure {
    Failure {
        what: "The file is no longer here.".to_owned(),
        help: Some("Hand it in again.".to_owned()),
        ..Failure::default()
    }
}

fn broken(cause: &str) -> Failure {
    Failure {
        what: "Something went wrong here. Whoever runs this server finds the cause in its log."
            .into(),
        cause: Some(cause.to_owned()),
        ..Failure::default()
    }
}

/// What a desk says about a file of the owner's own.
fn desk(error: &DeskError) -> Failure {
    Failure {
        what: in_words_of_the_page(&error.to_string()),
        help: error.help().map(in_words_of_the_page),
        ..Failure::default()
    }
}

/// Why a file cannot be read as a whole: about the file, so its owner may know.
fn unread(error: ReadError) -> Failure {
    match error {
        ReadError::Io { source, .. } => {
            broken(&format!("a handed-in file cannot be read: {source}"))
        }
        ReadError::Sink(source) => Failure {
            what: "The server ends, and the file was not read.".to_owned(),
            help: Some("Hand it in again once the server is back.".to_owned()),
            cause: Some(source.to_string()),
            ..Failure::default()
        },
        ReadError::Rows { .. } => broken(&error.to_string()),
        other => desk(&DeskError::from(other)),
    }
}

/// Why a file was not brought in: what may be told without naming what others brought.
fn unbrought(error: StoreError) -> Failure {
    let not_now = |what: &str, help: &str| Failure {
        what: what.to_owned(),
        help: Some(help.to_owned()),
        cause: Some(error.to_string()),
        ..Failure::default()
    };
    if error.is_no_space() {
        return not_now(
            "No room is left on the disk; nothing was brought in.",
            "Ask whoever runs this server to make room, then bring it in once more.",
        );
    }
    match error {
        StoreError::DuplicateLog { cases, of, shift, .. } => Failure {
            what: format!(
                "The file repeats a log that is here already, with another clock: {cases} of {of} cases \
                 have the same activities, shifted by {shift}."
            ),
            help: Some(
                "Find out which clock is right. If both must be kept, say “Keep it beside the other”: \
                 controls on both then stay untested."
                    .to_owned(),
            ),
            field: Some("keep_both"),
            asks: Vec::new(),
            refused: false,
            cause: None,
        },
        StoreError::Read(error) => unread(error),
        StoreError::ReadOnly { .. } => {
            not_now("This workspace can only be read here.", "Bring the file in where it can be written.")
        }
        StoreError::Busy { .. } => not_now(
            "Another process has been writing into this workspace for long.",
            "Bring the file in once more when it is done.",
        ),
        StoreError::TooManyRecords { .. } => desk(&DeskError::from(error)),
        other => broken(&other.to_string()),
    }
}
