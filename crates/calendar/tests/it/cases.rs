//! The working-time cases that others got wrong, as far as a calendar alone can show them, and what
//! a calendar refuses. 2026 begins on a Thursday; 12 June is a Friday.

use backstay_calendar::{
    Calendar, CalendarError, CalendarSpec, CoverGap, Holiday, HolidayKind, NightShift, WindowHint,
    overlap, uncovered_spans,
};
use jiff::civil::date;

use crate::support::{
    HOUR, MINUTE, SECOND, at, compile, every_day, off, weekdays, windows, worked,
};

const WARSAW: &str = "Europe/Warsaw";
const MANILA: &str = "Asia/Manila";
const KOLKATA: &str = "Asia/Kolkata";

#[test]
fn case_01_a_pause_over_a_weekend_is_counted_in_working_time_like_the_deadline() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let opened = at(WARSAW, "2026-03-06 10:00");
    let deadline = office.add_working_us(opened, 8 * HOUR).unwrap();
    assert_eq!(deadline, at(WARSAW, "2026-03-09 10:00"));
    let (held, resumed) = (at(WARSAW, "2026-03-06 16:00"), at(WARSAW, "2026-03-09 10:00"));
    let pause = office.working_us(held, resumed).unwrap();
    assert_eq!(pause, 2 * HOUR, "not the 66 hours of the wall clock");
    assert_eq!(office.add_working_us(deadline, pause).unwrap(), at(WARSAW, "2026-03-09 12:00"));
}

#[test]
fn case_02_a_case_created_outside_hours_has_worked_nothing_until_they_open_and_keeps_its_instant() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let created = at(WARSAW, "2026-03-07 22:13");
    let opening = at(WARSAW, "2026-03-09 09:00");
    assert_eq!(office.working_us(created, opening), Ok(0));
    assert_eq!(office.working_us(created, opening + SECOND), Ok(SECOND));
    assert_eq!(office.next_open(created), Ok(opening));
    assert_eq!(office.add_working_us(created, 0), Ok(created));
    assert_eq!(office.add_working_us(created, HOUR), Ok(at(WARSAW, "2026-03-09 10:00")));
}

#[test]
fn case_03_a_first_touch_outside_hours_takes_no_working_time() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let (created, touched) = (at(WARSAW, "2026-03-06 18:00"), at(WARSAW, "2026-03-08 11:07"));
    assert_eq!(office.working_us(created, touched), Ok(0));
    assert_eq!(office.is_open(touched), Ok(false));
}

#[test]
fn case_04_a_warning_comes_the_working_time_before_the_deadline_and_not_at_creation() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let created = at(WARSAW, "2026-03-05 15:00");
    let deadline = office.add_working_us(created, 20 * HOUR).unwrap();
    assert_eq!(deadline, at(WARSAW, "2026-03-10 11:00"));
    let warning = office.subtract_working_us(deadline, 4 * HOUR).unwrap();
    assert_eq!(warning, at(WARSAW, "2026-03-09 15:00"));
    assert!(warning > created);
    let at_opening = office.subtract_working_us(deadline, 2 * HOUR).unwrap();
    assert_eq!(
        at_opening,
        at(WARSAW, "2026-03-10 09:00"),
        "the opening, not the close of the day before"
    );
}

#[test]
fn case_05_segments_add_up_to_the_whole_wherever_they_are_cut() {
    let office = compile(&weekdays(WARSAW, "09:00-13:00 14:00-17:00"));
    let cuts = [
        "2026-03-26 08:00",
        "2026-03-26 13:30",
        "2026-03-27 16:59:59.5",
        "2026-03-29 04:00",
        "2026-03-30 17:00",
        "2026-04-01 10:00",
    ];
    let instants = cuts.map(|cut| at(WARSAW, cut));
    let parts: i64 =
        instants.windows(2).map(|cut| office.working_us(cut[0], cut[1]).unwrap()).sum();
    assert_eq!(parts, office.working_us(instants[0], instants[5]).unwrap());
    assert_eq!(
        parts,
        4 * 7 * HOUR + HOUR,
        "Thursday, Friday, Monday, Tuesday, and an hour of Wednesday"
    );
}

