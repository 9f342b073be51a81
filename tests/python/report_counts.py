"""report_counts.py FILE...: what reports must say of accounting files, by Python's csv module.

Prints a list of {"args", "key", "rows"}: a command line of pmtaq, the columns that name a row, and
all rows that it must print, with those of their columns that are recounted here. Written from the
definitions of the metrics and not from the SQL. What pmtaq derives from tables of its own (provider,
template) is not recounted; what is grouped by other dimensions covers the same SQL.
"""

import copy
import csv
import json
import math
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta

import recount

CLASSES = {
    "hard": ("bad-mailbox", "inactive-mailbox", "bad-domain"),
    "soft": (
        "quota-issues",
        "no-answer-from-host",
        "relaying-issues",
        "routing-errors",
        "bad-connection",
        "message-expired",
        "protocol-errors",
    ),
    "block": ("spam-related", "policy-related", "content-related", "virus-related", "spam-block"),
}
CLASS_OF = {category: name for name, categories in CLASSES.items() for category in categories}


def seconds(text):
    """Returns a time field as UTC seconds, None if it is empty."""
    if not text:
        return None
    match = recount.ISO.fullmatch(text)
    year, month, day, *clock, offset = match.groups()
    local = datetime(int(year), int(month), int(day), *map(int, clock))
    return int((local - recount.minutes_of(offset) - recount.EPOCH).total_seconds())


def shown(time):
    """Returns UTC seconds as JSON holds them."""
    return None if time is None else f"{recount.EPOCH + timedelta(seconds=time):%Y-%m-%dT%H:%M:%SZ}"


class Record:
    """One row of an accounting file."""

    def __init__(self, row):
        self.rec = recount.RECORD_OF[row["type"]]
        self.logged, self.queued = seconds(row["timeLogged"]), seconds(row["timeQueued"])
        self.rcpt, self.orig, self.env_id = row["rcpt"], row["orig"], row["envId"] or row["envid"]
        self.rcpt_domain = recount.domain(recount.tail(row["rcpt"]))
        self.sender_domain = recount.domain(recount.tail(row["orig"]))
        self.vmta, self.vmta_pool, self.job_id = row["vmta"], row["vmtaPool"], row["jobId"]
        self.dlv_source_ip, self.reached = row["dlvSourceIp"], bool(row["dlvDestinationIp"])
        self.size = int(row["dlvSize"]) if row["dlvSize"] else None
        self.category = row["bounceCat"]
        self.bounce_class = CLASS_OF.get(self.category, "undetermined")
        reply = re.match(r"smtp;\d{3}[ -](\d\.\d+\.\d+)\b", row["dsnDiag"])
        status = re.match(r"\d\.\d+\.\d+", row["dsnStatus"])
        self.code = reply[1] if reply else status[0] if status else ""
        self.taken = None if self.queued is None else self.logged - self.queued


def quantile(values, q):
    """Returns the quantile with linear interpolation, None of nothing."""
    if not values:
        return None
    values = sorted(values)
    at = (len(values) - 1) * q
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def percent(part, whole):
    """Returns part of whole in percent, None of nothing."""
    return 100 * part / whole if whole else None


# In the samples, replies of these categories, and of no others, say that the mailbox is gone.
DEAD = ("bad-mailbox", "bad-domain", "inactive-mailbox")
# And of these that it is full.
FULL = ("quota-issues",)


