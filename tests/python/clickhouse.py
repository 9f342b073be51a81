"""ClickHouse's HTTP interface as far as `pmtaq push` uses it, before the engine itself: each statement is done
by chdb, the library that ClickHouse is made into. Only where an insert takes its rows from the body of the request,
which a library has none of, it reads the same bytes from a file.

Prints its address, and ends when its standard input does. Beside statements it takes
  POST /-/fault   {"mode": "lost", "at": 3}: of the third insert from now on the answer is lost (lost), or it is not
                  done and the connection ends (reset), or half of it comes (half); {} ends it.
"""

import json
import os
import re
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

from chdb import session

FOLDER = tempfile.TemporaryDirectory(prefix="pmtaq-test-clickhouse-")
SESSION = session.Session(FOLDER.name)
BODY = os.path.join(FOLDER.name, "body.parquet")
INPUT = re.compile(r" from input\(('(?:[^'\\]|\\.)*')\) format Parquet$")
fault = {}


def statement(text):
    """The statement as the library can do it."""
    return INPUT.sub(lambda of: f" from file('{BODY}', Parquet, {of.group(1)})", text)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def answer(self, status, text):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = self.body()
        if self.path == "/-/fault":
            fault.clear()
            fault.update(json.loads(body))
            return self.answer(200, b"")
        if self.headers.get("X-ClickHouse-Key") != "s3cret":
            return self.answer(403, b"Code: 516. DB::Exception: \x1b[31mdefault: Authentication failed")
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        mode = None
        if "query" in query:
            fault["at"] = fault.get("at", 0) - 1
            mode = fault.get("mode") if fault["at"] == 0 else None
            with open(BODY, "wb") as file:
                file.write(body)
        text = statement(query.get("query") or body.decode())
        if mode == "half":
            text += " limit 20"
        try:
            if mode != "reset":
                token = query.get("insert_deduplication_token")
                if token:
                    SESSION.query(f"set insert_deduplication_token = '{token}'")
                said = SESSION.query(text, "TabSeparated")
        except Exception as error:
            return self.answer(500, str(error).encode())
        if mode:
            self.connection.close()
            return None
        return self.answer(200, str(said).encode() if said else b"")


def main():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()
    os._exit(0)


main()
