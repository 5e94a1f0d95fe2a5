"""GetRandomPassword (behaviour 3.17)."""
from __future__ import annotations

import string
from collections import Counter

import pytest

from support.refusals import assert_refused, refusal, too_large, too_long, too_small, violation

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
CLASSES = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": PUNCTUATION,
}
ALL = "".join(CLASSES.values())


def password(client, **options):
    return client.get_random_password(**options)["RandomPassword"]


def test_by_default_32_characters_with_one_of_each_class(sm):
    seen = set()
    for _ in range(50):
        made = password(sm)
        assert len(made) == 32
        assert set(made) <= set(ALL)
        assert all(set(made) & set(letters) for letters in CLASSES.values())
        seen.add(made)
    assert len(seen) == 50


@pytest.mark.parametrize("length", [4, 5, 120, 4096])
def test_any_length(sm, length):
    assert len(password(sm, PasswordLength=length)) == length


def test_length_one_without_required_classes(sm):
    assert len(password(sm, PasswordLength=1, RequireEachIncludedType=False)) == 1


@pytest.mark.parametrize("option", list(CLASSES))
def test_a_class_can_be_left_out(sm, option):
    made = password(sm, PasswordLength=1000, **{option: True})
    assert not set(made) & set(CLASSES[option])
    for other, letters in CLASSES.items():
        assert other == option or set(made) & set(letters)


def test_excluded_characters_never_appear_and_the_length_stays(sm):
    excluded = "abcABC012!\"'\\@/ 🔑é"
    for _ in range(20):
        made = password(sm, PasswordLength=120, ExcludeCharacters=excluded)
        assert len(made) == 120
        assert not set(made) & set(excluded)


def test_a_space_only_when_asked_for_and_never_required(sm):
    assert " " not in password(sm, PasswordLength=4096)
    assert " " in password(sm, PasswordLength=4096, IncludeSpace=True)
    assert " " not in password(sm, PasswordLength=4096, IncludeSpace=True, ExcludeCharacters=" ")
    # Four classes are required, and four characters are enough: the space is no fifth.
    made = password(sm, PasswordLength=4, IncludeSpace=True)
    assert all(set(made) & set(letters) for letters in CLASSES.values())


def test_every_character_is_used_about_equally(sm):
    """94 characters, 100 passwords of 4096: each about 4357 times; 6 standard deviations are about 400."""
    counts = Counter("".join(password(sm, PasswordLength=4096) for _ in range(100)))
    assert set(counts) == set(ALL)
    expected = 4096 * 100 / len(ALL)
    assert all(abs(count - expected) < 0.12 * expected for count in counts.values()), counts


def test_required_characters_are_not_always_at_the_same_place(sm):
    firsts = set()
    for _ in range(200):
        made = password(sm, PasswordLength=4)
        firsts.add(next(name for name, letters in CLASSES.items() if made[0] in letters))
    assert firsts == set(CLASSES)


def test_nothing_left_to_choose_from(sm):
    with refusal("InvalidParameterException", containing=["All characters have been excluded from selection"]):
        password(sm, ExcludeCharacters=ALL, RequireEachIncludedType=False)
    with refusal("InvalidParameterException"):
        password(sm, ExcludeLowercase=True, ExcludeUppercase=True, ExcludeNumbers=True, ExcludePunctuation=True)


def test_only_a_space_is_left(sm):
    made = password(
        sm, ExcludeLowercase=True, ExcludeUppercase=True, ExcludeNumbers=True, ExcludePunctuation=True, IncludeSpace=True, PasswordLength=5
    )
    assert made == "     "


def test_a_required_class_without_characters(sm):
    with refusal("InvalidParameterException", containing=["All characters of the desired type have been excluded"]):
        password(sm, ExcludeCharacters=string.digits)
    assert not set(password(sm, ExcludeCharacters=string.digits, RequireEachIncludedType=False)) & set(string.digits)


def test_too_short_for_the_required_classes(sm):
    with refusal("InvalidParameterException", containing=["Password length is too short based on the required types"]):
        password(sm, PasswordLength=3)
    assert len(password(sm, PasswordLength=3, ExcludeNumbers=True)) == 3


def test_limits(raw, node):
    with refusal("ValidationException", violation(too_large(4096), value="5555", at="passwordLength")):
        password(raw, PasswordLength=5555)
    with refusal("ValidationException", violation(too_small(1), value="0", at="passwordLength")):
        password(raw, PasswordLength=0)
    with refusal("ValidationException", containing=["'excludeCharacters'", too_long(4096)]):
        password(raw, ExcludeCharacters="x" * 4097)
    assert_refused(node.call("GetRandomPassword", {"PasswordLength": -(2**63)}), "ValidationException")
