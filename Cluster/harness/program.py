"""The conclave executable: what operators type."""
from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Sequence

from .system import HarnessError, plain_environment

COMMAND_SECONDS = 20
# Asked again and again, also of nodes that hang.
STATUS_SECONDS = 5
# Removing and replacing members waits for the cluster to agree.
MEMBERSHIP_SECONDS = 60


class Refused(Exception):
    """The cluster did not do what the operator asked; under faults that is no error of anybody."""


@dataclass(frozen=True)
class Member:
    """One row of `conclave cluster status`."""

    id: int
    peer_address: str
    role: str
    voter: bool
    applied: Optional[int]
    # None while the program does not report it.
    state_hash: Optional[str]
    state: str


@dataclass(frozen=True)
class Status:
    leader: Optional[int]
    health: str
    members: list[Member] = field(default_factory=list)

    def at(self, peer_address: str) -> Optional[Member]:
        return next((member for member in self.members if member.peer_address == peer_address), None)


class Program:
    """Commands of one executable."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _run(self, *arguments: str, seconds: float, statuses: Sequence[int] = (0,)) -> str:
        try:
            done = subprocess.run(
                [str(self.path), *arguments], env=plain_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Refused(f"no answer within {seconds:.0f} s") from None
        if done.returncode not in statuses:
            raise Refused((done.stderr or done.stdout).strip()[-400:] or f"status {done.returncode}")
        return done.stdout

    def init(self, data: Path, region: str, peer: str, names: Sequence[str]) -> dict[str, Any]:
        """Makes a cluster with one node."""
        more = [word for name in names for word in ("--tls-name", name)]
        try:
            made = self._run(
                "operator", "init", "--data-dir", str(data), "--region", region, "--peer-listen", peer, *more, "--format", "json", seconds=60)
        except Refused as refused:
            raise HarnessError(f"operator init: {refused}") from refused
        answer: dict[str, Any] = json.loads(made)
        return answer

    def token(self, data: Path) -> str:
        made = json.loads(
            self._run("cluster", "token", "create", "--data-dir", str(data), "--valid-for", "1h", "--format", "json", seconds=COMMAND_SECONDS))
        return str(made["token"])

    def status(self, data: Path) -> Status:
        """As the node of this directory sees it. The exit status (0 healthy, 1 degraded, 2 no quorum) repeats `health`."""
        seen = json.loads(self._run("cluster", "status", "--data-dir", str(data), "--format", "json", seconds=STATUS_SECONDS, statuses=(0, 1, 2)))
        members = [
            Member(
                id=int(row["id"]), peer_address=row["peer_address"], role=str(row.get("role")), voter=bool(row["voter"]),
                applied=row.get("applied"), state_hash=row.get("state_hash"), state=str(row.get("state")))
            for row in seen["nodes"]
        ]
        return Status(leader=seen["leader"], health=seen["health"], members=members)

    def remove(self, data: Path, node: int) -> None:
        self._run("cluster", "remove", "--node", str(node), "--data-dir", str(data), "--format", "json", seconds=MEMBERSHIP_SECONDS)

    def replace(self, data: Path, dead: int, new: int) -> None:
        self._run(
            "cluster", "replace", "--node", str(dead), "--with", str(new), "--data-dir", str(data), "--format", "json", seconds=MEMBERSHIP_SECONDS)

    def transfer(self, data: Path, to: Optional[int]) -> None:
        target = [] if to is None else ["--to", str(to)]
        self._run("cluster", "transfer-leader", *target, "--data-dir", str(data), "--format", "json", seconds=COMMAND_SECONDS)


def executable(root: Path) -> Path:
    """CONCLAVE_BINARY, else the release build."""
    return Path(os.environ.get("CONCLAVE_BINARY") or root / ".build" / "release" / "conclave")
