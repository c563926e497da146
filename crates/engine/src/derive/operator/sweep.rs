//! The way through the work log: row groups in order of their least case, each case judged once no
//! row group still to come can hold it. Owns what is in memory at a time; rows come in order of case,
//! then service level, then segment, however many threads there are.

use std::{ops::Range, sync::Arc};

use arrow::array::RecordBatch;

use super::{
    Ask, Operator,
    code::LevelCode,
    gather::{Cases, Gathered, Ties},
    kernel::{Answer, Events, Head, Kernel, Segment, word},
    log::{NEVER, Piece, Reading},
    rows::{Columns, Row},
    symbol::{NONE, Symbol},
};
use crate::{
    derive::{
        case::{Case, Event},
        clock::{self, CaseClock, Choice},
        terms::{Exclusion, ServiceLevel, Versions},
    },
    error::EngineError,
    parallel,
    tables::group::GroupKey,
};

/// Cases judged in one piece of work, about.
const CASES: usize = 8_192;

/// A question on its way through the log.
pub(crate) struct Sweep {
    operator: Arc<Operator>,
    ask: Ask,
    reading: Reading,
    threads: usize,
    /// Row groups still to be read, the next one last.
    groups: Vec<GroupKey>,
    /// Row groups read, in the order of reading, and how many runs of each are judged.
    pieces: Vec<Piece>,
    judged: Vec<usize>,
    /// Cases to be judged now: runs of pieces.
    ready: Vec<Vec<(usize, Range<usize>)>>,
    /// Rows that are found and not handed out, the next ones last.
    held: Vec<RecordBatch>,
    is_done: bool,
}

/// One piece of work of a step.
enum Job<'a> {
    Read(&'a GroupKey),
    Judge(&'a [(usize, Range<usize>)]),
}

enum Done {
    Read(Box<Piece>),
    Judged(Option<RecordBatch>),
}

impl Sweep {
    /// Starts a question.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub(crate) fn new(
        operator: Arc<Operator>,
        ask: Ask,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let mut groups = operator.events.row_groups("case_id")?;
        groups.retain(|group| ask.cases.iter().all(|case| may_hold(group, case)));
        groups.sort_by(|a, b| b.least.cmp(&a.least));
        let reading = operator.reading(&ask);
        Ok(Self {
            operator,
            ask,
            reading,
            threads: threads.max(1),
            groups,
            pieces: Vec::new(),
            judged: Vec::new(),
            ready: Vec::new(),
            held: Vec::new(),
            is_done: false,
        })
    }

    /// Reads the next row groups while the cases of the last ones are judged.
    fn step(&mut self) -> Result<Vec<RecordBatch>, EngineError> {
        let at = self.groups.len().saturating_sub(2 * self.threads);
        let next = self.groups.split_off(at);
        let ready = std::mem::take(&mut self.ready);
        let jobs: Vec<Job<'_>> = next
            .iter()
            .rev()
            .map(Job::Read)
            .chain(ready.iter().map(|parts| Job::Judge(parts)))
            .collect();
        let (operator, ask, pieces) = (&self.operator, &self.ask, &self.pieces);
        let work = |job: &Job<'_>| match job {
            Job::Read(key) => Piece::read(&operator.events, key, self.reading, &operator.symbols)
                .map(|piece| Done::Read(Box::new(piece))),
            Job::Judge(parts) => operator.judge(pieces, parts, ask).map(Done::Judged),
        };
        let mut found = Vec::new();
        let mut read = Vec::new();
        for done in parallel::map(&jobs, self.threads, work) {
            match done? {
                Done::Read(piece) => read.push(*piece),
                Done::Judged(batch) => found.extend(batch),
            }
        }
        self.forget();
        for piece in read {
            self.pieces.push(piece);
            self.judged.push(0);
        }
        self.is_done = self.groups.is_empty() && self.pieces.is_empty();
        self.prepare();
        Ok(found)
    }

    /// Lets go of pieces of which every case is judged.
    fn forget(&mut self) {
        let mut judged = self.judged.iter();
        let unfinished = |piece: &Piece| judged.next().is_some_and(|n| *n < piece.runs.len());
        let keep: Vec<bool> = self.pieces.iter().map(unfinished).collect();
        let mut kept = keep.iter();
        self.pieces.retain(|_| kept.next().copied().unwrap_or(false));
        let mut kept = keep.iter();
        self.judged.retain(|_| kept.next().copied().unwrap_or(false));
    }

    /// Sets aside the cases that no row group still to come can hold.
    fn prepare(&mut self) {
        let horizon = self.groups.last().map(|group| group.least.as_slice());
        let mut open: Vec<(usize, Range<usize>)> = Vec::new();
        for (n, (piece, judged)) in self.pieces.iter().zip(&mut self.judged).enumerate() {
            let end = match horizon {
                Some(least) => piece.runs.partition_point(|run| piece.id(run).as_bytes() < least),
                None => piece.runs.len(),
            };
            if end > *judged {
                open.push((n, *judged..end));
                *judged = end;
            }
        }
        self.ready = split(&self.pieces, open);
    }
}

