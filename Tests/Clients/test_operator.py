"""What an operator types: `conclave operator init`, `./Cluster/up` and its companions."""
from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support.node import ACCESS_KEY_ID, ACCOUNT, REPOSITORY, Node, executable, plain_environment

SECRET = "0123456789abcdefghijABCDEFGHIJ+/01234567"


def conclave(*arguments, **environment):
    return subprocess.run(
        [executable(), *arguments], env=plain_environment(**environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


# ---------------------------------------------------------------- conclave


def test_init_prints_what_a_client_needs_once(tmp_path):
    done = conclave("operator", "init", "--data-dir", str(tmp_path / "d"), "--region", "eu-north-1", "--format", "json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert set(made) >= {"cluster_id", "region", "account", "access_key_id", "secret_access_key", "ca_file"}
    assert made["region"] == "eu-north-1"
    assert re.fullmatch(r"\d{12}", made["account"])
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made["access_key_id"])
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", made["secret_access_key"])
    assert Path(made["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700


def test_init_takes_an_account_and_a_key(tmp_path):
    done = conclave(
        "operator", "init", "--data-dir", str(tmp_path / "d"), "--region", "us-east-1", "--account", ACCOUNT, "--access-key-id", ACCESS_KEY_ID,
        "--format", "json", CONCLAVE_SECRET_ACCESS_KEY=SECRET,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["account"], made["access_key_id"], made["secret_access_key"]) == (ACCOUNT, ACCESS_KEY_ID, SECRET)


def test_init_in_text(tmp_path):
    done = conclave("operator", "init", "--data-dir", str(tmp_path / "d"), "--region", "us-east-1")
    assert done.returncode == 0 and "AKIA" in done.stdout


def test_init_twice_is_refused_in_one_sentence_and_changes_nothing(tmp_path):
    arguments = ("operator", "init", "--data-dir", str(tmp_path / "d"), "--region", "us-east-1", "--format", "json")
    assert conclave(*arguments).returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "d").rglob("*") if path.is_file()}
    again = conclave(*arguments)
    assert again.returncode != 0 and not again.stdout.strip()
    assert len(again.stderr.strip().splitlines()) == 1, again.stderr
    assert {path: path.read_bytes() for path in (tmp_path / "d").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "options",
    [["--region", "Not A Region"], ["--region", "us-east-1", "--account", "12345"], ["--region", "us-east-1", "--account", "12345678901x"], []],
    ids=["region", "short account", "account with a letter", "no region"],
)
def test_bad_options_of_init_are_refused(tmp_path, options):
    done = conclave("operator", "init", "--data-dir", str(tmp_path / "d"), *options)
    assert done.returncode != 0 and done.stderr.strip()
    assert not (tmp_path / "d" / "tls").exists()


def test_serve_without_data_is_refused(tmp_path):
    done = conclave("serve", "--data-dir", str(tmp_path / "nothing"), "--listen", "127.0.0.1:0")
    assert done.returncode != 0 and done.stderr.strip()


def test_more_names_in_the_certificate(tmp_path):
    node = Node(tmp_path / "node")
    done = conclave(
        "operator", "init", "--data-dir", str(node.data), "--region", node.region, "--account", ACCOUNT, "--access-key-id", node.access_key_id,
        "--tls-name", "secrets.example", "--tls-name", "10.1.2.3", CONCLAVE_SECRET_ACCESS_KEY=node.secret_access_key,
    )
    assert done.returncode == 0, done.stderr
    try:
        node.start()
        with node.connect() as connection:
            names = {value for _, value in connection.socket.getpeercert()["subjectAltName"]}
        assert {"localhost", "127.0.0.1", "secrets.example", "10.1.2.3"} <= names
    finally:
        node.end()


# ---------------------------------------------------------------- Cluster/up, down, kill, start


@pytest.fixture
def cluster(tmp_path):
    """cluster("up", ...): runs a script of ./Cluster on a state folder of its own."""
    environment = plain_environment(
        CONCLAVE_STATE_DIR=str(tmp_path / "state"), CONCLAVE_VENV=str(Path(sys.executable).parent.parent), CONCLAVE_BINARY=executable()
    )

    def run(script, *arguments, fails=False, **more):
        done = subprocess.run(
            [str(REPOSITORY / "Cluster" / script), *arguments], env={**environment, **more}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=170,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    run.state = tmp_path / "state"
    yield run
    run("down", "--wipe")


def environment_of(file: Path) -> dict:
    """What sourcing the file exports."""
    shown = subprocess.run(["bash", "-c", f"source '{file}' && env -0"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    return dict(entry.split("=", 1) for entry in shown.stdout.split("\0") if "=" in entry)


@pytest.mark.timeout(600)
def test_up_use_kill_start_down_and_up_again(cluster):
    first = cluster("up", "--account", ACCOUNT, "--access-key-id", ACCESS_KEY_ID, CONCLAVE_SECRET_ACCESS_KEY=SECRET)
    assert all(f"[{step}/6]" in first for step in range(1, 7)), first
    assert "source " in first
    assert SECRET not in first

    file = cluster.state / "env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    exported = environment_of(file)
    assert exported["AWS_ACCESS_KEY_ID"] == ACCESS_KEY_ID and exported["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert exported["AWS_DEFAULT_REGION"] == "us-east-1"
    endpoints = exported["CONCLAVE_ENDPOINTS"].split(",")
    assert len(endpoints) == 3 and endpoints[0] == exported["AWS_ENDPOINT_URL"]

    def aws(*arguments, endpoint=endpoints[0]):
        done = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), "secretsmanager", *arguments],
            env={**plain_environment(), **{name: value for name, value in exported.items() if name.startswith("AWS_")}, "AWS_PAGER": "", "AWS_ENDPOINT_URL": endpoint},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    aws("create-secret", "--name", "mine", "--secret-string", "kept over everything")

    def mine(endpoint=endpoints[0]):
        return aws("get-secret-value", "--secret-id", "mine", "--query", "SecretString", "--output", "text", endpoint=endpoint)

    node = cluster.state / "us-east-1" / "node-1"
    pid = (node / "pid").read_text().strip()
    assert SECRET.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()

    assert "that were members" not in cluster("up")
    assert (node / "pid").read_text().strip() == pid

    assert "killed" in cluster("kill", "1")
    cluster("kill", "1", fails=True)
    assert [mine(endpoint) for endpoint in endpoints[1:]] == ["kept over everything"] * 2
    assert "serves at" in cluster("start", "1")
    assert mine() == "kept over everything"

    assert "stopped" in cluster("down")
    assert "no node was running" in cluster("down")
    assert "started 3 that were members" in cluster("up")
    assert environment_of(file)["CONCLAVE_ENDPOINTS"] == exported["CONCLAVE_ENDPOINTS"], "the ports must stay the same"
    assert mine() == "kept over everything"

    cluster("down", "--wipe")
    assert not cluster.state.exists()


def test_a_number_of_nodes_that_cannot_be_is_refused(cluster):
    for nodes in ("0", "100", "three"):
        assert len(cluster("up", "--nodes", nodes, fails=True).strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["--region", "Bad Region"], ["--account", "1"], ["--secret-access-key", "x"], ["--access-key-id", "AKIA"], ["--what"], ["--region"]]
)
def test_bad_options_of_up(cluster, arguments):
    assert len(cluster("up", *arguments, fails=True).strip().splitlines()) == 1


@pytest.mark.timeout(300)
def test_a_cluster_of_one_can_grow(cluster):
    cluster("up", "--nodes", "1")
    assert len(environment_of(cluster.state / "env")["CONCLAVE_ENDPOINTS"].split(",")) == 1
    assert "node 2 joined" in cluster("up", "--nodes", "2")
    assert len(environment_of(cluster.state / "env")["CONCLAVE_ENDPOINTS"].split(",")) == 2


def test_kill_and_start_say_how_they_are_used(cluster):
    for script in ("kill", "start"):
        assert "usage" in cluster(script, fails=True)
        assert "usage" in cluster(script, "one", fails=True)
        assert "run ./Cluster/up first" in cluster(script, "1", fails=True)


def test_without_a_swift_toolchain_up_says_so(cluster, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for tool in ("bash", "env", "dirname", "basename", "date", "awk", "cat", "mkdir", "chmod", "grep", "sed", "tr"):
            path = Path(directory) / tool
            if path.exists() and not (tools / tool).exists():
                (tools / tool).symlink_to(path)
    said = cluster("up", fails=True, PATH=str(tools))
    assert "Swift toolchain is missing" in said and len(said.strip().splitlines()) == 1
