"""HTTP over TLS, byte by byte: what no HTTP library would let a test send."""
from __future__ import annotations

import json
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import Any, Optional


class Closed(Exception):
    """The peer ended the connection where an answer was expected."""


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's name as SDKs take it: after `#`, before `:`."""
        return self.json["__type"].split("#")[-1].split(":")[0] if self.body else ""

    @property
    def message(self) -> str:
        members = self.json
        return members.get("message", members.get("Message", ""))


def tls_context(ca_file: str, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if "minimum" in versions:
        context.minimum_version = versions["minimum"]
    if "maximum" in versions:
        context.maximum_version = versions["maximum"]
    return context


class Connection:
    """One TLS connection. Every wait has a deadline."""

    def __init__(
        self,
        address: tuple,
        context: ssl.SSLContext,
        *,
        timeout: float = 20,
        session: Optional[ssl.SSLSession] = None,
        receive_buffer: Optional[int] = None,
    ) -> None:
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(timeout)
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = context.wrap_socket(plain, server_hostname=address[0], session=session)
        except BaseException:
            plain.close()
            raise
        self.buffer = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ssl.SSLWantReadError:
            raise
        except (ConnectionError, ssl.SSLError) as error:  # a reset, an alert, an end without goodbye
            raise Closed(str(error)) from error

    def _more(self) -> None:
        data = self._receive()
        if not data:
            raise Closed("end of stream")
        self.buffer += data

    def read_answer(self) -> Answer:
        """The next answer, skipping interim (1xx) ones."""
        while True:
            answer = self._read_one()
            if answer.status >= 200:
                return answer

    def _read_one(self) -> Answer:
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        assert version == "HTTP/1.1", f"odd status line {lines[0]!r}"
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if int(status) < 200:
            return Answer(int(status), headers, b"")
        assert "content-length" in headers, f"an answer without Content-Length: {lines[0]!r} {headers}"
        length = int(headers["content-length"])
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(int(status), headers, body)

    def exchange(self, data: bytes) -> Answer:
        self.send(data)
        return self.read_answer()

    def is_closed_within(self, seconds: float) -> bool:
        """Reads on: true when the peer ends the connection in time. Bytes that still come are kept in `buffer`."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.socket.settimeout(left)
            try:
                data = self._receive()
            except Closed:
                return True
            except (socket.timeout, ssl.SSLWantReadError):
                return False
            if not data:
                return True
            self.buffer += data

    def half_close(self) -> None:
        """No more bytes from us, said in TLS (close_notify) and in TCP (FIN); answers can still come."""
        timeout = self.socket.gettimeout()
        self.socket.settimeout(0)
        try:
            self.socket.unwrap()  # sends ours, and cannot wait for theirs
        except OSError:
            pass
        self.socket.settimeout(timeout)
        # The method of SSLSocket would drop TLS altogether.
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def reset(self) -> None:
        """As when the client's machine loses power: RST, no TLS goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(self.socket)

    def close(self) -> None:
        try:
            self.socket.close()
        except OSError:
            pass


class PlainConnection:
    """TCP alone."""

    def __init__(self, address: tuple, *, timeout: float = 20) -> None:
        self.socket = socket.create_connection(address, timeout=timeout)

    def __enter__(self) -> "PlainConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_until_closed(self, seconds: float) -> Optional[bytes]:
        """All bytes until the peer closes; None when it has not by then."""
        deadline = time.monotonic() + seconds
        received = b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                return None
            except ConnectionError:
                return received
            if not data:
                return received
            received += data
