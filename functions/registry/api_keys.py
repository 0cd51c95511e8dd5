"""API keys of machines: made, listed, revoked.

Rules kept here:

- Who makes a key gives it what it has itself, or less. A key makes no keys: one that leaked could outlive its own end.
- A key is shown once, when it is made. What is kept of it opens nothing.
- A key bound to an extension neither publishes nor operates: those are not about one install.
- Keys of a tenant and keys of no tenant are apart; each caller sees its own.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.identity import Permission, Principal
from oriel.identity.api_keys import new_key
from oriel.names import is_reverse_domain
from oriel.store.policy_records import ApiKey
from oriel.store.records import AuditEntry, Page
from registry.auditing import entry_for
from registry.core import Registry, principal_id

MAX_DAYS = 366
DAY_MS = 86_400_000
_UNBOUND: frozenset[Permission] = frozenset({"publish", "operate"})


class ApiKeysOf:
    """The keys of one tenant, or of none."""

    def __init__(self, registry: Registry, tenant_id: str | None) -> None:
        self._registry, self._tenant_id = registry, tenant_id
        self._store, self._now = registry.store, registry.now

    def create(
        self, principal: Principal, name: str, permissions: Sequence[Permission], extension_id: str | None, days: int
    ) -> tuple[ApiKey, str]:
        """A new key and what to send; nothing will ever show the latter again.

        Raises:
            OrielError: `forbidden`, where a machine asks, or somebody who has less than the key would.
            InvalidInput: `invalid_input`.
        """
        if principal.is_machine:
            raise OrielError("forbidden", "An API key makes no API keys.", hint="Make it with a user's token.")
        for permission in permissions:
            principal.require(permission)
        if findings := list(_findings(permissions, extension_id)):
            raise InvalidInput("invalid_input", findings, subject="The API key")
        made, now = new_key(self._tenant_id), self._now()
        key = ApiKey(
            tenant_id=self._tenant_id,
            key_id=made.key_id,
            name=name,
            secret_hash=made.secret_hash,
            permissions=tuple(sorted(set(permissions))),
            extension_id=extension_id,
            created_by=principal_id(principal),
            created_at=now,
            expires_at=now + days * DAY_MS,
        )
        self._store.create_api_key(key, self._entry(principal, "api-key.create", None, key))
        return key, made.token

    def page(self, cursor: str | None, limit: int) -> Page[ApiKey]:
        return self._store.list_api_keys(self._tenant_id, cursor, limit)

    def revoke(self, principal: Principal, key_id: str) -> ApiKey:
        """End a key, within seconds everywhere. Again: changes nothing.

        Raises:
            OrielError: `forbidden`, where a machine asks for another key than its own; `not_found`.
        """
        if principal.is_machine and principal.subject != key_id:
            raise OrielError("forbidden", "An API key revokes no other API key.", hint="Do it with a user's token.")
        key = self._store.get_api_key(self._tenant_id, key_id)
        if key is None:
            raise OrielError("not_found", f"There is no API key {key_id}.")
        now = self._now()
        revoked = replace(key, revoked_at=now)
        entry = self._entry(principal, "api-key.revoke", key, revoked)
        if self._store.revoke_api_key(self._tenant_id, key_id, now, entry):
            return revoked
        return self._store.get_api_key(self._tenant_id, key_id) or key

    def _entry(self, principal: Principal, action: str, before: ApiKey | None, after: ApiKey) -> AuditEntry:
        return entry_for(
            self._registry, principal, action, after.key_id, before=before, after=after, tenant_id=self._tenant_id
        )


def _findings(permissions: Sequence[Permission], extension_id: str | None) -> Iterator[Finding]:
    if extension_id is None:
        return
    if not is_reverse_domain(extension_id):
        yield Finding("extension_id", "is not the name of an extension")
    for permission in sorted(_UNBOUND & set(permissions)):
        yield Finding("permissions", f"cannot hold '{permission}' in a key that is bound to an extension")
