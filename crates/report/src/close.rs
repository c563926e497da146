//! A month that is closed, and a closed month on later evidence, as text. It sets what was worked out; it
//! must never compare anything itself.

use backstay_engine::{
    Period,
    credit_note::Owed,
    restate::{
        CaseAnswer, CaseChange, CreditChange, Figure, FigureChange, MoneyChange, Restatement,
    },
};

use crate::{
    figure,
    layout::{Cell, Grid, Look, Page, Set, Tone},
    words,
};

/// A step of the month-end that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its entry.
    pub entry: u64,
    /// When, microseconds UTC.
    pub recorded_at_us: i64,
    /// `issued`, `agreed`, `frozen`, `restated`.
    pub done: String,
    /// Who.
    pub by: String,
    /// Anything to be remembered.
    pub note: String,
    /// First digits of the figures' digest.
    pub figures: String,
}

/// The steps of a month, oldest first.
fn steps_grid(steps: &[Step]) -> Grid {
    let heads = [
        ("entry", Set::Right),
        ("", Set::Left),
        ("at, UTC", Set::Left),
        ("by", Set::Left),
        ("figures", Set::Left),
        ("", Set::Flex),
    ];
    let mut grid = Grid::new(&heads).indented(2);
    for step in steps {
        let minute = figure::instant(step.recorded_at_us).chars().take(16).collect::<String>();
        grid.row(vec![
            step.entry.to_string().into(),
            Cell::toned(&step.done, Tone::Strong),
            minute.into(),
            (&step.by).into(),
            (&step.figures).into(),
            (&step.note).into(),
        ]);
    }
    grid
}

/// The steps of a month, and a sentence on the last.
#[must_use]
pub fn steps(taken: &[Step], outcome: &str, look: Look) -> String {
    let mut page = Page::new(look);
    page.heading("Month-end");
    if !taken.is_empty() {
        page.grid(&steps_grid(taken));
    }
    page.gap();
    page.paragraph(0, outcome, Tone::Strong);
    page.finish()
}

/// What stands around a restatement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The steps of the month, this restatement's own included.
    pub steps: Vec<Step>,
    /// Entry that is restated.
    pub closed: u64,
    /// Entry of the restatement; none when it is not kept.
    pub kept: Option<u64>,
    /// Ledger entry up to which evidence is known.
    pub known_at: u64,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Old answer, new answer, difference.
#[must_use]
pub fn restatement(found: &Restatement, frame: &Frame, look: Look) -> String {
    let mut page = Page::new(look);
    let month = words::period(found.period);
    let head = format!("{}, {month}, restated", found.arrangement_id);
    page.paragraph(0, &head, Tone::Strong);
    let known = format!(
        "as closed with ledger entry {}, beside today's evidence (ledger entry {})",
        frame.closed, frame.known_at
    );
    page.paragraph(0, &known, Tone::Quiet);
    page.grid(&steps_grid(&frame.steps));
    if found.is_empty() {
        page.gap();
        page.paragraph(2, "nothing is other than it was closed", Tone::Good);
    }
    changes(&mut page, found, ("closed", "now"));
    if !frame.notes.is_empty() {
        page.heading("Notes");
        for note in &frame.notes {
            page.hanging(2, 4, note, Tone::Plain);
        }
    }
    page.gap();
    let kept = match frame.kept {
        Some(entry) => format!(
            "kept as ledger entry {entry}, beside what was closed: `backstay replay {}` still gives that",
            frame.closed
        ),
        None => "not kept".to_owned(),
    };
    page.paragraph(0, &kept, Tone::Quiet);
    page.finish()
}

/// What differs, under a word for each of the two answers.
pub fn changes(page: &mut Page, found: &Restatement, heads: (&str, &str)) {
    if !found.figures.is_empty() {
        page.heading("Figures");
        page.grid(&figures(&found.figures, heads));
    }
    if !found.cases.is_empty() {
        page.heading("Cases");
        page.grid(&cases(&found.cases, found.period, heads));
    }
    if !found.credits.is_empty() {
        page.heading("Service credits");
        page.grid(&credits(&found.credits, heads));
    }
    if !found.money.is_empty() {
        page.heading("Money");
        page.grid(&money(&found.money, heads));
    }
}

fn figures(changes: &[FigureChange], (before, after): (&str, &str)) -> Grid {
    let heads = [
        ("service level", Set::Left),
        ("window", Set::Left),
        (before, Set::Left),
        (after, Set::Left),
        ("cases met", Set::Right),
        ("cases counted", Set::Right),
    ];
    let mut grid = Grid::new(&heads).indented(2);
    for change in changes {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let by = |of: fn(&Figure) -> i64| difference(after.map_or(0, of) - before.map_or(0, of));
        grid.row(vec![
            (&change.service_level).into(),
            words::period(change.period).into(),
            figure_text(before).into(),
            Cell::toned(figure_text(after), Tone::Strong),
            by(|figure| figure.numerator).into(),
            by(|figure| figure.denominator).into(),
        ]);
    }
    grid
}

