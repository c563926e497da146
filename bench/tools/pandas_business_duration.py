"""pandas with business_duration: every running stay of a sample of cases, by the client's one calendar.

The library takes one window a day and no zone, so instants are turned into civil time by hand. The
sample's working time is compared with ours-by-table (NumPy's table of quarter hours) and the note says
how often they agree to the second.
"""

import argparse
import datetime as dt
import json
import pathlib
import time

import duckdb
import pandas as pd
from business_duration import businessDuration

from suite import calendars


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("--sample", type=int, default=1000)
    options = parser.parse_args()
    about = json.loads((options.input / "about.json").read_text())
    wanted = duckdb.sql(f"""SELECT case_id, state, epoch_us(occurred_at) AS us FROM '{options.input}/events.parquet'
      WHERE hash(case_id) % {max(1, about['cases'] // options.sample)} = 0 ORDER BY case_id, us""").df()
    spans = duckdb.sql(f"""SELECT start_us, end_us, before_us FROM '{options.input}/tables/spans.csv'
      WHERE site_id = 'dublin' ORDER BY start_us""").df()
    off = {day: name for place, day, name in calendars.holidays() if place == "IE"}

    started = time.perf_counter()
    same_case = wanted["case_id"].shift(-1) == wanted["case_id"]
    wanted["until"] = wanted["us"].shift(-1).where(same_case, about["as_of_us"]).astype("int64")
    running = wanted[~wanted["state"].isin(about["stopped"] + about["paused"])].copy()
    for column in ("us", "until"):
        civil = pd.to_datetime(running[column], unit="us", utc=True).dt.tz_convert(calendars.CLIENT_ZONE)
        running[f"{column}_civil"] = civil.dt.tz_localize(None)
    running["seconds"] = [
        businessDuration(startdate=a, enddate=b, starttime=dt.time(9), endtime=dt.time(17, 30),
                         holidaylist=off, unit="sec")
        for a, b in zip(running["us_civil"], running["until_civil"])
    ]
    found = running.groupby("case_id")["seconds"].sum()
    seconds = time.perf_counter() - started

    def before(instants):
        place = spans["start_us"].searchsorted(instants, side="right") - 1
        row = spans.iloc[place]
        inside = (pd.Series(instants.to_numpy()).clip(upper=row["end_us"].reset_index(drop=True))
                  - row["start_us"].reset_index(drop=True))
        return row["before_us"].reset_index(drop=True) + inside

    true_us = pd.Series((before(running["until"]) - before(running["us"])).to_numpy(), running["case_id"].to_numpy())
    truth = true_us.groupby(level=0).sum() / 1e6
    # One second of slack for each stay: the library counts in whole seconds.
    slack = running.groupby("case_id").size()
    agree = int(((found.fillna(-1) - truth).abs() <= slack).sum())
    cases = int(wanted["case_id"].nunique())
    note = f"running stays only, civil time by hand; {agree:,} of {len(truth):,} cases right to the second"
    print(json.dumps({"seconds": seconds, "cases": cases, "intervals": len(running), "note": note}))


if __name__ == "__main__":
    main()
