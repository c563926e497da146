"""Working-time service levels: agreement of all tools first, then time and memory.

Owns what is compared with what. A disagreement stops the bench: a fast wrong answer is worth nothing.
"""

import csv
import io
import json

from . import calendars, environment, process, product, race

# Tools that answer the same question, and how they are called in the table.
SAME = {
    "chdb_sql": ("chDB, SQL", "chdb"),
    "duckdb_sql": ("DuckDB, SQL with ASOF joins", "duckdb"),
    "duckdb_slots": ("DuckDB, SQL with hash joins", "duckdb"),
    "numpy_arrays": ("NumPy", "numpy"),
    "polars_lazy": ("Polars", "polars"),
}
OURS = "Backstay, `measure`"


def workspace(env, cases):
    """The workspace of an input. The service levels are imported twice: by site, then by one calendar, so
    that `--as-of` chooses between the two."""
    folder = env.input(cases, "--csv")

    def make(space):
        env.say(f"importing the {cases:,} cases into a workspace")
        done, counts = space.import_json(folder / "events.csv", "--as", "case_event", "--set",
                                         "arrangement_id=bench", "--set", "source=log")
        space.call("import", folder / "registers")
        sites = space.entries()
        space.call("import", folder / "registers" / "service_level_one.csv", "--as", "service_level")
        return {"sites": sites, "one": space.entries(), "accepted": counts["accepted"],
                "import": [done.seconds, done.cpu, done.mib]}

    return folder, *product.prepared(env, f"cases-{cases}@{folder.name[-8:]}", make)


def tools(env):
    return {name: said for name, (said, package) in SAME.items() if env.has(package)}


def agreement(env, folder, space, entry, calendar, period=product.PERIOD, levels=None):
    """Every case of every tool against ours. Gives what was compared; raises at the first difference."""
    out = env.cache / "agreement"
    out.mkdir(exist_ok=True)
    programs = environment.recipe("suite/compare.py", "tools/contract.py", *(f"tools/{name}.py" for name in SAME))
    marker = out / f"{folder.name}-{calendar}-{env.digest()}-{programs}.json"
    if marker.exists():
        return json.loads(marker.read_text())
    env.say(f"checking that all tools agree case by case ({folder.name}, {calendar})")
    ours = out / "ours.csv"
    with open(ours, "w", encoding="utf-8") as file:
        file.write("case_id,service_level_id,total_us,outcome\n")
        for level in levels or [level for level, *_ in calendars.LEVELS]:
            rows = space.query_csv(
                "SELECT case_id, service_level_id, total_us, outcome FROM case_clock"
                f" WHERE is_last AND service_level_id = '{level}'",
                "--period", period, "--as-of", entry)
            file.write(rows.out.split("\n", 1)[1])
    pairs = []
    for name in tools(env):
        path = out / f"{name}.parquet"
        path.unlink(missing_ok=True)
        env.in_venv(f"tools.{name}", folder, "--calendar", calendar, "--per-case", path)
        pairs.append(f"{name}={path}")
    found = json.loads(env.in_venv("suite.compare", ours, folder / "tables" / "levels.csv", *pairs).out)
    about = json.loads((folder / "about.json").read_text())
    for name, said in found.items():
        if said["time"] or said["done"] or said["breach"] or said["cases"] != about["cases"]:
            raise process.Failed(
                f"{SAME[name][0]} and Backstay disagree ({calendar}): of {said['cases']:,} cases"
                f" {said['time']:,} differ in working time, {said['done']:,} in being done,"
                f" {said['breach']:,} in being a breach. The first (case, ours, theirs, our outcome, done):\n"
                + "\n".join(str(row) for row in said["first"]))
    any_one = next(iter(found.values()))
    agreed = {"cases": any_one["cases"], "breaches": any_one["breaches"], "tools": len(found)}
    marker.write_text(json.dumps(agreed))
    return agreed


def our_figures(text):
    """Rows (level, month, met, missed, open) of `measure --format csv`."""
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        met, of, left_out = int(row["numerator"]), int(row["denominator"]), int(row["excluded"])
        if int(row["gaps"]):
            raise process.Failed(f"`measure` has gaps where there are none: {row}")
        if of or left_out:
            rows.append([row["service_level_id"], row["period_start"][:7], met, of - met, left_out])
    return sorted(rows)


def measure(space, entry):
    return space.call("measure", "--period", product.PERIOD, "--as-of", entry, "--format", "csv")


