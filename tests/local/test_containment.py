"""Workers killed at work, through the whole platform: who pays, who does not, and who is stopped for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from oriel.errors import OrielError
from oriel.store import open_store
from tests.guests import hostile
from tests.support.platform import client, publish, publish_and_install, running
from tests.support.waiting import eventually
from tests.support.workers import kill_while_running

SLOW = {"timeout_ms": 20_000}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    folder = tmp_path_factory.mktemp("containment")
    with running(folder, runner_workers=2, runner_threads=3, cache_seconds=0.1) as up:
        yield up


def called(platform, extension, tenant="northwind"):
    """The execution's id, and the status or the problem's code."""
    with client(platform, tenant=tenant) as caller:
        answer = caller.call(extension, "/")
    outcome = answer.status_code if answer.is_success else answer.json()["code"]
    return answer.headers.get("x-ext-execution-id"), outcome


def test_a_worker_killed_under_load_costs_what_is_inside_and_nothing_hangs(platform):
    good = publish_and_install(platform, hostile.HELLO, name="com.acme.load-good")
    slow = publish_and_install(platform, hostile.LOOP, name="com.acme.load-slow", limits=SLOW)
    before, over = set(platform.worker_pids()), threading.Event()

    def keep_calling():
        outcomes = []
        while not over.is_set():
            outcomes.append(called(platform, good))
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(keep_calling) for _ in range(4)]
        killed = set()
        for _ in range(2):
            held = pool.submit(called, platform, slow)
            killed |= kill_while_running(platform, slow)
            assert held.result(15)[1] == "worker_lost"
        platform._workers.wait_ready()
        over.set()
        outcomes = dict(outcome for caller in callers for outcome in caller.result(15))
    assert set(outcomes.values()) <= {200, "worker_lost"}
    assert {outcomes[execution] for execution in killed & outcomes.keys()} <= {"worker_lost"}
    assert list(outcomes.values()).count(200) > list(outcomes.values()).count("worker_lost")
    assert len(platform.worker_pids()) == 2
    assert set(platform.worker_pids()) != before
    assert [called(platform, good)[1] for _ in range(20)] == [200] * 20


def test_idle_connections_to_a_worker_that_ended_cost_no_request(platform):
    good = publish_and_install(platform, hostile.HELLO, name="com.acme.idle-good")
    slow = publish_and_install(platform, hostile.LOOP, name="com.acme.idle-slow", limits=SLOW)
    with ThreadPoolExecutor(8) as pool:
        assert {outcome for _, outcome in pool.map(lambda _: called(platform, good), range(16))} == {200}
        for _ in range(2):
            held = pool.submit(called, platform, slow)
            kill_while_running(platform, slow)
            held.result(15)
            assert {outcome for _, outcome in pool.map(lambda _: called(platform, good), range(16))} == {200}


def test_what_kills_workers_is_stopped_for_every_tenant_until_an_operator_lifts_it(platform):
    killer = publish_and_install(platform, hostile.LOOP, name="com.acme.killer", limits=SLOW)
    good = publish_and_install(platform, hostile.HELLO, name="com.acme.bystander")
    content_hash = publish(platform, hostile.LOOP, name="com.acme.killer", limits=SLOW)["content_hash"]
    with client(platform, tenant="contoso") as other:
        other.install(killer, grants=[])

    with ThreadPoolExecutor(1) as pool, client(platform) as operator:
        for _ in range(3):
            held = pool.submit(called, platform, killer)
            kill_while_running(platform, killer)
            assert held.result(15)[1] == "worker_lost"
        (record,) = eventually(lambda: operator.listing("/quarantine"))
        assert (record["content_hash"], record["extension_id"], record["deaths"]) == (content_hash, killer, 3)

        time.sleep(platform.settings.cache_seconds)
        assert called(platform, killer)[1] == called(platform, killer, tenant="contoso")[1] == "quarantined"
        assert called(platform, good)[1] == 200
        with client(platform, tenant="fabrikam") as third, pytest.raises(OrielError) as refused:
            third.install(killer, grants=[])
        assert refused.value.code == "quarantined"

        operator.api("DELETE", f"/quarantine/{content_hash}")
        operator.api("PATCH", f"/installs/{killer}", json={"limits": {"timeout_ms": 50}})
        time.sleep(platform.settings.cache_seconds)
        assert called(platform, killer)[1] == "deadline_exceeded"

    store = open_store(platform.settings.store_url)
    audit = [(entry.action, entry.actor) for entry in store.list_audit(None).items if entry.target == content_hash]
    store.close()
    assert audit == [("quarantine.lift", "northwind/ada"), ("quarantine.add", "platform")]
