//! Files that come with a form. The rule is asked before a byte of the body is read; the token of the form
//! stands before the file; the file goes to the scratch area of the workspace piece by piece, under a name
//! of ours, and is gone again unless all of it came. It must never hold a file in memory, or use a name
//! that was sent as a path.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest as _, Multipart,
        multipart::{Field, MultipartError},
    },
    http::{Request, Response, header},
};
use backstay_store::{HandedIn, HandingIn, StoreError};
use bytes::Bytes;
use hyper::body::Body as _;
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use crate::{
    asked::{Call, Texts},
    problem::ProblemError,
    route::Route,
    server::Server,
};

/// Bytes of a file that are taken, unless the operator says otherwise.
pub const MOST_FILE: u64 = 4 << 30;
/// Files that come in at once; one more is told to come back.
pub const AT_ONCE: usize = 16;
/// Bytes of a field beside the file.
const MOST_FIELD: usize = 4 * 1024;
/// Fields beside the file.
const MOST_FIELDS: usize = 40;
/// Bytes that a form takes beside its file.
const AROUND: u64 = 256 * 1024;
/// Pieces of a file that wait for the disk.
const WAITING: usize = 8;
/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that are read and thrown away so that a browser hears why a file is refused.
const DRAINED: u64 = 64 << 20;
/// Characters of a file's name that are kept.
const MOST_NAME: usize = 200;

/// A file that came with a form.
#[derive(Debug)]
pub struct Handed {
    /// What the sender calls it: the last part of a path, without what steers.
    pub name: String,
    /// The file.
    pub file: HandedIn,
}

/// Where the file of a request lies until its handler takes it.
pub type Place = Mutex<Option<Handed>>;

/// Receives a form with a file, and has its handler answer.
pub async fn receive(
    server: Arc<Server>,
    route: &'static Route,
    mut call: Call,
    body: Body,
) -> Response<Body> {
    let asking = Arc::clone(&server);
    let asked = spawn_blocking(move || {
        let admitted = asking.admit(route, &call);
        (admitted, call)
    });
    let Ok((admitted, back)) = asked.await else {
        return server.refuse(&ProblemError::broken("a rule ended early"), "");
    };
    call = back;
    let form = match admitted {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let Ok(_turn) = server.receiving.try_acquire() else {
        let detail = "Many files are coming in just now. Send it once more in a while.".to_owned();
        return server.refuse(&ProblemError::busy(detail), &call.path);
    };
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let parted = kind.is_some_and(|kind| kind.starts_with("multipart/"));
    let received = match form.is_none() && !parted {
        true => alone(&server, &call, body).await,
        false => read(&server, &call, form.as_deref(), body).await,
    };
    match received {
        Ok((mut texts, handed)) => {
            if let Some(handed) = &handed {
                // Another file is another request.
                texts.insert("sha256".to_owned(), handed.file.digest().to_string());
            }
            call.form = texts;
            call.file = Mutex::new(handed);
            Arc::clone(&server).answered(route, call).await
        }
        Err(error) => server.refuse(&error, &call.path),
    }
}

/// A file that is the whole body, of a program: what else is to be said stands in the query.
async fn alone(
    server: &Arc<Server>,
    call: &Call,
    mut body: Body,
) -> Result<(Texts, Option<Handed>), ProblemError> {
    let called = call.query.get("name").map(String::as_str).unwrap_or_default();
    let name = shown_name(called);
    let file = keep(server, &mut Pieces::Body(&mut body), server.most_file()).await?;
    Ok((Texts::new(), file.map(|file| Handed { name, file })))
}

/// Where the bytes of a file come from.
enum Pieces<'p, 'f> {
    /// A part of a form.
    Field(&'p mut Field<'f>),
    /// The body itself.
    Body(&'p mut Body),
}

/// The fields and the file; `bound_to`: what the token of the form must fit, none when no form is needed.
async fn read(
    server: &Arc<Server>,
    call: &Call,
    bound_to: Option<&str>,
    body: Body,
) -> Result<(Texts, Option<Handed>), ProblemError> {
    let most = server.most_file();
    let length = call.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    let mut request = Request::new(body);
    *request.headers_mut() = call.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| {
        ProblemError::unclear("This takes a form with a file (multipart/form-data).")
    })?;
    let mut texts = Texts::new();
    let mut handed = None;
    let mut trusted = bound_to.is_none();
    while let Some(mut field) = next(&mut form).await? {
        let name = field.name().unwrap_or_default().to_owned();
        if !trusted {
            // Nothing is kept of a form before it is known to be one of ours.
            let token = if name == "token" { text(&mut field).await? } else { String::new() };
            if !bound_to.is_some_and(|bound_to| server.is_token(bound_to, &token)) {
                return Err(ProblemError::stale_form());
            }
            trusted = true;
            texts.insert(name, token);
            continue;
        }
        if name != "file" {
            if texts.len() >= MOST_FIELDS || texts.contains_key(&name) {
                return Err(ProblemError::unclear(
                    "A field of the form came twice, or too many came.",
                ));
            }
            let value = text(&mut field).await?;
            texts.insert(name, value);
            continue;
        }
        if handed.is_some() {
            return Err(ProblemError::unclear("One file at a time is taken."));
        }
        if length.is_some_and(|length| length > most.saturating_add(AROUND)) {
            drain(&mut Pieces::Field(&mut field)).await;
            return Err(ProblemError::file_too_large(most));
        }
        let called = shown_name(field.file_name().unwrap_or_default());
        let file = keep(server, &mut Pieces::Field(&mut field), most).await?;
        handed = file.map(|file| Handed { name: called, file });
    }
    if trusted { Ok((texts, handed)) } else { Err(ProblemError::stale_form()) }
}

async fn next(form: &mut Multipart) -> Result<Option<Field<'_>>, ProblemError> {
    let field = timeout(PATIENCE, form.next_field()).await;
    field.map_err(|_| ProblemError::cut_off())?.map_err(|error| cut(&error))
}

