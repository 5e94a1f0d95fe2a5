"""TCP proxies between nodes on loopback. What a link holds back is delivered when it is healed, as a network that
retransmits would.

A node advertises its proxy's address, so all nodes dial the same one; who dials is told by the process that owns the other end of
the connection.
"""
from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Coroutine, Iterable, Optional, TypeVar

T = TypeVar("T")

CHUNK_BYTES = 64 * 1024


class LinkProxies:
    """One proxy per slot, on an event loop in a thread of its own. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._cut: set[tuple[int, int]] = set()
        self._changed = self._run(self._new_event())
        self._slots: dict[int, int] = {}
        self._servers: list[asyncio.AbstractServer] = []

    @staticmethod
    async def _new_event() -> asyncio.Event:
        return asyncio.Event()

    def _run(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def add(self, slot: int, target: str) -> str:
        """The address to dial instead of `target`."""
        return self._run(self._listen(slot, target))

    def belongs(self, pid: int, slot: int) -> None:
        self._slots[pid] = slot

    def cut(self, links: Iterable[tuple[int, int]]) -> None:
        self._cut = self._cut | set(links)

    def heal(self) -> None:
        self._cut = set()
        self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in asyncio.all_tasks(self._loop) - {asyncio.current_task()}:
            task.cancel()

    async def _listen(self, slot: int, target: str) -> str:
        host, _, port = target.rpartition(":")

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            caller = self._caller(writer.get_extra_info("peername")[1])
            await self._join(caller, slot, reader, writer, host, int(port))

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        self._servers.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _join(
        self, caller: Optional[int], slot: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        await self._open((caller, slot))
        try:
            inner_reader, inner_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        there = asyncio.ensure_future(self._pump((caller, slot), reader, inner_writer))
        back = asyncio.ensure_future(self._pump((slot, caller), inner_reader, writer))
        await asyncio.wait({there, back})

    async def _pump(self, link: tuple[Optional[int], Optional[int]], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                data = await reader.read(CHUNK_BYTES)
                # An end of the stream is held back as well: the other side learns nothing of it.
                await self._open(link)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _open(self, link: tuple[Optional[int], Optional[int]]) -> None:
        """Returns when the link is not cut."""
        while link in self._cut:
            await self._changed.wait()

    def _caller(self, port: int) -> Optional[int]:
        """The slot whose process has this port as its own end."""
        inode = socket_inode(port)
        if inode is None:
            return None
        for pid, slot in list(self._slots.items()):
            if owns(pid, inode):
                return slot
        return None


def socket_inode(port: int) -> Optional[str]:
    """Of the connected IPv4 socket on 127.0.0.1 with this local port."""
    local = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return fields[9]
    return None


def owns(pid: int, inode: str) -> bool:
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            if os.readlink(f"/proc/{pid}/fd/{descriptor}") == f"socket:[{inode}]":
                return True
        except OSError:
            continue
    return False
