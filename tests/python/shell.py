#!/usr/bin/env python3
"""shell.py PMTAQ STORE HOME: talks to `pmtaq sql` through a pseudo-terminal, as a person does.

Each step types something and waits for what must be shown. It ends with 0 when all was shown, and
else says which step was not. It reads no file of the store and judges no number but those it made.
"""

import os
import pty
import re
import select
import signal
import sys
import time

WAIT_S = 30
SLOW = "select count(*) as endless from range(9000000000) a(x) where x % 7 = hash(x) % 5;"


class Terminal:
    """A program in a pseudo-terminal, and what it has shown so far."""

    def __init__(self, command, environment):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, environment)

    def expect(self, pattern):
        """Waits until the pattern is shown after what was expected before."""
        deadline = time.monotonic() + WAIT_S
        while not (found := re.search(pattern, self.shown)):
            if time.monotonic() > deadline or not self.read(deadline):
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(f"not shown: {pattern!r}; shown: {self.shown!r}")
        self.shown = self.shown[found.end() :]

    def read(self, deadline):
        """Reads what is there; False when the program has ended."""
        ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return True
        try:
            self.shown += os.read(self.fd, 65536).decode(errors="replace")
            return True
        except OSError:
            return False

    def type(self, text):
        """Types a text."""
        os.write(self.fd, text.encode())

    def end(self):
        """Waits for the end of the program and returns its exit code; one that goes on is killed."""
        deadline = time.monotonic() + WAIT_S
        while self.read(deadline) and time.monotonic() < deadline:
            pass
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                sys.exit(f"it did not end; shown: {self.shown!r}")
            time.sleep(0.01)
        return os.waitstatus_to_exitcode(ended[1])


def require(condition, text):
    """Ends with a complaint unless the condition holds."""
    if not condition:
        sys.exit(text)


def main():
    """Runs all conversations."""
    pmtaq, store, home = sys.argv[1:]
    environment = {"TERM": "xterm", "PMTAQ_STORE": store, "HOME": home, "COLUMNS": "100"}
    command = [pmtaq, "sql", "--threads", "2"]

    shell = Terminal(command, environment)
    shell.expect("pmtaq> ")
    shell.type("select 40 + 2 as answer;\r")
    shell.expect("answer")
    shell.expect("42")
    shell.expect("pmtaq> ")
    # A statement of several lines ends with its semicolon.
    shell.type("select 'a;b'\r|| 'c' as text;\r")
    shell.expect("a;bc")
    shell.expect("pmtaq> ")
    # A word is completed.
    shell.type("select count(*) as n from queue_def\t;\r")
    shell.expect("queue_deferrals")
    shell.expect(r"n\W+.*\d")
    shell.expect("pmtaq> ")
    # An error is told, and the shell goes on.
    shell.type("drop view records;\r")
    shell.expect("only one statement that reads")
    shell.expect("pmtaq> ")
    shell.type(".schema deliveries\r")
    shell.expect("time_logged")
    shell.expect("pmtaq> ")
    shell.type(".nonsense\r")
    shell.expect("there is no command .nonsense")
    shell.expect("pmtaq> ")
    # A table is capped, and says so.
    shell.type(".limit 3\r")
    shell.expect("limit 3")
    shell.type("select x from range(1000) r(x);\r")
    shell.expect("first 3 rows shown")
    shell.expect("pmtaq> ")
    # Ctrl-C ends the query and not the shell.
    shell.type(SLOW + "\r")
    time.sleep(1)
    shell.type("\x03")
    shell.expect("interrupted")
    shell.expect("pmtaq> ")
    # At the prompt it drops the line.
    shell.type("select nonsense")
    shell.type("\x03")
    shell.expect("pmtaq> ")
    shell.type("select 6 * 7 as again;\r")
    shell.expect("again")
    shell.expect("42")
    shell.expect("pmtaq> ")
    # What strangers wrote is shown and not obeyed.
    shell.type("select chr(27) || '[31m' as escaped;\r")
    shell.expect(r"\\x1b\[31m")
    shell.expect("pmtaq> ")
    shell.type("\x04")
    require(shell.end() == 0, "Ctrl-D does not end the shell well")

    # The history outlives the shell.
    history = os.path.join(home, ".local/state/pmtaq/sql_history")
    require("select 6 * 7 as again;" in open(history).read(), "no history was kept")
    shell = Terminal(command, environment)
    shell.expect("pmtaq> ")
    shell.type("\x1b[A\x1b[A\r")
    shell.expect("42")
    shell.expect("pmtaq> ")
    shell.type(".quit\r")
    require(shell.end() == 0, ".quit does not end the shell well")

    # Without a home it works all the same.
    bare = {"TERM": "xterm", "PMTAQ_STORE": store}
    shell = Terminal(command, bare)
    shell.expect("pmtaq> ")
    shell.type("select 6 * 7 as bare;\r")
    shell.expect("42")
    shell.expect("pmtaq> ")
    shell.type("\x04")
    require(shell.end() == 0, "without HOME it does not end well")

    # Outside of the shell Ctrl-C ends the program.
    single = Terminal([*command, SLOW], environment)
    time.sleep(1.5)
    os.kill(single.pid, signal.SIGINT)
    code = single.end()
    require(code == 130, f"interrupted, it ends with {code}")


if __name__ == "__main__":
    main()
