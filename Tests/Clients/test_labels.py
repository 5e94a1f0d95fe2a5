"""Staging labels: every transition of behaviour 2.7, and UpdateSecretVersionStage (3.9)."""
from __future__ import annotations

import pytest

from support.node import new_name, new_token, new_value
from support.refusals import MARKED_FOR_DELETION, NOT_FOUND, refusal, too_long, too_short, violation
from support.stages import labels, versions

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
UNKNOWN_VERSION = "11111111-2222-3333-4444-555555555555"


class Labelled:
    """One secret whose versions are called v1, v2, ... in the order of their making."""

    def __init__(self, client, *, empty=False):
        self.client = client
        self.name = new_name()
        self.ids = []
        if empty:
            client.create_secret(Name=self.name)
        else:
            self.ids.append(client.create_secret(Name=self.name, SecretString=new_value())["VersionId"])

    def put(self, *stages):
        options = {"VersionStages": list(stages)} if stages else {}
        answer = self.client.put_secret_value(SecretId=self.name, SecretString=new_value(), **options)
        self.ids.append(answer["VersionId"])
        assert set(answer["VersionStages"]) == self.stages().get(f"v{len(self.ids)}", set())
        return answer

    def update(self):
        self.ids.append(self.client.update_secret(SecretId=self.name, SecretString=new_value())["VersionId"])

    def move(self, label, *, to=None, off=None):
        options = {}
        if to:
            options["MoveToVersionId"] = self.id(to)
        if off:
            options["RemoveFromVersionId"] = self.id(off)
        return self.client.update_secret_version_stage(SecretId=self.name, VersionStage=label, **options)

    def id(self, version):
        return self.ids[int(version[1:]) - 1] if version.startswith("v") else version

    def stages(self):
        return {f"v{self.ids.index(version) + 1}": names for version, names in labels(self.client, self.name).items()}


@pytest.fixture
def made(sm):
    return Labelled(sm)


def test_1_a_first_value_is_current(made):
    assert made.stages() == {"v1": {CURRENT}}


def test_2_a_value_put_into_an_empty_secret_is_current(sm):
    made = Labelled(sm, empty=True)
    made.put()
    assert made.stages() == {"v1": {CURRENT}}


def test_2_the_first_value_is_current_even_when_other_labels_were_asked_for(sm):
    made = Labelled(sm, empty=True)
    made.put(PENDING, "MINE")
    assert made.stages() == {"v1": {CURRENT, PENDING, "MINE"}}


@pytest.mark.parametrize("way", ["put", "update"])
def test_3_a_new_value_pushes_current_to_previous_and_previous_off(made, way):
    getattr(made, way)()
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}}
    getattr(made, way)()
    assert made.stages() == {"v2": {PREVIOUS}, "v3": {CURRENT}}
    assert "VersionStages" not in versions(made.client, made.name, IncludeDeprecated=True)[made.id("v1")]


def test_4_custom_labels_without_current_leave_current_alone(made):
    made.put()
    made.put("X", "Y")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}, "v3": {"X", "Y"}}
    made.put("Y", "Z")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}, "v3": {"X"}, "v4": {"Y", "Z"}}
    made.put("X")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}, "v4": {"Y", "Z"}, "v5": {"X"}}
    assert made.id("v3") not in versions(made.client, made.name)
    assert made.id("v3") in versions(made.client, made.name, IncludeDeprecated=True)


def test_5_current_with_a_custom_label(made):
    made.put(CURRENT, "PUT0")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT, "PUT0"}}


def test_6_pending_moves_to_the_newest_value_that_asks_for_it(made):
    made.put(CURRENT, PENDING)
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT, PENDING}}
    made.put(PENDING)
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}, "v3": {PENDING}}
    made.put(PENDING, "MINE")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}, "v4": {PENDING, "MINE"}}


def test_6_a_pending_value_can_be_read_before_it_is_current(made):
    made.put(PENDING)
    pending = made.client.get_secret_value(SecretId=made.name, VersionStage=PENDING)
    assert pending["VersionId"] == made.id("v2")
    assert made.client.get_secret_value(SecretId=made.name)["VersionId"] == made.id("v1")


