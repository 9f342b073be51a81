#!/usr/bin/env python3
"""ingest.py DIR: compares `pmtaq ingest` with its peers on the accounting files of DIR.

Each contender runs as a whole process, in turn, for N rounds; a ratio is taken within its round,
because a machine drifts between rounds. The first line of a contender's function says whether the
comparison is fair. It measures and judges nothing else: no queries, no correctness beyond counts.
"""

import argparse
import csv
import glob
import importlib.util
import os
import re
import shutil
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PMTAQ = ROOT / "target/release/pmtaq"

# The fields that are not text. All the others of the header are read as text.
TYPES = {
    "timeLogged": "timestamp",
    "timeQueued": "timestamp",
    "totalSecondsQueued": "integer",
    "dlvSize": "bigint",
}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S%z"


def pmtaq(source, out, threads):
    """More work than any peer: templates, reply codes, providers, rejects, sorting and an atomic commit."""
    command = [str(PMTAQ), "ingest", "--store", str(out), str(source)]
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    os.execv(PMTAQ, command)


def duckdb(source, out, threads):
    """Fair: the same rows, typed, with both domains, by UTC day, zstd; no rejects, no commit."""
    rows = duckdb_rows(f"{source}/*.csv*", header_of(source))
    duckdb_copy(f"{rows} to '{out}' (format parquet, partition_by (date), compression zstd)", threads)


def duckdb_by_day(source, out, threads):
    """Right only where the names of the files follow UTC days: one COPY for the files of each day."""
    paths = sorted(glob.glob(f"{source}/*.csv*"))
    days = sorted({day_in(path) for path in paths})
    for day in days:
        folder = out / f"date={day}"
        folder.mkdir(parents=True)
        rows = duckdb_rows(f"{source}/*{day}*.csv*", header_of(source))
        duckdb_copy(f"{rows} to '{folder}/0.parquet' (format parquet, compression zstd)", threads)


def duckdb_rows(files, header):
    """Returns the statement, up to its target, that reads the files as typed rows with domains."""
    # DuckDB takes names that differ only in case for the same.
    names = [f"{name}_{n}" if name.lower() in map(str.lower, header[:n]) else name
             for n, name in enumerate(header)]
    types = ", ".join(f"'{name}': '{TYPES.get(name, 'varchar')}'" for name in names)
    rcpt = "rcpt" if "rcpt" in header else "''"
    orig = "orig" if "orig" in header else "''"
    return f"""
        copy (
            select *,
                   lower(split_part({orig}, '@', -1)) as sender_domain,
                   lower(split_part({rcpt}, '@', -1)) as rcpt_domain,
                   cast(timeLogged as date) as date
            from read_csv('{files}', auto_detect = false, header = true,
                          delim = ',', quote = '"', escape = '"',
                          timestampformat = '{TIME_FORMAT}', columns = {{{types}}})
        )"""


def duckdb_copy(statement, threads):
    """Runs one COPY in a DuckDB of its own."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads = {threads}")
    con.execute("set preserve_insertion_order = false")
    con.execute(statement)


def day_in(path):
    """Returns the day that the name of an accounting file holds."""
    return re.search(r"\d{4}-\d{2}-\d{2}", os.path.basename(path))[0]


def polars(source, out, threads):
    """Fair: as DuckDB, by its streaming engine, which reads times after the text, not with it."""
    import polars as pl

    header = header_of(source)
    times = [name for name in header if TYPES.get(name) == "timestamp"]
    numbers = [name for name in header if TYPES.get(name) in ("integer", "bigint")]
    rows = pl.scan_csv(f"{source}/*.csv*", schema={name: pl.String for name in header})

    def utc(name):
        zoned = pl.col(name).str.to_datetime(TIME_FORMAT).dt.convert_time_zone("UTC")
        return zoned.dt.replace_time_zone(None)

    rows = rows.with_columns(
        *[utc(name) for name in times],
        *[pl.col(name).cast(pl.Int64) for name in numbers],
        *[
            pl.col(name).str.to_lowercase().str.extract(r"@([^@]*)$").alias(derived)
            for name, derived in (("orig", "sender_domain"), ("rcpt", "rcpt_domain"))
        ],
    ).with_columns(date=pl.col("timeLogged").dt.date())
    target = pl.PartitionBy(out, key="date")
    rows.sink_parquet(target, compression="zstd", mkdir=True)


def chdb(source, out, threads):
    """Nearly fair: as DuckDB, but sorted, and into a MergeTree table by day instead of Parquet."""
    from chdb import session

    db = session.Session(str(out))
    header = header_of(source)
    kinds = {
        "timestamp": "DateTime('UTC')",
        "integer": "Nullable(Int32)",
        "bigint": "Nullable(Int64)",
    }
    structure = ", ".join(f"`{name}` {kinds.get(TYPES.get(name), 'String')}" for name in header)
    quoted = structure.replace("'", "\\'")
    db.query("create database house")
    db.query(
        f"""
        create table house.records engine = MergeTree
        partition by toYYYYMMDD(timeLogged) order by (rcpt_domain, vmta, timeLogged) as
        select *,
               lower(splitByChar('@', orig)[-1]) as sender_domain,
               lower(splitByChar('@', rcpt)[-1]) as rcpt_domain
        from file('{source}/*.csv*', 'CSVWithNames', '{quoted}')
        settings date_time_input_format = 'best_effort', max_threads = {threads},
                 max_insert_threads = {threads}
        """
    )


CONTENDERS = (pmtaq, duckdb, duckdb_by_day, polars, chdb)


def header_of(source):
    """Returns the header of the first plain accounting file: the generator's files share one."""
    path = sorted(glob.glob(f"{source}/*.csv"))[0]
    with open(path, newline="", encoding="utf-8-sig") as lines:
        return next(csv.reader(lines))


