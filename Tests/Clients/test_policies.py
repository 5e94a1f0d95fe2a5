"""Resource policies: stored and checked for form (behaviour 3.16, 10)."""
from __future__ import annotations

import json

import pytest

from support.node import ACCOUNT, new_name
from support.refusals import MARKED_FOR_DELETION, NOT_FOUND, assert_refused, refusal, too_long


def policy(principal=None, **more):
    statement = {
        "Sid": "Read", "Effect": "Allow", "Principal": principal or {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "secretsmanager:GetSecretValue", "Resource": "*", **more,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def stored(client, name):
    answer = client.get_resource_policy(SecretId=name)
    return json.loads(answer["ResourcePolicy"]) if "ResourcePolicy" in answer else None


def test_a_secret_without_a_policy_answers_without_one(sm, secret, name):
    answer = sm.get_resource_policy(SecretId=name)
    assert set(answer) - {"ResponseMetadata"} <= {"ARN", "Name", "PolicyName"}
    assert (answer["ARN"], answer["Name"]) == (secret["ARN"], name)


def test_a_policy_is_put_read_replaced_and_deleted(sm, secret, name):
    put = sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy(), indent=4))
    assert (put["ARN"], put["Name"]) == (secret["ARN"], name)
    assert stored(sm, name) == policy()
    other = policy(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(other))
    assert stored(sm, name) == other
    deleted = sm.delete_resource_policy(SecretId=name)
    assert (deleted["ARN"], deleted["Name"]) == (secret["ARN"], name)
    assert stored(sm, name) is None
    sm.delete_resource_policy(SecretId=name)


def test_a_policy_for_everybody_is_accepted_unless_it_is_to_be_blocked(sm, secret, name):
    sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy("*")))
    assert stored(sm, name) == policy("*")
    sm.delete_resource_policy(SecretId=name)
    for principal in ("*", {"AWS": "*"}):
        with refusal("PublicPolicyException"):
            sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy(principal)), BlockPublicPolicy=True)
    assert stored(sm, name) is None
    sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()), BlockPublicPolicy=True)
    assert stored(sm, name) == policy()


def test_the_policy_is_neither_a_version_nor_lost_with_a_new_value(sm, secret, name, value):
    sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()))
    sm.put_secret_value(SecretId=name, SecretString=value + "2")
    assert stored(sm, name) == policy()


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "[]", '"text"', "{", '{"Version":"2012-10-17"', '{"Version":"2012-10-17"}', '{"Version":"2012-10-17","Statement":"x"}',
        '{"Version":"2012-10-17","Statement":[{}]}',
        json.dumps(policy(Effect="Maybe")),
        json.dumps({**policy(), "Version": "2013-01-01"}),
    ],
    ids=["no JSON", "array", "string", "cut", "cut later", "no statement", "statement is text", "empty statement", "odd effect", "odd version"],
)
def test_malformed_policies_are_refused(sm, secret, name, text):
    with refusal("MalformedPolicyDocumentException"):
        sm.put_resource_policy(SecretId=name, ResourcePolicy=text)
    assert stored(sm, name) is None


def test_the_text_for_a_wrong_version(sm, secret, name):
    with refusal("MalformedPolicyDocumentException", "This policy has invalid syntax."):
        sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps({**policy(), "Version": "2013-01-01"}))


def test_policy_length(raw, secret, name):
    with refusal("ValidationException", containing=["'resourcePolicy'", too_long(20480)]):
        raw.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()).ljust(20481))
    with refusal("ValidationException", containing=["'resourcePolicy'"]):
        raw.put_resource_policy(SecretId=name, ResourcePolicy="")
    raw.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()).ljust(20480))
    assert stored(raw, name) == policy()


