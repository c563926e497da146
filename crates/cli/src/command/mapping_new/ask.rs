//! A proposal asked through step by step: the default in brackets, `?` explains, `back` goes back. Each
//! answer makes a new proposal, so that later questions know of earlier answers.

use std::io::{BufRead, Write as _};

use backstay_desk::mapping::check_name;
use backstay_evidence::{
    Vocabulary,
    mapping::propose::{Answers, DateOrder, Origin, Proposal, Sample, propose},
};
use backstay_report::layout::clean;

use super::show;
use crate::{door, error::CliError, sources::known_zone};

/// What can be asked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Table,
    Column(String),
    Others,
    Values(String, String),
    DateOrder,
    DecimalMark,
    Zone,
    Arrangement,
    People,
    Name,
    Save,
}

/// A question as it is put.
struct Put {
    question: String,
    default: String,
    explained: String,
}

/// What came of an answer.
enum Heard {
    /// It is settled.
    Settled,
    /// It changed something; the same question again.
    Again,
    /// Not understood, with what to write.
    Not(String),
}

/// Asks until everything is said; gives the answers, the proposal, and whether it is to be saved.
///
/// # Errors
/// When the input ends or the user quits before; nothing is saved then.
pub fn through(
    sample: &Sample,
    vocabulary: &Vocabulary,
    answers: Answers,
    input: &mut dyn BufRead,
) -> Result<(Answers, Proposal, bool), CliError> {
    let make = |answers: &Answers| {
        propose(sample, vocabulary, answers)
            .map_err(|error| backstay_desk::error::explained(&error.to_string()))
    };
    let mut talk = Talk { answers, asked: Vec::new(), save: true };
    let mut proposal = make(&talk.answers)?;
    say(&format!(
        "{}\nEnter takes what stands in brackets, `?` explains, `back` goes back, `quit` ends without \
         saving.\n",
        show::facts(sample)
    ));
    let mut past: Vec<Talk> = Vec::new();
    while let Some(step) = talk.next(&proposal, vocabulary) {
        let put = talk.put(&step, &proposal, vocabulary, sample);
        say(&format!("\n{} [{}] ", clean(&put.question), clean(&put.default)));
        let mut line = String::new();
        let read = input.read_line(&mut line).map_err(|error| {
            CliError::failed(format!("the answer cannot be read: {}", door::because(&error)))
        })?;
        let answer = line.trim();
        if read == 0 || answer == "quit" {
            return Err(CliError::failed_with(
                "the questions ended before the last; nothing is saved",
                "run it again, or answer by options: `backstay mapping new --help`",
            ));
        }
        match answer {
            "?" => say(&format!("{}\n", put.explained)),
            "back" => match past.pop() {
                Some(before) => {
                    talk = before;
                    proposal = make(&talk.answers)?;
                }
                None => say("This is the first question.\n"),
            },
            answer => {
                let before = talk.clone();
                let answer = if answer.is_empty() { put.default.as_str() } else { answer };
                let heard = talk.hear(&step, answer, &proposal);
                let made = make(&talk.answers);
                match (heard, made) {
                    (Heard::Not(help), _) => {
                        talk = before;
                        say(&format!("{help}\n"));
                    }
                    (_, Err(error)) => {
                        talk = before;
                        say(&format!("{error}\n"));
                    }
                    (heard, Ok(made)) => {
                        proposal = made;
                        if matches!(heard, Heard::Settled) {
                            talk.asked.push(step);
                            past.push(before);
                        }
                    }
                }
            }
        }
    }
    Ok((talk.answers, proposal, talk.save))
}

