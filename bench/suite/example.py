"""Whole commands on the worked example. Owns that table."""

import shutil

from . import process, race


def section(env):
    """From an empty folder to the first answer, and the answer again."""
    folder = env.cache / "example"

    def demo():
        shutil.rmtree(folder, ignore_errors=True)
        return process.run([env.backstay, "demo", folder])

    env.say("timing the worked example")
    first = race.race(env, [("demo", demo)], max(env.runs, 3))["demo"]
    again = race.race(env, [("assess", lambda: process.run([env.backstay, "-w", folder, "assess"]))],
                      max(env.runs, 3))["assess"]
    rows = [[said, race.spread(row["seconds"]), race.spread(row["cpu"]), f"{row['mib']:,.0f}"] for said, row in [
        ("`backstay demo`: make, import every file, assess, print", first),
        ("`backstay assess` of the last month in that workspace", again),
    ]]
    budget = race.limit("assess the worked example from nothing", 2.0, process.median(first["seconds"]), "s",
                        "import of all files included")
    return {"title": "The worked example", "notes": [], "head": ["command", "s", "CPU s", "MiB at most"],
            "rows": rows, "budgets": [budget]}
