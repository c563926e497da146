//! The share of cases met as a hidden level that moves from week to week.
//!
//! Owns the filter: the logit of the level walks at random, and each week scatters about it (a
//! beta-binomial law), so that months differ by more than the luck of single cases. How far it
//! walks and how much it scatters is not chosen but weighed: every pair of a small grid counts by how
//! well it would have foretold the weeks. It must never drop a week because it does not fit.

// Weeks and cases are counted far below what a float holds exactly.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

/// Cases of one week, by deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Week {
    /// Met.
    pub met: u64,
    /// Missed.
    pub missed: u64,
}

/// Standard deviations of the weekly step of the logit.
const DRIFT: [f64; 6] = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8];
/// Correlations of the outcomes of two cases of one week.
const SCATTER: [f64; 7] = [0.0, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2];
/// Points of the grid on which the level is held.
const POINTS: usize = 81;
/// How far the grid reaches beyond the weeks seen.
const MARGIN: f64 = 1.5;

/// One possibility: where the level stands after the last week, and how it goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) logit: f64,
    pub(crate) drift: f64,
    pub(crate) scatter: f64,
}

/// All possibilities with their weights.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    nodes: Vec<Node>,
    /// Sums of weights up to each node, the last of them 1.
    upto: Vec<f64>,
    /// Distance of two points of the grid.
    pub(crate) step: f64,
}

pub(crate) fn logit(share: f64) -> f64 {
    libm::log(share / (1.0 - share))
}

pub(crate) fn share(logit: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-logit))
}

impl Level {
    /// Weighs every possibility by the weeks, oldest first. A week without cases says nothing, but
    /// the level may have moved in it.
    pub(crate) fn of(weeks: &[Week]) -> Self {
        let (low, step) = grid(weeks);
        let logits: Vec<f64> = (0..POINTS).map(|n| low + n as f64 * step).collect();
        let mut found: Vec<(Node, f64)> = Vec::new();
        let mut best = f64::NEG_INFINITY;
        for scatter in SCATTER {
            let likely: Vec<Vec<f64>> =
                weeks.iter().map(|week| likelihood(*week, scatter, &logits)).collect();
            for drift in DRIFT {
                let (log_weight, points) = filter(&likely, drift, step);
                best = best.max(log_weight);
                for (logit, weight) in logits.iter().zip(points) {
                    let node = Node { logit: *logit, drift, scatter };
                    found.push((node, log_weight + libm::log(weight.max(1e-300))));
                }
            }
        }
        let (mut nodes, mut upto, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for (node, log_weight) in found {
            let weight = libm::exp(log_weight - best);
            if weight > 1e-12 {
                sum += weight;
                nodes.push(node);
                upto.push(sum);
            }
        }
        for value in &mut upto {
            *value /= sum;
        }
        Self { nodes, upto, step }
    }

    /// The possibility at a place between 0 and 1 of all of them in order.
    pub(crate) fn at(&self, place: f64) -> Option<Node> {
        let index = self.upto.partition_point(|upto| *upto < place);
        self.nodes.get(index.min(self.nodes.len().checked_sub(1)?)).copied()
    }
}

/// Lowest logit of the grid and the distance of its points.
fn grid(weeks: &[Week]) -> (f64, f64) {
    let seen = weeks.iter().filter(|week| week.met + week.missed > 0);
    let of = |week: &Week| libm::log((week.met as f64 + 0.5) / (week.missed as f64 + 0.5));
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in seen.map(of) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        (low, high) = (0.0, 0.0);
    }
    let (low, high) = (low - MARGIN, high + MARGIN);
    (low, (high - low) / (POINTS - 1) as f64)
}

/// Logarithm of how likely a week is at each point, but for what is the same everywhere.
fn likelihood(week: Week, scatter: f64, logits: &[f64]) -> Vec<f64> {
    let (met, missed) = (week.met as f64, week.missed as f64);
    let one = |logit: &f64| {
        let p = share(*logit);
        if scatter == 0.0 {
            return met * libm::log(p) + missed * libm::log(1.0 - p);
        }
        let strength = (1.0 - scatter) / scatter;
        let (yes, no) = (p * strength, (1.0 - p) * strength);
        libm::lgamma(met + yes) - libm::lgamma(yes) + libm::lgamma(missed + no)
            - libm::lgamma(no)
            - libm::lgamma(met + missed + strength)
            + libm::lgamma(strength)
    };
    if week == Week::default() {
        return vec![0.0; logits.len()];
    }
    logits.iter().map(one).collect()
}