/// Questions go to standard error, so that the result can be piped.
fn say(text: &str) {
    let mut stderr = std::io::stderr();
    // Whoever closed standard error cannot be asked anything more; the input then ends too.
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

#[derive(Clone)]
struct Talk {
    answers: Answers,
    asked: Vec<Step>,
    save: bool,
}

impl Talk {
    /// The next question that the proposal raises and that was not asked yet.
    fn next(&self, proposal: &Proposal, vocabulary: &Vocabulary) -> Option<Step> {
        let open = |about: &str| proposal.questions.iter().any(|question| question.about == about);
        let mut steps = Vec::new();
        if self.answers.table.is_none() || self.asked.contains(&Step::Table) {
            steps.push(Step::Table);
        }
        let table = vocabulary.table(&proposal.table);
        for column in table.iter().flat_map(|table| &table.columns) {
            if column.required && !column.retired && column.name != "arrangement_id" {
                steps.push(Step::Column(column.name.clone()));
            }
        }
        steps.push(Step::Others);
        for question in &proposal.questions {
            if let Some(column) = question.about.strip_prefix("values:") {
                for value in unknown_values(proposal, column) {
                    steps.push(Step::Values(column.to_owned(), value));
                }
            }
        }
        for (about, step) in [
            ("date-order", Step::DateOrder),
            ("decimal-mark", Step::DecimalMark),
            ("zone", Step::Zone),
            ("column:arrangement_id", Step::Arrangement),
        ] {
            if open(about) {
                steps.push(step);
            }
        }
        steps.extend([Step::People, Step::Name, Step::Save]);
        steps.into_iter().find(|step| !self.asked.contains(step))
    }

    fn put(
        &self,
        step: &Step,
        proposal: &Proposal,
        vocabulary: &Vocabulary,
        sample: &Sample,
    ) -> Put {
        let about = |wanted: &str| {
            let found = proposal.questions.iter().find(|question| question.about == wanted);
            found.map(|question| question.text.clone()).unwrap_or_default()
        };
        let put = |question: &str, default: &str, explained: String| Put {
            question: question.to_owned(),
            default: default.to_owned(),
            explained,
        };
        match step {
            Step::Table => put(
                "Table that the file feeds",
                &proposal.table,
                format!(
                    "{} Near to it: {}. All tables: `backstay vocabulary list`.",
                    proposal.table_why,
                    proposal.other_tables.join(", ")
                ),
            ),
            Step::Column(name) => {
                let found = proposal.columns.iter().find(|column| &column.column == name);
                let default = found.map_or_else(String::new, |column| written(&column.from));
                let table = vocabulary.table(&proposal.table);
                let column = table.and_then(|table| table.column(name));
                let what = column.map(|column| column.about.clone()).unwrap_or_default();
                let why = found.map(|column| column.why.clone()).unwrap_or_default();
                put(
                    &format!("{name} (needed)"),
                    &default,
                    format!(
                        "{what} {why}. Write the name of a column of the file, or `=text` for the same \
                         in every row. The file has: {}",
                        sample.columns.join(", ")
                    ),
                )
            }
            Step::Others => {
                let required = |name: &str| {
                    let table = vocabulary.table(&proposal.table);
                    table.and_then(|table| table.column(name)).is_some_and(|column| column.required)
                };
                let mut lines = String::from("The other columns:\n");
                for column in proposal.columns.iter().filter(|column| !required(&column.column)) {
                    lines.push_str(&format!(
                        "  {} = {}  ({})\n",
                        column.column,
                        written(&column.from),
                        column.why
                    ));
                }
                say(&clean_lines(&lines));
                put(
                    "Change one: `column=Source`, `column=` leaves it out",
                    "all right",
                    "`column==text` gives the same text to every row. `backstay vocabulary show TABLE` \
                     says what each column holds."
                        .to_owned(),
                )
            }
            Step::Values(column, value) => put(
                &format!("What does `{value}` mean for {column}?"),
                "quarantine",
                about(&format!("values:{column}")),
            ),
            Step::DateOrder => put(&about("date-order"), "", date_help()),
            Step::DecimalMark => put(
                &about("decimal-mark"),
                "",
                "Write `,` when it stands before decimals, `.` when it only groups digits.".to_owned(),
            ),
            Step::Zone => put(
                &about("zone"),
                "say at each import",
                "Write an IANA name, as in Europe/Dublin or Asia/Manila. A wrong zone moves every time \
                 by hours, so none is guessed."
                    .to_owned(),
            ),
            Step::Arrangement => put(
                &about("column:arrangement_id"),
                "say at each import",
                "Write the id of the arrangement when every file of this kind belongs to it.".to_owned(),
            ),
            Step::People => {
                let mut lines = String::from("Ids of people, kept as pseudonyms:\n");
                for person in &proposal.people {
                    let kind = person.kind.as_deref().unwrap_or("person");
                    lines.push_str(&format!("  {} = {kind}  ({})\n", person.source, person.why));
                }
                say(&clean_lines(&lines));
                put(
                    "Change one: `Source=kind`, `Source=` holds none",
                    "all right",
                    "Whatever else names a person stands in clear. Ids join only within one kind."
                        .to_owned(),
                )
            }
            Step::Name => put(
                "Name of the mapping",
                &proposal.name,
                "Small letters, digits and hyphens.".to_owned(),
            ),
            Step::Save => put(
                "Save it in the workspace?",
                "yes",
                "`no` only shows it. It can be edited by hand at any time.".to_owned(),
            ),
        }
    }

    fn hear(&mut self, step: &Step, answer: &str, proposal: &Proposal) -> Heard {
        let not = |help: &str| Heard::Not(help.to_owned());
        match step {
            Step::Table => self.answers.table = Some(answer.to_owned()),
            Step::Column(_) if answer.is_empty() => {
                return not("Every row needs it: write a column of the file, or `=text`.");
            }
            Step::Column(name) => {
                let same = proposal.columns.iter().find(|column| &column.column == name);
                // What was proposed stays with its reason.
                if same.is_none_or(|column| written(&column.from) != answer) {
                    self.set_column(name, answer);
                }
            }
            Step::Others if answer == "all right" => {}
            Step::Others => {
                let Some((column, source)) = answer.split_once('=') else {
                    return not("Write `column=Source`, or press Enter when all is right.");
                };
                self.set_column(column.trim(), source.trim());
                return Heard::Again;
            }
            Step::Values(_, _) if answer == "quarantine" => {}
            Step::Values(column, value) => {
                let of_column = self.answers.values.entry(column.clone()).or_default();
                of_column.insert(value.clone(), answer.to_owned());
            }
            Step::DateOrder => {
                self.answers.date_order = match answer {
                    "day-first" | "day" => Some(DateOrder::DayFirst),
                    "month-first" | "month" => Some(DateOrder::MonthFirst),
                    _ => return Heard::Not(date_help()),
                }
            }
            Step::DecimalMark => match answer {
                "," => self.answers.decimal_mark = Some(','),
                "." => self.answers.decimal_mark = Some('.'),
                _ => return not("Write `,` or `.`."),
            },
            Step::Zone if answer == "say at each import" => {}
            Step::Zone => match known_zone(answer) {
                Ok(zone) => self.answers.zone = Some(zone),
                Err(error) => return Heard::Not(error.to_string()),
            },
            Step::Arrangement if answer == "say at each import" => {}
            Step::Arrangement => {
                self.answers.set.insert("arrangement_id".to_owned(), answer.to_owned());
            }
            Step::People if answer == "all right" => {}
            Step::People => {
                let Some((source, kind)) = answer.split_once('=') else {
                    return not("Write `Source=kind`, or press Enter when all is right.");
                };
                let kind = Some(kind.trim().to_owned()).filter(|kind| !kind.is_empty());
                self.answers.people.insert(source.trim().to_owned(), kind);
                return Heard::Again;
            }
            Step::Name => match check_name(answer) {
                Ok(()) => self.answers.name = Some(answer.to_owned()),
                Err(error) => return Heard::Not(error.to_string()),
            },
            Step::Save => match answer {
                "yes" | "y" => self.save = true,
                "no" | "n" => self.save = false,
                _ => return not("Write `yes` or `no`."),
            },
        }
        Heard::Settled
    }

    /// `Source`, `=text`, or nothing to leave it out.
    fn set_column(&mut self, column: &str, answer: &str) {
        self.answers.columns.remove(column);
        self.answers.set.remove(column);
        match answer.strip_prefix('=') {
            Some(text) => {
                self.answers.set.insert(column.to_owned(), text.trim().to_owned());
            }
            None => {
                let source = Some(answer.to_owned()).filter(|source| !source.is_empty());
                self.answers.columns.insert(column.to_owned(), source);
            }
        }
    }
}

fn date_help() -> String {
    "Write `day-first` for 31/12, `month-first` for 12/31. When nobody knows, ask for an export that \
     holds a day after the twelfth."
        .to_owned()
}

/// A rule as it would be answered.
fn written(origin: &Origin) -> String {
    match origin {
        Origin::Constant(text) => format!("={text}"),
        other => show::origin(other),
    }
}

/// Values of a column whose meaning is not known.
fn unknown_values(proposal: &Proposal, column: &str) -> Vec<String> {
    let found = proposal.columns.iter().find(|proposed| proposed.column == column);
    found.map(|proposed| proposed.unknown.clone()).unwrap_or_default()
}

/// Lines of a list, free of what would steer the terminal.
fn clean_lines(text: &str) -> String {
    let mut lines: String = text.lines().map(|line| format!("{}\n", clean(line))).collect();
    lines.insert(0, '\n');
    lines
}
