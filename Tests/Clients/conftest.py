"""Fixtures: a node for the whole session, nodes of a test's own, and clients."""
from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from support.node import MARKER, Node, new_name, new_token, new_value


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The node that ordinary tests share. At its end no value of any test may be in its files."""
    made = Node(tmp_path_factory.mktemp("session-node"))
    made.init()
    made.start()
    yield made
    status = made.stop()
    assert status == 0, f"SIGTERM must end the node with status 0, not {status}:\n{made.log_tail()}"
    for path in [made.log, *(path for path in made.data.rglob("*") if path.is_file())]:
        assert MARKER.encode() not in path.read_bytes(), f"a secret value is in {path}"


@pytest.fixture
def make_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Node]]:
    """Makes nodes of the test's own, initialised; they are gone after the test."""
    made: list = []

    def make(directory: Any = None, **options: Any) -> Node:
        fresh = Node(directory or tmp_path_factory.mktemp("node"), **options)
        made.append(fresh)
        fresh.init()
        return fresh

    yield make
    for one in made:
        one.end()


@pytest.fixture
def own_node(make_node: Callable[..., Node]) -> Node:
    """A started node that no other test touches."""
    return make_node().start()


@pytest.fixture(autouse=True)
def the_shared_node_still_serves(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that had the shared node it must still answer."""
    yield
    if "node" in request.fixturenames:
        request.getfixturevalue("node").still_serves()


@pytest.fixture
def sm(node: Node) -> Any:
    """boto3, as users have it, without retries."""
    return node.client()


@pytest.fixture
def raw(node: Node) -> Any:
    """boto3 that lets everything through to the server."""
    return node.client(check_parameters=False)


@pytest.fixture
def name() -> str:
    return new_name()


@pytest.fixture
def value() -> str:
    return new_value()


@pytest.fixture
def tokens() -> Iterator[str]:
    """Fresh ClientRequestTokens: next(tokens)."""
    return (new_token() for _ in itertools.count())


@pytest.fixture
def secret(sm: Any, name: str, value: str) -> dict:
    """A secret with one string version: what CreateSecret answered."""
    return sm.create_secret(Name=name, SecretString=value)


@pytest.fixture
def memory_stays(node: Node) -> Iterator[None]:
    """No input of the test may make the node keep much memory (values and buffers of the test included)."""
    before = node.memory()
    yield
    assert node.memory() - before < 96 * 1024 * 1024, "memory grew"


@pytest.fixture
def read(node: Node, secret: dict) -> Callable[..., Any]:
    """Makes a signed GetSecretValue, with any options of the signer."""

    def make(**options: Any) -> Any:
        return node.sign("GetSecretValue", {"SecretId": secret["Name"]}, **options)

    return make


def pytest_report_header() -> str:
    from support.node import executable

    try:
        return f"conclave: {os.path.relpath(executable(), Path(__file__).parents[2])}"
    except FileNotFoundError as error:
        return str(error)
