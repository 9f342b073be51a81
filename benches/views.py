#!/usr/bin/env python3
"""views.py STORE: how long each report and command takes, from the start of the process to its end.

All views in turn, for N rounds; a store of samples/acct is what the limits are about (300 ms a view,
20 ms for `--help`). It reads and judges no answer beyond the exit code.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PMTAQ = ROOT / "target/release/pmtaq"

# What a report cannot do without.
NEEDED = {
    "compare": ["--a", "2026-03-01", "--b", "2026-03-02"],
    "job": ["newsletter-20260302-0800"],
}

# The other commands, and options that ask another question.
VIEWS = [
    "pivot --rows sender_domain,rcpt_domain --cols vmta --metric sent,bounce_rate",
    "pivot --rows template --metric bounced",
    "search 550",
    "search --rcpt gmail --regex",
    "search nothing-says-this",
    "trace zephyr.3202847@hotmail.co.uk",
    "explain 421 4.7.0 [TSS04] temporarily deferred",
    "why delivered --window 2026-03-02T16:00..2026-03-02T18:00",
    "why deferral_rate --window 2026-03-02T16:00..2026-03-02T18:00",
    "sql select count(*) from records",
    "export --columns rcpt,dsn_diag --format csv",
    "status",
    "doctor",
    "paths",
    "connect duckdb",
    "latency --histogram",
    "latency --at 2026-03-02T14:47",
    "top-bounces --examples 3",
    "tls --downgrades",
    "hygiene --addresses",
    "rates --bytes",
]

# What needs no store.
HELPS = ["--help", "queue --help", "metrics", "columns", "dimensions", "reports"]

# Before this many words a line is split, so that a text or a statement stays whole.
WHOLE = {"explain": 1, "sql": 1}


def words(view):
    """Returns the arguments that a line stands for."""
    return view.split(" ", WHOLE.get(view.split(" ")[0], -1))


def views(store):
    """Returns all views by their lines: the reports that the program lists, and the commands."""
    listed = subprocess.run([PMTAQ, "reports", "--format", "json", "-q"], capture_output=True, check=True)
    names = [report["report"] for report in json.loads(listed.stdout)]
    lines = [" ".join([name, *NEEDED.get(name, [])]) for name in names] + VIEWS
    asked = {line: [*words(line), "--store", store, "--quiet"] for line in lines}
    return asked | {line: words(line) for line in HELPS}


def measure(arguments):
    """Runs the program once; returns the seconds that it took."""
    start = time.perf_counter()
    done = subprocess.run([PMTAQ, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = time.perf_counter() - start
    # `doctor` says 1 when it found something.
    if done.returncode not in ((0, 1) if arguments[0] == "doctor" else (0,)):
        sys.exit(f"pmtaq {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()}")
    return took


def main():
    """Measures and prints a table, the slowest first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", help="a store")
    parser.add_argument("--rounds", type=int, default=5, help="how often each view runs")
    parser.add_argument("--only", help="views that begin with this")
    args = parser.parse_args()
    asked = {k: v for k, v in views(args.store).items() if k.startswith(args.only or "")}
    times = {line: [] for line in asked}
    for _ in range(args.rounds):
        for line, arguments in asked.items():
            times[line].append(measure(arguments) * 1000)
    print("| view | min ms | median ms | max ms |\n|---|---|---|---|")
    for line, took in sorted(times.items(), key=lambda item: -statistics.median(item[1])):
        print(f"| {line} | {min(took):.0f} | {statistics.median(took):.0f} | {max(took):.0f} |")


if __name__ == "__main__":
    main()
