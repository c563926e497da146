#!/usr/bin/env python3
"""How fast pages come when many people read at once and an import is running: the worked example with a long
ledger, its real server, fifty readers.

    python3 bench/serve.py --backstay target/release/backstay      the table of bench/README.md
    python3 bench/serve.py --backstay FILE --quick                 a tenth of everything; writes no file

Needs Python 3.11 and cargo (the edits are made by the store's own bench program). Readers are connections
that are kept open; each asks for its next page as soon as the one before it is whole, without a pause, which is
more than fifty people do. The client is one process on the same machine: what it takes is in the table.
"""

import argparse
import asyncio
import collections
import http.client
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse

from suite import environment, process, report

BEGIN = "<!-- pages: written by bench/serve.py -->"
END = "<!-- end of pages -->"
PASSWORD = "seven wet herons on a lock gate"
# Pages that change something, ask for a file, or end the session.
NOT_READ = re.compile(r"^/(api/|account|import|sql|sign|names|enter|healthz|metrics|style)|/(new|edit|take-away|csv|proof)(\?|$)|^/ledger/checkpoints/\d")


class Server:
    """The real server before a workspace, signed in."""

    def __init__(self, backstay, workspace):
        self.process = subprocess.Popen([backstay, "-w", workspace, "serve", "--listen", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said, self.link, self.port = [], None, None
        while self.link is None:
            line = self.process.stdout.readline()
            if not line:
                raise process.Failed("the server ended: " + "".join(self.said))
            self.said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                self.port = int(found[1])
            if found := re.search(r"(/enter/[0-9a-f]+)", line):
                self.link = found[1]
        self.cookies = {}
        self.form(self.link, {})
        self.form("/account/password", {"new": PASSWORD, "again": PASSWORD})

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"Cookie": cookies, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, text

    def form(self, path, fields):
        _, page = self.ask("GET", path)
        token = re.search(r'name="token" value="([0-9a-f]+)"', page)[1]
        body = urllib.parse.urlencode({"token": token, **fields})
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        status, _ = self.ask("POST", path, body, kind)
        if status != 303:
            raise process.Failed(f"POST {path} was answered by {status}")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def crawl(server, most):
    """Pages that a reader comes to, the nearest first, each with its kind."""
    seen, queue, per_kind = {}, collections.deque(["/"]), collections.Counter()
    while queue and len(seen) < most:
        path = queue.popleft()
        kind = kind_of(path)
        if path in seen or per_kind[kind] >= 12:
            continue
        status, text = server.ask("GET", path)
        if status != 200:
            raise process.Failed(f"GET {path} was answered by {status}")
        seen[path] = kind
        per_kind[kind] += 1
        links = re.findall(r'<a[^>]* href="(/[^"#]*)', text)
        queue.extend(link.replace("&amp;", "&") for link in links if not NOT_READ.search(link))
    return seen


def kind_of(path):
    """The path with its ids left out."""
    parts = path.split("?")[0].strip("/").split("/")
    return "/" + "/".join(part if n % 2 == 0 or part in ("evidence", "rows") else "…" for n, part in enumerate(parts))


async def reader(port, cookie, pages, chosen, until, times, errors):
    """Asks for one page after the other on one connection."""
    stream = out = None
    while (now := time.perf_counter()) < until:
        path = chosen.choice(pages)
        try:
            if out is None:
                stream, out = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
                now = time.perf_counter()
            out.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
            head = await stream.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
            await stream.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                errors[f"{path}: {head.split(maxsplit=2)[1].decode()}"] += 1
            times.append((path, time.perf_counter() - now))
        except (OSError, asyncio.IncompleteReadError, TypeError) as error:
            errors[f"{path}: {error!r}"] += 1
            out = None
    if out is not None:
        out.close()


def read(server, pages, readers, seconds, while_true=None):
    """Lets readers read for so long, or as long as something holds; gives times and errors."""
    cookie = "; ".join(f"{name}={value}" for name, value in server.cookies.items())
    times, errors = [], collections.Counter()
    own, theirs, began = resource.getrusage(resource.RUSAGE_SELF), server.cpu_seconds(), time.perf_counter()

    async def all_of_them():
        until = began + seconds
        rounds = [reader(server.port, cookie, list(pages), random.Random(n), until, times, errors) for n in range(readers)]
        await asyncio.gather(*rounds)

    asyncio.run(all_of_them())
    took = time.perf_counter() - began
    spent = resource.getrusage(resource.RUSAGE_SELF)
    client = spent.ru_utime + spent.ru_stime - own.ru_utime - own.ru_stime
    return {"times": times, "errors": errors, "seconds": took, "client": client, "server": server.cpu_seconds() - theirs}


def at(values, share):
    """The value below which this share of them lies, by nearest rank, in milliseconds."""
    values = sorted(values)
    return values[max(0, min(len(values) - 1, -(-len(values) * share // 100) - 1))] * 1000


def row(name, found):
    taken = [seconds for _, seconds in found["times"]]
    errors = sum(found["errors"].values())
    return [name, f"{len(taken):,}", f"{len(taken) / found['seconds']:,.0f}", *(f"{at(taken, share):.1f}" for share in (50, 95, 99)),
            f"{max(taken) * 1000:.0f}", str(errors), f"{found['server'] / found['seconds']:.2f}", f"{found['client'] / found['seconds']:.2f}"]


def events(path, rows):
    """Work events of an arrangement of their own."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("arrangement_id,source,case_id,case_type,activity,state,occurred_at,opened_at,person_id\n")
        for n in range(rows):
            case, done = divmod(n, 2)
            day, hour = 1 + case % 28, 8 + case % 9 + done
            file.write(f"bench-desk,log,c{case},letter,{'Done' if done else 'Received'},{'Done' if done else 'Received'},"
                       f"2026-{1 + case % 10:02}-{day:02}T{hour:02}:{case % 60:02}:00Z,2026-{1 + case % 10:02}-{day:02}T{8 + case % 9:02}:{case % 60:02}:00Z,w{case % 997}\n")


def hand_in(server, backstay, workspace, file):
    """Hands a file in by program; gives a function that says how it stands."""
    machine = "machine@example.org"
    process.run([backstay, "-w", workspace, "account", "add", machine, "--name", "Machine", "--grant", "vendor-manager@all"])
    told = process.run([backstay, "-w", workspace, "account", "token", machine, "--for", "bench"]).out
    token = {"Authorization": "Bearer " + re.search(r"backstay_token_\S+", told)[0]}

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        connection.request(method, path, body, token)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise process.Failed(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)

    with open(file, "rb") as body:
        job = ask("POST", f"/api/v1/imports?name={file.name}&table=case_event", body)
    return lambda: ask("GET", f"/api/v1/imports/{job['id']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--backstay", required=True, type=pathlib.Path, help="the binary; a release one for figures")
    parser.add_argument("--quick", action="store_true", help="a tenth of edits, rows and time; writes no file")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--life", type=pathlib.Path, help="the store's bench program, built; else cargo builds it")
    options = parser.parse_args()
    backstay = options.backstay.resolve()
    edits, rows, seconds = (10_000, 100_000, 5) if options.quick else (100_000, 1_000_000, 20)
    busy = environment.load()
    with tempfile.TemporaryDirectory(prefix="backstay-serve-") as folder:
        folder = pathlib.Path(folder)
        workspace = folder / "meridian"
        say("making the worked example")
        process.run([backstay, "demo", "--no-serve", workspace])
        say(f"making {edits:,} edits, an entry each")
        made = ["--into", workspace, edits]
        if options.life:
            process.run([options.life, *made])
        else:
            process.run(["cargo", "bench", "-q", "-p", "backstay-store", "--bench", "life", "--", *made], cwd=environment.ROOT)
        file = folder / "events.csv"
        events(file, rows)
        server = Server(backstay, workspace)
        try:
            say("finding the pages")
            began = time.perf_counter()
            pages = crawl(server, 150)
            say(f"{len(pages)} pages in {time.perf_counter() - began:.1f} s, each for the first time; reading them")
            quiet = read(server, pages, options.readers, seconds)
            say(f"handing in {rows:,} rows")
            stands = hand_in(server, backstay, workspace, file)
            importing, states = [], []
            began = time.perf_counter()
            while True:
                state = stands()
                states.append(state["state"])
                if state["state"] not in ("waiting", "running"):
                    break
                importing.append(read(server, pages, options.readers, max(1.0, seconds / 10)))
            took = time.perf_counter() - began
            if state["state"] != "brought":
                raise process.Failed(f"the import ended otherwise: {state}")
            say(f"the import took {took:.1f} s; reading once more")
            after = read(server, pages, options.readers, seconds)
            during = {"times": [t for part in importing for t in part["times"]], "errors": sum((p["errors"] for p in importing), collections.Counter()),
                      **{key: sum(part[key] for part in importing) for key in ("seconds", "client", "server")}}
            text = page(options, pages, {"nobody else works": quiet, "while the import runs": during,
                                         "after it, every page worked out anew": after}, edits, rows, took, server.peak_mib(), busy, backstay)
        finally:
            server.end()
    print(text)
    if not options.quick:
        put(environment.BENCH / "README.md", text)


def page(options, pages, parts, edits, rows, took, mib, busy, backstay):
    version = process.run([backstay, "--version"]).out.strip()
    head = ["", "pages", "a second", "p50, ms", "p95, ms", "p99, ms", "slowest, ms", "errors", "cores, server", "cores, client"]
    out = [f"Measured {time.strftime('%Y-%m-%d')}: {environment.machine()}; {busy}. {version}. {options.readers} readers without a pause between"
           f" {len(pages)} pages of the worked example; {edits:,} edits, an entry each, were made first; the import of {rows:,} rows"
           f" took {took:.0f} s beside the readers. The server took {mib:,.0f} MiB at most.",
           report.table(head, [row(name, found) for name, found in parts.items()])]
    kinds = collections.defaultdict(list)
    for path, seconds in parts["while the import runs"]["times"]:
        kinds[pages[path]].append(seconds)
    rows = [[f"`{kind}`", f"{len(taken):,}", f"{at(taken, 50):.1f}", f"{at(taken, 95):.1f}"] for kind, taken in sorted(kinds.items())]
    out.append("By kind of page, while the import runs:")
    out.append(report.table(["page", "asked for", "p50, ms", "p95, ms"], rows))
    errors = sum((found["errors"] for found in parts.values()), collections.Counter())
    if errors:
        out.append("Errors: " + "; ".join(f"{what} ({count})" for what, count in errors.most_common(10)))
    return "\n\n".join(out)


def put(path, text):
    known = path.read_text(encoding="utf-8")
    head, rest = known.split(BEGIN, 1)
    path.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except process.Failed as error:
        sys.exit(f"error: {error}")
