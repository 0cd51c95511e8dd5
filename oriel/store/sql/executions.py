"""The execution log and what it adds up to, in SQL."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import groupby

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Executable, Table, or_, select, tuple_

from oriel.ids import first_id
from oriel.store.base import EVERY_EXECUTION
from oriel.store.cursors import decode_json_cursor, encode_json_cursor
from oriel.store.records import Execution, ExecutionFilter, Page, Usage, UsageMinute
from oriel.store.sql.database import Database, parameters, to_record, to_row
from oriel.store.sql.row_security import BILLING, Scope
from oriel.store.sql.tables import extension_execution_log as log
from oriel.store.sql.tables import extension_quota_usage as quota_usage
from oriel.store.sql.tables import extension_usage_minute as usage_minute
from oriel.store.usage import MINUTE_SUMS, SUMS, by_minute, summed

EQUAL = ("extension_id", "install_id", "version", "version_id", "content_hash", "request_id", "trigger", "error_code")
MINTED_WITHIN_MS = 60_000
_BILLED = (quota_usage.c.tenant_id, quota_usage.c.extension_id, quota_usage.c.version)


class SqlExecutions(Database):
    """What happened, and what it used."""

    def record_executions(self, executions: Sequence[Execution]) -> None:
        """One transaction for each tenant."""
        for tenant_id, own in groupby(sorted(executions, key=_key), key=lambda entry: entry.tenant_id):
            self._write(Scope(tenant_id), partial(self._record, {entry.execution_id: entry for entry in own}))

    def _record(self, executions: Mapping[str, Execution], connection: Connection) -> None:
        """Executions of one tenant, by their ids, in the order of these."""
        now = self._clock()
        rows = [to_row(replace(entry, recorded_at=now)) for entry in executions.values()]
        new = connection.execute(self._write_once, rows).scalars().all()
        if not new:
            return
        written = [executions[execution_id] for execution_id in new]
        connection.execute(self._add_usage, list(map(to_row, summed(written))))
        connection.execute(self._add_minute, list(map(to_row, by_minute(written))))

    @cached_property
    def _write_once(self) -> Executable:
        return self._upsert(log).values(parameters(log)).on_conflict_do_nothing().returning(log.c.execution_id)

    @cached_property
    def _add_usage(self) -> Executable:
        return self._adding(quota_usage, SUMS)

    @cached_property
    def _add_minute(self) -> Executable:
        return self._adding(usage_minute, MINUTE_SUMS)

    def _adding(self, table: Table, names: Sequence[str]) -> Executable:
        add = self._upsert(table).values(parameters(table))
        sums = {name: table.c[name] + add.excluded[name] for name in names}
        return add.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)

    def list_executions(
        self,
        tenant_id: str,
        where: ExecutionFilter = EVERY_EXECUTION,
        cursor: str | None = None,
        limit: int = 50,
        *,
        oldest_first: bool = False,
    ) -> Page[Execution]:
        own = select(log).where(log.c.tenant_id == tenant_id, self._kept(log), *_conditions(where))
        key, scope = log.c.execution_id, Scope(tenant_id)
        return self._page(Execution, own, key, cursor, limit, scope=scope, descending=not oldest_first)

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None:
        one = select(log).where(log.c.tenant_id == tenant_id, log.c.execution_id == execution_id, self._kept(log))
        return self._one(Execution, one, Scope(tenant_id))

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        table = quota_usage
        own = select(table).where(table.c.tenant_id == tenant_id, table.c.window >= since, table.c.window <= until)
        own = own.order_by(table.c.window, table.c.extension_id, table.c.version)
        return self._all(Usage, own, Scope(tenant_id))

    def list_usage_of_all(self, window: str, cursor: str | None = None, limit: int = 100) -> Page[Usage]:
        all_ = select(quota_usage).where(quota_usage.c.window == window)
        if cursor is not None:
            all_ = all_.where(tuple_(*_BILLED) > tuple_(*decode_json_cursor(cursor, str, str, str)))
        with self._read(BILLING) as connection:
            rows = connection.execute(all_.order_by(*_BILLED).limit(limit + 1)).mappings().all()
        items = tuple(to_record(Usage, row) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(items=items)
        return Page(items=items, cursor=encode_json_cursor([rows[limit - 1][column.name] for column in _BILLED]))

    def list_minutes(
        self, tenant_id: str, since: int, until: int, extension_id: str | None = None
    ) -> tuple[UsageMinute, ...]:
        table = usage_minute
        own = select(table).where(table.c.tenant_id == tenant_id, table.c.minute >= since, table.c.minute < until)
        if extension_id is not None:
            own = own.where(table.c.extension_id == extension_id)
        own = own.where(self._kept(table)).order_by(table.c.minute, table.c.extension_id, table.c.bucket)
        return self._all(UsageMinute, own, Scope(tenant_id))

    def _kept(self, table: Table) -> ColumnElement[bool]:
        return or_(table.c.expires_at.is_(None), table.c.expires_at > self._clock())


def _conditions(where: ExecutionFilter) -> Iterator[ColumnElement[bool]]:
    """The filter's; times are judged by the rows' own, and bound the ids, by which the rows are found."""
    yield from (log.c[name] == value for name in EQUAL if (value := getattr(where, name)) is not None)
    if where.outcome is not None:
        yield log.c.error_code.is_(None) if where.outcome == "succeeded" else log.c.error_code.is_not(None)
    if where.since is not None:
        yield log.c.started_at >= where.since
        yield log.c.execution_id >= first_id("exe", where.since - MINTED_WITHIN_MS)
    if where.until is not None:
        yield log.c.started_at < where.until
        yield log.c.execution_id < first_id("exe", where.until + MINTED_WITHIN_MS)
    if where.recorded_since is not None:
        yield log.c.recorded_at >= where.recorded_since


def _key(execution: Execution) -> tuple[str, str]:
    return execution.tenant_id, execution.execution_id
