"""What a fault is, and the faults of one process, its disk and its clock."""
from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar, Sequence

from .cluster import Cluster
from .disk import RESERVE_BYTES
from .node import Node
from .program import Refused

MIB = 1024 * 1024


@dataclass(frozen=True)
class Abilities:
    """Why something cannot be done on this machine; empty for what can."""

    fill_disk: str = ""
    slow_disk: str = ""
    move_clock: str = ""
    lose_packets: str = ""


class Fault:
    """One fault from its beginning to its end. All choices come from the `rng` of the run.

    `begin` says what it did and to whom. :class:`HarnessError` from either means that the fault could not be made or undone, which
    ends the run; :class:`Refused` from `begin` that the cluster did not take part."""

    name: ClassVar[str]
    weight: ClassVar[int] = 2
    # How long it lasts, in seconds.
    hold: ClassVar[tuple[float, float]] = (1, 8)
    # It waits for a healthy cluster, and no other fault runs beside it.
    is_alone: ClassVar[bool] = False
    nodes_min: ClassVar[int] = 1

    def __init__(self, cluster: Cluster, rng: random.Random) -> None:
        self.cluster = cluster
        self.rng = rng

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        """Why this machine cannot do it; empty if it can."""
        return ""

    def begin(self) -> str:
        raise NotImplementedError

    def end(self) -> None:
        """Nothing lasts, unless a fault says otherwise."""

    # -- whom it hits

    def running(self) -> list[Node]:
        return [node for node in self.cluster.nodes.values() if node.is_running and not node.is_paused]

    def one(self) -> list[Node]:
        """Every other time the leader, since most goes wrong there.

        :raises Refused: when all are down or stopped."""
        leader = self.cluster.leader() if self.rng.random() < 0.5 else None
        running = self.running()
        if not running:
            raise Refused("no node runs")
        return [leader] if leader is not None and leader in running else [self.rng.choice(running)]

    def some(self) -> list[Node]:
        """One, a minority, a majority or all; most often one."""
        running = self.running()
        kind = self.rng.choice(["one", "one", "one", "minority", "majority", "all"])
        if kind == "one" or not running:
            return self.one()
        count = {"minority": (len(running) - 1) // 2, "majority": len(running) // 2 + 1, "all": len(running)}[kind]
        return sorted(self.rng.sample(running, max(1, count)), key=lambda node: node.slot)


def names(nodes: Sequence[Node]) -> str:
    return ", ".join(str(node) for node in nodes) or "nobody"


class Kill(Fault):
    """SIGKILL to one, some or all nodes, and back."""

    name = "kill"
    weight = 4

    def begin(self) -> str:
        self.killed = self.some()
        for node in self.killed:
            node.kill()
        return f"SIGKILL to {names(self.killed)}"

    def end(self) -> None:
        for node in self.killed:
            if node.slot in self.cluster.nodes and not node.is_running:
                node.start()


class Pause(Fault):
    """SIGSTOP and SIGCONT: a node that does not know how long it was away."""

    name = "pause"
    weight = 3
    hold = (0.5, 12)

    def begin(self) -> str:
        self.paused = self.some()
        for node in self.paused:
            node.pause()
        return f"SIGSTOP to {names(self.paused)}"

    def end(self) -> None:
        for node in self.paused:
            node.resume()


class FullDisk(Fault):
    """Either below what the node keeps in reserve, where it must refuse writes, or to the last byte."""

    name = "full-disk"
    hold = (3, 10)

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        return abilities.fill_disk

    def begin(self) -> str:
        self.filled = self.some()
        leave = self.rng.choice([RESERVE_BYTES // 2, RESERVE_BYTES // 2, 0])
        for node in self.filled:
            node.disk.fill(leave)
        return f"{leave // MIB} MiB left on the disk of {names(self.filled)}"

    def end(self) -> None:
        for node in self.filled:
            if node.slot in self.cluster.nodes:
                node.disk.empty()
                # It may have given up.
                if not node.is_running:
                    node.start()


class SlowDisk(Fault):
    """So few writes a second that every sync takes long."""

    name = "slow-disk"
    hold = (3, 12)

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        return abilities.slow_disk

    def begin(self) -> str:
        self.slowed = self.some()
        rate = self.rng.choice([2, 5, 20, 50])
        for node in self.slowed:
            node.disk.slow(rate)
        return f"{rate} disk writes a second for {names(self.slowed)}"

    def end(self) -> None:
        for node in self.slowed:
            if node.slot in self.cluster.nodes:
                node.disk.speed_up()


class ClockJump(Fault):
    """Less than the five minutes by which a signature may be off, so that clients are still served; some jumps come and go."""

    name = "clock"
    hold = (2, 15)

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        return abilities.move_clock

    def begin(self) -> str:
        self.moved = self.some()
        jumps: list[tuple[Node, int]] = [(node, self.rng.choice([-1, 1]) * self.rng.randint(1, 240)) for node in self.moved]
        for node, seconds in jumps:
            node.clock.jump(seconds)
        return "clock " + ", ".join(f"{seconds:+d} s on {node}" for node, seconds in jumps)

    def end(self) -> None:
        for node in self.moved:
            node.clock.jump(0)
