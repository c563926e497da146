"""Writes the generated inputs: events of a made-up operation as Parquet and CSV, the registers, the
calendars as tables, and the same events as overlapping monthly exports with corrections.

Owns the shape of the inputs. Everything follows from the seed and the number of cases. Runs inside the
bench's own environment (numpy, pyarrow, duckdb).

    python -m suite.generate FOLDER --cases 1000000 [--csv] [--monthly]
"""

import argparse
import json
import pathlib

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from . import calendars

SEED = 20260401
SITES = list(calendars.SITES)
SITE_SHARE = [0.30, 0.25, 0.25, 0.15, 0.05]
STATES = ["New", "In progress", *calendars.PAUSED, *calendars.STOPPED]
NEW, WORK, CLIENT, SUPPLIER, RESOLVED, CLOSED = range(6)
ACTIVITIES = ["opened", "worked on", "asked the client", "asked the supplier", "resolved", "closed"]
PRIORITIES = [level[1] for level in calendars.LEVELS]
PRIORITY_SHARE = [0.02, 0.13, 0.60, 0.25]
# Median minutes that a case stays in a state, before it moves on.
STAY_MINUTES = np.array([25.0, 110.0, 900.0, 1500.0, 2880.0, 600.0])
PERSONS = 4000
MINUTE = 60_000_000


def events(cases):
    """Columns of all events, in the order in which they happened."""
    rng = np.random.default_rng([SEED, cases])
    counts = rng.integers(7, 14, cases)
    total = int(counts.sum())
    case = np.repeat(np.arange(cases, dtype=np.int32), counts)
    first = np.cumsum(counts) - counts
    number = np.arange(total, dtype=np.int64) - np.repeat(first, counts)
    left = np.repeat(counts, counts) - number

    state = rng.choice([NEW, WORK, CLIENT, SUPPLIER, RESOLVED], total, p=[0.12, 0.5, 0.22, 0.13, 0.03])
    state = state.astype(np.int8)
    state[number == 0] = NEW
    state[number == 1] = WORK
    state[left == 2] = RESOLVED
    state[left == 1] = CLOSED

    stay = STAY_MINUTES[state] * np.exp(rng.normal(0.0, 0.9, total)) * MINUTE
    stay = stay.astype(np.int64) + rng.integers(1, MINUTE, total)
    start_us = calendars.month_starts()[0][0][1]
    span = calendars.as_of_us() - start_us
    opened = start_us + np.sort(rng.integers(0, span, cases))
    before = np.cumsum(stay) - stay
    at = np.repeat(opened - before[first], counts) + before
    del stay, before, left

    moves = (rng.random(total) < 0.13) | (number == 0)
    drawn = rng.choice(len(SITES), total, p=SITE_SHARE).astype(np.int8)
    last_move = np.maximum.accumulate(np.where(moves, np.arange(total), 0))
    site = drawn[last_move]
    del moves, drawn, last_move
    priority = np.repeat(rng.choice(len(PRIORITIES), cases, p=PRIORITY_SHARE).astype(np.int8), counts)
    person = rng.integers(0, PERSONS, total, dtype=np.int16)

    seen = np.flatnonzero(at < calendars.as_of_us())
    order = seen[np.argsort(at[seen], kind="stable")]
    return {
        name: column[order]
        for name, column in {
            "case": case, "number": number, "state": state, "at": at, "site": site,
            "priority": priority, "person": person,
        }.items()
    }


def texts(codes, values):
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values)).cast(pa.string())


def digits(values, width):
    """Numbers as fixed-width decimal text."""
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = values.astype(np.int64)
    for place in range(width - 1, -1, -1):
        out[:, place] = 48 + rest % 10
        rest //= 10
    return out


def ids(case, number):
    """`C0000017` and `C0000017/03` of every event, as Arrow text built without a Python loop."""
    rows = len(case)
    letters = np.empty((rows, 11), dtype=np.uint8)
    letters[:, 0] = ord("C")
    letters[:, 1:8] = digits(case, 7) if case.max(initial=0) < 10_000_000 else digits(case, 8)[:, 1:]
    letters[:, 8] = ord("/")
    letters[:, 9:] = digits(number, 2)
    return fixed(letters[:, :8]), fixed(letters)


