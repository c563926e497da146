//! A real Chromium, driven over its DevTools protocol. Owns finding, starting and ending it, and the
//! messages; it must never decide what is right about a page.

use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::text;

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
    events: Vec<Value>,
}

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

    /// Opens a tab that looks so.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn tab(&mut self, screen: Screen) -> Result<Tab<'_>, String> {
        self.events.clear();
        let made = self.call("Target.createTarget", json!({ "url": "about:blank" }), None)?;
        let target = text(&made, "/targetId").to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let session =
            text(&self.call("Target.attachToTarget", attach, None)?, "/sessionId").to_owned();
        let mut tab = Tab { browser: self, target, session, url: String::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        let metrics = json!({
            "width": screen.width, "height": 900, "deviceScaleFactor": 1, "mobile": screen.width < 600
        });
        tab.call("Emulation.setDeviceMetricsOverride", metrics)?;
        let scheme = if screen.dark { "dark" } else { "light" };
        let media = json!({
            "media": if screen.print { "print" } else { "screen" },
            "features": [{ "name": "prefers-color-scheme", "value": scheme }]
        });
        tab.call("Emulation.setEmulatedMedia", media)?;
        Ok(tab)
    }

    /// Sends a command and waits for its answer; events that come between are kept.
    fn call(
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

/// One tab.
pub struct Tab<'a> {
    browser: &'a mut Browser,
    target: String,
    session: String,
    url: String,
}

impl Tab<'_> {
    fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.browser.call(method, params, Some(&self.session))
    }

    /// Opens a file and waits until it has loaded.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&mut self, path: &Path) -> Result<(), String> {
        self.url = format!("file://{}", path.display());
        let answer = self.call("Page.navigate", json!({ "url": self.url }))?;
        if let Some(why) = answer.get("errorText") {
            return Err(format!("{}: {why}", self.url));
        }
        while !self
            .browser
            .events
            .iter()
            .any(|event| text(event, "/method") == "Page.loadEventFired")
        {
            let event = self.browser.read()?;
            self.browser.events.push(event);
        }
        Ok(())
    }

    /// Evaluates an expression; gives its value.
    ///
    /// # Errors
    /// When the expression throws.
    pub fn ask(&mut self, expression: &str) -> Result<Value, String> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", params)?;
        if let Some(thrown) = answer.pointer("/exceptionDetails") {
            return Err(format!("the script failed: {thrown}"));
        }
        Ok(answer.pointer("/result/value").cloned().unwrap_or_default())
    }

    /// What the browser itself said against the page: errors, dialogs, and requests for anything else.
    pub fn complaints(&self) -> Vec<String> {
        let own = |event: &&Value| text(event, "/sessionId") == self.session;
        let mut found = Vec::new();
        for event in self.browser.events.iter().filter(own) {
            match text(event, "/method") {
                "Runtime.exceptionThrown" => found.push(format!("a script failed: {event}")),
                "Runtime.consoleAPICalled" => found.push(format!("console: {event}")),
                "Log.entryAdded" => {
                    found.push(format!("browser: {}", text(event, "/params/entry/text")))
                }
                "Page.javascriptDialogOpening" => found.push("a script of the page ran".to_owned()),
                "Network.requestWillBeSent" => {
                    let url = text(event, "/params/request/url");
                    if url != self.url {
                        found.push(format!("it asks for {url}"));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// A picture of the page from `top` on, `height` high, as PNG.
    ///
    /// # Errors
    /// When the browser gives none.
    pub fn picture(&mut self, (top, height): (u64, u64)) -> Result<Vec<u8>, String> {
        let width = self.ask("document.documentElement.clientWidth")?;
        let clip = json!({ "x": 0, "y": top, "width": width, "height": height, "scale": 1 });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let answer = self.call("Page.captureScreenshot", params)?;
        STANDARD.decode(text(&answer, "/data")).map_err(|error| error.to_string())
    }

    /// The page as it is printed.
    ///
    /// # Errors
    /// When the browser gives none.
    pub fn pdf(&mut self) -> Result<Vec<u8>, String> {
        let params = json!({ "preferCSSPageSize": true, "printBackground": true });
        let answer = self.call("Page.printToPDF", params)?;
        STANDARD.decode(text(&answer, "/data")).map_err(|error| error.to_string())
    }

    /// Closes it.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn close(self) -> Result<(), String> {
        let params = json!({ "targetId": self.target });
        self.browser.call("Target.closeTarget", params, None).map(|_| ())
    }
}
