"""ListSecrets: every filter, sorting, paging (behaviour 3.4). On a node of this file's own."""
from __future__ import annotations

import pytest

from support.node import Node, new_value
from support.refusals import assert_refused, refusal, too_large, too_small, violation
from support.waiting import wait_for


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A node for the tests of this file."""
    made = Node(tmp_path_factory.mktemp("shelf"))
    made.init()
    made.start()
    yield made
    made.end()


@pytest.fixture
def client(shelf):
    """Its client; every test begins with an empty node."""
    client = shelf.client()
    for page in client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True):
        for entry in page["SecretList"]:
            client.delete_secret(SecretId=entry["ARN"], ForceDeleteWithoutRecovery=True)
    wait_for(lambda: not everything(client, IncludePlannedDeletion=True), 60, "an empty node")
    return client


def everything(client, **options):
    return [entry for page in client.get_paginator("list_secrets").paginate(**options) for entry in page["SecretList"]]


def names(client, **options):
    return [entry["Name"] for entry in everything(client, **options)]


def found(client, *filters, **options):
    """Names that match all the filters, given as (key, value, value...)."""
    return set(names(client, Filters=[{"Key": key, "Values": list(values)} for key, *values in filters], **options))


def shelve(client, *made, **options):
    for name in made:
        client.create_secret(Name=name, SecretString=new_value(), **options)


def describe_each(client, *texts):
    """One secret for each description, called by its number."""
    for number, text in enumerate(texts):
        client.create_secret(Name=f"s{number}", Description=text)


def by_description(client, *values):
    described = {entry["Name"]: entry["Description"] for entry in everything(client)}
    return {described[name] for name in found(client, ("description", *values))}


# ---------------------------------------------------------------- shape


def test_an_empty_node_lists_nothing(client, shelf):
    answer = shelf.call("ListSecrets", {})
    assert (answer.status, answer.json) == (200, {"SecretList": []})


def test_an_entry_holds_what_describe_holds_under_its_own_name(client):
    made = client.create_secret(Name="a/name", SecretString=new_value(), Description="d", Tags=[{"Key": "k", "Value": "v"}])
    (entry,) = everything(client)
    described = client.describe_secret(SecretId="a/name")
    described.pop("ResponseMetadata")
    assert entry.pop("SecretVersionsToStages") == described.pop("VersionIdsToStages") == {made["VersionId"]: ["AWSCURRENT"]}
    assert entry == described


def test_a_secret_without_a_value_has_no_versions_in_the_list(client):
    client.create_secret(Name="empty")
    assert set(everything(client)[0]) == {"ARN", "Name", "CreatedDate", "LastChangedDate"}


def test_secrets_marked_for_deletion_are_listed_only_when_asked_for(client):
    shelve(client, "kept", "marked")
    client.delete_secret(SecretId="marked")
    assert names(client) == ["kept"]
    both = {entry["Name"]: entry for entry in everything(client, IncludePlannedDeletion=True)}
    assert set(both) == {"kept", "marked"}
    assert "DeletedDate" in both["marked"] and "DeletedDate" not in both["kept"]
    client.restore_secret(SecretId="marked")
    assert set(names(client)) == {"kept", "marked"}


# ---------------------------------------------------------------- filters: name


def test_names_match_by_their_beginning_and_by_case(client):
    shelve(client, "prod/app", "prod/db", "Prod/app", "/leading", "app/prod")
    assert found(client, ("name", "prod")) == {"prod/app", "prod/db"}
    assert found(client, ("name", "Prod")) == {"Prod/app"}
    assert found(client, ("name", "/")) == {"/leading"}
    assert found(client, ("name", "prod/app")) == {"prod/app"}
    assert found(client, ("name", "app")) == {"app/prod"}
    assert found(client, ("name", "rod")) == set()
    assert found(client, ("name", "testing1 one")) == set()


def test_a_value_that_begins_with_an_exclamation_mark_selects_the_others(client):
    shelve(client, "/one", "/two", "three")
    assert found(client, ("name", "!/")) == {"three"}
    assert found(client, ("name", "!three")) == {"/one", "/two"}
    assert found(client, ("name", "!nothing")) == {"/one", "/two", "three"}


# ---------------------------------------------------------------- filters: description


def test_descriptions_match_by_the_beginnings_of_their_words(client):
    describe_each(client, "a secret", "an secret", "asecret", "thesecret")
    assert by_description(client, "a secret") == {"a secret", "an secret"}
    assert by_description(client, "a") == {"a secret", "an secret", "asecret"}
    assert by_description(client, "A SECRET") == {"a secret", "an secret"}
    assert by_description(client, "!a") == {"thesecret"}
    assert by_description(client, "!c") == {"a secret", "an secret", "asecret", "thesecret"}


def test_description_words_match_in_any_order(client):
    describe_each(client, "one", "two", "one two", "one and two", "three")
    assert by_description(client, "one two") == {"one two", "one and two"}
    assert by_description(client, "two one") == {"one two", "one and two"}
    assert by_description(client, "o t") == {"one two", "one and two"}
    assert by_description(client, "t") == {"two", "one two", "one and two", "three"}
    assert by_description(client, "wo") == set()


def test_a_secret_without_a_description_matches_no_description(client):
    client.create_secret(Name="bare")
    assert found(client, ("description", "a")) == set()


# ---------------------------------------------------------------- filters: tags


def test_tag_keys_and_values_match_by_their_beginning_and_by_case(client):
    for name, key, value in [("a", "team", "blue"), ("b", "Team", "Blue"), ("c", "steam", "sky blue")]:
        client.create_secret(Name=name, Tags=[{"Key": key, "Value": value}])
    client.create_secret(Name="d")
    assert found(client, ("tag-key", "team")) == {"a"}
    assert found(client, ("tag-key", "te")) == {"a"}
    assert found(client, ("tag-key", "T")) == {"b"}
    assert found(client, ("tag-value", "blue")) == {"a"}
    assert found(client, ("tag-value", "B")) == {"b"}
    assert found(client, ("tag-value", "sky")) == {"c"}
    assert found(client, ("tag-key", "!team")) == {"b", "c", "d"}
    assert found(client, ("tag-key", "team"), ("tag-value", "Blue")) == set()


def test_any_tag_of_several_may_match(client):
    client.create_secret(Name="a", Tags=[{"Key": "first", "Value": "1"}, {"Key": "second", "Value": "2"}])
    assert found(client, ("tag-key", "second")) == {"a"}
    assert found(client, ("tag-value", "2")) == {"a"}
    client.untag_resource(SecretId="a", TagKeys=["second"])
    assert found(client, ("tag-key", "second")) == set()


# ---------------------------------------------------------------- filters: regions and owners


def test_no_secret_here_has_a_primary_region_or_an_owning_service(client):
    shelve(client, "plain")
    assert found(client, ("primary-region", "us")) == set()
    assert found(client, ("owning-service", "rds")) == set()


# ---------------------------------------------------------------- filters: all


def test_all_looks_at_name_description_tag_keys_and_tag_values(client):
    client.create_secret(Name="zebra")
    client.create_secret(Name="n1", Description="a Zebra crossing")
    client.create_secret(Name="n2", Tags=[{"Key": "zebra", "Value": "1"}])
    client.create_secret(Name="n3", Tags=[{"Key": "1", "Value": "zebra"}])
    client.create_secret(Name="n4", Description="horse")
    assert found(client, ("all", "zebra")) == {"zebra", "n1", "n2", "n3"}
    assert found(client, ("all", "ZEB")) == {"zebra", "n1", "n2", "n3"}
    assert found(client, ("all", "bra")) == set()


def test_all_words_must_match_within_one_attribute(client):
    client.create_secret(Name="both", Description="red apple")
    client.create_secret(Name="apart", Description="red", Tags=[{"Key": "apple", "Value": "1"}])
    assert found(client, ("all", "red apple")) == {"both"}
    assert found(client, ("all", "apple red")) == {"both"}


@pytest.mark.parametrize(
    "name, matching, others",
    [
        ("SecretOne", ["Secret", "One", "sec", "o", "SecretOne"], ["ret", "ne", "cretone"]),
        ("COMPANYthings", ["COMPAN", "Ythings", "y"], ["pany", "things"]),
        ("COMPANY", ["COMPANY", "comp"], ["PANY", "y"]),
        ("one-two", ["one", "two", "t"], ["wo"]),
        ("one/two", ["one", "two"], ["ne"]),
        ("one_two", ["two"], ["wo"]),
        ("one+two", ["two"], ["wo"]),
        ("one=two", ["two"], ["wo"]),
        ("one.two", ["two"], ["wo"]),
        ("one@two", ["two"], ["wo"]),
        ("prod-AppBeta/x", ["prod"], ["AppBeta", "x"]),
    ],
)
def test_words_of_a_name(client, name, matching, others):
    client.create_secret(Name=name)
    for value in matching:
        assert found(client, ("all", value)) == {name}, value
    for value in others:
        assert found(client, ("all", value)) == set(), value


@pytest.mark.parametrize("character", list("/-_+=.@"))
def test_a_word_separator_alone_matches_nothing(client, character):
    client.create_secret(Name=f"one{character}two", Description=f"three{character}four")
    assert found(client, ("all", character)) == set()


# ---------------------------------------------------------------- several filters


def test_values_of_one_filter_are_alternatives(client):
    shelve(client, "one", "two", "three")
    assert found(client, ("name", "one", "two")) == {"one", "two"}
    assert found(client, ("name", "one", "!two")) == {"one", "three"}


def test_all_filters_must_match(client):
    client.create_secret(Name="foo", Description="bar")
    client.create_secret(Name="foot", Description="ball")
    client.create_secret(Name="goal", Description="bar")
    assert found(client, ("name", "foo"), ("description", "bar")) == {"foo"}
    assert found(client, ("name", "foo"), ("name", "foot")) == {"foot"}
    assert found(client, ("name", "foo"), ("name", "goal")) == set()
    assert found(client, ("name", "foo"), ("name", "!foot")) == {"foo"}


def test_filters_and_planned_deletion(client):
    shelve(client, "foo1", "foo2")
    client.delete_secret(SecretId="foo2")
    assert found(client, ("name", "foo")) == {"foo1"}
    assert found(client, ("name", "foo"), IncludePlannedDeletion=True) == {"foo1", "foo2"}


# ---------------------------------------------------------------- sorting


def test_without_sorting_secrets_come_in_the_order_of_their_making(client):
    made = ["m", "a", "z", "B", "0"]
    shelve(client, *made)
    assert names(client) == made
    assert names(client, SortBy="created-date", SortOrder="asc") == made
    assert names(client, SortOrder="desc") == made[::-1]
    assert names(client, SortBy="created-date", SortOrder="desc", MaxResults=2) == made[::-1]


def test_sorting_by_name(client):
    made = ["m", "a/b", "a", "z", "a-b"]
    shelve(client, *made)
    ascending = names(client, SortBy="name", SortOrder="asc")
    assert ascending == sorted(made)
    assert names(client, SortBy="name", SortOrder="desc") == ascending[::-1]
    assert names(client, SortBy="name", SortOrder="desc", MaxResults=2) == ascending[::-1]


def test_sorting_by_the_last_change(client):
    shelve(client, "a", "b", "c")
    client.update_secret(SecretId="a", Description="changed")
    client.put_secret_value(SecretId="b", SecretString=new_value())
    assert names(client, SortBy="last-changed-date", SortOrder="asc") == ["c", "a", "b"]
    assert names(client, SortBy="last-changed-date", SortOrder="desc") == ["b", "a", "c"]


def test_sorting_by_the_last_access_lists_every_secret_once(client):
    shelve(client, "a", "b", "c")
    client.get_secret_value(SecretId="b")

    def listed(order):
        return names(client, SortBy="last-accessed-date", SortOrder=order, MaxResults=1)

    # Lists may lag behind an access by the second or two in which dates are gathered.
    wait_for(lambda: listed("desc")[1] != "b", 15, "the one with a date to come before or after those without")
    for order in ("asc", "desc"):
        assert sorted(listed(order)) == ["a", "b", "c"]
        assert listed(order)[1] != "b"


# ---------------------------------------------------------------- paging


@pytest.mark.parametrize("sort_by", ["name", "created-date", "last-changed-date", "last-accessed-date"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_every_secret_once_in_order(client, sort_by, order):
    made = [f"{letter}{number}" for number in range(4) for letter in "qaz"]
    shelve(client, *made)
    whole = names(client, SortBy=sort_by, SortOrder=order)
    pages, token = [], {}
    while True:
        page = client.list_secrets(SortBy=sort_by, SortOrder=order, MaxResults=5, **token)
        assert len(page["SecretList"]) <= 5
        pages += [entry["Name"] for entry in page["SecretList"]]
        if "NextToken" not in page:
            break
        assert 1 <= len(page["NextToken"]) <= 4096
        token = {"NextToken": page["NextToken"]}
        assert len(pages) <= len(made)
    assert pages == whole
    assert sorted(pages) == sorted(made)


def test_a_full_page_without_more_has_no_token(client):
    shelve(client, "a", "b", "c")
    assert "NextToken" not in client.list_secrets(MaxResults=3)
    assert "NextToken" in client.list_secrets(MaxResults=2)


def test_paging_with_a_filter_finds_them_all(client):
    shelve(client, *(f"{kind}/{number}" for number in range(10) for kind in ("yes", "no")))
    assert found(client, ("name", "yes"), MaxResults=3) == {f"yes/{number}" for number in range(10)}


def test_a_secret_removed_between_pages_does_no_harm(client):
    shelve(client, *"abcdef")
    first = client.list_secrets(SortBy="name", SortOrder="asc", MaxResults=2)
    client.delete_secret(SecretId="b", ForceDeleteWithoutRecovery=True)
    client.delete_secret(SecretId="d", ForceDeleteWithoutRecovery=True)
    second = client.list_secrets(SortBy="name", SortOrder="asc", MaxResults=10, NextToken=first["NextToken"])
    assert [entry["Name"] for entry in second["SecretList"]] == ["c", "e", "f"]


def test_the_default_page_is_at_most_a_hundred(client, shelf):
    for number in range(101):
        shelf.call("CreateSecret", {"Name": f"n{number:03}", "ClientRequestToken": f"{number:032}"})
    page = client.list_secrets()
    assert len(page["SecretList"]) <= 100 and "NextToken" in page
    assert len(names(client)) == 101


@pytest.mark.parametrize("token", ["x", "bm90IG91cnM=", "\0", "🔑", "A" * 4096])
def test_a_foreign_token_is_refused(client, token):
    with refusal("InvalidNextTokenException"):
        client.list_secrets(NextToken=token)


def test_an_edited_token_is_refused(client):
    shelve(client, "a", "b", "c")
    token = client.list_secrets(MaxResults=1)["NextToken"]
    for position in (0, len(token) // 2, len(token) - 2):
        other = "A" if token[position] != "A" else "B"
        with refusal("InvalidNextTokenException"):
            client.list_secrets(MaxResults=1, NextToken=token[:position] + other + token[position + 1 :])


# ---------------------------------------------------------------- refusals


@pytest.fixture
def unchecked(shelf):
    return shelf.client(check_parameters=False)


def test_filter_refusals(unchecked, shelf):
    with refusal("InvalidParameterException", "Invalid filter key"):
        unchecked.list_secrets(Filters=[{"Values": ["x"]}])
    with refusal("InvalidParameterException", "Invalid filter values for key: name"):
        unchecked.list_secrets(Filters=[{"Key": "name"}])
    with refusal(
        "ValidationException",
        containing=[
            violation("Member must satisfy enum value set: [", value="invalid", at="filters.1.member.key"),
            "all", "name", "description", "tag-key", "tag-value", "primary-region", "owning-service",
        ],
    ):
        unchecked.list_secrets(Filters=[{"Key": "invalid", "Values": ["x"]}])
    with refusal("ValidationException", containing=["'filters.2.member.key'"]):
        unchecked.list_secrets(Filters=[{"Key": "name", "Values": ["x"]}, {"Key": "Name", "Values": ["x"]}])


@pytest.mark.parametrize(
    "filters, path",
    [
        ([{"Key": "name", "Values": ["x"]}] * 11, "'filters'"),
        ([{"Key": "name", "Values": ["x"] * 11}], "'filters.1.member.values'"),
        ([{"Key": "name", "Values": ["x" * 513]}], "'filters.1.member.values"),
        ([{"Key": "name", "Values": ["aster*isk"]}], "'filters.1.member.values"),
    ],
    ids=["11 filters", "11 values", "513 characters", "a character that no value may have"],
)
def test_filter_limits(unchecked, filters, path):
    with refusal("ValidationException", containing=[path]):
        unchecked.list_secrets(Filters=filters)


def test_page_and_sorting_refusals(unchecked):
    with refusal("ValidationException", violation(too_small(1), value="0", at="maxResults")):
        unchecked.list_secrets(MaxResults=0)
    with refusal("ValidationException", violation(too_large(100), value="101", at="maxResults")):
        unchecked.list_secrets(MaxResults=101)
    with refusal("ValidationException", containing=["Value 'size' at 'sortBy'", "Member must satisfy enum value set: ["]):
        unchecked.list_secrets(SortBy="size")
    with refusal("ValidationException", containing=["Value 'up' at 'sortOrder'", "Member must satisfy enum value set: ["]):
        unchecked.list_secrets(SortOrder="up")
    with refusal("ValidationException", containing=["'nextToken'"]):
        unchecked.list_secrets(NextToken="t" * 4097)


def test_several_violations_are_told_together(shelf):
    answer = shelf.call("ListSecrets", {"MaxResults": 0, "SortOrder": "up"})
    assert_refused(answer, "ValidationException", matching=r"2 validation errors detected: Value .*; Value .*")
