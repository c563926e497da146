"""Bringing evidence in: XES beside public readers, CSV beside DuckDB's copy, and one log as 24 overlapping
exports with corrections.

Owns what is compared. Ours does more than the readers beside it (types, checks, pseudonyms, hashes, keeps
the source encrypted, sorts, syncs); the tables say so, the ratios do not excuse it.
"""

import gzip
import json
import os
import shutil

from . import logs, process, product, race, working_time

XES_EVENTS = 262_000


def xes_file(env):
    """A log of 262 thousand events, and the same unpacked."""
    packed, plain = env.cache / "log.xes.gz", env.cache / "log.xes"
    if not plain.exists():
        env.in_venv("tools.xes_log", logs.LOGS["Domestic declarations"].file, packed, XES_EVENTS)
        part = env.cache / "log.part"
        with gzip.open(packed) as source, open(part, "wb") as target:
            shutil.copyfileobj(source, target)
        part.rename(plain)
    return packed


def xes_reader(env):
    """The program that reads with the `process_mining` crate; it is built in a folder of its own."""
    folder = env.cache / "xes-target"
    env.cargo("build", "-q", "--release", "--locked", "--manifest-path", str(logs.environment.BENCH / "xes" / "Cargo.toml"),
              env={"CARGO_TARGET_DIR": str(folder)})
    return folder / "release" / "bench-xes"


def xes(env):
    """Reading an XES log."""
    packed = xes_file(env)
    env.say("building the reader with the process_mining crate")
    reader = xes_reader(env)
    space, _ = product.prepared(env, "empty", lambda _: {})
    crate, ours = "process_mining crate, whole log in memory", "Backstay, `import --dry-run`"

    def dry():
        done = space.call("import", packed, "--mapping", "xes", "--set", "arrangement_id=log", "--dry-run",
                          "--format", "json")
        read = json.loads(done.out)["read"]
        if read < XES_EVENTS:
            raise process.Failed(f"our reader saw {read:,} of {XES_EVENTS:,} events")
        return done

    contenders = [(ours, dry), (crate, lambda: process.run([reader, packed]))]
    for variant in ["rustxes", "r4pm"]:
        if env.has(variant) and env.has("pm4py"):
            contenders.append((f"PM4Py, importer {variant}",
                               lambda variant=variant: env.in_venv("tools.pm4py_xes", packed, variant)))
    env.say(f"reading an XES log of {XES_EVENTS:,} events with {len(contenders)} programs")
    found = race.race(env, contenders, min(env.runs, 3))
    if env.has("pm4py") and not env.quick:
        found["PM4Py, importer iterparse (one run)"] = race.race(
            env, [("x", lambda: env.in_venv("tools.pm4py_xes", packed, "iterparse"))], 1)["x"]
    rows = []
    for name, row in sorted(found.items(), key=lambda item: process.median(item[1]["seconds"])):
        middle = process.median(row["seconds"]) / process.median(found[crate]["seconds"])
        rows.append([name, race.spread(row["seconds"]), race.spread(row["cpu"]), f"{row['mib']:,.0f}", f"{middle:.2f}"])
    size = os.path.getsize(env.cache / "log.xes") / 1e6
    return {
        "title": "Reading XES",
        "notes": [f"{XES_EVENTS:,} events, {size:.0f} MB of XML, packed with gzip: traces of a real log"
                  " (Domestic declarations) repeated under new names. Ours types, checks and hashes every event,"
                  " makes pseudonyms and counts what it would reject; the others hand back a log in memory."],
        "head": ["program", "s", "CPU s", "MiB at most", "ratio"], "rows": rows,
        "budgets": [race.compared(f"XES, {XES_EVENTS:,} events", 1.0, found[ours], found[crate],
                                  "to the process_mining crate, which only reads")],
    }


def phases(err):
    """The phases that `--timings --format json` tells on standard error, in words."""
    for line in err.splitlines():
        if "phases_us" in line:
            spent = json.loads(line[line.index("{"):])["phases_us"]
            return ", ".join(f"{name} {us / 1e6:.1f} s" for name, us in spent.items())
    return ""