#[test]
fn case_07_an_observance_in_the_feed_is_worked_and_an_agreed_kind_is_not() {
    let mut spec = weekdays(MANILA, "09:00-17:00");
    let day = (at(MANILA, "2026-06-12 00:00"), at(MANILA, "2026-06-13 00:00"));
    for (kind, hours) in [
        (HolidayKind::Observance, 8),
        (HolidayKind::Optional, 8),
        (HolidayKind::Bank, 8),
        (HolidayKind::Public, 0),
        (HolidayKind::SpecialNonWorking, 0),
        (HolidayKind::Override, 0),
    ] {
        spec.holidays = vec![Holiday::closed(date(2026, 6, 12), kind)];
        assert_eq!(compile(&spec).working_us(day.0, day.1), Ok(hours * HOUR), "{kind}");
    }
    spec.agreed_kinds = vec![HolidayKind::Bank];
    spec.holidays = vec![Holiday::closed(date(2026, 6, 12), HolidayKind::Bank)];
    assert_eq!(compile(&spec).working_us(day.0, day.1), Ok(0), "what the parties agreed to");
    spec.holidays = vec![Holiday::closed(date(2026, 6, 12), HolidayKind::Public)];
    assert_eq!(compile(&spec).working_us(day.0, day.1), Ok(8 * HOUR), "and nothing else");
}

#[test]
fn case_08_round_the_clock_is_exact_and_23_59_loses_a_minute_a_day_with_a_hint() {
    let week = (at(KOLKATA, "2026-03-02 00:00"), at(KOLKATA, "2026-03-09 00:00"));
    let exact = compile(&every_day(KOLKATA, "00:00-24:00"));
    assert_eq!(exact.working_us(week.0, week.1), Ok(7 * 24 * HOUR));
    assert_eq!(
        exact.spans(week.0, week.1).unwrap().collect::<Vec<_>>(),
        [week],
        "one span, no seams"
    );
    let literal = compile(&every_day(KOLKATA, "00:00-23:59"));
    assert_eq!(literal.working_us(week.0, week.1), Ok(7 * 24 * HOUR - 7 * MINUTE));
    assert_eq!(windows("00:00-23:59")[0].hint(), Some(WindowHint::LosesLastMinute));
}

#[test]
fn case_11_an_escalation_due_at_night_moves_to_the_receivers_opening() {
    let receiver = compile(&weekdays(MANILA, "08:00-17:00"));
    assert_eq!(
        receiver.next_open(at(MANILA, "2026-03-07 00:00")),
        Ok(at(MANILA, "2026-03-09 08:00"))
    );
    assert_eq!(
        receiver.next_open(at(MANILA, "2026-03-06 17:00")),
        Ok(at(MANILA, "2026-03-09 08:00"))
    );
    let inside = at(MANILA, "2026-03-09 11:11");
    assert_eq!(receiver.next_open(inside), Ok(inside));
}

#[test]
fn case_12_time_on_hold_extends_the_remaining_working_time() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let (created, held) = (at(WARSAW, "2026-03-05 10:00"), at(WARSAW, "2026-03-05 12:00"));
    let resumed = at(WARSAW, "2026-03-10 09:30");
    let remaining = 8 * HOUR - office.working_us(created, held).unwrap();
    assert_eq!(office.add_working_us(resumed, remaining), Ok(at(WARSAW, "2026-03-10 15:30")));
    let pause = office.working_us(held, resumed).unwrap();
    let extended = office.add_working_us(office.add_working_us(created, 8 * HOUR).unwrap(), pause);
    assert_eq!(extended, Ok(at(WARSAW, "2026-03-10 15:30")), "the same either way");
}

#[test]
fn case_13_a_holiday_that_becomes_known_moves_the_deadline_of_an_open_case() {
    let mut spec = weekdays(MANILA, "09:00-17:00");
    let opened = at(MANILA, "2026-06-11 15:00");
    assert_eq!(compile(&spec).add_working_us(opened, 4 * HOUR), Ok(at(MANILA, "2026-06-12 11:00")));
    off(&mut spec, date(2026, 6, 12), HolidayKind::SpecialNonWorking);
    assert_eq!(compile(&spec).add_working_us(opened, 4 * HOUR), Ok(at(MANILA, "2026-06-15 11:00")));
}

