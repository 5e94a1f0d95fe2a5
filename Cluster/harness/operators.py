"""What operators do while the cluster serves, and crashes in the middle of it."""
from __future__ import annotations

from .cluster import Cluster
from .nemesis import Fault
from .node import Node
from .program import Refused
from .system import NotInTime, wait_for

# A node that joins has so long to be a voter.
JOIN_SECONDS = 90


class Transfer(Fault):
    """Leadership is handed to another node, or to the one that has it."""

    name = "transfer"
    weight = 3
    hold = (0, 0)
    nodes_min = 2

    def begin(self) -> str:
        target = self.rng.choice([None, *self.running()])
        if target is None:
            self.cluster.ask(lambda data: self.cluster.program.transfer(data, None))
            return "leadership handed to anybody"
        member = self.cluster.member_id(target)
        if member is None:
            raise Refused(f"{target} is not known as a member")
        self.cluster.ask(lambda data: self.cluster.program.transfer(data, member))
        return f"leadership handed to {target}"


class RollingRestart(Fault):
    """SIGTERM to one node after the other, the next one when the last one serves again."""

    name = "rolling-restart"
    weight = 1
    hold = (0, 0)
    is_alone = True

    def begin(self) -> str:
        nodes = list(self.cluster.nodes.values())
        self.rng.shuffle(nodes)
        for node in nodes:
            status = node.stop()
            if status != 0:
                self.cluster.unexpected_ends.append(f"{node} ended with status {status} after SIGTERM; the end of its log:\n{node.log_tail()}")
            node.start()
            node.wait_until_serving()
        return "restarted " + ", ".join(str(node) for node in nodes)


class CatchUpKill(Fault):
    """A node that has missed much is killed while it catches up, some times."""

    name = "catch-up-kill"
    weight = 2
    hold = (4, 12)
    nodes_min = 2

    def begin(self) -> str:
        self.victim = self.rng.choice(self.running() or list(self.cluster.nodes.values()))
        self.kills = self.rng.randint(1, 3)
        self.victim.kill()
        return f"{self.victim} is away, and then killed {self.kills} times while it catches up"

    def end(self) -> None:
        if self.victim.slot not in self.cluster.nodes:
            return
        for _ in range(self.kills):
            if not self.victim.is_running:
                self.victim.start()
            kill_after(self.cluster, self.victim, self.rng.uniform(0.05, 1.5))
        self.victim.start()


def kill_after(cluster: Cluster, node: Node, seconds: float) -> None:
    """A node that ends before that moment has failed."""
    try:
        wait_for(lambda: not node.is_running, seconds, "the moment of the kill")
        cluster.note_end(node)
    except NotInTime:
        node.kill()


class Membership(Fault):
    """A new node joins, an old one is removed: one after the other, or the new one in place of a dead one. The new one may be
    killed while it joins."""

    name = "membership"
    weight = 2
    hold = (0, 0)
    is_alone = True
    nodes_min = 2

    def begin(self) -> str:
        kinds = ["add-remove", "remove-add"]
        if len(self.cluster.nodes) >= 3:
            # The others are a majority without the dead one.
            kinds.append("replace")
        kind = self.rng.choice(kinds)
        old = self.rng.choice(list(self.cluster.nodes.values()))
        member = self.cluster.member_id(old)
        if member is None:
            raise Refused(f"{old} is not known as a member")
        if kind == "add-remove":
            story = self._join()
            self._remove(old, member)
            return f"{story}, then {old} removed"
        if kind == "remove-add":
            self._remove(old, member)
            return f"{old} removed, then {self._join()}"
        old.kill()
        new = self.cluster.begin_join()
        new.wait_until_serving()
        number = wait_for(lambda: self.cluster.member_id(new), JOIN_SECONDS, f"{new} to be a member")
        if number is None:
            raise Refused(f"{new} is not known as a member")
        known = number
        self.cluster.ask(lambda data: self.cluster.program.replace(data, member, known))
        self._gone(old)
        return f"{old} killed and replaced with {new}"

    def _join(self) -> str:
        new = self.cluster.begin_join()
        story = f"{new} joined"
        if self.rng.random() < 0.4:
            kill_after(self.cluster, new, self.rng.uniform(0.1, 2))
            # With a token of its own: the first may have been used up by then.
            self.cluster.rejoin(new)
            story = f"{new} was killed as it joined, and joined"
        new.wait_until_serving()
        self._voter(new)
        return story

    def _voter(self, node: Node) -> None:
        def votes() -> bool:
            status = self.cluster.status()
            member = status.at(node.addresses.peer_advertise) if status else None
            return member is not None and member.voter

        wait_for(votes, JOIN_SECONDS, f"{node} to vote")
        self.cluster.publish()

    def _remove(self, old: Node, member: int) -> None:
        self.cluster.ask(lambda data: self.cluster.program.remove(data, member))
        self._gone(old)

    def _gone(self, node: Node) -> None:
        self.cluster.forget(node)
        self.cluster.publish()
