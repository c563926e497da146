//! Local times to instants.

use backstay_calendar::{Fold, LocalTimeError, Zone, resolve_local, tzdb_version};
use jiff::civil::{DateTime, date};

use crate::support::{HOUR, MINUTE};

fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

#[test]
fn case_28_an_ambiguous_local_time_is_refused_or_resolved_by_the_rule_that_was_asked_for() {
    let twice = local("2026-10-25 02:30");
    let earlier = resolve_local("Europe/Warsaw", twice, Fold::Earlier).unwrap();
    let later = resolve_local("Europe/Warsaw", twice, Fold::Later).unwrap();
    assert_eq!(earlier, 1_792_888_200 * 1_000_000, "00:30 UTC");
    assert_eq!(later - earlier, HOUR);
    let refused = resolve_local("Europe/Warsaw", twice, Fold::Refuse).unwrap_err();
    let LocalTimeError::Ambiguous { earlier_us, later_us, .. } = &refused else {
        panic!("{refused}")
    };
    assert_eq!((*earlier_us, *later_us), (earlier, later));
    assert!(
        refused.to_string().contains("`2026-10-25T02:30:00` happened twice in `Europe/Warsaw`")
    );
}

#[test]
fn case_28_a_skipped_local_time_is_refused_whatever_the_fold() {
    for fold in [Fold::Refuse, Fold::Earlier, Fold::Later] {
        let refused = resolve_local("Europe/Warsaw", local("2026-03-29 02:30"), fold).unwrap_err();
        let LocalTimeError::Skipped { switch_us, .. } = refused else { panic!("{refused}") };
        assert_eq!(switch_us, 1_774_746_000 * 1_000_000, "01:00 UTC");
    }
}

#[test]
fn case_28_a_switch_of_half_an_hour_is_no_exception() {
    let lord_howe = Zone::find("Australia/Lord_Howe").unwrap();
    let twice = local("2026-04-05 01:45");
    let earlier = lord_howe.resolve(twice, Fold::Earlier).unwrap();
    assert_eq!(lord_howe.resolve(twice, Fold::Later).unwrap() - earlier, 30 * MINUTE);
    assert!(lord_howe.resolve(local("2026-04-05 02:00"), Fold::Refuse).is_ok());
    assert!(matches!(
        lord_howe.resolve(local("2026-10-04 02:15"), Fold::Later),
        Err(LocalTimeError::Skipped { .. })
    ));
}

#[test]
fn case_28_a_whole_skipped_day_is_refused_and_its_edges_fall_on_the_switch() {
    let apia = Zone::find("Pacific/Apia").unwrap();
    assert!(matches!(
        apia.resolve(local("2011-12-30 12:00"), Fold::Earlier),
        Err(LocalTimeError::Skipped { .. })
    ));
    let switch = apia.day_start_us(date(2011, 12, 31)).unwrap();
    assert_eq!(apia.day_start_us(date(2011, 12, 30)).unwrap(), switch);
    assert_eq!(apia.first_instant_us(local("2011-12-30 23:59")).unwrap(), switch);
    assert_eq!(apia.date(switch - 1), Some(date(2011, 12, 29)));
    assert_eq!(apia.date(switch), Some(date(2011, 12, 31)));
}

#[test]
fn the_first_instant_of_an_edge_is_the_switch_or_the_first_pass() {
    let warsaw = Zone::find("Europe/Warsaw").unwrap();
    let first = |text: &str| warsaw.first_instant_us(local(text)).unwrap();
    assert_eq!(first("2026-03-29 02:00"), first("2026-03-29 03:00"));
    assert_eq!(first("2026-03-29 02:59"), first("2026-03-29 03:00"));
    assert_eq!(first("2026-10-25 03:00") - first("2026-10-25 02:00"), 2 * HOUR);
}

#[test]
fn a_day_starts_at_the_switch_where_midnight_is_skipped() {
    let santiago = Zone::find("America/Santiago").unwrap();
    let day = santiago.day_start_us(date(2026, 9, 6)).unwrap();
    assert_eq!(santiago.local(day), Some(local("2026-09-06 01:00")));
    assert_eq!(santiago.offset_seconds(day), Some(-3 * 3600));
    assert_eq!(santiago.offset_seconds(day - 1), Some(-4 * 3600));
}

#[test]
fn instants_below_a_microsecond_and_before_1970_are_cut_downwards() {
    let resolve = |text: &str| resolve_local("UTC", local(text), Fold::Refuse).unwrap();
    assert_eq!(resolve("1969-12-31 23:59:59.9999995"), -1);
    assert_eq!(resolve("1970-01-01 00:00:00.0000009"), 0);
    assert_eq!(resolve("1970-01-01 00:00:01"), 1_000_000);
}

#[test]
fn an_unknown_zone_is_named_and_the_likely_one_offered() {
    for (written, offered) in [
        ("Manila", "`Asia/Manila`"),
        ("America/Mexico City", "`America/Mexico_City`"),
        ("Asia/Dublin", "`Europe/Dublin`"),
        ("India Standard Time", "use an IANA name"),
        ("Etc/Unknown", "use an IANA name"),
        ("", "use an IANA name"),
    ] {
        let error = Zone::find(written).unwrap_err().to_string();
        assert!(error.starts_with(&format!("unknown time zone `{written}`")), "{error}");
        assert!(error.contains(offered), "{error}");
    }
    let error = resolve_local("Nowhere", local("2026-01-01 00:00"), Fold::Earlier).unwrap_err();
    assert!(matches!(error, LocalTimeError::UnknownZone(_)), "{error}");
}

#[test]
fn a_zone_is_found_in_any_case_and_named_as_the_database_spells_it() {
    assert_eq!(Zone::find("asia/MANILA").unwrap().name(), "Asia/Manila");
}

#[test]
fn a_local_time_beyond_all_instants_is_out_of_range() {
    let error = resolve_local("Asia/Manila", DateTime::MIN, Fold::Refuse).unwrap_err();
    assert!(matches!(error, LocalTimeError::OutOfRange { .. }), "{error}");
}

#[test]
fn the_tz_database_names_its_release() {
    let version = tzdb_version();
    assert!(version.len() == 5 && version.starts_with("20"), "{version}");
}