#[test]
fn case_14_a_deadline_is_an_instant_and_the_same_wherever_it_is_read() {
    let guadalajara = compile(&weekdays("America/Mexico_City", "09:00-17:00"));
    let created = at(WARSAW, "2026-03-05 21:00");
    assert_eq!(created, at("America/Mexico_City", "2026-03-05 14:00"));
    let deadline = guadalajara.add_working_us(created, 2 * HOUR).unwrap();
    assert_eq!(deadline, at("America/Mexico_City", "2026-03-05 16:00"));
    assert_eq!(deadline, at(WARSAW, "2026-03-05 23:00"));
    assert_eq!(guadalajara.working_us(created, created), Ok(0), "not breached at birth");
}

#[test]
fn case_15_a_hold_over_a_holiday_pauses_and_the_holiday_counts_for_nobody() {
    let mut spec = weekdays(WARSAW, "09:00-17:00");
    off(&mut spec, date(2026, 5, 1), HolidayKind::Public);
    let office = compile(&spec);
    let (held, resumed) = (at(WARSAW, "2026-04-30 16:00"), at(WARSAW, "2026-05-04 10:00"));
    assert_eq!(
        office.working_us(held, resumed),
        Ok(2 * HOUR),
        "Thursday's last hour and Monday's first"
    );
    let friday = (at(WARSAW, "2026-05-01 00:00"), at(WARSAW, "2026-05-02 00:00"));
    assert_eq!(office.working_us(friday.0, friday.1), Ok(0));
}

#[test]
fn case_16_no_windows_and_no_cover_are_gaps_and_never_round_the_clock() {
    let nothing = CalendarSpec::new(WARSAW, date(2026, 1, 1), date(2027, 1, 1));
    assert_eq!(Calendar::compile(&nothing), Err(CalendarError::NoWindows));
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let (first, last) = (at(WARSAW, "2026-01-01 00:00"), at(WARSAW, "2027-01-01 00:00"));
    assert_eq!(office.cover(), (first, last));
    assert!(office.covers(first, last) && office.working_us(first, last).is_ok());
    for (start, end) in [(first - 1, first), (first - 1, last), (last, last + 1), (first, last + 1)]
    {
        assert!(!office.covers(start, end));
        assert!(matches!(office.working_us(start, end), Err(CoverGap::OutsideCover { .. })));
        assert!(matches!(
            office.spans(start, end).map(Iterator::count),
            Err(CoverGap::OutsideCover { .. })
        ));
    }
    assert!(matches!(office.is_open(last), Err(CoverGap::OutsideCover { .. })));
    assert!(matches!(office.next_open(last), Err(CoverGap::OutsideCover { .. })));
    assert!(matches!(office.next_open(last - HOUR), Err(CoverGap::NotOpenAgain { .. })));
    assert!(matches!(office.add_working_us(last - HOUR, 1), Err(CoverGap::RunsOut { .. })));
    assert!(matches!(office.add_working_us(first - 1, 0), Err(CoverGap::OutsideCover { .. })));
    assert!(matches!(office.subtract_working_us(first + HOUR, 1), Err(CoverGap::RunsOut { .. })));
    assert_eq!(overlap(&[], first, last), Err(CoverGap::NoCalendar));
}

#[test]
fn case_17_a_case_handed_over_follows_the_clock_of_the_site_that_holds_it() {
    let krakow = compile(&weekdays(WARSAW, "09:00-17:00"));
    let manila = compile(&weekdays(MANILA, "09:00-17:00"));
    let opened = at(WARSAW, "2026-03-05 15:00");
    let handed = at(WARSAW, "2026-03-05 16:30");
    let solved = at(MANILA, "2026-03-06 09:20");
    assert_eq!(handed, at(MANILA, "2026-03-05 23:30"), "long after Manila's hours");
    assert_eq!(krakow.working_us(opened, handed), Ok(90 * MINUTE));
    assert_eq!(manila.working_us(handed, solved), Ok(20 * MINUTE), "the night is not Manila's");
}

#[test]
fn case_18_each_site_has_its_own_hours_and_holidays() {
    let mut philippines = weekdays(MANILA, "09:00-17:00");
    off(&mut philippines, date(2026, 6, 12), HolidayKind::Public);
    let india = weekdays(KOLKATA, "09:00-17:00");
    let day = (at(MANILA, "2026-06-12 06:00"), at(MANILA, "2026-06-12 23:00"));
    assert_eq!(compile(&philippines).working_us(day.0, day.1), Ok(0));
    assert_eq!(compile(&india).working_us(day.0, day.1), Ok(8 * HOUR));
}

