"""How soon `pmtaq alert run` tells of what the generator planted, and of a PMTA that stops.

Records come as they do by cron: each five minutes what was logged by then, or so many minutes before, is
ingested, and `alert run` tells a receiver on this machine by HTTP. The clock is that of the records.

    python3 benches/alert/detect.py --per-hour 50000 --late 0 --late 5
    python3 benches/alert/detect.py --per-hour 50000 --quiet-days 30 --hours 9-12

The rules are packaging/alerts/starter.toml with a receiver. Needs the standard library alone.
"""

import argparse
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEP = timedelta(minutes=5)
FIRST_DAY = datetime(2026, 3, 1, tzinfo=timezone.utc)
# How a record begins.
BEGIN = re.compile(r"[a-z]{1,2},\d{4}-\d\d-\d\d ")
# The kinds of the generator, and the rule that is meant to tell of each.
RULE_OF = {
    "blocked address": "blocked",
    "throttled pool": "throttled",
    "bad list": "dead-addresses",
}
# What is expected to tell of a PMTA that stops, the last of them last.
RULES_OF_STOP = ["pmta-down", "silent"]
# When it stops, on the last day.
STOP_HOUR = 20


class Receiver:
    """A receiver of webhooks on this machine."""

    def __init__(self):
        self.came = []
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                came.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Records:
    """The generated records in the order of logging, each handed out once."""

    def __init__(self, folder):
        self.files = sorted(folder.glob("acct-*.csv"))
        self.header = self.files[0].open().readline()
        self.lines = self.read()
        self.next = next(self.lines, None)

    def read(self):
        for path in self.files:
            with path.open(newline="") as file:
                file.readline()
                record = file.readline()
                for line in file:
                    # A quoted field may go on in the next line.
                    if BEGIN.match(line):
                        yield record.split(",", 2)[1][:19], record
                        record = line
                    else:
                        record += line
                if record:
                    yield record.split(",", 2)[1][:19], record

    def write_until(self, time, path):
        """Writes what was logged before a time; whether there was anything."""
        text = time.strftime("%Y-%m-%d %H:%M:%S")
        count = 0
        with path.open("w", newline="") as file:
            file.write(self.header)
            while self.next and self.next[0] < text:
                file.write(self.next[1])
                count += 1
                self.next = next(self.lines, None)
        return count > 0


