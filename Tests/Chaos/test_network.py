"""What is cut does not come through, what is healed does; in both kinds of network."""
from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import Iterator

import pytest

from harness.network import API_PORT, NamespaceNetwork, namespaces_work
from harness.proxy import LinkProxies

# Long enough for anything that is not cut; nothing waits for it but what must not come.
SILENCE_SECONDS = 0.5
COMES_SECONDS = 10.0

ECHO = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    while data := connection.recv(99):
        connection.sendall(data)
"""


@contextmanager
def echo_server(host: str, port: int, *through: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*through, sys.executable, "-c", ECHO, host, str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def comes(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(99) != b""
    except socket.timeout:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("cut", [(1, 2), (2, 1)])
def test_a_proxy_holds_back_one_direction_and_delivers_it_when_healed(cut: tuple[int, int]) -> None:
    proxies = LinkProxies()
    port = free_port()
    with ExitStack() as stack:
        stack.callback(proxies.stop)
        stack.enter_context(echo_server("127.0.0.1", port))
        # This process is node 1, and dials node 2.
        proxies.belongs(os.getpid(), 1)
        host, _, dialled = proxies.add(2, f"127.0.0.1:{port}").rpartition(":")
        connection = stack.enter_context(socket.create_connection((host, int(dialled))))
        connection.sendall(b"one")
        assert comes(connection, COMES_SECONDS)
        proxies.cut([cut])
        connection.sendall(b"two")
        assert not comes(connection, SILENCE_SECONDS)
        proxies.heal()
        assert comes(connection, COMES_SECONDS)


def test_a_cut_between_others_holds_nothing_back() -> None:
    proxies = LinkProxies()
    port = free_port()
    with ExitStack() as stack:
        stack.callback(proxies.stop)
        stack.enter_context(echo_server("127.0.0.1", port))
        proxies.belongs(os.getpid(), 1)
        host, _, dialled = proxies.add(2, f"127.0.0.1:{port}").rpartition(":")
        proxies.cut([(3, 2), (2, 3)])
        connection = stack.enter_context(socket.create_connection((host, int(dialled))))
        connection.sendall(b"one")
        assert comes(connection, COMES_SECONDS)


@pytest.mark.skipif(bool(namespaces_work()), reason=namespaces_work() or "works")
def test_namespaces_drop_what_is_cut_and_leave_nothing_behind() -> None:
    tag = os.urandom(3).hex()
    network = NamespaceNetwork(tag)
    with ExitStack() as stack:
        stack.callback(network.remove)
        one, two = network.add(1), network.add(2)
        host = two.api.rpartition(":")[0]
        stack.enter_context(echo_server(host, API_PORT, *network.prefix(2)))

        def reaches(*through: str) -> bool:
            dial = f"import socket; socket.create_connection(('{host}', {API_PORT}), {SILENCE_SECONDS}).close()"
            return subprocess.run([*through, sys.executable, "-c", dial], capture_output=True).returncode == 0

        assert one.api != two.api
        assert reaches() and reaches(*network.prefix(1))
        network.cut([(1, 2)])
        assert reaches() and not reaches(*network.prefix(1))
        network.heal()
        network.cut([(2, 1)])
        assert reaches() and not reaches(*network.prefix(1))
        network.heal()
        network.cut_clients([2])
        assert not reaches() and reaches(*network.prefix(1))
        network.heal()
        # Nothing is lost on the way to clients.
        network.lose(2, 99)
        assert reaches()
        network.heal()
        assert reaches() and reaches(*network.prefix(1))
    assert tag not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert tag not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout


def test_a_connection_of_an_unknown_process_is_nobodys_and_not_cut() -> None:
    proxies = LinkProxies()
    port = free_port()
    with ExitStack() as stack:
        stack.callback(proxies.stop)
        stack.enter_context(echo_server("127.0.0.1", port))
        host, _, dialled = proxies.add(2, f"127.0.0.1:{port}").rpartition(":")
        proxies.cut([(1, 2), (2, 1)])
        connection = stack.enter_context(socket.create_connection((host, int(dialled))))
        connection.sendall(b"one")
        assert comes(connection, COMES_SECONDS)
