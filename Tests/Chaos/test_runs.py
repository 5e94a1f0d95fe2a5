"""Whole runs against a stand-in for the cluster: an honest one passes, and each kind of lie is found out."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).with_name("fake_conclave.py")


def chaos(state: Path, *options: str, lie: str = "") -> subprocess.CompletedProcess[str]:
    return harness(state, FAKE, "--seed", "2", "--rate", "150", *options, FAKE_LIE=lie)


def harness(state: Path, binary: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CONCLAVE_BINARY": str(binary), "CONCLAVE_STATE_DIR": str(state), "PYTHONPATH": str(REPOSITORY / "Cluster"), **more}
    environment["PATH"] += ":/usr/sbin:/sbin"
    return subprocess.run([sys.executable, "-m", "harness", *options], env=environment, capture_output=True, text=True, timeout=280)


def leftovers(state: Path) -> list[str]:
    """Everything of a run but its reports, and what it may leave in the system."""
    left = [path.name for path in state.iterdir() if path.name != "reports"]
    mounts = Path("/proc/mounts").read_text()
    return left + ([f"mounts below {state}"] if str(state) in mounts else [])


@pytest.mark.parametrize("network", [[], ["--loopback"]], ids=["namespaces, if root allows", "loopback"])
def test_an_honest_cluster_passes_under_every_fault_and_nothing_is_left(tmp_path: Path, network: list[str]) -> None:
    done = chaos(tmp_path, "--seconds", "25", *network)
    assert done.returncode == 0, done.stdout + done.stderr
    assert leftovers(tmp_path) == []
    report = next((tmp_path / "reports").glob("*.md")).read_text()
    assert report.startswith("# Chaos, seed 2: every promise held")
    assert "| register | put |" in report and "--seed 2" in report
    assert "<svg" in next((tmp_path / "reports").glob("*.html")).read_text()


@pytest.mark.parametrize(
    ("lie", "shown"),
    [("stale", "VIOLATION register"), ("lost", "acknowledged, and lost"), ("twice", "said to be not executed, and it was")])
def test_a_lie_is_found_and_its_traces_are_kept(tmp_path: Path, lie: str, shown: str) -> None:
    done = chaos(tmp_path, "--seconds", "8", "--nemeses", "kill", lie=lie)
    assert done.returncode == 1, done.stdout + done.stderr
    assert shown in done.stdout
    kept = re.search(r"^kept: (.+)$", done.stdout, re.MULTILINE)
    assert kept, done.stdout
    folder = Path(kept.group(1))
    assert (folder / "node-1" / "log").exists() and (folder / "history-1.jsonl").stat().st_size > 0


def test_a_cluster_that_does_not_start_says_nothing_about_promises(tmp_path: Path) -> None:
    done = harness(tmp_path, Path("/bin/false"), "--loopback", "--seconds", "1")
    assert done.returncode == 2
    assert "says nothing about the cluster" in done.stderr


def test_histories_hold_no_values(tmp_path: Path) -> None:
    done = chaos(tmp_path, "--seconds", "3", "--nemeses", "transfer", "--keep", "--loopback")
    assert done.returncode == 0, done.stdout + done.stderr
    histories = list(tmp_path.glob("chaos-*/history-*.jsonl"))
    assert histories
    for history in histories:
        text = history.read_text()
        assert "chaos value" not in text
        assert all(json.loads(line)["outcome"] in ("ok", "fail", "unknown") for line in text.splitlines())
