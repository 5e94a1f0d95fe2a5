"""The stand-in's secrets: documents in one SQLite file, and the operations on them that the harness's clients use."""
from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

Secret = Dict[str, Any]


class Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Shared:
    """The file: documents by table and name."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "shared.sqlite"
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
            self._local.connection.execute("create table if not exists documents (kind text, name text, body text, primary key (kind, name))")
        connection: sqlite3.Connection = self._local.connection
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise


def get(connection: sqlite3.Connection, kind: str, name: str) -> Optional[Any]:
    row = connection.execute("select body from documents where kind = ? and name = ?", (kind, name)).fetchone()
    return json.loads(row[0]) if row else None


def put(connection: sqlite3.Connection, kind: str, name: str, body: Optional[Any]) -> None:
    if body is None:
        connection.execute("delete from documents where kind = ? and name = ?", (kind, name))
    else:
        connection.execute("insert or replace into documents values (?, ?, ?)", (kind, name, json.dumps(body)))


def every(connection: sqlite3.Connection, kind: str) -> list[tuple[str, Any]]:
    rows = connection.execute("select name, body from documents where kind = ? order by name", (kind,)).fetchall()
    return [(name, json.loads(body)) for name, body in rows]


def existing(connection: sqlite3.Connection, name: str, *, live: bool = True) -> Secret:
    secret: Optional[Secret] = get(connection, "secret", name)
    if secret is None:
        raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if live and secret["deleted"]:
        raise Refusal("InvalidRequestException", "the secret is marked for deletion")
    return secret


def holder(secret: Secret, label: str) -> Optional[str]:
    return next((version for version, one in secret["versions"].items() if label in one["labels"]), None)


def attach(secret: Secret, label: str, version: str) -> None:
    former = holder(secret, label)
    if former == version:
        return
    if former:
        secret["versions"][former]["labels"].remove(label)
    secret["versions"][version]["labels"].append(label)
    if label == "AWSCURRENT" and former:
        attach(secret, "AWSPREVIOUS", former)


def create(connection: sqlite3.Connection, request: Any) -> Any:
    secret = get(connection, "secret", request["Name"])
    if secret is not None:
        raise Refusal("InvalidRequestException" if secret["deleted"] else "ResourceExistsException", "the name is taken")
    version = request["ClientRequestToken"]
    first = {"value": request["SecretString"], "labels": ["AWSCURRENT"]}
    put(connection, "secret", request["Name"], {"deleted": False, "versions": {version: first}})
    return {"Name": request["Name"], "VersionId": version}


def put_value(connection: sqlite3.Connection, request: Any) -> Any:
    secret = existing(connection, request["SecretId"])
    version = request["ClientRequestToken"]
    secret["versions"][version] = {"value": request["SecretString"], "labels": []}
    for label in request.get("VersionStages", ["AWSCURRENT"]):
        attach(secret, label, version)
    put(connection, "secret", request["SecretId"], secret)
    return {"VersionId": version}


def move(connection: sqlite3.Connection, request: Any) -> Any:
    secret = existing(connection, request["SecretId"])
    label, to, source = request["VersionStage"], request.get("MoveToVersionId"), request.get("RemoveFromVersionId")
    now = holder(secret, label)
    if to is not None and now == to:
        return {}
    if now != source:
        raise Refusal("InvalidParameterException", "the label is on another version")
    if to is None:
        secret["versions"][now]["labels"].remove(label)
    else:
        attach(secret, label, to)
    put(connection, "secret", request["SecretId"], secret)
    return {}


def delete(connection: sqlite3.Connection, request: Any) -> Any:
    if request.get("ForceDeleteWithoutRecovery"):
        put(connection, "secret", request["SecretId"], None)
        return {}
    secret = existing(connection, request["SecretId"])
    put(connection, "secret", request["SecretId"], {**secret, "deleted": True})
    return {}


def restore(connection: sqlite3.Connection, request: Any) -> Any:
    secret = existing(connection, request["SecretId"], live=False)
    put(connection, "secret", request["SecretId"], {**secret, "deleted": False})
    return {}


def value(connection: sqlite3.Connection, request: Any) -> Any:
    secret = existing(connection, request["SecretId"])
    version = holder(secret, "AWSCURRENT")
    assert version is not None
    return {"VersionId": version, "SecretString": secret["versions"][version]["value"]}


def describe(connection: sqlite3.Connection, request: Any) -> Any:
    secret = existing(connection, request["SecretId"], live=False)
    stages = {version: one["labels"] for version, one in secret["versions"].items() if one["labels"]}
    return {"Name": request["SecretId"], "VersionIdsToStages": stages, **({"DeletedDate": 1.0} if secret["deleted"] else {})}


def list_versions(connection: sqlite3.Connection, request: Any) -> Any:
    return {"Versions": [{"VersionId": version} for version in existing(connection, request["SecretId"])["versions"]]}


def list_secrets(connection: sqlite3.Connection, request: Any) -> Any:
    prefix = request["Filters"][0]["Values"][0]
    names = [name for name, secret in every(connection, "secret") if name.startswith(prefix) and not secret["deleted"]]
    start = int(request.get("NextToken", 0))
    page = names[start:start + request["MaxResults"]]
    more = {"NextToken": str(start + len(page))} if start + len(page) < len(names) else {}
    return {"SecretList": [{"Name": name} for name in page], **more}


def tag(connection: sqlite3.Connection, request: Any) -> Any:
    existing(connection, request["SecretId"])
    return {}


WRITES: dict[str, Callable[[sqlite3.Connection, Any], Any]] = {
    "CreateSecret": create, "PutSecretValue": put_value, "UpdateSecretVersionStage": move, "DeleteSecret": delete, "RestoreSecret": restore,
    "TagResource": tag,
}
READS: dict[str, Callable[[sqlite3.Connection, Any], Any]] = {
    "GetSecretValue": value, "DescribeSecret": describe, "ListSecretVersionIds": list_versions, "ListSecrets": list_secrets,
}
