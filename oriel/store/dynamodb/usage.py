"""What executions used, in DynamoDB: sums that each transaction of log entries adds to.

The list of a day's usage of all tenants holds keys alone: what a tenant used stands in its own partition.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from oriel.store.cursors import decode_json_cursor, encode_json_cursor
from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, Value, key_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import Answer, expression, put, update
from oriel.store.dynamodb.table import MAX_SORT_BYTES, USAGE_SHARDS, Key
from oriel.store.records import Execution, Page, Usage, UsageMinute
from oriel.store.usage import MINUTE_SUMS, SUMS, by_minute, summed
from oriel.values import to_plain

USAGE_WRITES = 3  # at worst: the tenant's day, its place in the day of all, the minute


class DynamoUsage(Part):
    """The reads; the writes are those of log entries."""

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        windows = (since, f"{until}$")  # the first text after all that begin with `until` and a "#"
        if since > until:
            return ()
        found = self._requests.query(table.usages(tenant_id), between=windows)
        usages = (to_record(Usage, item) for item in found)
        return tuple(sorted(usages, key=lambda usage: (usage.window, usage.extension_id, usage.version)))

    def list_usage_of_all(self, window: str, cursor: str | None = None, limit: int = 100) -> Page[Usage]:
        shard, after = (0, "") if cursor is None else decode_json_cursor(cursor, int, str)
        listed = list(islice(self._of_all(window, shard, after[:MAX_SORT_BYTES]), limit + 1))
        keys = [Key(item["of"]["S"], item["at"]["S"]) for _, item in listed[:limit]]
        found = self._requests.get_many(keys)
        items = tuple(to_record(Usage, found[key]) for key in keys if key in found)
        if len(listed) <= limit:
            return Page(items=items)
        place, last = listed[limit - 1]
        return Page(items=items, cursor=encode_json_cursor([place, last["sk"]["S"]]))

    def _of_all(self, window: str, shard: int, after: str) -> Iterator[tuple[int, Item]]:
        """The list's items, each with the shard it is in."""
        for place in range(max(0, shard), USAGE_SHARDS):
            begin = after if place == shard and after else None
            for item in self._requests.query(table.usages_of_all(window, place), after=begin):
                yield place, item

    def list_minutes(
        self, tenant_id: str, since: int, until: int, extension_id: str | None = None
    ) -> tuple[UsageMinute, ...]:
        if since >= until:
            return ()
        between = (table.minute_sort(since), table.minute_sort(until))
        found = (
            to_record(UsageMinute, item) for item in self._requests.query(table.minutes(tenant_id), between=between)
        )
        now = self._clock()
        return tuple(
            row
            for row in found
            if row.extension_id == (extension_id or row.extension_id)
            and (row.expires_at is None or row.expires_at > now)
        )


def usage_writes(entries: Sequence[Execution]) -> Iterator[Answer]:
    """What a transaction of `entries` adds to."""
    for usage in summed(entries):
        where = (usage.tenant_id, usage.window, usage.extension_id, usage.version)
        yield _add(table.usage(*where), usage, SUMS)
        own = table.usage(*where)
        yield put({**key_item(table.usage_of_all(*where)), "of": {"S": own.partition}, "at": {"S": own.sort}})
    for row in by_minute(entries):
        yield _add(
            table.minute(row.tenant_id, row.minute, row.extension_id, row.bucket),
            row,
            MINUTE_SUMS,
            table.ttl(row.expires_at),
        )


def _add(key: Key, record: Any, sums: Sequence[str], ttl: Value | None = None) -> Answer:
    """Add to the sums of an item, which is made where it is not there."""
    given = {
        name: to_value(value) for name, value in to_plain(record).items() if name not in sums and value is not None
    }
    given |= {table.TTL: ttl} if ttl else {}
    values = given | {name: to_value(round(getattr(record, name), 3)) for name in sums}  # a number has 38 digits
    sets = ", ".join(f"#{name} = :{name}" for name in given)
    adds = ", ".join(f"#{name} :{name}" for name in sums)
    return update(key, expression(f"SET {sets} ADD {adds}", tuple(values), **values))
