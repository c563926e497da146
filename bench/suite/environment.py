"""The bench's own environment: a folder outside the repository with a Python environment of pinned public
tools, the inputs, the workspaces and the results so far; the product's binary; the machine.

It must never write inside the repository (only `run.py` does, and only bench/README.md).
"""

import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import venv

from . import process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"

# Pinned: a ratio is only worth something beside the version it was measured with.
REQUIRED = ["numpy==2.4.6", "pyarrow==26.0.1", "duckdb==2.0.0", "tzdata"]
TOOLS = {
    "chdb": "chdb==4.4.0",
    "polars": "polars==2.1.0",
    "pandas": "pandas==3.1.1",
    "business_duration": "business-duration==0.68",
    "businesstimedelta": "businesstimedelta==1.0.1",
    "pm4py": "pm4py==2.7.23.11",
    "rustxes": "rustxes==0.2.11",
    "r4pm": "r4pm==0.6.2",
}


class Environment:
    """Folders and programs that the parts of the bench share."""

    def __init__(self, cache, backstay, quick, runs):
        self.cache = pathlib.Path(cache).expanduser().resolve()
        if self.cache.is_relative_to(ROOT):
            raise process.Failed(f"the cache `{self.cache}` lies inside the repository: name another folder")
        self.cache.mkdir(parents=True, exist_ok=True)
        self.quick, self.runs = quick, runs
        self.python = self.cache / "venv" / "bin" / "python"
        self.missing = {}
        self.known_digest = None
        self.backstay = pathlib.Path(backstay).resolve() if backstay else None
        target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
        self.target = pathlib.Path(target)

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def install(self):
        """Makes the Python environment; notes what cannot be installed instead of failing."""
        marker = self.cache / "venv" / "installed.json"
        wanted = [*REQUIRED, *TOOLS.values()]
        if marker.exists():
            known = json.loads(marker.read_text())
            if known["wanted"] == wanted:
                self.missing = known["missing"]
                return
        self.say(f"making a Python environment in {self.cache / 'venv'}")
        shutil.rmtree(self.cache / "venv", ignore_errors=True)
        venv.create(self.cache / "venv", with_pip=True)
        pip = [self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        process.run([*pip, *REQUIRED])
        together = process.run([*pip, *TOOLS.values()], check=False)
        self.missing = {}
        if together.code != 0:
            for name, pinned in TOOLS.items():
                alone = process.run([*pip, pinned], check=False)
                if alone.code != 0:
                    self.missing[name] = (alone.err.strip().splitlines() or ["no reason given"])[-1]
                    self.say(f"  {name} cannot be installed: {self.missing[name]}")
        marker.write_text(json.dumps({"wanted": wanted, "missing": self.missing}))

    def build(self):
        """Builds the release binary, unless one was named."""
        if self.backstay:
            if not self.backstay.exists():
                raise process.Failed(f"there is no `{self.backstay}`")
            return
        self.say("building the release binary")
        self.cargo("build", "--release", "-p", "backstay-cli", "--bin", "backstay")
        self.backstay = self.target / "release" / "backstay"

    def cargo(self, *words, cwd=ROOT, env=None):
        return process.run(["cargo", *words], cwd=cwd, env=env)

    def in_venv(self, module, *words, check=True):
        """Runs a module of the bench inside its Python environment, in a fresh process."""
        return process.run([self.python, "-W", "ignore", "-m", module, *words], cwd=BENCH, check=check)

    def has(self, tool):
        return tool not in self.missing

    def input(self, cases, *more):
        """The generated input of so many cases, made when it is not there."""
        name = f"input-{cases}-{recipe('suite/calendars.py', 'suite/generate.py')}"
        folder = self.cache / name
        for old in self.cache.glob(f"input-{cases}-*"):
            if old.name != name:
                shutil.rmtree(old)
        self.in_venv("suite.generate", folder, "--cases", cases, *more)
        return folder

    def digest(self):
        """What the binary is, so that results of another one are not taken for its own."""
        if not self.known_digest:
            with open(self.backstay, "rb") as file:
                self.known_digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        return self.known_digest


def recipe(*files):
    """A short digest of the programs that make something, so that what an older one made is made anew."""
    texts = b"".join((BENCH / name).read_bytes() for name in sorted(files))
    return hashlib.sha256(texts).hexdigest()[:8]


def machine():
    """One line on the machine."""
    model, memory = platform.processor() or platform.machine(), "?"
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal"):
                memory = f"{int(line.split()[1]) / 1048576:.0f} GiB"
                break
    except OSError:
        pass
    return f"{os.cpu_count()} cores ({model}), {memory} of memory, {platform.system()} {platform.release()}"


def versions(env):
    """Versions of everything that was measured."""
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()
    found = [f"Python {platform.python_version()}", f"Rust {rust[1]}" if len(rust) > 1 else "no Rust"]
    listed = process.run([env.python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"])
    have = {row["name"].lower().replace("-", "_"): row["version"] for row in json.loads(listed.out)}
    for name in ["duckdb", "chdb", "chdb_core", "polars", "numpy", "pyarrow", "pandas", *TOOLS]:
        text = f"{name} {have[name]}" if name in have else f"{name} not installed"
        if text not in found:
            found.append(text)
    return ", ".join(found)


def load():
    """How busy the machine is, in words for the report; ratios of a busy machine are noise."""
    busy = os.getloadavg()[0]
    first = os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)
    before = "; all of this ran before other processes, at real-time priority" if first else ""
    return f"{busy:.1f} processes wanted a core when the run began{before}"
