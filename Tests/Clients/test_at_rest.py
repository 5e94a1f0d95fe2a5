"""No plaintext anywhere: files, logs, errors, process listings, core dumps (DESIGN promise 3; threats N51, N54, N59)."""
from __future__ import annotations

import base64
import json
import os
import resource
import secrets
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from support.node import MARKER, Node, executable, new_token, plain_environment
from support.waiting import wait_for


def encodings(marker: bytes) -> dict:
    """Every way in which these bytes might have been written, cut so that it is found inside longer data."""
    forms = {
        "raw": marker, "reversed": marker[::-1], "hex": marker.hex().encode(), "HEX": marker.hex().upper().encode(),
        "UTF-16LE": marker.decode().encode("utf-16-le"), "UTF-16BE": marker.decode().encode("utf-16-be"),
        "JSON escapes": "".join(f"\\u{byte:04x}" for byte in marker).encode(),
        "percent": "".join(f"%{byte:02X}" for byte in marker).encode(),
        "decimal list": ", ".join(str(byte) for byte in marker).encode(), "decimal list without blanks": ",".join(str(byte) for byte in marker).encode(),
    }
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            # The first and last group depend on the neighbours: they are cut off.
            forms[f"{name} shifted by {shift}"] = encode(b"\0" * shift + marker)[4:-4]
    return forms


def files_of(*places: Path):
    for place in places:
        if place.is_file():
            yield place
        else:
            yield from (path for path in place.rglob("*") if path.is_file())


def assert_nowhere(marker: bytes, *places: Path) -> int:
    """The number of files looked at."""
    count = 0
    for path in files_of(*places):
        content = path.read_bytes()
        count += 1
        for name, form in encodings(marker).items():
            assert form not in content, f"{name} of the marker is in {path}"
    return count


def fresh_marker(length: int = 24) -> bytes:
    """Letters and digits, so that no encoding needs escapes."""
    return ("mk" + secrets.token_hex(length // 2)).encode()


def test_the_scan_finds_what_it_looks_for(tmp_path):
    """A scan that finds nothing in anything proves nothing."""
    marker = fresh_marker()
    for number, (name, form) in enumerate(encodings(marker).items()):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "file").write_bytes(os.urandom(1000) + form + os.urandom(1000))
        with pytest.raises(AssertionError, match="of the marker is in"):
            assert_nowhere(marker, place)
    for shift in range(5):
        place = tmp_path / f"b{shift}"
        place.mkdir()
        (place / "file").write_bytes(base64.b64encode(b"x" * shift + marker + b"yyy"))
        with pytest.raises(AssertionError, match="base64"):
            assert_nowhere(marker, place)


@pytest.fixture
def filled(own_node):
    """A node that has seen a marker in every way a value can come in: node, marker."""
    marker = fresh_marker()
    text = marker.decode()
    client = own_node.client()
    client.create_secret(Name="string", SecretString=text)
    client.create_secret(Name="json", SecretString=json.dumps({"password": text, "more": [text]}))
    client.create_secret(Name="binary", SecretBinary=b"\x01" + marker + b"\xff")
    client.create_secret(Name="large", SecretString=(text + " ") * 2000)
    client.create_secret(Name="many", SecretString=text)
    for number in range(20):
        client.put_secret_value(SecretId="many", SecretString=f"{number}{text}")
    client.update_secret(SecretId="many", SecretBinary=marker)
    client.put_secret_value(SecretId="many", SecretString=text, VersionStages=["AWSPENDING"])
    for name in ("string", "json", "binary", "large", "many"):
        client.get_secret_value(SecretId=name)
    client.batch_get_secret_value(SecretIdList=["string", "binary"])
    client.create_secret(Name="gone", SecretString=text)
    client.delete_secret(SecretId="gone", ForceDeleteWithoutRecovery=True)
    client.create_secret(Name="marked", SecretString=text)
    client.delete_secret(SecretId="marked")
    return own_node, marker


def test_values_are_in_no_file_while_the_node_runs_and_after_it(filled):
    node, marker = filled
    assert_nowhere(marker, node.data, node.log)
    node.kill()
    assert_nowhere(marker, node.data, node.log)
    node.start()
    assert node.call("GetSecretValue", {"SecretId": "string"}).json["SecretString"] == marker.decode()
    assert node.stop() == 0
    assert assert_nowhere(marker, node.directory) >= 3


def test_descriptions_tags_and_policies_are_sealed_as_well(own_node):
    """Names are keys of the tables and are not encrypted; every other part of a record is."""
    marker = fresh_marker()
    text = marker.decode()
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": text, "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}]}
    client = own_node.client()
    client.create_secret(Name="sealed", Description=text, SecretString="x", Tags=[{"Key": text, "Value": text}])
    client.put_resource_policy(SecretId="sealed", ResourcePolicy=json.dumps(policy))
    assert own_node.stop() == 0
    assert_nowhere(marker, own_node.data, own_node.log)


