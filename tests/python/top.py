#!/usr/bin/env python3
"""top.py PMTAQ STORE FILE: uses `pmtaq top` through a pseudo-terminal and looks at the screen.

Each step presses keys and waits until the screen shows what it must; FILE is ingested meanwhile by
another process. It ends with 0 when all was shown, and else prints the screen as it was.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

WAIT_S = 120
NOW = "2026-03-04T00:30:00Z"
DOWN, UP, ESC, CTRL_C, CTRL_Z = "\x1b[B", "\x1b[A", "\x1b", "\x03", "\x1a"


class Top:
    """`pmtaq top` in a pseudo-terminal, and the screen that it draws."""

    def __init__(self, args, variables=(), columns=100, lines=30, shell=None):
        self.raw = b""
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.master, self.slave = pty.openpty()
        self.set_size(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        command = shell or [PMTAQ, "top", "--now", NOW, "--threads", "2", *args]
        environment = {"TERM": "xterm-256color", "PMTAQ_STORE": STORE, **dict(variables)}

        def own_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environment,
            start_new_session=True,
            preexec_fn=own_terminal,
        )

    def set_size(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        """Makes the terminal another size; the kernel tells the program."""
        self.screen.resize(lines, columns)
        self.screen.reset()
        self.set_size(columns, lines)

    def press(self, *keys):
        """Presses keys one after the other."""
        for key in keys:
            os.write(self.master, key.encode())

    def read(self, timeout_s):
        """Takes what the program has drawn."""
        ready, _, _ = select.select([self.master], [], [], max(0, timeout_s))
        if ready:
            data = os.read(self.master, 65536)
            self.raw += data
            # pyte knows no second screen: it is left with an empty one.
            before, *after = re.split(rb"\x1b\[\?1049l", data)
            self.stream.feed(before)
            for part in after:
                self.screen.reset()
                self.stream.feed(part)
        return bool(ready)

    def shows(self, what, *patterns, without=None):
        """Waits until the screen shows all the patterns and not the other one."""
        deadline = time.monotonic() + WAIT_S
        while True:
            text = "\n".join(self.screen.display)
            if all(re.search(pattern, text) for pattern in patterns):
                if without is None or not re.search(without, text):
                    return
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.fail(f"{what}: the screen must show {patterns} without {without}")
            self.read(0.1)

    def fail(self, text):
        """Kills the program and ends with the screen."""
        self.process.kill()
        self.process.wait()
        sys.exit(f"{text}; it shows:\n" + "\n".join(self.screen.display))

    def chosen(self):
        """The lines that are shown in reverse."""
        lines = range(self.screen.lines)
        is_reverse = [self.screen.buffer[line][0].reverse for line in lines]
        return [self.screen.display[line] for line in lines if is_reverse[line]]

    def ends(self, what, code):
        """Waits for the end, and looks whether the terminal is as it was."""
        deadline = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.fail(f"{what}: it does not end")
            self.read(0.05)
        while self.read(0.2):
            pass
        if self.process.returncode != code:
            self.fail(f"{what}: it ended with {self.process.returncode} and not with {code}")
        if termios.tcgetattr(self.slave) != self.before:
            self.fail(f"{what}: the terminal is not as it was")
        for leave, enter in [(b"\x1b[?1049l", b"\x1b[?1049h"), (b"\x1b[?25h", b"\x1b[?25l")]:
            if not self.raw.rfind(leave) > self.raw.rfind(enter) >= 0:
                self.fail(f"{what}: {leave} does not come after {enter}")
        os.close(self.master)
        os.close(self.slave)


def walks(file):
    """Drills, comes back, sorts, narrows, chooses, resizes, and sees an ingest."""
    top = Top([])
    top.shows("start", "sent by provider", "gmail +\\d+", "generation 1", "total of \\d+")
    top.press(DOWN)
    deadline = time.monotonic() + WAIT_S
    while not any("microsoft" in line for line in top.chosen()):
        if time.monotonic() > deadline:
            top.fail("the second row is not chosen")
        top.read(0.1)
    top.press("\r")
    top.shows("down", "sent by vmta", "all > provider microsoft", "vmta-\\w+-\\d")
    top.press("\r")
    top.shows("down", "sent by template", "> vmta vmta-", "250 2.\\d.\\d")
    top.press("\r")
    top.shows("down", "records", "> template ", "2026-03-0\\d \\d\\d:\\d\\d:\\d\\d  d ", without="asking")
    top.press("\r")
    top.shows("card", "dsn_diag +smtp;250", "rcpt +\\S+@", "Esc back  up/down")
    for level in ["time_logged +rec +rcpt", "by template", "by vmta", "by provider"]:
        top.press(ESC)
        # An escape and what follows it at once would be another key.
        top.shows("back", level, without="dsn_diag +smtp")
    top.shows("back", "by provider", without="asking")
    if not any("microsoft" in line for line in top.chosen()):
        top.fail("the row that was chosen is not chosen any more")

    top.press(">")
    top.shows("sort", "delivered\u25bc")
    top.press("r")
    top.shows("reverse", "delivered\u25b2")
    top.press("r", "<")
    top.shows("sort", "sent\u25bc")
    top.press("w", "7d", "\r")
    top.shows("window", "7d to 2026-03-0", "by 6h", without="asking")
    top.press("[")
    top.shows("window", "24h to 2026-03-0", "by 1h", without="asking")
    top.press("m", "bounce_rate", "\r")
    top.shows("metric", "bounce_rate by provider", "rate\u25bc", without="asking")
    top.press("d", "job_id", "\r")
    top.shows("dimension", "bounce_rate by job_id", without="asking")
    top.press("d", "provider", "\r")
    top.shows("dimension", "bounce_rate by provider", "gmail", without="asking")
    top.press("/", "yah")
    top.shows("filter", "/yah_", "yahoo", without="gmail|microsoft")
    top.press("\r")
    top.shows("filter", "rows with `yah`", without="gmail")
    top.press(ESC)
    top.shows("filter", "gmail", "yahoo", without="rows with")
    top.press("?")
    top.shows("help", "keys", "Backspace, Esc")
    top.press(ESC)
    top.shows("help", "gmail", without="Backspace, Esc")

    for columns, lines in [(60, 15), (20, 5), (1, 1), (100, 30)]:
        top.resize(columns, lines)
        if columns >= 60:
            top.shows(f"{columns}x{lines}", "q quit", "bounce_rate by provider", "gmail")
            if "q quit" not in top.screen.display[lines - 1]:
                top.fail(f"{columns}x{lines}: the last line is not the last")
        else:
            top.shows(f"{columns}x{lines}", "\\S")

    ingest = [PMTAQ, "ingest", "-q", "--store", STORE, file]
    subprocess.run(ingest, check=True, timeout=WAIT_S, env={})
    top.shows("ingest", "generation 2", "24h to 2026-03-03", without="asking|error")
    top.press("q")
    top.ends("q", 0)


def leaves():
    """Gives the terminal back, whatever ends it."""
    top = Top(["--by", "vmta", "--last", "6h"])
    top.shows("start", "6h to 2026-03-03", "vmta-")
    os.kill(top.process.pid, signal.SIGTERM)
    top.ends("SIGTERM", 130)
    top = Top([])
    top.shows("start", "gmail")
    os.kill(top.process.pid, signal.SIGHUP)
    top.ends("SIGHUP", 130)
    top = Top(["--since", "2026-03-01", "--until", "2026-03-02"], {"NO_COLOR": "1"}.items())
    top.shows("start", "2026-03-01 00:00 to 2026-03-02 00:00 UTC", "gmail")
    top.press("w")
    top.shows("window", "window: type to narrow", "2026-03-01 00:00 to", "15m")
    top.press(CTRL_C)
    top.ends("Ctrl-C", 130)
    if re.search(rb"\x1b\[(\d+;)*(3[0-8]|4[0-8])(;\d+)*m", top.raw):
        sys.exit("NO_COLOR is not obeyed")
    top = Top(["--where", "1 = 1"])
    top.shows("start", "where 1 = 1", "gmail")
    # The terminal goes away.
    os.close(top.slave)
    os.close(top.master)
    try:
        top.process.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        top.process.kill()
        sys.exit("it does not end when its terminal is gone")


def stops():
    """Stops by Ctrl-Z as any program of a shell, and comes back where it was."""
    # A shell that does job control: without one nobody could bring it back.
    top = Top([], [("PS1", "ready> "), ("HOME", "/nowhere")], shell=["bash", "--norc", "-i"])
    top.shows("shell", "ready>")
    top.press(f"{PMTAQ} top --now {NOW} --threads 2; echo ended $?\r")
    top.shows("start", "sent by provider", "gmail", without="asking")
    top.press(DOWN, CTRL_Z)
    top.shows("stopped", "Stopped", "(?m)^ready> +$", without="by provider")
    top.press("stty -a\r")
    top.shows("cooked", "[^-]icanon", "[^-]echo ", "[^-]isig")
    if top.raw.rfind(b"\x1b[?25h") < top.raw.rfind(b"\x1b[?25l"):
        top.fail("the cursor is not seen while it is stopped")
    top.press("fg\r")
    top.shows("back", "sent by provider", "gmail", without="ready>")
    if not any("microsoft" in line for line in top.chosen()):
        top.fail("the row that was chosen is not chosen any more")
    # In the background it leaves the terminal alone and stops once more.
    top.press(CTRL_Z)
    top.shows("stopped again", "Stopped", "(?m)^ready> +$", without="by provider")
    top.press("clear; bg; sleep 3; jobs; stty -a\r")
    top.shows("background", "Stopped.*top", "[^-]icanon", "[^-]echo ", without="by provider")
    top.press("fg\r")
    top.shows("back from there", "sent by provider", "gmail", without="ready>")
    # Stopped and told to end: it ends, and the terminal is the shell's.
    top.press(CTRL_Z)
    top.shows("stopped once more", "Stopped", "(?m)^ready> +$", without="by provider")
    top.press("kill %1; fg; echo over $?\r")
    top.shows("ended", "(?m)^over \\d+ *\nready> +$", without="by provider")
    top.press("clear; jobs; stty -a\r")
    top.shows("cooked", "[^-]icanon", "[^-]echo ", "[^-]isig", without="Stopped.*top")
    top.press("exit\r")
    top.ends("shell", 0)


if __name__ == "__main__":
    PMTAQ, STORE, later = sys.argv[1:]
    walks(later)
    leaves()
    stops()