class Metrics:
    """The metrics of some records, by their names in the dictionary."""

    def __init__(self, records):
        def count(*recs, where=lambda record: True):
            return sum(record.rec in recs and where(record) for record in records)

        self.records = records
        self.injected = count("r")
        self.delivered = count("d")
        self.bounced = count("b", "rb")
        self.by_class = {
            name: count("b", "rb", where=lambda record: record.bounce_class == name)
            for name in (*CLASSES, "undetermined")
        }
        self.unknown_users = count("b", where=lambda record: record.category in DEAD)
        self.sent = count("d", "b")
        self.accepted = self.delivered - count("rb")
        self.deferred = count("t", "tq")
        self.queues = count("tq")
        self.delayed = len({(r.rcpt, r.queued) for r in records if r.rec == "t"})
        self.attempts = count("d", "b", "t", where=lambda record: record.reached)
        self.reached_t = count("t", where=lambda record: record.reached)
        self.complaints = count("f")
        self.deliveries = [record for record in records if record.rec == "d"]
        self.taken = [r.taken for r in self.deliveries if r.taken is not None]
        self.sizes = [r.size for r in self.deliveries if r.size is not None]
        self.bounce_rate = percent(self.bounced, self.sent)
        self.deferral_rate = percent(self.reached_t, self.attempts)
        self.permanent = count("b", where=lambda record: record.code.startswith("5."))
        self.transient = count("b", where=lambda record: record.code.startswith("4."))

    def took(self, q):
        """Returns a quantile of the time from queueing to delivery."""
        return quantile(self.taken, q)


def grouped(records, *names):
    """Returns pairs of the values of the dimensions and the metrics of their records."""
    groups = defaultdict(list)
    for record in records:
        groups[tuple(getattr(record, name) or "(none)" for name in names)].append(record)
    return [(key, Metrics(group)) for key, group in groups.items()]


def of(records, *recs):
    """Returns the records of some types."""
    return [record for record in records if record.rec in recs]


def question(args, key, rows):
    """Returns a command line and its rows."""
    return {"args": args.split(), "key": key, "rows": rows}


def dimensions(records):
    """The reports on one dimension each."""
    for name, by in [
        ("domains", "rcpt_domain"),
        ("senders", "sender_domain"),
        ("vmtas", "vmta"),
        ("pools", "vmta_pool"),
        ("ips", "dlv_source_ip"),
        ("stats top-domains", "rcpt_domain"),
    ]:
        names = ("sent", "delivered", "bounced", "deferred", "attempts", "bounce_rate", "deferral_rate")
        rows = [
            {by: key, "p95": m.took(0.95), **{name: getattr(m, name) for name in names}}
            for (key,), m in grouped(records, by)
            if m.sent + m.bounced + m.deferred
        ]
        yield question(f"{name} --top 0", [by], rows)


def delivery_of(record, records):
    """Returns the latest delivery that a complaint or remote bounce may be about."""
    before = [r for r in records if r.rec == "d" and r.logged <= record.logged]
    found = [r for r in before if record.env_id and r.env_id == record.env_id]
    if not found:
        found = [r for r in before if (r.rcpt.lower(), r.orig) == (record.rcpt.lower(), record.orig)]
    return max(found, key=lambda r: r.logged, default=None)


def jobs(records):
    """All jobs, and the scorecard of some."""
    told = of(records, "r", "d", "b", "t")
    for record in of(records, "rb"):
        record = copy.copy(record)
        delivery = delivery_of(record, records)
        record.job_id = record.job_id or (delivery.job_id if delivery else "")
        told.append(record)
    yield question("jobs --top 0", ["job_id"], [
        {
            "job_id": key,
            "began": shown(min(
                r.logged if r.queued is None else r.queued for r in m.records if r.rec != "rb"
            )),
            "sent": m.sent,
            "bounce_rate": m.bounce_rate,
            "unknown_user_rate": percent(m.unknown_users, m.sent),
            "p95": m.took(0.95),
        }
        for (key,), m in grouped(told, "job_id")
    ])
    for job in ("job-bad-list", "newsletter-20260302-0800", "forum-20260302-1200"):
        yield question(f"job {job}", ["figure"], scorecard(records, job))


