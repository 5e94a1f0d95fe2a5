"""The AWS CLI, every operation, as a user types it after `source .conclave/env`."""
from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.node import ACCOUNT, REGION, new_value

AWS = Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(node, tmp_path):
    """aws("create-secret", "--name", ...): what it printed, as JSON."""
    environment = node.client_environment()
    environment["HOME"] = str(tmp_path)

    def run(command, *arguments, fails_with=None):
        done = subprocess.run(
            [str(AWS), "secretsmanager", command, "--output", "json", *arguments],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        if fails_with:
            assert done.returncode != 0
            assert f"({fails_with})" in done.stderr, done.stderr
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_the_life_of_a_secret(aws, name, tmp_path):
    first, second = new_value(), new_value(' with "quotes" and ünïcödé')
    made = aws("create-secret", "--name", name, "--description", "from the CLI", "--secret-string", first, "--tags", "Key=k,Value=v")
    assert made["Name"] == name and made["VersionId"]

    read = aws("get-secret-value", "--secret-id", name)
    assert read["SecretString"] == first and read["VersionStages"] == ["AWSCURRENT"]

    given = tmp_path / "value"
    given.write_text(second)
    put = aws("put-secret-value", "--secret-id", name, "--secret-string", f"file://{given}")
    assert put["VersionStages"] == ["AWSCURRENT"]
    assert aws("get-secret-value", "--secret-id", made["ARN"])["SecretString"] == second
    assert aws("get-secret-value", "--secret-id", name, "--version-stage", "AWSPREVIOUS")["SecretString"] == first
    assert aws("get-secret-value", "--secret-id", name, "--version-id", made["VersionId"])["SecretString"] == first

    assert "VersionId" not in aws("update-secret", "--secret-id", name, "--description", "changed")
    third = aws("update-secret", "--secret-id", name, "--secret-string", new_value())
    described = aws("describe-secret", "--secret-id", name)
    assert described["Description"] == "changed" and described["Tags"] == [{"Key": "k", "Value": "v"}]
    assert described["VersionIdsToStages"] == {third["VersionId"]: ["AWSCURRENT"], put["VersionId"]: ["AWSPREVIOUS"]}

    aws(
        "update-secret-version-stage", "--secret-id", name, "--version-stage", "AWSCURRENT",
        "--move-to-version-id", put["VersionId"], "--remove-from-version-id", third["VersionId"],
    )
    assert aws("get-secret-value", "--secret-id", name)["SecretString"] == second
    assert len(aws("list-secret-version-ids", "--secret-id", name, "--include-deprecated")["Versions"]) == 3

    deleted = aws("delete-secret", "--secret-id", name, "--recovery-window-in-days", "7")
    assert deleted["DeletionDate"]
    assert "marked for deletion" in aws("get-secret-value", "--secret-id", name, fails_with="InvalidRequestException")
    assert aws("restore-secret", "--secret-id", name)["Name"] == name
    assert aws("get-secret-value", "--secret-id", name)["SecretString"] == second
    aws("delete-secret", "--secret-id", name, "--force-delete-without-recovery")
    aws("get-secret-value", "--secret-id", name, fails_with="ResourceNotFoundException")


def test_binary_from_a_file(aws, name, tmp_path):
    data = new_value().encode() + bytes(range(256))
    given = tmp_path / "key.bin"
    given.write_bytes(data)
    aws("create-secret", "--name", name, "--secret-binary", f"fileb://{given}")
    assert base64.b64decode(aws("get-secret-value", "--secret-id", name)["SecretBinary"]) == data


def test_tags(aws, secret, name):
    assert aws("tag-resource", "--secret-id", name, "--tags", "Key=a,Value=1", "Key=b,Value=2") is None
    assert aws("untag-resource", "--secret-id", name, "--tag-keys", "a") is None
    assert aws("describe-secret", "--secret-id", name)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_lists_and_batches(aws, secret, name, value):
    listed = aws("list-secrets", "--filters", f"Key=name,Values={name}", "--sort-order", "desc", "--sort-by", "name")
    assert [entry["Name"] for entry in listed["SecretList"]] == [name]
    assert listed["SecretList"][0]["SecretVersionsToStages"] == {secret["VersionId"]: ["AWSCURRENT"]}
    paged = aws("list-secrets", "--filters", f"Key=name,Values={name}", "--page-size", "1", "--max-items", "1", "--include-planned-deletion")
    assert len(paged["SecretList"]) == 1
    by_id = aws("batch-get-secret-value", "--secret-id-list", name, "nothing/there")
    assert [entry["SecretString"] for entry in by_id["SecretValues"]] == [value]
    assert [error["ErrorCode"] for error in by_id["Errors"]] == ["ResourceNotFoundException"]
    by_filter = aws("batch-get-secret-value", "--filters", f"Key=name,Values={name}")
    assert [entry["SecretString"] for entry in by_filter["SecretValues"]] == [value]


def test_policies(aws, secret, name, tmp_path):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
    }
    given = tmp_path / "policy.json"
    given.write_text(json.dumps(policy))
    assert aws("validate-resource-policy", "--resource-policy", f"file://{given}", "--secret-id", name)["PolicyValidationPassed"] is True
    aws("put-resource-policy", "--secret-id", name, "--resource-policy", f"file://{given}", "--block-public-policy")
    assert json.loads(aws("get-resource-policy", "--secret-id", name)["ResourcePolicy"]) == policy
    aws("delete-resource-policy", "--secret-id", name)
    assert "ResourcePolicy" not in aws("get-resource-policy", "--secret-id", name)


def test_list_resource_policies(aws, secret, name):
    done = subprocess.run([str(AWS), "secretsmanager", "help"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "PAGER": "cat", "MANPAGER": "cat"})
    if "list-resource-policies" not in done.stdout:
        pytest.skip("this AWS CLI is older than the operation")
    assert aws("list-resource-policies", "--secret-id", name)["ResourcePolicies"] == []


def test_random_passwords(aws):
    made = aws("get-random-password", "--password-length", "40", "--exclude-punctuation", "--include-space", "--require-each-included-type")
    assert len(made["RandomPassword"]) == 40


def test_operations_of_later_issues_are_refused(aws, secret, name):
    for command, arguments in (
        ("rotate-secret", ["--rotation-lambda-arn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "--rotation-rules", "AutomaticallyAfterDays=30"]),
        ("cancel-rotate-secret", []),
        ("replicate-secret-to-regions", ["--add-replica-regions", "Region=eu-west-1"]),
        ("remove-regions-from-replication", ["--remove-replica-regions", "eu-west-1"]),
        ("stop-replication-to-replica", []),
    ):
        aws(command, "--secret-id", name, *arguments, fails_with="InvalidRequestException")


def test_errors_show_their_texts(aws, secret, name):
    assert "can't find the specified secret." in aws("get-secret-value", "--secret-id", "nothing/there", fails_with="ResourceNotFoundException")
    assert f"the secret {name} already exists." in aws("create-secret", "--name", name, fails_with="ResourceExistsException")
    assert "Invalid name." in aws("get-secret-value", "--secret-id", "in ner", fails_with="ValidationException")
