"""Reads an XES file with one of PM4Py's importers."""

import json
import sys
import time

import pm4py


def main():
    path, variant = sys.argv[1:]
    started = time.perf_counter()
    log = pm4py.read_xes(path, variant=variant)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "events": len(log)}))


if __name__ == "__main__":
    main()