def timed(env, cases, calendar, runs=None):
    """Times all tools on one input and calendar; figures must be equal in every run."""
    folder, space, said = workspace(env, cases)
    entry = said["sites" if calendar == "sites" else "one"]
    agreed = agreement(env, folder, space, entry, calendar)
    expected = our_figures(measure(space, entry).out)
    about = json.loads((folder / "about.json").read_text())
    if sum(sum(row[2:]) for row in expected) != about["cases"]:
        raise process.Failed(f"`measure` counts {sum(sum(row[2:]) for row in expected):,} cases of {about['cases']:,}")

    def ours():
        done = measure(space, entry)
        if our_figures(done.out) != expected:
            raise process.Failed("`measure` gave two answers")
        return done

    def theirs(name):
        done = env.in_venv(f"tools.{name}", folder, "--calendar", calendar)
        if json.loads(done.out.strip().splitlines()[-1])["figures"] != expected:
            raise process.Failed(f"the monthly figures of {SAME[name][0]} differ from ours ({calendar})")
        return done

    contenders = [(OURS, ours)]
    contenders += [(said, lambda name=name: theirs(name)) for name, said in tools(env).items()]
    env.say(f"timing {len(contenders)} tools on {about['cases']:,} cases, {about['events']:,} events ({calendar})")
    return about, agreed, race.race(env, contenders, runs)


def table(found):
    """Rows of a table of contenders, the fastest public tool as 1."""
    public = {name: row for name, row in found.items() if name != OURS}
    fastest = min(public, key=lambda name: process.median(public[name]["seconds"]))
    rows = []
    for name, row in sorted(found.items(), key=lambda item: process.median(item[1]["seconds"])):
        middle, least, most = race.ratio(row["seconds"], public[fastest]["seconds"])
        shown = "1" if name == fastest else f"{middle:.2f} ({least:.2f}–{most:.2f})"
        rows.append([name, race.spread(row["seconds"]), race.spread(row["wall"]), race.spread(row["cpu"]),
                     f"{row['mib']:,.0f}", shown])
    return fastest, rows


HEAD = ["tool", "s, of the work", "s, whole process", "CPU s", "MiB at most", "ratio"]


def section(env, cases, calendar):
    """One part of the report."""
    about, agreed, found = timed(env, cases, calendar)
    fastest, rows = table(found)
    where = "five sites, each by its own calendar" if calendar == "sites" else "one calendar for all sites"
    work = f"working-time service levels, {about['cases']:,} cases / {about['events']:,} events, {where}"
    budgets = [race.compared(work, 0.33, found[OURS], found[fastest], f"to {fastest}")]
    budgets.append(race.limit("memory of the same", 700, found[OURS]["mib"], "MiB"))
    return {
        "title": f"Working-time service levels: {where}",
        "notes": [
            f"{about['cases']:,} cases, {about['events']:,} events over two years. First every tool's working time"
            f" was compared with ours: equal to the microsecond for all {agreed['cases']:,} cases and"
            f" {agreed['tools']} public programs, and the same {agreed['breaches']:,} breaches. Each run also gave"
            " the same figures per month.",
        ],
        "head": HEAD, "rows": rows, "budgets": budgets,
        "ours": process.median(found[OURS]["seconds"]), "mib": found[OURS]["mib"],
    }


def growth(env, small, large):
    """How time grows with ten times the cases."""
    races, rows = [], []
    for cases in (small, large):
        _, space, said = workspace(env, cases)
        found = race.race(env, [(OURS, lambda: measure(space, said["sites"]))])[OURS]
        races.append(found)
        rows.append([f"{cases:,}", race.spread(found["seconds"]), race.spread(found["cpu"]), f"{found['mib']:,.0f}"])
    work = f"{large // small} × the cases ({small:,} → {large:,})"
    return {"title": "Ten times the cases", "notes": [], "head": ["cases", "s", "CPU s", "MiB at most"],
            "rows": rows, "budgets": [race.compared(work, 11, races[1], races[0], "to a tenth of them")]}


def others(env, cases, sample):
    """Libraries that answer one interval at a time or another question, on a sample."""
    folder = env.input(cases, "--csv")
    rows = []
    for name, package, said in [
        ("pandas_business_duration", "business_duration", "pandas + business_duration"),
        ("pm4py_durations", "pm4py", "PM4Py, first to last event of a case only"),
    ]:
        if not env.has(package):
            continue
        done = env.in_venv(f"tools.{name}", folder, "--sample", sample)
        found = json.loads(done.out.strip().splitlines()[-1])
        whole = found["seconds"] * 1_000_000 / found["cases"]
        rows.append([said, f"{found['cases']:,}", f"{found['seconds']:.2f}", f"{whole:,.0f}", found["note"]])
    return {"title": "Libraries for single intervals", "rows": rows, "budgets": [],
            "head": ["tool", "cases", "s", "s for 1 M cases, extrapolated", "meaning"],
            "notes": ["One calendar (the client's); on a sample, and extrapolated in proportion."]}
