"""Schedules and their runs, and their place in the queue."""

import pytest
from msgspec.structs import replace

from oriel.store import Conflict
from tests.store.factory import LATER, T0, install, run, schedule

LEASE = T0 + 60_000


@pytest.fixture
def installed(published):
    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
    return published


def claimed(store, until=LEASE):
    return [(work.tenant_id, work.kind, work.item_id) for work in store.claim_work(until)]


def test_a_schedule_comes_back_as_it_was_made_and_an_install_has_a_name_once(installed):
    made = schedule(payload=None, off_reason="x", missed="skip", overlap=True)
    installed.create_schedule(made)
    assert installed.get_schedule("t1", "sch_1") == made
    assert installed.get_schedule("t2", "sch_1") is None
    for taken in (schedule(), schedule("sch_2", name="sch_1"), schedule("sch_3", install_id="gone")):
        with pytest.raises(Conflict):
            installed.create_schedule(taken)
    installed.create_schedule(schedule("sch_2", "t2", name="sch_1"))


def test_a_schedule_is_work_at_its_next_time_and_none_while_it_has_none(installed, clock):
    installed.create_schedule(schedule())
    installed.create_schedule(schedule("sch_2", next_at=None))
    assert claimed(installed) == []
    clock.now = T0 + 1_000
    assert claimed(installed) == [("t1", "schedule", "sch_1")]
    installed.replace_schedule(schedule(next_at=None, revision=2))
    installed.replace_schedule(schedule("sch_2", next_at=T0 + 1_000, revision=2))
    assert claimed(installed) == [("t1", "schedule", "sch_2")]
    clock.now = LEASE
    assert claimed(installed, LEASE + 1) == [("t1", "schedule", "sch_2")]


def test_who_changes_a_schedule_must_have_seen_it_as_it_is(installed):
    installed.create_schedule(schedule())
    installed.replace_schedule(schedule(name="new", revision=2))
    for stale in (schedule(revision=2), schedule(revision=4), schedule("sch_9", revision=2)):
        with pytest.raises(Conflict):
            installed.replace_schedule(stale)
    assert installed.get_schedule("t1", "sch_1") == schedule(name="new", revision=2)
    installed.create_schedule(schedule("sch_2", name="sch_1"))
    with pytest.raises(Conflict):
        installed.replace_schedule(schedule("sch_2", name="new", revision=2))


def test_a_deleted_schedule_is_no_work_and_its_name_is_free(installed, clock):
    installed.create_schedule(schedule())
    assert installed.delete_schedule("t1", "sch_1")
    assert not installed.delete_schedule("t1", "sch_1")
    clock.now = T0 + 1_000
    assert claimed(installed) == []
    installed.create_schedule(schedule("sch_2", name="sch_1"))


def test_schedules_go_with_their_install(installed):
    for tenant in ("t1", "t2"):
        installed.create_schedule(schedule(tenant_id=tenant))
    installed.delete_install("t1", "com.acme.notes")
    assert installed.list_schedules("t1").items == ()
    assert len(installed.list_schedules("t2").items) == 1
    installed.create_install(install(install_id="ins_new"))
    installed.create_schedule(schedule("sch_2", name="sch_1", install_id="ins_new"))


def test_schedules_are_listed_in_pages_of_the_tenant_or_of_an_install(installed):
    for number in range(4):
        installed.create_schedule(schedule(f"sch_{number}"))
    first = installed.list_schedules("t1", limit=3)
    rest = installed.list_schedules("t1", cursor=first.cursor, limit=3)
    assert [item.schedule_id for item in (*first.items, *rest.items)] == [f"sch_{number}" for number in range(4)]
    assert rest.cursor is None
    assert len(installed.list_schedules("t1", install().install_id).items) == 4
    assert installed.list_schedules("t1", "other").items == ()


def test_a_run_starts_with_the_change_of_its_schedule_or_not_at_all(installed, clock):
    installed.create_schedule(schedule())
    clock.now = T0 + 1_000
    (work,) = installed.claim_work(LEASE)
    following = schedule(next_at=T0 + 9_000, revision=2)
    installed.start_run(following, run())
    for again in (run(), run("2")):
        with pytest.raises(Conflict):
            installed.start_run(following, again)
    assert installed.get_schedule("t1", "sch_1") == following
    assert not installed.release_work(work, None)
    assert claimed(installed) == [("t1", "run", "sch_1.1")]
    assert installed.get_run("t1", "sch_1.2") is installed.get_run("t2", "sch_1.1") is None


def test_a_run_that_was_skipped_is_no_work(installed, clock):
    installed.create_schedule(schedule())
    installed.start_run(schedule(revision=2), run(state="skipped", reason="overlap"))
    assert claimed(installed) == []
    assert installed.list_runs("t1", "sch_1").items == (run(state="skipped", reason="overlap"),)


def test_a_run_is_settled_by_who_has_it(installed, clock):
    installed.create_schedule(schedule())
    installed.start_run(schedule(revision=2), run())
    (work,) = installed.claim_work(LEASE)
    begun = run(state="running", attempts=1, started_at=T0)
    assert installed.settle_run(begun, work, work.due_at)
    ended = replace(begun, state="succeeded", status=200, finished_at=T0 + 5, execution_id="exe_1")
    assert installed.settle_run(ended, work, None)
    assert not installed.settle_run(begun, work, None)
    assert not installed.settle_run(begun, work, work.due_at)
    assert installed.get_run("t1", "sch_1.1") == ended


def test_runs_are_listed_newest_first_each_schedules_own(installed):
    installed.create_schedule(schedule())
    installed.create_schedule(schedule("sch_10"))
    for number in range(4):
        installed.start_run(schedule(revision=number + 2), run(str(number)))
    installed.start_run(schedule("sch_10", revision=2), run("9", "sch_10"))
    first = installed.list_runs("t1", "sch_1", limit=3)
    rest = installed.list_runs("t1", "sch_1", first.cursor, limit=3)
    assert [item.run_id for item in (*first.items, *rest.items)] == [f"sch_1.{number}" for number in (3, 2, 1, 0)]
    assert rest.cursor is None
    assert [item.run_id for item in installed.list_runs("t1", "sch_10").items] == ["sch_10.9"]


def test_what_has_expired_is_purged(installed, backend):
    installed.create_schedule(schedule())
    installed.start_run(schedule(revision=2), run(state="skipped"))
    backend.clock.now = LATER
    assert installed.purge_expired() == (0 if backend.expires_by_itself else 1)
