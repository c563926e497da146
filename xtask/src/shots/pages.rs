//! The pages that are looked at: of the worked example, of evidence that means harm, and of the real
//! log of the tutorial. All are made by the real binary; nothing here knows what stands in them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A page of usual size.
const USUAL_BYTES: u64 = 800_000;
/// The page of a large log must stay one that can be mailed and opened.
const MOST_BYTES: u64 = 2_000_000;
/// The log of the tutorial, below the folder of real data.
const LOG: &str = "work-logs/servicenow_incident_event_log.csv.gz";

/// A page to look at.
pub struct Page {
    /// Name of its pictures.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Bytes that it may have.
    pub most_bytes: u64,
}

impl Page {
    /// A page that was made before.
    pub fn named(path: &Path) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, path: path.to_owned(), most_bytes: MOST_BYTES }
    }
}

/// Makes the pages under `scratch`.
///
/// # Errors
/// A command that fails, with what it said.
pub fn make(root: &Path, program: &Path, scratch: &Path, real: bool) -> Result<Vec<Page>, String> {
    let backstay = Backstay { program: program.to_owned(), scratch };
    let mut pages = vec![backstay.example()?, backstay.hostile()?];
    if real {
        let data = std::env::var_os("BACKSTAY_TEST_DATA")
            .map_or_else(|| root.join("../shared/data"), PathBuf::from);
        let log = data.join(LOG);
        if log.is_file() {
            pages.push(backstay.tutorial(root, &log)?);
        } else {
            eprintln!("warning: THE REAL LOG WAS NOT LOOKED AT: there is no {}", log.display());
        }
    }
    Ok(pages)
}

/// A workspace `hostile` whose evidence means harm.
///
/// # Errors
/// A command that fails, with what it said.
pub fn make_hostile(program: &Path, scratch: &Path) -> Result<(), String> {
    Backstay { program: program.to_owned(), scratch }.hostile().map(|_| ())
}

struct Backstay<'a> {
    program: PathBuf,
    scratch: &'a Path,
}