def test_values_in_requests_that_fail_are_neither_logged_nor_echoed(own_node):
    marker = fresh_marker()
    text = marker.decode()
    client = own_node.client()
    client.create_secret(Name="there", SecretString="x")
    token = new_token()
    bodies = [
        ("CreateSecret", {"Name": "there", "SecretString": text, "ClientRequestToken": token}), ("CreateSecret", {"Name": "bad name", "SecretString": text, "ClientRequestToken": token}),
        ("CreateSecret", {"Name": "n", "SecretString": text}), ("CreateSecret", {"Name": "n", "SecretString": text * 4000, "ClientRequestToken": token}),
        ("CreateSecret", {"Name": "n", "SecretString": [text], "ClientRequestToken": token}), ("CreateSecret", {"Name": "n", "SecretString": {text: text}, "ClientRequestToken": token}),
        ("CreateSecret", {"Name": "n", "SecretBinary": text + "%", "ClientRequestToken": token}),
        ("CreateSecret", {"Name": "n", "SecretString": text, "SecretBinary": "QUJD", "ClientRequestToken": token}),
        ("PutSecretValue", {"SecretId": "absent", "SecretString": text, "ClientRequestToken": token}),
        ("PutSecretValue", {"SecretId": "there", "SecretString": text, "ClientRequestToken": token, "VersionStages": []}),
        ("PutSecretValue", {"SecretId": "there", "SecretString": text, "ClientRequestToken": token, "RotationToken": text + "!"}),
        ("UpdateSecret", {"SecretId": "there", "SecretString": text, "Description": "d" * 3000, "ClientRequestToken": token}),
        ("NoSuchOperation", {"SecretString": text}), ("GetSecretValue", {"SecretId": "absent", "SecretString": text}),
        ("CreateSecret", b'{"Name":"n","SecretString":"%s"' % marker), ("CreateSecret", b'{"Name":"n","SecretString":"%s","SecretString":"%s"}' % (marker, marker)),
        ("CreateSecret", b'{"Name":"n","SecretString":"%s\\x"}' % marker), ("CreateSecret", b'{"Name":"n","SecretString":"%s\xff"}' % marker),
        ("CreateSecret", b'{"Name":"n","SecretString":"%s\\ud800"}' % marker), ("CreateSecret", b'{"%s":1,"%s":2}' % (marker, marker)),
        ("CreateSecret", marker),
    ]
    for operation, members in bodies:
        answer = own_node.call(operation, members)
        assert answer.status >= 400, (operation, members)
        assert marker not in answer.body, answer.body
    signed = own_node.sign("CreateSecret", {"Name": "n", "SecretString": text, "ClientRequestToken": token})
    for data in (
        signed.with_header("Authorization", signed.header("Authorization")[:-1] + "x").render(), signed.without("Authorization").render(),
        signed.with_header("Content-Type", "text/plain").render(),
    ):
        answer = own_node.send(data)
        assert answer.status >= 400 and marker not in answer.body
    with own_node.connect_plain() as plain:
        plain.send(signed.render())
        assert marker not in (plain.read_until_closed(10) or b"")
    for cut in (0.5, 0.9):
        with own_node.connect() as connection:
            connection.send(signed.render()[: int(len(signed.render()) * cut)])
    assert own_node.stop() == 0
    assert_nowhere(marker, own_node.data, own_node.log)


def test_the_secret_access_key_is_in_no_file_and_no_listing(own_node):
    own_node.still_serves()
    key = own_node.secret_access_key
    listing = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout if shutil.which("ps") else ""
    assert key not in listing
    for name in ("cmdline", "environ"):
        try:
            assert key.encode() not in Path(f"/proc/{own_node.pid}/{name}").read_bytes()
        except PermissionError:
            pass
    for path in files_of(own_node.data, own_node.log):
        content = path.read_bytes()
        for form in (key.encode(), key[::-1].encode(), key.encode().hex().encode(), base64.b64encode(key.encode())[:-4], base64.b64decode(key)):
            assert form not in content, f"the secret access key is in {path}"


