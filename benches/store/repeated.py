"""Makes a store of the parts of another one, each of them several times under names of its own, which are links: the same
records counted N times, and as many rows of the rollups, where a compaction would have made one of them.

    .venv/bin/python benches/store/repeated.py STORE NEW_STORE [--times 10]

Both must lie on one disk. To ask 1,000,000,000 records of one of 100,000,000.
"""

import argparse
import os
import pathlib

import manifests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=pathlib.Path)
    parser.add_argument("new_store", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=10)
    args = parser.parse_args()
    root = manifests.read(args.store / "_pmtaq/root.json")
    for day, of in root["days"].items():
        parts, sources = manifests.lists(args.store, day, of)
        repeated = []
        for part in parts:
            folder = args.new_store / part["table"] / f"date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            for copy in range(args.times):
                # As the store calls its parts: a number of eight digits first. A rollup names what it sums up.
                name = f"{9 * 10**7 + copy}-{part['name']}"
                sums = {"sums": f"{9 * 10**7 + copy}-{part['sums']}"} if "sums" in part else {}
                os.link(args.store / part["table"] / f"date={day}" / part["name"], folder / name)
                repeated.append(part | {"name": name} | sums)
        for name, entries in (("parts", repeated), ("sources", sources)):
            manifests.write(args.new_store / f"_pmtaq/days/{day}/{name}-{of[name]}.json", {"entries": entries})
        of["rows"] *= args.times
        of["bytes"] *= args.times
    manifests.write(args.new_store / "_pmtaq/root.json", root | {"moves": []})
    print(f"{sum(of['rows'] for of in root['days'].values())} records of {len(root['days'])} days")


if __name__ == "__main__":
    main()
