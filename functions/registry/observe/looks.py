"""Who looked at executions and logs, in the tenant's audit.

Rules kept here:

- The look is written down before anything is shown; where that fails, nothing is.
- Somebody who goes on looking at the same thing (the next page, the next poll) is written down once in five minutes.
"""

import threading
from collections import OrderedDict
from typing import Any

from oriel.identity import Principal
from oriel.ids import new_id
from oriel.store.records import AuditEntry
from registry.core import Registry, principal_id

AGAIN_MS = 300_000
MAX_REMEMBERED = 10_000


class Looks:
    """Safe to share between threads."""

    def __init__(self, registry: Registry) -> None:
        self._store, self._now = registry.store, registry.now
        self._lock = threading.Lock()
        self._last: OrderedDict[tuple[str, str, str, str], int] = OrderedDict()

    def note(self, principal: Principal, action: str, target: str, details: dict[str, Any] | None = None) -> str:
        """Write down that `principal` looks at `target`; the tenant, which is the principal's own.

        Raises:
            OrielError: `forbidden`, where it has none; `unavailable`, where it cannot be written.
        """
        tenant_id, actor, now = principal.require_tenant(), principal_id(principal), self._now()
        key = (tenant_id, actor, action, target)
        with self._lock:
            if now - self._last.get(key, now - AGAIN_MS) < AGAIN_MS:
                return tenant_id
        self._store.append_audit(
            AuditEntry(
                tenant_id=tenant_id,
                audit_id=new_id("aud"),
                at=now,
                actor=actor,
                action=action,
                target=target,
                after=details or None,
            )
        )
        with self._lock:
            self._last[key] = now
            self._last.move_to_end(key)
            while len(self._last) > MAX_REMEMBERED:
                self._last.popitem(last=False)
        return tenant_id
