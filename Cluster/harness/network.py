"""Where the nodes live on the network, and what cuts them apart.

A *slot* is a place for a node: its addresses and its disk. Slots are numbered from 1 and never used for two nodes of one run.
"""
from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from typing import Iterable, Protocol

from .proxy import LinkProxies
from .system import HarnessError, run

API_PORT, PEER_PORT, OPS_PORT = 8443, 8444, 8445


@dataclass(frozen=True)
class Addresses:
    """`host:port` each."""

    api: str
    peer_listen: str
    # What other nodes dial.
    peer_advertise: str
    ops: str


class Network(Protocol):
    """Links are one-way: `cut(1, 2)` keeps everything that 1 sends from 2."""

    name: str
    slots_max: int
    # Whether packets can be lost at random, and clients cut off from a node.
    has_packets: bool

    def add(self, slot: int) -> Addresses: ...
    def prefix(self, slot: int) -> list[str]: ...
    def started(self, slot: int, pid: int) -> None: ...
    def cut(self, links: Iterable[tuple[int, int]]) -> None: ...
    def cut_clients(self, slots: Iterable[int]) -> None: ...
    def lose(self, slot: int, percent: int) -> None: ...
    def heal(self) -> None: ...
    def certificate_names(self) -> list[str]: ...
    def remove(self) -> None: ...


def namespaces_work() -> str:
    """Empty, or why not."""
    if os.geteuid() != 0:
        return "not root"
    for program in ("ip", "nft", "nsenter"):
        if shutil.which(program) is None:
            return f"no {program}"
    name = f"conclave-try-{os.getpid()}"
    try:
        run(["ip", "netns", "add", name])
        try:
            run(["ip", "netns", "exec", name, "nft", "-f", "-"], text=NamespaceNetwork.ruleset([], False, 10, "10.0.0.1"))
        finally:
            run(["ip", "netns", "delete", name])
    except HarnessError as error:
        return str(error)
    return ""


