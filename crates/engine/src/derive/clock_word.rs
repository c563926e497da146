//! The words of a clock: what it does in a segment, and what became of a case. Owns the words as they
//! stand in `case_clock`; it must never decide between them.

/// What the clock does in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Run {
    /// Working time counts.
    Running,
    /// The case waits for somebody else.
    Paused,
    /// Not started, or done.
    Stopped,
    /// It should run, but nobody knows by which hours.
    Gap,
}

impl Run {
    /// As in `case_clock.clock`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Gap => "gap",
        }
    }
}

/// What became of a case under a service level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Done in time.
    Met,
    /// Done too late.
    Missed,
    /// Not done, and its deadline has not passed.
    Open,
    /// Not done, and its deadline has passed.
    Overdue,
    /// Cannot be known.
    Gap,
}

impl Outcome {
    /// As in `case_clock.outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Gap => "gap",
        }
    }
}
