//! When an open case is warned of. Owns the threshold of the warning; it must never move a deadline.

/// When an open case is warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// After this share of the working time allowed, in units of 10⁻⁹.
    Share(i128),
    /// When this much working time is left, microseconds.
    Before(i64),
}

/// Of the time allowed, when the service level says nothing.
pub const DEFAULT: Warning = Warning::Share(800_000_000);

impl Warning {
    /// Working time used at which the warning is due, at least none and at most all; a part of a
    /// microsecond counts as a whole.
    #[must_use]
    pub fn used_us(self, threshold_us: i64) -> i64 {
        const WHOLE: i128 = 1_000_000_000;
        let used = match self {
            Self::Share(share) => {
                let part = i128::from(threshold_us) * share.clamp(0, WHOLE);
                i64::try_from((part + WHOLE - 1) / WHOLE).unwrap_or(threshold_us)
            }
            Self::Before(left_us) => threshold_us.saturating_sub(left_us),
        };
        used.clamp(0, threshold_us)
    }
}
