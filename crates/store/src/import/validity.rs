//! Spans of civil days in which register rows of one key hold, and which of them overlap. Knows
//! nothing of tables.

use std::collections::BTreeMap;

use backstay_evidence::RowRef;

/// Half-open days. An open end holds until the next row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First day; `i32::MIN`: from the beginning.
    pub(crate) from: i32,
    /// First day after; `i32::MAX`: open.
    pub(crate) to: i32,
}

/// A row that wants to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proposal {
    pub(crate) span: Span,
    pub(crate) record: u32,
    pub(crate) ordinal: u32,
}

/// Ordinals of the proposals that overlap what holds or an earlier proposal, each with the row in
/// its way, in words. What already holds is never questioned.
pub(crate) fn overlaps(
    standing: impl Iterator<Item = (Span, RowRef)>,
    proposals: &[Proposal],
) -> Vec<(u32, String)> {
    let mut holding: BTreeMap<i32, (i32, String)> = BTreeMap::new();
    for (span, row) in standing {
        holding.insert(span.from, (span.to, format!("row {row}")));
    }
    let mut found = Vec::new();
    for Proposal { span, record, ordinal } in proposals {
        let before = holding.range(..span.from).next_back();
        let after = holding.range(span.from.saturating_add(1)..).next();
        let covered = before.filter(|(_, (to, _))| *to != i32::MAX && *to > span.from);
        let covers = after.filter(|(from, _)| span.to != i32::MAX && **from < span.to);
        match covered.or(covers) {
            Some((_, (_, other))) => found.push((*ordinal, other.clone())),
            None => {
                holding.insert(span.from, (span.to, format!("record {record} of this file")));
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn ordinals(standing: &[(i32, i32)], proposals: &[(i32, i32)]) -> Vec<u32> {
        let standing = standing
            .iter()
            .map(|(from, to)| (Span { from: *from, to: *to }, RowRef { entry: 1, record: 1 }));
        let proposals: Vec<Proposal> = proposals
            .iter()
            .zip(0..)
            .map(|((from, to), n)| Proposal {
                span: Span { from: *from, to: *to },
                record: n + 1,
                ordinal: n,
            })
            .collect();
        overlaps(standing, &proposals).into_iter().map(|(ordinal, _)| ordinal).collect()
    }

    #[test]
    fn an_open_row_followed_by_a_later_one_is_no_overlap() {
        assert_eq!(ordinals(&[(0, i32::MAX)], &[(10, i32::MAX), (5, 10)]), Vec::<u32>::new());
    }

    #[test]
    fn a_row_that_begins_inside_an_explicit_span_overlaps() {
        assert_eq!(ordinals(&[(0, 10)], &[(9, 20), (10, 20)]), vec![0]);
    }

    #[test]
    fn an_explicit_span_that_reaches_over_a_later_beginning_overlaps() {
        assert_eq!(ordinals(&[(10, i32::MAX)], &[(0, 11), (0, 10)]), vec![0]);
    }

    #[test]
    fn the_first_of_two_overlapping_newcomers_is_kept() {
        assert_eq!(ordinals(&[], &[(0, 10), (5, 15), (10, 20)]), vec![1]);
    }

    #[test]
    fn a_row_from_the_beginning_comes_before_all() {
        assert_eq!(ordinals(&[(i32::MIN, 5)], &[(4, 6), (5, 6)]), vec![0]);
    }
}
