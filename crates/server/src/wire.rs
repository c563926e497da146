//! HTTP/1.1 on connections that we accept ourselves, one thread each: tokio's own network features would
//! have the whole engine built anew for what a few lines do. Heads are parsed by `httparse`.
//!
//! Owns the bytes of a connection and their bounds. What is ambiguous is refused, never guessed: a body
//! has one length, in digits, and no transfer coding. It must never know a route.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Method, Request, StatusCode, Version, header},
};
use tokio::runtime::Handle;
use tower::ServiceExt as _;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Connections at once; one more is told to come back.
const MOST_CONNECTIONS: usize = 256;
/// Bytes of a head.
const MOST_HEAD: usize = 16 * 1024;
/// Fields of a head.
const MOST_FIELDS: usize = 64;
/// Reads of one head or body; slow drips end here.
const MOST_READS: usize = 1_000;
/// How long one read or write may take, and how long a connection may idle.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the wish to end is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// Takes connections until `stop` is raised, then waits for those at work.
///
/// # Errors
/// When the address cannot be listened on any more.
pub fn listen(
    listener: &TcpListener,
    app: &Router,
    runtime: &Handle,
    stop: &Arc<AtomicBool>,
    most_body: usize,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let open = Arc::new(AtomicUsize::new(0));
    let raised = Arc::clone(stop);
    // Accepting blocks; the wish to end knocks at the door.
    let watch = thread::spawn(move || {
        while !raised.load(Ordering::Relaxed) {
            thread::sleep(GLANCE);
        }
        let _ = TcpStream::connect_timeout(&reachable(address), PATIENCE);
    });
    for stream in listener.incoming() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            let mut stream = stream;
            let _ = refuse(&mut stream, StatusCode::SERVICE_UNAVAILABLE);
            continue;
        }
        let (app, runtime) = (app.clone(), runtime.clone());
        let (stop, open_here) = (Arc::clone(stop), Arc::clone(&open));
        let made = thread::Builder::new().name("connection".to_owned()).spawn(move || {
            // A peer that goes away ends its own connection and nothing else.
            let _ =
                Connection::new(stream).and_then(|mut c| c.talk(&app, &runtime, &stop, most_body));
            open_here.fetch_sub(1, Ordering::Relaxed);
        });
        if made.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let _ = watch.join();
    // Idle connections end within their patience; nobody waits longer for them.
    let mut glances = 30;
    while open.load(Ordering::Relaxed) > 0 && glances > 0 {
        thread::sleep(GLANCE);
        glances -= 1;
    }
    Ok(())
}

/// An address that leads back to a listener on every interface.
fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            SocketAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        });
    }
    address
}