def test_the_process_keeps_its_files_in_its_own_folder(filled):
    """No temporary file elsewhere, and none that was deleted while open."""
    node, _ = filled
    for entry in os.listdir(f"/proc/{node.pid}/fd"):
        target = os.readlink(f"/proc/{node.pid}/fd/{entry}")
        if not target.startswith("/") or target.startswith(("/dev/null", "/dev/urandom", "/dev/random", "/proc/", "/sys/")):
            continue
        assert Path(target.replace(" (deleted)", "")).is_relative_to(node.directory), target
        assert "(deleted)" not in target, target


def test_only_the_owner_may_read_the_data(own_node):
    assert stat.S_IMODE(own_node.data.stat().st_mode) == 0o700
    for path in own_node.data.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        public = path.suffix in (".pem", ".crt") and "key" not in path.name or path.name == "address"
        assert public or mode & 0o077 == 0, f"{path} has mode {mode:o}"
        assert mode & 0o022 == 0, f"{path} can be written by others"


def test_the_log_is_json_line_by_line_and_tells_requests_apart(own_node):
    own_node.client().create_secret(Name="logged", SecretString="x")
    answer = own_node.call("GetSecretValue", {"SecretId": "logged"})
    assert own_node.stop() == 0
    lines = [json.loads(line) for line in own_node.log.read_text().splitlines() if line.strip()]
    assert lines and all(isinstance(line, dict) for line in lines)
    assert any(answer.headers["x-amzn-requestid"] in json.dumps(line) for line in lines), "the request id is not in the log"


def test_odd_bytes_in_headers_and_ids_stay_one_json_line(own_node):
    odd = 'x","admin":"\u2028%n=cmd()'
    own_node.call("GetSecretValue", {"SecretId": odd + "\r\n\x1b[31m"}, unsigned=[("User-Agent", odd.encode("unicode_escape").decode())])
    assert own_node.stop() == 0
    for line in own_node.log.read_text().splitlines():
        if line.strip():
            assert "admin" not in json.loads(line)


# ---------------------------------------------------------------- core dumps


def limits(pid):
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max core file size"):
            return line.split()[4:6]
    raise AssertionError("no core limit in /proc")


def allow_cores():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_core_dumps_are_off_even_where_the_shell_allows_them(make_node):
    node = make_node()
    before = {path for path in node.directory.rglob("*core*")}
    node.start(preexec_fn=allow_cores)
    assert limits(node.pid) == ["0", "0"]
    node.process.send_signal(signal.SIGABRT)
    node.process.wait(30)
    assert node.process.returncode == -signal.SIGABRT
    assert {path for path in node.directory.rglob("*core*")} == before
    node.start()


def test_another_process_of_the_same_user_cannot_look_inside(tmp_path):
    """PR_SET_DUMPABLE 0: /proc/PID belongs to root, and neither memory nor environment can be read."""
    user = None
    if os.getuid() == 0:
        # As root everything is readable: run the node as nobody, from a folder that nobody may enter.
        user = "nobody"
        home = Path("/tmp") / f"conclave-{secrets.token_hex(4)}"
        home.mkdir(mode=0o755)
        binary = home / "conclave"
        shutil.copy2(executable(), binary)
        place = home / "node"
        place.mkdir()
        shutil.chown(place, "nobody", "nogroup")
    else:
        home, place, binary = tmp_path, tmp_path / "node", Path(executable())
    node = Node(place, user=user, binary=str(binary))
    try:
        node.init()
        node.start()
        assert Path(f"/proc/{node.pid}/status").stat().st_uid == 0, "the process is dumpable"
        as_same_user = {"user": user, "group": "nogroup", "extra_groups": []} if user else {}
        for name in ("environ", "mem", "maps", "auxv"):
            done = subprocess.run(["head", "-c", "1", f"/proc/{node.pid}/{name}"], capture_output=True, env=plain_environment(), **as_same_user)
            assert done.returncode != 0 and not done.stdout, f"/proc/PID/{name} can be read by the same user"
        node.still_serves()
    finally:
        node.end()
        if user:
            shutil.rmtree(home)


def test_the_shared_node_leaves_no_marker_in_its_log(node):
    wait_for(lambda: node.log.stat().st_size > 0, 10, "a log line")
    assert MARKER.encode() not in node.log.read_bytes()
