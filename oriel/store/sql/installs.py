"""Installs, their secrets, and the one read of a request, in SQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, select

from oriel.store.records import Install, Page, Resolution, StoredSecret, Version
from oriel.store.sql import tables
from oriel.store.sql.database import Database, to_record
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import extension_version, install_secret, publisher, publisher_key, quarantine
from oriel.store.sql.tables import tenant_extension_install as installs

_BELONGS_TO_AN_INSTALL = (
    tables.guest_record,
    tables.install_secret,
    tables.extension_event_subscription,
    tables.schedule,
)


class SqlInstalls(Database):
    """The part that tenants write, and `resolve`."""

    def create_install(self, install: Install) -> None:
        taken = f"{install.extension_id} is installed already, or its version {install.version} is gone."
        self._create(installs, install, taken)

    def replace_install(self, install: Install) -> None:
        self._replace(installs, install, f"The install of {install.extension_id} has changed meanwhile.")

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None:
        return self._one(Install, select(installs).where(_install(tenant_id, extension_id)), Scope(tenant_id))

    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        own = select(installs).where(installs.c.tenant_id == tenant_id)
        return self._page(Install, own, installs.c.extension_id, cursor, limit, scope=Scope(tenant_id))

    def delete_install(self, tenant_id: str, extension_id: str) -> bool:
        one = _install(tenant_id, extension_id)

        def remove(connection: Connection) -> bool:
            install_id = connection.execute(select(installs.c.install_id).where(one).with_for_update()).scalar()
            if install_id is None:
                return False
            for table in _BELONGS_TO_AN_INSTALL:
                own = and_(table.c.tenant_id == tenant_id, table.c.install_id == install_id)
                connection.execute(delete(table).where(own))
            return connection.execute(delete(installs).where(one)).rowcount > 0

        return self._write(Scope(tenant_id), remove)

    def put_secret(self, secret: StoredSecret) -> None:
        self._put(install_secret, secret, f"There is no install {secret.install_id} to keep a secret for.")

    def delete_secret(self, tenant_id: str, install_id: str, name: str) -> bool:
        one = and_(_secrets(tenant_id, install_id), install_secret.c.name == name)
        return self._delete(delete(install_secret).where(one), Scope(tenant_id)) > 0

    def list_secrets(self, tenant_id: str, install_id: str) -> tuple[StoredSecret, ...]:
        own = select(install_secret).where(_secrets(tenant_id, install_id))
        return self._all(StoredSecret, own.order_by(install_secret.c.name), Scope(tenant_id))

    def resolve(self, tenant_id: str, extension_id: str) -> Resolution | None:
        """Two statements in one transaction: the secrets are apart, so that the manifest is read once."""
        with self._read(Scope(tenant_id)) as connection:
            row = connection.execute(_RESOLVE.where(_install(tenant_id, extension_id))).mappings().one_or_none()
            if row is None:
                return None
            own = _secrets(tenant_id, row["i_install_id"])
            secrets = connection.execute(select(install_secret).where(own).order_by(install_secret.c.name)).mappings()
            return Resolution(
                install=to_record(Install, _part(row, "i_")),
                version=to_record(Version, _part(row, "v_")),
                secrets=tuple(to_record(StoredSecret, secret) for secret in secrets),
                publisher_revoked=row["publisher_revoked_at"] is not None,
                signer_revoked=row["signer_revoked_at"] is not None,
                quarantined=row["quarantined_at"] is not None,
            )


def _install(tenant_id: str, extension_id: str) -> Any:
    return and_(installs.c.tenant_id == tenant_id, installs.c.extension_id == extension_id)


def _secrets(tenant_id: str, install_id: str) -> Any:
    return and_(install_secret.c.tenant_id == tenant_id, install_secret.c.install_id == install_id)


def _labelled(table: Table, prefix: str) -> list[Any]:
    return [column.label(prefix + column.name) for column in table.columns]


def _part(row: Mapping[Any, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


_RESOLVE = (
    select(
        *_labelled(installs, "i_"),
        *_labelled(extension_version, "v_"),
        publisher.c.revoked_at.label("publisher_revoked_at"),
        publisher_key.c.revoked_at.label("signer_revoked_at"),
        quarantine.c.created_at.label("quarantined_at"),
    )
    .join_from(
        installs,
        extension_version,
        and_(
            extension_version.c.extension_id == installs.c.extension_id,
            extension_version.c.version == installs.c.version,
        ),
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
)
