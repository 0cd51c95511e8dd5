"""Events on their way to handlers: what is delivered, tried again, given up, in which order, and for whom."""

import json

import pytest
from msgspec.structs import replace

from oriel.contract import ExecuteError
from oriel.errors import InvalidInput, OrielError
from oriel.store.queueing import following
from tests.support.dispatching import LONGEST_MS, World
from tests.support.gateway import EXTENSION, answer, bearer

LEASE_MS = LONGEST_MS + 10_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, "acme", "other")
    yield world
    world.close()


def bodies(world):
    return [json.loads(asked.http.body()) for asked in world.runner.asked]


def failing(code):
    return lambda request: answer(502, error=ExecuteError(code=code, message="It failed."))


def test_an_event_reaches_its_handler_as_a_cloud_event_of_the_platforms_own(world):
    event = world.emit(key="o-1", data={"total": {"currency": "EUR"}})
    world.settle()
    (asked,) = world.runner.asked
    context = asked.context
    assert (context.tenant_id, context.trigger, context.caused_by, context.depth) == (
        "acme",
        "event",
        event.event_id,
        0,
    )
    assert (asked.http.method, asked.http.path, asked.user) == ("POST", "/on-order", None)
    assert dict(asked.http.headers) == {
        "content-type": "application/cloudevents+json",
        "x-oriel-event": event.event_id,
        "x-oriel-attempt": "1",
    }
    body = json.loads(asked.http.body())
    assert (body["specversion"], body["id"], body["type"]) == ("1.0", event.event_id, "order.paid")
    assert (body["source"], body["subject"], body["data"]) == ("product", "o-1", event.data)
    assert world.delivery(event).state == "delivered"
    assert world.delivery(event).execution_id == context.execution_id
    assert world.bench.journal.flush(5)
    (entry,) = world.stored.list_executions("acme").items
    assert (entry.trigger, entry.execution_id) == ("event", context.execution_id)


@pytest.mark.parametrize(
    ("topic", "data", "reached"),
    [
        ("order.paid", {}, ["/on-order"]),
        ("order.paid.late", {"total": {"currency": "EUR"}}, ["/on-order"]),
        ("order.paid", {"total": {"currency": "USD"}}, []),
        ("order", {}, []),
        ("orders.paid", {}, []),
        ("com.acme.notes.written", {}, ["/on-own"]),
    ],
)
def test_an_event_reaches_those_whose_pattern_and_filter_it_fits(world, topic, data, reached):
    world.emit(topic, data=data)
    world.settle()
    assert [asked.http.path for asked in world.runner.asked] == reached


def test_an_event_reaches_its_own_tenant_alone(world):
    world.emit(tenant="other")
    world.settle()
    assert [asked.context.tenant_id for asked in world.runner.asked] == ["other"]
    assert world.stored.list_events("acme").items == ()


def test_an_installation_that_was_cut_off_is_made_whole_by_whoever_does_the_work(world):
    install = replace(world.stored.get_install("acme", EXTENSION), tenant_id="late", install_id="ins_late")
    world.stored.create_install(install, then=following(install, install.version))
    world.settle()
    event = world.emit(tenant="late")
    world.settle()
    assert (world.delivery(event).state, world.schedule("late").name) == ("delivered", "digest")


def test_what_was_not_consented_to_is_not_delivered_and_what_was_withdrawn_is_dropped(world):
    event = world.emit()
    world.dispatcher.run_pending()  # it is spread
    world.change(grants=())
    world.settle()
    assert world.runner.asked == []
    assert (world.delivery(event).state, world.delivery(event).reason) == ("dropped", "not_subscribed")


def test_deliveries_of_an_uninstalled_extension_are_dropped(world):
    event = world.emit()
    world.dispatcher.run_pending()
    world.stored.delete_install("acme", "com.acme.notes")
    world.settle()
    assert (world.delivery(event).reason, world.runner.asked) == ("uninstalled", [])


@pytest.mark.parametrize("reply", [answer(500), answer(429), failing("guest_trap"), failing("deadline_exceeded")])
def test_a_failure_is_tried_again_later_and_later_until_it_is_a_dead_letter(world, reply):
    world.runner.reply = reply
    event = world.emit()
    pauses = []
    for attempt in range(1, 11):
        world.settle()
        delivery = world.delivery(event)
        assert delivery.attempts == attempt
        if delivery.state == "pending":
            pauses.append(delivery.due_at - world.clock.now)
            world.pass_time(pauses[-1])
    assert [1_000 * 2**n <= pause <= 2_000 * 2**n for n, pause in enumerate(pauses)] == [True] * 9
    (dead,) = world.stored.list_dead_letters("acme").items
    assert (dead.state, dead.attempts) == ("dead", 10)
    assert dead.reason in {"answered 500", "answered 429", "guest_trap", "deadline_exceeded"}


def test_what_a_handler_refuses_is_a_dead_letter_at_once(world):
    world.runner.reply = answer(422)
    event = world.emit()
    world.settle()
    delivery = world.delivery(event)
    assert (delivery.state, delivery.attempts, delivery.reason) == ("dead", 1, "answered 422")


