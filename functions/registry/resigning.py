"""What the platform said, signed again with its present key, so that a former one need not be believed for ever.

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
    sign_checkpoint,
    sign_index,
    verify_artifact,
    verify_checkpoint,
    verify_index,
)
from oriel.signing import PublicKey, Signer
from oriel.store.records import Version
from registry.audits import Audits
from registry.core import Registry
from registry.deposit import Depository
from registry.rebuild import versions

Keys = tuple[PublicKey, ...]
Statement = tuple[str, Callable[[bytes, Keys], bytes]]
"""Where it stands, and what it is when signed again; the second raises where none of the keys signed the first."""

_log = logging.getLogger(__name__)


class Resigning:
    """Walks all versions, and the chains of the audit, once."""

    def __init__(self, registry: Registry, *, fuel: bool = False) -> None:
        self._registry, self._fuel = registry, fuel
        self._depository = Depository(registry)
        self._left: Iterator[Statement] | None = None

    def step(self) -> bool:
        """Look at one statement; whether there are more.

        Raises:
            OrielError: `unavailable`; to be tried again.
        """
        if self._left is None:
            self._left = self._statements() if self._registry.believed else iter(())
        try:
            if (statement := next(self._left, None)) is None:
                return False
            self._sign_again(*statement)
        except OrielError:
            self._left = None  # from the beginning: what is done is found to be done
            raise
        return True

    def _statements(self) -> Iterator[Statement]:
        for version in versions(self._registry):
            yield from self._of_version(version)
        for place in Audits(self._registry).last_kept():
            yield place, lambda envelope, keys: sign_checkpoint(verify_checkpoint(envelope, keys=keys), self._key)

    def _of_version(self, version: Version) -> Iterator[Statement]:
        content_hash, digest = version.content_hash, version.component_digest
        fingerprint = current_fingerprint(fuel=self._fuel)

        def index(envelope: bytes, keys: Keys) -> bytes:
            return sign_index(verify_index(envelope, content_hash=content_hash, keys=keys), self._key)

        def artifact(envelope: bytes, keys: Keys) -> bytes:
            held = verify_artifact(envelope, component_digest=digest, fingerprint=fingerprint, keys=keys)
            return sign_artifact(held, self._key)

        yield index_key(content_hash), index
        yield artifact_statement_key(fingerprint, digest), artifact

    def _sign_again(self, place: str, again: Callable[[bytes, Keys], bytes]) -> None:
        """Sign what stands at `place`, where a former key signed it; leave what no believed key signed."""
        try:
            renewed = again(self._registry.blobs.get(place), tuple(self._registry.believed))
        except OrielError as error:
            if error.status >= 500:
                raise
            return
        self._depository.replace_statement(place, renewed)
        _log.info("%s is signed again", place)

    @property
    def _key(self) -> Signer:
        return self._registry.platform_key
