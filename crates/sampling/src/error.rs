//! What can be wrong with what was asked.

/// A question that the tables or the arithmetic cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SamplingError {
    /// The level is none of the standard's.
    #[error("`{0}` is no inspection level; write one of I, II, III, S-1, S-2, S-3, S-4")]
    Level(String),
    /// The limit is none of the standard's.
    #[error("`{0}` is no preferred acceptance quality limit; write one of {list}", list = crate::plan::AQLS.join(", "))]
    Aql(String),
    /// The severity is none of the standard's.
    #[error("`{0}` is no severity; write normal, tightened or reduced")]
    Severity(String),
    /// The tables begin at two items.
    #[error("a lot of {0} items has no plan; the tables begin at 2")]
    LotSize(u64),
    /// A share beyond what can be.
    #[error(
        "`{0}` is no share of nonconforming items; write per cent above 0 and below 100, as 2.5"
    )]
    Share(String),
    /// A limit above ten counts nonconformities per hundred items, which has another law.
    #[error(
        "an acceptance quality limit of {0} counts nonconformities per hundred items; a curve is given for shares of items, up to 10"
    )]
    PerHundred(String),
    /// More items drawn than there are.
    #[error("{sample} items cannot be drawn from {items}")]
    TooMany {
        /// Items asked for.
        sample: usize,
        /// Items there are.
        items: usize,
    },
    /// An id that would make two inputs look the same.
    #[error("`{0}` holds a line break; ids, lots and seeds of a draw must not")]
    LineBreak(String),
    /// An id twice.
    #[error("item `{0}` stands twice in the list")]
    Twice(String),
    /// A seed is needed.
    #[error("a draw needs a seed")]
    NoSeed,
}
