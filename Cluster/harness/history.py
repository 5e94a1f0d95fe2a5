"""What clients saw, one JSON object per line, as conclave-check reads it."""
from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Iterator, Optional


class HistoryWriter:
    """May be used from several threads. Values are numbers; no secret is written."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "w", buffering=256 * 1024)
        self._lock = threading.Lock()

    def add(
        self, client: int, model: str, key: str, op: str, args: dict[str, Any], outcome: str, result: Optional[dict[str, Any]],
        call: int, returned: Optional[int], node: int, code: str = ""
    ) -> None:
        """`call` and `returned`: monotonic nanoseconds of the machine. `code`: the error that the client was told."""
        line: dict[str, Any] = {"client": client, "model": model, "key": key, "op": op, "outcome": outcome, "call": call, "node": node}
        if args:
            line["args"] = args
        if result is not None:
            line["result"] = result
        if returned is not None:
            line["return"] = returned
        if code:
            line["code"] = code
        text = json.dumps(line, separators=(",", ":"))
        with self._lock:
            self._file.write(text + "\n")

    def close(self) -> None:
        with self._lock:
            self._file.close()


def lines(paths: list[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        with open(path) as file:
            for line in file:
                yield json.loads(line)
