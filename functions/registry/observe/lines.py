"""Log lines of many executions, newest execution first."""

from typing import Any

from oriel.logs import Level, lines_of
from oriel.store import Store
from oriel.store.cursors import encode_cursor
from oriel.store.records import ExecutionFilter, Page
from oriel.values import to_plain

READ_AT_ONCE = 100
READS = 5


def search(
    store: Store,
    tenant_id: str,
    where: ExecutionFilter,
    *,
    level: Level,
    text: str,
    cursor: str | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Lines that match, those of one execution together and in their order.

    A page ends with the execution that brings it to `limit` lines, or after a bounded number of executions, so that
    one with few lines, or none, may have a cursor.
    """
    lines: list[dict[str, Any]] = []
    for _ in range(READS):
        page = store.list_executions(tenant_id, where, cursor, READ_AT_ONCE)
        for entry in page.items:
            lines += lines_of(to_plain(entry), level, text)
            if len(lines) >= limit:
                return Page(items=tuple(lines), cursor=encode_cursor(entry.execution_id.encode()))
        cursor = page.cursor
        if cursor is None:
            break
    return Page(items=tuple(lines), cursor=cursor)
