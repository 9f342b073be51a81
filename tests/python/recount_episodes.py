"""recount_episodes.py FILE...: what the reports on bounces and episodes must say, by Python's csv module.

Prints a list of {"args", "key", "rows"}, as report_counts.py does, for the reports that follow a
recipient through several records. Written from the definitions in the help of the reports and not
from the SQL, by loops over all pairs where the SQL has joins and windows. What pmtaq derives from
tables of its own (provider, template) is not recounted; replies are told apart by their code.
"""

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone

import recount
from report_counts import DEAD, FULL, Record, delivery_of, percent, quantile, shown

WEAK = re.compile("RC4|RC2|DES|NULL|EXP|MD5|ANON|ADH|AECDH")
GAPS = [
    (300, "under 5 min"),
    (600, "5 to 10 min"),
    (900, "10 to 15 min"),
    (1200, "15 to 20 min"),
    (1800, "20 to 30 min"),
    (3600, "30 to 60 min"),
    (7200, "1 to 2 h"),
    (14400, "2 to 4 h"),
    (28800, "4 to 8 h"),
    (float("inf"), "8 h and more"),
]


class Life(Record):
    """One row of an accounting file, with the recipient that it is about."""

    def __init__(self, row):
        super().__init__(row)
        self.diag = row["dsnDiag"]
        self.message = (self.orig, self.rcpt, self.env_id, self.queued)
        self.protocol, self.cipher = row["dlvTlsProtocol"], row["dlvTlsCipher"]
        self.address = self.rcpt.lower()
        # The reply as far as its code, its words and provider's codes such as [TSS04] go.
        words = re.split(r"[\s.]+", self.diag[8:])
        is_said = re.compile(r"[A-Za-z]+|[\[(][A-Z]+\d+[\])]").fullmatch
        self.words = [self.diag[:8], *filter(is_said, words)]


def question(command, key, rows):
    """Returns a command line and what it must print."""
    return {"args": command.split(), "key": key, "rows": rows}


def groups(records, key):
    """Returns the records by key."""
    found = defaultdict(list)
    for record in records:
        found[key(record)].append(record)
    return found.items()


def top_bounces(records):
    bounces = [r for r in records if r.rec == "b"]
    for by, key in [
        ("bounce_cat", lambda r: r.category or "(none)"),
        ("enhanced_code", lambda r: r.code or "(none)"),
        ("vmta", lambda r: r.vmta or "(none)"),
        ("job_id", lambda r: r.job_id or "(none)"),
    ]:
        yield question(f"top-bounces --top 0 --by {by}", [by], [
            {
                by: name,
                "bounces": len(found),
                "share": percent(len(found), len(bounces)),
                "previous": None,
                "first_seen": shown(min(r.logged for r in found)),
                "last_seen": shown(max(r.logged for r in found)),
            }
            for name, found in groups(bounces, key)
        ])
    begin, length = at("2026-03-03T00:00:00Z"), 86_400
    then = Counter(r.category for r in bounces if begin - length <= r.logged < begin)
    now = Counter(r.category for r in bounces if begin <= r.logged < begin + length)
    window = "--since 2026-03-03 --until 2026-03-04"
    yield question(f"top-bounces --top 0 --by category {window}", ["bounce_cat"], [
        {"bounce_cat": name, "bounces": n, "previous": then[name]} for name, n in now.items()
    ])
    yield question("bounce-reasons --top 0", ["category", "enhanced_code"], [
        {
            "class": found[0].bounce_class,
            "category": category,
            "enhanced_code": code,
            "bounces": len(found),
        }
        for (category, code), found in groups(bounces, lambda r: (r.category, r.code or "(none)"))
    ])


