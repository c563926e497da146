"""Compares working time case by case, to the microsecond. Runs inside the bench's own environment.

    python -m suite.compare OURS.csv LEVELS.csv TOOL=PER_CASE.parquet …

OURS has case_id, service_level_id, total_us, outcome. Prints JSON: per tool how many cases were compared,
how many differ in working time, in being done, in being a breach, and the first of them.
"""

import json
import sys

import duckdb


def main():
    ours, levels, *tools = sys.argv[1:]
    duckdb.sql(f"""CREATE TEMP TABLE ours AS
      SELECT case_id, total_us, outcome, threshold_us FROM read_csv('{ours}', header = true)
      JOIN '{levels}' USING (service_level_id)""")
    found = {}
    for tool in tools:
        name, path = tool.split("=", 1)
        duckdb.sql(f"""CREATE OR REPLACE TEMP TABLE both_ AS
          SELECT coalesce(o.case_id, t.case_id) AS case_id, o.total_us AS ours_us, t.working_us AS theirs_us,
            o.outcome, t.done::BOOLEAN AS done,
            o.total_us IS DISTINCT FROM t.working_us AS time_differs,
            (o.outcome IN ('met', 'missed')) IS DISTINCT FROM t.done::BOOLEAN AS done_differs,
            (o.outcome IN ('missed', 'overdue')) IS DISTINCT FROM (t.working_us > o.threshold_us) AS breach_differs
          FROM ours o FULL JOIN '{path}' t ON o.case_id = t.case_id""")
        cases, differing_time, differing_done, differing_breach = duckdb.sql("""SELECT count(*),
          count(*) FILTER (time_differs), count(*) FILTER (done_differs), count(*) FILTER (breach_differs)
          FROM both_""").fetchall()[0]
        first = duckdb.sql("""SELECT case_id, ours_us, theirs_us, outcome, done FROM both_
          WHERE time_differs OR done_differs OR breach_differs ORDER BY case_id LIMIT 5""").fetchall()
        breaches = duckdb.sql("SELECT count(*) FROM ours WHERE outcome IN ('missed', 'overdue')").fetchall()[0][0]
        found[name] = {"cases": cases, "time": differing_time, "done": differing_done,
                       "breach": differing_breach, "breaches": breaches, "first": first}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
