"""API keys, quotas, meters, repeated requests, data keys and re-sealing: the same on every store."""

import threading

import pytest
from msgspec.structs import replace

from oriel.quotas import Quotas
from oriel.store import Conflict
from oriel.store.policy_records import (
    ApiKey,
    LeaseAsk,
    Measures,
    QuotaDefaults,
    QuotaSetting,
    RepeatRecord,
    SealedPlace,
    StoredDataKey,
)
from oriel.store.records import StoredSecret
from tests.store.factory import T0, install

HOUR = 3_600_000


def api_key(key_id="key_1", tenant_id="t1", **fields):
    record = {"name": "CI", "secret_hash": "ab" * 32, "permissions": ("invoke:read",), "created_by": "t1/ann"}
    return ApiKey(tenant_id=tenant_id, key_id=key_id, created_at=T0, expires_at=T0 + HOUR, **(record | fields))


def ask(bucket="", tokens=1, *, holder="gw_1", **fields):
    quotas = fields.pop("quotas", Quotas(requests_per_second=10, burst=20, concurrent=4))
    return LeaseAsk(bucket=bucket, quotas=quotas, holder=holder, tokens=tokens, **fields)


def take(store, *asks, tenant_id="t1"):
    return store.take_leases(tenant_id, asks or (ask(),))


def repeat(key="k", claim="exe_1", tenant_id="t1", **fields):
    record = {"install_id": "i1", "fingerprint": "f", "created_at": T0, "expires_at": T0 + HOUR}
    return RepeatRecord(tenant_id=tenant_id, key=key, claim=claim, **(record | fields))


def secret(name="KEY", tenant_id="t1", extension_id="com.acme.notes", **fields):
    record = {"key_id": "old", "nonce": b"n", "ciphertext": b"c", "updated_at": T0}
    return StoredSecret(
        tenant_id=tenant_id, install_id=f"ins_{tenant_id}_{extension_id}", name=name, **(record | fields)
    )


# API keys


@pytest.mark.parametrize("tenant_id", ["t1", None])
def test_an_api_key_is_found_by_tenant_and_id(store, tenant_id):
    key = api_key(tenant_id=tenant_id, extension_id="com.acme.notes")
    store.create_api_key(key)
    assert store.get_api_key(tenant_id, key.key_id) == key
    assert store.get_api_key("t2", key.key_id) is None
    assert store.get_api_key(tenant_id, "key_2") is None
    with pytest.raises(Conflict):
        store.create_api_key(key)


def test_api_keys_are_listed_by_tenant_in_pages(store):
    keys = [api_key(f"key_{number}") for number in range(3)]
    for key in (*keys, api_key("key_9", None), api_key("key_9", "t2")):
        store.create_api_key(key)
    first = store.list_api_keys("t1", limit=2)
    rest = store.list_api_keys("t1", first.cursor, limit=2)
    assert ([*first.items, *rest.items], rest.cursor) == (keys, None)
    assert [key.tenant_id for key in store.list_api_keys(None).items] == [None]


def test_an_api_key_is_revoked_once(store):
    store.create_api_key(api_key())
    assert store.revoke_api_key("t1", "key_1", T0 + 5)
    assert not store.revoke_api_key("t1", "key_1", T0 + 9)
    assert not store.revoke_api_key("t2", "key_1", T0 + 9)
    assert store.get_api_key("t1", "key_1").revoked_at == T0 + 5


# quotas


def test_quotas_come_with_the_resolution_own_values_over_defaults(published):
    store = published
    store.create_install(install())
    assert store.get_quota_defaults() is None
    resolved = store.resolve("t1", "com.acme.notes")
    assert (resolved.tenant_quotas, resolved.install_quotas) == ({}, {})

    by = {"updated_by": "/op", "updated_at": T0}
    defaults = QuotaDefaults(tenant={"burst": 9, "concurrent": 3}, install={"concurrent": 2}, **by)
    store.put_quota_defaults(defaults)
    own = [
        QuotaSetting(tenant_id="t1", extension_id=extension_id, values=values, **by)
        for extension_id, values in (("", {"burst": 5}), ("com.acme.notes", {"daily_cpu_ms": 7}))
    ]
    for setting in own:
        store.put_quota(setting)
    store.put_quota(QuotaSetting(tenant_id="t2", extension_id="", values={"burst": 1}, **by))
    assert store.get_quota_defaults() == defaults
    assert store.list_quotas("t1") == tuple(own)
    resolved = store.resolve("t1", "com.acme.notes")
    assert resolved.tenant_quotas == {"burst": 5, "concurrent": 3}
    assert resolved.install_quotas == {"concurrent": 2, "daily_cpu_ms": 7}
    store.put_quota(replace(own[0], values={}))
    assert store.resolve("t1", "com.acme.notes").tenant_quotas == {"burst": 9, "concurrent": 3}