def tls(records):
    def weakness(protocol, cipher):
        if not protocol:
            return "plaintext"
        if protocol not in ("TLSv1.2", "TLSv1.3"):
            return "old protocol"
        if WEAK.search(cipher.upper()):
            return "broken cipher"
        has_ephemeral_key = protocol == "TLSv1.3" or "DHE" in cipher or "EDH" in cipher
        return None if has_ephemeral_key else "no forward secrecy"

    delivered = [r for r in records if r.rec == "d"]
    rows = [
        {
            "protocol": protocol or "(plaintext)",
            "cipher": cipher or "(none)",
            "delivered": len(found),
            "share": percent(len(found), len(delivered)),
            "domains": len({r.rcpt_domain for r in found}),
            "weakness": weakness(protocol, cipher),
        }
        for (protocol, cipher), found in groups(delivered, lambda r: (r.protocol, r.cipher))
    ]
    yield question("tls --top 0", ["protocol", "cipher"], rows)
    weak = [row for row in rows if row["weakness"]]
    yield question("tls --top 0 --weak", ["protocol", "cipher"], weak)
    yield question("tls --top 0 --by vmta", ["vmta"], [
        {
            "vmta": vmta,
            "delivered": len(found),
            "tls13": percent(sum(r.protocol == "TLSv1.3" for r in found), len(found)),
            "plaintext": percent(sum(not r.protocol for r in found), len(found)),
        }
        for vmta, found in groups(delivered, lambda r: r.vmta)
    ])


def returned(records):
    came = {r: delivery_of(r, records) for r in records if r.rec in ("f", "rb")}
    leads = lambda found: quantile([r.logged - came[r].logged for r in found if came[r]], 0.5)
    for by, key in [
        ("rcpt_domain", lambda r: r.rcpt_domain or "(none)"),
        ("job_id", lambda r: (came[r] if came.get(r) else r).job_id or "(none)"),
    ]:
        rows = []
        counted = [r for r in records if r.rec in ("d", "f", "rb")]
        for name, found in groups(counted, key):
            complaints = [r for r in found if r.rec == "f"]
            accepted = sum({"d": 1, "rb": -1}.get(r.rec, 0) for r in found)
            rows.append({
                by: name,
                "complaints": len(complaints),
                "accepted": accepted,
                "complaint_rate": percent(len(complaints), accepted) if complaints else None,
                "matched": sum(bool(came[r]) for r in complaints),
                "median_lead": leads(complaints),
            })
        yield question(f"complaints --top 0 --by {by}", [by], rows)
        remote = [r for r in came if r.rec == "rb"]
        yield question(f"remote-bounces --top 0 --by {by}", [by], [
            {
                by: name,
                "bounces": len(found),
                "hard": sum(r.bounce_class == "hard" for r in found),
                "matched": sum(bool(came[r]) for r in found),
                "median_lead": leads(found),
            }
            for name, found in groups(remote, key)
        ])


def survival(records):
    def rows(since, until):
        ends = {r.message: r for r in records if r.rec in ("d", "b")}
        first = {}
        for record in records:
            if record.rec == "t" and record.message not in first:
                first[record.message] = record
        cohort = [r for r in first.values() if since <= r.logged < until]
        for vmta, found in groups(cohort, lambda r: r.vmta):
            waits = [
                ends[r.message].logged - r.logged
                for r in found
                if r.message in ends and ends[r.message].rec == "d"
            ]
            share = lambda limit: percent(sum(wait <= limit for wait in waits), len(found))
            yield {
                "vmta": vmta,
                "deferred": len(found),
                "in_5m": share(300),
                "in_1h": share(3600),
                "in_6h": share(21_600),
                "in_24h": share(86_400),
                "bounced": sum(r.message in ends and ends[r.message].rec == "b" for r in found),
                "still_queued": sum(r.message not in ends for r in found),
                "median_wait": quantile(waits, 0.5),
            }

    yield question("survival --top 0 --by vmta", ["vmta"], list(rows(0, 1 << 40)))
    window = "--since 2026-03-02T12:00 --until 2026-03-02T18:00"
    times = at("2026-03-02T12:00:00Z"), at("2026-03-02T18:00:00Z")
    yield question(f"survival --top 0 --by vmta {window}", ["vmta"], list(rows(*times)))