def fixed(letters):
    rows, width = letters.shape
    offsets = pa.py_buffer(np.arange(0, rows * width + 1, width, dtype=np.int32))
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(np.ascontiguousarray(letters)))


def table(columns):
    case_id, event_id = ids(columns["case"], columns["number"])
    return pa.table({
        "event_id": event_id,
        "case_id": case_id,
        "activity": texts(columns["state"], ACTIVITIES),
        "state": texts(columns["state"], STATES),
        "occurred_at": pa.array(columns["at"], pa.timestamp("us", "UTC")),
        "person_id": texts(columns["person"], [f"agent {n:04}" for n in range(PERSONS)]),
        "site_id": texts(columns["site"], SITES),
        "priority": texts(columns["priority"], PRIORITIES),
    })


def write_parquet(columns, path):
    rows = len(columns["case"])
    writer, step = None, 1_000_000
    for start in range(0, rows, step):
        part = table({name: column[start:start + step] for name, column in columns.items()})
        writer = writer or pq.ParquetWriter(path, part.schema, compression="snappy")
        writer.write_table(part, row_group_size=step)
    writer.close()


CSV_COLUMNS = """event_id, case_id, activity, state,
    strftime(occurred_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS occurred_at,
    person_id, site_id, priority"""


def write_csv(parquet, path):
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(f"COPY (SELECT {CSV_COLUMNS} FROM '{parquet}') TO '{path}' (FORMAT csv, HEADER)")


def write_monthly(parquet, folder):
    """24 exports. Each holds its month and the five days before it; one event in a hundred is first
    exported with another site and comes again, corrected, with the next month. Their last word is the
    single file."""
    folder.mkdir(parents=True, exist_ok=True)
    duckdb.sql("SET TimeZone = 'UTC'")
    months, end = calendars.month_starts()
    bounds = [start for _, start in months] + [end]
    wrong = "hash(event_id) % 100 = 7"
    corrected = 0
    for n, (name, start) in enumerate(months):
        before = bounds[n - 1] if n else start
        overlap = start - 5 * 86_400_000_000
        last = n + 1 == len(months)
        # The last month has no next one to be corrected in, so it comes right at once.
        site = "site_id" if last else (
            f"CASE WHEN {wrong} AND epoch_us(occurred_at) >= {start} AND site_id <> 'dublin'"
            " THEN 'dublin' ELSE site_id END AS site_id")
        inside = f"epoch_us(occurred_at) >= {start} AND epoch_us(occurred_at) < {bounds[n + 1]}"
        again = (f"epoch_us(occurred_at) >= {before} AND epoch_us(occurred_at) < {start} AND"
                 f" (epoch_us(occurred_at) >= {overlap} OR ({wrong} AND site_id <> 'dublin'))")
        select = CSV_COLUMNS.replace("site_id", site, 1)
        duckdb.sql(f"COPY (SELECT {select} FROM '{parquet}' WHERE ({inside}) OR ({again})"
                   f" ORDER BY occurred_at) TO '{folder / name}.csv' (FORMAT csv, HEADER)")
        found = duckdb.sql(f"SELECT count(*) FROM '{parquet}' WHERE {inside} AND {wrong}"
                           " AND site_id <> 'dublin'").fetchall()[0]
        corrected += 0 if last else found[0]
    return corrected


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--csv", action="store_true")
    parser.add_argument("--monthly", action="store_true")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    parquet, about = folder / "events.parquet", folder / "about.json"
    said = json.loads(about.read_text()) if about.exists() else {}
    if "events" not in said:
        columns = events(options.cases)
        write_parquet(columns, parquet)
        calendars.write_registers(folder / "registers")
        calendars.write_tables(folder / "tables")
        said = {
            "cases": int(len(np.unique(columns["case"]))),
            "events": int(len(columns["case"])),
            "as_of_us": calendars.as_of_us(),
            "stopped": calendars.STOPPED,
            "paused": calendars.PAUSED,
        }
        about.write_text(json.dumps(said, indent=1))
    if options.csv and not (folder / "events.csv").exists():
        write_csv(parquet, folder / "events.part")
        (folder / "events.part").rename(folder / "events.csv")
    if options.monthly and "corrected" not in said:
        said["corrected"] = write_monthly(parquet, folder / "monthly")
        about.write_text(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
