"""Asks each question here and of clusters, and compares the answers cell by cell.

    compare.py PMTAQ STORE ADDRESS... [--only TEXT] [--of commands|statements]

Numbers may differ in the last digits of a fraction, nothing else. Prints each question with the seconds that each
cluster took, what differs, and what is refused; exits with 1 unless every cluster gives every answer.
"""

import argparse
import collections
import csv
import io
import math
import pathlib
import re
import shlex
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
csv.field_size_limit(1 << 30)

# Commands that print no table.
TEXTS = {"alert", "check", "metrics", "report"}
# Which engine it was, and when that was written, are no part of an answer.
ENGINE = re.compile(r"; answered by [^<;\n]*|written_timestamp_seconds [0-9.e+]+")


def run(args, on):
    """The exit code, the rows, and what was said."""
    done = subprocess.run([*args, "--on", on], capture_output=True, text=True)
    if args[1] in TEXTS:
        rows = [[line] for line in ENGINE.sub("", done.stdout).splitlines()]
    else:
        rows = list(csv.reader(io.StringIO(done.stdout)))
    return done.returncode, rows, done.stderr


def same(a, b):
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)


def difference(here, there):
    """What differs first, if anything does."""
    if len(here) != len(there):
        return f"{len(there) - 1} rows, not {len(here) - 1}"
    for n, (a, b) in enumerate(zip(here, there)):
        if len(a) != len(b):
            return f"row {n}: {len(b)} cells, not {len(a)}"
        for name, x, y in zip(here[0], a, b):
            if not same(x, y):
                return f"row {n}, {name[:40]}: {y[:300]!r}, not {x[:300]!r}"
    return None


def value(pmtaq, store, sql):
    args = [pmtaq, "sql", "--store", store, "--format", "csv", "-q", sql]
    rows = list(csv.reader(io.StringIO(subprocess.run(args, capture_output=True, text=True).stdout)))
    return rows[1][0] if len(rows) > 1 and rows[1] else ""


def questions(pmtaq, store):
    """Each question with its arguments."""
    words = {
        "SINCE": "select min(date)::varchar from records",
        "DAY2": "select (min(date) + 1)::varchar from records",
        "MOMENT": "select strftime(min(time_logged) + interval 30 hours, '%Y-%m-%dT%H:%M') from records",
        "NOW": "select strftime(max(time_logged) + interval 1 hour, '%Y-%m-%dT%H:%M:%SZ') from records",
        "JOB": "select job_id from records where job_id is not null group by 1 order by count(*) desc, 1 limit 1",
        "RCPT": "select rcpt from bounces where rcpt is not null order by 1 limit 1",
    }
    words = {name: value(pmtaq, store, sql) for name, sql in words.items()} | {"HERE": str(HERE)}
    for line in (HERE / "commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            for name, word in words.items():
                line = line.replace("{" + name + "}", shlex.quote(word) if " " in word else word)
            args = [pmtaq, *shlex.split(line)]
            yield line, args if args[1] in TEXTS else [*args, "--format", "csv"]
    for line in (HERE / "statements.sql").read_text().splitlines():
        yield line, [pmtaq, "sql", "--limit", "0", "--format", "csv", line]


def judged(here, there):
    """In a word, and what there is to say of it."""
    (code, rows, said), (code_there, rows_there, said_there) = here, there
    failed = "error:" in said_there and "error:" not in said
    if failed:
        return "refused", next(line for line in said_there.splitlines() if "error:" in line)[:700]
    if code != code_there:
        return "DIFFERS", f"exit code {code_there}, not {code}"
    if "error:" in said:
        # What cannot be known cannot be known there either.
        is_same = ENGINE.sub("", said) == ENGINE.sub("", said_there)
        return ("same", "an error here too") if is_same else ("DIFFERS", said_there[:700])
    what = difference(rows, rows_there)
    return ("DIFFERS", what) if what else ("same", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pmtaq")
    parser.add_argument("store")
    parser.add_argument("address", nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--of", choices=["commands", "statements"])
    options = parser.parse_args()
    counts = {address: collections.Counter() for address in options.address}
    for name, args in questions(options.pmtaq, options.store):
        is_statement = args[1] == "sql"
        if options.only not in name or options.of == ("commands" if is_statement else "statements"):
            continue
        args = [*args, "--store", options.store]
        here = run(args, "local")
        for address in options.address:
            begin = time.monotonic()
            word, what = judged(here, run(args, address))
            took = time.monotonic() - begin
            counts[address][word] += 1
            print(f"{word} {took:5.1f} s {address} {len(here[1])} rows  {name}{what and ': ' + what}", flush=True)
    for address, of in counts.items():
        print(f"{address}, {options.store}: {dict(of)}")
    sys.exit(any(of.keys() - {"same"} for of in counts.values()))


if __name__ == "__main__":
    main()
