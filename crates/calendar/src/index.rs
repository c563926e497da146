//! The index over worked time: runs of open time with prefix sums, found in constant time.
//!
//! Owns the function W(t), "working time from the start of cover to t", and its inverses. It knows
//! instants only and must never know zones, dates or holidays.
//!
//! Runs are sorted and disjoint. Time is cut into buckets of equal length, so that the bucket of an
//! instant is a subtraction and a shift. The bucket is so long that nearly all hold at most one
//! opening; then W inside it is a sum of two clamped lines, kept in one [`Slot`], and a look-up is one
//! read of memory without a branch that depends on the data. The few buckets with more openings are
//! marked and answered from the runs.

use crate::spans::Span;

/// A run of open time, and the work done before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) before: i64,
}

/// W over `[origin, end]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkIndex {
    origin: i64,
    end: i64,
    /// `end - origin`.
    length: u64,
    /// Bucket length as a power of two of microseconds.
    shift: u32,
    slots: Vec<Slot>,
    /// Per bucket, the last run that starts at or before the bucket's first instant; one more than
    /// there are buckets, so that a bucket's runs are `heads[b]..=heads[b + 1]`.
    heads: Vec<u32>,
    /// First an empty run at `origin`, last an empty one at the end of time, between them the open runs.
    runs: Vec<Run>,
    total: i64,
}

/// W inside one bucket: `base + min(t, until) + clamp(t, opens, closes)`, where `until` is the end of
/// the run that reaches furthest into the bucket and `opens..closes` the run that starts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    base: i64,
    until: i64,
    opens: i64,
    closes: i64,
}

impl Slot {
    /// More than one run starts in the bucket; told by closing before opening.
    const CROWDED: Slot = Slot { base: 0, until: 0, opens: 1, closes: 0 };

    fn new(reaching: Run, starting: Option<Run>) -> Slot {
        let base = reaching.before - reaching.start;
        let none = Slot { base, until: reaching.end, opens: 0, closes: 0 };
        starting.map_or(none, |run| Slot {
            base: base - run.start,
            opens: run.start,
            closes: run.end,
            ..none
        })
    }

    #[inline]
    fn worked_before(self, at: i64) -> Option<i64> {
        let crowded = self.closes < self.opens;
        // Not `clamp`, which would check its bounds a second time.
        if crowded {
            None
        } else {
            Some(self.base + at.min(self.until) + at.max(self.opens).min(self.closes))
        }
    }
}

/// Bounds of the bucket length, as powers of two of microseconds: 33 seconds and 39 years.
const SHIFTS: std::ops::RangeInclusive<u32> = 25..=50;

impl WorkIndex {
    /// Over sorted, disjoint, non-empty `spans` inside `[origin, end]`.
    pub(crate) fn new(origin: i64, end: i64, spans: &[Span]) -> WorkIndex {
        let mut runs = Vec::with_capacity(spans.len() + 2);
        runs.push(Run { start: origin, end: origin, before: 0 });
        let mut total = 0;
        for &(start, end) in spans {
            runs.push(Run { start, end, before: total });
            total += end - start;
        }
        runs.push(Run { start: i64::MAX, end: i64::MAX, before: total });
        let length = end.abs_diff(origin);
        let shift = bucket_shift(origin, length, spans);
        let heads = bucket_heads(origin, length, shift, spans);
        let slots = heads.windows(2).map(|pair| slot(pair, &runs)).collect();
        WorkIndex { origin, end, length, shift, slots, heads, runs, total }
    }

    /// First instant of W.
    #[inline]
    pub(crate) fn origin(&self) -> i64 {
        self.origin
    }

    /// Last instant of W.
    #[inline]
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// W(t); `None` outside `[origin, end]`.
    #[inline]
    pub(crate) fn worked_before(&self, at: i64) -> Option<i64> {
        let slot = self.slots.get(self.bucket(at)?)?;
        slot.worked_before(at).or_else(|| self.worked_before_crowded(at))
    }

    #[cold]
    fn worked_before_crowded(&self, at: i64) -> Option<i64> {
        let run = self.runs.get(self.locate(at)?)?;
        Some(run.before + at.min(run.end) - run.start)
    }

    #[inline]
    fn bucket(&self, at: i64) -> Option<usize> {
        // An instant before the origin wraps to a distance beyond every length.
        let distance = at.wrapping_sub(self.origin) as u64;
        if distance > self.length { None } else { Some((distance >> self.shift) as usize) }
    }

