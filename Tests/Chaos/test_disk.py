"""Disks that are filled and slowed, and clocks that jump."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import clock
from harness.disk import ImageDisk, disk_faults_work

MIB = 1024 * 1024


@pytest.fixture
def tag() -> str:
    return f"conclave-test-{os.urandom(3).hex()}"


def test_a_filled_disk_takes_nothing_until_it_is_healed(tmp_path: Path, tag: str) -> None:
    fill, _ = disk_faults_work(tmp_path, tag)
    if fill:
        pytest.skip(fill)
    disk = ImageDisk(tmp_path, tag, can_slow=False)
    try:
        disk.fill(8 * MIB)
        assert shutil.disk_usage(disk.path).free <= 9 * MIB
        disk.fill(0)
        with pytest.raises(OSError), open(disk.path / "more", "wb", buffering=0) as more:
            for _ in range(2):
                more.write(bytes(MIB))
                os.fsync(more.fileno())
        disk.empty()
        assert shutil.disk_usage(disk.path).free > 1000 * MIB
    finally:
        disk.remove()
    assert not os.path.ismount(disk.path)


def test_a_slowed_disk_takes_its_time(tmp_path: Path, tag: str) -> None:
    fill, slow = disk_faults_work(tmp_path, tag)
    if slow:
        pytest.skip(slow)
    disk = ImageDisk(tmp_path, tag, can_slow=True)
    # Ten synced writes by a process of the disk's group.
    work = """
import os, sys
sys.stdin.read(1)
file = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
for block in range(10):
    os.pwrite(file, bytes(4096), block * 4096)
    os.fdatasync(file)
"""

    def seconds() -> float:
        with subprocess.Popen([sys.executable, "-c", work, str(disk.path / "file")], stdin=subprocess.PIPE) as process:
            disk.attach(process.pid)
            started = time.monotonic()
            process.communicate(b"x")
            assert process.returncode == 0
            return time.monotonic() - started

    try:
        disk.slow(5)
        assert seconds() > 1
    finally:
        disk.speed_up()
        disk.remove()


@pytest.mark.skipif(clock.LIBRARY is None, reason="libfaketime is not installed")
def test_a_clock_jumps_while_a_program_runs_and_the_monotonic_one_does_not(tmp_path: Path) -> None:
    moved = clock.Clock(tmp_path / "clock")
    ask = "import sys,time\nfor _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", ask], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **moved.environment()}
    ) as process:
        asking, answering = process.stdin, process.stdout
        assert asking is not None and answering is not None

        def off() -> tuple[float, float]:
            asking.write("\n")
            asking.flush()
            wall, monotonic = map(float, answering.readline().split())
            return wall - time.time(), monotonic - time.monotonic()

        assert abs(off()[0]) < 5
        moved.jump(100)
        deadline = time.monotonic() + 20
        while abs(off()[0] - 100) > 5:
            assert time.monotonic() < deadline, "the clock did not jump"
        assert abs(off()[1]) < 5
        asking.close()
