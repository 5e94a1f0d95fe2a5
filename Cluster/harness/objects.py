"""The objects that clients work on: one class for each model of conclave-check.

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


class Register(Object):
    """One secret's current value. Compare-and-set is a new version under a label of the client's own, and AWSCURRENT moved onto it."""

    model = "register"
    operations_max = 220
    # Below the hundred versions that a secret may have.
    versions_max = 80

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.puts: list[int] = []
        self._versions = 0
        self._last_seen = 0

    def set_up(self, client: Client) -> bool:
        value = client.bench.new_number()
        answer = client.call("create_secret", Name=self.key, SecretString=f"{VALUE_PREFIX}{value}", ClientRequestToken=token(value))
        if answer.kind != "ok":
            return False
        self._last_seen = value
        self.puts.append(value)
        client.note(self.model, self.key, "put", {"value": value}, answer, {})
        return True

    @property
    def is_retired(self) -> bool:
        return super().is_retired or self._versions >= self.versions_max

    def step(self, client: Client) -> None:
        kind = client.rng.random()
        if kind < 0.5:
            self._get(client)
        elif kind < 0.85:
            self._put(client)
        else:
            self._compare_and_set(client)

    def _get(self, client: Client, node: Optional[int] = None) -> bool:
        answer = client.call("get_secret_value", node, SecretId=self.key)
        self._count(answer, False)
        value = 0
        if answer.kind == "ok":
            value = number(answer.response["VersionId"])
            if answer.response.get("SecretString") != f"{VALUE_PREFIX}{value}":
                client.finding(self.key, "GetSecretValue", answer, "the value is another version's")
            self._last_seen = value
        client.note(self.model, self.key, "get", {}, answer, {"value": value})
        return answer.kind in ("ok", "refused")

    def _put(self, client: Client) -> None:
        value = client.bench.new_number()
        self._versions += 1
        self.puts.append(value)
        answer = client.call("put_secret_value", SecretId=self.key, SecretString=f"{VALUE_PREFIX}{value}", ClientRequestToken=token(value))
        self._count(answer, True)
        if answer.kind == "refused":
            client.finding(self.key, "PutSecretValue", answer, "refused")
        client.note(self.model, self.key, "put", {"value": value}, answer, {}, "fail" if answer.kind == "refused" else "")

    def _compare_and_set(self, client: Client) -> None:
        value, expected = client.bench.new_number(), self._last_seen
        self._versions += 1
        made = client.call(
            "put_secret_value", SecretId=self.key, SecretString=f"{VALUE_PREFIX}{value}", ClientRequestToken=token(value),
            VersionStages=[f"client-{client.thread}"])
        if made.kind != "ok":
            return
        answer = client.call(
            "update_secret_version_stage", SecretId=self.key, VersionStage="AWSCURRENT", MoveToVersionId=token(value),
            RemoveFromVersionId=token(expected))
        self._count(answer, True)
        if answer.kind == "refused" and answer.code != "InvalidParameterException":
            client.finding(self.key, "UpdateSecretVersionStage", answer, "refused for another reason than where the label is")
        client.note(self.model, self.key, "cas", {"expected": expected, "value": value}, answer, {"done": answer.kind == "ok"})

    def look(self, client: Client, node: int) -> bool:
        return self._get(client, node)

    def settle(self, client: Client, node: int) -> bool:
        """Which of the written versions are there."""
        found: list[int] = []
        page: dict[str, Any] = {}
        while True:
            answer = client.call("list_secret_version_ids", node, SecretId=self.key, IncludeDeprecated=True, **page)
            if answer.kind != "ok":
                return False
            found += [number(version["VersionId"]) for version in answer.response["Versions"]]
            if "NextToken" not in answer.response:
                break
            page = {"NextToken": answer.response["NextToken"]}
        there = set(found)
        present, absent = [value for value in self.puts if value in there], [value for value in self.puts if value not in there]
        client.note(self.model, self.key, "settle", {}, answer, {"present": present, "absent": absent})
        return True


class NameSet(Object):
    """Secrets with names of one prefix, each created once."""

    model = "set"
    operations_max = 200
    unknown_max = 40
    elements_max = 60

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._elements: list[str] = []

    @property
    def is_retired(self) -> bool:
        return super().is_retired or len(self._elements) >= self.elements_max

    def step(self, client: Client) -> None:
        kind = client.rng.random()
        if kind < 0.45 or not self._elements:
            self._add(client)
        elif kind < 0.92:
            element = client.rng.choice(self._elements)
            answer = client.call("describe_secret", SecretId=self.key + element)
            self._count(answer, False)
            client.note(self.model, self.key, "look", {"element": element}, answer, {"found": answer.kind == "ok"})
        else:
            self.look(client, client.rng.choice(client.bench.endpoints.nodes()))

    def _add(self, client: Client) -> None:
        value = client.bench.new_number()
        element = f"{value:x}"
        self._elements.append(element)
        answer = client.call(
            "create_secret", Name=self.key + element, SecretString=f"{VALUE_PREFIX}{value}", ClientRequestToken=token(value))
        self._count(answer, True)
        # A new name is refused by no correct cluster, unless it was created and that was not said.
        if answer.kind == "refused":
            client.finding(self.key + element, "CreateSecret", answer, "refused")
        client.note(self.model, self.key, "add", {"element": element}, answer, {}, "fail" if answer.kind == "refused" else "")

    def look(self, client: Client, node: int) -> bool:
        elements: list[str] = []
        page: dict[str, Any] = {}
        first: Optional[Answer] = None
        while True:
            answer = client.call("list_secrets", node, Filters=[{"Key": "name", "Values": [self.key]}], MaxResults=100, **page)
            first = first or answer
            if answer.kind != "ok":
                return False
            elements += [entry["Name"][len(self.key):] for entry in answer.response["SecretList"] if entry["Name"].startswith(self.key)]
            if "NextToken" not in answer.response:
                break
            page = {"NextToken": answer.response["NextToken"]}
        whole = Answer("ok", first.called, answer.returned, node, {})
        self._count(whole, False)
        client.note(self.model, self.key, "list", {}, whole, {"elements": elements})
        return True


class Labels(Object):
    """The labels of one secret's four versions."""

    model = "labels"
    names = ("AWSCURRENT", "blue", "green")

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._versions: list[int] = []
        # As somebody saw it last; moves start from here, and are refused when it is old.
        self._seen: dict[str, int] = {}

    def set_up(self, client: Client) -> bool:
        for step, label in enumerate((None, "blue", "green", "spare")):
            value = client.bench.new_number()
            secret: dict[str, Any] = {"SecretString": f"{VALUE_PREFIX}{value}", "ClientRequestToken": token(value)}
            if step == 0:
                answer = client.call("create_secret", Name=self.key, **secret)
            else:
                answer = client.call("put_secret_value", SecretId=self.key, VersionStages=[label], **secret)
            if answer.kind != "ok":
                return False
            self._versions.append(value)
        return self._read(client, op="initial")

    def step(self, client: Client) -> None:
        if client.rng.random() < 0.45:
            self._read(client)
        else:
            self._move(client)

    def _read(self, client: Client, node: Optional[int] = None, op: str = "read") -> bool:
        answer = client.call("describe_secret", node, SecretId=self.key)
        self._count(answer, False)
        if answer.kind == "refused":
            client.finding(self.key, "DescribeSecret", answer, "refused")
            return True
        holders = {label: number(version) for version, labels in answer.response.get("VersionIdsToStages", {}).items() for label in labels}
        client.note(self.model, self.key, op, {}, answer, {"holders": holders})
        if answer.kind == "ok":
            self._seen = holders
        return answer.kind == "ok"

    def _move(self, client: Client) -> None:
        label = client.rng.choice(self.names)
        source = self._seen.get(label)
        targets: list[Optional[int]] = [version for version in self._versions if version != source]
        if label != "AWSCURRENT" and source is not None:
            targets.append(None)
        target = client.rng.choice(targets)
        parameters: dict[str, Any] = {}
        if source is not None:
            parameters["RemoveFromVersionId"] = token(source)
        if target is not None:
            parameters["MoveToVersionId"] = token(target)
        answer = client.call("update_secret_version_stage", SecretId=self.key, VersionStage=label, **parameters)
        self._count(answer, True)
        if answer.kind == "refused" and answer.code == "ResourceNotFoundException":
            client.finding(self.key, "UpdateSecretVersionStage", answer, "refused")
        client.note(self.model, self.key, "move", {"label": label, "from": source, "to": target}, answer, {"done": answer.kind == "ok"})

    def look(self, client: Client, node: int) -> bool:
        return self._read(client, node)


