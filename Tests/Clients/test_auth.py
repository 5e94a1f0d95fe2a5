"""Who may ask: Signature Version 4 (sigv4.md 4, 6.4; threats N21-N23, N27, N28, N30)."""
from __future__ import annotations

import hashlib
import re

import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from support.authentication import INCOMPLETE, INVALID_SIGNATURE, INVALID_TOKEN, MISMATCH, UNKNOWN_KEY, ask
from support.node import new_token, new_value, with_options
from support.refusals import assert_refused, refusal
from support.signing import JSON_1_1
from support.wire import Closed

# ---------------------------------------------------------------- the signer itself, and what is accepted


def test_our_signer_agrees_with_botocores(node):
    body = b'{"SecretId":"x"}'
    ours = node.sign("GetSecretValue", body)
    theirs = AWSRequest(
        method="POST", url=node.endpoint + "/", data=body,
        headers={"Content-Type": JSON_1_1, "X-Amz-Target": "secretsmanager.GetSecretValue"},
    )
    credentials = Credentials(node.access_key_id, node.secret_access_key)
    for _ in range(3):  # both take the time themselves: once more when the second has changed
        SigV4Auth(credentials, "secretsmanager", node.region).add_auth(theirs)
        ours = node.sign("GetSecretValue", body)
        if ours.header("X-Amz-Date") == theirs.headers["X-Amz-Date"]:
            break
        del theirs.headers["Authorization"]
    assert ours.header("Authorization") == theirs.headers["Authorization"]


def test_a_signed_request_is_accepted(node, read, value):
    answer = ask(node, read())
    assert (answer.status, answer.json["SecretString"]) == (200, value)


@pytest.mark.parametrize(
    "options",
    [
        {"signed": [("Content-Length-Not", "1"), ("Amz-Sdk-Invocation-Id", "x"), ("Amz-Sdk-Request", "attempt=1; max=3")]},
        {"signed": [("X-Amz-User-Agent", "aws-sdk-rust/1.0"), ("User-Agent", "x")]},
        {"signed": [("X-Odd", "  many   blanks\t inside  ")]},
        {"signed": [("x-lower", "1")]},
        {"unsigned": [("X-Amzn-Trace-Id", "Root=1-2-3"), ("User-Agent", "unsigned"), ("Accept-Encoding", "gzip")]},
        {"content_type": "application/x-amz-json-1.1;charset=utf-8"},
    ],
    ids=["Go SDK", "Rust SDK", "blanks", "lower case", "unsigned harmless headers", "charset"],
)
def test_other_header_sets_of_real_clients_are_accepted(node, read, options):
    assert ask(node, read(**options)).status == 200


def test_the_payload_hash_header_is_accepted_when_right(node, read):
    body_hash = hashlib.sha256(read().body).hexdigest()
    assert ask(node, read(signed=[("X-Amz-Content-Sha256", body_hash)])).status == 200


@pytest.mark.parametrize("separator", [", ", ",", " ", " , "])
def test_parts_of_the_header_may_be_separated_in_several_ways(node, read, separator):
    request = read()
    assert ask(node, request.with_header("Authorization", request.header("Authorization").replace(", ", separator))).status == 200


# ---------------------------------------------------------------- keys


def test_a_wrong_secret_key(node, read):
    answer = ask(node, read(by=with_options(node.signer, secret_access_key="w" * 40)))
    assert_refused(answer, INVALID_SIGNATURE, MISMATCH)
    assert answer.json["message"] == MISMATCH  # lower case: this is the front layer's


@pytest.mark.parametrize("key_id", ["AKIAAAAAAAAAAAAAAAAA", "x", "akiatestconclave2345", "AKIATESTCONCLAVE2344", "AKIA" + "Z" * 124])
def test_an_unknown_access_key(node, read, key_id):
    answer = ask(node, read(by=with_options(node.signer, access_key_id=key_id)))
    assert_refused(answer, UNKNOWN_KEY, INVALID_TOKEN + ".")


def test_boto3_with_wrong_keys(node, secret):
    with refusal(INVALID_SIGNATURE, MISMATCH):
        node.client(aws_secret_access_key="w" * 40).get_secret_value(SecretId=secret["Name"])
    with refusal(UNKNOWN_KEY, INVALID_TOKEN + "."):
        node.client(aws_access_key_id="AKIAAAAAAAAAAAAAAAAA").get_secret_value(SecretId=secret["Name"])


def test_a_session_token_for_a_long_term_key_is_refused(node, read):
    answer = ask(node, read(signed=[("X-Amz-Security-Token", "IQoJb3JpZ2luX2Vj" * 10)]))
    assert_refused(answer, UNKNOWN_KEY)
    assert answer.message.rstrip(".") == INVALID_TOKEN


