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
    /// Files handed in may have so many bytes at most; K, M and G are powers of 1,024.
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = size)]
    pub most_upload: u64,
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

/// `4096`, `500M`, `4G`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, power) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (text.get(..at), 10),
        Some((at, 'M' | 'm')) => (text.get(..at), 20),
        Some((at, 'G' | 'g')) => (text.get(..at), 30),
        _ => (Some(text), 0),
    };
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let bytes = number.and_then(|number| number.checked_mul(1 << power));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "write a size, as in `500M` or `4G`".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_letter_or_without() {
        assert_eq!(size("4096"), Ok(4_096));
        assert_eq!(size("500M"), Ok(500 << 20));
        assert_eq!(size("4g"), Ok(4 << 30));
        for wrong in ["", "G", "4GB", "-1", "0", "99999999999999999999", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
