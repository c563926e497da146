//! Civil months as numbers. Owns counting in months; it must never know a day.

/// A civil month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// Year and month, the month from 1.
    #[must_use]
    pub fn new(year: i32, month: i32) -> Self {
        Self(year * 12 + month - 1)
    }

    /// Year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// Month of the year, from 1.
    #[must_use]
    pub fn of_year(self) -> i32 {
        self.0.rem_euclid(12) + 1
    }

    /// So many months later, or earlier.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// First month of the year that begins in month `starts_in` (from 1) and holds this one.
    #[must_use]
    pub fn year_start(self, starts_in: i32) -> Self {
        self.plus(-(self.of_year() - starts_in).rem_euclid(12))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.of_year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_year_begins_in_its_own_month() {
        assert_eq!(Month::new(2026, 3).year_start(4), Month::new(2025, 4));
        assert_eq!(Month::new(2026, 4).year_start(4), Month::new(2026, 4));
        assert_eq!(Month::new(2026, 12).plus(1).to_string(), "2027-01");
    }
}
