"""Rotation of the data key: a new key, and every secret sealed anew under it, in the background.

Rules kept here:

- From the rotation on, what is set is sealed under the new key. What was sealed before still opens, and is sealed anew
  piece by piece; each piece is written only where nobody set the secret meanwhile.
- The rotation is a record of the store until all is done: a platform that stopped half-way goes on where it was.
- A secret that cannot be opened stays as it is, and is counted: its key is gone, or its row was moved.
- Values are in memory for the moment between opening and sealing, and nowhere else.
"""

import logging
from collections.abc import Iterator

from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.sealing import Sealed
from oriel.store.policy_records import SealedPlace, StoredDataKey
from oriel.store.records import StoredSecret
from registry.auditing import entry_for
from registry.core import Registry

PAGE = 100

_log = logging.getLogger(__name__)


class Resealing:
    """The operator's view, and the work."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store, self._sealer, self._now = registry.store, registry.sealer, registry.now

    def rotate(self, principal: Principal) -> StoredDataKey:
        """Make a new data key current. `OrielError` `unavailable`, where there is no key service."""
        rotation = StoredDataKey(key_id=self._sealer.rotate(), created_at=self._now())
        entry = entry_for(self._registry, principal, "data-key.rotate", rotation.key_id, after=rotation)
        self._store.put_data_key(rotation, entry)
        return rotation

    def current(self) -> StoredDataKey:
        """The last rotation. `OrielError` `not_found`, where there was none."""
        rotation = self._store.current_data_key()
        if rotation is None:
            raise OrielError("not_found", "The data key was never rotated.")
        return rotation

    def step(self) -> bool:
        """Seal anew what the last rotation left; whether there was anything to do."""
        rotation = self._store.current_data_key()
        if rotation is None or rotation.resealed_at is not None:
            return False
        outcomes = [self._reseal(place, rotation.key_id) for place in self._others(rotation.key_id)]
        done = replace(
            rotation, resealed_at=self._now(), resealed=outcomes.count("resealed"), failed=outcomes.count("failed")
        )
        self._store.put_data_key(done)
        _log.info("secrets were sealed anew", extra={"resealed": done.resealed, "failed": done.failed})
        return True

    def _others(self, key_id: str) -> Iterator[SealedPlace]:
        cursor: str | None = None
        while True:
            page = self._store.list_sealed(key_id, cursor, PAGE)
            yield from page.items
            if (cursor := page.cursor) is None:
                return

    def _reseal(self, place: SealedPlace, key_id: str) -> str:
        """`resealed`, `failed`, or `changed` where somebody else came first."""
        stored = self._store.list_secrets(place.tenant_id, place.install_id)
        before = next((secret for secret in stored if secret.name == place.name), None)
        if before is None or before.key_id == key_id:
            return "changed"
        try:
            again = self._resealed(before, key_id)
        except OrielError:
            extra = {"tenant_id": place.tenant_id, "install_id": place.install_id, "secret": place.name}
            _log.warning("a secret cannot be sealed anew", extra=extra)
            return "failed"
        return "resealed" if self._store.reseal_secret(again, before) else "changed"

    def _resealed(self, secret: StoredSecret, key_id: str) -> StoredSecret:
        sealed = Sealed(secret.key_id, secret.nonce, secret.ciphertext)
        anew = self._sealer.reseal(secret.tenant_id, secret.install_id, secret.name, sealed, key_id)
        return replace(secret, key_id=anew.key_id, nonce=anew.nonce, ciphertext=anew.ciphertext)
