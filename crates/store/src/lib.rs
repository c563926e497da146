//! The ledger and its objects on SQLite and a folder.
//!
//! The crate owns the life of a workspace: importing files once, resolving what is new, corrected
//! or already known, keeping sources encrypted, retracting, reading again, listing what makes up
//! every table as of an instant, and proving that all of it is still there. It must never decide
//! what a row means for a control, read a clock or draw randomness (both come in by [`Ctx`]), or
//! show a row that no ledger entry made known.

pub mod account;
pub mod assessment;
pub mod backend;
pub mod backup;
pub mod bundle;
pub mod cache;
mod close;
mod disk;
pub mod edit;
mod erase;
mod error;
pub mod fault;
mod hand_in;
mod import;
mod index;
mod keys;
mod layout;
mod merge;
pub mod objects;
pub mod payload;
mod proof;
mod quarantine;
mod register;
mod retract;
mod row_text;
mod scratch;
pub mod sqlite;
mod tail;
mod trace;
mod vault;
pub mod verify;
mod witness;
mod workspace;

pub use account::{
    AccessEvent, AccessPayload, Account, Accounts, CodeVerdict, FactorOffer, NewAccount, NewLink,
    NewToken, SessionView, SignIn, TokenView, Visitor,
};
pub use assessment::{Assessment, AssessmentKept, AssessmentSummary, NewAssessment};
pub use backend::{Backend, RegisterRow};
pub use backup::{BackupOptions, BackupReport, restore};
pub use bundle::BundleReport;
pub use cache::ResultCache;
pub use close::{CloseNote, CloseStep, Closed};
pub use edit::{Edit, Edited, Refusal, RowChange, RowEdit, RowVerdict, RowVersion};
pub use erase::{Erasure, Revealed};
pub use error::{Result, StoreError};
pub use hand_in::{HandedIn, HandingIn};
pub use import::{
    ImportOutcome, ImportProgress, ImportRequest, OnProgress, Phase, RejectionKind, TableOutcome,
};
pub use merge::{CompactOptions, CompactReport, CompactedGroup};
pub use payload::{Counts, EditPayload, EditedRow, ImportPayload};
pub use proof::{CheckpointView, Inclusion, KeptCheckpoint};
pub use quarantine::{Quarantined, QuarantinedRecord};
pub use retract::Retracted;
pub use trace::{PastVersion, Trace, TraceSource};
pub use verify::{VerifyOptions, VerifyProblem, VerifyProgress, VerifyReport};
pub use workspace::{AsOf, Ctx, EntrySummary, InitOptions, Limits, Workspace, WorkspaceObjects};
