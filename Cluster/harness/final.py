"""What must hold when every fault is healed: the cluster comes back, every node shows the same, and nothing is lost."""
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Optional

from .cluster import Cluster
from .program import Status
from .system import POLL_SECONDS, HarnessError, NotInTime, die_with_parent, plain_environment, wait_for

# After healing, every node serves and votes again within this time.
RECOVERY_SECONDS = 90
# How long a node may still work on a request that its client has given up: what is read earlier could change.
REQUEST_LIFE_SECONDS = 15
# Clients of a healthy cluster go on so long, to show that it serves as before.
CALM_SECONDS = 5
STATE_SECONDS = 60
# Clients finish what they have begun; a reading of everything takes longer with every object.
WORKER_SECONDS = 60
READING_SECONDS = 900


class Workers:
    """The processes of clients."""

    def __init__(self, folder: Path, count: int, threads: int, rate: float, seed: int) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        for number in range(1, count + 1):
            with open(folder / f"worker-{number}.log", "wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "harness.worker", str(folder), str(number), str(seed), str(threads), str(rate / count)],
                        env=plain_environment(PYTHONPATH=str(Path(__file__).parents[1]), AWS_CONFIG_FILE="/dev/null",
                                              AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true", NO_PROXY="*"),
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True))

    @property
    def histories(self) -> list[Path]:
        return [self._folder / f"history-{number}.jsonl" for number in range(1, len(self._processes) + 1)]

    def states(self) -> list[dict[str, Any]]:
        states = []
        for number in range(1, len(self._processes) + 1):
            path = self._folder / f"worker-{number}.json"
            states.append(json.loads(path.read_text()) if path.exists() else {"state": "starting", "findings": [], "failures": []})
        return states

    def check(self) -> None:
        """:raises HarnessError: when one has ended or lost a thread."""
        for number, process in enumerate(self._processes, 1):
            log = self._folder / f"worker-{number}.log"
            if process.poll() not in (None, 0):
                raise HarnessError(f"clients {number} ended with status {process.returncode}: {log.read_text()[-600:]}")
        for state in self.states():
            if state["failures"]:
                raise HarnessError(f"a client failed: {state['failures'][0]}")

    def wait_for(self, state: str, seconds: float) -> None:
        def reached() -> bool:
            self.check()
            return all(one["state"] == state for one in self.states())

        wait_for(reached, seconds, f"the clients to be {state}")

    def send(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)

    def end(self) -> None:
        """However they stand: gone afterwards."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()


class Finale:
    """The end of a run. What does not hold is added to `findings`."""

    def __init__(self, cluster: Cluster, workers: Workers, say: Callable[[str], None]) -> None:
        self.findings: list[str] = []
        # From the last healing to a healthy cluster; None if it never became one.
        self.recovery_seconds: Optional[float] = None
        self.state = ""
        # Monotonic nanoseconds.
        self.clients_stopped = 0
        self._cluster = cluster
        self._workers = workers
        self._say = say

    def run(self) -> int:
        """Returns when the faults were healed, in monotonic nanoseconds. Clients go on until the cluster is healthy."""
        healed = time.monotonic_ns()
        self._cluster.heal()
        self._cluster.publish()
        try:
            self._cluster.wait_until_healthy(RECOVERY_SECONDS)
            self.recovery_seconds = (time.monotonic_ns() - healed) / 1e9
            self._pass(CALM_SECONDS)
            self._say(f"healthy {self.recovery_seconds:.1f} s after the last fault was healed")
        except NotInTime as late:
            self.findings.append(f"not healthy {RECOVERY_SECONDS} s after the last fault was healed: {late}")
        self.clients_stopped = time.monotonic_ns()
        self._workers.send(signal.SIGTERM)
        self._workers.wait_for("waiting", WORKER_SECONDS)
        self._say("clients have stopped; every node is read when no request can be on its way any more")
        self._pass(REQUEST_LIFE_SECONDS)
        self._workers.send(signal.SIGUSR1)
        self._workers.wait_for("done", READING_SECONDS)
        self._compare_states()
        for worker in self._workers.states():
            self.findings += worker["findings"]
        return healed

    def _pass(self, seconds: float) -> None:
        """Time that is part of the run; the clients are watched."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._workers.check()
            time.sleep(POLL_SECONDS)

    def _compare_states(self) -> None:
        differing: list[str] = []

        def same() -> bool:
            status = self._cluster.status()
            if status is None:
                return False
            differing[:] = differing_hashes(status)
            applied = {member.applied for member in status.members}
            if differing or len(applied) != 1 or len(status.members) != len(self._cluster.nodes):
                return bool(differing)
            hashes = {member.state_hash for member in status.members}
            self.state = f"applied index {applied.pop()} on every node" + ("" if None in hashes else f", state hash {hashes.pop()}")
            return True

        try:
            wait_for(same, STATE_SECONDS, "every node to have applied the same")
        except NotInTime as late:
            self.findings.append(str(late))
        self.findings += differing
        self._say(self.state or "the nodes' states differ")


def differing_hashes(status: Status) -> list[str]:
    """Nodes that have applied the same index and do not have the same state."""
    by_index: dict[int, set[str]] = {}
    for member in status.members:
        if member.applied is not None and member.state_hash is not None:
            by_index.setdefault(member.applied, set()).add(member.state_hash)
    return [f"different states at applied index {index}: {sorted(hashes)}" for index, hashes in sorted(by_index.items()) if len(hashes) > 1]
