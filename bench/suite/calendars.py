"""The calendars of the made-up operation, twice: as registers in Backstay's vocabulary, and as plain
open spans in UTC for tools that know no calendars.

Owns both and the expansion between them, written straight from the zone rules of the standard library
and from nothing of ours: it is the second opinion that every figure is compared with. It must never
read what Backstay computes.

Five sites: four of a provider and the client's own. Windows cross midnight in Manila every night and in
Kraków on Saturdays, so that both switches of Europe's clocks fall inside a shift.
"""

import csv
import datetime as dt
import zoneinfo

UTC = dt.timezone.utc
# First and last civil day that the calendars are known for; the events lie well inside.
COVERED_FROM = dt.date(2023, 12, 1)
COVERED_UNTIL = dt.date(2027, 1, 1)
# The events: two civil years at the client.
PERIOD_FIRST = dt.date(2024, 1, 1)
PERIOD_AFTER = dt.date(2026, 1, 1)
SLOT_US = 15 * 60 * 1_000_000
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CLIENT_ZONE = "Europe/Dublin"


def week(windows, saturday=""):
    return [windows] * 5 + [saturday, ""]


SITES = {
    "manila": ("Asia/Manila", "PH", week("22:00-06:00")),
    "krakow": ("Europe/Warsaw", "PL", week("08:00-12:00 12:30-16:30", "22:00-06:00")),
    "chennai": ("Asia/Kolkata", "IN", week("13:30-17:30 18:15-22:30")),
    "bogota": ("America/Bogota", "CO", week("07:00-12:00 13:00-17:00", "08:00-12:00")),
    "dublin": (CLIENT_ZONE, "IE", week("09:00-17:30")),
}
# Days off that fall on one date every year; and those counted from Easter Sunday.
FIXED = {
    "PH": ["01-01", "04-09", "05-01", "06-12", "11-30", "12-25", "12-30"],
    "PL": ["01-01", "01-06", "05-01", "05-03", "08-15", "11-01", "11-11", "12-25", "12-26"],
    "IN": ["01-26", "05-01", "08-15", "10-02", "12-25"],
    "CO": ["01-01", "05-01", "07-20", "08-07", "12-08", "12-25"],
    "IE": ["01-01", "03-17", "12-25", "12-26"],
}
FROM_EASTER = {"PH": [-3, -2], "PL": [1, 60], "IN": [-2], "CO": [-3, -2], "IE": [1]}


