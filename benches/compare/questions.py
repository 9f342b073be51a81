#!/usr/bin/env python3
"""questions.py STORE: how long questions over all of a store take, and what memory; and DuckDB's by hand.

Each runs as a whole process, in turn, for N rounds; where DuckDB can answer by hand from the records'
Parquet, it is asked beside pmtaq, and both must count the same. Of each the fastest run is told, with the
CPU time and the peak memory as the kernel counts them. The store was compacted (`pmtaq compact`); it has
some days of records, of 10,000,000 or 100,000,000 rows: those of docs/performance.md are of
`pmtaq-gen --world esp --header usual`.
"""

import argparse
import csv
import importlib.util
import io
import json
import os
import shlex
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PMTAQ = ROOT / "target/release/pmtaq"

# Command lines; what stands in braces is of the store.
QUESTIONS = """jobs
throttles
queue
hygiene
doctor
job {job}
complaints
remote-bounces
suppress
domains
retries
pivot --rows sender_domain,rcpt_domain,vmta --metric sent,bounced
survival
new-replies
latency
tls
sizes
rates
warmup
stats vmta-top-bounce
pivot --rows rcpt_domain --metric sent,p95
pivot --rows sender_domain,rcpt_domain --cols vmta --metric sent,bounce_rate
trace {rcpt}
search --rcpt {rcpt}
top-bounces
pivot --rows rcpt_domain --metric sent,bounce_rate,deferral_rate
pivot --rows sender_domain --metric sent,bounce_rate,deferral_rate
why delivered --at {hour}
why deferral_rate --at {hour}
why bounce_rate --window {half}..{half_end}
report - --since {day} --until {next_day}""".splitlines()

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
    "domains": ("sent", """
        select rcpt_domain, count(*) filter (rec in ('d', 'b') and bounce_class is distinct from 'administrative') as n,
            count(*) filter (rec = 'd'), count(*) filter (rec = 'b'), count(*) filter (rec = 't'),
            quantile_cont(epoch(time_logged - time_queued), 0.95) filter (rec = 'd')
        from records group by rcpt_domain"""),
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


def of_store(store):
    """Returns what stands for the braces of the questions: of what the store has most, and of its middle."""

    def one(sql):
        command = [str(PMTAQ), "sql", sql, "--store", store, "--quiet", "--format", "json"]
        return next(iter(json.loads(run(command)[-1])[0].values()))

    job = "select job_id from deliveries where job_id is not null group by 1 order by count(*) desc, 1 limit 1"
    domain = "select rcpt_domain from hourly where rec = 'd' group by 1 order by sum(records) desc, 1 limit 1"
    rcpt = f"select max(rcpt) from deliveries where rcpt_domain = ({domain})"
    middle = one("select (epoch(min(hour))::bigint + epoch(max(hour))::bigint) // 2 from hourly")
    hour = datetime.fromtimestamp(middle, timezone.utc).replace(minute=0, second=0)
    day = hour.replace(hour=0)

    def minute(time):
        return time.strftime("%Y-%m-%dT%H:%M")

    return {
        "job": one(job),
        "rcpt": one(rcpt),
        "hour": minute(hour),
        "half": minute(hour + timedelta(minutes=30)),
        "half_end": minute(hour + timedelta(minutes=90)),
        "day": f"{day:%Y-%m-%d}",
        "next_day": f"{day + timedelta(days=1):%Y-%m-%d}",
    }


def ask(contender, store, question, threads):
    """Asks one contender; returns its run, and the number to compare if there is one."""
    words = shlex.split(question)
    if contender == "pmtaq":
        # All rows, where they are to be added up.
        more = ["--top", "0", "--format", "csv"] if question in BY_HAND else []
        options = ["--store", store, "--threads", str(threads), "--tz", "UTC", "--quiet"]
        *used, out = run([str(PMTAQ), *words, *more, *options])
        counted = None
        if question in BY_HAND:
            counted = sum(int(row[BY_HAND[question][0]] or 0) for row in csv.DictReader(io.StringIO(out)))
        return used, counted
    *used, out = run([sys.executable, __file__, store, "--run", question, "--threads", str(threads)])
    return used, int(out)


def main():
    """Measures and prints a table, or answers one question by hand as the child of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="a store")
    parser.add_argument("--rounds", type=int, default=3, help="how often each question is asked")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads for each")
    parser.add_argument("--only", action="append", help="ask the questions of this command only; repeatable")
    parser.add_argument("--also", action="append", default=[], help="a command line, such as 'sizes --by vmta'")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        duckdb_by_hand(args.store, args.run, args.threads)
        return
    has_duckdb = importlib.util.find_spec("duckdb") is not None
    of_it = {name: shlex.quote(text) for name, text in of_store(args.store).items()}
    questions = [question.format(**of_it) for question in QUESTIONS]
    names = [q for q in questions if not args.only or q.split()[0] in args.only] + args.also
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
