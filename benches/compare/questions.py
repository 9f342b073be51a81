#!/usr/bin/env python3
"""questions.py STORE: how long questions that follow a recipient over its records take, and what memory.

Each runs as a whole process, in turn, for N rounds; where DuckDB can answer by hand from the records'
Parquet, it is asked beside pmtaq, and both must count the same. Of each the fastest run is told, with the
CPU time and the peak memory as the kernel counts them.
"""

import argparse
import csv
import importlib.util
import io
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PMTAQ = ROOT / "target/release/pmtaq"

# Command lines that need no argument of the store.
QUESTIONS = """jobs complaints remote-bounces hygiene suppress throttles queue survival retries
new-replies latency doctor""".split()

# The column of pmtaq's answer whose sum is compared, and the question by hand; its column `n` is that. By hand
# means less work: no template, no share, and what came back by its identifier alone.
BY_HAND = {
    "latency": ("delivered", """
        select provider, count(*) as n, max(time_logged - time_queued),
            quantile_cont(epoch(time_logged - time_queued), [0.5, 0.9, 0.95, 0.99])
        from records where rec = 'd' group by provider"""),
    "jobs": ("sent", """
        select job_id, count(*) filter (rec in ('d', 'b')) as n, min(coalesce(time_queued, time_logged)),
            quantile_cont(epoch(time_logged - time_queued), 0.95) filter (rec = 'd')
        from records where bounce_class is distinct from 'administrative' group by job_id"""),
    "complaints": ("complaints", """
        with delivered as (from records where rec = 'd')
        select provider, count(*) as n, median(epoch(came - delivered_at)) from (
            select f.time_logged as came, max(d.time_logged) as delivered_at,
                coalesce(arg_max(d.provider, d.time_logged), any_value(f.provider)) as provider
            from records f left join delivered d on f.env_id = d.env_id and d.time_logged <= f.time_logged
            where f.rec = 'f' group by f.time_logged, f.rcpt, f.env_id, f.source)
        group by provider"""),
    "survival": ("deferred", """
        with first as (
            select lower(rcpt) as rcpt, coalesce(env_id, orig) as id, time_queued,
                min(time_logged) as since, arg_min(provider, time_logged) as provider
            from records where rec = 't' group by all),
        finished as (
            select lower(rcpt) as rcpt, coalesce(env_id, orig) as id, time_queued,
                max(time_logged) as finished, bool_or(rec = 'd') as is_delivered
            from records where rec in ('d', 'b') group by all)
        select provider, count(*) as n, count(finished),
            count(*) filter (is_delivered and epoch(finished - since) <= 3600)
        from first left join finished using (rcpt, id, time_queued) group by provider"""),
}  # fmt: skip


def duckdb_by_hand(store, name, threads):
    """Prints the sum of what DuckDB counts."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads = {threads}")
    con.execute(
        f"create view records as from read_parquet('{store}/records/*/*.parquet', hive_partitioning = false)"
    )
    columns = con.execute(BY_HAND[name][1])
    at = [column[0] for column in columns.description].index("n")
    print(sum(row[at] for row in columns.fetchall()))


def run(command):
    """Runs a command; returns wall and CPU seconds, peak memory in MB, and what it printed."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, error = child.stdout.read(), child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    # `doctor` says 1 when it found something.
    if os.waitstatus_to_exitcode(status) not in ((0, 1) if "doctor" in command else (0,)):
        sys.exit(f"{' '.join(command)} failed: {error}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, out


def ask(contender, store, name, threads):
    """Asks one contender; returns its run, and the number to compare if there is one."""
    if contender == "pmtaq":
        top = [] if name in ("doctor", "queue", "retries") else ["--top", "0"]
        options = ["--store", store, "--threads", str(threads), "--quiet", "--format", "csv"]
        *used, out = run([str(PMTAQ), *name.split(), *top, *options])
        counted = None
        if name in BY_HAND:
            counted = sum(int(row[BY_HAND[name][0]] or 0) for row in csv.DictReader(io.StringIO(out)))
        return used, counted
    *used, out = run([sys.executable, __file__, store, "--run", name, "--threads", str(threads)])
    return used, int(out)


def main():
    """Measures and prints a table, or answers one question by hand as the child of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="a store")
    parser.add_argument("--rounds", type=int, default=3, help="how often each question is asked")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads for each")
    parser.add_argument("--only", action="append", help="ask this one only; repeatable")
    parser.add_argument("--also", action="append", default=[], help="a command line, such as 'job J1'")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        duckdb_by_hand(args.store, args.run, args.threads)
        return
    has_duckdb = importlib.util.find_spec("duckdb") is not None
    names = [name for name in QUESTIONS if not args.only or name in args.only] + args.also
    print("| question | contender | s | CPU s | peak MB |\n|---|---|---|---|---|", flush=True)
    for name in names:
        contenders = ["pmtaq"] + ["DuckDB by hand"] * (name in BY_HAND and has_duckdb)
        fastest, counts = {}, set()
        for _ in range(args.rounds):
            for contender in contenders:
                used, counted = ask(contender, args.store, name, args.threads)
                fastest[contender] = min(fastest.get(contender, used), used)
                counts.add(counted)
        if len(counts) > 1:
            sys.exit(f"{name}: no comparison, they counted differently: {counts}")
        for contender, (wall, cpu, peak) in fastest.items():
            print(f"| {name} | {contender} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
