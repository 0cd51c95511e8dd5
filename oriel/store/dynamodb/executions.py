"""The execution log in DynamoDB.

Rules kept here:

- Log entries and the usage they add are one transaction, so that an entry counts once. What a batch finds written
  already is left out of the next attempt; entries that do not fit one transaction take several.
- A listing is read in the partition that leaves out most: a request's, an extension's, else the tenant's. The rest of
  a filter is applied to what is read there, and a page ends after a bounded number of reads, be it full or not.
- An extension's and a request's own listing hold what filters ask about; the entries are read by their ids.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from oriel.ids import first_id
from oriel.store.base import EVERY_EXECUTION
from oriel.store.cursors import encode_cursor
from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, item_bytes, key_item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part, position
from oriel.store.dynamodb.requests import (
    ABSENT,
    MAX_TRANSACTION,
    MAX_TRANSACTION_BYTES,
    Cancelled,
    Expression,
    expression,
    put,
)
from oriel.store.dynamodb.table import Key
from oriel.store.dynamodb.usage import USAGE_WRITES, usage_writes
from oriel.store.records import Execution, ExecutionFilter, Page

WRITES_EACH = 3 + USAGE_WRITES  # the entry, its places in two listings, and at worst usage of its own
ENTRIES = MAX_TRANSACTION // WRITES_EACH
GROUP_BYTES = MAX_TRANSACTION_BYTES // 2
READ_AT_ONCE = 100
READS_A_PAGE = 10
MINTED_WITHIN_MS = 60_000

_EQUAL = ("extension_id", "install_id", "version", "version_id", "content_hash", "request_id", "trigger", "error_code")
_LISTED = (*_EQUAL, "started_at", "recorded_at", "expires_at")
_LOWEST, _HIGHEST = "\x00", "\U0010ffff"  # before and after every id


class DynamoExecutions(Part):
    """What happened."""

    def record_executions(self, executions: Sequence[Execution]) -> None:
        once = {(entry.tenant_id, entry.execution_id): entry for entry in reversed(executions)}
        now = self._clock()
        for some in _groups([replace(once[key], recorded_at=now) for key in reversed(once)]):
            self._record(some)

    def list_executions(
        self,
        tenant_id: str,
        where: ExecutionFilter = EVERY_EXECUTION,
        cursor: str | None = None,
        limit: int = 50,
        *,
        oldest_first: bool = False,
    ) -> Page[Execution]:
        partition, prefix = _listing(tenant_id, where)
        low, high = (prefix + bound for bound in _bounds(where))
        after = None if cursor is None else prefix + position(cursor, table.MAX_SORT_BYTES - len(prefix.encode()))
        if after is not None and not low <= after <= high:
            past_the_end = after > high if oldest_first else after < low
            if past_the_end:
                return Page(items=())
            after = None
        pages = self._requests.pages(
            partition,
            between=(low, high),
            after=after,
            descending=not oldest_first,
            page=max(READ_AT_ONCE, limit + 1),
            only=self._only(where),
        )
        items, following = _first(limit, pages)
        entries = items if not prefix and partition == table.executions(tenant_id) else self._read(tenant_id, items)
        following = None if following is None else following.removeprefix(prefix)
        return Page(
            items=tuple(to_record(Execution, item) for item in entries),
            cursor=None if following is None else encode_cursor(following.encode()),
        )

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None:
        found = self._one(Execution, Key(table.executions(tenant_id), execution_id))
        is_kept = found is not None and (found.expires_at is None or found.expires_at > self._clock())
        return found if is_kept else None

    def _read(self, tenant_id: str, listed: Iterable[Item]) -> list[Item]:
        """The entries of what a listing has, where they are still there."""
        keys = [Key(table.executions(tenant_id), item["sk"]["S"].rpartition("#")[2]) for item in listed]
        found = self._requests.get_many(keys)
        return [found[key] for key in keys if key in found]

    def _record(self, entries: list[tuple[Execution, Item]]) -> None:
        """One transaction; again without those that were written before."""
        while entries:
            writes = [put(item, ABSENT) for _, item in entries]
            writes += [put(item) for entry, _ in entries for item in _places(entry)]
            writes += usage_writes([entry for entry, _ in entries])
            try:
                self._requests.transact(*writes)
            except Cancelled as cancelled:
                entries = [entry for place, entry in enumerate(entries) if place not in cancelled.failed]
            else:
                break

    def _only(self, where: ExecutionFilter) -> Expression:
        """The filter, and that the entry has not expired."""
        tests = ["(attribute_not_exists(#expires_at) OR #expires_at > :now)"]
        names, values = {"expires_at"}, {"now": to_value(self._clock())}
        for name in _EQUAL:
            if (value := getattr(where, name)) is not None:
                tests.append(f"#{name} = :{name}")
                names.add(name)
                values[name] = to_value(value)
        if where.outcome is not None:
            tests.append(f"attribute_{'not_' * (where.outcome == 'succeeded')}exists(#error_code)")
            names.add("error_code")
        for name, sign, value in (
            ("started_at", ">=", where.since),
            ("started_at", "<", where.until),
            ("recorded_at", ">=", where.recorded_since),
        ):
            if value is not None:
                given = f"{name}_{'from' if sign == '>=' else 'to'}"
                tests.append(f"#{name} {sign} :{given}")
                names.add(name)
                values[given] = to_value(value)
        return expression(" AND ".join(tests), sorted(names), **values)


def _listing(tenant_id: str, where: ExecutionFilter) -> tuple[str, str]:
    """The partition to read, and what its sort keys have before the execution's id."""
    if where.request_id is not None:
        return table.requests(tenant_id), table.of_request(where.request_id)
    if where.extension_id is not None:
        return table.executions_of(tenant_id, where.extension_id), ""
    return table.executions(tenant_id), ""


