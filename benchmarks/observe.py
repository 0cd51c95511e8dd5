"""What observability adds to a warm request: log entry, receipt, metrics, and the look at whether it is traced.

Two gateways in one process take turns over the same worker processes. One keeps the log, feeds Prometheus and is set
up for traces that nobody samples; the other does none of it. A turn lasts long enough that the log is written several
times within it, so that what the writing thread takes from requests is in the figure; what is left is written between
turns. `observe.overhead_ratio` is the mean of one over the other's, less one, without the slowest hundredth of both.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from msgspec.structs import replace

from benchmarks import guests
from benchmarks.deployment import Deployment, deployed
from benchmarks.measure import Result, in_turns, median
from benchmarks.workers import HELLO_BODY
from gateway.assembly import build_gateway
from gateway.core import Gateway
from gateway.http_runner import HttpRunner
from gateway.messages import GatewayRequest
from gateway.watch import Watch
from oriel.identity import Authenticator, KeySet, ServiceTokenSigner, TokenVerifier
from oriel.ids import new_id
from oriel.local import LocalPlatform
from oriel.local.tokens import jwks
from oriel.metrics.prometheus import Prometheus
from oriel.signing import TrustBundle
from oriel.store.opening import open_store

ROUNDS, IN_A_ROW = 8, 500
SLOWEST = 0.01


class _Nothing:
    """In place of a journal and of a watch: nothing is kept."""

    dropped = 0

    def record(self, *_kept: object) -> None: ...
    def flush(self, *_: object) -> bool:
        return True

    def close(self) -> None: ...


class _Unwatched(Watch, frozen=True):
    def watched(self, _request: Any, _principal: Any, execute: Any) -> Any:
        return execute

    def entry(self, *_: Any) -> Any:
        return None

    def fixture(self, *_: Any) -> Any:
        return None


def run() -> Iterator[Result]:
    with deployed() as deployment, ExitStack() as opened:
        settings = replace(deployment.settings(), port=0, ui_port=0, runner_workers=2)
        platform = opened.enter_context(LocalPlatform(settings))
        watched = _gateway(platform, opened, watched=True)
        plain = _gateway(platform, opened, watched=False)
        works = {"on": _work(deployment, watched), "off": _work(deployment, plain)}
        taken: dict[str, list[float]] = {"on": [], "off": []}
        for _ in range(ROUNDS):
            for side, work in works.items():
                taken[side] += in_turns({side: work}, rounds=1, in_a_row=IN_A_ROW)[side]
            watched.settle()
    on, off = (_mean(taken[side]) for side in ("on", "off"))
    yield Result("observe.on.p50_ms", median(taken["on"]), "ms")
    yield Result("observe.off.p50_ms", median(taken["off"]), "ms")
    yield Result("observe.p50_ratio", median(taken["on"]) / median(taken["off"]) - 1, "ratio")
    yield Result("observe.overhead_ratio", on / off - 1, "ratio")


def _gateway(platform: LocalPlatform, opened: ExitStack, *, watched: bool) -> Gateway:
    settings = platform.settings
    if watched:  # a collector that nobody listens for: nothing is sampled, so nothing is sent
        settings = replace(settings, otlp_endpoint="http://127.0.0.1:9", trace_share=0.0)
    store = open_store(settings.store_url)
    opened.callback(store.close)
    keys = json.dumps(jwks(platform.keyring.issuer_key)).encode()
    verifier = TokenVerifier(KeySet(lambda: keys), issuer=settings.issuer, audience=settings.oidc_audience)
    gateway = build_gateway(
        settings,
        store=store,
        authenticator=Authenticator(verifier),
        runner=HttpRunner(platform.runner_url, ServiceTokenSigner(platform.keyring.service_key), direct=True),
        sessions=None,
        trust=TrustBundle(),
        observers=(Prometheus(lambda: ()),) if watched else (),
    )
    opened.callback(gateway.close)
    if not watched:
        bare: Any = gateway
        bare._journal.close()  # noqa: SLF001 - there is no setting for having no log
        bare._journal, bare._watch = _Nothing(), _Unwatched()  # noqa: SLF001
    return gateway


def _work(deployment: Deployment, gateway: Gateway) -> Any:
    token, published = deployment.token(), deployment.published[guests.JAVASCRIPT]
    headers = (("authorization", f"Bearer {token}"), ("accept", "application/json"))

    def work() -> None:
        asked = GatewayRequest(
            request_id=new_id("req"),
            method="GET",
            extension_id=published.extension_id,
            path="/hello",
            query="",
            headers=headers,
            body=b"",
        )
        answer = gateway.handle(asked)
        if answer.body != HELLO_BODY:
            raise RuntimeError(f"the gateway answers {answer.status}: {answer.body[:200]!r}")

    return work


def _mean(values: Sequence[float]) -> float:
    kept = sorted(values)[: int(len(values) * (1 - SLOWEST))]
    return sum(kept) / len(kept)