    /// The last run that starts at or before `at`; `None` outside `[origin, end]`.
    fn locate(&self, at: i64) -> Option<usize> {
        let bucket = self.bucket(at)?;
        let (low, high) =
            (*self.heads.get(bucket)? as usize, *self.heads.get(bucket + 1)? as usize);
        let candidates = self.runs.get(low + 1..=high)?;
        Some(low + candidates.partition_point(|run| run.start <= at))
    }

    /// The runs from the last one that starts at or before `at` on; the first may have ended already
    /// or be empty. None at all outside `[origin, end]`.
    pub(crate) fn runs_from(&self, at: i64) -> &[Run] {
        let last = self.runs.len().saturating_sub(1);
        self.locate(at).and_then(|first| self.runs.get(first..last)).unwrap_or_default()
    }

    /// Earliest t at or after `from` with W(t) - W(from) = `work`; `None` when the cover ends first.
    pub(crate) fn add(&self, from: i64, work: i64) -> Option<i64> {
        let target = self.worked_before(from)?.checked_add(work)?;
        if work == 0 {
            return Some(from);
        }
        if target > self.total {
            return None;
        }
        // The first run by whose end the target is reached; usually near, so double the stride.
        let reached = |run: &Run| run.before + (run.end - run.start) >= target;
        let mut low = self.locate(from)?;
        let mut stride = 1;
        while self.runs.get(low + stride).is_some_and(|run| !reached(run)) {
            low += stride;
            stride *= 2;
        }
        let high = (low + stride + 1).min(self.runs.len());
        let near = self.runs.get(low..high)?;
        let run = near.get(near.partition_point(|run| !reached(run)))?;
        Some(run.start + (target - run.before))
    }

    /// Latest t at or before `from` with W(from) - W(t) = `work`; `None` when the cover begins after.
    pub(crate) fn subtract(&self, from: i64, work: i64) -> Option<i64> {
        let target = self.worked_before(from)?.checked_sub(work)?;
        if work == 0 {
            return Some(from);
        }
        if target < 0 {
            return None;
        }
        // The last run before which no more than the target was worked, looked for from near to far.
        let within = |run: &Run| run.before <= target;
        let mut high = self.locate(from)? + 1;
        let mut stride = 1;
        while high > stride && self.runs.get(high - stride).is_some_and(|run| !within(run)) {
            high -= stride;
            stride *= 2;
        }
        let low = high.saturating_sub(stride);
        let near = self.runs.get(low..high.max(low + 1))?;
        let run = near.get(near.partition_point(within).checked_sub(1)?)?;
        Some(run.start + (target - run.before))
    }
}

/// The longest bucket of which hardly any holds two openings, within bounds of length and of table.
fn bucket_shift(origin: i64, length: u64, spans: &[Span]) -> u32 {
    let most_buckets = spans.len() as u64 * 8 + 64;
    let bearable = spans.len() / 256;
    let mut shift = *SHIFTS.end();
    while shift > *SHIFTS.start() && length >> (shift - 1) <= most_buckets {
        let bucket = |span: &Span| span.0.abs_diff(origin) >> shift;
        let shared =
            spans.windows(2).filter(|pair| matches!(pair, [a, b] if bucket(a) == bucket(b)));
        if shared.count() <= bearable {
            break;
        }
        shift -= 1;
    }
    shift
}

fn slot(heads: &[u32], runs: &[Run]) -> Slot {
    let [low, high] = *heads else { return Slot::CROWDED };
    let run = |place: u32| runs.get(place as usize).copied();
    match (high - low, run(low)) {
        (0, Some(reaching)) => Slot::new(reaching, None),
        (1, Some(reaching)) => Slot::new(reaching, run(high)),
        _ => Slot::CROWDED,
    }
}