def scorecard(records, job):
    """The rows of the report `job`, but for the worst provider, which only has its figures."""
    own = [record for record in records if record.job_id == job]
    ids = {record.env_id for record in own if record.env_id}
    pairs = {(record.orig, record.rcpt) for record in of(own, "d")}
    back = [
        record
        for record in of(records, "rb", "f")
        if (record.env_id in ids if record.env_id else (record.orig, record.rcpt) in pairs)
    ]
    m = Metrics(own + back)
    began = min(r.logged if r.queued is None else r.queued for r in m.records)
    rows = [
        {"figure": "injected", "recipients": m.injected, "total": None, "after": 0},
        {"figure": "sent", "recipients": m.sent, "total": m.injected},
        # No operator deleted anything in the samples: tests/origin.rs counts where one did.
        {"figure": "deleted by operator", "recipients": 0, "total": m.injected},
        {"figure": "waiting", "recipients": max(m.injected - m.sent, 0), "total": m.injected},
        {"figure": "delivered", "recipients": m.delivered, "total": m.sent},
        {"figure": "bounced", "recipients": m.bounced, "total": m.sent, "share": m.bounce_rate},
        *(
            {"figure": f"- {name}", "recipients": n, "total": m.sent}
            for name, n in m.by_class.items()
        ),
        {"figure": "unknown users", "recipients": m.unknown_users, "total": m.sent},
        {"figure": "delayed", "recipients": m.delayed, "total": m.sent},
        {"figure": "complaints", "recipients": m.complaints, "total": m.accepted},
        {"figure": "worst provider"},
    ]
    times = sorted(record.logged for record in m.deliveries)
    for share in (50, 90, 99):
        n = math.ceil(share * len(times) / 100)
        row = {"figure": f"{share} % delivered", "recipients": n, "total": len(times)}
        rows.append({**row, "after": times[n - 1] - began, "at": shown(times[n - 1])})
    return rows


STEPS = [
    ("0 to 5 s", 5), ("6 to 30 s", 30), ("31 to 60 s", 60), ("1 to 2 min", 120),
    ("2 to 5 min", 300), ("5 to 10 min", 600), ("10 to 30 min", 1800), ("30 to 60 min", 3600),
    ("1 to 2 h", 7200), ("2 to 3 h", 10800), ("3 to 4 h", 14400), ("4 to 5 h", 18000),
    ("5 to 6 h", 21600), ("6 to 8 h", 28800), ("8 to 10 h", 36000), ("10 to 12 h", 43200),
    ("over 12 h", math.inf),
]  # fmt: skip


def latency(records):
    """How long deliveries took."""
    rows = [
        {
            "vmta": key,
            "delivered": m.delivered,
            "slowest": max(m.taken),
            **{f"p{n}": m.took(n / 100) for n in (50, 90, 95, 99)},
        }
        for (key,), m in grouped(records, "vmta")
        if m.delivered
    ]
    yield question("latency --by vmta --top 0", ["vmta"], rows)

    all_taken = sorted(Metrics(records).taken)
    rows, before = [], -math.inf
    for took, most in STEPS:
        n = sum(before < taken <= most for taken in all_taken)
        within = percent(sum(taken <= most for taken in all_taken), len(all_taken))
        rows.append({"delivery_time": took, "delivered": n, "total": len(all_taken), "cumulative": within})
        before = most
    for name in ("latency --histogram", "stats delivery-times"):
        yield question(name, ["delivery_time"], rows)

    rows = []
    for share in (50, 60, 70, 80, 90, 95, 96, 97, 98, 99, 100):
        first = all_taken[: math.ceil(share * len(all_taken) / 100)]
        row = {"fastest": f"{share} %", "delivered": len(first), "longest": first[-1]}
        rows.append({**row, "mean": sum(first) / len(first)})
    for name in ("latency --fastest", "stats just-delivery-times"):
        yield question(name, ["fastest"], rows)

    at = seconds("2026-03-02 17:00:00+0000")
    rows = []
    final = of(records, "d", "b")
    for key, group in [("(all)", final), *((k, m.records) for (k,), m in grouped(final, "vmta"))]:
        near = [r.taken for r in group if r.rec == "d" and abs(r.logged - at) <= 3600]
        waits = [r.queued for r in group if r.queued <= at < r.logged]
        if near or waits:
            row = {"vmta": key, "delivered": len(near), "waiting": len(waits)}
            row |= {"p50": quantile(near, 0.5), "slowest": max(near, default=None)}
            rows.append(row | {"waiting_since": shown(min(waits, default=None))})
    yield question("latency --by vmta --at 2026-03-02T17:00 --around 1h --top 0", ["vmta"], rows)