def retries(records):
    def rows(since, until):
        # What PMTA says of itself has a code too, and reached nobody.
        tried = lambda r: r.diag[:4] == "smtp" and "[internal]" not in r.diag and r.reached
        attempts = [r for r in records if r.rec in "dt" or r.rec == "b" and tried(r)]
        found = defaultdict(list)
        for _, tries in groups(attempts, lambda r: r.message):
            tries.sort(key=lambda r: r.logged)
            for before, after in zip(tries, tries[1:]):
                if before.rec == "t" and since <= after.logged < until:
                    gap = after.logged - before.logged
                    found[next(name for limit, name in GAPS if gap < limit)].append((before, after))
        total = sum(map(len, found.values()))
        for name, pairs in found.items():
            count = lambda rec: sum(after.rec == rec for _, after in pairs)
            wasted = sum(b.words == a.words for b, a in pairs if a.rec == "t")
            yield {
                "gap": name,
                "retries": len(pairs),
                "share": percent(len(pairs), total),
                "delivered": count("d"),
                "success": percent(count("d"), len(pairs)),
                "deferred": count("t"),
                "same_reply": wasted,
                "same_reply_rate": percent(wasted, len(pairs)),
                "bounced": count("b"),
            }

    yield question("retries", ["gap"], list(rows(0, 1 << 40)))
    times = at("2026-03-02T16:00:00Z"), at("2026-03-02T18:00:00Z")
    window = "--since 2026-03-02T16:00 --until 2026-03-02T18:00"
    yield question(f"retries {window}", ["gap"], list(rows(*times)))


