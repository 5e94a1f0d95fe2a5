"""TLS that is old, weak or broken, plain bytes, and slow clients (threats N1-N6, N14). After each the node serves on."""
from __future__ import annotations

import os
import re
import select
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support.node import new_value
from support.raw import (
    BODY_SECONDS,
    HANDSHAKE_SECONDS,
    HEADER_SECONDS,
    KIB,
    LATE_SECONDS,
    WRITE_SECONDS,
    alert_of,
    assert_refused_and_closed,
    client_hello,
    read_request,
    reply_to,
)
from support.wire import Closed, Connection


pytestmark = pytest.mark.usefixtures("memory_stays")


# ---------------------------------------------------------------- TLS (N1-N4)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["TLS 1.0", "TLS 1.1"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_versions_get_a_protocol_version_alert(node, version):
    assert alert_of(reply_to(node, client_hello(minimum=version, maximum=version))) == 70


def test_an_ssl_3_hello_is_refused(node):
    hello = client_hello(minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_2)
    # Record version, then client_version in the hello (after 5 bytes of record and 4 of handshake header).
    ssl3 = hello[:1] + b"\x03\x00" + hello[3:9] + b"\x03\x00" + hello[11:]
    reply = reply_to(node, ssl3)
    assert alert_of(reply) in (70, 40)


