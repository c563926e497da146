//! A workspace and the real binary before it: made by its commands, served by its server, asked by
//! nobody but the browser.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// Looks at what the server has said, a tenth of a second apart.
const LOOKS: u32 = 600;

/// A workspace, with the program that works on it.
pub struct House {
    program: PathBuf,
    /// The folder of the workspace.
    pub workspace: PathBuf,
    /// The folder that it lies in.
    pub scratch: PathBuf,
}

impl House {
    /// One below `scratch` that is yet to be made.
    pub fn new(program: &Path, scratch: &Path, name: &str) -> Self {
        Self {
            program: program.to_owned(),
            workspace: scratch.join(name),
            scratch: scratch.to_owned(),
        }
    }

    /// Runs a command of the product beside the workspace; gives what it wrote.
    ///
    /// # Errors
    /// What it said, when it fails.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.scratch)
            .env_remove("BACKSTAY_WORKSPACE")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`backstay {}`: {}", arguments.join(" "), said.trim()))
    }

    /// Runs a command in the workspace.
    ///
    /// # Errors
    /// What it said, when it fails.
    pub fn within(&self, arguments: &[&str]) -> Result<String, String> {
        let workspace = self.workspace.display().to_string();
        self.run(&[&["-w", &workspace], arguments].concat())
    }

    /// An account; gives the path that lets its owner in once.
    ///
    /// # Errors
    /// What the command said.
    pub fn account(
        &self,
        email: &str,
        name: &str,
        provider: Option<&str>,
        grants: &[&str],
    ) -> Result<String, String> {
        let mut words = vec!["account", "add", email, "--name", name, "--link"];
        if let Some(provider) = provider {
            words.extend(["--provider", provider]);
        }
        for grant in grants {
            words.extend(["--grant", grant]);
        }
        link(&self.within(&words)?)
    }

    /// Serves it on a port that is free, until the server is dropped.
    ///
    /// # Errors
    /// When the server does not come up.
    pub fn serve(&self) -> Result<Served, String> {
        let told = self.scratch.join(format!(
            "{}.log",
            self.workspace.file_name().unwrap_or_default().to_string_lossy()
        ));
        let file =
            fs::File::create(&told).map_err(|error| format!("{}: {error}", told.display()))?;
        let again = file.try_clone().map_err(|error| error.to_string())?;
        let child = Command::new(&self.program)
            .arg("-w")
            .arg(&self.workspace)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(&self.scratch)
            .env_remove("BACKSTAY_WORKSPACE")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(again)
            .spawn()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        let mut served = Served { child, base: String::new(), told };
        let line = served.said("Backstay is at ")?;
        let base = line.split_whitespace().find(|word| word.starts_with("http"));
        served.base = base.unwrap_or_default().trim_end_matches('/').to_owned();
        Ok(served)
    }
}

/// A server that runs; it ends with its owner.
pub struct Served {
    child: Child,
    /// Its address, without a slash at the end.
    pub base: String,
    told: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// The line that holds this, once the server has said it.
    fn said(&mut self, wanted: &str) -> Result<String, String> {
        for _ in 0..LOOKS {
            let told = fs::read_to_string(&self.told).unwrap_or_default();
            // A line that has no end yet may not be whole.
            let whole = told.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(line) = whole.into_iter().find(|line| line.contains(wanted)) {
                return Ok(line.trim().to_owned());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("`backstay serve` ended ({status}): {}", told.trim()));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err(format!("`backstay serve` never said `{wanted}`"))
    }

    /// The path that lets the first administrator in once, as the server printed it.
    ///
    /// # Errors
    /// It printed none.
    pub fn first_link(&mut self) -> Result<String, String> {
        link(&self.said("/enter/")?)
    }

    /// What broke, as the operator reads it.
    pub fn errors(&self) -> Vec<String> {
        let told = fs::read_to_string(&self.told).unwrap_or_default();
        told.lines().filter(|line| line.contains("error")).map(str::to_owned).collect()
    }
}

/// The path of a one-time link in some text.
fn link(text: &str) -> Result<String, String> {
    let from = text.find("/enter/").ok_or_else(|| format!("there is no link in: {text}"))?;
    let rest = text.get(from..).unwrap_or_default();
    let path = rest.split_whitespace().next().unwrap_or_default();
    Ok(path.trim_end_matches(['.', ',']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_what_was_printed() {
        let line = "  http://127.0.0.1:8734/enter/67f4b5\n";
        assert_eq!(link(line).as_deref(), Ok("/enter/67f4b5"));
        assert!(link("nothing").is_err());
    }
}
