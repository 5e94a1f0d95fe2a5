"""DeleteSecret and RestoreSecret (behaviour 3.10, 3.11), and deletions that come due."""
from __future__ import annotations

import glob
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from support.node import new_name, new_value
from support.refusals import MARKED_FOR_DELETION, NOT_FOUND, refusal
from support.stages import labels
from support.waiting import wait_for


def members(response):
    return set(response) - {"ResponseMetadata"}


def in_days(moment):
    return (moment - datetime.now(timezone.utc)).total_seconds() / 86400


@pytest.mark.parametrize("options, days", [({}, 30), ({"RecoveryWindowInDays": 7}, 7), ({"RecoveryWindowInDays": 30}, 30)])
def test_a_deletion_is_planned_for_the_end_of_the_window(sm, secret, options, days):
    deleted = sm.delete_secret(SecretId=secret["Name"], **options)
    assert members(deleted) == {"ARN", "Name", "DeletionDate"}
    assert (deleted["ARN"], deleted["Name"]) == (secret["ARN"], secret["Name"])
    assert in_days(deleted["DeletionDate"]) == pytest.approx(days, abs=0.01)


def test_a_marked_secret_is_described_with_its_labels_but_not_read(sm, secret):
    sm.delete_secret(SecretId=secret["Name"])
    described = sm.describe_secret(SecretId=secret["Name"])
    assert "DeletedDate" in described
    assert described["VersionIdsToStages"] == {secret["VersionId"]: ["AWSCURRENT"]}
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.get_secret_value(SecretId=secret["Name"])


def test_a_restored_secret_is_as_it_was(sm, secret, value):
    sm.delete_secret(SecretId=secret["Name"])
    restored = sm.restore_secret(SecretId=secret["Name"])
    assert members(restored) == {"ARN", "Name"}
    assert restored["ARN"] == secret["ARN"]
    assert "DeletedDate" not in sm.describe_secret(SecretId=secret["Name"])
    assert sm.get_secret_value(SecretId=secret["Name"])["SecretString"] == value
    assert labels(sm, secret["Name"]) == {secret["VersionId"]: {"AWSCURRENT"}}


def test_deleting_and_restoring_by_arn(sm, secret, value):
    sm.delete_secret(SecretId=secret["ARN"])
    sm.restore_secret(SecretId=secret["ARN"])
    assert sm.get_secret_value(SecretId=secret["ARN"])["SecretString"] == value


@pytest.mark.parametrize("days", [6, 31, 0, -1, 365])
def test_windows_outside_7_to_30_days_are_refused(sm, secret, days):
    with refusal("InvalidParameterException", containing=["RecoveryWindowInDays value must be between 7 and 30 days (inclusive)"]):
        sm.delete_secret(SecretId=secret["Name"], RecoveryWindowInDays=days)
    assert "DeletedDate" not in sm.describe_secret(SecretId=secret["Name"])


def test_a_window_and_force_together_are_refused_unless_force_is_false(sm, secret):
    with refusal("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."):
        sm.delete_secret(SecretId=secret["Name"], RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)
    deleted = sm.delete_secret(SecretId=secret["Name"], RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=False)
    assert in_days(deleted["DeletionDate"]) == pytest.approx(7, abs=0.01)


def test_a_forced_deletion_takes_the_secret_away(sm, secret):
    deleted = sm.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
    assert deleted["ARN"] == secret["ARN"]
    assert abs(in_days(deleted["DeletionDate"])) < 0.01
    wait_for(lambda: is_gone(sm, secret["Name"]), 60, "the forced deletion")
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.get_secret_value(SecretId=secret["Name"])
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.restore_secret(SecretId=secret["Name"])


def is_gone(client, secret_id):
    try:
        assert "DeletedDate" in client.describe_secret(SecretId=secret_id)
    except client.exceptions.ResourceNotFoundException:
        return True
    return False


def test_force_on_a_marked_secret_succeeds(sm, secret):
    sm.delete_secret(SecretId=secret["Name"])
    sm.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
    wait_for(lambda: is_gone(sm, secret["Name"]), 60, "the forced deletion")


def test_force_on_a_name_that_never_was_succeeds(sm):
    name = new_name()
    deleted = sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert members(deleted) == {"ARN", "Name", "DeletionDate"}
    assert deleted["Name"] == name


