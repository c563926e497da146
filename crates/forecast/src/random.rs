//! Draws that are the same on every machine.
//!
//! Owns the generator (SplitMix64, Steele, Lea and Flood 2014) and the laws drawn from it. It must
//! never be seeded by anything but its caller.

// Counts drawn are far below what a float holds exactly.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

/// Above this variance a binomial or Poisson count is drawn from the normal law, rounded; the error
/// is then far below that of the draws themselves.
const NORMAL_FROM: f64 = 25.0;

/// The generator.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Strictly between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.unit(), self.unit());
        libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(2.0 * std::f64::consts::PI * angle)
    }

    /// Gamma with a shape and scale 1 (Marsaglia and Tsang 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(self.unit(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
            if v > 0.0 && libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Beta around a mean; `strength` is the sum of its two parameters.
    pub(crate) fn beta(&mut self, mean: f64, strength: f64) -> f64 {
        let (yes, no) = (self.gamma(mean * strength), self.gamma((1.0 - mean) * strength));
        if yes + no > 0.0 { yes / (yes + no) } else { mean }
    }

    /// How many of `count` come true.
    pub(crate) fn binomial(&mut self, count: u64, chance: f64) -> u64 {
        if count == 0 || chance <= 0.0 {
            return 0;
        }
        if chance >= 1.0 {
            return count;
        }
        let (n, spread) = (count as f64, count as f64 * chance * (1.0 - chance));
        if spread > NORMAL_FROM {
            let drawn = n * chance + libm::sqrt(spread) * self.normal();
            return libm::floor(drawn.clamp(0.0, n) + 0.5) as u64;
        }
        if count <= 16 {
            return (0..count).map(|_| u64::from(self.unit() < chance)).sum();
        }
        let rare = chance.min(1.0 - chance);
        let mut term = libm::pow(1.0 - rare, n);
        let (mut sum, mut found, at) = (term, 0u64, self.unit());
        while sum < at && found < count {
            term *= (n - found as f64) / (found as f64 + 1.0) * rare / (1.0 - rare);
            found += 1;
            sum += term;
        }
        if chance <= 0.5 { found } else { count - found }
    }

    /// A Poisson count.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > NORMAL_FROM {
            let drawn = mean + libm::sqrt(mean) * self.normal();
            return libm::floor(drawn.max(0.0) + 0.5) as u64;
        }
        let (mut left, mut found) = (libm::exp(-mean), 0);
        let mut at = self.unit();
        while at > left && found < 1_000 {
            at -= left;
            found += 1;
            left *= mean / found as f64;
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const MANY: u64 = 20_000;

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut(&mut Draws) -> f64) -> (f64, f64) {
        let mut draws = Draws::new(1);
        let all: Vec<f64> = (0..MANY).map(|_| draw(&mut draws)).collect();
        let mean = all.iter().fold(0.0, |sum, x| sum + x) / MANY as f64;
        let var = all.iter().fold(0.0, |sum, x| sum + (x - mean) * (x - mean)) / MANY as f64;
        (mean, var)
    }

    fn near(found: (f64, f64), wanted: (f64, f64)) {
        let (mean, var) = (found.0 - wanted.0, found.1 / wanted.1);
        assert!(mean.abs() < 4.0 * libm::sqrt(wanted.1 / MANY as f64), "{found:?} {wanted:?}");
        assert!((0.93..1.07).contains(&var), "{found:?} {wanted:?}");
    }

    #[test]
    fn the_generator_gives_the_published_first_numbers() {
        let mut draws = Draws::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draws.next()).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn each_law_has_its_mean_and_variance() {
        near(moments(Draws::normal), (0.0, 1.0));
        near(moments(|draws| draws.gamma(0.4)), (0.4, 0.4));
        near(moments(|draws| draws.gamma(7.0)), (7.0, 7.0));
        near(moments(|draws| draws.beta(0.8, 9.0)), (0.8, 0.016));
        for (count, chance) in [(9, 0.3), (100, 0.02), (100, 0.97), (1_000, 0.6)] {
            let n = count as f64;
            let found = moments(|draws| draws.binomial(count, chance) as f64);
            near(found, (n * chance, n * chance * (1.0 - chance)));
        }
        for mean in [0.2, 12.0, 400.0] {
            near(moments(|draws| draws.poisson(mean) as f64), (mean, mean));
        }
    }

    #[test]
    fn sure_things_are_sure() {
        let mut draws = Draws::new(3);
        assert_eq!(draws.binomial(40, 0.0), 0);
        assert_eq!(draws.binomial(40, 1.0), 40);
        assert_eq!(draws.binomial(0, 0.5), 0);
        assert_eq!(draws.poisson(0.0), 0);
    }
}
