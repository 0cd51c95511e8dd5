"""The audit's chains: one place for each entry, whoever writes at once, and nothing without its change."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import asdict

from oriel.store import Conflict
from oriel.store.audit import faults, head_of
from oriel.store.records import AuditEntry
from tests.store.factory import T0, delivery, install, key, publisher, run, schedule, version
from tests.store.test_registry_records import secret

WRITERS, EACH = 4, 4


def entry(audit_id="aud_1", tenant_id=None, **fields):
    record = {"at": T0, "actor": "t1/ada", "action": "test", "target": "it"}
    return AuditEntry(tenant_id=tenant_id, audit_id=audit_id, **(record | fields))


def ids(store, tenant_id=None):
    return [item.audit_id for item in store.list_audit(tenant_id).items]


def assert_whole(store, tenant_id, length):
    chain = store.read_audit(tenant_id)
    assert [link.sequence for link in chain] == list(range(1, length + 1))
    assert list(faults(chain, store.get_audit_head(tenant_id))) == []


def test_an_entry_comes_back_as_it_was_written_in_its_place(store):
    before, after = {"é": [1, 2.5, None, {"\x00": True}]}, {}
    written = store.append_audit(entry(before=before, after=after))
    assert store.list_audit(None).items == store.read_audit(None) == (written,)
    assert asdict(written) | asdict(entry(before=before, after=after)) == asdict(written)
    assert store.get_audit_head(None) == head_of(written)


def test_the_audit_of_a_tenant_is_its_own_and_newest_first(store):
    for at, tenant in enumerate(("t1", "t2", None, "t1")):
        store.append_audit(entry(f"aud_{at}", tenant))
    assert (ids(store, "t1"), ids(store, "t2"), ids(store)) == (["aud_3", "aud_0"], ["aud_1"], ["aud_2"])
    assert {item.tenant_id for item in store.list_audit("t1").items} == {"t1"}
    page = store.list_audit("t1", limit=1)
    assert [item.audit_id for item in store.list_audit("t1", page.cursor).items] == ["aud_0"]
    assert [link.audit_id for link in store.read_audit("t1", after=1)] == ["aud_3"]
    for tenant, length in (("t1", 2), ("t2", 1), (None, 1)):
        assert_whole(store, tenant, length)


def test_the_heads_of_all_chains_are_listed_in_pages(store):
    for tenant in ("t2", None, "t1"):
        store.append_audit(entry(tenant_id=tenant))
    first = store.list_audit_heads(limit=2)
    rest = store.list_audit_heads(first.cursor)
    assert [head.tenant_id for head in (*first.items, *rest.items)] == [None, "t1", "t2"]
    assert first.items[0] == store.get_audit_head(None)


def test_writers_at_once_make_one_chain_without_gaps_and_lose_nothing(backend, store):
    def write(writer):
        own = backend.open()
        return [own.append_audit(entry(f"aud_{writer}_{number}", "t1")).sequence for number in range(EACH)]

    with ThreadPoolExecutor(WRITERS) as pool:
        places = [place for written in pool.map(write, range(WRITERS)) for place in written]
    assert sorted(places) == list(range(1, WRITERS * EACH + 1))
    assert len(set(ids(store, "t1"))) == WRITERS * EACH
    assert_whole(store, "t1", WRITERS * EACH)


CHANGES = {
    "put_publisher": lambda store, entry: store.put_publisher(publisher(revoked_at=T0), entry),
    "put_publisher_key": lambda store, entry: store.put_publisher_key(key(revoked_at=T0), entry),
    "create_version": lambda store, entry: store.create_version(*version("3.0.0"), entry),
    "set_version_status": lambda store, entry: store.set_version_status("com.acme.notes", "1.0.0", "yanked", entry),
    "create_install": lambda store, entry: store.create_install(install("t2"), entry),
    "replace_install": lambda store, entry: store.replace_install(install(status="disabled", revision=2), entry),
    "put_secret": lambda store, entry: store.put_secret(secret("other"), entry),
    "delete_secret": lambda store, entry: store.delete_secret("t1", install().install_id, "token", entry),
    "create_schedule": lambda store, entry: store.create_schedule(schedule("sch_2"), entry),
    "replace_schedule": lambda store, entry: store.replace_schedule(schedule(enabled=False, revision=2), entry),
    "start_run": lambda store, entry: store.start_run(schedule(revision=3), run(), entry),
    "delete_schedule": lambda store, entry: store.delete_schedule("t1", "sch_1", entry),
    "put_deliveries": lambda store, entry: store.put_deliveries([delivery("evt_2"), delivery()], entry),
    "revive_deliveries": lambda store, entry: store.revive_deliveries([delivery("evt_2"), delivery()], entry),
    "delete_install": lambda store, entry: store.delete_install("t1", "com.acme.notes", entry),
}
REFUSED = {
    "put_publisher_key": lambda store, entry: store.put_publisher_key(key("nobody"), entry),
    "create_version": lambda store, entry: store.create_version(*version("1.0.0"), entry),
    "set_version_status": lambda store, entry: store.set_version_status("com.acme.notes", "9.0.0", "yanked", entry),
    "create_install": lambda store, entry: store.create_install(install(), entry),
    "replace_install": lambda store, entry: store.replace_install(install(revision=7), entry),
    "put_secret": lambda store, entry: store.put_secret(secret(install_id="ins_none"), entry),
    "delete_secret": lambda store, entry: store.delete_secret("t1", install().install_id, "none", entry),
    "create_schedule": lambda store, entry: store.create_schedule(schedule(), entry),
    "replace_schedule": lambda store, entry: store.replace_schedule(schedule(revision=7), entry),
    "start_run": lambda store, entry: store.start_run(schedule(revision=7), run(), entry),
    "delete_schedule": lambda store, entry: store.delete_schedule("t1", "sch_9", entry),
    "put_deliveries": lambda store, entry: store.put_deliveries([delivery()], entry),
    "revive_deliveries": lambda store, entry: store.revive_deliveries([delivery("evt_9")], entry),
    "delete_install": lambda store, entry: store.delete_install("t1", "com.acme.none", entry),
}


@pytest.fixture
def lived_in(published):
    published.create_install(install())
    published.put_secret(secret())
    published.create_schedule(schedule())
    published.put_deliveries([delivery(state="dead")])
    return published


def test_every_change_is_made_with_its_entry(lived_in):
    for name, change in CHANGES.items():
        tenant = None if "publisher" in name or "version" in name else "t2" if name == "create_install" else "t1"
        before = len(ids(lived_in, tenant))
        change(lived_in, entry(f"aud_{name}", tenant))
        assert ids(lived_in, tenant)[0] == f"aud_{name}"
        assert_whole(lived_in, tenant, before + 1)


def test_what_is_refused_or_finds_nothing_leaves_no_entry(lived_in):
    for name, change in REFUSED.items():
        tenant = None if "publisher" in name or "version" in name else "t1"
        with contextlib.suppress(Conflict):
            change(lived_in, entry(f"aud_{name}", tenant))
        assert ids(lived_in, tenant) == [], name
