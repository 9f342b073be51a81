"""Finds the program `pmtaq`, runs it, and turns what went wrong into exceptions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

ERROR = "pmtaq: error: "
WARNING = "pmtaq: warning: "
HINT = "hint: "


class Error(Exception):
    """What the program could not do. `hint` says what helps, where it knows that."""

    def __init__(self, message: str, hint: str | None = None, exit_code: int | None = None):
        super().__init__(f"{message}\n{HINT}{hint}" if hint else message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class UsageError(Error):
    """An argument, a name or a setting is wrong, or there is no store in the folder."""


class StoreError(Error):
    """The store is locked by another writer, or cannot be read."""


def find() -> str:
    """Returns the path of the program: PMTAQ_BIN, that of the same wheel, or that of PATH."""
    if named := os.environ.get("PMTAQ_BIN"):
        return named
    schemes = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")]
    folders = [Path(folder) for folder in schemes]
    # Of `pip install --target`, and of `--prefix`.
    package = Path(__file__).resolve().parent
    folders += [package.parent / "bin", *(parent / "bin" for parent in list(package.parents)[3:4])]
    for folder in folders:
        if (folder / "pmtaq").is_file():
            return str(folder / "pmtaq")
    if found := shutil.which("pmtaq"):
        return found
    raise Error("the program `pmtaq` is not there", "install the wheel, or name it by PMTAQ_BIN")


def _check_library(program: str, said: Sequence[str]) -> None:
    """Says why the program cannot find its library, where the loader said that it cannot."""
    if any("libduckdb.so: cannot open shared object file" in line for line in said):
        raise Error(
            f"{program} does not find its library in ../lib/pmtaq",
            "`pip install --target` leaves it out: install into an environment, or with --prefix",
        )


def run(
    arguments: Sequence[str], fine: Collection[int] = (0,), program: str | None = None
) -> tuple[bytes, list[str]]:
    """Runs the program; returns what it wrote, and what it noted beside that.

    `fine` are the exit codes of an answer. Days that an answer is without are a warning of Python.
    """
    program = program or find()
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True)
    notes = done.stderr.decode(errors="replace").splitlines()
    if done.returncode == 127:
        _check_library(program, notes)
    is_incomplete = done.returncode == 3 and not any(line.startswith(ERROR) for line in notes)
    if done.returncode not in fine and not is_incomplete:
        raise failure(done.returncode, notes)
    for line in notes:
        if line.startswith(WARNING):
            warnings.warn(line[len(WARNING) :], stacklevel=4)
    return done.stdout, [line for line in notes if not line.startswith(WARNING)]


def failure(exit_code: int, lines: list[str]) -> Error:
    """Returns the exception for what a run that failed has said."""
    hints = [line[len(HINT) :] for line in lines if line.startswith(HINT)]
    said = [line for line in lines if not line.startswith(HINT)]
    first = next((at for at, line in enumerate(said) if "error: " in line), 0)
    text = "\n".join(said[first:]).strip()
    message = text.partition("error: ")[2] or text or f"pmtaq ended with exit code {exit_code}"
    kind = {2: UsageError, 3: StoreError}.get(exit_code, Error)
    return kind(message, "\n".join(hints) or None, exit_code)
