"""Schedules and their runs in DynamoDB.

Rules kept here: a schedule, its name (which an install has once), and its place in the queue are one transaction.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from oriel.store.dynamodb import table
from oriel.store.dynamodb.installs import DynamoInstalls, belongs_to
from oriel.store.dynamodb.items import Item, key_item, to_item, to_value
from oriel.store.dynamodb.queue import DynamoQueue, enqueued, moved
from oriel.store.dynamodb.requests import ABSENT, Answer, Cancelled, Expression, check, delete, expression, put
from oriel.store.errors import Conflict
from oriel.store.event_records import Schedule, ScheduleRun, Work
from oriel.store.queueing import firing, running
from oriel.store.records import AuditEntry, Page


class DynamoSchedules(DynamoQueue, DynamoInstalls):
    """The `ScheduleStore` part, and what becomes of runs."""

    def create_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        taken = Conflict(f"There is a schedule '{schedule.name}' already, or its install is gone.")
        extension_id = self._extension_of(schedule.tenant_id, schedule.install_id)
        if extension_id is None:
            raise taken
        owner = check(table.install(schedule.tenant_id, extension_id), belongs_to(schedule.install_id))
        item = to_item(table.schedule(schedule.tenant_id, schedule.schedule_id), schedule)
        work = firing(schedule)
        place = () if work is None else enqueued(work)
        try:
            self._transact(owner, put(item, ABSENT), _named(schedule), *place, entry=entry)
        except Cancelled:
            raise taken from None

    def replace_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        self._write_schedule(schedule, entry=entry)

    def delete_schedule(self, tenant_id: str, schedule_id: str, entry: AuditEntry | None = None) -> bool:
        while (stored := self.get_schedule(tenant_id, schedule_id)) is not None:
            place = self._place(replace(stored, next_at=None))
            key, mine = table.schedule(tenant_id, schedule_id), _at(stored.revision)
            try:
                self._transact(delete(key, mine), delete(_name_key(stored)), *place, entry=entry)
            except Cancelled:
                continue  # it has changed meanwhile, or somebody has taken it
            return True
        return False

    def get_schedule(self, tenant_id: str, schedule_id: str) -> Schedule | None:
        return self._one(Schedule, table.schedule(tenant_id, schedule_id))

    def list_schedules(
        self, tenant_id: str, install_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Schedule]:
        only = None if install_id is None else belongs_to(install_id)
        return self._page(Schedule, table.schedules(tenant_id), cursor, limit, only=only)

    def start_run(self, schedule: Schedule, run: ScheduleRun, entry: AuditEntry | None = None) -> None:
        changes = [put(_run_item(run), ABSENT)]
        if run.state == "queued":
            changes += enqueued(running(run))
        self._write_schedule(schedule, *changes, entry=entry)

    def get_run(self, tenant_id: str, run_id: str) -> ScheduleRun | None:
        return self._one(ScheduleRun, table.run(tenant_id, run_id))

    def list_runs(
        self, tenant_id: str, schedule_id: str, cursor: str | None = None, limit: int = 20
    ) -> Page[ScheduleRun]:
        begins = f"{schedule_id}."
        return self._page(ScheduleRun, table.runs(tenant_id), cursor, limit, descending=True, begins=begins)

    def settle_run(self, run: ScheduleRun, work: Work, due_at: int | None) -> bool:
        return self._settle(work, due_at, put(_run_item(run)))

    def _write_schedule(self, schedule: Schedule, *changes: Answer, entry: AuditEntry | None) -> None:
        stale = Conflict(f"The schedule '{schedule.name}' has changed meanwhile, or there is one of that name.")
        stored = self.get_schedule(schedule.tenant_id, schedule.schedule_id)
        if stored is None or stored.revision != schedule.revision - 1:
            raise stale
        names = () if stored.name == schedule.name else (_named(schedule), delete(_name_key(stored)))
        item = to_item(table.schedule(schedule.tenant_id, schedule.schedule_id), schedule)
        try:
            held = put(item, _at(stored.revision))
            self._transact(held, *names, *self._place(schedule), *changes, entry=entry)
        except Cancelled:
            raise stale from None

    def _place(self, schedule: Schedule) -> Iterator[Answer]:
        """The writes that bring the schedule's work to its next time, whoever has it."""
        there = self._one(Work, table.work(schedule.tenant_id, "schedule", schedule.schedule_id))
        if there is not None:
            yield from moved(there, schedule.next_at)
        elif (work := firing(schedule)) is not None:
            yield from enqueued(work)


def _at(revision: int) -> Expression:
    return expression("#revision = :revision", ["revision"], revision=to_value(revision))


def _name_key(schedule: Schedule) -> table.Key:
    return table.schedule_name(schedule.tenant_id, schedule.install_id, schedule.name)


def _named(schedule: Schedule) -> Answer:
    return put(key_item(_name_key(schedule)), ABSENT)


def _run_item(run: ScheduleRun) -> Item:
    return to_item(table.run(run.tenant_id, run.run_id), run, ttl=to_value(-(-run.expires_at // 1000)))
