"""The form of answers and errors, and requests that are well signed but wrong (behaviour 1.2-1.5, sigv4.md 4, threats N15, N20)."""
from __future__ import annotations

import email.utils
import json
import re
import time
import uuid

import pytest

from support.node import MARKER, new_name, new_token
from support.refusals import INVALID_NAME, NO_TOKEN, NOT_FOUND, assert_refused, violation

OPERATIONS_WITH_A_SECRET_ID = {
    "CancelRotateSecret": {}, "DeleteResourcePolicy": {}, "DeleteSecret": {}, "DescribeSecret": {}, "GetResourcePolicy": {},
    "GetSecretValue": {}, "ListResourcePolicies": {}, "ListSecretVersionIds": {}, "PutResourcePolicy": {"ResourcePolicy": "{}"},
    "PutSecretValue": {"SecretString": "x", "ClientRequestToken": "t" * 32}, "RestoreSecret": {},
    "RotateSecret": {"ClientRequestToken": "t" * 32}, "StopReplicationToReplica": {},
    "TagResource": {"Tags": [{"Key": "k", "Value": "v"}]}, "UntagResource": {"TagKeys": ["k"]},
    "UpdateSecret": {"ClientRequestToken": "t" * 32}, "UpdateSecretVersionStage": {"VersionStage": "X", "MoveToVersionId": "t" * 32},
}


# ---------------------------------------------------------------- form


def test_the_form_of_an_answer(node, secret):
    answer = node.call("DescribeSecret", {"SecretId": secret["Name"]})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert uuid.UUID(answer.headers["x-amzn-requestid"])
    assert int(answer.headers["content-length"]) == len(answer.body)
    served = email.utils.parsedate_to_datetime(answer.headers["date"])
    assert abs(served.timestamp() - time.time()) < 60


def test_request_ids_differ(node):
    ids = {node.call("GetRandomPassword", {}).headers["x-amzn-requestid"] for _ in range(20)}
    assert len(ids) == 20


def test_the_form_of_an_error(node):
    answer = node.call("DescribeSecret", {"SecretId": new_name()})
    assert_refused(answer, "ResourceNotFoundException", NOT_FOUND)
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert uuid.UUID(answer.headers["x-amzn-requestid"])
    assert "date" in answer.headers
    body = answer.json
    assert body["__type"] == "ResourceNotFoundException"
    assert body["Message"] == NOT_FOUND  # capital: Go v2 and the async Python SDK read nothing else
    assert set(body) <= {"__type", "Message", "message"}


def test_a_validation_error_can_be_read_by_every_sdk(node):
    body = node.call("DescribeSecret", {"SecretId": "in ner"}).json
    assert body["__type"] == "ValidationException"
    assert body.get("message", body.get("Message")) == INVALID_NAME


# ---------------------------------------------------------------- validation


@pytest.mark.parametrize("operation, others", OPERATIONS_WITH_A_SECRET_ID.items(), ids=lambda case: case if isinstance(case, str) else "")
def test_a_secret_id_is_required_and_checked_everywhere(node, operation, others):
    null = "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null"
    assert_refused(node.call(operation, others), "ValidationException", null)
    assert_refused(node.call(operation, {"SecretId": None, **others}), "ValidationException", null)
    assert_refused(node.call(operation, {"SecretId": "", **others}), "ValidationException")
    assert_refused(
        node.call(operation, {"SecretId": "s" * 2049, **others}), "ValidationException", matching=r".*'secretId'.*less than or equal to 2048"
    )
    assert_refused(node.call(operation, {"SecretId": "in ner", **others}), "ValidationException", INVALID_NAME)


