"""The cluster of a run: its nodes, who leads, and who is a member."""
from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from .clock import Clock
from .disk import Disk, ImageDisk, PlainDisk
from .network import Network
from .node import Node
from .program import Program, Refused, Status
from .system import HarnessError, wait_for, write_whole

REGION = "us-east-1"
HEALTH_SECONDS = 120


@dataclass(frozen=True)
class Credentials:
    ca_file: str
    access_key_id: str
    secret_access_key: str


class Cluster:
    """Owned by the main thread. Workers learn the nodes from a file."""

    def __init__(self, folder: Path, tag: str, program: Program, network: Network, stack: ExitStack, *, images: bool, throttles: bool) -> None:
        self.program = program
        self.network = network
        # Members and those on their way, by slot.
        self.nodes: dict[int, Node] = {}
        self.clients_file = folder / "clients.json"
        self.unexpected_ends: list[str] = []
        self._folder = folder
        self._tag = tag
        self._stack = stack
        self._images = images
        self._throttles = throttles
        self._next_slot = 1
        self._credentials: Optional[Credentials] = None

    # -- making nodes

    def _place(self) -> Node:
        slot = self._next_slot
        self._next_slot += 1
        folder = self._folder / f"node-{slot}"
        folder.mkdir()
        addresses = self.network.add(slot)
        disk: Disk = ImageDisk(folder, f"conclave-{self._tag}-{slot}", self._throttles) if self._images else PlainDisk(folder)
        self._stack.callback(disk.remove)
        node = Node(slot, folder, self.program, self.network, addresses, disk, Clock(folder / "clock"))
        self._stack.callback(node.kill)
        return node

    def start(self, count: int, say: Callable[[str], None]) -> None:
        """The first node, and the others joining it one by one."""
        first = self._place()
        made = self.program.init(first.data, REGION, first.addresses.peer_advertise, self.network.certificate_names())
        ca_file = self._folder / "ca.pem"
        ca_file.write_bytes(Path(made["ca_file"]).read_bytes())
        self._credentials = Credentials(str(ca_file), made["access_key_id"], made["secret_access_key"])
        first.start()
        first.wait_until_serving()
        self.nodes[first.slot] = first
        say("node 1 serves")
        for _ in range(count - 1):
            node = self.join()
            say(f"{node} joined")
        self.wait_until_healthy()
        self.publish()

    def join(self) -> Node:
        """A new node that becomes a voter.

        :raises Refused: when no token is to be had."""
        node = self.begin_join()
        node.wait_until_serving()
        return node

    def begin_join(self) -> Node:
        """The same, without waiting for it to serve."""
        if self._next_slot > self.network.slots_max:
            raise Refused("no place is left for another node in this run")
        token = self.ask(self.program.token)
        node = self._place()
        node.start(join=self._others(node), token=token)
        self.nodes[node.slot] = node
        return node

    def rejoin(self, node: Node) -> None:
        """Starts a node that may or may not have become a member before it was killed."""
        node.start(join=self._others(node), token=self.ask(self.program.token))

    def _others(self, node: Node) -> list[str]:
        return [other.addresses.peer_advertise for other in self.nodes.values() if other is not node]

    def forget(self, node: Node) -> None:
        """It is no member any more: its process ends, its disk goes."""
        node.kill()
        del self.nodes[node.slot]
        node.disk.empty()
        node.disk.remove()
        (node.folder / "disk.image").unlink(missing_ok=True)

    # -- what the cluster says

    def ask(self, command: Callable[[Path], Any]) -> Any:
        """The answer of the first node that gives one.

        :raises Refused: with the last refusal, when none does."""
        refused = Refused("no node runs")
        for node in self.nodes.values():
            if not node.is_running or node.is_paused:
                continue
            try:
                return command(node.data)
            except Refused as error:
                refused = error
        raise refused

    def status(self) -> Optional[Status]:
        try:
            status: Status = self.ask(self.program.status)
        except (Refused, json.JSONDecodeError):
            return None
        return status

    def leader(self) -> Optional[Node]:
        """By the word of the first node that knows one."""
        status = self.status()
        if status is None or status.leader is None:
            return None
        return next((node for node in self.nodes.values() if self._leads(node, status)), None)

    @staticmethod
    def _leads(node: Node, status: Status) -> bool:
        member = status.at(node.addresses.peer_advertise)
        return member is not None and member.id == status.leader

    def member_id(self, node: Node) -> Optional[int]:
        status = self.status()
        member = status.at(node.addresses.peer_advertise) if status else None
        return member.id if member else None

    def is_healthy(self) -> bool:
        """Every node runs, serves and votes, and there are no other members."""
        if not all(node.is_running and node.is_healthy for node in self.nodes.values()):
            return False
        status = self.status()
        if status is None or status.health != "healthy" or len(status.members) != len(self.nodes):
            return False
        members = [status.at(node.addresses.peer_advertise) for node in self.nodes.values()]
        return all(member is not None and member.voter for member in members)

    def wait_until_healthy(self, seconds: float = HEALTH_SECONDS) -> None:
        """:raises NotInTime: after `seconds`."""
        wait_for(self.is_healthy, seconds, "every node to serve and vote")

    # -- what clients are told

    def publish(self) -> None:
        """Writes what clients need to know into their file."""
        if self._credentials is None:
            raise HarnessError("the cluster has no credentials before it has been started")
        endpoints = {str(slot): f"https://{node.addresses.api}" for slot, node in self.nodes.items()}
        content = {
            "endpoints": endpoints, "region": REGION, "ca_file": self._credentials.ca_file,
            "access_key_id": self._credentials.access_key_id, "secret_access_key": self._credentials.secret_access_key,
        }
        write_whole(self.clients_file, json.dumps(content))

    # -- processes

    def note_end(self, node: Node) -> None:
        """For a node that ended though nobody ended it. Without room on its disk it may."""
        if node.disk.is_filled:
            return
        self.unexpected_ends.append(f"{node} ended by itself with status {node.exit_status}; the end of its log:\n{node.log_tail()}")

    def notice_ends(self) -> list[Node]:
        """Nodes that ended though nobody ended them."""
        ended = [node for node in self.nodes.values() if node.is_wanted and not node.is_running]
        for node in ended:
            node.is_wanted = False
            self.note_end(node)
        return ended

    def heal(self) -> None:
        """Undoes every fault and starts what does not run."""
        self.network.heal()
        for node in self.nodes.values():
            node.disk.empty()
            node.disk.speed_up()
            node.clock.jump(0)
            node.resume()
            if not node.is_running:
                node.start()
