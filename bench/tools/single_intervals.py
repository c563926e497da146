"""Rates of libraries that answer one interval at a time: an office week, intervals of up to 30 days."""

import datetime as dt
import json
import random
import time

WINDOW = (dt.time(9), dt.time(18))


def intervals(count):
    draw = random.Random(7)
    for _ in range(count):
        start = dt.datetime(2025, 1, 1) + dt.timedelta(minutes=draw.randrange(300 * 1440))
        yield start, start + dt.timedelta(minutes=draw.randrange(30 * 1440))


def rate(answer, count):
    asked = list(intervals(count))
    answer(*asked[0])
    started = time.perf_counter()
    for start, end in asked:
        answer(start, end)
    return count / (time.perf_counter() - started)


def business_duration():
    from business_duration import businessDuration
    return rate(lambda a, b: businessDuration(a, b, starttime=WINDOW[0], endtime=WINDOW[1], unit="min"), 20000)


def businesstimedelta():
    import businesstimedelta as library
    rules = library.Rules([library.WorkDayRule(start_time=WINDOW[0], end_time=WINDOW[1],
                                               working_days=[0, 1, 2, 3, 4])])
    return rate(rules.difference, 2000)


def pm4py():
    from pm4py.util.business_hours import BusinessHours
    slots = [(day * 86400 + 9 * 3600, day * 86400 + 18 * 3600) for day in range(5)]
    return rate(lambda a, b: BusinessHours(a, b, business_hour_slots=slots).get_seconds(), 5000)


def main():
    found = {}
    for name, work in [("business_duration", business_duration), ("businesstimedelta", businesstimedelta),
                       ("PM4Py BusinessHours", pm4py)]:
        try:
            found[name] = work()
        except ImportError:
            found[name] = None
    print(json.dumps(found))


if __name__ == "__main__":
    main()
