"""The worker of one machine: one tenant's slow handlers and long queue do not hold up another's."""

import threading
import time

import pytest

from gateway.dispatch_worker import DispatchWorker
from tests.support.dispatching import World
from tests.support.gateway import answer

SECONDS, THREADS = 20, 4


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, "acme", "other")
    world.free, world.inside = threading.Event(), []
    world.runner.reply = lambda asked: reply(world, asked)
    world.worker = DispatchWorker(world.dispatcher, threads=THREADS, poll_seconds=0.01)
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


def test_stopping_waits_for_what_runs_and_settles_it(world):
    event = world.emit()
    world.worker.start()
    wait_until(lambda: world.inside == ["acme"])
    stopping = threading.Thread(target=world.worker.stop)
    stopping.start()
    world.free.set()
    stopping.join(SECONDS)
    assert world.delivery(event).state == "delivered"
