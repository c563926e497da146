//! `backstay sample …`: plans, curves and draws of acceptance sampling. It reads no workspace: what a
//! plan or a draw is depends on its arguments alone.

use std::{fs, io::Write as _, path::Path};

use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use backstay_sampling::{
    Aql, Level, Plan, SamplingError, Severity, code_letter, curve,
    draw::{self, BLIND, DRAW, Draw},
    plan,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    args::{
        Format, SampleCommand, SampleCurveArgs, SampleDrawArgs, SamplePlanArgs, SampleVerifyArgs,
        TermsArgs,
    },
    door,
    error::CliError,
};

pub fn run(command: &SampleCommand) -> Result<u8, CliError> {
    match command {
        SampleCommand::Plan(args) => show_plan(args)?,
        SampleCommand::Curve(args) => show_curve(args)?,
        SampleCommand::Draw(args) => make_draw(args)?,
        SampleCommand::Verify(args) => verify(args)?,
    }
    Ok(0)
}

fn wrong(error: SamplingError) -> CliError {
    CliError::usage(error.to_string(), "`backstay sample --help` shows examples")
}

fn find(lot_size: u64, terms: &TermsArgs) -> Result<Plan, CliError> {
    let find = || {
        let letter = code_letter(lot_size, Level::parse(&terms.level)?)?;
        Ok(plan(letter, Aql::parse(&terms.aql)?, Severity::parse(&terms.severity)?))
    };
    find().map_err(wrong)
}

fn show_plan(args: &SamplePlanArgs) -> Result<(), CliError> {
    let found = find(args.lot_size, &args.terms)?;
    let inspect = found.sample_size.min(args.lot_size);
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": "backstay.sampling-plan/1",
            "lot_size": args.lot_size,
            "level": args.terms.level,
            "aql": found.aql.text(),
            "severity": found.severity.word(),
            "code_letter": found.letter.to_string(),
            "plan_letter": found.plan_letter.to_string(),
            "sample_size": found.sample_size,
            "inspect": inspect,
            "accept": found.accept,
            "refuse": found.refuse,
        })),
        Format::Text => {
            let mut page = Page::new(door::look());
            let arrow = if found.plan_letter == found.letter {
                String::new()
            } else {
                format!(", by the arrow to {}", found.plan_letter)
            };
            let head = format!(
                "Lot of {}, level {}, AQL {} %, {}: code letter {}{arrow}.",
                args.lot_size,
                args.terms.level,
                found.aql.text(),
                found.severity.word(),
                found.letter
            );
            page.paragraph(0, &head, Tone::Plain);
            page.paragraph(0, &rule(&found, inspect, args.lot_size), Tone::Plain);
            door::print(&page.finish())
        }
    }
}

fn rule(found: &Plan, inspect: u64, lot_size: u64) -> String {
    let what = if inspect == lot_size {
        format!("Inspect all {inspect} items")
    } else {
        format!("Inspect {inspect} items")
    };
    let between = if found.refuse > found.accept + 1 {
        "; between the two accept it and go back to normal inspection"
    } else {
        ""
    };
    format!(
        "{what}; accept the lot with up to {} nonconforming, refuse it from {} on{between}.",
        found.accept, found.refuse
    )
}

/// Shares at which a curve is shown, per cent of the limit.
const STEPS: [u64; 12] = [25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800];

