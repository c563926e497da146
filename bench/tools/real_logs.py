"""Turns the real work logs into the table that every tool reads, by means of its own: the standard
library's CSV and gzip, regular expressions for XES. Nothing of ours is involved.

    python -m tools.real_logs LOG FOLDER
"""

import csv
import datetime as dt
import gzip
import io
import json
import pathlib
import re
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from suite import calendars, logs


def servicenow(text):
    """(case, state, instant, priority, place) of the ServiceNow log; the source's counter orders ties."""
    for row in csv.DictReader(io.StringIO(text)):
        if row["incident_state"] == "-100":
            continue
        at = dt.datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M").replace(tzinfo=dt.timezone.utc)
        yield row["number"], row["incident_state"], at, row["priority"], int(row["sys_mod_count"])


def xes(text):
    """The same of an XES log; the place in the file orders ties."""
    value = re.compile(r'<(?:string|date) key="(concept:name|time:timestamp)" value="([^"]*)"')
    place = 0
    for trace in re.findall(r"<trace>(.*?)</trace>", text, re.DOTALL):
        head, *events = trace.split("<event>")
        case = dict(value.findall(head))["concept:name"]
        for event in events:
            found = dict(value.findall(event))
            place += 1
            yield case, found["concept:name"], dt.datetime.fromisoformat(found["time:timestamp"]), "all", place


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    log = logs.LOGS[name]
    text = gzip.decompress(pathlib.Path(log.file).read_bytes()).decode("utf-8")
    rows = list((servicenow if log.mapping == "servicenow-incident" else xes)(text))
    last = {}
    for case, _, at, priority, place in rows:
        if case not in last or last[case][0] <= (at, place):
            last[case] = ((at, place), priority)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    us = [(at - epoch) // dt.timedelta(microseconds=1) for _, _, at, _, _ in rows]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({
        "case_id": [row[0] for row in rows],
        "state": [row[1] for row in rows],
        "occurred_at": pa.array(us, pa.timestamp("us", "UTC")),
        "site_id": [logs.SITE] * len(rows),
        # The last priority of a case decides which promise holds for it.
        "priority": [last[row[0]][1] for row in rows],
        "place": pa.array([row[4] for row in rows], pa.int64()),
    }), folder / "events.parquet", row_group_size=100_000)
    calendars.write_tables(folder / "tables", {logs.SITE: log.site()}, log.cover, log.levels, log.months())
    (folder / "about.json").write_text(json.dumps({
        "cases": len(last), "events": len(rows), "as_of_us": log.as_of_us(), "stopped": log.stopped,
        "paused": log.paused, "order": "place",
    }))


if __name__ == "__main__":
    main()
