//! Evidence brought in by page: a file is handed in, tried, its reading adjusted, and brought in when its
//! owner says so. What a file may touch is asked in [`right`] each time something is to be done with it.

pub mod mapping;
pub mod options;
pub mod quarantine;
mod recent;
pub mod right;
mod trial;

use std::sync::{Arc, PoisonError};

use backstay_access::Action;
use backstay_report::{
    html::piece::{self, Set},
    import::FileImport,
};
use maud::{Markup, html};

use self::{
    options::{fields, wish},
    trial::{counted, number, size},
};
use super::frame;
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    job::{By, Failure, Full, Job, Progress, Stage, Tried, Wish, Work},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// Where a file is handed in, what waits, and what came in lately.
pub fn show(asked: &Asked<'_>) -> Done {
    if !right::anywhere(asked) {
        return Err(ProblemError::refused(Some("no role of yours brings evidence in".to_owned())));
    }
    start(asked, None)
}

fn start(asked: &Asked<'_>, wrong: Option<&str>) -> Done {
    let waiting = asked.server.jobs.of(&asked.visitor()?.account.id, asked.now_us);
    let body = html! {
        p.lead { "A file is tried first. Nothing is kept before you have seen what it says and said yes." }
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        form.bring method="post" action="/import" enctype="multipart/form-data" {
            (frame::token(asked))
            div.drop {
                label for="file" { "A file: CSV, Excel, JSON Lines, Parquet, XES or iCalendar, also compressed" }
                input #file type="file" name="file" required;
                p.quiet { "Drop it here, or choose it. Up to " (size(asked.server.most_file())) "." }
            }
            details {
                summary { "How it is to be read" }
                p.quiet { "All of this is found by itself where the file says it. Whatever is said here holds for this file alone." }
                (fields(asked, &Wish::default(), None))
            }
            button { "Try it" }
        }
        (waiting_files(&waiting))
        (recent::show(asked)?)
    };
    Ok(Answer::page("Bring evidence in", body))
}

fn waiting_files(jobs: &[Job]) -> Markup {
    let heads = [
        ("File", Set::Wide),
        ("Size", Set::Figure),
        ("Handed in", Set::Text),
        ("Where it stands", Set::Wide),
    ];
    let rows = jobs.iter().map(|job| {
        vec![
            html! { a href={ "/imports/" (job.id) } { (piece::name(&job.name)) } },
            html! { (size(job.bytes)) },
            html! { span.nowrap { (piece::instant(job.handed_us)) } },
            html! { (standing(&job.stage)) },
        ]
    });
    html! {
        @if !jobs.is_empty() {
            section {
                h2 { "Your files" }
                (piece::table(html! { "Handed in, and given up after two hours without a look" }, &heads, rows.collect()))
            }
        }
    }
}

fn standing(stage: &Stage) -> &'static str {
    match stage {
        Stage::Waiting(Work::Try, _) => "waits to be tried",
        Stage::Waiting(Work::Bring, _) => "waits to be brought in",
        Stage::Running(Work::Try, _) => "is being tried",
        Stage::Running(Work::Bring, _) => "is being brought in",
        Stage::Tried => "tried; nothing is kept yet",
        Stage::Failed(_) => "did not work",
        Stage::Brought(_) => "brought in",
    }
}

/// Takes a file.
pub fn hand_in(asked: &Asked<'_>) -> Done {
    if !right::anywhere(asked) {
        return Err(ProblemError::refused(Some("no role of yours brings evidence in".to_owned())));
    }
    let handed = asked.call.file.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(handed) = handed else {
        return start(
            asked,
            Some("No file came, or it is empty. Choose one that holds something."),
        );
    };
    let id = take(asked, handed, wish(asked, &asked.call.form)?, false)?;
    Ok(Answer::see(format!("/imports/{id}")))
}

