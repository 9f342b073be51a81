"""The counts that the cross-reader tests compare, and their one JSON shape.

Knows nothing of accounting files or Parquet: recount.py and readers.py feed it.
"""

import json
import sys

# The columns that are counted value by value. A missing value counts as "".
KEYS = ("rcpt_domain", "vmta", "bounce_cat", "sender_domain")


def shape(day_rec, by_key):
    """Returns {"rows", "day_rec": {day: {rec: n}}, <key>: {value: n}} from pairs (values, n)."""
    counts = {"rows": 0, "day_rec": {}, **{key: {} for key in KEYS}}
    for (day, rec), n in day_rec:
        counts["rows"] += n
        days = counts["day_rec"].setdefault(str(day), {})
        days[rec] = days.get(rec, 0) + n
    for key in KEYS:
        values = counts[key]
        for value, n in by_key[key]:
            value = "" if value is None else value
            values[value] = values.get(value, 0) + n
    return counts


def show(answer):
    """Prints an answer as JSON, with the keys in order, so that two answers compare as text."""
    json.dump(answer, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
