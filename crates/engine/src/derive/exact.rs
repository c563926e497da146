//! Exact shares and how they are shown: rationals, rounding half to even, largest remainder.
//!
//! Owns the step from an exact figure to the digits that people read; no float comes near it.

use num_rational::Ratio;
use num_traits::{Signed, Zero};

/// An exact figure. Numerators and denominators of shares are counts of cases, so that 128 bits hold
/// every sum of a ladder.
pub type Exact = Ratio<i128>;

/// One unit of a decimal column.
pub const NANO: i128 = 1_000_000_000;

/// `numerator ÷ denominator`, or none without cases.
#[must_use]
pub fn share(numerator: i64, denominator: i64) -> Option<Exact> {
    (denominator != 0).then(|| Exact::new(numerator.into(), denominator.into()))
}

/// A decimal column's value.
#[must_use]
pub fn from_nanos(nanos: i128) -> Exact {
    Exact::new(nanos, NANO)
}

/// The nearest whole number; of two equally near the even one.
#[must_use]
pub fn round_half_even(value: Exact) -> i128 {
    let floor = value.floor().to_integer();
    let rest = value - Exact::from_integer(floor);
    let half = Exact::new(1, 2);
    if rest > half || (rest == half && floor % 2 != 0) { floor + 1 } else { floor }
}

/// To nine places, as a decimal column holds it.
#[must_use]
pub fn to_nanos(value: Exact) -> i128 {
    round_half_even(value * NANO)
}

/// Whether `exact` may be shown as `shown` when rounded to `places`: half a unit of the last place
/// either way, because reports do not say how they round.
#[must_use]
pub fn rounds_to(exact: Exact, shown: Exact, places: u32) -> bool {
    let Some(scale) = 10_i128.checked_pow(places.min(18)) else { return exact == shown };
    (exact - shown).abs() * (scale * 2) <= Exact::from_integer(1)
}

/// Whole units for parts, such that they add up to the rounded total: each part is cut down to whole
/// units, and the units left go to the largest remainders, ties to the earlier part. A part of zero
/// stays zero.
#[must_use]
pub fn largest_remainder(parts: &[Exact], units_per_one: i128) -> Vec<i128> {
    let scaled: Vec<Exact> = parts.iter().map(|part| part * units_per_one).collect();
    let total = round_half_even(scaled.iter().fold(Exact::zero(), |sum, part| sum + part));
    let mut units: Vec<i128> = scaled.iter().map(|part| part.floor().to_integer()).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let rest =
        |place: usize| scaled.get(place).map_or_else(Exact::zero, |part| part - part.floor());
    order.sort_by(|a, b| rest(*b).cmp(&rest(*a)).then(a.cmp(b)));
    let left = total - units.iter().sum::<i128>();
    for place in order.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        if let Some(unit) = units.get_mut(place) {
            *unit += 1;
        }
    }
    units
}

/// Digits after the point so that a value which is not zero does not look like zero: at least two, at
/// most six.
#[must_use]
pub fn places_to_show(value: Exact) -> u32 {
    let zero_at = |places: u32| round_half_even(value * 10_i128.pow(places)).is_zero();
    (2..=6).find(|places| value.is_zero() || !zero_at(*places)).unwrap_or(6)
}

/// Whole units of 10^-places as text with a sign, as in `-0.42`.
#[must_use]
pub fn signed_text(units: i128, places: u32) -> String {
    let sign = match units.signum() {
        1 => "+",
        -1 => "-",
        _ => "",
    };
    format!("{sign}{}", plain_text(units.abs(), places))
}

/// Whole units of 10^-places as text.
#[must_use]
pub fn plain_text(units: i128, places: u32) -> String {
    let scale = 10_i128.pow(places.min(18));
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.abs() / scale, units.abs() % scale);
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:0width$}", width = places as usize)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let half = |n| round_half_even(Exact::new(n, 2));
        assert_eq!([half(1), half(3), half(5), half(-1), half(-3)], [0, 2, 2, 0, -2]);
        assert_eq!(to_nanos(Exact::new(2, 3)), 666_666_667);
    }

    #[test]
    fn a_rounded_figure_agrees_with_everything_that_rounds_to_it() {
        let shown = from_nanos(958_000_000);
        assert!(rounds_to(Exact::new(9585, 10_000), shown, 3));
        assert!(rounds_to(Exact::new(9575, 10_000), shown, 3));
        assert!(!rounds_to(Exact::new(95_851, 100_000), shown, 3));
        assert!(!rounds_to(Exact::new(958, 1_001), shown, 3));
    }

    #[test]
    fn parts_of_a_third_add_up_to_one() {
        let third = Exact::new(1, 3);
        assert_eq!(largest_remainder(&[third, third, third], 100), [34, 33, 33]);
        assert_eq!(largest_remainder(&[Exact::zero(), third, -third], 100), [0, 33, -33]);
        assert_eq!(largest_remainder(&[], 100), Vec::<i128>::new());
    }

    #[test]
    fn a_small_difference_is_shown_with_as_many_places_as_it_needs() {
        assert_eq!(places_to_show(Exact::zero()), 2);
        assert_eq!(places_to_show(Exact::new(1, 10)), 2);
        assert_eq!(places_to_show(Exact::new(1, 1_000)), 3);
        assert_eq!(places_to_show(Exact::new(1, 100_000_000)), 6);
        assert_eq!(
            (signed_text(-42, 2), signed_text(7, 2), signed_text(0, 2)),
            ("-0.42".into(), "+0.07".into(), "0.00".into())
        );
        assert_eq!((plain_text(1234, 2), plain_text(-5, 0)), ("12.34".to_owned(), "-5".to_owned()));
    }

    proptest! {
        #[test]
        fn displayed_parts_always_add_up_and_zero_parts_stay_zero(
            parts in prop::collection::vec((-1000_i128..1000, 1_i128..1000, any::<bool>()), 0..8),
        ) {
            let parts: Vec<Exact> = parts.into_iter().map(|(n, d, zero)| if zero { Exact::zero() } else { Exact::new(n, d) }).collect();
            let units = largest_remainder(&parts, 10_000);
            let total: Exact = parts.iter().fold(Exact::zero(), |sum, part| sum + part);
            prop_assert_eq!(units.iter().sum::<i128>(), round_half_even(total * 10_000));
            for (part, unit) in parts.iter().zip(units) {
                prop_assert!((part * 10_000 - Exact::from_integer(unit)).abs() < Exact::from_integer(1));
                prop_assert!(!part.is_zero() || unit == 0);
            }
        }
    }
}