def available(contender):
    """Returns None if a contender can run here, else the word that says why not."""
    if contender is pmtaq:
        return None if PMTAQ.exists() else f"{PMTAQ} is not built: cargo build --release"
    name = contender.__name__.removesuffix("_by_day")
    return None if importlib.util.find_spec(name) else f"{name} is not installed in this Python"


def cache(source):
    """Reads all files, so that each contender finds them in memory and none waits for the disk."""
    for path in glob.glob(f"{source}/*.csv*"):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 22):
                pass


def measure(contender, source, out, threads, log):
    """Runs one contender as a process of its own and returns its row of raw.csv."""
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    cache(source)
    command = [sys.executable, __file__, str(source), "--run", contender.__name__]
    command += ["--out", str(out), "--threads", str(threads)]
    start = time.perf_counter()
    with open(log, "w") as words:
        streams = [(os.POSIX_SPAWN_DUP2, words.fileno(), fd) for fd in (1, 2)]
        pid = os.posix_spawn(command[0], command, limited(threads), file_actions=streams)
        _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{contender.__name__} failed:\n{Path(log).read_text()}")
    # pmtaq also writes `hourly`, which no other has.
    records = out / "records" if contender is pmtaq else out
    rows = rows_in(records)
    parquet = sum(file.stat().st_size for file in records.rglob("*.parquet"))
    written = sum(file.stat().st_size for file in Path(out).rglob("*") if file.is_file())
    return {
        "contender": contender.__name__,
        "rows": rows,
        "wall_s": round(wall, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_rss_mb": round(usage.ru_maxrss / 1024),
        "out_mb": round(written / 1e6, 1),
        "records_mb": round(parquet / 1e6, 1) if parquet else "",
    }


def rows_in(out):
    """Returns the number of rows of the Parquet files under a directory; none for other formats."""
    import pyarrow.parquet as parquet

    files = list(out.rglob("*.parquet"))
    return sum(parquet.read_metadata(file).num_rows for file in files) if files else ""


def require_equal_rows(rows):
    """Ends the comparison if a contender wrote another number of rows than the others, or none."""
    counts = {row["contender"]: row["rows"] for row in rows if row["contender"] != "chdb"}
    if len(set(counts.values())) > 1 or "" in counts.values():
        sys.exit(f"no comparison, the contenders did not do the same work: rows written {counts}")


def limited(threads):
    """Returns the environment that tells the peers how many threads to use."""
    return {**os.environ, "POLARS_MAX_THREADS": str(threads)}


def table(rows, rounds):
    """Returns the rows as a Markdown table: medians, and the ratio to pmtaq of each round."""
    ours = {row["round"]: row["wall_s"] for row in rows if row["contender"] == "pmtaq"}
    lines = [
        "| contender | wall s | over pmtaq, by round | cpu s | peak RSS MB | out MB "
        "| of it Parquet of records MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["contender"] for row in rows):
        mine = [row for row in rows if row["contender"] == name]
        walls = " / ".join(f"{row['wall_s']:.2f}" for row in mine)
        ratios = " / ".join(
            f"{row['wall_s'] / ours[row['round']]:.2f}" for row in mine if row["round"] in ours
        )

        def median(key):
            return statistics.median(row[key] for row in mine)

        lines.append(
            f"| {name} | {walls} | {ratios or '-'} | {median('cpu_s'):.2f} "
            f"| {median('peak_rss_mb'):.0f} | {median('out_mb'):.1f} | {mine[-1]['records_mb']} |"
        )
    return "\n".join(lines)


def compare(source, rounds, threads, save, only):
    """Runs the rounds, prints the table and writes raw.csv."""
    running = []
    for contender in CONTENDERS:
        if only and contender.__name__ not in only:
            continue
        if why := available(contender):
            print(f"skipped {contender.__name__}: {why}", file=sys.stderr)
        else:
            running.append(contender)
    save.mkdir(parents=True, exist_ok=True)
    rows = []
    for n in range(1, rounds + 1):
        for contender in running:
            out = save / f"out-{contender.__name__}"
            row = measure(contender, source, out, threads, save / "last.log")
            rows.append({"round": n, **row})
            shutil.rmtree(out, ignore_errors=True)
            require_equal_rows(rows)
            print(f"round {n}: {contender.__name__} {row['wall_s']:.2f} s", file=sys.stderr)
    with open(save / "raw.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    read = sum(os.path.getsize(path) for path in glob.glob(f"{source}/*.csv*"))
    head = f"{read / 1e6:.1f} MB of accounting files, {threads} threads, {rounds} rounds"
    text = f"{head}\n\n{table(rows, rounds)}\n"
    (save / "summary.md").write_text(text)
    print(text, end="")


def main():
    """Reads the arguments: compares, or runs one contender as the child of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a directory of accounting files")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads for each")
    parser.add_argument("--only", action="append", help="run this contender only; repeatable")
    parser.add_argument("--save", type=Path, default=ROOT / "target/compare/results", help="where")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not glob.glob(f"{args.source}/*.csv"):
        sys.exit(f"{args.source} holds no accounting file (*.csv)")
    if args.run:
        contender = next(c for c in CONTENDERS if c.__name__ == args.run)
        contender(args.source, args.out, args.threads)
    else:
        compare(args.source, args.rounds, args.threads, args.save, args.only)


if __name__ == "__main__":
    main()