def throttles(records, domain, step, gap, share, least):
    end = max(r.logged for r in records)
    mine = [r for r in records if r.rec in "dbt" and r.rcpt_domain == domain]
    ends = {r.message: r.logged for r in mine if r.rec in ("d", "b")}
    tried = Counter(
        (r.dlv_source_ip, r.logged // step) for r in mine if r.rec in "dt" or r.reached
    )
    rows = []
    deferred = [r for r in mine if r.rec == "t"]
    for (ip, *_), refused in groups(deferred, lambda r: (r.dlv_source_ip, *r.words)):
        by_step = {n: found for n, found in groups(refused, lambda r: r.logged // step)}
        hot = sorted(n for n, f in by_step.items() if 100 * len(f) >= share * tried[ip, n])
        episodes = []
        for n in hot:
            if episodes:
                last = episodes[-1][-1]
                is_near = by_step[n][0].logged - by_step[last][-1].logged <= gap
                between = range(last + 1, n + 1)
                said = sum(len(by_step.get(i, [])) for i in between)
                if is_near and 100 * said >= share * sum(tried[ip, i] for i in between):
                    episodes[-1].append(n)
                    continue
            episodes.append([n])
        for steps in episodes:
            inside = [r for r in refused if steps[0] <= r.logged // step <= steps[-1]]
            if len(inside) < least:
                continue
            worst = max(steps, key=lambda n: (len(by_step[n]), -tried[ip, n], -n))
            began = {}
            for record in inside:
                began.setdefault(record.message, record.logged)
            rows.append({
                "ip": ip,
                "onset": shown(inside[0].logged),
                "lasted": inside[-1].logged - inside[0].logged,
                "state": "ongoing" if end - inside[-1].logged < gap else "ended",
                "peak_share": percent(len(by_step[worst]), tried[ip, worst]),
                "peak_attempts": tried[ip, worst],
                "delayed": len(began),
                "total_delay": sum(ends.get(message, end) - t for message, t in began.items()),
            })
    command = f"throttles --top 0 --domain {domain} --step {step}s --gap {gap}s --share {share}"
    return question(f"{command} --least {least}", ["ip", "onset"], rows)


def queue(records, step):
    """Looks at each recipient at the end of each minute, instead of adding up changes."""
    first, last = min(r.logged for r in records), max(r.logged for r in records)
    stays, known = [], {}
    for record in records:
        if record.rec in ("d", "b"):
            stays.append((record.queued, record.logged))
            known[record.message] = record
    for message in {r.message for r in records if r.rec == "t"} - known.keys():
        stays.append((message[3], None))
    named = lambda r: (r.orig, r.rcpt, r.env_id)
    latest = {}
    for record in records:
        if record.rec in ("d", "b", "t"):
            latest[named(record)] = max(record.logged, latest.get(named(record), 0))
    for record in records:
        if record.rec == "r" and latest.get(named(record), -1) < record.logged:
            stays.append((record.logged, None))
    standing = lambda t: [came for came, went in stays if came < t and (went is None or went >= t)]
    rows = []
    for n in range(first // step, last // step + 1):
        begin, end = n * step, (n + 1) * step
        waiting = standing(end)
        minutes = range(begin, end + 1, 60)
        rows.append({
            "time": shown(begin),
            "queued": sum(begin <= came < end for came, _ in stays),
            "finished": sum(went is not None and begin <= went < end for _, went in stays),
            "depth": len(waiting),
            "peak": max(len(standing(t)) for t in minutes),
            "oldest": end - min(waiting) if waiting else None,
            "completeness": None,
        })
    return question(f"queue --step {step}s", ["time"], rows)


def hygiene(records):
    died = {}
    for record in records:
        if record.rec in ("b", "rb") and record.bounce_class == "hard":
            died.setdefault(record.address, record.logged)
    sent = [r for r in records if r.rec in ("d", "b") and r.rcpt_domain == "gmail.com"]
    yield question("hygiene --top 0 --domain gmail.com", ["job_id"], [
        {
            "job_id": job,
            "sent": len(found),
            "unknown_users": sum(r.category in DEAD for r in found),
            "sent_to_dead": sum(died.get(r.address, 1 << 40) < r.queued for r in found),
        }
        for job, found in groups(sent, lambda r: r.job_id or "(none)")
    ])
    # In the samples these categories have the replies that say so, and no others.
    for name, categories in (("hard", DEAD), ("soft", FULL)):
        rows = []
        bounced = [r for r in records if r.rec in ("b", "rb") and r.category in categories]
        for address, found in groups(bounced, lambda r: r.address):
            taken = [r.logged for r in records if r.rec == "d" and r.address == address]
            last = max(r.logged for r in found)
            if max(taken, default=-1) < last:
                rows.append({"address": address, "last_seen": shown(last), "bounces": len(found)})
        yield question(f"suppress --class {name}", ["address"], rows)


def warmup(records):
    sent = [r for r in records if r.rec in ("d", "b", "t") and r.rcpt_domain == "gmail.com"]
    rows = []
    before = {}
    named = lambda r: (shown(r.logged)[:10], r.dlv_source_ip)
    for (day, ip), found in sorted(groups(sent, named)):
        if ip in ("", "0.0.0.0"):
            continue
        final = [r for r in found if r.rec != "t"]
        attempts = sum(r.reached for r in found)
        rows.append({
            "ip": ip,
            "day": day,
            "sent": len(final),
            "before": before.get(ip),
            "bounce_rate": percent(sum(r.rec == "b" for r in final), len(final)),
            "attempts": attempts,
            "deferral_rate": percent(sum(r.rec == "t" and r.reached for r in found), attempts),
        })
        before[ip] = len(final)
    yield question("warmup --top 0 --domain gmail.com", ["ip", "day"], rows)


def at(text):
    """Returns an RFC 3339 time as UTC seconds."""
    time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return int(time.timestamp())


def main(paths):
    """Reads the files and prints all questions."""
    csv.field_size_limit(1 << 30)
    records = []
    for path in paths:
        with recount.lines_of(path) as lines:
            records += [Life(row) for row in csv.DictReader(lines)]
    records.sort(key=lambda r: r.logged)
    reports = [top_bounces, tls, returned, survival, retries, hygiene, warmup]
    questions = [q for report in reports for q in report(records)]
    for step, gap, share, least in [
        (300, 3600, 20, 5),
        (600, 7200, 20, 2),
        (300, 1800, 60, 1),
        (1800, 300, 20, 3),
    ]:
        questions += [
            throttles(records, domain, step, gap, share, least)
            for domain in ("yahoo.com", "gmail.com", "hotmail.com")
        ]
    questions += [queue(records, 3600), queue(records, 86_400)]
    json.dump(questions, sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1:])
