"""CreateSecret (behaviour 3.1, 2.3, 2.4, 2.6)."""
from __future__ import annotations

import json
import re

import pytest

from support.node import ACCOUNT, REGION, new_name, new_token, new_value
from support.refusals import (
    BOTH_VALUES,
    INVALID_NAME,
    NO_TOKEN,
    assert_refused,
    refusal,
    too_long,
    too_short,
    violation,
)
from support.stages import labels
from support.waiting import wait_for


def members(response):
    return set(response) - {"ResponseMetadata"}


def test_a_string_secret_gets_an_arn_a_version_and_the_current_label(sm, name, value, tokens):
    token = next(tokens)
    made = sm.create_secret(Name=name, SecretString=value, ClientRequestToken=token)
    assert members(made) == {"ARN", "Name", "VersionId"}
    assert made["Name"] == name
    assert made["VersionId"] == token
    assert re.fullmatch(rf"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{re.escape(name)}-[A-Za-z0-9]{{6}}", made["ARN"])
    assert labels(sm, name) == {token: {"AWSCURRENT"}}


def test_a_binary_secret_reads_back_as_bytes(sm, name):
    data = new_value().encode() + bytes(range(256))
    made = sm.create_secret(Name=name, SecretBinary=data)
    read = sm.get_secret_value(SecretId=name)
    assert read["SecretBinary"] == data
    assert "SecretString" not in read
    assert read["VersionId"] == made["VersionId"]


def test_a_secret_without_a_value_has_no_version(sm, name):
    made = sm.create_secret(Name=name)
    assert members(made) == {"ARN", "Name"}
    assert members(sm.describe_secret(SecretId=name)) == {"ARN", "Name", "CreatedDate", "LastChangedDate"}
    assert sm.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"] == []
    with refusal(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ):
        sm.get_secret_value(SecretId=name)


def test_describe_of_a_new_secret_has_no_more_than_it_needs(sm, secret):
    described = sm.describe_secret(SecretId=secret["Name"])
    assert members(described) == {"ARN", "Name", "CreatedDate", "LastChangedDate", "VersionIdsToStages"}
    assert described["ARN"] == secret["ARN"]
    assert described["VersionIdsToStages"] == {secret["VersionId"]: ["AWSCURRENT"]}


def test_description_key_and_tags_are_kept(sm, name):
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    tags = [{"Key": "zone", "Value": "b"}, {"Key": "Team", "Value": ""}, {"Key": "a key", "Value": "ä € 𝄞"}]
    sm.create_secret(Name=name, SecretString=new_value(), Description="For the ünit tests", KmsKeyId=key, Tags=tags)
    described = sm.describe_secret(SecretId=name)
    assert described["Description"] == "For the ünit tests"
    assert described["KmsKeyId"] == key
    assert described["Tags"] == tags  # in the order given


def test_an_empty_description_is_none(sm, name):
    sm.create_secret(Name=name, SecretString=new_value(), Description="")
    assert "Description" not in sm.describe_secret(SecretId=name)


def test_the_alias_of_the_default_key_is_accepted(sm, name, value):
    sm.create_secret(Name=name, SecretString=value, KmsKeyId="alias/aws/secretsmanager")
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value


def test_both_values_are_refused_and_nothing_is_made(sm, name, value):
    with refusal("InvalidParameterException", BOTH_VALUES):
        sm.create_secret(Name=name, SecretString=value, SecretBinary=b"1")
    with refusal("ResourceNotFoundException"):
        sm.describe_secret(SecretId=name)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "given",
    [
        "Valid/_+=.@-Name", "/leading", "trailing/", "a//b", "x", "..", "9", "-", "UPPER.lower", "ends-a1b2", "ends-a1b2c3-",
        "Name-a1b2c3", "n" * 512,
    ],
    ids=lambda given: given[:20],
)
def test_valid_names_work_by_name_and_by_full_arn(own_names, sm, given, value):
    name = own_names(given)
    made = sm.create_secret(Name=name, SecretString=value)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value
    assert sm.get_secret_value(SecretId=made["ARN"])["SecretString"] == value
    assert made["ARN"].rpartition("-")[0].endswith(f":secret:{name}")


@pytest.fixture
def own_names(sm):
    """Names that cannot be made unique: removed afterwards, so that the next run of a test can take them."""
    taken = []

    def take(name):
        taken.append(name)
        return name

    yield take
    for name in taken:
        sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize(
    "given",
    [
        "in ner", " leading", "trailing ", "ast*erisk", "what?", "brack]et", "back\\slash", "per%cent", "new\nline", "nul\0",
        "tab\t", "\x1b[31m", "emoji🔑", "composed-é", "decomposed-e\u0301", "right-\u202e-to-left", "semi;colon", "quo'te", 'dou"ble',
        "%2e%2e", "comma,", "colon:", "(", "<", "#", "&", "$", "~", "|", "^", "`", "{",
    ],
    ids=lambda given: given.encode("unicode_escape").decode(),
)
def test_other_characters_in_names_are_refused(raw, given):
    with refusal("ValidationException", INVALID_NAME):
        raw.create_secret(Name=given, SecretString=new_value())


