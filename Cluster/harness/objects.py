"""The objects that clients work on: one class for each model of conclave-check."""
from __future__ import annotations

from typing import Any, Optional

from .bench import VALUE_PREFIX, Client, Object, number, token
from .clients import Answer


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
        # A prefix of no other set's names.
        super().__init__(key + "/")
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
            self._act(
                client, "create", {"token": value}, "create_secret", Name=self.key, SecretString=f"{VALUE_PREFIX}{value}",
                ClientRequestToken=token(value))
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