def test_missing_and_marked_secrets(sm, secret, name):
    absent = new_name()
    for call in (
        lambda: sm.get_resource_policy(SecretId=absent),
        lambda: sm.put_resource_policy(SecretId=absent, ResourcePolicy=json.dumps(policy())),
        lambda: sm.delete_resource_policy(SecretId=absent),
    ):
        with refusal("ResourceNotFoundException", NOT_FOUND):
            call()
    sm.delete_secret(SecretId=name)
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()))
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.delete_resource_policy(SecretId=name)


# ---------------------------------------------------------------- names of policies (the newest model)


def test_the_policy_is_called_default(node, secret, name):
    text = json.dumps(policy())
    put = node.call("PutResourcePolicy", {"SecretId": name, "ResourcePolicy": text, "PolicyName": "default"})
    assert put.status == 200, put.body
    read = node.call("GetResourcePolicy", {"SecretId": name, "PolicyName": "default"})
    assert json.loads(read.json["ResourcePolicy"]) == policy()
    assert node.call("ListResourcePolicies", {"SecretId": name}).json["ResourcePolicies"] == [{"PolicyName": "default"}]
    assert node.call("DeleteResourcePolicy", {"SecretId": name, "PolicyName": "default"}).status == 200
    assert node.call("ListResourcePolicies", {"SecretId": name}).json["ResourcePolicies"] == []


def test_other_names_can_neither_be_put_nor_deleted_nor_found(node, secret, name):
    text = json.dumps(policy())
    assert_refused(
        node.call("PutResourcePolicy", {"SecretId": name, "ResourcePolicy": text, "PolicyName": "other"}), "InvalidParameterException"
    )
    assert_refused(node.call("DeleteResourcePolicy", {"SecretId": name, "PolicyName": "other"}), "InvalidParameterException")
    assert_refused(node.call("GetResourcePolicy", {"SecretId": name, "PolicyName": "other"}), "ResourceNotFoundException")
    for bad in ("", "p" * 65, "with blank", "dot."):
        assert_refused(node.call("GetResourcePolicy", {"SecretId": name, "PolicyName": bad}), "ValidationException")


def test_list_resource_policies_refusals(node, secret, name):
    assert_refused(node.call("ListResourcePolicies", {"SecretId": new_name()}), "ResourceNotFoundException", NOT_FOUND)
    assert_refused(node.call("ListResourcePolicies", {"SecretId": name, "MaxResults": 101}), "ValidationException")
    assert_refused(node.call("ListResourcePolicies", {"SecretId": name, "MaxResults": 0}), "ValidationException")
    assert_refused(node.call("ListResourcePolicies", {"SecretId": name, "NextToken": "bm8="}), "InvalidNextTokenException")


# ---------------------------------------------------------------- ValidateResourcePolicy


def test_a_sound_policy_passes(sm, secret, name):
    for options in ({}, {"SecretId": name}, {"SecretId": secret["ARN"]}):
        answer = sm.validate_resource_policy(ResourcePolicy=json.dumps(policy()), **options)
        assert answer["PolicyValidationPassed"] is True
        assert answer["ValidationErrors"] == []


def test_a_policy_for_everybody_does_not_pass(sm):
    answer = sm.validate_resource_policy(ResourcePolicy=json.dumps(policy("*")))
    assert answer["PolicyValidationPassed"] is False
    for error in answer["ValidationErrors"]:
        assert error["CheckName"] and error["ErrorMessage"]
    assert answer["ValidationErrors"]


def test_a_malformed_policy_does_not_pass(sm):
    # Whether as an error or as a failed check is not known.
    try:
        answer = sm.validate_resource_policy(ResourcePolicy='{"Version":"2013-01-01"}')
    except sm.exceptions.MalformedPolicyDocumentException:
        return
    assert answer["PolicyValidationPassed"] is False and answer["ValidationErrors"]


def test_validating_stores_nothing(sm, secret, name):
    sm.validate_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy()))
    assert stored(sm, name) is None
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.validate_resource_policy(SecretId=new_name(), ResourcePolicy=json.dumps(policy()))
