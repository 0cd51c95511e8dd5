"""Telling, in AWS, that there is work: by a queue what is due soon, by EventBridge Scheduler what is due later.

A message holds ids. Whoever gets it asks the store whether the work is there, due and free, so that a message may come
late, twice, or not at all: what is lost costs time alone, as the whole queue of work is looked at every minute.

Rules kept here:

- Ringing never fails its caller. What cannot be sent is logged.
- The messages of one tenant are a group: the queue hands out the others' first while one has a backlog (fair queues).
- A schedule has one entry in the scheduler, by its own name, which is moved with it and goes when it has fired.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from oriel.aws.attempts import Again, persist
from oriel.aws.credentials import Credentials
from oriel.aws.services import Client, JsonClient, NoAnswer, Refused, refusal
from oriel.aws.settings import target_of_setting
from oriel.aws.target import Target
from oriel.clock import now_ms
from oriel.settings import Settings
from oriel.store.event_records import Work

LONGEST_DELAY_SECONDS = 900  # SQS's own
_log = logging.getLogger(__name__)


class Scheduler(Client):
    """Puts messages on a queue at given times.

    Args:
        target: the schedule group.
        queue_arn, role_arn: where a message goes, and by whose leave.
    """

    def __init__(self, target: Target, queue_arn: str, role_arn: str, credentials: Credentials | None = None) -> None:
        super().__init__("scheduler", target, credentials)
        self._group, self._queue_arn, self._role_arn = target.name, queue_arn, role_arn

    def put(self, name: str, at: int, message: str) -> None:
        """Send `message` at the time `at` (Unix milliseconds, rounded up to the second); in place of one of that name.

        Raises:
            Refused
            NoAnswer
        """
        moment = datetime.fromtimestamp(-(-at // 1000), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        body = json.dumps(
            {
                "GroupName": self._group,
                "ScheduleExpression": f"at({moment})",
                "ScheduleExpressionTimezone": "UTC",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "ActionAfterCompletion": "DELETE",
                "Target": {"Arn": self._queue_arn, "RoleArn": self._role_arn, "Input": message},
            }
        ).encode()
        try:
            self._send("POST", name, body)
        except Refused as refused:
            if refused.code != "ConflictException":
                raise
            self._send("PUT", name, body)

    def _send(self, method: str, name: str, body: bytes) -> None:
        path = f"/schedules/{quote(name, safe='')}"
        headers = self.signed(method, path, headers={"content-type": "application/json"}, body=body)
        with self.connections.request(method, path, headers, body) as answer:
            raw = answer.read()
        if answer.status != 200:
            raise refusal(answer, raw)


class Bell:
    """Call it with work. Safe to share between threads."""

    def __init__(
        self, queue: JsonClient, url: str, scheduler: Scheduler | None, clock: Callable[[], int] = now_ms
    ) -> None:
        self._queue, self._url, self._scheduler, self._clock = queue, url, scheduler, clock

    def __call__(self, work: Work) -> None:
        def attempt(_: bool) -> None:
            try:
                self._ring(work)
            except NoAnswer as none:
                raise Again(str(none), ambiguous=True) from None
            except Refused as refused:
                raise Again(refused.code, ambiguous=False) from None

        try:
            persist(attempt)
        except Again as again:
            _log.error("work was not announced", extra={"item_id": work.item_id, "reason": again.reason})

    def _ring(self, work: Work) -> None:
        message = json.dumps({"tenant_id": work.tenant_id, "kind": work.kind, "item_id": work.item_id})
        seconds = max(0, -(-(work.due_at - self._clock()) // 1000))
        if seconds <= LONGEST_DELAY_SECONDS:
            self._queue.send_message(
                QueueUrl=self._url, MessageBody=message, DelaySeconds=seconds, MessageGroupId=group_name(work.tenant_id)
            )
        elif work.kind == "schedule" and self._scheduler is not None:
            self._scheduler.put(entry_name(work), work.due_at, message)


def entry_name(work: Work) -> str:
    """The scheduler's name for a schedule: at most 64 characters, and another one for each tenant's."""
    named = hashlib.sha256(f"{work.tenant_id}\0{work.item_id}".encode()).hexdigest()
    return f"oriel-{named[:40]}"


def group_name(tenant_id: str) -> str:
    """The queue's name for a tenant: at most 128 characters, of the few that it takes."""
    return hashlib.sha256(tenant_id.encode()).hexdigest()


def bell_of(settings: Settings) -> Callable[[Work], None]:
    """The bell that the settings name; one that is silent where they name none."""
    if not settings.work_queue:
        return lambda _: None
    target = target_of_setting(settings, "work_queue", "sqs")
    scheduler = None
    if settings.scheduler:
        group = target_of_setting(settings, "scheduler", "scheduler")
        scheduler = Scheduler(group, settings.scheduler_queue, settings.scheduler_role)
    return Bell(JsonClient("sqs", target), target.name, scheduler)
