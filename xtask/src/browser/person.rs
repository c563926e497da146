//! Somebody before a tab, who knows a page as assistive technology tells it (roles and names) and acts
//! with pointer, keyboard and files. No script is run for it, so that it does the same where scripts are
//! switched off.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{tab::Tab, text};

/// Looks at a page that is expected to change by itself, a quarter of a second apart.
const LOOKS: u32 = 480;

/// What a page holds, as it is read out.
#[derive(Debug, Clone)]
struct Told {
    role: String,
    name: String,
    value: String,
    node: u64,
}

/// Somebody before a tab.
pub struct Person<'a> {
    /// Its tab.
    pub tab: Tab<'a>,
    base: String,
    downloads: PathBuf,
}

impl<'a> Person<'a> {
    /// Somebody who begins at the server with this address and keeps files there.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn new(
        mut tab: Tab<'a>,
        base: &str,
        downloads: &Path,
        scripts: bool,
    ) -> Result<Self, String> {
        tab.call("DOM.enable", json!({}))?;
        tab.call("Accessibility.enable", json!({}))?;
        tab.call("Emulation.setScriptExecutionDisabled", json!({ "value": !scripts }))?;
        Ok(Self { tab, base: base.to_owned(), downloads: downloads.to_owned() })
    }

    /// Writes a path into the address line; gives the status of what came.
    ///
    /// # Errors
    /// When nothing answers, or what came is no page.
    pub fn go(&mut self, path: &str) -> Result<u64, String> {
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        match self.tab.visit(&url)? {
            super::tab::Came::Page(status) => Ok(status),
            super::tab::Came::File => Err(format!("{path}: a file came where a page was expected")),
        }
    }

    /// Where it is: path and query.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn place(&mut self) -> Result<String, String> {
        let url = self.tab.url()?;
        Ok(url.strip_prefix(&self.base).unwrap_or(&url).to_owned())
    }

    fn told(&mut self) -> Result<Vec<Told>, String> {
        let answer = self.tab.call("Accessibility.getFullAXTree", json!({}))?;
        let nodes = answer.get("nodes").and_then(Value::as_array).cloned().unwrap_or_default();
        let heard = nodes.iter().filter(|node| node.get("ignored") != Some(&Value::Bool(true)));
        let all = heard.map(|node| Told {
            role: text(node, "/role/value").to_owned(),
            name: words(text(node, "/name/value")),
            value: text(node, "/value/value").to_owned(),
            node: node.get("backendDOMNodeId").and_then(Value::as_u64).unwrap_or_default(),
        });
        Ok(all.collect())
    }

    /// The first that has this role and exactly this name; else the first whose name holds it.
    fn find(&mut self, roles: &[&str], name: &str) -> Result<Told, String> {
        let all = self.told()?;
        let fit: Vec<&Told> = all.iter().filter(|t| roles.contains(&t.role.as_str())).collect();
        let exact = fit.iter().find(|told| told.name == name);
        if let Some(found) = exact.or_else(|| fit.iter().find(|told| told.name.contains(name))) {
            return Ok((*found).clone());
        }
        let names: Vec<&str> = fit.iter().map(|told| told.name.as_str()).take(60).collect();
        let place = self.place()?;
        let heading = heading(&all);
        Err(format!(
            "{place} (`{heading}`): there is no {} `{name}`; there are {names:?}",
            roles.join(" or ")
        ))
    }

    /// The page as it is read out, in one line.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn reads(&mut self) -> Result<String, String> {
        let all = self.told()?;
        let parts = all.iter().filter(|told| told.role == "StaticText" || !told.value.is_empty());
        let parts =
            parts.map(
                |told| {
                    if told.value.is_empty() { told.name.as_str() } else { told.value.as_str() }
                },
            );
        Ok(words(&parts.collect::<Vec<_>>().join(" ")))
    }

    /// The page says this.
    ///
    /// # Errors
    /// It does not; what it says instead.
    pub fn sees(&mut self, wanted: &str) -> Result<(), String> {
        let read = self.reads()?;
        if read.contains(wanted) {
            return Ok(());
        }
        let begin: String = read.chars().take(1_500).collect();
        Err(format!("{} does not say `{wanted}`, but: {begin}", self.place()?))
    }

    /// The page says nothing of this.
    ///
    /// # Errors
    /// It does.
    pub fn sees_nothing_of(&mut self, unwanted: &str) -> Result<(), String> {
        if self.reads()?.contains(unwanted) {
            return Err(format!("{} says `{unwanted}`", self.place()?));
        }
        Ok(())
    }

    /// Waits until the page, which changes by itself, says this.
    ///
    /// # Errors
    /// It never does.
    pub fn waits_for(&mut self, wanted: &str) -> Result<(), String> {
        for _ in 1..LOOKS {
            // A page that is just being replaced cannot be read; the next look can.
            if self.reads().is_ok_and(|read| read.contains(wanted)) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(250));
        }
        self.sees(wanted)
    }

    /// Presses a link, and waits for the page behind it.
    ///
    /// # Errors
    /// There is none, or no page follows.
    pub fn link(&mut self, name: &str) -> Result<(), String> {
        let found = self.find(&["link"], name)?;
        self.tab.follow(|tab| click(tab, found.node)).map_err(|why| format!("link `{name}`: {why}"))
    }

    /// Presses a button, and waits for the page that follows.
    ///
    /// # Errors
    /// There is none, or no page follows.
    pub fn button(&mut self, name: &str) -> Result<(), String> {
        let found = self.find(&["button"], name)?;
        self.tab
            .follow(|tab| click(tab, found.node))
            .map_err(|why| format!("button `{name}`: {why}"))
    }

    /// Opens what is folded.
    ///
    /// # Errors
    /// There is nothing of that name.
    pub fn unfold(&mut self, name: &str) -> Result<(), String> {
        let found = self.find(&["DisclosureTriangle", "Summary"], name)?;
        click(&mut self.tab, found.node)
    }

    /// Writes into a field in place of what stands there.
    ///
    /// # Errors
    /// There is no such field.
    pub fn fill(&mut self, label: &str, value: &str) -> Result<(), String> {
        let found =
            self.find(&["textbox", "searchbox", "spinbutton", "Date", "combobox"], label)?;
        self.tab.call("DOM.focus", json!({ "backendNodeId": found.node }))?;
        for kind in ["keyDown", "keyUp"] {
            let commands: &[&str] = if kind == "keyDown" { &["selectAll"] } else { &[] };
            let key = json!({
                "type": kind, "key": "a", "code": "KeyA", "modifiers": 2, "commands": commands
            });
            self.tab.call("Input.dispatchKeyEvent", key)?;
        }
        if value.is_empty() {
            for kind in ["keyDown", "keyUp"] {
                let key = json!({
                    "type": kind, "key": "Delete", "code": "Delete", "windowsVirtualKeyCode": 46
                });
                self.tab.call("Input.dispatchKeyEvent", key)?;
            }
            return Ok(());
        }
        self.tab.call("Input.insertText", json!({ "text": value })).map(|_| ())
    }

    /// Hands files to a field for files.
    ///
    /// # Errors
    /// There is no such field.
    pub fn hand_in(&mut self, label: &str, files: &[&Path]) -> Result<(), String> {
        let found = self.find(&["button", "FileUpload", "textbox"], label)?;
        let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        let params = json!({ "files": files, "backendNodeId": found.node });
        self.tab
            .call("DOM.setFileInputFiles", params)
            .map(|_| ())
            .map_err(|why| format!("`{label}`: {why}"))
    }

    /// Presses a link behind which is a file; gives its name and where it was kept.
    ///
    /// # Errors
    /// There is no such link, or no file comes.
    pub fn download(&mut self, name: &str) -> Result<(String, PathBuf), String> {
        let found = self.find(&["link", "button"], name)?;
        let begun = self.tab.after(|tab| click(tab, found.node), "Browser.downloadWillBegin")?;
        let id = text(&begun, "/params/guid").to_owned();
        let done = self.tab.until("Browser.downloadProgress", |event| {
            text(event, "/params/guid") == id && text(event, "/params/state") != "inProgress"
        })?;
        if text(&done, "/params/state") != "completed" {
            return Err(format!("`{name}`: the file did not come whole"));
        }
        Ok((text(&begun, "/params/suggestedFilename").to_owned(), self.downloads.join(id)))
    }

    /// The first heading.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn heading(&mut self) -> Result<String, String> {
        Ok(heading(&self.told()?))
    }

    /// Names of all links.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn links(&mut self) -> Result<Vec<String>, String> {
        let all = self.told()?;
        Ok(all.into_iter().filter(|told| told.role == "link").map(|told| told.name).collect())
    }
}

