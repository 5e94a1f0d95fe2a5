"""Which fault comes when: all of it follows from the seed and from what the cluster looks like at that moment."""
from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Callable, Optional, Sequence, Type

from . import nemesis, operators, partitions
from .cluster import Cluster
from .nemesis import Abilities, Fault
from .partitions import NetworkFault
from .program import Refused
from .system import POLL_SECONDS, NodeEnded, NotInTime

EVERY: tuple[Type[Fault], ...] = (
    nemesis.Kill, nemesis.Pause, nemesis.FullDisk, nemesis.SlowDisk, nemesis.ClockJump,
    partitions.Partition, partitions.IsolatedLeader, partitions.OneWay, partitions.Bridge, partitions.Ring, partitions.Loss, partitions.CutClients,
    operators.Transfer, operators.RollingRestart, operators.CatchUpKill, operators.Membership,
)

# Between the beginnings of two faults, on average. Shorter than most faults last, so that they meet.
MEAN_GAP_SECONDS = 3.0
TOGETHER_MAX = 3
# A healthy cluster must be one again so soon after the last fault has ended.
RECOVERY_SECONDS = 60


@dataclass
class Event:
    """One fault of the run; times are monotonic nanoseconds."""

    name: str
    what: str
    begin: int
    end: int
    # The cluster did not take part, for instance without a leader.
    is_refused: bool = False


def chosen(names: Sequence[str], nodes: int, abilities: Abilities) -> tuple[list[Type[Fault]], dict[str, str]]:
    """The faults of a run, and those that are left out with the reason."""
    faults, skipped = [], {}
    for kind in EVERY:
        if kind.name not in names:
            continue
        hindrance = kind.hindrance(abilities) or ("" if nodes >= kind.nodes_min else f"needs {kind.nodes_min} nodes")
        if hindrance:
            skipped[kind.name] = hindrance
        else:
            faults.append(kind)
    return faults, skipped


class Schedule:
    """Runs faults one after the other and beside each other until the time is up."""

    def __init__(
        self, cluster: Cluster, kinds: Sequence[Type[Fault]], seed: int, say: Callable[[str], None], watch: Callable[[], None]
    ) -> None:
        self.events: list[Event] = []
        # What the cluster failed to do in time.
        self.findings: list[str] = []
        self._cluster = cluster
        self._kinds = list(kinds)
        self._rng = random.Random(f"faults {seed}")
        self._say = say
        # Raises when the run makes no sense any more.
        self._watch = watch
        # The faults to come: first each kind once, then each as often as its weight says, in a random order.
        self._bag = self._rng.sample(self._kinds, len(self._kinds))
        self._active: list[tuple[float, Fault, Event]] = []

    def run(self, seconds: float) -> None:
        """Ends with some faults still in force; :meth:`end_all` ends them."""
        end = time.monotonic() + seconds
        next_fault = time.monotonic() + min(2.0, seconds / 4)
        while time.monotonic() < end and not self.findings:
            self._end_due(time.monotonic())
            self._revive()
            self._watch()
            if time.monotonic() >= next_fault and self._kinds:
                self._begin(end)
                next_fault = time.monotonic() + self._rng.expovariate(1 / MEAN_GAP_SECONDS)
            time.sleep(POLL_SECONDS)

    def end_all(self) -> None:
        self._end_due(float("inf"))

    def _begin(self, end: float) -> None:
        if len(self._active) >= TOGETHER_MAX:
            return
        kind = self._choose()
        if kind is None:
            return
        if kind.is_alone:
            self.end_all()
            try:
                self._cluster.wait_until_healthy(RECOVERY_SECONDS)
            except NotInTime as late:
                self.findings.append(f"without a fault before {kind.name}: {late}")
                return
        fault = kind(self._cluster, self._rng)
        event = Event(kind.name, "", time.monotonic_ns(), 0)
        try:
            event.what = fault.begin()
        except Refused as refused:
            event.what, event.is_refused = f"refused: {refused}", True
            # Once more, later.
            self._bag.append(kind)
        except (NotInTime, NodeEnded) as late:
            event.what = f"not done: {late}"
            self.findings.append(f"{kind.name}: {late}")
        event.end = time.monotonic_ns()
        self.events.append(event)
        self._say(f"{kind.name}: {event.what}")
        low, high = kind.hold
        if high > 0 and not event.is_refused:
            self._active.append((min(time.monotonic() + self._rng.uniform(low, high), end), fault, event))

    def _choose(self) -> Optional[Type[Fault]]:
        """No fault beside one of its own kind, and the network has one at a time."""
        active = [type(fault) for _, fault, _ in self._active]
        has_network = any(issubclass(kind, NetworkFault) for kind in active)
        if not self._bag:
            every = [kind for kind in self._kinds for _ in range(kind.weight)]
            self._bag = self._rng.sample(every, len(every))
        for kind in self._bag:
            if kind not in active and not (has_network and issubclass(kind, NetworkFault)):
                self._bag.remove(kind)
                return kind
        return None

    def _end_due(self, now: float) -> None:
        for entry in [entry for entry in self._active if entry[0] <= now]:
            _, fault, event = entry
            self._active.remove(entry)
            fault.end()
            event.end = time.monotonic_ns()

    def _revive(self) -> None:
        """A node that gave up because its disk was full is started when there is room again, by the fault's own end; any other
        is started at once."""
        for node in self._cluster.notice_ends():
            self._say(f"{node} ended by itself with status {node.exit_status}")
            if not node.disk.is_filled:
                node.start()
