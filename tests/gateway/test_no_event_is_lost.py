"""Random events, faults and deaths: none is lost, none reaches another tenant, and what has a key keeps its order.

Workers share one store: SQLite, PostgreSQL, or DynamoDB with the queue that AWS has. A step emits, lets a worker take
and do something, or lets time pass; the store may fail at any write, before or after it was carried out, a handler may
fail, a message may be lost or come twice, and a worker may die with work in its hands. At the end the faults stop, and
everything must have arrived.
"""

import json
import random
import tempfile
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gateway.event_function import Function
from oriel.aws.botocore_client import make_client
from oriel.aws.services import JsonClient
from oriel.bell import Bell
from oriel.errors import OrielError
from oriel.store import StoreUnavailable
from tests.store.conftest import dynamodb, postgresql
from tests.support.aws import CREDENTIALS, target
from tests.support.dispatching import LONGEST_MS, World
from tests.support.gateway import NOW, answer

TENANTS = ("a", "b")
WRITES = frozenset(
    {"put_event", "spread_events", "settle_deliveries", "release_work", "claim_work", "start_run", "settle_run"}
)
LEASE_MS = LONGEST_MS + 10_000


class Faulty:
    """A store that does not answer at some writes, before or after it has carried them out."""

    def __init__(self, store):
        self._store, self.faults = store, []

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in WRITES:
            return method

        def call(*arguments, **named):
            fault = self.faults.pop(0) if self.faults else None
            if fault == "before":
                raise StoreUnavailable
            result = method(*arguments, **named)
            if fault == "after":
                raise StoreUnavailable
            return result

        return call


class Happening(RuleBasedStateMachine):
    """On SQLite; the others differ by how the world is made, and in AWS by who does the work."""

    def world_in(self, folder):
        return World(folder, *TENANTS, wrap=Faulty, attempts=1_000)

    @initialize()
    def a_world(self):
        random.seed(0)
        self.closing = ExitStack()
        folder = Path(self.closing.enter_context(tempfile.TemporaryDirectory()))
        self.world = self.world_in(folder)
        self.closing.callback(self.world.close)
        self.world.runner.reply = self.reply
        self.emitted, self.tried, self.told = {}, set(), []
        self.failing, self.numbers = 0, iter(range(10_000))

    def reply(self, asked):
        data = json.loads(asked.http.body())
        if self.failing:
            self.failing -= 1
            return answer(500)
        self.told.append((asked.context.tenant_id, data["id"], data.get("subject"), data["data"]["n"]))
        return answer(204)

    @rule(tenant=st.sampled_from(TENANTS), key=st.sampled_from([None, "k", "l"]))
    def emit(self, tenant, key):
        number = next(self.numbers)
        identity = {"id": str(number), "at": self.world.clock.now + number}
        self.tried.add((tenant, key, number))
        for _ in range(3):  # whoever emits and gets no answer emits again, with the same id
            with suppress(OrielError):
                event = self.world.emit(tenant=tenant, key=key, data={"n": number}, **identity)
                self.emitted[event.event_id] = (tenant, key, number)
                return

    @rule(faults=st.lists(st.sampled_from([None, "before", "after"]), max_size=6), failing=st.integers(0, 2))
    def trouble(self, faults, failing):
        self.world.store.faults += faults
        self.failing = failing

    @rule(limit=st.integers(1, 4), dies=st.booleans())
    def work(self, limit, dies):
        worker = self.world.another()
        with suppress(OrielError):
            taken = worker.claim(limit)
            for place, work in enumerate(taken):
                if dies and place == len(taken) - 1:
                    return  # with this in its hands
                with suppress(OrielError):
                    worker.do(work)

    @rule(limit=st.integers(2, 6), dies=st.booleans())
    def work_together(self, limit, dies):
        """As the worker of one machine does: prepared together, and settled together."""
        worker = self.world.another()
        with suppress(OrielError):
            ended = [task.do() for task in worker.tasks(worker.claim(limit))]
            if not dies:
                worker.settle(ended)

    @rule(milliseconds=st.sampled_from([100, 5_000, LEASE_MS]))
    def wait(self, milliseconds):
        self.world.pass_time(milliseconds)

    def finish_some(self):
        """Do what can be done now; whether there was anything."""
        return bool(self.world.dispatcher.run_pending())

    def teardown(self):
        if not hasattr(self, "world"):
            return
        with self.closing:
            self.world.store.faults, self.failing = [], 0
            for _ in range(200):
                if not self.finish_some():
                    if not self.unfinished():
                        break
                    self.world.pass_time(LEASE_MS)
            self.everything_arrived()

    def unfinished(self):
        own = [self.world.stored.list_deliveries(tenant, event_id) for event_id, (tenant, *_) in self.emitted.items()]
        return any(not found or found[0].state == "pending" for found in own)

    def everything_arrived(self):
        told = {event_id: (tenant, key, number) for tenant, event_id, key, number in self.told}
        assert told.items() >= self.emitted.items()
        assert set(told.values()) <= self.tried  # what was stored without an answer to whoever emitted may come too
        for tenant in TENANTS:
            for key in ("k", "l"):
                firsts = list(dict.fromkeys(number for who, _, of, number in self.told if (who, of) == (tenant, key)))
                assert firsts == sorted(firsts), f"{tenant}'s events of '{key}' came in the order {firsts}"


