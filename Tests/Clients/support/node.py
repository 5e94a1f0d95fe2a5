"""A live node: its folder, its process, and clients for it."""
from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import ssl
import subprocess
import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional, Sequence

import boto3
from botocore.config import Config

from support.signing import SignedRequest, Signer
from support.waiting import wait_for
from support.wire import Answer, Closed, Connection, PlainConnection, tls_context

REPOSITORY = Path(__file__).resolve().parents[3]

# Part of every secret value that a test stores, so that a value can be looked for where none may be.
MARKER = "pl41nTextM4rk3rOfTh3T3sts"

REGION = "us-east-1"
ACCOUNT = "123456789012"
ACCESS_KEY_ID = "AKIATESTCONCLAVE2345"

START_SECONDS = 60
STOP_SECONDS = 60


def executable() -> str:
    """CONCLAVE_BINARY, else the release build, else the debug build."""
    if "CONCLAVE_BINARY" in os.environ:
        return os.environ["CONCLAVE_BINARY"]
    for kind in ("release", "debug"):
        candidate = REPOSITORY / ".build" / kind / "conclave"
        if candidate.exists():
            return str(candidate)
    raise FileNotFoundError("no conclave executable: swift build -c release --product conclave")


def new_value(more: str = "") -> str:
    """A secret value that no other test uses."""
    return f"{MARKER}-{uuid.uuid4()}{more}"


def new_name(prefix: str = "clients/") -> str:
    """A secret name that no other test uses. No hyphen: it must not look like an ARN's suffix."""
    return prefix + uuid.uuid4().hex


def new_token() -> str:
    return str(uuid.uuid4())


