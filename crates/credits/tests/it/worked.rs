//! Worked figures.

use backstay_credits::{
    Attained, Band, BandBy, EarnBack, EarnState, Formula, Month, MonthInput, NoCases, Points,
    Rounding, Scheme, Term, Trigger, YearSpan, credits, exact,
};

use crate::{level, month, percent, scheme};

fn alone(scheme: &Scheme, met: i64, term: Term) -> i64 {
    credits(&[month(1, scheme, vec![level("a", met, term)])]).months[0].credit.clone().unwrap()
}

/// Charge 10.00, caps of 10 % a month and 10 % of rolling twelve months; 100 % → 0, 99.7 % → 0.20,
/// 97 % → 0.30. A line through the two misses would give 0.0037 of the charge per tenth of a point and
/// not 0 at 100 %, and no cap binds (1.00 a month), so the formula is bands of the charge: 2 % below
/// the expected level, 3 % in the band below that. The edges stated are 99.8 % and 99.5 %; any edges
/// between the three levels attained give the same figures. It holds for three months that stand alone
/// and for three that follow each other: the rolling cap is 10 % of 10, 20, 30 and never below
/// 0.00, 0.20, 0.50.
#[test]
fn bands_of_the_charge_give_the_three_worked_figures_alone_and_in_a_row() {
    let bands = vec![
        Band::by_level(Some(exact(995, 1000)), Some(exact(998, 1000)), percent(2)),
        Band::by_level(None, Some(exact(995, 1000)), percent(3)),
    ];
    let term = Term { formula: Formula::Bands(BandBy::Level, bands), ..Term::whole() };
    let scheme = Scheme {
        month_cap: Some(percent(10)),
        year_cap: Some(percent(10)),
        ..Scheme::of_the_charge(Month::new(2026, 1))
    };
    let input = |n, met| MonthInput {
        charge: Ok(1_000),
        ..month(n, &scheme, vec![level("uptime", met, term.clone())])
    };
    let figures = [(1_000, 0), (997, 20), (970, 30)];
    for (met, credit) in figures {
        assert_eq!(credits(&[input(1, met)]).months[0].credit, Ok(credit));
    }
    let in_a_row: Vec<MonthInput> = (1..).zip(figures).map(|(n, (met, _))| input(n, met)).collect();
    let found = credits(&in_a_row);
    for (month, (_, credit)) in found.months.iter().zip(figures) {
        assert_eq!(month.credit, Ok(credit));
    }
    assert_eq!((found.months[2].year_cap, found.months[2].span_credit), (Some(300), Some(20)));
}

#[test]
fn a_linear_formula_runs_from_the_target_to_the_minimum_and_stops_there() {
    let linear = || Term {
        allocation: percent(4),
        formula: Formula::Linear { full_at: None },
        ..Term::whole()
    };
    for (met, credit) in [(950, 0), (949, 80), (925, 2_000), (900, 4_000), (100, 4_000)] {
        assert_eq!(alone(&scheme(), met, linear()), credit, "{met}");
    }
    let upside_down = Term { formula: Formula::Linear { full_at: Some(percent(95)) }, ..linear() };
    let found = credits(&[month(1, &scheme(), vec![level("a", 900, upside_down)])]);
    assert!(found.months[0].credit.as_ref().unwrap_err().contains("not below the expected one"));
}

#[test]
fn steps_count_when_begun_or_when_whole_as_agreed() {
    let steps = |started| Term {
        formula: Formula::Steps { size: percent(1), share: percent(5), started },
        ..Term::whole()
    };
    for (met, begun, whole) in
        [(950, 0, 0), (949, 5_000, 0), (940, 5_000, 5_000), (935, 10_000, 5_000)]
    {
        assert_eq!(alone(&scheme(), met, steps(true)), begun, "{met}");
        assert_eq!(alone(&scheme(), met, steps(false)), whole, "{met}");
    }
    assert_eq!(
        alone(&scheme(), 0, steps(true)),
        100_000,
        "95 steps of 5 % are all of it, not more"
    );
}

