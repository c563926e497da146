//! `backstay watch`: imports what arrives in a folder. A file is imported first and moved then, so
//! that a crash between the two only makes it known twice; nothing is ever deleted.

mod inbox;
mod outcome;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use backstay_desk::import::shown;
use backstay_store::{ImportRequest, StoreError, Workspace};

use self::{
    inbox::{Arrived, IMPORTED, Inbox, REFUSED, Stamp, Stillness},
    outcome::Outcome,
};
use crate::{
    args::{Format, WatchArgs},
    door,
    error::{CliError, FOUND},
    sources::{self, Rule, Source},
};

/// Between two looks at whether Ctrl-C was pressed.
const NAP: Duration = Duration::from_millis(100);
/// After how long a file that had to stay is tried again, in microseconds.
const TRIED_AGAIN_US: i64 = 60_000_000;
/// How often the workspace may be in the way in a row before `--once` gives up.
const PATIENCE: u32 = 3;

pub fn run(args: &WatchArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    refuse_workspace(&args.dir, workspace.dir())?;
    let mut watch = Watch::new(args, &workspace)?;
    let stop = door::stop_flag()?;
    if !args.once {
        door::remark(&format!(
            "watching `{}`: looks every {} s, takes a file when it has stood still for {} s; Ctrl-C \
             ends after the current file",
            args.dir.display(),
            args.every,
            args.settle
        ));
    }
    loop {
        let pending = watch.round(&stop)?;
        if stop.load(Ordering::Relaxed) {
            door::remark("ended; what was not taken yet stays in the folder");
            return Ok(0);
        }
        if args.once && !pending {
            return Ok(if args.strict && watch.troubled { FOUND } else { 0 });
        }
        rest(args, &stop);
    }
}

/// Waits for the next look, or until Ctrl-C.
fn rest(args: &WatchArgs, stop: &AtomicBool) {
    let wanted = if args.once { args.every.min(args.settle.max(1)) } else { args.every };
    let mut left = Duration::from_secs(u64::from(wanted));
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        thread::sleep(left.min(NAP));
        left = left.saturating_sub(NAP);
    }
}

/// A workspace that watched itself would import its own database.
fn refuse_workspace(dir: &Path, workspace: &Path) -> Result<(), CliError> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(dir).is_some_and(|dir| real(workspace).is_some_and(|own| dir.starts_with(own))) {
        return Err(CliError::usage(
            format!("`{}` is the workspace itself, or lies in it", dir.display()),
            "watch a folder of its own, beside the workspace",
        ));
    }
    Ok(())
}

/// The state of a watch.
struct Watch<'w> {
    args: &'w WatchArgs,
    workspace: &'w Workspace,
    inbox: Inbox,
    stillness: Stillness,
    rules: Vec<Rule>,
    rules_stamp: Option<Stamp>,
    /// How files are read that no rule names.
    otherwise: Source,
    /// Files that had to stay, as they were then, and when that was found.
    left: BTreeMap<PathBuf, (Stamp, i64)>,
    /// Whether a file was refused or left.
    troubled: bool,
    /// How often in a row the workspace was in the way.
    in_the_way: u32,
}

impl<'w> Watch<'w> {
    fn new(args: &'w WatchArgs, workspace: &'w Workspace) -> Result<Self, CliError> {
        let mut reading = args.reading.clone();
        if let Some(arrangement) = &args.arrangement {
            reading.set.push(format!("arrangement_id={arrangement}"));
        }
        let otherwise = Source {
            path: PathBuf::new(),
            name: String::new(),
            file: None,
            options: sources::options(&reading, Some(workspace.dir()))?,
            allow_duplicate_log: args.allow_duplicate_log,
        };
        let mut watch = Self {
            args,
            workspace,
            inbox: Inbox::open(&args.dir)?,
            stillness: Stillness::default(),
            rules: Vec::new(),
            rules_stamp: None,
            otherwise,
            left: BTreeMap::new(),
            troubled: false,
            in_the_way: 0,
        };
        watch.read_rules()?;
        Ok(watch)
    }

    /// Reads the rules when they are new. Rules that are wrong stop everything: a file must not be
    /// read otherwise than its rule will say.
    fn read_rules(&mut self) -> Result<(), CliError> {
        let usual = self.args.dir.join(sources::ORDER_FILE);
        let file = self.args.rules.as_ref().unwrap_or(&usual);
        let stamp = Stamp::of(file).ok().flatten();
        if stamp == self.rules_stamp && (stamp.is_some() || self.args.rules.is_none()) {
            return Ok(());
        }
        self.rules = match (stamp, &self.args.rules) {
            (None, None) => Vec::new(),
            _ => sources::rules(file, Some(self.workspace.dir()))?,
        };
        self.rules_stamp = stamp;
        Ok(())
    }

    /// One look into the folder; says whether anything is left to be done soon.
    fn round(&mut self, stop: &Arc<AtomicBool>) -> Result<bool, CliError> {
        if let Err(error) = self.read_rules() {
            return self.hold(error);
        }
        let deep = self.rules.iter().any(|rule| rule.pattern.contains('/'));
        let listed = match self.inbox.list(deep) {
            Ok(listed) => listed,
            Err(error) => {
                let dir = self.args.dir.display();
                let message = format!("`{dir}` cannot be looked into: {}", door::because(&error));
                return self.hold(CliError::failed(message));
            }
        };
        let mut files: Vec<(usize, Arrived)> = listed
            .into_iter()
            .map(|file| (self.rule_of(&file.name), file))
            .filter(|(rule, file)| *rule < self.rules.len() || !file.name.contains('/'))
            .collect();
        files.sort_by_key(|(rule, _)| *rule);
        let settle_us = i64::from(self.args.settle) * 1_000_000;
        let arrived = files.into_iter().map(|(_, file)| file).collect();
        let (still, moving) = self.stillness.look(arrived, door::now_us(), settle_us);
        let mut again = moving > 0;
        for file in still {
            if stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            if self.rests(&file) {
                continue;
            }
            match self.take(&file)? {
                Some(done) => again |= !done,
                None => return Ok(true),
            }
        }
        Ok(again)
    }

