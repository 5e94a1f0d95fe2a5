"""What an error must look like to an AWS client."""
from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Iterator, Optional, Sequence, Union

import pytest
from botocore.exceptions import ClientError

from support.wire import Answer

NOT_FOUND = "Secrets Manager can't find the specified secret."
MARKED_FOR_DELETION = "You can't perform this operation on the secret because it was marked for deletion."
INVALID_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
)
NO_TOKEN = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
BOTH_VALUES = "You can't specify both a binary secret value and a string secret value in the same secret."

Codes = Union[str, Sequence[str]]


def _is_one_of(code: str, codes: Codes) -> bool:
    return code == codes if isinstance(codes, str) else code in codes


@contextmanager
def refusal(codes: Codes, text: Optional[str] = None, *, containing: Sequence[str] = (), status: int = 400) -> Iterator:
    """A boto3 call in here is refused with this code (or one of these) and this text."""
    with pytest.raises(ClientError) as caught:
        yield caught
    response = caught.value.response
    error = response["Error"]
    assert _is_one_of(error["Code"], codes), error
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status, response
    assert response["ResponseMetadata"].get("RequestId"), "an error without a request id"
    if text is not None:
        assert error["Message"] == text
    for part in containing:
        assert part in error["Message"], error
    # For every error but the bare ones there is a text, in both spellings (clients.md, section 0).
    if error["Message"]:
        assert response.get("Message", error["Message"]) == error["Message"]


def assert_refused(
    answer: Answer, codes: Codes, text: Optional[str] = None, *, matching: Optional[str] = None, status: int = 400
) -> None:
    """The same for an answer that was read by hand."""
    assert answer.status == status, (answer.status, answer.body[:500])
    assert _is_one_of(answer.code, codes), answer.body[:500]
    if text is not None:
        assert answer.message == text
    if matching is not None:
        assert re.fullmatch(matching, answer.message, re.DOTALL), answer.message


def violation(constraint: str, *, value: Optional[str] = None, at: str) -> str:
    """The text of one violated constraint; without `value` for a member whose value is hidden."""
    shown = "Value" if value is None else f"Value '{value}'"
    return f"1 validation error detected: {shown} at '{at}' failed to satisfy constraint: {constraint}"


def too_long(limit: int) -> str:
    return f"Member must have length less than or equal to {limit}"


def too_short(limit: int) -> str:
    return f"Member must have length greater than or equal to {limit}"


def too_large(limit: int) -> str:
    return f"Member must have value less than or equal to {limit}"


def too_small(limit: int) -> str:
    return f"Member must have value greater than or equal to {limit}"
