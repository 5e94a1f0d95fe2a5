"""AWS's caching library for Python (aws-secretsmanager-caching): DescribeSecret, then GetSecretValue by version id."""
from __future__ import annotations

import json

import pytest
from aws_secretsmanager_caching import InjectKeywordedSecretString, InjectSecretString, SecretCache, SecretCacheConfig

from support.node import new_name, new_value
from support.waiting import wait_for


@pytest.fixture
def cache(sm):
    return SecretCache(client=sm)


class Counted:
    """A client that counts its calls."""

    def __init__(self, client):
        self.client, self.calls = client, []

    def __getattr__(self, name):
        member = getattr(self.client, name)
        if not callable(member):
            return member

        def call(*arguments, **options):
            self.calls.append(name)
            return member(*arguments, **options)

        return call


def test_strings_and_binaries(cache, sm, secret, name, value):
    assert cache.get_secret_string(name) == value
    assert cache.get_secret_string(secret["ARN"]) == value
    data = new_value().encode() + b"\0\xff"
    binary = new_name()
    sm.create_secret(Name=binary, SecretBinary=data)
    assert cache.get_secret_binary(binary) == data


def test_a_second_read_asks_nobody(sm, secret, name, value):
    counted = Counted(sm)
    cache = SecretCache(client=counted)
    assert cache.get_secret_string(name) == value
    assert counted.calls == ["describe_secret", "get_secret_value"]
    for _ in range(10):
        assert cache.get_secret_string(name) == value
    assert len(counted.calls) == 2


def test_a_stage_can_be_asked_for(cache, sm, secret, name, value):
    sm.put_secret_value(SecretId=name, SecretString=new_value(), VersionStages=["AWSPENDING"])
    assert cache.get_secret_string(name) == value
    assert cache.get_secret_string(name, version_stage="AWSPENDING") != value
    assert cache.get_secret_string(name, version_stage="NEVER") is None


def test_a_new_value_is_seen_after_the_refresh_interval(sm, secret, name, value):
    cache = SecretCache(config=SecretCacheConfig(secret_refresh_interval=2), client=sm)
    assert cache.get_secret_string(name) == value
    other = new_value()
    sm.put_secret_value(SecretId=name, SecretString=other)
    wait_for(lambda: cache.get_secret_string(name) == other, 30, "the cache to see the new value")


def test_a_missing_secret_is_the_modelled_error(cache, sm):
    with pytest.raises(sm.exceptions.ResourceNotFoundException):
        cache.get_secret_string(new_name())


def test_decorators(cache, sm, name):
    password = new_value()
    sm.create_secret(Name=name, SecretString=json.dumps({"username": "app", "password": password}))

    @InjectSecretString(name, cache)
    def whole(text):
        return json.loads(text)["password"]

    @InjectKeywordedSecretString(name, cache, user="username", secret="password")
    def parts(user, secret):
        return user, secret

    assert whole() == password
    assert parts() == ("app", password)
