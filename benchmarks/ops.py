"""Store and blob operations of a request, counted at the ports, and what a million requests cost on AWS.

A gateway and a runner in this process, on the ports the platform uses, each wrapped in a counter. Cold: new ones of
both, nothing cached, no artifact on the disk, one request. Warm: `CALLERS` callers of one install at once for longer
than its cache lives, all of whose operations count: also those of caches that expire meanwhile, of leases of rate,
places and daily quotas, and of the journal. The quotas are all set, and so high that none is reached. An install that
is called less than once in its cache's lifetime pays for each call a `resolve`, a lease and its return, and a write: 4.

Dollars are AWS's list prices (`benchmarks.prices`), of the items and the times measured here:

    HTTP API                 1.00 a million requests
    Lambda                   0.20 a million invocations, two of them: gateway and runner
                             0.0000133334 a GB-second: GATEWAY_GB * (gateway + INVOKE_MS + runner ms)
                                                     + RUNNER_GB * runner ms, both rounded up to a whole ms
    DynamoDB reads           0.125 a million units; 4 KB each, strongly consistent. A `resolve` is a query of the
                             install and its secrets, and one item each: version, publisher, key, quarantine, and
                             three of quotas; a lease is one item of each meter
    DynamoDB writes          0.625 a million units; 1 KB each, twice that in a transaction. An execution is its entry,
                             its place in the extension's listing, and its part of the usage rows of its transaction;
                             a lease is one item of each meter
    S3                       0.40 a million GETs; warm requests make none

Not in it: the guest's own storage and egress, CloudWatch's ingestion, data transfer, KMS (one call a cold start).
"""

import json
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks import guests
from benchmarks.deployment import HEADERS, Deployment, deployed
from benchmarks.measure import Result, median
from benchmarks.prices import (
    API_MILLION,
    GB_SECOND,
    IN_A_TRANSACTION,
    INVOCATION_MILLION,
    READ_BYTES,
    READ_UNIT_MILLION,
    WRITE_BYTES,
    WRITE_UNIT_MILLION,
)
from gateway.admission import Admission
from gateway.core import Gateway
from gateway.cors import Cors
from gateway.journal import Journal
from gateway.messages import GatewayRequest
from gateway.repeats import Repeats
from gateway.resolve import Resolver
from oriel.blobs.opening import open_source
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.identity import Authenticator, KeySet, TokenVerifier
from oriel.ids import new_id
from oriel.keyring import Keyring
from oriel.local.tokens import jwks
from oriel.store import open_store
from oriel.store.dynamodb import table
from oriel.store.dynamodb.executions import ENTRIES
from oriel.store.dynamodb.items import item_bytes, key_item, to_item
from oriel.store.dynamodb.table import Key
from oriel.store.policy_records import QuotaDefaults
from oriel.store.records import Execution, Resolution
from oriel.store.usage import summed
from runner import assembly
from runner.core import Runner

WARM_SECONDS, CALLERS, ALONE = 7.0, 8, 50
GATEWAY_GB, RUNNER_GB, INVOKE_MS = 0.5, 1.0, 10.0

QUOTAS = {
    "requests_per_second": 100_000,
    "burst": 200_000,
    "concurrent": 1_000,
    "daily_invocations": 10**9,
    "daily_cpu_ms": 10**12,
    "daily_memory_mb_ms": 10**15,
    "daily_egress_bytes": 10**15,
}


class Counted:
    """A port whose calls are counted, and what they took and gave kept as far as the arithmetic needs it."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.calls: Counter[str] = Counter()
        self.written: list[Sequence[Execution]] = []
        self.resolved: Resolution | None = None
        self.leased = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name == "close":
            return method

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if name == "record_executions":
                self.written.append(args[0])
            if name == "take_leases":
                self.leased += len(args[1])
            answer = method(*args, **kwargs)
            self.resolved = answer if name == "resolve" else self.resolved
            return answer

        return counted

    def forget(self) -> None:
        self.calls.clear()
        self.written.clear()
        self.leased = 0


class InProcess:
    """The way to a runner in this process; keeps how many milliseconds it took."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.milliseconds: list[float] = []

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        began = time.perf_counter()
        answer = self._runner.execute(request)
        self.milliseconds.append((time.perf_counter() - began) * 1_000)
        return answer

    def close(self) -> None:
        self._runner.close()


