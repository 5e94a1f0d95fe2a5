"""GetSecretValue, PutSecretValue, UpdateSecret, ListSecretVersionIds (behaviour 3.2, 3.5, 3.7, 3.8) and ids (2.2)."""
from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest

from support.node import MARKER, new_name, new_token, new_value
from support.refusals import (
    BOTH_VALUES,
    INVALID_NAME,
    MARKED_FOR_DELETION,
    NO_TOKEN,
    NOT_FOUND,
    assert_refused,
    refusal,
    too_large,
    too_long,
    too_short,
    too_small,
    violation,
)
from support.stages import labels, versions
from support.waiting import wait_for

# Accesses are recorded in batches behind the reads.
ACCESS_SECONDS = 15
UNKNOWN_VERSION = "11111111-2222-3333-4444-555555555555"


def members(response):
    return set(response) - {"ResponseMetadata"}


def accessed(description):
    return description if "LastAccessedDate" in description else None


def no_value_for_version(version):
    return f"Secrets Manager can't find the specified secret value for VersionId: {version}"


def no_value_for_stage(stage):
    return f"Secrets Manager can't find the specified secret value for staging label: {stage}"


# ---------------------------------------------------------------- GetSecretValue


def test_a_value_comes_with_its_version_and_labels(sm, secret, value):
    read = sm.get_secret_value(SecretId=secret["Name"])
    assert members(read) == {"ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate"}
    assert read["SecretString"] == value
    assert read["VersionStages"] == ["AWSCURRENT"]
    assert (read["ARN"], read["Name"], read["VersionId"]) == (secret["ARN"], secret["Name"], secret["VersionId"])
    assert abs((datetime.now(timezone.utc) - read["CreatedDate"]).total_seconds()) < 60