def test_7_moving_current_keeps_the_targets_labels_and_makes_the_old_one_previous(made):
    made.put(PENDING, "PUT1")
    answer = made.move(CURRENT, to="v2", off="v1")
    assert set(answer) - {"ResponseMetadata"} == {"ARN", "Name"}
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT, PENDING, "PUT1"}}
    assert made.client.get_secret_value(SecretId=made.name)["VersionId"] == made.id("v2")


def test_7_the_former_previous_loses_it_but_keeps_custom_labels(made):
    made.put(CURRENT, "PUT0")
    made.put("PUT1")
    made.move(CURRENT, to="v3", off="v2")
    assert made.stages() == {"v2": {PREVIOUS, "PUT0"}, "v3": {CURRENT, "PUT1"}}
    made.put("PUT2")
    made.move(CURRENT, to="v4", off="v3")
    assert made.stages() == {"v2": {"PUT0"}, "v3": {PREVIOUS, "PUT1"}, "v4": {CURRENT, "PUT2"}}


def test_7_rolling_back_swaps_current_and_previous(made):
    made.put()
    made.move(CURRENT, to="v1", off="v2")
    assert made.stages() == {"v1": {CURRENT}, "v2": {PREVIOUS}}
    made.move(CURRENT, to="v2", off="v1")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}}


def test_7_current_can_move_to_a_version_that_had_no_label(made):
    made.put()
    made.put()
    made.move(CURRENT, to="v1", off="v3")
    assert made.stages() == {"v1": {CURRENT}, "v3": {PREVIOUS}}


def test_8_a_new_current_value_drops_pending_from_the_old_current_version(made):
    made.put(CURRENT, PENDING)
    made.put()
    assert made.stages() == {"v2": {PREVIOUS}, "v3": {CURRENT}}


def test_8_a_new_current_value_drops_pending_from_another_version_too(made):
    made.put(PENDING)
    made.put()
    assert made.stages() == {"v1": {PREVIOUS}, "v3": {CURRENT}}


def test_9_custom_labels_never_move_by_themselves(made):
    made.put(CURRENT, "AWSSOMETHING", "PUT1")
    made.put()
    assert made.stages() == {"v2": {PREVIOUS, "AWSSOMETHING", "PUT1"}, "v3": {CURRENT}}


def test_10_a_custom_label_can_be_taken_off(made):
    made.put("MINE", "YOURS")
    made.move("MINE", off="v2")
    assert made.stages() == {"v1": {CURRENT}, "v2": {"YOURS"}}
    made.move("YOURS", off="v2")
    assert made.stages() == {"v1": {CURRENT}}


def test_there_is_always_exactly_one_current_version(made):
    """A walk through many moves; `labels` itself fails when a label sits on two versions."""
    moves = [
        lambda: made.put(PENDING), lambda: made.move(CURRENT, to="v2", off="v1"), lambda: made.put("A"), lambda: made.update(),
        lambda: made.move(CURRENT, to="v3", off="v4"), lambda: made.put(CURRENT, "A"), lambda: made.move("A", to="v1", off="v5"),
        lambda: made.put(), lambda: made.move(CURRENT, to="v1", off="v6"),
    ]
    for move in moves:
        move()
        assert sum(CURRENT in names for names in made.stages().values()) == 1


# ---------------------------------------------------------------- UpdateSecretVersionStage


def test_a_free_label_is_attached(made):
    made.put()
    made.move("FRESH", to="v1")
    assert made.stages() == {"v1": {PREVIOUS, "FRESH"}, "v2": {CURRENT}}


def test_a_label_moves_when_its_holder_is_named(made):
    made.put("MINE")
    made.move("MINE", to="v1", off="v2")
    assert made.stages() == {"v1": {CURRENT, "MINE"}}


