"""What is published: to look at before installing, and to withdraw.

Rules kept here: the default version is the highest by semantic versioning that is `ready` and no pre-release; a
withdrawn version is still shown, with its status; a revoked publisher's or key's version is not offered.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import semver

from oriel.capabilities import CAPABILITIES
from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.manifest import Manifest
from oriel.store.records import Extension, Page, Version, VersionStatus
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
        found = self._store.list_versions(extension_id)
        return sorted(found, key=lambda version: semver.Version.parse(version.version), reverse=True)

    def latest(self, extension_id: str) -> Version | None:
        """The version that is installed where none is named."""
        offered = [version for version in self.versions(extension_id) if _is_default(version)]
        return next((version for version in offered if not self._is_revoked(version)), None)

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

    def set_status(self, principal: Principal, extension_id: str, version: str, status: VersionStatus) -> Version:
        """Deprecate, withdraw or restore a version: an operator any, a publisher those it published itself.

        Raises:
            OrielError: `forbidden`, `not_found`.
        """
        found = self.version(extension_id, version)
        if "operate" not in principal.permissions:
            principal.require("publish")
            if found.published_by != principal_id(principal):
                raise OrielError("forbidden", f"{extension_id} {found.version} was published by somebody else.")
        if found.status == status:
            return found
        changed = replace(found, status=status)
        target = f"{extension_id} {found.version}"
        entry = entry_for(self._registry, principal, f"version.{_ACTIONS[status]}", target, before=found, after=changed)
        self._store.set_version_status(extension_id, found.version, status, entry)
        return changed


def asks(manifest: Manifest) -> Iterator[dict[str, Any]]:
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


def _is_default(version: Version) -> bool:
    return version.status == "ready" and semver.Version.parse(version.version).prerelease is None
