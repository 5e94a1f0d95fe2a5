"""One node: its place, its folder and its process."""
from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Optional, Sequence

from .clock import Clock
from .disk import RESERVE_BYTES, Disk
from .network import Addresses, Network
from .program import Program
from .system import HarnessError, NodeEnded, die_with_parent, plain_environment, wait_for

START_SECONDS = 60
# SIGTERM: requests in flight are answered and leadership is handed over.
STOP_SECONDS = 60
HEALTH_SECONDS = 2

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Node:
    """Not thread-safe; the harness's main thread owns it."""

    def __init__(self, slot: int, folder: Path, program: Program, network: Network, addresses: Addresses, disk: Disk, clock: Clock) -> None:
        self.slot = slot
        self.folder = folder
        self.addresses = addresses
        self.disk = disk
        self.clock = clock
        self.data = disk.path / "data"
        self.log = folder / "log"
        # Whether it should run; a process that ends while it should has failed.
        self.is_wanted = False
        self.is_paused = False
        self._program = program
        self._network = network
        self._process: Optional[subprocess.Popen[bytes]] = None

    def __str__(self) -> str:
        return f"node {self.slot}"

    def start(self, *, join: Sequence[str] = (), token: str = "") -> None:
        """Does not wait. With `join` it becomes a member at its first start."""
        if self.is_running:
            raise HarnessError(f"{self} runs already")
        arguments = [
            "serve", "--data-dir", str(self.data), "--listen", self.addresses.api, "--peer-listen", self.addresses.peer_listen,
            "--ops-listen", self.addresses.ops, "--reserve-free-bytes", str(RESERVE_BYTES),
        ]
        if self.addresses.peer_advertise != self.addresses.peer_listen:
            arguments += ["--peer-advertise", self.addresses.peer_advertise]
        if join:
            arguments += ["--join", ",".join(join)]
        environment = plain_environment(**self.clock.environment())
        if token:
            environment["CONCLAVE_JOIN_TOKEN"] = token
        (self.data / "address").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [*self._network.prefix(self.slot), str(self._program.path), *arguments],
                env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        self._network.started(self.slot, self._process.pid)
        self.disk.attach(self._process.pid)
        self.is_wanted = True

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> Optional[int]:
        return None if self._process is None else self._process.poll()

    def wait_until_serving(self) -> None:
        """Until it says that it can serve: it is a member and knows a leader."""

        def serves() -> bool:
            if not self.is_running:
                raise NodeEnded(f"{self} ended as it started ({self.exit_status}):\n{self.log_tail()}")
            return self.is_healthy

        wait_for(serves, START_SECONDS, f"{self} to serve; the end of its log:\n{self.log_tail()}")

    @property
    def is_healthy(self) -> bool:
        try:
            with _direct.open(f"http://{self.addresses.ops}/health", timeout=HEALTH_SECONDS) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _signal(self, number: int) -> None:
        if self._process is None or not self.is_running:
            raise HarnessError(f"{self} does not run")
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL, at once. Nothing for a node that does not run."""
        self.is_wanted = self.is_paused = False
        if self._process is not None and self.is_running:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """SIGTERM; its exit status. A node that does not end in time is killed, which is status -9."""
        self.is_wanted = False
        if self._process is None:
            return 0
        self.resume()
        if self.is_running:
            self._signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def pause(self) -> None:
        """Nothing for a node that does not run."""
        if self.is_running:
            self._signal(signal.SIGSTOP)
            self.is_paused = True

    def resume(self) -> None:
        if self.is_paused and self.is_running:
            self._signal(signal.SIGCONT)
        self.is_paused = False

    def log_tail(self, lines: int = 8) -> str:
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - 16 * 1024))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
