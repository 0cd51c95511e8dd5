"""Events and schedules through HTTP alone, on the real platform: delivered over kill -9, and once by two of them."""

import time

import pytest

from oriel.errors import OrielError
from tests.guests import hostile
from tests.local.test_restart import Server
from tests.support.platform import ACME, client, envelope, packed, publish, publish_and_install, running
from tests.support.waiting import eventually

TOLD = {
    "api": {"endpoints": [{"method": "POST", "path": "/on-order", "internal": True}]},
    "capabilities": [{"name": "events.subscribe", "purpose": "Counts orders."}],
    "events": [{"topic": "order.*", "path": "/on-order"}],
    "schedules": [{"name": "digest", "cron": "0 8 * * *", "path": "/on-order"}],
}
GRANT = [{"capability": "events.subscribe"}]


def states(caller, event_id):
    return [one["state"] for one in caller.api("GET", f"/events/{event_id}")["deliveries"]]


def emit(caller, number=1):
    return caller.api("POST", "/events", json={"topic": "order.paid", "data": {"n": number}})["event_id"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with running(tmp_path_factory.mktemp("events")) as platform:
        publish_and_install(platform, hostile.HELLO, name="com.acme.told", grants=GRANT, **TOLD)
        yield platform


def test_an_event_of_the_product_is_delivered_and_its_execution_is_in_the_log(platform):
    with client(platform, "admin", "product") as caller:
        event_id = emit(caller)
        eventually(lambda: states(caller, event_id) == ["delivered"])
        (delivery,) = caller.api("GET", f"/events/{event_id}")["deliveries"]
        logged = eventually(lambda: execution(caller, delivery["execution_id"]))
        assert (logged["trigger"], logged["path"], logged["status"]) == ("event", "/on-order", 200)


def execution(caller, execution_id):
    try:
        return caller.api("GET", f"/executions/{execution_id}")
    except OrielError:
        return None


def test_a_schedule_of_the_manifest_is_there_and_runs_when_it_is_asked_to(platform):
    with client(platform, "admin") as caller:
        (schedule,) = caller.listing("/schedules")
        assert (schedule["name"], schedule["origin"], len(schedule["next_runs"])) == ("digest", "manifest", 5)
        path = f"/schedules/{schedule['schedule_id']}/runs"
        caller.api("POST", path)
        (run,) = eventually(lambda: caller.api("GET", path)["items"], lambda runs: runs[0]["state"] == "succeeded")
        assert (run["state"], run["scheduled_at"]) == ("succeeded", None)


def test_what_may_not_be_emitted_is_refused(platform):
    with client(platform, "member") as member, pytest.raises(OrielError, match="'emit'"):
        emit(member)
    with client(platform, "product", tenant=None) as product:
        with pytest.raises(OrielError, match="tenant_id"):
            emit(product)
        body = {"topic": "order.paid", "tenant_id": "northwind", "id": "a", "time": round(time.time() * 1000)}
        first, again = (product.api("POST", "/events", json=body) for _ in range(2))
        assert first == again


def test_another_tenant_sees_nothing_of_it(platform):
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


def test_no_event_is_lost_over_kill_9(tmp_path, monkeypatch):
    monkeypatch.setenv("ORIEL_MAX_TIMEOUT_MS", "1000")  # what the dead one was at is taken up again soon
    server = Server(tmp_path)
    bundle = packed(hostile.HELLO, name="com.acme.told", **TOLD)
    try:
        server.start()
        with server.client() as caller:
            caller.api("POST", "/publishers", json={"publisher": "com.acme", "prefixes": ["com.acme"]})
            key = {"public_key_pem": ACME.public.to_pem()}
            caller.api("POST", "/publishers/com.acme/keys", json=key)
            caller.publish(bundle.data, envelope(bundle))
            caller.install("com.acme.told", grants=GRANT)
            events = [emit(caller, number) for number in range(10)]
            server.kill()
        server.start()
        with server.client() as caller:
            eventually(lambda: all(states(caller, one) == ["delivered"] for one in events))
    finally:
        server.kill()


def test_two_platforms_on_one_store_do_a_thing_once(tmp_path):
    with running(tmp_path) as one:
        publish(one, hostile.HELLO, name="com.acme.told", **TOLD)
        with running(tmp_path) as two, client(one, "admin", "product") as caller:
            caller.install("com.acme.told", grants=GRANT)
            with client(two, "admin", "product") as other:
                events = [emit(who, number) for number, who in enumerate([caller, other] * 10)]
            eventually(lambda: all(states(caller, one) == ["delivered"] for one in events))
            attempts = [caller.api("GET", f"/events/{one}")["deliveries"][0]["attempts"] for one in events]
            assert attempts == [1] * 20
            ran = eventually(lambda: caller.listing("/executions"), lambda found: len(found) >= 20)
            assert len(ran) == 20
