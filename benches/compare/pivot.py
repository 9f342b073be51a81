#!/usr/bin/env python3
"""pivot.py DIR: compares `pmtaq pivot` with DuckDB and ClickHouse over the raw Parquet of one store.

DIR holds accounting files; the store is made once beside the results. Each contender runs as a whole
process, in turn, for N rounds, over all days and over one day; a ratio is taken within its round. It
compares the totals of all contenders and measures nothing else.
"""

import argparse
import datetime
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PMTAQ = ROOT / "target/release/pmtaq"

SQL = """select sender_domain, rcpt_domain, vmta,
    {count_if}(rec in ('d', 'b')) as sent, {count_if}(rec in ('b', 'rb')) as bounced
from {source} {where} group by sender_domain, rcpt_domain, vmta order by sent desc, sender_domain,
rcpt_domain, vmta"""


def pmtaq(store, day, threads):
    """More work than the peers: every cell, the totals and the rest, laid out as a table."""
    command = [str(PMTAQ), "pivot", "--store", str(store), "--threads", str(threads), "--quiet"]
    command += ["--rows", "sender_domain,rcpt_domain", "--cols", "vmta", "--format", "csv"]
    command += ["--metric", "sent,bounced"]
    return command + (["--since", day, "--until", next_day(day)] if day else [])


def duckdb(store, day, threads):
    """Fair: the same groups from the records' Parquet, without totals by row and column."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads = {threads}")
    where = f"where date = '{day}'" if day else ""
    source = f"read_parquet('{store}/records/*/*.parquet', hive_partitioning = true)"
    rows = con.execute(SQL.format(source=source, where=where, count_if="count_if")).fetchall()
    print(sum(row[3] for row in rows), sum(row[4] for row in rows))


def chdb(store, day, threads):
    """Fair: as DuckDB."""
    import chdb as engine

    source = f"file('{store}/records/date={day or '*'}/*.parquet', Parquet)"
    sql = SQL.format(source=source, where="", count_if="countIf")
    sql = f"select sum(sent), sum(bounced) from ({sql}) settings max_threads = {threads}"
    print(str(engine.query(sql, "TSV")).strip().replace("\t", " "))


CONTENDERS = (pmtaq, duckdb, chdb)


def next_day(day):
    """Returns the day after, as ISO text."""
    return str(datetime.date.fromisoformat(day) + datetime.timedelta(days=1))


def available(contender):
    """Returns None if a contender can run here, else the word that says why not."""
    if contender is pmtaq:
        return None if PMTAQ.exists() else f"{PMTAQ} is not built: cargo build --release"
    name = contender.__name__
    return None if importlib.util.find_spec(name) else f"{name} is not installed in this Python"


def measure(contender, store, day, threads, log):
    """Runs one contender as a process of its own; returns its wall time and what it counted."""
    if contender is pmtaq:
        # Not by way of this script: the start of Python is no part of it.
        command = pmtaq(store, day, threads)
    else:
        command = [sys.executable, __file__, str(store), "--run", contender.__name__]
        command += ["--threads", str(threads)] + (["--day", day] if day else [])
    start = time.perf_counter()
    with open(log, "w") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
    wall = time.perf_counter() - start
    text = Path(log).read_text()
    if status != 0:
        sys.exit(f"{contender.__name__} failed:\n{text}")
    last = text.splitlines()[-1].replace(",", " ").split()
    return wall, (int(last[-2]), int(last[-1]))


def compare(store, rounds, threads, only, log):
    """Runs the rounds and prints a table for each window."""
    running = []
    for contender in CONTENDERS:
        if only and contender.__name__ not in only:
            continue
        if why := available(contender):
            print(f"skipped {contender.__name__}: {why}", file=sys.stderr)
        else:
            running.append(contender)
    days = sorted(path.name.removeprefix("date=") for path in (store / "records").iterdir())
    for title, day in ((f"all {len(days)} days", None), ("one day", days[len(days) // 2])):
        walls = {contender.__name__: [] for contender in running}
        for _ in range(rounds):
            counts = set()
            for contender in running:
                wall, count = measure(contender, store, day, threads, log)
                walls[contender.__name__].append(wall)
                counts.add(count)
            if len(counts) > 1:
                sys.exit(f"no comparison, the contenders counted differently: {counts}")
        ours = walls.get("pmtaq")
        print(f"\n{title}, {threads} threads\n\n| contender | wall s | over pmtaq | median s |")
        print("|---|---|---|---|")
        for name, times in walls.items():
            shown = " / ".join(f"{wall:.3f}" for wall in times)
            ratios = " / ".join(f"{a / b:.1f}" for a, b in zip(times, ours)) if ours else "-"
            print(f"| {name} | {shown} | {ratios} | {statistics.median(times):.3f} |")


def main():
    """Reads the arguments: compares, or runs one contender as the child of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a directory of accounting files, or a store")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads for each")
    parser.add_argument("--only", action="append", help="run this contender only; repeatable")
    parser.add_argument("--save", type=Path, default=ROOT / "target/compare/pivot", help="where")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--day", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        contender = next(c for c in CONTENDERS if c.__name__ == args.run)
        contender(args.source, args.day, args.threads)
        return
    args.save.mkdir(parents=True, exist_ok=True)
    store = args.source
    if not (store / "_pmtaq").is_dir():
        store = args.save / "store"
        shutil.rmtree(store, ignore_errors=True)
        command = [str(PMTAQ), "ingest", "--quiet", "--store", str(store), str(args.source)]
        subprocess.run(command, check=True)
    compare(store, args.rounds, args.threads, args.only, args.save / "last.log")


if __name__ == "__main__":
    main()