fn show_curve(args: &SampleCurveArgs) -> Result<(), CliError> {
    let found = find(args.lot_size, &args.terms)?;
    let points = points(args, &found).map_err(wrong)?;
    let consumer = curve::share_at(&found, 100_000).map_err(wrong)?.thousandths();
    let good = curve::share_at(&found, 950_000).map_err(wrong)?.thousandths();
    let risk = curve::producers_risk(&found).map_err(wrong)?;
    if args.format == Format::Json {
        let points: Vec<_> = points
            .iter()
            .map(|[share, accepted, average]| {
                json!({
                    "percent_nonconforming": decimal(*share, 3),
                    "accepted": decimal(*accepted, 6),
                    "average_inspected": decimal(*average, 3),
                })
            })
            .collect();
        return door::print_json(&json!({
            "schema": "backstay.sampling-curve/1",
            "law": if args.exact_lot { "hypergeometric" } else { "binomial" },
            "sample_size": found.sample_size,
            "accept": found.accept,
            "refuse": found.refuse,
            "producers_risk_at_aql": decimal(risk, 6),
            "accepted_95_percent": decimal(good, 3),
            "accepted_10_percent": decimal(consumer, 3),
            "points": points,
        }));
    }
    let mut page = Page::new(door::look());
    let inspect = found.sample_size.min(args.lot_size);
    page.paragraph(0, &rule(&found, inspect, args.lot_size), Tone::Plain);
    page.gap();
    let columns = ["nonconforming %", "accepted %", "items inspected"];
    let mut grid = Grid::new(&columns.map(|column| (column, Set::Right))).indented(2);
    for [share, accepted, average] in &points {
        let cells = [decimal(*share, 3), decimal(accepted / 100, 2), decimal(*average, 3)];
        grid.row(cells.map(|text| Cell::toned(text, Tone::Plain)).into());
    }
    page.grid(&grid);
    page.gap();
    let law = if args.exact_lot { " (risk points of a long series)" } else { "" };
    let said = format!(
        "A lot exactly at the limit is refused once in {} (producer's risk {} %). Lots with {} % \
         nonconforming pass 95 times in 100, lots with {} % ten times{law}. Items inspected: when \
         inspection stops as soon as the lot is lost.",
        curve::ONE.checked_div(risk).unwrap_or(curve::ONE),
        decimal(risk / 100, 2),
        decimal(good, 3),
        decimal(consumer, 3),
    );
    page.paragraph(0, &said, Tone::Plain);
    door::print(&page.finish())
}

/// Share, probability of acceptance, average sample.
fn points(args: &SampleCurveArgs, found: &Plan) -> Result<Vec<[u64; 3]>, SamplingError> {
    let mut points = Vec::new();
    for step in STEPS {
        let thousandths = found.aql.thousandths() * step / 100;
        let Ok(share) = curve::Share::from_thousandths(thousandths) else { continue };
        let average = curve::average_sample_thousandths(found, share)?;
        if args.exact_lot {
            // The whole number of items nearest below the share.
            let bad = args.lot_size * thousandths / 100_000;
            let exact = bad * 100_000 / args.lot_size;
            let size = found.sample_size.min(args.lot_size);
            let accepted = curve::at_most_of_lot(args.lot_size, bad, size, found.refuse - 1)?;
            points.push([exact, accepted, average]);
        } else {
            points.push([thousandths, curve::accepted(found, share)?, average]);
        }
    }
    points.dedup_by_key(|[share, ..]| *share);
    Ok(points)
}

/// A whole number of units of 10^-places.
fn decimal(units: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    format!("{}.{:0width$}", units / scale, units % scale, width = places as usize)
}

/// A draw in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    schema: String,
    algorithm: String,
    seed: String,
    lot: String,
    items: usize,
    /// Whether items are counted from 1; else they have ids, and the list is needed to redo the draw.
    counted: bool,
    list_sha256: String,
    drawn: Vec<String>,
    draw_sha256: String,
}

const SCHEMA: &str = "backstay.draw/1";

impl Written {
    fn of(draw: &Draw, counted: bool) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            algorithm: draw.algorithm.clone(),
            seed: draw.seed.clone(),
            lot: draw.lot.clone(),
            items: draw.items,
            counted,
            list_sha256: draw.list_digest.clone(),
            drawn: draw.drawn.clone(),
            draw_sha256: draw.digest(),
        }
    }
}

