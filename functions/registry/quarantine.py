"""Bundles that run nowhere because they ended the workers that ran them.

Rules kept here:

- Quarantine is of a content hash, for all tenants: the same bytes would do the same elsewhere.
- The platform puts a bundle in, an operator lifts it; both are audited in the same transaction.
- It is read with the install at every request (`Store.resolve`): it takes hold, and ends, within the gateway's cache.
"""

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.store.records import Page, Quarantine
from registry.auditing import PLATFORM, entry_for
from registry.core import Registry


class Quarantines:
    """The operator's view, and the platform's way in."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store = registry, registry.store

    def page(self, cursor: str | None, limit: int) -> Page[Quarantine]:
        return self._store.list_quarantine(cursor, limit)

    def add(self, content_hash: str, extension_id: str, *, deaths: int, reason: str) -> bool:
        """Stop a bundle; whether it was not stopped already."""
        record = Quarantine(
            content_hash=content_hash,
            extension_id=extension_id,
            deaths=deaths,
            reason=reason,
            created_at=self._registry.now(),
        )
        entry = entry_for(self._registry, PLATFORM, "quarantine.add", content_hash, after=record)
        return self._store.put_quarantine(record, entry)

    def lift(self, principal: Principal, content_hash: str) -> None:
        """Let a bundle run again. `OrielError` `not_found`, where it is not in quarantine."""
        found = self._store.get_quarantine(content_hash)
        if found is not None:
            entry = entry_for(self._registry, principal, "quarantine.lift", content_hash, before=found)
            if self._store.delete_quarantine(content_hash, entry):
                return
        raise OrielError("not_found", f"{content_hash} is not in quarantine.")