class OnPostgresql(Happening):
    def world_in(self, folder):
        return World(folder, *TENANTS, wrap=Faulty, attempts=1_000, opened=postgresql(folder, self.closing))


class Messages:
    """A queue of SQS, as the bell and Lambda's poller see it. A message may be lost, or come twice.

    The time that a message is to wait is the world's, not the clock's on the wall: until then it is held here.
    """

    def __init__(self):
        self._client = make_client("sqs", target("queue"), CREDENTIALS, read_seconds=10)
        self.url = self._client.create_queue(QueueName=f"oriel-{uuid.uuid4().hex}")["QueueUrl"]
        self._sender = JsonClient("sqs", target("queue"), CREDENTIALS)
        self._waiting, self.faults, self.clock = [], [], lambda: NOW

    def now(self):
        return self.clock()

    def send_message(self, *, DelaySeconds, **message):  # noqa: N803 - SQS's own name
        if (self.faults.pop(0) if self.faults else None) == "lost":
            return
        self._waiting.append((self.now() + 1_000 * DelaySeconds, message))

    def deliver(self, function):
        """What Lambda's poller does once; whether there was a message."""
        due = [message for at, message in self._waiting if at <= self.now()]
        self._waiting = [(at, message) for at, message in self._waiting if at > self.now()]
        for message in due:
            self._sender.send_message(DelaySeconds=0, **message)
        got = self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in got.get("Messages", []):
            fault = self.faults.pop(0) if self.faults else None
            answered = function({"Records": [{"messageId": "m", "body": message["Body"]}]}, Minutes())
            if not answered["batchItemFailures"] and fault != "again":
                self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return "Messages" in got


class Minutes:
    def get_remaining_time_in_millis(self):
        return 600_000


class InAws(Happening):
    """DynamoDB, and the function for events, fed by SQS and the sweep."""

    def world_in(self, folder):
        self.messages = Messages()
        bell = Bell(self.messages, self.messages.url, None, self.messages.now)
        made = World(folder, *TENANTS, wrap=Faulty, attempts=1_000, opened=dynamodb(folder, None), told=bell)
        self.messages.clock = made.clock
        self.function = Function(made.dispatcher, made.emitter)
        return made

    @rule(faults=st.lists(st.sampled_from([None, "lost", "again"]), max_size=6))
    def trouble_with_messages(self, faults):
        self.messages.faults += faults

    @rule()
    def messages_come(self):
        self.messages.deliver(self.function)

    @rule()
    def a_sweep(self):
        with suppress(OrielError):  # Lambda logs it, and the next minute comes
            self.function({"task": "sweep"}, Minutes())

    def finish_some(self):
        self.messages.faults = []
        return self.messages.deliver(self.function) or self.function({"task": "sweep"}, Minutes())["done"]


@pytest.mark.parametrize(("place", "examples"), [(Happening, 12), (OnPostgresql, 3), (InAws, 4)])
def test_no_event_is_lost_and_none_reaches_another_tenant(place, examples):
    checked = settings(
        max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(place, settings=checked)
