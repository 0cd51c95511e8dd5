"""Installs, their secrets, and the one read of a request, in SQL."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Insert, Table, Update, and_, case, delete, exc, insert, select, tuple_, update

from oriel.errors import OrielError
from oriel.store.cursors import decode_text_cursor, encode_cursor
from oriel.store.errors import Conflict
from oriel.store.event_records import Work
from oriel.store.policy_records import SealedPlace
from oriel.store.records import AuditEntry, Install, Page, Resolution, StoredSecret, Version
from oriel.store.sql import tables
from oriel.store.sql.chain import append
from oriel.store.sql.database import to_record, to_row
from oriel.store.sql.policy import DEFAULTS
from oriel.store.sql.queue import SqlQueue
from oriel.store.sql.row_security import DELETE, FOLLOW, RESEAL, Scope
from oriel.store.sql.tables import (
    audit_head,
    extension_version,
    install_secret,
    publisher,
    publisher_key,
    quarantine,
    quota_defaults,
    rollout,
    tenant_quota,
)
from oriel.store.sql.tables import tenant_extension_install as installs

BELONGINGS: Mapping[str, Table] = {
    "subscriptions": tables.extension_event_subscription,
    "schedules": tables.schedule,
    "secrets": tables.install_secret,
    "records": tables.guest_record,
    "repeated_requests": tables.repeated_request,
    "executions": tables.extension_execution_log,
    "fixtures": tables.execution_fixture,
}
"""What belongs to an install and is deleted with it, by the names that receipts use; each has tenant and install id."""

PIECE = 500


class SqlInstalls(SqlQueue):
    """The part that tenants write, and `resolve`."""

    def create_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        taken = f"{install.extension_id} is installed already, or its version {install.version} is gone."
        self._write_install(insert(installs).values(to_row(install)), install, taken, entry, then)

    def replace_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        stale = f"The install of {install.extension_id} has changed meanwhile."
        seen = and_(
            _install(install.tenant_id, install.extension_id),
            installs.c.install_id == install.install_id,
            installs.c.revision == install.revision - 1,
        )
        self._write_install(update(installs).where(seen).values(to_row(install)), install, stale, entry, then)

    def _write_install(
        self, change: Insert | Update, install: Install, otherwise: str, entry: AuditEntry | None, then: Work | None
    ) -> None:
        def write(connection: Connection) -> bool:
            if not connection.execute(change).rowcount:
                return False
            self._enqueue(connection, *(() if then is None else (then,)))
            return True

        try:
            written = self._write(Scope(install.tenant_id), write, entry)
        except exc.IntegrityError:
            written = False
        if not written:
            raise Conflict(otherwise)

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None:
        return self._one(Install, select(installs).where(_install(tenant_id, extension_id)), Scope(tenant_id))

    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        own = select(installs).where(installs.c.tenant_id == tenant_id)
        return self._page(Install, own, installs.c.extension_id, cursor, limit, scope=Scope(tenant_id))

    def delete_install(
        self, tenant_id: str, extension_id: str, entry: AuditEntry | None = None
    ) -> Mapping[str, int] | None:
        one, gone = _install(tenant_id, extension_id), False
        counts: dict[str, int] | None = None

        def erase(connection: Connection) -> tuple[dict[str, int] | None, bool]:
            found = select(installs.c.install_id, installs.c.erased).where(one).with_for_update()
            row = connection.execute(found).one_or_none()
            if row is None:
                return None, True
            counts = dict.fromkeys(BELONGINGS, 0) | row.erased
            for kind, table in BELONGINGS.items():
                if erased := _erase_some(connection, table, tenant_id, row.install_id):
                    counts[kind] += erased
                    more = {"erased": counts, "revision": installs.c.revision + 1}
                    connection.execute(update(installs).where(one).values(more))
                    return counts, False
            connection.execute(delete(installs).where(one))
            if entry is not None:
                append(connection, replace(entry, after=counts), self._upsert(audit_head))
            return counts, True

        while not gone:
            counts, gone = self._write(Scope(tenant_id), erase)
        return counts

    def due_deletions(self, limit: int = 100) -> tuple[Install, ...]:
        due = select(installs).where(installs.c.delete_at <= self._clock()).order_by(installs.c.delete_at).limit(limit)
        return self._all(Install, due, DELETE)

    def list_followers(self, extension_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        following = select(installs).where(installs.c.extension_id == extension_id, installs.c.follows != "")
        return self._page(Install, following, installs.c.tenant_id, cursor, limit, scope=FOLLOW)

    def put_secret(self, secret: StoredSecret, entry: AuditEntry | None = None) -> None:
        self._put(install_secret, secret, f"There is no install {secret.install_id} to keep a secret for.", entry)

    def delete_secret(self, tenant_id: str, install_id: str, name: str, entry: AuditEntry | None = None) -> bool:
        one = delete(install_secret).where(_secrets(tenant_id, install_id), install_secret.c.name == name)
        return self._write(Scope(tenant_id), lambda connection: connection.execute(one).rowcount > 0, entry)

    def list_secrets(self, tenant_id: str, install_id: str) -> tuple[StoredSecret, ...]:
        own = select(install_secret).where(_secrets(tenant_id, install_id))
        return self._all(StoredSecret, own.order_by(install_secret.c.name), Scope(tenant_id))

    def list_sealed(self, key_id: str, cursor: str | None = None, limit: int = 100) -> Page[SealedPlace]:
        place = (install_secret.c.tenant_id, install_secret.c.install_id, install_secret.c.name)
        others = select(*place, install_secret.c.key_id).where(install_secret.c.key_id != key_id)
        if cursor is not None:
            others = others.where(tuple_(*place) > tuple_(*_place(cursor)))
        found = self._all(SealedPlace, others.order_by(*place).limit(limit + 1), RESEAL)
        if len(found) <= limit:
            return Page(items=found)
        last = found[limit - 1]
        after = json.dumps([last.tenant_id, last.install_id, last.name])
        return Page(items=found[:limit], cursor=encode_cursor(after.encode()))

    def reseal_secret(self, secret: StoredSecret, before: StoredSecret) -> bool:
        own = and_(_secrets(secret.tenant_id, secret.install_id), install_secret.c.name == secret.name)
        same = and_(own, install_secret.c.nonce == before.nonce, install_secret.c.key_id == before.key_id)
        again = update(install_secret).where(same).values(to_row(secret))
        return self._write(Scope(secret.tenant_id), lambda connection: connection.execute(again).rowcount) > 0

    def resolve(self, tenant_id: str, extension_id: str) -> Resolution | None:
        """Two statements in one transaction: the secrets are apart, so that the manifest is read once."""
        with self._read(Scope(tenant_id)) as connection:
            row = connection.execute(_RESOLVE.where(_install(tenant_id, extension_id))).mappings().one_or_none()
            if row is None:
                return None
            own = _secrets(tenant_id, row["i_install_id"])
            secrets = connection.execute(select(install_secret).where(own).order_by(install_secret.c.name)).mappings()
            return Resolution(
                install=to_record(Install, _part(row, "i_") | {"version": row["v_version"]}),
                version=to_record(Version, _part(row, "v_")),
                secrets=tuple(to_record(StoredSecret, secret) for secret in secrets),
                publisher_revoked=row["publisher_revoked_at"] is not None,
                signer_revoked=row["signer_revoked_at"] is not None,
                quarantined=row["quarantined_at"] is not None,
                tenant_quotas=(row["default_tenant"] or {}) | (row["own_tenant"] or {}),
                install_quotas=(row["default_install"] or {}) | (row["own_install"] or {}),
            )


def _erase_some(connection: Connection, table: Table, tenant_id: str, install_id: str) -> int:
    """Delete at most `PIECE` rows of an install; how many."""
    key = list(table.primary_key)
    some = select(*key).where(table.c.tenant_id == tenant_id, table.c.install_id == install_id).limit(PIECE)
    return connection.execute(delete(table).where(tuple_(*key).in_(some))).rowcount


def _install(tenant_id: str, extension_id: str) -> Any:
    return and_(installs.c.tenant_id == tenant_id, installs.c.extension_id == extension_id)


def _secrets(tenant_id: str, install_id: str) -> Any:
    return and_(install_secret.c.tenant_id == tenant_id, install_secret.c.install_id == install_id)


def _place(cursor: str) -> tuple[str, str, str]:
    """Where a listing goes on; `OrielError` `malformed_request` where the cursor is not one of it."""
    try:
        tenant_id, install_id, name = map(str, json.loads(decode_text_cursor(cursor)))
    except ValueError:
        raise OrielError("malformed_request", "The cursor is not one that was handed out.") from None
    return tenant_id, install_id, name


def _labelled(table: Table, prefix: str) -> list[Any]:
    return [column.label(prefix + column.name) for column in table.columns]


def _part(row: Mapping[Any, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


_OF_TENANT, _OF_INSTALL = tenant_quota.alias("tenant_own"), tenant_quota.alias("install_own")
_RUNS = case(
    (and_(rollout.c.status == "rolled_back", installs.c.by_rollout), installs.c.previous_version),
    else_=installs.c.version,
)
"""The version that an install runs: of a rollout that was rolled back, the one before."""

_RESOLVE = (
    select(
        *_labelled(installs, "i_"),
        *_labelled(extension_version, "v_"),
        publisher.c.revoked_at.label("publisher_revoked_at"),
        publisher_key.c.revoked_at.label("signer_revoked_at"),
        quarantine.c.created_at.label("quarantined_at"),
        quota_defaults.c.tenant.label("default_tenant"),
        quota_defaults.c.install.label("default_install"),
        _OF_TENANT.c["values"].label("own_tenant"),
        _OF_INSTALL.c["values"].label("own_install"),
    )
    .join_from(
        installs,
        rollout,
        and_(rollout.c.extension_id == installs.c.extension_id, rollout.c.version == installs.c.version),
        isouter=True,
    )
    .join(
        extension_version,
        and_(extension_version.c.extension_id == installs.c.extension_id, extension_version.c.version == _RUNS),
    )
    .join(publisher, publisher.c.publisher == extension_version.c.publisher)
    .outerjoin(
        publisher_key,
        and_(
            publisher_key.c.publisher == extension_version.c.publisher,
            publisher_key.c.key_id == extension_version.c.signer_key_id,
        ),
    )
    .outerjoin(quarantine, quarantine.c.content_hash == extension_version.c.content_hash)
    .outerjoin(quota_defaults, quota_defaults.c.name == DEFAULTS)
    .outerjoin(_OF_TENANT, and_(_OF_TENANT.c.tenant_id == installs.c.tenant_id, _OF_TENANT.c.extension_id == ""))
    .outerjoin(
        _OF_INSTALL,
        and_(
            _OF_INSTALL.c.tenant_id == installs.c.tenant_id,
            _OF_INSTALL.c.extension_id == installs.c.extension_id,
        ),
    )
)
