"""Waiting for conditions, never for a time."""
from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")

# Between two looks at a condition. Short, since most conditions hold at once.
POLL_SECONDS = 0.02


def wait_for(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first true value of `condition`; fails with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        time.sleep(POLL_SECONDS)