impl Backstay<'_> {
    /// Runs a command of the product; gives what it wrote.
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.scratch)
            .env_remove("BACKSTAY_WORKSPACE")
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`backstay {}`: {}", arguments.join(" "), said.trim()))
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), String> {
        let path = self.scratch.join(name);
        let folder = path.parent().unwrap_or(self.scratch);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn page(&self, name: &str, workspace: &str, most_bytes: u64) -> Result<Page, String> {
        let file = format!("{name}.html");
        self.run(&["-w", workspace, "report", "--html", &file])?;
        Ok(Page { name: name.to_owned(), path: self.scratch.join(file), most_bytes })
    }

    fn example(&self) -> Result<Page, String> {
        self.run(&["demo", "meridian"])?;
        self.page("meridian", "meridian", USUAL_BYTES)
    }

    /// The tutorial's steps: its registers stand in `docs/tutorial.md`.
    fn tutorial(&self, root: &Path, log: &Path) -> Result<Page, String> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let mut file: Option<(String, String)> = None;
        for line in read(&root.join("docs/tutorial.md"))?.lines() {
            let opened = ["```csv ", "```toml "].iter().find_map(|mark| line.strip_prefix(mark));
            if let Some(name) = opened {
                file = Some((name.trim().to_owned(), String::new()));
            } else if line == "```" {
                if let Some((name, text)) = file.take() {
                    self.write(&name, text.as_bytes())?;
                }
            } else if let Some((_, text)) = &mut file {
                text.push_str(line);
                text.push('\n');
            }
        }
        let log = log.canonicalize().map_err(|error| format!("{}: {error}", log.display()))?;
        let log = log.to_string_lossy();
        self.run(&["init", "desk"])?;
        let import =
            ["-w", "desk", "import", &log, "--mapping", "servicenow-incident", "--zone", "Etc/UTC"];
        self.run(&[&import[..], &["--set", "arrangement_id=service-desk"]].concat())?;
        self.run(&["-w", "desk", "import", "registers"])?;
        let teams = "SELECT DISTINCT arrangement_id, team_id, 'main' AS site_id FROM case_event \
                     WHERE team_id IS NOT NULL ORDER BY team_id";
        let teams = self.run(&["-w", "desk", "query", teams, "--format", "csv"])?;
        self.write("team.csv", &teams)?;
        self.run(&["-w", "desk", "import", "team.csv", "--as", "team"])?;
        self.run(&["-w", "desk", "assess", "--period", "2016-04"])?;
        self.page("servicenow", "desk", MOST_BYTES)
    }

    /// Ids, names and titles that would run, steer the line or never end if a page let them.
    fn hostile(&self) -> Result<Page, String> {
        let script = "<script>document.title='owned'</script>";
        let image = "<img src=x onerror=document.title='owned'>";
        let turned = "left\u{202e}thgir\u{2066}";
        let long = "x".repeat(10_000);
        let words = "a very long name of many words ".repeat(40);
        let arrangements = [script, image, turned, &long, "plain"];
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut files: Vec<(&str, String)> = vec![
            ("client", format!("client_id,name\nc,{}\n", quoted(&format!("{script}{words}")))),
            ("provider", format!("provider_id,name\np,{}\n", quoted(&format!("{image}{long}")))),
            (
                "calendar",
                "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,covered_from,covered_until\n\
                 office,Etc/UTC,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,2026-01-01,2027-01-01\n"
                    .to_owned(),
            ),
            ("site", "site_id,provider_id,time_zone,calendar_id\nhere,p,Etc/UTC,office\n".to_owned()),
        ];
        let mut register =
            String::from("arrangement_id,client_id,provider_id,title,time_zone,default_site_id\n");
        let mut levels = String::from(
            "arrangement_id,service_level_id,title,metric,target,minimum,threshold,window,stop_states,basis\n",
        );
        let mut events =
            String::from("event_id,arrangement_id,case_id,activity,state,occurred_at\n");
        let mut feeds =
            String::from("arrangement_id,feed_id,table_name,entry,cadence,valid_from,valid_to\n");
        let mut reports = String::from(
            "arrangement_id,source,service_level_id,period_start,numerator,denominator,reported_at\n",
        );
        for (n, id) in arrangements.iter().enumerate() {
            let id = quoted(id);
            let level = quoted(&format!("{image}{turned}"));
            register.push_str(&format!("{id},c,p,{},Etc/UTC,here\n", quoted(&words)));
            levels.push_str(&format!(
                "{id},{level},{},turnaround,0.9,0.8,2h,month,Done,contract\n",
                quoted(&format!("{script}{words}"))
            ));
            for month in [2, 3] {
                for case in 0..3 {
                    let (name, day) = (quoted(&format!("{long}{case}{month}")), 2 + case);
                    events.push_str(&format!(
                        "o{n}-{month}-{case},{id},{name},open,Open,2026-{month:02}-0{day}T09:00:00Z\n\
                         d{n}-{month}-{case},{id},{name},done,Done,2026-{month:02}-0{day}T1{case}:00:00Z\n"
                    ));
                }
            }
            feeds.push_str(&format!(
                "{id},{},case_event,declared,day,2026-02-01,\n",
                quoted(script)
            ));
            reports.push_str(&format!(
                "{id},{},{level},2026-03-01,3,3,2026-04-01T00:00:00Z\n",
                quoted(&words)
            ));
        }
        files.extend([
            ("arrangement", register),
            ("service_level", levels),
            ("case_event", events),
            ("provider_report", reports),
            ("evidence_feed", feeds),
        ]);
        let mut order = String::new();
        for (table, text) in &files {
            self.write(&format!("harm/{table}.csv"), text.as_bytes())?;
            order.push_str(&format!("[[import]]\nfile = \"{table}.csv\"\nas = \"{table}\"\n"));
        }
        self.write("harm/imports.toml", order.as_bytes())?;
        self.run(&["init", "hostile"])?;
        self.run(&["-w", "hostile", "import", "harm"])?;
        self.run(&["-w", "hostile", "assess", "--period", "2026-03"])?;
        self.page("hostile", "hostile", USUAL_BYTES)
    }
}
