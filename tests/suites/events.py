"""Events and schedules through HTTP alone: told by the product and by an extension, delivered, run."""

import time

import pytest

from oriel.errors import OrielError
from tests.guests import hostile
from tests.guests.build import guest
from tests.support.platform import client, publish_and_install
from tests.support.waiting import eventually

HOUR = (time.gmtime().tm_hour + 12) % 24  # far from now, at any time of the day
TOLD = {
    "api": {"endpoints": [{"method": "POST", "path": "/on-order", "internal": True}]},
    "capabilities": [{"name": "events.subscribe", "purpose": "Counts orders."}],
    "events": [{"topic": topic, "path": "/on-order"} for topic in ("order.*", "com.acme.teller.*")],
    "schedules": [{"name": "digest", "cron": f"0 {HOUR} * * *", "path": "/on-order"}],
}
GRANT = [{"capability": "events.subscribe"}]
TELLS = guest(
    """(call $events.emit (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)
         (i32.const 1028) (i32.const 2) (i32.const 2048))
       (call $respond (i32.add (i32.const 200) (i32.load8_u (i32.const 2048)))
         (i32.const 0) (i32.const 0) (i32.const 1) (i32.load (i32.const 2052)) (i32.load (i32.const 2056)))""",
    imports=("events.emit",),
    data="sent{}",
)
"""Emits `sent` with no data to speak of; answers 200 and the event's id, or 201 where it is refused."""


def states(caller, event_id):
    return [one["state"] for one in caller.api("GET", f"/events/{event_id}")["deliveries"]]


def emit(caller, number=1):
    return caller.api("POST", "/events", json={"topic": "order.paid", "data": {"n": number}})["event_id"]


def execution(caller, execution_id):
    try:
        return caller.api("GET", f"/executions/{execution_id}")
    except OrielError:
        return None


@pytest.fixture(scope="module")
def told(platform):
    """An extension that is told of orders, and of what `com.acme.teller` emits."""
    return publish_and_install(platform, hostile.HELLO, name="com.acme.told", grants=GRANT, **TOLD)


def delivered(caller, event_id):
    """The execution that the event's only delivery led to, in the log."""
    eventually(lambda: states(caller, event_id) == ["delivered"])
    (delivery,) = caller.api("GET", f"/events/{event_id}")["deliveries"]
    return eventually(lambda: execution(caller, delivery["execution_id"]))


def test_an_event_of_the_product_is_delivered_and_its_execution_is_in_the_log(platform, told):
    with client(platform, "admin", "product") as caller:
        logged = delivered(caller, emit(caller))
    assert (logged["extension_id"], logged["trigger"], logged["path"], logged["status"]) == (
        told,
        "event",
        "/on-order",
        200,
    )


def test_an_event_that_an_extension_emits_reaches_another(platform, told):
    asked = [{"name": "events.emit", "purpose": "Tells."}]
    teller = publish_and_install(
        platform, TELLS, name="com.acme.teller", capabilities=asked, grants=[{"capability": "events.emit"}]
    )
    with client(platform) as caller:
        answer = caller.call(teller, "/")
        assert answer.status_code == 200, answer.text
        logged = delivered(caller, answer.text)
        event = caller.api("GET", f"/events/{answer.text}")
    assert (event["topic"], logged["extension_id"], logged["trigger"]) == ("com.acme.teller.sent", told, "event")


def test_a_schedule_of_the_manifest_is_there_and_runs_when_it_is_asked_to(platform, told):
    with client(platform, "admin") as caller:
        (schedule,) = [one for one in caller.listing("/schedules") if one["extension_id"] == told]
        assert (schedule["name"], schedule["origin"], len(schedule["next_runs"])) == ("digest", "manifest", 5)
        path = f"/schedules/{schedule['schedule_id']}/runs"
        caller.api("POST", path)
        (run,) = eventually(lambda: caller.api("GET", path)["items"], lambda runs: runs[0]["state"] == "succeeded")
        assert (run["state"], run["scheduled_at"]) == ("succeeded", None)


def test_what_may_not_be_emitted_is_refused(platform, told):
    with client(platform, "member") as member, pytest.raises(OrielError, match="'emit'"):
        emit(member)
    with client(platform, "product", tenant=None) as product:
        with pytest.raises(OrielError, match="tenant_id"):
            emit(product)
        body = {"topic": "order.paid", "tenant_id": "northwind", "id": "a", "time": round(time.time() * 1000)}
        first, again = (product.api("POST", "/events", json=body) for _ in range(2))
        assert first == again


def test_another_tenant_sees_nothing_of_it(platform, told):
    with client(platform, "admin", "product") as caller:
        event_id = emit(caller)
    with client(platform, "admin", tenant="contoso") as other:
        assert (other.listing("/events"), other.listing("/schedules"), other.listing("/events/subscriptions")) == (
            [],
            [],
            [],
        )
        with pytest.raises(OrielError, match="no event"):
            other.api("GET", f"/events/{event_id}")
