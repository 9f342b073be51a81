"""What each of the files is: the binary and its library, the checksums, the wheel, the tarball."""

import re
import subprocess
import sys
import tarfile
import zipfile

import pytest
from conftest import DIST, MACHINE, first_report, one, run

# What RHEL 8 and Debian 10 have.
OLDEST_GLIBC = (2, 28)
PROGRAMS = list(DIST.glob("*-linux-gnu/pmtaq-*/bin/pmtaq"))
# With DuckDB in it, where `make dist-static` has made one.
WHOLE = list(DIST.glob("*-linux-gnu-static/pmtaq-*/bin/pmtaq"))
BINARIES = PROGRAMS + WHOLE + list(DIST.glob("*-linux-gnu/pmtaq-*/lib/pmtaq/libduckdb.so"))


def version(text):
    return tuple(int(part) for part in text.split("."))


def needed(binary, library):
    """The newest version of a library that a binary asks for."""
    asked = re.findall(rf"Name: {library}_([0-9.]+)", run("readelf", "--version-info", binary))
    return max(map(version, asked), default=(0,))


def test_something_was_made():
    assert len(BINARIES) >= 2, "make dist"


@pytest.mark.parametrize("binary", BINARIES, ids=lambda path: str(path.relative_to(DIST)))
def test_a_binary_runs_on_an_old_system_and_is_stripped(binary):
    assert needed(binary, "GLIBC") <= OLDEST_GLIBC
    assert needed(binary, "GLIBCXX") <= (3, 4, 22)
    assert ".symtab" not in run("readelf", "--section-headers", "--wide", binary)
    header = run("readelf", "--file-header", binary)
    machine = binary.relative_to(DIST).parts[0].split("-")[0]
    assert {"x86_64": "X86-64", "aarch64": "AArch64"}[machine] in header


@pytest.mark.parametrize("program", PROGRAMS + WHOLE, ids=lambda path: str(path.relative_to(DIST)))
def test_a_program_looks_for_duckdb_beside_it_and_nowhere_else_or_has_it_in_itself(program):
    dynamic = run("readelf", "--dynamic", "--wide", program)
    of_glibc = r"(ld-linux-.*|lib(c|m|pthread|dl|rt|util|resolv))\.so\.\d"
    others = [name for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic) if not re.fullmatch(of_glibc, name)]
    paths = re.findall(r"R(?:UN)?PATH.*\[(.*)\]", dynamic)
    assert (others, paths) == (([], []) if program in WHOLE else (["libduckdb.so"], ["$ORIGIN/../lib/pmtaq"]))


def test_checksums_are_right_and_cover_all_files():
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=DIST)
    listed = {line.split()[-1] for line in (DIST / "SHA256SUMS").read_text().splitlines()}
    files = [path.name for path in DIST.iterdir() if path.is_file() and path.name != "SHA256SUMS"]
    assert listed == set(files)


def test_the_version_says_commit_target_engine_and_format():
    said = run(one(f"{MACHINE}-unknown-linux-gnu/pmtaq-*/bin/pmtaq"), "--version")
    for line in [r"pmtaq \d+\.\d+\.\d+", r"commit  [0-9a-f]{12}", rf"target  {MACHINE}-", r"engine  DuckDB v\d", r"format  \d"]:
        assert re.search(f"^{line}", said, re.M), said


def test_the_wheel_is_installed_and_answers_within_a_minute(tmp_path, within_a_minute):
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/pip", "install", "--no-index", "--quiet", one(f"*_{MACHINE}.whl"))
    pmtaq = tmp_path / "venv/bin/pmtaq"
    assert pmtaq.read_bytes()[:4] == b"\x7fELF", "no Python starts the program"
    first_report(pmtaq, tmp_path)
    found = "import pmtaq; from pmtaq import _program; print(_program.find())"
    assert run(tmp_path / "venv/bin/python", "-c", found, env={}).strip() == str(pmtaq)


def test_a_wheel_in_a_prefix_answers_and_one_by_target_says_what_it_lacks(tmp_path):
    pip = ["-m", "pip", "install", "--no-index", "--quiet", "--no-warn-script-location"]
    wheel = one(f"*_{MACHINE}.whl")
    version = "from pmtaq import _program; print(_program.run(['--version'])[0].decode())"
    run(sys.executable, *pip, "--prefix", tmp_path / "prefix", wheel)
    [package] = (tmp_path / "prefix").glob("lib/python3*/site-packages")
    said = run(sys.executable, "-c", version, env={"PYTHONPATH": str(package)})
    assert "engine  DuckDB" in said
    run(sys.executable, *pip, "--target", tmp_path / "target", wheel)
    done = subprocess.run(
        [sys.executable, "-c", version], env={"PYTHONPATH": str(tmp_path / "target")},
        capture_output=True, text=True,
    )
    assert done.returncode == 1 and "install into an environment, or with --prefix" in done.stderr, done


def test_the_wheel_says_what_it_needs_and_carries_its_licences():
    wheel = one(f"*_{MACHINE}.whl")
    glibc = version(re.search(r"manylinux_(\d+_\d+)_", wheel.name)[1].replace("_", "."))
    assert max(needed(binary, "GLIBC") for binary in BINARIES) <= glibc <= OLDEST_GLIBC
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert "Requires-Python: >=3.9" in metadata and "License-Expression: Apache-2.0" in metadata
    assert not re.findall(r"\]\((?!https?:|#)", metadata), "a link that leads nowhere"
    assert any(name.endswith("THIRD-PARTY.txt") for name in names)
    assert "pmtaq/__init__.py" in names and "pmtaq/py.typed" in names


def test_the_tarball_is_unpacked_and_answers_within_a_minute(tmp_path, within_a_minute):
    tarball = one(f"*-{MACHINE}-unknown-linux-gnu.tar.gz")
    with tarfile.open(tarball) as archive:
        archive.extractall(tmp_path)
    pmtaq = tmp_path / tarball.name.removesuffix(".tar.gz") / "bin/pmtaq"
    first_report(pmtaq, tmp_path)


def test_a_tarball_is_the_same_whoever_makes_it():
    with tarfile.open(one(f"*-{MACHINE}-unknown-linux-gnu.tar.gz")) as archive:
        members = archive.getmembers()
    assert {(member.uid, member.gid) for member in members} == {(0, 0)}
    assert len({member.mtime for member in members}) == 1
    assert all(member.mode & 0o022 == 0 for member in members)