@pytest.mark.parametrize("operation, others", OPERATIONS_WITH_A_SECRET_ID.items(), ids=lambda case: case if isinstance(case, str) else "")
def test_a_secret_that_is_not_there(node, operation, others):
    later = operation in ("CancelRotateSecret", "RotateSecret", "StopReplicationToReplica")
    if operation == "PutResourcePolicy":
        others = {"ResourcePolicy": '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}'}
    answer = node.call(operation, {"SecretId": new_name(), **others})
    if later and answer.code == "InvalidRequestException":
        return  # not served yet, and said so before looking
    assert_refused(answer, "ResourceNotFoundException", NOT_FOUND)


def test_order_of_checks(node):
    """Known from AWS: the token is missed, and a bad name is told, before the secret is looked up."""
    absent = new_name()
    assert_refused(node.call("PutSecretValue", {"SecretId": absent, "SecretString": "x"}), "InvalidRequestException", NO_TOKEN)
    assert_refused(node.call("UpdateSecret", {"SecretId": absent, "SecretString": "x"}), "InvalidRequestException", NO_TOKEN)
    assert_refused(node.call("RotateSecret", {"SecretId": absent}), "InvalidParameterException", NO_TOKEN)
    assert_refused(node.call("PutSecretValue", {"SecretId": "in ner", "SecretString": "x", "ClientRequestToken": "t" * 32}), "ValidationException", INVALID_NAME)


def test_values_of_sensitive_members_are_never_shown(node, name):
    for members in (
        {"SecretString": MARKER * 3000}, {"SecretString": [MARKER]}, {"SecretString": {"a": MARKER}}, {"SecretBinary": MARKER + "%%%"},
        {"SecretString": MARKER, "SecretBinary": "AAAA"}, {"SecretString": MARKER, "Description": "d" * 2049},
        {"SecretString": MARKER, "ClientRequestToken": "short"},
    ):
        for operation, who in (("CreateSecret", {"Name": name}), ("PutSecretValue", {"SecretId": name}), ("UpdateSecret", {"SecretId": name})):
            answer = node.call(operation, {"ClientRequestToken": new_token(), **who, **members})
            assert answer.status == 400
            assert MARKER.encode() not in answer.body
    answer = node.call("PutSecretValue", {"SecretId": name, "SecretString": "x", "ClientRequestToken": new_token(), "RotationToken": MARKER})
    assert answer.status == 400 and MARKER.encode() not in answer.body


# ---------------------------------------------------------------- type confusion (N20)

SERIALIZATION = "SerializationException"


@pytest.mark.parametrize(
    "operation, members",
    [
        ("GetSecretValue", {"SecretId": 5}), ("GetSecretValue", {"SecretId": 1.5}), ("GetSecretValue", {"SecretId": True}),
        ("GetSecretValue", {"SecretId": ["a"]}), ("GetSecretValue", {"SecretId": {"a": "b"}}),
        ("GetSecretValue", {"SecretId": "x", "VersionId": 7}),
        ("CreateSecret", {"Name": "x", "SecretString": 5}), ("CreateSecret", {"Name": "x", "SecretString": ["a"]}),
        ("CreateSecret", {"Name": "x", "SecretString": {"key": "value"}}), ("CreateSecret", {"Name": "x", "SecretBinary": 5}),
        ("CreateSecret", {"Name": "x", "SecretBinary": ["QUJD"]}), ("CreateSecret", {"Name": "x", "SecretBinary": "not base64!"}),
        ("CreateSecret", {"Name": "x", "Tags": {"Key": "k"}}), ("CreateSecret", {"Name": "x", "Tags": "k=v"}),
        ("CreateSecret", {"Name": "x", "Tags": ["k"]}), ("CreateSecret", {"Name": "x", "Tags": [{"Key": 1}]}),
        ("CreateSecret", {"Name": "x", "Tags": [["Key", "k"]]}),
        ("DeleteSecret", {"SecretId": "x", "RecoveryWindowInDays": "seven"}), ("DeleteSecret", {"SecretId": "x", "RecoveryWindowInDays": [7]}),
        ("DeleteSecret", {"SecretId": "x", "ForceDeleteWithoutRecovery": "yes"}), ("DeleteSecret", {"SecretId": "x", "ForceDeleteWithoutRecovery": [True]}),
        ("ListSecrets", {"MaxResults": "many"}), ("ListSecrets", {"MaxResults": {}}), ("ListSecrets", {"Filters": "x"}),
        ("ListSecrets", {"Filters": [["name"]]}), ("ListSecrets", {"Filters": [{"Key": "name", "Values": "x"}]}),
        ("ListSecrets", {"IncludePlannedDeletion": {}}),
        ("PutSecretValue", {"SecretId": "x", "SecretString": "y", "ClientRequestToken": 5}),
        ("PutSecretValue", {"SecretId": "x", "SecretString": "y", "VersionStages": "AWSCURRENT"}),
        ("UntagResource", {"SecretId": "x", "TagKeys": "k"}), ("UntagResource", {"SecretId": "x", "TagKeys": [1]}),
        ("BatchGetSecretValue", {"SecretIdList": "x"}), ("BatchGetSecretValue", {"SecretIdList": [{"a": 1}]}),
        ("GetRandomPassword", {"PasswordLength": [12]}), ("GetRandomPassword", {"IncludeSpace": {}}),
        ("PutResourcePolicy", {"SecretId": "x", "ResourcePolicy": {"Version": "2012-10-17"}}),
        ("RotateSecret", {"SecretId": "x", "ClientRequestToken": "t" * 32, "RotationRules": "daily"}),
    ],
    ids=lambda case: case if isinstance(case, str) else json.dumps(case)[:60],
)
def test_a_member_of_another_type_is_refused(node, operation, members):
    assert_refused(node.call(operation, members), SERIALIZATION)


