"""Installs that go: uninstalled and restored, exported, deleted with a receipt."""

import json

import pytest
from msgspec.structs import replace

from oriel.store import StoreUnavailable
from oriel.store.guests import GuestWrite
from registry.core import Limits
from registry.installs import SecretRequest
from registry.leaving import DAY_MS, Leaving
from registry.worker import PublishWorker
from tests.registry.stage import ADMIN, EVERYTHING, NAME, project
from tests.registry.test_installs import grants, refused
from tests.store.test_registry_records import execution

CANARY = b"canary-9c0e"


@pytest.fixture
def leaving(stage):
    return Leaving(stage.registry)


@pytest.fixture
def installed(stage):
    """An install with something of every kind."""
    stage.publish(project(capabilities=EVERYTHING))
    install, _ = stage.installs.install(ADMIN, NAME, None, grants("storage.kv", "secrets.get"), None)
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(CANARY))
    text = GuestWrite(key="é", value="né".encode(), text=True)
    stage.store.guest_put("t1", install.install_id, [text, GuestWrite(key="b", value=b"\xff\x00", text=False)])
    ran = execution("exe_1", "t1", extension_id=NAME, install_id=install.install_id)
    stage.store.record_executions([ran, replace(ran, execution_id="exe_2", install_id="ins_other")])
    return install


def later(stage, days):
    now = stage.registry.now() + days * DAY_MS
    return replace(stage.registry, now=lambda: now)


def test_an_uninstalled_extension_does_not_run_and_can_be_restored_as_it_was(stage, leaving, installed):
    gone = leaving.uninstall(ADMIN, NAME)
    assert gone.delete_at == pytest.approx(stage.registry.now() + 30 * DAY_MS, abs=60_000)
    assert leaving.uninstall(ADMIN, NAME) == gone
    assert refused(stage.installs.get, "t1", NAME).code == "extension_not_installed"
    assert refused(stage.installs.install, ADMIN, NAME, None, [], None).code == "conflict"
    back = leaving.restore(ADMIN, NAME)
    assert (back.status, back.delete_at, back.grants, back.config) == ("disabled", None, installed.grants, {})
    assert [secret.name for secret in stage.installs.secrets("t1", NAME)] == ["token"]
    assert stage.installs.change(ADMIN, NAME, status="enabled").status == "enabled"
    assert refused(leaving.restore, ADMIN, NAME).code == "conflict"


def test_when_the_days_of_grace_are_over_the_worker_deletes_it(stage, leaving, installed):
    leaving.uninstall(ADMIN, NAME)
    PublishWorker(stage.registry).keep_house()
    assert stage.store.get_install("t1", NAME) is not None
    stage.store._clock = later(stage, 31).now
    PublishWorker(later(stage, 31)).keep_house()
    assert stage.store.get_install("t1", NAME) is None
    entry = stage.store.list_audit("t1").items[0]
    assert (entry.actor, entry.action, entry.after["records"]) == ("platform", "install.delete", 2)


def test_deleting_gives_a_receipt_that_counts_what_was_deleted_and_is_in_the_audit(stage, leaving, installed):
    assert refused(leaving.delete, ADMIN, NAME).code == "conflict"
    leaving.uninstall(ADMIN, NAME)
    receipt = leaving.delete(ADMIN, NAME)
    counted = {kind: receipt["deleted"][kind] for kind in ("installs", "grants", "secrets", "records", "executions")}
    assert counted == {"installs": 1, "grants": 2, "secrets": 1, "records": 2, "executions": 1}
    entry = stage.store.list_audit("t1").items[0]
    assert (entry.audit_id, entry.actor, entry.after["executions"]) == (receipt["audit_id"], "t1/ada", 1)
    assert entry.before["install_id"] == installed.install_id
    assert stage.store.guest_list("t1", installed.install_id, "", None, 10).items == ()
    assert [item.execution_id for item in stage.store.list_executions("t1").items] == ["exe_2"]
    assert refused(leaving.delete, ADMIN, NAME).code == "extension_not_installed"
    assert stage.installs.install(ADMIN, NAME, None, [], None)[1] is True


def test_a_deletion_that_was_cut_off_is_not_restored_and_the_worker_carries_it_on(
    stage, leaving, installed, monkeypatch
):
    leaving.uninstall(ADMIN, NAME)

    def cut_off(*_):
        raise StoreUnavailable

    monkeypatch.setattr(stage.store, "delete_install", cut_off)
    assert refused(leaving.delete, ADMIN, NAME).code == "unavailable"
    monkeypatch.undo()
    assert refused(leaving.restore, ADMIN, NAME).code == "conflict"
    PublishWorker(stage.registry).keep_house()
    assert stage.store.get_install("t1", NAME) is None


def test_without_days_of_grace_the_next_round_deletes(stage, installed):
    hasty = replace(stage.registry, limits=Limits(uninstall_grace_days=0))
    Leaving(hasty).uninstall(ADMIN, NAME)
    assert Leaving(later(stage, 0)).delete_due() == 1


def test_the_export_holds_everything_of_the_install_and_no_secrets_value(stage, leaving, installed):
    lines = list(leaving.export(ADMIN, NAME))
    kinds = [line["kind"] for line in lines]
    assert kinds == ["install", "grant", "grant", "secret", "record", "record", "execution", "end"]
    records = {line["key"]: line.get("text", line.get("base64")) for line in lines if line["kind"] == "record"}
    assert records == {"b": "/wA=", "é": "né"}
    assert lines[-1]["counts"] == {"install": 1, "grant": 2, "secret": 1, "record": 2, "execution": 1}
    sealed = stage.installs.secrets("t1", NAME)[0].ciphertext
    text = json.dumps(lines)
    assert all(secret not in text for secret in (CANARY.decode(), sealed.hex(), repr(sealed)))
    leaving.uninstall(ADMIN, NAME)
    assert len(list(leaving.export(ADMIN, NAME))) == len(lines)