#[test]
fn the_minimum_severity_and_repeats_multiply() {
    let term = Term {
        allocation: percent(1),
        severity: exact(3, 2),
        below_minimum: exact(2, 1),
        repeats: vec![exact(1, 1), exact(5, 4), exact(3, 2)],
        ..Term::whole()
    };
    let run: Vec<MonthInput> = [949, 900, 899, 899, 950, 949]
        .into_iter()
        .zip(1..)
        .map(|(met, n)| month(n, &scheme(), vec![level("a", met, term.clone())]))
        .collect();
    let found: Vec<i64> =
        credits(&run).months.iter().map(|month| month.credit.clone().unwrap()).collect();
    // 1,000 × 1.5; × 1.25; × 1.5 × 2 below the minimum; the last multiplier holds on; met; first again.
    assert_eq!(found, [1_500, 1_875, 4_500, 4_500, 0, 1_500]);
}

#[test]
fn or_less_makes_the_level_itself_a_miss() {
    assert_eq!(alone(&scheme(), 950, Term::whole()), 0);
    assert_eq!(alone(&scheme(), 950, Term { inclusive: true, ..Term::whole() }), 100_000);
    let minimum = Term { trigger: Trigger::Minimum, ..Term::whole() };
    assert_eq!(alone(&scheme(), 900, minimum.clone()), 0);
    assert_eq!(alone(&scheme(), 899, minimum), 100_000);
}

/// The clause of a published bank outsourcing agreement of 2007: 6 % of the invoice when a core system
/// is available 96.5 % or less three times in any six months; 20 % of the invoice at most.
#[test]
fn a_credit_may_take_three_misses_in_six_months() {
    let term = Term {
        allocation: percent(6),
        expected: Some(exact(965, 1000)),
        inclusive: true,
        after_misses: (3, 6),
        ..Term::whole()
    };
    let scheme = Scheme { month_cap: Some(percent(20)), ..scheme() };
    let run = |attained: &[i64]| -> Vec<i64> {
        let months: Vec<MonthInput> = (1..)
            .zip(attained)
            .map(|(n, met)| month(n, &scheme, vec![level("core", *met, term.clone())]))
            .collect();
        credits(&months).months.iter().map(|month| month.credit.clone().unwrap()).collect()
    };
    assert_eq!(run(&[965, 990, 965, 990, 990, 965]), [0, 0, 0, 0, 0, 6_000]);
    assert_eq!(run(&[965, 990, 965, 990, 990, 990, 965]), [0; 7], "seven months are not six");
    assert_eq!(run(&[965, 966, 965, 965]), [0, 0, 0, 6_000]);
}

/// The same agreement counts late daily reports: 4 % for three or more in a month.
#[test]
fn bands_may_count_the_cases_missed() {
    let bands = vec![Band::by_level(Some(exact(3, 1)), None, percent(4))];
    let term = Term { formula: Formula::Bands(BandBy::MissedCases, bands), ..Term::whole() };
    assert_eq!(alone(&scheme(), 998, term.clone()), 0);
    assert_eq!(alone(&scheme(), 997, term), 4_000);
}

#[test]
fn bands_with_a_hole_or_an_overlap_give_no_figure() {
    let bands = |low: i64| {
        let bands = vec![
            Band::by_level(Some(percent(95)), Some(percent(98)), percent(2)),
            Band::by_level(None, Some(percent(low)), percent(3)),
        ];
        Term { formula: Formula::Bands(BandBy::Level, bands), ..Term::whole() }
    };
    let why = |met, low| {
        let found = credits(&[month(1, &scheme(), vec![level("a", met, bands(low))])]);
        found.months[0].credit.clone().unwrap_err()
    };
    assert_eq!(why(940, 93), "a: no band says what the level attained costs");
    assert_eq!(why(955, 96), "a: two bands hold the level attained");
    assert_eq!(alone(&scheme(), 980, bands(95)), 0);
    assert_eq!(alone(&scheme(), 979, bands(95)), 2_000);
    assert_eq!(alone(&scheme(), 949, bands(95)), 3_000);
}

