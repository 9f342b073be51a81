"""A headless Chromium, driven over a pipe by the DevTools protocol. Needs no other package.

Every wait has a deadline, and the browser dies with the `with` block, whatever happens in it.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
# Of a machine that is busy with other tests.
DEADLINE_S = 120


def find():
    """The browser, or the end: without it nothing here says anything."""
    for name in [os.environ.get("PMTAQ_CHROMIUM", ""), *NAMES]:
        path = shutil.which(name) if name else None
        if path:
            return path
    sys.exit("no Chromium here: apt-get install chromium, or name one by PMTAQ_CHROMIUM")


class Browser:
    """A browser with one page. `events` is all that it told, in order."""

    def __init__(self):
        self.events = []
        self.last = 0
        self.session = None
        self.buffer = b""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="pmtaq-chromium-")
        # Away from 3 and 4, under which the browser knows the pipes.
        (child_in, self.to), (self.out, child_out) = [
            [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe()] for _ in range(2)
        ]

        def wire():
            os.dup2(child_in, 3)
            os.dup2(child_out, 4)

        env = {**os.environ, "HOME": self.profile}
        self.process = subprocess.Popen(
            [find(), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=wire,
            pass_fds=(3, 4),
            start_new_session=True,
            env=env,
        )
        os.close(child_in)
        os.close(child_out)
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            for domain in ["Page", "Runtime", "Log", "Network"]:
                self.call(f"{domain}.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self, deadline):
        """The next message."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.out], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser said nothing for {DEADLINE_S} s")
            read = os.read(self.out, 1 << 16)
            if not read:
                raise EOFError("the browser ended")
            self.buffer += read
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        """What the browser answers; what it tells meanwhile is kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def told(self, method):
        """The parameters of all events of a kind so far."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def open(self, url):
        """Opens a page and waits until it is loaded."""
        seen = len(self.told("Page.loadEventFired"))
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + DEADLINE_S
        while len(self.told("Page.loadEventFired")) == seen:
            self.events.append(self.receive(deadline))

    def run(self, script):
        """The value of a script, which may be a promise."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def place(self, selector):
        """The middle of an element, in sight."""
        return self.run(
            f"""(() => {{ const of = document.querySelector({json.dumps(selector)});
            of.scrollIntoView({{block: "center", behavior: "instant"}});
            const at = of.getBoundingClientRect();
            return [at.x + at.width / 2, at.y + at.height / 2]; }})()"""
        )

    def point(self, selector):
        """Moves the pointer onto an element."""
        x, y = self.place(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def click(self, selector):
        """Clicks on an element as a hand does."""
        x, y = self.point(selector)
        for kind in ["mousePressed", "mouseReleased"]:
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    def screen(self, width, height, dark=False, phone=False):
        """Sets what the page sees of the screen and the system."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self):
        """A picture of the whole page, as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def pdf(self):
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])
