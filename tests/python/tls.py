#!/usr/bin/env python3
"""tls.py FOLDER: a company's certificate authority and a server with a certificate of it.

Writes `ca.pem` into FOLDER, prints the port, then a line for each request: its path and its body.
Ends when its stdin does.
"""

import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def certificates(folder):
    """A certificate authority, and what it signs for this machine."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    new += ["-noenc", "-days", "2"]
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    subprocess.run(
        [*new, "-subj", "/CN=Example Company CA", "-keyout", ca_key, "-out", ca],
        check=True,
        capture_output=True,
    )
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        [*new, "-subj", "/CN=localhost", "-addext", names, "-addext", "basicConstraints=CA:FALSE"]
        + ["-CA", ca, "-CAkey", ca_key, "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


class Handler(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, body.decode(), flush=True)
        self.send_response(202)
        self.end_headers()

    def log_message(self, *args):
        pass


class Server(HTTPServer):
    """Who does not trust the certificate hangs up, which is no error here."""

    def handle_error(self, request, client_address):
        pass


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates(Path(sys.argv[1])))
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
