"""What is said about a run: Markdown for reading, the same with a picture as one HTML file."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Optional, Sequence

from .measures import Measures
from .schedule import Event
from .timeline import Timeline


@dataclass
class Run:
    """Everything that a report tells."""

    seed: int
    seconds: float
    nodes: int
    network: str
    command: str
    events: Sequence[Event]
    skipped: dict[str, str]
    measures: Measures
    check: dict[str, Any]
    findings: Sequence[str]
    recovery_seconds: Optional[float]
    state: str
    kept: Optional[Path] = None

    @property
    def is_undecided(self) -> bool:
        return bool(self.check["exitCode"] == 3)

    @property
    def has_failed(self) -> bool:
        return bool(self.findings) or self.check["exitCode"] != 0

    @property
    def verdict(self) -> str:
        if self.findings or self.check["exitCode"] == 1:
            return "VIOLATION"
        return "UNDECIDED" if self.is_undecided else "every promise held"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in cells]


def markdown(run: Run) -> str:
    measures = run.measures
    lines = [
        f"# Chaos, seed {run.seed}: {run.verdict}", "",
        f"{run.nodes} nodes ({run.network}), {run.seconds:.0f} s of faults. Again with: `{run.command}`", "",
        *table(["", ""], summary(run)), "",
    ]
    if run.findings:
        lines += ["## What must not be", "", *(f"- {finding}" for finding in run.findings), ""]
    for finding in run.check["findings"]:
        lines += [f"## {finding['verdict']}: {finding['model']} {finding['key']}", "", "```", finding["details"], "```", ""]
    lines += ["## Checked", "", *table(["model", "operations", "linearizable keys", "violated", "undecided"], checked(run)), ""]
    lines += ["## Operations", "", *table(["model", "operation", "ok", "not executed", "unknown"], operations(measures)), ""]
    if measures.codes:
        lines += ["Not answered:", "", *table(["operation", "error", "count"], [[*key, count] for key, count in sorted(measures.codes.items())]), ""]
    lines += ["## Faults", "", *table(["fault", "done", "refused", "longest time without a write that touches one, s"], faults(run)), ""]
    if run.skipped:
        lines += ["Left out on this machine:", "", *(f"- {name}: {why}" for name, why in sorted(run.skipped.items())), ""]
    lines += ["## In their order", "", *table(["from, s", "to, s", "fault", "what"], story(run)), ""]
    if run.kept:
        lines += [f"Logs, histories and data are kept in `{run.kept}`; a node's `disk.image` can be mounted with `mount -o loop`.", ""]
    return "\n".join(lines)


def summary(run: Run) -> list[list[object]]:
    measures = run.measures
    duration = (measures.end - measures.begin) / 1e9
    answered = sum(one.reads + one.writes for one in measures.seconds)

    def at(gap_since: int) -> str:
        return f"from second {(gap_since - measures.begin) / 1e9:.1f}"

    recovery = "never" if run.recovery_seconds is None else f"{run.recovery_seconds:.1f} s"
    first = "none" if measures.first_write_after is None else f"{measures.first_write_after:.2f} s"
    return [
        ["operations", f"{measures.operations}, {answered / duration:.0f} answered a second"],
        ["longest time without a successful write", f"{measures.write_gap.seconds:.2f} s, {at(measures.write_gap.since)}"],
        ["longest time without a successful read", f"{measures.read_gap.seconds:.2f} s, {at(measures.read_gap.since)}"],
        ["from the last healing to a healthy cluster", recovery],
        ["from the last healing to the first write", first],
        ["at the end", run.state or "the nodes' states differ"],
    ]


def checked(run: Run) -> list[list[object]]:
    return [[row["model"], row["operations"], row["linearizable"], row["violated"], row["undecided"]] for row in run.check["models"]]


def operations(measures: Measures) -> list[list[object]]:
    pairs = sorted({(model, op) for model, op, _ in measures.counts})
    return [[model, op, *(measures.counts[model, op, outcome] for outcome in ("ok", "fail", "unknown"))] for model, op in pairs]


def faults(run: Run) -> list[list[object]]:
    done = Counter(event.name for event in run.events if not event.is_refused)
    refused = Counter(event.name for event in run.events if event.is_refused)
    return [[name, done[name], refused[name], f"{run.measures.gaps_by_fault[name]:.2f}"] for name in sorted({*done, *refused})]


def story(run: Run) -> list[list[object]]:
    begin = run.measures.begin
    return [[f"{(event.begin - begin) / 1e9:.1f}", f"{(event.end - begin) / 1e9:.1f}", event.name, event.what] for event in run.events]


def html(run: Run) -> str:
    """Self-contained."""
    picture = Timeline(run.measures, run.events).svg()
    style = "body{font-family:sans-serif;max-width:1200px;margin:2em auto;color:#111827}pre{white-space:pre-wrap;background:#f9fafb;padding:1em}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chaos, seed {run.seed}</title><style>{style}</style></head>'
        f"<body><h1>Chaos, seed {run.seed}: {escape(run.verdict)}</h1>{picture}<pre>{escape(markdown(run))}</pre></body></html>\n")


def write(run: Run, folder: Path, name: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for suffix, content in (("md", markdown(run)), ("html", html(run))):
        path = folder / f"{name}.{suffix}"
        path.write_text(content)
        written.append(path)
    return written