class Site:
    """A gateway and a runner, new and with empty caches, on counted ports."""

    def __init__(self, deployment: Deployment, opened: ExitStack, guest: str = guests.PLAIN) -> None:
        settings = deployment.settings()
        keyring = Keyring.open(settings.keyring_path)
        shutil.rmtree(assembly.artifact_cache(settings), ignore_errors=True)
        store = open_store(settings.store_url)
        store.put_quota_defaults(QuotaDefaults(tenant=QUOTAS, install=QUOTAS, updated_by="/benchmark", updated_at=0))
        self.store, self.blobs = Counted(store), Counted(open_source(settings.blobs_url))
        opened.callback(self.store.close)
        with patch.object(assembly, "open_source", lambda _: self.blobs):
            self.way = InProcess(assembly.build_runner(settings, keyring))
        opened.enter_context(patch.object(assembly, "_open_store", lambda _: self.store))
        published = json.dumps(jwks(keyring.issuer_key)).encode()
        keys = TokenVerifier(KeySet(lambda: published), issuer=settings.issuer, audience=settings.oidc_audience)
        self.journal = Journal(self.store)
        self.gateway = Gateway(
            authenticator=Authenticator(keys),
            resolver=Resolver(self.store, ttl=settings.cache_seconds),
            runner=self.way,
            journal=self.journal,
            admission=Admission(self.store),
            repeats=Repeats(self.store),
            cors=Cors(()),
        )
        opened.callback(self.gateway.close)
        self._headers = (*HEADERS, ("authorization", f"Bearer {deployment.token()}"))
        self._extension = deployment.published[guest].extension_id
        self.answered_bytes = 0

    def call(self) -> float:
        """One request; its milliseconds in the gateway, with the runner's in them."""
        asked = GatewayRequest(
            request_id=new_id("req"), method="GET", extension_id=self._extension, path="/hello", headers=self._headers
        )
        began = time.perf_counter()
        answer = self.gateway.handle(asked)
        if answer.status != 200:
            raise RuntimeError(f"the guest answers {answer.status}: {answer.body!r}")
        self.answered_bytes = len(answer.body) + sum(len(name) + len(value) + 4 for name, value in answer.headers)
        return (time.perf_counter() - began) * 1_000

    def settled(self) -> None:
        """All that was to be written is."""
        if not self.journal.flush(30):
            raise RuntimeError("the journal was not written")

    def forget(self) -> None:
        """Count from here on."""
        self.settled()
        for port in (self.store, self.blobs):
            port.forget()
        self.way.milliseconds.clear()


def run() -> Iterator[Result]:
    with deployed() as deployment, _site(deployment) as site:
        site.call()
        site.settled()
        yield Result("ops.cold.store_ops", site.store.calls.total(), "count")
        yield Result("ops.cold.blob_ops", site.blobs.calls.total(), "count")
        alone = [site.call() for _ in range(ALONE)]
        runner_ms = median(site.way.milliseconds[-ALONE:])
        site.forget()
        requests = warm(site)
        yield Result("ops.warm.store_ops", site.store.calls.total() / requests, "count")
        yield Result("ops.warm.blob_ops", site.blobs.calls.total() / requests, "count")
        resolved = site.store.calls["resolve"] * read_units(site.store.resolved)
        reads = (resolved + site.store.leased) / requests
        writes = (sum(map(write_units, site.store.written)) + site.store.leased * IN_A_TRANSACTION) / requests
        yield Result("ops.warm.read_units", reads, "count")
        yield Result("ops.warm.write_units", writes, "count")
        store = reads * READ_UNIT_MILLION + writes * WRITE_UNIT_MILLION
        compute = lambda_usd(median(alone) - runner_ms, runner_ms)
        yield Result("ops.usd_per_million.store", store, "USD")
        yield Result("ops.usd_per_million.lambda", compute, "USD")
        yield Result("ops.usd_per_million", API_MILLION[0][1] + compute + store, "USD")


@contextmanager
def _site(deployment: Deployment) -> Iterator[Site]:
    with ExitStack() as opened:
        yield Site(deployment, opened)


def warm(site: Site) -> int:
    """Call for a time; how many requests there were."""
    until = time.monotonic() + WARM_SECONDS

    def many() -> int:
        count = 0
        while time.monotonic() < until:
            site.call()
            count += 1
        return count

    with ThreadPoolExecutor(CALLERS) as callers:
        total = sum(future.result() for future in [callers.submit(many) for _ in range(CALLERS)])
    site.settled()
    return total


def read_units(found: Resolution | None) -> float:
    """Read units of one `resolve` that finds this."""
    if found is None:
        return 0.0
    somewhere = Key("tenant#t#install#e", "install")
    together = sum(item_bytes(to_item(somewhere, record)) for record in (found.install, *found.secrets))
    version = item_bytes(to_item(somewhere, found.version))
    publisher_key_quarantine_and_quotas = 6
    return math.ceil(together / READ_BYTES) + math.ceil(version / READ_BYTES) + publisher_key_quarantine_and_quotas


def write_units(batch: Sequence[Execution]) -> float:
    """Write units of one `record_executions`, in as many transactions as it takes."""
    units = 0
    for start in range(0, len(batch), ENTRIES):
        some = batch[start : start + ENTRIES]
        for entry in some:
            item = to_item(Key(table.executions(entry.tenant_id), entry.execution_id), entry)
            listed = key_item(Key(table.executions_of(entry.tenant_id, entry.extension_id), entry.execution_id))
            units += math.ceil(item_bytes(item) / WRITE_BYTES) + math.ceil(item_bytes(listed) / WRITE_BYTES)
        units += len(summed(some))
    return units * IN_A_TRANSACTION


def lambda_usd(gateway_ms: float, runner_ms: float) -> float:
    """Dollars of a million requests' two invocations; the gateway waits for the runner and is paid for it."""
    waits = math.ceil(gateway_ms + INVOKE_MS + runner_ms)
    gigabyte_seconds = (GATEWAY_GB * waits + RUNNER_GB * math.ceil(runner_ms)) / 1_000
    return 2 * INVOCATION_MILLION + gigabyte_seconds * 1_000_000 * GB_SECOND[0][1]
