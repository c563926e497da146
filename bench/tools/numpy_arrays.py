"""NumPy: one integer sort puts events in order of case, a table of quarter hours gives working time."""

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from .contract import Question

SLOT_US = 900_000_000


def codes(column, names=None):
    """Codes of a text column, by its own dictionary or by the names given."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    own = column.indices.to_numpy(zero_copy_only=False)
    if names is None:
        return own, column.dictionary
    place = {name: n for n, name in enumerate(names)}
    return np.array([place.get(name.as_py(), -1) for name in column.dictionary], dtype=np.int64)[own], names


def main():
    ask = Question()
    pa.set_cpu_count(ask.threads)
    columns = ["case_id", "state", "occurred_at", "priority"] + ([] if ask.calendar else ["site_id"])
    columns += [ask.order] if ask.order else []
    few = ["state", "priority", "site_id"]
    table = pq.read_table(ask.events, columns=columns, read_dictionary=few)
    at = table["occurred_at"].combine_chunks().cast(pa.int64()).to_numpy()
    if ask.order:
        by_time = np.lexsort((table[ask.order].to_numpy(), at))
    else:
        by_time = None if np.all(at[1:] >= at[:-1]) else np.argsort(at, kind="stable")
    case, case_ids = codes(table["case_id"])
    bits = max(1, (len(at) - 1).bit_length())
    ranked = case if by_time is None else case[by_time]
    key = np.sort((ranked.astype(np.int64) << bits) | np.arange(len(at)))
    order = key & ((1 << bits) - 1)
    if by_time is not None:
        order = by_time[order]
    case, at = case[order], at[order]

    names = pacsv.read_csv(ask.tables / "sites.csv")["site_id"].to_pylist()
    slot = pq.read_table(ask.tables / "slots.parquet", columns=["slot", "before_us", "is_open"])
    before = slot["before_us"].to_numpy().reshape(len(names), -1)
    is_open = slot["is_open"].to_numpy().reshape(len(names), -1)
    first_slot = int(slot["slot"][0].as_py())
    width = before.shape[1]
    before, is_open = before.ravel(), is_open.ravel()

    state, state_names = codes(table["state"])
    state_names = state_names.to_pylist()
    runs = np.array([name not in ask.stopped + ask.paused for name in state_names])[state[order]]
    stops = np.array([name in ask.stopped for name in state_names])[state[order]]
    if ask.calendar:
        base = np.int64(names.index(ask.calendar) * width)
    else:
        base = codes(table["site_id"], names)[0][order] * width
    keep = at < ask.as_of_us
    if not keep.all():
        case, at, runs, stops = case[keep], at[keep], runs[keep], stops[keep]
        base = base if ask.calendar else base[keep]
        order = order[keep]
    last = np.empty(len(case), dtype=bool)
    last[-1] = True
    np.not_equal(case[1:], case[:-1], out=last[:-1])
    until = np.empty_like(at)
    until[:-1] = at[1:]
    until[last] = ask.as_of_us

    place = np.flatnonzero(runs)
    site = base if ask.calendar else base[place]

    def worked(instant):
        number, rest = np.divmod(instant, SLOT_US)
        number += site - first_slot
        return before[number] + is_open[number] * rest

    spent = np.zeros(len(at), dtype=np.int64)
    spent[place] = worked(until[place]) - worked(at[place])
    first = np.flatnonzero(np.concatenate(([True], last[:-1])))
    working = np.add.reduceat(spent, first)
    done = stops[last]

    levels = pacsv.read_csv(ask.tables / "levels.csv").to_pydict()
    level = codes(table["priority"], levels["priority"])[0][order[last]]
    months = pacsv.read_csv(ask.tables / "months.csv").to_pydict()
    month = np.searchsorted(np.array(months["start_us"]), at[first], side="right") - 1
    within = working <= np.array(levels["threshold_us"])[level]
    counted = (level >= 0) & (month >= 0) & (at[first] < months["end_us"][-1])
    bucket = level * len(months["month"]) + month
    size = len(levels["priority"]) * len(months["month"])

    def count(which):
        return np.bincount(bucket[counted & which], minlength=size)

    found = np.stack([count(done & within), count(~within), count(~done & within)], axis=1)
    figures = [
        (levels["service_level_id"][n // len(months["month"])], months["month"][n % len(months["month"])], *row)
        for n, row in enumerate(found.tolist())
        if sum(row)
    ]
    if ask.per_case:
        rows = pa.table({
            "case_id": case_ids.take(pa.array(case[first])),
            "working_us": pa.array(working),
            "done": pa.array(done),
        })
        pq.write_table(rows, ask.per_case)
    ask.answer(figures)


if __name__ == "__main__":
    main()
