//! Numerical tools of the run lengths: Gauss-Legendre nodes and a dense linear solver.
//!
//! Owns nothing but arithmetic; it must never know what is solved.

// Sizes of matrices are far below what a float holds exactly.
#![allow(clippy::cast_precision_loss)]

/// Nodes and weights of the Gauss-Legendre rule on `low` to `high`, ascending.
#[must_use]
pub fn gauss_legendre(count: usize, low: f64, high: f64) -> Vec<(f64, f64)> {
    let n = count as f64;
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let mut found: Vec<(f64, f64)> = (0..count)
        .map(|place| {
            let mut x = libm::cos(std::f64::consts::PI * (place as f64 + 0.75) / (n + 0.5));
            let mut slope = 1.0;
            for _ in 0..100 {
                let (value, derivative) = legendre(count, x);
                slope = derivative;
                let step = value / derivative;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            (middle + half * x, half * 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect();
    found.reverse();
    found
}

/// Legendre polynomial and its derivative.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut now) = (0.0, 1.0);
    for k in 0..degree {
        let k = k as f64;
        let next = ((2.0 * k + 1.0) * x * now - k * before) / (k + 1.0);
        before = now;
        now = next;
    }
    (now, degree as f64 * (x * now - before) / (x * x - 1.0))
}

/// Solves `matrix · x = right` by elimination with the largest pivot; none when there is no single
/// solution.
#[must_use]
pub fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| {
            let value = |row: &usize| at(&matrix, *row, column).abs();
            value(a).total_cmp(&value(b))
        })?;
        if at(&matrix, pivot, column).abs() < 1e-300 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let lead = matrix.get(column)?.clone();
        let lead_right = *right.get(column)?;
        let by = *lead.get(column)?;
        for row in column + 1..size {
            let factor = at(&matrix, row, column) / by;
            if factor == 0.0 {
                continue;
            }
            let line = matrix.get_mut(row)?;
            for (value, of_lead) in line.iter_mut().zip(&lead).skip(column) {
                *value -= factor * of_lead;
            }
            *right.get_mut(row)? -= factor * lead_right;
        }
    }
    let mut found = vec![0.0; size];
    for row in (0..size).rev() {
        let line = matrix.get(row)?;
        let known = line.iter().zip(&found).skip(row + 1).fold(0.0, |sum, (a, x)| sum + a * x);
        *found.get_mut(row)? = (right.get(row)? - known) / line.get(row)?;
    }
    Some(found)
}

fn at(matrix: &[Vec<f64>], row: usize, column: usize) -> f64 {
    matrix.get(row).and_then(|line| line.get(column)).copied().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn ten_nodes_integrate_a_polynomial_of_degree_nineteen() {
        let sum = gauss_legendre(10, 0.0, 2.0)
            .iter()
            .fold(0.0, |sum, (x, weight)| sum + weight * libm::pow(*x, 19.0));
        let exact = libm::pow(2.0, 20.0) / 20.0;
        assert!((sum - exact).abs() < 1e-8 * exact, "{sum}");
    }

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_refused() {
        let matrix = vec![vec![0.0, 2.0, 1.0], vec![1.0, 1.0, 1.0], vec![2.0, 0.0, 3.0]];
        let found = solve(matrix, vec![7.0, 6.0, 11.0]).unwrap();
        for (value, wanted) in found.iter().zip([1.0, 2.0, 3.0]) {
            assert!((value - wanted).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(solve(vec![vec![1.0, 1.0], vec![1.0, 1.0]], vec![1.0, 2.0]), None);
    }
}
