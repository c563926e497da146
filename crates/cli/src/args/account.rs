//! Arguments of `backstay account`: people, their rights, and how they come in. Words only.

use backstay_access::{Role, RoleError, Scope};
use clap::{ArgGroup, Args, Subcommand};

use super::Format;

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account, with its grants if they are known.
    #[command(after_help = "\
Examples:
  backstay account add ana@example.com --name 'Ana Cruz' \\
      --grant service-owner@arrangement:desk --link
  backstay account add tala@north.example --name Tala --provider north \\
      --grant provider-account-manager@provider:north

An account has no password until its owner comes in by a link and sets one.")]
    Add(AccountAddArgs),
    /// List the accounts with what they were granted.
    List {
        /// How the list is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show an account: its grants, and the arrangements that it sees.
    Show {
        #[command(flatten)]
        account: AccountArg,
        /// How it is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List the roles and what they are for.
    Roles {
        /// How the list is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Give an account a role in a scope; that it was given stays in the ledger.
    #[command(after_help = "\
Examples:
  backstay account grant ana@example.com vendor-manager --on all \\
      --reason 'took over from Bo'
  backstay account grant ana@example.com analyst --on arrangement:desk")]
    Grant(AccountGrantArgs),
    /// Take a role in a scope from an account; that it was taken stays in the ledger.
    #[command(after_help = "\
Examples:
  backstay account revoke ana@example.com analyst --on arrangement:desk \\
      --reason 'project ended'")]
    Revoke(AccountGrantArgs),
    /// Keep an account out: its sessions and links end, its API tokens let nobody in.
    Disable(AccountReasonArgs),
    /// Let a disabled account in again.
    Enable(AccountReasonArgs),
    /// Erase an account: address, name, password, tokens. The ledger keeps its id.
    #[command(after_help = "\
Examples:
  backstay account forget ana@example.com        shows what would be erased
  backstay account forget ana@example.com --reason 'left in May' --yes")]
    Forget(AccountForgetArgs),
    /// Make a one-time link that lets an account's owner in, to set a new password.
    #[command(after_help = "\
Examples:
  backstay account link --administrator          the first one of a workspace
  backstay account link ana@example.com --hours 4
  backstay account link ana@example.com --without-factor --reason 'lost phone'

It prints the path; put the server's address before it. Links made for the
account before end. A link stands for the password, not for the second factor.")]
    Link(AccountLinkArgs),
    /// List, make and end the personal API tokens of an account.
    #[command(after_help = "\
Examples:
  backstay account token ana@example.com         lists them
  backstay account token ana@example.com --for 'nightly import' --days 90 \\
      --arrangement desk
  backstay account token ana@example.com --for dashboard --read-only
  backstay account token ana@example.com --end t-5b1d0c2e

The secret is shown once. A token never does more than its owner may.")]
    Token(AccountTokenArgs),
    /// List and end the sessions of an account.
    #[command(after_help = "\
Examples:
  backstay account sessions ana@example.com
  backstay account sessions ana@example.com --end 5b1d0c2e5b1d0c2e
  backstay account sessions ana@example.com --end-all")]
    Sessions(AccountSessionsArgs),
}

#[derive(Debug, Args)]
pub struct AccountArg {
    /// Id or mail address.
    #[arg(value_name = "ACCOUNT")]
    pub account: String,
}

#[derive(Debug, Args)]
pub struct AccountAddArgs {
    /// Mail address.
    pub email: String,
    /// Name for others to read.
    #[arg(long)]
    pub name: String,
    /// Provider whose person it is; else of the client's side.
    #[arg(long, value_name = "ID")]
    pub provider: Option<String>,
    /// Role and scope; may be given several times.
    #[arg(long = "grant", value_name = "ROLE@SCOPE", value_parser = grant)]
    pub grants: Vec<(Role, Scope)>,
    /// Also make a one-time link for it.
    #[arg(long)]
    pub link: bool,
    /// Why; it stays in the ledger, so name no person in it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// Check everything and show what would be made, write nothing.
    #[arg(long, conflicts_with = "link")]
    pub dry_run: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AccountGrantArgs {
    #[command(flatten)]
    pub account: AccountArg,
    /// Role, as `account roles` lists them.
    #[arg(value_parser = role)]
    pub role: Role,
    /// Where: `all`, `arrangement:ID` or `provider:ID`.
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    pub on: Scope,
    /// Why; it stays in the ledger, so name no person in it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AccountReasonArgs {
    #[command(flatten)]
    pub account: AccountArg,
    /// Why; it stays in the ledger, so name no person in it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AccountForgetArgs {
    #[command(flatten)]
    pub account: AccountArg,
    /// Why; it stays in the ledger for good, so name no person in it.
    #[arg(long, required_if_eq("yes", "true"))]
    pub reason: Option<String>,
    /// Do it. Without this it is only shown.
    #[arg(long)]
    pub yes: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("who").required(true).args(["account", "administrator"])))]
pub struct AccountLinkArgs {
    /// Id or mail address.
    #[arg(value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// For the first administrator, who is made if there is none.
    #[arg(long)]
    pub administrator: bool,
    /// Hours that it lasts.
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u16).range(1..=720), conflicts_with = "administrator")]
    pub hours: u16,
    /// Also take a lost second factor away.
    #[arg(long, requires = "account")]
    pub without_factor: bool,
    /// Why; it stays in the ledger, so name no person in it.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AccountTokenArgs {
    #[command(flatten)]
    pub account: AccountArg,
    /// Make one, for this.
    #[arg(long = "for", value_name = "TITLE", conflicts_with = "end")]
    pub title: Option<String>,
    /// Days that it lasts.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366), requires = "title")]
    pub days: u16,
    /// It may only read.
    #[arg(long, requires = "title")]
    pub read_only: bool,
    /// Only this arrangement; may be given several times.
    #[arg(long, value_name = "ID", requires = "title")]
    pub arrangement: Vec<String>,
    /// End the one with this id.
    #[arg(long, value_name = "TOKEN")]
    pub end: Option<String>,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AccountSessionsArgs {
    #[command(flatten)]
    pub account: AccountArg,
    /// End the one with this id.
    #[arg(long, value_name = "SESSION", conflicts_with = "end_all")]
    pub end: Option<String>,
    /// End all of them.
    #[arg(long)]
    pub end_all: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn role(text: &str) -> Result<Role, RoleError> {
    text.parse()
}

fn scope(text: &str) -> Result<Scope, RoleError> {
    text.parse()
}

fn grant(text: &str) -> Result<(Role, Scope), String> {
    let Some((role, scope)) = text.split_once('@') else {
        return Err(format!("write role and scope as in `{text}@all`"));
    };
    let role = role.parse().map_err(|error: RoleError| error.to_string())?;
    Ok((role, scope.parse().map_err(|error: RoleError| error.to_string())?))
}
