"""The gateway on a real store: what the registry writes decides the next request."""

import pytest
from msgspec.structs import replace

from oriel.contract import ExecuteError
from oriel.store.records import Bundle, Extension, Publisher, PublisherKey
from oriel.store.sql import SqlStore
from tests.support.gateway import EXTENSION, NOW, answer, bearer, resolution, secret

ACME, GLOBEX = resolution("acme"), resolution("globex")
PUBLISHER = Publisher(publisher="com.acme", prefixes=("com.acme",), created_at=NOW)
KEY = PublisherKey(publisher="com.acme", key_id=ACME.version.signer_key_id, public_key_pem="PEM", not_before=0)


@pytest.fixture
def store(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    store.put_publisher(PUBLISHER)
    store.put_publisher_key(KEY)
    version = ACME.version
    store.create_version(
        Extension(extension_id=EXTENSION, publisher="com.acme", created_at=NOW),
        Bundle(content_hash=version.content_hash, size=1, component_digest=version.component_digest, created_at=NOW),
        version,
    )
    store.create_install(ACME.install)
    store.create_install(GLOBEX.install)
    yield store
    store.close()


@pytest.fixture
def bench(make_bench, store):
    return make_bench(store=store)


def after_the_cache(bench, **call):
    bench.seconds.now += 5
    return bench.call(**call)


def test_an_install_in_the_store_answers(bench):
    assert bench.call(path="/notes/1").status == 200
    assert bench.last.context.version_id == ACME.version.version_id


def test_a_disabled_install_stops_and_starts_again(bench, store):
    assert bench.call().status == 200
    store.replace_install(replace(ACME.install, status="disabled", revision=2))
    assert after_the_cache(bench).code == "install_disabled"
    store.replace_install(replace(ACME.install, status="enabled", revision=3))
    assert after_the_cache(bench).status == 200


def test_disabling_one_tenants_install_leaves_the_others(bench, store):
    store.replace_install(replace(ACME.install, status="disabled", revision=2))
    assert bench.call(token=bearer("globex")).status == 200


def test_a_yanked_version_stops_for_everybody(bench, store):
    assert bench.call().status == 200
    store.set_version_status(EXTENSION, "1.0.0", "yanked")
    assert after_the_cache(bench).code == "version_yanked"
    assert after_the_cache(bench, token=bearer("globex")).code == "version_yanked"


def test_a_revoked_key_stops_new_executions(bench, store):
    assert bench.call().status == 200
    store.put_publisher_key(replace(KEY, revoked_at=NOW))
    assert after_the_cache(bench).code == "publisher_revoked"


def test_a_revoked_publisher_stops_new_executions(bench, store):
    assert bench.call().status == 200
    store.put_publisher(replace(PUBLISHER, revoked_at=NOW))
    assert after_the_cache(bench).code == "publisher_revoked"


def test_an_uninstalled_extension_is_gone(bench, store):
    assert bench.call().status == 200
    store.delete_install("acme", EXTENSION)
    assert after_the_cache(bench).code == "extension_not_installed"


def test_a_tenants_secrets_go_to_its_own_executions_alone(bench, store):
    store.put_secret(secret("KEY"))
    bench.call()
    assert [item.name for item in bench.last.secrets] == ["KEY"]
    bench.call(token=bearer("globex"))
    assert bench.last.secrets == ()


def test_the_log_and_the_usage_are_written_beside_the_request(bench, store):
    bench.call(path="/notes/1")
    bench.runner.reply = answer(0, b"", error=ExecuteError(code="guest_trap", message="unreachable"))
    bench.call(path="/notes/2")
    assert bench.journal.flush(5)
    codes = {entry.path: (entry.status, entry.error_code) for entry in store.list_executions("acme").items}
    assert codes == {"/notes/1": (200, None), "/notes/2": (502, "guest_trap")}
    (usage,) = store.list_usage("acme", "2000-01-01", "2100-01-01")
    assert (usage.invocations, usage.failures) == (2, 1)
    assert store.list_executions("globex").items == ()
