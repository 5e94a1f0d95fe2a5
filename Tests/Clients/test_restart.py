"""Stops and crashes: nothing that was acknowledged is lost, and a graceful stop finishes what it began."""
from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support.node import Node, new_token, new_value, plain_environment
from support.waiting import wait_for
from support.wire import Closed

KILLS = 24
WRITERS = 6
# Below the limit of about 100 versions per secret.
VERSIONS_PER_SECRET = 40


class Writer(threading.Thread):
    """Writes without pause while the node lives, and keeps a journal of every write that was acknowledged.

    `acknowledged`: secret name -> list of (version id, value), in order. A write without an answer may have happened
    or not: it is kept as `doubtful` until the next acknowledged write of that secret.
    """

    def __init__(self, node: Node, number: int) -> None:
        super().__init__(daemon=True)
        self.node, self.number = node, number
        self.acknowledged: dict = {}
        self.tags: dict = {}
        self.doubtful: dict = {}
        self.serving = threading.Event()
        self.stopped = False
        self.count = 0
        self.error = None
        self.secret = ""  # the one it writes to now

    def run(self) -> None:
        try:
            while not self.stopped:
                if not self.serving.wait(0.1):
                    continue
                try:
                    with self.node.connect() as connection:
                        while not self.stopped and self.serving.is_set():
                            self.write(connection)
                except (OSError, Closed, ssl.SSLError):
                    continue  # killed: wait until the node serves again
        except BaseException as error:
            self.error = error

    def ask(self, connection, operation, members):
        answer = connection.exchange(self.node.sign(operation, members).render())
        assert answer.status == 200, (operation, answer.body)
        return answer.json

    def write(self, connection) -> None:
        if not self.secret or len(self.acknowledged.get(self.secret, [])) >= VERSIONS_PER_SECRET:
            self.create(connection)
        elif self.count % 10 == 9:
            self.tag(connection)
        else:
            self.put(connection)
        self.count += 1

    def create(self, connection) -> None:
        name, token, value = f"w{self.number}/{os.urandom(8).hex()}", new_token(), new_value()
        self.doubtful[name] = (token, value)
        self.ask(connection, "CreateSecret", {"Name": name, "ClientRequestToken": token, "SecretString": value})
        self.acknowledged[name] = [(token, value)]
        self.doubtful.pop(name)
        self.secret = name

    def put(self, connection) -> None:
        name, token, value = self.secret, new_token(), new_value()
        self.doubtful[name] = (token, value)
        self.ask(connection, "PutSecretValue", {"SecretId": name, "ClientRequestToken": token, "SecretString": value})
        self.acknowledged[name].append((token, value))
        self.doubtful.pop(name, None)

    def tag(self, connection) -> None:
        name, value = self.secret, str(self.count)
        self.tags[name] = self.tags.get(name, [])
        self.ask(connection, "TagResource", {"SecretId": name, "Tags": [{"Key": "count", "Value": value}]})
        self.tags[name].append(value)


def verify(node: Node, writer: Writer, names) -> int:
    """Every acknowledged version is there with its value, and the newest is current (or the one in doubt is)."""
    checked = 0
    for name in names:
        journal = writer.acknowledged[name]
        for token, value in journal[-5:] if name != writer.secret else journal:
            answer = node.call("GetSecretValue", {"SecretId": name, "VersionId": token})
            assert answer.status == 200, f"lost: version {token} of {name}: {answer.body!r}"
            assert answer.json["SecretString"] == value, f"version {token} of {name} has another value"
            checked += 1
        allowed = [journal[-1]] + ([writer.doubtful[name]] if name in writer.doubtful else [])
        current = node.call("GetSecretValue", {"SecretId": name}).json
        assert (current["VersionId"], current["SecretString"]) in allowed, f"the newest write of {name} is not current"
        if writer.tags.get(name):
            described = node.call("DescribeSecret", {"SecretId": name}).json
            shown = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
            assert int(shown["count"]) >= int(writer.tags[name][-1]), f"the newest tag of {name} is lost"
    return checked