/// Puts a file in the queue to be tried, and with `at_once` to be brought in then; gives its id.
///
/// # Errors
/// When too many wait.
pub fn take(
    asked: &Asked<'_>,
    handed: crate::upload::Handed,
    wish: Wish,
    at_once: bool,
) -> Result<String, ProblemError> {
    let account = &asked.visitor()?.account;
    let jobs = &asked.server.jobs;
    jobs.room(&account.id, asked.now_us).map_err(|full| match full {
        Full::Own(most) => ProblemError::busy(format!(
            "You have {most} files waiting here. Bring some of them in, or give them up."
        )),
        Full::All => ProblemError::busy("Too many files wait here. Try again in a while.".into()),
    })?;
    let mut id = [0; 16];
    if !(asked.server.ports.random)(&mut id) {
        return Err(ProblemError::broken("the system gives no randomness"));
    }
    let id = hex::encode(id);
    jobs.take(Job {
        id: id.clone(),
        owner: account.id.clone(),
        provider: account.provider.clone(),
        principal: asked.visitor()?.principal.clone(),
        at_once,
        bytes: handed.file.bytes(),
        digest: handed.file.digest().to_string(),
        file: Some(Arc::new(handed.file)),
        name: handed.name,
        wish,
        tried: None,
        sample: None,
        stage: Stage::Tried,
        handed_us: asked.now_us,
        used_us: asked.now_us,
    });
    Ok(id)
}

/// One file: where it stands, and what can be done with it.
pub fn one(asked: &Asked<'_>) -> Done {
    let job = right::job(asked)?;
    let crumbs = frame::crumbs(&[("/import".to_owned(), html! { "Bring evidence in" })]);
    match &job.stage {
        Stage::Waiting(work, before) => {
            Ok(live(asked, &job, &html! { (crumbs) (queued(*work, *before)) }))
        }
        Stage::Running(work, at) => {
            Ok(live(asked, &job, &html! { (crumbs) (running(&job, *work, *at)) }))
        }
        Stage::Brought(brought) => {
            Ok(Answer::page(title(&job), html! { (crumbs) (brought_in(asked, &job, brought)) }))
        }
        Stage::Failed(failure) => {
            let body = html! { (crumbs) (failed(asked, &job, failure)) };
            Ok(Answer::page(title(&job), body))
        }
        Stage::Tried => {
            let body = html! { (crumbs) (tried(asked, &job)) };
            Ok(Answer::page(title(&job), body))
        }
    }
}

fn title(job: &Job) -> String {
    piece::plain(&job.name)
}

/// A page that asks for itself again while something goes on, unless it was told to hold still.
fn live(asked: &Asked<'_>, job: &Job, body: &Markup) -> Answer {
    let still = asked.query("still").is_some();
    let here = format!("/imports/{}", segment(&job.id));
    let body = html! {
        (body)
        p.quiet {
            @if still { "This page holds still. " a href=(here) { "Follow it again" } }
            @else { "This page follows by itself; you can leave it and come back. " a href={ (here) "?still=yes" } { "Hold it still" } }
        }
        @if !matches!(job.stage, Stage::Running(..)) { (discard_form(asked, job)) }
    };
    if still { Answer::page(title(job), body) } else { Answer::live(title(job), body) }
}

fn queued(work: Work, before: usize) -> Markup {
    let what = match work {
        Work::Try => "It waits to be tried",
        Work::Bring => "It waits to be brought in",
    };
    html! {
        p.lead { (what) @if before > 0 { ", behind " (counted(before as u64, "other")) } "." }
    }
}

/// A step of an import in words.
fn doing(step: &'static str) -> &'static str {
    match step {
        "reading" => "its records are read",
        "comparing" => "its cases are compared with those of earlier logs",
        "resolving" => "its rows are held against what is known",
        "syncing" => "the file is put away, encrypted",
        "writing" => "its rows are written",
        "committing" => "the entry is made",
        other => other,
    }
}

fn running(job: &Job, work: Work, at: Progress) -> Markup {
    let what = match work {
        Work::Try => "It is being tried",
        Work::Bring => "It is being brought in",
    };
    html! {
        p.lead role="status" { (what) @if !at.doing.is_empty() { ": " (doing(at.doing)) } "." }
        p {
            progress max=(job.bytes) value=(at.bytes.min(job.bytes)) aria-label="Bytes read" { (size(at.bytes)) }
            " " (size(at.bytes)) " of " (size(job.bytes)) ", " (counted(at.records, "record")) " read"
        }
    }
}

/// What came of a trial.
fn tried(asked: &Asked<'_>, job: &Job) -> Markup {
    let Some(tried) = &job.tried else { return html! {} };
    if let Some(refusal) = right::refusal(asked, tried) {
        return html! {
            p.note.bad role="alert" { (piece::sentence(&refusal)) }
            (again(asked, job, None, true))
            (discard_form(asked, job))
        };
    }
    let read = &tried.trial.read;
    html! {
        p.lead {
            (counted(read.read, "record")) " read: "
            (number(read.accepted)) " would be taken, " (number(read.quarantined)) " set aside. Nothing is kept yet."
        }
        @if let Some(entry) = tried.known {
            p.note { "This very file is in already, read in this way, as entry " (entry_link(asked, entry)) ". Bringing it in again changes nothing." }
        }
        (next_step(asked, job, tried))
        (trial::facts(job, tried))
        (trial::hints(tried))
        @if !read.rejections.is_empty() {
            section #aside {
                h2 { "Set aside" }
                p { "These records would go into quarantine, with their reason; nothing is dropped. Correct them in the source and hand it in again, or read the file in another way." }
                (trial::rejections(asked.server.workspace.vocabulary(), tried))
            }
        }
        section #rows { h2 { "What would be kept" } (trial::tables(tried)) }
        (again(asked, job, None, false))
        (mapping::keep_form(asked, job, tried))
        (discard_form(asked, job))
    }
}

