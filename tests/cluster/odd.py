"""Writes accounting records of which each is odd in some way: odd.py FILE

Fields that are missing, quotes and backslashes, texts beyond ASCII, sizes near the largest, times around a change of
the clock (2026-03-29 01:00 UTC in Europe, 2025-10-26), two at the same moment, and before they were queued.
"""

import csv
import itertools
import sys

FIELDS = (
    "type timeLogged timeQueued orig rcpt dsnAction dsnStatus dsnDiag dsnMta bounceCat srcType dlvSourceIp "
    "dlvDestinationIp dlvSize vmta vmtaPool jobId envId queue dlvTlsProtocol dlvTlsCipher header_X-Campaign userString"
).split()
TIMES = [
    "2026-03-29 00:59:59+0000", "2026-03-29 01:00:00+0000", "2026-03-29 01:30:00+0000",
    "2025-10-26 00:30:00+0000", "2025-10-26 01:30:00+0000", "2026-03-01 23:59:59+0000",
    "2026-02-28 00:00:00+0000", "2026-03-02 12:34:56+0000",
]
TEXTS = ["", "it's", 'say "no"', "back\\slash", "tab\there", "%_*?[]", "\u2603 snow", "\U0001f4a9", "e\u0301", "NULL", "a,b", "0", "x" * 300]
SIZES = ["", "0", "1", "9223372036854", "2147483648"]
DIAGS = [
    "", "smtp;550 5.1.1 <a@b.c>... User unknown", "smtp;421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred",
    "smtp;552 5.2.2 mailbox \"full\" 100% of quota\\", "x-pmta;bounce-queue", "smtp;550 5.7.1 \U0001f6ab spam (S3140)",
]
CATEGORIES = ["", "bad-mailbox", "spam-related", "quota-issues", "our-own", "other"]
KINDS = ["d", "b", "t", "r", "rb", "f", "tq", "rs"]
PROTOCOLS = [("", ""), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"), ("TLSv1", "RC4-MD5"), ("TLSv1.2", "AES128-SHA"), ("SSLv3", "NULL")]


def pick(values, n):
    return values[n % len(values)]


def rows():
    for n, (kind, text) in enumerate(itertools.product(KINDS, TEXTS * 12)):
        protocol, cipher = pick(PROTOCOLS, n // 3)
        local = (text or "nobody").replace(",", "").replace('"', "").replace("\t", "")[:60]
        yield [
            kind, pick(TIMES, n), pick(["", *TIMES], n // 7), pick(["", f"{text}@sender.example", "a@s.example"], n // 2),
            f"{local}{n % 9}@{pick(['gmail.com', 'gmail.com', 'yahoo.com', 'odd.example', 'b' * 60 + '.example'], n // 5)}",
            pick(["", "relayed", "failed", "delayed"], n), pick(["", "5.1.1", "4.0.0 (undefined status)"], n),
            pick(DIAGS, n // 4), pick(["", "mx.gmail.com (1.2.3.4)"], n), pick(CATEGORIES, n // 3), pick(["", "smtp"], n),
            pick(["", "10.0.0.1", "10.0.0.2"], n // 4), pick(["", "1.2.3.4"], n // 2), pick(SIZES, n // 3),
            pick(["", text, "mta1"], n // 6), pick(["", "mta1", "pool"], n // 8), pick(["", text, "job-1"], n // 5),
            pick(["", f"env{n % 31}"], n // 2), pick(["", "gmail.com/mta1"], n), protocol, cipher, pick([text, ""], n // 9),
            pick(["mta1", "mta2"], n // 50),
        ]


def main():
    with open(sys.argv[1], "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(FIELDS)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