/// Whether a row group may hold a case.
fn may_hold(group: &GroupKey, case: &str) -> bool {
    let least = group.least.as_slice() <= case.as_bytes();
    least && group.most.as_ref().is_none_or(|most| case.as_bytes() <= most.as_slice())
}

/// Cuts runs into pieces of work of some thousand cases, never through a case.
fn split(
    pieces: &[Piece],
    mut open: Vec<(usize, Range<usize>)>,
) -> Vec<Vec<(usize, Range<usize>)>> {
    let id = |piece: usize, run: usize| {
        let piece = pieces.get(piece)?;
        Some(piece.id(piece.runs.get(run)?))
    };
    let total: usize = open.iter().map(|(_, runs)| runs.len()).sum();
    let mut cuts: Vec<&str> = Vec::new();
    for (piece, runs) in &open {
        let own = runs.clone().step_by(CASES / 4);
        cuts.extend(own.filter_map(|run| id(*piece, run)));
    }
    cuts.sort_unstable();
    cuts.dedup();
    // A cut for every few thousand runs; more of them than that do no good.
    let every = (cuts.len() * CASES / total.max(1)).max(1);
    let cuts: Vec<&str> = cuts.into_iter().step_by(every).skip(1).collect();
    let mut works = Vec::with_capacity(cuts.len() + 1);
    for cut in cuts.iter().map(|cut| Some(*cut)).chain([None]) {
        let mut parts = Vec::new();
        for (piece, runs) in &mut open {
            let Some(held) = pieces.get(*piece) else { continue };
            let own = held.runs.get(runs.clone()).unwrap_or_default();
            let count = match cut {
                Some(cut) => own.partition_point(|run| held.id(run) < cut),
                None => own.len(),
            };
            if count > 0 {
                parts.push((*piece, runs.start..runs.start + count));
                runs.start += count;
            }
        }
        if !parts.is_empty() {
            works.push(parts);
        }
    }
    works
}

impl Iterator for Sweep {
    type Item = Result<Vec<RecordBatch>, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let step = self.step();
        self.is_done |= step.is_err();
        Some(step)
    }
}

impl Sweep {
    /// Memory held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(Piece::bytes).sum()
    }

    /// Keeps rows of a step, the next ones last, until they are taken.
    pub(crate) fn hold(&mut self, found: Vec<RecordBatch>) {
        self.held = found;
    }

    /// The next of the rows that are kept.
    pub(crate) fn take_batch(&mut self) -> Option<RecordBatch> {
        self.held.pop()
    }
}

