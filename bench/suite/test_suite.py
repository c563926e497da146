"""Checks of the bench itself; needs nothing but Python.

    python3 -m unittest suite.test_suite        (in the folder bench/)
"""

import datetime as dt
import pathlib
import tempfile
import unittest

from . import calendars, known_answers, race, report


def local(zone, text):
    at = dt.datetime.fromisoformat(text).replace(tzinfo=calendars.zoneinfo.ZoneInfo(zone))
    return int(at.timestamp()) * 1_000_000


class Calendars(unittest.TestCase):
    def test_a_night_shift_over_the_switch_lasts_seven_hours_in_spring_and_nine_in_autumn(self):
        spans = dict(calendars.open_spans(calendars.SITES["krakow"]))
        for night, hours in (("2025-03-29", 7), ("2025-10-25", 9), ("2025-06-07", 8)):
            start = local("Europe/Warsaw", f"{night}T22:00")
            self.assertEqual(spans[start] - start, hours * 3_600_000_000, night)

    def test_a_shift_that_starts_on_a_day_off_is_gone_whole_and_the_one_before_it_stays_whole(self):
        spans = dict(calendars.open_spans(calendars.SITES["manila"]))
        self.assertNotIn(local("Asia/Manila", "2025-06-12T22:00"), spans)
        eve = local("Asia/Manila", "2025-06-11T22:00")
        self.assertEqual(spans[eve] - eve, 8 * 3_600_000_000)

    def test_easter_sunday_falls_where_the_almanac_says(self):
        self.assertEqual([calendars.easter(year) for year in (2024, 2025, 2026)],
                         [dt.date(2024, 3, 31), dt.date(2025, 4, 20), dt.date(2026, 4, 5)])

    def test_quarter_hours_add_up_to_the_spans(self):
        for name, site in calendars.SITES.items():
            spans, slots = calendars.open_spans(site), calendars.slots(site)
            first = slots[0][0] * calendars.SLOT_US
            inside = sum(end - max(start, first) for start, end in spans if end > first)
            beyond = max(0, spans[-1][1] - (slots[-1][0] + 1) * calendars.SLOT_US)
            number, before, is_open = slots[-1]
            self.assertEqual(before + (calendars.SLOT_US if is_open else 0), inside - beyond, (name, number))

    def test_months_of_the_client_follow_its_clocks(self):
        months, end = calendars.month_starts()
        self.assertEqual(len(months), 24)
        self.assertEqual(dict(months)["2025-07"], local("Europe/Dublin", "2025-07-01T00:00"))
        self.assertEqual(end, calendars.as_of_us())


class Words(unittest.TestCase):
    def test_a_budget_missed_says_by_which_factor(self):
        self.assertEqual(race.budget("w", 0.33, (0.66, 0.6, 0.7))["said"], "missed by a factor of 2.0")
        self.assertEqual(race.budget("w", 0.33, (0.3, 0.2, 0.4))["said"], "kept")
        self.assertEqual(race.at_least("w", 100, 50.0, "x")["said"], "missed by a factor of 2.0")
        self.assertEqual(race.limit("w", 2.0, 2.0, "s")["said"], "kept")

    def test_the_page_replaces_what_stands_between_its_markers_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "page.md"
            path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.put(path, "new")
            self.assertEqual(path.read_text(), f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n")
            path.write_text("no markers")
            self.assertRaises(ValueError, report.put, path, "new")

    def test_an_answer_counts_as_its_own_only_from_instants_with_an_offset(self):
        case = known_answers.CASES[0]

        def by_hand(_, start, end):
            return 2.0 if start.tzinfo is None else 0.0

        self.assertEqual(known_answers.judge("any", by_hand, case)["word"], "by hand")
        self.assertEqual(known_answers.judge("any", lambda *_: 2.0, case)["word"], "itself")
        self.assertEqual(known_answers.judge("any", lambda *_: 3.0, case)["word"], "wrong")


if __name__ == "__main__":
    unittest.main()
