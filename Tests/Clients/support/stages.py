"""Staging labels as a client sees them."""
from __future__ import annotations

from typing import Any


def labels(client: Any, secret_id: str) -> dict:
    """Version id -> set of its labels, from DescribeSecret; labels are never listed twice."""
    stages = client.describe_secret(SecretId=secret_id).get("VersionIdsToStages", {})
    for version, names in stages.items():
        assert names, f"version {version} is listed without a label"
        assert len(names) == len(set(names))
    every = [label for names in stages.values() for label in names]
    assert len(every) == len(set(every)), f"a label sits on two versions: {stages}"
    return {version: set(names) for version, names in stages.items()}


def versions(client: Any, secret_id: str, **options: Any) -> dict:
    """Version id -> entry of ListSecretVersionIds, over all pages."""
    found: dict = {}
    token: dict = {}
    while True:
        page = client.list_secret_version_ids(SecretId=secret_id, **options, **token)
        for entry in page["Versions"]:
            assert entry["VersionId"] not in found, "one version on two pages"
            found[entry["VersionId"]] = entry
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}