/// `93.33 % (14 of 15), below the target of 0.95`.
fn figure_text(found: Option<&Figure>) -> String {
    let Some(found) = found else { return "not measured".to_owned() };
    let value = match &found.value {
        None => "no value".to_owned(),
        Some(value) if value.contains('.') => {
            let percent = figure::percent(found.numerator, found.denominator, 2);
            let (met, of) = (figure::count(found.numerator), figure::count(found.denominator));
            format!("{} ({met} of {of})", percent.unwrap_or_default())
        }
        Some(value) => value.clone(),
    };
    let own = |text: &Option<String>| text.clone().unwrap_or_default();
    let judged = match found.judgement.as_deref() {
        Some("met") => format!(", target {} reached", own(&found.target)),
        Some("below-target") => format!(", below the target of {}", own(&found.target)),
        Some("below-minimum") => format!(", below the minimum of {}", own(&found.minimum)),
        _ => String::new(),
    };
    let beside = |number: i64, word: &str| match number {
        0 => String::new(),
        number => format!("; {} {word}", figure::count(number)),
    };
    let left_out = beside(found.excluded, "left out");
    format!("{value}{judged}{left_out}{}", beside(found.gaps, "not measurable"))
}

fn cases(changes: &[CaseChange], month: Period, (before, after): (&str, &str)) -> Grid {
    let heads = [
        ("case", Set::Left),
        ("service level", Set::Left),
        (before, Set::Left),
        (after, Set::Left),
        ("because of", Set::Flex),
    ];
    // Two answers from the same evidence differ because of no entry.
    let named = if changes.iter().all(|case| case.because.is_empty()) { 4 } else { heads.len() };
    let mut grid = Grid::new(heads.get(..named).unwrap_or_default()).indented(2);
    for change in changes {
        let window = match change.counted.period == month {
            true => String::new(),
            false => format!(", {}", words::period(change.counted.period)),
        };
        let mut row: Vec<Cell> = vec![
            (&change.counted.case_id).into(),
            format!("{}{window}", change.counted.service_level).into(),
            answer(change.before.as_ref()).into(),
            Cell::toned(answer(change.after.as_ref()), Tone::Strong),
            change.because.join(", then ").into(),
        ];
        row.truncate(named);
        grid.row(row);
    }
    grid
}

fn answer(found: Option<&CaseAnswer>) -> String {
    let Some(found) = found else { return "not counted".to_owned() };
    let word = found.outcome.word();
    let beside = if found.explanation == word { None } else { Some(found.explanation.as_str()) };
    let parts = [Some(word), found.measured.as_deref(), beside];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn credits(changes: &[CreditChange], (before, after): (&str, &str)) -> Grid {
    let heads = [
        ("month", Set::Left),
        (before, Set::Left),
        (after, Set::Left),
        ("difference", Set::Right),
        ("", Set::Left),
    ];
    let mut grid = Grid::new(&heads).indented(2);
    for change in changes {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let minor = |owed: Option<&Owed>| owed.and_then(|owed| owed.owed_minor);
        let shown = after.or(before);
        let by = minor(before).zip(minor(after)).zip(shown).map(|((old, new), owed)| {
            figure::money(i128::from(new) - i128::from(old), owed.places)
        });
        let currency = shown.and_then(|owed| owed.currency.clone()).unwrap_or_default();
        grid.row(vec![
            (&change.month).into(),
            owed_text(before).into(),
            Cell::toned(owed_text(after), Tone::Strong),
            by.unwrap_or_else(|| "–".to_owned()).into(),
            currency.into(),
        ]);
    }
    grid
}

/// `120.00`, or why it cannot be said.
fn owed_text(owed: Option<&Owed>) -> String {
    let Some(owed) = owed else { return "no credits agreed".to_owned() };
    match (owed.owed_minor, &owed.gap) {
        (Some(minor), _) => figure::money(minor.into(), owed.places),
        (None, Some(why)) => format!("cannot be said: {why}"),
        (None, None) => "cannot be said".to_owned(),
    }
}

/// What is owed for the months that end in a closed period, one a line.
#[must_use]
pub fn owed_lines(owed: &[Owed], look: Look) -> String {
    let mut page = Page::new(look);
    page.heading("Service credits");
    for month in owed {
        let currency = month.currency.as_deref().unwrap_or_default();
        let text = format!("{}: {} {currency}", month.month, owed_text(Some(month)));
        let tone = if month.owed_minor.is_some() { Tone::Plain } else { Tone::Unsure };
        page.hanging(2, 4, text.trim_end(), tone);
    }
    page.finish()
}

fn money(changes: &[MoneyChange], (before, after): (&str, &str)) -> Grid {
    let heads = [
        ("control", Set::Left),
        ("about", Set::Left),
        (before, Set::Right),
        (after, Set::Right),
        ("difference", Set::Right),
        ("", Set::Left),
    ];
    let mut grid = Grid::new(&heads).indented(2);
    for change in changes {
        let told = |minor: i64| figure::money(minor.into(), change.places);
        grid.row(vec![
            (&change.stake.control).into(),
            (&change.stake.subject).into(),
            told(change.before_minor).into(),
            Cell::toned(told(change.after_minor), Tone::Strong),
            told(change.after_minor - change.before_minor).into(),
            (&change.stake.currency).into(),
        ]);
    }
    grid
}

fn difference(number: i64) -> String {
    match number {
        0 => "0".to_owned(),
        number if number < 0 => format!("−{}", figure::count(-number)),
        number => format!("+{}", figure::count(number)),
    }
}
