"""Framing, header lines, request lines, pipelining: HTTP that is broken on purpose (threats N7-N13). After each the node serves on."""
from __future__ import annotations

import os
import random
import re
import select
import threading
import time

import pytest

from support.node import MARKER, new_token, new_value
from support.raw import KIB, LATE_SECONDS, answers_until_closed, assert_refused_and_closed, read_request
from support.waiting import wait_for


pytestmark = pytest.mark.usefixtures("memory_stays")


# ---------------------------------------------------------------- header and body limits (N7, N8)


def head_with(node, lines):
    return ("POST / HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in [f"Host: {node.host}", *lines]) + "\r\n").encode()


@pytest.mark.parametrize(
    "lines",
    [
        [f"X-H{number}: v" for number in range(101)], ["X-Long: " + "v" * 9 * KIB], [f"X-H{number}: " + "v" * 5 * KIB for number in range(7)],
        ["N" * 9 * KIB + ": v"], ["a:"] * 100_000,
    ],
    ids=["101 headers", "9 KiB value", "35 KiB block", "9 KiB name", "100,000 headers"],
)
def test_header_bombs(node, lines):
    found = assert_refused_and_closed(node, head_with(node, lines), (431, 400))
    assert found or len(lines) > 1000, "an answer was due"
    if len(lines) <= 101 and not lines[0].startswith("NN"):
        assert found == [431]


def test_a_request_line_of_64_kib(node):
    assert_refused_and_closed(node, b"POST /" + b"a" * 64 * KIB + b" HTTP/1.1\r\nHost: x\r\n\r\n", (400, 414, 431))


def test_a_body_beyond_the_limit_is_refused_without_reading_it(node):
    for length in (10 * KIB**3, KIB**2 + 1):
        began = time.monotonic()
        found = assert_refused_and_closed(node, head_with(node, [f"Content-Length: {length}", "Content-Type: application/x-amz-json-1.1"]), (413,))
        assert found == [413]
        assert time.monotonic() - began < 3, "it waited for the body"


def test_a_body_of_200_kib_is_read(node, sm, name):
    members = {"Name": name, "ClientRequestToken": new_token(), "SecretString": new_value(), "Ignored": "x" * 200 * KIB}
    assert node.call("CreateSecret", members).status == 200


@pytest.mark.parametrize("length", ["-1", "+5", "5,5", "5, 5", "0x10", "9" * 30, "", "five", "1e3", "5 5", "5;", "٥", "18446744073709551616", "-0", "5.0"])
def test_bad_content_lengths(node, length):
    found = assert_refused_and_closed(node, head_with(node, [f"Content-Length: {length}"]) + b"{}{}{", (400, 413))
    assert found


# ---------------------------------------------------------------- framing (N9)


def smuggled(node, secret):
    """A whole good request: never to be answered where it follows bad framing."""
    return read_request(node, secret).render()


@pytest.mark.parametrize(
    "lines, body",
    [
        (["Content-Length: 4", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Content-Length: 4"], b"0\r\n\r\n"),
        (["Content-Length: 4", "Content-Length: 5"], b"{}  "),
        (["Content-Length: 4", "Content-Length: 4"], b"{}  "),
        (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n"), (["Transfer-Encoding: identity"], b""), (["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: \x0bchunked"], b"0\r\n\r\n"), (["Transfer-Encoding : chunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], b"0\r\n\r\n"), (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"-1\r\n\r\n"), (["Transfer-Encoding: chunked"], b"0x5\r\nhello\r\n0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"FFFFFFFFFFFFFFFF\r\nhello"), (["Transfer-Encoding: chunked"], b"FFFFFFFFFFFFFFFFF\r\nhello"),
        (["Transfer-Encoding: chunked"], b"5;" + b"e" * KIB * KIB + b"\r\nhello\r\n0\r\n\r\n"), (["Transfer-Encoding: chunked"], b"5\nhello\n0\n\n"),
        (["Transfer-Encoding: chunked"], b"5\r\nhelloXX0\r\n\r\n"), (["Transfer-Encoding: chunked"], b" 5\r\nhello\r\n0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"\r\nhello\r\n0\r\n\r\n"), (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"),
    ],
    ids=lambda case: (repr(case)[:50] if isinstance(case, (list, bytes)) else case),
)
def test_ambiguous_framing_ends_the_connection(node, secret, lines, body):
    found = assert_refused_and_closed(node, head_with(node, lines) + body, (400, 411, 413, 431, 501), after=smuggled(node, secret))
    assert found or len(body) > KIB * KIB, "an answer was due"


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\nHost: x\n\n", b"POST / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n", b"POST / HTTP/1.1\rHost: x\r\r", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n folded\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n folded: first\r\n\r\n", b"POST / HTTP/1.1\r\n Host: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nX-A\t: b\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nÜ: b\r\n\r\n".encode(), b"POST / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nX(A): b\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: \x01\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-A: \x7f\r\n\r\n",
    ],
    ids=[
        "bare LF", "one bare LF", "bare CR", "CR in a value", "folded", "folded at once", "blank before the first", "blank before colon", "tab before colon",
        "NUL in a name", "NUL in a value", "UTF-8 name", "no colon", "no name", "brackets in a name", "control character", "DEL",
    ],
)
def test_broken_header_lines_end_the_connection(node, secret, data):
    assert assert_refused_and_closed(node, data, (400,), after=smuggled(node, secret)) == [400]


# ---------------------------------------------------------------- request lines and hosts (N11, N12)


@pytest.mark.parametrize(
    "line",
    [
        "POST http://other.example/ HTTP/1.1", "POST * HTTP/1.1", "OPTIONS * HTTP/1.1", "POST /#fragment HTTP/1.1", "CONNECT other.example:443 HTTP/1.1",
        "POST / HTTP/3.0", "POST / HTTP/2.0", "POST / HTTP/1.2", "POST / HTTP/1.10", "POST / http/1.1", "POST / HTTP/1", "POST /", "POST", "",
        "POST  / HTTP/1.1", "POST / HTTP/1.1 ", " POST / HTTP/1.1", "POST\t/\tHTTP/1.1", "POST / x HTTP/1.1", "POST / HTTP/1.1\0", "P\0ST / HTTP/1.1",
        "POST /\x7f HTTP/1.1", "POST /é HTTP/1.1", "POST relative HTTP/1.1", "POST /%zz HTTP/1.1", "POST /%00 HTTP/1.1", "POST /\\ HTTP/1.1", "(){}; HTTP/1.1",
    ],
    ids=lambda line: line.encode("unicode_escape").decode() or "empty",
)
def test_odd_request_lines(node, line):
    data = f"{line}\r\nHost: {node.host}\r\nContent-Length: 0\r\n\r\n".encode()
    with node.connect() as connection:
        connection.send(data)
        connection.half_close()
        statuses = answers_until_closed(connection)
    assert len(statuses) <= 1
    assert all(400 <= status < 600 and status != 500 for status in statuses), statuses


def test_http_0_9_and_1_0(node, secret):
    assert_refused_and_closed(node, b"GET /\r\n", (400, 505))
    found = assert_refused_and_closed(node, b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", (400, 403, 404, 505))
    assert found


@pytest.mark.parametrize("host", ["", " ", "user@127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "[fe80::1%25eth0]", "127.0.0.1:x", "a b", "127.0.0.1/", "127.0.0.1#"])
def test_odd_hosts_are_refused_even_when_signed(node, secret, host):
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}, host=host)
    with node.connect() as connection:
        answer = connection.exchange(request.render())
    assert answer.status == 400, answer.body
    assert MARKER.encode() not in answer.body


def test_no_host_and_two_hosts(node):
    assert assert_refused_and_closed(node, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", (400,)) == [400]
    two = f"POST / HTTP/1.1\r\nHost: {node.host}\r\nHost: {node.host}\r\nContent-Length: 0\r\n\r\n".encode()
    assert assert_refused_and_closed(node, two, (400,)) == [400]


# ---------------------------------------------------------------- pipelining (N13)


def test_a_thousand_pipelined_requests_get_one_answer_each_in_order(node, sm, secret):
    names = [f"{secret['Name']}/{number}" for number in range(10)]
    for name in names:
        sm.create_secret(Name=name)
    order = [names[number * 7 % 10] for number in range(1000)]
    requests = b"".join(node.sign("DescribeSecret", {"SecretId": name}).render() for name in order)
    with node.connect(timeout=60) as connection:
        sender = threading.Thread(target=connection.send, args=(requests,))
        sender.start()
        for name in order:
            answer = connection.read_answer()
            assert (answer.status, answer.json["Name"]) == (200, name)
        sender.join()
        assert not connection.buffer
        assert connection.exchange(node.sign("GetRandomPassword", {}).render()).status == 200


def test_a_request_inside_the_body_of_another_is_body(node, secret):
    inner = read_request(node, secret).render()
    with node.connect() as connection:
        connection.send(node.sign("DescribeSecret", inner).render())
        first = connection.read_answer()
        assert (first.status, first.code) == (400, "SerializationException")
        answer = connection.exchange(node.sign("GetRandomPassword", {}).render())
        assert "RandomPassword" in answer.json


def test_requests_cut_into_single_bytes_are_read_like_any_other(node, secret, value):
    data = read_request(node, secret).render()
    with node.connect() as connection:
        for position in range(len(data)):
            connection.send(data[position : position + 1])
        assert connection.read_answer().json["SecretString"] == value


def test_blank_lines_before_a_request_do_no_harm(node, secret):
    """RFC 9112, 2.2: a server may skip an empty line. It may refuse it too, but must not hang."""
    with node.connect() as connection:
        connection.send(b"\r\n" + read_request(node, secret).render())
        assert connection.read_answer().status in (200, 400)


def test_expect_continue(node, secret):
    """With or without the interim answer, the request is served in the end."""
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}, unsigned=[("Expect", "100-continue")]).render()
    head, _, body = request.partition(b"\r\n\r\n")
    with node.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        select.select([connection.socket], [], [], 1.0)  # what curl waits
        connection.send(body)
        assert connection.read_answer().status in (200, 417)


# ---------------------------------------------------------------- names on the wire (N17)


@pytest.mark.parametrize("name", ["nul\0", "..\\..", "%2e%2e", "a b", "é", "e\u0301", "\u202e", "🔑", "n" * 513, ""])
def test_no_odd_name_is_stored(node, name):
    answer = node.call("CreateSecret", {"Name": name, "SecretString": new_value(), "ClientRequestToken": new_token()})
    assert answer.status == 400
    assert answer.code in ("ValidationException", "InvalidParameterException")
    listed = node.call("ListSecrets", {"Filters": [{"Key": "name", "Values": [name[:10]]}]}) if name and name.isascii() and name.isprintable() else None
    if listed is not None and listed.status == 200:
        assert name not in [entry["Name"] for entry in listed.json["SecretList"]]


def test_random_bytes_over_tls(node):
    """Fifty connections of random bytes: each is closed, with or without an answer."""
    for seed in range(50):
        data = os.urandom(200) + b"\r\n\r\n"
        with node.connect() as connection:
            connection.send(data)
            connection.half_close()
            assert connection.is_closed_within(LATE_SECONDS), (seed, data)
            assert not connection.buffer or connection.buffer.startswith(b"HTTP/1.1 4"), connection.buffer


def test_random_mutations_of_a_good_request(node, secret, value):
    """Bytes removed, doubled and changed at random places: never an answer with the value, never a hang."""
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    chance = random.Random(seed)
    good = read_request(node, secret).render()
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                del data[place]
            elif kind == 1:
                data.insert(place, data[place])
            elif kind == 2:
                data[place] = chance.randrange(256)
            else:
                del data[place : place + chance.randrange(40)]
        if bytes(data) == good:
            continue
        with node.connect() as connection:
            connection.send(bytes(data))
            connection.half_close()
            assert connection.is_closed_within(LATE_SECONDS), f"seed {seed}: {bytes(data)!r}"
            if value.encode() in connection.buffer:
                assert b" 200 " in connection.buffer[:20]
                assert essence(bytes(data)) == essence(good), f"seed {seed}: accepted {bytes(data)!r}"


def essence(data):
    """A request without what no signature covers: case of header names, blanks, separators, leading zeros, HTTP's version, and what
    stands behind it on the connection."""
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length:[ \t]*([0-9]+)", head.lower())
    data = head + b"\r\n\r\n" + body[: int(length.group(1))] if length else data
    text = re.sub(rb"[ \t,]", b"", data.lower())
    text = re.sub(rb"content-length:0*", b"content-length:", text).replace(b"http/1.0", b"http/1.1")
    return sorted(text.split(b"\r\n"))


def test_the_node_closes_what_it_was_told_to_close(node):
    """After all of the above no connection of ours is left open on the node's side."""

    def open_sockets():
        count = 0
        for entry in os.listdir(f"/proc/{node.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{node.pid}/fd/{entry}").startswith("socket:")
            except OSError:
                pass
        return count

    wait_for(lambda: open_sockets() < 60, 60, "sockets to be closed")
