#!/usr/bin/env python3
"""Backstay side by side with public tools: one command, one page.

    python3 bench/run.py --quick          about two minutes once everything is built and installed
    python3 bench/run.py                  the whole bench; writes bench/README.md
    python3 bench/run.py --list           the parts by name
    python3 bench/run.py --only xes       one part; the others stay as they were

Needs Python 3.11, cargo, and the package registries the first time. Everything it makes lies in a cache
folder outside the repository; an interrupted run goes on where it stopped.
"""

import argparse
import datetime as dt
import json
import os
import pathlib
import sys
import time

from suite import build, environment, example, imports, interval, ledger, logs, process, report, working_time

BENCH = pathlib.Path(__file__).resolve().parent


def parts(options):
    """The parts by name, in the order of the page."""
    quick, cases = options.quick, options.cases
    small, large = (cases // 10, cases) if not options.large else (cases, cases * 10)
    return {
        "sites": lambda env: working_time.section(env, cases, "sites"),
        "one": lambda env: working_time.section(env, cases, "dublin"),
        "growth": lambda env: working_time.growth(env, small, large),
        "monthly": lambda env: imports.monthly(env, cases),
        "csv": lambda env: imports.csv(env, cases),
        "xes": imports.xes,
        "life": ledger.section,
        "example": example.section,
        "others": lambda env: working_time.others(env, cases, 200 if quick else 2000),
        "logs": logs.section,
        "answers": interval.answers,
        "intervals": interval.rates,
        "build": build.section,
    }


# Parts that take so long that they must be asked for.
ON_REQUEST = {"build"}


def arguments():
    parser = argparse.ArgumentParser(description="Backstay side by side with public tools.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the cases, two runs; writes no file")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this part; may be given several times")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    parser.add_argument("--cases", type=int, help="cases of the generated input (1,000,000; quick 100,000)")
    parser.add_argument("--large", action="store_true", help="growth from 1 M to 10 M cases: needs 40 GB of disk")
    parser.add_argument("--runs", type=int, help="timed runs of each tool (5; quick 2)")
    parser.add_argument("--backstay", metavar="FILE", help="a release binary; else it is built")
    parser.add_argument("--fresh", action="store_true", help="measure again what an earlier run of this binary has")
    parser.add_argument("--out", type=pathlib.Path, help="file whose markers enclose the page (bench/README.md)")
    parser.add_argument("--cache", default=os.environ.get("BACKSTAY_BENCH_CACHE", "~/.cache/backstay-bench"),
                        help="folder of environment, inputs and workspaces ($BACKSTAY_BENCH_CACHE)")
    options = parser.parse_args()
    options.cases = options.cases or (100_000 if options.quick else 1_000_000)
    options.runs = options.runs or (2 if options.quick else 5)
    return options


def kept_results(env, options):
    """Results of an earlier, interrupted run of the same binary, sizes and runs."""
    path = env.cache / ("results-quick.json" if options.quick else "results.json")
    key = [env.digest(), options.cases, options.runs, options.large]
    known = json.loads(path.read_text()) if path.exists() else {}
    same = known.get("key") == key
    if not same and not options.only:
        known = {}
    return path, {"key": key, "parts": known.get("parts", {})}, same


def main():
    options = arguments()
    known = parts(options)
    if options.list:
        print("\n".join(name + (" (only on request)" if name in ON_REQUEST else "") for name in known))
        return 0
    unknown = [name for name in options.only or [] if name not in known]
    if unknown:
        print(f"error: there is no part `{unknown[0]}`: one of {', '.join(known)}", file=sys.stderr)
        return 2
    started = time.monotonic()
    busy = environment.load()
    failures = []
    try:
        env = environment.Environment(options.cache, options.backstay, options.quick, options.runs)
        env.build()
        env.install()
        path, results, same = kept_results(env, options)
        for name, work in known.items():
            if name not in (options.only or known.keys() - ON_REQUEST):
                continue
            measured = name in results["parts"] and not results["parts"][name].get("failed")
            if same and not options.only and not options.fresh and measured:
                env.say(f"{name}: measured before by this binary (--fresh measures again)")
                continue
            begun = time.monotonic()
            try:
                found = work(env)
            except process.Failed as error:
                failures.append(name)
                found = {"title": f"{name}: failed", "notes": [f"```\n{error}\n```"], "failed": True}
                env.say(f"{name}: {error}")
            if found is not None:
                found["measured"] = [f"{dt.date.today():%Y-%m-%d}", *results["key"]]
                results["parts"][name] = found
            path.write_text(json.dumps(results, indent=1))
            env.say(f"{name}: {time.monotonic() - begun:.0f} s")
        facts = {
            "date": f"{dt.date.today():%Y-%m-%d}", "quick": options.quick, "machine": environment.machine(),
            "load": busy, "runs": options.runs, "versions": environment.versions(env), "missing": env.missing,
            "backstay": process.run([env.backstay, "--version"]).out.strip(),
        }
    except process.Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    here = [results["parts"][name] for name in known if name in results["parts"]]
    for part in here:
        date, *key = part.get("measured", ["an earlier day"])
        if key != results["key"]:
            part["notes"] = [*part["notes"], f"*Measured on {date} with another build or size than the rest.*"]
    text = report.page(facts, here)
    print(text)
    out = options.out or (None if options.quick else BENCH / "README.md")
    if out and not failures:
        report.put(out, text)
        env.say(f"written to {out}")
    env.say(f"in all {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
