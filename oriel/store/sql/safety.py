"""Quarantine and the audit in SQL.

Rules kept here: a change and its audit entry are one transaction; an entry is inserted and never touched again.
"""

from dataclasses import replace

from sqlalchemy import Connection, delete, exc, insert, select

from oriel.store.errors import Conflict
from oriel.store.records import AuditEntry, Page, Quarantine
from oriel.store.sql.database import Database, to_row
from oriel.store.sql.row_security import AUDIT, NO_TENANT, Scope
from oriel.store.sql.tables import audit_entry, quarantine


class SqlSafety(Database):
    """What is stopped, and who changed what."""

    def put_quarantine(self, record: Quarantine, entry: AuditEntry) -> bool:
        new_row = self._upsert(quarantine).values(to_row(record))
        once = new_row.on_conflict_do_nothing().returning(quarantine.c.content_hash)

        def put(connection: Connection) -> bool:
            new = connection.execute(once).one_or_none() is not None
            if new:
                _append(connection, entry)
            return new

        return self._write(_scope(entry.tenant_id), put)

    def delete_quarantine(self, content_hash: str, entry: AuditEntry) -> bool:
        one = delete(quarantine).where(quarantine.c.content_hash == content_hash)

        def lift(connection: Connection) -> bool:
            gone = connection.execute(one).rowcount > 0
            if gone:
                _append(connection, entry)
            return gone

        return self._write(_scope(entry.tenant_id), lift)

    def get_quarantine(self, content_hash: str) -> Quarantine | None:
        return self._one(Quarantine, select(quarantine).where(quarantine.c.content_hash == content_hash))

    def list_quarantine(self, cursor: str | None = None, limit: int = 100) -> Page[Quarantine]:
        return self._page(Quarantine, select(quarantine), quarantine.c.content_hash, cursor, limit)

    def append_audit(self, entry: AuditEntry) -> None:
        try:
            self._write(_scope(entry.tenant_id), lambda connection: _append(connection, entry))
        except exc.IntegrityError:
            raise Conflict(f"There is an audit entry {entry.audit_id} already.") from None

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        own = select(audit_entry).where(audit_entry.c.tenant_id == (tenant_id or NO_TENANT))
        scope = _scope(tenant_id)
        page = self._page(AuditEntry, own, audit_entry.c.audit_id, cursor, limit, scope=scope, descending=True)
        return Page(
            items=tuple(replace(item, tenant_id=item.tenant_id or None) for item in page.items), cursor=page.cursor
        )


def _scope(tenant_id: str | None) -> Scope:
    return AUDIT if tenant_id is None else Scope(tenant_id)


def _append(connection: Connection, entry: AuditEntry) -> None:
    connection.execute(insert(audit_entry).values(to_row(entry) | {"tenant_id": entry.tenant_id or NO_TENANT}))
