"""The gateway made from the settings: on one machine and in AWS alike."""

from gateway.admission import Admission
from gateway.core import Gateway
from gateway.cors import Cors
from gateway.journal import Journal
from gateway.repeats import Repeats
from gateway.resolve import Resolver
from gateway.transport import RunnerTransport
from gateway.watch import DAY_MS, Watch
from oriel.contract import Limits
from oriel.identity import Authenticator, SessionSigner
from oriel.settings import Settings
from oriel.signing import TrustBundle
from oriel.store import Store


def build_gateway(
    settings: Settings,
    *,
    store: Store,
    authenticator: Authenticator,
    runner: RunnerTransport,
    sessions: SessionSigner | None,
    trust: TrustBundle,
) -> Gateway:
    """A gateway; it closes the runner's transport, and not the store."""
    return Gateway(
        authenticator=authenticator,
        resolver=Resolver(store, ttl=settings.cache_seconds),
        runner=runner,
        journal=Journal(store),
        admission=Admission(store, max_timeout_ms=settings.max_timeout_ms),
        repeats=Repeats(store),
        cors=Cors(settings.allowed_origins),
        sessions=sessions,
        trust=trust,
        ceiling=Limits(
            timeout_ms=settings.max_timeout_ms, memory_mb=settings.max_memory_mb, fuel=settings.max_fuel or None
        ),
        watch=Watch(retention_ms=settings.log_retention_days * DAY_MS),
        max_body_bytes=settings.max_body_bytes,
    )