/// Logarithm of the weight of a drift, and the weights of the points after the last week.
fn filter(likely: &[Vec<f64>], drift: f64, step: f64) -> (f64, Vec<f64>) {
    let kernel = kernel(drift, step);
    let mut points = vec![1.0 / POINTS as f64; POINTS];
    let mut log_weight = 0.0;
    for (n, week) in likely.iter().enumerate() {
        if n > 0 {
            points = moved(&points, &kernel);
        }
        let top = week.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for (point, log) in points.iter_mut().zip(week) {
            *point *= libm::exp(log - top);
            sum += *point;
        }
        for point in &mut points {
            *point /= sum;
        }
        log_weight += top + libm::log(sum);
    }
    (log_weight, points)
}

/// Half of a normal step, from no move on, cut at four standard deviations.
fn kernel(drift: f64, step: f64) -> Vec<f64> {
    if drift == 0.0 {
        return vec![1.0];
    }
    let reach = (libm::ceil(4.0 * drift / step) as usize).clamp(1, POINTS - 1);
    let weight = |n: usize| {
        let z = n as f64 * step / drift;
        libm::exp(-0.5 * z * z)
    };
    (0..=reach).map(weight).collect()
}

/// Lets every point spread by the kernel; what would leave the grid stays inside.
fn moved(points: &[f64], kernel: &[f64]) -> Vec<f64> {
    if kernel.len() == 1 {
        return points.to_vec();
    }
    let mut found = vec![0.0; points.len()];
    for (place, weight) in points.iter().enumerate() {
        if *weight < 1e-18 {
            continue;
        }
        let first = place.saturating_sub(kernel.len() - 1);
        let last = (place + kernel.len() - 1).min(points.len() - 1);
        let near = |to: usize| kernel.get(to.abs_diff(place)).copied().unwrap_or_default();
        let sum = (first..=last).fold(0.0, |sum, to| sum + near(to));
        for (to, value) in found.iter_mut().enumerate().take(last + 1).skip(first) {
            *value += weight * near(to) / sum;
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Mean and standard deviation of the level, and mean drift and scatter.
    fn summary(weeks: &[Week]) -> [f64; 4] {
        let level = Level::of(weeks);
        let all: Vec<Node> =
            (0..2_000).map(|n| level.at((n as f64 + 0.5) / 2_000.0).unwrap()).collect();
        let mean = |of: &dyn Fn(&Node) -> f64| all.iter().map(of).sum::<f64>() / 2_000.0;
        let centre = mean(&|node| share(node.logit));
        let var = mean(&|node| (share(node.logit) - centre) * (share(node.logit) - centre));
        [centre, libm::sqrt(var), mean(&|node| node.drift), mean(&|node| node.scatter)]
    }

    fn week(met: u64, missed: u64) -> Week {
        Week { met, missed }
    }

    #[test]
    fn equal_weeks_leave_little_doubt_and_neither_drift_nor_scatter() {
        let [centre, doubt, drift, scatter] = summary(&[week(80, 20); 26]);
        assert!((centre - 0.8).abs() < 0.005, "{centre}");
        assert!(doubt < 0.02, "{doubt}");
        assert!(drift < 0.05 && scatter < 0.005, "{drift} {scatter}");
    }

    #[test]
    fn weeks_that_jump_to_and_fro_are_scatter_and_a_climb_is_drift() {
        let jumps: Vec<Week> =
            (0..26).map(|n| if n % 2 == 0 { week(900, 100) } else { week(700, 300) }).collect();
        let [centre, _, drift, scatter] = summary(&jumps);
        assert!((centre - 0.8).abs() < 0.04, "{centre}");
        assert!(scatter > 0.03 && drift < 0.1, "{drift} {scatter}");
        let climb: Vec<Week> = (0..26).map(|n| week(300 + 24 * n, 700 - 24 * n)).collect();
        let [centre, _, drift, scatter] = summary(&climb);
        assert!((centre - 0.9).abs() < 0.02, "{centre}");
        assert!(drift > 0.08 && scatter < 0.01, "{drift} {scatter}");
    }

    #[test]
    fn few_cases_leave_much_doubt_but_are_not_pulled_to_the_middle() {
        let [centre, doubt, ..] = summary(&[week(2, 0); 12]);
        assert!(centre > 0.88, "{centre}");
        assert!(doubt > 0.02, "{doubt}");
    }

    #[test]
    fn an_empty_week_lets_the_level_move() {
        let mut weeks = vec![week(60, 40); 8];
        weeks.push(week(90, 10));
        weeks.extend([week(60, 40); 8]);
        let [_, doubt, ..] = summary(&weeks);
        weeks.extend([Week::default(); 8]);
        let [_, later, ..] = summary(&weeks);
        assert!(later > doubt, "{later} {doubt}");
    }
}