# meters


def test_a_bucket_is_full_at_first_and_fills_at_its_rate(store, clock):
    (lease,) = take(store, ask(tokens=15))
    assert (lease.tokens, lease.left, lease.retry_ms) == (15, 5, 0)
    assert take(store, ask(tokens=15))[0].tokens == 5
    (empty,) = take(store, ask(tokens=15))
    assert (empty.tokens, empty.left, empty.retry_ms) == (0, 0, 100)
    clock.now += 1_050
    assert take(store, ask(tokens=15))[0].tokens == 10
    clock.now += 60_000
    assert take(store, ask(tokens=99))[0].tokens == 20


def test_what_is_given_back_can_be_taken_again(store):
    (lease,) = take(store, ask(tokens=20))
    (again,) = take(store, ask(tokens=20, returned=8, returned_day=lease.day))
    assert (again.tokens, again.invocations) == (8, 20)


def test_tenants_and_buckets_have_meters_of_their_own(store):
    assert [lease.tokens for lease in take(store, ask("", 20), ask("com.acme.notes", 20))] == [20, 20]
    assert take(store, ask("", 1), ask("com.acme.notes", 1), tenant_id="t2")[1].tokens == 1
    assert [lease.tokens for lease in take(store, ask("com.acme.notes", 1), ask("x", 1))] == [0, 1]


def test_a_daily_quota_ends_with_the_utc_day(store, clock):
    quotas = Quotas(daily_invocations=3)
    for taken in (1, 2, 3):
        (lease,) = take(store, ask(tokens=5, quotas=quotas))
        assert (lease.tokens, lease.invocations, lease.left) == (1, taken, None)
    assert take(store, ask(tokens=5, quotas=quotas))[0].tokens == 0
    clock.now += lease.day_ends_ms - 1
    assert take(store, ask(tokens=5, quotas=quotas))[0].tokens == 0
    clock.now += 1
    (tomorrow,) = take(store, ask(tokens=2, quotas=quotas, returned=3, returned_day=lease.day))
    assert (tomorrow.tokens, tomorrow.invocations, tomorrow.day_ends_ms) == (1, 1, 24 * HOUR)
    assert take(store, ask(tokens=9, quotas=Quotas(daily_invocations=41)))[0].tokens == 9
    assert take(store, ask(tokens=9, quotas=Quotas(daily_invocations=30)))[0].tokens == 5


@pytest.mark.parametrize("used", ["cpu_ms", "memory_mb_ms", "egress_bytes"])
def test_what_executions_report_ends_the_giving_at_the_quota(store, used):
    quotas = Quotas.read({f"daily_{used}": 100})
    (lease,) = take(store, ask(quotas=quotas, spent=Measures(**{used: 60})))
    assert lease.tokens == 1
    assert getattr(lease.used, used) == 60
    assert take(store, ask(quotas=quotas, spent=Measures(**{used: 39})))[0].tokens == 1
    assert take(store, ask(quotas=quotas, spent=Measures(**{used: 1})))[0].tokens == 0


def test_places_are_shared_by_holders_and_lapse(store, clock):
    assert take(store, ask(places=3, places_ms=1_000))[0].places == 3
    assert take(store, ask(places=3, places_ms=1_000, holder="gw_2"))[0].places == 1
    assert take(store, ask(places=4, places_ms=1_000))[0].places == 3
    clock.now += 1_000
    assert take(store, ask(places=4, places_ms=1_000, holder="gw_2"))[0].places == 4
    assert take(store, ask(places=0, holder="gw_2"))[0].places == 0
    assert take(store, ask(places=4, places_ms=1_000))[0].places == 4


def test_a_clock_that_goes_back_gives_nothing_twice(store, clock):
    take(store, ask(tokens=20))
    clock.now -= 60_000
    assert take(store, ask(tokens=20))[0].tokens == 0
    clock.now += 60_100
    assert take(store, ask(tokens=20))[0].tokens == 1


def test_gateways_that_take_at_once_get_no_more_than_there_is(backend):
    stores, taken = [backend.open() for _ in range(4)], []

    def run(store, holder):
        for _ in range(3):
            taken.extend(lease.tokens for lease in take(store, ask("", 3, holder=holder)))

    threads = [threading.Thread(target=run, args=(store, f"gw_{n}")) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), sum(taken)) == (12, 20)


