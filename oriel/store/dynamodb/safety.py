"""Quarantine and the audit in DynamoDB."""

from itertools import islice

from oriel.store.dynamodb import table
from oriel.store.dynamodb.chain import read_head
from oriel.store.dynamodb.items import key_of, number, to_item, to_record
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import ABSENT, PRESENT, Answer, Cancelled, delete, put
from oriel.store.dynamodb.table import Key
from oriel.store.records import AuditEntry, AuditHead, ChainedEntry, Page, Quarantine


class DynamoSafety(Part):
    """What is stopped, and who changed what."""

    def put_quarantine(self, record: Quarantine, entry: AuditEntry) -> bool:
        listed = Key(table.QUARANTINE, record.content_hash)
        new = put(to_item(table.quarantine(record.content_hash), record), ABSENT)
        return self._happened(new, put(to_item(listed, record)), entry=entry)

    def delete_quarantine(self, content_hash: str, entry: AuditEntry) -> bool:
        gone = delete(table.quarantine(content_hash), PRESENT)
        return self._happened(gone, delete(Key(table.QUARANTINE, content_hash)), entry=entry)

    def get_quarantine(self, content_hash: str) -> Quarantine | None:
        return self._one(Quarantine, table.quarantine(content_hash))

    def list_quarantine(self, cursor: str | None = None, limit: int = 100) -> Page[Quarantine]:
        return self._page(Quarantine, table.QUARANTINE, cursor, limit)

    def append_audit(self, entry: AuditEntry) -> ChainedEntry:
        link = self._transact(entry=entry)
        assert link is not None  # noqa: S101 - there was an entry
        return link

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[ChainedEntry]:
        return self._page(ChainedEntry, table.audit(tenant_id), cursor, limit, descending=True)

    def read_audit(self, tenant_id: str | None, after: int = 0, limit: int = 500) -> tuple[ChainedEntry, ...]:
        start = table.audit_entry(tenant_id, after)
        found = self._requests.query(start.partition, after=start.sort, page=limit)
        return tuple(to_record(ChainedEntry, item) for item in islice(found, limit))

    def get_audit_head(self, tenant_id: str | None) -> AuditHead | None:
        return read_head(self._requests, tenant_id)

    def list_audit_heads(self, cursor: str | None = None, limit: int = 100) -> Page[AuditHead]:
        items, following = self._items(table.AUDIT_HEADS, cursor, limit, descending=False)
        heads = (
            AuditHead(
                tenant_id=key_of(item).sort.removeprefix("=") or None,
                sequence=number(item, "sequence"),
                digest=item["digest"]["S"],
            )
            for item in items
        )
        return Page(items=tuple(heads), cursor=following)

    def _happened(self, change: Answer, *copies: Answer, entry: AuditEntry) -> bool:
        """Whether the change's condition held."""
        try:
            self._transact(change, *copies, entry=entry)
        except Cancelled:
            return False
        return True