@pytest.mark.parametrize("label, holder, target", [(CURRENT, "v1", "v2"), ("MINE", "v2", "v1"), (PENDING, "v2", "v1")])
def test_a_label_that_sits_elsewhere_needs_its_holder_named(made, label, holder, target):
    made.put("MINE", PENDING)
    with refusal(
        "InvalidParameterException",
        f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version {made.id(holder)}, "
        "so you must explicitly reference that version in RemoveFromVersionId.",
    ):
        made.move(label, to=target)
    assert made.stages() == {"v1": {CURRENT}, "v2": {"MINE", PENDING}}


def test_the_wrong_holder_is_refused(made):
    made.put("MINE")
    made.put("OTHER")
    with refusal("InvalidParameterException"):
        made.move("MINE", to="v1", off="v3")
    with refusal("InvalidParameterException"):
        made.move(CURRENT, to="v3", off="v2")
    assert made.stages() == {"v1": {CURRENT}, "v2": {"MINE"}, "v3": {"OTHER"}}


def test_current_cannot_be_taken_off(made):
    with refusal(
        "InvalidParameterException",
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    ):
        made.move(CURRENT, off="v1")
    assert made.stages() == {"v1": {CURRENT}}


def test_an_unknown_version_is_refused(made):
    with refusal(("ResourceNotFoundException", "InvalidParameterException")):
        made.move("MINE", to=UNKNOWN_VERSION)
    with refusal(("ResourceNotFoundException", "InvalidParameterException")):
        made.move(CURRENT, to=UNKNOWN_VERSION, off="v1")
    assert made.stages() == {"v1": {CURRENT}}


def test_a_label_that_is_already_there_stays(made):
    made.put("MINE")
    made.move("MINE", to="v2")
    assert made.stages() == {"v1": {CURRENT}, "v2": {"MINE"}}


def test_a_version_left_without_labels_can_be_labelled_again(made):
    made.put("MINE")
    made.move("MINE", off="v2")
    made.move("AGAIN", to="v2")
    assert made.stages() == {"v1": {CURRENT}, "v2": {"AGAIN"}}


def test_no_more_than_twenty_labels_on_a_secret(made):
    for number in range(19):  # and AWSCURRENT
        made.move(f"L{number:02}", to="v1")
    with refusal("LimitExceededException"):
        made.move("ONE_MORE", to="v1")
    with refusal("LimitExceededException"):
        made.client.put_secret_value(SecretId=made.name, SecretString=new_value(), VersionStages=["ONE_MORE"])
    assert len(made.stages()["v1"]) == 20


def test_stage_refusals(sm, raw, made):
    with refusal("ResourceNotFoundException", NOT_FOUND):
        sm.update_secret_version_stage(SecretId=new_name(), VersionStage="X", MoveToVersionId=new_token())
    with refusal("ValidationException", containing=["'versionStage'", too_long(256)]):
        raw.update_secret_version_stage(SecretId=made.name, VersionStage="s" * 257, MoveToVersionId=made.id("v1"))
    with refusal("ValidationException", violation(too_short(32), value="v", at="moveToVersionId")):
        raw.update_secret_version_stage(SecretId=made.name, VersionStage="X", MoveToVersionId="v")
    with refusal("ValidationException", violation(too_long(64), value="v" * 65, at="removeFromVersionId")):
        raw.update_secret_version_stage(SecretId=made.name, VersionStage="X", RemoveFromVersionId="v" * 65)
    sm.delete_secret(SecretId=made.name)
    with refusal("InvalidRequestException", MARKED_FOR_DELETION):
        made.move("X", to="v1")


def test_the_dance_of_a_rotation_function(made):
    """What AWS's rotation templates do: pending value, test, then current moves over."""
    token = new_token()
    made.client.put_secret_value(SecretId=made.name, ClientRequestToken=token, SecretString=new_value(), VersionStages=[PENDING])
    made.ids.append(token)
    assert made.client.get_secret_value(SecretId=made.name, VersionId=token, VersionStage=PENDING)["VersionId"] == token
    made.move(CURRENT, to="v2", off="v1")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT, PENDING}}
    made.move(PENDING, off="v2")
    assert made.stages() == {"v1": {PREVIOUS}, "v2": {CURRENT}}