/// Bringing it in, or what must be said before.
fn next_step(asked: &Asked<'_>, job: &Job, tried: &Tried) -> Markup {
    let owner = asked.visitor.as_ref().is_some_and(|visitor| visitor.account.id == job.owner);
    let path = format!("/imports/{}", segment(&job.id));
    html! {
        @if let Some(only) = &tried.only_arrangement {
            p.note { "The file names no arrangement. Its rows are taken for " (piece::name(only)) ", the one that you bring evidence for." }
        }
        @if !owner {
            p.note { "Somebody else handed this file in, and decides about it." }
        } @else if tried.open.is_empty() {
            form.now method="post" action={ (path) "/bring" } {
                (frame::token(asked))
                button { "Bring it in" }
                @if tried.proposal.is_some() { " " a href={ (path) "/mapping" } { "Look at the mapping first" } }
            }
        } @else {
            div.note {
                p { "Before it can be brought in:" }
                form method="post" action={ (path) "/again" } {
                    (frame::token(asked))
                    (options::asked_for(asked, &job.wish, &tried.open))
                    button { "Try it so" }
                }
            }
        }
    }
}

/// The fields of its reading, to be tried again.
fn again(asked: &Asked<'_>, job: &Job, told: Option<(&str, &str)>, unfolded: bool) -> Markup {
    let owner = asked.visitor.as_ref().is_some_and(|visitor| visitor.account.id == job.owner);
    if !owner || job.file.is_none() {
        return html! {};
    }
    let open = unfolded || told.is_some() || job.tried.as_ref().is_some_and(|t| !t.open.is_empty());
    let path = format!("/imports/{}", segment(&job.id));
    let kept = matches!(job.wish.by, By::Proposed(_) | By::Written(_));
    html! {
        section #again {
            h2 { "Read it in another way" }
            details open[open] {
                summary { "How it is to be read" }
                form.bring method="post" action={ (path) "/again" } {
                    (frame::token(asked))
                    @if kept { p.quiet { "The mapping that you edited stays, unless another one or a table is chosen here." } }
                    (fields(asked, &job.wish, told))
                    button { "Try it again" }
                }
            }
            p { a href={ (path) "/mapping" } { "Say column by column what the file holds" } }
        }
    }
}

fn discard_form(asked: &Asked<'_>, job: &Job) -> Markup {
    let owner = asked.visitor.as_ref().is_some_and(|visitor| visitor.account.id == job.owner);
    html! {
        @if owner {
            form method="post" action={ "/imports/" (job.id) "/discard" } {
                (frame::token(asked))
                button.plain { "Give this file up" }
            }
        }
    }
}

fn failed(asked: &Asked<'_>, job: &Job, failure: &Failure) -> Markup {
    html! {
        @if failure.asks.is_empty() {
            div.note.bad role="alert" {
                p { "It did not work. Nothing was kept." }
                p { (piece::sentence(&piece::capital(&failure.what))) }
                @if let Some(help) = &failure.help { p { (piece::sentence(&piece::capital(help))) } }
            }
        } @else {
            p.lead { (failure.what) }
            div.note {
                p { "What must be said:" }
                ul { @for ask in &failure.asks { li { (piece::sentence(ask)) } } }
            }
            p.now { a.press href={ "/imports/" (segment(&job.id)) "/mapping" } { "Say what its columns are" } }
        }
        dl.facts {
            div { dt { "File" } dd { (piece::name(&job.name)) ", " (size(job.bytes)) } }
            div { dt { "SHA-256" } dd { code.digest { (job.digest) } } }
        }
        (again(asked, job, failure.field.map(|field| (field, failure.what.as_str())), true))
        (discard_form(asked, job))
    }
}

