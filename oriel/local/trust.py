"""The operator's trust bundle as its file says now: a revocation written into it takes hold without a restart.

Rules kept here:

- The file is looked at once a second at most, and read where it has changed. Replace it as a whole (`mv`).
- What cannot be read, or is not a trust bundle, is `unavailable`: nothing that depends on it passes until it is mended.
- Text in the environment is what it was at the start.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from oriel.errors import OrielError
from oriel.settings import PEM_MARK, Settings
from oriel.signing import PublicKey, TrustBundle, TrustedKey
from oriel.signing.dsse import Envelope

LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)


def open_trust(settings: Settings) -> TrustBundle:
    """The bundle that `SIGNING_TRUST_BUNDLE` names or holds.

    Raises:
        InvalidInput: `invalid_input`, where it cannot be read or has mistakes.
    """
    value = settings.signing_trust_bundle
    bundle = TrustBundle.from_pem(settings.trust_bundle_pem())
    return TrustFile(Path(value), bundle) if value and PEM_MARK not in value else bundle


class TrustFile(TrustBundle):
    """A bundle that follows its file. Safe to share between threads.

    Args:
        first: the bundle as it was read at the start.
        clock: monotonic seconds.
    """

    def __init__(self, path: Path, first: TrustBundle, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        self._bundle: TrustBundle | None = first
        self._seen = _state(path)
        self._look_at = clock() + LOOK_SECONDS

    def with_keys(self, keys: Iterable[TrustedKey]) -> TrustBundle:  # type: ignore[override] # as it is now, for ever
        return self._now().with_keys(keys)

    def is_revoked(self, key_id: str, now: int) -> bool:
        return self._now().is_revoked(key_id, now)

    def signer(self, envelope: Envelope, publisher: str, now: int) -> PublicKey:
        return self._now().signer(envelope, publisher, now)

    def _now(self) -> TrustBundle:
        with self._lock:
            if self._clock() >= self._look_at:
                self._look_at = self._clock() + LOOK_SECONDS
                self._look()
            if self._bundle is None:
                raise OrielError("unavailable", "The operator's trust bundle cannot be read.", retry_after=1)
            return self._bundle

    def _look(self) -> None:
        seen = _state(self._path)
        if seen == self._seen and self._bundle is not None:
            return
        self._seen = seen
        try:
            self._bundle = TrustBundle.from_pem(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, OrielError) as error:
            self._bundle = None
            _log.error("the trust bundle cannot be read", extra={"path": str(self._path), "reason": str(error)})
        else:
            _log.info("the trust bundle was read again", extra={"path": str(self._path)})


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