@pytest.mark.parametrize("error", ["unavailable", "overloaded", "artifact_unavailable"])
def test_what_is_the_platforms_fault_waits_and_is_no_attempt(world, error):
    world.runner.reply = OrielError(error, retry_after=7)
    event = world.emit()
    world.settle()
    delivery = world.delivery(event)
    assert (delivery.state, delivery.attempts, delivery.reason) == ("pending", 0, error)
    assert delivery.due_at == world.clock.now + 7_000
    world.runner.reply = answer(204)
    world.pass_time(7_000)
    world.settle()
    assert world.delivery(event).state == "delivered"


def test_a_disabled_install_gets_its_events_when_it_is_enabled_again(world):
    event = world.emit()
    world.change(status="disabled")
    for _ in range(20):
        world.settle()
        world.pass_time(HOUR_MS)
    assert (world.delivery(event).reason, world.delivery(event).attempts) == ("install_disabled", 0)
    world.change(status="enabled")
    world.settle()
    assert world.delivery(event).state == "delivered"


def test_what_waited_until_its_event_expired_is_a_dead_letter(world):
    event = world.emit()
    world.change(status="disabled")
    world.settle()
    world.pass_time(14 * DAY_MS)
    world.settle()
    assert (world.delivery(event).state, world.delivery(event).reason) == ("dead", "expired")


def test_events_of_one_key_arrive_in_their_order_and_the_first_holds_up_the_rest(world):
    world.runner.reply = lambda asked: answer(500 if b'"n": 0' in asked.http.body() else 204)
    events = [world.emit(key="k", data={"n": number}) for number in range(3)]
    other = world.emit(key="other", data={"n": 9})
    world.settle()
    assert [body["data"]["n"] for body in bodies(world)] == [0, 9]
    assert world.delivery(other).state == "delivered"
    world.runner.reply = answer(204)
    world.pass_time(world.delivery(events[0]).due_at - world.clock.now)
    world.settle()
    assert [body["data"]["n"] for body in bodies(world)] == [0, 9, 0, 1, 2]


def test_a_dead_letter_lets_those_behind_it_pass(world):
    world.runner.reply = lambda asked: answer(422 if b'"n": 0' in asked.http.body() else 204)
    events = [world.emit(key="k", data={"n": number}) for number in range(2)]
    world.settle()
    assert [world.delivery(event).state for event in events] == ["dead", "delivered"]


def test_a_worker_that_died_leaves_its_work_to_the_next_when_its_time_is_up(world):
    event = world.emit()
    world.dispatcher.run_pending()
    (abandoned,) = world.dispatcher.claim(10)  # and it dies
    assert world.another().run_pending() == 0
    world.pass_time(LEASE_MS)
    assert world.another().run_pending() == 1
    assert world.delivery(event).state == "delivered"
    world.dispatcher.do(abandoned)  # it was not dead but slow
    assert (len(world.runner.asked), world.delivery(event).state) == (1, "delivered")


def test_an_extension_emits_below_its_own_name_and_a_chain_of_events_ends(world):
    """The handler emits what it is called with, one deeper each time, as the host function does."""

    def reply(asked):
        context = asked.context
        own = {"source": context.extension_id, "topic": "com.acme.notes.again"}
        world.emit(tenant=context.tenant_id, depth=context.depth + 1, caused_by=context.caused_by, **own)
        return answer(204)

    world.runner.reply = reply
    world.emit("com.acme.notes.written")
    world.settle()
    assert [asked.context.depth for asked in world.runner.asked] == list(range(9))


def test_an_extension_may_emit_so_many_in_a_minute(world):
    for _ in range(50):
        world.emit(source="com.acme.notes")
    with pytest.raises(OrielError) as refused:
        world.emit(source="com.acme.notes")
    assert refused.value.code == "rate_limited"
    world.emit()


@pytest.mark.parametrize("wrong", [{"topic": "Order"}, {"key": ""}, {"data": {"a": "x" * 70_000}}, {"data": []}])
def test_an_event_that_cannot_be_one_is_refused(world, wrong):
    with pytest.raises(InvalidInput):
        world.emit(**wrong)


def test_an_emitters_own_id_and_time_make_one_event_of_two(world):
    first = world.emit(id="a", at=world.clock.now)
    assert world.emit(id="a", at=world.clock.now).event_id == first.event_id
    assert world.emit(id="b", at=world.clock.now).event_id != first.event_id
    world.settle()
    assert len(world.runner.asked) == 2


def test_an_internal_endpoint_is_not_there_for_users(world):
    token = bearer("acme", "admin")
    assert world.bench.call("POST", "/on-order", token=token).code == "endpoint_not_found"
    assert world.bench.call("GET", "/check", token=token).status == 200


def test_work_on_what_is_not_there_any_more_is_done(world):
    event = world.emit()
    world.settle()
    delivery = world.delivery(event)
    again = replace(delivery, state="delivered")
    for item_id in ("evt_gone.s", delivery.delivery_id):
        world.stored.put_deliveries([replace(again, delivery_id=item_id)])
    world.settle()
    assert len(world.runner.asked) == 1