def _bounds(where: ExecutionFilter) -> tuple[str, str]:
    """The ids that executions of the filter's time can have."""
    low = _LOWEST if where.since is None else first_id("exe", where.since - MINTED_WITHIN_MS)
    return low, _HIGHEST if where.until is None else first_id("exe", where.until + MINTED_WITHIN_MS)


def _first(limit: int, pages: Iterator[tuple[list[Item], str | None]]) -> tuple[list[Item], str | None]:
    """At most `limit` items, and the sort key to go on after."""
    items: list[Item] = []
    for reads, (some, reached) in enumerate(pages, 1):
        items += some
        if len(items) > limit:
            return items[:limit], items[limit - 1]["sk"]["S"]
        if reached is None or reads == READS_A_PAGE:
            return items, reached
    return items, None


def _groups(executions: Iterable[Execution]) -> Iterator[list[tuple[Execution, Item]]]:
    """Entries with their items, in as few transactions as hold them."""
    group: list[tuple[Execution, Item]] = []
    size = 0
    for entry in executions:
        item = to_item(
            Key(table.executions(entry.tenant_id), entry.execution_id), entry, ttl=table.ttl(entry.expires_at)
        )
        took = item_bytes(item) + sum(map(item_bytes, _places(entry)))
        if group and (len(group) == ENTRIES or size + took > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append((entry, item))
        size += took
    if group:
        yield group


def _places(entry: Execution) -> Iterator[Item]:
    """Where an entry stands beside its own partition."""
    asked_about = {name: to_value(value) for name in _LISTED if (value := getattr(entry, name)) is not None}
    late = table.ttl(entry.expires_at)
    rest = asked_about | ({} if late is None else {table.TTL: late})
    yield key_item(Key(table.executions_of(entry.tenant_id, entry.extension_id), entry.execution_id)) | rest
    by_request = Key(table.requests(entry.tenant_id), table.of_request(entry.request_id) + entry.execution_id)
    yield key_item(by_request) | rest
