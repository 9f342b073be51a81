"""Prints as JSON what the Bloom filters of a column of a store's records say, row group by row group.

`missed` is how many values of a row group, as they are spelt or, of recipients, in lower case, its filter says are not there;
`seeming` the share of 500 that are in none which it says may be there; `bytes` its size. By DuckDB and a plain glob:
knows no manifest.
"""

import glob
import json
import sys

import duckdb

engine = duckdb.connect()


store, column = sys.argv[1:]
spelt = f"unnest([{column}, lower({column})])" if column == "rcpt" else column


def excluded(path, value):
    probe = f"select row_group_id from parquet_bloom_probe(?, '{column}', ?) where bloom_filter_excludes"
    return {group for (group,) in engine.execute(probe, [path, value]).fetchall()}


def groups(path):
    strangers = [excluded(path, f"stranger-{n}@nowhere.example") for n in range(500)]
    sizes = engine.execute(
        "select row_group_id, row_group_num_rows, bloom_filter_length from parquet_metadata(?) "
        "where path_in_schema = ? order by row_group_id",
        [path, column],
    )
    begin = 0
    for group, rows, size in sizes.fetchall():
        there = engine.execute(
            f"select distinct {spelt} from read_parquet(?, file_row_number = true) "
            f"where file_row_number >= ? and file_row_number < ? and {column} is not null order by all limit 300",
            [path, begin, begin + rows],
        )
        missed = sum(group in excluded(path, value) for (value,) in there.fetchall())
        seeming = sum(group not in of for of in strangers) / len(strangers)
        yield {"rows": rows, "bytes": size, "missed": missed, "seeming": seeming}
        begin += rows


paths = sorted(glob.glob(f"{store}/records/*/*.parquet"))
print(json.dumps([group for path in paths for group in groups(path)]))
