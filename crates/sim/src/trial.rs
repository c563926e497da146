//! Holds what the product says of a simulated operation against its truth. Owns the questions and
//! the comparison; it must never know how the product is started, nor any of its types: it asks in
//! the words of the command line and reads the JSON that every script may read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::truth::{LadderTruth, MeasureTruth, StepTruth, Truth};

/// Asks the product: arguments in, its JSON out, or what went wrong.
pub type Ask<'a> = &'a mut dyn FnMut(&[&str]) -> Result<Value, String>;

const MINUTE_US: i64 = 60_000_000;

const CREDIT_SQL: &str = "
    SELECT arrangement_id, substr(CAST(month AS VARCHAR), 1, 7) AS month, currency, charge_minor,
      credit_minor, taken_minor
    FROM credit_month
    WHERE model <> 'none'";

const MISSED_SQL: &str = "
    SELECT arrangement_id, service_level_id, case_id, total_us, threshold_us, due_at, closed_at
    FROM case_clock
    WHERE is_last AND outcome IN ('missed', 'overdue') AND excluded_reason IS NULL
      AND metric <> 'backlog-age'
      AND counted_at >= $period_start AND counted_at < $period_end
    UNION ALL
    SELECT arrangement_id, service_level_id, case_id, age_us, threshold_us, NULL, NULL
    FROM backlog_case
    WHERE outcome = 'missed' AND excluded_reason IS NULL";

/// Controls whose plants name what they must find.
const HOURS: [&str; 6] = [
    "overlap-sufficient",
    "hours-covered",
    "holidays-covered",
    "handovers-made",
    "urgent-answered",
    "meetings-shared",
];

const TOGETHER_SQL: &str = "
    SELECT arrangement_id, team_id, other_team_id, CAST(day AS VARCHAR) AS day, overlap_us
    FROM overlap_day
    WHERE state = 'due' AND NOT forecast";

/// Imports a simulated folder into an empty workspace, assesses each of its months, and lists every
/// way in which the answers differ from the truth: none when all that was planted is found and
/// nothing else.
///
/// # Errors
/// A question that got no answer.
pub fn differences(truth: &Truth, folder: &str, ask: Ask<'_>) -> Result<Vec<String>, String> {
    let mut found = Differences(Vec::new());
    found.imports(truth, &ask(&["import", folder, "--format", "json"])?);
    let sql = "SELECT DISTINCT _ref FROM quarantine";
    let held = ask(&["query", sql, "--format", "json"])?;
    found.quarantine(truth, &held);
    let months: BTreeSet<&str> = truth.measures.iter().map(|row| row.month.as_str()).collect();
    let arrangements: BTreeSet<&str> =
        truth.measures.iter().map(|row| row.arrangement_id.as_str()).collect();
    for month in months {
        let assessment = ask(&["assess", "--period", month, "--format", "json"])?;
        found.measures(truth, &assessment, month);
        for arrangement in &arrangements {
            let whose = ["--arrangement", arrangement, "--period", month, "--format", "json"];
            let missed = ask(&[&["query", MISSED_SQL][..], &whose].concat())?;
            found.missed(truth, &missed, (arrangement, month));
        }
        let sql = "SELECT * FROM report_ladder";
        let ladders = ask(&["query", sql, "--period", month, "--format", "json"])?;
        found.ladders(truth, &ladders, month);
        if month == truth.period {
            let together = ask(&["query", TOGETHER_SQL, "--period", month, "--format", "json"])?;
            found.overlaps(truth, &together);
            found.statuses(truth, &assessment);
            found.findings(truth, &assessment);
            found.0.extend(crate::quality::differences(truth, ask)?);
            let credits = ask(&["query", CREDIT_SQL, "--period", month, "--format", "json"])?;
            found.credits(truth, &credits);
        }
    }
    let kept = ask(&["verify", "--format", "json"])?;
    found.same("whether the workspace verifies", kept.get("verified"), Some(&Value::Bool(true)));
    Ok(found.0)
}

struct Differences(Vec<String>);

fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = if key.is_empty() { Some(value) } else { value.get(key) };
    list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

