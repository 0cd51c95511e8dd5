"""Schedules and their runs in SQL. A schedule's place in the queue is written with it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, delete, exc, insert, select, update

from oriel.store.errors import Conflict
from oriel.store.event_records import Schedule, ScheduleRun, Work
from oriel.store.queueing import firing, running
from oriel.store.records import AuditEntry, Page
from oriel.store.sql.database import to_row
from oriel.store.sql.queue import SqlQueue, dequeue
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import schedule as schedules
from oriel.store.sql.tables import schedule_run as runs


class SqlSchedules(SqlQueue):
    """The `ScheduleStore` part, and what becomes of runs."""

    def create_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        def create(connection: Connection) -> None:
            connection.execute(insert(schedules).values(to_row(schedule)))
            self._place(connection, schedule)

        try:
            self._write(Scope(schedule.tenant_id), create, entry)
        except exc.IntegrityError:
            raise Conflict(f"There is a schedule '{schedule.name}' already, or its install is gone.") from None

    def replace_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        self._write_schedule(schedule, lambda _: None, entry)

    def delete_schedule(self, tenant_id: str, schedule_id: str, entry: AuditEntry | None = None) -> bool:
        def remove(connection: Connection) -> bool:
            dequeue(connection, tenant_id, "schedule", schedule_id)
            return connection.execute(delete(schedules).where(_schedule(tenant_id, schedule_id))).rowcount > 0

        return self._write(Scope(tenant_id), remove, entry)

    def get_schedule(self, tenant_id: str, schedule_id: str) -> Schedule | None:
        return self._one(Schedule, select(schedules).where(_schedule(tenant_id, schedule_id)), Scope(tenant_id))

    def list_schedules(
        self, tenant_id: str, install_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Schedule]:
        own = select(schedules).where(schedules.c.tenant_id == tenant_id)
        if install_id is not None:
            own = own.where(schedules.c.install_id == install_id)
        return self._page(Schedule, own, schedules.c.schedule_id, cursor, limit, scope=Scope(tenant_id))

    def start_run(self, schedule: Schedule, run: ScheduleRun, entry: AuditEntry | None = None) -> None:
        def start(connection: Connection) -> None:
            connection.execute(insert(runs).values(to_row(run)))
            if run.state == "queued":
                self._enqueue(connection, running(run))

        self._write_schedule(schedule, start, entry)

    def get_run(self, tenant_id: str, run_id: str) -> ScheduleRun | None:
        return self._one(ScheduleRun, select(runs).where(_run(tenant_id, run_id)), Scope(tenant_id))

    def list_runs(
        self, tenant_id: str, schedule_id: str, cursor: str | None = None, limit: int = 20
    ) -> Page[ScheduleRun]:
        own = select(runs).where(
            runs.c.tenant_id == tenant_id, runs.c.run_id > f"{schedule_id}.", runs.c.run_id < f"{schedule_id}/"
        )
        return self._page(ScheduleRun, own, runs.c.run_id, cursor, limit, scope=Scope(tenant_id), descending=True)

    def settle_run(self, run: ScheduleRun, work: Work, due_at: int | None) -> bool:
        return self._settle(work, due_at, update(runs).where(_run(run.tenant_id, run.run_id)).values(to_row(run)), {})

    def _write_schedule(self, schedule: Schedule, then: Callable[[Connection], None], entry: AuditEntry | None) -> None:
        """Write over the one whose revision is one less, and what belongs to it."""
        row = to_row(schedule)
        before = and_(
            _schedule(schedule.tenant_id, schedule.schedule_id), schedules.c.revision == schedule.revision - 1
        )

        def write(connection: Connection) -> None:
            if not connection.execute(update(schedules).where(before).values(row)).rowcount:
                raise Conflict(f"The schedule '{schedule.name}' has changed meanwhile.")
            self._place(connection, schedule)
            then(connection)

        try:
            self._write(Scope(schedule.tenant_id), write, entry)
        except exc.IntegrityError:
            raise Conflict(f"There is a schedule '{schedule.name}' already.") from None

    def _place(self, connection: Connection, schedule: Schedule) -> None:
        work = firing(schedule)
        if work is None:
            dequeue(connection, schedule.tenant_id, "schedule", schedule.schedule_id)
        else:
            self._enqueue(connection, work)


def _schedule(tenant_id: str, schedule_id: str) -> Any:
    return and_(schedules.c.tenant_id == tenant_id, schedules.c.schedule_id == schedule_id)


def _run(tenant_id: str, run_id: str) -> Any:
    return and_(runs.c.tenant_id == tenant_id, runs.c.run_id == run_id)
