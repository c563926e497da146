//! Agreement between those who judge the same items: kappa with its interval.
//!
//! Owns two estimators. **Cohen's kappa** (two raters or two passes; Cohen 1960) with the large-sample
//! variance of Fleiss, Cohen and Everitt (1969, eq. 13). **Fleiss' kappa** (any number of ratings, equal
//! for each item, by whomever; Fleiss 1971) with the variance of Gwet (2008; "Handbook of Inter-Rater
//! Reliability", 5.3): items are a sample, the raters are given. The interval is kappa ± 1.959964
//! standard errors, cut to −1 and 1. Floats in fixed order, the four operations and the square root
//! only; results in millionths. It must never say which kappa is good enough.

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_964;
const MILLION: f64 = 1_000_000.0;

/// Kappa and what it rests on, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Items judged.
    pub items: u64,
    /// Judgements that agree: of items for Cohen, of pairs of judgements for Fleiss.
    pub observed: i64,
    /// Agreement that chance alone would give.
    pub expected: i64,
    /// Kappa.
    pub kappa: i64,
    /// Its standard error.
    pub standard_error: i64,
    /// Lower end of the 95 % interval.
    pub lower: i64,
    /// Upper end of the 95 % interval.
    pub upper: i64,
}

impl Agreement {
    fn of(items: u64, observed: f64, expected: f64, kappa: f64, variance: f64) -> Self {
        let error = if variance > 0.0 { variance.sqrt() } else { 0.0 };
        Self {
            items,
            observed: millionths(observed),
            expected: millionths(expected),
            kappa: millionths(kappa),
            standard_error: millionths(error),
            lower: millionths((kappa - Z * error).max(-1.0)),
            upper: millionths((kappa + Z * error).min(1.0)),
        }
    }
}

/// Half away from zero, as `f64::round` does; the values lie between −1 and 1.
#[allow(clippy::cast_possible_truncation)]
fn millionths(value: f64) -> i64 {
    (value * MILLION).round() as i64
}

#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

/// Cohen's kappa from a square table: row = first judgement, column = second, value = items.
///
/// None when the table is not square, holds no item, or everything lies in one category: then
/// agreement cannot be told from chance.
#[must_use]
pub fn cohen(table: &[Vec<u64>]) -> Option<Agreement> {
    let size = table.len();
    if table.iter().any(|row| row.len() != size) {
        return None;
    }
    let items: u64 = table.iter().flatten().sum();
    if items == 0 {
        return None;
    }
    let n = float(items);
    let rows: Vec<f64> = table.iter().map(|row| float(row.iter().sum::<u64>()) / n).collect();
    let columns: Vec<f64> = (0..size)
        .map(|column| float(table.iter().filter_map(|row| row.get(column)).sum::<u64>()) / n)
        .collect();
    let mut observed = 0.0;
    let mut expected = 0.0;
    for (place, (row, column)) in rows.iter().zip(&columns).enumerate() {
        observed += share(table, place, place, n);
        expected += row * column;
    }
    if expected >= 1.0 - 1e-12 {
        return None;
    }
    let (apart, unlike) = (1.0 - expected, 1.0 - observed);
    let kappa = (observed - expected) / apart;
    let (mut on, mut off) = (0.0, 0.0);
    for (i, (row_i, column_i)) in rows.iter().zip(&columns).enumerate() {
        for (j, row_j) in rows.iter().enumerate() {
            let here = share(table, i, j, n);
            if i == j {
                let weight = apart - (row_i + column_i) * unlike;
                on += here * weight * weight;
            } else {
                let weight = column_i + row_j;
                off += here * weight * weight;
            }
        }
    }
    let centre = observed * expected - 2.0 * expected + observed;
    let variance =
        (on + unlike * unlike * off - centre * centre) / (n * apart * apart * apart * apart);
    Some(Agreement::of(items, observed, expected, kappa, variance))
}

fn share(table: &[Vec<u64>], row: usize, column: usize, n: f64) -> f64 {
    let cell = table.get(row).and_then(|row| row.get(column));
    float(cell.copied().unwrap_or_default()) / n
}

