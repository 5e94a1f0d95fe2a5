"""Commands, waiting for conditions, and what must be undone at the end."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence, TypeVar

T = TypeVar("T")

# Between two looks at a condition. Short, since most conditions hold soon.
POLL_SECONDS = 0.05

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class HarnessError(Exception):
    """The harness could not do what it must: the run says nothing about the cluster."""


class NotInTime(HarnessError):
    """A condition that was waited for did not come."""


class NodeEnded(HarnessError):
    """A node ended by itself when it should have begun to serve."""


def run(argv: Sequence[str], *, text: str = "", seconds: float = 30, environment: Optional[Mapping[str, str]] = None) -> str:
    """Standard output of a command that must succeed.

    :raises HarnessError: with what it printed, when it does not."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=seconds, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"{' '.join(argv)}: {error}") from error
    if done.returncode != 0:
        raise HarnessError(f"{' '.join(argv)} ended with status {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_for(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first true value of `condition`.

    :raises NotInTime: with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise NotInTime(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def die_with_parent() -> None:
    """For `preexec_fn`: the child is killed when the thread that made it ends, however that comes. So only the main
    thread, which lives as long as the harness, starts processes."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def plain_environment(**more: str) -> dict[str, str]:
    """The environment without anything that steers AWS clients or our nodes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CONCLAVE_")) and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }
    kept.update(more)
    return kept


def write_whole(path: Path, content: str) -> None:
    """Readers see the old content or the new, never a part."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(content)
    draft.replace(path)
