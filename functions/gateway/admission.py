"""Admission: whether one more execution may begin for a tenant and an install, now.

    with admission.admit(tenant_id, extension_id, *resolved.quotas) as admitted:
        …                       # the execution
        admitted.used(receipt)

Rules kept here:

- Rate, concurrency and daily quotas are held by meters in the store, one of the tenant and one of the install. What is
  spent here was leased before, several tokens at a time, so that most requests ask the store nothing.
- Of requests of a tenant that want a new lease at once, one asks and the others wait for it.
- What the store cannot answer is `unavailable`: closed, never open. For a moment it is not asked again.
- What this gateway holds and nobody wants any more goes back within seconds, by a thread of its own, and at the end.
- Whatever makes executions comes through here: requests, events, schedules.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct, field

from gateway.meters import LEASE_SECONDS, Held, ratelimit_headers
from oriel.contract import Receipt
from oriel.errors import OrielError
from oriel.ids import new_id
from oriel.quotas import Quotas
from oriel.store.policy_records import Lease, LeaseAsk, Measures
from oriel.store.usage import BYTES_PER_MB

PLACES_MARGIN_MS = 15_000
SETTLE_SECONDS = 1.0
AWAY_SECONDS = 0.5
TURNS = 8

_log = logging.getLogger(__name__)


class Meters(Protocol):
    """The part of `oriel.store.Store` that admission takes from."""

    def take_leases(self, tenant_id: str, asks: Sequence[LeaseAsk]) -> tuple[Lease, ...]: ...


class Admitted:
    """One execution that may run; a context manager that ends it."""

    def __init__(self, end: Callable[[Measures], None], meters: tuple[Held, ...]) -> None:
        self._end, self._meters = end, meters
        self._used = Measures()
        self.headers = ratelimit_headers(meters)

    def used(self, receipt: Receipt) -> None:
        """What the execution used."""
        self._used = Measures(
            cpu_ms=receipt.cpu_ms,
            memory_mb_ms=receipt.peak_memory_bytes / BYTES_PER_MB * receipt.duration_ms,
            egress_bytes=receipt.egress_bytes,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(self._used)


class _Tenant(Struct):
    """The meters of one tenant that this gateway holds leases of, by bucket; the tenant's own has the empty name."""

    held: dict[str, Held] = field(default_factory=dict)
    asking: threading.Lock = field(default_factory=threading.Lock)
    away_until: float = -math.inf


