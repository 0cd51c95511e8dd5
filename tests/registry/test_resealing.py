"""Rotation of the data key: what was sealed before is sealed anew, and opens all the while."""

import pytest

from oriel.errors import OrielError
from oriel.sealing import Sealed
from registry.installs import Installs, SecretRequest
from registry.resealing import Resealing
from registry.worker import PublishWorker
from tests.registry.stage import ADMIN, NAME, OPERATOR, OTHER_ADMIN, project

GRANTS = [{"name": "secrets.get", "purpose": "To sign in."}]


@pytest.fixture
def installed(stage):
    """The install service, with `TOKEN` set for two tenants."""
    stage.publish(project(capabilities=GRANTS))
    installs = Installs(stage.registry)
    for admin in (ADMIN, OTHER_ADMIN):
        installs.install(admin, NAME, None, [], None)
        put(installs, admin, "TOKEN", b"value of " + admin.tenant_id.encode())
    return installs


def put(installs, admin, name, value):
    installs.put_secret(admin, NAME, name, SecretRequest(value, ("api.acme.com",), True))


def stored(stage, admin=ADMIN):
    install = stage.registry.store.get_install(admin.tenant_id, NAME)
    return {secret.name: secret for secret in stage.registry.store.list_secrets(admin.tenant_id, install.install_id)}


def opened(stage, admin=ADMIN, name="TOKEN"):
    secret = stored(stage, admin)[name]
    sealed = Sealed(secret.key_id, secret.nonce, secret.ciphertext)
    return stage.registry.sealer.open(secret.tenant_id, secret.install_id, secret.name, sealed)


def test_after_a_rotation_all_secrets_are_sealed_anew_in_the_background(stage, installed):
    before = stored(stage)["TOKEN"]
    resealing = Resealing(stage.registry)
    rotation = resealing.rotate(OPERATOR)
    assert rotation.key_id != before.key_id
    assert stored(stage)["TOKEN"] == before
    assert opened(stage) == b"value of t1"
    assert PublishWorker(stage.registry).keep_house()
    for admin in (ADMIN, OTHER_ADMIN):
        after = stored(stage, admin)["TOKEN"]
        assert (after.key_id, after.hosts, after.reference_only) == (rotation.key_id, before.hosts, True)
        assert opened(stage, admin) == b"value of " + admin.tenant_id.encode()
    assert stored(stage)["TOKEN"].updated_at == before.updated_at
    done = resealing.current()
    assert (done.resealed, done.failed, done.resealed_at is not None) == (2, 0, True)
    assert not resealing.step()


def test_what_is_set_after_a_rotation_is_sealed_under_the_new_key_at_once(stage, installed):
    rotation = Resealing(stage.registry).rotate(OPERATOR)
    put(installed, ADMIN, "NEW", b"n")
    assert stored(stage)["NEW"].key_id == rotation.key_id


def test_a_secret_that_cannot_be_opened_is_left_and_counted(stage, installed):
    store, broken = stage.registry.store, stored(stage)["TOKEN"]
    moved = broken.__class__(**{name: getattr(broken, name) for name in broken.__slots__} | {"ciphertext": b"x" * 32})
    store.put_secret(moved)
    resealing = Resealing(stage.registry)
    resealing.rotate(OPERATOR)
    assert resealing.step()
    assert (resealing.current().resealed, resealing.current().failed) == (1, 1)
    assert stored(stage)["TOKEN"] == moved


def test_a_value_set_meanwhile_is_not_overwritten(stage, installed, monkeypatch):
    resealing = Resealing(stage.registry)
    resealing.rotate(OPERATOR)
    store = stage.registry.store
    reseal = type(store).reseal_secret

    def late(own, secret, before):
        put(installed, ADMIN, "TOKEN", b"newer")
        return reseal(own, secret, before)

    monkeypatch.setattr(type(store), "reseal_secret", late)
    resealing.step()
    assert opened(stage) == b"newer"


def test_a_pass_that_was_cut_off_goes_on_where_it_was(stage, installed, monkeypatch):
    resealing, store = Resealing(stage.registry), stage.registry.store
    rotation = resealing.rotate(OPERATOR)
    reseal, calls = type(store).reseal_secret, []

    def once(own, secret, before):
        if calls:
            raise OrielError("unavailable")
        calls.append(secret)
        return reseal(own, secret, before)

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "reseal_secret", once)
        with pytest.raises(OrielError):
            resealing.step()
    assert {stored(stage, admin)["TOKEN"].key_id == rotation.key_id for admin in (ADMIN, OTHER_ADMIN)} == {True, False}
    assert Resealing(stage.registry).step()
    assert {stored(stage, admin)["TOKEN"].key_id for admin in (ADMIN, OTHER_ADMIN)} == {rotation.key_id}


def test_without_a_key_service_nothing_is_rotated_or_set(stage, installed, monkeypatch):
    def away(_):
        raise OrielError("unavailable", "The key service is away.")

    keys = type(stage.registry.sealer._keys)
    monkeypatch.setattr(keys, "rotate_data_key", away)
    monkeypatch.setattr(keys, "current", away)
    before = stored(stage)
    for attempt in (lambda: Resealing(stage.registry).rotate(OPERATOR), lambda: put(installed, ADMIN, "NEW", b"n")):
        with pytest.raises(OrielError, match="key service"):
            attempt()
    assert stored(stage) == before
    assert stage.registry.store.current_data_key() is None
