"""read_store.py STORE: counts the records of a store by DuckDB, Polars and PyArrow.

It globs STORE/records/date=*/*.parquet and asks pmtaq nothing. It prints
{reader: {"counts", "columns"}}, and fails if a row stands in the partition of another day.
"""

import sys

import counts
import duckdb
import readers


def main(store):
    """Counts the store and prints the answer."""
    pattern = f"{store}/records/date=*/*.parquet"
    answer = readers.read(pattern)
    astray = duckdb.connect().execute(
        f"select count(*) from read_parquet({readers.quoted(pattern)}, hive_partitioning = true) "
        f"where cast(date as varchar) is distinct from strftime(time_logged, '%Y-%m-%d')"
    ).fetchone()[0]
    if astray:
        sys.exit(f"{astray} rows stand in the partition of another day than time_logged")
    counts.show(answer)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1])