#[test]
fn a_pool_may_exceed_the_at_risk_amount_and_the_month_cap_cuts_it() {
    let scheme = Scheme {
        at_risk: percent(12),
        pool: Some(percent(200)),
        month_cap: Some(percent(12)),
        ..scheme()
    };
    let term = |share| Term { allocation: percent(share), ..Term::whole() };
    let levels =
        |a, b, c| vec![level("a", a, term(80)), level("b", b, term(70)), level("c", c, term(50))];
    let found = credits(&[month(1, &scheme, levels(900, 900, 990))]);
    let first = &found.months[0];
    assert_eq!(
        (first.raw, first.month_cap, &first.credit),
        (Some(18_000), Some(12_000), &Ok(12_000))
    );
    let parts: Vec<Option<i64>> = first.levels.iter().map(|level| level.credit).collect();
    assert_eq!(parts, [Some(6_400), Some(5_600), Some(0)]);
    let tight = Scheme { pool: Some(percent(199)), ..scheme };
    let found = credits(&[month(1, &tight, levels(990, 990, 990))]);
    assert_eq!(
        found.months[0].credit,
        Err("the allocations add up to 2, the pool is 199/100".into())
    );
}

#[test]
fn the_rolling_cap_leaves_what_eleven_months_have_left() {
    let scheme = Scheme { year_cap: Some(percent(1)), ..scheme() };
    let term = Term { allocation: percent(5), ..Term::whole() };
    let months: Vec<MonthInput> = (1..=14)
        .map(|n| {
            month(
                n,
                &scheme,
                vec![level("a", if n == 1 || n > 11 { 900 } else { 990 }, term.clone())],
            )
        })
        .collect();
    let found = credits(&months);
    let got: Vec<i64> = found.months.iter().map(|month| month.credit.clone().unwrap()).collect();
    // 1 % of 1,000 in January; in December 1 % of 12,000 less 10.00; then the window moves on.
    assert_eq!(got[0], 1_000);
    assert_eq!(got[11..], [5_000, 5_000, 2_000]);
}

#[test]
fn a_contract_year_forgets_at_its_start() {
    let scheme = Scheme { year_cap: Some(percent(1)), year: YearSpan::From(3), ..scheme() };
    let months: Vec<MonthInput> =
        (1..=4).map(|n| month(n, &scheme, vec![level("a", 900, Term::whole())])).collect();
    let got: Vec<i64> =
        credits(&months).months.iter().map(|month| month.credit.clone().unwrap()).collect();
    assert_eq!(got, [1_000, 1_000, 1_000, 1_000]);
    let later: Vec<MonthInput> = months.into_iter().skip(2).collect();
    assert_eq!(credits(&later).months[0].span_charge, Some(100_000));
}

#[test]
fn points_become_money_beyond_those_that_are_free() {
    let scheme =
        Scheme { points: Some(Points { worth: exact(1, 1000), free: exact(5, 1) }), ..scheme() };
    let term = Term { points: exact(10, 1), minimum_points: Some(exact(25, 1)), ..Term::whole() };
    let found = credits(&[month(
        1,
        &scheme,
        vec![level("a", 949, term.clone()), level("b", 899, term.clone()), level("c", 950, term)],
    )]);
    let first = &found.months[0];
    assert_eq!(first.points, Some(exact(35, 1)));
    // 35 points, 5 of them free: 30 × 0.1 % of 1,000.00.
    assert_eq!(first.credit, Ok(3_000));
    let parts: Vec<Option<i64>> = first.levels.iter().map(|level| level.credit).collect();
    assert_eq!(parts, [Some(857), Some(2_143), Some(0)]);
}

#[test]
fn rounding_each_or_the_total_differs_by_the_halves() {
    let half = || Term { allocation: exact(1, 200_000), ..Term::whole() };
    let levels = vec![level("a", 900, half()), level("b", 900, half())];
    let each = credits(&[month(1, &scheme(), levels.clone())]);
    assert_eq!(each.months[0].credit, Ok(2));
    let total = Scheme { rounding: Rounding::Total, ..scheme() };
    assert_eq!(credits(&[month(1, &total, levels)]).months[0].credit, Ok(1));
}