def deferrals(records):
    """Deferrals by VirtualMTA."""
    told = of(records, "t", "tq")
    yield question("deferrals --by vmta --top 0", ["vmta"], [
        {
            "vmta": key,
            "deferred": m.deferred,
            "share": percent(m.deferred, len(told)),
            "total": len(told),
            "recipients": m.delayed,
            "queues": m.queues,
            "last_seen": shown(max(record.logged for record in m.records)),
        }
        for (key,), m in grouped(told, "vmta")
    ])


def sizes(records):
    """Sizes of what was delivered."""
    delivered = of(records, "d")
    steps = [(10_000, "below 10 kB"), (25_000, "10 to 25 kB"), (50_000, "25 to 50 kB")]
    steps += [(100_000, "50 to 100 kB")]
    rows, least = [], 0
    for below, size in steps:
        m = Metrics([record for record in delivered if least <= record.size < below])
        row = {"size": size, "delivered": m.delivered, "total": len(delivered)}
        rows.append({**row, "bytes": sum(m.sizes), "p50": m.took(0.5), "p95": m.took(0.95)})
        least = below
    yield question("sizes", ["size"], rows)
    yield question("sizes --by vmta --top 0", ["vmta"], [
        {
            "vmta": key,
            "delivered": m.delivered,
            "bytes": sum(m.sizes),
            "smallest": min(m.sizes),
            "median": quantile(m.sizes, 0.5),
            "mean": sum(m.sizes) / len(m.sizes),
            "largest": max(m.sizes),
        }
        for (key,), m in grouped(delivered, "vmta")
    ])


def best(times, length):
    """Returns the largest sum over `length` seconds and when it began; times are pairs."""
    times = sorted(times)
    found, end, total = (0, None), 0, 0
    for begin, (since, amount) in enumerate(times):
        while end < len(times) and times[end][0] < since + length:
            total += times[end][1]
            end += 1
        # Of those that begin in the same second, the first has all of it.
        if total > found[0]:
            found = (total, since)
        total -= amount
    return found


def rates(records):
    """The highest rates."""
    by_count, by_bytes = [], []
    for (vmta,), m in grouped(of(records, "d", "b"), "vmta"):
        for over, length in (("1 minute", 60), ("5 minutes", 300), ("1 hour", 3600)):
            n, since = best([(record.logged, 1) for record in m.records], length)
            row = {"vmta": vmta, "over": over, "recipients": n, "since": shown(since)}
            by_count.append({**row, "per_minute": round(n * 60 / length, 2)})
            size, since = best([(record.logged, record.size) for record in m.deliveries], length)
            row = {"vmta": vmta, "over": over, "bytes": size, "since": shown(since)}
            by_bytes.append({**row, "per_second": size / length})
    yield question("rates --by vmta --top 0", ["vmta", "over"], by_count)
    yield question("rates --by vmta --top 0 --bytes", ["vmta", "over"], by_bytes)


def compare(records):
    """Two days side by side."""
    days = [
        [r for r in records if shown(r.logged).startswith(day)]
        for day in ("2026-03-02", "2026-03-03")
    ]
    for metric, value, base in [
        ("bounce_rate", lambda m: m.bounce_rate, lambda m: m.sent),
        ("sent", lambda m: m.sent, None),
        ("p90", lambda m: m.took(0.9), lambda m: m.delivered),
    ]:
        pair = [{key: m for (key,), m in grouped(day, "vmta")} for day in days]
        for sides, day in zip(pair, days, strict=True):
            sides["(all)"] = Metrics(day)
        rows = []
        for key in pair[0].keys() | pair[1].keys():
            m = [sides.get(key, Metrics([])) for sides in pair]
            a, b = map(value, m)
            if not (a or b):
                continue
            if base:
                a_of, b_of = map(base, m)
            else:
                a_of, b_of = (value(sides["(all)"]) for sides in pair)
            z = None
            if metric == "bounce_rate" and a_of and b_of:
                pooled = (m[0].bounced + m[1].bounced) / (a_of + b_of)
                spread = pooled * (1 - pooled) * (1 / a_of + 1 / b_of)
                z = (b - a) / 100 / math.sqrt(spread) if spread > 0 else None
            elif metric == "sent":
                z = (b - (a + b) / 2) / math.sqrt((a + b) / 4)
            z = None if z is None else round(z, 2)
            row = {"vmta": key, "a": a, "b": b, "a_total": a_of, "b_total": b_of, "z": z}
            rows.append(row | {"change": 100 * b / a - 100 if a and b is not None else None})
        args = "compare --a 2026-03-02 --b 2026-03-03 --by vmta --top 0 --metric"
        yield question(f"{args} {metric}", ["vmta"], rows)


