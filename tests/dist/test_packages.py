"""The .deb and the .rpm: what they hold, and that they work on a bare system from install to purge."""

import re
import subprocess

import pytest
from conftest import MACHINE, ROOT, commands_of_units, one, run

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[MACHINE]
UNITS = ["alert", "doctor", "ingest", "metrics", "prune"]


@pytest.fixture
def deb():
    return one(f"pmtaq_*_{ARCH}.deb")


@pytest.fixture
def rpm():
    return one(f"pmtaq-*.{MACHINE}.rpm")


def test_lintian_finds_no_error(deb):
    done = subprocess.run(["lintian", "--fail-on", "error", str(deb)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_deb_works_from_install_to_purge(system, deb, tmp_path):
    system.install(deb)
    assert "pmtaq" in system.run("id", "pmtaq")
    assert system.run("stat", "--format=%U:%G %a", "/var/lib/pmtaq").strip() == "pmtaq:pmtaq 750"
    assert "DuckDB" in system.run("pmtaq", "--version")
    # An administrator lets pmtaq read what PowerMTA writes.
    system.run("groupadd", "--system", "pmta")
    system.run("usermod", "--append", "--groups", "pmta", "pmtaq")
    for source in (ROOT / "samples/acct").iterdir():
        name = f"/var/spool/pmta-acct/{source.name}"
        system.put(source, name)
        system.run("chown", "root:pmta", name)
        system.run("chmod", "640", name)

    commands = commands_of_units(system.path("/usr/lib/systemd/system"))
    assert sorted(commands) == [f"pmtaq-{name}" for name in UNITS]
    as_service = lambda name: system.run(*commands[f"pmtaq-{name}"], user="pmtaq")
    assert as_service("ingest") == ""
    assert "6000 rows" in system.run("pmtaq", "status"), "root asks the store that the service fills"
    assert "550" in system.run("pmtaq", "top-bounces", "--since", "2026-03-01", user="pmtaq")
    assert as_service("metrics") == ""
    assert system.path("/var/lib/pmtaq-metrics/pmtaq.prom").stat().st_size > 1000

    # What was edited stays, and the store is still there.
    settings = system.path("/etc/pmtaq.toml")
    settings.write_text(settings.read_text() + "# mine\n")
    system.install(newer(deb, tmp_path))
    assert settings.read_text().endswith("# mine\n")
    assert "6000 rows" in system.run("pmtaq", "status", user="pmtaq")

    # Its packages gone, nothing is left but the store, its folder and the user that owns it.
    system.run("apt-get", "remove", "-y", "pmtaq")
    assert settings.exists() and not system.path("/usr/bin/pmtaq").exists()
    said = system.run("apt-get", "purge", "-y", "pmtaq")
    assert "the store is left in /var/lib/pmtaq" in said
    left = system.run("find", "/etc", "/usr", "/var", "-xdev", "-name", "*pmtaq*").split()
    assert [path for path in left if not path.startswith(("/var/lib/pmtaq/", "/var/lib/dpkg", "/var/log"))] == ["/var/lib/pmtaq"]


def newer(deb, folder):
    """The same package with a later version."""
    run("dpkg-deb", "--raw-extract", deb, folder / "newer")
    control = folder / "newer/DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1.1", control.read_text(), flags=re.M))
    made = folder / "pmtaq_newer.deb"
    run("dpkg-deb", "-Znone", "--build", folder / "newer", made)
    return made


def test_a_deb_makes_its_user_where_there_is_no_systemd_too(system, deb):
    for tool in ("systemd-sysusers", "systemd-tmpfiles"):
        for found in (f"/bin/{tool}", f"/usr/bin/{tool}"):
            if not system.path("/bin").is_symlink() or found.startswith("/usr"):
                system.path(found).unlink(missing_ok=True)
    system.install(deb)
    assert system.run("stat", "--format=%U:%G %a", "/var/lib/pmtaq").strip() == "pmtaq:pmtaq 750"


