//! Chance, reckoned once more: Fisher's exact test by adding up ways in floats. Owns that test; it
//! must never be shared with the product, whose own reckoning it is held against.

#![allow(clippy::cast_precision_loss)]

/// How often chance puts at least `found` of all defects into a group of `of` items, one-sided.
pub fn of_group(found: i64, of: i64, rest_found: i64, rest_of: i64) -> f64 {
    let (bad, all) = (found + rest_found, of + rest_of);
    // One item of the group after the other: how the number of defects in it spreads.
    let mut spread = vec![0.0; usize::try_from(of + 1).unwrap_or(1)];
    if let Some(first) = spread.first_mut() {
        *first = 1.0;
    }
    for drawn in 0..of {
        let left = (all - drawn) as f64;
        let mut next = vec![0.0; spread.len()];
        for (count, share) in spread.iter().enumerate() {
            if *share == 0.0 {
                continue;
            }
            let hit = (bad - i64::try_from(count).unwrap_or(0)).max(0) as f64 / left;
            if let Some(place) = next.get_mut(count) {
                *place += share * (1.0 - hit);
            }
            if let Some(place) = next.get_mut(count + 1) {
                *place += share * hit;
            }
        }
        spread = next;
    }
    let from = usize::try_from(found.max(0)).unwrap_or(0);
    spread.iter().skip(from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lady_who_tastes_tea_guesses_right_once_in_seventy() {
        assert!((of_group(4, 4, 0, 4) - 1.0 / 70.0).abs() < 1e-12);
        assert!((of_group(3, 4, 1, 4) - 17.0 / 70.0).abs() < 1e-12);
        assert!((of_group(0, 4, 3, 9) - 1.0).abs() < 1e-12);
    }
}
