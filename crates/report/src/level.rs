//! A measured service level as people read it: its value, its target, and whether it was reached.
//! It compares exact figures; it must never round before it compares, and never call a figure good
//! while cases behind it could not be judged.

use backstay_engine::assessment::MeasureResult;

use crate::figure;

/// What a service level came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Below the minimum.
    BelowMinimum,
    /// Below the target; a minimum, if there is one, is kept.
    BelowTarget,
    /// No case could be counted.
    NoValue,
    /// The target is reached by the cases that could be judged; others could not.
    Unsure,
    /// The target is reached.
    Reached,
    /// There is no target to compare with.
    NoTarget,
}

impl Verdict {
    /// Compares the value with target and minimum.
    #[must_use]
    pub fn of(measure: &MeasureResult) -> Self {
        let denominator = if is_share(measure) { measure.denominator } else { 1 };
        let reached = |wanted: &Option<String>| {
            figure::reaches(measure.numerator, denominator, wanted.as_deref()?)
        };
        if measure.value.is_none() {
            return Self::NoValue;
        }
        match (reached(&measure.target), reached(&measure.minimum)) {
            (_, Some(false)) => Self::BelowMinimum,
            (Some(false), _) => Self::BelowTarget,
            // Whoever cannot be judged may have missed.
            (Some(true), _) if !measure.gaps.is_empty() => Self::Unsure,
            (Some(true), _) => Self::Reached,
            (None, _) => Self::NoTarget,
        }
    }
}

/// Whether the value is a share of cases; else it is their number.
#[must_use]
pub fn is_share(measure: &MeasureResult) -> bool {
    measure.value.as_deref().is_none_or(|value| value.contains('.'))
}

/// The value with its unit: `81.25 %`, `192`, `no value`.
#[must_use]
pub fn value(measure: &MeasureResult) -> String {
    match &measure.value {
        None => "no value".to_owned(),
        Some(_) if is_share(measure) => {
            figure::percent(measure.numerator, measure.denominator, 2).unwrap_or_default()
        }
        Some(value) => value.parse().map_or_else(|_| value.clone(), figure::count),
    }
}

/// The value of the worst span inside the window; nothing where none was agreed.
#[must_use]
pub fn worst_value(measure: &MeasureResult) -> Option<String> {
    let worst = measure.worst.as_ref()?;
    if is_share(measure) {
        figure::percent(worst.numerator, worst.denominator, 2)
    } else {
        Some(figure::count(worst.numerator))
    }
}

/// What the contract wants to be said beside a value: the worst span inside the window, and that it is
/// a key measurement.
#[must_use]
pub fn beside(measure: &MeasureResult) -> Vec<String> {
    let mut said = Vec::new();
    if let Some((worst, value)) = measure.worst.as_ref().zip(worst_value(measure)) {
        said.push(format!("worst {} {}: {value}", worst.sub_window, worst.period.first));
    }
    if measure.kind == "key-measurement" {
        said.push("key measurement".to_owned());
    }
    said
}

/// A target or minimum as the value is shown: `92 %`, `150`.
#[must_use]
pub fn wanted(measure: &MeasureResult, text: &str) -> String {
    let percent = if is_share(measure) { figure::plain_percent(text) } else { None };
    percent.unwrap_or_else(|| figure::trim_decimal(text).to_owned())
}