def test_systemd_finds_nothing_to_say_of_the_units_and_little_to_fear(system, deb):
    system.install(deb)
    units = [f"pmtaq-{name}.service" for name in UNITS]
    timers = [f"pmtaq-{name}.timer" for name in UNITS]
    done = subprocess.run(
        ["systemd-analyze", f"--root={system.folder}", "--man=no", "verify", *units, *timers],
        capture_output=True, text=True,
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "pmtaq" in line]
    assert ours == [] and done.returncode == 0, done.stdout + done.stderr
    for unit in units:
        text = system.path(f"/usr/lib/systemd/system/{unit}").read_text()
        page = re.search(r"^Documentation=man:(.*)\(1\)$", text, re.M)[1]
        assert system.path(f"/usr/share/man/man1/{page}.1.gz").is_file()
        table = run("systemd-analyze", f"--root={system.folder}", "security", "--offline=true", "--threshold=29", "--no-pager", unit)
        assert re.search(r"Overall exposure level for \S+: [0-2]\.\d", table), table


def test_both_kinds_of_packages_hold_the_same(deb, rpm, tmp_path):
    run("dpkg-deb", "--extract", deb, tmp_path / "deb")
    (tmp_path / "rpm").mkdir()
    run("sh", "-c", f"rpm2cpio '{rpm}' | cpio --quiet --extract --make-directories", cwd=tmp_path / "rpm")
    files = {}
    for kind in ("deb", "rpm"):
        folder = tmp_path / kind
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        files[kind] = {name.replace("vendor-completions", "site-functions"): path.read_bytes() for name, path in found.items()}
    only_in_deb = {"usr/share/doc/pmtaq/changelog.Debian.gz"}
    assert set(files["deb"]) - set(files["rpm"]) == only_in_deb
    assert set(files["rpm"]) <= set(files["deb"])
    differ = [name for name, content in files["rpm"].items() if files["deb"][name] != content]
    assert differ == []
    assert_complete(tmp_path / "deb")


def assert_complete(root):
    doc = root / "usr/share/doc/pmtaq"
    for name in ["copyright", "LICENSE", "THIRD-PARTY.txt", "CHANGELOG.md", "README.md", "docs/install.md", "packaging/pmtaq.cron"]:
        assert (doc / name).is_file(), name
    assert "DuckDB Foundation" in (doc / "THIRD-PARTY.txt").read_text()
    for page in doc.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page}: {link}"
    assert (root / "usr/share/bash-completion/completions/pmtaq").stat().st_size > 100
    assert (root / "usr/share/fish/vendor_completions.d/pmtaq.fish").stat().st_size > 100
    assert (root / "usr/share/zsh/vendor-completions/_pmtaq").read_text().startswith("#compdef pmtaq")
    pages = [path.name for path in (root / "usr/share/man/man1").iterdir()]
    assert "pmtaq-ingest.1.gz" in pages and not [name for name in pages if "help" in name]


def test_an_rpm_is_sound_and_says_what_it_needs(rpm):
    ask = lambda *what: run("rpm", "--query", "--package", *what, rpm)
    assert "digests OK" in run("rpm", "--checksig", "--nosignature", rpm)
    assert "glibc >= 2.25" in ask("--requires")
    assert ask("--configfiles").split() == ["/etc/pmtaq.toml"]
    assert "systemd-sysusers pmtaq.conf" in ask("--scripts")
    tags = ask("--queryformat", "%{LICENSE}|%{URL}|%{SUMMARY}|%{ARCH}")
    assert tags.startswith("Apache-2.0|https://") and tags.endswith(MACHINE)
    assert ask("--changelog").strip()


def test_an_rpm_is_installed_by_rpm_and_removed(system, rpm):
    system.path("/var/lib/rpm").mkdir(parents=True, exist_ok=True)
    # Debian's libraries are those it needs, though no rpm has brought them.
    system.run_beside("rpm", f"--root={system.folder}", "--nodeps", "--install", rpm)
    assert "DuckDB" in system.run("pmtaq", "--version")
    assert system.run("stat", "--format=%U:%G %a", "/var/lib/pmtaq").strip() == "pmtaq:pmtaq 750"
    system.run_beside("rpm", f"--root={system.folder}", "--erase", "pmtaq")
    assert not system.path("/usr/bin/pmtaq").exists()
    assert system.path("/var/lib/pmtaq").is_dir()
