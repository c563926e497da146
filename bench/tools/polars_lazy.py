"""Polars: sorts by case and instant, looks working time up in a table of quarter hours by position."""

import os
import sys

if "--threads" in sys.argv:
    os.environ["POLARS_MAX_THREADS"] = sys.argv[sys.argv.index("--threads") + 1]

import polars as pl

from .contract import Question

SLOT_US = 900_000_000


def main():
    ask = Question()
    slots = pl.read_parquet(ask.tables / "slots.parquet", columns=["slot", "before_us", "is_open"])
    names = pl.read_csv(ask.tables / "sites.csv")["site_id"].to_list()
    width = len(slots) // len(names)
    first_slot = slots["slot"][0]
    before, is_open = slots["before_us"], slots["is_open"].cast(pl.Int64)
    if ask.calendar:
        base = pl.lit(names.index(ask.calendar) * width, pl.Int64)
    else:
        starts = [n * width for n in range(len(names))]
        base = pl.col("site_id").replace_strict(names, starts, return_dtype=pl.Int64)

    def worked(instant):
        number = instant // SLOT_US - first_slot + pl.col("base")
        return pl.lit(before).gather(number) + pl.lit(is_open).gather(number) * (instant % SLOT_US)

    state = pl.col("state")
    order = ["case_id", "at"] + ([ask.order] if ask.order else [])
    events = (
        pl.scan_parquet(ask.events)
        .select(
            "case_id", pl.col("occurred_at").dt.epoch("us").alias("at"), "priority", base.alias("base"),
            (~state.is_in(ask.stopped + ask.paused)).alias("runs"), state.is_in(ask.stopped).alias("stops"),
            *([ask.order] if ask.order else []),
        )
        .filter(pl.col("at") < ask.as_of_us)
        .sort(order)
        .with_columns(last=(pl.col("case_id") != pl.col("case_id").shift(-1)).fill_null(True))
        .with_columns(
            until=pl.when("last").then(pl.lit(ask.as_of_us)).otherwise(pl.col("at").shift(-1)).cast(pl.Int64)
        )
        .with_columns(
            working_us=pl.when("runs").then(worked(pl.col("until")) - worked(pl.col("at"))).otherwise(0)
        )
        .group_by("case_id")
        .agg(
            pl.col("working_us").sum(), (pl.col("stops") & pl.col("last")).any().alias("done"),
            pl.col("at").min().alias("opened"), pl.col("priority").first(),
        )
    )
    cases = events.collect()
    if ask.per_case:
        cases.select("case_id", "working_us", "done").write_parquet(ask.per_case)
    months = pl.read_csv(ask.tables / "months.csv").sort("start_us")
    levels = pl.read_csv(ask.tables / "levels.csv")
    within = pl.col("working_us") <= pl.col("threshold_us")
    figures = (
        cases.lazy()
        .join(levels.lazy(), on="priority")
        .sort("opened")
        .join_asof(months.lazy(), left_on="opened", right_on="start_us")
        .filter(pl.col("opened") < pl.col("end_us"))
        .group_by("service_level_id", "month")
        .agg(
            (pl.col("done") & within).sum().alias("met"), (~within).sum().alias("missed"),
            (~pl.col("done") & within).sum().alias("open"),
        )
        .collect()
    )
    ask.answer(figures.rows())


if __name__ == "__main__":
    main()
