//! Backstay in the browser: sign in, see, open. One process, pages made on the server, no script.
//!
//! Owns routes, sessions as cookies, the rule that stands before every handler, and pages. It must
//! never answer a request without the row of [`route::ROUTES`] that says who may ask it, look at
//! evidence that the asker does not see, compute a figure, or read the machine's clock or randomness:
//! both come in by [`Ports`].

mod answer;
mod api;
mod asked;
mod figures;
mod guard;
mod job;
mod listen;
mod meter;
mod page;
mod panels;
mod past;
mod problem;
mod route;
mod server;
mod upload;

pub use api::document::document;
pub use listen::{Peer, listen};
pub use route::{Right, Route, routes};
pub use server::{Ports, Server, ServerError};
