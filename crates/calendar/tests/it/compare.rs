//! Two calendars side by side, and meetings across zones.

use backstay_calendar::{
    Calendar, DayDifference, Fold, HolidayKind, Span, Zone, compare_by_day, meeting_slots,
    resolve_local, total_us,
};
use jiff::civil::date;
use proptest::prelude::*;

use crate::support::{HOUR, MINUTE, at, compile, every_day, off, weekdays, worked};

const WARSAW: &str = "Europe/Warsaw";
const MANILA: &str = "Asia/Manila";
const DUBLIN: &str = "Europe/Dublin";

fn open(calendar: &Calendar, from: i64, until: i64) -> Vec<Span> {
    calendar.spans(from, until).unwrap().collect()
}

#[test]
fn case_18_two_sites_differ_by_the_day_on_which_one_is_closed() {
    let mut philippines = weekdays(MANILA, "09:00-17:00");
    let wide = compile(&philippines);
    off(&mut philippines, date(2026, 6, 12), HolidayKind::Public);
    worked(&mut philippines, date(2026, 6, 13), HolidayKind::SpecialWorking, "09:00-12:00");
    let own = compile(&philippines);
    let span = (at(MANILA, "2026-06-01 00:00"), at(MANILA, "2026-07-01 00:00"));
    let zone = Zone::find(MANILA).unwrap();
    let (a, b) = (open(&wide, span.0, span.1), open(&own, span.0, span.1));
    let days = compare_by_day(&zone, &a, &b, (date(2026, 6, 1), date(2026, 7, 1))).unwrap();
    let day = |date, gained_us, lost_us| DayDifference { date, gained_us, lost_us };
    assert_eq!(days, [day(date(2026, 6, 12), 0, 8 * HOUR), day(date(2026, 6, 13), 3 * HOUR, 0)]);
    assert_eq!(total_us(&b) - total_us(&a), -5 * HOUR);
}

#[test]
fn case_19_the_hour_of_the_switch_is_a_difference_of_the_day_it_falls_on() {
    let clock = compile(&every_day(WARSAW, "00:00-24:00"));
    let shut = compile(&every_day(WARSAW, "03:00-24:00"));
    let zone = Zone::find(WARSAW).unwrap();
    let span = (at(WARSAW, "2026-10-24 00:00"), at(WARSAW, "2026-10-27 00:00"));
    let days = (date(2026, 10, 24), date(2026, 10, 27));
    let (a, b) = (open(&clock, span.0, span.1), open(&shut, span.0, span.1));
    let found = compare_by_day(&zone, &a, &b, days).unwrap();
    let lost: Vec<i64> = found.iter().map(|day| day.lost_us / HOUR).collect();
    assert_eq!(lost, [3, 4, 3], "02:00 to 03:00 comes twice on the 25th");
}

#[test]
fn case_20_slots_are_found_among_instants_and_move_with_the_switch() {
    let dublin = compile(&weekdays(DUBLIN, "09:00-17:30"));
    let chennai = compile(&weekdays("Asia/Kolkata", "09:00-18:00"));
    let best = |day: &str| {
        let start = at(DUBLIN, &format!("{day} 00:00"));
        let span = (start, start + 24 * HOUR);
        let open = [open(&dublin, span.0, span.1), open(&chennai, span.0, span.1)];
        let slots = meeting_slots(&open, HOUR, 15 * MINUTE, &[span]);
        let free = slots.iter().filter(|slot| slot.burden_us() == 0).count();
        (slots[0].start_us, free)
    };
    assert_eq!(best("2026-10-22"), (at(DUBLIN, "2026-10-22 09:00"), 15), "09:00 to 13:30");
    assert_eq!(best("2026-10-29"), (at(DUBLIN, "2026-10-29 09:00"), 11), "09:00 to 12:30");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_comparison_agrees_with_a_walk_minute_by_minute(
        windows in prop::collection::vec((0_u16..1439, 1_u16..1441), 2),
        zone in prop::sample::select(vec![WARSAW, MANILA, "America/Mexico_City", "Australia/Lord_Howe"]),
        month in 3_i8..5,
    ) {
        let text = |(opens, closes): (u16, u16)| {
            format!("{:02}:{:02}-{:02}:{:02}", opens / 60, opens % 60, closes / 60, closes % 60)
        };
        let (a, b) = (compile(&every_day(zone, &text(windows[0]))), compile(&every_day(zone, &text(windows[1]))));
        let (first, after) = (date(2026, month, 25), date(2026, month + 1, 9));
        let start = |day: jiff::civil::Date| resolve_local(zone, day.at(0, 0, 0, 0), Fold::Refuse).unwrap();
        let span = (start(first), start(after));
        let found = compare_by_day(
            &Zone::find(zone).unwrap(), &open(&a, span.0, span.1), &open(&b, span.0, span.1), (first, after),
        ).unwrap();
        let place = Zone::find(zone).unwrap();
        let mut walked = std::collections::BTreeMap::<_, (i64, i64)>::new();
        let mut at = span.0;
        while at < span.1 {
            let (in_a, in_b) = (a.is_open(at).unwrap(), b.is_open(at).unwrap());
            let day = walked.entry(place.date(at).unwrap()).or_default();
            day.0 += i64::from(in_b && !in_a) * MINUTE;
            day.1 += i64::from(in_a && !in_b) * MINUTE;
            at += MINUTE;
        }
        let walked: Vec<DayDifference> = walked.into_iter()
            .filter(|(_, day)| *day != (0, 0))
            .map(|(date, (gained_us, lost_us))| DayDifference { date, gained_us, lost_us })
            .collect();
        prop_assert_eq!(found, walked);
    }
}
