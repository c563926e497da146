//! `backstay bundle`, `backup` and `restore`: the workspace for an auditor, and for a bad day.

use std::path::Path;

use backstay_report::figure::{bytes, count};
use backstay_store::BackupOptions;

use crate::{
    args::{BackupArgs, BundleArgs, RestoreArgs},
    door,
    error::CliError,
};

fn number(figure: u64) -> String {
    count(i64::try_from(figure).unwrap_or(i64::MAX))
}

pub fn bundle(args: &BundleArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let made = door::open(named)?.bundle(&args.dir)?;
    let dir = args.dir.display();
    door::tell(&format!(
        "Bundle in `{dir}`: {} entries and {} objects of {}.\n\
         Tree root {}\n\
         Check it offline with `backstay-verify {dir}`. Keep `{dir}/checkpoint` apart from it: with \
         `--since` it proves later that nothing was rewritten.\n",
        number(made.entries),
        number(made.objects),
        made.origin,
        made.root,
    ))?;
    Ok(0)
}

pub fn backup(args: &BackupArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let made = workspace.backup(&args.dest, BackupOptions { without_keys: args.without_keys })?;
    let keys = if made.with_keys {
        "The keys are in it: keep it as safe as the workspace."
    } else {
        "The keys are not in it: keep the workspace's folder `keys` elsewhere, sources cannot be \
         opened without it."
    };
    door::tell(&format!(
        "Backup in `{}`: {} entries, {} objects, {}. {keys}\n",
        args.dest.display(),
        number(made.entries),
        number(made.objects),
        bytes(made.bytes),
    ))?;
    Ok(0)
}

pub fn restore(args: &RestoreArgs) -> Result<u8, CliError> {
    let workspace = backstay_store::restore(&args.src, &args.dest)?;
    let entries = workspace.backend().head()?.size;
    door::tell(&format!(
        "Restored and verified: `{}` with {} entries.\n",
        args.dest.display(),
        number(entries)
    ))?;
    Ok(0)
}
