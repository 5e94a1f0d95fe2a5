"""A full disk: writes are refused with a clear error, reads go on, writes resume when space returns. On a small tmpfs, so as root."""
from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from support.node import Node, new_token, new_value
from support.waiting import wait_for

SIZE_MIB = 768
MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.getuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(place)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def free(place: Path) -> int:
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def fill(place: Path, leave: int) -> Path:
    """A ballast file that takes all but `leave` bytes, or a little less than that while the node writes too."""
    ballast = place / "ballast"
    with open(ballast, "wb") as file:
        for more in range(0, 16 * MIB, MIB // 4):
            try:
                os.posix_fallocate(file.fileno(), 0, max(free(place) - leave - more, 1))
                return ballast
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    raise AssertionError("the disk could not be filled")


class Written:
    """Names and values of every acknowledged secret."""

    def __init__(self, node: Node) -> None:
        self.node, self.values = node, {}

    def write(self, size: int = 1000):
        name, value = f"s{len(self.values)}", new_value("x" * size)
        answer = self.node.call("CreateSecret", {"Name": name, "SecretString": value, "ClientRequestToken": new_token()})
        if answer.status == 200:
            self.values[name] = value
        return answer

    def verify(self, values=None) -> None:
        for name, value in (values or self.values).items():
            answer = self.node.call("GetSecretValue", {"SecretId": name})
            assert answer.status == 200 and answer.json["SecretString"] == value, f"{name}: {answer.body[:200]!r}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("reserve", [None, 0], ids=["with the usual reserve", "without a reserve, down to the last byte"])
def test_writes_stop_reads_go_on_and_writes_resume(small_disk, tmp_path, reserve):
    options = [] if reserve is None else ["--reserve-free-bytes", str(reserve)]
    node = Node(tmp_path / "node", data=small_disk / "data", options=options)
    node.init()
    node.start()
    written = Written(node)
    try:
        for _ in range(50):
            assert written.write().status == 200
        settled = dict(written.values)
        ballast = fill(small_disk, leave=0 if reserve is None else 2 * MIB)

        def refused():
            answer = written.write(60_000)
            return answer if answer.status != 200 else None

        answer = wait_for(refused, 120, "a write to be refused")
        assert answer.status in (400, 500, 503, 507)
        assert answer.json["__type"] and len(answer.message) > 10, answer.body
        for _ in range(50):
            again = written.write(60_000)
            assert again.status == 200 or again.json["__type"], again
        assert node.is_running, node.log_tail()
        if reserve is None:
            written.verify()
            assert node.call("ListSecrets", {}).status == 200
        else:
            # Acknowledged from the log's last room, and durable there: shown, or refused at once, until the state has room again.
            written.verify(settled)
            for name, value in written.values.items():
                answer = node.call("GetSecretValue", {"SecretId": name})
                assert answer.status == 503 or answer.json["SecretString"] == value, f"{name}: {answer.body[:200]!r}"
            assert node.call("ListSecrets", {}).status in (200, 503)
        assert node.call("DescribeSecret", {"SecretId": "s0"}).status == 200

        ballast.unlink()
        wait_for(lambda: written.write().status == 200, 30, "writes to resume")
        for _ in range(50):
            assert written.write(10_000).status == 200
        written.verify()

        # Full again, and a crash in that state.
        ballast = fill(small_disk, leave=0)
        for _ in range(20):
            written.write(60_000)
        node.kill()
        ballast.unlink()
        node.start()
        written.verify()
        assert written.write().status == 200
        assert node.stop() == 0
    finally:
        node.end()
