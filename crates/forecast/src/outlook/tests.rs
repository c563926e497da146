//! What a forecast says of cases whose chances can be worked out with a pencil. Tests only.

use super::*;

const WEEKS: [Week; 12] = [Week { met: 80, missed: 20 }; 12];

/// A hundred cases, of which eighty ended evenly by 80 of 100 hours and the rest later.
fn lives() -> Vec<Life> {
    (1..=100).map(|length| Life { length, ended: true }).collect()
}

fn question<'a>(lives: &'a [Life], open: &'a [OpenCase], intake: &'a [Intake]) -> Question<'a> {
    Question {
        weeks: &WEEKS,
        carried: &[],
        lives,
        pauses: &[],
        threshold: 80,
        counts_by: CountsBy::Due,
        met: 0,
        missed: 0,
        open,
        intake,
        came: &[100; 12],
        past: &[],
        is_over: false,
        target: Some(800_000_000),
        minimum: None,
    }
}

fn case(used: i64, left: i64) -> OpenCase {
    OpenCase { week: 0, used, left, paused: None }
}

#[test]
fn what_is_decided_is_the_figure_and_needs_no_history() {
    let settled = Question {
        weeks: &[],
        is_over: true,
        met: 949,
        missed: 51,
        target: Some(950_000_000),
        minimum: Some(949_000_000),
        ..question(&[], &[], &[])
    };
    let found = outlook(&settled).unwrap();
    assert_eq!((found.low, found.expected, found.high), (9_490, 9_490, 9_490));
    assert_eq!((found.target_chance, found.minimum_chance), (Some(0), Some(100)));
    let nothing = Question { met: 0, missed: 0, ..settled };
    assert_eq!(outlook(&nothing), Err(NoForecast::NothingCounts));
}

#[test]
fn a_case_that_has_used_much_has_a_smaller_chance() {
    let lives = lives();
    let (fresh, old) = (vec![case(0, 200); 400], vec![case(70, 200); 400]);
    let fresh = outlook(&question(&lives, &fresh, &[])).unwrap();
    let old = outlook(&question(&lives, &old, &[])).unwrap();
    // 80 of 100 end in time; of the 31 that last 70 or more, 11 do.
    assert!((7_900..8_100).contains(&fresh.expected), "{fresh:?}");
    assert!((3_300..3_800).contains(&old.expected), "{old:?}");
    assert_eq!((fresh.open, fresh.arriving), (400, 0));
}

#[test]
fn a_deadline_after_the_window_does_not_count_in_it() {
    let lives = lives();
    let open = [vec![case(0, 79); 50], vec![case(0, 80); 20]].concat();
    assert_eq!(outlook(&question(&lives, &open, &[])).unwrap().open, 20);
    let opened = Question { counts_by: CountsBy::Opened, ..question(&lives, &open, &[]) };
    let found = outlook(&opened).unwrap();
    // Of the fifty, those that end within 79 hours count, all of them met.
    assert!((57..62).contains(&found.open), "{found:?}");
    assert!(found.expected > 9_000, "{found:?}");
    let open = vec![case(40, 50); 50];
    let closed = Question { counts_by: CountsBy::Closed, ..question(&lives, &open, &[]) };
    let found = outlook(&closed).unwrap();
    // Of the 61 that last 40 or more, 41 end by 80 and 51 by 90.
    assert!((40..44).contains(&found.open), "{found:?}");
    assert!((7_900..8_200).contains(&found.expected), "{found:?}");
}

#[test]
fn a_long_pause_takes_a_case_out_of_the_window() {
    let lives = lives();
    let pauses: Vec<Life> =
        (0..100).map(|n| Life { length: if n < 50 { 0 } else { n }, ended: true }).collect();
    let running = vec![case(0, 100); 100];
    let paused = vec![OpenCase { paused: Some(60), ..case(0, 100) }; 100];
    let with = |open| Question { pauses: &pauses, ..question(&lives, open, &[]) };
    // Twenty hours to spare: half never pause, and all who do pause for fifty and more.
    assert!((48..53).contains(&outlook(&with(&running)).unwrap().open));
    // Forty were paused for sixty and more, of which nineteen for more than eighty.
    assert!((50..55).contains(&outlook(&with(&paused)).unwrap().open));
}