def test_a_member_in_another_case_is_another_member(node, secret):
    assert_refused(node.call("GetSecretValue", {"secretId": secret["Name"]}), (SERIALIZATION, "ValidationException"))
    assert_refused(node.call("GetSecretValue", {"SECRETID": secret["Name"]}), (SERIALIZATION, "ValidationException"))


# ---------------------------------------------------------------- JSON (N15)


def create_body(name, value_text):
    return b'{"Name":"%s","ClientRequestToken":"%s","SecretString":%s}' % (name.encode(), new_token().encode(), value_text)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense", b"{", b"}", b"[]", b'"text"', b"null", b"5", b"true", b"{}{}", b"{} trailing", b"{},", b"{}\0", b'{"SecretId"}',
        b'{"SecretId":}', b'{"SecretId":"x",}', b'{,"SecretId":"x"}', b'{"SecretId":"x"', b"{'SecretId':'x'}", b"{SecretId:\"x\"}",
        b'{"SecretId":"x"/* comment */}', b'{"SecretId":"x"}// comment', b'{"MaxResults":NaN}', b'{"MaxResults":Infinity}',
        b'{"MaxResults":01}', b'{"MaxResults":1.}', b'{"MaxResults":.5}', b'{"MaxResults":+1}', b'{"MaxResults":1e}', b'{"MaxResults":0x10}',
        b'{"SecretId":"tab\there"}', b'{"SecretId":"new\nline"}', b'{"SecretId":"nul\0"}', b'{"SecretId":"\\x41"}', b'{"SecretId":"\\u12"}',
        b'{"SecretId":"\\"}', b'{"SecretId":tru}', b"\xef\xbb\xbf{}", b'\xff\xfe{\0}\0', b'{"SecretId":"\xc0\x80"}', b'{"SecretId":"\xff"}',
        b'{"SecretId":"\xed\xa0\x80"}', b'{"SecretId":"\xf4\x90\x80\x80"}', b'{"SecretId":"\xe2\x82"}',
        b'{"SecretId":"a","SecretId":"b"}', b'{"SecretId":"a","Secret\\u0049d":"b"}', b'{"Unknown":1,"Unknown":2}',
        b'{"Unknown":{"a":1,"a":2}}',
    ],
    ids=lambda body: body[:40].decode("latin-1").encode("unicode_escape").decode(),
)
@pytest.mark.parametrize("operation", ["ListSecrets", "DescribeSecret"])
def test_what_is_no_json_object_is_refused(node, operation, body):
    assert_refused(node.call(operation, body), SERIALIZATION)


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'"\\ud800\\ud800"', b'"\xed\xa0\x80"', b'"\xc0\xaf"'])
def test_text_that_is_no_unicode_is_refused_as_a_value(node, sm, name, text):
    assert_refused(node.call("CreateSecret", create_body(name, text)), SERIALIZATION)
    with pytest.raises(sm.exceptions.ResourceNotFoundException):
        sm.describe_secret(SecretId=name)


