//! `backstay mapping …`: which source layouts can be read, and the file that says how.

use std::{fs, path::Path};

use backstay_evidence::Mapping;
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};

use crate::{args::MappingCommand, door, error::CliError, sources::find_mapping};

pub fn run(command: &MappingCommand, named: Option<&Path>) -> Result<u8, CliError> {
    let own = door::workspace_dir(named).ok().map(|dir| dir.join("mappings"));
    match command {
        MappingCommand::List => list(own.as_deref())?,
        MappingCommand::Show { name } => {
            let bases: Vec<_> = own.into_iter().collect();
            door::print(find_mapping(name, &bases)?.text())?;
        }
        MappingCommand::New(args) => return super::mapping_new::run(args, named),
    }
    Ok(0)
}

fn list(own: Option<&Path>) -> Result<(), CliError> {
    let mut grid = Grid::new(&[
        ("mapping", Set::Left),
        ("from", Set::Left),
        ("feeds", Set::Left),
        ("what it reads", Set::Flex),
    ]);
    let mut add = |mapping: &Mapping, from: &str| {
        let definition = mapping.definition();
        let tables: Vec<&str> = definition.tables.iter().map(|table| table.name.as_str()).collect();
        grid.row(vec![
            Cell::toned(mapping.name(), Tone::Strong),
            from.into(),
            tables.join(" ").into(),
            (&definition.about).into(),
        ]);
    };
    for name in Mapping::names() {
        let mapping =
            Mapping::built_in(name).map_err(|error| CliError::failed(error.to_string()))?;
        add(&mapping, "release");
    }
    for path in own.map(toml_files).transpose()?.unwrap_or_default() {
        let name = path.display().to_string();
        add(&find_mapping(&name, &[])?, "workspace");
    }
    let mut page = Page::new(door::look());
    page.grid(&grid);
    door::print(&page.finish())
}

/// The `.toml` files of a folder, in order of name; none when there is no such folder.
fn toml_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, CliError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let message =
                format!("`{}` cannot be looked into: {}", folder.display(), door::because(&error));
            return Err(CliError::failed(message));
        }
    };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    Ok(files)
}