fn heading(all: &[Told]) -> String {
    all.iter().find(|told| told.role == "heading").map(|told| told.name.clone()).unwrap_or_default()
}

/// With single spaces, and without the marks that keep the direction of a name from what is around it.
fn words(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !matches!(c, '\u{2066}'..='\u{2069}')).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Presses the pointer on something, where a person would see it.
fn click(tab: &mut Tab<'_>, node: u64) -> Result<(), String> {
    tab.call("DOM.scrollIntoViewIfNeeded", json!({ "backendNodeId": node }))?;
    let quads = tab.call("DOM.getContentQuads", json!({ "backendNodeId": node }))?;
    let corner = |n: usize| quads.pointer(&format!("/quads/0/{n}")).and_then(Value::as_f64);
    let corners: Option<Vec<f64>> = (0..8).map(corner).collect();
    let Some([a, b, c, d, e, f, g, h]) = corners.as_deref() else {
        return Err("it is not to be seen".to_owned());
    };
    let (x, y) = ((a + c + e + g) / 4.0, (b + d + f + h) / 4.0);
    for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let params = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
        tab.call("Input.dispatchMouseEvent", params)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_single_spaces_and_no_marks_of_direction() {
        assert_eq!(words(" a \n \u{2068}b\u{2069}  c "), "a b c");
    }
}
