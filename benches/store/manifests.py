"""The lists of a store, as docs/format.md describes them, read and written with their checksums."""

import json

import xxhash


def read(path):
    manifest = json.loads(path.read_text())
    del manifest["checksum"]
    return manifest


def write(path, manifest):
    path.parent.mkdir(parents=True, exist_ok=True)
    rest = json.dumps(manifest, separators=(",", ":")).encode()[1:]
    path.write_bytes(b'{"checksum":"%s",\n' % xxhash.xxh3_128_hexdigest(rest).encode() + rest)


def lists(store, day, of):
    """The parts and the sources of a day, of which the root says `of`."""
    folder = store / f"_pmtaq/days/{day}"
    return [read(folder / f"{name}-{of[name]}.json")["entries"] for name in ("parts", "sources")]
