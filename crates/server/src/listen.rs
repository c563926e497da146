//! Connections: how many at once, how long a head may take, and how they end. HTTP itself is hyper's.
//! It must never know a route.

use std::{
    future::Future,
    io,
    net::{IpAddr, TcpListener},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{sync::Semaphore, time};
use tower::ServiceExt as _;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Connections at once; one more waits in the system's queue.
const MOST_CONNECTIONS: usize = 256;
/// Bytes of a head, and of what is read of a body at once.
const MOST_HEAD: usize = 64 * 1024;
/// How long a head may take, and how long a connection may idle.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long requests at work may take to end once the server is told to.
const FAREWELL: Duration = Duration::from_secs(3);
/// A pause when the system gives no connection, for example because files ran out.
const BREATH: Duration = Duration::from_millis(50);

/// Takes connections until `stop` ends, then waits a little for those at work.
///
/// # Errors
/// When the listener cannot be used.
pub async fn listen(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut stop = pin!(stop);
    loop {
        // The semaphore is never closed; were it, connections would go on without a bound.
        let place = tokio::select! {
            place = Arc::clone(&room).acquire_owned() => place.ok(),
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, address)) = accepted else {
            time::sleep(BREATH).await;
            continue;
        };
        // A connection that cannot be set up so is only slower.
        let _ = stream.set_nodelay(true);
        let peer = Peer(address.ip().to_canonical());
        let app = app.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            app.clone().oneshot(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(MOST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A peer that goes away ends its own connection and nothing else.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    // Whoever takes longer is cut off with the runtime.
    let _ = time::timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}
