"""Counts the Delta tables of a store by two readers, which must agree: Polars and the Delta Lake library.

    python3 delta.py STORE

A store in a bucket is named by its address, and its tables that have a log after it.
"""

import json
import sys
from pathlib import Path

import deltalake
import polars
import pyarrow


def table(path):
    delta = deltalake.DeltaTable(path)
    rows = polars.scan_delta(str(path))
    by_rec = rows.group_by(polars.col("rec").cast(polars.String)).len().sort("rec").collect().rows()
    counted = sum(n for _, n in by_rec)
    adds = pyarrow.table(delta.get_add_actions(flatten=True))
    added = sum(adds["num_records"].to_pylist())
    if added != counted:
        sys.exit(f"{path}: {counted} rows, and its log says {added}")
    return {
        "rows": counted,
        "version": delta.version(),
        "by_rec": "".join(f"{rec},{n}\n" for rec, n in by_rec),
    }


def main():
    store, *tables = sys.argv[1:]
    tables = tables or sorted(log.parent.name for log in Path(store).glob("*/_delta_log"))
    json.dump({name: table(f"{store}/{name}") for name in tables}, sys.stdout)


if __name__ == "__main__":
    main()
