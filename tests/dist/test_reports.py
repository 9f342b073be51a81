"""Every tarball, for this machine or by qemu for another one, prints the reports that the program's own tests expect."""

import re
import shlex
import subprocess
import tarfile

import pytest
from conftest import DIST, MACHINE, ROOT, run

TARBALLS = sorted(DIST.glob("pmtaq-*.tar.gz"))
EXPECTED = sorted((ROOT / "tests/reports").glob("*.txt"))
# As the program's tests run it; see tests/sealed.rs.
CLOCK = ["--now", "2026-03-05T12:00:00Z", "--threads", "2"]


def program(tarball, folder):
    """Unpacks it; returns the words that start its program."""
    with tarfile.open(tarball) as archive:
        archive.extractall(folder)
    [unpacked] = folder.iterdir()
    machine = re.search(r"-([a-z0-9_]+)-unknown-linux-gnu", unpacked.name)[1]
    emulator = [] if machine == MACHINE else [f"qemu-{machine}", "-L", f"/usr/{machine}-linux-gnu"]
    return [*emulator, unpacked / "bin/pmtaq"]


def commands():
    """For each report that tests/reports has as it was asked for: the words of the question and the whole answer."""
    texts = [path.read_text() for path in EXPECTED]
    return [text.removeprefix("$ pmtaq ").split("\n", 1) for text in texts if text.startswith("$ pmtaq ")]


@pytest.mark.parametrize("tarball", TARBALLS, ids=lambda path: path.name)
def test_a_tarball_prints_all_reports_as_they_are_expected(tarball, tmp_path):
    pmtaq = program(tarball, tmp_path / "unpacked")
    options = dict(cwd=ROOT, env={"PMTAQ_ETC": str(tmp_path / "etc"), "PMTAQ_STORE": str(tmp_path / "store")})
    run(*pmtaq, *CLOCK, "ingest", "--quiet", "--host", "testmta", "samples/acct", **options)
    run(*pmtaq, *CLOCK, "verify", **options)
    asked = commands()
    assert len(asked) > 30
    for words, answer in asked:
        command = [str(word) for word in (*pmtaq, *CLOCK, *shlex.split(words))]
        done = subprocess.run(command, capture_output=True, text=True, **options)
        assert f"{done.stdout}--- stderr\n{done.stderr}--- exit {done.returncode}\n" == answer, words
    page = run(*pmtaq, *CLOCK, "report", "-", "--since", "2026-03-01", "--until", "2026-03-04", **options)
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