/// Fleiss' kappa: one row for each item, one column for each category, value = judgements.
///
/// None when there are fewer than two items, items have fewer than two or unlike numbers of
/// judgements, or everything lies in one category.
#[must_use]
pub fn fleiss(counts: &[Vec<u64>]) -> Option<Agreement> {
    let first = counts.first()?;
    let judgements: u64 = first.iter().sum();
    let alike = |row: &Vec<u64>| row.len() == first.len() && row.iter().sum::<u64>() == judgements;
    if counts.len() < 2 || judgements < 2 || !counts.iter().all(alike) {
        return None;
    }
    let (items, r) = (counts.len() as u64, float(judgements));
    let n = float(items);
    let shares: Vec<f64> = (0..first.len())
        .map(|category| {
            float(counts.iter().filter_map(|row| row.get(category)).sum::<u64>()) / (n * r)
        })
        .collect();
    let expected = shares.iter().fold(0.0, |sum, share| sum + share * share);
    if expected >= 1.0 - 1e-12 {
        return None;
    }
    let of_item = |row: &Vec<u64>| {
        let pairs: u64 = row.iter().map(|count| count * count.saturating_sub(1)).sum();
        float(pairs) / (r * (r - 1.0))
    };
    let observed = counts.iter().fold(0.0, |sum, row| sum + of_item(row)) / n;
    let apart = 1.0 - expected;
    let kappa = (observed - expected) / apart;
    let mut squares = 0.0;
    for row in counts {
        let alone = (of_item(row) - expected) / apart;
        let chance = row
            .iter()
            .zip(&shares)
            .fold(0.0, |sum, (count, share)| sum + share * float(*count) / r);
        let corrected = alone - 2.0 * (1.0 - kappa) * (chance - expected) / apart;
        squares += (corrected - kappa) * (corrected - kappa);
    }
    let variance = squares / (n * (n - 1.0));
    Some(Agreement::of(items, observed, expected, kappa, variance))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn thirty_patients_and_six_raters_give_the_published_kappa() {
        let root = std::env::var_os("BACKSTAY_TEST_DATA")
            .map_or_else(|| std::path::PathBuf::from("../../../shared/data"), Into::into);
        let path = root.join("quality/fleiss_1971_diagnoses.csv");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; set BACKSTAY_TEST_DATA", path.display()));
        let rows: Vec<Vec<&str>> =
            text.lines().skip(1).map(|row| row.split(',').collect()).collect();
        let mut words: BTreeMap<&str, usize> = BTreeMap::new();
        for word in rows.iter().flatten() {
            let next = words.len();
            words.entry(word).or_insert(next);
        }
        let counts: Vec<Vec<u64>> = rows
            .iter()
            .map(|row| {
                let mut counts = vec![0; words.len()];
                row.iter().for_each(|word| counts[words[word]] += 1);
                counts
            })
            .collect();
        let found = fleiss(&counts).unwrap();
        assert_eq!((counts.len(), words.len()), (30, 5));
        assert_eq!(found.kappa, 430_245);
        // Gwet's variance by an independent reckoning.
        assert_eq!((found.standard_error, found.lower, found.upper), (54199, 324017, 536472));
    }

    #[test]
    fn cohen_and_its_interval_agree_with_a_reckoning_elsewhere() {
        // Fleiss, Levin and Paik, table 18.1: 100 items, observed 0.89, by chance 0.66.
        let found = cohen(&[vec![75, 1, 4], vec![5, 4, 1], vec![0, 0, 10]]).unwrap();
        assert_eq!((found.items, found.observed, found.expected), (100, 890000, 660000));
        assert_eq!((found.kappa, found.standard_error), (676471, 87703));
    }

    #[test]
    fn full_agreement_is_one_and_chance_is_nought() {
        let full = cohen(&[vec![10, 0], vec![0, 5]]).unwrap();
        assert_eq!(
            (full.kappa, full.standard_error, full.lower, full.upper),
            (1_000_000, 0, 1_000_000, 1_000_000)
        );
        let chance = cohen(&[vec![25, 25], vec![25, 25]]).unwrap();
        assert_eq!(chance.kappa, 0);
        assert!(chance.lower < 0 && chance.upper > 0);
        let against = cohen(&[vec![0, 5], vec![5, 0]]).unwrap();
        assert_eq!(against.kappa, -1_000_000);
    }

    #[test]
    fn where_everything_is_of_one_kind_there_is_no_kappa() {
        assert_eq!(cohen(&[vec![40, 0], vec![0, 0]]), None);
        assert_eq!(cohen(&[]), None);
        assert_eq!(cohen(&[vec![1, 2]]), None);
        assert_eq!(fleiss(&[vec![3, 0], vec![3, 0]]), None);
        assert_eq!(fleiss(&[vec![3, 0], vec![1, 1]]), None);
        assert_eq!(fleiss(&[vec![1, 2]]), None);
    }
}
