"""The gateway made from the settings: on one machine and in AWS alike."""

from collections.abc import Iterator, Sequence

from gateway.admission import Admission
from gateway.core import Gateway
from gateway.cors import Cors
from gateway.journal import Journal, Observer
from gateway.repeats import Repeats
from gateway.resolve import Resolver
from gateway.traces import Traces
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
    observers: Sequence[Observer] = (),
) -> Gateway:
    """A gateway; it closes the runner's transport, and not the store."""
    return Gateway(
        authenticator=authenticator,
        resolver=Resolver(store, ttl=settings.cache_seconds),
        runner=runner,
        journal=Journal(store, observers=(*observers, *_observers(settings))),
        admission=Admission(store, max_timeout_ms=settings.max_timeout_ms),
        repeats=Repeats(store),
        cors=Cors(settings.allowed_origins),
        sessions=sessions,
        trust=trust,
        ceiling=Limits(
            timeout_ms=settings.max_timeout_ms, memory_mb=settings.max_memory_mb, fuel=settings.max_fuel or None
        ),
        watch=Watch(
            retention_ms=settings.log_retention_days * DAY_MS,
            fixture_retention_ms=settings.fixture_retention_days * DAY_MS,
            record_failures=settings.record_failures,
            traces=_traces(settings),
        ),
        max_body_bytes=settings.max_body_bytes,
    )


def _observers(settings: Settings) -> Iterator[Observer]:
    if settings.metrics == "emf":
        from oriel.metrics.emf import EmfWriter

        yield EmfWriter()


def _traces(settings: Settings) -> Traces | None:
    if not settings.otlp_endpoint:
        return None
    from oriel.otlp import OtlpExporter

    headers = dict(pair.split("=", 1) for pair in settings.otlp_headers)
    return Traces(OtlpExporter(settings.otlp_endpoint, headers), settings.trace_share)
