"""Sealing: how a tenant's secrets are kept, so that the store alone tells nobody anything.

Rules kept here:

- AES-256-GCM (NIST SP 800-38D) with a fresh random 96-bit nonce for every value. A data key is rotated long before
  the 2^32 values that such nonces are good for.
- A sealed value is bound to its tenant, its install and its name: moved to another row, it does not open.
- What cannot be opened is `unavailable`, and neither the error nor its cause says anything of the value.
- There is no plain form to fall back to: without a key there is no secret.
"""

import os
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from oriel.errors import OrielError

NONCE_BYTES = 12
_CONTEXT = "oriel.sealing.v1"


class DataKey(Struct, frozen=True):
    """One AES-256 key and its name; the cipher object does not print the key."""

    key_id: str
    cipher: AESGCM


class DataKeys(Protocol):
    """Where data keys come from: a keyring file on one machine, a key service elsewhere.

    All raise `OrielError("unavailable")` where the source itself cannot be reached.
    """

    def current(self) -> DataKey:
        """The key that new values are sealed with."""
        ...

    def by_id(self, key_id: str) -> DataKey | None:
        """The key of that id, current or retired; None where there is none."""
        ...

    def rotate_data_key(self) -> str:
        """Make a new key, which is current from now on; its id. The others still open what they sealed."""
        ...


class Sealed(Struct, frozen=True):
    """One sealed value, as it is stored and sent to the runner. `ciphertext` ends with the 16-byte tag."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


class Sealer:
    """Seals and opens values with the data keys of one source. Safe to share between threads."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    def seal(self, tenant_id: str, install_id: str, name: str, value: bytes) -> Sealed:
        """Seal `value` under the current key.

        Raises:
            OrielError: `unavailable`, where there is no key to be had.
        """
        return _sealed(self._keys.current(), value, _bound_to(tenant_id, install_id, name))

    def reseal(self, tenant_id: str, install_id: str, name: str, sealed: Sealed, key_id: str) -> Sealed:
        """The same value under the key of that id.

        Raises:
            OrielError: as `open`; also where there is no key of that id.
        """
        value = self.open(tenant_id, install_id, name, sealed)
        key = self._keys.by_id(key_id)
        if key is None:
            raise _unavailable()
        return _sealed(key, value, _bound_to(tenant_id, install_id, name))

    def rotate(self) -> str:
        """Make a new data key current; its id. `OrielError` `unavailable`, where there is no key service."""
        return self._keys.rotate_data_key()

    def open(self, tenant_id: str, install_id: str, name: str, sealed: Sealed) -> bytes:
        """The value, if it was sealed for this tenant, this install and this name.

        Raises:
            OrielError: `unavailable`, where the key is not known or the value is not what was sealed.
        """
        key = self._keys.by_id(sealed.key_id)
        if key is None:
            raise _unavailable()
        try:
            return key.cipher.decrypt(sealed.nonce, sealed.ciphertext, _bound_to(tenant_id, install_id, name))
        except (InvalidTag, ValueError):  # ValueError: a nonce of a length that GCM does not take
            raise _unavailable() from None


def _sealed(key: DataKey, value: bytes, bound: bytes) -> Sealed:
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(key.key_id, nonce, key.cipher.encrypt(nonce, value, bound))


def _bound_to(*fields: str) -> bytes:
    """The associated data: every field behind its length, so that ("a", "bc") and ("ab", "c") differ."""
    encoded = (field.encode() for field in (_CONTEXT, *fields))
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


def _unavailable() -> OrielError:
    return OrielError("unavailable", "A secret cannot be opened.", hint="Set the secret again.")
