"""The product, through its own commands: nothing here knows more than a user does.

Owns workspaces in the cache: each is made under a temporary name and renamed when whole, so that an
interrupted bench goes on where it stopped.
"""

import json
import shutil

from . import process

PERIOD = "2024-01-01..2026-01-01"


class Workspace:
    """One workspace and the commands on it."""

    def __init__(self, env, folder):
        self.env, self.folder = env, folder

    def call(self, *words, check=True):
        return process.run([self.env.backstay, "-w", self.folder, *words], check=check)

    def import_json(self, *words):
        """Imports; gives the run and its counts."""
        done = self.call("import", *words, "--format", "json")
        return done, json.loads(done.out)

    def entries(self):
        """Number of ledger entries: the last one is what `--as-of` wants."""
        listed = json.loads(self.call("log", "--format", "json").out)
        rows = listed["entries"] if isinstance(listed, dict) else listed
        return max(row["seq"] if "seq" in row else row["entry"] for row in rows)

    def query_csv(self, sql, *words):
        return self.call("query", sql, "--format", "csv", *words)


def prepared(env, name, make):
    """The workspace `name`, made by `make(workspace)` when it is not in the cache. What `make` returns is
    kept beside it. What follows an `@` names the input's version; workspaces of others are removed."""
    folder = env.cache / f"workspace-{name}-{env.digest()}"
    kind = name.split("@", 1)[0]
    note = folder / "bench.json"
    if note.exists():
        return Workspace(env, folder), json.loads(note.read_text())
    for old in env.cache.glob(f"workspace-{kind}[-@]*"):
        shutil.rmtree(old)
    part = env.cache / f"part-{kind}"
    shutil.rmtree(part, ignore_errors=True)
    process.run([env.backstay, "init", part])
    said = make(Workspace(env, part))
    (part / "bench.json").write_text(json.dumps(said))
    part.rename(folder)
    return Workspace(env, folder), said


def can_measure(env):
    """Whether this binary has `measure`, the command that prints figures without judging controls."""
    return process.run([env.backstay, "measure", "--help"], check=False).code == 0