impl Operator {
    /// Judges some cases.
    fn judge(
        &self,
        pieces: &[Piece],
        parts: &[(usize, Range<usize>)],
        ask: &Ask,
    ) -> Result<Option<RecordBatch>, EngineError> {
        let cases = Cases::new(pieces, parts);
        let ties = Ties::read(&self.events, pieces, &cases)?;
        let mut gathered = Gathered::default();
        let mut judge = Judge {
            operator: self,
            ask,
            kernel: Kernel::new(&self.terms, &self.symbols, &self.code, self.as_of_us),
            metrics: ask.metrics.iter().map(|metric| self.symbols.number(metric)).collect(),
            segments: Vec::new(),
            columns: Columns::new(ask, self.words),
        };
        for runs in cases.iter() {
            let Some((piece, run)) = runs.first() else { continue };
            let Some(id) = pieces.get(*piece).map(|piece| piece.id(run)) else { continue };
            if ask.cases.iter().any(|case| case != id) {
                continue;
            }
            let events = gathered.events(pieces, runs, &ties, &self.symbols);
            judge.case(id, &events);
        }
        judge.columns.finish(&self.symbols)
    }
}

/// Judges case after case.
struct Judge<'a> {
    operator: &'a Operator,
    ask: &'a Ask,
    kernel: Kernel<'a>,
    metrics: Vec<Symbol>,
    segments: Vec<Segment>,
    columns: Columns,
}

/// Which version judged, and what is known of the case beside its clock.
#[derive(Clone, Copy)]
struct Around {
    level: Symbol,
    metric: Symbol,
    threshold_us: Option<i64>,
    terms_ref: i64,
    excluded: Symbol,
    refused: Symbol,
    gap: Symbol,
    incomplete: bool,
}

impl Judge<'_> {
    fn case(&mut self, id: &str, events: &Events<'_>) {
        let seen = events.at.partition_point(|at| *at < self.operator.as_of_us);
        if seen == 0 {
            return;
        }
        let events = &before(events, seen);
        let terms = &self.operator.terms;
        let incomplete = !terms.has_no_quarantine() && terms.quarantined(id).is_some();
        let mut plain: Option<Case> = None;
        self.columns.next_case();
        let levels = self.operator.code.levels.iter().zip(terms.service_levels.values());
        for ((level_id, codes), versions) in levels {
            let other = self.ask.levels.iter().any(|wanted| wanted.as_str() != level_id.as_ref());
            if other || !codes.iter().any(|code| self.is_asked(code.metric)) {
                continue;
            }
            match self.kernel.clock(codes, events, &mut self.segments) {
                Answer::Elsewhere => {}
                Answer::Known(head, place) => {
                    let Some(code) = codes.get(place) else { continue };
                    let mut around = Around { incomplete, ..Around::of(code) };
                    if !terms.has_no_exclusion()
                        && let Some((_, _, level)) = versions.iter().nth(place)
                        && let Some(found) = terms.exclusion(level, id, head.counted_us)
                    {
                        let symbols = &self.operator.symbols;
                        match found {
                            Exclusion::Accepted { reason, .. } => {
                                around.excluded = symbols.number(reason);
                            }
                            Exclusion::Refused { why, .. } => around.refused = symbols.number(&why),
                        }
                    }
                    self.push(id, &head, around);
                }
                Answer::Unusual => {
                    let case = plain.get_or_insert_with(|| self.operator.plain(id, events));
                    self.unusual(case, versions, incomplete);
                }
            }
        }
    }

    fn is_asked(&self, metric: Symbol) -> bool {
        self.metrics.iter().all(|wanted| *wanted == metric)
    }

    /// The answer of the plain path.
    fn unusual(&mut self, case: &Case, versions: &Versions<ServiceLevel>, incomplete: bool) {
        let Operator { terms, symbols, as_of_us, .. } = self.operator;
        let clock = clock::case_clock(terms, versions, case, *as_of_us, &Choice::default());
        let Some(clock) = clock else { return };
        self.segments.clear();
        let words = |word: &Option<Arc<str>>| symbols.maybe(word.as_deref());
        self.segments.extend(clock.segments.iter().map(|segment| Segment {
            start_us: segment.start_us,
            end_us: segment.end_us,
            is_open: segment.is_open,
            state: words(&segment.state),
            team: words(&segment.team),
            priority: words(&segment.priority),
            site: words(&segment.site),
            calendar: words(&segment.calendar),
            run: segment.run,
            working_us: segment.working_us,
            paused_us: segment.paused_us,
            elapsed_us: segment.elapsed_us,
            row_ref: segment.row_ref,
        }));
        let CaseClock { level, opened_us, started_us, closed_us, total_us, .. } = clock;
        let (due_us, counted_us, outcome) = (clock.due_us, clock.counted_us, clock.outcome);
        let head = Head { opened_us, started_us, closed_us, total_us, due_us, counted_us, outcome };
        let around = Around {
            level: symbols.number(&level.id),
            metric: symbols.number(&level.metric_id),
            threshold_us: level.threshold_us,
            terms_ref: level.row_ref,
            excluded: symbols.maybe(clock.excluded),
            refused: symbols.maybe(clock.refused.as_deref()),
            gap: clock.gap.map_or(NONE, |gap| symbols.number(&gap.to_string())),
            incomplete,
        };
        self.push(&case.id, &head, around);
    }

    fn push(&mut self, id: &str, head: &Head, around: Around) {
        if !self.ask.counted.holds(head.counted_us) || !self.is_asked(around.metric) {
            return;
        }
        let count = self.segments.len();
        let first = if self.ask.only_last { count.saturating_sub(1) } else { 0 };
        for (n, segment) in self.segments.iter().enumerate().skip(first) {
            let Around { level, metric, threshold_us, terms_ref, .. } = around;
            let Around { excluded, refused, gap, incomplete, .. } = around;
            let row = Row {
                level,
                metric,
                threshold_us,
                terms_ref,
                head,
                excluded,
                refused,
                gap,
                incomplete,
                segment,
                number: n + 1,
                is_last: n + 1 == count,
            };
            self.columns.push(id, &row);
        }
    }
}

