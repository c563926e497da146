//! Many intervals at once.
//!
//! Owns the loops over columns. They give what the single questions give, row by row, and must never
//! give a number where those have none.

use crate::calendar::Calendar;
use crate::error::CoverGap;

/// A row of a batch that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGap {
    /// Place of the row in the batch, from 0.
    pub row: usize,
    /// Why it has none.
    pub gap: CoverGap,
}

/// Why a batch cannot be computed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The columns are not equally long.
    #[error(
        "columns differ in length: {starts} starts, {ends} ends, {out} results; give one of each per row"
    )]
    LengthsDiffer {
        /// Starts given.
        starts: usize,
        /// Ends given.
        ends: usize,
        /// Results asked for.
        out: usize,
    },
}

impl Calendar {
    /// What stands in a row of a batch that has no answer: no sum with it can pass for a number.
    pub const NO_ANSWER_US: i64 = i64::MIN;

    /// [`Calendar::working_us`] of each row of two columns, into a third.
    ///
    /// Right in any order; rows sorted by instant are fastest, as they read the index in order. A row
    /// without an answer holds [`Calendar::NO_ANSWER_US`] and is named in the result, which is empty when every
    /// row has one.
    ///
    /// # Errors
    /// [`SweepError::LengthsDiffer`].
    pub fn working_us_sorted(
        &self,
        starts_us: &[i64],
        ends_us: &[i64],
        out_us: &mut [i64],
    ) -> Result<Vec<RowGap>, SweepError> {
        let (starts, ends, out) = (starts_us.len(), ends_us.len(), out_us.len());
        if starts != ends || starts != out {
            return Err(SweepError::LengthsDiffer { starts, ends, out });
        }
        let mut gaps = Vec::new();
        let rows = starts_us.iter().zip(ends_us).zip(out_us.iter_mut()).enumerate();
        for (row, ((&start_us, &end_us), out)) in rows {
            *out = match self.working_us(start_us, end_us) {
                Ok(worked) => worked,
                Err(gap) => {
                    gaps.push(RowGap { row, gap });
                    Calendar::NO_ANSWER_US
                }
            };
        }
        Ok(gaps)
    }

    /// [`Calendar::worked_before_us`] of each row, for chains of instants; otherwise as
    /// [`Calendar::working_us_sorted`].
    ///
    /// # Errors
    /// [`SweepError::LengthsDiffer`].
    pub fn worked_before_us_sorted(
        &self,
        at_us: &[i64],
        out_us: &mut [i64],
    ) -> Result<Vec<RowGap>, SweepError> {
        let (starts, out) = (at_us.len(), out_us.len());
        if starts != out {
            return Err(SweepError::LengthsDiffer { starts, ends: starts, out });
        }
        let mut gaps = Vec::new();
        for (row, (&at_us, out)) in at_us.iter().zip(out_us.iter_mut()).enumerate() {
            *out = match self.worked_before_us(at_us) {
                Ok(worked) => worked,
                Err(gap) => {
                    gaps.push(RowGap { row, gap });
                    Calendar::NO_ANSWER_US
                }
            };
        }
        Ok(gaps)
    }
}