@pytest.mark.parametrize("ciphers", ["AES128-SHA", "AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "NULL-SHA256", "ADH-AES128-GCM-SHA256"])
def test_weak_tls_1_2_cipher_suites_get_a_handshake_failure(node, ciphers):
    try:
        hello = client_hello(minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_2, ciphers=ciphers + ":@SECLEVEL=0")
    except ssl.SSLError:
        pytest.skip("this OpenSSL does not know the suite")
    assert alert_of(reply_to(node, hello)) == 40


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_both_new_tls_versions_are_served_with_authenticated_encryption(node, secret, version):
    with node.connect(context=node.tls_context(minimum=version, maximum=version)) as connection:
        name, protocol, bits = connection.socket.cipher()
        assert "GCM" in name or "CHACHA20" in name
        assert bits >= 128
        assert connection.exchange(read_request(node, secret).render()).status == 200


def test_the_certificate_is_checked_by_default(node):
    with pytest.raises(ssl.SSLCertVerificationError):
        node.connect(context=ssl.create_default_context())


def test_plain_http_is_closed_at_once_without_a_word_of_http(node):
    began = time.monotonic()
    reply = reply_to(node, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply is not None and b"HTTP" not in reply
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "data",
    [b"\0" * 100, b"\xff" * 100, os.urandom(1000), b"\x16\x03\x01\xff\xff" + b"\x01" * 200, b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", b"\x80\x2e\x01\x03\x01" + b"\0" * 44, b"SSH-2.0-x\r\n"],
    ids=["zeros", "ones", "random", "record too long", "cut hello", "SSL 2 hello", "SSH"],
)
def test_garbage_instead_of_a_handshake(node, data):
    reply = reply_to(node, data, HANDSHAKE_SECONDS + LATE_SECONDS)
    assert reply is not None, "still open after the handshake deadline"
    assert b"HTTP" not in reply


def test_a_hello_cut_anywhere_and_closed(node):
    hello = client_hello(minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3)
    for length in range(1, len(hello), 23):
        with node.connect_plain() as connection:
            connection.send(hello[:length])
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.read_until_closed(LATE_SECONDS) is not None


def test_garbage_after_the_handshake(node):
    with node.connect() as connection:
        raw = socket.socket(fileno=os.dup(connection.socket.fileno()))
        with raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + os.urandom(32))
        assert connection.is_closed_within(LATE_SECONDS)
        assert b"HTTP" not in connection.buffer


def test_http_2_is_not_offered(node):
    context = node.tls_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with node.connect(context=context) as connection:
        assert connection.socket.selected_alpn_protocol() in ("http/1.1", None)
    assert_refused_and_closed(node, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", (400, 404, 505))


def s_client(node, *options, feed=b"", seconds=20):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", node.host, "-CAfile", node.ca_file, "-verify_return_error", *options],
        input=feed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
    )
    return done.stdout.decode(errors="replace")


def test_renegotiation_is_refused(node):
    """s_client renegotiates on a line that holds only R."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", node.host, "-CAfile", node.ca_file, "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        output = b""
        deadline = time.monotonic() + HANDSHAKE_SECONDS + LATE_SECONDS
        while time.monotonic() < deadline and b"no renegotiation" not in output.lower():
            ready, _, _ = select.select([client.stdout], [], [], 0.2)
            data = os.read(client.stdout.fileno(), 65536) if ready else b""
            output += data
            if ready and not data:
                break
    finally:
        client.kill()
        client.wait()
    text = output.decode(errors="replace")
    assert "RENEGOTIATING" in text, text
    # A renegotiation that works verifies the certificate once more.
    assert "verify return" not in text.partition("RENEGOTIATING")[2], text


def test_neither_compression_nor_early_data(node):
    output = s_client(node, "-tls1_3", feed=b"Q\n")
    assert "Verification: OK" in output, output
    assert "Compression: NONE" in output
    assert all(size == "0" for size in re.findall(r"Max Early Data: (\d+)", output)), output


def test_a_ticket_of_another_node_means_a_full_handshake(node, make_node):
    other = make_node().start()
    context = node.tls_context()
    context.load_verify_locations(other.ca_file)
    with node.connect(context=context) as connection:
        assert connection.exchange(node.sign("GetRandomPassword", {}).render()).status == 200
        session = connection.socket.session  # TLS 1.3 tickets come with the first answer
    with other.connect(context=context, session=session) as connection:
        assert not connection.socket.session_reused
        assert connection.exchange(other.sign("GetRandomPassword", {}).render()).status == 200


# ---------------------------------------------------------------- slow clients (N5, N6)


def test_silent_and_dripping_handshakes_end_at_the_deadline_and_stop_nobody(node, secret):
    hello = client_hello(minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3)
    began = time.monotonic()
    silent = [node.connect_plain() for _ in range(300)]
    dripping = node.connect_plain()
    try:
        for _ in range(5):
            with node.connect() as connection:
                assert connection.exchange(read_request(node, secret).render()).status == 200
        dripped = 0
        while True:  # one byte every now and then: the deadline is for the whole handshake
            assert time.monotonic() - began < HANDSHAKE_SECONDS + LATE_SECONDS, "a dripping handshake stays open"
            try:
                dripping.send(hello[dripped : dripped + 1])
                dripped += 1
            except ConnectionError:
                break
            if select.select([dripping.socket], [], [], 0.5)[0]:
                break
        assert time.monotonic() - began > HANDSHAKE_SECONDS - 1, "closed long before the deadline"
        left = HANDSHAKE_SECONDS + LATE_SECONDS - (time.monotonic() - began)
        assert all(connection.read_until_closed(max(left, 1)) is not None for connection in silent)
    finally:
        for connection in [*silent, dripping]:
            connection.socket.close()


def drip(connection: Connection, data: bytes, every: float, limit: float) -> float:
    """Sends byte after byte; the seconds until the node closes the connection."""
    began = time.monotonic()
    for position in range(len(data)):
        try:
            connection.send(data[position : position + 1])
            if connection.is_closed_within(every):
                break
        except (OSError, Closed):
            break
        if time.monotonic() - began > limit:
            raise AssertionError(f"still open after {limit} s")
    return time.monotonic() - began


def test_slow_headers_slow_bodies_and_clients_that_never_read(node, sm, secret):
    """The three deadlines side by side, each on a connection of its own; meanwhile others are served."""
    big = new_value("x" * 60_000)
    sm.create_secret(Name=secret["Name"] + "/big", SecretString=big)
    whole = read_request(node, secret).render()
    head, _, body = whole.partition(b"\r\n\r\n")
    outcome = {}

    def slow_header():
        with node.connect() as connection:
            outcome["header"] = drip(connection, head[:20], 1.0, HEADER_SECONDS + LATE_SECONDS)

    def slow_body():
        with node.connect() as connection:
            connection.send(head + b"\r\n\r\n")
            outcome["body"] = drip(connection, body[:-1] * 4, 1.0, BODY_SECONDS + LATE_SECONDS)

    def never_read():
        request = node.sign("GetSecretValue", {"SecretId": secret["Name"] + "/big"}).render()
        with node.connect(receive_buffer=4096, timeout=1) as connection:
            began = time.monotonic()
            try:
                # More than the buffers of both sockets may come to hold.
                connection.send(request * (48 * KIB * KIB // len(request)))
                raise AssertionError("the node reads on and on though nobody takes its answers")
            except (socket.timeout, ssl.SSLWantWriteError):
                pass
            poller = select.poll()
            poller.register(connection.socket, select.POLLHUP | select.POLLERR)
            poller.poll(1000 * (WRITE_SECONDS + LATE_SECONDS))
            outcome["write"] = time.monotonic() - began

    def guarded(task, name):
        try:
            task()
        except BaseException as error:
            outcome[name] = error

    tasks = [(slow_header, "header"), (slow_body, "body"), (never_read, "write")]
    threads = [threading.Thread(target=guarded, args=task) for task in tasks]
    memory = node.memory()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert node.call("GetSecretValue", {"SecretId": secret["Name"]}).status == 200
        assert node.memory() - memory < 64 * KIB * KIB, "answers that nobody reads pile up"
        for thread in threads:
            thread.join(0.1)
    for name, deadline in (("header", HEADER_SECONDS), ("body", BODY_SECONDS), ("write", WRITE_SECONDS)):
        took = outcome[name]
        assert isinstance(took, float), took
        assert deadline - 2 < took < deadline + LATE_SECONDS, f"{name}: {took:.1f} s"
