"""What all parts of the registry stand on."""

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from oriel.blobs import Blobs
from oriel.clock import now_ms
from oriel.emitting import Bounds
from oriel.identity import Principal
from oriel.pricing import PriceList
from oriel.scheduling import LEAST_SECONDS
from oriel.sealing import Sealer
from oriel.signing import PublicKey, Signer, TrustBundle
from oriel.store import Store
from oriel.store.event_records import Work

MEGABYTE = 1_000_000


class Limits(Struct, frozen=True, kw_only=True):
    """What strangers may make the registry do. Sizes in bytes, times in seconds.

    Attributes:
        count_fuel: compile for an engine that counts fuel.
    """

    bundle_bytes: int = 64 * MEGABYTE
    compile_memory_mb: int = 4_096
    compile_seconds: int = 120
    count_fuel: bool = False
    schedule_seconds: int = LEAST_SECONDS
    events: Bounds = field(default_factory=Bounds)
    uninstall_grace_days: int = 30


class Registry(Struct, frozen=True, kw_only=True):
    """The ports, the keys and the limits.

    Attributes:
        platform_key: signs indexes and artifacts (`oriel.provenance`).
        believed: platform keys beside that one whose statements hold: retired ones, and the next one.
        signs: this process may sign with the platform's key.
        trust: the operator's trust bundle; publishers' keys in the store are added to it.
        prices: what usage costs; None where nothing is charged.
        streams: event streams that this server holds open at once; 0 where it cannot.
        told: is told work that may be done at once, or later: whoever does it need not look for it.
        now: Unix milliseconds.
    """

    store: Store
    blobs: Blobs
    sealer: Sealer
    platform_key: Signer
    trust: TrustBundle
    believed: Sequence[PublicKey] = ()
    signs: bool = True
    limits: Limits = field(default_factory=Limits)
    prices: PriceList | None = None
    streams: int = 0
    told: Callable[[Work], None] = lambda _: None
    now: Callable[[], int] = now_ms

    @property
    def platform_keys(self) -> tuple[PublicKey, ...]:
        return (self.platform_key.public, *self.believed)


def principal_id(principal: Principal) -> str:
    """How records name a principal: `tenant/subject`, or `/subject` for one outside all tenants."""
    return f"{principal.tenant_id or ''}/{principal.subject}"