def stats(records):
    """What pmtastats knows, as far as it has reports of its own."""
    final = of(records, "d", "b")
    bounces = of(records, "b")
    yield question("stats bounce-categories --top 0", ["category"], [
        {
            "category": key,
            "bounced": m.bounced,
            "share": percent(m.bounced, len(bounces)),
            "permanent": m.permanent,
            "transient": m.transient,
        }
        for (key,), m in grouped(bounces, "category")
    ])
    m = Metrics(final)
    sizes = {"volume": sum(m.sizes), "smallest": min(m.sizes), "largest": max(m.sizes)}
    sizes["mean"] = sizes["volume"] / len(m.sizes)
    yield question("stats message-counts", ["messages"], [
        {"messages": "deliveries", "recipients": m.delivered, **sizes},
        {"messages": "bounces", "recipients": m.bounced, "volume": None},
        {"messages": "total", "recipients": m.sent, **sizes},
    ])
    yield question("stats top-bounce --top 0 --reasons 1", ["domain"], [
        {
            "domain": key,
            "sent": m.sent,
            "bounced": m.bounced,
            "permanent": m.permanent,
            "transient": m.transient,
        }
        for (key,), m in grouped(final, "rcpt_domain")
        if m.bounced
    ])
    for record in final:
        record.time = shown(record.logged // 3600 * 3600)
        record.day = shown(record.logged)[:10]
        record.ip, record.domain = record.dlv_source_ip, record.rcpt_domain
    for args, keys, least in [
        ("vmta-summary", ["vmta", "ip"], 0),
        ("vmta-summary --by-date", ["day", "vmta", "ip"], 0),
        ("vmta-time-breakdown", ["vmta", "ip", "time"], 0),
        ("vmta-top-bounce --top 0", ["vmta", "ip", "domain"], 1),
        ("vmta-top-bounce --top 0 --by-date", ["day", "vmta", "ip", "domain"], 1),
    ]:
        yield question(f"stats {args}", keys, [
            {
                **dict(zip(keys, key, strict=True)),
                "sent": m.sent,
                "delivered": m.delivered,
                "bounced": m.bounced,
                "bounce_rate": m.bounce_rate,
            }
            for key, m in grouped(final, *keys)
            if m.bounced >= least
        ])


def volume(records):
    """The hours from the first to the last; an hour without a record is a row too."""
    names = ("injected", "delivered", "bounced", "deferred", "complaints")
    hours = defaultdict(list)
    for record in records:
        hours[record.logged // 3600].append(record)
    rows = []
    for hour in range(min(hours), max(hours) + 1):
        m = Metrics(hours.get(hour, []))
        counts = {name: getattr(m, name) for name in names}
        rows.append({"time": shown(hour * 3600), "bytes": sum(m.sizes), **counts})
    yield question("volume", ["time"], rows)


def main(paths):
    """Reads the files and prints all questions."""
    csv.field_size_limit(1 << 30)
    records = []
    for path in paths:
        with recount.lines_of(path) as lines:
            records += [Record(row) for row in csv.DictReader(lines)]
    reports = [dimensions, jobs, latency, deferrals, sizes, rates, compare, stats, volume]
    json.dump([q for report in reports for q in report(records)], sys.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1:])
