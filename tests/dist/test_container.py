"""The Containerfile, built without a daemon and without a registry: the image that it begins with is a bare Debian."""

import json
import re
import shutil

import pytest
from conftest import DIST, MACHINE, ROOT, one, run


@pytest.fixture
def buildah(tmp_path):
    """Runs buildah over images of the test's own; layers are copies, since root may not mount here."""
    where = ["--root", tmp_path / "images", "--runroot", tmp_path / "runs", "--storage-driver", "vfs"]
    yield lambda *words: run("buildah", *where, *words)
    shutil.rmtree(tmp_path / "images", ignore_errors=True)


def test_a_container_ingests_and_answers_as_its_user(bare, buildah, tmp_path):
    containerfile = DIST / "Containerfile"
    [debian] = set(re.findall(r"^FROM (\S+)", containerfile.read_text(), re.M))
    run("tar", "--create", "--file", tmp_path / "bare.tar", "--directory", bare, ".")
    empty = buildah("from", "scratch").strip()
    buildah("add", empty, tmp_path / "bare.tar", "/")
    buildah("commit", "--rm", empty, debian)

    tarball = one(f"*-{MACHINE}-unknown-linux-gnu.tar.gz")
    context = tmp_path / "context"
    context.mkdir()
    for file in (containerfile, tarball):
        shutil.copy(file, context)
    buildah("build", "--isolation", "chroot", "--pull-never", "--build-arg", f"TARBALL={tarball.name}", "--tag", "pmtaq", context)

    config = json.loads(buildah("inspect", "--type", "image", "pmtaq"))["OCIv1"]["config"]
    assert config["Entrypoint"] == ["pmtaq"] and config["User"] == "65532:65532"
    assert list(config["Volumes"]) == ["/var/lib/pmtaq"]
    made = buildah("from", "--pull-never", "pmtaq").strip()
    samples = f"{ROOT / 'samples/acct'}:/var/log/pmta:ro"
    in_it = lambda *words: buildah("run", "--isolation", "chroot", "--volume", samples, made, "--", *words)
    assert in_it("id", "-u").strip() == "65532"
    said = in_it("pmtaq", "ingest", "--format", "json", "/var/log/pmta")
    assert '"read":6000,"stored":6000' in said
    in_it("pmtaq", "verify")
    assert "550" in in_it("pmtaq", "top-bounces", "--since", "2026-03-01")
    # Who passes the image on passes these on with it.
    licences = in_it("cat", "/usr/local/share/doc/pmtaq/LICENSE", "/usr/local/share/doc/pmtaq/THIRD-PARTY.txt")
    assert "Apache License" in licences and "DuckDB Foundation" in licences