/// Earn-back as one published agreement has it: what was paid for a late quarter comes back after two
/// quarters in a row without delay.
#[test]
fn a_credit_comes_back_when_the_next_windows_are_met() {
    let scheme = Scheme { earn_back: EarnBack::Following(2), ..scheme() };
    let term = Term { allocation: percent(1), ..Term::whole() };
    let run = |attained: &[i64]| {
        let months: Vec<MonthInput> = (1..)
            .zip(attained)
            .map(|(n, met)| month(n, &scheme, vec![level("a", *met, term.clone())]))
            .collect();
        credits(&months)
    };
    let found = run(&[900, 950, 950, 900]);
    assert_eq!(found.months[0].levels[0].earn_back, EarnState::Returned(Month::new(2026, 3)));
    assert_eq!(found.months[3].levels[0].earn_back, EarnState::Open);
    assert_eq!((found.months[2].earned_back, found.left_of(Month::new(2026, 1))), (1_000, Ok(0)));
    let found = run(&[900, 950, 949]);
    assert_eq!(found.months[0].levels[0].earn_back, EarnState::Kept(Month::new(2026, 3)));
    assert!(found.earned_back.is_empty());
}

#[test]
fn a_credit_comes_back_when_the_whole_year_reaches_the_target() {
    let scheme = Scheme { earn_back: EarnBack::YearAverage, year: YearSpan::From(1), ..scheme() };
    let term = Term { allocation: percent(1), ..Term::whole() };
    let year = |others: i64| {
        let months: Vec<MonthInput> = (1..=12)
            .map(|n| {
                month(n, &scheme, vec![level("a", if n == 4 { 840 } else { others }, term.clone())])
            })
            .collect();
        credits(&months)
    };
    // 840 + 11 × 960 = 11,400 of 12,000 is 95 % exactly.
    let found = year(960);
    assert_eq!(found.months[3].levels[0].earn_back, EarnState::Returned(Month::new(2026, 12)));
    assert_eq!(found.months[11].earned_back, 1_000);
    let found = year(959);
    assert_eq!(found.months[3].levels[0].earn_back, EarnState::Kept(Month::new(2026, 12)));
}

#[test]
fn what_is_not_known_is_a_gap_and_never_nothing() {
    let gap = Attained::Gap("3 cases could not be judged".into());
    let unknown = |attained: Attained| {
        let mut level = level("a", 990, Term::whole());
        level.attained = attained;
        level
    };
    let found = credits(&[month(1, &scheme(), vec![unknown(gap.clone())])]);
    assert_eq!(found.months[0].credit, Err("a: 3 cases could not be judged".into()));
    let empty = credits(&[month(1, &scheme(), vec![unknown(Attained::Empty)])]);
    assert_eq!(empty.months[0].credit, Err("a: the window has no case, so it has no value".into()));
    let met = Scheme { no_cases: NoCases::Met, ..scheme() };
    assert_eq!(credits(&[month(1, &met, vec![unknown(Attained::Empty)])]).months[0].credit, Ok(0));
    let bare = MonthInput {
        charge: Err("no charge is registered for 2026-01".into()),
        ..month(1, &scheme(), vec![level("a", 990, Term::whole())])
    };
    assert!(credits(&[bare]).months[0].credit.is_err());

    // A gap before leaves a later miss without its multiplier, and a later hit as it is.
    let twice = Term { repeats: vec![exact(1, 1), exact(2, 1)], ..Term::whole() };
    let after = |met| {
        let mut before = level("a", 990, twice.clone());
        before.attained = gap.clone();
        let months = [
            month(1, &scheme(), vec![before]),
            month(2, &scheme(), vec![level("a", met, twice.clone())]),
        ];
        credits(&months).months[1].credit.clone()
    };
    assert_eq!(after(990), Ok(0));
    assert!(after(940).unwrap_err().contains("2026-01 could not be measured"));
}

#[test]
fn a_gap_before_leaves_the_cap_of_the_year_unknown_only_where_there_is_something_to_cap() {
    let scheme = Scheme { year_cap: Some(percent(1)), ..scheme() };
    let bare = MonthInput { charge: Err("no charge".into()), ..month(1, &scheme, Vec::new()) };
    let after = |met| {
        let months = [bare.clone(), month(2, &scheme, vec![level("a", met, Term::whole())])];
        credits(&months).months[1].credit.clone()
    };
    assert_eq!(after(950), Ok(0));
    assert_eq!(after(949), Err("the cap of the year needs 2026-01: no charge".into()));
}
