"""The execution log and the usage of a day in SQL."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

from sqlalchemy import Connection, select

from oriel.store.records import Execution, Page, Usage
from oriel.store.sql.database import Database, to_row
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import extension_execution_log as log
from oriel.store.sql.tables import extension_quota_usage as quota_usage
from oriel.store.usage import SUMS, summed


class SqlExecutions(Database):
    """What happened, and what it used."""

    def record_executions(self, executions: Sequence[Execution]) -> None:
        """One transaction for each tenant."""
        for tenant_id, own in groupby(sorted(executions, key=_key), key=lambda entry: entry.tenant_id):
            self._write(Scope(tenant_id), partial(self._record, {entry.execution_id: entry for entry in own}))

    def _record(self, executions: Mapping[str, Execution], connection: Connection) -> None:
        """Executions of one tenant, by their ids, in the order of these."""
        once = self._upsert(log).on_conflict_do_nothing().returning(log.c.execution_id)
        written = connection.execute(once, [to_row(entry) for entry in executions.values()]).scalars()
        for usage in summed(executions[execution_id] for execution_id in written):
            add = self._upsert(quota_usage).values(to_row(usage))
            sums = {name: quota_usage.c[name] + add.excluded[name] for name in SUMS}
            connection.execute(add.on_conflict_do_update(index_elements=list(quota_usage.primary_key), set_=sums))

    def list_executions(
        self, tenant_id: str, extension_id: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Execution]:
        own = select(log).where(log.c.tenant_id == tenant_id)
        if extension_id is not None:
            own = own.where(log.c.extension_id == extension_id)
        return self._page(Execution, own, log.c.execution_id, cursor, limit, scope=Scope(tenant_id), descending=True)

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None:
        one = select(log).where(log.c.tenant_id == tenant_id, log.c.execution_id == execution_id)
        return self._one(Execution, one, Scope(tenant_id))

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        table = quota_usage
        own = select(table).where(table.c.tenant_id == tenant_id, table.c.window >= since, table.c.window <= until)
        own = own.order_by(table.c.window, table.c.extension_id, table.c.version)
        return self._all(Usage, own, Scope(tenant_id))


def _key(execution: Execution) -> tuple[str, str]:
    return execution.tenant_id, execution.execution_id
