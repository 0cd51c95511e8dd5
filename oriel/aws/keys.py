"""The platform's keys in AWS: which one is where, and who can do what with it.

| key | kept in | used by |
|---|---|---|
| platform, ECDSA P-256 | KMS, never leaves it | the publisher signs; registry and runner read the public half |
| data, AES-256 under a KMS key | beside each secret, wrapped | the registry makes and opens; the runner opens |
| service, Ed25519 | a secret of Secrets Manager | the gateway signs its calls; the runner verifies |
| host, Ed25519 | a secret of Secrets Manager | the runner signs its calls to the host product |

Rules kept here:

- Nothing is asked for twice, but for a key that was rotated: who comes while another asks waits for that answer.
- A secret is any text of 32 characters and more, which CloudFormation can make; an Ed25519 key is derived from it.
- After a rotation both the new and the former secret are believed, until the next one: what the former signed is good
  for its life, and who still signs with it may go on.
- What the service refuses, or does not answer, is `unavailable`: there is no way on without a key.
"""

import base64
import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oriel.aws.attempts import Again, persist
from oriel.aws.credentials import Credentials
from oriel.aws.services import JsonClient, NoAnswer, Refused
from oriel.aws.target import Target
from oriel.errors import OrielError
from oriel.sealing import DataKey
from oriel.signing import PublicKey

T = TypeVar("T")
MAX_MESSAGE_BYTES = 4_096
MIN_SECRET_CHARACTERS = 32
DATA_KEY_SECONDS = 300.0  # for which one data key seals what comes
KEEP_DATA_KEYS = 10_000
REFRESH_SECONDS = 10.0
_CONTEXT = {"purpose": "oriel.sealing"}
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_THROTTLED = {"ThrottlingException", "LimitExceededException", "KMSInternalException", "DependencyTimeoutException"}


