"""Quarantine and the audit."""

from msgspec.structs import replace

from oriel.store.records import AuditEntry, Quarantine
from tests.store.factory import T0, install, version

HASH = version("1.0.0")[1].content_hash
STOPPED = Quarantine(content_hash=HASH, extension_id="com.acme.notes", deaths=3, reason="It aborts.", created_at=T0)


def entry(audit_id="aud_1", tenant_id=None, **fields):
    record = {"at": T0, "actor": "platform", "action": "quarantine.add", "target": HASH}
    return AuditEntry(tenant_id=tenant_id, audit_id=audit_id, **(record | fields))


def audit(store, tenant_id=None):
    return [item.audit_id for item in store.list_audit(tenant_id).items]


def test_a_bundle_in_quarantine_comes_back_as_it_was_put_with_its_audit_entry(store):
    assert store.put_quarantine(STOPPED, entry(after={"deaths": 3}))
    assert store.get_quarantine(HASH) == STOPPED
    assert store.list_quarantine().items == (STOPPED,)
    (written,) = store.list_audit(None).items
    assert (written.audit_id, written.after, written.sequence) == ("aud_1", {"deaths": 3}, 1)


def test_the_same_bundle_again_changes_nothing_and_is_not_audited(store):
    store.put_quarantine(STOPPED, entry())
    assert not store.put_quarantine(replace(STOPPED, deaths=9), entry("aud_2"))
    assert store.get_quarantine(HASH).deaths == 3
    assert audit(store) == ["aud_1"]


def test_lifting_is_audited_and_lifting_what_is_not_there_is_not(store):
    store.put_quarantine(STOPPED, entry())
    assert store.delete_quarantine(HASH, entry("aud_2", action="quarantine.lift"))
    assert not store.delete_quarantine(HASH, entry("aud_3"))
    assert store.get_quarantine(HASH) is None
    assert audit(store) == ["aud_2", "aud_1"]


def test_resolve_tells_of_quarantine_whoever_installed_it_and_no_other_version(published):
    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
    published.create_install(install("t3", version="1.1.0"))
    published.put_quarantine(STOPPED, entry())
    found = {tenant: published.resolve(tenant, "com.acme.notes").quarantined for tenant in ("t1", "t2", "t3")}
    assert found == {"t1": True, "t2": True, "t3": False}
    published.delete_quarantine(HASH, entry("aud_2"))
    assert not published.resolve("t1", "com.acme.notes").quarantined


def test_quarantine_is_listed_in_pages(store):
    hashes = [f"sha256:{n}" for n in range(5)]
    for at, content_hash in enumerate(hashes):
        store.put_quarantine(replace(STOPPED, content_hash=content_hash), entry(f"aud_{at}"))
    first = store.list_quarantine(limit=3)
    second = store.list_quarantine(first.cursor, limit=3)
    assert [item.content_hash for item in (*first.items, *second.items)] == hashes
    assert second.cursor is None
