"""A process full of clients. `python -m harness.worker FOLDER NUMBER SEED THREADS RATE`, until SIGTERM; then, at SIGUSR1, it reads
everything that it wrote from every node, and ends.

The two parts are one process because it alone knows all that it has touched. Between them it waits, and says what it does in a file.
"""
from __future__ import annotations

import json
import queue
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Callable

from .bench import Bench, Client, Object, Pool
from .clients import Endpoints
from .history import HistoryWriter
from .objects import Labels, Name, NameSet, Register
from .system import write_whole

# How long a healthy node may leave a reading unanswered at the end.
FINAL_ANSWER_SECONDS = 20
# After so many of them the rest is not asked: the cluster does not serve.
UNANSWERED_MAX = 3

KINDS: tuple[tuple[type[Object], int, int], ...] = ((Register, 4, 45), (NameSet, 1, 20), (Labels, 2, 15), (Name, 3, 20))


class Worker:
    def __init__(self, folder: Path, number: int, seed: str, threads: int, rate: float) -> None:
        self._state_file = folder / f"worker-{number}.json"
        self._bench = Bench(number, Endpoints(folder / "clients.json", threads), HistoryWriter(folder / f"history-{number}.jsonl"))
        self._threads = threads
        self._interval = threads / rate
        self._seed = f"clients {seed} {number}"
        self._pools = [Pool(kind, f"chaos/{number}/{kind.model}/", count) for kind, count, _ in KINDS]
        self._stop = threading.Event()
        self._look = threading.Event()
        self._failures: list[str] = []
        self._unanswered = 0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGUSR1, lambda *_: self._look.set())
        self._say("working")
        self._in_threads(self._work)
        self._say("waiting")
        self._look.wait()
        self._read_all()
        self._bench.history.close()
        self._say("done")

    def _say(self, state: str) -> None:
        write_whole(self._state_file, json.dumps({"state": state, "findings": self._bench.findings, "failures": self._failures}))

    def _in_threads(self, work: Callable[[Client], None]) -> None:
        def body(thread: int) -> None:
            try:
                work(Client(self._bench, thread, random.Random(f"{self._seed} {thread}")))
            except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
                self._failures.append(f"{type(error).__name__}: {error}")
                self._stop.set()

        threads = [threading.Thread(target=body, args=(thread,)) for thread in range(self._threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # -- under faults

    def _work(self, client: Client) -> None:
        """One operation after the other, at this thread's part of the rate."""
        due = time.monotonic() + client.rng.uniform(0, self._interval)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            pool = client.rng.choices(self._pools, [weight for _, _, weight in KINDS])[0]
            thing = pool.take(client)
            if thing is not None:
                thing.step(client)
            # What was missed is not made up for.
            due = max(due + self._interval, time.monotonic())

    # -- when all is healed

    def _read_all(self) -> None:
        tasks: queue.SimpleQueue[Callable[[Client], bool]] = queue.SimpleQueue()
        nodes = self._bench.endpoints.nodes()
        chosen = random.Random(f"{self._seed} settle")
        # Which writes are there is asked first: what the nodes show after it must agree.
        for settle_first in (True, False):
            for thing in (thing for pool in self._pools for thing in pool.used):
                if settle_first and isinstance(thing, Register):
                    tasks.put(self._settling(thing, chosen.choice(nodes)))
                elif not settle_first:
                    for node in nodes:
                        tasks.put(self._looking(thing, node))
            self._in_threads(lambda client: self._drain(tasks, client))

    @staticmethod
    def _settling(thing: Register, node: int) -> Callable[[Client], bool]:
        return lambda client: thing.settle(client, node)

    @staticmethod
    def _looking(thing: Object, node: int) -> Callable[[Client], bool]:
        return lambda client: thing.look(client, node)

    def _drain(self, tasks: "queue.SimpleQueue[Callable[[Client], bool]]", client: Client) -> None:
        while self._unanswered < UNANSWERED_MAX:
            try:
                task = tasks.get_nowait()
            except queue.Empty:
                return
            deadline = time.monotonic() + FINAL_ANSWER_SECONDS
            while not task(client):
                if time.monotonic() > deadline:
                    self._unanswered += 1
                    self._bench.findings.append(f"no answer to a reading within {FINAL_ANSWER_SECONDS} s though all is healed")
                    break


def main() -> None:
    folder, number, seed, threads, rate = sys.argv[1:]
    Worker(Path(folder), int(number), seed, int(threads), float(rate)).run()


if __name__ == "__main__":
    main()
