// What must hold of a page, asked in a real browser. Gives a list of sentences; an empty one is well.
(() => {
  const problems = [];
  const say = (what) => { if (problems.length < 60) problems.push(what); };
  const root = document.documentElement;
  // The report is one file and loads nothing; a page of the server has its style sheet and its paths.
  const served = location.protocol.startsWith("http");
  const seen = (element) => {
    if (element.closest(".only-read, .skip, .sprite, head, title")) return false;
    // Heads of a stacked table are read aloud only: each cell shows its own.
    const heads = element.closest("thead");
    if (heads && getComputedStyle(heads).position === "absolute") return false;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || style.display === "none") return false;
    return element.getClientRects().length > 0 && element.checkVisibility({ contentVisibilityAuto: true });
  };
  const name = (element) => {
    const id = element.id || element.closest("[id]")?.id || "";
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 50);
    return `<${element.tagName.toLowerCase()}> in #${id} "${text}"`;
  };
  const all = [...document.body.querySelectorAll("*")].filter(seen);

  // Nothing is wider than the page.
  if (root.scrollWidth > root.clientWidth) say(`the page is ${root.scrollWidth} wide on ${root.clientWidth}`);
  for (const element of all) {
    const box = element.getBoundingClientRect();
    // What a region scrolls to by itself is within reach; the region must be.
    const scrolls = (at) => at && at !== document.body && (["auto", "scroll"].includes(getComputedStyle(at).overflowX) || scrolls(at.parentElement));
    if (scrolls(element.parentElement)) continue;
    const whole = element.closest("svg") || [...element.children].some((child) => child.getBoundingClientRect().right > root.clientWidth + 1);
    if (box.right > root.clientWidth + 1 && !whole) say(`reaches to ${Math.round(box.right)} of ${root.clientWidth}: ${name(element)}`);
  }
  // No text is cut off, and no letter sits on another's cell.
  const holdsText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  for (const element of all.filter(holdsText)) {
    const style = getComputedStyle(element);
    const cuts = ["hidden", "clip"].includes(style.overflowX) || ["hidden", "clip"].includes(style.overflowY);
    if (cuts && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) say(`text is cut off: ${name(element)}`);
  }
  for (const cell of document.querySelectorAll("td, th")) {
    if (!seen(cell)) continue;
    if (cell.scrollWidth > cell.clientWidth + 1) say(`runs over its cell: ${name(cell)}`);
  }
  // A word is not broken into single letters by a column that is too narrow.
  for (const cell of document.querySelectorAll("th, td")) {
    // What cannot break runs over its cell instead, which is told above.
    if (!seen(cell) || cell.querySelector(".long, code") || getComputedStyle(cell).whiteSpace === "nowrap") continue;
    const words = (cell.innerText || "").trim().split(/\s+/);
    const longest = Math.max(...words.map((word) => word.length));
    if (longest > 2 && longest <= 14 && cell.clientWidth < 24) say(`too narrow to read: ${name(cell)}`);
  }
  // No line of text lies on another.
  const lines = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node && lines.length < 6000; node = texts.nextNode()) {
    const of = node.parentElement;
    if (!node.data.trim() || of.closest("svg") || !seen(of)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) lines.push([box, of]);
  }
  lines.sort(([a], [b]) => a.top - b.top);
  lines.forEach(([a, one], n) => {
    for (let m = n + 1; m < lines.length && lines[m][0].top < a.bottom - 5; m += 1) {
      const [b, other] = lines[m];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      if (across > 2 && Math.min(a.bottom, b.bottom) - b.top > 5) say(`${name(one)} lies on ${name(other)}`);
    }
  });
  // Every field has a label, and can be hit.
  for (const field of document.querySelectorAll("input:not([type='hidden']), select, textarea, button")) {
    if (!seen(field)) continue;
    const named = field.labels?.length || field.getAttribute("aria-label") || field.getAttribute("aria-labelledby") || field.matches("button");
    if (!named) say(`a field without label: ${name(field)} ${field.name}`);
    const box = field.getBoundingClientRect();
    if (box.height < 24 && !field.matches("[type='checkbox'], [type='radio']")) say(`too small to hit: ${name(field)} ${field.name}`);
  }
  // Text in drawings stays inside, and apart from other text.
  for (const drawing of document.querySelectorAll("svg.chart")) {
    if (!seen(drawing)) continue;
    const frame = drawing.getBoundingClientRect();
    const words = [...drawing.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    for (const [text, box] of words) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) say(`leaves its drawing: ${name(text)}`);
      if (box.height < 8) say(`too small to read: ${name(text)}`);
    }
    words.forEach(([text, a], n) => words.slice(n + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 4) say(`"${text.textContent}" lies on "${other.textContent}" in ${name(drawing)}`);
    }));
  }

  // Contrast: text 4.5, large text and shapes 3.
  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(numbers(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => (layer.length < 3 ? below : over(layer, below)), [255, 255, 255]);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const asked = new Set();
  const contrast = (element, colour, needed) => {
    // A word in a drawn box stands on the box before it.
    const box = element.matches("svg text.in") ? element.previousElementSibling : null;
    const below = box?.matches("rect") && numbers(getComputedStyle(box).fill).length >= 3 ? over(numbers(getComputedStyle(box).fill), ground(element)) : ground(element);
    const key = `${colour} ${below} ${needed}`;
    if (asked.has(key)) return;
    asked.add(key);
    const found = ratio(over(numbers(colour), below), below);
    if (found < needed) say(`contrast ${found.toFixed(2)}, ${needed} needed: ${name(element)}`);
  };
  for (const element of all.filter(holdsText)) {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    contrast(element, element.closest("svg") ? style.fill : style.color, large ? 3 : 4.5);
  }
  for (const shape of document.querySelectorAll(".s svg")) if (seen(shape)) contrast(shape, getComputedStyle(shape).color, 3);
  for (const line of document.querySelectorAll(".chart .value, .chart .target, .chart .minimum")) if (seen(line)) contrast(line, getComputedStyle(line).stroke, 3);

  // Tables, links, headings, language.
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) say(`a table without caption: ${name(table)}`);
    for (const head of table.querySelectorAll("th")) if (!head.scope) say(`a head without scope: ${name(head)}`);
  }
  const ids = new Set();
  for (const element of document.querySelectorAll("[id]")) {
    if (ids.has(element.id)) say(`the id ${element.id} stands twice`);
    ids.add(element.id);
  }
  for (const link of document.querySelectorAll("a[href], use[href]")) {
    const target = link.getAttribute("href");
    if (target.startsWith("#") ? !ids.has(decodeURIComponent(target.slice(1))) : !(target.startsWith("https://") || (served && /^(\/|\?|otpauth:)/.test(target)))) say(`a link leads nowhere: ${target}`);
    if (link.matches("a") && !link.textContent.trim()) say(`a link without text: ${target}`);
  }
  if (!root.lang) say("the page names no language");
  if (!document.title.trim()) say("the page has no title");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) say(`a heading skips a level: ${name(heading)}`);
    level = next;
  }
  if (document.querySelectorAll("h1").length !== 1) say("the page has not exactly one first heading");
  if (!document.querySelector("a[href]")?.matches(".skip")) say("the first link does not skip to the content");

  // The keyboard shows where it is.
  if (!matchMedia("print").matches) {
    for (const element of [...document.querySelectorAll("a[href], summary, input:not([type='hidden']), select, textarea, button, pre[tabindex='0']")].slice(0, 40)) {
      element.focus({ preventScroll: true });
      const style = getComputedStyle(element);
      if (document.activeElement === element && (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)) say(`no focus to be seen: ${name(element)}`);
    }
    document.activeElement?.blur();
  }

  // Nothing ran, nothing was loaded.
  if (document.scripts.length || document.querySelector("[onclick], [onerror], [onload], [onmouseover], img, iframe, object, embed")) say("the page holds what could run or load");
  if (document.title === "owned") say("a script from the evidence ran");
  const loaded = performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
  for (const url of loaded) if (!(served && url.origin === location.origin && url.pathname.startsWith("/style/"))) say(`the page loaded ${url}`);
  return problems;
})()
