"""Bundles that run nowhere because they ended the workers that ran them.

Rules kept here:

- Quarantine is of a content hash, for all tenants: the same bytes would do the same elsewhere.
- The platform puts a bundle in, an operator lifts it; both are audited in the same transaction.
- It is read with the install at every request (`Store.resolve`): it takes hold, and ends, within the gateway's cache.
"""

from dataclasses import asdict

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.ids import new_id
from oriel.store.records import AuditEntry, Page, Quarantine
from registry.core import Registry, principal_id

PLATFORM = "platform"
"""The actor of what nobody asked for."""


class Quarantines:
    """The operator's view, and the platform's way in."""

    def __init__(self, registry: Registry) -> None:
        self._store = registry.store
        self._now = registry.now

    def page(self, cursor: str | None, limit: int) -> Page[Quarantine]:
        return self._store.list_quarantine(cursor, limit)

    def add(self, content_hash: str, extension_id: str, *, deaths: int, reason: str) -> bool:
        """Stop a bundle; whether it was not stopped already."""
        now = self._now()
        record = Quarantine(
            content_hash=content_hash, extension_id=extension_id, deaths=deaths, reason=reason, created_at=now
        )
        entry = AuditEntry(
            tenant_id=None,
            audit_id=new_id("aud"),
            at=now,
            actor=PLATFORM,
            action="quarantine.add",
            target=content_hash,
            after=asdict(record),
        )
        return self._store.put_quarantine(record, entry)

    def lift(self, principal: Principal, content_hash: str) -> None:
        """Let a bundle run again. `OrielError` `not_found`, where it is not in quarantine."""
        found = self._store.get_quarantine(content_hash)
        if found is not None:
            entry = AuditEntry(
                tenant_id=None,
                audit_id=new_id("aud"),
                at=self._now(),
                actor=principal_id(principal),
                action="quarantine.lift",
                target=content_hash,
                before=asdict(found),
            )
            if self._store.delete_quarantine(content_hash, entry):
                return
        raise OrielError("not_found", f"{content_hash} is not in quarantine.")