#[test]
fn case_19_days_of_23_and_25_hours_are_exact_and_windows_keep_the_wall_clock() {
    let office = compile(&every_day(WARSAW, "09:00-17:00"));
    let clock = compile(&every_day(WARSAW, "00:00-24:00"));
    let night = compile(&every_day(WARSAW, "22:00-06:00"));
    for (eve, day, next, hours) in [
        ("2026-03-28", "2026-03-29", "2026-03-30", 23),
        ("2026-10-24", "2026-10-25", "2026-10-26", 25),
    ] {
        let midnight = |day: &str| at(WARSAW, &format!("{day} 00:00"));
        assert_eq!(clock.working_us(midnight(day), midnight(next)), Ok(hours * HOUR));
        assert_eq!(office.working_us(midnight(day), midnight(next)), Ok(8 * HOUR));
        assert_eq!(office.next_open(midnight(day)), Ok(at(WARSAW, &format!("{day} 09:00"))));
        let shift = (at(WARSAW, &format!("{eve} 22:00")), at(WARSAW, &format!("{day} 06:00")));
        assert_eq!(
            night.working_us(shift.0, shift.1),
            Ok((hours - 16) * HOUR),
            "a shift of 7 or 9 hours"
        );
        let two_days = office.working_us(midnight(eve), midnight(next));
        assert_eq!(two_days, Ok(16 * HOUR));
    }
}

#[test]
fn case_19_an_edge_in_a_skipped_hour_is_the_switch_and_in_a_repeated_hour_its_first_pass() {
    let morning = compile(&every_day(WARSAW, "02:30-06:00"));
    let early = compile(&every_day(WARSAW, "01:00-02:30"));
    let spring = (at(WARSAW, "2026-03-29 00:00"), at(WARSAW, "2026-03-29 12:00"));
    assert_eq!(morning.working_us(spring.0, spring.1), Ok(3 * HOUR), "opens at 03:00, the switch");
    assert_eq!(early.working_us(spring.0, spring.1), Ok(HOUR), "closes at the switch");
    let inside = compile(&every_day(WARSAW, "02:10-02:50"));
    assert_eq!(inside.working_us(spring.0, spring.1), Ok(0), "a window wholly in the skipped hour");
    let autumn = (at(WARSAW, "2026-10-25 00:00"), at(WARSAW, "2026-10-25 12:00"));
    assert_eq!(morning.working_us(autumn.0, autumn.1), Ok(270 * MINUTE), "both passes of the hour");
    assert_eq!(early.working_us(autumn.0, autumn.1), Ok(90 * MINUTE), "closes at the first 02:30");
    let seam = compile(&every_day(WARSAW, "00:00-02:30 02:30-24:00"));
    assert_eq!(
        seam.working_us(autumn.0, autumn.0 + 25 * HOUR),
        Ok(25 * HOUR),
        "no hole, nothing twice"
    );
}

#[test]
fn case_20_windows_of_two_zones_meet_only_as_instants() {
    let krakow = compile(&weekdays(WARSAW, "09:00-17:00"));
    let chennai = compile(&weekdays(KOLKATA, "13:00-22:00"));
    let winter = (at(WARSAW, "2026-03-27 00:00"), at(WARSAW, "2026-03-28 00:00"));
    let shared = overlap(&[&krakow, &chennai], winter.0, winter.1).unwrap();
    assert_eq!(shared, [(at(WARSAW, "2026-03-27 09:00"), at(WARSAW, "2026-03-27 17:00"))]);
    let summer = (at(WARSAW, "2026-03-30 00:00"), at(WARSAW, "2026-03-31 00:00"));
    let shared = overlap(&[&chennai, &krakow], summer.0, summer.1).unwrap();
    assert_eq!(shared, [(at(KOLKATA, "2026-03-30 13:00"), at(WARSAW, "2026-03-30 17:00"))]);
    assert_eq!(shared[0].1 - shared[0].0, 450 * MINUTE, "half an hour less than in winter");
}

