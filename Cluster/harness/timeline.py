"""A picture of a run: operations and latencies per second, and the faults below them, as one SVG."""
from __future__ import annotations

import math
from html import escape
from typing import Callable, Optional, Sequence

from .measures import Measures
from .schedule import Event

WIDTH, LEFT, RIGHT = 1180, 120, 20
PANEL, SPACE, LANE = 150, 34, 18

COLOURS = {"reads": "#2f6fde", "writes": "#1f9d55", "failed": "#e0a100", "unknown": "#d64545", "p50": "#6b7280", "p99": "#111827"}


class Timeline:
    def __init__(self, measures: Measures, events: Sequence[Event]) -> None:
        self._measures = measures
        self._events = events
        self._lanes = sorted({event.name for event in events})
        self._span = max(1.0, (measures.end - measures.begin) / 1e9)
        self._parts: list[str] = []

    def svg(self) -> str:
        top = 24.0
        seconds = self._measures.seconds
        self._panel(
            top, "operations/s", [("reads", [float(one.reads) for one in seconds]), ("writes", [float(one.writes) for one in seconds]),
                                  ("failed", [float(one.failed) for one in seconds]), ("unknown", [float(one.unknown) for one in seconds])],
            lambda value: value, 0)
        top += PANEL + SPACE
        self._panel(
            top, "latency, ms (log)", [("p50", [one.latency(0.5) for one in seconds]), ("p99", [one.latency(0.99) for one in seconds])],
            lambda value: math.log10(max(value, 0.1)) + 1, 0.1)
        top += PANEL + SPACE
        top = self._faults(top)
        self._axis(top)
        height = top + 30
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(self._parts)}</svg>')

    def _x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds, 0.0), self._span) / self._span

    def _text(self, x: float, y: float, words: str, anchor: str = "start", colour: str = "#374151") -> None:
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>')

    def _panel(
        self, top: float, title: str, series: Sequence[tuple[str, Sequence[Optional[float]]]], scale: Callable[[float], float],
        least: float
    ) -> None:
        values = [value for _, line in series for value in line if value is not None]
        most = max([*values, 1.0])
        self._parts.append(
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" fill="#f9fafb" stroke="#d1d5db"/>')
        self._text(LEFT - 8, top + 12, f"{most:.0f}", "end")
        self._text(LEFT - 8, top + PANEL, f"{least:g}", "end")
        self._text(LEFT, top - 6, title)
        for place, (name, line) in enumerate(series):
            self._text(LEFT + 130 + 80 * place, top - 6, name, colour=COLOURS[name])
            for run in unbroken(line):
                points = " ".join(
                    f"{self._x(second + 0.5):.1f},{top + PANEL - PANEL * scale(value) / max(scale(most), 1e-9):.1f}" for second, value in run)
                self._parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.3"/>')

    def _faults(self, top: float) -> float:
        for lane in self._lanes:
            self._text(LEFT - 8, top + LANE - 6, lane, "end")
            for event in self._events:
                if event.name != lane:
                    continue
                begin, end = ((time - self._measures.begin) / 1e9 for time in (event.begin, event.end))
                width = max(self._x(end) - self._x(begin), 2.0)
                colour = "#9ca3af" if event.is_refused else "#d64545"
                self._parts.append(
                    f'<rect x="{self._x(begin):.1f}" y="{top + 2}" width="{width:.1f}" height="{LANE - 4}" fill="{colour}" fill-opacity="0.6">'
                    f"<title>{escape(f'{begin:.1f} s to {end:.1f} s: {event.what}')}</title></rect>")
            top += LANE
        return top

    def _axis(self, top: float) -> None:
        step = next(step for step in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 86400) if self._span / step <= 20)
        for mark in range(0, int(self._span) + 1, step):
            x = self._x(mark)
            self._parts.append(f'<line x1="{x:.1f}" y1="24" x2="{x:.1f}" y2="{top:.1f}" stroke="#e5e7eb"/>')
            self._text(x, top + 14, f"{mark} s", "middle")


def unbroken(line: Sequence[Optional[float]]) -> list[list[tuple[int, float]]]:
    """The parts of a line without missing values."""
    runs: list[list[tuple[int, float]]] = [[]]
    for second, value in enumerate(line):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((second, value))
    return [run for run in runs if run]
