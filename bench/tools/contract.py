"""What every tool is asked, and how it answers. Owns the arguments and the shape of the answers.

A tool reads `events.parquet` (case_id, state, occurred_at, site_id, priority) and the tables beside it,
in which the calendars are spelt out in UTC. It answers, for every case, the working time in
microseconds: the time in states that are neither stopped nor paused, counted by the hours of the site
responsible from each event to the next (to `as_of` for a case that is not done), and whether the case
is done. From that follow, per service level and month of opening at the client: met (done within the
threshold), missed (beyond it, done or not), and open (neither yet).

    python -m tools.NAME INPUT --calendar sites|ID [--threads N] [--per-case FILE.parquet]

The last line on standard output is JSON: seconds from the moment the library is loaded to the figures,
and the figures, `level month met missed open`. With --per-case the rows (case_id, working_us, done) are
written as well; such a run is not timed.
"""

import argparse
import json
import pathlib
import time


class Question:
    """The arguments of one run."""

    def __init__(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("input", type=pathlib.Path)
        parser.add_argument("--calendar", default="sites")
        parser.add_argument("--threads", type=int, default=2)
        parser.add_argument("--per-case", type=pathlib.Path)
        options = parser.parse_args()
        about = json.loads((options.input / "about.json").read_text())
        self.events = options.input / "events.parquet"
        self.tables = options.input / "tables"
        self.calendar = None if options.calendar == "sites" else options.calendar
        self.per_case = options.per_case
        self.threads = options.threads
        self.as_of_us = about["as_of_us"]
        self.stopped = about["stopped"]
        self.paused = about["paused"]
        # Events of one instant: their order in the file decides, or a column that says it.
        self.order = about.get("order")
        self.started = time.perf_counter()

    def sql_list(self, names):
        return ", ".join("'" + name.replace("'", "''") + "'" for name in names)

    @property
    def not_running(self):
        return self.sql_list(self.stopped + self.paused)

    def answer(self, figures, rss_note=None):
        """Prints the figures: rows (level, month, met, missed, open) in any order."""
        seconds = time.perf_counter() - self.started
        rows = sorted([str(a), str(b), int(c), int(d), int(e)] for a, b, c, d, e in figures)
        print(json.dumps({"seconds": seconds, "figures": rows}))
