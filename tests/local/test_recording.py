"""Failures that are sampled, on the real platform: of a request, of an event and of a schedule; each fails again."""

import pytest

from oriel.fixture import Fixture
from oriel.local.replay import replays
from tests.guests import hostile
from tests.local.test_events import GRANT, TOLD, emit
from tests.support.platform import client, publish_and_install, running
from tests.support.waiting import eventually

NAME = "com.acme.failing"
API = {"endpoints": [*TOLD["api"]["endpoints"], {"method": "POST", "path": "/"}]}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with running(tmp_path_factory.mktemp("recording"), record_failures=1.0) as platform:
        publish_and_install(platform, hostile.TRAP, name=NAME, grants=GRANT, **{**TOLD, "api": API})
        yield platform


def kept(caller, execution_id):
    lines = {line["execution_id"]: line for line in caller.listing(f"/installs/{NAME}/fixtures")}
    return lines.get(execution_id)


def test_each_failure_is_kept_whoever_called_and_fails_again_when_it_is_replayed(platform):
    with client(platform, "admin", "product", "developer") as caller:
        event_id = emit(caller)
        (schedule,) = caller.listing("/schedules")
        runs = f"/schedules/{schedule['schedule_id']}/runs"
        caller.api("POST", runs)
        answer = caller.call(NAME, "/", method="POST")
        (delivery,) = eventually(
            lambda: caller.api("GET", f"/events/{event_id}")["deliveries"], lambda found: found and found[0]["attempts"]
        )
        (run,) = eventually(lambda: caller.api("GET", runs)["items"], lambda found: found[0]["state"] == "failed")
        executions = {
            "http": answer.headers["x-ext-execution-id"],
            "event": delivery["execution_id"],
            "schedule": run["execution_id"],
        }
        for trigger, execution_id in executions.items():
            line = eventually(lambda wanted=execution_id: kept(caller, wanted))
            assert line["reason"] == "guest_trap"
            fixture = Fixture.parse(caller.download(f"/executions/{execution_id}/fixture"))
            assert fixture.context.trigger == trigger
            (again,) = replays(hostile.TRAP, [fixture])
            assert (again.difference, again.outcome.error.code) == (None, "guest_trap")
