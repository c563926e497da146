//! Words of `serve` and `demo`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueHint};

/// Where a server listens unless told otherwise.
pub const LISTEN: &str = "127.0.0.1:8720";

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: SocketAddr,
    /// Browsers reach it by HTTPS only: cookies are then never sent without it.
    #[arg(long)]
    pub behind_https: bool,
    /// List every route with the right that it asks for, and end.
    #[arg(long)]
    pub routes: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to make; it must be new or empty. Default: `backstay-demo`, or the next free name.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Open it in the browser afterwards, as `serve` does; on a terminal that is done anyway.
    #[arg(long, conflicts_with = "no_serve")]
    pub serve: bool,
    /// Only make it.
    #[arg(long)]
    pub no_serve: bool,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: SocketAddr,
}
