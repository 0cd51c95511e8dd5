"""Statements of the platform signed again with its present key, so that a former one need not be believed for ever.

Rules kept here:

- What is signed again held before, by a key that is believed: nothing gets the platform's word that had not got it.
- It says the very same. Where it stands is empty for a moment, in which a runner that never saw it answers "not yet".
- Versions that were yanked are among them: they can be restored. The catalogue is walked once a process, and not at
  all where no other key is believed. Former engines' artifacts are left: no runner asks for them.
"""

import logging
from collections.abc import Callable, Iterator

from oriel.engine.config import current_fingerprint
from oriel.errors import OrielError
from oriel.provenance import (
    artifact_statement_key,
    index_key,
    sign_artifact,
    sign_index,
    verify_artifact,
    verify_index,
)
from oriel.signing import PublicKey
from oriel.store.records import Version
from registry.core import Registry
from registry.deposit import Depository
from registry.rebuild import versions

Again = Callable[[bytes, tuple[PublicKey, ...]], bytes]
_log = logging.getLogger(__name__)


class Resigning:
    """Walks all versions once."""

    def __init__(self, registry: Registry, *, fuel: bool = False) -> None:
        self._registry, self._fuel = registry, fuel
        self._depository = Depository(registry)
        self._left: Iterator[Version] | None = None

    def step(self) -> bool:
        """Look at one version; whether there are more.

        Raises:
            OrielError: `unavailable`; to be tried again.
        """
        if self._left is None:
            self._left = versions(self._registry) if self._registry.believed else iter(())
        version = next(self._left, None)
        if version is None:
            return False
        try:
            self._sign_again(version)
        except OrielError:
            self._left = None  # from the beginning: what is done is found to be done
            raise
        return True

    def _sign_again(self, version: Version) -> None:
        content_hash, digest = version.content_hash, version.component_digest
        fingerprint = current_fingerprint(fuel=self._fuel)
        key = self._registry.platform_key

        def index(envelope: bytes, keys: tuple[PublicKey, ...]) -> bytes:
            return sign_index(verify_index(envelope, content_hash=content_hash, keys=keys), key)

        def artifact(envelope: bytes, keys: tuple[PublicKey, ...]) -> bytes:
            held = verify_artifact(envelope, component_digest=digest, fingerprint=fingerprint, keys=keys)
            return sign_artifact(held, key)

        self._replace(index_key(content_hash), index)
        self._replace(artifact_statement_key(fingerprint, digest), artifact)

    def _replace(self, place: str, again: Again) -> None:
        """Sign again what stands at `place`, where a former key signed it; leave what no believed key signed."""
        try:
            envelope = self._registry.blobs.get(place)
            renewed = again(envelope, tuple(self._registry.believed))
        except OrielError as error:
            if error.status >= 500:
                raise
            return
        self._depository.replace_statement(place, renewed)
        _log.info("%s is signed again", place)
