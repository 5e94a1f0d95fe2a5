"""A wall clock for each node that can jump. Timers of a node run by the monotonic clock, which is left alone."""
from __future__ import annotations

import glob
from pathlib import Path
from typing import Optional

from .system import write_whole

LIBRARY: Optional[str] = next(iter(sorted(glob.glob("/usr/lib*/**/faketime/libfaketime.so.1"))), None)


class Clock:
    """Read by the node's libfaketime about once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.jump(0)

    def jump(self, seconds: int) -> None:
        """How far the clock is ahead of the true time."""
        write_whole(self._path, f"{seconds:+d}\n")

    def environment(self) -> dict[str, str]:
        if LIBRARY is None:
            return {}
        return {
            "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(self._path), "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
