"""Runs contenders side by side: each once to warm up, then in turns, so that a busy moment of the machine
does not hit one of them alone."""

import json

from . import process


def race(env, contenders, runs=None):
    """Times contenders. Each is a name and a function that runs it in a fresh process and gives its `Run`.

    `seconds` is what the work took: for a Python tool the time it says itself, from the moment its
    library is loaded to its figures; for a plain command the whole process. That is in favour of the
    Python tools. `wall` is the whole process for all.
    """
    runs = runs or env.runs
    found = {name: {"seconds": [], "wall": [], "cpu": [], "mib": 0.0} for name, _ in contenders}
    for turn in range(runs + 1):
        for name, start in contenders:
            done = start()
            if turn == 0 and runs > 1:
                continue
            row = found[name]
            row["wall"].append(done.seconds)
            row["seconds"].append(own_seconds(done))
            row["cpu"].append(done.cpu)
            row["mib"] = max(row["mib"], done.mib)
    return found


def own_seconds(done):
    """The seconds that a tool says itself in the JSON of its last line, else the whole process."""
    lines = done.out.strip().splitlines()
    if lines and lines[-1].startswith("{"):
        try:
            said = json.loads(lines[-1])
        except ValueError:
            return done.seconds
        if isinstance(said, dict) and "seconds" in said:
            return said["seconds"]
    return done.seconds


def spread(values, places=2):
    """`2.31 (2.20–2.55)`."""
    middle = process.median(values)
    if len(values) == 1:
        return f"{middle:.{places}f}"
    return f"{middle:.{places}f} ({min(values):.{places}f}–{max(values):.{places}f})"


def ratio(ours, theirs):
    """Ours divided by theirs: the median, and the range over the turns that belong together."""
    turns = [a / b for a, b in zip(ours, theirs)]
    return process.median(ours) / process.median(theirs), min(turns), max(turns)


def compared(work, limit, ours, theirs, more):
    """A budget that compares two contenders of a race; CPU seconds stand beside, for a busy machine."""
    by_cpu = ratio(ours["cpu"], theirs["cpu"])[0]
    return budget(work, limit, ratio(ours["seconds"], theirs["seconds"]), f"{more}; by CPU seconds {by_cpu:.2f} ×")


def budget(work, limit, found, more=""):
    """One line of the table of budgets. `found` is ours over theirs as (median, least, greatest)."""
    middle, least, greatest = found
    kept = middle <= limit
    said = "kept" if kept else f"missed by a factor of {middle / limit:.1f}"
    return {"work": work, "budget": f"≤ {limit:g} ×", "ours": f"{middle:.2f} × ({least:.2f}–{greatest:.2f})",
            "said": said + (f"; {more}" if more else "")}


def limit(work, most, found, unit, more=""):
    """A budget that is a number, not a ratio."""
    said = "kept" if found <= most else f"missed by a factor of {found / most:.1f}"
    return {"work": work, "budget": f"≤ {most:g} {unit}", "ours": f"{found:.4g} {unit}",
            "said": said + (f"; {more}" if more else "")}


def at_least(work, least, found, unit, more=""):
    """A budget that is a floor."""
    said = "kept" if found >= least else f"missed by a factor of {least / found:.1f}"
    return {"work": work, "budget": f"≥ {least:g} {unit}", "ours": f"{found:.4g} {unit}",
            "said": said + (f"; {more}" if more else "")}
