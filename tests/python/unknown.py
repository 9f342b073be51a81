"""unknown.py DIR: accounting files of five MTAs that log different fields, and what pmtaq must say of them.

Writes the files into DIR and prints a list of {"args", "keys", "rows"}: a command line of pmtaq, the columns
that name a row, and for each row the values of its metrics; null where one cannot be known. Which field
an MTA logs in which records on which day is a table here, so what cannot be known follows from it and not
from what the records hold. Written from docs/metrics.md, without any code of pmtaq.
"""

import csv
import itertools
import json
import random
import sys
from collections import defaultdict
from datetime import datetime, timedelta

HEADER = (
    "type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,dlvSourceIp,"
    "dlvDestinationIp,dlvSize,dlvTlsProtocol,vmta,vmtaPool,jobId,queue"
).split(",")
DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]
TYPES = "dbt"

# What is not logged: (MTA, days, record types) and the fields.
NOT_LOGGED = [
    ("full", [], "", []),
    ("norcpt", DAYS, "d", ["rcpt", "queue"]),
    ("notls", DAYS, "dbt", ["dlvTlsProtocol"]),
    ("notls", DAYS, "b", ["jobId"]),
    ("changed", DAYS[1:2], "t", ["dlvDestinationIp", "dsnDiag", "dsnMta"]),
    ("changed", DAYS[2:], "b", ["vmta"]),
    ("short", DAYS, "d", ["timeQueued", "dlvSize"]),
    ("short", DAYS[1:], "b", ["bounceCat"]),
    ("short", DAYS, "t", ["dlvDestinationIp"]),
]
HOSTS = ["full", "norcpt", "notls", "changed", "short"]
DOMAINS = ["one.example", "two.example", "three.example"]


def lacks(host, day, rec, field):
    """Whether that MTA does not log a field in records of that type on that day."""
    return any(
        host == of and day in days and rec in types and field in fields
        for of, days, types, fields in NOT_LOGGED
    )


def records(host):
    """The records of an MTA, whole: what happened."""
    chance = random.Random(host)
    for day, n in itertools.product(DAYS, range(300)):
        queued = datetime.fromisoformat(f"{day}T00:10:00") + timedelta(seconds=200 * n)
        rec = chance.choices(TYPES, (70, 12, 18))[0]
        domain = chance.choice(DOMAINS)
        record = {
            "type": rec,
            "day": day,
            "host": host,
            "timeQueued": queued,
            "timeLogged": queued + timedelta(seconds=chance.randrange(1, 100)),
            "orig": f"news@s{chance.randrange(2)}.example",
            "rcpt": f"u{n}@{domain}",
            "queue": f"{domain}/v1",
            "dsnMta": f"mx.{domain} (192.0.2.9)",
            "dlvSourceIp": "198.51.100.1",
            "dlvDestinationIp": "192.0.2.9",
            "vmta": f"v{chance.randrange(3)}",
            "vmtaPool": "pool",
            "jobId": f"j{chance.randrange(4)}",
            "dlvTlsProtocol": "",
            "dlvSize": "",
            "bounceCat": "",
            "operator": False,
        }
        if rec == "d":
            record |= {
                "dsnAction": "relayed",
                "dsnStatus": "2.0.0 (success)",
                "dsnDiag": "smtp;250 2.0.0 OK",
                "dlvSize": str(chance.randrange(500, 5000)),
                "dlvTlsProtocol": chance.choice(["TLSv1.3", "TLSv1.3", ""]),
            }
        elif rec == "t":
            record |= {
                "dsnAction": "delayed",
                "dsnStatus": "4.7.0 (other or undefined security status)",
                "dsnDiag": "smtp;421 4.7.0 try again later",
                "bounceCat": "policy-related",
            }
        else:
            category, status, reply = chance.choice(
                [
                    ("bad-mailbox", "5.1.1 (bad destination mailbox address)", "smtp;550 5.1.1 No such user"),
                    ("quota-issues", "5.2.2 (mailbox full)", "smtp;552 5.2.2 Mailbox full"),
                    ("spam-related", "5.7.1 (delivery not authorized)", "smtp;550 5.7.1 Spam"),
                    ("other", "5.0.0 (undefined status)", "x-pmta;deleted by administrator"),
                    ("other", "5.0.0 (undefined status)", "x-pmta;bounce-queue;reply:550 5.7.1 Blocked"),
                ]
            )
            record |= {"dsnAction": "failed", "dsnStatus": status, "dsnDiag": reply, "bounceCat": category}
            if reply.startswith("x-pmta"):
                record |= {"dsnMta": "", "dlvDestinationIp": "", "dlvSourceIp": "0.0.0.0"}
            record["operator"] = "administrator" in reply
        yield record


