"""Events and schedules on one machine: the suite of every platform, over kill -9, and once by two of them."""

from tests.guests import hostile
from tests.local.test_restart import Server
from tests.suites.events import *  # noqa: F403 - collected here, with this folder's platform
from tests.suites.events import GRANT, TOLD, emit, states
from tests.support.platform import ACME, client, envelope, packed, publish, running
from tests.support.waiting import eventually


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
