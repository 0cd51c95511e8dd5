"""Installs that go: uninstalled, restored, exported, deleted.

Rules kept here:

- Uninstalling stops an install and deletes nothing. For some days it can be restored as it was, and exported.
- Deleting goes piece by piece, counts what it deletes of each kind, and is not taken back once it has begun. One that
  was cut off is carried on by the worker.
- The receipt is the deletion's audit entry: what was deleted, how many of each, who asked. The counts are exact.
- The bundle stays: it is nobody's own. So do usage, which is what was charged for, and the audit.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.store.guests import GuestRecord
from oriel.store.records import AuditEntry, ExecutionFilter, Install, StoredSecret
from oriel.values import to_plain
from registry.auditing import PLATFORM, entry_for
from registry.core import Registry
from registry.installs import Installs

Json = dict[str, Any]

DAY_MS = 24 * 3600 * 1000
PAGE = 100
_OF_A_SECRET = ("name", "hosts", "reference_only", "updated_at")


class Leaving:
    """The ends of installs."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store = registry, registry.store
        self._installs = Installs(registry)

    def uninstall(self, principal: Principal, extension_id: str) -> Install:
        """Stop an install, to be deleted when the days of grace are over. Again: changes nothing."""
        install = self._installs.find(principal.require_tenant(), extension_id)
        if install.delete_at is not None:
            return install
        delete_at = self._registry.now() + self._registry.limits.uninstall_grace_days * DAY_MS
        gone = replace(install, status="uninstalled", delete_at=delete_at)
        return self._installs.replace(principal, "install.uninstall", install, gone)

    def restore(self, principal: Principal, extension_id: str) -> Install:
        """Take an uninstall back: everything is as it was, and disabled until it is enabled.

        Raises:
            OrielError: `conflict`, where it was not uninstalled, or its deletion has begun.
        """
        install = self._installs.find(principal.require_tenant(), extension_id)
        if install.status != "uninstalled":
            begun = "is being deleted" if install.status == "deleting" else "was not uninstalled"
            raise OrielError("conflict", f"{extension_id} {begun}.", hint="List what there is: oriel installs.")
        back = replace(install, status="disabled", delete_at=None)
        return self._installs.replace(principal, "install.restore", install, back)

    def delete(self, principal: Principal, extension_id: str) -> Json:
        """Delete an install that was uninstalled, at once, with all that belongs to it; the receipt.

        Raises:
            OrielError: `conflict`, where it was not uninstalled.
        """
        install = self._installs.find(principal.require_tenant(), extension_id)
        if install.delete_at is None:
            hint = f"Uninstall it first: oriel uninstall {extension_id}."
            raise OrielError("conflict", f"{extension_id} is installed.", hint=hint)
        return self._delete(principal, install)

    def delete_due(self) -> int:
        """Delete what is due, and carry on what was cut off; how many installs."""
        due = self._store.due_deletions()
        for install in due:
            self._delete(PLATFORM, install)
        return len(due)

    def export(self, principal: Principal, extension_id: str) -> Iterator[Json]:
        """All of an install's data, one object at a time, each with its `kind`; the last one counts the others.

        Secrets are told by name: their values leave the platform for nobody.
        """
        install = self._installs.find(principal.require_tenant(), extension_id)
        return self._exported(install)

    def _delete(self, actor: Principal | str, install: Install) -> Json:
        if install.status != "deleting":
            now = self._registry.now()
            doomed = replace(install, status="deleting", delete_at=min(now, install.delete_at or now))
            install = self._installs.replace(actor, "install.deleting", install, doomed)
        entry = self._entry(actor, install)
        counts = self._store.delete_install(install.tenant_id, install.extension_id, entry)
        if counts is None:
            raise OrielError("conflict", f"{install.extension_id} was deleted meanwhile.")
        return receipt(entry, install, dict(counts))

    def _entry(self, actor: Principal | str, install: Install) -> AuditEntry:
        tenant_id = install.tenant_id
        return entry_for(
            self._registry, actor, "install.delete", install.extension_id, before=install, tenant_id=tenant_id
        )

    def _exported(self, install: Install) -> Iterator[Json]:
        counts: Counter[str] = Counter()
        for line in self._lines(install):
            counts[line["kind"]] += 1
            yield line
        yield {"kind": "end", "counts": dict(counts)}

    def _lines(self, install: Install) -> Iterator[Json]:
        tenant_id, install_id = install.tenant_id, install.install_id
        whole = to_plain(install)
        grants = whole.pop("grants")
        yield {"kind": "install", **whole}
        yield from ({"kind": "grant", **grant} for grant in grants)
        yield from (_secret(secret) for secret in self._store.list_secrets(tenant_id, install_id))
        yield from map(_record, self._records(tenant_id, install_id))
        yield from self._executions(install)

    def _records(self, tenant_id: str, install_id: str) -> Iterator[GuestRecord]:
        cursor: str | None = None
        while True:
            page = self._store.guest_list(tenant_id, install_id, "", cursor, PAGE)
            yield from page.items
            if (cursor := page.cursor) is None:
                return

    def _executions(self, install: Install) -> Iterator[Json]:
        where = ExecutionFilter(extension_id=install.extension_id, install_id=install.install_id)
        cursor: str | None = None
        while True:
            page = self._store.list_executions(install.tenant_id, where, cursor, PAGE)
            yield from ({"kind": "execution", **to_plain(execution)} for execution in page.items)
            if (cursor := page.cursor) is None:
                return


def receipt(entry: AuditEntry, install: Install, counts: dict[str, int]) -> Json:
    """What was deleted; `audit_id` is where the tenant's audit says so."""
    deleted = {"installs": 1, "grants": len(install.grants), "settings": len(install.config), **counts}
    names = ("tenant_id", "extension_id", "install_id")
    told = {name: getattr(install, name) for name in names}
    return {**told, "deleted": deleted, "deleted_by": entry.actor, "deleted_at": entry.at, "audit_id": entry.audit_id}


def _secret(secret: StoredSecret) -> Json:
    return {"kind": "secret", **{name: getattr(secret, name) for name in _OF_A_SECRET}}


def _record(record: GuestRecord) -> Json:
    """Text as it is where the guest wrote text, base64 otherwise."""
    told = {name: getattr(record, name) for name in ("key", "revision", "updated_at", "expires_at")}
    if record.text:
        return {"kind": "record", **told, "text": record.value.decode()}
    return {"kind": "record", **told, "base64": base64.b64encode(record.value).decode()}
