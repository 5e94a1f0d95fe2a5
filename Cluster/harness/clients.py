"""boto3 clients that tell the truth about what they do not know."""
from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import boto3
import botocore.exceptions
from botocore.config import Config

CONNECT_SECONDS = 2
# Longer than an election and a retry inside the cluster.
ANSWER_SECONDS = 8

# Refusals that the secret's own state explains: answers as good as any other.
DECIDED = frozenset({"ResourceNotFoundException", "ResourceExistsException", "InvalidParameterException", "InvalidRequestException"})
# What an answer to a reading has. A node that is killed as it answers may leave a body that ends early, which botocore takes for an empty one.
HAS = {"get_secret_value": "VersionId", "describe_secret": "VersionIdsToStages", "list_secrets": "SecretList", "list_secret_version_ids": "Versions"}
# The request was not sent.
NOT_SENT = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)


@dataclass(frozen=True)
class Answer:
    """`kind`: `ok`; `refused`, which the object decided; `fail`, proven to have no effect; `unknown`. Times in monotonic ns."""

    kind: str
    called: int
    returned: int
    node: int
    response: dict[str, Any]
    code: str = ""


class Endpoints:
    """One client per node, as the harness's file names them now. May be used from several threads."""

    def __init__(self, path: Path, connections: int) -> None:
        self._path = path
        self._connections = connections
        self._lock = threading.Lock()
        self._seen: Optional[int] = None
        self._clients: dict[int, tuple[str, Any]] = {}

    def nodes(self) -> list[int]:
        self._refresh()
        return sorted(self._clients)

    def _refresh(self) -> None:
        """The file is looked at anew only when it has changed."""
        changed = self._path.stat().st_mtime_ns
        with self._lock:
            if changed == self._seen:
                return
            told = json.loads(self._path.read_text())
            clients = {}
            for node, endpoint in told["endpoints"].items():
                known = self._clients.get(int(node))
                clients[int(node)] = known if known and known[0] == endpoint else (endpoint, self._make(endpoint, told))
            self._clients, self._seen = clients, changed

    def _make(self, endpoint: str, told: dict[str, Any]) -> Any:
        # No retries of the client's own: an operation is one request, with one outcome.
        config = Config(
            retries={"total_max_attempts": 1}, connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS,
            max_pool_connections=self._connections, proxies={}, parameter_validation=False)
        return boto3.session.Session().client(
            "secretsmanager", endpoint_url=endpoint, verify=told["ca_file"], region_name=told["region"], aws_access_key_id=told["access_key_id"],
            aws_secret_access_key=told["secret_access_key"], config=config)

    def call(self, node: int, operation: str, **parameters: Any) -> Answer:
        """One request to one node."""
        _, client = self._clients.get(node, ("", None))
        called = time.monotonic_ns()

        def answer(kind: str, response: dict[str, Any], code: str = "") -> Answer:
            return Answer(kind, called, time.monotonic_ns(), node, response, code)

        if client is None:
            return answer("fail", {}, "removed meanwhile")
        try:
            response = getattr(client, operation)(**parameters)
            if HAS.get(operation, "ResponseMetadata") not in response:
                return answer("unknown", {}, "an answer cut short")
            return answer("ok", response)
        except botocore.exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if code in DECIDED:
                return answer("refused", {"message": error.response["Error"].get("Message", "")}, code)
            return answer("fail" if 400 <= status < 500 else "unknown", {}, code)
        except NOT_SENT as error:
            return answer("fail", {}, type(error).__name__)
        except botocore.exceptions.BotoCoreError as error:
            return answer("unknown", {}, type(error).__name__)
