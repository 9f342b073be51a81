//! Reports, pivots and SQL over a snapshot, by embedded DuckDB.