class Site:
    """A store, its rules, a receiver, and a process called pmtad."""

    def __init__(self, args, folder):
        self.args, self.folder, self.store = args, folder, folder / "store"
        self.receiver = Receiver()
        self.rules = folder / "rules.toml"
        receiver = f'\n[[receiver]]\nname = "here"\ntype = "webhook"\nurl = "{self.receiver.url}"\n'
        starter = (ROOT / "packaging/alerts/starter.toml").read_text()
        self.rules.write_text(starter + receiver)
        program = folder / "pmtad"
        shutil.copy("/bin/sleep", program)
        self.pmtad = subprocess.Popen([program, "86400"])
        self.n_files, self.now = 0, FIRST_DAY

    def run(self, now, *args):
        command = [self.args.pmtaq, "--store", self.store, "--now", now.strftime("%Y-%m-%dT%H:%M:%SZ"), "-q", *args]
        env = {"PATH": os.environ["PATH"], "PMTAQ_ETC": str(self.folder)}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{now} {args[0]}: {done.stderr.strip()}", file=sys.stderr)
        return done

    def ingest(self, records, until, now):
        self.n_files += 1
        path = self.folder / f"acct-{self.n_files:05}.csv"
        if records.write_until(until, path):
            self.run(now, "ingest", path)
        path.unlink()

    def watch(self, records, since, expected, late, until, stops=False):
        """Steps through the time around an incident; the minutes until each expected rule told of it."""
        self.now = now = max(since - 2 * STEP, self.now)
        self.ingest(records, now - late, now)
        told = {}
        while now < until and not set(expected) <= set(told):
            self.now = now = now + STEP
            if stops and now >= since:
                self.pmtad.kill()
                self.pmtad.wait()
            self.ingest(records, min(now - late, since) if stops else now - late, now)
            n_before = len(self.receiver.came)
            self.run(now, "alert", "run", self.rules)
            for event in self.receiver.came[n_before:]:
                if event["status"] == "firing" and now >= since:
                    told.setdefault(event["rule"], int((now - since).total_seconds() // 60))
                print(f"    {now:%m-%d %H:%M} {event['status']}: {event['summary']}", flush=True)
        return told


def generate(args, folder, days, *more):
    rows = args.per_hour * 24 * days
    command = [args.gen, "--out", folder, "--rows", str(rows), "--days", str(days), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def time(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def keep_slices(folder, incidents):
    """Deletes the hours that lie at no incident, of any day."""
    hours = [time(incident["since"]).hour for incident in incidents] + [STOP_HOUR]
    keep_hours(folder, {hour + more for hour in hours for more in (-1, 0, 1)})


def keep_hours(folder, hours):
    for path in folder.glob("acct-*.csv"):
        if int(path.name[-8:-6]) not in hours:
            path.unlink()


def detect(args, folder, late_min):
    """The minutes until each planted incident was told, and a total stop on the last evening."""
    site, late = Site(args, folder), timedelta(minutes=late_min)
    records = Records(folder / "acct")
    incidents = json.loads((folder / "acct/truth.json").read_text())["incidents"]
    longest = timedelta(minutes=args.minutes)
    found = []
    try:
        for incident in sorted(incidents, key=lambda incident: incident["since"]):
            since, rule = time(incident["since"]), RULE_OF[incident["kind"]]
            told = site.watch(records, since, [rule], late, since + longest)
            found.append((incident["kind"], rule, told.get(rule)))
        stop = FIRST_DAY + timedelta(days=args.days - 1, hours=STOP_HOUR)
        told = site.watch(records, stop, RULES_OF_STOP, late, stop + longest, stops=True)
        found += [("PMTA stops", rule, told.get(rule)) for rule in RULES_OF_STOP]
    finally:
        site.pmtad.kill()
        site.pmtad.wait()
    return found


def quiet(args, folder):
    """What the starter rules tell in days without an incident."""
    site = Site(args, folder)
    every = timedelta(minutes=args.every)
    first, last = args.hours
    n_runs = 0
    try:
        for day in range(args.quiet_days):
            # Day by day, so that the records of a month need not lie on the disk. `run` sees those before
            # its time.
            acct = folder / "acct"
            start = FIRST_DAY + timedelta(days=day)
            generate(args, acct, 1, "--no-incidents", "--start", f"{start:%Y-%m-%d}", "--seed", str(args.seed + day))
            keep_hours(acct, set(range(first, last)))
            site.run(start + timedelta(days=1), "ingest", acct)
            shutil.rmtree(acct)
            site.run(start + timedelta(days=1), "prune", "--yes", "--keep", "records=10d,hourly=10d")
            # The first hour fills the windows.
            now, end = start + timedelta(hours=first + 1), start + timedelta(hours=last)
            while (now := now + every) <= end:
                site.run(now, "alert", "run", site.rules)
                n_runs += 1
            told = [event for event in site.receiver.came if event["status"] == "firing"]
            print(f"  {day + 1} days, {n_runs} runs: {len(told)} alerts", flush=True)
    finally:
        site.pmtad.kill()
        site.pmtad.wait()
    for event in site.receiver.came:
        print(f"    {event['at']} {event['status']}: {event['summary']}", flush=True)
    print(f"{args.per_hour}/h, {args.quiet_days} quiet days from seed {args.seed}, {first} to {last} h, {n_runs} runs")


def hours(text):
    first, last = map(int, text.split("-"))
    return first, last


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pmtaq", default=ROOT / "target/release/pmtaq", type=Path)
    parser.add_argument("--gen", default=ROOT / "target/release/pmtaq-gen", type=Path)
    parser.add_argument("--per-hour", type=int, default=50_000, help="records an hour, in the mean")
    parser.add_argument("--late", type=int, action="append", help="minutes that records are late (0 and 5)")
    parser.add_argument("--days", type=int, default=3, help="days of records; the first is the past")
    parser.add_argument("--slices", action="store_true", help="only the hours around incidents, of all days")
    parser.add_argument("--minutes", type=int, default=120, help="how long is waited for an alert")
    parser.add_argument("--quiet-days", type=int, default=0, help="days without an incident, and nothing else")
    parser.add_argument("--every", type=int, default=5, help="minutes between two runs of the quiet days")
    parser.add_argument("--hours", type=hours, default=(0, 24), help="hours of the quiet days, such as 9-12")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pmtaq-detect-") as folder:
        folder = Path(folder)
        if args.quiet_days:
            quiet(args, folder)
            return
        generate(args, folder / "acct", args.days, "--seed", str(args.seed))
        if args.slices:
            incidents = json.loads((folder / "acct/truth.json").read_text())["incidents"]
            keep_slices(folder / "acct", incidents)
        for late in args.late or [0, 5]:
            shutil.rmtree(folder / "store", ignore_errors=True)
            print(f"{args.per_hour}/h, {late} minutes late", flush=True)
            for what, rule, minutes in detect(args, folder, late):
                after = "not told" if minutes is None else f"{minutes} min"
                print(f"  {what:16} {rule:15} {after}", flush=True)


if __name__ == "__main__":
    main()
