"""The next entry of an audit chain, inside the transaction of its change.

Rules kept here: the head's row is locked before it is read, so that writers to one chain follow one another; an entry
is inserted and never touched again.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from oriel.store.audit import GENESIS, chained
from oriel.store.records import AuditEntry, AuditHead, ChainedEntry
from oriel.store.sql.row_security import AUDIT, NO_TENANT, Scope
from oriel.store.sql.tables import audit_entry, audit_head


def append(connection: Connection, entry: AuditEntry, upsert: sqlite.Insert | postgresql.Insert) -> ChainedEntry:
    """Write the entry as the next of its chain.

    Args:
        upsert: an insert into `audit_head`, in the connection's dialect.
    """
    chain = entry.tenant_id or NO_TENANT
    connection.execute(upsert.values(tenant_id=chain, sequence=0, digest=GENESIS).on_conflict_do_nothing())
    own = audit_head.c.tenant_id == chain
    head = connection.execute(select(audit_head).where(own).with_for_update()).mappings().one()
    link = chained(entry, to_head(head))
    connection.execute(insert(audit_entry).values(to_link_row(link)))
    connection.execute(update(audit_head).where(own).values(sequence=link.sequence, digest=link.digest))
    return link


def scope_of(entry: AuditEntry) -> Scope:
    return chain_scope(entry.tenant_id)


def chain_scope(tenant_id: str | None) -> Scope:
    """Who may read and write a chain."""
    return AUDIT if tenant_id is None else Scope(tenant_id)


def to_head(row: Mapping[Any, Any]) -> AuditHead:
    return AuditHead(tenant_id=row["tenant_id"] or None, sequence=row["sequence"], digest=row["digest"])


def to_link_row(link: ChainedEntry) -> dict[str, Any]:
    names = [column.name for column in audit_entry.columns]
    row = {name: getattr(link, name) for name in names}
    return row | {"tenant_id": link.tenant_id or NO_TENANT}
