"""API keys, quotas, meters, repeated requests and data keys in DynamoDB.

Rules kept here:

- A meter is taken from by reading it and writing it on condition that nobody wrote meanwhile; who loses reads again.
- A repeated request's record that has expired is as if it were not there, though DynamoDB deletes it days later.
"""

from collections.abc import Sequence

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import ABSENT, Cancelled, ConditionFailed, Expression, expression, put, update
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict, StoreUnavailable
from oriel.store.leases import fresh, taken
from oriel.store.policy_records import (
    ApiKey,
    Lease,
    LeaseAsk,
    Meter,
    QuotaDefaults,
    QuotaSetting,
    RepeatRecord,
    StoredDataKey,
)
from oriel.store.records import AuditEntry, Page

TURNS = 20


class DynamoPolicy(Part):
    """What the gateway's policy remembers."""

    # API keys

    def create_api_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None:
        try:
            self._transact(put(to_item(Key(table.api_keys(key.tenant_id), key.key_id), key), ABSENT), entry=entry)
        except Cancelled:
            raise Conflict(f"There is an API key {key.key_id} already.") from None

    def get_api_key(self, tenant_id: str | None, key_id: str) -> ApiKey | None:
        return self._one(ApiKey, Key(table.api_keys(tenant_id), key_id))

    def list_api_keys(self, tenant_id: str | None, cursor: str | None = None, limit: int = 100) -> Page[ApiKey]:
        return self._page(ApiKey, table.api_keys(tenant_id), cursor, limit)

    def revoke_api_key(self, tenant_id: str | None, key_id: str, at: int, entry: AuditEntry | None = None) -> bool:
        live = expression("attribute_exists(pk) AND attribute_not_exists(revoked_at)")
        revoked = expression("SET revoked_at = :at", at=to_value(at))
        try:
            self._transact(update(Key(table.api_keys(tenant_id), key_id), revoked, live), entry=entry)
        except Cancelled:
            return False
        return True

    # quotas

    def put_quota_defaults(self, defaults: QuotaDefaults, entry: AuditEntry | None = None) -> None:
        self._transact(put(to_item(table.quota_defaults(), defaults)), entry=entry)

    def get_quota_defaults(self) -> QuotaDefaults | None:
        return self._one(QuotaDefaults, table.quota_defaults())

    def put_quota(self, setting: QuotaSetting, entry: AuditEntry | None = None) -> None:
        item = to_item(table.quota(setting.tenant_id, setting.extension_id), setting)
        self._transact(put(item), entry=entry)

    def list_quotas(self, tenant_id: str) -> tuple[QuotaSetting, ...]:
        return self._all(QuotaSetting, table.quotas(tenant_id))

    # meters

    def take_leases(self, tenant_id: str, asks: Sequence[LeaseAsk]) -> tuple[Lease, ...]:
        keys = [table.meter(tenant_id, ask.bucket) for ask in asks]
        for _ in range(TURNS):
            stored, now = self._requests.get_many(keys), self._clock()
            leases, writes = [], []
            for key, ask in zip(keys, asks, strict=True):
                before = to_record(Meter, stored[key]) if key in stored else fresh(tenant_id, ask, now)
                meter, lease = taken(before, ask, now)
                leases.append(lease)
                writes.append(put(to_item(key, meter), _at(before.revision) if before.revision else ABSENT))
            try:
                self._requests.transact(*writes)
            except Cancelled:
                continue  # another gateway came between: judge again by what is there now
            return tuple(leases)
        raise StoreUnavailable("Too many gateways take from one meter at once.")

    # repeated requests

    def claim_repeat(self, record: RepeatRecord) -> RepeatRecord | None:
        now = self._clock()
        free = expression("attribute_not_exists(pk) OR expires_at <= :now", now=to_value(now))
        for _ in range(TURNS):
            try:
                self._requests.put(_repeat_item(record), free)
            except ConditionFailed:
                there = self._one(RepeatRecord, _repeat_key(record))
                if there is not None and there.claim != record.claim:
                    return there
                if there is not None:
                    return None
            else:
                return None
        raise StoreUnavailable("The idempotency key is used by too many at once.")

    def answer_repeat(self, record: RepeatRecord) -> bool:
        try:
            self._requests.put(_repeat_item(record), _claimed(record))
        except ConditionFailed:
            return False
        return True

    def drop_repeat(self, record: RepeatRecord) -> bool:
        try:
            return self._requests.delete(_repeat_key(record), _claimed(record))
        except ConditionFailed:
            return False

    # data keys

    def put_data_key(self, key: StoredDataKey, entry: AuditEntry | None = None) -> None:
        self._transact(put(to_item(Key(table.DATA_KEYS, f"{key.created_at:016}"), key)), entry=entry)

    def current_data_key(self) -> StoredDataKey | None:
        newest = self._page(StoredDataKey, table.DATA_KEYS, None, 1, descending=True).items
        return newest[0] if newest else None


def _at(revision: int) -> Expression:
    return expression("#revision = :revision", ["revision"], revision=to_value(revision))


def _claimed(record: RepeatRecord) -> Expression:
    return expression("#claim = :claim", ["claim"], claim=to_value(record.claim))


def _repeat_key(record: RepeatRecord) -> Key:
    return table.repeat(record.tenant_id, record.install_id, record.key)


def _repeat_item(record: RepeatRecord) -> Item:
    return to_item(_repeat_key(record), record, ttl=to_value(-(-record.expires_at // 1000)))
