"""The registry made from the settings: on one machine and in AWS alike."""

from collections.abc import Callable, Sequence

from oriel.blobs import Blobs
from oriel.emitting import event_bounds
from oriel.pricing import load_prices
from oriel.sealing import DataKeys, Sealer
from oriel.settings import Settings
from oriel.signing import PublicKey, Signer, TrustBundle
from oriel.store import Store
from oriel.store.event_records import Work
from registry.core import Limits, Registry


def build_registry(
    settings: Settings,
    *,
    store: Store,
    blobs: Blobs,
    data_keys: DataKeys,
    platform_key: Signer,
    trust: TrustBundle,
    believed: Sequence[PublicKey] = (),
    signs: bool = True,
    streams: int = 0,
    told: Callable[[Work], None] = lambda _: None,
) -> Registry:
    """The ledger over what the settings name; store and blobs stay the caller's to close.

    Args:
        believed: platform keys beside the one that signs.
        signs: this process may sign with the platform's key.
        streams: event streams that this server holds open at once.
        told: is told work that may be done at once, or later.
    """
    return Registry(
        store=store,
        blobs=blobs,
        sealer=Sealer(data_keys),
        platform_key=platform_key,
        believed=believed,
        signs=signs,
        trust=trust,
        prices=load_prices(settings.prices),
        streams=streams,
        told=told,
        limits=Limits(
            bundle_bytes=settings.max_bundle_bytes,
            compile_memory_mb=settings.compile_memory_mb,
            compile_seconds=settings.compile_seconds,
            count_fuel=settings.counts_fuel,
            schedule_seconds=settings.schedule_min_seconds,
            events=event_bounds(settings),
            uninstall_grace_days=settings.uninstall_grace_days,
        ),
    )
