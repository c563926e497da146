//! One tab: what it opens, what it is asked, what it complains of, how it looks.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    chromium::{Browser, Screen},
    text,
};

/// What came when a page was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// A page, with the status it was answered by.
    Page(u64),
    /// A file to keep, or something else that is no page.
    File,
}

/// One tab.
pub struct Tab<'a> {
    browser: &'a mut Browser,
    target: String,
    session: String,
    /// Events before the page that is open now.
    mark: usize,
}

impl<'a> Tab<'a> {
    /// A tab that was just made.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn new(
        browser: &'a mut Browser,
        target: String,
        session: String,
        screen: Screen,
    ) -> Result<Self, String> {
        let mut tab = Self { browser, target, session, mark: 0 };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        tab.look_as(screen)?;
        Ok(tab)
    }

    /// Sends a command to the tab.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.browser.call(method, params, Some(&self.session))
    }

    /// Another size, another preference; the page stays.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn look_as(&mut self, screen: Screen) -> Result<(), String> {
        let metrics = json!({
            "width": screen.width, "height": 900, "deviceScaleFactor": 1, "mobile": screen.width < 600
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics)?;
        let scheme = if screen.dark { "dark" } else { "light" };
        let media = json!({
            "media": if screen.print { "print" } else { "screen" },
            "features": [{ "name": "prefers-color-scheme", "value": scheme }]
        });
        self.call("Emulation.setEmulatedMedia", media).map(|_| ())
    }

    /// Opens a file of this machine and waits until it has loaded.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&mut self, path: &Path) -> Result<(), String> {
        self.visit(&format!("file://{}", path.display())).map(|_| ())
    }

    /// Goes to an address and waits until it has loaded, or has turned out to be a file.
    ///
    /// # Errors
    /// When nothing answers there.
    pub fn visit(&mut self, url: &str) -> Result<Came, String> {
        self.mark = self.browser.events.len();
        let answer = self.call("Page.navigate", json!({ "url": url }))?;
        match answer.get("errorText").and_then(Value::as_str) {
            Some("net::ERR_ABORTED") => return Ok(Came::File),
            Some(why) => return Err(format!("{url}: {why}")),
            None => {}
        }
        if answer.get("isDownload").and_then(Value::as_bool) == Some(true) {
            return Ok(Came::File);
        }
        self.until("Page.loadEventFired", |_| true)?;
        Ok(Came::Page(self.status()))
    }

    /// Does something that leads to another page, and waits until that has loaded.
    ///
    /// # Errors
    /// When it cannot be done, or no page follows.
    pub fn follow(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.mark = self.browser.events.len();
        act(self)?;
        self.until("Page.loadEventFired", |_| true).map(|_| ())
    }

    /// Does something; gives what the browser says by this name after it, or said by it since the
    /// last page was asked for.
    ///
    /// # Errors
    /// When it cannot be done, or the browser keeps silent.
    pub fn after(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), String>,
        method: &str,
    ) -> Result<Value, String> {
        self.mark = self.browser.events.len();
        act(self)?;
        self.until(method, |_| true)
    }

    /// Waits until the browser says this, unless it did since the last act.
    ///
    /// # Errors
    /// When the browser keeps silent.
    pub fn until(
        &mut self,
        method: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let mut next = self.mark;
        loop {
            let told = self.browser.events.get(next..).unwrap_or_default();
            let found = told.iter().find(|event| {
                let whose = text(event, "/sessionId");
                (whose.is_empty() || whose == self.session)
                    && text(event, "/method") == method
                    && wanted(event)
            });
            if let Some(found) = found {
                return Ok(found.clone());
            }
            next = self.browser.events.len();
            self.browser.listen().map_err(|why| format!("no {method}: {why}"))?;
        }
    }

    fn events(&self) -> impl DoubleEndedIterator<Item = &Value> {
        let own = |event: &&Value| text(event, "/sessionId") == self.session;
        self.browser.events.get(self.mark..).unwrap_or_default().iter().filter(own)
    }

    fn answers(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.events().filter(|event| {
            text(event, "/method") == "Network.responseReceived"
                && text(event, "/params/type") == "Document"
        })
    }

    /// The status by which the page was answered; 0 when nobody was asked.
    pub fn status(&self) -> u64 {
        let last = self.answers().next_back();
        last.and_then(|event| event.pointer("/params/response/status")?.as_u64())
            .unwrap_or_default()
    }

    /// Where the tab is.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn url(&mut self) -> Result<String, String> {
        let frames = self.call("Page.getFrameTree", json!({}))?;
        Ok(text(&frames, "/frameTree/frame/url").to_owned())
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

    /// What the browser itself said against the page: errors, dialogs, and requests for anything but
    /// the page and a style sheet of its own server.
    pub fn complaints(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut origin = String::new();
        for event in self.events() {
            match text(event, "/method") {
                "Runtime.exceptionThrown" => found.push(format!("a script failed: {event}")),
                "Runtime.consoleAPICalled" => found.push(format!("console: {event}")),
                "Log.entryAdded" if !of_status(event) => {
                    found.push(format!("browser: {}", text(event, "/params/entry/text")));
                }
                "Page.javascriptDialogOpening" => found.push("a script of the page ran".to_owned()),
                "Network.requestWillBeSent" => {
                    let url = text(event, "/params/request/url");
                    match text(event, "/params/type") {
                        "Document" => origin = origin_of(url).to_owned(),
                        // Pictures that the browser itself puts into fields.
                        _ if url.starts_with("data:") => {}
                        "Stylesheet" if !origin.is_empty() && origin_of(url) == origin => {}
                        _ => found.push(format!("it asks for {url}")),
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

/// Scheme, host and port of an address; nothing for a file.
fn origin_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(after..).unwrap_or_default();
    let host = rest.find('/').unwrap_or(rest.len());
    if url.starts_with("http") { url.get(..after + host).unwrap_or_default() } else { "" }
}

/// Whether the browser only repeats the status of the page itself, which is looked at anyway.
fn of_status(event: &Value) -> bool {
    text(event, "/params/entry/source") == "network"
        && text(event, "/params/entry/text").contains("the server responded with a status of 4")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_a_file_has_none() {
        assert_eq!(origin_of("http://127.0.0.1:8734/a/b?c"), "http://127.0.0.1:8734");
        assert_eq!(origin_of("http://127.0.0.1:8734"), "http://127.0.0.1:8734");
        assert_eq!(origin_of("file:///etc/passwd"), "");
    }
}
