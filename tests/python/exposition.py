"""Reads the text format of Prometheus with its own Python parser and prints what it found as JSON.

Usage: exposition.py FILE
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = {}
with open(sys.argv[1], encoding="utf-8") as file:
    for family in text_string_to_metric_families(file.read()):
        if family.name in families:
            sys.exit(f"{family.name} comes twice")
        samples = [[sample.name, sample.labels, sample.value] for sample in family.samples]
        seen = [(name, tuple(sorted(labels.items()))) for name, labels, _ in samples]
        if len(set(seen)) < len(seen):
            sys.exit(f"{family.name} has a sample twice")
        families[family.name] = {
            "type": family.type,
            "help": family.documentation,
            "samples": samples,
        }
print(json.dumps(families))
