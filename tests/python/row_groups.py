"""Prints as JSON which record types each row group of a store's records has, and how many rows.

By PyArrow and a plain glob: knows no manifest and no snapshot.
"""

import glob
import json
import sys

import pyarrow.parquet

groups = []
for path in sorted(glob.glob(f"{sys.argv[1]}/records/*/*.parquet")):
    part = pyarrow.parquet.ParquetFile(path)
    for number in range(part.num_row_groups):
        recs = part.read_row_group(number, columns=["rec"])["rec"].to_pylist()
        groups.append({"types": sorted(set(recs)), "rows": len(recs)})
print(json.dumps(groups))
