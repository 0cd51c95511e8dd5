"""Fair shares of the threads that run guests. Work is held back with events, never with sleeps."""

import os
import threading
from concurrent.futures import CancelledError

import pytest

from oriel.errors import OrielError
from runner.partition import divided
from runner.pool import HEAVY_CPU_SECONDS, FairPool, Share
from tests.support.waiting import eventually

LIGHT, HEAVY, REFUSED = 0.001, HEAVY_CPU_SECONDS, 0.0


def computed(result):
    """Work says by its result how long it has computed, where that matters."""
    return result if isinstance(result, float) else LIGHT


class Held:
    """Work that says when it runs and ends when it is let go."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.release = threading.Event()

    def __call__(self) -> str:
        self.running.set()
        assert self.release.wait(10)
        return "done"


@pytest.fixture
def pool_of():
    pools, held = [], []

    def make(**shares: int) -> FairPool:
        share = Share(
            **{
                "threads": 2,
                "per_tenant": 2,
                "per_install": 2,
                "heavy_per_tenant": 2,
                "queue": 8,
                "queue_per_tenant": 8,
                **shares,
            }
        )
        pools.append(FairPool(share, computed))
        return pools[-1]

    def hold() -> Held:
        held.append(Held())
        return held[-1]

    make.hold = hold
    yield make
    for work in held:
        work.release.set()
    for pool in pools:
        pool.close()


def test_work_is_done_and_its_result_handed_back(pool_of):
    assert pool_of().submit("acme", "ins_1", lambda: 42).result(5) == 42


def test_what_the_work_raises_reaches_its_caller_and_no_other(pool_of):
    pool = pool_of(threads=1)
    failed = pool.submit("acme", "ins_1", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(5)
    assert pool.submit("acme", "ins_1", lambda: "next").result(5) == "next"


def test_one_tenant_cannot_hold_all_threads(pool_of):
    pool = pool_of(threads=2, per_tenant=1)
    looping = [pool_of.hold() for _ in range(3)]
    for work in looping:
        pool.submit("noisy", "ins_1", work)
    assert looping[0].running.wait(5)
    assert pool.submit("quiet", "ins_2", lambda: "served").result(5) == "served"
    assert not looping[1].running.is_set()


def test_one_install_cannot_hold_all_threads_of_its_tenant(pool_of):
    pool = pool_of(threads=2, per_install=1)
    looping = [pool_of.hold() for _ in range(2)]
    for work in looping:
        pool.submit("acme", "noisy", work)
    assert looping[0].running.wait(5)
    assert pool.submit("acme", "quiet", lambda: "served").result(5) == "served"
    assert not looping[1].running.is_set()


def test_installs_of_two_tenants_with_one_id_are_two_installs(pool_of):
    pool = pool_of(threads=2, per_install=1)
    held = pool_of.hold()
    pool.submit("acme", "ins_1", held)
    assert held.running.wait(5)
    assert pool.submit("other", "ins_1", lambda: "served").result(5) == "served"


def done(pool, tenant, install, work):
    """Have work done and wait until its thread is free: a thread hands its result over first."""
    pool.submit(tenant, install, work).result(5)
    eventually(lambda: not pool._running)


def test_a_tenants_heavy_installs_together_hold_no_more_threads_than_they_may(pool_of):
    pool = pool_of(threads=3, per_tenant=3, per_install=3, heavy_per_tenant=1)
    for install in ("ins_1", "ins_2"):
        done(pool, "noisy", install, lambda: HEAVY)
    looping = [pool_of.hold() for _ in range(2)]
    for install, work in zip(("ins_1", "ins_2"), looping, strict=True):
        pool.submit("noisy", install, work)
    assert looping[0].running.wait(5)
    assert pool.submit("noisy", "ins_3", lambda: "served").result(5) == "served"
    assert pool.submit("quiet", "ins_1", lambda: "served").result(5) == "served"
    assert not looping[1].running.is_set()
    looping[0].release.set()
    assert looping[1].running.wait(5)


def test_an_install_that_mends_is_not_heavy_for_long(pool_of):
    pool = pool_of(threads=2, per_install=2, heavy_per_tenant=1)
    done(pool, "acme", "ins_1", lambda: HEAVY)
    assert pool._heavy
    done(pool, "acme", "ins_1", lambda: LIGHT)
    waiting = [pool_of.hold() for _ in range(2)]
    for work in waiting:
        pool.submit("acme", "ins_1", work)
    assert all(work.running.wait(5) for work in waiting)


def test_requests_that_are_refused_or_fail_before_they_run_do_not_make_a_heavy_install_light(pool_of):
    pool = pool_of(threads=3, per_install=3, heavy_per_tenant=1)
    done(pool, "acme", "ins_1", lambda: HEAVY)
    done(pool, "acme", "ins_1", lambda: REFUSED)
    with pytest.raises(ZeroDivisionError):
        done(pool, "acme", "ins_1", lambda: 1 // 0)
    eventually(lambda: not pool._running)
    assert pool._heavy


def test_the_threads_of_heavy_installs_keep_to_cpus_of_their_own(pool_of):
    pool = pool_of(threads=2)
    done(pool, "noisy", "ins_1", lambda: HEAVY)
    others, heavy = map(set, divided(sorted(os.sched_getaffinity(0)), 1))
    looping, looked = pool_of.hold(), {}

    def loop():
        looked["heavy"] = os.sched_getaffinity(0)
        return looping()

    running = pool.submit("noisy", "ins_1", loop)
    assert looping.running.wait(5)
    assert pool.submit("quiet", "ins_2", lambda: os.sched_getaffinity(0)).result(5) == others
    looping.release.set()
    running.result(5)
    assert looked["heavy"] == heavy


def test_work_that_waited_for_a_heavy_install_to_mend_goes_to_the_threads_that_idle(pool_of):
    pool = pool_of(threads=3, per_tenant=3, per_install=3, heavy_per_tenant=1)
    done(pool, "acme", "ins_1", lambda: HEAVY)
    light, waiting = pool_of.hold(), [pool_of.hold() for _ in range(2)]
    pool.submit("acme", "ins_1", light)
    assert light.running.wait(5)
    for work in waiting:
        pool.submit("acme", "ins_1", work)
    assert not any(work.running.is_set() for work in waiting)
    light.release.set()
    assert all(work.running.wait(5) for work in waiting)


def test_heavy_installs_leave_a_cpu_free_where_there_are_two():
    assert [Share.of(8, cpus).heavy_per_tenant for cpus in (1, 2, 4, 64)] == [1, 1, 3, 7]
    assert Share.of(1, 8).heavy_per_tenant == 1


def test_waiting_tenants_take_turns(pool_of):
    pool = pool_of(threads=1)
    order, first = [], pool_of.hold()
    pool.submit("noisy", "ins_1", first)
    assert first.running.wait(5)
    waiting = [pool.submit("noisy", "ins_1", lambda at=at: order.append(f"noisy {at}")) for at in range(3)]
    waiting += [pool.submit("quiet", "ins_2", lambda at=at: order.append(f"quiet {at}")) for at in range(2)]
    first.release.set()
    for future in waiting:
        future.result(5)
    assert order == ["noisy 0", "quiet 0", "noisy 1", "quiet 1", "noisy 2"]


def test_a_full_queue_refuses_with_a_time_to_retry_after(pool_of):
    pool = pool_of(threads=1, queue=1)
    held = pool_of.hold()
    pool.submit("one", "ins_1", held)
    pool.submit("two", "ins_2", held)
    with pytest.raises(OrielError) as refused:
        pool.submit("three", "ins_3", held)
    assert (refused.value.code, refused.value.retry_after) == ("overloaded", 1)


def test_a_tenant_with_a_full_part_of_the_queue_leaves_room_for_others(pool_of):
    pool = pool_of(threads=1, per_tenant=1, queue=8, queue_per_tenant=1)
    held = pool_of.hold()
    pool.submit("noisy", "ins_1", held)
    pool.submit("noisy", "ins_1", held)
    with pytest.raises(OrielError, match="this tenant"):
        pool.submit("noisy", "ins_1", held)
    quiet = pool.submit("quiet", "ins_2", lambda: "served")
    held.release.set()
    assert quiet.result(5) == "served"


def test_a_cancelled_request_never_runs_and_frees_its_place(pool_of):
    pool = pool_of(threads=1, queue=1)
    held, never = pool_of.hold(), pool_of.hold()
    pool.submit("one", "ins_1", held)
    assert held.running.wait(5)
    assert pool.submit("two", "ins_2", never).cancel()
    last = pool.submit("three", "ins_3", lambda: "served")
    held.release.set()
    assert last.result(5) == "served"
    assert not never.running.is_set()


def test_closing_cancels_what_waits_and_lets_run_what_runs(pool_of):
    pool = pool_of(threads=1)
    held = pool_of.hold()
    running, waiting = pool.submit("one", "ins_1", held), pool.submit("two", "ins_2", held)
    assert held.running.wait(5)
    closing = threading.Thread(target=pool.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(5)
    held.release.set()
    closing.join(5)
    assert running.result(5) == "done"
    with pytest.raises(OrielError) as refused:
        pool.submit("one", "ins_1", held)
    assert refused.value.code == "unavailable"


def test_nothing_is_kept_of_tenants_that_are_gone(pool_of):
    pool = pool_of()
    for tenant in range(50):
        pool.submit(f"tenant-{tenant}", "ins_1", lambda: None).result(5)
    pool.close()
    assert not pool._admitted
    assert not pool._running
    assert not pool._heavy
    assert not pool._waiting
