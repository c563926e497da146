//! Average run lengths: how many periods pass until a chart signals.
//!
//! Owns the equations. For normal values the integral equations of Page (1954, CUSUM) and Crowder (1987,
//! EWMA) are solved on Gauss-Legendre nodes; for counts, which are not normal when they are small, the
//! Markov chain of Brook and Evans (1972) over the law of the counts themselves. Both start at zero
//! (zero state). It must never look at a series.

#![allow(clippy::cast_precision_loss)]

use crate::quadrature::{gauss_legendre, solve};

/// Nodes of the integral equations: six decimals for all limits in use.
const NODES: usize = 48;

/// Density of the standard normal law.
fn density(x: f64) -> f64 {
    const ROOT: f64 = 2.506_628_274_631_000_5;
    libm::exp(-0.5 * x * x) / ROOT
}

/// Distribution of the standard normal law.
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Average run length of a one-sided CUSUM, `S = max(0, S + x − k)`, that signals when S exceeds `h`,
/// over normal values of unit variance whose mean is `shift`. None when it is longer than can be told
/// (above some 10¹²).
#[must_use]
pub fn cusum(k: f64, h: f64, shift: f64) -> Option<f64> {
    // L(z) = 1 + L(0)·Φ(k − z − shift) + ∫₀ʰ L(y)·φ(y + k − z − shift) dy; unknowns L(0), L(nodes).
    let nodes = gauss_legendre(NODES, 0.0, h);
    let starts: Vec<f64> = std::iter::once(0.0).chain(nodes.iter().map(|(x, _)| *x)).collect();
    let line = |(row, start): (usize, &f64)| {
        let offset = k - start - shift;
        let to_zero = std::iter::once(below(offset));
        let to_nodes = nodes.iter().map(|(y, weight)| weight * density(y + offset));
        identity_minus(to_zero.chain(to_nodes), row)
    };
    let matrix = starts.iter().enumerate().map(line).collect();
    solve(matrix, vec![1.0; starts.len()])?.first().copied().filter(is_told)
}

/// Average run length of both sides of a CUSUM at once (van Dobben de Bruyn 1968: the rates add).
#[must_use]
pub fn cusum_two_sided(k: f64, h: f64, shift: f64) -> Option<f64> {
    let (up, down) = (cusum(k, h, shift), cusum(k, h, -shift));
    let rate = up.map_or(0.0, |length| 1.0 / length) + down.map_or(0.0, |length| 1.0 / length);
    (rate > 0.0).then(|| 1.0 / rate)
}

/// Average run length of an EWMA, `Z = (1 − λ)·Z + λ·x`, that signals when |Z| exceeds `limit` standard
/// deviations of its long run, over normal values of unit variance whose mean is `shift`.
#[must_use]
pub fn ewma(lambda: f64, limit: f64, shift: f64) -> Option<f64> {
    // L(u) = 1 + (1/λ)·∫ L(y)·φ((y − (1 − λ)·u)/λ − shift) dy over −c to c.
    let edge = limit * libm::sqrt(lambda / (2.0 - lambda));
    let nodes = gauss_legendre(NODES, -edge, edge);
    let reach = |start: f64, (y, weight): &(f64, f64)| {
        weight * density((y - (1.0 - lambda) * start) / lambda - shift) / lambda
    };
    let line = |(row, (start, _)): (usize, &(f64, f64))| {
        identity_minus(nodes.iter().map(|node| reach(*start, node)), row)
    };
    let lengths = solve(nodes.iter().enumerate().map(line).collect(), vec![1.0; NODES])?;
    let sum =
        nodes.iter().zip(&lengths).fold(0.0, |sum, (node, length)| sum + reach(0.0, node) * length);
    Some(1.0 + sum).filter(is_told)
}

fn identity_minus(values: impl Iterator<Item = f64>, row: usize) -> Vec<f64> {
    values.enumerate().map(|(column, value)| f64::from(u8::from(column == row)) - value).collect()
}

fn is_told(length: &f64) -> bool {
    length.is_finite() && *length >= 1.0 && *length < 1e12
}

/// States of the chains over counts: enough for two digits of a run length.
const STATES: usize = 61;

/// Average run length of a one-sided CUSUM over values with these probabilities (value, probability),
/// which need not add up to one: the rest is taken to lie beyond every limit.
#[must_use]
pub fn cusum_over(values: &[(f64, f64)], k: f64, h: f64) -> Option<f64> {
    let width = 2.0 * h / (2.0 * STATES as f64 - 1.0);
    chain(STATES, 0, |state, row| {
        for (value, probability) in values {
            let sum = state as f64 * width + value - k;
            if sum <= h {
                *row.get_mut(place((sum / width).max(0.0), STATES))? += probability;
            }
        }
        Some(())
    })
}

