"""read_parquet.py FILE: counts the records of an exported file by DuckDB, Polars and PyArrow.

It prints {reader: {"counts", "columns"}}, as read_store.py does for a store.
"""

import sys

import counts
import readers

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    counts.show(readers.read(sys.argv[1]))