#[test]
fn case_20_the_same_wall_clock_hours_of_two_zones_need_not_overlap_at_all() {
    let manila = compile(&weekdays(MANILA, "09:00-17:00"));
    let mexico = compile(&weekdays("America/Mexico_City", "09:00-17:00"));
    let week = (at(MANILA, "2026-03-02 00:00"), at(MANILA, "2026-03-07 00:00"));
    assert_eq!(overlap(&[&manila, &mexico], week.0, week.1), Ok(vec![]));
    let open: Vec<_> = manila.spans(week.0, week.1).unwrap().collect();
    let promised = [(at(MANILA, "2026-03-02 08:00"), at(MANILA, "2026-03-02 18:00"))];
    let holes = uncovered_spans(&promised, &open);
    assert_eq!(
        holes,
        [(promised[0].0, promised[0].0 + HOUR), (promised[0].1 - HOUR, promised[0].1)]
    );
}

#[test]
fn case_21_an_override_belongs_to_the_civil_date_of_the_site_to_the_microsecond() {
    for zone in ["Pacific/Auckland", "Asia/Manila", "America/Mexico_City", "Pacific/Honolulu"] {
        let mut spec = every_day(zone, "00:00-24:00");
        off(&mut spec, date(2026, 6, 12), HolidayKind::Override);
        let calendar = compile(&spec);
        let (first, last) = (at(zone, "2026-06-12 00:00"), at(zone, "2026-06-13 00:00"));
        assert_eq!(calendar.is_open(first - 1), Ok(true), "{zone}");
        assert_eq!(calendar.is_open(first), Ok(false), "{zone}");
        assert_eq!(calendar.is_open(last - 1), Ok(false), "{zone}");
        assert_eq!(calendar.is_open(last), Ok(true), "{zone}");
        assert_eq!(calendar.zone().date(first), Some(date(2026, 6, 12)), "{zone}");
    }
}

#[test]
fn case_22_a_special_working_day_is_worked_and_a_special_non_working_day_is_not() {
    let mut spec = weekdays(MANILA, "09:00-17:00");
    off(&mut spec, date(2026, 2, 25), HolidayKind::SpecialWorking);
    off(&mut spec, date(2026, 11, 2), HolidayKind::SpecialNonWorking);
    worked(&mut spec, date(2026, 6, 13), HolidayKind::SpecialWorking, "08:00-12:00");
    let calendar = compile(&spec);
    let day = |day: &str| {
        let start = at(MANILA, &format!("{day} 00:00"));
        calendar.working_us(start, start + 24 * HOUR).unwrap()
    };
    assert_eq!(day("2026-02-25"), 8 * HOUR);
    assert_eq!(day("2026-11-02"), 0);
    assert_eq!(day("2026-06-13"), 4 * HOUR, "a Saturday proclaimed a working day, with its hours");
    let kinds: Vec<_> = calendar.deciding_holidays().iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [HolidayKind::SpecialWorking, HolidayKind::SpecialNonWorking]);
}

#[test]
fn case_23_a_holiday_on_a_sunday_makes_no_monday_free_and_names_its_source() {
    let mut spec = weekdays(KOLKATA, "09:00-17:00");
    spec.holidays.push(Holiday {
        date: date(2026, 11, 8),
        kind: HolidayKind::Public,
        windows: None,
        name: "Deepavali".to_owned(),
        place: "IN-TN".to_owned(),
        source: "state gazette".to_owned(),
    });
    let calendar = compile(&spec);
    let monday = at(KOLKATA, "2026-11-09 00:00");
    assert_eq!(calendar.working_us(monday, monday + 24 * HOUR), Ok(8 * HOUR));
    let row = &calendar.deciding_holidays()[0];
    assert_eq!((row.place.as_str(), row.source.as_str()), ("IN-TN", "state gazette"));
}

#[test]
fn case_26_two_knowledges_of_one_calendar_answer_side_by_side_and_differ_by_minutes() {
    let mut spec = weekdays(MANILA, "09:00-17:00");
    let before = compile(&spec);
    worked(&mut spec, date(2026, 6, 12), HolidayKind::Override, "09:00-12:30");
    let after = compile(&spec);
    let case = (at(MANILA, "2026-06-11 16:00"), at(MANILA, "2026-06-15 10:00"));
    let (old, new) =
        (before.working_us(case.0, case.1).unwrap(), after.working_us(case.0, case.1).unwrap());
    assert_eq!((old, new), (10 * HOUR, 330 * MINUTE));
    assert_eq!((old - new) / MINUTE, 270);
}

