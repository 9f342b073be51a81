"""Asks each question here and of a cluster, and compares the answers cell by cell.

    compare.py PMTAQ ADDRESS STORE [--only TEXT] [--of commands|statements]

Numbers may differ in the last digits of a fraction, nothing else. Prints each difference, and what the cluster
refuses; exits with 1 when an answer differs or a question that is not in refused.txt is refused.
"""

import argparse
import csv
import io
import math
import pathlib
import shlex
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
csv.field_size_limit(1 << 30)


def run(args, on):
    """The exit code, the rows, and what was said."""
    done = subprocess.run([*args, "--on", on], capture_output=True, text=True)
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
                return f"row {n}, {name}: {y!r}, not {x!r}"
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
        "JOB": "select job_id from records where job_id is not null group by 1 order by count(*) desc, 1 limit 1",
        "RCPT": "select rcpt from bounces where rcpt is not null order by 1 limit 1",
    }
    words = {name: value(pmtaq, store, sql) for name, sql in words.items()}
    for line in (HERE / "commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            for name, word in words.items():
                line = line.replace("{" + name + "}", shlex.quote(word) if " " in word else word)
            yield line, [pmtaq, *shlex.split(line)]
    for line in (HERE / "statements.sql").read_text().splitlines():
        yield line, [pmtaq, "sql", "--limit", "0", line]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pmtaq")
    parser.add_argument("address")
    parser.add_argument("store")
    parser.add_argument("--only", default="")
    parser.add_argument("--of", choices=["commands", "statements"])
    options = parser.parse_args()
    known = (HERE / "refused.txt").read_text().splitlines() if (HERE / "refused.txt").exists() else []
    counts = {"same": 0, "refused": 0, "differs": 0}
    for name, args in questions(options.pmtaq, options.store):
        is_statement = args[1] == "sql"
        if options.only not in name or options.of == ("commands" if is_statement else "statements"):
            continue
        args = [*args, "--store", options.store, "--format", "csv"]
        code, here, said = run(args, "local")
        begin = time.monotonic()
        code_there, there, said_there = run(args, options.address)
        took = time.monotonic() - begin
        if code == 0 and code_there != 0:
            error = said_there.strip().splitlines()[-1] if said_there.strip() else "nothing said"
            errors = [line for line in said_there.splitlines() if "error:" in line]
            error = errors[0] if errors else error
            what = "refused" if name in known else "differs"
            counts[what] += 1
            print(f"{what}: {name}\n    {error[:700]}", flush=True)
            continue
        if code != code_there:
            what = f"exit code {code_there}, not {code}"
        elif code != 0:
            what = None if said == said_there else "other words"
            print(f"fails here too: {name}: {said.strip()[:200]}")
        else:
            what = difference(here, there)
        counts["differs" if what else "same"] += 1
        print(f"{'DIFFERS' if what else 'same'} {took:5.1f} s  {len(there)} rows  {name}{': ' + what if what else ''}", flush=True)
    print(counts)
    sys.exit(1 if counts["differs"] else 0)


if __name__ == "__main__":
    main()
