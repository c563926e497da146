//! A folder of its own for each test, and the real `backstay` binary run in it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The folder.
pub struct Sandbox {
    dir: TempDir,
}

/// What one run of the binary gave.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
    said: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A sandbox with a workspace `ws`.
    pub fn with_workspace() -> Self {
        let sandbox = Self::new();
        sandbox.run(&["init", "ws"]).ok();
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `backstay` in the folder, away from the terminal and from the caller's settings.
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[])
    }

    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Run {
        let output = self.command(args).envs(env.iter().copied()).output().unwrap();
        Run::of(&output, args)
    }

    /// Runs a command on the workspace `ws` with this text on its standard input.
    pub fn ws_with_input(&self, args: &[&str], input: &str) -> Run {
        let all = [&["-w", "ws"], args].concat();
        let mut child = self
            .command(&all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends early leaves the rest unread.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Run::of(&child.wait_with_output().unwrap(), &all)
    }

    /// Starts a command on the workspace `ws` and leaves it running.
    pub fn spawn(&self, args: &[&str]) -> Child {
        let all = [&["-w", "ws"], args].concat();
        self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstay"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        for name in ["BACKSTAY_WORKSPACE", "COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.env("BACKSTAY_ACTOR", "tester");
        command
    }

    /// Runs a command on the workspace `ws`.
    pub fn ws(&self, args: &[&str]) -> Run {
        let mut all = vec!["-w", "ws"];
        all.extend(args);
        self.run(&all)
    }
}

impl Run {
    fn of(output: &Output, args: &[&str]) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
            said: args.join(" "),
        }
    }

    /// Standard output of a run that did its work.
    #[track_caller]
    pub fn ok(self) -> String {
        self.code(0)
    }

    /// Standard output of a run that ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> String {
        assert_eq!(self.code, code, "`backstay {}`\n{}\n{}", self.said, self.out, self.err);
        self.out
    }

    /// Standard output of a run that did its work, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// Standard error of a run that ended with this code and nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "`backstay {}`\n{}\n{}", self.said, self.out, self.err);
        assert_eq!(self.out, "", "`backstay {}`", self.said);
        self.err
    }
}

/// A file of the real data.
pub fn data(name: &str) -> PathBuf {
    let root = std::env::var_os("BACKSTAY_TEST_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let path = root.join(name);
    assert!(
        path.exists(),
        "this test needs `{name}` of the test data: put it under `{}`, or name its folder in \
         BACKSTAY_TEST_DATA",
        root.display()
    );
    path.canonicalize().unwrap()
}

/// A file of this repository. Tests run in the folder of their crate.
pub fn repository(name: &str) -> PathBuf {
    Path::new("../..").join(name).canonicalize().unwrap()
}

/// The whole number under a key.
#[track_caller]
pub fn number(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_else(|| panic!("no number `{key}` in {value}"))
}

/// The text under a key.
#[track_caller]
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}
