"""Reads Parquet with DuckDB, Polars and PyArrow, as a notebook would: by a plain glob.

Knows the column names of a record and nothing else of pmtaq: no manifest, no snapshot.
"""

import glob
import sys

import counts
import duckdb
import polars
import pyarrow.compute
import pyarrow.dataset
import pyarrow.parquet

DAY_REC = ("day", "rec")


def by_duckdb(pattern):
    """Counts by DuckDB."""
    con = duckdb.connect()
    con.execute(
        f"create view rows as select *, cast(time_logged as date) as day "
        f"from read_parquet({quoted(pattern)}, hive_partitioning = false)"
    )

    def groups(*keys):
        names = ", ".join(keys)
        return con.execute(f"select {names}, count(*) from rows group by {names}").fetchall()

    con.execute("select * from rows limit 1").fetchall()
    return counts.shape(
        [((day, rec), n) for day, rec, n in groups(*DAY_REC)],
        {key: groups(key) for key in counts.KEYS},
    )


def by_polars(pattern):
    """Counts by Polars."""
    rows = polars.scan_parquet(pattern, hive_partitioning=False)
    rows.head(1).collect()
    rows = rows.with_columns(day=polars.col("time_logged").dt.date())

    def groups(*keys):
        columns = [polars.col(key).cast(polars.String) for key in keys]
        return rows.group_by(columns).len().collect().rows()

    return counts.shape(
        [((day, rec), n) for day, rec, n in groups(*DAY_REC)],
        {key: groups(key) for key in counts.KEYS},
    )


def by_pyarrow(pattern):
    """Counts by PyArrow."""
    paths = sorted(glob.glob(pattern))
    checked = pyarrow.parquet.ParquetFile(paths[0], page_checksum_verification=True)
    checked.read_row_group(0)
    names = ["time_logged", "rec", *counts.KEYS]
    table = pyarrow.dataset.dataset(paths, partitioning=None).to_table(columns=names)
    day = pyarrow.compute.cast(table["time_logged"], pyarrow.date32())
    table = table.append_column("day", day)

    def groups(*keys):
        counted = table.group_by(list(keys)).aggregate([([], "count_all")])
        return [tuple(row[key] for key in (*keys, "count_all")) for row in counted.to_pylist()]

    return counts.shape(
        [((day, rec), n) for day, rec, n in groups(*DAY_REC)],
        {key: groups(key) for key in counts.KEYS},
    )


def columns_of(pattern):
    """Returns the names and types of the columns as each reader sees them."""
    con = duckdb.connect()
    seen = con.execute(
        f"describe select * from read_parquet({quoted(pattern)}, hive_partitioning = false)"
    ).fetchall()
    first = sorted(glob.glob(pattern))[0]
    return {
        "duckdb": {name: kind for name, kind, *_ in seen},
        "polars": {n: str(t) for n, t in polars.read_parquet_schema(first).items()},
        "pyarrow": {f.name: str(f.type) for f in pyarrow.parquet.read_schema(first)},
    }


def read(pattern):
    """Returns {reader: {"counts", "columns"}} for the files that the pattern names."""
    if not glob.glob(pattern):
        sys.exit(f"no Parquet file matches {pattern}")
    columns = columns_of(pattern)
    readers = {"duckdb": by_duckdb, "polars": by_polars, "pyarrow": by_pyarrow}
    return {
        name: {"counts": reader(pattern), "columns": columns[name]}
        for name, reader in readers.items()
    }


def quoted(text):
    """Returns the text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
