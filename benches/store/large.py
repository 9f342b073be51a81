"""A store of a million sources and 1,100 days, made by writing its manifests, and what one more file
and a one-day query cost in it. It never writes outside the folder that it is given.

    .venv/bin/python benches/store/large.py target/release/pmtaq DIR [--days 1100] [--sources 1000000]

Makes DIR/small (a day of samples) and DIR/large (the same day, and the manifests of all the others: each day
names its sources and two parts a table, whose files are links to one part), then times in turn an ingest
of one small new file into each, a query of one day, one of all days, and `pmtaq status`.
"""

import argparse
import datetime
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import manifests

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples/acct/acct-2026-03-03-0000.csv"
DAY = datetime.date(2026, 3, 3)


def run(pmtaq, store, *args):
    begun = time.perf_counter()
    done = subprocess.run([pmtaq, "--store", store, "--now", "2026-03-05T12:00:00Z", *args], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{args}: {done.stderr}")
    return time.perf_counter() - begun


def grow(small, large, n_days, n_sources):
    shutil.copytree(small, large)
    private = large / "_pmtaq"
    root = manifests.read(private / "root.json")
    of = root["days"][str(DAY)]
    generation = of["parts"]
    parts, sources = manifests.lists(small, DAY, of)
    files = {part["name"]: large / part["table"] / f"date={DAY}" / part["name"] for part in parts}
    number = 0
    for back in range(0, n_days):
        day = DAY - datetime.timedelta(days=back)
        folder = private / f"days/{day}"
        shift = 86400 * back
        listed = list(parts) if back == 0 else []
        for copy in range(2 if back else 0):
            for part in parts:
                name = f"9{copy}{part['name']}"
                to = large / part["table"] / f"date={day}" / name
                to.parent.mkdir(parents=True, exist_ok=True)
                os.link(files[part["name"]], to)
                listed.append(part | {"name": name, "since": part["since"] - shift, "until": part["until"] - shift})
        known = list(sources) if back == 0 else []
        for _ in range(n_sources // n_days):
            number += 1
            known.append(sources[0] | {"head": f"{number:032x}", "hash": f"{number + 10**12:032x}", "name": f"acct-{day}-{number % 1000:04}.csv", "stat": sources[0]["stat"] | {"inode": number}})
        manifests.write(folder / f"parts-{generation}.json", {"entries": listed})
        manifests.write(folder / f"sources-{generation}.json", {"entries": known})
        rows = sum(part["rows"] for part in listed if part["table"] == "records")
        size = sum(part["bytes"] for part in listed if part["table"] == "records")
        root["days"][str(day)] = {"parts": generation, "sources": generation, "rows": rows, "bytes": size}
    manifests.write(private / "root.json", root)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pmtaq", type=pathlib.Path)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--days", type=int, default=1100)
    parser.add_argument("--sources", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    pmtaq = args.pmtaq.resolve()
    small, large = args.dir / "small", args.dir / "large"
    args.dir.mkdir(parents=True)
    run(pmtaq, small, "ingest", "-q", SAMPLE)
    grow(small, large, args.days, args.sources)
    header, *rows = SAMPLE.read_text().splitlines(keepends=True)
    times = {}
    for turn in range(args.rounds):
        # A file that no store knows: some of the rows, in another order.
        new = args.dir / f"new-{turn}.csv"
        new.write_text(header + "".join(rows[turn + 1 : turn + 50]))
        for name, store in (("small", small), ("large", large)):
            for what, command in {
                "ingest one more file": ["ingest", "-q", new],
                "one day": ["top-bounces", "--since", "2026-03-02", "--until", "2026-03-03"],
                "the same by SQL": ["sql", "--since", "2026-03-03", "--until", "2026-03-04", "select count(*) from records"],
                "all days": ["sql", "select count(*) from records"],
                "status": ["status"],
            }.items():
                times.setdefault(what, {}).setdefault(name, []).append(run(pmtaq, store, *command))
    print(f"{args.days} days, {args.sources} sources; median of {args.rounds}, ms")
    for what, of in times.items():
        ms = {name: 1000 * statistics.median(seconds) for name, seconds in of.items()}
        print(f"{what:24} small {ms['small']:7.0f}   large {ms['large']:7.0f}   more {ms['large'] - ms['small']:7.0f}")


if __name__ == "__main__":
    main()
