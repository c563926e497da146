"""chDB (ClickHouse in the process): groups each case's events into sorted arrays, looks working time up in
a flat dictionary of quarter hours."""

import json

from chdb import session

from .contract import Question


def rows(db, sql):
    """The rows of a small query."""
    return [json.loads(row) for row in str(db.query(sql, "JSONEachRow")).splitlines()]


def main():
    ask = Question()
    db = session.Session()
    db.query(f"SET max_threads = {ask.threads}")
    db.query("SET schema_inference_make_columns_nullable = 0")
    db.query("CREATE DATABASE b ENGINE = Atomic")
    sites = rows(db, f"SELECT site_id, site_code FROM file('{ask.tables}/sites.csv') ORDER BY site_code")
    code_of = {row["site_id"]: int(row["site_code"]) for row in sites}
    slots = f"file('{ask.tables}/slots.parquet')"
    only = f"WHERE site_code = {code_of[ask.calendar]}" if ask.calendar else ""
    first_slot = int(rows(db, f"SELECT min(slot) AS slot FROM {slots}")[0]["slot"])
    shift = first_slot * 16
    db.query("CREATE TABLE b.slot (key UInt64, before_us Int64, is_open Int64) ENGINE = Memory")
    db.query(f"INSERT INTO b.slot SELECT slot * 16 + site_code - {shift}, before_us, is_open FROM {slots} {only}")
    db.query("""CREATE DICTIONARY b.slots (key UInt64, before_us Int64, is_open Int64) PRIMARY KEY key
      SOURCE(CLICKHOUSE(TABLE 'slot' DB 'b')) LAYOUT(FLAT(INITIAL_ARRAY_SIZE 2000000 MAX_ARRAY_SIZE 50000000))
      LIFETIME(0)""")
    if ask.calendar:
        code = str(code_of[ask.calendar])
    else:
        code = f"toInt64(transform(site_id, [{ask.sql_list(code_of)}], {list(code_of.values())}, -1))"
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
    months = rows(db, f"SELECT * FROM file('{ask.tables}/months.csv') ORDER BY start_us")
    starts = [int(row["start_us"]) for row in months]
    found = str(db.query(f"""
    SELECT service_level_id, arrayFirstIndex(s -> s > opened, {starts + [int(months[-1]['end_us'])]}) - 1 AS month,
      countIf(done AND working_us <= threshold_us), countIf(working_us > threshold_us),
      countIf(NOT done AND working_us <= threshold_us)
    FROM ({cases}) AS c JOIN file('{ask.tables}/levels.csv') AS l ON l.priority = c.priority
    WHERE month > 0 GROUP BY 1, 2""", "TSV")).splitlines()
    figures = []
    for row in found:
        level, month, *counts = row.split("\t")
        figures.append((level, months[int(month) - 1]["month"], *counts))
    ask.answer(figures)


if __name__ == "__main__":
    main()
