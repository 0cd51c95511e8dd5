"""The end-to-end suite with `Store=postgresql`: the built functions on the real server, behind what plays RDS Proxy.

Each is a role of IAM's there, over TLS that it verifies; the deployment's own function made the tables and the roles.
"""

import pytest

from oriel.store.sql.schema import HEAD
from tests.suites.calls import (  # collected here once more, with this module's platform
    STORAGE_DENIED_IS_STATUS,
    hello,
    test_a_call_leaves_a_receipt_and_is_counted,
    test_a_capability_that_is_not_granted_answers_denied,
    test_a_good_signature_by_an_untrusted_key_is_refused,
    test_an_extension_is_published_installed_and_called,
    test_another_tenants_token_finds_nothing,
)
from tests.support.aws_platform import AwsPlatform
from tests.support.platform import client, publish_and_install, register_acme

__all__ = [
    "hello",
    "test_a_call_leaves_a_receipt_and_is_counted",
    "test_a_capability_that_is_not_granted_answers_denied",
    "test_a_good_signature_by_an_untrusted_key_is_refused",
    "test_an_extension_is_published_installed_and_called",
    "test_another_tenants_token_finds_nothing",
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgresql")
    with AwsPlatform(folder, {"Store": "postgresql"}, ORIEL_CACHE_SECONDS="0.5") as up:
        register_acme(up)
        yield up


def test_cloudformation_is_told_the_address_when_the_tables_are_there(platform):
    (told,) = platform.migrated
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", "oriel-tables")
    assert told["Data"] == {"before": "", "after": HEAD, "Address": "proxy.example"}


def test_a_guest_reads_what_it_keeps_and_every_function_is_its_own_role(platform):
    grants = [{"capability": "storage.kv"}]
    asked = [{"name": "storage.kv", "purpose": "To remember."}]
    extension = publish_and_install(
        platform, STORAGE_DENIED_IS_STATUS, name="com.acme.keeps", grants=grants, capabilities=asked
    )
    with client(platform) as caller:
        assert caller.call(extension, "/").status_code == 200
    assert platform.function("EventsFunction").call({"task": "sweep"}) == {"done": 0}
    assert set(platform.rds.users) == {"oriel_owner", "oriel_registry", "oriel_gateway", "oriel_runner"}
    assert platform.rds.refused == []


def test_an_operator_migrates_again_and_nothing_changes(platform):
    answer = platform.function("MigrationFunction").call({"task": "migrate"})
    assert answer == {"before": HEAD, "after": HEAD}


def test_the_proxy_may_close_all_connections_between_two_calls(platform):
    extension = publish_and_install(platform, name="com.acme.again")
    with client(platform) as caller:
        assert caller.call(extension, "/").status_code == 200
        platform.rds.drop_clients()
        assert caller.call(extension, "/").status_code == 200


def test_housekeeping_ends_and_the_audit_is_whole(platform):
    done = platform.function("PublisherFunction").call({"task": "keep-house"})
    assert done == {"finished": True, "remaining": False}
    with client(platform) as operator:
        assert operator.api("POST", "/audit/platform/verify", json={})["intact"]