class Name(Object):
    """One name: created, deleted, restored, deleted for good, created again."""

    model = "names"

    def step(self, client: Client) -> None:
        kind = client.rng.choices(["look", "create", "delete", "restore", "purge"], [40, 20, 15, 15, 10])[0]
        if kind == "look":
            self._look(client)
        elif kind == "create":
            value = client.bench.new_number()
            self._act(client, "create", {"token": value}, "create_secret", Name=self.key, SecretString=f"{VALUE_PREFIX}{value}", ClientRequestToken=token(value))
        elif kind == "delete":
            self._act(client, "delete", {}, "delete_secret", SecretId=self.key, RecoveryWindowInDays=7)
        elif kind == "restore":
            self._act(client, "restore", {}, "restore_secret", SecretId=self.key)
        else:
            self._act(client, "purge", {}, "delete_secret", SecretId=self.key, ForceDeleteWithoutRecovery=True)

    def _act(self, client: Client, op: str, args: dict[str, Any], operation: str, **parameters: Any) -> None:
        answer = client.call(operation, **parameters)
        self._count(answer, True)
        client.note(self.model, self.key, op, args, answer, {"done": answer.kind == "ok"})

    def _look(self, client: Client, node: Optional[int] = None) -> bool:
        answer = client.call("describe_secret", node, SecretId=self.key)
        self._count(answer, False)
        result: dict[str, Any] = {"state": "absent"}
        if answer.kind == "ok":
            current = [version for version, labels in answer.response["VersionIdsToStages"].items() if "AWSCURRENT" in labels]
            result = {"state": "deleted" if "DeletedDate" in answer.response else "live", "token": number(current[0])}
        client.note(self.model, self.key, "look", {}, answer, result)
        return answer.kind in ("ok", "refused")

    def look(self, client: Client, node: int) -> bool:
        return self._look(client, node)


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
            fresh = self._kind(f"{self._prefix}{self._made}" + ("/" if self._kind is NameSet else ""))
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
