#!/usr/bin/env python3
"""A stand-in for the conclave executable, to test the chaos harness with: the operator's command line and the part of the API that the
harness's clients use, over one SQLite file that all "nodes" share. So it is linearizable as long as it does not lie.

FAKE_LIE makes it do what a broken cluster would: `stale` (reads up to a second old), `lost` (acknowledges a write now and then that it does
not do), `twice` (does a creation and refuses it).
"""
from __future__ import annotations

import ctypes
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fake_secrets import READS, WRITES, Refusal, Shared, every, get, put

LIE = os.environ.get("FAKE_LIE", "")
STALE_SECONDS = 1.0
PR_SET_NAME = 15
# One in so many writes is a lie.
LIES_EVERY = 40


class Answers:
    """One node's answers, with its lies."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._old: dict[str, tuple[float, Any]] = {}
        self._writes = 0

    def answer(self, operation: str, request: Any) -> Any:
        if operation in READS:
            key = f"{operation} {json.dumps(request, sort_keys=True)}"
            known = self._old.get(key)
            if LIE == "stale" and operation == "GetSecretValue" and known and time.monotonic() - known[0] < STALE_SECONDS:
                return known[1]
            with self._shared.transaction() as connection:
                result = READS[operation](connection, request)
            self._old[key] = (time.monotonic(), result)
            return result
        self._writes += 1
        lies = self._writes % LIES_EVERY == 0
        if LIE == "lost" and lies and operation == "PutSecretValue":
            return {"VersionId": request["ClientRequestToken"]}
        with self._shared.transaction() as connection:
            done = WRITES[operation](connection, request)
            applied = get(connection, "cluster", "applied") or 0
            put(connection, "cluster", "applied", applied + 1)
        if LIE == "twice" and lies and operation == "CreateSecret":
            raise Refusal("ResourceExistsException", "it was there already")
        return done


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Answers

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._send(200, {})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self._send(200, self.answers.answer(self.headers["X-Amz-Target"].partition(".")[2], request))
        except Refusal as refusal:
            self._send(400, {"__type": refusal.code, "Message": str(refusal)})
        except sqlite3.Error as error:
            self._send(500, {"__type": "InternalServiceError", "Message": str(error)})

    def _send(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


# ---------------------------------------------------------------- the command line


def options(arguments: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, given in zip(arguments[::2], arguments[1::2]):
        found.setdefault(name.lstrip("-"), []).append(given)
    return found


def init(given: dict[str, list[str]]) -> None:
    data = Path(given["data-dir"][0])
    data.mkdir(parents=True)
    # Beside the nodes' folders: no fault of a node's disk touches it.
    node = data.parents[1] if data.parent.name == "disk" else data.parent
    folder = node.parent / "shared"
    folder.mkdir()
    names = ",".join(f"IP:{name}" for name in ["127.0.0.1", *given.get("tls-name", [])])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=fake",
         "-addext", f"subjectAltName={names}", "-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")], check=True, capture_output=True)
    (data / "shared").write_text(str(folder))
    with Shared(folder).transaction() as connection:
        put(connection, "node", given["peer-listen"][0], 1)
        put(connection, "cluster", "leader", 1)
        put(connection, "cluster", "ids", 1)
    key = {"access_key_id": "AKIAFAKEFAKEFAKEFAKE", "secret_access_key": "x" * 40}
    print(json.dumps({"ca_file": str(folder / "ca.pem"), "region": given["region"][0], **key}))


def serve(given: dict[str, list[str]]) -> None:
    data = Path(given["data-dir"][0])
    peer = given.get("peer-advertise", given["peer-listen"])[0]
    if not (data / "shared").exists():
        folder = Path(os.environ["CONCLAVE_JOIN_TOKEN"])
        with Shared(folder).transaction() as connection:
            number = (get(connection, "cluster", "ids") or 0) + 1
            put(connection, "cluster", "ids", number)
            put(connection, "node", peer, number)
        data.mkdir(parents=True)
        (data / "shared").write_text(str(folder))
    folder = Path((data / "shared").read_text())
    handler = type("OneHandler", (Handler,), {"answers": Answers(Shared(folder))})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    api, ops = (Server((host, int(port)), handler) for host, _, port in (given[name][0].rpartition(":") for name in ("listen", "ops-listen")))
    api.socket = context.wrap_socket(api.socket, server_side=True, do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    (data / "address").write_text(given["listen"][0])
    threading.Thread(target=ops.serve_forever, daemon=True).start()
    api.serve_forever()


def cluster(command: str, given: dict[str, list[str]]) -> None:
    folder = Path((Path(given["data-dir"][0]) / "shared").read_text())
    with Shared(folder).transaction() as connection:
        nodes = every(connection, "node")
        leader, applied = get(connection, "cluster", "leader"), get(connection, "cluster", "applied") or 0
        if command == "token":
            print(json.dumps({"token": str(folder), "expires_at": 0}))
        elif command == "status":
            rows = [
                {"id": number, "peer_address": peer, "role": "leader" if number == leader else "follower", "voter": True, "applied": applied,
                 "state": "ok"} for peer, number in nodes
            ]
            print(json.dumps({"leader": leader, "nodes": rows, "health": "healthy"}))
        elif command == "transfer-leader":
            put(connection, "cluster", "leader", int(given["to"][0]) if "to" in given else nodes[0][1])
        else:
            gone = next((peer for peer, number in nodes if number == int(given["node"][0])), None)
            if gone is None:
                sys.exit("there is no such node")
            put(connection, "node", gone, None)
            put(connection, "cluster", "leader", next(number for peer, number in nodes if peer != gone))


def main() -> None:
    # The scripts of Cluster/ know a node's process by its name.
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"conclave-fake")
    command, *rest = sys.argv[1:]
    if command == "operator":
        init(options(rest[1:]))
    elif command == "serve":
        serve(options(rest))
    else:
        cluster(rest[0], options(rest[2:] if rest[0] == "token" else rest[1:]))


if __name__ == "__main__":
    main()
