"""Grants of an install: all at once, or one by one.

Rules kept here: never more than the installed version asks for (`registry.grants`); a grant that is narrowed or given
an end is a new consent, by whoever gave it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from oriel.capabilities import canonical_name
from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.store.records import Grant, Install
from registry.core import Registry, principal_id
from registry.grants import GrantRequest, consented, with_grants
from registry.installs import Installs


class Consents:
    """What administrators grant, narrow and take back."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._installs = registry, Installs(registry)

    def set_all(self, principal: Principal, extension_id: str, grants: Sequence[GrantRequest]) -> Install:
        """Exactly these grants from now on; `InvalidInput` where they are more than the version asks for."""
        install = self._installs.get(principal.require_tenant(), extension_id)
        granted = self._consented(principal, install, grants)
        return self._installs.replace(principal, "grants.set", install, replace(install, grants=granted))

    def grant(self, principal: Principal, extension_id: str, request: GrantRequest) -> Install:
        """Grant one capability, or grant it otherwise: with other hosts, another end. The other grants stay."""
        install = self._installs.get(principal.require_tenant(), extension_id)
        granted = with_grants(install.grants, self._consented(principal, install, [request]))
        return self._installs.replace(principal, "grants.grant", install, replace(install, grants=granted))

    def revoke(self, principal: Principal, extension_id: str, capability: str) -> Install:
        """Take one capability back. `OrielError` `not_found`, where it is not granted."""
        install = self._installs.get(principal.require_tenant(), extension_id)
        name = canonical_name(capability)
        left = tuple(grant for grant in install.grants if grant.capability != name)
        if left == install.grants:
            raise OrielError("not_found", f"{extension_id} has no grant of {name}.")
        return self._installs.replace(principal, "grants.revoke", install, replace(install, grants=left))

    def _consented(self, principal: Principal, install: Install, grants: Sequence[GrantRequest]) -> tuple[Grant, ...]:
        manifest, now = self._installs.manifest(install), self._registry.now()
        return consented(manifest, grants, granted_by=principal_id(principal), now=now, before=install.grants)