class NamespaceNetwork:
    """A network namespace for each slot, joined by a bridge; clients are on the host's side of the bridge. What is cut is dropped by nftables
    in the receiver's namespace."""

    name = "network namespaces"
    has_packets = True
    # As many addresses as the certificates name.
    slots_max = 100

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._bridge = f"cc{tag}"
        self._net = self._free_net()
        self._slots: set[int] = set()
        self._cut: set[tuple[int, int]] = set()
        self._clients_cut: set[int] = set()
        self._loss: dict[int, int] = {}
        run(["ip", "link", "add", self._bridge, "type", "bridge"])
        run(["ip", "address", "add", f"{self._host}/24", "dev", self._bridge])
        run(["ip", "link", "set", self._bridge, "up"])

    @staticmethod
    def _free_net() -> str:
        routes = run(["ip", "-4", "route", "show", "table", "all"])
        for third in range(256):
            if f"10.77.{third}." not in routes:
                return f"10.77.{third}"
        raise HarnessError("no network 10.77.x.0/24 is free")

    @property
    def _host(self) -> str:
        return f"{self._net}.254"

    def _address(self, slot: int) -> str:
        return f"{self._net}.{slot}"

    def _namespace(self, slot: int) -> str:
        return f"conclave-{self._tag}-{slot}"

    def _outer(self, slot: int) -> str:
        """The host's end of the pair."""
        return f"cc{self._tag}n{slot}"

    def certificate_names(self) -> list[str]:
        return [self._address(slot) for slot in range(1, self.slots_max + 1)]

    def add(self, slot: int) -> Addresses:
        if slot > self.slots_max:
            raise HarnessError("too many nodes in one run")
        name, outer = self._namespace(slot), self._outer(slot)
        run(["ip", "netns", "add", name])
        self._slots.add(slot)
        run(["ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name])
        run(["ip", "link", "set", outer, "master", self._bridge, "up"])
        for command in (["address", "add", f"{self._address(slot)}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            run(["ip", "-netns", name, *command])
        address = self._address(slot)
        peer = f"{address}:{PEER_PORT}"
        return Addresses(f"{address}:{API_PORT}", peer, peer, f"{address}:{OPS_PORT}")

    def prefix(self, slot: int) -> list[str]:
        # Not `ip netns exec`, which also makes a mount namespace, and that keeps disks busy.
        return ["nsenter", f"--net=/run/netns/{self._namespace(slot)}"]

    def started(self, slot: int, pid: int) -> None:
        """Nothing to know: a namespace says whose traffic it is."""

    @staticmethod
    def ruleset(blocked: Iterable[str], clients: bool, loss: int, host: str) -> str:
        rules = [f"ip saddr {address} drop" for address in blocked]
        if clients:
            rules.append(f"ip saddr {host} tcp dport {API_PORT} drop")
        if loss:
            rules.append(f"ip saddr != {host} numgen random mod 100 < {loss} drop")
        body = "\n".join(rules)
        return f"flush ruleset\ntable inet chaos {{\nchain received {{\ntype filter hook input priority 0\n{body}\n}}\n}}\n"

    def _apply(self) -> None:
        for slot in sorted(self._slots):
            blocked = sorted(self._address(sender) for sender, receiver in self._cut if receiver == slot)
            rules = self.ruleset(blocked, slot in self._clients_cut, self._loss.get(slot, 0), self._host)
            run(["ip", "netns", "exec", self._namespace(slot), "nft", "-f", "-"], text=rules)

    def cut(self, links: Iterable[tuple[int, int]]) -> None:
        self._cut.update(links)
        self._apply()

    def cut_clients(self, slots: Iterable[int]) -> None:
        self._clients_cut.update(slots)
        self._apply()

    def lose(self, slot: int, percent: int) -> None:
        self._loss[slot] = percent
        self._apply()

    def heal(self) -> None:
        self._cut.clear()
        self._clients_cut.clear()
        self._loss.clear()
        self._apply()

    def remove(self) -> None:
        """The pairs first: the kernel takes a namespace away when it likes, and what is in it with it."""
        for slot in sorted(self._slots):
            run(["ip", "link", "delete", self._outer(slot)])
            run(["ip", "netns", "delete", self._namespace(slot)])
        self._slots.clear()
        run(["ip", "link", "delete", self._bridge])


class LoopbackNetwork:
    """All nodes on 127.0.0.1; they dial each other through proxies that hold back what is cut."""

    name = "loopback with proxies between the nodes"
    slots_max = 1000
    has_packets = False

    def __init__(self) -> None:
        self._proxies = LinkProxies()

    def certificate_names(self) -> list[str]:
        return []

    def add(self, slot: int) -> Addresses:
        api, peer, ops = (f"127.0.0.1:{port}" for port in free_ports(3))
        return Addresses(api, peer, self._proxies.add(slot, peer), ops)

    def prefix(self, slot: int) -> list[str]:
        return []

    def started(self, slot: int, pid: int) -> None:
        self._proxies.belongs(pid, slot)

    def cut(self, links: Iterable[tuple[int, int]]) -> None:
        self._proxies.cut(links)

    def cut_clients(self, slots: Iterable[int]) -> None:
        raise HarnessError("clients dial nodes directly here")

    def lose(self, slot: int, percent: int) -> None:
        raise HarnessError("there are no packets to lose here")

    def heal(self) -> None:
        self._proxies.heal()

    def remove(self) -> None:
        self._proxies.stop()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below the range that the system gives to outgoing connections, so that they stay
    free while their node is down. Those of earlier calls are not given again."""
    found: list[int] = []
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise HarnessError("no free port between 20000 and 32000")


# Runs at the same time start at different places.
_ports = iter([20000 + (os.getpid() * 37 + step) % 12000 for step in range(12000)])
