"""Rollouts, who follows a range, what is to be deleted, and claims."""

import pytest
from msgspec.structs import replace

from oriel.store import Conflict
from oriel.store.base import EVERY_EXECUTION
from oriel.store.guests import GuestWrite
from oriel.store.records import ExecutionFilter, Rollout
from tests.store.factory import T0, install, key, version
from tests.store.test_registry_records import NOTES, execution, secret

ROLLOUT = Rollout(
    extension_id="com.acme.notes",
    version="1.1.0",
    percent=10,
    status="active",
    started_by="/ann",
    created_at=T0,
    updated_at=T0,
)


def test_a_rollout_comes_back_as_it_was_written_and_is_replaced_from_the_revision_before(published):
    published.create_rollout(ROLLOUT)
    assert published.get_rollout("com.acme.notes", "1.1.0") == ROLLOUT
    raised = replace(ROLLOUT, percent=50, moved=3, revision=2)
    published.replace_rollout(raised)
    assert published.list_rollouts("com.acme.notes") == (raised,)
    with pytest.raises(Conflict):
        published.replace_rollout(raised)
    assert published.list_rollouts("com.acme") == ()


def test_a_version_has_one_rollout_and_must_be_there(published):
    published.create_rollout(ROLLOUT)
    for refused in (ROLLOUT, replace(ROLLOUT, version="9.0.0")):
        with pytest.raises(Conflict):
            published.create_rollout(refused)


def test_the_work_list_holds_rollouts_that_are_not_settled(published):
    published.create_rollout(ROLLOUT)
    published.create_rollout(replace(ROLLOUT, version="1.0.0", settled=True))
    assert published.pending_rollouts() == (ROLLOUT,)
    published.replace_rollout(replace(ROLLOUT, settled=True, revision=2))
    assert published.pending_rollouts() == ()


def test_followers_of_all_tenants_are_listed_as_they_are_now_and_pinned_installs_are_not(published):
    for tenant in ("t2", "t1", "t3"):
        published.create_install(install(tenant, follows="" if tenant == "t3" else "^1.0.0"))
    page = published.list_followers("com.acme.notes", limit=1)
    rest = published.list_followers("com.acme.notes", page.cursor)
    assert [item.tenant_id for item in (*page.items, *rest.items)] == ["t1", "t2"]
    published.replace_install(install("t1", status="disabled", follows="^1.0.0", revision=2))
    assert published.list_followers("com.acme.notes").items[0].status == "disabled"
    published.replace_install(install("t1", revision=3))
    published.delete_install("t2", "com.acme.notes")
    assert published.list_followers("com.acme.notes").items == ()


def test_an_install_that_a_rollout_moved_runs_the_version_before_once_that_is_rolled_back(published):
    moved = {"version": "1.1.0", "previous_version": "1.0.0", "follows": "^1.0.0"}
    published.create_install(install("t1", by_rollout=True, **moved))
    published.create_install(install("t2", **moved))  # by its administrator
    published.create_rollout(ROLLOUT)
    runs = [published.resolve(tenant, "com.acme.notes") for tenant in ("t1", "t2")]
    assert [found.version.version for found in runs] == ["1.1.0", "1.1.0"]
    published.replace_rollout(replace(ROLLOUT, status="rolled_back", revision=2))
    runs = [published.resolve(tenant, "com.acme.notes") for tenant in ("t1", "t2")]
    assert [(found.version.version, found.install.version) for found in runs] == [
        ("1.0.0", "1.0.0"),
        ("1.1.0", "1.1.0"),
    ]


def test_going_back_also_goes_back_to_the_signer_of_the_version_before(published):
    published.put_publisher_key(key(key_id="sha256:k2", revoked_at=T0))
    published.create_version(*version("1.2.0", signer_key_id="sha256:k2"))
    published.create_rollout(replace(ROLLOUT, version="1.2.0"))
    published.create_install(install(version="1.2.0", previous_version="1.0.0", by_rollout=True))
    assert published.resolve("t1", "com.acme.notes").signer_revoked
    published.replace_rollout(replace(ROLLOUT, version="1.2.0", status="rolled_back", revision=2))
    assert not published.resolve("t1", "com.acme.notes").signer_revoked


def test_what_is_due_for_deletion_is_listed_for_all_tenants_when_its_time_has_come(published, clock):
    for number, tenant in enumerate(("t1", "t2", "t3")):
        published.create_install(install(tenant, status="uninstalled", delete_at=T0 + number))
    clock.now = T0 + 1
    assert sorted(item.tenant_id for item in published.due_deletions()) == ["t1", "t2"]
    published.replace_install(install("t1", revision=2))
    published.delete_install("t2", "com.acme.notes")
    assert published.due_deletions() == ()


def test_a_deletion_counts_what_it_deleted_of_each_kind_and_nothing_of_another(published, monkeypatch):
    for backend in ("sql", "dynamodb"):
        monkeypatch.setattr(f"oriel.store.{backend}.installs.PIECE", 4)
    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
        published.put_secret(secret(tenant_id=tenant))
        own = install(tenant).install_id
        published.guest_put(tenant, own, [GuestWrite(key=f"k{number}", value=b"", text=False) for number in range(9)])
        mine = [execution(f"exe_{number}", tenant, install_id=own) for number in range(6)]
        published.record_executions([*mine, execution("exe_other", tenant)])
    counts = published.delete_install("t1", "com.acme.notes")
    counted = [counts[kind] for kind in ("secrets", "records", "executions")]
    assert counted == [1, 9, 6]
    for where in (EVERY_EXECUTION, NOTES, ExecutionFilter(request_id="req_1")):
        assert [item.execution_id for item in published.list_executions("t1", where).items] == ["exe_other"]
    assert len(published.list_executions("t2").items) == 7
    assert published.get_install("t1", "com.acme.notes") is None
    assert published.delete_install("t1", "com.acme.notes") is None


def test_a_deletion_that_was_cut_off_is_carried_on_and_counted_as_one(published):
    published.create_install(install(erased={"records": 3}))
    published.put_secret(secret())
    counts = published.delete_install("t1", "com.acme.notes")
    assert (counts["records"], counts["secrets"]) == (3, 1)


def test_a_claim_is_held_by_one_until_it_ends_or_is_let_go(store, clock):
    assert store.claim("bundle", "a", T0 + 10)
    assert not store.claim("bundle", "b", T0 + 10)
    assert store.claim("bundle", "a", T0 + 20)
    store.release("bundle", "b")
    assert not store.claim("bundle", "b", T0 + 30)
    clock.now = T0 + 20
    assert store.claim("bundle", "b", T0 + 40)
    store.release("bundle", "a")
    assert not store.claim("bundle", "a", T0 + 50)
    store.release("bundle", "b")
    assert store.claim("bundle", "a", T0 + 50)
