"""What the tests of packages share: the packages of target/dist, and bare systems to put them on.

Root, debootstrap, lintian, rpm, systemd-analyze and buildah are needed, and qemu for packages of another machine;
`make test-dist` sees to that.
"""

import pathlib
import platform
import re
import resource
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIST = ROOT / "target/dist"
MACHINE = platform.machine()
# The oldest first: what a registry has no more is passed over.
SUITES = ["bullseye", "bookworm"]


def run(*command, **options):
    """Runs a command; returns what it printed, or fails with all that it said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def one(pattern):
    """The only file of target/dist that the pattern means."""
    found = list(DIST.glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}; make dist"
    return found[0]


def first_report(pmtaq, folder):
    """Ingests the samples and asks; an empty environment, and a folder for the store."""
    options = dict(cwd=folder, env={"PMTAQ_ETC": str(folder / "etc"), "HOME": str(folder)})
    said = run(pmtaq, "ingest", "--format", "json", "--store", "store", ROOT / "samples/acct", **options)
    table = run(pmtaq, "top-bounces", "--store", "store", "--since", "2026-03-01", **options)
    assert '"read":6000,"stored":6000' in said and "550" in table


class System:
    """A bare Debian in a folder, without a running systemd."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return self.folder / name.lstrip("/")

    def run_beside(self, *command):
        """Runs a command of this system, while the other one has its /proc."""
        mounted = ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.folder}/proc"]
        return run(*mounted, *command)

    def run(self, *command, user=None):
        """Runs a command in it with an empty environment, as a service has it."""
        become = ["runuser", "-u", user, "--"] if user else []
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return self.run_beside("chroot", self.folder, "env", "-i", path, *become, *command)

    def put(self, source, name):
        """Copies a file into it."""
        to = self.path(name)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to)

    def install(self, package):
        """Installs a .deb as an administrator does."""
        self.put(package, f"/tmp/{package.name}")
        self.run(
            "env", "DEBIAN_FRONTEND=noninteractive",
            "apt-get", "-o", "Dpkg::Use-Pty=0", "install", "-y", f"/tmp/{package.name}",
        )


@pytest.fixture(scope="session")
def bare():
    """The folder of a bare Debian, kept for the next run."""
    for suite in SUITES:
        folder = DIST / suite
        if (folder / "complete").exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", "--include=systemd", suite, str(folder)]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0:
            (folder / "complete").touch()
            return folder
    pytest.fail(f"debootstrap makes none of {SUITES}")


@pytest.fixture
def system(bare, tmp_path):
    """A bare Debian of the test's own."""
    folder = tmp_path / "system"
    run("cp", "--archive", "--reflink=auto", bare, folder)
    yield System(folder)
    shutil.rmtree(folder, ignore_errors=True)


def commands_of_units(folder):
    """For each service in the folder, what it runs."""
    return {
        unit.stem: re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M)[1].split()
        for unit in folder.glob("pmtaq-*.service")
    }


@pytest.fixture
def within_a_minute():
    """Nobody waits longer for the first report: of a processor's time, since others may use it too."""

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    yield
    assert used() - before < 60
