"""Six questions about working time, with answers worked out by hand, put to every library that claims to
answer such questions. Runs inside the bench's own environment; prints JSON.

Owns the questions and the answers. A library is told everything that it can be told: zone, windows, days
off. `itself`: it answers from the instants as a log holds them, with an offset. `by hand`: it answers
only after the caller has turned instants into civil time of the site, or has cut the pauses out and
added the rest up. `wrong` and `cannot` speak for themselves.
"""

import datetime as dt
import json
import zoneinfo

UTC = dt.timezone.utc
HOUR = 3600


class Case:
    """One question: a calendar, the stretches in which the clock runs, and the answer in hours."""

    def __init__(self, name, zone, windows, runs, hours, days=(0, 1, 2, 3, 4), off=()):
        self.name, self.zone, self.windows, self.hours, self.days = name, zone, windows, hours, days
        self.runs = [tuple(dt.datetime.fromisoformat(text) for text in run) for run in runs]
        self.off = [dt.date.fromisoformat(day) for day in off]

    @property
    def start(self):
        return self.runs[0][0]

    @property
    def end(self):
        return self.runs[-1][1]

    def civil(self):
        """The same stretches as wall-clock times of the site, without offset."""
        zone = zoneinfo.ZoneInfo(self.zone)
        return [tuple(at.astimezone(zone).replace(tzinfo=None) for at in run) for run in self.runs]

    def clock_times(self):
        """Windows as pairs of `datetime.time`."""
        return [tuple(dt.time.fromisoformat(part) for part in window.split("-")) for window in self.windows]


CASES = [
    # Manila is 8 hours ahead: 00:30Z is 08:30 there, before opening at 09:00; 03:00Z is 11:00.
    # 09:00 to 11:00 = 2 h.
    Case("zone", "Asia/Manila", ["09:00-18:00"],
         [("2025-03-03T00:30:00+00:00", "2025-03-03T03:00:00+00:00")], 2.0),
    # On Sunday 2025-03-30 clocks in Poland go from 02:00 to 03:00. Open from midnight to noon, every
    # day: the wall shows twelve hours, eleven pass.
    Case("switch day", "Europe/Warsaw", ["00:00-12:00"],
         [("2025-03-29T23:00:00+00:00", "2025-03-30T10:00:00+00:00")], 11.0, days=(0, 1, 2, 3, 4, 5, 6)),
    # Monday to Friday 22:00 to 06:00 in Manila. From Friday 2025-03-07 23:00 (15:00Z) to Saturday 07:00
    # (23:00Z): Friday's shift ends on Saturday at 06:00. 7 h.
    Case("night shift", "Asia/Manila", ["22:00-06:00"],
         [("2025-03-07T15:00:00+00:00", "2025-03-07T23:00:00+00:00")], 7.0),
    # Ireland, winter time = UTC. Friday 15:30 to 17:30 = 2 h; Monday 17 March is Saint Patrick's day;
    # Tuesday 09:00 to 10:30 = 1.5 h.
    Case("holiday", "Europe/Dublin", ["09:00-17:30"],
         [("2025-03-14T15:30:00+00:00", "2025-03-18T10:30:00+00:00")], 3.5, off=["2025-03-17"]),
    # Opened Friday 14:00, waiting for the client from 16:00 to Monday 11:00, resolved Monday 15:00
    # (Reykjavik is UTC all year): 2 h + 4 h.
    Case("pause", "Atlantic/Reykjavik", ["09:00-17:00"],
         [("2025-05-09T14:00:00+00:00", "2025-05-09T16:00:00+00:00"),
          ("2025-05-12T11:00:00+00:00", "2025-05-12T15:00:00+00:00")], 6.0),
    # A break from 12:00 to 13:00. Wednesday 11:30 to 14:00: 0.5 h before, 1 h after.
    Case("several windows", "Atlantic/Reykjavik", ["08:00-12:00", "13:00-17:00"],
         [("2025-05-14T11:30:00+00:00", "2025-05-14T14:00:00+00:00")], 1.5),
]


class Cannot(Exception):
    """The library has no way to be told this calendar."""


def business_duration_hours(case, start, end):
    """business_duration: one window a day."""
    from business_duration import businessDuration

    if len(case.windows) > 1:
        raise Cannot("takes one window a day")
    (opens, closes), = case.clock_times()
    weekend = [day for day in range(7) if day not in case.days]
    found = businessDuration(startdate=start, enddate=end, starttime=opens, endtime=closes,
                             weekendlist=weekend, holidaylist={day: "off" for day in case.off}, unit="min")
    return float(found) / 60


