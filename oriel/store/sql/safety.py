"""Quarantine and the audit in SQL."""

from typing import Any

from sqlalchemy import Connection, Select, delete, select

from oriel.errors import OrielError
from oriel.store.cursors import decode_text_cursor, encode_cursor
from oriel.store.records import AuditEntry, AuditHead, ChainedEntry, Page, Quarantine
from oriel.store.sql.chain import append, chain_scope, scope_of, to_head
from oriel.store.sql.database import Database, to_record, to_row
from oriel.store.sql.row_security import HEADS, NO_TENANT
from oriel.store.sql.tables import audit_entry, audit_head, quarantine


class SqlSafety(Database):
    """What is stopped, and who changed what."""

    def put_quarantine(self, record: Quarantine, entry: AuditEntry) -> bool:
        new_row = self._upsert(quarantine).values(to_row(record))
        once = new_row.on_conflict_do_nothing().returning(quarantine.c.content_hash)

        def put(connection: Connection) -> bool:
            return connection.execute(once).one_or_none() is not None

        return self._write(scope_of(entry), put, entry)

    def delete_quarantine(self, content_hash: str, entry: AuditEntry) -> bool:
        one = delete(quarantine).where(quarantine.c.content_hash == content_hash)
        return self._write(scope_of(entry), lambda connection: connection.execute(one).rowcount > 0, entry)

    def get_quarantine(self, content_hash: str) -> Quarantine | None:
        return self._one(Quarantine, select(quarantine).where(quarantine.c.content_hash == content_hash))

    def list_quarantine(self, cursor: str | None = None, limit: int = 100) -> Page[Quarantine]:
        return self._page(Quarantine, select(quarantine), quarantine.c.content_hash, cursor, limit)

    def append_audit(self, entry: AuditEntry) -> ChainedEntry:
        return self._write(scope_of(entry), lambda connection: append(connection, entry, self._upsert(audit_head)))

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[ChainedEntry]:
        own = select(audit_entry).where(audit_entry.c.tenant_id == (tenant_id or NO_TENANT))
        if cursor is not None:
            own = own.where(audit_entry.c.sequence < _number(cursor))
        found = self._links(tenant_id, own.order_by(audit_entry.c.sequence.desc()).limit(limit + 1))
        more = encode_cursor(str(found[limit - 1].sequence).encode()) if len(found) > limit else None
        return Page(items=found[:limit], cursor=more)

    def read_audit(self, tenant_id: str | None, after: int = 0, limit: int = 500) -> tuple[ChainedEntry, ...]:
        own = select(audit_entry).where(
            audit_entry.c.tenant_id == (tenant_id or NO_TENANT), audit_entry.c.sequence > after
        )
        return self._links(tenant_id, own.order_by(audit_entry.c.sequence).limit(limit))

    def get_audit_head(self, tenant_id: str | None) -> AuditHead | None:
        own = select(audit_head).where(audit_head.c.tenant_id == (tenant_id or NO_TENANT))
        with self._read(chain_scope(tenant_id)) as connection:
            row = connection.execute(own).mappings().one_or_none()
        return None if row is None else to_head(row)

    def list_audit_heads(self, cursor: str | None = None, limit: int = 100) -> Page[AuditHead]:
        heads = select(audit_head)
        if cursor is not None:
            heads = heads.where(audit_head.c.tenant_id > decode_text_cursor(cursor).removeprefix("="))
        with self._read(HEADS) as connection:
            rows = connection.execute(heads.order_by(audit_head.c.tenant_id).limit(limit + 1)).mappings().all()
        found = tuple(map(to_head, rows))
        more = encode_cursor(f"={found[limit - 1].tenant_id or NO_TENANT}".encode()) if len(found) > limit else None
        return Page(items=found[:limit], cursor=more)

    def _links(self, tenant_id: str | None, statement: Select[Any]) -> tuple[ChainedEntry, ...]:
        with self._read(chain_scope(tenant_id)) as connection:
            rows = connection.execute(statement).mappings().all()
        return tuple(to_record(ChainedEntry, {**row, "tenant_id": row["tenant_id"] or None}) for row in rows)


def _number(cursor: str) -> int:
    text = decode_text_cursor(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise OrielError("malformed_request", "The cursor is not one that was handed out.")
    return int(text)
