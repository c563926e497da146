"""chDB (ClickHouse in the process): groups each case's events into sorted arrays, looks working time up in
a flat dictionary of quarter hours."""

import json

from chdb import session

from .contract import Question


def main():
    ask = Question()
    db = session.Session()
    db.query(f"SET max_threads = {ask.threads}")
    db.query("SET schema_inference_make_columns_nullable = 0")
    db.query("CREATE DATABASE b ENGINE = Atomic")
    only = f"WHERE site_id = '{ask.calendar}'" if ask.calendar else ""
    first_slot = int(str(db.query(f"SELECT min(slot) FROM file('{ask.tables}/slots.csv')", "TSV")))
    shift = first_slot * 16
    db.query("CREATE TABLE b.slot (key UInt64, before_us Int64, is_open Int64) ENGINE = Memory")
    db.query(f"""INSERT INTO b.slot SELECT slot * 16 + site_code - {shift}, before_us, is_open
      FROM file('{ask.tables}/slots.csv') {only}""")
    db.query("""CREATE DICTIONARY b.slots (key UInt64, before_us Int64, is_open Int64) PRIMARY KEY key
      SOURCE(CLICKHOUSE(TABLE 'slot' DB 'b')) LAYOUT(FLAT(INITIAL_ARRAY_SIZE 2000000 MAX_ARRAY_SIZE 20000000))
      LIFETIME(0)""")
    sites = [json.loads(row) for row in str(db.query(
        f"SELECT DISTINCT site_id, site_code FROM file('{ask.tables}/slots.csv') ORDER BY site_code",
        "JSONEachRow")).splitlines()]
    if ask.calendar:
        code = str(next(row["site_code"] for row in sites if row["site_id"] == ask.calendar))
    else:
        ids = ask.sql_list(row["site_id"] for row in sites)
        code = f"toInt64(transform(site_id, [{ids}], {[int(row['site_code']) for row in sites]}, -1))"
    order = ask.order or "0"
    clock = f"multiIf(state IN ({ask.sql_list(ask.stopped)}), 2, state IN ({ask.sql_list(ask.paused)}), 1, 0)"

    def worked(instant):
        key = f"toUInt64(intDiv({instant}, 900000000) * 16 + site - {shift})"
        return (f"(dictGet('b.slots', 'before_us', {key})"
                f" + dictGet('b.slots', 'is_open', {key}) * ({instant} % 900000000))")

    cases = f"""
    SELECT case_id, priority, opened, done,
      arraySum(arrayMap((at, until, site, clock) -> if(clock = 0, {worked('until')} - {worked('at')}, 0),
        ats, arrayPushBack(arrayPopFront(ats), {ask.as_of_us}), sites, clocks)) AS working_us
    FROM (
      SELECT case_id, any(priority) AS priority,
        arraySort(groupArray((at, place, site, clock))) AS events,
        arrayMap(e -> e.1, events) AS ats, arrayMap(e -> e.3, events) AS sites,
        arrayMap(e -> e.4, events) AS clocks, ats[1] AS opened, clocks[-1] = 2 AS done
      FROM (
        SELECT case_id, priority, toInt64(toUnixTimestamp64Micro(occurred_at)) AS at, {order} AS place,
          {code} AS site, {clock} AS clock
        FROM file('{ask.events}') WHERE at < {ask.as_of_us}
      ) GROUP BY case_id
    )"""
    if ask.per_case:
        db.query(f"SELECT case_id, working_us, done FROM ({cases}) INTO OUTFILE '{ask.per_case}' FORMAT Parquet")
    months = [json.loads(row) for row in str(db.query(
        f"SELECT * FROM file('{ask.tables}/months.csv') ORDER BY start_us", "JSONEachRow")).splitlines()]
    starts = [int(row["start_us"]) for row in months]
    rows = str(db.query(f"""
    SELECT service_level_id, arrayFirstIndex(s -> s > opened, {starts + [int(months[-1]['end_us'])]}) - 1 AS month,
      countIf(done AND working_us <= threshold_us), countIf(working_us > threshold_us),
      countIf(NOT done AND working_us <= threshold_us)
    FROM ({cases}) AS c JOIN file('{ask.tables}/levels.csv') AS l ON l.priority = c.priority
    WHERE month > 0 GROUP BY 1, 2""", "TSV")).splitlines()
    figures = []
    for row in rows:
        level, month, *counts = row.split("\t")
        figures.append((level, months[int(month) - 1]["month"], *counts))
    ask.answer(figures)


if __name__ == "__main__":
    main()