def written(record):
    """A record as the MTA writes it."""
    row = dict(record)
    for time in ("timeLogged", "timeQueued"):
        row[time] = f"{record[time]:%Y-%m-%d %H:%M:%S}+0000"
    lacking = (lacks(record["host"], record["day"], record["type"], field) for field in HEADER)
    return ["" if lack else row[field] for field, lack in zip(HEADER, lacking)]


# ---- what metrics are ------------------------------------------------------------------------

CLASSES = {"bad-mailbox": "hard", "quota-issues": "soft", "spam-related": "block"}


def is_(*types):
    return lambda r: r["type"] in types and not r["operator"]


def of_class(name):
    return lambda r: r["type"] == "b" and not r["operator"] and CLASSES.get(r["bounceCat"], "undetermined") == name


def reached(r):
    return r["type"] in TYPES and r["dlvDestinationIp"] != ""


# What is counted of which records, and the fields that a record type must have for it.
COUNTS = {
    "delivered": (is_("d"), {}),
    "bounced": (is_("b"), {}),
    "sent": (is_("d", "b"), {}),
    "deferred": (is_("t"), {}),
    "hard": (of_class("hard"), {"b": ["bounceCat"]}),
    "soft": (of_class("soft"), {"b": ["bounceCat"]}),
    "block": (of_class("block"), {"b": ["bounceCat"]}),
    "undetermined": (of_class("undetermined"), {"b": ["bounceCat"]}),
    "deleted_by_operator": (lambda r: r["operator"], {}),
    "bounced_after_reply": (lambda r: r["type"] == "b" and "reply:" in r["dsnDiag"], {}),
    # By its address, or by the reply where that is not logged.
    "attempts": (reached, {"t": [("dlvDestinationIp", "dsnDiag")]}),
    "over_tls": (lambda r: r["type"] == "d" and r["dlvTlsProtocol"] != "", {"d": ["dlvTlsProtocol"]}),
    "reached_t": (lambda r: r["type"] == "t" and reached(r), {"t": [("dlvDestinationIp", "dsnDiag")]}),
}
TYPES_OF = {
    "delivered": "d",
    "bounced": "b",
    "sent": "db",
    "deferred": "t",
    "deleted_by_operator": "b",
    "bounced_after_reply": "b",
    "attempts": "dbt",
    "over_tls": "d",
    "reached_t": "t",
} | {name: "b" for name in ("hard", "soft", "block", "undetermined")}
RATES = {
    "bounce_rate": ("bounced", "sent"),
    "hard_rate": ("hard", "sent"),
    "soft_rate": ("soft", "sent"),
    "block_rate": ("block", "sent"),
    "undetermined_rate": ("undetermined", "sent"),
    "deferral_rate": ("reached_t", "attempts"),
    "tls_rate": ("over_tls", "delivered"),
}
METRICS = [
    "delivered", "bounced", "sent", "deferred", "hard", "soft", "block", "undetermined",
    "deleted_by_operator", "bounced_after_reply", "attempts", "bytes", "slowest", *RATES,
]
assert len(METRICS) == 20
FIELD_OF = {
    "rcpt_domain": "rcpt",
    "sender_domain": "orig",
    "vmta": "vmta",
    "job_id": "jobId",
}


