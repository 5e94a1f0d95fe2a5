"""A disk for each slot, that can be filled and slowed down.

As root it is an ext4 image of its own size, mounted through a loop device, so that a full disk hurts nobody else. Writes are slowed by the
block controller of the kernel's control groups; device-mapper is not needed.
"""
from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from .system import HarnessError, run, wait_for

# Sparse. Room for some preallocated log segments and the state of a long run.
IMAGE_BYTES = 1536 * 1024 * 1024
# Below this much free space a node refuses writes by itself.
RESERVE_BYTES = 160 * 1024 * 1024

SMALLEST_PIECE_BYTES = 4096
# What a killed process had open, and its group, are free soon after its end.
RELEASE_SECONDS = 10

CGROUP_ROOT = Path("/sys/fs/cgroup")


class Disk(Protocol):
    path: Path
    # A node may give up on a full disk.
    is_filled: bool

    def attach(self, pid: int) -> None: ...
    def fill(self, leave_bytes: int) -> None: ...
    def empty(self) -> None: ...
    def slow(self, writes_per_second: int) -> None: ...
    def speed_up(self) -> None: ...
    def remove(self) -> None: ...


class Throttle:
    """A control group whose writes to one device are limited. Of version 1 or 2, whichever the machine has."""

    def __init__(self, name: str, device: str) -> None:
        self._device = device
        if (CGROUP_ROOT / "blkio").is_dir():
            self._group = CGROUP_ROOT / "blkio" / name
            self._limit = "blkio.throttle.write_iops_device"
            self._off, self._on = f"{device} 0", f"{device} "
        else:
            (CGROUP_ROOT / "cgroup.subtree_control").write_text("+io")
            self._group = CGROUP_ROOT / name
            self._limit = "io.max"
            self._off, self._on = f"{device} wiops=max", f"{device} wiops="
        self._group.mkdir()

    def attach(self, pid: int) -> None:
        (self._group / "cgroup.procs").write_text(str(pid))

    def limit(self, writes_per_second: int) -> None:
        (self._group / self._limit).write_text(f"{self._on}{writes_per_second}")

    def free(self) -> None:
        (self._group / self._limit).write_text(self._off)

    def remove(self) -> None:
        wait_for(self._is_removed, RELEASE_SECONDS, f"the control group {self._group} to be empty")

    def _is_removed(self) -> bool:
        try:
            self._group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True


class ImageDisk:
    """An ext4 file system in a file."""

    def __init__(self, folder: Path, group: str, can_slow: bool) -> None:
        self.is_filled = False
        self._image = folder / "disk.image"
        self.path = folder / "disk"
        self.path.mkdir()
        with open(self._image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(self._image)])
        run(["mount", "-o", "loop", str(self._image), str(self.path)])
        number = os.stat(self.path).st_dev
        self._throttle = Throttle(group, f"{os.major(number)}:{os.minor(number)}") if can_slow else None

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def attach(self, pid: int) -> None:
        if self._throttle:
            self._throttle.attach(pid)

    def fill(self, leave_bytes: int) -> None:
        """In pieces that get smaller, since the node writes meanwhile and the file system needs some of the room for itself."""
        self.is_filled = True
        with open(self._filler, "ab") as filler:
            piece = shutil.disk_usage(self.path).free - leave_bytes
            while piece >= SMALLEST_PIECE_BYTES:
                try:
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2
                    continue
                piece = min(piece, shutil.disk_usage(self.path).free - leave_bytes)
        if shutil.disk_usage(self.path).free > leave_bytes + 4 * 1024 * 1024:
            raise HarnessError(f"{self.path} did not fill")

    def slow(self, writes_per_second: int) -> None:
        if self._throttle is None:
            raise HarnessError("no control group to slow this disk")
        self._throttle.limit(writes_per_second)

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)
        self.is_filled = False

    def speed_up(self) -> None:
        if self._throttle:
            self._throttle.free()

    def remove(self) -> None:
        if self._throttle:
            self._throttle.remove()
            self._throttle = None
        wait_for(self._is_unmounted, RELEASE_SECONDS, f"{self.path} to be unmounted")

    def _is_unmounted(self) -> bool:
        if os.path.ismount(self.path):
            subprocess.run(["umount", str(self.path)], capture_output=True, check=False)
        return not os.path.ismount(self.path)


class PlainDisk:
    """A folder. Neither filled nor slowed."""

    is_filled = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk"
        self.path.mkdir()

    def attach(self, pid: int) -> None:
        """Nothing limits it."""

    def fill(self, leave_bytes: int) -> None:
        raise HarnessError("a plain folder cannot be filled")

    def slow(self, writes_per_second: int) -> None:
        raise HarnessError("a plain folder cannot be slowed")

    def empty(self) -> None:
        """Nothing fills it."""

    def speed_up(self) -> None:
        """Nothing slows it."""

    def remove(self) -> None:
        """It goes with the run's folder."""


def disk_faults_work(scratch: Path, group: str) -> tuple[str, str]:
    """Why disks cannot be filled, and why they cannot be slowed; empty for what works."""
    if os.geteuid() != 0:
        return "not root", "not root"
    folder = scratch / "try-disk"
    folder.mkdir()
    try:
        disk = ImageDisk(folder, group, can_slow=False)
    except (HarnessError, OSError) as error:
        return f"no loop mounts: {error}", f"no loop mounts: {error}"
    number = os.stat(disk.path).st_dev
    slow = ""
    try:
        throttle = Throttle(group, f"{os.major(number)}:{os.minor(number)}")
        try:
            throttle.limit(10)
            throttle.free()
        finally:
            throttle.remove()
    except OSError as error:
        slow = f"no control group for writes: {error}"
    disk.remove()
    shutil.rmtree(folder)
    return "", slow
