"""When, for what and how often a signature is good: scope, time, carriers, replays, mutants (sigv4.md 4, 6; threats N24-N26, N30-N33)."""
from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta, timezone

import pytest

from support.authentication import INCOMPLETE, INVALID_SIGNATURE, UNKNOWN_KEY, ask
from support.node import MARKER, new_token, new_value, with_options
from support.refusals import assert_refused, refusal
from support.signing import amz_date


def moment(text):
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)


# ---------------------------------------------------------------- scope


def test_signed_for_another_region(node, read):
    answer = ask(node, read(by=with_options(node.signer, region="eu-west-1")))
    assert_refused(answer, INVALID_SIGNATURE)
    assert answer.message.startswith("Credential should be scoped to a valid region")


def test_boto3_in_another_region(node, secret):
    with refusal(INVALID_SIGNATURE, containing=["Credential should be scoped to a valid region"]):
        node.client(region_name="eu-west-1").get_secret_value(SecretId=secret["Name"])


@pytest.mark.parametrize("service", ["sts", "kms", "SecretsManager", "secretsmanager2", "execute-api"])
def test_signed_for_another_service(node, read, service):
    answer = ask(node, read(by=with_options(node.signer, service=service)))
    assert_refused(answer, INVALID_SIGNATURE)
    assert answer.message.strip() == "Credential should be scoped to correct service: 'secretsmanager'."


def test_signed_for_another_terminator(node, read):
    answer = ask(node, read(by=with_options(node.signer, terminator="aws5_request")))
    assert_refused(answer, INVALID_SIGNATURE)
    assert answer.message.strip() == "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."


def test_signed_for_another_day(node, read):
    yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y%m%d")
    request = read(by=with_options(node.signer, scope_date=yesterday))
    answer = ask(node, request)
    assert_refused(answer, INVALID_SIGNATURE)
    date = request.header("X-Amz-Date")
    assert answer.message.strip() == (
        f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{yesterday}' != '{date[:8]}', from '{date}'."
    )


@pytest.mark.parametrize(
    "credential",
    ["AKIATESTCONCLAVE2345", "AKIATESTCONCLAVE2345/20260101/us-east-1/secretsmanager", "a/b/c/d/e/f", "////", "a//b", "", "AKIATESTCONCLAVE2345/"],
)
def test_credentials_of_other_than_five_fields(node, read, credential):
    request = read()
    header = re.sub(r"Credential=[^,]*", f"Credential={credential}", request.header("Authorization"))
    answer = ask(node, request.with_header("Authorization", header))
    assert_refused(answer, (INCOMPLETE, INVALID_SIGNATURE, UNKNOWN_KEY))
    if 0 < len(credential.strip("/").split("/")) != 5 and credential.strip("/"):
        assert_refused(answer, INCOMPLETE, f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'")


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("skew", [-290, 0, 290])
def test_within_five_minutes(node, read, skew):
    assert ask(node, read(by=with_options(node.signer, skew=timedelta(seconds=skew)))).status == 200


@pytest.mark.parametrize("skew", [timedelta(seconds=-301), timedelta(hours=-1), timedelta(days=-1), timedelta(days=-4000)])
def test_too_old(node, read, skew):
    request = read(by=with_options(node.signer, skew=skew))
    answer = ask(node, request)
    assert_refused(answer, INVALID_SIGNATURE)
    match = re.fullmatch(r"Signature expired: (\w+) is now earlier than (\w+) \((\w+) - 5 min\.\)", answer.message)
    assert match, answer.message
    signed, earliest, now = map(moment, match.groups())
    assert match.group(1) == request.header("X-Amz-Date")
    assert signed < earliest == now - timedelta(minutes=5)
    assert abs(now - datetime.now(timezone.utc)) < timedelta(minutes=1)


@pytest.mark.parametrize("skew", [timedelta(seconds=305), timedelta(hours=1), timedelta(days=1)])
def test_too_new(node, read, skew):
    request = read(by=with_options(node.signer, skew=skew))
    answer = ask(node, request)
    assert_refused(answer, INVALID_SIGNATURE)
    match = re.fullmatch(r"Signature not yet current: (\w+) is still later than (\w+) \((\w+) \+ 5 min\.\)", answer.message)
    assert match, answer.message
    signed, latest, now = map(moment, match.groups())
    assert signed > latest == now + timedelta(minutes=5)


@pytest.mark.parametrize(
    "date",
    [
        "", "x", "2026-01-01T00:00:00Z", "20260101", "20260101T000000", "20260101T000000z", "20260101 000000Z", "20261301T000000Z",
        "20260230T000000Z", "20260101T250000Z", "20260101T006000Z", "20260101T000060Z", "00000000T000000Z", "-0260101T000000Z", "99999999999T000000Z",
        "Mon, 01 Jan 2026 00:00:00 GMT", "20260101T000000Z ", "+2026101T000000Z", "2026010１T000000Z",
    ],
)
def test_dates_that_are_none(node, read, date):
    request = read(date=date, by=with_options(node.signer, scope_date=amz_date(node.signer.now())[:8]))
    answer = ask(node, request)
    if date.strip() != date:
        assert_refused(answer, (INCOMPLETE, INVALID_SIGNATURE))  # blanks at the ends of a header do not count: it is an old date
        return
    assert answer.status == 400
    if date and date.isascii():
        assert_refused(answer, (INCOMPLETE, INVALID_SIGNATURE))
    if date in ("x", "2026-01-01T00:00:00Z", "20260101"):
        assert answer.message == f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"


def test_the_year_9999(node, read):
    assert_refused(ask(node, read(date="99991231T235959Z")), INVALID_SIGNATURE, matching=r"Signature not yet current: 99991231T235959Z is still later.*")


# ---------------------------------------------------------------- two carriers, twice the same header


def test_header_and_query_at_once(node, secret):
    request = node.signer.presign("GetSecretValue", b'{"SecretId":"%s"}' % secret["Name"].encode(), host=node.host)
    answer = ask(node, request.with_added("Authorization", node.sign("GetSecretValue", request.body).header("Authorization")))
    assert_refused(answer, INVALID_SIGNATURE, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")


def test_a_presigned_request_is_checked_in_full(node, secret):
    """Whether the form is served is the operator's choice; if it is, then only with a right signature."""
    body = b'{"SecretId":"%s"}' % secret["Name"].encode()
    whole = ask(node, node.signer.presign("GetSecretValue", body, host=node.host))
    assert whole.status in (200, 400)
    if whole.status == 200:
        assert whole.json["Name"] == secret["Name"]
    request = node.signer.presign("GetSecretValue", body, host=node.host)
    for altered in (
        request.target[:-1] + ("0" if request.target[-1] != "0" else "1"),
        request.target.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        request.target.replace("X-Amz-Signature", "X-Amz-Signatur"),
        request.target.replace("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm="),
        request.target.partition("&X-Amz-Signature")[0],
        request.target + "&more=1",
        request.target + "&X-Amz-Date=20200101T000000Z",
    ):
        copy = request.with_header("Host", request.header("Host"))
        copy.target = altered
        assert ask(node, copy).status in (400, 403), altered
    other = request.with_header("X-Amz-Target", "secretsmanager.DescribeSecret")
    assert ask(node, other).status in (400, 403)
    stale = with_options(node.signer, skew=timedelta(seconds=-3600)).presign("GetSecretValue", body, host=node.host)
    assert ask(node, stale).status in (400, 403)


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "X-Amz-Target", "Host", "Content-Type"])
def test_a_header_that_may_come_only_once(node, read, name):
    request = read()
    with node.connect() as connection:
        answer = connection.exchange(request.with_added(name, request.header(name)).render())
    assert answer.status == 400
    assert MARKER.encode() not in answer.body


