"""What it costs to build the product from nothing: CPU time, wall time, size, and the dearest crates.

Owns two target folders in the cache, which it empties first. Takes tens of minutes, so it is not part of
an ordinary run: `--only build`.
"""

import json
import re
import shutil

from . import environment, process

UNITS = re.compile(r"const UNIT_DATA = (\[.*?\n\]);", re.DOTALL)


def dearest(folder, count):
    """The crates that took longest, from cargo's own page of timings: (name, seconds of wall time)."""
    pages = sorted((folder / "cargo-timings").glob("cargo-timing-*.html"))
    found = UNITS.search(pages[-1].read_text(encoding="utf-8")) if pages else None
    units = json.loads(found.group(1)) if found else []
    units.sort(key=lambda unit: -unit["duration"])
    return [(f"{unit['name']} {unit['version']}", unit["duration"]) for unit in units[:count]]


def section(env):
    """A cold debug build and a cold release build of the binary, dependencies fetched beforehand."""
    env.cargo("fetch", "--locked", "-q")
    rows, notes = [], []
    for name, words in (("debug", []), ("release", ["--release"])):
        target = env.cache / f"build-{name}"
        shutil.rmtree(target, ignore_errors=True)
        env.say(f"building {name} from nothing")
        done = process.run(["cargo", "build", "-q", "--locked", "-p", "backstay-cli", "--timings", *words],
                           cwd=environment.ROOT, env={"CARGO_TARGET_DIR": str(target)})
        size = (target / name / "backstay").stat().st_size / 1e6
        rows.append([name, f"{done.seconds / 60:.1f}", f"{done.cpu / 60:.1f}", f"{size:.0f}"])
        slow = ", ".join(f"{crate} {seconds:.0f} s" for crate, seconds in dearest(target, 10))
        notes.append(f"Dearest in {name}, wall time with the others beside them: {slow}.")
        shutil.rmtree(target)
    return {"title": "Building from nothing", "notes": notes, "budgets": [],
            "head": ["build", "minutes", "CPU minutes", "MB of the binary"], "rows": rows}
