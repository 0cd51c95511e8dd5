"""What the gateway knows about an install, read once and kept for seconds.

Rules kept here:

- An entry lives `ttl` seconds (5 at most) from the moment its read *began*; then it is read again. Disabling,
  yanking and revoking therefore reach every gateway in that time.
- Nothing serves longer than its time: where the store fails, the caller gets `unavailable`. Closed, never open.
- That an extension is not installed is kept too, for a shorter time.
- Of callers that want the same entry at once, one reads and the others wait for it.
- Memory is bounded: the entries used longest ago go first. The key begins with the tenant.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from oriel.errors import InvalidInput, OrielError
from oriel.names import is_reverse_domain
from oriel.published import Published
from oriel.quotas import PLATFORM_DEFAULTS, Quotas
from oriel.store.records import Resolution

MAX_TTL = 5.0
NEGATIVE_TTL = 1.0
MAX_ENTRIES = 4_096
MAX_MANIFESTS = 1_024
WAIT_SECONDS = 5.0

_log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ResolutionSource(Protocol):
    """The part of `oriel.store.Store` that the gateway reads."""

    def resolve(self, tenant_id: str, extension_id: str) -> Resolution | None: ...


class Resolved(Struct, frozen=True):
    """An install with its version's manifest, parsed, and the quotas of the tenant and of the install."""

    resolution: Resolution
    manifest: Published
    config: dict[str, str]
    quotas: tuple[Quotas, Quotas] = (PLATFORM_DEFAULTS["tenant"], PLATFORM_DEFAULTS["install"])


class _Entry(Struct, frozen=True):
    resolved: Resolved | None
    expires_at: float


class _Lru(Generic[K, V]):
    """A bounded mapping; what was used longest ago goes first. The caller holds a lock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        while len(self._items) > self._limit:
            self._items.popitem(last=False)

    def __len__(self) -> int:
        return len(self._items)


class Resolver:
    """The cache before a `ResolutionSource`. Safe to share between threads.

    Args:
        ttl: seconds an entry lives, 0 to 5.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        source: ResolutionSource,
        *,
        ttl: float = MAX_TTL,
        max_entries: int = MAX_ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= ttl <= MAX_TTL:
            raise ValueError(f"a resolution is kept 0 to {MAX_TTL:g} seconds, not {ttl:g}")
        self._source, self._ttl, self._clock = source, ttl, clock
        self._lock = threading.Lock()
        self._entries: _Lru[tuple[str, str], _Entry] = _Lru(max_entries)
        self._manifests: _Lru[str, Published] = _Lru(MAX_MANIFESTS)
        self._reading: dict[tuple[str, str], Future[Resolved | None]] = {}
        self._cached = self._asked = 0

    def counts(self) -> tuple[int, int]:
        """How many resolutions were in the cache, and how many were not."""
        return self._cached, self._asked

    def resolve(self, tenant_id: str, extension_id: str) -> Resolved | None:
        """The install of an extension for a tenant; None where there is none.

        Raises:
            OrielError: `unavailable`, where the store does not answer.
        """
        if not is_reverse_domain(extension_id):
            return None
        key = (tenant_id, extension_id)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._clock() < entry.expires_at:
                self._cached += 1
                return entry.resolved
            self._asked += 1
            reading = self._reading.get(key)
            mine = reading is None
            if reading is None:
                reading = self._reading[key] = Future()
        return self._read(key, reading) if mine else _wait(reading)

    def _read(self, key: tuple[str, str], reading: Future[Resolved | None]) -> Resolved | None:
        began = self._clock()
        try:
            found = self._source.resolve(*key)
            resolved = None if found is None else self._parsed(found)
        except BaseException as error:
            with self._lock:
                del self._reading[key]
            reading.set_exception(error)
            raise
        lives = self._ttl if resolved is not None else min(self._ttl, NEGATIVE_TTL)
        with self._lock:
            self._entries.put(key, _Entry(resolved, began + lives))
            del self._reading[key]
        reading.set_result(resolved)
        return resolved

    def _parsed(self, resolution: Resolution) -> Resolved:
        """Versions never change, so that tenants share a version's manifest."""
        version = resolution.version
        with self._lock:
            manifest = self._manifests.get(version.version_id)
        if manifest is None:
            manifest = Published.read(version.manifest)
            with self._lock:
                self._manifests.put(version.version_id, manifest)
        return Resolved(resolution, manifest, manifest.config_strings(resolution.install.config), _quotas(resolution))


def _quotas(resolution: Resolution) -> tuple[Quotas, Quotas]:
    """What bounds the tenant and the install: the operator's values over the platform's."""
    try:
        of_tenant, of_install = (Quotas.read(set_) for set_ in (resolution.tenant_quotas, resolution.install_quotas))
    except InvalidInput:
        _log.exception("quotas cannot be read", extra={"tenant_id": resolution.install.tenant_id})
        raise OrielError("unavailable", "The quotas cannot be read.") from None
    return of_tenant.over(PLATFORM_DEFAULTS["tenant"]), of_install.over(PLATFORM_DEFAULTS["install"])


def _wait(reading: Future[Resolved | None]) -> Resolved | None:
    try:
        return reading.result(timeout=WAIT_SECONDS)
    except FutureTimeout:
        raise OrielError("unavailable", "The registry's store did not answer in time.", retry_after=1) from None