# ---------------------------------------------------------------- replays (N26)


def test_the_same_write_sent_twice_is_done_once(node, sm, secret):
    token = new_token()
    request = node.sign("PutSecretValue", {"SecretId": secret["Name"], "SecretString": new_value(), "ClientRequestToken": token}).render()
    first = node.send(request)
    assert first.status == 200
    with node.connect() as connection:
        second = connection.exchange(request)
    assert second.status == 200 and second.json["VersionId"] == token
    assert set(sm.describe_secret(SecretId=secret["Name"])["VersionIdsToStages"]) == {secret["VersionId"], token}


# ---------------------------------------------------------------- one bit (N33), one connection (N32)


def test_no_one_bit_mutant_of_a_signed_request_is_accepted(node, read, value):
    """Every byte of the request line's method and path, of each signed header's value, of Authorization and of the body."""
    request = read()
    rendered = request.render()
    positions = [*range(0, 6)]
    for name in ("Host", "Content-Type", "X-Amz-Date", "X-Amz-Target", "Authorization"):
        start = rendered.index(f"\r\n{name}: ".encode()) + len(name) + 4
        positions += range(start, rendered.index(b"\r\n", start))
    positions += range(len(rendered) - len(request.body), len(rendered))
    assert node.send(rendered).status == 200
    tried = 0
    for position in positions:
        mutant = bytearray(rendered)
        mutant[position] ^= 1
        answer = node.send(bytes(mutant))
        assert answer.status != 200, f"accepted with byte {position} changed: {bytes(mutant)!r}"
        assert value.encode() not in answer.body
        tried += 1
    assert tried > 300


def test_good_and_bad_requests_on_one_connection_do_not_mix(node, read, value):
    bad_keys = with_options(node.signer, secret_access_key="w" * 40)
    stranger = with_options(node.signer, access_key_id="AKIAAAAAAAAAAAAAAAAA")
    kinds = [(node.signer, 200), (bad_keys, 400), (node.signer, 200), (stranger, 400)] * 25
    with node.connect() as connection:
        connection.send(b"".join(read(by=signer).render() for signer, _ in kinds))
        for signer, status in kinds:
            answer = connection.read_answer()
            assert answer.status == status
            assert (value.encode() in answer.body) == (status == 200)


def test_many_bad_signatures_do_not_stop_a_good_client(node, read):
    """N16: the guesser is told the truth a few times, then throttled and slowed down; others do not notice."""
    bad = read(by=with_options(node.signer, secret_access_key="w" * 40)).render()
    for _ in range(3):
        with node.connect() as connection:
            connection.send(bad * 150)
            answers = [connection.read_answer() for _ in range(150)]
            assert {answer.status for answer in answers} == {400}
            kinds = [answer.json["__type"] for answer in answers]
            assert kinds[0] == "InvalidSignatureException" and kinds[-1] == "ThrottlingException"
            assert kinds == sorted(kinds), "once throttled, throttled"
            assert ask(node, read()).status == 200
            # A right signature on the same connection is heard, and forgives.
            connection.send(read().render())
            assert connection.read_answer().status == 200
            connection.send(bad)
            assert connection.read_answer().json["__type"] == "InvalidSignatureException"


def test_errors_show_neither_the_canonical_request_nor_the_string_to_sign(node, read):
    answer = ask(node, read(by=with_options(node.signer, secret_access_key="w" * 40)))
    for part in ("AWS4-HMAC-SHA256", "canonical", "host:", hashlib.sha256(read().body).hexdigest()):
        assert part.encode() not in answer.body
