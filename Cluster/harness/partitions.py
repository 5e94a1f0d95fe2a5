"""Faults of the network."""
from __future__ import annotations

from typing import Iterable

from .nemesis import Abilities, Fault, names
from .node import Node


def between(one: Iterable[Node], other: Iterable[Node]) -> set[tuple[int, int]]:
    """What goes from the first to the others."""
    return {(sender.slot, receiver.slot) for sender in one for receiver in other if sender is not receiver}


def both_ways(one: Iterable[Node], other: Iterable[Node]) -> set[tuple[int, int]]:
    one, other = list(one), list(other)
    return between(one, other) | between(other, one)


class NetworkFault(Fault):
    """The network is healed as a whole, so only one of these is there at a time, see `Schedule`."""

    nodes_min = 2

    def nodes(self) -> list[Node]:
        """In a random order."""
        nodes = list(self.cluster.nodes.values())
        self.rng.shuffle(nodes)
        return nodes

    def end(self) -> None:
        self.cluster.network.heal()


class Partition(NetworkFault):
    """Two halves, either of which may hold the leader."""

    name = "partition"
    hold = (2, 12)

    def begin(self) -> str:
        nodes = self.nodes()
        minority = nodes[: max(1, (len(nodes) - 1) // 2)]
        rest = nodes[len(minority):]
        self.cluster.network.cut(both_ways(minority, rest))
        return f"{names(minority)} | {names(rest)}"


class IsolatedLeader(NetworkFault):
    """Clients still reach it: what it says must not be stale."""

    name = "isolated-leader"
    weight = 3
    hold = (2, 12)

    def begin(self) -> str:
        leader = self.cluster.leader() or self.nodes()[0]
        rest = [node for node in self.cluster.nodes.values() if node is not leader]
        self.cluster.network.cut(both_ways([leader], rest))
        return f"{leader} | {names(rest)}"


class OneWay(NetworkFault):
    """A node that is heard and does not hear, or the other way round."""

    name = "one-way"
    hold = (2, 12)

    def begin(self) -> str:
        victim = self.one()[0]
        rest = [node for node in self.cluster.nodes.values() if node is not victim]
        if self.rng.random() < 0.5:
            self.cluster.network.cut(between([victim], rest))
            return f"nobody hears {victim}"
        self.cluster.network.cut(between(rest, [victim]))
        return f"{victim} hears nobody"


class Bridge(NetworkFault):
    """Two halves that only one node connects."""

    name = "bridge"
    hold = (2, 12)
    nodes_min = 3

    def begin(self) -> str:
        bridge, *rest = self.nodes()
        one, other = rest[: len(rest) // 2], rest[len(rest) // 2:]
        self.cluster.network.cut(both_ways(one, other))
        return f"{names(one)} | {names(other)}, both reach {bridge}"


class Ring(NetworkFault):
    """Each node reaches its two neighbours only: every majority is another one."""

    name = "ring"
    hold = (2, 12)
    nodes_min = 4

    def begin(self) -> str:
        nodes = self.nodes()
        count = len(nodes)
        links: set[tuple[int, int]] = set()
        for index, node in enumerate(nodes):
            strangers = [other for place, other in enumerate(nodes) if (place - index) % count not in (0, 1, count - 1)]
            links |= between([node], strangers)
        self.cluster.network.cut(links)
        return "ring of " + names(nodes)


class Loss(NetworkFault):
    """Some of what nodes send each other is lost."""

    name = "loss"
    hold = (3, 12)

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        return abilities.lose_packets

    def begin(self) -> str:
        victims = self.some()
        percent = self.rng.choice([5, 15, 30])
        for node in victims:
            self.cluster.network.lose(node.slot, percent)
        return f"{percent} % of what reaches {names(victims)} is lost"


class CutClients(NetworkFault):
    """Clients do not reach a node that its peers reach."""

    name = "cut-clients"
    nodes_min = 2

    @classmethod
    def hindrance(cls, abilities: Abilities) -> str:
        return abilities.lose_packets

    def begin(self) -> str:
        victims = self.one()
        self.cluster.network.cut_clients(node.slot for node in victims)
        return f"clients do not reach {names(victims)}"
