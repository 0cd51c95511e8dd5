"""The audit through the registry: every change leaves one entry, and a chain that was touched is found."""

import json
import sqlite3

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.signing import generate_key
from registry.audits import Audits
from registry.consents import Consents
from registry.installs import SecretRequest
from registry.worker import PublishWorker
from tests.registry.stage import ADMIN, EVERYTHING, NAME, OPERATOR, OTHER_ADMIN, PUBLISHER, project
from tests.registry.test_installs import grants, refused

CANARY = "canary-7d1f"


@pytest.fixture
def audits(stage):
    return Audits(stage.registry)


@pytest.fixture
def changed(stage):
    """A stage with three entries in the chain of t1, and one in that of t2."""
    stage.publish(project(capabilities=EVERYTHING))
    stage.installs.install(ADMIN, NAME, None, grants("storage.kv"), None)
    stage.installs.install(OTHER_ADMIN, NAME, None, [], None)
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(CANARY.encode()))
    Consents(stage.registry).set_all(ADMIN, NAME, [])
    return stage


def tamper(stage, statement):
    """As whoever has the database alone."""
    with sqlite3.connect(stage.folder / "oriel.db") as database:
        database.execute(statement)
    database.close()


def test_an_entry_says_who_changed_what_from_what_to_what(changed):
    newest, secret, created = changed.store.list_audit("t1").items
    assert (newest.actor, newest.action, newest.target) == ("t1/ada", "grants.set", NAME)
    assert [grant["capability"] for grant in newest.before["grants"]] == ["storage.kv"]
    assert newest.after == {"grants": []}
    assert (secret.action, secret.target, secret.before) == ("secret.set", f"{NAME} token", None)
    assert (created.action, created.before, created.after["version"]) == ("install.create", None, "1.0.0")


def test_what_the_platform_and_its_publishers_do_is_in_the_platforms_chain(changed):
    changed.publishers.revoke(OPERATOR, "com.acme")
    entries = [(entry.actor, entry.action, entry.target) for entry in changed.store.list_audit(None).items]
    assert entries[:2] == [("/op", "publisher.revoke", "com.acme"), ("/ann", "version.publish", f"{NAME} 1.0.0")]


def test_nothing_of_a_secret_is_in_the_audit(changed):
    changed.installs.put_secret(ADMIN, NAME, "token", SecretRequest(f"{CANARY}2".encode(), ("api.acme.com",)))
    stored = changed.installs.secrets("t1", NAME)[0]
    changed.installs.delete_secret(ADMIN, NAME, "token")
    text = json.dumps([[entry.before, entry.after] for entry in changed.store.list_audit("t1").items])
    assert "api.acme.com" in text
    assert all(secret not in text for secret in (CANARY, stored.ciphertext.hex(), str(stored.ciphertext)))


def test_a_change_that_changes_nothing_is_not_audited(changed):
    before = changed.store.get_audit_head("t1")
    Consents(changed.registry).set_all(ADMIN, NAME, [])
    changed.installs.set_config(ADMIN, NAME, {})
    changed.installs.change(ADMIN, NAME, status="enabled")
    assert changed.store.get_audit_head("t1") == before


def test_a_whole_chain_is_found_whole(changed, audits):
    found = audits.verify("t1")
    assert (found.intact, found.entries, found.head.sequence) == (True, 3, 3)


LAST = "FROM audit_entry WHERE tenant_id = 't1' AND sequence = 3"
SECOND = "WHERE tenant_id = 't1' AND sequence = 2"
ATTACKS = {
    "removed": f"DELETE FROM audit_entry {SECOND}",
    "altered": f"UPDATE audit_entry SET actor = 't1/eve' {SECOND}",
    "moved": "UPDATE audit_entry SET sequence = 9 - sequence WHERE tenant_id = 't1' AND sequence > 1",
    "end cut off": f"DELETE {LAST}",
    "added": "INSERT INTO audit_entry "
    f"SELECT tenant_id, 4, audit_id, at, actor, action, target, before, after, previous, digest {LAST}",
    "of another tenant": f"UPDATE audit_entry SET tenant_id = 't2' {SECOND}",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_entry_that_was_touched_is_found(changed, audits, attack):
    tamper(changed, ATTACKS[attack])
    found = audits.verify("t1")
    assert found.faults
    chains = {chain.tenant_id: chain.intact for chain in audits.verify_page(None, 20).items}
    assert chains == {None: True, "t1": False, "t2": attack != "of another tenant"}


def cut_off_with_the_head(stage):
    tamper(stage, ATTACKS["end cut off"])
    link = stage.store.read_audit("t1")[-1]
    tamper(stage, f"UPDATE audit_head SET sequence = 2, digest = '{link.digest}' WHERE tenant_id = 't1'")


def test_an_end_that_was_cut_off_with_its_head_is_found_by_the_checkpoint_that_the_worker_left(changed, audits):
    PublishWorker(changed.registry).keep_house()
    assert audits.verify("t1").checkpoints == 1
    cut_off_with_the_head(changed)
    assert [fault.sequence for fault in audits.verify("t1").faults] == [3]


def test_it_is_found_by_a_checkpoint_that_the_tenant_kept(changed, audits):
    kept = json.dumps(audits.checkpoint("t1")).encode()
    cut_off_with_the_head(changed)
    assert audits.verify("t1").intact
    assert not audits.verify("t1", kept).intact


def test_a_checkpoint_of_another_chain_or_of_another_key_is_refused(changed, audits):
    other = json.dumps(audits.checkpoint("t2")).encode()
    assert refused(audits.verify, "t1", other).code == "invalid_input"
    stranger = Audits(replace(changed.registry, platform_key=generate_key()))
    forged = json.dumps(stranger.checkpoint("t1")).encode()
    assert refused(audits.verify, "t1", forged).code == "signature_untrusted"


def test_a_chain_leaves_a_checkpoint_once_it_has_grown(changed, audits):
    assert audits.leave_checkpoints() == 3
    assert audits.leave_checkpoints() == 0
    changed.installs.change(ADMIN, NAME, status="disabled")
    assert audits.leave_checkpoints() == 1


def test_a_chain_without_entries_has_no_checkpoint_and_is_whole(audits):
    assert audits.verify("t9").intact
    with pytest.raises(OrielError, match="no audit entry"):
        audits.checkpoint("t9")


def test_withdrawing_and_restoring_a_version_say_so(changed):
    from registry.catalogue import Catalogue

    catalogue = Catalogue(changed.registry)
    for status in ("yanked", "yanked", "ready", "deprecated"):
        catalogue.set_status(PUBLISHER, NAME, "1.0.0", status)
    actions = [entry.action for entry in changed.store.list_audit(None, limit=3).items]
    assert actions == ["version.deprecate", "version.restore", "version.yank"]