fn refuse(stream: &mut TcpStream, status: StatusCode) -> io::Result<()> {
    let reason = status.canonical_reason().unwrap_or("");
    let text = format!("{} {reason}\n", status.as_u16());
    write!(
        stream,
        "HTTP/1.1 {} {reason}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n{text}",
        status.as_u16(),
        text.len()
    )?;
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

/// A head that was read, and what its body is.
struct Head {
    request: Request<()>,
    body: usize,
    keep: bool,
    expects: bool,
}

/// What reading a head came to.
enum Reading {
    Whole(Box<Head>),
    Ended,
    Refused(StatusCode),
}

struct Connection {
    stream: TcpStream,
    peer: Peer,
    /// Bytes read and not used yet.
    held: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let peer = Peer(stream.peer_addr()?.ip().to_canonical());
        Ok(Self { stream, peer, held: Vec::new() })
    }

    /// Answers request after request.
    fn talk(
        &mut self,
        app: &Router,
        runtime: &Handle,
        stop: &AtomicBool,
        most_body: usize,
    ) -> io::Result<()> {
        loop {
            let head = match self.head()? {
                Reading::Whole(head) => *head,
                Reading::Ended => return Ok(()),
                Reading::Refused(status) => return refuse(&mut self.stream, status),
            };
            if head.body > most_body {
                return refuse(&mut self.stream, StatusCode::PAYLOAD_TOO_LARGE);
            }
            if head.expects {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let Some(body) = self.body(head.body)? else { return Ok(()) };
            let mut request = head.request.map(|()| Body::from(body));
            request.extensions_mut().insert(self.peer);
            let bodiless = request.method() == Method::HEAD;
            let answered = runtime.block_on(async {
                let Ok(response) = app.clone().oneshot(request).await;
                let (parts, body) = response.into_parts();
                to_bytes(body, usize::MAX).await.map(|bytes| (parts, bytes))
            });
            let Ok((parts, bytes)) = answered else {
                return refuse(&mut self.stream, StatusCode::INTERNAL_SERVER_ERROR);
            };
            let keep = head.keep && !stop.load(Ordering::Relaxed);
            self.answer(&parts, &bytes, bodiless, keep)?;
            if !keep {
                return self.stream.shutdown(Shutdown::Write);
            }
        }
    }

    fn answer(
        &mut self,
        parts: &axum::http::response::Parts,
        body: &[u8],
        bodiless: bool,
        keep: bool,
    ) -> io::Result<()> {
        let reason = parts.status.canonical_reason().unwrap_or("");
        let mut out = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).into_bytes();
        for (name, value) in &parts.headers {
            if name == header::CONTENT_LENGTH || name == header::CONNECTION {
                continue;
            }
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let connection = if keep { "keep-alive" } else { "close" };
        let tail = format!("content-length: {}\r\nconnection: {connection}\r\n\r\n", body.len());
        out.extend_from_slice(tail.as_bytes());
        if !bodiless {
            out.extend_from_slice(body);
        }
        self.stream.write_all(&out)?;
        self.stream.flush()
    }

    /// More bytes; false: the peer sends no more, or takes too long.
    fn more(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 8 * 1024];
        let read = match self.stream.read(&mut bytes) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(_) => return Ok(false),
        };
        self.held.extend_from_slice(bytes.get(..read).unwrap_or_default());
        Ok(read > 0)
    }

    fn head(&mut self) -> io::Result<Reading> {
        for _ in 0..MOST_READS {
            match parse(&self.held) {
                Ok(Some((used, head))) => {
                    self.held.drain(..used);
                    return Ok(Reading::Whole(Box::new(head)));
                }
                Ok(None) if self.held.len() > MOST_HEAD => {
                    return Ok(Reading::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
                }
                Ok(None) => {}
                Err(status) => return Ok(Reading::Refused(status)),
            }
            if !self.more()? {
                return Ok(Reading::Ended);
            }
        }
        Ok(Reading::Refused(StatusCode::REQUEST_TIMEOUT))
    }

    fn body(&mut self, length: usize) -> io::Result<Option<Vec<u8>>> {
        for _ in 0..MOST_READS {
            if self.held.len() >= length {
                let rest = self.held.split_off(length);
                return Ok(Some(std::mem::replace(&mut self.held, rest)));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
        Ok(None)
    }
}

/// A whole head with the bytes it took; nothing while more are needed.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, StatusCode> {
    let bad = StatusCode::BAD_REQUEST;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let used = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(used)) if used <= MOST_HEAD => used,
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(bad),
    };
    let target = parsed.path.filter(|path| path.starts_with('/')).ok_or(bad)?;
    let newer = parsed.version == Some(1);
    let mut request = Request::builder()
        .method(parsed.method.unwrap_or_default())
        .uri(target)
        .version(if newer { Version::HTTP_11 } else { Version::HTTP_10 })
        .body(())
        .map_err(|_| bad)?;
    for field in parsed.headers.iter() {
        let name = header::HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| bad)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| bad)?;
        request.headers_mut().append(name, value);
    }
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    if headers.get_all(header::HOST).iter().count() > 1
        || newer && !headers.contains_key(header::HOST)
    {
        return Err(bad);
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let body = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(length), None) => {
            let digits =
                length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|text| text.parse().ok()).ok_or(bad)?
        }
        _ => return Err(bad),
    };
    let says = |name: header::HeaderName, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let keep = newer && !says(header::CONNECTION, "close");
    let expects = says(header::EXPECT, "100-continue") && body > 0;
    Ok(Some((used, Head { request, body, keep, expects })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn refused(head: &str) -> StatusCode {
        match parse(head.as_bytes()) {
            Err(status) => status,
            Ok(_) => panic!("taken: {head:?}"),
        }
    }

    #[test]
    fn a_head_is_read_when_it_is_whole_and_says_how_long_its_body_is() {
        let head = "POST /sign-in?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
        let (used, read) = parse(format!("{head}abcGET").as_bytes()).unwrap().unwrap();
        assert_eq!((used, read.body, read.keep, read.expects), (head.len(), 3, true, false));
        assert_eq!(read.request.uri().query(), Some("a=b"));
        for cut in 0..head.len() {
            assert!(parse(&head.as_bytes()[..cut]).unwrap().is_none(), "{cut}");
        }
    }

    #[test]
    fn a_connection_is_kept_unless_one_side_says_otherwise() {
        let kept = |head: &str| parse(head.as_bytes()).unwrap().unwrap().1.keep;
        assert!(kept("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert!(!kept("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"));
        assert!(!kept("GET / HTTP/1.0\r\n\r\n"));
    }

    #[test]
    fn a_length_that_two_readers_could_read_differently_is_refused() {
        let head = |fields: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n");
        let bad = StatusCode::BAD_REQUEST;
        assert_eq!(refused(&head("Content-Length: 3\r\nContent-Length: 3")), bad);
        assert_eq!(refused(&head("Content-Length: 3, 3")), bad);
        assert_eq!(refused(&head("Content-Length: +3")), bad);
        assert_eq!(refused(&head("Content-Length: ")), bad);
        assert_eq!(refused(&head("Content-Length: 99999999999999999999")), bad);
        let coded = "Content-Length: 3\r\nTransfer-Encoding: chunked";
        assert_eq!(refused(&head(coded)), StatusCode::NOT_IMPLEMENTED);
        assert_eq!(refused("GET / HTTP/1.1\r\n\r\n"), bad, "no host");
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), bad);
        assert_eq!(refused("GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), bad);
    }

    #[test]
    fn a_head_is_bounded() {
        let many = "X: y\r\n".repeat(MOST_FIELDS + 1);
        let status = refused(&format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n"));
        assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        let long = "y".repeat(MOST_HEAD);
        let status = refused(&format!("GET / HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"));
        assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
}