def test_a_name_of_513_characters_is_refused(raw):
    long = "n" * 513
    with refusal("ValidationException", containing=["at 'name'", too_long(512)]):
        raw.create_secret(Name=long, SecretString=new_value())


def test_an_empty_or_missing_name_is_refused(raw, node):
    with refusal("ValidationException"):
        raw.create_secret(Name="", SecretString=new_value())
    assert_refused(
        node.call("CreateSecret", {"SecretString": new_value(), "ClientRequestToken": new_token()}),
        "ValidationException",
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
    )


def test_names_differ_by_case(sm, name):
    upper, lower = new_value(), new_value()
    sm.create_secret(Name=name + "/Case", SecretString=upper)
    sm.create_secret(Name=name + "/case", SecretString=lower)
    assert sm.get_secret_value(SecretId=name + "/Case")["SecretString"] == upper
    assert sm.get_secret_value(SecretId=name + "/case")["SecretString"] == lower


def test_a_taken_name_is_refused(sm, secret, name):
    with refusal("ResourceExistsException", f"The operation failed because the secret {name} already exists."):
        sm.create_secret(Name=name, SecretString=new_value())
    with refusal("ResourceExistsException", f"The operation failed because the secret {name} already exists."):
        sm.create_secret(Name=name)


def test_a_name_that_is_scheduled_for_deletion_is_refused(sm, secret, name):
    sm.delete_secret(SecretId=name)
    with refusal(
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    ):
        sm.create_secret(Name=name, SecretString=new_value())


def test_a_name_is_free_again_after_a_forced_deletion_and_gets_another_arn(sm, secret, name):
    sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def made_again():
        try:
            return sm.create_secret(Name=name, SecretString=new_value())
        except sm.exceptions.InvalidRequestException as error:  # AWS blocks the name for some seconds
            assert "scheduled for deletion" in str(error)
            return None

    again = wait_for(made_again, 30, "the name to be free again")
    assert again["ARN"] != secret["ARN"]
    with refusal("ResourceNotFoundException"):
        sm.describe_secret(SecretId=secret["ARN"])


# ---------------------------------------------------------------- idempotency


def test_the_same_request_again_changes_nothing(sm, name, value, tokens):
    request = dict(Name=name, SecretString=value, ClientRequestToken=next(tokens))
    first = sm.create_secret(**request)
    before = sm.describe_secret(SecretId=name)
    second = sm.create_secret(**request)
    after = sm.describe_secret(SecretId=name)
    for response in (first, second, before, after):
        response.pop("ResponseMetadata")
    assert first == second
    assert before == after


def test_the_same_token_with_another_value_is_refused(sm, name, value, tokens):
    token = next(tokens)
    made = sm.create_secret(Name=name, SecretString=value, ClientRequestToken=token)
    with refusal(
        "ResourceExistsException",
        f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {made['ARN']}.",
    ):
        sm.create_secret(Name=name, SecretString=new_value(), ClientRequestToken=token)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value


@pytest.mark.parametrize(
    "token",
    ["terraform-20261123200234611400000001", "00000000-0000-0000-0000-000000000001", "x" * 32, "y" * 64, "with blanks & ünicode " * 2],
)
def test_a_token_of_32_to_64_characters_becomes_the_version_id(sm, name, value, token):
    assert sm.create_secret(Name=name, SecretString=value, ClientRequestToken=token)["VersionId"] == token
    assert sm.get_secret_value(SecretId=name, VersionId=token)["SecretString"] == value


@pytest.mark.parametrize("length, constraint", [(31, too_short(32)), (65, too_long(64))])
def test_tokens_of_other_lengths_are_refused(raw, name, length, constraint):
    token = "t" * length
    with refusal("ValidationException", violation(constraint, value=token, at="clientRequestToken")):
        raw.create_secret(Name=name, SecretString=new_value(), ClientRequestToken=token)


def test_a_raw_request_without_a_token_is_refused(node, name):
    assert_refused(node.call("CreateSecret", {"Name": name, "SecretString": new_value()}), "InvalidRequestException", NO_TOKEN)


# ---------------------------------------------------------------- limits


