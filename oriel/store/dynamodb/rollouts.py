"""Rollouts and claims in DynamoDB."""

from contextlib import suppress

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, key_item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import (
    ABSENT,
    PRESENT,
    Answer,
    Cancelled,
    ConditionFailed,
    Expression,
    check,
    delete,
    expression,
    put,
)
from oriel.store.errors import Conflict
from oriel.store.records import AuditEntry, Rollout


class DynamoRollouts(Part):
    """Versions on their way to tenants, and who works on what."""

    def create_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None:
        taken = f"{rollout.extension_id} {rollout.version} is rolled out already, or is not there."
        published = check(table.version(rollout.extension_id, rollout.version), PRESENT)
        self._write_rollout(rollout, ABSENT, taken, entry, published)

    def replace_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None:
        before = expression("#revision = :before", ["revision"], before=to_value(rollout.revision - 1))
        stale = f"The rollout of {rollout.extension_id} {rollout.version} has changed meanwhile."
        self._write_rollout(rollout, before, stale, entry)

    def get_rollout(self, extension_id: str, version: str) -> Rollout | None:
        return self._one(Rollout, table.rollout(extension_id, version))

    def list_rollouts(self, extension_id: str) -> tuple[Rollout, ...]:
        return self._all(Rollout, table.versions(extension_id), table.ROLLOUTS)

    def pending_rollouts(self, limit: int = 100) -> tuple[Rollout, ...]:
        items, _ = self._items(table.PENDING_ROLLOUTS, None, limit, descending=False)
        return tuple(to_record(Rollout, item) for item in items)

    def claim(self, name: str, holder: str, until: int) -> bool:
        item: Item = key_item(table.claim(name)) | {"holder": to_value(holder), "until": to_value(until)}
        item[table.TTL] = to_value(-(-until // 1000))
        mine = expression(
            "attribute_not_exists(pk) OR holder = :holder OR #until <= :now",
            ["until"],
            holder=to_value(holder),
            now=to_value(self._clock()),
        )
        try:
            self._requests.put(item, mine)
        except ConditionFailed:
            return False
        return True

    def release(self, name: str, holder: str) -> None:
        with suppress(ConditionFailed):
            self._requests.delete(table.claim(name), expression("holder = :holder", holder=to_value(holder)))

    def _write_rollout(
        self, rollout: Rollout, condition: Expression, otherwise: str, entry: AuditEntry | None, *more: Answer
    ) -> None:
        """The rollout and its place on the work list."""
        key = table.rollout(rollout.extension_id, rollout.version)
        waiting = table.pending_rollout(rollout.extension_id, rollout.version)
        pending = delete(waiting) if rollout.settled else put(to_item(waiting, rollout))
        try:
            self._transact(put(to_item(key, rollout), condition), pending, *more, entry=entry)
        except Cancelled:
            raise Conflict(otherwise) from None
