"""Connections: clients that vanish, keep-alive, half-close, resumption, many at once."""
from __future__ import annotations

import os
import resource
import socket
import ssl
import threading

import pytest

from support.node import new_name, new_token, new_value
from support.waiting import wait_for
from support.wire import Closed


def exists(client, name):
    try:
        client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("goodbye", ["reset", "close", "half_close"])
def test_a_client_that_vanishes_in_the_middle_of_a_request_leaves_nothing(node, sm, part, goodbye):
    name = new_name()
    data = node.sign("CreateSecret", {"Name": name, "SecretString": new_value("x" * 5000), "ClientRequestToken": new_token()}).render()
    connection = node.connect()
    connection.send(data[: int(len(data) * part)])
    getattr(connection, goodbye)()
    if goodbye == "half_close":
        assert connection.is_closed_within(20), "the node waits for a body that cannot come"
        assert not connection.buffer.startswith(b"HTTP/1.1 200")
    connection.close()
    node.still_serves()
    assert not exists(sm, name)


def test_a_client_that_vanishes_before_its_answer_leaves_all_or_nothing(node, sm):
    """Many requests whose answer nobody takes: each secret is there whole, or not at all."""
    value = new_value()
    names = [new_name() for _ in range(30)]
    for name in names:
        connection = node.connect()
        connection.send(node.sign("CreateSecret", {"Name": name, "SecretString": value, "ClientRequestToken": new_token()}).render())
        connection.reset()
    for name in names:
        if exists(sm, name):
            assert sm.get_secret_value(SecretId=name)["SecretString"] == value


def test_many_requests_on_one_connection(node, secret, value):
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}).render()
    with node.connect() as connection:
        for _ in range(500):
            answer = connection.exchange(request)
            assert (answer.status, answer.json["SecretString"]) == (200, value)


def test_errors_keep_the_connection(node, secret, value):
    bad = node.sign("GetSecretValue", {"SecretId": new_name()}).render()
    good = node.sign("GetSecretValue", {"SecretId": secret["Name"]}).render()
    with node.connect() as connection:
        for _ in range(20):
            assert connection.exchange(bad).status == 400
            assert connection.exchange(good).status == 200


@pytest.mark.parametrize("word", ["close", "Close", "keep-alive, close"])
def test_connection_close_is_honoured(node, secret, value, word):
    with node.connect() as connection:
        answer = connection.exchange(node.sign("GetSecretValue", {"SecretId": secret["Name"]}, connection=word).render())
        assert answer.status == 200 and answer.headers.get("connection", "").lower() == "close"
        assert connection.is_closed_within(5)
        assert not connection.buffer


def test_a_half_closed_client_gets_its_answers(node, secret, value):
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}).render()
    with node.connect() as connection:
        connection.send(request * 3)
        connection.half_close()
        for _ in range(3):
            assert connection.read_answer().json["SecretString"] == value
        assert connection.is_closed_within(10)


def test_the_node_says_goodbye_in_tls(node, secret):
    """close_notify before FIN, so that no client takes the end for a truncation."""
    with node.connect() as connection:
        connection.socket.suppress_ragged_eofs = False
        connection.send(node.sign("GetSecretValue", {"SecretId": secret["Name"]}, connection="close").render())
        assert connection.read_answer().status == 200
        try:
            assert connection.socket.recv(1) == b""
        except ssl.SSLZeroReturnError:
            pass  # what close_notify looks like with ragged ends not suppressed
        # SSLEOFError here would be the missing close_notify.


def test_tls_sessions_are_resumed(node, secret):
    """TLS 1.3 only: a ticket of TLS 1.2 would carry the session's secret itself."""
    version = ssl.TLSVersion.TLSv1_3
    context = node.tls_context(minimum=version, maximum=version)
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}).render()
    with node.connect(context=context) as connection:
        assert not connection.socket.session_reused
        assert connection.exchange(request).status == 200
        session = connection.socket.session
    with node.connect(context=context, session=session) as connection:
        assert connection.socket.session_reused
        assert connection.exchange(request).status == 200


def test_the_certificate_is_good_for_localhost_too(node):
    context = node.tls_context()
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            names = {value for _, value in secured.getpeercert()["subjectAltName"]}
    assert {"localhost", "127.0.0.1"} <= names


def test_boto3_through_localhost(node, secret, value):
    client = node.client(endpoint_url=f"https://localhost:{node.port}")
    try:
        assert client.get_secret_value(SecretId=secret["Name"])["SecretString"] == value
    except client.exceptions.ClientError as error:
        pytest.fail(f"a signed Host of localhost is refused: {error}")


def test_hundreds_of_connections_at_once(node, secret, value):
    wanted = 400
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 200), hard))
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}).render()
    context = node.tls_context()
    connections = []
    try:
        for _ in range(wanted):
            connections.append(node.connect(context=context))
        for connection in connections:
            connection.send(request)
        for connection in connections:
            assert connection.read_answer().json["SecretString"] == value
        for connection in reversed(connections):
            assert connection.exchange(request).status == 200
    finally:
        for connection in connections:
            connection.close()


def test_sixteen_writers_and_readers_at_once(node, sm):
    """Each thread sees its own writes at once, on one secret each."""
    failures = []

    def work(number):
        try:
            name = new_name()
            made = node.call("CreateSecret", {"Name": name, "SecretString": f"{number}", "ClientRequestToken": new_token()})
            assert made.status == 200, made.body
            for turn in range(20):
                value = new_value(f"{number}/{turn}")
                put = node.call("PutSecretValue", {"SecretId": name, "SecretString": value, "ClientRequestToken": new_token()})
                assert put.status == 200, put.body
                assert node.call("GetSecretValue", {"SecretId": name}).json["SecretString"] == value
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_one_name_is_given_to_one_of_many(node):
    """Sixteen clients create the same name at once: one succeeds."""
    name = new_name()
    answers = []
    start = threading.Barrier(16)

    def create():
        request = node.sign("CreateSecret", {"Name": name, "SecretString": new_value(), "ClientRequestToken": new_token()}).render()
        with node.connect() as connection:
            start.wait()
            answers.append(connection.exchange(request))

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] + [400] * 15
    assert {answer.code for answer in answers if answer.status == 400} == {"ResourceExistsException"}


def test_a_token_used_by_many_at_once_makes_one_version(node, sm, secret):
    token, value = new_token(), new_value()
    request = node.sign("PutSecretValue", {"SecretId": secret["Name"], "SecretString": value, "ClientRequestToken": token}).render()
    answers = []

    def put():
        with node.connect() as connection:
            answers.append(connection.exchange(request))

    threads = [threading.Thread(target=put) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 12
    assert set(sm.describe_secret(SecretId=secret["Name"])["VersionIdsToStages"]) == {secret["VersionId"], token}


def test_file_descriptors_are_given_back(node):
    def descriptors():
        return len(os.listdir(f"/proc/{node.pid}/fd"))

    node.still_serves()
    before = descriptors()
    for _ in range(100):
        try:
            with node.connect() as connection:
                connection.exchange(node.sign("GetRandomPassword", {}).render())
        except Closed:
            pytest.fail("a fresh connection was closed")
    wait_for(lambda: descriptors() <= before + 5, 20, "descriptors to be closed")
