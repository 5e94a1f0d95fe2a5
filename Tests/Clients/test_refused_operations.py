"""Operations that come with later issues: input is checked, then one clear InvalidRequestException, and nothing changes."""
from __future__ import annotations

import json

import pytest

from support.node import ACCOUNT, REGION, new_name, new_token
from support.refusals import INVALID_NAME, NO_TOKEN, assert_refused

LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
REPLICA = f"arn:aws:secretsmanager:{REGION}:210987654321:secret:other-AbCdEf"

VALID = {
    "RotateSecret": {"RotationLambdaARN": LAMBDA, "RotationRules": {"AutomaticallyAfterDays": 30}, "ClientRequestToken": "t" * 32},
    "CancelRotateSecret": {},
    "ReplicateSecretToRegions": {"AddReplicaRegions": [{"Region": "eu-west-1"}]},
    "RemoveRegionsFromReplication": {"RemoveReplicaRegions": ["eu-west-1"]},
    "StopReplicationToReplica": {},
    "AssociateCrossAccountReplica": {"CrossAccountReplicaARN": REPLICA},
    "DisassociateCrossAccountReplica": {"CrossAccountReplicaARN": REPLICA},
}
each_operation = pytest.mark.parametrize("operation", list(VALID))


@each_operation
def test_it_is_refused_in_one_clear_sentence_and_nothing_changes(node, secret, operation):
    before = node.call("DescribeSecret", {"SecretId": secret["Name"]}).json
    answer = node.call(operation, {"SecretId": secret["Name"], **VALID[operation]})
    assert_refused(answer, "InvalidRequestException")
    assert len(answer.message) > 20 and answer.message.endswith("."), answer.message
    assert node.call("DescribeSecret", {"SecretId": secret["Name"]}).json == before


@each_operation
def test_its_input_is_checked(node, operation):
    others = VALID[operation]
    assert_refused(node.call(operation, others), "ValidationException", matching=r".*'secretId'.*")
    assert_refused(node.call(operation, {"SecretId": "in ner", **others}), "ValidationException", INVALID_NAME)
    assert_refused(node.call(operation, {"SecretId": ["x"], **others}), "SerializationException")
    assert_refused(node.call(operation, b"{"), "SerializationException")


@each_operation
def test_a_missing_secret_is_refused_too(node, operation):
    answer = node.call(operation, {"SecretId": new_name(), **VALID[operation]})
    assert_refused(answer, ("ResourceNotFoundException", "InvalidRequestException"))


@pytest.mark.parametrize(
    "members, path",
    [
        ({"RotationRules": {"AutomaticallyAfterDays": 0}}, "rotationRules.automaticallyAfterDays"),
        ({"RotationRules": {"AutomaticallyAfterDays": 1001}}, "rotationRules.automaticallyAfterDays"),
        ({"RotationRules": {"Duration": "1"}}, "rotationRules.duration"),
        ({"RotationRules": {"Duration": "100h"}}, "rotationRules.duration"),
        ({"RotationRules": {"ScheduleExpression": "rate(1 day);"}}, "rotationRules.scheduleExpression"),
        ({"RotationLambdaARN": "l" * 2049}, "rotationLambdaARN"),
        ({"ClientRequestToken": "short"}, "clientRequestToken"),
    ],
    ids=lambda case: case if isinstance(case, str) else json.dumps(case)[:50],
)
def test_limits_of_rotate_secret(node, secret, members, path):
    answer = node.call("RotateSecret", {"SecretId": secret["Name"], "ClientRequestToken": new_token(), **members})
    assert_refused(answer, "ValidationException", matching=rf".*'{path}'.*")


def test_rotate_secret_without_a_token(node, secret):
    assert_refused(node.call("RotateSecret", {"SecretId": secret["Name"]}), "InvalidParameterException", NO_TOKEN)


@pytest.mark.parametrize(
    "operation, members",
    [
        ("ReplicateSecretToRegions", {}), ("ReplicateSecretToRegions", {"AddReplicaRegions": []}),
        ("ReplicateSecretToRegions", {"AddReplicaRegions": [{"Region": "nowhere"}]}),
        ("RemoveRegionsFromReplication", {}), ("RemoveRegionsFromReplication", {"RemoveReplicaRegions": []}),
        ("RemoveRegionsFromReplication", {"RemoveReplicaRegions": ["Not A Region"]}),
        ("AssociateCrossAccountReplica", {}), ("DisassociateCrossAccountReplica", {}),
    ],
    ids=lambda case: case if isinstance(case, str) else json.dumps(case)[:50],
)
def test_limits_of_the_replication_operations(node, secret, operation, members):
    assert_refused(node.call(operation, {"SecretId": secret["Name"], **members}), "ValidationException")


def test_boto3_sees_a_modelled_error(sm, secret):
    with pytest.raises(sm.exceptions.InvalidRequestException):
        sm.rotate_secret(SecretId=secret["Name"], RotationLambdaARN=LAMBDA)
    with pytest.raises(sm.exceptions.InvalidRequestException):
        sm.replicate_secret_to_regions(SecretId=secret["Name"], AddReplicaRegions=[{"Region": "eu-west-1"}])
