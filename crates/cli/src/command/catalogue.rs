//! `backstay catalogue …`: what is tested, how, and whether the tests of the tests pass.

use std::{fs, path::Path, sync::Arc};

use backstay_desk::evidence;
use backstay_engine::{
    Catalogue, EngineError,
    catalogue::{FileReport, TrialOptions, catalogue_test, skeleton},
};
use backstay_report::{
    catalogue::test_text,
    layout::{Cell, Grid, Page, Set, Tone},
};
use serde_json::json;

use crate::{
    args::{CatalogueCommand, Format},
    command::{nearest, vocabulary},
    door,
    error::CliError,
};

pub fn run(command: &CatalogueCommand, named: Option<&Path>) -> Result<u8, CliError> {
    match command {
        CatalogueCommand::New { name } => {
            new(&door::workspace_dir(named)?, name)?;
            Ok(0)
        }
        CatalogueCommand::List { format } => {
            list(&whole(named)?, *format)?;
            Ok(0)
        }
        CatalogueCommand::Show { id } => {
            let catalogue = whole(named)?;
            let text = catalogue.show(id).map_err(|_| unknown(&catalogue, id))?;
            door::print(text)?;
            Ok(0)
        }
        CatalogueCommand::Test { ids, mutate, format } => {
            test(&whole(named)?, ids, *mutate, *format)
        }
    }
}

/// The catalogue of this release, with the workspace's own files when a workspace is meant.
fn whole(named: Option<&Path>) -> Result<Catalogue, CliError> {
    match door::workspace_dir(named) {
        Ok(dir) => Ok(evidence::catalogue(&backstay_store::Workspace::open(&dir)?)?),
        Err(_) => Ok(Catalogue::built_in().map_err(EngineError::from)?),
    }
}

fn unknown(catalogue: &Catalogue, id: &str) -> CliError {
    let mut ids: Vec<&str> =
        catalogue.controls().iter().map(|control| control.id.as_str()).collect();
    ids.extend(catalogue.metrics().map(|metric| metric.id.as_str()));
    ids.extend(catalogue.risks().iter().map(|risk| risk.id.as_str()));
    CliError::usage(
        format!("no control, metric or risk has the id `{id}`"),
        nearest(id, &ids, "`backstay catalogue list` names them all"),
    )
}

fn list(catalogue: &Catalogue, format: Format) -> Result<(), CliError> {
    if format == Format::Json {
        let controls: Vec<_> = catalogue
            .controls()
            .iter()
            .map(|c| json!({ "id": c.id, "risk": c.risk, "title": c.title, "severity": c.severity, "file": c.file }))
            .collect();
        let metrics: Vec<_> = catalogue
            .metrics()
            .map(|m| json!({ "id": m.id, "title": m.title, "file": m.file }))
            .collect();
        return door::print_json(&json!({
            "digest": catalogue.digest(), "controls": controls, "metrics": metrics,
        }));
    }
    let mut page = Page::new(door::look());
    for risk in catalogue.risks() {
        page.heading(&format!("{}: {}", risk.id, risk.title));
        let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
        for control in catalogue.controls().iter().filter(|control| control.risk == risk.id) {
            grid.row(vec![Cell::toned(&control.id, Tone::Strong), (&control.title).into()]);
        }
        page.grid(&grid);
    }
    page.heading("metrics of service levels");
    let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
    for metric in catalogue.metrics() {
        grid.row(vec![Cell::toned(&metric.id, Tone::Strong), (&metric.title).into()]);
    }
    page.grid(&grid);
    door::print(&page.finish())
}

fn new(workspace: &Path, name: &str) -> Result<(), CliError> {
    let (kind, id) = match name.split_once('/') {
        Some(("metrics", metric)) => ("metric", metric),
        Some(_) => ("control", name),
        None => ("risk", name),
    };
    let (file, text) = skeleton(kind, id).map_err(EngineError::from)?;
    let path = workspace.join("catalogue").join(&file);
    let unwritable = |error: std::io::Error| {
        CliError::failed(format!(
            "`{}` cannot be written: {}",
            path.display(),
            door::because(&error)
        ))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut new_file = fs::File::create_new(&path).map_err(unwritable)?;
    std::io::Write::write_all(&mut new_file, text.as_bytes()).map_err(unwritable)?;
    door::tell(&format!(
        "Written: `{}`. It works as it stands; change it piece by piece, and run `backstay catalogue \
         test` after each.\n",
        path.display()
    ))
}

fn test(
    catalogue: &Catalogue,
    ids: &[String],
    mutate: bool,
    format: Format,
) -> Result<u8, CliError> {
    let vocabulary = Arc::new(vocabulary::built_in()?);
    let catalogue = Arc::new(catalogue.clone());
    let mut chosen: Vec<Option<String>> = ids.iter().cloned().map(Some).collect();
    if chosen.is_empty() {
        chosen.push(None);
    }
    let mut reports = Vec::new();
    for only in chosen {
        if let Some(id) = &only {
            catalogue.show(id).map_err(|_| unknown(&catalogue, id))?;
        }
        let options = TrialOptions { only, mutate };
        reports.extend(catalogue_test(&vocabulary, &catalogue, &options, evidence::layout())?);
    }
    match format {
        Format::Text => door::print(&test_text(&reports, mutate, door::look()))?,
        Format::Json => {
            let files: Vec<_> = reports.iter().map(shown).collect();
            door::print_json(&json!({ "schema": "backstay.catalogue-test/1", "files": files }))?;
        }
    }
    if reports.iter().all(FileReport::passed) {
        return Ok(0);
    }
    Err(CliError::failed("the catalogue does not pass its own tests"))
}

fn shown(report: &FileReport) -> serde_json::Value {
    let cases: Vec<_> = report
        .cases
        .iter()
        .map(|case| json!({ "name": case.name, "line": case.line, "failures": case.failures }))
        .collect();
    json!({
        "id": report.id,
        "file": report.file,
        "passed": report.passed(),
        "cases": cases,
        "refusals": report.refusals,
        "mutants": report.mutants,
        "survivors": report.survivors,
    })
}
