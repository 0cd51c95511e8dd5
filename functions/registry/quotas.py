"""Quotas: what the operator set, what holds, and what was used of it today.

Rules kept here:

- The operator sets values for all tenants, for one of them, and for one of its installs; a tenant sees what holds.
- Use is what the execution log has added up (`extension_quota_usage`): the gateway's meters may be a lease ahead of it.
- A change takes hold with the gateway's next resolution, within seconds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from oriel.identity import Principal
from oriel.quotas import DAILY, PLATFORM_DEFAULTS, Quotas
from oriel.store.leases import day_ends, day_of
from oriel.store.policy_records import QuotaDefaults, QuotaSetting
from oriel.store.records import Usage
from registry.auditing import entry_for
from registry.core import Registry, principal_id

Json = dict[str, Any]


class QuotaBook:
    """The quotas of all tenants."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store, self._now = registry, registry.store, registry.now

    def defaults(self) -> Json:
        """What holds for a tenant and an install of which nothing else is said."""
        of_tenant, of_install = self._defaults()
        return {"tenant": of_tenant.said(), "install": of_install.said()}

    def set_defaults(self, principal: Principal, tenant: Quotas, install: Quotas) -> Json:
        """Exactly these from now on, over the platform's own."""
        by, now = principal_id(principal), self._now()
        defaults = QuotaDefaults(tenant=tenant.said(), install=install.said(), updated_by=by, updated_at=now)
        before = self._store.get_quota_defaults()
        entry = entry_for(self._registry, principal, "quotas.defaults", "defaults", before=before, after=defaults)
        self._store.put_quota_defaults(defaults, entry)
        return self.defaults()

    def set_own(self, principal: Principal, tenant_id: str, extension_id: str, quotas: Quotas) -> Json:
        """Exactly these for a tenant, or for one of its installs; without values the defaults hold again."""
        setting = QuotaSetting(
            tenant_id=tenant_id,
            extension_id=extension_id,
            values=quotas.said(),
            updated_by=principal_id(principal),
            updated_at=self._now(),
        )
        stored = self._store.list_quotas(tenant_id)
        before = next((quota for quota in stored if quota.extension_id == extension_id), None)
        target = extension_id or "tenant"
        entry = entry_for(
            self._registry, principal, "quotas.set", target, before=before, after=setting, tenant_id=tenant_id
        )
        self._store.put_quota(setting, entry)
        return self.view(tenant_id)

    def view(self, tenant_id: str) -> Json:
        """What holds for a tenant and its installs, and what they used today.

        Of installs, those that ran today or have values of their own.
        """
        now = self._now()
        today = day_of(now)
        used = self._store.list_usage(tenant_id, today, today)
        own = {setting.extension_id: Quotas.read(setting.values) for setting in self._store.list_quotas(tenant_id)}
        of_tenant, of_install = self._defaults()
        names = {usage.extension_id for usage in used} | {
            name for name, quotas in own.items() if name and quotas.said()
        }
        return {
            "tenant_id": tenant_id,
            "day": today,
            "resets_at": day_ends(now),
            "tenant": _line(own.get("", Quotas()), of_tenant, used),
            "installs": [
                {
                    "extension_id": name,
                    **_line(
                        own.get(name, Quotas()), of_install, [entry for entry in used if entry.extension_id == name]
                    ),
                }
                for name in sorted(names)
            ],
        }

    def _defaults(self) -> tuple[Quotas, Quotas]:
        stored = self._store.get_quota_defaults()
        of_tenant, of_install = (Quotas.read(stored.tenant), Quotas.read(stored.install)) if stored else (Quotas(),) * 2
        return of_tenant.over(PLATFORM_DEFAULTS["tenant"]), of_install.over(PLATFORM_DEFAULTS["install"])


def _line(own: Quotas, default: Quotas, usages: Iterable[Usage]) -> Json:
    quotas, used = own.over(default), _summed(usages)
    left = {name: max(0, getattr(quotas, name) - used[name]) for name in DAILY if getattr(quotas, name) is not None}
    return {"own": own.said(), "quotas": quotas.said(), "used": used, "left": left}


def _of(usages: Iterable[Usage], extension_id: str) -> list[Usage]:
    return [usage for usage in usages if usage.extension_id == extension_id]


def _summed(usages: Iterable[Usage]) -> Mapping[str, int]:
    """What was used, by the names of the quotas, in whole numbers."""
    totals = dict.fromkeys(DAILY, 0.0)
    for usage in usages:
        for name in DAILY:
            totals[name] += getattr(usage, name.removeprefix("daily_"))
    return {name: round(total) for name, total in totals.items()}
