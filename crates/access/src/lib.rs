//! Who somebody is, and what he may do.
//!
//! The crate owns roles, grants and their scopes; the policies ([`Policies`], Cedar files in
//! `policies/`) and the decisions that follow from them, with their reasons; the arrangements that
//! somebody sees ([`Authority::visible`]), computed before any query runs; and what signing in rests
//! on: passwords, second factors, secrets of sessions, tokens and links, lock-out. It must never read
//! a clock, draw randomness, keep anything, or know HTTP: instants and random bytes are parameters.

mod action;
mod limit;
mod password;
mod policy;
mod portfolio;
mod principal;
mod resource;
mod role;
mod secret;
mod standing;
mod totp;

pub use action::{Action, Group};
pub use limit::{Attempts, LimitKind, Verdict};
pub use password::{
    ARGON2_ITERATIONS, ARGON2_LANES, ARGON2_MEMORY_KIB, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS,
    PasswordError, PasswordHash, check_password, hash_password, verify_password,
};
pub use policy::{Authority, Decision, Policies, PolicyError, Reason};
pub use portfolio::{Portfolio, Privacy};
pub use principal::{Principal, TokenLimits, Visit};
pub use resource::Resource;
pub use role::{Grant, Role, RoleError, Scope};
pub use secret::{
    LINK_PREFIX, RECOVERY_CODES, RecoveryCode, Secret, SecretDigest, SecretError, SecretKind,
    TOKEN_PREFIX, account_id,
};
pub use standing::{GrantError, check_grants};
pub use totp::{TOTP_DIGITS, TOTP_SECRET_BYTES, TOTP_STEP_S, TotpSecret, TotpVerdict};
