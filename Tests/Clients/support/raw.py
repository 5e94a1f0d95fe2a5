"""Bytes that no well-meaning client sends, and what must come of them."""
from __future__ import annotations

import re
import ssl

import pytest

from support.node import MARKER

# The node's deadlines, and how much later a busy machine may notice them.
HANDSHAKE_SECONDS = 5
HEADER_SECONDS = 10
BODY_SECONDS = 30
WRITE_SECONDS = 30
LATE_SECONDS = 6

KIB = 1024


def read_request(node, secret):
    return node.sign("GetSecretValue", {"SecretId": secret["Name"]})


def answers_until_closed(connection, seconds=LATE_SECONDS):
    """Every answer that comes before the node closes the connection; fails when it stays open."""
    closed = connection.is_closed_within(seconds)
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", connection.buffer)]
    assert closed, f"the connection stays open after {statuses}: {connection.buffer[:300]!r}"
    return statuses


def assert_refused_and_closed(node, data, statuses, *, after=b""):
    """These bytes get one answer of these, and the connection is closed: what follows is never read as a request."""
    with node.connect() as connection:
        try:
            connection.send(data + after)
        except OSError:
            pass  # closed while we still sent
        try:
            found = answers_until_closed(connection)
        except ConnectionError:
            found = []
        assert MARKER.encode() not in connection.buffer
    assert len(found) <= 1, f"more than one answer: {found}"
    assert not found or found[0] in statuses, found
    return found


def client_hello(*, minimum, maximum, ciphers="DEFAULT:@SECLEVEL=0"):
    """The first flight of an OpenSSL client, as bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(ciphers)
    context.minimum_version, context.maximum_version = minimum, maximum
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def reply_to(node, data, seconds=LATE_SECONDS):
    with node.connect_plain() as connection:
        connection.send(data)
        return connection.read_until_closed(seconds)


def alert_of(reply):
    """The description of a fatal TLS alert record."""
    assert reply is not None, "the connection stays open"
    assert len(reply) == 7 and reply[0] == 21 and reply[5] == 2, f"no fatal alert: {reply[:40].hex()}"
    return reply[6]