class Admission:
    """The meters of all tenants, as this gateway holds them. Safe to share between threads. Close it.

    Args:
        meters: the store.
        max_timeout_ms: the longest that an execution may take; places of a gateway that died lapse after it.
        clock: monotonic seconds.
        background: whether a thread settles what is idle; without it `settle` does when it is called.
    """

    def __init__(
        self,
        meters: Meters,
        *,
        max_timeout_ms: int = 900_000,
        clock: Callable[[], float] = time.monotonic,
        background: bool = True,
    ) -> None:
        self._meters, self._clock = meters, clock
        self._places_ms = int(LEASE_SECONDS * 1000) + max_timeout_ms + PLACES_MARGIN_MS
        self._holder = ""  # made with the first ask: what starts may be copied before it is asked anything
        self._lock = threading.Lock()
        self._tenants: dict[str, _Tenant] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-admission", daemon=True)
        if background:
            self._thread.start()

    def admit(self, tenant_id: str, extension_id: str, of_tenant: Quotas, of_install: Quotas) -> Admitted:
        """Begin an execution under the bounds that hold for the tenant and for its install of the extension.

        Raises:
            OrielError: `rate_limited`, `quota_exceeded`, with what is left; `unavailable`, where the store does not
                answer.
        """
        wanted = {"": of_tenant, extension_id: of_install}
        with self._lock:
            tenant = self._tenants.setdefault(tenant_id, _Tenant())
            held = _held(tenant, wanted)
            if _spent(held, self._clock()):
                return self._admitted(held)
        with tenant.asking:
            for _ in range(TURNS):
                held, asks = self._short(tenant_id, tenant, wanted)
                if not asks:
                    return self._admitted(held)
                self._take(tenant_id, tenant, asks)
        raise OrielError("rate_limited", "Too many requests came at once.", retry_after=1)

    def _short(
        self, tenant_id: str, tenant: _Tenant, wanted: Mapping[str, Quotas]
    ) -> tuple[tuple[Held, ...], list[tuple[Held, LeaseAsk]]]:
        """The meters, spent from where all could be; else what to ask for those that could not."""
        with self._lock:
            now = self._clock()
            held = _held(self._tenants.setdefault(tenant_id, tenant), wanted)
            if _spent(held, now):
                return held, []
            if now < tenant.away_until:
                raise OrielError("unavailable", "The quotas cannot be evaluated.", retry_after=1)
            self._holder = self._holder or new_id("gw")
            short = [meter for meter in held if not meter.can_spend(now)]
            return held, [(meter, meter.ask(self._holder, self._places_ms)) for meter in short]

    def _take(self, tenant_id: str, tenant: _Tenant, asks: Sequence[tuple[Held, LeaseAsk]]) -> None:
        try:
            leases = self._meters.take_leases(tenant_id, [ask for _, ask in asks])
        except BaseException:
            with self._lock:
                tenant.away_until = self._clock() + AWAY_SECONDS
                for meter, ask in asks:
                    meter.restore(ask)
            raise
        with self._lock:
            for (meter, _), lease in zip(asks, leases, strict=True):
                meter.take(lease, self._clock())

    def settle(self) -> None:
        """Give back what is held and was not wanted for a while."""
        self._settle(lambda held, now: held.expired(now) and not held.running)

    def close(self) -> None:
        """Give everything back. Calling it again does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._settle(lambda held, now: True)

    def _run(self) -> None:
        while not self._stopping.wait(SETTLE_SECONDS):
            self.settle()

    def _settle(self, due: Callable[[Held, float], bool]) -> None:
        with self._lock:
            tenants = list(self._tenants.items())
        for tenant_id, tenant in tenants:
            with tenant.asking:
                self._settle_tenant(tenant_id, tenant, due)

    def _settle_tenant(self, tenant_id: str, tenant: _Tenant, due: Callable[[Held, float], bool]) -> None:
        with self._lock:
            now = self._clock()
            found = [held for held in tenant.held.values() if due(held, now)]
            asks = [held.ask(self._holder, self._places_ms, settle=True) for held in found if not held.idle()]
            for held in found:
                if not held.running:
                    del tenant.held[held.bucket]
            if not tenant.held:
                self._tenants.pop(tenant_id, None)
        if not asks:
            return
        try:
            self._meters.take_leases(tenant_id, asks)
        except OrielError as error:  # tokens are lost, places lapse; a store that is away admits nobody meanwhile
            _log.warning("leases were not given back", extra={"reason": error.code, "tenant_id": tenant_id})

    def _admitted(self, held: tuple[Held, ...]) -> Admitted:
        def end(used: Measures) -> None:
            with self._lock:
                for meter in held:
                    meter.end(used)

        return Admitted(end, held)


def _held(tenant: _Tenant, wanted: Mapping[str, Quotas]) -> tuple[Held, ...]:
    """The tenant's and the install's meters, under the bounds that hold now."""
    for bucket, quotas in wanted.items():
        if bucket in tenant.held:
            tenant.held[bucket].adopt(quotas)
        else:
            tenant.held[bucket] = Held("install" if bucket else "tenant", bucket, quotas)
    return tuple(tenant.held[bucket] for bucket in wanted)


def _spent(held: Sequence[Held], now: float) -> bool:
    """Whether all of them had a token and a place, which are spent now."""
    ready = [meter.can_spend(now) for meter in held]
    if not all(ready):
        return False
    for meter in held:
        meter.spend()
    return True