def test_a_temporary_key_without_a_token_is_refused(node, read):
    answer = ask(node, read(by=with_options(node.signer, access_key_id="ASIATESTCONCLAVE2345")))
    assert_refused(answer, UNKNOWN_KEY)


# ---------------------------------------------------------------- no or broken credentials


def test_an_unsigned_request(node, read):
    answer = ask(node, read().without("Authorization"))
    assert_refused(answer, "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_boto3_unsigned(node, secret):
    client = node.client(config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    with refusal("MissingAuthenticationTokenException", "Missing Authentication Token"):
        client.get_secret_value(SecretId=secret["Name"])


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "Bearer abc", "AWS AKID:c2lnbmF0dXJl", "", "x", "Negotiate"])
def test_other_schemes(node, read, scheme):
    answer = ask(node, read().with_header("Authorization", scheme))
    assert_refused(answer, (INCOMPLETE, "MissingAuthenticationTokenException", INVALID_SIGNATURE))


@pytest.mark.parametrize(
    "algorithm", ["AWS4-HMAC-SHA1", "AWS4-HMAC-sha256", "aws4-hmac-sha256", "AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA512", "AWS4-NONE"]
)
def test_other_algorithms(node, read, algorithm):
    answer = ask(node, read(by=with_options(node.signer, algorithm=algorithm)))
    assert_refused(answer, INCOMPLETE, f"Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")


PART = {"Credential": r"Credential=[^ ]*, ", "SignedHeaders": r"SignedHeaders=[^ ]*, ", "Signature": r", Signature=.*"}


@pytest.mark.parametrize("missing", [["Credential"], ["Signature"], ["SignedHeaders"], ["Credential", "Signature", "SignedHeaders"]], ids="+".join)
def test_missing_parts_are_named(node, read, missing):
    request = read()
    header = request.header("Authorization")
    if len(missing) == 3:
        header = "AWS4-HMAC-SHA256"
    else:
        header = re.sub(PART[missing[0]], "", header)
    answer = ask(node, request.with_header("Authorization", header))
    if len(missing) == 3:
        assert_refused(answer, (INCOMPLETE, "MissingAuthenticationTokenException"))
        return
    assert_refused(answer, INCOMPLETE)
    assert answer.message.startswith(f"Authorization header requires '{missing[0]}' parameter. ")
    assert "Authorization=" in answer.message


def test_a_missing_date_is_named(node, read):
    answer = ask(node, read().without("X-Amz-Date"))
    assert_refused(answer, INCOMPLETE)
    assert "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " in answer.message


def test_a_part_without_an_equal_sign(node, read):
    request = read()
    answer = ask(node, request.with_header("Authorization", request.header("Authorization") + ", lonely"))
    assert_refused(answer, INCOMPLETE)
    assert answer.message.startswith("'lonely' not a valid key=value pair (missing equal-sign) in Authorization header: '")


@pytest.mark.parametrize("change", [lambda text: text + ", Signature=" + "0" * 64, lambda text: text.replace(", SignedHeaders", ", Extra=1, SignedHeaders")])
def test_repeated_and_unknown_parts_are_refused(node, read, change):
    request = read()
    assert_refused(ask(node, request.with_header("Authorization", change(request.header("Authorization")))), (INCOMPLETE, INVALID_SIGNATURE))


# ---------------------------------------------------------------- signatures


def changed_signature(request, change):
    head, _, signature = request.header("Authorization").rpartition("=")
    return request.with_header("Authorization", f"{head}={change(signature)}")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), lambda text: ("0" if text[0] != "0" else "1") + text[1:],
        lambda text: text[:-1], lambda text: text + "0", lambda text: "", lambda text: "z" * 64, lambda text: "0" * 64,
        lambda text: "g" + text[1:], lambda text: text[::-1], lambda text: text[:32],
    ],
    ids=["last digit", "first digit", "63", "65", "empty", "no hex", "zeros", "one no hex", "reversed", "half"],
)
def test_other_signatures_are_refused(node, read, change):
    assert_refused(ask(node, changed_signature(read(), change)), (INVALID_SIGNATURE, INCOMPLETE))


def test_an_upper_case_signature_is_refused(node, read):
    request = read()
    while not re.search("[a-f]", request.header("Authorization").rpartition("=")[2]):
        request = read()
    assert_refused(ask(node, changed_signature(request, str.upper)), (INVALID_SIGNATURE, INCOMPLETE))


@pytest.mark.parametrize("length", [5_000, 1_000_000])
def test_a_huge_authorization_header_is_refused(node, read, length):
    with node.connect() as connection:
        try:
            answer = connection.exchange(changed_signature(read(), lambda text: "0" * length).render())
        except (Closed, OSError):
            assert length > 5_000, "a header of 5 kB deserves an answer"
            return
    assert answer.status in (400, 431)


