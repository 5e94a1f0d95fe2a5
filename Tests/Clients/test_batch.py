"""BatchGetSecretValue (behaviour 3.3)."""
from __future__ import annotations

import pytest

from support.node import new_name, new_value
from support.refusals import MARKED_FOR_DELETION, NOT_FOUND, refusal, too_large, too_long, too_small, violation
from support.waiting import wait_for

EITHER = "Either 'SecretIdList' or 'Filters' must be provided, but not both."


@pytest.fixture
def several(sm):
    """Five secrets under one prefix: prefix, name -> value."""
    prefix = new_name() + "/"
    values = {}
    for number in range(5):
        values[f"{prefix}{number}"] = new_value()
        sm.create_secret(Name=f"{prefix}{number}", SecretString=values[f"{prefix}{number}"])
    return prefix, values


def by_name(answer):
    return {entry["Name"]: entry["SecretString"] for entry in answer["SecretValues"]}


def test_by_a_list_of_ids(sm, several):
    _, values = several
    answer = sm.batch_get_secret_value(SecretIdList=list(values))
    assert by_name(answer) == values
    assert answer.get("Errors", []) == []
    assert "NextToken" not in answer
    entry = answer["SecretValues"][0]
    assert set(entry) == {"ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate"}
    assert entry["VersionStages"] == ["AWSCURRENT"]


def test_ids_may_be_names_arns_and_partial_arns(sm, several):
    _, values = several
    first, second, third = list(values)[:3]
    ids = [first, sm.describe_secret(SecretId=second)["ARN"], sm.describe_secret(SecretId=third)["ARN"].rpartition("-")[0]]
    assert by_name(sm.batch_get_secret_value(SecretIdList=ids)) == {name: values[name] for name in (first, second, third)}


def test_binary_values(sm, name):
    data = new_value().encode() + b"\0\xff"
    sm.create_secret(Name=name, SecretBinary=data)
    (entry,) = sm.batch_get_secret_value(SecretIdList=[name])["SecretValues"]
    assert entry["SecretBinary"] == data and "SecretString" not in entry


def test_what_fails_for_one_secret_does_not_fail_the_others(sm, several):
    _, values = several
    good, marked = list(values)[:2]
    empty, absent = new_name(), new_name()
    sm.create_secret(Name=empty)
    sm.delete_secret(SecretId=marked)
    answer = sm.batch_get_secret_value(SecretIdList=[good, marked, absent, empty])
    assert by_name(answer) == {good: values[good]}
    errors = {error["SecretId"]: error for error in answer["Errors"]}
    assert set(errors) == {marked, absent, empty}
    assert (errors[absent]["ErrorCode"], errors[absent]["Message"]) == ("ResourceNotFoundException", NOT_FOUND)
    assert (errors[marked]["ErrorCode"], errors[marked]["Message"]) == ("InvalidRequestException", MARKED_FOR_DELETION)
    assert errors[empty]["ErrorCode"] == "ResourceNotFoundException"


def test_by_filters(sm, several):
    prefix, values = several
    answer = sm.batch_get_secret_value(Filters=[{"Key": "name", "Values": [prefix]}])
    assert by_name(answer) == values
    assert "NextToken" not in answer


def test_filters_in_pages(sm, several):
    prefix, values = several
    seen, token, pages = {}, {}, 0
    while True:
        answer = sm.batch_get_secret_value(Filters=[{"Key": "name", "Values": [prefix]}], MaxResults=2, **token)
        assert len(answer["SecretValues"]) <= 2
        assert not set(by_name(answer)) & set(seen)
        seen.update(by_name(answer))
        pages += 1
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
        assert pages < 20
    assert seen == values and pages >= 3


def test_filters_leave_out_what_is_marked_for_deletion(sm, several):
    prefix, values = several
    marked = next(iter(values))
    sm.delete_secret(SecretId=marked)
    answer = sm.batch_get_secret_value(Filters=[{"Key": "name", "Values": [prefix]}])
    assert set(by_name(answer)) == set(values) - {marked}


def test_it_counts_as_access(sm, several):
    _, values = several
    name = next(iter(values))
    assert "LastAccessedDate" not in sm.describe_secret(SecretId=name)
    sm.batch_get_secret_value(SecretIdList=[name])
    wait_for(lambda: "LastAccessedDate" in sm.describe_secret(SecretId=name), 15, "the access to be recorded")


def test_twenty_ids_of_large_values(sm):
    prefix = new_name() + "/"
    values = {f"{prefix}{number:02}": new_value("x" * 65000) for number in range(20)}
    for name, value in values.items():
        sm.create_secret(Name=name, SecretString=value)
    assert by_name(sm.batch_get_secret_value(SecretIdList=list(values))) == values


def test_refusals(sm, raw, secret):
    with refusal("InvalidParameterException", EITHER):
        sm.batch_get_secret_value(SecretIdList=[secret["Name"]], Filters=[{"Key": "name", "Values": ["x"]}])
    with refusal("InvalidParameterException"):
        sm.batch_get_secret_value()
    with refusal(
        "InvalidParameterException", "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
    ):
        sm.batch_get_secret_value(SecretIdList=[secret["Name"]], MaxResults=5)
    with refusal("ValidationException", containing=["'secretIdList'", too_long(20)]):
        raw.batch_get_secret_value(SecretIdList=[new_name() for _ in range(21)])
    with refusal("ValidationException", containing=["'secretIdList'"]):
        raw.batch_get_secret_value(SecretIdList=[])
    with refusal("ValidationException", violation(too_large(20), value="21", at="maxResults")):
        raw.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["x"]}], MaxResults=21)
    with refusal("ValidationException", violation(too_small(1), value="0", at="maxResults")):
        raw.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["x"]}], MaxResults=0)
    with refusal("InvalidNextTokenException"):
        sm.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["x"]}], NextToken="bm8=")
    with refusal("ValidationException", containing=["'filters.1.member.key'"]):
        raw.batch_get_secret_value(Filters=[{"Key": "invalid", "Values": ["x"]}])