def test_missing_and_marked_secrets_are_refused(sm, secret):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.delete_secret(SecretId=new_name())
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.restore_secret(SecretId=new_name())
    first = sm.delete_secret(SecretId=secret["Name"], RecoveryWindowInDays=7)
    with refusal("InvalidRequestException"):  # its text is not known
        sm.delete_secret(SecretId=secret["Name"])
    assert in_days(first["DeletionDate"]) == pytest.approx(7, abs=0.01)


def test_changes_on_a_marked_secret_are_refused(sm, secret):
    name = secret["Name"]
    sm.delete_secret(SecretId=name)
    for change in (
        lambda: sm.put_secret_value(SecretId=name, SecretString=new_value()),
        lambda: sm.update_secret(SecretId=name, SecretString=new_value()),
        lambda: sm.tag_resource(SecretId=name, Tags=[{"Key": "k", "Value": "v"}]),
        lambda: sm.untag_resource(SecretId=name, TagKeys=["k"]),
        lambda: sm.update_secret_version_stage(SecretId=name, VersionStage="X", MoveToVersionId=secret["VersionId"]),
    ):
        with refusal("InvalidRequestException", MARKED_FOR_DELETION):
            change()


# ---------------------------------------------------------------- deletions that come due

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
with_another_clock = pytest.mark.skipif(FAKETIME is None, reason="Debian's package faketime is not installed")


def start_later(node, later: timedelta):
    """Starts the node with its clock moved on. Timers run on the monotonic clock, which is left alone.

    The library moves the environment when it is loaded first, and Swift looks for its arguments beside the environment:
    `env` is loaded first, then becomes the node.
    """
    return node.start(
        skew=later, through=["/usr/bin/env"],
        environment={"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{int(later.total_seconds())}", "DONT_FAKE_MONOTONIC": "1"},
    )


def described(node, name):
    """DescribeSecret by hand, since boto3 cannot sign by the node's clock; None when it is gone."""
    answer = node.call("DescribeSecret", {"SecretId": name})
    if answer.status == 200:
        return answer.json
    assert answer.code == "ResourceNotFoundException", answer.body
    return None


@with_another_clock
def test_faketime_moves_the_clock_at_all():
    moved = subprocess.run(
        ["date", "+%s"], env={"LD_PRELOAD": FAKETIME, "FAKETIME": "+864000"}, capture_output=True, text=True, check=True
    )
    assert int(moved.stdout) - datetime.now().timestamp() == pytest.approx(864000, abs=60)


@with_another_clock
def test_planned_deletions_happen_when_their_day_comes_and_not_before(make_node):
    node = make_node().start()
    client = node.client()
    for name in ("week", "month", "restored", "kept"):
        client.create_secret(Name=name, SecretString=new_value())
    old_arn = client.describe_secret(SecretId="week")["ARN"]
    client.delete_secret(SecretId="week", RecoveryWindowInDays=7)
    client.delete_secret(SecretId="month")
    client.delete_secret(SecretId="restored", RecoveryWindowInDays=7)
    client.restore_secret(SecretId="restored")
    assert node.stop() == 0

    start_later(node, timedelta(days=6))
    wait_for(lambda: node.call("GetSecretValue", {"SecretId": "kept"}).status == 200, 10, "the node's clock to be ours")
    assert all(described(node, name) for name in ("week", "month", "restored", "kept"))
    assert node.stop() == 0

    start_later(node, timedelta(days=8))
    wait_for(lambda: described(node, "week") is None, 60, "the deletion that is due")
    assert "DeletedDate" in described(node, "month")
    assert node.call("GetSecretValue", {"SecretId": "restored"}).status == 200
    made = node.call("CreateSecret", {"Name": "week", "ClientRequestToken": "8" * 32, "SecretString": new_value()})
    assert made.status == 200 and made.json["ARN"] != old_arn
    assert node.stop() == 0

    start_later(node, timedelta(days=31))
    wait_for(lambda: described(node, "month") is None, 60, "the deletion that is due")
    for name in ("week", "restored", "kept"):
        assert node.call("GetSecretValue", {"SecretId": name}).status == 200
    assert node.stop() == 0


@with_another_clock
def test_a_deletion_comes_due_while_the_node_runs(make_node):
    node = make_node().start()
    client = node.client()
    client.create_secret(Name="due", SecretString=new_value())
    due = client.delete_secret(SecretId="due", RecoveryWindowInDays=7)["DeletionDate"]
    assert node.stop() == 0
    # The deletion is 10 s away when the node starts.
    start_later(node, due - datetime.now(timezone.utc) - timedelta(seconds=10))
    assert described(node, "due") is not None
    wait_for(lambda: described(node, "due") is None, 60, "the deletion to come due")