class _Once(Generic[T]):
    """What is asked for when it is first needed: who comes while another asks waits for that answer."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self._answer: T | None = None

    def get(self) -> T:
        with self._asking:
            if self._answer is None:
                self._answer = self._ask()
            return self._answer


class KmsSigner:
    """An ECDSA P-256 key that stays in KMS (`ECC_NIST_P256`, `SIGN_VERIFY`). An `oriel.signing.Signer`."""

    def __init__(self, target: Target, credentials: Credentials | None = None) -> None:
        self._key = target.name
        self._kms = JsonClient("kms", target, credentials)
        self._public = _Once(self._read)

    @property
    def public(self) -> PublicKey:
        return self._public.get()

    def sign(self, message: bytes) -> bytes:
        """The signature in DER. Of a message that is longer than KMS takes, the digest is made here."""
        fits = len(message) <= MAX_MESSAGE_BYTES
        asked = {"MessageType": "RAW" if fits else "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        given = message if fits else hashlib.sha256(message).digest()
        answer = _asked(lambda: self._kms.sign(KeyId=self._key, Message=given, **asked))
        return base64.b64decode(answer["Signature"])

    def close(self) -> None:
        self._kms.close()

    def _read(self) -> PublicKey:
        answer = _asked(lambda: self._kms.get_public_key(KeyId=self._key))
        return PublicKey.from_p256_der(base64.b64decode(answer["PublicKey"]))


class KmsPublicKeys(Sequence[PublicKey]):
    """The public halves of keys in KMS, each asked for when it is looked at, and once."""

    def __init__(self, targets: Iterable[Target], credentials: Credentials | None = None) -> None:
        self._keys = [KmsSigner(target, credentials) for target in targets]

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, place: Any) -> Any:
        found = self._keys[place]
        return [key.public for key in found] if isinstance(found, list) else found.public

    def close(self) -> None:
        for key in self._keys:
            key.close()


class KmsDataKeys:
    """Data keys under one KMS key (`oriel.sealing.DataKeys`). Safe to share between threads.

    A data key's id is the key itself, wrapped by KMS: it is kept with what it sealed, and nowhere else.
    """

    def __init__(
        self, target: Target, credentials: Credentials | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._key, self._clock = target.name, clock
        self._kms = JsonClient("kms", target, credentials)
        self._lock = threading.Lock()
        self._known: OrderedDict[str, DataKey] = OrderedDict()
        self._current: DataKey | None = None
        self._current_until = 0.0

    def current(self) -> DataKey:
        with self._lock:
            if self._current is not None and self._clock() < self._current_until:
                return self._current
            return self._made()

    def rotate_data_key(self) -> str:
        with self._lock:
            return self._made().key_id

    def by_id(self, key_id: str) -> DataKey | None:
        with self._lock:
            if key_id in self._known:
                self._known.move_to_end(key_id)
                return self._known[key_id]
            try:
                asked = {"KeyId": self._key, "CiphertextBlob": base64.b64decode(key_id), "EncryptionContext": _CONTEXT}
                answer = _asked(lambda: self._kms.decrypt(**asked))
            except (Refused, ValueError):  # not one of this key's
                return None
            return self._keep(key_id, answer["Plaintext"])

    def close(self) -> None:
        self._kms.close()

    def _made(self) -> DataKey:
        asked = {"KeyId": self._key, "KeySpec": "AES_256", "EncryptionContext": _CONTEXT}
        answer = _asked(lambda: self._kms.generate_data_key(**asked))
        self._current = self._keep(answer["CiphertextBlob"], answer["Plaintext"])
        self._current_until = self._clock() + DATA_KEY_SECONDS
        return self._current

    def _keep(self, key_id: str, plaintext: str) -> DataKey:
        key = self._known[key_id] = DataKey(key_id, AESGCM(base64.b64decode(plaintext)))
        while len(self._known) > KEEP_DATA_KEYS:
            self._known.popitem(last=False)
        return key


class SecretKey:
    """An Ed25519 key derived from a secret of Secrets Manager. Safe to share between threads.

    Args:
        purpose: goes into the key, so that one secret never makes one key for two purposes.
    """

    def __init__(
        self,
        target: Target,
        purpose: str,
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret, self._purpose, self._clock = target.name, purpose, clock
        self._secrets = JsonClient("secretsmanager", target, credentials)
        self._lock = threading.Lock()
        self._read_again_at = -float("inf")
        self._believed: tuple[Ed25519PublicKey, ...] = ()
        self._private = _Once(lambda: self._derived(_asked(lambda: self._stage(_CURRENT))))

    @property
    def private(self) -> Ed25519PrivateKey:
        return self._private.get()

    def public_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """What its signatures verify with: the current secret's, as it was when this began."""
        return (self.private.public_key(),)

    def after_rotation(self) -> tuple[Ed25519PublicKey, ...] | None:
        """The current and the former secret's, read now; None where that was done seconds ago."""
        with self._lock:
            return self._read_again() if self._is_old() else None

    def believed(self) -> tuple[Ed25519PublicKey, ...]:
        """The current and the former secret's, as they were seconds ago at most."""
        with self._lock:
            return self._read_again() if self._is_old() or not self._believed else self._believed

    def _is_old(self) -> bool:
        return self._clock() - self._read_again_at >= REFRESH_SECONDS

    def _read_again(self) -> tuple[Ed25519PublicKey, ...]:
        self._read_again_at = self._clock()
        keys = [self._derived(_asked(lambda: self._stage(_CURRENT)))]
        with suppress(Refused):  # it was never rotated
            keys.append(self._derived(_asked(lambda: self._stage(_PREVIOUS))))
        self._believed = tuple(key.public_key() for key in keys)
        return self._believed

    def close(self) -> None:
        self._secrets.close()

    def _stage(self, stage: str) -> Mapping[str, Any]:
        return self._secrets.get_secret_value(SecretId=self._secret, VersionStage=stage)

    def _derived(self, answer: Mapping[str, Any]) -> Ed25519PrivateKey:
        secret = str(answer.get("SecretString", ""))
        if len(secret) < MIN_SECRET_CHARACTERS:
            raise OrielError("unavailable", f"The secret {self._secret} is shorter than {MIN_SECRET_CHARACTERS}.")
        seed = hmac.digest(secret.encode(), f"oriel.{self._purpose}.v1".encode(), "sha256")
        return Ed25519PrivateKey.from_private_bytes(seed)


def _asked(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer of a key service; none of what is asked here changes anything, so it may be asked again.

    Raises:
        OrielError: `unavailable`.
        Refused: there is no such key or secret, or what was sent is none of its own.
    """

    def attempt(_: bool) -> Mapping[str, Any]:
        with _translated():
            return ask()

    try:
        return persist(attempt)
    except Again as again:
        raise OrielError("unavailable", "The key service does not answer.", retry_after=1) from again


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except NoAnswer as none:
        raise Again(str(none), ambiguous=True) from None
    except Refused as refused:
        if refused.code in _THROTTLED or refused.status >= 500:
            raise Again(refused.code, ambiguous=False) from None
        if refused.code in {"InvalidCiphertextException", "IncorrectKeyException", "ResourceNotFoundException"}:
            raise
        raise OrielError("unavailable", f"The key service refused: {refused.code}.") from None