fn bucket_heads(origin: i64, length: u64, shift: u32, spans: &[Span]) -> Vec<u32> {
    let buckets = (length >> shift) + 1;
    let mut heads = Vec::with_capacity(buckets as usize + 1);
    let mut place = 0_u32;
    let mut starts = spans.iter().map(|span| span.0).peekable();
    for bucket in 0..=buckets {
        let first = origin.saturating_add((bucket << shift) as i64);
        while starts.next_if(|start| *start <= first).is_some() {
            place += 1;
        }
        heads.push(place);
    }
    heads
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// W by its definition.
    fn worked(spans: &[Span], at: i64) -> i64 {
        spans.iter().map(|&(start, end)| (at.min(end) - start).max(0)).sum()
    }

    fn index_of(distances: &[(i64, i64)], lead: i64, tail: i64) -> (WorkIndex, Vec<Span>, Span) {
        let mut spans = Vec::new();
        let mut at = -1_000_000_000_000 + lead;
        for &(gap, length) in distances {
            spans.push((at + gap, at + gap + length));
            at += gap + length;
        }
        let cover = (-1_000_000_000_000, at + tail);
        (WorkIndex::new(cover.0, cover.1, &spans), spans, cover)
    }

    #[test]
    fn a_cover_without_open_time_answers_nought_and_adds_nothing() {
        let index = WorkIndex::new(-5, 5, &[]);
        assert_eq!(index.worked_before(-5), Some(0));
        assert_eq!(index.worked_before(5), Some(0));
        assert_eq!(index.worked_before(6), None);
        assert_eq!(index.worked_before(-6), None);
        assert_eq!(index.worked_before(i64::MIN), None);
        assert_eq!(index.worked_before(i64::MAX), None);
        assert_eq!(index.add(-5, 0), Some(-5));
        assert_eq!(index.add(-5, 1), None);
        assert_eq!(index.subtract(5, 1), None);
    }

    #[test]
    fn an_amount_too_large_for_the_sum_is_no_answer() {
        let index = WorkIndex::new(0, 100, &[(10, 20)]);
        assert_eq!(index.add(20, i64::MAX), None);
        assert_eq!(index.subtract(20, i64::MAX), None);
    }

    #[test]
    fn starts_crowded_into_one_part_of_a_long_cover_are_found_by_halving() {
        let mut spans: Vec<Span> =
            (0..5_000).map(|place| (place * 120_000_000, place * 120_000_000 + 7)).collect();
        spans.push((3_000_000_000_000_000, 3_000_000_000_000_009));
        let index = WorkIndex::new(-1, 3_100_000_000_000_000, &spans);
        assert!(index.slots.contains(&Slot::CROWDED));
        for place in [0, 1, 2, 1_234, 4_999] {
            let start = place * 120_000_000;
            assert_eq!(index.worked_before(start), Some(place * 7));
            assert_eq!(index.worked_before(start + 3), Some(place * 7 + 3));
            assert_eq!(index.worked_before(start + 9), Some(place * 7 + 7));
        }
        assert_eq!(index.worked_before(3_000_000_000_000_004), Some(5_000 * 7 + 4));
        assert_eq!(index.worked_before(3_100_000_000_000_000), Some(5_000 * 7 + 9));
    }

    proptest! {
        #[test]
        fn w_and_its_inverses_agree_with_their_definitions(
            distances in prop::collection::vec((1_i64..40_000_000_000, 1_i64..40_000_000_000), 1..60),
            lead in 0_i64..90_000_000_000,
            tail in 0_i64..90_000_000_000,
            places in prop::collection::vec(0_u64..u64::MAX, 40),
            work in 0_i64..90_000_000_000,
        ) {
            let (index, spans, cover) = index_of(&distances, lead, tail);
            let length = (cover.1 - cover.0) as u64 + 1;
            let edges = spans.iter().flat_map(|span| [span.0 - 1, span.0, span.1 - 1, span.1]);
            let instants = places.iter().map(|place| cover.0 + (place % length) as i64);
            for at in instants.chain(edges).filter(|at| (cover.0..=cover.1).contains(at)) {
                prop_assert_eq!(index.worked_before(at), Some(worked(&spans, at)));
                match index.add(at, work) {
                    Some(done) => {
                        prop_assert_eq!(worked(&spans, done) - worked(&spans, at), work);
                        prop_assert!(work == 0 || worked(&spans, done - 1) - worked(&spans, at) < work);
                    }
                    None => prop_assert!(worked(&spans, cover.1) - worked(&spans, at) < work),
                }
                match index.subtract(at, work) {
                    Some(begun) => {
                        prop_assert_eq!(worked(&spans, at) - worked(&spans, begun), work);
                        prop_assert!(work == 0 || worked(&spans, at) - worked(&spans, begun + 1) < work);
                    }
                    None => prop_assert!(worked(&spans, at) < work),
                }
            }
        }
    }
}
