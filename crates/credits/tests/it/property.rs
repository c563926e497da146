//! What holds of every scheme: never negative, never above a cap, parts add up, no more comes back than
//! was given, better work never costs more.

use backstay_credits::{
    EarnBack, Formula, Month, MonthInput, Points, Rounding, Scheme, Term, YearSpan, credits, exact,
};
use proptest::prelude::*;

use crate::level;

fn a_formula() -> impl Strategy<Value = Formula> {
    prop_oneof![
        Just(Formula::Whole),
        (0_i64..95).prop_map(|at| Formula::Linear { full_at: Some(exact(at, 100)) }),
        (1_i64..50, 0_i64..100, any::<bool>()).prop_map(|(size, share, started)| Formula::Steps {
            size: exact(size, 1000),
            share: exact(share, 100),
            started,
        }),
    ]
}

prop_compose! {
    fn a_term()(
        formula in a_formula(),
        allocation in 0_i64..300,
        severity in 0_i64..400,
        below in 100_i64..400,
        repeats in prop::collection::vec(100_i64..300, 1..4),
        cap in prop::option::of(0_i64..50),
        points in 0_i64..20,
    ) -> Term {
        let mut repeats = repeats;
        repeats.sort_unstable();
        Term {
            formula,
            allocation: exact(allocation, 100),
            severity: exact(severity, 100),
            below_minimum: exact(below, 100),
            repeats: repeats.into_iter().map(|n| exact(n, 100)).collect(),
            cap: cap.map(|cap| exact(cap, 100)),
            points: exact(points, 1),
            ..Term::whole()
        }
    }
}

prop_compose! {
    fn a_scheme()(
        at_risk in 0_i64..100,
        month_cap in prop::option::of(0_i64..30),
        year_cap in prop::option::of(0_i64..30),
        starts_in in prop::option::of(1_i32..13),
        total in any::<bool>(),
        points in prop::option::of((0_i64..20, 0_i64..30)),
        earn in 0_usize..4,
    ) -> Scheme {
        Scheme {
            at_risk: exact(at_risk, 100),
            month_cap: month_cap.map(|cap| exact(cap, 100)),
            year_cap: year_cap.map(|cap| exact(cap, 100)),
            year: starts_in.map_or(YearSpan::Rolling, YearSpan::From),
            rounding: if total { Rounding::Total } else { Rounding::Each },
            points: points.map(|(worth, free)| Points { worth: exact(worth, 1000), free: exact(free, 1) }),
            earn_back: match earn { 0 => EarnBack::None, 3 => EarnBack::YearAverage, n => EarnBack::Following(n) },
            ..Scheme::of_the_charge(Month::new(2026, 1))
        }
    }
}

prop_compose! {
    fn months()(
        scheme in a_scheme(),
        terms in prop::collection::vec(a_term(), 1..4),
        run in prop::collection::vec((0_i64..5_000_000, prop::collection::vec(850_i64..1_001, 3)), 1..16),
    ) -> Vec<MonthInput> {
        let input = |(n, (charge, attained)): (i32, (i64, Vec<i64>))| MonthInput {
            month: Month::new(2026, n),
            charge: Ok(charge),
            scheme: scheme.clone(),
            levels: terms
                .iter()
                .zip(attained)
                .zip(["a", "b", "c"])
                .map(|((term, met), name)| level(name, met, term.clone()))
                .collect(),
        };
        (1..).zip(run).map(input).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_credit_is_never_negative_never_above_a_cap_and_its_parts_add_up(months in months()) {
        let found = credits(&months);
        let mut given: Vec<i64> = Vec::new();
        for (place, (input, month)) in months.iter().zip(&found.months).enumerate() {
            let credit = month.credit.clone().unwrap();
            let charge = *input.charge.as_ref().unwrap();
            prop_assert!(credit >= 0);
            prop_assert!(credit <= month.raw.unwrap());
            if let Some(cap) = input.scheme.month_cap {
                prop_assert!(exact(credit, 1) <= cap * i128::from(charge));
            }
            let parts: i64 = month.levels.iter().map(|level| level.credit.unwrap()).sum();
            prop_assert_eq!(parts, credit);
            given.push(credit);
            if let Some(cap) = input.scheme.year_cap {
                let start = match input.scheme.year {
                    YearSpan::Rolling => input.month.plus(-11),
                    YearSpan::From(starts_in) => input.month.year_start(starts_in),
                };
                let span = || months.iter().zip(&given).take(place + 1).filter(|(m, _)| m.month >= start);
                let charges: i64 = span().map(|(m, _)| *m.charge.as_ref().unwrap()).sum();
                let sum: i64 = span().map(|(_, given)| given).sum();
                // A credit given under an earlier, larger span may stand above a later one's cap.
                prop_assert!(credit == 0 || exact(sum, 1) <= cap * i128::from(charges));
            }
        }
        let back: i64 = found.earned_back.iter().map(|back| back.minor).sum();
        prop_assert!(back <= given.iter().sum::<i64>());
        for month in &found.months {
            prop_assert!(found.left_of(month.month).unwrap() >= 0);
        }
    }

    #[test]
    fn better_work_in_a_month_never_costs_more_in_it(months in months(), better in 1_i64..100) {
        let before = credits(&months);
        let mut improved = months.clone();
        let last = improved.len() - 1;
        for level in &mut improved[last].levels {
            if let backstay_credits::Attained::Known { met, counted } = &mut level.attained {
                *met = (*met + better).min(*counted);
            }
        }
        let after = credits(&improved);
        prop_assert!(after.months[last].credit.clone().unwrap() <= before.months[last].credit.clone().unwrap());
    }

    #[test]
    fn what_is_withheld_never_turns_into_a_smaller_credit(months in months(), which in 0_usize..16) {
        let known = credits(&months);
        let which = which % months.len();
        let mut withheld = months.clone();
        withheld[which].charge = Err("withheld".into());
        let found = credits(&withheld);
        prop_assert!(found.months[which].credit.is_err());
        for (before, after) in known.months.iter().zip(&found.months) {
            if let Ok(after) = &after.credit {
                prop_assert_eq!(before.credit.as_ref().unwrap(), after);
            }
        }
    }
}