def test_ten_thousand_signed_headers_are_refused(node, read):
    request = read()
    many = ";".join(f"h{number}" for number in range(10_000))
    header = re.sub(r"SignedHeaders=[^,]*", f"SignedHeaders={many}", request.header("Authorization"))
    with node.connect() as connection:
        try:
            answer = connection.exchange(request.with_header("Authorization", header).render())
        except (Closed, OSError):
            return
    assert answer.status in (400, 431)


# ---------------------------------------------------------------- what must be signed, and stay as it was


def test_a_changed_body(node, read):
    request = read()
    for position in (0, len(request.body) // 2, len(request.body) - 1):
        body = bytearray(request.body)
        body[position] ^= 1
        altered = request.with_header("Host", request.header("Host"))
        altered.body = bytes(body)
        answer = ask(node, altered)
        # The first and last byte make it no JSON object, which may be told to anybody.
        assert_refused(answer, (INVALID_SIGNATURE, "SerializationException"))


def test_another_body_of_the_same_length(node, secret):
    other = new_value()
    request = node.sign("PutSecretValue", {"SecretId": secret["Name"], "SecretString": other, "ClientRequestToken": new_token()})
    request.body = request.body.replace(other.encode(), new_value().encode())
    assert_refused(ask(node, request), INVALID_SIGNATURE, MISMATCH)


@pytest.mark.parametrize(
    "change",
    [
        lambda request: request.with_header("X-Amz-Target", "secretsmanager.DeleteSecret"),
        lambda request: request.with_header("Content-Type", "application/x-amz-json-1.1; charset=latin1"),
        lambda request: request.with_header("X-Mine", "other"),
        lambda request: request.without("X-Mine"),
        lambda request: request.with_added("X-Mine", "again"),
    ],
    ids=["operation", "content type", "value of a header", "a signed header removed", "a signed header twice"],
)
def test_changed_headers(node, read, change):
    answer = ask(node, change(read(signed=[("X-Mine", "mine")])))
    assert_refused(answer, INVALID_SIGNATURE)


@pytest.mark.parametrize("name", ["x-amz-target", "x-amz-date", "content-type"])
def test_headers_that_have_to_be_signed(node, read, name):
    assert_refused(ask(node, read(leave_unsigned=[name])), INVALID_SIGNATURE)


def test_the_host_has_to_be_signed(node, read):
    answer = ask(node, read(leave_unsigned=["host"]))
    assert_refused(answer, INVALID_SIGNATURE, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")


@pytest.mark.parametrize("more", [("X-Amz-Meta", "1"), ("X-Amz-Security-Token", "t" * 50), ("x-amz-anything-at-all", "1")])
def test_every_amz_header_has_to_be_signed(node, read, more):
    assert_refused(ask(node, read(unsigned=[more])), (INVALID_SIGNATURE, UNKNOWN_KEY))


@pytest.mark.parametrize(
    "change",
    [
        lambda names: ";".join(reversed(names.split(";"))), lambda names: names.upper(), lambda names: names + ";x-not-there",
        lambda names: names + ";" + names.split(";")[-1], lambda names: "", lambda names: ";" + names, lambda names: names + ";",
        lambda names: names.replace(";", ","),
    ],
    ids=["unsorted", "upper case", "a header that is not there", "one twice", "empty", "leading semicolon", "trailing semicolon", "commas"],
)
def test_other_lists_of_signed_headers(node, read, change):
    request = read()
    header = re.sub(r"SignedHeaders=([^,]*)", lambda match: "SignedHeaders=" + change(match.group(1)), request.header("Authorization"))
    assert_refused(ask(node, request.with_header("Authorization", header)), (INVALID_SIGNATURE, INCOMPLETE))


@pytest.mark.parametrize(
    "payload_hash",
    [
        "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", hashlib.sha256(b"other").hexdigest(),
        "", "x", "0" * 64,
    ],
)
def test_a_payload_hash_that_is_not_the_bodys(node, read, payload_hash):
    """The signature itself is right for what the header says."""
    answer = ask(node, read(signed=[("X-Amz-Content-Sha256", payload_hash)], payload_hash=payload_hash))
    assert_refused(answer, INVALID_SIGNATURE)


def test_a_payload_hash_in_upper_case_or_for_the_empty_body(node, read):
    body_hash = hashlib.sha256(b"").hexdigest()
    assert_refused(ask(node, read(signed=[("X-Amz-Content-Sha256", body_hash)], payload_hash=body_hash)), INVALID_SIGNATURE)
