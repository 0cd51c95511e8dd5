"""API keys, quotas, meters, repeated requests and data keys in SQL."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

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
from oriel.store.sql.database import Database, to_record, to_row
from oriel.store.sql.row_security import NO_TENANT, PLATFORM, Scope
from oriel.store.sql.tables import api_key, data_key, quota_defaults, rate_lease, repeated_request, tenant_quota

DEFAULTS = "platform"


class SqlPolicy(Database):
    """What the gateway's policy remembers."""

    # API keys

    def create_api_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None:
        row = to_row(key) | {"tenant_id": key.tenant_id or NO_TENANT}
        self._create_row(api_key, row, _scope(key.tenant_id), f"There is an API key {key.key_id} already.", entry)

    def get_api_key(self, tenant_id: str | None, key_id: str) -> ApiKey | None:
        found = self._one(ApiKey, select(api_key).where(_key(tenant_id, key_id)), _scope(tenant_id))
        return None if found is None else _named(found)

    def list_api_keys(self, tenant_id: str | None, cursor: str | None = None, limit: int = 100) -> Page[ApiKey]:
        own = select(api_key).where(api_key.c.tenant_id == (tenant_id or NO_TENANT))
        page = self._page(ApiKey, own, api_key.c.key_id, cursor, limit, scope=_scope(tenant_id))
        return Page(items=tuple(map(_named, page.items)), cursor=page.cursor)

    def revoke_api_key(self, tenant_id: str | None, key_id: str, at: int, entry: AuditEntry | None = None) -> bool:
        one = update(api_key).where(_key(tenant_id, key_id), api_key.c.revoked_at.is_(None)).values(revoked_at=at)
        return self._write(_scope(tenant_id), lambda connection: connection.execute(one).rowcount > 0, entry)

    # quotas

    def put_quota_defaults(self, defaults: QuotaDefaults, entry: AuditEntry | None = None) -> None:
        self._put_row(quota_defaults, to_row(defaults) | {"name": DEFAULTS}, Scope(), entry)

    def get_quota_defaults(self) -> QuotaDefaults | None:
        columns = [column for column in quota_defaults.columns if column.name != "name"]
        return self._one(QuotaDefaults, select(*columns).where(quota_defaults.c.name == DEFAULTS))

    def put_quota(self, setting: QuotaSetting, entry: AuditEntry | None = None) -> None:
        self._put_row(tenant_quota, to_row(setting), Scope(setting.tenant_id), entry)

    def list_quotas(self, tenant_id: str) -> tuple[QuotaSetting, ...]:
        own = select(tenant_quota).where(tenant_quota.c.tenant_id == tenant_id)
        return self._all(QuotaSetting, own.order_by(tenant_quota.c.extension_id), Scope(tenant_id))

    # meters

    def take_leases(self, tenant_id: str, asks: Sequence[LeaseAsk]) -> tuple[Lease, ...]:
        """One transaction. Meters are taken in the order of their names, so that no two wait in a circle."""

        def take(connection: Connection) -> tuple[Lease, ...]:
            given = {ask.bucket: self._take_lease(connection, tenant_id, ask) for ask in sorted(asks, key=_bucket)}
            return tuple(given[ask.bucket] for ask in asks)

        return self._write(Scope(tenant_id), take)

    def _take_lease(self, connection: Connection, tenant_id: str, ask: LeaseAsk) -> Lease:
        now = self._clock()
        own = and_(rate_lease.c.tenant_id == tenant_id, rate_lease.c.bucket == ask.bucket)
        read = select(rate_lease).where(own).with_for_update()
        row = connection.execute(read).mappings().one_or_none()
        if row is None:
            first = self._upsert(rate_lease).values(to_row(fresh(tenant_id, ask, now)))
            connection.execute(first.on_conflict_do_nothing())
            row = connection.execute(read).mappings().one()
        meter, lease = taken(to_record(Meter, row), ask, now)
        connection.execute(update(rate_lease).where(own).values(to_row(meter)))
        return lease

    # repeated requests

    def claim_repeat(self, record: RepeatRecord) -> RepeatRecord | None:
        row, now = to_row(record), self._clock()
        keys = [column.name for column in repeated_request.primary_key]
        new = self._upsert(repeated_request).values(row)
        over = {name: new.excluded[name] for name in row if name not in keys}
        expired = repeated_request.c.expires_at <= now
        upsert = new.on_conflict_do_update(index_elements=keys, set_=over, where=expired)
        claimed = upsert.returning(repeated_request.c.claim)

        def claim(connection: Connection) -> RepeatRecord | None:
            if connection.execute(claimed).scalar_one_or_none() is not None:
                return None
            row = connection.execute(select(repeated_request).where(_repeat(record))).mappings().one()
            there = to_record(RepeatRecord, row)
            return None if there.claim == record.claim else there

        return self._write(Scope(record.tenant_id), claim)

    def answer_repeat(self, record: RepeatRecord) -> bool:
        mine = and_(_repeat(record), repeated_request.c.claim == record.claim)
        answered = update(repeated_request).where(mine).values(to_row(record))
        return self._write(Scope(record.tenant_id), lambda connection: connection.execute(answered).rowcount) > 0

    def drop_repeat(self, record: RepeatRecord) -> bool:
        mine = and_(_repeat(record), repeated_request.c.claim == record.claim)
        return self._delete(delete(repeated_request).where(mine), Scope(record.tenant_id)) > 0

    # data keys

    def put_data_key(self, key: StoredDataKey, entry: AuditEntry | None = None) -> None:
        self._put_row(data_key, to_row(key), Scope(), entry)

    def current_data_key(self) -> StoredDataKey | None:
        newest = select(data_key).order_by(data_key.c.created_at.desc(), data_key.c.key_id.desc()).limit(1)
        return self._one(StoredDataKey, newest)


def _scope(tenant_id: str | None) -> Scope:
    return PLATFORM if tenant_id is None else Scope(tenant_id)


def _key(tenant_id: str | None, key_id: str) -> ColumnElement[bool]:
    return and_(api_key.c.tenant_id == (tenant_id or NO_TENANT), api_key.c.key_id == key_id)


def _named(key: ApiKey) -> ApiKey:
    return replace(key, tenant_id=key.tenant_id or None)


def _bucket(ask: LeaseAsk) -> str:
    return ask.bucket


def _repeat(record: RepeatRecord) -> Any:
    table = repeated_request
    return and_(
        table.c.tenant_id == record.tenant_id, table.c.install_id == record.install_id, table.c.key == record.key
    )