def csv(env, cases):
    """A large CSV to a committed import, beside DuckDB's copy to Parquet."""
    folder = env.input(cases, "--csv")
    file = folder / "events.csv"
    about = json.loads((folder / "about.json").read_text())
    timings = "--timings" in process.run([env.backstay, "import", "--help"]).out
    ours, theirs = "Backstay, `import`", "DuckDB, COPY to Parquet"
    said = []

    def bring():
        space = env.cache / "csv-import"
        shutil.rmtree(space, ignore_errors=True)
        process.run([env.backstay, "init", space])
        words = ["import", file, "--as", "case_event", "--set", "arrangement_id=bench", "--set", "source=log"]
        done = process.run([env.backstay, "-w", space, *words, "--format", "json", *(["--timings"] if timings else [])])
        counts = json.loads(done.out[:done.out.rindex("}") + 1])
        if counts["accepted"] != about["events"]:
            raise process.Failed(f"{counts['accepted']:,} of {about['events']:,} rows were accepted")
        said.append(phases(done.err))
        shutil.rmtree(space)
        done.out = ""
        return done

    def copy():
        return env.in_venv("tools.duckdb_copy", file, env.cache / "copy.parquet")

    env.say(f"importing {about['events']:,} rows of CSV")
    # Long runs: one to warm the file, which DuckDB's is, then two of each.
    copy()
    found = {ours: {"seconds": [], "cpu": [], "mib": 0.0}, theirs: {"seconds": [], "cpu": [], "mib": 0.0}}
    for _ in range(2):
        for name, work in ((theirs, copy), (ours, bring)):
            done = work()
            row = found[name]
            row["seconds"].append(race.own_seconds(done))
            row["cpu"].append(done.cpu)
            row["mib"] = max(row["mib"], done.mib)
    rows = [[name, race.spread(row["seconds"]), race.spread(row["cpu"]), f"{row['mib']:,.0f}"] for name, row in found.items()]
    notes = [f"{about['events']:,} rows, {os.path.getsize(file) / 1e6:,.0f} MB. DuckDB reads every column as text or"
             " instant and writes Parquet; ours also keeps the source encrypted, checks, makes pseudonyms,"
             " hashes, finds what is known already, sorts by case, syncs, and makes one ledger entry."]
    if said and said[-1]:
        notes.append(f"Phases of the last run: {said[-1]}.")
    return {"title": "CSV to a committed import", "notes": notes, "head": ["program", "s", "CPU s", "MiB at most"],
            "rows": rows, "budgets": [race.compared(f"CSV, {about['events']:,} rows", 2.0, found[ours], found[theirs],
                                               "to DuckDB's COPY")]}


def monthly(env, cases):
    """The same events as 24 overlapping monthly exports with corrections, measured beside the one file."""
    folder, whole, said = working_time.workspace(env, cases)
    env.input(cases, "--csv", "--monthly")
    about = json.loads((folder / "about.json").read_text())

    def make(space):
        space.call("import", folder / "registers")
        seconds, cpu, counts = [], 0.0, {"read": 0, "accepted": 0, "corrected": 0, "already_known": 0, "quarantined": 0}
        for file in sorted((folder / "monthly").glob("*.csv")):
            done, found = space.import_json(file, "--as", "case_event", "--set", "arrangement_id=bench", "--set",
                                            "source=log")
            seconds.append(done.seconds)
            cpu += done.cpu
            counts = {name: count + found[name] for name, count in counts.items()}
        return {"sites": space.entries(), "seconds": seconds, "cpu": cpu, **counts}

    env.say(f"importing 24 overlapping exports of {about['events']:,} events")
    parts, brought = product.prepared(env, f"monthly-{cases}@{folder.name[-8:]}", make)
    if brought["quarantined"] or brought["accepted"] != about["events"] or brought["corrected"] != about["corrected"]:
        raise process.Failed(f"24 exports of {about['events']:,} events with {about['corrected']:,} corrections gave {brought}")
    expected = working_time.our_figures(working_time.measure(whole, said["sites"]).out)
    if working_time.our_figures(working_time.measure(parts, brought["sites"]).out) != expected:
        raise process.Failed("24 overlapping exports give other figures than the single file")
    one, many = "one file", "24 overlapping exports"
    found = race.race(env, [(one, lambda: working_time.measure(whole, said["sites"])),
                            (many, lambda: working_time.measure(parts, brought["sites"]))])
    imports = {one: said["import"][:2], many: [sum(brought["seconds"]), brought["cpu"]]}
    rows = [[name, race.spread(row["seconds"]), race.spread(row["cpu"]), f"{row['mib']:,.0f}",
             f"{imports[name][0]:.1f}", f"{imports[name][1]:.1f}"] for name, row in found.items()]
    work = "the same events as 24 overlapping exports with corrections, `measure`"
    return {
        "title": "Overlapping exports",
        "notes": [f"{about['events']:,} events as 24 monthly exports that overlap by five days; {brought['corrected']:,}"
                  f" events come first with a wrong site and are corrected by the next export. Read {brought['read']:,}"
                  f" = accepted {brought['accepted']:,} + corrected {brought['corrected']:,} + already known"
                  f" {brought['already_known']:,}. The figures are those of the single file, to the case."],
        "head": ["evidence", "`measure`, s", "CPU s", "MiB at most", "imports, s", "imports, CPU s"], "rows": rows,
        "budgets": [race.compared(work, 2.0, found[many], found[one], "to the single file")],
    }
