"""DuckDB: a window function ends each stay, ASOF joins find the span of the calendar at both its ends."""

import duckdb

from .contract import Question


def main():
    ask = Question()
    db = duckdb.connect()
    db.sql(f"SET threads = {ask.threads}")
    db.sql("SET preserve_insertion_order = false")
    site = f"'{ask.calendar}'" if ask.calendar else "site_id"
    order = "happened, " + ask.order if ask.order else "happened"
    extra = ", " + ask.order if ask.order else ""
    db.sql(f"CREATE TEMP TABLE span AS SELECT * FROM '{ask.tables}/spans.csv'")
    cases = f"""
    WITH event AS (
      SELECT case_id, {site} AS site_id, state, priority, epoch_us(occurred_at) AS happened {extra}
      FROM '{ask.events}'
    ), stay AS (
      SELECT case_id, site_id, state, priority, happened,
        lead(happened) OVER (PARTITION BY case_id ORDER BY {order}) AS until
      FROM event WHERE happened < {ask.as_of_us}
    ), counted AS (
      SELECT case_id, site_id, happened AS instant, -1 AS sign, state, priority FROM stay
      WHERE state NOT IN ({ask.not_running})
      UNION ALL
      SELECT case_id, site_id, coalesce(until, {ask.as_of_us}), 1, state, priority FROM stay
      WHERE state NOT IN ({ask.not_running})
    ), working AS (
      SELECT case_id, sum(sign * (before_us + least(instant, end_us) - start_us))::BIGINT AS working_us
      FROM counted ASOF JOIN span ON counted.site_id = span.site_id AND instant >= start_us
      GROUP BY case_id
    ), whole AS (
      SELECT case_id, min(happened) AS opened, any_value(priority) AS priority,
        bool_or(until IS NULL AND state IN ({ask.sql_list(ask.stopped)})) AS done
      FROM stay GROUP BY case_id
    )
    SELECT case_id, coalesce(working_us, 0) AS working_us, done, opened, priority
    FROM whole LEFT JOIN working USING (case_id)"""
    if ask.per_case:
        db.sql(f"COPY (SELECT case_id, working_us, done FROM ({cases})) TO '{ask.per_case}'")
    figures = db.sql(f"""
    SELECT service_level_id, month, count(*) FILTER (done AND working_us <= threshold_us),
      count(*) FILTER (working_us > threshold_us), count(*) FILTER (NOT done AND working_us <= threshold_us)
    FROM ({cases}) JOIN '{ask.tables}/levels.csv' USING (priority)
    JOIN '{ask.tables}/months.csv' ON opened >= start_us AND opened < end_us
    GROUP BY 1, 2""").fetchall()
    ask.answer(figures)


if __name__ == "__main__":
    main()