fn count(items: impl Iterator) -> Option<i64> {
    i64::try_from(items.count()).ok()
}

impl Differences {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, held: T, wanted: T) {
        if held != wanted {
            self.0.push(format!("{what}: the product says {held:?}, the truth is {wanted:?}"));
        }
    }

    fn imports(&mut self, truth: &Truth, imports: &Value) {
        let files = rows(imports, "files");
        self.same("files imported", files.len(), truth.imports.len());
        for (file, wanted) in files.iter().zip(&truth.imports) {
            let name = wanted.file.as_str();
            self.same("order of files", text(file, "file"), name);
            let counts = [
                ("read", wanted.read),
                ("accepted", wanted.accepted),
                ("corrected", wanted.corrected),
                ("already_known", wanted.already_known),
                ("quarantined", wanted.quarantined),
            ];
            for (key, wanted) in counts {
                self.same(&format!("{key} of {name}"), number(file, key), Some(wanted));
            }
        }
        self.0.extend(rows(imports, "failed").iter().map(|file| format!("not imported: {file}")));
    }

    /// Every record in quarantine; entries count from 2, after the workspace's first.
    fn quarantine(&mut self, truth: &Truth, held: &Value) {
        let held: BTreeSet<String> =
            rows(held, "").iter().map(|row| text(row, "_ref").to_owned()).collect();
        let numbered = truth.imports.iter().zip(2..);
        let wanted: BTreeSet<String> = numbered
            .flat_map(|(file, entry)| {
                file.quarantined_records.iter().map(move |record| format!("{entry}:{record}"))
            })
            .collect();
        self.same("records in quarantine", held, wanted);
    }

    fn measures(&mut self, truth: &Truth, assessment: &Value, month: &str) {
        let key = |row: &Value| {
            (text(row, "arrangement_id").to_owned(), text(row, "service_level").to_owned())
        };
        let held: BTreeMap<_, _> =
            rows(assessment, "measures").iter().map(|row| (key(row), row)).collect();
        let wanted = || truth.measures.iter().filter(|row| row.month == month);
        self.same(&format!("measures of {month}"), held.len(), wanted().count());
        for wanted in wanted() {
            let name = level(wanted);
            let Some(row) =
                held.get(&(wanted.arrangement_id.clone(), wanted.service_level_id.clone()))
            else {
                self.0.push(format!("{name}: not measured"));
                continue;
            };
            self.same(
                &format!("met and counted of {name}"),
                (number(row, "numerator"), number(row, "denominator")),
                (Some(wanted.numerator), Some(wanted.denominator)),
            );
            let value = row.get("value").and_then(Value::as_str);
            self.same(&format!("value of {name}"), value, wanted.value.as_deref());
            let excluded = row.get("excluded").and_then(Value::as_object);
            let excluded: i64 = excluded
                .into_iter()
                .flatten()
                .filter(|(reason, _)| *reason != "not done and not yet due")
                .filter_map(|(_, count)| count.as_i64())
                .sum();
            let left_out = count(wanted.excluded.iter());
            self.same(&format!("left out of {name}"), Some(excluded), left_out);
            self.same(&format!("kind of {name}"), text(row, "kind"), wanted.kind.as_str());
            let worst = row.get("worst").filter(|worst| worst.is_object()).map(|worst| {
                let figures = [number(worst, "numerator"), number(worst, "denominator")];
                (text(worst, "period").to_owned(), figures)
            });
            let week = wanted
                .worst
                .as_ref()
                .map(|week| (week.period.clone(), [Some(week.numerator), Some(week.denominator)]));
            self.same(&format!("worst week of {name}"), worst, week);
        }
    }

    fn missed(&mut self, truth: &Truth, answer: &Value, (arrangement, month): (&str, &str)) {
        let held: BTreeMap<[&str; 3], &Value> = rows(answer, "")
            .iter()
            .map(|row| {
                (["arrangement_id", "service_level_id", "case_id"].map(|k| text(row, k)), row)
            })
            .collect();
        let mut wanted = 0;
        let here = |row: &&MeasureTruth| row.arrangement_id == arrangement && row.month == month;
        for measure in truth.measures.iter().filter(here) {
            for case in &measure.missed {
                wanted += 1;
                let name = format!("case {} in {}", case.case_id, level(measure));
                let key = [&*measure.arrangement_id, &*measure.service_level_id, &*case.case_id];
                let Some(row) = held.get(&key) else {
                    self.0.push(format!("{name}: not missed"));
                    continue;
                };
                self.same(
                    &format!("working time and threshold of {name}"),
                    (number(row, "total_us"), number(row, "threshold_us")),
                    (
                        Some(case.working_minutes * MINUTE_US),
                        Some(case.threshold_minutes * MINUTE_US),
                    ),
                );
                if measure.metric != "backlog-age" {
                    let due = row.get("due_at").and_then(Value::as_str);
                    self.same(&format!("deadline of {name}"), due, Some(&*case.due_at));
                    let closed = row.get("closed_at").and_then(Value::as_str);
                    self.same(&format!("end of {name}"), closed, case.closed_at.as_deref());
                }
            }
        }
        self.same(&format!("missed cases of {arrangement} in {month}"), held.len(), wanted);
    }

    fn credits(&mut self, truth: &Truth, answer: &Value) {
        let held = rows(answer, "");
        self.same("months with credits", held.len(), truth.credits.len());
        for wanted in &truth.credits {
            let name = format!("credit of {} in {}", wanted.arrangement_id, wanted.month);
            let row = held.iter().find(|row| {
                text(row, "arrangement_id") == wanted.arrangement_id
                    && text(row, "month") == wanted.month
            });
            let Some(row) = row else {
                self.0.push(format!("{name}: not there"));
                continue;
            };
            self.same(&format!("currency of {name}"), text(row, "currency"), &wanted.currency);
            self.same(
                &format!("amount of {name}"),
                ["charge_minor", "credit_minor", "taken_minor"].map(|key| number(row, key)),
                [Some(wanted.charge_minor), wanted.owed_minor, Some(wanted.taken_minor)],
            );
        }
    }

    fn ladders(&mut self, truth: &Truth, answer: &Value, month: &str) {
        let held = rows(answer, "");
        let ladders = || truth.ladders.iter().filter(|ladder| ladder.month == month);
        let steps: usize = ladders().map(|ladder| ladder.steps.len()).sum();
        self.same(&format!("ladder steps of {month}"), held.len(), steps);
        for ladder in ladders() {
            for step in &ladder.steps {
                let row = held.iter().find(|row| {
                    text(row, "arrangement_id") == ladder.arrangement_id
                        && text(row, "service_level_id") == ladder.service_level_id
                        && text(row, "cause") == step.step
                });
                let name = format!(
                    "step {} of {} {} in {month}",
                    step.step, ladder.arrangement_id, ladder.service_level_id
                );
                match row {
                    Some(row) => self.step(&name, row, ladder, step),
                    None => self.0.push(format!("{name}: not there")),
                }
            }
        }
    }

    fn step(&mut self, name: &str, row: &Value, ladder: &LadderTruth, step: &StepTruth) {
        let agrees = row.get("agrees").and_then(Value::as_bool);
        self.same(&format!("agreement at {name}"), agrees, Some(ladder.agrees));
        let is_rest = step.step == "unexplained";
        // A share printed without counts stands for whatever rounds to it: its unexplained rest is
        // the printed figure's, not the hidden one's.
        if ladder.listed || !is_rest {
            let part = (number(row, "part_numerator"), number(row, "part_denominator"));
            let equal = matches!(part, (Some(numer), Some(denom))
                if i128::from(numer) * i128::from(step.part.denom)
                    == i128::from(step.part.numer) * i128::from(denom));
            if !equal {
                self.0.push(format!("part of {name}: {part:?}, the truth is {:?}", step.part));
            }
        }
        if !is_rest {
            self.same(
                &format!("met and counted after {name}"),
                (number(row, "numerator"), number(row, "denominator")),
                (Some(step.numerator), Some(step.denominator)),
            );
        }
    }

    /// How long two teams were at work together, day by day.
    fn overlaps(&mut self, truth: &Truth, answer: &Value) {
        let names = ["arrangement_id", "team_id", "other_team_id", "day"];
        let held: BTreeMap<[&str; 4], Option<i64>> = rows(answer, "")
            .iter()
            .map(|row| (names.map(|name| text(row, name)), number(row, "overlap_us")))
            .collect();
        let wanted: BTreeMap<[&str; 4], Option<i64>> = truth
            .overlaps
            .iter()
            .map(|row| {
                let key = [&*row.arrangement_id, &*row.team_id, &*row.other_team_id, &*row.day];
                (key, Some(row.minutes * MINUTE_US))
            })
            .collect();
        for (key, minutes) in &wanted {
            self.same(&format!("time together {key:?}"), held.get(key), Some(minutes));
        }
        self.same("days together", held.len(), wanted.len());
    }

    fn statuses(&mut self, truth: &Truth, assessment: &Value) {
        let held: BTreeMap<(&str, &str), &str> = rows(assessment, "controls")
            .iter()
            .map(|row| ((text(row, "arrangement_id"), text(row, "control")), text(row, "status")))
            .collect();
        let wanted: BTreeMap<(&str, &str), &str> = truth
            .controls
            .iter()
            .map(|row| ((&*row.arrangement_id, &*row.control), &*row.status))
            .collect();
        for (key, wanted) in &wanted {
            self.same(&format!("status of {key:?}"), held.get(key), Some(wanted));
        }
        self.same("controls judged", held.len(), wanted.len());
    }

    /// The subjects found wanting: what was planted, and nothing else.
    fn findings(&mut self, truth: &Truth, assessment: &Value) {
        let missed =
            rows(assessment, "findings").iter().filter(|row| text(row, "outcome") == "missed");
        let held: BTreeSet<[&str; 3]> = missed
            .map(|row| ["arrangement_id", "control", "subject"].map(|key| text(row, key)))
            // `feed table day`: the day names the interval.
            .map(|[arrangement, control, subject]| match control {
                "work-visible" => {
                    [arrangement, control, subject.rsplit(' ').next().unwrap_or(subject)]
                }
                _ => [arrangement, control, subject],
            })
            .collect();
        let here = |month: &String| *month == truth.period;
        let below = truth.measures.iter().filter(|row| here(&row.month) && row.is_below_target());
        let below =
            below.map(|row| [&*row.arrangement_id, "service-levels-met", &*row.service_level_id]);
        let apart = truth.ladders.iter().filter(|row| here(&row.month) && !row.agrees);
        let apart = apart
            .map(|row| [&*row.arrangement_id, "provider-report-agrees", &*row.service_level_id]);
        let bare = truth.plants.iter().filter(|plant| plant.kind == "function-without-level");
        let bare = bare.map(|row| [&*row.arrangement_id, "service-levels-defined", &*row.subject]);
        let blind = truth.plants.iter().filter(|plant| plant.kind == "evidence-missing");
        let blind = blind.map(|row| [&*row.arrangement_id, "work-visible", &*row.subject]);
        let hours = truth.plants.iter().filter(|plant| HOURS.contains(&plant.kind.as_str()));
        let hours = hours.map(|row| [&*row.arrangement_id, &*row.kind, &*row.subject]);
        let quality = truth.quality.findings.iter();
        let quality = quality.map(|row| [&*row.arrangement_id, &*row.control, &*row.subject]);
        let credit = truth.plants.iter().filter(|plant| plant.kind == "credit-not-taken");
        let credit = credit.map(|row| [&*row.arrangement_id, "credits-taken", &*row.subject]);
        let others = hours.chain(quality).chain(credit);
        let wanted: BTreeSet<[&str; 3]> =
            below.chain(apart).chain(bare).chain(blind).chain(others).collect();
        self.same("findings", held, wanted);
    }
}

fn level(measure: &MeasureTruth) -> String {
    format!("{} {} in {}", measure.arrangement_id, measure.service_level_id, measure.month)
}
