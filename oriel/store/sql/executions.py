"""The execution log and the usage of a day in SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select

from oriel.store.records import Execution, Page, Usage
from oriel.store.sql.database import Database, to_row
from oriel.store.sql.tables import extension_execution_log as log
from oriel.store.sql.tables import extension_quota_usage as quota_usage

BYTES_PER_MB = 1_000_000
_SUMS = ("invocations", "failures", "duration_ms", "cpu_ms", "memory_mb_ms", "egress_bytes")


class SqlExecutions(Database):
    """What happened, and what it used."""

    def record_executions(self, executions: Sequence[Execution]) -> None:
        if not executions:
            return
        with self._write() as connection:
            once = self._upsert(log).on_conflict_do_nothing().returning(log.c.tenant_id, log.c.execution_id)
            written = {tuple(row) for row in connection.execute(once, [to_row(entry) for entry in executions])}
            fresh = {key: entry for entry in executions if (key := (entry.tenant_id, entry.execution_id)) in written}
            for usage in summed(fresh.values()):
                add = self._upsert(quota_usage).values(to_row(usage))
                sums = {name: quota_usage.c[name] + add.excluded[name] for name in _SUMS}
                connection.execute(add.on_conflict_do_update(index_elements=list(quota_usage.primary_key), set_=sums))

    def list_executions(
        self, tenant_id: str, extension_id: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Execution]:
        own = select(log).where(log.c.tenant_id == tenant_id)
        if extension_id is not None:
            own = own.where(log.c.extension_id == extension_id)
        return self._page(Execution, own, log.c.execution_id, cursor, limit, descending=True)

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None:
        one = select(log).where(log.c.tenant_id == tenant_id, log.c.execution_id == execution_id)
        return self._one(Execution, one)

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        table = quota_usage
        own = select(table).where(table.c.tenant_id == tenant_id, table.c.window >= since, table.c.window <= until)
        return self._all(Usage, own.order_by(table.c.window, table.c.extension_id, table.c.version))


def summed(executions: Iterable[Execution]) -> list[Usage]:
    """What `executions` used, one record for each tenant, extension, version and UTC day, in the order of their keys.

    Writers that add to the same rows do so in the same order, so that none waits for the other in a circle.
    """
    sums: dict[tuple[str, str, str, str], Usage] = {}
    for entry in executions:
        window = datetime.fromtimestamp(entry.started_at / 1000, UTC).date().isoformat()
        key = (entry.tenant_id, window, entry.extension_id, entry.version)
        usage = sums.get(key) or Usage(
            tenant_id=entry.tenant_id, extension_id=entry.extension_id, version=entry.version, window=window
        )
        sums[key] = _added(usage, entry)
    return [sums[key] for key in sorted(sums)]


def _added(usage: Usage, entry: Execution) -> Usage:
    duration = float(entry.receipt.get("duration_ms", 0.0))
    peak = float(entry.receipt.get("peak_memory_bytes", 0))
    return replace(
        usage,
        invocations=usage.invocations + 1,
        failures=usage.failures + (entry.error_code is not None),
        duration_ms=usage.duration_ms + duration,
        cpu_ms=usage.cpu_ms + float(entry.receipt.get("cpu_ms", 0.0)),
        memory_mb_ms=usage.memory_mb_ms + peak / BYTES_PER_MB * duration,
        egress_bytes=usage.egress_bytes + int(entry.receipt.get("egress_bytes", 0)),
    )