def businesstimedelta_hours(case, start, end, split=False):
    """businesstimedelta: rules that add up, with a zone of their own."""
    import businesstimedelta as library
    import pytz

    zone = pytz.timezone(case.zone) if start.tzinfo else None
    if start.tzinfo:
        start, end = start.astimezone(pytz.utc), end.astimezone(pytz.utc)
    told = {"tz": zone} if zone else {}
    rules = []
    for opens, closes in case.clock_times():
        parts = [(opens, closes, case.days)]
        if split and closes < opens:
            parts = [(opens, dt.time.max, case.days), (dt.time.min, closes, [(day + 1) % 7 for day in case.days])]
        for first, last, days in parts:
            rules.append(library.WorkDayRule(start_time=first, end_time=last, working_days=list(days), **told))
    if case.off:
        # It looks five years both ways for a day off and fails when there is none, so it gets two far ones.
        rules.append(library.HolidayRule({day: "off" for day in [*case.off, dt.date(2023, 1, 1), dt.date(2027, 1, 1)]}, **told))
    found = library.Rules(rules).difference(start, end)
    return found.timedelta.total_seconds() / HOUR


def businesstimedelta_split_hours(case, start, end):
    """The same, with a window across midnight cut in two by the caller."""
    return businesstimedelta_hours(case, start, end, split=True)


def week_slots(case):
    """Seconds since Monday, as PM4Py wants its hours."""
    slots = []
    for day in case.days:
        for opens, closes in case.clock_times():
            first = day * 86400 + opens.hour * HOUR + opens.minute * 60
            last = day * 86400 + closes.hour * HOUR + closes.minute * 60
            slots.append((first, last if last > first else last + 86400))
    return slots


def pm4py_hours(case, start, end):
    """PM4Py: slots of a week, a calendar of days off."""
    from pm4py.util.business_hours import BusinessHours

    class DaysOff:
        """The one question that PM4Py asks its work calendar."""

        @staticmethod
        def is_working_day(day):
            return (day.date() if isinstance(day, dt.datetime) else day) not in case.off

    extra = {"business_hour_slots": week_slots(case)}
    if case.off:
        extra["workcalendar"] = DaysOff()
    return BusinessHours(start, end, **extra).get_seconds() / HOUR


def pandas_hours(case, start, end):
    """pandas: custom business hours, counted as the whole hours that fit, then the rest by rolling."""
    import pandas as pd

    opens = [window.split("-")[0] for window in case.windows]
    closes = [window.split("-")[1] for window in case.windows]
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    hour = pd.offsets.CustomBusinessHour(start=opens, end=closes, holidays=case.off,
                                         weekmask=" ".join(names[day] for day in case.days))
    at, until, hours = hour.rollforward(pd.Timestamp(start)), pd.Timestamp(end), 0
    while at + hour <= until:
        at, hours = at + hour, hours + 1
    minutes = 0
    while minutes < 60 and hour.is_on_offset(later := at + pd.Timedelta(minutes=minutes + 1)) and later <= until:
        minutes += 1
    return hours + minutes / 60


def numpy_hours(case, start, end):
    """NumPy: counts business days, and nothing finer."""
    import numpy as np

    per_day = sum((b.hour * 60 + b.minute - a.hour * 60 - a.minute) % 1440 for a, b in case.clock_times()) / 60
    mask = [day in case.days for day in range(7)]
    days = np.busday_count(start.date(), end.date(), weekmask=mask, holidays=case.off)
    return float(days) * per_day


LIBRARIES = {
    "business_duration": business_duration_hours,
    "businesstimedelta": businesstimedelta_hours,
    "PM4Py": pm4py_hours,
    "pandas CustomBusinessHour": pandas_hours,
    "NumPy busday_count": numpy_hours,
}
# What a caller can do by spelling the calendar another way.
RESPELT = {"businesstimedelta": businesstimedelta_split_hours}


def attempt(work):
    try:
        return work(), None
    except Cannot as reason:
        return None, str(reason)
    except Exception as error:  # noqa: BLE001 - whatever a library throws is its answer
        return None, f"{type(error).__name__}: {error}"


def right(hours, case):
    return hours is not None and abs(hours - case.hours) < 1e-8


def judge(name, library, case):
    """How a library fares with a question: the word, and the answer or the reason."""
    itself, reason = attempt(lambda: library(case, case.start, case.end))
    if right(itself, case):
        return {"word": "itself", "hours": itself}
    civil, civil_reason = attempt(lambda: library(case, case.civil()[0][0], case.civil()[-1][1]))
    if right(civil, case):
        return {"word": "by hand", "hours": civil}
    parts, _ = attempt(lambda: sum(library(case, *run) for run in case.civil()))
    if len(case.runs) > 1 and right(parts, case):
        return {"word": "by hand", "hours": parts}
    respelt = None
    if name in RESPELT:
        respelt, _ = attempt(lambda: RESPELT[name](case, *case.civil()[0]))
        if right(respelt, case):
            return {"word": "by hand", "hours": respelt}
    tried = [hours for hours in (itself, civil, respelt) if hours is not None]
    if tried:
        return {"word": "wrong", "hours": min(tried, key=lambda hours: abs(hours - case.hours))}
    return {"word": "cannot", "why": civil_reason or reason}


def main():
    found = {name: {case.name: judge(name, library, case) for case in CASES} for name, library in LIBRARIES.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