/// The same for both sides of an EWMA.
#[must_use]
pub fn ewma_over(values: &[(f64, f64)], lambda: f64, limit: f64) -> Option<f64> {
    let states = 2 * STATES + 1;
    let edge = limit * libm::sqrt(lambda / (2.0 - lambda));
    let width = 2.0 * edge / states as f64;
    chain(states, STATES, |state, row| {
        let from = (state as f64 - STATES as f64) * width;
        for (value, probability) in values {
            let mean = (1.0 - lambda) * from + lambda * value;
            if mean.abs() <= edge {
                *row.get_mut(place(mean / width + STATES as f64, states))? += probability;
            }
        }
        Some(())
    })
}

/// The nearest state.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn place(position: f64, states: usize) -> usize {
    (libm::round(position) as usize).min(states - 1)
}

/// Expected steps until a chain leaves its states, from one of them.
fn chain(
    states: usize,
    start: usize,
    fill: impl Fn(usize, &mut Vec<f64>) -> Option<()>,
) -> Option<f64> {
    let mut matrix = Vec::with_capacity(states);
    for state in 0..states {
        let mut row = vec![0.0; states];
        fill(state, &mut row)?;
        matrix.push(identity_minus(row.into_iter(), state));
    }
    solve(matrix, vec![1.0; states])?.get(start).copied().filter(is_told)
}

/// The law of a standardised binomial count: (value, probability) for every count that matters.
#[must_use]
pub fn binomial(items: u64, share: f64) -> Vec<(f64, f64)> {
    let n = items as f64;
    let spread = libm::sqrt(n * share * (1.0 - share));
    if spread <= 0.0 {
        return Vec::new();
    }
    let log_gamma = |x: f64| libm::lgamma(x + 1.0);
    let law = (0..=items).map(|count| {
        let x = count as f64;
        let log = log_gamma(n) - log_gamma(x) - log_gamma(n - x)
            + x * libm::log(share)
            + (n - x) * libm::log1p(-share);
        ((x - n * share) / spread, libm::exp(log))
    });
    law.filter(|(_, probability)| *probability > 1e-15).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: Option<f64>, wanted: f64, within: f64) {
        let found = found.unwrap();
        assert!((found - wanted).abs() <= within, "{found}, wanted {wanted}");
    }

    #[test]
    fn one_sided_run_lengths_are_the_published_ones() {
        near(cusum(0.5, 3.0, 0.0), 117.6, 0.05);
        near(cusum(0.5, 3.0, 1.0), 6.40, 0.005);
        near(cusum(0.5, 3.0, 1.5), 3.75, 0.005);
        near(cusum(0.5, 5.0, 0.0), 930.9, 0.1);
    }

    #[test]
    fn two_sided_run_lengths_are_the_published_ones() {
        // Montgomery, table 9.3: h = 4 and 5.
        near(cusum_two_sided(0.5, 4.0, 0.0), 168.0, 0.5);
        near(cusum_two_sided(0.5, 5.0, 0.0), 465.0, 0.6);
        near(cusum_two_sided(0.5, 4.0, 1.0), 8.38, 0.01);
        near(cusum_two_sided(0.5, 5.0, 2.0), 4.01, 0.01);
    }

    #[test]
    fn smoothed_run_lengths_are_the_published_ones() {
        // Lucas and Saccucci (1990): designs with about 500 in control.
        near(ewma(0.1, 2.814, 0.0), 500.0, 2.0);
        near(ewma(0.25, 2.998, 0.0), 500.0, 2.0);
        near(ewma(0.1, 2.814, 1.0), 10.3, 0.1);
        near(ewma(0.25, 2.998, 1.0), 11.1, 0.1);
    }

    #[test]
    fn a_chain_over_a_fine_normal_law_comes_to_the_same_length() {
        let step = 0.01;
        let law: Vec<(f64, f64)> = (-600..=600)
            .map(|n| (f64::from(n) * step, density(f64::from(n) * step) * step))
            .collect();
        near(cusum_over(&law, 0.5, 3.0), 117.6, 1.2);
        near(ewma_over(&law, 0.25, 2.998), 500.0, 5.0);
    }

    #[test]
    fn counts_of_rare_defects_give_more_false_alarms_than_normal_values() {
        let law = binomial(50, 0.02);
        let whole: f64 = law.iter().map(|(_, probability)| probability).sum();
        assert!((whole - 1.0).abs() < 1e-9, "{whole}");
        let mean: f64 = law.iter().map(|(value, probability)| value * probability).sum();
        assert!(mean.abs() < 1e-9);
        let rare = cusum_over(&law, 0.5, 4.0).unwrap();
        assert!(rare < 250.0 && rare > 60.0, "{rare}");
        near(cusum_over(&binomial(100_000, 0.3), 0.5, 4.0), cusum(0.5, 4.0, 0.0).unwrap(), 10.0);
    }
}
