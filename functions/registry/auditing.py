"""The entry that goes with a change: who, what, before and after.

Rules kept here:

- An entry names the principal by its id, or the platform where nobody asked.
- Of a record that changed it holds the fields that changed, before and after, and no others.
- A secret's value is in no entry: what of a secret may be told is named field by field.
"""

from typing import Any

from msgspec import Struct

from oriel.identity import Principal
from oriel.ids import new_id
from oriel.store.records import AuditEntry, StoredSecret
from oriel.values import to_plain
from registry.core import Registry, principal_id

PLATFORM = "platform"
"""The actor of what nobody asked for."""

_BOOKKEEPING = frozenset({"revision", "updated_at", "erased"})
_SECRET = frozenset({"secret_hash"})
_OF_A_SECRET = ("name", "hosts", "reference_only", "key_id")


def entry_for(
    registry: Registry,
    actor: Principal | str,
    action: str,
    target: str,
    *,
    before: Struct | None = None,
    after: Struct | None = None,
    tenant_id: str | None = None,
) -> AuditEntry:
    """The entry of a change that takes a record from `before` to `after`; None is "not there".

    Args:
        action: what was done, as `install.upgrade`.
        target: what it was done to: a name or an id.
        tenant_id: whose chain it goes to; None is the platform's.
    """
    old, new = (None if record is None else _told(record) for record in (before, after))
    if old is not None and new is not None:
        changed = [name for name in new if old.get(name) != new[name]]
        old, new = ({name: fields.get(name) for name in changed} for fields in (old, new))
    return AuditEntry(
        tenant_id=tenant_id,
        audit_id=new_id("aud"),
        at=registry.now(),
        actor=actor if isinstance(actor, str) else principal_id(actor),
        action=action,
        target=target,
        before=old,
        after=new,
    )


def _told(record: Struct) -> dict[str, Any]:
    if isinstance(record, StoredSecret):
        return {name: getattr(record, name) for name in _OF_A_SECRET}
    return {name: value for name, value in to_plain(record).items() if name not in _BOOKKEEPING | _SECRET}
