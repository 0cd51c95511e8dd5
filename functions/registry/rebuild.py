"""Native code for an engine that is new: after an upgrade, components are compiled again in the background.

Every artifact is for one fingerprint of the engine. Where the platform comes up with another one, the runner answers
`artifact_unavailable` for what is not compiled yet, and never compiles itself. Rules kept here:

- The stored component is compiled, after it was found to be the one that the platform's index names.
- One component at a time, and only while nothing waits to be published. Versions that were yanked are left out.
- What cannot be compiled any more is logged and left: its publisher has to publish again.
- The catalogue is walked once a process: what is published later is compiled for this engine to begin with.
"""

import logging
from collections import deque
from collections.abc import Iterator

from oriel.blobs.base import BlobMissing
from oriel.bundle import content_hash as hash_of
from oriel.engine.config import current_fingerprint
from oriel.errors import InvalidInput, OrielError
from oriel.provenance import artifact_statement_key, component_key, verify_artifact
from oriel.store.records import Version
from registry.compiling import Compiler
from registry.core import Registry
from registry.deposit import Depository

_log = logging.getLogger(__name__)


class Rebuilding:
    """Compiles what has no artifact for this engine.

    Args:
        fingerprint: of the engine that `compiler` compiles for; that of this version, where it is left out.
    """

    def __init__(self, registry: Registry, compiler: Compiler, fingerprint: str | None = None) -> None:
        self._registry = registry
        self._compiler = compiler
        self._depository = Depository(registry)
        self._fingerprint = fingerprint
        self._missing: deque[Version] | None = None

    def step(self) -> bool:
        """Compile one component; whether there are more.

        Raises:
            OrielError: `unavailable`; to be tried again.
        """
        if self._missing is None:
            self._missing = deque(self._without_artifact())
            if self._missing:
                _log.info("%d components are compiled again for this engine", len(self._missing))
        if self._missing:
            self._compile(self._missing[0])
            self._missing.popleft()
        return bool(self._missing)

    def _compile(self, version: Version) -> None:
        try:
            component = self._registry.blobs.get(component_key(version.content_hash))
            if hash_of(component) != version.component_digest:
                raise BlobMissing(component_key(version.content_hash))
            compiled = self._compiler.compile(component)
        except (BlobMissing, InvalidInput) as error:
            _log.warning("%s %s is not compiled again: %s", version.extension_id, version.version, error.detail)
            return
        self._depository.put_artifact(version.component_digest, compiled)
        _log.info("%s %s is compiled again", version.extension_id, version.version)

    def _without_artifact(self) -> Iterator[Version]:
        """One version of each component that has no artifact of ours."""
        fingerprint = self._fingerprint or current_fingerprint(fuel=self._compiler.fuel)
        seen: set[str] = set()
        for version in versions(self._registry):
            digest = version.component_digest
            if version.status != "yanked" and digest not in seen:
                seen.add(digest)
                if not self._has_artifact(digest, fingerprint):
                    yield version

    def _has_artifact(self, component_digest: str, fingerprint: str) -> bool:
        try:
            envelope = self._registry.blobs.get(artifact_statement_key(fingerprint, component_digest))
            keys = self._registry.platform_keys
            verify_artifact(envelope, component_digest=component_digest, fingerprint=fingerprint, keys=keys)
        except OrielError as error:
            if error.status >= 500:
                raise
            return False
        return True


def versions(registry: Registry) -> Iterator[Version]:
    """Every version of every extension."""
    cursor = None
    while True:
        page = registry.store.list_extensions(cursor)
        for extension in page.items:
            yield from registry.store.list_versions(extension.extension_id)
        cursor = page.cursor
        if cursor is None:
            return
