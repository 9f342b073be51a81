"""recount.py FILE...: counts the rows of PowerMTA accounting files by Python's csv module.

An independent reader, written from the format's description and not from pmtaq's parser: where the
two disagree, one of them is wrong. It reads .csv and .csv.gz, and prints
{"counts": ..., "rejected": n}, with the counts in the shape of counts.py.
"""

import csv
import gzip
import re
import sys
from collections import Counter
from datetime import datetime, timedelta

import counts

RECORDS = {
    "d": ("d", "delivery", "delivered"),
    "b": ("b", "bounce", "bounced"),
    "t": ("t", "transient"),
    "tq": ("tq", "transient-queue"),
    "r": ("r", "receipt", "received"),
    "rb": ("rb", "remote-bounce"),
    "rs": ("rs", "remote-status"),
    "f": ("f", "feedback-loop"),
}
RECORD_OF = {spelling: rec for rec, spellings in RECORDS.items() for spelling in spellings}

EPOCH = datetime(1970, 1, 1)
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)")
US = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)(Z|[+-]\d\d:?\d\d)")
UNIX = re.compile(r"-?\d+")


class Refused(ValueError):
    """A row that no reader could place: it is counted as rejected."""


def utc_day(text):
    """Returns the UTC day of a time in one of the three spellings, as YYYY-MM-DD."""
    if UNIX.fullmatch(text):
        return str((EPOCH + timedelta(seconds=int(text))).date())
    if match := ISO.fullmatch(text):
        year, month, day, *clock, offset = match.groups()
    elif match := US.fullmatch(text):
        month, day, year, *clock, offset = match.groups()
    else:
        raise Refused(f"not a time: {text!r}")
    local = datetime(int(year), int(month), int(day), *map(int, clock))
    return str((local - minutes_of(offset)).date())


def minutes_of(offset):
    """Returns the offset from UTC, such as -0330, as a timedelta."""
    if offset == "Z":
        return timedelta(0)
    digits = offset[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -ahead if offset[0] == "-" else ahead


def tail(address):
    """Returns what follows the last @, "" if there is none.

    A quoted local part may hold an @, a domain never does: the last one separates them.
    """
    return address.rpartition("@")[2] if "@" in address else ""


def domain(name):
    """Returns a domain in lower case and in ASCII (IDN as A-label, by the rules of IDNA 2003)."""
    name = name.rstrip("> ").rstrip(".").lower()
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


class Columns:
    """Where the header in force has the fields that are counted."""

    def __init__(self, header):
        header = [name.strip() for name in header]
        self.width = len(header)
        at = {name: header.index(name) for name in reversed(header)}
        self.rec = at["#type" if "#type" in at else "type"]
        self.time, self.orig, self.rcpt = at["timeLogged"], at.get("orig"), at.get("rcpt")
        self.vmta, self.bounce_cat = at.get("vmta"), at.get("bounceCat")


def lines_of(path):
    """Opens a file as text; bytes that are not UTF-8 are replaced, so that no row is lost."""
    open_file = gzip.open if path.endswith(".gz") else open
    return open_file(path, "rt", encoding="utf-8-sig", errors="replace", newline="")


class Recount:
    """The running counts over all files."""

    def __init__(self):
        self.day_rec = Counter()
        self.by_key = {key: Counter() for key in counts.KEYS}
        self.rejected = 0
        # The same texts come again and again; the caches make a million rows a matter of seconds.
        self.days, self.domains = {}, {}

    def file(self, path):
        """Counts one file."""
        columns = None
        with lines_of(path) as lines:
            for row in csv.reader(lines):
                if not row:
                    continue
                if columns is None or row[0] in ("type", "#type"):
                    columns = Columns(row)
                    continue
                try:
                    self.row(columns, row)
                except (Refused, OverflowError, ValueError):
                    self.rejected += 1

    def row(self, columns, row):
        """Counts one row, or raises ValueError and counts nothing of it."""
        if len(row) > columns.width:
            raise Refused("more fields than the header names")

        def field(at):
            return row[at] if at is not None and at < len(row) else ""

        rec = RECORD_OF.get(field(columns.rec))
        if rec is None:
            raise Refused(f"no such record type: {field(columns.rec)!r}")
        text = field(columns.time)
        if text not in self.days:
            self.days[text] = utc_day(text)
        self.day_rec[self.days[text], rec] += 1
        for key, at in (("rcpt_domain", columns.rcpt), ("sender_domain", columns.orig)):
            name = tail(field(at))
            if name not in self.domains:
                self.domains[name] = domain(name)
            self.by_key[key][self.domains[name]] += 1
        self.by_key["vmta"][field(columns.vmta)] += 1
        self.by_key["bounce_cat"][field(columns.bounce_cat)] += 1


def main(paths):
    """Counts the files and prints the answer."""
    csv.field_size_limit(1 << 30)
    recount = Recount()
    for path in paths:
        recount.file(path)
    by_key = {key: counter.items() for key, counter in recount.by_key.items()}
    counts.show(
        {
            "counts": counts.shape(recount.day_rec.items(), by_key),
            "rejected": recount.rejected,
        }
    )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    main(sys.argv[1:])
