"""Events and schedules as a Lambda function: messages, the sweep, and events of the bus."""

import json

import pytest

from gateway.event_function import Function
from oriel.errors import OrielError
from oriel.store.queueing import spreading
from tests.support.dispatching import World


class Context:
    def __init__(self, *milliseconds):
        self._left = list(milliseconds)

    def get_remaining_time_in_millis(self):
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.function = Function(world.dispatcher, world.emitter)
    yield world
    world.close()


def message(work, message_id="m1"):
    body = {"tenant_id": work.tenant_id, "kind": work.kind, "item_id": work.item_id}
    return {"messageId": message_id, "body": json.dumps(body)}


def test_a_message_has_its_work_done_and_one_too_many_changes_nothing(world):
    event = world.emit()
    records = {"Records": [message(spreading(event)), message(spreading(event), "m2")]}
    assert world.function(records, Context(60_000)) == {"batchItemFailures": []}
    assert [one.state for one in world.deliveries(event)] == ["pending"]


def test_a_message_that_names_no_work_goes_back_and_the_others_are_done(world):
    event = world.emit()
    records = {"Records": [{"messageId": "m0", "body": "{}"}, message(spreading(event))]}
    assert world.function(records, Context(60_000)) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert world.deliveries(event)


def test_the_sweep_does_what_is_due_while_there_is_time(world):
    events = [world.emit() for _ in range(3)]
    assert world.function({"task": "sweep"}, Context(10_000)) == {"done": 0}
    assert world.function({"task": "sweep"}, Context(600_000)) == {"done": 6}
    assert [world.delivery(event).state for event in events] == ["delivered"] * 3


def test_an_event_of_the_bus_is_the_products_and_once_however_often_it_comes(world):
    told = {
        "id": "8c1b7a50-6b1e-4a4e-9d0f-2f7f3a1d9c11",
        "time": "2026-11-18T11:06:40Z",
        "detail-type": "order.paid",
        "detail": {"tenant_id": "acme", "key": "o-1", "data": {"n": 1}},
    }
    first, again = (world.function(told, Context(60_000)) for _ in range(2))
    assert first == again
    (event,) = world.stored.list_events("acme").items
    assert (event.topic, event.source, event.key, event.data) == ("order.paid", "product", "o-1", {"n": 1})
    world.settle()
    assert len(world.runner.asked) == 1


def test_what_is_none_of_these_is_refused(world):
    with pytest.raises(OrielError, match="none that this function knows"):
        world.function({"task": "dance"}, Context(60_000))