#[test]
fn months_that_differ_widen_the_interval_far_beyond_the_luck_of_cases() {
    let lives = lives();
    let intake = [Intake { week: 0, milli: 2_000_000, left: 100 }];
    let calm = outlook(&question(&lives, &[], &intake)).unwrap();
    let weeks: Vec<Week> =
        (0..12).map(|n| Week { met: 80 + 8 * (n % 3) - 8, missed: 20 - 8 * (n % 3) + 8 }).collect();
    let wild = Question { weeks: &weeks, ..question(&lives, &[], &intake) };
    let wild = outlook(&wild).unwrap();
    // By luck alone 2,000 cases at 80 % lie within ±1.5 points.
    assert!(calm.high - calm.low < 1_000, "{calm:?}");
    assert!(wild.high - wild.low > 1_500, "{wild:?}");
    assert!((1_995..2_005).contains(&calm.arriving), "{calm:?}");
}

#[test]
fn forecasts_that_failed_before_widen_the_next() {
    let lives = lives();
    let intake = [Intake { week: 0, milli: 200_000, left: 100 }];
    let hit = |came| Hit { expected: 8_000, low: 7_500, high: 8_500, came, before: None };
    let with = |past| outlook(&Question { past, ..question(&lives, &[], &intake) }).unwrap();
    let [none, good, bad] = [with(&[]), with(&[hit((80, 100)); 12]), with(&[hit((60, 100)); 12])];
    assert!(good.high - good.low < none.high - none.low, "{good:?} {none:?}");
    assert!(none.high - none.low < bad.high - bad.low, "{none:?} {bad:?}");
    assert_eq!(none.expected, bad.expected, "the mean stays");
    assert!((wider(&[]) - 1.25).abs() < 1e-12);
    assert!((wider(&[hit((60, 100)); 12]) - 1.25 * libm::sqrt(7.0)).abs() < 1e-12);
    assert!((wider(&[hit((80, 100)); 12]) - 0.625).abs() < 1e-12);
}

#[test]
fn intake_that_varies_varies_more_than_by_chance() {
    assert_eq!(spread(&[100, 100, 100]), None);
    assert_eq!(spread(&[100]), None);
    let spread = spread(&[50, 150, 50, 150]).unwrap();
    assert!((0.3..0.34).contains(&spread), "{spread}");
}

#[test]
fn too_short_a_history_gives_no_figure_and_says_why() {
    let lives = lives();
    let open = [case(0, 200)];
    let with = |weeks| Question { weeks, ..question(&lives, &open, &[]) };
    let few = [Week { met: 9, missed: 1 }; 3];
    let long_ago = [vec![Week { met: 9, missed: 1 }; 9], vec![Week::default(); 10]].concat();
    assert_eq!(outlook(&with(&long_ago)), Err(NoForecast::Weeks(3)));
    assert_eq!(outlook(&with(&few)), Err(NoForecast::Weeks(3)));
    let thin = [Week { met: 7, missed: 0 }; 4];
    assert_eq!(outlook(&with(&thin)), Err(NoForecast::Cases(28)));
    let enough = [Week { met: 7, missed: 1 }; 4];
    assert!(outlook(&with(&enough)).is_ok());
    let short = Question { lives: &lives[..19], ..with(&enough) };
    assert_eq!(outlook(&short), Err(NoForecast::Ended(19)));
    assert!(outlook(&Question { lives: &lives[..20], ..short }).is_ok());
    let said = NoForecast::Weeks(3).to_string();
    assert!(said.contains("in 3 of the 13 weeks before, and 4 such weeks"), "{said}");
}

#[test]
fn a_log_that_fell_silent_gives_no_figure() {
    let lives = lives();
    let open = [case(0, 200)];
    let with = |came| Question { came, ..question(&lives, &open, &[]) };
    assert_eq!(outlook(&with(&[5, 5, 0])), Err(NoForecast::Silent(1, 5)));
    assert_eq!(outlook(&with(&[3, 2, 0, 0])), Err(NoForecast::Silent(2, 5)));
    assert!(outlook(&with(&[5, 4, 0])).is_ok(), "fewer may stay away by chance");
    assert!(outlook(&with(&[0, 0, 0])).is_ok(), "none ever came");
    let said = NoForecast::Silent(2, 5).to_string();
    assert!(said.contains("in the last 14 days, where 5 would be usual"), "{said}");
}

#[test]
fn the_same_question_gives_the_same_answer() {
    let lives = lives();
    let open = vec![case(10, 200); 30];
    let intake = [Intake { week: 1, milli: 40_000, left: 100 }];
    let asked = question(&lives, &open, &intake);
    let found = outlook(&asked).unwrap();
    assert_eq!(found, outlook(&asked).unwrap());
    assert!(found.low <= found.expected && found.expected <= found.high, "{found:?}");
}
