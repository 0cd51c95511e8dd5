"""The worker of one machine: one tenant's slow handlers and long queue do not hold up another's."""

import threading
import time

import pytest

from gateway.dispatch_worker import DispatchWorker
from oriel.store import StoreUnavailable
from tests.support.dispatching import LONGEST_MS, World
from tests.support.gateway import answer

SECONDS, THREADS = 20, 4


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, "acme", "other")
    world.free, world.inside = threading.Event(), []
    world.runner.reply = lambda asked: reply(world, asked)
    world.worker = DispatchWorker(world.dispatcher, threads=THREADS, poll_seconds=0.01, retry_seconds=0.01)
    yield world
    world.free.set()
    world.worker.stop()
    world.close()


def reply(world, asked):
    world.inside.append(asked.context.tenant_id)
    if asked.context.tenant_id == "acme":
        assert world.free.wait(SECONDS)
    return answer(204)


def wait_until(true):
    until = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_tenant_whose_handlers_hang_has_half_of_the_threads_and_the_others_go_on(world):
    slow = [world.emit(data={"n": number}) for number in range(10)]
    world.worker.start()
    wait_until(lambda: world.inside.count("acme") == THREADS // 2)
    quick = [world.emit(tenant="other", data={"n": number}) for number in range(3)]
    world.worker.wake()
    wait_until(lambda: all(one.state == "delivered" for event in quick for one in world.deliveries(event)))
    assert world.inside.count("acme") == THREADS // 2
    world.free.set()
    wait_until(lambda: all(one.state == "delivered" for event in slow for one in world.deliveries(event)))


def failing(method, errors):
    """`method`, which raises these first."""

    def call(*arguments):
        if errors:
            raise errors.pop(0)
        return method(*arguments)

    return call


def test_what_could_not_be_settled_is_settled_later_and_its_handler_is_not_called_again(world, monkeypatch):
    settle = failing(world.stored.settle_deliveries, [StoreUnavailable(), StoreUnavailable()])
    monkeypatch.setattr(world.stored, "settle_deliveries", settle)
    world.free.set()
    event = world.emit()
    world.worker.start()
    wait_until(lambda: [one.state for one in world.deliveries(event)] == ["delivered"])
    assert world.inside == ["acme"]


def test_a_fault_inside_costs_a_pause_and_the_others_go_on(world, monkeypatch):
    faults = [ValueError("a fault")]
    monkeypatch.setattr(world.stored, "spread_events", failing(world.stored.spread_events, faults))
    world.free.set()
    caught = world.emit()
    world.worker.start()
    wait_until(lambda: not faults)
    other = world.emit(tenant="other")
    world.worker.wake()
    wait_until(lambda: [one.state for one in world.deliveries(other)] == ["delivered"])
    world.pass_time(LONGEST_MS + 10_000)
    wait_until(lambda: [one.state for one in world.deliveries(caught)] == ["delivered"])


def test_stopping_waits_for_what_runs_and_settles_it(world):
    event = world.emit()
    world.worker.start()
    wait_until(lambda: world.inside == ["acme"])
    stopping = threading.Thread(target=world.worker.stop)
    stopping.start()
    world.free.set()
    stopping.join(SECONDS)
    assert world.delivery(event).state == "delivered"
