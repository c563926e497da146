//! Progress of a long import on standard error, and only when that is a terminal.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for one file, or nothing at all.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar that starts with `title`; silent when standard error is no terminal.
    pub fn start(title: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:.bold} {spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_prefix(title.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar) }
    }

    /// How far it is: bytes read, bytes in all when known, records so far.
    pub fn reading(&self, bytes: u64, total: Option<u64>, records: u64) {
        let Some(bar) = &self.bar else { return };
        if let Some(total) = total.filter(|total| *total > 0)
            && bar.length() != Some(total)
        {
            bar.set_length(total);
            let style = ProgressStyle::with_template(
                "{prefix:.bold} {bar:24} {percent:>3} %  {msg}  {elapsed}",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        bar.set_position(bytes.min(total.unwrap_or(bytes)));
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        bar.set_message(backstay_report::figure::counted(records, "record"));
    }

    /// What is being done now.
    pub fn saying(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
