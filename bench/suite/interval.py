"""One working-time interval: how many a second, and who gives the right answer.

Owns the two tables about single intervals. Our rate comes from `cargo bench -p backstay-calendar`, our
answers from a workspace made of registers and events, through `query`.
"""

import json
import re
import tempfile
import pathlib

from . import calendars, known_answers, process, race

SCALE = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}


def our_rates(env):
    """Items a second of every bench of the calendar crate, by name and argument: the median column."""
    out = env.cargo("bench", "-q", "-p", "backstay-calendar").out
    found, group, label = {}, None, None
    for line in out.splitlines():
        name = re.match(r"^[├╰]─ (\S+)", line)
        if name:
            group = name.group(1)
        argument = re.match(r"^[│ ]\s+[├╰]─ (.+?)\s{2,}", line)
        if argument:
            label = argument.group(1).strip()
        if "item/s" in line and group and label:
            rates = re.findall(r"([\d.]+) ([KMG]?)item/s", line)
            if len(rates) >= 3:
                found[(group, label)] = float(rates[2][0]) * SCALE[rates[2][1]]
    if not any(group == "intervals_sorted" for group, _ in found):
        raise process.Failed("`cargo bench -p backstay-calendar` printed no rate of `intervals_sorted`:\n" + out[-800:])
    return found


def rates(env):
    """The table of intervals a second."""
    env.say("timing single intervals")
    ours = our_rates(env)
    rows = [[f"Backstay, {group.replace('_', ' ')}, {label}", f"{rate:,.0f}"] for (group, label), rate in ours.items()
            if group.startswith("intervals")]
    done = env.in_venv("tools.single_intervals")
    theirs = json.loads(done.out.strip().splitlines()[-1])
    rows += [[name, f"{rate:,.0f}" if rate else "not installed"] for name, rate in theirs.items()]
    slowest = min(rate for (group, _), rate in ours.items() if group == "intervals_sorted")
    budget = race.at_least("one working-time interval, sorted, one core, the slowest of three calendars",
                           100, slowest / 1e6, "million a second")
    return {"title": "One working-time interval", "head": ["tool", "a second"], "rows": rows, "budgets": [budget],
            "notes": ["Ours: calendars of ten years with daylight saving and days off, a million intervals of up"
                      " to 30 days, one thread. Theirs: one office week, intervals of up to 30 days."]}


def our_answers(env):
    """The six questions as evidence: a site with its calendar and one case for each."""
    with tempfile.TemporaryDirectory(dir=env.cache) as work:
        work = pathlib.Path(work)
        space = work / "workspace"
        process.run([env.backstay, "init", space])
        weekly = []
        for n, case in enumerate(known_answers.CASES):
            days = [" ".join(case.windows) if day in case.days else "" for day in range(7)]
            weekly.append([f"calendar-{n}", case.zone, *days, f"place-{n}", "2025-01-01", "2026-01-01", "made up"])
        calendars.write(work / "calendar.csv", ["calendar_id", "time_zone", *calendars.DAYS, "holiday_places",
                                                "covered_from", "covered_until", "source"], weekly)
        calendars.write(work / "holiday.csv", ["place", "on_date", "name", "kind"],
                        [[f"place-{n}", day.isoformat(), "day off", "public"]
                         for n, case in enumerate(known_answers.CASES) for day in (case.off or [known_answers.dt.date(2025, 12, 25)])])
        calendars.write(work / "site.csv", ["site_id", "name", "time_zone", "calendar_id"],
                        [[f"site-{n}", case.name, case.zone, f"calendar-{n}"] for n, case in enumerate(known_answers.CASES)])
        calendars.write(work / "client.csv", ["client_id", "name"], [["client", "The client"]])
        calendars.write(work / "provider.csv", ["provider_id", "name"], [["provider", "The provider"]])
        calendars.write(work / "arrangement.csv",
                        ["arrangement_id", "client_id", "provider_id", "title", "time_zone", "starts_on"],
                        [["six", "client", "provider", "Six questions", "Etc/UTC", "2025-01-01"]])
        calendars.write(work / "service_level.csv",
                        ["arrangement_id", "service_level_id", "title", "metric", "target", "threshold", "window",
                         "clock_starts", "stop_states", "paused_states", "basis"],
                        [["six", "done", "Done", "turnaround", "0.9", "8h", "month", "first-event", "Done",
                          "Waiting", "assumed"]])
        events = []
        for n, case in enumerate(known_answers.CASES):
            for start, end in case.runs:
                events.append([case.name, "works", "Open", start.isoformat(), f"site-{n}"])
                state = "Done" if end == case.end else "Waiting"
                events.append([case.name, "stops", state, end.isoformat(), f"site-{n}"])
        calendars.write(work / "case_event.csv", ["case_id", "activity", "state", "occurred_at", "site_id"], events)
        for table in ["client", "provider", "calendar", "holiday", "site", "arrangement", "service_level", "case_event"]:
            more = ["--set", "arrangement_id=six"] if table == "case_event" else []
            process.run([env.backstay, "-w", space, "import", work / f"{table}.csv", "--as", table, *more])
        out = process.run([env.backstay, "-w", space, "query", "--period", "2025", "--format", "csv",
                           "SELECT case_id, total_us FROM case_clock WHERE is_last ORDER BY case_id"]).out
    rows = dict(line.split(",") for line in out.strip().splitlines()[1:])
    return {name: int(us) / 3.6e9 for name, us in rows.items() if us}


def answers(env):
    """The table of who answers what."""
    env.say("asking six questions about working time")
    ours = our_answers(env)
    theirs = json.loads(env.in_venv("suite.known_answers").out.strip().splitlines()[-1])
    cases = known_answers.CASES
    row, right = ["Backstay"], 0
    for case in cases:
        good = known_answers.right(ours.get(case.name), case)
        right += good
        row.append("itself" if good else f"wrong: {ours.get(case.name)}")
    rows = [[*row, f"{right} of {len(cases)}"]]
    for name, found in theirs.items():
        words = []
        for case in cases:
            said = found[case.name]
            words.append(f"wrong: {said['hours']:.6g} h" if said["word"] == "wrong" else said["word"])
        itself = sum(word == "itself" for word in words)
        by_hand = sum(word == "by hand" for word in words)
        rows.append([name, *words, f"{itself} of {len(cases)}" + (f", {by_hand} by hand" if by_hand else "")])
    return {
        "title": "Six questions about working time",
        "notes": [
            "The questions, their answers and how each was worked out by hand: `bench/suite/known_answers.py`."
            " *itself*: right from the instants as a log holds them. *by hand*: right once the caller has turned"
            " instants into civil time of the site, or has cut pauses out or a window in two. Answers: "
            + ", ".join(f"{case.name} {case.hours:g} h" for case in cases) + ".",
        ],
        "head": ["tool", *[case.name for case in cases], "right"],
        "rows": rows,
        "budgets": [race.at_least("six known answers", 6, right, "right")],
    }