#[test]
fn case_29_a_night_shift_on_the_eve_of_a_holiday_belongs_to_the_day_it_starts() {
    let mut spec = weekdays(MANILA, "22:00-06:00");
    off(&mut spec, date(2026, 6, 12), HolidayKind::Public);
    let eve = (at(MANILA, "2026-06-11 12:00"), at(MANILA, "2026-06-12 12:00"));
    let holiday = (at(MANILA, "2026-06-12 12:00"), at(MANILA, "2026-06-13 12:00"));
    let whole = compile(&spec);
    assert_eq!(whole.working_us(eve.0, eve.1), Ok(8 * HOUR), "worked into the holiday");
    assert_eq!(whole.working_us(holiday.0, holiday.1), Ok(0), "not begun on the holiday");
    spec.night_shift = NightShift::Split;
    let split = compile(&spec);
    assert_eq!(split.working_us(eve.0, eve.1), Ok(2 * HOUR), "to midnight");
    assert_eq!(
        split.working_us(holiday.0, holiday.1),
        Ok(6 * HOUR),
        "Saturday's part stands on Saturday"
    );
}

#[test]
fn case_29_the_night_shift_of_friday_reaches_into_the_closed_saturday_under_either_rule() {
    for rule in [NightShift::StartDay, NightShift::Split] {
        let mut spec = weekdays(MANILA, "22:00-06:00");
        spec.night_shift = rule;
        let calendar = compile(&spec);
        let friday = at(MANILA, "2026-03-06 22:00");
        assert_eq!(calendar.working_us(friday, friday + 48 * HOUR), Ok(8 * HOUR), "{rule}");
        assert_eq!(rule.as_str().parse(), Ok(rule));
    }
}

#[test]
fn case_29_a_split_tail_of_a_holiday_row_stands_unless_the_next_date_is_decided_too() {
    let mut spec = weekdays(MANILA, "09:00-17:00");
    spec.night_shift = NightShift::Split;
    worked(&mut spec, date(2026, 6, 10), HolidayKind::Override, "20:00-04:00");
    let (start, end) = (at(MANILA, "2026-06-10 12:00"), at(MANILA, "2026-06-11 08:00"));
    assert_eq!(compile(&spec).working_us(start, end), Ok(8 * HOUR));
    off(&mut spec, date(2026, 6, 11), HolidayKind::Public);
    assert_eq!(compile(&spec).working_us(start, end), Ok(4 * HOUR));
}

#[test]
fn cover_begins_after_a_shift_of_the_unknown_day_before() {
    let mut spec = every_day(MANILA, "22:00-06:00");
    let calendar = compile(&spec);
    assert_eq!(calendar.cover().0, at(MANILA, "2026-01-01 06:00"));
    let midnight = at(MANILA, "2026-01-01 00:00");
    assert!(matches!(
        calendar.working_us(midnight, midnight + HOUR),
        Err(CoverGap::OutsideCover { .. })
    ));
    assert_eq!(
        calendar.cover().1,
        at(MANILA, "2027-01-01 00:00"),
        "the last shift is known to midnight"
    );
    spec.night_shift = NightShift::Split;
    let split = compile(&spec);
    assert_eq!(split.cover().0, midnight, "split parts depend on their own date only");
    assert_eq!(split.working_us(midnight, midnight + 8 * HOUR), Ok(6 * HOUR));
}

#[test]
fn a_night_shift_into_a_day_that_the_zone_skipped_ends_on_the_next_real_morning() {
    let mut spec = CalendarSpec::new("Pacific/Apia", date(2011, 12, 26), date(2012, 1, 2));
    spec.week = std::array::from_fn(|_| windows("22:00-06:00"));
    let calendar = compile(&spec);
    let shift = (at("Pacific/Apia", "2011-12-29 12:00"), at("Pacific/Apia", "2011-12-31 12:00"));
    assert_eq!(calendar.working_us(shift.0, shift.1), Ok(8 * HOUR), "one shift, 29th to 31st");
    assert_eq!(shift.1 - shift.0, 24 * HOUR);
    for (weekday, hours) in [(3, 8), (4, 0)] {
        spec.week = Default::default();
        spec.week[weekday] = windows("22:00-06:00");
        assert_eq!(
            compile(&spec).working_us(shift.0, shift.1),
            Ok(hours * HOUR),
            "there was no Friday"
        );
    }
}