def needs(metric):
    """The record types that a metric is of, and by type the fields that it is made of."""
    if metric == "bytes":
        return "d", {"d": ["dlvSize"]}
    if metric == "slowest":
        return "d", {"d": ["timeQueued"]}
    parts = RATES.get(metric, (metric,))
    types = "".join(TYPES_OF[part] for part in parts)
    made_of = defaultdict(list)
    for part in parts:
        for rec, fields in COUNTS[part][1].items():
            made_of[rec] += fields
    return types, made_of


def is_unknown(metric, place_of, dimensions, group):
    """Whether a metric cannot be known for a group of records of these places."""
    types, made_of = needs(metric)
    for (host, day), rec in itertools.product(place_of, types):
        for field in made_of.get(rec, []):
            either = field if isinstance(field, tuple) else (field,)
            if all(lacks(host, day, rec, field) for field in either):
                return True
        for dimension, value in zip(dimensions, group):
            field = FIELD_OF.get(dimension)
            if field and lacks(host, day, rec, field):
                # Without a value stand those too of which it is not logged: a share of these is none.
                if value != "(none)" or (metric in RATES and not all(
                    lacks(host, day, other, field) for other in types
                )):
                    return True
    return False


def value(metric, rows):
    """What a metric is of whole records."""
    if metric == "bytes":
        return sum(int(r["dlvSize"]) for r in rows if r["type"] == "d")
    if metric == "slowest":
        taken = [(r["timeLogged"] - r["timeQueued"]).total_seconds() for r in rows if r["type"] == "d"]
        return max(taken, default=None)
    if metric in RATES:
        above, below = (sum(map(COUNTS[part][0], rows)) for part in RATES[metric])
        return 100 * above / below if below else None
    return sum(map(COUNTS[metric][0], rows))


def label(record, dimension):
    """The value of a dimension, by what is logged."""
    if dimension in ("host", "day"):
        return record[dimension]
    field = FIELD_OF[dimension]
    if lacks(record["host"], record["day"], record["type"], field):
        return "(none)"
    return record[field].split("@")[-1]


def asked(all_records, dimensions, filters=()):
    """A pivot by these dimensions, and what it must say."""
    rows = [r for r in all_records if all(label(r, of) == wanted for of, wanted in filters)]
    groups = defaultdict(list)
    for record in rows:
        groups[tuple(label(record, of) for of in dimensions)].append(record)
    answer = []
    for group, members in sorted(groups.items()):
        of = dict(zip(dimensions, group)) | dict(filters)
        places = [
            (host, day)
            for host, day in itertools.product(HOSTS, DAYS)
            if of.get("host", host) == host and of.get("day", day) == day
        ]
        named = [*dimensions, *(name for name, _ in filters)]
        values = [*group, *(wanted for _, wanted in filters)]
        answer.append(list(group) + [
            None if is_unknown(metric, places, named, values) else value(metric, members)
            for metric in METRICS
        ])
    args = ["pivot", "--rows", ",".join(dimensions), "--metric", ",".join(METRICS), "--top", "0"]
    for name, wanted in filters:
        option = {"host": "--host", "rcpt_domain": "--domain", "vmta": "--vmta", "job_id": "--job"}[name]
        args += [option, wanted]
    return {"args": args, "keys": list(dimensions), "metrics": METRICS, "rows": answer}


def main(folder):
    everything = []
    for host in HOSTS:
        own = sorted(records(host), key=lambda r: r["timeLogged"])
        everything += own
        with open(f"{folder}/acct-{host}.csv", "w", encoding="ascii", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(HEADER)
            lines.writerows(map(written, own))
    json.dump(
        [
            asked(everything, ["host"]),
            asked(everything, ["day"]),
            asked(everything, ["host", "day"]),
            asked(everything, ["rcpt_domain"]),
            asked(everything, ["host", "rcpt_domain"]),
            asked(everything, ["host", "vmta"]),
            asked(everything, ["host", "job_id"]),
            asked(everything, ["host", "day", "vmta"]),
            asked(everything, ["sender_domain"]),
            asked(everything, ["day"], [("rcpt_domain", "one.example")]),
            asked(everything, ["day"], [("host", "changed"), ("vmta", "v1")]),
            asked(everything, ["vmta"], [("host", "full")]),
        ],
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1])
