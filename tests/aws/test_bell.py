"""Telling that there is work: SQS for what is due soon, EventBridge Scheduler for what is due later."""

import json
import uuid

import pytest
from msgspec.structs import replace

from oriel.aws import Target
from oriel.aws.botocore_client import make_client
from oriel.aws.services import JsonClient
from oriel.bell import Bell, Scheduler, entry_name, group_name
from oriel.store.event_records import Work
from tests.support.aws import CREDENTIALS, REGION, moto_endpoint, target

NOW = 1_795_000_000_000
ROLE = "arn:aws:iam::123456789012:role/oriel"


def work(kind="delivery", seconds=0):
    return Work(tenant_id="t1", kind=kind, item_id="evt_1.s1", due_at=NOW + 1_000 * seconds)


class Ringing:
    def __init__(self):
        self.sqs = make_client("sqs", target("queue"), CREDENTIALS, read_seconds=10)
        name = f"oriel-{uuid.uuid4().hex}"
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.times = make_client("scheduler", target("group"), CREDENTIALS, read_seconds=10)
        self.group = name
        self.times.create_schedule_group(Name=name)
        scheduler = Scheduler(target(name), arn, ROLE, CREDENTIALS)
        queue = JsonClient("sqs", target("queue"), CREDENTIALS)
        self.bell, self.arn = Bell(queue, self.url, scheduler, lambda: NOW), arn

    def messages(self):
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in got]

    def entries(self):
        listed = self.times.list_schedules(GroupName=self.group)["Schedules"]
        return [self.times.get_schedule(GroupName=self.group, Name=one["Name"]) for one in listed]


@pytest.fixture
def ringing():
    return Ringing()


def test_what_is_due_now_is_a_message_with_its_ids_and_no_more(ringing):
    ringing.bell(work())
    assert ringing.messages() == [{"tenant_id": "t1", "kind": "delivery", "item_id": "evt_1.s1"}]


def test_the_messages_of_one_tenant_are_a_group_of_the_queue(ringing):
    for tenant_id in ("t1", "t1", "t2 é#"):
        ringing.bell(replace(work(), tenant_id=tenant_id))
    got = ringing.sqs.receive_message(
        QueueUrl=ringing.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    groups = {(json.loads(one["Body"])["tenant_id"], one["Attributes"]["MessageGroupId"]) for one in got}
    assert groups == {(tenant_id, group_name(tenant_id)) for tenant_id in ("t1", "t2 é#")}


def test_a_schedule_that_is_due_later_is_one_entry_that_moves_with_it(ringing):
    ringing.bell(work("schedule", 86_400))
    ringing.bell(work("schedule", 2 * 86_400))
    (entry,) = ringing.entries()
    assert entry["Name"] == entry_name(work("schedule"))
    assert entry["ScheduleExpression"] == "at(2026-11-20T11:06:40)"
    assert entry["ActionAfterCompletion"] == "DELETE"
    assert (entry["Target"]["Arn"], entry["Target"]["RoleArn"]) == (ringing.arn, ROLE)
    assert json.loads(entry["Target"]["Input"])["kind"] == "schedule"
    assert ringing.messages() == []


def test_another_attempt_that_is_hours_away_is_left_to_the_sweep(ringing):
    ringing.bell(work("delivery", 3_600))
    assert (ringing.messages(), ringing.entries()) == ([], [])


def test_where_nobody_answers_ringing_fails_nobody():
    away = Target("queue", REGION, "http://127.0.0.1:9")
    Bell(JsonClient("sqs", away, CREDENTIALS), f"{moto_endpoint()}/queue", None, lambda: NOW)(work())