#[test]
fn a_question_the_wrong_way_round_is_refused() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let noon = at(WARSAW, "2026-03-05 12:00");
    let reversed = CoverGap::Reversed { start_us: noon, end_us: noon - 1 };
    assert_eq!(office.working_us(noon, noon - 1), Err(reversed));
    assert_eq!(office.spans(noon, noon - 1).map(Iterator::count), Err(reversed));
    let negative = CoverGap::NegativeWork { work_us: -1 };
    assert_eq!(office.add_working_us(noon, -1), Err(negative));
    assert_eq!(office.subtract_working_us(noon, -1), Err(negative));
    assert!(
        reversed
            .to_string()
            .contains("`2026-03-05T10:59:59.999999Z`, before its start `2026-03-05T11:00:00Z`")
    );
}

#[test]
fn a_batch_answers_like_single_questions_and_poisons_rows_without_an_answer() {
    let office = compile(&weekdays(WARSAW, "09:00-17:00"));
    let (first, last) = office.cover();
    let starts = [first - 1, first, first + 9 * HOUR, first + 40 * HOUR, last];
    let ends = [first, last, first, first + 50 * HOUR, last + 1];
    let mut out = [0; 5];
    let gaps = office.working_us_sorted(&starts, &ends, &mut out).unwrap();
    assert_eq!(gaps.iter().map(|gap| gap.row).collect::<Vec<_>>(), [0, 2, 4]);
    for row in 0..5 {
        match office.working_us(starts[row], ends[row]) {
            Ok(worked) => assert_eq!(out[row], worked),
            Err(gap) => {
                assert_eq!(out[row], Calendar::NO_ANSWER_US);
                assert!(gaps.iter().any(|found| found.row == row && found.gap == gap));
            }
        }
    }
    assert!(office.working_us_sorted(&starts, &ends[1..], &mut out).is_err());
    let gaps = office.worked_before_us_sorted(&starts, &mut out).unwrap();
    assert_eq!(gaps.iter().map(|gap| gap.row).collect::<Vec<_>>(), [0]);
    assert_eq!(out[4], office.working_us(first, last).unwrap());
}

#[test]
fn terms_that_contradict_themselves_are_refused_with_what_to_do() {
    let compile = |change: &dyn Fn(&mut CalendarSpec)| {
        let mut spec = weekdays(WARSAW, "09:00-17:00");
        change(&mut spec);
        Calendar::compile(&spec).map(|_| ()).unwrap_err().to_string()
    };
    let both = |first: &str, second: &str| [windows(first), windows(second)].concat();
    for (error, parts) in [
        (compile(&|spec| spec.zone = "Warsaw".to_owned()), vec!["`Warsaw`", "`Europe/Warsaw`"]),
        (
            compile(&|spec| spec.covered_until = spec.covered_from),
            vec!["`2026-01-01`", "covered_until"],
        ),
        (compile(&|spec| spec.covered_until = date(2190, 1, 1)), vec!["59900 days"]),
        (
            compile(&|spec| spec.week[1] = both("09:00-13:00", "12:00-14:00")),
            vec!["tuesday", "`12:00-14:00`"],
        ),
        (
            compile(&|spec| {
                let windows = Some(both("22:00-06:00", "23:00-24:00"));
                let row = Holiday::closed(date(2026, 6, 12), HolidayKind::Public);
                spec.holidays.push(Holiday { windows, ..row });
            }),
            vec!["2026-06-12", "`23:00-24:00`"],
        ),
        (
            compile(&|spec| {
                off(spec, date(2026, 6, 12), HolidayKind::Override);
                worked(spec, date(2026, 6, 12), HolidayKind::Override, "09:00-12:00");
            }),
            vec!["`2026-06-12`", "`09:00-12:00`", "retract one"],
        ),
        (
            compile(&|spec| {
                spec.covered_from = jiff::civil::Date::MIN;
                spec.covered_until = date(-9998, 1, 1);
            }),
            vec!["out of range"],
        ),
    ] {
        for part in parts {
            assert!(error.contains(part), "{error} should contain {part}");
        }
    }
}

#[test]
fn a_quarrel_of_overrides_outside_cover_harms_nobody() {
    let mut spec = weekdays(WARSAW, "09:00-17:00");
    off(&mut spec, date(2027, 6, 11), HolidayKind::Override);
    worked(&mut spec, date(2027, 6, 11), HolidayKind::Override, "09:00-12:00");
    assert!(Calendar::compile(&spec).is_ok());
}