def plain_environment(**more: str) -> dict:
    """The environment without anything that steers AWS clients or our node."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CONCLAVE_")) and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }
    kept.update(more)
    return kept


# OpenSSL's number; Python's ssl has no name for it.
X509_V_FLAG_NO_CHECK_TIME = 0x200000


class Node:
    """One node in a folder of its own. Not started by making it."""

    def __init__(
        self,
        directory: Path,
        *,
        region: str = REGION,
        data: Optional[Path] = None,
        options: Sequence[str] = (),
        binary: Optional[str] = None,
        user: Optional[str] = None,
        log_level: str = "debug",
    ) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.directory / "data"
        self.log = self.directory / "log"
        self.region = region
        self.account = ACCOUNT
        self.access_key_id = ACCESS_KEY_ID
        self.secret_access_key = base64.b64encode(secrets.token_bytes(30)).decode()
        self.options = list(options)
        self.binary = binary or executable()
        self.user = user
        self.log_level = log_level
        self.process: Optional[subprocess.Popen] = None
        self.port: Optional[int] = None
        self.skew = timedelta()
        self._clients: dict = {}
        self._kept = threading.local()

    # -- the process

    def init(self) -> dict:
        """`conclave operator init`; what it printed."""
        done = subprocess.run(
            [
                self.binary, "operator", "init", "--data-dir", str(self.data), "--region", self.region,
                "--account", self.account, "--access-key-id", self.access_key_id, "--format", "json",
            ],
            env=plain_environment(CONCLAVE_SECRET_ACCESS_KEY=self.secret_access_key),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **self._as_user(),
        )
        assert done.returncode == 0, f"init failed: {done.stderr}"
        return json.loads(done.stdout)

    def _as_user(self) -> dict:
        return {"user": self.user, "group": "nogroup", "extra_groups": []} if self.user else {}

    def start(
        self,
        *,
        options: Sequence[str] = (),
        environment: Optional[dict] = None,
        skew: timedelta = timedelta(),
        same_port: bool = False,
        wait: bool = True,
        preexec_fn: Any = None,
        through: Sequence[str] = (),
    ) -> "Node":
        """Starts `serve` on a port that the system chooses, or on the last one. `skew` is what `environment` does
        to the node's clock: requests are signed by that clock. `through`: a program that runs the node in its own place."""
        assert not self.is_running, "it runs already"
        port = self.port if same_port and self.port else 0
        self.skew = skew
        (self.data / "address").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [
                    *through, self.binary, "serve", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{port}", "--peer-listen", "127.0.0.1:0",
                    "--log-level", self.log_level, *self.options, *options,
                ],
                env=plain_environment(**(environment or {})), cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=preexec_fn, **self._as_user(),
            )
        if wait:
            self.wait_until_serving()
        return self

    def wait_until_serving(self) -> None:
        def address() -> Optional[str]:
            assert self.is_running, f"the node ended as it started ({self.process.returncode}):\n{self.log_tail()}"
            try:
                return (self.data / "address").read_text().strip()
            except FileNotFoundError:
                return None

        host, _, port = wait_for(address, START_SECONDS, "the node's address file").rpartition(":")
        assert host == "127.0.0.1"
        if int(port) != self.port:
            self._clients.clear()
        self.port = int(port)
        self._kept = threading.local()
        answer = self.call("GetRandomPassword", {})
        assert answer.status == 200, answer

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def stop(self) -> int:
        """SIGTERM, and the exit status. In-flight requests are given their answer by the node."""
        assert self.process is not None
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL, at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """However it stands: gone afterwards."""
        if self.is_running:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def memory(self) -> int:
        """Resident bytes apart from the page cache (RssAnon)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon in /proc")

    # -- clients

    @property
    def ca_file(self) -> str:
        return str(self.data / "tls" / "ca.pem")

    @property
    def host(self) -> str:
        """As a Host header carries it."""
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"https://{self.host}"

    def arn(self, name_and_suffix: str) -> str:
        return f"arn:aws:secretsmanager:{self.region}:{self.account}:secret:{name_and_suffix}"

    def client(self, *, check_parameters: bool = True, **other: Any) -> Any:
        """A boto3 client without retries. With `check_parameters=False` the server sees what botocore would refuse."""
        key = (check_parameters, tuple(sorted(other.items())))
        if key not in self._clients:
            settings = dict(
                endpoint_url=self.endpoint, verify=self.ca_file, region_name=self.region,
                aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key,
                config=Config(
                    retries={"total_max_attempts": 1}, parameter_validation=check_parameters,
                    connect_timeout=10, read_timeout=30, max_pool_connections=50, proxies={},
                ),
            )
            settings.update(other)
            self._clients[key] = boto3.session.Session().client("secretsmanager", **settings)
        return self._clients[key]

    def client_environment(self) -> dict:
        """What `source .conclave/env` gives, for a client in another process."""
        return plain_environment(
            AWS_ENDPOINT_URL=self.endpoint, AWS_CA_BUNDLE=self.ca_file, AWS_DEFAULT_REGION=self.region,
            AWS_ACCESS_KEY_ID=self.access_key_id, AWS_SECRET_ACCESS_KEY=self.secret_access_key,
            AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_PAGER="",
            AWS_MAX_ATTEMPTS="1", NO_PROXY="127.0.0.1",
        )

    @property
    def signer(self) -> Signer:
        return Signer(self.access_key_id, self.secret_access_key, self.region, skew=self.skew)

    def tls_context(self, **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = tls_context(self.ca_file, **versions)
        if self.skew:
            # The node's certificate is of the node's day, not of ours.
            context.verify_flags |= X509_V_FLAG_NO_CHECK_TIME
        return context

    def connect(self, **options: Any) -> Connection:
        context = options.pop("context", None) or self.tls_context()
        return Connection(("127.0.0.1", self.port), context, **options)

    def connect_plain(self, **options: Any) -> PlainConnection:
        return PlainConnection(("127.0.0.1", self.port), **options)

    def sign(self, operation: Optional[str], members: Any, *, by: Optional[Signer] = None, **options: Any) -> SignedRequest:
        """`members` is a dictionary, or the body's bytes as they are."""
        body = members if isinstance(members, bytes) else json.dumps(members).encode()
        options.setdefault("host", self.host)
        return (by or self.signer).sign(operation, body, **options)

    def call(self, operation: Optional[str], members: Any, **options: Any) -> Answer:
        """One signed request by hand, on this thread's kept connection."""
        return self.send(self.sign(operation, members, **options).render())

    def send(self, data: bytes) -> Answer:
        """A whole request on this thread's kept connection; a connection that the node has closed since is replaced."""
        for attempt in (1, 2):
            connection = getattr(self._kept, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self._kept.connection = self.connect()
            try:
                answer = connection.exchange(data)
            except (Closed, OSError):
                connection.close()
                self._kept.connection = None
                if fresh or attempt == 2:
                    raise
                continue
            if answer.headers.get("connection", "").lower() == "close":
                connection.close()
                self._kept.connection = None
            return answer
        raise AssertionError("not reached")

    def still_serves(self) -> None:
        """On a connection of its own."""
        assert self.is_running, f"the node has ended ({self.process.returncode}):\n{self.log_tail()}"
        with self.connect() as connection:
            answer = connection.exchange(self.sign("GetRandomPassword", {}).render())
        assert answer.status == 200, answer


def with_options(signer: Signer, **changes: Any) -> Signer:
    return replace(signer, **changes)