async fn piece(of: &mut Pieces<'_, '_>) -> Result<Option<Bytes>, ProblemError> {
    match of {
        Pieces::Field(field) => {
            let piece = timeout(PATIENCE, field.chunk()).await;
            piece.map_err(|_| ProblemError::cut_off())?.map_err(|error| cut(&error))
        }
        Pieces::Body(body) => loop {
            let frame = poll_fn(|context| Pin::new(&mut **body).poll_frame(context));
            let frame = timeout(PATIENCE, frame).await.map_err(|_| ProblemError::cut_off())?;
            let Some(frame) = frame else { return Ok(None) };
            // What is no piece of the body stands after it.
            if let Ok(bytes) = frame.map_err(|_| ProblemError::cut_off())?.into_data() {
                return Ok(Some(bytes));
            }
        },
    }
}

fn cut(_: &MultipartError) -> ProblemError {
    ProblemError::cut_off()
}

/// A short text.
async fn text(field: &mut Field<'_>) -> Result<String, ProblemError> {
    let mut all = Vec::new();
    while let Some(bytes) = piece(&mut Pieces::Field(field)).await? {
        if all.len() + bytes.len() > MOST_FIELD {
            return Err(ProblemError::too_large(MOST_FIELD));
        }
        all.extend_from_slice(&bytes);
    }
    String::from_utf8(all)
        .map_err(|_| ProblemError::unclear("A field of the form is not text in UTF-8."))
}

/// Reads on for a while: a browser that is still sending hears no answer.
async fn drain(of: &mut Pieces<'_, '_>) {
    let mut seen = 0;
    while let Ok(Some(bytes)) = piece(of).await {
        seen += bytes.len() as u64;
        if seen > DRAINED {
            break;
        }
    }
}

/// Puts a file away; nothing when it has no byte.
async fn keep(
    server: &Arc<Server>,
    of: &mut Pieces<'_, '_>,
    most: u64,
) -> Result<Option<HandedIn>, ProblemError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let writing = Arc::clone(server);
    let writer = spawn_blocking(move || write(&writing, receiver));
    let mut bytes_seen = 0_u64;
    let mut refused = None;
    loop {
        match piece(of).await {
            Ok(Some(bytes)) => {
                bytes_seen += bytes.len() as u64;
                if bytes_seen > most {
                    refused = Some(ProblemError::file_too_large(most));
                    break;
                }
                // A writer that is gone says why at its end.
                if sender.send(Ok(bytes)).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    if refused.is_some() {
        // Without its end nothing is kept.
        let _ = sender.send(Err(())).await;
    }
    drop(sender);
    let written = writer.await.map_err(|_| ProblemError::broken("a writer ended early"))?;
    if let Some(error) = refused {
        drain(of).await;
        return Err(error);
    }
    match written {
        Ok(file) => Ok(file.filter(|file| file.bytes() > 0)),
        Err(error) => {
            drain(of).await;
            Err(unkept(&error))
        }
    }
}

/// Takes pieces until there are no more; nothing when the sender broke off.
fn write(
    server: &Server,
    mut pieces: mpsc::Receiver<Result<Bytes, ()>>,
) -> Result<Option<HandedIn>, StoreError> {
    let mut file: HandingIn = server.workspace.hand_in()?;
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Ok(bytes) => file.push(&bytes)?,
            Err(()) => return Ok(None),
        }
    }
    file.finish().map(Some)
}

fn unkept(error: &StoreError) -> ProblemError {
    if error.is_no_space() {
        return ProblemError::no_room(error.to_string());
    }
    match error {
        StoreError::ReadOnly { .. } => ProblemError::read_only(error.to_string()),
        other => ProblemError::broken(other.to_string()),
    }
}

/// A file's name as it is shown and kept in the ledger: the last part of a path, whatever system it is of,
/// without control characters and without what turns the direction of writing.
pub fn shown_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let steers = |symbol: &char| {
        symbol.is_control()
            || matches!(symbol, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let plain: String = last.chars().filter(|symbol| !steers(symbol)).take(MOST_NAME).collect();
    match plain.trim() {
        "" | "." | ".." => "file".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_files_name_is_never_a_path_and_steers_nothing() {
        for (sent, shown) in [
            ("log.csv", "log.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\log.csv", "log.csv"),
            ("/", "file"),
            ("..", "file"),
            ("", "file"),
            ("a\u{202e}vsc.exe", "avsc.exe"),
            ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
        ] {
            assert_eq!(shown_name(sent), shown, "{sent:?}");
        }
        assert_eq!(shown_name(&"\u{e4}".repeat(900)).chars().count(), MOST_NAME);
    }
}