@pytest.mark.parametrize("second", [b'"SecretString"', b'"Secret\\u0053tring"', b'"\\u0053ecretString"'])
def test_a_value_given_twice_is_refused(node, sm, name, second):
    body = b'{"Name":"%s","ClientRequestToken":"%s","SecretString":"one",%s:"two"}' % (name.encode(), new_token().encode(), second)
    assert_refused(node.call("CreateSecret", body), SERIALIZATION)
    with pytest.raises(sm.exceptions.ResourceNotFoundException):
        sm.describe_secret(SecretId=name)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000, b"[" * 200_000, b'{"a":' * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"MaxResults":' + b"9" * 100_000 + b"}", b'{"MaxResults":1e999999}', b'{"MaxResults":-1e999999}', b'{"MaxResults":1.' + b"0" * 100_000 + b"1}",
        b'{"MaxResults":99999999999999999999}', b'{"a":' + b'[' * 33 + b']' * 33 + b"}",
    ],
    ids=["arrays", "many arrays", "objects", "closed objects", "closed arrays", "100,000 digits", "1e999999", "-1e999999", "long fraction", "beyond 64 bits", "33 deep"],
)
def test_json_that_is_meant_to_hurt(node, body):
    began = time.monotonic()
    answer = node.call("ListSecrets", body)
    assert_refused(answer, (SERIALIZATION, "ValidationException"))
    assert time.monotonic() - began < 5
    assert len(answer.body) < 2_000, "the input is echoed"


def test_many_members_are_read_in_linear_time(node):
    def seconds(count):
        body = ("{" + ",".join(f'"k{number}":0' for number in range(count)) + "}").encode()
        request = node.sign("ListSecrets", body).render()
        best = 60.0
        for _ in range(3):
            began = time.perf_counter()
            answer = node.send(request)
            best = min(best, time.perf_counter() - began)
            assert answer.status in (200, 400), answer.body
        return best

    few, many = seconds(1_000), seconds(16_000)
    assert many < 16 * 8 * max(few, 0.001), f"{few} s for 1,000 members, {many} s for 16,000"


def test_minus_zero_and_fractions_as_numbers(node):
    assert_refused(node.call("ListSecrets", b'{"MaxResults":-0}'), (SERIALIZATION, "ValidationException"))
    assert_refused(node.call("ListSecrets", b'{"MaxResults":-5}'), "ValidationException")


def test_blanks_around_json_are_fine(node):
    answer = node.call("ListSecrets", b' \t\r\n{ "MaxResults" : 1 }\r\n ')
    assert answer.status == 200, answer.body


# ---------------------------------------------------------------- operations, content types, bodies


@pytest.mark.parametrize(
    "target",
    [
        "secretsmanager.NoSuchOperation", "secretsmanager.getsecretvalue", "secretsmanager.", "GetSecretValue", "SecretsManager.GetSecretValue",
        "secretsmanager.GetSecretValue.", "secretsmanager.GetSecretValue2", "DynamoDB_20120810.ListTables", "..", "secretsmanager/GetSecretValue",
    ],
)
def test_unknown_operations(node, secret, target):
    answer = node.call(None, {"SecretId": secret["Name"]}, signed=[("X-Amz-Target", target)])
    assert answer.status in (400, 404)
    assert b"UnknownOperationException" in answer.body


