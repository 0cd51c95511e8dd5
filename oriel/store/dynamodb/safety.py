"""Quarantine and the audit in DynamoDB.

Rules kept here: a change and its audit entry are one transaction; an entry is put where there is none and never
touched again.
"""

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, to_item
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import ABSENT, PRESENT, Answer, Cancelled, ConditionFailed, delete, put
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict
from oriel.store.records import AuditEntry, Page, Quarantine


class DynamoSafety(Part):
    """What is stopped, and who changed what."""

    def put_quarantine(self, record: Quarantine, entry: AuditEntry) -> bool:
        listed = Key(table.QUARANTINE, record.content_hash)
        return self._audited(
            put(to_item(table.quarantine(record.content_hash), record), ABSENT),
            put(to_item(listed, record)),
            entry=entry,
        )

    def delete_quarantine(self, content_hash: str, entry: AuditEntry) -> bool:
        return self._audited(
            delete(table.quarantine(content_hash), PRESENT),
            delete(Key(table.QUARANTINE, content_hash)),
            entry=entry,
        )

    def get_quarantine(self, content_hash: str) -> Quarantine | None:
        return self._one(Quarantine, table.quarantine(content_hash))

    def list_quarantine(self, cursor: str | None = None, limit: int = 100) -> Page[Quarantine]:
        return self._page(Quarantine, table.QUARANTINE, cursor, limit)

    def append_audit(self, entry: AuditEntry) -> None:
        try:
            self._requests.put(_item(entry), ABSENT)
        except ConditionFailed:
            raise _taken(entry) from None

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        return self._page(AuditEntry, table.audit(tenant_id), cursor, limit, descending=True)

    def _audited(self, change: Answer, *copies: Answer, entry: AuditEntry) -> bool:
        """A change with its entry. Whether the change's condition held; `Conflict` where the entry's does not."""
        try:
            self._requests.transact(change, *copies, put(_item(entry), ABSENT))
        except Cancelled as cancelled:
            if 0 not in cancelled.failed:
                raise _taken(entry) from None
            return False
        return True


def _item(entry: AuditEntry) -> Item:
    return to_item(Key(table.audit(entry.tenant_id), entry.audit_id), entry)


def _taken(entry: AuditEntry) -> Conflict:
    return Conflict(f"There is an audit entry {entry.audit_id} already.")