@pytest.mark.timeout(900)
def test_kill_9_under_load_loses_nothing_that_was_acknowledged(make_node):
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    chance = random.Random(seed)
    node = make_node().start()
    writers = [Writer(node, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    total = 0
    for kill in range(KILLS):
        before = sum(writer.count for writer in writers)
        wanted = chance.randint(20, 300)
        for writer in writers:
            writer.serving.set()
        wait_for(
            lambda: sum(writer.count for writer in writers) - before >= wanted or any(writer.error for writer in writers),
            60, f"{wanted} writes before kill {kill}",
        )
        node.kill()
        for writer in writers:
            writer.serving.clear()
            assert writer.error is None, writer.error
        if kill % 5 == 4:  # and once more while it recovers
            node.start(wait=False)
            until = time.monotonic() + chance.random() * 0.2
            wait_for(lambda: time.monotonic() >= until, 1, "a moment of recovery")
            node.kill()
        node.start()
        for writer in writers:
            total += verify(node, writer, [writer.secret] if writer.acknowledged else [])
    for writer in writers:
        writer.stopped = True
        writer.join(30)
        assert writer.error is None, writer.error
    # At the end every secret of every round once more.
    for writer in writers:
        total += verify(node, writer, list(writer.acknowledged))
    print(f"{KILLS} kills, {sum(writer.count for writer in writers)} acknowledged writes, {total} versions read back")
    assert total > KILLS * WRITERS
    assert node.stop() == 0


def dump(node: Node) -> dict:
    """All that a client can see, but the last-accessed days (reading moves them)."""
    seen = {}
    for entry in node.call("ListSecrets", {"IncludePlannedDeletion": True, "MaxResults": 100}).json["SecretList"]:
        arn = entry["ARN"]
        versions = node.call("ListSecretVersionIds", {"SecretId": arn, "IncludeDeprecated": True}).json["Versions"]
        values = {}
        for version in versions:
            version.pop("LastAccessedDate", None)
            answer = node.call("GetSecretValue", {"SecretId": arn, "VersionId": version["VersionId"]}).json
            values[version["VersionId"]] = answer.get("SecretString", answer.get("SecretBinary", answer.get("__type")))
        described = node.call("DescribeSecret", {"SecretId": arn}).json
        for one in (entry, described):
            one.pop("LastAccessedDate", None)
        seen[entry["Name"]] = json.dumps(
            [entry, described, sorted(versions, key=lambda one: one["VersionId"]), values, node.call("GetResourcePolicy", {"SecretId": arn}).json],
            sort_keys=True,
        )
    return seen


@pytest.fixture
def furnished(make_node):
    """A node with one of everything."""
    node = make_node().start()
    client = node.client()
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*"}]}
    client.create_secret(Name="plain", SecretString=new_value(), Description="words", Tags=[{"Key": "k", "Value": "v"}])
    client.create_secret(Name="binary", SecretBinary=os.urandom(5000))
    client.create_secret(Name="empty")
    client.create_secret(Name="large", SecretString=new_value("x" * 65000))
    client.create_secret(Name="versions", SecretString=new_value())
    for number in range(5):
        client.put_secret_value(SecretId="versions", SecretString=new_value(), VersionStages=[f"L{number}"])
    client.update_secret(SecretId="versions", SecretString=new_value())
    client.put_resource_policy(SecretId="plain", ResourcePolicy=json.dumps(policy))
    client.create_secret(Name="marked", SecretString=new_value())
    client.delete_secret(SecretId="marked")
    client.create_secret(Name="gone", SecretString=new_value())
    client.delete_secret(SecretId="gone", ForceDeleteWithoutRecovery=True)
    client.create_secret(Name="untagged", Tags=[{"Key": "k", "Value": "v"}])
    client.untag_resource(SecretId="untagged", TagKeys=["k"])
    wait_for(lambda: "gone" not in dump(node), 60, "the forced deletion")
    return node


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_restart_keeps_everything(furnished, way):
    before = dump(furnished)
    assert set(before) == {"plain", "binary", "empty", "large", "versions", "marked", "untagged"}
    for _ in range(3):
        getattr(furnished, way)()
        furnished.start()
        assert dump(furnished) == before


def test_a_write_token_is_remembered_over_a_restart(own_node):
    token, value = new_token(), new_value()
    members = {"Name": "once", "SecretString": value, "ClientRequestToken": token}
    first = own_node.call("CreateSecret", members).json
    own_node.kill()
    own_node.start()
    assert own_node.call("CreateSecret", members).json == first
    other = own_node.call("CreateSecret", {**members, "SecretString": new_value()})
    assert (other.status, other.code) == (400, "ResourceExistsException")


def test_a_page_token_is_good_after_a_restart(own_node):
    client = own_node.client()
    for name in "abcd":
        client.create_secret(Name=name)
    token = client.list_secrets(MaxResults=2)["NextToken"]
    own_node.kill()
    own_node.start()
    rest = own_node.client().list_secrets(MaxResults=2, NextToken=token)
    assert [entry["Name"] for entry in rest["SecretList"]] == ["c", "d"]


def test_the_node_takes_its_port_again_at_once(own_node):
    port = own_node.port
    with own_node.connect() as connection:  # left open by us: the port stays in TIME_WAIT on one side
        connection.exchange(own_node.sign("GetRandomPassword", {}).render())
        own_node.kill()
        own_node.start(same_port=True)
    assert own_node.port == port


# ---------------------------------------------------------------- SIGTERM


def test_a_request_in_flight_is_finished(own_node):
    value = new_value("x" * 20000)
    data = own_node.sign("CreateSecret", {"Name": "late", "SecretString": value, "ClientRequestToken": new_token()}).render()
    cut = len(data) - 5000
    with own_node.connect() as busy:
        busy.send(data[:cut])
        # The node has read what we sent: a second connection that began later was answered.
        own_node.still_serves()
        own_node.process.send_signal(signal.SIGTERM)
        wait_for(lambda: refuses(own_node), 20, "the node to take no new connections")
        assert own_node.is_running, "it left a request unfinished"
        busy.send(data[cut:])
        answer = busy.read_answer()
        assert answer.status == 200, answer
        assert answer.headers.get("connection", "").lower() == "close"
        assert busy.is_closed_within(20)
    assert own_node.process.wait(60) == 0
    own_node.start()
    assert own_node.call("GetSecretValue", {"SecretId": "late"}).json["SecretString"] == value


def refuses(node: Node) -> bool:
    try:
        node.connect(timeout=2).close()
    except (OSError, ssl.SSLError):
        return True
    return False


def test_idle_connections_do_not_hold_a_stop_up(own_node):
    idle = [own_node.connect() for _ in range(20)]
    for connection in idle:
        assert connection.exchange(own_node.sign("GetRandomPassword", {}).render()).status == 200
    began = time.monotonic()
    assert own_node.stop() == 0
    assert time.monotonic() - began < 10
    assert all(connection.is_closed_within(5) for connection in idle)


def test_a_client_that_never_finishes_does_not_hold_a_stop_up_for_ever(own_node):
    data = own_node.sign("CreateSecret", {"Name": "never", "SecretString": new_value(), "ClientRequestToken": new_token()}).render()
    with own_node.connect() as stuck:
        stuck.send(data[:-10])
        own_node.still_serves()
        assert own_node.stop() == 0
    own_node.start()
    assert own_node.call("DescribeSecret", {"SecretId": "never"}).code == "ResourceNotFoundException"


def test_the_address_file_is_there_only_while_the_node_serves(own_node):
    assert (own_node.data / "address").read_text().strip() == own_node.host
    assert own_node.stop() == 0
    assert not (own_node.data / "address").exists()


def test_two_nodes_cannot_share_a_data_directory(own_node):
    second = subprocess.run(
        [own_node.binary, "serve", "--data-dir", str(own_node.data), "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"],
        env=plain_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )
    assert second.returncode != 0
    assert second.stderr.strip(), "it said nothing"
    assert (own_node.data / "address").read_text().strip() == own_node.host
    own_node.still_serves()


# ---------------------------------------------------------------- what stops a start


def lose_the_log(node, other):
    shutil.rmtree(node.data / "log")


def empty_the_log(node, other):
    for path in (node.data / "log").iterdir():
        path.unlink()


def take_the_log_of_another(node, other):
    shutil.rmtree(node.data / "log")
    shutil.copytree(other.data / "log", node.data / "log")


@pytest.mark.parametrize("harm", [lose_the_log, empty_the_log, take_the_log_of_another])
def test_a_node_does_not_start_without_its_log(make_node, harm):
    """The state alone does not say what was promised to others."""
    node = make_node().start()
    node.client().create_secret(Name="s", SecretString=new_value())
    assert node.stop() == 0
    other = make_node()
    length = node.log.stat().st_size
    harm(node, other)
    node.start(wait=False)
    assert node.process.wait(30) == 1
    said = [line for line in node.log.read_bytes()[length:].decode().splitlines() if line.startswith("Error: ")]
    assert len(said) == 1 and "the log in" in said[0] and len(said[0]) > 60, node.log_tail()


def test_a_state_that_is_gone_is_made_from_the_log(own_node):
    value = new_value()
    own_node.client().create_secret(Name="s", SecretString=value)
    own_node.kill()
    shutil.rmtree(own_node.data / "state")
    own_node.start()
    assert own_node.client().get_secret_value(SecretId="s")["SecretString"] == value


@pytest.mark.parametrize("setting", ["listen", "peer-listen"])
def test_an_address_that_is_taken_is_named(make_node, setting):
    node = make_node()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node.start(wait=False, options=[f"--{setting}", f"127.0.0.1:{port}"])
        assert node.process.wait(30) == 1
    assert f"port {port}" in node.log_tail() and f"({setting})" in node.log_tail()