def test_no_operation_at_all(node, secret):
    answer = node.call(None, {"SecretId": secret["Name"]})
    assert answer.status in (400, 403, 404)
    assert b"SecretString" not in answer.body


def test_an_empty_body_is_no_json(node):
    assert_refused(node.call("ListSecrets", b""), SERIALIZATION)


@pytest.mark.parametrize("content_type", ["application/x-amz-json-1.1; charset=utf-8", "application/x-amz-json-1.1;charset=UTF-8"])
def test_parameters_of_the_content_type_are_ignored(node, content_type):
    assert node.call("ListSecrets", {}, content_type=content_type).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-amz-json-1.0", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"])
def test_other_content_types_are_refused(node, secret, content_type):
    answer = node.call("GetSecretValue", {"SecretId": secret["Name"]}, content_type=content_type)
    assert 400 <= answer.status < 500
    assert MARKER.encode() not in answer.body


def test_plain_json_is_refused_as_aws_does(node, secret):
    answer = node.call("GetSecretValue", {"SecretId": secret["Name"]}, content_type="application/json")
    assert answer.status == 404
    assert answer.json == {"Output": {"__type": "com.amazon.coral.service#UnknownOperationException"}, "Version": "1.0"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "post", "BREW"])
def test_only_post_is_served(node, secret, method):
    request = node.sign("GetSecretValue", {"SecretId": secret["Name"]}, method=method)
    with node.connect() as connection:
        connection.send(request.render())
        # A HEAD answer has no body, whatever its Content-Length says; only its status line is looked at.
        while b"\r\n\r\n" not in connection.buffer:
            connection._more()
    status = int(connection.buffer.split(b" ")[1])
    assert status in (400, 403, 405, 501), connection.buffer
    assert MARKER.encode() not in connection.buffer


def test_get_answers_as_aws_does(node):
    answer = node.send(f"GET / HTTP/1.1\r\nHost: {node.host}\r\n\r\n".encode())
    assert answer.status == 403
    assert answer.body == (
        b"<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n"
    )


@pytest.mark.parametrize("path", ["/secretsmanager", "//", "/./", "/..", "/%2e", "/?x=1", "/?Action=ListSecrets"])
def test_only_the_root_path_is_served(node, secret, path):
    path, _, query = path.partition("?")
    answer = node.call("GetSecretValue", {"SecretId": secret["Name"]}, path=path, query=query)
    if answer.status == 200 and query:
        return  # a signed query that means nothing may be ignored
    assert 400 <= answer.status < 500
    assert MARKER.encode() not in answer.body


def test_content_encodings_are_refused(node, secret):
    for encoding in ("gzip", "deflate", "br"):
        answer = node.call("GetSecretValue", {"SecretId": secret["Name"]}, signed=[("Content-Encoding", encoding)])
        assert 400 <= answer.status < 500, answer.body


def test_headers_that_steer_other_servers_steer_nothing(node, secret):
    more = [
        ("X-HTTP-Method-Override", "GET"), ("X-Original-URL", "/admin"), ("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Host", "evil"),
        ("Forwarded", "for=10.0.0.1;host=evil"),
    ]
    answer = node.call("DescribeSecret", {"SecretId": secret["Name"]}, unsigned=more)
    assert answer.status == 200 and answer.json["Name"] == secret["Name"]


def test_a_bad_value_in_a_text_is_escaped_json(node):
    odd = 'quote " backslash \\ new\nline \x1b[31m <b> \u2028'
    answer = node.call("ListSecrets", {"SortBy": odd})
    assert_refused(answer, "ValidationException")
    assert json.loads(answer.body)  # one valid document
    assert not re.search(rb"[\x00-\x1f]", answer.body.rstrip(b"\n"))
    assert violation("", value=odd, at="sortBy").split(" failed")[0] in answer.message or "'sortBy'" in answer.message
