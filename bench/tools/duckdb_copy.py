"""DuckDB's plain copy of a CSV to Parquet."""

import json
import sys
import time

import duckdb


def main():
    source, target = sys.argv[1:]
    db = duckdb.connect()
    db.sql("SET threads = 2")
    db.sql("SET preserve_insertion_order = false")
    started = time.perf_counter()
    db.sql(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
