"""What the objects of a workload have in common.

An object is used for a while and then retired, so that the search for an order stays short: after so many operations, or when too many
writes of unknown outcome are open.
"""
from __future__ import annotations

import itertools
import random
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar, Optional

from .clients import Answer, Endpoints
from .history import HistoryWriter

TOKEN_PREFIX = "00000000-0000-4000-8000-"
VALUE_PREFIX = "chaos value "


def token(number: int) -> str:
    """A ClientRequestToken, which becomes the version's id."""
    return f"{TOKEN_PREFIX}{number:012x}"


def number(version: str) -> int:
    return int(version[len(TOKEN_PREFIX):], 16)


@dataclass
class Bench:
    """What all objects of a worker share. Its counters may be used from several threads."""

    worker: int
    endpoints: Endpoints
    history: HistoryWriter
    # What no correct cluster answers, in words.
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Unique in the run; 0 means that nothing was written.
        self._numbers = itertools.count(self.worker * 10**9 + 1)

    def new_number(self) -> int:
        return next(self._numbers)


class Client:
    """One thread's view. It becomes another client when it does not know the outcome of an operation."""

    def __init__(self, bench: Bench, thread: int, rng: random.Random) -> None:
        self.bench = bench
        self.thread = thread
        self.rng = rng
        self._id = bench.new_number()

    def call(self, operation: str, node: Optional[int] = None, **parameters: Any) -> Answer:
        nodes = self.bench.endpoints.nodes()
        return self.bench.endpoints.call(node or self.rng.choice(nodes), operation, **parameters)

    def note(self, model: str, key: str, op: str, args: dict[str, Any], answer: Answer, result: Optional[dict[str, Any]], outcome: str = "") -> None:
        """Writes a line. An answer that the object decided is `ok` in the history, with its result."""
        outcome = outcome or {"refused": "ok"}.get(answer.kind, answer.kind)
        returned = None if outcome == "unknown" else answer.returned
        self.bench.history.add(
            self._id, model, key, op, args, outcome, result if outcome == "ok" else None, answer.called, returned, answer.node, answer.code)
        if outcome == "unknown":
            self._id = self.bench.new_number()

    def finding(self, key: str, op: str, answer: Answer, what: str) -> None:
        self.bench.findings.append(f"{op} of {key} at node {answer.node}: {what} ({answer.code or answer.kind}, called at {answer.called})")


class Object:
    """One key. Used from several threads; counters need not be exact."""

    model: ClassVar[str]
    operations_max: ClassVar[int] = 150
    # Writes whose outcome nobody learns from later answers.
    unknown_max: ClassVar[int] = 5

    def __init__(self, key: str) -> None:
        self.key = key
        self._operations = 0
        self._unknown = 0

    def set_up(self, client: Client) -> bool:
        """Makes what the object needs. False for a failure: it is then not used at all."""
        return True

    def step(self, client: Client) -> None:
        raise NotImplementedError

    def look(self, client: Client, node: int) -> bool:
        """A reading by one node at the end of the run. False when it gave no answer."""
        raise NotImplementedError

    @property
    def is_retired(self) -> bool:
        return self._operations >= self.operations_max or self._unknown >= self.unknown_max

    def _count(self, answer: Answer, is_write: bool) -> None:
        self._operations += 1
        if is_write and answer.kind == "unknown":
            self._unknown += 1


class Pool:
    """The objects of one kind that are in use, and those that were."""

    def __init__(self, kind: type[Object], prefix: str, count: int) -> None:
        self._kind = kind
        self._prefix = prefix
        self._count = count
        self._lock = threading.Lock()
        self._active: list[Object] = []
        self._made = 0
        self._on_their_way = 0
        # All that were ever used.
        self.used: list[Object] = []

    def take(self, client: Client) -> Optional[Object]:
        """One to work on; None when none can be made now."""
        with self._lock:
            self._active = [one for one in self._active if not one.is_retired]
            if len(self._active) + self._on_their_way >= self._count:
                return client.rng.choice(self._active) if self._active else None
            self._made += 1
            self._on_their_way += 1
            fresh = self._kind(f"{self._prefix}{self._made}" )
        is_ready = False
        try:
            is_ready = fresh.set_up(client)
        finally:
            with self._lock:
                self._on_their_way -= 1
                if is_ready:
                    self._active.append(fresh)
                    self.used.append(fresh)
        return fresh if is_ready else None
