"""The execution log and the usage of a day in DynamoDB.

Rules kept here:

- Log entries and the usage they add are one transaction, so that an entry counts once. What a batch finds written
  already is left out of the next attempt; entries that do not fit one transaction take several.
- An extension's own listing holds ids; the entries are read by them.
"""

from collections.abc import Iterable, Iterator, Sequence

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, item_bytes, key_item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import (
    ABSENT,
    MAX_TRANSACTION,
    MAX_TRANSACTION_BYTES,
    Answer,
    Cancelled,
    expression,
    put,
    update,
)
from oriel.store.dynamodb.table import Key
from oriel.store.records import Execution, Page, Usage
from oriel.store.usage import SUMS, summed

WRITES_EACH = 3  # the entry, its place in the extension's listing, and at worst a usage of its own
ENTRIES = MAX_TRANSACTION // WRITES_EACH
GROUP_BYTES = MAX_TRANSACTION_BYTES // 2


class DynamoExecutions(Part):
    """What happened, and what it used."""

    def record_executions(self, executions: Sequence[Execution]) -> None:
        once = {(entry.tenant_id, entry.execution_id): entry for entry in reversed(executions)}
        for some in _groups([once[key] for key in reversed(once)]):
            self._record(some)

    def list_executions(
        self, tenant_id: str, extension_id: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Execution]:
        if extension_id is None:
            return self._page(Execution, table.executions(tenant_id), cursor, limit, descending=True)
        partition = table.executions_of(tenant_id, extension_id)
        listed, following = self._items(partition, cursor, limit, descending=True)
        keys = [Key(table.executions(tenant_id), item["sk"]["S"]) for item in listed]
        found = self._requests.get_many(keys)
        return Page(items=tuple(to_record(Execution, found[key]) for key in keys if key in found), cursor=following)

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None:
        return self._one(Execution, Key(table.executions(tenant_id), execution_id))

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        windows = (since, f"{until}$")  # the first text after all that begin with `until` and a "#"
        if since > until:
            return ()
        found = self._requests.query(table.usages(tenant_id), between=windows)
        usages = (to_record(Usage, item) for item in found)
        return tuple(sorted(usages, key=lambda usage: (usage.window, usage.extension_id, usage.version)))

    def _record(self, entries: list[tuple[Execution, Item]]) -> None:
        """One transaction; again without those that were written before."""
        while entries:
            writes = [put(item, ABSENT) for _, item in entries]
            writes += [put(_listed(entry)) for entry, _ in entries]
            writes += [_add(usage) for usage in summed(entry for entry, _ in entries)]
            try:
                self._requests.transact(*writes)
            except Cancelled as cancelled:
                entries = [entry for place, entry in enumerate(entries) if place not in cancelled.failed]
            else:
                break


def _groups(executions: Iterable[Execution]) -> Iterator[list[tuple[Execution, Item]]]:
    """Entries with their items, in as few transactions as hold them."""
    group: list[tuple[Execution, Item]] = []
    size = 0
    for entry in executions:
        item = to_item(Key(table.executions(entry.tenant_id), entry.execution_id), entry)
        took = item_bytes(item) + item_bytes(_listed(entry))
        if group and (len(group) == ENTRIES or size + took > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append((entry, item))
        size += took
    if group:
        yield group


def _listed(entry: Execution) -> Item:
    return key_item(Key(table.executions_of(entry.tenant_id, entry.extension_id), entry.execution_id))


def _add(usage: Usage) -> Answer:
    names = ("tenant_id", "extension_id", "version", "window")
    given = {name: to_value(getattr(usage, name)) for name in names}
    given |= {name: to_value(round(getattr(usage, name), 3)) for name in SUMS}  # a number has 38 digits at most
    sets = ", ".join(f"#{name} = :{name}" for name in names)
    adds = ", ".join(f"#{name} :{name}" for name in SUMS)
    key = table.usage(usage.tenant_id, usage.window, usage.extension_id, usage.version)
    return update(key, expression(f"SET {sets} ADD {adds}", (*names, *SUMS), **given))
