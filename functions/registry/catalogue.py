"""What is published: to look at before installing, and to withdraw.

Rules kept here:

- The default version is the highest by semantic versioning that is `ready` and no pre-release.
- A withdrawn version is still shown, with its status; a revoked publisher's or key's version is not offered.
- A version that is being rolled out is in a range for the tenants that the rollout has reached, and the `latest` only
  when it has reached all. Who names its number gets it.
- Of versions that differ in build metadata alone, the one that was published later is the higher.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from oriel.capabilities import CAPABILITIES
from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.published import Published
from oriel.store.records import Extension, Page, Rollout, Version, VersionStatus
from oriel.versions import VersionRange, is_prerelease, is_version, precedence
from registry.auditing import entry_for
from registry.core import Registry, principal_id

LATEST = "latest"
_ACTIONS: dict[VersionStatus, str] = {"ready": "restore", "deprecated": "deprecate", "yanked": "yank"}


class Catalogue:
    """Extensions and their versions."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store = registry, registry.store
        self._trust, self._now = registry.trust, registry.now

    def page(self, cursor: str | None, limit: int) -> Page[Extension]:
        return self._store.list_extensions(cursor, limit)

    def extension(self, extension_id: str) -> Extension:
        """`OrielError` `not_found`."""
        found = self._store.get_extension(extension_id)
        if found is None:
            raise OrielError("not_found", f"There is no extension {extension_id}.")
        return found

    def versions(self, extension_id: str) -> list[Version]:
        """All versions, the highest first."""
        oldest_first = self._store.list_versions(extension_id)
        return sorted(oldest_first, key=lambda version: precedence(version.version))[::-1]

    def latest(self, extension_id: str) -> Version | None:
        """The version that is installed where none is named."""
        return self._highest(extension_id, lambda version: not is_prerelease(version.version), None)

    def choose(self, extension_id: str, wanted: str, tenant_id: str) -> Version:
        """The version of that number, the `latest`, or the highest in a range that a tenant is offered.

        Raises:
            OrielError: `not_found`.
            InvalidInput: `invalid_input`, where it is neither.
        """
        if wanted == LATEST or is_version(wanted):
            return self.version(extension_id, wanted)
        self.extension(extension_id)
        held = VersionRange.parse(wanted)
        found = self._highest(extension_id, lambda version: version.version in held, tenant_id)
        if found is None:
            raise OrielError("not_found", f"{extension_id} has no version that is ready in {wanted}.")
        return found

    def _highest(self, extension_id: str, wanted: Callable[[Version], bool], tenant_id: str | None) -> Version | None:
        rollouts = {rollout.version: rollout for rollout in self._store.list_rollouts(extension_id)}
        for version in self.versions(extension_id):
            offered = version.status == "ready" and reached(rollouts.get(version.version), tenant_id)
            if offered and wanted(version) and not self._is_revoked(version):
                return version
        return None

    def _is_revoked(self, version: Version) -> bool:
        publisher = self._store.get_publisher(version.publisher)
        if publisher is None or publisher.revoked_at is not None:
            return True
        if self._trust.is_revoked(version.signer_key_id, self._now()):
            return True
        keys = self._store.list_publisher_keys(version.publisher)
        return any(key.key_id == version.signer_key_id and key.revoked_at is not None for key in keys)

    def version(self, extension_id: str, version: str) -> Version:
        """The version of that number, or the `latest`; `OrielError` `not_found`."""
        self.extension(extension_id)
        wanted = self.latest(extension_id) if version == LATEST else self._store.get_version(extension_id, version)
        if wanted is None:
            missing = "version that is ready" if version == LATEST else f"version {version}"
            raise OrielError("not_found", f"{extension_id} has no {missing}.")
        return wanted

    def size(self, version: Version) -> int:
        """Of the bundle, in bytes."""
        bundle = self._store.get_bundle(version.content_hash)
        return 0 if bundle is None else bundle.size

    def kept_by(self, principal: Principal, extension_id: str, version: str) -> Version:
        """A version that the principal may withdraw or roll out: an operator any, a publisher those it published.

        Raises:
            OrielError: `forbidden`, `not_found`.
        """
        operates = "operate" in principal.permissions
        if not operates:
            principal.require("publish")
        found = self.version(extension_id, version)
        if not operates and found.published_by != principal_id(principal):
            raise OrielError("forbidden", f"{extension_id} {found.version} was published by somebody else.")
        return found

    def set_status(self, principal: Principal, extension_id: str, version: str, status: VersionStatus) -> Version:
        """Deprecate, withdraw or restore a version. `OrielError` as `kept_by`."""
        found = self.kept_by(principal, extension_id, version)
        if found.status == status:
            return found
        changed = replace(found, status=status)
        target = f"{extension_id} {found.version}"
        entry = entry_for(self._registry, principal, f"version.{_ACTIONS[status]}", target, before=found, after=changed)
        self._store.set_version_status(extension_id, found.version, status, entry)
        return changed


def asks(manifest: Published) -> Iterator[dict[str, Any]]:
    """What a version asks for, in words, as a consent screen shows it; what needs no consent is left out."""
    for request in manifest.capabilities:
        capability = CAPABILITIES[request.name]
        if not capability.always:
            yield {
                "name": capability.name,
                "summary": capability.summary,
                "purpose": request.purpose,
                "hosts": list(request.hosts),
                "takes_hosts": capability.takes_hosts,
                "operations": list(request.operations),
                "takes_operations": capability.takes_operations,
                "topics": sorted({event.topic for event in manifest.events}) if capability.takes_topics else [],
                "takes_topics": capability.takes_topics,
                "sensitive": capability.sensitive,
            }


BUCKETS = 100


def reached(rollout: Rollout | None, tenant_id: str | None) -> bool:
    """Whether a version is offered to a tenant (None: to every tenant): it has no rollout, or that has come so far."""
    if rollout is None:
        return True
    if rollout.status == "rolled_back":
        return False
    return rollout.percent >= BUCKETS or (tenant_id is not None and bucket(rollout, tenant_id) < rollout.percent)


def bucket(rollout: Rollout, tenant_id: str) -> int:
    """0 to 99, the same each time for a version and a tenant; other tenants are the first with another version."""
    name = "\x00".join((rollout.extension_id, rollout.version, tenant_id))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % BUCKETS