/// What an import did.
fn brought_in(asked: &Asked<'_>, job: &Job, brought: &FileImport) -> Markup {
    let counts = [
        ("Records read", brought.read),
        ("Accepted", brought.accepted),
        ("Corrected", brought.corrected),
        ("Known before", brought.already_known),
        ("Quarantined", brought.quarantined),
    ];
    let touched = job.tried.as_ref().map(|tried| &tried.trial.touched.rows);
    let sees = asked.authority.as_ref().map(|may| may.visible()).unwrap_or_default();
    let mut changed: Vec<&String> = touched.into_iter().flatten().map(|(_, id)| id).collect();
    changed.retain(|id| sees.contains(*id));
    changed.sort();
    changed.dedup();
    html! {
        p.lead role="status" {
            @match (brought.entry, brought.repeated) {
                (Some(entry), true) => { "Nothing changed: entry " (entry) " holds this very file, read in this way." }
                (Some(entry), false) => { "It is in, as entry " (entry_link(asked, entry)) " of the ledger." }
                (None, _) => { "Nothing changed: all that it holds was known before." }
            }
        }
        dl.facts.counts { @for (word, figure) in counts { div { dt { (word) } dd { (number(figure)) } } } }
        @if let (Some(entry), true) = (brought.entry, brought.quarantined > 0) {
            p { a href={ "/quarantine/" (entry) } { (counted(brought.quarantined, "record")) " in quarantine" }
                ": what is wrong with each, to be corrected in the source." }
        }
        @if brought.disagreeing_clock_with.is_some() {
            p.note.bad { "It was kept beside a log that it repeats with another clock: controls on either stay untested." }
        }
        @if !brought.tables.is_empty() {
            p { "Rows by table: " @for (n, table) in brought.tables.iter().enumerate() { @if n > 0 { ", " } code { (table.table) } " " (number(table.rows)) } "." }
        }
        @if !changed.is_empty() {
            h2 { "What it speaks about" }
            ul { @for id in changed { li {
                a href={ "/arrangements/" (segment(id)) } { (piece::name(id)) } ", "
                a href={ "/arrangements/" (segment(id)) "/evidence" } { "its evidence" } } } }
        }
        p { a href="/import" { "Bring another file in" } }
    }
}

fn entry_link(asked: &Asked<'_>, entry: u64) -> Markup {
    let reads =
        asked.authority.as_ref().is_some_and(|may| !may.visible_for(Action::LedgerRead).is_empty());
    html! {
        @if reads { a href={ "/ledger?before=" (entry.saturating_add(1)) } { (entry) } } @else { (entry) }
    }
}

/// Tries a file again, in another way.
pub fn try_again(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    let mut wish = wish(asked, &asked.call.form)?;
    if wish.by == By::Found && matches!(job.wish.by, By::Proposed(_) | By::Written(_)) {
        wish.by = job.wish.by.clone();
    }
    retry(asked, &job, wish)
}

/// Tries a file again; goes back to its page.
fn retry(asked: &Asked<'_>, job: &Job, wish: Wish) -> Done {
    if !asked.server.jobs.again(&job.id, wish) {
        return Err(not_now());
    }
    Ok(Answer::see(format!("/imports/{}", segment(&job.id))))
}

fn not_now() -> ProblemError {
    ProblemError::busy("This file is at work, or is in already. Go back and look at it.".to_owned())
}

/// Brings a file in as it was tried.
pub fn bring(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    queue(asked, &job)?;
    Ok(Answer::see(format!("/imports/{}", segment(&job.id))))
}

/// Has a file brought in, once every right that it needs is there.
///
/// # Errors
/// When one is not, when something is still to be said, or when the file is at work.
pub fn queue(asked: &Asked<'_>, job: &Job) -> Result<(), ProblemError> {
    let Some(tried) = job.tried.as_ref().filter(|_| !job.stage.is_busy()) else {
        return Err(not_now());
    };
    if let Some(refusal) = right::refusal(asked, tried) {
        return Err(ProblemError::refused(Some(refusal)));
    }
    if !tried.open.is_empty() {
        return Err(ProblemError::unclear(
            "Something must be said about this file before it can be brought in.",
        ));
    }
    let principal = asked.visitor()?.principal.clone();
    if asked.server.jobs.bring(&job.id, principal) { Ok(()) } else { Err(not_now()) }
}

/// Gives a file up.
pub fn discard(asked: &Asked<'_>) -> Done {
    let job = right::own_job(asked)?;
    if asked.server.jobs.discard(&job.id) { Ok(Answer::see("/import")) } else { Err(not_now()) }
}
