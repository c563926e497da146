"""The real work logs, with the terms that the bench assumes for each: hours, promises, states.

Owns what is assumed; the logs say none of it. Every tool is given the same assumptions.
"""

import datetime as dt
import json
import os
import shutil

from . import calendars, environment, process, product, working_time

SITE = "main"
DATA = os.environ.get("BACKSTAY_TEST_DATA") or str(environment.ROOT.parent / "shared" / "data")


class Log:
    """One log and its assumed terms."""

    def __init__(self, file, mapping, zone, cover, levels, stopped, paused):
        self.file, self.mapping, self.zone = f"{DATA}/work-logs/{file}", mapping, zone
        self.cover = tuple(dt.date.fromisoformat(day) for day in cover)
        self.levels, self.stopped, self.paused = levels, stopped, paused

    def site(self):
        """Office hours with a break, in the zone assumed, no days off."""
        return self.zone, "", calendars.week("08:00-12:30 13:15-18:00")

    def as_of_us(self):
        return calendars.instant_us(calendars.zoneinfo.ZoneInfo(self.zone), self.period()[1], 0)

    def period(self):
        """From the second month of cover to the last but one: months are whole."""
        return self.cover[0], self.cover[1] - dt.timedelta(days=31)

    def months(self):
        zone, (day, end), found = calendars.zoneinfo.ZoneInfo(self.zone), self.period(), []
        while day < end:
            found.append((f"{day:%Y-%m}", calendars.instant_us(zone, day, 0)))
            day = (day + dt.timedelta(days=32)).replace(day=1)
        return found, calendars.instant_us(zone, end, 0)


XES_LEVEL = [("handled", "all", 80 * 60)]
LOGS = {
    "ServiceNow incidents": Log(
        "servicenow_incident_event_log.csv.gz", "servicenow-incident", "Etc/UTC", ("2016-01-01", "2017-05-02"),
        [("resolution-p1", "1 - Critical", 4 * 60), ("resolution-p2", "2 - High", 8 * 60),
         ("resolution-p3", "3 - Moderate", 24 * 60), ("resolution-p4", "4 - Low", 40 * 60)],
        ["Resolved", "Closed"],
        ["Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence"]),
    "Domestic declarations": Log(
        "DomesticDeclarations.xes.gz", "xes", "Europe/Amsterdam", ("2016-01-01", "2020-02-01"), XES_LEVEL,
        ["Payment Handled"],
        ["Declaration REJECTED by ADMINISTRATION", "Declaration REJECTED by SUPERVISOR"]),
    "International declarations": Log(
        "InternationalDeclarations.xes.gz", "xes", "Europe/Amsterdam", ("2016-01-01", "2021-02-01"), XES_LEVEL,
        ["Payment Handled"],
        ["Declaration REJECTED by ADMINISTRATION", "Declaration REJECTED by SUPERVISOR", "Start trip"]),
}


def registers(log, folder):
    """The terms as registers."""
    folder.mkdir(parents=True, exist_ok=True)
    cover = [day.isoformat() for day in log.cover]
    zone, _, days = log.site()
    calendars.write(folder / "client.csv", ["client_id", "name"], [["client", "The client"]])
    calendars.write(folder / "provider.csv", ["provider_id", "name"], [["provider", "The provider"]])
    calendars.write(folder / "calendar.csv",
                    ["calendar_id", "time_zone", *calendars.DAYS, "covered_from", "covered_until", "source"],
                    [["office", zone, *days, *cover, "assumed"]])
    calendars.write(folder / "site.csv", ["site_id", "provider_id", "name", "time_zone", "calendar_id"],
                    [[SITE, "provider", "The only site", zone, "office"]])
    calendars.write(folder / "arrangement.csv",
                    ["arrangement_id", "client_id", "provider_id", "title", "time_zone", "default_site_id", "starts_on"],
                    [["log", "client", "provider", "A real log", zone, SITE, cover[0]]])
    header = ["arrangement_id", "service_level_id", "title", "metric", "priorities", "target", "threshold", "window"]
    header += ["counts_in", "clock_starts", "stop_states", "paused_states", "calendar_id", "basis"]
    calendars.write(folder / "service_level.csv", header, [
        ["log", level, level, "turnaround", "" if priority == "all" else priority, "0.8", f"{minutes}m", "month",
         "opened", "first-event", "|".join(log.stopped), "|".join(log.paused), "office", "assumed"]
        for level, priority, minutes in log.levels])
    return ["client", "provider", "calendar", "site", "arrangement", "service_level"]


def workspace(env, name, log):
    made_by = environment.recipe("suite/calendars.py", "suite/logs.py", "tools/real_logs.py")
    kind = f"log-{name.lower().replace(' ', '-')}"
    folder = env.cache / f"{kind}-{made_by}"
    for old in env.cache.glob(f"{kind}*"):
        if old != folder:
            shutil.rmtree(old)
    if not (folder / "about.json").exists():
        env.in_venv("tools.real_logs", name, folder)

    def make(space):
        zone = ["--zone", log.zone] if log.mapping != "xes" else []
        done, counts = space.import_json(log.file, "--mapping", log.mapping, "--set", "arrangement_id=log", *zone)
        for table in registers(log, folder / "registers"):
            space.call("import", folder / "registers" / f"{table}.csv", "--as", table)
        return {"entry": space.entries(), "accepted": counts["accepted"], "import": done.seconds}

    return folder, *product.prepared(env, f"{kind}@{made_by}", make)


def section(env):
    """Agreement of all tools on the real logs, case by case."""
    rows = []
    for name, log in LOGS.items():
        if not os.path.exists(log.file):
            raise process.Failed(f"the real logs are not in `{DATA}`: name their folder in BACKSTAY_TEST_DATA")
        folder, space, said = workspace(env, name, log)
        first, after = log.period()
        agreed = working_time.agreement(env, folder, space, said["entry"], SITE, f"{first}..{after}",
                                        [level for level, *_ in log.levels])
        about = json.loads((folder / "about.json").read_text())
        rows.append([name, f"{about['events']:,}", f"{agreed['cases']:,}", f"{agreed['breaches']:,}", agreed["tools"]])
    return {
        "title": "Agreement on real logs",
        "notes": ["Working time of every case, equal to the microsecond in Backstay and in each public program, and"
                  " the same breaches. Hours, promises and states that pause or stop are assumed"
                  " (`bench/suite/logs.py`); the logs say none of them. Here many events share an instant; the"
                  " source's own counter, or the place in the file, says which came first."],
        "head": ["log", "events", "cases", "breaches", "public programs that agree"], "rows": rows, "budgets": [],
    }
