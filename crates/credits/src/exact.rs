//! Exact arithmetic that says when a number is too large instead of going wrong. Owns rounding and
//! spreading; it must never use a float.

use num_rational::Ratio;
use num_traits::{CheckedAdd as _, CheckedDiv as _, CheckedMul as _, CheckedSub as _, Zero as _};

/// An exact figure.
pub type Exact = Ratio<i128>;

/// Why a credit cannot be worked out although everything is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditError {
    /// A number needs more than 128 bits.
    #[error("the figures are too large to be reckoned exactly")]
    TooLarge,
    /// The terms contradict themselves.
    #[error("{0}")]
    Terms(String),
}

/// `numer ÷ denom`; zero when `denom` is zero, so that tests and terms read plainly.
#[must_use]
pub fn exact(numer: i64, denom: i64) -> Exact {
    if denom == 0 { Exact::zero() } else { Exact::new(numer.into(), denom.into()) }
}

/// A decimal column's value, in units of 10⁻⁹.
#[must_use]
pub fn decimal(nanos: i128) -> Exact {
    Exact::new(nanos, 1_000_000_000)
}

pub(crate) fn mul(a: &Exact, b: &Exact) -> Result<Exact, CreditError> {
    a.checked_mul(b).ok_or(CreditError::TooLarge)
}

pub(crate) fn div(a: &Exact, b: &Exact) -> Result<Exact, CreditError> {
    if b.is_zero() {
        return Err(CreditError::TooLarge);
    }
    a.checked_div(b).ok_or(CreditError::TooLarge)
}

pub(crate) fn add(a: &Exact, b: &Exact) -> Result<Exact, CreditError> {
    a.checked_add(b).ok_or(CreditError::TooLarge)
}

pub(crate) fn sub(a: &Exact, b: &Exact) -> Result<Exact, CreditError> {
    a.checked_sub(b).ok_or(CreditError::TooLarge)
}

pub(crate) fn minor(value: i128) -> Result<i64, CreditError> {
    i64::try_from(value).map_err(|_| CreditError::TooLarge)
}

/// The nearest whole number of minor units; of two equally near the greater.
///
/// # Errors
/// A number beyond 64 bits.
pub fn half_up(value: &Exact) -> Result<i64, CreditError> {
    minor(add(value, &Exact::new(1, 2))?.floor().to_integer())
}

/// Cut down to whole minor units.
pub(crate) fn cut(value: &Exact) -> Result<i64, CreditError> {
    minor(value.floor().to_integer())
}

/// Spreads whole units over weights such that they add up: each share is cut down, and the units left
/// go to the largest remainders, ties to the earlier weight. Weights of zero get nothing. Negative
/// weights count as zero.
///
/// # Errors
/// Numbers beyond 128 bits.
pub fn spread(units: i64, weights: &[Exact]) -> Result<Vec<i64>, CreditError> {
    let zero = Exact::zero();
    let positive: Vec<Exact> = weights.iter().map(|weight| (*weight).max(zero)).collect();
    let mut sum = zero;
    for weight in &positive {
        sum = add(&sum, weight)?;
    }
    if sum.is_zero() {
        return Ok(vec![0; weights.len()]);
    }
    let mut parts = Vec::with_capacity(positive.len());
    for (place, weight) in positive.iter().enumerate() {
        let share = div(&mul(weight, &Exact::from_integer(units.into()))?, &sum)?;
        parts.push((place, cut(&share)?, sub(&share, &share.floor())?));
    }
    let mut left = units - parts.iter().map(|part| part.1).sum::<i64>();
    parts.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    for part in &mut parts {
        if left > 0 && !part.2.is_zero() {
            part.1 += 1;
            left -= 1;
        }
    }
    parts.sort_by_key(|part| part.0);
    Ok(parts.into_iter().map(|part| part.1).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn half_a_unit_goes_up_and_less_goes_down() {
        assert_eq!(half_up(&exact(1, 2)), Ok(1));
        assert_eq!(half_up(&exact(49, 100)), Ok(0));
        assert_eq!(half_up(&exact(5, 2)), Ok(3));
    }

    #[test]
    fn units_spread_over_weights_add_up_and_ties_go_to_the_earlier() {
        let thirds = [exact(1, 1), exact(1, 1), exact(1, 1)];
        assert_eq!(spread(100, &thirds).unwrap(), [34, 33, 33]);
        assert_eq!(spread(10, &[exact(0, 1), exact(3, 1), exact(1, 1)]).unwrap(), [0, 8, 2]);
        assert_eq!(spread(10, &[exact(0, 1)]).unwrap(), [0]);
    }

    #[test]
    fn a_number_that_is_too_large_is_said_to_be() {
        let huge = Exact::from_integer(i128::MAX);
        assert_eq!(mul(&huge, &huge), Err(CreditError::TooLarge));
        assert_eq!(half_up(&Exact::from_integer(1 << 70)), Err(CreditError::TooLarge));
    }
}
