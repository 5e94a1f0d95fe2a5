"""Numbers of a run, from the histories of its clients."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence

from .history import lines
from .schedule import Event

READS = frozenset({"get", "look", "list", "read"})
# Written at the beginning and at the end; nobody waited for them.
ASIDE = frozenset({"initial", "settle"})


@dataclass
class Second:
    """What came back in one second. Latencies in milliseconds, of what was answered."""

    reads: int = 0
    writes: int = 0
    failed: int = 0
    unknown: int = 0
    latencies: list[float] = field(default_factory=list)

    def latency(self, quantile: float) -> Optional[float]:
        return quantile_of(self.latencies, quantile)


@dataclass
class Gap:
    """The longest time without a success, in seconds, and where it begins."""

    seconds: float = 0
    since: int = 0


@dataclass
class Measures:
    """Of the time from `begin` to `end`, in monotonic nanoseconds."""

    begin: int
    end: int
    seconds: list[Second] = field(default_factory=list)
    # By model, operation and outcome.
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # By operation and error, for what was not answered.
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    read_gap: Gap = field(default_factory=Gap)
    write_gap: Gap = field(default_factory=Gap)
    # By name of fault: the longest time without a successful write that touches one of them.
    gaps_by_fault: dict[str, float] = field(default_factory=dict)
    # The first successful write after the faults were healed, in seconds from then.
    first_write_after: Optional[float] = None

    @property
    def operations(self) -> int:
        return sum(self.counts.values())


def quantile_of(values: Sequence[float], quantile: float) -> Optional[float]:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] if ordered else None


def measure(histories: list[Path], begin: int, healed: int, end: int, events: Sequence[Event]) -> Measures:
    """`healed`: when the last fault ended. The readings after `end` count as operations only."""
    measures = Measures(begin, end, [Second() for _ in range(int((end - begin) / 1e9) + 1)])
    reads, writes = [], []
    for line in lines(histories):
        op, outcome = line["op"], line["outcome"]
        if op in ASIDE:
            continue
        measures.counts[line["model"], op, outcome] += 1
        if outcome != "ok":
            measures.codes[op, line.get("code", "")] += 1
        when = line.get("return") or line["call"]
        if not begin <= when < end:
            continue
        second = measures.seconds[int((when - begin) / 1e9)]
        if outcome == "ok":
            second.latencies.append((line["return"] - line["call"]) / 1e6)
            if op in READS:
                second.reads += 1
                reads.append(when)
            else:
                second.writes += 1
                writes.append(when)
        elif outcome == "fail":
            second.failed += 1
        else:
            second.unknown += 1
    measures.read_gap = longest_gap(reads, begin, end)
    write_gaps = gaps(writes, begin, end)
    measures.write_gap = longest_gap(writes, begin, end)
    for event in events:
        touching = [(till - since) / 1e9 for since, till in write_gaps if since < event.end and till > event.begin]
        measures.gaps_by_fault[event.name] = max([measures.gaps_by_fault.get(event.name, 0.0), *touching])
    after = [when for when in writes if when >= healed]
    measures.first_write_after = (min(after) - healed) / 1e9 if after else None
    return measures


def gaps(times: list[int], begin: int, end: int) -> list[tuple[int, int]]:
    marks = [begin, *sorted(times), end]
    return list(zip(marks, marks[1:]))


def longest_gap(times: list[int], begin: int, end: int) -> Gap:
    since, till = max(gaps(times, begin, end), key=lambda gap: gap[1] - gap[0])
    return Gap((till - since) / 1e9, since)
