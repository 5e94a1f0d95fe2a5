"""TagResource and UntagResource (behaviour 3.12)."""
from __future__ import annotations

import pytest

from support.node import new_name, new_value
from support.refusals import MARKED_FOR_DELETION, NOT_FOUND, refusal, too_long


def tags(client, name):
    return [(tag["Key"], tag["Value"]) for tag in client.describe_secret(SecretId=name).get("Tags", [])]


def put(client, name, *pairs):
    return client.tag_resource(SecretId=name, Tags=[{"Key": key, "Value": value} for key, value in pairs])


def test_tags_are_added_in_order_and_overwritten_in_place(sm, secret, name):
    put(sm, name, ("b", "1"), ("a", "2"))
    put(sm, name, ("c", "3"), ("b", "changed"))
    assert tags(sm, name) == [("b", "changed"), ("a", "2"), ("c", "3")]


def test_tag_keys_differ_by_case(sm, secret, name):
    put(sm, name, ("key", "1"), ("Key", "2"))
    assert tags(sm, name) == [("key", "1"), ("Key", "2")]


def test_a_secret_that_never_had_tags_shows_none_and_one_that_lost_them_an_empty_list(sm, secret, name):
    assert "Tags" not in sm.describe_secret(SecretId=name)
    put(sm, name, ("k", "v"))
    sm.untag_resource(SecretId=name, TagKeys=["k"])
    assert sm.describe_secret(SecretId=name)["Tags"] == []


def test_untag_ignores_unknown_keys(sm, secret, name):
    put(sm, name, ("a", "1"), ("b", "2"))
    sm.untag_resource(SecretId=name, TagKeys=["a", "never", "B"])
    assert tags(sm, name) == [("b", "2")]
    sm.untag_resource(SecretId=name, TagKeys=["a"])
    assert tags(sm, name) == [("b", "2")]


def test_tagging_makes_no_version(sm, secret, name):
    put(sm, name, ("k", "v"))
    assert sm.describe_secret(SecretId=name)["VersionIdsToStages"] == {secret["VersionId"]: ["AWSCURRENT"]}


def test_both_answers_parse_and_are_empty(node, secret, name):
    for operation, members in (("TagResource", {"Tags": [{"Key": "k", "Value": "v"}]}), ("UntagResource", {"TagKeys": ["k"]})):
        answer = node.call(operation, {"SecretId": name, **members})
        assert answer.status == 200
        assert answer.body in (b"", b"{}")


def test_fifty_tags_and_no_more(sm, secret, name):
    put(sm, name, *((f"k{number}", "") for number in range(50)))
    with refusal(("InvalidParameterException", "LimitExceededException")):
        put(sm, name, ("one more", ""))
    put(sm, name, ("k7", "changed"))  # an overwrite is no new tag
    assert len(tags(sm, name)) == 50


@pytest.mark.parametrize(
    "pairs, codes",
    [
        ([("k" * 129, "")], "ValidationException"),
        ([("", "")], "ValidationException"),
        ([("k", "v" * 257)], "ValidationException"),
        ([("aws:mine", "v")], ("InvalidParameterException", "InvalidRequestException")),
        ([("twice", "1"), ("twice", "2")], ("InvalidParameterException", "InvalidRequestException")),
    ],
    ids=["long key", "empty key", "long value", "aws: prefix", "one key twice"],
)
def test_bad_tags_are_refused_and_none_is_put(raw, secret, name, pairs, codes):
    with refusal(codes):
        put(raw, name, ("fine", "1"), *pairs)
    assert tags(raw, name) == []


def test_untag_limits(raw, secret, name):
    with refusal("ValidationException", containing=["'tagKeys", too_long(128)]):
        raw.untag_resource(SecretId=name, TagKeys=["k" * 129])


def test_missing_and_marked_secrets(sm, secret, name):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        put(sm, new_name(), ("k", "v"))
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.untag_resource(SecretId=new_name(), TagKeys=["k"])
    sm.delete_secret(SecretId=name)
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        put(sm, name, ("k", "v"))
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        sm.untag_resource(SecretId=name, TagKeys=["k"])


def test_greatest_lengths_and_any_characters(sm, name):
    sm.create_secret(Name=name, SecretString=new_value())
    put(sm, name, ("ключ 🔑 " + "k" * 120, "v" * 256), (" ", "= @ : / + - _ ."))
    assert tags(sm, name) == [("ключ 🔑 " + "k" * 120, "v" * 256), (" ", "= @ : / + - _ .")]
