//! The program: finding, starting and ending it, and the messages of its DevTools protocol. It must
//! never decide what is right about a page.

use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::{tab::Tab, text};

/// Names under which systems have it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Waits of a tenth of a second for the browser to answer.
const WAITS: u32 = 600;
/// Dots per inch of a PDF's page as a picture.
const PDF_DPI: &str = "70";

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Width in pixels.
    pub width: u64,
    /// Whether the reader prefers dark.
    pub dark: bool,
    /// Whether it is set for paper.
    pub print: bool,
}

/// The program: `$BACKSTAY_CHROMIUM`, else one of the usual names, else Debian's package when we are
/// root and may install it.
///
/// # Errors
/// When there is none, and none can be had.
pub fn find() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("BACKSTAY_CHROMIUM").map(PathBuf::from) {
        return if named.is_file() {
            Ok(named)
        } else {
            Err(format!("$BACKSTAY_CHROMIUM names `{}`, which is no file", named.display()))
        };
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let advice =
        "install Chromium (Debian: `apt-get install chromium`), or name one in $BACKSTAY_CHROMIUM";
    if !is_root() {
        return Err(format!("there is no Chromium; {advice}"));
    }
    eprintln!("no Chromium found; installing Debian's");
    for arguments in
        [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", "chromium"]]
    {
        let done = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status();
        if !done.is_ok_and(|status| status.success()) {
            return Err(format!(
                "there is no Chromium, and apt-get could not install it; {advice}"
            ));
        }
    }
    on_path().ok_or_else(|| format!("apt-get installed no Chromium; {advice}"))
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    NAMES
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|path| path.is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The pages of a PDF as pictures, when `pdftoppm` is there; says so when it is not. Gives how many.
pub fn pdf_pages(pdf: &Path, name: &Path) -> u64 {
    let done = Command::new("pdftoppm").args(["-r", PDF_DPI, "-png"]).arg(pdf).arg(name).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!(
            "note: no `pdftoppm` (poppler-utils), so {} has no pictures of its pages",
            pdf.display()
        );
        return 0;
    }
    let stem =
        name.file_name().map(|name| format!("{}-", name.to_string_lossy())).unwrap_or_default();
    let pages =
        name.parent().and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    pages.filter(|entry| entry.file_name().to_string_lossy().starts_with(&stem)).count() as u64
}

/// A running browser; it ends with its owner.
pub struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    sent: u64,
    /// What it said by itself since the last tab was opened.
    pub events: Vec<Value>,
}

/// Somebody's own cookies.
pub struct Profile(String);

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Starts one with a profile of its own.
    ///
    /// # Errors
    /// When it does not start, or does not answer.
    pub fn start(program: &Path, profile: &Path) -> Result<Self, String> {
        let mut command = Command::new(program);
        command
            .args([
                "--headless=new",
                "--remote-debugging-port=0",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args(["--no-first-run", "--no-default-browser-check", "--disable-extensions"])
            .args(["--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage"])
            .args(["--force-color-profile=srgb", "--font-render-hinting=none"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if is_root() {
            // As root in a container its sandbox cannot start; it opens only files that we made.
            command.arg("--no-sandbox");
        }
        let mut child = command
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let connected = connect(&mut child, profile);
        match connected {
            Ok(socket) => Ok(Self { child, socket, sent: 0, events: Vec::new() }),
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(why)
            }
        }
    }

    /// Somebody's own browser: cookies of one are not seen by another.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn profile(&mut self) -> Result<Profile, String> {
        let made = self.call("Target.createBrowserContext", json!({}), None)?;
        Ok(Profile(text(&made, "/browserContextId").to_owned()))
    }

    /// Where downloads of somebody's browser go, each under an id of its own.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn keep_downloads(&mut self, profile: &Profile, folder: &Path) -> Result<(), String> {
        let params = json!({
            "behavior": "allowAndName", "browserContextId": profile.0,
            "downloadPath": folder, "eventsEnabled": true,
        });
        self.call("Browser.setDownloadBehavior", params, None).map(|_| ())
    }

    /// Opens a tab that looks so, in somebody's browser or in one that nobody uses.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn tab(&mut self, profile: Option<&Profile>, screen: Screen) -> Result<Tab<'_>, String> {
        self.events.clear();
        let mut asked = json!({ "url": "about:blank" });
        if let (Some(Profile(id)), Some(fields)) = (profile, asked.as_object_mut()) {
            fields.insert("browserContextId".to_owned(), id.as_str().into());
        }
        let made = self.call("Target.createTarget", asked, None)?;
        let target = text(&made, "/targetId").to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let session =
            text(&self.call("Target.attachToTarget", attach, None)?, "/sessionId").to_owned();
        Tab::new(self, target, session, screen)
    }

    /// Sends a command and waits for its answer; events that come between are kept.
    ///
    /// # Errors
    /// When the browser refuses, or went away.
    pub fn call(
        &mut self,
        method: &str,
        params: Value,
        session: Option<&str>,
    ) -> Result<Value, String> {
        self.sent += 1;
        let id = self.sent;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session
            && let Some(fields) = message.as_object_mut()
        {
            fields.insert("sessionId".to_owned(), session.into());
        }
        let sent = self.socket.send(Message::text(message.to_string()));
        sent.map_err(|error| format!("{method}: {error}"))?;
        loop {
            let answer = self.read().map_err(|why| format!("{method}: {why}"))?;
            if answer.get("id").and_then(Value::as_u64) != Some(id) {
                self.events.push(answer);
            } else if let Some(error) = answer.pointer("/error/message") {
                return Err(format!("{method}: {error}"));
            } else {
                return Ok(answer.get("result").cloned().unwrap_or_default());
            }
        }
    }

    /// The next thing that the browser says by itself, kept among the events.
    ///
    /// # Errors
    /// When it says nothing for long, or went away.
    pub fn listen(&mut self) -> Result<(), String> {
        let event = self.read()?;
        self.events.push(event);
        Ok(())
    }

    fn read(&mut self) -> Result<Value, String> {
        loop {
            match self.socket.read().map_err(|error| error.to_string())? {
                Message::Text(text) => {
                    return serde_json::from_str(&text).map_err(|error| error.to_string());
                }
                Message::Close(_) => return Err("the browser went away".to_owned()),
                _ => {}
            }
        }
    }
}

/// The browser's own socket, once it has written where that is.
fn connect(child: &mut Child, profile: &Path) -> Result<WebSocket<TcpStream>, String> {
    let place = profile.join("DevToolsActivePort");
    for _ in 0..WAITS {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("Chromium ended at once: {status}"));
        }
        let told = fs::read_to_string(&place).unwrap_or_default();
        if let Some((port, path)) = told.split_once('\n')
            && let Ok(port) = port.trim().parse::<u16>()
            && !path.trim().is_empty()
        {
            let stream =
                TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
            // A browser that says nothing for so long has hung.
            let patience = Some(Duration::from_secs(120));
            stream.set_read_timeout(patience).map_err(|error| error.to_string())?;
            let url = format!("ws://127.0.0.1:{port}{}", path.trim());
            let (socket, _) = tungstenite::client(url, stream)
                .map_err(|error| format!("no DevTools: {error}"))?;
            return Ok(socket);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Err("Chromium did not say where it listens".to_owned())
}
