//! Figures about the running server in the OpenMetrics text format: requests by route and status, how long
//! they took, what is kept. It must never hold a path as it was asked for, an account, or a value of
//! evidence: labels are rows of the table of routes.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::route::Route;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: &'static str,
}

/// Upper ends of the classes of durations, seconds.
const CLASSES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

fn histogram() -> Histogram {
    Histogram::new(CLASSES)
}

/// What is counted.
pub struct Meter {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram, fn() -> Histogram>,
    kept_answers: Gauge,
    kept_bytes: Gauge,
    ledger_entries: Gauge,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Default for Meter {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("backstay");
        let answered = Family::default();
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let (kept_answers, kept_bytes, ledger_entries) =
            (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("requests", "Requests answered", answered.clone());
        registry.register(
            "request_duration_seconds",
            "From the whole request to the whole answer",
            seconds.clone(),
        );
        registry.register("kept_answers", "Answers kept in memory", kept_answers.clone());
        registry.register("kept_answer_bytes", "Bytes of answers kept", kept_bytes.clone());
        registry.register("ledger_entries", "Entries of the ledger", ledger_entries.clone());
        Self { registry, answered, seconds, kept_answers, kept_bytes, ledger_entries }
    }
}

impl Meter {
    /// Notes an answer.
    pub fn note(&self, route: &Route, status: u16, took_us: i64) {
        let (method, route) = (route.method, route.path);
        self.answered.get_or_create(&Answered { method, route, status }).inc();
        // A clock that was set back took no time.
        let micros = u32::try_from(took_us.max(0)).unwrap_or(u32::MAX);
        let seconds = f64::from(micros) / 1e6;
        self.seconds.get_or_create(&Asked { method, route }).observe(seconds);
    }

    /// All figures as text.
    pub fn text(&self, kept: (usize, u64), entries: u64) -> Result<String, fmt::Error> {
        self.kept_answers.set(i64::try_from(kept.0).unwrap_or(i64::MAX));
        self.kept_bytes.set(i64::try_from(kept.1).unwrap_or(i64::MAX));
        self.ledger_entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
        let mut out = String::new();
        encode(&mut out, &self.registry)?;
        Ok(out)
    }
}
