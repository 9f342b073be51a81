#!/usr/bin/env python3
"""search.py DIR STORE: compares `pmtaq search` with ripgrep, grep and awk over the same window.

DIR holds the accounting files that STORE was made of. Each contender answers the same question as a
whole process, in turn, for N rounds; a ratio is taken within its round, because a machine drifts
between rounds. The first line of a contender's function says whether the comparison is fair. It
judges no ingest: see ingest.py.
"""

import argparse
import glob
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PMTAQ = ROOT / "target/release/pmtaq"

# What is asked, as (name, arguments of pmtaq search, text for the others).
QUESTIONS = (
    ("reply code, counted", ["550", "--count"], ";550"),
    ("reply code, newest 100", ["550"], ";550"),
    ("reply code, all with two fields",
     ["550", "-n", "0", "--line-format", "{enhanced_code} {rcpt}"], ";550"),
    ("text in replies, absent", ["--diag", "no reply says this", "--count"], "no reply says this"),
    ("text anywhere, absent", ["no record says this", "--count"], "no record says this"),
)


def pmtaq(files, store, arguments, text, threads):
    """More exact than its peers: by the reply's code, not by digits; fields, not lines."""
    return [str(PMTAQ), "search", *arguments, "--store", store, "--threads", str(threads), "-q"]


def ripgrep(files, store, arguments, text, threads):
    """Fair for a text, too easy for a code: `;550` may stand in other fields; whole lines, no fields."""
    count = ["--count"] if "--count" in arguments else []
    return ["rg", "--fixed-strings", "--no-filename", "--threads", str(threads), *count, text, *files]


def ripgrep_awk(files, store, arguments, text, threads):
    """Too easy: `awk -F,` splits at commas within quotes, so that its fields are often others."""
    search = f"rg --fixed-strings --no-filename --threads {threads} '{text}' \"$@\""
    return ["sh", "-c", search + " | awk -F, '{ print $8, $5 }'", "sh", *files]


def grep(files, store, arguments, text, threads):
    """As ripgrep, on one thread."""
    count = ["-c"] if "--count" in arguments else []
    return ["grep", "-F", "-h", *count, text, *files]


def awk(files, store, arguments, text, threads):
    """Too easy: `awk -F,` splits at commas within quotes, so that its fields are often others."""
    return ["awk", "-F,", f'index($0, "{text}") {{ print $8, $5 }}', *files]


CONTENDERS = (pmtaq, ripgrep, ripgrep_awk, grep, awk)
NEEDS = {"pmtaq": str(PMTAQ), "ripgrep": "rg", "ripgrep_awk": "rg"}


def measure(command):
    """Runs a command, drops what it prints, and returns its wall time in seconds."""
    start = time.perf_counter()
    # Into a pipe: GNU grep stops at the first line that it finds when nobody reads the others.
    done = subprocess.run(command, capture_output=True, check=False)
    # grep says 1 when nothing is found.
    if done.returncode not in (0, 1):
        sys.exit(f"{command[0]} failed: {done.stderr.decode(errors='replace')}")
    return time.perf_counter() - start


def main():
    """Asks all questions and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a directory of accounting files")
    parser.add_argument("store", help="the store that was made of them")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads for each")
    args = parser.parse_args()
    files = sorted(glob.glob(f"{args.source}/*.csv"))
    if not files:
        sys.exit(f"{args.source} holds no accounting file (*.csv)")
    running = []
    for contender in CONTENDERS:
        program = NEEDS.get(contender.__name__, contender.__name__)
        if shutil.which(program):
            running.append(contender)
        else:
            print(f"skipped {contender.__name__}: {program} is not installed", file=sys.stderr)
    size = sum(os.path.getsize(path) for path in files)
    print(f"{size / 1e6:.0f} MB of accounting files, {args.threads} threads, {args.rounds} rounds\n")
    print("| question | contender | wall s, median | over pmtaq, by round |")
    print("|---|---|---|---|")
    for name, arguments, text in QUESTIONS:
        times = {contender.__name__: [] for contender in running}
        for _ in range(args.rounds):
            for contender in running:
                command = contender(files, args.store, arguments, text, args.threads)
                times[contender.__name__].append(measure(command))
        for contender, walls in times.items():
            ratios = " / ".join(f"{w / ours:.1f}" for w, ours in zip(walls, times["pmtaq"]))
            print(f"| {name} | {contender} | {statistics.median(walls):.2f} | {ratios} |")


if __name__ == "__main__":
    main()
