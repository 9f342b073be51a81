#!/usr/bin/env python3
"""tab.py SHELL FOLDER HOME CASES: presses Tab in a real shell, as a person does.

FOLDER has the program, HOME is where the shell runs, CASES is JSON: a list of what is typed before Tab, a
pattern of the line that must be shown then, and, where the line is to be run, a pattern of what it prints.
It ends with 0 when all was shown, and else says what was not.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import time

import pyte

WAIT_S = 60
WIDTH, HEIGHT = 200, 60
SETUP = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "PS1='ready> '; source <(pmtaq completions bash)",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='ready> '; autoload -U compinit; compinit -u -D; source <(pmtaq completions zsh)",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "function fish_prompt; echo -n 'ready> '; end; pmtaq completions fish | source",
    ),
}


class Shell:
    """A shell in a pseudo-terminal, and its screen."""

    def __init__(self, name, folder, home):
        command, setup = SETUP[name]
        environment = {
            "TERM": "xterm",
            "HOME": home,
            "PATH": f"{folder}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PMTAQ_STORE": f"{home}/store",
            "PMTAQ_ETC": f"{home}/etc",
            "COLUMNS": str(WIDTH),
            "LINES": str(HEIGHT),
        }
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe(command[0], command, environment)
        self.type(setup + "\r")
        self.await_line(r"^ready> $")

    def type(self, text):
        """Types a text."""
        os.write(self.fd, text.encode())

    def line(self):
        """The line that is being typed."""
        last = max(
            (at for at, row in enumerate(self.screen.display) if "ready> " in row), default=0
        )
        return self.screen.display[last].rstrip() + (" " if self.is_empty(last) else "")

    def is_empty(self, row):
        return self.screen.display[row].rstrip() == "ready>"

    def await_line(self, pattern):
        """Waits until the line that is being typed is as the pattern says."""
        self.await_(lambda: re.search(pattern, self.line()), pattern)

    def await_(self, is_shown, what):
        deadline = time.monotonic() + WAIT_S
        while not is_shown():
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.fd], [], [], max(0, left))
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                shown = "\n".join(row.rstrip() for row in self.screen.display if row.strip())
                sys.exit(f"not shown: {what!r}; shown:\n{shown}")
            self.stream.feed(os.read(self.fd, 65536))

    def case(self, typed, shown, printed=None):
        """Types, presses Tab, looks, and runs the line or throws it away."""
        self.type("\x0c" + typed)
        self.await_line(f"^ready> {re.escape(typed).rstrip()}")
        self.type("\t")
        self.await_line(shown)
        if printed is None:
            self.type("\x15")
        else:
            self.type("\r")
            rows = self.screen.display
            self.await_(
                lambda: any(re.search(printed, row) for row in rows[1:] + self.screen.display),
                printed,
            )
        self.await_line(r"^ready> $")


def main():
    """Plays all cases in one shell."""
    name, folder, home, cases = sys.argv[1:]
    shell = Shell(name, folder, home)
    for case in json.loads(cases):
        shell.case(*case)
    os.kill(shell.pid, signal.SIGKILL)


main()
