"""Events and schedules by the messages that AWS sends: of SQS, of an EventBridge bus, of EventBridge Scheduler."""

import json

import pytest

from tests.suites.events import *  # noqa: F403 - collected here, with this folder's platform
from tests.suites.events import HOUR, delivered, emit, states
from tests.support.platform import client
from tests.support.stack import boto
from tests.support.waiting import eventually

DAY = 86_400
LATER = """
import time
now, now_ns = time.time, time.time_ns
time.time = lambda: now() + {0}
time.time_ns = lambda: now_ns() + {0} * 10**9
"""


def put(platform, **event):
    """What EventBridge answered to an event of the product."""
    entry = {"Source": "shop", "EventBusName": platform.sources.bus, **event}
    (answer,) = boto("events").put_events(Entries=[entry])["Entries"]
    return answer


def test_an_event_that_the_product_puts_on_the_bus_reaches_the_extension(platform, told):
    """The template's own rule passes it on, with EventBridge's envelope around it."""
    detail = {"tenant_id": "northwind", "key": "o-1", "data": {"n": 41}}
    put(platform, DetailType="order.shipped", Detail=json.dumps(detail))
    with client(platform, "admin") as caller:
        of_the_bus = lambda: [one for one in caller.listing("/events") if one["topic"] == "order.shipped"]  # noqa: E731
        (event,) = eventually(of_the_bus)
        logged = delivered(caller, event["event_id"])
    assert (event["source"], event["key"], logged["extension_id"]) == ("product", "o-1", told)


def test_what_is_on_the_bus_without_a_tenant_is_not_passed_on(platform, told):
    put(platform, DetailType="order.lost", Detail=json.dumps({"data": {}}))
    put(platform, DetailType="order.found", Detail=json.dumps({"tenant_id": "northwind"}))
    with client(platform, "admin") as caller:
        topics = eventually(
            lambda: {one["topic"] for one in caller.listing("/events")}, lambda found: "order.found" in found
        )
    assert "order.lost" not in topics


def test_what_no_message_told_of_is_done_by_the_minutes_sweep(platform, told):
    rules = [r["Properties"] for r in platform.stack.resources.values() if r["Type"] == "AWS::Events::Rule"]
    (sweep,) = [t["Input"] for rule in rules for t in rule["Targets"] if "sweep" in t.get("Input", "")]
    with platform.sources.deaf("EventsFunction"), client(platform, "admin", "product") as caller:
        event_id = emit(caller)
        boto("sqs").purge_queue(QueueUrl=platform.stack.physical["WorkQueue"])
        assert states(caller, event_id) == []
        assert platform.function("EventsFunction").call(json.loads(sweep))["done"] >= 2
        assert states(caller, event_id) == ["delivered"]


@pytest.fixture
def a_day_later(platform, tmp_path):
    """The functions that fire schedules and run them live a day later."""
    (tmp_path / "sitecustomize.py").write_text(LATER.format(DAY))
    with platform.started_anew("EventsFunction", "RunnerFunction", PYTHONPATH=str(tmp_path)):
        yield


def test_a_schedule_fires_by_the_message_that_eventbridge_scheduler_keeps_for_it(platform, told, a_day_later):
    """moto keeps the entry and sends nothing; what it would send, and where, is the entry's own."""
    times = boto("scheduler")
    group = platform.stack.beside["ScheduleGroup"]
    with client(platform, "admin") as caller:
        (schedule,) = [one for one in caller.listing("/schedules") if one["extension_id"] == told]
        (entry,) = [one for one in entries_of(times, group) if schedule["schedule_id"] in one["Target"]["Input"]]
        assert entry["ScheduleExpression"].endswith(f"T{HOUR:02}:00:00)")
        queue = boto("sqs").get_queue_url(QueueName=entry["Target"]["Arn"].rpartition(":")[2])["QueueUrl"]
        boto("sqs").send_message(QueueUrl=queue, MessageBody=entry["Target"]["Input"])
        path = f"/schedules/{schedule['schedule_id']}/runs"
        fired = lambda: [run for run in caller.api("GET", path)["items"] if run["scheduled_at"]]  # noqa: E731
        (run,) = eventually(fired, lambda runs: runs and runs[0]["state"] == "succeeded")
        assert run["scheduled_at"] // 1000 % DAY == HOUR * 3_600
        (next_entry,) = [one for one in entries_of(times, group) if schedule["schedule_id"] in one["Target"]["Input"]]
    assert next_entry["ScheduleExpression"] > entry["ScheduleExpression"]


def entries_of(times, group):
    listed = times.list_schedules(GroupName=group)["Schedules"]
    return [times.get_schedule(GroupName=group, Name=one["Name"]) for one in listed]