@pytest.mark.parametrize(
    "text",
    [
        "plain", " ", "\n\r\t", "\0", "\x01\x1f\x7f\x80", "\"quotes\" and \\back\\slashes\\", "</script>&amp;", "ünïcödé", "\u2028\u2029",
        "🔑🗝️ 𝄞", "e\u0301 é", "\ufeffbom", "\uffff\ufffe", '{"username": "admin", "password": "p\\"w"}', "%s %n %d", "'; DROP TABLE secrets; --",
        "x" * 65000,
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
def test_strings_come_back_exactly(sm, name, text):
    whole = MARKER + text
    sm.create_secret(Name=name, SecretString=whole)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == whole


def test_every_way_of_writing_a_character_in_json_reads_the_same(node, sm, name):
    body = (
        '{"Name":"%s","ClientRequestToken":"%s","SecretString":"%s \\u00e9\\ud834\\udd1e\\/\\b\\f\\n\\r\\t\\"\\\\\\u0000é𝄞"}'
        % (name, new_token(), MARKER)
    )
    assert node.call("CreateSecret", body.encode()).status == 200
    assert sm.get_secret_value(SecretId=name)["SecretString"] == MARKER + " é𝄞/\b\f\n\r\t\"\\\0é𝄞"


def test_binary_travels_as_standard_base64(node, name):
    made = node.call(
        "CreateSecret",
        {"Name": name, "ClientRequestToken": new_token(), "SecretBinary": base64.b64encode(b"\xfb\xff\xfe footest").decode()},
    )
    assert made.status == 200, made.body
    assert node.call("GetSecretValue", {"SecretId": name}).json["SecretBinary"] == base64.b64encode(b"\xfb\xff\xfe footest").decode()


@pytest.mark.parametrize("length", [1, 2, 3, 255, 256, 4095, 4096, 4097, 65535, 65536])
def test_binary_of_any_length_comes_back_exactly(sm, name, length):
    data = bytes(number * 7 % 256 for number in range(length))
    sm.create_secret(Name=name, SecretBinary=data)
    assert sm.get_secret_value(SecretId=name)["SecretBinary"] == data


def test_timestamps_are_numbers_with_milliseconds(node, secret):
    read = node.call("GetSecretValue", {"SecretId": secret["Name"]}).json
    described = wait_for(
        lambda: accessed(node.call("DescribeSecret", {"SecretId": secret["Name"]}).json), ACCESS_SECONDS, "the access to be recorded"
    )
    for moment in (read["CreatedDate"], described["CreatedDate"], described["LastChangedDate"]):
        assert isinstance(moment, (int, float)) and not isinstance(moment, bool)
        assert round(moment, 3) == moment
    assert described["LastAccessedDate"] % 86400 == 0


def test_by_version_by_stage_and_by_both(sm, secret, value):
    second_value = new_value()
    second = sm.put_secret_value(SecretId=secret["Name"], SecretString=second_value)
    old, new = secret["VersionId"], second["VersionId"]
    read = sm.get_secret_value
    name = secret["Name"]
    assert read(SecretId=name)["SecretString"] == second_value
    assert read(SecretId=name, VersionStage="AWSCURRENT")["SecretString"] == second_value
    assert read(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == value
    assert read(SecretId=name, VersionId=old)["SecretString"] == value
    assert read(SecretId=name, VersionId=new, VersionStage="AWSCURRENT")["SecretString"] == second_value
    with refusal("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId."):
        read(SecretId=name, VersionId=old, VersionStage="AWSCURRENT")
    with refusal("ResourceNotFoundException"):
        read(SecretId=name, VersionId=UNKNOWN_VERSION, VersionStage="AWSCURRENT")


def test_missing_secret_stage_and_version(sm, secret):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.get_secret_value(SecretId=new_name())
    with refusal("ResourceNotFoundException", no_value_for_stage("AWSPENDING")):
        sm.get_secret_value(SecretId=secret["Name"], VersionStage="AWSPENDING")
    with refusal("ResourceNotFoundException", no_value_for_version(UNKNOWN_VERSION)):
        sm.get_secret_value(SecretId=secret["Name"], VersionId=UNKNOWN_VERSION)


def test_a_secret_marked_for_deletion_cannot_be_read(sm, secret):
    sm.delete_secret(SecretId=secret["Name"])
    for selector in ({}, {"VersionId": secret["VersionId"]}, {"VersionStage": "AWSCURRENT"}):
        with refusal("InvalidRequestException", MARKED_FOR_DELETION):
            sm.get_secret_value(SecretId=secret["Name"], **selector)


def test_limits_of_the_selectors(raw, secret):
    with refusal("ValidationException", violation(too_short(32), value="v" * 31, at="versionId")):
        raw.get_secret_value(SecretId=secret["Name"], VersionId="v" * 31)
    with refusal("ValidationException", violation(too_long(64), value="v" * 65, at="versionId")):
        raw.get_secret_value(SecretId=secret["Name"], VersionId="v" * 65)
    with refusal("ValidationException", containing=["'versionStage'", too_long(256)]):
        raw.get_secret_value(SecretId=secret["Name"], VersionStage="s" * 257)
    with refusal("ValidationException", containing=["'versionStage'"]):
        raw.get_secret_value(SecretId=secret["Name"], VersionStage="")
    with refusal("ValidationException", containing=["'secretId'", too_long(2048)]):
        raw.get_secret_value(SecretId="s" * 2049)


def test_reading_moves_the_last_accessed_day_and_describing_does_not(sm, secret):
    name = secret["Name"]
    assert "LastAccessedDate" not in sm.describe_secret(SecretId=name)
    assert "LastAccessedDate" not in sm.describe_secret(SecretId=name)
    assert "LastAccessedDate" not in versions(sm, name)[secret["VersionId"]]
    before = datetime.now(timezone.utc).date()
    sm.get_secret_value(SecretId=name)
    described = wait_for(lambda: accessed(sm.describe_secret(SecretId=name)), ACCESS_SECONDS, "the access to be recorded")
    day = described["LastAccessedDate"].astimezone(timezone.utc)
    assert before <= day.date() <= datetime.now(timezone.utc).date()
    assert (day.hour, day.minute, day.second, day.microsecond) == (0, 0, 0, 0)
    assert versions(sm, name)[secret["VersionId"]]["LastAccessedDate"] == day
    assert described["LastChangedDate"] == sm.describe_secret(SecretId=name)["LastChangedDate"], "reading is no change"


# ---------------------------------------------------------------- what a SecretId may be


def test_a_secret_is_found_by_name_arn_and_partial_arn(sm, secret, value):
    partial = secret["ARN"].rpartition("-")[0]
    for secret_id in (secret["Name"], secret["ARN"], partial):
        assert sm.get_secret_value(SecretId=secret_id)["SecretString"] == value
        assert sm.describe_secret(SecretId=secret_id)["ARN"] == secret["ARN"]


@pytest.mark.parametrize("ending, by_partial_arn", [("-a1b2c3", False), ("-ABCDEF", False), ("-a1b2", True), ("-a1b2c3-", True), ("-a1b2c3d", True)])
def test_a_partial_arn_that_looks_like_a_full_one_finds_nothing(sm, name, value, ending, by_partial_arn):
    made = sm.create_secret(Name=name + ending, SecretString=value)
    assert sm.get_secret_value(SecretId=name + ending)["SecretString"] == value
    assert sm.get_secret_value(SecretId=made["ARN"])["SecretString"] == value
    partial = made["ARN"].rpartition("-")[0]
    if by_partial_arn:
        assert sm.get_secret_value(SecretId=partial)["SecretString"] == value
    else:
        with refusal("ResourceNotFoundException", NOT_FOUND):
            sm.get_secret_value(SecretId=partial)


def test_the_arn_of_one_secret_never_finds_another_whose_name_begins_the_same(sm, name):
    short, long = new_value(), new_value()
    sm.create_secret(Name=name, SecretString=short)
    made = sm.create_secret(Name=name + "-abcdef", SecretString=long)
    # This text is also the partial ARN of the second secret; it is taken as a full ARN of the first, which it is not.
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.get_secret_value(SecretId=made["ARN"].rpartition("-")[0])
    assert sm.get_secret_value(SecretId=made["ARN"])["SecretString"] == long


def replaced(arn, position, part):
    parts = arn.split(":")
    parts[position] = part
    return ":".join(parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda arn: replaced(arn, 3, "eu-west-1"),
        lambda arn: replaced(arn, 4, "210987654321"),
        lambda arn: replaced(arn, 1, "aws-cn"),
        lambda arn: replaced(arn, 2, "ssm"),
        lambda arn: arn[:-6] + "*",
        lambda arn: arn[:-6] + "??????",
        lambda arn: arn.upper(),
        lambda arn: arn + ":AWSCURRENT",
        lambda arn: arn[:-1],
        lambda arn: arn[:-6] + "zzzzzz",
        lambda arn: arn.replace(":secret:", ":secret:/"),
        lambda arn: "arn:aws:secretsmanager",
        lambda arn: arn + "/../" + arn.rpartition(":")[2],
    ],
    ids=[
        "region", "account", "partition", "service", "asterisk", "question marks", "upper case", "eight fields", "cut", "other suffix",
        "slash before the name", "three fields", "dots",
    ],
)
def test_an_altered_arn_never_matches(raw, secret, change):
    with refusal(
        ("ResourceNotFoundException", "ValidationException", "AccessDeniedException", "InvalidParameterException", "InvalidRequestException")
    ):
        raw.get_secret_value(SecretId=change(secret["ARN"]))


@pytest.mark.parametrize("given", ["in ner", " x", "x ", "*", "?", "]", "back\\slash", "nul\0", "emoji🔑", "%00"])
def test_an_invalid_id_is_refused_before_anything_is_looked_up(raw, given):
    token = new_token()
    calls = [
        lambda: raw.get_secret_value(SecretId=given),
        lambda: raw.describe_secret(SecretId=given),
        lambda: raw.delete_secret(SecretId=given, ForceDeleteWithoutRecovery=True),
        lambda: raw.list_secret_version_ids(SecretId=given),
        lambda: raw.put_secret_value(SecretId=given, SecretString=new_value(), ClientRequestToken=token),
        lambda: raw.update_secret(SecretId=given, Description="d", ClientRequestToken=token),
        lambda: raw.tag_resource(SecretId=given, Tags=[{"Key": "k", "Value": "v"}]),
        lambda: raw.untag_resource(SecretId=given, TagKeys=["k"]),
        lambda: raw.validate_resource_policy(SecretId=given, ResourcePolicy="{}"),
    ]
    for call in calls:
        with refusal("ValidationException", INVALID_NAME):
            call()


@pytest.mark.parametrize("given", ["..", "../x", "a/../b", "//", "./."])
def test_names_are_bytes_not_paths(sm, given):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.get_secret_value(SecretId=given + "/nothing.here")


# ---------------------------------------------------------------- PutSecretValue


def test_put_makes_a_new_current_version(sm, secret, value, tokens):
    token = next(tokens)
    put = sm.put_secret_value(SecretId=secret["Name"], SecretString=new_value(), ClientRequestToken=token)
    assert members(put) == {"ARN", "Name", "VersionId", "VersionStages"}
    assert put["VersionId"] == token
    assert put["VersionStages"] == ["AWSCURRENT"]
    assert put["ARN"] == secret["ARN"]
    assert labels(sm, secret["Name"]) == {token: {"AWSCURRENT"}, secret["VersionId"]: {"AWSPREVIOUS"}}


def test_put_touches_neither_description_nor_tags_nor_key(sm, name):
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    sm.create_secret(Name=name, SecretString=new_value(), Description="kept", Tags=[{"Key": "k", "Value": "v"}], KmsKeyId=key)
    sm.put_secret_value(SecretId=name, SecretString=new_value())
    described = sm.describe_secret(SecretId=name)
    assert (described["Description"], described["Tags"], described["KmsKeyId"]) == ("kept", [{"Key": "k", "Value": "v"}], key)


def test_a_secret_may_change_between_string_and_binary(sm, secret, value):
    data = new_value().encode() + b"\x00\xff"
    sm.put_secret_value(SecretId=secret["Name"], SecretBinary=data)
    read = sm.get_secret_value(SecretId=secret["Name"])
    assert read["SecretBinary"] == data and "SecretString" not in read
    previous = sm.get_secret_value(SecretId=secret["Name"], VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == value and "SecretBinary" not in previous


def test_put_refusals(sm, raw, node, secret):
    name = secret["Name"]
    with refusal("InvalidRequestException", "You must provide either SecretString or SecretBinary."):
        sm.put_secret_value(SecretId=name)
    with refusal("InvalidParameterException", BOTH_VALUES):
        sm.put_secret_value(SecretId=name, SecretString=new_value(), SecretBinary=b"1")
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.put_secret_value(SecretId=new_name(), SecretString=new_value())
    with refusal("ValidationException", violation(too_long(65536), at="secretString")):
        raw.put_secret_value(SecretId=name, SecretString="x" * 65537)
    with refusal("ValidationException", containing=["'versionStages'"]):
        raw.put_secret_value(SecretId=name, SecretString=new_value(), VersionStages=[])
    with refusal("ValidationException", containing=["'versionStages'", too_long(20)]):
        raw.put_secret_value(SecretId=name, SecretString=new_value(), VersionStages=[f"L{number}" for number in range(21)])
    with refusal("ValidationException", containing=["'versionStages", too_long(256)]):
        raw.put_secret_value(SecretId=name, SecretString=new_value(), VersionStages=["L" * 257])
    # The token is missed before the secret is.
    assert_refused(node.call("PutSecretValue", {"SecretId": new_name(), "SecretString": new_value()}), "InvalidRequestException", NO_TOKEN)
    assert labels(sm, name) == {secret["VersionId"]: {"AWSCURRENT"}}


def test_put_on_a_secret_marked_for_deletion(sm, secret):
    sm.delete_secret(SecretId=secret["Name"])
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.put_secret_value(SecretId=secret["Name"], SecretString=new_value())


def test_put_again_with_the_same_token_and_value_changes_nothing(sm, secret, tokens):
    name, token, value = secret["Name"], next(tokens), new_value()
    first = sm.put_secret_value(SecretId=name, SecretString=value, ClientRequestToken=token)
    sm.put_secret_value(SecretId=name, SecretString=new_value())
    before = sm.describe_secret(SecretId=name)
    again = sm.put_secret_value(SecretId=name, SecretString=value, ClientRequestToken=token)
    after = sm.describe_secret(SecretId=name)
    assert again["VersionId"] == first["VersionId"]
    assert again["VersionStages"] == ["AWSPREVIOUS"]  # what the version has now
    assert before["VersionIdsToStages"] == after["VersionIdsToStages"]
    assert before["LastChangedDate"] == after["LastChangedDate"]


def test_put_again_with_the_same_token_and_another_value_is_refused(sm, secret):
    with refusal(
        "ResourceExistsException",
        f"You can't use ClientRequestToken {secret['VersionId']} because that value is already in use for a version of secret {secret['ARN']}.",
    ):
        sm.put_secret_value(SecretId=secret["Name"], SecretString=new_value(), ClientRequestToken=secret["VersionId"])


# ---------------------------------------------------------------- UpdateSecret


def test_update_with_a_value_is_a_new_version(sm, secret, tokens):
    token, value = next(tokens), new_value()
    updated = sm.update_secret(SecretId=secret["Name"], SecretString=value, ClientRequestToken=token)
    assert members(updated) == {"ARN", "Name", "VersionId"}
    assert updated["VersionId"] == token
    assert labels(sm, secret["Name"]) == {token: {"AWSCURRENT"}, secret["VersionId"]: {"AWSPREVIOUS"}}
    assert sm.get_secret_value(SecretId=secret["Name"])["SecretString"] == value


def test_the_same_value_under_a_new_token_is_a_new_version_and_a_later_change(sm, secret, value):
    name = secret["Name"]
    changed = [sm.describe_secret(SecretId=name)["LastChangedDate"]]
    for _ in range(3):
        sm.update_secret(SecretId=name, SecretString=value)
        changed.append(sm.describe_secret(SecretId=name)["LastChangedDate"])
    assert changed == sorted(set(changed)), "LastChangedDate must strictly increase"
    assert len(versions(sm, name, IncludeDeprecated=True)) == 4


def test_update_of_the_description_alone_makes_no_version(sm, secret):
    name = secret["Name"]
    before = sm.describe_secret(SecretId=name)
    updated = sm.update_secret(SecretId=name, Description="new words")
    assert members(updated) == {"ARN", "Name"}
    after = sm.describe_secret(SecretId=name)
    assert after["Description"] == "new words"
    assert after["LastChangedDate"] > before["LastChangedDate"]
    assert after["CreatedDate"] == before["CreatedDate"]
    assert after["VersionIdsToStages"] == before["VersionIdsToStages"]
    sm.update_secret(SecretId=name, SecretString=new_value())
    assert sm.describe_secret(SecretId=name)["Description"] == "new words"
    sm.update_secret(SecretId=name, Description="")
    assert "Description" not in sm.describe_secret(SecretId=name)


def test_update_of_the_key_makes_no_version_and_values_stay_readable(sm, secret, value):
    name, key = secret["Name"], "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    assert "VersionId" not in sm.update_secret(SecretId=name, KmsKeyId=key)
    assert sm.describe_secret(SecretId=name)["KmsKeyId"] == key
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value
    sm.update_secret(SecretId=name, KmsKeyId="")
    assert "KmsKeyId" not in sm.describe_secret(SecretId=name)
    assert sm.get_secret_value(SecretId=name)["SecretString"] == value


def test_update_of_nothing_succeeds(sm, secret):
    before = sm.describe_secret(SecretId=secret["Name"])["VersionIdsToStages"]
    assert members(sm.update_secret(SecretId=secret["Name"])) == {"ARN", "Name"}
    assert sm.describe_secret(SecretId=secret["Name"])["VersionIdsToStages"] == before


def test_update_refusals(sm, raw, node, secret, value, tokens):
    name = secret["Name"]
    with refusal("InvalidParameterException", BOTH_VALUES):
        sm.update_secret(SecretId=name, SecretString=new_value(), SecretBinary=b"1")
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.update_secret(SecretId=new_name(), Description="d")
    with refusal("ValidationException", containing=["'description'", too_long(2048)]):
        raw.update_secret(SecretId=name, Description="d" * 2049)
    with refusal("ResourceExistsException", containing=[secret["VersionId"], secret["ARN"]]):
        sm.update_secret(SecretId=name, SecretString=new_value(), ClientRequestToken=secret["VersionId"])
    assert sm.update_secret(SecretId=name, SecretString=value, ClientRequestToken=secret["VersionId"])["VersionId"] == secret["VersionId"]
    assert_refused(node.call("UpdateSecret", {"SecretId": new_name(), "SecretString": new_value()}), "InvalidRequestException", NO_TOKEN)
    assert labels(sm, name) == {secret["VersionId"]: {"AWSCURRENT"}}
    sm.delete_secret(SecretId=name)
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.update_secret(SecretId=name, Description="d")


# ---------------------------------------------------------------- ListSecretVersionIds


def test_versions_are_listed_with_and_without_deprecated_ones(sm, secret):
    name = secret["Name"]
    second = sm.put_secret_value(SecretId=name, SecretString=new_value())["VersionId"]
    third = sm.put_secret_value(SecretId=name, SecretString=new_value())["VersionId"]
    page = sm.list_secret_version_ids(SecretId=name)
    assert members(page) == {"ARN", "Name", "Versions"}
    assert page["ARN"] == secret["ARN"]
    shown = versions(sm, name)
    assert {version: entry["VersionStages"] for version, entry in shown.items()} == {third: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}
    everything = versions(sm, name, IncludeDeprecated=True)
    assert set(everything) == {secret["VersionId"], second, third}
    assert "VersionStages" not in everything[secret["VersionId"]]
    for entry in everything.values():
        assert set(entry) <= {"VersionId", "VersionStages", "CreatedDate", "LastAccessedDate", "KmsKeyIds"}
        assert entry["KmsKeyIds"] == ["DefaultEncryptionKey"]
    assert everything[secret["VersionId"]]["CreatedDate"] <= everything[second]["CreatedDate"] <= everything[third]["CreatedDate"]


def test_a_version_without_labels_is_still_read_by_its_id(sm, secret, value):
    name = secret["Name"]
    for _ in range(2):
        sm.put_secret_value(SecretId=name, SecretString=new_value())
    assert secret["VersionId"] not in labels(sm, name)
    read = sm.get_secret_value(SecretId=name, VersionId=secret["VersionId"])
    assert read["SecretString"] == value
    assert "VersionStages" not in read


def test_versions_come_in_pages(sm, secret):
    name = secret["Name"]
    made = {secret["VersionId"]} | {sm.put_secret_value(SecretId=name, SecretString=new_value())["VersionId"] for _ in range(6)}
    pages, token = [], {}
    while True:
        page = sm.list_secret_version_ids(SecretId=name, IncludeDeprecated=True, MaxResults=3, **token)
        assert len(page["Versions"]) <= 3
        pages.append([entry["VersionId"] for entry in page["Versions"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        assert 1 <= len(token["NextToken"]) <= 4096
        assert len(pages) < 10
    listed = [version for page in pages for version in page]
    assert len(listed) == len(set(listed)) and set(listed) == made


def test_list_version_refusals(sm, raw, secret):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.list_secret_version_ids(SecretId=new_name())
    with refusal("InvalidNextTokenException"):
        sm.list_secret_version_ids(SecretId=secret["Name"], NextToken="bm90IG91cnM=")
    with refusal("ValidationException", violation(too_small(1), value="0", at="maxResults")):
        raw.list_secret_version_ids(SecretId=secret["Name"], MaxResults=0)
    with refusal("ValidationException", violation(too_large(100), value="101", at="maxResults")):
        raw.list_secret_version_ids(SecretId=secret["Name"], MaxResults=101)


def test_about_a_hundred_versions_then_a_limit(own_node):
    """Versions younger than a day are never removed, so many writes in a day end in LimitExceededException (2.5)."""
    client = own_node.client()
    client.create_secret(Name="many", SecretString=new_value())
    accepted = 1
    while accepted < 200:
        try:
            client.put_secret_value(SecretId="many", SecretString=new_value())
        except client.exceptions.LimitExceededException:
            break
        accepted += 1
    assert 95 <= accepted < 200, f"{accepted} versions were accepted"
    assert client.get_secret_value(SecretId="many")["VersionStages"] == ["AWSCURRENT"]
    assert len(versions(client, "many", IncludeDeprecated=True, MaxResults=100)) == accepted


def test_json_answers_hold_no_null(node, secret):
    for operation in ("DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "GetResourcePolicy"):
        body = node.call(operation, {"SecretId": secret["Name"]}).body
        assert "null" not in json.dumps(json.loads(body)), operation
