"""The cache before the registry."""

import threading

import pytest
from msgspec.structs import replace

from gateway.resolve import Resolver
from oriel.errors import OrielError
from oriel.store import StoreUnavailable
from tests.support.gateway import EXTENSION, Clock, Source, resolution


@pytest.fixture
def source():
    return Source(resolution())


@pytest.fixture
def clock():
    return Clock(50.0)


@pytest.fixture
def resolver(source, clock):
    return Resolver(source, clock=clock)


def test_one_read_serves_until_its_time_is_over(resolver, source, clock):
    first = resolver.resolve("acme", EXTENSION)
    clock.now += 4.9
    assert resolver.resolve("acme", EXTENSION) is first
    clock.now += 0.1
    assert resolver.resolve("acme", EXTENSION)
    assert len(source.reads) == 2


def test_the_time_counts_from_the_beginning_of_the_read(source, clock):
    class Slow(Source):
        def resolve(self, tenant_id, extension_id):
            found = super().resolve(tenant_id, extension_id)
            clock.now += 3
            return found

    slow = Slow(resolution())
    resolver = Resolver(slow, clock=clock)
    resolver.resolve("acme", EXTENSION)
    clock.now += 2
    resolver.resolve("acme", EXTENSION)
    assert len(slow.reads) == 2


def test_that_nothing_is_installed_is_kept_shortly(resolver, source, clock):
    assert resolver.resolve("acme", "com.acme.other") is None
    assert resolver.resolve("acme", "com.acme.other") is None
    assert len(source.reads) == 1
    clock.now += 1
    assert resolver.resolve("acme", "com.acme.other") is None
    assert len(source.reads) == 2


def test_tenants_do_not_share_entries(resolver):
    assert resolver.resolve("acme", EXTENSION)
    assert resolver.resolve("globex", EXTENSION) is None


def test_nothing_stale_is_served_when_the_store_fails(resolver, source, clock):
    resolver.resolve("acme", EXTENSION)
    source.away = True
    clock.now += 5
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            resolver.resolve("acme", EXTENSION)
    source.away = False
    assert resolver.resolve("acme", EXTENSION)


def test_memory_is_bounded_and_the_least_used_goes_first(clock):
    source = Source(*(resolution(f"t{number}") for number in range(4)))
    resolver = Resolver(source, max_entries=3, clock=clock)
    for tenant in ("t0", "t1", "t2", "t0", "t3", "t0", "t1"):
        resolver.resolve(tenant, EXTENSION)
    assert [tenant for tenant, _ in source.reads] == ["t0", "t1", "t2", "t3", "t1"]


def test_tenants_share_the_manifest_of_a_version(clock):
    source = Source(resolution("acme", version_id="ver_x"), resolution("globex", version_id="ver_x"))
    resolver = Resolver(source, clock=clock)
    assert resolver.resolve("acme", EXTENSION).manifest is resolver.resolve("globex", EXTENSION).manifest


def test_callers_at_once_cause_one_read(clock):
    entered, go = threading.Event(), threading.Event()

    class Gated(Source):
        def resolve(self, tenant_id, extension_id):
            entered.set()
            assert go.wait(5)
            return super().resolve(tenant_id, extension_id)

    source = Gated(resolution())
    resolver = Resolver(source, clock=clock)
    found, waiting = [], threading.Barrier(9)

    def call():
        waiting.wait(5)
        found.append(resolver.resolve("acme", EXTENSION))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    waiting.wait(5)
    assert entered.wait(5)
    go.set()
    for thread in threads:
        thread.join(5)
    assert (len(source.reads), len(found), None in found) == (1, 8, False)


def test_a_failed_read_fails_for_all_who_wait_and_is_not_kept(clock):
    entered, go = threading.Event(), threading.Event()

    class Gated(Source):
        def resolve(self, tenant_id, extension_id):
            entered.set()
            assert go.wait(5)
            return super().resolve(tenant_id, extension_id)

    source = Gated(resolution())
    source.away = True
    resolver = Resolver(source, clock=clock)
    failures = []

    def call():
        try:
            resolver.resolve("acme", EXTENSION)
        except StoreUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    go.set()
    for thread in threads:
        thread.join(5)
    assert len(failures) == 2
    source.away = False
    assert resolver.resolve("acme", EXTENSION)


def test_a_published_manifest_that_cannot_be_read_is_not_the_callers_fault(clock):
    found = resolution()
    unreadable = replace(found.version, manifest=found.version.manifest | {"surplus": 1})
    source = Source(replace(found, version=unreadable))
    with pytest.raises(OrielError) as caught:
        Resolver(source, clock=clock).resolve("acme", EXTENSION)
    assert caught.value.code == "unavailable"


def test_no_entry_may_live_longer_than_the_promise_allows(source):
    with pytest.raises(ValueError, match="5 seconds"):
        Resolver(source, ttl=6)
