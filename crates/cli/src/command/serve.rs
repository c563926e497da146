//! `backstay serve`: the workspace in the browser, until Ctrl-C. The clock and randomness of the machine
//! are handed in here.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::atomic::Ordering,
    time::Duration,
};

use backstay_server::{Ports, Server, listen};
use backstay_store::Workspace;

use crate::{args::ServeArgs, door, error::CliError};

/// How often the wish to end is looked at.
const GLANCE: Duration = Duration::from_millis(100);

pub fn run(args: &ServeArgs, named: Option<&Path>) -> Result<u8, CliError> {
    if args.routes {
        for route in backstay_server::routes() {
            let (method, path) = (route.method, route.path);
            door::print(&format!("{method:<5} {path:<52} {}\n", route.right))?;
        }
        return Ok(0);
    }
    serve(door::open(named)?, args.listen, args.behind_https, Some(args.most_upload))?;
    Ok(0)
}

/// Serves a workspace until Ctrl-C; says where, and how the first administrator comes in.
///
/// # Errors
/// An address that cannot be listened on; a workspace that cannot be read.
pub fn serve(
    workspace: Workspace,
    address: SocketAddr,
    secure: bool,
    most_upload: Option<u64>,
) -> Result<(), CliError> {
    let listener = TcpListener::bind(address).map_err(|error| {
        CliError::failed_with(
            format!("`{address}` cannot be listened on: {}", door::because(&error)),
            "name another address with `--listen`, for example `--listen 127.0.0.1:8721`",
        )
    })?;
    let address = listener.local_addr().unwrap_or(address);
    let first = if workspace.is_read_only()? {
        None
    } else {
        door::with_context(|ctx| workspace.accounts().first_link(ctx))?
    };
    let ports = Ports {
        now_us: Box::new(door::now_us),
        random: Box::new(door::fill_random),
        log: Box::new(|cause| door::remark(&format!("error: {cause}"))),
        secure,
    };
    let server =
        Server::new(workspace, ports).map_err(|error| CliError::failed(error.to_string()))?;
    if let Some(bytes) = most_upload {
        server.limit_files(bytes);
    }
    let scheme = if secure { "https" } else { "http" };
    door::tell(&format!("Backstay is at {scheme}://{address}/ until Ctrl-C."))?;
    if let Some(link) = first {
        door::tell("The first administrator comes in by this link, once, within three days:")?;
        door::print(&format!("  {scheme}://{address}{}\n", link.path()))?;
    }
    if !address.ip().is_loopback() && !secure {
        door::remark(
            "other machines reach this address by plain HTTP: put it behind HTTPS, and say `--behind-https`",
        );
    }
    let stop = door::stop_flag()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format!("no threads to serve with: {error}")))?;
    let stopped = async {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(GLANCE).await;
        }
    };
    let done = runtime.block_on(listen(listener, server.app(), stopped));
    server.finish();
    runtime.shutdown_timeout(Duration::from_secs(3));
    done.map_err(|error| CliError::failed(format!("`{address}`: {}", door::because(&error))))
}
