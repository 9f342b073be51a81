"""A bucket for tests: moto's server, and before it a proxy that counts and that does wrong when it is told to.

Prints the two addresses, and ends when its standard input does. To the proxy
  POST /-/fault   {"mode": "500", "rate": 0.3, "seed": 1, "only": "PUT", "within": "root.json"} says what goes
                  wrong from now on (no mode: nothing);
  GET  /-/count   says what was asked since the last time, by method and kind of key, and how many bytes came.
"""

import collections
import http.client
import json
import logging
import os
import random
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)

BUCKET = "mail"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
BROKEN = b"<Error><Code>InternalError</Code><Message>\x1b[31mWe\nencountered an error.</Message></Error>"


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.fault = {}
        self.random = random.Random(0)
        self.counts = collections.Counter()
        self.keys = collections.Counter()

    def mode(self, method, path):
        """What goes wrong with this request, if anything does."""
        with self.lock:
            fault = self.fault
            if not fault.get("mode") or fault.get("only", method) != method:
                return None
            if fault.get("within", "") not in path:
                return None
            return fault["mode"] if self.random.random() < fault.get("rate", 1.0) else None


state = State()


def kind(path):
    """What a key is, whatever the prefix of the store."""
    for name in ("root.json", "/days/", "/records/", "/hourly/", "/rejects/", "/gone/", "probe-"):
        if name in path:
            return name.strip("/-")
    return "list" if "list-type" in path else "other"


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    moto = None

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body, send=None):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        length = dict((n.lower(), v) for n, v in headers).get("content-length", "0")
        self.send_header("Content-Length", str(len(body)) if self.command != "HEAD" else length)
        self.end_headers()
        if self.command != "HEAD":
            (send or self.wfile.write)(body)

    def reset(self):
        # With nothing lingering the kernel answers with a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.close()

    def control(self, body):
        with state.lock:
            if self.path == "/-/fault":
                state.fault = json.loads(body)
                state.random = random.Random(state.fault.get("seed", 0))
                said = {}
            else:
                said = {"counts": dict(state.counts), "keys": dict(state.keys)}
                state.counts.clear()
                state.keys.clear()
        self.answer(200, [("Content-Type", "application/json")], json.dumps(said).encode())

    def keys(self):
        """What lends keys to a container or a virtual machine."""
        if self.path.endswith("/token"):
            return b"a-token"
        if self.path.endswith("/security-credentials/"):
            return b"role"
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        keys = {"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T", "Expiration": end}
        return json.dumps(keys).encode()

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/-/keys" or self.path.startswith("/latest/"):
            return self.answer(200, [], self.keys())
        if self.path.startswith("/-/"):
            return self.control(body)
        path = self.path
        what = kind(path)
        mode = state.mode(self.command, path)
        with state.lock:
            state.counts[f"{self.command} {what}"] += 1
            state.keys[f"{self.command} {path.split('?')[0]}"] += 1
        if mode == "500":
            return self.answer(500, [], BROKEN)
        if mode == "403":
            return self.answer(403, [], DENIED)
        if mode == "503":
            return self.answer(503, [], SLOW_DOWN)
        if mode == "reset":
            return self.reset()
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        if mode == "blind":
            headers = {k: v for k, v in headers.items() if not k.lower().startswith("if-")}
        upstream = http.client.HTTPConnection("127.0.0.1", self.moto, timeout=60)
        upstream.request(self.command, path, body, headers)
        response = upstream.getresponse()
        content = response.read()
        answered = response.getheaders()
        upstream.close()
        with state.lock:
            state.counts["bytes"] += len(content)
        if mode == "lost":
            return self.reset()
        if mode == "date":
            later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + state.fault["ahead"]))
            answered = [(n, later if n.lower() == "date" else v) for n, v in answered]
        if mode == "etag":
            answered = [(n, '"0123"' if n.lower() == "etag" else v) for n, v in answered]
        if mode == "flip" and content:
            at = len(content) // 2
            content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        send = None
        if mode == "cut":
            def send(content):
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.reset()
        if mode == "slow":
            def send(content):
                step = max(1, len(content) // 20)
                for at in range(0, len(content), step):
                    self.wfile.write(content[at : at + step])
                    self.wfile.flush()
                    time.sleep(0.05)
        self.answer(response.status, answered, content, send)

    def handle_safely(self):
        try:
            self.handle_one()
        except (ConnectionError, BrokenPipeError, ValueError, OSError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_safely


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    Proxy.moto = port
    proxy = Server(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("PUT", f"/{BUCKET}")
    assert connection.getresponse().status == 200
    print(f"http://127.0.0.1:{port} http://127.0.0.1:{proxy.server_address[1]}", flush=True)
    sys.stdin.read()
    os._exit(0)


main()