def easter(year):
    """Easter Sunday by the Gregorian computus (Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def holidays():
    """(place, date, name) of every day off."""
    found = []
    for place, days in FIXED.items():
        for year in range(COVERED_FROM.year, COVERED_UNTIL.year + 1):
            dates = [dt.date.fromisoformat(f"{year}-{day}") for day in days]
            dates += [easter(year) + dt.timedelta(days=n) for n in FROM_EASTER[place]]
            found += [(place, date, f"day off {date:%m-%d}") for date in sorted(set(dates))]
    return found


def instant_us(zone, day, minutes):
    """First instant (microseconds UTC) at which the wall clock of a zone shows a time of a day or later."""
    day, minutes = day + dt.timedelta(days=minutes // 1440), minutes % 1440
    local = dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{local} is skipped in {zone}: choose other windows for the measurement")
    return int(local.replace(fold=0).timestamp()) * 1_000_000


def minutes_of(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def windows_of(text):
    for window in text.split():
        start, end = (minutes_of(part) for part in window.split("-"))
        yield start, end if end > start else end + 1440


COVER = (COVERED_FROM, COVERED_UNTIL)


def open_spans(site, cover=COVER):
    """Half-open spans (start, end) in microseconds UTC in which a site is open, in order. A shift that
    crosses midnight belongs to the day it starts on: a day off takes it away whole or leaves it whole.
    A site is its zone, the place of its holidays, and the windows of its week from Monday on."""
    zone_name, place, days = site
    zone = zoneinfo.ZoneInfo(zone_name)
    off = {date for holiday_place, date, _ in holidays() if holiday_place == place}
    spans, day = [], cover[0]
    while day < cover[1]:
        if day not in off:
            for start, end in windows_of(days[day.weekday()]):
                spans.append((instant_us(zone, day, start), instant_us(zone, day, end)))
        day += dt.timedelta(days=1)
    spans.sort()
    for (_, before), (after, _) in zip(spans, spans[1:]):
        assert before <= after, f"spans of {site} overlap"
    return spans


def slots(site, cover=COVER):
    """One row per quarter of an hour of the cover: working time before it, and whether it is open.
    Every window edge lies on a quarter, so working time before an instant is
    `before_us + (is_open ? instant - slot : 0)`."""
    start = int(dt.datetime.combine(cover[0], dt.time(), UTC).timestamp()) * 1_000_000
    end = int(dt.datetime.combine(cover[1], dt.time(), UTC).timestamp()) * 1_000_000
    count = (end - start) // SLOT_US
    is_open = bytearray(count)
    for span_start, span_end in open_spans(site, cover):
        assert span_start % SLOT_US == 0 and span_end % SLOT_US == 0
        for slot in range((span_start - start) // SLOT_US, (span_end - start) // SLOT_US):
            if 0 <= slot < count:
                is_open[slot] = 1
    rows, before = [], 0
    for slot, flag in enumerate(is_open):
        rows.append((start // SLOT_US + slot, before, flag))
        before += SLOT_US if flag else 0
    return rows


# The promises: (service level, priority, threshold in minutes, target, minimum). No threshold is a sum of
# whole windows, so that no case stands exactly on it.
LEVELS = [
    ("resolution-p1", "1 - Critical", 150, "0.95", "0.90"),
    ("resolution-p2", "2 - High", 225, "0.90", "0.85"),
    ("resolution-p3", "3 - Moderate", 315, "0.80", "0.70"),
    ("resolution-p4", "4 - Low", 405, "0.80", "0.70"),
]
STOPPED = ["Resolved", "Closed"]
PAUSED = ["Waiting for client", "Waiting for supplier"]


def as_of_us():
    """The end of the period at the client: open cases are judged as of then."""
    return instant_us(zoneinfo.ZoneInfo(CLIENT_ZONE), PERIOD_AFTER, 0)


def month_starts():
    """(month, first instant) of every month of the period at the client, and the end of the last."""
    zone, day, found = zoneinfo.ZoneInfo(CLIENT_ZONE), PERIOD_FIRST, []
    while day < PERIOD_AFTER:
        found.append((f"{day:%Y-%m}", instant_us(zone, day, 0)))
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return found, instant_us(zone, PERIOD_AFTER, 0)


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def write_registers(folder, one_calendar=None):
    """The registers as a user would hand them in, with the list that orders their import."""
    folder.mkdir(parents=True, exist_ok=True)
    cover = [COVERED_FROM.isoformat(), COVERED_UNTIL.isoformat()]
    write(folder / "client.csv", ["client_id", "name"], [["client", "The client"]])
    write(folder / "provider.csv", ["provider_id", "name"], [["provider", "The provider"]])
    write(
        folder / "calendar.csv",
        ["calendar_id", "time_zone", *DAYS, "holiday_places", "covered_from", "covered_until", "source"],
        [[s, zone, *days, place, *cover, "generated"] for s, (zone, place, days) in SITES.items()],
    )
    write(
        folder / "holiday.csv",
        ["place", "on_date", "name", "kind", "source"],
        [[place, date.isoformat(), name, "public", "generated"] for place, date, name in holidays()],
    )
    write(
        folder / "site.csv",
        ["site_id", "provider_id", "name", "time_zone", "calendar_id"],
        [[s, "" if s == "dublin" else "provider", s, SITES[s][0], s] for s in SITES],
    )
    write(
        folder / "arrangement.csv",
        ["arrangement_id", "client_id", "provider_id", "title", "time_zone", "default_site_id", "starts_on"],
        [["bench", "client", "provider", "Generated work", CLIENT_ZONE, "dublin", "2024-01-01"]],
    )
    write(
        folder / "function.csv",
        ["arrangement_id", "function_id", "title", "critical"],
        [["bench", "desk", "Service desk", "true"]],
    )
    write_levels(folder / "service_level.csv", None)
    write_levels(folder / "service_level_one.csv", "dublin")
    write(
        folder / "evidence_feed.csv",
        ["arrangement_id", "feed_id", "table_name", "entry", "cadence", "valid_from", "valid_to"],
        [["bench", "events", "case_event", "declared", "month", "2024-01-01", "2026-01-01"]],
    )
    names = ["client", "provider", "calendar", "holiday", "site", "arrangement", "function", "service_level"]
    parts = [f'[[import]]\nfile = "{name}.csv"\nas = "{name}"\n' for name in [*names, "evidence_feed"]]
    (folder / "imports.toml").write_text("\n".join(parts), encoding="utf-8")


def write_levels(path, calendar):
    """The service levels by the calendar of the site responsible, or by one calendar for all."""
    header = ["arrangement_id", "service_level_id", "function_id", "title", "metric", "priorities"]
    header += ["target", "minimum", "threshold", "window", "counts_in", "clock_starts", "stop_states"]
    header += ["paused_states", "calendar_id", "basis", "version"]
    rows = []
    for level, priority, minutes, target, minimum in LEVELS:
        title = f"{priority} done within {minutes} working minutes"
        rows.append(
            ["bench", level, "desk", title, "turnaround", priority, target, minimum, f"{minutes}m", "month"]
            + ["opened", "first-event", "|".join(STOPPED), "|".join(PAUSED), calendar or "", "contract"]
            + [2 if calendar else 1]
        )
    write(path, header, rows)


def write_tables(folder, sites=None, cover=COVER, levels=None, months=None):
    """The calendars as tables for tools that know none: spans, quarter-hour slots, months, thresholds."""
    import pyarrow.parquet  # only in the bench's own environment

    folder.mkdir(parents=True, exist_ok=True)
    span_rows, slot_columns, codes = [], ([], [], [], []), []
    for code, (name, site) in enumerate((sites or SITES).items()):
        before = 0
        for start, end in open_spans(site, cover):
            span_rows.append((name, start, end, before))
            before += end - start
        for slot, before, flag in slots(site, cover):
            for column, value in zip(slot_columns, (code, slot, before, flag)):
                column.append(value)
        codes.append((name, code))
    write(folder / "spans.csv", ["site_id", "start_us", "end_us", "before_us"], span_rows)
    write(folder / "sites.csv", ["site_id", "site_code"], codes)
    # Half a million rows: as Parquet, so that no tool spends its time on reading them.
    names = ["site_code", "slot", "before_us", "is_open"]
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, slot_columns))), folder / "slots.parquet")
    months, end = months or month_starts()
    ends = [start for _, start in months[1:]] + [end]
    write(
        folder / "months.csv",
        ["month", "start_us", "end_us"],
        [(name, start, stop) for (name, start), stop in zip(months, ends)],
    )
    write(
        folder / "levels.csv",
        ["service_level_id", "priority", "threshold_us"],
        [(level, priority, minutes * 60_000_000) for level, priority, minutes, *_ in levels or LEVELS],
    )