    /// Whether a file had to stay and nothing changed since; after a while it is tried again all the
    /// same, for a permission that was mended leaves size and time as they were.
    fn rests(&self, file: &Arrived) -> bool {
        self.left.get(&file.path).is_some_and(|(stamp, at_us)| {
            *stamp == file.stamp && (self.args.once || door::now_us() - at_us < TRIED_AGAIN_US)
        })
    }

    /// Something that no file is to blame for: said, and tried again; with `--once` only so often.
    fn hold(&mut self, error: CliError) -> Result<bool, CliError> {
        self.in_the_way += 1;
        if self.args.once && self.in_the_way >= PATIENCE {
            return Err(error);
        }
        if self.in_the_way == 1 {
            let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
            door::remark(&format!("waiting: {error}{help}"));
        }
        Ok(true)
    }

    /// The number of the first rule that fits; the number of rules when none does.
    fn rule_of(&self, name: &str) -> usize {
        let fits = |rule: &Rule| backstay_evidence::mapping::fits(&rule.pattern, name);
        self.rules.iter().position(fits).unwrap_or(self.rules.len())
    }

    /// Imports a file and moves it; whether it is done with, nothing when the workspace is in the
    /// way.
    fn take(&mut self, file: &Arrived) -> Result<Option<bool>, CliError> {
        let (options, allow) = match self.rules.get(self.rule_of(&file.name)) {
            Some(rule) => (&rule.options, rule.allow_duplicate_log),
            None => (&self.otherwise.options, false),
        };
        let allow_duplicate_log = allow || self.args.allow_duplicate_log;
        let request = ImportRequest { options: options.clone(), allow_duplicate_log };
        let mut imported = None;
        door::with_context(|ctx| {
            imported = Some(self.workspace.import(&file.path, &request, ctx, &mut |_| {}));
            Ok::<_, StoreError>(())
        })?;
        let outcome = match imported {
            Some(Ok(outcome)) => Outcome::Imported(Box::new(shown(outcome, Some(&file.name)))),
            Some(Err(error)) => match outcome::of_error(error, &file.path) {
                Ok(outcome) => outcome,
                Err(error) => return self.trouble(error).map(|()| None),
            },
            None => return Ok(None),
        };
        self.in_the_way = 0;
        self.put_away(file, &outcome).map(Some)
    }

    fn trouble(&mut self, error: StoreError) -> Result<(), CliError> {
        if matches!(error, StoreError::Busy { .. } | StoreError::Stale { .. }) {
            // Somebody else writes; that ends by itself, and `--once` waits too.
            if self.in_the_way == 0 {
                door::remark("waiting: another process is writing into the workspace");
            }
            self.in_the_way = 1;
            return Ok(());
        }
        self.hold(error.into()).map(|_| ())
    }

    /// Whether the file is done with.
    fn put_away(&mut self, file: &Arrived, outcome: &Outcome) -> Result<bool, CliError> {
        let now_us = door::now_us();
        let folder = match outcome {
            Outcome::Imported(_) => IMPORTED,
            Outcome::Refused(_) => REFUSED,
            Outcome::Unreadable(_) => {
                if self.leave(file) {
                    self.say(file, outcome, None, now_us)?;
                }
                return Ok(true);
            }
            Outcome::Changed | Outcome::Gone => {
                self.say(file, outcome, None, now_us)?;
                return Ok(matches!(outcome, Outcome::Gone));
            }
        };
        self.troubled |= matches!(outcome, Outcome::Refused(_));
        match Stamp::of(&file.path) {
            Ok(Some(stamp)) if stamp == file.stamp => {}
            // It grew between reading and moving: what is there now was not looked at.
            Ok(_) => {
                self.say(file, outcome, None, now_us)?;
                return Ok(false);
            }
            Err(_) => {
                self.say(file, outcome, None, now_us)?;
                return Ok(true);
            }
        }
        let note = outcome.note(&file.name, now_us);
        match self.inbox.put_away(file, folder, &note) {
            Ok(moved_to) => {
                self.left.remove(&file.path);
                self.say(file, outcome, Some(&moved_to), now_us)?;
            }
            Err(error) => {
                if self.leave(file) {
                    self.say(file, outcome, None, now_us)?;
                    door::remark(&format!(
                        "`{}` could not be moved to `{folder}`: {}; it stays where it is",
                        file.name,
                        door::because(&error)
                    ));
                }
            }
        }
        Ok(true)
    }

    /// Leaves a file where it is; whether that is news.
    fn leave(&mut self, file: &Arrived) -> bool {
        self.troubled = true;
        let before = self.left.insert(file.path.clone(), (file.stamp, door::now_us()));
        before.is_none_or(|(stamp, _)| stamp != file.stamp)
    }

    fn say(
        &self,
        file: &Arrived,
        outcome: &Outcome,
        moved_to: Option<&str>,
        now_us: i64,
    ) -> Result<(), CliError> {
        match self.args.format {
            Format::Text => door::print(&outcome.text(&file.name, moved_to, now_us)),
            Format::Json => {
                door::print(&format!("{}\n", outcome.json(&file.name, moved_to, now_us)))
            }
        }
    }
}