fn read_items(path: &Path) -> Result<Vec<String>, CliError> {
    let text = fs::read_to_string(path).map_err(|error| {
        CliError::failed(format!("`{}` cannot be read: {}", path.display(), door::because(&error)))
    })?;
    Ok(text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
}

fn counted_items(count: u64) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

fn make_draw(args: &SampleDrawArgs) -> Result<(), CliError> {
    let items = match (&args.items, args.lot_size) {
        (Some(path), _) => read_items(path)?,
        (None, count) => counted_items(count.unwrap_or_default()),
    };
    let sample = match (args.count, &args.aql) {
        (Some(count), _) => count,
        (None, aql) => {
            let terms = TermsArgs {
                level: args.level.clone(),
                aql: aql.clone().unwrap_or_default(),
                severity: args.severity.clone(),
            };
            let found = find(items.len() as u64, &terms)?;
            usize::try_from(found.sample_size).unwrap_or(usize::MAX).min(items.len())
        }
    };
    let seed = match &args.seed {
        Some(seed) => seed.clone(),
        None => door::random_bytes::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let algorithm = if args.blind { BLIND } else { DRAW };
    let found = draw::draw(algorithm, &seed, &args.name, &items, sample).map_err(wrong)?;
    let written = Written::of(&found, args.items.is_none());
    if let Some(path) = &args.output {
        write_new(path, &written)?;
    }
    if args.format == Format::Json {
        return door::print_json(&written);
    }
    let mut page = Page::new(door::look());
    let head =
        format!("{} of {} items of {}, seed {seed}:", found.drawn.len(), found.items, found.lot);
    page.paragraph(0, &head, Tone::Plain);
    page.paragraph(2, &found.drawn.join(" "), Tone::Plain);
    page.paragraph(0, &format!("Digest of the draw: {}", written.draw_sha256), Tone::Plain);
    if let Some(path) = &args.output {
        page.paragraph(0, &format!("Kept in {}.", path.display()), Tone::Quiet);
    }
    door::print(&page.finish())
}

/// A draw is never written over another one: a second draw for a lot must be seen.
fn write_new(path: &Path, written: &Written) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::failed_with(
            format!("`{}` cannot be written: {}", path.display(), door::because(&error)),
            "name a file that does not exist yet; a draw is never overwritten",
        )
    };
    let mut text = serde_json::to_string_pretty(written)
        .map_err(|error| CliError::failed(format!("the draw cannot be written: {error}")))?;
    text.push('\n');
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn verify(args: &SampleVerifyArgs) -> Result<(), CliError> {
    let place = args.file.display();
    let text = fs::read_to_string(&args.file).map_err(|error| {
        CliError::failed(format!("`{place}` cannot be read: {}", door::because(&error)))
    })?;
    let written: Written = serde_json::from_str(&text)
        .map_err(|error| CliError::failed(format!("`{place}` is no draw: {error}")))?;
    if written.schema != SCHEMA || ![DRAW, BLIND].contains(&written.algorithm.as_str()) {
        return Err(CliError::failed(format!(
            "`{place}` is of a kind this release does not know: `{}`, `{}`",
            written.schema, written.algorithm
        )));
    }
    let items = match (&args.items, written.counted) {
        (Some(path), _) => read_items(path)?,
        (None, true) => counted_items(written.items as u64),
        (None, false) => {
            return Err(CliError::usage(
                format!("`{place}` was drawn from a list of ids"),
                "give that list with --items",
            ));
        }
    };
    let count = written.drawn.len();
    let redone = draw::draw(&written.algorithm, &written.seed, &written.lot, &items, count);
    let redone = redone.map_err(|error| CliError::failed(error.to_string()))?;
    let found = Written::of(&redone, written.counted);
    let mut differs = Vec::new();
    for (what, same) in [
        ("the list of items", found.list_sha256 == written.list_sha256),
        ("the number of items", found.items == written.items),
        ("the items drawn", found.drawn == written.drawn),
        ("the digest of the draw", found.draw_sha256 == written.draw_sha256),
    ] {
        if !same {
            differs.push(what);
        }
    }
    if args.format == Format::Json {
        door::print_json(&json!({
            "schema": "backstay.draw-verification/1",
            "lot": written.lot,
            "verified": differs.is_empty(),
            "differs": differs,
        }))?;
    } else if differs.is_empty() {
        let said = format!(
            "The draw of {count} from {} items of {} is the one that seed {} gives.",
            written.items, written.lot, written.seed
        );
        door::tell(&said)?;
    }
    if differs.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "`{place}` is not what its seed gives: {} differ",
        differs.join(", ")
    )))
}