def test_the_largest_values_are_kept_whole(sm, name):
    text = new_value().ljust(65536, "x")
    data = new_value().encode().ljust(65536, b"\xff")
    sm.create_secret(Name=name, SecretString=text)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == text
    sm.put_secret_value(SecretId=name, SecretBinary=data)
    assert sm.get_secret_value(SecretId=name)["SecretBinary"] == data


def test_larger_values_are_refused_without_showing_them(raw, name):
    with refusal("ValidationException", violation(too_long(65536), at="secretString")):
        raw.create_secret(Name=name, SecretString="x" * 65537)
    with refusal("ValidationException", violation(too_long(65536), at="secretBinary")):
        raw.create_secret(Name=name, SecretBinary=b"x" * 65537)
    with refusal("ResourceNotFoundException"):
        raw.describe_secret(SecretId=name)


def test_an_empty_value_never_becomes_a_version(raw, name):
    # Whether AWS refuses it or takes it for absent is not known (behaviour, 9.6).
    try:
        assert "VersionId" not in raw.create_secret(Name=name, SecretString="")
    except raw.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] in (
            "ValidationException", "InvalidParameterException", "InvalidRequestException",
        )


def test_description_length(raw, name):
    raw.create_secret(Name=name, SecretString=new_value(), Description="d" * 2048)
    assert raw.describe_secret(SecretId=name)["Description"] == "d" * 2048
    long = "d" * 2049
    with refusal("ValidationException", containing=["'description'", too_long(2048)]):
        raw.create_secret(Name=new_name(), SecretString=new_value(), Description=long)


def test_key_id_and_type_lengths(raw):
    with refusal("ValidationException", containing=["'kmsKeyId'", too_long(2048)]):
        raw.create_secret(Name=new_name(), KmsKeyId="k" * 2049)
    with refusal("ValidationException", containing=["'type'", too_long(256)]):
        raw.create_secret(Name=new_name(), Type="t" * 257)


# ---------------------------------------------------------------- tags at creation


def test_fifty_tags_of_the_greatest_lengths(sm, name):
    tags = [{"Key": f"{number:02}".ljust(128, "k"), "Value": "v" * 256} for number in range(50)]
    sm.create_secret(Name=name, SecretString=new_value(), Tags=tags)
    assert sm.describe_secret(SecretId=name)["Tags"] == tags


@pytest.mark.parametrize(
    "tags, codes",
    [
        ([{"Key": f"k{number}", "Value": ""} for number in range(51)], ("InvalidParameterException", "LimitExceededException")),
        ([{"Key": "twice", "Value": "1"}, {"Key": "twice", "Value": "2"}], ("InvalidParameterException", "InvalidRequestException")),
        ([{"Key": "aws:mine", "Value": "1"}], ("InvalidParameterException", "InvalidRequestException")),
        ([{"Key": "k" * 129, "Value": ""}], "ValidationException"),
        ([{"Key": "", "Value": ""}], "ValidationException"),
        ([{"Key": "k", "Value": "v" * 257}], "ValidationException"),
    ],
    ids=["51 tags", "one key twice", "aws: prefix", "long key", "empty key", "long value"],
)
def test_bad_tags_are_refused_and_nothing_is_made(raw, name, tags, codes):
    with refusal(codes):
        raw.create_secret(Name=name, SecretString=new_value(), Tags=tags)
    with refusal("ResourceNotFoundException"):
        raw.describe_secret(SecretId=name)


def test_the_path_to_a_bad_tag_is_given(raw, name):
    with refusal("ValidationException", containing=["'tags.2.member.key'", too_long(128)]):
        raw.create_secret(Name=name, Tags=[{"Key": "fine", "Value": ""}, {"Key": "k" * 129, "Value": ""}])


# ---------------------------------------------------------------- what is not looked at


def test_unknown_members_are_ignored_and_null_is_absent(node, sm, name, value):
    token = new_token()
    answer = node.call(
        "CreateSecret",
        {
            "Name": name, "SecretString": value, "ClientRequestToken": token, "SecretBinary": None, "Description": None,
            "Tags": None, "Colour": "blue", "Nested": {"a": [1, 2.5e3, None, True, {"b": "c"}]},
        },
    )
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["VersionId"] == token
    assert "Description" not in sm.describe_secret(SecretId=name)


def test_a_region_to_replicate_to_is_refused_for_now(sm, name):
    with refusal("InvalidRequestException"):
        sm.create_secret(Name=name, SecretString=new_value(), AddReplicaRegions=[{"Region": "eu-west-1"}])
    with refusal("ResourceNotFoundException"):
        sm.describe_secret(SecretId=name)


def test_what_terraform_sends_is_accepted(sm, name, value):
    sm.create_secret(Name=name, SecretString=value, Description="", ForceOverwriteReplicaSecret=False)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value