impl Around {
    fn of(code: &LevelCode) -> Self {
        Self {
            level: code.id,
            metric: code.metric,
            threshold_us: code.threshold_us,
            terms_ref: code.row_ref,
            excluded: NONE,
            refused: NONE,
            gap: NONE,
            incomplete: false,
        }
    }
}

/// The first events.
fn before<'a>(events: &Events<'a>, count: usize) -> Events<'a> {
    fn part<T>(column: &[T], count: usize) -> &[T] {
        column.get(..count).unwrap_or_default()
    }
    Events {
        at: part(events.at, count),
        opened: part(events.opened, count),
        state: part(events.state, count),
        team: part(events.team, count),
        site: part(events.site, count),
        priority: part(events.priority, count),
        case_type: part(events.case_type, count),
        activity: part(events.activity, count),
        person: part(events.person, count),
        refs: part(events.refs, count),
    }
}

impl Operator {
    /// A case as the plain path takes it. It asks neither for activities nor for event ids, once
    /// events are in order.
    fn plain(&self, id: &str, events: &Events<'_>) -> Case {
        let instant =
            |column: &[i64], row: usize| column.get(row).copied().filter(|at| *at != NEVER);
        let text = |column: &[Symbol], row: usize| self.symbols.word(word(column, row));
        let event = |row: usize| Event {
            at_us: instant(events.at, row).unwrap_or_default(),
            opened_us: instant(events.opened, row),
            activity: text(events.activity, row),
            state: text(events.state, row),
            team: text(events.team, row),
            site: text(events.site, row),
            priority: text(events.priority, row),
            case_type: text(events.case_type, row),
            has_person: events.person.get(row).copied().unwrap_or(false),
            event_id: None,
            row_ref: events.refs.get(row).copied().unwrap_or_default(),
        };
        Case { id: id.into(), events: (0..events.at.len()).map(event).collect() }
    }
}
