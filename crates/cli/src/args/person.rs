//! Arguments of the commands about people: `erase` and `reveal`. Words only.

use clap::{ArgGroup, Args, Subcommand};

use super::Format;

#[derive(Debug, Subcommand)]
pub enum EraseCommand {
    /// Forget a person: the id behind the pseudonym, and every kept source that names the person.
    #[command(after_help = "\
Examples:
  backstay erase person p-5b1d0c…                 shows what would be destroyed
  backstay erase person p-5b1d0c… --reason 'request 17 of 3 March' --yes
  backstay erase person --id EMP-149 --party talahib --reason 'request 17' --yes
  backstay erase person --id - --party talahib    reads the id from standard input

Rows stay under the pseudonym, counts and stored answers stay as they are. The
lines of the erased sources can never be shown or read again, by nobody.")]
    Person(ErasePersonArgs),
    /// Destroy the kept bytes of one import; its rows stay.
    #[command(after_help = "\
Examples:
  backstay erase source 5                         shows what would be destroyed
  backstay erase source 5 --reason 'sent by mistake' --yes

To take the rows out of later answers as well: backstay retract 5")]
    Source(EraseSourceArgs),
}

/// What both erasures ask for.
#[derive(Debug, Args)]
pub struct ErasureArgs {
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
#[command(group(ArgGroup::new("who").required(true).args(["pseudonym", "id"])))]
pub struct ErasePersonArgs {
    /// Pseudonym, as rows show it.
    pub pseudonym: Option<String>,
    /// The person's id, as the source writes it; `-` reads it from standard input, which keeps it
    /// out of the shell's history.
    #[arg(long, requires = "party")]
    pub id: Option<String>,
    /// Party whose id it is: the arrangement, unless the import or its mapping said otherwise.
    #[arg(long, requires = "id")]
    pub party: Option<String>,
    /// Kind of id, as the mapping names it under `[people]`.
    #[arg(long, requires = "id", default_value = "person")]
    pub kind: String,
    #[command(flatten)]
    pub erasure: ErasureArgs,
}

#[derive(Debug, Args)]
pub struct EraseSourceArgs {
    /// Ledger entry of the import.
    pub entry: u64,
    #[command(flatten)]
    pub erasure: ErasureArgs,
}

#[derive(Debug, Args)]
pub struct RevealArgs {
    /// Pseudonym, as rows show it.
    pub pseudonym: String,
    /// Why; it stays in the ledger, with who asked and when.
    #[arg(long)]
    pub reason: String,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
