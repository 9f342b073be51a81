"""A server of Spark Connect for tests: it tells what it is asked, and answers as it is told to.

    connect.py ANSWER [--token TOKEN] [--tls FOLDER]

Prints its port, then a line of JSON for each request; ends when its standard input does. To a statement it answers by
  rows     one batch: the column `n` with 42
  never    nothing, until it is interrupted
  half     one batch, and no more until it is interrupted
  gone     one batch, and its process ends
  other    a batch with another column
  words    the column `n` with a text that is no number
  path     that it does not find a file
  failed   an error of several lines, as the engine writes them
With --token it answers nobody else; with --tls it has a certificate of an authority that it writes to FOLDER/ca.pem.
"""

import argparse
import json
import os
import pathlib
import sys
import threading
from concurrent import futures

import grpc
import pyarrow as pa

from tls import certificates

LONG = "[UNRESOLVED_COLUMN] A column `x` cannot be resolved. \x1b[31m\n\n  at org.apache.A\nJVM stacktrace:"
ERRORS = {
    "path": "[PATH_NOT_FOUND] Path does not exist: s3a://mail/part.parquet. SQLSTATE: 42K03",
    "failed": LONG,
}
interrupted = threading.Event()
printing = threading.Lock()


def number(data, at):
    """A number of variable length, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a message, each with all its values: numbers, or bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = number(data, at)
        value, at = number(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def part(message, *path):
    """What lies on a path of fields, the first of each; none where there is nothing."""
    for key in path:
        if key not in fields(message):
            return None
        message = fields(message)[key][0]
    return message


def words(data):
    return None if data is None else data.decode()


def pairs(message, key):
    return {words(part(pair, 1)): words(part(pair, 2)) for pair in fields(message).get(key, [])}


def field(key, value):
    """A field of bytes."""
    length, size = b"", len(value)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([key << 3 | 2]) + length + bytes([size]) + value


def batch(**columns):
    rows = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return field(2, b"\x08\x01" + field(2, sink.getvalue().to_pybytes()))


def tell(method, message, context):
    """What a request says, but for what is the same in all."""
    who = dict(context.invocation_metadata()).get("authorization")
    told = {"method": method, "session": words(part(message, 1)), "token": who}
    if method == "ExecutePlan":
        told |= {"operation": words(part(message, 6)), "sql": words(part(message, 3, 1, 10, 1))}
        view = part(message, 3, 2, 3)
        if view is not None:
            source = part(view, 1, 2, 2) or b""
            told |= {"view": words(part(view, 2)), "format": words(part(source, 1)), "schema": words(part(source, 2))}
            told |= {"options": pairs(source, 3), "paths": [path.decode() for path in fields(source).get(4, [])]}
    if method == "Interrupt":
        told |= {"kind": part(message, 4), "operation": words(part(message, 6))}
    if method == "Config":
        told |= {"set": pairs(part(message, 3, 1), 1)}
    with printing:
        print(json.dumps(told), flush=True)
    return told


class Service(grpc.GenericRpcHandler):
    def __init__(self, answer, token):
        self.answer, self.token = answer, token

    def service(self, call):
        method = call.method.rsplit("/", 1)[1]
        if method == "ExecutePlan":
            return grpc.unary_stream_rpc_method_handler(self.execute)
        return grpc.unary_unary_rpc_method_handler(lambda message, context: self.call(method, message, context))

    def met(self, method, message, context):
        told = tell(method, message, context)
        if self.token and told["token"] != f"Bearer {self.token}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, f"not {told['token']}")
        return told

    def call(self, method, message, context):
        self.met(method, message, context)
        if method == "Interrupt":
            interrupted.set()
        return field(8, field(1, b"4.0.0")) if method == "AnalyzePlan" else b""

    def execute(self, message, context):
        if self.met("ExecutePlan", message, context)["sql"] is None:
            return
        if self.answer in ERRORS:
            context.abort(grpc.StatusCode.INTERNAL, ERRORS[self.answer])
        if self.answer == "other":
            yield batch(m=pa.array([42], pa.int64()))
        elif self.answer == "words":
            yield batch(n=pa.array(["many"]))
        elif self.answer != "never":
            yield batch(n=pa.array([42], pa.int64()))
        if self.answer == "gone":
            # What was sent is on its way.
            threading.Event().wait(0.2)
            os._exit(1)
        if self.answer in ("never", "half"):
            interrupted.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("answer")
    parser.add_argument("--token")
    parser.add_argument("--tls", type=pathlib.Path)
    args = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([Service(args.answer, args.token)])
    if args.tls:
        cert, key = certificates(args.tls)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key.read_bytes(), cert.read_bytes())]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
