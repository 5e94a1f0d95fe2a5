"""One run: `python -m harness`, started by ./Cluster/chaos."""
from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from . import clock, report
from .cluster import Cluster
from .disk import disk_faults_work
from .final import Finale, Workers
from .measures import measure
from .nemesis import Abilities
from .network import LoopbackNetwork, NamespaceNetwork, Network, namespaces_work
from .program import Program, executable
from .schedule import EVERY, Schedule, chosen
from .system import HarnessError

WORKERS, THREADS = 2, 8
CHECK_SECONDS = 1800
START_SECONDS = 60


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./Cluster/chaos")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--nemeses", default=",".join(kind.name for kind in EVERY))
    parser.add_argument("--loopback", action="store_true")
    parser.add_argument("--rate", type=float, default=240)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    known = [kind.name for kind in EVERY]
    if options.nemeses == "list":
        for kind in EVERY:
            print(f"{kind.name:18}{' '.join((kind.__doc__ or '').split())}")
        sys.exit(0)
    options.nemeses = [name for name in options.nemeses.split(",") if name]
    for name in options.nemeses:
        if name not in known:
            parser.error(f"there is no nemesis '{name}': choose from {', '.join(known)}")
    if not 1 <= options.nodes <= 9 or options.seconds <= 0 or options.rate <= 0:
        parser.error("--nodes is 1 to 9, --seconds and --rate are positive")
    return options


@dataclass
class Place:
    """Where a run happens, and what can be done to it there."""

    folder: Path
    tag: str
    network: Network
    abilities: Abilities
    images: bool


class ChaosRun:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._root = Path(__file__).parents[2]
        self._state = Path(os.environ.get("CONCLAVE_STATE_DIR") or self._root / ".conclave")
        self._started = time.monotonic()
        self._is_kept = bool(options.keep)

    def _say(self, words: str) -> None:
        print(f"[{time.monotonic() - self._started:7.1f} s] {words}", flush=True)

    def run(self) -> int:
        """The exit status."""
        tag = os.urandom(3).hex()
        folder = self._state / f"chaos-{tag}"
        folder.mkdir(parents=True, mode=0o700)
        with ExitStack() as stack:
            stack.callback(self._remove, folder)
            # Undoing is not to be interrupted half-way.
            stack.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
            stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
            try:
                return self._run(self._place(folder, tag, stack), stack)
            except Exception:
                self._is_kept = True
                raise

    def _remove(self, folder: Path) -> None:
        if self._is_kept:
            print(f"kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder)

    def _place(self, folder: Path, tag: str, stack: ExitStack) -> Place:
        hindrance = "asked for --loopback" if self._options.loopback else namespaces_work()
        network: Network = LoopbackNetwork() if hindrance else NamespaceNetwork(tag)
        stack.callback(network.remove)
        self._say(f"{network.name}" + (f" ({hindrance})" if hindrance else ""))
        fill, slow = disk_faults_work(folder, f"conclave-try-{tag}")
        abilities = Abilities(
            fill_disk=fill, slow_disk=slow, move_clock="" if clock.LIBRARY else "libfaketime is not installed",
            lose_packets="" if network.has_packets else "no packets in proxies")
        return Place(folder, tag, network, abilities, images=not fill)

    def _run(self, place: Place, stack: ExitStack) -> int:
        options = self._options
        program = Program(executable(self._root))
        kinds, skipped = chosen(options.nemeses, options.nodes, place.abilities)
        cluster = Cluster(
            place.folder, place.tag, program, place.network, stack, images=place.images, throttles=not place.abilities.slow_disk)
        cluster.start(options.nodes, self._say)
        workers = Workers(place.folder, WORKERS, THREADS, options.rate, options.seed)
        stack.callback(workers.end)
        workers.wait_for("working", START_SECONDS)
        begin = time.monotonic_ns()
        self._say(f"clients work, {options.seconds:.0f} s of faults begin, seed {options.seed}")
        schedule = Schedule(cluster, kinds, options.seed, self._say, workers.check)
        schedule.run(options.seconds)
        schedule.end_all()
        finale = Finale(cluster, workers, self._say)
        healed = finale.run()
        measures = measure(workers.histories, begin, healed, finale.clients_stopped, schedule.events)
        check = self._check(workers.histories)
        findings = [*schedule.findings, *cluster.unexpected_ends, *finale.findings]
        if measures.first_write_after is None:
            findings.append("no write succeeded after the last fault was healed")
        told = report.Run(
            seed=options.seed, seconds=options.seconds, nodes=options.nodes, network=place.network.name, command=self._command(),
            events=schedule.events, skipped=skipped, measures=measures, check=check, findings=findings,
            recovery_seconds=finale.recovery_seconds, state=finale.state)
        self._is_kept = self._is_kept or told.has_failed
        told.kept = place.folder if self._is_kept else None
        for path in report.write(told, self._state / "reports", f"chaos-seed-{options.seed}-{place.tag}"):
            self._say(f"report: {path}")
        for row in report.summary(told):
            self._say(f"{row[0]}: {row[1]}")
        for finding in findings:
            self._say(f"MUST NOT BE: {finding}")
        for finding in check["findings"]:
            self._say(f"{finding['verdict'].upper()} {finding['model']} {finding['key']}\n{finding['details']}")
        self._say(f"seed {options.seed}: {told.verdict}")
        return 1 if told.has_failed else 0

    def _check(self, histories: list[Path]) -> dict[str, Any]:
        self._say("checking the histories")
        checker = os.environ.get("CONCLAVE_CHECK") or str(self._root / ".build" / "release" / "conclave-check")
        done = subprocess.run(
            [checker, "--format", "json", *map(str, histories)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CHECK_SECONDS)
        if done.returncode not in (0, 1, 3):
            raise HarnessError(f"conclave-check ended with status {done.returncode}: {done.stderr.strip()}")
        verdict: dict[str, Any] = json.loads(done.stdout)
        return verdict

    def _command(self) -> str:
        options = self._options
        more = "" if len(options.nemeses) == len(EVERY) else f" --nemeses {','.join(options.nemeses)}"
        return f"./Cluster/chaos --seconds {options.seconds:g} --seed {options.seed} --nodes {options.nodes}{more}" + (
            " --loopback" if options.loopback else "")


def interrupted(number: int, frame: Optional[object]) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, interrupted)
    # Also where a shell has told us to ignore it, as it does for what runs in the background.
    signal.signal(signal.SIGINT, interrupted)
    try:
        return ChaosRun(options).run()
    except HarnessError as error:
        print(f"chaos: the run failed, and says nothing about the cluster: {error}", file=sys.stderr)
        return 2
    except Exception:
        # Whatever it is, it is no violation.
        traceback.print_exc()
        return 2
    except KeyboardInterrupt:
        print("chaos: interrupted; everything is stopped and removed", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