# repeated requests


def test_the_first_claim_of_a_key_wins(store):
    assert store.claim_repeat(repeat()) is None
    assert store.claim_repeat(repeat()) is None  # the same claim again: its answer was lost
    assert store.claim_repeat(repeat(claim="exe_2", fingerprint="g")) == repeat()
    for other in (repeat("k2"), repeat(tenant_id="t2"), repeat(install_id="i2")):
        assert store.claim_repeat(other) is None


def test_an_answer_is_kept_until_it_expires(store, clock):
    store.claim_repeat(repeat())
    answered = repeat(status=201, headers=(("etag", "1"),), body=b"\0", expires_at=T0 + 9)
    assert store.answer_repeat(answered)
    assert store.claim_repeat(repeat(claim="exe_2")) == answered
    clock.now += 9
    assert store.claim_repeat(repeat(claim="exe_2")) is None
    assert store.claim_repeat(repeat(claim="exe_3")) == repeat(claim="exe_2")


def test_only_the_holder_of_a_claim_answers_or_drops_it(store):
    store.claim_repeat(repeat())
    assert not store.answer_repeat(repeat(claim="exe_2", status=200))
    assert not store.drop_repeat(repeat(claim="exe_2"))
    assert store.drop_repeat(repeat())
    assert not store.drop_repeat(repeat())
    assert not store.answer_repeat(repeat(status=200))
    assert store.claim_repeat(repeat(claim="exe_2")) is None


def test_expired_records_of_repeats_are_purged(store, backend):
    store.claim_repeat(repeat())
    store.claim_repeat(repeat("k2", expires_at=T0 + 2 * HOUR))
    backend.clock.now += HOUR
    assert store.purge_expired() == (0 if backend.expires_by_itself else 1)
    assert store.claim_repeat(repeat("k2", "exe_2")) is not None


def test_repeats_go_with_their_install(published):
    store = published
    store.create_install(install())
    record = repeat(install_id=install().install_id)
    store.claim_repeat(record)
    store.delete_install("t1", "com.acme.notes")
    assert store.claim_repeat(replace(record, claim="exe_2")) is None


# data keys and re-sealing


def test_the_newest_data_key_is_the_current_one(store):
    assert store.current_data_key() is None
    keys = [StoredDataKey(key_id=f"k{at}", created_at=T0 + at) for at in (5, 9, 7)]
    for key in keys:
        store.put_data_key(key)
    assert store.current_data_key() == keys[1]
    done = replace(keys[1], resealed_at=T0 + 20, resealed=3, failed=1)
    store.put_data_key(done)
    assert store.current_data_key() == done


def sealed_under_others(store, key_id, limit=100):
    cursor, found = None, []
    while True:
        page = store.list_sealed(key_id, cursor, limit)
        found += page.items
        if (cursor := page.cursor) is None:
            return found


def test_secrets_of_all_tenants_under_other_data_keys_are_listed_in_pages(published):
    store = published
    for tenant_id in ("t1", "t2"):
        store.create_install(install(tenant_id))
        for name in ("A", "B"):
            store.put_secret(secret(name, tenant_id))
    store.put_secret(secret("B", key_id="new"))
    expected = [
        SealedPlace(tenant_id=tenant_id, install_id=install(tenant_id).install_id, name=name, key_id="old")
        for tenant_id, name in (("t1", "A"), ("t2", "A"), ("t2", "B"))
    ]
    assert sealed_under_others(store, "new", limit=1) == expected
    assert [place.key_id for place in sealed_under_others(store, "old")] == ["new"]
    store.delete_secret("t2", install("t2").install_id, "A")
    store.delete_install("t1", "com.acme.notes")
    assert sealed_under_others(store, "new") == expected[2:]


def test_a_secret_is_resealed_only_as_it_was_read(published):
    store, before = published, secret()
    store.create_install(install())
    store.put_secret(before)
    again = replace(before, key_id="new", nonce=b"m", ciphertext=b"d")
    assert store.reseal_secret(again, before)
    assert store.list_secrets("t1", before.install_id) == (again,)
    assert sealed_under_others(store, "new") == []
    assert not store.reseal_secret(replace(again, ciphertext=b"e"), before)
    store.delete_install("t1", "com.acme.notes")
    assert not store.reseal_secret(replace(again, ciphertext=b"e"), again)
